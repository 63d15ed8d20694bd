use std::collections::BTreeMap;

use super::*;
use crate::cast;
use crate::fault::Kind;
use crate::venue::Standing;

pub(crate) const START: Ns = Ns(1_795_284_000_000_000_000);
pub(crate) const TOKEN: &str = "canary-token";

/// A venue that remembers: each POST of an order takes a contract of the best ask, and tells all
/// WebSockets.
#[derive(Default)]
pub(crate) struct Shop {
    levels: BTreeMap<(usize, bool, u16), Qty>,
    clients: Vec<ClientId>,
    orders: u64,
    filled: u64,
    ticks: u64,
    settled: Vec<(usize, u16)>,
    last: Ns,
}

impl Venue for Shop {
    fn request(&mut self, now: Ns, request: &Request<'_>, out: &mut Outbox) -> Reply {
        assert!(now >= self.last, "time steps back");
        self.last = now;
        if request.path == "/long" {
            return Reply::json(200, vec![b'x'; 3_000_000]);
        }
        if request.method != "POST" {
            return Reply::json(200, request.query.as_bytes());
        }
        self.orders += 1;
        let ask = self.levels.iter_mut().find(|((_, bid, _), qty)| !bid && qty.e2() >= 100);
        if let Some((_, qty)) = ask {
            *qty = qty.saturating_sub(Qty::ONE);
            self.filled += 1;
        }
        for client in &self.clients {
            out.text(*client, format!("{{\"type\":\"fill\",\"order\":{}}}", self.orders));
        }
        Reply::json(201, request.body)
    }

    fn open(
        &mut self,
        _: Ns,
        client: ClientId,
        request: &Request<'_>,
        out: &mut Outbox,
    ) -> Result<(), Reply> {
        if request.header("key") != Some("right") {
            return Err(Reply::json(401, "{}"));
        }
        self.clients.push(client);
        out.text(client, "hello");
        Ok(())
    }

    fn text(&mut self, _: Ns, client: ClientId, text: &str, out: &mut Outbox) {
        match text {
            "ping me" => out.pushes.push(crate::venue::Push::Ping(client, b"beat".to_vec())),
            "hang up" => out.pushes.push(crate::venue::Push::Close(client)),
            "flood" => (0..40).for_each(|_| out.text(client, "x".repeat(1_000_000))),
            _ => out.text(client, text),
        }
    }

    fn closed(&mut self, client: ClientId) {
        self.clients.retain(|other| *other != client);
    }

    fn tick(&mut self, now: Ns, _: &mut Outbox) {
        assert!(now >= self.last, "time steps back");
        (self.ticks, self.last) = (self.ticks + 1, now);
    }

    fn next_due(&self) -> Option<Ns> {
        None
    }

    fn quote(&mut self, now: Ns, market: usize, side: Side, px: Px, qty: Qty, out: &mut Outbox) {
        self.last = self.last.max(now);
        self.levels.insert((market, side == Side::Bid, px.e4()), qty);
        for client in &self.clients {
            out.text(*client, format!("{{\"type\":\"orderbook_delta\",\"px\":\"{px}\"}}"));
        }
    }

    fn quoted(&self, market: usize, side: Side, px: Px) -> Qty {
        let level = self.levels.get(&(market, side == Side::Bid, px.e4()));
        level.copied().unwrap_or(Qty::ZERO)
    }

    fn pause(&mut self, _: Ns, _: usize, _: bool, _: &mut Outbox) {}

    fn settle(&mut self, _: Ns, market: usize, settlement: Settlement, _: &mut Outbox) {
        self.settled.push((market, settlement.each(Outcome::Yes).e4()));
    }

    fn ledger(&self) -> Value {
        json!({ "orders": self.orders, "filled": self.filled, "settled": self.settled, "clients": self.clients.len() })
    }

    fn moves(&self) -> u64 {
        self.orders + self.filled
    }

    fn standing(&self, account: usize) -> Option<Standing> {
        let of = Standing { orders: self.orders, fills: self.filled, ..Standing::default() };
        (account == 0).then_some(of)
    }

    fn orders(&self, _: usize, _: usize) -> Vec<Value> {
        Vec::new()
    }
}

fn shops() -> [Box<dyn Venue>; 2] {
    [Box::new(Shop::default()), Box::new(Shop::default())]
}

/// Two shops, one a venue.
pub(crate) fn world(faults: Level, arb_per_minute: u32) -> World {
    let markets = cast::markets(11, 3, START);
    let model = model::Options { seed: 11, arb_per_minute, ..model::Options::default() };
    let venues = VenueId::ALL.into_iter().zip(shops()).collect();
    let options = Options { model, faults, admin_token: TOKEN.to_owned() };
    World::new(&markets, venues, options, START)
}

fn request<'a>(method: &'a str, path: &'a str, body: &'a [u8]) -> Request<'a> {
    Request { method, path, query: "", headers: &[("x-sim-token", TOKEN)], body }
}

fn call(world: &mut World, now: Ns, method: &str, path: &str, body: &str) -> (u16, Value) {
    let request = request(method, path, body.as_bytes());
    let answer = world.request(now, SiteId(0), &request, &mut Effects::default());
    (answer.reply.status, serde_json::from_slice(&answer.reply.body).unwrap())
}

fn order(world: &mut World, now: Ns) -> Answer {
    let order = request("POST", "/trade-api/v2/portfolio/events/orders", b"{}");
    world.request(now, SiteId(0), &order, &mut Effects::default())
}

#[test]
fn the_administrator_needs_the_token_and_learns_what_is_wrong() {
    let mut world = world(Level::None, 0);
    let stranger = Request { headers: &[], ..request("GET", "/sim/ledger", b"") };
    let answer = world.request(START, SiteId(0), &stranger, &mut Effects::default());
    assert_eq!(answer.reply.status, 401);
    for (path, body, status) in [
        ("/sim/nothing", "{}", 404),
        ("/sim/fault", "[]", 400),
        ("/sim/fault", "{\"venue\":\"nowhere\",\"kind\":\"drop\"}", 404),
        ("/sim/fault", "{\"venue\":\"kalshi\",\"kind\":\"flood\"}", 400),
        ("/sim/fault", "{\"venue\":\"kalshi\",\"kind\":\"drop\",\"count\":-1}", 400),
        ("/sim/fault", "{\"venue\":\"kalshi\",\"kind\":\"drop\"}", 200),
        ("/sim/restart", "{\"venue\":\"kalshi\"}", 409),
        ("/sim/pause", "{\"venue\":\"kalshi\",\"paused\":true}", 200),
        ("/sim/fee", "{\"venue\":\"kalshi\",\"market\":7}", 404),
        ("/sim/fee", "{\"venue\":\"kalshi\",\"market\":0,\"fee_type\":\"round\"}", 400),
        ("/sim/fee", "{\"venue\":\"kalshi\",\"market\":0,\"multiplier_e6\":1}", 400),
        // These venues change no fee.
        ("/sim/fee", "{\"venue\":\"kalshi\",\"market\":0,\"fee_type\":\"quadratic\"}", 409),
        ("/sim/close", "{\"venue\":\"kalshi\",\"market\":7}", 404),
        ("/sim/close", "{\"venue\":\"nowhere\",\"market\":0}", 404),
        // These venues close nothing early.
        ("/sim/close", "{\"venue\":\"kalshi\",\"market\":0}", 409),
        ("/sim/settle", "{\"market\":7,\"outcome\":\"yes\"}", 404),
        ("/sim/settle", "{\"market\":0,\"outcome\":\"perhaps\"}", 400),
        ("/sim/settle", "{\"market\":0,\"outcome\":\"yes\",\"yes_price\":\"0.37\"}", 400),
        ("/sim/settle", "{\"market\":0,\"outcome\":\"void\",\"yes_price\":0.37}", 400),
        ("/sim/settle", "{\"market\":0,\"outcome\":\"void\",\"yes_price\":\"1.0001\"}", 400),
        ("/sim/settle", "{\"market\":0,\"outcome\":\"yes\",\"polymarket\":\"maybe\"}", 400),
        ("/sim/settle", "{\"market\":0,\"outcome\":\"yes\",\"polymarket\":0.5}", 400),
        ("/sim/settle", "{\"market\":0,\"outcome\":\"yes\"}", 200),
        ("/sim/settle-all", "", 200),
    ] {
        let (got, reply) = call(&mut world, START, "POST", path, body);
        assert_eq!(got, status, "{path} {body}: {reply}");
    }
    let (_, ledger) = call(&mut world, START, "GET", "/sim/ledger", "");
    let settled = ledger["venues"]["polymarket"]["settled"].as_array().unwrap();
    let markets: Vec<&Value> = settled.iter().map(|row| &row[0]).collect();
    assert_eq!(markets, [0, 1, 2], "each once");
    assert_eq!(ledger["settled"].as_array().unwrap().len(), 3);
    assert!(!ledger.to_string().contains(TOKEN));
    let (_, universe) = call(&mut world, START, "GET", "/sim/universe", "");
    assert_eq!(universe["markets"][1]["inverted"], json!(true));
}

#[test]
fn a_journal_brings_back_what_was_acknowledged_even_if_its_last_line_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = world(Level::None, 30).record(dir.path(), json!({ "seed": 11 })).unwrap();
    let mut now = START;
    for _ in 0..50 {
        now = now.after(Ns::from_ms(100));
        first.tick(now, &mut Effects::default());
        assert_eq!(order(&mut first, now).reply.status, 201);
    }
    call(&mut first, now, "POST", "/sim/settle", "{\"market\":1,\"outcome\":\"no\"}");
    let before = first.ledger();
    assert_eq!(before["venues"]["kalshi"]["filled"], json!(50));
    // A death without a farewell: what was written stays, and half a line of what was not.
    let journal = dir.path().join(ledger::FILE);
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.extend_from_slice(b"{\"Tick\":[17952");
    std::fs::write(&journal, bytes).unwrap();
    assert_eq!(ledger::begin(dir.path()).unwrap(), json!({ "seed": 11 }));

    let mut second = world(Level::None, 30).resume(dir.path(), now).unwrap();
    let after = second.ledger();
    assert_eq!((&after["venues"], &after["settled"]), (&before["venues"], &before["settled"]));
    now = now.after(Ns::from_ms(100));
    second.tick(now, &mut Effects::default());
    assert_eq!(order(&mut second, now).reply.status, 201);
    let (last, second) = (second.ledger(), drop(second));
    assert_eq!((last["venues"]["kalshi"]["filled"].as_u64(), second), (Some(51), ()));
    let third = world(Level::None, 30).resume(dir.path(), now).unwrap();
    assert_eq!(third.ledger()["venues"], last["venues"]);
    assert_eq!(ledger::settled(dir.path()).unwrap(), 1, "on both venues, counted once");
    let open: Vec<_> = third.open_markets().into_iter().map(|m| m.kalshi.ticker).collect();
    let all: Vec<_> = cast::markets(11, 3, START).into_iter().map(|m| m.kalshi.ticker).collect();
    assert_eq!(open, [all[0].as_str(), &all[2]]);
}

#[test]
fn each_venue_is_told_how_its_own_market_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = world(Level::None, 0).record(dir.path(), json!({})).unwrap();
    for body in [
        "{\"market\":1,\"outcome\":\"void\",\"yes_price\":\"0.3700\"}",
        "{\"market\":0,\"outcome\":\"void\"}",
        "{\"market\":2,\"outcome\":\"no\"}",
    ] {
        assert_eq!(call(&mut first, START, "POST", "/sim/settle", body).0, 200, "{body}");
    }
    let paid = |world: &World| {
        let venues = world.ledger()["venues"].clone();
        ["kalshi", "polymarket"].map(|venue| venues[venue]["settled"].to_string())
    };
    let told = paid(&first);
    assert_eq!(told, ["[[1,3700],[0,5000],[2,0]]", "[[1,5000],[0,5000],[2,0]]"]);
    drop(first);
    let again = world(Level::None, 0).resume(dir.path(), START).unwrap();
    assert_eq!(paid(&again), told, "as it was written down");
    assert_eq!(again.open_markets().len(), 0);
    // The second market is the first venue's upside down.
    let mut other = world(Level::None, 0);
    call(&mut other, START, "POST", "/sim/settle", "{\"market\":1,\"outcome\":\"yes\"}");
    let body = "{\"market\":0,\"outcome\":\"no\",\"polymarket\":\"0.3333\"}";
    call(&mut other, START, "POST", "/sim/settle", body);
    let body = "{\"market\":2,\"outcome\":\"void\",\"polymarket\":\"yes\"}";
    call(&mut other, START, "POST", "/sim/settle", body);
    let told = ["[[1,10000],[0,0],[2,5000]]", "[[1,0],[0,3333],[2,10000]]"];
    assert_eq!(paid(&other), told, "unlike the other one");
}

#[test]
fn journals_of_before_a_market_could_be_void_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let lines = "{\"Begin\":{}}\n{\"Settle\":[1,0,2,true]}\n{\"Settle\":[1,0,1,false]}\n";
    std::fs::write(dir.path().join(ledger::FILE), lines).unwrap();
    let world = world(Level::None, 0).resume(dir.path(), START).unwrap();
    let settled = &world.ledger()["venues"]["kalshi"]["settled"];
    assert_eq!(*settled, json!([[2, 10_000], [1, 0]]));
    assert_eq!(ledger::settled(dir.path()).unwrap(), 2);
    let lines = "{\"Begin\":{}}\n{\"Settle\":[1,0,2,10001]}\n";
    std::fs::write(dir.path().join(ledger::FILE), lines).unwrap();
    assert!(matches!(ledger::replay(dir.path(), &mut shops()), Err(ReplayError::Line(2))));
}

#[test]
fn a_journal_that_leads_elsewhere_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let lines = "{\"Begin\":{}}\n{\"Request\":{\"t\":1,\"site\":0,\"method\":\"POST\",\"path\":\"/order\",\"query\":\"\",\"headers\":[],\"body\":{\"Text\":\"\"},\"status\":400}}\n";
    std::fs::write(dir.path().join(ledger::FILE), lines).unwrap();
    let Err(error) = world(Level::None, 0).resume(dir.path(), START) else { panic!("resumed") };
    assert!(matches!(error, ReplayError::Differs(2, 400, 201)), "{error}");
    std::fs::write(dir.path().join(ledger::FILE), "{\"Tick\":[1,0]}\n").unwrap();
    let Err(error) = world(Level::None, 0).resume(dir.path(), START) else { panic!("resumed") };
    assert!(matches!(error, ReplayError::NoBegin), "{error}");
}

/// What a fault-ridden run did: faults counted, and what the shops saw.
fn troubled(level: Level) -> Value {
    let mut world = world(level, 30);
    let mut now = START;
    let open = Request { headers: &[("key", "right")], ..request("GET", "/", b"") };
    for step in 0..3_000 {
        now = now.after(Ns::from_ms(20));
        let mut effects = Effects::default();
        if step % 100 == 0 {
            let client = ClientId(step);
            // A mute connection opens nothing.
            let _ = world.open(now, SiteId(0), client, &open, &mut effects);
        }
        world.tick(now, &mut effects);
        for (client, how) in effects.breaks {
            if !matches!(how, Break::Stall(_) | Break::Silence) {
                world.closed(SiteId(0), client);
            }
        }
        order(&mut world, now);
    }
    world.ledger()
}

#[test]
fn faults_come_from_the_seed_and_are_counted() {
    let high = troubled(Level::High);
    assert_eq!(high, troubled(Level::High), "the same seed, the same faults");
    let kinds = high["faults"]["kalshi"].as_object().unwrap();
    let missing: Vec<&str> = Kind::ALL
        .into_iter()
        .map(Kind::name)
        // These take orders that name a market.
        .filter(|name| !["partial_fill", "rejected_leg"].contains(name))
        .filter(|name| !kinds.contains_key(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:?} never struck: {kinds:?}");
    assert_eq!(troubled(Level::None)["faults"]["kalshi"], json!({}));
}

#[test]
fn ordered_faults_strike_once_and_reach_the_market() {
    let mut world = world(Level::None, 0);
    let mut effects = Effects::default();
    world.tick(START, &mut effects);
    let arm = |world: &mut World, body: &str| {
        assert_eq!(call(world, START, "POST", "/sim/fault", body).0, 200, "{body}");
    };
    arm(&mut world, "{\"venue\":\"kalshi\",\"kind\":\"reply_lost\"}");
    assert!(order(&mut world, START).lost.is_some());
    assert!(order(&mut world, START).lost.is_none());
    arm(&mut world, "{\"venue\":\"kalshi\",\"kind\":\"storm_429\",\"ms\":100}");
    world.tick(START, &mut effects);
    assert_eq!(order(&mut world, START).reply.status, 429);
    let later = START.after(Ns::from_ms(100));
    assert_eq!(order(&mut world, later).reply.status, 201);
    arm(&mut world, "{\"venue\":\"kalshi\",\"kind\":\"slow_reply\",\"ms\":70}");
    assert_eq!(order(&mut world, later).at, later.after(Ns::from_ms(70)));

    // Makers of the market that the order names are gone before it comes, and of no other.
    arm(&mut world, "{\"venue\":\"kalshi\",\"kind\":\"rejected_leg\"}");
    let body = format!("{{\"ticker\":\"{}\"}}", world.markets[0].kalshi.ticker);
    let order = request("POST", "/trade-api/v2/portfolio/events/orders", body.as_bytes());
    world.request(later, SiteId(0), &order, &mut effects);
    let rests = |world: &World, market| {
        let venue = &world.sites[0].venue;
        (1..10_000).any(|e4| !venue.quoted(market, Side::Ask, Px::lit(e4)).is_zero())
    };
    assert_eq!((rests(&world, 0), rests(&world, 1)), (false, true));
    world.tick(later.after(Ns::from_ms(1_000)), &mut effects);
    assert!(rests(&world, 0), "they come back");
}

#[test]
fn pushes_are_lost_doubled_and_overtaken() {
    let mut faults = Faults::new(1, Level::None, 1, START);
    let spoil = |faults: &mut Faults, kind, words: &[&str]| -> Vec<String> {
        faults.arm(SiteId(0), kind, 1, None);
        let mut outbox = Outbox::default();
        for word in words {
            let text = format!("{{\"type\":\"orderbook_delta\",\"n\":\"{word}\"}}");
            outbox.text(ClientId(1), text);
        }
        faults.pushes(SiteId(0), START, &mut outbox, 0);
        let word = |push: &crate::venue::Push| match push {
            crate::venue::Push::Text(_, text) => {
                text.rsplit('"').nth(1).unwrap_or("garbage").to_owned()
            }
            other => panic!("{other:?}"),
        };
        outbox.pushes.iter().map(word).collect()
    };
    assert_eq!(spoil(&mut faults, Kind::Gap, &["a", "b"]), ["b"]);
    assert_eq!(spoil(&mut faults, Kind::Duplicate, &["a", "b"]), ["a", "a", "b"]);
    assert_eq!(spoil(&mut faults, Kind::Reorder, &["a", "b"]), ["b", "a"]);
    assert_eq!(spoil(&mut faults, Kind::Garbage, &["a"]).len(), 2);
    // Answers to commands are never lost alone.
    faults.arm(SiteId(0), Kind::Gap, 1, None);
    let mut outbox = Outbox::default();
    outbox.text(ClientId(1), "{\"type\":\"subscribed\",\"msg\":{\"channel\":\"orderbook_delta\"}}");
    faults.pushes(SiteId(0), START, &mut outbox, 0);
    assert_eq!(outbox.pushes.len(), 1);
}

#[test]
fn a_word_on_a_fill_comes_late_and_once() {
    let mut faults = Faults::new(1, Level::None, 1, START);
    faults.arm(SiteId(0), Kind::Late, 1, Some(Ns::from_ms(700)));
    let mut outbox = Outbox::default();
    outbox.text(ClientId(1), "{\"type\":\"orderbook_delta\"}");
    outbox.text(ClientId(1), "{\"type\":\"fill\",\"n\":1}");
    outbox.text(ClientId(1), "{\"type\":\"fill\",\"n\":2}");
    let fill = outbox.pushes[1].clone();
    faults.pushes(SiteId(0), START, &mut outbox, 0);
    assert_eq!(outbox.pushes.len(), 2, "books are lost, but not late");
    assert!(!outbox.pushes.contains(&fill), "the second fill is told first");
    let due = START.after(Ns::from_ms(700));
    assert_eq!(faults.next_due(), Some(due));
    faults.late(SiteId(0), Ns(due.0 - 1), &mut outbox);
    assert_eq!(outbox.pushes.len(), 2);
    faults.late(SiteId(0), due, &mut outbox);
    assert_eq!(outbox.pushes.last(), Some(&fill));
    faults.late(SiteId(0), due, &mut outbox);
    assert_eq!((outbox.pushes.len(), faults.next_due()), (3, None));
}

#[test]
fn a_wrong_clock_never_steps_back_and_comes_right() {
    let mut faults = Faults::new(1, Level::None, 1, START);
    let (mut now, mut last) = (START, Ns(0));
    let mut run = |faults: &mut Faults, ms: u64| {
        for _ in 0..ms {
            now = now.after(Ns::from_ms(1));
            let told = faults.clock(SiteId(0), now);
            assert!(told > last, "{told:?} after {last:?}");
            assert!(faults.real(SiteId(0), told) <= now, "due things are not late");
            last = told;
        }
        last.0 as i64 - now.0 as i64
    };
    assert_eq!(run(&mut faults, 10), 0);
    faults.skew(SiteId(0), -300_000_000);
    assert_eq!(run(&mut faults, 1_000), -300_000_000);
    faults.skew(SiteId(0), 200_000_000);
    assert_eq!(run(&mut faults, 2_000), 200_000_000);
}
