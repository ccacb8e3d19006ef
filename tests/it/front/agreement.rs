//! The front and the ordinary way agree: the same key, bytes, status, event and place in
//! standard input, whatever the call.

use super::untimed;
use crate::harness::{Cachex, Call, Outcome, cachex, quoted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// What the log of events has gained: of each record all but the time, the cost and the sum.
fn gained(log: &Path, from: usize) -> Vec<Vec<u8>> {
    let bytes = fs::read(log).unwrap_or_default();
    let records = bytes[from.min(bytes.len())..].chunks(64);
    records.map(|it| [&it[..4], &it[16..24], &it[32..]].concat()).collect()
}

#[derive(Clone, Debug)]
struct Case {
    options: Vec<&'static str>,
    form: &'static str,
    command: &'static [&'static str],
    variables: Vec<(&'static str, &'static str)>,
    input: &'static str,
    config: &'static str,
}

const OPTIONS: &[&str] = &[
    "--no-env",
    "--env FOO,LANG",
    "--env=FOO",
    "--env LANG,FOO,FOO2,FOO",
    "--ignore-env FOO2,FO,FOO",
    "--ignore-env FOO",
    "--no-cwd",
    "--exe name",
    "--exe=content",
    "-k one",
    "--key=two",
    "--scope s",
    "--expires-in 1h",
    "-t 2d",
    "--ttl=1w",
    "--failure-expires-in 10m",
    "--refresh-after 30m",
    "--stdin null",
    "--stdin inherit",
    "--quiet",
    "--read-only",
    "--tag x",
    "--jitter 5",
    "--nonsense",
    "--exit-codes 0",
    "--verbose",
    "-v",
    "-t 1h30m",
    "--expires-in 1w2d",
    "--input file",
    "-i ./file",
    "--input link",
    "--input none",
    "--input sub",
    "--input=*",
];

const VARIABLES: &[(&str, &str)] = &[
    ("FOO", "1"),
    ("FOO2", ""),
    ("F", "x"),
    ("MAKEFLAGS", " -j4 --jobserver-auth=3,4"),
    ("MFLAGS", "-k -j2"),
    ("GNUMAKEFLAGS", "k -- A=1 "),
    ("MAKE_TERMOUT", "/dev/pts/1"),
    ("PWD", "/elsewhere"),
    ("DIRENV_DIFF", "x"),
    ("TMUX", "1"),
    ("_", "x"),
    ("CACHEX_KEY", "three"),
    ("CACHEX_QUIET", ""),
    ("CACHEX_QUIET", "yes"),
    ("CACHEX_FORCE", "1"),
    ("CACHEX_EXPIRES_IN", "2h"),
    ("CACHEX_EXPIRES_IN", "a while"),
    ("CACHEX_REFRESH_AFTER", "1h"),
    ("CACHEX_FAILURE_EXPIRES_IN", "1d"),
    ("CACHEX_ENV", "FOO,F"),
    ("CACHEX_ENV", "+FOO"),
    ("CACHEX_IGNORE_ENV", "FOO2"),
    ("CACHEX_NO_ENV", "1"),
    ("CACHEX_NO_CWD", "on"),
    ("CACHEX_NO_CWD", "0"),
    ("CACHEX_VERBOSE", "true"),
    ("CACHEX_STDIN", "null"),
    ("CACHEX_EXE", "name"),
    ("CACHEX_SCOPE", "t"),
    ("CACHEX_INPUT", "file"),
    ("CACHEX_INPUT", "file,sub/file"),
    ("CACHEX_SHELL", "/bin/bash"),
    ("CACHEX_MAX_SIZE", "2GiB"),
    ("XDG_CONFIG_HOME", "relative"),
    ("USER", "somebody"),
];

fn case() -> impl Strategy<Value = Case> {
    let configs = vec![
        "",
        "expires-in = \"1h\"\n",
        "quiet = true\nenv = [\"FOO\", \"LANG\"]\n",
        "verbose = true\n",
        "input = \"file\"\nrefresh-after = \"1h\"\n",
        "[[command]]\nmatch = \"sh*\"\nscope = \"r\"\nno-env = true\n",
        "[[command]]\nmatch = [\"cat\", \"print?*\"]\nkey = \"k\"\nstdin = \"null\"\n",
        "shell = \"bash\"\n[[command]]\nmatch = \"bash *\"\nignore-env = \"FOO\"\n",
        "no-such = 1\n",
        "expires-in = 5\n",
    ];
    let commands: Vec<&[&str]> = vec![
        &["printf", "x"],
        &["printf", "%s", "5", "-u7", "x3"],
        &["sh", "-c", "printf out; printf err >&2; exit 4"],
        &["sh", "-c", "read -r line; printf '%s' \"$line\""],
        &["cat"],
        &["true"],
        &["sh", "-c", "seq 1 3000; echo err >&2"],
        &["cat", "file"],
        &["no-such-command"],
        &[""],
    ];
    (
        subsequence(OPTIONS, 0..4),
        select(vec!["run", "sh", "short"]),
        select(commands),
        subsequence(VARIABLES, 0..5),
        select(vec!["null", "closed", "file", "offset", "pipe"]),
        select(configs),
    )
        .prop_map(|(options, form, command, variables, input, config)| Case {
            options,
            form,
            command,
            variables,
            input,
            config,
        })
}

impl Case {
    fn call(&self, cachex: &Cachex) -> Call {
        let mut call = match self.form {
            "sh" => cachex.sh("printf script; cat"),
            "run" => cachex.exec(self.command),
            _ => cachex.cli([""; 0]).command(self.command.iter().copied()),
        };
        if self.form == "sh" {
            // Options stand in front of the script.
            let script = ["-c", "printf script; cat"];
            call = cachex.cli(["sh"]).with(&self.options.join(" ")).command(script);
        } else {
            call = call.with(&self.options.join(" "));
        }
        for (name, value) in &self.variables {
            call = call.env(name, value);
        }
        // Whoever comes next reads on where the call has left it.
        let file = quoted(cachex.path("work/file"));
        match self.input {
            "closed" => call.stdin_closed(),
            "file" => call.launched_by(&format!("exec <{file}; \"$@\"; echo $?; cat")),
            "offset" => {
                call.launched_by(&format!("exec <{file}; read -r it; \"$@\"; echo $?; cat"))
            }
            "pipe" => call.launched_by("printf 'piped\\nlines\\n' | { \"$@\"; echo $?; cat; }"),
            _ => call,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn it_agrees_with_the_ordinary_way(case in case()) {
        let cachex = cachex();
        cachex.write("work/file", "first\nsecond\nthird\n");
        cachex.write("work/sub/file", "");
        symlink("file", cachex.path("work/link")).unwrap();
        if !case.config.is_empty() {
            cachex.config(case.config);
        }
        let log = cachex.store().join("v2/events");
        let call = case.call(&cachex);
        let done = |front: &str| {
            let before = fs::metadata(&log).map_or(0, |log| log.len());
            let outcome = call.clone().env("CACHEX_FRONT", front).once();
            (outcome, gained(&log, before as usize))
        };
        let recorded = done("0");
        for _ in 0..2 {
            let (ordinary, expected) = done("0");
            let (front, noted) = done("1");
            let told = |it: &Outcome| (it.stdout(), untimed(it.stderr()), it.status(), it.executions());
            prop_assert_eq!(told(&front), told(&ordinary), "{}", call);
            // A run takes as long as it takes.
            if ordinary.executions() == 0 && recorded.0.succeeded() {
                prop_assert_eq!(noted.iter().map(|it| &it[..4]).collect::<Vec<_>>(),
                    expected.iter().map(|it| &it[..4]).collect::<Vec<_>>());
                let are_hits = expected.iter().all(|it| it[3] == 1);
                prop_assert!(!are_hits || noted == expected);
            }
        }
    }
}
