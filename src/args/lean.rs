//! The arguments of `run` and `sh`, read without clap.
//!
//! Building clap's commands costs more than all the rest of a hit. This reader
//! knows the long options, each as often as it may be given, and their
//! well-formed values.
//! Whatever else it meets, a mistake or a call for help included, it leaves to
//! clap, which says everything that is ever said about arguments.

use crate::args::{self, Called, RUN, RunArgs, SH, ShArgs, sh};
use cachex_base::text::values;
use clap::ValueEnum;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

/// The arguments after this verb; none if clap is to read them.
pub fn read(verb: &str, args: &[OsString]) -> Option<Called> {
    let (mut called, at) = options(verb, args)?;
    called.run_mut().command = args[at..].to_vec();
    Some(called)
}

/// The same by whoever can read them.
pub fn read_or_parse(verb: &str, args: &[OsString]) -> Result<Option<Called>, clap::Error> {
    if let Some(called) = read(verb, args) {
        return Ok(Some(called));
    }
    let whole = ["cachex".into(), verb.into()].into_iter().chain(args.iter().cloned());
    Ok(args::parse(whole.collect())?.called())
}

/// The same of all arguments of this process, the verb being the second. What is read
/// is taken from them: a copy of the command is a dear part of a hit.
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
    let mut run = RunArgs::default();
    let mut shell = None;
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
        let (name, glued) = match arg.strip_prefix(b"--") {
            Some(option) => match option.iter().position(|&byte| byte == b'=') {
                Some(at) => (&option[..at], Some(OsStr::from_bytes(&option[at + 1..]))),
                None => (option, None),
            },
            None => (named_by_a_letter(arg)?, None),
        };
        if let Some(switch) = switch(&mut run, name) {
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
        if is_script && name == b"shell" {
            once(&mut shell, values::shell(value.to_str()?))?;
        } else {
            set(&mut run, name, value)?;
        }
    }
    let command = rest.as_slice();
    if contradicts_itself(&run) || command.is_empty() {
        return None;
    }
    if is_script {
        sh::check(command).ok()?;
    }
    let at = args.len() - command.len();
    if !is_script && args::is_a_pattern_spread_out(args, at) {
        return None;
    }
    Some((if is_script { Called::Sh(ShArgs { run, shell }) } else { Called::Run(run) }, at))
}

/// As the attributes in `cli` have it.
fn contradicts_itself(run: &RunArgs) -> bool {
    let identity = &run.identity;
    let several = |given: &[bool]| given.iter().filter(|&&given| given).count() > 1;
    let writes_only = run.force || run.no_read;
    several(&[identity.env.is_some(), identity.ignore_env.is_some(), identity.no_env])
        || several(&[run.mode.is_some(), writes_only, run.read_only])
        || several(&[run.warm, run.cached_only, run.no_wait])
        || (run.warm || run.no_wait) && (run.read_only || run.tty)
        || (run.cached_only || run.no_wait) && writes_only
        || run.no_fail && run.exit_codes.is_some()
        || run.status_file.is_some() && run.status_fd.is_some()
        || run.quiet && run.verbose
}

/// The long name of an option of one letter, which `run` alone has.
fn named_by_a_letter(arg: &[u8]) -> Option<&'static [u8]> {
    Some(match arg {
        b"-e" => b"env",
        b"-f" => b"force",
        b"-i" => b"input",
        b"-k" => b"key",
        b"-n" => b"no-concurrent",
        b"-o" => b"output",
        b"-q" => b"quiet",
        b"-s" => b"refresh-after",
        b"-t" => b"expires-in",
        b"-v" => b"verbose",
        _ => return None,
    })
}

fn switch<'a>(run: &'a mut RunArgs, name: &[u8]) -> Option<&'a mut bool> {
    Some(match name {
        b"auto" => &mut run.identity.auto.auto,
        b"cached-only" => &mut run.cached_only,
        b"finish" => &mut run.finish,
        b"force" => &mut run.force,
        b"local" => &mut run.local,
        b"mark" => &mut run.mark,
        b"no-concurrent" | b"single-flight" => &mut run.no_concurrent,
        b"no-cwd" => &mut run.identity.no_cwd,
        b"no-env" => &mut run.identity.no_env,
        b"no-fail" => &mut run.no_fail,
        b"no-ignore" => &mut run.identity.no_ignore,
        b"no-read" => &mut run.no_read,
        b"no-wait" => &mut run.no_wait,
        b"portable" => &mut run.identity.portable,
        b"quiet" => &mut run.quiet,
        b"read-only" => &mut run.read_only,
        b"require-outputs" => &mut run.require_outputs,
        b"tty" => &mut run.tty,
        b"verbose" => &mut run.verbose,
        b"warm" => &mut run.warm,
        _ => return None,
    })
}

fn set(run: &mut RunArgs, name: &[u8], value: &OsStr) -> Option<()> {
    if value.is_empty() {
        return None;
    }
    let text = value.to_str();
    match name {
        b"expires-in" | b"ttl" => once(&mut run.expires_in, text?.parse()),
        b"failure-expires-in" => once(&mut run.failure_expires_in, text?.parse()),
        b"exit-codes" => once(&mut run.exit_codes, text?.parse()),
        b"refresh-after" | b"stale-after" => once(&mut run.refresh_after, values::duration(text?)),
        b"stale-if-error" => once(&mut run.stale_if_error, values::duration(text?)),
        b"stale-ok" => once(&mut run.stale_ok, values::duration(text?)),
        b"jitter" => once(&mut run.jitter, values::percent(text?)),
        b"mode" => once(&mut run.mode, ValueEnum::from_str(text?, false)),
        b"miss-status" => once(&mut run.miss_status, values::status(text?)),
        b"replay" => once(&mut run.replay, ValueEnum::from_str(text?, false)),
        b"color-strip" => once(&mut run.color_strip, ValueEnum::from_str(text?, false)),
        b"lock-timeout" => once(&mut run.lock_timeout, values::duration(text?)),
        b"timeout" => once(&mut run.timeout, values::duration(text?)),
        b"tag" => {
            run.tag.push(text?.parse().ok()?);
            Some(())
        }
        b"input" => {
            run.identity.input.push(text?.parse().ok()?);
            Some(())
        }
        b"input-command" => {
            run.identity.input_command.push(values::shell_command(text?).ok()?);
            Some(())
        }
        b"output" => {
            run.output.push(text?.parse().ok()?);
            Some(())
        }
        b"auto-ignore" => {
            run.identity.auto.auto_ignore.push(text?.parse().ok()?);
            Some(())
        }
        b"auto-allow" => {
            run.identity.auto.auto_allow.push(ValueEnum::from_str(text?, false).ok()?);
            Some(())
        }
        b"auto-times" => once(&mut run.identity.auto.auto_times, ValueEnum::from_str(text?, false)),
        b"auto-quirks" => {
            once(&mut run.identity.auto.auto_quirks, ValueEnum::from_str(text?, false))
        }
        b"auto-outputs" => {
            once(&mut run.identity.auto.auto_outputs, ValueEnum::from_str(text?, false))
        }
        b"input-from" => once(&mut run.identity.input_from, Ok::<_, ()>(value.into())),
        b"base-dir" => once(&mut run.identity.base_dir, Ok::<_, ()>(value.into())),
        b"status-file" => once(&mut run.status_file, Ok::<_, ()>(value.into())),
        b"status-fd" => once(&mut run.status_fd, values::descriptor(text?)),
        b"exe" => once(&mut run.identity.exe, ValueEnum::from_str(text?, false)),
        b"env" => once(&mut run.identity.env, list(text?)),
        b"ignore-env" => once(&mut run.identity.ignore_env, list(text?)),
        b"stdin" => once(&mut run.identity.stdin, ValueEnum::from_str(text?, false)),
        b"key" => once(&mut run.identity.key, Ok::<_, ()>(value.to_owned())),
        b"profile" => once(&mut run.identity.profile, Ok::<_, ()>(text?.to_owned())),
        b"scope" => once(&mut run.identity.scope, Ok::<_, ()>(text?.to_owned())),
        b"cache-dir" => once(&mut run.cache_dir, Ok::<_, ()>(value.into())),
        b"max-entry-size" => once(&mut run.max_entry_size, values::size(text?)),
        b"max-size" => once(&mut run.max_size, values::store_size(text?)),
        b"max-entries" => once(&mut run.max_entries, values::entries(text?)),
        b"platform" => once(&mut run.identity.platform, values::platform(text?)),
        b"remote" => {
            run.remote.push(text?.parse().ok()?);
            Some(())
        }
        b"remote-signing-key" => {
            once(&mut run.remote_signing_key, cachex_store::settings::signing_key(text?))
        }
        b"remote-trust" => {
            run.remote_trust.push(text?.parse().ok()?);
            Some(())
        }
        b"remote-mode" => once(&mut run.remote_mode, ValueEnum::from_str(text?, false)),
        b"remote-budget" => once(&mut run.remote_budget, values::duration(text?)),
        b"remote-max-size" => once(&mut run.remote_max_size, values::size(text?)),
        b"remote-timeout" => once(&mut run.remote_timeout, values::duration(text?)),
        b"compress" => once(&mut run.compress, values::level(text?)),
        _ => None,
    }
}

fn once<T, E>(place: &mut Option<T>, value: Result<T, E>) -> Option<()> {
    if place.is_some() {
        return None;
    }
    *place = Some(value.ok()?);
    Some(())
}

fn list<T: FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    text.split(',').map(str::parse).collect()
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
        ] {
            let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(read(SH, &args), by_clap(SH, &args), "{line}");
            assert!(read(SH, &args).is_some(), "{line}");
        }
        // What belongs to whom is plain only behind a dash.
        assert_eq!(read(SH, &["+e", "-c", "true"].map(OsString::from)), None);
    }
}
