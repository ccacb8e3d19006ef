//! What is said of automatic calls: by `--verbose`, `explain`, `inputs`, `list`, `show`, and
//! to programs.

use super::auto;
use crate::harness::cachex;
use serde_json::Value;
use std::fs;

#[test]
fn facts_are_counted_on_a_miss_and_on_a_hit() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let call = auto(&cachex, "cat f; [ -e missing ]; echo d*").with("--verbose");
    let said = call.once().stderr();
    assert!(said.contains("recorded: ") && said.contains(" read, "), "{said}");
    assert!(said.contains(" absent, 1 listed"), "{said}");
    let said = call.once().hits().stderr();
    assert!(said.contains(" facts in "), "{said}");
}

#[test]
fn explain_names_the_file_that_differs() {
    let cachex = cachex();
    cachex.write("work/src/f", "1\n");
    let call = auto(&cachex, "cat src/f; [ -e gone ]; true");
    let told = |exit| call.clone().explain().once().runs(0).exits(exit).stdout();
    assert!(told(1).contains("not recorded yet"));
    call.once().misses();
    assert!(told(0).starts_with("hit "));
    cachex.write("work/src/f", "2\n");
    let missed = told(1);
    let path = cachex.path("work/src/f").canonicalize().unwrap();
    assert!(missed.contains(&format!("{} differs (content); 1 of ", path.display())), "{missed}");
    assert!(missed.contains("Nearest: recorded "), "{missed}");
    cachex.write("work/src/f", "1\n");
    cachex.write("work/gone", "");
    assert!(told(1).contains("/gone is there now; 1 of "), "{}", told(1));
    let json = call.clone().explain().with("--json").once().stdout();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["auto"]["differences"].as_array().unwrap().len(), 1, "{json}");
}

#[test]
fn the_files_of_a_result_are_listed() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let call = auto(&cachex, "cat f; [ -e missing ]; true");
    call.once().misses();
    let key = call.key();
    let listed = cachex.cli(["inputs", &key]).once().exits(0).stdout();
    let work = cachex.work().canonicalize().unwrap();
    for line in [
        format!("content    {}/f", work.display()),
        format!("absent     {}/missing", work.display()),
    ] {
        assert!(listed.lines().any(|it| it == line), "no `{line}` in\n{listed}");
    }
    let plain = cachex.run("echo plain");
    plain.once().misses();
    let outcome = cachex.cli(["inputs", &plain.key()]).once().exits(1);
    assert!(outcome.stderr().contains("was recorded without --auto"), "{}", outcome.stderr());
    cachex.cli(["inputs", "0123"]).once().exits(1);
    cachex.cli(["inputs"]).once().exits(2);
}

#[test]
fn list_show_and_reports_say_that_a_result_is_automatic() {
    let cachex = cachex();
    let call = auto(&cachex, "echo x").with("--status-file report");
    let report = || -> Value {
        serde_json::from_slice(&fs::read(cachex.path("work/report")).unwrap()).unwrap()
    };
    call.once().misses();
    let facts = report()["facts"].as_u64().unwrap();
    assert!(facts > 0);
    call.once().hits();
    assert_eq!(report()["facts"], facts);
    cachex.run("echo plain").once().misses();
    let listed = cachex.cli(["list", "--json"]).once().exits(0).stdout();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let automatic: Vec<&Value> =
        listed.as_array().unwrap().iter().map(|it| &it["automatic"]).collect();
    assert_eq!(automatic, [&Value::Bool(false), &Value::Bool(true)]);
    assert!(cachex.cli(["list"]).once().stdout().lines().any(|line| line.contains(" auto ")));
    let shown = cachex.cli(["show", &call.key()]).once().exits(0).stdout();
    assert!(shown.contains("automatic  yes"), "{shown}");
}

#[test]
fn a_result_is_shown_and_forgotten_by_its_command() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let call = cachex.exec(["cat", "f"]).with("--auto");
    call.once();
    cachex.cli(["show", "--stdout", "--auto", "--", "cat", "f"]).once().exits(0).prints("1\n");
    call.clone().forget().once().exits(0);
    cachex.cli(["show", "--auto", "--", "cat", "f"]).once().exits(1);
}

#[test]
fn the_store_is_sound_with_it_and_empty_after_clear() {
    let cachex = cachex();
    auto(&cachex, "echo x").once().misses();
    cachex.cli(["doctor"]).once().exits(0);
    assert_eq!(cachex.stored_in("v2/auto").len(), 1);
    cachex.cli(["clear", "--yes"]).once().exits(0);
    assert!(cachex.stored_in("v2/auto").is_empty());
}

#[test]
fn a_damaged_path_set_is_a_miss() {
    let cachex = cachex();
    let call = auto(&cachex, "echo x");
    call.once().misses();
    let path = cachex.in_store(&cachex.stored_in("v2/auto")[0]);
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    for bytes in [&damaged[..], &whole[..whole.len() - 1], b""] {
        fs::write(&path, bytes).unwrap();
        call.once().misses().prints("x\n");
    }
    call.once().hits();
}
