//! No space left, at each write in turn: the command's output and status, at
//! most one warning, and a cache again as soon as there is space.

use crate::harness::{Cachex, Call, Mounted, Outcome, cachex, where_mounts_are_ones_own};
use rustix::io::Errno;
use std::fs;

/// 300 KB that go to a blob.
const LONG: &str = "seq 1 50000";
/// Plenty of pages, and of files.
const PLENTY: (u64, u64) = (4096, 4096);

fn calls(cachex: &Cachex) -> Vec<(Call, Outcome)> {
    let scripts = ["echo hi; exit 3", LONG];
    let with_bare = |call: Call| (call.clone(), call.bare().once());
    // Failures are served for a minute, and folds may take longer.
    let lasting = |script| cachex.run(script).failure_expires_in("1h");
    scripts.into_iter().map(|script| with_bare(lasting(script))).collect()
}

/// Right bytes and status, and one warning at the most.
#[track_caller]
fn runs_regardless(call: &Call, good: &Outcome) -> Outcome {
    call.once().prints(good.stdout()).ends_as(good).warns_at_most_once()
}

#[track_caller]
fn is_cached(call: &Call, good: &Outcome) {
    call.once().same_as(good);
    call.once().hits().same_as(good);
}

/// In a file system of this size, then in a larger one.
fn in_a_full_file_system(pages: u64, files: u64) {
    let cachex = cachex();
    let mounted = Mounted::small(&cachex.store(), pages, files);
    let calls = calls(&cachex);
    for (call, good) in &calls {
        for options in ["", "--no-concurrent", "--force"] {
            runs_regardless(&call.clone().with(options), good);
        }
        let explicit = call.clone().option("--cache-dir", cachex.store());
        runs_regardless(&explicit, good);
    }
    cachex.fold().once();
    for (call, good) in &calls {
        runs_regardless(call, good);
    }
    mounted.grows(PLENTY.0, PLENTY.1);
    for (call, good) in &calls {
        is_cached(call, good);
    }
    cachex.fold().once().exits(0);
    fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
    for (call, good) in &calls {
        call.once().hits().same_as(good);
    }
}

/// The limit on the size of a file instead, for who may not mount: where a
/// write would go beyond it, SIGXFSZ comes, and then an error.
fn under_a_limit_on_files(blocks: u32) {
    let cachex = cachex();
    for (call, good) in calls(&cachex) {
        let limited = call.clone().launched_by(&format!(r#"ulimit -f {blocks}; exec "$@""#));
        for options in ["", "--no-concurrent", "--force"] {
            runs_regardless(&limited.clone().with(options), &good);
        }
        is_cached(&call, &good);
        limited.once().hits().same_as(&good);
    }
}

#[test]
fn a_file_system_without_space_for_the_next_write() {
    let mounted = where_mounts_are_ones_own(|| {
        for pages in (1..16).chain([20, 40, 60, 80, 100, 140, 200, 240, 300]) {
            in_a_full_file_system(pages, PLENTY.1);
        }
    });
    if mounted.is_none() {
        (1..40).for_each(under_a_limit_on_files);
    }
}

#[test]
fn a_file_system_without_space_for_the_next_file() {
    let mounted = where_mounts_are_ones_own(|| {
        (2..30).for_each(|files| in_a_full_file_system(PLENTY.0, files));
    });
    if mounted.is_none() {
        (1..20).for_each(under_a_limit_on_files);
    }
}

#[test]
fn where_there_can_be_no_more_files_what_was_used_least_goes() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let _mounted = Mounted::small(&cachex.store(), PLENTY.0, 600);
        // Two files each.
        let call = |n: usize| cachex.run(&format!("echo {n}; seq 1 1000"));
        for n in 0..400 {
            call(n).with("--quiet").once().misses();
        }
        for n in 380..400 {
            call(n).once().hits();
        }
        call(0).once().misses();
        call(0).once().hits();
    });
}

#[test]
fn where_there_can_be_no_more_files_none_is_taken_by_an_empty_folder() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let _mounted = Mounted::small(&cachex.store(), PLENTY.0, 200);
        let call = |n: usize| cachex.run(&format!("echo {n}"));
        for n in 0..300 {
            call(n).once().misses();
        }
        for n in 280..300 {
            call(n).once().hits();
        }
    });
}

#[test]
fn a_limit_on_the_size_of_files_is_for_the_command_alone() {
    for blocks in [1, 2, 16, 64, 1000] {
        under_a_limit_on_files(blocks);
    }
}

#[test]
fn the_command_meets_the_limit_as_it_would_without_cachex() {
    let cachex = cachex();
    let script = "head -c 100000 /dev/zero >../big; echo $?; kill -XFSZ $$; echo survived";
    let call = cachex.run(script).launched_by(r#"ulimit -f 8; exec "$@""#);
    let bare = call.clone().bare().once();
    call.twice().runs_twice().same_as(&bare);
    let ignoring = cachex.run(script).launched_by(r#"trap "" XFSZ; ulimit -f 8; exec "$@""#);
    let bare = ignoring.clone().bare().once();
    ignoring.twice().runs_once().same_as(&bare);
}

#[test]
fn a_long_input_under_a_limit_still_reaches_the_command() {
    let cachex = cachex();
    let call = cachex.run("wc -c").stdin_of_zeros(3 << 20);
    call.launched_by(r#"ulimit -f 64; exec "$@""#).once().prints("3145728\n").exits(0);
}

/// Every change to the store in turn meets this error, alone and with all after it.
fn every_change_fails_with(errno: Errno) {
    let cachex = cachex();
    for (call, good) in &calls(&cachex) {
        for n in 1..60 {
            let fault = format!("change:{n}={}", errno.raw_os_error());
            let _ = fs::remove_dir_all(cachex.store());
            runs_regardless(&call.clone().fault(&fault), good);
            is_cached(call, good);
            // Over a record that is there already, by those who wait for a lock.
            let again = call.clone().with("--force --no-concurrent").fault(&fault);
            runs_regardless(&again, good);
            call.once().hits().same_as(good);
        }
    }
}

#[test]
fn any_change_may_find_the_disk_full() {
    every_change_fails_with(Errno::NOSPC);
}

#[test]
fn any_change_may_meet_an_error_of_the_disk() {
    every_change_fails_with(Errno::IO);
}

#[test]
fn a_fold_may_find_the_disk_full_anywhere_and_loses_nothing() {
    let cachex = cachex();
    let calls = calls(&cachex);
    for (call, _) in &calls {
        call.once().misses();
    }
    cachex.fold().once().exits(0);
    let added = cachex.run("seq 1 20000");
    let good = added.once().misses();
    cachex.keeps_store("kept");
    let mut folds = 0;
    for n in 1.. {
        cachex.restores_store("kept");
        let fault = format!("change:{n}={}", Errno::NOSPC.raw_os_error());
        let failed = !cachex.fold().fault(fault).once().succeeded();
        for (call, good) in &calls {
            call.once().hits().same_as(good);
        }
        added.once().hits().same_as(&good);
        assert!(cachex.names_in_store("old.broken-").is_empty(), "at change {n}");
        cachex.fold().after("2h").once().exits(0);
        cachex.is_swept();
        // What only failed to be removed is no failure of the fold.
        folds = if failed { 0 } else { folds + 1 };
        if folds > 12 {
            assert!(n > 30);
            break;
        }
    }
}

#[test]
fn files_that_may_be_cut_short_by_a_full_disk_are_not_recorded() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let mounted = Mounted::small(&cachex.path("work/out"), 512, 100);
        cachex.write("work/long", vec![b'x'; 1_500_000]);
        cachex.write("work/out/fill", vec![b'y'; 1_000_000]);
        let script = "cat long >out/copy 2>/dev/null; wc -c <out/copy";
        for options in ["--auto", "--output out/copy"] {
            let call = cachex.run(script).with(options);
            call.once().warns_at_most_once();
            mounted.grows(4096, 100);
            fs::remove_file(cachex.path("work/out/copy")).unwrap();
            call.once().prints("1500000\n").quietly();
            fs::remove_file(cachex.path("work/out/copy")).unwrap();
            mounted.grows(512, 100);
        }
    });
}

/// A traced call that leaves 300 KB behind, and more.
#[cfg(target_os = "linux")]
fn leaves_files(cachex: &Cachex) -> Call {
    let script = format!("{LONG} >out; mkdir -p d; echo x >d/f; echo done");
    cachex.run(&script).with("--auto").option("--auto-ignore", cachex.path("runs"))
}

#[cfg(target_os = "linux")]
#[test]
fn files_that_a_hit_brings_back_to_a_full_disk_leave_it_as_it_was() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let work = cachex.work();
        let _mounted = Mounted::small(&work, PLENTY.0, PLENTY.1);
        let call = leaves_files(&cachex);
        call.once().misses();
        let good = fs::read(work.join("out")).unwrap();
        let clean = || {
            fs::remove_file(work.join("out")).unwrap();
            fs::remove_dir_all(work.join("d")).unwrap();
        };
        clean();
        let filler = fs::File::create(work.join("filler")).unwrap();
        let mut room = PLENTY.0 * 4096;
        while room > 4096 {
            match rustix::fs::fallocate(&filler, rustix::fs::FallocateFlags::empty(), 0, room) {
                Ok(()) => break,
                Err(_) => room -= 4096,
            }
        }
        // No hit, and nothing is left of the attempt.
        let before: Vec<_> = fs::read_dir(&work).unwrap().map(|it| it.unwrap().path()).collect();
        call.clone().with("--cached-only").once().runs(0).exits(125).warns_at_most_once();
        let after: Vec<_> = fs::read_dir(&work).unwrap().map(|it| it.unwrap().path()).collect();
        assert_eq!(before, after);
        // A process that another test is starting may have it open for a moment longer.
        filler.set_len(0).unwrap();
        call.once().hits().prints("done\n");
        assert_eq!(fs::read(work.join("out")).unwrap(), good);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn files_of_a_traced_run_that_the_store_has_no_space_for_stay_where_they_are() {
    where_mounts_are_ones_own(|| {
        for pages in [2, 6, 12, 40, 80, 150] {
            let cachex = cachex();
            let mounted = Mounted::small(&cachex.store(), pages, PLENTY.1);
            let call = leaves_files(&cachex);
            call.once().runs(1).exits(0).prints("done\n").warns_at_most_once();
            let good = fs::read(cachex.work().join("out")).unwrap();
            mounted.grows(PLENTY.0, PLENTY.1);
            fs::remove_file(cachex.work().join("out")).unwrap();
            fs::remove_dir_all(cachex.work().join("d")).unwrap();
            call.once().prints("done\n");
            fs::remove_file(cachex.work().join("out")).unwrap();
            fs::remove_dir_all(cachex.work().join("d")).unwrap();
            call.once().hits().prints("done\n");
            assert_eq!(fs::read(cachex.work().join("out")).unwrap(), good);
        }
    });
}

/// A store of so many small results, of which the third is tagged, on a disk that is full of other
/// things, and what calls for them.
fn full_of_small_ones(cachex: &Cachex, count: usize, is_folded: bool) -> Vec<Call> {
    let call = |n: usize| cachex.run(&format!("echo {n}; head -c 300 /dev/zero"));
    for n in 0..count {
        let tag = if n == 2 { "--tag third" } else { "" };
        call(n).with(tag).before(&format!("{} min", count - n)).once().misses();
    }
    if is_folded {
        cachex.fold().once().exits(0);
    }
    crate::relief::fills_the_rest(cachex);
    (0..count).map(call).collect()
}

#[test]
fn only_what_is_to_be_removed_from_a_full_disk_goes() {
    where_mounts_are_ones_own(|| {
        for (count, is_folded) in [(5, false), (60, false), (5, true), (60, true)] {
            let there = |calls: &[Call]| -> Vec<usize> {
                let is_there =
                    |n: &usize| calls[*n].clone().with("--cached-only").once().succeeded();
                (0..calls.len()).filter(is_there).collect()
            };
            let cachex = cachex();
            let mounted = Mounted::small(&cachex.store(), 14 * 256, 4096);
            let calls = full_of_small_ones(&cachex, count, is_folded);
            let forgot = cachex.cli(["forget", "--tag", "third"]).once().exits(0).quietly();
            assert!(forgot.stdout().starts_with("1 entry forgotten"), "{}", forgot.stdout());
            assert_eq!(there(&calls).len(), count - 1, "{count} {is_folded}");
            crate::relief::fills_the_rest(&cachex);
            let pruned = cachex.cli(["prune", "--max-entries", "2"]).once().exits(0).quietly();
            let expected = format!("{} entries pruned", count - 3);
            assert!(pruned.stdout().starts_with(&expected), "{}", pruned.stdout());
            assert_eq!(there(&calls), [count - 2, count - 1]);
            drop(mounted);
        }
    });
}
