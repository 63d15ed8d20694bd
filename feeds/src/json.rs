//! A frame parsed into a tape of values, in buffers that are reused: no allocation once they have
//! grown to the largest frame.
//!
//! The parser turns a number with a point into a float before anyone sees it, so such a number is
//! read again from the frame's own bytes: the n-th value of the tape is the n-th position of the
//! parser's index that is no closing or separating character.

use core::cell::Cell;

use simd_json::{Buffers, ErrorType, INPUT_PADDING, Node, StaticNode, Tape};

use engine::units::{Px, Qty};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::number::{self, NumberError};

/// Longest frame: Kalshi's own limit (kalshi.md section 2); Polymarket states none.
pub const FRAME_MAX: usize = 64 << 20;

/// Deepest nesting. The deepest documented message has four levels.
pub const DEPTH_MAX: usize = 64;

/// Most brackets, quotes, separators and scalars in a frame. The parser keeps 28 bytes for each,
/// so this bounds its memory to some 120 MiB, where a frame of 64 MiB of `[` would ask for 1.8 GB.
/// It is room for 300,000 levels: a first dump of 200 tokens with 1,500 levels each.
pub const TOKENS_MAX: usize = 4 << 20;

// The parser's index and `DecodeError::offset` hold 32-bit positions.
const _: () = assert!(FRAME_MAX + INPUT_PADDING < u32::MAX as usize);

/// The buffers.
pub struct Parser {
    input: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

/// A parsed frame: strings live as long as the parser's buffers, `'a`; `'f` is the frame itself.
pub struct Doc<'a, 'f> {
    tape: Tape<'a>,
    home: &'a mut Tape<'static>,
    index: &'a [u32],
    frame: &'f [u8],
    /// (value, its position in `index`) of the last look-up; the first value is at the first.
    seen: Cell<(usize, usize)>,
}

/// One value of a parsed frame.
#[derive(Clone, Copy)]
pub struct Value<'t, 'a, 'f> {
    doc: &'t Doc<'a, 'f>,
    at: usize,
}

impl Default for Parser {
    fn default() -> Parser {
        Parser::new()
    }
}

impl Parser {
    /// Empty buffers; they grow with the first frames.
    pub fn new() -> Parser {
        Parser {
            input: Vec::new(),
            buffers: Buffers::with_max_depth(0, DEPTH_MAX),
            tape: Tape(Vec::new()),
        }
    }

    /// Parses one frame. White space around the document is allowed, anything else is not.
    pub fn parse<'a, 'f>(&'a mut self, frame: &'f [u8]) -> Result<Doc<'a, 'f>, DecodeError> {
        if frame.len() > FRAME_MAX {
            return Err(DecodeError::frame(DecodeErrorKind::FrameTooLong, 0));
        }
        // A shorter frame cannot hold that many.
        if frame.len() > TOKENS_MAX && may_exceed_tokens(frame) {
            return Err(DecodeError::frame(DecodeErrorKind::TooManyValues, 0));
        }
        let Parser { input, buffers, tape: home } = self;
        input.clear();
        input.reserve(frame.len() + INPUT_PADDING);
        input.extend_from_slice(frame);
        input.resize(frame.len() + INPUT_PADDING, b' ');
        let mut tape = core::mem::replace(home, Tape(Vec::new())).reset();
        match simd_json::fill_tape_padded(input, frame.len(), buffers, &mut tape) {
            Ok(()) => {
                let index = buffers.structural_indexes();
                Ok(Doc { tape, home, index, frame, seen: Cell::new((0, 0)) })
            }
            Err(error) => {
                *home = tape.reset();
                Err(refusal(&error, frame))
            }
        }
    }
}

/// The tape goes home, so that the next frame finds its memory.
impl Drop for Doc<'_, '_> {
    fn drop(&mut self) {
        *self.home = core::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
    }
}

impl<'a, 'f> Doc<'a, 'f> {
    /// The document's outermost value.
    pub fn root(&self) -> Value<'_, 'a, 'f> {
        Value { doc: self, at: 0 }
    }

    fn node(&self, at: usize) -> Node<'a> {
        self.tape.0.get(at).copied().unwrap_or(Node::Static(StaticNode::Null))
    }

    /// Where value number `at` starts in the frame.
    ///
    /// Looked for from the last look-up, forwards or backwards: a frame full of such look-ups
    /// costs time in proportion to its length, not to its square.
    fn offset(&self, at: usize) -> usize {
        let (mut value, mut position) = self.seen.get();
        while value != at {
            let forwards = value < at;
            position = if forwards { position + 1 } else { position.wrapping_sub(1) };
            let Some(&offset) = self.index.get(position) else { return 0 };
            if !matches!(self.frame.get(offset as usize), Some(b':' | b',' | b'}' | b']')) {
                value = if forwards { value + 1 } else { value - 1 };
            }
        }
        self.seen.set((value, position));
        self.index.get(position).map_or(0, |&offset| offset as usize)
    }
}

impl<'t, 'a, 'f> Value<'t, 'a, 'f> {
    /// True for `null`, which every optional field may have.
    pub fn is_null(self) -> bool {
        matches!(self.node(), Node::Static(StaticNode::Null))
    }

    /// True for an object.
    pub fn is_object(self) -> bool {
        matches!(self.node(), Node::Object { .. })
    }

    /// The error `kind` at this value's place.
    #[cold]
    pub fn error(self, kind: DecodeErrorKind, field: &'static str) -> DecodeError {
        DecodeError { kind, field, offset: self.doc.offset(self.at) as u32 }
    }

    /// The keys and values of an object.
    pub fn entries(
        self,
        field: &'static str,
    ) -> Result<impl Iterator<Item = (&'a str, Value<'t, 'a, 'f>)>, DecodeError> {
        let Node::Object { len, .. } = self.node() else {
            return Err(self.error(DecodeErrorKind::Type, field));
        };
        let (doc, mut at) = (self.doc, self.at + 1);
        Ok((0..len).map(move |_| {
            let key = match doc.node(at) {
                Node::String(key) => key,
                _ => "", // the parser lets no other key pass
            };
            let value = Value { doc, at: at + 1 };
            at = value.end();
            (key, value)
        }))
    }

    /// The elements of an array.
    pub fn elements(
        self,
        field: &'static str,
    ) -> Result<impl ExactSizeIterator<Item = Value<'t, 'a, 'f>>, DecodeError> {
        let Node::Array { len, .. } = self.node() else {
            return Err(self.error(DecodeErrorKind::Type, field));
        };
        let (doc, mut at) = (self.doc, self.at + 1);
        Ok((0..len).map(move |_| {
            let value = Value { doc, at };
            at = value.end();
            value
        }))
    }

    /// A text.
    pub fn text(self, field: &'static str) -> Result<&'a str, DecodeError> {
        match self.node() {
            Node::String(text) => Ok(text),
            _ => Err(self.error(DecodeErrorKind::Type, field)),
        }
    }

    /// `true` or `false`.
    pub fn flag(self, field: &'static str) -> Result<bool, DecodeError> {
        match self.node() {
            Node::Static(StaticNode::Bool(flag)) => Ok(flag),
            _ => Err(self.error(DecodeErrorKind::Type, field)),
        }
    }

    /// A price, as text or as a number.
    pub fn price(self, field: &'static str) -> Result<Px, DecodeError> {
        self.number(field, number::price)
    }

    /// A size floored to 0.01, as text or as a number.
    pub fn size(self, field: &'static str) -> Result<Qty, DecodeError> {
        self.number(field, number::size_floor)
    }

    /// A signed change in 0.01 contract, as text or as a number.
    pub fn delta_e2(self, field: &'static str) -> Result<i64, DecodeError> {
        self.number(field, number::delta_e2)
    }

    /// A multiplier in 1e-6, as text or as a number.
    pub fn ratio_e6(self, field: &'static str) -> Result<u64, DecodeError> {
        self.number(field, number::ratio_e6)
    }

    /// A whole number with a sign, as text or as a number.
    pub fn signed(self, field: &'static str) -> Result<i64, DecodeError> {
        self.number(field, number::signed)
    }

    /// A whole number, as text or as a number.
    pub fn unsigned(self, field: &'static str) -> Result<u64, DecodeError> {
        match self.node() {
            Node::Static(StaticNode::U64(value)) => Ok(value),
            _ => self.number(field, number::unsigned),
        }
    }

    fn node(self) -> Node<'a> {
        self.doc.node(self.at)
    }

    /// The value behind this one and all that is in it.
    fn end(self) -> usize {
        match self.node() {
            Node::Object { count, .. } | Node::Array { count, .. } => self.at + 1 + count,
            Node::String(_) | Node::Static(_) => self.at + 1,
        }
    }

    #[inline]
    fn number<T>(
        self,
        field: &'static str,
        parse: impl Fn(&[u8]) -> Result<T, NumberError>,
    ) -> Result<T, DecodeError> {
        let parsed = match self.node() {
            Node::String(text) => parse(text.as_bytes()),
            Node::Static(StaticNode::U64(_) | StaticNode::I64(_) | StaticNode::F64(_)) => {
                parse(self.literal())
            }
            _ => return Err(self.error(DecodeErrorKind::Type, field)),
        };
        parsed.map_err(|number| self.error(DecodeErrorKind::Number(number), field))
    }

    /// A number exactly as it stands in the frame.
    #[cold]
    fn literal(self) -> &'f [u8] {
        let rest = self.doc.frame.get(self.doc.offset(self.at)..).unwrap_or(&[]);
        let end = |b: &u8| matches!(b, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
        &rest[..rest.iter().position(end).unwrap_or(rest.len())]
    }
}

/// Binds the named fields of an object, each at most once: `null` counts as absent, unknown
/// fields are skipped, and a field that stands twice refuses the object.
macro_rules! fields {
    ($object:expr, $field:expr; $($name:ident = $key:literal),+ $(,)?) => {
        $(let mut $name = None;)+
        for (key, value) in $object.entries($field)? {
            match key {
                $($key => {
                    if $name.is_some() {
                        return Err(value.error($crate::error::DecodeErrorKind::Duplicate, $key));
                    }
                    $name = Some(value);
                })+
                _ => {}
            }
        }
        $(let $name = $crate::json::Field { value: $name.filter(|v| !v.is_null()), name: $key };)+
    };
}
pub(crate) use fields;

/// A field of an object, there or not, and its name.
#[derive(Clone, Copy)]
pub(crate) struct Field<'t, 'a, 'f> {
    pub value: Option<Value<'t, 'a, 'f>>,
    pub name: &'static str,
}

impl<'t, 'a, 'f> Field<'t, 'a, 'f> {
    /// The value, or an error at `owner` that the field is missing.
    pub fn required(self, owner: Value<'t, 'a, 'f>) -> Result<Value<'t, 'a, 'f>, DecodeError> {
        self.value.ok_or_else(|| owner.error(DecodeErrorKind::Missing, self.name))
    }

    /// What `read` makes of the value, if it is there.
    pub fn read<T>(
        self,
        read: impl FnOnce(Value<'t, 'a, 'f>, &'static str) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        self.value.map(|value| read(value, self.name)).transpose()
    }

    /// What `read` makes of the value, or an error at `owner` that the field is missing.
    pub fn need<T>(
        self,
        owner: Value<'t, 'a, 'f>,
        read: impl FnOnce(Value<'t, 'a, 'f>, &'static str) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        read(self.required(owner)?, self.name)
    }

    /// A price; an empty text counts as absent.
    pub fn price_if_any(self) -> Result<Option<Px>, DecodeError> {
        match self.value.map(Value::node) {
            Some(Node::String("")) => Ok(None),
            _ => self.read(Value::price),
        }
    }
}

/// Counts the positions that the parser's index could get, strings not told apart.
fn may_exceed_tokens(frame: &[u8]) -> bool {
    let mut tokens = 0;
    let mut after_gap = true;
    frame.chunks(4_096).any(|chunk| {
        for &byte in chunk {
            let blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let mark = matches!(byte, b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"');
            tokens += usize::from(mark || (after_gap && !blank));
            after_gap = blank || mark;
        }
        tokens > TOKENS_MAX
    })
}

#[cold]
fn refusal(error: &simd_json::Error, frame: &[u8]) -> DecodeError {
    let kind = match error.error() {
        ErrorType::DepthLimitExceeded => DecodeErrorKind::TooDeep,
        ErrorType::InvalidUtf8
        | ErrorType::InvalidEscape
        | ErrorType::InvalidUnicodeEscape
        | ErrorType::InvalidUnicodeCodepoint => DecodeErrorKind::Text,
        _ if frame.trim_ascii().is_empty() => DecodeErrorKind::Empty,
        _ => DecodeErrorKind::Json,
    };
    DecodeError::frame(kind, error.index().min(frame.len()) as u32)
}
