//! `cachex allow` and `cachex deny`: whether a project's settings are used.

use crate::config::{self, Vars};
use anyhow::Result;
use cachex_base::process::exit::{self, Exit};
use cachex_base::streams::messages::{self};
use cachex_base::text::quote::harmless;
use std::io::Write;
use std::path::Path;

/// Allows a file, and prints its settings.
pub fn allow(named: Option<&Path>, vars: &Vars) -> Result<Exit> {
    let (path, file) = config::allow(named, vars)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "allowed: {}", harmless(&path.to_string_lossy()))?;
    let top = file.settings.iter().map(|setting| (None, setting));
    let rules = file.rules.iter().flat_map(|rule| {
        rule.settings.iter().map(|setting| (Some(rule.globs.join(", ")), setting))
    });
    for (of, setting) in top.chain(rules) {
        let of = of.map(|globs| format!(" (match {globs})")).unwrap_or_default();
        writeln!(
            out,
            "  {} = {}{}",
            setting.name(),
            harmless(&setting.value.to_string()),
            harmless(&of)
        )?;
    }
    Ok(Exit::SUCCESS)
}

/// Revokes the permission for a file.
pub fn deny(named: Option<&Path>, vars: &Vars) -> Result<Exit> {
    let (path, was_allowed) = config::deny(named, vars)?;
    let path = path.to_string_lossy();
    if !was_allowed {
        messages::error(format_args!("{path} was not allowed"));
        return Ok(Exit::Status(exit::FAILURE));
    }
    writeln!(std::io::stdout(), "denied: {}", harmless(&path))?;
    Ok(Exit::SUCCESS)
}
