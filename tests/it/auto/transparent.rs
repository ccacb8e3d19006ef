//! A traced command, and a hit of it, are the bare command to whoever looks from outside.

use super::auto;
use crate::harness::cachex;

#[test]
fn streams_and_statuses_are_those_of_the_bare_command() {
    let cachex = cachex();
    for script in [
        "true",
        "exit 42",
        "exit 255",
        "echo out; echo err >&2; echo out; exit 3",
        r"printf 'a\0b\377'",
        "yes | head -c 300000",
        "seq 1 20000 >&2",
        "no-such-command",
        "cat /no/such/file",
        "ulimit -n 20; ls /proc/self/fd >/dev/null && echo some",
        "env -i sh -c 'echo $0'",
        "(echo within; exit 5); echo $?",
        "exec sh -c 'echo executed'",
        "umask; pwd; cd /; pwd",
        "trap 'echo trapped' TERM; kill -TERM $$; echo on",
    ] {
        auto(&cachex, script).behaves_as_bare();
    }
}

#[test]
fn standard_input_arrives_whole() {
    let cachex = cachex();
    let text = "line\n".repeat(50_000);
    auto(&cachex, "wc -c; echo done").stdin(text).behaves_as_bare();
    auto(&cachex, "cat").stdin("").behaves_as_bare();
}

#[test]
fn a_death_by_signal_is_one_and_is_not_recorded() {
    let cachex = cachex();
    for signal in ["KILL", "SEGV", "TERM", "PIPE"] {
        let call = auto(&cachex, &format!("echo before; kill -{signal} $$"));
        let bare = call.clone().bare().once();
        call.twice().runs_twice().same_as(&bare);
    }
}

#[test]
fn a_missing_command_and_one_that_may_not_be_executed_end_as_ever() {
    let cachex = cachex();
    cachex.write("work/plain", "echo x\n");
    cachex.exec(["no-such-command"]).with("--auto").once().exits(127);
    cachex.exec(["./plain"]).with("--auto").once().exits(126);
}

#[test]
fn a_timeout_ends_it_all() {
    let cachex = cachex();
    auto(&cachex, "sleep 600").with("--timeout 300ms").once().exits(124).promptly();
    cachex.awaits_quiet();
}
