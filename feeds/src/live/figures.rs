//! What live feeds count beside their sessions.

/// Counters of one connection's place; they outlive its connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LineFigures {
    /// Attempts to connect.
    pub dialled: u64,
    /// Connections that opened; all after the first are reconnects.
    pub opened: u64,
    /// Attempts that ended before they opened.
    pub refused: u64,
    /// Open connections that ended, for whatever reason.
    pub lost: u64,
    /// Of those, the ones that we ended because they had fallen silent.
    pub silent: u64,
    /// Of those, the ones that we ended because their books did not come back.
    pub given_up: u64,
    /// Of those, the ones that we ended because their time was over.
    pub rotated: u64,
    /// Text frames received.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Requests for fresh books.
    pub refreshes: u64,
    /// Subscriptions that were begun anew on an open connection.
    pub resubscribes: u64,
    /// Errors that the venue answered with.
    pub venue_errors: u64,
}

impl LineFigures {
    /// Every counter with the name used in reports, in a fixed order.
    pub const fn list(&self) -> [(&'static str, u64); 12] {
        [
            ("dialled", self.dialled),
            ("opened", self.opened),
            ("refused", self.refused),
            ("lost", self.lost),
            ("silent", self.silent),
            ("given_up", self.given_up),
            ("rotated", self.rotated),
            ("frames", self.frames),
            ("bytes", self.bytes),
            ("refreshes", self.refreshes),
            ("resubscribes", self.resubscribes),
            ("venue_errors", self.venue_errors),
        ]
    }
}
