//! While a run goes on: what we believe beside what the venues say. Reads lag, so a figure agrees
//! that was ours a while ago; one that never was stops trading until a person has looked. Nothing
//! is ever sent to make a figure right.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use engine::event::{Event, Feedback};
use engine::pair::PairTable;
use engine::risk::Word;
use engine::top::MarketId;
use engine::units::Venue;
use exec::journal::Record;
use exec::journal::fold::State;

use super::judge::Difference;
use super::payouts;
use super::truth::{Books, HeldRow, Truth, Wanted};
use crate::pairs::{PairFile, PairSpec};
use crate::run::spec::RunSpec;

/// A read may be as old as this: shares appear when their trades are settled.
const LAG: Duration = Duration::from_secs(300);

/// So many reads in a row must differ before that is believed; of a zero where we believe in
/// something, twice as many, because an answer that lost its content reads as zero.
const STRIKES: u32 = 5;

/// Between two comparisons.
pub const EVERY: Duration = Duration::from_secs(15);

/// Whoever waits looks so often whether the run has ended.
const LOOK: Duration = Duration::from_millis(100);

/// What a figure is of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    Cash(usize),
    Net(String),
    Token(String),
}

/// One figure: as it is, and until when it was something else.
#[derive(Clone, Debug, Default)]
struct Figure {
    now: i64,
    past: VecDeque<(Instant, i64)>,
    strikes: u32,
}

impl Figure {
    fn set(&mut self, at: Instant, value: i64) {
        if value != self.now {
            self.past.push_back((at, self.now));
            self.now = value;
        }
    }

    /// True where it was `value` at some time since `since`.
    fn was(&mut self, since: Option<Instant>, value: i64) -> bool {
        while self.past.front().is_some_and(|(until, _)| since.is_some_and(|s| *until < s)) {
            self.past.pop_front();
        }
        self.now == value || self.past.iter().any(|(_, past)| *past == value)
    }
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
}

impl Comparison {
    /// Of a run that begins so.
    pub fn new(spec: &RunSpec, file: &PairFile, table: &PairTable) -> Comparison {
        let cash = spec.cash.map(engine::units::Usd::new);
        let head = (0, engine::units::Ns(0), false);
        let mut state = State::default();
        for record in super::opening::records(head, file, table, cash, &spec.held) {
            state.take(&record);
        }
        let mut comparison = Comparison {
            state,
            figures: BTreeMap::new(),
            over: BTreeSet::new(),
            wanted: Vec::new(),
            gone: BTreeSet::new(),
            unwanted: BTreeSet::new(),
        };
        comparison.note(Instant::now());
        comparison.figures.values_mut().for_each(|figure| figure.past.clear());
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
        let found = payouts::payouts(&self.state, truth);
        found.iter().for_each(|payout| self.state.take(&Record::Paid(*payout)));
        self.note(at);
        let over = payouts::over(&self.state, truth);
        let fresh = over.into_iter().filter(|market| self.over.insert(*market));
        let over = fresh.map(|market| Word::Settled { market });
        over.chain(found.into_iter().map(Word::Paid)).collect()
    }

    /// Compares with what the venues were asked at `asked`; returns what cannot be so.
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
            if theirs == 0 && figure.now == 0 && self.gone.contains(key) {
                over.push(key.clone());
                continue;
            }
            if figure.was(since, theirs) {
                figure.strikes = 0;
                continue;
            }
            figure.strikes += 1;
            let suspect = theirs == 0 && figure.now != 0;
            if figure.strikes >= if suspect { 2 * STRIKES } else { STRIKES } {
                differences.push(Difference { venue, what, ours: figure.now, theirs });
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
    /// Why a person must look: differences that last.
    pub alarm: Option<String>,
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

    /// Asks the venues at `asked`, and compares; `None` where one gave no answer: that proves
    /// nothing, and the gates know of it first.
    pub fn turn(
        &mut self,
        books: &mut dyn Books,
        comparison: &Mutex<Comparison>,
        asked: Instant,
    ) -> Option<Compared> {
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
        let truth = books.standing(wanted).ok()?;
        let mut held = lock();
        let settled = held.explain(asked, &truth);
        let lines: Vec<String> =
            held.judge(asked, &truth).iter().map(Difference::to_string).collect();
        let alarm = (!lines.is_empty())
            .then(|| format!("the venues' figures are not ours: {}", lines.join("; ")));
        Some(Compared { settled, alarm })
    }
}

/// Compares every so often until `end`. What settles is told; the first differences that last are
/// told, once.
pub fn watch(
    books: &mut dyn Books,
    file: &PairFile,
    comparison: &Mutex<Comparison>,
    (every, end): (Duration, &AtomicBool),
    tell: &mut dyn FnMut(Word),
    alarm: &mut dyn FnMut(&str),
) {
    let mut rounds = Rounds::of(file);
    let mut last = Instant::now();
    while !end.load(Relaxed) {
        if last.elapsed() < every {
            thread::sleep(LOOK);
            continue;
        }
        last = Instant::now();
        let Some(found) = rounds.turn(books, comparison, last) else { continue };
        found.settled.into_iter().for_each(&mut *tell);
        if let Some(why) = found.alarm {
            alarm(&why);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::event::{Action, BundleId, Report, ReportKind};
    use engine::pair::{Outcome, PairId};
    use engine::units::{Ns, Px, Shares, Usd};

    fn begun() -> (Comparison, Truth, String) {
        let model = crate::model::Model::new(crate::model::Options::default());
        let mut spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
        spec.cash = [100_000_000; 2];
        let file = spec.pair_file().unwrap();
        let table = spec.setup().unwrap().table;
        let ticker = file.pairs[0].kalshi.ticker.clone();
        let tokens = file.pairs.iter().map(|pair| (pair.polymarket.yes.clone(), 0));
        let cash = [Usd::new(100_000_000); 2];
        let truth = Truth { cash, tokens: tokens.collect(), ..Truth::default() };
        (Comparison::new(&spec, &file, &table), truth, ticker)
    }

    fn fill(at: Instant, comparison: &mut Comparison) {
        comparison.heard(
            at,
            &Event::Fill(Report {
                bundle: BundleId(1),
                pair: PairId(0),
                leg: 0,
                market: MarketId::new(Venue::Kalshi, 0).unwrap(),
                outcome: Outcome::Yes,
                action: Action::Buy,
                at: Ns(1),
                kind: ReportKind::Filled {
                    shares: Shares::new(10_000_000),
                    px: Px::lit(4_000),
                    cash: Usd::new(4_000_000),
                    fee: Usd::new(7),
                },
            }),
        );
    }

    #[test]
    fn a_read_that_lags_agrees_and_a_stranger_does_not() {
        let (mut comparison, mut truth, ticker) = begun();
        let at = Instant::now();
        assert_eq!(comparison.judge(at, &truth), []);
        fill(at, &mut comparison);
        let later = at + Duration::from_secs(30);
        assert_eq!(comparison.judge(later, &truth), [], "as it was before the fill");
        truth.net.insert(ticker, 10_000_000);
        assert_eq!(comparison.judge(later, &truth), [], "half of it is there");
        truth.cash[0] = Usd::new(95_999_993);
        for _ in 0..9 {
            assert_eq!(comparison.judge(later, &truth), []);
        }
        let old = at + LAG + Duration::from_secs(30);
        truth.cash[0] = Usd::new(100_000_000);
        let found: Vec<_> = (0..5).map(|_| comparison.judge(old, &truth).len()).collect();
        assert_eq!(found, [0, 0, 0, 0, 1], "what was so long ago is no excuse any more");
    }

    struct Venues(Truth, usize);

    impl Books for Venues {
        fn ask(&mut self, wanted: &Wanted) -> Result<Truth, String> {
            self.standing(wanted)
        }

        fn standing(&mut self, wanted: &Wanted) -> Result<Truth, String> {
            self.1 = wanted.tokens.len();
            Ok(self.0.clone())
        }

        fn cancel(&mut self, _: &super::super::truth::OrderRow) -> Result<(), String> {
            Ok(())
        }
    }

    #[test]
    fn what_left_is_asked_about_until_the_venue_reads_nothing_and_again_when_it_comes() {
        let model = crate::model::Model::new(crate::model::Options::default());
        let file =
            RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]).pair_file().unwrap();
        let (comparison, mut truth, ticker) = begun();
        let comparison = Mutex::new(comparison);
        let pair = &file.pairs[0];
        let tokens = [&pair.polymarket.yes, &pair.polymarket.no];
        truth.tokens.extend(file.pairs.iter().map(|pair| (pair.polymarket.no.clone(), 0)));
        truth.tokens.insert(tokens[0].clone(), 3);
        let (mut rounds, mut venues) = (Rounds::of(&file), Venues(truth, 0));
        let markets = Venue::ALL.map(|venue| MarketId::new(venue, 0).unwrap());
        markets.into_iter().for_each(|market| comparison.lock().unwrap().leave(market));
        let all = 2 * file.pairs.len();
        let turn = |rounds: &mut Rounds, venues: &mut Venues| {
            rounds.turn(venues, &comparison, Instant::now()).unwrap();
            let held = comparison.lock().unwrap();
            let keys = [Key::Net(ticker.clone()), Key::Token(tokens[0].clone())];
            (venues.1, keys.map(|key| held.figures.contains_key(&key)))
        };
        assert_eq!(turn(&mut rounds, &mut venues), (all, [false, true]));
        assert_eq!(turn(&mut rounds, &mut venues), (all - 1, [false, true]), "it reads something");
        venues.0.tokens.insert(tokens[0].clone(), 0);
        assert_eq!(turn(&mut rounds, &mut venues), (all - 1, [false, false]));
        assert_eq!(turn(&mut rounds, &mut venues), (all - 2, [false, false]));
        comparison.lock().unwrap().join(Instant::now(), pair, markets);
        assert_eq!(turn(&mut rounds, &mut venues), (all, [true, true]));
        assert_eq!(turn(&mut rounds, &mut venues), (all, [true, true]));
    }

    #[test]
    fn a_suspect_zero_takes_longer_to_be_believed_and_one_good_read_clears() {
        let (mut comparison, mut truth, _) = begun();
        let at = Instant::now();
        truth.cash[1] = Usd::ZERO;
        let found: Vec<_> = (0..10).map(|_| comparison.judge(at, &truth).len()).collect();
        assert_eq!(found, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        truth.cash[1] = Usd::new(100_000_000);
        assert_eq!(comparison.judge(at, &truth), []);
        truth.cash[1] = Usd::new(1);
        let found: Vec<_> = (0..5).map(|_| comparison.judge(at, &truth).len()).collect();
        assert_eq!(found, [0, 0, 0, 0, 1]);
    }

    #[test]
    fn a_market_that_is_over_is_told_once_and_what_it_paid_later() {
        let (mut comparison, mut truth, _) = begun();
        let market = MarketId::new(Venue::Polymarket, 0).unwrap();
        let held = Record::Held { market, outcome: Outcome::Yes, e6: 5 };
        comparison.state.take(&held);
        let row = comparison.held().into_iter().find(|row| row.tokens.is_some()).unwrap();
        let [yes, _] = row.tokens.unwrap();
        truth.tokens.insert(yes.clone(), 5);
        truth.paid = vec![crate::journal::truth::PaidRow {
            venue: Venue::Polymarket,
            name: row.name,
            yes: Px::ONE,
            paid: None,
        }];
        let at = Instant::now();
        assert_eq!(comparison.explain(at, &truth), [Word::Settled { market }]);
        assert_eq!(comparison.explain(at, &truth), []);
        truth.tokens.insert(yes, 0);
        truth.cash[1] += Usd::new(5);
        let told = comparison.explain(at, &truth);
        assert!(matches!(told[..], [Word::Paid(paid)] if paid.paid == Usd::new(5)), "{told:?}");
        assert_eq!(comparison.judge(at, &truth), []);
    }
}
