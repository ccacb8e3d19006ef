//! Taking entries out of the store.

use crate::harness::cachex;

#[test]
fn what_is_forgotten_runs_again() {
    let cachex = cachex();
    let (call, other) = (cachex.run("echo hi"), cachex.run("echo other"));
    call.once().misses();
    other.once().misses();
    call.clone().forget().once().runs(0).exits(0);
    other.once().hits();
    call.once().misses();
    call.once().hits();
}

#[test]
fn the_options_of_run_name_the_same_key() {
    let cachex = cachex();
    let call = cachex.run("cat").stdin("input").with("--no-cwd --env HOME --exe content --key k");
    call.once().misses();
    cachex.run("cat").stdin("input").forget().once();
    call.once().hits();
    call.clone().stdin("else").forget().once();
    call.once().hits();
    call.clone().expires_in("1h").inside(cachex.path("home")).forget().once().exits(0);
    call.once().misses();
}

#[test]
fn forgetting_reaches_what_was_folded() {
    let cachex = cachex();
    let call = cachex.run("seq 1 10000");
    call.once().misses();
    cachex.folds();
    call.clone().forget().once().exits(0);
    call.once().misses();
}

#[test]
fn forgetting_what_is_not_there_is_harmless() {
    let cachex = cachex();
    let outcome = cachex.run("echo hi").forget().once().runs(0);
    assert!(!outcome.stderr().contains("panic"));
    cachex.run("echo hi").twice().runs_once();
}

#[test]
fn clearing_takes_everything() {
    let cachex = cachex();
    let calls = [cachex.run("echo hi"), cachex.run("seq 1 100000"), cachex.run("exit 3")];
    for call in &calls {
        call.once().misses();
    }
    cachex.folds();
    let after = cachex.run("echo young");
    after.once().misses();
    cachex.cli(["clear", "--yes"]).once().exits(0);
    assert!(cachex.stored_in("v1/young").is_empty(), "{:?}", cachex.stored());
    assert!(cachex.stored_in("v1/blobs").is_empty(), "{:?}", cachex.stored());
    for call in calls.iter().chain([&after]) {
        call.twice().runs_once();
    }
}

#[test]
fn clearing_asks_first() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    // With nobody there to answer.
    let outcome = cachex.cli(["clear"]).once().mentions(&["--yes"]);
    assert!(!outcome.succeeded());
    call.once().hits();
}

#[test]
fn clearing_takes_nothing_but_what_is_its_own() {
    let cachex = cachex();
    cachex.run("echo hi").once().misses();
    cachex.write("store/v99/young/aa", "of a newer format");
    cachex.write("store/notes", "of somebody else");
    cachex.cli(["clear", "--yes"]).once().exits(0);
    assert!(cachex.path("store/v99/young/aa").exists());
    assert!(cachex.path("store/notes").exists());
}

#[test]
fn clearing_where_nothing_is_is_harmless() {
    let cachex = cachex();
    cachex.cli(["clear", "--yes"]).once().exits(0);
    cachex.run("echo hi").twice().runs_once();
}

#[test]
fn what_is_forgotten_does_not_come_back_from_behind_a_damaged_filter() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    cachex.folds();
    std::fs::remove_dir_all(cachex.store().join("v1/young")).unwrap();
    let filter = cachex.store().join("v1/old.keys");
    let mut bytes = std::fs::read(&filter).unwrap();
    // The last bit of every key's prefix.
    for at in (16..bytes.len()).step_by(8) {
        bytes[at + 7] ^= 1;
    }
    std::fs::write(&filter, bytes).unwrap();
    call.clone().forget().once().exits(0).prints("1 entry forgotten\n");
    cachex.folds();
    call.once().misses();
}
