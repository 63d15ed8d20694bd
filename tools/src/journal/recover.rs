//! Start-up is crash recovery: asks both venues until every order of the last run is known and all
//! figures agree, or says in words what is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use engine::pair::{FeeRule, Outcome, PairTable, Polarity};
use engine::units::{Shares, Usd, Venue};
use exec::id::Id;
use exec::journal::Record;
use exec::journal::fold::{MarketKey, State};

use super::judge::{Difference, judge, noted};
use super::payouts;
use super::truth::{Books, OrderRow, Truth, Wanted};
use crate::pairs::PairFile;

/// Between two questions: the venues' lists lag by seconds.
pub const AGAIN: Duration = Duration::from_millis(500);

/// A difference that stays so long after everything else is known is one.
const STUBBORN: Duration = Duration::from_secs(10);

/// Whoever waits is told for what so often.
const REMIND: Duration = Duration::from_secs(5);

/// Less on one side alone is dust: no order of either venue can say it.
const ALONE_MIN_E6: u64 = 10_000;

/// Trades of a venue that are remembered from either end of its list: more than anybody makes by
/// hand while clocks may differ.
const SEEN_MAX: usize = 64;

/// A venue's clock may be so far from ours.
const SKEW_S: u64 = 10;

/// How patient a recovery is, and what it may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// What left before the crash arrives within this time, or never. It is waited for from when the
    /// accounts are ours: how long the engine lived after its last record nobody knows, because a
    /// disk that hangs holds up records and not the orders whose ids it holds.
    pub arrival: Duration,
    /// Longest wait for the venues to agree with themselves.
    pub longest: Duration,
    /// Where the venue's figures differ and nothing explains it, they count from now on.
    pub adopt: bool,
}

/// What a run begins with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// Money by venue.
    pub cash: [Usd; 2],
    /// Positions by pair, those that are not nothing: Kalshi's (YES above zero, NO below) and
    /// Polymarket's YES and NO; 1e-6 contracts.
    pub held: BTreeMap<String, [i64; 3]>,
    /// What of it is held on one side of a pair alone, by pair, without dust; 1e-6 contracts.
    pub alone: BTreeMap<String, u64>,
    /// What was found, for the journal.
    pub records: Vec<Record>,
    /// The same in words.
    pub notes: Vec<String>,
    /// What that changed of what the day came to.
    pub since: Since,
    /// The latest trades that are not the engine's: what it begins with holds them already, though
    /// the venues will list them as if they came after, where their clocks are behind.
    pub seen: Vec<Id>,
}

/// What became known since the journal ended: money, with each contract that pays a dollar with one
/// of the other side counted as that dollar, and everything else as nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Since {
    /// By orders of the engine.
    pub traded: Usd,
    /// By markets that settled.
    pub settled: Usd,
    /// What was held on one side alone by the journal, without each pair's dust; 1e-6.
    pub alone: u64,
}

/// Recovers, with the accounts locked: no other engine lives. Blocks.
///
/// # Errors
/// A readable list of what is open or differs.
pub fn recover(
    state: &State,
    file: &PairFile,
    table: &PairTable,
    books: &mut dyn Books,
    patience: Patience,
) -> Result<Recovered, String> {
    let mut recovery = Recovery::new(state.clone(), file.clone(), table, patience);
    let began = Instant::now();
    let mut reminded = began;
    loop {
        let answer = books.ask(recovery.wanted());
        let waited = began.elapsed();
        let problem = match recovery.hear(waited, answer) {
            Turn::Done(found) => return Ok(*found),
            Turn::Failed(list) => return Err(list),
            Turn::Again { problem, cancels } => {
                for row in &cancels {
                    // Whether it worked shows with the next question.
                    if let Err(error) = books.cancel(row) {
                        eprintln!("cancelling {}: {error}", row.order);
                    }
                }
                problem
            }
        };
        if reminded.elapsed() >= REMIND {
            reminded = Instant::now();
            eprintln!("recovering, {} s so far:\n{}", waited.as_secs(), problem.trim_end());
        }
        std::thread::sleep(AGAIN);
    }
}

/// What an answer of the venues came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Everything is known and agrees.
    Done(Box<Recovered>),
    /// Ask again, after [`AGAIN`].
    Again {
        /// What is open or differs, in words.
        problem: String,
        /// Orders of ours that still rest: they are to be taken back.
        cancels: Vec<OrderRow>,
    },
    /// Nobody can start like this: a readable list of what is open or differs.
    Failed(String),
}

/// A recovery under way: it is told what the venues say, and how long it has taken. No socket, no
/// clock, no waiting: a simulation recovers by the same code in simulated time.
#[derive(Clone, Debug)]
pub struct Recovery {
    state: State,
    file: PairFile,
    fees: BTreeMap<String, FeeRule>,
    wanted: Wanted,
    patience: Patience,
    /// Since when differences are all that is left.
    stubborn: Option<Duration>,
}

impl Recovery {
    /// The recovery of what a journal told.
    pub fn new(state: State, file: PairFile, table: &PairTable, patience: Patience) -> Recovery {
        let fees = rules(&file, table);
        let mut wanted = Wanted::of(&file);
        wanted.since_s = (state.began.0 / 1_000_000_000).saturating_sub(SKEW_S);
        wanted.open = state.open().filter_map(|known| known.order.venue).collect();
        wanted.held = payouts::held(&state);
        Recovery { state, file, fees, wanted, patience, stubborn: None }
    }

    /// What the venues are to be asked.
    pub const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Hears what the venues said `waited` after the recovery began.
    pub fn hear(&mut self, waited: Duration, answer: Result<Truth, String>) -> Turn {
        let again = |problem, cancels| Turn::Again { problem, cancels };
        // Nothing is on its way any more.
        let quiet = self.state.ended || waited >= self.patience.arrival;
        let truth = match answer {
            Err(error) if waited >= self.patience.longest => {
                return Turn::Failed(format!("  - {error}\n"));
            }
            Err(error) => return again(error, Vec::new()),
            Ok(truth) => truth,
        };
        if self.state.run.is_none() {
            let note = "no journal yet: what the venues say is where it begins".to_owned();
            return self.done(&truth, Vec::new(), vec![note]);
        }
        let fee = |token: &str| self.fees.get(token).copied().unwrap_or(FeeRule::Unknown);
        let mut found = judge(&self.state, &truth, quiet, &fee);
        if found.open.is_empty() && !quiet {
            found.open.push("what left last may still be on its way".to_owned());
        }
        if found.is_settled() {
            return self.done(&truth, found.records, found.notes);
        }
        if !found.open.is_empty() {
            self.stubborn = None;
        }
        let since = *self.stubborn.get_or_insert(waited);
        let lasts = found.open.is_empty() && waited.saturating_sub(since) >= STUBBORN;
        if lasts && self.patience.adopt {
            found.records.extend(found.differences.iter().map(|one| noted(one, true)));
            found.notes.extend(found.differences.iter().map(|d| format!("taken over: {d}")));
            return self.done(&truth, found.records, found.notes);
        }
        // What is believed now may have settled: the venues are asked about that too.
        self.wanted.held = found.held;
        let mut list = listed(&found.open, &found.differences, &found.notes);
        list.extend(truth.unread.iter().map(|page| format!("  not read: {page}\n")));
        if lasts || waited >= self.patience.longest {
            return Turn::Failed(list);
        }
        again(list, found.resting)
    }

    fn done(&self, truth: &Truth, records: Vec<Record>, notes: Vec<String>) -> Turn {
        let (cash, held) = (truth.cash, held(truth, &self.file));
        let alone = alone(&self.file, &held);
        let tell = |(pair, e6): (&String, &u64)| {
            let shares = Shares::new(*e6);
            format!(
                "{pair}: {shares} contracts are held on one side alone: `legs.adopt = true` closes them, and without it nothing is \
                 opened of that pair"
            )
        };
        let notes = notes.into_iter().chain(alone.iter().map(tell)).collect();
        let seen = seen(&self.state, truth);
        let since = self.since(&records);
        Turn::Done(Box::new(Recovered { cash, held, alone, records, notes, since, seen }))
    }

    /// What these records change of what the day came to.
    fn since(&self, records: &[Record]) -> Since {
        let alone = alone(&self.file, &by_pair(&self.state, &self.file)).values().sum();
        let (mut state, worth) = (self.state.clone(), |state: &State| worth(state, &self.file));
        let before = worth(&state);
        let (paid, others): (Vec<&Record>, Vec<&Record>) =
            records.iter().partition(|record| matches!(record, Record::Paid(_)));
        others.into_iter().for_each(|record| state.take(record));
        let traded = worth(&state);
        paid.into_iter().for_each(|record| state.take(record));
        Since { traded: traded - before, settled: worth(&state) - traded, alone }
    }
}

/// The latest trades of each venue, which list them newest first or last. Those of our orders are
/// known by the orders.
fn seen(state: &State, truth: &Truth) -> Vec<Id> {
    let mut seen = Vec::new();
    for venue in Venue::ALL {
        let rows: Vec<Id> =
            truth.fills.iter().filter(|row| row.venue == venue).map(|row| row.trade).collect();
        let ends = rows.iter().take(SEEN_MAX).chain(rows.iter().rev().take(SEEN_MAX));
        for trade in ends {
            if !seen.contains(trade) && !state.past.contains(trade) {
                seen.push(*trade);
            }
        }
    }
    seen
}

/// What keeps a run from starting, and below it what was explained on the way.
fn listed(open: &[String], differences: &[Difference], notes: &[String]) -> String {
    let open = open.iter().map(|line| format!("  - {line}\n"));
    let differ = differences.iter().map(|one| format!("  - {one}\n"));
    open.chain(differ).chain(notes.iter().map(|note| format!("  explained: {note}\n"))).collect()
}

/// Positions by pair, as the journal says.
fn by_pair(state: &State, file: &PairFile) -> BTreeMap<String, [i64; 3]> {
    let names = state.markets.iter().map(|(key, name)| ((key.0, name.as_str()), key));
    let names: HashMap<(usize, &str), &MarketKey> = names.collect();
    let of = |venue: Venue, name: &str| {
        let key = names.get(&(venue.index(), name));
        key.and_then(|key| state.held.get(*key).copied()).unwrap_or_default()
    };
    let of_pair = |spec: &crate::pairs::PairSpec| {
        let [net, _] = of(Venue::Kalshi, &spec.kalshi.ticker);
        let [yes, no] = of(Venue::Polymarket, &spec.polymarket.condition_id);
        (spec.id.clone(), [net, yes, no])
    };
    file.pairs.iter().map(of_pair).filter(|(_, held)| *held != [0; 3]).collect()
}

/// Money, and a dollar for contracts that pay one together.
fn worth(state: &State, file: &PairFile) -> Usd {
    let held = by_pair(state, file);
    let (mut sum, mut counted) = (state.cash[0] + state.cash[1], BTreeSet::new());
    for spec in &file.pairs {
        let [net, yes, no] = held.get(&spec.id).copied().unwrap_or_default();
        // A market that is in several pairs counts in one of them.
        let names = [&spec.kalshi.ticker, &spec.polymarket.condition_id];
        if names.map(|name| counted.insert(name.as_str())) != [true; 2] {
            continue;
        }
        let (yes, no) = if spec.polarity == Polarity::Inverted { (no, yes) } else { (yes, no) };
        sum += Usd::new((net.max(0) + yes.max(0)).min((-net).max(0) + no.max(0)));
    }
    sum
}

/// How much of what is held alone belongs to pairs that share no market.
pub(super) fn alone_of(file: &PairFile, alone: &BTreeMap<String, u64>) -> u64 {
    let mut pairs: HashMap<&str, usize> = HashMap::new();
    for spec in &file.pairs {
        for name in [&spec.kalshi.ticker, &spec.polymarket.condition_id] {
            *pairs.entry(name.as_str()).or_default() += 1;
        }
    }
    let is_own = |spec: &&crate::pairs::PairSpec| {
        let names = [&spec.kalshi.ticker, &spec.polymarket.condition_id];
        names.iter().all(|name| pairs.get(name.as_str()) == Some(&1))
    };
    let own = file.pairs.iter().filter(is_own);
    own.filter_map(|spec| alone.get(&spec.id)).sum()
}

/// Positions by pair, as the venues say.
pub fn held(truth: &Truth, file: &PairFile) -> BTreeMap<String, [i64; 3]> {
    let of = |spec: &crate::pairs::PairSpec| {
        let net = truth.net.get(&spec.kalshi.ticker).copied().unwrap_or(0);
        let token = |id: &str| truth.tokens.get(id).copied().unwrap_or(0);
        let p = &spec.polymarket;
        (spec.id.clone(), [net, token(&p.yes), token(&p.no)])
    };
    file.pairs.iter().map(of).filter(|(_, held)| *held != [0; 3]).collect()
}

/// What is held on one side of a pair alone, where that is more than dust; 1e-6 contracts.
fn alone(file: &PairFile, held: &BTreeMap<String, [i64; 3]>) -> BTreeMap<String, u64> {
    let of = |spec: &crate::pairs::PairSpec| {
        let [net, yes, no] = held.get(&spec.id).copied().unwrap_or_default();
        let other = if spec.polarity == Polarity::Inverted { no - yes } else { yes - no };
        (spec.id.clone(), (net + other).unsigned_abs())
    };
    file.pairs.iter().map(of).filter(|(_, e6)| *e6 >= ALONE_MIN_E6).collect()
}

/// Fee rules by token.
fn rules(file: &PairFile, table: &PairTable) -> BTreeMap<String, FeeRule> {
    let pairs = file.pairs.iter().zip(table.pairs());
    pairs
        .flat_map(|(spec, pair)| {
            let rule = pair.sides[1].fee;
            [Outcome::Yes, Outcome::No].map(|outcome| {
                let p = &spec.polymarket;
                let token = if outcome == Outcome::Yes { &p.yes } else { &p.no };
                (token.clone(), rule)
            })
        })
        .collect()
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
