//! `--no-concurrent`: commands that call each other end.

use crate::harness::{Cachex, PROMPTLY, Running, cachex, quoted};
use std::time::Instant;

/// Commands of which each calls the next, the last the first, but only one deep.
///
/// None goes on before all have begun, so each holds its lock when it calls the next.
fn in_a_circle(cachex: &Cachex, names: &[&str], first: &str) {
    let all_began = names.iter().map(|name| cachex.gate(name)).collect::<Vec<_>>().join("; ");
    for (at, name) in names.iter().enumerate() {
        let next = names[(at + 1) % names.len()];
        let calls = format!("DEPTH=1 cachex run --no-concurrent --ignore-env DEPTH -- {next}");
        let began = quoted(cachex.path(name));
        let script = format!(
            "{first} if [ -z \"$DEPTH\" ]; then : >{began}; {all_began}; {calls}; fi; echo {name}"
        );
        cachex.tool(name, &script);
    }
}

/// All of them at once, to their end. What each prints of the next depends on whether
/// that was run for it alone or had called others in its turn.
#[track_caller]
fn all_end(cachex: &Cachex, names: &[&str]) {
    let began = Instant::now();
    let call =
        |name: &&str| cachex.exec([*name]).with("--no-concurrent --ignore-env DEPTH").spawn();
    let all: Vec<Running> = names.iter().map(call).collect();
    for (at, caller) in all.into_iter().enumerate() {
        let printed = caller.ends().quietly().exits(0).stdout();
        let end = format!("{}\n{}\n", names[(at + 1) % names.len()], names[at]);
        assert!(printed.ends_with(&end), "{}: {printed}", names[at]);
    }
    assert!(began.elapsed() < PROMPTLY);
    let left = cachex.stored_in("v2/tmp");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn two_that_call_each_other_end() {
    let cachex = cachex();
    in_a_circle(&cachex, &["a", "b"], "");
    all_end(&cachex, &["a", "b"]);
}

#[test]
fn so_do_three() {
    let cachex = cachex();
    in_a_circle(&cachex, &["a", "b", "c"], "");
    all_end(&cachex, &["a", "b", "c"]);
}

#[test]
fn so_do_two_that_have_shown_something_of_each_other() {
    let cachex = cachex();
    in_a_circle(&cachex, &["a", "b"], "echo first;");
    all_end(&cachex, &["a", "b"]);
}

/// Calls itself through `cachex` until it is so deep.
fn nesting(cachex: &Cachex, depth: u32) {
    let script = format!(
        "n=${{DEPTH:-0}}; [ $n = {depth} ] || \
         DEPTH=$((n + 1)) cachex run --no-concurrent --ignore-env DEPTH -- self; echo $n"
    );
    cachex.tool("self", &script);
}

#[test]
fn one_that_calls_itself_again_and_again_ends() {
    let cachex = cachex();
    nesting(&cachex, 3);
    let call = cachex.exec(["self"]).with("--no-concurrent --ignore-env DEPTH");
    call.once().runs(4).prints("3\n2\n1\n0\n").quietly().exits(0).promptly();
}

/// Launchers that hide from a process who its ancestors are.
#[cfg(target_os = "linux")]
mod hidden {
    use super::*;
    use crate::harness::unshares;

    /// Without `/proc`.
    const NO_PROC: &str =
        r#"exec unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh "$@""#;

    #[test]
    fn where_there_is_no_proc_one_that_calls_itself_ends() {
        if !unshares("--mount") {
            return;
        }
        let cachex = cachex();
        nesting(&cachex, 2);
        let call = cachex.exec(["self"]).with("--no-concurrent --ignore-env DEPTH");
        let call = call.launched_by(NO_PROC);
        call.once().runs(3).prints("2\n1\n0\n").quietly().exits(0).promptly();
    }

    #[test]
    fn so_does_one_that_calls_itself_in_a_container() {
        if !unshares("--fork --pid --mount-proc") {
            return;
        }
        let cachex = cachex();
        let inner = "unshare --fork --pid --mount-proc \
                     cachex run --no-concurrent --ignore-env DEPTH -- self";
        let script = format!("[ \"$DEPTH\" ] || DEPTH=1 {inner}; echo ${{DEPTH:-0}}");
        cachex.tool("self", &script);
        let call = cachex.exec(["self"]).with("--no-concurrent --ignore-env DEPTH");
        call.once().runs_twice().prints("1\n0\n").quietly().exits(0).promptly();
    }

    #[test]
    fn where_there_is_no_proc_of_those_who_are_not_related_one_runs() {
        if !unshares("--mount") {
            return;
        }
        let cachex = cachex();
        let script = format!("{}; echo done", cachex.gate("gate"));
        let call = cachex.run(&script).with("--no-concurrent").launched_by(NO_PROC);
        let holder = call.spawn();
        cachex.awaits_runs(1);
        let waiter = call.spawn();
        cachex.awaits_a_waiter();
        cachex.opens("gate");
        for caller in [holder, waiter] {
            caller.ends().prints("done\n").quietly().exits(0);
        }
        assert_eq!(cachex.runs(), 1);
    }
}
