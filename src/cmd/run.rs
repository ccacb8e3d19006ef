//! `cachex run` and `cachex sh`: run a command, or replay what it did last time.

use super::misused;
use crate::cache::{self, Closed, Runner};
use crate::cli::Called;
use crate::config::{self, Vars};
use crate::exit::{self, Exit};
use crate::invocation::Invocation;
use crate::messages::Messages;
use crate::report::Target;
use crate::signals;
use crate::stdin::Source;
use crate::ui::Progress;
use crate::values::Mode;
use std::mem::ManuallyDrop;
use std::time::Instant;

/// Runs it.
pub fn run(called: Called, vars: &Vars, closed: Closed) -> Exit {
    let began = Instant::now();
    let verb = called.verb();
    let usage = |why: &dyn std::fmt::Display| misused(verb, exit::CACHEX_FAILED, why);
    let (config, argv) = match config::resolve(called, vars) {
        Ok(resolved) => resolved,
        Err(why) => return usage(&why),
    };
    let report = match config.report.as_ref().map(Target::open).transpose() {
        Ok(report) => report,
        Err(why) => return usage(&why),
    };
    // The process ends after this: what is given back piece by piece is a part of
    // every hit.
    let config = ManuallyDrop::new(config);
    let invocation = ManuallyDrop::new(Invocation { argv });
    let report = report.as_ref();
    let runner = Runner {
        invocation: &invocation,
        config: &config,
        vars,
        closed,
        report,
        began,
        shows_progress: |quiet| Box::new(Progress::show_only(quiet)),
    };
    if config.mode == Mode::Off {
        return runner.without_store(Source::Inherit, "cachex is disabled");
    }
    signals::outlive_file_limit();
    match cache::open_store(config.dir.as_deref()) {
        Ok(root) => runner.run(&ManuallyDrop::new(root)),
        Err(why) if config.dir_is_explicit && why.is_mistaken() => {
            usage(&format_args!("--cache-dir: {why}"))
        }
        Err(why) => {
            Messages { quiet: config.quiet, verbose: false }
                .warn(format_args!("not cached: {why}"));
            runner.without_store(runner.untaken(), "the store cannot be used")
        }
    }
}
