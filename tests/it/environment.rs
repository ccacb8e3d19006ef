//! Which variables are part of the key.

use crate::harness::cachex;
use std::os::unix::ffi::OsStrExt;

/// They describe the session, not the work.
const SESSION: &[&str] = &[
    "_",
    "SHLVL",
    "OLDPWD",
    "MAKELEVEL",
    "WINDOWID",
    "TMUX",
    "TMUX_PANE",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "SSH_AUTH_SOCK",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_SESSION_ID",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "TERM_SESSION_ID",
    "GITHUB_RUN_ID",
    "HYPERFINE_RANDOMIZED_ENVIRONMENT_OFFSET",
    "ATUIN_SESSION",
    "STARSHIP_SESSION_KEY",
    "_P9K_TTY",
    "MCFLY_SESSION_ID",
    "FNM_MULTISHELL_PATH",
    "DIRENV_DIFF",
    "DIRENV_WATCHES",
    "PARALLEL_SEQ",
    "PYTEST_CURRENT_TEST",
    "WSL_INTEROP",
    "GIO_LAUNCHED_DESKTOP_FILE_PID",
    "JENKINS_SERVER_COOKIE",
    "SYSTEM_JOBID",
    "BITBUCKET_PIPELINE_UUID",
    "DRONE_JOB_NUMBER",
    "CI_STEP_STARTED",
    "CACHEX_WHATEVER",
];

/// A command's output may well depend on them.
const WORK: &[&str] = &[
    "TERM",
    "COLUMNS",
    "LANG",
    "LC_ALL",
    "HOME",
    "USER",
    "NO_COLOR",
    "GITHUB_SHA",
    "BUILD_NUMBER",
    "GITHUB_RUN_NUMBER",
    "CI_PIPELINE_IID",
    "BUILDKITE_BUILD_NUMBER",
    "DRONE_BUILD_NUMBER",
    "EDITOR",
    "AWS_PROFILE",
    "KUBECONFIG",
    "x",
    "LD_LIBRARY_PATH",
    "TZ",
];

/// What a session by each of these is called, as they set it themselves.
const SESSIONS: &[(&str, &[&str])] = &[
    ("atuin", &["ATUIN_SESSION", "ATUIN_HISTORY_ID"]),
    ("starship", &["STARSHIP_SESSION_KEY"]),
    ("powerlevel10k", &["P9K_SSH", "P9K_TTY", "_P9K_SSH_TTY", "_P9K_TTY"]),
    ("mcfly", &["MCFLY_SESSION_ID", "MCFLY_HISTORY"]),
    ("fnm", &["FNM_MULTISHELL_PATH"]),
    ("direnv", &["DIRENV_DIFF", "DIRENV_DIR", "DIRENV_FILE", "DIRENV_WATCHES", "DIRENV_LAYOUT"]),
    (
        "GNU parallel",
        &["PARALLEL_SEQ", "PARALLEL_PID", "PARALLEL_JOBSLOT", "PARALLEL_JOBSLOT0", "PARALLEL_TMP"],
    ),
    ("pytest", &["PYTEST_CURRENT_TEST", "PYTEST_XDIST_TESTRUNUID"]),
    ("WSL", &["WSL_INTEROP"]),
    ("a desktop", &["DESKTOP_STARTUP_ID", "XDG_ACTIVATION_TOKEN", "GIO_LAUNCHED_DESKTOP_FILE_PID"]),
    ("Jenkins", &["JENKINS_SERVER_COOKIE", "JENKINS_NODE_COOKIE", "HUDSON_COOKIE"]),
    ("Azure", &["SYSTEM_JOBID", "SYSTEM_PLANID", "SYSTEM_TIMELINEID", "SYSTEM_TASKINSTANCEID"]),
    ("Bitbucket", &["BITBUCKET_PIPELINE_UUID", "BITBUCKET_STEP_UUID"]),
    ("Drone", &["DRONE_JOB_NUMBER", "DRONE_BUILD_LINK", "DRONE_BUILD_STARTED"]),
    ("Woodpecker", &["CI_STEP_UUID", "CI_STEP_STARTED", "CI_PIPELINE_FORGE_URL"]),
];

#[test]
fn whoever_keeps_the_session_a_call_is_the_same() {
    let cachex = cachex();
    let call = cachex.exec([cachex.tool("hi", "echo hi")]);
    call.once().misses();
    for (whose, names) in SESSIONS {
        let set = |call: crate::harness::Call, name: &&str| call.env(name, "something");
        names.iter().fold(call.clone(), set).once().hits();
        let told = names.iter().fold(call.clone(), set).explain().with("--all").once().exits(0);
        let told = told.stdout();
        let (_, session) = told.split_once("not: session ").unwrap_or_default();
        assert!(names.iter().all(|name| session.contains(name)), "{whose}: {told}");
    }
    // People print these into versions.
    for name in ["BUILD_NUMBER", "GITHUB_RUN_NUMBER", "CI_PIPELINE_IID", "BUILD_BUILDNUMBER"] {
        call.clone().env(name, "1").once().misses();
        call.clone().env(name, "2").once().misses();
    }
}

#[test]
fn their_order_does_not_matter() {
    let cachex = cachex();
    let call = cachex.exec([cachex.tool("hi", "echo hi")]);
    let same = r#"CACHEX_DIR="$CACHEX_DIR" PATH="$PATH" "$@""#;
    call.clone().launched_by(&format!("exec env -i A=1 B=2 C=3 {same}")).once().misses();
    call.clone().launched_by(&format!("exec env -i C=3 A=1 B=2 {same}")).once().hits();
    call.clone().launched_by(&format!("exec env -i C=2 A=1 B=3 {same}")).once().misses();
}

#[test]
fn each_value_matters() {
    let cachex = cachex();
    let call = cachex.run("echo ${A-unset}");
    call.once().misses().prints("unset\n");
    call.clone().env("A", "").once().misses().prints("\n");
    call.clone().env("A", "1").once().misses().prints("1\n");
    call.clone().env("A", "1").once().hits().prints("1\n");
    call.clone().env("A", "").once().hits().prints("\n");
    call.once().hits().prints("unset\n");
}

#[test]
fn names_and_values_do_not_run_into_each_other() {
    let call = cachex().run("echo hi");
    call.clone().env("A", "B=C").once().misses();
    call.clone().env("A", "1").env("B", "2").once().misses();
    call.clone().env("A", "1B=2").once().misses();
    call.clone().env("AB", "=C").once().misses();
    call.clone().env("AB", "C").once().misses();
}

#[test]
fn values_are_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let call = cachex().run("printf %s \"$A\"");
    for bytes in [b"\xff", b"\xfe"] {
        call.clone().env("A", OsStr::from_bytes(bytes)).twice().runs_once().prints(bytes);
    }
}

#[test]
fn what_describes_the_session_is_left_out() {
    let call = cachex().exec(["true"]);
    let key = call.key();
    for name in SESSION {
        assert_eq!(call.clone().env(name, "something").key(), key, "{name} is part of the key");
    }
}

#[test]
fn what_the_work_may_depend_on_is_part() {
    let call = cachex().exec(["true"]);
    let key = call.key();
    for name in WORK {
        assert_ne!(call.clone().env(name, "other").key(), key, "{name} is not part of the key");
    }
}

#[test]
fn env_leaves_only_the_named_ones() {
    let call = cachex().run("echo \"$A $B $C\"").env("A", "1").env("B", "2");
    let only = call.option("--env", "A,B");
    only.once().misses().prints("1 2 \n");
    only.clone().env("C", "3").env("HOME", "/").without("LANG").once().hits().prints("1 2 \n");
    only.clone().env("A", "9").once().misses();
    only.clone().without("B").once().misses();
    only.clone().env("B", "").once().misses();
}

#[test]
fn env_takes_patterns() {
    let call = cachex().run("echo \"$AWS_REGION $AWS_PROFILE $B\"").option("--env", "AWS_*,B");
    call.clone().env("AWS_REGION", "eu").once().misses().prints("eu  \n");
    call.clone().env("AWS_REGION", "eu").env("C", "1").once().hits();
    call.clone().env("AWS_REGION", "us").once().misses();
    call.clone().env("AWS_REGION", "eu").env("AWS_PROFILE", "p").once().misses();
    call.clone().env("AWS_REGION", "eu").env("B", "1").once().misses();
}

#[test]
fn a_working_directory_by_its_one_name_is_as_good_as_none() {
    let cachex = cachex();
    let call = cachex.exec(["true"]);
    let key = call.clone().without("PWD").key();
    assert_eq!(call.clone().env("PWD", cachex.work()).key(), key);
    std::os::unix::fs::symlink(cachex.work(), cachex.path("link")).unwrap();
    assert_ne!(call.env("PWD", cachex.path("link")).key(), key, "`pwd` says it");
}

#[test]
fn env_counts_even_what_the_session_list_leaves_out() {
    let only = cachex().run("echo $SHLVL").option("--env", "SHLVL");
    only.clone().env("SHLVL", "1").once().misses();
    only.env("SHLVL", "2").once().misses();
}

#[test]
fn ignore_env_leaves_out_what_its_globs_match() {
    let cachex = cachex();
    let call = cachex.run("echo hi").option("--ignore-env", "FOO_*,B?R");
    call.once().misses();
    call.clone().env("FOO_X", "1").env("BAR", "2").env("FOO_", "3").once().hits();
    call.clone().env("FOO", "1").once().misses();
    call.clone().env("BAAR", "1").once().misses();
    call.clone().env("SHLVL", "7").once().hits();
}

#[test]
fn no_env_leaves_out_all_of_them() {
    let call = cachex().run("echo $A").with("--no-env");
    call.clone().env("A", "1").once().misses().prints("1\n");
    call.clone().env("A", "2").env("B", "3").without("LANG").once().hits().prints("1\n");
}

#[test]
fn the_switches_are_not_taken_for_each_other() {
    let call = cachex().run("echo hi").without("LANG").without("TZ");
    let keys = [
        call.key(),
        call.clone().with("--no-env").key(),
        call.clone().with("--env HOME").key(),
        call.clone().with("--env PATH").key(),
        call.clone().with("--ignore-env HOME").key(),
    ];
    let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len(), "{keys:?}");
}

/// Whoever leaves a variable out says that it does not matter. A call that does not say so must not
/// get what was recorded with any value of it.
#[test]
fn what_is_left_out_is_not_what_is_not_set() {
    for (options, others) in [
        ("--ignore-env A", ""),
        ("--ignore-env A", "--ignore-env A,B"),
        ("--no-env", "--env X"),
        ("--no-env", "--ignore-env *"),
        ("--env B", ""),
        ("--env B", "--env B,C"),
        ("--env B", "--ignore-env A"),
    ] {
        for front in ["0", "1"] {
            let call = cachex().run("echo \"A=[$A]\"").env("CACHEX_FRONT", front).env("B", "2");
            let set = call.clone().env("A", "1");
            set.clone().with(options).once().misses().prints("A=[1]\n");
            call.clone().with(others).once().misses().prints("A=[]\n");
            call.clone().with(others).once().hits().prints("A=[]\n");
            call.with(options).env("A", "3").once().hits().prints("A=[1]\n");
        }
    }
    let bare = cachex().exec(["/bin/sh", "-c", "echo \"A=[$A]\""]);
    let bare = bare.without("HOME").without("LANG").without("PATH").without("TMPDIR").without("TZ");
    bare.clone().env("A", "1").with("--no-env").once().prints("A=[1]\n");
    bare.once().prints("A=[]\n");
}

#[test]
fn names_that_are_added_need_some_to_be_added_to() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    for front in ["0", "1"] {
        let (call, ran) = (call.clone().env("CACHEX_FRONT", front), cachex.runs());
        for call in [call.clone().option("--env", "+A"), call.clone().env("CACHEX_ENV", "+A")] {
            let told = call.once().exits(125).stderr();
            assert!(told.contains("none to add to") && told.contains("the `+` of A"), "{told}");
        }
        assert_eq!(cachex.runs(), ran);
        call.clone().option("--env", "+A").env("CACHEX_ENV", "B").once().exits(0);
        call.option("--ignore-env", "+A").once().exits(0);
    }
}

#[test]
fn a_selection_is_the_same_however_it_is_written() {
    let cachex = cachex();
    let call = cachex.run("echo hi").env("A", "1").env("B", "2");
    let by = |variable: &str, value: &str| call.clone().env(variable, value);
    for (option, variable) in [("--env", "CACHEX_ENV"), ("--ignore-env", "CACHEX_IGNORE_ENV")] {
        let with = |list: &str| call.clone().option(option, list);
        let key = with("A,B").key();
        assert_ne!(call.key(), key);
        for front in ["0", "1"] {
            let same = [
                with("B,A"),
                with("A").option(option, "B"),
                with("B,A,B,A"),
                by(variable, "B,A"),
                by(variable, "A").option(option, "+B"),
            ];
            for same in same {
                assert_eq!(same.env("CACHEX_FRONT", front).key(), key);
            }
            let name = option.trim_start_matches('-');
            for file in [format!("{name} = [\"B\", \"A\"]"), format!("{name} = \"B,A\"")] {
                cachex.config(&file);
                assert_eq!(call.clone().env("CACHEX_FRONT", front).key(), key, "{file}");
            }
            cachex.config("");
        }
    }
    let (none, plain) = (call.clone().with("--no-env").key(), call.key());
    for (file, key) in
        [("no-env = true", &none), ("no-env = false", &plain), ("ignore-env = []", &plain)]
    {
        cachex.config(file);
        assert_eq!(call.key(), *key, "{file}");
    }
    let many: Vec<String> = (10..90).rev().map(|n| format!("V{n}")).collect();
    let mut sorted = many.clone();
    sorted.sort();
    cachex.config("");
    for front in ["0", "1"] {
        let key = |list: &[String]| {
            call.clone().option("--env", list.join(",")).env("CACHEX_FRONT", front).key()
        };
        assert_eq!(key(&many), key(&sorted), "{front}");
        assert_eq!(key(&many[..64]), key(&sorted[16..]), "{front}");
    }
}

#[test]
fn makeflags_count_without_the_jobserver() {
    let cachex = cachex();
    let call = cachex.exec([cachex.tool("hi", "echo hi")]);
    let flags = |flags: &str| call.clone().env("MAKEFLAGS", flags);
    call.once().misses();
    flags("").once().hits();
    flags(" -j4 --jobserver-auth=3,4").once().hits();
    flags(" -j --jobserver-fds=5,6 -j8").once().hits();
    flags(" -j2 --jobserver-auth=fifo:/tmp/GMfifo1").once().hits();
    call.clone().env("MFLAGS", "-j4 --jobserver-auth=3,4").once().hits();
    let cargo = "-j --jobserver-fds=8,9 --jobserver-auth=8,9";
    call.clone().env("CARGO_MAKEFLAGS", cargo).once().hits();

    flags("k").once().misses();
    flags("k -j4 --jobserver-auth=3,4").once().hits();
    flags("k -j4 --jobserver-auth=3,4 -- CC=clang").once().misses();
    flags("k -j9 --jobserver-auth=7,8 -- CC=clang").once().hits();
    flags("k -- CC=gcc").once().misses();
}

#[test]
fn the_command_sees_the_environment_it_was_given() {
    let cachex = cachex();
    let call = cachex.run("env | grep -v '^_=' | sort").env("A", "1\n2").env("EMPTY", "");
    call.behaves_as_bare();
}

#[test]
fn of_a_variable_that_is_there_twice_the_first_counts_for_cachex() {
    let cachex = cachex();
    let call = cachex.run("echo hi").without("CACHEX_DIR");
    let set = |name: &str| [b"CACHEX_DIR=", cachex.path(name).as_os_str().as_bytes()].concat();
    let [one, other] = [["one", "other"], ["other", "one"]]
        .map(|[first, second]| call.clone().entry(set(first)).entry(set(second)));
    one.once().misses();
    assert!(cachex.path("one").exists() && !cachex.path("other").exists());
    one.once().hits();
    one.env("CACHEX_FRONT", "0").once().hits();
    other.once().misses();
    other.once().hits();
}

#[test]
fn the_command_gets_what_is_there_twice_as_it_is() {
    let cachex = cachex();
    let call = |[first, second]: [&str; 2]| {
        cachex.exec(["/usr/bin/env"]).entry(first).entry(second).without("CACHEX_DIR")
    };
    let set = [b"CACHEX_DIR=", cachex.store().as_os_str().as_bytes()].concat();
    for entries in [["V=1", "V=2"], ["V=2", "V=1"], ["V=1", "=V"], ["none", "V=1"]] {
        let call = call(entries).entry(set.clone());
        let bare = call.clone().bare().once();
        call.twice().same_as(&bare);
    }
}
