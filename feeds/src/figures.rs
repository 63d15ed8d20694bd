//! What a session counted, so that nothing it refused is invisible.

/// Counters of one venue's session. All start at 0 and only rise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Frames received, whatever was in them.
    pub frames: u64,
    /// Frames or objects that could not be decoded.
    pub parse_errors: u64,
    /// Messages that changed a book.
    pub book_messages: u64,
    /// Messages that replaced a book: Kalshi snapshots, Polymarket `book` objects.
    pub snapshots: u64,
    /// Messages that changed levels: Kalshi deltas, Polymarket `price_change` objects.
    pub deltas: u64,
    /// Levels changed by those messages.
    pub changes: u64,
    /// Ticker messages: Kalshi `ticker`, Polymarket `best_bid_ask`.
    pub tickers: u64,
    /// Public trades: Kalshi `trade`, Polymarket `last_trade_price`.
    pub trades: u64,
    /// Lifecycle, fee, grid, new-market and resolution messages.
    pub lifecycle: u64,
    /// Acknowledgements, errors and heartbeats of the venue.
    pub control: u64,
    /// Messages of a type that is not known here; ignored.
    pub unknown_types: u64,
    /// Messages about a market or token that nobody asked for; ignored.
    pub unknown_markets: u64,
    /// Breaks in a subscription's sequence.
    pub sequence_gaps: u64,
    /// Messages that repeat or precede what was applied already; ignored.
    pub out_of_order: u64,
    /// Changes for a book without a snapshot; ignored.
    pub before_snapshot: u64,
    /// Connections after the venue's first: all its books start afresh.
    pub resets: u64,
    /// Book messages after which a book's best bid was above its best ask.
    pub crossed_states: u64,
    /// Book messages after which a book's best bid equalled its best ask.
    pub locked_states: u64,
    /// Transitions after which our best prices were not the ones the venue named.
    pub best_mismatches: u64,
    /// Changes refused: off the grid, below nothing, too large.
    pub rejected_changes: u64,
    /// Markets without a book because the reserve was empty.
    pub reserve_empty: u64,
    /// Snapshots asked for because a book was not to be trusted.
    pub resyncs: u64,
    /// Book hashes compared with the venue's.
    pub hash_audits: u64,
    /// Book hashes that differed.
    pub hash_mismatches: u64,
    /// Hot frames that the shape-specialised path took.
    pub fast: u64,
    /// Hot frames that it left to the general decoder.
    pub fallback: u64,
}

impl Figures {
    /// Every counter with the name used in reports, in a fixed order.
    pub fn list(&self) -> [(&'static str, u64); 26] {
        [
            ("frames", self.frames),
            ("parse_errors", self.parse_errors),
            ("book_messages", self.book_messages),
            ("snapshots", self.snapshots),
            ("deltas", self.deltas),
            ("changes", self.changes),
            ("tickers", self.tickers),
            ("trades", self.trades),
            ("lifecycle", self.lifecycle),
            ("control", self.control),
            ("unknown_types", self.unknown_types),
            ("unknown_markets", self.unknown_markets),
            ("sequence_gaps", self.sequence_gaps),
            ("out_of_order", self.out_of_order),
            ("before_snapshot", self.before_snapshot),
            ("resets", self.resets),
            ("crossed_states", self.crossed_states),
            ("locked_states", self.locked_states),
            ("best_mismatches", self.best_mismatches),
            ("rejected_changes", self.rejected_changes),
            ("reserve_empty", self.reserve_empty),
            ("resyncs", self.resyncs),
            ("hash_audits", self.hash_audits),
            ("hash_mismatches", self.hash_mismatches),
            ("fast", self.fast),
            ("fallback", self.fallback),
        ]
    }
}
