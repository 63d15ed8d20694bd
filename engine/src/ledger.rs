//! Cash and positions, one type for each way that a venue holds them.

use crate::pair::Outcome;
use crate::units::{Shares, Usd};

/// Money at a venue, and how much of it orders in flight may still take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Purse {
    cash: Usd,
    reserved: Usd,
}

impl Purse {
    /// A purse with that much in it.
    pub const fn new(cash: Usd) -> Purse {
        Purse { cash, reserved: Usd::ZERO }
    }

    /// All money, set aside or not.
    pub const fn cash(&self) -> Usd {
        self.cash
    }

    /// What orders in flight may still take.
    pub const fn reserved(&self) -> Usd {
        self.reserved
    }

    /// What is left once orders in flight took all that they may.
    pub fn left(&self) -> Usd {
        self.cash - self.reserved
    }

    /// What a new order may take.
    pub fn free(&self) -> Usd {
        self.left().max(Usd::ZERO)
    }

    /// Sets money aside.
    pub fn reserve(&mut self, amount: Usd) {
        self.reserved += amount;
    }

    /// Frees money that was set aside.
    pub fn release(&mut self, amount: Usd) {
        self.reserved = (self.reserved - amount).max(Usd::ZERO);
    }

    fn pay(&mut self, amount: Usd) {
        self.cash -= amount;
    }

    fn receive(&mut self, amount: Usd) {
        self.cash += amount;
    }
}

/// Shards of Kalshi that an engine can tell apart; a market of any other is not traded.
pub const SHARDS_MAX: usize = 16;

/// A market's shard that nobody told.
const NOWHERE: u8 = u8::MAX;

/// Kalshi's money by shard: an order takes what lies on its market's own, and no other.
#[derive(Clone, Debug)]
struct Shards {
    /// By market.
    of: Box<[u8]>,
    purses: [Purse; SHARDS_MAX],
}

impl Shards {
    fn purse(&mut self, market: usize) -> Option<&mut Purse> {
        self.purses.get_mut(usize::from(*self.of.get(market)?))
    }
}

/// Kalshi: one signed position a market. YES and NO of a market cancel out, and every contract
/// that does pays its dollar at once.
#[derive(Clone, Debug)]
pub struct NetLedger {
    /// The money, on all shards.
    purse: Purse,
    /// The same by shard; none where all of it may be spent on any market.
    shards: Option<Shards>,
    /// By market, in 1e-6 contracts: YES above zero, NO below.
    net_e6: Vec<i64>,
    netted: Usd,
}

impl NetLedger {
    /// A ledger without positions in that many markets.
    pub fn new(cash: Usd, markets: usize) -> NetLedger {
        let (purse, net_e6) = (Purse::new(cash), vec![0; markets]);
        NetLedger { purse, shards: None, net_e6, netted: Usd::ZERO }
    }

    /// The money, on all shards.
    pub const fn purse(&self) -> &Purse {
        &self.purse
    }

    /// So much of the money lies on that shard. From the first such word on a market has what lies
    /// on its own shard, and nothing before that is told.
    #[cold]
    pub fn fund(&mut self, shard: u8, cash: Usd) {
        let markets = self.net_e6.len();
        let shards = self.shards.get_or_insert_with(|| Shards {
            of: vec![NOWHERE; markets].into(),
            purses: [Purse::new(Usd::ZERO); SHARDS_MAX],
        });
        if let Some(purse) = shards.purses.get_mut(usize::from(shard)) {
            *purse = Purse::new(cash);
        }
    }

    /// A market trades on that shard.
    #[cold]
    pub fn place(&mut self, market: usize, shard: u8) {
        let shards = self.shards.as_mut();
        if let Some(of) = shards.and_then(|shards| shards.of.get_mut(market)) {
            *of = shard;
        }
    }

    /// What a new order of a market may take, where so much of all money is kept.
    pub fn free(&self, market: usize, keep: Usd) -> Usd {
        let all = (self.purse.free() - keep).max(Usd::ZERO);
        let Some(shards) = &self.shards else { return all };
        let purse = shards.of.get(market).and_then(|of| shards.purses.get(usize::from(*of)));
        purse.map_or(Usd::ZERO, |purse| purse.free().min(all))
    }

    /// Sets money aside for an order of a market.
    pub fn reserve(&mut self, market: usize, amount: Usd) {
        self.each(market, |purse| purse.reserve(amount));
    }

    /// Frees money that was set aside for one.
    pub fn release(&mut self, market: usize, amount: Usd) {
        self.each(market, |purse| purse.release(amount));
    }

    /// Changes the money on a market's shard, and so all money.
    fn each(&mut self, market: usize, change: impl Fn(&mut Purse)) {
        change(&mut self.purse);
        if let Some(purse) = self.shards.as_mut().and_then(|shards| shards.purse(market)) {
            change(purse);
        }
    }

    /// Books a purchase.
    pub fn buy(&mut self, market: usize, outcome: Outcome, shares: Shares, paid: Usd) {
        self.each(market, |purse| purse.pay(paid));
        let Some(net) = self.net_e6.get_mut(market) else { return };
        let bought = i64::try_from(shares.e6()).unwrap_or(i64::MAX);
        let signed = if outcome == Outcome::Yes { bought } else { -bought };
        let before = core::mem::replace(net, net.saturating_add(signed));
        if before.signum() == -signed.signum() {
            // One micro-contract pays one micro-dollar.
            let cancelled = Usd::new(bought.min(before.saturating_abs()));
            self.each(market, |purse| purse.receive(cancelled));
            self.netted += cancelled;
        }
    }

    /// Books a sale, or takes a purchase back: contracts go and money comes. Where they had
    /// cancelled out others, those are held again and their dollars go.
    pub fn sell(&mut self, market: usize, outcome: Outcome, shares: Shares, received: Usd) {
        self.each(market, |purse| purse.receive(received));
        let Some(net) = self.net_e6.get_mut(market) else { return };
        let sold = i64::try_from(shares.e6()).unwrap_or(i64::MAX);
        let signed = if outcome == Outcome::Yes { sold } else { -sold };
        let held = net.saturating_mul(signed.signum()).max(0);
        let revived = Usd::new(sold.saturating_sub(held).max(0));
        *net = net.saturating_sub(signed);
        self.each(market, |purse| purse.pay(revived));
        self.netted -= revived;
    }

    /// Notes a position that was there before; in 1e-6 contracts.
    pub fn begin_with(&mut self, market: usize, net_e6: i64) {
        if let Some(net) = self.net_e6.get_mut(market) {
            *net = net_e6;
        }
    }

    /// The position in 1e-6 contracts: YES above zero, NO below.
    pub fn position_e6(&self, market: usize) -> i64 {
        self.net_e6.get(market).copied().unwrap_or(0)
    }

    /// Dollars received for contracts that cancelled out.
    pub const fn netted(&self) -> Usd {
        self.netted
    }
}

/// Polymarket: a balance of each outcome's token. A YES and a NO become a dollar only by a merge,
/// a transaction of its own, so holding both frees no cash.
#[derive(Clone, Debug)]
pub struct TokenLedger {
    /// The money.
    pub purse: Purse,
    held: Vec<[Shares; 2]>,
}

impl TokenLedger {
    /// A ledger without tokens of that many markets.
    pub fn new(cash: Usd, markets: usize) -> TokenLedger {
        TokenLedger { purse: Purse::new(cash), held: vec![[Shares::ZERO; 2]; markets] }
    }

    /// Books a purchase.
    pub fn buy(&mut self, market: usize, outcome: Outcome, shares: Shares, paid: Usd) {
        self.purse.pay(paid);
        if let Some(held) = self.held.get_mut(market) {
            held[outcome as usize] += shares;
        }
    }

    /// Books a sale, or takes a purchase back: tokens go and money comes.
    pub fn sell(&mut self, market: usize, outcome: Outcome, shares: Shares, received: Usd) {
        self.purse.receive(received);
        if let Some(held) = self.held.get_mut(market) {
            let held = &mut held[outcome as usize];
            *held = held.saturating_sub(shares);
        }
    }

    /// Notes tokens that were there before, YES and NO.
    pub fn begin_with(&mut self, market: usize, held: [Shares; 2]) {
        if let Some(before) = self.held.get_mut(market) {
            *before = held;
        }
    }

    /// Tokens of an outcome.
    pub fn balance(&self, market: usize, outcome: Outcome) -> Shares {
        self.held.get(market).map_or(Shares::ZERO, |held| held[outcome as usize])
    }

    /// How many pairs of tokens a merge would turn into dollars.
    pub fn mergeable(&self, market: usize) -> Shares {
        self.balance(market, Outcome::Yes).min(self.balance(market, Outcome::No))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opposite_outcomes_cancel_on_a_netting_venue() {
        let mut ledger = NetLedger::new(Usd::new(10_000_000), 2);
        ledger.buy(1, Outcome::Yes, Shares::new(3_000_000), Usd::new(1_200_000));
        assert_eq!(ledger.position_e6(1), 3_000_000);
        assert_eq!(ledger.purse().cash(), Usd::new(8_800_000));
        ledger.buy(1, Outcome::No, Shares::new(5_000_000), Usd::new(2_500_000));
        assert_eq!(ledger.position_e6(1), -2_000_000);
        assert_eq!(ledger.netted(), Usd::new(3_000_000));
        assert_eq!(ledger.purse().cash(), Usd::new(8_800_000 - 2_500_000 + 3_000_000));
        assert_eq!(ledger.position_e6(0), 0);
    }

    #[test]
    fn an_order_has_what_lies_on_its_markets_own_shard() {
        let mut ledger = NetLedger::new(Usd::new(1_000), 4);
        ledger.place(0, 0); // too early: all money is one purse
        assert_eq!(ledger.free(3, Usd::ZERO), Usd::new(1_000));
        ledger.fund(0, Usd::new(700));
        ledger.fund(3, Usd::new(300));
        ledger.fund(200, Usd::new(9)); // no shard that anybody knows
        [(0, 0), (1, 3), (2, 7), (9, 0)].into_iter().for_each(|(at, of)| ledger.place(at, of));
        let free = |ledger: &NetLedger| [0, 1, 2, 3].map(|at| ledger.free(at, Usd::ZERO).e6());
        assert_eq!(free(&ledger), [700, 300, 0, 0], "of the last nobody told where it trades");
        ledger.reserve(1, Usd::new(100));
        assert_eq!(free(&ledger), [700, 200, 0, 0]);
        ledger.release(1, Usd::new(100));
        ledger.buy(1, Outcome::Yes, Shares::new(250), Usd::new(120));
        assert_eq!(free(&ledger), [700, 180, 0, 0]);
        ledger.buy(1, Outcome::No, Shares::new(100), Usd::new(40));
        assert_eq!(free(&ledger), [700, 240, 0, 0], "what cancels out pays where it lay");
        ledger.sell(1, Outcome::Yes, Shares::new(150), Usd::new(150));
        assert_eq!(free(&ledger), [700, 390, 0, 0], "and so does a market that settles");
        ledger.buy(0, Outcome::No, Shares::new(1), Usd::new(1));
        assert_eq!((free(&ledger), ledger.purse().free()), ([699, 390, 0, 0], Usd::new(1_089)));
        let kept = [(600, 390), (1_000, 89), (2_000, 0)];
        kept.into_iter().for_each(|(keep, free)| {
            assert_eq!(ledger.free(1, Usd::new(keep)), Usd::new(free), "of all money {keep} stay");
        });
    }

    #[test]
    fn what_was_held_before_nets_and_adds_up_too() {
        let mut ledger = NetLedger::new(Usd::new(10_000_000), 1);
        ledger.begin_with(0, -2_000_000);
        ledger.begin_with(7, 1);
        ledger.buy(0, Outcome::Yes, Shares::new(3_000_000), Usd::new(1_200_000));
        assert_eq!((ledger.position_e6(0), ledger.netted()), (1_000_000, Usd::new(2_000_000)));
        assert_eq!(ledger.purse().cash(), Usd::new(10_000_000 - 1_200_000 + 2_000_000));
        let mut ledger = TokenLedger::new(Usd::ZERO, 1);
        ledger.begin_with(0, [Shares::new(3), Shares::new(4)]);
        ledger.buy(0, Outcome::No, Shares::new(2), Usd::ZERO);
        let both = [Outcome::Yes, Outcome::No].map(|outcome| ledger.balance(0, outcome).e6());
        assert_eq!(both, [3, 6]);
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace_in_any_order() {
        let (yes, no) = (Outcome::Yes, Outcome::No);
        let fills = [(yes, 3_000_000, 1_200_000), (no, 5_000_000, 2_500_000), (yes, 4, 1)];
        for undone in 0..fills.len() {
            let mut with = NetLedger::new(Usd::new(10_000_000), 1);
            let mut without = with.clone();
            for (at, (outcome, shares, paid)) in fills.into_iter().enumerate() {
                with.buy(0, outcome, Shares::new(shares), Usd::new(paid));
                if at != undone {
                    without.buy(0, outcome, Shares::new(shares), Usd::new(paid));
                }
            }
            let (outcome, shares, paid) = fills[undone];
            with.sell(0, outcome, Shares::new(shares), Usd::new(paid));
            let all = |ledger: &NetLedger| {
                (ledger.position_e6(0), ledger.netted(), ledger.purse().cash())
            };
            assert_eq!(all(&with), all(&without), "{undone}");
        }
        let mut tokens = TokenLedger::new(Usd::new(10), 1);
        tokens.buy(0, yes, Shares::new(3), Usd::new(2));
        tokens.sell(0, yes, Shares::new(3), Usd::new(2));
        assert_eq!((tokens.balance(0, yes), tokens.purse.cash()), (Shares::ZERO, Usd::new(10)));
    }

    #[test]
    fn both_tokens_stay_until_a_merge() {
        let mut ledger = TokenLedger::new(Usd::new(10_000_000), 1);
        ledger.buy(0, Outcome::Yes, Shares::new(3_000_000), Usd::new(1_200_000));
        ledger.buy(0, Outcome::No, Shares::new(5_000_000), Usd::new(2_500_000));
        assert_eq!(ledger.mergeable(0), Shares::new(3_000_000));
        assert_eq!(ledger.balance(0, Outcome::No), Shares::new(5_000_000));
        assert_eq!(ledger.purse.cash(), Usd::new(6_300_000));
    }

    #[test]
    fn what_is_set_aside_is_not_free() {
        let mut purse = Purse::new(Usd::new(100));
        purse.reserve(Usd::new(70));
        assert_eq!((purse.free(), purse.reserved()), (Usd::new(30), Usd::new(70)));
        purse.reserve(Usd::new(70));
        assert_eq!(purse.free(), Usd::ZERO, "never negative");
        purse.release(Usd::new(140));
        assert_eq!(purse.free(), Usd::new(100));
    }
}
