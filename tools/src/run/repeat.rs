//! A run again, from its own tape: the recorded frames go through the same sessions into the same
//! books, and the core takes its recorded inputs in the order in which it took them. Every Top that
//! the core was given must come out of the frames again, and the decisions must be the same.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use engine::core::{Accounts, Figures, Outlet};
use engine::event::{Bundle, Event, Grounds};
use engine::input::CoreInput;
use engine::tap::TapKind;
use engine::tile::Now;
use engine::top::Top;
use engine::units::Venue;
use feeds::feed::{Input, VenueSession};
use feeds::fitness::Verdict;
use feeds::sink::{Notice, Sink};

use super::joins;
use super::spec::RunSpec;
use super::summary::hash_text;
use crate::recorder::{NOTE_END, NOTE_START};
use crate::replay::setup::{self, Setup};
use crate::tape::{Body, Record, TapeError, TapeReader};

/// Bits of a Top that say how it came and not what it is.
const WAY: u8 = Top::LAST_OF_FRAME | Top::CONTROL | Top::NO_MARKET;

/// What a repetition came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repeated {
    /// What the core counted.
    pub figures: Figures,
    /// Where all money is.
    pub accounts: Accounts,
    /// Inputs that the core took.
    pub inputs: u64,
    /// Tops among them, each made from its frame again and compared.
    pub tops: u64,
    /// Frames that the sessions read.
    pub frames: u64,
    /// The decision hash that the run wrote at its end; `None` where it was cut off.
    pub recorded: Option<String>,
}

impl Repeated {
    /// True where the run's own hash is there and equal.
    pub fn agrees(&self) -> bool {
        self.recorded.as_deref() == Some(&hash_text(self.figures.decision_hash))
    }
}

/// Why a run cannot be repeated.
#[derive(Debug, thiserror::Error)]
pub enum RepeatError {
    /// The tape cannot be read.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// The tape does not tell how the run was set up.
    #[error("{}: {reason}", path.display())]
    Spec {
        /// The tape.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The recorder had no room for some records.
    #[error(
        "{}: record {record} says that {count} records are missing: the recorder could not keep up, and what they said is unknown",
        path.display()
    )]
    Dropped {
        /// The tape.
        path: PathBuf,
        /// Number of the record that says so, from 1.
        record: u64,
        /// How many.
        count: u64,
    },
    /// A mark that this version does not understand.
    #[error("{}: record {record}: {what} cannot be understood", path.display())]
    Mark {
        /// The tape.
        path: PathBuf,
        /// Number of the record, from 1.
        record: u64,
        /// What it should be.
        what: &'static str,
    },
    /// The frames give another Top than the core was given.
    #[error("{}: core input {input}: the frames give {made}, the core was given {given}", path.display())]
    Differs {
        /// The tape.
        path: PathBuf,
        /// Number of the input, from 1.
        input: u64,
        /// What the frames give.
        made: String,
        /// What the tape says.
        given: String,
    },
}

/// True for a tape of a run that recorded itself.
///
/// # Errors
/// Those of opening it.
pub fn is_run(path: &Path) -> Result<bool, TapeError> {
    let mut tape = TapeReader::open(path)?;
    tape.advance()?;
    Ok(tape.notes().iter().any(|note| note.name == NOTE_START))
}

/// Tops that the frames of a venue gave and the core has not asked for yet.
#[derive(Default)]
struct Made {
    tops: VecDeque<Top>,
}

impl Sink for Made {
    fn top(&mut self, top: &Top) {
        self.tops.push_back(*top);
    }

    fn notice(&mut self, _notice: &Notice<'_>) {
        // Rules that a frame changes are inputs of the core of their own.
    }
}

/// Nobody is told what the core does.
struct Quiet;

impl Outlet for Quiet {
    fn bundle(&mut self, _bundle: &Bundle, _grounds: &Grounds) {}
    fn event(&mut self, _event: &Event) {}
}

/// Repeats the run on `path`.
///
/// # Errors
/// [`RepeatError`]
pub fn repeat(path: &Path) -> Result<Repeated, RepeatError> {
    let bad = |reason: String| RepeatError::Spec { path: path.to_owned(), reason };
    let mut tape = TapeReader::open(path)?;
    let mut more = tape.advance()?;
    let note = tape.notes().iter().find(|note| note.name == NOTE_START);
    let note = note.ok_or_else(|| bad("no run recorded itself on this tape".to_owned()))?;
    let spec = RunSpec::from_note(&note.values).map_err(bad)?;
    let setup = spec.setup().map_err(bad)?;
    let mut player = Player {
        path,
        desk: spec.desk(&setup).map_err(bad)?,
        setup,
        made: [Made::default(), Made::default()],
        waiting: VecDeque::new(),
        inputs: 0,
        tops: 0,
        frames: 0,
    };
    let mut number = 0;
    while more {
        number += 1;
        if let Some(record) = tape.current() {
            player.take(&record, number)?;
        }
        more = tape.advance()?;
    }
    player.end()?;
    let end = tape.notes().iter().find(|note| note.name == NOTE_END);
    Ok(Repeated {
        figures: player.desk.core().figures(),
        accounts: player.desk.core().accounts(),
        inputs: player.inputs,
        tops: player.tops,
        frames: player.frames,
        recorded: end.and_then(|note| note.values.get("decision_hash").cloned()),
    })
}

struct Player<'a> {
    path: &'a Path,
    desk: engine::desk::Desk,
    setup: Setup,
    made: [Made; 2],
    /// Inputs whose frame has not come yet: several tiles write the tape, each in its own order.
    waiting: VecDeque<(Now, CoreInput)>,
    inputs: u64,
    tops: u64,
    frames: u64,
}

impl Player<'_> {
    fn take(&mut self, record: &Record<'_>, number: u64) -> Result<(), RepeatError> {
        let path = || self.path.to_owned();
        let mark = |what| RepeatError::Mark { path: path(), record: number, what };
        let input = match record.body {
            Body::Frame(frame) => {
                self.frames += 1;
                Input::Frame(frame)
            }
            Body::Connected => Input::Connected,
            Body::Mark(TapKind::Opened, _) => Input::Opened,
            Body::Mark(TapKind::Closed, _) => Input::Closed,
            Body::Mark(TapKind::Tick, _) => Input::Tick,
            Body::Mark(TapKind::Verdict, bytes) => {
                Input::Verdict(Verdict::from_bytes(bytes).ok_or_else(|| mark("a verdict"))?)
            }
            Body::Mark(TapKind::CoreInput, bytes) => {
                let input = CoreInput::decode(bytes).ok_or_else(|| mark("a core input"))?;
                self.waiting.push_back(input);
                return self.play();
            }
            Body::Mark(TapKind::Dropped, bytes) => {
                let count = bytes.first_chunk().map_or(0, |le| u64::from_le_bytes(*le));
                return Err(RepeatError::Dropped { path: path(), record: number, count });
            }
            Body::Mark(TapKind::Market, bytes) => {
                self.add_market(record.venue, record.conn, bytes)
                    .ok_or_else(|| mark("a market"))?;
                return Ok(());
            }
            Body::Mark(TapKind::Sent | TapKind::Frame, _) => return Ok(()),
        };
        let made = &mut self.made[record.venue.index()];
        match record.venue {
            Venue::Kalshi => self.setup.kalshi.take(record.conn, record.recv, input, made),
            Venue::Polymarket => self.setup.polymarket.take(record.conn, record.recv, input, made),
        }
        self.play()
    }

    /// Adds a market that came while the run lasted; `None` where nobody can tell what it is.
    fn add_market(&mut self, venue: Venue, conn: u32, note: &[u8]) -> Option<()> {
        let spec = joins::read_note(note)?;
        match venue {
            Venue::Kalshi => {
                let market = setup::add_kalshi(&mut self.setup.kalshi, &spec).ok()?;
                self.setup.kalshi.assign(market.index(), conn);
            }
            Venue::Polymarket => {
                let market = setup::add_polymarket(&mut self.setup.polymarket, &spec).ok()?;
                self.setup.polymarket.assign(market.index(), conn);
            }
        }
        Some(())
    }

    /// Gives the core the inputs whose frames are there.
    fn play(&mut self) -> Result<(), RepeatError> {
        while let Some((now, input)) = self.waiting.front() {
            let input = *input;
            if let CoreInput::Top(given) = &input {
                let Some(made) = self.made[given.market.venue().index()].tops.pop_front() else {
                    return Ok(());
                };
                // The way differs: a repetition has no rings.
                let mut made = made;
                made.flags = made.flags & !WAY | given.flags & WAY;
                if made != *given {
                    return Err(RepeatError::Differs {
                        path: self.path.to_owned(),
                        input: self.inputs + 1,
                        made: format!("{made:?}"),
                        given: format!("{given:?}"),
                    });
                }
                self.tops += 1;
            }
            self.desk.take(*now, &input, &mut Quiet);
            self.inputs += 1;
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Every input must have found its frame. Frames that no input speaks of came after the core
    /// had stopped.
    fn end(&self) -> Result<(), RepeatError> {
        match self.waiting.front() {
            None => Ok(()),
            Some((_, given)) => Err(RepeatError::Differs {
                path: self.path.to_owned(),
                input: self.inputs + 1,
                made: "nothing more".to_owned(),
                given: format!("{given:?}"),
            }),
        }
    }
}
