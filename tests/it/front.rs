//! A hit before the C library starts: what is answered there, what is passed on, and that
//! nobody can tell one from the other.
#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_feature = "crt-static"
))]

mod agreement;

use crate::harness::{Cachex, Call, World, cachex, quoted};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};

/// Why a call is passed on, if it is.
fn why(call: &Call) -> Option<String> {
    let said = call.clone().env("CACHEX_FRONT", "trace").once().stderr();
    said.lines().find_map(|line| line.strip_prefix("cachex: passed on: ").map(str::to_owned))
}

#[track_caller]
fn is_answered(call: &Call) {
    call.clone().env("CACHEX_FRONT", "0").once();
    assert_eq!(why(call), None, "{call}");
    call.clone().once().runs(0);
}

/// A call whose standard input is a pipe with two lines in it that nobody writes to any more.
/// What it leaves is printed behind what it prints.
fn piped(cachex: &Cachex, script: &str) -> Call {
    let fifo = r#"exec < <(printf 'first\nsecond\n'); wait $!; "$@"; cat"#;
    cachex.run(script).launched_by(&format!("exec bash -c {} bash \"$@\"", quoted(fifo)))
}

#[test]
fn what_is_plain_is_answered() {
    let cachex = cachex();
    cachex.write("work/file", "some text\n");
    cachex.write("work/work.d/x", "");
    cachex.tool("tool", "printf found");
    for options in [
        "",
        "--expires-in 1h",
        "-t 1h --refresh-after=30m",
        "--env LANG,FOO",
        "--ignore-env=LANG --no-cwd",
        "--no-env --exe name --key k --scope s",
        "--quiet --read-only --no-concurrent --lock-timeout 5s",
        "--stdin null",
        "--stdin inherit",
        "--expires-in 1h30m --input file",
        "-i work.d/x -v",
    ] {
        is_answered(&cachex.run("printf out; printf err >&2; exit 3").with(options));
    }
    is_answered(&cachex.exec(["tool", "-n", "5"]));
    is_answered(&cachex.sh("printf script"));
    is_answered(&cachex.cli(["--no-cwd"]).command(["printf", "short"]));
    is_answered(&cachex.run("cat").stdin_from(cachex.path("work/file"), 5));
    is_answered(&cachex.run("printf closed").stdin_closed());
    is_answered(&piped(&cachex, "cat; printf read"));
    is_answered(&piped(&cachex, "read -r first; printf '%s' \"$first\""));
    is_answered(&cachex.run("printf made").env("MAKEFLAGS", " -j4 --jobserver-auth=3,4"));
    is_answered(&cachex.run("printf none").env("CACHEX_CONFIG", "").env("CACHEX_QUIET", ""));
    let elsewhere = cachex.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, cachex.path("link")).unwrap();
    fs::write(elsewhere.join("x"), "").unwrap();
    let linked = cachex.executable("elsewhere/linked", "#!/bin/sh\nprintf linked\n");
    symlink(linked, cachex.path("work/program")).unwrap();
    is_answered(&cachex.exec(["./program"]));
    is_answered(&cachex.exec(["../link/../link/./linked"]));
}

#[test]
fn what_is_not_is_passed_on() {
    let cachex = cachex();
    let plain = cachex.run("printf plain");
    assert_eq!(why(&plain).as_deref(), Some("there is no store"));
    assert_eq!(why(&cachex.run("printf other")).as_deref(), Some("there is no recent entry"));
    is_answered(&plain);
    let passed_on = |call: Call, expected: &str| {
        call.clone().env("CACHEX_FRONT", "0").once();
        assert_eq!(why(&call).as_deref(), Some(expected), "{call}");
    };
    cachex.write("work/file", "");
    symlink("file", cachex.path("work/link")).unwrap();
    passed_on(plain.clone().with("--input link"), "an input is not a file");
    passed_on(plain.clone().with("--input ."), "arguments");
    let named = cachex.exec(["printf", "file"]).with("-v");
    passed_on(named, "an argument names a file that is not part of the key");
    for options in ["--exe content", "--tag x", "--env A*", "--expires-in 1y", "--input f*"] {
        passed_on(plain.clone().with(options), "arguments");
    }
    for (name, value) in [
        ("CACHEX_TAG", "x"),
        ("CACHEX_EXPIRES_IN", "1y"),
        ("CACHEX_ENV", "A*"),
        ("CACHEX_INPUT", "file,work"),
        ("CACHEX_NO_CWD", "0"),
    ] {
        passed_on(plain.clone().env(name, value), "a variable of cachex");
    }
    let both = plain.clone().env("CACHEX_EXPIRES_IN", "1h").env("CACHEX_REFRESH_AFTER", "2h");
    assert_eq!(why(&both).as_deref(), Some("a result would expire before it is refreshed"));
    passed_on(cachex.exec(["printf", "/dev/fd/9"]), "an argument names a descriptor");
    cachex.executable("work/program", "#!/bin/sh\nprintf it\n");
    let long = format!("{}program", "./".repeat(600));
    passed_on(cachex.exec([long.as_str()]), "something is too long");
    passed_on(
        plain.clone().launched_by(r#"ulimit -f 100000; exec "$@""#),
        "the process is restricted",
    );
    passed_on(cachex.run("head -c 150000 /dev/zero"), "the entry is not a plain one");
    passed_on(plain.clone().launched_by(r#"exec "$@" >&-"#), "an output is closed");
    for text in [
        "tag = \"x\"",
        "expires-in = '1h'",
        "expires-in = \"1\\u0068\"",
        "ttl = \"1h\"",
        "no-cwd = false",
        "input = [\"file\"]",
        "env = [\"A,B\"]",
        "refresh-after = \"1h\"\nexpires-in = \"1h\"",
        "[[command]]\nmatch = \"**\"",
        "[[command]]\nmatch = \"s[h]*\"",
        "[[command]]\nmatch = \"other\"\nshell = \"bash\"",
        "[[command]]\nexpires-in = \"1h\"",
        "quiet = true\r\n",
        "quiet = true # \u{e9}",
        "quiet = true\nquiet = true",
    ] {
        cachex.config(format!("{text}\n"));
        passed_on(plain.clone(), "the configuration file is not plain");
    }
    cachex.config(format!("#{}\n", " ".repeat(8 * 1024)));
    passed_on(plain.clone(), "the configuration file is long");
    let file = cachex.config("quiet = true\n");
    is_answered(&plain);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
    passed_on(plain.clone(), "the configuration file is not to be trusted");
}

/// Each of them, and that a flag counts for more and the file for less.
#[test]
fn variables_that_stand_for_options_are_read() {
    let cachex = cachex();
    cachex.write("work/file", "text\n");
    for variables in [
        &[("CACHEX_EXPIRES_IN", "1h"), ("CACHEX_REFRESH_AFTER", "30m")][..],
        &[("CACHEX_ENV", "A,LANG"), ("CACHEX_VERBOSE", "1")],
        &[("CACHEX_IGNORE_ENV", "A"), ("CACHEX_QUIET", "on"), ("CACHEX_NO_CWD", "yes")],
        &[("CACHEX_KEY", "k"), ("CACHEX_SCOPE", "s"), ("CACHEX_EXE", "name")],
        &[("CACHEX_INPUT", "file"), ("CACHEX_MAX_SIZE", "1GiB"), ("CACHEX_NO_ENV", "true")],
        &[("CACHEX_STDIN", "null"), ("CACHEX_SHELL", "/bin/bash"), ("CACHEX_TIMEOUT", "1h")],
        &[("CACHEX_NO_CONCURRENT", "1"), ("CACHEX_LOCK_TIMEOUT", "1s")],
        &[("CACHEX_FAILURE_EXPIRES_IN", "1d"), ("CACHEX_STALE_IF_ERROR", "1d")],
    ] {
        let set = |call: Call| {
            variables.iter().fold(call.env("A", "1"), |call, (name, value)| call.env(name, value))
        };
        is_answered(&set(cachex.run("printf x")));
        is_answered(&set(cachex.sh("printf y; exit 3")));
    }
    cachex.config("scope = \"file\"\n");
    let call = cachex.run("printf x");
    let key = |call: &Call| {
        let key = call.clone().env("CACHEX_FRONT", "0").key();
        is_answered(call);
        assert_eq!(call.clone().env("CACHEX_FRONT", "1").key(), key, "{call}");
        key
    };
    let by_file = key(&call);
    let by_variable = key(&call.clone().env("CACHEX_SCOPE", "variable"));
    let by_flag = key(&call.clone().env("CACHEX_SCOPE", "variable").with("--scope flag"));
    assert_eq!(by_flag, key(&call.clone().with("--scope flag")));
    assert!(by_file != by_variable && by_variable != by_flag);
}

#[test]
fn a_plain_configuration_is_read() {
    let cachex = cachex();
    cachex.write("work/file", "text\n");
    for text in [
        "",
        "# a comment\n\n  expires-in=\"1h\"\t# another\n",
        "env = [\"A\" , \"B\"]\nno-cwd = true\nstdin = \"inherit\"",
        "ignore-env = \"A,B\"\nkey = \"k, #\"\nscope = \"s\"\nexe = \"name\"",
        "input = \"file\"\nverbose = true",
        "max-size = \"1GiB\"\ntimeout = \"1h 30m\"\nlock-timeout = \"2s\"",
        "[[command]]\nmatch = \"sh *\"\nexpires-in = \"1d\"\nenv = \"A\"\n[[command]]\nmatch = [\"x\", \"y*\"]\nkey = \"n\"",
        "no-env = true\n[[command]] # one\nmatch = \"s? -c*x\"\nignore-env = \"A\"",
    ] {
        cachex.config(text);
        is_answered(&cachex.run("printf x").env("A", "1"));
        is_answered(&cachex.sh("printf x"));
    }
    let elsewhere = cachex.write("elsewhere.toml", "expires-in = \"1h\"\n");
    is_answered(&cachex.run("printf named").env("CACHEX_CONFIG", elsewhere));
}

/// What a rule or a line of the file says, the front takes for the same as everybody: each
/// of these makes another key, or another answer.
#[test]
fn a_configuration_that_changes_changes_the_answer() {
    let cachex = cachex();
    let call = cachex.exec(["printf", "x"]).env("A", "1");
    let file = |text: &str| {
        cachex.config(text);
        let key = call.clone().env("CACHEX_FRONT", "0").key();
        assert_eq!(call.clone().env("CACHEX_FRONT", "1").key(), key, "{text}");
        key
    };
    let rule = |glob: &str| format!("[[command]]\nmatch = {glob}\nscope = \"s\"\n");
    let plain = file("");
    let scoped = file("scope = \"s\"\n");
    for glob in ["\"printf*\"", "\"*\"", "\"pr?ntf x\"", "\"*x\"", "[\"a\", \"p*f *\"]"] {
        assert_eq!(file(&rule(glob)), scoped, "{glob}");
    }
    for glob in ["\"printf\"", "\"?\"", "\"printf,*\"", "\"x*\"", "[\"*y\", \"q\"]"] {
        assert_eq!(file(&rule(glob)), plain, "{glob}");
    }
    let many = "[[command]]\nmatch = \"*\"\nscope = \"t\"\n";
    assert_eq!(file(&format!("scope = \"u\"\n{many}{}", rule("\"p*\""))), scoped);
    assert_ne!(file(&format!("{}{many}", rule("\"p*\""))), scoped);
}

#[test]
fn long_outputs_are_shown_whole_or_not_at_all() {
    let cachex = cachex();
    for len in [2048, 2049, 5000, 100_000, (128 << 10) - 1] {
        let call = cachex.run(&format!("head -c {len} /dev/zero | tr '\\0' x; printf y >&2"));
        is_answered(&call);
        let bare = call.clone().bare().once();
        call.once().runs(0).same_as(&bare);
    }
    let call = cachex.run("seq 1 1000");
    is_answered(&call);
    let bare = call.clone().bare().once();
    for blob in cachex.stored_in("v2/blobs") {
        let path = cachex.store().join(blob);
        let mut bytes = fs::read(&path).unwrap();
        bytes[1000] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(why(&call).as_deref(), Some("the output is damaged"));
    call.once().same_as(&bare);
}

#[test]
fn verbose_says_the_same() {
    let cachex = cachex();
    cachex.write("work/file", "");
    let call = cachex.exec(["printf", "%s", "--x=", "file"]).with("-v --input file");
    is_answered(&call);
    let said = |front: &str| untimed(call.clone().env("CACHEX_FRONT", front).once().stderr());
    assert!(said("1").starts_with("cachex: hit "), "{}", said("1"));
    assert_eq!(said("1"), said("0"));
    // Nobody reads it, or it takes nothing.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    call.spawn_complaining_into(writer).ends().exits(0).runs(0).prints("--x=file");
    let (_reader, mut writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'.'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    call.spawn_complaining_into(writer).ends().exits(0).runs(0).prints("--x=file");
}

/// What was said, without the times in it.
fn untimed(said: impl AsRef<str>) -> String {
    let is_time = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    let words = said.as_ref().split_inclusive([' ', '\n']);
    words.map(|word| if is_time(&word) && word.len() < 12 { "TIME " } else { word }).collect()
}

#[test]
fn it_can_be_switched_off() {
    let cachex = cachex();
    let call = cachex.run("printf x");
    is_answered(&call);
    call.env("CACHEX_FRONT", "0").twice().runs(0).prints("x").quietly();
}

#[test]
fn what_has_expired_is_run_again() {
    let cachex = cachex();
    let call = cachex.run("printf x").expires_in("1h");
    call.clone().before("2h").once().runs_once();
    assert_eq!(why(&call).as_deref(), Some("the entry has expired"));
    call.once().runs(0);
    let failure = cachex.run("exit 3");
    failure.clone().before("2m").once().runs_once();
    failure.once().runs_once();
    failure.once().runs(0).exits(3);
    let future = cachex.run("printf later");
    future.clone().after("1h").once().runs_once();
    assert_eq!(why(&future).as_deref(), Some("the entry is of the future"));
}

/// The file of the only recent entry.
fn only_entry(world: &World) -> std::path::PathBuf {
    let entries = world.stored_in("v2/young");
    assert_eq!(entries.len(), 1);
    world.store().join(&entries[0])
}

#[test]
fn a_damaged_entry_is_not_shown_and_no_descriptor_is_left() {
    let cachex = cachex();
    let call = cachex.exec(["sh", "-c", "ls /proc/self/fd"]);
    let bare = call.clone().bare().once();
    call.once().same_as(&bare);
    let entry = only_entry(&cachex);
    let whole = fs::read(&entry).unwrap();
    for at in 0..whole.len() {
        if at % 16 == 0 {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            fs::write(&entry, &damaged).unwrap();
            assert_eq!(why(&call).as_deref(), Some("the entry is damaged"), "byte {at}");
        }
    }
    call.once().same_as(&bare);
    assert_eq!(why(&call), None);
}

#[test]
fn a_fold_that_is_due_is_left_to_who_can_start_it() {
    let cachex = cachex();
    let call = cachex.run("printf x");
    is_answered(&call);
    let log = File::options().write(true).open(cachex.store().join("v2/events")).unwrap();
    log.set_len(128 * 1024 - 64).unwrap();
    assert_eq!(why(&call).as_deref(), Some("a fold is due"));
    cachex.awaits_quiet();
    assert_eq!(why(&call), None);
}

/// A second stream that takes nothing for now, after the first was shown: whoever goes on
/// shows the rest and nothing twice.
#[test]
fn what_was_shown_is_not_shown_again() {
    let cachex = cachex();
    let gate = cachex.gate("seen");
    let call = cachex.run(&format!("printf out; {gate}; printf err >&2"));
    let recording = call.spawn();
    recording.shows("out");
    cachex.opens("seen");
    recording.ends().runs_once();
    is_answered(&call);
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'.'; 4096]).is_ok() {}
    let full = rustix::io::ioctl_fionread(&reader).unwrap();
    let running = call.env("CACHEX_FRONT", "1").spawn_complaining_into(writer.try_clone().unwrap());
    running.shows("out");
    drop(writer);
    let mut taken = Vec::new();
    reader.read_to_end(&mut taken).unwrap();
    running.ends().exits(0).runs(0).prints("out");
    assert_eq!(taken[full as usize..], *b"err");
}

#[test]
fn both_streams_in_one_pipe_keep_their_order() {
    let cachex = cachex();
    let apart = cachex.run("printf a; printf b >&2; printf c");
    is_answered(&apart);
    let one = apart.clone().merged();
    one.clone().env("CACHEX_FRONT", "0").once().runs_once();
    assert_eq!(one.once().runs(0).stdout(), "abc");
    // Recorded with other outputs: each has the place of the other now.
    apart.once().runs_once().prints("ac").says("b");
}
