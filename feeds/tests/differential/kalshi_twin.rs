//! Kalshi: two sessions, one of them without its fast path, and a twin with sorted maps.

use std::collections::BTreeMap;

use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::Health;
use engine::units::Ns;
use feeds::kalshi;
use proptest::prelude::*;

use super::common::{Recorder, plain};
use super::damage::{Damage, damage, damaged};
use super::{Belief, ID, TICKERS, common_figures};

struct KalshiPair {
    sessions: [kalshi::session::Session; 2],
    sinks: [Recorder; 2],
}

impl KalshiPair {
    fn new() -> KalshiPair {
        let sessions = [(); 2].map(|()| {
            let options = kalshi::session::Options { no_side: Default::default(), learn: false };
            let mut session = kalshi::session::Session::new(options, Slab::new([8, 8, 1]));
            for ticker in TICKERS {
                session.add_market(ticker, &Grid::CENT).unwrap();
            }
            session
        });
        KalshiPair { sessions, sinks: Default::default() }
    }

    fn connected(&mut self, recv: Ns) {
        for (session, sink) in self.sessions.iter_mut().zip(&mut self.sinks) {
            session.on_connected(recv, sink);
        }
    }

    fn frame(&mut self, conn: u32, recv: Ns, frame: &[u8]) {
        let [fast, general] = &mut self.sessions;
        fast.on_frame(conn, recv, frame, &mut self.sinks[0]);
        general.on_frame(conn, recv, &[b" ", frame].concat(), &mut self.sinks[1]);
    }

    fn agree(&self) -> Result<(), TestCaseError> {
        let [fast, general] = &self.sessions;
        prop_assert_eq!(common_figures(fast.figures()), common_figures(general.figures()));
        prop_assert_eq!(general.figures().fast, 0);
        prop_assert_eq!(&self.sinks[0].tops, &self.sinks[1].tops);
        prop_assert_eq!(&self.sinks[0].said, &self.sinks[1].said);
        for market in 0..TICKERS.len() {
            for side in [Side::Bid, Side::Ask] {
                prop_assert_eq!(fast.levels(market, side), general.levels(market, side));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum KalshiOp {
    Snapshot {
        place: usize,
        market: usize,
        yes: Vec<(u16, u64)>,
        no: Vec<(u16, u64)>,
    },
    Delta {
        place: usize,
        market: usize,
        yes: bool,
        px: u16,
        change: i64,
        form: u8,
    },
    Ok {
        place: usize,
    },
    /// A frame that never came.
    Lost {
        place: usize,
    },
    /// The last frame of the subscription once more.
    Again {
        place: usize,
    },
    Garbage {
        place: usize,
    },
    Unsubscribed {
        place: usize,
    },
    Connected,
    Refine {
        market: usize,
    },
    Damaged {
        place: usize,
        market: usize,
        steps: Vec<Damage>,
    },
}

/// (connection, subscription)
const PLACES: [(u32, u64); 3] = [(1, 1), (1, 2), (2, 1)];

fn kalshi_op() -> impl Strategy<Value = KalshiOp> {
    let place = prop_oneof![6 => Just(0usize), 1 => Just(1), 1 => Just(2)];
    let market = 0..TICKERS.len();
    let px = prop_oneof![12 => (35u16..65).prop_map(|c| c * 100), 1 => (350u16..650).prop_map(|m| m * 10), 1 => Just(10_000u16)];
    let side = || {
        prop::collection::btree_map((30u16..52).prop_map(|c| c * 100), 1u64..2_000, 0..4)
            .prop_map(|map| map.into_iter().collect::<Vec<_>>())
    };
    prop_oneof![
        5 => (place.clone(), market.clone(), side(), side())
            .prop_map(|(place, market, yes, no)| KalshiOp::Snapshot { place, market, yes, no }),
        30 => (place.clone(), market.clone(), any::<bool>(), px, -600i64..1_500, any::<u8>())
            .prop_map(|(place, market, yes, px, change, form)| KalshiOp::Delta { place, market, yes, px, change, form }),
        2 => place.clone().prop_map(|place| KalshiOp::Ok { place }),
        1 => place.clone().prop_map(|place| KalshiOp::Lost { place }),
        2 => place.clone().prop_map(|place| KalshiOp::Again { place }),
        1 => place.clone().prop_map(|place| KalshiOp::Garbage { place }),
        1 => place.clone().prop_map(|place| KalshiOp::Unsubscribed { place }),
        1 => Just(KalshiOp::Connected),
        1 => market.clone().prop_map(|market| KalshiOp::Refine { market }),
        2 => (place, market, prop::collection::vec(damage(), 1..4))
            .prop_map(|(place, market, steps)| KalshiOp::Damaged { place, market, steps }),
    ]
}

/// The frames of a stream, and what they mean.
#[derive(Default)]
struct KalshiVenue {
    seq: [u64; 3],
    last: [Option<String>; 3],
}

impl KalshiVenue {
    fn head(&mut self, place: usize) -> (u64, u64) {
        self.seq[place] += 1;
        (PLACES[place].1, self.seq[place])
    }

    fn snapshot(
        &mut self,
        place: usize,
        market: usize,
        yes: &[(u16, u64)],
        no: &[(u16, u64)],
    ) -> String {
        let (sid, seq) = self.head(place);
        let list = |levels: &[(u16, u64)]| {
            let levels: Vec<String> = levels
                .iter()
                .map(|(px, qty)| format!(r#"["0.{px:04}","{}.{:02}"]"#, qty / 100, qty % 100))
                .collect();
            levels.join(",")
        };
        format!(
            r#"{{"type":"orderbook_snapshot","sid":{sid},"seq":{seq},"msg":{{"market_ticker":"{}","market_id":"{ID}","yes_dollars_fp":[{}],"no_dollars_fp":[{}]}}}}"#,
            TICKERS[market],
            list(yes),
            list(no)
        )
    }

    fn delta(
        &mut self,
        place: usize,
        market: usize,
        yes: bool,
        px: u16,
        change: i64,
        form: u8,
    ) -> String {
        let (sid, seq) = self.head(place);
        let sent = if form & 1 == 0 { "" } else { r#""sending_ts_ms":1795284000006,"# };
        let own =
            if form & 6 == 6 { r#","client_order_id":"my-order-1","subaccount":0"# } else { "" };
        let end = if form & 8 == 8 { "\n" } else { "" };
        let minus = if change < 0 { "-" } else { "" };
        let (whole, part) = (change.abs() / 100, change.abs() % 100);
        format!(
            r#"{{"type":"orderbook_delta",{sent}"sid":{sid},"seq":{seq},"msg":{{"market_ticker":"{}","market_id":"{ID}","price_dollars":"{}.{:04}","delta_fp":"{minus}{whole}.{part:02}","side":"{}","ts":"2026-11-21T18:00:00.000000Z","ts_ms":1795284000000{own}}}}}{end}"#,
            TICKERS[market],
            px / 10_000,
            px % 10_000,
            if yes { "yes" } else { "no" }
        )
    }

    fn control(&mut self, place: usize, kind: &str) -> String {
        let (sid, seq) = self.head(place);
        format!(r#"{{"id":4,"sid":{sid},"seq":{seq},"type":"{kind}","msg":{{}}}}"#)
    }
}

fn refined(market: usize) -> String {
    format!(
        r#"{{"type":"market_lifecycle_v2","sid":13,"msg":{{"market_ticker":"{}","event_type":"price_level_structure_updated","price_ranges":[{{"start":"0.0000","end":"1.0000","step":"0.0010"}}]}}}}"#,
        TICKERS[market]
    )
}

struct KalshiBook {
    bids: BTreeMap<u16, u64>,
    asks: BTreeMap<u16, u64>,
    belief: Belief,
    owner: (u32, u64),
    step: u16,
    crossed_run: u32,
}

/// kalshi.md section 2 and 3, as slow as can be.
struct KalshiTwin {
    last: BTreeMap<(u32, u64), u64>,
    books: Vec<KalshiBook>,
}

impl KalshiTwin {
    fn new() -> KalshiTwin {
        let books = TICKERS.iter().map(|_| KalshiBook {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            belief: Belief::Nothing,
            owner: (0, 0),
            step: 100,
            crossed_run: 0,
        });
        KalshiTwin { last: BTreeMap::new(), books: books.collect() }
    }

    fn suspend(&mut self, of: impl Fn((u32, u64)) -> bool) {
        for book in &mut self.books {
            if of(book.owner) && matches!(book.belief, Belief::Whole | Belief::Doubted) {
                book.belief = Belief::Suspended;
                book.crossed_run = 0;
            }
        }
    }

    /// False for a number that came before.
    fn count(&mut self, place: (u32, u64), seq: u64) -> bool {
        match self.last.insert(place, seq) {
            Some(last) if seq <= last => {
                self.last.insert(place, last);
                return false;
            }
            Some(last) if seq != last + 1 => self.suspend(|owner| owner == place),
            _ => {}
        }
        true
    }

    fn judge(book: &mut KalshiBook) {
        let bid = book.bids.last_key_value().map(|level| *level.0);
        let ask = book.asks.first_key_value().map(|level| *level.0);
        match bid.zip(ask) {
            Some((bid, ask)) if bid >= ask => book.crossed_run += 1,
            _ => book.crossed_run = 0,
        }
        if book.crossed_run > 16 && book.belief == Belief::Whole {
            book.belief = Belief::Doubted;
        }
    }

    fn snapshot(
        &mut self,
        place: (u32, u64),
        market: usize,
        yes: &[(u16, u64)],
        no: &[(u16, u64)],
    ) {
        let book = &mut self.books[market];
        book.bids = yes.iter().copied().collect();
        book.asks = no.iter().map(|(px, qty)| (10_000 - px, *qty)).collect();
        book.owner = place;
        book.belief = Belief::Whole;
        book.crossed_run = 0;
        KalshiTwin::judge(book);
    }

    fn delta(&mut self, place: (u32, u64), market: usize, yes: bool, px: u16, change: i64) {
        let book = &mut self.books[market];
        if book.owner != place || matches!(book.belief, Belief::Nothing | Belief::Suspended) {
            return;
        }
        let (side, px) = if yes { (&mut book.bids, px) } else { (&mut book.asks, 10_000 - px) };
        let sum = side.get(&px).map_or(0, |qty| *qty as i64) + change;
        if !px.is_multiple_of(book.step) || px == 0 || px == 10_000 || sum < 0 {
            if book.belief == Belief::Whole {
                book.belief = Belief::Doubted;
            }
            return;
        }
        if sum == 0 {
            side.remove(&px)
        } else {
            side.insert(px, sum as u64)
        };
        KalshiTwin::judge(book);
    }

    fn agree(&self, session: &kalshi::session::Session) -> Result<(), TestCaseError> {
        for (market, book) in self.books.iter().enumerate() {
            let want = match book.belief {
                Belief::Nothing => Health::AwaitSnapshot,
                Belief::Suspended => Health::Gap,
                Belief::Doubted => Health::Stale,
                Belief::Whole if book.crossed_run > 0 => Health::Crossed,
                Belief::Whole => Health::Sound,
            };
            prop_assert_eq!(session.top(market).health, want, "market {}", market);
            let levels = |side: &BTreeMap<u16, u64>| {
                side.iter().map(|(px, qty)| (*px, *qty)).collect::<Vec<_>>()
            };
            prop_assert_eq!(plain(&session.levels(market, Side::Bid)), levels(&book.bids));
            prop_assert_eq!(plain(&session.levels(market, Side::Ask)), levels(&book.asks));
            if want == Health::Sound {
                let top = session.top(market);
                let bids: Vec<_> = top.bids().iter().map(|(px, qty)| (px.e4(), qty.e2())).collect();
                let asks: Vec<_> = top.asks().iter().map(|(px, qty)| (px.e4(), qty.e2())).collect();
                prop_assert_eq!(
                    bids,
                    levels(&book.bids).into_iter().rev().take(4).collect::<Vec<_>>()
                );
                prop_assert_eq!(asks, levels(&book.asks).into_iter().take(4).collect::<Vec<_>>());
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn kalshi_sessions_agree_with_a_slow_twin(ops in prop::collection::vec(kalshi_op(), 1..120)) {
        let (mut pair, mut twin, mut venue) = (KalshiPair::new(), KalshiTwin::new(), KalshiVenue::default());
        let recv = Ns(1);
        for op in &ops {
            match op {
                KalshiOp::Snapshot { place, market, yes, no } => {
                    let frame = venue.snapshot(*place, *market, yes, no);
                    pair.frame(PLACES[*place].0, recv, frame.as_bytes());
                    venue.last[*place] = Some(frame);
                    if twin.count(PLACES[*place], venue.seq[*place]) {
                        twin.snapshot(PLACES[*place], *market, yes, no);
                    }
                }
                KalshiOp::Delta { place, market, yes, px, change, form } => {
                    let frame = venue.delta(*place, *market, *yes, *px, *change, *form);
                    pair.frame(PLACES[*place].0, recv, frame.as_bytes());
                    venue.last[*place] = Some(frame);
                    if twin.count(PLACES[*place], venue.seq[*place]) {
                        twin.delta(PLACES[*place], *market, *yes, *px, *change);
                    }
                }
                KalshiOp::Ok { place } => {
                    pair.frame(PLACES[*place].0, recv, venue.control(*place, "ok").as_bytes());
                    venue.last[*place] = None;
                    twin.count(PLACES[*place], venue.seq[*place]);
                }
                KalshiOp::Lost { place } => venue.seq[*place] += 1,
                KalshiOp::Again { place } => {
                    // A copy of each frame at most: sixteen in a row would end the count.
                    if let Some(frame) = venue.last[*place].take() {
                        pair.frame(PLACES[*place].0, recv, frame.as_bytes());
                    }
                }
                KalshiOp::Garbage { place } => {
                    let (conn, _) = PLACES[*place];
                    pair.frame(conn, recv, b"{\"type\":\"orderbook_de");
                    twin.suspend(|owner| owner.0 == conn);
                }
                KalshiOp::Unsubscribed { place } => {
                    let frame = venue.control(*place, "unsubscribed");
                    pair.frame(PLACES[*place].0, recv, frame.as_bytes());
                    twin.count(PLACES[*place], venue.seq[*place]);
                    twin.last.remove(&PLACES[*place]);
                    venue.seq[*place] = 0;
                    venue.last[*place] = None;
                    for book in twin.books.iter_mut().filter(|book| book.owner == PLACES[*place]) {
                        book.belief = Belief::Nothing;
                        book.crossed_run = 0;
                    }
                }
                KalshiOp::Connected => {
                    pair.connected(recv);
                    twin.last.clear();
                    venue.last = Default::default();
                    for book in &mut twin.books {
                        book.belief = Belief::Nothing;
                        book.crossed_run = 0;
                    }
                }
                KalshiOp::Refine { market } => {
                    pair.frame(1, recv, refined(*market).as_bytes());
                    twin.books[*market].step = 10;
                }
                KalshiOp::Damaged { .. } => {}
            }
            pair.agree()?;
            twin.agree(&pair.sessions[0])?;
        }
    }

    #[test]
    fn damaged_kalshi_streams_are_one_for_both_ways(ops in prop::collection::vec(kalshi_op(), 1..80)) {
        let (mut pair, mut venue) = (KalshiPair::new(), KalshiVenue::default());
        for (n, op) in ops.iter().enumerate() {
            let recv = Ns(700_000 * n as u64);
            let (place, frame) = match op {
                KalshiOp::Snapshot { place, market, yes, no } => (*place, venue.snapshot(*place, *market, yes, no).into_bytes()),
                KalshiOp::Delta { place, market, yes, px, change, form } => {
                    (*place, venue.delta(*place, *market, *yes, *px, *change, *form).into_bytes())
                }
                KalshiOp::Damaged { place, market, steps } => {
                    let whole = venue.delta(*place, *market, true, 4_000, 100, 1);
                    (*place, damaged(&whole, steps))
                }
                KalshiOp::Connected => {
                    pair.connected(recv);
                    continue;
                }
                KalshiOp::Refine { market } => (0, refined(*market).into_bytes()),
                _ => continue,
            };
            pair.frame(PLACES[place].0, recv, &frame);
        }
        pair.agree()?;
    }
}
