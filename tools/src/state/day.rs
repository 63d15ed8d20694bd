//! What today came to, in a file: a loss that stops trading stops it after a restart too.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine::core::Accounts;
use engine::risk::day::DayResult;
use engine::units::{Shares, Usd};

use super::StateError;
use crate::config::Environment;

/// How often it is written at most; a run that is killed in between forgets that much.
const WRITE_EVERY: Duration = Duration::from_millis(500);

/// Whose money a day is of: what is gained on paper pays for no loss, nor what one environment
/// gains for another's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Whose {
    /// Which venues.
    pub environment: Environment,
    /// Orders go to them; otherwise they are paper.
    pub live: bool,
}

impl Whose {
    fn file(self) -> String {
        format!("day-{}-{}", self.environment.name(), if self.live { "live" } else { "paper" })
    }
}

/// What is kept of a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    /// What it came to. What is held on one side alone counts as lost, and so does what bundles
    /// that had not ended had cost.
    pub today: DayResult,
    /// What that is.
    pub open: Usd,
    /// How many contracts it bought.
    pub naked: Shares,
}

impl Kept {
    /// Of a core's day.
    pub fn of(today: DayResult, accounts: &Accounts, naked: Shares) -> Kept {
        let result = today.result - accounts.in_flight;
        let open = accounts.inventory + accounts.in_flight;
        Kept { today: DayResult { result, ..today }, open, naked }
    }
}

/// The file.
#[derive(Debug)]
pub struct DayFile {
    path: PathBuf,
    kept: Kept,
    written: Option<Instant>,
}

impl DayFile {
    /// The file of a state folder.
    ///
    /// # Errors
    /// Where it is there and cannot be understood: a loss must not be forgotten.
    pub fn open(dir: &Path, whose: Whose) -> Result<DayFile, StateError> {
        let path = dir.join(whose.file());
        let kept = DayFile::read(&path)?;
        Ok(DayFile { path, kept, written: None })
    }

    /// Reads it again: another run may have ended since, and nobody else writes it from now on.
    ///
    /// # Errors
    /// See [`DayFile::open`].
    pub fn reload(&mut self) -> Result<(), StateError> {
        self.kept = DayFile::read(&self.path)?;
        Ok(())
    }

    fn read(path: &Path) -> Result<Kept, StateError> {
        let kept = match fs::read_to_string(path) {
            Ok(text) => parse(&text).ok_or_else(|| {
                let want = "four numbers: the day since 1970, its result and the cost of what is \
                            held on one side alone, in micro-dollars, and millionths of contracts \
                            of that; remove the file to forget what today came to";
                io::Error::new(io::ErrorKind::InvalidData, want)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(error),
        };
        kept.map_err(|error| StateError::Io { dir: path.display().to_string(), error })
    }

    /// What an earlier run wrote down.
    pub const fn kept(&self) -> Kept {
        self.kept
    }

    /// The same as a tape carries it.
    pub const fn spec(&self) -> (u64, i64) {
        (self.kept.today.day, self.kept.today.result.e6())
    }

    /// Begins again with nothing: for accounts that are new.
    ///
    /// # Errors
    /// Those of the system.
    pub fn forget(&mut self) -> io::Result<()> {
        self.kept = Kept::default();
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes down what today came to, where that is news and the last time is a while ago.
    ///
    /// # Errors
    /// Those of the system.
    pub fn note(&mut self, now: Kept) -> io::Result<()> {
        if self.written.is_some_and(|at| at.elapsed() < WRITE_EVERY) {
            return Ok(());
        }
        self.write(now)
    }

    /// The same at the end of a run, however long ago the last time is.
    ///
    /// # Errors
    /// Those of the system.
    pub fn write(&mut self, now: Kept) -> io::Result<()> {
        let Kept { today, open, naked } = now;
        // A day on which nothing happened yet is no news.
        let is_nothing = (today.result, open) == (Usd::ZERO, Usd::ZERO);
        let nothing = is_nothing && today.day != self.kept.today.day;
        if now == self.kept || nothing {
            return Ok(());
        }
        self.written = Some(Instant::now());
        let next = self.path.with_extension("next");
        let mut file = File::create(&next)?;
        writeln!(file, "{} {} {} {}", today.day, today.result.e6(), open.e6(), naked.e6())?;
        file.sync_all()?;
        // One name always holds a whole text.
        fs::rename(&next, &self.path)?;
        self.kept = now;
        Ok(())
    }
}

fn parse(text: &str) -> Option<Kept> {
    let mut words = text.split_whitespace();
    let today = DayResult {
        day: words.next()?.parse().ok()?,
        result: Usd::new(words.next()?.parse().ok()?),
    };
    // Whoever writes down a loss by hand need not say of what.
    let Some(open) = words.next() else { return Some(Kept { today, ..Kept::default() }) };
    let (open, naked) = (Usd::new(open.parse().ok()?), Shares::new(words.next()?.parse().ok()?));
    words.next().is_none().then_some(Kept { today, open, naked })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOSE: Whose = Whose { environment: Environment::Prod, live: true };

    fn kept(day: u64, result: i64) -> Kept {
        Kept { today: DayResult { day, result: Usd::new(result) }, ..Kept::default() }
    }

    #[test]
    fn what_paper_or_another_environment_gains_pays_for_no_loss() {
        let folder = tempfile::tempdir().unwrap();
        let open = |environment, live| DayFile::open(folder.path(), Whose { environment, live });
        let lost = kept(20_778, -30_000_000);
        open(Environment::Prod, true).unwrap().write(lost).unwrap();
        for (environment, live) in
            [(Environment::Prod, false), (Environment::Sim, true), (Environment::Demo, false)]
        {
            let mut file = open(environment, live).unwrap();
            assert_eq!(file.kept(), Kept::default());
            file.write(kept(20_778, 62_000_000)).unwrap();
        }
        assert_eq!(open(Environment::Prod, true).unwrap().kept(), lost);
    }

    #[test]
    fn a_day_is_there_again_after_a_restart_and_nonsense_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = || DayFile::open(folder.path(), WHOSE);
        let mut file = open().unwrap();
        assert_eq!(file.kept(), Kept::default());
        let today = Kept {
            open: Usd::new(4_000_000),
            naked: Shares::new(9_000_000),
            ..kept(20_778, -12_345_678)
        };
        file.note(today).unwrap();
        assert_eq!(open().unwrap().kept(), today);
        let worse = kept(20_778, -13_000_000);
        file.note(worse).unwrap();
        assert_eq!(open().unwrap().kept(), today, "not so soon");
        file.write(worse).unwrap();
        let mut again = open().unwrap();
        assert_eq!(again.kept(), worse);
        let path = folder.path().join("day-prod-live");
        fs::write(&path, "20778 -5\n").unwrap();
        assert_eq!(open().unwrap().kept(), kept(20_778, -5), "as written by hand");
        for nonsense in ["20778", "20778 -5 7", "20778 -5 7 8 9"] {
            fs::write(&path, nonsense).unwrap();
            let error = open().unwrap_err().to_string();
            assert!(error.contains("four numbers"), "{error}");
        }
        again.forget().unwrap();
        assert_eq!(open().unwrap().kept(), Kept::default());
    }
}
