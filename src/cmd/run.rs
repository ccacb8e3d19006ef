//! `cachex run`: run a command, or replay what it did last time.

use super::misused;
use crate::cache::{self, Closed, Runner};
use crate::cli::RunArgs;
use crate::config::{self, Vars};
use crate::exit::{self, Exit};
use crate::invocation::Invocation;
use crate::messages::Messages;
use crate::signals;
use crate::stdin::Source;

/// Runs it.
pub fn run(args: RunArgs, vars: &Vars, closed: Closed) -> Exit {
    let usage = |why: &dyn std::fmt::Display| misused("run", exit::CACHEX_FAILED, why);
    let disabled = match config::disabled(vars) {
        Ok(disabled) => disabled,
        Err(why) => return usage(&why),
    };
    let (config, argv) = match config::resolve(args, vars) {
        Ok(resolved) => resolved,
        Err(why) => return usage(&why),
    };
    let invocation = Invocation { argv };
    let runner = Runner { invocation: &invocation, config: &config, vars, closed };
    if disabled {
        return runner.uncached(Source::Inherit);
    }
    signals::outlive_file_limit();
    match cache::open_store(config.dir.as_deref()) {
        Ok(root) => runner.run(&root),
        Err(why) if config.dir_is_explicit && why.is_mistaken() => {
            usage(&format_args!("--cache-dir: {why}"))
        }
        Err(why) => {
            Messages { quiet: config.quiet, verbose: false }
                .warn(format_args!("not cached: {why}"));
            runner.uncached(Source::Inherit)
        }
    }
}
