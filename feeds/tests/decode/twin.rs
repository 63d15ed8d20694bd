//! The slow twin: a message described by a table of fields, read with `serde_json`, too simple to
//! be wrong; and the writer that spells one message in many ways.

use std::collections::BTreeMap;

use engine::grid::Grid;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Text,
    Flag,
    Whole,
    Signed,
    Price,
    /// A price, or an empty text for none.
    PriceOrBlank,
    Size,
    Change,
    Ratio,
    /// A step of a price grid, or an empty text for none.
    Step,
    Word(&'static [&'static str]),
    /// `[["0.01","5"],…]`
    Pairs,
    /// `[{"price":"0.01","size":"5"},…]`
    Levels,
    /// `[{"start":…},…]`; bands that make no grid are worth the word `bad`.
    Bands,
    Names,
    /// An object, or a list of objects, of these fields.
    Object(Table),
    Objects(Table),
    /// One whose unreadable value is worth the word `bad`.
    Loose(&'static Kind),
    /// Only whether it is there.
    Present,
}

/// The fields of an object: name, kind, required.
pub type Table = &'static [(&'static str, Kind, bool)];

/// What an object says: the fields that are there, in one spelling.
pub type Summary = BTreeMap<String, String>;

const LEVEL: Table = &[("price", Kind::Price, true), ("size", Kind::Size, true)];
const BAND: Table =
    &[("start", Kind::Price, true), ("end", Kind::Price, true), ("step", Kind::Price, true)];

/// The twin's reading of an object, or `None` where it must be refused.
pub fn read(table: Table, object: &Value) -> Option<Summary> {
    let object = object.as_object()?;
    let mut summary = Summary::new();
    for &(name, kind, required) in table {
        match object.get(name).filter(|v| !v.is_null()) {
            None if required => return None,
            None => {}
            Some(value) => {
                let text = spell(kind, value)?;
                // An optional text that is empty reads like one that is absent.
                if required || !text.is_empty() {
                    summary.insert(name.to_owned(), text);
                }
            }
        }
    }
    Some(summary)
}

fn spell(kind: Kind, value: &Value) -> Option<String> {
    Some(match kind {
        Kind::Text => value.as_str()?.to_owned(),
        Kind::Flag => value.as_bool()?.to_string(),
        Kind::Present => "there".to_owned(),
        Kind::Whole => decimal(value, 0, true).filter(|v| (0..1 << 64).contains(v))?.to_string(),
        Kind::Signed => decimal(value, 0, true)
            .filter(|v| (i128::from(i64::MIN)..=i128::from(i64::MAX)).contains(v))?
            .to_string(),
        Kind::Price => decimal(value, 4, true)
            .filter(|v| (0..=10_000).contains(v) && !is_minus(value))?
            .to_string(),
        Kind::PriceOrBlank if value.as_str() == Some("") => String::new(),
        Kind::PriceOrBlank => spell(Kind::Price, value)?,
        Kind::Step if value.as_str() == Some("") => String::new(),
        Kind::Step => {
            let step = spell(Kind::Price, value)?;
            Grid::uniform(step.parse().unwrap()).ok()?;
            step
        }
        Kind::Size => decimal(value, 2, false)
            .filter(|v| (0..=1_000_000_000_000_000).contains(v) && !is_minus(value))?
            .to_string(),
        Kind::Change => {
            decimal(value, 2, true).filter(|v| v.abs() <= 1_000_000_000_000_000)?.to_string()
        }
        Kind::Ratio => decimal(value, 6, true)
            .filter(|v| (0..=1_000_000_000_000).contains(v) && !is_minus(value))?
            .to_string(),
        Kind::Word(words) => value.as_str().filter(|w| words.contains(w))?.to_owned(),
        Kind::Pairs => levels(value, |pair| {
            let [px, qty] = pair.as_array()?.as_slice() else { return None };
            Some((spell(Kind::Price, px)?, spell(Kind::Size, qty)?))
        })?,
        Kind::Levels => levels(value, |pair| {
            let mut level = read(LEVEL, pair)?;
            Some((level.remove("price")?, level.remove("size")?))
        })?,
        Kind::Bands => bands(value).unwrap_or_else(|| "bad".to_owned()),
        Kind::Loose(kind) => spell(*kind, value).unwrap_or_else(|| "bad".to_owned()),
        Kind::Names => {
            let names: Option<Vec<_>> = value.as_array()?.iter().map(Value::as_str).collect();
            format!("{:?}", names?)
        }
        Kind::Object(table) => format!("{:?}", read(table, value)?),
        Kind::Objects(table) => {
            let list: Option<Vec<_>> =
                value.as_array()?.iter().map(|item| read(table, item)).collect();
            format!("{:?}", list?)
        }
    })
}

fn levels(value: &Value, level: impl Fn(&Value) -> Option<(String, String)>) -> Option<String> {
    let list: Vec<_> = value.as_array()?.iter().map(level).collect::<Option<_>>()?;
    let mut prices: Vec<_> = list.iter().map(|(px, _)| px).collect();
    prices.sort();
    prices.dedup();
    (prices.len() == list.len()).then(|| spell_levels(list))
}

/// Levels as both sides spell them.
pub fn spell_levels(list: impl IntoIterator<Item = (impl ToString, impl ToString)>) -> String {
    list.into_iter().map(|(px, qty)| format!("{}x{} ", px.to_string(), qty.to_string())).collect()
}

fn bands(value: &Value) -> Option<String> {
    let mut list = Vec::new();
    for band in value.as_array()? {
        let band = read(BAND, band)?;
        let part = |name: &str| band[name].parse::<u16>().unwrap();
        list.push((part("start"), part("end"), part("step")));
    }
    let grid = Grid::banded(&list).ok()?;
    Some(format!("{grid:?}"))
}

fn is_minus(value: &Value) -> bool {
    value.to_string().trim_start_matches('"').starts_with('-')
}

/// A decimal in units of 10^-`scale`; what is finer is cut, or refuses it where `exact`.
fn decimal(value: &Value, scale: usize, exact: bool) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (sign, text) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let (whole, part) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(_) if scale == 0 => return None, // a whole number has no point, not even `1.0`
        Some(split) => split,
        None => (text, ""),
    };
    let digits = format!("{whole}{part:0<scale$}");
    if digits.len() > 36 || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (kept, cut) = digits.split_at(whole.len() + scale);
    if exact && cut.bytes().any(|b| b != b'0') {
        return None;
    }
    Some(sign * format!("0{kept}").parse::<i128>().unwrap())
}

/// Messages of a table: mostly sound, with a fault here and there.
pub fn message(table: Table) -> BoxedStrategy<Value> {
    let fields: Vec<_> = table
        .iter()
        .map(|&(name, kind, required)| {
            let there = if required { 60 } else { 3 };
            let value = prop_oneof![
                there => good(kind).prop_map(Some),
                1 => Just(None),
            ];
            let value = prop_oneof![
                60 => value,
                1 => bad().prop_map(Some),
            ];
            value.prop_map(move |value| (name, value))
        })
        .collect();
    fields
        .prop_map(|fields| {
            let there = fields.into_iter().filter_map(|(k, v)| Some((k.to_owned(), v?)));
            Value::Object(there.collect::<Map<_, _>>())
        })
        .boxed()
}

fn good(kind: Kind) -> BoxedStrategy<Value> {
    let text = |pattern: &'static str| pattern.prop_map(Value::from).boxed();
    match kind {
        Kind::Text => text("[A-Z0-9.\"\\\\/é-]{0,12}"),
        Kind::Present => text("[a-z]{1,5}"),
        Kind::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Whole => {
            prop_oneof![any::<u64>().prop_map(|v| json!(v)), text("[0-9]{1,13}")].boxed()
        }
        Kind::Signed => {
            prop_oneof![any::<i64>().prop_map(|v| json!(v)), text("-?[0-9]{1,9}")].boxed()
        }
        Kind::Price => prop_oneof![
            5 => text("0\\.[0-9]{1,4}"),
            1 => text("(0?\\.[0-9]{2,4}0{0,2}|[01]|1\\.0{1,5})"),
            1 => number("0\\.[0-9]{1,4}"),
            1 => (0u8..2).prop_map(|v| json!(v)),
        ]
        .boxed(),
        Kind::PriceOrBlank => prop_oneof![6 => good(Kind::Price), 1 => Just(json!(""))].boxed(),
        Kind::Step => prop_oneof![
            2 => Just(json!("0.01")),
            2 => Just(json!("0.001")),
            1 => Just(json!(0.01)),
            1 => Just(json!("0.003")),
            1 => Just(json!("")),
        ]
        .boxed(),
        Kind::Size => prop_oneof![
            4 => text("[0-9]{1,9}(\\.[0-9]{1,6})?"),
            1 => number("[1-9][0-9]{0,5}\\.[0-9]{1,6}"),
            1 => any::<u32>().prop_map(|v| json!(v)),
        ]
        .boxed(),
        Kind::Change => prop_oneof![
            4 => text("-?[0-9]{1,9}\\.[0-9]{2}0{0,2}"),
            1 => number("-?[1-9][0-9]{0,5}\\.[0-9]{1,2}"),
            1 => any::<i32>().prop_map(|v| json!(v)),
        ]
        .boxed(),
        Kind::Ratio => {
            prop_oneof![text("[0-9]{1,3}(\\.[0-9]{1,6})?"), number("[1-9]\\.[0-9]{1,6}")].boxed()
        }
        Kind::Word(words) => proptest::sample::select(words).prop_map(Value::from).boxed(),
        Kind::Pairs => list(good(Kind::Price), |px, qty| json!([px, qty])),
        Kind::Levels => list(good(Kind::Price), |px, qty| json!({"price": px, "size": qty})),
        Kind::Bands => prop_oneof![
            Just(json!([{"start": "0.0000", "end": "1.0000", "step": "0.0100"}])),
            Just(json!([{"start": 0, "end": 0.1, "step": 0.001},
                {"start": "0.1", "end": "0.9", "step": "0.01"},
                {"start": "0.9", "end": "1", "step": "0.001"}])),
            Just(json!([{"start": "0.0000", "end": "1.0000", "step": "0.0003"}])),
            Just(json!([])),
        ]
        .boxed(),
        Kind::Names => {
            proptest::collection::vec("[a-z0-9]{0,9}", 0..4).prop_map(|names| json!(names)).boxed()
        }
        Kind::Loose(kind) => good(*kind),
        Kind::Object(table) => message(table),
        Kind::Objects(table) => {
            proptest::collection::vec(message(table), 0..4).prop_map(Value::Array).boxed()
        }
    }
}

fn list(
    price: BoxedStrategy<Value>,
    level: impl Fn(Value, Value) -> Value + Copy + 'static,
) -> BoxedStrategy<Value> {
    let pair = (price, good(Kind::Size)).prop_map(move |(px, qty)| level(px, qty));
    proptest::collection::vec(pair, 0..8).prop_map(Value::Array).boxed()
}

/// A JSON number with a point, spelt as the shortest text of the float: what a sender that keeps
/// floats would write.
fn number(pattern: &'static str) -> BoxedStrategy<Value> {
    pattern.prop_map(|text| json!(text.parse::<f64>().unwrap())).boxed()
}

/// Values that fit hardly anywhere.
fn bad() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!([1, ["0.5"]])),
        Just(json!(true)),
        Just(json!(-0.25)),
        Just(json!(0.30000000000000004)),
        Just(json!("NaN")),
        Just(json!("maybe")),
        Just(json!("1e-2")),
        Just(json!("-0.5")),
        Just(json!("123456789012345678901234567890")),
        Just(json!([["0.5", "1"], ["0.50", "2"]])),
        Just(json!([["0.5", "1", "2"]])),
        Just(json!([{"price": "0.5", "size": "1"}, {"price": 0.5, "size": "1"}])),
    ]
    .boxed()
}

/// Writes values with shuffled keys, white space, needless escapes and unknown fields.
pub struct Writer {
    seed: u64,
    out: String,
    /// Unknown fields hold objects, which may hold unknown fields: a few levels are enough.
    odd_left: u32,
}

impl Writer {
    /// The text of `value`, one of many.
    pub fn write(seed: u64, value: &Value) -> String {
        let mut writer = Writer { seed, out: String::new(), odd_left: 8 };
        writer.value(value);
        writer.blank();
        writer.out
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
        (self.seed >> 33) % limit
    }

    fn blank(&mut self) {
        if self.below(4) == 0 {
            let blank = [" ", "\n", "\t", "\r\n", "          "][self.below(5) as usize];
            self.out.push_str(blank);
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\') || (c.is_ascii() && self.below(40) == 0) {
                self.out.push_str(&format!("\\u{:04x}", c as u32));
            } else {
                self.out.push(c);
            }
        }
        self.out.push('"');
    }

    fn value(&mut self, value: &Value) {
        self.blank();
        match value {
            Value::Object(object) => self.object(object),
            Value::Array(list) => {
                self.out.push('[');
                for (number, item) in list.iter().enumerate() {
                    self.comma(number);
                    self.value(item);
                }
                self.blank();
                self.out.push(']');
            }
            Value::String(text) => self.text(text),
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn object(&mut self, object: &Map<String, Value>) {
        let mut fields: Vec<_> = object.clone().into_iter().collect();
        if self.below(3) == 0 && self.odd_left > 0 {
            self.odd_left -= 1;
            let odd = json!({"price": [0.1, {"msg": null, "type": "book"}], "n": -1.5e3});
            fields.push(("x_unknown".to_owned(), odd));
        }
        for at in (1..fields.len()).rev() {
            let other = self.below(at as u64 + 1) as usize;
            fields.swap(at, other);
        }
        self.out.push('{');
        for (number, (key, value)) in fields.iter().enumerate() {
            self.comma(number);
            self.blank();
            self.text(key);
            self.blank();
            self.out.push(':');
            self.value(value);
        }
        self.blank();
        self.out.push('}');
    }

    fn comma(&mut self, number: usize) {
        if number > 0 {
            self.blank();
            self.out.push(',');
        }
    }
}
