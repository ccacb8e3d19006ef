//! Mistakes on the command line: a message that names the option, shows what
//! was given and says what is accepted; nothing is run.

use crate::harness::{Call, cachex};
use std::fs;

/// The call is refused before anything happens.
#[track_caller]
fn refuses(call: &Call, words: &[&str]) {
    let outcome = call.once().runs(0).exits(125).prints("").mentions(words);
    assert!(!outcome.world().store().exists(), "{call} made a store");
}

#[test]
fn an_unknown_option() {
    refuses(&cachex().run("echo hi").with("--no-such-option"), &["--no-such-option"]);
    refuses(&cachex().cli(["run", "-Z", "--", "true"]), &["-Z"]);
}

#[test]
fn a_misspelt_option_is_answered_with_the_right_one() {
    let call = cachex().run("echo hi").option("--expire-in", "2s");
    refuses(&call, &["--expire-in", "--expires-in"]);
}

#[test]
fn no_command() {
    refuses(&cachex().cli(["run"]), &["CMD"]);
    refuses(&cachex().cli(["run", "--"]), &["CMD"]);
    refuses(&cachex().cli(["run", "--expires-in", "2s"]), &["CMD"]);
}

#[test]
fn an_option_without_its_value() {
    refuses(&cachex().cli(["run", "--expires-in"]), &["--expires-in"]);
}

#[test]
fn a_malformed_duration() {
    for option in ["--expires-in", "--failure-expires-in"] {
        for value in [
            "0s",
            "-1s",
            "2 fortnights",
            "",
            "10",
            "soon",
            "99999999999999999999s",
            "999999999999999y",
        ] {
            let given = format!("{option}={value}");
            let call = cachex().cli(["run", &given]).command(["true"]);
            refuses(&call, &[option, value, "1h 30m"]);
        }
    }
}

#[test]
fn a_malformed_size() {
    for option in ["--max-entry-size", "--max-size"] {
        for value in ["big", "-1", "10XB", "", "1e400GiB"] {
            let call = cachex().cli(["run", &format!("{option}={value}")]).command(["true"]);
            refuses(&call, &[option, value, "GiB"]);
        }
    }
}

#[test]
fn a_store_that_may_take_next_to_nothing() {
    for value in ["0", "1", "999999", "900kB"] {
        let given = format!("--max-size={value}");
        refuses(&cachex().cli(["run", &given]).command(["true"]), &["--max-size", value, "1MB"]);
        let call = cachex().cli(["run"]).command(["true"]).env("CACHEX_MAX_SIZE", value);
        refuses(&call, &["CACHEX_MAX_SIZE", "1MB"]);
        cachex().cli(["prune", &given]).once().exits(2);
    }
    for value in ["0", "-1", "few", ""] {
        let given = format!("--max-entries={value}");
        refuses(&cachex().cli(["run", &given]).command(["true"]), &["--max-entries", "above zero"]);
    }
}

#[test]
fn a_malformed_list_of_exit_codes() {
    for value in ["256", "3-1", "x", "", "0,", "0--3", "1-", "-1"] {
        let call = cachex().cli(["run", &format!("--exit-codes={value}")]).command(["true"]);
        refuses(&call, &["--exit-codes", value, "all"]);
    }
}

#[test]
fn a_malformed_glob() {
    refuses(&cachex().run("echo hi").option("--ignore-env", "A,[B"), &["--ignore-env", "[B"]);
}

#[test]
fn a_name_that_no_variable_can_have() {
    refuses(&cachex().run("echo hi").option("--env", "A=B"), &["--env", "A=B", "HOME,LANG"]);
    let call = cachex().run("echo hi").env("CACHEX_ENV", "A,=B");
    refuses(&call, &["CACHEX_ENV", "A,=B", "HOME,LANG"]);
}

#[test]
fn a_word_that_is_not_one_of_the_choices() {
    refuses(
        &cachex().run("echo hi").with("--exe md5"),
        &["--exe", "md5", "stat", "content", "name"],
    );
    refuses(
        &cachex().run("echo hi").with("--stdin file"),
        &["--stdin", "file", "hash", "null", "inherit"],
    );
}

#[test]
fn a_malformed_variable_names_the_variable() {
    for (variable, value) in [
        ("CACHEX_EXPIRES_IN", "soon"),
        ("CACHEX_FAILURE_EXPIRES_IN", "0s"),
        ("CACHEX_EXIT_CODES", "3-1"),
        ("CACHEX_EXE", "md5"),
        ("CACHEX_STDIN", "file"),
        ("CACHEX_MAX_ENTRY_SIZE", "big"),
        ("CACHEX_MAX_SIZE", "big"),
        ("CACHEX_IGNORE_ENV", "[B"),
    ] {
        refuses(&cachex().run("echo hi").env(variable, value), &[variable, value]);
    }
}

#[test]
fn a_cache_directory_that_is_no_directory() {
    let cachex = cachex();
    let file = cachex.write("file", "precious");
    let shown = file.to_str().unwrap();
    refuses(&cachex.run("echo hi").option("--cache-dir", &file), &["--cache-dir", shown]);
    refuses(
        &cachex.run("echo hi").option("--cache-dir", file.join("below")),
        &["--cache-dir", shown],
    );
    assert_eq!(fs::read_to_string(file).unwrap(), "precious");
}

#[test]
fn a_cache_directory_that_cannot_be_created() {
    let call = cachex().run("echo hi").option("--cache-dir", "/proc/no/such");
    refuses(&call, &["--cache-dir", "/proc/no/such"]);
    refuses(&cachex().run("echo hi").option("--cache-dir", ""), &["--cache-dir"]);
}

#[test]
fn the_messages_are_not_silenced() {
    refuses(&cachex().run("echo hi").with("--quiet --expires-in soon"), &["--expires-in", "soon"]);
}

#[test]
fn an_argument_that_is_not_text_is_shown_all_the_same() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let value = OsStr::from_bytes(b"2\xff");
    refuses(&cachex().run("echo hi").option("--expires-in", value), &["--expires-in"]);
}

#[test]
fn the_other_verbs_answer_with_status_2() {
    let cachex = cachex();
    cachex.cli(["forget", "--older-than", "soon"]).once().exits(2).mentions(&["soon"]);
    cachex.cli(["forget"]).once().exits(2).mentions(&["CMD"]);
    cachex.cli(["clear", "--no-such-option"]).once().exits(2).mentions(&["--no-such-option"]);
    cachex.cli(["no-such-verb"]).once().exits(2).mentions(&["no-such-verb"]);
}

#[test]
fn a_folder_in_a_variable_that_depends_on_the_working_directory() {
    for value in ["caches", "./caches", "../caches", "~", "~/", "~somebody/caches"] {
        let cachex = cachex();
        let call = cachex.run("echo hi").env("CACHEX_DIR", value);
        refuses(&call, &["CACHEX_DIR", value]);
        cachex.cli(["list"]).env("CACHEX_DIR", value).once().exits(2).mentions(&["CACHEX_DIR"]);
        assert_eq!(fs::read_dir(cachex.work()).unwrap().count(), 0);
    }
    let call = cachex().run("echo hi").env("CACHEX_DIR", "~/caches").without("HOME");
    refuses(&call, &["CACHEX_DIR", "HOME is not set"]);
    let call = cachex().cli(["run", "--cache-dir=~somebody/caches"]).command(["true"]);
    refuses(&call, &["--cache-dir", "~somebody/caches"]);
}

#[test]
fn what_cannot_mean_anything() {
    let cachex = cachex();
    let run = |args: &[&str]| cachex.cli([&["run"], args].concat()).command(["true"]);
    for value in ["", " ", "\t"] {
        refuses(&run(&["--input-command", value]), &["--input-command", "git rev-parse HEAD"]);
    }
    for value in [" ", "A B", "$HOME", "A,", "A,,B"] {
        refuses(&run(&["--env", value]), &["--env", "HOME,LANG"]);
    }
    for value in [" ", "A=*", "A*,"] {
        refuses(&run(&["--ignore-env", value]), &["--ignore-env", "AWS_*"]);
    }
    refuses(&run(&["--input", "a", "--input", "!a"]), &["--input a", "--input '!a'"]);
    refuses(&run(&["--input", "!a"]), &["only exclusions", "--input"]);
    refuses(&run(&["--no-ignore"]), &["--no-ignore", "--input"]);
    for option in ["--input", "--output"] {
        refuses(&run(&[&format!("{option}=~/x")]), &[option, "~/x", "home folder"]);
    }
}
