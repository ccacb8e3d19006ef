//! `cachex explain`: hit or miss, and why, without running the command.

mod json;
mod text;

use super::misused;
use crate::args::ExplainArgs;
use crate::config::{self, Vars};
use crate::run::{self, AtHome, Closed, Runner, Shims};
use crate::ui::{self, Credentials, Screen};
use anyhow::{Context, Result};
use cachex_base::process::exit::{self, Exit};
use cachex_exec::invocation::Invocation;
use std::time::Instant;

/// Explains a call.
pub fn explain(args: ExplainArgs, vars: &Vars, closed: Closed) -> Result<Exit> {
    let began = Instant::now();
    let ExplainArgs { run, all, json, reveal } = args;
    let credentials = Credentials::reveal(reveal);
    let all = all || run.verbose;
    let usage = |why: &dyn std::fmt::Display| Ok(misused("explain", exit::USAGE, why));
    let (config, argv) = match config::resolve(run, vars) {
        Ok(resolved) => resolved,
        Err(why) => return usage(&why),
    };
    let root = match run::existing_store(config.dir.as_deref()) {
        Ok(root) => root,
        Err(why) if config.dir_is_explicit && why.is_mistaken() => {
            return usage(&format_args!("--cache-dir: {why}"));
        }
        Err(why) => return Err(why).context("`run` would not cache"),
    };
    let invocation = Invocation { argv };
    let runner = Runner {
        invocation: &invocation,
        config: &config,
        vars,
        closed,
        report: None,
        began,
        shims: Shims::default(),
        at_home: AtHome::default(),
        shows_progress: run::shows_nothing,
    };
    let explanation = match runner.explain(root.as_ref()) {
        Ok(explanation) => explanation,
        Err(exit) => return Ok(exit),
    };
    let mut out = std::io::stdout().lock();
    if json {
        ui::json(&mut out, &json::Shown::of(&explanation, credentials))?;
    } else {
        text::write(
            &mut out,
            text::Look { screen: Screen::of_stdout(), all, credentials },
            &explanation,
        )?;
    }
    let is_hit = explanation.state.is_hit();
    Ok(if is_hit { Exit::SUCCESS } else { Exit::Status(exit::FAILURE) })
}
