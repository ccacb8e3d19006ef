//! The options of `remote` and of what it consists of.

use super::{OUTPUT, StoreArgs};
use crate::values::{self, RemoteUrl, text};
use clap::{Args, Subcommand};
use std::str::FromStr;
use std::time::Duration;

/// What stands below the help.
pub const AFTER: &str = "\
The store is the one that --remote, CACHEX_REMOTE or `remote` in config.toml names;
README has the kinds of URLs, and the variables for users, passwords and tokens.

Examples:
  cachex remote check --remote redis://cache.example:6379
  cachex remote stats
  cachex remote flush --timeout 2m";

const CHECK_AFTER: &str = "\
With --remote-mode read-only (CACHEX_REMOTE_MODE) or off nothing is written. After a
check that found nothing wrong the store is used again at once, should it have been
left alone.

Exit status: 0 if it works, 1 if not, 2 if cachex was misused or no store is set.

Examples:
  cachex remote check
  cachex remote check --remote s3://bucket/prefix --remote-timeout 5s
  cachex remote check --json | jq -r '.steps[] | select(.reason) | .advice'";

const STATS_AFTER: &str = "\
Hits and misses, and what was sent, are those of this machine's store, by whichever
URL.

Examples:
  cachex remote stats
  cachex remote stats --count --json | jq .holds.entries";

const FLUSH_AFTER: &str = "\
What `run` records is sent in the background. At the end of a CI job this waits for it.

Exit status: 0 if everything was sent or nothing was there to be sent, 1 if something
was not, 2 if cachex was misused or no store is set.

Examples:
  cachex remote flush
  cachex remote flush --timeout 2m --json";

const PRUNE_AFTER: &str = "\
It goes for all who share the folder. Other stores see to that themselves: a bucket by
its lifecycle rules, Redis by `maxmemory`.

Exit status: 0 if it was done, 1 if it failed or the store is no folder, 2 if cachex was
misused or no store is set.

Examples:
  cachex remote prune --remote file:///mnt/shared --max-size 20GiB
  cachex remote prune --max-age 30d --dry-run";

#[derive(Args, Debug)]
pub struct RemoteArgs {
    /// What is to be done
    #[command(subcommand)]
    pub verb: RemoteVerb,
}

#[derive(Debug, Subcommand)]
pub enum RemoteVerb {
    /// Say whether the remote store works, and if not, what to do
    ///
    /// Connects, writes, reads and deletes a small object, and says how long each
    /// step took.
    #[command(after_help = CHECK_AFTER)]
    Check(CheckArgs),
    /// Say what came from the remote store, what went there, and how it is
    #[command(after_help = STATS_AFTER)]
    Stats(RemoteStatsArgs),
    /// Wait until everything that was recorded is in the remote store
    #[command(after_help = FLUSH_AFTER)]
    Flush(FlushArgs),
    /// Take the least recently used out of a folder that machines share
    ///
    /// What was sent, or found to be there, or got, was used. An entry without all of
    /// its output is a miss, and is sent anew when it is recorded.
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
    /// Ask it how much it holds, which takes long where that is much
    #[arg(long)]
    pub count: bool,
    #[command(flatten)]
    pub remote: WhichArgs,
}

#[derive(Args, Debug)]
pub struct FlushArgs {
    /// Wait no longer than this
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub remote: WhichArgs,
}

#[derive(Args, Debug)]
#[group(id = "bounds", required = true, multiple = true, args = ["max_age", "max_size"])]
pub struct RemotePruneArgs {
    /// What was not used for this long; uses are noted by the hour
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub max_age: Option<Duration>,
    /// The least recently used, until the rest takes no more of the disk than this
    #[arg(long, value_name = "SIZE", value_parser = text(values::size))]
    pub max_size: Option<u64>,
    /// Say what would go, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub remote: WhichArgs,
}

/// Which remote store, and how things are shown.
#[derive(Args, Debug)]
pub struct WhichArgs {
    /// The remote store [default: what is set for `run`]
    #[arg(long, value_name = "URL", value_parser = text(RemoteUrl::from_str))]
    pub remote: Option<RemoteUrl>,
    /// Give up looking there after this long [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration))]
    pub remote_timeout: Option<Duration>,
    /// Print JSON
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,
    #[command(flatten)]
    pub store: StoreArgs,
}
