//! The tile that signs ahead: it keeps Kalshi's header pool full and makes ready the orders that
//! the core would send to Polymarket next. It may share a thread; one step is one signature.

use engine::core::ARM_AGE;
use engine::event::{ArmRequest, Control, Leg};
use engine::pair::{Direction, PairId};
use engine::tile::{Now, Tile};
use engine::units::Ns;
use rtrb::Consumer;

use crate::armed::{ARMED_MAX, ArmedFiller, ArmedOrder, LegKey};
use crate::armory::Armory;
use crate::gate::NewTerms;
use crate::journal::{JournalWriter, Record};
use crate::sign::kalshi::KalshiSigner;
use crate::sign::pool::HeaderFiller;
use crate::terms::{PolymarketTerms, TermsTable};

/// Requests taken in one step, before anything is signed.
const REQUESTS_A_STEP: usize = 64;

/// An order that was not asked for again for this long is forgotten. The core repeats what it
/// still wants every [`ARM_AGE`] while a book of the pair moves at all; one that stands still may
/// be the next to jump.
pub const WANTED_AGE: Ns = Ns(30 * ARM_AGE.0);

/// How often the tile looks whether a header aged, on a clock that jumps.
const HEADER_EVERY: Ns = Ns::from_ms(50);

/// Kalshi's part of the tile.
pub struct HeaderDuty {
    /// Signs.
    pub signer: KalshiSigner,
    /// Where headers go.
    pub filler: HeaderFiller,
}

/// Polymarket's part of the tile.
pub struct ArmDuty {
    /// Signs.
    pub armory: Armory,
    /// The markets.
    pub terms: TermsTable<PolymarketTerms>,
    /// What the core asks for.
    pub requests: Consumer<ArmRequest>,
    /// Rules of markets that changed: each is in here before a request that follows from it is in
    /// the other ring. None where nobody tells.
    pub rules: Option<Consumer<Control>>,
    /// Where orders go.
    pub filler: ArmedFiller,
    /// Orders that lie ready at most; more than [`ARMED_MAX`] count as that.
    pub orders_max: usize,
}

/// What the tile did so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SignerFigures {
    /// Headers signed ahead.
    pub headers: u64,
    /// Orders made ready, renewals counted.
    pub armed: u64,
    /// Requests of the core.
    pub requests: u64,
    /// Orders that could not be made: a market without terms, or no order there.
    pub refused: u64,
    /// Requests that took the place of another order's, and those that found none.
    pub crowded_out: u64,
}

/// One order that the core may send next.
#[derive(Clone, Copy)]
struct Wanted {
    pair: PairId,
    direction: Direction,
    rank: u8,
    leg: Leg,
    /// When the core last asked; monotonic.
    asked: Ns,
    /// The first second of the HMACs that the gate has, Unix; `None` where it has none.
    armed_s: Option<u64>,
}

/// Keeps headers and orders ready.
pub struct SignerTile {
    headers: Option<HeaderDuty>,
    arms: Option<ArmDuty>,
    wanted: Box<[Option<Wanted>]>,
    /// The slot that is looked at next, so that none waits for the others.
    next: usize,
    scratch: Box<ArmedOrder>,
    journal: Option<JournalWriter>,
    /// Markets of pairs that join.
    markets: Option<Consumer<NewTerms<PolymarketTerms>>>,
    figures: SignerFigures,
    now: Now,
}

impl SignerTile {
    /// A tile for the venues that have an account.
    pub fn new(headers: Option<HeaderDuty>, arms: Option<ArmDuty>) -> SignerTile {
        let slots = arms.as_ref().map_or(0, |duty| duty.orders_max.min(ARMED_MAX));
        SignerTile {
            headers,
            arms,
            wanted: vec![None; slots].into_boxed_slice(),
            next: 0,
            scratch: Box::new(ArmedOrder::EMPTY),
            journal: None,
            markets: None,
            figures: SignerFigures::default(),
            now: Now::default(),
        }
    }

    /// Writes every order that it makes ready into the journal before the gate has it.
    #[must_use]
    pub fn with_journal(mut self, journal: JournalWriter) -> SignerTile {
        self.journal = Some(journal);
        self
    }

    /// Learns the markets of pairs that join through this ring: each must be in it before the pair
    /// is among the rules.
    #[must_use]
    pub fn with_markets(mut self, markets: Consumer<NewTerms<PolymarketTerms>>) -> SignerTile {
        self.markets = Some(markets);
        self
    }

    /// What it did so far.
    pub const fn figures(&self) -> SignerFigures {
        self.figures
    }

    /// Notes an order that the core wants ready: one for each rank of a pair's direction.
    fn want(&mut self, request: &ArmRequest, now: Now) {
        self.figures.requests += 1;
        let ArmRequest { pair, direction, rank, leg, .. } = *request;
        let same = |w: &Wanted| (w.pair, w.direction, w.rank) == (pair, direction, rank);
        let own = self.wanted.iter().position(|w| w.as_ref().is_some_and(same));
        let slot = own.or_else(|| self.wanted.iter().position(Option::is_none));
        let slot = slot.or_else(|| {
            self.figures.crowded_out += 1;
            self.least_likely(rank)
        });
        let Some(slot) = slot else { return };
        let stands = |w: &Wanted| same(w) && LegKey::of(&w.leg) == LegKey::of(&leg);
        let armed_s = self.wanted[slot].filter(stands).and_then(|w| w.armed_s);
        let asked = now.mono;
        self.wanted[slot] = Some(Wanted { pair, direction, rank, leg, asked, armed_s });
    }

    /// The place of the order that gives way to one of this rank: none that is likelier, and of
    /// those as unlikely as each other the one asked for longest ago.
    fn least_likely(&self, rank: u8) -> Option<usize> {
        let taken = self.wanted.iter().enumerate().filter_map(|(slot, w)| Some((slot, (*w)?)));
        let (slot, _) = taken
            .filter(|(_, w)| w.rank >= rank)
            .max_by_key(|(_, w)| (w.rank, core::cmp::Reverse(w.asked)))?;
        Some(slot)
    }

    /// Takes in the rules that changed: before anything is signed, and after the requests that may
    /// follow from them.
    fn take_rules(&mut self) -> usize {
        let mut taken = 0;
        let Some(arms) = &mut self.arms else { return 0 };
        let Some(rules) = &mut arms.rules else { return 0 };
        while let Ok(rule) = rules.pop() {
            match &rule {
                // The market that came for it, and none of a later pair: what a number still stands
                // for may have to be forgotten before.
                Control::Join(listing) => {
                    while let Some(markets) = &mut self.markets
                        && markets.peek().is_ok_and(|(it, _)| *it == listing.sides[1].market)
                        && let Ok((market, terms)) = markets.pop()
                    {
                        // A market of the other venue has no place here.
                        let _ = arms.terms.set(market, terms);
                    }
                }
                Control::Vacate { market, .. } => {
                    arms.terms.clear(*market);
                    for wanted in &mut self.wanted {
                        *wanted = wanted.filter(|wanted| wanted.leg.market != *market);
                    }
                }
                rule => arms.terms.rule(rule),
            }
            taken += 1;
        }
        taken
    }

    /// Makes one order ready if one is due.
    fn arm_one(&mut self, now: Now) -> usize {
        let Some(arms) = &mut self.arms else { return 0 };
        let second = now.wall.0 / 1_000_000_000;
        for _ in 0..self.wanted.len() {
            let slot = self.next;
            self.next = (slot + 1) % self.wanted.len();
            let Some(wanted) = &mut self.wanted[slot] else { continue };
            if now.mono.since(wanted.asked) > WANTED_AGE {
                self.wanted[slot] = None;
                continue;
            }
            if wanted.armed_s == Some(second) {
                continue;
            }
            if !arms.filler.has_room() {
                return 0;
            }
            self.scratch.slot = slot as u16;
            let terms = arms.terms.get(wanted.leg.market);
            let made = terms.is_some_and(|terms| {
                arms.armory.arm(&wanted.leg, terms, now.wall, &mut self.scratch).is_ok()
            });
            if made && let Some(journal) = &mut self.journal {
                if !journal.has_room() {
                    return 0; // What the journal cannot hold, nobody may send.
                }
                let Leg { market, outcome, limit, qty, .. } = wanted.leg;
                let (id, wall) = (self.scratch.id, now.wall);
                let record = Record::Armed { id, market, outcome, limit, qty, wall };
                self.scratch.cover = journal.write(&record);
            }
            if made && arms.filler.push(&self.scratch) {
                wanted.armed_s = Some(second);
                self.figures.armed += 1;
            } else {
                // It would be refused again: the gate will say why when it comes to sending.
                self.wanted[slot] = None;
                self.figures.refused += 1;
            }
            return 1;
        }
        0
    }
}

impl Tile for SignerTile {
    const NAME: &'static str = "signer";

    fn step(&mut self, now: Now) -> usize {
        self.now = now;
        let mut done = 0;
        while done < REQUESTS_A_STEP {
            let Some(arms) = &mut self.arms else { break };
            let Ok(request) = arms.requests.pop() else { break };
            self.want(&request, now);
            done += 1;
        }
        done += self.take_rules();
        while let Some(slot) = self.arms.as_mut().and_then(|arms| arms.filler.pop_used()) {
            if let Some(Some(wanted)) = self.wanted.get_mut(usize::from(slot)) {
                wanted.armed_s = None;
            }
        }
        if let Some(duty) = &mut self.headers
            && duty.filler.fill(&mut duty.signer, now.wall)
        {
            self.figures.headers += 1;
            done += 1;
        }
        done + self.arm_one(now)
    }

    fn next_deadline(&self) -> Option<Ns> {
        let mono = self.now.mono;
        let header = self.headers.as_ref().map(|_| mono.after(HEADER_EVERY));
        let waits = self.wanted.iter().any(Option::is_some);
        let second = waits.then(|| {
            let over = self.now.wall.0 % 1_000_000_000;
            mono.after(Ns(1_000_000_000 - over))
        });
        header.into_iter().chain(second).min()
    }
}

#[cfg(test)]
#[path = "signer_tests.rs"]
mod tests;
