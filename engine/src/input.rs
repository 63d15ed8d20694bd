//! What the core takes in, as values that can be written down: a run that records them can be
//! repeated from its tape, decision for decision.

mod listing; // pairs that join

use crate::event::{Action, BundleId, Control, Feedback, Reject, Report, ReportKind, Risk};
use crate::grid::{BANDS_MAX, Grid};
use crate::inject::Injection;
use crate::input::listing::{get_listing, put_listing};
use crate::pair::{Direction, FeeRule, Listing, Outcome, PairId};
use crate::risk::{Payout, Word};
use crate::tile::Now;
use crate::top::{Health, Levels, MarketId, TOP_LEVELS, Top};
use crate::units::{Ns, Px, Qty, Shares, Usd, Venue};

/// The longest encoded input in bytes.
pub const CORE_INPUT_LEN_MAX: usize = 160;

/// One input of the core. The order in which the core takes them is itself data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // It lives on the stack for one call.
pub enum CoreInput {
    /// A market's best levels.
    Top(Top),
    /// A rule changed.
    Control(Control),
    /// A gate said something.
    Feedback(Feedback),
    /// Only time passed.
    Timer,
    /// Void every bundle that has not left, and decide nothing more.
    Kill,
    /// Decide nothing more; what is under way goes on.
    Hold,
    /// Show a test arbitrage, on paper alone.
    Inject(Injection),
    /// Somebody says something that limits depend on.
    Word(Word),
}

/// Writes little-endian words into a buffer of fixed size.
struct Put<'a> {
    to: &'a mut [u8; CORE_INPUT_LEN_MAX],
    at: usize,
}

impl Put<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.to[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    fn market(&mut self, market: MarketId) {
        self.u8(market.venue() as u8);
        self.u16(market.index() as u16);
    }

    fn fill(&mut self, shares: Shares, px: Px, cash: Usd, fee: Usd) {
        self.u64(shares.e6());
        self.u16(px.e4());
        self.u64(cash.e6().cast_unsigned());
        self.u64(fee.e6().cast_unsigned());
    }
}

/// Reads what [`Put`] wrote; `None` where it ends early or says the impossible.
struct Get<'a>(&'a [u8]);

impl Get<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn usd(&mut self) -> Option<Usd> {
        self.array().map(|bytes| Usd::new(i64::from_le_bytes(bytes)))
    }

    fn px(&mut self) -> Option<Px> {
        Px::new(self.u16()?)
    }

    fn bool(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn venue(&mut self) -> Option<Venue> {
        Venue::ALL.get(usize::from(self.u8()?)).copied()
    }

    fn market(&mut self) -> Option<MarketId> {
        let venue = self.venue()?;
        MarketId::new(venue, usize::from(self.u16()?))
    }

    fn outcome(&mut self) -> Option<(Outcome, Action)> {
        match self.u8()? {
            0 => Some((Outcome::Yes, Action::Buy)),
            1 => Some((Outcome::No, Action::Buy)),
            2 => Some((Outcome::Yes, Action::Sell)),
            3 => Some((Outcome::No, Action::Sell)),
            _ => None,
        }
    }

    fn fill(&mut self) -> Option<(Shares, Px, Usd, Usd)> {
        Some((Shares::new(self.u64()?), self.px()?, self.usd()?, self.usd()?))
    }
}

const HEALTHS: [Health; 5] =
    [Health::Sound, Health::AwaitSnapshot, Health::Stale, Health::Crossed, Health::Gap];

impl CoreInput {
    /// Writes the input and when the core took it into `to`, and says how many bytes that are.
    pub fn encode(&self, now: Now, to: &mut [u8; CORE_INPUT_LEN_MAX]) -> usize {
        let mut put = Put { to, at: 0 };
        put.u64(now.mono.0);
        put.u64(now.wall.0);
        match self {
            CoreInput::Top(top) => {
                put.u8(0);
                put_top(&mut put, top);
            }
            CoreInput::Control(Control::Fee { market, fee }) => {
                put.u8(1);
                put.market(*market);
                put_fee(&mut put, *fee);
            }
            CoreInput::Control(Control::EndOfFrame) => put.u8(2),
            CoreInput::Control(Control::Grid { market, grid }) => {
                put.u8(16);
                put.market(*market);
                put_grid(&mut put, grid);
            }
            CoreInput::Control(Control::Close { market, at }) => {
                put.u8(23);
                put.market(*market);
                put.u64(at.0);
            }
            CoreInput::Control(Control::Join(listing)) => {
                // A kind of its own: tapes of before it hold listings of which nobody says it.
                let is_worth = listing.worst_payoff != Px::ZERO;
                put.u8(if is_worth { 22 } else { 18 });
                put_listing(&mut put, listing);
                if is_worth {
                    put.u16(listing.worst_payoff.e4());
                }
            }
            CoreInput::Control(Control::Retire(pair)) => {
                put.u8(19);
                put.u16(pair.0);
            }
            CoreInput::Control(Control::Vacate { market, generation }) => {
                put.u8(20);
                put.market(*market);
                put.u32(*generation);
            }
            CoreInput::Feedback(Feedback::Vacated { market, generation }) => {
                put.u8(21);
                put.market(*market);
                put.u32(*generation);
            }
            CoreInput::Feedback(Feedback::Report(report)) => {
                put.u8(3);
                put_report(&mut put, report);
            }
            CoreInput::Feedback(Feedback::Gate { venue, at, ready }) => {
                put.u8(4);
                put.u8(*venue as u8);
                put.u64(at.0);
                put.u8(u8::from(*ready));
            }
            CoreInput::Timer => put.u8(5),
            CoreInput::Kill => put.u8(6),
            CoreInput::Hold => put.u8(7),
            CoreInput::Inject(Injection { pair, direction, edge, qty }) => {
                put.u8(17);
                put.u16(pair.0);
                put.u8(*direction as u8);
                put.u64(edge.e6().cast_unsigned());
                put.u64(qty.e2());
            }
            CoreInput::Feedback(Feedback::Tripped { pair, at, risk }) => {
                put.u8(8);
                put.u16(pair.0);
                put.u64(at.0);
                put.u8(*risk as u8);
            }
            CoreInput::Word(word) => {
                put.u8(9);
                put_word(&mut put, word);
            }
        }
        put.at
    }

    /// Reads what [`CoreInput::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<(Now, CoreInput)> {
        let mut get = Get(bytes);
        let now = Now { mono: Ns(get.u64()?), wall: Ns(get.u64()?) };
        let input = match get.u8()? {
            0 => CoreInput::Top(get_top(&mut get)?),
            1 => {
                let market = get.market()?;
                CoreInput::Control(Control::Fee { market, fee: get_fee(&mut get)? })
            }
            2 => CoreInput::Control(Control::EndOfFrame),
            16 => {
                let market = get.market()?;
                CoreInput::Control(Control::Grid { market, grid: get_grid(&mut get)? })
            }
            23 => {
                let (market, at) = (get.market()?, Ns(get.u64()?));
                CoreInput::Control(Control::Close { market, at })
            }
            18 => CoreInput::Control(Control::Join(get_listing(&mut get)?)),
            22 => {
                let listing = get_listing(&mut get)?;
                let worst_payoff = get.px()?;
                CoreInput::Control(Control::Join(Listing { worst_payoff, ..listing }))
            }
            19 => CoreInput::Control(Control::Retire(PairId(get.u16()?))),
            20 => {
                let (market, generation) = (get.market()?, get.u32()?);
                CoreInput::Control(Control::Vacate { market, generation })
            }
            21 => {
                let (market, generation) = (get.market()?, get.u32()?);
                CoreInput::Feedback(Feedback::Vacated { market, generation })
            }
            3 => CoreInput::Feedback(Feedback::Report(get_report(&mut get)?)),
            4 => CoreInput::Feedback(Feedback::Gate {
                venue: get.venue()?,
                at: Ns(get.u64()?),
                ready: get.bool()?,
            }),
            5 => CoreInput::Timer,
            6 => CoreInput::Kill,
            7 => CoreInput::Hold,
            17 => CoreInput::Inject(Injection {
                pair: PairId(get.u16()?),
                direction: *Direction::ALL.get(usize::from(get.u8()?))?,
                edge: get.usd()?,
                qty: Qty::new(get.u64()?)?,
            }),
            8 => CoreInput::Feedback(Feedback::Tripped {
                pair: PairId(get.u16()?),
                at: Ns(get.u64()?),
                risk: *Risk::ALL.get(usize::from(get.u8()?))?,
            }),
            9 => CoreInput::Word(get_word(&mut get)?),
            _ => return None,
        };
        get.0.is_empty().then_some((now, input))
    }
}

fn put_top(put: &mut Put<'_>, top: &Top) {
    put.u64(top.recv.0);
    put.u32(top.generation);
    put.market(top.market);
    put.u8(top.health as u8);
    put.u8(top.flags);
    for levels in [top.bids(), top.asks()] {
        levels.qty.iter().for_each(|qty| put.u32(*qty));
        levels.px.iter().for_each(|px| put.u16(*px));
    }
}

fn get_top(get: &mut Get<'_>) -> Option<Top> {
    let (recv, generation) = (Ns(get.u64()?), get.u32()?);
    let mut top = Top::unknown(get.market()?);
    (top.recv, top.generation) = (recv, generation);
    top.health = *HEALTHS.get(usize::from(get.u8()?))?;
    top.flags = get.u8()?;
    let mut sides = [Levels::EMPTY; 2];
    for levels in &mut sides {
        for at in 0..TOP_LEVELS {
            levels.qty[at] = get.u32()?;
        }
        for at in 0..TOP_LEVELS {
            levels.px[at] = get.px()?.e4();
        }
    }
    top.set_bids(&sides[0]);
    top.set_asks(&sides[1]);
    Some(top)
}

fn put_fee(put: &mut Put<'_>, fee: Option<FeeRule>) {
    match fee {
        None => put.u8(0),
        Some(FeeRule::Quadratic { multiplier_e6 }) => {
            put.u8(1);
            put.u32(multiplier_e6);
        }
        Some(FeeRule::Curve { rate_e6, exponent }) => {
            put.u8(2);
            put.u32(rate_e6);
            put.u8(exponent);
        }
        Some(FeeRule::Unknown) => put.u8(3),
    }
}

fn get_fee(get: &mut Get<'_>) -> Option<Option<FeeRule>> {
    Some(match get.u8()? {
        0 => None,
        1 => Some(FeeRule::quadratic(get.u32()?).ok()?),
        2 => Some(FeeRule::curve(get.u32()?, get.u8()?).ok()?),
        3 => Some(FeeRule::Unknown),
        _ => return None,
    })
}

fn put_grid(put: &mut Put<'_>, grid: &Grid) {
    put.u8(grid.bands().count() as u8);
    for (start, end, step) in grid.bands() {
        put.u16(start);
        put.u16(end);
        put.u16(step);
    }
}

fn get_grid(get: &mut Get<'_>) -> Option<Grid> {
    let (mut bands, count) = ([(0, 0, 0); BANDS_MAX], usize::from(get.u8()?));
    let bands = bands.get_mut(..count)?;
    for band in bands.iter_mut() {
        *band = (get.u16()?, get.u16()?, get.u16()?);
    }
    Grid::banded(bands).ok()
}

fn put_report(put: &mut Put<'_>, report: &Report) {
    put.u64(report.bundle.0);
    put.u16(report.pair.0);
    put.u8(report.leg);
    put.market(report.market);
    // Bit 0 is the outcome, bit 1 the action: tapes from before there were sales read the same.
    put.u8(report.outcome as u8 | (report.action as u8) << 1);
    put.u64(report.at.0);
    match report.kind {
        ReportKind::Sent => put.u8(0),
        ReportKind::Acked => put.u8(1),
        ReportKind::Filled { shares, px, cash, fee } => {
            put.u8(2);
            put.fill(shares, px, cash, fee);
        }
        ReportKind::Done => put.u8(3),
        ReportKind::Rejected(reason) => {
            put.u8(4);
            put.u8(reason as u8);
        }
        ReportKind::Cancelled => put.u8(5),
        ReportKind::Unknown => put.u8(6),
        ReportKind::Undone { shares, px, cash, fee } => {
            put.u8(7);
            put.fill(shares, px, cash, fee);
        }
    }
}

fn get_report(get: &mut Get<'_>) -> Option<Report> {
    let (bundle, pair, leg) = (BundleId(get.u64()?), PairId(get.u16()?), get.u8()?);
    let (market, (outcome, action), at) = (get.market()?, get.outcome()?, Ns(get.u64()?));
    let kind = match get.u8()? {
        0 => ReportKind::Sent,
        1 => ReportKind::Acked,
        2 => {
            let (shares, px, cash, fee) = get.fill()?;
            ReportKind::Filled { shares, px, cash, fee }
        }
        3 => ReportKind::Done,
        4 => ReportKind::Rejected(*Reject::ALL.get(usize::from(get.u8()?))?),
        5 => ReportKind::Cancelled,
        6 => ReportKind::Unknown,
        7 => {
            let (shares, px, cash, fee) = get.fill()?;
            ReportKind::Undone { shares, px, cash, fee }
        }
        _ => return None,
    };
    Some(Report { bundle, pair, leg, market, outcome, action, at, kind })
}

fn put_word(put: &mut Put<'_>, word: &Word) {
    match *word {
        Word::Arm => put.u8(0),
        Word::Clock { venue, ahead } => {
            put.u8(1);
            put.u8(venue as u8);
            put.u64(ahead.cast_unsigned());
        }
        Word::Block { market, blocked } => {
            put.u8(2);
            put.market(market);
            put.u8(u8::from(blocked));
        }
        Word::Settled { market } => {
            put.u8(3);
            put.market(market);
        }
        Word::Closed { pair, market, outcome, shares } => {
            put.u8(4);
            put.u16(pair.0);
            put.market(market);
            put.u8(outcome as u8);
            put.u64(shares.e6());
        }
        Word::Funded { shard, cash } => {
            put.u8(6);
            put.u8(shard);
            put.u64(cash.e6().cast_unsigned());
        }
        Word::Shard { market, shard } => {
            put.u8(7);
            put.market(market);
            put.u8(shard);
        }
        Word::Paid(Payout { market, outcome, shares, each, paid }) => {
            put.u8(5);
            put.market(market);
            put.u8(outcome as u8);
            put.u64(shares.e6());
            put.u16(each.e4());
            put.u64(paid.e6().cast_unsigned());
        }
    }
}

fn get_word(get: &mut Get<'_>) -> Option<Word> {
    Some(match get.u8()? {
        0 => Word::Arm,
        1 => Word::Clock { venue: get.venue()?, ahead: get.u64()?.cast_signed() },
        2 => Word::Block { market: get.market()?, blocked: get.bool()? },
        3 => Word::Settled { market: get.market()? },
        6 => Word::Funded { shard: get.u8()?, cash: get.usd()? },
        7 => Word::Shard { market: get.market()?, shard: get.u8()? },
        4 => Word::Closed {
            pair: PairId(get.u16()?),
            market: get.market()?,
            outcome: get.outcome()?.0,
            shares: Shares::new(get.u64()?),
        },
        5 => Word::Paid(Payout {
            market: get.market()?,
            outcome: get.outcome()?.0,
            shares: Shares::new(get.u64()?),
            each: get.px()?,
            paid: Usd::new(get.u64()?.cast_signed()),
        }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round(input: CoreInput) {
        let now = Now { mono: Ns(7), wall: Ns(u64::MAX - 3) };
        let mut bytes = [0; CORE_INPUT_LEN_MAX];
        let len = input.encode(now, &mut bytes);
        assert_eq!(CoreInput::decode(&bytes[..len]), Some((now, input)));
        assert_eq!(CoreInput::decode(&bytes[..len - 1]), None, "{input:?}");
        assert_eq!(CoreInput::decode(&bytes[..len + 1]), None, "{input:?}");
    }

    #[test]
    fn every_input_survives_its_bytes() {
        let market = MarketId::new(Venue::Polymarket, 32_767).unwrap();
        let mut top = Top::unknown(market);
        let levels = Levels { qty: [u32::MAX, 2, 1, 0], px: [9_999, 3, 2, 0] };
        top.set_bids(&levels);
        top.set_asks(&levels.mirrored());
        for health in HEALTHS {
            top.health = health;
            top.flags ^= 5;
            round(CoreInput::Top(top));
        }
        let fees = [
            None,
            Some(FeeRule::Unknown),
            Some(FeeRule::Quadratic { multiplier_e6: 3 }),
            Some(FeeRule::Curve { rate_e6: 9, exponent: 2 }),
        ];
        for fee in fees {
            round(CoreInput::Control(Control::Fee { market, fee }));
        }
        round(CoreInput::Control(Control::EndOfFrame));
        let tapered = [(0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)];
        let most: Vec<_> =
            (0..BANDS_MAX as u16).map(|n| (n * 1_000, n * 1_000 + 1_000, 5 + n % 2 * 5)).collect();
        for grid in [Ok(Grid::CENT), Grid::banded(&tapered), Grid::banded(&most)] {
            round(CoreInput::Control(Control::Grid { market, grid: grid.unwrap() }));
        }
        let kinds = [
            ReportKind::Sent,
            ReportKind::Acked,
            ReportKind::Filled {
                shares: Shares::new(u64::MAX),
                px: Px::ONE,
                cash: Usd::new(i64::MIN),
                fee: Usd::new(-1),
            },
            ReportKind::Undone {
                shares: Shares::new(1),
                px: Px::ZERO,
                cash: Usd::new(i64::MAX),
                fee: Usd::new(7),
            },
            ReportKind::Done,
            ReportKind::Cancelled,
            ReportKind::Unknown,
        ];
        let ways = [Outcome::Yes, Outcome::No]
            .map(|outcome| [Action::Buy, Action::Sell].map(|action| (outcome, action)));
        for kind in kinds.into_iter().chain(Reject::ALL.map(ReportKind::Rejected)) {
            for (outcome, action) in ways.into_iter().flatten() {
                let (bundle, pair, at) = (BundleId(9), PairId(3), Ns(5));
                let report = Report { bundle, pair, leg: 1, market, outcome, action, at, kind };
                round(CoreInput::Feedback(Feedback::Report(report)));
            }
        }
        for ready in [false, true] {
            round(CoreInput::Feedback(Feedback::Gate { venue: Venue::Kalshi, at: Ns(1), ready }));
        }
        for risk in Risk::ALL {
            round(CoreInput::Feedback(Feedback::Tripped { pair: PairId(9), at: Ns(1), risk }));
        }
        let words = [
            Word::Arm,
            Word::Clock { venue: Venue::Polymarket, ahead: i64::MIN },
            Word::Block { market, blocked: true },
            Word::Settled { market },
            Word::Funded { shard: u8::MAX, cash: Usd::new(-3) },
            Word::Shard { market, shard: 7 },
            Word::Closed { pair: PairId(1), market, outcome: Outcome::No, shares: Shares::new(5) },
            Word::Paid(Payout {
                market,
                outcome: Outcome::Yes,
                shares: Shares::new(7),
                each: Px::ONE,
                paid: Usd::new(-7),
            }),
        ];
        words.into_iter().for_each(|word| round(CoreInput::Word(word)));
        round(CoreInput::Control(Control::Close { market, at: Ns(u64::MAX - 5) }));
        round(CoreInput::Control(Control::Retire(PairId(u16::MAX))));
        let generation = u32::MAX - 1;
        round(CoreInput::Control(Control::Vacate { market, generation }));
        round(CoreInput::Feedback(Feedback::Vacated { market, generation }));
        round(CoreInput::Timer);
        round(CoreInput::Kill);
        round(CoreInput::Hold);
        for direction in Direction::ALL {
            let (pair, edge, qty) = (PairId(7), Usd::new(-3), Qty::lit(5));
            round(CoreInput::Inject(Injection { pair, direction, edge, qty }));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..160)) {
            let _ = CoreInput::decode(&bytes);
        }
    }
}
