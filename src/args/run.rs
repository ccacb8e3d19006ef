//! The options of `run`.

use super::{
    CACHE_DIR_HELP, CONCURRENCY, FRESHNESS, IdentityArgs, MESSAGES, MODE, OUTPUTS, REPLAYING,
    RUNNING, STORE,
};
use cachex_base::text::values::{
    self, ColorStrip, ExitCodes, Limit, Mode, OutputPattern, PrivateKey, PublicKey, ReplayMode,
    Tag, text,
};
use cachex_store::settings::{RemoteMode, Tier};
use clap::{Args, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The text below the help.
pub const AFTER: &str = "\
Exit status: the command's own, a death by signal included. 124 after a timeout,
125 if cachex was misused, 126 if the command cannot be executed, 127 if it was
not found.

Every option has a variable of the same name (--expires-in: CACHEX_EXPIRES_IN;
--cache-dir: CACHEX_DIR); the option wins. Permanent settings belong in
config.toml, see `cachex help config`. CACHEX_DISABLE=1 runs the command as if
cachex were not there, whatever else was said.

Examples:
  cachex run --expires-in 10m -- terraform plan -no-color
  cachex run --expires-in 2s --no-concurrent -- kubectl get pods
  cachex run --no-env --no-cwd -- openssl speed";

#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct RunArgs {
    /// Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]
    #[arg(short = 't', long, visible_alias = "ttl")]
    #[arg(value_name = "DURATION", value_parser = text(Limit::from_str), help_heading = FRESHNESS)]
    pub expires_in: Option<Limit>,
    /// The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]
    #[arg(long, value_name = "DURATION", value_parser = text(Limit::from_str), help_heading = FRESHNESS)]
    pub failure_expires_in: Option<Limit>,
    /// Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]
    #[arg(long, value_name = "LIST", value_parser = text(ExitCodes::from_str), help_heading = FRESHNESS)]
    pub exit_codes: Option<ExitCodes>,
    /// Record and replay successes only: --exit-codes 0
    #[arg(long, help_heading = FRESHNESS, conflicts_with = "exit_codes")]
    pub no_fail: bool,
    /// Serve a result older than this, and replace it by one run in the background
    #[arg(short = 's', long, visible_alias = "stale-after")]
    #[arg(value_name = "DURATION", value_parser = text(values::duration), help_heading = FRESHNESS)]
    pub refresh_after: Option<Duration>,
    /// Serve an expired result up to this long past its expiry, and replace it in the background
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = FRESHNESS)]
    pub stale_ok: Option<Duration>,
    /// If the run fails, serve the last good result up to this long past its expiry
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = FRESHNESS)]
    pub stale_if_error: Option<Duration>,
    /// Expire up to this much earlier, each key at its own time [default: 0]
    #[arg(long, value_name = "PERCENT", value_parser = text(values::percent), help_heading = FRESHNESS)]
    pub jitter: Option<u8>,

    /// Choose how the store is used [default: read-write]
    #[arg(long, value_name = "MODE", value_enum, help_heading = MODE)]
    #[arg(conflicts_with_all = ["force", "no_read", "read_only"])]
    pub mode: Option<Mode>,
    /// Run the command and replace its recorded result: --mode write-only
    #[arg(short, long, help_heading = MODE, conflicts_with = "read_only")]
    pub force: bool,
    /// Alias of --force
    #[arg(long, help_heading = MODE, conflicts_with = "read_only")]
    pub no_read: bool,
    /// Record nothing: --mode read-only
    #[arg(long, help_heading = MODE)]
    pub read_only: bool,
    /// Start the run in the background, print nothing and return at once
    #[arg(long, help_heading = MODE, conflicts_with_all = ["cached_only", "read_only", "tty"])]
    pub warm: bool,
    /// Never run the command; exit with --miss-status if there is nothing to replay
    #[arg(long, help_heading = MODE, conflicts_with_all = ["force", "no_read"])]
    pub cached_only: bool,
    /// Never wait for a run: with nothing to replay, start one in the background and exit
    #[arg(long, help_heading = MODE)]
    #[arg(conflicts_with_all = ["warm", "cached_only", "force", "no_read", "read_only", "tty"])]
    pub no_wait: bool,
    /// Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing
    #[arg(long, value_name = "STATUS", value_parser = text(values::status), help_heading = MODE)]
    pub miss_status: Option<u8>,

    /// Let one caller run the command while the others follow its output
    #[arg(short, long, visible_alias = "single-flight", help_heading = CONCURRENCY)]
    pub no_concurrent: bool,
    /// Run uncached if another caller's run has printed nothing for this long
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = CONCURRENCY)]
    pub lock_timeout: Option<Duration>,

    /// End the command after this long, with status 124
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = RUNNING)]
    pub timeout: Option<Duration>,
    /// Let a run go on in the background, and record it, if its caller ends before it does
    #[arg(long, help_heading = RUNNING)]
    pub finish: bool,
    /// Give the command a terminal of its own if standard output is one
    #[arg(long, help_heading = RUNNING)]
    pub tty: bool,

    /// Choose what a hit prints [default: all]
    #[arg(long, value_name = "WHAT", value_enum, help_heading = REPLAYING)]
    pub replay: Option<ReplayMode>,
    /// Print the age of a replayed result below it if standard error is a terminal
    #[arg(long, help_heading = REPLAYING)]
    pub mark: bool,
    /// Remove escape sequences such as colors from the output [default: never]
    #[arg(long, value_name = "WHEN", value_enum, help_heading = REPLAYING)]
    pub color_strip: Option<ColorStrip>,

    #[command(flatten)]
    pub identity: IdentityArgs,

    /// Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes
    #[arg(short, long, value_name = "PATH", value_parser = text(OutputPattern::from_str), help_heading = OUTPUTS)]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub output: Vec<OutputPattern>,
    /// Exit with 125 if the command succeeds without creating every output
    #[arg(long, help_heading = OUTPUTS)]
    pub require_outputs: bool,

    #[arg(long, help = CACHE_DIR_HELP)]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = STORE)]
    pub cache_dir: Option<PathBuf>,
    /// Do not record output longer than this [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = text(values::size), help_heading = STORE)]
    pub max_entry_size: Option<u64>,
    /// Limit the disk space of the store; the least recently used results go first [default: 5GiB]
    #[arg(long, value_name = "SIZE", value_parser = text(values::store_size), help_heading = STORE)]
    pub max_size: Option<u64>,
    /// Keep about this many results, the most recently used [default: as many as there is room for]
    #[arg(long, value_name = "COUNT", value_parser = text(values::entries), help_heading = STORE)]
    pub max_entries: Option<u64>,
    /// Compress older output at this level, from 0 (not at all) to 19 [default: 1]
    #[arg(long, value_name = "LEVEL", value_parser = text(values::level), help_heading = STORE)]
    pub compress: Option<u8>,
    /// Share results with other machines through the store at this URL, see cachex-remotes(7);
    /// repeatable, the nearest first
    #[arg(long, value_name = "URL", value_parser = text(Tier::from_str), help_heading = STORE)]
    pub remote: Vec<Tier>,
    /// Choose how the remote store is used [default: read-write]
    #[arg(long, value_name = "MODE", value_enum, help_heading = STORE)]
    pub remote_mode: Option<RemoteMode>,
    /// Give up a look-up in the remote store after this long [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = STORE)]
    pub remote_timeout: Option<Duration>,
    /// Give up a transfer from there after this long [default: what the run took, or --remote-timeout]
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = STORE)]
    pub remote_budget: Option<Duration>,
    /// Neither send nor fetch a longer output than this [default: --max-entry-size]
    #[arg(long, value_name = "SIZE", value_parser = text(values::size), help_heading = STORE)]
    pub remote_max_size: Option<u64>,
    /// Sign what is sent with the private key in this file, see `cachex remote keygen`
    #[arg(long, value_name = "FILE", value_parser = text(cachex_store::settings::signing_key))]
    #[arg(value_hint = ValueHint::FilePath, help_heading = STORE)]
    pub remote_signing_key: Option<PrivateKey>,
    /// Accept only results signed with this key, or with one's own; repeatable
    #[arg(long, value_name = "KEY", value_parser = text(PublicKey::from_str), help_heading = STORE)]
    pub remote_trust: Vec<PublicKey>,
    /// Keep the result on this machine even if a remote store is set; it gets the tag `local`
    #[arg(long, help_heading = STORE)]
    pub local: bool,
    /// Label the result, run or replayed, for other verbs to select it; repeatable
    #[arg(long, value_name = "NAME", value_parser = text(Tag::from_str), help_heading = STORE)]
    pub tag: Vec<Tag>,

    /// Print no warnings
    #[arg(short, long, help_heading = MESSAGES, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say on stderr whether the call was a hit, and how much time that saved
    #[arg(short, long, help_heading = MESSAGES)]
    pub verbose: bool,
    /// Write one JSON object about the call to this file when it ends
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = MESSAGES)]
    #[arg(conflicts_with = "status_fd")]
    pub status_file: Option<PathBuf>,
    /// Write that object to this open descriptor instead
    #[arg(long, value_name = "N", value_parser = text(values::descriptor), help_heading = MESSAGES)]
    pub status_fd: Option<i32>,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    #[arg(value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}
