//! What a person is shown of a running core: copies, pushed now and then, lost where nobody looks.

use rtrb::Producer;

use crate::core::{Accounts, Core, Figures};
use crate::pair::PairId;
use crate::risk::day::DayResult;
use crate::tile::Now;
use crate::top::Top;
use crate::units::{Usd, Venue};

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
    /// Everything else. It follows the pairs.
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
        /// Trading was stopped, until a person arms it.
        killed: bool,
    },
}

/// Pushes the whole picture, if there is room for all of it.
pub fn show(core: &Core, now: Now, views: &mut Producer<View>) {
    if views.slots() <= core.pairs().pairs().len() {
        return;
    }
    for (id, pair) in core.pairs().live() {
        let tops = [0, 1].map(|side: usize| {
            let market = pair.sides[side].market;
            core.top(market).copied().unwrap_or(Top::unknown(market))
        });
        let in_flight = core.flight(id).is_some();
        // There is room, as was seen above.
        let _ = views.push(View::Pair { pair: id, tops, edges: core.edges(id), in_flight });
    }
    let [unknown, open] = core.open_orders();
    let _ = views.push(View::Core {
        figures: core.figures(),
        accounts: core.accounts(),
        gates: Venue::ALL.map(|venue| core.is_gate_ready(venue)),
        unknown,
        open,
        today: core.today(now.wall),
        killed: core.is_killed(),
    });
}
