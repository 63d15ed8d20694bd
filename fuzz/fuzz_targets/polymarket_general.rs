//! Arbitrary bytes as a Polymarket frame: no panic, the same answer whatever came before, and
//! nothing accepted that a strict JSON parser refuses.
#![no_main]

use std::cell::RefCell;

use feeds::polymarket::general::General;
use feeds::polymarket::hash::audit;
use libfuzzer_sys::fuzz_target;

thread_local! {
    /// Used again and again, as on a live connection.
    static USED: RefCell<General> = RefCell::new(General::new());
}

/// Everything the decoder hands over, spelt out.
fn everything(general: &mut General, frame: &[u8]) -> (String, bool) {
    let mut text = String::new();
    let outcome = general.decode(frame, &mut |object| {
        text.push_str(&format!("{object:?}\n"));
        if let Err(refused) = object {
            assert!(refused.error.offset as usize <= frame.len());
            assert!(!refused.error.to_string().is_empty());
        }
    });
    text.push_str(&format!("{outcome:?}\n"));
    let mut preimage = String::new();
    let outcome_of_texts = general.decode_book_texts(frame, &mut |book| {
        let verdict = book.as_ref().map(|book| audit(book, &mut preimage));
        text.push_str(&format!("{book:?} {verdict:?}\n"));
    });
    text.push_str(&format!("{outcome_of_texts:?}\n"));
    (text, outcome.is_ok())
}

fuzz_target!(|frame: &[u8]| {
    let (fresh, sound) = everything(&mut General::new(), frame);
    USED.with_borrow_mut(|used| assert_eq!(everything(used, frame).0, fresh));
    if sound && !matches!(frame.trim_ascii(), b"PING" | b"PONG") {
        serde_json::from_slice::<serde_json::Value>(frame).expect("strict JSON");
    }
});
