//! Nobody joins of whom something is held.

use std::sync::mpsc::channel;

use super::*;
use crate::journal::truth::{OrderRow, Truth};
use crate::model::{Model, Options};
use crate::run::joins::arrivals;
use crate::run::spec::RunSpec;

struct Account(Result<Truth, String>);

impl Books for Account {
    fn ask(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        self.standing(wanted)
    }

    fn standing(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        let mut truth = self.0.clone()?;
        for (token, _) in &wanted.tokens {
            truth.tokens.entry(token.clone()).or_default();
        }
        Ok(truth)
    }

    fn cancel(&mut self, _: &OrderRow) -> Result<(), String> {
        Ok(())
    }
}

fn begun() -> (RunSpec, PairFile) {
    let model = Model::new(Options::default());
    let mut spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
    spec.reserve = 2;
    let file = spec.pair_file().unwrap();
    (spec, file)
}

/// A pair that no run knows yet.
fn late(file: &PairFile) -> PairSpec {
    let mut late = file.pairs[0].clone();
    late.id = "late".to_owned();
    late.kalshi.ticker = "KXLATE".to_owned();
    late.polymarket.condition_id = format!("0x{}", "ab".repeat(32));
    late
}

/// What becomes of a pair that comes, and whether a feed was told of it.
fn join(truth: Option<Result<Truth, String>>) -> (NotJoined, bool) {
    let (spec, file) = begun();
    let table = spec.setup().unwrap().table;
    let ((first, mut tiles), (second, _other)) = (arrivals(), arrivals());
    let ends = JoinEnds { kalshi: first, polymarket: second, terms: None };
    let ((tell, _changes), (_said, told)) = (channel(), channel());
    let books = truth.map(|truth| Box::new(Account(truth)) as Box<dyn Books + Send>);
    let mut joiner = Joiner::new(ends, &file, &table, tell, told).asking(books);
    let late = late(&file);
    // No feed answers here, and the run is over: whoever would wait for one is told so.
    let why = joiner.join(&late, "", &AtomicBool::new(true)).unwrap_err();
    (why, tiles.coming.pop().is_ok())
}

#[test]
fn a_pair_of_which_something_is_held_does_not_join() {
    let held = |net: &[(&str, i64)], tokens: &[(&str, i64)]| {
        let map = |rows: &[(&str, i64)]| rows.iter().map(|(k, e6)| (k.to_string(), *e6)).collect();
        Some(Ok(Truth { net: map(net), tokens: map(tokens), ..Truth::default() }))
    };
    let p = begun().1.pairs[0].polymarket.clone();
    let (yes, no) = (p.yes.as_str(), p.no.as_str());
    for (truth, what) in [
        (held(&[("KXLATE", -5_000_000)], &[]), "of KXLATE"),
        (held(&[], &[(yes, 2_500_000)]), yes),
        (held(&[], &[(no, 1)]), no),
    ] {
        let (why, was_told) = join(truth);
        let NotJoined::Words(text) = &why else { panic!("{why:?}") };
        assert!(text.contains(what) && text.contains("at the next start"), "{text}");
        assert!(!was_told, "{text}");
    }
    // Of others as much as there may be, and on paper nobody is asked.
    for truth in [held(&[("KXOTHER", 7)], &[("12", 7)]), None] {
        let (why, was_told) = join(truth);
        assert_eq!((why, was_told), (NotJoined::Over, true));
    }
    // Without an answer it waits.
    let (why, was_told) = join(Some(Err("no answer".to_owned())));
    assert!(matches!(why, NotJoined::Later(_)) && !was_told, "{why:?}");
}

#[test]
fn a_pair_that_the_core_refuses_is_forgotten_and_its_markets_are_let_go() {
    let (spec, file) = begun();
    let table = spec.setup().unwrap().table;
    let ((first, mut kalshi), (second, mut polymarket)) = (arrivals(), arrivals());
    let ends = JoinEnds { kalshi: first, polymarket: second, terms: None };
    let ((tell, changes), (said, told)) = (channel(), channel());
    let mut joiner = Joiner::new(ends, &file, &table, tell, told);
    let late = late(&file);
    let new = Venue::ALL.map(|venue| MarketId::new(venue, file.pairs.len()).unwrap());
    kalshi.answers.push(Ok(new[0])).unwrap();
    polymarket.answers.push(Ok(new[1])).unwrap();
    kalshi.gone.push((Going::Retire(new[0]), 3)).unwrap();
    polymarket.gone.push((Going::Retire(new[1]), 4)).unwrap();
    let end = AtomicBool::new(false);
    let place = joiner.join(&late, "", &end).unwrap();
    assert!(matches!(changes.try_recv(), Ok(Move::Join(_))));
    said.send(Told::Refused(place)).unwrap();
    assert_eq!(joiner.tend(&end), Ok(vec![Went { place, refused: true }]));
    assert_eq!(changes.try_recv(), Ok(Move::Vacate(new[0], 3)));
    assert_eq!(changes.try_recv(), Ok(Move::Vacate(new[1], 4)));
    assert_eq!(kalshi.going.pop(), Ok(Going::Retire(new[0])));
    assert_eq!(polymarket.going.pop(), Ok(Going::Retire(new[1])));
    assert_eq!(joiner.table.vacant(), Some(place), "its place is free");
}

#[test]
fn what_came_for_a_pair_that_cannot_be_made_is_let_go_at_both_venues() {
    let (spec, file) = begun();
    let table = spec.setup().unwrap().table;
    let ((first, mut kalshi), (second, mut polymarket)) = (arrivals(), arrivals());
    let ends = JoinEnds { kalshi: first, polymarket: second, terms: None };
    let ((tell, changes), (_said, told)) = (channel(), channel());
    let mut joiner = Joiner::new(ends, &file, &table, tell, told);
    let mut late = late(&file);
    late.polymarket.fee_exponent = 9;
    let new = Venue::ALL.map(|venue| MarketId::new(venue, file.pairs.len()).unwrap());
    kalshi.answers.push(Ok(new[0])).unwrap();
    polymarket.answers.push(Ok(new[1])).unwrap();
    kalshi.gone.push((Going::Retire(new[0]), 3)).unwrap();
    polymarket.gone.push((Going::Retire(new[1]), 4)).unwrap();
    let end = AtomicBool::new(false);
    let place = joiner.table.vacant();
    let why = joiner.join(&late, "", &end).unwrap_err();
    assert!(matches!(why, NotJoined::Words(_)), "{why:?}");
    assert_eq!(changes.try_recv(), Ok(Move::Vacate(new[0], 3)));
    assert_eq!(changes.try_recv(), Ok(Move::Vacate(new[1], 4)), "its number is given back too");
    assert!(changes.try_recv().is_err(), "the core hears of no pair");
    assert_eq!(kalshi.going.pop(), Ok(Going::Retire(new[0])));
    assert_eq!(polymarket.going.pop(), Ok(Going::Retire(new[1])));
    assert_eq!(joiner.table.vacant(), place);
}
