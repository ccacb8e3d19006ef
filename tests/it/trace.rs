//! `cachex trace`: the command as it is by itself, and what it read, looked for and wrote.

#![cfg(target_os = "linux")]

use crate::harness::{Cachex, Call, Outcome, World, cachex, eventually};
use rustix::process::Signal;
use std::fs;
use std::process::Command;

fn trace(cachex: &Cachex, script: &str) -> Call {
    cachex.cli(["trace"]).command(["sh", "-c", script])
}

/// Whether a line is there.
fn lists(outcome: &Outcome, line: &str) -> bool {
    let said = outcome.stderr();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    said.lines().any(|it| words(it) == words(line))
}

#[test]
fn the_command_is_as_by_itself_and_the_list_follows() {
    let cachex = cachex();
    cachex.write("work/in", "text");
    fs::create_dir_all(cachex.work().join("dir")).unwrap();
    let script = "cat in; ls dir; cat none 2>/dev/null; echo out > out; echo err >&2; exit 3";
    let ended = trace(&cachex, script).once().exits(3).prints("text");
    assert!(ended.stderr().starts_with("err\n"), "{}", ended.stderr());
    for line in ["read in", "listed dir", "absent none", "written out (created)"] {
        assert!(lists(&ended, line), "no {line:?} in {}", ended.stderr());
    }
    assert!(!ended.stderr().contains("/usr/"), "{}", ended.stderr());
    let all = trace(&cachex, "cat in").with("--all").once().exits(0);
    assert!(all.stderr().contains("/lib"), "{}", all.stderr());
    assert!(!cachex.store().exists());
}

#[test]
fn its_end_is_the_commands_whatever_that_is() {
    let cachex = cachex();
    trace(&cachex, "kill -TERM $$").once().dies_of(Signal::TERM);
    trace(&cachex, "read line; echo got $line").stdin("x\n").once().exits(0).prints("got x\n");
    cachex.cli(["trace"]).command(["no-such-command"]).once().exits(127);
    cachex.cli(["trace"]).command(["/"]).once().exits(126);
    cachex.cli(["trace"]).once().exits(125);
    cachex.cli(["trace", "--format", "xml"]).command(["true"]).once().exits(125);
    let nowhere = cachex.cli(["trace", "--output", "no/such/folder"]);
    nowhere.command(["sh", "-c", "echo ran"]).once().exits(125).prints("");
}

#[test]
fn the_list_goes_to_a_file_in_the_form_that_is_asked_for() {
    let cachex = cachex();
    cachex.write("work/a b", "text");
    cachex.write("work/c$", "text");
    let script = "/bin/cat 'a b' 'c$' > out; test -e none; :";
    let list = |options: &str| {
        trace(&cachex, script).with(options).with("--output list").once().exits(0).quietly();
        let text = fs::read_to_string(cachex.work().join("list")).unwrap();
        fs::remove_file(cachex.work().join("out")).unwrap();
        text
    };
    assert_eq!(list(""), "read     'a b'\nread     'c$'\nabsent   none\nwritten  out (created)\n");
    assert_eq!(list("--format make"), "out: \\\n  a\\ b \\\n  c$$\n\na\\ b:\n\nc$$:\n");
    assert_eq!(list("--format ninja"), "out: \\\n  a\\ b \\\n  c$$\n");
    let json: serde_json::Value = serde_json::from_str(&list("--format json")).unwrap();
    assert_eq!(json["read"], serde_json::json!(["a b", "c$"]));
    assert_eq!(json["absent"], serde_json::json!(["none"]));
    assert_eq!(json["written"], serde_json::json!([{"path": "out", "change": "created"}]));
    assert!(json["recordable"] == true && json["reason"].is_null(), "{json}");
    let declared = list("--declare");
    assert!(
        declared.starts_with("cachex run --input 'a b' --input 'c$' --output out -- sh -c "),
        "{declared}"
    );
}

/// What make makes of names in the rules that it is given, it is asked for.
#[test]
fn names_in_rules_are_what_make_and_ninja_read_as_such() {
    let cachex = cachex();
    let names = ["a b", "a#b", "a$b", "a%b", "a*b", "a:b", "a?b", "a[b]", r"a\ b", r"a\b", "b"];
    for name in names.iter().chain(&["a=b", "a;b", "xab"]) {
        cachex.write(format!("work/{name}"), "text");
    }
    let trace = |script: &str, options: &str| {
        let ended = trace(&cachex, script).with(options).with("--output list").once().exits(0);
        (fs::read_to_string(cachex.work().join("list")).unwrap(), ended)
    };
    let (rule, ended) = trace("/bin/cat a* b > out", "--format make");
    let left_out = ["no rule can name 'a;b': left out", "no rule can name 'a=b': left out"];
    let ended = ended.mentions(&left_out);
    assert_eq!(ended.stderr().lines().count(), left_out.len(), "{}", ended.stderr());
    cachex.write("work/Makefile", "include list\nout: force\n\t$(info $^)\nforce:\n");
    let mut make = std::process::Command::new("make");
    let made = make.args(["-s", "out"]).current_dir(cachex.work()).output().unwrap();
    let made = String::from_utf8(made.stdout).unwrap();
    assert_eq!(made.trim_end(), format!("force {}", names.join(" ")), "{rule}");
    let (rule, _) = trace(r"/bin/cat b > 'o %:\ *'", "--format make");
    assert_eq!(rule, "o\\ \\%\\:\\\\\\ \\*: \\\n  b\n\nb:\n");
    let (rule, ended) =
        trace(r"/bin/cat 'a*b' a:b 'a[b]' 'a#b' 'a\ b' 'a%b' > out", "--format ninja");
    ended.mentions(&["no rule can name 'a*b': left out"]);
    let lines = ["out:", r"a\#b", "a%b", "a:b", "a[b]", r"a\\\ b"].join(" \\\n  ");
    assert_eq!(rule, lines + "\n");
}

#[test]
fn why_a_run_cannot_be_recorded_is_said() {
    let cachex = cachex();
    let connect = "exec 5<>/dev/tcp/127.0.0.1/9";
    let run = cachex.cli(["trace"]).command(["bash", "-c", connect]).once();
    run.mentions(&["cannot be recorded", "connect to 127.0.0.1:9 by bash (pid "]);
}

#[test]
fn below_another_tracer_the_command_runs_untraced_and_that_is_said() {
    let cachex = cachex();
    cachex.write("work/in", "text");
    let inner = format!("{} trace -- cat in", World::binary().display());
    let ended = trace(&cachex, &inner).once().exits(0).prints("text");
    // The outer one sees what the inner one cannot.
    assert!(lists(&ended, "read in"), "{}", ended.stderr());
    ended.mentions(&["the command was not traced: something above traces this process"]);
}

#[test]
fn what_a_killed_cachex_leaves_behind_is_unharmed() {
    let cachex = cachex();
    let looks = "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); test -e none || :; done";
    let script =
        format!("(echo begun; while test ! -e go; do :; done; {looks}; cat in > late) & wait");
    cachex.write("work/in", "text");
    let running = trace(&cachex, &script).spawn();
    running.shows("begun");
    running.signal(Signal::KILL);
    running.ends_first();
    cachex.write("work/go", "");
    let late = cachex.work().join("late");
    eventually("the rest goes on", || {
        fs::read_to_string(&late).ok().filter(|text| text == "text").map(drop)
    });
}

#[test]
fn a_command_with_rights_of_its_own_is_not_traced_and_runs() {
    let cachex = cachex();
    let tool = cachex.executable("work/tool", fs::read("/bin/true").unwrap());
    // One's own is no more than one has.
    let done = Command::new("chmod").arg("u+s").arg(&tool).status().unwrap();
    assert!(done.success());
    let ended = cachex.cli(["trace"]).command([tool.clone().into_os_string()]).once().exits(0);
    assert!(!ended.stderr().contains("rights of its own"), "{}", ended.stderr());
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&tool, Some(4711), None).unwrap();
        assert!(Command::new("chmod").arg("u+s").arg(&tool).status().unwrap().success());
        let ended = cachex.cli(["trace"]).command([tool.into_os_string()]).once().exits(0);
        ended.mentions(&["not traced", "rights of its own"]);
    }
}
