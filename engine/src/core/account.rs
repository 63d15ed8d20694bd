//! Reports in; ledgers, settled bundles and the whereabouts of all money out.

use super::{Core, Outlet};
use crate::event::{Bundle, Event, OrderRef, PairChange, Report, ReportKind, Risk, Settled};
use crate::flight::Flight;
use crate::ledger::{NetLedger, Purse, TokenLedger};
use crate::pair::PairId;
use crate::tile::Now;
use crate::units::{Shares, Usd, Venue};

/// Where all money is. Until a market resolves,
/// start = cash + inventory + in flight + matched - realised - netted, to the micro-dollar.
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
    /// Contracts of ended bundles that both legs filled: a dollar each, when the market resolves
    /// or a netting or a merge pays it earlier.
    pub matched: Shares,
    /// Those dollars minus their costs and all fees.
    pub realised: Usd,
    /// Dollars that the first venue paid for opposite contracts.
    pub netted: Usd,
}

impl Core {
    /// Takes in what became known of an order.
    pub fn on_report(&mut self, now: Now, report: &Report, out: &mut impl Outlet) {
        self.mix_report(report);
        let order =
            OrderRef { bundle: report.bundle, pair: report.pair, leg: report.leg, at: report.at };
        match report.kind {
            ReportKind::Filled { shares, cash, fee, .. } => {
                self.figures.fills += 1;
                let (market, paid) = (report.market.index(), cash + fee);
                match report.market.venue() {
                    Venue::Kalshi => self.net.buy(market, report.outcome, shares, paid),
                    Venue::Polymarket => self.tokens.buy(market, report.outcome, shares, paid),
                }
                out.event(&Event::Fill(*report));
            }
            ReportKind::Sent => out.event(&Event::OrderSent(order)),
            ReportKind::Acked => out.event(&Event::OrderAcked(order)),
            ReportKind::Unknown => out.event(&Event::OrderUnknown(order)),
            ReportKind::Done | ReportKind::Rejected(_) | ReportKind::Cancelled => {}
        }
        self.book(now, report, out);
    }

    /// Brings the bundle of a report up to date, and ends it with its last order.
    fn book(&mut self, now: Now, report: &Report, out: &mut impl Outlet) {
        let (pair, at, leg) = (report.pair, report.at, usize::from(report.leg));
        let trip = |risk| Event::RiskTripped { pair, at, risk };
        let change = |change| Event::PairChanged { pair, at, change };
        let flight = self.states.get_mut(pair.index()).and_then(|state| state.flight.as_mut());
        let Some(flight) = flight.filter(|f| f.bundle.id == report.bundle && leg < 2) else {
            if let ReportKind::Filled { cash, fee, .. } = report.kind {
                // Money that no bundle accounts for any more: an open position, and a fee.
                self.inventory += cash;
                self.figures.realised -= fee;
            }
            out.event(&trip(Risk::StrayReport));
            return;
        };
        let was_unknown = flight.is_unknown();
        let (freed, stepped) = flight.take(leg, report);
        let (is_unknown, ended) =
            (flight.is_unknown(), flight.is_over().then(|| flight.settle(at)));
        self.purse(report.market.venue().index()).release(freed);
        if stepped.is_err() {
            out.event(&trip(Risk::IllegalTransition));
        }
        if is_unknown && !was_unknown {
            out.event(&trip(Risk::UnknownOrder));
            out.event(&change(PairChange::Blocked));
        }
        if was_unknown && !is_unknown {
            out.event(&change(PairChange::Unblocked));
        }
        if let Some(settled) = ended {
            self.end(now, &settled, out);
        }
    }

    fn end(&mut self, now: Now, settled: &Settled, out: &mut impl Outlet) {
        let state = &mut self.states[settled.pair.index()];
        state.flight = None;
        state.ready_at = now.mono.after(self.config.cooldown);
        self.figures.realised += settled.profit;
        self.inventory += settled.excess;
        self.matched += settled.matched;
        out.event(&if settled.matched == Shares::ZERO {
            Event::TradeFailed(*settled)
        } else {
            Event::TradeSettled(*settled)
        });
    }

    /// Where all money is.
    pub fn accounts(&self) -> Accounts {
        let flights = self.states.iter().filter_map(|state| state.flight.as_ref());
        Accounts {
            cash: [self.net.purse.cash(), self.tokens.purse.cash()],
            reserved: [self.net.purse.reserved(), self.tokens.purse.reserved()],
            inventory: self.inventory,
            in_flight: flights.map(Flight::paid).sum(),
            matched: self.matched,
            realised: self.figures.realised,
            netted: self.net.netted(),
        }
    }

    /// Money that is out: spent and not paid back, or set aside for orders in flight.
    pub fn unsettled(&self) -> Usd {
        let (net, tokens) = (&self.net.purse, &self.tokens.purse);
        let spent = [self.config.cash[0] - net.cash(), self.config.cash[1] - tokens.cash()];
        spent[0] + spent[1] + net.reserved() + tokens.reserved()
    }

    /// Positions of a pair that were there before: the first venue's in 1e-6 contracts, YES above
    /// zero and NO below, and the second one's tokens of each outcome.
    pub fn begin_with(&mut self, pair: PairId, net_e6: i64, held: [Shares; 2]) {
        let Some(pair) = self.table.get(pair) else { return };
        let [first, second] = pair.sides.map(|side| side.market.index());
        self.net.begin_with(first, net_e6);
        self.tokens.begin_with(second, held);
    }

    /// Positions and cash of the first venue.
    pub fn net(&self) -> &NetLedger {
        &self.net
    }

    /// Tokens and cash of the second venue.
    pub fn tokens(&self) -> &TokenLedger {
        &self.tokens
    }

    pub(super) fn purse(&mut self, side: usize) -> &mut Purse {
        if side == 0 { &mut self.net.purse } else { &mut self.tokens.purse }
    }

    pub(super) fn mix_bundle(&mut self, bundle: &Bundle) {
        let digest = &mut self.decision_digest;
        digest.mix(bundle.id.0);
        digest.mix(u64::from(bundle.pair.0) << 8 | bundle.direction as u64);
        digest.mix(bundle.decided.0);
        for leg in &bundle.legs {
            digest.mix((leg.market.venue() as u64) << 32 | leg.market.index() as u64);
            digest.mix((leg.outcome as u64) << 32 | u64::from(leg.limit.e4()));
            digest.mix(leg.qty.e2());
            digest.mix(leg.expected.e6());
            digest.mix((leg.cost + leg.fee).e6() as u64);
            digest.mix(u64::from(leg.generation));
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
            ReportKind::Done => 3,
            ReportKind::Rejected(reason) => 0x100 | reason as u64,
            ReportKind::Cancelled => 4,
            ReportKind::Unknown => 5,
        };
        digest.mix(u64::from(report.leg) << 32 | kind);
    }
}
