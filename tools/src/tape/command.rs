//! `parallax tape`: import, export, info, demo.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::error::TapeError;
use super::info::TapeInfo;
use super::reader::{TapeKind, TapeReader, Truncation};
use super::record::{Body, Record};
use super::writer::TapeWriter;
use crate::model::{MARKETS_MAX, MINUTES_MAX, Model, Options};
use crate::stdout;

/// Make, convert and look into tapes: recordings of what the venues' sockets said.
#[derive(Args, Debug)]
#[command(long_about = "\
Make, convert and look into tapes: recordings of what the venues' sockets said, frame by frame, \
each with the time at which it was received.

A tape has one of two forms, told by the end of its name. An .mcap holds the frames in chunks \
that are packed and checked by CRC; when its recorder is killed, it is readable up to the last \
whole chunk. A .jsonl (or .jsonl.zst) holds one JSON object a line, easy to read and to make:

  {\"recv_ns\":1795284000000000000,\"venue\":\"kalshi\",\"conn\":1,\"event\":\"connected\"}
  {\"recv_ns\":1795284000025000000,\"venue\":\"kalshi\",\"conn\":1,\"frame\":\"{\\\"type\\\":\\\"subscribed\\\"}\"}

Nothing is lost on the way from one form to the other.")]
pub struct TapeArgs {
    #[command(subcommand)]
    command: TapeCommand,
}

#[derive(Subcommand, Debug)]
enum TapeCommand {
    /// Convert a tape, usually lines of JSON into an .mcap.
    ///
    /// The output appears under its name only when it is whole; until then it is NAME.partial.
    /// If the input was cut off, what it holds is converted and the loss is reported.
    Import {
        /// The tape to read: .jsonl, .jsonl.zst or .mcap.
        #[arg(value_name = "IN")]
        input: PathBuf,
        /// The tape to write; the end of its name chooses the form.
        #[arg(short, long, value_name = "OUT")]
        output: PathBuf,
        /// Replace OUT where it exists.
        #[arg(long)]
        force: bool,
    },
    /// Write a tape as lines of JSON; `-o -` prints them.
    ///
    /// The lines of a tape that was imported come back byte for byte. For example, the times of
    /// all trades: parallax tape export day.mcap -o - | grep '"trade' | cut -c1-40
    Export {
        /// The tape to read: .mcap, .jsonl or .jsonl.zst.
        #[arg(value_name = "IN")]
        input: PathBuf,
        /// The file to write (.jsonl, .jsonl.zst), or - for standard output.
        #[arg(short, long, value_name = "OUT")]
        output: PathBuf,
        /// Replace OUT where it exists.
        #[arg(long)]
        force: bool,
    },
    /// Tell what is in a tape: counts by venue, connection and type, times, sizes.
    ///
    /// A type is the `type` or `event_type` of a message; an array of messages counts each of
    /// them, and text that is no JSON (PONG) counts as `text`. The whole tape is read, so this is
    /// also the way to check it.
    Info {
        /// The tape.
        #[arg(value_name = "TAPE")]
        input: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make a demonstration tape and the pair file that goes with it
    ///
    /// A seeded model of both venues quotes the same events; now and then one of them is late to
    /// move, and for some milliseconds YES here and NO there cost less than the dollar that they
    /// pay. The same seed gives the same tape on every machine. Try it:
    ///
    ///   parallax tape demo -o demo.mcap --pairs-out demo.pairs.toml
    ///   parallax replay demo.mcap --pairs demo.pairs.toml
    #[command(verbatim_doc_comment)]
    Demo {
        /// The tape to write; the end of its name chooses the form.
        #[arg(short, long, value_name = "OUT")]
        output: PathBuf,
        /// The pair file to write: which markets of the two venues are the same event.
        #[arg(long, value_name = "FILE.toml")]
        pairs_out: PathBuf,
        /// Chooses the story that the model tells.
        #[arg(long, default_value_t = Options::default().seed)]
        seed: u64,
        /// Length of the tape in minutes.
        #[arg(long, default_value_t = Options::default().minutes, value_parser = clap::value_parser!(u32).range(1..=i64::from(MINUTES_MAX)))]
        minutes: u32,
        /// Number of markets, each on both venues.
        #[arg(long, default_value_t = Options::default().markets as u64, value_parser = clap::value_parser!(u64).range(1..=MARKETS_MAX as u64))]
        markets: u64,
        /// Replace the two files where they exist.
        #[arg(long)]
        force: bool,
    },
}

/// Runs `parallax tape`.
///
/// # Errors
/// [`TapeError`], whose text names the file, the place and the remedy.
pub fn run(args: &TapeArgs) -> Result<(), TapeError> {
    match &args.command {
        TapeCommand::Import { input, output, force } => {
            let writer = TapeWriter::create(output, *force)?;
            copy(input, writer).map(|records| eprintln!("{}: {records} records", output.display()))
        }
        TapeCommand::Export { input, output, .. } if output == Path::new("-") => {
            let out = BufWriter::with_capacity(256 << 10, io::stdout());
            match copy(input, TapeWriter::lines_to(Box::new(out), "standard output")) {
                // Who reads us may stop when he has seen enough, as `head` does.
                Err(TapeError::Write { reason, .. }) if reason.kind() == ErrorKind::BrokenPipe => {
                    Ok(())
                }
                done => done.map(drop),
            }
        }
        TapeCommand::Export { input, output, force } => {
            if TapeKind::of(output)? == TapeKind::Container {
                return Err(TapeError::ExportEnding { path: output.clone() });
            }
            let writer = TapeWriter::create(output, *force)?;
            copy(input, writer).map(|records| eprintln!("{}: {records} records", output.display()))
        }
        TapeCommand::Info { input, json } => info(input, *json),
        TapeCommand::Demo { output, pairs_out, seed, minutes, markets, force } => {
            let options = Options { seed: *seed, minutes: *minutes, markets: *markets as usize };
            make_demo(output, pairs_out, options, *force)
        }
    }
}

/// Tells of a tail that could not be read, on standard error; every subcommand that reads tapes
/// does so.
pub fn warn_truncated(path: &Path, cut: Truncation) {
    eprintln!(
        "warning: {}: cut off at byte {}: {} bytes behind it could not be read; all before them was",
        path.display(),
        cut.at,
        cut.lost
    );
}

/// Copies all records and completes the output, which is given up on an error.
fn copy(input: &Path, mut writer: TapeWriter) -> Result<u64, TapeError> {
    let mut left_out = 0u64;
    let copied = TapeReader::open(input).and_then(|mut tape| {
        let bar = progress(tape.bytes_total());
        while tape.advance()? {
            match tape.current() {
                Some(Record { body: Body::Mark(..), .. }) if writer.is_lines() => left_out += 1,
                Some(record) => writer.write(&record)?,
                None => {}
            }
            if writer.records().is_multiple_of(1_024) {
                bar.set_position(tape.bytes_read());
            }
        }
        bar.finish_and_clear();
        Ok(tape.truncated())
    });
    match copied {
        Ok(cut) => {
            let records = writer.records();
            if left_out > 0 {
                eprintln!(
                    "{left_out} marks of the run that recorded itself have no form as lines and were left out"
                );
            }
            writer.finish()?;
            if let Some(cut) = cut {
                warn_truncated(input, cut);
            }
            Ok(records)
        }
        Err(error) => {
            writer.discard();
            Err(error)
        }
    }
}

fn info(input: &Path, json: bool) -> Result<(), TapeError> {
    let mut tape = TapeReader::open(input)?;
    let bar = progress(tape.bytes_total());
    let info = TapeInfo::read(&mut tape, |bytes| bar.set_position(bytes))?;
    bar.finish_and_clear();
    let text = match json {
        // Numbers, strings and maps with string keys cannot fail to be JSON.
        true => serde_json::to_string_pretty(&info).unwrap_or_default() + "\n",
        false => info.to_string(),
    };
    stdout::print(&text)
        .map_err(|reason| TapeError::Write { path: PathBuf::from("standard output"), reason })
}

/// Writes the demonstration tape and its pair file.
///
/// # Errors
/// Where either cannot be written, or exists and `force` is false.
pub fn make_demo(
    output: &Path,
    pairs_out: &Path,
    options: Options,
    force: bool,
) -> Result<(), TapeError> {
    let fail = |reason| TapeError::Write { path: pairs_out.to_owned(), reason };
    if !force && pairs_out.exists() {
        return Err(TapeError::Exists { path: pairs_out.to_owned() });
    }
    let mut writer = TapeWriter::create(output, force)?;
    let model = Model::new(options);
    let pairs = model.pairs_toml();
    if let Err(error) = model.run(&mut |record| writer.write(record)) {
        writer.discard();
        return Err(error);
    }
    let records = writer.records();
    let mut file = OpenOptions::new();
    file.write(true);
    if force {
        file.create(true).truncate(true)
    } else {
        file.create_new(true)
    };
    let written = file.open(pairs_out).and_then(|mut file| file.write_all(pairs.as_bytes()));
    if let Err(reason) = written {
        writer.discard();
        return Err(fail(reason));
    }
    writer.finish()?;
    let Options { seed, minutes, markets } = options;
    eprintln!(
        "{}: {records} records, {minutes} minutes of {markets} markets on both venues, seed {seed}",
        output.display()
    );
    eprintln!("{}: {markets} pairs", pairs_out.display());
    Ok(())
}

/// A bar on a terminal, nothing elsewhere.
fn progress(bytes_total: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:40} {percent:>3} % of {total_bytes}, {eta} left");
    let bar = ProgressBar::new(bytes_total);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
