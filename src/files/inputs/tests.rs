//! Tests of the contents of a snapshot, and the changes that it detects.

use super::*;
use cachex_store::testing::{Scene, scene};
use std::os::unix::fs::symlink;

/// A separate folder, with absolute patterns, so that no test needs a working directory.
struct Tree {
    scene: Scene,
    folder: tempfile::TempDir,
}

fn tree(files: &[(&str, &str)]) -> Tree {
    let tree = Tree { scene: scene(), folder: tempfile::tempdir().unwrap() };
    for (name, held) in files {
        tree.write(name, held);
    }
    tree
}

impl Tree {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, held: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, held).unwrap();
    }

    fn with<T>(&self, patterns: &[&str], work: impl FnOnce(&Wanted<'_>) -> T) -> T {
        let full = |pattern: &&str| match pattern.strip_prefix('!') {
            Some(pattern) => format!("!{}", self.path(pattern).display()),
            None => self.path(pattern).display().to_string(),
        };
        let patterns: Vec<InputPattern> =
            patterns.iter().map(|pattern| full(pattern).parse().unwrap()).collect();
        work(&Wanted {
            patterns: &patterns,
            listed: &[],
            no_ignore: false,
            outputs: &[],
            store: None,
            store_limit: u64::MAX,
            portable: false,
        })
    }

    fn take(&self, patterns: &[&str]) -> Snapshot {
        self.with(patterns, |wanted| Snapshot::take(Some(&self.scene.root), wanted).unwrap())
    }

    fn names(&self, patterns: &[&str]) -> Vec<String> {
        let snapshot = self.take(patterns);
        let below = |file: &File| {
            let path = file.path.strip_prefix(self.folder.path()).unwrap();
            path.to_str().unwrap().to_owned()
        };
        snapshot.files.iter().map(below).collect()
    }
}

#[test]
fn each_file_stands_once_and_in_order() {
    let tree = tree(&[("b", ""), ("a/x", ""), ("a.x", ""), ("a/y/z", "")]);
    assert_eq!(tree.names(&["*", "a", "a/x", "b", "**"]), ["a.x", "a/x", "a/y/z", "b"]);
    assert_eq!(tree.names(&["**", "!a/y", "!b"]), ["a.x", "a/x"]);
    assert_eq!(tree.names(&["a/**/z", "none/*"]), ["a/y/z"]);
}

#[test]
fn a_folder_with_nothing_in_it_stands_there_itself() {
    let tree = tree(&[("a/x", ""), ("a.x", ""), ("b/.git/HEAD", ""), ("b/.gitignore", "*.o\n")]);
    for folder in ["a/none", "a-none", "c/d/e", "b/.git/refs", "b/out"] {
        std::fs::create_dir_all(tree.path(folder)).unwrap();
    }
    tree.write("b/obj/x.o", "");
    // As does one with nothing in it that is an input, which is the same to the key.
    let empty = ["a-none", "a.x", "a/none", "a/x", "b/.gitignore", "b/obj", "b/out", "c/d/e"];
    assert_eq!(tree.names(&["."]), empty);
    assert_eq!(tree.names(&["a", "c"]), ["a/none", "a/x", "c/d/e"]);
    assert_eq!(tree.names(&[".", "!a/none", "!b", "!c"]), ["a-none", "a.x", "a/x"]);
    assert_eq!(tree.names(&["**"]), ["a.x", "a/x", "b/.gitignore"]);
    let digest = |tree: &Tree| tree.take(&["."]).digest(&Base::default());
    let before = digest(&tree);
    std::fs::remove_file(tree.path("b/obj/x.o")).unwrap();
    tree.write("b/out/x.o", "");
    assert_eq!(digest(&tree), before);
    std::fs::remove_dir(tree.path("a/none")).unwrap();
    assert_ne!(digest(&tree), before);
}

#[test]
fn what_is_told_of_two_lists_of_files_is_never_the_same() {
    let digest = |files: &[(&str, &str)]| {
        let tree = tree(files);
        let mut snapshot = tree.take(&["**"]);
        // Without the folder, whose name differs each time.
        for file in &mut snapshot.files {
            file.path = file.path.strip_prefix(tree.folder.path()).unwrap().to_owned();
        }
        snapshot.digest(&Base::default())
    };
    let one = digest(&[("ab", "c")]);
    assert_eq!(one, digest(&[("ab", "c")]));
    assert_ne!(one, digest(&[("a", "bc")]));
    assert_ne!(one, digest(&[("ab", "c"), ("b", "")]));
    assert_ne!(digest(&[]), digest(&[("a", "")]));
}

#[test]
fn what_lies_below_a_base_folder_counts_by_the_way_from_there() {
    let digest = |base: &dyn Fn(&Tree) -> Base| {
        let tree = tree(&[("a", "x"), ("b/c", "y")]);
        symlink(tree.path("a"), tree.path("link")).unwrap();
        tree.take(&["**"]).digest(&base(&tree))
    };
    let there = |tree: &Tree| Base::new(Some(tree.folder.path()), None);
    assert_eq!(digest(&there), digest(&there));
    let nowhere = |_: &Tree| Base::default();
    assert_ne!(digest(&nowhere), digest(&nowhere));
}

#[test]
fn any_change_is_seen_and_none_is_made_up() {
    type Change = fn(&Tree);
    let changes: [(&str, Change); 6] = [
        ("a", |tree| tree.write("a", "else")),
        ("a", |tree| std::fs::remove_file(tree.path("a")).unwrap()),
        ("new", |tree| tree.write("new", "")),
        ("deep/b", |tree| std::fs::rename(tree.path("deep"), tree.path("deeper")).unwrap()),
        ("link", |tree| {
            std::fs::remove_file(tree.path("link")).unwrap();
            symlink("deep/b", tree.path("link")).unwrap();
        }),
        ("a", |tree| {
            std::fs::remove_file(tree.path("a")).unwrap();
            std::fs::create_dir(tree.path("a")).unwrap();
        }),
    ];
    for (changed, change) in changes {
        let tree = tree(&[("a", "one"), ("deep/b", "two")]);
        symlink("a", tree.path("link")).unwrap();
        let snapshot = tree.take(&["**"]);
        let look = || tree.with(&["**"], |wanted| snapshot.changed(wanted));
        assert_eq!(look(), None);
        change(&tree);
        assert_eq!(look(), Some(tree.path(changed)));
    }
}

#[test]
fn groups_are_as_fine_as_their_number_allows() {
    let tree = tree(&[("a/1", ""), ("a/2", ""), ("b/c/1", ""), ("b/c/2", ""), ("b/d/1", "")]);
    let snapshot = tree.take(&["**"]);
    let folder = tree.folder.path().as_os_str().len();
    let names = |most| -> Vec<String> {
        let groups = snapshot.grouped(most, &Base::default());
        groups.keys().map(|name| String::from_utf8(name[folder + 1..].to_vec()).unwrap()).collect()
    };
    assert_eq!(names(9), ["a/1", "a/2", "b/c/1", "b/c/2", "b/d/1"]);
    assert_eq!(names(4), ["a/1", "a/2", "b/c/", "b/d/"]);
    assert_eq!(names(2), ["a/", "b/"]);
    let all: usize = snapshot.grouped(0, &Base::default()).len();
    assert_eq!(all, 1);
}

#[test]
fn what_is_remembered_is_read_back_or_damaged() {
    let stamp = Stamp { size: 3, ..Stamp::default() };
    let file = |path: &str, racy| {
        let held = Held::File { mode: 0, hash: [7; 32] };
        File { path: path.into(), seen: Seen { stamp, held, racy }, is_filled: false }
    };
    let stored = memory::encode(&[file("a", false), file("b", true), file("c/d", false)]);
    let known = memory::Known::decode(stored.clone()).unwrap();
    let mut recall = known.in_order();
    let remembered = ["a", "b", "c/d", "e"].map(|path| recall.of(Path::new(path)));
    assert_eq!(remembered, [Some((stamp, [7; 32])), None, Some((stamp, [7; 32])), None]);
    for at in 0..stored.len() {
        let mut flipped = stored.clone();
        flipped[at] ^= 1;
        assert!(memory::Known::decode(flipped).is_none(), "byte {at}");
        assert!(memory::Known::decode(stored[..at].to_vec()).is_none(), "{at} bytes");
    }
}

#[test]
fn what_changed_lately_may_change_again_without_a_trace() {
    let stamp = |mtime, ctime| Stamp { size: 1, mtime, ctime, ..Stamp::default() };
    let second = 1_000_000_000;
    assert!(!stamp(0, 0).is_racy(10 * second));
    assert!(stamp(9 * second, 0).is_racy(10 * second));
    assert!(stamp(0, 9 * second).is_racy(10 * second));
    assert!(stamp(20 * second, 0).is_racy(10 * second), "from the future");
}
