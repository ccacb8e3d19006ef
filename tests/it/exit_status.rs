//! `cachex` ends as its command ended.

use crate::harness::{Signal, cachex};

#[test]
fn an_exit_status_is_replayed() {
    for code in [0, 1, 2, 42, 124, 125, 126, 127, 130, 137, 143, 255] {
        let call = cachex().run(&format!("echo {code}; exit {code}"));
        call.behaves_as_bare().exits(code).quietly();
    }
}

#[test]
fn a_death_by_a_signal_is_a_death_by_that_signal() {
    for signal in [
        Signal::SEGV,
        Signal::KILL,
        Signal::TERM,
        Signal::INT,
        Signal::HUP,
        Signal::QUIT,
        Signal::ABORT,
        Signal::PIPE,
        Signal::ALARM,
        Signal::USR1,
        Signal::FPE,
        Signal::BUS,
        Signal::TRAP,
        Signal::SYS,
    ] {
        let number = signal.as_raw();
        let call =
            cachex().run(&format!("ulimit -c 0; echo before; kill -{number} $$; echo after"));
        call.twice().runs_twice().prints("before\n").quietly().dies_of(signal);
    }
}

#[test]
fn a_shell_sees_a_death_as_it_always_does() {
    let cachex = cachex();
    for (signal, status) in [("SEGV", 139), ("KILL", 137), ("TERM", 143)] {
        let script = format!("cachex run -- sh -c 'kill -{signal} $$'; echo $?");
        cachex.shell(&script).once().prints(format!("{status}\n"));
    }
}

#[test]
fn no_core_is_left_by_a_signal_passed_on() {
    // The command dumped one if it was to; a second one would be about cachex.
    let cachex = cachex();
    let script = "ulimit -c unlimited; cachex run -- sh -c 'ulimit -c 0; kill -SEGV $$'";
    cachex.shell(script).once();
    let left: Vec<_> = std::fs::read_dir(cachex.work()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_missing_command_is_127() {
    let cachex = cachex();
    let call = cachex.exec(["no-such-command", "x"]);
    call.twice().exits(127).prints("").mentions(&["no-such-command", "not found"]);
    cachex.tool("no-such-command", "echo here now");
    call.once().misses().prints("here now\n").exits(0);
}

#[test]
fn a_missing_path_is_127() {
    let cachex = cachex();
    cachex.exec(["./no-such-command"]).once().exits(127).mentions(&["./no-such-command"]);
    cachex.exec([""]).once().exits(127);
}

#[test]
fn what_cannot_be_executed_is_126() {
    let cachex = cachex();
    let plain = cachex.write("work/plain", "just text");
    let folder = cachex.path("home");
    for path in [&plain, &folder] {
        let shown = path.to_str().unwrap();
        cachex.exec([shown]).twice().exits(126).prints("").mentions(&[shown]);
    }
}

#[test]
fn a_script_whose_interpreter_is_missing_is_as_with_env() {
    let cachex = cachex();
    let script = cachex.executable("bin/orphan", "#!/no/such/interpreter\n");
    cachex.exec([script]).twice().exits(127).prints("");
}

#[test]
fn a_script_without_an_interpreter_line_runs_as_in_a_shell() {
    let cachex = cachex();
    cachex.executable("bin/headless", format!("{}\n", cachex.counting("echo $1")));
    cachex.exec(["headless", "hi"]).behaves_as_bare().prints("hi\n").exits(0);
}

#[test]
fn a_failed_start_leaves_nothing_in_the_store() {
    let cachex = cachex();
    cachex.exec(["no-such-command"]).once();
    assert!(cachex.stored_in("v2/young").is_empty(), "{:?}", cachex.stored());
}

#[test]
fn which_are_replayed_is_said_by_who_reads_too() {
    let cachex = cachex();
    let call = cachex.run("exit 3").failure_expires_in("1h");
    call.twice().runs_once().exits(3);
    for list in ["0", "0-2", "4"] {
        let picky = call.clone().exit_codes(list);
        picky.clone().with("--cached-only").once().hits().exits(125);
        picky.once().misses().exits(3);
    }
    for list in ["all", "3", "0,2-4"] {
        call.clone().exit_codes(list).once().hits().exits(3);
    }
    let told = call.clone().exit_codes("0").with("--verbose").once().misses();
    let _ = told.mentions(&["recorded with an exit status that is left out"]);
    let told = call.exit_codes("0").explain().once().exits(1).stdout();
    for words in ["exit status 3", "--exit-codes leaves out", "--exit-codes all"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn how_long_a_failure_is_replayed_is_said_by_both() {
    let cachex = cachex();
    let call = cachex.run("exit 3");
    call.clone().failure_expires_in("1h").once().misses();
    call.clone().failure_expires_in("5m").after("4m").once().hits();
    call.clone().failure_expires_in("3m").after("4m").with("--read-only").once().misses();
    // By default, a minute.
    call.clone().after("30s").once().hits();
    call.clone().after("2m").with("--read-only").once().misses();
    call.failure_expires_in("2h").after("61m").once().misses();
}

#[test]
fn a_path_that_leads_nowhere_is_as_with_env() {
    let cachex = cachex();
    cachex.write("work/file", "text");
    std::os::unix::fs::symlink("loop", cachex.work().join("loop")).unwrap();
    let long = format!("./{}", "a".repeat(300));
    for path in ["./loop", "./file/x", &long, "./none", "./", "/"] {
        let bare = cachex.bare(["env", path]).once();
        cachex.exec([path]).once().ends_as(&bare).prints("").says_one_line(&[path]);
    }
    // A shell looks further where it is a name.
    let here =
        cachex.exec(["loop"]).env("PATH", format!("{}:/usr/bin:/bin", cachex.work().display()));
    here.once().exits(127);
}
