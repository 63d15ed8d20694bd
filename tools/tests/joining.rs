//! A pair that is found while a run lasts joins it: it is traded without a new start and without a
//! new connection, the venues' ledgers agree, and the tape repeats it.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "common/rig.rs"]
mod rig;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use engine::tap::TapKind;
use feeds::fitness::{Fitness, Verdict};
use parallax::rest::Agent;
use parallax::run::child::Venues;
use parallax::tape::{Body, TapeReader};
use rig::{Process, Sim, last_json, output, until};

const PATIENCE: Duration = Duration::from_secs(90);

/// Venues whose pairs trade where they are found, and what changes is looked for so often.
fn venues(every_s: u32) -> Sim {
    venues_of(every_s, &["--arb-per-minute", "1200"])
}

/// The same with these options.
fn venues_of(every_s: u32, more: &[&str]) -> Sim {
    let sim = Sim::start(&[&["--port", "0", "--catalogue", "none"], more].concat());
    let path = sim.path("parallax.toml");
    let mut text = fs::read_to_string(&path).unwrap();
    text = text.replace("pairs = [\"pairs.toml\"]\n", "pairs = []\n");
    text.push_str(&format!("\n[discovery]\nenabled = true\nevery_s = {every_s}\n"));
    fs::write(&path, text).unwrap();
    sim
}

/// The tape of a run repeats its decisions.
fn says_the_same_again(sim: &Sim, tape: &Path) {
    let (code, said, err) = output(&mut sim.command(&["replay", tape.to_str().unwrap()]));
    assert_eq!(code, Some(0), "{said}{err}");
    let hash = |name: &str| {
        let line = said.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(hash("decision hash"), hash("recorded hash"), "{said}");
}

#[test]
fn a_pair_that_is_found_while_a_run_lasts_is_traded_without_a_start_or_a_connection() {
    let sim = venues(1);
    let own = sim.pairs("pairs.toml");
    // Nobody lets this one trade when the run begins.
    let late = &own.pairs[0];
    sim.good(&["discover"]);
    sim.good(&["pairs", "block", &late.id, "--who", "ann", "--why", "a test"]);
    let run = ["run", "--live", "--no-tui", "--json", "--seconds", "45", "--record", "tapes"];
    let run = Process::start(&mut sim.configured(&run), &sim.path("run"));
    let log = || run.log();
    let orders = || {
        let venues = fs::read_to_string(sim.path("journal.jsonl")).unwrap_or_default();
        venues.matches("/portfolio/events/orders\"").count()
    };
    until("it does not trade", PATIENCE, &log, || (orders() > 2).then_some(()));
    sim.good(&["pairs", "approve", &late.id, "--who", "bob", "--why", "a test"]);
    let joins = format!("{} is new and joins", late.id);
    until("it does not join", PATIENCE, &log, || log().contains(&joins).then_some(()));
    let (code, told, errors) = run.end();
    assert_eq!(code, Some(0), "{told}{errors}");
    assert!(!errors.contains("stops, and leaves"), "{errors}");
    let summary = last_json(&told);

    // The engine's journal tells of its market while the run lasts, and then of its orders.
    let (code, shown, err) = output(&mut sim.command(&["journal", "show", "journal"]));
    assert_eq!(code, Some(0), "{err}");
    let lines: Vec<&str> = shown.lines().collect();
    let heard = lines.iter().position(|line| line.contains("Heard of bundle")).unwrap();
    let is_its = format!(" is {}", late.kalshi.ticker);
    let named = lines.iter().position(|line| line.ends_with(&is_its)).unwrap();
    assert!(heard < named, "it was there from the start: {}", lines[named]);
    let place = lines[named].split("Market ").nth(1).unwrap().split(" is ").next().unwrap();
    let is_filled = |line: &&&str| line.contains(&format!("at {place}: Filled"));
    assert!(lines[named..].iter().any(|line| is_filled(&line)), "{summary}{errors}");

    // Nothing was connected again for it, and each feed was told of one market.
    let tape = fs::read_dir(sim.path("tapes")).unwrap().next().unwrap().unwrap().path();
    let mut reader = TapeReader::open(&tape).unwrap();
    let (mut opened, mut came) = ([0; 2], [0; 2]);
    while reader.advance().unwrap() {
        let Some(record) = reader.current() else { continue };
        match record.body {
            Body::Mark(TapKind::Opened, _) => opened[record.venue.index()] += 1,
            Body::Mark(TapKind::Market, _) => came[record.venue.index()] += 1,
            _ => {}
        }
    }
    assert_eq!((opened, came), ([1, 1], [1, 1]), "{errors}");

    says_the_same_again(&sim, &tape);
}

#[test]
fn pairs_that_leave_make_room_for_more_pairs_than_find_room_at_once() {
    let sim = venues(1);
    let path = sim.path("parallax.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("every_s = 1\n", "every_s = 1\nreserve = 1\n")).unwrap();
    let own = sim.pairs("pairs.toml");
    let late = &own.pairs[..2];
    sim.good(&["discover"]);
    let decide = |what: &str, id: &str| {
        sim.good(&["pairs", what, id, "--who", "ann", "--why", "a test"]);
    };
    late.iter().for_each(|pair| decide("block", &pair.id));
    // Nothing gains as much, so that nothing is held that would keep a pair.
    let run = ["run", "--live", "--no-tui", "--json", "--seconds", "60", "--record", "tapes"];
    let mut run = sim.configured(&run);
    let run = Process::start(run.env("MIN_PROFIT_THRESHOLD", "0.90"), &sim.path("run"));
    let log = || run.log();
    // What is approved before it has begun is in it from the start.
    until("it does not begin", PATIENCE, &log, || log().contains("rings ").then_some(()));
    const ROUNDS: usize = 4;
    for round in 0..ROUNDS {
        let pair = &late[round % 2];
        let times = |what: &str| log().matches(what).count();
        let joins = format!("{} is new and joins", pair.id);
        let left = format!("{} left: its place is free", pair.kalshi.ticker);
        decide("approve", &pair.id);
        let is_done = |what: &str| (times(what) > round / 2).then_some(());
        until("it does not join", PATIENCE, &log, || is_done(&joins));
        decide("block", &pair.id);
        until("it does not leave", PATIENCE, &log, || is_done(&left));
    }
    let (code, told, errors) = run.end();
    assert_eq!(code, Some(0), "{told}{errors}");

    // Each of them had the same number, one after the other.
    let (code, shown, err) = output(&mut sim.command(&["journal", "show", "journal"]));
    assert_eq!(code, Some(0), "{err}");
    let named: Vec<&str> = shown
        .lines()
        .filter(|line| late.iter().any(|pair| line.ends_with(&pair.kalshi.ticker)))
        .map(|line| line.split("Market ").nth(1).unwrap().split(" is ").next().unwrap())
        .collect();
    assert_eq!(named.len(), ROUNDS, "{shown}");
    assert!(named.iter().all(|number| *number == named[0]), "{named:?}");

    // Each feed let every one of them go and gave its number away; nothing was connected again.
    let tape = fs::read_dir(sim.path("tapes")).unwrap().next().unwrap().unwrap().path();
    let mut reader = TapeReader::open(&tape).unwrap();
    let (mut opened, mut came, mut went) = ([0; 2], [0; 2], [0; 2]);
    while reader.advance().unwrap() {
        let Some(record) = reader.current() else { continue };
        let venue = record.venue.index();
        match record.body {
            Body::Mark(TapKind::Opened, _) => opened[venue] += 1,
            Body::Mark(TapKind::Market, _) => came[venue] += 1,
            Body::Mark(TapKind::Verdict, bytes) => {
                let says = Verdict::from_bytes(bytes).unwrap().says;
                went[venue] += usize::from(says == Fitness::Retired);
            }
            _ => {}
        }
    }
    assert_eq!((opened, came, went), ([1, 1], [ROUNDS; 2], [ROUNDS; 2]), "{errors}");

    says_the_same_again(&sim, &tape);
}

#[test]
fn a_market_that_both_venues_list_while_a_run_lasts_is_announced_found_and_traded() {
    // Only the venues' own word leads to a look in time.
    let sim = venues(3_600);
    let run = ["run", "--live", "--no-tui", "--json", "--seconds", "90"];
    let run = Process::start(&mut sim.configured(&run), &sim.path("run"));
    let log = || run.log();
    let orders = |ticker: &str| {
        let venues = fs::read_to_string(sim.path("journal.jsonl")).unwrap_or_default();
        let its =
            |line: &&str| line.contains("/portfolio/events/orders\"") && line.contains(ticker);
        venues.lines().filter(its).count()
    };
    until("it does not trade", PATIENCE, &log, || (orders("") > 2).then_some(()));
    let venues = Venues::find(sim.dir()).unwrap();
    let agent = Agent::new(Some(&sim.path("ca.pem"))).unwrap();
    let (pair, listed) = (venues.list(&agent).unwrap(), Instant::now());
    let joins = format!("{pair} is new and joins");
    until("it does not join", PATIENCE, &log, || log().contains(&joins).then_some(()));
    let joined = listed.elapsed();
    let ticker = pair.to_uppercase();
    until("nobody trades it", PATIENCE, &log, || (orders(&ticker) > 0).then_some(()));
    println!(
        "from the listing to where it joined {} ms, to its first order {} ms",
        joined.as_millis(),
        listed.elapsed().as_millis()
    );
    // Nobody looks at the catalogues for an hour, and what somebody decides is known at once.
    sim.good(&["pairs", "block", &pair, "--who", "ann", "--why", "a test"]);
    let stops = format!("{ticker} stops, and leaves");
    until("it is not stopped", PATIENCE, &log, || log().contains(&stops).then_some(()));
    run.interrupt();
    let (code, told, errors) = run.end();
    assert_eq!(code, Some(0), "{told}{errors}");
    assert_eq!(last_json(&told)["joined"][0]["pair"], pair.as_str(), "{told}");
    assert!(errors.contains("s after both venues list it"), "{errors}");
}

#[test]
fn a_pair_of_a_file_that_left_comes_back_by_no_other_way() {
    let sim = venues(1);
    let own = sim.pairs("pairs.toml");
    let (mine, other) = (&own.pairs[0], &own.pairs[1]);
    // A file with the first pair alone.
    let text = fs::read_to_string(sim.path("pairs.toml")).unwrap();
    let end = text.match_indices("[[pair]]").nth(1).unwrap().0;
    fs::write(sim.path("mine.pairs.toml"), &text[..end]).unwrap();
    sim.good(&["discover"]);
    let decide = |what: &str, id: &str| {
        sim.good(&["pairs", what, id, "--who", "ann", "--why", "a test"]);
    };
    decide("block", &other.id);
    let run = ["run", "--live", "--no-tui", "--json", "--seconds", "60", "--pairs"];
    let run = [&run[..], &["mine.pairs.toml"]].concat();
    let mut run = sim.configured(&run);
    // Nothing gains as much, so that nothing is held that would keep a pair.
    let run = Process::start(run.env("MIN_PROFIT_THRESHOLD", "0.90"), &sim.path("run"));
    let log = || run.log();
    until("it does not begin", PATIENCE, &log, || log().contains("rings ").then_some(()));
    let is_told = |what: &str| log().contains(what).then_some(());
    decide("block", &mine.id);
    let left = format!("{} left: its place is free", mine.kalshi.ticker);
    until("it does not leave", PATIENCE, &log, || is_told(&left));
    // Whoever looks sees both decisions: the one is left to its file, the other joins.
    decide("approve", &mine.id);
    decide("approve", &other.id);
    let joins = |id: &str| format!("{id} is new and joins");
    until("the other does not join", PATIENCE, &log, || is_told(&joins(&other.id)));
    let (code, told, errors) = run.end();
    assert_eq!(code, Some(0), "{told}{errors}");
    assert!(!errors.contains(&joins(&mine.id)), "{errors}");
}

#[test]
fn a_pair_of_which_the_account_holds_something_waits_for_the_next_start() {
    let sim = venues_of(1, &["--arb-per-minute", "0", "--markets", "2"]);
    let late = &sim.pairs("pairs.toml").pairs[0];
    sim.good(&["discover"]);
    let decide = |what: &str| {
        sim.good(&["pairs", what, &late.id, "--who", "ann", "--why", "a test"]);
    };
    decide("block");
    let ticker = late.kalshi.ticker.as_str();
    sim.good(&["order", "kalshi", "buy", ticker, "yes", "10", "0.99", "--live"]);
    let run = ["run", "--live", "--no-tui", "--json", "--seconds", "90"];
    let run = Process::start(&mut sim.configured(&run), &sim.path("run"));
    let log = || run.log();
    until("it does not begin", PATIENCE, &log, || log().contains("rings ").then_some(()));
    decide("approve");
    let is_told = |what: &str| log().contains(what).then_some(());
    let waits = format!("{} cannot join: the account on kalshi holds", late.id);
    until("nobody asked what is held", PATIENCE, &log, || {
        assert!(!log().contains(&format!("{} is new and joins", late.id)), "{}", log());
        is_told(&waits)
    });
    run.interrupt();
    let (code, told, errors) = run.end();
    assert_eq!(code, Some(0), "{told}{errors}");
}

#[test]
fn a_pair_that_a_killed_run_held_is_among_the_pairs_of_the_next_start_though_it_is_blocked() {
    let sim = venues(3_600);
    let run = ["run", "--live", "--no-tui", "--json", "--seconds", "120"];
    let mut first = Process::start(&mut sim.configured(&run), &sim.path("first"));
    let log = || first.log();
    // The first position of any pair, as its venue tells it.
    let held = until("it holds nothing", PATIENCE, &log, || {
        let (_, told, _) = output(&mut sim.configured(&["positions", "--json"]));
        let own = sim.pairs("pairs.toml").pairs;
        own.into_iter().find(|pair| told.contains(&format!("\"{}\"", pair.kalshi.ticker)))
    });
    first.kill();
    sim.good(&["pairs", "block", &held.id, "--who", "ann", "--why", "a test"]);
    let (code, told, errors) = output(&mut sim.configured(&[&run[..5], &["1"]].concat()));
    assert_eq!(code, Some(0), "{told}{errors}");
    let table = fs::read_to_string(sim.path("catalogue.pairs.toml")).unwrap();
    assert!(table.contains(&format!("id = \"{}\"", held.id)), "{table}\n{errors}");
}
