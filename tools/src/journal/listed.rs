//! What the venues list, found by id and added up: a busy run has tens of thousands of orders and fills, and
//! every one of them is asked for.

use std::collections::{BTreeMap, HashMap, HashSet};

use engine::fee::FillFees;
use engine::pair::FeeRule;
use engine::units::{Shares, Usd, Venue};
use exec::id::Id;
use exec::journal::fold::{Known, State};

use super::truth::{FillRow, OrderRow, Truth};

/// The rows of a [`Truth`], by their ids.
pub struct Listed<'a> {
    by_client: HashMap<(Venue, Id), &'a OrderRow>,
    by_order: HashMap<(Venue, Id), &'a OrderRow>,
    fills: HashMap<(Venue, Id), Vec<&'a FillRow>>,
    /// Orders of Kalshi that have fills and no row, in the order of their fills.
    nameless: Vec<Id>,
}

impl<'a> Listed<'a> {
    /// Of what the venues said.
    pub fn new(truth: &'a Truth) -> Listed<'a> {
        let (mut by_client, mut by_order) = (HashMap::new(), HashMap::new());
        for row in &truth.orders {
            by_order.entry((row.venue, row.order)).or_insert(row);
            if let Some(client) = row.client {
                by_client.entry((row.venue, client)).or_insert(row);
            }
        }
        let mut fills: HashMap<_, Vec<_>> = HashMap::new();
        let mut nameless = Vec::new();
        for row in &truth.fills {
            let key = (row.venue, row.order);
            let rows = fills.entry(key).or_default();
            if rows.is_empty() && row.venue == Venue::Kalshi && !by_order.contains_key(&key) {
                nameless.push(row.order);
            }
            rows.push(row);
        }
        Listed { by_client, by_order, fills, nameless }
    }

    /// The row of one of our orders.
    pub fn row(&self, known: &Known) -> Option<&'a OrderRow> {
        let venue = known.order.market.venue();
        let by_client = self.by_client.get(&(venue, known.order.client));
        let named = || known.order.venue.and_then(|id| self.by_order.get(&(venue, id)));
        by_client.or_else(named).copied()
    }

    /// The fills of an order, by the venue's id of it.
    pub fn fills(&self, venue: Venue, order: &Id) -> &[&'a FillRow] {
        self.fills.get(&(venue, *order)).map_or(&[], Vec::as_slice)
    }

    /// True where the venue lists an order of that id of its own.
    pub fn has(&self, venue: Venue, order: &Id) -> bool {
        self.by_order.contains_key(&(venue, *order))
    }

    /// Orders of Kalshi that are listed by their fills alone.
    pub fn nameless(&self) -> &[Id] {
        &self.nameless
    }

    /// The name that whoever sent the order of a fill gave it, where the venue keeps that.
    fn client(&self, fill: &FillRow) -> Option<Id> {
        self.by_order.get(&(fill.venue, fill.order)).and_then(|row| row.client)
    }
}

/// What the fills of an order add up to.
#[derive(Clone, Copy, Default)]
pub struct Sum {
    /// Filled.
    pub shares: Shares,
    /// What that cost without fees.
    pub cash: Usd,
    /// The fees.
    pub fee: Usd,
    /// Trades.
    pub trades: usize,
    /// Of trades that failed.
    pub failed: Shares,
    /// Some of it may still fail.
    pub pending: bool,
    /// The venue did not say all of the fee, and the rule of the token is not known.
    pub feeless: bool,
}

impl Sum {
    /// Of these fills; `fee` gives the rule of a Polymarket token.
    pub fn of(rows: &[&FillRow], fee: &dyn Fn(&str) -> FeeRule) -> Sum {
        let mut fees: BTreeMap<&str, FillFees> = BTreeMap::new();
        let mut trades: Vec<Id> = Vec::new();
        let mut sum = Sum::default();
        for row in rows {
            if !trades.contains(&row.trade) {
                trades.push(row.trade);
            }
            sum.pending |= !row.is_final;
            if !row.stands {
                sum.failed += row.shares;
                continue;
            }
            sum.shares += row.shares;
            sum.cash += row.cash();
            sum.fee += match (row.fee, fee(&row.name)) {
                (Some(fee), _) => fee,
                (None, FeeRule::Unknown) => {
                    sum.feeless = true;
                    Usd::ZERO
                }
                (None, rule) => fees
                    .entry(row.name.as_str())
                    .or_insert_with(|| FillFees::new(rule, Usd::new(1)))
                    .buy(row.shares, row.px, row.cash()),
            };
        }
        sum.trades = trades.len();
        sum
    }
}

/// Ids of what a journal knows of: its orders, and what was before them.
pub struct Ours {
    orders: HashSet<Id>,
    past: HashSet<Id>,
}

impl Ours {
    /// Of a journal.
    pub fn new(state: &State) -> Ours {
        let ids = |known: &Known| [Some(known.order.client), known.order.venue];
        Ours {
            orders: state.orders.values().flat_map(ids).flatten().collect(),
            past: state.past.iter().copied().collect(),
        }
    }

    /// Takes in orders by the venue's ids of them.
    pub fn claim(&mut self, orders: Vec<Id>) {
        self.orders.extend(orders);
    }

    /// True where the journal knows the order of a fill, or the fill.
    pub fn has(&self, fill: &FillRow, listed: &Listed<'_>) -> bool {
        let named = |id: &Id| self.orders.contains(id) || self.past.contains(id);
        let client = listed.client(fill);
        named(&fill.order) || self.past.contains(&fill.trade) || client.as_ref().is_some_and(named)
    }
}
