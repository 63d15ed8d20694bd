//! What a pair takes: by the sizes of the types, and by what the heap is asked for.

use engine::grid::Grid;
use engine::slab::{CLASS_BYTES, Slab};
use feeds::registry;
use feeds::{kalshi, polymarket};

use crate::alloc;
use crate::corpus::Names;
use crate::pipeline::Pipeline;

/// Bytes of one pair whose three books are on `grid`: books, both sessions' markets with their
/// share of the registries, and the core's rows.
pub fn bytes_per_pair(grid: &Grid) -> usize {
    let markets = kalshi::session::MARKET_BYTES + polymarket::session::MARKET_BYTES;
    3 * CLASS_BYTES[Slab::class_of(grid)]
        + markets
        + 2 * registry::BYTES_PER_NAME_MAX
        + engine::core::PAIR_BYTES
}

/// The same measured: the heap that both sessions and the core hold for these pairs, divided by
/// their number. Lists that grow by doubling have slack, which the other figure has not.
pub fn heap_per_pair(pairs: &[Names], grid: &Grid) -> u64 {
    let before = alloc::live_bytes();
    let pipeline = Pipeline::on_grid(pairs, grid);
    let held = alloc::live_bytes() - before;
    std::hint::black_box(&pipeline.core);
    held / pairs.len().max(1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_takes_no_more_than_it_may() {
        let bytes = [Grid::CENT, Grid::DECI_CENT].map(|grid| bytes_per_pair(&grid));
        assert!(bytes[0] <= 8_192 && bytes[1] <= 65_536, "{bytes:?}");
        assert!(bytes[0] > 7_000, "something is not counted: {bytes:?}");
    }
}
