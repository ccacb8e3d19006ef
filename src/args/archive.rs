//! The command line of the verbs that move results from one store to another.

use super::StoreArgs;
use cachex_base::text::values::{self, CommandPattern, KeyPrefix, Since, Tag, text};
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::str::FromStr;

const WHICH: &str = "Which entries";

pub const EXPORT_AFTER: &str = "\
An entry has to meet all of the conditions given. Entries that have expired, and could
not even replace a failure, are left out. The same results make the same file, byte
for byte.

The file is private (0600), since it holds output as it was printed. It replaces FILE
once it is complete. A summary is printed to standard output, or with `--to -` to
standard error.

Examples:
  cachex export --to results.cachex
  cachex export --to results.cachex --tag ci --since 7d --max-size 500MiB
  cachex export --to - 9de12e61 | ssh host cachex import -";

pub const IMPORT_AFTER: &str = "\
Import only archives that you trust: an archive can hold any result for any call.

Exit status: 0, even if the store had everything already; 1 if the archive is damaged,
cut short or too large, and nothing was changed.

Examples:
  cachex import results.cachex
  cachex import --dry-run results.cachex
  curl -sf https://host/results.cachex | cachex import -";

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Write the archive to this file; `-` is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub to: PathBuf,
    /// Prefixes of keys, at least 4 hexadecimal digits each
    #[arg(value_name = "KEY-PREFIX", value_parser = text(KeyPrefix::from_str))]
    pub prefixes: Vec<KeyPrefix>,
    /// Export only entries with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str), help_heading = WHICH)]
    pub tag: Option<Tag>,
    /// Export only entries of this scope
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str), help_heading = WHICH)]
    pub scope: Option<String>,
    /// Export only entries that ran in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = WHICH)]
    pub cwd: Option<PathBuf>,
    /// Export only entries whose command line matches, see `cachex list --help`
    #[arg(long = "command", value_name = "GLOB", help_heading = WHICH)]
    #[arg(value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    /// Export only entries recorded or served since then: `7d`, or a date such as `2026-11-01`
    #[arg(long, value_name = "WHEN", value_parser = text(Since::from_str), help_heading = WHICH)]
    pub since: Option<Since>,
    /// Export the most recently used entries up to this size in all, before compression
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
    /// Refuse an archive that holds more than this [default: the limit of the store]
    #[arg(long, value_name = "SIZE", value_parser = text(values::size))]
    pub max_size: Option<u64>,
    #[command(flatten)]
    pub transfer: TransferArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// The options for the transfer of entries, and for what is printed.
#[derive(Args, Clone, Copy, Debug)]
pub struct TransferArgs {
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
