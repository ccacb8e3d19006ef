//! A script that calls cachex with its own name gets the next tool of that name.

use crate::harness::{Cachex, Call, cachex};

/// A folder of scripts around tools, first on PATH.
fn with_shim(cachex: &Cachex, shim: &str) -> Call {
    cachex.executable("shims/mytool", format!("#!/bin/sh\n{shim}\n"));
    cachex.tool("mytool", "echo real \"$@\"");
    let mut path = cachex.path("shims").into_os_string();
    path.push(":");
    path.push(cachex.path("bin"));
    path.push(":/usr/bin:/bin");
    cachex.bare(["mytool", "a b"]).env("PATH", path)
}

#[test]
fn it_is_said_once_and_the_tool_is_cached() {
    for shim in [r#"exec cachex run -- mytool "$@""#, r#"cachex run -- mytool "$@"; exit $?"#] {
        let cachex = cachex();
        let call = with_shim(&cachex, shim);
        let first = call.once().runs(1).prints("real a b\n").exits(0).promptly();
        let shimmed = cachex.path("shims/mytool").display().to_string();
        first.warns_once(&[&shimmed, "calls cachex"]);
        call.twice().runs(0).prints("real a b\n").quietly();
        // The tool counts, and not the script.
        cachex.tool("mytool", "echo newer \"$@\"");
        call.twice().runs(1).prints("newer a b\n").quietly();
    }
}

#[test]
fn one_that_adds_arguments_does_not_go_round_either() {
    let cachex = cachex();
    let call = with_shim(&cachex, r#"exec cachex run -- mytool --colour "$@""#);
    let first = call.once().runs(1).promptly();
    assert!(first.stdout().starts_with("real --colour"), "{}", first.stdout());
    call.once().prints("real --colour a b\n");
}

#[test]
fn nor_without_a_cache() {
    let cachex = cachex();
    let call = with_shim(&cachex, r#"exec cachex run -- mytool "$@""#);
    let call = call.env("CACHEX_DISABLE", "1");
    call.once().runs(1).prints("real a b\n").exits(0).promptly();
}

#[test]
fn a_script_that_calls_itself_and_no_other_is_left_to_it() {
    let cachex = cachex();
    let script =
        r#"[ "$1" -le 1 ] && echo 1 || echo $(($1 * $(cachex run -- factorial $(($1 - 1)))))"#;
    cachex.tool("factorial", script);
    cachex.exec(["factorial", "5"]).twice().runs(5).prints("120\n").quietly();
}
