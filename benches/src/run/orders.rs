//! The measurements of orders: signing them, firing them, from wire to wire.

use engine::units::Venue;

use super::{Effort, fire_words, instructions};
use crate::figures::Figures;
use crate::fire::Care;
use crate::{fire, sign, wire};

/// Signing, and taking what was signed ahead.
pub(super) fn signatures(effort: &Effort, figures: &mut Figures) {
    for row in sign::measure(if effort.quick { 5 } else { 25 }) {
        figures.each(row.name, row.total_ns, row.count);
    }
    figures.note(
        "sign_k256_ns has the hashes of a deposit wallet's order, sign_hmac_ns is over its body; \
         armed_take_ns searches among 64 orders"
            .into(),
    );
}

/// Orders that were signed ahead, and orders that were not, by venue.
pub(super) fn firing(effort: &Effort, figures: &mut Figures) -> Result<(), String> {
    let rounds = if effort.quick { 2 } else { 12 };
    let (mut most, mut slowest) = (Some(0.0_f64), 0);
    let (mut written, mut safe) = (Some(0.0_f64), Some(0.0_f64));
    let mut hits = fire::Shots::default();
    for (venue, short) in [(Venue::Kalshi, "kalshi"), (Venue::Polymarket, "polymarket")] {
        let name = format!("fire_hit_{short}_instructions");
        match instructions(fire_words(venue, Care::Guarded), fire::SPAN, effort) {
            Ok(total) => figures.count(&name, total),
            Err(error) => figures.absent(&name, &error.to_string()),
        }
        let plain = figures.get(&name);
        most = most.zip(plain).map(|(most, count)| most.max(count));
        let added = format!("fire_journal_{short}_instructions");
        match instructions(fire_words(venue, Care::Journalled), fire::SPAN, effort) {
            Ok(total) => figures.ratio(&added, total as f64 - plain.unwrap_or_default(), 1.0),
            Err(error) => figures.absent(&added, &error.to_string()),
        }
        written = written.zip(figures.get(&added)).map(|(most, count)| most.max(count));
        let held = format!("fire_guard_{short}_instructions");
        match instructions(fire_words(venue, Care::Bare), fire::SPAN, effort) {
            Ok(total) => figures.ratio(&held, plain.unwrap_or_default() - total as f64, 1.0),
            Err(error) => figures.absent(&held, &error.to_string()),
        }
        let both = figures.get(&held).zip(figures.get(&added)).map(|(one, other)| one + other);
        safe = safe.zip(both).map(|(most, count)| most.max(count));
        let kept = fire::fire(venue, rounds, true, Care::Journalled)?;
        figures.count(&format!("fire_journal_{short}_ns"), kept.median_ns());
        hits.allocations += kept.allocations;
        let hit = fire::fire(venue, rounds, true, Care::Guarded)?;
        figures.count(&format!("fire_hit_{short}_ns"), hit.median_ns());
        hits.allocations += hit.allocations;
        hits.public_key_ops += hit.public_key_ops;
        hits.hmacs += hit.hmacs;
        let miss = fire::fire(venue, rounds, false, Care::Guarded)?.median_ns();
        figures.count(&format!("fire_miss_{short}_ns"), miss);
        slowest = slowest.max(miss);
    }
    match most {
        Some(most) => figures.ratio("fire_hit_instructions", most, 1.0),
        None => figures.absent("fire_hit_instructions", "no instructions were counted"),
    }
    match written {
        Some(most) => figures.ratio("fire_journal_instructions", most, 1.0),
        None => figures.absent("fire_journal_instructions", "no instructions were counted"),
    }
    match safe {
        Some(most) => figures.ratio("fire_safety_instructions", most, 1.0),
        None => figures.absent("fire_safety_instructions", "no instructions were counted"),
    }
    figures.count("fire_hit_public_key_ops", hits.public_key_ops);
    figures.count("fire_hit_hmacs", hits.hmacs);
    figures.count("fire_hit_allocations", hits.allocations);
    figures.count("fire_miss_ns", slowest);
    figures.note(
        "fire_hit_instructions: from the bundle in the gate's ring to the call that hands its \
         request to the connection, Polymarket's found last among 64; fire_*_ns: the whole step of the gate, over a connection that \
         copies where TLS encrypts; a miss signs on the spot, on Kalshi with Ed25519; \
         fire_journal_instructions: what writing the order down and waiting for nothing adds, \
         fire_guard: what the gate's limits do; fire_safety_instructions: both"
            .into(),
    );
    Ok(())
}

/// A frame on one socket to an order on another, beside an echo.
pub(super) fn wire_to_wire(effort: &Effort, figures: &mut Figures) {
    let plan = if effort.quick {
        wire::Plan { a_round: 50, rounds: 3 }
    } else {
        wire::Plan { a_round: 200, rounds: 10 }
    };
    let wire = match wire::measure(plan) {
        Ok(wire) => wire,
        Err(reason) => return figures.absent("wire_over_echo", &reason),
    };
    for (name, spread) in [
        ("wire_to_wire", wire.order.there),
        ("echo", wire.echo.there),
        ("wire_round_trip", wire.order.and_back),
        ("echo_round_trip", wire.echo.and_back),
        ("wire_feed_pushed", wire.pushed),
        ("wire_decided_to_sent", wire.sent),
    ] {
        figures.count(&format!("{name}_p50_ns"), spread.p50);
        figures.count(&format!("{name}_p99_ns"), spread.p99);
    }
    figures.ratio("wire_over_echo", wire.order.there.p50 as f64, wire.echo.there.p50 as f64);
    figures.count("wire_inline_signatures", wire.inline);
    let [tiles, bare] = [wire.tiles, wire.bare].map(|it| it.calls as f64 / it.records as f64);
    figures.ratio("tls_allocations_a_record", bare, 1.0);
    figures.ratio("wire_allocations_outside_tls", (tiles - bare).max(0.0), 1.0);
    let [frame, order] = wire.bytes;
    figures.note(format!(
        "wire_to_wire_*: from before the venue's call that makes a market's frame of {frame} bytes \
         readable to after the call that wrote the order of {order} bytes, Kalshi's feed, core and \
         gate on one core and the venue on the other, headers signed ahead; echo_*: the same of a \
         TLS client that answers as many bytes with as many. Both are of the best of {} rounds",
        plan.rounds
    ));
}
