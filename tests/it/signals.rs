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
        assert!(cachex.stored_in("v1/young").is_empty(), "an interrupted run was recorded");
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
