//! Facts of the machine, read from `/proc` and `/sys` and never written; each may be absent.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::PathBuf;

use engine::pin::CoreList;
use serde::Serialize;

use crate::jitter::JitterSummary;

/// Longest file that is read: `/proc/interrupts` of a host with a thousand cores.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Where `proc` and `sys` hang: `/` on a real host, a directory of files in tests.
#[derive(Clone, Debug)]
pub struct HostRoot(PathBuf);

impl HostRoot {
    /// The machine this runs on.
    pub fn real() -> HostRoot {
        HostRoot(PathBuf::from("/"))
    }

    /// A directory that holds `proc` and `sys`.
    pub fn at(root: impl Into<PathBuf>) -> HostRoot {
        HostRoot(root.into())
    }

    /// A file's text without the white space around it; `None` where it is absent, unreadable or
    /// not text, because a host without it is no error.
    pub fn read(&self, path: &str) -> Option<String> {
        let file = fs::File::open(self.0.join(path)).ok()?;
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
        Some(text.trim().to_owned())
    }

    /// The value of the first `key : value` line of a file in that form.
    pub fn field(&self, path: &str, key: &str) -> Option<String> {
        let text = self.read(path)?;
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        })
    }

    /// A list of cores such as `0-3,8` from a file; `None` where it is absent or empty.
    pub fn cores(&self, path: &str) -> Option<CoreList> {
        self.read(path)?.parse().ok()
    }

    /// The processor's feature flags.
    pub fn cpu_flags(&self) -> Option<Vec<String>> {
        let flags = self.field("proc/cpuinfo", "flags")?;
        Some(flags.split_whitespace().map(str::to_owned).collect())
    }
}

/// What a report says of the machine and of how the run used it.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct HostFacts {
    /// Processor name; empty where unknown.
    pub cpu_model: String,
    /// Cores that are online; 0 where unknown.
    pub cores_online: usize,
    /// Cores that this process may use, such as `0-1`; empty where unknown.
    pub cores_allowed: String,
    /// Whether two threads share a core.
    pub smt: Option<bool>,
    /// Hypervisor name, or `none` on bare metal.
    pub virtualisation: Option<String>,
    /// Kernel release; empty where unknown.
    pub kernel: String,
    /// Memory in MiB; 0 where unknown.
    pub memory_mib: u64,
    /// Frequency governor of the first core.
    pub governor: Option<String>,
    /// The kernel's own clock source.
    pub kernel_clock: Option<String>,
    /// Cores that the scheduler leaves alone.
    pub isolated: Option<String>,
    /// Which thread was pinned where; the run says it.
    pub pinning: String,
    /// The idle policy with its reason; the run says it.
    pub idle: String,
    /// The clock that stamped the latencies; the run says it.
    pub clock: String,
    /// Interruptions seen by spinning threads before or after the run.
    pub jitter: Option<JitterSummary>,
}

impl fmt::Display for HostFacts {
    /// One line: what the figures of a run depend on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &str| if text.is_empty() { "?".to_owned() } else { text.to_owned() };
        let (model, kernel) = (or(&self.cpu_model), or(&self.kernel));
        write!(f, "host   {model}, kernel {kernel}, cores {} of ", or(&self.cores_allowed))?;
        match self.cores_online {
            0 => f.write_str("?")?,
            cores => write!(f, "{cores}")?,
        }
        for (name, value) in [
            ("governor", &self.governor),
            ("clock", &self.kernel_clock),
            ("virtualisation", &self.virtualisation),
        ] {
            if let Some(value) = value {
                write!(f, ", {name} {value}")?;
            }
        }
        Ok(())
    }
}

impl HostFacts {
    /// Reads what the host tells. `pinning`, `idle`, `clock` and `jitter` are left for the run.
    pub fn gather(root: &HostRoot) -> HostFacts {
        let memory_kib = root
            .field("proc/meminfo", "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        HostFacts {
            cpu_model: root.field("proc/cpuinfo", "model name").unwrap_or_default(),
            cores_online: root.cores("sys/devices/system/cpu/online").map_or(0, |c| c.len()),
            cores_allowed: root.field("proc/self/status", "Cpus_allowed_list").unwrap_or_default(),
            smt: smt(root),
            virtualisation: virtualisation(root),
            kernel: root.read("proc/sys/kernel/osrelease").unwrap_or_default(),
            memory_mib: memory_kib.unwrap_or(0) / 1_024,
            governor: root.read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            kernel_clock: root
                .read("sys/devices/system/clocksource/clocksource0/current_clocksource"),
            isolated: root.read("sys/devices/system/cpu/isolated").filter(|list| !list.is_empty()),
            ..HostFacts::default()
        }
    }
}

/// Whether any core runs two threads now.
pub fn smt(root: &HostRoot) -> Option<bool> {
    match root.read("sys/devices/system/cpu/smt/active")?.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

/// The hypervisor, as far as the machine admits to one; `none` where the processor says that it
/// is not a guest.
pub fn virtualisation(root: &HostRoot) -> Option<String> {
    let guest = root.cpu_flags()?.iter().any(|flag| flag == "hypervisor");
    if !guest {
        return Some("none".into());
    }
    let named = root
        .read("sys/hypervisor/type")
        .or_else(|| root.read("sys/class/dmi/id/sys_vendor"))
        .or_else(|| root.read("sys/class/dmi/id/product_name"))
        .filter(|name| !name.is_empty());
    Some(named.unwrap_or_else(|| "a hypervisor that gives no name".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_tells_nothing_is_no_error() {
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(HostFacts::gather(&HostRoot::at(empty.path())), HostFacts::default());
    }

    #[test]
    fn facts_come_from_the_files_of_the_kernel() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU: fast\nflags\t\t: tsc avx2\n");
        put("proc/meminfo", "MemTotal:       2048000 kB\n");
        put("sys/devices/system/cpu/online", "0-2,5\n");
        put("sys/devices/system/cpu/isolated", "\n");
        let facts = HostFacts::gather(&HostRoot::at(dir.path()));
        let line = facts.to_string();
        assert!(line.starts_with("host   ") && line.contains(&facts.kernel), "{line}");
        assert!(HostFacts::default().to_string().contains("host   ?, kernel ?"));
        assert_eq!(facts.cpu_model, "Some CPU: fast");
        assert_eq!((facts.memory_mib, facts.cores_online), (2_000, 4));
        assert_eq!(facts.virtualisation.as_deref(), Some("none"));
        assert_eq!(facts.isolated, None, "an empty list isolates nothing");
    }
}
