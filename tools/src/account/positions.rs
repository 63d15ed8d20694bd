//! `parallax positions`.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::json;

use super::balances::told;
use super::{AccountError, Session};
use crate::config::{self, ConfigArgs};
use crate::pairs::Version;
use crate::rest::Decimal;
use crate::stdout;

/// Show positions and open orders on both venues.
///
/// Polymarket is asked for the outcomes of the configured pairs, Kalshi for all markets. A venue
/// without a configured key is left out. Kalshi's positions lag behind fills by about a second;
/// Polymarket's shares appear when their trades are settled.
///
/// Exit status: 0 when every configured venue answered, 1 otherwise, 2 when the command line is
/// wrong.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax positions
  parallax positions --config parallax.toml --json")]
pub struct PositionsArgs {
    /// Where to read the configuration from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print one JSON object: money in micro-dollars, Polymarket's shares in millionths.
    #[arg(long)]
    pub json: bool,
}

/// Runs `parallax positions`.
///
/// # Errors
/// [`AccountError`].
pub fn run(args: &PositionsArgs) -> Result<(), AccountError> {
    let config = config::load(&args.config)?;
    let mut session = Session::open(&config)?;
    if !session.has_kalshi && session.wallet.is_none() {
        return Err(AccountError::NoKey);
    }
    let (mut text, mut object) = (String::new(), json!({ "kalshi": null, "polymarket": null }));
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    if session.has_kalshi {
        let mut positions = Vec::new();
        for p in session.kalshi.positions()? {
            let outcome = if p.position_fp.0 < 0 { "no" } else { "yes" };
            let count = p.position_fp.0.unsigned_abs();
            let shown = Decimal::<2>(p.position_fp.0.saturating_abs()).to_string();
            let (ticker, exposure) = (&p.ticker, p.market_exposure_dollars);
            line(format!("kalshi      {ticker:<40} {shown:>12} {outcome:<4} ${exposure} at stake"));
            positions.push(json!({
                "ticker": ticker,
                "outcome": outcome,
                "contracts_e2": count,
                "exposure_micro_usd": exposure.0,
                "fees_micro_usd": p.fees_paid_dollars.0,
            }));
        }
        let mut orders = Vec::new();
        for o in session.kalshi.orders(None, Some("resting"), None)? {
            let (ticker, side, id) = (&o.ticker, &o.book_side, &o.order_id);
            let (left, price) = (o.remaining_count_fp, o.yes_price_dollars);
            line(format!("kalshi      {ticker:<40} {left:>12} {side} at {price}, order {id}"));
            orders.push(json!({
                "order_id": id,
                "client_order_id": o.client_order_id,
                "ticker": ticker,
                "side": side,
                "yes_price_e4": price.0,
                "remaining_e2": left.0,
            }));
        }
        object["kalshi"] = json!({ "positions": positions, "orders": orders });
    }
    if session.wallet.is_some() {
        let pairs = config.load_pairs(&[])?;
        let tokens: BTreeSet<(&str, bool, &str, &str)> = pairs
            .pairs
            .iter()
            .flat_map(|pair| {
                let p = &pair.polymarket;
                let is_v2 = p.version == Version::V2;
                [
                    (p.condition_id.as_str(), is_v2, "yes", p.yes.as_str()),
                    (p.condition_id.as_str(), is_v2, "no", p.no.as_str()),
                ]
            })
            .collect();
        let mut positions = Vec::new();
        for (condition, is_v2, outcome, token) in tokens {
            let shares = session.polymarket.shares(token, is_v2)?;
            if shares.e6() == 0 {
                continue;
            }
            line(format!("polymarket  {condition:<40} {shares:>12} {outcome}"));
            positions.push(json!({
                "condition_id": condition,
                "outcome": outcome,
                "token": token,
                "shares_e6": shares.e6(),
            }));
        }
        let mut orders = Vec::new();
        for o in session.polymarket.orders()? {
            let (side, size, filled, price) = (&o.side, o.original_size, o.size_matched, o.price);
            let (token, id) = (&o.asset_id, &o.id);
            line(format!("polymarket  {side} {size} at {price}, {filled} filled, order {id}"));
            orders.push(json!({
                "order_id": id,
                "token": token,
                "side": side,
                "price_e4": price.0,
                "size_e6": size.0,
                "filled_e6": filled.0,
            }));
        }
        object["polymarket"] = json!({ "positions": positions, "orders": orders });
    }
    if text.is_empty() {
        text.push_str("no position and no open order\n");
    }
    Ok(stdout::print(&told(args.json, &text, &object))?)
}
