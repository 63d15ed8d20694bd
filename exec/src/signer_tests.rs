//! The tile under a clock of numbers.

use super::*;
use crate::armed::tests::{WALL, armory, check, leg, terms};
use crate::armed::{ArmedBook, armed_ring};
use crate::sign::key::KalshiKey;
use crate::sign::pool::{HEADERS_MAX, HeaderPool, HeaderSpread, header_pool};
use ed25519_dalek::pkcs8::EncodePrivateKey;
use engine::top::MarketId;
use engine::units::Venue;
use rtrb::{Producer, RingBuffer};

struct Bench {
    tile: SignerTile,
    pool: HeaderPool,
    book: ArmedBook,
    requests: Producer<ArmRequest>,
    rules: Producer<Control>,
}

impl Bench {
    /// Markets 0 to 299 have terms.
    fn new() -> Bench {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let pem = key.to_pkcs8_pem(Default::default()).unwrap();
        let key = KalshiKey::from_pem(pem.as_bytes()).unwrap();
        let signer = KalshiSigner::new(key, "key-id", [1; 32]).unwrap();
        let (header_filler, pool) = header_pool(HeaderSpread::default());
        let (filler, book) = armed_ring();
        let (requests, asked) = RingBuffer::new(256);
        let (rules, told) = RingBuffer::new(4);
        let mut table = TermsTable::new(Venue::Polymarket);
        for index in 0..300 {
            table.set(MarketId::new(Venue::Polymarket, index).unwrap(), terms()).unwrap();
        }
        let tile = SignerTile::new(
            Some(HeaderDuty { signer, filler: header_filler }),
            Some(ArmDuty {
                armory: armory(),
                terms: table,
                requests: asked,
                rules: Some(told),
                filler,
                orders_max: ARMED_MAX,
            }),
        );
        Bench { tile, pool, book, requests, rules }
    }

    fn ask(&mut self, pair: u16, leg: Leg, at: Now) {
        self.ask_ranked(pair, 0, leg, at);
    }

    fn ask_ranked(&mut self, pair: u16, rank: u8, leg: Leg, at: Now) {
        let (pair, direction, at) = (PairId(pair), Direction::FirstYes, at.mono);
        self.requests.push(ArmRequest { pair, direction, rank, leg, at }).unwrap();
    }

    /// Steps until there is nothing left to do, and gives how many steps that took.
    fn settle(&mut self, now: Now) -> usize {
        let steps = (0..1_000).take_while(|_| self.tile.step(now) > 0).count();
        assert!(steps < 1_000, "it comes to rest");
        self.book.refresh(usize::MAX);
        steps
    }

    fn fires(&mut self, leg: &Leg, now: Now) -> bool {
        match self.book.take(&LegKey::of(leg), now.wall) {
            Some(fired) => {
                let stamp = check(fired.request, fired.id, leg);
                assert_eq!(stamp, now.wall.0 / 1_000_000_000);
                true
            }
            None => false,
        }
    }
}

/// `ms` after the start, on both clocks.
fn at(ms: u64) -> Now {
    Now { mono: Ns::from_ms(ms), wall: WALL.after(Ns::from_ms(ms)) }
}

#[test]
fn headers_and_wanted_orders_lie_ready_all_the_time() {
    let (mut bench, wanted) = (Bench::new(), leg(1, 4_200, 1_000));
    for ms in (0..5_000).step_by(50) {
        let now = at(ms);
        if ms % 1_000 == 0 {
            bench.ask(1, wanted, now);
        }
        bench.pool.drop_stale(now.wall);
        bench.settle(now);
        assert!(bench.pool.ready() >= HEADERS_MAX - 2);
        assert!(bench.fires(&wanted, now), "{ms}");
        assert!(!bench.fires(&wanted, now), "{ms}: once");
    }
    assert_eq!(bench.book.figures().hits, 100);
    assert_eq!(bench.tile.figures().armed, 100, "made anew after each hit, and no more");
}

#[test]
fn without_hits_an_order_is_renewed_once_a_second_and_forgotten_unasked() {
    let (mut bench, wanted) = (Bench::new(), leg(1, 4_200, 1_000));
    bench.ask(1, wanted, at(0));
    let mut now = at(0);
    let mut renewed = Vec::new();
    while now.mono < WANTED_AGE.after(Ns::from_ms(4_000)) {
        let before = bench.tile.figures().armed;
        bench.settle(now);
        if bench.tile.figures().armed > before {
            renewed.push(now.mono.0 / 1_000_000);
        }
        // A clock that jumps finds every moment at which there is work.
        now = at(bench.tile.next_deadline().unwrap().0 / 1_000_000);
        bench.pool.drop_stale(now.wall);
    }
    let seconds: Vec<u64> = (0..30).map(|second| 750 + 1_000 * second).collect();
    assert_eq!((renewed[0], &renewed[1..]), (0, &seconds[..]), "WALL is 250 ms into a second");
    assert!(!bench.fires(&wanted, now));
}

#[test]
fn a_new_price_replaces_the_old_one_and_pairs_are_bounded() {
    let mut bench = Bench::new();
    let (old, new) = (leg(1, 4_200, 1_000), leg(1, 4_300, 1_000));
    bench.ask(1, old, at(0));
    bench.settle(at(0));
    bench.ask(1, new, at(10));
    bench.settle(at(10));
    assert!(!bench.fires(&old, at(10)) && bench.fires(&new, at(10)));

    // More pairs than slots: the one asked for longest ago gives way.
    for pair in 0..=ARMED_MAX as u16 {
        bench.ask(pair + 10, leg(pair as usize, 4_200, 1_000), at(20 + u64::from(pair)));
        bench.settle(at(20 + u64::from(pair)));
    }
    let now = at(20 + ARMED_MAX as u64);
    assert_eq!(bench.tile.figures().crowded_out, 2, "pair 1, then the first of the others");
    assert!(!bench.fires(&leg(0, 4_200, 1_000), now));
    let ready = (1..=ARMED_MAX).filter(|index| bench.fires(&leg(*index, 4_200, 1_000), now));
    assert_eq!(ready.count(), ARMED_MAX);
}

#[test]
fn what_cannot_be_armed_is_tried_once_and_holds_nobody_up() {
    let (mut bench, good) = (Bench::new(), leg(3, 4_200, 1_000));
    bench.ask(1, leg(300, 4_200, 1_000), at(0)); // No terms.
    bench.ask(2, leg(1, 4_205, 1_000), at(0)); // Off the tick.
    bench.ask(3, good, at(0));
    bench.settle(at(0));
    let figures = bench.tile.figures();
    assert_eq!((figures.armed, figures.refused), (1, 2));
    assert!(bench.fires(&good, at(0)));

    // A gate that takes nothing over: the tile comes to rest and goes on when there is room.
    let mut bench = Bench::new();
    for ms in (0..(ARMED_MAX as u64 + 6) * 1_000).step_by(1_000) {
        bench.ask(3, good, at(ms));
        let steps = (0..1_000).take_while(|_| bench.tile.step(at(ms)) > 0).count();
        assert!(steps < 1_000);
    }
    let end = at((ARMED_MAX as u64 + 6) * 1_000);
    bench.settle(end);
    bench.settle(end);
    assert!(bench.fires(&good, end));
}

#[test]
fn a_pair_has_several_orders_and_the_least_likely_gives_way() {
    let mut bench = Bench::new();
    let sizes = [1_000, 700, 500];
    for (rank, size) in sizes.into_iter().enumerate() {
        bench.ask_ranked(1, rank as u8, leg(1, 4_200, size), at(0));
    }
    bench.settle(at(0));
    assert!(sizes.iter().all(|size| bench.fires(&leg(1, 4_200, *size), at(0))), "all of them");
    // Every other place is taken by the likeliest orders of other pairs.
    for pair in 0..ARMED_MAX as u16 - 3 {
        bench.ask_ranked(pair + 10, 0, leg(usize::from(pair) + 10, 4_200, 1_000), at(1));
        bench.settle(at(1));
    }
    assert_eq!(bench.tile.figures().crowded_out, 0);
    bench.ask_ranked(500, 1, leg(280, 4_200, 1_000), at(2));
    bench.settle(at(2));
    assert!(!bench.fires(&leg(1, 4_200, 500), at(2)), "the last rank gave way");
    assert!(bench.fires(&leg(280, 4_200, 1_000), at(2)));
    // Nobody is less likely than this one, so it is the one that is left out.
    bench.ask_ranked(501, 9, leg(281, 4_200, 1_000), at(3));
    bench.settle(at(3));
    assert!(!bench.fires(&leg(281, 4_200, 1_000), at(3)));
    assert_eq!(bench.tile.figures().crowded_out, 2);
}

#[test]
fn a_tick_that_changes_is_known_before_the_orders_that_lie_on_it() {
    let (mut bench, fine) = (Bench::new(), leg(1, 4_210, 1_000));
    let told = |bench: &mut Bench, grid| {
        bench.rules.push(Control::Grid { market: fine.market, grid }).unwrap();
    };
    told(&mut bench, engine::grid::Grid::CENT);
    bench.ask(1, fine, at(0));
    bench.settle(at(0));
    assert!(!bench.fires(&fine, at(0)), "no price there");
    assert_eq!(bench.tile.figures().refused, 1);
    // The core tells the rule first and asks after it.
    told(&mut bench, engine::grid::Grid::DECI_CENT);
    bench.ask(1, fine, at(1));
    bench.settle(at(1));
    assert!(bench.fires(&fine, at(1)));
    // Coarse again: what was on the finer tick is not made any more.
    told(&mut bench, engine::grid::Grid::CENT);
    bench.settle(at(2));
    assert!(!bench.fires(&fine, at(2)));
    bench.ask(1, leg(1, 4_200, 1_000), at(3));
    bench.settle(at(3));
    assert!(bench.fires(&leg(1, 4_200, 1_000), at(3)));
}
