//! What a run came to, in one object and in words.

use std::collections::BTreeMap;
use std::fmt;

use engine::core::{Accounts, Figures};
use engine::latency::StageHistogram;
use engine::units::Usd;
use exec::journal::JournalTile;
use exec::journal::storage::Storage;
use exec::journal::tile::JournalFigures;
use serde::Serialize;

use super::audit::Audit;
use super::story::Story;

/// Percentiles of one latency in nanoseconds; all zero where nothing was measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// Half took no longer.
    pub p50: u64,
    /// Nine of ten took no longer.
    pub p90: u64,
    /// All but one of a hundred.
    pub p99: u64,
    /// All but one of a thousand.
    #[serde(rename = "p99.9")]
    pub p99_9: u64,
    /// The longest.
    pub max: u64,
}

impl Percentiles {
    /// Of a histogram.
    pub fn of(histogram: &StageHistogram) -> Percentiles {
        let all = histogram.raw();
        if all.is_empty() {
            return Percentiles::default();
        }
        Percentiles {
            count: all.len(),
            p50: all.value_at_quantile(0.5),
            p90: all.value_at_quantile(0.9),
            p99: all.value_at_quantile(0.99),
            p99_9: all.value_at_quantile(0.999),
            max: all.max(),
        }
    }
}

/// What the journal wrote, and who waited for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct JournalCost {
    /// Records.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Commits: what gathered while the disk wrote the one before.
    pub commits: u64,
    /// Orders that waited for a commit: they were signed on the spot.
    pub waited: u64,
    /// Records that came after the disk had failed.
    pub lost: u64,
}

impl JournalCost {
    /// Of a journal whose gates let so many orders wait.
    pub fn of<S: Storage>(tile: &JournalTile<S>, waited: u64) -> JournalCost {
        let JournalFigures { records, commits, bytes, dropped } = tile.figures();
        JournalCost { records, bytes, commits, waited, lost: dropped }
    }
}

/// A pair that joined a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct JoinedPair {
    /// Its name.
    pub pair: String,
    /// From its listing to where it could be traded; milliseconds.
    pub after_ms: Option<u64>,
    /// Bundles of it whose legs both filled.
    pub hedged: u64,
}

/// What a run came to. Money in micro-dollars, times in nanoseconds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Summary {
    /// Opportunities: the net edge of one contract was positive.
    pub opportunities: u64,
    /// Those for which a bundle left.
    pub taken: u64,
    /// The others, by reason.
    pub missed: BTreeMap<&'static str, u64>,
    /// Why trading was stopped last, if it was; it may have been armed since.
    pub killed: Option<String>,
    /// Safeguards that stopped something, by name.
    pub risk_trips: BTreeMap<&'static str, u64>,
    /// Bundles decided.
    pub bundles: u64,
    /// Orders that left, or that paper venues took on.
    pub orders: u64,
    /// Legs that filled something.
    pub legs_filled: u64,
    /// Fills at Kalshi and Polymarket.
    pub fills: [u64; 2],
    /// Fees at Kalshi and Polymarket.
    pub fees_micro_usd: [i64; 2],
    /// A dollar a contract that both legs filled, minus costs and all fees.
    pub realised_profit_micro_usd: i64,
    /// Whether the venues' ledgers say what we believe; `None` where nobody could be asked.
    pub ledgers_agree: Option<bool>,
    /// How they differ.
    pub ledger_differences: Vec<String>,
    /// What the contracts paid at Kalshi and Polymarket when the markets settled.
    pub settled_micro_usd: Option<[i64; 2]>,
    /// Contracts that only one leg holds, floored to 0.01.
    pub unhedged_contracts: String,
    /// Contracts that one leg filled and the other did not, bundle by bundle, before repairs.
    pub one_sided_contracts: String,
    /// Orders sent to close them, by kind.
    pub repairs: BTreeMap<&'static str, u64>,
    /// What those gained against what the contracts had cost, after fees; mostly a loss, and part
    /// of the profit.
    pub repair_profit_micro_usd: i64,
    /// Fills that were taken back.
    pub fills_undone: u64,
    /// What was floored away, in 1e-6 contracts.
    pub dust_micro_contracts: u64,
    /// Orders whose fate nobody knows.
    pub unknown_orders: u64,
    /// Bundles that had not ended.
    pub open_bundles: u64,
    /// From a market frame's receipt to the order's bytes handed to the kernel.
    pub wire_to_wire_ns: Percentiles,
    /// Further latencies by name.
    pub stages_ns: BTreeMap<String, Percentiles>,
    /// Requests that were signed ahead, and those that were not.
    pub signed_ahead: [u64; 2],
    /// What each gate counted.
    pub gates: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// What the journal cost; `None` where none was written. Its commits' latency is among
    /// `stages_ns`.
    pub journal: Option<JournalCost>,
    /// Fills and the like that were not told to whoever watches: trading was stopped for it.
    pub facts_lost: u64,
    /// Other events that were not told: the counts of opportunities and safeguards lack them.
    pub events_lost: u64,
    /// Pairs that joined while it lasted.
    pub joined: Vec<JoinedPair>,
    /// Over all bundles, reports and changes of rules.
    pub decision_hash: String,
    /// The tape.
    pub tape: Option<String>,
    /// Records that the recorder had no room for.
    pub tape_dropped: u64,
    /// The report's folder.
    pub report: Option<String>,
}

impl Summary {
    /// Of a run whose venues were asked, or not.
    pub fn new(
        story: &Story,
        figures: &Figures,
        accounts: &Accounts,
        [unknown, open]: [u64; 2],
        audit: Option<&Audit>,
    ) -> Summary {
        Summary {
            opportunities: story.opportunities,
            taken: story.taken,
            missed: story.missed.clone(),
            killed: story.killed.clone(),
            risk_trips: story.trips.clone(),
            bundles: figures.decisions,
            // Paper venues take orders on whose bytes never existed.
            orders: story.orders.max(story.acked),
            legs_filled: story.legs_filled,
            fills: story.fills,
            fees_micro_usd: story.fees.map(Usd::e6),
            realised_profit_micro_usd: accounts.realised.e6(),
            ledgers_agree: audit.map(Audit::agrees),
            ledger_differences: audit.map(|a| a.differences.clone()).unwrap_or_default(),
            settled_micro_usd: None,
            unhedged_contracts: story.unhedged.floor_qty().to_string(),
            one_sided_contracts: story.one_sided.floor_qty().to_string(),
            repairs: story.repairs.clone(),
            repair_profit_micro_usd: figures.repair_profit.e6(),
            fills_undone: story.fills_undone,
            dust_micro_contracts: story.dust.e6(),
            unknown_orders: unknown,
            open_bundles: open,
            wire_to_wire_ns: Percentiles::default(),
            stages_ns: BTreeMap::new(),
            signed_ahead: [0, 0],
            gates: BTreeMap::new(),
            journal: None,
            facts_lost: 0,
            events_lost: 0,
            joined: Vec::new(),
            decision_hash: hash_text(figures.decision_hash),
            tape: None,
            tape_dropped: 0,
            report: None,
        }
    }

    /// One line of JSON.
    pub fn to_json(&self) -> String {
        // Integers, texts and maps of them always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A decision hash as tapes and summaries spell it.
pub fn hash_text(hash: u64) -> String {
    format!("{hash:016x}")
}

/// Nanoseconds for a person.
pub fn time(ns: u64) -> String {
    match ns {
        0..10_000 => format!("{ns} ns"),
        10_000..10_000_000 => format!("{}.{} us", ns / 1_000, ns % 1_000 / 100),
        _ => format!("{}.{} ms", ns / 1_000_000, ns % 1_000_000 / 100_000),
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return write!(f, "nothing measured");
        }
        write!(
            f,
            "p50 {}, p90 {}, p99 {}, p99.9 {}, max {} ({} measured)",
            time(self.p50),
            time(self.p90),
            time(self.p99),
            time(self.p99_9),
            time(self.max),
            self.count
        )
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usd = |e6: i64| Usd::new(e6);
        let missed: u64 = self.missed.values().sum();
        writeln!(
            f,
            "opportunities   {} seen: {} taken, {missed} missed",
            self.opportunities, self.taken
        )?;
        for (reason, count) in &self.missed {
            writeln!(f, "                  {count:>6}  {}", reason_text(reason))?;
        }
        if let Some(reason) = &self.killed {
            writeln!(f, "STOPPED         {reason}")?;
        }
        for (risk, count) in &self.risk_trips {
            writeln!(f, "safeguard       {count} times: {risk}")?;
        }
        writeln!(
            f,
            "orders          {} sent in {} bundles; {} legs filled",
            self.orders, self.bundles, self.legs_filled
        )?;
        writeln!(
            f,
            "fills           {} at Kalshi, {} at Polymarket",
            self.fills[0], self.fills[1]
        )?;
        writeln!(
            f,
            "fees            {} at Kalshi, {} at Polymarket",
            usd(self.fees_micro_usd[0]),
            usd(self.fees_micro_usd[1])
        )?;
        if self.facts_lost + self.events_lost > 0 {
            writeln!(
                f,
                "not told        {} fills, ends and stops, and {} other events found no room",
                self.facts_lost, self.events_lost
            )?;
        }
        for JoinedPair { pair, after_ms, hedged } in &self.joined {
            let after =
                after_ms.map_or(String::new(), |ms| format!(" {ms} ms after it was listed"));
            writeln!(f, "joined          {pair}{after}; {hedged} times both legs filled")?;
        }
        writeln!(f, "profit          {} after fees", usd(self.realised_profit_micro_usd))?;
        writeln!(
            f,
            "not hedged      {} contracts, and {} millionths of one",
            self.unhedged_contracts, self.dust_micro_contracts
        )?;
        let repairs: u64 = self.repairs.values().sum();
        if repairs > 0 {
            writeln!(
                f,
                "repairs         {repairs} orders for {} contracts that one leg filled alone: {}",
                self.one_sided_contracts,
                usd(self.repair_profit_micro_usd)
            )?;
            for (purpose, count) in &self.repairs {
                writeln!(f, "                  {count:>6}  {}", purpose_text(purpose))?;
            }
        }
        if self.fills_undone > 0 {
            writeln!(f, "taken back      {} fills whose trades failed", self.fills_undone)?;
        }
        if self.unknown_orders + self.open_bundles > 0 {
            writeln!(
                f,
                "STILL OPEN      {} orders of unknown fate, {} bundles that have not ended",
                self.unknown_orders, self.open_bundles
            )?;
        }
        match self.ledgers_agree {
            Some(true) => {
                writeln!(f, "ledgers         both venues agree with us to the micro-dollar")?;
            }
            Some(false) => {
                writeln!(f, "LEDGERS DIFFER")?;
                for line in &self.ledger_differences {
                    writeln!(f, "                  {line}")?;
                }
            }
            None => {}
        }
        if let Some([kalshi, polymarket]) = self.settled_micro_usd {
            writeln!(
                f,
                "settled         {} at Kalshi, {} at Polymarket",
                usd(kalshi),
                usd(polymarket)
            )?;
        }
        writeln!(f, "wire to wire    {}", self.wire_to_wire_ns)?;
        for (name, percentiles) in &self.stages_ns {
            writeln!(f, "  {name:<25} {percentiles}")?;
        }
        let [ahead, inline] = self.signed_ahead;
        write!(f, "signed ahead    {ahead} of {} requests", ahead + inline)?;
        for (at, (venue, counts)) in self.gates.iter().enumerate() {
            let of = |name| counts.get(name).copied().unwrap_or(0);
            let (ahead, sent) = (of("signed_ahead"), of("signed_ahead") + of("signed_inline"));
            write!(f, "{} {ahead} of {sent} at {venue}", if at == 0 { ":" } else { "," })?;
        }
        writeln!(f)?;
        if let Some(JournalCost { records, bytes, commits, waited, lost }) = self.journal {
            write!(
                f,
                "journal         {records} records, {bytes} bytes in {commits} commits; {waited} orders waited for one"
            )?;
            match lost {
                0 => writeln!(f)?,
                _ => writeln!(f, "; {lost} RECORDS LOST after the disk failed")?,
            }
        }
        write!(f, "decision hash   {}", self.decision_hash)?;
        if let Some(tape) = &self.tape {
            write!(f, "\ntape            {tape}")?;
            if self.tape_dropped > 0 {
                write!(f, " ({} records found no room: it cannot be repeated)", self.tape_dropped)?;
            }
        }
        if let Some(report) = &self.report {
            write!(f, "\nreport          {report}")?;
        }
        Ok(())
    }
}

/// The kind of a repair in words.
fn purpose_text(purpose: &str) -> &str {
    match purpose {
        "chase" => "bought the counterpart on the other venue",
        "complement" => "bought the counterpart on the same venue",
        "sell_back" => "sold them again",
        other => other,
    }
}

/// A reason in words.
fn reason_text(reason: &str) -> &str {
    match reason {
        "below_minimum" => "earned less than the minimum",
        "too_small" => "too little depth, money or limit for the venues' smallest order",
        "in_flight" => "a bundle of the pair was under way",
        "cooldown" => "the pair rested after a bundle",
        "gate_down" => "a gate could not get an order through",
        "torn" => "the two tokens' books were of different moments",
        "not_tradable" => "the pair may not be traded",
        "off" => "trading was switched off",
        "limit" => "a limit or a safeguard forbade it",
        "unhedged" => "the pair held contracts on one side alone",
        "run_ended" => "still open when the run ended",
        other => other,
    }
}
