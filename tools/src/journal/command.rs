//! `parallax journal`.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use engine::event::{Feedback, Report};
use engine::top::MarketId;
use exec::journal::files::Files;
use exec::journal::fold::State;
use exec::journal::reader::{self, Verdict, Verified};
use exec::journal::record::Name;
use exec::journal::{Record, frame};
use serde_json::{Value, json};

use super::prune::{Fate, Pruned, prune};
use crate::stdout;

/// Between two looks of `tail`.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// So much is printed at once.
const PRINT_BYTES: usize = 64 << 10;

/// Verify, show, follow or shorten the journal of an engine.
///
/// The journal holds what may be sent, what was sent and what was heard, and is what an engine
/// starts from. A torn tail is what a crash leaves, and the next start cuts it off. Damage before
/// that keeps live trading from starting.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax journal verify parallax-demo/journal
  parallax journal show parallax-demo/journal --last 20
  parallax journal tail parallax-journal --json
  parallax journal prune parallax-journal --keep-days 30 --move-to journal-archive

Exit code: 0 when the journal is whole or its tail is torn, 1 when it is damaged or cannot be read.")]
pub struct JournalArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// Check every length, checksum, sequence number and link of the chain, and say what is known
    /// at its end.
    Verify(DirArgs),
    /// Print the records, one a line.
    Show(ShowArgs),
    /// Print records as they are written, until Ctrl-C.
    Tail(DirArgs),
    /// Let go of old runs. The last run stays, and what is left still verifies.
    Prune(PruneArgs),
}

#[derive(Args, Clone, Debug)]
struct DirArgs {
    /// The journal's folder.
    #[arg(value_name = "DIR", default_value = "parallax-journal")]
    dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Clone, Debug)]
struct PruneArgs {
    #[command(flatten)]
    dir: DirArgs,
    /// What was written in so many days stays.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    keep_days: u32,
    /// Move the segments into this folder of the same disk instead of deleting them; they verify
    /// there by themselves.
    #[arg(long, value_name = "FOLDER")]
    move_to: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
struct ShowArgs {
    #[command(flatten)]
    dir: DirArgs,
    /// Only the last so many.
    #[arg(long, value_name = "COUNT")]
    last: Option<usize>,
}

/// Why a journal is not shown.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It is not there, or cannot be read.
    #[error("{}: {reason}", dir.display())]
    Read {
        /// Its folder.
        dir: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is damaged.
    #[error("{}: damaged: see above. Nobody may trade on what is left of it", dir.display())]
    Damaged {
        /// Its folder.
        dir: PathBuf,
    },
    /// Standard output.
    #[error(transparent)]
    Print(#[from] std::io::Error),
}

/// Runs `parallax journal`.
///
/// # Errors
/// [`JournalError`]
pub fn run(args: &JournalArgs) -> Result<(), JournalError> {
    match &args.what {
        What::Verify(args) => verify(args),
        What::Show(args) => show(&args.dir, args.last),
        What::Tail(args) => tail(args),
        What::Prune(args) => shorten(args),
    }
}

fn read(dir: &Path, take: &mut dyn FnMut(u64, &Record)) -> Result<Verified, JournalError> {
    on(dir, &Verified::EMPTY, take)
}

/// Reads on from where an earlier reading ended.
fn on(
    dir: &Path,
    from: &Verified,
    take: &mut dyn FnMut(u64, &Record),
) -> Result<Verified, JournalError> {
    let fail = |reason: String| JournalError::Read { dir: dir.to_owned(), reason };
    if !dir.is_dir() {
        return Err(fail("there is no such folder".to_owned()));
    }
    let mut files = Files::open(dir).map_err(|error| fail(error.to_string()))?;
    let found = reader::read_on(&mut files, from, take).map_err(|error| fail(error.to_string()))?;
    match found.segments {
        0 => Err(fail("there is no journal in it".to_owned())),
        _ => Ok(found),
    }
}

fn shorten(args: &PruneArgs) -> Result<(), JournalError> {
    let PruneArgs { dir: DirArgs { dir, json }, keep_days, move_to } = args;
    read(dir, &mut |_, _| {})?;
    let keep = Duration::from_secs(86_400 * u64::from(*keep_days));
    let fate = move_to.clone().map_or(Fate::Delete, Fate::Move);
    let gone = prune(dir, keep, SystemTime::now(), &fate)
        .map_err(|reason| JournalError::Read { dir: dir.clone(), reason })?;
    let Pruned { segments, bytes, first } = gone;
    let done = if move_to.is_some() { "moved" } else { "deleted" };
    let text = match json {
        true => json!({ "segments": segments, "bytes": bytes, "first": first }).to_string(),
        false => {
            format!("{done} {segments} segments, {bytes} bytes; it begins with segment {first}")
        }
    };
    stdout::print(&format!("{text}\n"))?;
    Ok(())
}

fn judged(dir: &Path, found: &Verified) -> Result<(), JournalError> {
    match found.verdict {
        Verdict::Damaged(_) => Err(JournalError::Damaged { dir: dir.to_owned() }),
        Verdict::Whole | Verdict::Torn => Ok(()),
    }
}

fn verify(args: &DirArgs) -> Result<(), JournalError> {
    let mut state = State::default();
    let found = read(&args.dir, &mut |_, record| state.take(record))?;
    let text = if args.json { told(&found, &state).to_string() } else { words(&found, &state) };
    stdout::print(&format!("{text}\n"))?;
    judged(&args.dir, &found)
}

fn verdict(found: &Verified) -> (&'static str, Option<String>) {
    match found.verdict {
        Verdict::Whole => ("whole", None),
        Verdict::Torn => ("torn", None),
        Verdict::Damaged(damage) => ("damaged", Some(damage.to_string())),
    }
}

fn hex(chain: &frame::Chain) -> String {
    chain.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn told(found: &Verified, state: &State) -> Value {
    let ledgers = state.ledgers();
    let (verdict, why) = verdict(found);
    json!({
        "verdict": verdict,
        "damage": why,
        "records": found.records,
        "last": found.last,
        "chain": hex(&found.chain),
        "segments": found.segments,
        "segment": found.segment,
        "end": found.end,
        "rest": found.rest,
        "run": state.run,
        "ended": state.ended,
        "orders": state.orders.len(),
        "open": state.open().count(),
        "unknown": state.open().filter(|known| known.unknown).count(),
        "contradictions": state.contradictions,
        "matched_micro_usd": ledgers.matched.map(engine::units::Usd::e6),
        "settled_micro_usd": ledgers.settled.map(engine::units::Usd::e6),
        "at_risk_micro_usd": ledgers.at_risk.map(engine::units::Usd::e6),
    })
}

fn words(found: &Verified, state: &State) -> String {
    let Verified { records, segments, segment, end, rest, last, .. } = *found;
    let end = match verdict(found) {
        ("whole", _) => "whole".to_owned(),
        ("torn", _) => format!(
            "torn after record {last} (segment {segment}, byte {end}): {rest} bytes of a commit \
             that was never confirmed; the next start cuts them off"
        ),
        (_, why) => format!(
            "DAMAGED after record {last} (segment {segment}, byte {end}): {}",
            why.unwrap_or_default()
        ),
    };
    let ledgers = state.ledgers();
    let run = match state.run {
        None => "none".to_owned(),
        Some(_) if state.ended => "ended in order".to_owned(),
        Some(_) => "did not end in order, or goes on".to_owned(),
    };
    let pair = |name: &str, of: [engine::units::Usd; 2]| format!("{name} {} + {}", of[0], of[1]);
    format!(
        "journal     {end}\nrecords     {records} in {segments} segments, chain {}\nlast run    {run}\n\
         orders      {} sent, {} not ended, {} of unknown fate, {} contradictions\n\
         cash        {}, {}, {}",
        hex(&found.chain),
        state.orders.len(),
        state.open().count(),
        state.open().filter(|known| known.unknown).count(),
        state.contradictions,
        pair("matched", ledgers.matched),
        pair("settled", ledgers.settled),
        pair("at risk", ledgers.at_risk),
    )
}

/// A record as a line.
fn line(seq: u64, record: &Record, json: bool) -> String {
    let text = described(record);
    let kind = text.split([' ', '(']).next().unwrap_or_default();
    match json {
        true => json!({ "seq": seq, "kind": kind, "record": text }).to_string(),
        false => format!("{seq:>9}  {text}"),
    }
}

/// A record in words: names as text, everything else field by field. No record holds a secret.
fn described(record: &Record) -> String {
    let text = |name: &Name| String::from_utf8_lossy(name.as_bytes()).into_owned();
    let place = |market: &MarketId| format!("{} market {}", market.venue(), market.index());
    match record {
        Record::Market { market, name } => format!("Market {} is {}", place(market), text(name)),
        Record::Token { market, outcome, name } => {
            format!("Token {} of {} is {}", outcome.name(), place(market), text(name))
        }
        Record::Cash { venue, cash } => format!("Cash {cash} at {venue}"),
        Record::Held { market, outcome, e6 } => {
            format!("Held {e6} millionths of {} in {}", outcome.name(), place(market))
        }
        Record::Differs { venue, what, ours, theirs, taken } => {
            let taken = if *taken { ", taken over" } else { "" };
            format!("Differs {venue} {}: we {ours}, the venue {theirs}{taken}", text(what))
        }
        Record::Said { wall, text: words } => {
            format!("Said at {} s: {}", wall.0 / 1_000_000_000, text(words))
        }
        Record::Heard(Feedback::Report(report)) => {
            let Report { bundle, leg, kind, .. } = report;
            format!("Heard of bundle {} leg {leg} at {}: {kind:?}", bundle.0, place(&report.market))
        }
        other => format!("{other:?}"),
    }
}

/// Lines on their way out, some at a time: a journal is longer than memory is wide.
struct Lines {
    text: String,
    failed: std::io::Result<()>,
}

impl Lines {
    const fn new() -> Lines {
        Lines { text: String::new(), failed: Ok(()) }
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        if self.text.len() >= PRINT_BYTES {
            self.print();
        }
    }

    fn print(&mut self) {
        if self.failed.is_ok() && !self.text.is_empty() {
            self.failed = stdout::print(&self.text);
        }
        self.text.clear();
    }

    fn end(mut self) -> std::io::Result<()> {
        self.print();
        self.failed
    }
}

fn show(args: &DirArgs, last: Option<usize>) -> Result<(), JournalError> {
    let (mut lines, mut kept) = (Lines::new(), std::collections::VecDeque::new());
    let found = read(&args.dir, &mut |seq, record| match last {
        None => lines.push(&line(seq, record, args.json)),
        Some(last) => {
            if kept.len() >= last.max(1) {
                kept.pop_front();
            }
            kept.push_back((seq, *record));
        }
    })?;
    kept.iter().for_each(|(seq, record)| lines.push(&line(*seq, record, args.json)));
    lines.end()?;
    if let ("damaged", why) = verdict(&found) {
        eprintln!("damaged after record {}: {}", found.last, why.unwrap_or_default());
    }
    judged(&args.dir, &found)
}

fn tail(args: &DirArgs) -> Result<(), JournalError> {
    // What is there already is read once and not shown.
    let mut found = read(&args.dir, &mut |_, _| {})?;
    let mut doubted = matches!(found.verdict, Verdict::Damaged(_));
    loop {
        std::thread::sleep(LOOK_EVERY);
        let mut text = String::new();
        let now = on(&args.dir, &found, &mut |seq, record| {
            text.push_str(&line(seq, record, args.json));
            text.push('\n');
        })?;
        // What is being written while it is read may look torn, and once even damaged.
        if let Err(error) = judged(&args.dir, &now) {
            if doubted {
                return Err(error);
            }
            doubted = true;
            continue;
        }
        doubted = false;
        found = now;
        if !text.is_empty() {
            stdout::print(&text)?;
        }
    }
}
