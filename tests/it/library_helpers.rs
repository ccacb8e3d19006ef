//! Which process is the helper of a program that uses the library.

use crate::harness::{Cachex, WITHOUT_INIT, World, cachex};
use cachex::{Cache, Options};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The folder of the store, for [`program`].
const STORE: &str = "CACHEX_TEST_STORE";

/// The program: it has one value that a cache once had, and one command's output.
#[test]
fn program() {
    let Some(store) = std::env::var_os(STORE) else { return };
    let cache = Cache::open(store).unwrap();
    let value = cache.value("fruit", Options::new(), || "computed".to_owned());
    let output = cache.command(Command::new("true")).output().unwrap();
    println!("value: {value}");
    println!("command: {:?}, {}", output.outcome, output.reason.unwrap_or_default());
}

/// What the program says whose PATH is this, and which begins without `cachex::init()`.
fn said(cachex: &Cachex, path: &str) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "library_helpers::program", "--nocapture"]);
    program.env(WITHOUT_INIT, "1").env(STORE, cachex.store()).env("PATH", path);
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A store whose value only a helper finds.
fn with_a_folded_value(cachex: &Cachex) {
    let cache = Cache::open(cachex.store()).unwrap();
    cache.put("fruit", Options::new(), &"recorded".to_owned()).unwrap();
    cachex.folds_away();
}

/// A folder with a command of this name, and the system's folders behind it.
fn path_with(cachex: &Cachex, script: &str) -> String {
    cachex.tool("cachex", script);
    format!("{}:/usr/bin:/bin", cachex.path("bin").display())
}

#[test]
fn the_installed_cachex_is_the_helper() {
    let cachex = cachex();
    with_a_folded_value(&cachex);
    let folder = Path::new(env!("CARGO_BIN_EXE_cachex")).parent().unwrap();
    let said = said(&cachex, &format!("{}:/usr/bin:/bin", folder.display()));
    assert!(said.contains("value: recorded"), "{said}");
    assert!(said.contains("command: Miss, "), "{said}");
}

#[test]
fn a_program_that_begins_with_init_needs_no_installed_cachex() {
    let cachex = cachex();
    for says in ["once\n", "once\nrecorded "] {
        let mut program = Command::new(World::example("command"));
        program.arg(cachex.store()).args(["sh", "-c", "echo once >&2"]);
        let output = program.env("PATH", "/usr/bin:/bin").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.starts_with(says), "{said}");
    }
}

#[test]
fn without_a_helper_older_values_are_computed_and_commands_are_run() {
    let cachex = cachex();
    with_a_folded_value(&cachex);
    let said = said(&cachex, "/usr/bin:/bin");
    assert!(said.contains("value: computed"), "{said}");
    assert!(said.contains("command: Uncached, not cached: "), "{said}");
    assert!(said.contains("call cachex::init() at the start of main, or install"), "{said}");
}

#[test]
fn a_cachex_that_is_another_one_is_no_helper() {
    let cachex = cachex();
    with_a_folded_value(&cachex);
    let older = r"printf 'D\014\0\0\0cachex 0.0.1'";
    for (script, why) in [
        (older, "it is cachex 0.0.1, and this program has cachex "),
        ("exit 2", "it does not tell its version"),
        ("echo usage", "it does not tell its version"),
    ] {
        let said = said(&cachex, &path_with(&cachex, script));
        assert!(said.contains("value: computed"), "{script}: {said}");
        assert!(said.contains(why), "{script}: {said}");
    }
}

#[test]
fn a_program_that_is_called_cachex_is_not_its_own_helper_for_ever() {
    let cachex = cachex();
    with_a_folded_value(&cachex);
    // Whatever it is called with, it begins the work of a program.
    let program = std::env::current_exe().unwrap();
    let again = format!("exec {} --exact library_helpers::program --nocapture", program.display());
    let said = said(&cachex, &path_with(&cachex, &again));
    assert!(said.contains("value: computed"), "{said}");
    assert!(cachex.runs() < 10, "{}", cachex.runs());
    let linked = cachex.path("bin/cachex");
    fs::remove_file(&linked).unwrap();
    std::os::unix::fs::symlink(&program, &linked).unwrap();
    let said = self::said(&cachex, &format!("{}:/usr/bin:/bin", cachex.path("bin").display()));
    assert!(said.contains("it is a program that uses cachex"), "{said}");
}
