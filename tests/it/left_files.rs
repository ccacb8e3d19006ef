//! Entries that have files to put back: what is shown of them, found wrong with
//! them, and freed with them.

use crate::harness::{Cachex, Call, Outcome, cachex};
use cachex::Timestamp;
use cachex::internals::{BlobRef, Entry, Item, Manifest, What};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

const SHARED: &[u8] = &[b's'; 5000];

/// Has the result of a call include these files: a path each, and what is there.
/// The beginning of its key.
fn leaves(cachex: &Cachex, call: &Call, files: &[(&str, &[u8])]) -> String {
    call.once().misses();
    let key = call.key();
    let is_its = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&key);
    let young = cachex.stored_in("v2/young").into_iter().find(is_its).unwrap();
    let young = cachex.store().join(young);
    let entry = Entry::open_any(&fs::read(&young).unwrap()).unwrap();
    let item = |(path, content): &(&str, &[u8])| Item {
        path: path.as_bytes().to_vec().into(),
        what: What::File { mode: 0o644, blob: blob(cachex, content) },
    };
    let list = Manifest { items: files.iter().map(item).collect(), ..Manifest::default() };
    let manifest = blob(cachex, &list.encode().unwrap());
    let outputs = Some(list.outputs(manifest));
    let entry = Entry { outputs, created: Timestamp::now(), ..entry };
    fs::write(young, entry.seal().unwrap()).unwrap();
    key
}

fn place(cachex: &Cachex, content: &[u8]) -> PathBuf {
    let hash = blake3::hash(content).to_hex();
    cachex.store().join(format!("v2/blobs/{}/{hash}", &hash[..2]))
}

fn blob(cachex: &Cachex, content: &[u8]) -> BlobRef {
    let place = place(cachex, content);
    let folder = place.parent().unwrap();
    fs::DirBuilder::new().mode(0o700).recursive(true).create(folder).unwrap();
    let mut file = fs::File::options();
    let file = file.write(true).create(true).truncate(true).mode(0o600).open(place);
    std::io::Write::write_all(&mut file.unwrap(), content).unwrap();
    BlobRef { hash: *blake3::hash(content).as_bytes(), len: content.len() as u64 }
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout()).unwrap()
}

fn findings(cachex: &Cachex, options: &str) -> Vec<String> {
    let report = json(&cachex.cli(["doctor", "--json"]).with(options).once());
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_run_left_behind_is_listed_and_shown() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    cachex.run("echo plain").once().misses();
    let key = leaves(&cachex, &call, &[("a b", b"one"), ("evil\x1b[2J", b"three")]);
    let list = cachex.cli(["list"]).once().exits(0).stdout();
    assert!(list.lines().next().unwrap().contains("FILES"), "{list}");
    let said = cachex.cli(["show", &key]).once().exits(0).quietly().stdout();
    let expected = "outputs    2 files, 8 B\n           'a b' (3 B)\n           ";
    assert!(said.contains(expected) && !said.contains('\x1b'), "{said}");

    let listed = json(&cachex.cli(["list", "--json", "--sort", "command"]).once());
    let fields = |entry: &Value| [entry["output_files"].clone(), entry["output_bytes"].clone()];
    assert_eq!(fields(&listed[0]), [Value::from(2), 8.into()]);
    assert_eq!(fields(&listed[1]), [Value::Null, Value::Null]);
    let shown = json(&cachex.cli(["show", "--json", &key]).once());
    assert_eq!(fields(&shown), [Value::from(2), 8.into()]);
    assert_eq!(shown["whole"], true);
    let output = serde_json::json!(
        {"path": "a b", "kind": "file", "bytes": 3, "mode": "0644", "target": null}
    );
    assert_eq!(shown["outputs"][0], output);
}

#[test]
fn a_file_that_is_lost_makes_the_entry_useless() {
    for damage in [true, false] {
        let cachex = cachex();
        let call = cachex.run("echo hi");
        let key = leaves(&cachex, &call, &[("a", SHARED), ("b", b"other")]);
        cachex.folds();
        assert_eq!(findings(&cachex, ""), [""; 0]);
        call.clone().explain().once().shows(&["hit"]);
        let place = place(&cachex, SHARED);
        if damage {
            fs::write(&place, "no").unwrap();
        } else {
            fs::remove_file(&place).unwrap();
        }

        let useless = "entry-without-output";
        let found = findings(&cachex, "");
        assert_eq!(
            found,
            if damage { vec!["blob-damaged", useless, useless] } else { vec![useless; 2] }
        );
        let why = if damage { "damaged" } else { "gone" };
        call.clone().explain().once().shows(&["miss", why]);
        cachex.cli(["show", &key]).once().exits(0).shows(&["3 B", "damaged or gone"]);
        let shown = json(&cachex.cli(["show", "--json", &key]).once());
        assert_eq!((&shown["whole"], &shown["stdout_bytes"]), (&false.into(), &3.into()));

        assert_eq!(findings(&cachex, "--repair").len(), found.len());
        assert_eq!(findings(&cachex, ""), [""; 0]);
        assert!(cachex.stored_in("v2/blobs").is_empty());
        call.once().misses();
    }
}

#[test]
fn a_list_of_files_that_is_none_makes_the_entry_useless() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    leaves(&cachex, &call, &[("../out", b"other")]);
    cachex.folds();
    let found = findings(&cachex, "");
    assert_eq!(found.iter().filter(|kind| *kind == "entry-without-output").count(), 2, "{found:?}");
    findings(&cachex, "--repair");
    assert_eq!(findings(&cachex, ""), [""; 0]);
    call.once().misses();
}

#[test]
fn what_is_forgotten_frees_the_files_that_nothing_else_has() {
    let cachex = cachex();
    let [one, two] = ["echo one", "echo two"].map(|script| cachex.run(script));
    let key = leaves(&cachex, &one, &[("a", SHARED), ("b", &[b'b'; 3000])]);
    leaves(&cachex, &two, &[("a", SHARED), ("c", &[b'c'; 2000])]);
    let freed =
        |args: &[&str]| json(&cachex.cli(args.iter().copied()).once())["freed_bytes"].as_u64();
    let all = freed(&["forget", "--command", "*", "--dry-run", "--json"]).unwrap();
    assert!((10_000..11_500).contains(&all), "{all}");
    let first = freed(&["forget", "--json", &key]).unwrap();
    assert!((3000..4000).contains(&first), "{first}");
    assert!(place(&cachex, SHARED).exists() && !place(&cachex, &[b'b'; 3000]).exists());
    let second = freed(&["prune", "--max-age", "1ns", "--json"]).unwrap();
    assert_eq!(first + second, all);
    assert!(cachex.stored_in("v2/blobs").is_empty());
}

#[test]
fn a_fold_that_is_killed_loses_no_file_and_leaves_none() {
    let cachex = cachex();
    let [gone, kept] = ["echo one", "echo two"].map(|script| cachex.run(script));
    let gone = gone.expires_in("1m");
    leaves(&cachex, &gone, &[("a", SHARED), ("b", b"of the first")]);
    cachex.fold().once().exits(0);
    leaves(&cachex, &kept, &[("a", SHARED), ("c", b"of the second")]);
    cachex.keeps_store("kept");
    let changes = cachex.fold().after("1h").killed_everywhere(
        || cachex.restores_store("kept"),
        |_| {
            cachex.fold().after("1h").once().exits(0);
            for content in [SHARED, b"of the second"] {
                assert!(place(&cachex, content).exists());
            }
            let found = findings(&cachex, "--repair");
            assert!(found.iter().all(|kind| kind == "blob-unneeded"), "{found:?}");
            assert_eq!(cachex.stored_in("v2/blobs").len(), 3);
        },
    );
    assert!(changes > 30, "{changes}");
}
