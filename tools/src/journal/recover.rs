//! Start-up is crash recovery: asks both venues until every order of the last run is known and all
//! figures agree, or says in words what is not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use engine::pair::{FeeRule, Outcome, PairTable};
use engine::units::Usd;
use exec::journal::Record;
use exec::journal::fold::State;
use exec::private::Stand;

use super::judge::{Difference, judge, noted};
use super::truth::{Books, Truth, Wanted};
use crate::pairs::PairFile;

/// Between two questions: the venues' lists lag by seconds.
const AGAIN: Duration = Duration::from_millis(500);

/// A difference that stays so long after everything else is known is one.
const STUBBORN: Duration = Duration::from_secs(10);

/// Whoever waits is told for what so often.
const REMIND: Duration = Duration::from_secs(5);

/// A venue's clock may be so far from ours.
const SKEW_S: u64 = 10;

/// How patient a recovery is, and what it may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// What left before the crash arrives within this time, or never.
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
    /// What was found, for the journal.
    pub records: Vec<Record>,
    /// The same in words.
    pub notes: Vec<String>,
}

/// Recovers. `ended` is when the last engine wrote last. Blocks.
///
/// # Errors
/// A readable list of what is open or differs.
pub fn recover(
    state: &State,
    ended: Option<SystemTime>,
    file: &PairFile,
    table: &PairTable,
    books: &mut dyn Books,
    patience: Patience,
) -> Result<Recovered, String> {
    let fees = rules(file, table);
    let fee = |token: &str| fees.get(token).copied().unwrap_or(FeeRule::Unknown);
    let mut wanted = Wanted::of(file);
    wanted.since_s = (state.began.0 / 1_000_000_000).saturating_sub(SKEW_S);
    wanted.open = state.open().filter_map(|known| known.order.venue).collect();
    let began = Instant::now();
    let (mut reminded, mut stubborn) = (began, None);
    loop {
        let quiet = state.ended || ended.is_none_or(|ended| since(ended) >= patience.arrival);
        let waited = began.elapsed();
        let problem = match books.ask(&wanted) {
            Err(error) if waited >= patience.longest => return Err(format!("  - {error}\n")),
            Err(error) => error,
            Ok(truth) if state.run.is_none() => {
                let note = "no journal yet: what the venues say is where it begins".to_owned();
                return Ok(begin(&truth, file, Vec::new(), vec![note]));
            }
            Ok(truth) => {
                let mut found = judge(state, &truth, quiet, &fee);
                if found.open.is_empty() && !quiet {
                    found.open.push("what left last may still be on its way".to_owned());
                }
                if found.is_settled() {
                    return Ok(begin(&truth, file, found.records, found.notes));
                }
                let ours = truth.orders.iter().filter(|row| {
                    row.stand == Stand::Resting
                        && state.orders.values().any(|k| Some(k.order.client) == row.client)
                });
                for row in ours {
                    // Whether it worked shows with the next question.
                    if let Err(error) = books.cancel(row) {
                        eprintln!("cancelling {}: {error}", row.order);
                    }
                }
                if !found.open.is_empty() {
                    stubborn = None;
                }
                let since = *stubborn.get_or_insert_with(Instant::now);
                let lasts = found.open.is_empty() && since.elapsed() >= STUBBORN;
                if lasts && patience.adopt {
                    let taken = found.differences.iter().map(|one| noted(one, true));
                    found.records.extend(taken);
                    found
                        .notes
                        .extend(found.differences.iter().map(|d| format!("taken over: {d}")));
                    return Ok(begin(&truth, file, found.records, found.notes));
                }
                let list = listed(&found.open, &found.differences, &found.notes);
                if lasts || waited >= patience.longest {
                    return Err(list);
                }
                list
            }
        };
        if reminded.elapsed() >= REMIND {
            reminded = Instant::now();
            eprintln!("recovering, {} s so far:\n{}", waited.as_secs(), problem.trim_end());
        }
        std::thread::sleep(AGAIN);
    }
}

fn since(then: SystemTime) -> Duration {
    // A clock that was set back proves nothing: wait on.
    SystemTime::now().duration_since(then).unwrap_or_default()
}

/// What keeps a run from starting, and below it what was explained on the way.
fn listed(open: &[String], differences: &[Difference], notes: &[String]) -> String {
    let open = open.iter().map(|line| format!("  - {line}\n"));
    let differ = differences.iter().map(|one| format!("  - {one}\n"));
    open.chain(differ).chain(notes.iter().map(|note| format!("  explained: {note}\n"))).collect()
}

fn begin(truth: &Truth, file: &PairFile, records: Vec<Record>, notes: Vec<String>) -> Recovered {
    Recovered { cash: truth.cash, held: held(truth, file), records, notes }
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
