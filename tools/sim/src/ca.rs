//! A certificate authority made at start: clients trust its certificate, and its key lives in
//! memory alone.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The names that a server certificate holds for: this host by name and by address.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// What a server needs, and what its clients need to trust it.
pub struct Authority {
    /// The authority's certificate as PEM, for clients.
    pub pem: String,
    /// How the servers speak TLS.
    pub server: Arc<ServerConfig>,
}

impl Authority {
    /// A new authority, and a certificate by it for `localhost` and `127.0.0.1`.
    ///
    /// # Errors
    /// Where the keys or certificates cannot be made.
    pub fn new() -> io::Result<Authority> {
        let (mut ca, ca_key) = (params(&[])?, KeyPair::generate().map_err(io::Error::other)?);
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.distinguished_name.push(DnType::CommonName, "Parallax simulated venues");
        let ca_certificate = ca.self_signed(&ca_key).map_err(io::Error::other)?;
        let issuer = Issuer::new(ca, ca_key);

        let (mut leaf, leaf_key) =
            (params(&NAMES)?, KeyPair::generate().map_err(io::Error::other)?);
        leaf.distinguished_name.push(DnType::CommonName, NAMES[0]);
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = leaf.signed_by(&leaf_key, &issuer).map_err(io::Error::other)?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(io::Error::other)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Authority { pem: ca_certificate.pem(), server: Arc::new(server) })
    }
}

/// Parameters without a name, valid for a century: the files live as long as a simulation.
fn params(names: &[&str]) -> io::Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2126, 1, 1);
    Ok(params)
}
