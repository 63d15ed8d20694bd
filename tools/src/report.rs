//! What a run leaves behind for people and for other tools: tables, HdrHistogram files, a page.

pub mod figures; // which numbers of the summary matter, and what they mean
pub mod text; // the short summary on a terminal
pub mod percentiles; // the table of percentiles
pub mod hgrm; // percentile distributions for the public plotter
pub mod hlog; // the V2 interval log
mod svg; // charts
mod html; // the page

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hdrhistogram::Histogram;

use crate::host::HostFacts;

/// Everything that a report shows. A replay fills it, and a live run may.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// What was run, such as `Replay of worldcup_mexico_england`.
    pub title: String,
    /// Names of the tapes that were read, in order.
    pub tapes: Vec<String>,
    /// The final `--json` object; known keys become headlines, and all of it `summary.json`.
    pub summary: serde_json::Value,
    /// Stages in the order in which a message meets them; those without a value are left out.
    pub stages: Vec<StageLatency>,
    /// Frames by second: (seconds since the first frame, frames in that second), ascending.
    /// Seconds without a frame may be missing.
    pub throughput: Vec<(u64, u64)>,
    /// Which clock the seconds of `throughput` are of.
    pub throughput_clock: Seconds,
    /// When the run's first frame was received, in the unit and origin of `Episode::opened_ns`.
    pub started_ns: u64,
    /// Opportunities, in any order.
    pub episodes: Vec<Episode>,
    /// The machine.
    pub host: HostFacts,
    /// What a reader must know to judge the figures; one sentence each.
    pub notes: Vec<String>,
}

/// Whose seconds a throughput is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seconds {
    /// When the frames were received and recorded.
    Tape,
    /// When this run handled them.
    Run,
}

/// Latencies of one stage, in nanoseconds.
#[derive(Clone, Debug)]
pub struct StageLatency {
    /// Stage name: letters, digits, `_` and `-`, because files and log tags carry it.
    pub name: String,
    /// As measured.
    pub raw: Histogram<u64>,
    /// Corrected for coordinated omission, with the expected interval in nanoseconds.
    pub corrected: Option<(Histogram<u64>, u64)>,
}

/// One opportunity, from the frame that opened it to the one that closed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Episode {
    /// Pair id.
    pub pair: String,
    /// What would be bought where.
    pub direction: String,
    /// Receive time of the frame that opened it, in nanoseconds.
    pub opened_ns: u64,
    /// How long it lived, in nanoseconds.
    pub lived_ns: u64,
    /// Best net edge while it lived, in micro-dollars a contract.
    pub peak_edge_micro_usd: i64,
    /// Largest size while it lived, in 1e-2 contract.
    pub peak_qty_e2: u64,
    /// The venue whose move opened it.
    pub opened_by: String,
    /// The venue whose move closed it; empty where the run ended first.
    pub closed_by: String,
    /// (milliseconds of latency, whether an order taking effect so much later still found it).
    pub still_there: Vec<(u64, bool)>,
}

impl Episode {
    /// Peak edge times peak size in micro-dollars: an upper bound of what it was worth.
    pub fn worth_micro_usd(&self) -> i64 {
        let worth = i128::from(self.peak_edge_micro_usd) * i128::from(self.peak_qty_e2) / 100;
        i64::try_from(worth).unwrap_or(if worth < 0 { i64::MIN } else { i64::MAX })
    }
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or the directory could not be written.
    #[error("report: cannot write {}: {source}", path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A stage name that cannot be a file name and a log tag.
    #[error("report: stage name `{0}` may hold letters, digits, `_` and `-` only")]
    StageName(String),
    /// Two stages of one name would overwrite each other's files.
    #[error("report: two stages are named `{0}`")]
    StageTwice(String),
    /// The interval log could not be made.
    #[error("report: latency.hlog: {0}")]
    Log(String),
}

/// Makes the folder of a report that a long run will fill, so that a wrong path fails before the
/// run and not behind it.
///
/// # Errors
/// Where the folder cannot be made.
pub fn prepare(dir: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(dir).map_err(|source| ReportError::Write { path: dir.to_owned(), source })
}

/// Writes the whole report into `dir`, which is made where absent. Returns the page's path.
///
/// Files: `report.html`, `summary.json`, `percentiles.txt`, `latency.hlog`, and for each stage
/// `STAGE.hgrm` and, where corrected, `STAGE.corrected.hgrm`. Existing ones are replaced.
///
/// # Errors
/// On the first file that cannot be written, and on unusable stage names.
pub fn write(dir: &Path, report: &RunReport) -> Result<PathBuf, ReportError> {
    let stages: Vec<&StageLatency> = report.measured().collect();
    for (at, stage) in stages.iter().enumerate() {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if stage.name.is_empty() || !stage.name.bytes().all(plain) {
            return Err(ReportError::StageName(stage.name.clone()));
        }
        if stages[..at].iter().any(|other| other.name == stage.name) {
            return Err(ReportError::StageTwice(stage.name.clone()));
        }
    }

    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ReportError::Write { path, source }
    };
    prepare(dir)?;
    let put = |name: &str, text: &str| {
        let path = dir.join(name);
        fs::write(&path, text).map_err(failed(&path))
    };
    put("percentiles.txt", &percentiles::table(&stages))?;
    for stage in &stages {
        put(&format!("{}.hgrm", stage.name), &hgrm::distribution(&stage.raw))?;
        if let Some((corrected, _)) = &stage.corrected {
            put(&format!("{}.corrected.hgrm", stage.name), &hgrm::distribution(corrected))?;
        }
    }
    put("latency.hlog", &hlog::interval_log(report)?)?;
    put("summary.json", &format!("{:#}\n", report.summary))?;
    put("report.html", &html::page(report))?;
    Ok(dir.join("report.html"))
}

impl RunReport {
    /// The stages that recorded anything.
    pub fn measured(&self) -> impl Iterator<Item = &StageLatency> {
        self.stages.iter().filter(|stage| !stage.raw.is_empty())
    }
}

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_directory_of_files() {
        let dir = tempfile::tempdir().unwrap();
        let page = write(&dir.path().join("new/report"), &sample::report()).unwrap();
        let mut names: Vec<String> = fs::read_dir(page.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let want = [
            "decision.hgrm",
            "decode.corrected.hgrm",
            "decode.hgrm",
            "hop.hgrm",
            "latency.hlog",
            "percentiles.txt",
            "report.html",
            "summary.json",
            "total.corrected.hgrm",
            "total.hgrm",
        ];
        assert_eq!(names, want, "a stage without a value leaves no file");
        if let Some(keep) = option_env!("PARALLAX_SAMPLE_REPORT") {
            write(Path::new(keep), &sample::report()).unwrap();
        }
    }

    #[test]
    fn a_stage_name_cannot_leave_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["../up", "", "a b", "a,b"] {
            let mut report = sample::report();
            report.stages[0].name = name.into();
            let error = write(dir.path(), &report).unwrap_err();
            assert!(matches!(error, ReportError::StageName(_)), "{error}");
        }
        let mut report = sample::report();
        report.stages[0].name = report.stages[1].name.clone();
        assert!(matches!(write(dir.path(), &report), Err(ReportError::StageTwice(_))));
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("taken");
        fs::write(&file, "").unwrap();
        let error = write(&file, &sample::report()).unwrap_err();
        assert!(error.to_string().contains("taken"), "{error}");
        let error = prepare(&file).unwrap_err();
        assert!(error.to_string().contains("taken"), "{error}");
    }
}
