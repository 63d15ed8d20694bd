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
    index.put(Listing { placeholder: true, ..back });
    assert!(found(&index).is_empty() && index.get(Venue::Polymarket, &polymarket_id).is_none());
    assert!(!index.look_alikes(Venue::Kalshi, &kalshi_id).is_empty());
}

#[test]
fn rarer_keys_weigh_more() {
    let weights: Vec<u32> = [1, 2, 10, 1_000, 100_000].map(|with| idf(100_000, with)).to_vec();
    assert!(weights.windows(2).all(|w| w[0] > w[1]), "{weights:?}");
}
