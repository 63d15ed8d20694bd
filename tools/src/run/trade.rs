//! One run from its first connection to its last report: makes the tiles, starts their threads,
//! watches, holds, ends.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use engine::clock::{Clock, TscClock};
use engine::core::{Accounts, Core, Figures};
use engine::event::Event;
use engine::live_tile::Command;
use engine::pair::PairTable;
use engine::risk::Word;
use engine::tap::TapReader;
use engine::units::{Ns, Venue};
use engine::view::View;
use exec::journal::record::said;
use exec::journal::{JournalWriter, Record};
use feeds::live::figures::LineFigures;
use rtrb::{Consumer, Producer};

use super::brakes::Brakes;
use super::clocks;
use super::joins::{Joins, Move, Told};
use super::pedals::{self, Pedals};
use super::screen::{Picture, Screen, Title};
use super::shards;
use super::spec::RunSpec;
use super::story::{Story, explained, risk_text};
use super::summary::hash_text;
use super::threads::{self, Group};
use crate::recorder::{Recorded, Recorder};
use crate::rest::wall;
use crate::state::State;
use crate::state::day::{DayFile, Kept};
use crate::state::switch::{Change, KillHandle};
use crate::topology::{LivePlan, LiveTiles};

/// Why a run stops whose journal fails.
const UNWRITTEN: &str =
    "the journal cannot be written: its disk is full or failed. Mend that, then start again";
/// Why a run stops that did not hear of what it did itself.
const UNTOLD: &str = "fills, ends or stops found no room on their way to whoever watches: compare figures, then start again";
/// How long the main thread rests when nothing happened.
const REST: Duration = Duration::from_micros(500);
/// How often the picture is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// How long bundles under way may take to end once nothing more is decided: a gate needs sixty
/// seconds to be sure that an order without an answer never came into being, and some to ask.
const SETTLE: Duration = Duration::from_secs(75);
/// The most that the core is told of one pair that joins: its shard, and the pair.
const COMMANDS_A_JOIN: usize = 2;
/// Whoever looks is told how long that lasts so often.
const REMIND_EVERY: Duration = Duration::from_secs(5);

/// How a run is watched, and when it ends.
pub struct Watch<'a> {
    /// What stands above the live view.
    pub title: String,
    /// How long it trades; `None` is until it is told to end.
    pub seconds: Option<u64>,
    /// Draw the live view.
    pub screen: bool,
    /// Decide nothing from the start: books only.
    pub hold: bool,
    /// Open this arbitrage on paper as soon as the books allow it.
    pub inject: Option<engine::inject::Injection>,
    /// Raised from outside to end the run: a signal.
    pub stop: &'a AtomicBool,
    /// Asked now and then for what the core and the gates are to be told.
    pub words: &'a mut dyn FnMut() -> Option<Word>,
    /// Asked now and then for a pair that joins, and told once it has.
    pub joins: &'a mut dyn Joins,
    /// Called now and then, with the time that has passed.
    pub tick: &'a mut dyn FnMut(Duration),
    /// Told every event.
    pub event: &'a mut dyn FnMut(&Event),
    /// Shown the core, now and then.
    pub view: &'a mut dyn FnMut(&View),
}

/// What a run left behind.
pub struct Ended {
    /// What happened.
    pub story: Story,
    /// What the core counted.
    pub figures: Figures,
    /// Where all money is.
    pub accounts: Accounts,
    /// Orders whose fate is unknown, and bundles that have not ended.
    pub open: [u64; 2],
    /// Inputs that the core took.
    pub inputs: u64,
    /// What each connection of Kalshi and Polymarket counted.
    pub lines: [Vec<LineFigures>; 2],
    /// The tape, and what is on it.
    pub tape: Option<(PathBuf, Recorded)>,
    /// What comes after the run is written down here.
    pub journal: Option<JournalWriter>,
    /// What did not work, in words, though the run went on.
    pub warnings: Vec<String>,
}

/// Where a run is recorded.
pub struct Tape {
    /// The file.
    pub path: PathBuf,
    /// The tiles' taps.
    pub taps: Vec<TapReader>,
}

/// What stays outside of the tiles.
pub struct Outside {
    /// What the core says.
    pub events: Consumer<Event>,
    /// What it shows.
    pub views: Consumer<View>,
    /// What it is told.
    pub commands: Producer<Command>,
    /// How it is stopped and armed.
    pub brakes: Brakes,
    /// What is written down of it.
    pub journal: Option<JournalWriter>,
}

/// Runs the tiles until the watch ends them. The state may stop the run and arm it again.
///
/// # Errors
/// Where the tape cannot be begun.
pub fn run(
    spec: &RunSpec,
    mut tiles: LiveTiles,
    (plan, clock): (&LivePlan, &TscClock),
    outside: Outside,
    tape: Option<Tape>,
    state: &mut State,
    watch: &mut Watch<'_>,
) -> Result<(LiveTiles, Ended), crate::tape::TapeError> {
    let stop = AtomicBool::new(false);
    let taps_ended = AtomicBool::new(false);
    let mut warnings = Vec::new();
    let mut recorder = match tape {
        None => None,
        Some(Tape { path, taps }) => Some((Recorder::create(&path, taps, spec.to_note())?, path)),
    };
    let mut story = Story::default();
    let mut table = tiles.core.core().pairs().clone();
    let Outside { events, views, commands, brakes, journal } = outside;
    let mut inbox = Inbox { events, views, journal };
    let pedals = Pedals::new(brakes, commands);
    let (tell, told) = mpsc::channel();
    let State { switch, day, .. } = state;
    let handle = switch.handle();
    thread::scope(|scope| {
        let braking = (&mut *switch, &pedals, &tell, &stop);
        let braking = move || {
            let (switch, pedals, tell, stop) = braking;
            // A run that nobody could stop is none.
            let _ends = threads::Ends(stop);
            pedals::run(switch, pedals, tell, stop);
        };
        let began = thread::Builder::new().name("brakes".to_owned()).spawn_scoped(scope, braking);
        if let Err(error) = began {
            panic!("the system refused a thread: {error}");
        }
        let recording = recorder.as_mut().map(|(recorder, _)| {
            let ended = &taps_ended;
            scope.spawn(move || recorder.run(ended))
        });
        let end = &stop;
        scope.spawn(move || clocks::follow(clock, end));
        let hot: Vec<_> = tiles
            .groups(plan)
            .into_iter()
            .map(|group: Group<'_>| threads::start(scope, group, clock, &stop))
            .collect();
        let mut main = Main {
            story: &mut story,
            table: &mut table,
            picture: Picture::default(),
            joining: None,
            unwritten: false,
            untold: 0,
            pedals: &pedals,
            told: &told,
            handle: &handle,
            day,
            drawn: false,
        };
        let screen = if watch.screen {
            Screen::open().map_err(|e| warnings.push(format!("no live view: {e}"))).ok()
        } else {
            None
        };
        main.drawn = screen.is_some();
        main.watch(&mut inbox, screen, watch, &stop);
        stop.store(true, Relaxed);
        for handle in hot {
            match handle.join() {
                Ok(failed) => warnings.extend(failed),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        main.drain(&mut inbox, watch);
        taps_ended.store(true, SeqCst);
        if let Some(recording) = recording
            && let Ok(Err(error)) = recording.join()
        {
            warnings.push(format!("the tape ended early: {error}"));
        }
    });
    if tiles.core.lost().facts > 0 {
        handle.kill(UNTOLD);
    }
    // What asks for a person at the very end is latched too.
    while pedals::turn(switch, &pedals, &tell) {}
    let lines: Vec<String> = told.try_iter().filter_map(|change| story.changed(&change)).collect();
    tiles.core.name_pairs(&table);
    let [unknown, open] = tiles.core.core().open_orders();
    let mut last: Vec<Record> =
        lines.iter().flat_map(|line| said(clock.now().wall, line)).collect();
    last.push(Record::End { unknown, open });
    warnings.extend(tiles.write_down(&mut inbox.journal, &last, clock.now()));
    let core = tiles.core.core();
    let today = core.today(clock.now().wall);
    if let Err(error) = day.write(Kept::of(today, &core.accounts(), core.unhedged())) {
        warnings.push(format!("what today came to was not kept: {error}"));
    }
    warnings.append(&mut story.troubles);
    story.finish(core.unhedged(), core.dust());
    let (figures, accounts) = (core.figures(), core.accounts());
    let tape = match recorder {
        None => None,
        Some((recorder, path)) => match recorder.finish(end_note(core, tiles.core.inputs())) {
            Ok(recorded) => Some((path, recorded)),
            Err(error) => {
                warnings.push(format!("the tape was not completed: {error}"));
                None
            }
        },
    };
    let ended = Ended {
        story,
        figures,
        accounts,
        open: core.open_orders(),
        inputs: tiles.core.inputs(),
        lines: tiles.lines(),
        tape,
        journal: inbox.journal,
        warnings,
    };
    Ok((tiles, ended))
}

/// What of an event the journal keeps, and in words why an order was sent or was not; the rest the
/// gates wrote, or a tape has it.
pub(crate) fn write_down(journal: &mut JournalWriter, event: &Event, table: &PairTable, wall: Ns) {
    let record = match *event {
        Event::TradeSettled(settled) | Event::TradeFailed(settled) => Record::Ended(settled),
        Event::RiskTripped { pair, at, risk } => Record::Tripped { pair, at, risk: risk as u8 },
        _ => {
            explained(event, table).iter().for_each(|line| note(journal, wall, line));
            return;
        }
    };
    journal.write(&record);
}

/// Words never take the room of what money depends on.
fn note(journal: &mut JournalWriter, wall: Ns, line: &str) {
    for record in said(wall, line) {
        if journal.has_room() {
            journal.write(&record);
        }
    }
}

fn end_note(core: &Core, inputs: u64) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("decision_hash".to_owned(), hash_text(core.figures().decision_hash)),
        ("inputs".to_owned(), inputs.to_string()),
    ])
}

/// The thread that looks.
struct Main<'a> {
    story: &'a mut Story,
    table: &'a mut PairTable,
    picture: Picture,
    /// A change for which the core had no room yet.
    joining: Option<Move>,
    /// It was told that the journal cannot be written any more.
    unwritten: bool,
    /// Facts that found no room, as far as that was told.
    untold: u64,
    pedals: &'a Pedals,
    /// What was stopped and armed.
    told: &'a Receiver<Change>,
    handle: &'a KillHandle,
    day: &'a mut DayFile,
    /// There is a live view.
    drawn: bool,
}

/// What comes out of the tiles.
struct Inbox {
    events: Consumer<Event>,
    views: Consumer<View>,
    journal: Option<JournalWriter>,
}

impl Main<'_> {
    /// Takes what came; true where something did.
    fn drain(&mut self, inbox: &mut Inbox, watch: &mut Watch<'_>) -> bool {
        let mut some = false;
        while let Ok(event) = inbox.events.pop() {
            self.story.event(&event, self.table);
            if let Some(told) = Told::of(&event) {
                if let Told::Left(pair) | Told::Refused(pair) = told {
                    self.table.leave(pair);
                }
                watch.joins.told(told);
            }
            if let Event::RiskTripped { risk, .. } = &event
                && risk.latches()
            {
                self.handle.kill(risk_text(*risk));
            }
            if let Some(journal) = &mut inbox.journal {
                write_down(journal, &event, self.table, wall());
            }
            (watch.event)(&event);
            some = true;
        }
        while let Ok(view) = inbox.views.pop() {
            (watch.view)(&view);
            if let View::Core { today, accounts, naked, facts_lost, .. } = &view {
                if let Err(error) = self.day.note(Kept::of(*today, accounts, *naked)) {
                    self.handle.trouble(format!("what today came to cannot be kept: {error}"));
                }
                if *facts_lost > self.untold {
                    self.untold = *facts_lost;
                    self.handle.kill(UNTOLD);
                }
            }
            self.picture.take(view);
        }
        some
    }

    /// Takes in what was stopped and armed, and passes on what limits depend on.
    fn brake(&mut self, inbox: &mut Inbox, watch: &mut Watch<'_>) {
        let shut = |journal: &JournalWriter| !journal.durable().is_open();
        if !self.unwritten && inbox.journal.as_ref().is_some_and(shut) {
            // The gates saw it before: what asks for a person is said here.
            self.unwritten = true;
            self.handle.kill(UNWRITTEN);
        }
        for change in self.told.try_iter() {
            let Some(line) = self.story.changed(&change) else { continue };
            if let Some(journal) = &mut inbox.journal {
                note(journal, wall(), &line);
            }
            // Whoever has no live view reads it here.
            if !self.drawn {
                eprintln!("{line}");
            }
        }
        while let Some(word) = (watch.words)() {
            if let Word::Paid(payout) = word {
                self.story.paid(&payout, self.table);
                if let Some(journal) = &mut inbox.journal {
                    journal.write(&Record::Paid(payout));
                }
            }
            let mut ways = self.pedals.take();
            ways.brakes.tell(word);
            ways.flush();
        }
    }

    /// Tells the core of a pair that joins or is to leave. Everybody else who must know the markets
    /// of one that joins does already.
    fn join(&mut self, inbox: &mut Inbox, watch: &mut Watch<'_>) {
        let Some(change) = self.joining.take().or_else(|| watch.joins.next()) else { return };
        let mut ways = self.pedals.take();
        if ways.commands.slots() < COMMANDS_A_JOIN {
            self.joining = Some(change);
            return;
        }
        let leaves = match change {
            Move::Retire(pair) => Some(Command::Retire(pair)),
            Move::Vacate(market, generation) => Some(Command::Vacate { market, generation }),
            Move::Join(_) => None,
        };
        if let Some(command) = leaves {
            // There is room, as was seen.
            let _ = ways.commands.push(command);
        }
        let Move::Join(joined) = change else { return };
        // Whoever reads the journal must know the market before any order for it.
        if let Some(journal) = &mut inbox.journal {
            joined.records().iter().for_each(|record| {
                journal.write(record);
            });
        }
        joined.list(self.table);
        // Without this a pair may spend what lies on no shard: nothing.
        if let Some(shard) = shards::number(joined.spec.kalshi.exchange_index) {
            let market = joined.markets()[Venue::Kalshi.index()];
            let _ = ways.commands.push(Command::Tell(Word::Shard { market, shard }));
        }
        // There is room, as was seen.
        let _ = ways.commands.push(Command::Join(joined.listing));
        drop(ways);
        watch.joins.joined(&joined);
    }

    /// Looks until the run is over: trades, then holds until what is under way has ended. Being
    /// told to end a second time ends it at once.
    fn watch(
        &mut self,
        inbox: &mut Inbox,
        mut screen: Option<Screen>,
        watch: &mut Watch<'_>,
        stop: &AtomicBool,
    ) {
        if let Some(injection) = watch.inject {
            // The ring is new, so there is room.
            let _ = self.pedals.take().commands.push(Command::Inject(injection));
        }
        if watch.hold {
            // The ring is new, so there is room.
            let _ = self.pedals.take().commands.push(Command::Hold);
        }
        let began = Instant::now();
        let whole = watch.seconds.map(Duration::from_secs);
        let mut held: Option<Instant> = None;
        let mut remind = REMIND_EVERY;
        let mut drawn: Option<Instant> = None;
        loop {
            self.brake(inbox, watch);
            self.join(inbox, watch);
            let some = self.drain(inbox, watch);
            let elapsed = began.elapsed();
            (watch.tick)(elapsed);
            // A thread that failed ends the run.
            if stop.load(Relaxed) {
                return;
            }
            if drawn.is_none_or(|at| at.elapsed() >= DRAW_EVERY) {
                drawn = Some(Instant::now());
                if let Some(shown) = &mut screen
                    && self.show(shown, watch, elapsed, whole).unwrap_or(true)
                {
                    watch.stop.store(true, Relaxed);
                }
            }
            let over = whole.is_some_and(|whole| elapsed >= whole) || watch.stop.load(Relaxed);
            match held {
                // A full ring is tried again: an operator asked for something else.
                None if over && self.pedals.take().commands.push(Command::Hold).is_ok() => {
                    held = Some(Instant::now());
                    watch.stop.store(false, Relaxed);
                }
                Some(_) if watch.stop.load(Relaxed) => return,
                Some(since) => {
                    // A picture that is younger than the hold shows no bundle, or time is up.
                    let settled = since.elapsed() >= 2 * DRAW_EVERY
                        && self.picture.open().is_some_and(|(_, open)| open == 0);
                    if settled || since.elapsed() >= SETTLE {
                        return;
                    }
                    if since.elapsed() >= remind {
                        remind += REMIND_EVERY;
                        self.remind(screen.is_some());
                    }
                }
                None => {}
            }
            if !some {
                thread::park_timeout(REST);
            }
        }
    }

    /// Says what the end waits for.
    fn remind(&self, drawn: bool) {
        if let Some((unknown, open)) = self.picture.open().filter(|_| !drawn) {
            eprintln!(
                "{open} bundles have not ended, {unknown} orders are of unknown fate: asking the \
                 venues (end at once: Ctrl-C)"
            );
        }
    }

    /// Draws; true where the user wants out.
    fn show(
        &self,
        screen: &mut Screen,
        watch: &Watch<'_>,
        elapsed: Duration,
        whole: Option<Duration>,
    ) -> io::Result<bool> {
        let title = Title { text: &watch.title, elapsed, whole, latency: self.story.latency() };
        screen.draw(&title, self.table, &self.picture, self.story)?;
        screen.wants_out()
    }
}

/// The clock of a run, with the time at which it began.
pub fn clock() -> (TscClock, engine::tile::Now) {
    let clock = TscClock::new();
    let now = clock.now();
    (clock, now)
}

#[cfg(test)]
#[path = "trade_tests.rs"]
mod tests;
