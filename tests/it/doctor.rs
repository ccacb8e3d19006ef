//! `cachex doctor` finds what is wrong, names it, and mends it without harm.

mod damage;

use crate::harness::{Cachex, Outcome, cachex};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Goes to a blob.
const LONG: &str = "seq 1 1000";

fn doctor(cachex: &Cachex, options: &str) -> Outcome {
    cachex.cli(["doctor"]).with(options).once().quietly()
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout()).unwrap()
}

/// The findings' kinds, less those at which no problems, and whether they were repaired.
#[track_caller]
fn problems(outcome: &Outcome) -> Vec<(String, bool)> {
    let report = json(outcome);
    let findings = report["findings"].as_array().unwrap();
    let problems = findings.iter().filter(|finding| finding["level"] == "problem");
    let told = problems.map(|finding| {
        (finding["kind"].as_str().unwrap().to_owned(), finding["repaired"].as_bool().unwrap())
    });
    told.collect()
}

/// The kinds of all findings.
fn kinds(outcome: &Outcome) -> Vec<String> {
    let report = json(outcome);
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
}

/// Every file of the store and what is in it, but for sled's.
fn content(cachex: &Cachex) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let of = |path: PathBuf| {
        let at = cachex.store().join(&path);
        let metadata = fs::symlink_metadata(&at).ok()?;
        let content = if metadata.is_file() { fs::read(&at).ok()? } else { Vec::new() };
        let ours = !path.starts_with("v2/old") && !path.starts_with("v2/locks");
        ours.then_some((path, (metadata.mode(), content)))
    };
    cachex.stored().into_iter().filter_map(of).collect()
}

/// What a damage is done to: three entries that were folded, then one more.
struct Patient {
    cachex: Cachex,
    young: PathBuf,
    blob: PathBuf,
}

impl Patient {
    fn new() -> Patient {
        let cachex = cachex();
        cachex.run("echo victim").once().misses();
        let young = cachex.store().join(&cachex.stored_in("v2/young")[0]);
        cachex.run(LONG).once().misses();
        let blob = cachex.store().join(&cachex.stored_in("v2/blobs")[0]);
        cachex.run("seq 1 2000").once().misses();
        cachex.folds();
        cachex.run("echo good").once().misses();
        Patient { cachex, young, blob }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.cachex.store().join("v2").join(path)
    }

    /// Leaves folded entries to the old store alone.
    fn forget_young(&self) {
        fs::remove_dir_all(self.at("young")).unwrap();
        self.cachex.run("echo good").once().misses();
    }

    /// Opens the database's tree of entries.
    fn edit_entries(&self, edit: impl FnOnce(&sled::Tree)) {
        let path = self.at("old").join("entries-0-00");
        let db = sled::Config::new().path(path).segment_size(64 << 10).open().unwrap();
        edit(&db);
        db.flush().unwrap();
    }
}

fn flip(path: &Path, at: usize) {
    let mut content = fs::read(path).unwrap();
    content[at] ^= 0x10;
    fs::write(path, content).unwrap();
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn aged(path: &Path) {
    fs::write(path, "left").unwrap();
    chmod(path, 0o600);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(2)).unwrap();
}

#[test]
fn where_there_is_no_store_all_is_well_and_none_is_made() {
    let cachex = cachex();
    for options in ["", "--repair", "--json", "--json --repair"] {
        let outcome = doctor(&cachex, options).exits(0);
        assert!(options.contains("json") || outcome.stdout().ends_with(": nothing here yet\n"));
        assert!(!cachex.store().exists());
    }
    fs::create_dir(cachex.store()).unwrap();
    chmod(&cachex.store(), 0o700);
    assert!(json(&doctor(&cachex, "--json --repair").exits(0))["exists"] == false);
    assert_eq!(cachex.stored(), [""; 0].map(PathBuf::from));
}

#[test]
fn a_healthy_store_is_called_so() {
    let patient = Patient::new();
    let before = content(&patient.cachex);
    for _ in 0..2 {
        let said = doctor(&patient.cachex, "").exits(0).stdout();
        let whole = ": no problems; intact: 4 young and 3 old entries, 2 blobs (12.5 KiB)\n";
        assert!(said.ends_with(whole), "{said}");
        // The other one says whether commands can be traced.
        assert_eq!(said.lines().count(), 2, "{said}");
        assert!(said.starts_with("tracing: "), "{said}");
    }
    assert!(content(&patient.cachex) == before);
    doctor(&patient.cachex, "--repair").exits(0);
    for script in ["echo victim", "echo good", LONG, "seq 1 2000"] {
        patient.cachex.run(script).once().hits();
    }
}

#[test]
fn a_repair_drops_nothing_that_is_whole_however_old_or_large() {
    let cachex = cachex();
    let call = cachex.run("echo hi").expires_in("1m");
    call.once().misses();
    cachex.run(LONG).once().misses();
    for _ in 0..2 {
        let late = cachex.cli(["doctor", "--repair"]).env("CACHEX_MAX_SIZE", "1").after("1h");
        late.once().exits(0).quietly();
    }
    call.once().hits();
    cachex.run(LONG).once().hits();
}

#[test]
fn mistakes_are_usage_errors() {
    for options in ["--repare", "--json=yes", "somewhere"] {
        cachex().cli(["doctor"]).with(options).once().exits(2);
    }
}

#[test]
fn what_is_merely_there_is_no_problem() {
    let patient = Patient::new();
    let cachex = &patient.cachex;
    let hash = blake3::hash(b"orphan").to_hex();
    let orphan = patient.at("blobs").join(&hash[..2]).join(hash.as_str());
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    chmod(orphan.parent().unwrap(), 0o700);
    fs::write(&orphan, "orphan").unwrap();
    chmod(&orphan, 0o600);
    cachex.run("echo good").with("--no-concurrent --force").once();
    let being_written = patient.at("tmp/1-2-3");
    fs::write(&being_written, "").unwrap();
    chmod(&being_written, 0o600);
    let live = patient.at("tmp/1-2-4");
    aged(&live);
    let writer = fs::File::open(&live).unwrap();
    rustix::fs::flock(&writer, rustix::fs::FlockOperation::LockExclusive).unwrap();
    fs::create_dir(patient.at("old.broken-1")).unwrap();
    fs::create_dir(cachex.store().join("v3")).unwrap();
    fs::write(cachex.store().join("notes.txt"), "mine").unwrap();

    let mut found = kinds(&doctor(cachex, "--json").exits(0));
    found.sort();
    let expected = [
        "blob-unneeded",
        "database-set-aside",
        "in-progress",
        "in-progress",
        "lock-idle",
        "other-version",
        "unknown",
    ];
    assert_eq!(found, expected);
    let said = doctor(cachex, "").exits(0).stdout();
    assert!(said.contains(": no problems, 7 notes; "), "{said}");

    doctor(cachex, "--repair").exits(0);
    let mut left = kinds(&doctor(cachex, "--json").exits(0));
    left.sort();
    assert_eq!(left, ["in-progress", "in-progress", "other-version", "unknown"]);
    assert!(!orphan.exists() && live.exists() && being_written.exists());
    cachex.run("echo good").once().hits();
}

#[test]
fn who_is_at_work_is_named_and_not_disturbed() {
    let cachex = cachex();
    let call = cachex.run(&format!("{}; echo hi", cachex.gate("gate"))).with("--no-concurrent");
    let holder = call.spawn();
    cachex.awaits_runs(1);
    let holds = format!("process {} holds this lock and is alive", holder.pid().as_raw_nonzero());
    for options in ["", "--repair"] {
        let said = doctor(&cachex, options).exits(0).stdout();
        assert!(said.contains(&holds), "{said}");
    }
    let waiter = call.spawn();
    cachex.opens("gate");
    holder.ends().prints("hi\n").exits(0);
    waiter.ends().prints("hi\n").exits(0);
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn while_somebody_folds_there_is_an_examination_and_no_repair() {
    let patient = Patient::new();
    let cachex = &patient.cachex;
    flip(&patient.young, 60);
    let fold = fs::File::open(patient.at("locks/fold")).unwrap();
    rustix::fs::flock(&fold, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let said = doctor(cachex, "").exits(1).stdout();
    let pid = std::process::id();
    let holds = format!("note: v2/locks/fold: process {pid} holds this lock and is alive\n");
    assert!(said.contains(&holds) && said.contains("so these findings may be temporary"), "{said}");
    let repaired = doctor(cachex, "--repair --json").exits(1);
    let expected = [("entry-damaged".to_owned(), false), ("repair-failed".to_owned(), false)];
    assert_eq!(problems(&repaired), expected);
    drop(fold);
    doctor(cachex, "--repair").exits(0);
}

#[test]
fn the_json_is_as_documented() {
    let patient = Patient::new();
    patient.forget_young();
    flip(&patient.blob, 100);
    let report = json(&doctor(&patient.cachex, "--json").exits(1));
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let outer = [
        "exists", "findings", "healthy", "notes", "problems", "repaired", "store", "tracing",
        "whole",
    ];
    let finding = ["key", "kind", "level", "means", "path", "remedy", "repairable", "repaired"];
    let whole = ["blob_bytes", "blobs", "old", "young"];
    assert_eq!(names(&report), outer);
    assert_eq!(names(&report["whole"]), whole);
    assert_eq!(names(&report["tracing"]), ["available", "reason"]);
    for found in report["findings"].as_array().unwrap() {
        assert_eq!(names(found), finding);
        let key = found["key"].as_str();
        assert_eq!(key.is_some_and(|key| key.len() == 64), found["path"] == "v2/old");
        assert!(patient.cachex.store().join(found["path"].as_str().unwrap()).exists());
    }
    assert_eq!(report["store"], patient.cachex.store().to_str().unwrap());
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md")).unwrap();
    for name in outer.iter().chain(&finding).chain(&whole) {
        assert!(page.contains(&format!("`{name}`")), "docs/json.md does not tell of {name}");
    }
}

#[test]
fn names_that_a_terminal_would_obey_are_shown_harmlessly() {
    let patient = Patient::new();
    for place in ["", "young", "tmp"] {
        fs::write(patient.at(place).join("\x1b]0;owned\x07\u{202e}\nproblem: x"), "").unwrap();
    }
    let said = doctor(&patient.cachex, "").stdout();
    assert!(said.contains(r"\u{1b}]0;owned\u{7}\u{202e}\u{a}problem: x"), "{said}");
    assert!(!said.contains(['\x1b', '\x07', '\u{202e}']), "{said}");
    assert!(said.lines().all(|line| !line.starts_with("problem: x")), "{said}");
    json(&doctor(&patient.cachex, "--json"));
}

#[test]
fn many_findings_of_one_kind_are_summed_up() {
    let patient = Patient::new();
    for n in 0..30 {
        fs::write(patient.at(&format!("unknown-{n}")), "").unwrap();
    }
    let said = doctor(&patient.cachex, "").exits(0).stdout();
    assert!(said.contains("note: 10 more of kind unknown\n"), "{said}");
    assert_eq!(kinds(&doctor(&patient.cachex, "--json")).len(), 30);
}

#[test]
fn an_entry_that_cannot_be_read_is_named_and_the_rest_examined() {
    let patient = Patient::new();
    let cachex = &patient.cachex;
    // Nothing but a young file needs its output.
    cachex.run("seq 1 3000").once().misses();
    let young = cachex.stored_in("v2/young");
    for (n, path) in (1..).zip(&young) {
        let io = rustix::io::Errno::IO.raw_os_error();
        let call = cachex.cli(["doctor", "--json"]).fault(format!("read:{n}={io}"));
        let outcome = call.once().exits(1).quietly();
        assert_eq!(kinds(&outcome), ["unreadable"]);
        let report = json(&outcome);
        assert_eq!(report["findings"][0]["path"], path.to_str().unwrap());
        assert_eq!(report["whole"]["young"], young.len() - 1);
        assert_eq!(report["whole"]["old"], 3);
    }
    assert_eq!(kinds(&doctor(cachex, "--json").exits(0)), [""; 0]);
}

#[test]
fn a_database_that_cannot_be_locked_is_not_opened() {
    let patient = Patient::new();
    let call = patient.cachex.cli(["doctor", "--json"]);
    let outcome = call.fails_at("flock", rustix::io::Errno::NOLCK).once().exits(1).quietly();
    assert_eq!(kinds(&outcome), ["database-unexamined"]);
}

#[test]
fn a_repair_makes_an_entry_readable_and_loses_nothing_of_it() {
    let cachex = cachex();
    let call = cachex.run(LONG).without_privileges();
    let good = call.once().misses();
    chmod(&cachex.in_store(&cachex.stored_in("v2/young")[0]), 0o000);
    let doctor =
        |options| cachex.cli(["doctor", "--json"]).with(options).without_privileges().once();
    assert_eq!(kinds(&doctor("").exits(1)), ["mode", "unreadable"]);
    let repaired = doctor("--repair").exits(0);
    assert!(problems(&repaired).iter().all(|(_, repaired)| *repaired), "{}", repaired.stdout());
    call.once().hits().same_as(&good);
}
