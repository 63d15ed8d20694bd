//! The report of a run: its opportunities and latencies as the same page that a replay leaves.

use std::path::{Path, PathBuf};

use engine::event::{Closed, Event};
use engine::latency::StageHistogram;
use engine::pair::PairTable;

use super::summary::Summary;
use crate::host::{HostFacts, HostRoot};
use crate::report::{self, Episode, ReportError, RunReport, Seconds, StageLatency};

/// Opportunities that are kept for the page; a run of days has more.
const EPISODES_MAX: usize = 100_000;

/// What the page needs of the events.
#[derive(Default)]
pub struct Journal {
    closed: Vec<Closed>,
    first: Option<u64>,
}

impl Journal {
    /// Takes in an event.
    pub fn take(&mut self, event: &Event) {
        if let Event::OpportunityFound(opened) = event {
            self.first.get_or_insert(opened.at.0);
        }
        if let Event::OpportunityClosed(closed) = event
            && self.closed.len() < EPISODES_MAX
        {
            self.closed.push(*closed);
        }
    }

    fn episodes(&self, table: &PairTable) -> Vec<Episode> {
        let episode = |closed: &Closed| {
            let pair = table.pairs().get(closed.pair.index())?;
            Some(Episode {
                pair: pair.id.clone(),
                direction: closed.direction.name(pair.polarity).to_owned(),
                opened_ns: closed.opened.0,
                lived_ns: closed.lived.0,
                peak_edge_micro_usd: closed.peak_edge.e6(),
                peak_qty_e2: closed.peak_size.e2(),
                opened_by: closed.opened_by.name().to_owned(),
                closed_by: closed.closed_by.name().to_owned(),
                still_there: Vec::new(),
            })
        };
        self.closed.iter().filter_map(episode).collect()
    }
}

/// Writes the report into `dir` and says where its page is.
///
/// # Errors
/// [`ReportError`]
pub fn write(
    dir: &Path,
    title: &str,
    summary: &Summary,
    journal: &Journal,
    table: &PairTable,
    stages: &[(&str, &StageHistogram)],
    notes: Vec<String>,
) -> Result<PathBuf, ReportError> {
    let stages = stages.iter().filter(|(_, histogram)| !histogram.is_empty());
    let report = RunReport {
        title: title.to_owned(),
        tapes: summary.tape.iter().cloned().collect(),
        // Integers, texts and maps of them always have a JSON form.
        summary: serde_json::to_value(summary).unwrap_or_default(),
        stages: stages
            .map(|(name, histogram)| StageLatency {
                name: (*name).to_owned(),
                raw: histogram.raw().clone(),
                corrected: None,
            })
            .collect(),
        throughput: Vec::new(),
        throughput_clock: Seconds::Run,
        started_ns: journal.first.unwrap_or_default(),
        episodes: journal.episodes(table),
        host: HostFacts::gather(&HostRoot::real()),
        notes,
    };
    report::write(dir, &report)
}
