//! Arguments that name files which are not part of the key: told where one asks.

use crate::harness::{Cachex, Call, cachex};
use std::os::unix::fs::symlink;

/// The lines that `--verbose` says about such files.
#[track_caller]
fn told(call: &Call) -> Vec<String> {
    let said = call.clone().with("--verbose").once().stderr();
    let lines = said.lines().filter(|line| line.contains("part of the key"));
    lines.map(str::to_owned).collect()
}

fn reads(cachex: &Cachex, arguments: &[&str]) -> Call {
    cachex.exec([&["echo"], arguments].concat())
}

#[test]
fn a_file_that_an_argument_names_is_named_on_a_miss_and_on_a_hit() {
    let cachex = cachex();
    cachex.write("work/x.json", "1");
    let call = reads(&cachex, &[".", "x.json"]);
    let line = ["cachex: x.json is not part of the key: --input x.json or --auto"];
    assert_eq!(told(&call), line);
    assert_eq!(told(&call), line);
    let explained = call.explain().once().exits(0).stdout();
    assert!(
        explained.contains(
            "not in the key     x.json, an argument; `--input x.json` adds it, or `--auto`"
        )
    );
}

#[test]
fn what_is_part_of_the_key_is_not_named() {
    let cachex = cachex();
    cachex.write("work/x.json", "1");
    symlink("x.json", cachex.path("work/link")).unwrap();
    for (options, name) in [
        ("--input x.json", "x.json"),
        ("--input *.json", "./x.json"),
        ("--input x.json", "link"),
        ("--input link", "link"),
        ("--output x.json", "./x.json"),
    ] {
        let call = reads(&cachex, &[name]).with(options);
        assert_eq!(told(&call), [""; 0], "{options} -- echo {name}");
    }
}

#[test]
fn what_is_no_file_is_not_named() {
    let cachex = cachex();
    cachex.write("work/folder/file", "");
    let call = reads(&cachex, &["folder", "missing", "/dev/null", "/proc/self/stat", "", "-"]);
    assert_eq!(told(&call), [""; 0]);
}

#[test]
fn the_value_of_an_option_may_be_a_file_and_many_are_told_in_one_line() {
    let cachex = cachex();
    for name in ["a", "b", "c", "d"] {
        cachex.write(format!("work/{name}"), name);
    }
    let call = reads(&cachex, &["--file=a"]);
    assert_eq!(told(&call), ["cachex: a is not part of the key: --input a or --auto"]);
    let call = reads(&cachex, &["a", "b", "a", "--file=c", "-d=d"]);
    assert_eq!(
        told(&call),
        ["cachex: a, b, c and 1 more are not part of the key: --input a … or --auto"]
    );
}

#[test]
fn without_being_asked_nothing_is_said() {
    let cachex = cachex();
    cachex.write("work/x.json", "1");
    reads(&cachex, &["x.json"]).twice().quietly();
}
