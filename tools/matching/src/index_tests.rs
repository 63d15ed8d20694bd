use super::*;
use crate::alias::Aliases;
use crate::generate::catalogue;

fn index() -> Index {
    Index::new(Matcher::new(Aliases::builtin()))
}

#[test]
fn every_pair_of_a_generated_catalogue_is_found_and_no_other() {
    for seed in [1, 2] {
        let made = catalogue(700, seed);
        let mut index = index();
        let want: HashSet<(String, String)> = made.pairs.into_iter().collect();
        index.put_all(made.kalshi, 2);
        index.put_all(made.polymarket, 2);
        let all = index.all_matches(2);
        let got: HashSet<(String, String)> =
            all.into_iter().map(|f| (f.kalshi, f.polymarket)).collect();
        let title =
            |venue, id: &str| index.get(venue, id).map(|l| l.title.clone()).unwrap_or_default();
        let show = |pairs: Vec<&(String, String)>| -> Vec<String> {
            let line = |(k, p): &&(String, String)| {
                format!("{} | {}", title(Venue::Kalshi, k), title(Venue::Polymarket, p))
            };
            pairs.iter().take(10).map(line).collect()
        };
        let missed = show(want.difference(&got).collect());
        let wrong = show(got.difference(&want).collect());
        assert!(
            missed.is_empty() && wrong.is_empty(),
            "seed {seed}: missed {missed:#?}, wrong {wrong:#?}"
        );
    }
}

#[test]
fn a_listing_is_found_until_it_goes_and_again_when_it_comes_back() {
    let made = catalogue(200, 7);
    let (kalshi_id, polymarket_id) = made.pairs[0].clone();
    let mut index = index();
    index.put_all(made.kalshi, 1);
    for listing in made.polymarket.clone() {
        index.put(listing);
    }
    let count = index.len();
    let found = |index: &Index| {
        let matches = index.matches(Venue::Kalshi, &kalshi_id);
        matches.into_iter().map(|f| f.polymarket).collect::<Vec<_>>()
    };
    assert_eq!(found(&index), std::slice::from_ref(&polymarket_id));
    index.remove(Venue::Polymarket, &polymarket_id);
    assert!(found(&index).is_empty());
    assert_eq!(index.len(), count - 1);
    let back = made.polymarket.into_iter().find(|l| l.id == polymarket_id).unwrap();
    index.put(back.clone());
    assert_eq!(found(&index), std::slice::from_ref(&polymarket_id));
    // The other way round, and as a placeholder no longer.
    assert_eq!(index.matches(Venue::Polymarket, &polymarket_id)[0].kalshi, kalshi_id);
    // One by one and together, a listing without a meaning is forgotten.
    index.put_all(vec![Listing { placeholder: true, ..back.clone() }], 2);
    assert!(found(&index).is_empty());
    index.put(back.clone());
    assert!(!found(&index).is_empty());
    index.put(Listing { placeholder: true, ..back });
    assert!(found(&index).is_empty() && index.get(Venue::Polymarket, &polymarket_id).is_none());
    assert!(!index.look_alikes(Venue::Kalshi, &kalshi_id).is_empty());
}

#[test]
fn a_slip_of_the_pen_is_none_where_the_name_itself_is_listed() {
    let listing = |venue, id: &str, name: &str| Listing {
        venue,
        id: id.into(),
        title: format!("Will Elena {name} release an album in 2026?"),
        ..Listing::default()
    };
    let mut index = index();
    index.put(listing(Venue::Kalshi, "K1", "Tamkelhol"));
    index.put(listing(Venue::Polymarket, "P1", "Tamelhol"));
    let names = |index: &Index, venue, id: &str| -> Vec<String> {
        let found = index.matches(venue, id).into_iter();
        found.map(|f| format!("{} {}", f.kalshi, f.polymarket)).collect()
    };
    assert_eq!(names(&index, Venue::Kalshi, "K1"), ["K1 P1"]);
    // One who bears the name on the other side, and one on the own side, end it from both sides.
    for (venue, id, name) in
        [(Venue::Kalshi, "K2", "Tamelhol"), (Venue::Polymarket, "P2", "Tamkelhol")]
    {
        index.put(listing(venue, id, name));
        assert!(!names(&index, Venue::Kalshi, "K1").contains(&"K1 P1".to_owned()), "{id}");
        assert!(!names(&index, Venue::Polymarket, "P1").contains(&"K1 P1".to_owned()), "{id}");
        index.remove(venue, id);
        assert_eq!(names(&index, Venue::Polymarket, "P1"), ["K1 P1"]);
    }
    // Said again in other words, a market is found by those and no longer by the old ones.
    index.put(listing(Venue::Kalshi, "K1", "Quilverost"));
    assert!(
        names(&index, Venue::Kalshi, "K1").is_empty()
            && names(&index, Venue::Polymarket, "P1").is_empty()
    );
    index.put(listing(Venue::Polymarket, "P1", "Quilverost"));
    assert_eq!(names(&index, Venue::Kalshi, "K1"), ["K1 P1"]);
}

#[test]
fn a_search_on_any_number_of_threads_finds_what_one_market_after_the_other_does() {
    let made = catalogue(300, 9);
    let names = |found: &[Found]| -> Vec<(String, String)> {
        found.iter().map(|f| (f.kalshi.clone(), f.polymarket.clone())).collect()
    };
    let mut index = index();
    // Of each of these pairs one side alone names the league; their numbers are the same.
    let game = |venue, id: &str, title: &str| Listing {
        venue,
        id: id.into(),
        title: title.into(),
        ..Listing::default()
    };
    let games = [
        game(Venue::Kalshi, "X-27-DEN", "Will Denver win the 2027 finals?"),
        game(Venue::Polymarket, "0x0", "Will the Boston Celtics win the 2027 finals?"),
        game(Venue::Kalshi, "KXNBA-27-BOS", "Will Boston win the 2027 Pro Basketball Finals?"),
        game(Venue::Polymarket, "0x1", "Will the Denver Nuggets win the 2027 NBA Finals?"),
    ];
    index.put_all(games.to_vec(), 2);
    let last = games.iter().skip(2).map(|l| (l.venue, l.id.as_str())).collect::<Vec<_>>();
    let pairs = index.matches_of(&last, 1);
    assert_eq!(
        names(&pairs.concat()),
        [("KXNBA-27-BOS".to_owned(), "0x0".to_owned()), ("X-27-DEN".to_owned(), "0x1".to_owned()),]
    );
    index.put_all(made.kalshi.clone(), 2);
    index.put_all(made.polymarket.clone(), 2);
    let all: Vec<(Venue, &str)> = made
        .kalshi
        .iter()
        .chain(&made.polymarket)
        .chain(&games)
        .map(|l| (l.venue, l.id.as_str()))
        .collect();
    let alone: Vec<_> = all.iter().map(|(venue, id)| names(&index.matches(*venue, id))).collect();
    for threads in [0, 1, 2, 3, 1_000] {
        let together = index.matches_of(&all, threads);
        assert_eq!(together.iter().map(|f| names(f)).collect::<Vec<_>>(), alone);
    }
    assert!(alone.iter().any(|found| !found.is_empty()));
    assert!(index.matches_of(&[(Venue::Kalshi, "no such")], 2)[0].is_empty());
}

#[test]
fn the_quick_look_agrees_with_the_comparison_whatever_stands_beside() {
    let made = catalogue(150, 11);
    let aliases = Aliases::builtin();
    let anything = crate::context::Context::everything();
    let claims = |all: &[Listing]| -> Vec<Claim> {
        all.iter().map(|l| Claim::of(l, &aliases, None)).collect()
    };
    let (here, there) = (claims(&made.kalshi), claims(&made.polymarket));
    let mut equal = 0;
    for a in &here {
        for b in &there {
            let whole = crate::compare::compare(a, b, [&anything, &anything]).equal;
            assert_eq!(crate::compare::may_equal(a, b), whole, "{} | {}", a.text, b.text);
            equal += usize::from(whole);
        }
    }
    assert!(equal >= 50, "{equal}");
}

#[test]
fn rarer_keys_weigh_more() {
    let weights: Vec<u32> = [1, 2, 10, 1_000, 100_000].map(|with| idf(100_000, with)).to_vec();
    assert!(weights.windows(2).all(|w| w[0] > w[1]), "{weights:?}");
}
