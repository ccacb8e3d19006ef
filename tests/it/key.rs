//! What makes two invocations one, and what keeps them apart.

use crate::harness::cachex;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

#[test]
fn where_one_argument_ends_matters() {
    let cachex = cachex();
    cachex.tool("args", r#"printf '<%s>' "$@"; printf "$#""#);
    let lists: [(&[&str], &str); 7] = [
        (&["a b"], "<a b>1"),
        (&["a", "b"], "<a><b>2"),
        (&["ab"], "<ab>1"),
        (&["ab", ""], "<ab><>2"),
        (&["", "ab"], "<><ab>2"),
        (&[""], "<>1"),
        (&[], "<>0"),
    ];
    for (args, printed) in lists {
        let call = cachex.exec(["args"].iter().chain(args).copied());
        call.once().misses().prints(printed);
    }
    for (args, printed) in lists {
        let call = cachex.exec(["args"].iter().chain(args).copied());
        call.once().hits().prints(printed);
    }
}

#[test]
fn arguments_are_bytes() {
    let cachex = cachex();
    cachex.tool("args", r#"printf %s "$@""#);
    let of = |bytes: &[u8]| cachex.exec(["args".into(), OsString::from_vec(bytes.to_vec())]);
    of(b"\xff").twice().runs_once().prints(b"\xff");
    of(b"\xfe").twice().runs_once().prints(b"\xfe");
    of("\u{fffd}".as_bytes()).twice().runs_once().prints("\u{fffd}");
    of(b"\n\t\x01").twice().runs_once().prints(b"\n\t\x01");
}

#[test]
fn a_very_long_command_line_works() {
    let long = "x".repeat(100_000);
    let cachex = cachex();
    cachex.tool("count", r#"printf %s "$@" | wc -c"#);
    cachex.exec(["count", &long, &long]).twice().runs_once().prints("200000\n").quietly();
    cachex.exec(["count", &long, &long[1..]]).once().misses().prints("199999\n");
}

#[test]
fn a_free_text_and_a_scope_are_each_a_part() {
    let call = cachex().run("echo hi");
    call.once().misses();
    for option in ["--key", "--scope"] {
        let with = |value| call.clone().option(option, value);
        with("a").twice().runs_once();
        with("b").once().misses();
        with("a b").once().misses();
        with("a").once().hits();
    }
    call.clone().option("--key", "a").option("--scope", "a").once().misses();
    call.clone().option("--key", "aa").option("--scope", "").once().misses();
    call.once().hits();
}

#[test]
fn what_only_concerns_freshness_or_display_is_no_part() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    for options in [
        "--expires-in 1h",
        "--failure-expires-in 1h",
        "--exit-codes 0",
        "--max-entry-size 1GiB",
        "--max-size 1GiB",
        "--no-concurrent",
        "--quiet",
        "--stdin hash",
        "--exe stat",
    ] {
        call.clone().with(options).once().hits();
    }
}

#[test]
fn any_two_different_lists_of_words_are_different() {
    // The unit tests prove this of the key; here the whole way is walked.
    let cachex = cachex();
    let words = ["", "a", "b", "ab", "--", "-x", "a=b", "\n"];
    let mut keys = std::collections::BTreeSet::new();
    for first in words {
        for second in words {
            keys.insert(cachex.exec(["true", first, second]).key());
        }
    }
    assert_eq!(keys.len(), words.len() * words.len());
}
