//! The same for programs that leave files behind: after a hit the tree is what a run makes of
//! it, in kind, content, permissions, links and names.

use super::tree::Tree;
use super::{CALLS, Chance, Laboratory, World, program, times};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Output;

/// What lies below a folder, by path.
type Snapshot = BTreeMap<String, Thing>;

/// What lies at a path.
#[derive(Clone, Debug, PartialEq)]
struct Thing {
    mode: u32,
    /// Of a file its content, of a link where it leads.
    text: String,
    /// The first of the names of a file.
    first: String,
}

fn snapshot(top: &Path) -> Snapshot {
    let (mut all, mut firsts) = (Snapshot::new(), HashMap::new());
    let mut left = vec![top.to_owned()];
    let mut paths = Vec::new();
    while let Some(folder) = left.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                left.push(path.clone());
            }
            paths.push(path);
        }
    }
    paths.sort();
    for path in paths {
        let name = path.display().to_string();
        let data = path.symlink_metadata().unwrap();
        let text = if data.is_symlink() {
            fs::read_link(&path).unwrap().display().to_string()
        } else if data.is_file() {
            String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
        } else {
            String::new()
        };
        let first = if data.is_file() {
            firsts.entry(data.ino()).or_insert_with(|| name.clone()).clone()
        } else {
            name.clone()
        };
        all.insert(name, Thing { mode: data.permissions().mode(), text, first });
    }
    all
}

/// What differs, for people.
fn differing(it: &Snapshot, bare: &Snapshot) -> Vec<String> {
    let paths: std::collections::BTreeSet<&String> = it.keys().chain(bare.keys()).collect();
    let paths = paths.into_iter().filter(|path| it.get(*path) != bare.get(*path));
    paths.map(|path| format!("{path}: {:?}, bare {:?}", it.get(path), bare.get(path))).collect()
}

/// What a run printed and left.
struct Outcome {
    output: Output,
    tree: Snapshot,
}

/// An output as an entry lists it.
struct Recorded {
    path: String,
    kind: String,
    mode: u32,
    target: String,
}

impl Laboratory {
    fn top(&self) -> &Path {
        self.root.ancestors().nth(super::tree::DEPTH).unwrap()
    }

    fn outcome(&self, output: Output) -> Outcome {
        Outcome { output, tree: snapshot(self.top()) }
    }

    fn run_bare(&self, ops: &str) -> Outcome {
        let output = self.command(&self.programs[0]).arg(ops).output().unwrap();
        self.outcome(output)
    }

    fn call_with_outputs(&self, ops: &str, area: &str) -> (Outcome, String) {
        let mut command = self.command(World::binary());
        command.args(["run", "--auto", "--verbose", "--auto-times", times(ops)]);
        command.args(["--auto-outputs", area, "--"]).arg(&self.programs[0]).arg(ops);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (self.outcome(output), said)
    }

    /// The outputs of the entry that is served in the tree as it is.
    fn recorded(&self, ops: &str, area: &str) -> Vec<Recorded> {
        let mut command = self.command(World::binary());
        command.args(["show", "--json", "--auto", "--auto-times", times(ops)]);
        command.args(["--auto-outputs", area, "--"]).arg(&self.programs[0]).arg(ops);
        let output = command.output().unwrap();
        let shown: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            panic!("`show` of {ops}: {}", String::from_utf8_lossy(&output.stderr))
        });
        let absolute = |path: &str| self.root.join(path).display().to_string();
        let outputs = shown["outputs"].as_array().map_or(&[][..], Vec::as_slice);
        let recorded = outputs.iter().map(|it| {
            let text = |field: &str| it[field].as_str().unwrap_or_default();
            let kind = text("kind").to_owned();
            let target = text("target");
            Recorded {
                path: absolute(text("path")),
                mode: u32::from_str_radix(text("mode"), 8).unwrap_or_default(),
                target: if kind == "name" { absolute(target) } else { target.to_owned() },
                kind,
            }
        });
        recorded.collect()
    }

    /// Tries one program in many trees.
    fn program_with_outputs(&mut self, seed: u64, comparisons: usize) {
        let mut chance = Chance::new(seed);
        let original = Tree::random(&mut chance, &self.root, &self.programs);
        let ops = program::random_writer(&mut chance, &self.root);
        let area = *chance.one_of(&["below", "all"]);
        self.sums.programs += 1;
        original.build(&self.root);
        let expected = self.run_bare(&ops);
        original.build(&self.root);
        let (first, said) = self.call_with_outputs(&ops, area);
        let say = |how: &str| format!("seed {seed}, {area}: {how}\nprogram: {ops}\n");
        check(&say(&format!("the first run: {said}")), &first, &expected);
        if !said.contains("recorded: ") || said.contains("not recorded: ") {
            return;
        }
        self.sums.recorded += 1;
        original.build(&self.root);
        let facts = self.facts(&ops, &["--auto-outputs", area]);
        let recorded = self.recorded(&ops, area);
        for number in 0..CALLS {
            let (tree, how) = match number {
                0 | 1 => (original.clone(), ["as it was", "as a run left it"][number].to_owned()),
                _ => original.changed(&mut chance, &self.programs),
            };
            let prepare = || {
                tree.build(&self.root);
                if number == 1 {
                    self.run_bare(&ops);
                }
            };
            prepare();
            let expected = self.run_bare(&ops);
            prepare();
            let (outcome, said) = self.call_with_outputs(&ops, area);
            check(&say(&format!("{how}: {said}\n{tree:#?}")), &outcome, &expected);
            self.sums.look_ups += 1;
            let is_hit = said.contains("cachex: hit ");
            assert!(is_hit || number > 0, "{}: no hit in the same tree: {said}", say(&how));
            self.sums.hits += u64::from(is_hit);
            self.sums.hits_on_changed_trees += u64::from(is_hit && number > 0);
        }
        for _ in 0..comparisons {
            let (tree, how) = original.changed(&mut chance, &self.programs);
            tree.build(&self.root);
            self.sums.look_ups += 1;
            if !facts.iter().all(super::Fact::holds) {
                continue;
            }
            self.sums.hits += 1;
            self.sums.hits_on_changed_trees += 1;
            let mut restored = snapshot(self.top());
            for it in &recorded {
                restore(&mut restored, it, &first.tree);
            }
            let output = first.output.clone();
            let bare = self.run_bare(&ops);
            let how = format!("{how}: by facts\n{tree:#?}");
            check(&say(&how), &Outcome { output, tree: restored }, &bare);
        }
    }
}

/// What restoring an output does to a tree.
fn restore(tree: &mut Snapshot, it: &Recorded, left: &Snapshot) {
    let kind = |bits: u32| bits | it.mode;
    let thing = |mode, text: &str, first: &str| Thing {
        mode,
        text: text.to_owned(),
        first: first.to_owned(),
    };
    let path = &it.path;
    let new = match it.kind.as_str() {
        "absent" => return drop(tree.remove(path)),
        "folder" => thing(kind(0o040_000), "", path),
        "symlink" => thing(0o120_777, &it.target, path),
        "file" => thing(kind(0o100_000), &left[path].text, path),
        "name" => thing(tree[&it.target].mode, &tree[&it.target].text, &it.target),
        kind => panic!("a {kind} is recorded"),
    };
    tree.insert(path.clone(), new);
}

#[track_caller]
fn check(how: &str, it: &Outcome, bare: &Outcome) {
    let told = |outcome: &Outcome| String::from_utf8_lossy(&outcome.output.stdout).into_owned();
    let differing = differing(&it.tree, &bare.tree);
    assert!(
        it.output.stdout == bare.output.stdout
            && it.output.status == bare.output.status
            && differing.is_empty(),
        "WRONG: {how}\n--- cachex:\n{}\n--- bare:\n{}\n--- trees: {differing:#?}",
        told(it),
        told(bare)
    );
}

#[test]
fn what_is_left_behind_by_a_hit_is_what_a_run_would_leave() {
    let mut laboratory = Laboratory::new();
    super::try_all(&mut laboratory, Laboratory::program_with_outputs);
}
