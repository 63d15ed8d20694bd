//! `parallax balances`.

use clap::Args;
use serde_json::{Value, json};

use super::{AccountError, Session};
use crate::config::{self, ConfigArgs};
use crate::stdout;

/// Show the money on both venues.
///
/// A venue without a configured key is left out. On Kalshi an order needs its money on the shard of
/// its market.
///
/// Exit status: 0 when every configured venue answered, 1 otherwise, 2 when the command line is
/// wrong.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax balances
  parallax balances --environment prod --json")]
pub struct BalancesArgs {
    /// Where to read the configuration from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print one JSON object, money in micro-dollars.
    #[arg(long)]
    pub json: bool,
}

/// Runs `parallax balances`.
///
/// # Errors
/// [`AccountError`].
pub fn run(args: &BalancesArgs) -> Result<(), AccountError> {
    let config = config::load(&args.config)?;
    let mut session = Session::open(&config)?;
    if !session.has_kalshi && session.wallet.is_none() {
        return Err(AccountError::NoKey);
    }
    let (mut text, mut object) = (String::new(), json!({ "kalshi": null, "polymarket": null }));
    if session.has_kalshi {
        let balance = session.kalshi.balance()?;
        text.push_str(&format!("kalshi      ${}\n", balance.total));
        let mut shards = Vec::new();
        for (index, cash) in &balance.shards {
            text.push_str(&format!("  shard {index:<3} ${cash}\n"));
            shards.push(json!({ "exchange_index": index, "cash_micro_usd": cash.e6() }));
        }
        object["kalshi"] = json!({ "cash_micro_usd": balance.total.e6(), "shards": shards });
    }
    if session.wallet.is_some() {
        let cash = session.polymarket.balance()?;
        text.push_str(&format!("polymarket  ${cash}\n"));
        object["polymarket"] = json!({ "cash_micro_usd": cash.e6() });
    }
    Ok(stdout::print(&told(args.json, &text, &object))?)
}

/// The text, or the object on one line.
pub(super) fn told(json: bool, text: &str, object: &Value) -> String {
    if json { format!("{object}\n") } else { text.to_owned() }
}
