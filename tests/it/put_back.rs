//! Declared files are put back all or not at all, whoever dies of it meanwhile and
//! whatever is full.

use super::outputs::{listed, making, read};
use crate::harness::{Cachex, Call, Mounted, cachex, where_mounts_are_ones_own};
use rustix::process::Signal;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

const THREE: &str = "for n in 1 2 3; do yes $n | head -c 5000 >out$n; done";

/// Three files that are to come back in place of others.
fn three(cachex: &Cachex) -> Call {
    let call = making(cachex, THREE, "--output out1 --output out2 --output out3");
    call.once().misses();
    spoil(cachex);
    call
}

fn spoil(cachex: &Cachex) {
    for n in 1..=3 {
        cachex.write(format!("work/out{n}"), "mine");
    }
}

/// How many of the three are as they were made; the others are as they were.
#[track_caller]
fn restored(cachex: &Cachex) -> usize {
    let made = |n: &usize| match read(cachex, &format!("out{n}")) {
        text if text == "mine" => false,
        text => {
            assert_eq!(text, format!("{n}\n").repeat(2500));
            true
        }
    };
    (1..=3).filter(made).count()
}

#[test]
fn calls_beside_each_other_do_not_take_each_others_work_for_left_behind() {
    let cachex = cachex();
    let call = three(&cachex);
    call.fault("unlocked=slow").simultaneously(8).hits().exits(0).quietly();
    assert_eq!(restored(&cachex), 3);
    assert_eq!(listed(&cachex.work()), ["out1", "out2", "out3"]);
}

#[test]
fn killed_before_all_is_at_hand_it_leaves_everything_as_it_was() {
    let cachex = cachex();
    let call = three(&cachex);
    for n in 1..=3 {
        call.clone().fault(format!("stage:{n}=kill")).once().dies_of(Signal::KILL);
        assert_eq!(restored(&cachex), 0);
    }
    call.once().hits();
    assert_eq!(restored(&cachex), 3);
    assert_eq!(listed(&cachex.work()), ["out1", "out2", "out3"], "what was left is swept");
}

#[test]
fn killed_while_all_is_put_in_place_every_file_is_whole() {
    let cachex = cachex();
    let call = three(&cachex);
    for n in 1..=3 {
        spoil(&cachex);
        call.clone().fault(format!("place:{n}=kill")).once().dies_of(Signal::KILL);
        assert_eq!(restored(&cachex), n - 1);
    }
    call.once().hits();
    assert_eq!(restored(&cachex), 3);
    assert_eq!(listed(&cachex.work()), ["out1", "out2", "out3"]);
}

#[test]
fn interrupted_it_leaves_everything_as_it_was_or_finishes_first() {
    let cachex = cachex();
    let call = three(&cachex);
    call.clone().fault("stage:1=signal").once().hits().dies_of(Signal::INT);
    assert_eq!(restored(&cachex), 0);
    assert_eq!(listed(&cachex.work()), ["out1", "out2", "out3"]);
    call.clone().fault("place:1=signal").once().hits().dies_of(Signal::INT);
    assert_eq!(restored(&cachex), 3);
    assert_eq!(listed(&cachex.work()), ["out1", "out2", "out3"]);
}

#[test]
fn what_fails_halfway_is_taken_back() {
    let cachex = cachex();
    let script = "mkdir -p d/new; for n in 1 2 3; do echo $n >d/new/$n; done; echo a >changed; \
                  chmod 555 d/new; echo b >same; chmod 700 same; rm -f gone";
    let outputs = "--output d --output changed --output same --output gone";
    let call = making(&cachex, script, outputs);
    cachex.write("work/gone", "");
    call.once().misses().quietly();
    let set_mode = |name: &str, mode| {
        std::fs::set_permissions(cachex.path("work").join(name), Permissions::from_mode(mode))
    };
    set_mode("d/new", 0o755).unwrap();
    std::fs::remove_dir_all(cachex.path("work/d")).unwrap();
    set_mode("same", 0o600).unwrap();
    cachex.write("work/changed", "mine");
    cachex.write("work/gone", "mine");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let same = std::fs::File::options().write(true).open(cachex.path("work/same")).unwrap();
    same.set_times(std::fs::FileTimes::new().set_modified(long_ago)).unwrap();
    let denied = rustix::io::Errno::ACCESS.raw_os_error();
    let only = call.clone().with("--cached-only");
    for point in ["place:1", "place:2", "place:4", "chmod:1", "chmod:2", "touch:1"] {
        let failing = only.clone().fault(format!("{point}={denied}")).once();
        failing.hits().exits(125).warns_once(&["not put back", "Permission denied"]);
        assert_eq!(listed(&cachex.work()), ["changed", "gone", "same"], "{point}");
        assert_eq!(read(&cachex, "changed"), "mine", "{point}");
        assert_eq!(read(&cachex, "gone"), "mine", "{point}");
        assert_eq!(same.metadata().unwrap().modified().unwrap(), long_ago, "{point}");
        assert_eq!(same.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{point}");
    }
    call.once().hits().quietly();
    assert_eq!(listed(&cachex.work()), ["changed", "d", "same"]);
    assert_eq!(listed(&cachex.path("work/d/new")), ["1", "2", "3"]);
    assert_eq!(read(&cachex, "changed"), "a\n");
    assert!(same.metadata().unwrap().modified().unwrap() > long_ago);
    set_mode("d/new", 0o755).unwrap();
}

#[test]
fn a_place_that_cannot_be_taken_leaves_the_others_as_they_were() {
    let tried = where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let call = three(&cachex);
        // A file that something is mounted on cannot be replaced.
        let bound = cachex.path("work/out2");
        rustix::mount::mount_bind(&bound, &bound).unwrap();
        call.with("--cached-only").once().hits().exits(125).warns_once(&["not put back", "out2"]);
        assert_eq!(restored(&cachex), 0);
        assert_eq!(listed(&cachex.work()), ["out1", "out2", "out3"]);
        rustix::mount::unmount(&bound, rustix::mount::UnmountFlags::DETACH).unwrap();
    });
    // Elsewhere the test above is as good.
    let _ = tried;
}

/// Pages that are free after a run: without them it would not be recorded.
const SPARE: u64 = 300;

#[test]
fn a_disk_that_is_full_halfway_is_left_as_it_was() {
    let tried = where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let work = Mounted::small(&cachex.work(), 16 + SPARE, 64);
        let script = "for n in 1 2 3; do yes $n | head -c 20000 >out$n; done";
        let call = making(&cachex, script, "--output out1 --output out2 --output out3");
        call.once().misses().exits(0);
        for n in 1..=3 {
            std::fs::write(cachex.path(format!("work/out{n}")), "mine").unwrap();
        }
        let filler = vec![0; 20_000 + SPARE as usize * 4096];
        std::fs::write(cachex.path("work/filler"), filler).unwrap();
        let only = call.clone().with("--cached-only");
        only.once().hits().exits(125).warns_once(&["not put back", "No space"]);
        for n in 1..=3 {
            assert_eq!(read(&cachex, &format!("out{n}")), "mine");
        }
        assert_eq!(listed(&cachex.work()), ["filler", "out1", "out2", "out3"]);
        work.grows(4096, 4096);
        call.once().hits().exits(0);
        assert_eq!(read(&cachex, "out3").len(), 20_000);
    });
    if tried.is_none() {
        // Without mounts of one's own a failing call is as good.
        let cachex = cachex();
        let call = three(&cachex);
        let nospace = rustix::io::Errno::NOSPC.raw_os_error();
        let only = call.with("--cached-only").fault(format!("stage:2={nospace}"));
        only.once().hits().exits(125);
        assert_eq!(restored(&cachex), 0);
    }
}

#[test]
fn a_store_that_is_full_costs_the_record_and_nothing_else() {
    let cachex = cachex();
    let nospace = rustix::io::Errno::NOSPC.raw_os_error();
    let call = making(&cachex, &format!("{THREE}; echo done"), "--output out1 --output out2");
    let full = call.clone().fault(format!("write={nospace}"));
    full.once().misses().prints("done\n").exits(0).warns_once(&["not recorded"]);
    assert!(cachex.stored_in("v2/blobs").is_empty() && cachex.stored_in("v2/tmp").is_empty());
    call.once().misses();
    call.once().hits();
}
