//! The core with its venues behind it, on paper or real, driven by inputs alone: whoever feeds it
//! the same inputs at the same times gets the same decisions.

use crate::core::{Core, Outlet};
use crate::event::Feedback;
use crate::input::CoreInput;
use crate::pair::{PairId, PairTable};
use crate::paper::PaperCore;
use crate::risk::Word;
use crate::tile::Now;
use crate::units::Ns;

/// A core that trades.
#[allow(clippy::large_enum_variant)] // One exists a process.
pub enum Desk {
    /// Bundles are filled on paper, against the books that stand.
    Paper(PaperCore),
    /// Bundles leave through the outlet; gates report.
    Real(Core),
}

impl Desk {
    /// Takes one input.
    #[inline]
    pub fn take(&mut self, now: Now, input: &CoreInput, out: &mut impl Outlet) {
        match (self, input) {
            (Desk::Paper(core), CoreInput::Top(top)) => core.on_shown(now, top, out),
            (Desk::Real(core), CoreInput::Top(top)) => core.on_top(now, top, out),
            (Desk::Paper(core), CoreInput::Control(control)) => core.on_control(now, control, out),
            (Desk::Real(core), CoreInput::Control(control)) => core.on_control(now, control, out),
            (Desk::Real(core), CoreInput::Feedback(Feedback::Report(report))) => {
                core.on_report(now, report, out);
            }
            (Desk::Real(core), CoreInput::Feedback(Feedback::Gate { venue, ready, .. })) => {
                core.on_gate(*venue, *ready);
            }
            (Desk::Real(core), CoreInput::Feedback(Feedback::Tripped { pair, at, risk })) => {
                core.on_tripped(*pair, *at, *risk, out);
            }
            (desk, CoreInput::Word(word)) => desk.core_mut().on_word(now, *word),
            (Desk::Paper(core), CoreInput::Timer) => core.advance(now, out),
            (Desk::Real(core), CoreInput::Timer) => core.on_timer(now, out),
            (desk, CoreInput::Kill) => desk.core_mut().kill(),
            (desk, CoreInput::Hold) => desk.core_mut().hold(),
            (Desk::Paper(core), CoreInput::Inject(injection)) => core.inject(*injection),
            // Orders with money are never sent for what nobody offers.
            (Desk::Real(_), CoreInput::Inject(_)) => {}
            (desk, CoreInput::Feedback(Feedback::Vacated { market, generation })) => {
                desk.core_mut().on_vacated(*market, *generation, out);
            }
            // No gate reports to a paper desk.
            (Desk::Paper(_), CoreInput::Feedback(_)) => {}
        }
    }

    /// True where a test arbitrage was opened.
    pub fn has_injected(&self) -> bool {
        match self {
            Desk::Paper(paper) => paper.has_injected(),
            Desk::Real(_) => false,
        }
    }

    /// Tells the core something before its first input.
    pub fn tell(&mut self, word: Word) {
        self.core_mut().on_word(Now::at(Ns(0)), word);
    }

    /// Gives the pairs that joined the names that they have in that table.
    pub fn name_pairs(&mut self, table: &PairTable) {
        let nameless = self.core().pairs().pairs().iter().zip(0..).filter(|(p, _)| p.id.is_empty());
        let nameless: Vec<PairId> = nameless.map(|(_, number)| PairId(number)).collect();
        for id in nameless {
            if let Some(pair) = table.get(id) {
                self.core_mut().name(id, &pair.id, pair.event.as_deref());
            }
        }
    }

    /// The core, for its figures.
    pub fn core(&self) -> &Core {
        match self {
            Desk::Paper(paper) => paper.core(),
            Desk::Real(core) => core,
        }
    }

    fn core_mut(&mut self) -> &mut Core {
        match self {
            Desk::Paper(paper) => paper.core_mut(),
            Desk::Real(core) => core,
        }
    }

    /// When something is due though no input comes; monotonic.
    pub fn next_due(&self) -> Option<Ns> {
        match self {
            Desk::Paper(paper) => paper.next_due(),
            Desk::Real(core) => core.next_due(),
        }
    }
}
