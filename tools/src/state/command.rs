//! `parallax kill` and `parallax arm`.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::latch::Latch;
use super::switch::stamped;
use crate::config::{self, ConfigArgs};
use crate::stdout;

/// Where a demonstration keeps its state unless told otherwise.
const DEMO_DIR: &str = "parallax-demo";

/// Stop trading at once, and until `parallax arm`.
///
/// Sets the latch of the state folder. A run that trades from that folder sees it within some
/// milliseconds: orders that have not left never leave, nothing more is decided, and every order of
/// the accounts that rests at a venue is cancelled. What is filled stays and is accounted for. No
/// run starts from the folder before it is armed. SIGUSR1 does the same to one process.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax kill                          every run of this folder's configuration, and its demo
  parallax kill --reason \"odd fills\"
  parallax arm

Exit code: 0 when every latch is set, 1 when one is not.")]
pub struct KillArgs {
    #[command(flatten)]
    places: Places,
    /// Why; it is told to whoever tries to start a run.
    #[arg(long, default_value = "parallax kill")]
    reason: String,
}

/// Let trading go on after `parallax kill`, SIGUSR1, or a safeguard that asks for a person.
///
/// A run that was stopped goes on trading, and runs may start again. Look first why it was stopped.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Exit code: 0 when no latch is set any more, 1 when one cannot be lifted.")]
pub struct ArmArgs {
    #[command(flatten)]
    places: Places,
}

/// Which runs are meant.
#[derive(Args, Clone, Debug)]
struct Places {
    #[command(flatten)]
    config: ConfigArgs,
    /// State folder of the run, or the folder of a demonstration; may be repeated [default: the
    /// configuration's, and parallax-demo where it is there].
    #[arg(long, value_name = "DIR")]
    dir: Vec<PathBuf>,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// A latch.
    #[error("{}: {error}", path.display())]
    Latch {
        /// Its file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    Print(#[from] io::Error),
}

impl Places {
    fn dirs(&self) -> Result<Vec<PathBuf>, CommandError> {
        if !self.dir.is_empty() {
            return Ok(self.dir.clone());
        }
        let mut dirs = vec![config::load(&self.config)?.state_dir];
        let demo = Path::new(DEMO_DIR);
        if demo.is_dir() && !dirs.iter().any(|dir| dir == demo) {
            dirs.push(demo.to_owned());
        }
        Ok(dirs)
    }

    /// Does something to every latch, the later ones too where an earlier one fails: a latch that
    /// can be set must be.
    fn each(&self, mut act: impl FnMut(&Latch) -> io::Result<String>) -> Result<(), CommandError> {
        let mut failed = None;
        for dir in self.dirs()? {
            let latch = Latch::in_dir(&dir);
            match std::fs::create_dir_all(&dir).and_then(|()| act(&latch)) {
                Ok(said) => stdout::print(&format!("{}: {said}\n", dir.display()))?,
                Err(error) => {
                    let path = latch.path().to_owned();
                    failed.get_or_insert(CommandError::Latch { path, error });
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Runs `parallax kill`.
///
/// # Errors
/// [`CommandError`]
pub fn kill(args: &KillArgs) -> Result<(), CommandError> {
    args.places.each(|latch| {
        latch.set(&stamped(&args.reason))?;
        Ok("trading is stopped until `parallax arm`".to_owned())
    })
}

/// Runs `parallax arm`.
///
/// # Errors
/// [`CommandError`]
pub fn arm(args: &ArmArgs) -> Result<(), CommandError> {
    args.places.each(|latch| {
        let reason = latch.reason();
        latch.lift()?;
        Ok(match reason {
            Some(reason) => format!("armed; it was stopped by: {reason}"),
            None => "it was not stopped".to_owned(),
        })
    })
}
