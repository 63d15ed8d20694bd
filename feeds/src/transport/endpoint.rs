//! Where a venue listens.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use rustls::pki_types::ServerName;

/// The port that a `Host` header leaves out.
const HTTPS: u16 = 443;

/// A host, the name that its certificate must carry, and the addresses to try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// The host as URLs have it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The name that the certificate must carry.
    pub server_name: ServerName<'static>,
    /// Addresses in the order in which they are tried; never empty.
    pub addrs: Vec<SocketAddr>,
}

impl Endpoint {
    /// Asks the resolver for the host's addresses. Blocks: for start-up and cold threads.
    pub fn resolve(host: &str, port: u16) -> io::Result<Endpoint> {
        let addrs = (host, port).to_socket_addrs()?.collect();
        Endpoint::at(host, port, addrs)
    }

    /// A host at known addresses.
    pub fn at(host: &str, port: u16, addrs: Vec<SocketAddr>) -> io::Result<Endpoint> {
        let invalid = |text| io::Error::new(io::ErrorKind::InvalidInput, text);
        let server_name = ServerName::try_from(host.to_owned())
            .map_err(|_| invalid(format!("{host}: neither a DNS name nor an IP address")))?;
        if addrs.is_empty() {
            return Err(invalid(format!("{host}: the resolver knows no address of it")));
        }
        Ok(Endpoint { host: host.to_owned(), port, server_name, addrs })
    }

    /// What a `Host` header says.
    pub fn authority(&self) -> String {
        if self.port == HTTPS { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// The address of the `attempt`-th try: all of them in turn.
    pub fn addr(&self, attempt: usize) -> Option<SocketAddr> {
        self.addrs.get(attempt % self.addrs.len().max(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_name_and_an_address() {
        let addr: SocketAddr = "127.0.0.1:8443".parse().unwrap();
        let other: SocketAddr = "127.0.0.2:8443".parse().unwrap();
        let local = Endpoint::at("localhost", 8443, vec![addr, other]).unwrap();
        assert_eq!(local.authority(), "localhost:8443");
        assert_eq!([0, 1, 2].map(|n| local.addr(n)), [Some(addr), Some(other), Some(addr)]);
        assert_eq!(Endpoint::at("a.example", 443, vec![addr]).unwrap().authority(), "a.example");
        assert!(Endpoint::at("no name", 443, vec![addr]).is_err());
        assert!(Endpoint::at("localhost", 443, Vec::new()).is_err());
    }
}
