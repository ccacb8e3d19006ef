//! What lies in `examples/auto/`: real tools with nothing declared, built, cleaned, hit, edited,
//! and compared with what the bare tool makes.

#![cfg(target_os = "linux")]

use crate::harness::{Cachex, Call, cachex, copy, quoted};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// An example in the working directory.
fn example(name: &str) -> Cachex {
    let cachex = cachex();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/auto").join(name);
    copy(&from, &cachex.work());
    cachex
}

/// A call that is traced. What counts its executions is ignored.
fn traced(cachex: &Cachex, script: &str) -> Call {
    cachex.run(script).with("--auto --verbose").option("--auto-ignore", cachex.path("runs"))
}

fn edits(cachex: &Cachex, name: &str, from: &str, to: &str) {
    let path = cachex.work().join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// All files below a folder of the working directory.
fn files(cachex: &Cachex, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut all, mut left) = (BTreeMap::new(), vec![cachex.work().join(name)]);
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                all.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    all
}

fn clean(cachex: &Cachex, name: &str) {
    fs::remove_dir_all(cachex.work().join(name)).unwrap();
}

#[test]
fn make_compiles_by_cachex_line_by_line() {
    let cachex = example("c");
    cachex.tool("cc", "exec /usr/bin/cc \"$@\"");
    let ignored = quoted(cachex.path("runs"));
    let builds = |runs: usize, prints: &str| {
        let script = format!(
            "make clean >/dev/null && CACHEX_AUTO_IGNORE={ignored} make --silent && build/tally abba"
        );
        cachex.shell(&script).once().runs(runs).exits(0).shows(&[prints]);
    };
    builds(4, "a 2\nb 2\n");
    let built = files(&cachex, "build");
    builds(0, "a 2\nb 2\n");
    assert_eq!(files(&cachex, "build"), built);
    edits(&cachex, "table.c", "%c %u", "%c: %u");
    builds(2, "a: 2\nb: 2\n");
    edits(&cachex, "table.c", "%c: %u", "%c %u");
    builds(0, "a 2\nb 2\n");
}

#[test]
fn make_as_a_whole_is_skipped_after_a_clean() {
    let cachex = example("c");
    // The lines run bare: what runs make is what is cached.
    let make = "make --silent SHELL=/bin/sh .SHELLFLAGS=-c CC=/usr/bin/cc";
    let call = traced(&cachex, make).with("--auto-times none");
    call.once().misses();
    let built = files(&cachex, "build");
    clean(&cachex, "build");
    call.once().hits();
    assert_eq!(files(&cachex, "build"), built);
    cachex.shell("build/tally abba").once().exits(0).prints("a 2\nb 2\n");
    // What came back is no older than what it is made of: make has nothing to do.
    cachex.shell(&format!("{make} --question")).once().exits(0);
    clean(&cachex, "build");
    edits(&cachex, "table.c", "%c %u", "%c: %u");
    call.once().misses();
    let rebuilt = files(&cachex, "build");
    clean(&cachex, "build");
    cachex.shell(make).once().exits(0);
    assert_eq!(files(&cachex, "build"), rebuilt);
}

#[test]
fn a_compiler_and_a_linker_hit_over_their_own_output() {
    let cachex = example("c");
    let script = "set -e; for f in main count table; do /usr/bin/cc -c $f.c; done; \
                  /usr/bin/cc -o tally main.o count.o table.o";
    let call = traced(&cachex, script);
    call.times(3).runs_once();
    edits(&cachex, "table.c", "%c %u", "%c: %u");
    call.twice().runs_once();
    cachex.shell("./tally abba").once().prints("a: 2\nb: 2\n");
    edits(&cachex, "table.c", "%c: %u", "%c %u");
    call.once().hits();
    cachex.shell("./tally abba").once().prints("a 2\nb 2\n");
    // Without what is known of compilers, an output that is there is another state.
    let strict = call.with("--auto-quirks none");
    strict.twice().runs_twice();
}

#[test]
fn cargo_builds_once() {
    let cachex = example("cargo");
    // The one that builds this test: another's home has no toolchain.
    let cargo = Path::new(env!("CARGO"));
    let rustc = cargo.with_file_name("rustc");
    let home = cachex.path("cargo-home");
    fs::create_dir_all(&home).unwrap();
    let script = format!("{} build --offline --quiet", quoted(cargo));
    let call = traced(&cachex, &script)
        .env("RUSTC", rustc)
        .env("CARGO_HOME", &home)
        .option("--auto-ignore", &home);
    call.once().exits(0).misses();
    let built = files(&cachex, "target");
    let greets = |text: &str| {
        cachex.shell("target/debug/greet").once().exits(0).prints(format!("{text}\n"));
    };
    greets("Hello");
    clean(&cachex, "target");
    call.once().hits();
    assert_eq!(files(&cachex, "target"), built);
    greets("Hello");
    clean(&cachex, "target");
    edits(&cachex, "src/greeting.rs", "Hello", "Good morning");
    call.once().exits(0).misses();
    greets("Good morning");
}

#[test]
fn a_test_suite_in_python_runs_once() {
    let cachex = example("python");
    let call = traced(&cachex, "python3 -B -m unittest 2>&1");
    call.once().misses().shows(&["OK"]);
    call.once().hits().shows(&["OK"]);
    edits(&cachex, "slug.py", "\"-\", title", "\"_\", title");
    call.once().exits(1).misses();
    edits(&cachex, "slug.py", "\"_\", title", "\"-\", title");
    call.once().exits(0).hits().shows(&["OK"]);
}

#[test]
fn a_test_suite_for_pytest_runs_once() {
    let cachex = example("python");
    // Its own cache would be one more file that changes.
    let call =
        traced(&cachex, "pytest-3 -q -p no:cacheprovider").env("PYTHONDONTWRITEBYTECODE", "1");
    call.once().misses().shows(&["1 passed"]);
    call.once().hits().shows(&["1 passed"]);
    edits(&cachex, "slug.py", "\"-\", title", "\"_\", title");
    call.once().exits(1).misses().shows(&["1 failed"]);
    edits(&cachex, "slug.py", "\"_\", title", "\"-\", title");
    call.once().exits(0).hits().shows(&["1 passed"]);
}

#[test]
fn ninja_compiles_by_cachex_step_by_step() {
    let cachex = example("ninja");
    cachex.tool("cc", "exec /usr/bin/cc \"$@\"");
    let ignored = quoted(cachex.path("runs"));
    let builds = |runs: usize, prints: &str| {
        let script = format!(
            "rm -rf build && CACHEX_AUTO_IGNORE={ignored} ninja --quiet && build/tally abba"
        );
        cachex.shell(&script).once().runs(runs).exits(0).shows(&[prints]);
    };
    builds(4, "a 2\nb 2\n");
    let built = || {
        let mut built = files(&cachex, "build");
        // They have times in them.
        built.retain(|path, _| !path.file_name().unwrap().to_str().unwrap().starts_with(".ninja"));
        built
    };
    let first = built();
    builds(0, "a 2\nb 2\n");
    assert_eq!(built(), first);
    // What came back is what ninja has noted.
    cachex.shell("ninja").once().exits(0).shows(&["no work to do"]);
    edits(&cachex, "table.c", "%c %u", "%c: %u");
    builds(2, "a: 2\nb: 2\n");
    let rebuilt = built();
    edits(&cachex, "build.ninja", "cachex run --auto --", "");
    builds(4, "a: 2\nb: 2\n");
    assert_eq!(built(), rebuilt);
}

#[test]
fn what_tsc_from_npm_compiles_comes_back() {
    let cachex = example("typescript");
    let install = "npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier 2>&1";
    let installed = cachex.shell(install).once();
    if !installed.succeeded() {
        let text = installed.stdout();
        let is_away = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "TIMEDOUT", "E5"];
        assert!(is_away.iter().any(|code| text.contains(code)), "{text}");
        eprintln!("not tested, for npm's registry cannot be reached: {text}");
        return;
    }
    let build = "npm run --silent --no-update-notifier build";
    let call = cachex.shell(build).env("CACHEX_VERBOSE", "1");
    call.once().exits(0).mentions(&["recorded: "]);
    let built = files(&cachex, "dist");
    let prints = |text: &str| {
        cachex.shell("node dist/main.js").once().exits(0).prints(text);
    };
    prints("HELLO, WORLD!\n");
    clean(&cachex, "dist");
    call.once().exits(0).mentions(&["cachex: hit"]);
    assert_eq!(files(&cachex, "dist"), built);
    edits(&cachex, "src/shout.ts", "}!", "}?");
    call.once().exits(0).mentions(&["recorded: "]);
    prints("HELLO, WORLD?\n");
    let edited = files(&cachex, "dist");
    clean(&cachex, "dist");
    edits(&cachex, "package.json", "cachex run --auto -- ", "");
    cachex.shell(build).once().exits(0);
    assert_eq!(files(&cachex, "dist"), edited);
}

#[test]
fn a_bundle_by_node_comes_back() {
    let cachex = example("node");
    let call = traced(&cachex, "node bundle.mjs");
    call.once().misses().prints("2 modules\n");
    let built = files(&cachex, "dist");
    clean(&cachex, "dist");
    call.once().hits().prints("2 modules\n");
    assert_eq!(files(&cachex, "dist"), built);
    cachex.write("work/src/three.js", "export const three = 3;\n");
    clean(&cachex, "dist");
    call.once().misses().prints("3 modules\n");
}

#[test]
fn a_script_that_is_called_like_a_compiler_is_none() {
    let cachex = cachex();
    cachex.write("work/m.c", "int main(void) { return 0; }\n");
    let gcc = cachex.write(
        "work/gcc",
        "#!/bin/sh\n[ -e m.o ] && echo there\nPATH=/usr/bin:/bin exec gcc \"$@\"\n",
    );
    fs::set_permissions(&gcc, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let call = traced(&cachex, "./gcc -c m.c");
    call.once().misses().prints("");
    call.once().misses().prints("there\n");
}
