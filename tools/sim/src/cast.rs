//! Made-up markets that both venues list, from a seed, and the pair file that belongs to them.

use std::fmt::Write as _;

use engine::pair::Polarity;
use engine::units::{Ns, Qty};

use crate::almanac::day::Day;
use crate::rng::Rng;
use crate::universe::{KalshiAbout, KalshiMarket, MarketSpec, PolymarketAbout, PolymarketMarket};

/// Most markets of a cast: each of its subjects with a few strikes.
pub const MARKETS_MAX: usize = 64;

/// (series, figure, who prints it)
const SUBJECTS: [(&str, &str, &str); 8] = [
    ("KXU3", "unemployment rate", "Bureau of Labor Statistics"),
    ("KXCPI", "CPI inflation rate", "Bureau of Labor Statistics"),
    ("KXGDP", "US real GDP growth", "Bureau of Economic Analysis"),
    ("KXCPICORE", "core CPI inflation rate", "Bureau of Labor Statistics"),
    ("KXPCE", "PCE inflation rate", "Bureau of Economic Analysis"),
    ("KXRETAIL", "retail sales growth", "Census Bureau"),
    ("KXPPI", "PPI inflation rate", "Bureau of Labor Statistics"),
    ("KXWAGE", "average hourly earnings growth", "Bureau of Labor Statistics"),
];

/// How a market trades; the kinds take turns, so that six markets show all of them.
struct Kind {
    bands: &'static [(u16, u16, u16)],
    structure: &'static str,
    tick: u16,
    fee_rate_e6: u32,
    polarity: Polarity,
    neg_risk: bool,
    is_v2: bool,
    exchange_index: u32,
}

const CENTS: (&[(u16, u16, u16)], &str) = (&[(0, 10_000, 100)], "linear_cent");
const TENTHS: (&[(u16, u16, u16)], &str) = (&[(0, 10_000, 10)], "deci_cent");
const TAPERED: (&[(u16, u16, u16)], &str) =
    (&[(0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)], "tapered_deci_cent");

const PLAIN: Kind = Kind {
    bands: CENTS.0,
    structure: CENTS.1,
    tick: 100,
    fee_rate_e6: 40_000,
    polarity: Polarity::Same,
    neg_risk: false,
    is_v2: false,
    exchange_index: 0,
};

const KINDS: [Kind; 6] = [
    PLAIN,
    Kind { fee_rate_e6: 50_000, polarity: Polarity::Inverted, ..PLAIN },
    Kind { bands: TENTHS.0, structure: TENTHS.1, tick: 10, exchange_index: 1, ..PLAIN },
    Kind { bands: TAPERED.0, structure: TAPERED.1, fee_rate_e6: 50_000, ..PLAIN },
    Kind { fee_rate_e6: 50_000, neg_risk: true, ..PLAIN },
    Kind { is_v2: true, ..PLAIN },
];

/// How long markets trade; seconds.
const LIFE: u64 = 40 * 24 * 3_600;

/// The shards that the markets trade on.
pub const SHARDS: [u32; 2] = [0, 1];

/// `count` markets, at most [`MARKETS_MAX`]. The same arguments give the same markets.
pub fn markets(seed: u64, count: usize, now: Ns) -> Vec<MarketSpec> {
    let mut rng = Rng::new(seed ^ 0x6361_7374);
    let end = (now.0 / 1_000_000_000 + LIFE) / 3_600 * 3_600;
    (0..count.min(MARKETS_MAX)).map(|number| market(number, end, &mut rng)).collect()
}

fn market(number: usize, end: u64, rng: &mut Rng) -> MarketSpec {
    let kind = &KINDS[number % KINDS.len()];
    let (series, figure, source) = SUBJECTS[number % SUBJECTS.len()];
    let strike = 1 + number / SUBJECTS.len();
    let month = Day::of(end);
    let when = format!("{} {}", month.month(), month.year());
    let event = format!("{series}-{}", month.month_code());
    let (condition_id, tokens) = ids(kind.is_v2, rng);
    // The first outcome there is what the second one is here where it asks the other way round.
    let asked = match kind.polarity {
        Polarity::Same => format!("above {strike}.5%"),
        Polarity::Inverted => format!("{strike}.5% or less"),
    };
    let slug = figure.to_lowercase().replace(' ', "-");
    MarketSpec {
        polarity: kind.polarity,
        kalshi: KalshiMarket {
            ticker: format!("{event}-T{strike}.50"),
            event,
            series: series.to_owned(),
            title: format!("{figure} in {when}?"),
            yes_sub_title: format!("Above {strike}.5%"),
            bands: kind.bands.to_vec(),
            price_level_structure: kind.structure.to_owned(),
            fee_type: "quadratic".to_owned(),
            fee_multiplier_e6: 1_000_000,
            exchange_index: kind.exchange_index,
            close_time: end,
            about: KalshiAbout {
                title: format!("Will the {figure} be above {strike}.5% in {when}?"),
                sub_title: when.clone(),
                rules: [
                    format!(
                        "If the {figure} for {when} reported by the {source} is greater than \
                         {strike}.5%, then the market resolves to Yes."
                    ),
                    String::new(),
                ],
                strike: ["greater".to_owned(), format!("{strike}.5"), String::new()],
                category: "Economics".to_owned(),
                source: source.to_owned(),
                ..KalshiAbout::default()
            },
        },
        polymarket: PolymarketMarket {
            gamma_id: 900_000 + number as u64,
            condition_id,
            tokens,
            outcomes: ["Yes".to_owned(), "No".to_owned()],
            question: format!("Will the {figure} be {asked} in {when}?"),
            slug: format!("{slug}-{}-{strike}pt5", month.month().to_lowercase()),
            tick: kind.tick,
            min_size: Qty::lit(500),
            fee_rate_e6: kind.fee_rate_e6,
            fee_exponent: 1,
            neg_risk: kind.neg_risk,
            is_v2: kind.is_v2,
            taker_delay_ms: 0,
            end_time: end,
            about: PolymarketAbout {
                description: format!(
                    "This market will resolve to \"Yes\" if the {figure} for {when} is {}, according \
                     to the {source}. Otherwise, this market will resolve to \"No\".",
                    asked.replace("above", "greater than")
                ),
                tags: vec!["economy".to_owned()],
                series: slug.clone(),
                ..PolymarketAbout::default()
            },
        },
    }
}

/// A condition's id and its two tokens (polymarket.md section 5.2).
pub(crate) fn ids(is_v2: bool, rng: &mut Rng) -> (String, [String; 2]) {
    let mut word = || -> [u8; 32] {
        let mut word = [0; 32];
        for part in word.chunks_mut(8) {
            part.copy_from_slice(&rng.bits().to_be_bytes());
        }
        word
    };
    if !is_v2 {
        let condition = word();
        return (format!("0x{}", hex(&condition)), [decimal(word()), decimal(word())]);
    }
    // Most significant first: module 1, base hash 16 bytes, arity 2, zeros 8, resolution chain 2,
    // condition index 2, outcome 1.
    let mut id = word();
    id[0] = 1;
    id[17..].fill(0);
    (id[18], id[28], id[30]) = (1, 1, 7);
    let condition = hex(&id); // 31 bytes of it and a zero
    let yes = decimal(id);
    id[31] = 1;
    (format!("0x{condition}"), [yes, decimal(id)])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A big-endian number in decimal.
fn decimal(mut word: [u8; 32]) -> String {
    let mut digits = Vec::new();
    while word.iter().any(|byte| *byte != 0) {
        let mut rest = 0u16;
        for byte in &mut word {
            let value = rest << 8 | u16::from(*byte);
            *byte = (value / 10) as u8;
            rest = value % 10;
        }
        digits.push(b'0' + rest as u8);
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

/// The pair file of these markets (schema 1). Its ids are the tickers in lower case.
pub fn pairs_toml(markets: &[MarketSpec]) -> String {
    let mut text =
        "# Pairs of the simulated venues: generated, no real market.\nschema = 1\n".to_owned();
    for MarketSpec { polarity, kalshi, polymarket } in markets {
        let bands: Vec<String> = kalshi
            .bands
            .iter()
            .map(|(start, end, step)| {
                let [start, end, step] = [*start, *end, *step].map(dollars);
                format!("{{ start = \"{start}\", end = \"{end}\", step = \"{step}\" }}")
            })
            .collect();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n[[pair]]\nid = \"{id}\"\npolarity = \"{polarity}\"\nverdict = \"approved\"\n\
             expected_resolution = \"{end}\"\n\n\
             [pair.kalshi]\nticker = \"{ticker}\"\nevent = \"{event}\"\ngrid = [{grid}]\n\
             fee_type = \"{fee_type}\"\nfee_multiplier = \"{multiplier}\"\n\
             exchange_index = {shard}\nclose_time = \"{close}\"\n\n\
             [pair.polymarket]\ncondition_id = \"{condition}\"\nyes = \"{yes}\"\nno = \"{no}\"\n\
             tick = \"{tick}\"\nmin_size = \"{min_size}\"\nmin_notional = \"1\"\n\
             fee_rate = \"{rate}\"\nfee_exponent = {exponent}\nneg_risk = {neg_risk}\n\
             version = \"{version}\"\ntaker_delay_ms = {delay}\n",
            id = pair_id(kalshi),
            polarity = if *polarity == Polarity::Same { "same" } else { "inverted" },
            end = rfc3339(polymarket.end_time),
            ticker = kalshi.ticker,
            event = kalshi.event,
            grid = bands.join(", "),
            fee_type = kalshi.fee_type,
            multiplier = decimal_e6(u64::from(kalshi.fee_multiplier_e6)),
            shard = kalshi.exchange_index,
            close = rfc3339(kalshi.close_time),
            condition = polymarket.condition_id,
            yes = polymarket.tokens[0],
            no = polymarket.tokens[1],
            tick = decimal_e6(u64::from(polymarket.tick) * 100),
            min_size = decimal_e6(polymarket.min_size.e2() * 10_000),
            rate = decimal_e6(u64::from(polymarket.fee_rate_e6)),
            exponent = polymarket.fee_exponent,
            neg_risk = polymarket.neg_risk,
            version = if polymarket.is_v2 { "v2" } else { "v1" },
            delay = polymarket.taker_delay_ms,
        );
    }
    text
}

/// The name of a pair in the file.
pub fn pair_id(market: &KalshiMarket) -> String {
    market.ticker.to_lowercase()
}

fn dollars(e4: u16) -> String {
    format!("{}.{:04}", e4 / 10_000, e4 % 10_000)
}

/// The shortest decimal of millionths.
fn decimal_e6(e6: u64) -> String {
    let text = format!("{}.{:06}", e6 / 1_000_000, e6 % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Unix seconds as the pair file writes times.
fn rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's `civil_from_days`, for days since 1970.
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_spelt_as_the_file_wants() {
        let mut word = [0; 32];
        word[31] = 10;
        assert_eq!(decimal(word), "10");
        let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(decimal([0xff; 32]), max);
        assert_eq!(
            (decimal_e6(1_000_000), decimal_e6(40_000)),
            ("1".to_owned(), "0.04".to_owned())
        );
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_284_061), "2026-11-21T18:01:01Z");
    }

    #[test]
    fn a_seed_names_its_markets_and_six_show_every_kind() {
        let now = Ns(1_795_284_000_000_000_000);
        let six = markets(3, 6, now);
        assert_eq!(six, markets(3, 6, now));
        assert_ne!(six[0].polymarket.tokens, markets(4, 6, now)[0].polymarket.tokens);
        let count = |is: fn(&MarketSpec) -> bool| six.iter().filter(|market| is(market)).count();
        assert_eq!(count(|m| m.polarity == Polarity::Inverted), 1);
        assert_eq!(count(|m| m.polymarket.neg_risk), 1);
        assert_eq!(count(|m| m.kalshi.exchange_index == 1), 1);
        assert_eq!(count(|m| m.polymarket.is_v2), 1);
        let v2 = &six.iter().find(|m| m.polymarket.is_v2).unwrap().polymarket;
        assert_eq!(&v2.condition_id[..4], "0x01");
        assert_eq!(&v2.condition_id[36..], "000100000000000000000001000700");
    }
}
