//! Words -> bounds: the numbers of a text, with the comparison that stands before or behind each.

use crate::quantity::{Quantity, Unit, says};
use crate::token::{MICRO, Number, Token};

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
