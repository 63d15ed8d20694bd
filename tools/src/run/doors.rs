//! Where the venues are and who we are there: addresses resolved, authorities read, keys loaded.

use std::path::Path;
use std::sync::Arc;

use engine::tile::Now;
use exec::sign::kalshi::KalshiSigner;
use exec::sign::stamps::{Lane, Stamps};
use feeds::live::Login;
use feeds::live::line::Door;
use feeds::transport::endpoint::Endpoint;
use feeds::transport::tls::{Roots, client_config};

use crate::config::{Config, Environment};

/// The TLS client that the configuration's environment asks for.
///
/// # Errors
/// Where the authorities of the simulated venues cannot be read.
pub fn tls(config: &Config) -> Result<Arc<rustls::ClientConfig>, String> {
    let made = match (&config.ca_file, config.environment) {
        (Some(path), Environment::Sim) => client_config(Roots::Only(&read(path)?)),
        _ => client_config(Roots::Public),
    };
    made.map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The host of a URL, resolved.
///
/// # Errors
/// Where the resolver knows no such host.
pub fn endpoint(url: &crate::config::Url) -> Result<Endpoint, String> {
    let (host, port) = (url.host(), url.port());
    Endpoint::resolve(host, port).map_err(|error| format!("{host}:{port}: {error}"))
}

/// A WebSocket's door.
///
/// # Errors
/// As [`endpoint`].
pub fn door(
    url: &crate::config::Url,
    path: &str,
    tls: &Arc<rustls::ClientConfig>,
) -> Result<Door, String> {
    Ok(Door {
        endpoint: endpoint(url)?,
        path: path.to_owned(),
        tls: Arc::clone(tls),
        busy_poll_us: None,
    })
}

/// Kalshi's login: a header signed when a connection is dialled, which is rare.
pub struct KalshiLogin {
    signer: KalshiSigner,
    stamps: Stamps,
}

impl KalshiLogin {
    /// Logs in with this key.
    pub fn new(signer: KalshiSigner, lane: Lane) -> KalshiLogin {
        KalshiLogin { signer, stamps: Stamps::new(lane) }
    }
}

impl Login for KalshiLogin {
    fn headers(&mut self, now: Now, to: &mut Vec<u8>) -> bool {
        let Some(stamp) = self.stamps.now(now.wall) else { return false };
        self.signer.login(stamp).write(to);
        true
    }
}
