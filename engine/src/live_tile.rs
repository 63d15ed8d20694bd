//! The tile of a core that trades: feeds, gates and commands in, bundles, arm requests and events
//! out. The order in which it takes its inputs is recorded, so that a run can be repeated.

use std::sync::Arc;

use rtrb::{Consumer, Producer};

use crate::budget::{OrderBudgets, take_all};
use crate::core::{Core, Outlet};
use crate::desk::Desk;
use crate::event::{
    ArmRequest, Bundle, Control, Dispatch, Event, Feedback, Grounds, Purpose, Ticket,
};
use crate::inject::Injection;
use crate::input::{CORE_INPUT_LEN_MAX, CoreInput};
use crate::lanes::Lanes;
use crate::latency::StageHistogram;
use crate::pair::{Listing, PairId, PairTable};
use crate::risk::Word;
use crate::tap::{TapHead, TapKind, TapWriter};
use crate::tile::{Now, Tile};
use crate::top::{MarketId, Top};
use crate::units::{Ns, Venue};
use crate::view::{View, Viewer};

/// Feedback on its way from a gate: an order causes some ten, and a gate has at most one bundle a
/// pair in its hands.
pub const FEEDBACK_RING_DEPTH: usize = 4_096;

/// Arm requests on their way to the signer. One that finds no room is not signed ahead, and the
/// order is signed when it is needed.
pub const ARM_RING_DEPTH: usize = 1_024;

/// Changed rules on their way to a gate or the signer: all markets of an event at once, and some.
/// While there is no room the feed that brings more waits.
pub const RULE_RING_DEPTH: usize = 1_024;

/// Events on their way from a core that trades to whoever watches it: a burst of a thousand
/// evaluations, and the facts of some minutes in which nobody takes any.
pub const EVENT_RING_DEPTH: usize = FACTS_ROOM + 4_096;

/// Room that is kept for facts ([`Event::is_fact`]) alone: each of 2,000 pairs fills both its legs
/// in two parts and ends, while feeds come back and say so of every book.
const FACTS_ROOM: usize = 12_288;

/// Reports taken from one gate in a step before the feeds have their turn.
const FEEDBACK_A_STEP: usize = 16;

/// The core's ends of one feed's rings.
pub struct FeedEnds {
    /// Books.
    pub tops: Consumer<Top>,
    /// Rules.
    pub controls: Consumer<Control>,
}

/// What an operator may ask of a running core.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Void every bundle that has not left, and decide nothing more.
    Kill,
    /// Decide nothing more; what is under way goes on.
    Hold,
    /// Show the core an arbitrage that is not there; on paper alone.
    Inject(Injection),
    /// Something that limits depend on.
    Tell(Word),
    /// A pair joins. Whoever must know its markets has been told before.
    Join(Listing),
    /// A pair is to leave; it is asked again until it is told that it did.
    Retire(PairId),
    /// A market is to be forgotten that no pair has any more; it is asked again likewise.
    Vacate {
        /// Which.
        market: MarketId,
        /// Of the last Top that its feed sent.
        generation: u32,
    },
}

/// What found no room, and was not waited for: telemetry may never hold the core up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lost {
    /// Events on which money depends: whoever watches no longer knows what is so.
    pub facts: u64,
    /// Other events.
    pub events: u64,
    /// Orders that were to be signed ahead.
    pub arms: u64,
    /// Inputs that the recorder does not have.
    pub inputs: u64,
}

/// Where the core's output goes while it trades. In the event ring facts have precedence.
pub struct LiveOutlet {
    /// By venue; empty on paper.
    gates: Vec<Producer<Dispatch>>,
    arms: Option<Producer<ArmRequest>>,
    /// What the venues let us send, by venue.
    budgets: Option<[Arc<OrderBudgets>; 2]>,
    /// How many orders the gates can send at once, by venue.
    lanes: Option<[Arc<Lanes>; 2]>,
    /// Legs that were dispatched to each of them, wrapping.
    dispatched: [u32; 2],
    /// Who sends and signs must know the rules too.
    rules: Vec<Producer<Control>>,
    events: Producer<Event>,
    /// Room of that ring that only facts take.
    facts_room: usize,
    lost: Lost,
}

impl LiveOutlet {
    /// An outlet. `gates` are Kalshi's and Polymarket's rings, or none on paper; each must have
    /// room for a bundle a pair.
    pub fn new(
        gates: Vec<Producer<Dispatch>>,
        arms: Option<Producer<ArmRequest>>,
        events: Producer<Event>,
    ) -> LiveOutlet {
        LiveOutlet {
            gates,
            arms,
            budgets: None,
            lanes: None,
            dispatched: [0; 2],
            rules: Vec::new(),
            facts_room: FACTS_ROOM.min(events.buffer().capacity() / 4 * 3),
            events,
            lost: Lost::default(),
        }
    }

    /// Takes the rate tokens of all legs of a bundle at once, by venue: while one leg's are not
    /// there, no other leg leaves.
    #[must_use]
    pub fn with_budgets(mut self, budgets: [Arc<OrderBudgets>; 2]) -> LiveOutlet {
        self.budgets = Some(budgets);
        self
    }

    /// Lets both legs of what opens a position leave only where each gate has a connection for its
    /// own at once: a leg that waits for one is late, and may be alone by then. What repairs waits.
    #[must_use]
    pub fn with_lanes(mut self, lanes: [Arc<Lanes>; 2]) -> LiveOutlet {
        self.lanes = Some(lanes);
        self
    }

    /// Tells changed rules through these rings too, each before any bundle or request that follows
    /// from it: whoever takes one of those finds the rule there already.
    #[must_use]
    pub fn with_rules(mut self, rules: Vec<Producer<Control>>) -> LiveOutlet {
        self.rules = rules;
        self
    }

    /// True where one more rule finds room everywhere.
    fn has_room_for_rule(&self) -> bool {
        !self.rules.iter().any(Producer::is_full)
    }

    fn rule(&mut self, rule: &Control) {
        for ring in &mut self.rules {
            assert!(ring.push(*rule).is_ok(), "nobody asked whether there is room");
        }
    }

    fn has_lanes(&self, bundle: &Bundle) -> bool {
        let Some(lanes) = &self.lanes else { return true };
        let has = |venue: Venue| {
            let at = venue.index();
            lanes[at].free(self.dispatched[at]) >= legs_at(bundle, venue)
        };
        Venue::ALL.into_iter().all(has)
    }

    /// Takes the rate tokens of a bundle; each gate its own where the budgets are not known here.
    fn ticket(&self, bundle: &Bundle) -> Ticket {
        if bundle.purpose == Purpose::Open && !self.has_lanes(bundle) {
            return Ticket::Refused;
        }
        let Some([first, second]) = &self.budgets else { return Ticket::AtGate };
        let markets = bundle.legs.map(|leg| leg.market);
        let markets = &markets[..bundle.orders().len()];
        if take_all(&[first, second], markets, bundle.decided) {
            Ticket::Taken
        } else {
            Ticket::Refused
        }
    }
}

/// Orders of a bundle at a venue.
fn legs_at(bundle: &Bundle, venue: Venue) -> u32 {
    bundle.orders().iter().map(|leg| u32::from(leg.market.venue() == venue)).sum()
}

impl Outlet for LiveOutlet {
    /// Hands the bundle to the gates of its legs.
    ///
    /// Panics where a ring is full: a pair has one bundle in flight, and the rings have room for
    /// one a pair.
    fn bundle(&mut self, bundle: &Bundle, grounds: &Grounds) {
        let bundle = Bundle { ticket: self.ticket(bundle), ..*bundle };
        for (venue, gate) in Venue::ALL.into_iter().zip(&mut self.gates) {
            let legs = legs_at(&bundle, venue);
            if legs > 0 {
                let sent = &mut self.dispatched[venue.index()];
                *sent = sent.wrapping_add(legs);
                let dispatch = Dispatch { bundle, grounds: *grounds };
                assert!(gate.push(dispatch).is_ok(), "one bundle a pair at a time");
            }
        }
    }

    fn event(&mut self, event: &Event) {
        let is_fact = event.is_fact();
        let kept = if is_fact { 0 } else { self.facts_room };
        // What it saw last is enough while that leaves room.
        let has_room = self.events.cached_slots() > kept || self.events.slots() > kept;
        if has_room && self.events.push(*event).is_ok() {
            return;
        }
        match is_fact {
            true => self.lost.facts += 1,
            false => self.lost.events += 1,
        }
    }

    fn arm(&mut self, request: &ArmRequest) {
        if let Some(arms) = &mut self.arms {
            self.lost.arms += u64::from(arms.push(*request).is_err());
        }
    }
}

/// The core and its rings while it trades.
pub struct LiveTile {
    desk: Desk,
    feeds: Vec<FeedEnds>,
    /// The last Top of a frame whose rules have not all come yet, by feed.
    held: Vec<Option<Top>>,
    feedback: Vec<Consumer<Feedback>>,
    commands: Consumer<Command>,
    out: LiveOutlet,
    tap: Option<TapWriter>,
    /// From the receive stamp of a frame to the end of its evaluation.
    reached: StageHistogram,
    inputs: u64,
    views: Option<Viewer>,
}

impl LiveTile {
    /// A core that takes what its rings bring as it comes.
    pub fn new(
        desk: Desk,
        feeds: Vec<FeedEnds>,
        feedback: Vec<Consumer<Feedback>>,
        commands: Consumer<Command>,
        out: LiveOutlet,
        tap: Option<TapWriter>,
    ) -> LiveTile {
        let held = feeds.iter().map(|_| None).collect();
        let reached = StageHistogram::new();
        LiveTile {
            desk,
            feeds,
            held,
            feedback,
            commands,
            out,
            tap,
            reached,
            inputs: 0,
            views: None,
        }
    }

    /// Shows itself through this ring, now and then.
    #[must_use]
    pub fn with_views(mut self, views: Producer<View>) -> LiveTile {
        self.views = Some(Viewer::new(views));
        self
    }

    /// The core, for its figures.
    pub fn core(&self) -> &Core {
        self.desk.core()
    }

    /// Gives the pairs that joined their names, when the run is over.
    pub fn name_pairs(&mut self, table: &PairTable) {
        self.desk.name_pairs(table);
    }

    /// Inputs taken so far.
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// True where a test arbitrage was opened.
    pub fn has_injected(&self) -> bool {
        self.desk.has_injected()
    }

    /// What found no room.
    pub fn lost(&self) -> Lost {
        Lost { inputs: self.tap.as_ref().map_or(0, TapWriter::dropped), ..self.out.lost }
    }

    /// From the receive stamp of a frame to the moment at which the core took it.
    pub const fn reached(&self) -> &StageHistogram {
        &self.reached
    }

    #[inline]
    fn take(&mut self, now: Now, input: &CoreInput) {
        self.inputs += 1;
        if let Some(tap) = &mut self.tap {
            record(tap, now, input);
        }
        self.desk.take(now, input, &mut self.out);
    }

    /// Takes one Top of a feed, with the rules that come before it.
    #[inline]
    fn take_feed(&mut self, now: Now, number: usize) -> usize {
        let Some(feed) = self.feeds.get_mut(number) else { return 0 };
        let top = match self.held[number].take() {
            Some(top) => top,
            None => match feed.tops.pop() {
                Ok(top) => top,
                Err(_) => return 0,
            },
        };
        if top.flags & Top::CONTROL != 0 {
            return self.take_controls(now, number, top);
        }
        if top.flags & Top::NO_MARKET == 0 {
            self.reached.record(now.wall.since(top.recv).0);
            self.take(now, &CoreInput::Top(top));
        }
        1
    }

    /// Takes the rules of a frame and its last Top after them; goes on in a later step where some
    /// have not come yet.
    #[cold]
    fn take_controls(&mut self, now: Now, number: usize, top: Top) -> usize {
        loop {
            if !self.out.has_room_for_rule() {
                self.held[number] = Some(top);
                return 0;
            }
            match self.feeds[number].controls.pop() {
                Ok(Control::EndOfFrame) => break,
                Ok(control) => {
                    self.out.rule(&self.resolved(control));
                    self.take(now, &CoreInput::Control(control));
                }
                Err(_) => {
                    self.held[number] = Some(top);
                    return 0;
                }
            }
        }
        if top.flags & Top::NO_MARKET == 0 {
            self.take(now, &CoreInput::Top(top));
        }
        1
    }
}

impl LiveTile {
    /// Takes what an operator asks for; false where it has to wait.
    #[cold]
    fn take_command(&mut self, now: Now, command: Command) -> bool {
        let input = match command {
            Command::Inject(injection) => CoreInput::Inject(injection),
            Command::Kill => CoreInput::Kill,
            Command::Hold => CoreInput::Hold,
            Command::Tell(word) => CoreInput::Word(word),
            Command::Join(listing) => return self.take_rule(now, Control::Join(listing)),
            Command::Retire(pair) => return self.take_rule(now, Control::Retire(pair)),
            Command::Vacate { market, generation } => {
                return self.take_rule(now, Control::Vacate { market, generation });
            }
        };
        self.take(now, &input);
        true
    }

    /// Takes a rule that comes from outside, once gates and signer have it; false where they have
    /// no room.
    #[cold]
    fn take_rule(&mut self, now: Now, rule: Control) -> bool {
        if !self.out.has_room_for_rule() {
            return false;
        }
        let free = match rule {
            // They forget a market only where the core does.
            Control::Vacate { market, generation } => self.core().may_vacate(market, generation),
            _ => true,
        };
        if free {
            self.out.rule(&rule);
        }
        self.take(now, &CoreInput::Control(rule));
        if let Control::Vacate { market, generation } = rule
            && free
            && self.out.rules.is_empty()
        {
            // On paper there is no gate that would have to forget it.
            let feedback = Feedback::Vacated { market, generation };
            self.take(now, &CoreInput::Feedback(feedback));
        }
        true
    }

    /// A rule as those who know no pairs read it: a fee that is again the pair table's says which.
    fn resolved(&self, control: Control) -> Control {
        let Control::Fee { market, fee: None } = control else { return control };
        let table = self.core().pairs();
        let own = table.pairs_of(market).next().and_then(|id| table.get(id));
        Control::Fee { market, fee: own.map(|pair| pair.sides[market.venue().index()].fee) }
    }
}

#[inline]
fn record(tap: &mut TapWriter, now: Now, input: &CoreInput) {
    let mut bytes = [0; CORE_INPUT_LEN_MAX];
    let len = input.encode(now, &mut bytes);
    let venue = match input {
        CoreInput::Top(top) => top.market.venue(),
        _ => Venue::Kalshi,
    };
    tap.write(TapHead { kind: TapKind::CoreInput, venue, conn: 0, recv: now.wall }, &bytes[..len]);
}

impl Tile for LiveTile {
    const NAME: &'static str = "core";

    /// Takes commands first, then what gates say, then a Top of each feed.
    fn step(&mut self, now: Now) -> usize {
        let mut done = 0;
        while let Ok(command) = self.commands.peek().copied() {
            if !self.take_command(now, command) {
                break; // it waits until gates and signer have room for it
            }
            // It is there: it was looked at.
            let _ = self.commands.pop();
            done += 1;
        }
        for number in 0..self.feedback.len() {
            for _ in 0..FEEDBACK_A_STEP {
                let Ok(feedback) = self.feedback[number].pop() else { break };
                self.take(now, &CoreInput::Feedback(feedback));
                done += 1;
            }
        }
        for number in 0..self.feeds.len() {
            done += self.take_feed(now, number);
        }
        if self.desk.next_due().is_some_and(|due| due <= now.mono) {
            self.take(now, &CoreInput::Timer);
            done += 1;
        }
        done
    }

    /// Shows the pairs and the accounts to whoever looks.
    fn housekeep(&mut self, now: Now) {
        let facts_lost = self.lost().facts;
        if let Some(views) = &mut self.views {
            views.show(self.desk.core(), now, facts_lost);
        }
    }

    fn next_deadline(&self) -> Option<Ns> {
        self.desk.next_due()
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
