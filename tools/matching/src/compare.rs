//! Two claims, field by field: what is the same, what may differ, what contradicts.

use crate::alias::Class;
use crate::claim::{Claim, Kind};
use crate::compare_game::games;
use crate::compare_number::numbers;
use crate::compare_slot::slot;
use crate::compare_time::{clocks, dates};
use crate::compare_words::terms;
use crate::context::Context;
use crate::judgement::{Compared, Polarity, Relation};
use crate::phrase::Deed;

/// What the fields of two claims say together.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Fields, those that contradict first.
    pub fields: Vec<Compared>,
    /// 1000 less what is missing on one side.
    pub score: u16,
    /// Whether nothing contradicts and enough is said.
    pub equal: bool,
    /// Whether YES is YES.
    pub polarity: Polarity,
}

/// Below this evidence two claims are not called equal. Set on the tuned half of the labels.
const SCORE_MIN: i32 = 800;

/// The findings while two claims are compared.
pub(crate) struct Findings<'a> {
    pub(crate) a: &'a Claim,
    pub(crate) b: &'a Claim,
    pub(crate) fields: Vec<Compared>,
    pub(crate) penalty: i32,
    pub(crate) inverted: bool,
    pub(crate) unsure: bool,
    /// A field contradicts.
    different: bool,
    /// Only whether they are equal is asked: no field is written down.
    terse: bool,
}

impl<'a> Findings<'a> {
    fn new(a: &'a Claim, b: &'a Claim, terse: bool) -> Findings<'a> {
        let fields = Vec::new();
        let (penalty, inverted, unsure, different) = (0, false, false, false);
        Findings { a, b, fields, penalty, inverted, unsure, different, terse }
    }

    /// Notes a field; its texts are made where somebody will read them.
    pub(crate) fn add<T: Into<String>>(
        &mut self,
        field: &str,
        relation: Relation,
        penalty: i32,
        texts: impl FnOnce() -> (T, T),
    ) {
        self.penalty += penalty;
        self.different |= relation == Relation::Different;
        if self.terse {
            return;
        }
        let (here, there) = texts();
        self.fields.push(Compared {
            field: field.to_owned(),
            relation,
            here: here.into(),
            there: there.into(),
            here_text: self.a.text.clone(),
            there_text: self.b.text.clone(),
        });
    }

    fn equal(&self) -> bool {
        !self.different && 1000 - self.penalty >= SCORE_MIN
    }
}

/// Whether two claims could be equal, were all that one title leaves out explained beside it. What
/// is cheap comes first, and the first contradiction ends it: no later field takes one back.
#[must_use]
pub fn may_equal(a: &Claim, b: &Claim) -> bool {
    let mut found = Findings::new(a, b, true);
    if a.game.is_some() && b.game.is_some() {
        games(&mut found);
        return found.equal();
    }
    if a.asks != b.asks {
        return false;
    }
    let anything = Context::everything();
    let contexts = [&anything, &anything];
    dates(&mut found, contexts);
    if !found.equal() {
        return false;
    }
    numbers(&mut found, contexts);
    if !found.equal() {
        return false;
    }
    clocks(&mut found, contexts);
    let agreed = terms(&mut found, contexts);
    for class in CLASSES {
        if !found.equal() {
            return false;
        }
        slot(&mut found, *class, contexts, agreed);
    }
    found.equal()
}

/// Compares two claims; each side's context can explain what the other's title adds.
#[must_use]
pub fn compare(a: &Claim, b: &Claim, contexts: [&Context; 2]) -> Comparison {
    let mut found = Findings::new(a, b, false);
    if a.game.is_some() && b.game.is_some() {
        games(&mut found);
    } else {
        let agreed = terms(&mut found, contexts);
        for class in CLASSES {
            slot(&mut found, *class, contexts, agreed);
        }
        numbers(&mut found, contexts);
        dates(&mut found, contexts);
        clocks(&mut found, contexts);
        places(&mut found, contexts);
        roles(&mut found);
        exchanged(&mut found);
        if a.negated != b.negated {
            found.inverted = !found.inverted;
            let side = |claim: &Claim| if claim.negated { "not" } else { "" };
            found.add("negation", Relation::Compatible, 0, || (side(a), side(b)));
        }
        if a.asks != b.asks {
            let side = |claim: &Claim| if claim.asks { "asks, and names nobody" } else { "" };
            found.add("whom YES names", Relation::Different, 500, || (side(a), side(b)));
        }
        found.unsure |= a.asks && b.asks;
    }
    let (different, equal) = (found.different, found.equal());
    let mut score = 1000 - found.penalty;
    if different {
        score = score.min(300) - 100;
    }
    found.fields.sort_by_key(|field| match field.relation {
        Relation::Different => 0,
        Relation::Unknown => 1,
        Relation::Compatible => 2,
        Relation::Equal => 3,
    });
    let polarity = match (found.unsure, found.inverted) {
        (true, _) => Polarity::Unknown,
        (_, true) => Polarity::Inverted,
        _ => Polarity::Same,
    };
    Comparison {
        equal,
        score: u16::try_from(score.clamp(0, 1000)).unwrap_or(0),
        fields: found.fields,
        polarity,
    }
}

/// Readings of two stations of one city are two.
fn places(found: &mut Findings<'_>, contexts: [&Context; 2]) {
    let [a, b] = contexts.map(|context| &context.stations);
    let weather = found.a.kind == Kind::Weather && found.b.kind == Kind::Weather;
    if weather && !a.is_empty() && !b.is_empty() && !a.iter().any(|station| b.contains(station)) {
        found.add("station", Relation::Different, 500, || (a.join(", "), b.join(", ")));
    }
}

/// What one does to another.
const DONE_TO: &[&str] = &[
    "strike",
    "invade",
    "recognize",
    "acquire",
    "pardon",
    "ban",
    "visit",
    "outperform",
    "impose",
    "sue",
];

/// The same names in another order: who does it, and to whom, is exchanged.
fn roles(found: &mut Findings<'_>) {
    let (a, b) = (&found.a.actors, &found.b.actors);
    let done = |verb: &&str| found.a.has(Class::Verb, verb) && found.b.has(Class::Verb, verb);
    let same = a.len() >= 2 && a.len() == b.len() && a.iter().all(|name| b.contains(name));
    // In the passive voice whom it is done to stands first.
    let passive = |claim: &Claim| claim.text.contains("ed by ");
    let turned = passive(found.a) != passive(found.b);
    if same && a != b && !turned && done(&"outperform") {
        // One of two does better.
        found.inverted = !found.inverted;
        found.add("who does it to whom", Relation::Compatible, 40, || (a.join(", "), b.join(", ")));
        return;
    }
    if same && a != b && !turned && DONE_TO.iter().any(done) {
        found.add("who does it to whom", Relation::Different, 500, || (a.join(", "), b.join(", ")));
    }
}

/// Two deeds whose names have changed places.
fn exchanged(found: &mut Findings<'_>) {
    let (Some(a), Some(b)) = (&found.a.deed, &found.b.deed) else { return };
    let meet = |x: &[String], y: &[String]| x.iter().any(|word| y.contains(word));
    let straight = meet(&a.who, &b.who) || meet(&a.whom, &b.whom);
    if !straight && meet(&a.who, &b.whom) && meet(&a.whom, &b.who) {
        let text = |deed: &Deed| format!("{} to {}", deed.who.join(" "), deed.whom.join(" "));
        found.add("who does it to whom", Relation::Different, 500, || (text(a), text(b)));
    }
}

const CLASSES: &[Class] = &[
    Class::Party,
    Class::District,
    Class::State,
    Class::Country,
    Class::Office,
    Class::Stage,
    Class::Rank,
    Class::Verb,
    Class::Direction,
    Class::Metric,
    Class::Basis,
    Class::Asset,
    Class::Bank,
    Class::League,
    Class::Conference,
    Class::Award,
    Class::Scope,
    Class::Event,
    Class::Next,
    Class::Superlative,
    Class::Control,
    Class::Ordinal,
    Class::Narrow,
];

pub(crate) fn joined<'a>(values: impl IntoIterator<Item = &'a String>) -> String {
    values.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Kinds whose listings trade on for long after the day that they are about.
pub(crate) fn trades_on(claim: &Claim) -> bool {
    let kind = matches!(
        claim.kind,
        Kind::Election
            | Kind::Nomination
            | Kind::Seats
            | Kind::Award
            | Kind::Competition
            | Kind::GameMoneyline
    );
    kind || claim.values(Class::Next).is_some()
}
