//! The journal of a folder, ready to be gone on with.

use std::path::Path;

use engine::tile::Now;
use exec::journal::durable::{Durable, rings};
use exec::journal::files::Files;
use exec::journal::fold::State;
use exec::journal::reader::{Verdict, Verified};
use exec::journal::storage::Storage;
use exec::journal::tile::{JournalConfig, JournalTile, NotOpened};
use exec::journal::{JournalWriter, Record};

use crate::crash::{CrashPoint, Fuse, Fused, SHORT_SEGMENT_BYTES};

/// A journal that was read, and nothing written to yet.
pub struct Kept<S = Fused<Files>> {
    /// What was known when it ended.
    pub state: State,
    /// What was found.
    pub found: Verified,
    tile: JournalTile<S>,
    writers: [JournalWriter; 4],
}

/// A journal that a run writes: the tile, and a writer for each who writes.
pub struct Journalled<S = Fused<Files>> {
    /// Writes.
    pub tile: JournalTile<S>,
    /// By [`exec::journal::Source`].
    pub writers: [JournalWriter; 4],
    /// Number of the run.
    pub run: u64,
    /// Orders leave only when they are durable.
    pub waits: bool,
}

impl Kept {
    /// Reads the journal in `dir`; a torn tail is cut off.
    ///
    /// # Errors
    /// In words: the folder, or where the journal is damaged and what to do.
    pub fn open(dir: &Path, crash_at: Option<Fuse>) -> Result<Kept, String> {
        let name = dir.display();
        let files = Files::open(dir).map_err(|error| format!("{name}: {error}"))?;
        let mut config = JournalConfig::default();
        if crash_at.as_ref().is_some_and(|fuse| fuse.point() == CrashPoint::Rolled) {
            config.segment_bytes = SHORT_SEGMENT_BYTES;
        }
        Kept::read(Fused::new(files, crash_at), config).map_err(|error| {
            format!(
                "{name}: {error}. Nobody may trade on what is left: look with `parallax journal \
                 verify {name}`, compare the accounts with `parallax positions`, then move the \
                 folder away to begin anew"
            )
        })
    }
}

impl<S: Storage> Kept<S> {
    /// Reads the journal on this storage; a torn tail is cut off.
    ///
    /// # Errors
    /// Where the storage fails, or the journal is damaged before its end.
    pub fn read(storage: S, config: JournalConfig) -> Result<Kept<S>, NotOpened> {
        let durable = Durable::new();
        let (writers, ends) = rings(&durable);
        let mut state = State::default();
        let mut take = |_, record: &Record| state.take(record);
        let (tile, found) = JournalTile::open(storage, ends, durable, config, &mut take)?;
        Ok(Kept { state, found, tile, writers })
    }

    /// What was cut off, in words.
    pub fn torn(&self) -> Option<String> {
        let Verified { verdict, segment, end, rest, last, .. } = self.found;
        (verdict == Verdict::Torn).then(|| {
            format!(
                "the journal was torn after record {last} (segment {segment}, byte {end}): {rest} \
                 bytes of a commit that was never confirmed are cut off and kept beside it"
            )
        })
    }

    /// Begins a run with these records, durably.
    ///
    /// # Errors
    /// The storage's, in words.
    pub fn begin(
        mut self,
        run: u64,
        waits: bool,
        opening: &[Record],
        now: Now,
    ) -> Result<Journalled<S>, String> {
        self.tile.begin(opening, now).map_err(|error| error.to_string())?;
        Ok(Journalled { tile: self.tile, writers: self.writers, run, waits })
    }
}
