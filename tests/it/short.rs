//! `cachex [OPTIONS] -- CMD`, options of one letter, and verbs by other names.

use crate::harness::{Cachex, Call, cachex, eventually};

/// `cachex WORDS… -- TOOL`, which counts its runs.
fn short(cachex: &Cachex, words: &str) -> Call {
    let tool = cachex.path("tool");
    if !tool.exists() {
        cachex.executable("tool", "#!/bin/sh\necho x >>\"$COUNT\"\necho hi\n");
    }
    let words = words.split_whitespace().map(Into::into);
    let command = words.chain(["--".into(), tool.into_os_string()]);
    cachex.cli(command).env("COUNT", cachex.path("count"))
}

fn count(cachex: &Cachex) -> usize {
    std::fs::read_to_string(cachex.path("count")).unwrap_or_default().lines().count()
}

#[test]
fn without_a_verb_it_is_run() {
    let cachex = cachex();
    short(&cachex, "").once().prints("hi\n").exits(0);
    short(&cachex, "run").once().prints("hi\n");
    short(&cachex, "--verbose").once().prints("hi\n").warns_once(&["hit"]);
    assert_eq!(count(&cachex), 1);
}

#[test]
fn letters_stand_for_options() {
    let cachex = cachex();
    short(&cachex, "-t 1h -n -k text -e LANG -v").once().warns_once(&["miss"]);
    let long = "run --expires-in 1h --no-concurrent --key text --env LANG --verbose";
    short(&cachex, long).once().warns_once(&["hit"]);
    // One that is read by nobody but the parser of all options.
    short(&cachex, "-nvt1h -ktext -eLANG").once().warns_once(&["hit"]);
    short(&cachex, "--ttl 1h --single-flight -k text -e LANG -v").once().warns_once(&["hit"]);
    short(&cachex, "-f -k text -e LANG").once().prints("hi\n").quietly();
    assert_eq!(count(&cachex), 2);
    short(&cachex, "-q -v").once().exits(125).mentions(&["cannot be used with"]);
}

#[test]
fn what_was_called_without_a_verb_is_refreshed_behind_ones_back() {
    let cachex = cachex();
    let call = short(&cachex, "-s 1s -t 1h");
    call.once().prints("hi\n");
    call.after("2s").once().prints("hi\n");
    eventually("a second run", || (count(&cachex) == 2).then_some(()));
}

#[test]
fn a_forgotten_verb_is_told_of() {
    let cachex = cachex();
    let call = cachex.cli(["kubectl", "get", "two words"]);
    call.once().exits(2).mentions(&["cachex run -- kubectl get 'two words'"]);
    cachex.cli(["-x", "--", "true"]).once().exits(125);
    let call = cachex.cli(["-t", "5m", "kubectl", "get", "two words"]);
    call.once().exits(2).mentions(&["cachex -t 5m -- kubectl get 'two words'"]);
    let told = cachex.cli(["lst"]).once().exits(2).stderr();
    assert!(told.contains("'list'") && !told.contains("run --"), "{told}");
    cachex.cli(["--version"]).once().exits(0);
    cachex.cli(["--help"]).once().exits(0);
}

#[test]
fn verbs_have_the_names_that_other_tools_have_for_them() {
    let cachex = cachex();
    let call = short(&cachex, "");
    call.once();
    cachex.cli(["ls"]).once().exits(0).shows(&["tool"]);
    cachex.cli(["gc"]).once().exits(0);
    short(&cachex, "why").once().exits(0).shows(&["hit"]);
    short(&cachex, "info").once().exits(0).shows(&["tool"]);
    short(&cachex, "rm").once().exits(0).shows(&["forgotten"]);
}
