//! One class of known phrases of two claims: what is said on both sides, and what on one alone.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::alias::Class;
use crate::claim::{Claim, Kind};
use crate::compare::{Findings, joined};
use crate::compare_words::Agreed;
use crate::context::Context;
use crate::judgement::Relation;

/// What happens for itself, so that it is never only another word for what both sides say.
const CONDITIONS: &[&str] = &[
    "arrest", "charge", "convict", "oust", "leave", "confirm", "impeach", "invade", "acquire",
    "ban", "die", "marry", "divorce", "pardon", "sack", "retire", "say",
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

/// Verbs of which one happens exactly where the other does not.
const OPPOSITES: &[(&str, &str)] = &[
    ("win", "lose"),
    ("reach", "miss"),
    ("uphold", "overturn"),
    ("relegate", "stay-up"),
    ("pass", "reject"),
];

fn opposite(only_a: &[&String], only_b: &[&String], found: &Findings<'_>) -> bool {
    let ([x], [y]) = (only_a, only_b) else { return false };
    let pair = (x.as_str(), y.as_str());
    let inverse =
        OPPOSITES.iter().any(|(one, other)| pair == (*one, *other) || pair == (*other, *one));
    // A team that does not win may draw.
    let elected = [found.a, found.b].iter().all(|claim| claim.kind == Kind::Election);
    inverse && (!matches!(pair, ("win", _) | (_, "win")) || elected)
}

/// Compares one class.
pub(crate) fn slot(
    found: &mut Findings<'_>,
    class: Class,
    contexts: [&Context; 2],
    agreed: Agreed,
) {
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
        if matches!(pair, ("hold", "change") | ("change", "hold")) {
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
    let inverse = (remains(&a) && leaving(&b)) || (leaving(&a) && remains(&b));
    if class == Class::Verb && (inverse || opposite(&only_a, &only_b, found)) {
        found.inverted = !found.inverted;
        found.add(class.field(), Relation::Compatible, 80, texts);
        return;
    }
    // To miss a date of release is not to be released by it.
    let missed = matches!((only_a.as_slice(), only_b.as_slice()), ([one], []) | ([], [one]) if *one == "miss");
    if class == Class::Verb && common && missed {
        found.inverted = !found.inverted;
        found.add(class.field(), Relation::Compatible, 80, texts);
        return;
    }
    if class == Class::Party && two_parties(&a, &b, found) {
        found.inverted = !found.inverted;
        found.add(class.field(), Relation::Compatible, 40, texts);
        return;
    }
    // To leave an office is to be out; to leave a country is not.
    let same_land = found.a.values(Class::Country) == found.b.values(Class::Country);
    let of_office = |claim: &Claim| {
        claim.values(Class::Country).is_none() || claim.values(Class::Office).is_some()
    };
    if class == Class::Verb
        && leaving(&a)
        && leaving(&b)
        && (same_land || of_office(found.a) && of_office(found.b))
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
        // A price that dips to a mark came from above it.
        && !(a.contains("hit-low") || b.contains("hit-low"))
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
    // Who announces that he runs or retires does so.
    let said = ["run", "retire"].iter().any(|verb| a.contains(*verb) && b.contains(*verb));
    if announces && common && said {
        found.add(class.field(), Relation::Compatible, 40, texts);
        return;
    }
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
            if only.iter().all(|verb| verb.starts_with("hit")) && !claim.quantities.is_empty() =>
        {
            // Touched at any time, or above at one time: not the same.
            let at_a_time = other.spans.iter().any(|s| s.kind == crate::span::SpanKind::On);
            if at_a_time { different } else { compatible(60) }
        }
        Class::Verb if all("lead") && other.has(Class::Superlative, "top") => compatible(20),
        Class::Verb => compatible(40),
        Class::Country if all("us") => compatible(10),
        // Who closes a strait is not said where it is to be closed.
        Class::Country
            if claim
                .deed
                .as_ref()
                .is_some_and(|deed| only.iter().all(|c| deed.who.contains(c)))
                && other.text.to_lowercase().contains(" be ") =>
        {
            different
        }
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
        // Who wins the election is the next to hold the office.
        Class::Next
            if all("next")
                && ["president", "governor", "mayor"]
                    .iter()
                    .any(|o| claim.has(Class::Office, o))
                && other.kind == Kind::Election =>
        {
            compatible(60)
        }
        // The next team is that of the next season; the next speech is that which trading ends with.
        Class::Next
            if all("next")
                && (claim.has(Class::Verb, "play")
                    || claim
                        .values(Class::Narrow)
                        .is_some_and(|n| n.iter().any(|said| said.starts_with("says ")))) =>
        {
            compatible(40)
        }
        // Who is named to what somebody leaves comes next.
        Class::Next if all("next") && appointed(other) => compatible(60),
        // Who is nominated for an office is to be its next holder.
        Class::Next if all("next") && claim.has(Class::Stage, "nominee") => compatible(20),
        Class::Narrow if all("global") && other.has(Class::Metric, "temperature") => compatible(40),
        Class::Event
            if all("winter-olympics")
                && other
                    .values(Class::Narrow)
                    .is_some_and(|n| n.iter().any(|m| m.ends_with("medal"))) =>
        {
            compatible(40)
        }
        // Of an election of many seats the winner is who has the most.
        Class::Narrow if all("most-seats") && other.has(Class::Verb, "win") => compatible(40),
        Class::Control if !all("majority") => compatible(40),
        // The top of a list leads it.
        Class::Superlative if all("top") => match other.has(Class::Verb, "lead") {
            true => compatible(20),
            false => different,
        },
        // A rate that only one bank sets names that bank.
        Class::Bank if other.has(Class::Metric, "fed-rate") && !all("fed") => different,
        Class::League | Class::Bank => compatible(20),
        // Who makes a thing goes without saying.
        Class::Asset
            if matched >= 1
                && (claim.has(Class::Verb, "release") || claim.has(Class::Verb, "announce"))
                && moves_none(claim) =>
        {
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
        // Cups of clubs, of the young and of other sports are called so too.
        Class::Event if only.iter().any(|event| event.ends_with("-world-cup")) => different,
        Class::Event if matched >= 1 && claim.league.is_some() && claim.league == other.league => {
            compatible(60)
        }
        Class::Basis if all("mom") => compatible(20),
        Class::Scope if all("men") => compatible(20),
        // Who wins a season need not win the tournament behind it.
        Class::Scope
            if all("regular-season") && !other.text.to_lowercase().contains("tournament") =>
        {
            compatible(20)
        }
        Class::Direction if !claim.quantities.is_empty() && !other.quantities.is_empty() => {
            compatible(60)
        }
        // The number of an edition: the 98th of the awards.
        Class::Ordinal if only.iter().all(|n| n.parse::<u32>().is_ok_and(|n| n > 20)) => {
            compatible(20)
        }
        // The hottest day of a place is any of its days.
        Class::Superlative if all("hottest") || all("coldest") => different,
        // The best of a league need not win its cup.
        Class::Superlative
            if [Class::Event, Class::Award, Class::Metric]
                .iter()
                .any(|class| claim.values(*class).is_none() && other.values(*class).is_some()) =>
        {
            different
        }
        Class::Superlative if matched >= 1 => compatible(60),
        _ => different,
    }
}

/// One of two parties has more than half of the House where the other has not.
fn two_parties(a: &BTreeSet<String>, b: &BTreeSet<String>, found: &Findings<'_>) -> bool {
    let alone = |set: &BTreeSet<String>, party: &str| set.len() == 1 && set.contains(party);
    let parties = alone(a, "democratic") && alone(b, "republican")
        || alone(a, "republican") && alone(b, "democratic");
    let of_house = [found.a, found.b].iter().all(|claim| {
        claim.has(Class::Office, "house")
            && claim.values(Class::District).is_none()
            && claim.values(Class::State).is_none()
            && claim.quantities.is_empty()
            && claim.values(Class::Narrow).is_none()
    });
    let control =
        found.a.values(Class::Control).is_some() || found.b.values(Class::Control).is_some();
    parties && of_house && control
}

/// Whether somebody is to be put into a place that one alone holds.
fn appointed(claim: &Claim) -> bool {
    let lower = claim.text.to_lowercase();
    let named = ["named", "appointed", "become", "chosen", "selected as"];
    let place = ["ceo", "coach", "manager", "chair", "director", "bond", "host", "pope"];
    named.iter().any(|word| lower.contains(word)) && place.iter().any(|word| lower.contains(word))
}

/// Whether a claim is not about the way that a price goes.
fn moves_none(claim: &Claim) -> bool {
    claim.values(Class::Direction).is_none() && claim.values(Class::Metric).is_none()
}
