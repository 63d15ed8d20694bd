//! How good the match decision is, by pairs that people have labelled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::judgement::{Judgement, Polarity, Relation};
use crate::listing::{Listing, Venue};
use crate::matcher::Matcher;
use crate::when::UnixTime;

/// One labelled pair, as a line of JSON. Absent and null fields are empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // The names are the file's.
pub struct Row {
    pub kalshi_id: String,
    pub polymarket_id: String,
    pub kalshi_title: Option<String>,
    pub polymarket_title: Option<String>,
    pub kalshi_subtitle: Option<String>,
    pub kalshi_event_ticker: Option<String>,
    pub kalshi_rules: Option<String>,
    pub polymarket_rules: Option<String>,
    pub kalshi_close_time: Option<String>,
    pub polymarket_close_time: Option<String>,
    pub label: String,
    pub polarity: Option<String>,
    pub notes: Option<String>,
    pub source: Option<String>,
}

/// Which half of the rows is counted. A row belongs to the tuned half where the first byte of the
/// SHA-256 of its ids and titles, joined by newlines, is even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// All rows.
    All,
    /// The half that rules and thresholds were made with.
    Tuned,
    /// The half that they were not made with.
    HeldOut,
}

/// A line that is no labelled pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl std::fmt::Display for RowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for RowError {}

/// A pair about which the label and the program disagree.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)] // The names are the documentation.
pub struct Confusion {
    pub kalshi_id: String,
    pub polymarket_id: String,
    pub kalshi_title: String,
    pub polymarket_title: String,
    pub label: String,
    pub label_polarity: String,
    /// `equal` or `not equal`, and the polarity.
    pub decided: String,
    pub score: u16,
    /// The fields that decided, with both values.
    pub because: Vec<String>,
}

/// The figures of one split.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Which rows.
    pub split: Split,
    /// Rows.
    pub rows: usize,
    /// Labelled equal.
    #[serde(rename = "true")]
    pub labelled_true: usize,
    /// Labelled not equal.
    #[serde(rename = "false")]
    pub labelled_false: usize,
    /// Called equal, and labelled so.
    pub true_positives: usize,
    /// Called equal, and labelled otherwise.
    pub false_positives: usize,
    /// Labelled equal, and not called so.
    pub false_negatives: usize,
    /// Share of the pairs called equal that are labelled so.
    pub precision: Option<f64>,
    /// Share of the pairs labelled equal that are called so.
    pub recall: Option<f64>,
    /// Pairs that both call equal, with another polarity than the label's.
    pub polarity_errors: usize,
    /// Verdicts of the gate: of all rows, and of those labelled equal and not equal.
    pub verdicts: BTreeMap<String, BTreeMap<String, usize>>,
    /// Every disagreement.
    pub confusions: Vec<Confusion>,
}

/// Reads lines of JSON; blank lines are skipped.
///
/// # Errors
/// The first line that is no labelled pair.
pub fn rows(text: &str) -> Result<Vec<Row>, RowError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let error = |why: String| RowError { line: at + 1, why };
            let row: Row = serde_json::from_str(line).map_err(|e| error(e.to_string()))?;
            if !matches!(row.label.as_str(), "true_match" | "false_match") {
                return Err(error(format!(
                    "label is `{}`, not true_match or false_match",
                    row.label
                )));
            }
            Ok(row)
        })
        .collect()
}

impl Row {
    /// Whether this row is in the tuned half.
    #[must_use]
    pub fn tuned(&self) -> bool {
        let title = |title: &Option<String>| title.clone().unwrap_or_default();
        let text = [
            self.kalshi_id.clone(),
            self.polymarket_id.clone(),
            title(&self.kalshi_title),
            title(&self.polymarket_title),
        ];
        let digest = Sha256::digest(text.join("\n").as_bytes());
        digest.first().is_some_and(|byte| byte % 2 == 0)
    }

    /// Both sides as listings.
    #[must_use]
    pub fn listings(&self) -> [Listing; 2] {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let time = |field: &Option<String>| field.as_deref().and_then(UnixTime::parse);
        [
            Listing {
                venue: Venue::Kalshi,
                id: self.kalshi_id.clone(),
                event_id: text(&self.kalshi_event_ticker),
                title: text(&self.kalshi_title),
                subtitle: text(&self.kalshi_subtitle),
                rules: text(&self.kalshi_rules),
                close: time(&self.kalshi_close_time),
                ..Listing::default()
            },
            Listing {
                venue: Venue::Polymarket,
                id: self.polymarket_id.clone(),
                // Some rows name the market by its slug.
                slug: match self.polymarket_id.starts_with("0x") {
                    true => String::new(),
                    false => self.polymarket_id.clone(),
                },
                title: text(&self.polymarket_title),
                rules: text(&self.polymarket_rules),
                close: time(&self.polymarket_close_time),
                ..Listing::default()
            },
        ]
    }
}

/// Judges all rows of a split and counts.
#[must_use]
pub fn evaluate(matcher: &Matcher, rows: &[Row], split: Split) -> Figures {
    let mut figures = Figures {
        split,
        rows: 0,
        labelled_true: 0,
        labelled_false: 0,
        true_positives: 0,
        false_positives: 0,
        false_negatives: 0,
        precision: None,
        recall: None,
        polarity_errors: 0,
        verdicts: BTreeMap::new(),
        confusions: Vec::new(),
    };
    let wanted = |row: &&Row| match split {
        Split::All => true,
        Split::Tuned => row.tuned(),
        Split::HeldOut => !row.tuned(),
    };
    for row in rows.iter().filter(wanted) {
        let [kalshi, polymarket] = row.listings();
        let judgement = matcher.judge(&kalshi, &polymarket);
        count(&mut figures, row, &judgement);
    }
    let called = figures.true_positives + figures.false_positives;
    figures.precision = share(figures.true_positives, called);
    figures.recall = share(figures.true_positives, figures.labelled_true);
    figures
}

fn count(figures: &mut Figures, row: &Row, judgement: &Judgement) {
    let is_true = row.label == "true_match";
    let equal = judgement.equality.equal;
    figures.rows += 1;
    match is_true {
        true => figures.labelled_true += 1,
        false => figures.labelled_false += 1,
    }
    let mut verdict = |of: &str| {
        let by_verdict = figures.verdicts.entry(of.to_owned()).or_default();
        *by_verdict.entry(judgement.verdict.text().to_owned()).or_default() += 1;
    };
    verdict("all");
    verdict(&row.label);
    let label_polarity = row.polarity.clone().unwrap_or_default();
    let polarity_wrong = match (label_polarity.as_str(), judgement.polarity) {
        ("aligned", Polarity::Inverted) | ("inverted", Polarity::Same) => true,
        ("aligned" | "inverted", Polarity::Unknown) => equal,
        _ => false,
    };
    match (is_true, equal) {
        (true, true) => figures.true_positives += 1,
        (false, true) => figures.false_positives += 1,
        (true, false) => figures.false_negatives += 1,
        (false, false) => {}
    }
    let wrong_side = is_true && equal && polarity_wrong;
    figures.polarity_errors += usize::from(wrong_side);
    if is_true == equal && !wrong_side {
        return;
    }
    let decided = if equal { "equal" } else { "not equal" };
    let decisive = |relation: Relation| relation != Relation::Equal;
    figures.confusions.push(Confusion {
        kalshi_id: row.kalshi_id.clone(),
        polymarket_id: row.polymarket_id.clone(),
        kalshi_title: row.kalshi_title.clone().unwrap_or_default(),
        polymarket_title: row.polymarket_title.clone().unwrap_or_default(),
        label: row.label.clone(),
        label_polarity,
        decided: format!("{decided}, polarity {:?}", judgement.polarity).to_lowercase(),
        score: judgement.equality.score,
        because: judgement
            .compared
            .iter()
            .filter(|field| decisive(field.relation))
            .map(|f| format!("{}: {:?}, `{}` against `{}`", f.field, f.relation, f.here, f.there))
            .collect(),
    });
}

/// A share for people and scripts; no money is computed from it.
#[allow(clippy::float_arithmetic, clippy::cast_precision_loss)]
fn share(part: usize, whole: usize) -> Option<f64> {
    if whole == 0 {
        return None;
    }
    // Four places, so that equal runs print equal texts.
    let scaled = (part as f64 / whole as f64 * 10_000.0).round();
    Some(scaled / 10_000.0)
}
