//! Who changes the store waits for those whom the change must not meet.

use crate::harness::{Cachex, Running, cachex, eventually};
use std::fs::{self, File};

/// A lock of the store, which a call has made by now.
fn lock(cachex: &Cachex, name: &str) -> File {
    File::open(cachex.in_store("v2/locks").join(name)).unwrap()
}

#[test]
fn nothing_is_recorded_while_files_are_removed() {
    let cachex = cachex();
    cachex.run("echo one").once().misses();
    let publish = lock(&cachex, "publish");
    publish.lock().unwrap();
    for script in ["echo two", "seq 1 1000"] {
        let call = cachex.run(script);
        let good = call.clone().bare().once();
        let (young, blobs) = (cachex.stored_in("v2/young"), cachex.stored_in("v2/blobs"));
        // Whoever removes them may have been stopped, and holds up no run.
        let message = "not recorded: another process holds the store";
        let unrecorded = call.clone().with("--verbose").once().misses();
        assert_eq!(unrecorded.stdout(), good.stdout());
        unrecorded.mentions(&[message]);
        assert_eq!(cachex.stored_in("v2/young"), young);
        assert_eq!(cachex.stored_in("v2/blobs"), blobs);
        // What is there is served meanwhile.
        cachex.run("echo one").once().hits();
        publish.unlock().unwrap();
        call.once().misses().same_as(&good);
        call.once().hits().same_as(&good);
        publish.lock().unwrap();
    }
}

#[test]
fn no_entry_is_removed_while_others_are_recorded() {
    let cachex = cachex();
    let gone = cachex.run("echo hi").expires_in("1m").before("1h");
    gone.once().misses();
    let publish = lock(&cachex, "publish");
    publish.lock_shared().unwrap();
    let fold = cachex.fold().spawn();
    fold.waits_for_a_lock();
    assert_eq!(cachex.stored_in("v2/young").len(), 1);
    publish.unlock().unwrap();
    fold.ends().exits(0);
    assert_eq!(cachex.stored_in("v2/young").len(), 0);
}

#[test]
fn no_blob_is_removed_while_others_are_recorded() {
    let cachex = cachex();
    cachex.run("seq 1 1000").once().misses();
    fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
    let publish = lock(&cachex, "publish");
    publish.lock_shared().unwrap();
    let fold = cachex.audit().spawn();
    fold.waits_for_a_lock();
    assert_eq!(cachex.stored_in("v2/blobs").len(), 1);
    publish.unlock().unwrap();
    fold.ends().exits(0);
    assert_eq!(cachex.stored_in("v2/blobs").len(), 0);
}

#[test]
fn whoever_removes_waits_for_a_fold() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    for removes in [call.clone().forget(), cachex.cli(["clear", "--yes"])] {
        call.once().misses();
        cachex.fold().once().exits(0);
        let fold = lock(&cachex, "fold");
        fold.lock().unwrap();
        let removing = removes.spawn();
        cachex.awaits_a_waiter();
        call.once().hits();
        fold.unlock().unwrap();
        removing.ends().exits(0);
    }
    call.once().misses();
}

#[test]
fn nobody_waits_for_a_stopped_fold_for_ever_or_in_silence() {
    use rustix::process::Signal;
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    cachex.fold().once().exits(0);
    let archive = cachex.path("archive");
    cachex.cli(["export"]).option("--to", &archive).once().exits(0);
    cachex.run("echo gone").expires_in("1m").before("1h").once().misses();
    // It holds the lock of folds, and waits for those who record.
    let publish = lock(&cachex, "publish");
    publish.lock_shared().unwrap();
    let fold = cachex.fold().spawn();
    fold.waits_for_a_lock();
    fold.signal(Signal::STOP);
    cachex.run("echo late").once().misses();
    let whom = format!("process {} holds the store and is stopped", fold.pid().as_raw_nonzero());
    let remedy = format!("`kill -CONT {}`", fold.pid().as_raw_nonzero());
    let import = cachex.cli(["import"]).command([&archive]);
    let verbs = [
        (cachex.cli(["list", "--json"]), true),
        (cachex.cli(["stats", "--json"]), true),
        (cachex.cli(["prune", "--max-entries", "1"]), false),
        (call.clone().forget(), false),
        (import, false),
        (cachex.cli(["stats", "--reset", "--yes"]), false),
        (cachex.cli(["doctor", "--repair"]), false),
    ];
    let running: Vec<_> = verbs.iter().map(|(verb, _)| verb.spawn()).collect();
    for (ended, (_, reads)) in running.into_iter().map(Running::ends).zip(verbs) {
        let told = [ended.stdout(), ended.stderr()].concat();
        assert_eq!(ended.succeeded(), reads, "{told}");
        assert!(told.contains(&whom) && told.contains(&remedy), "{told}");
        if reads {
            assert!(told.contains("\"total") || told.contains("echo late"), "{told}");
            assert!(told.contains("may not be all there is"), "{told}");
        }
    }
    call.once().hits();
    fold.signal(Signal::CONT);
    publish.unlock().unwrap();
    fold.ends().exits(0);
    cachex.cli(["prune", "--max-entries", "1"]).once().exits(0).quietly();
}

#[test]
fn one_at_a_time_has_the_database_and_no_look_up_waits_for_it_for_ever() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    cachex.folds_away();
    let old = lock(&cachex, "old");
    old.lock().unwrap();
    let fold = cachex.fold().spawn();
    fold.waits_for_a_lock();
    call.once().misses().prints("hi\n").quietly();
    old.unlock().unwrap();
    fold.ends().exits(0);
}

#[test]
fn a_store_that_was_moved_away_is_not_created_anew() {
    let cachex = cachex();
    cachex.run("echo hi").once().misses();
    cachex.fold().once().exits(0);
    let old = lock(&cachex, "old");
    old.lock().unwrap();
    let fold = cachex.fold().spawn();
    fold.waits_for_a_lock();
    fs::rename(cachex.in_store("v2"), cachex.path("away")).unwrap();
    old.unlock().unwrap();
    fold.ends();
    assert!(!cachex.in_store("v2").exists());
}

#[test]
fn whoever_leaves_the_work_to_a_fold_has_it_do_another_round() {
    let cachex = cachex();
    cachex.run("echo gone").expires_in("1m").before("1h").once().misses();
    let publish = lock(&cachex, "publish");
    publish.lock_shared().unwrap();
    let fold = cachex.fold().spawn();
    fold.waits_for_a_lock();
    // What comes too late for it, and somebody who is to fold that.
    let late = cachex.run("echo late");
    late.once().misses();
    let background = ["-", "-", "0", "0", "0"];
    background.iter().fold(cachex.helper("fold"), |call, arg| call.with(arg)).once().exits(0);
    publish.unlock().unwrap();
    fold.ends().exits(0);
    fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
    late.once().hits().prints("late\n");
}

/// A fold removes the lock files of keys that nobody holds; whoever waits for
/// one at that moment gets a lock that keeps nobody out.
#[test]
fn a_lock_whose_file_was_removed_is_none() {
    let cachex = cachex();
    let (first, second) = (cachex.gate("first"), cachex.gate("second"));
    let count = crate::harness::quoted(cachex.path("runs"));
    let script = format!(
        "n=$(wc -c <{count}); echo $n >../run-$n; case $n in 1) {first};; 2) {second};; esac; exit 7"
    );
    let call = cachex.run(&script).exit_codes("0").with("--no-concurrent");
    let holder = call.spawn();
    cachex.line_of("run-1");
    let waiter = call.spawn();
    waiter.waits_for_a_lock();
    let is_of_key = |path: &std::path::PathBuf| path.file_name().unwrap().len() == 64;
    let mut locks = cachex.stored_in("v2/locks").into_iter().filter(is_of_key);
    fs::remove_file(cachex.in_store(locks.next().unwrap())).unwrap();
    let other = call.spawn();
    cachex.line_of("run-2");
    cachex.opens("first");
    holder.ends().exits(7);
    waiter.waits_for_a_lock();
    assert_eq!(cachex.runs(), 2);
    cachex.opens("second");
    other.ends().exits(7);
    waiter.ends().exits(7);
}

/// Another process that holds a file of the store, and is stopped.
#[cfg(target_os = "linux")]
fn held_by_one_that_is_stopped(cachex: &Cachex, file: &str) -> (Running, String) {
    use rustix::process::Signal;
    let path = cachex.in_store(file);
    let holder = cachex.bare(["flock", path.to_str().unwrap(), "cat"]).stdin_open().spawn();
    eventually("a holder", || File::open(&path).unwrap().try_lock().is_err().then_some(()));
    holder.signal(Signal::STOP);
    let whom = format!("process {} holds the store and is stopped", holder.pid().as_raw_nonzero());
    (holder, whom)
}

#[cfg(target_os = "linux")]
fn goes_on(mut holder: Running) {
    holder.signal(rustix::process::Signal::CONT);
    holder.end_input();
    holder.ends().exits(0);
}

#[cfg(target_os = "linux")]
#[test]
fn who_holds_the_account_and_is_stopped_is_named() {
    let cachex = cachex();
    cachex.run("echo hi").once().misses();
    let (holder, whom) = held_by_one_that_is_stopped(&cachex, "v2/account");
    cachex.run("echo ho").once().prints("ho\n").warns_once(&[&whom, "`kill -CONT "]);
    cachex.cli(["prune"]).once().exits(1).mentions(&[&whom]);
    goes_on(holder);
    cachex.run("echo ho").twice().runs_once();
}

#[cfg(target_os = "linux")]
#[test]
fn who_has_the_database_and_is_stopped_is_waited_for_once() {
    let cachex = cachex();
    cachex.run("echo hi").once().misses();
    cachex.fold().once().exits(0);
    cachex.run("echo ho").once().misses();
    let (holder, whom) = held_by_one_that_is_stopped(&cachex, "v2/locks/old");
    let list = cachex.cli(["list"]).once().exits(0).shows(&["echo ho"]).mentions(&[&whom]);
    assert_eq!(list.stderr().matches("waiting:").count(), 1, "{}", list.stderr());
    goes_on(holder);
    cachex.cli(["list"]).once().exits(0).quietly().shows(&["echo hi", "echo ho"]);
}
