//! Numbers in a text with their comparison: what must be above, below or between what.

use serde::{Deserialize, Serialize};

use crate::token::MICRO;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bare: cases, seats, points.
    Count,
    /// Percent or basis points.
    Percent,
    /// Dollars.
    Dollar,
    /// Degrees of the scale of the place, which is not said.
    Degree,
    /// Degrees Fahrenheit.
    Fahrenheit,
    /// Degrees Celsius.
    Celsius,
}

/// A set of numbers, by its bounds in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Quantity {
    /// Lower bound, and whether it belongs to the set.
    pub low: Option<(i128, bool)>,
    /// Upper bound, and whether it belongs to the set.
    pub high: Option<(i128, bool)>,
    /// What is counted.
    pub unit: Unit,
    /// A number without a comparison: `hit $100k`, `25 bps`.
    pub bare: bool,
}

/// How two sets of numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The same numbers.
    Equal,
    /// Equal but for the bound itself (`>` against `≥`).
    Boundary,
    /// One is exactly what the other is not.
    Complement,
    /// One is what the other is not, but for the bound itself.
    ComplementBoundary,
    /// Neither.
    Different,
}

impl Quantity {
    /// `>` or `≥`.
    #[must_use]
    pub fn above(value: i128, included: bool, unit: Unit) -> Quantity {
        Quantity { low: Some((value, included)), high: None, unit, bare: false }.whole()
    }

    /// `<` or `≤`.
    #[must_use]
    pub fn below(value: i128, included: bool, unit: Unit) -> Quantity {
        Quantity { low: None, high: Some((value, included)), unit, bare: false }.whole()
    }

    /// The same numbers of a figure that is published in such steps, as tenths of a percent.
    #[must_use]
    pub fn in_steps(mut self, step: i128) -> Quantity {
        let open = |bound: &(i128, bool)| !bound.1 && bound.0 % step == 0;
        if matches!(self.unit, Unit::Percent | Unit::Count) && !self.bare {
            self.low = self.low.map(|b| if open(&b) { (b.0 + step, true) } else { b });
            self.high = self.high.map(|b| if open(&b) { (b.0 - step, true) } else { b });
        }
        self
    }

    /// Both bounds included.
    #[must_use]
    pub fn between(low: i128, high: i128, unit: Unit) -> Quantity {
        let (low, high) = (low.min(high), low.max(high));
        Quantity { low: Some((low, true)), high: Some((high, true)), unit, bare: false }
    }

    /// Whole things and degrees have no halves: more than 2.5 is at least 3.
    fn whole(mut self) -> Quantity {
        if !matches!(self.unit, Unit::Count | Unit::Degree | Unit::Fahrenheit | Unit::Celsius) {
            return self;
        }
        let half = |value: i128| value.rem_euclid(MICRO) == MICRO / 2;
        if let Some((value, _)) = self.low.filter(|(value, _)| half(*value)) {
            self.low = Some((value + MICRO / 2, true));
        }
        if let Some((value, _)) = self.high.filter(|(value, _)| half(*value)) {
            self.high = Some((value - MICRO / 2, true));
        }
        // Temperatures are published in whole degrees.
        let exact =
            |bound: &(i128, bool)| !bound.1 && bound.0 % MICRO == 0 && self.unit != Unit::Count;
        if let Some((value, _)) = self.low.filter(exact) {
            self.low = Some((value + MICRO, true));
        }
        if let Some((value, _)) = self.high.filter(exact) {
            self.high = Some((value - MICRO, true));
        }
        self
    }

    /// The bound to compare by: in whole things, above 5 begins at 6.
    fn edge(self, bound: (i128, bool), up: bool) -> i128 {
        let step = match self.unit {
            Unit::Count | Unit::Degree | Unit::Fahrenheit | Unit::Celsius
                if bound.0 % MICRO == 0 =>
            {
                MICRO
            }
            _ => 0,
        };
        match (bound.1, up) {
            (true, _) => bound.0,
            (false, true) => bound.0 + step,
            (false, false) => bound.0 - step,
        }
    }

    /// How two sets compare.
    #[must_use]
    pub fn compare(self, other: Quantity) -> Match {
        let bare = [self.unit, other.unit].contains(&Unit::Count);
        let scaled = |unit| matches!(unit, Unit::Degree | Unit::Fahrenheit | Unit::Celsius);
        // It is nowhere so hot in degrees Celsius.
        let hot = |q: Quantity| q.low.or(q.high).is_some_and(|bound| bound.0 > 50 * MICRO);
        let celsius = [self.unit, other.unit].contains(&Unit::Celsius);
        let unscaled = [self.unit, other.unit].contains(&Unit::Degree)
            && scaled(self.unit)
            && scaled(other.unit)
            && !(celsius && hot(self));
        if !(self.unit == other.unit || bare || unscaled) {
            return Match::Different;
        }
        if self.bare || other.bare {
            return self.bare_compare(other);
        }
        let same = |a: Option<(i128, bool)>, b: Option<(i128, bool)>, up: bool| match (a, b) {
            (None, None) => Some(true),
            (Some(a), Some(b)) if a == b => Some(true),
            (Some(a), Some(b)) if near(a.0, b.0, self.unit) => Some(false),
            (Some(a), Some(b)) if self.edge(a, up) == other.edge(b, up) => Some(true),
            _ => None,
        };
        match (same(self.low, other.low, true), same(self.high, other.high, false)) {
            (Some(true), Some(true)) => return Match::Equal,
            (Some(_), Some(_)) => return Match::Boundary,
            _ => {}
        }
        // Complements have one bound each, and on opposite sides.
        let opposite = match (self.low, self.high, other.low, other.high) {
            (Some(low), None, None, Some(high)) => Some((self, low, other, high)),
            (None, Some(high), Some(low), None) => Some((other, low, self, high)),
            _ => None,
        };
        if let Some((of_low, low, of_high, high)) = opposite {
            let touches = low.0 == high.0 && low.1 != high.1;
            let steps = of_low.edge(low, true) - MICRO == of_high.edge(high, false)
                && matches!(
                    of_low.unit,
                    Unit::Count | Unit::Degree | Unit::Fahrenheit | Unit::Celsius
                );
            if touches || steps {
                return Match::Complement;
            }
            if near(low.0, high.0, self.unit) {
                return Match::ComplementBoundary;
            }
        }
        Match::Different
    }

    /// A number without a comparison agrees with a bound of the same value.
    fn bare_compare(self, other: Quantity) -> Match {
        let value = |q: Quantity| q.low.or(q.high).map(|bound| bound.0);
        let both = |q: Quantity| q.low.is_some() && q.high.is_some() && q.low != q.high;
        if both(self) || both(other) || value(self) != value(other) {
            return Match::Different;
        }
        if self.bare && other.bare { Match::Equal } else { Match::Boundary }
    }

    /// For people: `> 0.6 %`.
    #[must_use]
    pub fn text(self) -> String {
        let unit = match self.unit {
            Unit::Count => "",
            Unit::Percent => " %",
            Unit::Dollar => " $",
            Unit::Degree => "°",
            Unit::Fahrenheit => "°F",
            Unit::Celsius => "°C",
        };
        let side = |bound: (i128, bool), sign: &str| {
            format!("{sign}{} {}{unit}", if bound.1 { "=" } else { "" }, decimal(bound.0))
        };
        match (self.low, self.high) {
            (Some(low), _) if self.bare => format!("{}{unit}", decimal(low.0)),
            (Some(low), None) => side(low, ">"),
            (None, Some(high)) => side(high, "<"),
            (Some(low), Some(high)) => format!("{} to {}{unit}", decimal(low.0), decimal(high.0)),
            (None, None) => String::new(),
        }
    }
}

/// Two ways to write one bound: 99,999.99 for 100,000.
fn near(a: i128, b: i128, unit: Unit) -> bool {
    let distance = (a - b).abs();
    let cent = MICRO / 100;
    let least = match unit {
        Unit::Dollar => 10 * MICRO,
        // An index is written without a sign.
        Unit::Count => 1000 * MICRO,
        _ => return distance == 0,
    };
    distance <= cent && (distance == 0 || a.abs() >= least)
}

/// Millionths as a decimal.
#[must_use]
pub fn decimal(micro: i128) -> String {
    let (whole, fraction) = (micro.abs() / MICRO, micro.abs() % MICRO);
    let sign = if micro < 0 { "-" } else { "" };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:06}");
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// A decimal text in millionths.
#[must_use]
pub fn micro(text: &str) -> Option<i128> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let valid = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || !valid(whole) || !valid(fraction) {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let padded: String = fraction.chars().chain("000000".chars()).take(6).collect();
    Some(sign * (whole * MICRO + padded.parse::<i128>().ok()?))
}

/// Whether a compared number has the bound of a bare one.
pub(crate) fn says(compared: Quantity, bare: Quantity) -> bool {
    let value = bare.low.map(|bound| bound.0);
    [compared.low, compared.high].into_iter().flatten().any(|bound| Some(bound.0) == value)
}

#[cfg(test)]
#[path = "quantity_tests.rs"]
mod tests;
