//! What happened last, for the report of a broken promise.

use std::collections::VecDeque;

use engine::event::Event;
use engine::units::{Ns, Venue};
use sim::host::SiteId;

use super::checks::Violation;

/// Lines kept.
const LINES_MAX: usize = 60;

/// Something that happened.
#[allow(clippy::large_enum_variant)] // Some dozens exist; most are events.
enum Note {
    Event(Event),
    Fault(&'static str),
    Order(SiteId),
}

/// What happened last.
#[derive(Default)]
pub struct Tail(VecDeque<(Ns, Note)>);

impl Tail {
    /// The core said something. What would drown the rest is left out.
    pub fn event(&mut self, at: Ns, event: &Event) {
        let loud = matches!(
            event,
            Event::OpportunityFound(_)
                | Event::OpportunityClosed(_)
                | Event::FeedHealthChanged { .. }
                | Event::BookSnapshotReceived(_)
                | Event::BookDeltaReceived(_)
        );
        if !loud {
            self.push(at, Note::Event(*event));
        }
    }

    /// Something went wrong.
    pub fn fault(&mut self, at: Ns, name: &'static str) {
        self.push(at, Note::Fault(name));
    }

    /// An order reached a venue.
    pub fn order(&mut self, at: Ns, site: SiteId) {
        self.push(at, Note::Order(site));
    }

    /// Oldest first, in seconds since `began`.
    pub fn lines(&self, began: Ns) -> Vec<String> {
        self.0.iter().map(|(at, note)| line(began, *at, note)).collect()
    }

    /// No secret stands in what a person would read.
    ///
    /// # Errors
    /// Where one does.
    pub fn keeps(&self, secrets: &[&str]) -> Result<(), Violation> {
        let tells = |line: &String| secrets.iter().any(|secret| line.contains(secret));
        match self.lines(Ns(0)).iter().any(tells) {
            true => {
                let detail = "what happened last is told with a secret".to_owned();
                Err(Violation { invariant: "no_secret", detail })
            }
            false => Ok(()),
        }
    }

    fn push(&mut self, at: Ns, note: Note) {
        if self.0.len() == LINES_MAX {
            self.0.pop_front();
        }
        self.0.push_back((at, note));
    }
}

fn line(began: Ns, at: Ns, note: &Note) -> String {
    let ms = at.since(began).0 / 1_000_000;
    let text = match note {
        Note::Fault(name) => format!("fault {name}"),
        Note::Order(site) => format!("an order reached {}", Venue::ALL[site.0].name()),
        Note::Event(event) => describe(event),
    };
    format!("{}.{:03} s  {text}", ms / 1_000, ms % 1_000)
}

fn describe(event: &Event) -> String {
    match event {
        Event::ExecuteTrade(decision) => {
            let legs = decision.bundle.legs.map(|leg| {
                format!(
                    "{} {} {} at {}",
                    leg.market.venue(),
                    leg.outcome.name(),
                    leg.qty,
                    leg.limit
                )
            });
            format!(
                "bundle {} of pair {}: {}",
                decision.bundle.id.0,
                decision.bundle.pair.0,
                legs.join(", ")
            )
        }
        event => format!("{event:?}"),
    }
}
