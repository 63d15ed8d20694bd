//! What a market goes through, and fees.

use super::*;

#[test]
fn life_and_fees_are_told() {
    let mut t = Bench::new();
    for (seq, event, want) in [
        (1, r#""event_type":"deactivated""#, Change::Paused(true)),
        (2, r#""event_type":"activated""#, Change::Paused(false)),
        (3, r#""event_type":"close_date_updated","close_ts":77"#, Change::CloseMoved(77)),
        (4, r#""event_type":"determined","result":"yes""#, Change::Determined),
        (5, r#""event_type":"settled""#, Change::Settled),
    ] {
        t.frame(&format!(
            r#"{{"type":"market_lifecycle_v2","sid":13,"seq":{seq},"msg":{{"market_ticker":"KXB",{event}}}}}"#
        ));
        assert_eq!(t.sink.said.last(), Some(&Said::Lifecycle(B, want)));
    }
    let Some(fee) = shared("protocol/fixtures/kalshi/ws_event_fee_update.json") else { return };
    t.frame(&fee);
    assert_eq!(t.sink.said.last(), Some(&Said::EventFee("KXBTCD-26MAY2018".into(), true)));
    assert_eq!(t.session.figures().lifecycle, 6);
}

#[test]
fn a_fee_that_cannot_be_read_is_told_of_its_event() {
    let mut t = Bench::new();
    for (number, fields, readable) in [
        (1, r#""fee_type_override":"quadratic","fee_multiplier_override":1"#, true),
        (2, r#""fee_type_override":7,"fee_multiplier_override":1"#, false),
        (3, r#""fee_type_override":"quadratic","fee_multiplier_override":"much""#, false),
        (4, r#""fee_type_override":"quadratic","fee_multiplier_override":-1"#, false),
        (5, r#""fee_type_override":null,"fee_multiplier_override":[]"#, false),
    ] {
        t.frame(&format!(
            r#"{{"type":"event_fee_update","sid":13,"seq":{number},"msg":{{"event_ticker":"EV",{fields}}}}}"#
        ));
        assert_eq!(t.sink.said.last(), Some(&Said::EventFee("EV".into(), readable)), "{fields}");
    }
    assert_eq!((t.session.figures().lifecycle, t.session.figures().parse_errors), (5, 0));
}

/// A frame that tells of the market's life.
fn life(seq: u64, ticker: &str, event: &str) -> String {
    format!(
        r#"{{"type":"market_lifecycle_v2","sid":13,"seq":{seq},"msg":{{"market_ticker":"{ticker}","event_type":"{event}"}}}}"#
    )
}

#[test]
fn a_paused_market_is_not_tradable_until_it_is_activated() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&snapshot(1, 2, "KXB"));
    t.sink.forget();
    t.frame(&life(1, "KXA", "deactivated"));
    assert_eq!((t.sink.tops.len(), t.sink.last().health), (1, Health::Stale), "told at once");
    assert_eq!((t.health(A), t.health(B)), (Health::Stale, Health::Sound));
    t.frame(&life(2, "KXA", "deactivated"));
    assert_eq!(t.sink.tops.len(), 1, "nothing new");
    // Its book is kept up by deltas of both shapes and by snapshots, and stays out of trading.
    t.frame(&more(1, 3, "KXA"));
    assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, 600)], Health::Stale));
    assert_eq!(t.sink.last().best_bid_raw(), (4_000, 600));
    t.frame(&snapshot(1, 4, "KXA"));
    assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, 500)], Health::Stale));
    // A new connection forgets the book, not the pause.
    t.connected();
    assert_eq!(t.health(A), Health::AwaitSnapshot);
    t.frame(&snapshot(1, 1, "KXA"));
    assert_eq!(t.health(A), Health::Stale);
    assert_eq!(t.sink.wanted(A), 0, "the book is whole: there is nothing to ask for");
    t.frame(&life(1, "KXA", "activated"));
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1), "its orders are cancelled");
    t.frame(&snapshot(1, 2, "KXA"));
    assert_eq!((t.health(A), t.sink.last().health), (Health::Sound, Health::Sound));
}

#[test]
fn a_pause_hides_no_gap_and_heals_none() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(&life(1, "KXA", "deactivated"));
    t.frame(&more(1, 5, "KXA"));
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Gap, 1));
    t.frame(&life(2, "KXA", "activated"));
    assert_eq!(t.health(A), Health::Gap);
    t.frame(&snapshot(1, 6, "KXA"));
    assert_eq!(t.health(A), Health::Sound);
}

#[test]
fn a_market_with_an_outcome_never_trades_again() {
    for end in ["determined", "settled"] {
        let mut t = Bench::new();
        t.frame(&snapshot(1, 1, "KXA"));
        t.sink.forget();
        t.frame(&life(1, "KXA", end));
        assert_eq!((t.sink.tops.len(), t.sink.last().health), (1, Health::Stale), "{end}");
        t.frame(&life(2, "KXA", "activated"));
        t.frame(&more(1, 2, "KXA"));
        t.frame(&snapshot(1, 3, "KXA"));
        assert_eq!(t.health(A), Health::Stale, "{end}");
        t.connected();
        t.frame(&snapshot(1, 1, "KXA"));
        assert_eq!((t.bids(A), t.health(A)), (vec![(4_000, 500)], Health::Stale), "{end}");
    }
}

#[test]
fn a_market_that_trades_again_is_asked_for_since_its_orders_were_cancelled() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    t.frame(
        r#"{"type":"market_lifecycle_v2","sid":13,"seq":4,"msg":{"market_ticker":"KXA","event_type":"activated"}}"#,
    );
    assert_eq!((t.health(A), t.sink.wanted(A)), (Health::Stale, 1));
    t.frame(&snapshot(1, 2, "KXA"));
    assert_eq!(t.health(A), Health::Sound);
}

#[test]
fn every_documented_frame_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/protocol/fixtures/kalshi");
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("skipped: the protocol's fixtures are not here");
        return;
    };
    let mut t = Bench::new();
    let mut frames = 0;
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("ws_") || name.starts_with("ws_cmd") || name.ends_with("jsonl") {
            continue;
        }
        frames += 1;
        t.on(frames, &std::fs::read_to_string(&path).unwrap());
        assert_eq!(t.session.figures().parse_errors, 0, "{name}");
    }
    assert!(frames > 20);
}

#[test]
fn a_frame_of_the_own_order_is_no_surprise() {
    let mut t = Bench::new();
    t.frame(&snapshot(1, 1, "KXA"));
    let own = more(1, 2, "KXA").replace(
        "000}}",
        r#"000,"client_order_id":"8c35ecb3-328f-4f52-8c7c-0f4b9862f8d1","subaccount":0}}"#,
    );
    t.frame(&own);
    assert_eq!((t.bids(A), t.session.figures().fast), (vec![(4_000, 600)], 1));
}
