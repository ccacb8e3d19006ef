//! The options of `log`.

use super::{OutputArgs, StoreArgs};
use cachex_base::text::values::{self, CommandPattern, text};
use clap::Args;
use std::str::FromStr;

/// The text below the help.
pub const AFTER: &str = "\
TOOK is what the call took: the replay of a hit, the run of a miss. Calls for which
cachex was switched off are not noted. A call whose result is not stored any more, or
was not recorded, is shown by the name of the command.

Examples:
  cachex log
  cachex log 'kubectl *' --limit 5
  cachex log --json | jq -r '.[] | select(.result == \"miss\") | .reason'";

#[derive(Args, Debug)]
pub struct LogArgs {
    /// Show only calls whose command line matches, see `cachex list --help`
    #[arg(value_name = "GLOB", value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    /// Show at most this many [default: 50]
    #[arg(long, value_name = "N", value_parser = text(values::count))]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}
