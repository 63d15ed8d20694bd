//! Configuration and keys -> clients of both venues.

use engine::units::Usd;
use exec::sign::l2::ApiCredentials;
use exec::sign::polymarket::PolymarketSigner;

use super::AccountError;
use crate::config::Config;
use crate::rest::kalshi::KalshiRest;
use crate::rest::polymarket::PolymarketRest;
use crate::rest::{Agent, keys, patiently};

/// Clients of both venues, logged in where there is a key.
pub struct Session {
    /// Kalshi.
    pub kalshi: KalshiRest,
    /// True where Kalshi's private requests can be signed.
    pub has_kalshi: bool,
    /// Polymarket.
    pub polymarket: PolymarketRest,
    /// The wallet on Polymarket.
    pub wallet: Option<PolymarketSigner>,
}

impl Session {
    /// Reads the keys, and logs in at Polymarket where there is a wallet.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn open(config: &Config) -> Result<Session, AccountError> {
        let mut session = Session::signing(config)?;
        if let Some(wallet) = &mut session.wallet {
            session.polymarket.log_in(wallet, keys::credentials(config)?)?;
        }
        Ok(session)
    }

    /// The same at a start: where Polymarket is busy or silent, it is asked again for some seconds.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn open_patiently(config: &Config) -> Result<Session, AccountError> {
        let mut session = Session::signing(config)?;
        if let Some(wallet) = &mut session.wallet {
            let credentials = credentials(config, &mut session.polymarket, wallet)?;
            session.polymarket.log_in(wallet, Some(credentials))?;
        }
        Ok(session)
    }

    /// Reads the keys and asks nobody: public requests and Kalshi's private ones are possible.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn signing(config: &Config) -> Result<Session, AccountError> {
        let agent = Agent::new(config.ca_file.as_deref())?;
        let signer = keys::kalshi(config)?;
        let has_kalshi = signer.is_some();
        Ok(Session {
            kalshi: KalshiRest::new(&config.kalshi, agent.clone(), signer),
            has_kalshi,
            polymarket: PolymarketRest::new(&config.polymarket, agent),
            wallet: keys::polymarket(config)?,
        })
    }

    /// Money on both venues, each by [`engine::units::Venue::index`]. An order on Kalshi needs it
    /// on its market's shard: [`KalshiRest::balance`] has them apart.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn cash(&mut self) -> Result<[Usd; 2], AccountError> {
        Ok([self.kalshi.balance()?.total, self.polymarket.balance()?])
    }
}

/// What signs the private requests of a wallet: what is configured, or else what Polymarket gives it,
/// asked again for some seconds where it is busy or silent.
///
/// # Errors
/// [`AccountError`].
pub fn credentials(
    config: &Config,
    polymarket: &mut PolymarketRest,
    wallet: &mut PolymarketSigner,
) -> Result<ApiCredentials, AccountError> {
    match keys::credentials(config)? {
        Some(given) => Ok(given),
        None => Ok(patiently(|| polymarket.credentials(wallet))?),
    }
}
