//! Which markets exist on both venues, and who may trade there.

use engine::pair::Polarity;
use engine::units::{Qty, Shares, Usd};

/// A market that both venues list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketSpec {
    /// How the two sides of it answer each other.
    pub polarity: Polarity,
    /// As Kalshi lists it.
    pub kalshi: KalshiMarket,
    /// As Polymarket lists it.
    pub polymarket: PolymarketMarket,
}

/// What Kalshi's catalogue says of a market beside its terms. Empty texts are made up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KalshiAbout {
    /// The market's own title, where it is not the event's.
    pub title: String,
    /// Under the event's title.
    pub sub_title: String,
    /// When it pays, and what else holds.
    pub rules: [String; 2],
    /// `strike_type`, `floor_strike` and `cap_strike`.
    pub strike: [String; 3],
    /// A named strike.
    pub custom: Option<(String, String)>,
    /// At most one market of the event pays.
    pub exclusive: bool,
    /// The event's category.
    pub category: String,
    /// Who the outcome is read from.
    pub source: String,
    /// When what it is about happens; Unix seconds.
    pub occurrence: Option<u64>,
    /// When it may end before its time.
    pub early_close: String,
}

/// What Gamma says of a market beside its terms. Empty texts are made up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolymarketAbout {
    /// The event that it stands in, with others of equal number: number, slug, title. None is an
    /// event of its own.
    pub event: Option<(u64, String, String)>,
    /// When it pays.
    pub description: String,
    /// Who says so.
    pub source: String,
    /// Its outcome's name inside of the event.
    pub item: String,
    /// Slugs of the event's tags.
    pub tags: Vec<String>,
    /// The event's series.
    pub series: String,
    /// Of a game: `moneyline` and its kin, the line, and the start in Unix seconds.
    pub game: Option<(String, Option<String>, u64)>,
    /// More outcomes may be added.
    pub augmented: bool,
}

/// A market as Kalshi lists it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KalshiMarket {
    /// Its ticker.
    pub ticker: String,
    /// Its event's ticker.
    pub event: String,
    /// Its series' ticker.
    pub series: String,
    /// The event's title.
    pub title: String,
    /// What YES stands for.
    pub yes_sub_title: String,
    /// Bands of prices as (start, end, step), each in 1e-4 dollar.
    pub bands: Vec<(u16, u16, u16)>,
    /// The label of the bands, `linear_cent` say.
    pub price_level_structure: String,
    /// `quadratic` and its kin.
    pub fee_type: String,
    /// The multiplier in millionths.
    pub fee_multiplier_e6: u32,
    /// The shard that it trades on.
    pub exchange_index: u32,
    /// End of trading; Unix seconds.
    pub close_time: u64,
    /// What else the catalogue says.
    pub about: KalshiAbout,
}

/// A market as Polymarket lists it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolymarketMarket {
    /// The number that Gamma gives it.
    pub gamma_id: u64,
    /// `0x` and 64 hex digits.
    pub condition_id: String,
    /// Token (v1) or position (v2) ids in decimal: the first outcome's and the second's.
    pub tokens: [String; 2],
    /// The outcomes' names in the same order.
    pub outcomes: [String; 2],
    /// The question that it asks.
    pub question: String,
    /// Its slug.
    pub slug: String,
    /// The tick in 1e-4 dollar.
    pub tick: u16,
    /// Least shares of an order.
    pub min_size: Qty,
    /// The fee's rate in millionths.
    pub fee_rate_e6: u32,
    /// The fee's exponent.
    pub fee_exponent: u8,
    /// Which exchange contract signs for.
    pub neg_risk: bool,
    /// True for Protocol V2 (domain version 3).
    pub is_v2: bool,
    /// How long a marketable order waits; milliseconds.
    pub taker_delay_ms: u64,
    /// Scheduled end; Unix seconds.
    pub end_time: u64,
    /// What else Gamma says.
    pub about: PolymarketAbout,
}

/// A member of Kalshi.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KalshiAccount {
    /// `KALSHI-ACCESS-KEY`.
    pub key_id: String,
    /// The public key as PEM: Ed25519 or RSA, `BEGIN PUBLIC KEY` or `BEGIN RSA PUBLIC KEY`.
    pub public_key_pem: String,
    /// Money on each shard.
    pub cash: Vec<(u32, Usd)>,
    /// The grid of its balance: 100 micro-dollars for direct members, 10,000 through a broker.
    pub balance_grid: Usd,
}

/// A wallet on Polymarket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolymarketAccount {
    /// The address whose key signs, `0x` and 40 hex digits.
    pub signer: String,
    /// The address that holds the funds; the signer's own for type 0.
    pub funder: String,
    /// 0 to 3.
    pub signature_type: u8,
    /// pUSD.
    pub cash: Usd,
    /// Shares held at the start, by token.
    pub shares: Vec<(String, Shares)>,
}

/// Everything that exists at the start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Universe {
    /// Markets on both venues.
    pub markets: Vec<MarketSpec>,
    /// Kalshi's members.
    pub kalshi: Vec<KalshiAccount>,
    /// Polymarket's wallets.
    pub polymarket: Vec<PolymarketAccount>,
}
