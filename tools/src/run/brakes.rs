//! How a run is stopped and armed from outside: the epoch that voids what has not left, and words
//! to the core and to each gate.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Release};

use engine::live_tile::Command;
use engine::risk::Word;
use rtrb::Producer;

/// The ends that stop and arm.
#[derive(Default)]
pub struct Brakes {
    /// What gates compare bundles with; none on paper.
    pub epoch: Option<Arc<AtomicU32>>,
    /// To each gate.
    pub words: Vec<Producer<Word>>,
    /// What found no room yet: to the core, and to each gate.
    waiting: VecDeque<Command>,
    waiting_words: VecDeque<(usize, Word)>,
}

impl Brakes {
    /// The ends of gates.
    pub fn new(epoch: Arc<AtomicU32>, words: Vec<Producer<Word>>) -> Brakes {
        Brakes { epoch: Some(epoch), words, ..Brakes::default() }
    }

    /// Stops trading: nothing leaves from now on that has not left yet.
    pub fn kill(&mut self) {
        if let Some(epoch) = &self.epoch {
            // SYNC: gates load it with Acquire. The core counts its own with every kill.
            epoch.fetch_add(1, Release);
        }
        self.waiting.push_back(Command::Kill);
    }

    /// Tells the core and the gates.
    pub fn tell(&mut self, word: Word) {
        self.waiting.push_back(Command::Tell(word));
        self.waiting_words.extend((0..self.words.len()).map(|gate| (gate, word)));
    }

    /// Moves on what waits; in order, and nothing is lost. The core is armed after the gates: what
    /// it decided before would meet a gate that still refuses.
    pub fn flush(&mut self, commands: &mut Producer<Command>) {
        while let Some((gate, word)) = self.waiting_words.front() {
            if self.words[*gate].push(*word).is_err() {
                break;
            }
            self.waiting_words.pop_front();
        }
        let gates_wait = !self.waiting_words.is_empty();
        while let Some(command) = self.waiting.front() {
            let is_early = gates_wait && *command == Command::Tell(Word::Arm);
            if is_early || commands.push(*command).is_err() {
                break;
            }
            self.waiting.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::RingBuffer;
    use std::sync::atomic::Ordering::Acquire;

    #[test]
    fn what_finds_no_room_waits_and_the_epoch_does_not() {
        let (mut commands, mut core) = RingBuffer::new(1);
        let (words, mut gate) = RingBuffer::new(1);
        let epoch = Arc::new(AtomicU32::new(7));
        let mut brakes = Brakes::new(Arc::clone(&epoch), vec![words]);
        brakes.kill();
        brakes.tell(Word::Arm);
        brakes.tell(Word::Arm);
        assert_eq!(epoch.load(Acquire), 8);
        let mut told = Vec::new();
        let mut heard = 0;
        for _ in 0..3 {
            brakes.flush(&mut commands);
            told.extend(core.pop());
            heard += usize::from(gate.pop().is_ok());
        }
        let arm = Command::Tell(Word::Arm);
        assert_eq!((told, heard), (vec![Command::Kill, arm, arm], 2));
    }

    #[test]
    fn the_core_is_armed_after_the_gates_and_stopped_at_once() {
        let (mut commands, mut core) = RingBuffer::new(4);
        let (words, mut gate) = RingBuffer::new(1);
        let mut brakes = Brakes::new(Arc::new(AtomicU32::new(0)), vec![words]);
        brakes.tell(Word::Arm);
        brakes.kill();
        brakes.tell(Word::Arm);
        brakes.flush(&mut commands);
        let arm = Command::Tell(Word::Arm);
        assert_eq!(core.pop(), Err(rtrb::PopError::Empty), "a gate has not heard of all of it");
        assert_eq!(gate.pop(), Ok(Word::Arm));
        brakes.flush(&mut commands);
        assert_eq!([core.pop(), core.pop(), core.pop()], [Ok(arm), Ok(Command::Kill), Ok(arm)]);
    }
}
