//! The threads of a run: each steps its tiles, tells them the time, and idles as its plan says.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, Scope, ScopedJoinHandle};

use engine::clock::{Clock, TscClock};
use engine::idle::{Idle, Idler};
use engine::pin::pin_current;
use engine::tile::{Now, Tile};
use engine::units::Ns;

/// How often tiles do their rare work.
const HOUSEKEEP_EVERY: Ns = Ns::from_ms(50);

/// A tile of whatever type.
pub trait Stepped: Send {
    /// See [`Tile::step`].
    fn step(&mut self, now: Now) -> usize;
    /// See [`Tile::stamp`].
    fn stamp(&mut self, now: Now);
    /// See [`Tile::housekeep`].
    fn housekeep(&mut self, now: Now);
}

impl<T: Tile + Send> Stepped for T {
    fn step(&mut self, now: Now) -> usize {
        Tile::step(self, now)
    }

    fn stamp(&mut self, now: Now) {
        Tile::stamp(self, now);
    }

    fn housekeep(&mut self, now: Now) {
        Tile::housekeep(self, now);
    }
}

/// Tiles that share a thread, in the order of their steps.
pub struct Group<'a> {
    /// The thread's name.
    pub name: &'static str,
    /// The core it is pinned to; `None` floats.
    pub core: Option<usize>,
    /// What it does without work.
    pub idle: Idle,
    /// Its tiles.
    pub tiles: Vec<&'a mut dyn Stepped>,
}

/// Starts the thread of a group. It ends when `stop` says so, with the pin that failed, in words.
///
/// # Panics
/// Where the system refuses a thread.
pub fn start<'s>(
    scope: &'s Scope<'s, '_>,
    mut group: Group<'s>,
    clock: &'s TscClock,
    stop: &'s AtomicBool,
) -> ScopedJoinHandle<'s, Option<String>> {
    let run = move || {
        // Whoever ends, ends all: a run without one of its threads is none.
        let _ends = Ends(stop);
        let failed = group.core.and_then(|core| pin_current(core).err());
        turn(&mut group.tiles, group.idle, clock, stop);
        failed.map(|error| format!("thread {}: {error}", group.name))
    };
    match thread::Builder::new().name(group.name.to_owned()).spawn_scoped(scope, run) {
        Ok(handle) => handle,
        Err(error) => panic!("the system refused a thread: {error}"),
    }
}

/// Ends a run when it is dropped.
pub(super) struct Ends<'a>(pub(super) &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Steps the tiles in turn until `stop`.
fn turn(tiles: &mut [&mut dyn Stepped], idle: Idle, clock: &TscClock, stop: &AtomicBool) {
    let mut idler = Idler::new(idle);
    let mut rare = clock.now().mono;
    let mut now = clock.now();
    while !stop.load(Relaxed) {
        let mut done = 0;
        for tile in &mut *tiles {
            let did = tile.step(now);
            // The time after one tile's step is the time before the next one's.
            now = clock.now();
            if did > 0 {
                tile.stamp(now);
            }
            done += did;
        }
        if now.mono >= rare {
            rare = now.mono.after(HOUSEKEEP_EVERY);
            for tile in &mut *tiles {
                tile.housekeep(now);
            }
        }
        idler.idle(done);
        now = clock.now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counter {
        steps: u64,
        stamps: u64,
        kept: u64,
        last: Now,
    }

    impl Tile for Counter {
        const NAME: &'static str = "counter";

        fn step(&mut self, now: Now) -> usize {
            assert!(now.mono >= self.last.mono, "time goes on");
            self.last = now;
            self.steps += 1;
            usize::from(self.steps.is_multiple_of(3))
        }

        fn stamp(&mut self, now: Now) {
            assert!(now.mono >= self.last.mono);
            self.stamps += 1;
        }

        fn housekeep(&mut self, _now: Now) {
            self.kept += 1;
        }
    }

    #[test]
    fn tiles_are_stepped_stamped_and_kept_until_the_stop() {
        let (clock, stop) = (TscClock::new(), AtomicBool::new(false));
        let (mut one, mut two) = (Counter::default(), Counter::default());
        thread::scope(|scope| {
            let tiles: Vec<&mut dyn Stepped> = vec![&mut one, &mut two];
            let group = Group { name: "both", core: None, idle: Idle::COLD, tiles };
            let handle = start(scope, group, &clock, &stop);
            let began = clock.now().mono;
            while clock.now().mono.since(began) < Ns::from_ms(120) {
                thread::yield_now();
            }
            stop.store(true, Relaxed);
            assert_eq!(handle.join().unwrap(), None);
        });
        assert_eq!(one.steps, two.steps);
        assert!(one.steps > 2 && one.kept >= 2, "{} {}", one.steps, one.kept);
        assert_eq!(one.stamps, one.steps / 3);
    }
}
