//! What is written down.

use engine::event::{Action, BundleId, Feedback, Purpose, Settled};
use engine::input::{CORE_INPUT_LEN_MAX, CoreInput};
use engine::pair::{Outcome, PairId};
use engine::risk::Payout;
use engine::tile::Now;
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty, Shares, Usd, Venue};

use super::codec::{Get, Put};
use crate::id::Id;
use crate::sign::order::OrderId;
use crate::sign::text::Text;

/// Longest name of a market, or text of a remark.
pub const NAME_LEN_MAX: usize = 96;

/// A market's name at its venue, or a remark.
pub type Name = Text<NAME_LEN_MAX>;

/// The longest encoded record.
pub const RECORD_LEN_MAX: usize = 512;

/// The start of `text`, as much as fits.
pub fn name(text: &str) -> Name {
    let mut end = text.len().min(NAME_LEN_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut name = Name::EMPTY;
    name.push(&text.as_bytes()[..end]);
    name
}

/// What a person was told, as records: as many as the text takes.
pub fn said(wall: Ns, words: &str) -> impl Iterator<Item = Record> {
    let mut rest = words;
    core::iter::from_fn(move || {
        let text = name(rest);
        rest = &rest[text.as_bytes().len()..];
        (!text.as_bytes().is_empty()).then_some(Record::Said { wall, text })
    })
}

/// Bundles from this number on were numbered by recovery: orders of which nobody knows to which
/// bundle they belonged.
pub const ADOPTED_FROM: u64 = 1 << 54;

/// An order about to leave, with all that is needed to find it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderRecord {
    /// Its bundle.
    pub bundle: BundleId,
    /// Its pair.
    pub pair: PairId,
    /// Its leg.
    pub leg: u8,
    /// Its market.
    pub market: MarketId,
    /// Which outcome is bought or sold.
    pub outcome: Outcome,
    /// Which of both.
    pub action: Action,
    /// What its bundle is for.
    pub purpose: Purpose,
    /// True for an amount to spend.
    pub spends: bool,
    /// Worst price.
    pub limit: Px,
    /// Size.
    pub qty: Qty,
    /// Price x size.
    pub budget: Usd,
    /// What it may cost with fees.
    pub reserve: Usd,
    /// Our own id of it.
    pub client: Id,
    /// The venue's id of it, where that is known beforehand.
    pub venue: Option<Id>,
    /// When; Unix.
    pub wall: Ns,
}

/// What evidence says of an order whose fate a crash left open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where.
    pub venue: Venue,
    /// Our own id of it.
    pub client: Id,
    /// True where the venue knows it.
    pub exists: bool,
    /// All that it filled.
    pub shares: Shares,
    /// What that cost without fees.
    pub cash: Usd,
    /// The fees.
    pub fee: Usd,
}

/// One record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // It crosses rings by value; boxing would allocate.
pub enum Record {
    /// A run begins. What follows up to the first order is what it begins with.
    Run {
        /// Its number, which never repeats.
        run: u64,
        /// When; Unix.
        wall: Ns,
        /// Orders cost money.
        live: bool,
    },
    /// A market's number in this run, and its name at its venue.
    Market {
        /// The number.
        market: MarketId,
        /// The ticker or the condition id.
        name: Name,
    },
    /// An outcome's token.
    Token {
        /// Of which market.
        market: MarketId,
        /// Which outcome.
        outcome: Outcome,
        /// Its id, decimal.
        name: Name,
    },
    /// Money at a venue when the run began.
    Cash {
        /// Where.
        venue: Venue,
        /// How much.
        cash: Usd,
    },
    /// A position when the run began, in 1e-6 contracts; on Kalshi of YES, below zero of NO.
    Held {
        /// Of which market.
        market: MarketId,
        /// Of which outcome; YES on Kalshi.
        outcome: Outcome,
        /// How much.
        e6: i64,
    },
    /// Orders of these bundles may leave under this run's ids.
    Ids {
        /// First bundle.
        first: u64,
        /// Last bundle.
        last: u64,
    },
    /// An order that was signed, so that it may leave.
    Armed {
        /// Its id at the venue.
        id: OrderId,
        /// Its market.
        market: MarketId,
        /// Which outcome.
        outcome: Outcome,
        /// Worst price.
        limit: Px,
        /// Size.
        qty: Qty,
        /// When; Unix.
        wall: Ns,
    },
    /// An order leaves.
    Order(OrderRecord),
    /// A gate said something.
    Heard(Feedback),
    /// A bundle ended.
    Ended(Settled),
    /// A safeguard stopped something.
    Tripped {
        /// On which pair.
        pair: PairId,
        /// When; monotonic.
        at: Ns,
        /// Which, by the number of its kind.
        risk: u8,
    },
    /// What evidence says of an order that a crash left open.
    Found(Finding),
    /// The venue's figure differed from ours.
    Differs {
        /// Where.
        venue: Venue,
        /// What, in words.
        what: Name,
        /// Ours.
        ours: i64,
        /// The venue's.
        theirs: i64,
        /// The venue's was taken over.
        taken: bool,
    },
    /// A venue paid for contracts of a market that settled.
    Paid(Payout),
    /// A trade that nobody here made was there when the run began: what the run begins with holds
    /// it already.
    Seen {
        /// The venue's id of it.
        trade: Id,
    },
    /// As many YES as NO contracts of a market of Polymarket became their dollar, or a dollar them.
    Merged {
        /// Of which market.
        market: MarketId,
        /// How many of each went, in 1e-6; below zero where they came.
        e6: i64,
    },
    /// What a person was told: why trading stopped, that it was armed again, what does not work. A
    /// long text goes on in the next record.
    Said {
        /// When; Unix.
        wall: Ns,
        /// The words.
        text: Name,
    },
    /// The run ended in order.
    End {
        /// Orders of unknown fate.
        unknown: u64,
        /// Bundles that had not ended.
        open: u64,
    },
}

impl Record {
    /// Appends the record's bytes to `to`.
    pub fn encode(&self, to: &mut Vec<u8>) {
        let mut put = Put(to);
        match self {
            Record::Run { run, wall, live } => {
                put.u8(0);
                put.u64(*run);
                put.u64(wall.0);
                put.bool(*live);
            }
            Record::Market { market, name } => {
                put.u8(1);
                put.market(*market);
                put.short(name.as_bytes());
            }
            Record::Token { market, outcome, name } => {
                put.u8(2);
                put.market(*market);
                put.outcome(*outcome);
                put.short(name.as_bytes());
            }
            Record::Cash { venue, cash } => {
                put.u8(3);
                put.venue(*venue);
                put.i64(cash.e6());
            }
            Record::Held { market, outcome, e6 } => {
                put.u8(4);
                put.market(*market);
                put.outcome(*outcome);
                put.i64(*e6);
            }
            Record::Ids { first, last } => {
                put.u8(5);
                put.u64(*first);
                put.u64(*last);
            }
            Record::Armed { id, market, outcome, limit, qty, wall } => {
                put.u8(6);
                put.0.extend_from_slice(&id.0);
                put.market(*market);
                put.outcome(*outcome);
                put.u16(limit.e4());
                put.u64(qty.e2());
                put.u64(wall.0);
            }
            Record::Order(order) => {
                put.u8(7);
                put_order(&mut put, order);
            }
            Record::Heard(feedback) => {
                put.u8(8);
                let mut bytes = [0; CORE_INPUT_LEN_MAX];
                let len = CoreInput::Feedback(*feedback).encode(Now::default(), &mut bytes);
                put.short(&bytes[..len]);
            }
            Record::Ended(settled) => {
                put.u8(9);
                put.u64(settled.bundle.0);
                put.u16(settled.pair.0);
                put.u64(settled.at.0);
                settled.filled.iter().for_each(|shares| put.u64(shares.e6()));
                put.u64(settled.matched.e6());
                put.i64(settled.profit.e6());
                put.i64(settled.excess.e6());
            }
            Record::Tripped { pair, at, risk } => {
                put.u8(10);
                put.u16(pair.0);
                put.u64(at.0);
                put.u8(*risk);
            }
            Record::Found(found) => {
                put.u8(11);
                put.venue(found.venue);
                put.id(Some(&found.client));
                put.bool(found.exists);
                put.u64(found.shares.e6());
                put.i64(found.cash.e6());
                put.i64(found.fee.e6());
            }
            Record::Differs { venue, what, ours, theirs, taken } => {
                put.u8(12);
                put.venue(*venue);
                put.short(what.as_bytes());
                put.i64(*ours);
                put.i64(*theirs);
                put.bool(*taken);
            }
            Record::End { unknown, open } => {
                put.u8(13);
                put.u64(*unknown);
                put.u64(*open);
            }
            Record::Seen { trade } => {
                put.u8(15);
                put.id(Some(trade));
            }
            Record::Merged { market, e6 } => {
                put.u8(16);
                put.market(*market);
                put.i64(*e6);
            }
            Record::Said { wall, text } => {
                put.u8(17);
                put.u64(wall.0);
                put.short(text.as_bytes());
            }
            Record::Paid(payout) => {
                put.u8(14);
                put.market(payout.market);
                put.outcome(payout.outcome);
                put.u64(payout.shares.e6());
                put.u16(payout.each.e4());
                put.i64(payout.paid.e6());
            }
        }
    }

    /// Reads what [`Record::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Record> {
        let mut get = Get(bytes);
        let record = match get.u8()? {
            0 => Record::Run { run: get.u64()?, wall: get.ns()?, live: get.bool()? },
            1 => Record::Market { market: get.market()?, name: get_name(&mut get)? },
            2 => Record::Token {
                market: get.market()?,
                outcome: get.outcome()?,
                name: get_name(&mut get)?,
            },
            3 => Record::Cash { venue: get.venue()?, cash: get.usd()? },
            4 => Record::Held { market: get.market()?, outcome: get.outcome()?, e6: get.i64()? },
            5 => Record::Ids { first: get.u64()?, last: get.u64()? },
            6 => Record::Armed {
                id: OrderId(get.array()?),
                market: get.market()?,
                outcome: get.outcome()?,
                limit: get.px()?,
                qty: get.qty()?,
                wall: get.ns()?,
            },
            7 => Record::Order(get_order(&mut get)?),
            8 => match CoreInput::decode(get.short()?)? {
                (_, CoreInput::Feedback(feedback)) => Record::Heard(feedback),
                _ => return None,
            },
            9 => Record::Ended(Settled {
                bundle: BundleId(get.u64()?),
                pair: PairId(get.u16()?),
                at: get.ns()?,
                filled: [Shares::new(get.u64()?), Shares::new(get.u64()?)],
                matched: Shares::new(get.u64()?),
                profit: get.usd()?,
                excess: get.usd()?,
            }),
            10 => Record::Tripped { pair: PairId(get.u16()?), at: get.ns()?, risk: get.u8()? },
            11 => Record::Found(Finding {
                venue: get.venue()?,
                client: get.id()??,
                exists: get.bool()?,
                shares: Shares::new(get.u64()?),
                cash: get.usd()?,
                fee: get.usd()?,
            }),
            12 => Record::Differs {
                venue: get.venue()?,
                what: get_name(&mut get)?,
                ours: get.i64()?,
                theirs: get.i64()?,
                taken: get.bool()?,
            },
            13 => Record::End { unknown: get.u64()?, open: get.u64()? },
            14 => Record::Paid(Payout {
                market: get.market()?,
                outcome: get.outcome()?,
                shares: Shares::new(get.u64()?),
                each: get.px()?,
                paid: get.usd()?,
            }),
            15 => Record::Seen { trade: get.id()?? },
            16 => Record::Merged { market: get.market()?, e6: get.i64()? },
            17 => Record::Said { wall: get.ns()?, text: get_name(&mut get)? },
            _ => return None,
        };
        get.0.is_empty().then_some(record)
    }
}

fn put_order(put: &mut Put<'_>, order: &OrderRecord) {
    put.u64(order.bundle.0);
    put.u16(order.pair.0);
    put.u8(order.leg);
    put.market(order.market);
    put.outcome(order.outcome);
    put.bool(order.action == Action::Sell);
    put.u8(order.purpose as u8);
    put.bool(order.spends);
    put.u16(order.limit.e4());
    put.u64(order.qty.e2());
    put.i64(order.budget.e6());
    put.i64(order.reserve.e6());
    put.id(Some(&order.client));
    put.id(order.venue.as_ref());
    put.u64(order.wall.0);
}

fn get_order(get: &mut Get<'_>) -> Option<OrderRecord> {
    Some(OrderRecord {
        bundle: BundleId(get.u64()?),
        pair: PairId(get.u16()?),
        leg: get.u8()?,
        market: get.market()?,
        outcome: get.outcome()?,
        action: if get.bool()? { Action::Sell } else { Action::Buy },
        purpose: *Purpose::ALL.get(usize::from(get.u8()?))?,
        spends: get.bool()?,
        limit: get.px()?,
        qty: get.qty()?,
        budget: get.usd()?,
        reserve: get.usd()?,
        client: get.id()??,
        venue: get.id()?,
        wall: get.ns()?,
    })
}

fn get_name(get: &mut Get<'_>) -> Option<Name> {
    let bytes = get.short().filter(|bytes| bytes.len() <= NAME_LEN_MAX)?;
    let mut name = Name::EMPTY;
    name.push(bytes);
    Some(name)
}

#[cfg(test)]
#[path = "record_tests.rs"]
pub(crate) mod tests;
