//! Contracts that one leg filled alone, in an account of our own that is made from what the engine
//! was told: how much money is at risk on them, and for how long nobody looks after them.

use engine::event::{Action, Bundle, BundleId, Event, Purpose, Repair, Report, ReportKind};
use engine::event::{Risk, Wait};
use engine::pair::{Outcome, PairId, Polarity};
use engine::units::{Ns, Shares, Usd, Venue};

use super::checks::Violation;
use crate::pairs::PairFile;

/// What no order of either venue can say, in 1e-6 contracts: anything below this is dust.
pub const DUST_E6: i64 = 10_000;
/// Once everything works, contracts lie alone for no longer than this, or somebody is told.
const CLOSED_WITHIN: Ns = Ns::from_ms(5_000);

/// Contracts, and what they cost without fees: micro-contracts and micro-dollars.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Pool {
    e6: i64,
    cost: i64,
}

impl Pool {
    /// Takes out at most `e6` contracts, at their part of the cost, rounded up.
    fn take(&mut self, e6: i64) -> Pool {
        let e6 = e6.min(self.e6);
        if e6 <= 0 {
            return Pool::default();
        }
        let all = i128::from(self.e6);
        let cost = (i128::from(self.cost) * i128::from(e6) + all - 1).div_euclid(all);
        let out = Pool { e6, cost: i64::try_from(cost).unwrap_or(i64::MAX) };
        self.e6 -= out.e6;
        self.cost -= out.cost;
        out
    }

    fn add(&mut self, e6: i64, cost: i64) {
        self.e6 += e6;
        self.cost += cost;
    }
}

/// A bundle under way: with which outcome each leg pays, and what it may still cost.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    id: BundleId,
    opens: bool,
    legs: [(usize, i64); 2],
}

/// One pair.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// What is alone, by the outcome of the event with which it pays.
    open: [Pool; 2],
    /// What came to be alone though nobody decided it; see [`Naked`].
    beyond: i64,
    under_way: Option<UnderWay>,
    /// Since when more than dust has been alone.
    since: Option<Ns>,
    /// Somebody was told of it.
    told: bool,
    /// Its markets have settled: it pays what it pays.
    over: bool,
}

impl Row {
    fn alone_e6(&self) -> i64 {
        (self.open[0].e6 - self.open[1].e6).abs()
    }

    /// The most that can be lost: on what lies alone, dust aside, and on what the legs under way may add to it
    /// where the other leg fills nothing more.
    fn at_risk(&self) -> i64 {
        let of = |side: usize| {
            let flying = self.under_way.iter().filter(|it| it.opens).flat_map(|it| it.legs);
            let own = flying.filter(|(pays, _)| *pays == side).map(|(_, left)| left);
            let alone = if self.alone_e6() < DUST_E6 { 0 } else { self.open[side].cost };
            alone + own.max().unwrap_or(0)
        };
        of(0).max(of(1))
    }

    /// A dollar each is the most that contracts can cost of which nobody knows what they did.
    fn reopen(&mut self, side: usize, e6: i64) {
        self.open[side].add(e6, e6);
        self.beyond += e6;
    }

    /// What a fill, or the end of one, adds to one side and takes from the other.
    fn fill(&mut self, report: &Report, pays: usize, shares: Shares, cash: Usd, fee: Usd) {
        let e6 = i64::try_from(shares.e6()).unwrap_or(i64::MAX);
        let leg = usize::from(report.leg);
        let own = self.under_way.as_mut().filter(|it| it.id == report.bundle && leg < 2);
        let opens = own.as_ref().map(|it| it.opens);
        if report.action == Action::Sell {
            let rest = e6 - self.open[pays].take(e6).e6;
            return self.reopen(1 - pays, rest);
        }
        // More than an order may cost, or what comes after its end, is the venue's doing.
        match own {
            Some(it) => {
                let left = &mut it.legs[leg].1;
                *left -= (cash + fee).e6();
                self.beyond -= (*left).min(0);
                *left = (*left).max(0);
            }
            None => self.beyond += (cash + fee).e6(),
        }
        let rest = e6 - self.open[1 - pays].take(e6).e6;
        let part = i128::from(cash.e6()) * i128::from(rest) / i128::from(e6.max(1));
        let part = i64::try_from(part).unwrap_or(i64::MAX);
        self.open[pays].add(rest, part);
        // For an amount a better price buys more than there was to close.
        if opens == Some(false) {
            self.beyond += part;
        }
    }

    fn undo(&mut self, report: &Report, pays: usize, shares: Shares) {
        let e6 = i64::try_from(shares.e6()).unwrap_or(i64::MAX);
        // A purchase that never was leaves its counterpart alone; a sale that never was, itself.
        let side = if report.action == Action::Buy { pays } else { 1 - pays };
        let rest = e6 - self.open[side].take(e6).e6;
        self.reopen(1 - side, rest);
    }

    /// Where next to nothing is alone any more, it begins anew.
    fn rest(&mut self) {
        if self.alone_e6() < DUST_E6 {
            (self.since, self.told) = (None, false);
            self.beyond = if self.under_way.is_none() { 0 } else { self.beyond };
        }
    }
}

/// What is held on one side alone, pair by pair, and the bound of it.
///
/// At every event this holds for each pair: what lies alone cost, and each leg of a bundle under way
/// may still cost on top, no more than `naked_max` and what came to be alone though nobody decided
/// it: fills that were taken back (a dollar a contract), fills beyond what an order asked for or
/// after its end, and what a repair that spends an amount got at a better price.
pub struct Naked {
    polarities: Vec<Polarity>,
    most: i64,
    rows: Vec<Row>,
    /// Engines that began.
    pub processes: i64,
    /// How many checks were made.
    pub count: u64,
}

type Held = Result<(), Violation>;

fn broken(detail: String) -> Held {
    Err(Violation { invariant: "naked", detail })
}

impl Naked {
    /// Of a run over these pairs that puts at most so much at risk in one event.
    pub fn new(file: &PairFile, most: Usd) -> Naked {
        let polarities: Vec<Polarity> = file.pairs.iter().map(|spec| spec.polarity).collect();
        let rows = vec![Row::default(); polarities.len()];
        Naked { polarities, most: most.e6(), rows, processes: 0, count: 0 }
    }

    /// An engine begins that has so much of each pair to close, by the outcome of the event with
    /// which it pays: it was paid for before.
    pub fn begin(&mut self, alone: impl Fn(PairId) -> (Outcome, Shares)) {
        self.processes += 1;
        for (at, row) in self.rows.iter_mut().enumerate() {
            let (pays, shares) = alone(PairId(at as u16));
            *row = Row { over: row.over, ..Row::default() };
            row.open[pays as usize].e6 = i64::try_from(shares.e6()).unwrap_or(i64::MAX);
        }
    }

    /// The markets of a pair settle: nothing of it can be closed any more.
    pub fn settle(&mut self, pair: PairId) {
        if let Some(row) = self.rows.get_mut(pair.index()) {
            *row = Row { over: true, ..Row::default() };
        }
    }

    fn pays(&self, pair: PairId, venue: Venue, outcome: Outcome) -> usize {
        let inverted = self.polarities.get(pair.index()) == Some(&Polarity::Inverted);
        let turned = inverted && venue == Venue::Polymarket;
        (if turned { outcome.opposite() } else { outcome }) as usize
    }

    /// Something happened in the core.
    ///
    /// # Errors
    /// Where more is at risk than may be, or something is opened beside what lies alone.
    pub fn event(&mut self, event: &Event) -> Held {
        match event {
            Event::ExecuteTrade(decision) => self.decided(&decision.bundle),
            Event::RepairSent(repair) => self.repairs(repair),
            Event::Fill(report) | Event::FillUndone(report) => self.filled(report),
            Event::TradeSettled(end) | Event::TradeFailed(end) | Event::LegFollows(end) => {
                self.ended(end.pair, end.bundle);
                Ok(())
            }
            Event::RepairEnded(end) => {
                self.ended(end.pair, end.bundle);
                Ok(())
            }
            Event::RiskTripped { pair, risk: Risk::Unhedged | Risk::UnknownOrder, .. }
            | Event::RepairWaits { pair, why: Wait::Hold, .. } => {
                if let Some(row) = self.rows.get_mut(pair.index()) {
                    row.told = true;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn decided(&mut self, bundle: &Bundle) -> Held {
        let alone = self.rows.get(bundle.pair.index()).map_or(0, Row::alone_e6);
        if alone >= DUST_E6 {
            return broken(format!(
                "pair {}: a bundle was decided while {alone} micro-contracts lie alone",
                bundle.pair.0
            ));
        }
        self.fly(bundle);
        self.within(bundle.pair)
    }

    /// A repair closes no more than there is.
    fn repairs(&mut self, repair: &Repair) -> Held {
        let bundle = &repair.bundle;
        let alone = self.rows.get(bundle.pair.index()).map_or(0, Row::alone_e6);
        let wants = i64::try_from(Shares::from(bundle.legs[0].qty).e6()).unwrap_or(i64::MAX);
        self.count += 1;
        if wants > alone {
            return broken(format!(
                "pair {}: a repair of {wants} micro-contracts, and {alone} lie alone",
                bundle.pair.0
            ));
        }
        self.fly(bundle);
        Ok(())
    }

    fn fly(&mut self, bundle: &Bundle) {
        let mut legs = [(0, 0); 2];
        for (to, leg) in legs.iter_mut().zip(bundle.orders()) {
            *to = (self.pays(bundle.pair, leg.market.venue(), leg.outcome), leg.reserve.e6());
        }
        let opens = bundle.purpose == Purpose::Open;
        if let Some(row) = self.rows.get_mut(bundle.pair.index()) {
            row.under_way = Some(UnderWay { id: bundle.id, opens, legs });
        }
    }

    fn filled(&mut self, report: &Report) -> Held {
        let pays = self.pays(report.pair, report.market.venue(), report.outcome);
        let Some(row) = self.rows.get_mut(report.pair.index()) else { return Ok(()) };
        match report.kind {
            ReportKind::Filled { shares, cash, fee, .. } => {
                row.fill(report, pays, shares, cash, fee);
            }
            ReportKind::Undone { shares, .. } => row.undo(report, pays, shares),
            _ => {}
        }
        row.rest();
        self.within(report.pair)
    }

    fn ended(&mut self, pair: PairId, bundle: BundleId) {
        let Some(row) = self.rows.get_mut(pair.index()) else { return };
        if row.under_way.is_some_and(|it| it.id == bundle) {
            row.under_way = None;
        }
        row.rest();
    }

    fn within(&mut self, pair: PairId) -> Held {
        self.count += 1;
        let Some(row) = self.rows.get(pair.index()).filter(|row| !row.over) else { return Ok(()) };
        match row.at_risk() > self.most.saturating_add(row.beyond) {
            true => broken(format!(
                "pair {}: {} micro-dollars are at risk on one side, {} may be: {row:?}",
                pair.0,
                row.at_risk(),
                self.most.saturating_add(row.beyond)
            )),
            false => Ok(()),
        }
    }

    /// The tiles have come to rest. Since `works` nothing has been wrong, and an engine runs that no
    /// latch stops; `None` where that is not so.
    ///
    /// # Errors
    /// Where something has been alone for long since, and nobody was told.
    pub fn look(&mut self, now: Ns, works: Option<Ns>) -> Held {
        for (at, row) in self.rows.iter_mut().enumerate() {
            row.rest();
            if row.over || row.alone_e6() < DUST_E6 {
                continue;
            }
            let since = *row.since.get_or_insert(now);
            self.count += 1;
            let Some(works) = works else { continue };
            if !row.told && now.since(since.max(works)) > CLOSED_WITHIN {
                return broken(format!(
                    "pair {at}: {} micro-contracts have been alone for {} ms, {} of them with everything at work, and nobody was told: {row:?}",
                    row.alone_e6(),
                    now.since(since).0 / 1_000_000,
                    now.since(since.max(works)).0 / 1_000_000,
                ));
            }
        }
        Ok(())
    }

    /// True where something lies alone of which somebody was told: such a pair opens nothing.
    pub fn is_told(&self, pair: PairId) -> bool {
        self.rows.get(pair.index()).is_some_and(|row| row.told && row.alone_e6() >= DUST_E6)
    }
}

#[cfg(test)]
#[path = "naked_tests.rs"]
mod tests;
