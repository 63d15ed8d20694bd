//! What chaos notes over time: what the journal held durably when an order left, which orders were
//! said to be over, and how long a numbered book has been another than the venue's.

use std::collections::{BTreeMap, HashMap, HashSet};

use engine::core::Core;
use engine::event::{Feedback, Reject, Report, ReportKind};
use engine::top::Health;
use engine::units::{Ns, Px, Qty, Venue};
use exec::gate::figures::GateFigures;
use exec::gate::kalshi::KalshiClerk;
use exec::id::Id;
use exec::journal::Record;
use exec::journal::frame::{self, SEGMENT_HEAD};
use exec::journal::memory::Memory;
use sim::venue::Side;
use sim::world::World;

use super::checks::Violation;

/// What was durable when.
pub struct Watch {
    memory: Memory,
    /// Syncs when the disk was read last.
    syncs: u64,
    /// The segment that is read, and how far.
    segment: u64,
    byte: usize,
    /// The run whose records are read.
    run: u64,
    /// Since when an order of that name may leave.
    durable: HashMap<Id, Ns>,
    /// Since when the journal cannot be written any more.
    shut: Option<Ns>,
    /// Orders of each venue that were looked at.
    looked_at: [usize; 2],
    /// Kalshi's books that differ from the venue's: since when, and how often that was seen.
    differs: BTreeMap<usize, (Ns, u32)>,
    /// Which order is which: bundle and leg of the run that is read.
    named: HashMap<(u64, u8), Vec<Id>>,
    /// Orders that our own gate said never left, and orders that reached a venue.
    refused: HashSet<Id>,
    reached: HashSet<Id>,
    /// How many checks were made.
    pub count: u64,
}

/// A lost or doubled change of a book must be noticed within this: the next numbered message
/// tells.
const BLIND_MAX: Ns = Ns::from_ms(30_000);
/// A book must have differed at so many looks in a row.
const LOOKS_MIN: u32 = 4;
/// Levels of each side that are compared: all that the engine decides by.
const LEVELS: usize = 4;

impl Watch {
    /// Watches that disk.
    pub fn new(memory: Memory) -> Watch {
        Watch {
            memory,
            syncs: 0,
            segment: 0,
            byte: 0,
            run: 0,
            durable: HashMap::new(),
            shut: None,
            looked_at: [0; 2],
            differs: BTreeMap::new(),
            named: HashMap::new(),
            refused: HashSet::new(),
            reached: HashSet::new(),
            count: 0,
        }
    }

    /// Reads what became durable by now. `shut` says that the journal failed.
    ///
    /// # Errors
    /// Where a gate says of an order that reached its venue that it never left.
    pub fn look(&mut self, now: Ns, shut: bool) -> Result<(), Violation> {
        self.shut = shut.then(|| self.shut.unwrap_or(now));
        let syncs = self.memory.syncs();
        if syncs == self.syncs {
            return Ok(());
        }
        self.syncs = syncs;
        for (segment, from, bytes) in self.memory.durable_behind(self.segment, self.byte) {
            let mut at = SEGMENT_HEAD.saturating_sub(from).min(bytes.len());
            while let Some(found) = frame::get(&bytes[at..]) {
                at += found.size();
                if let Some(record) = Record::decode(found.payload) {
                    self.take(now, &record)?;
                }
            }
            (self.segment, self.byte) = (segment, from + at);
        }
        Ok(())
    }

    fn take(&mut self, now: Ns, record: &Record) -> Result<(), Violation> {
        match record {
            Record::Run { run, .. } => {
                self.run = *run;
                self.named.clear();
            }
            Record::Heard(Feedback::Report(report)) => return self.heard(report),
            Record::Ids { first, last } => {
                for bundle in *first..=*last {
                    for leg in 0..2 {
                        let id = Id::uuid(KalshiClerk::client_order_id(self.run, bundle, leg));
                        self.durable.entry(id).or_insert(now);
                    }
                }
            }
            Record::Armed { id, .. } => {
                self.durable.entry(Id::hash(&id.0)).or_insert(now);
            }
            Record::Order(order) => {
                let names = self.named.entry((order.bundle.0, order.leg)).or_default();
                for id in [Some(order.client), order.venue].into_iter().flatten() {
                    self.durable.entry(id).or_insert(now);
                    names.push(id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What our own gate refused never left: no venue has an order of that name.
    fn heard(&mut self, report: &Report) -> Result<(), Violation> {
        let ReportKind::Rejected(
            Reject::Expired
            | Reject::Killed
            | Reject::OtherLeg
            | Reject::Malformed
            | Reject::Limit
            | Reject::Shut,
        ) = report.kind
        else {
            return Ok(());
        };
        let (bundle, leg) = (report.bundle.0, report.leg);
        let kalshi = KalshiClerk::client_order_id(self.run, bundle, usize::from(leg));
        let kalshi = (report.market.venue() == Venue::Kalshi).then(|| Id::uuid(kalshi));
        let names = self.named.get(&(bundle, leg)).into_iter().flatten().copied();
        for id in names.chain(kalshi) {
            self.count += 1;
            if self.reached.contains(&id) {
                return Err(refused_and_left(report.market.venue(), id));
            }
            self.refused.insert(id);
        }
        Ok(())
    }

    /// An order reached a venue; its last byte left at `wrote_at`.
    ///
    /// # Errors
    /// Where its name was not durable by then, or the journal had failed.
    pub fn left(&mut self, venue: Venue, wrote_at: Ns, world: &World) -> Result<(), Violation> {
        let broken =
            |detail: String| Err(Violation { invariant: "durable_before_it_leaves", detail });
        let orders = world.orders(venue, self.looked_at[venue.index()]);
        self.looked_at[venue.index()] += orders.len();
        for order in &orders {
            self.count += 1;
            let name = match venue {
                Venue::Kalshi => &order["client_order_id"],
                Venue::Polymarket => &order["id"],
            };
            let id = name.as_str().and_then(Id::parse);
            if let Some(id) = id {
                self.reached.insert(id);
                if self.refused.contains(&id) {
                    return Err(refused_and_left(venue, id));
                }
            }
            let durable = id.and_then(|id| self.durable.get(&id));
            if durable.is_none_or(|since| *since > wrote_at) {
                return broken(format!(
                    "{venue}: order {name} left at {} ns, and the journal held it durably at {durable:?}",
                    wrote_at.0
                ));
            }
            if self.shut.is_some_and(|since| since < wrote_at) {
                return broken(format!("{venue}: order {name} left after the journal had failed"));
            }
        }
        Ok(())
    }

    /// What came since was not sent by the engine.
    pub fn not_ours(&mut self, world: &World) {
        self.looked_at = Venue::ALL.map(|venue| world.standing(venue).orders as usize);
    }

    /// An order of which a gate said that it is over fills no more.
    ///
    /// # Errors
    /// Where one did.
    pub fn ended(&mut self, figures: &[GateFigures; 2]) -> Result<(), Violation> {
        for (venue, figures) in Venue::ALL.into_iter().zip(figures) {
            self.count += 1;
            if figures.excess > 0 {
                let detail = format!(
                    "{venue}: {} fills came of orders that were said to be over, or beyond what the venue had said of them",
                    figures.excess
                );
                return Err(Violation { invariant: "over_is_over", detail });
            }
        }
        Ok(())
    }

    /// Kalshi numbers the changes of its books, so that none is lost or counted twice unnoticed:
    /// whatever is sound is the venue's, level by level. Called where nothing is on its way to us.
    ///
    /// # Errors
    /// Where a book has been another for long.
    pub fn books(&mut self, now: Ns, world: &World, core: &Core) -> Result<(), Violation> {
        for pair in core.pairs().pairs() {
            let market = pair.sides[0].market;
            let (venue, index) = (market.venue(), market.index());
            let Some(top) = core.top(market).filter(|_| venue == Venue::Kalshi) else { continue };
            let ours = [top.bids(), top.asks()].map(|levels| levels.iter().collect::<Vec<_>>());
            let truth = [(Side::Bid, true), (Side::Ask, false)]
                .map(|(side, from_top)| offered(world, venue, index, side, from_top));
            self.count += 1;
            if top.health != Health::Sound || ours == truth {
                self.differs.remove(&index);
                continue;
            }
            let (since, looks) = self.differs.entry(index).or_insert((now, 0));
            *looks += 1;
            if now.since(*since) > BLIND_MAX && *looks >= LOOKS_MIN {
                let detail = format!(
                    "{venue} market {index}: the venue offers {truth:?}, ours has been another for {} s: {ours:?}",
                    now.since(*since).0 / 1_000_000_000
                );
                return Err(Violation { invariant: "numbered_books", detail });
            }
        }
        Ok(())
    }
}

fn refused_and_left(venue: Venue, id: Id) -> Violation {
    let detail = format!("{venue}: order {id:?} came, and our gate said that it never left");
    Violation { invariant: "one_order_an_intent", detail }
}

/// The best levels that the makers of a venue offer.
fn offered(
    world: &World,
    venue: Venue,
    market: usize,
    side: Side,
    from_top: bool,
) -> Vec<(Px, Qty)> {
    // Tenths of a cent are the finest grid there is here.
    let level = |step: u16| {
        let px = Px::new(10 * if from_top { 1_000 - step } else { step })?;
        let qty = world.quoted(venue, market, side, px);
        (!qty.is_zero()).then_some((px, qty))
    };
    (1..1_000).filter_map(level).take(LEVELS).collect()
}
