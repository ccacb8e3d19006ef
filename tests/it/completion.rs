//! What bash, zsh and fish complete from the store: its keys, tags and scopes,
//! at once, and without leaving a trace in it.

use crate::harness::{Cachex, Outcome, cachex, quoted};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

fn script(name: &str) -> String {
    quoted(Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name))
}

/// What bash offers for the last of these words.
fn bash(cachex: &Cachex, words: &[&str]) -> Outcome {
    bash_with(cachex, "", words)
}

/// The same after what else has been set up.
fn bash_with(cachex: &Cachex, before: &str, words: &[&str]) -> Outcome {
    let words: Vec<String> = words.iter().map(quoted).collect();
    cachex
        .shell(&format!(
            "source {}
        {before}
        compopt() {{ :; }}
        COMP_WORDS=({}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        function=$(complete -p cachex | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        \"$function\" cachex \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"
        ((${{#COMPREPLY[@]}} == 0)) || printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script("cachex.bash"),
            words.join(" "),
        ))
        .once()
        .exits(0)
        .quietly()
}

/// Three results: their keys.
fn stored(cachex: &Cachex) -> Vec<String> {
    let calls = [
        cachex.exec(["echo", "plan"]).with("--tag ci --tag nightly"),
        cachex.exec(["echo", "pods"]).with("--tag ci").option("--scope", "team a"),
        cachex.exec(["echo", "it's $HOME"]).option("--tag", "two words").with("--scope prod"),
    ];
    calls.map(|call| call.key()).into()
}

/// Every file, what is in it, and when that was written.
fn trace(cachex: &Cachex) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let read = |path: PathBuf| {
        let at = cachex.in_store(&path);
        let changed = fs::metadata(&at).unwrap().modified().unwrap();
        (path, (fs::read(at).unwrap_or_default(), changed))
    };
    cachex.stored().into_iter().map(read).collect()
}

#[test]
fn bash_completes_what_the_store_holds() {
    let cachex = cachex();
    let keys = stored(&cachex);
    for folded in [false, true] {
        if folded {
            cachex.fold().once().exits(0);
        }
        let before = trace(&cachex);
        bash(&cachex, &["cachex", "list", "--tag", ""]).prints("ci\nnightly\ntwo\\ words\n");
        bash(&cachex, &["cachex", "prune", "--tag", "n"]).prints("nightly\n");
        bash(&cachex, &["cachex", "run", "--tag", "=", "c"]).prints("ci\n");
        bash(&cachex, &["cachex", "forget", "--scope", ""]).prints("prod\nteam\\ a\n");
        for verb in ["show", "forget"] {
            let offered = bash(&cachex, &["cachex", verb, &keys[0][..5]]).stdout();
            assert_eq!(offered, format!("{}\n", keys[0]));
        }
        let offered = bash(&cachex, &["cachex", "forget", &keys[1], ""]).stdout();
        assert!(keys.iter().all(|key| offered.contains(key)), "{offered}");
        assert!(trace(&cachex) == before, "completing left a trace");
    }
    // What the store does not know is completed as ever.
    bash(&cachex, &["cachex", "list", "--st"]).prints("--stale\n");
    bash(&cachex, &["cachex", "list", "--sort", "ru"]).prints("run-time\n");
    bash(&cachex, &["cachex", "prun"]).prints("prune\n");
}

#[test]
fn bash_completes_a_command_behind_it_as_the_command_is() {
    let cachex = cachex();
    let tool = "_tool() { COMPREPLY=(\"$COMP_CWORD:$1:$2:$3:${#COMP_WORDS[@]}\"); }; complete -F _tool tool";
    let bash = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        bash_with(&cachex, tool, &words)
    };
    for line in [
        "cachex run tool a b",
        "cachex run -- tool a b",
        "cachex run -t 10m -nv --tag = x --input a --key=: tool a b",
        "cachex run --expires-in 10m -fk text -- tool a b",
        "cachex -t 10m -- tool a b",
        "cachex explain --all tool a b",
        "cachex forget --no-cwd -- tool a b",
    ] {
        bash(line).prints("2:tool:b:a:3\n");
    }
    cachex.tool("tool", "");
    bash("cachex run -- tool").shows(&["tool"]);
    bash("cachex run ech").shows(&["echo"]);
    // These are cachex's own.
    bash("cachex run --expires-i").prints("--expires-in\n");
    bash("cachex forget tool a").prints("");
    // A duration is no file.
    cachex.write("work/10minutes", "");
    for line in ["cachex run --expires-in 10", "cachex run -t 10", "cachex run --tag 10"] {
        let offered = bash(line).stdout();
        assert!(!offered.contains("10minutes"), "{line}: {offered}");
    }
    bash("cachex run --input 10").prints("10minutes\n");
}

#[test]
fn fish_completes_a_command_behind_it_as_the_command_is() {
    let cachex = cachex();
    cachex.write("work/10minutes", "");
    let fish = |line: &str| {
        let line = quoted(line);
        let tool = "complete -c tool -f -a 'alpha beta'; complete -c tool -l gamma";
        let script = format!("source {}; {tool}; complete -C {line}", script("cachex.fish"));
        cachex.shell(&format!("fish --no-config -c {}", quoted(script))).once().exits(0).stdout()
    };
    for line in [
        "cachex run tool al",
        "cachex run -- tool al",
        "cachex run -t 10m -nv --tag x -- tool al",
        "cachex -t 10m -- tool beta al",
        "cachex explain --all tool al",
        "cachex forget --no-cwd -- tool al",
    ] {
        assert_eq!(fish(line), "alpha\n", "{line}");
    }
    assert!(fish("cachex run tool --ga").starts_with("--gamma"));
    assert!(fish("cachex run --expires-i").starts_with("--expires-in"));
    assert!(!fish("cachex run --expires-in 10").contains("10minutes"));
    assert!(fish("cachex run ech").contains("echo"));
}

#[test]
fn keys_are_known_of_entries_that_have_no_file_any_more() {
    let cachex = cachex();
    let keys = stored(&cachex);
    cachex.folds_away();
    let before = trace(&cachex);
    for key in &keys {
        bash(&cachex, &["cachex", "show", &key[..6]]).prints(format!("{key}\n"));
    }
    let offered = cachex.cli(["__complete", "keys", ""]).once().exits(0).quietly().stdout();
    assert_eq!(offered.lines().count(), 3);
    assert!(trace(&cachex) == before, "completing left a trace");
}

#[test]
fn what_a_key_means_stands_beside_it() {
    let cachex = cachex();
    cachex.exec(["echo", "it's \x1b[31m"]).once().exits(0);
    let offered = cachex.cli(["__complete", "keys", ""]).once().exits(0).quietly().stdout();
    let (_, meaning) = offered.split_once('\t').unwrap();
    assert!(meaning.starts_with(r"echo $'it\'s \033[31m', "), "{meaning}");
    assert!(meaning.ends_with(" ago\n"), "{meaning}");
}

#[test]
fn of_very_many_keys_the_recent_are_offered() {
    let cachex = cachex();
    let fill = "seq 1 150 | xargs -P 4 -I{} cachex run -- echo {} | wc -l";
    cachex.shell(fill).once().prints("150\n");
    let offered = cachex.cli(["__complete", "keys", ""]).once().exits(0).stdout();
    assert_eq!(offered.lines().count(), 100);
}

#[test]
fn where_nothing_is_nothing_is_offered_or_made() {
    let cachex = cachex();
    for what in ["keys", "tags", "scopes", "any", "nonsense"] {
        cachex.cli(["__complete", what, "", "list"]).once().exits(0).prints("").quietly();
    }
    cachex.cli(["__complete"]).once().exits(0).prints("").quietly();
    cachex.config("mistake =");
    cachex.cli(["__complete", "keys", ""]).once().exits(0).prints("").quietly();
    assert!(!cachex.store().exists());
}

#[test]
fn another_folder_may_be_named_on_the_line() {
    let cachex = cachex();
    stored(&cachex);
    let elsewhere = cachex.path("elsewhere");
    fs::rename(cachex.store(), &elsewhere).unwrap();
    let elsewhere = elsewhere.to_str().unwrap();
    bash(&cachex, &["cachex", "list", "--cache-dir", elsewhere, "--tag", "n"]).prints("nightly\n");
    // What is typed stays.
    bash(&cachex, &["cachex", "list", "--tag", "n"]).prints("n\n");
}

#[test]
fn nobody_waits_for_it_whatever_the_store_is_doing() {
    let cachex = cachex();
    let keys = stored(&cachex);
    let folding = cachex.fold().fault("sled:2=hang").spawn();
    cachex.awaits_helper();
    let pipe = cachex.in_store(format!("v2/young/ab/ab{}", "0".repeat(62)));
    fs::create_dir_all(pipe.parent().unwrap()).unwrap();
    cachex.shell(&format!("mkfifo {}", quoted(pipe))).once().exits(0);
    cachex.cli(["__complete", "tags", "c"]).once().exits(0).promptly().prints("ci\t\n");
    let offered = cachex.cli(["__complete", "keys", ""]).once().exits(0).promptly().stdout();
    assert!(keys.iter().all(|key| offered.contains(key)), "{offered}");
    drop(folding);
}

#[test]
fn fish_completes_what_the_store_holds() {
    let cachex = cachex();
    let keys = stored(&cachex);
    let fish = |line: &str| {
        let line = quoted(line);
        let script = format!("source {}; complete -C {line}", script("cachex.fish"));
        cachex.shell(&format!("fish --no-config -c {}", quoted(script))).once().exits(0).stdout()
    };
    assert_eq!(fish("cachex list --tag n"), "nightly\n");
    assert_eq!(fish("cachex forget --scope=t"), "--scope=team a\n");
    let offered = fish(&format!("cachex show {}", &keys[0][..5]));
    assert!(offered.starts_with(&format!("{}\techo plan, ", keys[0])), "{offered}");
    assert!(fish("cachex list --st").starts_with("--stale"));
}

#[test]
fn zsh_completes_what_the_store_holds() {
    let cachex = cachex();
    let keys = stored(&cachex);
    // Its completion system draws on a terminal; what it is handed is printed here.
    let zsh = |function: &str, words: &str, prefix: &str| {
        let script = format!(
            "compdef() {{ }}; _describe() {{ print -rl -- ${{(P)3}} }}; source {}
            words=({words} {prefix}) CURRENT=${{#words}} PREFIX={prefix}; {function}",
            script("_cachex")
        );
        cachex.shell(&format!("zsh -f -c {}", quoted(script))).once().quietly().stdout()
    };
    assert_eq!(zsh("_cachex_tags", "cachex list --tag", "n"), "nightly\n");
    assert_eq!(zsh("_cachex_scopes", "cachex run --scope", "t"), "team a\n");
    let offered = zsh("_cachex_keys", "cachex show", &keys[2][..5]);
    assert!(offered.starts_with(&format!("{}:echo ", keys[2])), "{offered}");
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/_cachex"))
            .unwrap();
    for function in [
        "NAME:_cachex_tags'",
        "NAME:_cachex_scopes'",
        "digits:_cachex_keys'",
        "`run`:_cachex_behind'",
    ] {
        assert!(text.contains(function), "nothing calls {function}");
    }
}
