//! Tops in; candidates, episodes and decisions out.

use crate::event::{Bundle, Event, Report};
use crate::pair::PairTable;
use crate::tile::Now;
use crate::top::Top;
use crate::units::{Ns, Qty, Usd};

/// Where the core's output goes. Neither method may block or allocate.
pub trait Outlet {
    /// A bundle leaves for the gates.
    fn bundle(&mut self, bundle: &Bundle);

    /// Something happened.
    fn event(&mut self, event: &Event);

    /// The book as it may be decided upon. Paper trading takes away what it has already bought.
    fn standing(&self, top: &Top) -> Top {
        *top
    }
}

/// What the core may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CoreConfig {
    /// Least net gain a contract, in micro-dollars. A decision earns something even at zero.
    pub min_profit: Usd,
    /// Most contracts a bundle.
    pub max_qty: Qty,
    /// Money at the first and the second venue.
    pub cash: [Usd; 2],
    /// Rest of a pair after a bundle of it ended.
    pub cooldown: Ns,
    /// How long a bundle may take to leave.
    pub deadline: Ns,
    /// The account's balance grid at the first venue: 100 micro-dollars for direct members,
    /// 10,000 through a broker (kalshi.md section 6).
    pub balance_grid: Usd,
    /// False: figures and episodes only.
    pub trade: bool,
}

impl Default for CoreConfig {
    /// A direct member with a thousand dollars on each venue, who does not trade.
    fn default() -> CoreConfig {
        CoreConfig {
            min_profit: Usd::new(1_000),
            max_qty: Qty::lit(100_000),
            cash: [Usd::new(1_000_000_000); 2],
            cooldown: Ns::from_ms(1_000),
            deadline: Ns::from_ms(50),
            balance_grid: Usd::new(100),
            trade: false,
        }
    }
}

/// What the core counted. Sums over pairs; [`Core::candidates_by`] has them apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Tops of a pair while both its books were known.
    pub evaluations: u64,
    /// Directions of an evaluation with a positive net edge of one contract on sound books.
    pub candidates: u64,
    /// The largest net edge of one contract on sound books; `None` before the first.
    pub best_edge: Option<Usd>,
    /// Over what the books alone imply: pair and three edges of every evaluation.
    pub edge_hash: u64,
    /// Bundles sent.
    pub decisions: u64,
    /// Over all bundles and all reports.
    pub decision_hash: u64,
    /// Fills reported.
    pub fills: u64,
    /// A dollar for every contract that both legs of an ended bundle filled, minus its part of
    /// the costs and all fees.
    pub realised: Usd,
    /// Opportunities that began.
    pub episodes: u64,
}

/// Owns what is known and decides.
pub struct Core {
    table: PairTable,
    figures: Figures,
}

impl Core {
    /// A core over these pairs. `markets` is the number of markets a venue may send Tops of.
    pub fn new(table: PairTable, _markets: [usize; 2], _config: CoreConfig) -> Core {
        Core { table, figures: Figures::default() }
    }

    /// Takes in a book and evaluates its pairs.
    #[inline]
    pub fn on_top(&mut self, _now: Now, top: &Top, _out: &mut impl Outlet) {
        self.figures.evaluations += self.table.pairs_of(top.market).count() as u64;
    }

    /// Takes in what became known of an order.
    pub fn on_report(&mut self, _now: Now, _report: &Report, _out: &mut impl Outlet) {}

    /// The pairs.
    pub const fn table(&self) -> &PairTable {
        &self.table
    }

    /// Candidates of a pair by direction.
    pub fn candidates_by(&self, _pair: usize) -> [u64; 3] {
        [0; 3]
    }

    /// What was counted so far.
    pub fn figures(&self) -> Figures {
        self.figures
    }
}
