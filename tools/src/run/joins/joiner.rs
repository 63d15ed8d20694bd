//! Tells everybody of the pairs that join and of those that leave, on a thread that may wait.
//!
//! A number that a market had is given to another one only after each of these has said so, in this
//! order: the core has no pair of it; its feed has sent its last Top, and no frame finds it; the core
//! has taken that Top; its gate has reported all of its orders and forgotten it. So nothing that was
//! said of the one is ever taken for the other.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use engine::pair::{Listing, PairId, PairTable};
use engine::top::MarketId;
use engine::units::{Shares, Venue};
use feeds::live::arrival::{Arrival, Going};
use feeds::live::{kalshi, polymarket};
use feeds::market::AddError;

use super::terms::Terms;
use super::{ArrivalEnds, JoinEnds, Joined, Move, NAP, NotJoined, Told, send};
use crate::journal::truth::{Books, Wanted};
use crate::pairs::{PairFile, PairSpec};
use crate::replay::setup;
use crate::run::gates::{kalshi_terms, polymarket_terms};

/// Whoever is to leave is asked again after this: what keeps it may be over, and an answer may be
/// lost.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A pair as it is known here.
struct Tenant {
    names: [String; 2],
    markets: [MarketId; 2],
    terms: Terms,
}

/// A market on its way out.
struct Leaver {
    /// Of its last Top.
    generation: u32,
    asked: Instant,
}

/// A pair that is in the run no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Went {
    /// Its place, which is free.
    pub place: PairId,
    /// The core did not take it in.
    pub refused: bool,
}

/// Has pairs leave: they are out of trading with the next look of the core, and go once nothing of
/// them is open.
#[derive(Clone)]
pub struct Stopper {
    tell: Sender<Move>,
    stopped: Arc<Mutex<Vec<PairId>>>,
}

impl Stopper {
    /// Asks the core at once; the joiner asks it again until the pair left.
    pub fn stop(&self, place: PairId) {
        // In this order: the core may answer before this returns.
        lock(&self.stopped).push(place);
        // Where nobody listens the run is over.
        let _ = self.tell.send(Move::Retire(place));
    }
}

fn lock(stopped: &Mutex<Vec<PairId>>) -> MutexGuard<'_, Vec<PairId>> {
    stopped.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells everybody of pairs.
pub struct Joiner {
    ends: JoinEnds,
    /// As the core has it, or will.
    table: PairTable,
    tenants: BTreeMap<PairId, Tenant>,
    /// By venue, and by ticker or condition.
    markets: [HashMap<String, MarketId>; 2],
    /// Pairs that are to leave, with when the core was asked last.
    retiring: BTreeMap<PairId, Instant>,
    /// Pairs that were stopped since.
    stopped: Arc<Mutex<Vec<PairId>>>,
    leavers: BTreeMap<MarketId, Leaver>,
    tell: Sender<Move>,
    told: Receiver<Told>,
    /// Whoever knows what the venues hold; nobody on paper.
    books: Option<Box<dyn Books + Send>>,
}

impl Joiner {
    /// A joiner for a run over these pairs. What the core is to be told goes to `tell`, and what it
    /// said comes from `told`.
    pub fn new(
        ends: JoinEnds,
        file: &PairFile,
        table: &PairTable,
        tell: Sender<Move>,
        told: Receiver<Told>,
    ) -> Joiner {
        let mut joiner = Joiner {
            ends,
            table: table.clone(),
            tenants: BTreeMap::new(),
            markets: [HashMap::new(), HashMap::new()],
            retiring: BTreeMap::new(),
            stopped: Arc::default(),
            leavers: BTreeMap::new(),
            tell,
            told,
            books: None,
        };
        for (spec, (place, pair)) in file.pairs.iter().zip(table.live()) {
            joiner.note(place, spec, pair.sides.map(|side| side.market));
        }
        joiner
    }

    /// Asks these before a pair joins.
    #[must_use]
    pub fn asking(self, books: Option<Box<dyn Books + Send>>) -> Joiner {
        Joiner { books, ..self }
    }

    /// The core begins with nothing of a market that comes, so nothing of it may be there: somebody
    /// traded it by hand, or a run before this one did. What is in the run already is counted.
    fn ask(&mut self, spec: &PairSpec, comes: [bool; 2]) -> Result<(), NotJoined> {
        let Some(books) = self.books.as_mut().filter(|_| comes != [false; 2]) else {
            return Ok(());
        };
        let [first, second] = comes;
        let tokens = if second { Vec::from(Wanted::of_pair(spec)) } else { Vec::new() };
        let wanted = Wanted { tokens: tokens.iter().cloned().collect(), ..Wanted::default() };
        let truth = books.standing(&wanted).map_err(|error| {
            NotJoined::Later(format!("nobody says whether something of it is held: {error}"))
        })?;
        let holds = |venue, e6: i64, what: &str| {
            let count = Shares::new(e6.unsigned_abs());
            let words = format!(
                "the account on {venue} holds {count} of {what}; it joins at the next start"
            );
            if e6 == 0 { Ok(()) } else { Err(NotJoined::Words(words)) }
        };
        if first {
            let ticker = &spec.kalshi.ticker;
            holds(Venue::Kalshi, truth.net.get(ticker).copied().unwrap_or(0), ticker)?;
        }
        for (token, _) in &tokens {
            // A balance that did not come proves nothing.
            let Some(e6) = truth.tokens.get(token).copied() else {
                return Err(NotJoined::Later(format!("nobody says what is held of token {token}")));
            };
            holds(Venue::Polymarket, e6, &format!("token {token}"))?;
        }
        Ok(())
    }

    /// Orders at a market are made from what was told of it when it came: a pair that knows better
    /// waits until the others have left it.
    fn agree(&self, spec: &PairSpec, known: [Option<MarketId>; 2]) -> Result<(), NotJoined> {
        let now = Terms::of(spec);
        for venue in Venue::ALL.into_iter().filter(|venue| known[venue.index()].is_some()) {
            let side = venue.index();
            let is_there = |other: &&Tenant| known[side] == Some(other.markets[side]);
            let others = self.tenants.values().filter(is_there);
            let change = others.filter_map(|other| other.terms.change_at(venue, &now)).next();
            if let Some(change) = change {
                let words = format!("another pair of its market has not left yet, and {change}");
                return Err(NotJoined::Later(words));
            }
        }
        Ok(())
    }

    fn note(&mut self, place: PairId, spec: &PairSpec, markets: [MarketId; 2]) {
        let names = [spec.kalshi.ticker.clone(), spec.polymarket.condition_id.clone()];
        for ((known, name), market) in self.markets.iter_mut().zip(&names).zip(markets) {
            known.insert(name.clone(), market);
        }
        self.tenants.insert(place, Tenant { names, markets, terms: Terms::of(spec) });
    }

    /// True where no number is left for another market of that venue.
    fn is_full(&self, venue: Venue) -> bool {
        let leaving = self.leavers.keys().filter(|market| market.venue() == venue).count();
        self.markets[venue.index()].len() + leaving >= self.table.markets(venue.index())
    }

    /// Has the feeds add those of a pair's markets that they do not know; both markets, and which
    /// of them came.
    fn arrive(
        &mut self,
        spec: &PairSpec,
        note: &str,
        known: [Option<MarketId>; 2],
        end: &AtomicBool,
    ) -> (Result<[MarketId; 2], NotJoined>, [Option<MarketId>; 2]) {
        let k = &spec.kalshi;
        let first = known[0].map_or_else(
            || {
                let (event, ticker) = (k.event.clone(), k.ticker.clone());
                let market = kalshi::NewMarket { event, ticker, grid: k.grid };
                arrive(&mut self.ends.kalshi, market, note, end)
            },
            Ok,
        );
        let first = match first {
            Ok(first) => first,
            Err(why) => return (Err(why), [None; 2]),
        };
        let mut came = [known[0].is_none().then_some(first), None];
        if let Some(second) = known[1] {
            return (Ok([first, second]), came);
        }
        let p = &spec.polymarket;
        let market = polymarket::NewMarket {
            condition: p.condition_id.clone(),
            tokens: [p.yes.clone(), p.no.clone()],
            grid: p.grid,
            terms: Some(setup::hash_terms(spec)),
        };
        let second = arrive(&mut self.ends.polymarket, market, note, end);
        came[1] = second.as_ref().ok().copied();
        (second.map(|second| [first, second]), came)
    }

    /// Puts a pair into the table.
    fn listed(
        &mut self,
        place: PairId,
        spec: &PairSpec,
        markets: [MarketId; 2],
    ) -> Result<Joined, NotJoined> {
        let pair =
            setup::pair(spec, markets).map_err(|error| NotJoined::Words(error.to_string()))?;
        let event = spec.event.as_deref().and_then(|name| self.table.event_named(name));
        let listing = Listing::of(place, event.unwrap_or(place), &pair);
        let joined = Joined { listing, spec: spec.clone() };
        match joined.list(&mut self.table) {
            true => Ok(joined),
            false => Err(NotJoined::Words("the table of pairs does not take it".to_owned())),
        }
    }

    /// Tells everybody of a pair, the core last; its place. `note` is the pair as its file says it,
    /// for the tape.
    ///
    /// # Errors
    /// [`NotJoined`]
    pub fn join(
        &mut self,
        spec: &PairSpec,
        note: &str,
        end: &AtomicBool,
    ) -> Result<PairId, NotJoined> {
        let place = self.table.vacant().ok_or(NotJoined::Full)?;
        // Before anybody is told: what no order could be made for is told to nobody.
        let terms = polymarket_terms(spec).map_err(NotJoined::Words)?;
        let names = [&spec.kalshi.ticker, &spec.polymarket.condition_id];
        let known = [0, 1].map(|side: usize| self.markets[side].get(names[side]).copied());
        if Venue::ALL.into_iter().any(|v| known[v.index()].is_none() && self.is_full(v)) {
            return Err(NotJoined::Full);
        }
        self.agree(spec, known)?;
        self.ask(spec, known.map(|known| known.is_none()))?;
        let (markets, came) = self.arrive(spec, note, known, end);
        let joined = match markets.and_then(|markets| self.listed(place, spec, markets)) {
            Ok(joined) => joined,
            Err(why) => {
                // A market that no pair has is let go again.
                for market in came.into_iter().flatten() {
                    self.let_go(market, end)?;
                }
                return Err(why);
            }
        };
        // Gates and signer take the terms with the pair, those of one pair after the other.
        if let Some(rings) = &mut self.ends.terms {
            if known[0].is_none() {
                send(&mut rings.kalshi, (joined.markets()[0], kalshi_terms(spec)), end)?;
            }
            if known[1].is_none() {
                for ring in &mut rings.polymarket {
                    send(ring, (joined.markets()[1], terms), end)?;
                }
            }
        }
        self.note(place, spec, joined.markets());
        self.tell.send(Move::Join(joined)).map_err(|_| NotJoined::Over)?;
        Ok(place)
    }

    /// Has pairs leave, from whatever thread.
    pub fn stopper(&self) -> Stopper {
        Stopper { tell: self.tell.clone(), stopped: Arc::clone(&self.stopped) }
    }

    /// Goes on with those that leave; which pairs went since. One that the core did not take in
    /// goes as well.
    ///
    /// # Errors
    /// [`NotJoined::Over`]
    pub fn tend(&mut self, end: &AtomicBool) -> Result<Vec<Went>, NotJoined> {
        let mut went = Vec::new();
        let all: Vec<Told> = self.told.try_iter().collect();
        // After what the core said: whoever stops a pair says it here before the core hears of it.
        let stopped = std::mem::take(&mut *lock(&self.stopped));
        let known = stopped.into_iter().filter(|place| self.tenants.contains_key(place));
        self.retiring.extend(known.map(|place| (place, Instant::now())));
        for told in all {
            match told {
                Told::Left(place) if self.retiring.remove(&place).is_some() => {
                    self.leave(place, end)?;
                    went.push(Went { place, refused: false });
                }
                Told::Refused(place) => {
                    self.retiring.remove(&place);
                    self.leave(place, end)?;
                    went.push(Went { place, refused: true });
                }
                Told::Vacated(market, generation) => self.free(market, generation, end)?,
                Told::Left(_) => {}
            }
        }
        let is_due = |asked: &Instant| asked.elapsed() >= ASK_AGAIN;
        for (place, asked) in &mut self.retiring {
            if is_due(asked) {
                *asked = Instant::now();
                self.tell.send(Move::Retire(*place)).map_err(|_| NotJoined::Over)?;
            }
        }
        for (market, leaver) in self.leavers.iter_mut().filter(|(_, it)| is_due(&it.asked)) {
            leaver.asked = Instant::now();
            let change = Move::Vacate(*market, leaver.generation);
            self.tell.send(change).map_err(|_| NotJoined::Over)?;
        }
        Ok(went)
    }

    /// A pair left the core: markets that no other pair has go too.
    fn leave(&mut self, place: PairId, end: &AtomicBool) -> Result<(), NotJoined> {
        self.table.leave(place);
        let Some(Tenant { names, markets, .. }) = self.tenants.remove(&place) else {
            return Ok(());
        };
        for (side, market) in markets.into_iter().enumerate() {
            if self.tenants.values().all(|other| other.markets[side] != market) {
                self.markets[side].remove(&names[side]);
                self.let_go(market, end)?;
            }
        }
        Ok(())
    }

    /// Ends a market's subscription, and has the core and its gate forget it.
    fn let_go(&mut self, market: MarketId, end: &AtomicBool) -> Result<(), NotJoined> {
        let generation = self.go(Going::Retire(market), market.venue(), end)?;
        self.leavers.insert(market, Leaver { generation, asked: Instant::now() });
        self.tell.send(Move::Vacate(market, generation)).map_err(|_| NotJoined::Over)
    }

    /// Everybody has forgotten a market: its number is free.
    fn free(
        &mut self,
        market: MarketId,
        generation: u32,
        end: &AtomicBool,
    ) -> Result<(), NotJoined> {
        let known = self.leavers.get(&market).is_some_and(|it| it.generation == generation);
        if known {
            self.go(Going::Vacate(market), market.venue(), end)?;
            self.leavers.remove(&market);
        }
        Ok(())
    }

    fn go(&mut self, going: Going, venue: Venue, end: &AtomicBool) -> Result<u32, NotJoined> {
        match venue {
            Venue::Kalshi => go(&mut self.ends.kalshi, going, end),
            Venue::Polymarket => go(&mut self.ends.polymarket, going, end),
        }
    }
}

/// Has a market added to a feed, and waits for its number.
fn arrive<M>(
    ends: &mut ArrivalEnds<M>,
    market: M,
    note: &str,
    end: &AtomicBool,
) -> Result<MarketId, NotJoined> {
    send(&mut ends.coming, Arrival { market, note: note.as_bytes().into() }, end)?;
    loop {
        match ends.answers.pop() {
            Ok(Ok(market) | Err(AddError::Known(market))) => return Ok(market),
            Ok(Err(error)) => return Err(NotJoined::Words(error.to_string())),
            Err(_) if end.load(Relaxed) => return Err(NotJoined::Over),
            Err(_) => thread::sleep(NAP),
        }
    }
}

/// Tells a feed of a market that goes, and waits until it went; the generation of its last Top.
fn go<M>(ends: &mut ArrivalEnds<M>, going: Going, end: &AtomicBool) -> Result<u32, NotJoined> {
    send(&mut ends.going, going, end)?;
    loop {
        match ends.gone.pop() {
            Ok((_, generation)) => return Ok(generation),
            Err(_) if end.load(Relaxed) => return Err(NotJoined::Over),
            Err(_) => thread::sleep(NAP),
        }
    }
}

#[cfg(test)]
#[path = "joiner_tests.rs"]
mod tests;
