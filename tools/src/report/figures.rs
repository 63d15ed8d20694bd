//! Which numbers of a run's summary matter to a reader, and what each means in plain words.

use serde_json::Value;

use super::RunReport;

/// A headline number with its meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figure {
    /// Short name.
    pub label: &'static str,
    /// The number, formatted for people.
    pub value: String,
    /// One sentence for somebody who sees it for the first time.
    pub meaning: &'static str,
}

/// A number that should be zero, or that says why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Health {
    /// Short name.
    pub label: &'static str,
    /// The count over both venues.
    pub count: i64,
    /// True where the count is nothing to look into.
    pub good: bool,
    /// What the count means.
    pub meaning: &'static str,
}

/// The headline numbers that the summary has, from input to profit.
pub fn headlines(report: &RunReport) -> Vec<Figure> {
    let summary = &report.summary;
    let count = |key: &str| whole(summary, key).map(grouped);
    let figure =
        |label, value: Option<String>, meaning| value.map(|value| Figure { label, value, meaning });
    [
        figure("Frames", count("frames"), "messages the venues sent, as recorded on the tape"),
        figure(
            "Book changes",
            over_venues(summary, "book_messages").map(grouped),
            "messages that changed an order book",
        ),
        figure(
            "Evaluations",
            count("evaluations"),
            "times a pair of markets was priced on both venues after a change",
        ),
        figure(
            "Candidates",
            count("candidates"),
            "evaluated directions in which buying both sides cost less than the dollar it pays, after fees",
        ),
        figure(
            "Decisions",
            count("decisions"),
            "candidates acted on: large enough, within limits, and not already taken",
        ),
        figure(
            "Fills",
            count("fills"),
            "one for each order and price level at which it found the other side, in the paper market",
        ),
        figure(
            "Realised profit",
            whole(summary, "realised_profit_micro_usd").map(dollars),
            "what the filled pairs earn when they settle, after all fees, those of unhedged fills too",
        ),
        figure(
            "Unhedged",
            whole(summary, "unhedged_micro_usd").map(dollars),
            "cost of contracts that one leg bought and the other missed; their outcome is open",
        ),
        figure(
            "Best edge",
            whole(summary, "best_edge_micro_usd").map(cents),
            "the most that one contract of any candidate would have earned, after fees",
        ),
        figure(
            "Speed",
            whole(summary, "frames_per_s").map(|n| format!("{}/s", grouped(n))),
            "frames handled each second of this run",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The counts that tell whether the input was sound and the books were right.
pub fn health(report: &RunReport) -> Vec<Health> {
    let summary = &report.summary;
    let must_be_zero = |label, count: Option<i64>, meaning| {
        count.map(|count| Health { label, count, good: count == 0, meaning })
    };
    let may_happen = |label, count: Option<i64>, meaning| {
        count.map(|count| Health { label, count, good: true, meaning })
    };
    [
        must_be_zero(
            "Parse errors",
            whole(summary, "parse_errors"),
            "frames that were not what the protocol says; each was dropped",
        ),
        must_be_zero(
            "Sequence gaps",
            over_venues(summary, "sequence_gaps"),
            "lost messages; the books behind them are not traded until a fresh snapshot",
        ),
        must_be_zero(
            "Best price mismatches",
            over_venues(summary, "best_mismatches"),
            "times our best price was not the one that the venue stated",
        ),
        may_happen(
            "Reconnects",
            over_venues(summary, "resets"),
            "a venue's connection began again, and so did its books",
        ),
        may_happen(
            "Crossed books",
            over_venues(summary, "crossed_states"),
            "a bid at or above an ask for a moment; never traded while it lasts",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One line that keeps newcomers from reading candidates as trades.
pub const CANDIDATES_ARE_NOT_DECISIONS: &str = "A candidate is a price that would earn; the same one is counted again at every \
     frame while it lasts. A decision is an order that the engine would send.";

/// A whole number of the summary, also where it was written as a float such as `12.0`.
fn whole(summary: &Value, key: &str) -> Option<i64> {
    let value = summary.get(key)?;
    value.as_i64().or_else(|| {
        let float = value.as_f64().filter(|f| f.is_finite())?;
        Some(float.round() as i64)
    })
}

/// The sum of one count over the venues; `None` where no venue has it.
fn over_venues(summary: &Value, key: &str) -> Option<i64> {
    let venues = summary.get("by_venue")?.as_object()?;
    venues.values().filter_map(|venue| whole(venue, key)).reduce(i64::saturating_add)
}

/// `1234567` as `1,234,567`.
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::from(if n < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Micro-dollars as dollars, cut after the hundredth of a cent: `-$1,234.5678`.
pub fn dollars(micro_usd: i64) -> String {
    let (sign, abs) = (if micro_usd < 0 { "-" } else { "" }, micro_usd.unsigned_abs());
    let whole = grouped(i64::try_from(abs / 1_000_000).unwrap_or(i64::MAX));
    format!("{sign}${whole}.{:04}", abs % 1_000_000 / 100)
}

/// Micro-dollars as cents with four decimals, which is exact: `1.9664 c`.
pub fn cents(micro_usd: i64) -> String {
    let (sign, abs) = (if micro_usd < 0 { "-" } else { "" }, micro_usd.unsigned_abs());
    format!("{sign}{}.{:04} \u{a2}", abs / 10_000, abs % 10_000)
}

/// Nanoseconds with a unit and three digits: `845 ns`, `1.23 µs`, `45.1 ms`, `60.0 s`.
pub fn span(ns: u64) -> String {
    let (unit, per) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => ("\u{b5}s", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let whole = ns / per;
    match whole {
        0..10 => format!("{whole}.{:02} {unit}", ns % per * 100 / per),
        10..100 => format!("{whole}.{} {unit}", ns % per * 10 / per),
        _ => format!("{} {unit}", grouped(whole.cast_signed())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0, 999, 1_000, -1_234_567].map(grouped), ["0", "999", "1,000", "-1,234,567"]);
        assert_eq!(dollars(4_318_200), "$4.3182");
        assert_eq!(dollars(-1_234_567_890), "-$1,234.5678");
        assert_eq!(cents(19_664), "1.9664 \u{a2}");
        assert_eq!(
            [0, 999, 1_230, 45_100_000].map(span),
            ["0 ns", "999 ns", "1.23 \u{b5}s", "45.1 ms"]
        );
        assert_eq!(span(3_600_000_000_000), "3,600 s");
    }

    #[test]
    fn a_figure_that_was_not_measured_is_not_shown() {
        let mut report = super::super::sample::report();
        assert_eq!(headlines(&report).len(), 9);
        assert_eq!(headlines(&report)[1].value, "243,202", "both venues together");
        let mismatches =
            health(&report).into_iter().find(|h| h.label.contains("mismatch")).unwrap();
        assert_eq!((mismatches.count, mismatches.good), (12, false), "summed over both venues");
        report.summary = serde_json::json!({"frames": 5, "elapsed_s": 1.5});
        assert_eq!(headlines(&report).len(), 1);
        assert_eq!(health(&report), []);
    }
}
