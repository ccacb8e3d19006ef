//! Random trees, and what may happen to them.

use super::{Chance, program};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// What lies at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    File { content: String, mode: u32, modified: u64 },
    Folder { mode: u32 },
    Link { target: String },
}

/// All of it, by the paths from its root. A folder comes before what is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree(BTreeMap<String, Node>);

/// So many folders around the root are the tree's alone.
pub const DEPTH: usize = 4;

/// By which interpreter scripts are executed.
const INTERPRETER: &str = "i";

impl Tree {
    /// A tree at this root, in which one of the programs can be executed.
    pub fn random(chance: &mut Chance, root: &Path, programs: &[PathBuf; 2]) -> Tree {
        let mut tree = Tree(BTreeMap::new());
        tree.fill(chance, root, "", 0);
        let target = programs[0].display().to_string();
        tree.0.insert(INTERPRETER.to_owned(), Node::Link { target });
        tree
    }

    fn fill(&mut self, chance: &mut Chance, root: &Path, folder: &str, depth: usize) {
        for name in program::NAMES {
            let path =
                if folder.is_empty() { (*name).to_owned() } else { format!("{folder}/{name}") };
            match chance.below(100) {
                0..40 => {}
                40..60 if depth < 2 => {
                    self.0.insert(path.clone(), Node::Folder { mode: 0o755 });
                    self.fill(chance, root, &path, depth + 1);
                }
                40..80 => drop(self.0.insert(path, file(chance))),
                80..88 => drop(self.0.insert(path, script(chance, root))),
                _ => drop(self.0.insert(path, link(chance, root))),
            }
        }
    }

    /// Makes the folder at `root` be this tree, and nothing else. Programs may get out of it, but
    /// hardly out of the folders around it.
    pub fn build(&self, root: &Path) {
        let _ = fs::remove_dir_all(root.ancestors().nth(DEPTH).unwrap());
        fs::create_dir_all(root).unwrap();
        for (path, node) in &self.0 {
            let path = root.join(path);
            match node {
                Node::File { content, mode, modified } => {
                    fs::write(&path, content).unwrap();
                    fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
                    let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000 + modified);
                    let times = FileTimes::new().set_modified(time);
                    let file = File::options().append(true).open(&path).unwrap();
                    file.set_times(times).unwrap();
                }
                Node::Folder { .. } => fs::create_dir(&path).unwrap(),
                Node::Link { target } => {
                    symlink(target, &path).unwrap();
                    let time = Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
                    let times = Timestamps { last_access: time, last_modification: time };
                    utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
                }
            }
        }
        for (path, node) in &self.0 {
            if let Node::Folder { mode } = node {
                fs::set_permissions(root.join(path), Permissions::from_mode(*mode)).unwrap();
            }
        }
    }

    /// This tree after something happened to it, and what that was.
    pub fn changed(&self, chance: &mut Chance, programs: &[PathBuf; 2]) -> (Tree, String) {
        let mut tree = self.clone();
        let mut how = Vec::new();
        for _ in 0..=chance.below(2) {
            how.push(tree.change(chance, programs));
        }
        (tree, how.join(", "))
    }

    fn change(&mut self, chance: &mut Chance, programs: &[PathBuf; 2]) -> String {
        let paths: Vec<String> = self.0.keys().cloned().collect();
        let path = chance.one_of(&paths).clone();
        if path == INTERPRETER {
            let target = chance.one_of(programs).display().to_string();
            self.0.insert(path, Node::Link { target });
            return "another interpreter".to_owned();
        }
        let node = self.0[&path].clone();
        match (chance.below(10), node) {
            (0 | 1, Node::File { content, mode, modified }) => {
                // Of the same size, often with the same time.
                let content =
                    content.replace(['1', '2'], if chance.percent(50) { "1" } else { "2" });
                let modified = if chance.percent(50) { modified } else { modified + 1 };
                self.0.insert(path.clone(), Node::File { content, mode, modified });
                format!("{path} has other contents")
            }
            (2, Node::File { content, mode, modified }) => {
                let content = content + "3";
                self.0.insert(path.clone(), Node::File { content, mode, modified });
                format!("{path} is longer")
            }
            (3, Node::File { content, mode, modified }) => {
                let modified = modified + 1;
                self.0.insert(path.clone(), Node::File { content, mode, modified });
                format!("{path} was touched")
            }
            (4, Node::File { content, mode, modified }) => {
                self.0.insert(path.clone(), Node::File { content, mode: mode ^ 0o111, modified });
                format!("{path} has other permissions")
            }
            (4, Node::Folder { mode }) => {
                self.0.insert(path.clone(), Node::Folder { mode: mode ^ 0o020 });
                format!("{path} has other permissions")
            }
            (5, Node::Link { .. }) => {
                self.0.insert(
                    path.clone(),
                    Node::Link { target: chance.one_of(program::NAMES).to_string() },
                );
                format!("{path} leads elsewhere")
            }
            (5 | 6, _) => {
                self.remove(&path);
                format!("{path} is gone")
            }
            (7, _) => {
                self.remove(&path);
                let node = match chance.below(3) {
                    0 => file(chance),
                    1 => Node::Folder { mode: 0o755 },
                    _ => Node::Link { target: chance.one_of(program::NAMES).to_string() },
                };
                self.0.insert(path.clone(), node);
                format!("{path} is something else")
            }
            (8, _) => {
                let other = chance.one_of(&paths).clone();
                self.swap(&path, &other);
                format!("{path} and {other} changed places")
            }
            _ => {
                let folders = self.0.iter().filter(|(_, node)| matches!(node, Node::Folder { .. }));
                let mut folders: Vec<String> =
                    folders.map(|(path, _)| format!("{path}/")).collect();
                folders.push(String::new());
                let name = *chance.one_of(&["a", "b", "c", "d", "x", "new"]);
                let path = format!("{}{name}", chance.one_of(&folders));
                let node = file(chance);
                self.0.entry(path.clone()).or_insert(node);
                format!("{path} came")
            }
        }
    }

    fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        self.0.retain(|other, _| other != path && !other.starts_with(&below));
    }

    /// What lies at one path, with all below it, lies at the other from then on.
    fn swap(&mut self, one: &str, other: &str) {
        let is_within = |one: &str, other: &str| other.starts_with(&format!("{one}/"));
        if one == other || is_within(one, other) || is_within(other, one) || other == INTERPRETER {
            return;
        }
        let renamed = |path: &str, from: &str, to: &str| {
            let rest = path.strip_prefix(from)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{to}{rest}"))
        };
        let moved = self.0.iter().map(|(path, node)| {
            let path = renamed(path, one, other).or_else(|| renamed(path, other, one));
            (path, node)
        });
        let moved: Vec<_> = moved.map(|(path, node)| (path, node.clone())).collect();
        let paths: Vec<String> = self.0.keys().cloned().collect();
        let moved = paths.into_iter().zip(moved);
        self.0 = moved.map(|(path, (new, node))| (new.unwrap_or(path), node)).collect();
    }
}

fn file(chance: &mut Chance) -> Node {
    let content = ["", "1", "2", "12", "21", "11111111"];
    let mode = [0o644, 0o644, 0o600, 0o755];
    Node::File {
        content: (*chance.one_of(&content)).to_owned(),
        mode: *chance.one_of(&mode),
        modified: chance.below(3) as u64,
    }
}

fn script(chance: &mut Chance, root: &Path) -> Node {
    let content = format!("#!{}/{INTERPRETER}\n{}", root.display(), program::script(chance, root));
    Node::File { content, mode: 0o755, modified: 1 }
}

fn link(chance: &mut Chance, root: &Path) -> Node {
    Node::Link { target: program::path(chance, root) }
}
