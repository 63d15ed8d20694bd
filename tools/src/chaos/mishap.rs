//! What is done to a simulation from outside: to its venues, to its host, and that all is well again.

use engine::grid::Grid;
use engine::pair::{Direction, Outcome, PairId};
use engine::units::{Ns, Px, Qty, Shares};
use exec::action::Action;
use exec::id::Id;
use exec::journal::memory::DiskFaults;
use exec::kalshi::{KalshiIntent, Tif};
use serde_json::{Value, json};
use sim::host::{Effects, Host, SiteId};
use sim::rng::Rng;
use sim::venue::Request;

use super::books::Courier;
use super::checks::Violation;
use super::door::{Door, Word};
use super::plan::{Mishap, Upset};
use super::seed::{Simulation, TOKEN};
use super::trader::Trader;

/// A restart of Polymarket takes this long until orders are taken again.
const RESTART: Ns = Ns::from_ms(240_000);
/// So many pairs are left to trade.
const OPEN_MIN: usize = 2;
/// Somebody buys so much by hand.
const BY_HAND: Qty = Qty::lit(100);

impl Simulation {
    /// An administrator's call.
    pub(super) fn call(&mut self, now: Ns, path: &str, body: &Value) -> u16 {
        let (body, headers) = (body.to_string(), [("x-sim-token", TOKEN)]);
        let request =
            Request { method: "POST", path, query: "", headers: &headers, body: body.as_bytes() };
        let mut effects = Effects::default();
        let answer = self.world.request(now, SiteId(0), &request, &mut effects);
        self.fabric.deliver(&mut effects);
        answer.reply.status
    }

    /// An administrator, or the chain, does something to a venue.
    pub(super) fn upset(&mut self, now: Ns, upset: Upset, heal: Ns) {
        let span = Ns::from_ms(self.rng.between(1_000, 60_000));
        match upset {
            Upset::Restart if now.after(RESTART) >= heal => return,
            Upset::Restart => {
                self.call(now, "/sim/restart", &json!({"venue": "polymarket"}));
            }
            Upset::FailSettlement => {
                let body = json!({"venue": "polymarket", "kind": "settlement_failed"});
                self.call(now, "/sim/fault", &body);
            }
            Upset::OverFill => {
                self.checks.overfills();
                self.call(now, "/sim/fault", &json!({"venue": "kalshi", "kind": "over_fill"}));
                return; // It counts when it strikes.
            }
            Upset::Refine => {
                let market = self.rng.below(self.plan.markets as u64);
                let venue = *self.rng.pick(&["kalshi", "polymarket"]);
                let body = json!({"venue": venue, "market": market});
                if self.call(now, "/sim/refine", &body) != 200 {
                    return;
                }
            }
            Upset::PauseBetween => {
                self.between += 1;
                return; // It counts when it strikes.
            }
            Upset::Settle | Upset::Close => {
                let open: Vec<u16> = (0..self.plan.markets as u16)
                    .filter(|pair| !self.checks.is_over(PairId(*pair)))
                    .collect();
                if open.len() <= OPEN_MIN {
                    return;
                }
                let pair = PairId(*self.rng.pick(&open));
                if upset == Upset::Close {
                    let venue = *self.rng.pick(&["kalshi", "polymarket"]);
                    self.call(now, "/sim/close", &json!({"venue": venue, "market": pair.0}));
                    self.checks.close(pair);
                    self.closed.push((now.after(Ns(10 * span.0)), pair));
                } else {
                    self.settle(now, pair);
                }
            }
            Upset::Fee => {
                let market = self.rng.below(self.plan.markets as u64);
                let times_e6 = self.rng.between(0, 3_000_000);
                let body = json!({
                    "venue": "kalshi",
                    "market": market,
                    "fee_type": "quadratic",
                    "multiplier_e6": times_e6,
                });
                self.call(now, "/sim/fee", &body);
            }
            Upset::PauseAll => self.pause(now, span, json!({"venue": "kalshi"})),
            Upset::PauseMarket => {
                let market = self.rng.below(self.plan.markets as u64);
                self.pause(now, span, json!({"venue": "kalshi", "market": market}));
            }
        }
        *self.faults.entry(upset.name()).or_default() += 1;
        self.tail.fault(now, upset.name());
    }

    fn pause(&mut self, now: Ns, span: Ns, mut body: Value) {
        body["paused"] = true.into();
        self.call(now, "/sim/pause", &body);
        body["paused"] = false.into();
        self.paused.push((now.after(span), body));
    }

    /// The markets of a pair pay, or are void: Polymarket pays halves then, and Kalshi what it finds.
    /// Now and then Polymarket judges otherwise, or splits its dollar as no one else does.
    fn settle(&mut self, now: Ns, pair: PairId) {
        let outcome = *self.rng.pick(&["yes", "no", "void"]);
        let cents = self.rng.between(1, 99);
        let mut body = json!({"market": pair.0, "outcome": outcome});
        if outcome == "void" {
            body["yes_price"] = format!("0.{cents:02}00").into();
            *self.faults.entry("orders/settled_void").or_default() += 1;
        }
        if self.rng.chance(1, 4) {
            let part = format!("0.{:02}00", self.rng.between(1, 99));
            let own = *self.rng.pick(&["yes", "no", "void", part.as_str()]);
            body["polymarket"] = own.into();
            let unlike = if own == part { "orders/settled_split" } else { "orders/settled_unlike" };
            *self.faults.entry(unlike).or_default() += u64::from(own != outcome);
        }
        self.call(now, "/sim/settle", &body);
        self.checks.settle(pair);
        self.naked.settle(pair);
    }

    /// Markets that closed some time ago settle.
    pub(super) fn settle_closed(&mut self, now: Ns) {
        while let Some(at) = self.closed.iter().position(|(at, _)| *at <= now) {
            let (_, pair) = self.closed.swap_remove(at);
            self.settle(now, pair);
            self.tail.fault(now, Upset::Settle.name());
        }
    }

    /// An order has just reached a venue: where that was asked for, the other one pauses before the
    /// other leg of its bundle arrives.
    pub(super) fn pause_between(&mut self, now: Ns, site: SiteId) {
        if self.between == 0 {
            return;
        }
        self.between -= 1;
        let other = if site == SiteId(0) { "polymarket" } else { "kalshi" };
        let span = Ns::from_ms(self.rng.between(1_000, 20_000));
        self.pause(now, span, json!({"venue": other}));
        *self.faults.entry(Upset::PauseBetween.name()).or_default() += 1;
        self.tail.fault(now, Upset::PauseBetween.name());
    }

    /// Pauses that are over end.
    pub(super) fn unpause(&mut self, now: Ns) {
        while let Some(at) = self.paused.iter().position(|(until, _)| *until <= now) {
            let (_, body) = self.paused.swap_remove(at);
            self.call(now, "/sim/pause", &body);
        }
    }

    /// Something happens to the machine.
    pub(super) fn mishap(
        &mut self,
        now: Ns,
        mishap: Mishap,
        rng: &mut Rng,
    ) -> Result<(), Violation> {
        // A start that waits for the venues may die too.
        let starts = mishap == Mishap::Crash && self.starting.is_some();
        if now < self.back_at && !starts {
            return Ok(());
        }
        if starts {
            *self.faults.entry("host/crash_in_a_start").or_default() += 1;
        }
        *self.faults.entry(mishap.name()).or_default() += 1;
        self.tail.fault(now, mishap.name());
        match mishap {
            // In the middle of a commit, where one is ever seen.
            Mishap::Crash if !starts && self.disk.usual > Ns(0) && rng.chance(1, 2) => {
                self.dying = true;
            }
            Mishap::Crash => self.crash(now, rng)?,
            Mishap::SlowDisk => {
                let sync = Ns::from_ms(rng.between(5, 800));
                self.disk.faults(DiskFaults { sync, ..DiskFaults::default() });
                self.disk_until = now.after(Ns::from_ms(rng.between(1_000, 60_000)));
            }
            Mishap::FullDisk | Mishap::BrokenDisk => {
                let full = mishap == Mishap::FullDisk;
                let faults = DiskFaults { full, sync_fails: !full, ..DiskFaults::default() };
                self.disk.faults(faults);
                self.disk_until = now.after(Ns::from_ms(rng.between(1_000, 20_000)));
            }
            Mishap::KeysRevoked => {
                // Now and then nobody brings others before all is well again.
                let span = Ns::from_ms(rng.between(1_000, 60_000));
                let until = if rng.chance(1, 4) { Ns(u64::MAX) } else { now.after(span) };
                let word = if rng.chance(1, 2) { Word::Unknown } else { Word::Forbidden };
                self.revoked.revoke(SiteId(rng.below(2) as usize), now, until, word);
            }
            Mishap::KeysReadable => {
                self.owner.expose(&self.config, true)?;
                self.end(now, now.after(Ns::from_ms(rng.between(100, 5_000))));
            }
            Mishap::ByHand => {
                self.end(now, now.after(Ns::from_ms(rng.between(100, 15_000))));
                self.by_hand(now, rng)?;
            }
            // While none runs, the second one is the first.
            Mishap::SecondEngine if self.trader.is_none() => {}
            Mishap::SecondEngine => self.owner.second(&self.config)?,
            Mishap::Sleep => self.back_at = now.after(Ns::from_ms(rng.between(20, 3_000))),
            Mishap::ClockStep => {
                let ns = rng.between(1_000_000, 3_000_000_000) as i64;
                self.wall_ahead = if rng.chance(1, 2) { ns } else { -ns };
            }
        }
        Ok(())
    }

    /// The process that is to die in the middle of a commit does, once it is in one.
    pub(super) fn die(&mut self, now: Ns, rng: &mut Rng) -> Result<(), Violation> {
        match self.dying && self.trader.as_ref().is_some_and(Trader::is_writing) {
            true => self.crash(now, rng),
            false => Ok(()),
        }
    }

    /// The process is gone at once, and the power with it.
    fn crash(&mut self, now: Ns, rng: &mut Rng) -> Result<(), Violation> {
        self.dying = false;
        self.end(now, now.after(Ns::from_ms(rng.between(100, 15_000))));
        let torn = self.disk.crash(rng, &self.world.ledger())?;
        *self.faults.entry("host/flipped_bit").or_default() += 1;
        if torn {
            *self.faults.entry("host/torn_journal").or_default() += 1;
        }
        Ok(())
    }

    /// A contract is bought by hand while no engine runs. No check takes that order for one of ours;
    /// the next start has to explain it.
    fn by_hand(&mut self, now: Ns, rng: &mut Rng) -> Result<(), Violation> {
        self.checks.orders_until_now(&self.world)?;
        let pair = rng.below(self.file.pairs.len() as u64) as usize;
        let ticker = &self.file.pairs[pair];
        let (outcome, limit) = (*rng.pick(&[Outcome::Yes, Outcome::No]), Px::lit(9_900));
        let id = u128::from(rng.bits()) << 64 | u128::from(rng.bits());
        self.disk.by_hand.insert(Id::uuid(id).as_str().to_owned());
        let (shard, grid) = (ticker.kalshi.exchange_index, &Grid::CENT);
        let order = KalshiIntent::new(
            Action::Buy,
            outcome,
            limit,
            BY_HAND,
            Tif::Ioc,
            false,
            shard,
            id,
            grid,
        );
        let Ok(order) = order else { return Ok(()) };
        let mut body = Vec::new();
        order.write_body(&ticker.kalshi.ticker, &mut body);
        let wall = self.now().wall;
        let door = Door { host: &mut self.world, revoked: self.revoked };
        let courier = Courier::new(door, now, wall, [false; 2]);
        let filled = courier.by_hand(&self.config, &self.keys, &body);
        let mut effects = courier.effects();
        self.fabric.deliver(&mut effects);
        self.checks.not_ours(&self.world);
        self.watch.not_ours(&self.world);
        // An answer that was lost does not say that nothing was bought.
        let bought = i64::try_from(Shares::from(BY_HAND).e6()).unwrap_or(i64::MAX);
        self.checks.bought_by_hand(PairId(pair as u16), bought);
        if filled {
            *self.faults.entry("host/filled_by_hand").or_default() += 1;
        }
        Ok(())
    }

    /// A person looks at an engine that stopped by itself, and arms it again.
    pub(super) fn attend(&mut self, now: Ns) {
        if self.latch.due().is_none_or(|at| now < at) {
            return;
        }
        self.latch.arm();
        if let Some(trader) = &mut self.trader {
            trader.arm();
        }
        self.works = self.works.map(|_| now);
        *self.faults.entry("host/latched_and_armed").or_default() += 1;
    }

    /// Ends the disk's faults. A journal that could not be written asks for a restart.
    pub(super) fn mend_disk(&mut self, now: Ns) {
        if now < self.disk_until {
            return;
        }
        self.disk_until = Ns(u64::MAX);
        self.disk.mend();
        if self.trader.as_ref().is_some_and(Trader::is_shut) {
            self.end(now, self.back_at.max(now.after(Ns::from_ms(5_000))));
        }
    }

    /// The run comes to its end: in half of the seeds by the kill switch, after which no byte of
    /// an order may leave.
    pub(super) fn stop(&mut self) {
        let mono = self.now().mono;
        let kills = self.rng.chance(1, 2);
        self.held = true;
        let Some(trader) = &mut self.trader else { return };
        if kills {
            trader.kill();
            let swept = trader.figures().map(|figures| figures.swept);
            self.killed = Some((self.naked.processes, swept));
            self.checks.killed(mono);
            self.works = None; // A kill stops repairs too: a person was there.
        } else {
            trader.hold();
        }
    }

    /// From now on nothing goes wrong, and what was broken is whole.
    pub(super) fn heal(&mut self, now: Ns) {
        self.world.heal();
        self.fabric.heal(now);
        self.wall_ahead = 0;
        self.between = 0;
        self.dying = false;
        self.revoked.heal();
        self.disk_until = self.disk_until.min(now);
        for (until, _) in &mut self.paused {
            *until = now;
        }
        self.back_at = self.back_at.min(now);
        for market in 0..self.plan.markets {
            self.call(now, "/sim/fee", &json!({"venue": "kalshi", "market": market}));
        }
        self.latch.hurry(now);
        self.works = Some(now);
    }

    /// An opportunity is put between the markets of a pair.
    pub(super) fn inject(&mut self, pair: PairId) {
        let (now, pair) = (self.moment.get(), pair.index());
        let direction = *self.rng.pick(&[Direction::FirstYes, Direction::FirstNo]);
        let body = json!({
            "pair": pair,
            "direction": format!("{direction:?}"),
            "edge_micro_usd": 20_000,
            "ms": 1_500,
        });
        self.call(now, "/sim/inject", &body);
    }
}
