//! `.cachex.toml`, `cachex allow` and `cachex deny`; profiles; `cachex config set` and others.

use crate::harness::{Cachex, Call, cachex, quoted};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const SETTINGS: &str = "expires-in = \"1m\"\n[[command]]\nmatch = \"sh *\"\ntag = \"team\"\n";

/// What `cachex config` says of an option.
#[track_caller]
fn told(call: &Call, option: &str) -> String {
    let told = call.once().exits(0).stdout();
    let line = told.lines().find(|line| line.split_whitespace().next() == Some(option));
    line.unwrap().split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
}

fn expires(cachex: &Cachex) -> String {
    told(&cachex.cli(["config", "sh", "-c", "x"]), "expires-in")
}

#[test]
fn a_projects_file_counts_as_its_reader_has_allowed_it() {
    let cachex = cachex();
    let path = cachex.write("work/.cachex.toml", SETTINGS);
    let call = cachex.run("echo hi");
    assert_eq!(expires(&cachex), "- default");
    let hint = cachex.cli(["config"]).once().exits(0);
    hint.says_one_line(&[
        ".cachex.toml is not allowed yet, so it is ignored; `cachex allow` allows it",
    ]);
    call.once().misses().quietly();
    call.clone().after("1h").once().hits();

    let allowed = cachex.cli(["allow"]).once().exits(0).quietly().stdout();
    assert!(allowed.starts_with(&format!("allowed: {}\n", path.display())), "{allowed}");
    assert!(allowed.contains("  tag = \"team\" (match sh *)\n"), "{allowed}");
    assert_eq!(expires(&cachex), "1m .cachex.toml:1");
    call.clone().after("1h").once().misses().quietly();
    cachex.cli(["list", "--tag", "team"]).once().exits(0).quietly().shows(&["echo hi"]);
    // From a folder below, too, and not from elsewhere.
    cachex.write("work/sub/file", "");
    let below = cachex.cli(["config"]).inside(cachex.path("work/sub"));
    assert_eq!(told(&below, "expires-in"), "1m .cachex.toml:1");
    let elsewhere = cachex.cli(["config"]).inside(cachex.path("home"));
    assert_eq!(told(&elsewhere, "expires-in"), "- default");
    // One that comes with somebody else's sources and was not allowed hides nothing.
    cachex.write("work/sub/.cachex.toml", "# nothing\n");
    assert_eq!(told(&below, "expires-in"), "1m .cachex.toml:1");
    let nearer = cachex.write("work/sub/.cachex.toml", "expires-in = \"3m\"\n");
    cachex.cli(["allow", "work/sub"]).inside(cachex.path("")).once().exits(0);
    assert_eq!(told(&below, "expires-in"), "3m .cachex.toml:1");
    cachex.cli(["deny", "work/sub"]).inside(cachex.path("")).once().exits(0);
    fs::remove_file(nearer).unwrap();
    // The user's own word wins, and so do variables and flags.
    cachex.config("expires-in = \"2m\"\n");
    assert_eq!(expires(&cachex), "2m config.toml:1");
    fs::remove_file(cachex.config_path()).unwrap();
    let none = cachex.cli(["config"]).env("CACHEX_CONFIG", "");
    assert_eq!(told(&none, "expires-in"), "- default");

    // Changed, it is not used, nothing is cached, and that is said.
    cachex.write("work/.cachex.toml", "expires-in = \"9d\"\n");
    let explained = call.clone().explain().once().stdout();
    assert!(explained.contains("it has changed; nothing is cached until"), "{explained}");
    let changed = call.clone().after("2h").once();
    changed.misses().warns_once(&[
        ".cachex.toml is not used: it has changed; nothing is cached until `cachex allow`",
    ]);
    assert_eq!(expires(&cachex), "- default");
    cachex.cli(["allow", "."]).once().exits(0);
    assert_eq!(expires(&cachex), "9days .cachex.toml:1");
    // The same content in another place was not allowed.
    fs::copy(&path, cachex.path("home/.cachex.toml")).unwrap();
    let elsewhere = cachex.cli(["config"]).inside(cachex.path("home"));
    assert_eq!(told(&elsewhere, "expires-in"), "- default");

    cachex.cli(["deny"]).once().exits(0).prints(format!("denied: {}\n", path.display()));
    assert_eq!(expires(&cachex), "- default");
    assert!(!cachex.path("home/.local/share/cachex/allowed").exists());
    cachex.cli(["deny"]).once().exits(1).says_one_line(&["was not allowed"]);
}

#[test]
fn a_project_sets_nothing_that_is_not_for_it() {
    let cachex = cachex();
    for text in [
        "cache-dir = \"/tmp/x\"",
        "remote = \"file:///tmp/x\"",
        "ignore-env = [\"HOME\"]",
        "no-cwd = true",
        "input-command = \"touch made\"",
        "output = \"x\"",
        "stale-ok = \"1d\"",
        "local = false",
        "[profile.x]\ntag = \"x\"",
        "[[command]]\nmatch = \"*\"\nexe = \"name\"",
    ] {
        cachex.write("work/.cachex.toml", text);
        let refused = cachex.cli(["allow"]).once();
        refused.exits(2).prints("").mentions(&[".cachex.toml:"]);
    }
    cachex.write("work/.cachex.toml", "expire-in = \"1m\"");
    cachex.cli(["allow"]).once().exits(2).mentions(&["did you mean `expires-in`?"]);
    assert!(!cachex.path("home/.local").exists());
}

#[test]
fn what_is_no_file_or_cannot_be_read_holds_nobody_up() {
    let cachex = cachex();
    cachex.write("work/.cachex.toml", SETTINGS);
    cachex.cli(["allow"]).once().exits(0);
    let call = cachex.run("echo hi");
    fs::remove_file(cachex.path("work/.cachex.toml")).unwrap();
    call.once().misses().quietly();
    cachex.shell("mkfifo .cachex.toml").once().exits(0);
    call.once().promptly().misses().warns_once(&["is not a regular file"]);
    cachex.cli(["allow"]).once().promptly().exits(1).mentions(&["not a regular file"]);
    fs::remove_file(cachex.path("work/.cachex.toml")).unwrap();
    fs::create_dir(cachex.path("work/.cachex.toml")).unwrap();
    call.once().misses().warns_once(&["is not a regular file"]);
    fs::remove_dir(cachex.path("work/.cachex.toml")).unwrap();
    // A link is what it leads to.
    cachex.write("work/settings", SETTINGS);
    std::os::unix::fs::symlink("settings", cachex.path("work/.cachex.toml")).unwrap();
    assert_eq!(expires(&cachex), "1m .cachex.toml:1");
    cachex.write("work/settings", "expires-in = \"2m\"");
    assert_eq!(expires(&cachex), "- default");
    cachex.write("work/settings", SETTINGS);
    // What others could have allowed was not.
    let allowed = cachex.path("home/.local/share/cachex/allowed");
    fs::set_permissions(&allowed, fs::Permissions::from_mode(0o777)).unwrap();
    call.once().misses().warns_once(&["can be written by others"]);
    fs::set_permissions(&allowed, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(expires(&cachex), "1m .cachex.toml:1");
}

#[test]
fn a_profile_is_a_section_that_is_chosen() {
    let cachex = cachex();
    cachex.config(
        "expires-in = \"1h\"\n[profile.ci]\nexpires-in = \"1m\"\ntag = \"ci\"\n[profile.b]\n\
         [[command]]\nmatch = \"*\"\nexpires-in = \"2h\"\n",
    );
    let config = || cachex.cli(["config", "ls"]);
    assert_eq!(told(&config(), "expires-in"), "2h config.toml:8 (match \"*\")");
    let of_ci = "1m config.toml:3";
    assert_eq!(told(&cachex.cli(["config", "--profile", "ci", "ls"]), "expires-in"), of_ci);
    assert_eq!(told(&config().env("CACHEX_PROFILE", "ci"), "expires-in"), of_ci);
    let call = cachex.run("echo hi");
    call.clone().with("--profile ci").once().misses();
    call.clone().once().hits();
    cachex.cli(["list", "--tag", "ci"]).once().exits(0).quietly().shows(&["echo hi"]);
    call.clone().with("--profile ci").after("5m").once().misses();
    let unknown = call.clone().with("--profile nonesuch").once().exits(125);
    unknown.runs(0).mentions(&["no profile `nonesuch`; known: `ci`, `b`"]);
    call.env("CACHEX_DISABLE", "1").with("--profile nonesuch").once().exits(0);
}

#[test]
fn lists_of_variables_can_be_added_to() {
    let cachex = cachex();
    cachex.config("ignore-env = [\"A_*\"]\n[[command]]\nmatch = \"sh *\"\nignore-env = [\"+B\"]\n");
    let call = cachex.run("echo hi").with("--ignore-env +C");
    let with = |name: &str| call.clone().env(name, "1");
    call.once().misses();
    for name in ["A_X", "B", "C"] {
        with(name).once().hits();
    }
    with("D").once().misses();
    let only = cachex.run("echo hi").with("--ignore-env C");
    only.clone().env("B", "1").once().misses();
    let told = told(&cachex.cli(["config", "sh", "x"]), "ignore-env");
    assert_eq!(told, "B,A_* config.toml:4 (match \"sh *\")");
}

#[test]
fn settings_are_got_and_set_and_the_rest_of_the_file_stays() {
    let cachex = cachex();
    let config = |words: &[&str]| cachex.cli([&["config"], words].concat()).once();
    config(&["get", "expires-in"]).exits(1).prints("").quietly();
    config(&["set", "expires-in", "10m"]).exits(0).quietly();
    config(&["get", "expires-in"]).exits(0).prints("10m\n");
    let text = "# mine\nexpires-in = \"10m\" # ten\nignore-env = [\n  \"A\",\n]\n\n# a rule\n\
                [[command]]\nmatch = \"x\"\nexpires-in = \"1h\"\n";
    cachex.config(text);
    config(&["set", "ignore-env", "[\"B\", \"C\"]"]).exits(0);
    config(&["set", "no-concurrent", "true"]).exits(0);
    config(&["set", "max-size", "1000000000"]).exits(0);
    config(&["set", "expires-in", "5m"]).exits(0);
    let expected = "# mine\nexpires-in = \"5m\"\nignore-env = [\"B\", \"C\"]\nno-concurrent = true\n\
                    max-size = 1000000000\n\n# a rule\n[[command]]\nmatch = \"x\"\n\
                    expires-in = \"1h\"\n";
    assert_eq!(fs::read_to_string(cachex.config_path()).unwrap(), expected);
    config(&["get", "max-size"]).exits(0).prints("1000000000\n");
    // Whoever uncomments a table later has no setting moved into it.
    cachex.config("# mine\n\n# For some commands:\n# [[command]]\n# match = \"x\"\n");
    config(&["set", "expires-in", "5m"]).exits(0);
    let expected =
        "# mine\nexpires-in = \"5m\"\n\n# For some commands:\n# [[command]]\n# match = \"x\"\n";
    assert_eq!(fs::read_to_string(cachex.config_path()).unwrap(), expected);
    for wrong in [
        &["set", "expires-in", "soon"][..],
        &["set", "expire-in", "5m"],
        &["set", "no-cwd", "perhaps"],
        &["set", "key", "1\nremote = \"file:///x\""],
    ] {
        let done = config(wrong);
        // Whatever is quoted is one value of this key.
        if wrong[1] == "key" {
            done.exits(0);
            config(&["get", "remote"]).exits(1);
        } else {
            done.exits(2).prints("");
        }
    }
    config(&["init"]).exits(1).mentions(&["exists already"]);
    fs::remove_file(cachex.config_path()).unwrap();
    config(&["init"]).exits(0).prints(format!("{}\n", cachex.config_path().display()));
    config(&[]).exits(0).quietly();
    let editor = cachex.executable("bin/editor", "#!/bin/sh\necho nonsense >\"$2\"\n");
    let edit = cachex.cli(["config", "edit"]).env("EDITOR", format!("{} -x", quoted(editor)));
    edit.once().exits(2).mentions(&["config.toml:1"]);
}

#[test]
fn inputs_lie_where_the_file_of_the_project_lies() {
    let cachex = cachex();
    cachex.write("work/.cachex.toml", "input = [\"src\", \"!src/left-out\"]\n");
    cachex.write("work/src/f", "one\n");
    cachex.write("work/src/left-out", "one\n");
    cachex.write("work/sub/deep/src/f", "");
    cachex.cli(["allow"]).once().exits(0);
    let call = cachex.run("cat ../../src/f").inside(cachex.path("work/sub/deep"));
    call.twice().runs_once().prints("one\n");
    cachex.write("work/src/left-out", "two\n");
    cachex.write("work/sub/deep/src/f", "two\n");
    call.once().hits();
    cachex.write("work/src/f", "two\n");
    call.once().misses().prints("two\n");
}
