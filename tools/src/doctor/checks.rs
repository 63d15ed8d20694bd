//! The checks of `parallax doctor`, one function each. A file that is absent is `unknown`.

use engine::idle::Idle;
use engine::pin::CoreList;

use super::{Check, Verdict};
use crate::host::{self, HostRoot};

/// Instruction sets that x86-64-v3 adds, by the kernel's names; `abm` is its word for LZCNT.
const V3_FLAGS: [&str; 7] = ["avx2", "bmi1", "bmi2", "fma", "movbe", "abm", "f16c"];

/// Bytes of locked memory that books and rings of a large pair table take.
const MEMLOCK_BYTES_MIN: u64 = 1 << 30;

pub(super) fn all(
    root: &HostRoot,
    allowed: &CoreList,
    named: Option<&CoreList>,
    hot_threads: usize,
    impossible: Option<&str>,
) -> Vec<Check> {
    let hot = named.unwrap_or(allowed);
    vec![
        cores(root, allowed, hot, hot_threads, impossible),
        isolation(root, hot),
        ticks(root, hot),
        governor(root, hot),
        smt(root, hot),
        clock(root),
        huge_pages(root),
        memlock(root),
        interrupts(root, hot),
        steal(root),
        swap(root),
        preemption(root),
        virtualisation(root),
        instructions(root),
    ]
}

/// A check whose remedy is kept only where there is something to remedy.
fn check(
    name: &'static str,
    verdict: Verdict,
    seen: impl Into<String>,
    why: &'static str,
    remedy: &'static str,
) -> Check {
    let remedy = (verdict != Verdict::Good).then_some(remedy);
    Check { name, verdict, seen: seen.into(), why, remedy }
}

fn cores(
    root: &HostRoot,
    allowed: &CoreList,
    hot: &CoreList,
    hot_threads: usize,
    impossible: Option<&str>,
) -> Check {
    let online = root.cores("sys/devices/system/cpu/online");
    let online = online.map_or_else(|| "?".to_owned(), |list| list.len().to_string());
    let mut seen = format!("{online} online, this process may use {allowed}");
    let (idle, reason) = Idle::choose(allowed.len(), hot_threads);
    let mut verdict = if idle == Idle::Spin { Verdict::Good } else { Verdict::Warn };
    seen.push_str(&format!("; with {hot_threads} hot threads each {reason}"));
    if hot.len() < hot_threads {
        verdict = Verdict::Warn;
        seen.push_str(&format!("; they share cores {hot}"));
    }
    if let Some((quota_us, period_us)) = cpu_quota(root) {
        seen.push_str(&format!("; the cgroup grants {quota_us} us in each {period_us} us"));
        // A spinning thread uses its whole period, and is then stopped until the next one.
        if quota_us < period_us.saturating_mul(hot_threads.min(allowed.len()) as u64) {
            verdict = Verdict::Bad;
        }
    }
    if let Some(why) = impossible {
        (verdict, seen) = (Verdict::Bad, why.to_owned());
    }
    check(
        "cores",
        verdict,
        seen,
        "a hot thread without a core of its own waits for others, for milliseconds at times",
        "give the process one core for each hot thread and one more, without a CPU quota",
    )
}

/// The cgroup's CPU quota and its period in microseconds; `None` where unlimited or not told.
fn cpu_quota(root: &HostRoot) -> Option<(u64, u64)> {
    let own = root.read("proc/self/cgroup").and_then(|text| {
        let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?.to_owned();
        (!path.contains("..")).then_some(path)
    });
    let text = own
        .and_then(|path| root.read(&format!("sys/fs/cgroup/{path}/cpu.max")))
        .or_else(|| root.read("sys/fs/cgroup/cpu.max"))?;
    let (quota, period) = text.split_once(' ')?;
    Some((quota.parse().ok()?, period.trim().parse().ok()?))
}

fn isolation(root: &HostRoot, hot: &CoreList) -> Check {
    let isolated = root.cores("sys/devices/system/cpu/isolated").unwrap_or_default();
    let (verdict, seen) = if hot.check(&isolated).is_ok() {
        (Verdict::Good, format!("cores {hot} are isolated"))
    } else if isolated.is_empty() {
        (Verdict::Warn, "no core is isolated".to_owned())
    } else {
        (Verdict::Warn, format!("cores {isolated} are isolated, hot threads are meant for {hot}"))
    };
    check(
        "isolation",
        verdict,
        seen,
        "the scheduler puts other processes on a core that is not isolated, in front of a hot thread",
        "boot with isolcpus=LIST for the hot cores, or give them a cpuset of their own, and name them with --cores",
    )
}

fn ticks(root: &HostRoot, hot: &CoreList) -> Check {
    let (verdict, seen) = match root.read("sys/devices/system/cpu/nohz_full") {
        None => {
            (Verdict::Unknown, "the kernel does not say which cores run without ticks".to_owned())
        }
        Some(text) => match text.parse::<CoreList>() {
            Ok(list) if hot.check(&list).is_ok() => (Verdict::Good, format!("no ticks on {list}")),
            Ok(list) => {
                (Verdict::Warn, format!("no ticks on {list}, but hot threads are meant for {hot}"))
            }
            Err(_) => (Verdict::Warn, "every core takes timer ticks".to_owned()),
        },
    };
    check(
        "timer ticks",
        verdict,
        seen,
        "a timer tick interrupts a spinning thread 100 to 1,000 times a second, for some microseconds",
        "boot with nohz_full=LIST and rcu_nocbs=LIST for the hot cores",
    )
}

fn governor(root: &HostRoot, hot: &CoreList) -> Check {
    let of = |core: &usize| {
        root.read(&format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"))
    };
    let seen: Vec<(usize, String)> =
        hot.cores().iter().filter_map(|core| Some((*core, of(core)?))).collect();
    let (verdict, seen) = match seen.iter().find(|(_, governor)| governor != "performance") {
        _ if seen.is_empty() => (
            Verdict::Unknown,
            "no frequency control is visible (usual in a virtual machine)".to_owned(),
        ),
        None => (Verdict::Good, "performance".to_owned()),
        Some((core, governor)) => {
            (Verdict::Warn, format!("core {core} is governed by `{governor}`"))
        }
    };
    check(
        "governor",
        verdict,
        seen,
        "a core that saves power is slow for the first messages after a pause",
        "on the host: cpupower frequency-set -g performance",
    )
}

fn smt(root: &HostRoot, hot: &CoreList) -> Check {
    let (verdict, seen) = match host::smt(root) {
        None => (Verdict::Unknown, "the kernel does not say".to_owned()),
        Some(false) => (Verdict::Good, "no two threads share a core".to_owned()),
        Some(true) => {
            let shared: Vec<String> = hot
                .cores()
                .iter()
                .filter_map(|core| {
                    let path =
                        format!("sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
                    root.read(&path).filter(|list| *list != core.to_string())
                })
                .collect();
            let seen = match shared.first() {
                None => "on".to_owned(),
                Some(list) => format!("on; {list} share one core"),
            };
            (Verdict::Warn, seen)
        }
    };
    check(
        "SMT siblings",
        verdict,
        seen,
        "two threads on one core share its caches and units: each makes the other slower and less even",
        "leave the siblings of the hot cores idle, or turn SMT off: echo off > /sys/devices/system/cpu/smt/control",
    )
}

fn clock(root: &HostRoot) -> Check {
    let source = root.read("sys/devices/system/clocksource/clocksource0/current_clocksource");
    let invariant = root.cpu_flags().map(|flags| {
        ["constant_tsc", "nonstop_tsc"].iter().all(|want| flags.iter().any(|flag| flag == want))
    });
    let (verdict, seen) = match (source, invariant) {
        (None, None) => (Verdict::Unknown, "neither the kernel nor the processor says".to_owned()),
        (source, invariant) => {
            let named = source.clone().unwrap_or_else(|| "unknown".into());
            let verdict = match (named.as_str(), invariant) {
                ("tsc" | "kvm-clock" | "unknown", Some(true)) => Verdict::Good,
                ("hpet" | "acpi_pm" | "jiffies", _) => Verdict::Bad,
                (_, None) => Verdict::Unknown,
                _ => Verdict::Warn,
            };
            let tsc = match invariant {
                Some(true) => "the time stamp counter is invariant",
                Some(false) => "the time stamp counter is not invariant",
                None => "the processor does not say whether its counter is invariant",
            };
            (verdict, format!("the kernel uses {named}; {tsc}"))
        }
    };
    check(
        "clock",
        verdict,
        seen,
        "every stage is timed; a counter read takes 20 to 40 ns, a slow clock source microseconds",
        "use a processor with an invariant TSC and boot with clocksource=tsc tsc=reliable",
    )
}

fn huge_pages(root: &HostRoot) -> Check {
    let transparent = root.read("sys/kernel/mm/transparent_hugepage/enabled");
    let chosen = transparent
        .as_deref()
        .and_then(|text| text.split_once('[')?.1.split_once(']'))
        .map(|(chosen, _)| chosen);
    let reserved = root.field("proc/meminfo", "HugePages_Total").unwrap_or_else(|| "?".into());
    let verdict = match chosen {
        None => Verdict::Unknown,
        // `always` lets the kernel stop a thread to build a page at any time.
        Some("always") => Verdict::Warn,
        Some(_) => Verdict::Good,
    };
    let mode = chosen.unwrap_or("not told");
    check(
        "huge pages",
        verdict,
        format!("transparent: {mode}; reserved: {reserved}"),
        "with `always` the kernel may compact memory under a running thread, for milliseconds",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
    )
}

fn memlock(root: &HostRoot) -> Check {
    let limit = root.read("proc/self/limits").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
        line.split_whitespace().next().map(str::to_owned)
    });
    let (verdict, seen) = match limit {
        None => (Verdict::Unknown, "no limit is told".to_owned()),
        Some(limit) if limit == "unlimited" => (Verdict::Good, limit),
        Some(limit) => match limit.parse::<u64>() {
            Ok(bytes) if bytes >= MEMLOCK_BYTES_MIN => {
                (Verdict::Good, format!("{} MiB", bytes >> 20))
            }
            Ok(bytes) => (Verdict::Warn, format!("{} KiB", bytes >> 10)),
            Err(_) => (Verdict::Unknown, limit),
        },
    };
    check(
        "locked memory",
        verdict,
        seen,
        "memory that cannot be locked can be paged out, and reading it back takes milliseconds",
        "ulimit -l unlimited, or LimitMEMLOCK=infinity in the service",
    )
}

fn interrupts(root: &HostRoot, hot: &CoreList) -> Check {
    let (verdict, seen) =
        match root.read("proc/interrupts").as_deref().map(|text| device_interrupts(text, hot)) {
            None => (Verdict::Unknown, "not told".to_owned()),
            Some(devices) if devices.is_empty() => {
                (Verdict::Good, format!("no device has interrupted {hot} since boot"))
            }
            Some(mut devices) => {
                devices.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
                let total: u64 = devices.iter().map(|(count, _)| count).sum();
                let top: Vec<String> =
                    devices.iter().take(3).map(|(count, name)| format!("{name} {count}")).collect();
                (Verdict::Warn, format!("{total} on {hot} since boot: {}", top.join(", ")))
            }
        };
    check(
        "interrupts",
        verdict,
        seen,
        "an interrupt handler takes a hot core away for several microseconds",
        "stop irqbalance and write the other cores to /proc/irq/N/smp_affinity_list of these devices",
    )
}

/// Counts of device interrupts (numbered lines) on the hot cores, with the device's name.
fn device_interrupts(text: &str, hot: &CoreList) -> Vec<(u64, String)> {
    let mut lines = text.lines();
    let columns: Vec<usize> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|name| name.strip_prefix("CPU")?.parse().ok())
        .collect();
    let device = |line: &str| {
        let (irq, rest) = line.split_once(':')?;
        irq.trim().parse::<u32>().ok()?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let of = |(core, count): (&usize, &&str)| {
            if hot.cores().contains(core) { count.parse::<u64>().ok() } else { None }
        };
        let count = columns.iter().zip(&fields).filter_map(of).sum();
        Some((count, (*fields.last()?).to_owned()))
    };
    lines.filter_map(device).filter(|(count, _)| *count > 0).collect()
}

fn steal(root: &HostRoot) -> Check {
    let ticks: Option<Vec<u64>> = root.read("proc/stat").and_then(|text| {
        let line = text.lines().next()?.strip_prefix("cpu ")?.to_owned();
        line.split_whitespace().map(|n| n.parse().ok()).collect()
    });
    // Fields 0..8 are disjoint; guest time after them is counted in user time already.
    let (verdict, seen) = match ticks.as_deref() {
        Some(ticks) if ticks.len() >= 8 => {
            let total: u64 = ticks[..8].iter().sum();
            let ppm = u128::from(ticks[7]) * 1_000_000 / u128::from(total.max(1));
            let verdict = match ppm {
                0..100 => Verdict::Good,
                100..10_000 => Verdict::Warn,
                _ => Verdict::Bad,
            };
            (verdict, format!("{}.{:04} % of all time since boot", ppm / 10_000, ppm % 10_000))
        }
        _ => (Verdict::Unknown, "not told".to_owned()),
    };
    check(
        "steal",
        verdict,
        seen,
        "stolen time is when the hypervisor ran somebody else on our core: gaps of milliseconds",
        "use a dedicated host or an instance type with cores of its own",
    )
}

fn swap(root: &HostRoot) -> Check {
    let (verdict, seen) = match root.read("proc/swaps").map(|text| text.lines().count()) {
        None => (Verdict::Unknown, "not told".to_owned()),
        Some(0 | 1) => (Verdict::Good, "none".to_owned()),
        Some(lines) => (Verdict::Warn, format!("{} swap areas are in use", lines - 1)),
    };
    check(
        "swap",
        verdict,
        seen,
        "a page that was swapped out takes milliseconds to read back",
        "swapoff -a, or enough locked memory",
    )
}

fn preemption(root: &HostRoot) -> Check {
    let version = root.read("proc/version");
    // Without the debug file system the running mode of PREEMPT_DYNAMIC is not told.
    let mode = root.read("sys/kernel/debug/sched/preempt");
    let (verdict, seen) = match (version.as_deref(), mode) {
        (_, Some(mode)) => (Verdict::Good, mode),
        (None, None) => (Verdict::Unknown, "not told".to_owned()),
        (Some(text), None) if text.contains("PREEMPT_RT") => {
            (Verdict::Good, "PREEMPT_RT".to_owned())
        }
        (Some(text), None) if text.contains("PREEMPT_DYNAMIC") => {
            (Verdict::Good, "PREEMPT_DYNAMIC, chosen at boot".to_owned())
        }
        (Some(text), None) if text.contains("PREEMPT") => (Verdict::Good, "PREEMPT".to_owned()),
        (Some(_), None) => (Verdict::Good, "voluntary or none".to_owned()),
    };
    check(
        "preemption",
        verdict,
        seen,
        "on isolated cores the mode hardly matters; on shared ones a preemptible kernel answers sooner",
        "read /proc/version",
    )
}

fn virtualisation(root: &HostRoot) -> Check {
    let (verdict, seen) = match host::virtualisation(root) {
        None => (Verdict::Unknown, "the processor does not say".to_owned()),
        Some(name) if name == "none" => (Verdict::Good, "bare metal".to_owned()),
        Some(name) => (Verdict::Warn, format!("a guest of {name}")),
    };
    check(
        "virtualisation",
        verdict,
        seen,
        "a hypervisor can stop a whole core unseen, and a page fault costs twice",
        "bare metal, or a dedicated instance; `parallax jitter` shows what this one costs",
    )
}

fn instructions(root: &HostRoot) -> Check {
    let (verdict, seen) = match root.cpu_flags() {
        None => (Verdict::Unknown, "the processor does not say".to_owned()),
        Some(flags) => {
            let missing: Vec<&str> =
                V3_FLAGS.into_iter().filter(|want| !flags.iter().any(|f| f == want)).collect();
            match missing.as_slice() {
                [] => (Verdict::Good, "x86-64-v3 (AVX2, BMI2) is complete".to_owned()),
                some => (Verdict::Bad, format!("x86-64-v3 lacks {}", some.join(", "))),
            }
        }
    };
    check(
        "instruction set",
        verdict,
        seen,
        "the build uses these instructions and stops at the first one that is missing",
        "a processor of 2013 or later, or build with -C target-cpu=x86-64",
    )
}
