//! Thresholds, ranges and bare numbers of two claims.

use crate::alias::Class;
use crate::claim::{Claim, Kind, Term};
use crate::compare::Findings;
use crate::context::Context;
use crate::judgement::Relation;
use crate::quantity::{Match, Quantity, Unit};
use crate::token::MICRO;

/// Compares thresholds, ranges and bare numbers.
pub(crate) fn numbers(found: &mut Findings<'_>, contexts: [&Context; 2]) {
    let mut right = found.b.quantities.clone();
    let mut left: Vec<Quantity> = Vec::new();
    for a in &found.a.quantities {
        // `4.5 %` is that figure alone, unless it is a mark to be reached.
        let marks = [found.a, found.b].iter().any(|claim| {
            let verbs = claim.values(Class::Verb);
            let mark = |verb: &String| verb.starts_with("hit") || verb == "reach";
            verbs.is_some_and(|verbs| verbs.iter().any(mark))
                || claim.values(Class::Asset).is_some()
        });
        let compare = |a: &Quantity, b: Quantity| match a.bare == b.bare || marks {
            true => a.compare(b),
            false => Match::Different,
        };
        // Prints have one decimal place: above 2.7 % is 2.8 % and more.
        let step = found.a.printed_step().filter(|step| found.b.printed_step() == Some(*step));
        let compare = |a: &Quantity, b: Quantity| match compare(a, b) {
            Match::Different if step.is_some() && a.bare == b.bare => {
                let step = step.unwrap_or(MICRO);
                a.in_steps(step).compare(b.in_steps(step))
            }
            other => other,
        };
        let best = right.iter().enumerate().min_by_key(|(_, b)| rank(compare(a, **b)));
        let Some((at, result)) =
            best.map(|(at, b)| (at, compare(a, *b))).filter(|(_, m)| *m != Match::Different)
        else {
            left.push(*a);
            continue;
        };
        let b = right.remove(at);
        let (relation, penalty) = match result {
            Match::Equal => (Relation::Equal, 0),
            Match::Complement => {
                found.inverted = !found.inverted;
                (Relation::Equal, 0)
            }
            Match::ComplementBoundary if !bound_is_nothing(found, *a, b) => {
                (Relation::Different, 500)
            }
            Match::ComplementBoundary => {
                found.inverted = !found.inverted;
                (Relation::Compatible, 60)
            }
            Match::Boundary if !bound_is_nothing(found, *a, b) => (Relation::Different, 500),
            Match::Boundary | Match::Different => (Relation::Compatible, 60),
        };
        found.add("threshold", relation, penalty, || (a.text(), b.text()));
    }
    editions(found, &mut left, &mut right);
    roman(&mut left, &found.b.terms);
    roman(&mut right, &found.a.terms);
    if left.is_empty() && right.is_empty() {
        return;
    }
    let list = |all: &[Quantity]| all.iter().map(|q| q.text()).collect::<Vec<_>>().join("; ");
    let said = |all: &[Quantity], context: &Context| {
        all.iter().all(|q| q.bare && context.has_word(&q.text()))
    };
    let (relation, penalty) = if left.is_empty() && said(&right, contexts[0])
        || right.is_empty() && said(&left, contexts[1])
    {
        (Relation::Compatible, 60)
    } else {
        (Relation::Different, 500)
    };
    found.add("threshold", relation, penalty, || (list(&left), list(&right)));
}

/// From this count on, one more or less is no more than a thousandth.
const MANY: i128 = 1000;

/// Whether it cannot matter on which side of a bound the bound itself lies: a price, a share of the
/// votes or a count of thousands is hardly ever exactly there. Few whole things, polls, scores and
/// prints in tenths often are; but titles use both forms of one bucket of a month's inflation.
fn bound_is_nothing(found: &Findings<'_>, a: Quantity, b: Quantity) -> bool {
    let many = |q: Quantity| q.low.or(q.high).is_some_and(|b| b.0.abs() >= MANY * MICRO);
    let cents = |q: Quantity| q.low.or(q.high).is_some_and(|b| b.0 % (MICRO / 10) != 0);
    let both = |is: &dyn Fn(&Claim) -> bool| is(found.a) && is(found.b);
    let inflation = both(&|claim| {
        let values = claim.values(Class::Metric);
        values.is_some_and(|set| set.iter().any(|m| m.ends_with("cpi") || m.ends_with("pce")))
            && !claim.has(Class::Basis, "yoy")
    });
    let fine = both(&|claim| {
        let counted = ["margin", "turnout", "vote-share"];
        matches!(claim.kind, Kind::Election | Kind::Seats | Kind::AssetPrice)
            || claim.values(Class::Asset).is_some()
            || counted.iter().any(|metric| claim.has(Class::Metric, metric))
    });
    match a.unit.max(b.unit) {
        _ if a.bare || b.bare => true,
        Unit::Dollar => true,
        Unit::Percent => inflation || fine,
        // A rate of exchange has four places.
        _ => many(a) || cents(a) || cents(b),
    }
}

/// Seasons with numbers: two of them are two, and one says no more than the other's date.
fn editions(found: &mut Findings<'_>, left: &mut Vec<Quantity>, right: &mut Vec<Quantity>) {
    let (a, b) = (&found.a.editions, &found.b.editions);
    let number = |q: &Quantity| q.low.filter(|_| q.bare).map(|low| low.0 / MICRO);
    left.retain(|q| !number(q).is_some_and(|n| b.contains(&n)));
    right.retain(|q| !number(q).is_some_and(|n| a.contains(&n)));
    if !a.is_empty() && !b.is_empty() && a != b {
        let list = |all: &[i128]| all.iter().map(i128::to_string).collect::<Vec<_>>().join(", ");
        found.add("edition", Relation::Different, 500, || (list(a), list(b)));
    }
}

/// A number that the other side writes in Roman figures: `GTA 6` and `GTA VI`.
fn roman(left: &mut Vec<Quantity>, terms: &[Term]) {
    const FIGURES: &[&str] = &["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"];
    left.retain(|q| {
        let value = q.low.filter(|_| q.bare).map(|low| low.0);
        let place = |text: &str| FIGURES.iter().position(|figure| *figure == text);
        let written = |term: &Term| {
            let figure = place(&term.text).and_then(|at| i128::try_from(at + 1).ok());
            figure.is_some_and(|n| value == Some(n * MICRO))
        };
        !terms.iter().any(written)
    });
}

fn rank(m: Match) -> u8 {
    match m {
        Match::Equal => 0,
        Match::Boundary => 1,
        Match::Complement => 2,
        Match::ComplementBoundary => 3,
        Match::Different => 4,
    }
}
