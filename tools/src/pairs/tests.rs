use std::fmt::Write as _;
use std::path::Path;

use engine::top::MARKETS_MAX;
use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"schema = 1

[[pair]]
id = "kxfed-26dec-t3.50"
polarity = "inverted"
event = "fed-2026-12"
verdict = "approved"
expected_resolution = "2026-12-16T19:30:00Z"

[pair.kalshi]
ticker = "KXFED-26DEC-T3.50"
event = "KXFED-26DEC"
grid = [{ start = "0.0000", end = "0.1000", step = "0.0010" }, { start = "0.1000", end = "1.0000", step = "0.0100" }]
fee_type = "quadratic"
fee_multiplier = "1.5"
exchange_index = 2
close_time = "2026-12-16T18:55:00Z"

[pair.polymarket]
condition_id = "0x6ADE2c1de80844a803bbec0110ad83e814533deb50d279a9b27d5cc218745f1d"
yes = "55617098058076723215002744096238039909544960379741488347649941172916930036388"
no = "500256187769807177150"
tick = "0.010"
min_size = "5.0"
min_notional = "1"
fee_rate = "0.04"
fee_exponent = 1
neg_risk = false
version = "v1"
taker_delay_ms = 250
game_start = "2026-12-16T19:30:00.25+00:00"
"#;

/// The good file with one line replaced.
fn with(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "{from:?} must stand once in the good file");
    GOOD.replacen(from, to, 1)
}

fn error(text: &str) -> String {
    parse(text, "p.toml").expect_err(text).to_string()
}

/// A pair of its own for each number, as an inline table.
fn inline(number: usize) -> String {
    format!(
        r#"[[pair]]
id = "p{number}"
polarity = "same"
kalshi = {{ ticker = "K{number}", event = "E", grid = [{{ start = "0", end = "1", step = "0.01" }}], fee_type = "flat", fee_multiplier = "1", exchange_index = 0 }}
polymarket = {{ condition_id = "0x{number:064x}", yes = "1{number}", no = "2{number}", tick = "0.01", min_size = "5", min_notional = "1", fee_rate = "0.05", fee_exponent = 1, neg_risk = true, version = "v2" }}
"#
    )
}

fn file(pairs: &[String]) -> String {
    format!("schema = 1\n{}", pairs.concat())
}

#[test]
fn a_pair_may_say_which_leg_leaves_first() {
    for (text, want) in [("kalshi-first", LegOrder::First), ("both", LegOrder::Both)] {
        let said = GOOD.replace("polarity =", &format!("legs = \"{text}\"\npolarity ="));
        assert_eq!(parse(&said, "p.toml").unwrap().pairs[0].legs, Some(want));
    }
    let wrong = GOOD.replace("polarity =", "legs = \"kalshi\"\npolarity =");
    let error = parse(&wrong, "p.toml").unwrap_err().to_string();
    assert!(error.contains("`legs`") && error.contains("polymarket-first"), "{error}");
}

#[test]
fn a_pair_may_say_what_it_pays_at_worst_and_pays_nothing_otherwise() {
    let said = |text: &str| GOOD.replace("polarity =", &format!("{text}\npolarity ="));
    let worst = |text: &str| parse(&said(text), "p.toml").map(|file| file.pairs[0].worst_payoff);
    assert_eq!(worst(""), Ok(Px::ZERO));
    assert_eq!(worst("worst_payoff = \"0.5\""), Ok(Px::lit(5_000)));
    assert_eq!(worst("worst_payoff = \"1\""), Ok(Px::ONE));
    for wrong in ["\"1.01\"", "0.5", "\"-0.5\""] {
        let error = worst(&format!("worst_payoff = {wrong}")).unwrap_err().to_string();
        assert!(error.contains("`worst_payoff`"), "{wrong}: {error}");
    }
}

#[test]
fn every_field_is_read_exactly() {
    let read = parse(GOOD, "p.toml").unwrap();
    let want = PairSpec {
        id: "kxfed-26dec-t3.50".to_owned(),
        polarity: Polarity::Inverted,
        event: Some("fed-2026-12".to_owned()),
        verdict: Verdict::Approved,
        legs: None,
        expected_resolution: Some(Ns(1_797_449_400_000_000_000)),
        worst_payoff: Px::ZERO,
        kalshi: KalshiSpec {
            ticker: "KXFED-26DEC-T3.50".to_owned(),
            event: "KXFED-26DEC".to_owned(),
            grid: Grid::banded(&[(0, 1_000, 10), (1_000, 10_000, 100)]).unwrap(),
            fee_type: FeeType::Quadratic,
            fee_multiplier_e6: 1_500_000,
            exchange_index: 2,
            close_time: Some(Ns(1_797_447_300_000_000_000)),
        },
        polymarket: PolymarketSpec {
            condition_id: "0x6ade2c1de80844a803bbec0110ad83e814533deb50d279a9b27d5cc218745f1d"
                .to_owned(),
            yes: "55617098058076723215002744096238039909544960379741488347649941172916930036388"
                .to_owned(),
            no: "500256187769807177150".to_owned(),
            tick: Px::lit(100),
            grid: Grid::CENT,
            min_size: Qty::lit(500),
            min_size_text: "5.0".to_owned(),
            min_notional: Usd::ONE,
            fee_rate_e6: 40_000,
            fee_exponent: 1,
            neg_risk: false,
            version: Version::V1,
            taker_delay_ms: 250,
            game_start: Some(Ns(1_797_449_400_250_000_000)),
        },
    };
    assert_eq!(read.pairs, [want]);
}

#[test]
fn inline_tables_and_absent_options() {
    let read = parse(&file(&[inline(1), inline(2)]), "p.toml").unwrap();
    assert_eq!(read.pairs.len(), 2);
    let pair = &read.pairs[1];
    assert_eq!((pair.id.as_str(), pair.verdict), ("p2", Verdict::Unspecified));
    assert_eq!((pair.event.as_deref(), pair.expected_resolution), (None, None));
    assert_eq!(pair.kalshi.fee_type, FeeType::Other("flat".to_owned()));
    assert_eq!((pair.polymarket.taker_delay_ms, pair.polymarket.version), (0, Version::V2));
    assert_eq!(parse("schema = 1", "p.toml"), Ok(PairFile::default()));
}

#[test]
fn a_message_names_file_line_pair_field_and_fix() {
    assert_eq!(
        error(&with("fee_rate = \"0.04\"", "fee_rate = \"1\"")),
        "p.toml: line 26: pair \"kxfed-26dec-t3.50\": `polymarket.fee_rate`: \"1\" is too large; \
         write a decimal as text, from \"0\" to below \"1\", at most 6 decimals"
    );
    assert_eq!(
        error(&with("step = \"0.0100\" }", "step = \"0.0100\", stop = 1 }")),
        "p.toml: line 13: pair \"kxfed-26dec-t3.50\": `kalshi.grid[1].stop`: unknown key; \
         known here: start, end, step. Correct or delete it"
    );
}

/// (what stands in the good file, what replaces it, line of the error, what the message holds)
const REFUSED: &[(&str, &str, usize, &str)] = &[
    ("schema = 1\n", "", 1, "add `schema = 1`"),
    ("schema = 1\n", "schema = 2\n", 1, "schema 2 is unknown"),
    ("schema = 1\n", "schema = \"1\"\n", 1, "is unknown; this program reads schema 1"),
    ("schema = 1\n", "schema = 1\nversion = 3\n", 2, "`version`: unknown key"),
    ("schema = 1\n", "schema = 1\npair = 3\n", 4, "not TOML"),
    ("id = \"kxfed-26dec-t3.50\"\n", "", 3, "pair number 1: `id`: missing"),
    ("id = \"kxfed-26dec-t3.50\"", "id = \"\"", 4, "`id`: \"\" is refused"),
    ("id = \"kxfed-26dec-t3.50\"", "id = \"a b\"", 4, "`id`: \"a b\" is refused"),
    ("id = \"kxfed-26dec-t3.50\"", "id = 5", 4, "is an integer; write a unique name"),
    ("id = \"kxfed-26dec-t3.50\"", "id = \"a\"\nid = \"b\"", 5, "not TOML"),
    ("polarity = \"inverted\"", "polarity = \"opposite\"", 5, "one of: same, inverted"),
    ("verdict = \"approved\"", "verdict = \"ok\"", 7, "one of: tradable, approved"),
    ("verdict = \"approved\"", "veredict = \"ok\"", 7, "`veredict`: unknown key"),
    ("2026-12-16T19:30:00Z", "2026-12-16 19:30", 8, "`expected_resolution`"),
    ("2026-12-16T19:30:00Z", "2026-12-16T19:30:00+01:00", 8, "a UTC time in RFC 3339"),
    ("2026-12-16T19:30:00Z", "1960-12-16T19:30:00Z", 8, "a UTC time in RFC 3339"),
    ("\"2026-12-16T19:30:00Z\"", "2026-12-16T19:30:00Z", 8, "is a TOML date"),
    ("2026-12-16T18:55:00Z", "2026-13-16T18:55:00Z", 17, "`kalshi.close_time`"),
    ("+00:00\"", "+00\"", 31, "`polymarket.game_start`"),
    ("ticker = \"KXFED-26DEC-T3.50\"", "ticker = \"A\\\"B\"", 11, "`kalshi.ticker`"),
    ("event = \"KXFED-26DEC\"\n", "", 10, "`kalshi.event`: missing"),
    ("start = \"0.0000\"", "start = 0.0", 13, "`kalshi.grid[0].start`: is a float"),
    ("start = \"0.0000\"", "start = \"0.00001\"", 13, "has more decimals"),
    ("start = \"0.0000\"", "start = \"NaN\"", 13, "is no plain decimal"),
    ("step = \"0.0010\"", "step = \"0\"", 13, "band 0: step must be above 0"),
    ("step = \"0.0010\"", "step = \"0.0030\"", 13, "band 0: step must be above 0"),
    ("start = \"0.1000\"", "start = \"0.2000\"", 13, "band 1: must start where"),
    ("end = \"1.0000\"", "end = \"0.1000\"", 13, "band 1: start must be below end"),
    ("end = \"1.0000\"", "end = \"1.0001\"", 13, "`kalshi.grid[1].end`: \"1.0001\" is too large"),
    ("fee_type = \"quadratic\"", "fee_type = []", 14, "`kalshi.fee_type`: is an array"),
    ("fee_multiplier = \"1.5\"", "fee_multiplier = \"100.000001\"", 15, "is too large"),
    ("fee_multiplier = \"1.5\"", "fee_multiplier = \"-1\"", 15, "is negative"),
    ("fee_multiplier = \"1.5\"", "fee_multiplier = 1.5", 15, "is a float"),
    ("exchange_index = 2", "exchange_index = -1", 16, "\"-1\" is refused"),
    ("exchange_index = 2", "exchange_index = 99999999999999999999", 16, "is refused"),
    ("\"0x6ADE2c", "\"0x6ADE2", 20, "0x and 64 hexadecimal digits"),
    ("\"0x6ADE2c", "\"006ADE2c", 20, "0x and 64 hexadecimal digits"),
    ("\"0x6ADE2c", "\"0x6ADE2g", 20, "0x and 64 hexadecimal digits"),
    ("no = \"500256187769807177150\"", "no = \"\"", 22, "`polymarket.no`"),
    ("no = \"500256187769807177150\"", "no = \"0x12\"", 22, "a decimal number"),
    ("no = \"500256187769807177150\"", "no = \"012\"", 22, "a decimal number"),
    ("no = \"500256187769807177150\"", "no = 12", 22, "is an integer"),
    ("tick = \"0.010\"", "tick = \"0.03\"", 23, "a tick of 0.0300 does not divide"),
    ("tick = \"0.010\"", "tick = \"0\"", 23, "a tick of 0.0000 does not divide"),
    ("tick = \"0.010\"", "tick = \"1\"", 23, "a tick of 1.0000 does not divide"),
    ("min_size = \"5.0\"", "min_size = \"-5\"", 24, "is negative"),
    ("min_size = \"5.0\"", "min_size = \"5.001\"", 24, "has more decimals"),
    ("min_size = \"5.0\"", "min_size = \"1000000.01\"", 24, "is too large"),
    ("min_notional = \"1\"", "min_notional = \"-0.1\"", 25, "is negative"),
    ("min_notional = \"1\"", "min_notional = \"1000000.000001\"", 25, "is too large"),
    ("fee_rate = \"0.04\"", "fee_rate = \"4%\"", 26, "is no plain decimal"),
    ("fee_exponent = 1", "fee_exponent = 0", 27, "`polymarket.fee_exponent`: \"0\" is refused"),
    ("fee_exponent = 1", "fee_exponent = 3", 27, "\"3\" is refused"),
    ("neg_risk = false", "neg_risk = \"no\"", 28, "is a text; write true or false"),
    ("version = \"v1\"", "version = \"2\"", 29, "one of: v1, v2"),
    ("taker_delay_ms = 250", "taker_delay_ms = -1", 30, "\"-1\" is refused"),
    ("[pair.polymarket]", "[pair.polymarkt]", 19, "`polymarkt`: unknown key"),
    ("[pair.polymarket]", "[pair.polymarket", 19, "not TOML"),
];

#[test]
fn each_slip_is_refused_at_its_line() {
    for &(from, to, line, want) in REFUSED {
        let text = with(from, to);
        let error = parse(&text, "p.toml").expect_err(to);
        assert_eq!(error.place.line, Some(line), "{to:?}: {error}");
        assert!(error.to_string().contains(want), "{to:?}: {error}");
        assert!(error.to_string().starts_with("p.toml: line "), "{error}");
    }
}

#[test]
fn impossible_numbers_of_bands_and_large_tokens() {
    let start = "grid = [{ start = \"0.0000\", end = \"0.1000\", step = \"0.0010\" }, { start = \"0.1000\", end = \"1.0000\", step = \"0.0100\" }]";
    assert!(error(&with(start, "grid = []")).contains("at least one band"));
    let ends = "grid = [{ start = \"0\", end = \"1\", step = \"1\" }]";
    assert!(error(&with(start, ends)).contains("`kalshi.grid`: no price between 0 and 1 dollar"));
    assert!(error(&with(start, "grid = [\"0.01\"]")).contains("`kalshi.grid[0]`: is a text"));
    let many = "{ start = \"0\", end = \"1\", step = \"1\" },".repeat(9);
    assert!(error(&with(start, &format!("grid = [{many}]"))).contains("9 bands"));

    let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    let token = |text: &str| with("no = \"500256187769807177150\"", &format!("no = \"{text}\""));
    assert!(parse(&token(max), "p.toml").is_ok());
    assert!(error(&token(&max.replace("9935", "9936"))).contains("below 2^256"));
    assert!(error(&token(&"9".repeat(79))).contains("below 2^256"));
    let yes = "55617098058076723215002744096238039909544960379741488347649941172916930036388";
    assert!(error(&token(yes)).contains("`polymarket.no`: the same token as `yes`"));
}

#[test]
fn pairs_that_contradict_each_other() {
    let refuse = |second: &str, want: &str| {
        let error = error(&file(&[inline(1), second.to_owned()]));
        assert!(error.starts_with("p.toml: line 7: pair \""), "{error}");
        assert!(error.contains(want), "{error}");
        assert!(error.contains("p.toml line 2"), "the first pair's place: {error}");
    };
    let (one, two) = (inline(1), inline(2));
    refuse(&one, "the id is also that of the pair in");
    refuse(&one.replace("\"p1\"", "\"p2\""), "pairs the same markets as \"p1\"");
    refuse(&two.replace("yes = \"12\"", "yes = \"21\""), "under another condition");
    let condition = |number: usize| format!("0x{number:064x}");
    refuse(&two.replace(&condition(2), &condition(1)), "described differently in pair \"p1\"");
    let ticker = two.replace("\"K2\"", "\"K1\"");
    refuse(&ticker.replace("exchange_index = 0", "exchange_index = 1"), "described differently");

    // What is no contradiction: a market in two pairs, told alike, whichever outcome is YES.
    assert!(parse(&file(&[one.clone(), ticker]), "p.toml").is_ok());
    let turned = one
        .replace("\"p1\"", "\"p2\"")
        .replace("\"K1\"", "\"K2\"")
        .replace("yes = \"11\", no = \"21\"", "yes = \"21\", no = \"11\"");
    assert!(turned.contains("yes = \"21\""));
    assert!(parse(&file(&[one, turned]), "p.toml").is_ok());
}

#[test]
fn several_files_are_one_table() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let a = write("a.pairs.toml", file(&[inline(1)]).as_bytes());
    let b = write("b.pairs.toml", file(&[inline(2), inline(1)]).as_bytes());
    let c = write("c.pairs.toml", file(&[inline(3)]).as_bytes());
    let latin = write("latin.pairs.toml", b"schema = 1 # caf\xe9");
    let ids = |file: PairFile| file.pairs.into_iter().map(|p| p.id).collect::<Vec<_>>();
    assert_eq!(load(&[&a, &c]).map(ids), Ok(vec!["p1".to_owned(), "p3".to_owned()]));
    let error = load(&[&a, &b]).unwrap_err();
    assert!(error.place.file.ends_with("b.pairs.toml") && error.place.line == Some(7), "{error}");
    assert!(error.to_string().contains("a.pairs.toml line 2"), "{error}");
    assert!(load(&[&latin]).unwrap_err().to_string().contains("byte 16 is not UTF-8"));
    let missing = load(&[dir.path().join("none.toml")]).unwrap_err().to_string();
    assert!(missing.contains("cannot read the pair file"), "{missing}");
}

#[test]
fn limits_hold() {
    let mut text = String::from("schema = 1\n");
    for number in 1..=MARKETS_MAX + 1 {
        text += &inline(number);
    }
    let refused = error(&text);
    assert!(refused.contains("32769 pairs, at most 32768"), "{refused}");
    let fits = &text[..text.rfind("[[pair]]").unwrap()];
    assert_eq!(parse(fits, "p.toml").unwrap().pairs.len(), MARKETS_MAX);

    let long = " ".repeat(FILE_LEN_MAX + 1);
    assert!(error(&long).contains("longer than"));
}

#[test]
fn hostile_texts_are_refused_without_a_panic() {
    let mut dotted = String::from("schema = 1\na");
    for _ in 0..200_000 {
        dotted.push_str(".a");
    }
    dotted.push_str(" = 1");
    let mut tables = String::from("schema = 1\n");
    for depth in 0..200 {
        let _ = writeln!(tables, "[{}x]", "x.".repeat(depth));
    }
    for text in [
        dotted,
        tables,
        format!("schema = {}", "[".repeat(1_000_000)),
        format!("schema = {}", "{a=".repeat(1_000_000)),
        format!("schema = {}", "9".repeat(1_000_000)),
        format!("schema = 1\nx = \"{}\"", "\\u0000".repeat(100_000)),
        "schema = 1\n[[pair]]\n[[pair.kalshi]]\n".to_owned(),
        "schema = 1\npair = [1]".to_owned(),
        "schema = 1\npair = [[{}]]".to_owned(),
        "schema = 1\n[pair]\nid = \"a\"".to_owned(),
        "\u{feff}".to_owned(),
        String::new(),
    ] {
        let refused = error(&text);
        assert!(refused.len() < 1_000, "{refused}");
    }
}

#[test]
fn the_recorded_tables_load() {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let mut paths = vec![data.join("bench/pairs.toml")];
    if let Ok(tapes) = std::fs::read_dir(data.join("tapes")) {
        let all = tapes.filter_map(Result::ok).map(|entry| entry.path());
        paths.extend(all.filter(|path| path.to_string_lossy().ends_with(".pairs.toml")));
    }
    for path in paths {
        if !path.exists() {
            eprintln!("skipped: {} is not there", path.display());
            continue;
        }
        let pairs = load(&[&path]).unwrap_or_else(|error| panic!("{error}")).pairs;
        assert!(!pairs.is_empty(), "{}", path.display());
        assert!(pairs.iter().all(|p| p.kalshi.fee_type == FeeType::Quadratic));
    }
}

proptest! {
    /// Cutting, doubling and overwriting pieces of a good file gives an error or a table, and
    /// never a panic; an error names a line that the file has.
    #[test]
    fn a_damaged_file_never_panics(
        at in 0usize..GOOD.len(), len in 0usize..40, junk in "[\\[\\]{}=\",.a-z0-9\n-]{0,6}"
    ) {
        let text: String = GOOD
            .char_indices()
            .filter(|(i, _)| *i < at || *i >= at + len)
            .map(|(_, c)| c)
            .collect();
        let text = format!("{}{junk}{}", &text[..at.min(text.len())], &text[at.min(text.len())..]);
        if let Err(error) = parse(&text, "p.toml") {
            let lines = text.matches('\n').count() + 1;
            prop_assert!(error.place.line.is_none_or(|line| line <= lines), "{}", error);
        }
    }
}
