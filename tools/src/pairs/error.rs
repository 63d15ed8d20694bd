//! What is wrong with a pair table: file, line, pair, field, and what to do about it.

use core::fmt;

use engine::grid::GridError;
use engine::top::MARKETS_MAX;
use feeds::number::NumberError;

use super::{FILE_LEN_MAX, SCHEMA};

/// A pair table that is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairError {
    /// Where. In a box, because each of a thousand results on the way is as large as its error.
    pub place: Box<Place>,
    /// What is wrong and the fix.
    pub kind: PairErrorKind,
}

/// Where in a pair table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Line of the text, from 1, where one can be named.
    pub line: Option<usize>,
    /// Id of the pair, or its number in the file where it has no id.
    pub pair: Option<String>,
    /// The field with the tables around it, such as `kalshi.grid[0].step`.
    pub field: Option<String>,
}

/// What is wrong with a file, a field, or two pairs together.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PairErrorKind {
    /// The file cannot be read; the system's reason.
    #[error("cannot read the pair file: {0}; check the path and the permissions")]
    Read(String),
    /// More than [`FILE_LEN_MAX`] bytes.
    #[error("longer than {FILE_LEN_MAX} bytes, which no pair table is; check the path")]
    FileTooLong,
    /// Bytes that are no UTF-8.
    #[error("byte {at} is not UTF-8; save the file as UTF-8 text")]
    NotUtf8 {
        /// Offset in the file, from 0.
        at: usize,
    },
    /// Not TOML; the parser's reason.
    #[error("not TOML: {0}")]
    Toml(String),
    /// No `schema` at the top.
    #[error("`schema` is missing; add `schema = {SCHEMA}` as the first line")]
    NoSchema,
    /// A schema that is not [`SCHEMA`].
    #[error("schema {0} is unknown; this program reads schema {SCHEMA}")]
    Schema(String),
    /// A key that the table does not have.
    #[error("unknown key; known here: {}. Correct or delete it", .known.join(", "))]
    UnknownKey {
        /// The keys that the table has.
        known: &'static [&'static str],
    },
    /// A key without which the pair cannot be traded.
    #[error("missing; add it as {want}")]
    Missing {
        /// What it holds.
        want: &'static str,
    },
    /// A value of another kind.
    #[error("is {got}; write {want}")]
    Type {
        /// What is there.
        got: &'static str,
        /// What must be there.
        want: &'static str,
    },
    /// A decimal that is none, or that its unit cannot hold.
    #[error("\"{text}\" {reason}; write {want}")]
    Number {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: NumberError,
        /// What must be there.
        want: &'static str,
    },
    /// A value outside of what it may be.
    #[error("\"{text}\" is refused; write {want}")]
    Value {
        /// The text.
        text: String,
        /// What must be there.
        want: &'static str,
    },
    /// A word that is none of those that the field knows.
    #[error("\"{text}\" is unknown; write one of: {}", .known.join(", "))]
    Word {
        /// The text.
        text: String,
        /// The words that the field knows.
        known: &'static [&'static str],
    },
    /// Bands that make no price grid.
    #[error("no price grid: {0}; copy the market's price_ranges")]
    Grid(GridError),
    /// Bands that hold no price at which an order can stand.
    #[error("no price between 0 and 1 dollar is on this grid; copy the market's price_ranges")]
    GridWithoutPrice,
    /// A tick that makes no price grid.
    #[error(
        "a tick of {0} does not divide a dollar into at least two steps; copy the market's tick size"
    )]
    Tick(String),
    /// `yes` and `no` are one token.
    #[error("the same token as `yes`; a market has two, write the other outcome's id")]
    SameTokens,
    /// An id that another pair has.
    #[error("the id is also that of the pair in {first}; rename one")]
    DuplicateId {
        /// Where the other pair is.
        first: String,
    },
    /// Two pairs of the same two markets.
    #[error("pairs the same markets as \"{id}\" in {first}; delete one")]
    DuplicatePairing {
        /// The other pair.
        id: String,
        /// Where it is.
        first: String,
    },
    /// A token that belongs to two conditions.
    #[error(
        "the token also stands in pair \"{id}\" in {first} under another condition; a token has one condition, correct one of them"
    )]
    TokenOfTwoConditions {
        /// The other pair.
        id: String,
        /// Where it is.
        first: String,
    },
    /// One market with two descriptions.
    #[error(
        "the same market is described differently in pair \"{id}\" in {first}; make both say the same"
    )]
    Contradiction {
        /// The other pair.
        id: String,
        /// Where it is.
        first: String,
    },
    /// More pairs than a process holds.
    #[error("{0} pairs, at most {MARKETS_MAX} fit into one process; split the table")]
    TooManyPairs(usize),
}

impl PairError {
    /// An error about a file as a whole, or about one line of it.
    pub(super) fn file(name: &str, line: Option<usize>, kind: PairErrorKind) -> PairError {
        let place = Place { file: name.to_owned(), line, ..Place::default() };
        PairError { place: Box::new(place), kind }
    }
}

impl fmt::Display for PairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, pair, field } = &*self.place;
        write!(f, "{file}")?;
        if let Some(line) = line {
            write!(f, ": line {line}")?;
        }
        if let Some(pair) = pair {
            write!(f, ": pair {pair}")?;
        }
        if let Some(field) = field {
            write!(f, ": `{field}`")?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl core::error::Error for PairError {}
