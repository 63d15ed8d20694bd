//! Kalshi's money by shard. An order needs it on its market's own shard, whatever lies on the others
//! (kalshi.md section 4, "Shards"): without it Kalshi refuses, while the other venue fills its leg.

use std::collections::{BTreeMap, BTreeSet};

use engine::ledger::SHARDS_MAX;
use engine::pair::PairTable;
use engine::risk::Word;
use engine::units::Usd;

use crate::pairs::{PairFile, PairSpec};
use crate::rest::kalshi::Balance;

/// The money of an account by shard, in micro-dollars.
pub fn of(balance: &Balance) -> BTreeMap<u32, i64> {
    balance.shards.iter().map(|(shard, cash)| (*shard, cash.e6())).collect()
}

/// Why orders of these pairs would be refused for want of money; a sentence for each shard on which
/// a pair of them trades that may be decided on. Where something is held of a market, all of its
/// shard's money may be in it, and whoever holds it has to be able to start.
pub fn objections(
    file: &PairFile,
    balance: &Balance,
    is_held: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let all = file.pairs.iter();
    let held: BTreeSet<u32> = all
        .filter(|pair| is_held(&pair.kalshi.ticker))
        .map(|pair| pair.kalshi.exchange_index)
        .collect();
    let mut traded: BTreeMap<u32, &PairSpec> = BTreeMap::new();
    for pair in file.pairs.iter().filter(|pair| pair.verdict.may_decide()) {
        traded.entry(pair.kalshi.exchange_index).or_insert(pair);
    }
    let money = of(balance);
    let words = traded.into_iter().filter_map(|(shard, pair)| {
        let (ticker, id) = (&pair.kalshi.ticker, &pair.id);
        if number(shard).is_none() {
            return Some(format!(
                "Kalshi's market {ticker} (pair \"{id}\") trades on shard {shard}, and only shards \
                 below {SHARDS_MAX} can be told apart here: take the pair out of the table"
            ));
        }
        let is_there =
            money.get(&shard).is_some_and(|cash| *cash > 0) || held.contains(&shard);
        (!is_there).then(|| {
            format!(
                "Kalshi keeps money by shard, and shard {shard} has none, where {ticker} (pair \
                 \"{id}\") trades: move some there (`parallax balances` shows what lies where; Kalshi's \
                 POST /portfolio/intra_exchange_instance_transfer moves it), or take the pairs of \
                 that shard out of the table"
            )
        })
    });
    words.collect()
}

/// What the core is told before it begins: what lies on each shard, and where each market trades.
pub fn words(money: &BTreeMap<u32, i64>, table: &PairTable, file: &PairFile) -> Vec<Word> {
    let funded = money.iter().filter_map(|(shard, cash)| {
        Some(Word::Funded { shard: number(*shard)?, cash: Usd::new(*cash) })
    });
    let pairs = table.pairs().iter().zip(&file.pairs);
    let placed = pairs.filter_map(|(pair, spec)| {
        let shard = number(spec.kalshi.exchange_index)?;
        Some(Word::Shard { market: pair.sides[0].market, shard })
    });
    match money.is_empty() {
        true => Vec::new(),
        false => funded.chain(placed).collect(),
    }
}

/// The number under which the core knows a shard; `None` where it does not.
pub fn number(shard: u32) -> Option<u8> {
    u8::try_from(shard).ok().filter(|shard| usize::from(*shard) < SHARDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Model, Options};
    use crate::pairs;
    use crate::run::spec::{Fills, RunSpec};
    use engine::pair::Verdict;
    use engine::units::Venue;

    fn balance(shards: &[(u32, i64)]) -> Balance {
        let shards: Vec<_> = shards.iter().map(|(at, e6)| (*at, Usd::new(*e6))).collect();
        Balance { total: shards.iter().map(|(_, cash)| *cash).sum(), shards }
    }

    #[test]
    fn a_shard_without_money_on_which_a_pair_trades_is_named() {
        let model = Model::new(Options { markets: 3, ..Options::default() });
        let mut file = pairs::parse(&model.pairs_toml(), "model").unwrap();
        for (pair, shard) in file.pairs.iter_mut().zip([0, 3, 99]) {
            (pair.kalshi.exchange_index, pair.verdict) = (shard, Verdict::Approved);
        }
        let short =
            |file: &PairFile, money: &[(u32, i64)]| objections(file, &balance(money), &|_| false);
        let all = short(&file, &[(0, 1_000_000_000), (2, 5), (3, 0)]);
        assert_eq!(all.len(), 2, "{all:?}");
        for part in ["shard 3 has none", &file.pairs[1].kalshi.ticker, &file.pairs[1].id] {
            assert!(all[0].contains(part), "{part}: {}", all[0]);
        }
        assert!(all[1].contains("shard 99"), "{}", all[1]);
        let own = file.pairs[1].kalshi.ticker.clone();
        let spent = objections(&file, &balance(&[(0, 1)]), &|ticker| ticker == own);
        assert_eq!(spent.len(), 1, "all of shard 3 is in what is held: {spent:?}");
        file.pairs[2].verdict = Verdict::Blocked;
        assert_eq!(short(&file, &[(0, 1), (3, 1)]), [""; 0]);
        assert_eq!(short(&file, &[]).len(), 2, "what the venue does not name has nothing");
        file.pairs[1].verdict = Verdict::NeedsReview;
        assert_eq!(short(&file, &[(0, 1)]), [""; 0], "nothing of it is ever sent");
    }

    #[test]
    fn a_runs_core_knows_what_lies_on_each_pairs_shard() {
        let model = Model::new(Options { markets: 2, ..Options::default() });
        let text = model.pairs_toml().replacen("exchange_index = 0", "exchange_index = 3", 1);
        let shards = of(&balance(&[(0, 7), (3, 400), (77, 9)]));
        let cash = [500, 500];
        let spec = RunSpec {
            fills: Fills::Venues,
            shards,
            cash,
            ..RunSpec::new(vec![("model".to_owned(), text)])
        };
        // As a repetition reads it.
        let spec = RunSpec::from_note(&spec.to_note()).unwrap();
        let file = spec.pair_file().unwrap();
        let desk = spec.desk(&spec.setup().unwrap()).unwrap();
        let core = desk.core();
        assert!(!Venue::ALL.iter().any(|venue| core.is_gate_ready(*venue)), "none told so yet");
        for (pair, spec) in core.pairs().pairs().iter().zip(&file.pairs) {
            let market = pair.sides[Venue::Kalshi.index()].market.index();
            let free = core.net().free(market, Usd::ZERO).e6();
            let want = if spec.kalshi.exchange_index == 3 { 400 } else { 7 };
            assert_eq!(free, want, "{}", spec.id);
        }
        assert!(file.pairs.iter().any(|pair| pair.kalshi.exchange_index == 3));
        let one_purse = RunSpec { shards: BTreeMap::new(), ..spec };
        let desk = one_purse.desk(&one_purse.setup().unwrap()).unwrap();
        assert_eq!(desk.core().net().free(0, Usd::ZERO), Usd::new(500));
    }
}
