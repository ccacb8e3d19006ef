//! Random programs over random trees: a hit of an automatic call is what a run would be.
//!
//! A program ([`program`]) prints all that it learns. It is recorded once; then the tree is
//! changed in many ways ([`tree`]), and whatever is served then has to be what the bare program
//! does in that very tree. Some look-ups are made by `cachex` from end to end. Most are made by
//! comparing the facts that it recorded, which is what it does itself, a hundred times as
//! fast.
//!
//! Programs that leave files behind are tried in [`outputs`].
//!
//! `CACHEX_DIFFERENTIAL=SECONDS` goes on with other seeds for so long, and prints the sums.
//! `CACHEX_DIFFERENTIAL_SEED=N` begins with that one.

mod outputs;
mod program;
mod tree;

use crate::harness::{Cachex, World, cachex};
use cachex_trace::{Class, Value, facts};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tree::Tree;

/// So many programs are tried with fixed seeds,
const PROGRAMS: u64 = 60;
/// each in so many trees from end to end,
const CALLS: usize = 8;
/// and in so many by its facts.
const COMPARISONS: usize = 40;

/// Numbers that look like chance and are the same for the same seed.
pub struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// One below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % bound as u64) as usize
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub fn one_of<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }
}

#[derive(Default, Debug)]
struct Sums {
    programs: u64,
    recorded: u64,
    look_ups: u64,
    hits: u64,
    hits_on_changed_trees: u64,
}

/// Which times are part of the key of this program: all, if it prints them.
fn times(ops: &str) -> &'static str {
    if ops.split(';').any(|op| op.starts_with('t')) { "all" } else { "auto" }
}

struct Laboratory {
    cachex: Cachex,
    root: PathBuf,
    programs: [PathBuf; 2],
    sums: Sums,
    _folder: TempDir,
}

/// A fact of a recorded run.
struct Fact {
    path: Vec<u8>,
    class: Class,
    value: Value,
}

impl Fact {
    /// Whether it is now as it was.
    fn holds(&self) -> bool {
        facts::look(&self.path, self.class, None).value == self.value
    }
}

impl Laboratory {
    fn new() -> Laboratory {
        let cachex = cachex();
        let source = cachex.write("program.c", include_str!("differential/program.c"));
        let programs = ["program", "other"].map(|name| {
            let program = cachex.path(format!("made/{name}"));
            std::fs::create_dir_all(program.parent().unwrap()).unwrap();
            let other = if name == "other" { "-DOTHER" } else { "-DONE" };
            let mut cc = Command::new("cc");
            cc.args(["-O1", "-static", other, "-o"]).args([&program, &source]);
            assert!(cc.status().unwrap().success());
            program
        });
        // Where there are files in memory it is many times as fast.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_owned() } else { cachex.path("tmp") };
        let folder = tempfile::tempdir_in(folder).unwrap();
        let root = folder.path().join("1/2/3/4/root");
        Laboratory { cachex, root, programs, sums: Sums::default(), _folder: folder }
    }

    fn command(&self, program: &Path) -> Command {
        std::fs::create_dir_all(&self.root).unwrap();
        let mut command = Command::new(program);
        command.env_clear().envs(self.cachex.environment()).current_dir(&self.root);
        command.stdin(Stdio::null());
        command
    }

    /// What the program does in this tree without `cachex`.
    fn bare(&self, ops: &str, tree: &Tree) -> Output {
        tree.build(&self.root);
        self.command(&self.programs[0]).arg(ops).output().unwrap()
    }

    /// The same in the tree as it is.
    fn call(&self, ops: &str) -> (Output, String) {
        let mut command = self.command(World::binary());
        command.args(["run", "--auto", "--verbose", "--auto-times", times(ops)]);
        command.args(["--auto-outputs", "none", "--"]).arg(&self.programs[0]).arg(ops);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output, said)
    }

    /// The facts of the last recorded run of this program, with their values now.
    fn facts(&self, ops: &str, options: &[&str]) -> Vec<Fact> {
        let mut command = self.command(World::binary());
        command.args(["inputs", "--json", "--auto-times", times(ops)]).args(options);
        command.arg("--").arg(&self.programs[0]).arg(ops);
        let output = command.output().unwrap();
        let listed: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            panic!("`inputs` of {ops}: {}", String::from_utf8_lossy(&output.stderr))
        });
        let fact = |listed: &Json| {
            let path = listed["path"].as_str().unwrap().as_bytes().to_vec();
            let name = listed["class"].as_str().unwrap();
            let is_it = |class: &&Class| format!("{class:?}").to_lowercase() == name;
            let class = *Class::ALL.iter().find(is_it).unwrap();
            let value = facts::look(&path, class, None).value;
            Fact { path, class, value }
        };
        listed.as_array().unwrap().iter().map(fact).collect()
    }

    /// Tries one program.
    fn program(&mut self, seed: u64, comparisons: usize) {
        let mut chance = Chance::new(seed);
        let original = Tree::random(&mut chance, &self.root, &self.programs);
        let ops = program::random(&mut chance, &self.root);
        self.sums.programs += 1;
        let expected = self.bare(&ops, &original);
        original.build(&self.root);
        let (output, said) = self.call(&ops);
        Laboratory::is_same(seed, &ops, "the first run", &original, &output, &expected);
        if !said.contains("recorded: ") || said.contains("not recorded: ") {
            return;
        }
        self.sums.recorded += 1;
        // A run may leave another time behind, and that is a fact.
        original.build(&self.root);
        let facts = self.facts(&ops, &["--auto-outputs", "none"]);
        for number in 0..CALLS {
            let (tree, how) = match number {
                0 => (original.clone(), "as it was".to_owned()),
                1 => (original.clone(), "as a run left it".to_owned()),
                _ => original.changed(&mut chance, &self.programs),
            };
            let mut expected = self.bare(&ops, &tree);
            if number == 1 {
                expected = self.command(&self.programs[0]).arg(&ops).output().unwrap();
                self.bare(&ops, &tree);
            } else {
                tree.build(&self.root);
            }
            let (output, said) = self.call(&ops);
            Laboratory::is_same(seed, &ops, &format!("{how}: {said}"), &tree, &output, &expected);
            self.sums.look_ups += 1;
            if said.contains("cachex: hit ") {
                self.sums.hits += 1;
                self.sums.hits_on_changed_trees += u64::from(number > 0);
            } else {
                assert!(number > 0, "seed {seed}: {ops}: no hit in the same tree: {said}");
            }
        }
        let recorded = expected;
        for _ in 0..comparisons {
            let (tree, how) = original.changed(&mut chance, &self.programs);
            tree.build(&self.root);
            let is_hit = facts.iter().all(Fact::holds);
            self.sums.look_ups += 1;
            if is_hit {
                self.sums.hits += 1;
                self.sums.hits_on_changed_trees += 1;
                let output = self.command(&self.programs[0]).arg(&ops).output().unwrap();
                Laboratory::is_same(
                    seed,
                    &ops,
                    &format!("{how}: by facts"),
                    &tree,
                    &recorded,
                    &output,
                );
            }
        }
    }

    #[track_caller]
    fn is_same(seed: u64, ops: &str, how: &str, tree: &Tree, it: &Output, bare: &Output) {
        let told = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            it.stdout == bare.stdout && it.status == bare.status,
            "WRONG: seed {seed}: {how}\nprogram: {ops}\ntree: {tree:#?}\n--- cachex, {}:\n{}\n--- bare, {}:\n{}",
            it.status,
            told(it),
            bare.status,
            told(bare)
        );
    }
}

/// Tries programs, with fixed seeds or for as long as the variable says.
fn try_all(laboratory: &mut Laboratory, try_one: fn(&mut Laboratory, u64, usize)) {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let limit = number("CACHEX_DIFFERENTIAL").map(Duration::from_secs);
    let first = number("CACHEX_DIFFERENTIAL_SEED").unwrap_or(1);
    let began = Instant::now();
    for seed in first.. {
        let is_over = match limit {
            Some(limit) => began.elapsed() > limit,
            None => seed - first == PROGRAMS,
        };
        if is_over {
            break;
        }
        try_one(laboratory, seed, if limit.is_some() { 10 * COMPARISONS } else { COMPARISONS });
        if limit.is_some() && seed % 100 == 0 {
            println!("{seed}: {:?}", laboratory.sums);
        }
    }
    println!("{:?} in {:?}", laboratory.sums, began.elapsed());
    assert!(laboratory.sums.hits_on_changed_trees > 0, "nothing was served: {:?}", laboratory.sums);
}

#[test]
fn what_is_served_is_what_a_run_would_print() {
    try_all(&mut Laboratory::new(), Laboratory::program);
}
