//! The measurements of matching whole catalogues.

use std::time::Duration;

use super::Effort;
use crate::figures::Figures;
use crate::matching::{THREADS, measure};

/// Markets of each venue.
const SIZES: [usize; 2] = [5_000, 100_000];

/// From two catalogues to their pairs, and what a change costs.
pub(super) fn matched(effort: &Effort, figures: &mut Figures) {
    let size = SIZES[usize::from(!effort.quick)];
    let seen = measure(size);
    let name = |what: &str| format!("match_{}k_{what}", size / 1_000);
    let seconds = |time: Duration| time.as_secs_f64();
    figures.ratio(&name("s"), seconds(seen.whole), 1.0);
    match seen.whole_cpu {
        Some(cpu) => figures.ratio(&name("cpu_s"), seconds(cpu), 1.0),
        None => figures.absent(&name("cpu_s"), "the system does not tell it"),
    }
    match seen.peak_bytes {
        Some(bytes) => figures.count("match_peak_bytes", bytes),
        None => figures.absent("match_peak_bytes", "the system does not tell it"),
    }
    for (listings, time) in &seen.updates {
        figures.ratio(&format!("match_update_{listings}_s"), seconds(*time), 1.0);
    }
    figures.count("match_pairs_found", seen.found as u64);
    figures.count("match_pairs_missed", seen.missed as u64);
    figures.count("match_pairs_false", seen.wrong as u64);
    // A market's share of the whole, as one thread would take for it.
    let each = seconds(seen.whole) * THREADS as f64 / size as f64;
    figures.ratio("match_words_over_index", seconds(seen.ordinary_each), each);
    figures.count("match_words_wrong_percent", seen.ordinary_wrong_percent as u64);
    figures.note(format!(
        "match_* : {size} markets of each venue, {THREADS} threads, reading of texts included; \
         match_words_* : each market against all others by words in common"
    ));
}
