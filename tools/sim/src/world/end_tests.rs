//! How markets of both venues end, and what is changed while they trade.

use engine::fee::OneFee;

use super::tests::{START, TOKEN};
use super::*;
use crate::cast;
use crate::kalshi::Kalshi;
use crate::polymarket::Polymarket;
use crate::universe::Universe;

/// Both venues with three markets and without arbitrages.
fn world() -> World {
    let universe = Universe { markets: cast::markets(11, 3, START), ..Universe::default() };
    let venues: Vec<(VenueId, Box<dyn Venue>)> = vec![
        (VenueId::Kalshi, Box::new(Kalshi::new(&universe, START))),
        (VenueId::Polymarket, Box::new(Polymarket::new(&universe, START))),
    ];
    let model = model::Options { seed: 11, arb_per_minute: 0, ..model::Options::default() };
    let options = Options { model, faults: Level::None, admin_token: TOKEN.to_owned() };
    World::new(&universe.markets, venues, options, START)
}

fn ask(world: &mut World, site: usize, method: &str, path: &str, body: &str) -> (u16, Value) {
    let headers = [("x-sim-token", TOKEN)];
    let request = Request { method, path, query: "", headers: &headers, body: body.as_bytes() };
    let answer = world.request(START, SiteId(site), &request, &mut Effects::default());
    (answer.reply.status, serde_json::from_slice(&answer.reply.body).unwrap_or_default())
}

fn run(world: &mut World, ms: u64) {
    for step in 0..ms / 10 {
        world.tick(START.after(Ns::from_ms(step * 10)), &mut Effects::default());
    }
}

fn is_quoted(world: &World, venue: VenueId, market: usize) -> bool {
    let mut prices = (1..10_000).map(Px::lit);
    prices.any(|px| !world.quoted(venue, market, Side::Ask, px).is_zero())
}

fn check_closed(world: &mut World) {
    let quoted = [0, 1, 2].map(|market| VenueId::ALL.map(|venue| is_quoted(world, venue, market)));
    assert_eq!(quoted, [[false, true], [true, false], [true, true]]);
    let (_, universe) = ask(world, 0, "GET", "/sim/universe", "");
    let closed = [0, 1, 2].map(|number| universe["markets"][number]["closed"].to_string());
    assert_eq!(closed, ["[\"kalshi\"]", "[\"polymarket\"]", "[]"]);
    let open: Vec<String> = world.open_markets().into_iter().map(|m| m.kalshi.ticker).collect();
    assert_eq!(open, [cast::markets(11, 3, START)[2].kalshi.ticker.as_str()]);
    let inject = "{\"pair\":0,\"direction\":\"FirstYes\"}";
    assert_eq!(ask(world, 0, "POST", "/sim/inject", inject).0, 409, "nobody would follow");
}

#[test]
fn a_market_closes_on_one_venue_and_trades_on_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = world().record(dir.path(), Value::Null).unwrap();
    run(&mut first, 100);
    for (venue, market) in [("kalshi", 0), ("polymarket", 1)] {
        let body = json!({ "venue": venue, "market": market }).to_string();
        assert_eq!(ask(&mut first, 0, "POST", "/sim/close", &body).0, 200, "{body}");
        assert_eq!(ask(&mut first, 0, "POST", "/sim/close", &body).0, 409, "{body}: once");
    }
    run(&mut first, 3_000);
    check_closed(&mut first);
    drop(first);
    let mut second = world().resume(dir.path(), START).unwrap();
    run(&mut second, 3_000);
    check_closed(&mut second);
    assert_eq!(ask(&mut second, 0, "POST", "/sim/settle-all", "").0, 200);
    let markets = second.ledger()["venues"]["kalshi"]["markets"].clone();
    assert!((0..3).all(|number| markets[number]["status"] == "finalized"), "{markets}");
}

#[test]
fn a_fee_changes_on_kalshi_and_an_injected_edge_is_net_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let specs = cast::markets(11, 3, START);
    let mut first = world().record(dir.path(), Value::Null).unwrap();
    run(&mut first, 100);
    let change = |world: &mut World, venue: &str, more: Value| {
        let mut body = json!({ "venue": venue, "market": 0 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(world, 0, "POST", "/sim/fee", &body.to_string()).0
    };
    let dear = json!({ "fee_type": "quadratic", "multiplier_e6": 3_000_000 });
    assert_eq!(change(&mut first, "polymarket", dear.clone()), 409);
    let told = |world: &mut World| {
        let path = format!("/trade-api/v2/events/{}", specs[0].kalshi.event);
        let (_, event) = ask(world, 0, "GET", &path, "");
        let event = &event["event"];
        format!("{} {}", event["fee_type_override"], event["fee_multiplier_override"])
    };
    assert_eq!(told(&mut first), "null null");
    assert_eq!(change(&mut first, "kalshi", dear), 200);
    assert_eq!(told(&mut first), "\"quadratic\" 3");
    drop(first);

    let mut second = world().resume(dir.path(), START).unwrap();
    assert_eq!(told(&mut second), "\"quadratic\" 3");
    run(&mut second, 100);
    let inject = "{\"pair\":0,\"direction\":\"FirstYes\",\"edge_micro_usd\":20000}";
    assert_eq!(ask(&mut second, 0, "POST", "/sim/inject", inject).0, 200);
    // What both legs cost from the books as they are, Kalshi's fee three times as large.
    let best = |venue, side: Side| {
        let mut prices = (1..10_000).map(Px::lit);
        let quoted = |px: &Px| !second.quoted(venue, 0, side, *px).is_zero();
        match side {
            Side::Ask => prices.find(quoted).unwrap(),
            Side::Bid => prices.rfind(quoted).unwrap(),
        }
    };
    assert_eq!(specs[0].polarity, Polarity::Same);
    let yes = best(VenueId::Kalshi, Side::Ask);
    let no = best(VenueId::Polymarket, Side::Bid).complement();
    let spec = &specs[0].polymarket;
    let rules = [
        FeeRule::Quadratic { multiplier_e6: 3_000_000 },
        FeeRule::Curve { rate_e6: spec.fee_rate_e6, exponent: spec.fee_exponent },
    ];
    let cost = |px: Px, rule| i32::from(px.e4()) * 100 + OneFee::new(rule).e6(px.e4());
    let edge = 1_000_000 - cost(yes, rules[0]) - cost(no, rules[1]);
    assert!((20_000..40_000).contains(&edge), "{edge}");
    assert_eq!(change(&mut second, "kalshi", json!({})), 200);
    assert_eq!(told(&mut second), "null null", "the series' again");
}
