//! A member: keys, money on each shard, positions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine::units::{Ns, Usd};

use super::auth::PublicKey;
use super::limits::{Limits, Tier};
use super::position::Position;
use super::text::uuid;
use crate::universe::KalshiAccount;

/// A member of the venue.
pub struct Account {
    /// `KALSHI-ACCESS-KEY`.
    pub key_id: String,
    /// `user_id`.
    pub user_id: String,
    /// `None` where the PEM was none: every signature is wrong then.
    pub key: Option<PublicKey>,
    /// Money on each shard, with what is reserved.
    pub cash: BTreeMap<u32, Usd>,
    /// What resting orders keep on each shard.
    pub reserved: BTreeMap<u32, Usd>,
    /// The grid of its balance.
    pub grid: Usd,
    /// By the market's number.
    pub positions: BTreeMap<usize, Position>,
    /// Its orders that rest, by number.
    pub resting: BTreeSet<usize>,
    /// Every client order id that was ever taken, and how many orders it got.
    pub client_ids: HashMap<String, u32>,
    /// What it may still ask.
    pub limits: Limits,
}

impl Account {
    /// A member as the universe has it.
    pub fn new(
        number: usize,
        spec: &KalshiAccount,
        tier: Tier,
        shards: &[u32],
        now: Ns,
    ) -> Account {
        let mut cash: BTreeMap<u32, Usd> = BTreeMap::new();
        for (shard, usd) in &spec.cash {
            *cash.entry(*shard).or_default() += *usd;
        }
        Account {
            key_id: spec.key_id.clone(),
            user_id: uuid(super::USER_IDS, number as u64),
            key: PublicKey::from_pem(&spec.public_key_pem),
            cash,
            reserved: BTreeMap::new(),
            grid: spec.balance_grid,
            positions: BTreeMap::new(),
            resting: BTreeSet::new(),
            client_ids: HashMap::new(),
            limits: Limits::new(tier, shards, now),
        }
    }

    /// Money of a shard that no resting order keeps.
    pub fn available(&self, shard: u32) -> Usd {
        let of = |map: &BTreeMap<u32, Usd>| map.get(&shard).copied().unwrap_or_default();
        of(&self.cash) - of(&self.reserved)
    }

    /// Moves money of a shard.
    pub fn pay(&mut self, shard: u32, change: Usd) {
        *self.cash.entry(shard).or_default() += change;
    }

    /// Its position in a market.
    pub fn position(&self, market: usize) -> Position {
        self.positions.get(&market).cloned().unwrap_or_default()
    }
}
