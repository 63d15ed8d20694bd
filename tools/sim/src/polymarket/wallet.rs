//! A wallet: pUSD and shares, what of it is spoken for and what has not arrived yet.

use std::collections::BTreeMap;

use crate::polymarket::eip712::{Address, address};
use crate::universe::PolymarketAccount;

/// A market's number and 0 or 1 for its token.
pub type TokenKey = (usize, usize);

/// Amounts in millionths: what there is, what open orders hold, what is not mined yet.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Balance {
    /// All of it, fills counted at their match. Below zero for the market model's makers only.
    pub total: i64,
    /// Held by open orders.
    pub held: i64,
    /// Bought or earned, and not mined yet: it cannot be spent (polymarket.md section 7).
    pub pending: i64,
}

impl Balance {
    /// What an order may spend.
    pub const fn free(&self) -> i64 {
        self.total - self.held - self.pending
    }

    /// Something comes or goes; what comes is pending first.
    pub const fn add(&mut self, amount: i64) {
        self.total += amount;
        self.pending += if amount > 0 { amount } else { 0 };
    }

    /// What came is mined.
    pub const fn mined(&mut self, amount: i64) {
        self.pending -= if amount > 0 { amount } else { 0 };
    }

    /// It never came.
    pub const fn undo(&mut self, amount: i64) {
        self.mined(amount);
        self.total -= amount;
    }
}

/// Who holds what.
#[derive(Clone, Default, Debug)]
pub struct Wallet {
    /// Whose key signs.
    pub signer: Address,
    /// Who holds the funds.
    pub funder: Address,
    /// 0 to 3.
    pub signature_type: u8,
    /// Micro-pUSD.
    pub cash: Balance,
    /// Millionths of shares.
    pub shares: BTreeMap<TokenKey, Balance>,
}

impl Wallet {
    /// An account of the universe; `None` where an address is none.
    pub fn new(
        account: &PolymarketAccount,
        token: impl Fn(&str) -> Option<TokenKey>,
    ) -> Option<Wallet> {
        let amount = |e6: i64| Balance { total: e6, ..Balance::default() };
        let held = account.shares.iter().filter_map(|(id, shares)| {
            Some((token(id)?, amount(i64::try_from(shares.e6()).ok()?)))
        });
        Some(Wallet {
            signer: address(&account.signer)?,
            funder: address(&account.funder)?,
            signature_type: account.signature_type,
            cash: amount(account.cash.e6()),
            shares: held.collect(),
        })
    }

    /// What it has of a token.
    pub fn of(&self, token: TokenKey) -> Balance {
        self.shares.get(&token).copied().unwrap_or_default()
    }

    /// The balance of a token, to change it.
    pub fn of_mut(&mut self, token: TokenKey) -> &mut Balance {
        self.shares.entry(token).or_default()
    }
}

/// What one fill moves: `cash` and `shares` of `token`, in millionths, into or out of a wallet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Move {
    /// The wallet; `None` for the market model's makers.
    pub wallet: Option<usize>,
    /// Which token.
    pub token: TokenKey,
    /// Micro-dollars.
    pub cash: i64,
    /// Millionths of a share.
    pub shares: i64,
}
