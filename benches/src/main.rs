//! `cargo run --release -p benches`: measures, and compares with the limits.

use std::path::PathBuf;
use std::process::ExitCode;

use benches::run::{self, BENCH_DIR, Effort};
use benches::{alloc, gate};
use clap::Parser;

#[global_allocator]
static HEAP: alloc::Counting = alloc::Counting;

/// Measure the shipped code on recorded frames: instructions, allocations, nanoseconds.
///
/// A message goes the whole way: frame text, session, book, the market's best four levels, the
/// core, and "nothing to do" out. The same job done with serde_json, sorted maps and string keys
/// is measured beside it. Instructions are counted by valgrind and repeat exactly; times are of
/// whole passes and depend on the machine and on what else it does.
#[derive(Parser)]
#[command(
    name = "benches",
    after_help = "Examples:
  cargo run --release -p benches
  cargo run --release -p benches -- --json > figures.json
  cargo run --release -p benches -- --only ring
  cargo run --release -p benches -- --quick --gate     what CI runs
  cargo bench -p benches                               one function at a time"
)]
struct Args {
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
    /// Small counts: a look, not a measurement.
    #[arg(long)]
    quick: bool,
    /// Exit with 1 where a figure that repeats exactly misses its limit or what it was before.
    #[arg(long)]
    gate: bool,
    /// Measure one thing.
    #[arg(long, value_parser = run::NAMES)]
    only: Option<String>,
    /// The folder of the recorded frames.
    #[arg(long, value_name = "DIR", default_value = BENCH_DIR, hide_default_value = true)]
    data: PathBuf,
    /// Generate frames though recorded ones are there.
    #[arg(long, conflicts_with = "data")]
    generated: bool,
    /// Run one scenario and print nothing: what runs under valgrind.
    #[arg(long, hide = true)]
    count: Option<String>,
}

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let data = (!args.generated).then(|| args.data.clone());
    let effort = Effort { data, quick: args.quick };
    if let Some(words) = &args.count {
        run::counted(words, &effort)?;
        return Ok(ExitCode::SUCCESS);
    }
    let figures = run::run(&effort, args.only.as_deref())?;
    let recorded = if effort.recorded().is_some() { &gate::RECORDED } else { &gate::GENERATED };
    let missed = figures.missed(recorded, gate::MARGIN);
    if args.json {
        println!("{}", figures.json());
    } else {
        print!("{}", figures.table());
    }
    if !args.gate || missed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for line in missed {
        eprintln!("gate: {line}");
    }
    Ok(ExitCode::FAILURE)
}
