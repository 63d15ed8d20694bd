//! A pool under a clock of numbers.

use super::*;
use std::collections::HashSet;

use crate::sign::key::KalshiKey;
use crate::sign::key::tests::ed25519_pem;

const START_MS: u64 = 1_795_000_000_000;

fn signer() -> KalshiSigner {
    let key = KalshiKey::from_pem(ed25519_pem().as_bytes()).unwrap();
    KalshiSigner::new(key, "key-id", [1; 32]).unwrap()
}

fn fill(filler: &mut HeaderFiller, signer: &mut KalshiSigner, wall: Ns) -> usize {
    (0..2 * HEADERS_MAX).take_while(|_| filler.fill(signer, wall)).count()
}

#[test]
fn a_full_pool_spans_the_window_and_is_renewed_as_it_ages() {
    let ((mut filler, mut pool), mut signer) = (header_pool(HeaderSpread::default()), signer());
    assert_eq!(fill(&mut filler, &mut signer, Ns::from_ms(START_MS)), HEADERS_MAX);
    for tick in 0..3_000u64 {
        let wall = Ns::from_ms(START_MS + tick * 10);
        pool.drop_stale(wall);
        fill(&mut filler, &mut signer, wall);
        assert!(pool.ready() > HEADERS_MAX - 3, "{tick}: {}", pool.ready());
    }
    // Thirty seconds are three windows: each header was renewed three times and not more often.
    let made = signer.public_key_ops();
    assert!((4 * 60..=4 * 70).contains(&made), "{made}");
    let wall = Ns::from_ms(START_MS + 30_000);
    let stamps: Vec<u64> =
        std::iter::from_fn(|| pool.take(wall)).map(|header| header.stamp_ms()).collect();
    assert!(stamps.is_sorted() && stamps.len() > HEADERS_MAX - 3);
    let (first, last) = (stamps[0], *stamps.last().unwrap());
    assert!(first < ms(wall) - WINDOW_MS * 8 / 10 && last > ms(wall) + WINDOW_MS * 8 / 10);
    assert_eq!(signer.public_key_ops(), made, "taking signs nothing");
    assert_eq!(pool.figures().hits as usize, stamps.len());
}

#[test]
fn no_header_and_no_fallback_share_a_stamp_or_leave_the_window() {
    let ((mut filler, mut pool), mut ahead, mut inline) =
        (header_pool(HeaderSpread::default()), signer(), signer());
    let mut seen = HashSet::new();
    for tick in 0..2_000u64 {
        // Bursts that empty the pool, pauses, a clock that stands, steps ahead and steps back.
        let step = match tick % 500 {
            0..400 => tick * 37,
            400..420 => 400 * 37,
            420..440 => tick * 37 + 60_000,
            _ => tick * 37,
        };
        let wall = Ns::from_ms(START_MS + step);
        if tick % 5 != 0 {
            let room = filler.missing().min(20);
            let _ = (0..room).take_while(|_| filler.fill(&mut ahead, wall)).count();
        }
        for _ in 0..tick % 23 * 2 {
            let stamp = match tick % 3 {
                0 => pool.stamp(wall),
                _ => pool.take_or_sign(&mut inline, wall).map(|header| header.stamp_ms()),
            };
            let Some(stamp) = stamp else { continue };
            assert!(seen.insert(stamp), "{stamp} twice at {tick}");
            assert!(stamp.abs_diff(ms(wall)) <= WINDOW_MS, "{stamp} at {}", ms(wall));
        }
    }
    let figures = pool.figures();
    assert!(figures.hits > 1_000 && figures.inline > 100 && figures.stale > 50, "{figures:?}");
    assert_eq!(figures.inline, inline.public_key_ops());
}

#[test]
fn a_burst_that_empties_the_pool_is_replaced_at_once() {
    let ((mut filler, mut pool), mut signer) = (header_pool(HeaderSpread::default()), signer());
    let wall = Ns::from_ms(START_MS);
    fill(&mut filler, &mut signer, wall);
    while pool.take(wall).is_some() {}
    assert_eq!(fill(&mut filler, &mut signer, wall), HEADERS_MAX);
    assert!(pool.take(wall).is_some());
    // What lies in the future after the clock was set back stays for its time.
    let back = Ns::from_ms(START_MS - 20_000);
    assert!(pool.has_stamp(wall) && pool.has_stamp(back), "nothing was drawn on the spot");
    assert!(pool.take(back).is_none() && pool.take_or_sign(&mut signer, back).is_some());
    assert!(pool.take(wall).is_some());
    assert_eq!(pool.figures().stale, 0);
    // What is drawn now bars every stamp before it, and what lies ready is ahead.
    assert!(pool.stamp(wall).is_some());
    assert!(!pool.has_stamp(back) && pool.take_or_sign(&mut signer, back).is_none());
    let free = Ns::from_ms(START_MS - WINDOW_MS + 2 * Lane::COUNT);
    assert!(pool.has_stamp(free) && pool.take_or_sign(&mut signer, free).is_some());
}

#[test]
fn a_window_must_have_room_for_its_headers() {
    assert_eq!(HeaderSpread::new(HEADERS_MAX, WINDOW_MS), Some(HeaderSpread::default()));
    for (headers, window_ms) in [(0, 5_000), (126, 5_000), (1, 39), (64, 10_001)] {
        assert_eq!(HeaderSpread::new(headers, window_ms), None, "{headers} in {window_ms}");
    }
    let spread = HeaderSpread::new(20, 2_000).unwrap();
    let ((mut filler, mut pool), mut signer) = (header_pool(spread), signer());
    let wall = Ns::from_ms(START_MS);
    assert_eq!(fill(&mut filler, &mut signer, wall), 20);
    for _ in 0..20 {
        let stamp = pool.take(wall).unwrap().stamp_ms();
        assert!(stamp.abs_diff(ms(wall)) <= 2_000, "{stamp}");
    }
    assert_eq!(fill(&mut filler, &mut signer, wall), 20, "a burst is replaced at once");
}
