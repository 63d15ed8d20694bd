//! The tile of a live feed: sockets in, tops and controls out.

mod deadlines; // what time and words from outside bring about

use std::io;
use std::sync::Arc;

use engine::event::Control;
use engine::latency::StageHistogram;
use engine::tap::{TapHead, TapKind, TapWriter};
use engine::tile::{Now, Tile};
use engine::top::{MarketId, Top};
use engine::units::{Ns, Venue};
use rtrb::{Consumer, Producer};

use crate::feed::{Input, NoticeSink, Outbox, VenueSession};
use crate::fitness::{Fitness, VERDICT_LEN_MAX, Verdict};
use crate::live::arrival::Arrivals;
use crate::live::dialect::{Books, Dialect, Remedy};
use crate::live::ears::{Ears, Word};
use crate::live::figures::LineFigures;
use crate::live::hearing::Hearing;
use crate::live::line::{Door, End, Line};
use crate::live::login::Login;
use crate::live::network::{Network, TlsNetwork};
use crate::live::rescue::Rescue;
use crate::transport::{Incoming, Wire, WsError};

/// Slots of a ring of [`Verdict`]s: a whole feed's worth would wait for the next look of whoever
/// sends them.
pub const VERDICT_RING_DEPTH: usize = 4_096;

/// How often deadlines are looked at.
const LOOK_NS: Ns = Ns::from_ms(1);

/// Lines are dialled one after the other at the start.
const DIAL_APART_NS: Ns = Ns::from_ms(10);

/// How a live feed connects.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to.
    pub door: Door,
    /// Chance follows from it.
    pub seed: u64,
    /// Connections are replaced after some time between three quarters of this and this. The next
    /// one is open before the old one ends, so that books are missing for a round trip alone.
    pub rotate_every: Option<Ns>,
    /// Whether frames that touch no book are told to the core too.
    pub mark_frames: bool,
}

/// How a live feed behaves, whatever it connects through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Chance follows from it.
    pub seed: u64,
    /// As [`Options::rotate_every`].
    pub rotate_every: Option<Ns>,
    /// As [`Options::mark_frames`].
    pub mark_frames: bool,
}

/// The ends of rings that a live feed holds, and its listener.
pub struct Ends<N, M> {
    /// Books, to the core.
    pub tops: Producer<Top>,
    /// Rules, to the core.
    pub controls: Producer<Control>,
    /// What a cross-check says, and which markets come and go among those that are known.
    pub verdicts: Consumer<Verdict>,
    /// Markets that are new.
    pub markets: Option<Arrivals<M>>,
    /// To the recorder.
    pub tap: Option<TapWriter>,
    /// Whoever else hears notices.
    pub notices: N,
}

/// A venue's connections, its session, and the rings to the core.
///
/// A step takes at most one message, so that the thread can stamp each. Nothing in here blocks;
/// a tile that is the only one of its thread may spin on it.
pub struct LiveFeed<D: Dialect, L, N, W: Network = TlsNetwork> {
    dialect: D,
    session: D::Session,
    lines: Vec<Line<D::Line, W::Wire>>,
    network: W,
    pace: Pace,
    login: L,
    outbox: Outbox<Ears<N>>,
    verdicts: Consumer<Verdict>,
    markets: Option<Arrivals<D::NewMarket>>,
    tap: Option<TapWriter>,
    /// The line that is asked next.
    turn: usize,
    look_at: Ns,
    /// When the last message was taken that is not timed yet.
    untimed: Option<Ns>,
    pushed: StageHistogram,
}

impl<D: Dialect, L: Login, N: NoticeSink> LiveFeed<D, L, N> {
    /// A feed of all markets that the session has, dialled from `now` on. They are spread over as
    /// many lines as the dialect demands.
    pub fn new(
        dialect: D,
        session: D::Session,
        options: Options,
        login: L,
        ends: Ends<N, D::NewMarket>,
        now: Now,
    ) -> io::Result<LiveFeed<D, L, N>> {
        let Options { door, seed, rotate_every, mark_frames } = options;
        let through = (TlsNetwork::new(door)?, Pace { seed, rotate_every, mark_frames });
        Ok(LiveFeed::through(through, dialect, session, login, ends, now))
    }
}

impl<D: Dialect, L: Login, N: NoticeSink, W: Network> LiveFeed<D, L, N, W> {
    /// As [`LiveFeed::new`], through any network.
    pub fn through(
        (network, pace): (W, Pace),
        dialect: D,
        mut session: D::Session,
        login: L,
        ends: Ends<N, D::NewMarket>,
        now: Now,
    ) -> LiveFeed<D, L, N, W> {
        let numbers: Vec<u16> = (0..session.count()).map(|number| number as u16).collect();
        let shards = numbers.chunks(dialect.markets_a_line().max(1)).map(<[u16]>::to_vec);
        let rescue = Rescue::new(shards.collect());
        let mut lines = Vec::new();
        for shard in numbers.chunks(dialect.markets_a_line().max(1)) {
            let at = lines.len();
            shard.iter().for_each(|market| session.assign(usize::from(*market), conn_of(at)));
            lines.push(new_line(pace.seed, at, now.mono.after(Ns(DIAL_APART_NS.0 * at as u64))));
        }
        let markets = session.count().max(session.room());
        let Ends { tops, controls, verdicts, markets: coming, tap, notices } = ends;
        let ears = Ears::new(rescue, notices);
        LiveFeed {
            dialect,
            session,
            lines,
            network,
            outbox: Outbox::new((tops, controls), markets, pace.mark_frames, ears),
            pace,
            login,
            verdicts,
            markets: coming,
            tap,
            turn: 0,
            look_at: Ns(0),
            untimed: None,
            pushed: StageHistogram::new(),
        }
    }

    /// Somebody asks the venue which markets trade whenever words about that may have been missed:
    /// until the answer came none of them is tradable. `hearing` tells when to ask.
    #[must_use]
    pub fn asked(mut self, hearing: Arc<Hearing>, now: Now) -> LiveFeed<D, L, N, W> {
        self.outbox.notices().hearing = Some(hearing);
        if let Some(market) = MarketId::new(D::Session::VENUE, 0) {
            self.put(0, now, Input::Verdict(Verdict { market, says: Fitness::Asked }));
        }
        self
    }

    /// The session, for its figures and books.
    pub const fn session(&self) -> &D::Session {
        &self.session
    }

    /// Whoever else hears notices.
    pub fn notices(&mut self) -> &N {
        self.outbox.notices().inner()
    }

    /// What each line counted.
    pub fn figures(&self) -> impl Iterator<Item = &LineFigures> {
        self.lines.iter().map(|line| &line.figures)
    }

    /// Lines that are open now, of how many.
    pub fn open_lines(&self) -> (usize, usize) {
        (self.lines.iter().filter(|line| line.is_open()).count(), self.lines.len())
    }

    /// From the moment at which the thread found a frame on the socket to the next step, when its
    /// Top had been pushed. Other tiles of the thread are in between, so that this never says too
    /// little.
    pub const fn pushed(&self) -> &StageHistogram {
        &self.pushed
    }

    /// Records that the recorder has no room for.
    pub fn untaped(&self) -> u64 {
        self.tap.as_ref().map_or(0, TapWriter::dropped)
    }

    /// Hands an input to the session and to the tape.
    fn put(&mut self, conn: u32, now: Now, input: Input<'_>) {
        let mut verdict;
        let (kind, payload): (_, &[u8]) = match input {
            Input::Frame(frame) => (TapKind::Frame, frame),
            Input::Connected | Input::Opened => (TapKind::Opened, &[]),
            Input::Closed => (TapKind::Closed, &[]),
            Input::Tick => (TapKind::Tick, &[]),
            Input::Verdict(word) => {
                verdict = [0; VERDICT_LEN_MAX];
                let len = word.encode(&mut verdict);
                (TapKind::Verdict, &verdict[..len])
            }
        };
        write(self.tap.as_mut(), D::Session::VENUE, kind, conn, now, payload);
        self.session.take(conn, now.wall, input, &mut self.outbox);
        self.outbox.end_frame(D::Session::VENUE, now.wall);
    }

    /// Takes one message of a line that may have some; false where there was none.
    #[inline]
    fn take_message(&mut self, now: Now) -> bool {
        for _ in 0..self.lines.len() {
            let at = self.turn;
            self.turn = if at + 1 < self.lines.len() { at + 1 } else { 0 };
            if self.lines[at].readable && self.take_message_of(at, now) {
                return true;
            }
        }
        false
    }

    #[inline]
    fn take_message_of(&mut self, at: usize, now: Now) -> bool {
        let LiveFeed { dialect, session, lines, outbox, tap, .. } = self;
        let line = &mut lines[at];
        let Some(socket) = line.socket() else {
            line.readable = false;
            return false;
        };
        let lives = match socket.poll() {
            Ok(Some(Incoming::Text(text))) => {
                write(tap.as_mut(), D::Session::VENUE, TapKind::Frame, conn_of(at), now, text);
                session.take(conn_of(at), now.wall, Input::Frame(text), outbox);
                outbox.end_frame(D::Session::VENUE, now.wall);
                let (len, lives) = (text.len() as u64, dialect.proves_life(Some(text)));
                line.figures.frames += 1;
                line.figures.bytes += len;
                self.untimed = Some(now.mono);
                lives
            }
            Ok(None) => {
                line.readable = false;
                return false;
            }
            Ok(Some(Incoming::Opened)) => {
                self.on_opened(at, now);
                return true;
            }
            Ok(Some(Incoming::Ping(_) | Incoming::Pong(_) | Incoming::Binary(_))) => {
                dialect.proves_life(None)
            }
            Err(error) => {
                self.end(at, now, End::of(&error));
                return true;
            }
        };
        if lives {
            line.alive_at = now.mono;
        }
        if let Some(word) = outbox.notices().word.take() {
            self.on_word(at, now, word);
        }
        true
    }

    #[cold]
    fn on_opened(&mut self, at: usize, now: Now) {
        self.lines[at].opened(now, self.pace.rotate_every);
        self.put(conn_of(at), now, Input::Opened);
        self.outbox.notices().rescue.greeted(at, now.mono);
        self.say(at, now, |dialect, session, talk, rescue, say| {
            dialect.greet(session, talk, at == 0, rescue.markets_of(at), say);
        });
    }

    #[cold]
    fn on_word(&mut self, at: usize, now: Now, word: Word) {
        let line = &mut self.lines[at];
        match word {
            Word::Subscribed { is_book, sid } => {
                self.dialect.on_subscribed(&mut line.talk, is_book, sid);
            }
            Word::Error { code, sid } => {
                line.figures.venue_errors += 1;
                match self.dialect.on_error(&mut line.talk, code, sid) {
                    Remedy::None => {}
                    Remedy::Resubscribe => {
                        self.outbox.notices().rescue.resubscribed(at, now.mono);
                        self.resubscribe(at, now);
                    }
                    Remedy::Reconnect => self.end(at, now, End::GivenUp),
                }
            }
        }
    }

    fn resubscribe(&mut self, at: usize, now: Now) {
        self.lines[at].figures.resubscribes += 1;
        self.say(at, now, |dialect, session, talk, rescue, say| {
            dialect.resubscribe(session, talk, rescue.markets_of(at), say);
        });
    }

    /// Ends what stands on a line; the books of its markets leave trading at once.
    #[cold]
    fn end(&mut self, at: usize, now: Now, end: End) {
        let was_open = self.lines[at].end(now, end, &mut self.network);
        self.outbox.notices().rescue.closed(at);
        self.outbox.notices().word = None;
        if was_open {
            self.put(conn_of(at), now, Input::Closed);
        }
    }

    /// Sends words of the dialect on a line, and records them.
    #[cold]
    fn say(
        &mut self,
        at: usize,
        now: Now,
        words: impl FnOnce(&D, &D::Session, &mut D::Line, &Rescue, &mut dyn FnMut(&str)),
    ) {
        let mut texts = Vec::new();
        let rescue = &self.outbox.notices().rescue;
        let talk = &mut self.lines[at].talk;
        words(&self.dialect, &self.session, talk, rescue, &mut |text| texts.push(text.to_owned()));
        for text in texts {
            let sent = text.as_bytes();
            write(self.tap.as_mut(), D::Session::VENUE, TapKind::Sent, conn_of(at), now, sent);
            if !self.send(at, now, &text) {
                return;
            }
        }
    }

    /// Sends a text; false where that ended the line.
    fn send(&mut self, at: usize, now: Now, text: &str) -> bool {
        let sent = match self.lines[at].socket() {
            Some(socket) => socket.send_text(text),
            None => Err(WsError::NotOpen),
        };
        if let Err(error) = &sent {
            self.end(at, now, End::of(error));
        }
        sent.is_ok()
    }

    /// Asks which lines have something, without waiting.
    #[inline]
    fn find_readable(&mut self) {
        let LiveFeed { network, lines, .. } = self;
        network.readable(|at| {
            if let Some(line) = lines.get_mut(at) {
                line.readable = true;
            }
        });
    }
}

impl<D: Dialect, L: Login, N: NoticeSink, W: Network> Tile for LiveFeed<D, L, N, W> {
    const NAME: &'static str = D::Session::NAME;

    /// Takes one message at most, so that the thread can stamp each.
    #[inline]
    fn step(&mut self, now: Now) -> usize {
        if let Some(at) = self.untimed.take() {
            self.pushed.record(now.mono.since(at).0);
        }
        if !self.outbox.flush() {
            return 0; // back-pressure: the core has to catch up first
        }
        if now.mono >= self.look_at || self.outbox.notices().rescue.take_urgent() {
            self.look(now);
        }
        if self.take_message(now) {
            return 1;
        }
        self.find_readable();
        if self.take_message(now) {
            return 1;
        }
        if self.session.due().is_some_and(|due| now.wall > due) {
            self.put(0, now, Input::Tick);
            return 1;
        }
        0
    }

    fn next_deadline(&self) -> Option<Ns> {
        Some(self.look_at)
    }
}

/// Connections are numbered from 1 on a tape; 0 is none.
const fn conn_of(line: usize) -> u32 {
    line as u32 + 1
}

fn new_line<L: Default, W: Wire>(seed: u64, at: usize, dial_from: Ns) -> Line<L, W> {
    // Every line has chance of its own.
    Line::new(seed.wrapping_add((at as u64) << 32), dial_from)
}

#[inline]
fn write(
    tap: Option<&mut TapWriter>,
    venue: Venue,
    kind: TapKind,
    conn: u32,
    now: Now,
    payload: &[u8],
) {
    if let Some(tap) = tap {
        tap.write(TapHead { kind, venue, conn, recv: now.wall }, payload);
    }
}
