//! How often the host takes a core away from a thread that never rests: gaps between reads of
//! the time stamp counter.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use engine::clock::{Clock, TscClock};
use engine::latency::StageHistogram;
use engine::pin::{CoreList, pin_current};
use serde::Serialize;

use crate::report::figures::{grouped, span};
use crate::stdout;

/// Gaps above this are interruptions: no read of the counter takes so long by itself.
pub const GAP_NS: u64 = 5_000;

/// Longest run of `parallax jitter`.
const SECONDS_MAX: u64 = 3_600;

/// Options of `parallax jitter`.
#[derive(Args, Clone, Debug)]
#[command(
    about = "Measure how often the host interrupts a core",
    long_about = "Measure how often the host interrupts a core.\n\nA thread pinned to each core \
                  reads the processor's time stamp counter as fast as it can. Two reads are 20 to \
                  40 ns apart; a longer gap means that something else had the core: an interrupt, \
                  another process, or the hypervisor. No program on that core can answer faster \
                  than the longest gap, so this is the floor under every latency figure.\n\nThe \
                  cores are fully busy while it runs: do not run it beside a live engine."
)]
pub struct JitterArgs {
    /// How long to watch each core, in seconds (1 to 3600).
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    pub seconds: u64,
    /// Cores to watch, such as 0,2-3; all that this process may use where absent.
    #[arg(long, value_name = "LIST")]
    pub cores: Option<CoreList>,
    /// Watch one core after the other. All together show what pinned engine threads would see;
    /// one at a time leaves the other cores to take the host's own work.
    #[arg(long)]
    pub one_at_a_time: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// What was seen on all cores.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct JitterSummary {
    /// True where all cores were watched at the same time, false for one after the other.
    pub together: bool,
    /// Gaps above this many nanoseconds are counted.
    pub threshold_ns: u64,
    /// Core by core, in the order asked for.
    pub cores: Vec<CoreJitter>,
}

/// Gaps between two reads of the counter on one core, in nanoseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CoreJitter {
    /// The core.
    pub core: usize,
    /// Whether the thread was pinned there; where not, the figures are of any core.
    pub pinned: bool,
    /// How long it was watched.
    pub observed_ns: u64,
    /// Reads of the counter.
    pub samples: u64,
    /// Half of the gaps are at most this.
    pub p50_ns: u64,
    /// 99 % of the gaps are at most this.
    pub p99_ns: u64,
    /// 99.9 % of the gaps are at most this.
    pub p999_ns: u64,
    /// 99.99 % of the gaps are at most this.
    pub p9999_ns: u64,
    /// The longest gap.
    pub max_ns: u64,
    /// Gaps above the threshold.
    pub gaps: u64,
    /// The time in gaps above the threshold.
    pub lost_ns: u64,
}

impl CoreJitter {
    /// Gaps above the threshold in a second, in thousandths.
    pub fn gaps_per_s_e3(&self) -> u64 {
        let per = u128::from(self.gaps) * 1_000_000_000_000 / u128::from(self.observed_ns.max(1));
        u64::try_from(per).unwrap_or(u64::MAX)
    }
}

/// Watches every core this process may use, all together, for `duration`: the report's probe.
pub fn probe(duration: Duration) -> JitterSummary {
    watch(&CoreList::allowed(), duration, true)
}

/// Watches `cores` for `duration` each.
pub fn watch(cores: &CoreList, duration: Duration, together: bool) -> JitterSummary {
    let clock = TscClock::new();
    let start = |core: usize| {
        let clock = clock.clone();
        thread::spawn(move || watch_one(core, &clock, duration))
    };
    let done = |handle: thread::JoinHandle<CoreJitter>| handle.join().ok();
    let cores = if together {
        let handles: Vec<_> = cores.cores().iter().map(|&core| start(core)).collect();
        handles.into_iter().filter_map(done).collect()
    } else {
        cores.cores().iter().filter_map(|&core| done(start(core))).collect()
    };
    JitterSummary { together, threshold_ns: GAP_NS, cores }
}

fn watch_one(core: usize, clock: &TscClock, duration: Duration) -> CoreJitter {
    let pinned = pin_current(core).is_ok();
    let mut gaps = StageHistogram::new();
    let until_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let (mut over, mut lost_ns) = (0, 0);
    let start = clock.raw();
    let mut last = start;
    loop {
        let now = clock.raw();
        let gap_ns = clock.delta_ns(last, now);
        last = now;
        gaps.record(gap_ns);
        if gap_ns > GAP_NS {
            over += 1;
            lost_ns += gap_ns;
        }
        if clock.delta_ns(start, now) >= until_ns {
            break;
        }
    }
    let at = |quantile| gaps.raw().value_at_quantile(quantile);
    CoreJitter {
        core,
        pinned,
        observed_ns: clock.delta_ns(start, last),
        samples: gaps.len(),
        p50_ns: at(0.5),
        p99_ns: at(0.99),
        p999_ns: at(0.999),
        p9999_ns: at(0.9999),
        max_ns: gaps.raw().max(),
        gaps: over,
        lost_ns,
    }
}

/// Runs `parallax jitter`: exit code 1 where a core that was asked for is not there.
pub fn run(args: &JitterArgs) -> ExitCode {
    let allowed = CoreList::allowed();
    let cores = args.cores.clone().unwrap_or_else(|| allowed.clone());
    if let Err(error) = cores.check(&allowed) {
        eprintln!("error: --cores {cores}: {error}");
        return ExitCode::FAILURE;
    }
    if cores.is_empty() {
        eprintln!(
            "error: the system does not say which cores this process may use; name them with --cores"
        );
        return ExitCode::FAILURE;
    }
    let together = !args.one_at_a_time;
    if !args.json {
        let how = if together { "all together" } else { "one at a time" };
        eprintln!("watching cores {cores} {how} for {} s ...", args.seconds);
    }
    let summary = watch(&cores, Duration::from_secs(args.seconds), together);
    let text = match args.json {
        true => format!("{}\n", serde_json::json!(summary)),
        false => table(&summary),
    };
    match stdout::print(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: standard output: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The summary as a table for people.
pub fn table(summary: &JitterSummary) -> String {
    let how = if summary.together { "all cores together" } else { "one core at a time" };
    let mut out = format!(
        "Gaps between two reads of the time stamp counter, {how}; over = above {}\n\n\
         {:>5} {:>9} {:>14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>9}\n",
        span(summary.threshold_ns),
        "core",
        "watched",
        "reads",
        "p50",
        "p99",
        "p99.9",
        "p99.99",
        "longest",
        "over/s",
        "lost"
    );
    for core in &summary.cores {
        let per_s = core.gaps_per_s_e3();
        let lost_ppm = u128::from(core.lost_ns) * 1_000_000 / u128::from(core.observed_ns.max(1));
        out.push_str(&format!(
            "{:>5} {:>9} {:>14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>9}{}\n",
            core.core,
            span(core.observed_ns),
            grouped(core.samples.cast_signed()),
            span(core.p50_ns),
            span(core.p99_ns),
            span(core.p999_ns),
            span(core.p9999_ns),
            span(core.max_ns),
            format!("{}.{}", per_s / 1_000, per_s % 1_000 / 100),
            format!("{}.{:03} %", lost_ppm / 10_000, lost_ppm % 10_000 / 10),
            if core.pinned { "" } else { "  not pinned" },
        ));
    }
    out.push_str(
        "\nlongest: no program on that core answers faster in its worst moment.\n\
         over/s and lost: how often, and for which share of the time, something else had the core.\n\
         To improve: isolate the cores, move interrupts away, and see `parallax doctor`.\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_watches_every_allowed_core_for_its_time() {
        let summary = probe(Duration::from_millis(20));
        assert_eq!(summary.cores.len(), CoreList::allowed().len());
        for core in &summary.cores {
            assert!(core.observed_ns >= 20_000_000 && core.samples > 1_000, "{core:?}");
            assert!(core.p50_ns <= core.p99_ns && core.p9999_ns <= core.max_ns, "{core:?}");
            assert!(core.gaps == 0 || core.lost_ns >= core.gaps * GAP_NS, "{core:?}");
        }
        assert!(table(&summary).contains("all cores together"));
    }

    #[test]
    fn rates_are_of_the_time_watched() {
        let mut summary = crate::report::sample::report().host.jitter.unwrap();
        let core = &mut summary.cores[0];
        (core.gaps, core.observed_ns) = (61, 200_000_000);
        assert_eq!(core.gaps_per_s_e3(), 305_000);
        core.observed_ns = 0;
        assert!(core.gaps_per_s_e3() > 0, "no division by zero");
    }

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: JitterArgs,
    }

    #[test]
    fn a_run_is_bounded() {
        use clap::Parser;
        let parse = |seconds: &str| Cli::try_parse_from(["jitter", "--seconds", seconds]);
        assert_eq!(parse("3600").ok().unwrap().args.seconds, 3_600);
        assert!(parse("3601").is_err() && parse("0").is_err());
    }
}
