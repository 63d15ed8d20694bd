//! A market on both venues: its names, its fees, its fair value, and its entry in the pair file.

use std::fmt::Write as _;

use engine::units::Venue;

use super::Options;
use super::grid::{BANDED, Bands, CENTS, TENTHS};
use super::ladder::Ladder;
use super::rng::Rng;

/// What the markets are about, in turn.
const SUBJECTS: [&str; 8] = ["RATES", "RAIN", "CUP", "VOTE", "LAUNCH", "FILM", "CHESS", "HARVEST"];

/// How a market trades; the kinds take turns, so six markets show all of them.
struct Kind {
    kalshi: Bands,
    polymarket: Bands,
    tick: &'static str,
    fee_rate: &'static str,
    inverted: bool,
    neg_risk: bool,
    /// Range of the fair value of YES on Kalshi, in 1e-4 dollar.
    fair_e4: (u16, u16),
    /// The least jump that outruns both fees and both spreads, in 1e-4 dollar.
    jump_e4_min: u16,
}

const KINDS: [Kind; 6] = [
    Kind {
        kalshi: CENTS,
        polymarket: CENTS,
        tick: "0.01",
        fee_rate: "0.04",
        inverted: false,
        neg_risk: false,
        fair_e4: (3_000, 7_000),
        jump_e4_min: 450,
    },
    Kind {
        kalshi: CENTS,
        polymarket: CENTS,
        tick: "0.01",
        fee_rate: "0.05",
        inverted: true,
        neg_risk: false,
        fair_e4: (2_500, 6_500),
        jump_e4_min: 480,
    },
    Kind {
        kalshi: TENTHS,
        polymarket: TENTHS,
        tick: "0.001",
        fee_rate: "0.04",
        inverted: false,
        neg_risk: false,
        fair_e4: (3_500, 8_000),
        jump_e4_min: 380,
    },
    Kind {
        kalshi: BANDED,
        polymarket: CENTS,
        tick: "0.01",
        fee_rate: "0.05",
        inverted: false,
        neg_risk: false,
        fair_e4: (700, 1_900),
        jump_e4_min: 280,
    },
    Kind {
        kalshi: CENTS,
        polymarket: CENTS,
        tick: "0.01",
        fee_rate: "0.05",
        inverted: false,
        neg_risk: true,
        fair_e4: (5_500, 8_500),
        jump_e4_min: 420,
    },
    Kind {
        kalshi: CENTS,
        polymarket: CENTS,
        tick: "0.01",
        fee_rate: "0.04",
        inverted: false,
        neg_risk: false,
        fair_e4: (1_500, 4_000),
        jump_e4_min: 380,
    },
];

/// One market on both venues.
pub struct Market {
    /// Kalshi's names.
    pub ticker: String,
    pub event: String,
    pub market_id: String,
    /// Polymarket's names: condition, and the tokens of its own YES and NO.
    pub condition: String,
    pub yes: String,
    pub no: String,
    pub tick: &'static str,
    pub neg_risk: bool,
    /// The books, by [`Venue::index`], each of its venue's own YES.
    pub ladders: [Ladder; 2],
    /// The price of the last trade of YES, by [`Venue::index`], in 1e-4 dollar.
    pub last_e4: [u16; 2],
    /// Until when a venue's makers do not see the fair value, in nanoseconds from the start.
    pub blind_until: [u64; 2],
    /// Polymarket's last timestamp of this market, in Unix milliseconds.
    pub stamp_ms: u64,
    /// The largest drift at once, in 1e-4 dollar.
    pub drift_e4_max: u64,
    /// By how much a jump may exceed the least one, in 1e-4 dollar.
    pub jump_e4_range: u64,
    kind: &'static Kind,
    fair_e4: u16,
}

impl Market {
    /// Market `number`, with its books filled.
    pub fn new(number: usize, rng: &mut Rng) -> Market {
        let kind = &KINDS[number % KINDS.len()];
        let subject = SUBJECTS[number % SUBJECTS.len()];
        let event = format!("KXDEMO{subject}-26DEC");
        let (low, high) = kind.fair_e4;
        let fair_e4 = low + rng.below(u64::from(high - low)) as u16;
        let is_fine = |bands: Bands| bands[0].2 == 10;
        let gap = |bands: Bands| if is_fine(bands) { 4 } else { 1 };
        let spread = |bands: Bands| if bands.len() == 1 && is_fine(bands) { 12 } else { 40 };
        let mut market = Market {
            ticker: format!("{event}-T{}", number + 1),
            event,
            market_id: rng.uuid(),
            condition: format!("0x{}", rng.digits(64, b"0123456789abcdef")),
            yes: rng.digits(77, b"0123456789"),
            no: rng.digits(77, b"0123456789"),
            tick: kind.tick,
            neg_risk: kind.neg_risk,
            ladders: [
                Ladder::new(kind.kalshi, 12, spread(kind.kalshi), gap(kind.kalshi), false),
                Ladder::new(
                    kind.polymarket,
                    15,
                    spread(kind.polymarket),
                    gap(kind.polymarket),
                    true,
                ),
            ],
            last_e4: [0; 2],
            blind_until: [0; 2],
            stamp_ms: 0,
            drift_e4_max: 30,
            jump_e4_range: 350,
            kind,
            fair_e4,
        };
        for venue in Venue::ALL {
            let fair = market.fair(venue);
            market.ladders[venue.index()].move_to(fair, rng);
            market.last_e4[venue.index()] =
                market.ladders[venue.index()].best_bid().unwrap_or(fair);
        }
        market
    }

    /// The fair value of the venue's own YES, in 1e-4 dollar.
    pub fn fair(&self, venue: Venue) -> u16 {
        match (venue, self.kind.inverted) {
            (Venue::Polymarket, true) => 10_000 - self.fair_e4,
            _ => self.fair_e4,
        }
    }

    /// Moves the fair value by `step - drift_e4_max`, 1e-4 dollars.
    pub fn drift(&mut self, step: u64) {
        let moved = i64::from(self.fair_e4) + step as i64 - self.drift_e4_max as i64;
        self.set_fair(moved);
    }

    /// A jump by the least size and `more`, 1e-4 dollars; in the other direction where it would
    /// leave the market's range.
    pub fn jump(&mut self, more: u64, up: bool) {
        let size = i64::from(self.kind.jump_e4_min) + more as i64;
        let (low, high) = self.kind.fair_e4;
        let fair = i64::from(self.fair_e4);
        let up = if up { fair + size <= i64::from(high) } else { fair - size < i64::from(low) };
        self.set_fair(if up { fair + size } else { fair - size });
    }

    fn set_fair(&mut self, e4: i64) {
        let (low, high) = self.kind.fair_e4;
        self.fair_e4 = e4.clamp(i64::from(low), i64::from(high)) as u16;
    }
}

/// The pair file of `markets` (schema 1).
pub fn pairs_toml(options: Options, markets: &[Market]) -> String {
    let mut text = format!(
        "# Pairs of the demonstration tape: generated, no real market.\n\
         # seed {}, {} minutes, {} markets\n\
         schema = 1\n",
        options.seed, options.minutes, options.markets
    );
    for market in markets {
        let kind = market.kind;
        let polarity = if kind.inverted { "inverted" } else { "same" };
        let bands: Vec<String> = kind
            .kalshi
            .iter()
            .map(|(start, end, step)| {
                format!(
                    "{{ start = \"{}\", end = \"{}\", step = \"{}\" }}",
                    dollars(*start),
                    dollars(*end),
                    dollars(*step)
                )
            })
            .collect();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n[[pair]]\n\
             id = \"{id}\"\n\
             polarity = \"{polarity}\"\n\
             kalshi = {{ ticker = \"{ticker}\", event = \"{event}\", grid = [{grid}], fee_type = \"quadratic\", fee_multiplier = \"1\", exchange_index = 0 }}\n\
             polymarket = {{ condition_id = \"{condition}\", yes = \"{yes}\", no = \"{no}\", tick = \"{tick}\", min_size = \"5\", min_notional = \"1\", fee_rate = \"{rate}\", fee_exponent = 1, neg_risk = {neg_risk}, version = \"v1\" }}\n",
            id = market.ticker.to_lowercase(),
            ticker = market.ticker,
            event = market.event,
            grid = bands.join(", "),
            condition = market.condition,
            yes = market.yes,
            no = market.no,
            tick = kind.tick,
            rate = kind.fee_rate,
            neg_risk = kind.neg_risk,
        );
    }
    text
}

/// Dollars with four decimals, as Kalshi writes prices.
pub fn dollars(e4: u16) -> String {
    format!("{}.{:04}", e4 / 10_000, e4 % 10_000)
}

/// Contracts with two decimals, as Kalshi writes sizes.
pub fn contracts(e2: u64) -> String {
    format!("{}.{:02}", e2 / 100, e2 % 100)
}

/// The shortest decimal of `value` / 10^`decimals`, as Polymarket writes prices and sizes.
pub fn shortest(value: u64, decimals: u32) -> String {
    let one = 10u64.pow(decimals);
    let text = format!("{}.{:0width$}", value / one, value % one, width = decimals as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelt_as_the_venues_spell_them() {
        assert_eq!(dollars(470), "0.0470");
        assert_eq!(contracts(777), "7.77");
        assert_eq!(
            (shortest(5_000, 4), shortest(4_730, 4)),
            ("0.5".to_owned(), "0.473".to_owned())
        );
        assert_eq!(
            (shortest(120_000, 2), shortest(8_820, 2), shortest(0, 2)),
            ("1200".into(), "88.2".into(), "0".into())
        );
    }
}
