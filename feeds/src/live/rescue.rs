//! Books that must be asked for: first politely, then by a new subscription, then by a new
//! connection (kalshi.md section 2, "Rules for `seq`"; polymarket.md section 2.5).

use engine::units::Ns;

/// Shortest time between two requests on one line: a book that is doubted again and again must
/// not flood the venue.
pub const ASK_NS_MIN: Ns = Ns::from_ms(100);

/// How long a line's books may take after its subscription began.
pub const GREETED_NS_MAX: Ns = Ns::from_ms(10_000);

/// How long they may take after they were asked for again.
pub const ASKED_NS_MAX: Ns = Ns::from_ms(2_000);

/// How often a book is asked for that never came while others of its line did: its market may be
/// over, and that is no reason to take the others from trading.
pub const ABSENT_NS: Ns = Ns::from_ms(30_000);

const NEVER: Ns = Ns(u64::MAX);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Need {
    /// Nothing is needed, or nothing was said of it.
    Calm,
    /// It is to be asked for.
    Wanted,
    /// It was asked for.
    Asked {
        /// A book came since.
        came: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Market {
    line: u16,
    need: Need,
    /// It had a whole book on this connection.
    seen: bool,
    removed: bool,
}

/// What must be done about a line's books.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Ask for those in [`Rescue::batch`].
    Refresh,
    /// Subscribe to all of them anew.
    Resubscribe,
    /// Connect anew.
    GiveUp,
}

struct Ladder {
    /// Markets that are subscribed to.
    markets: Vec<u16>,
    /// Markets to ask for, and markets that were asked for, each at most once.
    wanted: Vec<u16>,
    asked: Vec<u16>,
    /// No request before this.
    ask_from: Ns,
    /// The next rung is taken then.
    until: Ns,
    resubscribed: bool,
    open: bool,
}

/// The needs of every line.
pub struct Rescue {
    markets: Vec<Market>,
    lines: Vec<Ladder>,
    /// What the last [`Step::Refresh`] is about.
    batch: Vec<u16>,
    /// Something was wanted since the last look.
    urgent: bool,
}

impl Rescue {
    /// Markets by line, numbers of the session's.
    pub fn new(lines: Vec<Vec<u16>>) -> Rescue {
        let mut rescue =
            Rescue { markets: Vec::new(), lines: Vec::new(), batch: Vec::new(), urgent: false };
        for markets in lines {
            let line = rescue.add_line();
            for market in markets {
                rescue.add(line, market);
            }
        }
        rescue
    }

    /// A further line.
    pub fn add_line(&mut self) -> usize {
        self.lines.push(Ladder {
            markets: Vec::new(),
            wanted: Vec::new(),
            asked: Vec::new(),
            ask_from: Ns(0),
            until: NEVER,
            resubscribed: false,
            open: false,
        });
        self.lines.len() - 1
    }

    /// A market on a line. Of an open line its book is awaited from now on; see
    /// [`Rescue::await_one`].
    pub fn add(&mut self, line: usize, market: u16) {
        let number = usize::from(market);
        let fresh = Market { line: line as u16, need: Need::Calm, seen: false, removed: false };
        if number >= self.markets.len() {
            // Numbers in between belong to markets that are on no line yet.
            self.markets.resize(number + 1, Market { removed: true, ..fresh });
        }
        self.markets[number] = fresh;
        let ladder = &mut self.lines[line];
        ladder.markets.push(market);
        // Each list holds a market once, so none of them allocates later.
        let room = ladder.markets.len();
        ladder.wanted.reserve(room - ladder.wanted.len());
        ladder.asked.reserve(room - ladder.asked.len());
        self.batch.reserve(room);
    }

    /// Takes a market out; false where it was not there.
    pub fn remove(&mut self, market: u16) -> bool {
        let Some(state) = self.markets.get_mut(usize::from(market)).filter(|m| !m.removed) else {
            return false;
        };
        state.removed = true;
        state.need = Need::Calm;
        let ladder = &mut self.lines[usize::from(state.line)];
        for list in [&mut ladder.markets, &mut ladder.wanted, &mut ladder.asked] {
            list.retain(|one| *one != market);
        }
        true
    }

    /// Puts a market that was taken out back on its line; `None` where it is not out.
    pub fn restore(&mut self, market: u16) -> Option<usize> {
        let line = self.markets.get(usize::from(market)).filter(|m| m.removed)?.line;
        self.add(usize::from(line), market);
        Some(usize::from(line))
    }

    /// The markets of a line.
    pub fn markets_of(&self, line: usize) -> &[u16] {
        &self.lines[line].markets
    }

    /// The line of a market that is on one.
    pub fn line_of(&self, market: u16) -> Option<usize> {
        let market = self.markets.get(usize::from(market)).filter(|m| !m.removed)?;
        Some(usize::from(market.line))
    }

    /// The line with the fewest markets below a limit.
    pub fn roomiest(&self, markets_max: usize) -> Option<usize> {
        let lines = self.lines.iter().map(|ladder| ladder.markets.len()).enumerate();
        lines.filter(|(_, len)| *len < markets_max).min_by_key(|(_, len)| *len).map(|(at, _)| at)
    }

    /// A line subscribed to all of its markets.
    pub fn greeted(&mut self, line: usize, now: Ns) {
        self.lines[line].open = true;
        self.lines[line].resubscribed = false;
        self.await_all(line, now.after(GREETED_NS_MAX));
        for market in &self.lines[line].markets {
            self.markets[usize::from(*market)].seen = false;
        }
    }

    /// A line is gone: nothing can be asked for on it.
    pub fn closed(&mut self, line: usize) {
        let ladder = &mut self.lines[line];
        ladder.open = false;
        for market in ladder.wanted.drain(..).chain(ladder.asked.drain(..)) {
            self.markets[usize::from(market)].need = Need::Calm;
        }
        ladder.until = NEVER;
    }

    /// A line's subscription was begun anew for another reason than a step of this.
    pub fn resubscribed(&mut self, line: usize, now: Ns) {
        self.lines[line].resubscribed = true;
        self.await_all(line, now.after(GREETED_NS_MAX));
    }

    /// A market was subscribed to on an open line.
    pub fn await_one(&mut self, market: u16, now: Ns) {
        let state = &mut self.markets[usize::from(market)];
        let ladder = &mut self.lines[usize::from(state.line)];
        if ladder.open && state.need == Need::Calm {
            state.need = Need::Asked { came: false };
            ladder.asked.push(market);
            ladder.until = ladder.until.min(now.after(GREETED_NS_MAX));
        }
    }

    fn await_all(&mut self, line: usize, until: Ns) {
        let Rescue { markets, lines, .. } = self;
        let ladder = &mut lines[line];
        ladder.wanted.clear();
        ladder.asked.clear();
        ladder.asked.extend_from_slice(&ladder.markets);
        for market in &ladder.markets {
            markets[usize::from(*market)].need = Need::Asked { came: false };
        }
        ladder.until = until;
    }

    /// A session wants this book.
    pub fn want(&mut self, market: usize) {
        let Some(state) = self.markets.get_mut(market).filter(|market| !market.removed) else {
            return;
        };
        let ladder = &mut self.lines[usize::from(state.line)];
        // One that was asked for and has not come yet comes after what made it wanted again.
        if ladder.open && matches!(state.need, Need::Calm | Need::Asked { came: true }) {
            state.need = Need::Wanted;
            ladder.wanted.push(market as u16);
            ladder.asked.retain(|one| usize::from(*one) != market);
            self.urgent = true;
        }
    }

    /// A book of this market came.
    pub fn came(&mut self, market: usize) {
        if let Some(Market { need: Need::Asked { came }, .. }) = self.markets.get_mut(market) {
            *came = true;
        }
    }

    /// Whether something was wanted since this was asked last.
    #[inline]
    pub const fn take_urgent(&mut self) -> bool {
        let urgent = self.urgent;
        self.urgent = false;
        urgent
    }

    /// Looks at a line. `awaits` says whether a market's book is not whole; `refresh_resubscribes`
    /// that asking is as much as subscribing anew.
    pub fn look(
        &mut self,
        line: usize,
        now: Ns,
        refresh_resubscribes: bool,
        awaits: impl Fn(u16) -> bool,
    ) -> Option<Step> {
        let Rescue { markets, lines, batch, .. } = self;
        let ladder = &mut lines[line];
        if ladder.asked.is_empty() && ladder.wanted.is_empty() {
            return None;
        }
        for list in [&mut ladder.asked, &mut ladder.wanted] {
            list.retain(|market| {
                let waits = awaits(*market);
                if !waits {
                    let state = &mut markets[usize::from(*market)];
                    state.need = Need::Calm;
                    state.seen = true;
                }
                waits
            });
        }
        if ladder.asked.is_empty() {
            ladder.until = NEVER;
            if ladder.wanted.is_empty() {
                ladder.resubscribed = false;
                return None;
            }
        }
        batch.clear();
        if !ladder.wanted.is_empty() && now >= ladder.ask_from {
            ladder.ask_from = now.after(ASK_NS_MIN);
            ladder.until = ladder.until.min(now.after(ASKED_NS_MAX));
            for market in ladder.wanted.drain(..) {
                markets[usize::from(market)].need = Need::Asked { came: false };
                ladder.asked.push(market);
                batch.push(market);
            }
            return Some(Step::Refresh);
        }
        if now < ladder.until {
            return None;
        }
        let seen = |market: &u16| markets[usize::from(*market)].seen;
        if ladder.markets.iter().any(seen) && !ladder.asked.iter().any(seen) {
            ladder.until = now.after(ABSENT_NS);
            batch.extend_from_slice(&ladder.asked);
            return Some(Step::Refresh);
        }
        if refresh_resubscribes || ladder.resubscribed {
            return Some(Step::GiveUp);
        }
        self.resubscribed(line, now);
        self.lines[line].until = now.after(ASKED_NS_MAX);
        Some(Step::Resubscribe)
    }

    /// What the last [`Step::Refresh`] is about.
    pub fn batch(&self) -> &[u16] {
        &self.batch
    }
}

#[cfg(test)]
#[path = "rescue_tests.rs"]
mod tests;
