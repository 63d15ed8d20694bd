use super::*;

const fn ms(ms: u64) -> Ns {
    Ns::from_ms(ms)
}

/// Markets 0 to 2 on line 0 and 3 on line 1, all greeted at 0.
struct Bench {
    rescue: Rescue,
    /// Books that are not whole.
    missing: Vec<u16>,
}

impl Bench {
    fn new(missing: &[u16]) -> Bench {
        let mut rescue = Rescue::new(vec![vec![0, 1, 2], vec![3]]);
        rescue.greeted(0, Ns(0));
        rescue.greeted(1, Ns(0));
        Bench { rescue, missing: missing.to_vec() }
    }

    fn look(&mut self, now_ms: u64) -> Option<Step> {
        let missing = &self.missing;
        self.rescue.look(0, ms(now_ms), false, |market| missing.contains(&market))
    }

    /// A book is doubted.
    fn lose(&mut self, market: u16) {
        self.missing.push(market);
        self.rescue.want(usize::from(market));
    }

    fn batch(&self) -> Vec<u16> {
        self.rescue.batch().to_vec()
    }
}

#[test]
fn a_lost_book_climbs_every_rung() {
    let mut t = Bench::new(&[]);
    assert_eq!(t.look(1), None);
    assert!(!t.rescue.take_urgent());
    t.lose(1);
    assert!(t.rescue.take_urgent() && !t.rescue.take_urgent());
    assert_eq!((t.look(1_000), t.batch()), (Some(Step::Refresh), vec![1]));
    assert_eq!(t.look(2_999), None);
    assert_eq!(t.look(3_000), Some(Step::Resubscribe));
    t.missing = vec![0, 1, 2];
    assert_eq!(t.look(3_001), None);
    t.missing = vec![1];
    assert_eq!(t.look(4_999), None);
    assert_eq!(t.look(5_000), Some(Step::GiveUp));
    t.rescue.closed(0);
    assert_eq!(t.look(60_000), None, "there is nobody to ask");
}

#[test]
fn a_book_that_comes_begins_the_ladder_anew() {
    let mut t = Bench::new(&[]);
    assert_eq!(t.look(0), None);
    for round in 0..5 {
        t.lose(2);
        let now = 10_000 * (round + 1);
        assert_eq!((t.look(now), t.batch()), (Some(Step::Refresh), vec![2]));
        t.missing.clear();
        assert_eq!((t.look(now + 1), t.look(now + 9_000)), (None, None));
    }
}

#[test]
fn requests_are_apart_and_take_what_gathered_meanwhile() {
    let mut t = Bench::new(&[]);
    assert_eq!(t.look(0), None);
    t.lose(0);
    assert_eq!((t.look(1_000), t.batch()), (Some(Step::Refresh), vec![0]));
    t.lose(1);
    t.lose(2);
    t.rescue.want(1); // told twice
    t.rescue.want(0); // asked for already, and still on its way
    assert_eq!(t.look(1_099), None);
    assert_eq!((t.look(1_100), t.batch()), (Some(Step::Refresh), vec![1, 2]));
    // Its book came and was doubted again.
    t.rescue.came(0);
    t.rescue.want(0);
    assert_eq!((t.look(1_200), t.batch()), (Some(Step::Refresh), vec![0]));
    // The others' time goes on.
    assert_eq!(t.look(3_000), Some(Step::Resubscribe));
}

#[test]
fn a_market_whose_book_never_came_does_not_take_the_others_with_it() {
    let mut t = Bench::new(&[1]);
    assert_eq!((t.look(1), t.look(9_999)), (None, None));
    for now in [10_000, 40_000, 70_000] {
        assert_eq!((t.look(now), t.batch()), (Some(Step::Refresh), vec![1]), "politely");
        assert_eq!(t.look(now + 29_999), None);
    }
    // One that was there is worth more.
    t.lose(0);
    assert_eq!((t.look(100_000), t.batch()), (Some(Step::Refresh), vec![0]));
    assert_eq!(t.look(102_000), Some(Step::Resubscribe));
    // Where none ever came, the line is at fault.
    let mut t = Bench::new(&[0, 1, 2]);
    assert_eq!(t.look(9_999), None);
    assert_eq!(t.look(10_000), Some(Step::Resubscribe));
    assert_eq!(t.look(12_000), Some(Step::GiveUp));
}

#[test]
fn where_asking_is_subscribing_the_next_rung_is_the_last() {
    let mut t = Bench::new(&[]);
    assert_eq!(t.look(0), None);
    t.lose(0);
    assert_eq!(t.look(1_000), Some(Step::Refresh));
    assert_eq!(t.rescue.look(0, ms(3_000), true, |_| true), Some(Step::GiveUp));
}

#[test]
fn markets_come_and_go() {
    let mut t = Bench::new(&[]);
    assert_eq!(t.look(0), None);
    t.lose(1);
    assert!(t.rescue.remove(1) && !t.rescue.remove(1));
    t.rescue.want(1);
    assert_eq!((t.look(1_000), t.rescue.markets_of(0)), (None, &[0, 2][..]));
    assert_eq!((t.rescue.line_of(1), t.rescue.line_of(9)), (None, None));
    assert_eq!(t.rescue.restore(1), Some(0));
    assert_eq!(t.rescue.restore(1), None);
    t.rescue.await_one(1, ms(2_000));
    assert_eq!(t.look(11_999), None);
    assert_eq!((t.look(12_000), t.batch()), (Some(Step::Refresh), vec![1]), "it never came");
    assert_eq!(t.rescue.roomiest(4), Some(1));
    assert_eq!(t.rescue.roomiest(1), None);
    let line = t.rescue.add_line();
    t.rescue.add(line, 7);
    assert_eq!((t.rescue.line_of(7), t.rescue.line_of(6)), (Some(2), None));
}
