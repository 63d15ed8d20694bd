use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::units::Ns;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;

use super::*;
use crate::ca::Authority;
use crate::fault::Level;
use crate::world::tests::{START, TOKEN, world};

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A world of two shops behind a front, served by a thread until dropped.
struct Running {
    addrs: [SocketAddr; 2],
    config: Arc<ClientConfig>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    fn start() -> Running {
        let authority = Authority::new().unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listeners: Vec<TcpListener> =
            (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addrs = [0, 1].map(|site: usize| listeners[site].local_addr().unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let listeners = listeners.into_iter().map(|l| (l, Arc::clone(&authority.server)));
            let mut server = Server::new(listeners.collect()).unwrap();
            let mut world = world(Level::None, 0);
            let start = Instant::now();
            let clock = || START.after(Ns(start.elapsed().as_nanos() as u64));
            let stop = |_| stopped.load(Ordering::Relaxed);
            server.run(&mut world, Idle::default(), clock, stop).unwrap();
        });
        Running { addrs, config: Arc::new(config), stop, thread: Some(thread) }
    }

    fn connect(&self, site: usize) -> Tls {
        let socket = TcpStream::connect(self.addrs[site]).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&self.config), name).unwrap(), socket)
    }

    fn websocket(&self) -> tungstenite::WebSocket<Tls> {
        let mut request = "wss://localhost/ws".into_client_request().unwrap();
        request.headers_mut().insert("key", "right".parse().unwrap());
        tungstenite::client(request, self.connect(0)).unwrap().0
    }

    fn admin(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, body) = ask(
            &mut self.connect(1),
            &format!(
                "{method} {path} HTTP/1.1\r\nx-sim-token: {TOKEN}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap();
        }
    }
}

fn ask(tls: &mut Tls, request: &str) -> (u16, Vec<u8>) {
    tls.write_all(request.as_bytes()).unwrap();
    answer(tls)
}

/// One answer, read to its end and no further.
fn answer(tls: &mut Tls) -> (u16, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    tls.read_exact(&mut body).unwrap();
    (status, body)
}

fn text(socket: &mut tungstenite::WebSocket<Tls>) -> String {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) if !text.contains("orderbook_delta") => return text.to_string(),
            _ => {}
        }
    }
}

#[test]
fn requests_that_come_together_are_answered_in_order() {
    let running = Running::start();
    let mut tls = running.connect(0);
    let mut requests = String::new();
    for n in 0..20 {
        requests.push_str(&format!("GET /x?{n} HTTP/1.1\r\n\r\n"));
    }
    let long = "GET /long HTTP/1.1\r\n\r\n";
    let last = "POST /y HTTP/1.1\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    tls.write_all(format!("{requests}{long}{last}").as_bytes()).unwrap();
    for n in 0..20 {
        assert_eq!(answer(&mut tls), (200, n.to_string().into_bytes()));
    }
    assert_eq!(answer(&mut tls).1.len(), 3_000_000, "longer than any buffer");
    assert_eq!(answer(&mut tls), (201, b"abc".to_vec()));
    assert_eq!(tls.read(&mut [0]).unwrap(), 0, "closed, as it was asked to");
}

#[test]
fn what_is_no_request_is_refused_and_the_others_are_served() {
    let running = Running::start();
    assert_eq!(ask(&mut running.connect(0), "nonsense\r\n\r\n").0, 400);
    let long = "POST / HTTP/1.1\r\ncontent-length: 9999999\r\n\r\n";
    assert_eq!(ask(&mut running.connect(0), long).0, 413);
    let mut plain = TcpStream::connect(running.addrs[0]).unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut said = Vec::new();
    // An alert of TLS and the end, or a reset.
    let _ = plain.read_to_end(&mut said);
    assert!(!said.starts_with(b"HTTP"));
    assert_eq!(ask(&mut running.connect(0), "GET /x?1 HTTP/1.1\r\n\r\n").0, 200);
}

#[test]
fn a_websocket_is_opened_heard_pinged_and_closed() {
    let running = Running::start();
    let refused = tungstenite::client("wss://localhost/ws", running.connect(0));
    assert!(format!("{:?}", refused.err().unwrap()).contains("401"));
    let mut socket = running.websocket();
    assert_eq!(text(&mut socket), "hello", "what the venue says first comes after the upgrade");
    socket.send(Message::text("echo")).unwrap();
    assert_eq!(text(&mut socket), "echo");
    socket.send(Message::Ping("body".into())).unwrap();
    socket.send(Message::text("ping me")).unwrap();
    let (mut pong, mut ping) = (false, false);
    while !(pong && ping) {
        match socket.read().unwrap() {
            Message::Pong(body) => pong = &body[..] == b"body",
            Message::Ping(body) => ping = &body[..] == b"beat",
            _ => {}
        }
    }
    assert_eq!(running.admin("GET", "/sim/ledger", "")["venues"]["kalshi"]["clients"], 1);
    socket.send(Message::text("hang up")).unwrap();
    while socket.read().is_ok() {}
    assert_eq!(running.admin("GET", "/sim/ledger", "")["venues"]["kalshi"]["clients"], 0);
}

#[test]
fn an_order_is_told_to_websockets_of_its_venue() {
    let running = Running::start();
    let mut socket = running.websocket();
    assert_eq!(text(&mut socket), "hello");
    let order = "POST /order HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(ask(&mut running.connect(0), order), (201, b"{}".to_vec()));
    assert_eq!(text(&mut socket), "{\"type\":\"fill\",\"order\":1}");
}

#[test]
fn who_reads_too_slowly_is_cut_off() {
    let running = Running::start();
    let mut socket = running.websocket();
    socket.send(Message::text("flood")).unwrap();
    let clients = || running.admin("GET", "/sim/ledger", "")["venues"]["kalshi"]["clients"].clone();
    let start = Instant::now();
    while clients() != 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "still connected");
        std::thread::yield_now();
    }
}

#[test]
fn ordered_faults_break_what_they_are_meant_to() {
    let running = Running::start();
    let arm = |kind: &str| {
        let body = format!("{{\"venue\":\"kalshi\",\"kind\":\"{kind}\",\"ms\":100}}");
        running.admin("POST", "/sim/fault", &body);
    };
    for kind in ["drop", "reset_mid_frame"] {
        let mut socket = running.websocket();
        arm(kind);
        assert_eq!(text(&mut socket), "hello", "{kind}");
        // A frame that never becomes whole is never given out.
        while let Ok(message) = socket.read() {
            let Message::Text(text) = message else { panic!("{kind}: {message:?}") };
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{kind}: {text}");
        }
    }
    let order = "POST /order HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}";
    let mut tls = running.connect(0);
    assert_eq!(ask(&mut tls, order).0, 201);
    arm("reply_lost");
    tls.write_all(order.as_bytes()).unwrap();
    assert_ne!(tls.read(&mut [0]).unwrap_or(0), 1, "no answer");
    assert_eq!(
        running.admin("GET", "/sim/ledger", "")["venues"]["kalshi"]["orders"],
        2,
        "processed"
    );
    arm("slow_reply");
    let start = Instant::now();
    assert_eq!(ask(&mut running.connect(0), order).0, 201);
    assert!(start.elapsed() >= Duration::from_millis(100));
    arm("mute");
    let mut silent = running.connect(0);
    silent.sock.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    silent.write_all(order.as_bytes()).unwrap();
    let error = silent.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "neither an answer nor an end");
    assert_eq!(ask(&mut running.connect(0), order).0, 201, "the next one is served");
}
