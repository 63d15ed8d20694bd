//! The disk under the journal: what survives a crash, and that it explains what the venues know.

use std::collections::BTreeSet;

use engine::digest::Digest;
use engine::units::Ns;
use exec::gate::kalshi::KalshiClerk;
use exec::id::Id;
use exec::journal::fold::State;
use exec::journal::memory::{DiskFaults, Memory};
use exec::journal::reader::{self, Verdict};
use memchr::memmem;
use serde_json::Value;
use sim::rng::Rng;

use super::checks::Violation;

/// The disk of a simulation.
pub struct Disk {
    /// The journal's storage.
    pub memory: Memory,
    /// Number of the run that writes on it.
    pub run: u64,
    /// Orders of each venue that were there when it began.
    pub before: [usize; 2],
    /// Orders that a person made by hand, by the ids that Kalshi knows.
    pub by_hand: BTreeSet<String>,
    /// How long it takes on a good day to make sure of anything.
    pub usual: Ns,
}

fn broken(detail: String) -> Violation {
    Violation { invariant: "nothing_lost", detail }
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Disk {
        Disk {
            memory: Memory::new(),
            run: 0,
            before: [0; 2],
            by_hand: BTreeSet::new(),
            usual: Ns(0),
        }
    }

    /// The power fails. What is left must be whole or torn, a flipped bit in it must be seen, and
    /// every order that a venue knows of the run must be explained by it. True where it is torn.
    ///
    /// # Errors
    /// What is not.
    pub fn crash(&self, rng: &mut Rng, ledger: &Value) -> Result<bool, Violation> {
        self.memory.crash(rng.bits());
        let (state, verdict) = self.read()?;
        if let Verdict::Damaged(damage) = verdict {
            return Err(broken(format!("a crash left a journal that is damaged: {damage}")));
        }
        self.explains(&state, ledger)?;
        self.flip(rng)?;
        Ok(verdict == Verdict::Torn)
    }

    /// What the journal tells, and how it ends.
    fn read(&self) -> Result<(State, Verdict), Violation> {
        let mut state = State::default();
        let found = reader::read(&mut self.memory.clone(), &mut |_, record| state.take(record));
        let found =
            found.map_err(|error| broken(format!("the journal cannot be read: {error}")))?;
        Ok((state, found.verdict))
    }

    /// Every order that a venue knows of this run was durable before it left.
    ///
    /// # Errors
    /// Names one that was not.
    pub fn explains(&self, state: &State, ledger: &Value) -> Result<(), Violation> {
        let of = |venue: &str| ledger["venues"][venue]["accounts"][0]["orders"].as_array().cloned();
        let (kalshi, polymarket) = (of("kalshi"), of("polymarket"));
        let reserved: BTreeSet<String> = (1..=state.ids)
            .flat_map(|bundle| {
                [0, 1].map(|leg| KalshiClerk::client_order_id(self.run, bundle, leg))
            })
            .map(|id| Id::uuid(id).as_str().to_owned())
            .collect();
        for order in kalshi.iter().flatten().skip(self.before[0]) {
            let id = order["client_order_id"].as_str().and_then(Id::parse);
            let is_known =
                |id: Id| reserved.contains(id.as_str()) || self.by_hand.contains(id.as_str());
            if !id.is_some_and(is_known) {
                return Err(broken(format!("no record reserves the id of Kalshi's order {order}")));
            }
        }
        let text = |id: &Id| id.as_str().to_owned();
        let mut signed: BTreeSet<String> = state.armed.iter().map(|(id, ..)| text(id)).collect();
        let known = state.orders.values();
        signed.extend(
            known
                .flat_map(|known| [Some(known.order.client), known.order.venue])
                .flatten()
                .map(|id| text(&id)),
        );
        for order in polymarket.iter().flatten().skip(self.before[1]) {
            let id = order["id"].as_str().and_then(Id::parse);
            if !id.is_some_and(|id| signed.contains(id.as_str())) {
                return Err(broken(format!("no record tells of Polymarket's order {order}")));
            }
        }
        Ok(())
    }

    /// A flipped bit is never read as if nothing were the matter.
    fn flip(&self, rng: &mut Rng) -> Result<(), Violation> {
        let segments = self.memory.contents();
        let Some((number, _, end)) = segments.iter().find(|(_, _, end)| *end > 0) else {
            return Ok(());
        };
        let (byte, bit) = (rng.below(*end as u64) as usize, rng.below(8) as u8);
        self.memory.flip(*number, byte, bit);
        let verdict = self.read().map(|(_, verdict)| verdict);
        self.memory.flip(*number, byte, bit);
        match verdict? {
            Verdict::Whole => Err(broken(format!(
                "bit {bit} of byte {byte} of segment {number} was flipped, and the journal is whole"
            ))),
            Verdict::Torn | Verdict::Damaged(_) => Ok(()),
        }
    }

    /// Nothing goes wrong from now on.
    pub fn mend(&self) {
        self.faults(DiskFaults { sync: self.usual, ..DiskFaults::default() });
    }

    /// What goes wrong from now on.
    pub fn faults(&self, faults: DiskFaults) {
        self.memory.set_faults(faults);
    }

    /// Over every byte that is there.
    pub fn hash(&self) -> u64 {
        let mut digest = Digest::default();
        for (number, bytes, end) in self.memory.contents() {
            digest.mix(number);
            for word in bytes[..end].chunks(8) {
                let mut whole = [0; 8];
                whole[..word.len()].copy_from_slice(word);
                digest.mix(u64::from_le_bytes(whole));
            }
        }
        digest.value()
    }

    /// No secret stands on it.
    ///
    /// # Errors
    /// Where one does.
    pub fn keeps(&self, secrets: &[&str]) -> Result<(), Violation> {
        for (number, bytes, _) in self.memory.contents() {
            let found =
                secrets.iter().any(|secret| memmem::find(&bytes, secret.as_bytes()).is_some());
            if found {
                let detail = format!("segment {number} of the journal holds a secret");
                return Err(Violation { invariant: "no_secret", detail });
            }
        }
        Ok(())
    }
}

impl Default for Disk {
    fn default() -> Disk {
        Disk::new()
    }
}
