use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::catalogue::crawl::Trouble;
use crate::catalogue::page::Contents;

pub(crate) const NOW: i64 = 1_795_284_000; // 2026-11-21 18:00:00 UTC

/// Two venues with a page of each kind.
#[derive(Clone, Default)]
pub(crate) struct Fake {
    pub kalshi: Vec<Value>,
    pub polymarket: Vec<Value>,
    pub down: [bool; 2],
    /// The second page of Polymarket's events, in front of which the first is empty.
    second: Option<Result<Value, Trouble>>,
    /// Rows of each listing beside events and markets, and how often those were asked for.
    beside: Vec<Value>,
    asked_beside: usize,
    beside_down: bool,
    asked: usize,
    /// Who settles what Kalshi lists, and by which terms.
    sources: Vec<Value>,
    terms: &'static str,
}

impl Source for Fake {
    fn get(&mut self, venue: Venue, path: &str, query: &str) -> Result<Value, Trouble> {
        self.asked += 1;
        if self.down[venue.index()] {
            return Err(Trouble { what: format!("GET {path}: no answer"), again: false });
        }
        if ["/tags", "/sports", "/teams"].contains(&path) {
            self.asked_beside += 1;
            if self.beside_down {
                return Err(Trouble { what: format!("GET {path}: no answer"), again: false });
            }
            return Ok(json!(self.beside));
        }
        if let (Some(second), "/events/keyset") = (&self.second, path) {
            return match query.contains("after_cursor") {
                true => second.clone(),
                false => Ok(json!({"events": [], "next_cursor": "x"})),
            };
        }
        Ok(match (venue, path) {
            (Venue::Kalshi, "/events") if query.contains("status=unopened") => {
                json!({"events": []})
            }
            (Venue::Kalshi, "/events") => json!({"events": self.kalshi, "cursor": ""}),
            (Venue::Kalshi, "/markets") => json!({"markets": self.kalshi.iter()
                .flat_map(|e| e["markets"].as_array().unwrap().clone()).collect::<Vec<_>>()}),
            (Venue::Kalshi, path) if path.starts_with("/events/") => {
                json!({"event": self.kalshi[0]})
            }
            (Venue::Polymarket, "/events/keyset") => json!({"events": self.polymarket}),
            (Venue::Polymarket, "/markets/keyset") if query.contains("condition_ids") => {
                json!({"markets": self.polymarket.iter()
                    .flat_map(|event| event["markets"].as_array().unwrap().clone())
                    .filter(|market| query.contains(market["conditionId"].as_str().unwrap()))
                    .collect::<Vec<_>>()})
            }
            (Venue::Polymarket, _) => json!({"markets": []}),
            _ => json!({"series": [{"ticker": "KXFEDDECISION", "fee_type": "quadratic",
                "fee_multiplier": 1, "settlement_sources": self.sources,
                "contract_terms_url": self.terms}]}),
        })
    }

    fn rest(&mut self, _: Duration) {}
}

pub(crate) fn fed(bps: u32) -> Value {
    json!({
        "ticker": format!("KXFEDDECISION-26DEC-C{bps}"), "event_ticker": "KXFEDDECISION-26DEC",
        "status": "active", "market_type": "binary",
        "title": format!("Will the Federal Reserve Cut rates by {bps}bps at their December 2026 meeting?"),
        "yes_sub_title": format!("Cut {bps}bps"), "custom_strike": {"Cut": bps.to_string()},
        "rules_primary": format!("If the Federal Reserve does a Cut of {bps}bps on December 9, 2026, then the market resolves to Yes."),
        "close_time": "2026-12-09T18:59:00Z", "exchange_index": 0,
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
        "yes_bid_dollars": "0.4000", "yes_ask_dollars": "0.4100",
    })
}

pub(crate) fn gamma(bps: u32, id: u8) -> Value {
    json!({
        "conditionId": format!("0x{id:064x}"), "id": id.to_string(), "version": "v1",
        "question": format!("Will the Fed decrease interest rates by {bps} bps after the December 2026 meeting?"),
        "groupItemTitle": format!("{bps} bps decrease"),
        "description": format!("This market will resolve to \"Yes\" if the Federal Reserve lowers the upper bound of the target federal funds rate by {bps} bps at its December 2026 meeting. The resolution source is the FOMC's statement."),
        "outcomes": "[\"Yes\", \"No\"]", "clobTokenIds": format!("[\"{id}1\", \"{id}2\"]"),
        "endDate": "2026-12-09T00:00:00Z", "active": true, "closed": false,
        "acceptingOrders": true, "enableOrderBook": true, "orderPriceMinTickSize": 0.01,
        "orderMinSize": 5, "feesEnabled": true, "feeSchedule": {"rate": 0.05, "exponent": 1},
        "bestBid": 0.5, "bestAsk": 0.51,
    })
}

pub(crate) fn fake() -> Fake {
    Fake {
        kalshi: vec![json!({"event_ticker": "KXFEDDECISION-26DEC",
            "series_ticker": "KXFEDDECISION", "title": "Fed decision in December 2026",
            "mutually_exclusive": true, "markets": [fed(25), fed(50)]})],
        polymarket: vec![json!({"id": "9", "slug": "fed-decision-in-december",
            "title": "Fed decision in December?", "enableNegRisk": true, "seriesSlug": "fomc",
            "markets": [gamma(25, 1), gamma(75, 2)]})],
        ..Fake::default()
    }
}

pub(crate) fn look(discovery: &mut Discovery, fake: &mut Fake, force: bool, now: i64) -> Changes {
    let fresh = Freshness { force, ttl_s: 300 };
    discovery.refresh(fake, fresh, now, &mut |_| {}).unwrap();
    discovery.rematch(now).unwrap()
}

fn discovery() -> Discovery {
    Discovery::new(Store::in_memory(NOW).unwrap())
}

#[test]
fn equal_contracts_are_found_with_tokens_and_a_neighbour_is_not() {
    let (mut discovery, mut fake) = (discovery(), fake());
    let changes = look(&mut discovery, &mut fake, false, NOW);
    assert_eq!(changes.found, ["kxfeddecision-26dec-c25"], "{changes:?}");
    let entries = discovery.entries(NOW).unwrap();
    assert_eq!(entries.len(), 1, "25 bps is neither 50 nor 75");
    assert_eq!(entries[0].polarity, Some(engine::pair::Polarity::Same));
    assert_eq!(entries[0].polymarket.market.tokens, ["11", "12"]);
    assert!(
        entries[0].worth.is_some() && entries[0].gaps() == super::super::table::Gaps::default()
    );
    let alike = discovery.look_alikes(Venue::Kalshi, "KXFEDDECISION-26DEC-C50").unwrap();
    assert!(!alike.is_empty() && !alike[0].judgement.equality.equal);
}

#[test]
fn within_its_time_to_live_nothing_is_asked_and_later_only_changes() {
    let (mut discovery, mut fake) = (discovery(), fake());
    look(&mut discovery, &mut fake, false, NOW);
    let asked = fake.asked;
    look(&mut discovery, &mut fake, false, NOW + 299);
    assert_eq!(fake.asked, asked);
    fake.kalshi[0]["markets"].as_array_mut().unwrap().push(fed(75));
    let changes = look(&mut discovery, &mut fake, false, NOW + 300);
    assert_eq!(changes.found, ["kxfeddecision-26dec-c75"], "a new listing is matched");
    assert_eq!(changes.matched, 1, "and nothing else is");
    let again = look(&mut discovery, &mut fake, true, NOW + 301);
    assert!(again.is_nothing() && again.matched == 0, "{again:?}");
}

#[test]
fn a_venue_that_is_down_drops_nothing() {
    let (mut discovery, mut fake) = (discovery(), fake());
    look(&mut discovery, &mut fake, true, NOW);
    fake.down = [false, true];
    fake.polymarket.clear();
    let fresh = Freshness { force: true, ttl_s: 0 };
    let account = discovery.refresh(&mut fake, fresh, NOW + 10, &mut |_| {}).unwrap().unwrap();
    assert_eq!(account.complete, [true, false]);
    assert!(account.notes[0].contains("no answer"), "{:?}", account.notes);
    assert!(discovery.rematch(NOW + 10).unwrap().is_nothing());
    assert_eq!(discovery.entries(NOW).unwrap().len(), 1);
    // It is back, and no longer lists the market: now the pair is over, unless somebody holds it.
    fake.down = [false; 2];
    let changes = look(&mut discovery, &mut fake, true, NOW + 20);
    assert_eq!(changes.ended, ["kxfeddecision-26dec-c25"]);
    assert!(discovery.entries(NOW).unwrap().is_empty());
    discovery.store.hold(&[(changes.ended[0].clone(), true)], NOW).unwrap();
    let entries = discovery.entries(NOW).unwrap();
    assert!(entries[0].held && !entries[0].row.live);
}

#[test]
fn a_change_of_a_rules_text_pauses_its_pair() {
    let (mut discovery, mut fake) = (discovery(), fake());
    look(&mut discovery, &mut fake, true, NOW);
    let row = discovery.store.pair("kxfeddecision-26dec-c25").unwrap().unwrap();
    discovery
        .store
        .decide(&super::super::store::Decision {
            pair: row.id.clone(),
            action: super::super::store::Action::Approve,
            who: "ann".into(),
            at: NOW,
            why: "read".into(),
            polarity: row.polarity.clone(),
            rules: row.rules.clone(),
            like: String::new(),
        })
        .unwrap();
    fake.kalshi[0]["markets"][0]["rules_secondary"] = json!("An emergency cut counts too.");
    let changes = look(&mut discovery, &mut fake, true, NOW + 10);
    assert_eq!(changes.paused, ["kxfeddecision-26dec-c25"], "{changes:?}");
    let entries = discovery.entries(NOW).unwrap();
    assert_eq!(entries[0].verdict(), Verdict::NeedsReview);
    assert!(entries[0].standing.why.contains("rules changed"), "{}", entries[0].standing.why);
}

#[test]
fn a_change_of_who_settles_or_of_the_contract_pauses_a_pair() {
    let by = |name: &str| vec![json!({"name": name, "url": "https://example.invalid"})];
    let changed: [fn(&mut Fake); 2] = [
        |fake| fake.sources = vec![json!({"name": "Somebody else", "url": ""})],
        |fake| fake.terms = "https://example.invalid/other.pdf",
    ];
    for change in changed {
        let (mut discovery, mut fake) = (discovery(), fake());
        (fake.sources, fake.terms) = (by("Federal Reserve"), "https://example.invalid/one.pdf");
        look(&mut discovery, &mut fake, true, NOW);
        let stands = |discovery: &Discovery| {
            let row = discovery.store.pair("kxfeddecision-26dec-c25").unwrap().unwrap();
            discovery.store.standing(&row).unwrap()
        };
        look(&mut discovery, &mut fake, true, NOW + 10);
        assert!(!stands(&discovery).changed, "nothing changed: {}", stands(&discovery).why);
        change(&mut fake);
        look(&mut discovery, &mut fake, true, NOW + 20);
        assert!(stands(&discovery).changed, "{}", stands(&discovery).why);
    }
}

#[test]
fn an_odd_page_costs_its_own_rows_alone() {
    let page = json!({"events": [{"event_ticker": "E", "markets": [fed(25), {"no": 1}, "x"]}]});
    let contents = Contents::of(&page);
    assert_eq!((contents.found.len(), contents.wrong.len()), (2, 2));
}

#[test]
fn a_listing_that_breaks_off_keeps_what_was_known_and_says_what_is_missing() {
    let trouble = |what: &str| Some(Err(Trouble { what: what.to_owned(), again: true }));
    for (second, said) in [
        (trouble("GET /events/keyset: a page instead of JSON"), "a page instead of JSON"),
        (trouble("GET /events/keyset: EOF while parsing"), "page 2: GET /events/keyset: EOF"),
        (Some(Ok(json!({"events": [], "next_cursor": "x"}))), "its cursor repeats"),
    ] {
        let (mut discovery, mut fake) = (discovery(), fake());
        look(&mut discovery, &mut fake, true, NOW);
        fake.second = second;
        let fresh = Freshness { force: true, ttl_s: 0 };
        let account = discovery.refresh(&mut fake, fresh, NOW + 10, &mut |_| {}).unwrap().unwrap();
        assert_eq!(account.complete, [true, false], "{said}");
        assert!(account.notes.iter().any(|note| note.contains(said)), "{:?}", account.notes);
        assert!(discovery.rematch(NOW + 10).unwrap().is_nothing(), "{said}");
        assert_eq!(discovery.entries(NOW).unwrap().len(), 1, "{said}");
    }
}

#[test]
fn an_id_that_comes_twice_is_one_market_and_its_later_row_counts() {
    let (mut discovery, mut fake) = (discovery(), fake());
    let markets = fake.polymarket[0]["markets"].as_array_mut().unwrap();
    let mut later = markets[0].clone();
    later["bestAsk"] = json!(0.77);
    markets.push(later);
    let changes = look(&mut discovery, &mut fake, true, NOW);
    assert_eq!(changes.found.len(), 1, "{changes:?}");
    let entries = discovery.entries(NOW).unwrap();
    assert_eq!(entries[0].polymarket.market.best_ask.as_deref(), Some("0.77"));
    assert_eq!(discovery.store.counts().unwrap(), [2, 2]);
}

#[test]
fn names_beside_the_markets_are_asked_for_once_a_day_and_judge_anew_where_they_changed() {
    let (mut discovery, mut fake) = (discovery(), fake());
    fake.beside = vec![json!({"id": 1, "league": "nba", "name": "Celtics", "alias": "Shamrocks",
        "abbreviation": "bos"})];
    look(&mut discovery, &mut fake, false, NOW);
    assert_eq!(discovery.store.beside().unwrap().len(), 1);
    let asked = |fake: &Fake| fake.asked_beside;
    assert!(asked(&fake) >= 3);
    let before = asked(&fake);
    let changes = look(&mut discovery, &mut fake, false, NOW + 400);
    assert_eq!((asked(&fake), changes.matched), (before, 0), "not with every look");
    fake.beside.push(json!({"id": 2, "league": "nba", "name": "Lakers", "alias": "Showtime Men"}));
    let changes = look(&mut discovery, &mut fake, false, NOW + 90_000);
    assert!(asked(&fake) > before && changes.matched > 0, "{changes:?}");
    assert_eq!(look(&mut discovery, &mut fake, true, NOW + 90_001).matched, 0);
}

#[test]
fn names_that_do_not_come_are_not_asked_for_with_every_look() {
    let (mut discovery, mut fake) = (discovery(), fake());
    fake.beside_down = true;
    look(&mut discovery, &mut fake, false, NOW);
    assert!(fake.asked_beside > 0);
    let before = fake.asked_beside;
    look(&mut discovery, &mut fake, false, NOW + 400);
    assert_eq!(fake.asked_beside, before);
    (fake.beside_down, fake.beside) = (
        false,
        vec![json!({"id": 1, "league": "nba",
        "name": "Celtics", "alias": "Shamrocks", "abbreviation": "bos"})],
    );
    look(&mut discovery, &mut fake, false, NOW + 4_000);
    assert!(fake.asked_beside > before);
    assert_eq!(discovery.store.beside().unwrap().len(), 1);
}

#[test]
fn the_texts_of_some_pairs_are_read_again_though_everything_is_fresh() {
    let (mut discovery, mut fake) = (discovery(), fake());
    look(&mut discovery, &mut fake, true, NOW);
    let row = |discovery: &Discovery| discovery.store.pairs(false).unwrap().remove(0);
    let stands = |discovery: &Discovery| discovery.store.standing(&row(discovery)).unwrap();
    assert!(!stands(&discovery).changed);
    // Nothing changed: nothing is judged again.
    let rows = [row(&discovery)];
    assert_eq!(discovery.ask_again(&mut fake, &rows, NOW + 1).unwrap(), [""; 0]);
    assert_eq!(discovery.rematch(NOW + 1).unwrap(), Changes::default());
    // A venue that does not answer is named, and what was known of it stands.
    fake.down = [false, true];
    let silent = discovery.ask_again(&mut fake, &rows, NOW + 2).unwrap();
    assert!(silent.len() == 1 && silent[0].contains("olymarket"), "{silent:?}");
    // On either side a changed text pauses the pair.
    for venue in Venue::ALL {
        let (mut discovery, mut fake) = (self::discovery(), self::fake());
        look(&mut discovery, &mut fake, true, NOW);
        let (page, key) = match venue {
            Venue::Kalshi => (&mut fake.kalshi, "rules_primary"),
            Venue::Polymarket => (&mut fake.polymarket, "description"),
        };
        let text = &mut page[0]["markets"][0][key];
        *text = json!(format!("{} It counts what is announced.", text.as_str().unwrap()));
        look(&mut discovery, &mut fake, false, NOW + 2);
        assert!(!stands(&discovery).changed, "{venue}: nobody asked, all was fresh");
        discovery.ask_again(&mut fake, &rows, NOW + 3).unwrap();
        discovery.rematch(NOW + 3).unwrap();
        assert!(stands(&discovery).changed, "{venue}: {:?}", stands(&discovery));
    }
}
