//! `cachex list`: what is stored, in which order, and how it is shown.

use crate::harness::{Cachex, Call, Mounted, cachex, where_mounts_are_ones_own};
use serde_json::Value;

/// The commands that are listed, line by line.
#[track_caller]
fn listed(call: &Call) -> Vec<String> {
    let outcome = call.once().exits(0);
    let shown = outcome.stdout();
    let mut lines = shown.lines();
    let Some(heading) = lines.next() else {
        outcome.says_one_line(&["none of the", "entries matches"]);
        return Vec::new();
    };
    outcome.quietly();
    let at = heading.find("COMMAND").unwrap();
    lines.map(|line| line[at..].to_owned()).collect()
}

#[track_caller]
fn json(call: &Call) -> Vec<Value> {
    let text = call.clone().with("--json").once().exits(0).quietly().stdout();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Three entries: one failed, one with a tag and a scope that expires, one
/// large. The last one was used last.
fn filled() -> Cachex {
    let cachex = cachex();
    let record = |args: &[&str]| cachex.exec(args.iter().copied()).before("30m");
    record(&["seq", "3"]).before("3h").option("--failure-expires-in", "1d").once().exits(0);
    record(&["grep", "x", "/dev/null"]).failure_expires_in("1d").before("2h").once().exits(1);
    let tagged = record(&["echo", "a b", "c"]).expires_in("45m").before("1h");
    tagged.with("--tag nightly --tag ci --scope work").once().exits(0);
    record(&["seq", "1000"]).inside(cachex.path("home")).once().exits(0);
    cachex
}

#[test]
fn what_was_used_last_comes_first() {
    let cachex = filled();
    let list = cachex.cli(["list"]);
    let all = ["seq 1000", "echo 'a b' c", "grep x /dev/null", "seq 3"];
    assert_eq!(listed(&list), all);
    cachex.exec(["seq", "3"]).before("10m").once().hits();
    assert_eq!(listed(&list), ["seq 3", "seq 1000", "echo 'a b' c", "grep x /dev/null"]);
    assert_eq!(listed(&list.clone().with("--limit 2")), ["seq 3", "seq 1000"]);
    assert_eq!(listed(&list.with("--reverse --limit 1")), ["grep x /dev/null"]);
}

#[test]
fn every_order_has_its_first() {
    let cachex = filled();
    cachex.exec(["grep", "x", "/dev/null"]).before("40m").failure_expires_in("1d").once().hits();
    let first =
        |key: &str| listed(&cachex.cli(["list", "--limit", "1", "--sort", key])).pop().unwrap();
    let keys = ["used", "age", "expires", "size", "hits", "exit", "command"];
    let expected = [
        "seq 1000",
        "seq 1000",
        "echo 'a b' c",
        "seq 1000",
        "grep x /dev/null",
        "echo 'a b' c",
        "echo 'a b' c",
    ];
    for (key, expected) in keys.into_iter().zip(expected) {
        if key == "exit" {
            let order = listed(&cachex.cli(["list", "--sort", key]));
            assert_eq!(order.last().map(String::as_str), Some("grep x /dev/null"));
        } else {
            assert_eq!(first(key), expected, "by {key}");
        }
    }
    first("run-time");
    let wrong = cachex.cli(["list", "--sort", "weight"]).once().exits(2);
    wrong.mentions(&["weight", "run-time"]);
}

#[test]
fn entries_are_chosen_by_what_they_are() {
    let cachex = filled();
    let list = |options: &str| listed(&cachex.cli(["list"]).with(options));
    assert_eq!(list("--failed"), ["grep x /dev/null"]);
    assert_eq!(list("--stale"), ["echo 'a b' c"]);
    assert_eq!(list("--tag nightly"), ["echo 'a b' c"]);
    assert_eq!(list("--scope work --tag ci"), ["echo 'a b' c"]);
    assert_eq!(list("--scope ci"), [""; 0]);
    assert_eq!(list("--cwd ../home"), ["seq 1000"]);
    assert_eq!(list("--cwd ../home --failed"), [""; 0]);
    assert_eq!(list("--failed --stale"), [""; 0]);
}

#[test]
fn a_glob_is_of_the_whole_command_line_and_plain_text_is_anywhere_in_it() {
    let cachex = filled();
    let list = |glob: &str| listed(&cachex.cli(["list", glob]));
    assert_eq!(list("seq *"), ["seq 1000", "seq 3"]);
    assert_eq!(list("*00"), ["seq 1000"]);
    assert_eq!(list("seq ?"), ["seq 3"]);
    assert_eq!(list("eq"), ["seq 1000", "seq 3"]);
    assert_eq!(list("a b c"), ["echo 'a b' c"]);
    assert_eq!(list("* /dev/[mn]*"), ["grep x /dev/null"]);
    assert_eq!(list("eq*"), [""; 0]);
    cachex.cli(["list", "a["]).once().exits(2).mentions(&["position"]);
}

#[test]
fn json_has_it_all_under_stable_names() {
    let cachex = filled();
    let all = json(&cachex.cli(["list"]));
    assert_eq!(all.len(), 4);
    let tagged = &all[1];
    let names: Vec<&str> = tagged.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "age argv automatic command command_cut created cwd expired expires hits key last_used \
                    output_bytes output_files run_time scope size status tags";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!(tagged["argv"], serde_json::json!(["echo", "a b", "c"]));
    assert_eq!(tagged["command"], "echo 'a b' c");
    assert_eq!(tagged["command_cut"], false);
    assert_eq!(tagged["cwd"], cachex.work().to_str().unwrap());
    assert_eq!(tagged["scope"], "work");
    assert_eq!(tagged["tags"], serde_json::json!(["ci", "nightly"]));
    assert_eq!((&tagged["expired"], &tagged["status"]), (&true.into(), &0.into()));
    assert_eq!(tagged["hits"], 0);
    assert!((3600.0..4000.0).contains(&tagged["age"].as_f64().unwrap()), "{tagged}");
    assert!(tagged["run_time"].as_f64().unwrap() > 0.0);
    assert!(tagged["size"].as_u64().unwrap() > 6);
    let time = |field: &str| humantime::parse_rfc3339(tagged[field].as_str().unwrap()).unwrap();
    let lasts = time("expires").duration_since(time("created")).unwrap();
    assert_eq!(lasts.as_secs(), 45 * 60);
    let used = time("last_used").duration_since(time("created")).unwrap();
    assert!(used.as_secs() < 60, "{tagged}");
    let key = tagged["key"].as_str().unwrap();
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!((&all[0]["expires"], &all[0]["scope"]), (&Value::Null, &Value::Null));
}

#[test]
fn where_nothing_is_there_is_nothing_to_list_and_nothing_is_made() {
    let cachex = cachex();
    let hint = "cachex: nothing is recorded yet; `cachex run -- CMD` runs CMD and records it\n";
    cachex.cli(["list"]).once().exits(0).prints("").says(hint);
    cachex.cli(["list", "--quiet"]).once().exits(0).prints("").quietly();
    cachex.cli(["list", "--json"]).once().exits(0).prints("[]\n").quietly();
    assert!(!cachex.store().exists());
}

#[test]
fn nothing_that_was_recorded_steers_a_terminal() {
    let cachex = cachex();
    let evil = "\x1b]0;title\x07\x1b[2J\nsecond line\r\u{9b}31m\u{202e}";
    let folder = cachex.path("home").join("a\x1b[31m\nb");
    std::fs::create_dir(&folder).unwrap();
    let call = cachex.exec(["printf", "%s", evil]).inside(folder).option("--scope", evil);
    call.option("--tag", "t\u{202e}ag").once().exits(0);
    let shown = |call: Call| call.env("CLICOLOR_FORCE", "").once().exits(0).quietly().stdout();
    let key = json(&cachex.cli(["list"]))[0]["key"].as_str().unwrap().to_owned();
    let told = [
        (shown(cachex.cli(["list"])), 2),
        (shown(cachex.cli(["list", "--json"])), 3),
        (shown(cachex.cli(["show", &key])), 14),
        (shown(cachex.cli(["show", "--json", &key])), 1),
        (shown(cachex.cli(["forget", "--dry-run", &key])), 3),
    ];
    for (text, lines) in told {
        assert_eq!(text.lines().count(), lines, "{text}");
        let bad = |c: &char| c.is_control() && *c != '\n' || *c == '\u{202e}';
        assert!(text.chars().find(bad).is_none(), "{text:?}");
        assert!(text.contains("second line"), "{text}");
    }
    // JSON is exact all the same.
    let [entry] = &json(&cachex.cli(["list"]))[..] else { panic!() };
    assert_eq!(entry["argv"][2], evil);
    assert_eq!(entry["scope"], evil);
}

#[test]
fn a_command_line_can_be_pasted() {
    let cachex = cachex();
    let argv = ["printf", "%s|", "it's", "", "a\tb", "\x1b\\'", "$HOME", "é"];
    let good = cachex.exec(argv).once().exits(0);
    let command = json(&cachex.cli(["list"]))[0]["command"].as_str().unwrap().to_owned();
    cachex.shell(&command).once().prints(good.stdout());
}

#[test]
fn colours_are_asked_for_or_absent() {
    let cachex = filled();
    let coloured = |call: Call| call.once().exits(0).stdout().contains("\x1b[");
    let list = || cachex.cli(["list"]);
    assert!(!coloured(list()));
    assert!(coloured(list().env("CLICOLOR_FORCE", "1")));
    assert!(!coloured(list().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
    assert!(!coloured(list().env("CLICOLOR_FORCE", "1").with("--json")));
}

#[test]
fn on_a_terminal_lines_fit_and_what_is_long_is_paged() {
    let cachex = cachex();
    let long = "x".repeat(200);
    cachex.exec(["echo", &long]).once().exits(0);
    let mut terminal = cachex.terminal();
    terminal.types("export PAGER='sed s/^/paged:/'");
    terminal.types("cachex list; echo status $?").shows("…").shows("status 0");
    assert!(!terminal.screen().contains("paged:") && !terminal.screen().contains(&long));
    for n in 0..30 {
        cachex.exec(["echo", &n.to_string()]).once().exits(0);
    }
    terminal.types("cachex list; echo status $?").shows("paged:KEY").shows("status 0");
    terminal.types("PAGER='wc -l' cachex list; echo status $?").shows("32\r\n").shows("status 0");
    for never in ["cachex list --no-pager", "cachex list | cat", "PAGER=cat cachex list"] {
        terminal.types(&format!("{never}; echo done")).shows("\nKEY").shows("done");
    }
    // One that is left at once is no failure.
    terminal.types("PAGER=true cachex list; echo status $?").shows("status 0");
    terminal.types("CACHEX_PAGER=absent-pager cachex list; echo status $?").shows("--no-pager");
    // The common case, whichever `less` there is.
    terminal.types("unset PAGER; cachex list --limit 1; echo status $?").shows("status 0");
}

#[test]
fn a_reader_that_leaves_is_no_accident() {
    let cachex = cachex();
    for n in 0..50 {
        cachex.exec(["echo", &n.to_string()]).once().exits(0);
    }
    cachex.shell("cachex list | head -1").once().exits(0).quietly();
}

#[test]
fn a_store_that_cannot_be_written_shows_what_can_be_read() {
    let cachex = cachex();
    cachex.exec(["echo", "one"]).once().exits(0);
    cachex.exec(["echo", "two"]).before("1h").once().exits(0);
    where_mounts_are_ones_own(|| {
        let _read_only = Mounted::read_only(&cachex.store());
        let list = cachex.cli(["list"]).once().exits(0);
        let shown = list.stdout();
        list.warns_once(&["warning: ", "may not be all"]);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[1].ends_with("echo one") && lines[2].ends_with("echo two"), "{shown}");
        let quiet = cachex.cli(["list", "--quiet", "--limit", "1", "two"]).once();
        assert!(quiet.exits(0).quietly().stdout().contains("echo two"));
        cachex.cli(["show", "--", "echo", "one"]).once().exits(0).shows(&["echo one"]);
        cachex.cli(["forget", "--", "echo", "one"]).once().exits(1);
    });
}

#[test]
fn on_a_narrow_terminal_columns_give_way_to_the_command() {
    let cachex = cachex();
    let command = ["printf", "", "0123456789012345678901234567890123456789"];
    cachex.exec(command).with("--tag nightly --scope work").once().exits(0);
    let mut terminal = cachex.terminal();
    let mut columns = |width: u16| {
        terminal.resizes(24, width);
        terminal.types("cachex list; echo status $?").shows("KEY").shows("status 0");
        let screen = terminal.screen();
        let (before, _) = screen.rsplit_once("status 0").unwrap();
        let lines: Vec<&str> = before.lines().collect();
        let [.., heading, line] = lines[..] else { panic!("{screen}") };
        assert!(line.chars().count() <= width.into() && line.contains("printf"), "{width}: {line}");
        // How wide this is, and whether there is room for it, depends on the machine.
        let heading = heading.replace("TOOK", "");
        heading.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(columns(200), "KEY AGE EXPIRES EXIT SIZE HITS SCOPE TAGS COMMAND");
    assert_eq!(columns(80), "KEY AGE EXPIRES EXIT SIZE TAGS COMMAND");
    assert_eq!(columns(60), "KEY AGE EXPIRES EXIT COMMAND");
    assert_eq!(columns(40), "KEY COMMAND");
}

#[test]
fn on_the_narrowest_terminal_there_are_commands() {
    let cachex = cachex();
    cachex.exec(["echo", "0123456789012345678901234567890123456789"]).once().exits(0);
    let mut terminal = cachex.terminal();
    terminal.resizes(24, 20);
    terminal.types("cachex list").shows("COMMAND\r\necho 01234567890123…");
}
