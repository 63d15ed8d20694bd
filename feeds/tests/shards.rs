//! Sessions whose markets are spread over connections: what ends with one, and what does not.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Recorder, ms};
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{Health, MarketId, Top};
use engine::units::Venue;
use feeds::feed::{Input, VenueSession};
use feeds::fitness::{Fitness, Verdict};
use feeds::kalshi::session::{NoSide, Options, Session as Kalshi};
use feeds::polymarket::session::{Options as PolymarketOptions, Session as Polymarket};

/// A session with markets 0 and 1 on connection 1 and market 2 on connection 2.
trait Sharded: VenueSession + Sized {
    fn sharded() -> Self;
    /// A frame that makes the whole book of a market; bids below asks where `sound`.
    fn snapshot(market: usize, seq: u64, sound: bool) -> String;
    /// A frame that cannot be read at all.
    const BROKEN: &str;
    fn health_of(&self, market: usize) -> Health;
}

impl Sharded for Kalshi {
    fn sharded() -> Kalshi {
        let options = Options { no_side: NoSide::YesPrice, learn: false };
        let mut session = Kalshi::new(options, Slab::new([3, 0, 0]));
        for (number, conn) in [1, 1, 2].into_iter().enumerate() {
            session.add_market(&format!("KX{number}"), &Grid::CENT).unwrap();
            session.assign(number, conn);
        }
        session
    }

    fn snapshot(market: usize, seq: u64, sound: bool) -> String {
        let ask = if sound { "0.6000" } else { "0.3000" };
        format!(
            r#"{{"type":"orderbook_snapshot","sid":1,"seq":{seq},"msg":{{"market_ticker":"KX{market}","market_id":"","yes_dollars_fp":[["0.4000","5.00"]],"no_dollars_fp":[["{ask}","5.00"]]}}}}"#
        )
    }

    const BROKEN: &str = "{\"type\":";

    fn health_of(&self, market: usize) -> Health {
        self.top(market).health
    }
}

impl Sharded for Polymarket {
    fn sharded() -> Polymarket {
        let options = PolymarketOptions { learn: false, audit_every: 0 };
        let mut session = Polymarket::new(options, Slab::new([6, 0, 0]));
        for (number, conn) in [1, 1, 2].into_iter().enumerate() {
            let tokens = [format!("{number}1"), format!("{number}2")];
            let tokens = tokens.each_ref().map(String::as_str);
            session.add_market(&format!("0x{number}"), tokens, &Grid::CENT, None).unwrap();
            session.assign(number, conn);
        }
        session
    }

    fn snapshot(market: usize, seq: u64, sound: bool) -> String {
        let ask = if sound { "0.60" } else { "0.30" };
        let book = |token: usize| {
            format!(
                r#"{{"event_type":"book","market":"0x{market}","asset_id":"{market}{token}","timestamp":"{seq}","hash":"","bids":[{{"price":"0.40","size":"5"}}],"asks":[{{"price":"{ask}","size":"5"}}]}}"#
            )
        };
        format!("[{},{}]", book(1), book(2))
    }

    const BROKEN: &str = "{\"event_type\":";

    fn health_of(&self, market: usize) -> Health {
        self.top(market).health
    }
}

struct Bench<S> {
    session: S,
    sink: Recorder,
    seq: [u64; 3],
}

impl<S: Sharded> Bench<S> {
    /// All books sound.
    fn new() -> Bench<S> {
        let mut t = Bench { session: S::sharded(), sink: Recorder::default(), seq: [0; 3] };
        for (market, conn) in [(0, 1), (1, 1), (2, 2)] {
            t.snapshot(conn, market, true);
        }
        assert_eq!(t.health(), [Health::Sound; 3]);
        t.sink.forget();
        t
    }

    fn take(&mut self, conn: u32, at_ms: u64, input: Input<'_>) {
        self.session.take(conn, ms(at_ms), input, &mut self.sink);
    }

    fn snapshot(&mut self, conn: u32, market: usize, sound: bool) {
        self.seq[conn as usize] += 1;
        let frame = S::snapshot(market, self.seq[conn as usize], sound);
        self.take(conn, 1_000, Input::Frame(frame.as_bytes()));
    }

    fn say(&mut self, market: usize, says: Fitness) {
        let market = MarketId::new(S::VENUE, market).unwrap();
        self.take(0, 1_000, Input::Verdict(Verdict { market, says }));
    }

    fn health(&self) -> [Health; 3] {
        [0, 1, 2].map(|market| self.session.health_of(market))
    }
}

fn markets(tops: &[Top]) -> Vec<(usize, Health)> {
    tops.iter().map(|top| (top.market.index(), top.health)).collect()
}

use Health::{AwaitSnapshot, Crossed, Sound, Stale};

fn a_connection_takes_its_own_books_with_it<S: Sharded>() {
    let mut t = Bench::<S>::new();
    t.take(1, 1_001, Input::Closed);
    assert_eq!(t.health(), [AwaitSnapshot, AwaitSnapshot, Sound]);
    assert_eq!(markets(&t.sink.tops), [(0, AwaitSnapshot), (1, AwaitSnapshot)], "told at once");
    assert_eq!(t.sink.last().recv, ms(1_001));
    t.sink.forget();
    t.take(1, 1_002, Input::Opened);
    assert!(t.sink.tops.is_empty(), "it is known");
    t.seq[1] = 0; // numbers begin anew, as does the venue's time in this test
    t.snapshot(1, 0, true);
    assert_eq!(t.health(), [Sound, AwaitSnapshot, Sound]);
    // One that opens without having closed starts afresh too.
    t.take(2, 1_003, Input::Opened);
    assert_eq!(t.health(), [Sound, AwaitSnapshot, AwaitSnapshot]);
}

fn a_frame_that_cannot_be_read_is_of_its_connection<S: Sharded>() {
    let mut t = Bench::<S>::new();
    t.take(1, 1_000, Input::Frame(S::BROKEN.as_bytes()));
    let [a, b, c] = t.health();
    assert!(a != Sound && b != Sound && c == Sound, "{:?}", t.health());
    t.take(2, 1_000, Input::Frame(S::BROKEN.as_bytes()));
    assert_ne!(t.health()[2], Sound, "no book came in between, and yet");
    assert_eq!([0, 1, 2].map(|market| t.sink.wanted(market) > 0), [true; 3]);
}

fn silence_does_not_make_a_crossed_book_sound<S: Sharded>() {
    let mut t = Bench::<S>::new();
    assert_eq!(t.session.due(), None);
    t.snapshot(1, 0, false);
    assert_eq!((t.health()[0], t.session.due()), (Crossed, Some(ms(1_005))));
    t.take(0, 1_005, Input::Tick);
    assert_eq!((t.health()[0], t.sink.wanted(0)), (Crossed, 0));
    t.take(0, 1_006, Input::Tick);
    assert_ne!(t.health()[0], Crossed);
    assert!(t.sink.wanted(0) > 0);
    assert_eq!(t.session.due(), None);
}

fn what_is_said_from_outside_counts<S: Sharded>() {
    let mut t = Bench::<S>::new();
    t.say(1, Fitness::Unfit);
    assert_eq!(t.health(), [Sound, Stale, Sound]);
    assert!(t.sink.wanted(1) > 0, "a fresh book may settle it");
    t.snapshot(1, 1, true);
    assert_eq!(t.health()[1], Stale, "its own frames do not refute it");
    t.say(1, Fitness::Fit);
    assert_eq!(t.health(), [Sound; 3]);
    t.sink.forget();
    t.say(1, Fitness::Fit);
    assert!(t.sink.tops.is_empty(), "nothing new");
    t.say(9, Fitness::Unfit); // nobody's
    assert_eq!(t.health(), [Sound; 3]);
    // A market that is taken out stays out, whatever is still on its way.
    t.say(0, Fitness::Removed);
    assert_eq!(markets(&t.sink.tops), [(0, AwaitSnapshot)]);
    t.snapshot(1, 0, true);
    t.say(0, Fitness::Fit);
    assert_eq!(t.health(), [Stale, Sound, Sound]);
    t.say(0, Fitness::Restored);
    assert_eq!(t.health(), [AwaitSnapshot, Sound, Sound]);
    t.snapshot(1, 0, true);
    assert_eq!(t.health(), [Sound; 3]);
}

macro_rules! both {
    ($($rule:ident),+ $(,)?) => {
        mod kalshi {
            $(#[test] fn $rule() { super::$rule::<super::Kalshi>(); })+
        }
        mod polymarket {
            $(#[test] fn $rule() { super::$rule::<super::Polymarket>(); })+
        }
    };
}

both! {
    a_connection_takes_its_own_books_with_it,
    a_frame_that_cannot_be_read_is_of_its_connection,
    silence_does_not_make_a_crossed_book_sound,
    what_is_said_from_outside_counts,
}

#[test]
fn a_market_of_no_connection_goes_with_the_one_that_brought_its_book() {
    let options = Options { no_side: NoSide::YesPrice, learn: true };
    let mut session = Kalshi::new(options, Slab::new([0, 3, 0]));
    let mut sink = Recorder::default();
    for market in [0, 1] {
        let frame = <Kalshi as Sharded>::snapshot(market, 1, true);
        session.on_frame(market as u32 + 1, ms(1), frame.as_bytes(), &mut sink);
    }
    session.on_closed(2, ms(2), &mut sink);
    assert_eq!([0, 1].map(|market| session.top(market).health), [Sound, AwaitSnapshot]);
    assert_eq!(session.top(1).market.venue(), Venue::Kalshi);
}
