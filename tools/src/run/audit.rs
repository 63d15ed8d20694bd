//! Our books against the simulated venues' ledgers, to the micro-dollar and the micro-contract.

use std::collections::BTreeMap;

use engine::core::Core;
use engine::pair::Outcome;
use engine::units::Venue;
use serde_json::Value;

use crate::pairs::{PairFile, PairSpec};

/// What the venues say of our account, and how that differs from what we believe.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Audit {
    /// Each difference in words; empty where the ledgers agree.
    pub differences: Vec<String>,
    /// Our money at Kalshi and Polymarket by their ledgers; micro-dollars.
    pub cash: [i64; 2],
    /// Fees that they charged us; micro-dollars.
    pub fees: [i64; 2],
    /// Orders that they know of us.
    pub orders: [u64; 2],
    /// Fills that they know of us.
    pub fills: [u64; 2],
}

impl Audit {
    /// True where both ledgers say what we believe.
    pub fn agrees(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Compares the core's cash and positions with the ledgers of both venues, each with one account.
pub fn audit(core: &Core, file: &PairFile, kalshi: &Value, polymarket: &Value) -> Audit {
    let mut audit = Audit::default();
    let accounts = [account(kalshi), account(polymarket)];
    let [Some(first), Some(second)] = accounts else {
        for (venue, account) in Venue::ALL.into_iter().zip(accounts) {
            if account.is_none() {
                audit.differences.push(format!("{venue}: the ledger holds no account"));
            }
        }
        return audit;
    };
    audit.cash = [sum(&first["cash"]), whole(&second["cash"])];
    let ours = [core.net().purse.cash().e6(), core.tokens().purse.cash().e6()];
    for (venue, (theirs, ours)) in Venue::ALL.into_iter().zip(audit.cash.into_iter().zip(ours)) {
        differ(&mut audit.differences, &format!("{venue}: cash in micro-dollars"), theirs, ours);
    }
    for (spec, pair) in file.pairs.iter().zip(core.pairs().pairs()) {
        let [kalshi_market, poly_market] = pair.sides.map(|side| side.market.index());
        let ticker = spec.kalshi.ticker.as_str();
        let theirs = whole(&first["positions"][ticker]["position_e2"]).saturating_mul(10_000);
        let ours = core.net().position_e6(kalshi_market);
        differ(&mut audit.differences, &format!("kalshi: position in {ticker}"), theirs, ours);
        for (outcome, token) in
            [(Outcome::Yes, &spec.polymarket.yes), (Outcome::No, &spec.polymarket.no)]
        {
            let theirs = whole(&second["shares"][token.as_str()]);
            let ours = core.tokens().balance(poly_market, outcome).e6();
            let what = format!("polymarket: {} tokens of {}", outcome.name(), spec.id);
            differ(&mut audit.differences, &what, theirs, i64::try_from(ours).unwrap_or(i64::MAX));
        }
    }
    audit.differences.dedup();
    let most = whole(&kalshi["orders_by_client_order_id"]);
    if most > 1 {
        audit.differences.push(format!("kalshi: {most} orders of one client_order_id"));
    }
    for (at, account) in [first, second].into_iter().enumerate() {
        audit.orders[at] = list(&account["orders"]).count() as u64;
        let counts = |fill: &&Value| fill["status"] != "FAILED";
        audit.fills[at] = list(&account["fills"]).filter(counts).count() as u64;
        let fees = list(&account["fills"]).filter(counts).map(|fill| whole(&fill["fee"]));
        audit.fees[at] = fees.sum();
    }
    audit
}

/// Positions by pair as the ledgers have them: Kalshi's (YES above zero, NO below) and
/// Polymarket's YES and NO; 1e-6 contracts.
pub fn positions(
    file: &PairFile,
    kalshi: &Value,
    polymarket: &Value,
) -> BTreeMap<String, [i64; 3]> {
    let (first, second) = (&kalshi["accounts"][0], &polymarket["accounts"][0]);
    let of = |spec: &PairSpec| {
        let net = &first["positions"][spec.kalshi.ticker.as_str()]["position_e2"];
        let token = |id: &str| whole(&second["shares"][id]);
        let (yes, no) = (&spec.polymarket.yes, &spec.polymarket.no);
        (spec.id.clone(), [whole(net).saturating_mul(10_000), token(yes), token(no)])
    };
    file.pairs.iter().map(of).filter(|(_, held)| *held != [0; 3]).collect()
}

/// What our contracts paid when the markets settled, by the ledgers before and after.
pub fn paid_out(before: &Audit, kalshi: &Value, polymarket: &Value) -> [i64; 2] {
    let cash = |ledger: &Value, of: fn(&Value) -> i64| {
        account(ledger).map_or(0, |account| of(&account["cash"]))
    };
    [cash(kalshi, sum) - before.cash[0], cash(polymarket, whole) - before.cash[1]]
}

fn account(ledger: &Value) -> Option<&Value> {
    ledger["accounts"].get(0)
}

fn whole(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// Over the shards.
fn sum(cash: &Value) -> i64 {
    cash.as_object().map_or(0, |shards| shards.values().map(whole).sum())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn differ(differences: &mut Vec<String>, what: &str, theirs: i64, ours: i64) {
    if theirs != ours {
        differences.push(format!("{what}: the venue says {theirs}, we believe {ours}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::core::CoreConfig;
    use serde_json::json;

    #[test]
    fn a_micro_dollar_and_a_micro_contract_are_seen() {
        let model = crate::model::Model::new(crate::model::Options::default());
        let file = crate::pairs::parse(&model.pairs_toml(), "model").unwrap();
        let options = crate::replay::setup::FeedOptions {
            no_side: Default::default(),
            audit_every: 0,
            learn: false,
        };
        let setup = crate::replay::setup::setup(&file, options).unwrap();
        let core = Core::new(setup.table, setup.markets, CoreConfig::default());
        let ticker = file.pairs[0].kalshi.ticker.as_str();
        let yes = file.pairs[0].polymarket.yes.as_str();
        let kalshi = |cash: i64, position: i64| {
            json!({"orders_by_client_order_id": 1, "accounts": [{
                "cash": {"0": cash, "3": 400_000_000}, "orders": [{}],
                "positions": {ticker: {"position_e2": position}},
                "fills": [{"fee": 70}, {"fee": 30}],
            }]})
        };
        let poly = |shares: i64| {
            json!({"accounts": [{
                "cash": 1_000_000_000, "shares": {yes: shares}, "orders": [],
                "fills": [{"fee": 5, "status": "FAILED"}, {"fee": 6, "status": "MINED"}],
            }]})
        };
        let agreed = audit(&core, &file, &kalshi(600_000_000, 0), &poly(0));
        assert_eq!(agreed.differences, [] as [String; 0]);
        assert_eq!((agreed.fees, agreed.orders, agreed.fills), ([100, 6], [1, 0], [2, 1]));
        assert_eq!(paid_out(&agreed, &kalshi(600_000_007, 0), &poly(0)), [7, 0]);
        let one = audit(&core, &file, &kalshi(599_999_999, 1), &poly(1));
        assert_eq!(one.differences.len(), 3, "{:?}", one.differences);
        let held = positions(&file, &kalshi(599_999_999, 1), &poly(1));
        assert_eq!(held, BTreeMap::from([(file.pairs[0].id.clone(), [10_000, 1, 0])]));
        assert_eq!(positions(&file, &kalshi(0, 0), &json!({})), BTreeMap::new());
        let none = audit(&core, &file, &json!({}), &poly(0));
        assert!(none.differences[0].contains("kalshi"));
    }
}
