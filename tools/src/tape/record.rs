//! One record of a tape, borrowed from the buffer that it was read into.

use engine::tap::TapKind;
use engine::units::{Ns, Venue};

/// A frame as it came from a socket, or the notice that a socket connected.
///
/// It borrows its bytes, so reading a tape allocates nothing per record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// When it was received: wall clock, nanoseconds since the Unix epoch. May step back within
    /// a tape where the recorder's clock did; the order of the records is the truth.
    pub recv: Ns,
    /// Whose socket it was.
    pub venue: Venue,
    /// Which of the venue's connections it was, as the recorder numbered them.
    pub conn: u32,
    /// What happened.
    pub body: Body<'a>,
}

/// What a [`Record`] tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body<'a> {
    /// A text frame, byte for byte (UTF-8, not always JSON: Polymarket answers `PONG`).
    Frame(&'a [u8]),
    /// A new connection: all books of the venue on it start afresh.
    Connected,
    /// What a run wrote down beside frames, with its payload: what was sent, connections that came
    /// and went one by one, times that sessions were told, inputs of the core.
    Mark(TapKind, &'a [u8]),
}
