//! `parallax demo`: a market that needs no key and no network, from tape to report.

use std::path::PathBuf;

use clap::{Args, Parser};

use crate::model::Options;
use crate::replay::command::{self as replay, ReplayError};
use crate::replay::options::ReplayArgs;
use crate::tape::command::make_demo;
use crate::topology::Grouping;

/// Watch Parallax find and take arbitrage on a market that it makes up itself.
///
/// A seeded model of both venues quotes the same six events for ten minutes. Now and then one
/// venue is late to move, and for some milliseconds YES here and NO there cost less than the
/// dollar that one of them must pay. The model writes what both venues' sockets would have sent
/// to a tape; the tape is played through the shipped engine; what it decided is filled on paper.
/// No key, no network, no account: everything stays in one folder.
#[derive(Args, Clone, Debug)]
#[command(after_help = "It leaves in the folder:
  demo.mcap               what the sockets said
  demo.pairs.toml         which markets of the two venues are the same event
  decisions.jsonl         each decision, with the books that led to it
  missed.jsonl            each opportunity: how long it lived, who opened and closed it
  report/report.html      the page to open in a browser")]
pub struct DemoArgs {
    /// The folder to write; what an earlier demo left there is replaced.
    #[arg(long, value_name = "DIR", default_value = "parallax-demo")]
    pub dir: PathBuf,
    /// Chooses the story that the model tells.
    #[arg(long, default_value_t = Options::default().seed)]
    pub seed: u64,
    /// All tiles on one thread, or a pinned thread a tile.
    #[arg(long, value_enum, default_value_t = Grouping::Single)]
    pub topology: Grouping,
}

#[derive(Parser)]
struct Replay {
    #[command(flatten)]
    args: ReplayArgs,
}

/// Runs `parallax demo`.
///
/// # Errors
/// As of a replay, and where the folder cannot be written.
pub fn run(args: &DemoArgs) -> Result<(), ReplayError> {
    let dir = &args.dir;
    std::fs::create_dir_all(dir)
        .map_err(|source| ReplayError::File { path: dir.clone(), source })?;
    let at = |name: &str| dir.join(name);
    let options = Options { seed: args.seed, ..Options::default() };
    make_demo(&at("demo.mcap"), &at("demo.pairs.toml"), options, true)?;
    let mut words: Vec<std::ffi::OsString> = vec!["replay".into(), at("demo.mcap").into()];
    for (option, name) in [
        ("--pairs", "demo.pairs.toml"),
        ("--decisions", "decisions.jsonl"),
        ("--miss-log", "missed.jsonl"),
        ("--report", "report"),
    ] {
        words.extend([option.into(), at(name).into()]);
    }
    let mut replay = Replay::try_parse_from(words).unwrap_or_else(|error| error.exit());
    replay.args.topology = args.topology;
    replay::run(&replay.args)?;
    eprintln!(
        "\nNext: open {} in a browser, look into {} and {},\n\
         or play the tape again your own way:\n  \
         parallax replay {} --pairs {} --min-profit 0.01 --topology pinned",
        at("report/report.html").display(),
        at("decisions.jsonl").display(),
        at("missed.jsonl").display(),
        at("demo.mcap").display(),
        at("demo.pairs.toml").display(),
    );
    Ok(())
}
