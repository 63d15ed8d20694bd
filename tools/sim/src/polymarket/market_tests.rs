use engine::units::Qty;
use serde_json::Value;

use super::*;

/// The market of the protocol's sample frames, as they leave it.
fn sample() -> Market {
    let spec = PolymarketMarket {
        gamma_id: 1,
        condition_id: "0x9b1c6f0d2a7e4b58c3d1e0f4a59687766554433221100ffeeddccbbaa9988770".into(),
        tokens: [
            "52114319501245915516055106046884209969926127482827954674443846427813813222426".into(),
            "71321045679252212594626385532706912750332728571942532289631379312455583992563".into(),
        ],
        outcomes: ["Yes".into(), "No".into()],
        question: "?".into(),
        slug: "s".into(),
        tick: 100,
        min_size: Qty::lit(500),
        fee_rate_e6: 40_000,
        fee_exponent: 1,
        neg_risk: false,
        is_v2: false,
        taker_delay_ms: 0,
        end_time: 0,
        about: Default::default(),
    };
    let mut market = Market::new(&spec, Ns::from_ms(1_795_000_000_123));
    for (side, px, size) in [
        (Side::Bid, 4_700, 1_200_000_000),
        (Side::Bid, 5_000, 310_550_000),
        (Side::Bid, 5_100, 88_200_000),
        (Side::Ask, 5_600, 900_000_000),
        (Side::Ask, 5_400, 150_750_000),
        (Side::Ask, 5_300, 60_000_000),
    ] {
        market.book.set_house(side, Px::lit(px), size);
    }
    market.last = Some(Px::lit(5_200));
    market.changes(Ns::from_ms(1_795_000_000_123));
    market
}

fn fixture(name: &str) -> Option<Value> {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/protocol/fixtures/polymarket/");
    match std::fs::read(format!("{path}{name}")) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(error) => {
            eprintln!("skipped: {path}{name}: {error}");
            None
        }
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_sample_frames_come_out_byte_for_byte() {
    let mut market = sample();
    if let Some(dump) = fixture("ws_book_initial_dump_array.json") {
        assert_eq!(parsed(&market.book_event(0)), dump[0]);
        assert_eq!(parsed(&market.book_event(1)), dump[1]);
    }
    if let Some(book) = fixture("rest_book.json") {
        assert_eq!(parsed(&market.book_rest(0)), book);
    }
    market.book.set_house(Side::Bid, Px::lit(5_100), 100_200_000);
    market.book.set_house(Side::Bid, Px::lit(5_000), 0);
    let mut changes = market.changes(Ns::from_ms(1_795_000_000_456));
    changes.sort_by_key(|change| std::cmp::Reverse(change.px));
    if let Some(change) = fixture("ws_price_change.json") {
        assert_eq!(parsed(&market.price_change(&changes)), change);
    }
    if let Some(book) = fixture("ws_book_after_price_change.json") {
        assert_eq!(parsed(&market.book_event(0)), book);
    }
    assert_eq!(market.changes(Ns::from_ms(1_795_000_000_500)), [], "told once");
}

#[test]
fn a_cent_becomes_a_tenth_near_the_ends() {
    let mut market = sample();
    assert_eq!(market.due_tick(), None);
    market.book.pull_house(Side::Ask, Px::ONE);
    market.book.set_house(Side::Bid, Px::lit(9_700), 1_000_000);
    assert_eq!(market.due_tick(), None, "one side alone says nothing");
    market.book.set_house(Side::Ask, Px::lit(9_800), 1_000_000);
    assert_eq!(market.due_tick(), Some(10));
}
