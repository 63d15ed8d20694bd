//! Little-endian words to bytes and back.

use engine::pair::Outcome;
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty, Usd, Venue};

use crate::id::Id;

/// Writes words behind each other.
pub(super) struct Put<'a>(pub &'a mut Vec<u8>);

impl Put<'_> {
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    pub fn venue(&mut self, venue: Venue) {
        self.u8(venue as u8);
    }

    pub fn market(&mut self, market: MarketId) {
        self.venue(market.venue());
        self.u16(market.index() as u16);
    }

    pub fn outcome(&mut self, outcome: Outcome) {
        self.bool(outcome == Outcome::No);
    }

    /// Bytes of a bounded length, with that length in front.
    pub fn short(&mut self, bytes: &[u8]) {
        self.u8(bytes.len() as u8);
        self.0.extend_from_slice(bytes);
    }

    pub fn id(&mut self, id: Option<&Id>) {
        self.short(id.map_or(&[][..], |id| id.as_str().as_bytes()));
    }
}

/// Reads what [`Put`] wrote; `None` where it ends early or says the impossible.
pub(super) struct Get<'a>(pub &'a [u8]);

impl<'a> Get<'a> {
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn ns(&mut self) -> Option<Ns> {
        self.u64().map(Ns)
    }

    pub fn usd(&mut self) -> Option<Usd> {
        self.i64().map(Usd::new)
    }

    pub fn px(&mut self) -> Option<Px> {
        Px::new(self.u16()?)
    }

    pub fn qty(&mut self) -> Option<Qty> {
        Qty::new(self.u64()?)
    }

    pub fn bool(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub fn venue(&mut self) -> Option<Venue> {
        Venue::ALL.get(usize::from(self.u8()?)).copied()
    }

    pub fn market(&mut self) -> Option<MarketId> {
        let venue = self.venue()?;
        MarketId::new(venue, usize::from(self.u16()?))
    }

    pub fn outcome(&mut self) -> Option<Outcome> {
        Some(if self.bool()? { Outcome::No } else { Outcome::Yes })
    }

    pub fn short(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(self.u8()?);
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    /// An id, or that there is none.
    pub fn id(&mut self) -> Option<Option<Id>> {
        match core::str::from_utf8(self.short()?).ok()? {
            "" => Some(None),
            text => Id::parse(text).map(Some),
        }
    }
}
