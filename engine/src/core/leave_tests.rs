//! Pairs that come and go in every order, beside a twin that is too slow to be wrong.

use super::*;
use crate::core::{CoreConfig, FAILS_WITHIN};
use crate::desk::Desk;
use crate::event::{Bundle, Control, Feedback, ReportKind, Risk};
use crate::fee::cost_of;
use crate::fixture::{Recorder, config, market, pair, table, top};
use crate::input::{CORE_INPUT_LEN_MAX, CoreInput};
use crate::pair::{Listing, Pair, Polarity};
use crate::risk::{Payout, Word};
use crate::units::{Ns, Px};

const PLACES: usize = 4;
const MARKETS: usize = 3;

/// A core that writes down what it takes.
struct Rig {
    desk: Desk,
    out: Recorder,
    tape: Vec<Vec<u8>>,
    now: u64,
}

fn desk() -> Desk {
    let table = table(&[pair("start", 0, 0, Polarity::Same)]);
    let table = table.with_reserve(PLACES - 1).unwrap();
    Desk::Real(Core::new(table, [MARKETS; 2], CoreConfig { repair: None, ..config() }))
}

impl Rig {
    fn new() -> Rig {
        Rig { desk: desk(), out: Recorder::default(), tape: Vec::new(), now: 1 }
    }

    fn core(&self) -> &Core {
        self.desk.core()
    }

    fn take(&mut self, input: CoreInput) {
        self.now += 1;
        let now = Now::at(Ns(self.now));
        let mut bytes = [0; CORE_INPUT_LEN_MAX];
        let len = input.encode(now, &mut bytes);
        self.tape.push(bytes[..len].to_vec());
        self.desk.take(now, &input, &mut self.out);
    }

    fn join(&mut self, pair: &Pair) -> Option<PairId> {
        let pairs = self.core().pairs();
        let id = pairs.vacant()?;
        let event = pair.event.as_deref().and_then(|name| pairs.event_named(name));
        let listing = Listing::of(id, event.unwrap_or(id), pair);
        self.take(CoreInput::Control(Control::Join(listing)));
        let (Desk::Real(core), event) = (&mut self.desk, pair.event.as_deref()) else { panic!() };
        core.name(id, &pair.id, event);
        Some(id)
    }

    /// True where it left.
    fn retire(&mut self, id: PairId) -> bool {
        let seen = self.out.events.len();
        self.take(CoreInput::Control(Control::Retire(id)));
        self.out.events[seen..].iter().any(|event| {
            matches!(event, Event::PairChanged { pair, change: PairChange::Left, .. } if *pair == id)
        })
    }

    fn book(&mut self, venue: Venue, index: usize, bid: u16, ask: u16, qty: u32) {
        let top = top(market(venue, index), self.now, &[(bid, qty)], &[(ask, qty)]);
        self.take(CoreInput::Top(top));
    }

    /// A gap between both books of these markets.
    fn gap(&mut self, first: usize, second: usize) {
        self.book(Venue::Kalshi, first, 3_900, 4_000, 10_000);
        self.book(Venue::Polymarket, second, 5_000, 5_100, 10_000);
    }

    fn report(&mut self, bundle: &Bundle, leg: usize, kind: ReportKind) {
        let it = bundle.legs[leg];
        let (market, outcome, action, at) = (it.market, it.outcome, it.action, Ns(self.now));
        let (bundle, pair, leg) = (bundle.id, bundle.pair, leg as u8);
        let report = Report { bundle, pair, leg, market, outcome, action, at, kind };
        self.take(CoreInput::Feedback(Feedback::Report(report)));
    }

    fn fill(&mut self, bundle: &Bundle, leg: usize, contracts: u64) {
        let (shares, px) = (Shares::new(contracts * 1_000_000), bundle.legs[leg].limit);
        let (cash, fee) = (cost_of(shares, px), Usd::new(1_000));
        self.report(bundle, leg, ReportKind::Filled { shares, px, cash, fee });
    }

    /// A market settles as YES; all that is held of it is paid.
    fn settle(&mut self, market: MarketId) {
        let index = market.index();
        let held = match market.venue() {
            Venue::Kalshi => {
                let net = self.core().net().position_e6(index);
                [net.max(0), (-net).max(0)].map(|e6| Shares::new(e6.unsigned_abs()))
            }
            Venue::Polymarket => {
                [Outcome::Yes, Outcome::No].map(|it| self.core().tokens().balance(index, it))
            }
        };
        for (outcome, shares) in [Outcome::Yes, Outcome::No].into_iter().zip(held) {
            let each = if outcome == Outcome::Yes { Px::ONE } else { Px::ZERO };
            let paid = if outcome == Outcome::Yes { cost_of(shares, Px::ONE) } else { Usd::ZERO };
            if shares != Shares::ZERO {
                let payout = Payout { market, outcome, shares, each, paid };
                self.take(CoreInput::Word(Word::Paid(payout)));
            }
        }
    }

    fn conserved(&self, seed: u64) {
        let a = self.core().accounts();
        let sum = a.cash[0] + a.cash[1] + a.inventory + a.in_flight - a.realised - a.netted
            + Usd::new(a.matched.e6() as i64)
            - a.settled;
        assert_eq!(sum, Usd::new(2_000_000_000), "seed {seed}: {a:?}");
    }

    /// The same from what was written down.
    fn repeats(&self, seed: u64) {
        let mut again = desk();
        for bytes in &self.tape {
            let (now, input) = CoreInput::decode(bytes).unwrap();
            again.take(now, &input, &mut Recorder::default());
        }
        assert_eq!(again.core().figures(), self.core().figures(), "seed {seed}");
        assert_eq!(again.core().accounts(), self.core().accounts(), "seed {seed}");
    }
}

/// Splitmix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// A pair as the twin knows it.
#[derive(Clone)]
struct Tenant {
    pair: Pair,
    /// Where its event is counted.
    event: usize,
    /// Comes after those of a smaller number.
    came: usize,
    stopped: bool,
    /// Bundles before this one are of somebody else.
    first_bundle: u64,
    /// Until then a trade of it may fail.
    final_at: u64,
}

#[derive(Default)]
struct Twin {
    places: Vec<Option<Tenant>>,
    came: usize,
}

impl Twin {
    fn live(&self) -> impl Iterator<Item = (usize, &Tenant)> {
        self.places.iter().enumerate().filter_map(|(at, it)| Some((at, it.as_ref()?)))
    }

    fn vacant(&self) -> Option<usize> {
        let counted = |at: usize| self.live().any(|(_, it)| it.event == at);
        let free = |at: &usize| self.places[*at].is_none() && !counted(*at);
        let next = (self.places.len() < PLACES).then_some(self.places.len());
        (0..self.places.len()).find(free).or(next)
    }

    fn join(&mut self, at: usize, pair: &Pair, first_bundle: u64) {
        let same = |it: &&Tenant| it.pair.event.is_some() && it.pair.event == pair.event;
        let event = self.live().map(|(_, it)| it).find(same).map_or(at, |it| it.event);
        if at == self.places.len() {
            self.places.push(None);
        }
        self.came += 1;
        self.places[at] = Some(Tenant {
            pair: pair.clone(),
            event,
            came: self.came,
            stopped: false,
            first_bundle,
            final_at: 0,
        });
    }

    /// One of its orders was filled.
    fn fill(&mut self, bundle: &Bundle, leg: usize, now: u64) {
        let tenant = self.places[bundle.pair.index()].as_mut();
        let its = tenant.filter(|tenant| bundle.id.0 >= tenant.first_bundle);
        if let (Some(tenant), Venue::Polymarket) = (its, bundle.legs[leg].market.venue()) {
            tenant.final_at = now + FAILS_WITHIN.0;
        }
    }

    fn pairs_of(&self, market: MarketId) -> Vec<PairId> {
        let side = market.venue().index();
        let mut its: Vec<_> =
            self.live().filter(|(_, it)| it.pair.sides[side].market == market).collect();
        its.sort_by_key(|(_, it)| it.came);
        its.into_iter().map(|(at, _)| PairId(at as u16)).collect()
    }

    fn agrees(&self, core: &Core, seed: u64) {
        let table = core.pairs();
        assert_eq!(table.vacant().map(PairId::index), self.vacant(), "seed {seed}");
        let live: Vec<usize> = table.live().map(|(id, _)| id.index()).collect();
        assert_eq!(live, self.live().map(|(at, _)| at).collect::<Vec<_>>(), "seed {seed}");
        let mut total = Usd::ZERO;
        for (at, tenant) in self.live() {
            let id = PairId(at as u16);
            assert_eq!(table.first_of_event(id).index(), tenant.event, "seed {seed}");
            assert_eq!(table.get(id).unwrap().id, tenant.pair.id, "seed {seed}");
            total += core.guard().exposure().pair(id).notional;
            // A core that knows nothing but this pair and its books.
            let mut alone = Core::new(
                crate::fixture::table(std::slice::from_ref(&tenant.pair)),
                [MARKETS; 2],
                CoreConfig { trade: false, ..config() },
            );
            let tops = tenant.pair.sides.map(|side| *core.top(side.market).unwrap());
            for top in &tops {
                alone.on_top(Now::at(top.recv), top, &mut Recorder::default());
            }
            if tops.iter().all(|top| top.health.is_known()) {
                assert_eq!(core.edges(id), alone.edges(PairId(0)), "seed {seed}: {at}");
            }
        }
        assert_eq!(core.guard().exposure().total().notional, total, "seed {seed}");
        for venue in Venue::ALL {
            for index in 0..MARKETS {
                let market = market(venue, index);
                let chain: Vec<_> = table.pairs_of(market).collect();
                assert_eq!(chain, self.pairs_of(market), "seed {seed}");
            }
        }
    }
}

/// One way through joins, books, fills, late fills, settlements and retirements.
fn play(seed: u64, counts: &mut [usize; 4]) {
    let (mut rng, mut rig, mut twin) = (Rng(seed), Rig::new(), Twin::default());
    twin.join(0, &pair("start", 0, 0, Polarity::Same), 0);
    let mut open: Vec<(Bundle, usize)> = Vec::new();
    for step in 0..250 {
        let seen = rig.out.bundles.len();
        rig.now += [0, FAILS_WITHIN.0 / 3][usize::from(rng.below(8) == 0)];
        match rng.below(12) {
            0..2 => {
                let polarity = [Polarity::Same, Polarity::Inverted][rng.below(2)];
                let mut new =
                    pair(&format!("p{step}"), rng.below(MARKETS), rng.below(MARKETS), polarity);
                new.event = [None, Some("e"), Some("f")][rng.below(3)].map(str::to_owned);
                let (at, bundles) = (twin.vacant(), rig.core().figures().decisions);
                // The twin takes it first: a decision may follow at once.
                if let Some(at) = at {
                    counts[0] += usize::from(at < twin.places.len());
                    twin.join(at, &new, bundles + 1);
                }
                assert_eq!(rig.join(&new).map(PairId::index), at, "seed {seed}");
            }
            2..5 => {
                let id = PairId(rng.below(PLACES) as u16);
                let known = twin.places.get(id.index()).cloned();
                let is_open = known.clone().flatten().is_some_and(|tenant| {
                    open.iter().any(|(bundle, _)| bundle.pair == id)
                        || rig.now + 1 < tenant.final_at
                        || tenant.pair.sides.iter().any(|side| rig.core().is_held(side.market))
                        || rig.core().naked(id).1 != Shares::ZERO
                });
                assert_eq!(rig.retire(id), known.is_some() && !is_open, "seed {seed}: {id:?}");
                if is_open {
                    twin.places[id.index()].as_mut().unwrap().stopped = true;
                    counts[1] += 1;
                } else if known.is_some() {
                    twin.places[id.index()] = None;
                }
            }
            5..8 => {
                let (first, second) = (rng.below(MARKETS), rng.below(MARKETS));
                let px = 2_000 + rng.below(40) as u16 * 100;
                let qty = 500 + rng.below(5) as u32 * 500;
                rig.book(Venue::Kalshi, first, px, px + 100, qty);
                rig.book(Venue::Polymarket, second, px + 600, px + 700, qty);
            }
            8..10 if !open.is_empty() => {
                let (bundle, leg) = open.swap_remove(rng.below(open.len()));
                if rng.below(2) == 0 {
                    rig.fill(&bundle, leg, 5);
                    twin.fill(&bundle, leg, rig.now);
                }
                rig.report(&bundle, leg, ReportKind::Cancelled);
            }
            10 if !rig.out.bundles.is_empty() && rng.below(4) == 0 => {
                let bundle = rig.out.bundles[rng.below(rig.out.bundles.len())];
                if open.iter().any(|(other, _)| other.id == bundle.id) {
                    continue;
                }
                let is_its = twin.places[bundle.pair.index()]
                    .as_ref()
                    .is_some_and(|tenant| bundle.id.0 >= tenant.first_bundle);
                let before = rig.core().naked(bundle.pair);
                let seen = rig.out.events.len();
                rig.fill(&bundle, 0, 5);
                twin.fill(&bundle, 0, rig.now);
                let risk = if is_its { Risk::LateFill } else { Risk::StrayReport };
                let trips = rig.out.events[seen..].iter().filter_map(|event| match event {
                    Event::RiskTripped { risk, .. } => Some(*risk),
                    _ => None,
                });
                assert_eq!(trips.collect::<Vec<_>>(), [risk], "seed {seed}");
                if !is_its {
                    counts[2] += 1;
                    assert_eq!(rig.core().naked(bundle.pair), before, "seed {seed}");
                }
            }
            _ => {
                let venue = Venue::ALL[rng.below(2)];
                let market = market(venue, rng.below(MARKETS));
                let seen = rig.tape.len();
                rig.settle(market);
                if venue == Venue::Polymarket && rig.tape.len() > seen {
                    for at in twin.pairs_of(market) {
                        twin.places[at.index()].as_mut().unwrap().final_at = 0;
                    }
                }
            }
        }
        for bundle in &rig.out.bundles[seen..] {
            let tenant = twin.places[bundle.pair.index()].as_ref().unwrap();
            assert!(!tenant.stopped, "seed {seed}: a pair that was stopped is traded");
            open.extend([(*bundle, 0), (*bundle, 1)]);
            counts[3] += 1;
        }
        twin.agrees(rig.core(), seed);
        rig.conserved(seed);
    }
    rig.repeats(seed);
}

#[test]
fn pairs_that_come_and_go_are_those_of_a_slow_twin() {
    let mut counts = [0; 4];
    (0..120).for_each(|seed| play(seed, &mut counts));
    let [again, kept, strays, bundles] = counts;
    assert!(again > 100 && kept > 100 && strays > 20 && bundles > 200, "{counts:?}");
}

#[test]
fn a_pair_leaves_when_all_of_it_is_paid_and_is_not_traded_meanwhile() {
    let mut rig = Rig::new();
    let id = PairId(0);
    rig.gap(0, 0);
    let bundle = rig.out.bundles[0];
    assert!(!rig.retire(id), "its bundle is under way");
    for leg in 0..2 {
        rig.fill(&bundle, leg, 5);
        rig.report(&bundle, leg, ReportKind::Cancelled);
    }
    rig.gap(0, 0);
    assert!(!rig.retire(id), "a position stays until it is paid, hedged or not");
    rig.settle(market(Venue::Kalshi, 0));
    assert!(!rig.retire(id));
    rig.settle(market(Venue::Polymarket, 0));
    rig.gap(0, 0);
    assert_eq!(rig.out.bundles.len(), 1);
    assert!(rig.retire(id));
    assert!(rig.retire(id), "who asks again is told again");
    assert_eq!(rig.core().guard().exposure().total(), Default::default());
    rig.conserved(0);
    rig.repeats(0);
}

#[test]
fn a_pair_that_sold_what_it_bought_stays_until_no_trade_of_it_can_fail() {
    let mut rig = Rig::new();
    rig.gap(0, 0);
    let bundle = rig.out.bundles[0];
    let leg = bundle.legs.iter().position(|l| l.market.venue() == Venue::Polymarket).unwrap();
    rig.fill(&bundle, leg, 5);
    let filled = rig.now;
    rig.report(&bundle, leg, ReportKind::Cancelled);
    rig.report(&bundle, 1 - leg, ReportKind::Cancelled);
    // It was sold again, so that nothing is held; and then the purchase fails.
    let (shares, px) = (Shares::new(5_000_000), bundle.legs[leg].limit);
    let (cash, fee) = (cost_of(shares, px), Usd::new(1_000));
    rig.report(&bundle, leg, ReportKind::Undone { shares, px, cash, fee });
    assert_eq!(rig.core().naked(PairId(0)).1, Shares::ZERO);
    rig.now = filled + FAILS_WITHIN.0 - 2;
    assert!(!rig.retire(PairId(0)));
    assert!(rig.retire(PairId(0)), "so long after its last fill it is final");
    rig.repeats(0);
}

#[test]
fn pairs_of_one_market_leave_and_come_apart() {
    let mut rig = Rig::new();
    let other = pair("other", 0, 1, Polarity::Same);
    let id = rig.join(&other).unwrap();
    assert!(rig.retire(PairId(0)));
    rig.gap(0, 1);
    assert_eq!(rig.out.bundles[0].pair, id, "the one that stays is traded");
    let kalshi = market(Venue::Kalshi, 0);
    assert!(!rig.core().may_vacate(kalshi, rig.core().top(kalshi).unwrap().generation));
    let again = rig.join(&pair("again", 0, 2, Polarity::Same)).unwrap();
    assert_eq!(again, PairId(0), "its place is taken again");
    rig.gap(0, 2);
    assert_eq!(rig.out.bundles[1].pair, again);
}

#[test]
fn a_pair_joins_an_event_whose_last_pair_has_just_left() {
    let mut rig = Rig::new();
    let mut first = pair("first", 1, 1, Polarity::Same);
    first.event = Some("e".to_owned());
    let event = rig.join(&first).unwrap();
    assert!(rig.retire(event));
    // Whoever asks for it has not heard of that yet.
    let listing = Listing::of(PairId(2), event, &pair("second", 2, 2, Polarity::Same));
    rig.take(CoreInput::Control(Control::Join(listing)));
    let table = rig.core().pairs();
    assert!(table.is_live(PairId(2)) && !table.is_live(event));
    assert_eq!(table.first_of_event(PairId(2)), event);
    assert_eq!(table.vacant(), Some(PairId(3)), "the event is counted in that place");
    // What is not taken in is said to be so.
    rig.take(CoreInput::Control(Control::Join(listing)));
    let told = rig.out.events.last();
    let is_said = |told: &Event| {
        matches!(told, Event::PairChanged { pair: PairId(2), change: PairChange::Refused, .. })
    };
    assert!(told.is_some_and(is_said), "{told:?}");
    rig.repeats(0);
}

#[test]
fn a_market_is_forgotten_with_its_last_top_and_not_before() {
    let mut rig = Rig::new();
    rig.book(Venue::Kalshi, 0, 3_900, 4_000, 100);
    let kalshi = market(Venue::Kalshi, 0);
    let vacate = |rig: &mut Rig, generation| {
        rig.take(CoreInput::Control(Control::Vacate { market: kalshi, generation }));
        !rig.core().top(kalshi).unwrap().health.is_known()
    };
    let last = rig.core().top(kalshi).unwrap().generation;
    assert!(!vacate(&mut rig, last), "a pair has it");
    assert!(rig.retire(PairId(0)));
    assert!(!vacate(&mut rig, last + 1), "its last Top has not come");
    assert!(vacate(&mut rig, last));
    // A pair of another market under that number sees nothing of what was there.
    rig.book(Venue::Polymarket, 0, 5_000, 5_100, 10_000);
    let id = rig.join(&pair("new", 0, 0, Polarity::Same)).unwrap();
    assert_eq!((&rig.core().edges(id)[..2], rig.out.bundles.len()), (&[None; 2][..], 0));
    rig.repeats(0);
}
