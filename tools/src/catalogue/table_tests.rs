use super::*;
use crate::catalogue::{kalshi, polymarket};
use crate::pairs::{self, FeeType};

fn entry(number: usize) -> Entry {
    let kalshi = KalshiRow {
        market: kalshi::Market {
            ticker: format!("KXFED-26DEC-T{number}"),
            event: "KXFED-26DEC".into(),
            price_ranges: vec![["0.0000", "1.0000", "0.0100"].map(str::to_owned)],
            exchange_index: Some(2),
            close_time: Some(1_797_447_300),
            ..kalshi::Market::default()
        },
        event: Some(kalshi::Event {
            fee_type_override: Some("quadratic".into()),
            ..kalshi::Event::default()
        }),
        series: Some(kalshi::Series {
            fee_type: "flat".into(),
            fee_multiplier: Some("0.5".into()),
            ..kalshi::Series::default()
        }),
    };
    let polymarket = PolymarketRow {
        market: polymarket::Market {
            condition_id: format!("0x{number:064x}"),
            tokens: vec![format!("{}", 2 * number + 1), format!("{}", 2 * number + 2)],
            tick: Some("0.001".into()),
            min_size: Some("5".into()),
            fee_rate: Some("0.04".into()),
            fee_exponent: Some(1),
            seconds_delay: Some(3),
            neg_risk: true,
            is_v2: true,
            game_start: Some(1_797_450_000),
            ..polymarket::Market::default()
        },
        event: None,
    };
    let row = PairRow { id: format!("kxfed-26dec-t{number}"), ..super::super::store::example() };
    Entry {
        row,
        standing: Standing { verdict: Verdict::Tradable, why: String::new(), changed: false },
        kalshi,
        polymarket,
        polarity: Some(Polarity::Inverted),
        held: false,
        worth: None,
        delay_ms: 250,
    }
}

#[test]
fn the_pair_file_reader_reads_every_field_back() {
    let (text, left_out) = toml(&[entry(1), entry(2)], "Two pairs.\nOf a test.");
    assert!(left_out.is_empty() && text.starts_with("# Two pairs.\n# Of a test.\nschema = 1\n"));
    let file = pairs::parse(&text, "test").unwrap_or_else(|error| panic!("{error}\n{text}"));
    let pair = &file.pairs[1];
    assert_eq!((pair.verdict, pair.polarity), (Verdict::Tradable, Polarity::Inverted));
    assert_eq!(
        (pair.kalshi.fee_type.clone(), pair.kalshi.fee_multiplier_e6),
        (FeeType::Quadratic, 500_000)
    );
    assert_eq!((pair.kalshi.exchange_index, pair.event.as_deref()), (2, Some("kxfed-26dec")));
    let there = &pair.polymarket;
    assert_eq!((there.yes.as_str(), there.no.as_str(), there.fee_rate_e6), ("5", "6", 40_000));
    assert_eq!(
        (there.neg_risk, there.version, there.taker_delay_ms),
        (true, pairs::Version::V2, 3_000)
    );
    assert!(there.game_start.is_some() && pair.kalshi.close_time.is_some());
}

#[test]
fn the_table_carries_the_worst_that_was_judged() {
    let judged = |worst: u16| {
        let nothing = matching::Listing::default();
        let matcher = matching::Matcher::new(matching::alias::Aliases::default());
        let mut judged = matcher.judge(&nothing, &nothing);
        judged.payoff.worst = worst;
        serde_json::to_string(&judged).unwrap()
    };
    for (judgement, want) in
        [(judged(5_000), 5_000), (judged(10_000), 10_000), (judged(0), 0), (String::new(), 0)]
    {
        let mut entry = entry(1);
        entry.row.judgement = judgement;
        let (text, _) = toml(&[entry], "");
        let file = pairs::parse(&text, "test").unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(file.pairs[0].worst_payoff.e4(), want, "{text}");
    }
}

#[test]
fn what_no_page_says_never_trades() {
    let mut thin = entry(1);
    thin.kalshi.series = None;
    thin.kalshi.event = None;
    thin.kalshi.market.exchange_index = None;
    thin.polymarket.market.fee_rate = None;
    let (text, left_out) = toml(&[thin.clone()], "");
    assert!(left_out.is_empty());
    let file = pairs::parse(&text, "test").unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(file.pairs[0].verdict, Verdict::NeedsReview);
    assert_eq!(file.pairs[0].kalshi.fee_type, FeeType::Other("unknown".into()));
    assert!(text.contains("# Kalshi's page names no exchange_index: 0 stands in"), "{text}");
    // Whoever asks why hears what is missing, in every place the same.
    let shown = crate::discover::show::pair(&thin);
    assert_eq!(shown["verdict"], "needs-review");
    let why = shown["why"].as_str().unwrap();
    assert!(why.contains("no exchange_index") && why.contains("no fee"), "{why}");
    let reasons = shown["reasons"].as_array().unwrap();
    let missing = reasons.iter().filter(|reason| reason["field"] == "missing").count();
    assert_eq!(missing, thin.gaps().filled.len(), "{reasons:?}");
    assert_eq!(entry(1).why(), entry(1).standing.why);
    thin.polarity = None;
    thin.polymarket.market.tokens.pop();
    let (text, left_out) = toml(&[thin], "");
    assert!(pairs::parse(&text, "test").unwrap().pairs.is_empty());
    assert_eq!(left_out[0].1.fatal.len(), 2, "{left_out:?}");
}
