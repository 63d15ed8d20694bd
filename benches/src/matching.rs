//! Two catalogues whose true pairs are known: how long the index takes to find them, how much
//! memory, and what a change costs; and the ordinary way beside it.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use ::matching::alias::Aliases;
use ::matching::generate::{Catalogue, catalogue};
use ::matching::index::Index;
use ::matching::{Listing, Matcher, Venue};

/// Both catalogues are read, searched and updated on as many threads.
pub const THREADS: usize = 2;
const SEED: u64 = 1;
/// Markets that the ordinary way looks up.
const ORDINARY: usize = 200;

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// From listings to all pairs.
    pub whole: Duration,
    /// Processor time of that, of all threads, where the system tells it.
    pub whole_cpu: Option<Duration>,
    /// Most memory that the process held, generated catalogues included, where the system tells it.
    pub peak_bytes: Option<u64>,
    /// By number of listings that are new or changed: from listings to their pairs.
    pub updates: Vec<(usize, Duration)>,
    /// Pairs found, and right.
    pub found: usize,
    /// Pairs that were not found.
    pub missed: usize,
    /// Pairs that are none.
    pub wrong: usize,
    /// Time of one market, looked up by the share of words in common with every other market.
    pub ordinary_each: Duration,
    /// Markets of which that found another partner than the true one, of a hundred.
    pub ordinary_wrong_percent: usize,
}

/// Matches two catalogues of `size` markets.
pub fn measure(size: usize) -> Matching {
    forget_peak();
    // A tenth more than the index begins with, so that an update has something new.
    let made = catalogue(size + 1_000, SEED);
    let truth: HashSet<(String, String)> = made.pairs.iter().cloned().collect();
    let mut out = Matching::default();
    (out.ordinary_each, out.ordinary_wrong_percent) = ordinary(&made);
    let Catalogue { mut kalshi, mut polymarket, .. } = made;
    let mut fresh = kalshi.split_off(size);
    fresh.extend(polymarket.split_off(size));
    let ids = |all: &[Listing]| all.iter().map(|l| l.id.clone()).collect::<HashSet<String>>();
    let known = [ids(&kalshi), ids(&polymarket)];
    // Half of an update is new, half was known and is said again in other words.
    let changed: Vec<Listing> =
        kalshi.iter().take(250).chain(polymarket.iter().take(250)).map(reworded).collect();

    let (start, cpu) = (Instant::now(), cpu());
    let mut index = Index::new(Matcher::new(Aliases::builtin()));
    index.put_all(kalshi, THREADS);
    index.put_all(polymarket, THREADS);
    let pairs = index.all_matches(THREADS);
    out.whole = start.elapsed();
    out.whole_cpu = self::cpu().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    let found: HashSet<(String, String)> =
        pairs.into_iter().map(|pair| (pair.kalshi, pair.polymarket)).collect();
    let present = |(k, p): &&(String, String)| known[0].contains(k) && known[1].contains(p);
    let all = truth.iter().filter(present).count();
    out.found = found.intersection(&truth).count();
    out.missed = all - out.found;
    out.wrong = found.len() - out.found;

    for count in [200, 1_000] {
        let half = |all: &[Listing]| -> Vec<Listing> {
            let step = (2 * all.len() / count).max(1);
            all.iter().step_by(step).take(count / 2).cloned().collect()
        };
        let batch = [half(&fresh), half(&changed)].concat();
        let size = batch.len();
        let start = Instant::now();
        let names: Vec<(Venue, String)> = batch.iter().map(|l| (l.venue, l.id.clone())).collect();
        index.put_all(batch, THREADS);
        let names: Vec<(Venue, &str)> = names.iter().map(|(v, id)| (*v, id.as_str())).collect();
        std::hint::black_box(index.matches_of(&names, THREADS));
        out.updates.push((size, start.elapsed()));
    }
    out.peak_bytes = peak();
    out
}

/// The same market with longer rules: a change that keeps its meaning.
fn reworded(listing: &Listing) -> Listing {
    let rules = format!("{} The exchange may add sources.", listing.rules);
    Listing { rules, ..listing.clone() }
}

/// Every market of the other venue is looked at, and that with most words in common taken: what is
/// done where there is no index. Time of one market, and how many partners of a hundred are wrong.
fn ordinary(made: &Catalogue) -> (Duration, usize) {
    let words = |text: &str| -> HashSet<String> {
        let lower = text.to_lowercase();
        lower.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
    };
    let there: Vec<(&str, HashSet<String>)> =
        made.polymarket.iter().map(|l| (l.id.as_str(), words(&l.title))).collect();
    let titles: HashMap<&str, &str> =
        made.kalshi.iter().map(|l| (l.id.as_str(), l.title.as_str())).collect();
    let sample: Vec<_> = made.pairs.iter().take(ORDINARY).collect();
    let start = Instant::now();
    let wrong = sample
        .iter()
        .filter(|(kalshi, polymarket)| {
            let own = words(titles.get(kalshi.as_str()).copied().unwrap_or_default());
            // In thousandths of all words of both.
            let alike = |other: &HashSet<String>| {
                let common = own.iter().filter(|word| other.contains(*word)).count();
                1_000 * common / (own.len() + other.len() - common).max(1)
            };
            let best = there.iter().max_by_key(|(_, words)| alike(words));
            best.is_none_or(|(id, _)| id != polymarket)
        })
        .count();
    let count = sample.len().max(1);
    let each = start.elapsed() / u32::try_from(count).unwrap_or(u32::MAX);
    (each, 100 * wrong / count)
}

/// Processor time of this process so far, of all threads.
fn cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold blanks; user and system time are the 14th and 15th field.
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    // Linux counts hundredths of a second here on every architecture.
    Some(Duration::from_millis(10 * ticks))
}

/// Most memory that this process held since [`forget_peak`].
fn peak() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1_024 * line.split_whitespace().next()?.parse::<u64>().ok()?)
}

/// Begins the peak anew; where the system has no such file the peak is that of the whole run.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
