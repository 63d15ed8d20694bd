//! Names and other words of two claims: which agree, which one side alone has.

use crate::alias::Class;
use crate::claim::{Claim, Term};
use crate::claim_words::{alike, nickname, root, stem};
use crate::compare::{Findings, joined};
use crate::context::Context;
use crate::judgement::Relation;
use crate::token::folded;

/// What the words of both titles have in common.
#[derive(Clone, Copy)]
pub(crate) struct Agreed {
    /// Names that agree.
    pub(crate) names: usize,
    /// Words that one side alone has.
    pub(crate) extra: [usize; 2],
}

/// Compares entities and other words.
pub(crate) fn terms(found: &mut Findings<'_>, contexts: [&Context; 2]) -> Agreed {
    let (a, b) = (&found.a.terms, &found.b.terms);
    let mut left: Vec<&Term> = a.iter().filter(|t| !b.iter().any(|o| o.text == t.text)).collect();
    let mut right: Vec<&Term> = b.iter().filter(|t| !a.iter().any(|o| o.text == t.text)).collect();
    let common: Vec<&Term> = a.iter().filter(|t| b.iter().any(|o| o.text == t.text)).collect();
    let mut matched =
        common.iter().filter(|t| t.name && !NATURAL.contains(&t.text.as_str())).count();
    let mut slips = Vec::new();
    // A slip of a letter, or an initial, counts only beside names that agree.
    left.retain(|t| {
        let slip = right.iter().position(|o| {
            (alike(&t.text, &o.text) && (matched > 0 || t.text.len() >= 7))
                || root(&t.text) == root(&o.text)
                || (matched > 0 && nickname(&t.text, &o.text))
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
    left.retain(|term| !term.heading);
    right.retain(|term| !term.heading);
    initials(&mut left, &mut right);
    initials(&mut right, &mut left);
    glossed(&mut left, found.a, found.b);
    glossed(&mut right, found.b, found.a);
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
                    o.run == term.run
                        && o.name
                        // `Hunter Biden` is not whom `Biden` alone means.
                        && !o.known
                        && !HEADS.contains(&o.text.as_str())
                        && common.iter().any(|c| c.text == o.text)
                });
            let letter = term.text.len() == 1;
            let beside = beside && !TIERS.contains(&term.text.as_str());
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
    let (sole, beside) = match names_left {
        true => (&rest_left, &rest_right),
        false => (&rest_right, &rest_left),
    };
    if names_left != names_right && beside.is_empty() && maker_unsaid(sole, found, matched) {
        found.add("maker", Relation::Compatible, 60, || (list(&rest_left), list(&rest_right)));
    } else if names_left || names_right {
        let texts = || (list(&rest_left), list(&rest_right));
        found.add("entity", Relation::Different, 450, texts);
    } else if !rest_left.is_empty() && !rest_right.is_empty() {
        let texts = || (list(&rest_left), list(&rest_right));
        found.add("words", Relation::Different, 350, texts);
    } else {
        let extra = rest_left.len() + rest_right.len();
        if extra > 0 {
            let soft = |terms: &[&Term]| terms.iter().all(|t| SOFT.contains(&t.text.as_str()));
            let each = i32::try_from(extra.min(8)).unwrap_or(8);
            let each = if soft(&rest_left) && soft(&rest_right) { 60 * each } else { 210 * each };
            let texts = || (list(&rest_left), list(&rest_right));
            found.add("words", Relation::Unknown, each, texts);
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

/// Words that many names end or begin with: beside them another name is another thing.
const HEADS: &[&str] = &[
    "championship",
    "championships",
    "cup",
    "open",
    "series",
    "league",
    "prize",
    "prix",
    "grand",
    "tournament",
    "party",
    "masters",
    "classic",
    "bowl",
    "festival",
    "bank",
    "act",
    "bill",
];

/// What happens in one country or another, so that it names none.
const NATURAL: &[&str] = &["earthquake", "crewed", "ai", "volcano", "measles", "ebola", "tornado"];

/// Words, without their endings, that say what both mean: a fixed mortgage, the stock of a company.
const SOFT: &[&str] = &[
    "song",
    "album",
    "singl",
    "stock",
    "share",
    "rocket",
    "championship",
    "voter",
    "golf",
    "tennis",
    "extent",
    "found",
    "establish",
    "state",
    "stat",
    "goal",
    "leagu",
    "permanent",
    "fixed",
    "domestic",
    "form",
    "brand",
    "alone",
    "overall",
    "movie",
    "chart",
    "summer",
    "federal",
    "spot",
    "appoint",
    "number",
    "figure",
    "nationwide",
    "current",
    "currently",
];

/// `dni` is `director national intelligence`.
fn initials(codes: &mut Vec<&Term>, names: &mut Vec<&Term>) {
    let letters = |term: &&Term| {
        (2..=5).contains(&term.text.len()) && term.text.bytes().all(|b| b.is_ascii_lowercase())
    };
    codes.retain(|code| {
        let length = code.text.len();
        let spelt = |window: &[&Term]| {
            window.iter().map(|t| t.text.chars().next().unwrap_or(' ')).eq(code.text.chars())
                && window.iter().all(|t| t.name)
        };
        let at = names.windows(length).position(spelt).filter(|_| code.name && letters(code));
        if let Some(at) = at {
            names.drain(at..at + length);
        }
        at.is_none()
    });
}

/// What makes another competition or team of a name.
const TIERS: &[&str] = &[
    "rapid",
    "blitz",
    "classical",
    "junior",
    "youth",
    "indoor",
    "team",
    "relay",
    "amateur",
    "club",
    "popcornmeter",
    "audience",
    "pilot",
    "mini",
    "pro",
    "plus",
    "lite",
    "air",
    "ultra",
    "max",
    "flash",
    "nano",
    "preview",
    "beta",
    "fold",
    "flip",
    "opus",
    "sonnet",
    "haiku",
    "turbo",
    "instant",
    "thinking",
    "masters",
    "challengers",
    "kickoff",
    "qualifier",
    "qualifiers",
    "invitational",
    "academy",
    "juniors",
    "reserves",
    "sprint",
    "giant",
    "doubles",
    "mixed",
    "half",
];

/// Offices that do what only they can do: a title may leave out who.
const AGENCIES: &[&str] = &["cdc", "irs", "fda", "faa", "fcc", "epa", "usda", "noaa", "nws", "nhc"];

/// Drops what a gloss says twice: of `Tether (USDT)` the other side writes one.
fn glossed(only: &mut Vec<&Term>, own: &Claim, other: &Claim) {
    for gloss in &own.glosses {
        let has_code = other.terms.iter().any(|term| term.text == gloss.code);
        only.retain(|term| match has_code {
            true => !gloss.words.iter().any(|word| *word == term.text || stem(word) == term.text),
            false => term.text != gloss.code,
        });
    }
}

/// A product with a name is one maker's: who releases it goes without saying.
fn maker_unsaid(extra: &[&Term], found: &Findings<'_>, matched: usize) -> bool {
    if extra.iter().all(|term| AGENCIES.contains(&term.text.as_str()))
        || by_office(extra, found)
        || head_of_state(extra, found)
    {
        return true;
    }
    // Papers can be let out by anybody.
    let papers = |term: &Term| PAPERS.contains(&term.text.as_str());
    if found.a.terms.iter().any(papers) {
        return false;
    }
    let released = [found.a, found.b].iter().all(|claim| {
        let verbs = claim.values(Class::Verb);
        verbs.is_some_and(|verbs| verbs.len() == 1 && verbs.contains("release"))
    });
    let numbered = [found.a, found.b].iter().all(|claim| {
        let figure = |term: &Term| term.text.bytes().any(|b| b.is_ascii_digit());
        !claim.quantities.is_empty() || claim.terms.iter().any(figure)
    });
    // The name stands before what it does, and nowhere else.
    let makes = |claim: &Claim| {
        let lower = folded(&claim.text).to_lowercase();
        let rest = lower.strip_prefix("will ").unwrap_or(&lower);
        let names: Vec<&str> = extra.iter().map(|term| term.text.as_str()).collect();
        let verb = rest.strip_prefix(&names.join(" ")).map_or("", str::trim_start);
        ["release", "launch", "ship"].iter().any(|word| verb.starts_with(word))
    };
    let known = numbered && extra.iter().all(|term| term.known);
    released && matched > 0 && (known || makes(found.a) || makes(found.b))
}

/// What more than one has, and may let out.
const PAPERS: &[&str] = &[
    "file",
    "document",
    "doc",
    "record",
    "report",
    "tape",
    "email",
    "transcript",
    "list",
    "hostag",
    "prison",
    "prisoner",
    "footag",
    "video",
    "photo",
    "memo",
    "letter",
];

/// Only a president pardons, signs, nominates to an office and dismisses from it: a title in the
/// passive voice leaves out who.
fn by_office(extra: &[&Term], found: &Findings<'_>) -> bool {
    let holder = extra.iter().all(|term| term.text == "trump");
    let verb = ["sack", "sign"].iter().any(|v| both_have(found, Class::Verb, v));
    let passive = |claim: &Claim| {
        let lower = claim.text.to_lowercase();
        !lower.contains("trump") && !lower.contains(" his ") && !lower.contains(" her ")
    };
    let nominated = both_have(found, Class::Stage, "nominee") && both_values(found, Class::Office);
    let next = both_have(found, Class::Next, "next") && both_values(found, Class::Office);
    holder && (verb || nominated || next) && (passive(found.a) || passive(found.b))
}

/// What a country does, which its president is said to do.
const OF_STATE: &[&str] =
    &["acquire", "invade", "strike", "recognize", "leave", "join", "ban", "agree", "normalize"];

/// `Trump` on one side, and on the other the country whose president he is.
fn head_of_state(extra: &[&Term], found: &Findings<'_>) -> bool {
    let land = |claim: &Claim| claim.has(Class::Country, "us");
    let does = OF_STATE.iter().any(|verb| both_have(found, Class::Verb, verb));
    extra.iter().all(|term| term.text == "trump") && does && land(found.a) != land(found.b)
}

fn both_have(found: &Findings<'_>, class: Class, value: &str) -> bool {
    found.a.has(class, value) && found.b.has(class, value)
}

fn both_values(found: &Findings<'_>, class: Class) -> bool {
    found.a.values(class).is_some() && found.b.values(class).is_some()
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
