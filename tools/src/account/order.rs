//! `parallax order`.

use clap::{Args, ValueEnum};
use engine::pair::Outcome;
use engine::units::{Px, Qty, Usd, Venue};
use exec::action::Action;
use exec::sign::order::{OrderId, Placement, write_cancel};
use exec::sign::rng::SignerRng;
use serde_json::{Value, json};

use super::ask::{Ask, Life, named};
use super::balances::told;
use super::preview::{Preview, TakerFee, Until, kalshi_levels, preview};
use super::{AccountError, Session};
use crate::config::live::{Trading, can_trade, refusals, trading};
use crate::config::{self, Config, ConfigArgs};
use crate::decimal::{contracts, price};
use crate::pairs::{PairFile, PairSpec};
use crate::rest::{RestError, RestErrorKind, facts, keys, wall};
use crate::stdout;

/// What stands for a value that nobody may see.
const REDACTED: &str = "<redacted>";

/// Place or cancel one order by hand.
///
/// Without --live nothing is sent: the request is shown as it would be sent, without what is
/// secret, beside what the book that stands would fill. To send it, --live, mode = "live" in the
/// file and DRY_RUN=0 must all be given, and everything that a live start checks must be right. A
/// cancel needs the three words alone.
///
/// MARKET is a pair's id, a Kalshi ticker, or the condition id of a pair's market on Polymarket.
/// Prices are those of the outcome. A sale on Kalshi closes a position and never opens one, if it
/// is immediate or cancel. Orders count against limits.order_notional_max.
///
/// Exit status: 0 when it was shown or the venue took it, 1 when not, or when nobody knows, 2 when
/// the command line is wrong.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax order kalshi buy KXFED-26DEC-T3.50 yes 10 0.56
  parallax order polymarket sell fed-26dec-t3.50 no 25 0.41 --tif gtc --live
  parallax order kalshi cancel 3b23c1c7-f4ef-4f0d-8b9a-9e53c61f1a0d --live")]
pub struct OrderArgs {
    /// Where.
    #[arg(value_enum)]
    pub venue: VenueName,
    /// What to do.
    #[arg(value_enum)]
    pub action: Verb,
    /// The market; the order's id for a cancel.
    #[arg(value_name = "MARKET|ID")]
    pub target: String,
    /// Which outcome.
    #[arg(value_enum, required_if_eq_any([("action", "buy"), ("action", "sell")]))]
    pub outcome: Option<OutcomeName>,
    /// Contracts.
    #[arg(value_name = "QTY", value_parser = contracts, required_if_eq_any([("action", "buy"), ("action", "sell")]))]
    pub qty: Option<Qty>,
    /// Worst price of the outcome, in dollars.
    #[arg(value_name = "PRICE", value_parser = price, required_if_eq_any([("action", "buy"), ("action", "sell")]))]
    pub price: Option<Px>,
    /// How long it may live: immediate or cancel, fill or kill, until it is cancelled.
    #[arg(long, value_enum, default_value_t = Life::Ioc)]
    pub tif: Life,
    /// Send it, if the configuration and DRY_RUN allow it too.
    #[arg(long)]
    pub live: bool,
    /// Where to read the configuration from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// A venue's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum VenueName {
    /// Kalshi.
    Kalshi,
    /// Polymarket.
    Polymarket,
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Verb {
    /// Give money for contracts.
    Buy,
    /// Give contracts for money.
    Sell,
    /// Take an order back.
    Cancel,
}

/// An outcome's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum OutcomeName {
    /// The market's YES.
    Yes,
    /// The market's NO.
    No,
}

/// A request as it would be sent.
struct Shown {
    method: &'static str,
    url: String,
    /// Names of headers whose values nobody may see.
    headers: &'static [&'static str],
    /// Without what is secret.
    body: Value,
}

const KALSHI_HEADERS: &[&str] =
    &["KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE"];
const POLYMARKET_HEADERS: &[&str] =
    &["POLY_ADDRESS", "POLY_SIGNATURE", "POLY_TIMESTAMP", "POLY_API_KEY", "POLY_PASSPHRASE"];

/// Runs `parallax order`.
///
/// # Errors
/// [`AccountError`].
pub fn run(args: &OrderArgs) -> Result<(), AccountError> {
    let config = config::load(&args.config)?;
    let venue = match args.venue {
        VenueName::Kalshi => Venue::Kalshi,
        VenueName::Polymarket => Venue::Polymarket,
    };
    let paper = match trading(&config, args.live) {
        Trading::Paper(why) => Some(why.to_string()),
        Trading::Live if !can_trade(config.environment, venue) => {
            Some("Polymarket has no demo venue: its orders are paper there".to_owned())
        }
        Trading::Live => None,
    };
    let desk = OrderDesk { config: &config, paper, json: args.json };
    let (Some(outcome), Some(qty), Some(price)) = (args.outcome, args.qty, args.price) else {
        return desk.cancel(venue, &args.target);
    };
    let outcome = match outcome {
        OutcomeName::Yes => Outcome::Yes,
        OutcomeName::No => Outcome::No,
    };
    let action = match args.action {
        Verb::Buy => Action::Buy,
        Verb::Sell => Action::Sell,
        Verb::Cancel => {
            return Err(AccountError::Order("a cancel takes an order's id and no more".into()));
        }
    };
    let ask = Ask { action, outcome, qty, price, life: args.tif };
    if let Some(limit) = config.limits.order_notional_max.filter(|limit| ask.notional() > *limit) {
        let notional = ask.notional();
        return Err(AccountError::Order(format!(
            "the order comes to ${notional}, above limits.order_notional_max (${limit})"
        )));
    }
    match venue {
        Venue::Kalshi => desk.kalshi(&ask, &args.target),
        Venue::Polymarket => desk.polymarket(&ask, &args.target),
    }
}

/// Shows orders, or sends them.
struct OrderDesk<'c> {
    config: &'c Config,
    /// Why nothing is sent; `None` where it is.
    paper: Option<String>,
    json: bool,
}

impl OrderDesk<'_> {
    fn kalshi(&self, ask: &Ask, name: &str) -> Result<(), AccountError> {
        // A ticker needs no pair file; without one the fee is not known.
        let pairs = self.config.load_pairs(&[]).unwrap_or_default();
        let pair = named(&pairs, name);
        let ticker = pair.map_or(name, |pair| pair.kalshi.ticker.as_str());
        let mut session = Session::signing(self.config)?;
        let market = session.kalshi.market(ticker)?;
        let seed = keys::seed()?;
        let id = uuid(&seed);
        let intent = ask.kalshi(&market, id)?;
        let mut body = Vec::new();
        intent.write_body(ticker, &mut body);
        let book = session.kalshi.book(ticker, 0)?;
        let levels = kalshi_levels(&book, ask.action, ask.outcome);
        let fee = TakerFee::of_kalshi(pair);
        let would = preview(ask.action, &levels, ask.price, Until::Filled(ask.qty), fee);
        let shown = Shown {
            method: "POST",
            url: format!("{}/portfolio/events/orders", self.config.kalshi.rest),
            headers: KALSHI_HEADERS,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        if let Some(why) = &self.paper {
            return self.show(why, &shown, Some((ask, would)));
        }
        self.admit(&mut session)?;
        let client_order_id = shown.body["client_order_id"].as_str().unwrap_or_default().to_owned();
        let created = session
            .kalshi
            .create(&body)
            .map_err(|error| unknown(error, &format!("client order id {client_order_id}")))?;
        let (order_id, filled) = (&created.order_id, created.fill_count);
        let text = format!(
            "kalshi has order {order_id}: {filled} filled, {} rests\n",
            created.remaining_count
        );
        let object = json!({
            "sent": true,
            "order_id": order_id,
            "client_order_id": client_order_id,
            "filled_e2": filled.0,
            "rests_e2": created.remaining_count.0,
        });
        Ok(stdout::print(&told(self.json, &text, &object))?)
    }

    fn polymarket(&self, ask: &Ask, name: &str) -> Result<(), AccountError> {
        let pairs = self.config.load_pairs(&[])?;
        let pair = self.known(&pairs, name)?;
        let (intent, exchange) = ask.polymarket(pair)?;
        let mut session = match self.paper {
            None => Session::open(self.config)?,
            Some(_) => Session::signing(self.config)?,
        };
        let book = session.polymarket.book(&intent.token.to_string())?;
        let levels = match ask.action {
            Action::Buy => &book.asks,
            Action::Sell => &book.bids,
        };
        let fee = TakerFee::Curve(pair.polymarket.fee_rate_e6, pair.polymarket.fee_exponent);
        let until = match (ask.action, ask.life) {
            (Action::Buy, Life::Ioc | Life::Fok) => Until::Spent(ask.notional()),
            _ => Until::Filled(ask.qty),
        };
        let would = preview(ask.action, levels, ask.price, until, fee);
        let Some(wallet) = &mut session.wallet else { return Err(AccountError::NoKey) };
        let mut salts = SignerRng::new(keys::seed()?);
        let order = wallet.order(&intent, salts.salt(), wall().0 / 1_000_000);
        let signed = wallet
            .sign(exchange, &order)
            .map_err(|error| AccountError::Order(format!("{name}: {error}")))?;
        let owner = session.polymarket.owner().unwrap_or(REDACTED).to_owned();
        let mut body = Vec::new();
        signed.push_body(&Placement::taker(intent.order_type), &owner, &mut body);
        if let Some(why) = &self.paper {
            let mut shown = Shown {
                method: "POST",
                url: format!("{}/order", self.config.polymarket.clob),
                headers: POLYMARKET_HEADERS,
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            shown.body["order"]["signature"] = REDACTED.into();
            shown.body["owner"] = REDACTED.into();
            return self.show(why, &shown, Some((ask, would)));
        }
        self.admit(&mut session)?;
        let id = signed.id.to_string();
        let posted = session
            .polymarket
            .create(&body)
            .map_err(|error| unknown(error, &format!("order id {id}")))?;
        if !posted.success || !posted.error_msg.is_empty() || posted.order_id.is_empty() {
            let reason = posted.error_msg;
            return Err(AccountError::Order(format!("polymarket refused the order: {reason}")));
        }
        let (order_id, status) = (&posted.order_id, &posted.status);
        let text = format!("polymarket has order {order_id}: {status}\n");
        let object = json!({ "sent": true, "order_id": order_id, "status": status });
        Ok(stdout::print(&told(self.json, &text, &object))?)
    }

    fn cancel(&self, venue: Venue, id: &str) -> Result<(), AccountError> {
        match venue {
            Venue::Kalshi => self.cancel_kalshi(id),
            Venue::Polymarket => self.cancel_polymarket(id),
        }
    }

    fn cancel_kalshi(&self, id: &str) -> Result<(), AccountError> {
        let mut session = Session::signing(self.config)?;
        // The venue looks for an order on one shard only, so that we must know its market.
        let orders = session.kalshi.orders(None, Some("resting"), None)?;
        let order = orders
            .iter()
            .find(|order| order.order_id == id || order.client_order_id == id)
            .ok_or_else(|| AccountError::Order(format!("kalshi: no resting order has id {id}")))?;
        let (ticker, shard) = (&order.ticker, order.exchange_index);
        let base = &self.config.kalshi.rest;
        let path = format!("/portfolio/events/orders/{}", order.order_id);
        let shown = Shown {
            method: "DELETE",
            url: format!("{base}{path}?market_ticker={ticker}&exchange_index={shard}"),
            headers: KALSHI_HEADERS,
            body: Value::Null,
        };
        if let Some(why) = &self.paper {
            return self.show(why, &shown, None);
        }
        let done = session
            .kalshi
            .cancel(&order.order_id, ticker, shard)
            .map_err(|error| unknown(error, &format!("order id {id}")))?;
        let by = done.reduced_by;
        let text = format!("kalshi cancelled {by} of order {}\n", done.order_id);
        let object = json!({ "sent": true, "order_id": done.order_id, "cancelled_e2": by.0 });
        Ok(stdout::print(&told(self.json, &text, &object))?)
    }

    fn cancel_polymarket(&self, id: &str) -> Result<(), AccountError> {
        let parsed = OrderId::parse(id).ok_or_else(|| {
            AccountError::Order(format!("`{id}` is no order id: 0x and 64 hexadecimal digits"))
        })?;
        let mut body = Vec::new();
        write_cancel(parsed, &mut body);
        let shown = Shown {
            method: "DELETE",
            url: format!("{}/order", self.config.polymarket.clob),
            headers: POLYMARKET_HEADERS,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        if let Some(why) = &self.paper {
            return self.show(why, &shown, None);
        }
        let mut session = Session::open(self.config)?;
        let done = session
            .polymarket
            .cancel(&body)
            .map_err(|error| unknown(error, &format!("order id {id}")))?;
        if let Some((_, reason)) = done.not_canceled.iter().next() {
            let reason = reason.as_str().unwrap_or("no reason given");
            return Err(AccountError::Order(format!("polymarket did not cancel {id}: {reason}")));
        }
        let text = format!("polymarket cancelled {}\n", done.canceled.join(", "));
        let object = json!({ "sent": true, "cancelled": done.canceled });
        Ok(stdout::print(&told(self.json, &text, &object))?)
    }

    /// What a live start checks, but for the pairs: a person chose this market.
    fn admit(&self, session: &mut Session) -> Result<(), AccountError> {
        let facts = facts::gather(self.config, None, &mut session.kalshi, &mut session.polymarket);
        let refusals = refusals(self.config, &facts);
        if refusals.is_empty() { Ok(()) } else { Err(AccountError::Refused(refusals)) }
    }

    fn known<'p>(&self, pairs: &'p PairFile, name: &str) -> Result<&'p PairSpec, AccountError> {
        named(pairs, name).ok_or_else(|| {
            let files: Vec<String> =
                self.config.pairs.iter().map(|path| path.display().to_string()).collect();
            let files = files.join(", ");
            AccountError::Order(format!(
                "no pair in {files} has id, ticker or condition `{name}`: its tokens, tick and \
                 version are not known"
            ))
        })
    }

    fn show(
        &self,
        why: &str,
        shown: &Shown,
        would: Option<(&Ask, Preview)>,
    ) -> Result<(), AccountError> {
        let Shown { method, url, headers, body } = shown;
        let mut text = format!("{why}\n\n{method} {url}\n");
        for name in *headers {
            text.push_str(&format!("{name}: {REDACTED}\n"));
        }
        if !body.is_null() {
            text.push_str(&format!("\n{body}\n"));
        }
        let mut object = json!({
            "sent": false,
            "why": why,
            "method": method,
            "url": url,
            "body": body,
        });
        if let Some((ask, would)) = would {
            let verb = if ask.action == Action::Buy { "for" } else { "and bring" };
            let fee =
                would.fee.map_or("fees are not known".to_owned(), |fee| format!("fees ${fee}"));
            let (filled, qty, cash) = (would.shares, ask.qty, would.cash);
            text.push_str(&format!(
                "\nThe book that stands would fill {filled} contracts ({qty} were asked for) {verb} ${cash}, {fee}.\n"
            ));
            object["fill"] = json!({
                "shares_e6": filled.e6(),
                "cash_micro_usd": cash.e6(),
                "fee_micro_usd": would.fee.map(Usd::e6),
            });
        }
        Ok(stdout::print(&told(self.json, &text, &object))?)
    }
}

/// A request that may have arrived though no good answer came is told as such.
fn unknown(error: RestError, id: &str) -> AccountError {
    let maybe = match error.kind {
        RestErrorKind::NoAnswer(_) | RestErrorKind::Form(_) => true,
        RestErrorKind::Status { status, .. } => status == 408 || status == 425 || status >= 500,
        _ => false,
    };
    match maybe {
        false => AccountError::Rest(error),
        true => AccountError::Unknown(format!(
            "nobody knows whether it arrived ({id}): {error}\nlook at `parallax positions` before \
             you send another"
        )),
    }
}

/// A random UUID (version 4) of these bytes.
fn uuid(seed: &[u8; 32]) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&seed[..16]);
    let id = u128::from_be_bytes(bytes);
    (id & !(0xf000 << 64) & !(0xc000 << 48)) | (0x4000 << 64) | (0x8000 << 48)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_4() {
        let id = format!("{:032x}", uuid(&[0xff; 32]));
        assert_eq!(id, "ffffffffffff4fffbfffffffffffffff");
    }

    #[test]
    fn only_what_the_venue_surely_refused_is_called_refused() {
        let of = |kind| {
            let error = RestError { method: "POST", url: String::new(), kind };
            matches!(unknown(error, "x"), AccountError::Unknown(_))
        };
        let status = |status| RestErrorKind::Status { status, text: String::new() };
        assert!(of(RestErrorKind::NoAnswer(String::new())));
        assert!(of(RestErrorKind::Form(String::new())));
        assert!(of(status(500)) && of(status(408)) && of(status(425)));
        assert!(!of(status(400)) && !of(status(409)) && !of(RestErrorKind::NoStamp));
    }
}
