//! `parallax match-eval`: how good the match decision is, by pairs that people have labelled.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use matching::alias::Aliases;
use matching::evaluate::{Confusion, Figures, Row, Split, evaluate, rows};
use matching::matcher::Matcher;
use serde_json::{Value, json};

/// Measure the match decision on labelled pairs.
///
/// Reads JSON lines: kalshi_id, polymarket_id, kalshi_title, polymarket_title, label (true_match or
/// false_match), polarity (aligned, inverted, unknown), and where there are any kalshi_rules,
/// polymarket_rules, kalshi_close_time, polymarket_close_time, kalshi_subtitle. Fields may be empty.
/// A file that ends in .zst is unpacked.
///
/// Every row is judged as discovery would judge it. Precision: of the pairs called one contract, how
/// many are labelled so. Recall: of those labelled so, how many are called so. Where the rules of a
/// side are missing, the gate's verdict is needs-review at best.
///
/// The two halves: a row is `tuned` where the first byte of the SHA-256 of its two ids and two
/// titles, joined by newlines, is even; rules and thresholds were made with those rows alone. The
/// others are `held-out`.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct MatchEvalArgs {
    /// JSON lines of labelled pairs.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Which half of the rows.
    #[arg(long, value_enum, default_value = "all")]
    split: SplitArg,
    /// A file of further names (`parallax pairs alias add` writes it).
    #[arg(long, value_name = "FILE")]
    aliases: Option<PathBuf>,
    /// One JSON object on standard output; with `--split all` it holds both halves too.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SplitArg {
    All,
    Tuned,
    HeldOut,
}

impl From<SplitArg> for Split {
    fn from(split: SplitArg) -> Split {
        match split {
            SplitArg::All => Split::All,
            SplitArg::Tuned => Split::Tuned,
            SplitArg::HeldOut => Split::HeldOut,
        }
    }
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum MatchEvalError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no labelled pair.
    #[error("{}: {source}", path.display())]
    Row {
        /// Which file.
        path: PathBuf,
        /// Which line, and why.
        source: matching::evaluate::RowError,
    },
    /// A line of the names cannot be read.
    #[error("{}: {source}", path.display())]
    Alias {
        /// Which file.
        path: PathBuf,
        /// Which line, and why.
        source: matching::alias::AliasError,
    },
    /// There is nothing to measure.
    #[error("{}: no labelled pair is in it{of}", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
        /// Of which half, where one was asked for.
        of: &'static str,
    },
    /// Standard output is gone.
    #[error("writing the figures: {0}")]
    Output(#[from] io::Error),
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read, or a line of it that makes no sense.
pub fn run(args: &MatchEvalArgs) -> Result<(), MatchEvalError> {
    let text = read(&args.labels)?;
    let rows =
        rows(&text).map_err(|source| MatchEvalError::Row { path: args.labels.clone(), source })?;
    let aliases = match &args.aliases {
        None => Aliases::builtin(),
        Some(path) => Aliases::with(&read(path)?)
            .map_err(|source| MatchEvalError::Alias { path: path.clone(), source })?,
    };
    let matcher = Matcher::new(aliases);
    let split = Split::from(args.split);
    let figures = evaluate(&matcher, &rows, split);
    if figures.rows == 0 {
        let of = match args.split {
            SplitArg::All => "",
            SplitArg::Tuned => " that belongs to the tuned half",
            SplitArg::HeldOut => " that belongs to the held-out half",
        };
        return Err(MatchEvalError::Empty { path: args.labels.clone(), of });
    }
    let halves = match split {
        Split::All => {
            [Split::Tuned, Split::HeldOut].map(|half| evaluate(&matcher, &rows, half)).to_vec()
        }
        _ => Vec::new(),
    };
    let text =
        if args.json { as_json(&figures, &halves) } else { as_text(&rows, &figures, &halves) };
    crate::stdout::print(&text)?;
    Ok(())
}

fn read(path: &Path) -> Result<String, MatchEvalError> {
    let file = |source| MatchEvalError::File { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(file)?;
    let bytes = match path.extension().is_some_and(|end| end == "zst") {
        true => zstd::decode_all(bytes.as_slice()).map_err(file)?,
        false => bytes,
    };
    String::from_utf8(bytes).map_err(|e| file(io::Error::new(io::ErrorKind::InvalidData, e)))
}

/// The figures of the split, and below `splits` those of both halves.
fn as_json(figures: &Figures, halves: &[Figures]) -> String {
    let mut value = json!(figures);
    if let Some(object) = value.as_object_mut() {
        let name = |half: &Figures| json!(half.split).as_str().unwrap_or_default().to_owned();
        let halves: serde_json::Map<String, Value> =
            halves.iter().map(|half| (name(half), json!(half))).collect();
        if !halves.is_empty() {
            object.insert("splits".to_owned(), Value::Object(halves));
        }
    }
    format!("{value:#}\n")
}

fn as_text(rows: &[Row], figures: &Figures, halves: &[Figures]) -> String {
    let mut out = format!(
        "{} rows\n\n{:<10}{:>6}{:>7}{:>7}{:>11}{:>9}{:>10}{:>10}{:>10}\n",
        rows.len(),
        "split",
        "rows",
        "true",
        "false",
        "precision",
        "recall",
        "wrongly",
        "missed",
        "polarity"
    );
    for half in std::iter::once(figures).chain(halves) {
        let share = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.4}"));
        let name = json!(half.split);
        out.push_str(&format!(
            "{:<10}{:>6}{:>7}{:>7}{:>11}{:>9}{:>10}{:>10}{:>10}\n",
            name.as_str().unwrap_or_default(),
            half.rows,
            half.labelled_true,
            half.labelled_false,
            share(half.precision),
            share(half.recall),
            half.false_positives,
            half.false_negatives,
            half.polarity_errors,
        ));
    }
    out.push_str("\nverdicts of the gate\n");
    for (of, counts) in &figures.verdicts {
        let list: Vec<String> =
            counts.iter().map(|(verdict, n)| format!("{n} {verdict}")).collect();
        out.push_str(&format!("{of:<14}{}\n", list.join(", ")));
    }
    if figures.confusions.is_empty() {
        out.push_str("\nno label is contradicted\n");
    }
    for confusion in &figures.confusions {
        out.push_str(&explained(confusion));
    }
    out
}

fn explained(c: &Confusion) -> String {
    let mut out = format!(
        "\n{} {} (label {} {}, decided {}, evidence {})\n  Kalshi      {}\n  Polymarket  {}\n",
        c.kalshi_id,
        c.polymarket_id,
        c.label,
        c.label_polarity,
        c.decided,
        c.score,
        c.kalshi_title,
        c.polymarket_title
    );
    for why in &c.because {
        out.push_str(&format!("  {why}\n"));
    }
    out
}
