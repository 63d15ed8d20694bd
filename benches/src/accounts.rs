//! Accounts with made-up keys, the markets they trade, and the orders that they send: what signs
//! in the benchmarks.

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use engine::event::{Bundle, BundleId, Leg, Purpose, Ticket};
use engine::grid::Grid;
use engine::pair::{Direction, FeeRule, Outcome, PairId};
use engine::tile::Now;
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty, Shares, Usd, Venue};
use exec::action::Action;
use exec::armed::ArmedBook;
use exec::armory::Armory;
use exec::gate::kalshi::{KalshiAccount, KalshiLimits};
use exec::gate::polymarket::{PolymarketAccount, PolymarketLimits};
use exec::polymarket::{OrderType, PolymarketIntent};
use exec::request::Origin;
use exec::sign::address::Address;
use exec::sign::kalshi::KalshiSigner;
use exec::sign::key::{KalshiKey, PolymarketKey};
use exec::sign::l2::{ApiCredentials, L2Signer};
use exec::sign::order::WalletKind;
use exec::sign::polymarket::{Chain, PolymarketSigner, Wallet};
use exec::sign::pool::{HEADERS_MAX, HeaderPool};
use exec::sign::position::MarketVersion;
use exec::sign::rng::SignerRng;
use exec::terms::{KalshiTerms, PolymarketTerms, TermsTable};
use exec::token::TokenId;
use rsa::pkcs8::EncodePrivateKey as _;

/// Markets of each venue: as many as orders can lie ready.
pub const MARKETS: usize = HEADERS_MAX;

/// Ticker of a market on Kalshi, long as the venue's own.
pub fn ticker(number: usize) -> String {
    format!("KXNBAGAME-26NOV21T{number:05}-TA")
}

/// As long as the venue's own.
const KEY_ID: &str = "00000000-0000-4000-8000-000000000000";
const USER_AGENT: &str = "parallax/bench";
const RSA_BITS: usize = 2_048;
const FUNDER: [u8; 20] = [0xab; 20];

/// Where a market is in its venue's tables.
pub fn market(venue: Venue, number: usize) -> MarketId {
    MarketId::new(venue, number).expect("the markets of a benchmark are few")
}

/// Signs for Kalshi with an Ed25519 key.
pub fn ed25519() -> KalshiSigner {
    let pem = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).to_pkcs8_pem(Default::default());
    kalshi_signer(pem.expect("a key can be written").as_bytes())
}

/// Signs for Kalshi with an RSA key of 2048 bits.
pub fn rsa() -> KalshiSigner {
    let key = rsa::RsaPrivateKey::new(&mut SignerRng::new([7; 32]), RSA_BITS);
    let pem = key.expect("there are enough primes").to_pkcs8_pem(Default::default());
    kalshi_signer(pem.expect("a key can be written").as_bytes())
}

fn kalshi_signer(pem: &[u8]) -> KalshiSigner {
    let key = KalshiKey::from_pem(pem).expect("a key that was just made");
    KalshiSigner::new(key, KEY_ID, [1; 32]).expect("the key id is a plain word")
}

/// Signs for a deposit wallet on Polymarket, whose orders are the longest.
pub fn wallet() -> PolymarketSigner {
    let key = PolymarketKey::from_hex(&"11".repeat(32)).expect("64 digits");
    let wallet = Wallet { kind: WalletKind::Deposit, funder: Some(Address::new(FUNDER)) };
    PolymarketSigner::new(key, Chain::Polygon, wallet, Usd::new(1_000_000_000))
        .expect("a deposit wallet with its address")
}

/// Signs its requests, with credentials as long as the venue's own.
pub fn login() -> L2Signer {
    let secret = format!("{}=", "A".repeat(43));
    let credentials = ApiCredentials::new(KEY_ID, &secret, &"0".repeat(64));
    L2Signer::new(wallet().owner(), credentials.expect("plain words"))
}

/// Makes its orders ready. `host` is where they go.
pub fn armory(host: &str, seed: u8) -> Armory {
    Armory::new(wallet(), login(), host, USER_AGENT, [seed; 32]).expect("a plain host")
}

/// Terms of every market on Polymarket.
pub fn polymarket_terms() -> TermsTable<PolymarketTerms> {
    let tokens = [
        "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        "43393808330987478239817922562313374653940164041067500389519301341071746577812",
    ];
    let tokens = tokens.map(|text| TokenId::parse(text).expect("a token id"));
    let terms = PolymarketTerms::new(tokens, MarketVersion::V1, true, Px::lit(100));
    table(Venue::Polymarket, |_| terms.expect("these ids are of that version"))
}

fn table<T>(venue: Venue, row: impl Fn(usize) -> T) -> TermsTable<T> {
    let mut table = TermsTable::new(venue);
    for number in 0..MARKETS {
        table.set(market(venue, number), row(number)).expect("a market of that venue");
    }
    table
}

/// The account on Kalshi, for requests to `host`; its limits do not come into play.
pub fn kalshi(headers: HeaderPool, host: &str) -> KalshiAccount {
    let terms =
        |number| KalshiTerms { ticker: ticker(number), exchange_index: 0, grid: Grid::CENT };
    KalshiAccount {
        signer: ed25519(),
        headers,
        origin: Origin::new(host, USER_AGENT).expect("a plain host"),
        terms: table(Venue::Kalshi, terms),
        fees: table(Venue::Kalshi, |_| FeeRule::Quadratic { multiplier_e6: 1_000_000 }),
        balance_grid: Usd::new(100),
        limits: KalshiLimits {
            write_rate: 1_000_000,
            write_capacity: 1_000_000,
            read_rate: 1_000_000,
            read_capacity: 1_000_000,
        },
        run: 0x0123_4567_89ab_cdef,
    }
}

/// The account on Polymarket, for requests to `host`; its limits do not come into play.
pub fn polymarket(armed: ArmedBook, host: &str) -> PolymarketAccount {
    PolymarketAccount {
        armory: armory(host, 1),
        armed,
        origin: Origin::new(host, USER_AGENT).expect("a plain host"),
        terms: polymarket_terms(),
        fees: table(Venue::Polymarket, |_| FeeRule::Curve { rate_e6: 50_000, exponent: 1 }),
        limits: PolymarketLimits {
            order_rate: 1_000_000,
            order_burst: 1_000_000,
            cancel_rate: 1_000_000,
            cancel_burst: 1_000_000,
        },
        heartbeat: false,
    }
}

/// Ten contracts at 40 cents on Kalshi and as many at 55 on Polymarket.
pub fn legs(number: usize) -> [Leg; 2] {
    let leg = |venue, outcome, limit: Px| {
        let qty = Qty::lit(1_000);
        Leg {
            market: market(venue, number),
            outcome,
            action: Action::Buy,
            spends: venue == Venue::Polymarket,
            limit,
            qty,
            budget: qty.at(limit),
            expected: Shares::from(qty),
            cost: qty.at(limit),
            fee: Usd::ZERO,
            reserve: qty.at(limit),
            generation: 1,
        }
    };
    [
        leg(Venue::Kalshi, Outcome::No, Px::lit(4_000)),
        leg(Venue::Polymarket, Outcome::Yes, Px::lit(5_500)),
    ]
}

/// A decision to send them, just made.
pub fn bundle(id: u64, number: usize, now: Now) -> Bundle {
    Bundle {
        id: BundleId(id),
        pair: PairId(0),
        direction: Direction::FirstYes,
        purpose: Purpose::Open,
        count: 2,
        legs: legs(number),
        recv: now.wall,
        decided: now.mono,
        deadline: now.mono.after(Ns::from_ms(500)),
        kill_epoch: 0,
        collar: [Px::ONE; 2],
        ticket: Ticket::AtGate,
    }
}

/// The leg on Polymarket as that venue's order.
pub fn intent(leg: &Leg, terms: &PolymarketTerms) -> PolymarketIntent {
    let (buy, fak, token) = (Action::Buy, OrderType::Fak, terms.token(leg.outcome));
    PolymarketIntent::new(buy, token, leg.limit, leg.qty, fak, terms.tick())
        .expect("whole cents and ten contracts")
}
