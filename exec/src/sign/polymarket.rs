//! Orders signed by the wallet's key, for every exchange and kind of wallet (polymarket.md
//! sections 5.1 to 5.3).

use core::fmt;

use engine::units::Usd;

use super::address::Address;
use super::eip712::{Word, Words, digest, domain_separator, keccak256, word_of};
use super::key::PolymarketKey;
use super::l1::{ClobAuth, L1Header};
use super::order::{ORDER_TYPE, Order, OrderId, OrderSignature, SignedOrder, WalletKind};
use super::position::Exchange;
use crate::polymarket::PolymarketIntent;

/// The name in every exchange's domain.
pub const DOMAIN_NAME: &str = "Polymarket CTF Exchange";

/// The type around an order that a deposit wallet signs, without the order's own type behind it.
pub const TYPED_DATA_SIGN: &str = "TypedDataSign(Order contents,string name,string version,\
uint256 chainId,address verifyingContract,bytes32 salt)";

/// Which chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Chain {
    /// Polygon.
    Polygon,
    /// Its test chain.
    Amoy,
}

impl Chain {
    /// The chain's number.
    pub const fn id(self) -> u64 {
        match self {
            Chain::Polygon => 137,
            Chain::Amoy => 80_002,
        }
    }

    /// The chain of a number.
    pub const fn from_id(id: u64) -> Option<Chain> {
        match id {
            137 => Some(Chain::Polygon),
            80_002 => Some(Chain::Amoy),
            _ => None,
        }
    }

    /// The contract of an exchange (polymarket.md section 5.1).
    pub const fn contract(self, exchange: Exchange) -> Address {
        match (exchange, self) {
            (Exchange::V2, _) => Address::lit(b"E111180000d2663C0091e4f400237545B87B996B"),
            (Exchange::V2NegRisk, _) => Address::lit(b"e2222d279d744050d28e00520010520000310F59"),
            (Exchange::V3, Chain::Polygon) => {
                Address::lit(b"e3333700cA9d93003F00f0F71f8515005F6c00Aa")
            }
            (Exchange::V3, Chain::Amoy) => {
                Address::lit(b"9fE6e61422AdB6F610d8597F9684b16912D50C3D")
            }
        }
    }

    /// The signing domain of an exchange.
    pub fn domain(self, exchange: Exchange) -> Word {
        let contract = Some(self.contract(exchange));
        domain_separator(DOMAIN_NAME, exchange.domain_version(), self.id(), contract)
    }
}

/// The account that holds the funds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wallet {
    /// Its kind.
    pub kind: WalletKind,
    /// Its address. A proxy and a Safe follow from the key where none is given.
    pub funder: Option<Address>,
}

/// Why a wallet does not go with a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalletError {
    /// A funder beside signature type 0 that is not the key's own account.
    NotOwn(Address),
    /// Signature type 3 needs the deposit wallet's address.
    NoFunder,
}

/// Why an order was not signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotSigned {
    /// It gives more dollars, or shares, than the signer's own limit in dollars.
    Cost,
    /// The salt does not fit a JSON number.
    Salt,
}

/// Signs orders and logins with a wallet's key.
pub struct PolymarketSigner {
    key: PolymarketKey,
    owner: Address,
    wallet: WalletKind,
    maker: Address,
    domains: [Word; 3],
    auth: ClobAuth,
    /// What a deposit wallet's digest has behind the order's hash.
    deposit: DepositTail,
    cost_max: Usd,
    public_key_ops: u64,
}

/// The constant words of ERC-7739 (polymarket.md section 5.3).
struct DepositTail {
    type_hash: Word,
    name: Word,
    version: Word,
    chain: Word,
}

impl PolymarketSigner {
    /// A signer for one wallet on one chain. It signs no order that gives more than `cost_max`:
    /// pUSD of a BUY, shares of a SELL.
    pub fn new(
        key: PolymarketKey,
        chain: Chain,
        wallet: Wallet,
        cost_max: Usd,
    ) -> Result<PolymarketSigner, WalletError> {
        let owner = owner_of(&key);
        let maker = match (wallet.kind, wallet.funder) {
            (WalletKind::Eoa, Some(other)) if other != owner => {
                return Err(WalletError::NotOwn(other));
            }
            (WalletKind::Eoa, _) => owner,
            (_, Some(funder)) => funder,
            (WalletKind::Proxy, None) => owner.proxy_wallet(),
            (WalletKind::Safe, None) => owner.safe_wallet(),
            (WalletKind::Deposit, None) => return Err(WalletError::NoFunder),
        };
        Ok(PolymarketSigner {
            key,
            owner,
            wallet: wallet.kind,
            maker,
            domains: [Exchange::V2, Exchange::V2NegRisk, Exchange::V3].map(|e| chain.domain(e)),
            auth: ClobAuth::new(chain),
            deposit: DepositTail {
                type_hash: keccak256([TYPED_DATA_SIGN, ORDER_TYPE].concat().as_bytes()),
                name: keccak256(b"DepositWallet"),
                version: keccak256(b"1"),
                chain: word_of(chain.id()),
            },
            cost_max,
            public_key_ops: 0,
        })
    }

    /// The key's own account: the one that API keys belong to.
    pub const fn owner(&self) -> Address {
        self.owner
    }

    /// The account that holds the funds.
    pub const fn maker(&self) -> Address {
        self.maker
    }

    /// The struct of an order. `salt` is below 2^53; `timestamp_ms` is Unix milliseconds.
    pub fn order(&self, intent: &PolymarketIntent, salt: u64, timestamp_ms: u64) -> Order {
        let deposit = self.wallet == WalletKind::Deposit;
        Order {
            salt,
            maker: self.maker,
            signer: if deposit { self.maker } else { self.owner },
            token: intent.token,
            maker_amount: intent.maker_amount,
            taker_amount: intent.taker_amount,
            side: intent.side,
            wallet: self.wallet,
            timestamp_ms,
            metadata: [0; 32],
            builder: [0; 32],
        }
    }

    /// The id that the venue will give an order: no signature is needed for it.
    pub fn id(&self, exchange: Exchange, order: &Order) -> OrderId {
        OrderId(digest(&self.domains[exchange as usize], &order.struct_hash()))
    }

    /// The order with its id and signature.
    pub fn sign(&mut self, exchange: Exchange, order: &Order) -> Result<SignedOrder, NotSigned> {
        if i64::try_from(order.maker_amount).map_or(true, |cost| cost > self.cost_max.e6()) {
            return Err(NotSigned::Cost);
        }
        if order.salt >= 1 << 53 {
            return Err(NotSigned::Salt);
        }
        let domain = self.domains[exchange as usize];
        let contents = order.struct_hash();
        let id = OrderId(digest(&domain, &contents));
        let signature = if order.wallet == WalletKind::Deposit {
            let inner = self.ecdsa(&digest(&domain, &self.deposit_hash(order, contents)));
            let len = (ORDER_TYPE.len() as u16).to_be_bytes();
            OrderSignature::of(&[&inner, &domain, &contents, ORDER_TYPE.as_bytes(), &len])
        } else {
            OrderSignature::of(&[&self.ecdsa(&id.0)])
        };
        Ok(SignedOrder { order: *order, id, signature })
    }

    /// The headers that prove the wallet, for making or deriving an API key. `nonce` is 0 but for
    /// those who keep several keys.
    pub fn prove(&mut self, timestamp_s: u64, nonce: u64) -> L1Header {
        let digest = self.auth.digest(self.owner, timestamp_s, nonce);
        let signature = self.ecdsa(&digest);
        L1Header::new(self.owner, &signature, timestamp_s, nonce)
    }

    /// Signatures made so far.
    pub const fn public_key_ops(&self) -> u64 {
        self.public_key_ops
    }

    /// The struct hash that a deposit wallet wraps around an order's.
    fn deposit_hash(&self, order: &Order, contents: Word) -> Word {
        Words::<{ 7 * 32 }>::of_type(self.deposit.type_hash)
            .word(contents)
            .word(self.deposit.name)
            .word(self.deposit.version)
            .word(self.deposit.chain)
            .address(order.signer)
            .word([0; 32])
            .hash()
    }

    /// r, s (low) and v (27 or 28).
    fn ecdsa(&mut self, digest: &Word) -> [u8; 65] {
        self.public_key_ops += 1;
        let (signature, recovery) = self.key.0.sign_prehash_recoverable(digest);
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = 27 + u8::from(recovery.is_y_odd());
        bytes
    }
}

/// The account of a key.
fn owner_of(key: &PolymarketKey) -> Address {
    let point = key.0.verifying_key().to_sec1_point(false);
    Address::of_public_key(&point.as_bytes()[1..])
}

impl fmt::Display for WalletError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WalletError::NotOwn(funder) => write!(
                f,
                "funder {funder} is not the key's own account, as signature type 0 needs; leave \
                 it out or set the wallet's signature type"
            ),
            WalletError::NoFunder => {
                f.write_str("signature type 3 needs the deposit wallet's address as funder")
            }
        }
    }
}

impl core::error::Error for WalletError {}

impl fmt::Display for NotSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotSigned::Cost => "the order gives more than the signer's limit",
            NotSigned::Salt => "the order's salt is not below 2^53",
        })
    }
}

impl core::error::Error for NotSigned {}

#[cfg(test)]
#[path = "polymarket_tests.rs"]
mod tests;
