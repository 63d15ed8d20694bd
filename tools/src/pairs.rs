//! The pair table: which markets of the two venues are one event, as people and discovery write
//! it down (`*.pairs.toml`, schema 1).
//!
//! Everything is checked here, once: what comes out has every number as an integer with its
//! unit, every grid laid out, and no two pairs that contradict each other. Read the modules in
//! this order.

mod check; // what may not be true of two pairs at once
mod entry; // one `[[pair]]`
mod error; // what is wrong, where, and the fix
mod node; // a TOML table that knows its file, its line and its pair

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use engine::grid::Grid;
use engine::pair::{LegOrder, Polarity, Verdict};
use engine::units::{Ns, Px, Qty, Usd};

pub use error::{PairError, PairErrorKind, Place};

/// The only schema there is: the value of `schema` at the top of a file.
pub const SCHEMA: u64 = 1;

/// Longest pair file in bytes. As many pairs as fit into one process take some 30 MiB; the limit
/// bounds the memory that a wrong file name on the command line can cost.
pub const FILE_LEN_MAX: usize = 64 << 20;

/// The pairs of one or more files, in the order of the files and of the text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PairFile {
    /// At most [`engine::top::MARKETS_MAX`].
    pub pairs: Vec<PairSpec>,
}

/// One pair as the file states it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairSpec {
    /// Our unique name of it.
    pub id: String,
    /// How Polymarket's outcomes answer Kalshi's question.
    pub polarity: Polarity,
    /// Which leg leaves first, where the pair says it.
    pub legs: Option<LegOrder>,
    /// Groups pairs for limits an event.
    pub event: Option<String>,
    /// Whether it may be traded; [`Verdict::Unspecified`] where the file is silent.
    pub verdict: Verdict,
    /// When the dollar is expected to be paid; Unix nanoseconds.
    pub expected_resolution: Option<Ns>,
    /// The least that a contract of each leg pays together; nothing where nobody says more.
    pub worst_payoff: Px,
    /// The market on Kalshi.
    pub kalshi: KalshiSpec,
    /// The market on Polymarket.
    pub polymarket: PolymarketSpec,
}

/// A market on Kalshi.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KalshiSpec {
    /// The market's ticker: printable ASCII that needs no escape in JSON or a path.
    pub ticker: String,
    /// The event's ticker.
    pub event: String,
    /// Which prices an order may have (kalshi.md section 3, "Price grid").
    pub grid: Grid,
    /// By which formula takers pay.
    pub fee_type: FeeType,
    /// The formula's multiplier in millionths, at most 100 (that is 1e8).
    pub fee_multiplier_e6: u32,
    /// The market's own shard, sent with every order (kalshi.md section 4, "Shards").
    pub exchange_index: u32,
    /// When trading ends; Unix nanoseconds.
    pub close_time: Option<Ns>,
}

/// Kalshi's fee formulas by the names of its API (kalshi.md section 6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FeeType {
    /// Takers pay.
    Quadratic,
    /// Takers pay, makers a quarter of that.
    QuadraticWithMakerFees,
    /// Takers pay, makers half of that.
    QuadraticWithComboMakerFees,
    /// A formula that we do not know. The pair is not tradable.
    Other(String),
}

/// A market on Polymarket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolymarketSpec {
    /// `0x` and 64 hexadecimal digits, in lower case as the sockets spell it.
    pub condition_id: String,
    /// Token (v1) or position (v2) id of the outcome that is YES here; decimal.
    pub yes: String,
    /// The other outcome's.
    pub no: String,
    /// The price step.
    pub tick: Px,
    /// The step as a grid from 0 to 1.
    pub grid: Grid,
    /// The smallest order.
    pub min_size: Qty,
    /// The same as spelled in the file: the venue's book hash runs over this text
    /// (polymarket.md section 2.4).
    pub min_size_text: String,
    /// The smallest marketable order in pUSD.
    pub min_notional: Usd,
    /// What takers pay, in millionths; below 1.
    pub fee_rate_e6: u32,
    /// Power of p(1-p) in the fee; 1 or 2.
    pub fee_exponent: u8,
    /// Whether the market is one of a set of which exactly one outcome wins.
    pub neg_risk: bool,
    /// Which exchange contract an order is signed for.
    pub version: Version,
    /// How long the venue holds a marketable order before it matches it; milliseconds.
    pub taker_delay_ms: u32,
    /// When the game begins and resting orders may be swept; Unix nanoseconds.
    pub game_start: Option<Ns>,
}

/// Polymarket's protocol version of a market (polymarket.md section 5.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Version {
    /// Orders are signed under domain version "2".
    V1,
    /// Orders are signed under domain version "3".
    V2,
}

/// The pairs in `text`; `name` is what errors call the file.
pub fn parse(text: &str, name: &str) -> Result<PairFile, PairError> {
    join(&[Source { name, text }])
}

/// The pairs of several texts, each with the name of its file, as one table.
pub fn parse_all(texts: &[(String, String)]) -> Result<PairFile, PairError> {
    let sources: Vec<Source<'_>> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    join(&sources)
}

/// The pairs of several files as one table: what must be unique is unique across all of them.
pub fn load<P: AsRef<Path>>(paths: &[P]) -> Result<PairFile, PairError> {
    parse_all(&texts(paths)?)
}

/// The texts of several files, each with the file's name.
pub fn texts<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<(String, String)>, PairError> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let name = path.as_ref().display().to_string();
        let text = read(path.as_ref()).map_err(|kind| PairError::file(&name, None, kind))?;
        files.push((name, text));
    }
    Ok(files)
}

/// A file's name and text. Lines are counted only when an error needs one.
#[derive(Clone, Copy)]
struct Source<'t> {
    name: &'t str,
    text: &'t str,
}

impl Source<'_> {
    /// Number, from 1, of the line that holds byte `at`.
    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        1 + memchr::memchr_iter(b'\n', before).count()
    }
}

/// A pair and where its text starts.
struct Placed<'t> {
    spec: PairSpec,
    source: Source<'t>,
    at: usize,
}

fn join(sources: &[Source<'_>]) -> Result<PairFile, PairError> {
    let mut placed = Vec::new();
    for source in sources {
        entry::pairs_of(*source, &mut placed)?;
    }
    check::check(&placed)?;
    Ok(PairFile { pairs: placed.into_iter().map(|p| p.spec).collect() })
}

fn read(path: &Path) -> Result<String, PairErrorKind> {
    let io = |error: std::io::Error| PairErrorKind::Read(error.to_string());
    let mut bytes = Vec::new();
    // One byte more than the limit tells a file that is too long from one that just fits, even
    // where the length that the system reports is wrong (a pipe).
    let limit = FILE_LEN_MAX as u64 + 1;
    File::open(path).map_err(io)?.take(limit).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() > FILE_LEN_MAX {
        return Err(PairErrorKind::FileTooLong);
    }
    String::from_utf8(bytes)
        .map_err(|error| PairErrorKind::NotUtf8 { at: error.utf8_error().valid_up_to() })
}

#[cfg(test)]
mod tests;
