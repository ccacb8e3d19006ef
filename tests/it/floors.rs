//! Which part of the source may use which: the floors of ARCHITECTURE.md.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the folders of a package are, and which, lowest first. Each may use those before it.
/// That no package uses one above it is seen to by cargo.
const PACKAGES: [(&str, &[&str]); 2] = [
    ("crates/base/src", &["system", "record", "text", "streams", "process", "lib"]),
    (
        "src",
        &[
            "args", "config", "files", "key", "run", "memo", "ui", "commands", "startup",
            "testing", "lib",
        ],
    ),
];

/// The Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The first part of a path, without what it ends with.
fn first(path: &Path) -> Option<&str> {
    let first = path.components().next()?.as_os_str().to_str()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

/// The folders that code names by `crate::`, but for what is in comments and unit tests.
fn used(code: &str) -> Vec<&str> {
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or(code);
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or(line));
    let paths = lines.flat_map(|line| line.split("crate::").skip(1));
    paths.filter_map(|path| path.split(|c: char| !c.is_ascii_lowercase()).next()).collect()
}

#[track_caller]
fn nothing_uses_what_is_above_it(folder: &str, floors: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut unused = floors.to_vec();
    for file in files {
        let below = file.strip_prefix(&root).unwrap();
        let is_test = below
            .components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
        if below == Path::new("main.rs") || is_test {
            continue;
        }
        let name = first(below).unwrap();
        let floor = floors.iter().position(|floor| *floor == name);
        let floor = floor.unwrap_or_else(|| panic!("{folder}/{} is on no floor", below.display()));
        unused.retain(|floor| *floor != name);
        for used in used(&fs::read_to_string(&file).unwrap()) {
            let is_above = floors[floor + 1..].contains(&used);
            assert!(!is_above, "{folder}/{}: {name} uses {used}", below.display());
        }
    }
    assert!(unused.is_empty(), "{folder} has no {unused:?}");
}

#[test]
fn no_floor_uses_one_above_it() {
    for (folder, floors) in PACKAGES {
        nothing_uses_what_is_above_it(folder, floors);
    }
}
