//! Our books against the simulated venues' ledgers, to the micro-dollar and the micro-contract.

use std::collections::BTreeMap;

use engine::core::Core;
use engine::pair::{Outcome, PairId};
use engine::units::Venue;
use serde_json::Value;
use sim::venue::Standing;

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

/// How the one account of a venue stands by its ledger; `None` where the ledger holds none.
pub fn standing(venue: Venue, ledger: &Value) -> Option<Standing> {
    let account = ledger["accounts"].get(0)?;
    let fills = || list(&account["fills"]).filter(|fill| fill["status"] != "FAILED");
    let (cash, held): (i64, &Value) = match venue {
        Venue::Kalshi => (sum(&account["cash"]), &account["positions"]),
        Venue::Polymarket => (whole(&account["cash"]), &account["shares"]),
    };
    let of = |held: &Value| held.as_i64().or(held["position_e2"].as_i64()).unwrap_or(0);
    let held = held.as_object().into_iter().flatten();
    Some(Standing {
        cash,
        held: held.map(|(name, held)| (name.clone(), of(held))).collect(),
        orders: list(&account["orders"]).count() as u64,
        fills: fills().count() as u64,
        fees: fills().map(|fill| whole(&fill["fee"])).sum(),
        failed: (list(&account["fills"]).count() - fills().count()) as u64,
        orders_of_an_id: ledger["orders_by_client_order_id"].as_u64().unwrap_or(0),
        reused_headers: ledger["reused_headers"].as_u64().unwrap_or(0),
        overfilled: ledger["overfilled_orders"].as_u64().unwrap_or(0),
    })
}

/// Compares the core's cash and positions with the ledgers of both venues, each with one account.
pub fn audit(core: &Core, file: &PairFile, kalshi: &Value, polymarket: &Value) -> Audit {
    let [first, second] =
        [standing(Venue::Kalshi, kalshi), standing(Venue::Polymarket, polymarket)];
    match (first, second) {
        (Some(first), Some(second)) => compare(core, file, &[first, second]),
        (first, second) => {
            let found = Venue::ALL.into_iter().zip([first, second]);
            let none = found.filter(|(_, found)| found.is_none());
            let text = |(venue, _)| format!("{venue}: the ledger holds no account");
            Audit { differences: none.map(text).collect(), ..Audit::default() }
        }
    }
}

/// Compares the core's cash and positions with how the accounts of both venues stand.
pub fn compare(core: &Core, file: &PairFile, accounts: &[Standing; 2]) -> Audit {
    let [first, second] = accounts;
    let mut audit = Audit {
        cash: [first.cash, second.cash],
        fees: [first.fees, second.fees],
        orders: [first.orders, second.orders],
        fills: [first.fills, second.fills],
        ..Audit::default()
    };
    let differences = &mut audit.differences;
    let ours = [core.net().purse().cash().e6(), core.tokens().purse.cash().e6()];
    for (venue, (theirs, ours)) in Venue::ALL.into_iter().zip(audit.cash.into_iter().zip(ours)) {
        let what = || format!("{venue}: cash in micro-dollars");
        differ(differences, what, theirs, ours);
    }
    let held = positions(file, accounts);
    let places = file.pairs.iter().zip(core.pairs().pairs()).zip(0..);
    for ((spec, pair), _) in places.filter(|(_, at)| core.pairs().is_live(PairId(*at))) {
        let [kalshi_market, poly_market] = pair.sides.map(|side| side.market.index());
        let [net, yes, no] = held.get(&spec.id).copied().unwrap_or_default();
        let what = || format!("kalshi: position in {}", spec.kalshi.ticker);
        differ(differences, what, net, core.net().position_e6(kalshi_market));
        for (outcome, theirs) in [(Outcome::Yes, yes), (Outcome::No, no)] {
            let ours = core.tokens().balance(poly_market, outcome).e6();
            let what = || format!("polymarket: {} tokens of {}", outcome.name(), spec.id);
            differ(differences, what, theirs, i64::try_from(ours).unwrap_or(i64::MAX));
        }
    }
    differences.dedup();
    let most = first.orders_of_an_id;
    if most > 1 {
        differences.push(format!("kalshi: {most} orders of one client_order_id"));
    }
    audit
}

/// Positions by pair as the venues have them, those that are not nothing: Kalshi's (YES above
/// zero, NO below) and Polymarket's YES and NO; 1e-6 contracts.
pub fn positions(file: &PairFile, accounts: &[Standing; 2]) -> BTreeMap<String, [i64; 3]> {
    let [first, second] = accounts;
    let of = |spec: &PairSpec| {
        let net = first.held.get(&spec.kalshi.ticker).copied().unwrap_or(0);
        let token = |id: &str| second.held.get(id).copied().unwrap_or(0);
        let (yes, no) = (&spec.polymarket.yes, &spec.polymarket.no);
        (spec.id.clone(), [net.saturating_mul(10_000), token(yes), token(no)])
    };
    file.pairs.iter().map(of).filter(|(_, held)| *held != [0; 3]).collect()
}

/// What our contracts paid when the markets settled, by the ledgers before and after.
pub fn paid_out(before: &Audit, kalshi: &Value, polymarket: &Value) -> [i64; 2] {
    let cash = |venue, ledger| standing(venue, ledger).map_or(0, |account| account.cash);
    [
        cash(Venue::Kalshi, kalshi) - before.cash[0],
        cash(Venue::Polymarket, polymarket) - before.cash[1],
    ]
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

fn differ(to: &mut Vec<String>, what: impl FnOnce() -> String, theirs: i64, ours: i64) {
    if theirs != ours {
        to.push(format!("{}: the venue says {theirs}, we believe {ours}", what()));
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
        let stand = |kalshi: &Value, poly: &Value| {
            [(Venue::Kalshi, kalshi), (Venue::Polymarket, poly)]
                .map(|(venue, ledger)| standing(venue, ledger).unwrap_or_default())
        };
        let held = positions(&file, &stand(&kalshi(599_999_999, 1), &poly(1)));
        assert_eq!(held, BTreeMap::from([(file.pairs[0].id.clone(), [10_000, 1, 0])]));
        assert_eq!(positions(&file, &stand(&kalshi(0, 0), &json!({}))), BTreeMap::new());
        let none = audit(&core, &file, &json!({}), &poly(0));
        assert!(none.differences[0].contains("kalshi"));
    }
}
