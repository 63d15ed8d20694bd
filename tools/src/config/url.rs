//! Where a venue is reached, and which hosts belong to which environment.

use std::fmt;
use std::net::IpAddr;

use super::Environment;

/// Kalshi's hosts (kalshi.md section 1).
const KALSHI_PROD: &[&str] =
    &["external-api.kalshi.com", "external-api-ws.kalshi.com", "api.elections.kalshi.com"];
const KALSHI_DEMO: &[&str] =
    &["external-api.demo.kalshi.co", "external-api-ws.demo.kalshi.co", "demo-api.kalshi.co"];

/// Polymarket's hosts (polymarket.md section 1). It has no demo venue: demo reads these too, and
/// its orders are paper.
const POLYMARKET: &[&str] = &[
    "clob.polymarket.com",
    "ws-subscriptions-clob.polymarket.com",
    "gamma-api.polymarket.com",
    "polymarket.com",
];

/// `https://` or `wss://`, a host, perhaps a port, and a path without a slash at its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    text: String,
    host: String,
    port: u16,
    /// Where the path starts in `text`.
    path_at: usize,
}

impl Url {
    /// Reads an address.
    ///
    /// # Errors
    /// Says what an address of that scheme looks like.
    pub fn parse(text: &str, scheme: &'static str) -> Result<Url, String> {
        let want = || format!("an address such as {scheme}://host.example/path");
        let text = text.trim_end_matches('/');
        let start = scheme.len() + 3;
        let rest =
            text.strip_prefix(scheme).and_then(|t| t.strip_prefix("://")).ok_or_else(want)?;
        let path_at = start + rest.find('/').unwrap_or(rest.len());
        let (authority, path) = (&text[start..path_at], &text[path_at..]);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._/".contains(&b);
        if !path.bytes().all(plain) {
            return Err(want());
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => {
                (host, port.parse().ok().filter(|port| *port != 0).ok_or_else(want)?)
            }
            _ => (authority, 443),
        };
        let name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let is_v6 = bare.is_some_and(|h| h.parse::<std::net::Ipv6Addr>().is_ok());
        if !is_v6 && (host.is_empty() || !host.bytes().all(name)) {
            return Err(want());
        }
        let host = bare.unwrap_or(host).to_owned();
        Ok(Url { text: text.to_owned(), host, port, path_at })
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host's name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 443 where none is written.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The path from its slash; empty for none.
    pub fn path(&self) -> &str {
        &self.text[self.path_at..]
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// True where Kalshi of this environment, or its simulator, is reached there.
    pub fn is_kalshi(&self, environment: Environment) -> bool {
        match environment {
            Environment::Prod => KALSHI_PROD.contains(&self.host()),
            Environment::Demo => KALSHI_DEMO.contains(&self.host()),
            Environment::Sim => self.is_loopback(),
        }
    }

    /// True where Polymarket, or its simulator, is reached there.
    pub fn is_polymarket(&self, environment: Environment) -> bool {
        match environment {
            Environment::Prod | Environment::Demo => POLYMARKET.contains(&self.host()),
            Environment::Sim => self.is_loopback(),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let url = Url::parse("https://external-api.kalshi.com/trade-api/v2/", "https").unwrap();
        assert_eq!((url.host(), url.port()), ("external-api.kalshi.com", 443));
        assert_eq!(url.path(), "/trade-api/v2");
        let url = Url::parse("wss://[::1]:8443", "wss").unwrap();
        assert_eq!((url.host(), url.port(), url.path()), ("::1", 8443, ""));
        let bad = [
            "http://a",
            "https://",
            "https://a:0",
            "https://a:b",
            "https://a:70000",
            "https://user@a",
            "https://a/b?c",
            "https://a b",
            "https://[::1",
            "https://a:1:2",
        ];
        for text in bad {
            assert!(Url::parse(text, "https").is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_belongs_to_one_environment() {
        let is =
            |text: &str, environment| Url::parse(text, "https").unwrap().is_kalshi(environment);
        assert!(is("https://demo-api.kalshi.co", Environment::Demo));
        assert!(!is("https://demo-api.kalshi.co", Environment::Prod));
        assert!(!is("https://demo-api.kalshi.co.evil.example", Environment::Demo));
        assert!(!is("https://external-api.kalshi.com", Environment::Sim));
        assert!(is("https://localhost:1", Environment::Sim));
        assert!(is("https://127.0.0.1:1", Environment::Sim));
        assert!(!is("https://127.0.0.1.example", Environment::Sim));
    }
}
