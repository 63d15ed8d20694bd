use std::collections::VecDeque;
use std::convert::Infallible;

use serde_json::json;

use super::*;

/// Answers in their order, whatever is asked.
#[derive(Default)]
struct Canned {
    answers: VecDeque<Result<Value, Trouble>>,
    asked: Vec<String>,
    rests: usize,
}

impl Source for Canned {
    fn get(&mut self, _: Venue, path: &str, query: &str) -> Result<Value, Trouble> {
        self.asked.push(format!("{path}?{query}"));
        let none = || Err(Trouble { what: "nobody answers".into(), again: false });
        self.answers.pop_front().unwrap_or_else(none)
    }

    fn rest(&mut self, _: Duration) {
        self.rests += 1;
    }
}

/// Ids in the order in which they came.
#[derive(Default)]
struct Ids(Vec<String>);

impl Keep for Ids {
    type Error = Infallible;

    fn keep(&mut self, page: &[Found]) -> Result<Kept, Infallible> {
        let before = self.0.len();
        for one in page {
            if !self.0.contains(&one.id().to_owned()) {
                self.0.push(one.id().to_owned());
            }
        }
        Ok(Kept { changed: self.0.len() - before, new: self.0.len() - before })
    }
}

fn event(ticker: &str) -> Value {
    json!({"event_ticker": ticker, "series_ticker": "KXA"})
}

fn page(cursor: &str, tickers: &[&str]) -> Result<Value, Trouble> {
    let events: Vec<Value> = tickers.iter().map(|ticker| event(ticker)).collect();
    Ok(json!({"cursor": cursor, "events": events}))
}

fn trouble(again: bool) -> Result<Value, Trouble> {
    Err(Trouble { what: "GET /events: HTTP 503".into(), again })
}

fn crawl(
    venue: Venue,
    scope: Scope,
    answers: Vec<Result<Value, Trouble>>,
) -> (Account, Vec<String>, Canned) {
    let mut source = Canned { answers: answers.into(), ..Canned::default() };
    let mut keep = Ids::default();
    let mut ignore = |_: Progress| {};
    let mut crawl = Crawl::new(&mut source, &mut keep, &mut ignore);
    crawl.venue(venue, scope).unwrap();
    let account = crawl.end();
    (account, keep.0, source)
}

const SERIES: fn() -> Result<Value, Trouble> = || Ok(json!({"series": []}));

#[test]
fn a_listing_is_read_to_its_end_and_its_cursors_are_escaped() {
    let answers = vec![SERIES(), page("a+b=", &["A", "B"]), page("", &["C"]), page("", &[])];
    let (account, ids, source) = crawl(Venue::Kalshi, Scope::Whole, answers);
    assert_eq!(ids, ["A", "B", "C"]);
    assert_eq!((account.pages, account.rows, account.complete), (4, 3, [true; 2]));
    assert!(source.asked[2].ends_with("status=open&cursor=a%2Bb%3D"), "{}", source.asked[2]);
    assert!(account.notes.is_empty());
}

#[test]
fn a_cursor_that_repeats_or_starts_over_ends_the_listing_as_incomplete() {
    let again = vec![SERIES(), page("x", &["A"]), page("x", &["B"]), page("", &[])];
    let (account, ids, _) = crawl(Venue::Kalshi, Scope::Whole, again);
    assert_eq!((ids.join(" "), account.complete[0]), ("A B".to_owned(), false));
    assert!(account.notes[0].contains("cursor repeats"), "{:?}", account.notes);
    // The venue takes a garbage cursor for none, and answers with the first page.
    let over = vec![SERIES(), page("x", &["A"]), page("y", &["A"]), page("", &[])];
    let (account, ids, _) = crawl(Venue::Kalshi, Scope::Whole, over);
    assert_eq!((ids.join(" "), account.complete[0]), ("A".to_owned(), false));
    assert!(account.notes[0].contains("repeats what came before"), "{:?}", account.notes);
}

#[test]
fn what_came_before_a_failure_is_kept_and_the_rest_goes_on() {
    let mut answers = vec![SERIES(), page("x", &["A"])];
    answers.extend((0..4).map(|_| trouble(true)));
    answers.push(page("", &["U"]));
    let (account, ids, source) = crawl(Venue::Kalshi, Scope::Whole, answers);
    assert_eq!((ids.join(" "), account.complete), ("A U".to_owned(), [false, true]));
    assert_eq!(source.rests, 3, "four tries");
    assert!(account.notes[0].contains("page 2: GET /events: HTTP 503 (tried 4 times)"));
    // A refusal is not asked again.
    let (account, _, source) = crawl(Venue::Polymarket, Scope::Whole, vec![trouble(false)]);
    assert_eq!((account.complete[1], source.rests, source.asked.len()), (false, 0, 2));
}

#[test]
fn a_row_twice_on_a_page_counts_once_and_a_broken_row_is_said() {
    let twice = Ok(json!({"cursor": "", "events": [event("A"), 5, {"x": 1}, event("A"),
        {"event_ticker": "B", "markets": [{"ticker": "B-1", "status": "hibernating"}]}]}));
    let (account, ids, _) =
        crawl(Venue::Kalshi, Scope::Whole, vec![SERIES(), twice, page("", &[])]);
    assert_eq!(ids, ["A", "B", "B-1"]);
    assert!(account.complete[0], "the listing itself came whole");
    assert!(account.notes[0].contains("\"hibernating\" is new"), "{:?}", account.notes);
}

fn markets(cursor: &str, rows: &[(u8, i64)]) -> Result<Value, Trouble> {
    let market = |(id, day): &(u8, i64)| json!({"conditionId": format!("0x{:064x}", id), "updatedAt": format!("2026-11-{day:02}T00:00:00Z")});
    Ok(json!({"next_cursor": cursor, "markets": rows.iter().map(market).collect::<Vec<_>>()}))
}

#[test]
fn changes_end_where_nothing_newer_follows_and_only_where_the_order_was_kept() {
    let none = || Ok(json!({"events": []}));
    let since = Scope::Since(super::super::moment::parse("2026-11-20").unwrap());
    let sorted = vec![none(), markets("x", &[(1, 21), (2, 10)]), markets("", &[(3, 9)])];
    let (account, ids, source) = crawl(Venue::Polymarket, since, sorted);
    assert_eq!((ids.len(), source.asked.len(), account.complete[1]), (2, 2, true));
    let unsorted = vec![none(), markets("x", &[(1, 10), (2, 21)]), markets("", &[(3, 21)])];
    let (_, ids, _) = crawl(Venue::Polymarket, since, unsorted);
    assert_eq!(ids.len(), 3);
}
