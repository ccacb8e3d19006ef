//! The documentation: its length, its links, and the examples of the README.

use crate::harness::cachex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Markdown files in a folder and below.
fn pages(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in root().join(folder).read_dir().unwrap().map(Result::unwrap) {
        let path = entry.path().strip_prefix(root()).unwrap().to_owned();
        if entry.path().is_dir() {
            found.extend(pages(path.to_str().unwrap()));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found
}

/// The lines that are not code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// The names of a page's headings, as GitHub and mdBook make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    let names = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let is_kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
    names.map(|name| name.chars().filter(is_kept).collect::<String>().replace(' ', "-")).collect()
}

/// What the links of a page lead to.
fn links(page: &str) -> Vec<String> {
    // What stands between backticks is none.
    let lines = prose(page).map(|line| line.split('`').step_by(2).collect::<Vec<_>>().join("``"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned());
    targets.collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut all = pages("docs");
    all.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(PathBuf::from),
    );
    let mut count = 0;
    for page in all {
        let content = text(&page);
        for link in links(&content).iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(root().join(&target).exists(), "{} links to {link}", page.display());
            let found = anchor.is_empty() || anchors(&text(&target)).contains(anchor);
            assert!(found, "{} links to {link}, where there is no such heading", page.display());
            let leaves = page.starts_with("docs")
                && fs::canonicalize(root().join(&target))
                    .unwrap()
                    .strip_prefix(fs::canonicalize(root().join("docs")).unwrap())
                    .is_err();
            assert!(!leaves, "{} links to {link}, which is not in the book", page.display());
            count += 1;
        }
    }
    assert!(count > 100);
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = text("docs/SUMMARY.md");
    for page in pages("docs") {
        let name = page.strip_prefix("docs").unwrap().to_str().unwrap();
        let is_listed = name == "SUMMARY.md" || summary.contains(&format!("({name})"));
        assert!(is_listed, "docs/SUMMARY.md does not list {name}");
    }
}

#[test]
fn the_pages_that_everybody_reads_are_short() {
    for (page, most) in [("README.md", 250), ("ARCHITECTURE.md", 200)] {
        let lines = text(page).lines().count();
        assert!(lines <= most, "{page} has {lines} lines, and not {most} at the most");
    }
}

/// The commands of an example, each with what it printed.
fn example(block: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), line.strip_prefix("> "), commands.last_mut()) {
            (Some(command), ..) => commands.push((command.to_owned(), String::new())),
            (_, Some(more), Some((command, _))) => command.extend(["\n", more]),
            (_, _, Some((_, output))) => output.extend([line, "\n"]),
            _ => panic!("no command before {line}"),
        }
    }
    commands
}

/// The output without what differs from run to run: keys, times and sizes.
fn constant(output: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in output.split_inclusive([' ', '\n']) {
        let bare = word.trim_end_matches([' ', '\n', ',', ';']);
        let end = &word[bare.len()..];
        let unit = bare.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let is_key = bare.len() == 12 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time = unit.len() < bare.len() && ["us", "ms", "s"].contains(&unit);
        if ["B", "KiB", "MiB"].contains(&bare) {
            *words.last_mut().expect("a number before a unit") = String::new();
        }
        words.push(match (is_key, is_time) {
            (true, _) => format!("KEY{end}"),
            (_, true) => format!("TIME{end}"),
            _ if ["B", "KiB", "MiB"].contains(&bare) => format!("SIZE{end}"),
            _ => word.to_owned(),
        });
    }
    words.concat()
}

#[test]
fn the_examples_of_the_readme_print_what_stands_there() {
    let readme = text("README.md");
    let blocks = readme.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    // The first tells the time, and the last takes two machines; see `remote`.
    let blocks = blocks.filter(|block| !block.starts_with("$ time ") && !block.starts_with("ada$"));
    let cachex = cachex();
    cachex.write("work/src/greeting.h", "#define GREETING \"hello\"\n");
    let main = "#include <stdio.h>\n#include \"greeting.h\"\nint main(void) { puts(GREETING); }\n";
    cachex.write("work/src/main.c", main);
    let mut script = String::from("exec 2>&1\n");
    let commands: Vec<_> = blocks.flat_map(example).collect();
    for (command, _) in &commands {
        script.extend([command, "\nprintf '\\001'\n"]);
    }
    let output = cachex.shell(&script).once().exits(0).stdout();
    for ((command, expected), printed) in commands.iter().zip(output.split('\u{1}')) {
        assert_eq!(constant(printed), constant(expected), "{command}");
    }
    assert!(commands.len() > 10);
}
