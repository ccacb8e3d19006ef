//! The arguments of `run` and `sh`, read without clap.
//!
//! Building clap's commands costs more than all the rest of a hit. This reader
//! knows the long options, each as often as it may be given, and their
//! well-formed values.
//! Whatever else it meets, a mistake or a call for help included, it leaves to
//! clap, which says everything that is ever said about arguments.

use crate::args::{self, Called, RUN, SH, ShArgs, sh};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The arguments after this verb; none if clap is to read them.
pub fn read(verb: &str, args: &[OsString]) -> Option<Called> {
    let (mut called, at) = options(verb, args)?;
    called.run_mut().command = args[at..].to_vec();
    Some(called)
}

/// Reads the arguments after this verb, or has clap read them.
pub fn read_or_parse(verb: &str, args: &[OsString]) -> Result<Option<Called>, clap::Error> {
    if let Some(called) = read(verb, args) {
        return Ok(Some(called));
    }
    let whole = ["cachex".into(), verb.into()].into_iter().chain(args.iter().cloned());
    Ok(args::parse(whole.collect())?.called())
}

/// Reads all arguments of this process, of which the second is the verb; none if clap is to
/// read them. The command is moved out of `args`: a copy of it is an expensive part of a hit.
pub fn take(args: &mut Vec<OsString>) -> Option<Called> {
    if args::is_short_form(args.get(1..)?) {
        args.insert(1, RUN.into());
    }
    let (verb, after) = args.get(1..)?.split_first()?;
    let (mut called, at) = options(verb.to_str()?, after)?;
    called.run_mut().command = args.split_off(2 + at);
    Some(called)
}

/// The options, and where the command begins.
fn options(verb: &str, args: &[OsString]) -> Option<(Called, usize)> {
    let is_script = match verb {
        RUN => false,
        SH => true,
        _ => return None,
    };
    let mut script = ShArgs::default();
    let mut rest = args.iter();
    loop {
        let arg = rest.as_slice().first()?.as_bytes();
        if is_script && sh::is_the_shells(arg) || !is_script && !arg.starts_with(b"-") {
            break;
        }
        rest.next();
        if arg == b"--" {
            break;
        }
        let (name, glued) = match arg {
            [b'-', b'-', option @ ..] => {
                let equals = option.iter().position(|&byte| byte == b'=');
                let (name, value) = match equals {
                    Some(at) => (&option[..at], Some(OsStr::from_bytes(&option[at + 1..]))),
                    None => (option, None),
                };
                (str::from_utf8(name).ok()?, value)
            }
            // `run` alone has these.
            [b'-', letter] => (ShArgs::letter(char::from(*letter))?, None),
            _ => return None,
        };
        if let Some(switch) = script.switch(name) {
            if *switch || glued.is_some() {
                return None;
            }
            *switch = true;
            continue;
        }
        let value = match glued {
            Some(value) => value,
            // A value that looks like an option is most likely a forgotten one.
            None => rest.next().filter(|next| !next.as_bytes().starts_with(b"-"))?,
        };
        if value.is_empty() {
            return None;
        }
        if is_script { script.set(name, value)? } else { script.run.set(name, value)? }
    }
    let command = rest.as_slice();
    if script.contradicts_itself() || command.is_empty() {
        return None;
    }
    if is_script {
        sh::check(command).ok()?;
    }
    let at = args.len() - command.len();
    if !is_script && args::is_a_pattern_spread_out(args, at) {
        return None;
    }
    Some((if is_script { Called::Sh(script) } else { Called::Run(script.run) }, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;
    use proptest::prelude::*;

    fn by_clap(verb: &str, args: &[OsString]) -> Option<Called> {
        let whole = ["cachex".into(), verb.into()].into_iter().chain(args.iter().cloned());
        args::parse(whole.collect()).ok()?.called()
    }

    fn argument() -> impl Strategy<Value = OsString> {
        let options: Vec<String> = Cli::command()
            .find_subcommand(SH)
            .unwrap()
            .get_arguments()
            .filter_map(|arg| arg.get_long())
            .map(|long| format!("--{long}"))
            .collect();
        let values = [
            "2s",
            "0s",
            "never",
            "1h 30m",
            "1m",
            "name",
            "content",
            "hash",
            "null",
            "0,2",
            "all",
            "A,B",
            "A*",
            "[",
            "5GiB",
            "x",
            "",
            "7",
            "10%",
            "auto",
            "read-only",
        ];
        let words = [
            "--",
            "-",
            "-x",
            "-t",
            "-f",
            "-v",
            "-i",
            "--ttl",
            "--single-flight",
            "--nonsense",
            "--help",
            "cmd",
            "arg",
            "--no-cwd=1",
            "-V",
            "-h",
        ];
        let shells = ["-c", "-ec", "-euo", "pipefail", "-o", "+e"];
        let option = proptest::sample::select(options);
        let value = proptest::sample::select(values.to_vec());
        prop_oneof![
            3 => option.clone().prop_map(OsString::from),
            3 => (option, value.clone()).prop_map(|(option, value)| format!("{option}={value}").into()),
            3 => value.prop_map(OsString::from),
            2 => proptest::sample::select(words.to_vec()).prop_map(OsString::from),
            2 => proptest::sample::select(shells.to_vec()).prop_map(OsString::from),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn what_it_reads_clap_reads_the_same(
            verb in proptest::sample::select(vec![RUN, SH]),
            args in proptest::collection::vec(argument(), 0..7),
        ) {
            if let Some(called) = read(verb, &args) {
                prop_assert_eq!(Some(called), by_clap(verb, &args));
            }
        }
    }

    #[test]
    fn it_reads_every_well_formed_option() {
        let args: Vec<OsString> = "--expires-in 1h --failure-expires-in=2s --exit-codes 0-3 --exe name --no-cwd \
             --env A,B --stdin null --key k --scope s --cache-dir d --max-entry-size 1GiB --max-size=2GiB --compress 3 \
             --refresh-after 1s --stale-if-error 1d --stale-ok 1h --finish --mark --replay errors --color-strip=auto --jitter 5% --warm --lock-timeout 1s --timeout 2s \
             --tag a --tag=b --status-fd 3 --miss-status 7 \
             --input a --input=!b --input-from l --input-command c --no-ignore --output o --output=p \
             --require-outputs --base-dir b --portable \
             --verbose --force --no-concurrent -- cmd --force"
            .split_whitespace()
            .map(OsString::from)
            .collect();
        let called = read(RUN, &args);
        assert_eq!(called, by_clap(RUN, &args));
        assert!(matches!(called, Some(Called::Run(run)) if run.command == ["cmd", "--force"]));
        let line = "-t 1h -s 1m -n -i a -i b -o c -e A,B -k k -v -f -- cmd -t";
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        assert_eq!(read(RUN, &args), by_clap(RUN, &args));
        assert!(read(RUN, &args).is_some());
        let args = ["--ttl=1h", "--stale-after", "1m", "--single-flight", "-q", "cmd"];
        let args = args.map(OsString::from);
        assert_eq!(read(RUN, &args), by_clap(RUN, &args));
        assert!(read(RUN, &args).is_some());
        let args = ["--no-wait", "--no-fail", "--expires-in=never", "cmd"];
        let args = args.map(OsString::from);
        assert_eq!(read(RUN, &args), by_clap(RUN, &args));
        assert!(read(RUN, &args).is_some());
        let args = ["--tty", "--mode", "off", "--status-file=x", "--cached-only", "cmd"];
        let args = args.map(OsString::from);
        assert_eq!(read(RUN, &args), by_clap(RUN, &args));
        assert!(read(RUN, &args).is_some());
    }

    #[test]
    fn it_reads_a_script_and_all_that_goes_with_it() {
        for line in [
            "-c true",
            "--expires-in 1h --shell bash -euo pipefail -c true zero --one",
            "--shell=dash --no-env -- -ec true",
            "--no-env +e -c true",
        ] {
            let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(read(SH, &args), by_clap(SH, &args), "{line}");
            assert!(read(SH, &args).is_some(), "{line}");
        }
        // What belongs to whom is plain only behind a dash or a plus.
        assert_eq!(read(SH, &["e", "-c", "true"].map(OsString::from)), None);
    }
}
