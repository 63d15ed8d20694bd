//! Counts nanoseconds: a whole batch at a time, several times, each on a fresh state.

use quanta::Clock;

use crate::case::{Case, measured_loop};

/// Nanoseconds of whole passes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passes {
    /// Ascending.
    nanos: Vec<u64>,
    /// Messages a pass.
    pub messages: u64,
}

impl Passes {
    /// Runs `passes` passes of `count` messages, each on a state that `prepare` makes.
    pub fn run<C: Case>(passes: usize, count: usize, mut prepare: impl FnMut() -> C) -> Passes {
        let clock = Clock::new();
        let mut nanos: Vec<u64> = (0..passes.max(1))
            .map(|_| {
                let mut case = prepare();
                let start = clock.raw();
                measured_loop(&mut case, count);
                let end = clock.raw();
                std::hint::black_box(case.result());
                clock.delta_as_nanos(start, end)
            })
            .collect();
        nanos.sort_unstable();
        Passes { nanos, messages: count as u64 }
    }

    /// The middle pass.
    pub fn median(&self) -> u64 {
        self.nanos[self.nanos.len() / 2]
    }

    /// The fastest pass: the one that the machine disturbed least.
    pub fn least(&self) -> u64 {
        self.nanos[0]
    }
}
