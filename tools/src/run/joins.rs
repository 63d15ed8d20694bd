//! Pairs that join a run while it lasts. Their markets are told to the feeds first, which number and
//! subscribe to them; then to the gates and the signer; then the pair goes to the core. So nothing
//! is ever decided on a pair whose orders somebody could not make.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use engine::pair::{Listing, PairTable};
use engine::top::MarketId;
use engine::units::Venue;
use exec::journal::Record;
use feeds::live::arrival::{ARRIVAL_RING_DEPTH, Arrival, Arrivals};
use feeds::live::{kalshi, polymarket};
use feeds::market::AddError;
use rtrb::{Consumer, Producer, RingBuffer};

use super::gates::{TermsRings, kalshi_terms, polymarket_terms};
use crate::journal::opening;
use crate::pairs::{self, PairFile, PairSpec};
use crate::replay::setup;

/// Whoever waits for a tile looks so often: feeds look at what comes every millisecond.
const NAP: Duration = Duration::from_millis(2);

/// The way of new markets to a feed, and of its answers back.
pub struct ArrivalEnds<M> {
    /// Markets that come.
    pub coming: Producer<Arrival<M>>,
    /// The number that each took, or why it has none.
    pub answers: Consumer<Result<MarketId, AddError>>,
}

/// Both ends of that way.
pub fn arrivals<M>() -> (ArrivalEnds<M>, Arrivals<M>) {
    let (coming, came) = RingBuffer::new(ARRIVAL_RING_DEPTH);
    let (answered, answers) = RingBuffer::new(ARRIVAL_RING_DEPTH);
    (ArrivalEnds { coming, answers }, Arrivals { coming: came, answers: answered })
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

/// Where the pairs come from that join.
pub trait Joins {
    /// The next one.
    fn next(&mut self) -> Option<Joined>;

    /// The core was told of it.
    fn joined(&mut self, joined: &Joined);
}

/// Why a pair waits for the next start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotJoined {
    /// No place is left.
    Full,
    /// What is wrong with it.
    Words(String),
    /// The run is over.
    Over,
}

/// Tells everybody of the pairs that join, on a thread that may wait.
pub struct Joiner {
    ends: JoinEnds,
    /// As the core has it, or will.
    table: PairTable,
    /// By venue, and by ticker or condition.
    markets: [HashMap<String, MarketId>; 2],
    tell: Sender<Joined>,
}

impl Joiner {
    /// A joiner for a run over these pairs; what it has told goes to `tell`.
    pub fn new(ends: JoinEnds, file: &PairFile, table: &PairTable, tell: Sender<Joined>) -> Joiner {
        let mut markets = [HashMap::new(), HashMap::new()];
        for (spec, pair) in file.pairs.iter().zip(table.pairs()) {
            let names = [&spec.kalshi.ticker, &spec.polymarket.condition_id];
            for ((known, name), side) in markets.iter_mut().zip(names).zip(pair.sides) {
                known.insert(name.clone(), side.market);
            }
        }
        Joiner { ends, table: table.clone(), markets, tell }
    }

    /// Tells everybody of a pair, the core last; its markets. `note` is the pair as its file says
    /// it, for the tape.
    ///
    /// # Errors
    /// [`NotJoined`]
    pub fn join(
        &mut self,
        spec: PairSpec,
        note: &str,
        end: &AtomicBool,
    ) -> Result<[MarketId; 2], NotJoined> {
        let place = self.table.vacant().ok_or(NotJoined::Full)?;
        // Before anybody is told: what no order could be made for is told to nobody.
        let terms = polymarket_terms(&spec).map_err(NotJoined::Words)?;
        let names = [spec.kalshi.ticker.clone(), spec.polymarket.condition_id.clone()];
        let first = match self.markets[0].get(&names[0]) {
            Some(known) => *known,
            None => {
                let market = kalshi::NewMarket {
                    event: spec.kalshi.event.clone(),
                    ticker: spec.kalshi.ticker.clone(),
                    grid: spec.kalshi.grid,
                };
                let market = arrive(&mut self.ends.kalshi, market, note, end)?;
                if let Some(rings) = &mut self.ends.terms {
                    send(&mut rings.kalshi, (market, kalshi_terms(&spec)), end)?;
                }
                market
            }
        };
        self.markets[0].insert(names[0].clone(), first);
        let second = match self.markets[1].get(&names[1]) {
            Some(known) => *known,
            None => {
                let p = &spec.polymarket;
                let market = polymarket::NewMarket {
                    condition: p.condition_id.clone(),
                    tokens: [p.yes.clone(), p.no.clone()],
                    grid: p.grid,
                    terms: Some(setup::hash_terms(&spec)),
                };
                let market = arrive(&mut self.ends.polymarket, market, note, end)?;
                for ring in self.ends.terms.iter_mut().flat_map(|rings| &mut rings.polymarket) {
                    send(ring, (market, terms), end)?;
                }
                market
            }
        };
        self.markets[1].insert(names[1].clone(), second);
        let markets = [first, second];
        let pair =
            setup::pair(&spec, markets).map_err(|error| NotJoined::Words(error.to_string()))?;
        let event = spec.event.as_deref().and_then(|name| self.table.event_named(name));
        let listing = Listing::of(place, event.unwrap_or(place), &pair);
        let joined = Joined { listing, spec };
        if !joined.list(&mut self.table) {
            return Err(NotJoined::Words("the table of pairs does not take it".to_owned()));
        }
        self.tell.send(joined).map_err(|_| NotJoined::Over)?;
        Ok(markets)
    }
}

/// Has a market added to a feed, and waits for its number.
fn arrive<M>(
    ends: &mut ArrivalEnds<M>,
    market: M,
    note: &str,
    end: &AtomicBool,
) -> Result<MarketId, NotJoined> {
    send(&mut ends.coming, Arrival { market, note: note.as_bytes().into() }, end)?;
    loop {
        match ends.answers.pop() {
            Ok(Ok(market) | Err(AddError::Known(market))) => return Ok(market),
            Ok(Err(error)) => return Err(NotJoined::Words(error.to_string())),
            Err(_) if end.load(Relaxed) => return Err(NotJoined::Over),
            Err(_) => thread::sleep(NAP),
        }
    }
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
