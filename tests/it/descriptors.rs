//! What the command inherits, and what `cachex` does without its streams.

use crate::harness::{cachex, eventually, quoted};
use std::fs;

#[test]
fn the_command_has_the_descriptors_it_would_have() {
    let call = cachex().run("ls /proc/self/fd");
    let outcome = call.behaves_as_bare();
    call.with("--no-concurrent --force").once().same_as(&outcome);
}

#[test]
fn inherited_descriptors_stay_open() {
    let cachex = cachex();
    let file = quoted(cachex.write("file", "from outside\n"));
    let call = cachex.run("cat <&5; echo from inside >&7");
    let script = format!(r#""$@" 5<{file} 7>{}"#, quoted(cachex.path("out")));
    call.launched_by(&script).once().prints("from outside\n").quietly();
    assert_eq!(cachex.line_of("out"), "from inside");
}

#[test]
fn limits_and_masks_are_inherited() {
    let call = cachex().run("umask; ulimit -n; ulimit -f; nice");
    call.launched_by(r#"umask 027; ulimit -n 100; exec nice -n 3 "$@""#).behaves_as_bare();
}

#[test]
fn without_a_stream_the_command_runs_uncached_and_silently() {
    for closed in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let cachex = cachex();
        let seen = quoted(cachex.path("seen"));
        let call = cachex.run(&format!("ls /proc/self/fd >{seen}; echo out; echo err >&2; exit 3"));
        let call = call.launched_by(&format!(r#"exec "$@" {closed}"#));
        let bare = call.clone().bare().once();
        let bare_saw = std::fs::read(cachex.path("seen")).unwrap();
        call.twice().runs_twice().same_as(&bare);
        let saw = std::fs::read(cachex.path("seen")).unwrap();
        assert_eq!(String::from_utf8(saw), String::from_utf8(bare_saw), "with {closed}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_met_as_without_cachex() {
    for opened in ["1</dev/null", "2</dev/null", "1</", "2</proc/self/status"] {
        let cachex = cachex();
        let call = cachex.run("echo o1; echo e1 >&2; echo o2; echo e2 >&2; exit 5");
        let call = call.launched_by(&format!(r#"exec "$@" {opened}"#));
        let bare = call.clone().bare().once();
        call.twice().runs_twice().same_as(&bare);
    }
}

#[test]
fn a_full_device_is_no_success() {
    let call = cachex().run("seq 1 100000").launched_by(r#"exec "$@" >/dev/full"#);
    // Neither live nor replayed may a lost output look like a good one.
    for _ in 0..2 {
        let outcome = call.once();
        assert!(!outcome.succeeded(), "the output was lost, and the status is 0");
    }
}

#[test]
fn the_command_is_in_the_same_session_and_group() {
    let cachex = cachex();
    let call = cachex.run("cut -d' ' -f5,6 /proc/self/stat");
    let running = call.spawn();
    let group = running.pid().as_raw_nonzero();
    let printed = running.ends().stdout();
    assert_eq!(printed.split(' ').next().unwrap(), group.to_string());
}

#[cfg(target_os = "linux")]
#[test]
fn a_background_fold_keeps_nothing_of_whoever_started_it() {
    let cachex = cachex();
    cachex.run("echo hi").once().misses();
    cachex.fold().once().exits(0);
    // The fold stays for as long as this is held.
    let old = fs::File::open(cachex.in_store("v2/locks/old")).unwrap();
    old.lock().unwrap();
    // With one event more, a fold is due.
    cachex.write("store/v2/events", vec![0; (1 << 20) - 1]);
    let theirs = cachex.write("theirs", "");
    let script = format!(r#"exec "$@" 7<{}"#, quoted(&theirs));
    cachex.run("echo more").launched_by(&script).once().misses();
    let fold = cachex.awaits_helper();
    assert_eq!(rustix::process::getpgid(Some(fold)).unwrap(), fold);
    let open = format!("/proc/{}/fd", fold.as_raw_nonzero());
    eventually("it to close what it inherited", || {
        let mut open = fs::read_dir(&open).unwrap().flatten();
        let keeps = open.any(|fd| fs::read_link(fd.path()).is_ok_and(|file| file == theirs));
        (!keeps).then_some(())
    });
}
