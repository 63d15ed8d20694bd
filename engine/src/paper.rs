//! Trading on paper: bundles fill against the books that stand when their orders take effect.

use crate::core::{Core, CoreConfig, Outlet};
use crate::event::{Action, Bundle, Control, Event, Grounds, Leg, Reject, Report, ReportKind};
use crate::fee::{FillFees, bought_for, cost_of};
use crate::inject::{Injection, Injector};
use crate::overlay::Overlay;
use crate::pair::{FeeRule, Listing, Outcome, PairTable};
use crate::risk::day::DayResult;
use crate::risk::limits::RiskLimits;
use crate::tile::Now;
use crate::top::{Health, MARKETS_MAX, TOP_LEVELS, Top};
use crate::units::{Ns, Px, Qty, Shares, Usd};

/// Reports that one order can cause: taken on, a fill a level, ended.
pub const REPORTS_MAX: usize = TOP_LEVELS + 2;

/// How the paper venues behave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaperConfig {
    /// From the decision until the order takes effect at the first and the second venue. An order
    /// that takes longer than its bundle's deadline allows expires. A venue's own taker delay
    /// comes on top and does not count towards the deadline.
    pub latency: [Ns; 2],
    /// The account's balance grid at the first venue.
    pub balance_grid: Usd,
}

/// The reports of one order, in order.
#[derive(Clone, Copy, Debug)]
pub struct Reports {
    list: [Report; REPORTS_MAX],
    len: usize,
}

impl Reports {
    fn push(&mut self, kind: ReportKind) {
        self.list[self.len].kind = kind;
        self.len += 1;
    }

    /// The reports.
    pub fn as_slice(&self) -> &[Report] {
        &self.list[..self.len]
    }
}

/// An order on its way.
#[derive(Clone, Copy, Debug)]
pub struct PaperOrder {
    bundle: Bundle,
    leg: u8,
    due: Ns,
    expired: bool,
    /// Orders of one instant take effect as they were sent.
    sequence: u64,
}

impl PaperOrder {
    /// When it takes effect; monotonic.
    pub const fn due(&self) -> Ns {
        self.due
    }

    /// What it asks for.
    pub const fn order(&self) -> &Leg {
        &self.bundle.legs[self.leg as usize]
    }
}

/// The paper venues.
pub struct Paper {
    config: PaperConfig,
    /// Fee and taker delay by pair and side.
    terms: Box<[[(FeeRule, Ns); 2]]>,
    pending: Vec<PaperOrder>,
    next_due: Ns,
    sequence: u64,
    overlay: Overlay,
}

const NEVER: Ns = Ns(u64::MAX);

impl Paper {
    /// Paper venues for these pairs.
    pub fn new(table: &PairTable, config: PaperConfig) -> Paper {
        let terms = table.pairs().iter().map(|pair| pair.sides.map(|s| (s.fee, s.taker_delay)));
        let markets = [0, 1].map(|side| table.markets(side).min(MARKETS_MAX));
        let vacant = core::iter::repeat((FeeRule::Unknown, Ns(0))).map(|side| [side; 2]);
        Paper {
            config,
            terms: terms.chain(vacant).take(table.slots()).collect(),
            // The core has one bundle a pair in flight.
            pending: Vec::with_capacity(2 * table.slots()),
            next_due: NEVER,
            sequence: 0,
            overlay: Overlay::new(markets),
        }
    }

    /// Takes on the orders of a bundle.
    ///
    /// Panics where more than one bundle a pair is in flight: the core's promise is broken.
    pub fn bundle(&mut self, bundle: &Bundle) {
        for (number, leg) in bundle.orders().iter().enumerate() {
            assert!(self.pending.len() < self.pending.capacity(), "one bundle a pair at a time");
            let venue = leg.market.venue().index();
            let taken_on = bundle.decided.after(self.config.latency[venue]);
            let expired = taken_on > bundle.deadline;
            let delay = self.terms[bundle.pair.index()][venue].1;
            let due = if expired { bundle.deadline } else { taken_on.after(delay) };
            let sequence = self.sequence;
            self.sequence += 1;
            let order = PaperOrder { bundle: *bundle, leg: number as u8, due, expired, sequence };
            self.pending.push(order);
            self.next_due = self.next_due.min(due);
        }
    }

    /// When the next order takes effect.
    pub fn next_due(&self) -> Option<Ns> {
        (self.next_due != NEVER).then_some(self.next_due)
    }

    /// The next order that takes effect at `until` or before.
    #[inline]
    pub fn take_due(&mut self, until: Ns) -> Option<PaperOrder> {
        if self.next_due > until { None } else { self.take_next() }
    }

    #[cold]
    fn take_next(&mut self) -> Option<PaperOrder> {
        let by_time = |o: &PaperOrder| (o.due, o.sequence);
        let (at, _) = self.pending.iter().enumerate().min_by_key(|(_, o)| by_time(o))?;
        let order = self.pending.swap_remove(at);
        self.next_due = self.pending.iter().map(|o| o.due).min().unwrap_or(NEVER);
        Some(order)
    }

    /// Takes in a book before the core does.
    #[inline]
    pub fn on_top(&mut self, top: &Top) {
        self.overlay.on_top(top);
    }

    /// Charges another fee from now on, for orders on their way too.
    #[cold]
    pub fn on_control(&mut self, table: &PairTable, control: &Control) {
        let (market, fee) = match *control {
            Control::Fee { market, fee } => (market, fee),
            Control::Join(listing) => return self.list(table, &listing),
            Control::Vacate { market, .. } => {
                // What was bought there is history with the last of its pairs.
                if table.pairs_of(market).next().is_none() {
                    self.overlay.forget(market);
                }
                return;
            }
            Control::Retire(_)
            | Control::Grid { .. }
            | Control::Close { .. }
            | Control::EndOfFrame => return,
        };
        let side = market.venue().index();
        for id in table.pairs_of(market) {
            let own = table.pairs()[id.index()].sides[side].fee;
            self.terms[id.index()][side].0 = fee.unwrap_or(own);
        }
    }

    /// A pair joins: what is in force for its markets holds for it too.
    fn list(&mut self, table: &PairTable, listing: &Listing) {
        let own = listing.sides.map(|it| {
            let known = table.pairs_of(it.market).next();
            let side = it.market.venue().index();
            known.map_or((it.fee, it.taker_delay), |id| self.terms[id.index()][side])
        });
        if let Some(terms) = self.terms.get_mut(listing.pair.index()) {
            *terms = own;
        }
    }

    /// The book without what paper orders have bought.
    #[must_use]
    pub fn adjusted(&self, top: &Top) -> Top {
        self.overlay.adjusted(top)
    }

    /// Lets an order take effect against the book that stands. Nothing of it rests.
    ///
    /// A book that is not sound fills nothing, nor does a venue whose fee is not known: what it
    /// would fill or charge is not known, and a fill that never was would flatter.
    pub fn execute(&mut self, order: &PaperOrder, top: &Top) -> Reports {
        let (leg, bundle) = (*order.order(), &order.bundle);
        let blank = Report {
            bundle: bundle.id,
            pair: bundle.pair,
            leg: order.leg,
            market: leg.market,
            outcome: leg.outcome,
            action: leg.action,
            at: order.due,
            kind: ReportKind::Acked,
        };
        let mut reports = Reports { list: [blank; REPORTS_MAX], len: 0 };
        if order.expired {
            reports.push(ReportKind::Rejected(Reject::Expired));
            return reports;
        }
        reports.push(ReportKind::Acked);
        let rule = self.terms[bundle.pair.index()][leg.market.venue().index()].0;
        if top.health != Health::Sound || !rule.is_known() {
            reports.push(ReportKind::Cancelled);
            return reports;
        }
        let mut fees = FillFees::new(rule, self.config.balance_grid);
        let standing = self.adjusted(top);
        // A sale meets those who would sell the other outcome: it takes from their side.
        let (taken, sells) = match leg.action {
            Action::Buy => (leg.outcome, false),
            Action::Sell => (leg.outcome.opposite(), true),
        };
        let levels = match taken {
            Outcome::Yes => standing.asks(),
            Outcome::No => standing.bids().mirrored(),
        };
        let own = |px: Px| if sells { px.complement() } else { px };
        let within = |px: Px| if sells { px >= leg.limit } else { px <= leg.limit };
        let (mut money, mut size) = (leg.budget, Shares::from(leg.qty));
        for (level, qty) in levels.iter().take_while(|(px, _)| within(own(*px))) {
            let px = own(level);
            let want = if leg.spends { bought_for(money, px) } else { size };
            let shares = want.min(Shares::from(qty));
            if shares == Shares::ZERO {
                break;
            }
            let cash = cost_of(shares, px);
            let fee = fees.buy(shares, px, cash);
            money -= cash;
            size = size.saturating_sub(shares);
            self.overlay.take(top, taken, level, shares);
            reports.push(ReportKind::Filled { shares, px, cash, fee });
        }
        // Of an amount, a rest that buys less than any order can express is no rest.
        let rest = if leg.spends { bought_for(money, leg.limit) } else { size };
        let is_done = rest.floor_qty() == Qty::ZERO;
        reports.push(if is_done { ReportKind::Done } else { ReportKind::Cancelled });
        reports
    }
}

/// The core with paper venues behind it: what a replay drives.
pub struct PaperCore {
    core: Core,
    paper: Paper,
    injector: Injector,
}

/// Shows the core the books less what was bought, and keeps its bundles.
struct PaperOutlet<'a, O> {
    paper: &'a mut Paper,
    out: &'a mut O,
}

impl<O: Outlet> Outlet for PaperOutlet<'_, O> {
    fn bundle(&mut self, bundle: &Bundle, grounds: &Grounds) {
        self.paper.bundle(bundle);
        self.out.bundle(bundle, grounds);
    }

    fn event(&mut self, event: &Event) {
        self.out.event(event);
    }

    fn standing(&self, top: &Top) -> Top {
        self.paper.adjusted(top)
    }
}

impl PaperCore {
    /// A core over these pairs with paper venues that answer after `latency`. `markets` as for
    /// [`Core::new`].
    pub fn new(
        table: PairTable,
        markets: [usize; 2],
        config: CoreConfig,
        latency: [Ns; 2],
    ) -> PaperCore {
        let balance_grid = config.balance_grid;
        let paper = Paper::new(&table, PaperConfig { latency, balance_grid });
        let core = Core::new(table, markets, config);
        PaperCore { core, paper, injector: Injector::default() }
    }

    /// With these limits, as [`Core::with_limits`].
    #[must_use]
    pub fn with_limits(self, limits: &RiskLimits, today: DayResult) -> PaperCore {
        PaperCore { core: self.core.with_limits(limits, today), ..self }
    }

    /// Takes in a book. Orders that take effect up to this instant meet the books before it.
    #[inline]
    pub fn on_top(&mut self, now: Now, top: &Top, out: &mut impl Outlet) {
        self.advance(now, out);
        self.paper.on_top(top);
        self.core.on_top(now, top, &mut PaperOutlet { paper: &mut self.paper, out });
    }

    /// The same where a test arbitrage may have been asked for.
    #[inline]
    pub fn on_shown(&mut self, now: Now, top: &Top, out: &mut impl Outlet) {
        if !self.injector.is_busy() {
            return self.on_top(now, top, out);
        }
        let shown = self.injector.show(*top);
        self.on_top(now, &shown, out);
        if let Some(top) = self.injector.turn(now, &self.core) {
            self.on_top(now, &top, out);
        }
    }

    /// Asks for a test arbitrage: it opens with the next book at which the pair's books allow it.
    pub fn inject(&mut self, injection: Injection) {
        self.injector.want(injection);
    }

    /// True where one was opened.
    pub fn has_injected(&self) -> bool {
        self.injector.has_opened()
    }

    /// Takes in a change of rules. Orders that take effect up to this instant meet those before.
    pub fn on_control(&mut self, now: Now, control: &Control, out: &mut impl Outlet) {
        self.advance(now, out);
        self.paper.on_control(self.core.pairs(), control);
        self.core.on_control(now, control, &mut PaperOutlet { paper: &mut self.paper, out });
    }

    /// Lets the orders that are due by now take effect, and the core see to what it waits for.
    #[inline]
    pub fn advance(&mut self, now: Now, out: &mut impl Outlet) {
        self.run_until(now, out);
        if self.core.next_due().is_some_and(|due| due <= now.mono) {
            self.core.on_timer(now, &mut PaperOutlet { paper: &mut self.paper, out });
        }
    }

    /// Lets every order on its way take effect, at the end of the input.
    pub fn drain(&mut self, out: &mut impl Outlet) {
        self.run_until(Now::at(NEVER), out);
    }

    #[inline]
    fn run_until(&mut self, until: Now, out: &mut impl Outlet) {
        while let Some(order) = self.paper.take_due(until.mono) {
            self.run(until, &order, out);
        }
    }

    #[cold]
    fn run(&mut self, until: Now, order: &PaperOrder, out: &mut impl Outlet) {
        let market = order.order().market;
        let unknown = Top::unknown(market);
        let top = *self.core.top(market).unwrap_or(&unknown);
        for report in self.paper.execute(order, &top).as_slice() {
            let out = &mut PaperOutlet { paper: &mut self.paper, out };
            // The day of a fill is that of its moment, which is this long ago.
            let ago = until.mono.since(report.at);
            let now = Now { mono: report.at, wall: Ns(until.wall.since(ago).0) };
            self.core.on_report(now, report, out);
        }
    }

    /// The core.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The core, to be told what is no input of the venues.
    pub fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    /// When the next order takes effect, or the core sees to something, though no book moves.
    pub fn next_due(&self) -> Option<Ns> {
        self.paper.next_due().into_iter().chain(self.core.next_due()).min()
    }
}

#[cfg(test)]
#[path = "paper_tests.rs"]
mod tests;
