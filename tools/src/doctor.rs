//! `parallax doctor`: what of this host helps a low-latency engine or hurts it, and what to do.

mod checks; // one function a question

use std::process::ExitCode;

use clap::Args;
use engine::pin::CoreList;
use serde::Serialize;

use crate::config::{Grouping, IdleChoice, Threads};
use crate::host::HostRoot;
use crate::stdout;
use crate::topology::{self, LivePlan, Plan};

/// Options of `parallax doctor`.
#[derive(Args, Clone, Debug, Default)]
#[command(
    about = "Say what of this host helps or hurts, and what to do about it",
    long_about = "Say what of this host helps or hurts a low-latency engine.\n\nEach line has a \
                  verdict, what was seen, why it matters, and a remedy. Nothing is changed: the \
                  command only reads /proc and /sys. A warning is no error, because Parallax runs \
                  on any x86-64-v3 Linux host; it tells where the slowest moments come from. The \
                  exit code is 1 only where something asked for is impossible, such as pinning \
                  to a core that is not there."
)]
pub struct DoctorArgs {
    /// The cores meant for the hot threads, such as 2-4: the checks then look at these.
    #[arg(long, value_name = "LIST")]
    pub cores: Option<CoreList>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Works, with slower moments.
    Warn,
    /// Expect trouble, or something asked for is impossible.
    Bad,
    /// The host does not tell.
    Unknown,
}

impl Verdict {
    /// The lower-case word.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Good => "good",
            Verdict::Warn => "warn",
            Verdict::Bad => "bad",
            Verdict::Unknown => "unknown",
        }
    }
}

/// One answered question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do; `None` where there is nothing to do.
    pub remedy: Option<&'static str>,
}

/// The whole examination.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Examination {
    /// The threads, rings and cores of the engine, printed first.
    pub topology: Option<String>,
    /// Every check, in a fixed order.
    pub checks: Vec<Check>,
    /// What was asked for and cannot be; the exit code is then 1.
    pub impossible: Option<String>,
}

/// Examines the host under `root` for a process that may use `allowed`, with `hot` as the cores
/// of its `hot_threads`; all allowed ones where `None`.
pub fn examine(
    root: &HostRoot,
    allowed: &CoreList,
    hot: Option<&CoreList>,
    hot_threads: usize,
) -> Examination {
    let impossible = hot.and_then(|hot| hot.check(allowed).err()).map(|e| e.to_string());
    let checks = checks::all(root, allowed, hot, hot_threads, impossible.as_deref());
    Examination { topology: None, checks, impossible }
}

/// Runs `parallax doctor` on this machine, for a run that trades with what the configuration says
/// where it says nothing.
pub fn run(args: &DoctorArgs) -> ExitCode {
    let allowed = CoreList::allowed();
    let cores = args.cores.as_ref();
    let threads =
        Threads { grouping: Grouping::Auto, cores: args.cores.clone(), idle: IdleChoice::Auto };
    let live = LivePlan::new(&threads, true);
    let replay =
        Plan::replay(topology::Grouping::Pinned, args.cores.as_ref().unwrap_or(&allowed), true);
    let mut found = examine(&HostRoot::real(), &allowed, cores, LivePlan::TILES);
    found.topology = Some(format!("A run that trades:\n{live}\n\nA replay, pinned:\n{replay}"));
    let text = match args.json {
        true => format!("{:#}\n", serde_json::json!(found)),
        false => text(&found),
    };
    if let Err(error) = stdout::print(&text) {
        eprintln!("error: standard output: {error}");
        return ExitCode::FAILURE;
    }
    match &found.impossible {
        None => ExitCode::SUCCESS,
        Some(why) => {
            eprintln!("error: --cores: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The examination for people.
pub fn text(found: &Examination) -> String {
    let mut out = String::new();
    if let Some(topology) = &found.topology {
        out.push_str(&format!("{}\n\n", topology.trim_end()));
    }
    let wide = found.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in &found.checks {
        out.push_str(&format!(
            "{:<7}  {:<wide$}  {}\n",
            check.verdict.name(),
            check.name,
            check.seen
        ));
        // A good line needs no lecture; the JSON has the reasons of all.
        if check.verdict != Verdict::Good {
            let indent = 7 + 2 + wide + 2;
            out.push_str(&format!("{:indent$}why: {}\n", "", check.why));
            if let Some(remedy) = check.remedy {
                out.push_str(&format!("{:indent$}do:  {remedy}\n", ""));
            }
        }
    }
    let count = |verdict| found.checks.iter().filter(|check| check.verdict == verdict).count();
    out.push_str(&format!(
        "\n{} good, {} to improve, {} bad, {} unknown. `parallax jitter` measures what remains.\n",
        count(Verdict::Good),
        count(Verdict::Warn),
        count(Verdict::Bad),
        count(Verdict::Unknown)
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(files: &[(&str, &str)], allowed: &str, hot: Option<&str>) -> Examination {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let hot: Option<CoreList> = hot.map(|list| list.parse().unwrap());
        examine(&HostRoot::at(dir.path()), &allowed.parse().unwrap(), hot.as_ref(), 2)
    }

    fn verdicts(found: &Examination) -> Vec<(&'static str, Verdict)> {
        found.checks.iter().map(|check| (check.name, check.verdict)).collect()
    }

    const TUNED: &[(&str, &str)] = &[
        (
            "proc/cpuinfo",
            "processor : 0\nmodel name : X\nflags : avx2 bmi1 bmi2 fma movbe lzcnt abm f16c constant_tsc nonstop_tsc\n",
        ),
        ("proc/meminfo", "HugePages_Total: 512\nHugePages_Free: 500\nHugepagesize: 2048 kB\n"),
        (
            "proc/self/limits",
            "Limit  Soft  Hard  Units\nMax locked memory         unlimited            unlimited            bytes     \n",
        ),
        (
            "proc/interrupts",
            "           CPU0       CPU1       CPU2       CPU3\n 24:   900  0  0  0  IO-APIC 5-edge eth0\nLOC: 5 6 7 8 Local timer interrupts\n",
        ),
        ("proc/stat", "cpu  1000 0 100 9000 0 0 0 0 0 0\n"),
        ("proc/swaps", "Filename Type Size Used Priority\n"),
        ("proc/version", "Linux version 6.8 (x) #1 SMP PREEMPT_RT\n"),
        ("sys/devices/system/cpu/online", "0-3\n"),
        ("sys/devices/system/cpu/isolated", "2-3\n"),
        ("sys/devices/system/cpu/nohz_full", "2-3\n"),
        ("sys/devices/system/cpu/smt/active", "0\n"),
        ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance\n"),
        ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance\n"),
        ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
        ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
    ];

    #[test]
    fn a_tuned_host_is_good_throughout() {
        let found = on(TUNED, "0-3", Some("2-3"));
        let not_good: Vec<_> =
            found.checks.iter().filter(|check| check.verdict != Verdict::Good).collect();
        assert!(not_good.is_empty(), "{not_good:#?}");
        assert_eq!(found.impossible, None);
    }

    #[test]
    fn each_thing_that_hurts_is_named_with_a_remedy() {
        for (path, text, name, want) in [
            (
                "proc/cpuinfo",
                "flags : bmi2 constant_tsc nonstop_tsc\n",
                "instruction set",
                Verdict::Bad,
            ),
            ("proc/cpuinfo", "flags : avx2 bmi1 bmi2 fma movbe abm f16c\n", "clock", Verdict::Warn),
            ("proc/cpuinfo", "flags : avx2 hypervisor\n", "virtualisation", Verdict::Warn),
            ("proc/meminfo", "HugePages_Total: 0\n", "huge pages", Verdict::Good),
            (
                "sys/kernel/mm/transparent_hugepage/enabled",
                "[always] madvise never\n",
                "huge pages",
                Verdict::Warn,
            ),
            (
                "proc/self/limits",
                "Max locked memory  8388608  8388608  bytes\n",
                "locked memory",
                Verdict::Warn,
            ),
            (
                "proc/interrupts",
                "  CPU0 CPU1 CPU2 CPU3\n 24: 0 0 77 0 IO-APIC eth0\n",
                "interrupts",
                Verdict::Warn,
            ),
            ("proc/stat", "cpu  1000 0 100 8000 0 0 0 900 0 0\n", "steal", Verdict::Bad),
            (
                "proc/swaps",
                "Filename Type Size Used Priority\n/dev/sda2 partition 999 0 -2\n",
                "swap",
                Verdict::Warn,
            ),
            ("sys/devices/system/cpu/isolated", "\n", "isolation", Verdict::Warn),
            ("sys/devices/system/cpu/isolated", "3\n", "isolation", Verdict::Warn),
            ("sys/devices/system/cpu/nohz_full", " (null)\n", "timer ticks", Verdict::Warn),
            (
                "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor",
                "powersave\n",
                "governor",
                Verdict::Warn,
            ),
            (
                "sys/devices/system/clocksource/clocksource0/current_clocksource",
                "hpet\n",
                "clock",
                Verdict::Bad,
            ),
            ("sys/devices/system/cpu/smt/active", "1\n", "SMT siblings", Verdict::Warn),
            ("sys/fs/cgroup/cpu.max", "150000 100000\n", "cores", Verdict::Bad),
        ] {
            let mut files: Vec<_> = TUNED.iter().copied().filter(|(p, _)| *p != path).collect();
            files.push((path, text));
            let found = on(&files, "0-3", Some("2-3"));
            let check = found.checks.iter().find(|check| check.name == name).unwrap();
            assert_eq!(check.verdict, want, "{path}: {check:?}");
            assert_eq!(check.remedy.is_some(), want != Verdict::Good, "{check:?}");
        }
    }

    #[test]
    fn a_host_that_tells_nothing_is_unknown_and_possible() {
        let found = on(&[], "0", None);
        assert_eq!(found.impossible, None);
        for (name, verdict) in verdicts(&found) {
            let known = ["cores", "isolation"].contains(&name);
            assert!(known || verdict == Verdict::Unknown, "{name}: {verdict:?}");
        }
    }

    #[test]
    fn a_core_that_is_not_there_is_impossible() {
        let found = on(TUNED, "0-1", Some("9"));
        let why = found.impossible.clone().unwrap();
        assert!(why.contains("core 9") && why.contains("0-1"), "{why}");
        assert_eq!(verdicts(&found)[0], ("cores", Verdict::Bad));
        let found = on(TUNED, "0-3", Some("3"));
        assert_eq!(found.impossible, None);
        assert_eq!(verdicts(&found)[0], ("cores", Verdict::Warn), "two threads share a core");
    }

    #[test]
    fn the_topology_comes_first() {
        let mut found = on(TUNED, "0-3", Some("2-3"));
        found.topology = Some("feed --> core\n".into());
        assert!(text(&found).starts_with("feed --> core\n\ngood "), "{}", text(&found));
    }
}
