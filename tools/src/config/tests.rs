//! Tests of the configuration.

use engine::units::{Ns, Qty, Usd, Venue};
use serde_json::Value;

use super::live::{ClockBounds, Facts, Trading, WhyPaper, caution, refusals, trading};
use super::*;
use crate::model::{Model, Options};
use crate::pairs::PairFile;
use crate::run::spec::Fills;

fn variables(list: &[(&str, &str)]) -> Variables {
    let read = |name: &str| {
        Ok(list.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    };
    Variables::of_process(read).ok().unwrap()
}

fn with(text: &str, list: &[(&str, &str)]) -> Result<Config, ConfigError> {
    parse(text, Path::new("dir/parallax.toml"), &variables(list), None)
}

fn error(text: &str, list: &[(&str, &str)]) -> String {
    with(text, list).err().expect("an error").to_string()
}

const SIM: &str = r#"
environment = "sim"
ca_file = "ca.pem"
[kalshi]
rest = "https://127.0.0.1:1/trade-api/v2"
ws = "wss://127.0.0.1:1/trade-api/ws/v2"
[polymarket]
clob = "https://127.0.0.1:2"
ws = "wss://127.0.0.1:2/ws"
gamma = "https://127.0.0.1:2"
geoblock = "https://127.0.0.1:2/api/geoblock"
"#;

#[test]
fn what_may_lie_alone_is_bounded_wherever_an_order_is() {
    let most = |text: &str| with(text, &[]).unwrap().repair.unwrap().naked_max;
    assert_eq!(most(""), engine::core::NO_LIMIT, "paper needs no limit at all");
    assert_eq!(most("[limits]\norder_notional_max = \"30\""), Usd::new(60_000_000));
    let said = "[legs]\nnaked_max = \"7\"\n[limits]\norder_notional_max = \"30\"";
    assert_eq!(most(said), Usd::new(7_000_000));
}

#[test]
fn the_default_holds_every_key() {
    // Keys without a value of their own stand as comments.
    let is_key = |line: &str| {
        line.strip_prefix("# ").is_some_and(|line| {
            let name = line.split(" = ").next().unwrap_or_default();
            line.contains(" = ") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        })
    };
    let full: Vec<&str> =
        DEFAULT.lines().map(|line| if is_key(line) { &line[2..] } else { line }).collect();
    let full = full.join("\n");
    let said: Value = toml::from_str::<toml::Table>(&full)
        .map(|table| serde_json::to_value(table).unwrap())
        .unwrap();
    // A struct writes each of its fields, so its keys are all that can be said.
    let known = serde_json::to_value(file::File::default()).unwrap();
    let mut count = 0;
    for (key, section) in known.as_object().unwrap() {
        assert!(said.get(key).is_some(), "{key} is not in the default");
        for field in section.as_object().into_iter().flatten().map(|(field, _)| field) {
            assert!(said[key].get(field).is_some(), "{key}.{field} is not in the default");
            count += 1;
        }
    }
    assert!(count > 20);
    let config = with("", &[]).expect("the built-in default is good");
    assert_eq!((config.mode, config.environment), (Mode::Paper, Environment::Demo));
    assert!(config.dry_run);
    assert_eq!(config.strategy.max_qty, Qty::lit(10_000));
    assert_eq!(config.paper.latency, [Ns::from_ms(10), Ns::from_ms(30)]);
    assert_eq!(config.pairs, [Path::new("dir/pairs.toml")], "relative to the file");
    let said = [&config.limits.order_notional_max, &config.limits.unsettled_notional_max];
    assert_eq!(said, [&None; 2], "limits are a person's to say");
    assert_eq!(config.kalshi.rest.host(), "external-api.demo.kalshi.co");
}

#[test]
fn wrong_keys_and_values_are_told_with_their_place() {
    let text = "mode = \"paper\"\n[strategy]\nmin_profits = \"1\"\n";
    let told = error(text, &[]);
    assert!(told.contains("line 3") && told.contains("`min_profits`"), "{told}");
    let told = error("[strategy]\nmin_profit = 0.01\n", &[]);
    assert!(told.contains("line 2") && told.contains("string"), "{told}");
    for (text, part) in [
        ("mode = \"Live\"", "mode:"),
        ("environment = \"production\"", "environment:"),
        ("ca_file = \"x\"", "ca_file:"),
        ("[kalshi]\nrest = \"http://external-api.demo.kalshi.co\"", "kalshi.rest:"),
        ("[kalshi]\nrest = \"https://external-api.kalshi.com\"", "does not belong"),
        ("[kalshi]\nkey_id = \"a\"", "kalshi.key_file:"),
        ("[kalshi]\nkey_file = \"a\"", "kalshi.key_id:"),
        ("[kalshi]\ntier = \"gold\"", "kalshi.tier:"),
        ("[polymarket]\nassets_per_connection = 201", "assets_per_connection:"),
        ("[polymarket]\nsignature_type = 4", "signature_type:"),
        ("[polymarket]\nsignature_type = 3\nkey_file = \"k\"", "polymarket.funder:"),
        ("[polymarket]\nfunder = \"0x12\"", "polymarket.funder:"),
        ("[limits]\norder_notional_max = \"-1\"", "limits.order_notional_max:"),
        ("[strategy]\ndeadline_ms = 0", "strategy.deadline_ms:"),
        ("[signing]\nheaders = 200", "signing.headers:"),
        ("[signing]\nheader_window_ms = 10001", "signing.headers:"),
        ("[signing]\norders = 0", "signing.orders:"),
        ("[legs]\norder = \"first\"", "legs.order:"),
        ("[legs]\ngive_max = \"0.01\"", "legs.give_max: at least give_first"),
        ("[legs]\nwait_max_ms = 50", "legs.wait_max_ms: at least wait_ms"),
        ("[legs]\ntries_max = 0", "legs.tries_max:"),
        ("[legs]\nnaked_max = \"x\"", "legs.naked_max:"),
        ("[threads]\ncores = \"x\"", "threads.cores:"),
        ("[threads]\nidle = \"sleep\"", "threads.idle:"),
    ] {
        let told = error(text, &[]);
        assert!(told.contains(part) && told.starts_with("dir/parallax.toml"), "{text}: {told}");
    }
}

#[test]
fn the_environment_comes_before_the_file() {
    let text = "environment = \"demo\"\ntargets = [\"a\"]\n[strategy]\nmin_profit = \"0.5\"\n\
                [kalshi]\nkey_id = \"file\"\nkey_file = \"file.pem\"\nfee_rate_min = \"0.01\"";
    let set = [
        ("APP_ENV", "prod"),
        ("MIN_PROFIT_THRESHOLD", "0.02"),
        ("TARGET_MARKETS", "KX*, fed ,"),
        ("KALSHI_API_KEY_ID", "general"),
        ("KALSHI_PROD_API_KEY", "special"),
        ("KALSHI_DEMO_API_KEY", "other"),
        ("KALSHI_FEE_RATE", "0.08"),
        ("POLYMARKET_WALLET_PRIVATE_KEY", "canary-wallet"),
        ("POLY_SIGNATURE_TYPE", "2"),
        ("POLYMARKET_WALLET_ADDR", "0x00000000000000000000000000000000000000aB"),
    ];
    let config = with(text, &set).ok().unwrap();
    assert_eq!(config.environment, Environment::Prod);
    assert_eq!(config.strategy.min_profit, Usd::new(20_000));
    assert_eq!(config.targets, ["KX*", "fed"]);
    let key = config.kalshi.key.unwrap();
    assert_eq!((key.id.as_str(), key.file.as_path()), ("special", Path::new("dir/file.pem")));
    assert_eq!(config.kalshi.fee_rate_min_e6, Some(80_000));
    assert_eq!(config.polymarket.signature_type, 2);
    assert!(
        matches!(&config.polymarket.key, Some(WalletKey::Text(key)) if key.expose() == "canary-wallet")
    );
    let sim = parse(SIM, Path::new("p.toml"), &variables(&[]), None).ok().unwrap();
    assert_eq!((sim.environment, sim.kalshi.rest.port()), (Environment::Sim, 1));
    assert!(parse(SIM, Path::new("p.toml"), &variables(&[]), Some(Environment::Prod)).is_err());
}

#[test]
fn words_of_variables_are_checked_and_secrets_not_repeated() {
    for (name, value) in [
        ("DRY_RUN", "canary"),
        ("DRY_RUN", "yes"),
        ("DRY_RUN", "TRUE"),
        ("APP_ENV", "production"),
        ("KALSHI_FEE_RATE", "7%"),
        ("MIN_PROFIT_THRESHOLD", "1e-3"),
        ("POLY_SIGNATURE_TYPE", "EOA"),
        ("POLY_FUNDER", "canary"),
        ("POLYMARKET_API_SECRET", "canary"),
    ] {
        let told = error("", &[(name, value)]);
        assert!(told.contains(name) && !told.contains("canary"), "{told}");
    }
    for (value, on) in [("1", true), ("true", true), ("0", false), ("false", false), ("", true)] {
        assert_eq!(with("", &[("DRY_RUN", value)]).ok().unwrap().dry_run, on, "{value}");
    }
}

#[test]
fn money_needs_three_words() {
    let live = "mode = \"live\"";
    let decide = |text: &str, dry_run: &str, flag| {
        trading(&with(text, &[("DRY_RUN", dry_run)]).ok().unwrap(), flag)
    };
    assert_eq!(decide(live, "0", true), Trading::Live);
    assert_eq!(decide(live, "0", false), Trading::Paper(WhyPaper::NotAsked));
    assert_eq!(decide(live, "1", true), Trading::Paper(WhyPaper::DryRun));
    assert_eq!(decide(live, "", true), Trading::Paper(WhyPaper::DryRun), "on by default");
    assert_eq!(decide("", "0", true), Trading::Paper(WhyPaper::Mode));
}

#[test]
fn a_run_gets_what_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("parallax.toml");
    let pairs = Model::new(Options::default()).pairs_toml();
    fs::write(dir.path().join("pairs.toml"), pairs).unwrap();
    let text = "[limits]\norder_notional_max = \"2.5\"\n[strategy]\narm_margin = \"0\"";
    let spec = |list: &[(&str, &str)]| {
        let config = parse(text, &path, &variables(list), None).ok().unwrap();
        config.run_spec(Fills::Paper, [Usd::new(100); 2], &[])
    };
    let all = spec(&[]).unwrap();
    assert_eq!((all.max_notional, all.cash), (Some(2_500_000), [100; 2]));
    assert_eq!((all.max_unsettled, all.arm_within), (None, None));
    assert_eq!((all.multiplier_min_e6, all.wanted.len()), (0, 0));
    let pairs = all.pair_file().unwrap().pairs;
    let ticker = pairs[0].kalshi.ticker.as_str();
    let one = spec(&[("TARGET_MARKETS", ticker), ("KALSHI_FEE_RATE", "0.14")]).unwrap();
    assert_eq!(one.wanted, [pairs[0].id.clone()]);
    let raised = one.pair_file().unwrap().pairs[0].kalshi.fee_multiplier_e6;
    assert_eq!(raised, pairs[0].kalshi.fee_multiplier_e6.max(2_000_000));
    assert!(spec(&[("TARGET_MARKETS", "nobody*")]).unwrap_err().contains("nobody*"));
}

#[test]
fn a_dead_mans_switch_that_is_off_is_told() {
    let told = |text: &str| caution(&with(text, &[]).ok().unwrap());
    assert_eq!(told(""), None);
    let off = told("[polymarket]\nheartbeat = false").unwrap();
    assert!(off.starts_with("polymarket.heartbeat is off"), "{off}");
}

#[test]
fn every_reason_against_live_is_told() {
    let pairs = PairFile::default();
    let good = ClockBounds { least_ms: -120, most_ms: 90 };
    let text = "[limits]\norder_notional_max = \"5\"\nunsettled_notional_max = \"50\"\n\
                day_loss_max = \"20\"\n\
                [kalshi]\nkey_id = \"a\"\nkey_file = \"k.pem\"\n[polymarket]\nkey_file = \"p\"";
    let config = with(text, &[("APP_ENV", "prod")]).ok().unwrap();
    let told = |config: &Config, facts: &Facts<'_>| -> Vec<String> {
        refusals(config, facts).into_iter().map(|r| r.0).collect()
    };
    let facts = |clock, geoblock, mode: u32| Facts {
        clock: vec![(Venue::Kalshi, Ok(good)), (Venue::Polymarket, clock)],
        geoblock,
        files: vec![(PathBuf::from("k.pem"), Ok(mode))],
        pairs: Some(&pairs),
    };
    let fine = told(&config, &facts(Ok(good), Ok((false, "IE".into())), 0o600));
    assert_eq!(fine.len(), 1, "{fine:?}");
    assert!(fine[0].contains("no pair is left"));
    let off = ClockBounds { least_ms: 200, most_ms: 400 };
    let all = told(&config, &facts(Ok(off), Ok((true, "US".into())), 0o640)).join("\n");
    for part in
        ["chmod 600 k.pem", "between 200 and 400 ms", "does not serve this host's place (US)"]
    {
        assert!(all.contains(part), "{part}: {all}");
    }
    let bare = with("", &[("APP_ENV", "prod")]).ok().unwrap();
    let all =
        told(&bare, &facts(Err("timed out".into()), Err("timed out".into()), 0o600)).join("\n");
    for part in [
        "Kalshi has no key",
        "Polymarket has no key",
        "order_notional_max",
        "unsettled",
        "geoblock",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let demo = with(text, &[]).ok().unwrap();
    let fine = told(&demo, &facts(Ok(good), Ok((true, "US".into())), 0o600)).join("\n");
    assert!(!fine.contains("Polymarket"), "its orders are paper there: {fine}");
}

#[test]
fn answers_of_whole_seconds_bound_the_clock_from_both_sides() {
    // A clock 40 ms ahead, asked eight times in steps of 130 ms, 20 ms each way.
    let bounds = (0..8).map(|n| {
        let sent = 1_795_000_000_000 + 130 * n;
        ClockBounds::of_second(sent, sent + 40, (sent + 20 - 40).div_euclid(1_000))
    });
    let all = bounds.reduce(ClockBounds::and).unwrap();
    assert!(all.least_ms <= 40 && 40 <= all.most_ms, "{all:?}");
    assert!(all.most_ms - all.least_ms <= 200, "{all:?}");
    assert_eq!(all.problem(), None);
    let one = ClockBounds::of_second(500, 540, 0);
    assert!(one.problem().is_some(), "one answer alone shows nothing: {one:?}");
    assert!(ClockBounds { least_ms: 5, most_ms: 4 }.problem().unwrap().contains("stepped"));
}

#[test]
fn limits_stand_in_one_place_and_the_environment_comes_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("parallax.toml");
    let read = |text: &str, list: &[(&str, &str)]| parse(text, &path, &variables(list), None);
    let told = |text: &str| read(text, &[]).err().expect("refused").to_string();
    let limits = "pair_notional_max = \"40\"\npair_void_loss_max = \"3.5\"\nkalshi_qty_max = \"7.5\"\nrepeats_max = 3\n\
                  shutdown_balance = \"9\"\npauses = [\"kalshi mon 00:00-00:10\"]\nin_play = true\n";
    fs::write(dir.path().join("limits.toml"), limits).unwrap();
    let by_file = read("limits_file = \"limits.toml\"", &[]).ok().unwrap().limits;
    let inline = read(&format!("[limits]\n{limits}"), &[]).ok().unwrap().limits;
    assert_eq!(by_file, inline);
    let risk = by_file.risk;
    assert_eq!(risk.pair.notional, Usd::new(40_000_000));
    assert_eq!(risk.void_loss, Usd::new(3_500_000));
    assert_eq!(risk.venue[0].qty.e6(), 7_500_000);
    assert_eq!((risk.repeats.count, risk.repeats.within), (3, Ns::from_ms(10_000)));
    assert_eq!((risk.shutdown_balance, risk.wallet_min), (Usd::new(9_000_000), Usd::ZERO));
    assert_eq!((risk.before_game, risk.calendar.pauses().count()), (None, 1));
    let set = [("SHUTDOWN_BALANCE", "70"), ("MINIMUM_WALLET_BALANCE", "5")];
    let risk = read("limits_file = \"limits.toml\"", &set).ok().unwrap().limits.risk;
    assert_eq!(risk.shutdown_balance, Usd::new(70_000_000));
    assert_eq!(risk.wallet_min, Usd::new(5_000_000));
    let usual = read("", &[]).ok().unwrap().limits.risk;
    assert_eq!(usual.pair, engine::risk::limits::Cap::NONE);
    assert_eq!(usual.void_loss, engine::risk::limits::RiskLimits::NONE.void_loss);
    assert_eq!(
        (usual.before_game, usual.calendar.pauses().count()),
        (Some(Ns::from_ms(60_000)), 3)
    );

    let twice = told("limits_file = \"limits.toml\"\n[limits]\ncollar = \"0.01\"");
    assert!(twice.contains("one place"), "{twice}");
    assert!(told("limits_file = \"none.toml\"").contains("none.toml"));
    fs::write(dir.path().join("limits.toml"), "collar = \"0.01\"\npair_max = \"1\"\n").unwrap();
    let unknown = told("limits_file = \"limits.toml\"");
    assert!(unknown.contains("limits.toml") && unknown.contains("line 2"), "{unknown}");
    for (text, part) in [
        ("collar = \"2\"", "limits.collar"),
        ("pauses = [\"kalshi 03:00-05:00\"]", "kalshi thu 03:00-05:00"),
        ("repeats_max = 17", "from 1 to 16"),
        ("bundles_max = 0", "from 1 to 64"),
        ("kalshi_fills_15s_max = \"0\"", "limits.kalshi_fills_15s_max"),
        ("book_age_s = 999999999", "limits.book_age_s"),
    ] {
        let said = told(&format!("[limits]\n{text}"));
        assert!(said.contains(part), "{text}: {said}");
    }
}

#[test]
fn the_printed_limits_are_a_limits_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("parallax.toml");
    fs::write(dir.path().join("limits.toml"), super::DEFAULT_LIMITS).unwrap();
    let text = "limits_file = \"limits.toml\"";
    let config = parse(text, &path, &variables(&[]), None).ok().unwrap();
    let usual = parse("", &path, &variables(&[]), None).ok().unwrap();
    assert_eq!(config.limits, usual.limits);
}
