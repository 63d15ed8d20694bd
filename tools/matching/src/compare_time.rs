//! When: deadlines, periods, days and times of day of two claims.

use crate::alias::Class;
use crate::claim::{Claim, Kind};
use crate::compare::{Findings, trades_on};
use crate::context::Context;
use crate::judgement::Relation;
use crate::span::{Span, SpanKind};
use crate::when::{Day, UnixTime};

/// The dates that matter: a deadline before a day, a day before a month, a month before a year.
fn main_span(claim: &Claim) -> Option<&Span> {
    let deadline =
        claim.spans.iter().filter(|s| s.kind == SpanKind::Deadline).max_by_key(|s| s.last);
    let shortest = claim.spans.iter().min_by_key(|s| s.last.0 - s.first.0);
    deadline.or(shortest)
}

fn text(span: Option<&Span>, claim: &Claim) -> String {
    match (span, claim.close) {
        (Some(span), _) => format!("{} ({} to {})", span.text, span.first.text(), span.last.text()),
        (None, Some(close)) => format!("trades until {}", close.text()),
        (None, None) => String::new(),
    }
}

/// Compares what both say of when.
pub(crate) fn dates(found: &mut Findings<'_>, contexts: [&Context; 2]) {
    let (a, b) = (main_span(found.a), main_span(found.b));
    let beside = |claim: &Claim| claim.spans.iter().filter(|s| s.also).count();
    let (relation, penalty) = match (a, b) {
        (Some(x), Some(y)) if later_than(x, y) => {
            // Later than a day is not up to that day; who remains until it may go after it.
            let remains = [found.a, found.b].iter().any(|c| c.has(Class::Verb, "remain"));
            found.inverted ^= !remains;
            (Relation::Compatible, 60)
        }
        // In June and July is not in one of them.
        (Some(_), Some(_)) if beside(found.a) != beside(found.b) => (Relation::Different, 500),
        (Some(x), Some(y)) if of_week(x, y, found) => (Relation::Compatible, 40),
        (Some(x), Some(y)) => both(x, y, found.a, found.b),
        // What one title leaves out, its rules may say.
        (Some(x), None) if says_day(contexts[1], x) => (Relation::Compatible, 20),
        (None, Some(y)) if says_day(contexts[0], y) => (Relation::Compatible, 20),
        (None, None) if contexts[0].days.iter().any(|day| contexts[1].days.contains(day)) => {
            (Relation::Compatible, 20)
        }
        (Some(_), None) | (None, Some(_)) if same_end(found.a, found.b) => {
            (Relation::Compatible, 60)
        }
        (Some(x), None) => one(x, found.b),
        (None, Some(y)) => one(y, found.a),
        (None, None) => neither(found.a, found.b),
    };
    let (here, there) = (found.a, found.b);
    found.add("date", relation, penalty, || (text(a, here), text(b, there)));
}

/// Whether rules name the last day of a date.
fn says_day(context: &Context, span: &Span) -> bool {
    span.year_known && span.kind != SpanKind::After && context.days.contains(&span.last)
}

/// Whether one names a week, and the other the day on which `this week` ends.
fn of_week(x: &Span, y: &Span, found: &Findings<'_>) -> bool {
    let week = |span: &Span| span.kind == SpanKind::Within && (5..=8).contains(&days(span));
    let day = |span: &Span, claim: &Claim| {
        span.kind == SpanKind::On && claim.text.to_lowercase().contains("week")
    };
    x.last == y.last && (week(x) && day(y, found.b) || week(y) && day(x, found.a))
}

/// Whether one happens up to the day after which the other does.
fn later_than(x: &Span, y: &Span) -> bool {
    let kinds = [x.kind, y.kind];
    let both = [SpanKind::After, SpanKind::Deadline].iter().all(|kind| kinds.contains(kind));
    both && x.last == y.last && x.year_known && y.year_known
}

/// A period shorter than the shortest month.
const SHORT_DAYS: i32 = 28;

fn days(span: &Span) -> i32 {
    span.last.0 - span.first.0 + 1
}

fn both(x: &Span, y: &Span, a: &Claim, b: &Claim) -> (Relation, i32) {
    let different = (Relation::Different, 500);
    if !(x.year_known && y.year_known) {
        let of_year = |day: Day| (day.civil().1, day.civil().2);
        let same = of_year(x.last) == of_year(y.last);
        return if same { (Relation::Compatible, 40) } else { different };
    }
    let late = (x.last.0 - y.last.0).abs();
    // A bank may decide before the month that one title names alone.
    let decided = a.kind == Kind::CentralBank && b.kind == Kind::CentralBank;
    let ends = [x, y].iter().filter(|s| s.kind == SpanKind::Deadline).count();
    let month = [x, y].iter().any(|s| s.kind == SpanKind::Within && days(s) <= 31);
    if decided && ends == 1 && month {
        return different;
    }
    // Who controls the Senate after 2026 is who won it then.
    let after = x.kind == SpanKind::After || y.kind == SpanKind::After;
    if after && !(trades_on(a) || trades_on(b)) {
        return if x.kind == y.kind && late == 0 { (Relation::Equal, 0) } else { different };
    }
    let touching = a.kind == Kind::AssetPrice || b.kind == Kind::AssetPrice;
    match (x.kind, y.kind) {
        (SpanKind::Deadline, SpanKind::Deadline) => match late {
            0 => (Relation::Equal, 0),
            _ => different,
        },
        (SpanKind::Deadline, SpanKind::On) | (SpanKind::On, SpanKind::Deadline) => {
            if late <= 1 && !touching { (Relation::Compatible, 60) } else { different }
        }
        // At any time up to a day is not within the last few days before it.
        (SpanKind::Deadline, _) if days(y) < SHORT_DAYS => different,
        (_, SpanKind::Deadline) if days(x) < SHORT_DAYS => different,
        (SpanKind::Deadline, _) | (_, SpanKind::Deadline) => match late {
            0 => (Relation::Compatible, 0),
            1 => (Relation::Compatible, 60),
            _ => different,
        },
        _ if x.first == y.first && x.last == y.last => (Relation::Equal, 0),
        _ if x.season && y.season => different,
        _ if x.season || y.season => {
            let years = |s: &Span| [s.first.year(), s.last.year()];
            let meet = years(x).iter().any(|year| years(y).contains(year));
            if meet { (Relation::Compatible, 60) } else { different }
        }
        _ => {
            let (narrow, wide) =
                if x.last.0 - x.first.0 < y.last.0 - y.first.0 { (x, y) } else { (y, x) };
            let inside = wide.first <= narrow.first && narrow.last <= wide.last;
            let scheduled = trades_on(a) || trades_on(b) || a.kind == Kind::CentralBank;
            if inside && scheduled { (Relation::Compatible, 40) } else { different }
        }
    }
}

/// The day on which trading ends: a time of midnight UTC is a date.
fn close_day(claim: &Claim) -> Option<Day> {
    let close = claim.close?;
    Some(if close.second_of_day() == 0 { close.day() } else { close.eastern_day() })
}

/// Both venues end trading on one day: then one title only leaves the date out, unless its ticker
/// names another year.
fn same_end(a: &Claim, b: &Claim) -> bool {
    let (Some(x), Some(y)) = (close_day(a), close_day(b)) else { return false };
    let year = |claim: &Claim| main_span(claim).map(|s| s.last.year()).or(claim.ticker_year);
    let years = match (year(a), year(b)) {
        (Some(x), Some(y)) => (x - y).abs() <= 1,
        _ => true,
    };
    (x.0 - y.0).abs() <= 1 && years
}

/// One title gives a date; the other's ticker or end of trading must fit.
fn one(span: &Span, other: &Claim) -> (Relation, i32) {
    let different = (Relation::Different, 500);
    if !span.year_known {
        return (Relation::Unknown, 60);
    }
    if span.kind == SpanKind::After {
        return (Relation::Unknown, 150);
    }
    let whole_year = span.last.0 - span.first.0 >= 300 || span.season;
    let close = close_day(other);
    if span.kind == SpanKind::Deadline {
        let Some(close) = close else { return (Relation::Unknown, 60) };
        let late = close.0 - span.last.0;
        return match late.abs() {
            0 | 1 => (Relation::Compatible, 10),
            2 | 3 => (Relation::Compatible, 50),
            // The listing trades on, and what it is about is decided at once.
            _ if trades_on(other) && late > 0 => (Relation::Unknown, 100),
            _ => different,
        };
    }
    let years = span.first.year()..=span.last.year();
    if let Some(year) = other.ticker_year {
        // A ticker may name the first day of the next year, on which the market ends.
        let ends_next = close.is_some_and(|day| day.0 - span.last.0 <= 45);
        if years.contains(&year) || (years.contains(&(year - 1)) && ends_next) {
            if whole_year {
                return (Relation::Compatible, 10);
            }
        } else if other.league.as_deref() == Some("nfl")
            && years.contains(&(year - 1))
            && whole_year
        {
            // A season is named by its first year, and the event that ends it by the next.
            return (Relation::Compatible, 60);
        } else {
            return different;
        }
    }
    let Some(close) = close else { return (Relation::Unknown, 40) };
    let (early, late) = (span.first.0 - close.0, close.0 - span.last.0);
    let slack = if whole_year || trades_on(other) { 800 } else { 45 };
    if early <= 2 && late <= slack { (Relation::Compatible, 30) } else { different }
}

/// No title gives a date: the ends of trading must not be years apart.
fn neither(a: &Claim, b: &Claim) -> (Relation, i32) {
    let (Some(x), Some(y)) = (close_day(a), close_day(b)) else { return (Relation::Unknown, 20) };
    let apart = (x.0 - y.0).abs();
    match apart {
        0..=3 => (Relation::Compatible, 0),
        4..=120 => (Relation::Unknown, 20),
        121..=800 if trades_on(a) || trades_on(b) => (Relation::Unknown, 40),
        _ => (Relation::Unknown, 150),
    }
}

/// The minute at which a window ends whose title does not name it.
fn window_end(claim: &Claim) -> Option<(i32, bool)> {
    let close = claim.close.filter(|close| close.second_of_day() != 0)?;
    let window = claim.values(Class::Narrow)?.iter().any(|value| value.ends_with(" minutes"));
    let minute = i32::try_from(close.eastern().second_of_day() / 60).ok()?;
    (window && claim.kind == Kind::AssetPrice).then_some((minute, false))
}

/// Compares times of day.
pub(crate) fn clocks(found: &mut Findings<'_>, contexts: [&Context; 2]) {
    let titles = [found.a.clocks.last().copied(), found.b.clocks.last().copied()];
    // A window of minutes ends when trading does.
    let a = titles[0].or_else(|| window_end(found.a));
    let b = titles[1].or_else(|| window_end(found.b));
    let claims = [found.a, found.b];
    let said = |at: usize, title: Option<(i32, bool)>| {
        title.map(|clock| vec![eastern(clock, claims[at])]).unwrap_or_else(|| {
            let times = contexts[at].clocks.iter().map(|clock| eastern(*clock, claims[at]));
            let times: Vec<i32> = times.collect();
            if times.is_empty() { price_end(claims[at]).into_iter().collect() } else { times }
        })
    };
    // Where no title says the hour, a price is that of the hour in the rules.
    let hourly = claims.iter().all(|claim| {
        let on_a_day = main_span(claim).is_some_and(|span| span.kind == SpanKind::On);
        claim.kind == Kind::AssetPrice && on_a_day && !claim.quantities.is_empty()
    });
    let (here, there) = match (a, b) {
        (Some(a), Some(b)) => (vec![eastern(a, found.a)], vec![eastern(b, found.b)]),
        // What the rules say is not known yet.
        _ if contexts.iter().any(|context| context.is_everything()) => return,
        (None, None) if contexts.iter().any(|context| context.clocks.is_empty()) => return,
        _ if hourly => (said(0, a), said(1, b)),
        _ => return,
    };
    if here.is_empty() || there.is_empty() {
        return;
    }
    let same = here.iter().any(|minute| there.contains(minute));
    let (relation, penalty) = if same { (Relation::Equal, 0) } else { (Relation::Different, 500) };
    let show = |all: &[i32]| {
        let clock = |minute: &i32| format!("{:02}:{:02} ET", minute / 60, minute % 60);
        all.iter().map(clock).collect::<Vec<_>>().join(", ")
    };
    found.add("time of day", relation, penalty, || (show(&here), show(&there)));
}

/// A time of day as minutes in New York.
fn eastern((minute, utc): (i32, bool), claim: &Claim) -> i32 {
    if !utc {
        return minute;
    }
    let day = main_span(claim).map_or(Day::default(), |span| span.last);
    let at = UnixTime(day.start().0 + i64::from(minute) * 60);
    i32::try_from(at.eastern().second_of_day() / 60).unwrap_or(minute)
}

/// The minute at which trading ends on the day of a price: it is taken then.
fn price_end(claim: &Claim) -> Option<i32> {
    let close = claim.close.filter(|close| close.second_of_day() != 0)?.eastern();
    let day = main_span(claim)?.last;
    (close.day() == day).then(|| i32::try_from(close.second_of_day() / 60).ok()).flatten()
}
