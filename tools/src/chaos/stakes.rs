//! What may be at stake at most: limits that a seed draws, and what the venues hold of ours beside
//! them whenever something is opened. A process that begins anew knows of what there was.

use engine::event::{Bundle, Purpose};
use engine::risk::limits::RiskLimits;
use engine::units::{Qty, Shares, Usd, Venue};
use sim::rng::Rng;
use sim::venue::Standing;

use super::checks::Violation;

/// What was bought at a better price, filled beyond its order or bought by hand comes on top; in
/// hundredths of a limit. A limit that forgot what there was would allow the whole of it again.
const ON_TOP: u64 = 15;

/// The limits of a seed.
pub struct Stakes {
    /// Contracts of both outcomes at each venue, and in all; micro-contracts.
    most: Option<[u64; 3]>,
    /// Money that is out.
    spent_max: Option<Usd>,
    /// What both venues had at the beginning.
    had: Usd,
    /// How many checks were made.
    pub count: u64,
}

impl Stakes {
    /// Draws limits in a part of the seeds, for accounts that have so much money.
    pub fn draw(
        rng: &mut Rng,
        limits: &mut RiskLimits,
        unsettled: &mut Option<Usd>,
        had: Usd,
    ) -> Stakes {
        let mut stakes = Stakes { most: None, spent_max: None, had, count: 0 };
        match rng.below(8) {
            0 => {
                let mut contracts = |least, most| rng.between(least, most) * 1_000_000;
                let most = [contracts(200, 3_000), contracts(200, 3_000), contracts(400, 5_000)];
                for (cap, most) in limits.venue.iter_mut().zip(most) {
                    cap.qty = Shares::new(most);
                }
                limits.total.qty = Shares::new(most[2]);
                stakes.most = Some(most);
            }
            1 => {
                let most = Usd::new(rng.between(200, 3_000) as i64 * 1_000_000);
                (*unsettled, stakes.spent_max) = (Some(most), Some(most));
            }
            _ => {}
        }
        stakes
    }

    /// A bundle was decided while the venues hold so much of ours.
    ///
    /// # Errors
    /// Where it is beyond a limit.
    pub fn decided(&mut self, bundle: &Bundle, accounts: &[Standing; 2]) -> Result<(), Violation> {
        if bundle.purpose != Purpose::Open {
            return Ok(());
        }
        let broken = |detail| Err(Violation { invariant: "limits", detail });
        if let Some(most) = self.most {
            let [first, second] = accounts;
            let cents = |account: &Standing| account.held.values().map(|n| n.unsigned_abs()).sum();
            let (net, tokens): (u64, u64) = (cents(first), cents(second));
            let mut held = [net * 10_000, tokens];
            for leg in bundle.orders() {
                held[leg.market.venue().index()] += e6(leg.qty);
            }
            let all = held[0] + held[1];
            self.count += 1;
            for (held, most) in [held[0], held[1], all].into_iter().zip(most) {
                if held > most + most / 100 * ON_TOP {
                    return broken(format!(
                        "{held} micro-contracts are held or wanted, {most} are allowed: {bundle:?}"
                    ));
                }
            }
        }
        if let Some(most) = self.spent_max {
            let has: i64 = accounts.iter().map(|account| account.cash).sum();
            let wants: Usd = bundle.orders().iter().map(|leg| leg.cost).sum();
            let out = self.had - Usd::new(has) + wants;
            self.count += 1;
            if out.e6() > most.e6() + most.e6() / 100 * ON_TOP as i64 {
                return broken(format!("{out} are out or wanted, {most} are allowed: {bundle:?}"));
            }
        }
        Ok(())
    }
}

fn e6(qty: Qty) -> u64 {
    Shares::from(qty).e6()
}

/// Money on both venues.
pub fn cash_of(standing: impl Fn(Venue) -> Standing) -> Usd {
    Usd::new(Venue::ALL.iter().map(|venue| standing(*venue).cash).sum())
}

#[cfg(test)]
#[path = "stakes_tests.rs"]
mod tests;
