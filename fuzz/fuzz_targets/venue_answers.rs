//! Arbitrary bytes as what a venue answers to orders and cancels: no panic, every order of a batch
//! has its answer, and nothing is taken as placed or cancelled that the status forbids.
#![no_main]

use exec::answer::{CancelAnswer, kalshi, polymarket};
use exec::http::reply::Head;
use exec::id::Id;
use exec::report::Fate;
use feeds::json::Parser;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    // Every other one succeeds, or little of the reading would be reached.
    let status = if status.is_multiple_of(2) { 200 } else { 200 + status % 400 };
    let head = Head { status, retry_after_s: None, signer_limiter: false, keeps_alive: true };
    let (parser, client) = (&mut Parser::new(), Id::uuid(7));
    let hash = Id::hash(&[7; 32]);
    let placed = [
        (kalshi::create(parser, head, body, client), matches!(status, 200 | 201)),
        (polymarket::order(parser, head, body, hash), status == 200),
    ];
    for (answer, may_be) in placed {
        assert!(may_be || !matches!(answer.fate, Fate::Accepted | Fate::Killed), "{answer:?}");
    }
    let ids = [client, Id::uuid(8), client];
    let mut told = [0; 2];
    kalshi::batch(parser, head, body, &ids, &mut |_, _| told[0] += 1);
    polymarket::orders(parser, head, body, &ids, &mut |_, _| told[1] += 1);
    assert_eq!(told, [ids.len(); 2]);
    let cancels =
        [kalshi::cancel(parser, head, body, client), polymarket::cancel(parser, head, body, hash)];
    assert!(status == 200 || cancels.iter().all(|it| *it != CancelAnswer::Cancelled));
    let _ = kalshi::changed(parser, body);
    let _ = kalshi::group_created(parser, body);
    let _ = kalshi::takes_orders(parser, body, u32::from(status));
    let _ = polymarket::heartbeat(parser, head, body);
});
