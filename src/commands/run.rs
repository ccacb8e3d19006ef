//! `cachex run` and `cachex sh`: run a command, or replay its recorded run.

use super::misused;
use crate::args::lean;
use crate::args::{self, Called};
use crate::config::{self, Config, Vars};
use crate::run::{self, AtHome, Closed, Runner, Shims};
use crate::ui::Progress;
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::fallback;
use cachex_base::process::ipc;
use cachex_base::process::report::{Report, Target};
use cachex_base::streams::messages;
use cachex_base::streams::plain;
use cachex_base::system::signals;
use cachex_base::text::values::Mode;
use cachex_exec::invocation::Invocation;
use cachex_exec::stdin::Source;
use std::ffi::OsString;
use std::fmt::Display;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::time::Instant;

/// Runs the verb.
pub fn run(called: Called, vars: &Vars, closed: Closed) -> Exit {
    let verb = called.verb();
    call(called, vars, closed, None, &|why| misused(verb, exit::CACHEX_FAILED, why))
}

/// Runs a command for a program that uses the library: `args` are those after [`ipc::RUN_FOR`].
///
/// The file that they begin with is truncated before anything else is done, and receives the report
/// of the call, mistakes included. So it shows whoever started this process whether anything was
/// done at all.
pub fn serve(args: &[OsString], vars: &Vars, closed: Closed) -> Exit {
    ipc::take_name();
    let [path, args @ ..] = args else { return Exit::Status(exit::CACHEX_FAILED) };
    let Ok(report) = Target::open_for_all(path) else {
        return Exit::Status(exit::CACHEX_FAILED);
    };
    let usage = |why: &dyn Display| {
        let exit = Exit::Status(exit::CACHEX_FAILED);
        report.write(&Report::of_nothing(why.to_string(), exit));
        exit
    };
    match lean::read_or_parse(args::RUN, args) {
        Ok(Some(called)) => call(called, vars, closed, Some(&report), &usage),
        Ok(None) => usage(&"there is no command to run"),
        Err(help) if !help.use_stderr() => usage(&"help is for a prompt: `cachex help run`"),
        Err(mistake) => usage(&in_short(&mistake.to_string())),
    }
}

/// Returns the mistake in the arguments, without the usage.
fn in_short(mistake: &str) -> &str {
    let text = mistake.strip_prefix("error: ").unwrap_or(mistake);
    text.split("\n\nUsage:").next().unwrap_or(text).trim_end()
}

/// Runs a call, and reports it to `told`, or else to the configured destination. Usage errors are
/// reported by `usage`.
fn call(
    called: Called,
    vars: &Vars,
    closed: Closed,
    told: Option<&Target>,
    usage: &dyn Fn(&dyn Display) -> Exit,
) -> Exit {
    let began = Instant::now();
    match config::resolve(called, vars) {
        Ok((config, argv)) => settled(config, argv, vars, closed, told, usage, began),
        Err(why) => usage(&why),
    }
}

/// Runs a command whose configuration is settled.
pub fn with(config: Config, argv: Vec<OsString>, vars: &Vars, closed: Closed) -> Exit {
    let usage = |why: &dyn Display| misused(args::RUN, exit::CACHEX_FAILED, why);
    settled(config, argv, vars, closed, None, &usage, Instant::now())
}

fn settled(
    config: Config,
    argv: Vec<OsString>,
    vars: &Vars,
    closed: Closed,
    told: Option<&Target>,
    usage: &dyn Fn(&dyn Display) -> Exit,
    began: Instant,
) -> Exit {
    let wanted = config.report.as_ref().filter(|_| told.is_none());
    let (report, unopened) = match wanted.map(Target::open).transpose() {
        Ok(report) => (report, None),
        Err(why) if why.is_mistaken => return usage(&why),
        Err(why) => (None, Some(why)),
    };
    // The process ends after this: freeing memory piece by piece would slow down every hit.
    let config = ManuallyDrop::new(config);
    let invocation = ManuallyDrop::new(Invocation { argv });
    let report = told.or(report.as_ref());
    let runner = Runner {
        invocation: &invocation,
        config: &config,
        vars,
        closed,
        report,
        began,
        shims: Shims::default(),
        at_home: AtHome::default(),
        shows_progress: |quiet| Box::new(Progress::show_only(quiet)),
    };
    if let Some(why) = unopened {
        runner.messages().warn(format_args!("{why}"));
    }
    if config.verbose {
        config::unknown_variables(vars).for_each(|it| runner.messages().tell(format_args!("{it}")));
    }
    if config.mode == Mode::Off {
        let why = config.refused.as_deref().unwrap_or("cachex is disabled");
        return runner.without_store(Source::Inherit, why);
    }
    if fallback::stack::is_short() {
        runner
            .messages()
            .warn(format_args!("not cached: the stack is limited to less than 128 KiB"));
        return runner.without_store(runner.untaken(), "the stack is too small");
    }
    plain::decide(config.color_strip);
    signals::outlive_file_limit();
    if config.may_run() {
        let last = ipc::arguments().iter().rev().nth(runner.invocation.argv.len() - 1);
        let gets_nothing = matches!(runner.untaken(), Source::Null);
        fallback::command_is(&runner.invocation.argv, last.copied(), gets_nothing);
    }
    // A bug in cachex is no reason not to run the command.
    std::panic::set_hook(Box::new(tell_of_panic));
    let done = catch_unwind(AssertUnwindSafe(|| match run::open_store(config.dir.as_ref()) {
        Ok(root) => runner.run(&ManuallyDrop::new(root)),
        Err(why) if config.dir_is_explicit && why.is_mistaken() => {
            usage(&format_args!("--cache-dir: {why}"))
        }
        Err(why) => {
            if why.is_homeless() {
                runner.messages().tell(format_args!("not cached: {why}"));
            } else {
                runner.messages().warn(format_args!("not cached: {why}"));
            }
            runner.without_store(runner.untaken(), "the store cannot be used")
        }
    }));
    done.unwrap_or_else(|_| match fallback::ended() {
        Some(exit) => exit,
        None if fallback::is_ready() => {
            runner.without_store(runner.untaken(), "cachex failed, see its message")
        }
        None => Exit::Status(exit::CACHEX_FAILED),
    })
}

/// Reports where cachex panicked.
fn tell_of_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let why = panic.payload_as_str().unwrap_or("an error of its own");
    messages::error(format_args!("cachex failed at {place}: {why}"));
}
