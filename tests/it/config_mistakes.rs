//! What is wrong with a `config.toml` is an error that says where; one that is
//! not to be trusted, or not to be read, is left alone with a warning.

use crate::harness::{Cachex, Call, cachex};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn a_mistake_is_named_with_its_place_and_nothing_is_run() {
    let cachex = cachex();
    for (text, place, words) in [
        (
            "expire-in = \"1m\"",
            "1:1",
            &["unknown key `expire-in`", "did you mean `expires-in`?"][..],
        ),
        ("# x\n\nExpires_In = \"1m\"", "3:1", &["`Expires_In`", "`expires-in`"]),
        ("tags = []", "1:1", &["`tags`", "did you mean `tag`?"]),
        ("xyzzy = 1", "1:1", &["unknown key `xyzzy`", "cachex help run"]),
        ("[run]\njitter = 1", "1:2", &["unknown key `run`"]),
        ("[[commands]]", "1:3", &["`commands`", "did you mean `command`?"]),
        ("[[command]]\nmatches = \"x\"\nmatch = \"x\"", "2:1", &["`matches`", "`match`"]),
        ("[[command]]\nmatch = \"x\"\njiter = 1", "3:1", &["`jiter`", "`jitter`"]),
        ("warm = true", "1:1", &["`warm`", "one call", "--warm"]),
        ("cached-only = true", "1:1", &["`cached-only`", "one call"]),
        ("status-fd = 3", "1:1", &["`status-fd`", "one call"]),
        ("force = true", "1:1", &["`force`", "mode = \"write-only\""]),
        ("[[command]]\nmatch = \"x\"\nread-only = true", "3:1", &["mode = \"read-only\""]),
        ("expires-in = 10", "1:14", &["10", "`expires-in`", "a string in quotes"]),
        ("expires-in = \"0s\"", "1:14", &["\"0s\"", "`expires-in`", "such as `2s`"]),
        ("\n  jitter = \"101\"", "2:12", &["\"101\"", "`jitter`", "from 0 to 100"]),
        ("no-cwd = \"yes\"", "1:10", &["`no-cwd`", "`true` or `false`"]),
        ("max-size = 1.5", "1:12", &["1.5", "`max-size`", "whole number"]),
        ("max-size = 99999999999999999999", "1:12", &["`max-size`", "too large"]),
        ("mode = \"readonly\"", "1:8", &["\"readonly\"", "`read-only`"]),
        ("key = 1979-05-27", "1:7", &["`key`", "a string in quotes"]),
        ("tag = [\"a\", 1]", "1:13", &["`tag`", "a string in quotes"]),
        ("env = [\"A=B\"]", "1:7", &["`env`", "names of variables"]),
        ("ignore-env = \"A,[\"", "1:14", &["`ignore-env`", "pattern"]),
        ("cache-dir = \"caches\"", "1:13", &["\"caches\"", "`/` or `~/`"]),
        ("[[command]]\njitter = 1", "1:1", &["no `match`"]),
        ("[[command]]\nmatch = []", "2:9", &["`match`", "terraform plan*"]),
        ("[[command]]\nmatch = [\"a\", \"b[\"]", "2:15", &["`match`", "position"]),
        ("[command]\nmatch = \"x\"", "1:1", &["`[[command]]`"]),
        ("command = [1]", "1:12", &["`[[command]]`"]),
        ("env = [\"A\"]\nno-env = true", "2:1", &["`no-env`", "`env` (line 1)", "contradict"]),
        ("verbose = true\nquiet = true", "2:1", &["`quiet`", "`verbose` (line 1)"]),
        ("refresh-after = \"1h\"\nexpires-in = \"1m\"", "2:1", &["`refresh-after` (line 1)"]),
        ("jitter = 1\njitter = 2", "2:1", &["duplicate key"]),
        ("key = \"x", "1:9", &["string"]),
        ("jitter", "1:", &["="]),
    ] {
        let path = cachex.config(text);
        let place = format!("{}:{place}", path.display());
        let words: Vec<&str> = words.iter().copied().chain([&*place]).collect();
        let call = cachex.run("echo hi").without("CACHEX_DIR");
        call.once().runs(0).exits(125).prints("").mentions(&words);
        call.clone().with("--quiet").once().runs(0).exits(125).mentions(&words);
        call.forget().once().exits(2).prints("").mentions(&words);
        cachex.cli(["config"]).once().exits(2).prints("").mentions(&words);
        cachex.cli(["clear", "--yes"]).once().exits(2).prints("").mentions(&words);
        cachex.cli(["doctor"]).once().exits(2).prints("").mentions(&words);
    }
    let path = cachex.config(b"\nkey = \"\xff\"\n");
    let words = [&*format!("{}:2:8: it is not UTF-8", path.display())];
    cachex.run("echo hi").once().runs(0).exits(125).mentions(&words);
}

#[test]
fn a_mistake_does_not_stand_in_the_way_of_a_cachex_that_is_not_there() {
    let cachex = cachex();
    cachex.config("jiter = 1\n");
    cachex.run("echo hi").env("CACHEX_DISABLE", "1").once().misses().prints("hi\n").quietly();
    cachex.cli(["--version"]).once().exits(0).quietly();
    cachex.cli(["completions", "bash"]).once().exits(0).quietly();
}

#[test]
fn messages_about_it_steer_no_terminal() {
    let cachex = cachex();
    cachex.config("\"\\u001b[31mx\\ny\" = 1\n");
    let said = cachex.cli(["config"]).once().exits(2).stderr();
    assert!(!said.contains('\x1b') && said.contains("\\u{1b}[31mx\\u{a}y"), "{said}");
    cachex.config("scope = \"\\u001b[31mred\"\n");
    let shown = cachex.cli(["config"]).once().exits(0).stdout();
    assert!(!shown.contains('\x1b') && shown.contains("\\u{1b}[31mred"), "{shown}");
}

/// The file is not read, for the reason that is said once, and all goes on.
#[track_caller]
fn is_refused(cachex: &Cachex, call: &Call, why: &[&str]) {
    let scope = why.join(" ");
    let call = call.clone().option("--scope", &scope);
    call.once().misses().prints("hi\n").warns_once(&[why, &["is not read"]].concat());
    call.clone().once().hits().warns_once(why);
    call.with("--quiet").once().hits().quietly();
    let told = cachex.cli(["config"]).once().exits(0).warns_once(why).stdout();
    assert!(told.lines().all(|line| line.ends_with("default") || line.contains("CACHEX_DIR")));
}

#[test]
fn a_file_that_cannot_be_trusted_or_read_is_left_alone() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    let path = cachex.config("jitter = 5\nand a mistake\n");
    for mode in [0o664, 0o646] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        is_refused(&cachex, &call, &[path.to_str().unwrap(), "others may write", "chmod go-w"]);
        call.clone().option("--scope", "x").forget().once().exits(0);
        cachex.cli(["clear", "--yes"]).once().exits(0).warns_once(&["others may write"]);
    }
    cachex.config("#".repeat((1 << 20) + 1));
    is_refused(&cachex, &call, &["longer than 1.0 MiB"]);
    cachex.config("#".repeat(1 << 20));
    call.once().misses().quietly();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    is_refused(&cachex, &call, &["not a regular file"]);
    fs::remove_dir(&path).unwrap();
    symlink(&path, &path).unwrap();
    is_refused(&cachex, &call, &["symbolic links"]);
}
