//! The command line of the verbs that show what the store holds, and take
//! things out of it.

use super::{CACHE_DIR_HELP, IdentityArgs, KEY, OUTPUT};
use crate::values::{self, CommandPattern, KeyPrefix, RemoteMode, RemoteUrl, Tag, text};
use clap::{Args, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

const WHICH: &str = "Which entries";

pub const LIST_AFTER: &str = "\
A GLOB is compared with the arguments joined by spaces, from start to end: `*`,
`?` and `[…]` as in a shell, a slash is like any other character. Without one of
those it is looked for anywhere in them.

On a terminal commands are cut to its width, and what is longer than the screen
goes through CACHEX_PAGER, PAGER or `less`.

Examples:
  cachex list
  cachex list 'kubectl get *' --sort size --limit 10
  cachex list --stale --json | jq -r '.[].key'";

pub const SHOW_AFTER: &str = "\
Exit status: 0, also with --stdout, --stderr and --replay, whatever the command
ended with; 1 if there is no such entry, 2 if more than one has such a key.

Examples:
  cachex show 9de12e61
  cachex show --stdout 9de12e61 > plan.txt
  cachex show --no-cwd -- kubectl get pods";

pub const FORGET_AFTER: &str = "\
What is given must all hold. Where a remote store is set that may be written to, what
is forgotten goes from there too, and so does the entry of a command that is not
recorded here.

Exit status: 0 also if there was nothing to forget; 1 if no key begins so, 2 if more
than one does.

Examples:
  cachex forget -- kubectl get pods
  cachex forget 9de12e61 4be0c1
  cachex forget --tag nightly --older-than 7d
  cachex forget --cwd .
  cachex forget --command 'gh api *' --failed --dry-run";

pub const PRUNE_AFTER: &str = "\
Without --expired, --max-age, --max-size and --max-entries: what the store would drop
by itself, which is what is of no use any more and, beyond --max-size and --max-entries
as `run` knows them (CACHEX_MAX_SIZE, or 5GiB, and CACHEX_MAX_ENTRIES), the least
recently used. What a remote store holds stays.

What --max-size bounds is what `du` says of the store; with --tag or --cwd, it is what
those results take by themselves. Nothing drops the result that was recorded last.

Examples:
  cachex prune
  cachex prune --max-age 30d --max-size 1GiB
  cachex prune --cwd . --max-entries 100
  cachex prune --tag ci --expired --dry-run";

pub const CLEAR_AFTER: &str = "\
What a remote store holds stays, and comes back where it is asked for; what was yet
to be sent there is not sent.

Examples:
  cachex clear
  cachex clear --yes --quiet";

#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only those whose command line matches
    #[arg(value_name = "GLOB", value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    /// Only those with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str), help_heading = WHICH)]
    pub tag: Option<Tag>,
    /// Only those of this scope
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str), help_heading = WHICH)]
    pub scope: Option<String>,
    /// Only those that ran in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = WHICH)]
    pub cwd: Option<PathBuf>,
    /// Only those that have expired
    #[arg(long, help_heading = WHICH)]
    pub stale: bool,
    /// Only those whose exit status is not 0
    #[arg(long, help_heading = WHICH)]
    pub failed: bool,

    /// What comes first [default: used]
    #[arg(long, value_name = "KEY", value_enum)]
    pub sort: Option<SortKey>,
    /// The other way round
    #[arg(long)]
    pub reverse: bool,
    /// At most so many
    #[arg(long, value_name = "N", value_parser = text(values::count))]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// By what entries are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SortKey {
    /// What was used last
    #[default]
    Used,
    /// What was recorded last
    Age,
    /// What expires first
    Expires,
    /// What is largest
    Size,
    /// What took the longest
    RunTime,
    /// What was replayed most often
    Hits,
    /// The lowest exit status
    Exit,
    /// By the alphabet
    Command,
}

#[derive(Args, Debug)]
pub struct ShowArgs {
    /// What the entry's key begins with, at least 4 hexadecimal digits
    #[arg(value_name = "KEY-PREFIX", value_parser = text(KeyPrefix::from_str))]
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    pub prefix: Option<KeyPrefix>,
    /// The command whose entry it is; standard input counts as it does for `run`
    #[arg(last = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
    /// Print what the command wrote to standard output, byte for byte
    #[arg(long, help_heading = OUTPUT, group = "what")]
    pub stdout: bool,
    /// Print what it wrote to standard error, to standard output
    #[arg(long, help_heading = OUTPUT, group = "what")]
    pub stderr: bool,
    /// Print both as it wrote them, each to its own stream
    #[arg(long, help_heading = OUTPUT, group = "what")]
    pub replay: bool,
    /// Print JSON
    #[arg(long, help_heading = OUTPUT, group = "what")]
    pub json: bool,
    /// Show it without a pager
    #[arg(long, help_heading = OUTPUT)]
    pub no_pager: bool,
    #[command(flatten)]
    pub named: NamedArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

#[derive(Args, Debug)]
pub struct ForgetArgs {
    /// What the keys begin with, at least 4 hexadecimal digits each
    #[arg(value_name = "KEY-PREFIX", value_parser = text(KeyPrefix::from_str), conflicts_with = "command")]
    #[arg(required_unless_present_any = ["command", "tag", "scope", "cwd", "older_than", "failed", "glob"])]
    pub prefixes: Vec<KeyPrefix>,
    /// The command whose entry it is, with the options of `run` that count; standard input counts too
    #[arg(last = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
    /// Those with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str), help_heading = WHICH)]
    pub tag: Option<Tag>,
    /// Those that ran in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = WHICH)]
    pub cwd: Option<PathBuf>,
    /// Those that were recorded longer ago than this
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = WHICH)]
    pub older_than: Option<Duration>,
    /// Those whose exit status is not 0
    #[arg(long, help_heading = WHICH)]
    pub failed: bool,
    /// Those whose command line matches, see `cachex list --help`
    #[arg(long = "command", id = "glob", value_name = "GLOB", help_heading = WHICH)]
    #[arg(value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    /// What of the remote store is used [default: read-write]
    #[arg(long, value_name = "MODE", value_enum)]
    pub remote_mode: Option<RemoteMode>,
    #[command(flatten)]
    pub removal: RemovalArgs,
    #[command(flatten)]
    pub named: NamedArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

#[derive(Args, Debug)]
pub struct PruneArgs {
    /// What has expired, also what --stale-if-error could still serve
    #[arg(long, help_heading = WHICH)]
    pub expired: bool,
    /// What was recorded longer ago than this
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = WHICH)]
    pub max_age: Option<Duration>,
    /// The least recently used, until the store takes no more of the disk than this
    #[arg(long, value_name = "SIZE", value_parser = text(values::size), help_heading = WHICH)]
    pub max_size: Option<u64>,
    /// The least recently used of more than so many
    #[arg(long, value_name = "COUNT", value_parser = text(values::entries), help_heading = WHICH)]
    pub max_entries: Option<u64>,
    /// All this only among those with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str), help_heading = WHICH)]
    pub tag: Option<Tag>,
    /// All this only among those that ran in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = WHICH)]
    pub cwd: Option<PathBuf>,
    #[command(flatten)]
    pub removal: RemovalArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

#[derive(Args, Debug)]
pub struct ClearArgs {
    #[command(flatten)]
    pub removal: RemovalArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// How things are taken out.
#[derive(Args, Debug)]
pub struct RemovalArgs {
    /// Say what would go, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; only `clear` does
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How things are shown.
#[derive(Args, Clone, Copy, Debug)]
pub struct OutputArgs {
    /// Print JSON
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,
    /// Show it without a pager
    #[arg(long, help_heading = OUTPUT)]
    pub no_pager: bool,
}

/// Which entry a command names.
#[derive(Args, Clone, Debug, Default)]
pub struct NamedArgs {
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// The run at a terminal of this kind and size
    #[arg(long, help_heading = KEY)]
    pub tty: bool,
    /// The remote store that it is shared through
    #[arg(long, value_name = "URL", value_parser = text(RemoteUrl::from_str), help_heading = KEY)]
    pub remote: Option<RemoteUrl>,
}

/// Which store, and how much is said.
#[derive(Args, Clone, Debug)]
pub struct StoreArgs {
    #[arg(long, help = CACHE_DIR_HELP)]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
    /// Do not warn, and do not say what was done
    #[arg(long)]
    pub quiet: bool,
}
