//! What both venues say of an account, in one form.

use std::collections::{BTreeMap, BTreeSet};

use engine::event::Action;
use engine::fee::cost_of;
use engine::pair::Outcome;
use engine::units::{Ns, Px, Shares, Usd, Venue};
use exec::id::Id;
use exec::private::{Expect, Stand, TradeStands};
use exec::sign::order::{OrderId, write_cancel};

use crate::account::Session;
use crate::pairs::{PairFile, PairSpec, Version};
use crate::rest::kalshi::KalshiRest;
use crate::rest::polymarket::{PolymarketRest, Resolved};
use crate::rest::{Agent, Carrier, RestError, RestErrorKind};

/// Orders are asked for from so long before the fills: an order of the run before may have filled
/// while this one began, and its row is what names it.
const ORDERS_BEFORE_S: u64 = 600;

/// After so many pages that nobody answered for, no other one is asked for that time.
const UNANSWERED_MAX: usize = 2;

/// An order as a venue keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderRow {
    /// Where.
    pub venue: Venue,
    /// The venue's id.
    pub order: Id,
    /// Ours, where the venue keeps it.
    pub client: Option<Id>,
    /// Ticker or token.
    pub name: String,
    /// Which outcome it gains, on Kalshi.
    pub outcome: Outcome,
    /// Its worst price of that outcome.
    pub limit: Px,
    /// Its market's shard, on Kalshi.
    pub shard: u32,
    /// Whether it can still fill.
    pub stand: Stand,
    /// What its fills must add up to, where that is told.
    pub expect: Option<Expect>,
}

/// A fill as a venue keeps it; parts of one trade are rows of their own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FillRow {
    /// Where.
    pub venue: Venue,
    /// The venue's id of the order.
    pub order: Id,
    /// The trade.
    pub trade: Id,
    /// Ticker or token.
    pub name: String,
    /// Which outcome it gained, on Kalshi.
    pub outcome: Outcome,
    /// Bought or sold.
    pub action: Action,
    /// How much.
    pub shares: Shares,
    /// At which price of that outcome.
    pub px: Px,
    /// The fee, where the venue tells it.
    pub fee: Option<Usd>,
    /// False for a trade that failed.
    pub stands: bool,
    /// True where nothing more can become of it.
    pub is_final: bool,
}

impl FillRow {
    /// What it cost or brought, without the fee.
    pub fn cash(&self) -> Usd {
        cost_of(self.shares, self.px)
    }
}

/// A market that settled, as its venue says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaidRow {
    /// Where.
    pub venue: Venue,
    /// Ticker or condition id.
    pub name: String,
    /// What a YES contract paid.
    pub yes: Px,
    /// What all our contracts of it paid, where the venue tells.
    pub paid: Option<Usd>,
}

/// What both venues say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Truth {
    /// When they were asked, by this host's clock; Unix.
    pub asked: Ns,
    /// Money by venue.
    pub cash: [Usd; 2],
    /// Kalshi's positions by ticker: YES above zero, NO below; 1e-6 contracts.
    pub net: BTreeMap<String, i64>,
    /// Polymarket's shares by token; 1e-6.
    pub tokens: BTreeMap<String, i64>,
    /// Orders.
    pub orders: Vec<OrderRow>,
    /// Fills.
    pub fills: Vec<FillRow>,
    /// Markets that settled, of those that were asked for.
    pub paid: Vec<PaidRow>,
    /// Pages of markets that could not be read, and why: what they would say is not known.
    pub unread: Vec<String>,
}

/// A market that somebody believes to hold something of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HeldRow {
    /// Ticker or condition id.
    pub name: String,
    /// Its tokens, YES first; none on Kalshi.
    pub tokens: Option<[String; 2]>,
    /// How much is believed to be held, YES and NO; on Kalshi of YES alone, below zero of NO; 1e-6.
    pub held: [i64; 2],
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// Fills since, and orders since a little before; Unix seconds.
    pub since_s: u64,
    /// Tokens, and whether they are of Polymarket's second version.
    pub tokens: BTreeSet<(String, bool)>,
    /// Orders on Polymarket whose fate is open.
    pub open: Vec<Id>,
    /// What is believed to be held: where the venue holds less, it may have settled.
    pub held: Vec<HeldRow>,
    /// One of those of Polymarket that is asked about although its tokens are there: nobody may
    /// have redeemed them yet.
    pub resolved: Option<String>,
}

impl Wanted {
    /// The tokens of these pairs.
    pub fn of(file: &PairFile) -> Wanted {
        let tokens = file.pairs.iter().flat_map(Wanted::of_pair);
        Wanted { tokens: tokens.collect(), ..Wanted::default() }
    }

    /// The tokens of a pair.
    pub fn of_pair(pair: &PairSpec) -> [(String, bool); 2] {
        let p = &pair.polymarket;
        let is_v2 = p.version == Version::V2;
        [(p.yes.clone(), is_v2), (p.no.clone(), is_v2)]
    }
}

/// Whoever knows.
pub trait Books {
    /// Everything at once. Reads may lag behind what happened.
    ///
    /// # Errors
    /// In words.
    fn ask(&mut self, wanted: &Wanted) -> Result<Truth, String>;

    /// Money and positions alone.
    ///
    /// # Errors
    /// In words.
    fn standing(&mut self, wanted: &Wanted) -> Result<Truth, String>;

    /// Takes an order back that rests. Whether it worked shows when it is asked for again.
    ///
    /// # Errors
    /// In words.
    fn cancel(&mut self, order: &OrderRow) -> Result<(), String>;
}

/// Clients of both venues, logged in, whatever carries their requests.
pub struct Clients<'a, A> {
    /// Kalshi.
    pub kalshi: &'a mut KalshiRest<A>,
    /// Polymarket.
    pub polymarket: &'a mut PolymarketRest<A>,
}

impl Session {
    fn clients(&mut self) -> Clients<'_, Agent> {
        Clients { kalshi: &mut self.kalshi, polymarket: &mut self.polymarket }
    }
}

impl Books for Session {
    fn ask(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        self.clients().ask(wanted)
    }

    fn standing(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        self.clients().standing(wanted)
    }

    fn cancel(&mut self, order: &OrderRow) -> Result<(), String> {
        self.clients().cancel(order)
    }
}

impl<A: Carrier> Books for Clients<'_, A> {
    fn ask(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        ask(self, wanted).map_err(|error| error.to_string())
    }

    fn standing(&mut self, wanted: &Wanted) -> Result<Truth, String> {
        let mut truth = Truth::default();
        stand(self, wanted, &mut truth).map_err(|error| error.to_string())?;
        Ok(truth)
    }

    fn cancel(&mut self, order: &OrderRow) -> Result<(), String> {
        let id = order.order.as_str();
        let done = match order.venue {
            Venue::Kalshi => self.kalshi.cancel(id, &order.name, order.shard).map(|_| ()),
            Venue::Polymarket => {
                let mut body = Vec::new();
                if let Some(id) = OrderId::parse(id) {
                    write_cancel(id, &mut body);
                }
                self.polymarket.cancel(&body).map(|_| ())
            }
        };
        done.map_err(|error| error.to_string())
    }
}

fn ask<A: Carrier>(session: &mut Clients<'_, A>, wanted: &Wanted) -> Result<Truth, RestError> {
    let mut truth = Truth { asked: session.kalshi.wall(), ..Truth::default() };
    // Orders before fills before positions: what comes in between shows in the later ones, and a
    // difference is asked about again.
    let orders_since_s = wanted.since_s.saturating_sub(ORDERS_BEFORE_S);
    for order in session.kalshi.orders(None, None, Some(orders_since_s))? {
        let Some(id) = Id::parse(&order.order_id) else { continue };
        let yes = px(order.yes_price_dollars.0);
        let buys_yes = order.book_side == "bid";
        truth.orders.push(OrderRow {
            venue: Venue::Kalshi,
            order: id,
            client: Id::parse(&order.client_order_id),
            name: order.ticker,
            outcome: if buys_yes { Outcome::Yes } else { Outcome::No },
            limit: if buys_yes { yes } else { yes.complement() },
            shard: order.exchange_index,
            stand: if order.status == "resting" { Stand::Resting } else { Stand::Ended },
            expect: Some(Expect::Shares(shares_of_e2(order.fill_count_fp.0))),
        });
    }
    for fill in session.kalshi.fills(wanted.since_s)? {
        let ids = Id::parse(&fill.order_id).zip(Id::parse(&fill.trade_id));
        let Some((order, trade)) = ids else { continue };
        let gains_yes = fill.outcome_side == "yes";
        let yes = px(fill.yes_price_dollars.0);
        truth.fills.push(FillRow {
            venue: Venue::Kalshi,
            order,
            trade,
            name: fill.ticker,
            outcome: if gains_yes { Outcome::Yes } else { Outcome::No },
            // A sale of one outcome is a purchase of the other: the venue nets them.
            action: Action::Buy,
            shares: shares_of_e2(fill.count_fp.0),
            px: if gains_yes { yes } else { yes.complement() },
            fee: Some(Usd::new(fill.fee_cost.0)),
            stands: true,
            is_final: true,
        });
    }
    for id in &wanted.open {
        if let Some(news) = session.polymarket.order(id)? {
            truth.orders.push(OrderRow {
                venue: Venue::Polymarket,
                order: *id,
                client: Some(*id),
                name: String::new(),
                outcome: Outcome::Yes,
                limit: Px::ZERO,
                shard: 0,
                stand: news.stand,
                expect: news.expect,
            });
        }
    }
    for told in session.polymarket.fills(wanted.since_s)? {
        truth.fills.push(FillRow {
            venue: Venue::Polymarket,
            order: told.news.order,
            trade: told.news.trade,
            name: told.token,
            outcome: Outcome::Yes,
            action: if told.sells { Action::Sell } else { Action::Buy },
            shares: told.news.shares,
            px: told.news.px,
            fee: told.news.fee,
            stands: told.news.stands != TradeStands::Failed,
            is_final: told.is_final,
        });
    }
    stand(session, wanted, &mut truth)?;
    Ok(truth)
}

/// Money and positions.
fn stand<A: Carrier>(
    session: &mut Clients<'_, A>,
    wanted: &Wanted,
    truth: &mut Truth,
) -> Result<(), RestError> {
    for position in session.kalshi.positions()? {
        truth.net.insert(position.ticker, position.position_fp.0.saturating_mul(10_000));
    }
    for (token, is_v2) in &wanted.tokens {
        let shares = session.polymarket.shares(token, *is_v2)?;
        truth.tokens.insert(token.clone(), i64::try_from(shares.e6()).unwrap_or(i64::MAX));
    }
    settled(session, wanted, truth)?;
    // Last: what settles meanwhile shows as money beyond what is explained, and is asked for again.
    truth.cash = [session.kalshi.balance()?.total, session.polymarket.balance()?];
    Ok(())
}

/// Asks about markets of which less is held than was believed.
fn settled<A: Carrier>(
    session: &mut Clients<'_, A>,
    wanted: &Wanted,
    truth: &mut Truth,
) -> Result<(), RestError> {
    let gone = |row: &&HeldRow| row.tokens.is_none() && !truth.net.contains_key(&row.name);
    let tickers: Vec<&HeldRow> = wanted.held.iter().filter(gone).collect();
    if !tickers.is_empty() {
        for row in session.kalshi.settlements(wanted.since_s)? {
            // A part of a cent is nothing that our prices could hold: a person has to look.
            let cents = row.value.as_ref().and_then(serde_json::Number::as_i64);
            let yes = cents.and_then(|cents| u16::try_from(cents.saturating_mul(100)).ok());
            let Some(yes) = yes.and_then(Px::new) else { continue };
            let paid = Some(Usd::new(row.revenue.saturating_mul(10_000)));
            if tickers.iter().any(|held| held.name == row.ticker) {
                truth.paid.push(PaidRow { venue: Venue::Kalshi, name: row.ticker, yes, paid });
            }
        }
    }
    let mut ask = |name: &str| session.polymarket.resolved(name);
    let (paid, unread) = winners(wanted, &truth.tokens, &mut ask);
    truth.paid.extend(paid);
    truth.unread = unread;
    Ok(())
}

/// Whoever knows what became of a market of Polymarket.
type AskWinner<'a> = dyn FnMut(&str) -> Result<Option<Resolved>, RestError> + 'a;

/// What settled of Polymarket's markets that less is there of than is believed, and which of their
/// pages could not be read: that says nothing of the others.
fn winners(
    wanted: &Wanted,
    shares: &BTreeMap<String, i64>,
    ask: &mut AskWinner<'_>,
) -> (Vec<PaidRow>, Vec<String>) {
    let (mut rows, mut unread) = (Vec::new(), Vec::new());
    let mut unanswered = 0;
    for row in &wanted.held {
        let Some(tokens) = &row.tokens else { continue };
        let less = |(token, held): (&String, i64)| shares.get(token).is_some_and(|it| *it < held);
        let is_missing = tokens.iter().zip(row.held).any(less);
        if !is_missing && wanted.resolved.as_ref() != Some(&row.name) {
            continue;
        }
        // Whoever answers nobody need not be asked for every market.
        if unanswered >= UNANSWERED_MAX {
            unread.push(format!("{}: not asked, because others were not answered", row.name));
            continue;
        }
        let [yes, no] = tokens;
        let paid = match ask(&row.name) {
            Ok(Some(Resolved::Won(token))) if token == *yes => Px::ONE,
            Ok(Some(Resolved::Won(token))) if token == *no => Px::ZERO,
            // So much, where the money says so too: see `payouts`.
            Ok(Some(Resolved::Split(parts))) => match parts.iter().find(|part| part.0 == *yes) {
                Some((_, part)) => *part,
                None => continue,
            },
            Ok(Some(Resolved::Won(_)) | None) => continue,
            Err(error) => {
                unanswered += usize::from(matches!(error.kind, RestErrorKind::NoAnswer(_)));
                unread.push(format!("{}: {error}", row.name));
                continue;
            }
        };
        let (venue, name) = (Venue::Polymarket, row.name.clone());
        rows.push(PaidRow { venue, name, yes: paid, paid: None });
    }
    (rows, unread)
}

fn px(e4: i64) -> Px {
    u16::try_from(e4).ok().and_then(Px::new).unwrap_or(Px::ZERO)
}

fn shares_of_e2(e2: i64) -> Shares {
    Shares::new(u64::try_from(e2).unwrap_or(0).saturating_mul(10_000))
}

#[cfg(test)]
#[path = "truth_tests.rs"]
mod tests;
