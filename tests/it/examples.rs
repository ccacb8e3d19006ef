//! What lies in `examples/`, as somebody who copied it would use it.

use crate::harness::{Cachex, World, cachex};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// The program of `examples/make/` in the working directory, and a compiler that
/// is counted.
fn program() -> Cachex {
    let cachex = cachex();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/make");
    for entry in fs::read_dir(example).unwrap() {
        let entry = entry.unwrap();
        cachex.write(Path::new("work").join(entry.file_name()), fs::read(entry.path()).unwrap());
    }
    cachex.tool("cc", "exec /usr/bin/cc \"$@\"");
    cachex
}

/// Changes a word in a file of the program.
fn edits(world: &World, name: &str, from: &str, to: &str) {
    let path = world.work().join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// What was built.
fn files(world: &World) -> BTreeMap<OsString, Vec<u8>> {
    let entries = fs::read_dir(world.work().join("build")).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect()
}

/// Builds the program anew, with so many runs of the compiler, and tries it.
#[track_caller]
fn builds(cachex: &Cachex, options: &str, runs: usize, prints: &str) {
    let script = format!("make clean && make --silent {options} && build/tally abba");
    cachex.shell(&script).once().runs(runs).exits(0).quietly().shows(&[prints]);
}

#[test]
fn a_c_program_is_compiled_once() {
    let cachex = program();
    builds(&cachex, "", 4, "a 2\nb 2\n");
    let built = files(&cachex);
    assert_eq!(built.len(), 7);
    builds(&cachex, "-j4 --keep-going", 0, "a 2\nb 2\n");
    assert_eq!(files(&cachex), built);
    // Make sees nothing left to do.
    cachex.shell("make --question").once().exits(0).quietly();
}

#[test]
fn of_a_c_program_only_what_changed_is_compiled() {
    let cachex = program();
    builds(&cachex, "", 4, "a 2\nb 2\n");
    edits(&cachex, "table.c", "%c %u", "%c: %u");
    builds(&cachex, "", 2, "a: 2\nb: 2\n");
    // A header counts, even where make has forgotten who includes it.
    edits(&cachex, "count.h", "LETTERS 26", "LETTERS 1");
    builds(&cachex, "", 4, "a: 2\n");
    edits(&cachex, "count.h", "LETTERS 1", "LETTERS 26");
    builds(&cachex, "", 0, "a: 2\nb: 2\n");
    edits(&cachex, "table.c", "%c: %u", "%c %u");
    builds(&cachex, "", 0, "a 2\nb 2\n");
}

#[test]
fn what_a_compiler_says_is_said_again() {
    let cachex = program();
    edits(&cachex, "main.c", "return 0;", "int unused; return 0;");
    let make = cachex.shell("make clean && make --silent");
    make.once().runs(4).exits(0).mentions(&["unused variable"]);
    make.once().runs(0).exits(0).mentions(&["unused variable"]);
    edits(&cachex, "main.c", "int unused;", "int unused");
    make.once().runs(1).exits(2).mentions(&["error:"]);
    make.once().runs(0).exits(2).mentions(&["error:"]);
}

#[test]
fn the_programs_do_what_they_say() {
    let cachex = cachex();
    for (program, says) in [
        ("independent_copies", "yours: [\"apple\", \"banana\"]"),
        ("expiry", "each was checked twice"),
        ("concurrent_calls", "4 tasks, 4 tickets"),
        ("one_at_a_time", "tasks: [2, 2, 2, 2]"),
    ] {
        cachex.bare([World::example(program)]).once().exits(0).quietly().shows(&[says]);
    }
}
