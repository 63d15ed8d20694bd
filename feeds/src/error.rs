//! Why a frame, or one object of it, was refused.

use core::fmt;

use engine::grid::GridError;

use crate::number::NumberError;

/// What is wrong, with which field, and where in the frame. Small and `Copy`: a tile counts it
/// and hands it on, the log turns it into a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The field as the venue spells it, or `"frame"` where no field can be named.
    pub field: &'static str,
    /// Byte of the frame where the value starts, 0 where unknown.
    pub offset: u32,
}

/// What is wrong with a field or a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeErrorKind {
    /// No byte but white space.
    Empty,
    /// More bytes than a venue may send ([`crate::json::FRAME_MAX`]).
    FrameTooLong,
    /// More values than the parser's memory is laid out for ([`crate::json::TOKENS_MAX`]).
    TooManyValues,
    /// Deeper than [`crate::json::DEPTH_MAX`].
    TooDeep,
    /// Not JSON: cut off, garbage, something after the end, a number no parser takes.
    Json,
    /// Not UTF-8, or an escape that names no character.
    Text,
    /// A field that the message cannot be understood without is not there.
    Missing,
    /// The field stands twice in one object; which of the two is meant cannot be known.
    Duplicate,
    /// Another JSON type than the field has.
    Type,
    /// A word that is none of those the field knows, where guessing would cost money.
    Word,
    /// A number that is none, or outside its range.
    Number(NumberError),
    /// A list longer than its limit.
    TooManyItems,
    /// One price twice in a list of levels.
    DuplicateLevel,
    /// Bands that make no price grid.
    Grid(GridError),
}

impl DecodeError {
    /// An error about a frame as a whole.
    pub const fn frame(kind: DecodeErrorKind, offset: u32) -> DecodeError {
        DecodeError { kind, field: "frame", offset }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecodeError { kind, field, offset } = self;
        write!(f, "{field} at byte {offset}: {kind}")
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DecodeErrorKind as K;
        f.write_str(match self {
            K::Empty => "the frame is empty",
            K::FrameTooLong => "the frame is longer than 64 MiB",
            K::TooManyValues => "the frame holds more values than any message has",
            K::TooDeep => "nested deeper than 64 levels",
            K::Json => "not JSON",
            K::Text => "not UTF-8, or an escape that names no character",
            K::Missing => "the field is missing",
            K::Duplicate => "the field stands twice in one object",
            K::Type => "the value has the wrong JSON type",
            K::Word => "the word is unknown",
            K::Number(number) => return write!(f, "the number {number}"),
            K::TooManyItems => "the list is longer than its limit",
            K::DuplicateLevel => "one price stands twice in the list of levels",
            K::Grid(grid) => return write!(f, "no price grid: {grid}"),
        })
    }
}

impl core::error::Error for DecodeError {}
