//! A bundle between its decision and the end of its last order, and what it came to.

use crate::event::{Action, Bundle, Report, ReportKind, Settled};
use crate::order::{IllegalStep, OrderState};
use crate::stock::Lot;
use crate::units::{Ns, Shares, Usd};

/// A bundle in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flight {
    /// What was sent.
    pub bundle: Bundle,
    orders: [OrderState; 2],
    filled: [Shares; 2],
    cost: [Usd; 2],
    fee: [Usd; 2],
    /// What is still set aside for each leg.
    held: [Usd; 2],
}

impl Flight {
    /// A bundle that has just been decided; its orders' reserves are set aside. A leg that is no
    /// order has ended before it began.
    pub fn new(bundle: &Bundle) -> Flight {
        let mut orders = [OrderState::Cancelled; 2];
        let mut held = [Usd::ZERO; 2];
        for (number, leg) in bundle.orders().iter().enumerate() {
            orders[number] = OrderState::Planned;
            held[number] = leg.reserve;
        }
        Flight {
            bundle: *bundle,
            orders,
            filled: [Shares::ZERO; 2],
            cost: [Usd::ZERO; 2],
            fee: [Usd::ZERO; 2],
            held,
        }
    }

    /// Takes in a report of one of the orders and returns the money that it frees.
    ///
    /// A fill counts whatever the order's state says, because it is money; the error then tells
    /// that the state contradicts it. Other illegal reports change nothing. What a fill took from
    /// the money set aside is not set aside again where it is taken back.
    pub fn take(&mut self, leg: usize, report: &Report) -> (Usd, Result<(), IllegalStep>) {
        let mut freed = Usd::ZERO;
        if let ReportKind::Filled { shares, cash, fee, .. } = report.kind {
            self.filled[leg] += shares;
            self.cost[leg] += cash;
            self.fee[leg] += fee;
            freed = self.held[leg].min(cash + fee);
        }
        if let ReportKind::Undone { shares, cash, fee, .. } = report.kind {
            self.filled[leg] = self.filled[leg].saturating_sub(shares);
            self.cost[leg] -= cash;
            self.fee[leg] -= fee;
        }
        let stepped = self.step(leg, &report.kind);
        if self.orders[leg].is_final() {
            freed = self.held[leg];
        }
        self.held[leg] -= freed;
        (freed, stepped)
    }

    fn step(&mut self, leg: usize, kind: &ReportKind) -> Result<(), IllegalStep> {
        let now = &mut self.orders[leg];
        let to = match kind {
            // The answer to an order may be outrun by its fills: late news of less is no news.
            ReportKind::Sent if now.is_exposed() || now.is_final() => return Ok(()),
            ReportKind::Acked
                if *now == OrderState::PartiallyFilled
                    || *now == OrderState::Open
                    || now.is_final() =>
            {
                return Ok(());
            }
            // What ended with a part unfilled may hear of a part late: nothing else changes.
            ReportKind::Filled { .. }
                if matches!(now, OrderState::Filled | OrderState::Cancelled) =>
            {
                return Ok(());
            }
            ReportKind::Undone { .. } => return Ok(()),
            ReportKind::Sent => OrderState::Sent,
            ReportKind::Acked => OrderState::Open,
            ReportKind::Filled { .. } => OrderState::PartiallyFilled,
            ReportKind::Done => OrderState::Filled,
            ReportKind::Rejected(_) => OrderState::Rejected,
            ReportKind::Cancelled => OrderState::Cancelled,
            ReportKind::Unknown => OrderState::Unknown,
        };
        if matches!(now, OrderState::Planned | OrderState::Signed)
            && !matches!(to, OrderState::Sent | OrderState::Rejected | OrderState::Cancelled)
        {
            // Whatever the venue says of an order implies that its bytes left.
            *now = now.step(OrderState::Sent)?;
        }
        *now = now.step(to)?;
        Ok(())
    }

    /// State of each order.
    pub const fn orders(&self) -> [OrderState; 2] {
        self.orders
    }

    /// True once both orders have ended.
    pub fn is_over(&self) -> bool {
        self.orders.iter().all(|order| order.is_final())
    }

    /// True while the fate of an order is unknown.
    pub fn is_unknown(&self) -> bool {
        self.orders.contains(&OrderState::Unknown)
    }

    /// Cost and fees of what has been bought so far, less what sales brought.
    pub fn paid(&self) -> Usd {
        let of = |leg: usize| match self.bundle.legs[leg].action {
            Action::Buy => self.cost[leg],
            Action::Sell => Usd::ZERO - self.cost[leg],
        };
        of(0) + of(1) + self.fees()
    }

    /// Filled by each leg so far.
    pub const fn filled(&self) -> [Shares; 2] {
        self.filled
    }

    /// What the fills of a leg cost, or brought, without fees.
    pub const fn cost(&self, leg: usize) -> Usd {
        self.cost[leg]
    }

    /// Fees of all fills so far.
    pub fn fees(&self) -> Usd {
        self.fee[0] + self.fee[1]
    }

    /// True where a leg filled beyond what its order asked for: beyond its contracts, or beyond its
    /// amount, for which a better price may give more of them.
    pub fn is_overfilled(&self, leg: usize) -> bool {
        self.bundle.legs[leg].is_overfilled(self.filled[leg], self.cost[leg])
    }

    /// What a leg filled beyond the other, at its part of the leg's cost.
    pub fn excess(&self, leg: usize) -> Lot {
        let mut lot = Lot { shares: self.filled[leg], cost: self.cost[leg] };
        lot.split(self.matched());
        lot
    }

    fn matched(&self) -> Shares {
        self.filled[0].min(self.filled[1])
    }

    /// What it came to: each contract that both legs filled pays a dollar, against its pro-rata
    /// part of the costs, rounded up to a micro-dollar a leg, and *all* fees of both legs. The
    /// cost of what only one leg filled stays in the inventory, without fees.
    pub fn settle(&self, at: Ns) -> Settled {
        let matched = self.matched();
        let part =
            |leg: usize| Lot { shares: self.filled[leg], cost: self.cost[leg] }.part(matched);
        let cost = part(0) + part(1);
        let pays = Usd::new(i64::try_from(matched.e6()).unwrap_or(i64::MAX));
        Settled {
            bundle: self.bundle.id,
            pair: self.bundle.pair,
            at,
            filled: self.filled,
            matched,
            profit: pays - cost - self.fees(),
            excess: self.cost[0] + self.cost[1] - cost,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::event::{BundleId, Leg, Purpose, Reject, Ticket};
    use crate::pair::{Direction, Outcome, PairId};
    use crate::top::MarketId;
    use crate::units::{Px, Qty, Venue};

    pub(crate) fn bundle() -> Bundle {
        let leg = |venue, outcome| Leg {
            market: MarketId::new(venue, 0).unwrap(),
            outcome,
            action: Action::Buy,
            spends: false,
            limit: Px::lit(4_000),
            qty: Qty::lit(1_000),
            budget: Usd::new(4_000_000),
            expected: Shares::new(10_000_000),
            cost: Usd::new(4_000_000),
            fee: Usd::new(100),
            reserve: Usd::new(5_000_000),
            generation: 1,
        };
        Bundle {
            id: BundleId(1),
            pair: PairId(0),
            direction: Direction::FirstYes,
            purpose: Purpose::Open,
            count: 2,
            legs: [leg(Venue::Kalshi, Outcome::Yes), leg(Venue::Polymarket, Outcome::No)],
            recv: Ns(0),
            decided: Ns(0),
            deadline: Ns(10),
            kill_epoch: 0,
            collar: [Px::ONE; 2],
            ticket: Ticket::AtGate,
        }
    }

    fn report(kind: ReportKind) -> Report {
        Report {
            bundle: BundleId(1),
            pair: PairId(0),
            leg: 0,
            market: MarketId::new(Venue::Kalshi, 0).unwrap(),
            outcome: Outcome::Yes,
            action: Action::Buy,
            at: Ns(5),
            kind,
        }
    }

    fn filled(e6: u64, cash: i64, fee: i64) -> Report {
        report(ReportKind::Filled {
            shares: Shares::new(e6),
            px: Px::lit(4_000),
            cash: Usd::new(cash),
            fee: Usd::new(fee),
        })
    }

    #[test]
    fn a_half_filled_bundle_settles_to_the_micro_dollar() {
        let mut flight = Flight::new(&bundle());
        assert_eq!(
            flight.take(0, &filled(3_000_000, 1_000_001, 70)),
            (Usd::new(1_000_071), Ok(()))
        );
        assert_eq!(flight.take(1, &filled(1_000_000, 500_000, 30)).1, Ok(()));
        assert_eq!(flight.paid(), Usd::new(1_500_101));
        assert_eq!(flight.excess(0).shares, Shares::new(2_000_000), "whichever leg is ahead");
        assert!(!flight.is_over());
        assert_eq!(flight.take(0, &report(ReportKind::Done)), (Usd::new(3_999_929), Ok(())));
        assert_eq!(flight.take(1, &report(ReportKind::Cancelled)).1, Ok(()));
        assert!(flight.is_over());
        let settled = flight.settle(Ns(9));
        assert_eq!(settled.matched, Shares::new(1_000_000));
        // A third of 1,000,001 is rounded up against us; the rest stays in the inventory.
        assert_eq!(settled.profit, Usd::new(1_000_000 - 333_334 - 500_000 - 100));
        assert_eq!(settled.excess, Usd::new(666_667));
    }

    #[test]
    fn more_than_was_asked_for_is_booked_and_seen() {
        let mut flight = Flight::new(&bundle());
        assert_eq!(flight.take(0, &filled(10_000_000, 4_000_000, 100)).1, Ok(()));
        assert!(!flight.is_overfilled(0), "as much as it asked for");
        assert_eq!(flight.take(0, &filled(1, 1, 0)).1, Ok(()));
        assert!(flight.is_overfilled(0) && !flight.is_overfilled(1));
        assert_eq!(flight.filled()[0], Shares::new(10_000_001), "it is money all the same");
        flight.bundle.legs[0].spends = true;
        assert!(!flight.is_overfilled(0), "a better price gives more for the same amount");
        assert_eq!(flight.take(0, &filled(10_000, 4_000, 0)).1, Ok(()));
        assert!(flight.is_overfilled(0), "but no more than the amount is spent");
    }

    #[test]
    fn a_fill_after_doubt_ends_the_doubt_but_not_after_a_refusal() {
        let mut flight = Flight::new(&bundle());
        assert_eq!(flight.take(0, &report(ReportKind::Unknown)), (Usd::ZERO, Ok(())));
        assert!(flight.is_unknown());
        assert_eq!(flight.take(0, &filled(1_000_000, 400_000, 10)).1, Ok(()));
        assert!(!flight.is_unknown());
        let refused = report(ReportKind::Rejected(Reject::Funds));
        assert_eq!(flight.take(1, &refused), (Usd::new(5_000_000), Ok(())));
        let (freed, step) = flight.take(1, &filled(1_000_000, 400_000, 10));
        assert!(step.is_err(), "the venue contradicts itself");
        assert_eq!(freed, Usd::ZERO);
        assert_eq!(flight.paid(), Usd::new(800_020), "but the money is gone");
        assert_eq!(flight.take(1, &report(ReportKind::Acked)).1, Ok(()), "late news is no news");
    }

    fn kinds() -> Vec<ReportKind> {
        let fill = |e6: u64| {
            let (shares, cash) = (Shares::new(e6), Usd::new(e6 as i64 / 2));
            (shares, Px::lit(5_000), cash, Usd::new(3))
        };
        let filled = |e6| {
            let (shares, px, cash, fee) = fill(e6);
            ReportKind::Filled { shares, px, cash, fee }
        };
        let (shares, px, cash, fee) = fill(1_000_000);
        vec![
            ReportKind::Sent,
            ReportKind::Acked,
            filled(1_000_000),
            filled(20_000),
            ReportKind::Undone { shares, px, cash, fee },
            ReportKind::Done,
            ReportKind::Rejected(Reject::Venue),
            ReportKind::Cancelled,
            ReportKind::Unknown,
        ]
    }

    proptest::proptest! {
        /// Any report in any state is taken: an order that ended stays ended, no more money is
        /// freed than was set aside, all of it once both orders ended, and fills count whatever
        /// else is said.
        #[test]
        fn the_order_state_machine_is_total(
            steps in proptest::collection::vec((0..2usize, 0..9usize), 0..40),
        ) {
            let mut flight = Flight::new(&bundle());
            let (mut freed, mut filled) = ([Usd::ZERO; 2], [0i64; 2]);
            for (leg, kind) in steps {
                let kind = kinds()[kind];
                let before = flight.orders()[leg];
                let (money, stepped) = flight.take(leg, &report(kind));
                freed[leg] += money;
                let after = flight.orders()[leg];
                proptest::prop_assert!(!before.is_final() || after == before);
                proptest::prop_assert!(stepped.is_ok() || after == before || before == OrderState::Planned);
                proptest::prop_assert!(money >= Usd::ZERO);
                match kind {
                    ReportKind::Filled { shares, .. } => filled[leg] += shares.e6() as i64,
                    ReportKind::Undone { shares, .. } => {
                        filled[leg] = (filled[leg] - shares.e6() as i64).max(0);
                    }
                    _ => {}
                }
                proptest::prop_assert_eq!(flight.filled()[leg].e6() as i64, filled[leg]);
            }
            for ((freed, order), leg) in freed.into_iter().zip(flight.orders()).zip(bundle().legs) {
                proptest::prop_assert!(freed <= leg.reserve);
                proptest::prop_assert!(!order.is_final() || freed == leg.reserve);
            }
        }

        /// In whichever order fills and the ends come in: what both legs hold and cost is the same.
        #[test]
        fn fills_commute(
            fills in proptest::collection::vec((0..2usize, 1..5_000_000u64), 1..12),
            order in proptest::prelude::any::<proptest::sample::Index>(),
        ) {
            let sums = |list: &[(usize, u64)], ends_at: usize| {
                let mut flight = Flight::new(&bundle());
                for (number, (leg, e6)) in list.iter().enumerate() {
                    if number == ends_at {
                        let _ = flight.take(0, &report(ReportKind::Done));
                        let _ = flight.take(1, &report(ReportKind::Cancelled));
                    }
                    let _ = flight.take(*leg, &filled(*e6, *e6 as i64 / 3, 7));
                }
                let settled = flight.settle(Ns(1));
                (settled, flight.paid(), [0, 1].map(|leg| flight.excess(leg)))
            };
            let at = order.index(fills.len());
            let mut turned = fills.clone();
            turned.rotate_left(at);
            turned.reverse();
            proptest::prop_assert_eq!(sums(&fills, fills.len()), sums(&turned, at));
        }
    }
}
