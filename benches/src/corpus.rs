//! Markets, their books, and the hot frames of a benchmark.

use std::path::{Path, PathBuf};

use parallax::pairs::{self, PairError, PairSpec};

use crate::frames::Frames;

/// A pair's names on both venues. All of them are on whole cents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    /// Our name of the pair.
    pub id: String,
    /// Kalshi's ticker.
    pub ticker: String,
    /// Polymarket's condition id.
    pub condition: String,
    /// Polymarket's tokens: YES, NO.
    pub tokens: [String; 2],
}

/// What a benchmark runs on: pairs, the frames that fill their books, the frames that are timed.
pub struct Corpus {
    /// The pairs.
    pub pairs: Vec<Names>,
    /// Kalshi's `orderbook_snapshot`s.
    pub kalshi_books: Frames,
    /// Kalshi's `orderbook_delta`s.
    pub kalshi_hot: Frames,
    /// Polymarket's `book`s.
    pub poly_books: Frames,
    /// Polymarket's `price_change`s.
    pub poly_hot: Frames,
}

/// Which spelling of the events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Every frame alike.
    Plain,
    /// The several forms that live sockets send.
    Mixed,
}

/// Why the files of a benchmark could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A file.
    #[error("{path}: {source}; give the folder that holds it with --data")]
    Read {
        /// Which one.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The pair file.
    #[error(transparent)]
    Pairs(#[from] PairError),
}

impl Corpus {
    /// Reads the folder that holds `pairs.toml` and the frames.
    ///
    /// # Errors
    /// [`CorpusError`] of the first file that fails.
    pub fn read(dir: &Path, form: Form) -> Result<Corpus, CorpusError> {
        let names = match form {
            Form::Plain => {
                ["kalshi_snapshots_fp", "kalshi_deltas_fp", "poly_books", "poly_price_changes"]
            }
            Form::Mixed => [
                "mixed/kalshi_snapshots",
                "mixed/kalshi_deltas",
                "mixed/poly_books",
                "mixed/poly_price_changes",
            ],
        };
        let frames = |name: &str| {
            let path = dir.join(format!("{name}.jsonl.zst"));
            Frames::read(&path).map_err(|source| CorpusError::Read { path, source })
        };
        Ok(Corpus {
            pairs: read_pairs(&dir.join("pairs.toml"))?,
            kalshi_books: frames(names[0])?,
            kalshi_hot: frames(names[1])?,
            poly_books: frames(names[2])?,
            poly_hot: frames(names[3])?,
        })
    }
}

/// The names alone: every pair of a benchmark has the same rules ([`crate::pipeline`]).
fn read_pairs(path: &Path) -> Result<Vec<Names>, CorpusError> {
    let names = |spec: PairSpec| Names {
        id: spec.id,
        ticker: spec.kalshi.ticker,
        condition: spec.polymarket.condition_id,
        tokens: [spec.polymarket.yes, spec.polymarket.no],
    };
    Ok(pairs::load(&[path])?.pairs.into_iter().map(names).collect())
}
