//! Polymarket: two sessions, one of them without its fast path, and a twin of each token.

use std::collections::BTreeMap;

use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::Health;
use engine::units::Ns;
use feeds::polymarket;
use proptest::prelude::*;

use super::common::{Recorder, plain};
use super::damage::{Damage, damage, damaged};
use super::{Belief, MARKET, TOKENS, common_figures};

const OTHER: &str = "0x6ade2c1de80844a803bbec0110ad83e814533deb50d279a9b27d5cc218745f1d";

struct PolymarketPair {
    sessions: [polymarket::session::Session; 2],
    sinks: [Recorder; 2],
}

impl PolymarketPair {
    fn new() -> PolymarketPair {
        let sessions = [(); 2].map(|()| {
            let options = polymarket::session::Options { learn: false, audit_every: 0 };
            let mut session = polymarket::session::Session::new(options, Slab::new([8, 8, 1]));
            session.add_market(MARKET, TOKENS, &Grid::CENT, None).unwrap();
            session.add_market(OTHER, ["1", "2"], &Grid::CENT, None).unwrap();
            session
        });
        PolymarketPair { sessions, sinks: Default::default() }
    }

    fn connected(&mut self, recv: Ns) {
        for (session, sink) in self.sessions.iter_mut().zip(&mut self.sinks) {
            session.on_connected(recv, sink);
        }
    }

    fn frame(&mut self, recv: Ns, frame: &[u8]) {
        let [fast, general] = &mut self.sessions;
        fast.on_frame(recv, frame, &mut self.sinks[0]);
        general.on_frame(recv, &[b" ", frame].concat(), &mut self.sinks[1]);
    }

    fn agree(&self) -> Result<(), TestCaseError> {
        let [fast, general] = &self.sessions;
        prop_assert_eq!(common_figures(fast.figures()), common_figures(general.figures()));
        prop_assert_eq!(general.figures().fast, 0);
        prop_assert_eq!(&self.sinks[0].tops, &self.sinks[1].tops);
        prop_assert_eq!(&self.sinks[0].said, &self.sinks[1].said);
        for (token, side) in [(0, Side::Bid), (0, Side::Ask), (1, Side::Bid), (1, Side::Ask)] {
            prop_assert_eq!(fast.levels(0, token, side), general.levels(0, token, side));
        }
        Ok(())
    }
}

/// One changed level: token, side, price, size, which transition it belongs to, and whether the
/// best prices it names are those of the book after this frame.
type EntryOp = (usize, bool, u16, u64, u8, bool);

#[derive(Clone, Debug)]
enum PolymarketOp {
    Book { token: usize, back: u64, bids: Vec<(u16, u64)>, asks: Vec<(u16, u64)> },
    Change { back: u64, step: u64, first: bool, entries: Vec<EntryOp> },
    Tick { token: usize },
    Garbage,
    Connected,
    Damaged { entries: Vec<EntryOp>, steps: Vec<Damage> },
}

fn entry_op() -> impl Strategy<Value = EntryOp> {
    let px = prop_oneof![12 => (35u16..65).prop_map(|c| c * 100), 1 => (350u16..650).prop_map(|m| m * 10)];
    let qty = prop_oneof![1 => Just(0u64), 3 => 1u64..90_000];
    (0..2usize, any::<bool>(), px, qty, 0..3u8, prop::bool::weighted(0.9))
}

fn polymarket_op() -> impl Strategy<Value = PolymarketOp> {
    let back = || prop_oneof![8 => Just(0u64), 1 => 1u64..4];
    let side = |from: u16, to: u16| {
        prop::collection::btree_map((from..to).prop_map(|c| c * 100), 1u64..2_000, 0..4)
            .prop_map(|map| map.into_iter().collect::<Vec<_>>())
    };
    let entries = || prop::collection::vec(entry_op(), 1..5);
    prop_oneof![
        6 => (0..2usize, back(), side(35, 51), side(50, 65))
            .prop_map(|(token, back, bids, asks)| PolymarketOp::Book { token, back, bids, asks }),
        30 => (back(), 0..2u64, any::<bool>(), entries())
            .prop_map(|(back, step, first, entries)| PolymarketOp::Change { back, step, first, entries }),
        1 => (0..2usize).prop_map(|token| PolymarketOp::Tick { token }),
        1 => Just(PolymarketOp::Garbage),
        1 => Just(PolymarketOp::Connected),
        2 => (entries(), prop::collection::vec(damage(), 1..4))
            .prop_map(|(entries, steps)| PolymarketOp::Damaged { entries, steps }),
    ]
}

fn hash_of(time: u64, transition: u8) -> String {
    format!("{:040x}", u128::from(time) * 16 + u128::from(transition))
}

fn shortest(px: u16) -> String {
    match px {
        0 => "0".to_owned(),
        10_000 => "1".to_owned(),
        _ => format!("0.{px:04}").trim_end_matches('0').to_owned(),
    }
}

fn book_frame(token: usize, time: u64, bids: &[(u16, u64)], asks: &[(u16, u64)]) -> String {
    let list = |levels: &mut dyn Iterator<Item = &(u16, u64)>| {
        let levels: Vec<String> = levels
            .map(|(px, qty)| {
                format!(
                    r#"{{"price":"{}","size":"{}.{:02}"}}"#,
                    shortest(*px),
                    qty / 100,
                    qty % 100
                )
            })
            .collect();
        levels.join(",")
    };
    format!(
        r#"[{{"event_type":"book","market":"{MARKET}","asset_id":"{}","timestamp":"{time}","hash":"{}","bids":[{}],"asks":[{}]}}]"#,
        TOKENS[token],
        hash_of(time, 9),
        list(&mut bids.iter()),
        list(&mut asks.iter().rev())
    )
}

/// An entry with the best prices that it names.
type Stated = (EntryOp, (u16, u16));

fn change_frame(time: u64, first: bool, entries: &[Stated]) -> String {
    let entries: Vec<String> = entries
        .iter()
        .map(|((token, bid_side, px, qty, transition, _), (bid, ask))| {
            format!(
                r#"{{"asset_id":"{}","price":"{}","size":"{}.{:02}","side":"{}","hash":"{}","best_bid":"{}","best_ask":"{}"}}"#,
                TOKENS[*token],
                shortest(*px),
                qty / 100,
                qty % 100,
                if *bid_side { "BUY" } else { "SELL" },
                hash_of(time, *transition),
                shortest(*bid),
                shortest(*ask)
            )
        })
        .collect();
    let entries = entries.join(",");
    if first {
        format!(
            r#"{{"event_type":"price_change","market":"{MARKET}","timestamp":"{time}","price_changes":[{entries}]}}"#
        )
    } else {
        format!(
            r#"{{"market":"{MARKET}","price_changes":[{entries}],"timestamp":"{time}","event_type":"price_change"}}"#
        )
    }
}

#[derive(Clone)]
struct TokenTwin {
    bids: BTreeMap<u16, u64>,
    asks: BTreeMap<u16, u64>,
    belief: Belief,
    time: u64,
    step: u16,
    /// The transition whose best prices were not ours.
    unsettled: Option<(u64, u8)>,
    crossed_run: u32,
}

impl TokenTwin {
    fn new() -> TokenTwin {
        TokenTwin {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            belief: Belief::Nothing,
            time: 0,
            step: 100,
            unsettled: None,
            crossed_run: 0,
        }
    }

    fn best(&self) -> (u16, u16) {
        let bid = self.bids.last_key_value().map_or(0, |level| *level.0);
        let ask = self.asks.first_key_value().map_or(10_000, |level| *level.0);
        (bid, ask)
    }

    fn doubt(&mut self) {
        if self.belief == Belief::Whole {
            self.belief = Belief::Doubted;
        }
    }

    fn judge(&mut self) {
        let (bid, ask) = self.best();
        self.crossed_run = if bid >= ask { self.crossed_run + 1 } else { 0 };
        if self.crossed_run > 16 {
            self.doubt();
        }
    }

    /// The entries of one frame that are this token's; counts mismatches.
    fn change(&mut self, time: u64, entries: &[Stated], mismatches: &mut u64) {
        if self.belief == Belief::Nothing || time < self.time || entries.is_empty() {
            return;
        }
        // Entries of one transition stand together; where one ends its best prices must be ours.
        let mut open = self.unsettled.take().map(|name| (name, false));
        for ((_, bid_side, px, qty, transition, _), stated) in entries {
            let name = (time, *transition);
            if let Some((before, agrees)) = open
                && before != name
                && !agrees
            {
                *mismatches += 1;
                self.doubt();
            }
            if px.is_multiple_of(self.step) {
                let side = if *bid_side { &mut self.bids } else { &mut self.asks };
                if *qty == 0 {
                    side.remove(px)
                } else {
                    side.insert(*px, *qty)
                };
            } else {
                self.doubt();
            }
            open = Some((name, self.best() == *stated));
        }
        self.unsettled = open.filter(|(_, agrees)| !agrees).map(|(name, _)| name);
        self.time = time;
        self.judge();
    }

    fn health(&self) -> Health {
        match self.belief {
            Belief::Nothing | Belief::Suspended => Health::AwaitSnapshot,
            Belief::Doubted => Health::Stale,
            Belief::Whole if self.crossed_run > 0 => Health::Crossed,
            Belief::Whole if self.unsettled.is_some() => Health::Stale,
            Belief::Whole => Health::Sound,
        }
    }
}

/// What each entry names as best: of the book after the frame, or a lie.
fn stated(twins: &[TokenTwin; 2], time: u64, entries: &[EntryOp]) -> Vec<Stated> {
    let blank: Vec<Stated> = entries.iter().map(|entry| (*entry, (0, 0))).collect();
    let after = [0, 1].map(|token| {
        let mut twin = twins[token].clone();
        let own: Vec<Stated> =
            blank.iter().filter(|(entry, _)| entry.0 == token).copied().collect();
        twin.change(time, &own, &mut 0);
        twin.best()
    });
    let best = |entry: &EntryOp| if entry.5 { after[entry.0] } else { (100, 9_900) };
    entries.iter().map(|entry| (*entry, best(entry))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn polymarket_sessions_agree_with_a_slow_twin(ops in prop::collection::vec(polymarket_op(), 1..120)) {
        let mut pair = PolymarketPair::new();
        let mut twins = [TokenTwin::new(), TokenTwin::new()];
        let (mut now, mut mismatches) = (1_000u64, 0u64);
        let recv = Ns(1);
        for op in &ops {
            match op {
                PolymarketOp::Book { token, back, bids, asks } => {
                    let time = now - back;
                    pair.frame(recv, book_frame(*token, time, bids, asks).as_bytes());
                    let twin = &mut twins[*token];
                    if time >= twin.time {
                        // No transition of a change has the hash of a book here.
                        mismatches += u64::from(twin.unsettled.take().is_some());
                        *twin = TokenTwin {
                            bids: bids.iter().copied().collect(),
                            asks: asks.iter().copied().collect(),
                            belief: Belief::Whole,
                            time,
                            step: twin.step,
                            ..TokenTwin::new()
                        };
                        twin.judge();
                    }
                }
                PolymarketOp::Change { back, step, first, entries } => {
                    now += step;
                    let time = now - back;
                    let entries = stated(&twins, time, entries);
                    pair.frame(recv, change_frame(time, *first, &entries).as_bytes());
                    for (token, twin) in twins.iter_mut().enumerate() {
                        let own: Vec<Stated> = entries.iter().filter(|(entry, _)| entry.0 == token).copied().collect();
                        twin.change(time, &own, &mut mismatches);
                    }
                }
                PolymarketOp::Tick { token } => {
                    let frame = format!(
                        r#"{{"event_type":"tick_size_change","market":"{MARKET}","asset_id":"{}","old_tick_size":"0.01","new_tick_size":"0.001","timestamp":"{now}"}}"#,
                        TOKENS[*token]
                    );
                    pair.frame(recv, frame.as_bytes());
                    let time = twins[*token].time.max(now);
                    twins[*token] = TokenTwin { step: 10, time, ..TokenTwin::new() };
                }
                PolymarketOp::Garbage => {
                    pair.frame(recv, b"{\"event_type\":\"price_ch");
                    twins.iter_mut().for_each(TokenTwin::doubt);
                }
                PolymarketOp::Connected => {
                    pair.connected(recv);
                    for twin in &mut twins {
                        twin.belief = Belief::Nothing;
                        twin.time = 0;
                        twin.unsettled = None;
                        twin.crossed_run = 0;
                    }
                }
                PolymarketOp::Damaged { .. } => {}
            }
            pair.agree()?;
            let session = &pair.sessions[0];
            for (token, twin) in twins.iter().enumerate() {
                for (side, levels) in [(Side::Bid, &twin.bids), (Side::Ask, &twin.asks)] {
                    let want: Vec<_> = levels.iter().map(|(px, qty)| (*px, *qty)).collect();
                    prop_assert_eq!(plain(&session.levels(0, token, side)), want, "token {}", token);
                }
            }
            let weight = |health| match health {
                Health::Sound => 0,
                Health::Crossed => 1,
                Health::Stale => 2,
                _ => 3,
            };
            let worst = twins.iter().map(TokenTwin::health).max_by_key(|health| weight(*health));
            prop_assert_eq!(session.top(0).health, worst.unwrap());
            prop_assert_eq!(session.figures().best_mismatches, mismatches);
            if session.top(0).health == Health::Sound {
                let top = session.top(0);
                let asks: Vec<_> = top.asks().iter().map(|(px, qty)| (px.e4(), qty.e2())).collect();
                let bids: Vec<_> = top.bids().iter().map(|(px, qty)| (px.e4(), qty.e2())).collect();
                let best = |twin: &TokenTwin| twin.asks.iter().map(|(px, qty)| (*px, *qty)).take(4).collect::<Vec<_>>();
                prop_assert_eq!(asks, best(&twins[0]));
                prop_assert_eq!(bids, best(&twins[1]).into_iter().map(|(px, qty)| (10_000 - px, qty)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn damaged_polymarket_streams_are_one_for_both_ways(ops in prop::collection::vec(polymarket_op(), 1..80)) {
        let mut pair = PolymarketPair::new();
        let lies = |entries: &[EntryOp]| entries.iter().map(|entry| (*entry, (4_000, 6_000))).collect::<Vec<_>>();
        let mut time = 1_000;
        for (n, op) in ops.iter().enumerate() {
            let recv = Ns(700_000 * n as u64);
            let frame = match op {
                PolymarketOp::Book { token, back, bids, asks } => book_frame(*token, time - back, bids, asks).into_bytes(),
                PolymarketOp::Change { back, step, first, entries } => {
                    time += step;
                    change_frame(time - back, *first, &lies(entries)).into_bytes()
                }
                PolymarketOp::Damaged { entries, steps } => damaged(&change_frame(time, false, &lies(entries)), steps),
                PolymarketOp::Connected => {
                    pair.connected(recv);
                    continue;
                }
                PolymarketOp::Tick { .. } | PolymarketOp::Garbage => continue,
            };
            pair.frame(recv, &frame);
        }
        pair.agree()?;
    }
}
