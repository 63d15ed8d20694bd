//! Polymarket's paths and bodies beside those of orders and cancels, which `sign` writes
//! (polymarket.md section 5.5). Each function replaces `out`.

use core::fmt::Write;

use engine::units::Ns;

use crate::id::Id;
use crate::token::TokenId;

/// `POST` places an order, `DELETE` cancels one.
pub const ORDER_PATH: &str = "/order";

/// `POST`: the order-safety heartbeat.
pub const HEARTBEAT_PATH: &str = "/v1/heartbeats";

/// `DELETE`: cancels all orders of the account.
pub const CANCEL_ALL_PATH: &str = "/cancel-all";

/// `GET`: the server's time, to keep a connection warm.
pub const TIME_PATH: &str = "/time";

/// Seconds before an order left that the search for its trades begins: the venue's clock may be
/// behind ours.
const SEARCH_MARGIN_S: u64 = 60;

/// `GET`: an order.
pub fn order_path(order: Id, out: &mut String) {
    out.clear();
    out.push_str("/data/order/");
    out.push_str(order.as_str());
}

/// `GET`: our trades of a token since some time before `sent`, Unix.
pub fn trades_path(token: TokenId, sent: Ns, out: &mut String) {
    out.clear();
    let after = (sent.0 / 1_000_000_000).saturating_sub(SEARCH_MARGIN_S);
    // Writing to a String cannot fail.
    let _ = write!(out, "/data/trades?asset_id={token}&after={after}");
}

/// The body of a heartbeat: the id that the last answer gave, or none at first.
pub fn heartbeat(last: Option<Id>, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"{\"heartbeat_id\":\"");
    out.extend_from_slice(last.as_ref().map_or("", Id::as_str).as_bytes());
    out.extend_from_slice(b"\"}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_bodies() {
        let (mut path, mut body) = ("left over".to_owned(), b"left over".to_vec());
        order_path(Id::hash(&[0xab; 32]), &mut path);
        assert_eq!(path, format!("/data/order/0x{}", "ab".repeat(32)));
        let token = TokenId::parse("5211").unwrap();
        trades_path(token, Ns(1_795_000_000 * 1_000_000_000), &mut path);
        assert_eq!(path, "/data/trades?asset_id=5211&after=1794999940");
        heartbeat(None, &mut body);
        assert_eq!(body, b"{\"heartbeat_id\":\"\"}");
        heartbeat(Id::parse("550e"), &mut body);
        assert_eq!(body, b"{\"heartbeat_id\":\"550e\"}");
    }
}
