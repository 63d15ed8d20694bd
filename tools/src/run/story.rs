//! What happened in a run, folded from its events: for a person who looks, and for the summary.

use std::collections::{BTreeMap, VecDeque};

use engine::event::{
    Action, BundleId, Closed, Decision, Event, Miss, OrderRef, PairChange, Repair, Report,
    ReportKind, Risk, Settled, Wait,
};
use engine::latency::StageHistogram;
use engine::pair::{Outcome, PairTable};
use engine::risk::Payout;
use engine::units::{Ns, Shares, Usd, Venue};

use super::summary::{JoinedPair, Percentiles, time};
use crate::journal::payouts::Told;
use crate::state::switch::Change;

/// Lines kept for the live view.
const LINES_MAX: usize = 64;

/// The story so far.
#[derive(Default)]
pub struct Story {
    /// Opportunities that ended, or were open at the end.
    pub opportunities: u64,
    /// Those of them for which a bundle left.
    pub taken: u64,
    /// The others by reason.
    pub missed: BTreeMap<&'static str, u64>,
    /// Why trading was stopped last, if it was; it may have been armed since.
    pub killed: Option<String>,
    /// What did not work, in words.
    pub troubles: Vec<String>,
    /// Safeguards that stopped something, by name.
    pub trips: BTreeMap<&'static str, u64>,
    /// Orders whose bytes left.
    pub orders: u64,
    /// Orders that a venue, paper or real, has taken on.
    pub acked: u64,
    /// Fills by venue.
    pub fills: [u64; 2],
    /// Legs that filled something.
    pub legs_filled: u64,
    /// Fees paid by venue.
    pub fees: [Usd; 2],
    /// Bundles of which both legs filled.
    pub settled: u64,
    /// The same by the id of their pair: a place may have had others before.
    pub settled_of: BTreeMap<String, u64>,
    /// Bundles of which at most one leg filled.
    pub failed: u64,
    /// Contracts that one leg filled and the other did not, bundle by bundle.
    pub one_sided: Shares,
    /// Contracts that are held on one side alone: known at the end.
    pub unhedged: Shares,
    /// What is held so of pairs that hold less than any order can express.
    pub dust: Shares,
    /// Fills that were taken back.
    pub fills_undone: u64,
    /// Orders sent to close what one leg filled alone, by kind.
    pub repairs: BTreeMap<&'static str, u64>,
    /// From a decision to the order's bytes, as far as reports tell.
    pub to_order: StageHistogram,
    /// From a decision to the venue's answer.
    pub to_answer: StageHistogram,
    /// What went on, newest last.
    pub lines: VecDeque<String>,
    open: u64,
    /// When the last bundle of each pair was decided; monotonic.
    decided: BTreeMap<u16, (BundleId, Ns)>,
}

impl Story {
    /// What became of a pair that joined.
    pub fn joined(&self, pair: &str) -> JoinedPair {
        let hedged = self.settled_of.get(pair).copied();
        JoinedPair { pair: pair.to_owned(), after_ms: None, hedged: hedged.unwrap_or(0) }
    }

    /// Takes in an event.
    pub fn event(&mut self, event: &Event, table: &PairTable) {
        match event {
            Event::OpportunityFound(_) => self.open += 1,
            Event::OpportunityClosed(closed) => self.close(closed),
            Event::ExecuteTrade(decision) => {
                let bundle = &decision.bundle;
                self.decided.insert(bundle.pair.0, (bundle.id, bundle.decided));
                self.explain(event, table);
            }
            Event::OrderSent(order) => {
                self.orders += 1;
                if let Some(since) = self.since(order) {
                    self.to_order.record(since.0);
                }
            }
            Event::OrderAcked(order) => {
                self.acked += 1;
                if let Some(since) = self.since(order) {
                    self.to_answer.record(since.0);
                }
            }
            Event::Fill(report) => self.fill(report, table),
            Event::FillUndone(report) => self.undone(report, table),
            Event::TradeSettled(settled) => {
                self.settled += 1;
                let pair = name(table, settled.pair.index()).to_owned();
                *self.settled_of.entry(pair).or_default() += 1;
                self.end(settled, table);
            }
            Event::TradeFailed(settled) => {
                self.failed += 1;
                self.end(settled, table);
            }
            Event::LegFollows(settled) => {
                self.legs_filled += 1;
                let name = name(table, settled.pair.index());
                self.say(format!(
                    "half  {name}: {} filled, the other leg follows",
                    settled.filled[0]
                ));
            }
            Event::RepairSent(repair) => {
                let bundle = &repair.bundle;
                *self.repairs.entry(bundle.purpose.name()).or_default() += 1;
                self.decided.insert(bundle.pair.0, (bundle.id, bundle.decided));
                self.explain(event, table);
            }
            Event::RepairEnded(repaired) => {
                self.legs_filled += u64::from(repaired.filled != Shares::ZERO);
                let name = name(table, repaired.pair.index());
                let (filled, left, profit) = (repaired.filled, repaired.left, repaired.profit);
                self.say(format!("mend  {name}: closed {filled}, {left} left, {profit}"));
            }
            Event::RepairWaits { .. } => self.explain(event, table),
            Event::OrderUnknown(order) => {
                let name = name(table, order.pair.index());
                self.say(format!("order {}.{} of {name}: unknown", order.bundle.0, order.leg));
            }
            Event::PairChanged { pair, change: PairChange::Refused, .. } => {
                self.say(format!("join  pair {} is not taken in", pair.0));
            }
            Event::RiskTripped { pair, risk, .. } => {
                *self.trips.entry(risk.name()).or_default() += 1;
                let name = name(table, pair.index());
                self.say(format!("stop  {name}: {}", risk_text(*risk)));
            }
            _ => {}
        }
    }

    /// Trading was stopped or armed, or something does not work; the line that says so, where it is
    /// news.
    pub fn changed(&mut self, change: &Change) -> Option<String> {
        let line = match change {
            Change::Killed(reason) => {
                self.killed = Some(reason.clone());
                format!("KILL  {reason}: nothing is sent until `parallax arm`")
            }
            Change::Also(reason) => {
                let before = self.killed.take().map_or(String::new(), |before| before + "; ");
                self.killed = Some(before + reason);
                format!("KILL  {reason}: look at this too before `parallax arm`")
            }
            Change::Armed => "arm   trading goes on".to_owned(),
            Change::Trouble(text) if self.troubles.contains(text) => return None,
            Change::Trouble(text) => {
                self.troubles.push(text.clone());
                format!("note  {text}")
            }
            Change::Told(_) => return None,
        };
        self.say(line.clone());
        Some(line)
    }

    /// A market settled, and its venue paid.
    pub fn paid(&mut self, payout: &Payout, table: &PairTable) {
        let pair = table.pairs_of(payout.market).next().and_then(|id| table.get(id));
        let name = pair.map_or("a market of no pair", |pair| pair.id.as_str());
        self.say(format!("paid  {}", Told(payout, name)));
    }

    /// The run ended with so much held on one side alone, of which no order can express `dust`.
    /// Opportunities that are still open were missed for that reason.
    pub fn finish(&mut self, unhedged: Shares, dust: Shares) {
        (self.unhedged, self.dust) = (unhedged.saturating_sub(dust), dust);
        let open = std::mem::take(&mut self.open);
        if open > 0 {
            self.opportunities += open;
            *self.missed.entry("run_ended").or_default() += open;
        }
    }

    /// Latencies so far, in a line.
    pub fn latency(&self) -> String {
        let of = |all: &StageHistogram| {
            let all = Percentiles::of(all);
            format!("p50 {}, p99 {}", time(all.p50), time(all.p99))
        };
        match self.to_order.is_empty() {
            true => "latency: no order yet".to_owned(),
            false => format!(
                "decision to order {}   decision to answer {}",
                of(&self.to_order),
                of(&self.to_answer)
            ),
        }
    }

    fn since(&self, order: &OrderRef) -> Option<Ns> {
        let (bundle, decided) = self.decided.get(&order.pair.0)?;
        (*bundle == order.bundle).then(|| order.at.since(*decided))
    }

    fn close(&mut self, closed: &Closed) {
        self.open = self.open.saturating_sub(1);
        self.opportunities += 1;
        match closed.missed {
            None => self.taken += 1,
            Some(reason) => *self.missed.entry(Miss::name(reason)).or_default() += 1,
        }
    }

    fn fill(&mut self, report: &Report, table: &PairTable) {
        let ReportKind::Filled { shares, px, cash, fee } = report.kind else { return };
        let venue = report.market.venue();
        self.fills[venue.index()] += 1;
        self.fees[venue.index()] += fee;
        let name = name(table, report.pair.index());
        let (what, outcome) = (way(report.action), report.outcome.name());
        self.say(format!(
            "{what}  {venue:<10} {name} {outcome} {shares} at {px}: {cash}, fee {fee}"
        ));
    }

    fn undone(&mut self, report: &Report, table: &PairTable) {
        let ReportKind::Undone { shares, px, cash, fee } = report.kind else { return };
        let venue = report.market.venue();
        self.fills_undone += 1;
        self.fees[venue.index()] -= fee;
        let (name, outcome) = (name(table, report.pair.index()), report.outcome.name());
        self.say(format!(
            "undo  {venue:<10} {name} {outcome} {shares} at {px}: {cash} and fee {fee} come back"
        ));
    }

    fn end(&mut self, settled: &Settled, table: &PairTable) {
        self.legs_filled += settled.filled.iter().filter(|f| **f != Shares::ZERO).count() as u64;
        let [one, two] = settled.filled;
        self.one_sided += one.saturating_sub(two) + two.saturating_sub(one);
        let name = name(table, settled.pair.index());
        self.say(format!("done  {name}: {} contracts, {}", settled.matched, settled.profit));
    }

    fn explain(&mut self, event: &Event, table: &PairTable) {
        if let Some(line) = explained(event, table) {
            self.say(line);
        }
    }

    fn say(&mut self, line: String) {
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

/// What a fill did, as wide as the other words of a line.
const fn way(action: Action) -> &'static str {
    match action {
        Action::Buy => "fill",
        Action::Sell => "sold",
    }
}

/// A safeguard in words.
pub fn risk_text(risk: Risk) -> &'static str {
    match risk {
        Risk::UnknownOrder => "an order's fate is unknown",
        Risk::StrayReport => "a report for a bundle that is over",
        Risk::IllegalTransition => "a report that contradicts its order",
        Risk::LateFill => "a fill came late, or was taken back",
        Risk::Killed => "trading was stopped",
        Risk::Order => "more than an order may have",
        Risk::Pair => "more than a pair may have at stake",
        Risk::Event => "more than an event may have at stake",
        Risk::Venue => "more than a venue may have at stake",
        Risk::Total => "more than may be at stake in all",
        Risk::Void => "more than a pair may lose where the venues do not resolve alike",
        Risk::Unsettled => "more money out than may be",
        Risk::DayLoss => "as much was lost today as may be",
        Risk::Rate => "too many bundles in a short time",
        Risk::Repeated => "the pair fired again and again: off until `parallax arm`",
        Risk::Errors => "too many errors in a row",
        Risk::Blocked => "a market is on the list of those not to be traded",
        Risk::Clock => "the clock is too far off",
        Risk::BookAge => "a book is too old",
        Risk::Calendar => "a venue pauses",
        Risk::Close => "the market closes, or its game starts",
        Risk::Balance => "too little money is left: off until `parallax arm`",
        Risk::Book => "an order was decided on a book that is not sound: off until `parallax arm`",
        Risk::Collar => "an order would pay more than the books allow",
        Risk::Overfilled => "the venue filled more than the order asked for: look, then arm",
        Risk::Foreign => "an order of this account filled that this engine did not send: look",
        Risk::Identity => {
            "a venue does not know our key: nothing leaves there until it does; look at the key and the clock"
        }
        Risk::Refused => {
            "a venue takes no order of ours, for the account, the key or the funds: look, then arm"
        }
        Risk::Unhedged => "what one leg filled alone is not closed in time: look",
        Risk::Breaker => {
            "the venue stopped our orders because too much filled at once: look, then arm"
        }
    }
}

/// Why an order leaves, or why what lies alone is not closed, in words; `None` for what is neither.
pub fn explained(event: &Event, table: &PairTable) -> Option<String> {
    match event {
        Event::ExecuteTrade(decision) => Some(decided(decision, table)),
        Event::RepairSent(repair) => Some(mending(repair, table)),
        Event::RepairWaits { pair, naked, why, .. } => {
            let name = name(table, pair.index());
            let why = match why {
                Wait::Hold => "held: closing costs more",
                Wait::Dear => "waits: every way out costs too much",
                Wait::NoWay => "waits: no book, gate, money or minimum allows a way out",
            };
            Some(format!("mend  {name}: {naked} on one side alone {why}"))
        }
        _ => None,
    }
}

fn name(table: &PairTable, pair: usize) -> &str {
    table.pairs().get(pair).map_or("?", |pair| pair.id.as_str())
}

fn mending(repair: &Repair, table: &PairTable) -> String {
    let (bundle, leg) = (&repair.bundle, &repair.bundle.legs[0]);
    let way = match leg.action {
        Action::Buy => "buy",
        Action::Sell => "sell",
    };
    let venue = leg.market.venue();
    format!(
        "mend  {}: {} of {} pay on {} alone; {}: {way} {} {venue} {} at {}, worth {} of {}",
        name(table, bundle.pair.index()),
        leg.expected.min(repair.naked),
        repair.naked,
        repair.pays.name(),
        bundle.purpose.name(),
        leg.qty,
        leg.outcome.name(),
        leg.limit,
        repair.value,
        repair.fair,
    )
}

fn decided(decision: &Decision, table: &PairTable) -> String {
    let bundle = &decision.bundle;
    let leg = |leg: &engine::event::Leg| {
        let venue = match leg.market.venue() {
            Venue::Kalshi => "K",
            Venue::Polymarket => "P",
        };
        let outcome = if leg.outcome == Outcome::Yes { "yes" } else { "no" };
        format!("{venue} {outcome} {} at {}", leg.qty, leg.limit)
    };
    format!(
        "send  {}: {} {} {}, to earn {}",
        name(table, bundle.pair.index()),
        leg(&bundle.legs[0]),
        if bundle.count == 2 { "and" } else { "first, then" },
        leg(&bundle.legs[1]),
        decision.profit
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Model, Options};
    use crate::run::spec::RunSpec;
    use engine::pair::PairId;

    #[test]
    fn a_pair_that_joined_counts_its_own_trades_and_not_those_of_who_had_its_place() {
        let model = Model::new(Options::default());
        let spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
        let mut table = spec.setup().unwrap().table;
        let mut story = Story::default();
        let settled = Event::TradeSettled(Settled {
            bundle: BundleId(1),
            pair: PairId(0),
            at: Ns(1),
            filled: [Shares::ZERO; 2],
            matched: Shares::ZERO,
            profit: Usd::ZERO,
            excess: Usd::ZERO,
        });
        table.name(PairId(0), "former", None);
        story.event(&settled, &table);
        story.event(&settled, &table);
        table.name(PairId(0), "later", None);
        story.event(&settled, &table);
        assert_eq!((story.joined("later").hedged, story.joined("former").hedged), (1, 2));
    }
}
