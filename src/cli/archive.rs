//! The command line of the verbs that move results from one store to another.

use super::StoreArgs;
use crate::values::{self, CommandPattern, KeyPrefix, Since, Tag, text};
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::str::FromStr;

const WHICH: &str = "Which entries";

pub const EXPORT_AFTER: &str = "\
What is given must all hold. What has expired and could not even stand in for a
failure is left out. The same results make the same file, byte for byte.

The file is private (0600): it holds output as it was printed. It is written
beside FILE and takes its place when it is whole. What was done is told on
standard output, or with `--to -` on standard error.

Examples:
  cachex export --to results.cachex
  cachex export --to results.cachex --tag ci --since 7d --max-size 500MiB
  cachex export --to - 9de12e61 | ssh host cachex import -";

pub const IMPORT_AFTER: &str = "\
Import what you trust: an archive can hold any result for any call.

Exit status: 0 also if all of it was there already; 1 if the archive is damaged,
cut short or too large, and nothing was changed.

Examples:
  cachex import results.cachex
  cachex import --dry-run results.cachex
  curl -sf https://host/results.cachex | cachex import -";

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Where the archive goes; `-` is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub to: PathBuf,
    /// What the keys begin with, at least 4 hexadecimal digits each
    #[arg(value_name = "KEY-PREFIX", value_parser = text(KeyPrefix::from_str))]
    pub prefixes: Vec<KeyPrefix>,
    /// Those with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str), help_heading = WHICH)]
    pub tag: Option<Tag>,
    /// Those of this scope
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str), help_heading = WHICH)]
    pub scope: Option<String>,
    /// Those that ran in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = WHICH)]
    pub cwd: Option<PathBuf>,
    /// Those whose command line matches, see `cachex list --help`
    #[arg(long = "command", value_name = "GLOB", help_heading = WHICH)]
    #[arg(value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    /// Those that were recorded or served since then: `7d`, or a date such as `2026-11-01`
    #[arg(long, value_name = "WHEN", value_parser = text(Since::from_str), help_heading = WHICH)]
    pub since: Option<Since>,
    /// The most recently used that come to so much in all, before it is compressed
    #[arg(long, value_name = "SIZE", value_parser = text(values::size), help_heading = WHICH)]
    pub max_size: Option<u64>,
    #[command(flatten)]
    pub transfer: TransferArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The archive; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Refuse an archive that holds more than this [default: what the store may hold]
    #[arg(long, value_name = "SIZE", value_parser = text(values::size))]
    pub max_size: Option<u64>,
    #[command(flatten)]
    pub transfer: TransferArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// How it is done, and told.
#[derive(Args, Clone, Copy, Debug)]
pub struct TransferArgs {
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
