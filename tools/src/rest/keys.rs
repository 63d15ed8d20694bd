//! Configured keys -> signers. What is read here goes nowhere else.

use std::fmt;
use std::str;

use engine::units::Usd;
use exec::sign::address::Address;
use exec::sign::kalshi::KalshiSigner;
use exec::sign::key::{KalshiKey, PolymarketKey, read_key_file};
use exec::sign::l2::ApiCredentials;
use exec::sign::order::WalletKind;
use exec::sign::polymarket::{Chain, PolymarketSigner, Wallet};

use crate::config::{Config, WalletKey};

/// A key that cannot be used: where it is, and why. Never any part of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyProblem(pub String);

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyProblem {}

/// Random bytes of the operating system, for salts.
///
/// # Errors
/// Where it has none.
pub fn seed() -> Result<[u8; 32], KeyProblem> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| KeyProblem(format!("random bytes: {error}")))?;
    Ok(seed)
}

/// The configured signer for Kalshi; `None` where no key is configured.
///
/// # Errors
/// Names the file.
pub fn kalshi(config: &Config) -> Result<Option<KalshiSigner>, KeyProblem> {
    let Some(configured) = &config.kalshi.key else { return Ok(None) };
    let place = configured.file.display();
    let text = read_key_file(&configured.file).map_err(|error| KeyProblem(error.to_string()))?;
    let key = KalshiKey::from_pem(&text).map_err(|e| KeyProblem(format!("{place}: {e}")))?;
    KalshiSigner::new(key, &configured.id, seed()?)
        .map(Some)
        .map_err(|error| KeyProblem(format!("kalshi.key_id: {error}")))
}

/// The configured signer for Polymarket; `None` where no key is configured. It signs no order that
/// gives more than the configured limit of an order.
///
/// # Errors
/// Names the file or the variable.
pub fn polymarket(config: &Config) -> Result<Option<PolymarketSigner>, KeyProblem> {
    let of = |place: &dyn fmt::Display, reason: &dyn fmt::Display| {
        KeyProblem(format!("{place}: {reason}"))
    };
    let key = match &config.polymarket.key {
        None => return Ok(None),
        Some(WalletKey::Text(text)) => PolymarketKey::from_hex(text.expose())
            .map_err(|error| of(&"POLY_PRIVATE_KEY", &error))?,
        Some(WalletKey::File(path)) => {
            let bytes = read_key_file(path).map_err(|error| KeyProblem(error.to_string()))?;
            let text = str::from_utf8(&bytes).map_err(|_| of(&path.display(), &"is no text"))?;
            PolymarketKey::from_hex(text).map_err(|error| of(&path.display(), &error))?
        }
    };
    let number = config.polymarket.signature_type;
    let kind = WalletKind::from_number(number)
        .ok_or_else(|| of(&"polymarket.signature_type", &"from 0 to 3"))?;
    let funder = config.polymarket.funder.as_deref().and_then(Address::parse);
    let cost_max = config.limits.order_notional_max.unwrap_or(Usd::new(i64::MAX));
    PolymarketSigner::new(key, Chain::Polygon, Wallet { kind, funder }, cost_max)
        .map(Some)
        .map_err(|error| of(&"polymarket.funder", &error))
}

/// The configured L2 credentials of Polymarket; `None` where they are to be derived.
///
/// # Errors
/// Says which part is wrong.
pub fn credentials(config: &Config) -> Result<Option<ApiCredentials>, KeyProblem> {
    let Some(given) = &config.polymarket.credentials else { return Ok(None) };
    let (key, secret) = (given.key.expose(), given.secret.expose());
    ApiCredentials::new(key, secret, given.passphrase.expose())
        .map(Some)
        .map_err(|error| KeyProblem(error.to_string()))
}
