//! Compares the books that the feeds hold with those that the venues' REST calls show: a socket can
//! answer pings and deliver nothing for hours (polymarket.md section 2.5). What differs twice in a
//! row, while the feed's book did not move, is told to the feed, which takes it out of trading. So is
//! which markets trade.

mod trading; // which markets trade

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use engine::top::{Health, MARKETS_MAX, MarketId, Top};
use engine::units::{Px, Venue};
use feeds::fitness::{Fitness, Verdict};
use feeds::live::hearing::Hearing;
use rtrb::Producer;

use self::trading::Told;
pub use self::trading::Trading;
use crate::catalogue::moment;
use crate::rest::kalshi::KalshiRest;
use crate::rest::polymarket::PolymarketRest;
use crate::rest::{Carrier, RestError};
use crate::silence::Silence;

/// The status of a market that takes orders (kalshi.md section 4).
const ACTIVE: &str = "active";

/// Markets of one request: Kalshi takes at most 100 of books, and says no limit of listings.
const MARKETS_A_CALL: usize = 50;

/// Between two rounds.
pub const EVERY: Duration = Duration::from_secs(5);

/// Longest wait without a look at the stop flag.
const NAP: Duration = Duration::from_millis(50);

/// How long the picture of the feeds' books may lag behind them: a frame on its way when the REST
/// answer was made has reached it after this.
pub const SETTLE: Duration = Duration::from_millis(500);

/// So many rounds in a row of which a part got no answer are told: a minute and more.
const SILENT: u32 = 12;

/// Differences in a row that condemn a book. REST answers lag, so that one proves nothing.
const MISSES: u8 = 2;

/// The books as the feeds last showed them. Cold threads share it.
#[derive(Default)]
pub struct Seen {
    tops: Mutex<[Vec<Option<Top>>; 2]>,
    /// Markets that came while the run lasts, by venue: whoever compares takes them.
    came: Mutex<[Vec<Checked>; 2]>,
}

impl Seen {
    /// Takes a book in.
    pub fn put(&self, top: &Top) {
        let Ok(mut all) = self.tops.lock() else { return };
        let list = &mut all[top.market.venue().index()];
        let at = top.market.index();
        if at >= list.len() && at < MARKETS_MAX {
            list.resize(at + 1, None);
        }
        if let Some(slot) = list.get_mut(at) {
            *slot = Some(*top);
        }
    }

    /// A market came.
    pub fn add(&self, checked: Checked) {
        if let Ok(mut came) = self.came.lock() {
            came[checked.market.venue().index()].push(checked);
        }
    }

    fn take_came(&self, venue: Venue) -> Vec<Checked> {
        self.came
            .lock()
            .map(|mut came| core::mem::take(&mut came[venue.index()]))
            .unwrap_or_default()
    }

    /// True where a market came that nobody took yet.
    fn is_come(&self, venue: Venue) -> bool {
        self.came.lock().is_ok_and(|came| !came[venue.index()].is_empty())
    }

    /// A market's book.
    pub fn get(&self, market: MarketId) -> Option<Top> {
        let all = self.tops.lock().ok()?;
        *all[market.venue().index()].get(market.index())?
    }
}

/// Best bid and best ask of YES.
pub type Best = [Option<Px>; 2];

/// A market, and what the venue's REST calls name it by: the ticker, or the token of YES.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Our number of it.
    pub market: MarketId,
    /// The venue's name.
    pub name: String,
}

/// What is known of one market.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Standing {
    misses: u8,
    unfit: bool,
    told: Told,
}

impl Standing {
    /// Takes a comparison in: `None` says nothing. Returns what is new to the feed.
    fn word(&mut self, agrees: Option<bool>) -> Option<Fitness> {
        match agrees? {
            true => {
                self.misses = 0;
                core::mem::take(&mut self.unfit).then_some(Fitness::Fit)
            }
            false => {
                self.misses = self.misses.saturating_add(1);
                let condemned = self.misses >= MISSES && !self.unfit;
                self.unfit |= condemned;
                condemned.then_some(Fitness::Unfit)
            }
        }
    }
}

/// Whether a REST answer agrees with a book that stood before it was asked and long after it came.
///
/// A book that moved meanwhile is alive, and one that is not sound is not traded anyway: both say
/// nothing.
fn agrees(before: &Top, after: &Top, rest: Best) -> Option<bool> {
    let sound = before.health == Health::Sound && after.health == Health::Sound;
    if !sound || before.generation != after.generation {
        return None;
    }
    Some(best_of(after) == rest)
}

/// Whether a book that is condemned may be believed again. It is not sound until it is, and where
/// it moves all the time it need not stand still for that.
fn agrees_again(before: &Top, after: &Top, rest: Best) -> bool {
    best_of(before) == rest || best_of(after) == rest
}

fn best_of(top: &Top) -> Best {
    [top.bids().best(), top.asks().best()].map(|level| level.map(|(px, _)| px))
}

/// What was found out so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CheckFigures {
    /// Books compared while they stood still.
    pub compared: u64,
    /// Of these, how many differed.
    pub differed: u64,
    /// Requests that gave no usable answer.
    pub failed: u64,
    /// Verdicts that found no room in the feed's ring; they are given again.
    pub held: u64,
}

/// Compares one venue's books, round by round.
pub struct CrossCheck<S> {
    seen: S,
    venue: Venue,
    markets: Vec<(Checked, Standing)>,
    verdicts: Producer<Verdict>,
    figures: CheckFigures,
    /// Why the last request gave no usable answer.
    error: String,
    /// When to ask which markets trade; `None` where the feed says so itself.
    hearing: Option<Arc<Hearing>>,
    /// For which stretch of its words that was asked.
    tried: Option<u16>,
}

/// What a venue showed of some markets, beside how their books stood when it was asked.
pub struct Asked {
    /// Place of the first of them.
    from: usize,
    before: Vec<Option<Top>>,
    shown: Vec<Option<Best>>,
}

/// Asks a venue for the best prices of some markets, in their order; `None` for those that the
/// answer leaves out.
pub trait AskBest {
    /// # Errors
    /// [`RestError`].
    fn best(&mut self, markets: &[&str]) -> Result<Vec<Option<Best>>, RestError>;

    /// How the venue lists the markets, likewise. Where its feed says what becomes of them whenever
    /// it opens, nobody asks.
    ///
    /// # Errors
    /// [`RestError`].
    fn trading(&mut self, markets: &[&str]) -> Result<Vec<Option<Trading>>, RestError> {
        Ok(vec![None; markets.len()])
    }
}

impl<A: Carrier> AskBest for KalshiRest<A> {
    fn best(&mut self, markets: &[&str]) -> Result<Vec<Option<Best>>, RestError> {
        let books = self.books(markets)?;
        let of = |name: &&str| {
            let (_, book) = books.iter().find(|(ticker, _)| ticker == name)?;
            let bid = book.yes.first().map(|(px, _)| *px);
            Some([bid, book.no.first().map(|(px, _)| px.complement())])
        };
        Ok(markets.iter().map(of).collect())
    }

    fn trading(&mut self, markets: &[&str]) -> Result<Vec<Option<Trading>>, RestError> {
        let listed = self.states(markets)?;
        let of = |name: &&str| {
            let market = listed.iter().find(|market| market.ticker == *name)?;
            let close_s = market.close_time.as_deref().and_then(moment::parse);
            let close_s = close_s.and_then(|at| u32::try_from(at).ok()).unwrap_or(0);
            Some(Trading { trades: market.status == ACTIVE, close_s })
        };
        Ok(markets.iter().map(of).collect())
    }
}

impl<A: Carrier> AskBest for PolymarketRest<A> {
    fn best(&mut self, markets: &[&str]) -> Result<Vec<Option<Best>>, RestError> {
        let books = self.books(markets)?;
        let of = |name: &&str| {
            let book = books.iter().find(|book| book.token == *name)?;
            Some([book.bids.first().map(|(px, _)| *px), book.asks.first().map(|(px, _)| *px)])
        };
        Ok(markets.iter().map(of).collect())
    }
}

impl<S: Deref<Target = Seen>> CrossCheck<S> {
    /// Compares these markets of a venue. `verdicts` is the feed's ring; a ring with room for one a
    /// market loses none.
    pub fn new(
        seen: S,
        venue: Venue,
        markets: Vec<Checked>,
        verdicts: Producer<Verdict>,
    ) -> CrossCheck<S> {
        let markets = markets.into_iter().map(|market| (market, Standing::default())).collect();
        let figures = CheckFigures::default();
        let (error, hearing, tried) = (String::new(), None, None);
        CrossCheck { seen, venue, markets, verdicts, figures, error, hearing, tried }
    }

    /// Asks too which markets trade, whenever the feed says that it may have missed a word of that.
    #[must_use]
    pub fn hearing(self, hearing: Arc<Hearing>) -> CrossCheck<S> {
        CrossCheck { hearing: Some(hearing), ..self }
    }

    /// Compares until `stop` is set: a round, then a rest of `every`. Where books stay uncompared
    /// round by round, that is a trouble.
    pub fn run(
        &mut self,
        venue: &mut impl AskBest,
        every: Duration,
        trouble: &mut dyn FnMut(String),
        stop: &AtomicBool,
    ) {
        let what = format!("books cannot be compared with what {} shows", self.venue);
        let mut silence = Silence::new(what, SILENT);
        while !stop.load(Ordering::Relaxed) {
            let failed = self.figures.failed;
            self.learn(venue);
            self.round(venue, |span| nap(span, stop));
            let answer = if self.figures.failed == failed { Ok(()) } else { Err(&self.error) };
            if let Some(text) = silence.hear(answer) {
                trouble(text);
            }
            let until = Instant::now() + every;
            while !stop.load(Ordering::Relaxed) && Instant::now() < until {
                if self.wants() {
                    self.learn(venue);
                }
                nap(NAP.min(until.saturating_duration_since(Instant::now())), stop);
            }
        }
    }

    /// Compares every market once; `rest` waits.
    pub fn round(&mut self, venue: &mut impl AskBest, mut rest: impl FnMut(Duration)) {
        for part in 0..self.parts() {
            if let Some(asked) = self.ask(venue, part) {
                rest(SETTLE);
                self.judge_all(asked);
            }
            if self.wants() {
                self.learn(venue);
            }
        }
    }

    /// How many requests a round takes.
    pub fn parts(&mut self) -> usize {
        self.take_newcomers();
        self.markets.len().div_ceil(MARKETS_A_CALL)
    }

    /// The first half of a comparison; [`CrossCheck::judge_all`] follows once the picture of the
    /// books had [`SETTLE`] to come up.
    pub fn ask(&mut self, venue: &mut impl AskBest, part: usize) -> Option<Asked> {
        let from = part * MARKETS_A_CALL;
        let to = self.markets.len().min(from + MARKETS_A_CALL);
        let markets = &self.markets[from..to];
        let names: Vec<&str> = markets.iter().map(|(checked, _)| checked.name.as_str()).collect();
        let before = markets.iter().map(|(checked, _)| self.seen.get(checked.market)).collect();
        match venue.best(&names) {
            Ok(shown) => Some(Asked { from, before, shown }),
            Err(error) => {
                self.figures.failed += 1;
                self.error = error.to_string();
                None
            }
        }
    }

    /// The second half.
    pub fn judge_all(&mut self, asked: Asked) {
        let Asked { from, before, shown } = asked;
        for ((place, before), shown) in (from..).zip(before).zip(shown) {
            self.judge(place, before, shown);
        }
    }

    /// Compares the markets that came, too; one that several pairs have once.
    fn take_newcomers(&mut self) {
        for checked in self.seen.take_came(self.venue) {
            let same = |(known, _): &&mut (Checked, Standing)| known.market == checked.market;
            match self.markets.iter_mut().find(same) {
                None => self.markets.push((checked, Standing::default())),
                // The number is another market's now.
                Some(known) if known.0.name != checked.name => {
                    *known = (checked, Standing::default());
                }
                // Another pair of it comes, and knows of the close what its own file says.
                Some(known) => known.1.told = Told::default(),
            }
        }
    }

    /// What was found out so far.
    pub const fn figures(&self) -> CheckFigures {
        self.figures
    }

    fn judge(&mut self, place: usize, before: Option<Top>, shown: Option<Best>) {
        let (checked, standing) = &mut self.markets[place];
        let market = checked.market;
        let (Some(before), Some(shown)) = (before, shown) else { return };
        let Some(after) = self.seen.get(market) else { return };
        let agrees = match standing.unfit {
            true => Some(agrees_again(&before, &after, shown)),
            false => agrees(&before, &after, shown),
        };
        self.figures.compared += u64::from(agrees.is_some());
        self.figures.differed += u64::from(agrees == Some(false));
        let was = *standing;
        let Some(says) = standing.word(agrees) else { return };
        if self.verdicts.push(Verdict { market, says }).is_err() {
            // The feed was not told, so that the next round must find it again.
            *standing = was;
            self.figures.held += 1;
        }
    }
}

/// The names by which the markets of these pairs are asked for; a market of several pairs once.
pub fn markets(
    venue: Venue,
    table: &engine::pair::PairTable,
    file: &crate::pairs::PairFile,
) -> Vec<Checked> {
    let mut list: Vec<Checked> = Vec::new();
    for (pair, spec) in table.pairs().iter().zip(&file.pairs) {
        let market = pair.sides[venue.index()].market;
        let name = match venue {
            Venue::Kalshi => &spec.kalshi.ticker,
            Venue::Polymarket => &spec.polymarket.yes,
        };
        list.push(Checked { market, name: name.clone() });
    }
    list.sort_by_key(|checked| checked.market.index());
    list.dedup_by_key(|checked| checked.market);
    list
}

fn nap(span: Duration, stop: &AtomicBool) {
    let until = Instant::now() + span;
    while !stop.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(NAP));
    }
}

#[cfg(test)]
mod tests {
    use engine::top::Levels;
    use engine::units::Qty;

    use super::*;
    use crate::rest::RestErrorKind;

    fn market() -> MarketId {
        MarketId::new(Venue::Polymarket, 3).unwrap()
    }

    fn top(generation: u32, bid: u16, ask: u16) -> Top {
        let mut top = Top::unknown(market());
        (top.generation, top.health) = (generation, Health::Sound);
        let level = |px: u16| {
            let mut levels = Levels::EMPTY;
            (levels.px[0], levels.qty[0]) = (px, Qty::ONE.e2() as u32);
            levels
        };
        top.set_bids(&level(bid));
        top.set_asks(&level(ask));
        top
    }

    fn best(bid: u16, ask: u16) -> Best {
        [Some(Px::lit(bid)), Some(Px::lit(ask))]
    }

    /// Answers as told; `None` fails.
    struct Script(Vec<Option<Best>>);

    impl AskBest for Script {
        fn best(&mut self, markets: &[&str]) -> Result<Vec<Option<Best>>, RestError> {
            assert_eq!(markets, ["77"]);
            self.0.remove(0).map(|best| vec![Some(best)]).ok_or(RestError {
                method: "POST",
                url: String::new(),
                kind: RestErrorKind::NoStamp,
            })
        }
    }

    #[test]
    fn a_silent_book_is_condemned_by_two_differences_and_freed_by_one_agreement() {
        let seen = Seen::default();
        let (verdicts, mut told) = rtrb::RingBuffer::new(4);
        let checked = vec![Checked { market: market(), name: "77".into() }];
        let mut check = CrossCheck::new(&seen, Venue::Polymarket, checked, verdicts);
        let other = Some(best(4_800, 5_000));
        let mut script =
            Script(vec![other, other, other, None, other, other, Some(best(4_700, 4_900)), other]);
        let mut round = |moves: Option<Top>| {
            check.round(&mut script, |_| {
                if let Some(top) = moves {
                    seen.put(&top);
                }
            });
            told.pop().ok().map(|verdict| verdict.says)
        };
        assert_eq!(round(None), None, "nothing was seen yet");
        seen.put(&top(1, 4_700, 4_900));
        assert_eq!(round(Some(top(2, 4_700, 4_900))), None, "it moves, so it lives");
        assert_eq!(round(None), None, "one difference may be REST's lag");
        assert_eq!(round(None), None, "no answer says nothing");
        assert_eq!(round(None), Some(Fitness::Unfit));
        assert_eq!(round(None), None, "said once");
        assert_eq!(round(None), Some(Fitness::Fit));
        assert_eq!(round(None), None);
        let figures = check.figures();
        assert_eq!((figures.compared, figures.differed, figures.failed), (5, 4, 1));
    }

    #[test]
    fn a_condemned_book_that_moves_is_freed_by_its_prices() {
        let seen = Seen::default();
        let (verdicts, mut told) = rtrb::RingBuffer::new(4);
        let checked = vec![Checked { market: market(), name: "77".into() }];
        let mut check = CrossCheck::new(&seen, Venue::Polymarket, checked, verdicts);
        let mut script = Script(vec![Some(best(4_800, 5_000)); 4]);
        // What the feed shows of a book that is condemned.
        let stale = |generation, bid| {
            let mut top = top(generation, bid, 5_000);
            top.health = Health::Stale;
            top
        };
        seen.put(&top(1, 4_700, 4_900));
        let mut round = |after: Option<Top>| {
            check.round(&mut script, |_| {
                if let Some(top) = after {
                    seen.put(&top);
                }
            });
            told.pop().ok().map(|verdict| verdict.says)
        };
        assert_eq!(round(None), None);
        assert_eq!(round(Some(stale(2, 4_700))), None, "it moves, and is no longer sound");
        seen.put(&top(3, 4_700, 4_900));
        assert_eq!(round(None), Some(Fitness::Unfit));
        seen.put(&stale(4, 4_600));
        assert_eq!(round(Some(stale(5, 4_800))), Some(Fitness::Fit));
    }

    #[test]
    fn a_verdict_without_room_is_given_again() {
        let seen = Seen::default();
        let (verdicts, mut told) = rtrb::RingBuffer::new(1);
        let mut check = CrossCheck::new(
            &seen,
            Venue::Polymarket,
            vec![Checked { market: market(), name: "77".into() }],
            verdicts,
        );
        seen.put(&top(1, 4_700, 4_900));
        let mut script = Script(vec![Some(best(1, 2)); 4]);
        let full = Verdict { market: market(), says: Fitness::Restored };
        check.verdicts.push(full).unwrap();
        check.round(&mut script, |_| {});
        check.round(&mut script, |_| {});
        assert_eq!((told.pop(), check.figures().held), (Ok(full), 1));
        check.round(&mut script, |_| {});
        assert_eq!(told.pop().map(|verdict| verdict.says), Ok(Fitness::Unfit));
    }

    #[test]
    fn a_market_that_joins_a_run_that_began_with_none_is_compared() {
        let seen = Seen::default();
        let (verdicts, mut told) = rtrb::RingBuffer::new(4);
        let mut check = CrossCheck::new(&seen, Venue::Polymarket, Vec::new(), verdicts);
        let mut script = Script(vec![Some(best(4_800, 5_000)); 2]);
        check.round(&mut script, |_| {});
        seen.add(Checked { market: market(), name: "77".into() });
        seen.put(&top(1, 4_700, 4_900));
        (0..2).for_each(|_| check.round(&mut script, |_| {}));
        assert_eq!(told.pop().map(|verdict| verdict.says), Ok(Fitness::Unfit));
    }

    /// Never answers, and ends the run after so many questions.
    struct Mute<'a>(usize, &'a AtomicBool);

    impl AskBest for Mute<'_> {
        fn best(&mut self, _: &[&str]) -> Result<Vec<Option<Best>>, RestError> {
            self.0 -= 1;
            self.1.store(self.0 == 0, Ordering::Relaxed);
            Err(RestError { method: "POST", url: String::new(), kind: RestErrorKind::NoStamp })
        }
    }

    #[test]
    fn a_venue_that_shows_no_books_is_told_of_once() {
        let seen = Seen::default();
        let (verdicts, _told) = rtrb::RingBuffer::new(4);
        let checked = vec![Checked { market: market(), name: "77".into() }];
        let mut check = CrossCheck::new(&seen, Venue::Polymarket, checked, verdicts);
        let (stop, mut troubles) = (AtomicBool::new(false), Vec::new());
        let mut venue = Mute(3 * SILENT as usize, &stop);
        check.run(&mut venue, Duration::ZERO, &mut |text| troubles.push(text), &stop);
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        assert!(troubles[0].starts_with("books cannot be compared with what polymarket shows"));
    }
}
