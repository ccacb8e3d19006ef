//! The recipes of `docs/recipes.md`, each in the shell that it is for, with stand-ins for the
//! commands that it calls.

use crate::harness::{Cachex, cachex, quoted};
use std::path::Path;

/// The block of code number `at` below a heading, without its fence.
#[track_caller]
fn recipe(heading: &str, at: usize) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut blocks = section.split("```").skip(1).step_by(2);
    let block = blocks.nth(at).unwrap_or_else(|| panic!("no block {at} below {heading}"));
    block.split_once('\n').unwrap().1.to_owned()
}

/// A world in which these commands print their arguments.
fn with_tools(names: &[&str]) -> Cachex {
    let cachex = cachex();
    for name in names {
        cachex.tool(name, &format!("printf '%s\\n' \"{name} $*\""));
    }
    cachex
}

/// Runs a script in a shell, which asks for it twice in a row.
#[track_caller]
fn twice(cachex: &Cachex, shell: &str, script: &str) -> String {
    let path = cachex.write("script", script);
    let call = cachex.shell(&format!("{shell} {}", quoted(path)));
    let first = call.once().exits(0).quietly().stdout();
    assert_eq!(call.once().exits(0).quietly().hits().stdout(), first);
    first
}

#[test]
fn a_prompt_shows_the_last_state_and_does_not_wait() {
    for (at, shell, prompt) in [
        (0, "bash --norc", "echo \"${PS1@P}\""),
        (1, "zsh -f", "print -P $PROMPT"),
        (2, "fish --no-config", "fish_prompt; echo"),
    ] {
        let cachex = cachex();
        cachex.tool("git", "echo \"## main $*\"");
        let script = format!("{}\n{prompt}\n", recipe("Shell prompt", at));
        let path = cachex.write("script", script);
        let call = cachex.shell(&format!("{shell} {}", quoted(path)));
        let first = call.once().exits(0).quietly().stdout();
        assert!(!first.contains("main"), "{shell}: {first}");
        cachex.awaits_quiet();
        let then = call.once().exits(0).quietly().stdout();
        assert!(then.starts_with("## main --no-optional-locks status"), "{shell}: {then}");
    }
}

#[test]
fn a_status_line_of_tmux_shows_it() {
    let cachex = with_tools(&["kubectl"]);
    let config = cachex.write("tmux.conf", recipe("tmux status line", 0));
    // The server has its own socket, and goes with the session.
    let script = format!(
        "tmux -S ../socket -f {} new-session -d 'sleep 600' && \
         tmux -S ../socket show-options -gv status-right; \
         tmux -S ../socket kill-server",
        quoted(config)
    );
    let told = cachex.shell(&script).once().exits(0).stdout();
    let command = told.trim().strip_prefix("#(").unwrap().strip_suffix(')').unwrap();
    cachex.shell(command).once().exits(0).prints("").quietly();
    cachex.awaits_quiet();
    cachex.shell(command).once().exits(0).hits().prints("kubectl config current-context\n");
}

#[test]
fn a_preview_of_fzf_is_made_once() {
    let cachex = cachex();
    let log = r#"[ "$1" = log ] && echo "0a1b subject" || { wc -c <$HOME/../runs; }"#;
    cachex.tool("git", log);
    // fzf draws on a terminal; what it runs for a line is what stands behind --preview.
    let recipe = recipe("fzf preview", 0);
    let preview = recipe.split('\'').nth(1).unwrap().replace("{1}", "0a1b");
    let call = cachex.shell(&preview);
    let first = call.clone().env("FZF_PREVIEW_LINES", "3").env("LINES", "3").once();
    let again = call.env("FZF_PREVIEW_LINES", "4").env("LINES", "4").once().hits();
    assert_eq!(first.exits(0).stdout(), again.stdout());
}

#[test]
fn completions_are_read_from_the_cache() {
    let cachex = cachex();
    cachex.tool("kubectl", "echo \"echo completes for $2\"");
    for (at, shell, name) in
        [(0, "bash --norc", "bash"), (0, "zsh -f", "bash"), (1, "fish --no-config", "fish")]
    {
        let told = twice(&cachex, shell, &recipe("Completions of slow tools", at));
        assert_eq!(told, format!("completes for {name}\n"), "{shell}");
    }
}

#[test]
fn direnv_computes_once() {
    let cachex = with_tools(&["go"]);
    cachex.write("work/go.mod", "module x\n");
    cachex.write("work/.envrc", recipe("direnv", 0));
    let show = "direnv exec . sh -c 'echo $GOFLAGS_VERSION'";
    cachex.shell("direnv allow .").once().exits(0);
    let call = cachex.shell(show);
    let first = call.once().exits(0).runs(1).stdout();
    assert!(first.ends_with("go env GOVERSION\n"), "{first}");
    assert_eq!(call.once().exits(0).hits().stdout(), first);
    cachex.write("work/go.mod", "module y\n");
    call.once().exits(0).runs(1);
}

#[test]
fn a_token_is_shared_by_all_folders() {
    let cachex = with_tools(&["gcloud"]);
    let script = format!("{}\necho $token", recipe("Token of a cloud CLI", 0));
    twice(&cachex, "sh", &script);
    cachex.write("work/sub/file", "");
    let elsewhere = cachex.shell(&format!("cd sub; {script}"));
    elsewhere.once().exits(0).hits().prints("gcloud auth print-access-token\n");
}

#[test]
fn xargs_and_parallel_run_what_is_new() {
    for heading in ["xargs", "GNU parallel"] {
        let cachex = with_tools(&["jq", "wc"]);
        for name in ["a.json", "b.json", "c.json"] {
            cachex.write(Path::new("work").join(name), "{}");
        }
        let call = cachex.shell(&recipe(heading, 0));
        let first = call.once().exits(0).runs(3).stdout();
        assert_eq!(call.once().exits(0).hits().stdout(), first, "{heading}");
        cachex.write("work/b.json", "{ }");
        cachex.write("work/d.json", "{}");
        call.once().exits(0).runs(2);
    }
}

#[test]
fn watch_makes_one_request_for_all() {
    let cachex = with_tools(&["kubectl"]);
    let recipe = recipe("watch", 0);
    let mut terminal = cachex.terminal();
    terminal
        .types(&format!("TERM=xterm {}", recipe.trim().replace("5s", "1d")))
        .shows("kubectl get pods");
    let command = recipe.split_once("-n 1 ").unwrap().1.replace("5s", "1d");
    // As `watch` runs it, by a shell, and with one pipe for both streams.
    let call = cachex.shell(&format!("{} 2>&1", command.trim()));
    call.once().exits(0).prints("kubectl get pods\n");
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn a_job_of_cron_runs_once() {
    let cachex = with_tools(&["report"]);
    let recipe = recipe("cron", 0);
    let command = recipe.trim().splitn(6, ' ').nth(5).unwrap().to_owned();
    // cron's environment, and its input.
    let call = cachex.shell(&command).without("LANG").without("PWD").env("SHELL", "/bin/sh");
    call.clone().env("LOGNAME", "me").once().runs(1).prints("report --daily\n").exits(0);
    call.clone().before("10m").once().exits(0);
    call.stdin("x").once().hits().prints("report --daily\n").exits(0).quietly();
}

#[test]
fn sudo_behind_it_uses_the_callers_store() {
    let cachex = with_tools(&["sudo"]);
    let told = twice(&cachex, "sh", &recipe("sudo", 0));
    assert_eq!(told, "sudo -n dmidecode -t system\n");
}

#[test]
fn a_loop_over_hosts_reaches_its_end() {
    let cachex = cachex();
    cachex.tool("ssh", "echo \"$1 is up\"; cat >/dev/null");
    cachex.write("work/hosts", "one\ntwo\nthree\n");
    let told = twice(&cachex, "sh", &recipe("ssh in a loop", 0));
    assert_eq!(told, "one is up\ntwo is up\nthree is up\n");
}

#[test]
fn the_others_are_what_they_say() {
    let cachex = with_tools(&["curl", "gh", "cargo", "slow-analysis"]);
    for name in ["src/x", "tests/x", "Cargo.lock"] {
        cachex.write(Path::new("work").join(name), "");
    }
    for heading in ["Flaky API", "Test suite", "Pipeline"] {
        twice(&cachex, "sh", &recipe(heading, 0));
    }
    cachex.tool("gh", "echo completed");
    cachex.shell(&recipe("Polling script", 0)).env("id", "1").once().exits(0).quietly();
}
