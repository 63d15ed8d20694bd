//! When a game is played: by its ticker, a typed field, its slug, its title or its rules.

use crate::game::{ticker_day, ticker_event};
use crate::listing::Listing;
use crate::span::{SpanKind, spans};
use crate::token::tokens;
use crate::when::{Day, UnixTime};

/// Local day and start: by ticker, typed field or slug.
pub(crate) fn times(listing: &Listing) -> (Option<Day>, Option<UnixTime>) {
    if let Some(event) = ticker_event(listing) {
        let day = event.get(..7).and_then(ticker_day);
        let clock = event.get(7..11).filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
        let start = day.zip(clock).and_then(|(day, clock)| {
            let hour: i64 = clock.get(..2)?.parse().ok()?;
            let minute: i64 = clock.get(2..)?.parse().ok()?;
            (hour < 24 && minute < 60)
                .then(|| UnixTime::from_eastern(day, hour * 3600 + minute * 60))
        });
        return (day, start.or(listing.sport.start));
    }
    let start = listing.sport.start;
    let dated = |text: &str| {
        (0..text.len().saturating_sub(9)).find_map(|at| {
            let part = text.get(at..at + 10)?;
            UnixTime::parse(part).map(UnixTime::day)
        })
    };
    let dated = dated(&listing.slug).or_else(|| dated(crate::token::bounded(&listing.title)));
    let dated = dated.or(start.map(UnixTime::eastern_day));
    (dated.or_else(|| named_day(listing)).or_else(|| scheduled_day(listing)), start)
}

/// The one day on which a title says that the game is; its year is that of the end of trading.
fn named_day(listing: &Listing) -> Option<Day> {
    let found = tokens(&listing.title);
    let anchor = listing.close.map(UnixTime::eastern_day);
    let all = spans(&found, &mut vec![false; found.len()], anchor);
    match all.as_slice() {
        [one] if one.kind == SpanKind::On && one.year_known => Some(one.first),
        _ => None,
    }
}

/// The day for which the rules say that the game is scheduled.
fn scheduled_day(listing: &Listing) -> Option<Day> {
    const QUOTE: usize = 60;
    let rules = crate::token::bounded(&listing.rules);
    let (_, rest) = rules
        .split_once("scheduled for ")
        .or_else(|| rules.split_once("scheduled to take place on "))?;
    let near =
        rest.char_indices().nth(QUOTE).map_or(rest, |(end, _)| rest.get(..end).unwrap_or(rest));
    let found = tokens(near);
    let anchor = listing.close.map(UnixTime::eastern_day);
    let all = spans(&found, &mut vec![false; found.len()], anchor);
    all.first().filter(|one| one.first == one.last && one.year_known).map(|one| one.first)
}
