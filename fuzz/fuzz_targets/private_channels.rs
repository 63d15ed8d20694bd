//! Arbitrary bytes on both private channels and as the lists that questions bring: no panic, the
//! same news whatever came before, and none from what is no strict JSON.
#![no_main]

use std::cell::RefCell;

use exec::id::Id;
use exec::private::{PrivateEvent, kalshi, polymarket};
use feeds::json::Parser;
use libfuzzer_sys::fuzz_target;

thread_local! {
    /// Used again and again, as on a live connection.
    static USED: RefCell<Parser> = RefCell::new(Parser::new());
}

fn heard(parser: &mut Parser, bytes: &[u8]) -> Vec<String> {
    let mut news = Vec::new();
    let mut channel = kalshi::KalshiPrivate::default();
    let readable = channel.frame(parser, bytes, &mut |event| news.push(format!("{event:?}")));
    news.push(format!("{readable}"));
    let readable = polymarket::frame(parser, bytes, &mut |event: PrivateEvent| {
        news.push(format!("{event:?}"));
    });
    news.push(format!("{readable}"));
    let page = kalshi::orders(parser, bytes, &mut |order| news.push(format!("{order:?}")));
    news.push(format!("{page:?}"));
    let page = kalshi::fills(parser, bytes, &mut |fill| news.push(format!("{fill:?}")));
    news.push(format!("{page:?}"));
    let page = polymarket::trades(parser, bytes, &mut |fill| news.push(format!("{fill:?}")));
    news.push(format!("{page:?}"));
    let asked = Id::parse("0x01").expect("an id");
    news.push(format!("{:?}", polymarket::order(parser, bytes, asked)));
    news
}

fuzz_target!(|bytes: &[u8]| {
    let fresh = heard(&mut Parser::new(), bytes);
    USED.with_borrow_mut(|used| assert_eq!(heard(used, bytes), fresh));
    let told = fresh.iter().any(|news| news.contains("News {"));
    if told {
        serde_json::from_slice::<serde_json::Value>(bytes).expect("strict JSON");
    }
});
