//! Numbers in a text with their comparison: what must be above, below or between what.

use serde::{Deserialize, Serialize};

use crate::token::{MICRO, Number, Token};

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
    distance == 0 || (unit == Unit::Dollar && distance <= cent && a.abs() >= 10 * MICRO)
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

/// All numbers of a text that no date and no phrase has taken; their tokens are marked.
pub(crate) fn quantities(found: &[Token], used: &mut [bool]) -> Vec<Quantity> {
    let mut out: Vec<Quantity> = Vec::new();
    let mut at = 0;
    while at < found.len() {
        let number = found[at].number.filter(|n| !used[at] && !n.ordinal);
        let Some(first) = number else {
            at += 1;
            continue;
        };
        used[at] = true;
        let (first, mut end) = with_unit(found, used, at, first);
        let (sign, around) = comparison(found, at, end);
        let second = range_end(found, used, end, sign == Some(Sign::Between));
        if let Some((to, number)) = second {
            used[end..=to].fill(true);
            let (second, after) = with_unit(found, used, to, number);
            // Both ends of a range have the unit that stands at one of them.
            let unit = unit(first).max(unit(second));
            let scale = range_scale(first, second);
            out.push(Quantity::between(first.micro * scale, second.micro, unit));
            at = after;
            continue;
        }
        end = end.max(around);
        let unit = unit(first);
        let value = first.micro;
        out.push(match sign {
            Some(Sign::Above) => Quantity::above(value, false, unit),
            Some(Sign::AtLeast) => Quantity::above(value, true, unit),
            Some(Sign::Below) => Quantity::below(value, false, unit),
            Some(Sign::AtMost) => Quantity::below(value, true, unit),
            _ if first.plus => Quantity::above(value, true, unit),
            _ => Quantity { low: Some((value, true)), high: Some((value, true)), unit, bare: true },
        });
        at = end;
    }
    out.sort();
    out.dedup();
    // `100,000` beside `above 100,000` says nothing more.
    let compared: Vec<Quantity> = out.iter().copied().filter(|q| !q.bare).collect();
    out.retain(|q| !q.bare || !compared.iter().any(|c| says(*c, *q)));
    out
}

/// Whether a compared number has the bound of a bare one.
pub(crate) fn says(compared: Quantity, bare: Quantity) -> bool {
    let value = bare.low.map(|bound| bound.0);
    [compared.low, compared.high].into_iter().flatten().any(|bound| Some(bound.0) == value)
}

/// `60-65k` is 60,000 to 65,000.
fn range_scale(first: Number, second: Number) -> i128 {
    let thousand = 1_000;
    let small = first.micro > 0 && first.micro < thousand * MICRO;
    let shrunk = second.micro / thousand;
    if small && shrunk >= first.micro && shrunk <= 10 * first.micro { thousand } else { 1 }
}

fn unit(number: Number) -> Unit {
    if number.percent || number.bps {
        Unit::Percent
    } else if number.dollar {
        Unit::Dollar
    } else if number.celsius {
        Unit::Celsius
    } else if number.fahrenheit {
        Unit::Fahrenheit
    } else if number.degrees {
        Unit::Degree
    } else {
        Unit::Count
    }
}

/// Words behind a number that scale it or give its unit: `5 million`, `25 basis points`.
fn with_unit(found: &[Token], used: &mut [bool], at: usize, mut number: Number) -> (Number, usize) {
    let mut end = at + 1;
    while let Some(token) = found.get(end) {
        let by = match token.text.as_str() {
            "thousand" => 1_000,
            "million" => 1_000_000,
            "billion" => 1_000_000_000,
            "trillion" => 1_000_000_000_000,
            "percent" | "pct" => {
                number.percent = true;
                1
            }
            "bps" | "bp" => {
                number.bps = true;
                number.micro /= 100;
                1
            }
            "basis" if found.get(end + 1).is_some_and(|t| t.text.starts_with("point")) => {
                number.bps = true;
                number.micro /= 100;
                used[end] = true;
                end += 1;
                1
            }
            "degrees" | "degree" | "fahrenheit" | "celsius" => {
                number.degrees = true;
                number.celsius |= token.text == "celsius";
                number.fahrenheit |= token.text == "fahrenheit";
                1
            }
            "f" if number.degrees => {
                number.fahrenheit = true;
                1
            }
            _ => break,
        };
        number.micro = number.micro.saturating_mul(by);
        used[end] = true;
        end += 1;
    }
    (number, end)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Above,
    AtLeast,
    Below,
    AtMost,
    Between,
}

/// The comparison of the number at `at`, before it or behind `end`; and where it ends.
fn comparison(found: &[Token], at: usize, end: usize) -> (Option<Sign>, usize) {
    let word = |n: usize| found.get(n).map_or("", |t| t.text.as_str());
    let back = |n: usize| at.checked_sub(n).map_or("", |n| found[n].text.as_str());
    // Behind: `or more`, `and above`, `or lower`; `goals or more`.
    let unit = usize::from(word(end + 1) == "or" && word(end) != "or");
    let end = if behind(word(end + unit), word(end + unit + 1)) { end + unit } else { end };
    if matches!(word(end), "or" | "and") {
        match word(end + 1) {
            "more" | "above" | "higher" | "greater" | "over" | "later" | "up" | "warmer" => {
                return (Some(Sign::AtLeast), end + 2);
            }
            "less" | "below" | "lower" | "fewer" | "under" | "cooler" => {
                return (Some(Sign::AtMost), end + 2);
            }
            _ => {}
        }
    }
    let negated = |n: usize| matches!(back(n), "no" | "not");
    let sign = match back(1) {
        ">" => Some(Sign::Above),
        ">=" => Some(Sign::AtLeast),
        "<" => Some(Sign::Below),
        "<=" => Some(Sign::AtMost),
        "above" | "over" | "exceed" | "exceeds" | "exceeding" | "beyond" | "surpass"
        | "surpasses" | "top" | "tops" => Some(Sign::Above),
        "below" | "under" | "beneath" => Some(Sign::Below),
        "than" => match back(2) {
            "more" | "greater" | "higher" | "larger" | "longer" | "bigger" | "hotter"
            | "warmer"
                if negated(3) =>
            {
                Some(Sign::AtMost)
            }
            "more" | "greater" | "higher" | "larger" | "longer" | "bigger" | "hotter"
            | "warmer" => Some(Sign::Above),
            "less" | "fewer" | "lower" | "smaller" | "shorter" | "colder" if negated(3) => {
                Some(Sign::AtLeast)
            }
            "less" | "fewer" | "lower" | "smaller" | "shorter" | "colder" => Some(Sign::Below),
            _ => None,
        },
        // `greater than or equal to`
        "to" if back(2) == "equal" && back(3) == "or" && back(4) == "than" => match back(5) {
            "more" | "greater" | "higher" => Some(Sign::AtLeast),
            "less" | "lower" | "fewer" => Some(Sign::AtMost),
            _ => None,
        },
        "least" | "minimum" => Some(Sign::AtLeast),
        "most" | "maximum" => Some(Sign::AtMost),
        "between" | "from" => Some(Sign::Between),
        _ => None,
    };
    (sign, end)
}

/// Whether two words are a comparison behind a number.
fn behind(first: &str, second: &str) -> bool {
    let more = ["more", "above", "higher", "greater", "over", "later", "up", "warmer"];
    let less = ["less", "below", "lower", "fewer", "under", "cooler"];
    matches!(first, "or" | "and") && (more.contains(&second) || less.contains(&second))
}

/// The second number of a range: joined by a dash, or by `to` or `and` after `between`.
fn range_end(found: &[Token], used: &[bool], end: usize, between: bool) -> Option<(usize, Number)> {
    let free = |at: usize| found.get(at).and_then(|t| t.number).filter(|n| !n.ordinal && !used[at]);
    if let Some(number) = free(end).filter(|n| n.joined) {
        return Some((end, number));
    }
    let link = found.get(end)?.text.as_str();
    if link == "to" || (between && link == "and") {
        return free(end + 1).map(|number| (end + 1, number));
    }
    None
}

#[cfg(test)]
#[path = "quantity_tests.rs"]
mod tests;
