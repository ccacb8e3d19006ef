//! One fuzzer for all targets: `CACHEX_FUZZ_TARGET` names the one that gets the
//! bytes. One binary is built in a twelfth of the time of twelve.
#![no_main]

use cachex::fuzzing::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("CACHEX_FUZZ_TARGET").expect("CACHEX_FUZZ_TARGET names no target");
        let known = TARGETS.iter().find(|(target, _)| *target == name);
        let _ = TARGET.set(*known.unwrap_or_else(|| panic!("there is no target {name}")));
    },
    |bytes: &[u8]| {
        if let Some((_, run)) = TARGET.get() {
            run(bytes);
        }
    }
);
