//! What a session says that concerns its connections: books that are wanted or came, numbers of
//! subscriptions, errors. Everything goes on to whoever else listens.

use std::sync::Arc;

use crate::feed::{ControlBox, NoticeSink};
use crate::live::hearing::Hearing;
use crate::live::rescue::Rescue;
use crate::sink::Notice;

/// A word of the venue about a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// A subscription has this number.
    Subscribed {
        /// It is that of the books.
        is_book: bool,
        /// Its number.
        sid: u64,
    },
    /// The venue answered with an error.
    Error {
        /// Its code.
        code: u64,
        /// The subscription it is about.
        sid: Option<u64>,
    },
}

/// The channel of Kalshi's books.
const BOOKS: &str = "orderbook_delta";

/// Listens for a live feed.
pub struct Ears<N> {
    /// Books that must be asked for.
    pub rescue: Rescue,
    /// The word that the frame in hand carried; a frame carries one at most.
    pub word: Option<Word>,
    /// Whoever asks which markets trade sees here when to.
    pub hearing: Option<Arc<Hearing>>,
    inner: N,
}

impl<N> Ears<N> {
    /// Ears before those of somebody else.
    pub const fn new(rescue: Rescue, inner: N) -> Ears<N> {
        Ears { rescue, word: None, hearing: None, inner }
    }

    /// Whoever else listens.
    pub const fn inner(&self) -> &N {
        &self.inner
    }
}

impl<N: NoticeSink> NoticeSink for Ears<N> {
    fn notice(&mut self, notice: &Notice<'_>, controls: &mut ControlBox) {
        match *notice {
            Notice::SnapshotWanted { market } => self.rescue.want(market.index()),
            Notice::Snapshot { market, .. } => self.rescue.came(market.index()),
            Notice::Subscribed { channel, sid } => {
                self.word = Some(Word::Subscribed { is_book: channel == BOOKS, sid });
            }
            Notice::Heard { stretch } => {
                if let Some(hearing) = &self.hearing {
                    hearing.tell(stretch);
                }
            }
            Notice::VenueError { code, sid, .. } => self.word = Some(Word::Error { code, sid }),
            _ => {}
        }
        self.inner.notice(notice, controls);
    }
}
