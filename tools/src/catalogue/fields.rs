//! The fields of a venue's JSON object, read without trust: what is missing is empty, what has
//! another type is noted and left out, and nothing of it ends the page.

use serde_json::{Map, Value};

use super::moment;

/// Longest text that is kept of one field. The longest rules seen take some ten thousand bytes.
const TEXT_LEN_MAX: usize = 65_536;

/// Most elements that are kept of one array.
const LIST_LEN_MAX: usize = 1_024;

/// The fields of one object, and what is wrong with them.
pub struct Fields<'v> {
    object: &'v Map<String, Value>,
    wrong: Vec<String>,
}

impl<'v> Fields<'v> {
    /// The fields of `value`; `None` where it is no object.
    pub fn of(value: &'v Value) -> Option<Fields<'v>> {
        Some(Fields { object: value.as_object()?, wrong: Vec::new() })
    }

    /// What was found wrong, as text; empty where nothing was.
    pub fn wrong(&self) -> String {
        self.wrong.join("; ")
    }

    fn get(&self, key: &str) -> Option<&'v Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn wants(&mut self, key: &str, want: &str) {
        self.wrong.push(format!("`{key}` is not {want}"));
    }

    /// A text; empty where it is missing. Numbers and flags are written out.
    pub fn text(&mut self, key: &str) -> String {
        let text = self.get(key).map(scalar);
        match text {
            None => String::new(),
            Some(Some(text)) => text,
            Some(None) => {
                self.wants(key, "a text");
                String::new()
            }
        }
    }

    /// A text that names something; `None` where it is missing or empty.
    pub fn name(&mut self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.trim().is_empty())
    }

    /// A flag, also as text; `None` where it is missing.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => {
                self.wants(key, "a flag");
                None
            }
        }
    }

    /// A decimal, as text or number, as it is written; `None` where it is missing.
    pub fn decimal(&mut self, key: &str) -> Option<String> {
        let text = match self.get(key)? {
            Value::String(text) if text.is_empty() => return None,
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let text = text.filter(|text| is_decimal(text));
        if text.is_none() {
            self.wants(key, "a decimal");
        }
        text
    }

    /// A whole number from 0 up, also as text; `None` where it is missing.
    pub fn integer(&mut self, key: &str) -> Option<u64> {
        let value = self.get(key)?;
        let number = match value {
            Value::String(text) => text.parse().ok(),
            Value::Number(_) => value.as_u64(),
            _ => None,
        };
        if number.is_none() {
            self.wants(key, "a whole number from 0 up");
        }
        number
    }

    /// A time as Unix seconds; `None` where it is missing or unset.
    pub fn time(&mut self, key: &str) -> Option<i64> {
        let Value::String(text) = self.get(key)? else {
            self.wants(key, "a time");
            return None;
        };
        if text.is_empty() || text.starts_with("0001-") {
            return None;
        }
        let time = moment::parse(text);
        if time.is_none() {
            self.wants(key, "a time");
        }
        time
    }

    /// A list of texts. Gamma writes some as JSON arrays inside of a text: those are decoded twice.
    pub fn texts(&mut self, key: &str) -> Vec<String> {
        let list = match self.get(key) {
            None => return Vec::new(),
            Some(Value::String(text)) if text.trim().is_empty() => return Vec::new(),
            Some(Value::String(text)) => serde_json::from_str::<Vec<Value>>(text).ok(),
            Some(Value::Array(list)) => Some(list.clone()),
            Some(_) => None,
        };
        let texts = list.and_then(|list| {
            list.iter().take(LIST_LEN_MAX).map(scalar).collect::<Option<Vec<String>>>()
        });
        texts.unwrap_or_else(|| {
            self.wants(key, "a list of texts");
            Vec::new()
        })
    }

    /// A list of objects.
    pub fn objects(&mut self, key: &str) -> Vec<&'v Value> {
        match self.get(key) {
            None => Vec::new(),
            Some(Value::Array(list)) => list.iter().take(LIST_LEN_MAX).collect(),
            Some(_) => {
                self.wants(key, "a list");
                Vec::new()
            }
        }
    }

    /// An object, where there is one.
    pub fn object(&mut self, key: &str) -> Option<&'v Value> {
        let value = self.get(key)?;
        if value.is_object() {
            return Some(value);
        }
        self.wants(key, "an object");
        None
    }
}

/// A text, number or flag as text.
fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.as_str().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    Some(cut(text))
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_LEN_MAX {
        let end = (0..=TEXT_LEN_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// True for an optional sign, digits, and at most one point.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let points = digits.bytes().filter(|b| *b == b'.').count();
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain && points <= 1 && digits.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_empty_and_what_is_wrong_is_noted() {
        let value = json!({
            "t": "x", "n": 7, "f": "true", "d": "0.48", "e": 1e300, "list": "[\"a\", 2]",
            "bad_list": "[1", "object": [], "time": "0001-01-01T00:00:00Z", "when": "soon",
            "null": null, "tokens": ["1", "2"],
        });
        let mut fields = Fields::of(&value).unwrap();
        assert_eq!(
            (fields.text("t"), fields.text("n"), fields.text("-")),
            ("x".into(), "7".into(), String::new())
        );
        assert_eq!((fields.flag("f"), fields.flag("null")), (Some(true), None));
        assert_eq!(fields.decimal("d").as_deref(), Some("0.48"));
        assert_eq!(
            (fields.texts("list"), fields.texts("tokens").len()),
            (vec!["a".into(), "2".into()], 2)
        );
        assert_eq!(fields.wrong(), "", "all of that is good");
        assert_eq!(fields.time("time"), None);
        assert_eq!(fields.wrong(), "", "an unset time is none");
        assert_eq!(fields.decimal("e"), None);
        assert!(fields.texts("bad_list").is_empty() && fields.object("object").is_none());
        assert_eq!(fields.time("when"), None);
        assert_eq!((fields.integer("n"), fields.integer("d")), (Some(7), None));
        for key in ["e", "bad_list", "object", "when", "d"] {
            assert!(fields.wrong().contains(&format!("`{key}`")), "{key}: {}", fields.wrong());
        }
        assert!(Fields::of(&json!([])).is_none());
    }

    #[test]
    fn a_text_without_end_is_cut_between_characters() {
        let value = json!({ "t": "é".repeat(TEXT_LEN_MAX) });
        let text = Fields::of(&value).unwrap().text("t");
        assert!(text.len() <= TEXT_LEN_MAX && text.ends_with('é'));
    }
}
