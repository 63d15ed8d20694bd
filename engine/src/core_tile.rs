//! The core's tile: both feeds' rings in, in an order that is itself data, and events out.

use std::collections::VecDeque;

use rtrb::{Consumer, Producer};

use crate::core::{Core, Outlet};
use crate::event::{Bundle, Control, Event, Grounds};
use crate::paper::PaperCore;
use crate::tile::{Now, Tile};
use crate::top::Top;
use crate::units::Venue;

/// Events on their way from the core to whoever writes them down. An evaluation makes three at
/// most that open or close an opportunity and one decision; a burst of a thousand evaluations
/// fits.
pub const EVENT_RING_DEPTH: usize = 4_096;

/// Events that one step can make beyond what the ring holds: a frame's tops, each with a few.
const EVENTS_WAITING: usize = 4_096;

/// The core's output: a ring, and what did not fit into it yet.
pub struct EventRing {
    ring: Producer<Event>,
    waiting: VecDeque<Event>,
}

impl EventRing {
    /// An outlet into that ring.
    pub fn new(ring: Producer<Event>) -> EventRing {
        EventRing { ring, waiting: VecDeque::with_capacity(EVENTS_WAITING) }
    }

    /// Moves what waits into the ring; true where nothing waits any more.
    #[inline]
    fn flush(&mut self) -> bool {
        while let Some(event) = self.waiting.front() {
            if self.ring.push(*event).is_err() {
                return false;
            }
            self.waiting.pop_front();
        }
        true
    }
}

impl Outlet for EventRing {
    fn bundle(&mut self, _bundle: &Bundle, _grounds: &Grounds) {
        // Paper fills it within the core's thread; the decision is told as an event.
    }

    fn event(&mut self, event: &Event) {
        if !self.waiting.is_empty() || self.ring.is_full() {
            self.waiting.push_back(*event);
        } else {
            // Nobody else pushes, so there is room.
            let _ = self.ring.push(*event);
        }
    }
}

/// The core and its rings.
///
/// A tape holds frames only, so the order in which the core takes the two feeds' frames is
/// announced to it, a venue a frame: that makes one thread and several give equal decisions.
pub struct CoreTile {
    core: PaperCore,
    tops: [Consumer<Top>; 2],
    controls: [Consumer<Control>; 2],
    order: Consumer<Venue>,
    /// The venue whose frame is being taken.
    current: Option<Venue>,
    /// The last top of that frame, while its controls are not all taken.
    held: Option<Top>,
    out: EventRing,
}

impl CoreTile {
    /// A core that takes frames in the announced order. `tops` and `controls` are indexed by
    /// venue.
    pub const fn new(
        core: PaperCore,
        tops: [Consumer<Top>; 2],
        controls: [Consumer<Control>; 2],
        order: Consumer<Venue>,
        out: EventRing,
    ) -> CoreTile {
        CoreTile { core, tops, controls, order, current: None, held: None, out }
    }

    /// The core, for its figures.
    pub fn core(&self) -> &Core {
        self.core.core()
    }

    /// The core, when the run is over.
    pub fn into_core(self) -> PaperCore {
        self.core
    }

    /// Ends the input: orders on their way take effect on the books that stand.
    pub fn drain(&mut self) {
        self.core.drain(&mut self.out);
    }

    /// The venue whose frame comes next, where that is announced.
    #[inline]
    pub fn next_venue(&mut self) -> Option<Venue> {
        if self.current.is_none() {
            self.current = self.order.pop().ok();
        }
        self.current
    }

    /// True where every event has reached the ring.
    pub fn is_flushed(&mut self) -> bool {
        self.out.flush()
    }

    /// Takes the controls of a frame, and its last top after them; 0 where some have not come yet
    /// or their events find no room. It goes on from there when it is stepped again.
    #[cold]
    fn take_controls(&mut self, venue: Venue, top: Top) -> usize {
        let now = Now::at(top.recv);
        self.held = Some(top);
        loop {
            // An event's markets may be many, and each has its events: between two of them there
            // is time for back-pressure.
            if !self.out.flush() {
                return 0;
            }
            match self.controls[venue.index()].pop() {
                Ok(Control::EndOfFrame) => break,
                Ok(control) => self.core.on_control(now, &control, &mut self.out),
                Err(_) => return 0,
            }
        }
        if top.flags & Top::NO_MARKET == 0 {
            self.core.on_top(now, &top, &mut self.out);
        }
        self.held = None;
        self.current = None;
        1
    }
}

impl Tile for CoreTile {
    const NAME: &'static str = "core";

    /// Takes one frame at most, so that the thread can stamp each; 0 while a frame is not whole.
    /// The core lives in the time of the frames, not in that of the machine that replays them.
    #[inline]
    fn step(&mut self, _now: Now) -> usize {
        if !self.out.flush() {
            return 0; // back-pressure: events are the record of what was done, none is dropped
        }
        let Some(venue) = self.next_venue() else { return 0 };
        if let Some(top) = self.held {
            return self.take_controls(venue, top);
        }
        while let Ok(top) = self.tops[venue.index()].pop() {
            if top.flags & (Top::NO_MARKET | Top::CONTROL) == 0 {
                self.core.on_top(Now::at(top.recv), &top, &mut self.out);
            } else if top.flags & Top::CONTROL != 0 {
                return self.take_controls(venue, top);
            }
            if top.flags & Top::LAST_OF_FRAME != 0 {
                self.current = None;
                return 1;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::PairChange;
    use crate::fixture::{config, market, pair, table, top};
    use crate::pair::{FeeRule, Polarity};
    use crate::units::Ns;

    struct Rig {
        tile: CoreTile,
        tops: [Producer<Top>; 2],
        controls: [Producer<Control>; 2],
        order: Producer<Venue>,
        events: Consumer<Event>,
    }

    fn rig(pairs: usize, events: usize) -> Rig {
        let pairs: Vec<_> =
            (0..pairs).map(|n| pair(&n.to_string(), n, n, Polarity::Same)).collect();
        let core = PaperCore::new(table(&pairs), [0, 0], config(), [Ns(5); 2]);
        let (tops, tops_rx): (Vec<_>, Vec<_>) = (0..2).map(|_| rtrb::RingBuffer::new(8)).unzip();
        let (controls, controls_rx): (Vec<_>, Vec<_>) =
            (0..2).map(|_| rtrb::RingBuffer::new(8)).unzip();
        let (order, order_rx) = rtrb::RingBuffer::new(8);
        let (event_tx, events) = rtrb::RingBuffer::new(events);
        let out = EventRing::new(event_tx);
        let tops_rx = tops_rx.try_into().ok().unwrap();
        let tile =
            CoreTile::new(core, tops_rx, controls_rx.try_into().ok().unwrap(), order_rx, out);
        let controls = controls.try_into().ok().unwrap();
        Rig { tile, tops: tops.try_into().ok().unwrap(), controls, order, events }
    }

    impl Rig {
        fn send(&mut self, mut top: Top, flags: u8) {
            top.flags = flags;
            let venue = top.market.venue();
            self.tops[venue.index()].push(top).unwrap();
            self.order.push(venue).unwrap();
        }

        fn fee(&mut self, index: usize, fee: Option<FeeRule>) {
            let market = market(Venue::Kalshi, index);
            self.controls[0].push(Control::Fee { market, fee }).unwrap();
        }

        fn step(&mut self) -> usize {
            self.tile.step(Now::default())
        }

        fn seen(&mut self) -> Vec<Event> {
            core::iter::from_fn(|| self.events.pop().ok()).collect()
        }

        fn health(&self, index: usize) -> bool {
            let top = self.tile.core().top(market(Venue::Kalshi, index)).unwrap();
            top.health == crate::top::Health::Sound
        }
    }

    fn changed(pair: u16, at: u64) -> Event {
        let pair = crate::pair::PairId(pair);
        Event::PairChanged { pair, at: Ns(at), change: PairChange::Fee }
    }

    #[test]
    fn controls_hold_before_the_top_that_announces_them_however_late_they_come() {
        let mut rig = rig(2, 64);
        let book = |venue, at| top(market(venue, 0), at, &[(5_000, 100)], &[(5_100, 100)]);
        rig.send(book(Venue::Kalshi, 7), Top::LAST_OF_FRAME | Top::CONTROL);
        // The other feed is ahead: its frame stays behind this one.
        rig.send(book(Venue::Polymarket, 8), Top::LAST_OF_FRAME);
        rig.fee(0, Some(FeeRule::Unknown));
        assert_eq!((rig.step(), rig.health(0)), (0, false), "the second control is missing");
        assert_eq!(rig.seen(), [changed(0, 7)]);
        assert_eq!((rig.step(), rig.seen().len()), (0, 0), "nothing is taken twice");
        rig.fee(1, Some(FeeRule::Unknown));
        assert_eq!(rig.step(), 0, "and the end of the frame");
        assert_eq!(rig.seen(), [changed(1, 7)]);
        // What follows in the ring belongs to the next frame.
        rig.controls[0].push(Control::EndOfFrame).unwrap();
        rig.fee(0, None);
        assert_eq!((rig.step(), rig.health(0)), (1, true));
        assert_eq!(rig.tile.core().top(market(Venue::Polymarket, 0)).unwrap().recv, Ns(0));
        rig.seen();
        assert_eq!(rig.step(), 1);
        assert_eq!(rig.tile.core().top(market(Venue::Polymarket, 0)).unwrap().recv, Ns(8));
        rig.seen();
        let mark = Top::empty_frame(Venue::Kalshi, Ns(9));
        rig.send(mark, mark.flags | Top::CONTROL);
        rig.controls[0].push(Control::EndOfFrame).unwrap();
        assert_eq!((rig.step(), rig.seen()), (1, vec![changed(0, 9)]));
        assert_eq!(rig.step(), 0);
    }

    #[test]
    fn controls_whose_events_find_no_room_wait() {
        let mut rig = rig(3, 1);
        let mark = Top::empty_frame(Venue::Kalshi, Ns(9));
        (0..3).for_each(|index| rig.fee(index, Some(FeeRule::Unknown)));
        rig.controls[0].push(Control::EndOfFrame).unwrap();
        rig.send(mark, mark.flags | Top::CONTROL);
        let mut seen = Vec::new();
        let mut steps = 0;
        while rig.step() == 0 {
            assert!(rig.tile.out.waiting.len() <= 1, "as many as one control makes");
            seen.extend(rig.seen());
            steps += 1;
            assert!(steps < 10, "it never ends");
        }
        seen.extend(rig.seen());
        assert_eq!(seen, [changed(0, 9), changed(1, 9), changed(2, 9)]);
    }
}
