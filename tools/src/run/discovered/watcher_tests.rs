use std::path::Path;
use std::sync::mpsc::Receiver;

use engine::pair::Verdict;
use engine::top::MarketId;
use feeds::live::arrival::{Arrivals, Going};
use feeds::live::{kalshi, polymarket};
use rtrb::RingBuffer;
use serde_json::json;

use super::*;
use crate::catalogue::discovery::tests::{Fake, NOW, fake, fed, gamma, look};
use crate::catalogue::store::{Action, Decision, PairRow, Store};
use crate::config::{self, Variables};
use crate::journal::truth::{OrderRow, Truth, Wanted};
use crate::run::joins::{Move, Told, arrivals};
use crate::run::spec::RunSpec;

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn the_first_word_leads_to_a_look_at_once_and_the_others_wait_for_a_pause() {
    let s = Duration::from_secs;
    assert_eq!((wait(s(60), false, false), wait(s(60), false, true)), (s(60), s(60)));
    assert_eq!((wait(s(60), true, false), wait(s(60), true, true)), (s(1), LOOK_APART));
    assert_eq!(wait(s(2), true, true), s(2), "never later than without a word");
}

/// A run over the pairs of a store, and whoever answers there.
struct Rig<'c> {
    watcher: Watcher<'c>,
    changes: Receiver<Move>,
    told: std::sync::mpsc::Sender<Told>,
    kalshi: Arrivals<kalshi::NewMarket>,
    polymarket: Arrivals<polymarket::NewMarket>,
    venues: Fake,
    file: PairFile,
}

fn configured(dir: &Path) -> Config {
    let text = "[discovery]\nenabled = true\nstore = \"found.sqlite\"\n";
    config::parse(text, &dir.join("parallax.toml"), &Variables::default(), None).unwrap()
}

/// A market of Polymarket with ids as long as its first version has them.
fn listed(bps: u32, id: u8) -> serde_json::Value {
    let token = |digit: &str| format!("{id}{}", digit.repeat(75));
    let mut market = gamma(bps, id);
    market["clobTokenIds"] = json!(format!("[\"{}\", \"{}\"]", token("1"), token("2")));
    market
}

/// Somebody approves whatever was found.
fn approve(store: &Store) {
    for row in store.pairs(false).unwrap() {
        store.decide(&decision(&row, Action::Approve)).unwrap();
    }
}

/// A run over all pairs that both venues list now. With `own` they are the
/// user's, with that verdict; otherwise they were approved.
fn rig(config: &Config, own: Option<Verdict>, books: Option<Box<dyn Books + Send>>) -> Rig<'_> {
    let mut discovery = discover::open(config, NOW).unwrap();
    let mut venues = fake();
    venues.polymarket[0]["markets"] = json!([listed(25, 1)]);
    look(&mut discovery, &mut venues, true, NOW);
    if own.is_none() {
        approve(&discovery.store);
    }
    let entries = discovery.entries(NOW).unwrap();
    let (text, _) = table::toml(&entries, "");
    let mut spec = RunSpec::new(vec![("found".to_owned(), text)]);
    spec.reserve = 2;
    let (file, table) = (spec.pair_file().unwrap(), spec.setup().unwrap().table);
    let mut mine = PairFile::default();
    if let Some(verdict) = own {
        mine.pairs.extend(file.pairs.iter().cloned().map(|pair| PairSpec { verdict, ..pair }));
    }
    let ((first, kalshi), (second, polymarket)) = (arrivals(), arrivals());
    let ends = JoinEnds { kalshi: first, polymarket: second, terms: None };
    let listed = [(); 2].map(|()| RingBuffer::new(1).1);
    let beside = Beside { own: mine, books };
    let (watcher, Watched { changes, told }) =
        Watcher::new(config, &file, &table, ends, listed, beside).unwrap();
    Rig { watcher, changes, told, kalshi, polymarket, venues, file }
}

impl Rig<'_> {
    fn store(&self) -> &Store {
        &self.watcher.looks.discovery.store
    }

    fn row(&self) -> PairRow {
        self.store().pair(&self.file.pairs[0].id).unwrap().unwrap()
    }

    /// What both threads make of what the store has now.
    fn compare(&mut self) -> Option<Move> {
        let entries = self.watcher.looks.discovery.entries(NOW).unwrap();
        self.watcher.decisions.read().unwrap();
        self.watcher.looks.stop(&entries).unwrap();
        self.changes.try_recv().ok()
    }

    fn join(&mut self) -> Option<Move> {
        let entries = self.watcher.looks.discovery.entries(NOW).unwrap();
        self.watcher.looks.join_all(&entries, &AtomicBool::new(false)).unwrap();
        self.changes.try_recv().ok()
    }
}

fn decision(row: &PairRow, action: Action) -> Decision {
    Decision {
        pair: row.id.clone(),
        action,
        who: "ann".to_owned(),
        at: NOW,
        why: "a test".to_owned(),
        polarity: row.polarity.clone(),
        rules: row.rules.clone(),
        like: String::new(),
    }
}

#[test]
fn a_pair_of_the_users_that_nobody_decided_on_goes_on_and_stops_where_somebody_did() {
    for own in [Some(Verdict::Approved), Some(Verdict::Tradable)] {
        let dir = tempfile::tempdir().unwrap();
        let config = configured(dir.path());
        let mut rig = rig(&config, own, None);
        let row = PairRow { verdict: Verdict::NeedsReview, ..rig.row() };
        rig.store().put_pair(&row).unwrap();
        // Only a person's own word stands for a review.
        let stops = own != Some(Verdict::Approved);
        assert_eq!(rig.compare().is_some(), stops, "{own:?}");
        rig.store().decide(&decision(&row, Action::Block)).unwrap();
        assert_eq!(rig.compare().is_some(), !stops, "blocked, and told once: {own:?}");
    }
}

#[test]
fn the_users_word_stands_while_its_rules_do_and_both_markets_are_open() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let mut rig = rig(&config, Some(Verdict::Approved), None);
    // Nobody finds it any more, for whatever reason, and its text is as it was.
    let id = rig.row().id;
    rig.store().end_pair(&id).unwrap();
    assert_eq!(rig.compare(), None);
    let mut ruled = fed(25);
    ruled["rules_primary"] = json!("If it snows.");
    rig.venues.kalshi[0]["markets"][0] = ruled;
    look(&mut rig.watcher.looks.discovery, &mut rig.venues, true, NOW + 1);
    assert!(matches!(rig.compare(), Some(Move::Retire(_))), "another text is another question");
}

/// Asks for nothing until somebody blocked a pair and the core was told to stop it.
struct Slow {
    store: Store,
    block: Decision,
    changes: Arc<Mutex<Receiver<Move>>>,
    heard: Arc<Mutex<Option<Move>>>,
}

impl Books for Slow {
    fn ask(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        self.standing(wanted)
    }

    fn standing(&mut self, _: &Wanted) -> Result<Truth, String> {
        self.store.decide(&self.block).unwrap();
        *self.heard.lock().unwrap() = self.changes.lock().unwrap().recv_timeout(PATIENCE).ok();
        Err("it took too long".to_owned())
    }

    fn cancel(&mut self, _: &OrderRow) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn what_a_person_blocks_stops_while_a_venue_lets_us_wait() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let Rig { mut watcher, changes, mut venues, .. } = rig(&config, None, None);
    let blocked = watcher.looks.discovery.store.pairs(false).unwrap().remove(0);
    let place = roster::lock(&watcher.looks.roster).all_trading()[0].1.place;
    let heard = Arc::new(Mutex::new(None));
    let slow = Slow {
        store: Store::open(&config.discovery.store, NOW).unwrap(),
        block: decision(&blocked, Action::Block),
        changes: Arc::new(Mutex::new(changes)),
        heard: Arc::clone(&heard),
    };
    watcher.looks.joiner = watcher.looks.joiner.asking(Some(Box::new(slow)));
    // One more pair is listed, and the account is asked before it joins.
    venues.polymarket[0]["markets"] = json!([listed(25, 1), listed(50, 2)]);
    look(&mut watcher.looks.discovery, &mut venues, true, NOW + 1);
    approve(&watcher.looks.discovery.store);
    let entries = watcher.looks.discovery.entries(NOW + 1).unwrap();
    assert_eq!(entries.len(), 2);
    let end = AtomicBool::new(false);
    let Watcher { looks, decisions } = &mut watcher;
    thread::scope(|scope| {
        scope.spawn(|| decisions.run(&end));
        looks.join_all(&entries, &end).unwrap();
        end.store(true, Relaxed);
    });
    assert_eq!(*heard.lock().unwrap(), Some(Move::Retire(place)));
}

#[test]
fn a_pair_that_is_blocked_while_it_joins_stops_once_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let mut rig = rig(&config, None, None);
    rig.venues.polymarket[0]["markets"] = json!([listed(25, 1), listed(50, 2)]);
    look(&mut rig.watcher.looks.discovery, &mut rig.venues, true, NOW + 1);
    let new = Venue::ALL.map(|venue| MarketId::new(venue, 1).unwrap());
    rig.kalshi.answers.push(Ok(new[0])).unwrap();
    rig.polymarket.answers.push(Ok(new[1])).unwrap();
    // All decisions were read before it joined, also the one that blocks it.
    let entries = rig.watcher.looks.discovery.entries(NOW).unwrap();
    let old = &rig.file.pairs[0].id;
    let entry = entries.iter().find(|entry| entry.row.id != *old).unwrap();
    rig.store().decide(&decision(&entry.row, Action::Block)).unwrap();
    rig.watcher.decisions.read().unwrap();
    assert_eq!(rig.watcher.looks.join(key_of(entry), entry, &AtomicBool::new(false)), None);
    let Ok(Move::Join(joined)) = rig.changes.try_recv() else { panic!("it does not join") };
    rig.watcher.decisions.read().unwrap();
    assert_eq!(rig.changes.try_recv(), Ok(Move::Retire(joined.listing.pair)));
}

#[test]
fn a_minimum_that_changes_stops_its_pair_which_joins_anew_once_nothing_of_it_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let mut rig = rig(&config, None, None);
    let end = AtomicBool::new(false);
    assert_eq!((rig.compare(), rig.join()), (None, None), "nothing changed");
    rig.venues.polymarket[0]["markets"][0]["orderMinSize"] = json!(15);
    look(&mut rig.watcher.looks.discovery, &mut rig.venues, true, NOW + 1);
    let Some(Move::Retire(place)) = rig.compare() else { panic!("it goes on") };
    // While something of it is held it stays, stopped, with its old terms.
    rig.watcher.looks.tend(&end);
    assert_eq!((rig.compare(), rig.join()), (None, None));
    // It leaves, its markets go, and it comes again.
    let old = Venue::ALL.map(|venue| MarketId::new(venue, 0).unwrap());
    let new = Venue::ALL.map(|venue| MarketId::new(venue, 1).unwrap());
    rig.kalshi.gone.push((Going::Retire(old[0]), 3)).unwrap();
    rig.polymarket.gone.push((Going::Retire(old[1]), 4)).unwrap();
    rig.told.send(Told::Left(place)).unwrap();
    rig.watcher.looks.tend(&end);
    let left: Vec<Move> = rig.changes.try_iter().collect();
    assert_eq!(left, [Move::Vacate(old[0], 3), Move::Vacate(old[1], 4)]);
    rig.kalshi.answers.push(Ok(new[0])).unwrap();
    rig.polymarket.answers.push(Ok(new[1])).unwrap();
    let Some(Move::Join(joined)) = rig.join() else { panic!("it does not come again") };
    assert_eq!(joined.spec.polymarket.min_size, engine::units::Qty::lit(1_500));
    assert_eq!(rig.compare(), None, "and these are its terms now");
}

#[test]
fn the_contract_of_a_users_pair_stops_it_and_its_fees_are_its_files_business() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let mut rig = rig(&config, Some(Verdict::Approved), None);
    rig.venues.polymarket[0]["markets"][0]["feeSchedule"]["rate"] = json!(0.03);
    look(&mut rig.watcher.looks.discovery, &mut rig.venues, true, NOW + 1);
    assert_eq!(rig.compare(), None);
    rig.venues.polymarket[0]["markets"][0]["negRisk"] = json!(true);
    look(&mut rig.watcher.looks.discovery, &mut rig.venues, true, NOW + 2);
    assert!(matches!(rig.compare(), Some(Move::Retire(_))));
}

#[test]
fn a_fee_that_changes_at_polymarket_stops_a_pair_that_was_found() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let mut rig = rig(&config, None, None);
    assert_eq!(rig.compare(), None);
    rig.venues.polymarket[0]["markets"][0]["feeSchedule"]["rate"] = json!(0.06);
    look(&mut rig.watcher.looks.discovery, &mut rig.venues, true, NOW + 1);
    assert!(matches!(rig.compare(), Some(Move::Retire(_))));
}

#[test]
fn a_pair_waits_while_another_one_of_its_market_is_there_with_older_terms() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let mut rig = rig(&config, None, None);
    let mut late = rig.file.pairs[0].clone();
    late.id = "late".to_owned();
    late.kalshi.ticker = "KXLATE".to_owned();
    late.polymarket.neg_risk = !late.polymarket.neg_risk;
    let why = rig.watcher.looks.joiner.join(&late, "", &AtomicBool::new(true)).unwrap_err();
    assert!(matches!(&why, NotJoined::Later(words) if words.contains("neg_risk")), "{why:?}");
    assert!(rig.kalshi.coming.pop().is_err(), "no feed was told");
}

#[test]
fn a_run_that_finds_nothing_reads_the_texts_of_its_pairs_again() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let mut rig = rig(&config, Some(Verdict::Approved), None);
    let read = |rig: &mut Rig<'_>, now| {
        let Rig { watcher, venues, .. } = rig;
        let looks = &mut watcher.looks;
        read_texts(&looks.roster, &mut looks.discovery, venues, now).unwrap();
    };
    read(&mut rig, NOW + 1);
    assert_eq!(rig.compare(), None, "nothing changed");
    rig.venues.kalshi[0]["markets"][0]["rules_secondary"] = json!("A delay of a day is void.");
    rig.venues.down = [true; 2];
    read(&mut rig, NOW + 2);
    assert_eq!(rig.compare(), None, "nobody answered");
    rig.venues.down = [false; 2];
    read(&mut rig, NOW + 3);
    assert!(matches!(rig.compare(), Some(Move::Retire(_))), "its rules changed");
}
