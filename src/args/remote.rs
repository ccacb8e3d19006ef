//! The options of `remote` and its verbs.

use super::StoreArgs;
use super::headings::OUTPUT;
use cachex_base::text::values::{self, CommandPattern, Tag, text};
use cachex_store::settings::Tier;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The text below the help.
pub const AFTER: &str = "\
The store is the one that --remote, CACHEX_REMOTE or `remote` in config.toml names.
cachex-remotes(7) lists the kinds of URLs, and the variables for users, passwords and
tokens.

Examples:
  cachex remote check --remote redis://cache.example:6379
  cachex remote stats
  cachex remote flush --timeout 2m";

const CHECK_AFTER: &str = "\
With --remote-mode read-only (CACHEX_REMOTE_MODE) or off, nothing is written. After a
successful check, a store that was left alone after a failure is used again at once.

Exit status: 0 if it works, 1 if not, 2 if cachex was misused or no store is set.

Examples:
  cachex remote check
  cachex remote check --remote s3://bucket/prefix --remote-timeout 5s
  cachex remote check --json | jq -r '.steps[] | select(.reason) | .advice'";

const STATS_AFTER: &str = "\
The counts of hits, misses and transfers are those of the local store, for all URLs
together.

Examples:
  cachex remote stats
  cachex remote stats --count --json | jq .holds.entries
  cachex remote stats --by host
  cachex remote stats --metrics >/var/lib/node_exporter/cachex-remote.prom";

const LIST_AFTER: &str = "\
Every entry of the store is read, which takes long for a large one. Entries of others, who
have another secret or are not trusted, and entries that were invalidated are only counted.
Folders, Redis, WebDAV and buckets can be listed; memcached, web servers and the cache of
GitHub Actions cannot.

Exit status: 0 on success, 1 if the store cannot be listed, 2 if cachex was misused or no
store is set.

Examples:
  cachex remote list --command 'make *' --limit 20
  cachex remote list --host runner-7 --newer-than 1d
  cachex remote list --tag release --json | jq '.entries[].command'";

const FLUSH_AFTER: &str = "\
Results of `run` are sent in the background. At the end of a CI job, this waits until
they are.

Without --timeout, it gives up after ten minutes. What is left is still queued, and is
sent later.

Exit status: 0 if everything was sent or nothing had to be, 1 if something was not
sent, 2 if cachex was misused or no store is set.

Examples:
  cachex remote flush
  cachex remote flush --timeout 2m --json";

const PUSH_AFTER: &str = "\
All conditions have to hold. With rules that name stores of their own, each result goes
to the store of its command, unless --remote names one for all.

Exit status: 0 if everything was sent or nothing had to be, 1 if something still waits,
2 if cachex was misused or no store is set.

Examples:
  cachex remote push
  cachex remote push --tag release --newer-than 7d
  cachex remote push --dry-run --command 'make *'";

const INVALIDATE_AFTER: &str = "\
A result counts as recorded when its run began. What is invalid stays in the remote
store until it expires or is pruned, and is a miss for everyone.

Exit status: 0 on success, 1 if the store could not be told or is not written to from
here, 2 if cachex was misused or no store is set.

Examples:
  cachex remote invalidate --tag release
  cachex remote invalidate --command 'make *' --older-than 1h
  cachex remote invalidate --all";

const KEYGEN_AFTER: &str = "\
Exit status: 0 on success, 1 if the file exists already or cannot be written or read,
2 if cachex was misused.

Examples:
  cachex remote keygen ~/.config/cachex/signing-key
  cachex remote keygen --public ~/.config/cachex/signing-key";

const PRUNE_AFTER: &str = "\
This affects everyone who shares the store. A folder and Redis tell when an object was
last used, buckets and WebDAV when it was written. Where a server removes objects by
itself, leave that to it: a bucket has lifecycle rules, Redis has `maxmemory`.

Exit status: 0 on success, 1 if it failed or the store cannot be listed, 2 if cachex was
misused or no store is set.

Examples:
  cachex remote prune --remote file:///mnt/shared --max-size 20GiB
  cachex remote prune --max-age 30d --dry-run";

#[derive(Args, Debug)]
pub struct RemoteArgs {
    /// The action
    #[command(subcommand)]
    pub verb: RemoteVerb,
}

#[derive(Debug, Subcommand)]
pub enum RemoteVerb {
    /// Check whether the remote store works, and if not, what to do
    ///
    /// Connects, writes, reads and deletes a small object, and reports how long each
    /// step took.
    #[command(after_help = CHECK_AFTER)]
    Check(CheckArgs),
    /// Show what was fetched from and sent to the remote store, and its state
    #[command(after_help = STATS_AFTER)]
    Stats(RemoteStatsArgs),
    /// Wait until all recorded results are in the remote store
    #[command(after_help = FLUSH_AFTER)]
    Flush(FlushArgs),
    /// Send results that are recorded already
    ///
    /// Those that were recorded before there was a remote store, that `cachex import`
    /// brought, or that another URL or secret has, are sent with all that they need.
    /// What stays on this machine is passed over.
    #[command(after_help = PUSH_AFTER)]
    Push(PushArgs),
    /// Have all machines drop results that were recorded until now
    ///
    /// All of them, or those that meet every condition, whoever recorded them. The store is
    /// told, and each machine that uses it drops them from its local store when it learns
    /// of that: with the next result that it fetches or sends, or after ten minutes with
    /// the next call.
    #[command(after_help = INVALIDATE_AFTER)]
    Invalidate(InvalidateArgs),
    /// Make a key that results are signed with, and print its public key
    ///
    /// Writers have the private key (--remote-signing-key), readers name the public one
    /// (--remote-trust), and accept no other results from then on.
    #[command(after_help = KEYGEN_AFTER)]
    Keygen(KeygenArgs),
    /// Show which results the remote store holds, and who sent them
    #[command(after_help = LIST_AFTER)]
    List(RemoteListArgs),
    /// Remove the least recently used objects from the remote store
    ///
    /// In a folder, sending an object, finding it there and fetching it are uses. An entry
    /// without all of its output is a miss, and is sent again when it is recorded again.
    #[command(after_help = PRUNE_AFTER)]
    Prune(RemotePruneArgs),
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    #[command(flatten)]
    pub remote: WhichArgs,
}

#[derive(Args, Debug)]
pub struct RemoteStatsArgs {
    /// Count what the store holds, which takes long for a large one
    #[arg(long)]
    pub count: bool,
    /// Add up what the store holds by who sent it, by tag or by command; every entry is read
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with_all = ["count", "metrics"])]
    pub by: Option<RemoteBy>,
    /// Print the figures as metrics, in the text format of Prometheus
    #[arg(long, conflicts_with = "json", help_heading = OUTPUT)]
    pub metrics: bool,
    #[command(flatten)]
    pub remote: WhichArgs,
}

/// The property by which the entries of a remote store are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RemoteBy {
    /// By the machine that sent it
    Host,
    /// By the user who sent it
    User,
    /// By tag; a result with several counts for each
    Tag,
    /// By the name of the command
    Command,
}

#[derive(Args, Debug)]
pub struct RemoteListArgs {
    /// Show only entries with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str))]
    pub tag: Option<Tag>,
    /// Show only entries of this scope
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str))]
    pub scope: Option<String>,
    /// Show only entries whose command line matches, see `cachex list --help`
    #[arg(long = "command", id = "glob", value_name = "GLOB")]
    #[arg(value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    /// Show only entries that this machine sent
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str))]
    pub host: Option<String>,
    /// Show only entries that this user sent
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str))]
    pub user: Option<String>,
    /// Show only entries recorded no longer ago than this
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub newer_than: Option<Duration>,
    /// Show at most this many, the most recently recorded
    #[arg(long, value_name = "N", value_parser = text(values::count))]
    pub limit: Option<usize>,
    /// Show credentials in command lines
    #[arg(long, help_heading = OUTPUT)]
    pub reveal: bool,
    #[command(flatten)]
    pub remote: WhichArgs,
}

#[derive(Args, Debug)]
pub struct FlushArgs {
    /// Wait at most this long [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub remote: WhichArgs,
}

#[derive(Args, Debug)]
pub struct PushArgs {
    /// Send entries with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str))]
    pub tag: Option<Tag>,
    /// Send entries of this scope
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str))]
    pub scope: Option<String>,
    /// Send entries that ran in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cwd: Option<PathBuf>,
    /// Send entries whose command line matches, see `cachex list --help`
    #[arg(long = "command", id = "glob", value_name = "GLOB")]
    #[arg(value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    /// Send entries recorded no longer ago than this
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub newer_than: Option<Duration>,
    /// Show how many would be sent, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Wait at most this long
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub remote: WhichArgs,
}

#[derive(Args, Debug)]
#[group(id = "which", required = true, multiple = true, args = ["all", "older_than", "tag", "glob"])]
pub struct InvalidateArgs {
    /// Invalidate everything
    #[arg(long, conflicts_with_all = ["older_than", "tag", "glob"])]
    pub all: bool,
    /// Invalidate results recorded at least this long ago
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub older_than: Option<Duration>,
    /// Invalidate results with this tag
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str))]
    pub tag: Option<Tag>,
    /// Invalidate results whose command line matches, see `cachex list --help`
    #[arg(long = "command", id = "glob", value_name = "GLOB")]
    #[arg(value_parser = text(CommandPattern::from_str))]
    pub pattern: Option<CommandPattern>,
    #[command(flatten)]
    pub remote: WhichArgs,
}

#[derive(Args, Debug)]
pub struct KeygenArgs {
    /// The file of the private key; it must not exist yet
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Print the public key of a file that exists, and make nothing
    #[arg(long)]
    pub public: bool,
}

#[derive(Args, Debug)]
#[group(id = "bounds", required = true, multiple = true, args = ["max_age", "max_size"])]
pub struct RemotePruneArgs {
    /// Remove objects not used for this long; a folder notes uses by the hour
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub max_age: Option<Duration>,
    /// Remove the least recently used objects until the rest takes no more space than this
    #[arg(long, value_name = "SIZE", value_parser = text(values::size))]
    pub max_size: Option<u64>,
    /// Show what would be removed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub remote: WhichArgs,
}

/// Which remote store is used, and how results are shown.
#[derive(Args, Debug)]
pub struct WhichArgs {
    /// The remote store [default: those set for `run`]
    #[arg(long, value_name = "URL", value_parser = text(Tier::from_str))]
    pub remote: Vec<Tier>,
    /// Give up after this long without an answer [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub remote_timeout: Option<Duration>,
    /// Print JSON
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,
    #[command(flatten)]
    pub store: StoreArgs,
}
