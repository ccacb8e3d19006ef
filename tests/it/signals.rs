//! Signals sent to `cachex` are meant for its command.

use crate::harness::{Signal, cachex, eventually};

const FORWARDED: [(Signal, &str); 6] = [
    (Signal::INT, "INT"),
    (Signal::TERM, "TERM"),
    (Signal::HUP, "HUP"),
    (Signal::QUIT, "QUIT"),
    (Signal::USR1, "USR1"),
    (Signal::USR2, "USR2"),
];

#[test]
fn one_that_the_command_dies_of_is_one_that_cachex_dies_of() {
    for (signal, _) in FORWARDED {
        let cachex = cachex();
        let call = cachex.run("ulimit -c 0; echo $$; exec sleep 600");
        let running = call.spawn();
        let child = eventually("the command's process id", || {
            running.shows("\n").printed().trim().parse::<i32>().ok()
        });
        running.signal(signal);
        running.ends().dies_of(signal).quietly();
        // It was reaped before cachex went.
        let child = rustix::process::Pid::from_raw(child).unwrap();
        assert!(rustix::process::test_kill_process(child).is_err(), "the command is still there");
        assert!(cachex.stored_in("v2/young").is_empty(), "an interrupted run was recorded");
    }
}

#[test]
fn one_that_the_command_handles_is_its_own_business() {
    for (signal, name) in FORWARDED {
        let cachex = cachex();
        // `wait` returns as soon as the signal is there.
        let script = format!(
            "trap 'echo got {name}; exit 0' {name}; echo ready; sleep 600 >/dev/null 2>&1 & wait"
        );
        let call = cachex.run(&script);
        let running = call.spawn();
        running.shows("ready\n").signal(signal);
        running.ends().prints(format!("ready\ngot {name}\n")).exits(0).quietly();
        // What an interrupted run printed is not what the command prints.
        let again = call.spawn();
        again.shows("ready\n").signal(Signal::TERM);
        again.ends();
        assert_eq!(cachex.runs(), 2, "a run that was signalled was recorded");
    }
}

#[test]
fn one_that_the_command_ignores_ends_nobody() {
    let cachex = cachex();
    let script = format!("trap '' INT TERM; echo ready; {}; echo done", cachex.gate("gate"));
    let running = cachex.run(&script).spawn();
    running.shows("ready\n").signal(Signal::INT).signal(Signal::TERM);
    cachex.opens("gate");
    running.ends().prints("ready\ndone\n").exits(0).quietly();
}

#[test]
fn one_that_only_a_child_handles_keeps_the_run_from_being_recorded() {
    let handles = "import os, signal, sys\n\
        signal.signal(signal.SIGINT, lambda *_: sys.exit(os.write(1, b\"got it\\n\") - 7))\n\
        print(\"ready\", flush=True)\nsignal.pause()";
    for options in ["", "--timeout 10m"] {
        let cachex = cachex();
        let script = format!("trap '' INT; python3 -c '{handles}'; echo done");
        let running = cachex.run(&script).with(options).spawn();
        running.shows("ready\n");
        rustix::process::kill_process_group(running.pid(), Signal::INT).unwrap();
        running.ends().prints("ready\ngot it\ndone\n").exits(0).quietly();
        assert!(cachex.stored_in("v2/young").is_empty(), "{options}: it was recorded");
    }
}

/// Prints `ready`, handles the signal, and ends then or when this holds, too.
fn handler(signal: &str, then: &str) -> String {
    format!(
        "import os, signal\n\
         got = []\n\
         handles = lambda *_: got.append(os.write(1, b'got it\\n'))\n\
         signal.signal(signal.SIG{signal}, handles)\n\
         os.write(1, b'ready\\n')\n\
         while not (got and {then}): pass"
    )
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_interrupts_nobody_keeps_the_run_from_being_recorded_if_it_is_handled() {
    let signals = [
        (Signal::TSTP, "TSTP"),
        (Signal::TTIN, "TTIN"),
        (Signal::CONT, "CONT"),
        (Signal::WINCH, "WINCH"),
        (Signal::URG, "URG"),
    ];
    for (signal, name) in signals {
        for options in ["", "--timeout 10m"] {
            let cachex = cachex();
            let running =
                cachex.exec(["python3", "-c", &handler(name, "True")]).with(options).spawn();
            running.shows("ready\n").signal(signal);
            running.ends().prints("ready\ngot it\n").exits(0).quietly();
            assert!(cachex.stored_in("v2/young").is_empty(), "{name} {options}: it was recorded");
        }
    }
    // By whoever it started, when all of them have it.
    for options in ["", "--timeout 10m"] {
        let cachex = cachex();
        let child = handler("WINCH", "os.path.exists('../gate')");
        let script = format!("python3 -c \"{child}\"; echo done");
        let running = cachex.run(&script).with(options).spawn();
        running.shows("ready\n");
        rustix::process::kill_process_group(running.pid(), Signal::WINCH).unwrap();
        running.shows("got it\n");
        cachex.opens("gate");
        running.ends().prints("ready\ngot it\ndone\n").exits(0).quietly();
        assert!(cachex.stored_in("v2/young").is_empty(), "{options}: it was recorded");
    }
}

/// Waits until cachex has stopped as its command did.
#[cfg(target_os = "linux")]
fn awaits_the_stop_of(cachex: rustix::process::Pid) {
    let state = format!("/proc/{}/stat", cachex.as_raw_nonzero());
    let is_stopped = || std::fs::read_to_string(&state).ok()?.contains(") T ").then_some(());
    eventually("a stopped cachex", is_stopped);
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_nobody_handles_leaves_no_trace() {
    let cachex = cachex();
    // A shell whose child is stopped before it executes anything cannot be stopped itself.
    let script = "echo ready; until [ -e ../gate ]; do :; done; echo done";
    let running = cachex.run(script).spawn();
    running.shows("ready\n");
    let pid = running.pid();
    for signal in [Signal::WINCH, Signal::URG, Signal::TSTP] {
        rustix::process::kill_process_group(pid, signal).unwrap();
    }
    awaits_the_stop_of(pid);
    rustix::process::kill_process_group(pid, Signal::CONT).unwrap();
    cachex.opens("gate");
    running.ends().prints("ready\ndone\n").exits(0).quietly();
    cachex.run(script).once().hits();
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_arrives_while_the_job_is_stopped_is_the_commands() {
    let cachex = cachex();
    let script = "trap 'echo handled; exit 3' TERM; echo ready; while :; do :; done";
    let running = cachex.run(script).spawn();
    running.shows("ready\n");
    let pid = running.pid();
    rustix::process::kill_process_group(pid, Signal::TSTP).unwrap();
    awaits_the_stop_of(pid);
    for signal in [Signal::TERM, Signal::CONT] {
        rustix::process::kill_process_group(pid, signal).unwrap();
    }
    running.ends().prints("ready\nhandled\n").exits(3).quietly();
}

#[test]
fn one_that_was_ignored_before_is_still_ignored() {
    // As under `nohup`.
    let script = "kill -HUP $PPID; kill -HUP $$; echo survived";
    let call = cachex().run(script).launched_by(r#"trap "" HUP; "$@"; exit $?"#);
    call.once().prints("survived\n").exits(0).quietly();
}

#[test]
fn the_command_starts_with_the_signals_it_would_start_with() {
    // Less 32 and 33, which the C library keeps for itself.
    let show = "grep -E 'Sig(Blk|Cgt)' /proc/self/status; \
                set -- $(grep SigIgn /proc/self/status); \
                printf '%x\\n' $((0x$2 & ~0x180000000))";
    cachex().run(show).behaves_as_bare();
    cachex().run(show).launched_by(r#"trap "" PIPE HUP USR1; exec "$@""#).behaves_as_bare();
}

#[test]
fn a_pipeline_within_the_command_ends_as_usual() {
    cachex().run("yes | head -1").behaves_as_bare().prints("y\n").quietly();
}

#[test]
fn a_killed_cachex_leaves_no_entry() {
    let cachex = cachex();
    let call = cachex.run(&format!("echo partial; {}; echo rest", cachex.gate("gate")));
    let running = call.spawn();
    running.shows("partial\n").signal(Signal::KILL);
    running.ends().dies_of(Signal::KILL);
    cachex.opens("gate");
    call.twice().runs_once().prints("partial\nrest\n");
}

#[test]
fn during_a_replay_cachex_can_be_interrupted() {
    let cachex = cachex();
    let call = cachex.run("seq 1 300000");
    call.once().misses();
    let (replay, _unread) = call.spawn_unread();
    replay.signal(Signal::INT);
    replay.ends().dies_of(Signal::INT).promptly();
}

#[test]
fn what_was_blocked_or_ignored_before_does_not_keep_cachex() {
    // `env` of GNU starts a command so.
    for options in ["--block-signal", "--block-signal=CHLD", "--ignore-signal=CHLD"] {
        let launcher = format!(r#"exec env {options} "$@""#);
        let show = "grep -E 'Sig(Blk|Ign)' /proc/self/status";
        let call = cachex().run(show).launched_by(&launcher);
        call.behaves_as_bare().exits(0).quietly();
        let closed = cachex().run("exec >&- 2>&-; exit 3").launched_by(&launcher);
        closed.once().exits(3).quietly().promptly();
    }
}

#[test]
fn helpers_work_where_the_ends_of_children_are_ignored() {
    let cachex = cachex();
    let call = cachex.run("echo hi").launched_by(r#"exec env --ignore-signal=CHLD "$@""#);
    let call = call.option("--input-command", "echo version");
    call.once().prints("hi\n").quietly();
    cachex.folds();
    call.once().hits().prints("hi\n").quietly();
}

#[test]
fn an_alarm_that_was_set_before_rings_for_the_command() {
    let with_alarm = r#"exec perl -e 'alarm 1; exec @ARGV' "$@""#;
    let cachex = cachex();
    let call = cachex.exec(["sleep", "600"]).launched_by(with_alarm);
    call.once().dies_of(Signal::ALARM).promptly();
    // One that asks for it finds it, and one that stops it has stopped it.
    let asks = "my $left = alarm 0; print $left > 0 ? \"one\" : \"none\"";
    let call = cachex.exec(["perl", "-e", asks]).launched_by(with_alarm);
    call.once().prints("one").exits(0).quietly();
}

#[test]
fn one_with_a_value_has_it_still() {
    let cachex = cachex();
    let shows = "use POSIX; my $sig = POSIX::SigSet->new; \
                 sigaction(SIGUSR1, POSIX::SigAction->new(sub { print $_[1]->{code}, \"\\n\"; exit }, \
                 $sig, SA_SIGINFO)); $| = 1; print \"ready\\n\"; sleep 1 while 1";
    let running = cachex.exec(["perl", "-e", shows]).spawn();
    running.shows("ready\n");
    let pid = running.pid().as_raw_nonzero().to_string();
    cachex.bare(["kill", "-q", "42", "-USR1", &pid]).once().exits(0);
    // SI_QUEUE
    running.ends().prints("ready\n-1\n").exits(0).quietly();
}

/// As the first process of a container.
#[cfg(target_os = "linux")]
#[test]
fn the_first_process_ends_as_its_command_does() {
    let first = r#"exec unshare --user --map-root-user --pid --fork --mount-proc "$@""#;
    if !cachex().exec(["true"]).launched_by(first).once().succeeded() {
        // Not every machine lets a user do that.
        return;
    }
    for (name, number) in [("TERM", 15), ("INT", 2), ("HUP", 1), ("USR1", 10), ("SEGV", 11)] {
        let call = cachex().run(&format!("ulimit -c 0; kill -{name} $$")).launched_by(first);
        call.once().exits(128 + number);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cachex_is_killed_by_kills_the_command() {
    let cachex = cachex();
    let running = cachex.run("echo ready; exec sleep 600").spawn();
    running.shows("ready\n").signal(Signal::KILL);
    running.ends().dies_of(Signal::KILL);
    cachex.awaits_quiet();
}

#[test]
fn after_the_end_of_the_command_nobody_waits_for_a_reader_who_does_not_read() {
    let cachex = cachex();
    let call = cachex.run("seq 1 20000; echo $$ >../ended");
    let (running, _unread) = call.spawn_unread();
    // Until its end was noticed, a signal would be the command's, which may end as it was to.
    let command = std::path::Path::new("/proc").join(cachex.line_of("ended"));
    eventually("the end of the command", || (!command.exists()).then_some(()));
    running.signal(Signal::TERM);
    running.ends().dies_of(Signal::TERM).promptly();
}

#[test]
fn one_that_asks_to_end_is_not_held_up_by_a_reader_who_does_not_read() {
    let all = (1..=20_000).map(|n| format!("{n}\n")).collect::<Vec<_>>().concat();
    for options in ["", "--timeout 10m", "--no-concurrent"] {
        let cachex = cachex();
        let script = "trap 'exit 3' TERM; seq 1 20000; echo done >../printed; \
                      while :; do sleep 0.05; done";
        let call = cachex.run(script).with(options);
        let (running, mut unread) = call.spawn_unread();
        cachex.line_of("printed");
        running.signal(Signal::TERM);
        running.ends().exits(3).promptly();
        // What was printed is there for who reads it after all.
        let mut read = String::new();
        std::io::Read::read_to_string(&mut unread, &mut read).unwrap();
        assert!(read == all, "{} of {} bytes", read.len(), all.len());
    }
}
