//! The core's tile: both feeds' rings in, in an order that is itself data, and events out.

use std::collections::VecDeque;

use rtrb::{Consumer, Producer};

use crate::core::{Core, Outlet};
use crate::event::{Bundle, Event};
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
    fn bundle(&mut self, _bundle: &Bundle) {
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
    order: Consumer<Venue>,
    /// The venue whose frame is being taken.
    current: Option<Venue>,
    out: EventRing,
}

impl CoreTile {
    /// A core that takes frames in the announced order. `tops` is indexed by venue.
    pub const fn new(
        core: PaperCore,
        tops: [Consumer<Top>; 2],
        order: Consumer<Venue>,
        out: EventRing,
    ) -> CoreTile {
        CoreTile { core, tops, order, current: None, out }
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
        while let Ok(top) = self.tops[venue.index()].pop() {
            if top.flags & Top::NO_MARKET == 0 {
                self.core.on_top(Now::at(top.recv), &top, &mut self.out);
            }
            if top.flags & Top::LAST_OF_FRAME != 0 {
                self.current = None;
                return 1;
            }
        }
        0
    }
}
