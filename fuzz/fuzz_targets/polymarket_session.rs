//! Arbitrary streams of frames into Polymarket's session: no panic, the same with and without the
//! fast path, and no sound market whose books cross or are not what its top says.
//!
//! Frames stand between bytes 0xFF, which no text holds; the first byte of each is the time that
//! has passed.
#![no_main]

use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{Health, Top};
use engine::units::Ns;
use feeds::polymarket::session::{HashTerms, Options, Session};
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

const MARKET: &str = "0x9b1c6f0d2a7e4b58c3d1e0f4a59687766554433221100ffeeddccbbaa9988770";
const TOKENS: [&str; 2] = ["52", "71"];
const BOOKS: &[u8] = br#"0[{"event_type":"book","market":"0x9b1c6f0d2a7e4b58c3d1e0f4a59687766554433221100ffeeddccbbaa9988770","asset_id":"52","timestamp":"100","hash":"","bids":[{"price":"0.47","size":"1200"},{"price":"0.5","size":"310.55"}],"asks":[{"price":"0.56","size":"900"},{"price":"0.53","size":"60"}]},{"event_type":"book","market":"0x9b1c6f0d2a7e4b58c3d1e0f4a59687766554433221100ffeeddccbbaa9988770","asset_id":"71","timestamp":"100","hash":"","bids":[{"price":"0.47","size":"60"}],"asks":[{"price":"0.5","size":"310.55"}]}]"#;

fuzz_target!(|stream: &[u8]| {
    let learn = stream.first().is_some_and(|byte| byte & 1 == 1);
    let mut sessions = [(); 2].map(|()| {
        let mut session = Session::new(Options { learn, audit_every: 2 }, Slab::new([4, 4, 2]));
        let terms = HashTerms { min_order_size: "5".to_owned(), neg_risk: false };
        session.add_market(MARKET, TOKENS, &Grid::CENT, Some(terms)).expect("there is room");
        session
    });
    let mut tops = [Tops::default(), Tops::default()];
    let mut now = 0u64;
    for frame in core::iter::once(BOOKS).chain(stream.split(|byte| *byte == 0xFF)) {
        let Some((first, frame)) = frame.split_first() else { continue };
        now += u64::from(*first) * 50_000;
        let [fast, general] = &mut sessions;
        if frame.is_empty() {
            fast.on_connected(Ns(now), &mut tops[0]);
            general.on_connected(Ns(now), &mut tops[1]);
            continue;
        }
        fast.on_frame(Ns(now), frame, &mut tops[0]);
        general.on_frame(Ns(now), &[b" ", frame].concat(), &mut tops[1]);
        assert_eq!(tops[0].0, tops[1].0);
        for market in 0..fast.markets() {
            let top = fast.top(market);
            let best = [0, 1].map(|token| fast.best(market, token));
            assert_eq!(best, [0, 1].map(|token| general.best(market, token)));
            if top.health == Health::Sound {
                for (token, (bid, ask)) in best.into_iter().enumerate() {
                    assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask));
                    assert!(
                        fast.levels(market, token, Side::Ask).iter().all(|(px, _)| px.e4() > 0)
                    );
                }
                assert_eq!(top.asks().best().map(|level| level.0), best[0].1);
                assert_eq!(top.bids().best().map(|level| level.0.complement()), best[1].1);
            }
        }
    }
});
