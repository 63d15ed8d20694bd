//! One order: what is known of it, and what it reports.

use engine::event::{Action, Bundle, BundleId, Feedback, Report, ReportKind, Risk};
use engine::fee::{FillFees, cost_of};
use engine::pair::{Outcome, PairId};
use engine::tile::Now;
use engine::top::MarketId;
use engine::units::{Ns, Px, Qty, Shares, Usd, Venue};

use crate::gate::figures::GateFigures;
use crate::gate::outbox::Outbox;
use crate::id::Id;
use crate::private::{Expect, FillNews, TradeStands};

/// What is known of an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// Its bytes left.
    Sent,
    /// The venue has it.
    Open,
    /// Nobody knows.
    Unknown,
    /// It is over.
    Ended,
}

/// A fill that counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counted {
    trade: Id,
    part: u16,
    undone: bool,
    /// Nothing undoes it any more.
    confirmed: bool,
    /// As it was told: exactly that is taken back where the trade fails.
    shares: Shares,
    px: Px,
    cash: Usd,
    fee: Usd,
}

/// An order.
#[derive(Debug)]
pub struct Order {
    pub(super) serial: u64,
    pub(super) bundle: BundleId,
    pub(super) pair: PairId,
    pub(super) leg: u8,
    /// Its market.
    pub market: MarketId,
    pub(super) outcome: Outcome,
    pub(super) action: Action,
    pub(super) limit: Px,
    pub(super) qty: Qty,
    pub(super) budget: Usd,
    pub(super) spends: bool,
    /// Our own id of it, known before it was sent.
    pub client: Id,
    /// The venue's id of it, once that is known.
    pub venue: Option<Id>,
    /// When it left.
    pub sent: Now,
    /// What is known of it.
    pub stage: Stage,
    pub(super) expect: Option<Expect>,
    pub(super) filled: Shares,
    pub(super) cash: Usd,
    pub(super) fees: FillFees,
    pub(super) counted: Vec<Counted>,
    /// It rests against our will.
    pub cancel: bool,
    /// Its market is gone: nothing is told of it any more.
    pub(super) forgotten: bool,
    pub(super) inquiry: Inquiry,
    /// What came of it until then is known: it left, or the venue was asked; monotonic.
    pub(super) known_until: Ns,
}

/// The search for what became of an order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inquiry {
    /// When to ask next; monotonic. `None` while nothing is in doubt, or a question is out.
    pub(super) due: Option<Ns>,
    /// When this round began; monotonic.
    pub(super) began: Ns,
    pub(super) rounds: u32,
    /// What this round found.
    pub(super) saw_order: bool,
    pub(super) saw_end: bool,
    pub(super) whole: bool,
}

impl Order {
    /// An order that leaves now. `counted` is memory for its fills.
    pub(super) fn new(
        serial: u64,
        (bundle, leg): (&Bundle, usize),
        (client, venue): (Id, Option<Id>),
        fees: FillFees,
        now: Now,
        mut counted: Vec<Counted>,
    ) -> Order {
        let it = &bundle.legs[leg];
        counted.clear();
        Order {
            serial,
            bundle: bundle.id,
            pair: bundle.pair,
            leg: leg as u8,
            market: it.market,
            outcome: it.outcome,
            action: it.action,
            limit: it.limit,
            qty: it.qty,
            budget: it.budget,
            spends: it.spends,
            client,
            venue,
            sent: now,
            stage: Stage::Sent,
            expect: None,
            filled: Shares::ZERO,
            cash: Usd::ZERO,
            fees,
            counted,
            cancel: false,
            forgotten: false,
            inquiry: Inquiry::default(),
            known_until: now.mono,
        }
    }

    /// Which outcome it buys or sells.
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Trades that were counted, undone ones too: the venue counts those as well.
    pub(super) fn trades(&self) -> u16 {
        let first = |n: usize| {
            !self.counted[..n].iter().any(|before| before.trade == self.counted[n].trade)
        };
        (0..self.counted.len()).filter(|n| first(*n)).count() as u16
    }

    /// True where a trade of it may still be taken back: a match on Polymarket counts at once and is
    /// settled later.
    pub(super) fn may_fail(&self) -> bool {
        self.market.venue() == Venue::Polymarket
            && self.counted.iter().any(|fill| !fill.undone && !fill.confirmed)
    }

    /// True where the venue could fill no more of it.
    pub(super) fn is_full(&self) -> bool {
        // What is left of an amount buys no hundredth of a share at the worst price.
        let spent = self.spends && self.cash + Usd::new(i64::from(self.limit.e4())) > self.budget;
        self.filled >= Shares::from(self.qty) || spent
    }

    /// True where the venue filled more than the order asked for.
    fn is_overfilled(&self) -> bool {
        // As `Leg::is_overfilled`: what a venue rounds is below a hundredth of a share.
        let bound = self.budget + Usd::new(i64::from(self.limit.e4()));
        (!self.spends || self.cash > bound) && self.filled > Shares::from(self.qty)
    }

    pub(super) fn acked(&mut self, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        if self.stage == Stage::Open {
            return;
        }
        figures.resolved += u64::from(self.stage == Stage::Unknown);
        self.stage = Stage::Open;
        self.tell(ReportKind::Acked, now, out);
    }

    pub(super) fn doubt(&mut self, now: Ns, figures: &mut GateFigures, out: &mut Outbox) {
        if self.stage != Stage::Unknown {
            figures.unknown += 1;
            self.stage = Stage::Unknown;
            self.tell(ReportKind::Unknown, now, out);
        }
        self.ask_at(now);
    }

    pub(super) fn end(
        &mut self,
        kind: ReportKind,
        now: Ns,
        figures: &mut GateFigures,
        out: &mut Outbox,
    ) {
        figures.resolved += u64::from(self.stage == Stage::Unknown);
        self.stage = Stage::Ended;
        self.inquiry.due = None;
        self.tell(kind, now, out);
    }

    pub(super) fn ask_at(&mut self, at: Ns) {
        let sooner = self.inquiry.due.is_none_or(|due| at < due);
        if sooner {
            self.inquiry.due = Some(at);
        }
    }

    /// Takes in a fill, or how its settlement goes on; true where that was not known.
    pub(super) fn fill(
        &mut self,
        news: &FillNews,
        now: Ns,
        figures: &mut GateFigures,
        out: &mut Outbox,
    ) -> bool {
        let same = |c: &&mut Counted| (c.trade, c.part) == (news.trade, news.part);
        let seen = self.counted.iter_mut().find(same);
        match (seen, news.stands) {
            (Some(counted), TradeStands::Failed) if !counted.undone => {
                counted.undone = true;
                figures.undone += 1;
                let Counted { shares, px, cash, fee, .. } = *counted;
                self.tell(ReportKind::Undone { shares, px, cash, fee }, now, out);
                true
            }
            (Some(counted), TradeStands::Confirmed) => {
                figures.settling += 1;
                !core::mem::replace(&mut counted.confirmed, true)
            }
            (Some(_), TradeStands::Settling) => {
                figures.settling += 1;
                false
            }
            (Some(_), _) => {
                figures.duplicates += 1;
                false
            }
            (None, stands) => {
                self.count(news, stands, now, figures, out);
                true
            }
        }
    }

    /// A fill that was not told before.
    fn count(
        &mut self,
        news: &FillNews,
        stands: TradeStands,
        now: Ns,
        figures: &mut GateFigures,
        out: &mut Outbox,
    ) {
        let FillNews { trade, part, shares, px, .. } = *news;
        let undone = stands == TradeStands::Failed;
        let confirmed = stands == TradeStands::Confirmed;
        let cash = cost_of(shares, px);
        let fee = Usd::ZERO;
        let mut counted = Counted { trade, part, undone, confirmed, shares, px, cash, fee };
        if undone {
            self.counted.push(counted);
            return; // It was told as a failure only: nothing was counted.
        }
        let fee = match news.fee {
            Some(fee) => fee,
            None => self.fees.buy(shares, px, cash),
        };
        counted.fee = fee;
        self.counted.push(counted);
        figures.fills += 1;
        figures.excess += u64::from(self.stage == Stage::Ended);
        let was_over = self.is_overfilled();
        self.filled += shares;
        self.cash += cash;
        let kind = ReportKind::Filled { shares, px, cash, fee };
        if self.stage == Stage::Unknown {
            figures.resolved += 1;
        }
        if matches!(self.stage, Stage::Sent | Stage::Unknown) {
            self.stage = Stage::Open;
        }
        self.tell(kind, now, out);
        // The core sees it while the order's bundle is under way, and not any later.
        if self.stage == Stage::Ended && !was_over && self.is_overfilled() {
            let (pair, risk) = (self.pair, Risk::Overfilled);
            out.tell(Feedback::Tripped { pair, at: now, risk });
        }
    }

    pub(super) fn tell(&self, kind: ReportKind, at: Ns, out: &mut Outbox) {
        out.tell(Feedback::Report(Report {
            bundle: self.bundle,
            pair: self.pair,
            leg: self.leg,
            market: self.market,
            outcome: self.outcome,
            action: self.action,
            at,
            kind,
        }));
    }
}
