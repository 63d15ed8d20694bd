use super::*;
use crate::catalogue::store::{Action, Decision};

#[test]
fn a_word_of_the_users_counts_for_what_nobody_decided_and_for_nothing_else() {
    let store = Store::in_memory(1).unwrap();
    let row = PairRow { verdict: Verdict::NeedsReview, ..crate::catalogue::store::example() };
    store.put_pair(&row).unwrap();
    let stored = || store.pair(&row.id).unwrap().unwrap();
    let objects = |own| objection(&store, &stored(), own).unwrap();
    assert_eq!(objects(Some(Verdict::Approved)), None);
    for own in [Some(Verdict::Tradable), Some(Verdict::Unspecified), None] {
        assert!(objects(own).unwrap().contains("read both rules"), "{own:?}");
    }
    // Its rules changed since it was found.
    store.put_pair(&PairRow { rules: "others".to_owned(), ..row.clone() }).unwrap();
    assert!(objects(Some(Verdict::Approved)).unwrap().contains("changed"));
    store.put_pair(&row).unwrap();
    assert_eq!(objects(Some(Verdict::Approved)), None);
    let block = Decision {
        pair: row.id.clone(),
        action: Action::Block,
        who: "ann".to_owned(),
        at: 1,
        why: "no".to_owned(),
        polarity: row.polarity.clone(),
        rules: row.rules.clone(),
        like: String::new(),
    };
    store.decide(&block).unwrap();
    assert!(objects(Some(Verdict::Approved)).unwrap().contains("blocked by ann"));
    // A market of it is not among those that are open.
    let key = (row.kalshi.clone(), row.polymarket.clone());
    store.end_pair(&row.id).unwrap();
    let why = ending(&store, &key, Some(Verdict::Approved)).unwrap().unwrap();
    assert_eq!(why, "one of its markets is over");
    let unknown = ("KXOTHER".to_owned(), "0xee".to_owned());
    assert_eq!(ending(&store, &unknown, None).unwrap(), None);
}
