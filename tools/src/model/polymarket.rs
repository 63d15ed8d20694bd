//! Changes -> Polymarket's frames: two tokens a market, each the other's mirror, with the true
//! best prices and the true hash of the resulting book in every entry.

use engine::units::Venue;
use sha1::{Digest, Sha1};

use super::ladder::{Change, Side};
use super::market::{Market, shortest};
use super::outbox::Outbox;
use super::rng::Rng;

/// Smallest order in shares; part of the hash, and in the pair file.
const MIN_SIZE: &str = "5";

/// From the venue's stamp to our receipt, in nanoseconds.
const DELAY: u64 = 18_000_000;

const CONN: u32 = 1;

/// The two tokens of a market.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Yes,
    No,
}

const TOKENS: [Token; 2] = [Token::Yes, Token::No];

/// The connection and the dump of all books, one array.
pub fn connect(now: u64, markets: &mut [Market], out: &mut Outbox) {
    out.push(now, Venue::Polymarket, CONN, None);
    let at = now + 60_000_000;
    let mut books = Vec::new();
    for market in markets {
        let stamp = stamp(market, at, out);
        books.extend(TOKENS.map(|token| book(market, token, stamp, false)));
    }
    out.push(at, Venue::Polymarket, CONN, Some(format!("[{}]", books.join(","))));
}

/// One transition: all its changes in one frame, both tokens' entries side by side.
pub fn changes(now: u64, market: &mut Market, changes: &[Change], rng: &mut Rng, out: &mut Outbox) {
    if changes.is_empty() {
        return;
    }
    let at = out.next(now, Venue::Polymarket);
    let stamp = stamp(market, at, out);
    let hashes = TOKENS.map(|token| hash(market, token, stamp));
    let mut entries = Vec::with_capacity(2 * changes.len());
    for change in changes {
        for (token, hash) in TOKENS.into_iter().zip(&hashes) {
            let (bid, ask) = best(market, token);
            let side =
                if (change.side == Side::Bid) == (token == Token::Yes) { "BUY" } else { "SELL" };
            entries.push(format!(
                "{{\"asset_id\":\"{}\",\"price\":\"{}\",\"size\":\"{}\",\"side\":\"{side}\",\"hash\":\"{hash}\",\"best_bid\":\"{bid}\",\"best_ask\":\"{ask}\"}}",
                asset(market, token),
                price(token, change.px_e4),
                shortest(change.new_e2, 2),
            ));
        }
    }
    let (condition, entries) = (&market.condition, entries.join(","));
    // The venue sends its keys in either order.
    let frame = match rng.chance(1, 2) {
        true => format!(
            "{{\"market\":\"{condition}\",\"price_changes\":[{entries}],\"timestamp\":\"{stamp}\",\"event_type\":\"price_change\"}}"
        ),
        false => format!(
            "{{\"event_type\":\"price_change\",\"market\":\"{condition}\",\"timestamp\":\"{stamp}\",\"price_changes\":[{entries}]}}"
        ),
    };
    out.push(at, Venue::Polymarket, CONN, Some(frame));
}

/// A trade of YES and both books after it; `side` is the side of the book that was taken.
pub fn trade(
    now: u64,
    market: &mut Market,
    side: Side,
    px_e4: u16,
    qty_e2: u64,
    rng: &mut Rng,
    out: &mut Outbox,
) {
    let at = out.next(now, Venue::Polymarket);
    let stamp = stamp(market, at, out);
    let frame = format!(
        "{{\"market\":\"{}\",\"asset_id\":\"{}\",\"price\":\"{}\",\"size\":\"{}\",\"fee_rate_bps\":\"0\",\"side\":\"{}\",\"timestamp\":\"{stamp}\",\"event_type\":\"last_trade_price\",\"transaction_hash\":\"0x{}\"}}",
        market.condition,
        market.yes,
        price(Token::Yes, px_e4),
        shortest(qty_e2, 2),
        if side == Side::Ask { "BUY" } else { "SELL" },
        rng.digits(64, b"0123456789abcdef"),
    );
    out.push(at, Venue::Polymarket, CONN, Some(frame));
    // One array, so that nobody sees one token's book before the trade and the other's after it.
    let books = TOKENS.map(|token| book(market, token, stamp, true));
    out.push(at, Venue::Polymarket, CONN, Some(format!("[{}]", books.join(","))));
}

/// The best prices of YES, which the venue sends where asked to.
pub fn best_bid_ask(now: u64, market: &mut Market, out: &mut Outbox) {
    let ladder = &market.ladders[Venue::Polymarket.index()];
    let (Some(bid), Some(ask)) = (ladder.best_bid(), ladder.best_ask()) else { return };
    let at = out.next(now, Venue::Polymarket);
    let stamp = stamp(market, at, out);
    let frame = format!(
        "{{\"event_type\":\"best_bid_ask\",\"market\":\"{}\",\"asset_id\":\"{}\",\"best_bid\":\"{}\",\"best_ask\":\"{}\",\"spread\":\"{}\",\"timestamp\":\"{stamp}\"}}",
        market.condition,
        market.yes,
        price(Token::Yes, bid),
        price(Token::Yes, ask),
        shortest(u64::from(ask - bid), 4),
    );
    out.push(at, Venue::Polymarket, CONN, Some(frame));
}

/// The answer to our ping: a text frame that is no JSON.
pub fn pong(now: u64, out: &mut Outbox) {
    out.push(now, Venue::Polymarket, CONN, Some("PONG".to_owned()));
}

/// The venue's stamp of a transition received at `at`, in Unix milliseconds. Two transitions of
/// one market never share one, so that (stamp, hash) names a transition.
fn stamp(market: &mut Market, at: u64, out: &Outbox) -> u64 {
    market.stamp_ms = out.unix_ms(at.saturating_sub(DELAY)).max(market.stamp_ms + 1);
    market.stamp_ms
}

/// A `book` object; the venue puts its type first or late.
fn book(market: &Market, token: Token, stamp: u64, type_first: bool) -> String {
    let (first, late) = match type_first {
        true => ("\"event_type\":\"book\",", ""),
        false => ("", "\"event_type\":\"book\","),
    };
    format!(
        "{{{first}\"market\":\"{}\",\"asset_id\":\"{}\",\"timestamp\":\"{stamp}\",\"hash\":\"{}\",{},\"tick_size\":\"{}\",{late}\"last_trade_price\":\"{}\"}}",
        market.condition,
        asset(market, token),
        hash(market, token, stamp),
        sides(market, token),
        market.tick,
        last_trade(market, token),
    )
}

/// SHA-1 of the canonical book, lower-case hex.
fn hash(market: &Market, token: Token, stamp: u64) -> String {
    let text = format!(
        "{{\"market\":\"{}\",\"asset_id\":\"{}\",\"timestamp\":\"{stamp}\",\"hash\":\"\",{},\"min_order_size\":\"{MIN_SIZE}\",\"tick_size\":\"{}\",\"neg_risk\":{},\"last_trade_price\":\"{}\"}}",
        market.condition,
        asset(market, token),
        sides(market, token),
        market.tick,
        market.neg_risk,
        last_trade(market, token),
    );
    Sha1::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// `"bids":[..],"asks":[..]`: bids ascending, asks descending, the best last.
fn sides(market: &Market, token: Token) -> String {
    let ladder = &market.ladders[Venue::Polymarket.index()];
    let level = |(px, qty): (&u16, &u64)| {
        format!("{{\"price\":\"{}\",\"size\":\"{}\"}}", price(token, *px), shortest(*qty, 2))
    };
    // What bids for NO at the complement asks for YES; ascending in one is descending in the other.
    let bids: Vec<String> = match token {
        Token::Yes => ladder.bids.iter().map(level).collect(),
        Token::No => ladder.asks.iter().rev().map(level).collect(),
    };
    let asks: Vec<String> = match token {
        Token::Yes => ladder.asks.iter().rev().map(level).collect(),
        Token::No => ladder.bids.iter().map(level).collect(),
    };
    format!("\"bids\":[{}],\"asks\":[{}]", bids.join(","), asks.join(","))
}

/// The best bid and ask of a token; 0 and 1 stand for an empty side.
fn best(market: &Market, token: Token) -> (String, String) {
    let ladder = &market.ladders[Venue::Polymarket.index()];
    let (bid, ask) = (ladder.best_bid().unwrap_or(0), ladder.best_ask().unwrap_or(10_000));
    match token {
        Token::Yes => (price(token, bid), price(token, ask)),
        Token::No => (price(token, ask), price(token, bid)),
    }
}

fn last_trade(market: &Market, token: Token) -> String {
    price(token, market.last_e4[Venue::Polymarket.index()])
}

fn asset(market: &Market, token: Token) -> &str {
    match token {
        Token::Yes => &market.yes,
        Token::No => &market.no,
    }
}

/// The price of a token where YES costs `yes_e4`.
fn price(token: Token, yes_e4: u16) -> String {
    let e4 = match token {
        Token::Yes => yes_e4,
        Token::No => 10_000 - yes_e4,
    };
    shortest(u64::from(e4), 4)
}
