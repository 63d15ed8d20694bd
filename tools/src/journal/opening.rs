//! What a run begins with, as records: whoever reads the journal needs nothing else to know which
//! market is which and what was there.

use std::collections::BTreeMap;

use engine::pair::{Outcome, PairId, PairTable};
use engine::top::MarketId;
use engine::units::{Ns, Usd, Venue};
use exec::journal::Record;
use exec::journal::record::name;

use crate::pairs::{PairFile, PairSpec};

/// The records that begin a run. `held` is by pair: Kalshi's position (YES above zero, NO below)
/// and Polymarket's YES and NO; 1e-6 contracts.
pub fn records(
    (run, wall, live): (u64, Ns, bool),
    file: &PairFile,
    table: &PairTable,
    cash: [Usd; 2],
    held: &BTreeMap<String, [i64; 3]>,
) -> Vec<Record> {
    let mut records = vec![Record::Run { run, wall, live }];
    records.extend(markets(file, table));
    records.extend(standing(file, table, cash, held));
    records
}

fn markets(file: &PairFile, table: &PairTable) -> Vec<Record> {
    let pairs = file.pairs.iter().zip(table.pairs());
    let records = pairs.flat_map(|(spec, it)| pair(spec, it.sides.map(|side| side.market)));
    unique(records.collect())
}

/// Which markets a pair has.
pub fn pair(spec: &PairSpec, [first, second]: [MarketId; 2]) -> Vec<Record> {
    let p = &spec.polymarket;
    let token = |outcome, text: &str| Record::Token { market: second, outcome, name: name(text) };
    vec![
        Record::Market { market: first, name: name(&spec.kalshi.ticker) },
        Record::Market { market: second, name: name(&p.condition_id) },
        token(Outcome::Yes, &p.yes),
        token(Outcome::No, &p.no),
    ]
}

/// Money and positions as they are now: whatever the journal said before, this counts.
pub fn standing(
    file: &PairFile,
    table: &PairTable,
    cash: [Usd; 2],
    held: &BTreeMap<String, [i64; 3]>,
) -> Vec<Record> {
    let mut records: Vec<Record> = Venue::ALL
        .into_iter()
        .zip(cash)
        .map(|(venue, cash)| Record::Cash { venue, cash })
        .collect();
    let places = file.pairs.iter().zip(table.pairs()).zip(0..);
    for ((spec, pair), _) in places.filter(|(_, at)| table.is_live(PairId(*at))) {
        let [net, yes, no] = held.get(&spec.id).copied().unwrap_or_default();
        let [first, second] = pair.sides.map(|side| side.market);
        let mut hold = |market: MarketId, outcome, e6| {
            records.push(Record::Held { market, outcome, e6 });
        };
        hold(first, Outcome::Yes, net);
        hold(second, Outcome::Yes, yes);
        hold(second, Outcome::No, no);
    }
    unique(records)
}

/// A market may be in several pairs.
fn unique(records: Vec<Record>) -> Vec<Record> {
    let mut kept: Vec<Record> = Vec::with_capacity(records.len());
    for record in records {
        if !kept.contains(&record) {
            kept.push(record);
        }
    }
    kept
}
