//! Pairs that join a run while it lasts, and pairs that leave it. Their markets are told to the feeds
//! first, which number and subscribe to them; then to the gates and the signer; then the pair goes
//! to the core. So nothing is ever decided on a pair whose orders somebody could not make.
//!
//! A pair leaves the other way round: first the core, then the feeds, then the gates. Only then are
//! its markets' numbers free ([`joiner`]).

pub mod terms; // what orders of a pair are made from
pub mod joiner; // whoever tells everybody

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::Duration;

use engine::event::{Event, PairChange};
use engine::pair::{Listing, PairId, PairTable};
use engine::top::MarketId;
use engine::units::Venue;
use exec::journal::Record;
use feeds::live::arrival::{ARRIVAL_RING_DEPTH, Arrival, Arrivals, Going};
use feeds::live::{kalshi, polymarket};
use feeds::market::AddError;
use rtrb::{Consumer, Producer, RingBuffer};

use super::gates::TermsRings;
use crate::journal::opening;
use crate::pairs::{self, PairFile, PairSpec};

/// Whoever waits for a tile looks so often: feeds look at what comes every millisecond.
const NAP: Duration = Duration::from_millis(2);

/// The way of new markets to a feed, and of its answers back.
pub struct ArrivalEnds<M> {
    /// Markets that come.
    pub coming: Producer<Arrival<M>>,
    /// The number that each took, or why it has none.
    pub answers: Consumer<Result<MarketId, AddError>>,
    /// Markets that go.
    pub going: Producer<Going>,
    /// The same once they went, with the generation of the last Top.
    pub gone: Consumer<(Going, u32)>,
}

/// Both ends of that way.
pub fn arrivals<M>() -> (ArrivalEnds<M>, Arrivals<M>) {
    let (coming, came) = RingBuffer::new(ARRIVAL_RING_DEPTH);
    let (answered, answers) = RingBuffer::new(ARRIVAL_RING_DEPTH);
    let (going, goes) = RingBuffer::new(ARRIVAL_RING_DEPTH);
    let (went, gone) = RingBuffer::new(ARRIVAL_RING_DEPTH);
    (
        ArrivalEnds { coming, answers, going, gone },
        Arrivals { coming: came, answers: answered, going: goes, gone: went },
    )
}

/// Everything by which a run learns of markets.
pub struct JoinEnds {
    /// Kalshi's feed.
    pub kalshi: ArrivalEnds<kalshi::NewMarket>,
    /// Polymarket's feed.
    pub polymarket: ArrivalEnds<polymarket::NewMarket>,
    /// Gates and signer; none on paper.
    pub terms: Option<TermsRings>,
}

/// A pair that everybody knows but the core.
#[derive(Clone, PartialEq, Debug)]
pub struct Joined {
    /// What the core is told.
    pub listing: Listing,
    /// The pair.
    pub spec: PairSpec,
}

impl Joined {
    /// Its markets: Kalshi's and Polymarket's.
    pub fn markets(&self) -> [MarketId; 2] {
        self.listing.sides.map(|side| side.market)
    }

    /// Which markets it has, as the journal tells it.
    pub fn records(&self) -> Vec<Record> {
        opening::pair(&self.spec, self.markets())
    }

    /// Puts it into a table, with its names.
    pub fn list(&self, table: &mut PairTable) -> bool {
        let listed = table.list(&self.listing);
        if listed {
            table.name(self.listing.pair, &self.spec.id, self.spec.event.as_deref());
        }
        listed
    }
}

/// What the core is to be told.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant)] // A few a minute at most.
pub enum Move {
    /// A pair joins.
    Join(Joined),
    /// A pair is to leave.
    Retire(PairId),
    /// A market is to be forgotten.
    Vacate(MarketId, u32),
}

/// What the core said of that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// A pair left.
    Left(PairId),
    /// A pair was not taken in.
    Refused(PairId),
    /// A market is forgotten.
    Vacated(MarketId, u32),
}

impl Told {
    /// What an event says of pairs that leave.
    pub const fn of(event: &Event) -> Option<Told> {
        match *event {
            Event::PairChanged { pair, change: PairChange::Left, .. } => Some(Told::Left(pair)),
            Event::PairChanged { pair, change: PairChange::Refused, .. } => {
                Some(Told::Refused(pair))
            }
            Event::MarketVacated { market, generation } => Some(Told::Vacated(market, generation)),
            _ => None,
        }
    }
}

/// Where the pairs come from that join, and where it is known which leave.
pub trait Joins {
    /// The next change.
    fn next(&mut self) -> Option<Move>;

    /// The core was told of a pair that joins.
    fn joined(&mut self, joined: &Joined);

    /// The core said something of those that leave.
    fn told(&mut self, told: Told);
}

/// The watcher's ends for whoever watches the run.
pub struct Watched {
    /// What the core is to be told.
    pub changes: Receiver<Move>,
    /// What it said.
    pub told: Sender<Told>,
}

/// Notes a pair in the list of a run's pairs, which stand in the order of their places.
pub fn seat(file: &mut PairFile, place: PairId, spec: &PairSpec) {
    match file.pairs.get_mut(place.index()) {
        Some(seat) => seat.clone_from(spec),
        None => file.pairs.push(spec.clone()),
    }
}

/// Why a pair waits for the next start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotJoined {
    /// No place is left.
    Full,
    /// What is wrong with it.
    Words(String),
    /// Why nobody knows yet: it is tried again with the next look.
    Later(String),
    /// The run is over.
    Over,
}

/// Waits for room: tiles take what comes as soon as they may.
fn send<T>(ring: &mut Producer<T>, value: T, end: &AtomicBool) -> Result<(), NotJoined> {
    while ring.is_full() {
        if end.load(Relaxed) {
            return Err(NotJoined::Over);
        }
        thread::sleep(NAP);
    }
    // Nobody else pushes, so there is room.
    let _ = ring.push(value);
    Ok(())
}

/// The pair of a tape's note; `None` where it is none.
pub fn read_note(note: &[u8]) -> Option<PairSpec> {
    let file = pairs::parse(core::str::from_utf8(note).ok()?, "tape").ok()?;
    let [spec] = <[PairSpec; 1]>::try_from(file.pairs).ok()?;
    Some(spec)
}

/// Which venue a market's book is compared at, and by what name it is asked for.
pub fn checked(joined: &Joined) -> [crate::crosscheck::Checked; 2] {
    let names = [&joined.spec.kalshi.ticker, &joined.spec.polymarket.yes];
    Venue::ALL.map(|venue| crate::crosscheck::Checked {
        market: joined.markets()[venue.index()],
        name: names[venue.index()].clone(),
    })
}
