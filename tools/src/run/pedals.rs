//! The thread that stops and arms a run. It waits for nothing but the latch's disk, and for that
//! only when nothing leaves any more: no terminal, no other file and no burst of events keeps a stop
//! from taking effect.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use engine::live_tile::Command;
use engine::risk::Word;
use rtrb::Producer;

use super::brakes::Brakes;
use crate::state::switch::{Change, KillSwitch};

/// How long it rests when nothing happened.
const REST: Duration = Duration::from_micros(500);

/// The ways to the core and the gates.
pub struct Ways {
    /// How they are stopped and armed.
    pub brakes: Brakes,
    /// What else the core is told.
    pub commands: Producer<Command>,
}

impl Ways {
    /// Moves on what waits.
    pub fn flush(&mut self) {
        self.brakes.flush(&mut self.commands);
    }
}

/// The same for two: whoever stops trading, and whoever watches the run. Nobody holds them longer
/// than a few pushes take.
pub struct Pedals(Mutex<Ways>);

impl Pedals {
    /// Over these ways.
    pub const fn new(brakes: Brakes, commands: Producer<Command>) -> Pedals {
        Pedals(Mutex::new(Ways { brakes, commands }))
    }

    /// Takes them for a moment.
    pub fn take(&self) -> MutexGuard<'_, Ways> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what the switch says until `stop`, and tells whoever watches what it did.
pub fn run(switch: &mut KillSwitch, pedals: &Pedals, told: &Sender<Change>, stop: &AtomicBool) {
    while !stop.load(Relaxed) {
        if !turn(switch, pedals, told) {
            thread::park_timeout(REST);
        }
    }
}

/// Does the next thing that the switch says; false where there is none.
pub fn turn(switch: &mut KillSwitch, pedals: &Pedals, told: &Sender<Change>) -> bool {
    let change = switch.look();
    {
        let mut ways = pedals.take();
        match &change {
            Some(Change::Killed(_)) => ways.brakes.kill(),
            Some(Change::Armed) => ways.brakes.tell(Word::Arm),
            Some(Change::Told(word)) => ways.brakes.tell(*word),
            Some(Change::Also(_) | Change::Trouble(_)) | None => {}
        }
        ways.flush();
    }
    let Some(change) = change else { return false };
    // Where nobody watches any more the run is over.
    let _ = told.send(change);
    if let Some(trouble) = switch.keep() {
        let _ = told.send(Change::Trouble(trouble)); // as above
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::latch::Latch;
    use rtrb::RingBuffer;
    use std::fs::File;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Acquire};
    use std::sync::mpsc;
    use std::time::Instant;

    fn until(what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(30), "{what}");
            thread::yield_now();
        }
    }

    #[test]
    fn a_stop_takes_effect_while_the_latch_waits_for_its_disk_and_nobody_watches() {
        let folder = tempfile::tempdir().unwrap();
        // Whoever opens this to write waits until somebody reads.
        let slow = folder.path().join(format!("killed.{}", std::process::id()));
        let made = std::process::Command::new("mkfifo").arg(&slow).status().unwrap();
        assert!(made.success());
        let latch = Latch::in_dir(folder.path());
        let mut switch = KillSwitch::new(latch.clone()).unwrap();
        let handle = switch.handle();
        let epoch = Arc::new(AtomicU32::new(3));
        let (commands, mut core) = RingBuffer::new(4);
        let pedals = Pedals::new(Brakes::new(Arc::clone(&epoch), Vec::new()), commands);
        let (told, heard) = mpsc::channel();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| run(&mut switch, &pedals, &told, &stop));
            handle.kill("now");
            until("nothing was stopped", || epoch.load(Acquire) == 4);
            until("the core was not told", || core.pop() == Ok(Command::Kill));
            assert_eq!(heard.recv().unwrap(), Change::Killed("now".to_owned()));
            assert!(!latch.is_set(), "its disk is slow");
            drop(File::open(&slow).unwrap());
            until("the latch is not set", || latch.is_set());
            latch.lift().unwrap();
            until("it was not armed", || core.pop() == Ok(Command::Tell(Word::Arm)));
            stop.store(true, Relaxed);
        });
        assert_eq!(epoch.load(Acquire), 4);
    }
}
