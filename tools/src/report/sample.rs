//! A report for tests, seeded and repeatable, with hostile text in it.

use engine::latency::StageHistogram;

use super::{Episode, RunReport, Seconds, StageLatency};
use crate::host::HostFacts;
use crate::jitter::{CoreJitter, JitterSummary};

/// Deterministic numbers: a 64-bit linear congruential generator, its high bits.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % end
    }
}

fn stage(name: &str, base_ns: u64, seed: u64, interval_ns: Option<u64>) -> StageLatency {
    let mut random = Seeded(seed);
    let mut all = StageHistogram::new();
    for n in 0..80_000u64 {
        let tail = match n % 10_000 {
            9_999 => base_ns * 400 + random.below(base_ns * 900),
            n if n % 1_000 == 0 => base_ns * 20 + random.below(base_ns * 30),
            n if n % 40 == 0 => base_ns * 3 + random.below(base_ns * 2),
            _ => 0,
        };
        all.record(base_ns + random.below(base_ns / 2 + 1) + tail);
    }
    let corrected = interval_ns.map(|interval| (all.corrected(interval), interval));
    StageLatency { name: name.into(), raw: all.raw().clone(), corrected }
}

/// Four measured stages, one that is not, forty minutes of frames, 160 opportunities.
pub(crate) fn report() -> RunReport {
    let mut random = Seeded(7);
    let started_ns = 1_783_300_000_000_000_000;
    let episodes = (0..160)
        .map(|n| {
            let lived_ns = 1_000_000 << random.below(14);
            let kalshi = random.below(3) > 0;
            Episode {
                pair: if n == 3 {
                    "<script>alert(1)</script>".into()
                } else {
                    format!("kxmenworldcup-26-{}", ["mx", "eng", "fr"][n % 3])
                },
                direction: "buy Kalshi NO + Polymarket YES".into(),
                opened_ns: started_ns + random.below(2_400) * 1_000_000_000,
                lived_ns,
                peak_edge_micro_usd: (200 + random.below(14_000) * random.below(100) / 100)
                    .cast_signed(),
                peak_qty_e2: 100 + random.below(400) * random.below(400),
                opened_by: if kalshi { "kalshi" } else { "polymarket" }.into(),
                closed_by: if n == 9 {
                    ""
                } else if kalshi {
                    "polymarket"
                } else {
                    "kalshi"
                }
                .into(),
                still_there: [0, 5, 50, 200].map(|ms| (ms, lived_ns > ms * 1_000_000)).to_vec(),
            }
        })
        .collect();
    let throughput = (0..2_400u64)
        .filter(|s| !(700..730).contains(s))
        .map(|s| (s, 40 + random.below(60) + if s % 300 < 20 { random.below(900) } else { 0 }))
        .collect();
    let mut unmeasured = stage("sign", 10, 1, None);
    unmeasured.raw.reset();
    RunReport {
        title: "Replay of worldcup & <friends>".into(),
        tapes: vec!["worldcup_mexico_england.tape.jsonl.zst".into()],
        summary: serde_json::json!({
            "frames": 265_114, "parse_errors": 0,
            "by_venue": {
                "kalshi": {"frames": 120_003, "book_messages": 101_332, "snapshots": 4, "deltas": 101_328,
                    "tickers": 5_001, "sequence_gaps": 0, "resets": 0, "crossed_states": 0,
                    "locked_states": 2, "best_mismatches": 0, "book_digest": "8c0ffee0"},
                "polymarket": {"frames": 145_111, "book_messages": 141_870, "snapshots": 16,
                    "deltas": 141_854, "tickers": 0, "sequence_gaps": 0, "resets": 1,
                    "crossed_states": 3, "locked_states": 9, "best_mismatches": 12, "book_digest": "badcafe0"},
            },
            "evaluations": 13_442, "candidates": 3_994,
            "candidates_by": [{"pair": "kxmenworldcup-26-mx", "direction": "KN+PY", "count": 3_890}],
            "best_edge_micro_usd": 19_664, "edge_hash": "6d0a35f1c2b94e77",
            "decisions": 31, "decision_hash": "0f9e8d7c6b5a4938", "fills": 58,
            "realised_profit_micro_usd": 4_318_200, "elapsed_s": 0.412, "frames_per_s": 643_480,
        }),
        stages: vec![
            stage("decode", 230, 1, Some(9_000)),
            stage("hop", 120, 2, None),
            stage("decision", 85, 3, None),
            unmeasured,
            stage("total", 450, 5, Some(9_000)),
        ],
        throughput,
        throughput_clock: Seconds::Tape,
        started_ns,
        episodes,
        host: HostFacts {
            cpu_model: "AMD EPYC <9B14>".into(),
            cores_online: 2,
            cores_allowed: "0-1".into(),
            smt: Some(false),
            virtualisation: Some("KVM".into()),
            kernel: "6.8.0-parallax".into(),
            memory_mib: 24_000,
            governor: None,
            kernel_clock: Some("tsc".into()),
            isolated: None,
            pinning: "feed on core 0, core on core 1".into(),
            idle:
                "spins, then yields: hot threads take every core, and the system needs one at times"
                    .into(),
            clock: "processor time stamp counter (invariant TSC)".into(),
            jitter: Some(JitterSummary {
                together: true,
                threshold_ns: 5_000,
                cores: [0, 1]
                    .map(|core| CoreJitter {
                        core,
                        pinned: true,
                        observed_ns: 200_000_000,
                        samples: 9_000_000,
                        p50_ns: 20,
                        p99_ns: 31,
                        p999_ns: 60,
                        p9999_ns: 5_200,
                        max_ns: 71_000 + 900_000 * core as u64,
                        gaps: 61,
                        lost_ns: 1_200_000,
                    })
                    .to_vec(),
            }),
        },
        notes: vec![
            "Latencies are of this machine and of replay at full speed: <b>no network</b>.".into(),
        ],
    }
}
