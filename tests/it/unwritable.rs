//! Outputs that take no more, and what the command makes of them.

use crate::harness::{Mounted, Signal, cachex, pseudo_terminal, quoted, where_mounts_are_ones_own};
use std::io::Read;
use std::process::Command;

const BOTH: &str = "echo one; echo complaint >&2; echo two; exit 3";

#[test]
fn a_full_stderr_costs_only_what_was_to_go_there() {
    let cachex = cachex();
    let full = r#"exec "$@" 2>/dev/full"#;
    let call = cachex.run(BOTH);
    let complains = call.clone().launched_by(full);
    complains.twice().runs_twice().prints("one\ntwo\n").exits(3);
    call.once().misses().prints("one\ntwo\n").says("complaint\n");
    complains.once().hits().prints("one\ntwo\n").exits(3);
    call.once().hits().says("complaint\n").exits(3);
}

#[test]
fn a_success_stays_one_though_its_complaints_are_lost() {
    let call = cachex().run("echo complaint >&2; seq 1 30000; exit 0");
    let call = call.launched_by(r#"exec "$@" 2>/dev/full"#);
    let bare = call.clone().bare().once();
    for _ in 0..2 {
        call.once().prints(bare.stdout()).exits(0);
    }
}

#[test]
fn a_hit_leaves_a_dead_pipe_to_who_ignores_its_signal() {
    let cachex = cachex();
    for count in [1, 1_000_000] {
        let call = cachex.run(&format!("seq 1 {count} 2>/dev/null || exit 9"));
        call.once().misses().exits(0);
        call.once().hits().exits(0);
        let ignoring = call.launched_by(r#"trap '' PIPE; exec "$@""#);
        let (mut reader, writer) = std::io::pipe().unwrap();
        if count > 1 {
            let running = ignoring.spawn_into(writer);
            reader.read_exact(&mut [0; 4]).unwrap();
            drop(reader);
            running.ends().exits(9).promptly();
        } else {
            drop(reader);
            ignoring.spawn_into(writer).ends().exits(9).promptly();
        }
    }
}

#[test]
fn who_ends_its_output_early_is_seen_to() {
    let cachex = cachex();
    cachex.tool("early", "echo last; exec >&-; until [ -e ../gate ]; do sleep 0.05; done; exit 3");
    let gate = quoted(cachex.path("gate"));
    let ended = format!("| {{ cat; touch {gate}; }}; echo ${{PIPESTATUS[0]}}");
    let script = format!("cachex run -- early {ended}");
    for _ in 0..2 {
        // The first run has to meet the gate shut.
        cachex.shell(&script).once().prints("last\n3\n").promptly();
    }
    let both = format!("cachex run -- early 2>&1 {ended}");
    std::fs::remove_file(cachex.path("gate")).unwrap();
    cachex.tool("early", "echo last; exec >&- 2>&-; until [ -e ../gate ]; do sleep 0.05; done");
    cachex.shell(&both).once().prints("last\n0\n").promptly();
}

/// Closes its output, ends its first thread, and goes on in another until it sees the gate.
const THREADS: &str = r#"
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static void *rest(void *none) {
    while (access("../gate", F_OK)) usleep(20000);
    exit(3);
}
int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, rest, NULL);
    write(1, "last\n", 5);
    close(1);
    pthread_exit(NULL);
}
"#;

#[test]
fn so_is_one_whose_first_thread_has_ended() {
    let cachex = cachex();
    let source = cachex.write("threads.c", THREADS);
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-w", "-pthread", "-o"]).args([&cachex.path("work/threads"), &source]);
    assert!(cc.status().unwrap().success());
    let gate = quoted(cachex.path("gate"));
    let script =
        format!("cachex run -- ./threads | {{ cat; touch {gate}; }}; echo ${{PIPESTATUS[0]}}");
    cachex.shell(&script).once().prints("last\n3\n").promptly();
}

#[test]
fn a_stdout_that_is_full_is_met_by_the_command_itself() {
    let scripts = [
        "echo one; echo two; exit 0",
        "echo one; echo complaint >&2; exit 5",
        "seq 1 30000",
        "trap '' PIPE; seq 1 30000 || exit 9",
        "cat; echo copied || exit 7",
    ];
    for script in scripts {
        let cachex = cachex();
        let call = cachex.run(script).stdin("input");
        let full = call.clone().launched_by(r#"exec "$@" >/dev/full"#);
        let bare = full.clone().bare().once();
        for options in ["", "--no-concurrent", "--timeout 10m"] {
            full.clone().with(options).once().same_as(&bare);
        }
        // A recorded one, too.
        call.once().misses();
        full.once().same_as(&bare);
    }
}

#[test]
fn so_is_a_stderr_that_is_full() {
    for script in ["exec cat /etc/passwd >&2", "echo one >&2; echo $?", "seq 1 30000 >&2 || exit 9"]
    {
        let call = cachex().run(script).launched_by(r#"exec "$@" 2>/dev/full"#);
        let bare = call.clone().bare().once();
        for options in ["", "--no-concurrent", "--timeout 10m"] {
            call.clone().with(options).once().same_as(&bare);
        }
    }
}

#[test]
fn one_that_fills_up_meanwhile_is_a_failed_write() {
    let Some(()) = where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let room = cachex.path("room");
        let _mounted = Mounted::small(&room, 600, 10);
        let into = format!(r#"exec "$@" >{}"#, quoted(room.join("file")));
        let call = cachex.run("seq 1 1000000");
        let bare = call.clone().launched_by(&into).bare().once().exits(1);
        let written = std::fs::metadata(room.join("file")).unwrap().len();
        for _ in 0..2 {
            let outcome = call.clone().launched_by(&into).once().ends_as(&bare);
            outcome.warns_once(&["No space left"]);
            assert_eq!(std::fs::metadata(room.join("file")).unwrap().len(), written);
            call.once().exits(0);
        }
    }) else {
        return;
    };
}

#[test]
fn a_file_that_may_not_grow_ends_both_as_the_command_alone() {
    let cachex = cachex();
    let into =
        format!(r#"ulimit -c 0; ulimit -f 1000; exec "$@" >{}"#, quoted(cachex.path("file")));
    let call = cachex.run("exec seq 1 1000000");
    call.clone().launched_by(&into).bare().once().dies_of(Signal::XFSZ);
    call.clone().launched_by(&into).once().dies_of(Signal::XFSZ);
    call.once().misses();
    call.launched_by(&into).once().hits().dies_of(Signal::XFSZ);
}

#[test]
fn a_command_that_outlives_its_terminal_goes_on() {
    let cachex = cachex();
    let gate = cachex.gate("gate");
    let script = format!("echo one; {gate}; seq 30000; echo two; echo done >../end; exit 3");
    let call = cachex.run(&script);
    let (mut master, slave) = pseudo_terminal();
    let running = call.spawn_into(slave);
    let mut shown = [0; 5];
    master.read_exact(&mut shown).unwrap();
    drop(master);
    assert_eq!(&shown, b"one\r\n");
    // The terminal is gone, and each write to it fails.
    cachex.opens("gate");
    running.ends().quietly().exits(3);
    assert_eq!(std::fs::read_to_string(cachex.path("end")).unwrap(), "done\n");
    call.once().misses().exits(3);
}

#[test]
fn the_end_of_the_terminal_is_the_end_of_the_commands_own() {
    for script in ["read x; echo \"$?\" >../end", "until ! echo more; do :; done; echo >../end"] {
        let cachex = cachex();
        let (mut master, slave) = pseudo_terminal();
        let script = format!("trap '' HUP; echo begun; {script}; exit 3");
        let call = cachex.run(&script).with("--tty").stdin_is(slave.try_clone().unwrap());
        let running = call.spawn_into(slave);
        drop(call);
        let mut shown = [0; 7];
        master.read_exact(&mut shown).unwrap();
        assert_eq!(&shown, b"begun\r\n");
        drop(master);
        running.ends().exits(3);
        assert!(cachex.path("end").exists());
    }
}

#[test]
fn nor_is_it_a_failure_that_what_was_held_back_finds_no_terminal() {
    let cachex = cachex();
    let call = cachex.run(&format!("{}; echo one", cachex.gate("gate"))).expires_in("10m");
    let call = call.option("--stale-if-error", "1d");
    cachex.opens("gate");
    call.once().misses().prints("one\n");
    std::fs::remove_file(cachex.path("gate")).unwrap();
    let (master, slave) = pseudo_terminal();
    let running = call.after("1h").spawn_into(slave);
    cachex.awaits_runs(2);
    drop(master);
    cachex.opens("gate");
    running.ends().quietly().exits(0);
}
