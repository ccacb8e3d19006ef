//! What the command inherits, and what `cachex` does without its streams.

use crate::harness::{cachex, quoted};

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
