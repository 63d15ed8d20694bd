//! A run's kill switch: it watches the latch, SIGUSR1, and whoever holds a handle.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use engine::risk::Word;

use super::latch::Latch;

/// How often the latch is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Reasons of one stop that are kept: a person reads them.
const REASONS_MAX: usize = 64;

/// What changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Trading stops, for this reason.
    Killed(String),
    /// It is stopped already, and for this reason too.
    Also(String),
    /// A person armed it: trading may go on.
    Armed,
    /// Something that limits depend on became known.
    Told(Word),
    /// Something does not work, in words, though the run goes on.
    Trouble(String),
}

/// Stops and arms a run from anywhere in the process: what a control plane calls.
#[derive(Clone, Debug)]
pub struct KillHandle(Sender<Change>);

impl KillHandle {
    /// Stops trading until a person arms it. Nothing happens where the run has ended.
    pub fn kill(&self, reason: &str) {
        // A run that has ended stopped already.
        let _ = self.0.send(Change::Killed(reason.to_owned()));
    }

    /// Tells the core and the gates something that their limits depend on.
    pub fn tell(&self, word: Word) {
        let _ = self.0.send(Change::Told(word)); // as above
    }

    /// Tells whoever watches that something does not work, though the run goes on.
    pub fn trouble(&self, text: String) {
        let _ = self.0.send(Change::Trouble(text)); // as above
    }

    /// A person says that trading may go on.
    pub fn arm(&self) {
        let _ = self.0.send(Change::Armed); // as above
    }
}

/// The kill switch of a run.
#[derive(Debug)]
pub struct KillSwitch {
    latch: Latch,
    signal: Arc<AtomicBool>,
    handle: KillHandle,
    asked: Receiver<Change>,
    killed: Option<String>,
    /// Further reasons since it was stopped.
    also: Vec<String>,
    /// The latch holds it: whoever lifts the latch arms the run.
    latched: bool,
    looked: Option<Instant>,
    /// What the latch does not hold yet.
    unkept: Option<String>,
}

impl KillSwitch {
    /// The switch of a run whose latch is not set. SIGUSR1 kills from now on.
    ///
    /// # Errors
    /// Where the system refuses the signal's handler.
    pub fn new(latch: Latch) -> io::Result<KillSwitch> {
        let signal = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&signal))?;
        let (sender, asked) = mpsc::channel();
        Ok(KillSwitch {
            latch,
            signal,
            handle: KillHandle(sender),
            asked,
            killed: None,
            also: Vec::new(),
            latched: false,
            looked: None,
            unkept: None,
        })
    }

    /// For whoever else may stop or arm the run.
    pub fn handle(&self) -> KillHandle {
        self.handle.clone()
    }

    /// Why it is stopped; `None` while it trades.
    pub fn killed(&self) -> Option<&str> {
        self.killed.as_deref()
    }

    /// Writes into the latch why trading stopped last; says in words where that fails. The disk may
    /// take its time: whoever looked has stopped trading before.
    pub fn keep(&mut self) -> Option<String> {
        let reason = self.unkept.take()?;
        match self.latch.add(&reason) {
            Ok(()) => {
                self.latched = true;
                None
            }
            Err(error) => Some(format!(
                "the latch {} cannot be set: this run stays stopped to its end, and the next start would trade again: {error}",
                self.latch.path().display()
            )),
        }
    }

    /// What changed since it was looked at last; [`KillSwitch::keep`] follows.
    pub fn look(&mut self) -> Option<Change> {
        if self.signal.swap(false, SeqCst) {
            self.handle.kill("signal SIGUSR1");
        }
        while let Ok(asked) = self.asked.try_recv() {
            let change = match asked {
                Change::Killed(reason) => self.kill(&reason),
                Change::Armed => self.arm(),
                told => Some(told),
            };
            if change.is_some() {
                return change;
            }
        }
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return None;
        }
        self.looked = Some(Instant::now());
        match (self.latch.is_set(), &self.killed) {
            (true, None) => {
                let reason = self.latch.reason().unwrap_or_default();
                self.latched = true;
                self.killed = Some(reason.clone());
                Some(Change::Killed(reason))
            }
            (false, Some(_)) if self.latched => self.armed(),
            _ => None,
        }
    }

    /// Stops trading, whether the latch can be set or not: that comes after.
    fn kill(&mut self, reason: &str) -> Option<Change> {
        let Some(first) = &self.killed else {
            self.killed = Some(reason.to_owned());
            self.unkept = Some(stamped(reason));
            return Some(Change::Killed(reason.to_owned()));
        };
        let is_old = first == reason || self.also.iter().any(|also| also == reason);
        if is_old || self.also.len() >= REASONS_MAX {
            return None;
        }
        // Whoever arms it must have been told of everything that speaks against it.
        self.also.push(reason.to_owned());
        self.unkept = Some(stamped(reason));
        Some(Change::Also(reason.to_owned()))
    }

    /// A person armed it, and knows of every reason.
    fn armed(&mut self) -> Option<Change> {
        (self.killed, self.latched) = (None, false);
        self.also.clear();
        Some(Change::Armed)
    }

    fn arm(&mut self) -> Option<Change> {
        self.killed.as_ref()?;
        match self.latch.lift() {
            Ok(_) => self.armed(),
            Err(error) => {
                let path = self.latch.path().display();
                Some(Change::Trouble(format!("the latch {path} cannot be lifted: {error}")))
            }
        }
    }
}

/// A reason with its moment, for whoever reads it later.
pub fn stamped(reason: &str) -> String {
    format!("{reason} ({})", crate::tape::utc::micros(crate::rest::wall()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch(dir: &std::path::Path) -> KillSwitch {
        KillSwitch::new(Latch::in_dir(dir)).unwrap()
    }

    /// Looks until something changed.
    fn wait(switch: &mut KillSwitch) -> Change {
        let began = Instant::now();
        loop {
            if let Some(change) = switch.look() {
                assert_eq!(switch.keep(), None);
                return change;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "nothing changed");
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_latch_a_handle_and_a_signal_stop_it_and_a_person_arms_it() {
        let folder = tempfile::tempdir().unwrap();
        let latch = Latch::in_dir(folder.path());
        let mut switch = switch(folder.path());
        assert_eq!((switch.look(), switch.killed()), (None, None));
        // Another process sets and lifts the latch.
        latch.set("by hand").unwrap();
        assert_eq!(wait(&mut switch), Change::Killed("by hand".to_owned()));
        assert_eq!(switch.look(), None, "it is told once");
        latch.lift().unwrap();
        assert_eq!(wait(&mut switch), Change::Armed);
        // A control plane does.
        let handle = switch.handle();
        handle.kill("from the page");
        assert_eq!(wait(&mut switch), Change::Killed("from the page".to_owned()));
        assert!(latch.reason().unwrap().starts_with("from the page (2"));
        handle.kill("from the page");
        assert_eq!(switch.look(), None, "that is known");
        handle.kill("figures differ");
        assert_eq!(wait(&mut switch), Change::Also("figures differ".to_owned()));
        handle.kill("figures differ");
        assert_eq!(switch.look(), None, "it is told once");
        assert!(latch.reason().unwrap().contains("\nfigures differ (2"), "{:?}", latch.reason());
        handle.arm();
        assert_eq!((wait(&mut switch), latch.is_set()), (Change::Armed, false));
        // A signal does.
        signal_hook::low_level::raise(signal_hook::consts::SIGUSR1).unwrap();
        assert_eq!(wait(&mut switch), Change::Killed("signal SIGUSR1".to_owned()));
        assert!(latch.is_set());
    }

    #[test]
    fn a_latch_that_cannot_be_set_stops_it_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let mut switch = switch(&folder.path().join("not there"));
        switch.handle().kill("now");
        assert_eq!(switch.look(), Some(Change::Killed("now".to_owned())));
        assert!(switch.keep().is_some_and(|trouble| trouble.contains("stays stopped")));
        // Nothing was latched, so nothing that is missing arms it.
        let began = Instant::now();
        while began.elapsed() < 3 * LOOK_EVERY {
            assert_eq!(switch.look(), None);
        }
    }
}
