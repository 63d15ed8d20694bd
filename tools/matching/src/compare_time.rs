//! When: deadlines, periods, days and times of day of two claims.

use crate::alias::Class;
use crate::claim::{Claim, Kind};
use crate::compare::{Findings, trades_on};
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
pub(crate) fn dates(found: &mut Findings<'_>) {
    let (a, b) = (main_span(found.a), main_span(found.b));
    let beside = |claim: &Claim| claim.spans.iter().filter(|s| s.also).count();
    let (relation, penalty) = match (a, b) {
        // In June and July is not in one of them.
        (Some(_), Some(_)) if beside(found.a) != beside(found.b) => (Relation::Different, 500),
        (Some(x), Some(y)) => both(x, y, found.a, found.b),
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
    let touching = a.kind == Kind::AssetPrice || b.kind == Kind::AssetPrice;
    match (x.kind, y.kind) {
        (SpanKind::Deadline, SpanKind::Deadline) => match late {
            0 => (Relation::Equal, 0),
            1 => (Relation::Compatible, 60),
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
pub(crate) fn clocks(found: &mut Findings<'_>) {
    let (a, b) = (found.a.clocks.last().copied(), found.b.clocks.last().copied());
    // A window of minutes ends when trading does.
    let (a, b) = (a.or_else(|| window_end(found.a)), b.or_else(|| window_end(found.b)));
    let (Some(a), Some(b)) = (a, b) else { return };
    let eastern = |(minute, utc): (i32, bool), claim: &Claim| -> i32 {
        if !utc {
            return minute;
        }
        let day = main_span(claim).map_or(Day::default(), |span| span.last);
        let at = UnixTime(day.start().0 + i64::from(minute) * 60);
        i32::try_from(at.eastern().second_of_day() / 60).unwrap_or(minute)
    };
    let (here, there) = (eastern(a, found.a), eastern(b, found.b));
    let relation = if here == there { Relation::Equal } else { Relation::Different };
    let show = |minute: i32| format!("{:02}:{:02} ET", minute / 60, minute % 60);
    let penalty = if here == there { 0 } else { 500 };
    found.add("time of day", relation, penalty, || (show(here), show(there)));
}
