//! `cachex sh -c SCRIPT`, which is `cachex run -- /bin/sh -c SCRIPT`.

use crate::harness::{Cachex, Call, cachex, quoted};

/// The same as `call`, which is of `sh`, in words of `run`.
fn as_run(cachex: &Cachex, shell: &str, args: &[&str]) -> Call {
    cachex.exec([&[shell], args].concat()).with("--stdin null")
}

#[test]
fn a_script_is_served_the_second_time() {
    let call = cachex().sh("echo out; echo err >&2; exit 3").expires_in("1h");
    call.twice().runs_once().prints("out\n").says("err\n").exits(3).alike();
}

#[test]
fn it_is_a_run_of_the_shell() {
    let cachex = cachex();
    for (options, shell, args) in [
        ("", "/bin/sh", &["-c", "echo hi"][..]),
        ("--expires-in 1h", "/bin/sh", &["-ec", "echo hi"]),
        ("--no-cwd", "/bin/sh", &["-e", "-u", "-x", "-c", "echo hi"]),
        ("", "/bin/sh", &["+e", "-c", "echo hi"]),
        ("", "/bin/sh", &["-c", "-e", "echo hi"]),
        ("", "/bin/sh", &["-c", "echo $0 $2", "zero", "one", "--no-cwd"]),
        ("", "/bin/sh", &["-c", "", "-c"]),
        ("", "/bin/sh", &["-c", "--", "-x"]),
        ("--shell bash", "bash", &["-euo", "pipefail", "-c", "false | true; echo no"]),
        ("--shell=/bin/bash", "/bin/bash", &["-euo", "pipefail", "-c", "echo hi"]),
    ] {
        let of_run = as_run(&cachex, shell, args).with(&options.replace("--shell", "--tag"));
        let of_sh = cachex.cli(["sh"]).with(options).command(args);
        assert_eq!(of_sh.key(), of_run.key(), "{of_sh}");
        let hit = of_run.with("--verbose").once().mentions(&["cachex: hit "]);
        let text = of_sh.with("--verbose").once().mentions(&["cachex: hit "]).stdout();
        assert_eq!(text, hit.stdout());
    }
}

#[test]
fn the_shells_flags_reach_the_shell() {
    let cachex = cachex();
    let with = |args: &[&str]| cachex.cli(["sh"]).command(args).once();
    with(&["-ec", "false; echo no"]).prints("").exits(1);
    with(&["-c", "false; echo yes"]).prints("yes\n").exits(0);
    with(&["-euc", "echo $nothing; echo no"]).prints("").exits(2);
    with(&["-xc", "echo hi"]).prints("hi\n").says("+ echo hi\n");
    with(&["-o", "errexit", "-c", "false; echo no"]).prints("").exits(1);
    with(&["+e", "-c", "false; echo yes"]).prints("yes\n").exits(0);
    with(&["-c", "echo $0 $1 $#", "zero", "one"]).prints("zero one 1\n").exits(0);
    // A shell's mistakes are the shell's own.
    with(&["-zc", "echo hi"]).prints("").exits(2).mentions(&["-z"]);
}

#[test]
fn another_shell_may_be_named_anywhere() {
    let cachex = cachex();
    let call = cachex.sh("echo ${BASH_VERSION:+bash}");
    let plain = call.clone().once().stdout();
    call.clone().option("--shell", "bash").once().misses().prints("bash\n");
    call.clone().env("CACHEX_SHELL", "bash").once().hits().prints("bash\n");
    cachex.config("shell = \"bash\"");
    call.once().hits().prints("bash\n");
    call.clone().option("--shell", "/bin/sh").once().hits().prints(plain);
    cachex.cli(["config"]).once().exits(0).shows(&["shell", "bash", "config.toml:1"]);
    call.clone().option("--shell", "no-such-shell").once().exits(127).mentions(&["no-such-shell"]);
    let text = cachex.write("text", "");
    call.option("--shell", text).once().exits(126).mentions(&["Permission denied"]);
}

#[test]
fn run_has_no_shell() {
    cachex().run("echo hi").option("--shell", "bash").once().runs(0).exits(125);
}

#[test]
fn rules_match_it_as_the_command_that_it_is() {
    let cachex = cachex();
    cachex.config("[[command]]\nmatch = \"sh -c *report*\"\nexpires-in = \"1m\"");
    let report = cachex.sh("echo report");
    report.once().misses();
    report.after("2m").once().misses();
    let other = cachex.sh("echo other");
    other.once().misses();
    other.after("2m").once().hits();
}

#[test]
fn a_rule_names_no_shell() {
    let cachex = cachex();
    let path = cachex.config("[[command]]\nmatch = \"sh *\"\nshell = \"bash\"");
    let place = format!("{}:3:1: `shell`", path.display());
    cachex.sh("echo hi").once().runs(0).exits(125).mentions(&[&place, "`[[command]]`"]);
}

#[test]
fn it_reads_nothing_unless_it_is_told_to() {
    let cachex = cachex();
    let call = cachex.sh("cat; echo end");
    call.clone().stdin("text\n").twice().runs_once().prints("end\n");
    call.once().hits();
    // Nobody waits for the end of a pipe that has none.
    call.clone().stdin_open().spawn().ends().prints("end\n").quietly();
    for hashed in [call.clone().with("--stdin hash"), call.clone().env("CACHEX_STDIN", "hash")] {
        hashed.clone().stdin("one\n").once().prints("one\nend\n");
        hashed.stdin("two\n").once().prints("two\nend\n");
    }
    cachex.config("[[command]]\nmatch = \"sh *\"\nstdin = \"hash\"");
    call.stdin("three\n").once().misses().prints("three\nend\n");
}

#[test]
fn mistakes_are_said_and_nothing_is_run() {
    let cachex = cachex();
    for (args, words) in [
        (&["sh"][..], &["no script", "-c"][..]),
        (&["sh", "-e"], &["no script", "-c"]),
        (&["sh", "-c"], &["no script behind -c"]),
        (&["sh", "file.sh"], &["cachex run -- /bin/sh file.sh"]),
        (&["sh", "--expire-in", "1h", "-c", "true"], &["--expires-in"]),
        (&["sh", "--expires-in", "-c", "true"], &["--expires-in <DURATION>"]),
        (&["sh", "--expires-in", "0s", "-c", "true"], &["0s", "such as `2s`"]),
        (&["sh", "-e", "--no-cwd", "-c", "true"], &["`--no-cwd`", "come before"]),
        (&["sh", "--shell", "", "-c", "true"], &["--shell <SHELL>", "`bash`"]),
        (&["sh", "--quiet", "--verbose", "-c", "true"], &["--quiet", "--verbose"]),
        // As make calls it that was told of `SHELL` only.
        (&["-c", "true"], &["cachex sh -c", ".SHELLFLAGS = sh -c"]),
    ] {
        cachex.cli(args).once().exits(125).prints("").mentions(words);
    }
    let call = cachex.sh("echo hi").env("CACHEX_SHELL", "");
    call.once().exits(0);
    cachex.cli(["sh", "-h"]).once().exits(0).shows(&["cachex sh [OPTIONS]"]);
}

#[test]
fn it_is_refreshed_in_the_background() {
    let cachex = cachex();
    let script = format!("wc -c <{}; cat", quoted(cachex.path("runs")));
    let call = cachex.sh(&script).expires_in("1h").option("--refresh-after", "10m");
    call.once().misses().prints("1\n");
    let later = call.after("10m");
    later.spawn().ends().prints("1\n").quietly();
    cachex.awaits_runs(2);
    cachex.awaits_quiet();
    later.once().hits().prints("2\n");
}

#[test]
fn it_can_be_warmed() {
    let cachex = cachex();
    let call = cachex.sh("echo hi");
    call.clone().with("--warm").option("--shell", "bash").spawn().ends().prints("").exits(0);
    cachex.awaits_runs(1);
    cachex.awaits_quiet();
    call.option("--shell", "bash").once().hits().prints("hi\n");
}

#[test]
fn disabled_it_becomes_the_shell() {
    let cachex = cachex();
    let call = cachex.sh("echo $$; cat").env("CACHEX_DISABLE", "1").stdin("text\n");
    let running = call.spawn();
    let expected = format!("{}\ntext\n", running.pid().as_raw_nonzero());
    running.ends().prints(expected).exits(0).quietly();
    assert!(!cachex.store().exists());
}

#[test]
fn other_verbs_know_it_by_its_command() {
    let cachex = cachex();
    let call = cachex.cli(["sh"]).command(["-c", "echo hi"]);
    call.once().exits(0);
    let command = ["/bin/sh", "-c", "echo hi"];
    let known = |verb: &str| cachex.cli([verb]).with("--stdin null").command(command);
    known("explain").once().exits(0);
    known("show").once().exits(0).shows(&["/bin/sh -c 'echo hi'"]);
    known("forget").once().exits(0);
    known("explain").once().exits(1);
}
