//! What is true of the repository, kept true.

use crate::harness::cachex;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a file starts asking to be two, and a little more.
const LONGEST: usize = 450;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: impl AsRef<Path>) -> String {
    let path = root().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the files of a folder are called and hold.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

/// The Rust files below these folders.
fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = folders.iter().map(|name| root().join(name)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The long options that a help text offers.
fn flags(help: &str) -> Vec<String> {
    let words = help.lines().filter(|line| line.trim_start().starts_with('-')).flat_map(|line| {
        line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').map(str::to_owned)
    });
    let mut flags: Vec<String> = words
        .filter(|word| word.starts_with("--") && word.len() > 3)
        .filter(|word| word != "--help" && word != "--version")
        .collect();
    flags.sort();
    flags.dedup();
    flags
}

#[test]
fn the_changelog_knows_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let heading = format!("## [{version}]");
    assert!(text("CHANGELOG.md").lines().any(|line| line.starts_with(&heading)), "no {heading}");
}

#[test]
fn what_is_generated_is_what_the_binary_generates() {
    let cachex = cachex();
    let made = cachex.path("made");
    fs::create_dir_all(made.join("docs")).unwrap();
    for page in ["config.md", "key.md", "remote.md"] {
        fs::copy(root().join("docs").join(page), made.join("docs").join(page)).unwrap();
    }
    cachex.cli(["generate".into(), made.clone().into_os_string()]).once().exits(0);
    let stale = "`cargo run -- generate .` writes it anew";
    for folder in ["completions", "man"] {
        let (ours, theirs) = (files(&root().join(folder)), files(&made.join(folder)));
        assert!(
            ours.keys().eq(theirs.keys()),
            "{folder}/ has {:?}, not {:?}",
            ours.keys(),
            theirs.keys()
        );
        for (name, content) in &theirs {
            assert!(ours[name] == *content, "{folder}/{name} is out of date: {stale}");
        }
    }
    let options = fs::read_to_string(made.join("docs/options.md")).unwrap();
    assert!(text("docs/options.md") == options, "docs/options.md is out of date: {stale}");
}

#[test]
fn every_option_of_run_and_sh_is_in_a_table_of_the_options() {
    let page = text("docs/options.md");
    let tables: String = page.lines().filter(|line| line.trim_start().starts_with('|')).collect();
    let help = |verb| cachex().cli([verb, "--help"]).once().exits(0).stdout();
    let flags = flags(&["run", "sh"].map(help).concat());
    assert!(["--expires-in", "--shell"].iter().all(|known| flags.iter().any(|it| it == known)));
    let missing: Vec<_> = flags.iter().filter(|flag| !has_word(&tables, flag)).collect();
    assert!(missing.is_empty(), "no row of a table in docs/options.md tells of {missing:?}");
}

/// Whether `flag` stands there and not only as the beginning of another.
fn has_word(text: &str, flag: &str) -> bool {
    text.match_indices(flag).any(|(at, _)| {
        !text[at + flag.len()..].starts_with(|c: char| c == '-' || c.is_ascii_alphanumeric())
    })
}

#[test]
fn every_verb_is_in_the_readme_or_a_page() {
    let help = cachex().cli(["--help"]).once().exits(0).stdout();
    let pages = root().join("docs").read_dir().unwrap().map(|page| page.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|it| it == "md"));
    // That page is generated, and has them in any case.
    let pages = pages.filter(|path| !path.ends_with("options.md"));
    let prose: String = pages.map(text).chain([text("README.md")]).collect();
    // All groups of them, up to the options.
    let verbs = help.lines().skip_while(|line| !line.starts_with("Run commands:")).skip(1);
    let verbs: Vec<&str> = verbs
        .take_while(|line| !line.starts_with("Options:"))
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    assert!(verbs.contains(&"run") && verbs.contains(&"doctor"), "{help}");
    for verb in verbs {
        assert!(prose.contains(&format!("cachex {verb}")), "no page tells of {verb}");
    }
}

#[test]
fn no_source_file_is_too_long() {
    for path in sources(&["src", "crates", "tests", "benches"]) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_source_file_says_what_it_is_for() {
    for path in sources(&["src", "crates/trace", "tests", "benches"]) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} has no header", path.display());
    }
}

/// With musl the standard library knows them only if Rust's own `main` was run, as it was in a
/// program that calls `cachex::init`.
#[test]
fn what_cachex_was_called_with_is_what_the_c_library_says() {
    for path in sources(&["src"]) {
        let text = text(&path);
        let own = text.replacen(
            "pub fn init() {\n    let args: Vec<OsString> = std::env::args_os()",
            "",
            1,
        );
        assert!(!own.contains("env::args"), "{}", path.display());
    }
}

#[test]
fn no_test_waits_by_guess() {
    let waits = ["thread::sle", "ep"].concat();
    for path in sources(&["tests/it"]) {
        let waiting = fs::read_to_string(&path).unwrap().contains(&waits);
        let allowed = path.ends_with("harness/mod.rs");
        assert!(!waiting || allowed, "{} sleeps; use `eventually`", path.display());
    }
}

#[test]
fn every_module_of_tests_is_run() {
    let main = text("tests/it/main.rs");
    for path in sources(&["tests/it"]) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let top = path.parent().unwrap().ends_with("tests/it") && name != "main";
        assert!(
            !top || main.contains(&format!("mod {name};")),
            "{name} is not in tests/it/main.rs"
        );
    }
}

#[test]
fn the_variables_that_are_left_out_are_listed() {
    let code = text("crates/core/src/environment.rs");
    let list = code.split("NAMES: &[&str] = &[").nth(1).unwrap().split("];").next().unwrap();
    let names: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    assert!(names.contains(&"SHLVL"));
    let page = text("docs/key.md");
    let section = page.split("## Variables that are left out").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let missing: Vec<_> =
        names.iter().filter(|name| !section.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/key.md does not list {missing:?}");
}

#[test]
fn unsafe_code_is_where_the_inventory_says() {
    let page = text("docs/internals/unsafe.md");
    let rows = page.lines().filter_map(|row| {
        let mut cells = row.strip_prefix("| `")?.split('|').map(str::trim);
        Some((cells.next()?.trim_end_matches('`').to_owned(), cells.next()?.parse().ok()?))
    });
    let listed: BTreeMap<String, usize> = rows.collect();
    let mut found = BTreeMap::new();
    for path in sources(&["src", "crates"]) {
        // What is only built for tests is not shipped.
        if path.components().any(|it| it.as_os_str() == "tests") || path.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().map(|line| line.split("//").next().unwrap());
        let count = code.map(|line| line.matches("unsafe").count()).sum::<usize>();
        if count > 0 {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.insert(name, count);
        }
    }
    assert_eq!(listed, found, "what docs/internals/unsafe.md lists, and what there is");
}
