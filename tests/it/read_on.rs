//! Who has the same standard input finds there what the command left, however it comes.
#![cfg(target_os = "linux")]

use crate::harness::{cachex, quoted};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

/// A socket with this in it, and no more to come.
fn holding(text: &str) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (&ours).write_all(text.as_bytes()).unwrap();
    ours.shutdown(Shutdown::Write).unwrap();
    theirs
}

#[cfg(target_os = "linux")]
#[test]
fn a_long_script_in_a_pipe_goes_on_after_a_line_with_cachex_in_it() {
    for lines in [1, 3_000, 30_000, 100_000] {
        let cachex = cachex();
        cachex.tool("tool", "echo done");
        let comments = "# one of many lines that do nothing\n".repeat(lines);
        let script = format!("cachex run -- tool\n{comments}echo end\n");
        let shell = cachex.bare(["bash"]).stdin(script).twice();
        // What is more than a pipe holds cannot be looked at without taking it.
        let shell = if lines < 30_000 { shell.runs_once() } else { shell.runs_twice() };
        shell.prints("done\nend\n").exits(0).quietly();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_command_leaves_of_a_long_pipe_is_there_for_who_reads_next() {
    for lines in [10, 30_000, 500_000] {
        let cachex = cachex();
        cachex.tool("tool", "head -c 100 | wc -c");
        let script = format!("yes line | head -n {lines} | {{ cachex run -- tool; cat | wc -c; }}");
        let bare = cachex.shell(&script.replace("cachex run -- ", "")).once();
        let call = cachex.shell(&script);
        let calls = call.twice();
        let calls = if lines < 500_000 { calls.runs_once() } else { calls.runs_twice() };
        calls.prints(bare.stdout()).quietly();
    }
}

#[test]
fn a_script_that_has_not_ended_loses_nothing() {
    let cachex = cachex();
    cachex.tool("tool", "echo done");
    let go = quoted(cachex.path("go"));
    // More than a pipe holds, and the last line comes when those before it were done.
    let script = format!("cachex run -- tool\n{}echo end\n>{go}\n", "# nothing\n".repeat(12_000));
    let script = quoted(cachex.write("script", script));
    let writer = format!("cat {script}; until [ -e {go} ]; do sleep 0.01; done; echo echo late");
    let call = cachex.shell(&format!("{{ {writer}; }} | bash")).without("CACHEX_TEST_PATIENCE");
    call.once().prints("done\nend\nlate\n").warns_once(&["did not end within"]);
}

#[test]
fn a_list_in_a_socket_is_read_on_by_its_loop() {
    let cachex = cachex();
    let probe = cachex.counting("echo probed $0 done").replace('\'', r"'\''");
    let script = format!("while read -r h; do cachex run -- sh -c '{probe}' $h; done");
    let call = cachex.shell(&script);
    let all = "probed a done\nprobed b done\nprobed c done\n";
    for runs in [3, 0] {
        call.clone().stdin_is(holding("a\nb\nc\n")).once().runs(runs).prints(all).quietly();
    }
    // What was read of it when that was recorded is read by a replay.
    let first = cachex.counting("read -r x; echo $x").replace('\'', r"'\''");
    let call = cachex.shell(&format!("cachex run -- sh -c '{first}'; cat"));
    for runs in [1, 0] {
        call.clone().stdin_is(holding("a\nb\nc\n")).once().runs(runs).prints("a\nb\nc\n").quietly();
    }
}

#[test]
fn a_script_in_a_socket_goes_on_after_a_line_with_cachex_in_it() {
    for lines in [1, 3_000, 30_000] {
        let cachex = cachex();
        cachex.tool("tool", "echo done");
        let (ours, theirs) = UnixStream::pair().unwrap();
        let shell = cachex.bare(["bash"]).stdin_is(theirs).without("CACHEX_TEST_PATIENCE");
        let running = shell.spawn();
        drop(shell);
        // Nobody else has the other end.
        let comments = "# one of many lines that do nothing\n".repeat(lines);
        (&ours).write_all(format!("cachex run -- tool\n{comments}echo end\n").as_bytes()).unwrap();
        drop(ours);
        running.ends().prints("done\nend\n").exits(0);
    }
}

#[test]
fn who_converses_by_a_socket_is_not_waited_for_to_end() {
    let cachex = cachex();
    let script = "read -r a; echo got $a; read -r b; echo got $b >&0; exit 3";
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let call = cachex.run(script).stdin_is(theirs.try_clone().unwrap());
    let call = call.without("CACHEX_TEST_PATIENCE");
    let running = call.spawn_into(std::os::fd::OwnedFd::from(theirs));
    ours.write_all(b"one\n").unwrap();
    let mut answer = [0; 8];
    ours.read_exact(&mut answer).unwrap();
    ours.write_all(b"two\n").unwrap();
    running.ends().exits(3).runs(1);
    drop(call);
    ours.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"got two\n");
}

/// Whether a test can be another user.
fn may_be_another() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn what_comes_by_another_users_pipe_is_left_to_who_reads_on() {
    if !may_be_another() {
        return;
    }
    for lines in [10, 30_000, 500_000] {
        let cachex = cachex();
        cachex.tool("tool", "head -c 100 | wc -c");
        let script = format!(
            "chmod 755 .. && chown -R 65534:65534 .. && yes line | head -n {lines} | \
             setpriv --reuid 65534 --regid 65534 --clear-groups \
             sh -c 'cachex run -- tool; cat | wc -c'"
        );
        let bare = cachex.shell(&script.replace("cachex run -- ", "")).once();
        cachex.shell(&script).twice().prints(bare.stdout()).quietly();
    }
}
