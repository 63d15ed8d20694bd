//! Which exchange an id belongs to. The catalogue's word and the id's own bits must agree; a
//! guess would be signed for the wrong contract (polymarket.md section 5.2).

use core::fmt;

use crate::token::TokenId;

/// A contract that settles orders. Each is a signing domain of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Exchange {
    /// Tokens of v1 markets.
    V2 = 0,
    /// Tokens of v1 markets of which exactly one wins.
    V2NegRisk = 1,
    /// Positions of v2 markets, of either kind.
    V3 = 2,
}

/// Gamma's `version` of a market.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MarketVersion {
    /// `v1`: ids are tokens.
    V1,
    /// `v2`: ids are positions.
    V2,
}

/// What the bits of a v2 position id say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// 1 binary, 2 one winner of many, 3 combined.
    pub module: u8,
    /// The condition: the id without its last byte.
    pub condition: [u8; 31],
    /// 0 YES, 1 NO.
    pub outcome: u8,
}

/// Why no exchange was named for an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WrongExchange {
    /// The catalogue says v1, the id is a v2 position.
    PositionInV1,
    /// The catalogue says v2, the id is no position of a known module and outcome.
    TokenInV2,
}

impl Position {
    /// The position that an id is, or `None` for a token: its bits 40 to 103 are not all zero.
    pub fn of(id: TokenId) -> Option<Position> {
        let bytes = id.to_be_bytes();
        if bytes[19..27] != [0; 8] {
            return None;
        }
        let mut condition = [0; 31];
        condition.copy_from_slice(&bytes[..31]);
        Some(Position { module: bytes[0], condition, outcome: bytes[31] })
    }
}

impl Exchange {
    /// The exchange of an id, if the catalogue's version and the id agree on it.
    pub fn of(
        version: MarketVersion,
        neg_risk: bool,
        id: TokenId,
    ) -> Result<Exchange, WrongExchange> {
        match (version, Position::of(id)) {
            (MarketVersion::V1, None) if neg_risk => Ok(Exchange::V2NegRisk),
            (MarketVersion::V1, None) => Ok(Exchange::V2),
            (MarketVersion::V2, Some(position))
                if matches!(position.module, 1..=3) && position.outcome <= 1 =>
            {
                Ok(Exchange::V3)
            }
            (MarketVersion::V1, Some(_)) => Err(WrongExchange::PositionInV1),
            (MarketVersion::V2, _) => Err(WrongExchange::TokenInV2),
        }
    }

    /// The version text of its domain.
    pub const fn domain_version(self) -> &'static str {
        match self {
            Exchange::V2 | Exchange::V2NegRisk => "2",
            Exchange::V3 => "3",
        }
    }
}

impl fmt::Display for WrongExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WrongExchange::PositionInV1 => "the market says v1 but its id is a v2 position",
            WrongExchange::TokenInV2 => "the market says v2 but its id is no v2 position",
        })
    }
}

impl core::error::Error for WrongExchange {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogue_and_bits_must_agree() {
        use MarketVersion::{V1, V2};
        let id = |module: u8, reserved: u8, outcome: u8| {
            // A decimal text of the bytes, by the id's own arithmetic.
            let mut bytes = [7u8; 32];
            bytes[0] = module;
            bytes[19..27].fill(0);
            bytes[22] = reserved;
            bytes[31] = outcome;
            let mut decimal = vec![0u8];
            for byte in bytes {
                let mut carry = u32::from(byte);
                for digit in decimal.iter_mut().rev() {
                    carry += u32::from(*digit) * 256;
                    *digit = (carry % 10) as u8;
                    carry /= 10;
                }
                while carry > 0 {
                    decimal.insert(0, (carry % 10) as u8);
                    carry /= 10;
                }
            }
            let text: String = decimal.iter().map(|d| char::from(b'0' + d)).collect();
            TokenId::parse(text.trim_start_matches('0')).unwrap()
        };
        let (token, position) = (id(1, 1, 0), id(1, 0, 1));
        assert_eq!(Exchange::of(V1, false, token), Ok(Exchange::V2));
        assert_eq!(Exchange::of(V1, true, token), Ok(Exchange::V2NegRisk));
        assert_eq!(Exchange::of(V2, false, position), Ok(Exchange::V3));
        assert_eq!(Exchange::of(V2, true, position), Ok(Exchange::V3));
        assert_eq!(Exchange::of(V1, false, position), Err(WrongExchange::PositionInV1));
        for odd in [token, id(0, 0, 0), id(4, 0, 0), id(1, 0, 2)] {
            assert_eq!(Exchange::of(V2, false, odd), Err(WrongExchange::TokenInV2));
        }
        let position = Position::of(position).unwrap();
        assert_eq!((position.module, position.outcome, position.condition[1]), (1, 1, 7));
    }
}
