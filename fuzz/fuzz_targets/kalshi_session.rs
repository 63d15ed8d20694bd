//! Arbitrary streams of frames into Kalshi's session: no panic, the same with and without the fast
//! path, and no sound book whose best prices cross or are not what its top says.
//!
//! Frames stand between bytes 0xFF, which no text holds; the first byte of each is its connection
//! and how much time has passed.
#![no_main]

use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{Health, Top};
use engine::units::Ns;
use feeds::kalshi::session::{NoSide, Options, Session};
use feeds::sink::{Notice, Sink};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Tops(Vec<Top>);

impl Sink for Tops {
    fn top(&mut self, top: &Top) {
        self.0.push(*top);
    }
    fn notice(&mut self, _notice: &Notice<'_>) {}
}

const SNAPSHOT: &[u8] = br#"{"type":"orderbook_snapshot","sid":2,"seq":2,"msg":{"market_ticker":"FED-23DEC-T3.00","market_id":"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1","yes_dollars_fp":[["0.0800","300.00"],["0.2200","333.00"]],"no_dollars_fp":[["0.5400","20.00"],["0.5600","146.00"]]}}"#;

fuzz_target!(|stream: &[u8]| {
    let learn = stream.first().is_some_and(|byte| byte & 1 == 1);
    let mut sessions = [(); 2].map(|()| {
        let mut session =
            Session::new(Options { no_side: NoSide::NoPrice, learn }, Slab::new([2, 4, 2]));
        session.add_market("FED-23DEC-T3.00", &Grid::CENT).expect("there is room");
        session
    });
    let mut tops = [Tops::default(), Tops::default()];
    let mut now = 0u64;
    let frames = stream.split(|byte| *byte == 0xFF);
    for frame in core::iter::once([&[1][..], SNAPSHOT].concat()).chain(frames.map(<[u8]>::to_vec)) {
        let Some((first, frame)) = frame.split_first() else { continue };
        let conn = u32::from(first & 3);
        now += u64::from(first >> 2) * 200_000;
        let [fast, general] = &mut sessions;
        if frame.is_empty() {
            fast.on_connected(Ns(now), &mut tops[0]);
            general.on_connected(Ns(now), &mut tops[1]);
            continue;
        }
        fast.on_frame(conn, Ns(now), frame, &mut tops[0]);
        general.on_frame(conn, Ns(now), &[b" ", frame].concat(), &mut tops[1]);
        assert_eq!(tops[0].0, tops[1].0);
        for market in 0..fast.markets() {
            let (bid, ask) = fast.best(market);
            assert_eq!(general.best(market), (bid, ask));
            let top = fast.top(market);
            if top.health == Health::Sound {
                assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask));
                assert_eq!(top.bids().best().map(|level| level.0), bid);
                assert_eq!(top.asks().best().map(|level| level.0), ask);
                assert!(fast.levels(market, Side::Ask).iter().all(|(px, _)| px.e4() > 0));
            }
        }
    }
});
