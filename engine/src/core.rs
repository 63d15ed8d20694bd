//! Tops in; candidates, episodes and decisions out.
//!
//! One cache line a pair holds what a Top without an opportunity needs; everything rarer is
//! elsewhere (`core/attend.rs`, `core/account.rs`).

mod alone; // what lies on one side alone for too long
mod arm; // what would be sent next: to be signed ahead
mod account; // reports: what an order came to, and where all money is
mod attend; // what deserves a closer look: candidates, episodes, decisions
mod control; // rules that change while markets trade
mod join; // pairs that join while they trade
mod leave; // pairs and markets that go while others trade
mod mend; // what one leg filled alone is closed
mod payout; // markets that settle while they are held

use core::iter::repeat_with;

use crate::digest::Digest;
use crate::edge::{NEVER, Quote, edges, exists};
use crate::event::{Action, ArmRequest, Bundle, Event, Grounds, Risk};
use crate::fee::OneFee;
use crate::flight::Flight;
use crate::ledger::{NetLedger, TokenLedger};
use crate::luck::Luck;
use crate::order::OrderState;
use crate::pair::{FeeRule, Instrument, Outcome, PairId, PairTable, Polarity, SizeRule};
use crate::repair::RepairConfig;
use crate::risk::day::{Day, DayResult};
use crate::risk::limits::RiskLimits;
use crate::risk::{Guard, Word};
use crate::stock::Stock;
use crate::tile::Now;
use crate::top::{Health, MARKETS_MAX, MarketId, Top};
use crate::units::{Ns, Px, Qty, Shares, Usd, Venue};

pub use account::{Accounts, FAILS_WITHIN};
pub use alone::ALONE_MAX;
use alone::Alone;
use arm::Armed;
pub use arm::{ARM_AGE, ARMS_MAX};
use attend::Episode;
use mend::Mend;

/// Where the core's output goes. Neither method may block or allocate.
pub trait Outlet {
    /// A bundle leaves for the gates, which hold limits of their own against what it was decided on.
    fn bundle(&mut self, bundle: &Bundle, grounds: &Grounds);

    /// Something happened.
    fn event(&mut self, event: &Event);

    /// An order that may be sent next. Nobody listens on paper.
    fn arm(&mut self, _request: &ArmRequest) {}

    /// The book as it may be decided upon. Paper trading takes away what it has already bought.
    fn standing(&self, top: &Top) -> Top {
        *top
    }
}

/// A limit that nothing reaches, with room to add to it.
pub const NO_LIMIT: Usd = Usd::new(i64::MAX / 4);

/// What the core may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CoreConfig {
    /// Least net gain a contract, in micro-dollars. A decision earns something even at zero.
    pub min_profit: Usd,
    /// Most contracts a bundle.
    pub max_qty: Qty,
    /// Money at the first and the second venue.
    pub cash: [Usd; 2],
    /// Rest of a pair after a bundle of it ended.
    pub cooldown: Ns,
    /// How long a bundle may take to leave.
    pub deadline: Ns,
    /// The account's balance grid at the first venue: 100 micro-dollars for direct members,
    /// 10,000 through a broker (kalshi.md section 6).
    pub balance_grid: Usd,
    /// Most that the limit price x size of one order may come to.
    pub max_notional: Usd,
    /// Most money that may be out at once: in positions that have not settled, and in orders.
    pub max_unsettled: Usd,
    /// Orders are asked to be signed ahead where this much more a contract would make them leave;
    /// `None` asks for none.
    pub arm_within: Option<Usd>,
    /// How what one leg filled alone is closed; `None` leaves it open.
    pub repair: Option<RepairConfig>,
    /// False: figures and episodes only.
    pub trade: bool,
}

impl Default for CoreConfig {
    /// A direct member with a thousand dollars on each venue, who does not trade.
    fn default() -> CoreConfig {
        CoreConfig {
            min_profit: Usd::new(1_000),
            max_qty: Qty::lit(100_000),
            cash: [Usd::new(1_000_000_000); 2],
            cooldown: Ns::from_ms(1_000),
            deadline: Ns::from_ms(500),
            balance_grid: Usd::new(100),
            max_notional: NO_LIMIT,
            max_unsettled: NO_LIMIT,
            arm_within: None,
            repair: None,
            trade: false,
        }
    }
}

/// What the core counted. Sums over pairs; [`Core::candidates_by`] has them apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Tops of a pair while both its books were known.
    pub evaluations: u64,
    /// Directions of an evaluation with a positive net edge of one contract on sound books.
    pub candidates: u64,
    /// The largest net edge of one contract on sound books; `None` before the first.
    pub best_edge: Option<Usd>,
    /// Over what the books alone imply: pair and three edges of every evaluation.
    pub edge_hash: u64,
    /// Bundles sent.
    pub decisions: u64,
    /// Over all bundles, all reports and all changes of rules.
    pub decision_hash: u64,
    /// Fills reported.
    pub fills: u64,
    /// Orders sent to close what one leg filled alone.
    pub repairs: u64,
    /// What those gained against what they closed had cost, after their fees; mostly a loss, and
    /// part of `realised`.
    pub repair_profit: Usd,
    /// A dollar for every contract that both legs of an ended bundle filled, minus its part of
    /// the costs and all fees.
    pub realised: Usd,
    /// Opportunities that began.
    pub episodes: u64,
    /// Tops of markets beyond those the core was made for; they are dropped.
    pub unlisted: u64,
}

/// Both books of the pair are known.
const KNOWN: u8 = 0b0011;
/// Both books are sound.
const SOUND: u8 = 0b1100;

/// The markets of a free place: nothing is ever asked of them.
const VACANT: [Instrument; 2] = [vacant(Venue::Kalshi), vacant(Venue::Polymarket)];

const fn vacant(venue: Venue) -> Instrument {
    let size = SizeRule { min_qty: Qty::ZERO, min_notional: Usd::ZERO, whole_cents: false };
    let Some(market) = MarketId::new(venue, MARKETS_MAX - 1) else {
        panic!("it is below the most")
    };
    Instrument { market, fee: FeeRule::Unknown, size, tick: Px::ONE, taker_delay: Ns(0) }
}

/// Bits of the first side for each [`Health`]; the second side's are one to the left.
const STATUS: [u8; 5] = {
    let mut bits = [0; 5];
    bits[Health::Sound as usize] = 0b0101;
    bits[Health::Crossed as usize] = 0b0001;
    bits
};

/// What every Top of a pair touches, in one cache line.
#[repr(C, align(64))]
struct PairRow {
    quotes: [Quote; 2],
    /// Of the last time that a best level moved.
    edges: [i32; 3],
    fees: [OneFee; 2],
    /// The next pair of the same market, by side.
    next: [u16; 2],
    /// How to read the second side's YES; the first side's is always the same.
    polarity: Polarity,
    /// [`KNOWN`] and [`SOUND`] bits.
    status: u8,
    /// A bit for each direction whose opportunity is open, and one for contracts held on one side
    /// alone.
    open: u8,
}

const _: () = assert!(size_of::<PairRow>() == 64);

impl PairRow {
    /// A pair whose books are not known yet.
    fn new(sides: &[Instrument; 2], polarity: Polarity, next: [u16; 2]) -> PairRow {
        PairRow {
            quotes: [Quote::NONE; 2],
            edges: edges(Quote::NONE, Quote::NONE),
            fees: [OneFee::new(sides[0].fee), OneFee::new(sides[1].fee)],
            next,
            polarity,
            status: 0,
            open: 0,
        }
    }

    /// A free place: no chain leads to it.
    fn vacant() -> PairRow {
        PairRow::new(&VACANT, Polarity::Same, [PairTable::END; 2])
    }

    /// Takes in what the best levels of a side have become.
    fn reprice<const SIDE: usize>(&mut self, top: &Top) {
        let polarity = if SIDE == 0 { Polarity::Same } else { self.polarity };
        self.quotes[SIDE] = Quote::of(top, self.fees[SIDE], polarity);
        let status = STATUS[top.health as usize] << SIDE;
        self.status = self.status & !(0b0101 << SIDE) | status;
        self.edges = edges(self.quotes[0], self.quotes[1]);
    }
}

/// What only a closer look at a pair touches.
struct PairState {
    terms: [Instrument; 2],
    polarity: Polarity,
    /// Nobody objects to the pair and its fees are known.
    decides: bool,
    /// It began with something on one side alone that is not to be closed: it opens nothing.
    aside: bool,
    candidates: [u64; 3],
    episodes: [Episode; 3],
    flight: Option<Flight>,
    /// What ended bundles left on one side alone.
    stock: Stock,
    mend: Mend,
    /// The first pair of its event, which counts for all of them.
    event: PairId,
    armed: [Armed; 2],
    /// End of the rest after the last bundle; monotonic.
    ready_at: Ns,
    /// Until then a trade of it may fail that was told as a fill; monotonic.
    final_at: Ns,
    /// The low half of the number of the last bundle before the pair joined, 0 where none was: what
    /// is reported of that one and those before is of the pair that had this place.
    after: u32,
    /// A bit for each [`Risk`] that was told since the last bundle.
    tripped: u32,
    /// By side: what a YES of the first venue was worth there once it settled.
    /// In 1e-4 dollar, [`NO_WORTH`] before that.
    worth: [u16; 2],
}

/// No price.
const NO_WORTH: u16 = u16::MAX;

const _: () = assert!(size_of::<PairState>() <= 960); // of what a pair may take in all

impl PairState {
    /// A pair of which nothing is held and nothing under way.
    fn new(terms: [Instrument; 2], polarity: Polarity, decides: bool, event: PairId) -> PairState {
        PairState {
            terms,
            polarity,
            decides,
            aside: false,
            candidates: [0; 3],
            episodes: [Episode::NONE; 3],
            flight: None,
            stock: Stock::new(polarity),
            mend: Mend::NONE,
            event,
            armed: [Armed::NONE; 2],
            ready_at: Ns(0),
            final_at: Ns(0),
            after: 0,
            tripped: 0,
            worth: [NO_WORTH; 2],
        }
    }

    /// A free place.
    fn vacant() -> PairState {
        PairState::new(VACANT, Polarity::Same, false, PairId(PairTable::END))
    }

    /// Contracts that are held, or were filled in flight, on one side alone, and with which outcome
    /// of the first venue they pay.
    fn naked(&self) -> (Outcome, Shares) {
        let mut sums = self.stock.sums();
        if let Some(flight) = &self.flight {
            for (leg, filled) in flight.bundle.orders().iter().zip(flight.filled()) {
                let pays = self.stock.pays(leg.market.venue().index(), leg.outcome);
                // What is sold leaves the side that it pays on.
                let gets = if leg.action == Action::Buy { pays } else { pays.opposite() };
                sums[gets as usize] += filled;
            }
        }
        let [yes, no] = sums;
        let more = if no > yes { Outcome::No } else { Outcome::Yes };
        (more, yes.saturating_sub(no) + no.saturating_sub(yes))
    }
}

/// Bytes that a pair of two markets takes in a core, its names aside: its rows, its place in the
/// pair table, both standing Tops with their first pairs, and what is held of both markets.
pub const PAIR_BYTES: usize = size_of::<PairRow>()
    + size_of::<PairState>()
    + size_of::<crate::pair::Pair>()
    + 2 * size_of::<[u16; 2]>()
    + 2 * (size_of::<Top>() + size_of::<u16>())
    + size_of::<i64>()
    + size_of::<u8>()
    + size_of::<[Shares; 2]>()
    + size_of::<Usd>()
    + crate::risk::PAIR_BYTES;

/// Owns what is known and decides.
pub struct Core {
    rows: Box<[PairRow]>,
    states: Box<[PairState]>,
    /// By venue and market: the Top that stands, and the first pair.
    tops: [Box<[Top]>; 2],
    heads: [Box<[u16]>; 2],
    edge_digest: Digest,
    decision_digest: Digest,
    /// An edge above this deserves a closer look: it is positive or the best so far.
    alert: i32,
    best: i32,
    figures: Figures,
    net: NetLedger,
    tokens: TokenLedger,
    inventory: Usd,
    matched: Shares,
    settled: Usd,
    last_bundle: u64,
    kill_epoch: u32,
    /// When to look again at what is held on one side alone; monotonic.
    mend_due: Ns,
    alone: Alone,
    /// What was measured of each venue's orders.
    lucks: [Luck; 2],
    /// By event: most that can be lost on what is held on one side alone, and on what is under way.
    at_risk: Box<[Usd]>,
    /// By venue: its gate can get an order through.
    gates: [bool; 2],
    /// A kill came, and nobody armed it since.
    killed: bool,
    guard: Guard,
    day: Day,
    table: PairTable,
    config: CoreConfig,
}

impl Core {
    /// A core over these pairs. `markets` is how many markets each venue may send Tops of; it is
    /// raised to what the pairs need. All memory is taken here.
    pub fn new(mut table: PairTable, markets: [usize; 2], config: CoreConfig) -> Core {
        let sizes = [0, 1].map(|side| {
            // Each pair that joins may bring one more.
            (markets[side] + table.reserve()).max(table.markets(side)).min(MARKETS_MAX)
        });
        table.lay_out();
        let ids = |side: usize| {
            let venue = Venue::ALL[side];
            (0..sizes[side]).filter_map(move |index| MarketId::new(venue, index))
        };
        let slots = 0..table.slots();
        let rows = table.pairs().iter().enumerate().map(|(number, pair)| {
            PairRow::new(&pair.sides, pair.polarity, table.after(PairId(number as u16)))
        });
        let rows = rows.chain(repeat_with(PairRow::vacant)).zip(slots.clone());
        let states = table.pairs().iter().enumerate().map(|(number, pair)| {
            let event = table.first_of_event(PairId(number as u16));
            PairState::new(pair.sides, pair.polarity, pair.may_decide(), event)
        });
        let states = states.chain(repeat_with(PairState::vacant)).zip(slots);
        Core {
            rows: rows.map(|(row, _)| row).collect(),
            states: states.map(|(state, _)| state).collect(),
            tops: [0, 1].map(|side| ids(side).map(Top::unknown).collect()),
            heads: [0, 1].map(|side| ids(side).map(|market| table.head(market)).collect()),
            edge_digest: Digest::default(),
            decision_digest: Digest::default(),
            alert: -NEVER / 2,
            best: -NEVER / 2,
            figures: Figures::default(),
            net: NetLedger::new(config.cash[0], sizes[0]),
            tokens: TokenLedger::new(config.cash[1], sizes[1]),
            inventory: Usd::ZERO,
            matched: Shares::ZERO,
            settled: Usd::ZERO,
            last_bundle: 0,
            kill_epoch: 0,
            mend_due: mend::NEVER,
            alone: Alone::NONE,
            lucks: [Luck::default(); 2],
            at_risk: vec![Usd::ZERO; table.slots()].into(),
            gates: [true; 2],
            killed: false,
            guard: Guard::new(&RiskLimits::NONE, &table),
            day: Day::new(DayResult::default()),
            table,
            config,
        }
    }

    /// With these limits beside those of its configuration, where an earlier run of the day came
    /// to `today`. Positions that were there before are told after this.
    #[must_use]
    pub fn with_limits(mut self, limits: &RiskLimits, today: DayResult) -> Core {
        self.guard = Guard::new(limits, &self.table);
        self.day = Day::new(today);
        self
    }

    /// Takes in a book, evaluates its pairs, and perhaps decides.
    #[inline]
    pub fn on_top(&mut self, now: Now, top: &Top, out: &mut impl Outlet) {
        if top.flags & Top::NO_MARKET != 0 {
            return;
        }
        // Once each, so that the side is a constant below.
        match top.market.venue() {
            Venue::Kalshi => self.on_side::<0>(now, top, out),
            Venue::Polymarket => self.on_side::<1>(now, top, out),
        }
    }

    /// The way of most Tops: no best level moved and no pair deserves a closer look, so nothing is
    /// called and no register saved.
    #[inline(always)]
    fn on_side<const SIDE: usize>(&mut self, now: Now, top: &Top, out: &mut impl Outlet) {
        let index = top.market.index();
        let (Some(stands), Some(head)) =
            (self.tops[SIDE].get_mut(index), self.heads[SIDE].get(index))
        else {
            self.figures.unlisted += 1;
            return;
        };
        if best_moved(stands, top) {
            return self.on_moved::<SIDE>(now, top, out);
        }
        *stands = *top;
        let head = *head;
        if let Some(pair) = self.evaluate::<SIDE>(head) {
            self.attend_from::<SIDE>(now, pair, top.recv, out);
        }
    }

    /// A Top whose best levels or health are not those of the last one.
    #[inline(never)]
    fn on_moved<const SIDE: usize>(&mut self, now: Now, top: &Top, out: &mut impl Outlet) {
        let index = top.market.index();
        let stands = &mut self.tops[SIDE][index];
        let before = stands.health;
        *stands = *top;
        if before != top.health {
            health_changed(before, top, out);
        }
        let head = self.heads[SIDE][index];
        let mut at = head;
        // The number that ends a chain is beyond the last row.
        while let Some(row) = self.rows.get_mut(usize::from(at)) {
            at = row.next[SIDE];
            row.reprice::<SIDE>(top);
        }
        if let Some(pair) = self.evaluate::<SIDE>(head) {
            self.attend_from::<SIDE>(now, pair, top.recv, out);
        }
    }

    /// Evaluates the pairs of a chain up to one that deserves a closer look.
    #[inline(always)]
    fn evaluate<const SIDE: usize>(&mut self, mut at: u16) -> Option<PairId> {
        while let Some(row) = self.rows.get(usize::from(at)) {
            let [yes, no, both] = row.edges;
            let mut look = row.open != 0;
            if row.status & KNOWN == KNOWN {
                self.figures.evaluations += 1;
                let words = [yes, no, both].map(|edge| u64::from(edge as u32));
                self.edge_digest.mix(words[1] << 32 | words[0]);
                self.edge_digest.mix(words[2] << 32 | u64::from(at));
                look |= yes.max(no).max(both) > self.alert;
            }
            if look {
                return Some(PairId(at));
            }
            at = row.next[SIDE];
        }
        None
    }

    /// Looks closer at a pair, and evaluates the rest of its chain.
    #[cold]
    #[inline(never)]
    fn attend_from<const SIDE: usize>(
        &mut self,
        now: Now,
        pair: PairId,
        recv: Ns,
        out: &mut impl Outlet,
    ) {
        let mut next = Some(pair);
        while let Some(pair) = next {
            self.attend(now, pair, SIDE, recv, out);
            let after = self.rows[pair.index()].next[SIDE];
            next = self.evaluate::<SIDE>(after);
        }
    }

    /// What was counted so far.
    pub fn figures(&self) -> Figures {
        Figures {
            best_edge: (self.best > -NEVER / 2).then(|| Usd::new(i64::from(self.best))),
            edge_hash: self.edge_digest.value(),
            decision_hash: self.decision_digest.value(),
            ..self.figures
        }
    }

    /// Candidates of a pair by [`crate::pair::Direction`].
    pub fn candidates_by(&self, pair: PairId) -> [u64; 3] {
        self.states.get(pair.index()).map_or([0; 3], |state| state.candidates)
    }

    /// The pairs.
    pub fn pairs(&self) -> &PairTable {
        &self.table
    }

    /// Gives a pair that joined its names, once nobody is in a hurry any more.
    pub fn name(&mut self, id: PairId, name: &str, event: Option<&str>) {
        self.table.name(id, name, event);
    }

    /// The Top that stands.
    pub fn top(&self, market: MarketId) -> Option<&Top> {
        self.tops[market.venue().index()].get(market.index())
    }

    /// The edges of a pair by [`crate::pair::Direction`], in micro-dollars a contract; `None` where
    /// there is none.
    pub fn edges(&self, pair: PairId) -> [Option<Usd>; 3] {
        let edges = self.rows.get(pair.index()).map_or([-NEVER; 3], |row| row.edges);
        edges.map(|edge| exists(edge).then(|| Usd::new(i64::from(edge))))
    }

    /// Orders whose fate is unknown, and bundles that have not ended, or whose contracts on one
    /// side alone are still being closed.
    pub fn open_orders(&self) -> [u64; 2] {
        let flights = self.states.iter().filter_map(|state| state.flight.as_ref());
        flights.fold([0, self.mending()], |[unknown, open], flight| {
            let doubts = flight.orders().iter().filter(|o| **o == OrderState::Unknown).count();
            [unknown + doubts as u64, open + 1]
        })
    }

    /// Opens nothing more; what is under way goes on, and is closed where it is one-sided.
    pub fn hold(&mut self) {
        self.config.trade = false;
    }

    /// The bundle of a pair that has not ended.
    pub fn flight(&self, pair: PairId) -> Option<&Flight> {
        self.states.get(pair.index())?.flight.as_ref()
    }

    /// A gate can, or can no longer, get orders to its venue. Until told otherwise it can.
    pub fn on_gate(&mut self, venue: Venue, ready: bool) {
        self.gates[venue.index()] = ready;
        self.decision_digest.mix(1 << 63 | (venue as u64) << 1 | u64::from(ready));
    }

    /// True where the gate of that venue can get an order through.
    pub fn is_gate_ready(&self, venue: Venue) -> bool {
        self.gates[venue.index()]
    }

    /// The epoch of the last kill; bundles of an earlier one are void.
    pub fn kill_epoch(&self) -> u32 {
        self.kill_epoch
    }

    /// Voids every bundle that has not left yet and decides nothing more, not even repairs, until a
    /// person arms it.
    pub fn kill(&mut self) {
        self.kill_epoch = self.kill_epoch.wrapping_add(1);
        self.killed = true;
    }

    /// True from a kill, or from a safeguard that asks for a person, until a person arms it.
    pub fn is_killed(&self) -> bool {
        self.killed || self.guard.latched().is_some()
    }

    /// Holds the limits.
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Hears a word that limits depend on.
    #[cold]
    pub fn on_word(&mut self, now: Now, word: Word) {
        self.mix_word(word);
        self.guard.tell(word);
        if word == Word::Arm {
            self.on_arm();
        }
        match word {
            Word::Paid(payout) => {
                self.turn_day(now.wall);
                self.pay_out(&payout);
            }
            Word::Funded { shard, cash } => self.net.fund(shard, cash),
            Word::Shard { market, shard } if market.venue() == Venue::Kalshi => {
                self.net.place(market.index(), shard);
            }
            _ => {}
        }
    }

    /// A gate's safeguard refused an order of this pair.
    #[cold]
    pub fn on_tripped(&mut self, pair: PairId, at: Ns, risk: Risk, out: &mut impl Outlet) {
        self.decision_digest.mix(1 << 62 | u64::from(pair.0) << 8 | risk as u64);
        if risk.latches() {
            self.guard.latch(risk);
        }
        out.event(&Event::RiskTripped { pair, at, risk });
    }

    /// What today came to: what bundles realised, and as lost what only one leg holds.
    pub fn today(&self, wall: Ns) -> DayResult {
        // A copy: the day itself turns with inputs alone, so that a replay turns it as well.
        let mut day = self.day;
        day.result(wall, self.figures.realised, self.inventory)
    }

    /// A day begins before anything of it is booked.
    fn turn_day(&mut self, wall: Ns) {
        self.day.turn(wall, self.figures.realised);
    }
}

/// True where the edges or their standing may differ: most books move below the best levels.
#[inline(always)]
fn best_moved(old: &Top, new: &Top) -> bool {
    let ((old_bid, old_bids), (new_bid, new_bids)) = (old.best_bid_raw(), new.best_bid_raw());
    let ((old_ask, old_asks), (new_ask, new_asks)) = (old.best_ask_raw(), new.best_ask_raw());
    // Joined bit by bit: most of the time all of it is compared, so no branch is worth it.
    let emptied = ((old_bids == 0) != (new_bids == 0)) | ((old_asks == 0) != (new_asks == 0));
    ((old_bid ^ new_bid) | (old_ask ^ new_ask)) != 0 || emptied || old.health != new.health
}

#[cold]
#[inline(never)]
fn health_changed(from: Health, top: &Top, out: &mut impl Outlet) {
    let (market, recv, to) = (top.market, top.recv, top.health);
    out.event(&Event::FeedHealthChanged { market, recv, from, to });
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
