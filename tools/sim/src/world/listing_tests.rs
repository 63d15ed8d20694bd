//! Markets that are listed while the venues run.

use super::tests::{START, TOKEN};
use super::*;
use crate::cast;
use crate::kalshi::Kalshi;
use crate::polymarket::Polymarket;
use crate::universe::Universe;
use crate::venue::Push;

const KNOWN: usize = 2;
const EVERY: Ns = Ns::from_ms(5_000);

/// Both venues with two markets, and two that come later.
fn world() -> World {
    let universe = Universe { markets: cast::markets(5, KNOWN + 2, START), ..Universe::default() };
    let venues: Vec<(VenueId, Box<dyn Venue>)> = vec![
        (VenueId::Kalshi, Box::new(Kalshi::new(&universe, START).withholding(KNOWN))),
        (VenueId::Polymarket, Box::new(Polymarket::new(&universe, START).withholding(KNOWN))),
    ];
    let model = model::Options { seed: 5, arb_per_minute: 30, ..model::Options::default() };
    let options = Options { model, faults: Level::None, admin_token: TOKEN.to_owned() };
    let (known, late) = universe.markets.split_at(KNOWN);
    World::new(known, venues, options, START).listing_later(late.to_vec(), Some(EVERY), START)
}

fn get(world: &mut World, site: usize, path: &str, query: &str) -> (u16, Value) {
    let request = Request { method: "GET", path, query, headers: &[], body: b"" };
    let answer = world.request(START, SiteId(site), &request, &mut Effects::default());
    let status = answer.reply.status;
    (status, serde_json::from_slice(&answer.reply.body).unwrap_or_default())
}

/// How many markets each venue's catalogue shows, in lists and one by one.
fn shown(world: &mut World) -> [usize; 2] {
    let specs = cast::markets(5, KNOWN + 2, START);
    let (_, kalshi) = get(world, 0, "/trade-api/v2/markets", "");
    let (_, gamma) = get(world, 1, "/markets/keyset", "limit=100&order=createdAt&ascending=false");
    let (_, events) = get(world, 0, "/trade-api/v2/events", "with_nested_markets=true");
    let count = |rows: &Value| rows.as_array().map_or(0, Vec::len);
    let single = |world: &mut World, spec: &MarketSpec| {
        let kalshi = format!("/trade-api/v2/markets/{}", spec.kalshi.ticker);
        let clob = format!("/clob-markets/{}", spec.polymarket.condition_id);
        [(0, kalshi), (1, clob)]
            .map(|(site, path)| usize::from(get(world, site, &path, "").0 == 200))
    };
    let singles = specs.iter().map(|spec| single(world, spec));
    let one = singles.fold([0, 0], |sum, found| [sum[0] + found[0], sum[1] + found[1]]);
    let lists = [count(&kalshi["markets"]), count(&gamma["markets"])];
    assert_eq!((one, count(&events["events"])), (lists, lists[0]));
    lists
}

#[test]
fn a_withheld_market_is_nowhere_until_it_is_listed_and_then_it_is_announced_and_quoted() {
    let mut world = world();
    let client = ClientId(7);
    let open = Request { method: "GET", path: "/ws/market", query: "", headers: &[], body: b"" };
    let mut effects = Effects::default();
    world.open(START, SiteId(1), client, &open, &mut effects).unwrap();
    let hello = r#"{"assets_ids":[],"type":"market","custom_feature_enabled":true}"#;
    world.text(START, SiteId(1), client, hello, &mut effects);
    world.tick(START, &mut effects);
    assert_eq!(shown(&mut world), [2, 2]);
    assert!(world.next_due().is_some_and(|due| due <= START.after(EVERY)));

    let then = START.after(EVERY);
    let mut effects = Effects::default();
    world.tick(then, &mut effects);
    assert_eq!(shown(&mut world), [3, 3]);
    let late = &cast::markets(5, KNOWN + 1, START)[KNOWN];
    let told: Vec<&Push> = effects.outbox.pushes.iter().collect();
    let is_its = |push: &&&Push| match push {
        Push::Text(to, text) => {
            *to == client
                && text.contains("\"new_market\"")
                && text.contains(&late.polymarket.condition_id)
        }
        _ => false,
    };
    assert_eq!(told.iter().filter(is_its).count(), 1, "{told:?}");
    let path = format!("/trade-api/v2/markets/{}", late.kalshi.ticker);
    let (_, row) = get(&mut world, 0, &path, "");
    // 2026-11-21T18:00:05Z, as both write it.
    assert!(row["market"]["open_time"].as_str().unwrap().starts_with("2026-11-21T"), "{row}");
    let (_, newest) = get(&mut world, 1, "/events/keyset", "limit=1&order=createdAt");
    assert_eq!(newest["events"][0]["slug"], late.polymarket.slug.as_str());
    world.tick(then.after(Ns::from_ms(1_000)), &mut Effects::default());
    for venue in VenueId::ALL {
        let px = |e4| Px::new(e4).unwrap();
        let quoted =
            |side| (1..10_000).any(|e4| !world.quoted(venue, KNOWN, side, px(e4)).is_zero());
        assert!(quoted(Side::Bid) && quoted(Side::Ask), "{venue}");
    }

    // All that are withheld come, and no more.
    world.tick(START.after(Ns::from_ms(60_000)), &mut Effects::default());
    assert_eq!(shown(&mut world), [4, 4]);
    assert_eq!(world.open_markets().len(), 4);
}

#[test]
fn a_journal_brings_back_what_was_listed_late() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = world().record(dir.path(), Value::Null).unwrap();
    let now = START.after(EVERY);
    first.tick(now, &mut Effects::default());
    let before = first.ledger()["venues"].clone();
    drop(first);
    let mut second = world().resume(dir.path(), now).unwrap();
    assert_eq!(shown(&mut second), [3, 3]);
    assert_eq!(second.open_markets().len(), 3);
    assert_eq!(second.ledger()["venues"]["polymarket"]["markets"], before["polymarket"]["markets"]);
    // The next one is the one that was not listed.
    assert_eq!(second.list_next(now, &mut Effects::default()), Some(3));
    assert_eq!(second.list_next(now, &mut Effects::default()), None);
}
