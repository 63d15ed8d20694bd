//! From a pair file to sessions that know its markets and a core that knows its pairs.

use std::collections::HashSet;
use std::fmt;

use engine::pair::{FeeRule, Instrument, Pair, PairTable, SizeRule};
use engine::slab::Slab;
use engine::top::MarketId;
use engine::units::{Ns, Qty, Usd};
use feeds::controls::EventMarkets;
use feeds::kalshi::session::NoSide;
use feeds::market::AddError;
use feeds::polymarket::session::HashTerms;
use feeds::{kalshi, polymarket};

use crate::pairs::{FeeType, PairFile, PairSpec};

/// Books kept free for markets that a tape shows and the pair file does not name, by size class
/// ([`engine::slab::CLASS_STEPS`]): some 21 MiB a venue.
pub const LEARN_RESERVE: [usize; 3] = [1_024, 512, 64];

/// Books kept free for markets whose grid becomes finer while they trade.
pub const REFINE_RESERVE: [usize; 3] = [0, 64, 16];

/// Books kept free for each pair that may join, by size class, over so many: half of all markets
/// know tenths of a cent at their ends, and one in sixteen knows them everywhere.
fn join_reserve(pairs: usize) -> [usize; 3] {
    [pairs, pairs.div_ceil(2), pairs.div_ceil(16)]
}

/// What the feeds do with what the pair file does not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedOptions {
    /// The convention in which Kalshi's frames write prices of the no side.
    pub no_side: NoSide,
    /// Every how many Polymarket books the hash is compared; 0 is never.
    pub audit_every: u32,
    /// Whether markets that the pair file does not name are learnt from what comes.
    pub learn: bool,
}

/// Sessions and pairs that belong together.
pub struct Setup {
    /// Kalshi's markets.
    pub kalshi: kalshi::session::Session,
    /// Kalshi's markets by their events.
    pub events: EventMarkets,
    /// Polymarket's markets.
    pub polymarket: polymarket::session::Session,
    /// The pairs.
    pub table: PairTable,
    /// Markets that each venue may send tops of, learnt ones included.
    pub markets: [usize; 2],
}

/// A pair that cannot be set up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetupError {
    /// Which pair.
    pub pair: String,
    /// Why.
    pub reason: String,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pair \"{}\": {}", self.pair, self.reason)
    }
}

impl std::error::Error for SetupError {}

/// Makes the sessions and the pair table of a pair file.
pub fn setup(file: &PairFile, options: FeedOptions) -> Result<Setup, SetupError> {
    setup_for(file, options, 0)
}

/// The same with the memory of so many more pairs that may join.
pub fn setup_for(
    file: &PairFile,
    options: FeedOptions,
    reserve: usize,
) -> Result<Setup, SetupError> {
    let slabs = slabs(file, options.learn, reserve);
    let markets = slabs.map(|books| books.iter().sum::<usize>());
    let mut kalshi = kalshi::session::Session::new(
        kalshi::session::Options { no_side: options.no_side, learn: options.learn },
        Slab::new(slabs[0]),
    );
    let mut polymarket = polymarket::session::Session::new(
        polymarket::session::Options { learn: options.learn, audit_every: options.audit_every },
        Slab::new(slabs[1]),
    );
    let mut events = EventMarkets::default();
    let mut pairs = Vec::with_capacity(file.pairs.len());
    for spec in &file.pairs {
        let refuse = |reason: String| SetupError { pair: spec.id.clone(), reason };
        let first = known(add_kalshi(&mut kalshi, spec))
            .map_err(|e| refuse(format!("Kalshi market {}: {e}", spec.kalshi.ticker)))?;
        events.add(&spec.kalshi.event, first);
        let second = known(add_polymarket(&mut polymarket, spec)).map_err(|e| {
            refuse(format!("Polymarket market {}: {e}", spec.polymarket.condition_id))
        })?;
        pairs.push(pair(spec, [first, second]).map_err(|e| refuse(e.to_string()))?);
    }
    if reserve > 0 {
        kalshi.reserve(reserve);
        polymarket.reserve(reserve);
    }
    let table = PairTable::new(pairs)
        .and_then(|table| table.with_reserve(reserve))
        .map_err(|e| SetupError { pair: String::new(), reason: e.to_string() })?;
    Ok(Setup { kalshi, events, polymarket, table, markets })
}

/// Adds Kalshi's market of a pair.
pub(crate) fn add_kalshi(
    session: &mut kalshi::session::Session,
    spec: &PairSpec,
) -> Result<MarketId, AddError> {
    session.add_market(&spec.kalshi.ticker, &spec.kalshi.grid)
}

/// Adds Polymarket's market of a pair.
pub(crate) fn add_polymarket(
    session: &mut polymarket::session::Session,
    spec: &PairSpec,
) -> Result<MarketId, AddError> {
    let p = &spec.polymarket;
    let tokens = [p.yes.as_str(), p.no.as_str()];
    session.add_market(&p.condition_id, tokens, &p.grid, Some(hash_terms(spec)))
}

/// What hashes of a pair's books on Polymarket need.
pub(crate) fn hash_terms(spec: &PairSpec) -> HashTerms {
    let p = &spec.polymarket;
    HashTerms { min_order_size: p.min_size_text.clone(), neg_risk: p.neg_risk }
}

/// One market may belong to several pairs.
fn known(added: Result<MarketId, AddError>) -> Result<MarketId, AddError> {
    match added {
        Err(AddError::Known(id)) => Ok(id),
        other => other,
    }
}

/// Books of each class that each venue needs: those of the file and the reserve.
fn slabs(file: &PairFile, learn: bool, reserve: usize) -> [[usize; 3]; 2] {
    let mut books = [if learn { LEARN_RESERVE } else { REFINE_RESERVE }; 2];
    for (class, more) in join_reserve(reserve).into_iter().enumerate() {
        books[0][class] += more;
        books[1][class] += 2 * more;
    }
    let mut seen = HashSet::new();
    for spec in &file.pairs {
        if seen.insert(spec.kalshi.ticker.as_str()) {
            books[0][Slab::class_of(&spec.kalshi.grid)] += 1;
        }
        if seen.insert(spec.polymarket.condition_id.as_str()) {
            books[1][Slab::class_of(&spec.polymarket.grid)] += 2;
        }
    }
    books
}

/// A pair as the engine has it.
///
/// # Errors
/// A fee that no market has.
pub fn pair(spec: &PairSpec, markets: [MarketId; 2]) -> Result<Pair, engine::pair::PairError> {
    let k = &spec.kalshi;
    let p = &spec.polymarket;
    let first_fee = match &k.fee_type {
        FeeType::Quadratic
        | FeeType::QuadraticWithMakerFees
        | FeeType::QuadraticWithComboMakerFees => FeeRule::quadratic(k.fee_multiplier_e6)?,
        FeeType::Other(_) => FeeRule::Unknown,
    };
    Ok(Pair {
        id: spec.id.clone(),
        event: spec.event.clone(),
        polarity: spec.polarity,
        legs: spec.legs,
        verdict: spec.verdict,
        sides: [
            Instrument {
                market: markets[0],
                fee: first_fee,
                // A hundredth of a contract on every market (kalshi.md section 3, "Sizes").
                size: SizeRule {
                    min_qty: Qty::lit(1),
                    min_notional: Usd::ZERO,
                    whole_cents: false,
                },
                tick: k.grid.coarsest(),
                taker_delay: Ns(0),
            },
            Instrument {
                market: markets[1],
                fee: FeeRule::curve(p.fee_rate_e6, p.fee_exponent)?,
                size: SizeRule {
                    min_qty: p.min_size,
                    min_notional: p.min_notional,
                    whole_cents: true,
                },
                tick: p.tick,
                taker_delay: Ns::from_ms(u64::from(p.taker_delay_ms)),
            },
        ],
        expected_resolution: spec.expected_resolution,
        close_time: spec.kalshi.close_time,
        game_start: spec.polymarket.game_start,
        worst_payoff: spec.worst_payoff,
    })
}
