//! How each side resolves, as typed fields with the words that they were read from.

use serde::{Deserialize, Serialize};

use crate::claim::{Claim, Kind};
use crate::listing::{Listing, Venue};
use crate::rules::{Clause, Rules};
use crate::when::Day;

pub use crate::gate_compare::Gate;

/// What a side pays when an event does not run its course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pays {
    /// NO pays.
    No,
    /// YES pays.
    Yes,
    /// Each side pays half a dollar.
    Half,
    /// The venue sets a fair price.
    FairPrice,
    /// The market stays open until it is decided.
    Waits,
    /// Another outcome of the event, such as `Other` or the next in an order, or what no table
    /// knows: two of these are alike where their words are.
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
    /// The zone of that clock, where the words name one.
    #[serde(default)]
    pub zone: Option<String>,
    /// Whether no words say so, and it is only when trading ends by plan.
    pub scheduled: bool,
    /// Whether it is a deadline of the rules, and not a date of the title alone.
    #[serde(default)]
    pub stated: bool,
}

impl Cutoff {
    /// A day of a title, with a clock where there is one.
    pub(crate) fn at(day: Day, clock: Option<crate::rules::Clock>) -> Cutoff {
        let (minute, zone) = clock.map_or((None, None), |(minute, zone)| (Some(minute), zone));
        Cutoff { day: day.text(), minute, zone, scheduled: false, stated: false }
    }
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
    /// When one side gives up.
    pub forfeit: Option<Read<Pays>>,
    /// When nobody has published or declared a result.
    pub undecided: Option<Read<Pays>>,
    /// Until when that is waited for.
    pub undecided_until: Option<Read<String>>,
    /// Extra time.
    pub overtime: Option<Read<Overtime>>,
    /// Whether it can end before its date.
    pub early_close: Option<Read<bool>>,
    /// `>` or `>=` at the strike.
    pub strike: Option<Read<String>>,
    /// How the published figure is rounded.
    pub rounding: Option<Read<String>>,
    /// Which of several prints of the figure counts.
    pub revision: Option<Read<String>>,
    /// Whether the figure is seasonally adjusted.
    pub adjustment: Option<Read<String>>,
    /// What makes somebody the winner of an office.
    pub standard: Option<Read<String>>,
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
        // A case that is spoken of is not a case on which the rules are silent, whatever they say.
        let pays = |clause: Option<&Clause>| {
            clause.map(|c| Read { value: c.pays.unwrap_or(Pays::Other), text: c.text.clone() })
        };
        let until = |clause: Option<&Clause>| {
            clause.and_then(|c| c.until.clone().map(|value| Read { value, text: c.text.clone() }))
        };
        let office = matches!(claim.kind, Kind::Election | Kind::Nomination | Kind::Seats);
        let mut sources: Vec<String> =
            listing.sources.iter().flat_map(|s| crate::publishers::publishers(s)).collect();
        sources.extend(rules.publishers.iter().cloned());
        sources.sort();
        sources.dedup();
        let any = |value: Pays| {
            [&rules.cancelled, &rules.postponed, &rules.tie, &rules.forfeit, &rules.undecided]
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
            postponed_until: until(rules.postponed.as_ref()),
            tie: pays(rules.tie.as_ref()),
            forfeit: pays(rules.forfeit.as_ref()),
            undecided: pays(rules.undecided.as_ref()),
            undecided_until: until(rules.undecided.as_ref()),
            overtime: rules.overtime.clone(),
            early_close: early,
            strike,
            rounding: rules.rounding.clone(),
            revision: rules.revision.clone(),
            adjustment: rules.adjustment.clone(),
            standard: rules.standard.clone().filter(|_| office),
            form: known.then(|| Read { value: form, text: String::new() }),
            decider: Some(Read { value: decider.to_owned(), text: why.to_owned() }),
        }
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
