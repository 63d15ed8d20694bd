//! Pairs, books and a recording outlet for tests.

use crate::core::{CoreConfig, Outlet};
use crate::event::{Bundle, Closed, Decision, Event, Grounds, Settled};
use crate::pair::{FeeRule, Instrument, Pair, PairTable, Polarity, SizeRule, Verdict};
use crate::top::{Health, Levels, MarketId, Top};
use crate::units::{Ns, Px, Qty, Usd, Venue};

pub const QUADRATIC: FeeRule = FeeRule::Quadratic { multiplier_e6: 1_000_000 };
pub const CURVE: FeeRule = FeeRule::Curve { rate_e6: 50_000, exponent: 1 };

pub fn market(venue: Venue, index: usize) -> MarketId {
    MarketId::new(venue, index).unwrap()
}

/// A pair of market `first` of one venue and `second` of the other.
pub fn pair(id: &str, first: usize, second: usize, polarity: Polarity) -> Pair {
    Pair {
        id: id.to_owned(),
        event: None,
        polarity,
        legs: None,
        verdict: Verdict::Unspecified,
        sides: [
            Instrument {
                market: market(Venue::Kalshi, first),
                fee: QUADRATIC,
                size: SizeRule {
                    min_qty: Qty::lit(1),
                    min_notional: Usd::ZERO,
                    whole_cents: false,
                },
                tick: Px::lit(10),
                taker_delay: Ns(0),
            },
            Instrument {
                market: market(Venue::Polymarket, second),
                fee: CURVE,
                size: SizeRule {
                    min_qty: Qty::lit(500),
                    min_notional: Usd::ONE,
                    whole_cents: true,
                },
                tick: Px::lit(10),
                taker_delay: Ns(0),
            },
        ],
        worst_payoff: Px::ZERO,
        expected_resolution: None,
        close_time: None,
        game_start: None,
    }
}

pub fn table(pairs: &[Pair]) -> PairTable {
    PairTable::new(pairs.to_vec()).unwrap()
}

/// A core that trades from one micro-dollar a contract on, without rest.
pub fn config() -> CoreConfig {
    CoreConfig { min_profit: Usd::ZERO, cooldown: Ns(0), trade: true, ..CoreConfig::default() }
}

/// A sound book of (price, size) levels, best first, received at `at`.
pub fn top(market: MarketId, at: u64, bids: &[(u16, u32)], asks: &[(u16, u32)]) -> Top {
    let levels = |list: &[(u16, u32)]| {
        let mut out = Levels::EMPTY;
        for (i, (px, qty)) in list.iter().enumerate() {
            (out.px[i], out.qty[i]) = (*px, *qty);
        }
        out
    };
    let mut top = Top::unknown(market);
    top.set_bids(&levels(bids));
    top.set_asks(&levels(asks));
    top.recv = Ns(at);
    top.generation = at as u32;
    top.health = Health::Sound;
    top
}

/// Keeps everything.
#[derive(Default)]
pub struct Recorder {
    pub bundles: Vec<Bundle>,
    pub grounds: Vec<Grounds>,
    pub events: Vec<Event>,
}

impl Outlet for Recorder {
    fn bundle(&mut self, bundle: &Bundle, grounds: &Grounds) {
        self.bundles.push(*bundle);
        self.grounds.push(*grounds);
    }

    fn event(&mut self, event: &Event) {
        self.events.push(*event);
    }
}

impl Recorder {
    pub fn closed(&self) -> Vec<Closed> {
        let pick = |e: &Event| if let Event::OpportunityClosed(c) = e { Some(*c) } else { None };
        self.events.iter().filter_map(pick).collect()
    }

    pub fn decisions(&self) -> Vec<Decision> {
        let pick = |e: &Event| if let Event::ExecuteTrade(d) = e { Some(*d) } else { None };
        self.events.iter().filter_map(pick).collect()
    }

    pub fn settled(&self) -> Vec<Settled> {
        let pick = |e: &Event| match e {
            Event::TradeSettled(s) | Event::TradeFailed(s) => Some(*s),
            _ => None,
        };
        self.events.iter().filter_map(pick).collect()
    }
}
