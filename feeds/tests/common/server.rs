//! A TLS server of one test: an authority made at start, and a thread a connection.
#![allow(clippy::unwrap_used)] // helpers of tests
#![allow(dead_code)] // each test file uses its part

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use feeds::transport::{Endpoint, Roots, tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, ServerConfig, ServerConnection, StreamOwned};

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The server's end of a TLS connection.
pub type Tls = StreamOwned<ServerConnection, TcpStream>;
/// The server's end of a WebSocket.
pub type Socket = tungstenite::WebSocket<Tls>;

/// A certificate authority.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// A server's configuration with a certificate for that name.
    pub fn vouch_for(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Arc::new(config)
    }

    /// A client's configuration that believes this authority alone.
    pub fn client(&self) -> Arc<ClientConfig> {
        tls::client_config(Roots::Only(self.pem.as_bytes())).unwrap()
    }
}

/// A port of this machine, not served yet.
pub fn listen() -> (TcpListener, Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr: SocketAddr = listener.local_addr().unwrap();
    (listener, Endpoint::at("localhost", addr.port(), vec![addr]).unwrap())
}

/// The next connection, in the clear.
pub fn accept(listener: &TcpListener) -> TcpStream {
    let (tcp, _) = listener.accept().unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}

/// The next connection, under TLS; the handshake comes with the first read or write.
pub fn accept_tls(listener: &TcpListener, config: &Arc<ServerConfig>) -> Tls {
    let tcp = accept(listener);
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), tcp)
}

/// The next connection, upgraded, and the head of the request for that.
pub fn accept_ws(listener: &TcpListener, config: &Arc<ServerConfig>) -> (Socket, String) {
    let mut tls = accept_tls(listener, config);
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    write!(
        tls,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .unwrap();
    tls.flush().unwrap();
    (
        tungstenite::WebSocket::from_raw_socket(tls, tungstenite::protocol::Role::Server, None),
        request,
    )
}

/// Ends a server's thread and shows its panic as ours.
pub fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
