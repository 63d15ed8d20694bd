//! What a person is shown of a running core: copies, pushed now and then, in parts where there is
//! no room for all, and not at all where nobody looks.

use rtrb::Producer;

use crate::core::{Accounts, Core, Figures};
use crate::pair::PairId;
use crate::risk::day::DayResult;
use crate::tile::Now;
use crate::top::Top;
use crate::units::{Shares, Usd, Venue};

/// A part of the picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // It crosses a ring by value.
pub enum View {
    /// One pair.
    Pair {
        /// Which.
        pair: PairId,
        /// Its books.
        tops: [Top; 2],
        /// Its edges by direction.
        edges: [Option<Usd>; 3],
        /// A bundle of it is under way.
        in_flight: bool,
    },
    /// Everything else. It follows the pairs that are shown with it.
    Core {
        /// What was counted.
        figures: Figures,
        /// Where all money is.
        accounts: Accounts,
        /// By venue: its gate can get an order through.
        gates: [bool; 2],
        /// Orders whose fate is unknown.
        unknown: u64,
        /// Bundles that have not ended.
        open: u64,
        /// What today came to.
        today: DayResult,
        /// Contracts that are held, or were filled in flight, on one side alone.
        naked: Shares,
        /// Trading was stopped, until a person arms it.
        killed: bool,
        /// Events on which money depends that found no room on their way to whoever watches.
        facts_lost: u64,
    },
}

/// Shows a core through a ring.
pub struct Viewer {
    views: Producer<View>,
    /// The place of the pair that is shown next.
    next: usize,
}

impl Viewer {
    /// Into that ring.
    pub const fn new(views: Producer<View>) -> Viewer {
        Viewer { views, next: 0 }
    }

    /// Pushes the whole picture, or as much of it as there is room for: the next time goes on
    /// there, so that every pair has its turn however many there are.
    pub fn show(&mut self, core: &Core, now: Now, facts_lost: u64) {
        // The last place is for what is not of a pair.
        let Some(mut room) = self.views.slots().checked_sub(1) else { return };
        let table = core.pairs();
        for _ in 0..table.pairs().len() {
            if room == 0 {
                break;
            }
            let id = PairId((self.next % table.pairs().len()) as u16);
            self.next = id.index() + 1;
            let Some(pair) = table.get(id).filter(|_| table.is_live(id)) else { continue };
            let tops = [0, 1].map(|side: usize| {
                let market = pair.sides[side].market;
                core.top(market).copied().unwrap_or(Top::unknown(market))
            });
            let in_flight = core.flight(id).is_some();
            // There is room, as was seen above.
            let _ =
                self.views.push(View::Pair { pair: id, tops, edges: core.edges(id), in_flight });
            room -= 1;
        }
        let [unknown, open] = core.open_orders();
        // There is room, as was seen above.
        let _ = self.views.push(View::Core {
            figures: core.figures(),
            accounts: core.accounts(),
            gates: Venue::ALL.map(|venue| core.is_gate_ready(venue)),
            unknown,
            open,
            today: core.today(now.wall),
            naked: core.unhedged(),
            killed: core.is_killed(),
            facts_lost,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{config, pair, table};
    use crate::pair::Polarity;
    use rtrb::RingBuffer;

    #[test]
    fn every_pair_has_its_turn_though_the_ring_is_smaller_than_the_table() {
        let pairs: Vec<_> =
            (0..7).map(|at| pair(&at.to_string(), at, at, Polarity::Same)).collect();
        let core = Core::new(table(&pairs), [6, 6], config());
        let (views, mut shown) = RingBuffer::new(4);
        let mut viewer = Viewer::new(views);
        let mut turn = |facts_lost| {
            viewer.show(&core, Now::default(), facts_lost);
            let mut seen = Vec::new();
            let mut lost = None;
            while let Ok(view) = shown.pop() {
                match view {
                    View::Pair { pair, .. } => seen.push(pair.0),
                    View::Core { facts_lost, .. } => lost = Some(facts_lost),
                }
            }
            (seen, lost)
        };
        assert_eq!(turn(0), (vec![0, 1, 2], Some(0)));
        assert_eq!(turn(1), (vec![3, 4, 5], Some(1)));
        assert_eq!(turn(1), (vec![6, 0, 1], Some(1)));
        viewer.views = RingBuffer::new(0).0;
        viewer.show(&core, Now::default(), 0);
    }
}
