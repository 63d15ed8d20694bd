//! Which markets trade, as the venue's REST API lists them, where words about it were missed.

use engine::top::MarketId;

use super::*;
use feeds::fitness::{Fitness, Listed, Verdict};

/// Markets of a session that somebody asks about: A and C on the line that hears what becomes of
/// markets, B on another one; all books came.
fn asked() -> Bench {
    let mut t = Bench::new();
    [1, 2, 1].into_iter().enumerate().for_each(|(market, conn)| t.session.assign(market, conn));
    t.say(A, Fitness::Asked);
    t.begin(1);
    for (market, seq, conn) in [("KXA", 1, 1), ("KXC", 2, 1), ("KXB", 1, 2)] {
        t.on(conn, &snapshot(2, seq, market));
    }
    t
}

impl Bench {
    fn say(&mut self, market: usize, says: Fitness) {
        let market = MarketId::new(Venue::Kalshi, market).unwrap();
        self.session.on_verdict(Verdict { market, says }, self.now, &mut self.sink);
    }

    /// The venue's REST API answers a question of that stretch.
    fn list(&mut self, market: usize, heard: u16, trades: bool) {
        self.say(market, Fitness::Listed(Listed { heard, trades, close_s: 0 }));
    }

    /// The first line opens, and hears from then on what becomes of markets.
    fn begin(&mut self, stretch: u16) {
        self.session.on_closed(1, self.now, &mut self.sink);
        self.session.on_opened(1, self.now, &mut self.sink);
        self.frame(
            r#"{"type":"subscribed","id":1,"msg":{"channel":"market_lifecycle_v2","sid":13}}"#,
        );
        let heard = |said: &&Said| matches!(said, Said::Heard(_));
        let last = self.sink.said.iter().rfind(heard);
        assert_eq!(last, Some(&Said::Heard(Some(stretch))));
    }

    fn life(&mut self, seq: u64, event: &str) {
        self.frame(&format!(
            r#"{{"type":"market_lifecycle_v2","sid":13,"seq":{seq},"msg":{{"market_ticker":"KXA","event_type":"{event}"}}}}"#
        ));
    }
}

#[test]
fn no_book_is_sound_before_somebody_knows_that_its_market_trades() {
    let mut t = asked();
    assert_eq!([A, B, C].map(|market| t.health(market)), [Health::Stale; 3]);
    t.list(A, 1, true);
    t.list(B, 1, false);
    t.list(C, 0, true);
    assert_eq!(
        [A, B, C].map(|market| t.health(market)),
        [Health::Sound, Health::Stale, Health::Stale],
        "one trades, one is closed, and one was asked for too early"
    );
    assert_eq!(t.sink.last().health, Health::Sound, "it was told at once");
    t.session.add_market("KXLATE", &Grid::CENT).unwrap();
    t.frame(&snapshot(2, 3, "KXLATE"));
    assert_eq!(t.health(3), Health::Stale);
    t.list(3, 1, true);
    assert_eq!(t.health(3), Health::Sound);
}

#[test]
fn a_pause_of_which_either_word_was_missed_is_learnt_anew() {
    let mut t = asked();
    t.list(A, 1, true);
    t.life(1, "deactivated");
    assert_eq!(t.health(A), Health::Stale);
    // The line breaks, and the market begins to trade again while it is away.
    t.begin(2);
    t.frame(&snapshot(2, 1, "KXA"));
    t.list(A, 1, true);
    assert_eq!(t.health(A), Health::Stale, "an answer of before the line broke says nothing");
    t.sink.forget();
    t.list(A, 2, true);
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1), "its orders were cancelled");
    t.frame(&snapshot(2, 2, "KXA"));
    assert_eq!(t.health(A), Health::Sound);
    // It is paused while the line is away.
    t.begin(3);
    t.frame(&snapshot(2, 1, "KXA"));
    assert_eq!(t.health(A), Health::Stale);
    t.list(A, 3, false);
    assert_eq!(t.health(A), Health::Stale);
    t.life(1, "activated");
    t.frame(&snapshot(2, 2, "KXA"));
    assert_eq!(t.health(A), Health::Sound, "the channel's own word");
}

#[test]
fn an_answer_that_lags_takes_back_no_pause_that_was_heard() {
    let mut t = asked();
    t.list(A, 1, true);
    t.life(1, "deactivated");
    t.list(A, 1, true);
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 0));
    t.life(2, "activated");
    t.frame(&snapshot(2, 3, "KXA"));
    assert_eq!(t.health(A), Health::Sound);
    // Of a pause that only an answer told, the next answer tells the end.
    t.list(A, 1, false);
    assert_eq!(t.health(A), Health::Stale);
    t.list(A, 1, true);
    t.frame(&snapshot(2, 4, "KXA"));
    assert_eq!(t.health(A), Health::Sound);
}

#[test]
fn books_of_other_lines_wait_too_while_nobody_hears_of_pauses() {
    let mut t = asked();
    t.list(B, 1, true);
    assert_eq!(t.health(B), Health::Sound);
    t.session.on_closed(1, t.now, &mut t.sink);
    assert_eq!((t.health(B), t.sink.last().market.index()), (Health::Stale, B));
    assert_eq!(t.sink.said.last(), Some(&Said::Health(B, Health::Sound, Health::Stale)));
    t.sink.forget();
    t.begin(2);
    assert_eq!(t.sink.wanted(B), 1, "it may have been paused and have begun again");
    t.list(B, 2, true);
    assert_eq!(t.health(B), Health::Stale);
    t.on(2, &snapshot(2, 2, "KXB"));
    assert_eq!(t.health(B), Health::Sound);
}

#[test]
fn a_gap_in_what_is_heard_of_markets_is_a_new_stretch() {
    let unreadable = r#"{"type":"market_lifecycle_v2","sid":13,"seq":2,"msg":{"market_ticker":7}}"#;
    let gap = r#"{"type":"event_fee_update","sid":13,"seq":3,"msg":{"event_ticker":"EV","fee_type_override":null,"fee_multiplier_override":null}}"#;
    for lost in [unreadable, gap] {
        let mut t = asked();
        t.list(A, 1, true);
        t.life(1, "metadata_updated");
        assert_eq!(t.health(A), Health::Sound);
        t.frame(lost);
        assert_eq!(t.health(A), Health::Stale, "{lost}");
        assert!(t.sink.said.contains(&Said::Heard(Some(2))), "{lost}");
        t.list(A, 1, true);
        t.frame(&snapshot(2, 3, "KXA"));
        assert_eq!(t.health(A), Health::Stale, "{lost}");
        t.list(A, 2, true);
        assert_eq!(t.health(A), Health::Sound, "{lost}");
    }
    let mut t = asked();
    t.list(A, 1, true);
    t.frame(r#"{"type":"error","sid":13,"msg":{"code":25,"msg":"overflow"}}"#);
    assert!(t.sink.said.contains(&Said::Heard(None)), "the subscription is dead");
    t.list(A, 1, true);
    assert_eq!(t.health(A), Health::Stale, "nobody hears of a pause");
}

#[test]
fn a_close_is_told_with_the_answer_and_an_outcome_outlives_it() {
    let mut t = asked();
    let told = Listed { heard: 1, trades: true, close_s: 77 };
    t.say(A, Fitness::Listed(told));
    assert_eq!(t.sink.said.last(), Some(&Said::Lifecycle(A, Change::CloseMoved(77))));
    t.say(C, Fitness::Listed(Listed { heard: 0, ..told }));
    assert_eq!(t.sink.said.last(), Some(&Said::Lifecycle(A, Change::CloseMoved(77))));
    t.life(1, "determined");
    t.list(A, 1, true);
    assert_eq!(t.health(A), Health::Stale);
    // One that said its last word says nothing more.
    t.say(A, Fitness::Retired);
    let told = t.sink.tops.len();
    t.begin(2);
    t.list(A, 2, true);
    assert!(t.sink.tops[told..].iter().all(|top| top.market.index() != A));
}

#[test]
fn where_nobody_asks_a_market_trades_until_it_is_told_otherwise() {
    let mut t = Bench::new();
    t.begin(1);
    t.frame(&snapshot(2, 1, "KXA"));
    assert_eq!(t.health(A), Health::Sound);
    t.frame(r#"{"type":"event_fee_update","sid":13,"seq":9,"msg":{"event_ticker":"EV"}}"#);
    assert_eq!(t.health(A), Health::Sound);
    t.list(A, 1, false);
    assert_eq!(t.health(A), Health::Sound, "an answer to nobody's question");
}
