//! Query parameters, pages and cursors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::refusal::Refusal;

/// The parameters of a request, decoded.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the question mark.
    pub fn parse(text: &str) -> Query {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        });
        Query(decoded.collect())
    }

    /// The first value of a name that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// All values of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name, and those between commas.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.all(name).flat_map(|value| value.split(',')).filter(|one| !one.is_empty()).collect()
    }

    /// True where a value is not named, or is among those that are.
    pub fn admits(&self, name: &str, value: &str) -> bool {
        let list = self.list(name);
        list.is_empty() || list.contains(&value)
    }

    /// A whole number.
    ///
    /// # Errors
    /// `Parameter validation failed` where it is none.
    pub fn int(&self, name: &str, operation: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| {
            Refusal::Query(format!(
                "Parameter validation failed for {operation}: invalid value for '{name}'"
            ))
        })?;
        Ok(Some(number))
    }

    /// `limit`, from 1 to `most`.
    ///
    /// # Errors
    /// As the venue words it: it does not clamp.
    pub fn limit(&self, operation: &str, usual: usize, most: usize) -> Result<usize, Refusal> {
        let Some(limit) = self.int("limit", operation)? else { return Ok(usual) };
        let failed = |tag| {
            Refusal::Query(format!(
                "Parameter validation failed for {operation}: Key: '{operation}Params.Limit' Error:Field validation for 'Limit' failed on the '{tag}' tag"
            ))
        };
        match usize::try_from(limit) {
            Ok(limit) if limit > most => Err(failed("lte")),
            Ok(limit) if limit > 0 => Ok(limit),
            _ => Err(failed("gte")),
        }
    }

    /// True where a time lies between `min_ts` and `max_ts`; Unix seconds.
    ///
    /// # Errors
    /// Where one of the two is no number.
    pub fn spans(&self, operation: &str) -> Result<impl Fn(u64) -> bool, Refusal> {
        let bound = |name| -> Result<Option<u64>, Refusal> {
            Ok(self.int(name, operation)?.map(|secs| u64::try_from(secs).unwrap_or(0)))
        };
        let (min, max) = (bound("min_ts")?, bound("max_ts")?);
        Ok(move |secs| min.is_none_or(|min| secs >= min) && max.is_none_or(|max| secs <= max))
    }

    /// One page of `items`, each with the number that its place in the whole list has, and the
    /// cursor of the next page: empty at the end. A cursor that is none starts over, as the venue
    /// does.
    pub fn page<T>(
        &self,
        limit: usize,
        items: impl Iterator<Item = (usize, T)>,
        is_newest_first: bool,
    ) -> (Vec<T>, String) {
        let after = self.get("cursor").and_then(read_cursor);
        let beyond = |number: usize| match after {
            Some(after) if is_newest_first => number < after,
            Some(after) => number > after,
            None => true,
        };
        let mut items = items.filter(|(number, _)| beyond(*number));
        let (mut page, mut last) = (Vec::new(), 0);
        for (number, item) in items.by_ref().take(limit) {
            page.push(item);
            last = number;
        }
        let more = items.next().is_some();
        (page, if more { URL_SAFE_NO_PAD.encode(format!("after {last}")) } else { String::new() })
    }

    /// [`Query::page`] of JSON under a name.
    pub fn reply(
        &self,
        name: &str,
        limit: usize,
        items: impl Iterator<Item = (usize, Value)>,
        is_newest_first: bool,
    ) -> Value {
        let (page, cursor) = self.page(limit, items, is_newest_first);
        json!({"cursor": cursor, name: page})
    }
}

fn read_cursor(text: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("after ")?.parse().ok()
}

/// Undoes percent-encoding; what is not text becomes a replacement mark.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let hex = match (first, tail) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high).zip(digit(low)).and_then(|(h, l)| u8::try_from(h * 16 + l).ok())
            }
            _ => None,
        };
        match hex {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[2..];
            }
            None => bytes.push(if *first == b'+' { b' ' } else { *first }),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let items = || (0..5).map(|n| (n, n));
        let first = Query::parse("").page(2, items(), false);
        assert_eq!(first.0, [0, 1]);
        let second = Query::parse(&format!("cursor={}", first.1)).page(2, items(), false);
        assert_eq!(second.0, [2, 3]);
        let third = Query::parse(&format!("cursor={}", second.1)).page(2, items(), false);
        assert_eq!((third.0.as_slice(), third.1.as_str()), ([4].as_slice(), ""));
        let garbage = Query::parse("cursor=%00zz").page(9, items(), false);
        assert_eq!((garbage.0.len(), garbage.1.as_str()), (5, ""));
    }

    #[test]
    fn parameters_are_decoded_and_checked() {
        let query = Query::parse("tickers=A%2cB&tickers=C&limit=1001&x=%4&y=a+b");
        assert_eq!(query.list("tickers"), ["A", "B", "C"]);
        assert_eq!((query.get("x"), query.get("y")), (Some("%4"), Some("a b")));
        let refusal = query.limit("GetMarkets", 100, 1_000).unwrap_err();
        assert_eq!(
            String::from_utf8(refusal.reply().body).unwrap(),
            r#"{"msg":"Parameter validation failed for GetMarkets: Key: 'GetMarketsParams.Limit' Error:Field validation for 'Limit' failed on the 'lte' tag"}"#
        );
    }
}
