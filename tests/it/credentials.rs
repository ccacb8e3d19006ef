//! Credentials in command lines: shown nowhere unless that is asked for.

use crate::harness::{Cachex, cachex};

const SECRETS: [&str; 4] = ["hunter2", "abc.def.ghi", "s3cret", "correct-horse"];

/// A store with a result whose command line is full of them.
fn filled() -> Cachex {
    let cachex = cachex();
    let header = "Authorization: Bearer abc.def.ghi";
    let url = "https://me:s3cret@example.org/?token=correct-horse";
    cachex.tool("fetch", "true");
    cachex.exec(["fetch", "--password", "hunter2", "-H", header, url]).once().exits(0);
    cachex
}

#[test]
fn credentials_in_command_lines_are_shown_only_if_that_is_asked_for() {
    let cachex = filled();
    let key = cachex.cli(["list", "--json"]).once().exits(0).stdout();
    let key = &key[key.find("\"key\":").unwrap()..][7..][..64];
    let key = key.trim_start_matches('"');
    let argv = ["fetch", "--password", "hunter2", "-H", "Authorization: Bearer abc.def.ghi", "x"];
    let explain = |option: &str| cachex.exec(argv).explain().with(option);
    let shown = [
        (cachex.cli(["list"]), 0),
        (cachex.cli(["list", "--json"]), 0),
        (cachex.cli(["show", key]), 0),
        (cachex.cli(["show", "--json", key]), 0),
        (cachex.cli(["log"]), 0),
        (cachex.cli(["log", "--json"]), 0),
        (cachex.cli(["forget", "--dry-run", key]), 0),
        (explain("--all"), 1),
        (explain("--json"), 1),
    ];
    for (call, status) in shown {
        let told = call.once().exits(status).stdout();
        assert!(told.contains("fetch") && told.contains("***"), "{told}");
        assert!(SECRETS.iter().all(|secret| !told.contains(secret)), "{told}");
        let revealed = call.with("--reveal").once().exits(status).stdout();
        assert!(revealed.contains("hunter2") && !revealed.contains("***"), "{revealed}");
    }
    for call in [cachex.cli(["show"]).command(argv), cachex.cli(["forget"]).command(argv)] {
        let told = call.once();
        let told = told.stdout() + &told.stderr();
        assert!(told.contains("nearest: ") && told.contains("fetch --password"), "{told}");
        assert!(SECRETS.iter().all(|secret| !told.contains(secret)), "{told}");
    }
    let tip = cachex.cli(argv).once().exits(2).stderr();
    assert!(tip.contains("cachex run -- fetch --password '***'"), "{tip}");
    let stats = cachex.cli(["stats"]).once().exits(0).stdout();
    assert!(SECRETS.iter().all(|secret| !stats.contains(secret)), "{stats}");
}

#[test]
fn a_credential_that_differs_is_told_and_not_shown() {
    let cachex = cachex();
    cachex.tool("fetch", "true");
    cachex.exec(["fetch", "--token", "hunter2"]).once().exits(0);
    let call = cachex.exec(["fetch", "--token", "s3cret"]).explain();
    let told = call.once().exits(1).stdout();
    assert!(told.contains("arguments differ: a credential, which --reveal shows"), "{told}");
    let told = call.with("--reveal").once().exits(1).stdout();
    assert!(told.contains("arguments differ: s3cret in place of hunter2"), "{told}");
}

#[test]
fn a_script_is_masked_where_it_is_added_up() {
    let cachex = cachex();
    let script = "true --token hunter2";
    cachex.sh(script).once().exits(0);
    cachex.sh(script).with("--tag t").once().exits(0);
    cachex.exec(["true"]).once().exits(0);
    let by = |what: &str| cachex.cli(["stats", "--by", what]);
    let told = by("script").once().exits(0).quietly().stdout();
    let lines: Vec<&str> = told.lines().map(str::trim_end).collect();
    assert!(lines[0].ends_with("SCRIPT"), "{told}");
    assert!(lines[1].ends_with("true --token ***"), "{told}");
    assert!(lines[2].ends_with("(none)"), "{told}");
    assert!(by("script").with("--reveal").once().exits(0).stdout().contains("hunter2"));
    let told = by("tag").with("--json").once().exits(0).quietly().stdout();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told[0]["name"], "t");
    assert_eq!((&told[0]["results"], &told[0]["hits"]), (&1.into(), &1.into()));
    assert!(told[0]["saved"].as_f64().unwrap() > 0.0);
    assert_eq!((&told[1]["name"], &told[1]["hits"]), (&serde_json::Value::Null, &0.into()));
    by("tag").with("--since 1d").once().exits(2);
}
