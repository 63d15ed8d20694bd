//! From evidence to the share of labelled pairs that are equal at such evidence.

/// Lowest score of each step, and the share in thousandths. Counted on the tuned half of the labels;
/// a step with no false pair in `n` is given `(n + 1) / (n + 2)`.
const STEPS: &[(u16, u16)] = &[(900, 994), (800, 985), (700, 960), (600, 900), (0, 0)];

/// The share of pairs with such a score that are equal, in thousandths.
#[must_use]
pub fn calibrated(score: u16) -> u16 {
    STEPS.iter().find(|(from, _)| score >= *from).map_or(0, |(_, share)| *share)
}
