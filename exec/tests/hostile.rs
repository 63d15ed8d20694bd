//! What a venue may answer, spoilt in many ways: no panic, no order taken as placed that the status
//! forbids, the same news whatever was read before. The fuzz targets look deeper, and need more.

#![allow(clippy::unwrap_used)] // helpers of tests

use engine::input::{CORE_INPUT_LEN_MAX, CoreInput};
use engine::tile::Now;
use exec::answer::{CancelAnswer, kalshi as kalshi_answer, polymarket as polymarket_answer};
use exec::http::reply::{Head, ReplyReader};
use exec::id::Id;
use exec::private::{kalshi, polymarket};
use exec::report::Fate;
use feeds::json::Parser;

const ROUNDS: usize = 20_000;

/// Sound texts of every kind; what is tried is made of their pieces.
const SEEDS: [&str; 12] = [
    r#"{"type":"fill","sid":13,"msg":{"trade_id":"d91bc706","order_id":"ee587a1c","market_ticker":"KXA-B","is_taker":true,"side":"yes","yes_price_dollars":"0.7500","count_fp":"2.78","fee_cost":"0.0100","action":"buy","ts_ms":1671899397000,"client_order_id":"c1","post_position_fp":"5.00","purchased_side":"yes"}}"#,
    r#"{"type":"user_order","sid":4,"msg":{"order_id":"ee587a1c","ticker":"KXA-B","status":"executed","side":"yes","is_yes":true,"yes_price_dollars":"0.3500","fill_count_fp":"10.00","remaining_count_fp":"0.00","initial_count_fp":"10.00","client_order_id":"c1"}}"#,
    r#"{"type":"market_position","sid":14,"msg":{"market_ticker":"KXA-B","position_fp":"-100.00","position_cost_dollars":"50.0000","fees_paid_dollars":"1.0000"}}"#,
    r#"{"event_type":"trade","id":"t1","taker_order_id":"0x01","market":"0xbd31","asset_id":"5211","side":"BUY","size":"25","price":"0.53","status":"MATCHED","match_time":"1795000000","maker_orders":[{"order_id":"0x02","matched_amount":"25","price":"0.53","asset_id":"5211","outcome_index":0,"side":"SELL"}],"bucket_index":0}"#,
    r#"{"event_type":"order","id":"0x01","market":"0xbd31","asset_id":"5211","side":"BUY","original_size":"10","size_matched":"0","price":"0.57","type":"PLACEMENT","status":"LIVE"}"#,
    r#"{"orders":[{"order_id":"ee587a1c","client_order_id":"c1","ticker":"KXA-B","status":"resting","fill_count_fp":"1.00","remaining_count_fp":"9.00"}],"cursor":""}"#,
    r#"{"fills":[{"trade_id":"d91bc706","order_id":"ee587a1c","ticker":"KXA-B","count_fp":"2.78","yes_price_dollars":"0.7500","fee_cost":"0.01","side":"yes","action":"buy"}],"cursor":""}"#,
    r#"{"order_id":"ee587a1c","client_order_id":"00000000-0000-8000-8000-000000000007","fill_count":"10.00","remaining_count":"0.00","average_fill_price":"0.5600"}"#,
    r#"{"error":{"code":"insufficient_balance","message":"x","details":"y"}}"#,
    r#"{"success":true,"errorMsg":"","orderID":"0x0707070707070707070707070707070707070707070707070707070707070707","status":"matched","takingAmount":"10","makingAmount":"5.5"}"#,
    r#"{"canceled":["0x01"],"not_canceled":{"0x02":"order can't be found"}}"#,
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
];

/// What numbers and texts are replaced by.
const TRAPS: [&str; 16] = [
    "0",
    "-1",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "1e400",
    "0.0000000000000000000001",
    "999999999999999999999999999999999999999999",
    "\"\"",
    "\"NaN\"",
    "\"-0.00\"",
    "\"9223372036854775807.999999\"",
    "null",
    "[]",
    "{}",
    "ffffffffffffffff",
];

/// Splitmix64.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn spoilt(&mut self) -> Vec<u8> {
        let mut bytes = SEEDS[self.below(SEEDS.len())].as_bytes().to_vec();
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 => bytes[at] = self.next() as u8,
                1 => bytes.truncate(at),
                2 => {
                    let other = SEEDS[self.below(SEEDS.len())].as_bytes();
                    let from = self.below(other.len());
                    let to = from + self.below(other.len() - from);
                    bytes.splice(at..at, other[from..to].iter().copied());
                }
                3 => {
                    // The value behind the next colon.
                    let Some(colon) = bytes[at..].iter().position(|b| *b == b':') else { continue };
                    let from = at + colon + 1;
                    let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b'\r');
                    let len = bytes[from..].iter().position(ends).unwrap_or(bytes.len() - from);
                    let trap = TRAPS[self.below(TRAPS.len())].bytes();
                    bytes.splice(from..from + len, trap);
                }
                _ => {
                    let to = at + self.below(bytes.len() - at);
                    bytes.drain(at..to);
                }
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        bytes
    }
}

/// Everything that either private channel or a list makes of these bytes.
fn heard(parser: &mut Parser, bytes: &[u8]) -> Vec<String> {
    let mut news = Vec::new();
    let mut channel = kalshi::KalshiPrivate::default();
    let readable = channel.frame(parser, bytes, &mut |event| news.push(format!("{event:?}")));
    news.push(readable.to_string());
    let readable = polymarket::frame(parser, bytes, &mut |event| news.push(format!("{event:?}")));
    news.push(readable.to_string());
    let page = kalshi::orders(parser, bytes, &mut |order| news.push(format!("{order:?}")));
    news.push(format!("{page:?}"));
    let page = kalshi::fills(parser, bytes, &mut |fill| news.push(format!("{fill:?}")));
    news.push(format!("{page:?}"));
    let page = polymarket::trades(parser, bytes, &mut |fill| news.push(format!("{fill:?}")));
    news.push(format!("{page:?}"));
    let asked = Id::parse("0x01").unwrap();
    news.push(format!("{:?}", polymarket::order(parser, bytes, asked)));
    news
}

#[test]
fn news_is_the_same_whatever_came_before() {
    let (mut rng, mut used) = (Rng(1), Parser::new());
    for round in 0..ROUNDS {
        let bytes = rng.spoilt();
        let fresh = heard(&mut Parser::new(), &bytes);
        assert_eq!(heard(&mut used, &bytes), fresh, "round {round}");
    }
}

#[test]
fn no_answer_places_or_cancels_what_its_status_forbids() {
    let (mut rng, parser) = (Rng(2), &mut Parser::new());
    let (client, hash) = (Id::uuid(7), Id::hash(&[7; 32]));
    let ids = [client, Id::uuid(8), client];
    let mut placed = 0;
    for round in 0..ROUNDS {
        let body = rng.spoilt();
        // Every other one succeeds, or little of the reading would be reached.
        let refusals = [201, 400, 401, 403, 404, 409, 425, 429, 500, 503];
        let status = if round % 2 == 0 { 200 } else { refusals[rng.below(refusals.len())] };
        let head = Head { status, retry_after_s: None, signer_limiter: false, keeps_alive: true };
        let took = |fate: Fate| matches!(fate, Fate::Accepted | Fate::Killed);
        let fate = kalshi_answer::create(parser, head, &body, client).fate;
        assert!(matches!(status, 200 | 201) || !took(fate), "round {round}");
        placed += usize::from(took(fate));
        let fate = polymarket_answer::order(parser, head, &body, hash).fate;
        assert!(status == 200 || !took(fate), "round {round}");
        placed += usize::from(took(fate));
        let mut told = [0; 2];
        kalshi_answer::batch(parser, head, &body, &ids, &mut |_, _| told[0] += 1);
        polymarket_answer::orders(parser, head, &body, &ids, &mut |_, _| told[1] += 1);
        assert_eq!(told, [ids.len(); 2], "round {round}: an answer an order");
        for answer in [
            kalshi_answer::cancel(parser, head, &body, client),
            polymarket_answer::cancel(parser, head, &body, hash),
        ] {
            assert!(status == 200 || answer != CancelAnswer::Cancelled, "round {round}");
        }
        let _ = kalshi_answer::changed(parser, &body);
        let _ = kalshi_answer::group_created(parser, &body);
        let _ = kalshi_answer::takes_orders(parser, &body, 0);
        let _ = polymarket_answer::heartbeat(parser, head, &body);
    }
    assert!(placed > ROUNDS / 200, "sound answers are among them: {placed}");
}

#[test]
fn an_answer_in_pieces_is_the_answer_at_once() {
    const BODY_MAX: usize = 512;
    let mut rng = Rng(3);
    let mut whole = 0;
    for round in 0..ROUNDS {
        let mut bytes = rng.spoilt();
        if !bytes.starts_with(b"HTTP") {
            let length = [bytes.len(), rng.below(600)][rng.below(2)];
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            bytes.splice(0..0, head.bytes());
        }
        let (mut once, mut cut) = (ReplyReader::new(BODY_MAX), ReplyReader::new(BODY_MAX));
        let first = once.push(&bytes);
        let size = 1 + rng.below(40);
        let second = bytes.chunks(size).try_fold(false, |_, piece| cut.push(piece));
        if first.is_ok() && second.is_ok() {
            assert_eq!((first, once.reply()), (second, cut.reply()), "round {round}");
        }
        if let Some((_, body)) = once.reply() {
            whole += 1;
            assert!(body.len() <= BODY_MAX, "round {round}");
        }
        once.reset();
        assert_eq!(once.push(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"), Ok(true));
    }
    assert!(whole > ROUNDS / 20, "sound answers are among them: {whole}");
}

#[test]
fn an_input_of_the_core_that_can_be_read_is_written_as_the_same() {
    let mut rng = Rng(4);
    let mut read = 0;
    for round in 0..10 * ROUNDS {
        let len = rng.below(CORE_INPUT_LEN_MAX + 4);
        let mut bytes: Vec<u8> = (0..len).map(|_| (rng.next() >> 60) as u8).collect();
        if let Some(kind) = bytes.get_mut(16) {
            *kind = rng.below(18) as u8;
        }
        let Some((now, input)) = CoreInput::decode(&bytes) else { continue };
        read += 1;
        let mut written = [0; CORE_INPUT_LEN_MAX];
        let len = input.encode(now, &mut written);
        let again: Option<(Now, CoreInput)> = CoreInput::decode(&written[..len]);
        assert_eq!(format!("{again:?}"), format!("{:?}", Some((now, input))), "round {round}");
    }
    assert!(read > 100, "{read}");
}
