//! `parallax balances`, `positions` and `order` against the simulated venues behind TLS: every
//! signature is checked there by other code.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::units::{Ns, Venue};
use parallax::config::Simulated;
use serde_json::Value;
use sim::accounts::{self, KalshiKey};
use sim::ca::Authority;
use sim::cast;
use sim::fault::Level;
use sim::front::{Idle, Server};
use sim::host::SiteId;
use sim::model;
use sim::universe::Universe;
use sim::world::{Options, World};

fn now() -> Ns {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Ns(u64::try_from(since.as_nanos()).unwrap())
}

/// Both simulated venues on a thread, and the folder that a client needs.
struct Venues {
    dir: tempfile::TempDir,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    universe: Universe,
}

impl Venues {
    fn start(kind: KalshiKey, signature_type: u8) -> Venues {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        let start = now();
        let public = accounts::make_kalshi(path, kind).unwrap();
        let signer = accounts::make_polymarket(path).unwrap();
        let key_id = "0b9f3d7e-1c52-4a6f-9d80-5e3c7a1b2d4f";
        let universe = Universe {
            markets: cast::markets(7, 6, start),
            kalshi: vec![accounts::kalshi(key_id, public)],
            polymarket: vec![accounts::polymarket(signer, signature_type)],
        };
        let authority = Authority::new().unwrap();
        fs::write(path.join("ca.pem"), &authority.pem).unwrap();
        fs::write(path.join("pairs.toml"), cast::pairs_toml(&universe.markets)).unwrap();
        let listeners = [0, 0].map(|port: u16| {
            (TcpListener::bind(("127.0.0.1", port)).unwrap(), Arc::clone(&authority.server))
        });
        let mut server = Server::new(listeners.into()).unwrap();
        let [kalshi_port, polymarket_port] =
            [0, 1].map(|site| server.local_addr(SiteId(site)).unwrap().port());
        let simulated = Simulated {
            kalshi_port,
            polymarket_port,
            key_id,
            funder: &universe.polymarket[0].funder,
            signature_type,
        };
        fs::write(path.join("parallax.toml"), simulated.toml()).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (stops, own) = (Arc::clone(&stop), universe.clone());
        let thread = std::thread::spawn(move || {
            let venues: Vec<(Venue, Box<dyn sim::venue::Venue>)> = vec![
                (Venue::Kalshi, Box::new(sim::kalshi::Kalshi::new(&own, start))),
                (Venue::Polymarket, Box::new(sim::polymarket::Polymarket::new(&own, start))),
            ];
            let options = Options {
                model: model::Options { seed: 7, arb_per_minute: 0, ..model::Options::default() },
                faults: Level::None,
                admin_token: "token".into(),
            };
            let mut world = World::new(&own.markets, venues, options, start);
            let idle = Idle { spin: Duration::ZERO };
            server.run(&mut world, idle, now, |_| stops.load(Ordering::Relaxed)).unwrap();
        });
        Venues { dir, stop, thread: Some(thread), universe }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a command; its output must never hold a secret.
    fn run(&self, args: &[&str], dry_run: &str) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_parallax"))
            .args(args)
            .arg("--config")
            .arg(self.path().join("parallax.toml"))
            .current_dir(self.path())
            .env_clear()
            .env("DRY_RUN", dry_run)
            .output()
            .unwrap();
        let all = [output.stdout.as_slice(), &output.stderr].concat();
        let all = String::from_utf8_lossy(&all);
        let wallet = fs::read_to_string(self.path().join("polymarket.key")).unwrap();
        assert!(!all.contains(wallet.trim().trim_start_matches("0x")), "the wallet's key is shown");
        let pem = fs::read_to_string(self.path().join("kalshi.pem")).unwrap();
        for line in pem.lines().filter(|line| !line.starts_with("--")) {
            assert!(!all.contains(line), "the private key is shown");
        }
        output
    }

    fn json(&self, args: &[&str], dry_run: &str) -> Value {
        let output = self.run(&[args, &["--json"]].concat(), dry_run);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What goes wrong, in words.
    fn refused(&self, args: &[&str], dry_run: &str) -> String {
        let output = self.run(args, dry_run);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Venues {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The market moves by itself, so that the server wakes and sees it.
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn cash(balances: &Value, venue: &str) -> i64 {
    balances[venue]["cash_micro_usd"].as_i64().unwrap()
}

#[test]
fn money_positions_and_orders_by_hand() {
    for (kind, signature_type) in [(KalshiKey::Ed25519, 0), (KalshiKey::Rsa, 3)] {
        let venues = Venues::start(kind, signature_type);
        let market = &venues.universe.markets[0];
        let ticker = market.kalshi.ticker.as_str();
        let condition = market.polymarket.condition_id.as_str();

        let before = venues.json(&["balances"], "1");
        assert!(cash(&before, "kalshi") > 0 && cash(&before, "polymarket") > 0);
        let shards = before["kalshi"]["shards"].as_array().unwrap();
        let sum: i64 = shards.iter().map(|s| s["cash_micro_usd"].as_i64().unwrap()).sum();
        assert_eq!(sum, cash(&before, "kalshi"));
        let none = venues.json(&["positions"], "1");
        assert_eq!(none["kalshi"]["positions"], Value::Array(Vec::new()));

        // On paper: the request and what the book would fill, and nothing happens.
        let buy = ["order", "kalshi", "buy", ticker, "yes", "10", "0.99"];
        let shown = venues.json(&[&buy[..], &["--live"]].concat(), "1");
        assert_eq!(shown["sent"], false);
        assert!(shown["why"].as_str().unwrap().contains("DRY_RUN"), "{shown}");
        assert_eq!(shown["body"]["ticker"], ticker);
        assert!(shown["fill"]["fee_micro_usd"].as_i64().unwrap() > 0, "{shown}");
        assert_eq!(venues.json(&["balances"], "1"), before);

        // In earnest: it rests, is seen, and is taken back.
        let rest =
            ["order", "kalshi", "buy", ticker, "yes", "10", "0.01", "--tif", "gtc", "--live"];
        let placed = venues.json(&rest, "0");
        assert_eq!((&placed["sent"], &placed["rests_e2"]), (&true.into(), &1_000.into()));
        let id = placed["order_id"].as_str().unwrap();
        let seen = venues.json(&["positions"], "0");
        assert_eq!(seen["kalshi"]["orders"][0]["order_id"], id);
        let gone = venues.json(&["order", "kalshi", "cancel", id, "--live"], "0");
        assert_eq!(gone["cancelled_e2"], 1_000);
        assert!(venues.refused(&["order", "kalshi", "cancel", id, "--live"], "0").contains(id));

        // Taken from the book, as far as the preview promised.
        let filled = venues.json(&[&buy[..], &["--live"]].concat(), "0");
        assert!(filled["filled_e2"].as_i64().unwrap() > 0, "{filled}");
        let held = venues.json(&["positions"], "0");
        assert_eq!(held["kalshi"]["positions"][0]["ticker"], ticker);

        // Polymarket: shown without its signature, then sent, seen and taken back.
        let rest = ["order", "polymarket", "buy", condition, "yes", "20", "0.02", "--tif", "gtc"];
        let shown = venues.json(&rest, "0");
        assert_eq!(shown["body"]["order"]["signature"], "<redacted>");
        assert_eq!(shown["body"]["order"]["signatureType"], signature_type);
        let placed = venues.json(&[&rest[..], &["--live"]].concat(), "0");
        assert_eq!(placed["status"], "live", "{placed}");
        let id = placed["order_id"].as_str().unwrap();
        let seen = venues.json(&["positions"], "0");
        assert_eq!(seen["polymarket"]["orders"][0]["order_id"], id);
        let gone = venues.json(&["order", "polymarket", "cancel", id, "--live"], "0");
        assert_eq!(gone["cancelled"][0], id);
        let buy = ["order", "polymarket", "buy", condition, "no", "100", "0.99", "--live"];
        let taken = venues.json(&buy, "0");
        assert!(["matched", "delayed"].contains(&taken["status"].as_str().unwrap()), "{taken}");
        let after = venues.json(&["balances"], "0");
        assert!(cash(&after, "kalshi") < cash(&before, "kalshi"));

        // What would be wrong is told before anything is sent.
        let large = ["order", "kalshi", "buy", ticker, "yes", "100000", "0.5", "--live"];
        assert!(venues.refused(&large, "0").contains("order_notional_max"));
        let off = ["order", "kalshi", "buy", ticker, "yes", "1", "0.0001", "--live"];
        assert!(venues.refused(&off, "0").contains("grid"), "a price off the grid");
        let unknown = ["order", "kalshi", "buy", "NOBODY", "yes", "1", "0.5", "--live"];
        assert!(venues.refused(&unknown, "0").contains("HTTP 404"));
        let word = venues.refused(&["balances"], "maybe");
        assert!(word.contains("DRY_RUN") && word.contains("0 or false"), "{word}");
    }
}

#[test]
fn what_forbids_live_orders_is_told_and_a_wrong_ca_trusts_nobody() {
    use std::os::unix::fs::PermissionsExt as _;

    let venues = Venues::start(KalshiKey::Ed25519, 0);
    let ticker = venues.universe.markets[0].kalshi.ticker.as_str();
    let config = venues.path().join("parallax.toml");
    let text = fs::read_to_string(&config).unwrap();
    let without = text.replace("order_notional_max", "# order_notional_max");
    fs::write(&config, without).unwrap();
    let order = ["order", "kalshi", "buy", ticker, "yes", "1", "0.5", "--live"];
    let told = venues.refused(&order, "0");
    assert!(
        told.contains("live trading is refused") && told.contains("order_notional_max"),
        "{told}"
    );
    fs::write(&config, &text).unwrap();

    let key: PathBuf = venues.path().join("kalshi.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(venues.refused(&order, "0").contains("chmod 600"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    fs::write(venues.path().join("ca.pem"), Authority::new().unwrap().pem).unwrap();
    let told = venues.refused(&["balances"], "0");
    assert!(told.contains("no answer") && told.contains("localhost"), "{told}");
}
