//! Decisions and opportunities as lines of JSON, written while the replay runs.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use engine::event::{Closed, Decision, Miss};
use engine::pair::PairTable;
use engine::top::{Levels, Top};
use serde_json::{Value, json};

/// A file of JSON lines.
pub struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    /// An empty file at that path, replacing what was there.
    pub fn create(path: &Path) -> io::Result<Lines> {
        Ok(Lines { path: path.to_owned(), file: BufWriter::new(File::create(path)?) })
    }

    /// Adds a line.
    pub fn add(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.file, "{value}")
    }

    /// Writes what is still held back.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A decision with all that led to it. Prices and sizes are decimal text, money is micro-dollars.
pub fn decision(table: &PairTable, decision: &Decision) -> Value {
    let bundle = &decision.bundle;
    let pair = table.get(bundle.pair);
    let direction = pair.map(|pair| bundle.direction.name(pair.polarity));
    let leg = |at: usize| {
        let leg = &bundle.legs[at];
        json!({
            "venue": leg.market.venue().name(),
            "outcome": leg.outcome.name(),
            "best_price": decision.best[at].to_string(),
            "limit_price": leg.limit.to_string(),
            "order_qty": leg.qty.to_string(),
            "expected_qty": leg.expected.to_string(),
            "cost_micro_usd": leg.cost.e6(),
            "fee_micro_usd": leg.fee.e6(),
        })
    };
    json!({
        "recv_ns": decision.at.0,
        "bundle": bundle.id.0,
        "pair": pair.map(|pair| pair.id.as_str()),
        "direction": direction,
        "legs": [leg(0), leg(1)],
        "qty": decision.qty.to_string(),
        "edge_micro_usd": decision.edge.e6(),
        "profit_micro_usd": decision.profit.e6(),
        "books": { "kalshi": top(&decision.tops[0]), "polymarket": top(&decision.tops[1]) },
    })
}

fn top(top: &Top) -> Value {
    let side = |levels: Levels| -> Vec<[String; 2]> {
        levels.iter().map(|(px, qty)| [px.to_string(), qty.to_string()]).collect()
    };
    json!({
        "health": top.health.name(),
        "generation": top.generation,
        "recv_ns": top.recv.0,
        "yes_bids": side(top.bids()),
        "yes_asks": side(top.asks()),
    })
}

/// Whether an order taking effect so much later would still have found an opportunity.
pub fn still_there(closed: &Closed, latency_ms: u64) -> bool {
    latency_ms == 0 || u128::from(closed.lived.0) > u128::from(latency_ms) * 1_000_000
}

/// An opportunity from the frame that opened it to the one that closed it.
pub fn opportunity(table: &PairTable, closed: &Closed, latencies_ms: &[u64]) -> Value {
    let pair = table.get(closed.pair);
    let found: serde_json::Map<String, Value> =
        latencies_ms.iter().map(|ms| (ms.to_string(), json!(still_there(closed, *ms)))).collect();
    json!({
        "pair": pair.map(|pair| pair.id.as_str()),
        "direction": pair.map(|pair| closed.direction.name(pair.polarity)),
        "first_seen_ns": closed.opened.0,
        "lived_ns": closed.lived.0,
        "peak_edge_micro_usd": closed.peak_edge.e6(),
        "peak_qty": closed.peak_size.to_string(),
        "missed": closed.missed.map(Miss::name),
        "opened_by": closed.opened_by.name(),
        "closed_by": closed.closed_by.name(),
        "evaluations": closed.seen,
        "found_after_ms": found,
    })
}
