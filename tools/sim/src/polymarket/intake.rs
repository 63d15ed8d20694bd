//! An order as it arrives: its fields, and the rules that need no book (polymarket.md section 5).

use engine::units::Px;
use serde_json::Value;

use crate::polymarket::decimal;
use crate::polymarket::eip712::{SignedOrder, address, bytes_of_hex, word_of_decimal, word_of_hex};
use crate::polymarket::reply::Refusal;

/// The largest amount of an order, in millionths: a thousand million, so that sums stay far inside
/// 63 bits.
const AMOUNT_MAX: u64 = 1_000_000_000_000_000;

/// `orderType`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Rests until it is cancelled.
    Gtc,
    /// Rests until its expiration.
    Gtd,
    /// All now, or nothing.
    Fok,
    /// What is there now.
    Fak,
}

impl Kind {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Gtc => "GTC",
            Kind::Gtd => "GTD",
            Kind::Fok => "FOK",
            Kind::Fak => "FAK",
        }
    }

    /// It never rests.
    pub const fn is_market(self) -> bool {
        matches!(self, Kind::Fok | Kind::Fak)
    }
}

/// An order that was read, and not yet judged.
#[derive(Clone, Debug)]
pub struct Intake {
    /// What is signed.
    pub signed: SignedOrder,
    /// 65 or 317 bytes, as a rule.
    pub signature: Vec<u8>,
    /// The asset's decimal text.
    pub token: String,
    /// It buys.
    pub buys: bool,
    /// `orderType`.
    pub kind: Kind,
    /// Unix seconds; 0 for never.
    pub expiration: u64,
    /// The API key that it names.
    pub owner: String,
    /// It must not take.
    pub post_only: bool,
}

impl Intake {
    /// Reads one object of `POST /order`.
    ///
    /// # Errors
    /// `order_version_mismatch` for an order of the retired struct, `Invalid order payload` for
    /// what cannot be read.
    pub fn read(value: &Value) -> Result<Intake, Refusal> {
        let order = &value["order"];
        let retired = ["nonce", "feeRateBps"].iter().any(|key| order.get(key).is_some());
        if retired && order.get("timestamp").is_none() {
            return Err(Refusal::new(400, "order_version_mismatch"));
        }
        Intake::fields(value, order).ok_or_else(|| Refusal::new(400, "Invalid order payload"))
    }

    fn fields(value: &Value, order: &Value) -> Option<Intake> {
        let text = |key: &str| order[key].as_str();
        let number = |key: &str| -> Option<u64> {
            let text = text(key)?;
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
        };
        let token = text("tokenId")?;
        let buys = match text("side")? {
            "BUY" => true,
            "SELL" => false,
            _ => return None,
        };
        let signed = SignedOrder {
            salt: order["salt"].as_u64()?,
            maker: address(text("maker")?)?,
            signer: address(text("signer")?)?,
            token: word_of_decimal(token)?,
            maker_amount: number("makerAmount").filter(|e6| *e6 <= AMOUNT_MAX)?,
            taker_amount: number("takerAmount").filter(|e6| *e6 <= AMOUNT_MAX)?,
            side: u8::from(!buys),
            signature_type: order["signatureType"].as_u64()?.try_into().ok()?,
            timestamp: number("timestamp")?,
            metadata: word_of_hex(text("metadata")?)?,
            builder: word_of_hex(text("builder")?)?,
        };
        let kind = match value["orderType"].as_str()? {
            "GTC" => Kind::Gtc,
            "GTD" => Kind::Gtd,
            "FOK" => Kind::Fok,
            "FAK" => Kind::Fak,
            _ => return None,
        };
        let optional = |key: &str| match &value[key] {
            Value::Null => Some(false),
            other => other.as_bool(),
        };
        optional("deferExec")?;
        Some(Intake {
            signed,
            signature: bytes_of_hex(text("signature")?)?,
            token: token.to_owned(),
            buys,
            kind,
            expiration: number("expiration")?,
            owner: value["owner"].as_str()?.to_owned(),
            post_only: optional("postOnly")?,
        })
    }

    /// Millionths of a share: what is sold, or what is bought at the limit.
    pub const fn shares(&self) -> u64 {
        if self.buys { self.signed.taker_amount } else { self.signed.maker_amount }
    }

    /// Micro-dollars: what is paid, or what is got at the limit.
    pub const fn cash(&self) -> u64 {
        if self.buys { self.signed.maker_amount } else { self.signed.taker_amount }
    }

    /// The limit price that the amounts say (section 5.6).
    ///
    /// # Errors
    /// The venue's text where the amounts have too many decimals, do not make a price, or make one
    /// that is not on the grid.
    pub fn limit(&self, tick: u16, id: &str) -> Result<Px, String> {
        let (shares, cash) = (self.shares(), self.cash());
        let amount_unit = 10_u64.pow(4 - decimals(tick));
        let spends = self.buys && self.kind.is_market();
        let (cash_unit, shares_unit) =
            if spends { (10_000, amount_unit) } else { (amount_unit, 10_000) };
        if !cash.is_multiple_of(cash_unit) || !shares.is_multiple_of(shares_unit) {
            return Err(self.precision_text(spends, 2 + decimals(tick)));
        }
        if shares == 0 || cash == 0 {
            return Err(format!("order {id} is invalid. Size (0) lower than the minimum"));
        }
        let implied = u128::from(cash) * 10_000;
        let exact = implied.is_multiple_of(u128::from(shares));
        // Market BUYs have their shares cut off, so that they imply a little more than the price.
        let e4 = implied / u128::from(shares);
        let floor = e4 - e4 % u128::from(tick);
        let e4 = if exact || !spends { e4 } else { floor };
        let off_tick = || {
            let shown =
                decimal::e6((implied * 100 / u128::from(shares)).min(u128::from(u64::MAX)) as u64);
            let tick = decimal::tick(tick);
            format!("order {id} is invalid. Price ({shown}) breaks minimum tick size rule: {tick}")
        };
        let px = u16::try_from(e4).ok().and_then(Px::new).ok_or_else(off_tick)?;
        let inside = px.e4() >= tick && px.e4() <= Px::ONE.e4() - tick;
        if exact {
            return if inside && px.e4().is_multiple_of(tick) { Ok(px) } else { Err(off_tick()) };
        }
        if spends && inside {
            let cut = implied / u128::from(px.e4());
            if cut - cut % u128::from(amount_unit) == u128::from(shares) {
                return Ok(px);
            }
        }
        Err(self.mismatch_text(px, tick))
    }

    fn precision_text(&self, spends: bool, decimals: u32) -> String {
        let (what, maker, taker) = match (spends, self.buys) {
            (true, _) => ("market buy", 2, decimals),
            (false, true) => ("buy", decimals, 2),
            (false, false) => ("sell", 2, decimals),
        };
        format!(
            "invalid amounts, the {what} orders maker amount supports a max accuracy of {maker} \
             decimals, taker amount a max of {taker} decimals"
        )
    }

    fn mismatch_text(&self, near: Px, tick: u16) -> String {
        let px = Px::new(near.e4() - near.e4() % tick).unwrap_or(near);
        let should = u128::from(self.shares()) * u128::from(px.e4()) / 10_000;
        format!(
            "invalid amounts, the {} amount for a ${} order of size {} should be '{}'",
            if self.buys { "maker" } else { "taker" },
            decimal::price(px),
            decimal::e6(self.shares()),
            decimal::e6(u64::try_from(should).unwrap_or(u64::MAX)),
        )
    }
}

/// Decimals of a price on a grid (section 5.6): 1 for 0.1, 3 for 0.005.
const fn decimals(tick: u16) -> u32 {
    match tick {
        _ if tick.is_multiple_of(1_000) => 1,
        _ if tick.is_multiple_of(100) => 2,
        _ if tick.is_multiple_of(10) => 3,
        _ => 4,
    }
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
