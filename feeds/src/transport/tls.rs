//! Whom we believe. A certificate is always verified; there is no way to switch that off.

use core::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The authorities that may vouch for a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Roots<'a> {
    /// Those that browsers trust.
    Public,
    /// Those, and the certificates of a PEM text.
    PublicAnd(&'a [u8]),
    /// The certificates of a PEM text alone: simulated venues.
    Only(&'a [u8]),
}

/// Why there is no configuration.
#[derive(Clone, PartialEq, Debug)]
pub enum TlsError {
    /// The text is not PEM, or has no certificate.
    Pem(&'static str),
    /// A certificate cannot be an authority, or the library refuses its own defaults.
    Tls(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Pem(what) => write!(f, "certificate authorities: {what}"),
            TlsError::Tls(error) => write!(f, "certificate authorities: {error}"),
        }
    }
}

impl core::error::Error for TlsError {}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> TlsError {
        TlsError::Tls(error)
    }
}

/// TLS 1.2 and 1.3 by aws-lc-rs, HTTP/1.1, sessions resumed where the host allows it.
pub fn client_config(roots: Roots<'_>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut store = RootCertStore::empty();
    if !matches!(roots, Roots::Only(_)) {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Roots::PublicAnd(pem) | Roots::Only(pem) = roots {
        let before = store.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            store.add(certificate.map_err(|_| TlsError::Pem("the text is not PEM"))?)?;
        }
        if store.len() == before {
            return Err(TlsError::Pem("the text has no certificate"));
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_without_a_certificate_are_refused() {
        assert!(client_config(Roots::Public).is_ok());
        for pem in [&b""[..], b"nothing", b"-----BEGIN CERTIFICATE-----\n%%%"] {
            for roots in [Roots::Only(pem), Roots::PublicAnd(pem)] {
                assert!(matches!(client_config(roots), Err(TlsError::Pem(_))), "{roots:?}");
            }
        }
    }
}
