//! Names, hashes and ends of markets.

use super::*;

#[test]
fn what_nobody_asked_for_is_counted_and_ignored() {
    let mut t = Bench::with_books();
    let stranger = change(101, &[(YES, "BUY", "0.41", "5", 1, "0.41", "0.60")]);
    t.frame(&stranger.replace(MARKET, &MARKET.replace("9b1c", "9b1d")));
    t.frame(&stranger.replace(TOKENS[YES], "12345"));
    t.frame(&book(YES, 101, "[]", "[]").replace(TOKENS[YES], "12345"));
    t.frame(r#"{"event_type":"brand_new","market":"0x1"}"#);
    assert_eq!(t.levels(YES, Side::Bid), [(4_000, 500)]);
    let figures = t.session.figures();
    assert_eq!((figures.unknown_markets, figures.unknown_types, figures.parse_errors), (3, 1, 0));
    assert_eq!(t.health(), Health::Sound);
}

#[test]
fn a_market_is_known_by_every_letter_of_its_name() {
    // The registry's hash takes both ends of a name, so these share hash and slot.
    let names: Vec<String> =
        (0..64).map(|n| format!("0x9b1c6f0d2a7e4b58{n:032x}100ffeeddccbbaa9")).collect();
    assert!(names.iter().all(|name| name.len() == 66));
    let mut session =
        Session::new(Options { learn: false, audit_every: 0 }, Slab::new([128, 0, 0]));
    for name in &names {
        session.add_market(name, TOKENS, &Grid::CENT, None).unwrap();
    }
    let mut sink = Recorder::default();
    for (number, name) in names.iter().enumerate() {
        for token in [YES, NO] {
            let px = format!("[[0.{:02},1]]", 10 + number);
            session.on_frame(
                ms(1),
                book(token, 1, &px, "[]").replace(MARKET, name).as_bytes(),
                &mut sink,
            );
        }
        let frame = change(2, &[(YES, "BUY", "0.09", "1", 1, "0.09", "1")]).replace(MARKET, name);
        session.on_frame(ms(1), frame.as_bytes(), &mut sink);
        assert_eq!(session.number_of(name), Some(number));
    }
    assert_eq!(session.figures().fast, 64);
    for number in 0..64 {
        let want = [(900, 100), (1_000 + 100 * number as u16, 100)];
        assert_eq!(plain(&session.levels(number, YES, Side::Bid)), want);
    }
}

#[test]
fn the_hash_is_audited_where_its_terms_are_known() {
    let Some(frame) = shared("protocol/fixtures/polymarket/ws_book.json") else { return };
    let terms = |min: &str| Some(HashTerms { min_order_size: min.into(), neg_risk: false });
    let options = Options { learn: false, audit_every: 1 };
    for (terms, frame, want) in [
        (terms("5"), frame.clone(), (1, 0)),
        (terms("15"), frame.clone(), (1, 1)),
        (terms("5"), frame.replace("310.55", "310.56"), (1, 1)),
        (None, frame.clone(), (0, 0)),
        (terms("5"), frame.replace("last_trade_price", "lost"), (0, 0)),
    ] {
        let mut t = Bench::with(options, terms);
        t.frame(&frame);
        t.frame(&book(NO, 1, "[]", "[]"));
        let figures = t.session.figures();
        assert_eq!((figures.hash_audits, figures.hash_mismatches), want);
        let health = if want.1 == 0 { Health::Sound } else { Health::Stale };
        assert_eq!((t.health(), t.sink.wanted(M)), (health, want.1 as usize));
    }
}

#[test]
fn every_vector_of_the_hash_agrees() {
    let Some(text) = shared("protocol/vectors/polymarket_book_hash.json") else { return };
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut audited = 0;
    for vector in vectors.as_array().unwrap() {
        let mut object = vector["inputs"].clone();
        let inputs = vector["inputs"].clone();
        let (Some(min), Some(neg)) =
            (inputs["min_order_size"].as_str(), inputs["neg_risk"].as_bool())
        else {
            continue;
        };
        let map = object.as_object_mut().unwrap();
        map.insert("event_type".into(), "book".into());
        map.insert("hash".into(), vector["outputs"]["sha1"].clone());
        map.remove("min_order_size");
        map.remove("neg_risk");
        let mut session =
            Session::new(Options { learn: false, audit_every: 1 }, Slab::new([0, 8, 8]));
        let terms = Some(HashTerms { min_order_size: min.into(), neg_risk: neg });
        let tokens = [inputs["asset_id"].as_str().unwrap(), "1"];
        session
            .add_market(inputs["market"].as_str().unwrap(), tokens, &Grid::DECI_CENT, terms)
            .unwrap();
        session.on_frame(ms(1), object.to_string().as_bytes(), &mut Recorder::default());
        let figures = session.figures();
        assert_eq!((figures.parse_errors, figures.hash_mismatches), (0, 0), "{vector}");
        audited += figures.hash_audits;
    }
    assert!(audited > 0);
}

#[test]
fn a_resolved_market_never_trades_again_and_keeps_its_books() {
    let mut t = Bench::with_books();
    let resolved =
        format!(r#"{{"event_type":"market_resolved","market":"{MARKET}","timestamp":"200"}}"#);
    t.frame(&resolved);
    assert_eq!((t.sink.tops.len(), t.sink.last().health), (1, Health::Stale), "told at once");
    t.frame(&book(YES, 300, "[[0.45,5]]", "[[0.55,5]]"));
    t.frame(&book(NO, 300, "[[0.45,5]]", "[[0.55,5]]"));
    assert_eq!((t.health(), t.levels(YES, Side::Bid)), (Health::Stale, vec![(4_500, 500)]));
    assert_eq!(t.sink.last().best_ask_raw(), (5_500, 500));
    t.session.on_connected(t.now, &mut t.sink);
    assert_eq!(t.health(), Health::AwaitSnapshot);
    t.frame(&book(YES, 400, "[[0.40,5]]", "[[0.60,5]]"));
    t.frame(&book(NO, 400, "[[0.40,5]]", "[[0.60,5]]"));
    assert_eq!(t.health(), Health::Stale);
    assert_eq!(t.session.top(1).health, Health::AwaitSnapshot, "the other market is untouched");
}

#[test]
fn heartbeats_arrays_and_other_events() {
    let mut t = Bench::with_books();
    for frame in ["PONG", "PONG\n", "PING"] {
        t.frame(frame);
    }
    t.frame("[]");
    t.frame(&format!(
        r#"[{{"event_type":"market_resolved","market":"{MARKET}","timestamp":"1"}}]"#
    ));
    assert!(t.sink.said.contains(&Said::Lifecycle(M, Change::Determined)));
    let figures = t.session.figures();
    assert_eq!((figures.control, figures.lifecycle, figures.parse_errors), (3, 1, 0));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/protocol/fixtures/polymarket");
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("skipped: the protocol's fixtures are not here");
        return;
    };
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let private = ["user", "subscribe", "heartbeat"].iter().any(|part| name.contains(part));
        if name.starts_with("ws_") && !private {
            t.frame(&std::fs::read_to_string(&path).unwrap());
            assert_eq!(t.session.figures().parse_errors, 0, "{name}");
        }
    }
}
