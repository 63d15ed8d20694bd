//! What a connection says at the door. There are no keys here: a login comes in as bytes.

use engine::tile::Now;

/// Gives the header lines of a connection that is dialled now.
pub trait Login {
    /// Appends header lines, each with its CRLF; false where there are none yet, and the dialling
    /// waits. Must not block.
    fn headers(&mut self, now: Now, to: &mut Vec<u8>) -> bool;
}

/// No login: Polymarket's market channel asks for none.
impl Login for () {
    fn headers(&mut self, _now: Now, _to: &mut Vec<u8>) -> bool {
        true
    }
}

impl<F: FnMut(Now, &mut Vec<u8>) -> bool> Login for F {
    fn headers(&mut self, now: Now, to: &mut Vec<u8>) -> bool {
        self(now, to)
    }
}
