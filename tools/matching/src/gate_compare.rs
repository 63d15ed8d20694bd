//! Both sides' records, field by field.

use serde::{Deserialize, Serialize};

use crate::alias::Class;
use crate::claim::{Claim, Kind};
use crate::gate::{Cutoff, Form, Overtime, Pays, Read, Record};
use crate::judgement::{Compared, Relation};
use crate::listing::Listing;
use crate::quantity::{Match, Unit};
use crate::rules_words::other;

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
        let case = |field: &str, of: fn(&Record) -> &Option<Read<Pays>>| {
            paid(field, of(&here).as_ref(), of(&there).as_ref())
        };
        let words = |field: &str, of: fn(&Record) -> &Option<Read<String>>| {
            same(field, of(&here).as_ref(), of(&there).as_ref(), String::clone)
        };
        let compared = vec![
            sources(&here, &there, claims),
            cutoff(&here, &there),
            case("cancelled", |r| &r.cancelled),
            case("postponed", |r| &r.postponed),
            words("postponed until", |r| &r.postponed_until),
            case("tie", |r| &r.tie),
            case("forfeit", |r| &r.forfeit),
            case("no result", |r| &r.undecided),
            words("no result until", |r| &r.undecided_until),
            same("overtime", here.overtime.as_ref(), there.overtime.as_ref(), |v| format!("{v:?}")),
            early(&here, &there),
            strike(&here, &there, claims),
            words("rounding", |r| &r.rounding),
            words("which print", |r| &r.revision),
            words("seasonal adjustment", |r| &r.adjustment),
            words("what wins an office", |r| &r.standard),
            form(&here, &there),
            decider(&here, &there),
        ];
        Gate { here, there, compared }
    }

    /// Fields of which nobody can say whether both sides agree, and that keep the pair from being
    /// traded by rule: what its kind needs, and whatever one side alone speaks of.
    #[must_use]
    pub fn open(&self, claims: [&Claim; 2]) -> Vec<Compared> {
        let needed = claims.map(Gate::needed).concat();
        let unknown = self.compared.iter().filter(|field| field.relation == Relation::Unknown);
        let matters = |field: &&Compared| {
            let name = field.field.as_str();
            needed.contains(&name) || self.is_stated(field, claims)
        };
        unknown.filter(matters).cloned().collect()
    }

    /// Whether a side says something of a field that the other one may contradict by its silence.
    fn is_stated(&self, field: &Compared, claims: [&Claim; 2]) -> bool {
        if field.here.is_empty() && field.there.is_empty() {
            return false;
        }
        match field.field.as_str() {
            // It changes when money comes back, not which side it goes to.
            "early close" => false,
            "overtime" => {
                let counts = |record: &Record| {
                    record.overtime.as_ref().is_none_or(|read| read.value == Overtime::Counts)
                };
                let usual = claims.iter().any(|claim| {
                    claim.league.as_deref().is_some_and(|league| OVERTIME.contains(&league))
                });
                !(usual && counts(&self.here) && counts(&self.there))
            }
            // A date of the title, or when trading ends, is no deadline of the rules.
            "cut-off" => [&self.here, &self.there]
                .into_iter()
                .any(|record| record.cutoff.as_ref().is_some_and(|read| read.value.stated)),
            _ => true,
        }
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

/// Leagues whose games go into overtime, which counts unless somebody says otherwise.
const OVERTIME: &[&str] = &["nba", "wnba", "nfl", "nhl", "mlb", "ncaaf", "ncaam", "cfl"];

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

/// What is paid. Where it is another outcome, its name or its words decide.
fn paid(field: &str, here: Option<&Read<Pays>>, there: Option<&Read<Pays>>) -> Compared {
    let mut compared = same(field, here, there, |value| format!("{value:?}"));
    if let (Some(Read { value: Pays::Other, text: a }), Some(Read { value: Pays::Other, text: b })) =
        (here, there)
        && (other(a) != other(b) || a.ends_with('…'))
    {
        compared.relation = Relation::Different;
    }
    compared
}

/// Who publishes. Two price feeds or weather stations are two numbers; two
/// newsrooms may be.
fn sources(here: &Record, there: &Record, claims: [&Claim; 2]) -> Compared {
    let (a, b) = (here.sources.as_ref(), there.sources.as_ref());
    let figure =
        claims.iter().any(|c| matches!(c.kind, Kind::AssetPrice | Kind::Economic | Kind::Weather));
    let relation = match (a, b) {
        (Some(a), Some(b)) if a.value == b.value => Relation::Equal,
        (Some(a), Some(b)) if a.value.iter().any(|s| b.value.contains(s)) => Relation::Compatible,
        (Some(_), Some(_)) if figure => Relation::Different,
        // Two newsrooms mostly say the same, and a person has to judge when they would not.
        _ => Relation::Unknown,
    };
    compared("source", relation, sides(a, b, |list| list.join(", ")))
}

/// Words against words decide. When trading ends by plan says something only where both agree.
fn cutoff(here: &Record, there: &Record) -> Compared {
    let (a, b) = (here.cutoff.as_ref(), there.cutoff.as_ref());
    let relation = match (a.map(|r| &r.value), b.map(|r| &r.value)) {
        (Some(a), Some(b)) => {
            let planned = a.scheduled || b.scheduled;
            match clocks(a, b) {
                _ if a.day != b.day && planned => Relation::Unknown,
                _ if a.day != b.day => Relation::Different,
                Relation::Different if planned => Relation::Unknown,
                relation => relation,
            }
        }
        _ => Relation::Unknown,
    };
    let show = |cutoff: &Cutoff| match cutoff.minute {
        Some(minute) => {
            let zone = cutoff.zone.as_deref().unwrap_or("(no zone)");
            format!("{} {:02}:{:02} {zone}", cutoff.day, minute / 60, minute % 60)
        }
        None => cutoff.day.clone(),
    };
    compared("cut-off", relation, sides(a, b, show))
}

/// Times of one day. A day without a clock ends when both venues' own clock ends it, in New York.
fn clocks(a: &Cutoff, b: &Cutoff) -> Relation {
    const LAST_MINUTE: i32 = 23 * 60 + 59;
    match (a.minute, b.minute) {
        (None, None) => Relation::Equal,
        (Some(_), Some(_)) if a.zone != b.zone => Relation::Unknown,
        (Some(x), Some(y)) if x == y => Relation::Equal,
        (Some(_), Some(_)) => Relation::Different,
        (Some(minute), None) | (None, Some(minute)) => {
            let zone = a.zone.as_deref().or(b.zone.as_deref());
            match minute == LAST_MINUTE && zone == Some("ET") {
                true => Relation::Compatible,
                false => Relation::Unknown,
            }
        }
    }
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
