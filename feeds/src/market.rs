//! What both venues' sessions keep of a market, whatever the wire looks like.

use engine::top::{Health, MarketId, Top};
use engine::units::{Ns, Px};

use crate::figures::Figures;
use crate::fitness::Fitness;
use crate::sink::{Notice, Sink};

/// A crossed book is asked for again after this time...
pub const CROSSED_NS_MAX: Ns = Ns::from_ms(5);
/// ...or after this many messages. Real crossings end earlier: an order's resting part is
/// published before the removal of what it hit (kalshi.md section 3).
pub const CROSSED_MESSAGES_MAX: u32 = 16;

/// How far a book may be believed, leaving aside whether it is crossed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Trust {
    /// Snapshot and every change since.
    Whole = 0,
    /// It contradicted itself; changes are applied, but only a snapshot makes it whole.
    Doubted = 1,
    /// No snapshot yet.
    AwaitSnapshot = 2,
    /// A message is missing; changes are dropped until the next snapshot.
    Gap = 3,
}

/// [`Trust`] in a book, whether its market trades at all, and what is said of it: one byte, so that the usual book is
/// told from every other one by a single comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing(u8);

/// The channel itself told of the pause.
const HEARD: u8 = 1 << 2;
/// Whether the market trades is not known: words about that may have been missed.
const UNKNOWN_LIFE: u8 = 1 << 3;
/// Trading is paused and may begin again.
const PAUSED: u8 = 1 << 4;
/// The outcome is known: nothing begins it again.
const ENDED: u8 = 1 << 5;
/// Another source contradicts the book.
const UNFIT: u8 = 1 << 6;
/// The market is not subscribed to.
const REMOVED: u8 = 1 << 7;
const HALTED: u8 = HEARD | UNKNOWN_LIFE | PAUSED | ENDED | UNFIT | REMOVED;

impl Standing {
    /// Of a book before its first snapshot, in a market that trades.
    pub const NEW: Standing = Standing(Trust::AwaitSnapshot as u8);

    /// How far the book may be believed.
    #[inline]
    pub const fn trust(self) -> Trust {
        match self.0 & !HALTED {
            0 => Trust::Whole,
            1 => Trust::Doubted,
            2 => Trust::AwaitSnapshot,
            _ => Trust::Gap,
        }
    }

    /// Believes the book that far; whether its market trades stays as it is.
    #[inline]
    pub const fn set(&mut self, trust: Trust) {
        self.0 = self.0 & HALTED | trust as u8;
    }

    /// Stops trading, or lets it begin again; a market whose outcome is known stays stopped.
    pub const fn pause(&mut self, on: bool) {
        self.0 = if on { self.0 | PAUSED } else { self.0 & !(PAUSED | HEARD) };
    }

    /// The same by the channel's own word, which no answer of another source takes back: it may be
    /// the older one.
    pub const fn hear_pause(&mut self, on: bool) {
        self.pause(on);
        self.0 = if on { self.0 | HEARD } else { self.0 };
    }

    /// Whether the channel told of a pause, and nothing was missed since.
    pub const fn heard_pause(self) -> bool {
        self.0 & HEARD != 0
    }

    /// Whether trading is paused.
    pub const fn is_paused(self) -> bool {
        self.0 & PAUSED != 0
    }

    /// Stops trading while nobody knows whether the market trades.
    pub const fn wonder(&mut self, on: bool) {
        self.0 = if on { self.0 & !HEARD | UNKNOWN_LIFE } else { self.0 & !UNKNOWN_LIFE };
    }

    /// Notes what is said of the book from outside. A book that was not subscribed to for a while
    /// has missed changes, so it awaits a snapshot.
    pub const fn hear(&mut self, says: Fitness) {
        match says {
            Fitness::Unfit => self.0 |= UNFIT,
            Fitness::Fit => self.0 &= !UNFIT,
            Fitness::Removed | Fitness::Retired | Fitness::Vacant => {
                self.0 |= REMOVED;
                self.set(Trust::AwaitSnapshot);
            }
            Fitness::Restored => {
                self.0 &= !REMOVED;
                self.set(Trust::AwaitSnapshot);
            }
            // Whoever knows what else was heard sets what follows.
            Fitness::Asked | Fitness::Listed(_) => {}
        }
    }

    /// Stops trading for good.
    pub const fn end(&mut self) {
        self.0 |= ENDED;
    }

    /// Whether the book is whole and its market trades.
    #[inline(always)]
    pub const fn is_whole(self) -> bool {
        self.0 == Trust::Whole as u8
    }

    /// Whether the book is not whole and a snapshot would be of use.
    pub const fn awaits_book(self) -> bool {
        !matches!(self.trust(), Trust::Whole) && self.0 & (ENDED | REMOVED) == 0
    }

    /// Whether changes are applied: a book is kept up while its market does not trade.
    #[inline]
    pub const fn takes_changes(self) -> bool {
        self.0 & UNKNOWN == 0
    }
}

/// The bit that both [`Trust`]s without a book to change have.
const UNKNOWN: u8 = Trust::AwaitSnapshot as u8;
const _: () = assert!(Trust::Gap as u8 & UNKNOWN != 0);
const _: () = assert!((Trust::Whole as u8 | Trust::Doubted as u8) & UNKNOWN == 0);

/// Counts how long a book has been crossed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Crossing {
    since: Ns,
    messages: u32,
    /// In the list of [`Watch`].
    watched: bool,
}

impl Crossing {
    /// Judges a book after one of its messages; true where it has been crossed for too long.
    #[inline]
    pub fn judge(
        &mut self,
        bid: Option<Px>,
        ask: Option<Px>,
        recv: Ns,
        figures: &mut Figures,
    ) -> bool {
        match (bid, ask) {
            (Some(bid), Some(ask)) if bid >= ask => self.extend(bid == ask, recv, figures),
            _ => {
                self.messages = 0;
                false
            }
        }
    }

    #[cold]
    fn extend(&mut self, locked: bool, recv: Ns, figures: &mut Figures) -> bool {
        if locked {
            figures.locked_states += 1;
        } else {
            figures.crossed_states += 1;
        }
        if self.messages == 0 {
            self.since = recv;
        }
        self.messages = self.messages.saturating_add(1);
        self.overdue(recv)
    }

    /// True while crossed or locked.
    #[inline]
    pub const fn is_on(&self) -> bool {
        self.messages != 0
    }

    /// True where it has lasted beyond the limits.
    pub const fn overdue(&self, now: Ns) -> bool {
        self.messages != 0
            && (self.messages > CROSSED_MESSAGES_MAX || now.since(self.since).0 > CROSSED_NS_MAX.0)
    }

    /// Forgets it: a new book begins.
    pub const fn clear(&mut self) {
        self.messages = 0;
    }
}

/// The books that are crossed now and believed otherwise. Time alone can end that belief, so they
/// are judged again when the first of them is due, and no other book is looked at for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watch {
    /// Numbers of books, each at most once; one that is crossed no longer leaves when it is due.
    books: Vec<u16>,
    due: Ns,
}

const NEVER: Ns = Ns(u64::MAX);

impl Default for Watch {
    fn default() -> Watch {
        Watch { books: Vec::new(), due: NEVER }
    }
}

impl Watch {
    /// Makes room for that many books, so that none of them allocates later.
    pub fn reserve(&mut self, books: usize) {
        self.books.reserve(books.saturating_sub(self.books.len()));
    }

    /// Watches a book whose crossing began.
    #[cold]
    pub fn add(&mut self, book: usize, crossing: &mut Crossing) {
        self.due = self.due.min(crossing.since.after(CROSSED_NS_MAX));
        if !crossing.watched {
            crossing.watched = true;
            self.books.push(book as u16);
        }
    }

    /// Whether a book must be judged again.
    #[inline]
    pub fn is_due(&self, now: Ns) -> bool {
        now > self.due
    }

    /// Watches a book no longer, whether or not it is crossed.
    pub fn forget(&mut self, book: usize, crossing: &mut Crossing) {
        if crossing.watched {
            self.books.retain(|one| usize::from(*one) != book);
        }
        *crossing = Crossing::default();
    }

    /// Takes out a book that has been crossed for too long, and says which; `None` where no more
    /// is left. `at` starts at 0 and is kept between calls; `crossing` finds that of a book.
    pub fn next_overdue<M>(
        &mut self,
        now: Ns,
        at: &mut usize,
        markets: &mut [M],
        crossing: impl Fn(&mut [M], usize) -> &mut Crossing,
    ) -> Option<usize> {
        if *at == 0 {
            self.due = NEVER;
        }
        while let Some(&book) = self.books.get(*at) {
            let book = usize::from(book);
            let crossing = crossing(markets, book);
            if crossing.is_on() && !crossing.overdue(now) {
                self.due = self.due.min(crossing.since.after(CROSSED_NS_MAX));
                *at += 1;
                continue;
            }
            crossing.watched = false;
            self.books.swap_remove(*at);
            if crossing.is_on() {
                return Some(book);
            }
        }
        None
    }

    /// The time after which a book must be judged again; `None` while none is watched.
    #[inline]
    pub fn due(&self) -> Option<Ns> {
        (self.due != NEVER).then_some(self.due)
    }

    /// Watches no book any more; the crossings are dropped as well.
    pub fn clear<M>(
        &mut self,
        markets: &mut [M],
        crossing: impl Fn(&mut [M], usize) -> &mut Crossing,
    ) {
        for book in self.books.drain(..) {
            *crossing(markets, usize::from(book)) = Crossing::default();
        }
        self.due = NEVER;
    }
}

/// Whether a price cannot be ordered: nobody sells for nothing or bids a whole dollar, so a level
/// there is no offer but a broken message (kalshi.md section 3; a Polymarket price lies between
/// one tick and a dollar less one tick).
#[inline(always)]
pub const fn is_end(px: Px) -> bool {
    // One comparison: zero wraps to beyond a dollar.
    px.e4().wrapping_sub(1) >= Px::ONE.e4() - 1
}

/// The health that standing and crossing make. What is missing of a book weighs more than that
/// its market does not trade, and either keeps it from being acted on.
#[inline]
pub const fn health(standing: Standing, crossed: bool) -> Health {
    // The usual case by a plain comparison: a table of five answers costs a jump.
    if standing.0 == Trust::Whole as u8 {
        return if crossed { Health::Crossed } else { Health::Sound };
    }
    match standing.trust() {
        Trust::Whole => Health::Stale, // halted, or not believed from outside
        Trust::AwaitSnapshot => Health::AwaitSnapshot,
        Trust::Gap => Health::Gap,
        Trust::Doubted => Health::Stale,
    }
}

/// Stamps and sends a market's top.
#[inline(always)]
pub fn publish(top: &mut Top, health: Health, recv: Ns, sink: &mut impl Sink) {
    if top.health != health {
        let (market, from) = (top.market, top.health);
        sink.notice(&Notice::Health { market, from, to: health, recv });
        top.health = health;
    }
    top.generation = top.generation.wrapping_add(1);
    top.recv = recv;
    sink.top(top);
}

/// The connection of a market that was never assigned to one: tapes say of which connection a frame
/// is, not what was subscribed to there.
pub const UNASSIGNED: u32 = u32::MAX;

/// Why a market was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddError {
    /// [`engine::top::MARKETS_MAX`] markets are there already.
    TooMany,
    /// The name is empty, longer than the wire allows, or not printable ASCII.
    Name,
    /// It is there already.
    Known(MarketId),
    /// The reserve has no book of the size its grid needs.
    ReserveEmpty {
        /// Price steps of the class that ran out.
        steps: usize,
    },
}

impl core::fmt::Display for AddError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            AddError::TooMany => write!(f, "more than {} markets", engine::top::MARKETS_MAX),
            AddError::Name => write!(f, "the name is empty, too long, or not printable ASCII"),
            AddError::Known(id) => {
                write!(f, "the market is there already, as number {}", id.index())
            }
            AddError::ReserveEmpty { steps } => {
                write!(f, "no book of {steps} price steps is left in the reserve")
            }
        }
    }
}

impl core::error::Error for AddError {}

#[cfg(test)]
mod tests {
    use super::*;

    const BID: Option<Px> = Some(Px::lit(5_100));
    const ASK: Option<Px> = Some(Px::lit(5_000));

    #[test]
    fn a_crossing_is_patient_for_sixteen_messages() {
        let (mut crossing, mut figures) = (Crossing::default(), Figures::default());
        for message in 1..=16 {
            assert!(!crossing.judge(BID, ASK, Ns(7), &mut figures), "message {message}");
        }
        assert!(crossing.judge(BID, ASK, Ns(7), &mut figures));
        assert_eq!((figures.crossed_states, figures.locked_states), (17, 0));
    }

    #[test]
    fn a_halt_outlives_every_change_of_trust() {
        let all = [Trust::Whole, Trust::Doubted, Trust::AwaitSnapshot, Trust::Gap];
        let mut standing = Standing::NEW;
        assert_eq!(health(standing, false), Health::AwaitSnapshot);
        for trust in all {
            standing.set(trust);
            assert_eq!(standing.trust(), trust);
            let takes = matches!(trust, Trust::Whole | Trust::Doubted);
            assert_eq!(standing.takes_changes(), takes);
            let trading = health(standing, false);
            standing.pause(true);
            assert_eq!((standing.trust(), standing.takes_changes()), (trust, takes));
            let want = if takes { Health::Stale } else { trading };
            assert_eq!([health(standing, false), health(standing, true)], [want; 2]);
            standing.pause(false);
            assert_eq!(health(standing, false), trading, "{trust:?}");
            standing.wonder(true);
            standing.pause(false);
            assert_eq!((standing.trust(), standing.takes_changes()), (trust, takes));
            assert_eq!(health(standing, false), want);
            standing.wonder(false);
            assert_eq!(health(standing, false), trading, "{trust:?}");
        }
        standing.end();
        standing.pause(false);
        standing.set(Trust::Whole);
        assert_eq!(health(standing, false), Health::Stale, "an outcome is final");
    }

    #[test]
    fn what_is_said_from_outside_outlives_a_snapshot() {
        let mut standing = Standing::NEW;
        standing.set(Trust::Whole);
        standing.hear(Fitness::Unfit);
        standing.set(Trust::Whole);
        assert_eq!(health(standing, false), Health::Stale);
        standing.hear(Fitness::Fit);
        assert_eq!(health(standing, false), Health::Sound);
        standing.hear(Fitness::Removed);
        assert_eq!(health(standing, false), Health::AwaitSnapshot);
        standing.set(Trust::Whole); // a snapshot that was on its way
        standing.hear(Fitness::Fit);
        assert_eq!(health(standing, false), Health::Stale);
        standing.hear(Fitness::Restored);
        assert_eq!(health(standing, false), Health::AwaitSnapshot);
        standing.set(Trust::Whole);
        assert_eq!(health(standing, false), Health::Sound);
    }

    fn only(crossings: &mut [Crossing], book: usize) -> &mut Crossing {
        &mut crossings[book]
    }

    #[test]
    fn only_what_is_crossed_for_too_long_leaves_the_watch_as_overdue() {
        let (mut watch, mut figures) = (Watch::default(), Figures::default());
        let mut books = [Crossing::default(); 4];
        assert!(!watch.is_due(Ns(u64::MAX)), "nothing is watched");
        for (book, since) in [(0, 1), (1, 2), (2, 3_000_000), (3, 2)] {
            books[book].judge(BID, ASK, Ns(since), &mut figures);
            watch.add(book, &mut books[book]);
            watch.add(book, &mut books[book]);
        }
        assert!(!watch.is_due(Ns(5_000_001)));
        assert!(watch.is_due(Ns(5_000_002)));
        books[1].clear();
        let mut take = |watch: &mut Watch, now| {
            let mut at = 0;
            core::iter::from_fn(|| watch.next_overdue(Ns(now), &mut at, &mut books, only))
                .collect::<Vec<_>>()
        };
        assert_eq!(take(&mut watch, 5_000_003), [0, 3]);
        assert!(!watch.is_due(Ns(8_000_000)), "the book left has its own time");
        assert_eq!(take(&mut watch, 8_000_000), []);
        assert_eq!(take(&mut watch, 8_000_001), [2]);
        assert!(!watch.is_due(Ns(u64::MAX)));
        assert!(books.iter().all(|crossing| !crossing.watched));
    }

    #[test]
    fn a_crossing_is_patient_for_five_milliseconds() {
        let (mut crossing, mut figures) = (Crossing::default(), Figures::default());
        assert!(!crossing.judge(ASK, ASK, Ns(0), &mut figures));
        assert!(!crossing.judge(BID, ASK, Ns(5_000_000), &mut figures));
        assert!(crossing.judge(BID, ASK, Ns(5_000_001), &mut figures));
        assert!(!crossing.judge(ASK, BID, Ns(5_000_002), &mut figures), "it ended");
        assert!(!crossing.judge(BID, ASK, Ns(9_000_000), &mut figures), "a new one begins");
        assert_eq!((figures.crossed_states, figures.locked_states), (3, 1));
    }
}
