//! How `cachex config` shows what is in force, as JSON and as a table.

use crate::config_file::RULES;
use crate::harness::{cachex, quoted};

#[test]
fn json_has_it_all_under_stable_names() {
    let cachex = cachex();
    let path = cachex.config(RULES);
    let call = cachex.cli(["config", "--json"]).command(["terraform", "plan"]);
    let json = call.env("CACHEX_TAG", "b,a").once().exits(0).quietly().stdout();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["path"], path.to_str().unwrap());
    assert_eq!(json["read"], true);
    assert_eq!(json["command"], serde_json::json!(["terraform", "plan"]));
    let rules = serde_json::json!([
        { "line": 3, "match": ["terraform *"] },
        { "line": 8, "match": ["terraform plan*"] },
    ]);
    assert_eq!(json["rules"], rules);
    let option = |name: &str| json["options"][name].clone();
    let source = "config.toml:10 (match \"terraform plan*\")";
    let told = serde_json::json!({ "value": "2h", "level": "rule", "source": source, "line": 10 });
    assert_eq!(option("expires-in"), told);
    let told = serde_json::json!({
        "value": ["a", "b"], "level": "variable", "source": "CACHEX_TAG", "line": null,
    });
    assert_eq!(option("tag"), told);
    let told = serde_json::json!({
        "value": 5_u64 << 30, "level": "default", "source": "default", "line": null,
    });
    assert_eq!(option("max-size"), told);
    assert_eq!(option("timeout")["value"], serde_json::Value::Null);
    assert_eq!(option("no-cwd")["value"], false);
    assert_eq!(json["options"].as_object().unwrap().len(), 57);

    let none = cachex.cli(["config", "--json"]).env("CACHEX_CONFIG", "").once().stdout();
    let none: serde_json::Value = serde_json::from_str(&none).unwrap();
    assert!(
        none["path"].is_null() && none["read"] == false && none["rules"] == serde_json::json!([])
    );
}

#[test]
fn the_table_is_cut_and_coloured_only_for_a_terminal() {
    let cachex = cachex();
    let long = "x".repeat(100);
    cachex.config(format!("key = \"{long}\"\n"));
    let plain = cachex.cli(["config"]).once().stdout();
    assert!(plain.contains(&long) && !plain.contains('\x1b'));
    let at = |variables: &str| {
        let mut terminal = cachex.terminal();
        let cachex = quoted(crate::harness::World::binary());
        terminal.types(&format!("stty cols 60; {variables} {cachex} config; echo the end"));
        terminal.shows("the end").screen()
    };
    let cut = at("TERM=xterm NO_COLOR=1");
    assert!(!cut.contains('\x1b') && !cut.contains(&long) && cut.contains('…'), "{cut}");
    assert!(cut.lines().all(|line| line.chars().count() <= 60), "{cut}");
    assert!(at("TERM=xterm").contains('\x1b'));
}

#[test]
fn a_variable_without_a_meaning_is_told_of() {
    let cachex = cachex();
    let typo = "CACHEX_EXPIRE_IN has no meaning; did you mean CACHEX_EXPIRES_IN?";
    let other = "CACHEX_QQQ has no meaning; `cachex help run` lists the variables";
    let config = cachex.cli(["config"]).env("CACHEX_EXPIRE_IN", "1h").env("CACHEX_QQQ", "1");
    config.once().exits(0).mentions(&[typo, other]);
    config.env("CACHEX_QUIET", "1").once().exits(0).quietly();
    let call = cachex.run("echo hi").env("CACHEX_EXPIRE_IN", "1h");
    call.clone().with("--verbose").once().mentions(&[typo]);
    call.once().hits().quietly();
    // Those that have one are not, whether or not an option has them.
    let known = cachex.cli(["config"]).env("CACHEX_DISABLE", "0").env("CACHEX_PAGER", "cat");
    known.env("CACHEX_FORCE", "1").once().exits(0).quietly();
}
