//! `parallax sim` as a process: it says when it is ready, dies with its parent, and a killed one
//! goes on where it was.
#![allow(clippy::unwrap_used)] // the helpers of tests, too

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

struct Sim {
    child: Child,
    ready: Value,
}

impl Sim {
    fn start(args: &[&str]) -> Sim {
        let mut child = Command::new(env!("CARGO_BIN_EXE_parallax"))
            .args(["sim", "both", "--until-stdin-closes", "--for", "60"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        assert_eq!(ready["ready"], json!(true));
        Sim { child, ready }
    }

    /// Asks for something that is answered with `status`.
    fn ask(
        &self,
        venue: &str,
        request: &str,
        headers: &[(&str, &str)],
        body: &Value,
        status: u16,
    ) -> Value {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_file(self.ready["ca"].as_str().unwrap()).unwrap();
        roots.add(ca).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let port = self.ready[venue]["port"].as_u64().unwrap() as u16;
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut tls = StreamOwned::new(tls, socket);
        let mut text = format!("{request} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = body.to_string();
        write!(
            tls,
            "{text}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        tls.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        serde_json::from_str(body).unwrap()
    }

    fn admin(&self, request: &str, body: &Value) -> Value {
        let token = self.ready["admin_token"].as_str().unwrap();
        self.ask("polymarket", request, &[("x-sim-token", token)], body, 200)
    }

    /// A market of shard 0.
    fn ticker(&self) -> String {
        let pairs = parallax::pairs::load(&[self.ready["pairs"].as_str().unwrap()]).unwrap();
        pairs.pairs[0].kalshi.ticker.clone()
    }

    /// Buys a contract on Kalshi at up to 99 cents.
    fn buy(&self, client_order_id: &str, status: u16) -> Value {
        let path = "/trade-api/v2/portfolio/events/orders";
        let pem = fs::read_to_string(self.ready["kalshi"]["key_file"].as_str().unwrap()).unwrap();
        let key = SigningKey::from_pkcs8_pem(&pem).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().to_string();
        let signature = STANDARD.encode(key.sign(format!("{now}POST{path}").as_bytes()).to_bytes());
        let headers = [
            ("KALSHI-ACCESS-KEY", self.ready["kalshi"]["key_id"].as_str().unwrap()),
            ("KALSHI-ACCESS-TIMESTAMP", &now),
            ("KALSHI-ACCESS-SIGNATURE", &signature),
        ];
        let order = json!({
            "ticker": self.ticker(),
            "client_order_id": client_order_id,
            "side": "bid",
            "count": "1.00",
            "price": "0.9900",
            "time_in_force": "immediate_or_cancel",
            "self_trade_prevention_type": "taker_at_cross",
            "exchange_index": 0,
        });
        self.ask("kalshi", &format!("POST {path}"), &headers, &order, status)
    }

    /// Ends it as a parent's death would.
    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_simulation_is_described_killed_and_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let sim = Sim::start(&["--dir", path, "--seed", "5", "--signature-type", "3"]);
    let pairs = parallax::pairs::load(&[dir.path().join("pairs.toml")]).unwrap();
    assert_eq!(pairs.pairs.len(), 6);
    let env = read(dir.path(), "sim.env");
    assert!(env.contains("POLY_SIGNATURE_TYPE=3\n"), "{env}");
    let secret = env.lines().find_map(|line| line.strip_prefix("POLY_PRIVATE_KEY=0x")).unwrap();
    for name in ["sim.json", "journal.jsonl", "pairs.toml"] {
        assert!(!read(dir.path(), name).contains(secret), "{name} tells the key");
    }
    assert!(!sim.ready.to_string().contains(secret));

    assert_eq!(sim.buy("mine-1", 201)["fill_count"], json!("1.00"));
    sim.admin("POST /sim/settle", &json!({ "market": 2, "outcome": "yes" }));
    let before = sim.admin("GET /sim/ledger", &json!({}));
    let account = &before["venues"]["kalshi"]["accounts"][0];
    assert_eq!(account["fills"].as_array().unwrap().len(), 1, "{account}");
    let mut killed = sim;
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();

    let sim = Sim::start(&["--resume", path]);
    assert_eq!(sim.ready["kalshi"]["key_id"], killed.ready["kalshi"]["key_id"]);
    let after = sim.admin("GET /sim/ledger", &json!({}));
    assert_eq!(after["settled"], before["settled"]);
    assert_eq!(after["venues"], before["venues"]);
    sim.buy("mine-1", 409);
    sim.buy("mine-2", 201);
    let before = sim.admin("GET /sim/ledger", &json!({}));
    sim.end();
    let last: Value = serde_json::from_str(&read(dir.path(), "ledger.json")).unwrap();
    assert_eq!(last["venues"], before["venues"]);
}
