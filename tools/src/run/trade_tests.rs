//! What whoever watches does about what comes out of the tiles.

use super::*;
use crate::model::{Model, Options};
use crate::run::joins::Joined;
use crate::state::day::Whose;
use engine::core::CoreConfig;
use engine::tile::Now;
use engine::view::Viewer;
use rtrb::RingBuffer;

struct Nobody;

impl Joins for Nobody {
    fn next(&mut self) -> Option<Move> {
        None
    }

    fn joined(&mut self, _: &Joined) {}

    fn told(&mut self, _: Told) {}
}

#[test]
fn a_core_whose_facts_found_no_room_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let whose = Whose { environment: crate::config::Environment::Sim, live: false };
    let mut state = State::open(folder.path(), whose).unwrap();
    let model = Model::new(Options::default());
    let spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
    let setup = spec.setup().unwrap();
    let mut table = setup.table.clone();
    let core = Core::new(setup.table, setup.markets, CoreConfig::default());
    let (views_tx, views) = RingBuffer::new(64);
    let mut viewer = Viewer::new(views_tx);
    let (_events, events) = RingBuffer::new(1);
    let (commands, _commands) = RingBuffer::new(16);
    let pedals = Pedals::new(Brakes::default(), commands);
    let (tell, told) = mpsc::channel();
    let State { switch, day, .. } = &mut state;
    let handle = switch.handle();
    let mut story = Story::default();
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
        drawn: true,
    };
    let mut inbox = Inbox { events, views, journal: None };
    let stop = AtomicBool::new(false);
    let mut watch = Watch {
        title: String::new(),
        seconds: None,
        screen: false,
        hold: false,
        inject: None,
        stop: &stop,
        words: &mut || None,
        joins: &mut Nobody,
        tick: &mut |_| {},
        event: &mut |_| {},
        view: &mut |_| {},
    };
    let mut changes = |facts_lost| {
        viewer.show(&core, Now::default(), facts_lost);
        main.drain(&mut inbox, &mut watch);
        pedals::turn(switch, &pedals, &tell)
    };
    assert_eq!([0, 2, 2].map(&mut changes), [false, true, false]);
    handle.arm();
    assert_eq!([2, 2, 3].map(&mut changes), [true, false, true], "armed, and stopped by the next");
    main.brake(&mut inbox, &mut watch);
    assert!(story.killed.is_some_and(|why| why == UNTOLD));
}
