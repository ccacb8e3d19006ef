//! The soak of `benches/soak`, for a few seconds.

#[path = "../../benches/soak/engine/mod.rs"]
mod engine;

use crate::harness::World;
use engine::Options;
use std::time::Duration;

fn soaks(flips: bool) {
    let options = Options {
        cachex: World::binary().to_owned(),
        duration: Duration::from_secs(6),
        workers: 8,
        commands: 40,
        clear_every: Duration::from_secs(2),
        flips,
        seed: 1,
        progress: None,
    };
    let report = engine::run(options).unwrap();
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    assert!(report.hits.get() > 0 && report.misses.get() > 0, "{report}");
}

#[test]
fn everything_at_once_for_a_few_seconds() {
    soaks(false);
}

#[test]
fn and_with_bits_flipped() {
    soaks(true);
}
