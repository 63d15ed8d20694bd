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
fn a_search_on_any_number_of_threads_finds_what_one_market_after_the_other_does() {
    let made = catalogue(300, 9);
    let mut index = index();
    index.put_all(made.kalshi.clone(), 2);
    index.put_all(made.polymarket.clone(), 2);
    let all: Vec<(Venue, &str)> =
        made.kalshi.iter().chain(&made.polymarket).map(|l| (l.venue, l.id.as_str())).collect();
    let names = |found: &[Found]| -> Vec<(String, String)> {
        found.iter().map(|f| (f.kalshi.clone(), f.polymarket.clone())).collect()
    };
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
