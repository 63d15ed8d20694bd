//! The feed tile: a source of frames, a venue's session, and the rings to the core.

use std::collections::VecDeque;

use engine::event::Control;
use engine::tile::{Now, Tile};
use engine::top::Top;
use engine::units::{Ns, Venue};
use rtrb::Producer;

use crate::fitness::Verdict;
use crate::sink::{Notice, Sink};
use crate::{kalshi, polymarket};

/// Slots of a ring of [`Top`]s. A reconnect republishes every market once, and a core that was
/// kept from its thread for a millisecond finds at most some thousands of frames waiting.
pub const TOP_RING_DEPTH: usize = 65_536;
const _: () = assert!(TOP_RING_DEPTH >= 2 * engine::top::MARKETS_MAX);

/// Slots of a ring of [`Control`]s. They come a few times a day, for all markets of an event at
/// once, and an event with more markets than this waits for the core.
pub const CONTROL_RING_DEPTH: usize = 1_024;

/// What a connection hands to a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input<'a> {
    /// A new connection of the venue, and no other: every book starts afresh. Tapes of one
    /// connection have it.
    Connected,
    /// One text frame.
    Frame(&'a [u8]),
    /// The connection opened: the books of the markets that are assigned to it start afresh.
    Opened,
    /// The connection is gone, and those books with it.
    Closed,
    /// Nothing came; the receive stamp is the time. Crossed books are judged again.
    Tick,
    /// Something is said of a book from outside.
    Verdict(Verdict),
}

/// Where a feed tile's frames come from: a socket, a tape, a simulated venue.
pub trait Source {
    /// The next input with its connection number and receive stamp, or `None` where there is
    /// none now.
    fn next(&mut self) -> Option<(u32, Ns, Input<'_>)>;

    /// Does what the source itself has to do for its next input, so that it is no part of that
    /// input's time. [`Source::next`] does it where this was not called.
    #[inline]
    fn prepare(&mut self) {}
}

/// A venue's session as a feed tile drives it.
pub trait VenueSession {
    /// The thread's name and metric prefix.
    const NAME: &'static str;
    /// Whose frames it reads.
    const VENUE: Venue;

    /// Takes one input, and puts what follows into the sink.
    fn take(&mut self, conn: u32, recv: Ns, input: Input<'_>, sink: &mut impl Sink);

    /// After this time an [`Input::Tick`] has work to do.
    fn due(&self) -> Option<Ns>;
}

impl VenueSession for kalshi::session::Session {
    const NAME: &'static str = "feed-kalshi";
    const VENUE: Venue = Venue::Kalshi;

    #[inline]
    fn take(&mut self, conn: u32, recv: Ns, input: Input<'_>, sink: &mut impl Sink) {
        match input {
            Input::Frame(frame) => self.on_frame(conn, recv, frame, sink),
            Input::Connected => self.on_connected(recv, sink),
            Input::Opened => self.on_opened(conn, recv, sink),
            Input::Closed => self.on_closed(conn, recv, sink),
            Input::Tick => self.on_time(recv, sink),
            Input::Verdict(verdict) => self.on_verdict(verdict, recv, sink),
        }
    }

    #[inline]
    fn due(&self) -> Option<Ns> {
        kalshi::session::Session::due(self)
    }
}

impl VenueSession for polymarket::session::Session {
    const NAME: &'static str = "feed-polymarket";
    const VENUE: Venue = Venue::Polymarket;

    #[inline]
    fn take(&mut self, conn: u32, recv: Ns, input: Input<'_>, sink: &mut impl Sink) {
        match input {
            Input::Frame(frame) => self.on_frame_of(conn, recv, frame, sink),
            Input::Connected => self.on_connected(recv, sink),
            Input::Opened => self.on_opened(conn, recv, sink),
            Input::Closed => self.on_closed(conn, recv, sink),
            Input::Tick => self.on_time(recv, sink),
            Input::Verdict(verdict) => self.on_verdict(verdict, recv, sink),
        }
    }

    #[inline]
    fn due(&self) -> Option<Ns> {
        polymarket::session::Session::due(self)
    }
}

/// Receives a session's notices; tops go to the ring.
pub trait NoticeSink {
    /// Something rarer than a price. Must not block. Rules that it changes go into `controls`;
    /// the core takes them with the last top of the frame.
    fn notice(&mut self, notice: &Notice<'_>, controls: &mut ControlBox);
}

impl NoticeSink for () {
    fn notice(&mut self, _notice: &Notice<'_>, _controls: &mut ControlBox) {}
}

/// The way of a feed's controls to the core: their ring, and what did not fit into it yet.
pub struct ControlBox {
    ring: Producer<Control>,
    /// Controls that found the ring full, in order. As with tops it holds those of one frame.
    waiting: VecDeque<Control>,
    /// The frame has made some: they are not ended yet.
    open: bool,
}

impl ControlBox {
    /// A way with room for a control of each of `markets` markets.
    pub fn new(ring: Producer<Control>, markets: usize) -> ControlBox {
        ControlBox { ring, waiting: VecDeque::with_capacity(markets + 1), open: false }
    }

    /// Sends a control. The core takes it before the last top of the frame.
    #[cold]
    pub fn send(&mut self, control: Control) {
        self.open = true;
        if !self.waiting.is_empty() {
            self.waiting.push_back(control);
        } else if let Err(rtrb::PushError::Full(control)) = self.ring.push(control) {
            self.waiting.push_back(control);
        }
    }

    /// Ends the frame's controls.
    #[cold]
    fn end_frame(&mut self) {
        self.send(Control::EndOfFrame);
        self.open = false;
    }

    /// Moves what waits into the ring; true where nothing waits any more.
    #[inline]
    fn flush(&mut self) -> bool {
        while let Some(control) = self.waiting.front() {
            if self.ring.push(*control).is_err() {
                return false;
            }
            self.waiting.pop_front();
        }
        true
    }
}

/// What the core gets of a feed: its rings, and what did not fit into them yet.
pub struct Outbox<N> {
    ring: Producer<Top>,
    controls: ControlBox,
    /// The frame's last top so far: it is sent when the next one comes or the frame ends, so that
    /// the last one can say that it is.
    held: Option<Top>,
    /// Tops that found the ring full, in order. The tile takes no further frame until it is empty,
    /// so it holds at most one frame's tops.
    waiting: VecDeque<Top>,
    /// Whether frames that touch no book are told to the core too, which merges feeds in order.
    mark_frames: bool,
    notices: N,
}

impl<N> Outbox<N> {
    /// An outbox with room for the tops and controls of `markets` markets. With `mark_frames` every
    /// frame ends with a message that carries [`Top::LAST_OF_FRAME`].
    pub fn new(
        (ring, controls): (Producer<Top>, Producer<Control>),
        markets: usize,
        mark_frames: bool,
        notices: N,
    ) -> Outbox<N> {
        let waiting = VecDeque::with_capacity(markets + 1);
        let controls = ControlBox::new(controls, markets);
        Outbox { ring, controls, held: None, waiting, mark_frames, notices }
    }

    /// Whoever receives the notices.
    pub(crate) const fn notices(&mut self) -> &mut N {
        &mut self.notices
    }

    #[inline]
    fn send(&mut self, top: Top) {
        if !self.waiting.is_empty() {
            self.waiting.push_back(top);
        } else if let Err(rtrb::PushError::Full(top)) = self.ring.push(top) {
            self.waiting.push_back(top);
        }
    }

    #[inline]
    pub(crate) fn end_frame(&mut self, venue: Venue, recv: Ns) {
        if self.controls.open {
            return self.end_controls(venue, recv);
        }
        match self.held.take() {
            Some(mut top) => {
                top.flags |= Top::LAST_OF_FRAME;
                self.send(top);
            }
            None if self.mark_frames => self.send(Top::empty_frame(venue, recv)),
            None => {}
        }
    }

    /// The same for a frame that changed rules: the core hears of it in any case.
    #[cold]
    fn end_controls(&mut self, venue: Venue, recv: Ns) {
        self.controls.end_frame();
        let mut top = self.held.take().unwrap_or(Top::empty_frame(venue, recv));
        top.flags |= Top::LAST_OF_FRAME | Top::CONTROL;
        self.send(top);
    }

    /// Moves what waits into the rings; true where nothing waits any more.
    #[inline]
    pub(crate) fn flush(&mut self) -> bool {
        // The core waits for the controls of a top that it has.
        let flushed = self.controls.flush();
        self.flush_tops() && flushed
    }

    #[inline]
    fn flush_tops(&mut self) -> bool {
        while let Some(top) = self.waiting.front() {
            if self.ring.push(*top).is_err() {
                return false;
            }
            self.waiting.pop_front();
        }
        true
    }
}

impl<N: NoticeSink> Sink for Outbox<N> {
    #[inline]
    fn top(&mut self, top: &Top) {
        if let Some(before) = self.held.replace(*top) {
            self.send(before);
        }
    }

    #[inline]
    fn notice(&mut self, notice: &Notice<'_>) {
        self.notices.notice(notice, &mut self.controls);
    }
}

/// Frames in, tops and controls out.
pub struct FeedTile<S, F, N> {
    session: S,
    source: F,
    outbox: Outbox<N>,
}

impl<S: VenueSession, F: Source, N: NoticeSink> FeedTile<S, F, N> {
    /// A tile that reads `source` and tells the core through `outbox`.
    pub const fn new(session: S, source: F, outbox: Outbox<N>) -> FeedTile<S, F, N> {
        FeedTile { session, source, outbox }
    }

    /// Lets the source prepare its next frame, where that is no part of what a step costs.
    #[inline]
    pub fn prepare(&mut self) {
        self.source.prepare();
    }

    /// The session, for its figures and books.
    pub const fn session(&self) -> &S {
        &self.session
    }

    /// The session and the sink of its notices, when the run is over.
    pub fn into_parts(self) -> (S, N) {
        (self.session, self.outbox.notices)
    }

    /// True where every top and every control has reached its ring.
    pub fn is_flushed(&self) -> bool {
        self.outbox.waiting.is_empty() && self.outbox.controls.waiting.is_empty()
    }
}

impl<S: VenueSession, F: Source, N: NoticeSink> Tile for FeedTile<S, F, N> {
    const NAME: &'static str = S::NAME;

    /// Takes one frame at most, so that the thread can stamp each.
    #[inline]
    fn step(&mut self, _now: Now) -> usize {
        if !self.outbox.flush() {
            return 0; // back-pressure: the core has to catch up first
        }
        let Some((conn, recv, input)) = self.source.next() else { return 0 };
        self.session.take(conn, recv, input, &mut self.outbox);
        self.outbox.end_frame(S::VENUE, recv);
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::EventMarkets;
    use crate::kalshi::session::{NoSide, Options, Session};
    use engine::grid::Grid;
    use engine::pair::FeeRule;
    use engine::slab::Slab;
    use engine::top::MarketId;

    struct List(Vec<&'static [u8]>);

    impl Source for List {
        fn next(&mut self) -> Option<(u32, Ns, Input<'_>)> {
            (!self.0.is_empty()).then(|| (1, Ns(7), Input::Frame(self.0.remove(0))))
        }
    }

    const SNAPSHOT: &[u8] = br#"{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"KXA","market_id":"m","yes_dollars_fp":[["0.4000","5.00"]]}}"#;
    const TICKER: &[u8] = br#"{"type":"subscribed","id":1,"msg":{"channel":"ticker","sid":9}}"#;

    #[test]
    fn every_frame_is_marked_and_a_full_ring_holds_the_next_one_back() {
        let mut session =
            Session::new(Options { no_side: NoSide::NoPrice, learn: false }, Slab::new([4, 0, 0]));
        session.add_market("KXA", &Grid::CENT).unwrap();
        let (ring, mut core) = rtrb::RingBuffer::new(1);
        let (controls, _) = rtrb::RingBuffer::new(1);
        let frames = List(vec![SNAPSHOT, TICKER, SNAPSHOT]);
        let mut tile = FeedTile::new(session, frames, Outbox::new((ring, controls), 1, true, ()));
        assert_eq!(tile.step(Now::default()), 1, "the ring has room for its top");
        assert_eq!(tile.step(Now::default()), 1, "its mark has to wait");
        assert!(!tile.is_flushed());
        assert_eq!(tile.step(Now::default()), 0, "so the third frame waits too");
        let top = core.pop().unwrap();
        assert_eq!((top.recv, top.flags), (Ns(7), Top::LAST_OF_FRAME));
        assert_eq!(tile.step(Now::default()), 1, "the mark takes the room, the third frame comes");
        assert_eq!(core.pop().unwrap().flags, Top::LAST_OF_FRAME | Top::NO_MARKET);
        assert_eq!(tile.session().figures().frames, 3);
    }

    const FEE: &[u8] = br#"{"type":"event_fee_update","sid":5,"seq":1,"msg":{"event_ticker":"EV","fee_type_override":"quadratic","fee_multiplier_override":2}}"#;
    const ELSEWHERE: &[u8] = br#"{"type":"event_fee_update","sid":5,"seq":2,"msg":{"event_ticker":"OTHER","fee_type_override":null,"fee_multiplier_override":null}}"#;

    #[test]
    fn controls_wait_in_order_and_hold_the_next_frame_back() {
        let mut events = EventMarkets::default();
        let markets = [0, 1, 2].map(|index| MarketId::new(Venue::Kalshi, index).unwrap());
        markets.iter().for_each(|market| events.add("EV", *market));
        // Frames that touch no book and change no rule are not told here.
        for mark_frames in [false, true] {
            let (ring, mut tops) = rtrb::RingBuffer::new(8);
            let (ring_of_controls, mut controls) = rtrb::RingBuffer::new(2);
            let outbox = Outbox::new((ring, ring_of_controls), 3, mark_frames, events.clone());
            let mut session = Session::new(
                Options { no_side: NoSide::NoPrice, learn: false },
                Slab::new([4, 0, 0]),
            );
            session.add_market("KXA", &Grid::CENT).unwrap();
            let mut tile = FeedTile::new(session, List(vec![FEE, SNAPSHOT, ELSEWHERE]), outbox);
            assert_eq!((tile.step(Now::default()), tile.is_flushed()), (1, false));
            assert_eq!(
                tops.pop().unwrap().flags,
                Top::LAST_OF_FRAME | Top::NO_MARKET | Top::CONTROL
            );
            let mut came = Vec::new();
            assert_eq!(tile.step(Now::default()), 0, "two of four found room");
            while tile.step(Now::default()) == 0 {
                came.push(controls.pop().unwrap());
            }
            while let Ok(control) = controls.pop() {
                came.push(control);
            }
            let fee = Some(FeeRule::Quadratic { multiplier_e6: 2_000_000 });
            let mut want = markets.map(|market| Control::Fee { market, fee }).to_vec();
            want.push(Control::EndOfFrame);
            assert_eq!(came, want);
            assert_eq!(tops.pop().unwrap().flags, Top::LAST_OF_FRAME, "the next frame has none");
            assert_eq!((tile.step(Now::default()), tile.is_flushed()), (1, true));
            let mark = Top::LAST_OF_FRAME | Top::NO_MARKET;
            assert_eq!(tops.pop().ok().map(|top| top.flags), mark_frames.then_some(mark));
            assert!(controls.is_empty(), "no market of that event is ours");
        }
    }
}
