//! `parallax kill` and `parallax arm`.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::latch::Latch;
use super::presence::Presence;
use super::switch::stamped;
use crate::config::{ConfigArgs, StateDir};
use crate::stdout;

/// Where a demonstration keeps its state unless told otherwise.
const DEMO_DIR: &str = "parallax-demo";

/// Stop trading at once, and until `parallax arm`.
///
/// Sets the latch of the state folder. A run that trades from that folder sees it within some
/// milliseconds: orders that have not left never leave, nothing more is decided, and every order of
/// the accounts that rests at a venue is cancelled. What is filled stays and is accounted for. No
/// run starts from the folder before it is armed. SIGUSR1 does the same to one process.
///
/// Of the configuration only `state_dir` is read: nothing else that is wrong in it, in `.env` or in
/// the environment keeps this from working. Where even that cannot be read, what may be meant is
/// stopped all the same: the usual state folder and the demo's, where they are there.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax kill                          every run of this folder's configuration, and its demo
  parallax kill --reason \"odd fills\"
  parallax arm

It says of each folder whether a run is on it. Exit code: 0 when every latch that is meant is set;
1 when one is not, when it is not certain which was meant, or when there is nothing to stop.")]
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
/// Where the venues' figures differ from the journal's, arming says that you know of the differences
/// told so far: the run goes on with the journal's, and is stopped again by another difference.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Exit code: 0 when no latch is set any more, 1 when one cannot be lifted, \
                        or when it is not certain which was meant: then none is.")]
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
    /// Something of which a person has to know, although the rest was done.
    #[error("{}", .0.join("\nerror: "))]
    Troubles(Vec<String>),
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    Print(#[from] io::Error),
}

/// A folder that is meant.
struct Place {
    dir: PathBuf,
    /// A configuration names it: the next run from there would make it.
    named: bool,
}

/// The folders that are meant, and what was not understood of which ones are.
struct Meant {
    places: Vec<Place>,
    troubles: Vec<String>,
}

impl Places {
    fn meant(&self) -> Meant {
        if !self.dir.is_empty() {
            let places = self.dir.iter().map(|dir| Place { dir: dir.clone(), named: false });
            return Meant { places: places.collect(), troubles: Vec::new() };
        }
        let StateDir { said, usual, trouble } = StateDir::read(self.config.config.as_deref());
        let mut places = Vec::new();
        if let Some(dir) = said {
            places.push(Place { dir: tidy(&dir), named: true });
        }
        // The usual folder is a guess beside what is said, and the only one where nothing is.
        let guess = (places.is_empty() || trouble.is_some()).then(|| tidy(&usual));
        for dir in guess.into_iter().chain([PathBuf::from(DEMO_DIR)]) {
            if dir.is_dir() && !places.iter().any(|place| place.dir == dir) {
                places.push(Place { dir, named: false });
            }
        }
        Meant { places, troubles: Vec::from_iter(trouble) }
    }
}

/// A path as people write it: without what leads nowhere.
fn tidy(path: &Path) -> PathBuf {
    let tidy: PathBuf = path.components().collect();
    if tidy.as_os_str().is_empty() { PathBuf::from(".") } else { tidy }
}

/// Runs `parallax kill`. A latch that can be set is, whatever becomes of the others.
///
/// # Errors
/// [`CommandError`]
pub fn kill(args: &KillArgs) -> Result<(), CommandError> {
    let Meant { places, mut troubles } = args.places.meant();
    let (mut text, mut runs) = (String::new(), 0);
    for Place { dir, named } in &places {
        // A folder that a person named wrongly must not become one that looks stopped.
        if !named && !dir.is_dir() {
            troubles.push(format!(
                "{}: there is no such folder, and nothing is stopped",
                dir.display()
            ));
            continue;
        }
        let latch = Latch::in_dir(dir);
        let set = std::fs::create_dir_all(dir).and_then(|()| latch.set(&stamped(&args.reason)));
        if let Err(error) = set {
            troubles.push(format!("{}: {error}", latch.path().display()));
            continue;
        }
        let on_it = match Presence::is_in(dir) {
            Ok(true) => "a run is on it: it stops now".to_owned(),
            Ok(false) => "no run is on it: the next one will not start".to_owned(),
            Err(error) => format!("whether a run is on it cannot be told ({error})"),
        };
        runs += usize::from(!matches!(Presence::is_in(dir), Ok(false)));
        text += &format!("{}: stopped until `parallax arm`; {on_it}\n", dir.display());
    }
    stdout::print(&text)?;
    if places.is_empty() {
        troubles.push(
            "nothing is stopped: there is no configuration here, and no state folder; name the \
             run's configuration with --config, or its state folder with --dir"
                .to_owned(),
        );
    } else if runs == 0 {
        eprintln!(
            "warning: no run was found. One that trades from another folder trades on: name its \
             configuration with --config, or its state folder with --dir"
        );
    }
    ended(troubles)
}

/// Runs `parallax arm`.
///
/// # Errors
/// [`CommandError`]
pub fn arm(args: &ArmArgs) -> Result<(), CommandError> {
    let Meant { places, mut troubles } = args.places.meant();
    // Whoever stops may guess; whoever lets it go on must be certain.
    if !troubles.is_empty() {
        return ended(troubles);
    }
    let mut text = String::new();
    for Place { dir, named } in &places {
        if !named && !dir.is_dir() {
            troubles
                .push(format!("{}: there is no such folder, and nothing is armed", dir.display()));
            continue;
        }
        let latch = Latch::in_dir(dir);
        let reason = latch.reason();
        if let Err(error) = latch.lift() {
            troubles.push(format!("{}: {error}", latch.path().display()));
            continue;
        }
        let said = match reason {
            Some(reason) => format!("armed; it was stopped by: {reason}"),
            None => "it was not stopped".to_owned(),
        };
        text += &format!("{}: {said}\n", dir.display());
    }
    if places.is_empty() {
        text.push_str("nothing is stopped here: there is no configuration, and no state folder\n");
    }
    stdout::print(&text)?;
    ended(troubles)
}

fn ended(troubles: Vec<String>) -> Result<(), CommandError> {
    if troubles.is_empty() { Ok(()) } else { Err(CommandError::Troubles(troubles)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_without_what_leads_nowhere() {
        for (path, told) in [("../sim/.", "../sim"), (".", "."), ("", "."), ("a//b/", "a/b")] {
            assert_eq!(tidy(Path::new(path)), Path::new(told));
        }
    }
}
