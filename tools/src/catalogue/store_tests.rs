use engine::pair::Verdict;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::page::Contents;

const DAY: i64 = 86_400;

fn kalshi_market(changes: &Value) -> Value {
    let mut value = json!({"ticker": "KXA-1-B", "event_ticker": "KXA-1", "status": "active",
        "rules_primary": "If it rains.", "yes_bid_dollars": "0.4000"});
    for (key, change) in changes.as_object().unwrap() {
        value[key] = change.clone();
    }
    value
}

fn keep(store: &mut Store, page: &Value) -> Kept {
    let contents = Contents::of(page);
    assert_eq!(contents.wrong, Vec::<String>::new());
    store.keep(&contents.found).unwrap()
}

fn unmatched(store: &Store, venue: Venue) -> usize {
    store.ids(venue, Which::Unmatched).unwrap().len()
}

#[test]
fn a_second_look_at_the_same_page_changes_nothing_but_quotes() {
    let mut store = Store::in_memory(DAY).unwrap();
    let page = json!({"series": [{"ticker": "KXA", "fee_type": "quadratic"}], "events": [
        {"event_ticker": "KXA-1", "series_ticker": "KXA", "title": "Rain",
         "markets": [kalshi_market(&json!({}))]}]});
    assert_eq!(keep(&mut store, &page), Kept { changed: 3, new: 2 });
    assert_eq!(keep(&mut store, &page), Kept { changed: 0, new: 0 });
    store.all_matched().unwrap();
    let later = kalshi_market(
        &json!({"yes_bid_dollars": "0.4100", "updated_time": "2026-11-21T00:00:00Z"}),
    );
    assert_eq!(keep(&mut store, &later), Kept::default());
    assert_eq!(unmatched(&store, Venue::Kalshi), 0, "a price is no change");
    let row = store.kalshi("KXA-1-B").unwrap().unwrap();
    assert_eq!(row.market.yes_bid.as_deref(), Some("0.4100"));
    assert_eq!(
        (row.event.unwrap().title, row.series.unwrap().fee_type),
        ("Rain".into(), "quadratic".into())
    );

    let ruled = kalshi_market(&json!({"rules_primary": "If it snows."}));
    assert_eq!(keep(&mut store, &ruled), Kept { changed: 1, new: 0 });
    assert_eq!(unmatched(&store, Venue::Kalshi), 1);
    store.all_matched().unwrap();
    // What changed above a market concerns it too.
    keep(&mut store, &json!({"series": [{"ticker": "KXA", "fee_type": "flat"}]}));
    assert_eq!(unmatched(&store, Venue::Kalshi), 1);
}

#[test]
fn what_a_whole_crawl_did_not_show_is_over_and_stays_known() {
    let mut store = Store::in_memory(DAY).unwrap();
    keep(&mut store, &kalshi_market(&json!({})));
    keep(&mut store, &kalshi_market(&json!({"ticker": "KXA-1-C"})));
    assert_eq!(store.counts().unwrap(), [2, 0]);
    store.at(2 * DAY);
    keep(&mut store, &kalshi_market(&json!({})));
    assert_eq!(store.retire(Venue::Kalshi, 2 * DAY).unwrap(), 1);
    assert_eq!(store.counts().unwrap(), [1, 0]);
    assert!(store.kalshi("KXA-1-C").unwrap().is_some());
    // What is over and was never open is not kept.
    keep(&mut store, &kalshi_market(&json!({"ticker": "KXA-0-Z", "status": "finalized"})));
    assert_eq!(store.kalshi("KXA-0-Z").unwrap(), None);
}

#[test]
fn a_page_of_markets_does_not_replace_what_the_events_own_page_said() {
    let mut store = Store::in_memory(DAY).unwrap();
    let condition = format!("0x{}", "ab".repeat(32));
    let market = json!({"conditionId": condition, "outcomes": ["Yes", "No"], "active": true});
    let event = json!({"id": "9", "slug": "s", "tags": [{"slug": "nba"}], "markets": [market]});
    keep(&mut store, &event);
    let mut alone = market.clone();
    alone["events"] = json!([{"id": "9", "slug": "s"}]);
    assert_eq!(keep(&mut store, &alone), Kept::default());
    assert_eq!(keep(&mut store, &market), Kept::default(), "and one without an event is its own");
    let row = store.polymarket(&condition).unwrap().unwrap();
    assert_eq!(row.event.unwrap().tags, ["nba"]);
}

pub(super) fn pair(rules: &str, verdict: Verdict) -> PairRow {
    PairRow {
        id: "kxa-1-b".into(),
        kalshi: "KXA-1-B".into(),
        polymarket: "0xab".into(),
        polarity: "same".into(),
        verdict,
        score: 900,
        judgement: "{}".into(),
        like: "like".into(),
        rules: rules.into(),
        first: String::new(),
        found: 0,
        judged: DAY,
        live: true,
    }
}

fn decide(store: &Store, row: &PairRow, action: Action, like: &str) {
    let decision = Decision {
        pair: row.id.clone(),
        action,
        who: "ann".into(),
        at: DAY,
        why: "read both".into(),
        polarity: row.polarity.clone(),
        rules: row.rules.clone(),
        like: like.into(),
    };
    store.decide(&decision).unwrap();
}

fn stands(store: &Store, id: &str) -> (Verdict, String) {
    let standing = store.standing(&store.pair(id).unwrap().unwrap()).unwrap();
    (standing.verdict, standing.why)
}

#[test]
fn a_change_of_rules_pauses_a_pair_until_a_person_reads_it_again() {
    let store = Store::in_memory(DAY).unwrap();
    store.put_pair(&pair("one", Verdict::Tradable)).unwrap();
    assert_eq!(stands(&store, "kxa-1-b").0, Verdict::Tradable);
    store.put_pair(&pair("two", Verdict::Tradable)).unwrap();
    let (verdict, why) = stands(&store, "KXA-1-B");
    assert_eq!(verdict, Verdict::NeedsReview);
    assert!(why.contains("paused"), "{why}");
    let row = store.pair("0xAB").unwrap().unwrap();
    assert_eq!((row.first.as_str(), row.found), ("one", DAY));
    decide(&store, &row, Action::Approve, "");
    assert_eq!(stands(&store, "kxa-1-b").0, Verdict::Approved);
    store.put_pair(&pair("three", Verdict::Tradable)).unwrap();
    let (verdict, why) = stands(&store, "kxa-1-b");
    assert_eq!(verdict, Verdict::NeedsReview);
    assert!(why.contains("changed since it was approved by ann on 1970-01-02"), "{why}");
}

#[test]
fn a_block_lasts_and_an_approval_of_a_likeness_covers_no_other_verdict() {
    let store = Store::in_memory(DAY).unwrap();
    store.put_pair(&pair("one", Verdict::NeedsReview)).unwrap();
    let other =
        PairRow { id: "other".into(), kalshi: "K".into(), ..pair("x", Verdict::NeedsReview) };
    store.put_pair(&other).unwrap();
    let bad = PairRow { id: "bad".into(), kalshi: "L".into(), ..pair("y", Verdict::Blocked) };
    store.put_pair(&bad).unwrap();
    let row = store.pair("kxa-1-b").unwrap().unwrap();
    decide(&store, &row, Action::Approve, &row.like);
    assert_eq!(stands(&store, "other").0, Verdict::Approved);
    assert!(stands(&store, "other").1.contains("like kxa-1-b, approved by ann"));
    assert_eq!(stands(&store, "bad").0, Verdict::Blocked);
    decide(&store, &row, Action::Block, "");
    store.put_pair(&pair("two", Verdict::Tradable)).unwrap();
    assert_eq!(stands(&store, "kxa-1-b").0, Verdict::Blocked, "whatever the rules say");
    assert_eq!(stands(&store, "other").0, Verdict::NeedsReview, "with it its like are");
    let row = store.pair("other").unwrap().unwrap();
    decide(&store, &row, Action::Reject, "");
    assert_eq!(stands(&store, "other").0, Verdict::Blocked);
}

#[test]
fn an_approval_of_a_likeness_lasts_until_its_own_pair_is_decided_on_again() {
    let store = Store::in_memory(DAY).unwrap();
    let like = |id: &str, ticker: &str| PairRow {
        id: id.into(),
        kalshi: ticker.into(),
        ..pair(id, Verdict::NeedsReview)
    };
    store.put_pair(&like("one", "K1")).unwrap();
    store.put_pair(&like("two", "K2")).unwrap();
    let row = |id: &str| store.pair(id).unwrap().unwrap();
    let kin = row("one").like;
    for taken_back in [Action::Reject, Action::Block, Action::Approve] {
        decide(&store, &row("one"), Action::Approve, &kin);
        assert_eq!(stands(&store, "two").0, Verdict::Approved);
        decide(&store, &row("one"), taken_back, "");
        assert_eq!(stands(&store, "two").0, Verdict::NeedsReview, "{taken_back:?}");
        // One that is listed later is not approved either.
        store.put_pair(&like("late", "K3")).unwrap();
        assert_eq!(stands(&store, "late").0, Verdict::NeedsReview);
    }
    // What was decided on another pair says nothing of this approval, and that pair has its own.
    decide(&store, &row("one"), Action::Approve, &kin);
    decide(&store, &row("two"), Action::Reject, "");
    assert_eq!(stands(&store, "late").0, Verdict::Approved);
    decide(&store, &row("two"), Action::Approve, &kin);
    decide(&store, &row("one"), Action::Reject, "");
    assert_eq!(stands(&store, "late").0, Verdict::Approved);
    assert!(stands(&store, "late").1.contains("like two"));
    // Whoever hears of decisions hears of all that one of them covered.
    let before = store.last_decision().unwrap();
    decide(&store, &row("two"), Action::Block, "");
    let tickers: Vec<String> =
        store.decided_since(before).unwrap().into_iter().map(|(ticker, _)| ticker).collect();
    assert_eq!(tickers, ["K3", "K1", "K2"], "late, one, two");
}

#[test]
fn a_pair_with_an_open_position_is_never_dropped() {
    let mut store = Store::in_memory(DAY).unwrap();
    store.put_pair(&pair("one", Verdict::Tradable)).unwrap();
    store.end_pair("kxa-1-b").unwrap();
    assert!(store.pairs(false).unwrap().is_empty());
    store.hold(&[("kxa-1-b".to_owned(), true)], DAY).unwrap();
    assert_eq!(store.pairs(false).unwrap().len(), 1);
    assert_eq!(store.held().unwrap(), ["kxa-1-b"]);
    store.hold(&[("another".to_owned(), false)], DAY).unwrap();
    assert_eq!(store.held().unwrap(), ["kxa-1-b"], "of it nothing was said");
    store.hold(&[("kxa-1-b".to_owned(), false)], DAY).unwrap();
    assert!(store.pairs(false).unwrap().is_empty());
}

#[test]
fn a_file_survives_its_process_and_another_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalogue.sqlite");
    let mut store = Store::open(&path, DAY).unwrap();
    keep(&mut store, &kalshi_market(&json!({})));
    store.set_remark("crawled", "7").unwrap();
    drop(store);
    let store = Store::open(&path, DAY).unwrap();
    assert_eq!(store.counts().unwrap(), [1, 0]);
    assert_eq!(store.remark("crawled").unwrap().as_deref(), Some("7"));
    assert_eq!(store.remark("-").unwrap(), None);
    store.db.pragma_update(None, "user_version", 9).unwrap();
    drop(store);
    let error = Store::open(&path, DAY).err().unwrap().to_string();
    assert!(error.contains("schema 9 is not 1") && error.contains("catalogue.sqlite"), "{error}");
    std::fs::write(&path, "no database, but long enough to be looked at as one").unwrap();
    assert!(Store::open(&path, DAY).is_err());
}

#[test]
fn decisions_have_numbers_that_grow_and_what_is_new_is_told_by_its_markets() {
    let store = Store::in_memory(DAY).unwrap();
    assert_eq!(store.last_decision().unwrap(), 0);
    let row = pair("rules", Verdict::Tradable);
    store.put_pair(&row).unwrap();
    let decide = |pair: &str, action| {
        let (who, why) = ("ann".to_owned(), "a test".to_owned());
        let (polarity, rules) = (row.polarity.clone(), row.rules.clone());
        let like = String::new();
        let pair = pair.to_owned();
        store.decide(&Decision { pair, action, who, at: 1, why, polarity, rules, like }).unwrap();
        store.last_decision().unwrap()
    };
    let first = decide(&row.id, Action::Approve);
    let second = decide(&row.id, Action::Block);
    assert!(0 < first && first < second);
    let its = vec![(row.kalshi.clone(), row.polymarket.clone())];
    assert_eq!(store.decided_since(0).unwrap(), its, "once");
    assert_eq!(store.decided_since(first).unwrap(), its);
    assert_eq!(store.decided_since(second).unwrap(), []);
    // One of a pair that nobody found covers nothing here.
    let third = decide("unknown", Action::Block);
    assert!(third > second && store.decided_since(second).unwrap().is_empty());
}
