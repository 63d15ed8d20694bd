//! What orders of a pair are made from, and no feed tells while it trades: where it changes, the
//! pair must stop, and may come again with what holds then.

use std::fmt::Display;

use engine::pair::Polarity;
use engine::units::{Qty, Venue};

use crate::pairs::{FeeType, PairSpec, Version};

/// The terms of a pair. Grids and ticks are not among them: every feed tells those.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// How the outcomes answer each other.
    pub polarity: Polarity,
    /// Kalshi's shard of the market.
    pub shard: u32,
    /// By which formula Kalshi charges, and its multiplier.
    pub kalshi_fee: (FeeType, u32),
    /// Polymarket's tokens, YES first.
    pub tokens: [String; 2],
    /// Polymarket's smallest order, and how it is written.
    pub min_size: (Qty, String),
    /// Whether the market is one of a set, which decides the contract an order is signed for.
    pub neg_risk: bool,
    /// Polymarket's version of it, which decides the same.
    pub version: Version,
    /// What Polymarket charges: rate and exponent.
    pub polymarket_fee: (u32, u8),
}

impl Terms {
    /// Those of a pair.
    pub fn of(spec: &PairSpec) -> Terms {
        let (k, p) = (&spec.kalshi, &spec.polymarket);
        Terms {
            polarity: spec.polarity,
            shard: k.exchange_index,
            kalshi_fee: (k.fee_type.clone(), k.fee_multiplier_e6),
            tokens: [p.yes.clone(), p.no.clone()],
            min_size: (p.min_size, p.min_size_text.clone()),
            neg_risk: p.neg_risk,
            version: p.version,
            polymarket_fee: (p.fee_rate_e6, p.fee_exponent),
        }
    }

    /// What of a market's orders is not as it was, in words; `None` where everything is.
    pub fn change_at(&self, venue: Venue, now: &Terms) -> Option<String> {
        match venue {
            Venue::Kalshi => differ("exchange index on Kalshi", &self.shard, &now.shard),
            Venue::Polymarket => {
                let size = || differ("minimum size on Polymarket", &self.size(), &now.size());
                // One number can be written in two ways.
                (self.min_size.0 != now.min_size.0)
                    .then(size)
                    .flatten()
                    .or_else(|| differ("neg_risk on Polymarket", &self.neg_risk, &now.neg_risk))
                    .or_else(|| {
                        let [was, is] = [self.version, now.version].map(word);
                        differ("protocol version on Polymarket", &was, &is)
                    })
                    .or_else(|| {
                        let [was, is] = [self, now].map(|terms| terms.tokens.join(" and "));
                        differ("tokens on Polymarket", &was, &is)
                    })
            }
        }
    }

    /// The same of both markets, and of what decides whether an order is sent at all.
    pub fn change(&self, now: &Terms) -> Option<String> {
        let orders = Venue::ALL.into_iter().find_map(|venue| self.change_at(venue, now));
        let fee = |at| Some(format!("what takers pay on {at} changed"));
        match orders {
            Some(words) => Some(words),
            None if self.polarity != now.polarity => {
                Some("which outcome answers which changed".to_owned())
            }
            None if self.kalshi_fee != now.kalshi_fee => fee(Venue::Kalshi),
            None if self.polymarket_fee != now.polymarket_fee => fee(Venue::Polymarket),
            None => None,
        }
    }

    fn size(&self) -> &str {
        &self.min_size.1
    }
}

fn differ<T: PartialEq + Display>(what: &str, was: &T, is: &T) -> Option<String> {
    (was != is).then(|| format!("the {what} changed from {was} to {is}"))
}

const fn word(version: Version) -> &'static str {
    match version {
        Version::V1 => "v1",
        Version::V2 => "v2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Model, Options};
    use crate::pairs;

    #[test]
    fn each_term_that_changes_is_said_and_a_spelling_is_no_change() {
        let file = pairs::parse(&Model::new(Options::default()).pairs_toml(), "model").unwrap();
        let spec = &file.pairs[0];
        let was = Terms::of(spec);
        let with = |change: &dyn Fn(&mut PairSpec)| {
            let mut spec = spec.clone();
            change(&mut spec);
            was.change(&Terms::of(&spec))
        };
        assert_eq!(with(&|_| ()), None);
        assert_eq!(with(&|s| s.polymarket.min_size_text.push_str(".0")), None);
        let size = |s: &mut PairSpec| {
            s.polymarket.min_size = Qty::lit(1_500);
            s.polymarket.min_size_text = "15".to_owned();
        };
        let words = with(&size).unwrap();
        assert!(words.ends_with(&format!("changed from {} to 15", was.min_size.1)), "{words}");
        for (change, part) in [
            (&(|s: &mut PairSpec| s.polymarket.neg_risk ^= true) as &dyn Fn(&mut PairSpec), "neg"),
            (&|s: &mut PairSpec| s.kalshi.exchange_index += 1, "exchange index on Kalshi"),
            (&|s: &mut PairSpec| s.polymarket.yes.push('1'), "tokens"),
            (&|s: &mut PairSpec| s.polymarket.version = Version::V2, "version"),
            (&|s: &mut PairSpec| s.polymarket.fee_rate_e6 += 1, "pay on polymarket"),
            (&|s: &mut PairSpec| s.kalshi.fee_multiplier_e6 += 1, "pay on kalshi"),
        ] {
            let words = with(change).unwrap_or_default();
            assert!(words.contains(part), "{part}: {words}");
        }
        // Fees of a market do not keep another pair of it out: each pair has its own.
        let mut other = spec.clone();
        other.polymarket.fee_rate_e6 += 1;
        assert_eq!(was.change_at(Venue::Polymarket, &Terms::of(&other)), None);
    }
}
