//! A list of files that names others than the call declared is refused whole, wherever it
//! came from.

use super::{listed, making, read};
use crate::harness::{Cachex, Call, cachex};
use cachex::internals::{BlobRef, Entry, Item, Manifest, What};
use serde_bytes::ByteBuf;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const EVIL: &[u8] = b"evil\n";

/// A blob that is in the store from now on.
fn blob(cachex: &Cachex, content: &[u8]) -> BlobRef {
    let hash = blake3::hash(content);
    let hex = hash.to_hex();
    cachex.write(format!("store/v2/blobs/{}/{hex}", &hex[..2]), content);
    BlobRef { hash: *hash.as_bytes(), len: content.len() as u64 }
}

fn file(cachex: &Cachex) -> What {
    What::File { mode: 0o644, blob: blob(cachex, EVIL) }
}

fn item(path: impl AsRef<Path>, what: What) -> Item {
    Item { path: ByteBuf::from(path.as_ref().to_str().unwrap()), what }
}

/// Has the only entry list these items instead of what it was recorded with.
fn forge(cachex: &Cachex, items: Vec<Item>) {
    let [entry] = &cachex.stored_in("v2/young")[..] else { panic!("{:?}", cachex.stored()) };
    let path = cachex.in_store(entry);
    let mut entry = Entry::open_any(&fs::read(&path).unwrap()).unwrap();
    let hash = entry.outputs.unwrap().manifest.hash;
    let hex = blake3::Hash::from_bytes(hash).to_hex();
    let list = fs::read(cachex.in_store(format!("v2/blobs/{}/{hex}", &hex[..2]))).unwrap();
    let declared = Manifest::decode(&list).unwrap().declared;
    let list = Manifest { declared, items, ..Manifest::default() };
    let blob = blob(cachex, &list.encode().unwrap());
    entry.outputs = Some(list.outputs(blob));
    fs::write(path, entry.seal().unwrap()).unwrap();
}

/// A recorded call with these outputs, whose files are gone again.
fn recorded(cachex: &Cachex, outputs: &str) -> Call {
    let call = making(cachex, "echo good >out", outputs);
    call.once().misses();
    fs::remove_file(cachex.path("work/out")).unwrap();
    call
}

/// Nothing is brought back, nothing is changed, and the command runs.
#[track_caller]
fn is_refused(cachex: &Cachex, call: &Call, items: Vec<Item>, what: &str) {
    let outside = cachex.write("outside/precious", "mine");
    forge(cachex, items);
    let before = listed(&cachex.work());
    call.clone().with("--cached-only").once().hits().exits(125);
    assert_eq!(listed(&cachex.work()), before, "{what}: something was brought back");
    assert_eq!(listed(&cachex.path("outside")), ["precious"], "{what}");
    assert_eq!(fs::read(&outside).unwrap(), b"mine", "{what}");
    call.once().misses().exits(0);
    assert_eq!(read(cachex, "out"), "good\n");
    call.once().hits().quietly();
    fs::remove_file(cachex.path("work/out")).unwrap();
}

#[test]
fn a_path_that_was_not_declared() {
    let cachex = cachex();
    let call = recorded(&cachex, "--output out");
    let whole = || file(&cachex);
    let outside = cachex.path("outside");
    for path in [
        outside.join("precious"),
        outside.join("new"),
        cachex.work().join("out"),
        "../outside/precious".into(),
        "out/../../outside/precious".into(),
        "./out2".into(),
        "out2".into(),
        "ou".into(),
        "other/out".into(),
        "a/deep/new/folder".into(),
    ] {
        let shown = path.display().to_string();
        is_refused(&cachex, &call, vec![item(&path, whole())], &shown);
        // Nor beside one that was.
        let mut items = vec![item("out", whole()), item(&path, whole())];
        items.sort_by(|one, other| {
            one.path.split(|b| *b == b'/').cmp(other.path.split(|b| *b == b'/'))
        });
        is_refused(&cachex, &call, items, &shown);
    }
}

#[test]
fn anything_but_a_file_at_a_path_that_was_not_declared() {
    let cachex = cachex();
    let call = recorded(&cachex, "--output out");
    let precious = cachex.path("outside/precious");
    for what in [
        What::Absent { removed: true },
        What::Folder { mode: 0o777 },
        What::Symlink { target: ByteBuf::from("/etc/passwd") },
    ] {
        is_refused(&cachex, &call, vec![item(&precious, what.clone())], &format!("{what:?}"));
        is_refused(&cachex, &call, vec![item("elsewhere", what.clone())], &format!("{what:?}"));
    }
}

#[test]
fn what_no_pattern_matches_or_one_leaves_out() {
    let cachex = cachex();
    cachex.write("work/sub/kept", "");
    let call = recorded(&cachex, "--output out --output sub/*.o --output !sub/x.o");
    for path in ["a.o", "sub/deep/a.o", "sub/a.c", "sub", "sub/x.o", "sub/x.o/y", "subs/a.o"] {
        is_refused(&cachex, &call, vec![item(path, file(&cachex))], path);
    }
    // That something was removed is only ever said of a path that was named.
    let removed = What::Absent { removed: true };
    is_refused(&cachex, &call, vec![item("sub/kept.o", removed)], "a removal by a pattern");
    assert_eq!(listed(&cachex.path("work/sub")), ["kept"]);
}

#[test]
fn a_file_behind_a_link_that_the_list_brings_along() {
    let cachex = cachex();
    fs::create_dir(cachex.path("outside")).unwrap();
    let call = recorded(&cachex, "--output out --output dist");
    let outside = cachex.path("outside");
    let link = What::Symlink { target: ByteBuf::from(outside.to_str().unwrap()) };
    let items = vec![item("dist", link.clone()), item("dist/precious", file(&cachex))];
    is_refused(&cachex, &call, items, "a file behind a link");
    let folder = What::Folder { mode: 0o755 };
    let items = vec![
        item("dist", folder),
        item("dist/link", link),
        item("dist/link/precious", What::Absent { removed: true }),
    ];
    is_refused(&cachex, &call, items, "a removal behind a link");
}

#[test]
fn a_link_that_an_earlier_hit_brought_is_not_walked_through() {
    let cachex = cachex();
    cachex.write("outside/precious", "mine");
    let call = recorded(&cachex, "--output out --output dist");
    symlink(cachex.path("outside"), cachex.path("work/dist")).unwrap();
    forge(&cachex, vec![item("dist/precious", file(&cachex))]);
    call.with("--cached-only").once().hits().exits(125);
    assert_eq!(fs::read(cachex.path("outside/precious")).unwrap(), b"mine");
}

#[test]
fn permissions_that_no_run_is_recorded_with() {
    let cachex = cachex();
    let call = recorded(&cachex, "--output out");
    let what = What::File { mode: 0o6777, blob: blob(&cachex, EVIL) };
    is_refused(&cachex, &call, vec![item("out", what)], "a setuid bit");
}

#[test]
fn the_warning_names_what_was_not_declared() {
    let cachex = cachex();
    let call = recorded(&cachex, "--output out");
    forge(&cachex, vec![item("other", file(&cachex))]);
    call.once().misses().exits(0).warns_once(&["not put back", "other", "not declared"]);
}

#[test]
fn a_list_of_what_was_declared_is_brought_back() {
    let cachex = cachex();
    let call = recorded(&cachex, "--output out --output dist --output **/*.o");
    let folder = || What::Folder { mode: 0o755 };
    forge(
        &cachex,
        vec![
            item("dist", folder()),
            item("dist/a", folder()),
            item("dist/a/b", file(&cachex)),
            item("out", file(&cachex)),
            item("x/y.o", file(&cachex)),
        ],
    );
    call.once().hits().quietly();
    for name in ["dist/a/b", "out", "x/y.o"] {
        assert_eq!(read(&cachex, name).as_bytes(), EVIL);
    }
}
