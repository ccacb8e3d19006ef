//! Readers that go away before the end.

use crate::harness::{Running, Signal, cachex, eventually, quoted};
use std::io::{PipeReader, Read};

/// Reads so many bytes and leaves.
fn reads_and_leaves(mut reader: PipeReader, count: usize) -> Vec<u8> {
    let mut head = vec![0; count];
    reader.read_exact(&mut head).unwrap();
    head
}

#[test]
fn an_endless_command_ends_with_its_reader() {
    let cachex = cachex();
    let call = cachex.run("exec yes");
    for _ in 0..2 {
        let (reader, writer) = std::io::pipe().unwrap();
        let running = call.spawn_into(writer);
        assert_eq!(reads_and_leaves(reader, 4), b"y\ny\n");
        running.ends().dies_of(Signal::PIPE).quietly().promptly();
    }
    assert_eq!(cachex.runs(), 2, "an unfinished run was recorded");
}

#[test]
fn in_a_shell_too() {
    let cachex = cachex();
    let script = "cachex run -- yes | head -1; echo ${PIPESTATUS[0]}";
    cachex.shell(script).once().prints("y\n141\n").exits(0).quietly().promptly();
}

#[test]
fn a_finite_output_is_recorded_to_its_end() {
    let cachex = cachex();
    let call = cachex.run("seq 1 200000");
    let (reader, writer) = std::io::pipe().unwrap();
    let running = call.spawn_into(writer);
    assert_eq!(reads_and_leaves(reader, 4), b"1\n2\n");
    running.ends().quietly();
    let bare = call.clone().bare().once();
    call.once().hits().same_as(&bare);
}

#[test]
fn one_that_leaves_before_the_first_byte_spoils_nothing() {
    let cachex = cachex();
    let call = cachex.run(&format!("{}; echo hi; echo err >&2; exit 3", cachex.gate("gate")));
    let (reader, writer) = std::io::pipe().unwrap();
    let running = call.spawn_into(writer);
    drop(reader);
    cachex.opens("gate");
    running.ends().says("err\n");
    call.once().hits().prints("hi\n").says("err\n").exits(3);
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_leaves_is_noticed_by_who_looks_for_that() {
    let cachex = cachex();
    cachex.write("work/file", "1\n2\n");
    // A shell that waits for the command, and one that the command outlives.
    for script in ["exec tail -f file", "tail -f file; exit 3", "tail -f file &"] {
        let call = cachex.run(script);
        let (reader, writer) = std::io::pipe().unwrap();
        let running = call.spawn_into(writer);
        assert_eq!(reads_and_leaves(reader, 2), b"1\n");
        let ended = running.ends();
        match script {
            "exec tail -f file" => ended.dies_of(Signal::PIPE),
            "tail -f file; exit 3" => ended.exits(3),
            _ => ended.exits(0),
        };
        cachex.awaits_quiet();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_leaves_is_noticed_by_who_was_stopped_while_it_looked() {
    let cachex = cachex();
    cachex.write("work/file", "1\n");
    // Afterwards it waits with another system call.
    let script = "tail -f file & tail=$!; \
                  until grep -q poll /proc/$tail/wchan; do :; done; kill -STOP $tail; \
                  until grep -q '^State:.T' /proc/$tail/status; do :; done; kill -CONT $tail; \
                  until grep -q poll /proc/$tail/wchan; do :; done; >../waits; wait; exit 3";
    let (mut reader, writer) = std::io::pipe().unwrap();
    let running = cachex.run(script).spawn_into(writer);
    reader.read_exact(&mut [0; 2]).unwrap();
    eventually("the command waits again", || cachex.path("waits").exists().then_some(()));
    drop(reader);
    running.ends().exits(3);
    cachex.awaits_quiet();
}

#[test]
fn one_that_is_gone_before_the_first_byte_is_met_as_without_cachex() {
    let cachex = cachex();
    let script = "import os, select, sys\n\
                  stdout = select.poll(); stdout.register(1, 0); stdout.poll(20000)\n\
                  try: os.write(1, b'1\\n')\n\
                  except BrokenPipeError: os._exit(9)";
    let call = cachex.exec(["python3", "-c", script]).exit_codes("0-255");
    for call in [call.clone().bare(), call] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        call.spawn_into(writer).ends().exits(9).quietly();
    }
    // One that ignores the signal from the start gets the error, however soon it prints.
    let tells =
        "trap '' PIPE; { sleep 0.1; cachex run --force -- /bin/echo hi; echo $? >&2; } | true";
    for _ in 0..5 {
        let outcome = cachex.shell(tells).once().prints("");
        assert!(outcome.stderr().contains("Broken pipe") && outcome.stderr().ends_with("\n1\n"));
    }
    // It may print before that can be noticed, and then ends as it did.
    let call = cachex.run("trap '' PIPE; echo 1; exit 0").with("--force");
    for _ in 0..20 {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert!(call.spawn_into(writer).ends().succeeded());
    }
}

#[test]
fn the_status_is_the_same_on_a_miss_on_a_hit_and_without_cachex() {
    // What it would have died of, what it would not, and what is told by who waited for it.
    let scripts = [
        ("exec seq 1 200000", 141),
        ("seq 1 200000", 141),
        ("echo 1; exit 0", 0),
        ("seq 1 200000; exit 3", 3),
        ("trap '' PIPE; seq 1 200000 2>/dev/null || exit 9", 9),
    ];
    for (script, status) in scripts {
        let cachex = cachex();
        let command = format!("sh -c {}", quoted(script));
        for prefix in ["", "cachex run --exit-codes 0 -- ", "cachex run --exit-codes 0 -- "] {
            // The reader is gone when the rest is written.
            let script = format!("{prefix}{command} | head -1; echo ${{PIPESTATUS[0]}}");
            cachex.shell(&script).once().prints(format!("1\n{status}\n")).quietly().promptly();
        }
    }
}

#[test]
fn the_other_stream_still_flows() {
    let cachex = cachex();
    let call = cachex.run("seq 1 50000; seq 1 50000 >&2");
    let (reader, writer) = std::io::pipe().unwrap();
    let running: Running = call.spawn_into(writer);
    drop(reader);
    let said = running.ends().stderr();
    assert_eq!(said, call.once().hits().stderr());
    assert!(said.ends_with("\n50000\n"));
}

#[test]
fn one_that_leaves_during_a_replay_ends_it_quietly() {
    let cachex = cachex();
    // One within the entry, one beside it.
    for script in ["echo hi", "seq 1 500000"] {
        let call = cachex.run(script);
        call.clone().output_counted().once();
        let (reader, writer) = std::io::pipe().unwrap();
        let replay = call.spawn_into(writer);
        drop(reader);
        replay.ends().hits().quietly().promptly();
        call.output_counted().once().hits().exits(0);
    }
}

#[test]
fn one_that_leaves_during_a_replay_ends_whom_it_would_have_ended() {
    // A child of the command, which goes on, and the command.
    let goes_on = |count| format!("seq 1 {count}; echo done >&2; exit 3");
    for (script, goes_on) in [
        (goes_on(2), true),
        (goes_on(500_000), true),
        ("exec ls -d . /nonexistent".to_owned(), false),
    ] {
        let cachex = cachex();
        let call = cachex.run(&script);
        call.once().misses();
        for call in [call.clone().bare(), call.clone(), call.clone().env("CACHEX_FRONT", "0")] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let ended = call.spawn_into(writer).ends();
            if goes_on {
                ended.exits(3).says("done\n");
            } else {
                ended.dies_of(Signal::PIPE);
            }
        }
        call.once().hits();
    }
}

#[test]
fn one_that_cannot_be_written_to_during_a_replay_ends_whom_it_would_have_ended() {
    let cachex = cachex();
    let call = cachex.run("echo first >&2; seq 1 50000; echo last >&2; exit 3");
    call.once().misses();
    let limited = call.clone().launched_by(r#"ulimit -f 8; exec "$@" >../out"#);
    limited.clone().bare().once().exits(3);
    limited.once().hits().says("first\nlast\n").exits(3);
    // As for a command of its own, if nothing else came of it.
    let call = cachex.run("seq 1 50000");
    call.once().misses();
    let limited = call.launched_by(r#"ulimit -f 8; exec "$@" >../out"#);
    limited.once().hits().dies_of(Signal::XFSZ).quietly();
}

#[test]
fn who_printed_it_may_have_ended_when_its_reader_leaves() {
    let cachex = cachex();
    let [gate, other] = ["gate", "other"].map(|name| quoted(cachex.path(name)));
    // More than one pipe holds, and less than cachex takes besides.
    let script = format!(
        "mkfifo {gate} {other}; seq 1 20000; read -r x <{gate}; echo now >&2; \
         read -r x <{other}; exit 3"
    );
    let (stdout, to_stdout) = std::io::pipe().unwrap();
    let running = cachex.run(&script).spawn_into(to_stdout);
    // To open it is to wait until all is printed.
    let opened = |name| std::fs::File::options().write(true).open(cachex.path(name)).unwrap();
    eventually("all that is printed", || cachex.path("other").exists().then_some(()));
    let open = opened("gate");
    assert_eq!(reads_and_leaves(stdout, 4), b"1\n2\n");
    drop(open);
    // What is passed on now comes after the broken pipe.
    running.warns("now\n");
    drop(opened("other"));
    running.ends().exits(3).says("now\n");
}
