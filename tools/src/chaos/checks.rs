//! What must hold after every event: the venues' truth beside what the engine believes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use engine::core::Core;
use engine::event::{Action, Bundle, Event, Leg, Purpose, Risk, Wait};
use engine::pair::{Outcome, PairId, Polarity};
use engine::top::{Health, MarketId};
use engine::units::{Ns, PX_ONE, Px, Qty, Shares, Venue};
use serde_json::Value;
use sim::venue::{Side, Standing};
use sim::world::World;

use super::naked::DUST_E6;
use crate::journal::compare::LAG;
use crate::pairs::PairFile;
use crate::run::audit::{self, Audit};

/// A book that differs from the venue's while nothing is on its way must be noticed within this.
const BLIND_MAX: Ns = Ns::from_ms(60_000);

/// ...and while a connection that answers pings swallows what it should show, within this: the
/// cross-check asks every five seconds, and condemns what differs twice.
const STARVED_MAX: Ns = Ns::from_ms(45_000);

/// The engine must have heard of a trade that failed to settle within this.
const TOLD_WITHIN: Ns = Ns::from_ms(120_000);

/// What a market that settled paid is booked within so many comparisons with both venues that
/// follow, one of them the start of a process.
const BOOKED_WITHIN: u32 = 8;

/// A book that was condemned is sound again within three rounds of the cross-check.
const FETCHED_WITHIN: Ns = Ns::from_ms(15_000);

/// No bytes are on their way for so long: an order that has not come until then never comes.
const FORGOTTEN: Ns = Ns::from_ms(300_000);

/// An order that the core decided.
#[derive(Clone, Copy, Debug)]
struct Intent {
    leg: Leg,
    deadline: Ns,
}

/// A broken promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which promise.
    pub invariant: &'static str,
    /// What was seen.
    pub detail: String,
}

/// What was promised and what was seen so far.
pub struct Checks {
    file: PairFile,
    /// By venue: orders that no order of the venue stands for yet, oldest first.
    intents: [Vec<Intent>; 2],
    /// By venue: orders of its ledger that were looked at.
    looked_at: [usize; 2],
    /// By venue and market: since when its book has differed.
    differs: BTreeMap<(Venue, usize), Ns>,
    /// How many checks were made.
    pub count: u64,
    /// Orders and fills that the venues know.
    pub orders: u64,
    /// See `orders`.
    pub fills: u64,
    /// Trades that failed to settle, as the venue tells.
    failed: u64,
    /// When those failed that the engine may not have heard of.
    untold: VecDeque<Ns>,
    /// Failures that it told before they were looked at.
    told_before: u64,
    /// Nothing may leave after; the engine's monotonic clock.
    killed_at: Option<Ns>,
    /// Pairs of which a person was told that one side is held alone, until a repair fills.
    alarmed: BTreeSet<PairId>,
    /// Pairs of which the last start said so: its engine leaves them alone.
    left_alone: BTreeSet<PairId>,
    /// How much more than an order asks for Kalshi may fill, by a fault; 1e-6 contracts.
    overfill_e6: i64,
    /// Orders of which we said that they were filled beyond what they asked for.
    overfilled: u64,
    /// Pairs of which one market takes no more orders.
    closed: BTreeSet<PairId>,
    /// Pairs whose markets have settled, and how often figures were compared since.
    settled: BTreeMap<PairId, u32>,
    /// When figures were compared first after tokens of a pair had been bought; `None` before that.
    bought: BTreeMap<PairId, Option<Ns>>,
    /// Contracts that a person bought of a pair, which are nobody's to close; micro-contracts.
    by_hand: BTreeMap<PairId, i64>,
    /// The books as the core said that they are, one after the other; those that it knows.
    health: BTreeMap<(usize, usize), Health>,
    /// When a book was last said to be sound no more.
    unsound: BTreeMap<(usize, usize), Ns>,
}

/// The most that a fault makes Kalshi fill beyond what an order asks for; two may be under way.
const OVERFILL_E6: i64 = 6_000_000;

type Held = Result<(), Violation>;

fn broken(invariant: &'static str, detail: impl Into<String>) -> Held {
    Err(Violation { invariant, detail: detail.into() })
}

impl Checks {
    /// Checks of a run over these pairs.
    pub fn new(file: PairFile) -> Checks {
        Checks {
            file,
            intents: [Vec::new(), Vec::new()],
            looked_at: [0; 2],
            differs: BTreeMap::new(),
            count: 0,
            orders: 0,
            fills: 0,
            failed: 0,
            untold: VecDeque::new(),
            told_before: 0,
            killed_at: None,
            alarmed: BTreeSet::new(),
            left_alone: BTreeSet::new(),
            overfill_e6: 0,
            overfilled: 0,
            closed: BTreeSet::new(),
            settled: BTreeMap::new(),
            bought: BTreeMap::new(),
            by_hand: BTreeMap::new(),
            health: BTreeMap::new(),
            unsound: BTreeMap::new(),
        }
    }

    /// A start said of these pairs that one side of them is held alone, and of no others.
    pub fn told<'a>(&mut self, pairs: impl Iterator<Item = &'a String>) {
        let place = |id: &String| self.file.pairs.iter().position(|spec| spec.id == *id);
        self.left_alone = pairs.filter_map(place).map(|at| PairId(at as u16)).collect();
    }

    /// True where the last start said that something of a pair lies alone, and is not ours to close.
    pub fn is_left_alone(&self, pair: PairId) -> bool {
        self.left_alone.contains(&pair)
    }

    /// Something happened in the core.
    pub fn event(&mut self, event: &Event) -> Held {
        let decision = match event {
            Event::ExecuteTrade(decision) => decision,
            Event::RepairSent(repair) => {
                self.sound(&repair.bundle)?;
                self.intend(&repair.bundle);
                return Ok(());
            }
            Event::FeedHealthChanged { market, recv, from, to } => {
                let key = (market.venue().index(), market.index());
                if *from == Health::Sound {
                    self.unsound.insert(key, *recv);
                }
                self.health.insert(key, *to);
                return Ok(());
            }
            Event::Fill(report) => {
                if report.market.venue() == Venue::Polymarket {
                    self.bought.insert(report.pair, None);
                }
                return Ok(());
            }
            Event::FillUndone(_) => {
                if self.untold.pop_front().is_none() {
                    self.told_before += 1;
                }
                return Ok(());
            }
            Event::RiskTripped { risk: Risk::Overfilled, .. } => {
                self.overfilled += 1;
                return Ok(());
            }
            Event::RiskTripped { risk: Risk::Book, .. } => {
                return broken("sound_books", "a gate refused what the core decided".to_owned());
            }
            Event::RiskTripped { pair, risk: Risk::Unhedged, .. } => {
                self.alarmed.insert(*pair);
                return Ok(());
            }
            Event::RepairWaits { pair, why: Wait::Hold, .. } => {
                self.alarmed.insert(*pair);
                return Ok(());
            }
            Event::RepairEnded(repaired) if repaired.filled != Shares::ZERO => {
                self.alarmed.remove(&repaired.pair);
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.count += 1;
        if self.is_left_alone(decision.bundle.pair) {
            return broken("left_alone", format!("opened beside what lies alone: {decision:?}"));
        }
        for leg in decision.bundle.orders() {
            let top = decision.tops.iter().find(|top| top.market == leg.market);
            if top.is_none_or(|top| top.health != Health::Sound) {
                return broken("sound_books", format!("decided on {:?}", decision.tops));
            }
        }
        self.sound(&decision.bundle)?;
        self.intend(&decision.bundle);
        self.hedges(&decision.bundle)
    }

    /// Of two legs that open a position one pays whatever happens, and together they cost less
    /// than that dollar.
    fn hedges(&mut self, bundle: &Bundle) -> Held {
        let [first, second] = bundle.legs;
        if bundle.purpose != Purpose::Open || bundle.orders().len() < 2 {
            return Ok(());
        }
        self.count += 1;
        let inverted = self
            .file
            .pairs
            .get(bundle.pair.index())
            .is_some_and(|pair| pair.polarity == Polarity::Inverted);
        let across = first.market.venue() != second.market.venue();
        let same = first.outcome == second.outcome;
        if same != (across && inverted) {
            return broken(
                "hedged",
                format!("both legs pay together, or neither does: {bundle:?}"),
            );
        }
        if first.limit.e4() + second.limit.e4() >= PX_ONE {
            return broken("hedged", format!("the legs may cost a dollar or more: {bundle:?}"));
        }
        Ok(())
    }

    /// A venue that none of our connections reaches has no sound book.
    pub fn closed_feeds(&mut self, core: &Core, open: [usize; 2]) -> Held {
        for pair in core.pairs().pairs() {
            for side in pair.sides {
                self.count += 1;
                let venue = side.market.venue();
                let sound = core.top(side.market).is_some_and(|top| top.health == Health::Sound);
                if open[venue.index()] == 0 && sound {
                    return broken(
                        "closed_feeds",
                        format!("{venue}: a book is sound though no connection is open"),
                    );
                }
            }
        }
        Ok(())
    }

    /// Each order is of a book that was last said to be sound.
    fn sound(&mut self, bundle: &Bundle) -> Held {
        for leg in bundle.orders() {
            self.count += 1;
            let health = self.health.get(&(leg.market.venue().index(), leg.market.index()));
            if health != Some(&Health::Sound) {
                return broken("sound_books", format!("the book is {health:?}: {bundle:?}"));
            }
        }
        Ok(())
    }

    /// True where a book has lately been sound: whatever the cross-check condemns is fetched anew.
    pub fn was_sound(&self, now: Ns, market: MarketId) -> bool {
        let key = (market.venue().index(), market.index());
        self.unsound.get(&key).is_some_and(|at| now.since(*at) < FETCHED_WITHIN)
    }

    fn intend(&mut self, bundle: &Bundle) {
        let long_ago = |intent: &Intent| bundle.decided.since(intent.deadline) > FORGOTTEN;
        self.intents.iter_mut().for_each(|all| all.retain(|intent| !long_ago(intent)));
        for leg in bundle.orders() {
            let intent = Intent { leg: *leg, deadline: bundle.deadline };
            self.intents[leg.market.venue().index()].push(intent);
        }
    }

    /// The kill switch was used; the engine's monotonic clock.
    pub fn killed(&mut self, mono: Ns) {
        self.killed_at = Some(mono);
    }

    /// From now on Kalshi may fill more than it was asked to.
    pub fn overfills(&mut self) {
        self.overfill_e6 = OVERFILL_E6;
    }

    /// The engine begins with what the venues say: it does not hear of what was before.
    pub fn restarted(&mut self, now: Ns, overfilled: u64) {
        self.overfilled = overfilled;
        self.compared(now);
        self.untold.clear();
        self.told_before = 0;
        self.health.clear();
    }

    /// An order left at a moment of the engine's monotonic clock.
    pub fn left(&mut self, venue: Venue, mono: Ns) -> Held {
        self.count += 1;
        if self.killed_at.is_some_and(|killed| mono > killed) {
            return broken("fail_closed", format!("{venue}: an order left after the kill"));
        }
        let waits = self.intents[venue.index()].iter().any(|intent| mono <= intent.deadline);
        if !waits {
            let last = self.intents[venue.index()].last();
            return broken(
                "deadline",
                format!(
                    "{venue}: an order left at {} ns that nothing asked for then; the last intent was {last:?}",
                    mono.0
                ),
            );
        }
        Ok(())
    }

    /// Takes in what the venues know, and compares it with what was decided and what is believed.
    /// `quiet` says that no order, answer or fill is on its way anywhere.
    pub fn ledgers(&mut self, now: Ns, world: &World, core: &Core, quiet: bool) -> Held {
        self.count += 1;
        let accounts = Venue::ALL.map(|venue| world.standing(venue));
        for venue in Venue::ALL {
            self.orders_of(venue, world, Ns(0))?;
        }
        let [kalshi, polymarket] = &accounts;
        if kalshi.reused_headers != 0 {
            return broken("header_once", "a signed header of Kalshi was used twice");
        }
        for _ in self.failed..polymarket.failed {
            match self.told_before.checked_sub(1) {
                Some(left) => self.told_before = left,
                None => self.untold.push_back(now),
            }
        }
        self.failed = polymarket.failed;
        self.fills = accounts.iter().map(|account| account.fills).sum();
        self.orders = accounts.iter().map(|account| account.orders).sum();
        self.positions(now, core, &accounts)?;
        let overfilled = kalshi.overfilled;
        if quiet && overfilled > self.overfilled {
            let detail =
                format!("{overfilled} orders were, and we noticed {} of them", self.overfilled);
            return broken("over_fill_noticed", detail);
        }
        if !quiet {
            return Ok(());
        }
        let audit = audit::compare(core, &self.file, &accounts);
        match !audit.agrees() && (self.may_be_untold(now) || self.may_be_unbooked()) {
            true => Ok(()),
            false => self.equal(&audit),
        }
    }

    /// A failure is told later than it happens, and later still while a channel is dead: the first
    /// of which nothing was heard yet is so young. A further one is no excuse for it.
    fn may_be_untold(&self, now: Ns) -> bool {
        self.untold.front().is_some_and(|at| now.since(*at) < TOLD_WITHIN)
    }

    /// Figures that differ in truth differ for a reason that the engine cannot know of yet: a trade
    /// that failed lately, or a fill beyond its order. What settled is no reason for an alarm.
    pub fn may_differ(&self, now: Ns, world: &World) -> bool {
        let overfilled = world.standing(Venue::Kalshi).overfilled;
        self.may_be_untold(now) || overfilled > self.overfilled
    }

    /// A market of a pair trades no more.
    pub fn close(&mut self, pair: PairId) {
        self.closed.insert(pair);
    }

    /// The markets of a pair pay, and trade no more.
    pub fn settle(&mut self, pair: PairId) {
        self.settled.insert(pair, 0);
    }

    /// True where a market of a pair takes no more orders.
    pub fn is_over(&self, pair: PairId) -> bool {
        self.closed.contains(&pair) || self.settled.contains_key(&pair)
    }

    /// Both venues answered what is held there. What was bought of late may only not be there yet,
    /// so that its absence says nothing.
    pub fn compared(&mut self, now: Ns) {
        let lag = Ns(LAG.as_nanos() as u64);
        self.bought.values_mut().for_each(|at| *at = at.or(Some(now)));
        for (pair, times) in &mut self.settled {
            let bought = self.bought.get(pair).copied().flatten();
            *times += u32::from(bought.is_none_or(|at| now.since(at) > lag));
        }
    }

    fn may_be_unbooked(&self) -> bool {
        self.settled.values().any(|times| *times < BOOKED_WITHIN)
    }

    /// Where nothing is under way the books are equal to the micro-dollar.
    fn equal(&mut self, audit: &Audit) -> Held {
        self.count += 1;
        match audit.agrees() {
            true => {
                // Whatever failed until now is known, or was never believed in.
                self.untold.clear();
                self.told_before = 0;
                Ok(())
            }
            false => broken("ledgers_equal", audit.differences.join("; ")),
        }
    }

    /// Looks at the orders that came by now.
    pub fn orders_until_now(&mut self, world: &World) -> Held {
        Venue::ALL.into_iter().try_for_each(|venue| self.orders_of(venue, world, Ns(0)))
    }

    /// Looks at orders that have just come, none of which was written before `mono`.
    pub fn orders_written(&mut self, venue: Venue, mono: Ns, world: &World) -> Held {
        self.orders_of(venue, world, mono)
    }

    /// What came since was not sent by the engine.
    pub fn not_ours(&mut self, world: &World) {
        self.looked_at = Venue::ALL.map(|venue| world.standing(venue).orders as usize);
    }

    /// Every new order of a venue stands for one intent that no other order stands for, and that had
    /// not expired when it was written.
    fn orders_of(&mut self, venue: Venue, world: &World, written: Ns) -> Held {
        let new = world.orders(venue, self.looked_at[venue.index()]);
        for order in &new {
            self.count += 1;
            let file = &self.file;
            let intents = &mut self.intents[venue.index()];
            let found = intents.iter().position(|intent| {
                intent.deadline >= written && stands_for(file, venue, order, &intent.leg)
            });
            match found {
                Some(at) => intents.remove(at),
                None => {
                    let detail = format!("{venue}: written at {} ns: {order}", written.0);
                    return broken("one_order_an_intent", detail);
                }
            };
        }
        self.looked_at[venue.index()] += new.len();
        Ok(())
    }

    /// What we hold is what we believe, and at most what orders under way may have added.
    fn positions(&mut self, now: Ns, core: &Core, accounts: &[Standing; 2]) -> Held {
        let truth = audit::positions(&self.file, accounts);
        let (undone, unbooked) = (self.may_be_untold(now), self.may_be_unbooked());
        for (at, spec) in self.file.pairs.iter().enumerate() {
            self.count += 1;
            let Some(pair) = core.pairs().pairs().get(at) else { continue };
            if unbooked && self.settled.contains_key(&PairId(at as u16)) {
                continue;
            }
            let [net, yes, no] = truth.get(&spec.id).copied().unwrap_or_default();
            let [first, second] = pair.sides.map(|side| side.market.index());
            let tokens = |outcome| core.tokens().balance(second, outcome).e6() as i64;
            let believed =
                [core.net().position_e6(first), tokens(Outcome::Yes), tokens(Outcome::No)];
            let mut may = [(0, 0); 3];
            if let Some(flight) = core.flight(PairId(at as u16)) {
                for (leg, order) in flight.bundle.orders().iter().zip(flight.orders()) {
                    if order.is_final() {
                        continue;
                    }
                    let (most, yes) = (most_e6(leg), leg.outcome == Outcome::Yes);
                    let most = if leg.action == Action::Sell { -most } else { most };
                    match (leg.market.venue(), yes) {
                        (Venue::Kalshi, true) => widen(&mut may[0], most),
                        (Venue::Kalshi, false) => widen(&mut may[0], -most),
                        (Venue::Polymarket, true) => widen(&mut may[1], most),
                        (Venue::Polymarket, false) => widen(&mut may[2], most),
                    }
                }
            }
            for (what, truth, believed, (less, more)) in [
                (
                    "kalshi",
                    net,
                    believed[0],
                    (may[0].0 - self.overfill_e6, may[0].1 + self.overfill_e6),
                ),
                ("polymarket yes", yes, believed[1], may[1]),
                ("polymarket no", no, believed[2], may[2]),
            ] {
                let over = truth - believed;
                // What was bought is gone, or what was sold is back.
                let untold = undone && what != "kalshi";
                if !untold && (over > more || over < less) {
                    return broken(
                        "positions",
                        format!(
                            "{}: {what}: the venue says {truth}, we believe {believed}, and what is under way explains {less} to {more}",
                            spec.id
                        ),
                    );
                }
            }
        }
        Ok(())
    }

    /// A person bought contracts of a pair while no engine ran.
    pub fn bought_by_hand(&mut self, pair: PairId, e6: i64) {
        *self.by_hand.entry(pair).or_default() += e6;
    }

    /// What is held on one side alone has been closed, or somebody was told, but for what a person
    /// bought. Each process knows of its own dust only.
    pub fn naked(&mut self, world: &World, processes: i64) -> Held {
        if self.killed_at.is_some() {
            return Ok(()); // A kill stops repairs too: a person was there.
        }
        let accounts = Venue::ALL.map(|venue| world.standing(venue));
        let held = audit::positions(&self.file, &accounts);
        for (at, spec) in self.file.pairs.iter().enumerate() {
            self.count += 1;
            let [net, yes, no] = held.get(&spec.id).copied().unwrap_or_default();
            let other = if spec.polarity == Polarity::Inverted { no - yes } else { yes - no };
            let naked = (net + other).abs();
            let pair = PairId(at as u16);
            let is_told = self.alarmed.contains(&pair) || self.left_alone.contains(&pair);
            let own = self.by_hand.get(&pair).copied().unwrap_or(0);
            if naked >= own + DUST_E6 * processes.max(1) && !is_told {
                return broken(
                    "naked",
                    format!(
                        "{}: {naked} micro-contracts are held on one side alone, and nobody was told",
                        spec.id
                    ),
                );
            }
        }
        Ok(())
    }

    /// Books that nothing is on its way to are the venue's, and so are those whose connection swallows
    /// what it should show, by their prices and but for a while; Kalshi's with their sizes where they can
    /// be `exact`: a change that was replaced under its own number shows by its price alone.
    pub fn books(
        &mut self,
        now: Ns,
        world: &World,
        core: &Core,
        (still, starved): ([bool; 2], [bool; 2]),
        exact: bool,
    ) -> Held {
        for pair in core.pairs().pairs() {
            for side in pair.sides {
                let (venue, index) = (side.market.venue(), side.market.index());
                let Some(top) = core.top(side.market) else { continue };
                let starved = starved[venue.index()];
                if !(still[venue.index()] || starved) || top.health != Health::Sound {
                    self.differs.remove(&(venue, index));
                    continue;
                }
                self.count += 1;
                let wrong =
                    [(Side::Bid, top.bids().best(), true), (Side::Ask, top.asks().best(), false)]
                        .into_iter()
                        .find_map(|(side, best, is_bid)| {
                            let truth = best_quoted(world, venue, index, side, is_bid);
                            // Polymarket's changes are not numbered: a size that was lost on the way is
                            // noticed with the next book at the earliest.
                            let px = |best: Option<(Px, Qty)>| best.map(|(px, _)| px);
                            let equal = match venue {
                                Venue::Kalshi if exact && !starved => truth == best,
                                Venue::Kalshi | Venue::Polymarket => px(truth) == px(best),
                            };
                            (!equal).then_some((side, truth, best))
                        });
                match wrong {
                    None => {
                        self.differs.remove(&(venue, index));
                    }
                    Some((side, truth, best)) => {
                        let since = *self.differs.entry((venue, index)).or_insert(now);
                        let (most, invariant) =
                            if starved { (STARVED_MAX, "zombies") } else { (BLIND_MAX, "books") };
                        if now.since(since) > most {
                            return broken(
                                invariant,
                                format!(
                                    "{venue} market {index}: {side:?}: the venue's best is {truth:?}, ours was {best:?} for {} s",
                                    now.since(since).0 / 1_000_000_000
                                ),
                            );
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// The best level that the makers of a venue offer.
fn best_quoted(
    world: &World,
    venue: Venue,
    market: usize,
    side: Side,
    bid: bool,
) -> Option<(Px, Qty)> {
    let offered = |e4: u16| {
        let px = Px::new(e4)?;
        let qty = world.quoted(venue, market, side, px);
        (!qty.is_zero()).then_some((px, qty))
    };
    // Tenths of a cent are the finest grid there is here.
    match bid {
        true => (1..1_000u16).rev().find_map(|step| offered(step * 10)),
        false => (1..1_000u16).find_map(|step| offered(step * 10)),
    }
}

/// Whether an order of a venue's ledger is what a leg asked for.
fn stands_for(file: &PairFile, venue: Venue, order: &Value, leg: &Leg) -> bool {
    let Some(spec) = file.pairs.get(leg.market.index()) else { return false };
    match venue {
        Venue::Kalshi => {
            let (side, limit) = match (leg.outcome, leg.action) {
                (Outcome::Yes, Action::Buy) => ("bid", leg.limit),
                (Outcome::No, Action::Buy) => ("ask", leg.limit.complement()),
                (Outcome::Yes, Action::Sell) => ("ask", leg.limit),
                (Outcome::No, Action::Sell) => ("bid", leg.limit.complement()),
            };
            order["ticker"] == spec.kalshi.ticker.as_str()
                && order["side"] == side
                && order["limit_e4"].as_u64() == Some(u64::from(limit.e4()))
                && order["count_e2"].as_u64() == Some(leg.qty.e2())
        }
        Venue::Polymarket => {
            let token = match leg.outcome {
                Outcome::Yes => &spec.polymarket.yes,
                Outcome::No => &spec.polymarket.no,
            };
            let (side, gives) = match leg.action {
                Action::Buy => ("BUY", leg.budget.e6()),
                Action::Sell => ("SELL", most_e6(leg)),
            };
            order["token"] == token.as_str()
                && order["side"] == side
                && order["price"].as_u64() == Some(u64::from(leg.limit.e4()))
                && order["maker_amount"].as_i64() == Some(gives)
        }
    }
}

/// Widens what orders under way may have added by one that adds so much, or takes it away.
fn widen((less, more): &mut (i64, i64), by: i64) {
    *less += by.min(0);
    *more += by.max(0);
}

/// The most that an order may fill, in 1e-6 contracts.
fn most_e6(leg: &Leg) -> i64 {
    if leg.spends {
        // At a tenth of a cent, the best price there is.
        leg.budget.e6().saturating_mul(1_000)
    } else {
        i64::try_from(leg.qty.e2()).unwrap_or(i64::MAX).saturating_mul(10_000)
    }
}
