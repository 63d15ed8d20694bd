//! What outlives a run: that trading was stopped, and what today came to. Read the modules in this
//! order.

pub mod latch; // a file that says that trading was stopped
pub mod presence; // a lock that says that a run uses the folder
pub mod day; // a file that says what today came to
pub mod switch; // a run's eye on the latch, on signals, and on whoever else may stop it
pub mod command; // `parallax kill` and `parallax arm`

use std::io;
use std::path::Path;

use day::{DayFile, Whose};
use latch::Latch;
use presence::Presence;
use switch::KillSwitch;

/// What a run keeps in its state folder.
#[derive(Debug)]
pub struct State {
    /// Stops trading.
    pub switch: KillSwitch,
    /// What today came to.
    pub day: DayFile,
    /// Tells whoever stops trading that a run is here.
    _presence: Presence,
}

/// Why a run may not begin with a state folder.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Somebody stopped trading.
    #[error(
        "trading was stopped: {reason}\nNothing trades from {dir} until `parallax arm --dir {dir}`"
    )]
    Killed {
        /// By whom, when and why.
        reason: String,
        /// The folder.
        dir: String,
    },
    /// The folder cannot be used.
    #[error("{dir}: {error}")]
    Io {
        /// The folder, or a file in it.
        dir: String,
        /// The system's reason.
        error: io::Error,
    },
}

impl State {
    /// The state of a folder, which is made where it is missing.
    ///
    /// # Errors
    /// Where trading was stopped, or the folder cannot be used.
    pub fn open(dir: &Path, whose: Whose) -> Result<State, StateError> {
        let io = |error| StateError::Io { dir: dir.display().to_string(), error };
        std::fs::create_dir_all(dir).map_err(io)?;
        // Before the latch is looked at: whoever sets it now either stops us here, or sees us.
        let presence = Presence::enter(dir).map_err(io)?;
        let latch = Latch::in_dir(dir);
        if let Some(reason) = latch.reason() {
            return Err(StateError::Killed { reason, dir: dir.display().to_string() });
        }
        let switch = KillSwitch::new(latch).map_err(io)?;
        Ok(State { switch, day: DayFile::open(dir, whose)?, _presence: presence })
    }
}
