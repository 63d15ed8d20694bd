//! How each side resolves, as typed fields with the words that they were read from.

use serde::{Deserialize, Serialize};

use crate::alias::Class;
use crate::claim::{Claim, Kind};
use crate::judgement::{Compared, Relation};
use crate::listing::{Listing, Venue};
use crate::quantity::{Match, Unit};
use crate::rules::{Clause, Rules};

/// What a side pays when an event does not run its course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pays {
    /// NO pays.
    No,
    /// Each side pays half a dollar.
    Half,
    /// The venue sets a fair price.
    FairPrice,
    /// The market stays open until it is decided.
    Waits,
    /// Another outcome of the event, such as `Other` or the next in an order.
    Other,
}

/// Whether more than the regular time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overtime {
    /// It counts.
    Counts,
    /// The regular time alone counts.
    Excluded,
}

/// In what a market can settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A dollar or nothing.
    Binary,
    /// Half a dollar to each side is possible.
    Halves,
    /// A fair price is possible.
    FairPrice,
    /// Any value between.
    Scalar,
}

/// A value and the words that it was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read<T> {
    /// The value.
    pub value: T,
    /// The words.
    pub text: String,
}

/// Last moment that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cutoff {
    /// The day, as `YYYY-MM-DD`.
    pub day: String,
    /// Minutes after midnight, where the words give a clock.
    pub minute: Option<i32>,
    /// Whether no words say so, and it is only when trading ends by plan.
    pub scheduled: bool,
}

/// How one side resolves. What its texts do not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Whether there were any rules to read.
    pub rules: bool,
    /// Who publishes what decides.
    pub sources: Option<Read<Vec<String>>>,
    /// Last moment that counts.
    pub cutoff: Option<Read<Cutoff>>,
    /// When the event does not take place.
    pub cancelled: Option<Read<Pays>>,
    /// When it is put off.
    pub postponed: Option<Read<Pays>>,
    /// Until when it may be put off.
    pub postponed_until: Option<Read<String>>,
    /// When two are level.
    pub tie: Option<Read<Pays>>,
    /// Extra time.
    pub overtime: Option<Read<Overtime>>,
    /// Whether it can end before its date.
    pub early_close: Option<Read<bool>>,
    /// `>` or `>=` at the strike.
    pub strike: Option<Read<String>>,
    /// How the published figure is rounded.
    pub rounding: Option<Read<String>>,
    /// In what it can settle.
    pub form: Option<Read<Form>>,
    /// Who decides.
    pub decider: Option<Read<String>>,
}

impl Record {
    /// Reads a listing.
    #[must_use]
    pub fn of(listing: &Listing, claim: &Claim) -> Record {
        let rules = Rules::of(&listing.rules);
        let pays = |clause: Option<&Clause>| {
            clause.and_then(|c| c.pays.map(|value| Read { value, text: c.text.clone() }))
        };
        let mut sources: Vec<String> =
            listing.sources.iter().flat_map(|s| crate::rules::publishers(s)).collect();
        sources.extend(rules.publishers.iter().cloned());
        sources.sort();
        sources.dedup();
        let any = |value: Pays| {
            [&rules.cancelled, &rules.postponed, &rules.tie]
                .into_iter()
                .flatten()
                .any(|c| c.pays == Some(value))
        };
        let form = if listing.market_type == "scalar" {
            Form::Scalar
        } else if any(Pays::FairPrice) {
            Form::FairPrice
        } else if any(Pays::Half) {
            Form::Halves
        } else {
            Form::Binary
        };
        let known = !listing.rules.trim().is_empty();
        let early = if listing.venue == Venue::Kalshi {
            known
                .then(|| Read { value: listing.can_close_early, text: listing.early_close.clone() })
        } else {
            rules.early.clone().map(|text| Read { value: true, text })
        };
        let strike = claim
            .quantities
            .iter()
            .find(|q| !q.bare)
            .map(|q| Read { value: q.text(), text: claim.text.clone() });
        let (decider, why) = match listing.venue {
            Venue::Kalshi => ("exchange", "the exchange's rulebook and contract terms"),
            Venue::Polymarket => ("oracle", "proposal and dispute at an optimistic oracle"),
        };
        Record {
            rules: known,
            sources: (!sources.is_empty()).then(|| Read {
                value: sources,
                text: rules.source_text.clone().unwrap_or_else(|| listing.sources.join(", ")),
            }),
            cutoff: crate::rules::cutoff(listing, claim, &rules),
            cancelled: pays(rules.cancelled.as_ref()),
            postponed: pays(rules.postponed.as_ref()),
            postponed_until: rules
                .postponed
                .as_ref()
                .and_then(|c| c.until.clone().map(|value| Read { value, text: c.text.clone() })),
            tie: pays(rules.tie.as_ref()),
            overtime: rules.overtime.clone(),
            early_close: early,
            strike,
            rounding: rules.rounding.clone().map(|text| Read { value: text.clone(), text }),
            form: known.then(|| Read { value: form, text: String::new() }),
            decider: Some(Read { value: decider.to_owned(), text: why.to_owned() }),
        }
    }
}

/// Both records and how their fields compare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The first listing's.
    pub here: Record,
    /// The second's.
    pub there: Record,
    /// Field by field.
    pub compared: Vec<Compared>,
}

impl Gate {
    /// Reads and compares both sides.
    #[must_use]
    pub fn of(listings: [&Listing; 2], claims: [&Claim; 2]) -> Gate {
        let here = Record::of(listings[0], claims[0]);
        let there = Record::of(listings[1], claims[1]);
        let compared = vec![
            sources(&here, &there, claims),
            cutoff(&here, &there),
            same("cancelled", here.cancelled.as_ref(), there.cancelled.as_ref(), |v| {
                format!("{v:?}")
            }),
            same("postponed", here.postponed.as_ref(), there.postponed.as_ref(), |v| {
                format!("{v:?}")
            }),
            same(
                "postponed until",
                here.postponed_until.as_ref(),
                there.postponed_until.as_ref(),
                String::clone,
            ),
            same("tie", here.tie.as_ref(), there.tie.as_ref(), |v| format!("{v:?}")),
            same("overtime", here.overtime.as_ref(), there.overtime.as_ref(), |v| format!("{v:?}")),
            early(&here, &there),
            strike(&here, &there, claims),
            rounding(&here, &there),
            form(&here, &there),
            decider(&here, &there),
        ];
        Gate { here, there, compared }
    }

    /// Fields without which a claim of this kind cannot be traded by rule.
    #[must_use]
    pub fn needed(claim: &Claim) -> &'static [&'static str] {
        match claim.kind {
            Kind::GameMoneyline
            | Kind::GameSpread
            | Kind::GameTotal
            | Kind::GameBothScore
            | Kind::GameScore
            | Kind::EsportsMatch
            | Kind::EsportsMap => &["cancelled", "postponed"],
            Kind::AssetPrice => &["source", "cut-off", "strike"],
            Kind::Economic | Kind::Weather => &["source", "strike"],
            Kind::CentralBank => &["source", "cancelled"],
            Kind::Deadline | Kind::Other => &["cut-off", "source"],
            // Who leads a table can share the lead.
            Kind::Award | Kind::Competition
                if claim.has(Class::Verb, "lead") || claim.has(Class::Award, "golden-boot") =>
            {
                &["source", "tie"]
            }
            Kind::Election | Kind::Nomination | Kind::Seats | Kind::Award | Kind::Competition => {
                &["source"]
            }
        }
    }
}

fn compared(field: &str, relation: Relation, texts: [(String, String); 2]) -> Compared {
    let [(here, here_text), (there, there_text)] = texts;
    Compared { field: field.to_owned(), relation, here, there, here_text, there_text }
}

fn sides<T>(
    here: Option<&Read<T>>,
    there: Option<&Read<T>>,
    show: impl Fn(&T) -> String,
) -> [(String, String); 2] {
    [here, there].map(|side| {
        side.map_or_else(Default::default, |read| (show(&read.value), read.text.clone()))
    })
}

fn same<T: PartialEq>(
    field: &str,
    here: Option<&Read<T>>,
    there: Option<&Read<T>>,
    show: impl Fn(&T) -> String,
) -> Compared {
    let relation = match (here, there) {
        (Some(a), Some(b)) if a.value == b.value => Relation::Equal,
        (Some(_), Some(_)) => Relation::Different,
        _ => Relation::Unknown,
    };
    compared(field, relation, sides(here, there, show))
}

/// Who publishes. Two price feeds or weather stations are two numbers; two newspapers are not.
fn sources(here: &Record, there: &Record, claims: [&Claim; 2]) -> Compared {
    let (a, b) = (here.sources.as_ref(), there.sources.as_ref());
    let figure =
        claims.iter().any(|c| matches!(c.kind, Kind::AssetPrice | Kind::Economic | Kind::Weather));
    let relation = match (a, b) {
        (Some(a), Some(b)) if a.value == b.value => Relation::Equal,
        (Some(a), Some(b)) if a.value.iter().any(|s| b.value.contains(s)) => Relation::Compatible,
        (Some(_), Some(_)) if figure => Relation::Different,
        (Some(_), Some(_)) => Relation::Compatible,
        _ => Relation::Unknown,
    };
    compared("source", relation, sides(a, b, |list| list.join(", ")))
}

/// Words against words decide. When trading ends by plan says something only where both agree.
fn cutoff(here: &Record, there: &Record) -> Compared {
    let (a, b) = (here.cutoff.as_ref(), there.cutoff.as_ref());
    let relation = match (a.map(|r| &r.value), b.map(|r| &r.value)) {
        (Some(a), Some(b)) => {
            let clocks = a.minute.zip(b.minute).is_none_or(|(a, b)| a == b);
            let same = a.day == b.day && clocks;
            match (same, a.scheduled || b.scheduled) {
                (true, _) => Relation::Equal,
                (false, true) => Relation::Unknown,
                (false, false) => Relation::Different,
            }
        }
        _ => Relation::Unknown,
    };
    let show = |cutoff: &Cutoff| match cutoff.minute {
        Some(minute) => format!("{} {:02}:{:02}", cutoff.day, minute / 60, minute % 60),
        None => cutoff.day.clone(),
    };
    compared("cut-off", relation, sides(a, b, show))
}

fn early(here: &Record, there: &Record) -> Compared {
    let (a, b) = (here.early_close.as_ref(), there.early_close.as_ref());
    let relation = match (a, b) {
        (Some(a), Some(b)) if a.value == b.value => Relation::Equal,
        // An early end changes when money comes back, not which side it goes to.
        (Some(_), Some(_)) => Relation::Compatible,
        _ => Relation::Unknown,
    };
    compared("early close", relation, sides(a, b, ToString::to_string))
}

fn strike(here: &Record, there: &Record, claims: [&Claim; 2]) -> Compared {
    let texts = sides(here.strike.as_ref(), there.strike.as_ref(), String::clone);
    let (a, b) = (&claims[0].quantities, &claims[1].quantities);
    if let (Some(x), Some(y)) = (&claims[0].game, &claims[1].game) {
        let relation = if x.line == y.line || x.line.zip(y.line).is_some_and(|(x, y)| x == -y) {
            Relation::Equal
        } else {
            Relation::Unknown
        };
        return compared("strike", relation, texts);
    }
    if a.is_empty() && b.is_empty() {
        return compared("strike", Relation::Equal, texts);
    }
    let worst = a.iter().map(|x| b.iter().map(|y| x.compare(*y)).find(|m| *m != Match::Different));
    let relation = worst.fold(Relation::Equal, |so_far, found| match found {
        Some(Match::Equal | Match::Complement) => so_far,
        // At a price in cents nobody meets the bound itself; a printed figure does.
        Some(Match::Boundary | Match::ComplementBoundary)
            if a.iter().chain(b).all(|q| q.bare || q.unit == Unit::Dollar) =>
        {
            if so_far == Relation::Equal { Relation::Compatible } else { so_far }
        }
        Some(_) => Relation::Different,
        None => {
            if so_far == Relation::Different {
                so_far
            } else {
                Relation::Unknown
            }
        }
    });
    compared("strike", relation, texts)
}

fn rounding(here: &Record, there: &Record) -> Compared {
    let (a, b) = (here.rounding.as_ref(), there.rounding.as_ref());
    let relation = match (a, b) {
        (None, None) => Relation::Equal,
        (Some(a), Some(b)) if a.value == b.value => Relation::Equal,
        _ => Relation::Unknown,
    };
    compared("rounding", relation, sides(a, b, String::clone))
}

fn form(here: &Record, there: &Record) -> Compared {
    let (a, b) = (here.form.as_ref(), there.form.as_ref());
    let relation = match (a, b) {
        (Some(a), Some(b)) if a.value == b.value => Relation::Equal,
        (Some(a), Some(b)) if a.value == Form::Scalar || b.value == Form::Scalar => {
            Relation::Different
        }
        // Half a dollar here and a fair price there come only with the cases compared above.
        (Some(_), Some(_)) => Relation::Compatible,
        _ => Relation::Unknown,
    };
    compared("form", relation, sides(a, b, |v| format!("{v:?}")))
}

fn decider(here: &Record, there: &Record) -> Compared {
    let (a, b) = (here.decider.as_ref(), there.decider.as_ref());
    let relation = if a == b { Relation::Equal } else { Relation::Compatible };
    compared("decider", relation, sides(a, b, String::clone))
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
