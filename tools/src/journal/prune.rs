//! What of a journal no start needs any more. A run begins in a segment of its own, with all that
//! it begins with, so that everything before the last run is history: it may go, oldest first, and
//! what is left still verifies, because its first segment says where the chain stands.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use exec::journal::Record;
use exec::journal::files::Files;
use exec::journal::frame::SegmentHead;
use exec::journal::reader::{self, Verdict};
use exec::journal::storage::Storage as _;

/// What becomes of segments that go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// They are deleted.
    Delete,
    /// They are moved to this folder, of the same disk.
    Move(PathBuf),
}

/// What went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The first segment that stays.
    pub first: u64,
}

/// Lets segments go that are older than `keep` and belong to runs before the last one. Those of a
/// run go together, and nothing that was written within `keep` goes.
///
/// # Errors
/// In words: a journal that is damaged is evidence, and nothing of it goes.
pub fn prune(dir: &Path, keep: Duration, now: SystemTime, fate: &Fate) -> Result<Pruned, String> {
    let fail = |error: &dyn std::fmt::Display| error.to_string();
    let mut files = Files::open(dir).map_err(|error| fail(&error))?;
    let (mut runs, mut opening) = (Vec::new(), None);
    // A run whose opening was torn never was: the one before it is the last.
    let found = reader::read(&mut files, &mut |seq, record| match record {
        Record::Run { .. } => opening = Some(seq),
        Record::Ids { .. } => runs.extend(opening.take()),
        _ => {}
    });
    let found = found.map_err(|error| fail(&error))?;
    if let Verdict::Damaged(damage) = found.verdict {
        return Err(format!("damaged, so that nothing of it may go: {damage}"));
    }
    let segments = files.segments().map_err(|error| fail(&error))?;
    let mut heads = Vec::new();
    let mut bytes = Vec::new();
    for segment in &segments {
        files.read(*segment, &mut bytes).map_err(|error| fail(&error))?;
        heads.extend(SegmentHead::get(&bytes).map(|head| (head.first, *segment)));
    }
    // Where each run begins: the last segment whose first record is not after it.
    let begins = runs.iter().filter_map(|run| {
        heads.iter().rev().find(|(first, _)| first <= run).map(|(_, segment)| *segment)
    });
    let written = |segment: u64| fs::metadata(files.path(segment)).and_then(|it| it.modified());
    let mut first = segments.first().copied().unwrap_or_default();
    for begin in begins {
        let mut before = segments.iter().filter(|segment| **segment < begin);
        let old = before.try_fold(true, |all, segment| {
            // A clock that was set back makes everything young.
            let age = now.duration_since(written(*segment)?).unwrap_or_default();
            Ok(all && age > keep)
        });
        if old.map_err(|error: io::Error| fail(&error))? {
            first = first.max(begin);
        }
    }
    let mut pruned = Pruned { first, ..Pruned::default() };
    // The oldest first: whatever interrupts this, what is left has no gap.
    for segment in segments.into_iter().filter(|segment| *segment < first) {
        let path = files.path(segment);
        pruned.bytes += fs::metadata(&path).map_err(|error| fail(&error))?.len();
        go(&path, fate).map_err(|error| fail(&error))?;
        pruned.segments += 1;
    }
    Ok(pruned)
}

fn go(path: &Path, fate: &Fate) -> io::Result<()> {
    let Fate::Move(to) = fate else { return fs::remove_file(path) };
    fs::create_dir_all(to)?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let target = to.join(name);
    if target.exists() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!(
                "{} is there already: archive each journal into a folder of its own",
                target.display()
            ),
        ));
    }
    fs::rename(path, target)
}

#[cfg(test)]
#[path = "prune_tests.rs"]
mod tests;
