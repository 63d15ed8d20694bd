//! The measurements in order.

// Rates are made here for people to read; no money is among them.
#![allow(clippy::float_arithmetic)]

mod markets; // those of matching
mod orders; // those of orders

use std::path::{Path, PathBuf};

use engine::grid::Grid;
use engine::units::Venue;
use parallax::host::{HostFacts, HostRoot};
use serde_json::json;

use crate::callgrind::Span;
use crate::case::{Case, Feed, Ordinary, Shipped, measured_loop};
use crate::corpus::{Corpus, CorpusError, Form};
use crate::figures::Figures;
use crate::fire::Care;
use crate::generate::{self, Plan};
use crate::time::Passes;
use crate::{alloc, callgrind, fire, fold, memory, replay, ring};

/// The recorded frames, from this crate's folder.
pub const BENCH_DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/bench");
/// The recorded tapes, from this crate's folder.
pub const TAPES_DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/tapes");

/// What is measured, in this order.
pub const NAMES: [&str; 10] =
    ["hot", "mixed", "scale", "memory", "ring", "replay", "sign", "fire", "wire", "matching"];

const SEED: u64 = 7;
/// Pairs of the recorded frames, and so of those that stand in for them.
const PAIRS: usize = 64;
const SCALE: [usize; 2] = [10, 10_000];
/// Messages a market and venue before those that are measured, so that few and many markets alike
/// have had their first ones.
const WARM_UP: usize = 4;
/// Matches the functions of [`crate::case`] that take one frame to its decision.
const INSIDE: &str = "benches::case::one_*";

/// How much is measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effort {
    /// The recorded frames; `None`, or a folder that is absent: generated ones.
    pub data: Option<PathBuf>,
    /// Small counts.
    pub quick: bool,
}

impl Effort {
    fn messages(&self) -> usize {
        if self.quick { 4_000 } else { 20_000 }
    }

    fn passes(&self) -> usize {
        if self.quick { 3 } else { 15 }
    }

    /// The recorded frames where they are, others like them where they are not.
    fn corpus(&self, form: Form) -> Result<Corpus, CorpusError> {
        match self.recorded() {
            Some(dir) => Corpus::read(dir, form),
            None => {
                let messages = self.messages();
                Ok(generate::corpus(Plan {
                    pairs: PAIRS,
                    messages,
                    form,
                    seed: SEED,
                    steady: false,
                }))
            }
        }
    }

    /// The folder of the recorded frames, where it is there.
    pub fn recorded(&self) -> Option<&Path> {
        self.data.as_deref().filter(|dir| dir.is_dir())
    }
}

/// One thing whose instructions are counted, by the words that name it on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// What runs.
    pub shipped: bool,
    /// How the frames are spelt.
    pub form: Form,
    /// Whose frames.
    pub feed: Feed,
    /// Generated pairs; 0 is the usual corpus.
    pub scale: usize,
}

impl Scenario {
    /// Words that [`Scenario::parse`] reads again.
    pub fn words(&self) -> String {
        let Scenario { shipped, form, feed, scale } = self;
        format!("{shipped}/{form:?}/{feed:?}/{scale}")
    }

    /// The scenario of these words.
    pub fn parse(words: &str) -> Option<Scenario> {
        let mut parts = words.split('/');
        let shipped = parts.next()?.parse().ok()?;
        let form = [Form::Plain, Form::Mixed];
        let feed = [Feed::Kalshi, Feed::Poly, Feed::Both];
        let word = parts.next()?;
        let form = form.into_iter().find(|form| format!("{form:?}") == word)?;
        let word = parts.next()?;
        let feed = feed.into_iter().find(|feed| format!("{feed:?}") == word)?;
        Some(Scenario { shipped, form, feed, scale: parts.next()?.parse().ok()? })
    }

    fn corpus(&self, effort: &Effort) -> Result<Corpus, CorpusError> {
        match self.scale {
            0 => effort.corpus(self.form),
            pairs => {
                let messages = WARM_UP * pairs + effort.messages() / 2;
                Ok(generate::corpus(Plan {
                    pairs,
                    messages,
                    form: self.form,
                    seed: SEED,
                    steady: true,
                }))
            }
        }
    }

    /// What runs under callgrind: the loop, once.
    ///
    /// # Errors
    /// Frames that cannot be read.
    pub fn run(&self, effort: &Effort) -> Result<(), CorpusError> {
        let corpus = self.corpus(effort)?;
        let warm_up = self.warm_up();
        fn once<C: Case>(mut case: C, messages: usize) {
            let count = messages.min(case.len());
            measured_loop(&mut case, count);
            std::hint::black_box(case.result());
        }
        if self.shipped {
            once(Shipped::new(&corpus, self.feed).warmed(warm_up), effort.messages());
        } else {
            once(Ordinary::new(&corpus, self.feed).warmed(warm_up), effort.messages());
        }
        Ok(())
    }

    /// Messages that are fed before those that are measured.
    fn warm_up(&self) -> usize {
        2 * WARM_UP * self.scale
    }

    /// Counts its instructions in a child process.
    fn instructions(&self, effort: &Effort) -> Result<u64, callgrind::CountError> {
        instructions(self.words(), Span { inside: INSIDE, until: None }, effort)
    }
}

/// Counts the instructions within `span` of what these words name, in a child process.
fn instructions(words: String, span: Span, effort: &Effort) -> Result<u64, callgrind::CountError> {
    let mut args = vec!["--count".to_owned(), words];
    if effort.quick {
        args.push("--quick".to_owned());
    }
    match &effort.data {
        Some(dir) => args.extend(["--data".to_owned(), dir.display().to_string()]),
        None => args.push("--generated".to_owned()),
    }
    let dir = std::env::temp_dir().join(format!("benches-callgrind-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(callgrind::CountError::Missing)?;
    let count = callgrind::count(&args, span, &dir);
    let _ = std::fs::remove_dir_all(&dir);
    count
}

/// Runs what these words name once and prints nothing: what runs under valgrind.
///
/// # Errors
/// Words that name nothing, and what the measurement says.
pub fn counted(words: &str, effort: &Effort) -> Result<(), Box<dyn std::error::Error>> {
    for venue in Venue::ALL {
        for care in Care::ALL {
            if words == fire_words(venue, care) {
                fire::fire(venue, 1, true, care)?;
                return Ok(());
            }
        }
    }
    let scenario = Scenario::parse(words).ok_or("--count: no such scenario")?;
    Ok(scenario.run(effort)?)
}

fn fire_words(venue: Venue, care: Care) -> String {
    format!("fire/{venue:?}/{care:?}")
}

/// Measures what `only` names, or everything.
///
/// # Errors
/// Frames or tapes that cannot be read.
pub fn run(effort: &Effort, only: Option<&str>) -> Result<Figures, Box<dyn std::error::Error>> {
    let mut figures = Figures::default();
    let host = HostFacts::gather(&HostRoot::real());
    figures.put(
        "host",
        json!({
            "cpu": host.cpu_model, "cores": host.cores_online, "kernel": host.kernel,
            "virtualisation": host.virtualisation, "target": "x86-64-v3",
        }),
    );
    figures.put("frames", if effort.recorded().is_some() { "recorded" } else { "generated" });
    if effort.recorded().is_none() {
        figures.note("the recorded frames are not here: frames like them were generated".into());
    }
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    if wanted("hot") {
        hot(effort, Form::Plain, "", &mut figures)?;
    }
    if wanted("mixed") {
        hot(effort, Form::Mixed, "mixed_", &mut figures)?;
    }
    if wanted("scale") {
        scale(effort, &mut figures)?;
    }
    if wanted("memory") {
        memory_of_pairs(effort, &mut figures);
    }
    if wanted("ring") {
        hop(effort, &mut figures);
    }
    if wanted("replay") {
        replays(effort, &mut figures)?;
    }
    if wanted("sign") {
        orders::signatures(effort, &mut figures);
    }
    if wanted("fire") {
        orders::firing(effort, &mut figures)?;
    }
    if wanted("wire") {
        orders::wire_to_wire(effort, &mut figures);
    }
    if wanted("matching") {
        markets::matched(effort, &mut figures);
    }
    Ok(figures)
}

/// Frame in, decision out, by venue; and the ordinary way beside it.
fn hot(
    effort: &Effort,
    form: Form,
    prefix: &str,
    figures: &mut Figures,
) -> Result<(), CorpusError> {
    let corpus = effort.corpus(form)?;
    for (feed, name, short) in
        [(Feed::Kalshi, "kalshi_delta", "kalshi"), (Feed::Poly, "poly_price_change", "poly")]
    {
        let scenario = Scenario { shipped: true, form, feed, scale: 0 };
        let name = format!("{prefix}{name}");
        let count = measure(effort, scenario, &name, figures, || Shipped::new(&corpus, feed));
        let baseline = Scenario { shipped: false, ..scenario };
        let prefix_baseline = format!("{prefix}baseline_{short}");
        measure(effort, baseline, &prefix_baseline, figures, || Ordinary::new(&corpus, feed));

        let mut case: Shipped<'_> = Shipped::new(&corpus, feed);
        measured_loop(&mut case, count);
        let pipeline = case.engine();
        let of = match feed {
            Feed::Kalshi => pipeline.kalshi.figures(),
            _ => pipeline.poly.figures(),
        };
        figures.ratio(
            &format!("{name}_fallback_percent"),
            100.0 * of.fallback as f64,
            (of.fast + of.fallback) as f64,
        );
        figures.put(&format!("{name}_edge_hash"), format!("{:016x}", case.result()));
        figures.count(&format!("{name}_decisions"), pipeline.out.bundles);
        let folded = match feed {
            Feed::Kalshi => fold::kalshi(&corpus, count),
            _ => fold::poly(&corpus, count),
        };
        figures.put(&format!("{prefix}top_fold_{short}"), folded);
    }
    Ok(())
}

/// Instructions, allocations and nanoseconds of one case; says how many messages it had.
fn measure<C: Case>(
    effort: &Effort,
    scenario: Scenario,
    name: &str,
    figures: &mut Figures,
    prepare: impl Fn() -> C,
) -> usize {
    let mut case = prepare();
    let count = effort.messages().min(case.len());
    let instructions = format!("{name}_instructions");
    match scenario.instructions(effort) {
        Ok(total) => figures.each(&instructions, total, count),
        Err(error) => figures.absent(&instructions, &error.to_string()),
    }
    let before = alloc::calls();
    measured_loop(&mut case, count);
    let calls = alloc::calls() - before;
    figures.each(&format!("{name}_allocations"), calls, count);
    let passes = Passes::run(effort.passes(), count, prepare);
    figures.each(&format!("{name}_ns"), passes.median(), count);
    figures.each(&format!("{name}_ns_least"), passes.least(), count);
    count
}

/// The same messages spread over few pairs and over many.
fn scale(effort: &Effort, figures: &mut Figures) -> Result<(), CorpusError> {
    for pairs in SCALE {
        let scenario =
            Scenario { shipped: true, form: Form::Plain, feed: Feed::Both, scale: pairs };
        let corpus = scenario.corpus(effort)?;
        let name = format!("scale_{pairs}_pairs");
        let prepare = || Shipped::new(&corpus, Feed::Both).warmed(scenario.warm_up());
        measure(effort, scenario, &name, figures, prepare);
    }
    let pair = |figures: &Figures, what: &str| {
        let of = |pairs: usize| figures.get(&format!("scale_{pairs}_pairs_{what}"));
        Some((of(SCALE[1])?, of(SCALE[0])?))
    };
    match pair(figures, "instructions") {
        Some((many, few)) => figures.ratio("scale_10k_over_10_instructions", many, few),
        None => figures.absent("scale_10k_over_10_instructions", "no instructions were counted"),
    }
    if let Some((many, few)) = pair(figures, "ns") {
        figures.ratio("scale_10k_over_10_ns", many, few);
    }
    Ok(())
}

fn memory_of_pairs(effort: &Effort, figures: &mut Figures) {
    for (name, grid) in [("1c", Grid::CENT), ("01c", Grid::DECI_CENT)] {
        figures.count(&format!("bytes_per_pair_{name}"), memory::bytes_per_pair(&grid) as u64);
        let pairs = if effort.quick { 500 } else { 2_000 };
        let plan = Plan { pairs, messages: 0, form: Form::Plain, seed: SEED, steady: true };
        let pairs = generate::corpus(plan).pairs;
        figures.count(&format!("heap_per_pair_{name}"), memory::heap_per_pair(&pairs, &grid));
    }
}

fn hop(effort: &Effort, figures: &mut Figures) {
    let (round_trips, rounds) = if effort.quick { (20_000, 3) } else { (100_000, 9) };
    match ring::measure(round_trips, rounds) {
        Ok(hops) => {
            figures.count("ring_hop_ns", hops.top_ns);
            figures.count("ring_hop_bare_ns", hops.bare_ns);
            figures.count("ring_hop_bare_word_ns", hops.bare_word_ns);
            figures.ratio("ring_hop_over_bare", hops.top_ns as f64, hops.bare_ns as f64);
            let word = hops.bare_word_ns as f64;
            figures.ratio("ring_hop_over_bare_word", hops.top_ns as f64, word);
        }
        Err(reason) => figures.absent("ring_hop_over_bare", &reason),
    }
}

fn replays(effort: &Effort, figures: &mut Figures) -> Result<(), Box<dyn std::error::Error>> {
    let mut tapes = replay::tapes_in(Path::new(TAPES_DIR));
    let demo =
        std::env::temp_dir().join(format!("benches-demo-{}.tape.jsonl.zst", std::process::id()));
    let generated = tapes.is_empty() || effort.data.is_none();
    if generated {
        figures.note("replay: on the demonstration tape, no recorded one is here".into());
        replay::write_demo(&demo, if effort.quick { 5 } else { 60 })?;
        tapes = vec![demo.clone()];
    }
    let rates = replay::measure(&tapes, if effort.quick { 2 } else { 5 });
    if generated {
        let _ = std::fs::remove_file(&demo);
    }
    let rates = rates?;
    let seconds = |rate: replay::Rate| rate.elapsed.as_secs_f64();
    let per_second = |rate: replay::Rate| (rate.frames as f64 / seconds(rate)) as u64;
    figures.count("replay_frames", rates.preloaded.frames);
    figures.count("replay_preloaded_frames_per_s", per_second(rates.preloaded));
    figures.count("parse_frames_per_s", per_second(rates.parse));
    figures.count("parse_owned_frames_per_s", per_second(rates.parse_owned));
    figures.count("replay_file_frames_per_s", per_second(rates.file));
    figures.count("unpack_frames_per_s", per_second(rates.unpack));
    let over = |figures: &mut Figures, name: &str, a: replay::Rate, b: replay::Rate| {
        figures.ratio(name, seconds(b), seconds(a)); // of the rates, so the times upside down
    };
    over(figures, "replay_preloaded_over_parse", rates.preloaded, rates.parse);
    over(figures, "replay_preloaded_over_parse_owned", rates.preloaded, rates.parse_owned);
    over(figures, "replay_file_over_unpack", rates.file, rates.unpack);
    let [fast, fallback] = rates.fast;
    figures.ratio("replay_fallback_percent", 100.0 * fallback as f64, (fast + fallback) as f64);
    Ok(())
}
