//! `cachex show`: everything about one entry, and what it printed.

use crate::harness::{Cachex, cachex};
use cachex::internals::{About, Bytes, Entry};
use cachex::{Key, Timestamp};
use serde_json::Value;

/// The whole key of the only entry.
fn key(cachex: &Cachex) -> String {
    let all = cachex.cli(["list", "--json"]).once().exits(0).stdout();
    let all: Vec<Value> = serde_json::from_str(&all).unwrap();
    assert_eq!(all.len(), 1);
    all[0]["key"].as_str().unwrap().to_owned()
}

#[test]
fn an_entry_is_shown_by_its_key_or_by_its_command() {
    let cachex = cachex();
    let call = cachex.exec(["sh", "-c", "echo out; echo err >&2; exit 3"]);
    let call = call.failure_expires_in("1d").with("--tag nightly --scope work");
    call.once().exits(3);
    call.once().exits(3);
    let key = key(&cachex);
    let by_key = cachex.cli(["show", &key[..4].to_uppercase()]).once().exits(0).quietly();
    let script = "sh -c 'echo out; echo err >&2; exit 3'";
    let work = cachex.work();
    let said = by_key.stdout();
    let field = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(&format!("{name:<10} ")));
        line.unwrap_or_else(|| panic!("no {name}:\n{said}"))
    };
    assert_eq!(field("key"), key);
    assert_eq!(field("command"), script);
    assert_eq!(field("directory"), work.to_str().unwrap());
    assert_eq!((field("scope"), field("tags")), ("work", "nightly"));
    assert_eq!((field("status"), field("hits")), ("3", "1"));
    assert_eq!((field("stdout"), field("stderr")), ("4 B", "4 B"));
    assert!(field("recorded").ends_with(" ago)"));
    assert!(field("expires").contains("(in 23h)"));
    assert!(field("stored").ends_with("in the database, and in a young file"));

    let options = ["show", "--scope", "work"];
    let by_command = cachex.cli(options).command(["sh", "-c", "echo out; echo err >&2; exit 3"]);
    by_command.once().exits(0).shows(&[script]);
    let other = cachex.cli(["show"]).command(["sh", "-c", "echo out; echo err >&2; exit 3"]);
    let said = other.once().exits(1).stderr();
    let [why, nearest] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert!(why.starts_with("cachex: no run of this command is recorded"), "{said}");
    let nearest = nearest.strip_prefix("  nearest: ").unwrap();
    assert!(
        nearest.starts_with(&key[..12]) && nearest.ends_with("scope is gone: recorded in work")
    );
    cachex.cli(["show"]).command(["ls"]).once().exits(1).says_one_line(&["no run of this command"]);
}

#[test]
fn standard_input_and_variables_count_as_they_do_for_run() {
    let cachex = cachex();
    let run = cachex.exec(["cat"]).stdin("input").with("--no-cwd --key k");
    run.once().exits(0);
    let show = cachex.cli(["show", "--no-cwd", "--key", "k"]).command(["cat"]);
    let said = show.clone().stdin("input").once().exits(0).stdout();
    assert!(said.contains("directory  any"), "{said}");
    show.clone().stdin("else").once().exits(1);
    let by_variables = cachex.cli(["show"]).command(["cat"]).stdin("input");
    by_variables.env("CACHEX_NO_CWD", "1").env("CACHEX_KEY", "k").once().exits(0);
}

#[test]
fn a_stream_is_printed_byte_for_byte() {
    let cachex = cachex();
    let script = r"printf 'a\0\377'; printf E >&2; printf b; printf F >&2; exit 7";
    let call = cachex.exec(["sh", "-c", script]).failure_expires_in("1d");
    call.once().exits(7);
    let key = key(&cachex);
    let show = |option: &str| cachex.cli(["show", option, &key]);
    show("--stdout").once().exits(0).prints(b"a\0\xffb").quietly();
    show("--stderr").once().exits(0).prints("EF").quietly();
    show("--replay").once().exits(0).prints(b"a\0\xffb").says("EF");
    show("--stdout").with("--stderr").once().exits(2);
}

#[test]
fn a_long_stream_is_printed_too() {
    let cachex = cachex();
    let script = "seq 1 30000; seq 1 20000 >&2; seq 1 40000";
    let call = cachex.exec(["sh", "-c", script]);
    let good = call.once().exits(0);
    let key = key(&cachex);
    cachex.cli(["show", "--stdout", &key]).once().exits(0).prints(good.stdout());
    cachex.cli(["show", "--stderr", &key]).once().exits(0).prints(good.stderr());
    cachex.cli(["show", "--replay", &key]).once().same_as(&good);
    let json = cachex.cli(["show", "--json", &key]).once().stdout();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["stdout_bytes"], good.stdout().len());
    assert_eq!(json["stderr_bytes"], good.stderr().len());
}

#[test]
fn json_has_it_all_under_stable_names() {
    let cachex = cachex();
    let call = cachex.exec(["echo", "hi"]);
    call.once().exits(0);
    let text = cachex.cli(["show", "--json", &key(&cachex)]).once().exits(0).stdout();
    assert_eq!(text.lines().count(), 1);
    let json: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "age argv automatic command command_cut created cwd expired expires hits key last_used \
                    old origin output_bytes output_files outputs run_time scope size status \
                    stderr_bytes stdout_bytes tags whole young";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!((&json["stdout_bytes"], &json["stderr_bytes"]), (&3.into(), &0.into()));
    assert_eq!(
        (&json["whole"], &json["young"], &json["old"]),
        (&true.into(), &true.into(), &true.into())
    );
}

/// Puts an entry of this key among the young, as `cachex` does.
fn record(cachex: &Cachex, key: [u8; 32], command: &str) -> String {
    let entry = Entry {
        key: Key(key),
        created: Timestamp::now(),
        expires_in: None,
        stale_for: None,
        run_time: 1_000_000,
        status: 0,
        stdin_consumed: None,
        frames: Bytes::Inline(Vec::new()),
        data: Bytes::Inline(Vec::new()),
        outputs: None,
        about: About {
            argv: vec![command.as_bytes().to_vec().into()],
            cut: false,
            cwd: None,
            scope: None,
            tags: Vec::new(),
        },
        parts: Vec::new(),
    };
    let hex = entry.key.to_string();
    cachex.write(format!("store/v2/young/{}/{hex}", &hex[..2]), entry.seal().unwrap());
    hex
}

#[test]
fn a_prefix_that_says_too_little_names_the_candidates() {
    let cachex = cachex();
    cachex.exec(["true"]).once().exits(0);
    let twins = [0x11, 0x12].map(|last| {
        let mut key = [0xab; 32];
        key[2] = last;
        record(&cachex, key, &format!("twin {last:x}"))
    });
    for verb in ["show", "forget"] {
        let said = cachex.cli([verb, "abab"]).once().exits(2).prints("").stderr();
        for (key, command) in twins.iter().zip(["'twin 11'", "'twin 12'"]) {
            assert!(said.contains(&format!("{key}  {command}\n")), "{said}");
        }
    }
    cachex.cli(["show", "abab12"]).once().exits(0).shows(&["twin 12"]);
    for last in 0x20..0x40 {
        let mut key = [0xab; 32];
        key[2] = last;
        record(&cachex, key, "another");
    }
    let said = cachex.cli(["show", "abab"]).once().exits(2).stderr();
    assert_eq!(said.matches("\n  abab").count(), 10, "{said}");
    assert!(said.contains('…'));
}

#[test]
fn what_is_not_there_or_no_key_is_said() {
    let cachex = cachex();
    for filled in [false, true] {
        cachex.cli(["show", "0123abcd"]).once().exits(1).says_one_line(&["0123abcd"]);
        cachex.cli(["show"]).command(["true"]).once().exits(1).says_one_line(&["no run"]);
        for bad in ["012", "echo", ""] {
            cachex.cli(["show", bad]).once().exits(2).mentions(&["hexadecimal", "`--`"]);
        }
        cachex.cli(["show"]).once().exits(2);
        assert!(filled || !cachex.store().exists());
        cachex.exec(["echo", "hi"]).once().exits(0);
    }
}

#[test]
fn output_that_is_gone_is_said_to_be() {
    let cachex = cachex();
    let call = cachex.exec(["seq", "10000"]);
    call.once().exits(0);
    let key = key(&cachex);
    for blob in cachex.stored_in("v2/blobs") {
        std::fs::write(cachex.store().join(blob), "damaged").unwrap();
    }
    cachex.cli(["show", &key]).once().exits(0).shows(&["damaged or gone"]);
    let json = cachex.cli(["show", "--json", &key]).once().exits(0).stdout();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["whole"], &json["stdout_bytes"]), (&false.into(), &Value::Null));
    cachex.cli(["show", "--stdout", &key]).once().exits(1).prints("").says_one_line(&["damaged"]);
}

#[test]
fn a_command_line_that_was_cut_is_said_to_be() {
    let cachex = cachex();
    let long = "y".repeat(5000);
    let call = cachex.exec(["echo", &long]);
    call.once().exits(0);
    cachex.cli(["show", &key(&cachex)]).once().exits(0).shows(&["too long to be kept"]);
    assert!(cachex.cli(["list"]).once().stdout().ends_with("y …\n"));
}
