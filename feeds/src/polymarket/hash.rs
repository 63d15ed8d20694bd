//! The book hash, a sampling audit of what we hold against what the venue holds
//! (polymarket.md section 2.4).
//!
//! It is the SHA-1 of a compact JSON text in one key order, in which every number is spelt as it
//! was received; so it is made from texts, never from numbers.

use core::fmt::Write as _;

use sha1::{Digest, Sha1};

/// A book as it was spelt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookText<'a> {
    /// Condition id.
    pub market: &'a str,
    /// Token.
    pub asset_id: &'a str,
    /// Wall milliseconds.
    pub timestamp: &'a str,
    /// The venue's hash, 40 hex digits in lower case.
    pub hash: &'a str,
    /// Price and size of each bid.
    pub bids: &'a [(&'a str, &'a str)],
    /// Price and size of each ask.
    pub asks: &'a [(&'a str, &'a str)],
    /// Smallest order in contracts. A socket omits it; it comes from REST.
    pub min_order_size: Option<&'a str>,
    /// Step of the price grid; some socket frames omit it.
    pub tick_size: Option<&'a str>,
    /// The event pays at most one of its markets. A socket omits it; it comes from REST.
    pub neg_risk: Option<bool>,
    /// Price of the last trade; some socket frames omit it.
    pub last_trade_price: Option<&'a str>,
}

/// What an audit says about a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The hash is that of the book as we read it.
    Equal,
    /// It is not: one of the two sides holds another book.
    Different,
    /// A part of the text is not known, or holds what JSON would escape.
    Unknown,
}

/// Compares a book with its own `hash`. `preimage` is a reused buffer.
pub fn audit(book: &BookText<'_>, preimage: &mut String) -> Verdict {
    match book_hash(book, preimage) {
        None => Verdict::Unknown,
        Some(hash) if hex(&hash) == book.hash.as_bytes() => Verdict::Equal,
        Some(_) => Verdict::Different,
    }
}

/// SHA-1 of a book, or `None` where a part of the text is not known. `preimage` is a reused
/// buffer and afterwards holds what was hashed.
pub fn book_hash(book: &BookText<'_>, preimage: &mut String) -> Option<[u8; 20]> {
    write_preimage(book, preimage)?;
    Some(Sha1::digest(preimage.as_bytes()).into())
}

fn write_preimage(book: &BookText<'_>, to: &mut String) -> Option<()> {
    let (min_order_size, tick_size) = (book.min_order_size?, book.tick_size?);
    let (neg_risk, last_trade_price) = (book.neg_risk?, book.last_trade_price?);
    to.clear();
    text(to, "{\"market\":", book.market)?;
    text(to, ",\"asset_id\":", book.asset_id)?;
    text(to, ",\"timestamp\":", book.timestamp)?;
    to.push_str(",\"hash\":\"\"");
    for (key, levels) in [(",\"bids\":[", book.bids), (",\"asks\":[", book.asks)] {
        to.push_str(key);
        for (number, (price, size)) in levels.iter().enumerate() {
            text(to, if number == 0 { "{\"price\":" } else { ",{\"price\":" }, price)?;
            text(to, ",\"size\":", size)?;
            to.push('}');
        }
        to.push(']');
    }
    text(to, ",\"min_order_size\":", min_order_size)?;
    text(to, ",\"tick_size\":", tick_size)?;
    write!(to, ",\"neg_risk\":{neg_risk}").ok()?;
    text(to, ",\"last_trade_price\":", last_trade_price)?;
    to.push('}');
    Some(())
}

/// Which escape the venue would choose is not known, so a text that needs one is not hashed.
fn text(to: &mut String, key: &str, value: &str) -> Option<()> {
    let plain = value.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\');
    to.push_str(key);
    to.push('"');
    to.push_str(value);
    to.push('"');
    plain.then_some(())
}

fn hex(hash: &[u8; 20]) -> [u8; 40] {
    let mut digits = [0; 40];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    digits
}
