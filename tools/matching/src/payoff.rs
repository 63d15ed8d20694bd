//! What a hedged pair pays in every case that the rules know, and the worst of it.

use serde::{Deserialize, Serialize};

use crate::gate::{Gate, Pays, Record};
use crate::judgement::Relation;

/// A dollar, in ten-thousandths.
pub const DOLLAR: u16 = 10_000;

/// One case: what the leg on each venue pays at least and at most, and both together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// `yes`, `no`, `void-here`, `void-there`, `void-both`, `late`.
    pub name: String,
    /// Lowest and highest of the first venue's leg, in ten-thousandths of a dollar.
    pub here: [u16; 2],
    /// Of the second venue's.
    pub there: [u16; 2],
    /// Least that both pay together.
    pub together: u16,
    /// Whether the rules exclude this case.
    pub excluded: bool,
}

/// All cases, for one contract of YES on one venue against NO on the other, whichever is bought where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payoff {
    /// The cases.
    pub cases: Vec<Case>,
    /// The least that any case pays, in ten-thousandths of a dollar.
    pub worst: u16,
}

impl Payoff {
    /// The table of two records.
    #[must_use]
    pub fn of(gate: &Gate) -> Payoff {
        let here = void_pays(&gate.here);
        let there = void_pays(&gate.there);
        let any = [0, DOLLAR];
        let relation =
            |field: &str| gate.compared.iter().find(|c| c.field == field).map(|c| c.relation);
        let late = relation("cut-off");
        // Both void by one rule: what it takes from one leg it gives to the other.
        let one_rule = relation("cancelled") == Some(Relation::Equal)
            && known(&gate.here).is_some_and(|pays| pays != Pays::FairPrice);
        let together = match one_rule {
            true => DOLLAR,
            false => here[0].saturating_add(there[0]),
        };
        let case = |name: &str, here: [u16; 2], there: [u16; 2], together: u16, excluded: bool| {
            Case { name: name.to_owned(), here, there, together, excluded }
        };
        let cases = vec![
            case("yes", [DOLLAR; 2], [0; 2], DOLLAR, false),
            case("no", [0; 2], [DOLLAR; 2], DOLLAR, false),
            // One side is void, and the other decides against the leg that is held there.
            case("void-here", here, any, here[0], false),
            case("void-there", any, there, there[0], false),
            case("void-both", here, there, together.min(DOLLAR), false),
            // It happens after one cut-off and before the other: both legs can lose.
            case("late", any, any, 0, matches!(late, Some(Relation::Equal | Relation::Compatible))),
        ];
        let worst = cases.iter().filter(|c| !c.excluded).map(|c| c.together).min().unwrap_or(0);
        Payoff { cases, worst }
    }
}

impl Payoff {
    /// The same of the two listings in the other order.
    #[must_use]
    pub fn turned(mut self) -> Payoff {
        for case in &mut self.cases {
            // `yes` pays the leg that is bought on YES, whichever venue that is.
            if matches!(case.name.as_str(), "yes" | "no") {
                continue;
            }
            std::mem::swap(&mut case.here, &mut case.there);
            let name = match case.name.as_str() {
                "void-here" => "void-there",
                "void-there" => "void-here",
                _ => continue,
            };
            case.name = name.to_owned();
        }
        self.cases.sort_by_key(|case| CASES.iter().position(|name| *name == case.name));
        self
    }
}

/// Names of the cases, in their order.
const CASES: &[&str] = &["yes", "no", "void-here", "void-there", "void-both", "late"];

/// What a side's rules say of an event that does not take place.
fn known(record: &Record) -> Option<Pays> {
    record.cancelled.as_ref().or(record.postponed.as_ref()).map(|read| read.value)
}

/// What a leg on a void market pays: an unknown rule can pay nothing.
fn void_pays(record: &Record) -> [u16; 2] {
    match known(record) {
        Some(Pays::Half) => [DOLLAR / 2; 2],
        _ => [0, DOLLAR],
    }
}
