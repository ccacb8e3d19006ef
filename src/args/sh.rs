//! The options of `sh`, and which of its arguments are the shell's own.
//!
//! The first that begins with a single dash or a plus is the shell's, and so is all that
//! follows: flags, `-c`, the script and its arguments. They are passed on as they
//! stand, so that `cachex sh -ec SCRIPT` is `cachex run -- /bin/sh -ec SCRIPT`.

use cachex_base::text::quote::word;
use clap::builder::StyledStr;
use clap::{Arg, ValueHint};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// The usage line.
pub const USAGE: &str = "cachex sh [OPTIONS] [-eux…] [-o NAME]… -c <SCRIPT> [ARG0 [ARG]…]";

/// The text below the help.
pub const AFTER: &str = "\
This is `cachex run --stdin null OPTIONS -- /bin/sh -c SCRIPT`, and shares results with
it; `explain`, `show` and `forget` know them by that command. Options of cachex come
first; flags such as -e, -ec or -euo pipefail are passed on to the shell.

The script gets no standard input unless --stdin says otherwise: make gives its own to
any one of several jobs, and it may be a pipe that never ends.

Exit status: as for `cachex run`; 125 also if there is no script.

Caching the recipes of one rule in a Makefile, line by line:

  build/%.o: private SHELL = cachex
  build/%.o: private .SHELLFLAGS = sh -c
  build/%.o: export CACHEX_INPUT = $^ *.h
  build/%.o: export CACHEX_OUTPUT = $@
  build/%.o: %.c
  \tmkdir -p $(@D) && $(CC) $(CFLAGS) -c -o $@ $<

Examples:
  cachex sh --expires-in 10m -c 'du -sh * | sort -h'
  cachex sh --shell bash --key \"$(git rev-parse HEAD)\" -euo pipefail -c 'make report | tail -n 3'
  cachex sh --stdin hash -c 'sort | uniq -c' <access.log";

/// Tells of what `sh` has in common with `run` as `sh` has it.
pub fn told(arg: Arg) -> Arg {
    // What has one dash is the shell's.
    let arg = if arg.get_short() == Some('h') { arg } else { arg.short(None) };
    let hint = ValueHint::Other;
    match arg.get_id().as_str() {
        "command" => {
            let help = "Flags of the shell, -c, the script, and what it finds as $0, $1 and so on";
            arg.required(false).value_name("SHELL ARGUMENTS").value_hint(hint).help(help)
        }
        "stdin" => {
            let help = arg.get_help().map(StyledStr::to_string).unwrap_or_default();
            arg.help(help.replace("hash", "null").replace("command", "script"))
        }
        _ => arg,
    }
}

/// Puts a `--` before the shell's own arguments, which clap would take for its own.
pub fn delimit(args: &mut Vec<OsString>, from: usize) {
    let ends = |arg: &OsString| arg == "--" || is_the_shells(arg.as_bytes());
    let Some(at) = args.iter().skip(from).position(ends).map(|at| at + from) else { return };
    if args[at] != "--" {
        args.insert(at, "--".into());
    }
}

/// Returns whether the shell's own arguments begin with `arg`, where there is no `--` before
/// them. `-h` is a call for help.
pub fn is_the_shells(arg: &[u8]) -> bool {
    matches!(arg, [b'-' | b'+', letter, ..] if letter.is_ascii_alphabetic()) && arg != b"-h"
}

/// Checks the shell's own arguments, and returns what is wrong with them. The flags must
/// include `-c`, and a script must follow them.
pub fn check(args: &[OsString]) -> Result<(), String> {
    let mut rest = args.iter();
    let mut has_c = false;
    let script = loop {
        let Some(arg) = rest.next() else { break None };
        let bytes = arg.as_bytes();
        match bytes {
            b"-" | b"--" => break rest.next(),
            [sign @ (b'-' | b'+'), letters @ ..] if is_cluster(letters) => {
                has_c |= *sign == b'-' && letters.contains(&b'c');
                let names = letters.iter().filter(|letter| b"oO".contains(letter)).count();
                rest.by_ref().take(names).for_each(drop);
            }
            [b'-', b'-', ..] => {
                return Err(format!(
                    "`{}` is behind a flag of the shell; options of cachex come before these",
                    word(bytes)
                ));
            }
            [b'-', ..] => return Err(format!("`{}` is no flag of a shell", word(bytes))),
            _ => break Some(arg),
        }
    };
    match (has_c, script) {
        (true, Some(_)) => Ok(()),
        (true, None) => Err("there is no script behind -c".to_owned()),
        (false, Some(file)) => Err(format!(
            "a script is given by -c; a file is run by `cachex run -- /bin/sh {}`",
            word(file.as_bytes())
        )),
        (false, None) => Err("there is no script; it is given by -c".to_owned()),
    }
}

fn is_cluster(letters: &[u8]) -> bool {
    !letters.is_empty() && letters.iter().all(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn a_script_stands_behind_the_flags() {
        for line in [
            "-c true",
            "-ec true zero one --two -c",
            "-euo pipefail -c true",
            "-euo pipefail -O extglob -c true",
            "-oec pipefail true",
            "-c -e true",
            "-c +e +1",
            "+e -c true",
            "-c -- -x",
            "-h -c true",
        ] {
            assert_eq!(check(&words(line)), Ok(()), "{line}");
        }
    }

    #[test]
    fn without_a_script_it_is_said_what_is_missing() {
        for (line, why) in [
            ("", "no script; it is given by -c"),
            ("-e", "no script; it is given by -c"),
            ("-c", "no script behind -c"),
            ("-oc pipefail", "no script behind -c"),
            ("-c --", "no script behind -c"),
            ("file.sh -c true", "/bin/sh file.sh"),
            ("+c true", "/bin/sh true"),
            ("-e --no-cwd -c true", "`--no-cwd` is behind a flag"),
            ("-1 -c true", "`-1` is no flag"),
        ] {
            let said = check(&words(line)).unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    }

    #[test]
    fn the_shells_arguments_are_told_from_the_others() {
        for (line, delimited) in [
            ("--no-cwd -c true --quiet", "--no-cwd -- -c true --quiet"),
            ("--key a -ec true", "--key a -- -ec true"),
            ("--key a +e -c true", "--key a -- +e -c true"),
            ("-- -c true", "-- -c true"),
            ("-h", "-h"),
            ("--help", "--help"),
        ] {
            let mut args = words(line);
            delimit(&mut args, 0);
            assert_eq!(args, words(delimited));
        }
    }
}
