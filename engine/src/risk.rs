//! What may be at stake, how often, and when. The core asks before it decides and each gate before
//! it writes, each with a guard of its own that hears for itself what became of orders. Integers
//! only, no clock, no memory after start.

pub mod calendar; // weekly pauses of the venues
pub mod day; // what today came to
pub mod exposure; // what is at stake
pub mod limits; // what no order and no run may exceed
pub mod throttle; // how often

use crate::event::{Action, Bundle, Dispatch, Grounds, Leg, Purpose, Report, ReportKind, Risk};
use crate::pair::{Listing, Outcome, PairId, PairTable};
use crate::risk::exposure::{Exposure, Place, Room, Stake};
use crate::risk::limits::{RATE_MAX, REPAIRS, REPAIRS_MAX, RiskLimits};
use crate::risk::throttle::{Streak, Window};
use crate::tile::Now;
use crate::top::{Health, MarketId};
use crate::units::{Ns, Px, Shares, Usd, Venue};

/// What somebody tells the core and the gates while they trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// A person says that trading may go on: latches are lifted, streaks and repeats forgotten.
    Arm,
    /// The clock is so far ahead of a venue's; below zero is behind.
    Clock {
        /// Whose.
        venue: Venue,
        /// Nanoseconds.
        ahead: i64,
    },
    /// A market is, or is no longer, on the list of those not to be traded.
    Block {
        /// Which.
        market: MarketId,
        /// Whether it is.
        blocked: bool,
    },
    /// Kalshi keeps money by shard, and so much of it lies on that one when the run begins.
    Funded {
        /// Which.
        shard: u8,
        /// How much.
        cash: Usd,
    },
    /// A market of Kalshi trades on that shard.
    Shard {
        /// Which.
        market: MarketId,
        /// Where.
        shard: u8,
    },
    /// A market's outcome is final: nothing of it is at stake any more, though the money may come
    /// later.
    Settled {
        /// Which.
        market: MarketId,
    },
    /// A venue took contracts of a market that settled, and paid for them.
    Paid(Payout),
    /// Contracts of a market were closed by other means than an order of ours: a merge, a
    /// redemption, a sale by hand.
    Closed {
        /// For which pair they were held.
        pair: PairId,
        /// Of which market.
        market: MarketId,
        /// Which outcome.
        outcome: Outcome,
        /// How many.
        shares: Shares,
    },
}

/// Contracts of a market that settled, as its venue paid for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payout {
    /// Of which market.
    pub market: MarketId,
    /// Of which outcome.
    pub outcome: Outcome,
    /// How many.
    pub shares: Shares,
    /// What each of them paid.
    pub each: Px,
    /// What the venue paid for all of them.
    pub paid: Usd,
}

/// A venue that nothing worked at through so many rests takes no order of ours: waiting mends
/// nothing, and a person must look.
pub const RESTS_MAX: u32 = 3;

/// What is kept of a pair beside its stakes.
#[derive(Clone, Debug)]
struct Watch {
    /// None in a free place.
    markets: [Option<MarketId>; 2],
    fired: Window<{ RATE_MAX[1] as usize }>,
    /// Nothing is opened from then on; Unix nanoseconds.
    last: Ns,
    /// The part of it that no close moves, such as the start of the game: Unix seconds, rounded
    /// down, [`NO_END`] where there is none and 0 where nothing is opened any more.
    end_s: u32,
    /// By side: on the list of those not to be traded.
    blocked: [bool; 2],
}

/// Later than every moment of a market's.
const NO_END: u32 = u32::MAX;

impl Watch {
    /// A pair of these markets, by its close and the start of its game.
    fn new(
        limits: &RiskLimits,
        markets: [Option<MarketId>; 2],
        close: Option<Ns>,
        game: Option<Ns>,
    ) -> Watch {
        let before = |at: Option<Ns>, span: Ns| at.map_or(Ns(u64::MAX), |at| at.since(span));
        let game = limits.before_game.map_or(Ns(u64::MAX), |span| before(game, span));
        let last = before(close, limits.before_close).min(game);
        let end_s = u32::try_from(game.0 / NS_A_SECOND).unwrap_or(NO_END);
        Watch { markets, fired: Window::NONE, last, end_s, blocked: [false; 2] }
    }

    /// A free place: no market is its, and nothing is opened.
    const fn vacant() -> Watch {
        let (markets, fired) = ([None; 2], Window::NONE);
        Watch { markets, fired, last: Ns(0), end_s: 0, blocked: [false; 2] }
    }

    /// A close moved: nothing is opened from then on, nor beyond what ends the pair whatever its
    /// close is. True where that is another moment than before.
    fn close(&mut self, limits: &RiskLimits, at: Ns) -> bool {
        let end = match self.end_s {
            NO_END => Ns(u64::MAX),
            seconds => Ns(u64::from(seconds) * NS_A_SECOND),
        };
        let last = at.since(limits.before_close).min(end);
        core::mem::replace(&mut self.last, last) != last
    }

    /// Nothing is opened any more.
    const fn stop(&mut self) {
        (self.last, self.end_s) = (Ns(0), 0);
    }
}

const NS_A_SECOND: u64 = 1_000_000_000;

/// Bytes that a pair takes in a guard.
pub const PAIR_BYTES: usize = size_of::<Watch>() + exposure::ROW_BYTES;

/// Holds the limits.
#[derive(Clone, Debug)]
pub struct Guard {
    limits: RiskLimits,
    exposure: Exposure,
    watches: Box<[Watch]>,
    fired: Window<{ RATE_MAX[0] as usize }>,
    /// Repairs have a bound of their own, which no word lifts: it passes by itself.
    mended: Window<REPAIRS_MAX>,
    /// Errors in a row, whoever made them.
    streak: Streak,
    /// The same by venue: what works at one of them says nothing of the other.
    streaks: [Streak; 2],
    clock: [u64; 2],
    /// A safeguard that asks for a person.
    latched: Option<Risk>,
    /// Money that may be out, which the core alone can count.
    unsettled: Usd,
}

impl Guard {
    /// A guard with nothing at stake.
    pub fn new(limits: &RiskLimits, table: &PairTable) -> Guard {
        let watches = table.pairs().iter().map(|pair| {
            let markets = pair.sides.map(|side| Some(side.market));
            Watch::new(limits, markets, pair.close_time, pair.game_start)
        });
        let vacant = core::iter::repeat_with(Watch::vacant);
        Guard {
            limits: limits.capped(),
            exposure: Exposure::new(table),
            watches: watches.chain(vacant).take(table.slots()).collect(),
            fired: Window::NONE,
            mended: Window::NONE,
            streak: Streak::default(),
            streaks: [Streak::default(); 2],
            clock: [0; 2],
            latched: None,
            unsettled: Usd::new(i64::MAX),
        }
    }

    /// Holds so much against what the core says is out.
    #[must_use]
    pub const fn with_unsettled(mut self, most: Usd) -> Guard {
        self.unsettled = most;
        self
    }

    /// A pair joins. What is known of its markets holds for it too.
    #[cold]
    pub fn list(&mut self, listing: &Listing) {
        let markets = listing.sides.map(|side| Some(side.market));
        let mut watch = Watch::new(&self.limits, markets, listing.close_time, listing.game_start);
        for (side, market) in markets.into_iter().enumerate() {
            watch.blocked[side] =
                self.watches.iter().any(|w| w.markets[side] == market && w.blocked[side]);
        }
        if let Some(place) = self.watches.get_mut(listing.pair.index()) {
            *place = watch;
            self.exposure.list(listing);
        }
    }

    /// Nothing more is opened of a pair, whatever is said of its markets. They are not blocked by
    /// that: other pairs may have them.
    #[cold]
    pub fn stop(&mut self, pair: PairId) {
        if let Some(watch) = self.watches.get_mut(pair.index()) {
            watch.stop();
        }
    }

    /// A market closes at another time than was known; true where that moves the last moment of
    /// its pairs.
    #[cold]
    pub fn close(&mut self, market: MarketId, at: Ns) -> bool {
        let (limits, side) = (&self.limits, market.venue().index());
        let its = self.watches.iter_mut().filter(|watch| watch.markets[side] == Some(market));
        its.fold(false, |moved, watch| watch.close(limits, at) | moved)
    }

    /// A market is gone: what was said of it does not hold for the next one of its number.
    #[cold]
    pub fn vacate(&mut self, market: MarketId) {
        let side = market.venue().index();
        let its = self.watches.iter_mut().filter(|watch| watch.markets[side] == Some(market));
        its.for_each(|watch| watch.markets[side] = None);
    }

    /// A pair is gone: its place is free.
    #[cold]
    pub fn leave(&mut self, pair: PairId) {
        if let Some(watch) = self.watches.get_mut(pair.index()) {
            *watch = Watch::vacant();
            self.exposure.leave(pair);
        }
    }

    /// The limits.
    pub const fn limits(&self) -> &RiskLimits {
        &self.limits
    }

    /// What is at stake.
    pub const fn exposure(&self) -> &Exposure {
        &self.exposure
    }

    /// The safeguard that stopped trading until a person arms it.
    pub const fn latched(&self) -> Option<Risk> {
        self.latched
    }

    /// Stops trading until a person arms it, for a reason that somebody else saw.
    pub const fn latch(&mut self, risk: Risk) {
        self.latched = Some(risk);
    }

    /// Whether a bundle of this pair may leave now whose legs are on these sides; `age` is that of
    /// the older of its books.
    ///
    /// # Errors
    /// The safeguard that says no.
    #[inline(always)] // into `admit`, which an order waits for
    pub fn may_fire<const LEGS: usize>(
        &mut self,
        now: Now,
        pair: PairId,
        sides: [usize; LEGS],
        age: Ns,
    ) -> Result<(), Risk> {
        if let Some(risk) = self.latched {
            return Err(risk);
        }
        let limits = &mut self.limits;
        let Some(watch) = self.watches.get(pair.index()) else { return Err(Risk::Blocked) };
        // Loops and no closures: these are inlined whole.
        for side in sides {
            if self.streaks[side].rests(now.mono) || self.streak.rests(now.mono) {
                return Err(Risk::Errors);
            }
        }
        for side in sides {
            if watch.blocked[side] {
                return Err(Risk::Blocked);
            }
        }
        if now.wall >= watch.last {
            return Err(Risk::Close);
        }
        for side in sides {
            if self.clock[side] > limits.clock_off.0 {
                return Err(Risk::Clock);
            }
        }
        if age > limits.book_age {
            return Err(Risk::BookAge);
        }
        for side in sides {
            if limits.calendar.is_closed(Venue::ALL[side], now.wall) {
                return Err(Risk::Calendar);
            }
        }
        if !self.fired.allows(limits.bundles, now.mono) {
            return Err(Risk::Rate);
        }
        if !watch.fired.allows(limits.repeats, now.mono) {
            self.latched = Some(Risk::Repeated);
            return Err(Risk::Repeated);
        }
        Ok(())
    }

    /// True while nothing is opened at a venue because of errors.
    pub fn rests(&self, venue: Venue, now: Ns) -> bool {
        self.streak.rests(now) || self.streaks[venue.index()].rests(now)
    }

    /// Whether there is money enough, and not too much of it was lost today.
    ///
    /// # Errors
    /// The safeguard that says no.
    pub fn may_spend(&mut self, cash: Usd, today: Usd) -> Result<(), Risk> {
        if cash < self.limits.shutdown_balance {
            self.latched = Some(Risk::Balance);
            return Err(Risk::Balance);
        }
        // A limit is never negative.
        if today.e6() <= -self.limits.day_loss.e6() {
            return Err(Risk::DayLoss);
        }
        Ok(())
    }

    /// Whether a bundle may leave that was decided on these grounds, whatever the core thought of
    /// them: every leg of it, at whichever venue, so that two gates judge alike.
    ///
    /// # Errors
    /// The safeguard that says no.
    #[inline(always)] // as above
    pub fn may_stand_on(&mut self, grounds: &Grounds, bundle: &Bundle) -> Result<(), Risk> {
        for (leg, collar) in bundle.orders().iter().zip(bundle.collar) {
            self.bounds(leg, collar)?;
        }
        if grounds.health != Health::Sound {
            self.latched = Some(Risk::Book);
            return Err(Risk::Book);
        }
        if bundle.purpose != Purpose::Open {
            return Ok(());
        }
        for leg in bundle.orders() {
            if grounds.left[leg.market.venue().index()] < self.limits.wallet_min {
                self.latched = Some(Risk::Balance);
                return Err(Risk::Balance);
            }
        }
        if grounds.unsettled > self.unsettled {
            return Err(Risk::Unsettled);
        }
        self.may_spend(grounds.cash, grounds.today)
    }

    /// How much each leg of a new bundle may have.
    pub fn room(&self, pair: PairId, sides: [usize; 2]) -> Room {
        self.exposure.room(pair, sides, &self.limits)
    }

    /// What a gate holds against a bundle before the legs of it that are `ours` leave. Where it lets
    /// them, all that they may cost is at stake from now on.
    ///
    /// # Errors
    /// The leg that may not leave, and the safeguard that says no.
    #[inline(always)] // the gates know their venue, and it is their only caller
    pub fn admit(
        &mut self,
        Dispatch { bundle, grounds }: &Dispatch,
        venue: Venue,
        ours: &[usize],
    ) -> Result<(), (usize, Risk)> {
        let verdict = match bundle.purpose {
            Purpose::Open => self.admit_opening(bundle, grounds, venue, ours),
            _ => self.admit_repair(bundle, grounds, ours),
        };
        verdict.map_err(|risk| (ours.first().copied().unwrap_or(0), risk))
    }

    #[inline(always)] // into `admit`
    fn admit_opening(
        &mut self,
        bundle: &Bundle,
        grounds: &Grounds,
        venue: Venue,
        ours: &[usize],
    ) -> Result<(), Risk> {
        // By the core's own moment: rates and calendars that it kept are kept here, and at the other
        // gate, however long the way took.
        let now = Now { mono: bundle.decided, wall: grounds.wall };
        self.may_fire(now, bundle.pair, [venue.index()], grounds.age)?;
        self.may_stand_on(grounds, bundle)?;
        self.board(bundle, venue, ours)?;
        self.fired(bundle);
        Ok(())
    }

    /// What repairs a bundle adds no risk that was not there, so that no cap holds it back; a latch
    /// stops it all the same.
    fn admit_repair(
        &mut self,
        bundle: &Bundle,
        grounds: &Grounds,
        ours: &[usize],
    ) -> Result<(), Risk> {
        self.may_mend(bundle.decided)?;
        self.may_stand_on(grounds, bundle)?;
        ours.iter().for_each(|leg| self.fly(bundle, *leg));
        self.fired(bundle);
        Ok(())
    }

    /// Puts what the legs at a venue may cost at stake where the caps leave room for all of them.
    #[inline(always)] // into `admit`
    fn board(&mut self, bundle: &Bundle, venue: Venue, ours: &[usize]) -> Result<(), Risk> {
        let mut legs = [Stake::default(); 2];
        for leg in ours {
            legs[*leg] = stake(&bundle.legs[*leg]);
        }
        self.exposure.board(bundle.pair, venue.index(), legs, &self.limits)
    }

    /// What holds for an order by itself: its collar and its size.
    #[inline(always)] // into `admit`
    fn bounds(&self, leg: &Leg, collar: Px) -> Result<(), Risk> {
        match leg.action {
            Action::Buy if leg.limit > collar => return Err(Risk::Collar),
            Action::Sell if leg.limit < collar => return Err(Risk::Collar),
            _ => {}
        }
        let order = &self.limits.order;
        let fits = Shares::from(leg.qty) <= order.qty && leg.budget <= order.notional;
        if fits { Ok(()) } else { Err(Risk::Order) }
    }

    /// Whether a repair may leave now, which no rate of opening holds back.
    ///
    /// # Errors
    /// The safeguard that says no.
    pub fn may_mend(&self, now: Ns) -> Result<(), Risk> {
        if let Some(risk) = self.latched {
            return Err(risk);
        }
        if self.mended.allows(REPAIRS, now) { Ok(()) } else { Err(Risk::Rate) }
    }

    /// A bundle leaves: what opens counts towards the rates, and a repair towards that of repairs.
    #[inline(always)] // into `admit`
    pub fn fired(&mut self, bundle: &Bundle) {
        let now = bundle.decided;
        if bundle.purpose != Purpose::Open {
            return self.mended.note(now);
        }
        self.fired.note(now);
        if let Some(watch) = self.watches.get_mut(bundle.pair.index()) {
            watch.fired.note(now);
        }
    }

    /// A leg leaves: what it may cost is at stake until it ends.
    pub fn fly(&mut self, bundle: &Bundle, leg: usize) {
        let it = &bundle.legs[leg];
        if it.action == Action::Sell {
            return; // It can only take away.
        }
        self.exposure.fly(bundle.pair, leg, it.market.venue().index(), stake(it));
    }

    /// A leg that was to leave never will: nothing of it is at stake any more.
    pub fn land(&mut self, pair: PairId, leg: usize) {
        self.exposure.land(pair, leg);
    }

    /// Hears what became of an order; an error of it may make trading rest, or stop it until a person
    /// arms it.
    pub fn hear(&mut self, report: &Report) -> Option<Risk> {
        let (pair, leg, side) =
            (report.pair, usize::from(report.leg), report.market.venue().index());
        match report.kind {
            ReportKind::Filled { shares, cash, .. } => {
                self.works(side);
                let at = Place { side, outcome: report.outcome };
                let stake = Stake { qty: shares, notional: cash };
                match report.action {
                    Action::Buy => self.exposure.fill(pair, leg, at, stake, side == 0),
                    Action::Sell => self.exposure.close(pair, at, shares),
                }
                return None;
            }
            ReportKind::Undone { shares, cash, .. } => {
                let at = Place { side, outcome: report.outcome };
                match report.action {
                    Action::Buy => self.exposure.close(pair, at, shares),
                    Action::Sell => {
                        let stake = Stake { qty: shares, notional: cash };
                        self.exposure.begin_with(pair, at, stake);
                    }
                }
                return None;
            }
            ReportKind::Acked => self.works(side),
            ReportKind::Done | ReportKind::Cancelled => {
                self.works(side);
                self.exposure.land(pair, leg);
            }
            ReportKind::Rejected(_) => self.exposure.land(pair, leg),
            ReportKind::Sent | ReportKind::Unknown => {}
        }
        let failed = match report.kind {
            ReportKind::Rejected(reason) => reason.is_error(),
            ReportKind::Unknown => true,
            _ => false,
        };
        failed.then(|| self.failed(side, report.at)).flatten()
    }

    /// Something worked at a venue.
    const fn works(&mut self, side: usize) {
        self.streak.works();
        self.streaks[side].works();
    }

    /// An error at a venue; perhaps one too many.
    #[cold]
    fn failed(&mut self, side: usize, at: Ns) -> Option<Risk> {
        let RiskLimits { errors, error_rest, .. } = self.limits;
        let venue = &mut self.streaks[side];
        let (its, all) =
            (venue.error(errors, error_rest, at), self.streak.error(errors, error_rest, at));
        if its && venue.rested() >= RESTS_MAX {
            self.latched = Some(Risk::Refused);
            return self.latched;
        }
        (its || all).then_some(Risk::Errors)
    }

    /// Hears a word from outside.
    #[cold]
    pub fn tell(&mut self, word: Word) {
        match word {
            Word::Arm => {
                self.latched = None;
                self.streak = Streak::default();
                self.streaks = [Streak::default(); 2];
                self.fired = Window::NONE;
                self.watches.iter_mut().for_each(|watch| watch.fired = Window::NONE);
            }
            Word::Clock { venue, ahead } => self.clock[venue.index()] = ahead.unsigned_abs(),
            Word::Block { market, blocked } => {
                let side = market.venue().index();
                let its =
                    self.watches.iter_mut().filter(|watch| watch.markets[side] == Some(market));
                its.for_each(|watch| watch.blocked[side] = blocked);
            }
            // Who keeps the money keeps it by shard.
            Word::Funded { .. } | Word::Shard { .. } => {}
            Word::Settled { market } | Word::Paid(Payout { market, .. }) => self.settle(market),
            Word::Closed { pair, market, outcome, shares } => {
                let at = Place { side: market.venue().index(), outcome };
                self.exposure.close(pair, at, shares);
            }
        }
    }

    /// Nothing of a market is at stake any more, whichever pairs it belongs to.
    fn settle(&mut self, market: MarketId) {
        let side = market.venue().index();
        for (number, watch) in self.watches.iter().enumerate() {
            if watch.markets[side] == Some(market) {
                self.exposure.settle(PairId(number as u16), side);
            }
        }
    }

    /// Positions of a pair that were there before, whose cost nobody knows: the first venue's in
    /// 1e-6 contracts, YES above zero and NO below, and the second one's tokens. Of what both
    /// venues hold a half dollar a contract is at stake on each, of the rest the whole dollar.
    pub fn begin_with(&mut self, pair: PairId, net_e6: i64, held: [Shares; 2]) {
        Venue::ALL.into_iter().for_each(|venue| self.begin_at(venue, pair, net_e6, held));
    }

    /// The part of those positions that one venue holds: all that its gate will hear of.
    pub fn begin_at(&mut self, venue: Venue, pair: PairId, net_e6: i64, held: [Shares; 2]) {
        use Outcome::{No, Yes};
        let first = Shares::new(net_e6.unsigned_abs());
        let outcome = if net_e6 < 0 { No } else { Yes };
        // Only the outcome that pays when the other venue's does not hedges anything.
        let answer = self.exposure.answer(pair, outcome);
        let matched = first.min(held[answer as usize]);
        let mut begin = |outcome, qty: Shares, matched: Shares| {
            let whole = qty.e6() - matched.e6() / 2;
            let notional = Usd::new(i64::try_from(whole).unwrap_or(i64::MAX));
            let at = Place { side: venue.index(), outcome };
            self.exposure.begin_with(pair, at, Stake { qty, notional });
        };
        if venue == Venue::Kalshi {
            return begin(outcome, first, matched);
        }
        for outcome in [Yes, No] {
            let part = if outcome == answer { matched } else { Shares::ZERO };
            begin(outcome, held[outcome as usize], part);
        }
    }
}

/// What an order may cost.
fn stake(leg: &Leg) -> Stake {
    Stake { qty: Shares::from(leg.qty), notional: leg.budget }
}

#[cfg(test)]
#[path = "risk_tests.rs"]
mod tests;
