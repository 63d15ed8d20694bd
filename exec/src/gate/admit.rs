//! What the gate itself holds against a bundle, from what it sent and heard and from what the bundle
//! was decided on; and what it does once trading is stopped.

use std::sync::atomic::Ordering;

use engine::clock::Clock;
use engine::event::{Bundle, Dispatch, Feedback, Reject, Risk};
use engine::risk::{Guard, Word};
use engine::tile::Now;
use engine::units::Ns;
use rtrb::Consumer;

use crate::gate::Gate;
use crate::gate::clerk::Clerk;
use crate::gate::net::Net;

/// Words on their way to a gate: a person's, and what is found out once in a while.
pub const WORD_RING_DEPTH: usize = 64;

/// What stops a gate beside the core.
#[derive(Default)]
pub(super) struct Brake {
    words: Option<Consumer<Word>>,
    /// The epoch whose kill was obeyed.
    epoch: u32,
    /// All orders of the account are to be cancelled.
    pub(super) sweep: bool,
    /// What was swept may reach orders until then; monotonic.
    pub(super) clear_at: Ns,
}

impl Brake {
    pub(super) fn new(epoch: u32) -> Brake {
        Brake { epoch, ..Brake::default() }
    }
}

impl<K: Clerk, N: Net, T: Clock> Gate<K, N, T> {
    /// Holds these limits against every bundle, whatever the core thought, and hears words.
    #[must_use]
    pub fn with_guard(mut self, guard: Guard, words: Consumer<Word>) -> Gate<K, N, T> {
        self.ends.out.watch(guard);
        self.brake.words = Some(words);
        self
    }

    /// What is at stake, as far as this gate heard.
    pub const fn guard(&self) -> Option<&Guard> {
        self.ends.out.guard()
    }

    /// Hears words, and sees a kill: it is obeyed before anything else is sent.
    pub(super) fn obey(&mut self) {
        // SYNC: whoever stops trading stores with Release; nothing else is read through it.
        let epoch = self.ends.kill_epoch.load(Ordering::Acquire);
        if epoch != self.brake.epoch {
            self.brake.epoch = epoch;
            self.brake.sweep = true;
        }
        while let Some(word) = self.brake.words.as_mut().and_then(|words| words.pop().ok()) {
            self.hear_word(word);
        }
    }

    #[cold]
    fn hear_word(&mut self, word: Word) {
        if word == Word::Arm {
            self.clerk.arm();
            self.shut.arm();
        }
        if let Some(guard) = self.ends.out.guard_mut() {
            guard.tell(word);
        }
    }

    /// Whether the gate's own limits let the legs of a bundle that are ours leave. Where they do,
    /// all that the legs may cost is at stake from now on.
    pub(super) fn hold(
        &mut self,
        dispatch: &Dispatch,
        ours: &[usize],
        now: Now,
    ) -> Result<(), (usize, Reject)> {
        let Some(guard) = self.ends.out.guard_mut() else { return Ok(()) };
        guard.admit(dispatch, K::VENUE, ours).map_err(|(leg, risk)| {
            self.tripped(&dispatch.bundle, risk, now.mono);
            (leg, Reject::Limit)
        })
    }

    #[cold]
    fn tripped(&mut self, bundle: &Bundle, risk: Risk, at: Ns) {
        self.figures.tripped += 1;
        self.ends.out.tell(Feedback::Tripped { pair: bundle.pair, at, risk });
    }

    /// True where nothing that was stopped can reach a new order any more, and the venue would
    /// cancel what rests if we were gone.
    pub(super) fn is_clear(&self, now: Ns) -> bool {
        !self.brake.sweep && now >= self.brake.clear_at && self.clerk.is_guarded(now)
    }
}
