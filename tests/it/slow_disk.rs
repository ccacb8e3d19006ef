//! A disk that takes its time makes misses, and nothing worse.

use crate::harness::{Fate, Fault, cachex};
use std::fs;
use std::time::Duration;

#[test]
fn each_read_of_the_database_takes_longer_than_a_look_up_may() {
    let cachex = cachex();
    let call = cachex.run("echo hi; exit 3");
    call.once().misses();
    cachex.folds_away();
    let slow = Fate::Waits(Duration::from_secs(6));
    let traced = call.traced(Some(Fault { call: libc::SYS_pread64, at: None, fate: slow }));
    assert_eq!((traced.is_met, &traced.hangs), (true, &None));
    traced.outcome.misses().prints("hi\n").exits(3).quietly();
    assert!(cachex.names_in_store("old.broken-").is_empty(), "it was only slow");
    // What it holds is there when the disk is itself again.
    fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
    call.once().hits().prints("hi\n").exits(3);
}
