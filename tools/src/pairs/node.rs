//! A TOML table that knows its file, its place and its pair, so that each error can name them.
//!
//! The text is walked by hand instead of through `serde`: an unknown key, a wrong type and a
//! wrong number are all reported with the line, the pair and the fix.

use engine::units::{Ns, Px, Qty, Usd};
use feeds::number::{self, NumberError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{PairError, PairErrorKind, Place, Source};

/// The most that a message repeats of a value: enough to find it.
const SHOWN_CHARS_MAX: usize = 80;

/// Dollars and shares above this are slips of the pen: no venue asks that much of an order.
const MINIMUM_E6_MAX: u64 = 1_000_000_000_000;

/// A table, its path and where it starts.
pub(super) struct Node<'t> {
    pub source: Source<'t>,
    pub table: &'t DeTable<'t>,
    /// Byte of the text at which the table starts.
    pub at: usize,
    /// Name of the pair in messages.
    pub pair: Option<&'t str>,
    /// Path of the table with a closing dot, or nothing.
    pub path: String,
}

impl<'t> Node<'t> {
    /// The same table, under the name that messages call its pair by.
    pub fn called<'a>(self, pair: &'a str) -> Node<'a>
    where
        't: 'a,
    {
        Node { pair: Some(pair), ..self }
    }

    /// An error about `key`, at its value or, where there is none, at the table.
    pub fn error(&self, key: &str, kind: PairErrorKind) -> PairError {
        let at = self.table.get(key).map_or(self.at, |value| value.span().start);
        self.error_at(key, at, kind)
    }

    /// Refuses the first key that is none of `known`.
    pub fn only(&self, known: &'static [&'static str]) -> Result<(), PairError> {
        let unknown = self
            .table
            .iter()
            .map(|(key, _)| key)
            .filter(|key| !known.contains(&key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        match unknown {
            None => Ok(()),
            Some(key) => {
                let kind = PairErrorKind::UnknownKey { known };
                Err(self.error_at(&shown(key.get_ref()), key.span().start, kind))
            }
        }
    }

    /// A text that must be there.
    pub fn text(&self, key: &'static str, want: &'static str) -> Result<&'t str, PairError> {
        match self.required(key, want)? {
            DeValue::String(text) => Ok(text),
            other => Err(self.wrong_type(key, other, want)),
        }
    }

    /// A text, or nothing where the key is absent.
    pub fn text_opt(
        &self,
        key: &'static str,
        want: &'static str,
    ) -> Result<Option<&'t str>, PairError> {
        if self.table.contains_key(key) { self.text(key, want).map(Some) } else { Ok(None) }
    }

    /// One of `words`, by its place in that list.
    pub fn word(
        &self,
        key: &'static str,
        words: &'static [&'static str],
    ) -> Result<usize, PairError> {
        let text = self.text(key, "a word in quotes")?;
        words
            .iter()
            .position(|word| *word == text)
            .ok_or_else(|| self.error(key, PairErrorKind::Word { text: shown(text), known: words }))
    }

    /// A name in printable ASCII that needs no escape in JSON, a path or a metric.
    pub fn name(&self, key: &'static str, want: &'static str) -> Result<String, PairError> {
        let text = self.text(key, want)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:/+=#@".contains(&b);
        if text.is_empty() || text.len() > 128 || !text.bytes().all(plain) {
            return Err(self.refused(key, text, want));
        }
        Ok(text.to_owned())
    }

    /// A price in dollars.
    pub fn price(&self, key: &'static str) -> Result<Px, PairError> {
        self.decimal(key, "a price as text, \"0\" to \"1\", at most 4 decimals", number::price)
    }

    /// A smallest number of shares, and its text.
    pub fn min_size(&self, key: &'static str) -> Result<(Qty, &'t str), PairError> {
        let want = "shares as text, \"0\" to \"1000000\", at most 2 decimals";
        let qty = self.decimal(key, want, |text| {
            let e2 = number::delta_e2(text)?;
            let e2 = u64::try_from(e2).map_err(|_| NumberError::Negative)?;
            Qty::new(e2).filter(|_| e2 <= MINIMUM_E6_MAX / 10_000).ok_or(NumberError::TooLarge)
        })?;
        Ok((qty, self.text(key, want)?))
    }

    /// A smallest amount of money.
    pub fn min_notional(&self, key: &'static str) -> Result<Usd, PairError> {
        let want = "dollars as text, \"0\" to \"1000000\", at most 6 decimals";
        self.decimal(key, want, |text| {
            let e6 = number::ratio_e6(text)?;
            let usd = i64::try_from(e6).map(Usd::new).map_err(|_| NumberError::TooLarge)?;
            if e6 <= MINIMUM_E6_MAX { Ok(usd) } else { Err(NumberError::TooLarge) }
        })
    }

    /// A factor in millionths, at most `e6_max`.
    pub fn factor_e6(
        &self,
        key: &'static str,
        e6_max: u32,
        want: &'static str,
    ) -> Result<u32, PairError> {
        self.decimal(key, want, |text| {
            let e6 = number::ratio_e6(text)?;
            u32::try_from(e6).ok().filter(|e6| *e6 <= e6_max).ok_or(NumberError::TooLarge)
        })
    }

    /// A whole number of at most `max`.
    pub fn integer(
        &self,
        key: &'static str,
        max: u32,
        want: &'static str,
    ) -> Result<u32, PairError> {
        match self.required(key, want)? {
            DeValue::Integer(integer) => u32::from_str_radix(integer.as_str(), integer.radix())
                .ok()
                .filter(|value| *value <= max)
                .ok_or_else(|| self.refused(key, integer.as_str(), want)),
            other => Err(self.wrong_type(key, other, want)),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &'static str) -> Result<bool, PairError> {
        let want = "true or false, without quotes";
        match self.required(key, want)? {
            DeValue::Boolean(value) => Ok(*value),
            other => Err(self.wrong_type(key, other, want)),
        }
    }

    /// A moment, in Unix nanoseconds, or nothing where the key is absent.
    pub fn time_opt(&self, key: &'static str) -> Result<Option<Ns>, PairError> {
        let want = "a UTC time in RFC 3339 as text, such as \"2026-12-16T19:30:00Z\"";
        let Some(text) = self.text_opt(key, want)? else { return Ok(None) };
        OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .filter(|time| time.offset().is_utc())
            .and_then(|time| u64::try_from(time.unix_timestamp_nanos()).ok())
            .map(|ns| Some(Ns(ns)))
            .ok_or_else(|| self.refused(key, text, want))
    }

    /// The table below `key`.
    pub fn child(&self, key: &'static str) -> Result<Node<'t>, PairError> {
        let want = "a table";
        match self.required(key, want)? {
            DeValue::Table(table) => {
                let at = self.table.get(key).map_or(self.at, |value| value.span().start);
                let path = format!("{}{key}.", self.path);
                Ok(Node { source: self.source, table, at, pair: self.pair, path })
            }
            other => Err(self.wrong_type(key, other, want)),
        }
    }

    /// The tables in the array below `key`.
    pub fn children(
        &self,
        key: &'static str,
        want: &'static str,
    ) -> Result<Vec<Node<'t>>, PairError> {
        let array = match self.required(key, want)? {
            DeValue::Array(array) => array,
            other => return Err(self.wrong_type(key, other, want)),
        };
        let mut nodes = Vec::with_capacity(array.len());
        for (number, item) in array.iter().enumerate() {
            let (path, at) = (format!("{}{key}[{number}]", self.path), item.span().start);
            match item.get_ref() {
                DeValue::Table(table) => {
                    let path = path + ".";
                    nodes.push(Node { source: self.source, table, at, pair: self.pair, path });
                }
                other => {
                    let kind = PairErrorKind::Type { got: kind_of(other), want };
                    let field = format!("{key}[{number}]");
                    return Err(self.error_at(&field, at, kind));
                }
            }
        }
        Ok(nodes)
    }

    /// An error about a text that is not what `want` says.
    pub fn refused(&self, key: &str, text: &str, want: &'static str) -> PairError {
        self.error(key, PairErrorKind::Value { text: shown(text), want })
    }

    fn error_at(&self, key: &str, at: usize, kind: PairErrorKind) -> PairError {
        let place = Place {
            file: self.source.name.to_owned(),
            line: Some(self.source.line(at)),
            pair: self.pair.map(str::to_owned),
            field: Some(format!("{}{key}", self.path)),
        };
        PairError { place: Box::new(place), kind }
    }

    fn required(
        &self,
        key: &'static str,
        want: &'static str,
    ) -> Result<&'t DeValue<'t>, PairError> {
        let value = self.table.get(key).map(Spanned::get_ref);
        value.ok_or_else(|| self.error(key, PairErrorKind::Missing { want }))
    }

    fn wrong_type(&self, key: &str, value: &DeValue<'_>, want: &'static str) -> PairError {
        self.error(key, PairErrorKind::Type { got: kind_of(value), want })
    }

    fn decimal<T>(
        &self,
        key: &'static str,
        want: &'static str,
        read: impl Fn(&[u8]) -> Result<T, NumberError>,
    ) -> Result<T, PairError> {
        let text = self.text(key, want)?;
        read(text.as_bytes()).map_err(|reason| {
            self.error(key, PairErrorKind::Number { text: shown(text), reason, want })
        })
    }
}

/// The start of a text, as long as a message may repeat it.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        None => text.escape_debug().to_string(),
        Some((end, _)) => format!("{}...", text[..end].escape_debug()),
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a TOML date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
