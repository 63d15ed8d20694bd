//! Times of the hot path's parts, for day-to-day work: `cargo bench -p benches`.
//!
//! On generated frames, so that it runs on any clone. What is gated is counted, not timed: see
//! `cargo run --release -p benches`.

use std::hint::black_box;

use benches::corpus::Form;
use benches::generate::{self, Plan};
use benches::pipeline::Pipeline;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::book::Side;
use engine::grid::Grid;
use engine::slab::Slab;
use engine::top::{MarketId, Top};
use engine::units::{Px, Qty, Venue};
use feeds::{kalshi, polymarket};

const MESSAGES: usize = 2_000;

fn plan() -> Plan {
    Plan { pairs: 64, messages: MESSAGES, form: Form::Mixed, seed: 1, steady: false }
}

/// Frame to decision, both venues.
fn frames(c: &mut Criterion) {
    let corpus = generate::corpus(plan());
    let mut group = c.benchmark_group("frame_to_decision");
    group.sample_size(20).throughput(Throughput::Elements(MESSAGES as u64));
    let filled = || Pipeline::filled(&corpus);
    group.bench_function("kalshi_delta", |b| {
        let feed = |mut pipeline: Pipeline| {
            corpus.kalshi_hot.iter().for_each(|frame| pipeline.on_kalshi(frame));
            pipeline
        };
        b.iter_batched(filled, feed, BatchSize::LargeInput);
    });
    group.bench_function("polymarket_price_change", |b| {
        let feed = |mut pipeline: Pipeline| {
            corpus.poly_hot.iter().for_each(|frame| pipeline.on_poly(frame));
            pipeline
        };
        b.iter_batched(filled, feed, BatchSize::LargeInput);
    });
    group.finish();
}

/// The shape-specialised decoder beside the general one that it stands in front of.
fn decoders(c: &mut Criterion) {
    let corpus = generate::corpus(plan());
    let mut group = c.benchmark_group("decode");
    group.sample_size(20).throughput(Throughput::Elements(MESSAGES as u64));
    group.bench_function("kalshi_fast", |b| {
        b.iter(|| corpus.kalshi_hot.iter().filter_map(kalshi::fast::delta).count());
    });
    group.bench_function("kalshi_general", |b| {
        let mut general = kalshi::general::General::new();
        b.iter(|| corpus.kalshi_hot.iter().filter(|frame| general.decode(frame).is_ok()).count());
    });
    group.bench_function("polymarket_general", |b| {
        let mut general = polymarket::general::General::new();
        b.iter(|| {
            let mut objects = 0;
            for frame in corpus.poly_hot.iter() {
                let _ = general.decode(frame, &mut |object| objects += usize::from(object.is_ok()));
            }
            objects
        });
    });
    group.finish();
}

/// A book alone: one change, and its best four levels read anew.
fn books(c: &mut Criterion) {
    let mut group = c.benchmark_group("book");
    group.sample_size(20);
    for (name, grid) in [("cent", Grid::CENT), ("deci_cent", Grid::DECI_CENT)] {
        let mut slab = Slab::new([1, 1, 0]);
        let book = slab.take(&grid).expect("there is a book of each class");
        for cents in 30..45 {
            let level = slab.set(book, Side::Bid, Px::lit(cents * 100), Qty::ONE);
            level.expect("whole cents are on both grids");
        }
        let mut qty = 0;
        group.bench_function(format!("set_and_top_{name}"), |b| {
            b.iter(|| {
                qty += 100;
                let set = slab.set(book, Side::Bid, Px::lit(4_300), Qty::lit(qty % 10_000 + 1));
                black_box((set.is_ok(), slab.top(book, Side::Bid)))
            });
        });
    }
    group.finish();
}

/// The ring between a feed and the core, without crossing cores.
fn ring(c: &mut Criterion) {
    let (mut tx, mut rx) = rtrb::RingBuffer::new(feeds::feed::TOP_RING_DEPTH);
    let top = Top::unknown(MarketId::new(Venue::Kalshi, 0).expect("the first market"));
    c.bench_function("ring/push_and_pop_a_top", |b| {
        b.iter(|| {
            let pushed = tx.push(black_box(top)).is_ok();
            black_box((pushed, rx.pop().is_ok()))
        });
    });
}

criterion_group!(hot, frames, decoders, books, ring);
criterion_main!(hot);
