//! The options of `stats`.

use super::{OutputArgs, StoreArgs};
use cachex_base::text::values::{Since, StatsBy, StatsFormat, text};
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::str::FromStr;

/// The text below the help.
pub const AFTER: &str = "\
Days are whole days in UTC. The time of a hit is measured from the start of cachex to
its last byte; the time that the system takes to start a process is not included.

Examples:
  cachex stats
  cachex stats --since 7d
  cachex stats --by tag
  cachex stats --format markdown >> \"$GITHUB_STEP_SUMMARY\"
  cachex stats --format prometheus
  cachex stats --html report.html
  cachex stats --json | jq .total.hit_rate";

#[derive(Args, Debug)]
pub struct StatsArgs {
    /// Count calls since then: `7d`, or a date such as `2026-11-01`
    #[arg(long, value_name = "WHEN", value_parser = text(Since::from_str))]
    #[arg(conflicts_with = "reset")]
    pub since: Option<Since>,
    /// Add up what the results in the store have saved, by tag or by script
    #[arg(long, value_name = "WHAT", value_enum)]
    #[arg(conflicts_with_all = ["since", "format", "html", "reset"])]
    pub by: Option<StatsBy>,
    /// Print in this format [default: text]
    #[arg(long, value_name = "FORMAT", value_enum, conflicts_with_all = ["json", "reset"])]
    pub format: Option<StatsFormat>,
    /// Write a page with charts to this file; `-` is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["format", "json", "reset"])]
    pub html: Option<PathBuf>,
    /// Reset all counts; recorded results stay
    #[arg(long, conflicts_with = "json")]
    pub reset: bool,
    /// Do not ask for confirmation
    #[arg(long, requires = "reset")]
    pub yes: bool,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}
