//! Sockets against a real TLS server on this machine: what works, and what a hostile peer gets.
#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "common/server.rs"]
mod server;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::thread::spawn;
use std::time::Instant;

use feeds::transport::upgrade::Refused;
use feeds::transport::{Endpoint, Incoming, Stream, WebSocket, WsError};
use mio::{Events, Interest, Poll, Token};
use rustls::{ClientConfig, ServerConfig};
use tungstenite::Message;
use tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};

use server::{Authority, PATIENCE, Socket, Tls, accept, accept_tls, accept_ws, join, listen};

/// Repeats `attempt` whenever the socket is ready for more, until it has an answer.
fn until<S: mio::event::Source, T>(
    socket: &mut S,
    mut attempt: impl FnMut(&mut S) -> Option<T>,
) -> T {
    let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(4));
    poll.registry().register(socket, Token(0), Interest::READABLE | Interest::WRITABLE).unwrap();
    let begin = Instant::now();
    loop {
        if let Some(answer) = attempt(socket) {
            poll.registry().deregister(socket).unwrap();
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "nothing came");
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
    }
}

/// A message that outlives its buffer.
#[derive(PartialEq, Eq, Debug)]
enum Got {
    Opened,
    Text(String),
    Binary(usize),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

fn next(socket: &mut WebSocket) -> Result<Got, WsError> {
    until(socket, |socket| {
        Some(match socket.poll() {
            Ok(None) => return None,
            Ok(Some(incoming)) => Ok(match incoming {
                Incoming::Opened => Got::Opened,
                Incoming::Text(text) => Got::Text(String::from_utf8(text.to_vec()).unwrap()),
                Incoming::Binary(bytes) => Got::Binary(bytes.len()),
                Incoming::Ping(bytes) => Got::Ping(bytes.to_vec()),
                Incoming::Pong(bytes) => Got::Pong(bytes.to_vec()),
            }),
            Err(error) => Err(error),
        })
    })
}

/// A client's first message limit here.
const LIMIT: usize = 1 << 20;

fn open(endpoint: &Endpoint, config: &Arc<ClientConfig>) -> WebSocket {
    let stream = Stream::connect(endpoint, config).unwrap();
    WebSocket::open(stream, &endpoint.authority(), "/ws", b"X-Login: signed\r\n", LIMIT)
}

/// What a client gets after the upgrade from a server that runs `script`.
fn after_upgrade(script: impl FnOnce(Socket) + Send + 'static) -> (WebSocket, impl FnOnce()) {
    let authority = Authority::new();
    let (listener, endpoint) = listen();
    let config = authority.vouch_for("localhost");
    let thread = spawn(move || script(accept_ws(&listener, &config).0));
    let mut socket = open(&endpoint, &authority.client());
    assert_eq!(next(&mut socket).unwrap(), Got::Opened);
    (socket, move || join(thread))
}

/// What a client's handshakes come to at a server that runs `script`.
fn handshake(
    vouched: &str,
    believed: Option<&Authority>,
    script: impl FnOnce(&TcpListener, &Arc<ServerConfig>) + Send + 'static,
) -> WsError {
    let authority = Authority::new();
    let (listener, endpoint) = listen();
    let config = authority.vouch_for(vouched);
    let thread = spawn(move || script(&listener, &config));
    let mut socket = open(&endpoint, &believed.unwrap_or(&authority).client());
    let error = next(&mut socket).unwrap_err();
    assert!(!socket.is_open());
    assert!(matches!(socket.poll(), Err(WsError::Closed { .. })), "it is over");
    join(thread);
    error
}

/// Lets the client speak until it ends the connection.
fn drain(mut stream: impl Read) {
    let mut part = [0; 1_024];
    while matches!(stream.read(&mut part), Ok(1..)) {}
}

fn io_kind(error: &WsError) -> Option<ErrorKind> {
    match error {
        WsError::Io(error) => Some(error.kind()),
        _ => None,
    }
}

#[test]
fn messages_cross_in_both_directions() {
    let (mut socket, end) = after_upgrade(|mut socket| {
        socket.send(Message::text("first")).unwrap();
        socket.send(Message::Ping("heartbeat".into())).unwrap();
        let long = "l".repeat(300_000);
        let (head, tail) = long.split_at(100_000);
        let part = |text: &str, code, last| {
            Message::Frame(Frame::message(text.to_owned(), OpCode::Data(code), last))
        };
        socket.send(part(head, Data::Text, false)).unwrap();
        socket.send(part(tail, Data::Continue, true)).unwrap();
        socket.send(Message::binary(vec![7; 9])).unwrap();
        assert_eq!(socket.read().unwrap(), Message::Pong("heartbeat".into()));
        assert_eq!(socket.read().unwrap(), Message::text("subscribe"));
        assert_eq!(socket.read().unwrap(), Message::Ping("p".into()));
        socket.flush().unwrap();
        assert!(matches!(socket.read().unwrap(), Message::Close(_)));
        drain(socket.get_mut());
    });
    assert_eq!(next(&mut socket).unwrap(), Got::Text("first".into()));
    assert_eq!(next(&mut socket).unwrap(), Got::Ping(b"heartbeat".into()));
    assert_eq!(next(&mut socket).unwrap(), Got::Text("l".repeat(300_000)));
    assert_eq!(next(&mut socket).unwrap(), Got::Binary(9));
    socket.send_text("subscribe").unwrap();
    socket.ping(b"p").unwrap();
    assert_eq!(next(&mut socket).unwrap(), Got::Pong(b"p".into()));
    socket.close();
    assert!(matches!(socket.poll(), Err(WsError::Closed { .. })));
    assert!(matches!(socket.send_text("late"), Err(WsError::NotOpen)));
    end();
}

#[test]
fn what_the_peer_does_not_take_goes_out_later() {
    let (mut socket, end) = after_upgrade(|mut socket| {
        for n in 0..400u32 {
            let text = socket.read().unwrap().into_text().unwrap();
            assert_eq!(text.as_str(), n.to_string().repeat(4_000), "message {n}");
        }
        socket.send(Message::text("all")).unwrap();
    });
    for n in 0..400u32 {
        socket.send_text(&n.to_string().repeat(4_000)).unwrap();
    }
    assert_eq!(next(&mut socket).unwrap(), Got::Text("all".into()));
    end();
}

#[test]
fn the_request_carries_the_callers_headers() {
    let authority = Authority::new();
    let (listener, endpoint) = listen();
    let config = authority.vouch_for("localhost");
    let thread = spawn(move || accept_ws(&listener, &config).1);
    let mut socket = open(&endpoint, &authority.client());
    assert_eq!(next(&mut socket).unwrap(), Got::Opened);
    let request = join(thread);
    assert!(request.starts_with("GET /ws HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nHost: {}\r\n", endpoint.authority())), "{request}");
    assert!(request.contains("\r\nX-Login: signed\r\n"), "{request}");
}

#[test]
fn only_the_right_certificate_opens_a_connection() {
    // It calls itself as ours does, and has another key.
    let stranger = Authority::new();
    let tries: [(&str, Option<&Authority>, &str); 2] =
        [("localhost", Some(&stranger), "BadSignature"), ("elsewhere", None, "not valid for name")];
    for (vouched, believed, want) in tries {
        let error = handshake(vouched, believed, |listener, config| {
            let mut tls = accept_tls(listener, config);
            assert!(tls.flush().and_then(|()| tls.read(&mut [0])).is_err());
        });
        assert_eq!(io_kind(&error), Some(ErrorKind::InvalidData), "{error}");
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[test]
fn a_peer_that_is_no_tls_server_is_an_error() {
    let answers: [&[u8]; 3] = [b"HTTP/1.1 400 Bad Request\r\n\r\n", &[0x16; 4_000], b""];
    for answer in answers {
        let error = handshake("localhost", None, move |listener, _| {
            let mut tcp = accept(listener);
            tcp.read_exact(&mut [0; 16]).unwrap();
            tcp.write_all(answer).unwrap();
            tcp.shutdown(Shutdown::Write).unwrap();
            drain(tcp);
        });
        let kind = io_kind(&error).unwrap_or_else(|| panic!("{error}"));
        let want = [ErrorKind::InvalidData, ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
        assert!(want.contains(&kind), "{error}");
    }
}

#[test]
fn a_closed_port_is_an_error() {
    let (listener, endpoint) = listen();
    drop(listener);
    let mut socket = open(&endpoint, &Authority::new().client());
    let error = next(&mut socket).unwrap_err();
    assert_eq!(io_kind(&error), Some(ErrorKind::ConnectionRefused), "{error}");
}

#[test]
fn an_answer_that_does_not_upgrade_is_an_error() {
    let refused = |answer: &'static [u8]| {
        handshake("localhost", None, move |listener, config| {
            let mut tls = accept_tls(listener, config);
            tls.read_exact(&mut [0; 16]).unwrap();
            tls.write_all(answer).unwrap();
            tls.conn.send_close_notify();
            tls.flush().unwrap();
            drain(tls);
        })
    };
    let error = refused(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    let status = Refused::Status { status: 401, retry_after_s: None };
    assert!(matches!(error, WsError::Refused(refused) if refused == status), "{error}");
    assert!(matches!(refused(b"\0\0\0\0\r\n\r\n"), WsError::Refused(Refused::NotHttp)));
    assert_eq!(io_kind(&refused(b"HTTP/1.1 101 Swit")), Some(ErrorKind::UnexpectedEof));
}

/// What a client gets of raw bytes where a frame should be.
fn after_bytes(bytes: Vec<u8>, end: fn(&mut Tls)) -> WsError {
    let (mut socket, joined) = after_upgrade(move |mut socket| {
        let tls = socket.get_mut();
        tls.write_all(&bytes).unwrap();
        tls.flush().unwrap();
        end(tls);
        drain(tls);
    });
    let error = loop {
        match next(&mut socket) {
            Ok(Got::Text(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    drop(socket);
    joined();
    error
}

#[test]
fn broken_frames_end_the_connection() {
    let stay: fn(&mut Tls) = |_| {};
    let too_long = [&[0x81, 127][..], &(LIMIT as u64 + 1).to_be_bytes()].concat();
    assert!(matches!(after_bytes(too_long, stay), WsError::TooLong));
    assert!(matches!(after_bytes(vec![0x81, 2, 0xff, 0xfe], stay), WsError::NotUtf8));
    let broken: [&[u8]; 6] = [
        &[0xC1, 0],                // compressed, which was never offered
        &[0x83, 0],                // an opcode that is reserved
        &[0x80, 0],                // goes on with nothing
        &[0x01, 0, 0x81, 0],       // begins anew before the end
        &[0x89, 126, 0, 126],      // a long ping
        &[0x81, 0x80, 1, 2, 3, 4], // masked by a server
    ];
    for bytes in broken {
        let bytes = if bytes[0] == 0x89 { [bytes, &[0; 126]].concat() } else { bytes.to_vec() };
        let error = after_bytes(bytes, stay);
        assert!(matches!(error, WsError::Protocol(_)), "{error}");
    }
    // Fragments that are too long together.
    let part = |first: u8| {
        [&[first, 127][..], &(LIMIT as u64 / 2).to_be_bytes(), &vec![b'x'; LIMIT / 2]].concat()
    };
    let parts = [part(0x01), part(0x00), part(0x00)].concat();
    assert!(matches!(after_bytes(parts, stay), WsError::TooLong));
}

#[test]
fn an_end_in_the_middle_is_an_error() {
    let ends: [fn(&mut Tls); 3] = [
        |tls| tls.sock.shutdown(Shutdown::Both).unwrap(), // no goodbye at all
        |tls| tls.sock.shutdown(Shutdown::Write).unwrap(), // half
        |tls| {
            tls.conn.send_close_notify();
            tls.flush().unwrap();
        },
    ];
    for end in ends {
        for bytes in [vec![0x81, 1, b'a'], vec![0x81, 9, b'a']] {
            let error = after_bytes(bytes, end);
            let eof = io_kind(&error) == Some(ErrorKind::UnexpectedEof);
            assert!(eof || matches!(error, WsError::Protocol(_)), "{error}");
        }
    }
}

#[test]
fn bytes_that_are_no_tls_record_are_an_error() {
    let (mut socket, end) = after_upgrade(|mut socket| {
        assert_eq!(socket.read().unwrap(), Message::text("go"));
        socket.get_mut().sock.write_all(&[0x47; 64]).unwrap();
        drain(socket.get_mut());
    });
    socket.send_text("go").unwrap();
    let error = next(&mut socket).unwrap_err();
    assert_eq!(io_kind(&error), Some(ErrorKind::InvalidData), "{error}");
    drop(socket);
    end();
}

#[test]
fn a_closing_peer_gives_its_reason() {
    let (mut socket, end) = after_upgrade(|mut socket| {
        let frame =
            tungstenite::protocol::CloseFrame { code: 1012.into(), reason: "restart".into() };
        socket.close(Some(frame)).unwrap();
        assert!(matches!(socket.read().unwrap(), Message::Close(Some(_))), "it is answered");
    });
    let error = next(&mut socket).unwrap_err();
    assert!(matches!(error, WsError::Closed { code: Some(1012) }), "{error}");
    end();
}

#[test]
fn a_stream_carries_bytes_and_says_what_waits() {
    let authority = Authority::new();
    let (listener, endpoint) = listen();
    let config = authority.vouch_for("localhost");
    let thread = spawn(move || {
        let mut tls = accept_tls(&listener, &config);
        let mut all = Vec::new();
        tls.read_to_end(&mut all).unwrap();
        all
    });
    let mut stream = Stream::connect(&endpoint, &authority.client()).unwrap();
    assert!(!stream.is_ready());
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    until(&mut stream, |stream| stream.drive().unwrap().then_some(()));
    let mut sent = 0u32;
    // Nobody has to read before the server's buffers are full.
    while sent < 200_000 {
        match stream.write(&sent.to_be_bytes()) {
            Ok(len) => {
                assert_eq!(len, 4);
                sent += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                assert!(stream.is_writing());
                until(&mut stream, |stream| stream.flush().ok());
            }
        }
    }
    until(&mut stream, |stream| stream.flush().ok());
    assert!(!stream.is_writing());
    stream.close();
    let want: Vec<u8> = (0..sent).flat_map(u32::to_be_bytes).collect();
    assert!(join(thread) == want, "bytes arrive in order");
}
