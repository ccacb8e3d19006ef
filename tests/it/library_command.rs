//! Commands that a program has cached by the library: this one is such a program.

use crate::harness::{Cachex, World, cachex, eventually};
use cachex::{Cache, CachedCommand, CommandOutput, Outcome};
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

/// A command in this world, as a prompt there would call it.
fn command(cachex: &Cachex, argv: &[&str]) -> Command {
    let mut command = Command::new(argv[0]);
    command.args(&argv[1..]).current_dir(cachex.work()).envs(cachex.environment());
    command
}

fn cached(cachex: &Cachex, command: Command) -> CachedCommand {
    Cache::open(cachex.store()).unwrap().command(command).env_clear()
}

/// A script, each run of which is counted.
fn script(cachex: &Cachex, script: &str) -> CachedCommand {
    cached(cachex, command(cachex, &["sh", "-c", &cachex.counting(script)]))
}

fn of(output: &CommandOutput) -> (Outcome, Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.outcome, output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_program_and_a_prompt_find_what_the_other_recorded() {
    let cachex = cachex();
    for text in ["echo one; echo two >&2; exit 3", "echo three"] {
        let call = script(&cachex, text).expires_in(HOUR);
        let prompt = cachex.run(text).expires_in("1h").with("--stdin null");
        let before = cachex.runs();
        let prompt_is_first = text == "echo three";
        if prompt_is_first {
            prompt.once();
        }
        let output = call.output().unwrap();
        assert_eq!(output.outcome.is_hit(), prompt_is_first);
        let again = call.output().unwrap();
        assert_eq!(again.outcome, Outcome::Hit);
        assert!(again.age.is_some() && again.is_recorded);
        let outcome = prompt.once().exits(output.status.code().unwrap());
        assert_eq!((outcome.stdout(), outcome.stderr()), {
            let (.., stdout, stderr) = of(&again);
            (stdout, stderr)
        });
        assert_eq!(cachex.runs() - before, 1);
        assert!(output.key.unwrap().starts_with(&prompt.key()));
    }
}

#[test]
fn what_is_read_counts_as_it_does_at_a_prompt() {
    let cachex = cachex();
    let call = |input: &str| script(&cachex, "tr a-z A-Z").input(input).output().unwrap();
    assert_eq!(of(&call("pear")), (Outcome::Miss, Some(0), "PEAR".into(), String::new()));
    assert_eq!(of(&call("fig")), (Outcome::Miss, Some(0), "FIG".into(), String::new()));
    assert_eq!(of(&call("pear")), (Outcome::Hit, Some(0), "PEAR".into(), String::new()));
    let file = cachex.write("fig", "fig");
    cachex.run("tr a-z A-Z").stdin_from(file, 0).once().runs(0);
}

#[test]
fn a_death_by_signal_is_one() {
    let cachex = cachex();
    let output = script(&cachex, "kill -TERM $$").output().unwrap();
    assert_eq!((output.outcome, output.status.signal()), (Outcome::Miss, Some(15)));
    assert!(!output.is_recorded && output.reason.unwrap().contains("signal"));
}

#[test]
fn what_cannot_be_started_is_the_error_that_it_would_be() {
    let cachex = cachex();
    cachex.write("work/text", "no program");
    let kind = |argv: &[&str]| cached(&cachex, command(&cachex, argv)).output().unwrap_err().kind();
    assert_eq!(kind(&["no-such-program"]), ErrorKind::NotFound);
    assert_eq!(kind(&["./no-such-program", "x"]), ErrorKind::NotFound);
    assert_eq!(kind(&["./text"]), ErrorKind::PermissionDenied);
    let mut nowhere = command(&cachex, &["true"]);
    nowhere.current_dir(cachex.path("nowhere"));
    assert_eq!(cached(&cachex, nowhere).output().unwrap_err().kind(), ErrorKind::NotFound);
    // These are the command's own.
    for status in [125, 126, 127] {
        let output = script(&cachex, &format!("exit {status}")).output().unwrap();
        assert_eq!(output.status.code(), Some(status));
    }
}

#[test]
fn a_mistake_is_an_error_that_says_what_would_be_right() {
    let cachex = cachex();
    let call = || script(&cachex, "echo run");
    let with_variable = |name, value| {
        let mut command = command(&cachex, &["true"]);
        command.env(name, value);
        cached(&cachex, command)
    };
    for (call, says) in [
        (call().run_option("--expires-in", "soon"), "such as `2s`"),
        (call().run_option("--no-such-option", "1"), "--no-such-option"),
        (call().run_flag("--quiet").run_flag("--verbose"), "cannot be used with"),
        (call().run_flag("--help"), "cachex help run"),
        (call().run_option("echo", "1"), "no option"),
        (call().run_option("--input=src", "1"), "no option"),
        (call().run_flag("--"), "no option"),
        (call().run_option("--status-file", "x"), "--status-file"),
        (call().run_option("--input-from", "no-such-file"), "no-such-file"),
        (with_variable("CACHEX_EXPIRES_IN", "soon"), "CACHEX_EXPIRES_IN"),
    ] {
        for result in [call.output(), call.status()] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
    }
    assert!(call().expires_in(0).is_err());
    assert!(call().expires_in(Duration::ZERO).output().is_err());
    assert_eq!(cachex.runs(), 0);
}

#[test]
fn options_of_run_are_those_of_a_prompt() {
    let cachex = cachex();
    let call = || script(&cachex, "echo done").run_flag("--no-cwd").run_option("--scope", "a b");
    let absent = call().run_flag("--cached-only").output().unwrap();
    assert_eq!((absent.outcome, absent.status.code()), (Outcome::Absent, Some(125)));
    assert_eq!(call().output().unwrap().outcome, Outcome::Miss);
    let prompt = cachex.run("echo done").with("--no-cwd --stdin null").option("--scope", "a b");
    prompt.once().runs(0);
    let off = {
        let mut command = command(&cachex, &["echo", "done"]);
        command.env("CACHEX_DISABLE", "1");
        cached(&cachex, command).output().unwrap()
    };
    assert_eq!(of(&off).0, Outcome::Uncached);
    assert_eq!(off.stdout, b"done\n");
}

#[test]
fn a_run_in_the_background_is_recorded() {
    let cachex = cachex();
    let warming = script(&cachex, "echo done").run_flag("--warm").output().unwrap();
    assert_eq!(of(&warming), (Outcome::Warming, Some(0), String::new(), String::new()));
    cachex.awaits_quiet();
    let output = script(&cachex, "echo done").output().unwrap();
    assert_eq!(of(&output), (Outcome::Hit, Some(0), "done\n".into(), String::new()));
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn of_simultaneous_threads_one_runs_the_command_if_it_is_not_to_run_twice() {
    let cachex = cachex();
    let text = format!("echo begun; {}; echo done", cachex.gate("gate"));
    let call = script(&cachex, &text).allow_concurrent(true).allow_concurrent(false);
    let outcomes = std::thread::scope(|scope| {
        let threads = [(); 3].map(|()| scope.spawn(|| call.output().unwrap()));
        let waiting = || cachex.processes().len() >= 5;
        eventually("all of them", || (cachex.runs() == 1 && waiting()).then_some(()));
        cachex.opens("gate");
        threads.map(|thread| thread.join().unwrap())
    });
    assert!(outcomes.iter().all(|output| output.stdout == b"begun\ndone\n"));
    assert_eq!(outcomes.iter().filter(|output| output.outcome == Outcome::Miss).count(), 1);
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn what_is_shown_live_is_on_the_streams_of_the_program() {
    let cachex = cachex();
    let (program, store) = (World::example("command"), cachex.store());
    let script = "echo to stdout; echo to stderr >&2; exit 3";
    let shown = |says: &[&str]| {
        let argv = [program.as_os_str(), store.as_os_str(), "sh".as_ref(), "-c".as_ref()];
        let call = cachex.bare(argv.into_iter().chain([script.as_ref()]));
        call.once().exits(3).prints("to stdout\n").mentions(says);
    };
    shown(&["to stderr\n"]);
    shown(&["to stderr\n", "recorded ", " ago"]);
}
