//! What agrees, what does not, and what is told of it.

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
    let file = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]).pair_file().unwrap();
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

#[test]
fn a_difference_is_told_once_and_another_one_again_though_trading_was_stopped_meanwhile() {
    let (mut comparison, mut truth, ticker) = begun();
    let at = Instant::now();
    let told = |comparison: &mut Comparison, truth: &Truth| -> Vec<(i64, i64)> {
        let all = (0..6).flat_map(|_| comparison.judge(at, truth));
        all.map(|difference| (difference.ours, difference.theirs)).collect()
    };
    truth.cash[0] += Usd::new(10);
    assert_eq!(told(&mut comparison, &truth), [(100_000_000, 100_000_010)]);
    assert_eq!(told(&mut comparison, &truth), [], "whoever armed it knows");
    fill(at, &mut comparison);
    truth.net.insert(ticker, 10_000_000);
    assert_eq!(told(&mut comparison, &truth), [], "its money is not there yet");
    truth.cash[0] -= Usd::new(4_000_007);
    assert_eq!(told(&mut comparison, &truth).len(), 0, "both moved alike");
    truth.cash[0] += Usd::new(1);
    assert_eq!(told(&mut comparison, &truth), [(95_999_993, 96_000_004)], "it is another one");
}

#[test]
fn what_was_told_and_is_right_again_is_told_anew_when_it_comes_back() {
    let (mut comparison, mut truth, _) = begun();
    let at = Instant::now();
    truth.cash[1] += Usd::new(7);
    assert_eq!((0..9).map(|_| comparison.judge(at, &truth).len()).sum::<usize>(), 1);
    truth.cash[1] -= Usd::new(7);
    assert_eq!((0..9).map(|_| comparison.judge(at, &truth).len()).sum::<usize>(), 0);
    truth.cash[1] += Usd::new(7);
    assert_eq!((0..9).map(|_| comparison.judge(at, &truth).len()).sum::<usize>(), 1);
}

/// Venues that answer so often, and end the run then.
struct Hurried<'a>(Venues, usize, &'a AtomicBool);

impl Books for Hurried<'_> {
    fn ask(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        self.standing(wanted)
    }

    fn standing(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        self.1 -= 1;
        self.2.store(self.1 == 0, Relaxed);
        self.0.standing(wanted)
    }

    fn cancel(&mut self, order: &super::super::truth::OrderRow) -> Result<(), String> {
        self.0.cancel(order)
    }
}

#[test]
fn after_an_alarm_it_goes_on_and_books_what_settles() {
    let (mut comparison, mut truth, _) = begun();
    let model = crate::model::Model::new(crate::model::Options::default());
    let file = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]).pair_file().unwrap();
    let market = MarketId::new(Venue::Polymarket, 0).unwrap();
    comparison.state.take(&Record::Held { market, outcome: Outcome::Yes, e6: 5 });
    comparison.note(Instant::now());
    let row = comparison.held().into_iter().find(|row| row.tokens.is_some()).unwrap();
    let [yes, no] = row.tokens.unwrap();
    truth.tokens.extend([(yes.clone(), 5), (no, 0)]);
    // Somebody takes out ten dollars.
    truth.cash[1] -= Usd::new(10_000_000);
    let comparison = Mutex::new(comparison);
    let (mut words, mut alarms) = (Vec::new(), Vec::new());
    let mut turns = |truth: &Truth, turns| {
        let end = AtomicBool::new(false);
        let mut venues = Hurried(Venues(truth.clone(), 0), turns, &end);
        let (mut tell, mut alarm) =
            (|word| words.push(word), |why: &str| alarms.push(why.to_owned()));
        let mut trouble = |text: String| panic!("{text}");
        let mut say = Listeners { settled: &mut tell, alarm: &mut alarm, trouble: &mut trouble };
        watch(&mut venues, &file, &comparison, (Duration::ZERO, &end), &mut say);
    };
    turns(&truth, 12);
    // The market pays for what is held of it, a dollar a contract.
    truth.tokens.insert(yes, 0);
    truth.cash[1] += Usd::new(5);
    truth.paid = vec![crate::journal::truth::PaidRow {
        venue: Venue::Polymarket,
        name: row.name,
        yes: Px::ONE,
        paid: None,
    }];
    turns(&truth, 12);
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(matches!(words[..], [Word::Paid(paid)] if paid.paid == Usd::new(5)), "{words:?}");
}

/// Holds so much YES of the first market of Polymarket since long ago; its condition id and token.
fn hold(comparison: &mut Comparison, e6: i64) -> (String, String) {
    let market = MarketId::new(Venue::Polymarket, 0).unwrap();
    comparison.state.take(&Record::Held { market, outcome: Outcome::Yes, e6 });
    comparison.note(Instant::now());
    comparison.figures.values_mut().for_each(Figure::forget);
    let row = comparison.held().into_iter().find(|row| row.tokens.is_some()).unwrap();
    let [yes, _] = row.tokens.unwrap();
    (row.name, yes)
}

fn over(name: &str, yes: Px) -> crate::journal::truth::PaidRow {
    let (venue, name) = (Venue::Polymarket, name.to_owned());
    crate::journal::truth::PaidRow { venue, name, yes, paid: None }
}

/// One comparison: what was paid, and how many differences are told.
fn turn(comparison: &mut Comparison, at: Instant, truth: &Truth) -> (Vec<i64>, Vec<i64>) {
    let words = comparison.explain(at, truth);
    let paid = words.iter().filter_map(|word| match word {
        Word::Paid(paid) => Some(paid.paid.e6()),
        _ => None,
    });
    let differ = comparison.judge(at, truth);
    (paid.collect(), differ.iter().map(|it| it.theirs - it.ours).collect())
}

#[test]
fn a_payout_is_booked_though_other_money_left_with_it() {
    let (mut comparison, mut truth, _) = begun();
    let (name, yes) = hold(&mut comparison, 5_000_000);
    let at = Instant::now();
    // Somebody takes out seven dollars while the market pays five.
    truth.cash[1] += Usd::new(5_000_000 - 7_000_000);
    truth.tokens.insert(yes, 0);
    truth.paid = vec![over(&name, Px::ONE)];
    let turns: Vec<_> = (0..30).map(|_| turn(&mut comparison, at, &truth)).collect();
    let (paid, differ): (Vec<_>, Vec<_>) = turns.into_iter().unzip();
    assert_eq!(paid[..3], [vec![], vec![], vec![5_000_000]], "not by one answer");
    assert_eq!(paid.concat(), [5_000_000], "and once");
    assert_eq!(differ.concat(), [-7_000_000], "and that is all that differs");
}

#[test]
fn a_balance_that_reads_nothing_once_was_not_paid_for() {
    for each in [Px::ONE, Px::ZERO] {
        let (mut comparison, mut truth, _) = begun();
        let (name, yes) = hold(&mut comparison, 5_000_000);
        let at = Instant::now();
        truth.paid = vec![over(&name, each)];
        for _ in 0..4 {
            for held in [5_000_000, 0, 0] {
                truth.tokens.insert(yes.clone(), held);
                assert_eq!(turn(&mut comparison, at, &truth), (vec![], vec![]));
            }
        }
    }
}

#[test]
fn what_was_bought_of_late_and_is_not_there_yet_was_not_paid_for() {
    let (mut comparison, mut truth, _) = begun();
    let market = MarketId::new(Venue::Polymarket, 0).unwrap();
    let at = Instant::now();
    comparison.state.take(&Record::Held { market, outcome: Outcome::Yes, e6: 5_000_000 });
    comparison.note(at);
    let row = comparison.held().into_iter().find(|row| row.tokens.is_some()).unwrap();
    truth.paid = vec![over(&row.name, Px::ONE)];
    let later = at + Duration::from_secs(60);
    for _ in 0..20 {
        assert_eq!(turn(&mut comparison, later, &truth), (vec![], vec![]));
    }
    let late = at + LAG + Duration::from_secs(60);
    let paid: Vec<_> = (0..3).map(|_| turn(&mut comparison, late, &truth).0.len()).collect();
    assert_eq!(paid, [0, 0, 1]);
}

#[test]
fn what_was_told_as_a_difference_is_booked_once_its_market_has_a_winner() {
    let (mut comparison, mut truth, _) = begun();
    let (name, yes) = hold(&mut comparison, 5_000_000);
    let at = Instant::now();
    truth.cash[1] += Usd::new(5_000_000);
    truth.tokens.insert(yes, 0);
    let told = |comparison: &mut Comparison, truth: &Truth| -> Vec<i64> {
        (0..12).flat_map(|_| turn(comparison, at, truth).1).collect()
    };
    assert_eq!(told(&mut comparison, &truth), [5_000_000, -5_000_000], "nobody named a winner");
    truth.paid = vec![over(&name, Px::ONE)];
    assert_eq!(turn(&mut comparison, at, &truth), (vec![5_000_000], vec![]));
    let left = comparison.figures.values().filter_map(Figure::known).count();
    assert_eq!(left, 0, "its own money and tokens are explained");
    truth.cash[1] += Usd::new(3);
    assert_eq!(told(&mut comparison, &truth), [3], "and another difference is one");
}

#[test]
fn a_part_that_left_by_other_hands_was_not_paid_for() {
    let (mut comparison, mut truth, _) = begun();
    let (name, yes) = hold(&mut comparison, 10_000_000);
    let at = Instant::now();
    truth.tokens.insert(yes.clone(), 7_000_000);
    let told: Vec<_> = (0..9).flat_map(|_| turn(&mut comparison, at, &truth).1).collect();
    assert_eq!(told, [-3_000_000]);
    truth.tokens.insert(yes, 0);
    truth.cash[1] += Usd::new(7_000_000);
    truth.paid = vec![over(&name, Px::ONE)];
    assert_eq!(turn(&mut comparison, at, &truth), (vec![7_000_000], vec![]));
    let told: Vec<_> = (0..30).flat_map(|_| turn(&mut comparison, at, &truth).1).collect();
    assert_eq!(told, [0; 0], "the rest stays known");
}

/// Venues that never answer, and end the run after so many questions.
struct Mute<'a>(u32, &'a AtomicBool);

impl Books for Mute<'_> {
    fn ask(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        self.standing(wanted)
    }

    fn standing(&mut self, _: &Wanted) -> Result<Truth, String> {
        self.0 -= 1;
        self.1.store(self.0 == 0, Relaxed);
        Err("no such page".to_owned())
    }

    fn cancel(&mut self, _: &super::super::truth::OrderRow) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn a_comparison_that_is_never_answered_is_told_of_once_and_stops_nothing() {
    let (comparison, ..) = begun();
    let model = crate::model::Model::new(crate::model::Options::default());
    let file = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]).pair_file().unwrap();
    let (end, mut troubles) = (AtomicBool::new(false), Vec::new());
    let mut venues = Mute(3 * SILENT, &end);
    let mut say = Listeners {
        settled: &mut |word| panic!("{word:?}"),
        alarm: &mut |why| panic!("{why}"),
        trouble: &mut |text| troubles.push(text),
    };
    watch(&mut venues, &file, &Mutex::new(comparison), (Duration::ZERO, &end), &mut say);
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(troubles[0].ends_with("no such page"), "{troubles:?}");
}
