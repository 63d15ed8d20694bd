//! The one JSON object that a replay ends with.

use engine::core::Core;
use engine::pair::{Direction, PairId};
use engine::units::Usd;
use feeds::figures::Figures;
use serde_json::{Map, Value, json};

use super::run::Outcome;
use crate::digest;

/// Keys whose values differ between equal replays: they tell of the machine, not of the market.
pub const NOT_REPEATABLE: [&str; 4] = ["elapsed_s", "frames_per_s", "topology", "speed"];

/// The summary of a replay. Money is in micro-dollars, hashes are hexadecimal.
pub fn summary(outcome: &Outcome, grouping: &str, speed: &str) -> Value {
    let (kalshi, polymarket) = (outcome.kalshi.figures(), outcome.polymarket.figures());
    let frames = kalshi.frames + polymarket.frames;
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| {
        all.insert(key.to_owned(), value);
    };
    put("frames", json!(frames));
    put("parse_errors", json!(kalshi.parse_errors + polymarket.parse_errors));
    put(
        "by_venue",
        json!({
            "kalshi": venue(kalshi, &digest::kalshi(&outcome.kalshi)),
            "polymarket": venue(polymarket, &digest::polymarket(&outcome.polymarket)),
        }),
    );
    let core = outcome.core.core();
    let figures = core.figures();
    put("pairs", json!(core.pairs().pairs().len()));
    put("evaluations", json!(figures.evaluations));
    put("candidates", json!(figures.candidates));
    put("candidates_by", candidates_by(core));
    put("best_edge_micro_usd", json!(figures.best_edge.map(Usd::e6)));
    put("edge_hash", json!(format!("{:016x}", figures.edge_hash)));
    put("opportunities", json!(figures.episodes));
    put("decisions", json!(figures.decisions));
    put("decision_hash", json!(format!("{:016x}", figures.decision_hash)));
    put("fills", json!(figures.fills));
    put("realised_profit_micro_usd", json!(figures.realised.e6()));
    let accounts = core.accounts();
    put("unhedged_micro_usd", json!(accounts.inventory.e6()));
    put(
        "cash_micro_usd",
        json!({ "kalshi": accounts.cash[0].e6(), "polymarket": accounts.cash[1].e6() }),
    );
    put("topology", json!(grouping));
    put("speed", json!(speed));
    let ms = u64::try_from(outcome.elapsed.as_millis()).unwrap_or(u64::MAX);
    put("elapsed_s", seconds(ms));
    let micros = outcome.elapsed.as_micros().max(1);
    let rate = u128::from(frames) * 1_000_000 / micros;
    put("frames_per_s", json!(u64::try_from(rate).unwrap_or(u64::MAX)));
    Value::Object(all)
}

fn venue(figures: &Figures, book_digest: &str) -> Value {
    let mut all: Map<String, Value> =
        figures.list().into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
    all.insert("book_digest".to_owned(), json!(book_digest));
    Value::Object(all)
}

/// By pair and direction, where there were any.
fn candidates_by(core: &Core) -> Value {
    let mut by_pair = Map::new();
    for (number, pair) in (0..).zip(core.pairs().pairs()) {
        let counts = core.candidates_by(PairId(number));
        let by_direction: Map<String, Value> = Direction::ALL
            .into_iter()
            .filter(|direction| counts[direction.index()] > 0)
            .map(|direction| {
                (direction.name(pair.polarity).to_owned(), json!(counts[direction.index()]))
            })
            .collect();
        if !by_direction.is_empty() {
            by_pair.insert(pair.id.clone(), Value::Object(by_direction));
        }
    }
    Value::Object(by_pair)
}

/// Milliseconds as a JSON number of seconds.
fn seconds(ms: u64) -> Value {
    // Printed and parsed, not divided: the decimal is exact where a quotient would not be.
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// What makes JSON the summary of a replay; less of it would be equal to too much.
const GOLDEN_KEYS: [&str; 4] = ["frames", "by_venue", "edge_hash", "decision_hash"];

/// The first key without which a golden summary cannot be compared.
pub fn missing_key(golden: &Value) -> Option<&'static str> {
    GOLDEN_KEYS.into_iter().find(|key| golden.get(key).is_none())
}

/// The first place where two summaries differ in what must be equal, in words.
pub fn first_difference(golden: &Value, now: &Value) -> Option<String> {
    differ("", golden, now)
}

fn differ(path: &str, golden: &Value, now: &Value) -> Option<String> {
    let (Value::Object(want), Value::Object(have)) = (golden, now) else {
        return (golden != now).then(|| format!("{path}: golden {golden}, now {now}"));
    };
    for (key, value) in want {
        if path.is_empty() && NOT_REPEATABLE.contains(&key.as_str()) {
            continue;
        }
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let Some(now) = have.get(key) else {
            return Some(format!("{path}: golden {value}, now absent"));
        };
        if let Some(found) = differ(&path, value, now) {
            return Some(found);
        }
    }
    have.keys()
        .find(|key| !want.contains_key(*key))
        .filter(|_| !path.is_empty())
        .map(|key| format!("{path}.{key}: golden has none, now {}", have[key]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_object_is_no_golden_summary() {
        assert_eq!(missing_key(&json!({})), Some("frames"));
        assert_eq!(missing_key(&json!([1])), Some("frames"));
        assert_eq!(missing_key(&json!({"frames": 1, "by_venue": {}})), Some("edge_hash"));
    }

    #[test]
    fn the_first_difference_is_named() {
        let golden = json!({"frames": 3, "elapsed_s": 1.0, "by_venue": {"kalshi": {"deltas": 7}}});
        let same = json!({"frames": 3, "elapsed_s": 9.0, "by_venue": {"kalshi": {"deltas": 7}}});
        assert_eq!(first_difference(&golden, &same), None, "time does not count");
        let other = json!({"frames": 3, "elapsed_s": 1.0, "by_venue": {"kalshi": {"deltas": 8}}});
        assert_eq!(
            first_difference(&golden, &other).unwrap(),
            "by_venue.kalshi.deltas: golden 7, now 8"
        );
        let less = json!({"frames": 3, "elapsed_s": 1.0, "by_venue": {"kalshi": {}}});
        assert_eq!(
            first_difference(&golden, &less).unwrap(),
            "by_venue.kalshi.deltas: golden 7, now absent"
        );
    }
}
