//! Pairs of the store -> the pair table that the engine reads (`*.pairs.toml`, schema 1).

use std::fmt::Write as _;

use engine::pair::{Polarity, Verdict};
use matching::judgement::Judgement;
use matching::payoff::DOLLAR;

use super::moment::rfc3339;
use super::store::{KalshiRow, PairRow, PolymarketRow, Standing, word};
use super::worth::{self, Worth};

/// The smallest marketable order in pUSD (polymarket.md section 5.6); no page states it.
const MIN_NOTIONAL: &str = "1";

/// A pair with everything that the table says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// As it was judged.
    pub row: PairRow,
    /// What may be done with it.
    pub standing: Standing,
    /// Its market on Kalshi.
    pub kalshi: KalshiRow,
    /// Its market on Polymarket.
    pub polymarket: PolymarketRow,
    /// How the outcomes answer each other; `None` where nobody knows.
    pub polarity: Option<Polarity>,
    /// Somebody holds a position in it.
    pub held: bool,
    /// What it would earn, where that is known.
    pub worth: Option<Worth>,
    /// How long Polymarket was found to hold marketable orders there; milliseconds.
    pub delay_ms: u64,
}

/// What the pages did not say, so that the pair cannot trade as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Gaps {
    /// Something stands in, and the verdict is "needs-review".
    pub filled: Vec<&'static str>,
    /// Nothing can stand in: the pair is left out.
    pub fatal: Vec<&'static str>,
}

impl Entry {
    /// What the pages left open.
    pub fn gaps(&self) -> Gaps {
        let (kalshi, polymarket) = (&self.kalshi.market, &self.polymarket.market);
        let mut gaps = Gaps::default();
        if self.polarity.is_none() {
            gaps.fatal.push("nobody knows which outcome answers which");
        }
        if polymarket.tokens.len() != 2 {
            gaps.fatal.push("Polymarket shows no two token ids");
        }
        if kalshi.price_ranges.is_empty() {
            gaps.fatal.push("Kalshi shows no price_ranges");
        }
        if polymarket.tick.is_none() {
            gaps.fatal.push("Polymarket shows no tick");
        }
        if polymarket.min_size.is_none() {
            gaps.fatal.push("Polymarket shows no smallest order");
        }
        if kalshi.exchange_index.is_none() {
            gaps.filled.push("Kalshi's page names no exchange_index: 0 stands in");
        }
        if self.fee_type().is_none() {
            gaps.filled.push("no page names the series' fee_type: \"unknown\" stands in");
        }
        if worth::multiplier_e6(&self.kalshi).is_none() {
            gaps.filled.push("no page names the series' fee_multiplier: \"1\" stands in");
        }
        if worth::rate_e6(&self.polymarket).is_none() {
            gaps.filled.push("Polymarket's page names no fee: the dearest rate stands in");
        }
        gaps
    }

    /// The verdict that the table carries.
    pub fn verdict(&self) -> Verdict {
        match self.standing.verdict {
            Verdict::Blocked => Verdict::Blocked,
            _ if !self.gaps().filled.is_empty() => Verdict::NeedsReview,
            verdict => verdict,
        }
    }

    /// The least that both legs pay together, in ten-thousandths of a dollar, by what was judged.
    fn worst_payoff_e4(&self) -> u16 {
        let judged: Option<Judgement> = serde_json::from_str(&self.row.judgement).ok();
        judged.map_or(0, |judged| judged.payoff.worst.min(DOLLAR))
    }

    /// Why the table carries that verdict.
    pub fn why(&self) -> String {
        let filled = self.gaps().filled;
        match filled.is_empty() || self.standing.verdict == Verdict::Blocked {
            true => self.standing.why.clone(),
            false => format!("{}; without that: {}", filled.join("; "), self.standing.why),
        }
    }

    fn fee_type(&self) -> Option<&str> {
        let event = self.kalshi.event.as_ref().and_then(|event| event.fee_type_override.as_deref());
        let series = self.kalshi.series.as_ref().map(|series| series.fee_type.as_str());
        event.or(series).filter(|name| is_name(name))
    }
}

/// The table of these pairs, in their order, and the ids of those that it cannot hold.
pub fn toml(entries: &[Entry], head: &str) -> (String, Vec<(String, Gaps)>) {
    let mut text = String::new();
    for line in head.lines() {
        let _ = writeln!(text, "# {line}"); // Writing to a string cannot fail.
    }
    text.push_str("schema = 1\n");
    let mut left_out = Vec::new();
    for entry in entries {
        let gaps = entry.gaps();
        match (&entry.polarity, gaps.fatal.is_empty()) {
            (Some(polarity), true) => push(&mut text, entry, *polarity, &gaps),
            _ => left_out.push((entry.row.id.clone(), gaps)),
        }
    }
    (text, left_out)
}

fn push(text: &mut String, entry: &Entry, polarity: Polarity, gaps: &Gaps) {
    let (kalshi, polymarket) = (&entry.kalshi.market, &entry.polymarket.market);
    // Tokens are there, or the entry was left out.
    let [yes, no] = polymarket.tokens.as_slice() else { return };
    text.push('\n');
    for gap in &gaps.filled {
        let _ = writeln!(text, "# {gap}");
    }
    if entry.held {
        text.push_str("# A position is open in it: it stays whatever becomes of its markets.\n");
    }
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key} = {value}");
    };
    line("[[pair]]\nid", &quoted(&entry.row.id));
    line("polarity", if polarity == Polarity::Same { "\"same\"" } else { "\"inverted\"" });
    if is_name(&kalshi.event) {
        line("event", &quoted(&kalshi.event.to_lowercase()));
    }
    line("verdict", &quoted(word(entry.verdict())));
    if let Some(at) = worth::resolution(&entry.kalshi, &entry.polymarket) {
        line("expected_resolution", &quoted(&rfc3339(at)));
    }
    line("worst_payoff", &quoted(&decimal_e6(i64::from(entry.worst_payoff_e4()) * 100)));
    line("\n[pair.kalshi]\nticker", &quoted(&kalshi.ticker));
    line("event", &quoted(&kalshi.event));
    let bands = kalshi.price_ranges.iter().map(|[start, end, step]| {
        let [start, end, step] = [start, end, step].map(|text| quoted(text));
        format!("{{ start = {start}, end = {end}, step = {step} }}")
    });
    line("grid", &format!("[{}]", bands.collect::<Vec<_>>().join(", ")));
    line("fee_type", &quoted(entry.fee_type().unwrap_or("unknown")));
    let multiplier = worth::multiplier_e6(&entry.kalshi).unwrap_or(1_000_000);
    line("fee_multiplier", &quoted(&decimal_e6(multiplier)));
    line("exchange_index", &kalshi.exchange_index.unwrap_or(0).to_string());
    if let Some(at) = kalshi.close_time {
        line("close_time", &quoted(&rfc3339(at)));
    }
    line("\n[pair.polymarket]\ncondition_id", &quoted(&polymarket.condition_id));
    line("yes", &quoted(yes));
    line("no", &quoted(no));
    line("tick", &quoted(polymarket.tick.as_deref().unwrap_or_default()));
    line("min_size", &quoted(polymarket.min_size.as_deref().unwrap_or_default()));
    line("min_notional", &quoted(MIN_NOTIONAL));
    line(
        "fee_rate",
        &quoted(&decimal_e6(worth::rate_e6(&entry.polymarket).unwrap_or(RATE_E6_MAX))),
    );
    let exponent = polymarket.fee_exponent.filter(|exponent| (1..=2).contains(exponent));
    line("fee_exponent", &exponent.unwrap_or(1).to_string());
    line("neg_risk", if polymarket.neg_risk { "true" } else { "false" });
    line("version", if polymarket.is_v2 { "\"v2\"" } else { "\"v1\"" });
    let told = polymarket.seconds_delay.unwrap_or(0).saturating_mul(1_000);
    let delay_ms = told.max(entry.delay_ms).min(600_000);
    line("taker_delay_ms", &delay_ms.to_string());
    let start = polymarket.game_start.or_else(|| entry.polymarket.event.as_ref()?.start_time);
    if let Some(at) = start {
        line("game_start", &quoted(&rfc3339(at)));
    }
}

/// The dearest rate of any category (polymarket.md section 6), in millionths.
const RATE_E6_MAX: i64 = 70_000;

/// A text as TOML spells it; JSON's escapes are among TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// True for what the pair file takes as a name.
fn is_name(text: &str) -> bool {
    let of_name = |b: u8| b.is_ascii_alphanumeric() || b"-._:/+=#@".contains(&b);
    !text.is_empty() && text.bytes().all(of_name)
}

/// The shortest decimal of millionths.
fn decimal_e6(e6: i64) -> String {
    let text = format!("{}.{:06}", e6 / 1_000_000, e6 % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
