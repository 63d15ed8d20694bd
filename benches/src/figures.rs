//! What the measurements gave, each beside what it must be.

// Ratios and figures a message are made here for people to read; no money is among them.
#![allow(clippy::float_arithmetic)]

use serde_json::{Map, Value};

/// What a figure must be at most or at least.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Limit {
    /// Not above.
    Most(f64),
    /// Not below.
    Least(f64),
}

impl Limit {
    fn is_met(self, value: f64) -> bool {
        match self {
            Limit::Most(most) => value <= most,
            Limit::Least(least) => value >= least,
        }
    }

    fn loosened(self, factor: f64) -> Limit {
        match self {
            Limit::Most(most) => Limit::Most(most * factor),
            Limit::Least(least) => Limit::Least(least / factor),
        }
    }
}

/// How `--gate` judges a figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Gate {
    /// It repeats exactly: by its limit, and by what it was before.
    Exact,
    /// It is a ratio of times of one run, the best of several: only so many times beyond its limit
    /// does it say that the code, and not a busy machine, is slow.
    Beyond(f64),
    /// Not at all: it tells more of the machine than of the code.
    Never,
}

/// Limits by name, and how `--gate` judges each.
pub const LIMITS: [(&str, Limit, Gate); 28] = [
    ("kalshi_delta_instructions", Limit::Most(600.0), Gate::Exact),
    ("kalshi_delta_allocations", Limit::Most(0.0), Gate::Exact),
    ("poly_price_change_instructions", Limit::Most(950.0), Gate::Exact),
    ("poly_price_change_allocations", Limit::Most(0.0), Gate::Exact),
    ("mixed_kalshi_delta_instructions", Limit::Most(800.0), Gate::Exact),
    ("mixed_kalshi_delta_allocations", Limit::Most(0.0), Gate::Exact),
    ("mixed_poly_price_change_instructions", Limit::Most(1_100.0), Gate::Exact),
    ("mixed_poly_price_change_allocations", Limit::Most(0.0), Gate::Exact),
    ("scale_10k_over_10_instructions", Limit::Most(1.1), Gate::Exact),
    ("bytes_per_pair_1c", Limit::Most(8_192.0), Gate::Exact),
    ("bytes_per_pair_01c", Limit::Most(65_536.0), Gate::Exact),
    ("ring_hop_over_bare", Limit::Most(1.3), Gate::Never),
    ("fire_hit_instructions", Limit::Most(3_000.0), Gate::Exact),
    ("fire_journal_instructions", Limit::Most(400.0), Gate::Exact),
    ("fire_safety_instructions", Limit::Most(400.0), Gate::Exact),
    ("fire_hit_public_key_ops", Limit::Most(0.0), Gate::Exact),
    ("fire_hit_hmacs", Limit::Most(0.0), Gate::Exact),
    ("fire_hit_allocations", Limit::Most(0.0), Gate::Exact),
    ("wire_over_echo", Limit::Most(2.0), Gate::Beyond(1.5)),
    ("wire_allocations_outside_tls", Limit::Most(0.0), Gate::Exact),
    ("tls_allocations_a_record", Limit::Most(1.0), Gate::Exact),
    ("replay_preloaded_over_parse", Limit::Least(1.5), Gate::Never),
    ("replay_file_over_unpack", Limit::Least(0.8), Gate::Never),
    ("match_100k_s", Limit::Most(120.0), Gate::Never),
    ("match_peak_bytes", Limit::Most(4_294_967_296.0), Gate::Never),
    ("match_update_1000_s", Limit::Most(1.0), Gate::Never),
    ("match_pairs_missed", Limit::Most(0.0), Gate::Exact),
    ("match_pairs_false", Limit::Most(0.0), Gate::Exact),
];

/// Named figures in the order in which they were measured.
#[derive(Default)]
pub struct Figures {
    values: Map<String, Value>,
    notes: Vec<String>,
}

impl Figures {
    /// A whole number.
    pub fn count(&mut self, name: &str, value: u64) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// `total` divided by `parts`, to three decimals.
    pub fn ratio(&mut self, name: &str, total: f64, parts: f64) {
        let value = (total / parts * 1_000.0).round() / 1_000.0;
        let value = serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number);
        self.values.insert(name.to_owned(), value);
    }

    /// A sum over messages, as a figure a message.
    pub fn each(&mut self, name: &str, total: u64, messages: usize) {
        self.ratio(name, total as f64, messages.max(1) as f64);
    }

    /// No figure, and why.
    pub fn absent(&mut self, name: &str, reason: &str) {
        self.values.insert(name.to_owned(), Value::Null);
        self.note(format!("{name}: {reason}"));
    }

    /// Any other value.
    pub fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// Something that the reader should know.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// A figure that was measured.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name)?.as_f64()
    }

    /// One object with every figure, the limits and whether they are met.
    pub fn json(mut self) -> Value {
        let mut limits = Map::new();
        for (name, limit, _) in LIMITS {
            let met = self.get(name).map_or(Value::Null, |value| limit.is_met(value).into());
            limits.insert(name.to_owned(), met);
        }
        self.values.insert("limits_met".to_owned(), limits.into());
        self.values.insert("notes".to_owned(), self.notes.into());
        Value::Object(self.values)
    }

    /// A line a figure, with its limit beside it.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.values {
            let shown = match value {
                Value::Object(_) => continue,
                Value::String(words) => words.clone(),
                Value::Null => "-".to_owned(),
                number => number.to_string(),
            };
            let limit = LIMITS.iter().find(|limit| limit.0 == name).map(|limit| limit.1);
            let verdict = match (limit, value.as_f64()) {
                (Some(limit), Some(value)) => {
                    let word = if limit.is_met(value) { "MET" } else { "MISSED" };
                    match limit {
                        Limit::Most(most) => format!("  at most {most:<8} {word}"),
                        Limit::Least(least) => format!("  at least {least:<7} {word}"),
                    }
                }
                (Some(_), None) => "  not measured".to_owned(),
                _ => String::new(),
            };
            text.push_str(format!("{name:<44} {shown:>14}{verdict}").trim_end());
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str("note: ");
            text.push_str(note);
            text.push('\n');
        }
        text
    }

    /// The figures that miss their limit as far as their [`Gate`] says, or are above `recorded`.
    pub fn missed(&self, recorded: &[(&str, f64)], margin: f64) -> Vec<String> {
        let mut missed = Vec::new();
        for (name, limit, gate) in LIMITS {
            let Some(value) = self.get(name) else { continue };
            let allowed = match gate {
                Gate::Never => continue,
                Gate::Exact => limit,
                Gate::Beyond(factor) => limit.loosened(factor),
            };
            if !allowed.is_met(value) {
                missed.push(format!("{name} is {value}, outside {allowed:?}"));
            }
            let known = recorded.iter().find(|(known, _)| *known == name);
            if let Some((_, before)) = known.filter(|(_, before)| value > before * margin) {
                missed.push(format!(
                    "{name} is {value}, it was {before}: make it faster again, or record the \
                     new figure in benches/src/gate.rs with the reason in the commit"
                ));
            }
        }
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_by_its_limit_and_by_what_it_was() {
        let mut figures = Figures::default();
        figures.each("kalshi_delta_instructions", 12_000_000, 20_000);
        assert_eq!(figures.get("kalshi_delta_instructions"), Some(600.0));
        assert!(figures.missed(&[], 1.0).is_empty());
        assert_eq!(figures.missed(&[("kalshi_delta_instructions", 500.0)], 1.1).len(), 1);
        figures.each("kalshi_delta_instructions", 12_000_020, 20_000);
        assert_eq!(figures.missed(&[], 1.0).len(), 1);
        assert!(figures.table().contains("MISSED"));
        assert_eq!(figures.json()["limits_met"]["kalshi_delta_instructions"], false);
    }

    #[test]
    fn a_ratio_of_times_is_gated_only_far_beyond_its_limit() {
        let missed = |value: f64| {
            let mut figures = Figures::default();
            figures.ratio("wire_over_echo", value, 1.0);
            figures.ratio("ring_hop_over_bare", 100.0, 1.0);
            let missed = figures.missed(&[], 1.0).len();
            (missed, figures.json()["limits_met"]["wire_over_echo"] == true)
        };
        assert_eq!(missed(1.9), (0, true));
        assert_eq!(missed(2.9), (0, false));
        assert_eq!(missed(3.1), (1, false));
    }
}
