//! Two claims, field by field: what is the same, what may differ, what contradicts.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::alias::Class;
use crate::claim::{Claim, Kind, Term};
use crate::claim_words::alike;
use crate::compare_game::games;
use crate::compare_time::{clocks, dates};
use crate::context::Context;
use crate::judgement::{Compared, Polarity, Relation};
use crate::quantity::{Match, Quantity};

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
    dates(&mut found);
    if !found.equal() {
        return false;
    }
    numbers(&mut found, contexts);
    if !found.equal() {
        return false;
    }
    clocks(&mut found);
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
        dates(&mut found);
        clocks(&mut found);
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

fn joined<'a>(values: impl IntoIterator<Item = &'a String>) -> String {
    values.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What happens for itself, so that it is never only another word for what both sides say.
const CONDITIONS: &[&str] = &[
    "arrest", "charge", "convict", "oust", "leave", "confirm", "impeach", "invade", "acquire",
    "ban", "die", "marry", "divorce", "pardon",
];

static NOTHING: BTreeSet<String> = BTreeSet::new();

/// Stages that name one thing: the winner of a party's primary is its nominee.
fn stages(claim: &Claim) -> BTreeSet<String> {
    let mut set = claim.values(Class::Stage).cloned().unwrap_or_default();
    let party = claim.values(Class::Party).is_some();
    let of_president =
        claim.has(Class::Office, "president") && claim.values(Class::State).is_some();
    if set.contains("primary") && party && !of_president {
        set.remove("primary");
        set.insert("nominee".to_owned());
    }
    set
}

fn values(claim: &Claim, class: Class) -> Cow<'_, BTreeSet<String>> {
    match class {
        Class::Stage if claim.has(Class::Stage, "primary") => Cow::Owned(stages(claim)),
        _ => Cow::Borrowed(claim.values(class).unwrap_or(&NOTHING)),
    }
}

/// Compares one class.
fn slot(found: &mut Findings<'_>, class: Class, contexts: [&Context; 2], agreed: Agreed) {
    let (a, b) = (values(found.a, class), values(found.b, class));
    if a.is_empty() && b.is_empty() {
        return;
    }
    let texts = || (joined(a.as_ref()), joined(b.as_ref()));
    if a == b {
        found.add(class.field(), Relation::Equal, 0, texts);
        return;
    }
    let only_a: Vec<&String> = a.difference(&b).collect();
    let only_b: Vec<&String> = b.difference(&a).collect();
    let common = a.intersection(&b).next().is_some();
    if class == Class::Direction && only_a.len() == 1 && only_b.len() == 1 {
        let pair = (only_a[0].as_str(), only_b[0].as_str());
        let opposite = matches!(pair, ("up", "down") | ("down", "up"));
        if opposite && found.a.values(Class::Bank).is_none() {
            found.inverted = !found.inverted;
            found.add(class.field(), Relation::Compatible, 0, texts);
            return;
        }
        if matches!(pair, ("up", "rise") | ("rise", "up") | ("down", "fall") | ("fall", "down")) {
            found.add(class.field(), Relation::Compatible, 20, texts);
            return;
        }
    }
    let leaving = |set: &BTreeSet<String>| set.contains("leave") || set.contains("oust");
    // Who remains has not left.
    let remains = |set: &BTreeSet<String>| set.contains("remain");
    if class == Class::Verb && (remains(&a) && leaving(&b) || leaving(&a) && remains(&b)) {
        found.inverted = !found.inverted;
        found.add(class.field(), Relation::Compatible, 80, texts);
        return;
    }
    // To leave an office is to be out; to leave a country is not.
    if class == Class::Verb
        && leaving(&a)
        && leaving(&b)
        && found.a.values(Class::Country) == found.b.values(Class::Country)
    {
        found.add(class.field(), Relation::Compatible, 40, texts);
        return;
    }
    // To touch a price, without a word of from where.
    let touching = |set: &BTreeSet<String>| set.iter().any(|verb| verb.starts_with("hit"));
    if class == Class::Verb
        && touching(&a)
        && touching(&b)
        && (a.contains("hit") || b.contains("hit"))
    {
        found.add(class.field(), Relation::Compatible, 20, texts);
        return;
    }
    // What one side asks beside what both ask is a second condition.
    let second = |verbs: &[&String]| verbs.iter().any(|verb| CONDITIONS.contains(&verb.as_str()));
    if class == Class::Verb && common && (second(&only_a) || second(&only_b)) {
        found.add(class.field(), Relation::Different, 500, texts);
        return;
    }
    // To announce a thing is not to do it.
    let announces = class == Class::Verb
        && only_a.iter().chain(&only_b).any(|verb| verb.as_str() == "announce");
    if announces && common {
        found.add(class.field(), Relation::Different, 500, texts);
        return;
    }
    if !only_a.is_empty() && !only_b.is_empty() {
        if class == Class::Verb && common {
            found.add(class.field(), Relation::Compatible, 30, texts);
            return;
        }
        let explained = |only: &[&String], context: &Context| {
            only.iter().all(|value| context.says(class, value))
        };
        // Both titles can be partial: each side's other texts may say what the other's title says.
        let both = !matches!(class, Class::Party | Class::State | Class::District | Class::Rank)
            && !matches!(class, Class::Stage | Class::Direction | Class::Scope | Class::Conference)
            && class != Class::Narrow
            && explained(&only_a, contexts[1])
            && explained(&only_b, contexts[0]);
        let (relation, penalty) = if both && class != Class::Office {
            (Relation::Compatible, 120)
        } else {
            (Relation::Different, 500)
        };
        found.add(class.field(), relation, penalty, texts);
        return;
    }
    let (only, context, claim, other, extra) = if only_b.is_empty() {
        (&only_a, contexts[1], found.a, found.b, agreed.extra[1])
    } else {
        (&only_b, contexts[0], found.b, found.a, agreed.extra[0])
    };
    if class == Class::Verb && extra > 0 && !common && only.iter().any(|verb| *verb != "win") {
        // One says what happens, and the other has words of its own for what does.
        found.add(class.field(), Relation::Different, 500, texts);
        return;
    }
    let matched = agreed.names;
    let explained = only.iter().all(|value| context.says(class, value));
    let (relation, penalty) = one_sided(class, only, explained, matched, claim, other);
    found.add(class.field(), relation, penalty, texts);
}

/// What it means that one side alone says something.
fn one_sided(
    class: Class,
    only: &[&String],
    explained: bool,
    matched: usize,
    claim: &Claim,
    other: &Claim,
) -> (Relation, i32) {
    let compatible = |penalty| (Relation::Compatible, penalty);
    let different = (Relation::Different, 500);
    let all = |value: &str| only.iter().all(|v| v.as_str() == value);
    if explained {
        return compatible(20);
    }
    match class {
        Class::Verb
            if only.iter().all(|verb| verb.starts_with("hit"))
                && claim.values(Class::Asset).is_some() =>
        {
            // Touched at any time, or above at one time: not the same.
            let at_a_time = other.spans.iter().any(|s| s.kind == crate::span::SpanKind::On);
            if at_a_time { different } else { compatible(60) }
        }
        Class::Verb => compatible(40),
        Class::Country if all("us") => compatible(10),
        Class::Country if matched >= 1 => compatible(40),
        Class::State if matched >= 2 => compatible(80),
        Class::Party if matched >= 2 => compatible(60),
        Class::Office if matched >= 1 => compatible(80),
        Class::Office
            if only.iter().all(|office| matches!(office.as_str(), "house"))
                && other.values(Class::District).is_some() =>
        {
            compatible(0)
        }
        // Of elections and cups there is one a term: the next is that of the year.
        Class::Next if matches!(claim.kind, Kind::Election | Kind::Competition) => compatible(60),
        Class::Control => compatible(40),
        // A rate that only one bank sets names that bank.
        Class::Bank if other.has(Class::Metric, "fed-rate") && !all("fed") => different,
        Class::League | Class::Bank => compatible(20),
        // Who makes a thing goes without saying.
        Class::Asset if matched >= 1 && claim.quantities.is_empty() && moves_none(claim) => {
            compatible(60)
        }
        // Cuts and hikes are of rates.
        Class::Metric if all("fed-rate") && other.values(Class::Direction).is_some() => {
            compatible(40)
        }
        // The largest company is that by market value.
        Class::Metric if all("market-cap") && other.has(Class::Superlative, "largest") => {
            compatible(20)
        }
        // The most valuable of the finals is not that of the season.
        Class::Event if claim.values(Class::Award).is_some() => different,
        Class::Event if matched >= 1 && claim.league.is_some() && claim.league == other.league => {
            compatible(60)
        }
        Class::Basis if all("mom") => compatible(20),
        Class::Scope if all("men") || all("regular-season") => compatible(20),
        Class::Direction if !claim.quantities.is_empty() && !other.quantities.is_empty() => {
            compatible(60)
        }
        // The number of an edition: the 98th of the awards.
        Class::Ordinal if only.iter().all(|n| n.parse::<u32>().is_ok_and(|n| n > 20)) => {
            compatible(20)
        }
        Class::Superlative if matched >= 1 => compatible(60),
        _ => different,
    }
}

/// Whether a claim is not about the way that a price goes.
fn moves_none(claim: &Claim) -> bool {
    claim.values(Class::Direction).is_none() && claim.values(Class::Metric).is_none()
}

/// What the words of both titles have in common.
#[derive(Clone, Copy)]
struct Agreed {
    /// Names that agree.
    names: usize,
    /// Words that one side alone has.
    extra: [usize; 2],
}

/// Compares entities and other words.
fn terms(found: &mut Findings<'_>, contexts: [&Context; 2]) -> Agreed {
    let (a, b) = (&found.a.terms, &found.b.terms);
    let mut left: Vec<&Term> = a.iter().filter(|t| !b.iter().any(|o| o.text == t.text)).collect();
    let mut right: Vec<&Term> = b.iter().filter(|t| !a.iter().any(|o| o.text == t.text)).collect();
    let common: Vec<&Term> = a.iter().filter(|t| b.iter().any(|o| o.text == t.text)).collect();
    let mut matched = common.iter().filter(|t| t.name).count();
    let mut slips = Vec::new();
    // A slip of a letter, or an initial, counts only beside names that agree.
    left.retain(|t| {
        let slip = right.iter().position(|o| {
            (alike(&t.text, &o.text) && (matched > 0 || t.text.len() >= 7))
                || (t.text.len() == 1 && o.text.starts_with(&t.text))
                || (o.text.len() == 1 && t.text.starts_with(&o.text))
        });
        if let Some(at) = slip {
            slips.push((t.text.as_str(), right.remove(at).text.as_str()));
        }
        slip.is_none()
    });
    run_together(&mut left, &mut right);
    run_together(&mut right, &mut left);
    for (one, other) in &slips {
        found.add("spelling", Relation::Compatible, 40, || (*one, *other));
    }
    matched += slips.len();
    let explain = |terms: &mut Vec<&Term>, context: &Context, own: &[Term]| {
        let mut elaborated: Vec<String> = Vec::new();
        terms.retain(|term| {
            // `Mariners` of `Seattle Mariners`, where the other side says `Seattle`.
            let beside = term.name
                && own.iter().any(|o| {
                    o.run == term.run && o.name && common.iter().any(|c| c.text == o.text)
                });
            let letter = term.text.len() == 1;
            if context.has_word(&term.text) || beside || letter {
                elaborated.push(term.text.clone());
                return false;
            }
            true
        });
        elaborated
    };
    let mut rest_left = left.clone();
    let mut rest_right = right.clone();
    let more_left = explain(&mut rest_left, contexts[1], a);
    let more_right = explain(&mut rest_right, contexts[0], b);
    let names = |terms: &[&Term]| terms.iter().any(|t| t.name);
    let list =
        |terms: &[&Term]| terms.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
    if !common.is_empty() {
        let agreed = || joined(common.iter().map(|t| &t.text));
        found.add("words", Relation::Equal, 0, || (agreed(), agreed()));
    }
    // Names that stand against each other are two entities, whatever the rules mention beside.
    if names(&left) && names(&right) {
        found.add("entity", Relation::Different, 500, || (list(&left), list(&right)));
        return Agreed { names: matched, extra: [left.len(), right.len()] };
    }
    let (names_left, names_right) = (names(&rest_left), names(&rest_right));
    if names_left || names_right {
        let texts = || (list(&rest_left), list(&rest_right));
        found.add("entity", Relation::Different, 450, texts);
    } else if !rest_left.is_empty() && !rest_right.is_empty() {
        let texts = || (list(&rest_left), list(&rest_right));
        found.add("words", Relation::Different, 350, texts);
    } else {
        let extra = rest_left.len() + rest_right.len();
        if extra > 0 {
            let each = i32::try_from(extra.min(8)).unwrap_or(8);
            let texts = || (list(&rest_left), list(&rest_right));
            found.add("words", Relation::Unknown, 110 * each, texts);
        }
    }
    let more = more_left.len() + more_right.len();
    if more > 0 {
        let each = i32::try_from(more.min(8)).unwrap_or(8);
        let texts = || (more_left.join(" "), more_right.join(" "));
        found.add("words", Relation::Compatible, 25 * each, texts);
    }
    Agreed { names: matched, extra: [left.len(), right.len()] }
}

/// `jun seok` is `junseok`.
fn run_together(parts: &mut Vec<&Term>, wholes: &mut Vec<&Term>) {
    let joint = parts.windows(2).enumerate().find_map(|(at, pair)| {
        let (first, second) = (pair[0].text.as_str(), pair[1].text.as_str());
        let both = |whole: &&Term| whole.text.strip_prefix(first) == Some(second);
        wholes.iter().position(both).map(|whole| (at, whole))
    });
    if let Some((at, whole)) = joint {
        parts.drain(at..at + 2);
        wholes.remove(whole);
    }
}

/// Compares thresholds, ranges and bare numbers.
fn numbers(found: &mut Findings<'_>, contexts: [&Context; 2]) {
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
        let printed = [found.a, found.b].iter().all(|claim| claim.printed_in_tenths());
        let compare = |a: &Quantity, b: Quantity| match compare(a, b) {
            Match::Different if printed => a.in_tenths().compare(b.in_tenths()),
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
            Match::ComplementBoundary => {
                found.inverted = !found.inverted;
                (Relation::Compatible, 60)
            }
            Match::Boundary | Match::Different => (Relation::Compatible, 60),
        };
        found.add("threshold", relation, penalty, || (a.text(), b.text()));
    }
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

fn rank(m: Match) -> u8 {
    match m {
        Match::Equal => 0,
        Match::Boundary => 1,
        Match::Complement => 2,
        Match::ComplementBoundary => 3,
        Match::Different => 4,
    }
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
