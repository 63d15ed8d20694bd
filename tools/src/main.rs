//! The `parallax` binary: one subcommand a job.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use parallax::account::balances::{self, BalancesArgs};
use parallax::account::order::{self, OrderArgs};
use parallax::account::positions::{self, PositionsArgs};
use parallax::chaos::command::{self as chaos, ChaosArgs};
use parallax::config::command::{self as config, CommandArgs};
use parallax::demo::{self, DemoArgs};
use parallax::discover::{self, DiscoverArgs};
use parallax::doctor::{self, DoctorArgs};
use parallax::jitter::{self, JitterArgs};
use parallax::journal::command::{self as journal, JournalArgs};
use parallax::match_eval::{self, MatchEvalArgs};
use parallax::pairs_command::{self as pairs, PairsArgs};
use parallax::replay::command as replay;
use parallax::replay::options::ReplayArgs;
use parallax::run::command::{self as run, RecordArgs, RunArgs};
use parallax::sim_command::{self, SimArgs};
use parallax::state::command::{self as state, ArmArgs, KillArgs};
use parallax::tape::command::{self as tape, TapeArgs};

/// Parallax, a low-latency arbitrage engine for Kalshi and Polymarket.
///
/// When YES on one venue and NO on the other together cost less than the dollar that one of them
/// must pay, fees included, Parallax buys both. Start with `parallax demo`.
#[derive(Parser)]
#[command(name = "parallax", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(DemoArgs),
    Run(Box<RunArgs>),
    Record(Box<RecordArgs>),
    Replay(Box<ReplayArgs>),
    Discover(Box<DiscoverArgs>),
    Pairs(Box<PairsArgs>),
    Sim(SimArgs),
    Chaos(ChaosArgs),
    Tape(TapeArgs),
    Doctor(DoctorArgs),
    Jitter(JitterArgs),
    MatchEval(MatchEvalArgs),
    Journal(JournalArgs),
    Config(CommandArgs),
    Kill(KillArgs),
    Arm(ArmArgs),
    Balances(BalancesArgs),
    Positions(PositionsArgs),
    Order(Box<OrderArgs>),
}

fn main() -> ExitCode {
    let result: Result<(), Box<dyn std::error::Error>> = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args).map_err(Into::into),
        Command::Run(args) => return ended(run::run(&args)),
        Command::Record(args) => return ended(run::record(&args)),
        Command::Replay(args) => replay::run(&args).map_err(Into::into),
        Command::Discover(args) => discover::run(&args).map_err(Into::into),
        Command::Pairs(args) => pairs::run(&args).map_err(Into::into),
        Command::Sim(args) => sim_command::run(&args).map_err(Into::into),
        Command::Chaos(args) => chaos::run(&args).map_err(Into::into),
        Command::Tape(args) => tape::run(&args).map_err(Into::into),
        Command::MatchEval(args) => match_eval::run(&args).map_err(Into::into),
        Command::Kill(args) => state::kill(&args).map_err(Into::into),
        Command::Arm(args) => state::arm(&args).map_err(Into::into),
        Command::Balances(args) => balances::run(&args).map_err(Into::into),
        Command::Positions(args) => positions::run(&args).map_err(Into::into),
        Command::Order(args) => order::run(&args).map_err(Into::into),
        Command::Journal(args) => journal::run(&args).map_err(Into::into),
        Command::Config(args) => config::run(&args).map_err(Into::into),
        Command::Doctor(args) => return doctor::run(&args),
        Command::Jitter(args) => return jitter::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The exit code of a run.
fn ended(result: Result<(), run::RunError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
