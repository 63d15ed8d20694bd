//! Before a run that sends orders: the journal is read, the venues are asked, and what the run
//! begins with is written down.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;
use std::time::{Duration, SystemTime};

use engine::clock::{Clock, TscClock};
use engine::pair::PairTable;
use engine::risk::day::DayResult;
use engine::tile::Now;
use engine::top::MarketId;
use engine::units::{Ns, Usd, Venue};
use exec::journal::Record;
use exec::journal::files::Files;
use exec::journal::fold::State;
use exec::journal::reader;
use exec::journal::storage::Storage;

use super::keep::{Journalled, Kept};
use super::opening;
use super::prune;
use super::recover::{self, Patience, Recovered, Since, recover};
use super::truth::Books;
use crate::config::{Config, Environment};
use crate::crash::CrashPoint;
use crate::pairs::PairFile;
use crate::rest::{keys, wall};
use crate::run::spec::RunSpec;
use crate::state::day;

/// How a run is meant to start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Orders cost money.
    pub live: bool,
    /// Take the venues' word where nothing explains a difference.
    pub adopt: bool,
    /// What is kept of the last day.
    pub day: day::Kept,
}

/// What left before a crash arrives within this time, or never: the venues' window for time stamps
/// and the lag of their lists. A simulated venue is on this host, and its lists do not lag.
const fn arrival(environment: Environment) -> Duration {
    match environment {
        Environment::Sim => Duration::from_secs(3),
        Environment::Prod | Environment::Demo => Duration::from_secs(60),
    }
}

/// How patient a start is.
pub const fn patience(environment: Environment, adopt: bool) -> Patience {
    Patience { arrival: arrival(environment), longest: Duration::from_secs(180), adopt }
}

/// What a journal says, without a change to it; nothing where there is none. Whoever starts reads
/// it again, and says what is wrong with it.
///
/// # Errors
/// The storage's, in words.
pub fn left(dir: &Path) -> Result<State, String> {
    let mut state = State::default();
    if dir.is_dir() {
        let words = |error: &dyn Display| format!("{}: {error}", dir.display());
        let mut files = Files::open(dir).map_err(|error| words(&error))?;
        reader::read(&mut files, &mut |_, record| state.take(record))
            .map_err(|error| words(&error))?;
    }
    Ok(state)
}

/// Names of the markets that something is held of, or that orders may still fill in.
pub fn touched(state: &State) -> BTreeSet<String> {
    let key = |market: MarketId| (market.venue().index(), market.index());
    let held = state.held.iter().filter(|(_, held)| **held != [0; 2]).map(|(key, _)| *key);
    let open = state.open().map(|known| key(known.order.market));
    let armed = state.armed.iter().map(|(_, market, ..)| key(*market));
    let keys = held.chain(open).chain(armed);
    keys.filter_map(|key| state.markets.get(&key).cloned()).collect()
}

/// What a journal holds in markets of no pair: no start compares it with the venues, and no run
/// would ever trade it.
fn nobodys(state: &State, file: &PairFile) -> Vec<String> {
    let is_known = |venue: usize, name: &str| {
        file.pairs.iter().any(|pair| match venue == Venue::Kalshi.index() {
            true => pair.kalshi.ticker == name,
            false => pair.polymarket.condition_id == name,
        })
    };
    let held = state.held.iter().filter(|(_, held)| **held != [0; 2]);
    let tell = |(key, held): (&(usize, usize), &[i64; 2])| {
        let name = state.markets.get(key).filter(|name| !is_known(key.0, name))?;
        let (venue, [yes, no]) = (Venue::ALL[key.0], held);
        Some(format!(
            "{venue}: the journal holds {yes} YES and {no} NO (millionths) of {name}, which is in \
             no pair of this run: add its pair again, or --adopt leaves it to you"
        ))
    };
    held.filter_map(tell).collect()
}

/// Recovers, puts what was found into the spec, and begins the journal of the run.
///
/// # Errors
/// A readable list of what keeps the run from starting.
pub fn start(
    config: &Config,
    spec: &mut RunSpec,
    books: &mut dyn Books,
    asked: Asked,
) -> Result<Journalled, String> {
    let line = |text: String| format!("  - {text}\n");
    if let Some(keep) = config.journal.keep {
        let now = SystemTime::now();
        let gone = prune::prune(&config.journal.dir, keep, now, &prune::Fate::Delete);
        let name = config.journal.dir.display();
        let gone = gone.map_err(|why| line(format!("{name}: {why}")))?;
        if gone.segments > 0 {
            let (count, bytes) = (gone.segments, gone.bytes);
            eprintln!("deleted {count} old segments of the journal, {bytes} bytes");
        }
    }
    let kept = Kept::open(&config.journal.dir, config.crash_at.clone()).map_err(line)?;
    if let Some(torn) = kept.torn() {
        eprintln!("{torn}");
    }
    if kept.state.contradictions > 0 {
        eprintln!(
            "{} records of the last run contradict each other: see `parallax journal show`",
            kept.state.contradictions
        );
    }
    let file = spec.pair_file().map_err(line)?;
    let nobodys: String = nobodys(&kept.state, &file).into_iter().map(line).collect();
    if !nobodys.is_empty() && !asked.adopt {
        return Err(nobodys);
    }
    eprint!("{nobodys}");
    let table = spec.setup().map_err(line)?.table;
    let patience = patience(config.environment, asked.adopt);
    let found = recover(&kept.state, &file, &table, books, patience).map_err(|list| {
        match asked.live {
            true => format!("the journal and the venues do not agree:\n{list}  Explain each, then start with --adopt to take the venues' word\n"),
            false => format!("the journal and the venues do not agree:\n{list}"),
        }
    })?;
    if let Some(fuse) = &config.crash_at {
        fuse.pass(CrashPoint::Recovered);
    }
    for note in &found.notes {
        eprintln!("recovered: {note}");
    }
    let seed = keys::seed().map_err(|problem| line(problem.0))?;
    // Sixty bits make the ids of orders; see the gate.
    let run = seed.first_chunk().map_or(0, |le| u64::from_le_bytes(*le)) >> 4;
    let (head, now) = ((run, wall(), asked.live), TscClock::new().now());
    carry(spec, &file, &found, asked.day, head.1);
    begin(kept, found, spec, head, config.journal.durable, (&file, &table), now).map_err(line)
}

/// What the day comes to that this run goes on with, and what is taken over is taken to have cost.
/// What orders came to that a crash left open counts like what was heard of them, and so does what
/// settled meanwhile, though no gain of that goes beyond what was counted as lost today.
fn carry(spec: &mut RunSpec, file: &PairFile, found: &Recovered, kept: day::Kept, wall: Ns) {
    let day = DayResult::day_of(wall);
    let (mut result, open) = match kept.today.day == day {
        true => (kept.today.result, kept.open),
        false => (Usd::ZERO, Usd::ZERO),
    };
    let Since { traded, settled, alone: before } = found.since;
    result += traded + settled.min(open);
    if spec.repair.is_some_and(|repair| repair.adopt) {
        let alone: u64 = found.alone.values().sum();
        let cost = |contracts_e6: u64| Usd::new(i64::try_from(contracts_e6).unwrap_or(i64::MAX));
        // What was found cost what it cost; of what nobody knows, no contract cost more than the
        // dollar that it may pay.
        let spent = (Usd::ZERO - traded).max(Usd::ZERO);
        let known = kept.naked.e6() + alone.saturating_sub(before);
        let all = kept.open + spent + cost(alone.saturating_sub(known));
        let each = i128::from(all.e6()) * 1_000_000 / i128::from(alone.max(known).max(1));
        let each = Usd::new(i64::try_from(each + 1).unwrap_or(i64::MAX)).min(Usd::ONE);
        spec.adopted_each = each.e6();
        // It is part of what is held from now on, and counts as lost there. Of a market that is in
        // several pairs nothing is taken over.
        let taken: u64 = recover::alone_of(file, &found.alone);
        let taken = i128::from(each.e6()) * i128::from(taken) / 1_000_000;
        let taken = Usd::new(i64::try_from(taken).unwrap_or(i64::MAX));
        result += taken.min(open + spent);
    }
    spec.today = (day, result.e6());
}

/// Puts what was found into the spec, and begins the journal of the run. `head` is its number,
/// which never repeats, when it begins, and whether its orders cost money.
///
/// # Errors
/// The storage's, in words.
pub fn begin<S: Storage>(
    kept: Kept<S>,
    found: Recovered,
    spec: &mut RunSpec,
    head: (u64, Ns, bool),
    waits: bool,
    (file, table): (&PairFile, &PairTable),
    now: Now,
) -> Result<Journalled<S>, String> {
    spec.cash = found.cash.map(Usd::e6);
    spec.held = found.held.clone();
    let mut records = found.records;
    records.extend(opening::records(head, file, table, found.cash, &found.held));
    records.extend(found.seen.iter().map(|trade| Record::Seen { trade: *trade }));
    kept.begin(head.0, waits, &records, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::model::{Model, Options};
    use engine::pair::Outcome;
    use exec::journal::record::name;

    /// What a day comes to, in cents, and what a contract was taken to cost, where so much is kept
    /// of it, this became known, and so many contracts are alone.
    fn carried(
        adopt: bool,
        is_today: bool,
        [result, open, naked]: [i64; 3],
        [traded, settled, before, alone]: [i64; 4],
    ) -> (i64, i64) {
        let model = Model::new(Options::default());
        let mut spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
        let repair = engine::repair::RepairConfig { adopt, ..Default::default() };
        spec.repair = Some(repair.into());
        let file = spec.pair_file().unwrap();
        let cents = |cents: i64| Usd::new(cents * 10_000);
        let contracts = |contracts: i64| contracts as u64 * 1_000_000;
        let found = Recovered {
            cash: [Usd::ZERO; 2],
            held: BTreeMap::new(),
            alone: BTreeMap::from([(file.pairs[0].id.clone(), contracts(alone))]),
            records: Vec::new(),
            notes: Vec::new(),
            since: Since {
                traded: cents(traded),
                settled: cents(settled),
                alone: contracts(before),
            },
            seen: Vec::new(),
        };
        let wall = Ns(20_000 * 86_400_000_000_000 + 5);
        let day = if is_today { 20_000 } else { 19_999 };
        let kept = day::Kept {
            today: DayResult { day, result: cents(result) },
            open: cents(open),
            naked: engine::units::Shares::new(contracts(naked)),
        };
        carry(&mut spec, &file, &found, kept, wall);
        assert_eq!(spec.today.0, 20_000);
        let micro = |e6: i64| (e6 + 5_000).div_euclid(10_000);
        (micro(spec.today.1), spec.adopted_each)
    }

    #[test]
    fn what_a_crash_left_open_and_what_settled_count_on_the_day() {
        for adopt in [false, true] {
            // One leg was heard of, ten at 40 cents; the other one is found, at 57.
            let hedged = carried(adopt, true, [-500, 400, 10], [430, 0, 10, 0]);
            assert_eq!(hedged.0, -70, "{adopt}");
            // A loss that nobody had heard of counts, of yesterday's journal too.
            assert_eq!(carried(adopt, true, [-500, 0, 0], [-30, 0, 0, 0]).0, -530);
            assert_eq!(carried(adopt, false, [-500, 0, 0], [-30, 0, 0, 0]).0, -30);
            // What settled brings back what was counted as lost today, and no more.
            assert_eq!(carried(adopt, true, [-500, 400, 10], [0, 1_000, 10, 0]).0, -100);
            assert_eq!(carried(adopt, false, [-500, 400, 10], [0, 1_000, 10, 0]).0, 0);
        }
        // Found alone: it counts as lost.
        assert_eq!(carried(false, true, [0, 0, 0], [-400, 0, 0, 10]).0, -400);
    }

    #[test]
    fn what_is_taken_over_costs_what_it_did_and_a_dollar_where_nobody_knows() {
        // The core counts the ten that it takes over as lost from the start.
        assert_eq!(carried(true, true, [-500, 400, 10], [0, 0, 10, 10]), (-100, 400_001));
        assert_eq!(carried(true, false, [-500, 400, 10], [0, 0, 10, 10]), (0, 400_001));
        assert_eq!(carried(true, true, [0, 0, 0], [-400, 0, 0, 10]), (0, 400_001));
        assert_eq!(carried(true, true, [0, 0, 0], [0, 0, 10, 10]), (0, 1_000_000));
        // Half of it is known.
        assert_eq!(carried(true, true, [-400, 400, 10], [0, 0, 20, 20]), (0, 700_001));
        assert_eq!(carried(false, true, [-500, 400, 10], [0, 0, 10, 10]), (-500, 0));
    }

    #[test]
    fn what_is_held_in_a_market_of_no_pair_is_named() {
        let model = Model::new(Options::default());
        let spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
        let file = spec.pair_file().unwrap();
        let pair = &file.pairs[0];
        let known = [&pair.kalshi.ticker, &pair.polymarket.condition_id].map(String::as_str);
        for (venue, mine, other) in
            [(Venue::Kalshi, known[0], "KXGONE"), (Venue::Polymarket, known[1], "0xgone")]
        {
            let mut state = State::default();
            let at = |index| MarketId::new(venue, index).unwrap();
            for (market, text) in [(at(0), mine), (at(1), other)] {
                state.take(&Record::Market { market, name: name(text) });
            }
            let hold = |market, e6| Record::Held { market, outcome: Outcome::Yes, e6 };
            state.take(&hold(at(0), 7));
            assert_eq!(nobodys(&state, &file), [""; 0]);
            state.take(&hold(at(1), -3));
            let told = nobodys(&state, &file);
            assert!(told.len() == 1 && told[0].contains(other), "{told:?}");
            assert_eq!(touched(&state).len(), 2);
        }
    }
}
