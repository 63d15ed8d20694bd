//! What is measured: frame text in, session, book, Top, core, "nothing to do" out. One thread, no
//! ring, no socket.

use engine::core::{Core, CoreConfig, Outlet};
use engine::event::{Bundle, Event, Grounds};
use engine::grid::Grid;
use engine::pair::{FeeRule, Instrument, Pair, PairTable, Polarity, SizeRule, Verdict};
use engine::slab::Slab;
use engine::tile::Now;
use engine::top::{MarketId, Top};
use engine::units::{Ns, Px, Qty, Usd, Venue};
use feeds::sink::{Notice, Sink};
use feeds::{kalshi, polymarket};

use crate::corpus::{Corpus, Names};

/// The connection number of every frame.
const CONN: u32 = 1;

/// Both sessions and the core, on one thread.
pub struct Pipeline {
    /// Kalshi's books.
    pub kalshi: kalshi::session::Session,
    /// Polymarket's books.
    pub poly: polymarket::session::Session,
    /// What decides.
    pub core: Core,
    /// What it decided.
    pub out: Counted,
    clock: Ns,
}

/// Counts what the core has to say.
#[derive(Default)]
pub struct Counted {
    /// Bundles.
    pub bundles: u64,
    /// Events.
    pub events: u64,
}

impl Outlet for Counted {
    fn bundle(&mut self, _bundle: &Bundle, _grounds: &Grounds) {
        self.bundles += 1;
    }

    fn event(&mut self, _event: &Event) {
        self.events += 1;
    }
}

/// Hands a session's tops to the core by a plain call.
struct ToCore<'a> {
    core: &'a mut Core,
    out: &'a mut Counted,
}

impl Sink for ToCore<'_> {
    #[inline(always)]
    fn top(&mut self, top: &Top) {
        self.core.on_top(Now::at(top.recv), top, self.out);
    }

    fn notice(&mut self, _notice: &Notice<'_>) {}
}

/// One cent from 0 to 1 dollar: the grid of every market of a benchmark.
const GRID: Grid = Grid::CENT;

impl Pipeline {
    /// Sessions that know the pairs, and a core that may trade them. No book yet.
    pub fn new(pairs: &[Names]) -> Pipeline {
        Pipeline::on_grid(pairs, &GRID)
    }

    /// The same with all markets on another grid.
    pub fn on_grid(pairs: &[Names], grid: &Grid) -> Pipeline {
        let slab = |books: usize| {
            let mut counts = [0; 3];
            counts[Slab::class_of(grid)] = books;
            Slab::new(counts)
        };
        let mut kalshi = kalshi::session::Session::new(
            kalshi::session::Options { no_side: Default::default(), learn: false },
            slab(pairs.len()),
        );
        let mut poly = polymarket::session::Session::new(
            polymarket::session::Options { learn: false, audit_every: 0 },
            slab(2 * pairs.len()),
        );
        let mut table = Vec::with_capacity(pairs.len());
        for names in pairs {
            let tokens = [names.tokens[0].as_str(), names.tokens[1].as_str()];
            let first = kalshi.add_market(&names.ticker, grid);
            let second = poly.add_market(&names.condition, tokens, grid, None);
            if let (Ok(first), Ok(second)) = (first, second) {
                table.push(pair(names.id.clone(), [first, second]));
            }
        }
        assert_eq!(table.len(), pairs.len(), "the names of every pair are new and well formed");
        let table = PairTable::new(table).unwrap_or_else(|error| panic!("the pair table: {error}"));
        let config = CoreConfig { trade: true, ..CoreConfig::default() };
        Pipeline {
            kalshi,
            poly,
            core: Core::new(table, [pairs.len(); 2], config),
            out: Counted::default(),
            clock: Ns(1_795_284_000_000_000_000),
        }
    }

    /// Sessions whose books are filled.
    pub fn filled(corpus: &Corpus) -> Pipeline {
        let mut pipeline = Pipeline::new(&corpus.pairs);
        for frame in corpus.kalshi_books.iter() {
            pipeline.on_kalshi(frame);
        }
        for frame in corpus.poly_books.iter() {
            pipeline.on_poly(frame);
        }
        pipeline
    }

    /// One Kalshi frame, through to the decision.
    #[inline]
    pub fn on_kalshi(&mut self, frame: &[u8]) {
        self.clock.0 += 1_000;
        let sink = &mut ToCore { core: &mut self.core, out: &mut self.out };
        self.kalshi.on_frame(CONN, self.clock, frame, sink);
    }

    /// One Polymarket frame, through to the decision.
    #[inline]
    pub fn on_poly(&mut self, frame: &[u8]) {
        self.clock.0 += 1_000;
        let sink = &mut ToCore { core: &mut self.core, out: &mut self.out };
        self.poly.on_frame(self.clock, frame, sink);
    }
}

/// A pair under the rules that the pair file of the benchmark gives all of them.
pub fn pair(id: String, markets: [MarketId; 2]) -> Pair {
    let fees = [
        FeeRule::Quadratic { multiplier_e6: 1_000_000 },
        FeeRule::Curve { rate_e6: 50_000, exponent: 1 },
    ];
    let sizes = [
        SizeRule { min_qty: Qty::ONE, min_notional: Usd::new(0), whole_cents: false },
        SizeRule { min_qty: Qty::lit(500), min_notional: Usd::new(1_000_000), whole_cents: true },
    ];
    let side = |venue: Venue| Instrument {
        market: markets[venue.index()],
        fee: fees[venue.index()],
        size: sizes[venue.index()],
        tick: Px::lit(100),
        taker_delay: Ns(0),
    };
    Pair {
        id,
        event: None,
        polarity: Polarity::Same,
        legs: None,
        verdict: Verdict::Approved,
        sides: Venue::ALL.map(side),
        worst_payoff: Px::ZERO,
        expected_resolution: None,
        close_time: None,
        game_start: None,
    }
}
