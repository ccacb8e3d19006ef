//! SIGKILL at every change to the store, and at random: what was recorded is
//! still there or is recorded again, and nothing half-done is ever served.

use crate::harness::{Cachex, Call, Outcome, cachex, eventually, quoted};
use std::fs;
use std::time::Duration;

/// 300 KB that go to a blob.
const LONG: &str = "seq 1 50000";
/// So many changes of stream that frames go to a blob too.
const MIXED: &str = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo $i; echo e$i >&2; done; exit 3";

/// A short, a long and a mixed output, and what they print.
fn scripts(cachex: &Cachex) -> Vec<(Call, Outcome)> {
    let calls = ["echo hi", LONG, MIXED].map(|script| cachex.run(script).failure_expires_in("1d"));
    calls.into_iter().map(|call| (call.clone(), call.clone().bare().once())).collect()
}

/// Prints how often it was run.
fn numbered(cachex: &Cachex) -> Call {
    cachex.run(&format!("wc -c <{}", quoted(cachex.path("runs"))))
}

/// What those who died left is gone two hours later.
#[track_caller]
fn is_swept(cachex: &Cachex) {
    cachex.fold().after("2h").once().exits(0);
    cachex.is_swept();
}

#[test]
fn a_recording_is_whole_or_not_there() {
    for (number, least) in [(0, 8), (1, 15), (2, 20)] {
        let cachex = cachex();
        let (call, good) = scripts(&cachex).swap_remove(number);
        let clean = || drop(fs::remove_dir_all(cachex.store()));
        let changes = call.killed_everywhere(clean, |_| {
            call.once().same_as(&good);
            call.once().hits().same_as(&good);
            is_swept(&cachex);
        });
        assert!(changes >= least, "{call} only makes {changes} changes");
        call.once().hits().same_as(&good);
    }
}

#[test]
fn a_recording_that_replaces_another_leaves_one_of_them() {
    let cachex = cachex();
    let call = numbered(&cachex);
    let last = |said: &Outcome| said.stdout().trim().parse::<usize>().unwrap();
    call.once().misses();
    cachex.fold().once().exits(0);
    let mut before = last(&call.once().hits());
    for n in 1.. {
        let forced = call.clone().with("--force");
        let killed = forced.clone().fault(format!("change:{n}=kill")).once();
        let now = last(&call.once().exits(0));
        assert!(now >= before, "run {now} came back after run {before}");
        if !killed.was_killed() {
            assert!(n > 4);
            break;
        }
        before = last(&forced.once());
        assert_eq!(last(&call.once().hits()), before);
    }
}

/// A store with everything in it that a fold has to do with.
fn to_be_folded(cachex: &Cachex) -> Vec<(Call, Outcome)> {
    let calls = scripts(cachex);
    let numbered = numbered(cachex);
    let gone = cachex.run("seq 1 30000").expires_in("1m").before("1h");
    numbered.once().misses();
    for (call, _) in &calls[..2] {
        call.once().misses();
    }
    gone.once().misses();
    cachex.fold().before("1h").once().exits(0);
    let numbered_again = numbered.clone().with("--force").once();
    calls[2].0.once().misses();
    cachex.run("seq 1 40000").expires_in("1m").before("1h").once().misses();
    calls[0].0.once().hits();
    cachex.write("store/v2/tmp/1-0-1", "left by the dead");
    cachex.write("store/v2/trash-1/blob", "left by the dead");
    calls.into_iter().chain([(numbered, numbered_again)]).collect()
}

#[track_caller]
fn all_there(calls: &[(Call, Outcome)]) {
    for (call, good) in calls {
        call.once().hits().same_as(good);
    }
}

fn a_fold_loses_nothing(fold: impl Fn(&Cachex) -> Call, least: u32) {
    let cachex = cachex();
    let calls = to_be_folded(&cachex);
    cachex.keeps_store("kept");
    let changes = fold(&cachex).killed_everywhere(
        || cachex.restores_store("kept"),
        |n| {
            cachex.filter_is_superset();
            all_there(&calls);
            // Everything that it began is done by the next.
            cachex.fold().after("2h").once().exits(0);
            cachex.is_swept();
            // The blobs of two calls; two others had expired. What nothing
            // leads to any more is found when its part of the folders is due.
            let blobs = cachex.stored_in("v2/blobs").len();
            assert!((2..=5).contains(&blobs), "after {n} changes there are {blobs} blobs");
            fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
            all_there(&calls);
        },
    );
    assert!(changes >= least, "a fold only makes {changes} changes");
    cachex.audit().once().exits(0);
    assert!(cachex.stored_in("v2/blobs").len() <= 3);
}

#[test]
fn a_fold_that_is_killed_loses_nothing() {
    a_fold_loses_nothing(Cachex::fold, 30);
}

#[test]
fn a_fold_of_everything_that_is_killed_loses_nothing() {
    a_fold_loses_nothing(Cachex::audit, 40);
}

#[test]
fn a_fold_that_rebuilds_the_filter_and_is_killed_loses_nothing() {
    let cachex = cachex();
    let calls = scripts(&cachex);
    for (call, _) in &calls {
        call.once().misses();
    }
    cachex.folds_away();
    fs::remove_file(cachex.in_store("v2/old.keys")).unwrap();
    cachex.keeps_store("kept");
    let changes =
        cachex.fold().killed_everywhere(|| cachex.restores_store("kept"), |_| all_there(&calls));
    assert!(changes >= 5, "it only makes {changes} changes");
}

#[test]
fn a_promotion_that_is_killed_loses_nothing() {
    let cachex = cachex();
    let calls = scripts(&cachex);
    for (call, _) in &calls {
        call.once().misses();
    }
    let key = cachex.stored_in("v2/young").swap_remove(0);
    let key = key.file_name().unwrap().to_str().unwrap();
    cachex.folds_away();
    cachex.keeps_store("kept");
    let get = cachex.helper("get").with(key);
    let changes = get.killed_everywhere(
        || cachex.restores_store("kept"),
        |_| {
            all_there(&calls);
            is_swept(&cachex);
        },
    );
    assert!(changes >= 5, "it only makes {changes} changes");
    // The one who asks for it runs instead, or has it already.
    let (call, good) = &calls[1];
    for n in 1..=changes {
        cachex.restores_store("kept");
        call.clone().fault(format!("change:{n}=kill")).once();
        call.once().same_as(good);
        call.once().hits().same_as(good);
    }
}

#[test]
fn a_snapshot_that_sled_did_not_finish_costs_nothing() {
    let cachex = cachex();
    let calls = scripts(&cachex);
    for (call, _) in &calls {
        call.once().misses();
    }
    cachex.folds_away();
    // What a process leaves that is killed while sled writes one.
    for content in ["", "half of one"] {
        cachex.write("store/v2/old/index/snap.7FFFFFFFFFFFFFFF.generating", content);
        let _ = fs::remove_dir_all(cachex.in_store("v2/young"));
        all_there(&calls);
        cachex.fold().once().exits(0);
        cachex.is_swept();
        fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
        all_there(&calls);
    }
}

#[test]
fn what_is_being_written_is_not_taken_for_a_leftover() {
    let cachex = cachex();
    let call = cachex.run(&format!("{LONG}; {}", cachex.gate("gate")));
    let running = call.spawn();
    eventually("a blob in the making", || (!cachex.stored_in("v2/tmp").is_empty()).then_some(()));
    cachex.fold().after("2h").once().exits(0);
    cachex.audit().after("2h").once().exits(0);
    assert_eq!(cachex.stored_in("v2/tmp").len(), 1);
    cachex.opens("gate");
    let good = running.ends().exits(0).quietly();
    call.once().hits().same_as(&good);
}

/// A call whose second run superseded the first, which was folded.
fn superseded(cachex: &Cachex) -> Call {
    let call = numbered(cachex);
    call.once().prints("1\n");
    cachex.fold().once().exits(0);
    call.clone().with("--force").once().prints("2\n");
    call
}

#[test]
fn clearing_that_is_killed_brings_nothing_back() {
    let cachex = cachex();
    let call = superseded(&cachex);
    let (other, good) = scripts(&cachex).swap_remove(1);
    other.once().misses();
    cachex.keeps_store("kept");
    let clear = cachex.cli(["clear", "--yes"]);
    let changes = clear.killed_everywhere(
        || cachex.restores_store("kept"),
        |n| {
            let printed = call.once().stdout();
            assert_ne!(printed, "1\n", "a result came back that was superseded, at change {n}");
            other.once().same_as(&good);
            clear.once().exits(0);
            assert_eq!(cachex.stored_in("v2/young").len(), 0);
            assert_eq!(cachex.stored_in("v2/blobs").len(), 0);
            is_swept(&cachex);
        },
    );
    assert!(changes >= 8, "it only makes {changes} changes");
}

#[test]
fn forgetting_that_is_killed_brings_nothing_back() {
    let cachex = cachex();
    let call = superseded(&cachex);
    cachex.keeps_store("kept");
    let forget = call.clone().forget();
    // Its helper dies too where it gets that far.
    let changes = forget.killed_everywhere(
        || cachex.restores_store("kept"),
        |n| {
            let printed = call.once().stdout();
            assert_ne!(printed, "1\n", "a result came back that was superseded, at change {n}");
            forget.once().exits(0);
            is_swept(&cachex);
            assert_eq!(call.once().misses().stdout().trim(), cachex.runs().to_string());
        },
    );
    assert!(changes >= 4, "it only makes {changes} changes");
}

/// The delays and the choices of the test below, the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

#[test]
fn two_hundred_deaths_at_random_harm_nothing() {
    let cachex = cachex();
    let calls = scripts(&cachex);
    let mut chance = Chance(25);
    let mut killed = 0;
    for round in 0..200 {
        let (call, _) = &calls[chance.below(3) as usize];
        let victim = match round % 4 {
            0 | 1 => call.clone().with("--force"),
            2 => cachex.fold(),
            _ => call.clone().forget(),
        };
        let delay = Duration::from_micros(chance.below(20_000));
        killed += usize::from(victim.spawn().killed_after(delay).was_killed());
        let (call, good) = &calls[chance.below(3) as usize];
        call.once().same_as(good);
        call.once().hits().same_as(good);
    }
    assert!(killed > 50, "only {killed} of them died of it");
    for (call, good) in &calls {
        call.once().same_as(good);
    }
    cachex.audit().after("2h").once().exits(0);
    cachex.is_swept();
    fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
    all_there(&calls);
}

#[test]
fn the_background_fold_may_be_killed_as_well() {
    let cachex = cachex();
    let calls = scripts(&cachex);
    for (call, _) in &calls {
        call.once().misses();
    }
    let background = ["-", "-", "0", "0", "0"];
    let fold = background.iter().fold(cachex.helper("fold"), |call, arg| call.with(arg));
    cachex.keeps_store("kept");
    let mut chance = Chance(26);
    for _ in 0..25 {
        cachex.restores_store("kept");
        fold.spawn().killed_after(Duration::from_micros(chance.below(15_000)));
        all_there(&calls);
        fold.once().exits(0);
        fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
        all_there(&calls);
    }
}
