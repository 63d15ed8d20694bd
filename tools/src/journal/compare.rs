//! While a run goes on: what we believe beside what the venues say. Reads lag, so a figure agrees
//! that was ours a while ago; one that never was stops trading until a person has looked. Whoever
//! arms it after that knows of the difference: it is told again once it is another one. Nothing is
//! ever sent to make a figure right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use engine::event::{Event, Feedback};
use engine::pair::{Outcome, PairTable};
use engine::risk::{Payout, Word};
use engine::top::MarketId;
use engine::units::{Usd, Venue};
use exec::journal::Record;
use exec::journal::fold::{MarketKey, State};

use super::figure::Figure;
use super::judge::Difference;
use super::payouts;
use super::settling::{Missing, Settling};
use super::truth::{Books, HeldRow, Truth, Wanted};
use crate::pairs::{PairFile, PairSpec};
use crate::run::spec::RunSpec;
use crate::silence::Silence;

/// A read may be as old as this: shares appear when their trades are settled.
pub const LAG: Duration = Duration::from_secs(300);

/// Between two comparisons.
pub const EVERY: Duration = Duration::from_secs(15);

/// So many comparisons in a row without an answer are told: five minutes.
const SILENT: u32 = 20;

/// Whoever waits looks so often whether the run has ended.
const LOOK: Duration = Duration::from_millis(100);

/// What a figure is of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    Cash(usize),
    Net(String),
    Token(String),
}

/// What a run believes, with its recent past.
#[derive(Debug)]
pub struct Comparison {
    state: State,
    figures: BTreeMap<Key, Figure>,
    /// Markets that are over, of which something is held until somebody redeems it.
    over: BTreeSet<MarketId>,
    /// Tokens of pairs that joined.
    wanted: Vec<(String, bool)>,
    /// Of markets that left the run: compared until the venue reads nothing of them.
    gone: BTreeSet<Key>,
    /// Tokens that nobody has to ask for any more.
    unwanted: BTreeSet<String>,
    /// Markets that may have settled.
    settling: Settling,
}

impl Comparison {
    /// Of a run that begins so.
    pub fn new(spec: &RunSpec, file: &PairFile, table: &PairTable) -> Comparison {
        let cash = spec.cash.map(Usd::new);
        let head = (0, engine::units::Ns(0), false);
        let mut state = State::default();
        let opening = super::opening::records(head, file, table, cash, &spec.held);
        // An opening counts once its ids end it; nothing leaves under these.
        for record in opening.into_iter().chain([Record::Ids { first: 1, last: 0 }]) {
            state.take(&record);
        }
        let mut comparison = Comparison {
            state,
            figures: BTreeMap::new(),
            over: BTreeSet::new(),
            wanted: Vec::new(),
            gone: BTreeSet::new(),
            unwanted: BTreeSet::new(),
            settling: Settling::default(),
        };
        comparison.note(Instant::now());
        comparison.figures.values_mut().for_each(Figure::forget);
        comparison
    }

    /// A pair joined, of which nothing is held.
    pub fn join(&mut self, at: Instant, spec: &PairSpec, markets: [MarketId; 2]) {
        // Nothing is held of a market that comes, whatever had its number before.
        self.over.retain(|over| !markets.contains(over));
        for record in super::opening::pair(spec, markets) {
            self.state.take(&record);
        }
        self.wanted.extend(Wanted::of_pair(spec));
        let p = &spec.polymarket;
        self.gone.remove(&Key::Net(spec.kalshi.ticker.clone()));
        for token in [&p.yes, &p.no] {
            self.gone.remove(&Key::Token(token.clone()));
        }
        self.note(at);
    }

    /// A market left the run. Where something is held of it, it stays what it is.
    pub fn leave(&mut self, market: MarketId) {
        let key = (market.venue().index(), market.index());
        if self.state.held.get(&key).is_some_and(|held| *held != [0; 2]) {
            return;
        }
        self.state.held.remove(&key);
        self.state.paid_out.remove(&key);
        self.settling.forget(market);
        let name = self.state.markets.remove(&key).filter(|_| market.venue() == Venue::Kalshi);
        self.gone.extend(name.map(Key::Net));
        let tokens = self.state.tokens.remove(&key);
        self.gone.extend(tokens.into_iter().flatten().map(Key::Token));
    }

    /// Takes in what a run tells: fills move money and positions.
    pub fn heard(&mut self, at: Instant, event: &Event) {
        if let Event::Fill(report) | Event::FillUndone(report) = event {
            self.state.take(&Record::Heard(Feedback::Report(*report)));
            self.note(at);
        }
    }

    fn note(&mut self, at: Instant) {
        let mut set = |key, value| self.figures.entry(key).or_default().set(at, value);
        for venue in Venue::ALL {
            set(Key::Cash(venue.index()), self.state.cash[venue.index()].e6());
        }
        for (market, name) in &self.state.markets {
            let held = self.state.held.get(market).copied().unwrap_or_default();
            if market.0 == Venue::Kalshi.index() {
                set(Key::Net(name.clone()), held[0]);
            }
        }
        for (market, tokens) in &self.state.tokens {
            let held = self.state.held.get(market).copied().unwrap_or_default();
            for (token, held) in tokens.iter().zip(held) {
                set(Key::Token(token.clone()), held);
            }
        }
    }

    /// What is believed to be held.
    pub fn held(&self) -> Vec<HeldRow> {
        payouts::held(&self.state)
    }

    /// Takes in what settled since the last time, and tells it: what was paid, and what is over
    /// though nobody was paid yet.
    pub fn explain(&mut self, at: Instant, truth: &Truth) -> Vec<Word> {
        let known = self.without_known(truth);
        let venue = Venue::Polymarket.index();
        let moved = [truth, &known].map(|truth| truth.cash[venue] - self.state.cash[venue]);
        let missing = self.missing(at, truth);
        let found = self.settling.hear(&missing, payouts::claims(&self.state, &known), moved);
        self.unknow(&found, truth);
        found.iter().for_each(|payout| self.state.take(&Record::Paid(*payout)));
        self.note(at);
        let over = payouts::over(&self.state, truth);
        let fresh = over.into_iter().filter(|market| self.over.insert(*market));
        let over = fresh.map(|market| Word::Settled { market });
        over.chain(found.into_iter().map(Word::Paid)).collect()
    }

    /// Markets of Polymarket of which nothing is there, though something is believed to be.
    fn missing(&self, at: Instant, truth: &Truth) -> Vec<Missing> {
        let since = at.checked_sub(LAG);
        let of = |(key, tokens): (&MarketKey, &[String; 2])| {
            let held = self.state.held.get(key).copied().unwrap_or_default();
            let shares = payouts::missing(tokens, held, truth);
            let market = MarketId::new(Venue::Polymarket, key.1).filter(|_| shares != [0; 2])?;
            let gone = || tokens.iter().zip(shares).filter(|(_, gone)| *gone > 0);
            let figure = |token: &String| self.figures.get(&Key::Token(token.clone()));
            // What was bought of late may only not be there yet.
            let is_late = |token| figure(token).is_some_and(|figure| figure.was_since(since, 0));
            let is_nothing = |token| truth.tokens.get(token) == Some(&0) && !is_late(token);
            let is_known = |token| figure(token).is_some_and(|figure| figure.known().is_some());
            gone().all(|(token, _)| is_nothing(token)).then(|| Missing {
                market,
                shares,
                is_known: gone().any(|(token, _)| is_known(token)),
            })
        };
        self.state.tokens.iter().filter_map(of).collect()
    }

    /// What is booked is no difference any more: neither the money that came, nor the contracts that
    /// went.
    fn unknow(&mut self, found: &[Payout], truth: &Truth) {
        for venue in Venue::ALL {
            let here = found.iter().filter(|payout| payout.market.venue() == venue);
            let paid: Usd = here.map(|payout| payout.paid).sum();
            if let Some(figure) = self.figures.get_mut(&Key::Cash(venue.index())) {
                figure.explain(truth.cash[venue.index()].e6(), paid.e6());
            }
        }
        for payout in found {
            let at = (payout.market.venue().index(), payout.market.index());
            let gone = i64::try_from(payout.shares.e6()).unwrap_or(i64::MAX);
            let (key, theirs, by) = match payout.market.venue() {
                Venue::Kalshi => {
                    let Some(ticker) = self.state.markets.get(&at) else { continue };
                    let by = if payout.outcome == Outcome::Yes { -gone } else { gone };
                    (Key::Net(ticker.clone()), truth.net.get(ticker), by)
                }
                Venue::Polymarket => {
                    let Some(tokens) = self.state.tokens.get(&at) else { continue };
                    let token = &tokens[payout.outcome as usize];
                    (Key::Token(token.clone()), truth.tokens.get(token), -gone)
                }
            };
            if let Some(figure) = self.figures.get_mut(&key) {
                figure.explain(theirs.copied().unwrap_or(0), by);
            }
        }
    }

    /// The same without the differences that are known: what came or went by other hands neither
    /// paid for a contract nor took one away. But where all that is held of a token is known to be
    /// gone, and its market is over, that may be what was paid for.
    fn without_known(&self, truth: &Truth) -> Truth {
        let mut truth = truth.clone();
        let over: BTreeSet<&str> = truth.paid.iter().map(|row| row.name.as_str()).collect();
        let is_over = |key: &MarketKey| {
            self.state.markets.get(key).is_some_and(|name| over.contains(name.as_str()))
        };
        let settled = self.state.tokens.iter().filter(|(key, _)| is_over(key));
        let settled: BTreeSet<String> = settled.flat_map(|(_, tokens)| tokens.clone()).collect();
        for (key, figure) in &self.figures {
            let Some(known) = figure.known() else { continue };
            match key {
                Key::Cash(at) => truth.cash[*at] -= Usd::new(known),
                // What is not listed may have settled.
                Key::Net(ticker) => {
                    if let Some(net) = truth.net.get_mut(ticker) {
                        *net -= known;
                    }
                }
                Key::Token(token) => {
                    let is_paid = settled.contains(token) && known == -figure.now();
                    if let Some(held) = truth.tokens.get_mut(token).filter(|_| !is_paid) {
                        *held = (*held - known).max(0);
                    }
                }
            }
        }
        truth
    }

    /// Compares with what the venues were asked at `asked`; returns what cannot be so and was not
    /// told yet.
    pub fn judge(&mut self, asked: Instant, truth: &Truth) -> Vec<Difference> {
        let since = asked.checked_sub(LAG);
        let (mut differences, mut over) = (Vec::new(), Vec::new());
        for (key, figure) in &mut self.figures {
            let (venue, what, theirs) = match key {
                Key::Cash(at) => {
                    (Venue::ALL[*at], "cash in micro-dollars".to_owned(), truth.cash[*at].e6())
                }
                Key::Net(ticker) => {
                    let theirs = truth.net.get(ticker).copied().unwrap_or(0);
                    (Venue::Kalshi, format!("position in {ticker} in millionths"), theirs)
                }
                Key::Token(token) => {
                    let Some(theirs) = truth.tokens.get(token).copied() else { continue };
                    (Venue::Polymarket, format!("shares of token {token} in millionths"), theirs)
                }
            };
            let ours = figure.now();
            if theirs == 0 && ours == 0 && self.gone.contains(key) {
                over.push(key.clone());
                continue;
            }
            if figure.is_news(since, theirs) {
                differences.push(Difference { venue, what, ours, theirs });
            }
        }
        for key in over {
            self.figures.remove(&key);
            self.gone.remove(&key);
            if let Key::Token(token) = key {
                self.unwanted.insert(token);
            }
        }
        differences
    }
}

/// What one comparison came to.
#[derive(Debug, Default)]
pub struct Compared {
    /// What settled since.
    pub settled: Vec<Word>,
    /// Why a person must look: differences that last, and were not told yet.
    pub alarm: Option<String>,
    /// Why a page of a market could not be read: what that says is not known yet.
    pub unread: Option<String>,
}

/// Comparisons, one after the other: what each of them asks the venues for.
pub struct Rounds {
    wanted: Wanted,
    number: usize,
}

impl Rounds {
    /// Of a run over these pairs.
    pub fn of(file: &PairFile) -> Rounds {
        Rounds { wanted: Wanted::of(file), number: 0 }
    }

    /// Asks the venues at `asked`, and compares.
    ///
    /// # Errors
    /// In words, where a venue gave no answer: that proves nothing, and the gates know of it first.
    pub fn turn(
        &mut self,
        books: &mut dyn Books,
        comparison: &Mutex<Comparison>,
        asked: Instant,
    ) -> Result<Compared, String> {
        let lock = || comparison.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = &mut self.wanted;
        {
            let mut held = lock();
            // What left and came again is wanted.
            let unwanted = core::mem::take(&mut held.unwanted);
            wanted.tokens.retain(|(token, _)| !unwanted.contains(token));
            wanted.tokens.extend(held.wanted.drain(..));
            wanted.held = held.held();
        }
        // One a round: there may be many, and none is in a hurry.
        let tokens: Vec<&HeldRow> = wanted.held.iter().filter(|row| row.tokens.is_some()).collect();
        wanted.resolved = tokens.get(self.number % tokens.len().max(1)).map(|row| row.name.clone());
        self.number = self.number.wrapping_add(1);
        let truth = books.standing(wanted)?;
        let mut held = lock();
        let settled = held.explain(asked, &truth);
        let lines: Vec<String> =
            held.judge(asked, &truth).iter().map(Difference::to_string).collect();
        let alarm = (!lines.is_empty())
            .then(|| format!("the venues' figures are not ours: {}", lines.join("; ")));
        Ok(Compared { settled, alarm, unread: truth.unread.into_iter().next() })
    }
}

/// Who is told what comparisons come to.
pub struct Listeners<'a> {
    /// Told what settled.
    pub settled: &'a mut dyn FnMut(Word),
    /// Told why trading is to stop until a person has looked.
    pub alarm: &'a mut dyn FnMut(&str),
    /// Told what does not work.
    pub trouble: &'a mut dyn FnMut(String),
}

/// Compares every so often until `end`, whether trading goes on or not. What settles is told, and
/// so are differences that last: each once, and again once it is another one. Where no answer comes
/// for minutes that is a trouble.
pub fn watch(
    books: &mut dyn Books,
    file: &PairFile,
    comparison: &Mutex<Comparison>,
    (every, end): (Duration, &AtomicBool),
    told: &mut Listeners<'_>,
) {
    let mut rounds = Rounds::of(file);
    let mut silence = Silence::new("money and positions cannot be compared", SILENT);
    let mut pages = Silence::new("markets that may have settled cannot be looked at", SILENT);
    let mut last = Instant::now();
    while !end.load(Relaxed) {
        if last.elapsed() < every {
            thread::sleep(LOOK);
            continue;
        }
        last = Instant::now();
        let found = rounds.turn(books, comparison, last);
        if let Some(text) = silence.hear(found.as_ref().map(|_| ())) {
            (told.trouble)(text);
        }
        let Ok(found) = found else { continue };
        if let Some(text) = pages.hear(found.unread.map_or(Ok(()), Err)) {
            (told.trouble)(text);
        }
        found.settled.into_iter().for_each(&mut *told.settled);
        if let Some(why) = found.alarm {
            (told.alarm)(&why);
        }
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
