//! Reports in; ledgers, settled bundles and the whereabouts of all money out.

use super::{Core, Outlet, PairState, mend};
use crate::event::{
    Action, Bundle, Event, Grounds, OrderRef, PairChange, Purpose, Reject, Report, ReportKind, Risk,
};
use crate::flight::Flight;
use crate::ledger::{NetLedger, TokenLedger};
use crate::order::OrderState;
use crate::pair::{Outcome, PairId};
use crate::risk::{Payout, Word};
use crate::stock::Lot;
use crate::tile::Now;
use crate::top::{Health, MarketId, Top};
use crate::units::{Ns, Qty, Shares, Usd, Venue};

/// A trade of Polymarket may fail for good so long after it was told as a fill (polymarket.md
/// section 3).
pub const FAILS_WITHIN: Ns = Ns::from_ms(300_000);

/// Where all money is, to the micro-dollar:
/// start = cash + inventory + in flight + matched - realised - netted - settled,
/// where the start holds what was taken over at the cost that it was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accounts {
    /// Money at each venue.
    pub cash: [Usd; 2],
    /// The part of it that orders in flight may still take.
    pub reserved: [Usd; 2],
    /// Cost of what one leg filled without the other, without fees.
    pub inventory: Usd,
    /// Costs and fees of fills of bundles that have not ended.
    pub in_flight: Usd,
    /// Contracts of ended bundles that pay a dollar together, however they came: when the market
    /// resolves, or a netting or a merge pays it earlier.
    pub matched: Shares,
    /// Those dollars minus their costs and all fees.
    pub realised: Usd,
    /// Dollars that the first venue paid for opposite contracts.
    pub netted: Usd,
    /// Dollars that markets paid, as far as `matched` had counted them, or that nobody had.
    pub settled: Usd,
}

impl Core {
    /// Takes in what became known of an order; what it left on one side alone may be closed at
    /// once.
    pub fn on_report(&mut self, now: Now, report: &Report, out: &mut impl Outlet) {
        if self.is_of_before(report) {
            return self.on_report_of_before(now, report, out);
        }
        self.mix_report(report);
        self.turn_day(now.wall);
        if let Some(risk) = self.guard.hear(report) {
            out.event(&Event::RiskTripped { pair: report.pair, at: now.mono, risk });
        }
        let order =
            OrderRef { bundle: report.bundle, pair: report.pair, leg: report.leg, at: report.at };
        match report.kind {
            ReportKind::Filled { shares, cash, fee, .. } => {
                self.figures.fills += 1;
                match report.action {
                    Action::Buy => self.hold_more(report, shares, cash + fee),
                    Action::Sell => self.hold_less(report, shares, cash - fee),
                }
                if report.market.venue() == Venue::Polymarket
                    && let Some(state) = self.states.get_mut(report.pair.index())
                {
                    state.final_at = now.mono.after(FAILS_WITHIN);
                }
                out.event(&Event::Fill(*report));
            }
            ReportKind::Undone { shares, cash, fee, .. } => {
                match report.action {
                    Action::Buy => self.hold_less(report, shares, cash + fee),
                    Action::Sell => self.hold_more(report, shares, cash - fee),
                }
                out.event(&Event::FillUndone(*report));
            }
            ReportKind::Sent => out.event(&Event::OrderSent(order)),
            ReportKind::Acked => out.event(&Event::OrderAcked(order)),
            ReportKind::Unknown => out.event(&Event::OrderUnknown(order)),
            ReportKind::Done | ReportKind::Rejected(_) | ReportKind::Cancelled => {}
        }
        self.book(now, report, out);
        self.watch(now.mono, report.pair, out);
    }

    /// Contracts come to a venue's ledger, and money goes.
    fn hold_more(&mut self, report: &Report, shares: Shares, paid: Usd) {
        let market = report.market.index();
        match report.market.venue() {
            Venue::Kalshi => self.net.buy(market, report.outcome, shares, paid),
            Venue::Polymarket => self.tokens.buy(market, report.outcome, shares, paid),
        }
    }

    /// Contracts go, and money comes.
    fn hold_less(&mut self, report: &Report, shares: Shares, received: Usd) {
        let market = report.market.index();
        match report.market.venue() {
            Venue::Kalshi => self.net.sell(market, report.outcome, shares, received),
            Venue::Polymarket => self.tokens.sell(market, report.outcome, shares, received),
        }
    }

    /// Brings the bundle of a report up to date, and ends it with its last order.
    fn book(&mut self, now: Now, report: &Report, out: &mut impl Outlet) {
        let (pair, at, leg) = (report.pair, report.at, usize::from(report.leg));
        let trip = |risk| Event::RiskTripped { pair, at, risk };
        let change = |change| Event::PairChanged { pair, at, change };
        let flight = self.states.get_mut(pair.index()).and_then(|state| state.flight.as_mut());
        let its = |f: &&mut Flight| f.bundle.id == report.bundle && leg < f.bundle.orders().len();
        let Some(flight) = flight.filter(its) else {
            let risk = self.book_late(report);
            out.event(&trip(risk));
            if risk == Risk::LateFill {
                self.mend(now, pair, out);
            }
            return;
        };
        let was_unknown = flight.is_unknown();
        let (before, opens) = (flight.orders()[leg], flight.bundle.purpose == Purpose::Open);
        let decided = flight.bundle.decided;
        let was_over = flight.is_overfilled(leg);
        let (freed, stepped) = flight.take(leg, report);
        let overfilled = !was_over && flight.is_overfilled(leg);
        let (is_unknown, is_over) = (flight.is_unknown(), flight.is_over());
        let filled = flight.filled()[leg] != Shares::ZERO;
        self.release(report.market, freed);
        if opens && stepped.is_ok() && !before.is_final() {
            self.measure(report, before, filled, decided);
        }
        if stepped.is_err() {
            out.event(&trip(Risk::IllegalTransition));
        }
        if overfilled {
            // At once: the outside would stop us too, and until it does nothing more is risked.
            self.guard.latch(Risk::Overfilled);
            out.event(&trip(Risk::Overfilled));
        }
        if is_unknown && !was_unknown {
            out.event(&trip(Risk::UnknownOrder));
            out.event(&change(PairChange::Blocked));
        }
        if was_unknown && !is_unknown {
            out.event(&change(PairChange::Unblocked));
        }
        if is_over {
            self.end(now, pair, at, out);
        }
    }

    /// Measures how fast a venue answers, and how often its orders come to nothing.
    fn measure(&mut self, report: &Report, before: OrderState, filled: bool, decided: Ns) {
        use OrderState::{Planned, Sent, Signed};
        let luck = &mut self.lucks[report.market.venue().index()];
        if report.kind == ReportKind::Acked && matches!(before, Planned | Signed | Sent) {
            luck.answered(report.at.since(decided));
        }
        // A fill may come before the answer, which then says nothing new.
        if matches!(report.kind, ReportKind::Filled { .. }) {
            luck.works();
        }
        match report.kind {
            ReportKind::Done | ReportKind::Cancelled => luck.note(filled),
            ReportKind::Rejected(Reject::Venue | Reject::Funds | Reject::Closed) => luck.refused(),
            // What a gate itself held back says nothing of its venue.
            _ => {}
        }
    }

    /// Books a fill, or the end of one, of a bundle that is not in flight: contracts that no bundle
    /// accounts for.
    fn book_late(&mut self, report: &Report) -> Risk {
        let (pair, side) = (report.pair, report.market.venue().index());
        let (shares, cash, fee, comes) = match report.kind {
            ReportKind::Filled { shares, cash, fee, .. } => {
                (shares, cash, fee, report.action == Action::Buy)
            }
            ReportKind::Undone { shares, cash, fee, .. } => {
                (shares, cash, Usd::ZERO - fee, report.action == Action::Sell)
            }
            _ => return Risk::StrayReport,
        };
        self.figures.realised -= fee;
        let known = self.states.get_mut(pair.index());
        let Some(state) = known.filter(|state| state.terms[side].market == report.market) else {
            self.inventory += if comes { cash } else { Usd::ZERO - cash };
            return Risk::StrayReport;
        };
        let held = state.stock.cost();
        if comes {
            let lot = Lot { shares, cost: cash };
            state.stock.note(side, report.outcome, lot);
            state.stock.add(side, report.outcome, lot);
            self.inventory += cash;
        } else {
            self.withdraw(pair, (side, report.outcome), shares, cash);
        }
        self.pair_off(pair);
        self.risk(pair, self.states[pair.index()].stock.cost() - held);
        Risk::LateFill
    }

    /// Takes contracts out of a pair's stock that brought `received`.
    fn withdraw(
        &mut self,
        pair: PairId,
        (side, outcome): (usize, Outcome),
        shares: Shares,
        received: Usd,
    ) {
        let out = self.states[pair.index()].stock.withdraw(side, outcome, shares);
        let reopened = Usd::new(i64::try_from(out.reopened.e6()).unwrap_or(i64::MAX));
        self.inventory += out.cost - out.open;
        self.matched = self.matched.saturating_sub(out.reopened);
        // What was matched had been counted as a dollar less what its counterpart cost.
        self.figures.realised += received - out.open - (reopened - out.cost);
    }

    /// Notes how what can be lost on a pair's event alone changed.
    pub(super) fn risk(&mut self, pair: PairId, change: Usd) {
        self.at_risk[self.states[pair.index()].event.index()] += change;
    }

    /// The most that can be lost on what a pair's event holds on one side alone, and on what is
    /// under way there.
    pub fn at_risk(&self, pair: PairId) -> Usd {
        self.states.get(pair.index()).map_or(Usd::ZERO, |it| self.at_risk[it.event.index()])
    }

    /// Counts what cancels out in a pair's stock as matched.
    fn pair_off(&mut self, pair: PairId) {
        let off = self.states[pair.index()].stock.pair_off();
        let pays = Usd::new(i64::try_from(off.shares.e6()).unwrap_or(i64::MAX));
        self.matched += off.shares;
        self.inventory -= off.cost;
        self.figures.realised += pays - off.cost;
    }

    fn end(&mut self, now: Now, pair: PairId, at: Ns, out: &mut impl Outlet) {
        let state = &mut self.states[pair.index()];
        let Some(flight) = state.flight.take() else { return };
        let (before, held) = (self.figures.realised, state.stock.cost());
        for (number, leg) in flight.bundle.orders().iter().enumerate() {
            let (side, filled) = (leg.market.venue().index(), flight.filled()[number]);
            let cash = flight.cost(number);
            if leg.action == Action::Sell {
                self.figures.realised -= flight.fees();
                self.withdraw(pair, (side, leg.outcome), filled, cash);
                continue;
            }
            let stock = &mut self.states[pair.index()].stock;
            stock.note(side, leg.outcome, Lot { shares: filled, cost: cash });
            stock.add(side, leg.outcome, flight.excess(number));
        }
        // What follows is planned anew, from what filled.
        let sent = flight.bundle.orders().len();
        for (number, leg) in flight.bundle.planned().iter().enumerate().skip(sent) {
            self.release(leg.market, leg.reserve);
            self.guard.land(pair, number);
        }
        let opens = flight.bundle.purpose == Purpose::Open;
        let settled = flight.settle(at);
        if flight.bundle.legs[0].action == Action::Buy {
            self.figures.realised += settled.profit;
            self.inventory += settled.excess;
            self.matched += settled.matched;
        }
        self.pair_off(pair);
        let held = self.states[pair.index()].stock.cost() - held;
        self.risk(pair, held - mend::at_risk(&flight.bundle));
        if opens {
            self.states[pair.index()].ready_at = now.mono.after(self.config.cooldown);
            let follows = flight.bundle.count == 1 && settled.filled[0] != Shares::ZERO;
            out.event(&if follows {
                Event::LegFollows(settled)
            } else if settled.matched == Shares::ZERO {
                Event::TradeFailed(settled)
            } else {
                Event::TradeSettled(settled)
            });
        } else {
            self.mended(now, &flight, before, out);
        }
        self.mend(now, pair, out);
    }

    /// Contracts that are held, or were filled in flight, on one side alone.
    pub fn unhedged(&self) -> Shares {
        self.states.iter().map(PairState::naked).fold(Shares::ZERO, |sum, (_, one)| sum + one)
    }

    /// The part of that which no order can express.
    pub fn dust(&self) -> Shares {
        let dust = self.states.iter().map(|state| state.naked().1.dust());
        dust.fold(Shares::ZERO, |sum, one| sum + one)
    }

    /// Contracts of a pair that are held, or were filled in flight, on one side alone, and with
    /// which outcome of the first venue they pay.
    pub fn naked(&self, pair: PairId) -> (Outcome, Shares) {
        self.states.get(pair.index()).map_or((Outcome::Yes, Shares::ZERO), PairState::naked)
    }

    /// Where all money is.
    pub fn accounts(&self) -> Accounts {
        let flights = self.states.iter().filter_map(|state| state.flight.as_ref());
        Accounts {
            cash: [self.net.purse().cash(), self.tokens.purse.cash()],
            reserved: [self.net.purse().reserved(), self.tokens.purse.reserved()],
            inventory: self.inventory,
            in_flight: flights.map(Flight::paid).sum(),
            matched: self.matched,
            realised: self.figures.realised,
            netted: self.net.netted(),
            settled: self.settled,
        }
    }

    /// Money that is out: what positions cost that have not settled, those among them that were there
    /// before, and what orders in flight may still cost. Fees, gains and losses are no part of it.
    pub fn unsettled(&self) -> Usd {
        self.guard.exposure().total().notional
    }

    /// Positions of a pair that were there before: the first venue's in 1e-6 contracts, YES above
    /// zero and NO below, and the second one's tokens of each outcome. What of it is alone on one
    /// side is closed where the configuration says so; a contract of it is taken to have cost
    /// `each`, so that closing it is no gain beyond that. Where it does not, nothing is opened
    /// beside it.
    pub fn begin_with(&mut self, id: PairId, net_e6: i64, held: [Shares; 2], each: Usd) {
        let Some(pair) = self.table.get(id) else { return };
        let [first, second] = pair.sides.map(|side| side.market.index());
        self.net.begin_with(first, net_e6);
        self.tokens.begin_with(second, held);
        self.guard.begin_with(id, net_e6, held);
        // What a market holds cannot be told apart by pair where it belongs to several.
        let alone = pair.sides.iter().all(|side| self.table.pairs_of(side.market).count() == 1);
        if alone {
            let state = &mut self.states[id.index()];
            let mut stock = state.stock;
            let first = if net_e6 < 0 { Outcome::No } else { Outcome::Yes };
            let lots = [
                (0, first, Shares::new(net_e6.unsigned_abs())),
                (1, Outcome::Yes, held[0]),
                (1, Outcome::No, held[1]),
            ];
            for (side, outcome, shares) in lots {
                let cost = i128::from(each.e6()) * i128::from(shares.e6());
                let cost =
                    Usd::new(i64::try_from((cost + 999_999) / 1_000_000).unwrap_or(i64::MAX));
                stock.add(side, outcome, Lot { shares, cost });
            }
            stock.pair_off();
            if !self.config.repair.is_some_and(|repair| repair.adopt) {
                let [yes, no] = stock.sums();
                let alone = yes.saturating_sub(no) + no.saturating_sub(yes);
                state.aside = alone.floor_qty() != Qty::ZERO;
                return;
            }
            state.stock = stock;
            let cost = stock.cost();
            self.inventory += cost;
            self.risk(id, cost);
            self.rows[id.index()].open |= mend::NAKED;
        }
    }

    /// Positions and cash of the first venue.
    pub fn net(&self) -> &NetLedger {
        &self.net
    }

    /// Tokens and cash of the second venue.
    pub fn tokens(&self) -> &TokenLedger {
        &self.tokens
    }

    /// Sets money aside for an order of a market.
    pub(super) fn reserve(&mut self, market: MarketId, amount: Usd) {
        match market.venue() {
            Venue::Kalshi => self.net.reserve(market.index(), amount),
            Venue::Polymarket => self.tokens.purse.reserve(amount),
        }
    }

    /// Frees money that was set aside for one.
    fn release(&mut self, market: MarketId, amount: Usd) {
        match market.venue() {
            Venue::Kalshi => self.net.release(market.index(), amount),
            Venue::Polymarket => self.tokens.purse.release(amount),
        }
    }

    /// Money at each venue that orders of a pair may take, where so much stays there.
    pub(super) fn free(&self, id: PairId, keep: Usd) -> [Usd; 2] {
        let market = self.states[id.index()].terms[0].market;
        let tokens = (self.tokens.purse.free() - keep).max(Usd::ZERO);
        [self.net.free(market.index(), keep), tokens]
    }

    /// What stands for and against what is decided on these books.
    pub(super) fn grounds(&mut self, now: Now, tops: [&Top; 2]) -> Grounds {
        let [first, second] = tops.map(|top| top.health);
        Grounds {
            wall: now.wall,
            age: now.wall.since(tops[0].recv.min(tops[1].recv)),
            health: if first == Health::Sound { second } else { first },
            cash: self.net.purse().cash() + self.tokens.purse.cash(),
            today: self.day.result(now.wall, self.figures.realised, self.inventory).result,
            unsettled: self.unsettled(),
            left: self.left(),
        }
    }

    /// Money by venue once orders in flight took all that they may.
    pub(super) fn left(&self) -> [Usd; 2] {
        [self.net.purse().left(), self.tokens.purse.left()]
    }

    pub(super) fn mix_bundle(&mut self, bundle: &Bundle) {
        let digest = &mut self.decision_digest;
        digest.mix(bundle.id.0);
        let kind = (bundle.purpose as u64) << 4 | bundle.direction as u64;
        digest.mix(u64::from(bundle.pair.0) << 8 | kind);
        digest.mix(bundle.decided.0);
        for leg in bundle.orders() {
            digest.mix((leg.market.venue() as u64) << 32 | leg.market.index() as u64);
            let way = (leg.action as u64) << 1 | leg.outcome as u64;
            digest.mix(way << 32 | u64::from(leg.limit.e4()));
            digest.mix(leg.qty.e2());
            digest.mix(leg.expected.e6());
            digest.mix((leg.cost + leg.fee).e6() as u64);
            digest.mix(u64::from(leg.generation));
        }
    }

    pub(super) fn mix_word(&mut self, word: Word) {
        let digest = &mut self.decision_digest;
        let market = |market: MarketId| (market.venue() as u64) << 32 | market.index() as u64;
        match word {
            Word::Arm => digest.mix(1 << 61),
            Word::Clock { venue, ahead } => {
                digest.mix(1 << 61 | 1 << 56 | venue as u64);
                digest.mix(ahead.cast_unsigned());
            }
            Word::Block { market: which, blocked } => {
                digest.mix(1 << 61 | 2 << 56 | u64::from(blocked));
                digest.mix(market(which));
            }
            Word::Funded { shard, cash } => {
                digest.mix(1 << 61 | 6 << 56 | u64::from(shard));
                digest.mix(cash.e6().cast_unsigned());
            }
            Word::Shard { market: which, shard } => {
                digest.mix(1 << 61 | 7 << 56 | u64::from(shard));
                digest.mix(market(which));
            }
            Word::Settled { market: which } => {
                digest.mix(1 << 61 | 3 << 56);
                digest.mix(market(which));
            }
            Word::Closed { pair, market: which, outcome, shares } => {
                digest.mix(1 << 61 | 4 << 56 | u64::from(pair.0) << 8 | outcome as u64);
                digest.mix(market(which));
                digest.mix(shares.e6());
            }
            Word::Paid(Payout { market: which, outcome, shares, each, paid }) => {
                digest.mix(1 << 61 | 5 << 56 | u64::from(each.e4()) << 8 | outcome as u64);
                digest.mix(market(which));
                digest.mix(shares.e6());
                digest.mix(paid.e6().cast_unsigned());
            }
        }
    }

    fn mix_report(&mut self, report: &Report) {
        let digest = &mut self.decision_digest;
        digest.mix(report.bundle.0);
        digest.mix(report.at.0);
        let kind = match report.kind {
            ReportKind::Sent => 0,
            ReportKind::Acked => 1,
            ReportKind::Filled { shares, px, cash, fee } => {
                digest.mix(shares.e6());
                digest.mix(u64::from(px.e4()));
                digest.mix(cash.e6() as u64);
                digest.mix(fee.e6() as u64);
                2
            }
            ReportKind::Undone { shares, px, cash, fee } => {
                digest.mix(shares.e6());
                digest.mix(u64::from(px.e4()));
                digest.mix(cash.e6() as u64);
                digest.mix(fee.e6() as u64);
                6
            }
            ReportKind::Done => 3,
            ReportKind::Rejected(reason) => 0x100 | reason as u64,
            ReportKind::Cancelled => 4,
            ReportKind::Unknown => 5,
        };
        digest.mix(u64::from(report.leg) << 32 | kind);
    }
}
