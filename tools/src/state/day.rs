//! What today came to, in a file: a loss that stops trading stops it after a restart too.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine::risk::day::DayResult;
use engine::units::Usd;

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

/// The file.
#[derive(Debug)]
pub struct DayFile {
    path: PathBuf,
    kept: DayResult,
    written: Option<Instant>,
}

impl DayFile {
    /// The file of a state folder.
    ///
    /// # Errors
    /// Where it is there and cannot be understood: a loss must not be forgotten.
    pub fn open(dir: &Path, whose: Whose) -> Result<DayFile, StateError> {
        let path = dir.join(whose.file());
        let kept = match fs::read_to_string(&path) {
            Ok(text) => parse(&text).ok_or_else(|| {
                let want = "two numbers: the day since 1970 and its result in micro-dollars; \
                            remove the file to forget what today came to";
                io::Error::new(io::ErrorKind::InvalidData, want)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DayResult::default()),
            Err(error) => Err(error),
        };
        let kept =
            kept.map_err(|error| StateError::Io { dir: path.display().to_string(), error })?;
        Ok(DayFile { path, kept, written: None })
    }

    /// What an earlier run wrote down.
    pub const fn kept(&self) -> DayResult {
        self.kept
    }

    /// The same as a tape carries it.
    pub const fn spec(&self) -> (u64, i64) {
        (self.kept.day, self.kept.result.e6())
    }

    /// Begins again with nothing: for accounts that are new.
    ///
    /// # Errors
    /// Those of the system.
    pub fn forget(&mut self) -> io::Result<()> {
        self.kept = DayResult::default();
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes down what today came to, where that is news and the last time is a while ago.
    ///
    /// # Errors
    /// Those of the system.
    pub fn note(&mut self, today: DayResult) -> io::Result<()> {
        if self.written.is_some_and(|at| at.elapsed() < WRITE_EVERY) {
            return Ok(());
        }
        self.write(today)
    }

    /// The same at the end of a run, however long ago the last time is.
    ///
    /// # Errors
    /// Those of the system.
    pub fn write(&mut self, today: DayResult) -> io::Result<()> {
        // A day on which nothing happened yet is no news.
        let nothing = today.result == Usd::ZERO && today.day != self.kept.day;
        if today == self.kept || nothing {
            return Ok(());
        }
        self.written = Some(Instant::now());
        let next = self.path.with_extension("next");
        let mut file = File::create(&next)?;
        writeln!(file, "{} {}", today.day, today.result.e6())?;
        file.sync_all()?;
        // One name always holds a whole text.
        fs::rename(&next, &self.path)?;
        self.kept = today;
        Ok(())
    }
}

fn parse(text: &str) -> Option<DayResult> {
    let (day, result) = text.trim().split_once(' ')?;
    Some(DayResult { day: day.parse().ok()?, result: Usd::new(result.parse().ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOSE: Whose = Whose { environment: Environment::Prod, live: true };

    #[test]
    fn what_paper_or_another_environment_gains_pays_for_no_loss() {
        let folder = tempfile::tempdir().unwrap();
        let open = |environment, live| DayFile::open(folder.path(), Whose { environment, live });
        let lost = DayResult { day: 20_778, result: Usd::new(-30_000_000) };
        open(Environment::Prod, true).unwrap().write(lost).unwrap();
        for (environment, live) in
            [(Environment::Prod, false), (Environment::Sim, true), (Environment::Demo, false)]
        {
            let mut file = open(environment, live).unwrap();
            assert_eq!(file.kept(), DayResult::default());
            file.write(DayResult { day: 20_778, result: Usd::new(62_000_000) }).unwrap();
        }
        assert_eq!(open(Environment::Prod, true).unwrap().kept(), lost);
    }

    #[test]
    fn a_day_is_there_again_after_a_restart_and_nonsense_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = DayFile::open(folder.path(), WHOSE).unwrap();
        assert_eq!(file.kept(), DayResult::default());
        let today = DayResult { day: 20_778, result: Usd::new(-12_345_678) };
        file.note(today).unwrap();
        assert_eq!(DayFile::open(folder.path(), WHOSE).unwrap().kept(), today);
        let worse = DayResult { result: Usd::new(-13_000_000), ..today };
        file.note(worse).unwrap();
        assert_eq!(DayFile::open(folder.path(), WHOSE).unwrap().kept(), today, "not so soon");
        file.write(worse).unwrap();
        let mut again = DayFile::open(folder.path(), WHOSE).unwrap();
        assert_eq!(again.kept(), worse);
        fs::write(folder.path().join("day-prod-live"), "20778").unwrap();
        let error = DayFile::open(folder.path(), WHOSE).unwrap_err().to_string();
        assert!(error.contains("two numbers"), "{error}");
        again.forget().unwrap();
        assert_eq!(DayFile::open(folder.path(), WHOSE).unwrap().kept(), DayResult::default());
    }
}
