//! The command line of the verbs that show what the store holds, and take
//! things out of it.

use super::headings::{KEY, OUTPUT};
use super::{CACHE_DIR_HELP, IdentityArgs};
use cachex_base::text::values::{self, CommandPattern, KeyPrefix, Tag, text};
use cachex_store::settings::{RemoteMode, Tier};
use clap::{Args, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

const WHICH: &str = "Which entries";

pub const LIST_AFTER: &str = "\
A GLOB has to match the whole command line, its arguments joined by spaces: `*`, `?`
and `[…]` work as in a shell, except that a slash is an ordinary character. Text
without any of these matches anywhere in the command line.

On a terminal, commands are cut to its width, and output longer than the screen goes
through CACHEX_PAGER, PAGER or `less`.

Examples:
  cachex list
  cachex list 'kubectl get *' --sort size --limit 10
  cachex list --stale --json | jq -r '.[].key'";

pub const SHOW_AFTER: &str = "\
Exit status: 0, whatever the command's own was; 1 if there is no such entry, 2 if
several keys have this prefix.

Examples:
  cachex show 9de12e61
  cachex show --stdout 9de12e61 > plan.txt
  cachex show --no-cwd -- kubectl get pods";

pub const FORGET_AFTER: &str = "\
An entry has to meet all of the conditions given. If a remote store is set and may be
written to, the entries are removed there, too, and so is the entry of a command that
is not recorded here.

Exit status: 0, even if there was nothing to forget; 1 if no key has this prefix, 2 if
several do.

Examples:
  cachex forget -- kubectl get pods
  cachex forget 9de12e61 4be0c1
  cachex forget --tag nightly --older-than 7d
  cachex forget --cwd .
  cachex forget --command 'gh api *' --failed --dry-run";

pub const PRUNE_AFTER: &str = "\
Without --expired, --max-age, --max-size and --max-entries, this removes what the store
would drop by itself: results that are of no use any more, and the least recently used
ones beyond the --max-size and --max-entries of `run` (CACHEX_MAX_SIZE, or 5GiB, and
CACHEX_MAX_ENTRIES). A remote store is left alone.

--max-size limits what `du` reports for the store; with --tag or --cwd, it limits the
space of those results alone. The most recently recorded result always stays.

Examples:
  cachex prune
  cachex prune --max-age 30d --max-size 1GiB
  cachex prune --cwd . --max-entries 100
  cachex prune --tag ci --expired --dry-run";

pub const CLEAR_AFTER: &str = "\
A remote store keeps its results, and calls fetch them from there again. Results that
were not sent yet are not sent.

Examples:
  cachex clear
  cachex clear --yes --quiet";

#[derive(Args, Debug)]
pub struct ListArgs {
    /// Show only entries whose command line matches
    #[arg(value_name = "GLOB", value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    /// Show only entries with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str), help_heading = WHICH)]
    pub tag: Option<Tag>,
    /// Show only entries of this scope
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str), help_heading = WHICH)]
    pub scope: Option<String>,
    /// Show only entries that ran in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = WHICH)]
    pub cwd: Option<PathBuf>,
    /// Show only expired entries
    #[arg(long, help_heading = WHICH)]
    pub stale: bool,
    /// Show only entries whose exit status is not 0
    #[arg(long, help_heading = WHICH)]
    pub failed: bool,

    /// Sort by this [default: used]
    #[arg(long, value_name = "KEY", value_enum)]
    pub sort: Option<SortKey>,
    /// Reverse the order
    #[arg(long)]
    pub reverse: bool,
    /// Show at most this many
    #[arg(long, value_name = "N", value_parser = text(values::count))]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// The order of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SortKey {
    /// Most recently used first
    #[default]
    Used,
    /// Most recently recorded first
    Age,
    /// Soonest to expire first
    Expires,
    /// Largest first
    Size,
    /// Longest run first
    RunTime,
    /// Most often replayed first
    Hits,
    /// Lowest exit status first
    Exit,
    /// By command, alphabetically
    Command,
}

#[derive(Args, Debug)]
pub struct ShowArgs {
    /// A prefix of the entry's key, at least 4 hexadecimal digits
    #[arg(value_name = "KEY-PREFIX", value_parser = text(KeyPrefix::from_str))]
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    pub prefix: Option<KeyPrefix>,
    /// The command whose entry it is; standard input is part of the key as for `run`
    #[arg(last = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
    /// Print the command's standard output, byte for byte
    #[arg(long, help_heading = OUTPUT, group = "what")]
    pub stdout: bool,
    /// Print the command's standard error, to standard output
    #[arg(long, help_heading = OUTPUT, group = "what")]
    pub stderr: bool,
    /// Print both streams as the command did, each to its own
    #[arg(long, help_heading = OUTPUT, group = "what")]
    pub replay: bool,
    /// Print JSON
    #[arg(long, help_heading = OUTPUT, group = "what")]
    pub json: bool,
    /// Use no pager
    #[arg(long, help_heading = OUTPUT)]
    pub no_pager: bool,
    /// Show credentials in the command line instead of `***`
    #[arg(long, help_heading = OUTPUT)]
    pub reveal: bool,
    #[command(flatten)]
    pub named: NamedArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}

#[derive(Args, Debug)]
pub struct ForgetArgs {
    /// Prefixes of keys, at least 4 hexadecimal digits each
    #[arg(value_name = "KEY-PREFIX", value_parser = text(KeyPrefix::from_str), conflicts_with = "command")]
    #[arg(required_unless_present_any = ["command", "tag", "scope", "cwd", "older_than", "failed", "glob"])]
    pub prefixes: Vec<KeyPrefix>,
    /// The command whose entry it is, given the options of `run` and standard input
    #[arg(last = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
    /// Forget entries with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str), help_heading = WHICH)]
    pub tag: Option<Tag>,
    /// Forget entries that ran in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = WHICH)]
    pub cwd: Option<PathBuf>,
    /// Forget entries recorded longer ago than this
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = WHICH)]
    pub older_than: Option<Duration>,
    /// Forget entries whose exit status is not 0
    #[arg(long, help_heading = WHICH)]
    pub failed: bool,
    /// Forget entries whose command line matches, see `cachex list --help`
    #[arg(long = "command", id = "glob", value_name = "GLOB", help_heading = WHICH)]
    #[arg(value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    /// Choose how the remote store is used [default: read-write]
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
    /// Remove expired entries, even if --stale-if-error could still serve them
    #[arg(long, help_heading = WHICH)]
    pub expired: bool,
    /// Remove entries recorded longer ago than this
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = WHICH)]
    pub max_age: Option<Duration>,
    /// Remove the least recently used entries until the store takes no more disk space than this
    #[arg(long, value_name = "SIZE", value_parser = text(values::size), help_heading = WHICH)]
    pub max_size: Option<u64>,
    /// Remove the least recently used entries until this many are left
    #[arg(long, value_name = "COUNT", value_parser = text(values::entries), help_heading = WHICH)]
    pub max_entries: Option<u64>,
    /// Consider only entries with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str), help_heading = WHICH)]
    pub tag: Option<Tag>,
    /// Consider only entries that ran in this folder
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

/// The options for the removal of entries.
#[derive(Args, Debug)]
pub struct RemovalArgs {
    /// Show what would be removed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation; only `clear` does
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The options for the display of results.
#[derive(Args, Clone, Copy, Debug)]
pub struct OutputArgs {
    /// Print JSON
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,
    /// Use no pager
    #[arg(long, help_heading = OUTPUT)]
    pub no_pager: bool,
    /// Show credentials in command lines instead of `***`
    #[arg(long, help_heading = OUTPUT)]
    pub reveal: bool,
}

/// The options that decide which entry a command has.
#[derive(Args, Clone, Debug, Default)]
pub struct NamedArgs {
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Select the result of --tty at a terminal like this one
    #[arg(long, help_heading = KEY)]
    pub tty: bool,
    /// Name the remote store that shares the result
    #[arg(long, value_name = "URL", value_parser = text(Tier::from_str), help_heading = KEY)]
    pub remote: Vec<Tier>,
}

/// Which store is used, and how much is printed.
#[derive(Args, Clone, Debug)]
pub struct StoreArgs {
    #[arg(long, help = CACHE_DIR_HELP)]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
    /// Print neither warnings nor what was done
    #[arg(long)]
    pub quiet: bool,
}

pub(super) const DOCTOR_AFTER: &str = "\
Exit status: 0 if there is no problem or all were repaired, 1 if a problem is
left, 2 if cachex was misused.";

pub(super) const CONFIG_AFTER: &str = "\
The file is $XDG_CONFIG_HOME/cachex/config.toml or ~/.config/cachex/config.toml,
or the one that CACHEX_CONFIG names; if that is empty, no file is read.

Exit status: 0, or 2 if there is a mistake in the file or in a variable.

Examples:
  cachex config -- terraform plan
  cachex config set expires-in 10m
  cachex config --json -- kubectl get pods | jq '.options[\"expires-in\"].source'
  cachex config edit";

#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Repair the problems found; nothing intact is removed
    #[arg(long)]
    pub repair: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
    #[arg(long, help = CACHE_DIR_HELP)]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
}

/// An operation on the configuration file.
#[derive(clap::Subcommand, Debug)]
pub enum ConfigVerb {
    /// Print the effective value of a setting
    ///
    /// Exit status: 0; 1 if nothing is set.
    Get {
        /// The setting: a long option of `cachex run`
        key: String,
    },
    /// Set a value at the top of the file; the rest of it stays as it is
    Set {
        /// The setting: a long option of `cachex run`
        key: String,
        /// Its value, as in the file or without its quotes
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Open the file in VISUAL, EDITOR or vi, and check it
    Edit,
    /// Write a file to begin with
    Init,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub verb: Option<ConfigVerb>,
    /// Use the settings of this section of the file, `[profile.NAME]`
    #[arg(long, value_name = "NAME", conflicts_with = "path")]
    pub profile: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "path")]
    pub json: bool,
    /// Print the path of the configuration file, whether it exists or not
    #[arg(long, conflicts_with = "command")]
    pub path: bool,
    /// The command whose rules apply
    #[arg(trailing_var_arg = true, value_name = "CMD")]
    #[arg(value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

pub const INPUTS_AFTER: &str = "\
Exit status: 0; 1 if there is no such result, or it is not one of --auto; 2 if more
than one has such a key.

Examples:
  cachex inputs 9de12e61
  cachex inputs -- make -s all";

#[derive(Args, Debug)]
pub struct InputsArgs {
    /// What the key begins with, at least 4 hexadecimal digits
    #[arg(value_name = "KEY-PREFIX", value_parser = text(KeyPrefix::from_str), conflicts_with = "command")]
    #[arg(required_unless_present = "command")]
    pub prefix: Option<KeyPrefix>,
    /// The command, with the options of `run` that are part of its key; --auto goes without saying
    #[arg(last = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
    /// List folders on the way too, and links
    #[arg(long, help_heading = OUTPUT)]
    pub all: bool,
    /// Print JSON
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,
    /// Show them without a pager
    #[arg(long, help_heading = OUTPUT)]
    pub no_pager: bool,
    #[command(flatten)]
    pub named: NamedArgs,
    #[command(flatten)]
    pub store: StoreArgs,
}
