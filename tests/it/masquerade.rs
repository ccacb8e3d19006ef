//! cachex by the name of another command: a link to it that comes first on PATH.

use crate::harness::{Cachex, Call, World, cachex, eventually};
use std::os::unix::fs::symlink;

/// `tool` by a link to cachex, and the tool behind it, which counts its runs.
fn masked(cachex: &Cachex, args: &str) -> Call {
    let links = cachex.path("links");
    if !links.exists() {
        std::fs::create_dir(&links).unwrap();
        symlink(World::binary(), links.join("tool")).unwrap();
        cachex.tool("tool", "echo \"$*\"; cat; wc -c <$HOME/../runs; exit ${STATUS:-0}");
    }
    let path = format!("{}:{}:/usr/bin:/bin", links.display(), cachex.path("bin").display());
    let argv = std::iter::once("tool").chain(args.split_whitespace());
    cachex.bare(std::iter::once("env").chain(argv)).env("PATH", path)
}

#[test]
fn what_a_rule_is_for_is_cached() {
    let cachex = cachex();
    cachex.config("[[command]]\nmatch = \"tool get *\"\nexpires-in = \"10m\"\n");
    let get = masked(&cachex, "get it");
    get.twice().runs_once().prints("get it\n1\n").quietly().exits(0);
    get.clone().after("11m").once().misses();
    get.clone().env("STATUS", "3").twice().runs_once().exits(3);
    // And nothing else is.
    let delete = masked(&cachex, "delete it");
    delete.twice().misses().quietly();
    delete.stdin("piped\n").once().prints("delete it\npiped\n6\n");
    get.env("CACHEX_DISABLE", "1").twice().misses();
}

#[test]
fn it_is_the_same_as_a_call_by_its_own_name() {
    let cachex = cachex();
    cachex.config("[[command]]\nmatch = \"tool *\"\n");
    let call = masked(&cachex, "get it");
    call.once().misses();
    // The link is passed over there, too.
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        cachex.path("links").display(),
        cachex.path("bin").display()
    );
    cachex.exec(["tool", "get", "it"]).env("PATH", path).once().hits().prints("get it\n1\n");
}

#[test]
fn a_mistake_in_the_settings_keeps_no_command_from_running() {
    let cachex = cachex();
    masked(&cachex, "get it").twice().misses().quietly();
    cachex.config("[[command]]\nmatch = \"tool *\"\nexpire = 1\n");
    masked(&cachex, "get it").once().misses().exits(0).warns_once(&["not cached", "config.toml:3"]);
}

#[test]
fn it_is_refreshed_behind_ones_back() {
    let cachex = cachex();
    cachex
        .config("[[command]]\nmatch = \"tool *\"\nexpires-in = \"1h\"\nrefresh-after = \"10m\"\n");
    let call = masked(&cachex, "get");
    call.once().prints("get\n1\n");
    let later = call.clone().after("20m");
    later.spawn().ends().prints("get\n1\n");
    cachex.awaits_runs(2);
    cachex.awaits_quiet();
    later.once().hits().prints("get\n2\n");
}

#[test]
fn a_script_that_calls_itself_by_it_is_passed_over() {
    let cachex = cachex();
    cachex.config("[[command]]\nmatch = \"tool *\"\n");
    let call = masked(&cachex, "get");
    // In front of the link stands a script that means what is behind.
    cachex.executable("first/tool", "#!/bin/sh\nexec cachex run -- tool \"$@\"\n");
    let path = format!(
        "{}:{}:{}:/usr/bin:/bin",
        cachex.path("first").display(),
        cachex.path("links").display(),
        cachex.path("bin").display()
    );
    let call = call.env("PATH", path);
    call.once().runs_once().exits(0);
    eventually("its end", || cachex.processes().is_empty().then_some(()));
}

#[test]
fn a_shorter_name_for_cachex_is_no_other_command() {
    let cachex = cachex();
    let links = cachex.path("links");
    std::fs::create_dir(&links).unwrap();
    for name in ["cx", "gone"] {
        symlink(World::binary(), links.join(name)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", links.display());
    let call = |argv: &[&str]| cachex.bare(["env"].iter().chain(argv)).env("PATH", &path);
    call(&["cx", "run", "--", "echo", "hi"]).once().prints("hi\n").exits(0);
    call(&["cx", "--version"]).once().shows(&["cachex "]);
    call(&["cx", "-t", "1h", "--", "echo", "hi"]).once().prints("hi\n").exits(0);
    call(&["gone", "get", "it"]).once().exits(127).mentions(&["gone: command not found"]);
}
