//! Arbitrary bytes as a Kalshi frame: no panic, the same answer whatever came before, and nothing
//! accepted that a strict JSON parser refuses.
#![no_main]

use std::cell::RefCell;

use feeds::kalshi::general::General;
use feeds::kalshi::message::Body;
use libfuzzer_sys::fuzz_target;

thread_local! {
    /// Used again and again, as on a live connection.
    static USED: RefCell<General> = RefCell::new(General::new());
}

fuzz_target!(|frame: &[u8]| {
    let mut fresh = General::new();
    let fresh = fresh.decode(frame);
    USED.with_borrow_mut(|used| {
        assert_eq!(used.decode(frame), fresh);
    });
    match fresh {
        Ok(decoded) => {
            serde_json::from_slice::<serde_json::Value>(frame).expect("strict JSON");
            if let Body::Snapshot(book) = decoded.body {
                for side in [book.yes, book.no] {
                    let mut prices: Vec<_> = side.iter().map(|level| level.0).collect();
                    prices.sort();
                    assert!(prices.windows(2).all(|pair| pair[0] != pair[1]));
                }
            }
        }
        Err(error) => {
            assert!(error.offset as usize <= frame.len());
            assert!(!error.to_string().is_empty());
        }
    }
});
