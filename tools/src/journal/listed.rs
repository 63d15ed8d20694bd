//! What the venues list, found by id: a busy run has tens of thousands of orders and fills, and
//! every one of them is asked for.

use std::collections::{HashMap, HashSet};

use engine::units::Venue;
use exec::id::Id;
use exec::journal::fold::{Known, State};

use super::truth::{FillRow, OrderRow, Truth};

/// The rows of a [`Truth`], by their ids.
pub struct Listed<'a> {
    by_client: HashMap<(Venue, Id), &'a OrderRow>,
    by_order: HashMap<(Venue, Id), &'a OrderRow>,
    fills: HashMap<(Venue, Id), Vec<&'a FillRow>>,
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
        for row in &truth.fills {
            fills.entry((row.venue, row.order)).or_default().push(row);
        }
        Listed { by_client, by_order, fills }
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

    /// The name that whoever sent the order of a fill gave it, where the venue keeps that.
    fn client(&self, fill: &FillRow) -> Option<Id> {
        self.by_order.get(&(fill.venue, fill.order)).and_then(|row| row.client)
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

    /// True where the journal knows the order of a fill, or the fill.
    pub fn has(&self, fill: &FillRow, listed: &Listed<'_>) -> bool {
        let named = |id: &Id| self.orders.contains(id) || self.past.contains(id);
        let client = listed.client(fill);
        named(&fill.order) || self.past.contains(&fill.trade) || client.as_ref().is_some_and(named)
    }
}
