//! A hit before the C library starts: what is answered there, what is passed on, and that
//! nobody can tell one from the other.
#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    target_arch = "x86_64",
    target_feature = "crt-static"
))]

use crate::harness::{Cachex, Call, Outcome, World, cachex, quoted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;

/// Why a call is passed on, if it is.
fn why(call: &Call) -> Option<String> {
    let said = call.clone().env("CACHEX_FRONT", "trace").once().stderr();
    said.lines().find_map(|line| line.strip_prefix("cachex: passed on: ").map(str::to_owned))
}

#[track_caller]
fn is_answered(call: &Call) {
    call.clone().env("CACHEX_FRONT", "0").once();
    assert_eq!(why(call), None, "{call}");
    call.clone().once().runs(0);
}

/// A call whose standard input is a pipe with two lines in it that nobody writes to any more.
/// What it leaves is printed behind what it prints.
fn piped(cachex: &Cachex, script: &str) -> Call {
    let fifo = r#"exec < <(printf 'first\nsecond\n'); wait $!; "$@"; cat"#;
    cachex.run(script).launched_by(&format!("exec bash -c {} bash \"$@\"", quoted(fifo)))
}

#[test]
fn what_is_plain_is_answered() {
    let cachex = cachex();
    cachex.write("work/file", "some text\n");
    cachex.tool("tool", "printf found");
    for options in [
        "",
        "--expires-in 1h",
        "-t 1h --refresh-after=30m",
        "--env LANG,FOO",
        "--ignore-env=LANG --no-cwd",
        "--no-env --exe name --key k --scope s",
        "--quiet --read-only --no-concurrent --lock-timeout 5s",
        "--stdin null",
        "--stdin inherit",
    ] {
        is_answered(&cachex.run("printf out; printf err >&2; exit 3").with(options));
    }
    is_answered(&cachex.exec(["tool", "-n", "5"]));
    is_answered(&cachex.sh("printf script"));
    is_answered(&cachex.cli(["--no-cwd"]).command(["printf", "short"]));
    is_answered(&cachex.run("cat").stdin_from(cachex.path("work/file"), 5));
    is_answered(&cachex.run("printf closed").stdin_closed());
    is_answered(&piped(&cachex, "cat; printf read"));
    is_answered(&piped(&cachex, "read -r first; printf '%s' \"$first\""));
    is_answered(&cachex.run("printf made").env("MAKEFLAGS", " -j4 --jobserver-auth=3,4"));
    is_answered(&cachex.run("printf none").env("CACHEX_CONFIG", "").env("CACHEX_QUIET", ""));
    let elsewhere = cachex.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, cachex.path("link")).unwrap();
    fs::write(elsewhere.join("x"), "").unwrap();
    let linked = cachex.executable("elsewhere/linked", "#!/bin/sh\nprintf linked\n");
    symlink(linked, cachex.path("work/program")).unwrap();
    is_answered(&cachex.exec(["./program"]));
    is_answered(&cachex.exec(["../link/../link/./linked"]));
}

#[test]
fn what_is_not_is_passed_on() {
    let cachex = cachex();
    let plain = cachex.run("printf plain");
    assert_eq!(why(&plain).as_deref(), Some("there is no store"));
    assert_eq!(why(&cachex.run("printf other")).as_deref(), Some("there is no recent entry"));
    is_answered(&plain);
    let passed_on = |call: Call, expected: &str| {
        call.clone().env("CACHEX_FRONT", "0").once();
        assert_eq!(why(&call).as_deref(), Some(expected), "{call}");
    };
    for options in ["--verbose", "--exe content", "--tag x", "--env A*", "--expires-in 1h30m"] {
        passed_on(plain.clone().with(options), "arguments");
    }
    passed_on(plain.clone().env("CACHEX_SCOPE", "s"), "a variable of cachex");
    passed_on(cachex.exec(["printf", "/dev/fd/9"]), "an argument names a descriptor");
    passed_on(
        plain.clone().launched_by(r#"ulimit -f 100000; exec "$@""#),
        "the process is restricted",
    );
    passed_on(cachex.run("head -c 100000 /dev/zero"), "the entry is not a plain one");
    passed_on(plain.clone().launched_by(r#"exec "$@" >&-"#), "an output is closed");
    cachex.config("expires-in = \"1h\"\n");
    passed_on(plain.clone(), "there is a configuration file");
}

#[test]
fn it_can_be_switched_off() {
    let cachex = cachex();
    let call = cachex.run("printf x");
    is_answered(&call);
    call.env("CACHEX_FRONT", "0").twice().runs(0).prints("x").quietly();
}

#[test]
fn what_has_expired_is_run_again() {
    let cachex = cachex();
    let call = cachex.run("printf x").expires_in("1h");
    call.clone().before("2h").once().runs_once();
    assert_eq!(why(&call).as_deref(), Some("the entry has expired"));
    call.once().runs(0);
    let failure = cachex.run("exit 3");
    failure.clone().before("2m").once().runs_once();
    failure.once().runs_once();
    failure.once().runs(0).exits(3);
    let future = cachex.run("printf later");
    future.clone().after("1h").once().runs_once();
    assert_eq!(why(&future).as_deref(), Some("the entry is of the future"));
}

/// The file of the only recent entry.
fn only_entry(world: &World) -> std::path::PathBuf {
    let entries = world.stored_in("v2/young");
    assert_eq!(entries.len(), 1);
    world.store().join(&entries[0])
}

#[test]
fn a_damaged_entry_is_not_shown_and_no_descriptor_is_left() {
    let cachex = cachex();
    let call = cachex.exec(["sh", "-c", "ls /proc/self/fd"]);
    let bare = call.clone().bare().once();
    call.once().same_as(&bare);
    let entry = only_entry(&cachex);
    let whole = fs::read(&entry).unwrap();
    for at in 0..whole.len() {
        if at % 16 == 0 {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            fs::write(&entry, &damaged).unwrap();
            assert_eq!(why(&call).as_deref(), Some("the entry is damaged"), "byte {at}");
        }
    }
    call.once().same_as(&bare);
    assert_eq!(why(&call), None);
}

#[test]
fn a_fold_that_is_due_is_left_to_who_can_start_it() {
    let cachex = cachex();
    let call = cachex.run("printf x");
    is_answered(&call);
    let log = File::options().write(true).open(cachex.store().join("v2/events")).unwrap();
    log.set_len(128 * 1024 - 64).unwrap();
    assert_eq!(why(&call).as_deref(), Some("a fold is due"));
    cachex.awaits_quiet();
    assert_eq!(why(&call), None);
}

/// A second stream that takes nothing for now, after the first was shown: whoever goes on
/// shows the rest and nothing twice.
#[test]
fn what_was_shown_is_not_shown_again() {
    let cachex = cachex();
    let gate = cachex.gate("seen");
    let call = cachex.run(&format!("printf out; {gate}; printf err >&2"));
    let recording = call.spawn();
    recording.shows("out");
    cachex.opens("seen");
    recording.ends().runs_once();
    is_answered(&call);
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'.'; 4096]).is_ok() {}
    let full = rustix::io::ioctl_fionread(&reader).unwrap();
    let running = call.env("CACHEX_FRONT", "1").spawn_complaining_into(writer.try_clone().unwrap());
    running.shows("out");
    drop(writer);
    let mut taken = Vec::new();
    reader.read_to_end(&mut taken).unwrap();
    running.ends().exits(0).runs(0).prints("out");
    assert_eq!(taken[full as usize..], *b"err");
}

#[test]
fn both_streams_in_one_pipe_keep_their_order() {
    let cachex = cachex();
    let apart = cachex.run("printf a; printf b >&2; printf c");
    is_answered(&apart);
    let one = apart.clone().merged();
    one.clone().env("CACHEX_FRONT", "0").once().runs_once();
    assert_eq!(one.once().runs(0).stdout(), "abc");
    // Recorded with other outputs: each has the place of the other now.
    apart.once().runs_once().prints("ac").says("b");
}

/// What the log of events has gained: of each record all but the time, the cost and the sum.
fn gained(log: &Path, from: usize) -> Vec<Vec<u8>> {
    let bytes = fs::read(log).unwrap_or_default();
    let records = bytes[from.min(bytes.len())..].chunks(64);
    records.map(|it| [&it[..4], &it[16..24], &it[32..]].concat()).collect()
}

#[derive(Clone, Debug)]
struct Case {
    options: Vec<&'static str>,
    form: &'static str,
    command: &'static [&'static str],
    variables: Vec<(&'static str, &'static str)>,
    input: &'static str,
}

fn case() -> impl Strategy<Value = Case> {
    let options = vec![
        "--no-env",
        "--env FOO,LANG",
        "--env=FOO",
        "--ignore-env FOO",
        "--no-cwd",
        "--exe name",
        "--exe=content",
        "-k one",
        "--key=two",
        "--scope s",
        "--expires-in 1h",
        "-t 2d",
        "--ttl=1w",
        "--failure-expires-in 10m",
        "--refresh-after 30m",
        "--stdin null",
        "--stdin inherit",
        "--quiet",
        "--read-only",
        "--tag x",
        "--jitter 5",
        "--nonsense",
        "--exit-codes 0",
    ];
    let variables = vec![
        ("FOO", "1"),
        ("FOO2", ""),
        ("F", "x"),
        ("MAKEFLAGS", " -j4 --jobserver-auth=3,4"),
        ("MFLAGS", "-k -j2"),
        ("GNUMAKEFLAGS", "k -- A=1 "),
        ("MAKE_TERMOUT", "/dev/pts/1"),
        ("PWD", "/elsewhere"),
        ("DIRENV_DIFF", "x"),
        ("TMUX", "1"),
        ("_", "x"),
        ("CACHEX_KEY", "three"),
        ("CACHEX_QUIET", ""),
        ("CACHEX_FORCE", "1"),
        ("XDG_CONFIG_HOME", "relative"),
        ("USER", "somebody"),
    ];
    let commands: Vec<&[&str]> = vec![
        &["printf", "x"],
        &["printf", "%s", "5", "-u7", "x3"],
        &["sh", "-c", "printf out; printf err >&2; exit 4"],
        &["sh", "-c", "read -r line; printf '%s' \"$line\""],
        &["cat"],
        &["true"],
        &["no-such-command"],
        &[""],
    ];
    (
        subsequence(options, 0..4),
        select(vec!["run", "sh", "short"]),
        select(commands),
        subsequence(variables, 0..5),
        select(vec!["null", "closed", "file", "offset", "pipe"]),
    )
        .prop_map(|(options, form, command, variables, input)| Case {
            options,
            form,
            command,
            variables,
            input,
        })
}

impl Case {
    fn call(&self, cachex: &Cachex) -> Call {
        let mut call = match self.form {
            "sh" => cachex.sh("printf script; cat"),
            "run" => cachex.exec(self.command),
            _ => cachex.cli([""; 0]).command(self.command.iter().copied()),
        };
        if self.form == "sh" {
            // Options stand in front of the script.
            let script = ["-c", "printf script; cat"];
            call = cachex.cli(["sh"]).with(&self.options.join(" ")).command(script);
        } else {
            call = call.with(&self.options.join(" "));
        }
        for (name, value) in &self.variables {
            call = call.env(name, value);
        }
        // Whoever comes next reads on where the call has left it.
        let file = quoted(cachex.path("work/file"));
        match self.input {
            "closed" => call.stdin_closed(),
            "file" => call.launched_by(&format!("exec <{file}; \"$@\"; echo $?; cat")),
            "offset" => {
                call.launched_by(&format!("exec <{file}; read -r it; \"$@\"; echo $?; cat"))
            }
            "pipe" => call.launched_by("printf 'piped\\nlines\\n' | { \"$@\"; echo $?; cat; }"),
            _ => call,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn it_agrees_with_the_ordinary_way(case in case()) {
        let cachex = cachex();
        cachex.write("work/file", "first\nsecond\nthird\n");
        let log = cachex.store().join("v2/events");
        let call = case.call(&cachex);
        let done = |front: &str| {
            let before = fs::metadata(&log).map_or(0, |log| log.len());
            let outcome = call.clone().env("CACHEX_FRONT", front).once();
            (outcome, gained(&log, before as usize))
        };
        let recorded = done("0");
        for _ in 0..2 {
            let (ordinary, expected) = done("0");
            let (front, noted) = done("1");
            let told = |it: &Outcome| (it.stdout(), it.stderr(), it.status(), it.executions());
            prop_assert_eq!(told(&front), told(&ordinary));
            // A run takes as long as it takes.
            if ordinary.executions() == 0 && recorded.0.succeeded() {
                prop_assert_eq!(noted.iter().map(|it| &it[..4]).collect::<Vec<_>>(),
                    expected.iter().map(|it| &it[..4]).collect::<Vec<_>>());
                let are_hits = expected.iter().all(|it| it[3] == 1);
                prop_assert!(!are_hits || noted == expected);
            }
        }
    }
}
