//! What a fast path takes of arbitrary bytes, the general decoder takes with the same values.
#![no_main]

use feeds::kalshi::message::Body;
use feeds::polymarket::fast::{Change, ENTRIES_MAX, TokenText};
use feeds::polymarket::message::Object;
use feeds::{kalshi, polymarket};
use libfuzzer_sys::fuzz_target;

const TOKENS: [&str; 2] = ["52", "71"];

fuzz_target!(|frame: &[u8]| {
    kalshi_agrees(frame);
    polymarket_agrees(frame);
});

fn kalshi_agrees(frame: &[u8]) {
    let Some(fast) = kalshi::fast::delta(frame) else { return };
    let ticker_len = fast.ticker.len();
    let id = &fast.identity[fast.identity.len() - 36..];
    // The session compares these bytes with those of a market it knows, whose ticker is plain.
    if fast.ticker.iter().any(|b| !b.is_ascii_graphic() || *b == b'\\') {
        return;
    }
    let mut known = [0; 160];
    known[..ticker_len].copy_from_slice(fast.ticker);
    let id = core::str::from_utf8(id).unwrap_or("");
    if !kalshi::fast::put_market_id(&mut known, ticker_len, id)
        || known[..kalshi::fast::identity_len(ticker_len)] != *fast.identity
    {
        return;
    }
    let mut general = kalshi::general::General::new();
    let decoded = general.decode(frame).expect("what the fast path takes is sound");
    let Body::Delta(delta) = decoded.body else { panic!("{:?}", decoded.body) };
    assert_eq!((decoded.sid, decoded.seq), (Some(fast.sid), Some(fast.seq)));
    assert_eq!((decoded.sent_ms, delta.ts_ms), (fast.sent_ms, Some(fast.ts_ms)));
    assert_eq!((delta.ticker.as_bytes(), delta.market_id), (fast.ticker, id));
    assert_eq!((delta.px, delta.delta_e2), (fast.px, fast.delta_e2));
    assert_eq!((delta.side, delta.own), (fast.side, fast.own));
}

fn polymarket_agrees(frame: &[u8]) {
    let Some(head) = polymarket::fast::head(frame) else { return };
    // The session compares the condition with names of letters and digits.
    if !head.condition.iter().all(u8::is_ascii_alphanumeric) {
        return;
    }
    let condition = *head.condition;
    let texts = TOKENS.map(|token| TokenText::new(token).expect("a number"));
    let mut changes = [Change::NONE; ENTRIES_MAX];
    let Some((count, time)) = head.entries([&texts[0], &texts[1]], &mut changes) else { return };
    let mut general = polymarket::general::General::new();
    let decoded = general.decode(frame, &mut |object| {
        let Ok(Object::PriceChange(change)) = object else { panic!("{object:?}") };
        assert_eq!(change.market.as_bytes(), condition);
        assert_eq!((change.timestamp_ms, change.entries.len()), (time, count));
        for (entry, fast) in change.entries.iter().zip(&changes) {
            assert_eq!(entry.asset_id, TOKENS[fast.token]);
            assert_eq!((entry.px, entry.qty, entry.side), (fast.px, fast.qty, fast.side));
            assert_eq!(entry.hash.as_bytes(), fast.hash);
            assert_eq!((entry.best_bid, entry.best_ask), (fast.best_bid, fast.best_ask));
        }
    });
    assert_eq!(decoded, Ok(()));
}
