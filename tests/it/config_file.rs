//! `config.toml`: who may say something about an option, and whose word counts;
//! and `cachex config`, which tells.

use crate::harness::{Call, cachex};
use std::fs;
use std::os::unix::fs::symlink;

/// What `cachex config` says of an option: its value, and where that is from.
#[track_caller]
fn told(call: &Call, option: &str) -> (String, String) {
    let shown = call.once().exits(0).quietly().stdout();
    let line = shown.lines().find(|line| line.split_whitespace().next() == Some(option));
    let line = line.unwrap_or_else(|| panic!("no {option} in:\n{shown}"));
    let rest = line[option.len()..].trim_start();
    let (value, source) = rest.split_once("  ").unwrap();
    (value.trim().to_owned(), source.trim().to_owned())
}

#[track_caller]
fn assert_told(call: &Call, option: &str, value: &str, source: &str) {
    assert_eq!(told(call, option), (value.to_owned(), source.to_owned()), "{option}");
}

pub const RULES: &str = r#"expires-in = "10m"

[[command]]
match = "terraform *"
expires-in = "1h"
jitter = 5

[[command]]
match = "terraform plan*"
expires-in = "2h"
"#;

#[test]
fn each_level_gives_way_to_those_above_it() {
    let cachex = cachex();
    let config = |argv: &[&str]| cachex.cli(["config"]).command(argv);
    assert_told(&config(&["ls"]), "expires-in", "-", "default");
    cachex.config(RULES);
    assert_told(&config(&["ls"]), "expires-in", "10m", "config.toml:1");
    let apply = config(&["terraform", "apply"]);
    assert_told(&apply, "expires-in", "1h", "config.toml:5 (match \"terraform *\")");
    // The later of two rules, for what it says.
    let plan = config(&["terraform", "plan"]);
    assert_told(&plan, "expires-in", "2h", "config.toml:10 (match \"terraform plan*\")");
    assert_told(&plan, "jitter", "5", "config.toml:6 (match \"terraform *\")");
    let variable = plan.env("CACHEX_EXPIRES_IN", "3h");
    assert_told(&variable, "expires-in", "3h", "CACHEX_EXPIRES_IN");
}

#[test]
fn what_it_says_is_done() {
    let cachex = cachex();
    cachex.config(
        "expires-in = \"1h\"\n[[command]]\nmatch = \"sh -c *short*\"\nexpires-in = \"1m\"\n",
    );
    let call = cachex.run("echo hi");
    call.once().misses();
    call.clone().after("59m").once().hits();
    call.clone().after("1h").once().misses();
    let short = cachex.run(": short");
    short.once().misses();
    short.clone().after("59s").once().hits();
    short.clone().after("2m").once().misses();
    // Above the file stand the variable and the flag.
    let other = cachex.run(": another short").env("CACHEX_EXPIRES_IN", "2h");
    other.once().misses();
    other.clone().after("90m").once().hits();
    other.clone().expires_in("10s").after("11s").once().misses();
}

#[test]
fn a_switch_can_be_turned_off_again_by_each_level() {
    let cachex = cachex();
    cachex.config("no-cwd = true\nno-env = true\n[[command]]\nmatch = \"* off\"\nno-cwd = false\n");
    let config = |argv: &[&str]| cachex.cli(["config"]).command(argv);
    assert_told(&config(&["cmd"]), "no-cwd", "true", "config.toml:1");
    let off = "config.toml:5 (match \"* off\")";
    assert_told(&config(&["cmd", "off"]), "no-cwd", "false", off);
    assert_told(
        &config(&["cmd", "off"]).env("CACHEX_NO_CWD", "1"),
        "no-cwd",
        "true",
        "CACHEX_NO_CWD",
    );
    assert_told(&config(&["cmd"]).env("CACHEX_NO_CWD", "0"), "no-cwd", "false", "CACHEX_NO_CWD");
    assert_told(&config(&["cmd"]).env("CACHEX_NO_ENV", "0"), "no-env", "false", "default");
}

#[test]
fn rules_match_the_words_of_a_command_with_its_path_or_without() {
    let cachex = cachex();
    cachex.config(
        r#"[[command]]
match = ["terraform plan*", "/opt/*/gh api *", "exact"]
jitter = 7
"#,
    );
    let jitter = |argv: &[&str]| told(&cachex.cli(["config"]).command(argv), "jitter").0;
    for matched in [
        &["terraform", "plan"][..],
        &["terraform", "plan", "-no-color"],
        &["/usr/bin/terraform", "plan", "-x"],
        &["./terraform", "plan"],
        &["/opt/x/y/gh", "api", "a b"],
        &["exact"],
    ] {
        assert_eq!(jitter(matched), "7", "{matched:?}");
    }
    for other in [
        &["terraform", "apply"][..],
        &["terraform"],
        &["tf/terraform-plan"],
        &["/usr/bin/gh", "api", "x"],
        &["exactly"],
        &["not", "exact"],
    ] {
        assert_eq!(jitter(other), "0", "{other:?}");
    }
    // Without a command no rule matches.
    assert_told(&cachex.cli(["config"]), "jitter", "0", "default");
}

#[test]
fn a_choice_on_a_higher_level_replaces_what_excludes_it() {
    let cachex = cachex();
    cachex.config(
        r#"env = ["A"]
quiet = true
mode = "read-only"

[[command]]
match = "rule*"
no-env = true
verbose = true

[[command]]
match = "rule 2"
ignore-env = ["B*"]
"#,
    );
    let config = |argv: &[&str]| cachex.cli(["config"]).command(argv);
    assert_told(&config(&["x"]), "env", "A", "config.toml:1");
    let rule = config(&["rule"]);
    assert_told(&rule, "env", "-", "default");
    assert_told(&rule, "no-env", "true", "config.toml:7 (match \"rule*\")");
    assert_told(&rule, "quiet", "false", "default");
    assert_told(&rule, "verbose", "true", "config.toml:8 (match \"rule*\")");
    let second = config(&["rule", "2"]);
    assert_told(&second, "no-env", "false", "default");
    assert_told(&second, "ignore-env", "B*", "config.toml:12 (match \"rule 2\")");
    let by_variable = rule.env("CACHEX_ENV", "C,D").env("CACHEX_QUIET", "1");
    assert_told(&by_variable, "env", "C,D", "CACHEX_ENV");
    assert_told(&by_variable, "no-env", "false", "default");
    assert_told(&by_variable, "quiet", "true", "CACHEX_QUIET");
    assert_told(&by_variable, "verbose", "false", "default");
    let forced = config(&["x"]).env("CACHEX_FORCE", "1");
    assert_eq!(told(&forced, "mode").0, "write-only");

    // The same of flags.
    let call = cachex.run("echo hi");
    call.twice().runs_twice();
    call.clone().with("--mode read-write --env B").env("B", "1").once().misses();
    call.clone().with("--mode read-write --env B").env("B", "1").env("A", "2").once().hits();
    call.clone().with("--force --no-env --verbose").once().misses().mentions(&["cachex: miss "]);
}

#[test]
fn what_is_for_one_call_replaces_a_lasting_choice_that_excludes_it() {
    let cachex = cachex();
    cachex.config("mode = \"write-only\"\n");
    let call = cachex.run("echo hi");
    call.once().misses();
    call.clone().with("--cached-only").once().hits().prints("hi\n");
    cachex.config("mode = \"read-only\"\ntty = true\n");
    let warmed = cachex.run("echo warm");
    warmed.clone().with("--warm").once().exits(0).prints("");
    cachex.awaits_quiet();
    warmed.once().hits().prints("warm\n");
}

#[test]
fn a_lasting_refresh_gives_way_to_a_shorter_expiry_of_a_higher_level() {
    let cachex = cachex();
    let top = "refresh-after = \"5m\"\nexpires-in = \"10m\"\n";
    let rule = "[[command]]\nmatch = \"short\"\nexpires-in = \"1m\"\n";
    let path = cachex.config(format!("{top}{rule}"));
    let config = |argv: &[&str]| cachex.cli(["config"]).command(argv);
    assert_told(&config(&["x"]), "refresh-after", "5m", "config.toml:1");
    assert_told(&config(&["short"]), "refresh-after", "-", "default");
    assert_told(&config(&["x"]).env("CACHEX_EXPIRES_IN", "2m"), "refresh-after", "-", "default");
    cachex.run("echo hi").expires_in("1m").once().misses();

    let shown = path.display();
    let named = [&format!("`expires-in` in {shown}:2"), "CACHEX_REFRESH_AFTER"];
    config(&["x"]).env("CACHEX_REFRESH_AFTER", "1h").once().exits(2).mentions(&named);
    let named = [&format!("`expires-in` in {shown}:2"), "--refresh-after"];
    cachex.run("echo hi").option("--refresh-after", "1h").once().exits(125).mentions(&named);
    let path =
        cachex.config("expires-in = \"1m\"\n[[command]]\nmatch = \"*\"\nrefresh-after = \"1m\"\n");
    let shown = path.display();
    let named = [format!("`refresh-after` in {shown}:4"), format!("`expires-in` in {shown}:1")];
    cachex.run("echo no").once().hits().exits(125).mentions(&[&named[0], &named[1]]);
}

#[test]
fn forget_goes_by_the_same_rules_as_run() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    cachex.config("[[command]]\nmatch = \"sh -c *\"\nno-cwd = true\nkey = \"k\"\n");
    let elsewhere = call.clone().inside(cachex.path("home"));
    call.once().misses();
    elsewhere.once().hits();
    let forgotten = elsewhere.clone().forget().once().exits(0).stdout();
    assert!(forgotten.starts_with("1 entry forgotten"), "{forgotten}");
    call.once().misses();
}

#[test]
fn every_lasting_option_can_stand_in_it() {
    let cachex = cachex();
    let key = cachex.path("key");
    let public = cachex.cli(["remote", "keygen", key.to_str().unwrap()]).once().stdout();
    let public = public.trim_end();
    let remote = "remote = \"/srv/cache\"";
    let signing = format!("\"{}\"\n{remote}", key.display());
    let trusted = format!("[\"{public}\"]\n{remote}");
    let values = [
        ("expires-in", "\"10m\"", "10m"),
        ("failure-expires-in", "\"30s\"", "30s"),
        ("exit-codes", "\"0,2-3\"", "0,2-3"),
        ("exit-codes", "0", "0"),
        ("refresh-after", "\"5m\"", "5m"),
        ("stale-ok", "\"1h\"", "1h"),
        ("stale-if-error", "\"1h 30m\"", "1h 30m"),
        ("jitter", "10", "10"),
        ("jitter", "\"10%\"", "10"),
        ("mode", "\"write-only\"", "write-only"),
        ("miss-status", "3", "3"),
        ("no-concurrent", "true", "true"),
        ("lock-timeout", "\"5s\"", "5s"),
        ("timeout", "\"1m\"", "1m"),
        ("finish", "true", "true"),
        ("tty", "true", "true"),
        ("replay", "\"errors\"", "errors"),
        ("mark", "true", "true"),
        ("color-strip", "\"auto\"", "auto"),
        ("shell", "\"bash\"", "bash"),
        ("exe", "\"content\"", "content"),
        ("no-cwd", "true", "true"),
        ("env", "[\"HOME\", \"LANG\"]", "HOME,LANG"),
        ("env", "\"HOME,LANG\"", "HOME,LANG"),
        ("ignore-env", "[\"AWS_*\"]", "AWS_*"),
        ("ignore-env", "[]", "-"),
        ("no-env", "true", "true"),
        ("stdin", "\"null\"", "null"),
        ("key", "\"some text\"", "some text"),
        ("scope", "'project'", "project"),
        ("input", "[\"src\", \"!src/gen\"]", "src,!src/gen"),
        ("input", "\"a b,c\"", "a b,c"),
        ("input-from", "\"files.txt\"", "files.txt"),
        ("input-command", "\"rustc -vV\"", "rustc -vV"),
        ("no-ignore", "true", "true"),
        ("base-dir", "\"/some/where\"", "/some/where"),
        ("auto-quirks", "\"none\"\nauto = true", "none"),
        ("platform", "\"any\"", "any"),
        ("portable", "true", "true"),
        ("auto", "true", "true"),
        ("auto-ignore", "[\"/var/log\", \"x\"]\nauto = true", "/var/log,x"),
        ("auto-times", "\"all\"\nauto = true", "all"),
        ("auto-allow", "[\"network\"]\nauto = true", "network"),
        ("auto-outputs", "\"none\"\nauto = true", "none"),
        ("output", "[\"dist/**\", \"a.o\"]", "a.o,dist/**"),
        ("require-outputs", "true", "true"),
        ("cache-dir", "\"/some/where\"", "/some/where"),
        ("max-entry-size", "\"64MiB\"", "64.0 MiB"),
        ("max-size", "1_073_741_824", "1.0 GiB"),
        ("max-entries", "1000", "1000"),
        ("compress", "3", "3"),
        ("remote", "\"redis://ada:pssst@host\"", "redis://ada@host"),
        ("remote", "\"/srv/cache\"", "file:///srv/cache"),
        // Of no store there is nothing to tell.
        ("remote-mode", "\"read-only\"\nremote = \"/srv/cache\"", "read-only"),
        ("remote-timeout", "\"3s\"\nremote = \"/srv/cache\"", "3s"),
        ("remote-budget", "\"5s\"\nremote = \"/srv/cache\"", "5s"),
        ("remote-max-size", "\"1MiB\"\nremote = \"/srv/cache\"", "1.0 MiB"),
        ("remote", "[\"redis://host\", \"/srv?mode=off\"]", "redis://host,file:///srv%3Fmode=off"),
        ("remote-signing-key", &signing, "true"),
        ("remote-trust", &trusted, public),
        ("local", "true", "true"),
        ("local", "false", "false"),
        ("tag", "[\"slow\", \"ci\"]", "ci,slow"),
        ("quiet", "true", "true"),
        ("verbose", "true", "true"),
    ];
    let call = cachex.cli(["config"]).without("CACHEX_DIR");
    for (option, written, shown) in values {
        cachex.config(format!("{option} = {written}\n"));
        assert_told(&call, option, shown, "config.toml:1");
    }
    let listed = call.once().stdout();
    for line in listed.lines() {
        let option = line.split_whitespace().next().unwrap();
        assert!(values.iter().any(|(name, ..)| *name == option), "{option} was not tried");
    }
}

#[test]
fn a_link_to_a_file_of_ones_own_is_as_good_as_the_file() {
    let cachex = cachex();
    let real = cachex.owned("home/dotfiles/cachex.toml", "jitter = 5\n");
    fs::create_dir_all(cachex.config_path().parent().unwrap()).unwrap();
    symlink(real, cachex.config_path()).unwrap();
    assert_told(&cachex.cli(["config"]), "jitter", "5", "config.toml:1");
}

#[test]
fn it_is_looked_for_in_the_users_folder_and_nowhere_else() {
    let cachex = cachex();
    // What a repository could bring along.
    for planted in
        ["config.toml", "cachex/config.toml", ".config/cachex/config.toml", "cachex.toml"]
    {
        cachex.owned(format!("work/{planted}"), "jitter = 66\n");
    }
    let config = cachex.cli(["config"]);
    assert_told(&config, "jitter", "0", "default");
    assert_told(&config.clone().env("XDG_CONFIG_HOME", "."), "jitter", "0", "default");
    assert_told(&config.clone().env("XDG_CONFIG_HOME", ""), "jitter", "0", "default");
    assert_told(&config.clone().env("HOME", "."), "jitter", "0", "default");
    assert_told(&config.clone().without("HOME"), "jitter", "0", "default");

    cachex.config("jitter = 1\n");
    cachex.owned("xdg/cachex/config.toml", "jitter = 2\n");
    let other = cachex.owned("other.toml", "jitter = 3\n");
    assert_told(&config, "jitter", "1", "config.toml:1");
    assert_told(&config.clone().env("XDG_CONFIG_HOME", "."), "jitter", "1", "config.toml:1");
    let xdg = config.clone().env("XDG_CONFIG_HOME", cachex.path("xdg"));
    assert_told(&xdg, "jitter", "2", "config.toml:1");
    assert_told(&xdg.env("CACHEX_CONFIG", &other), "jitter", "3", "other.toml:1");
    for none in ["", "/dev/null"] {
        assert_told(&config.clone().env("CACHEX_CONFIG", none), "jitter", "0", "default");
    }
}

#[test]
fn a_file_that_was_named_should_be_there() {
    let cachex = cachex();
    let call = cachex.run("echo hi").env("CACHEX_CONFIG", cachex.path("missing"));
    call.once().misses().warns_once(&["missing is not read", "No such file"]);
    call.with("--quiet").once().hits().quietly();
    let relative = cachex.run("echo hi").env("CACHEX_CONFIG", "config.toml");
    relative.once().runs(0).exits(125).mentions(&["CACHEX_CONFIG", "config.toml", "`/`"]);
}

#[test]
fn other_verbs_find_the_store_that_it_names() {
    let cachex = cachex();
    let caches = cachex.path("home/caches");
    cachex.config("cache-dir = \"~/caches\"\n");
    let without = |call: Call| call.without("CACHEX_DIR");
    without(cachex.run("echo hi")).twice().runs_once();
    assert!(caches.join("v2").is_dir() && !cachex.store().exists());
    let shown = format!("{}: no problems", caches.display());
    let doctor = without(cachex.cli(["doctor"])).once().exits(0).stdout();
    assert!(doctor.contains(&shown), "{doctor}");
    without(cachex.cli(["clear", "--yes"])).once().exits(0);
    without(cachex.run("echo hi")).once().misses();
    // A flag and a variable win here too.
    let flag = without(cachex.cli(["doctor"])).option("--cache-dir", cachex.store());
    assert!(flag.once().exits(0).stdout().contains("nothing here yet"));
    assert!(cachex.cli(["doctor"]).once().exits(0).stdout().contains("nothing here yet"));
}

#[test]
fn a_home_folder_in_a_variable_or_a_flag_is_that_of_the_file() {
    let cachex = cachex();
    let caches = cachex.path("home/caches");
    let call = cachex.run("echo hi");
    call.clone().env("CACHEX_DIR", "~/caches").once().misses();
    call.clone().env("CACHEX_DIR", &caches).once().hits();
    let flag = cachex.cli(["run", "--cache-dir=~/caches"]);
    flag.command(["sh", "-c", &cachex.counting("echo hi")]).once().hits();
    assert_eq!(std::fs::read_dir(cachex.work()).unwrap().count(), 0);
}

#[test]
fn its_path_is_printed_be_it_there_or_not() {
    let cachex = cachex();
    let path = cachex.cli(["config", "--path"]);
    let expected = format!("{}\n", cachex.config_path().display());
    path.once().exits(0).prints(&expected);
    cachex.config("a mistake");
    path.once().exits(0).prints(&expected);
    let none = path.clone().env("CACHEX_CONFIG", "").once();
    none.exits(2).prints("").mentions(&["CACHEX_CONFIG"]);
    path.without("HOME").once().exits(2).prints("").mentions(&["HOME"]);
    cachex.cli(["config", "--path", "--json"]).once().exits(2);
}
