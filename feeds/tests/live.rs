//! Live feeds against scripted venues behind real TLS on this machine.
#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "common/server.rs"]
mod server;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{JoinHandle, spawn};
use std::time::Instant;

use engine::event::Control;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::tap::{TapKind, TapReader, tap};
use engine::tile::{Now, Tile};
use engine::top::{Health, MarketId, Top};
use engine::units::{Ns, Px, Venue};
use feeds::fitness::{Fitness, Verdict};
use feeds::kalshi::session::{NoSide, Options as KalshiOptions, Session as KalshiSession};
use feeds::live::arrival::{Arrival, Arrivals, Going};
use feeds::live::dialect::Dialect;
use feeds::live::kalshi::{Kalshi, NewMarket};
use feeds::live::line::Door;
use feeds::live::polymarket::Polymarket;
use feeds::live::{Ends, LiveFeed, Login, Options};
use feeds::market::AddError;
use feeds::polymarket::session::{Options as PolymarketOptions, Session as PolymarketSession};
use rtrb::{Consumer, Producer, RingBuffer};
use rustls::ServerConfig;
use tungstenite::Message;

use server::{Authority, PATIENCE, Socket, accept_ws, join, listen};

/// A venue that plays its script connection by connection.
struct Stage {
    listener: TcpListener,
    config: Arc<ServerConfig>,
}

impl Stage {
    fn accept(&self) -> (Socket, String) {
        accept_ws(&self.listener, &self.config)
    }
}

/// The next text of the client.
fn hear(socket: &mut Socket) -> String {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => return text.to_string(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("the client sent {other:?}"),
        }
    }
}

fn expect(socket: &mut Socket, want: &str) {
    assert_eq!(hear(socket), want);
}

fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).unwrap();
}

/// Waits until the client has gone.
fn gone(mut socket: Socket) {
    while let Ok(message) = socket.read() {
        assert!(!message.is_text(), "it says {message:?}");
    }
}

struct Rig<D: Dialect, L> {
    feed: LiveFeed<D, L, ()>,
    tops: Consumer<Top>,
    _controls: Consumer<Control>,
    verdicts: Producer<Verdict>,
    markets: Producer<Arrival<D::NewMarket>>,
    answers: Consumer<Result<MarketId, AddError>>,
    goes: Producer<Going>,
    gone: Consumer<(Going, u32)>,
    tape: TapReader,
    last: Vec<Option<Top>>,
    /// Every health that was said, with its market: one step may say two.
    healths: Vec<(usize, Health)>,
    begin: Instant,
    skipped: Ns,
    venue: Option<JoinHandle<()>>,
}

const WALL: Ns = Ns(1_700_000_000_000_000_000);

impl<D: Dialect, L: Login> Rig<D, L> {
    fn new(
        dialect: D,
        session: D::Session,
        login: L,
        rotate_every: Option<Ns>,
        script: impl FnOnce(&Stage) + Send + 'static,
    ) -> Rig<D, L> {
        let authority = Authority::new();
        let (listener, endpoint) = listen();
        let stage = Stage { listener, config: authority.vouch_for("localhost") };
        let door =
            Door { endpoint, path: "/ws".into(), tls: authority.client(), busy_poll_us: None };
        let options = Options { door, seed: 7, rotate_every, mark_frames: false };
        let (top_tx, tops) = RingBuffer::new(1_024);
        let (control_tx, controls) = RingBuffer::new(16);
        let (verdicts, verdict_rx) = RingBuffer::new(16);
        let (markets, coming) = RingBuffer::new(16);
        let (answered, answers) = RingBuffer::new(16);
        let (goes, going) = RingBuffer::new(16);
        let (gone_tx, gone) = RingBuffer::new(16);
        let (tap_tx, tape) = tap(1 << 20);
        let ends = Ends {
            tops: top_tx,
            controls: control_tx,
            verdicts: verdict_rx,
            markets: Some(Arrivals { coming, answers: answered, going, gone: gone_tx }),
            tap: Some(tap_tx),
            notices: (),
        };
        let now = Now { mono: Ns(0), wall: WALL };
        let feed = LiveFeed::new(dialect, session, options, login, ends, now).unwrap();
        Rig {
            feed,
            tops,
            _controls: controls,
            verdicts,
            markets,
            answers,
            goes,
            gone,
            tape,
            last: vec![None; 8],
            healths: Vec::new(),
            begin: Instant::now(),
            skipped: Ns(0),
            venue: Some(spawn(move || script(&stage))),
        }
    }

    /// Steps the feed until something holds. The venue's panics are ours.
    fn until(&mut self, what: &str, mut holds: impl FnMut(&Rig<D, L>) -> bool) {
        let begin = Instant::now();
        while !holds(self) {
            self.step();
            if begin.elapsed() > PATIENCE {
                if self.venue.as_ref().is_some_and(JoinHandle::is_finished) {
                    self.end();
                }
                panic!("it never came to this: {what}; {:?}", self.feed.figures().next());
            }
        }
    }

    fn step(&mut self) {
        let elapsed = Ns(self.begin.elapsed().as_nanos() as u64);
        let mono = elapsed.after(self.skipped);
        self.feed.step(Now { mono, wall: WALL.after(mono) });
        while let Ok(top) = self.tops.pop() {
            self.last[top.market.index()] = Some(top);
            self.healths.push((top.market.index(), top.health));
        }
    }

    /// Lets time pass at once.
    fn skip_ms(&mut self, ms: u64) {
        self.skipped = self.skipped.after(Ns::from_ms(ms));
    }

    fn health(&self, market: usize) -> Option<Health> {
        self.last[market].map(|top| top.health)
    }

    fn until_health(&mut self, market: usize, health: Health) {
        self.until(&format!("{market} is {health:?}"), |rig| rig.health(market) == Some(health));
    }

    fn tell(&mut self, market: usize, says: Fitness) {
        let market = MarketId::new(<D::Session as feeds::feed::VenueSession>::VENUE, market);
        self.verdicts.push(Verdict { market: market.unwrap(), says }).unwrap();
    }

    /// Steps the feed until the venue's script is over.
    fn end(&mut self) {
        let begin = Instant::now();
        while self.venue.as_ref().is_some_and(|venue| !venue.is_finished()) {
            self.step();
            assert!(begin.elapsed() < PATIENCE, "the venue waits for something");
        }
        self.venue.take().map(join);
    }

    /// What was recorded, in order.
    fn tape(&mut self) -> Vec<(TapKind, u32, String)> {
        let (mut all, mut payload) = (Vec::new(), Vec::new());
        while let Some(head) = self.tape.next(&mut payload) {
            all.push((head.kind, head.conn, String::from_utf8(payload.clone()).unwrap()));
        }
        all
    }
}

fn kalshi(markets: usize, script: impl FnOnce(&Stage) + Send + 'static) -> Rig<Kalshi, impl Login> {
    kalshi_lines(markets, 100, script)
}

fn kalshi_lines(
    markets: usize,
    markets_a_line: usize,
    script: impl FnOnce(&Stage) + Send + 'static,
) -> Rig<Kalshi, impl Login> {
    let options = KalshiOptions { no_side: NoSide::YesPrice, learn: false };
    let mut session = KalshiSession::new(options, Slab::new([8, 0, 0]));
    for number in 0..markets {
        session.add_market(&format!("KX{number}"), &Grid::CENT).unwrap();
    }
    // The signature is there on the third try.
    let mut tries = 0;
    let login = move |_: Now, to: &mut Vec<u8>| {
        tries += 1;
        to.extend_from_slice(b"KALSHI-ACCESS-KEY: k\r\n");
        tries > 2
    };
    Rig::new(Kalshi { markets_a_line, trades: false }, session, login, None, script)
}

const LIFECYCLE: &str =
    r#"{"id":1,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}"#;
const BOOK_OF_0: &str = r#"{"id":2,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":["KX0"],"use_yes_price":true,"skip_ticker_ack":true}}"#;
const SUBSCRIBED: &str =
    r#"{"type":"subscribed","id":2,"msg":{"channel":"orderbook_delta","sid":4}}"#;

fn snapshot(sid: u64, seq: u64, market: usize, ask: &str) -> String {
    format!(
        r#"{{"type":"orderbook_snapshot","sid":{sid},"seq":{seq},"msg":{{"market_ticker":"KX{market}","market_id":"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1","yes_dollars_fp":[["0.4000","5.00"]],"no_dollars_fp":[["{ask}","5.00"]]}}}}"#
    )
}

fn delta(seq: u64, px: &str) -> String {
    format!(
        r#"{{"type":"orderbook_delta","sid":4,"seq":{seq},"msg":{{"market_ticker":"KX0","market_id":"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1","price_dollars":"{px}","delta_fp":"7.00","side":"yes","ts":"2026-11-21T00:00:00Z","ts_ms":1}}}}"#
    )
}

/// Greets a client of one market and gives it its book.
fn greet(stage: &Stage) -> Socket {
    let (mut socket, request) = stage.accept();
    assert!(request.contains("\r\nKALSHI-ACCESS-KEY: k\r\n\r\n"), "{request}");
    expect(&mut socket, LIFECYCLE);
    expect(&mut socket, BOOK_OF_0);
    say(&mut socket, SUBSCRIBED);
    say(&mut socket, &snapshot(4, 1, 0, "0.6000"));
    socket
}

fn get_snapshot(id: u64) -> String {
    format!(
        r#"{{"id":{id},"cmd":"update_subscription","params":{{"sids":[4],"market_tickers":["KX0"],"action":"get_snapshot"}}}}"#
    )
}

#[test]
fn kalshi_books_arrive_recover_from_a_gap_and_leave_with_their_connection() {
    let mut rig = kalshi(1, |stage| {
        let mut socket = greet(stage);
        say(&mut socket, &delta(2, "0.4500"));
        say(&mut socket, &delta(4, "0.4600"));
        expect(&mut socket, &get_snapshot(3));
        say(&mut socket, &snapshot(4, 5, 0, "0.5500"));
        // The connection breaks without a word.
        hear_nothing_and_drop(socket);
        gone(greet(stage));
    });
    rig.until("a delta is applied", |rig| {
        rig.last[0]
            .is_some_and(|top| top.bids().best().is_some_and(|best| best.0 == Px::lit(4_500)))
    });
    rig.until_health(0, Health::Gap);
    rig.until("the book came again", |rig| {
        let top = rig.last[0].unwrap();
        top.health == Health::Sound && top.asks().best().unwrap().0 == Px::lit(5_500)
    });
    rig.until_health(0, Health::AwaitSnapshot);
    assert_eq!(rig.feed.open_lines(), (0, 1));
    rig.skip_ms(1_000);
    rig.until_health(0, Health::Sound);
    let figures = *rig.feed.figures().next().unwrap();
    assert_eq!([figures.dialled, figures.opened, figures.lost, figures.refreshes], [2, 2, 1, 1]);
    assert!(rig.feed.pushed().len() >= figures.frames - 1 && figures.frames == 7);
    let tape = rig.tape();
    let kinds: Vec<TapKind> = tape.iter().map(|record| record.0).collect();
    use TapKind::{Closed, Frame, Opened, Sent};
    let first = [Opened, Sent, Sent, Frame, Frame, Frame, Frame, Sent, Frame, Closed];
    assert_eq!(kinds, [&first[..], &[Opened, Sent, Sent, Frame, Frame]].concat());
    assert!(tape.iter().all(|record| record.1 == 1 && !record.2.contains("ACCESS")));
    assert_eq!(tape[2].2, BOOK_OF_0);
    // Nothing is heard any more, not even a ping.
    rig.skip_ms(25_001);
    rig.until_health(0, Health::AwaitSnapshot);
    assert_eq!(rig.feed.figures().next().unwrap().silent, 1);
    rig.end();
}

fn hear_nothing_and_drop(mut socket: Socket) {
    // The snapshot is read before the connection breaks: bytes in flight would be lost with it.
    socket.send(Message::Ping("sync".into())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Pong("sync".into()));
    socket.get_mut().sock.shutdown(std::net::Shutdown::Both).unwrap();
}

#[test]
fn kalshi_pings_keep_a_silent_line() {
    let (ask, asked) = channel();
    let (answer, answered) = channel();
    let mut rig = kalshi(1, move |stage| {
        let mut socket = greet(stage);
        for () in asked {
            socket.send(Message::Ping("heartbeat".into())).unwrap();
            assert_eq!(socket.read().unwrap(), Message::Pong("heartbeat".into()));
            answer.send(()).unwrap();
        }
        gone(socket);
    });
    rig.until_health(0, Health::Sound);
    for _ in 0..3 {
        rig.skip_ms(20_000);
        ask.send(()).unwrap();
        rig.until("the ping is answered", |_| answered.try_recv().is_ok());
    }
    assert_eq!(rig.health(0), Some(Health::Sound));
    drop(ask);
    rig.skip_ms(25_001);
    rig.until_health(0, Health::AwaitSnapshot);
    rig.end();
}

#[test]
fn kalshi_subscriptions_that_die_are_begun_anew() {
    let mut rig = kalshi(1, |stage| {
        let mut socket = greet(stage);
        let died = r#"{"type":"error","sid":4,"msg":{"code":25,"msg":"overflow"}}"#;
        say(&mut socket, died);
        expect(&mut socket, &BOOK_OF_0.replace("\"id\":2", "\"id\":3"));
        say(
            &mut socket,
            r#"{"type":"subscribed","id":3,"msg":{"channel":"orderbook_delta","sid":9}}"#,
        );
        say(&mut socket, &snapshot(9, 1, 0, "0.6000"));
        // The second time it takes a new connection.
        say(&mut socket, &died.replace("\"sid\":4", "\"sid\":9"));
        gone(socket);
        gone(greet(stage));
    });
    rig.until("it is sound on the new subscription", |rig| {
        rig.feed.figures().next().unwrap().resubscribes == 1 && rig.health(0) == Some(Health::Sound)
    });
    rig.until("the line was given up", |rig| rig.feed.figures().next().unwrap().given_up == 1);
    assert_eq!(rig.health(0), Some(Health::AwaitSnapshot));
    rig.skip_ms(1_000);
    rig.until_health(0, Health::Sound);
    rig.skip_ms(26_000);
    rig.end();
}

#[test]
fn a_book_that_does_not_come_is_asked_for_ever_louder() {
    let mut rig = kalshi(1, |stage| {
        let mut socket = greet(stage);
        // Crossed, and silence after it: only time tells that it is wrong.
        say(&mut socket, &snapshot(4, 2, 0, "0.3000"));
        expect(&mut socket, &get_snapshot(3));
        expect(&mut socket, r#"{"id":4,"cmd":"unsubscribe","params":{"sids":[4]}}"#);
        expect(&mut socket, &BOOK_OF_0.replace("\"id\":2", "\"id\":5"));
        gone(socket);
        let mut socket = greet(stage);
        // A book that contradicts REST is not believed, whatever comes.
        expect(&mut socket, &get_snapshot(3));
        say(&mut socket, &snapshot(4, 2, 0, "0.6000"));
        gone(socket);
    });
    rig.until_health(0, Health::Crossed);
    rig.until_health(0, Health::Stale);
    rig.until("asked", |rig| rig.feed.figures().next().unwrap().refreshes == 1);
    rig.skip_ms(2_000);
    rig.until("subscribed anew", |rig| rig.feed.figures().next().unwrap().resubscribes == 1);
    rig.skip_ms(2_000);
    rig.until("given up", |rig| rig.feed.figures().next().unwrap().given_up == 1);
    assert!(rig.tape().iter().any(|record| record.0 == TapKind::Tick));
    rig.skip_ms(1_000);
    rig.until_health(0, Health::Sound);
    rig.tell(0, Fitness::Unfit);
    rig.until_health(0, Health::Stale);
    let snapshots = rig.feed.session().figures().snapshots;
    rig.until("a fresh book came", |rig| rig.feed.session().figures().snapshots > snapshots);
    assert_eq!(rig.health(0), Some(Health::Stale));
    rig.tell(0, Fitness::Fit);
    rig.until_health(0, Health::Sound);
    rig.skip_ms(26_000);
    rig.end();
}

#[test]
fn kalshi_markets_come_and_go_without_the_others() {
    let update = |id: u64, ticker: &str, action: &str| {
        format!(
            r#"{{"id":{id},"cmd":"update_subscription","params":{{"sids":[4],"market_tickers":["{ticker}"],"action":"{action}"}}}}"#
        )
    };
    let mut rig = kalshi_lines(2, 2, move |stage| {
        let (mut socket, _) = stage.accept();
        expect(&mut socket, LIFECYCLE);
        expect(&mut socket, &BOOK_OF_0.replace("\"KX0\"", "\"KX0\",\"KX1\""));
        say(&mut socket, SUBSCRIBED);
        say(&mut socket, &snapshot(4, 1, 0, "0.6000"));
        say(&mut socket, &snapshot(4, 2, 1, "0.6000"));
        expect(&mut socket, &update(3, "KX1", "delete_markets"));
        expect(&mut socket, &update(4, "KX1", "add_markets"));
        say(&mut socket, &snapshot(4, 3, 1, "0.6000"));
        // The line is full: a third market gets a line of its own.
        let (mut second, _) = stage.accept();
        expect(&mut second, &BOOK_OF_0.replace("\"id\":2", "\"id\":1").replace("KX0", "KXNEW"));
        say(&mut second, &snapshot(1, 1, 0, "0.6000").replace("KX0", "KXNEW"));
        gone(second);
        gone(socket);
    });
    rig.until_health(1, Health::Sound);
    let generation = rig.last[0].unwrap().generation;
    rig.tell(1, Fitness::Removed);
    rig.until_health(1, Health::AwaitSnapshot);
    rig.tell(1, Fitness::Restored);
    rig.until_health(1, Health::Sound);
    let market = NewMarket { event: "KX".into(), ticker: "KXNEW".into(), grid: Grid::CENT };
    for _ in 0..2 {
        rig.markets.push(Arrival { market: market.clone(), note: (*b"new").into() }).unwrap();
    }
    rig.until_health(2, Health::Sound);
    assert_eq!(rig.last[0].unwrap().generation, generation, "the first one never moved");
    assert_eq!(rig.feed.open_lines(), (2, 2));
    let id = |number| MarketId::new(Venue::Kalshi, number).unwrap();
    assert_eq!(rig.answers.pop(), Ok(Ok(id(2))));
    assert_eq!(rig.answers.pop(), Ok(Err(AddError::Known(id(2)))));
    // One that goes says a last word, whose generation is told.
    rig.goes.push(Going::Retire(id(2))).unwrap();
    rig.until_health(2, Health::AwaitSnapshot);
    let last = rig.last[2].unwrap().generation;
    assert_eq!(rig.gone.pop(), Ok((Going::Retire(id(2)), last)));
    assert_eq!(rig.feed.session().number_of("KXNEW"), None);
    rig.skip_ms(26_000);
    rig.end();
}

fn polymarket(
    markets_a_line: usize,
    script: impl FnOnce(&Stage) + Send + 'static,
) -> Rig<Polymarket, ()> {
    polymarket_rotated(markets_a_line, None, script)
}

fn polymarket_rotated(
    markets_a_line: usize,
    rotate_every: Option<Ns>,
    script: impl FnOnce(&Stage) + Send + 'static,
) -> Rig<Polymarket, ()> {
    let options = PolymarketOptions { learn: false, audit_every: 0 };
    let mut session = PolymarketSession::new(options, Slab::new([8, 0, 0]));
    for number in 0..2 {
        let tokens = [format!("{number}1"), format!("{number}2")];
        let tokens = tokens.each_ref().map(String::as_str);
        session.add_market(&format!("0x{number}"), tokens, &Grid::CENT, None).unwrap();
    }
    Rig::new(Polymarket { markets_a_line }, session, (), rotate_every, script)
}

/// Both books of a market, as the initial dump has them.
fn books(market: usize, at: u64) -> String {
    let book = |token: usize| {
        format!(
            r#"{{"event_type":"book","market":"0x{market}","asset_id":"{market}{token}","timestamp":"{at}","hash":"","bids":[{{"price":"0.40","size":"5"}}],"asks":[{{"price":"0.60","size":"5"}}]}}"#
        )
    };
    format!("[{},{}]", book(1), book(2))
}

#[test]
fn polymarket_books_arrive_on_lines_of_their_own() {
    const GREETING: &str = r#"{"type":"market","assets_ids":["01","02"],"custom_feature_enabled":true,"initial_dump":true}"#;
    let mut rig = polymarket(1, |stage| {
        // Both are dialled before either is answered.
        let (one, _) = stage.accept();
        let (two, _) = stage.accept();
        let mut sockets = [one, two];
        let mut greetings = sockets.each_mut().map(hear);
        if greetings[0] != GREETING {
            sockets.reverse();
            greetings.reverse();
        }
        assert_eq!(greetings, [GREETING.to_owned(), GREETING.replace("\"0", "\"1")]);
        let [mut first, mut second] = sockets;
        say(&mut first, &books(0, 100));
        say(&mut second, &books(1, 100));
        // A change whose best prices are not ours: the book is doubted.
        let change = |at: u64| {
            format!(
                r#"{{"event_type":"price_change","market":"0x0","timestamp":"{at}","price_changes":[{{"asset_id":"01","price":"0.45","size":"9","side":"BUY","hash":"{at}","best_bid":"0.46","best_ask":"0.60"}}]}}"#
            )
        };
        say(&mut first, &change(101));
        say(&mut first, &change(102));
        expect(&mut first, r#"{"operation":"unsubscribe","assets_ids":["01","02"]}"#);
        let again =
            r#"{"operation":"subscribe","assets_ids":["01","02"],"custom_feature_enabled":true}"#;
        expect(&mut first, again);
        say(&mut first, &books(0, 103));
        expect(&mut first, "PING");
        say(&mut first, "PONG");
        expect(&mut second, "PING");
        // The second one delivers, but never answers.
        say(&mut second, &books(1, 104));
        expect(&mut first, "PING");
        say(&mut first, "PONG");
        expect(&mut second, "PING");
        gone(second);
        let (mut second, _) = stage.accept();
        expect(&mut second, &GREETING.replace("\"0", "\"1"));
        say(&mut second, &books(1, 50));
    });
    rig.until_health(1, Health::Sound);
    rig.until_health(0, Health::Stale);
    rig.until_health(0, Health::Sound);
    let control = |rig: &Rig<Polymarket, ()>| rig.feed.session().figures().control;
    for pongs in 1..=2 {
        rig.skip_ms(10_000);
        rig.until("the first line's PONG", |rig| control(rig) == pongs);
    }
    rig.skip_ms(10_000);
    rig.until_health(1, Health::AwaitSnapshot);
    assert_eq!(rig.health(0), Some(Health::Sound), "it stands on the other line");
    rig.skip_ms(1_000);
    rig.until_health(1, Health::Sound);
    let figures: Vec<_> = rig.feed.figures().map(|f| (f.opened, f.silent, f.refreshes)).collect();
    assert_eq!(figures, [(1, 0, 1), (2, 1, 0)]);
    assert!(rig.tape().iter().all(|record| record.2 != "PING"), "heartbeats are no news");
    rig.end();
}

#[test]
fn a_line_is_replaced_when_its_time_is_over() {
    let mut rig = polymarket_rotated(2, Some(Ns::from_ms(8_000)), |stage| {
        let (mut old, _) = stage.accept();
        hear(&mut old);
        say(&mut old, &books(0, 100));
        // The old one serves until the next one is open.
        let (mut new, _) = stage.accept();
        gone(old);
        hear(&mut new);
        say(&mut new, &books(0, 100));
        gone(new);
    });
    rig.until_health(0, Health::Sound);
    rig.skip_ms(5_900);
    rig.step();
    assert_eq!(rig.health(0), Some(Health::Sound), "not before three quarters of its time");
    rig.healths.clear();
    rig.skip_ms(2_100);
    // The step that changes lines may also hear the new one's books.
    rig.until("the books left", |rig| rig.healths.contains(&(0, Health::AwaitSnapshot)));
    rig.until_health(0, Health::Sound);
    let figures = *rig.feed.figures().next().unwrap();
    assert_eq!([figures.opened, figures.lost, figures.rotated], [2, 1, 1], "nothing waited");
    rig.skip_ms(31_000);
    rig.end();
}

#[test]
fn a_line_whose_successor_does_not_come_goes_on() {
    let mut rig = polymarket_rotated(2, Some(Ns::from_ms(8_000)), |stage| {
        let (mut old, _) = stage.accept();
        hear(&mut old);
        say(&mut old, &books(0, 100));
        drop(stage.listener.accept().unwrap());
        gone(old);
    });
    rig.until_health(0, Health::Sound);
    rig.skip_ms(8_000);
    rig.until("the successor was refused", |rig| {
        rig.feed.figures().next().is_some_and(|figures| figures.refused == 1)
    });
    assert_eq!(rig.health(0), Some(Health::Sound), "the old connection serves");
    let figures = *rig.feed.figures().next().unwrap();
    assert_eq!([figures.opened, figures.lost, figures.rotated], [1, 0, 0]);
    rig.skip_ms(31_000);
    rig.end();
}
