//! Token buckets (kalshi.md section 5).

use engine::units::Ns;
use serde_json::{Value, json};

/// How much a member may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    /// On signing up.
    Basic,
    /// For the asking.
    Advanced,
    /// By volume, as the others.
    Expert,
    /// 0.125 % of the volume.
    Premier,
    /// 0.25 %.
    Paragon,
    /// 0.5 %.
    Prime,
    /// 1 %.
    Prestige,
}

impl Tier {
    /// The name that the venue gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Basic => "basic",
            Tier::Advanced => "advanced",
            Tier::Expert => "expert",
            Tier::Premier => "premier",
            Tier::Paragon => "paragon",
            Tier::Prime => "prime",
            Tier::Prestige => "prestige",
        }
    }

    /// Tokens a second and the seconds that the bucket holds: of reads, of writes.
    const fn budgets(self) -> [(u64, u64); 2] {
        match self {
            Tier::Basic => [(200, 3), (100, 1)],
            Tier::Advanced => [(300, 3), (300, 3)],
            Tier::Expert => [(600, 1), (600, 3)],
            Tier::Premier => [(1_200, 1), (1_200, 3)],
            Tier::Paragon => [(2_400, 1), (2_400, 3)],
            Tier::Prime => [(4_800, 1), (4_800, 3)],
            Tier::Prestige => [(12_000, 1), (9_600, 3)],
        }
    }
}

/// Tokens in 1e-9, refilled continuously.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    rate: u64,
    capacity: u64,
    left_e9: u64,
    at: Ns,
}

impl Bucket {
    const fn new((rate, seconds): (u64, u64), now: Ns) -> Bucket {
        let capacity = rate * seconds;
        Bucket { rate, capacity, left_e9: capacity * 1_000_000_000, at: now }
    }

    fn refill(&mut self, now: Ns) {
        let gained = now.since(self.at).0.saturating_mul(self.rate);
        self.at = now;
        self.left_e9 = self.left_e9.saturating_add(gained).min(self.capacity * 1_000_000_000);
    }

    const fn has(&self, tokens: u64) -> bool {
        self.left_e9 / 1_000_000_000 >= tokens
    }

    fn json(self) -> Value {
        json!({"refill_rate": self.rate, "bucket_capacity": self.capacity})
    }
}

/// Which bucket of writes pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Charge {
    /// Reads.
    Read,
    /// The unscoped bucket of writes, which is shard 0's.
    Unscoped,
    /// A shard's own bucket.
    Shard(u32),
    /// A request that the venue routes: every bucket of writes.
    Routed,
}

/// A member's buckets.
#[derive(Clone, Debug)]
pub struct Limits {
    tier: Tier,
    read: Bucket,
    unscoped: Bucket,
    shards: Vec<(u32, Bucket)>,
}

impl Limits {
    /// Full buckets. `shards` without shard 0, whose bucket is the unscoped one.
    pub fn new(tier: Tier, shards: &[u32], now: Ns) -> Limits {
        let [read, write] = tier.budgets();
        let own = shards.iter().filter(|shard| **shard != 0);
        Limits {
            tier,
            read: Bucket::new(read, now),
            unscoped: Bucket::new(write, now),
            shards: own.map(|shard| (*shard, Bucket::new(write, now))).collect(),
        }
    }

    /// Takes tokens from what pays; false, and nothing taken, where it has too few. A shard that
    /// does not exist is charged to the unscoped bucket.
    pub fn take(&mut self, now: Ns, charge: Charge, tokens: u64) -> bool {
        let mut pay: Vec<&mut Bucket> = match charge {
            Charge::Read => vec![&mut self.read],
            Charge::Unscoped => vec![&mut self.unscoped],
            Charge::Shard(shard) => {
                let own = self.shards.iter_mut().find(|(index, _)| *index == shard);
                vec![own.map_or(&mut self.unscoped, |(_, bucket)| bucket)]
            }
            Charge::Routed => {
                let own = self.shards.iter_mut().map(|(_, bucket)| bucket);
                std::iter::once(&mut self.unscoped).chain(own).collect()
            }
        };
        for bucket in &mut pay {
            bucket.refill(now);
        }
        let enough = pay.iter().all(|bucket| bucket.has(tokens));
        if enough {
            for bucket in &mut pay {
                bucket.left_e9 -= tokens * 1_000_000_000;
            }
        }
        enough
    }

    /// The answer of `GET /account/limits`.
    pub fn json(&self) -> Value {
        let grant = json!({"exchange_instance": "event_contract", "level": self.tier.name(), "source": "manual"});
        json!({
            "usage_tier": self.tier.name(),
            "read": self.read.json(),
            "write": self.unscoped.json(),
            "grants": [grant],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_empty_and_refill() {
        let mut limits = Limits::new(Tier::Basic, &[0, 2], Ns(0));
        for _ in 0..10 {
            assert!(limits.take(Ns(0), Charge::Unscoped, 10));
        }
        assert!(!limits.take(Ns(0), Charge::Unscoped, 2));
        assert!(!limits.take(Ns(0), Charge::Routed, 2), "one empty bucket stops a routed request");
        assert!(limits.take(Ns(0), Charge::Shard(2), 100), "and left the other as it was");
        assert!(!limits.take(Ns(99_999_999), Charge::Unscoped, 10));
        assert!(limits.take(Ns(100_000_000), Charge::Unscoped, 10));
        assert!(!limits.take(Ns::from_ms(3_600_000), Charge::Unscoped, 101), "one second is held");
    }
}
