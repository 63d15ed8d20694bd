//! The shipped replay against loops that only parse, or only read, the same tape.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine::core::CoreConfig;
use engine::event::Event;
use engine::paper::PaperCore;
use engine::pin::CoreList;
use engine::units::{Ns, Venue};
use parallax::model::{Model, Options};
use parallax::pairs::{self, PairFile};
use parallax::replay::feeder::Frames;
use parallax::replay::run::{self, Watcher};
use parallax::replay::setup::{self, FeedOptions};
use parallax::replay::speed::Speed;
use parallax::tape::{Body, MergedTapes, Preloaded, TapeReader, TapeWriter};
use parallax::topology::{Grouping, Plan};
use serde::Deserialize;

use crate::messages::{KalshiFrame, PolyObject};

/// Everything that can go wrong here is a broken tape or pair file: its words are passed on.
type Failed = Box<dyn std::error::Error>;

/// Frames and the time they took, over all tapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rate {
    /// Frames.
    pub frames: u64,
    /// Time, of the fastest of several passes of each tape.
    pub elapsed: Duration,
}

/// What the tapes gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rates {
    /// The shipped replay, frames in memory.
    pub preloaded: Rate,
    /// Typed `serde_json` that borrows its strings, frames in memory.
    pub parse: Rate,
    /// The same with strings of its own.
    pub parse_owned: Rate,
    /// The shipped replay from the file on.
    pub file: Rate,
    /// Reading the records of the file, nothing else.
    pub unpack: Rate,
    /// Hot frames that the fast paths took, and those they left to the general decoders.
    pub fast: [u64; 2],
}

/// The tapes of a folder, or none.
pub fn tapes_in(dir: &Path) -> Vec<PathBuf> {
    let mut tapes: Vec<PathBuf> = std::fs::read_dir(dir)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    tapes.retain(|path| path.to_string_lossy().ends_with(".tape.jsonl.zst"));
    tapes.sort();
    tapes
}

/// Writes the demonstration tape.
///
/// # Errors
/// Those of the file.
pub fn write_demo(path: &Path, minutes: u32) -> Result<(), Failed> {
    let mut writer = TapeWriter::create(path, true)?;
    Model::new(Options { minutes, ..Options::default() })
        .run(&mut |record| writer.write(record))?;
    writer.finish()?;
    Ok(())
}

/// Measures all of `tapes`, each several times.
///
/// # Errors
/// A tape or a pair file that cannot be read.
pub fn measure(tapes: &[PathBuf], passes: usize) -> Result<Rates, Failed> {
    let mut rates = Rates::default();
    for tape in tapes {
        let name = tape.to_string_lossy().replace(".tape.jsonl.zst", ".pairs.toml");
        let pair_files: Vec<PathBuf> =
            Some(PathBuf::from(name)).into_iter().filter(|path| path.exists()).collect();
        let pairs = pairs::load(&pair_files)?;
        let files = [tape.clone()];
        let memory = Preloaded::load(&files)?;
        let frames = memory.iter().filter(|r| matches!(r.body, Body::Frame(_))).count() as u64;
        let mut fast = [0; 2];
        let mut best = [Duration::MAX; 5];
        for _ in 0..passes.max(1) {
            let mut held = Frames::Memory(Preloaded::load(&files)?);
            best[0] = best[0].min(replay(&pairs, &mut held, &mut fast)?);
            best[1] = best[1].min(timed(|| parse::<KalshiFrame<&str>, PolyObject<&str>>(&memory)));
            best[2] =
                best[2].min(timed(|| parse::<KalshiFrame<String>, PolyObject<String>>(&memory)));
            let mut file = Frames::Files(MergedTapes::open(&files)?);
            best[3] = best[3].min(replay(&pairs, &mut file, &mut [0; 2])?);
            let start = Instant::now();
            let mut reader = TapeReader::open(tape)?;
            while reader.advance()? {
                std::hint::black_box(reader.current());
            }
            best[4] = best[4].min(start.elapsed());
        }
        let all = [
            &mut rates.preloaded,
            &mut rates.parse,
            &mut rates.parse_owned,
            &mut rates.file,
            &mut rates.unpack,
        ];
        for (rate, elapsed) in all.into_iter().zip(best) {
            rate.frames += frames;
            rate.elapsed += elapsed;
        }
        rates.fast[0] += fast[0];
        rates.fast[1] += fast[1];
    }
    Ok(rates)
}

fn timed(work: impl FnOnce() -> u64) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed()
}

/// Nobody looks.
struct Blind;

impl Watcher for Blind {
    fn event(&mut self, _event: &Event) {}
    fn progress(&mut self, _bytes: u64, _records: u64) {}
}

/// One run of the shipped engine, all hot tiles on one thread; the time from the start of its
/// threads to the end of the last one, as `parallax replay` reports it.
fn replay(pairs: &PairFile, frames: &mut Frames, fast: &mut [u64; 2]) -> Result<Duration, Failed> {
    let options = FeedOptions { no_side: Default::default(), audit_every: 16, learn: true };
    let setup = setup::setup(pairs, options)?;
    let core = PaperCore::new(
        setup.table.clone(),
        setup.markets,
        CoreConfig { trade: true, ..CoreConfig::default() },
        [Ns::from_ms(5); 2],
    );
    let plan = Plan::replay(Grouping::Single, &CoreList::allowed(), false);
    let how = (Grouping::Single, &plan);
    let outcome = run::run(setup, core, frames, Speed::MAX, how, &mut Blind)?;
    let (k, p) = (outcome.kalshi.figures(), outcome.polymarket.figures());
    *fast = [k.fast + p.fast, k.fallback + p.fallback];
    Ok(outcome.elapsed)
}

/// Parses every frame; says how many it could.
fn parse<'a, K: Deserialize<'a>, P: Deserialize<'a>>(memory: &'a Preloaded) -> u64 {
    let mut parsed = 0;
    for record in memory.iter() {
        let Body::Frame(frame) = record.body else { continue };
        let done = match record.venue {
            Venue::Kalshi => serde_json::from_slice::<K>(frame).map(std::hint::black_box).is_ok(),
            Venue::Polymarket if frame.first() == Some(&b'[') => {
                serde_json::from_slice::<Vec<P>>(frame).map(std::hint::black_box).is_ok()
            }
            Venue::Polymarket => {
                serde_json::from_slice::<P>(frame).map(std::hint::black_box).is_ok()
            }
        };
        parsed += u64::from(done);
    }
    parsed
}
