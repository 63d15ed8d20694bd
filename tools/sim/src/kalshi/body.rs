//! Reading a request's body, strictly: the venue takes no number for a string.

use engine::units::{Px, Qty};
use serde_json::{Map, Value};

use super::order::{NewOrder, SelfTrade, TimeInForce};
use super::refusal::Refusal;
use super::text::{parse_count, parse_price};
use crate::venue::Side;

/// A JSON object with the name that the venue's errors give it.
#[derive(Clone, Copy)]
pub struct Body<'a> {
    fields: &'a Map<String, Value>,
    name: &'static str,
}

/// Reads a body as JSON.
///
/// # Errors
/// The flat `bad_request`.
pub fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| Refusal::Body(format!("invalid JSON: {error}")))
}

impl<'a> Body<'a> {
    /// The object of a value.
    ///
    /// # Errors
    /// The flat `bad_request` where it is none.
    pub fn of(value: &'a Value, name: &'static str) -> Result<Body<'a>, Refusal> {
        let fields = value.as_object().ok_or_else(|| {
            Refusal::Body(format!(
                "json: cannot unmarshal {} into Go value of type {name}",
                kind(value)
            ))
        })?;
        Ok(Body { fields, name })
    }

    fn get<T>(
        self,
        field: &str,
        go: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        match self.fields.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| {
                let (kind, name) = (kind(value), self.name);
                Refusal::Body(format!(
                    "json: cannot unmarshal {kind} into Go struct field {name}.{field} of type {go}"
                ))
            }),
        }
    }

    /// A string.
    pub fn text(self, field: &str) -> Result<Option<&'a str>, Refusal> {
        self.get(field, "string", Value::as_str)
    }

    /// A string that must be there, and not empty.
    pub fn needs(self, field: &'static str) -> Result<&'a str, Refusal> {
        self.text(field)?.filter(|text| !text.is_empty()).ok_or(Refusal::missing(field))
    }

    /// An integer.
    pub fn int(self, field: &str) -> Result<Option<i64>, Refusal> {
        self.get(field, "int64", Value::as_i64)
    }

    /// A truth value; false where it is absent.
    pub fn flag(self, field: &str) -> Result<bool, Refusal> {
        Ok(self.get(field, "bool", Value::as_bool)?.unwrap_or(false))
    }

    /// A list that must be there.
    pub fn list(self, field: &'static str) -> Result<&'a Vec<Value>, Refusal> {
        self.get(field, "[]object", Value::as_array)?.ok_or(Refusal::missing(field))
    }

    /// A count that must be there, and be one.
    pub fn count(self, field: &'static str) -> Result<Qty, Refusal> {
        parse_count(self.needs(field)?).ok_or(Refusal::new(400, "invalid_order_size"))
    }

    /// A price that must be there, and be one.
    pub fn price(self) -> Result<Px, Refusal> {
        parse_price(self.needs("price")?).ok_or(Refusal::new(400, "invalid_price"))
    }

    /// `bid` or `ask`.
    pub fn side(self) -> Result<Side, Refusal> {
        match self.needs("side")? {
            "bid" => Ok(Side::Bid),
            "ask" => Ok(Side::Ask),
            _ => Err(Refusal::invalid_order("side must be bid or ask")),
        }
    }

    /// Refuses every subaccount but the primary one, which is the only one here.
    pub fn primary(self) -> Result<(), Refusal> {
        match self.int("subaccount")? {
            None | Some(0) => Ok(()),
            Some(_) => Err(Refusal::not_found()),
        }
    }

    /// Unix seconds: absent, zero for none, or a time.
    pub fn expiration(self) -> Result<Option<Option<u64>>, Refusal> {
        let Some(secs) = self.int("expiration_time")? else { return Ok(None) };
        let secs = u64::try_from(secs)
            .map_err(|_| Refusal::invalid_order("expiration time must be in the future"))?;
        Ok(Some((secs != 0).then_some(secs)))
    }

    /// An order in a market and group that were looked up already.
    pub fn order(self, market: usize, group: Option<usize>) -> Result<NewOrder, Refusal> {
        let tif = match self.needs("time_in_force")? {
            "fill_or_kill" => TimeInForce::FillOrKill,
            "immediate_or_cancel" => TimeInForce::ImmediateOrCancel,
            "good_till_canceled" => TimeInForce::GoodTillCanceled,
            _ => return Err(Refusal::invalid_order("unknown time_in_force")),
        };
        let stp = match self.needs("self_trade_prevention_type")? {
            "taker_at_cross" => SelfTrade::TakerAtCross,
            "maker" => SelfTrade::Maker,
            _ => return Err(Refusal::invalid_order("unknown self_trade_prevention_type")),
        };
        self.primary()?;
        Ok(NewOrder {
            market,
            client_order_id: self.text("client_order_id")?.unwrap_or_default().to_owned(),
            side: self.side()?,
            px: self.price()?,
            count: self.count("count")?,
            tif,
            stp,
            is_post_only: self.flag("post_only")?,
            is_reduce_only: self.flag("reduce_only")?,
            cancels_on_pause: self.flag("cancel_order_on_pause")?,
            expiration: self.expiration()?.flatten(),
            group,
        })
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
