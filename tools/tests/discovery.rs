//! Discovery against the simulated venues, whose catalogues hold hundreds of events and look-alikes:
//! what is equal is found with its tokens, what only looks it never trades, and what a person
//! decides holds.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "common/rig.rs"]
mod rig;

use std::collections::HashMap;
use std::fs;

use engine::pair::Verdict;
use parallax::pairs::{self, PairFile};
use rig::{Sim, json_file, output};
use serde_json::Value;

fn key(value: &Value) -> (String, String) {
    let text = |key: &str| value[key].as_str().unwrap().to_owned();
    (text("kalshi_ticker"), text("condition_id"))
}

#[test]
fn equal_contracts_are_found_look_alikes_refused_and_decisions_hold() {
    let sim = Sim::start(&["--port", "0"]);
    let out = sim.good(&["discover", "--json", "--out", "found.toml"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    let truth = json_file(&sim.path("catalogue-truth.json"));
    let truth = truth.as_array().unwrap();
    let pairs: HashMap<_, _> =
        found["pairs"].as_array().unwrap().iter().map(|pair| (key(pair), pair)).collect();
    let trades =
        |pair: &Value| ["tradable", "approved"].contains(&pair["verdict"].as_str().unwrap());
    let mut known: HashMap<(String, String), bool> = HashMap::new();
    let mut wrong = Vec::new();
    for row in truth {
        let equal = row["equal"] == true;
        known.insert(key(row), equal);
        match (equal, pairs.get(&key(row))) {
            (true, None) => wrong.push(format!("not found: {row}")),
            (true, Some(pair)) if pair["polarity"] != row["polarity"] => {
                wrong.push(format!("the other way round: {row}"));
            }
            (false, Some(pair)) if trades(pair) => wrong.push(format!("trades: {row}")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    // What trades is equal, or one of the markets that the venues' own table pairs.
    let own = sim.pairs("pairs.toml");
    for pair in &own.pairs {
        let key = (pair.kalshi.ticker.clone(), pair.polymarket.condition_id.clone());
        let found = pairs.get(&key).unwrap_or_else(|| panic!("not found: {}", pair.id));
        assert_eq!(found["yes"], pair.polymarket.yes.as_str(), "{}", pair.id);
        assert_eq!(found["id"], pair.id.as_str());
        known.insert(key, true);
    }
    for (key, pair) in &pairs {
        assert!(!trades(pair) || known.get(key) == Some(&true), "{pair} trades");
    }

    // The table that was written is the one that the engine reads, with all its terms.
    let table = sim.pairs("found.toml");
    assert_eq!(table.pairs.len(), pairs.len());
    for pair in &own.pairs {
        let found = table.pairs.iter().find(|found| found.id == pair.id).unwrap();
        assert_eq!((&found.kalshi, found.polarity), (&pair.kalshi, pair.polarity));
        let terms = |pair: &pairs::PairSpec| {
            let p = &pair.polymarket;
            (p.yes.clone(), p.no.clone(), p.tick, p.min_size, p.fee_rate_e6, p.neg_risk, p.version)
        };
        assert_eq!(terms(found), terms(pair), "{}", pair.id);
    }

    // A second look finds nothing new, and matches nothing again.
    let again: Value = serde_json::from_str(&sim.good(&["discover", "--json"])).unwrap();
    assert_eq!(again["crawl"]["changed"], 0, "{}", again["crawl"]);
    assert_eq!(again["changes"]["matched"], 0);

    // One screen says what differs, and where it was read.
    let more = truth.iter().find(|row| row["why"].as_str().unwrap().contains("or more")).unwrap();
    let (ticker, condition) = key(more);
    let screen = sim.good(&["discover", "--explain", &format!("{ticker},{condition}")]);
    assert!(screen.lines().count() <= 45 && screen.contains("REFUSED"), "{screen}");
    assert!(screen.contains("strike differs") && screen.contains("read in the "), "{screen}");

    decisions(&sim, &own);
}

#[test]
fn what_was_known_outlives_the_venues_and_a_table_is_not_emptied() {
    let mut sim = Sim::start(&["--port", "0"]);
    filters(&sim);
    sim.good(&["discover", "--out", "found.toml"]);
    let known = sim.pairs("found.toml");
    // A word that nobody knows, and a look that finds nothing, leave the table as it is.
    for (more, says) in [
        (&["--only-leagues", "epl,nosuch"][..], "nosuch"),
        (&["--kalshi-ticker", "NOPE"], "NOPE"),
        (&["--min-apr", "99999999"], "--allow-empty"),
    ] {
        let args = [&["discover", "--out", "found.toml"], more].concat();
        let (code, _, err) = output(&mut sim.configured(&args));
        assert!(code == Some(1) && err.contains(says), "{more:?}: {err}");
        assert_eq!(sim.pairs("found.toml").pairs.len(), known.pairs.len(), "{more:?}");
    }
    // An id that is mistyped is refused before anybody is asked for more.
    let (code, _, err) = output(&mut sim.configured(&["discover", "--explain", "NOPE"]));
    assert!(code == Some(1) && err.contains("NOPE"), "{err}");
    // The quotes moved meanwhile, and with them the order of the pairs.
    sim.good(&["discover", "--out", "found.toml"]);
    let known = sim.pairs("found.toml");
    sim.stop();
    sim.good(&["discover", "--out", "found.toml"]);
    let kept = sim.pairs("found.toml");
    let ids = |file: &PairFile| file.pairs.iter().map(|pair| pair.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&kept), ids(&known));

    // Without what was known there is nothing to compare, and that is an error.
    fs::remove_file(sim.path("catalogue.sqlite")).unwrap();
    let (code, _, err) = output(&mut sim.configured(&["discover", "--out", "found.toml"]));
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("no market of it was known"), "{err}");
    assert_eq!(ids(&sim.pairs("found.toml")), ids(&known));
}

/// A block holds against a pair file that allows the pair; an approval is kept with who and why.
fn decisions(sim: &Sim, own: &PairFile) {
    let id = own.pairs[0].id.as_str();
    sim.good(&["pairs", "block", id, "--who", "ann", "--why", "a test"]);
    let blocked = sim.good(&["pairs", "list", "--verdict", "blocked", "--json"]);
    assert!(blocked.contains("blocked by ann") && blocked.contains(id), "{blocked}");
    let run = ["run", "--live", "--seconds", "1", "--no-tui", "--pairs", "pairs.toml"];
    let (code, _, err) = output(&mut sim.configured(&run));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains(id) && err.contains("blocked by ann"), "{err}");
    assert!(err.contains("parallax pairs show"), "{err}");

    let (code, _, err) =
        output(&mut sim.configured(&["pairs", "approve", id, "--who", "ann", "--why", " "]));
    assert_eq!(code, Some(1));
    assert!(err.contains("--why is empty"), "{err}");
    let series =
        sim.good(&["pairs", "approve", id, "--who", "bob", "--why", "read both", "--series"]);
    assert!(series.contains("other known pairs are like it"), "{series}");
    let shown = sim.good(&["pairs", "show", id]);
    assert!(shown.contains("block by ann: a test") && shown.contains("approve by bob"), "{shown}");
    sim.good(&["pairs", "export", "--out", "export.toml"]);
    let export = sim.pairs("export.toml");
    let pair = export.pairs.iter().find(|pair| pair.id == id).unwrap();
    assert_eq!(pair.verdict, Verdict::Approved);
    assert!(export.pairs.iter().all(|pair| pair.verdict.trades_live()));
    assert_eq!(sim.good(&["pairs", "diff", "export.toml"]).matches("~ ").count(), 0);
}

/// What is asked for narrows what is shown: the return on locked money, leagues, a market.
fn filters(sim: &Sim) {
    let shown = |more: &[&str]| -> Vec<Value> {
        let out = sim.good(&[&["discover", "--json"], more].concat());
        let found: Value = serde_json::from_str(&out).unwrap();
        found["pairs"].as_array().unwrap().clone()
    };
    let apr = |pair: &Value| -> Option<f64> {
        pair["apr_percent"].as_str()?.trim_end_matches(" %").parse().ok()
    };
    let all = shown(&[]);
    let known: Vec<f64> = all.iter().filter_map(apr).collect();
    assert!(known.len() >= 6 && known.is_sorted_by(|a, b| a >= b), "best paid first: {known:?}");
    assert!(all.iter().skip(known.len()).all(|pair| apr(pair).is_none()), "unknown ones last");
    // Quotes move between two looks, so that only what is shown can be compared with the limit.
    assert!(shown(&["--min-apr", "0"]).iter().all(|pair| apr(pair).unwrap() >= 0.0));

    let of = |pair: &Value, stem: &str| pair["kalshi_ticker"].as_str().unwrap().starts_with(stem);
    let leagues = shown(&["--only-leagues", "nba,epl"]);
    let is_one = |pair: &&Value| of(pair, "KXNBA") || of(pair, "KXEPL");
    assert_eq!(leagues.len(), all.iter().filter(is_one).count());
    assert!(leagues.iter().any(|pair| of(pair, "KXNBA")) && leagues.iter().all(|p| is_one(&p)));

    let ticker = leagues[0]["kalshi_ticker"].as_str().unwrap();
    let one = shown(&["--kalshi-ticker", &ticker.to_lowercase()]);
    assert!(!one.is_empty() && one.iter().all(|pair| pair["kalshi_ticker"] == ticker), "{one:?}");
}

#[test]
fn the_environment_makes_a_run_find_pairs_and_end_or_find_them_though_no_file_asks_for_it() {
    let sim = Sim::start(&["--port", "0", "--catalogue", "none"]);
    let path = sim.path("parallax.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("pairs = [\"pairs.toml\"]\n", "pairs = []\n")).unwrap();
    let run = ["run", "--seconds", "1", "--no-tui", "--json"];
    let only = output(sim.configured(&run).env("DISCOVERY_ONLY", "1"));
    assert_eq!(only.0, Some(0), "{}", only.2);
    let ids: Vec<String> = sim.pairs("pairs.toml").pairs.into_iter().map(|pair| pair.id).collect();
    assert!(ids.iter().all(|id| only.1.contains(id)), "{}", only.1);
    assert!(!only.1.contains("decision_hash"), "it ended before it traded: {}", only.1);

    let (code, told, err) = output(sim.configured(&run).env("FORCE_DISCOVERY", "1"));
    assert_eq!(code, Some(0), "{told}{err}");
    assert!(
        err.contains(&format!("discovery: {} pairs beside 0 of your files", ids.len())),
        "{err}"
    );
    assert!(told.contains("decision_hash"), "{told}");
    // A word that is no switch is refused, with its name.
    let (code, _, err) = output(sim.configured(&run).env("DISCOVERY_ONLY", "perhaps"));
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("DISCOVERY_ONLY"), "{err}");
}
