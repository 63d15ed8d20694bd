//! No tile allocates after its start: counted over a whole tape, not believed.

#[path = "../../engine/tests/common/counting.rs"]
mod counting;

use counting::allocations;
use engine::core::CoreConfig;
use engine::event::{Event, PairChange};
use engine::paper::PaperCore;
use engine::tile::{Now, Tile};
use engine::units::{Ns, Venue};
use feeds::kalshi::session::NoSide;
use parallax::model::{Model, Options};
use parallax::pairs;
use parallax::replay::setup::{FeedOptions, setup};
use parallax::tape::{Body, Preloaded, Record};
use parallax::topology;

/// Plays the tape through the tiles, `later` than it was, and says how many allocations their
/// steps made.
fn play(tiles: &mut topology::ReplayTiles, tape: &Preloaded, later: Ns) -> u64 {
    let before = allocations();
    let (mut decisions, mut fees) = (0, 0);
    for mut record in tape.iter() {
        record.recv = record.recv.after(later);
        tiles.batches[record.venue.index()].push(&record);
        tiles.order.push(record.venue);
        // Sent one by one, so that this thread's memory stays as it was laid out.
        assert!(tiles.batches[record.venue.index()].send() && tiles.order.send());
        let fed = match record.venue {
            Venue::Kalshi => tiles.kalshi.step(Now::default()),
            Venue::Polymarket => tiles.polymarket.step(Now::default()),
        };
        assert_eq!((fed, tiles.core.step(Now::default())), (1, 1));
        while let Ok(event) = tiles.events.pop() {
            let fee = PairChange::Fee;
            fees += u64::from(matches!(event, Event::PairChanged { change, .. } if change == fee));
            decisions += u64::from(matches!(event, Event::ExecuteTrade(_)));
        }
    }
    assert!(decisions > 0, "a tape without a decision would prove little");
    assert_eq!(fees, 2, "nor would one without a change of fees");
    allocations() - before
}

#[test]
fn no_tile_allocates_after_its_start() {
    let model = Model::new(Options { seed: 7, minutes: 4, markets: 6 });
    let file = pairs::parse(&model.pairs_toml(), "demo").unwrap();
    let mut tape = Preloaded::default();
    let event = file.pairs[0].kalshi.event.clone();
    let mut fees = vec![("null", 2), ("\"flat\"", 1)];
    model
        .run(&mut |record| {
            tape.push(record);
            // In the middle the fees of an event change, and change back.
            if tape.len() > 5_000
                && record.venue == Venue::Kalshi
                && let Some((fee_type, seq)) = fees.pop()
            {
                let frame = format!(
                    r#"{{"type":"event_fee_update","sid":40,"seq":{seq},"msg":{{"event_ticker":"{event}","fee_type_override":{fee_type},"fee_multiplier_override":null}}}}"#
                );
                tape.push(&Record { body: Body::Frame(frame.as_bytes()), ..*record });
            }
            Ok(())
        })
        .unwrap();
    assert!(tape.iter().filter(|record| matches!(record.body, Body::Frame(_))).count() > 10_000);

    let setup =
        setup(&file, FeedOptions { no_side: NoSide::NoPrice, audit_every: 16, learn: true })
            .unwrap();
    let config =
        CoreConfig { trade: true, min_profit: Default::default(), ..CoreConfig::default() };
    let core = PaperCore::new(setup.table, setup.markets, config, [Ns::from_ms(5); 2]);
    let mut tiles =
        topology::replay(setup.kalshi, setup.events, setup.polymarket, core, setup.markets);
    // The first time through, decoders lay out their buffers for the largest frame of each kind.
    let start = play(&mut tiles, &tape, Ns(0));
    assert!(start < 200, "{start} allocations: more than buffers finding their size");
    let after = play(&mut tiles, &tape, Ns::from_ms(3_600_000));
    assert_eq!(after, 0, "allocations over {} records", tape.len());
}
