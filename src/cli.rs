//! The command line as clap sees it: data, whose comments are the help.
//!
//! Variables and defaults are not applied here but in `config`, so that a flag
//! that was given can be told from one that was not.

mod archive;
mod explain;
mod manage;
mod remote;
pub mod sh;
mod short;
mod spread;
mod stats;
mod trace;

pub use archive::{ExportArgs, ImportArgs};
pub use explain::ExplainArgs;
pub use manage::*;
pub use remote::{PushArgs, RemoteArgs, RemoteVerb, WhichArgs};
pub use sh::ShArgs;
pub use short::{is_short_form, tip};
pub use spread::is_a_pattern_spread_out;
pub use stats::StatsArgs;
pub use trace::{TraceArgs, TraceFormat};

use crate::values::{
    self, ExeMode, ExitCodes, InputPattern, Mode, NamePattern, OutputPattern, RemoteMode,
    RemoteUrl, StdinMode, Tag, text,
};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A cache in front of any command
///
/// The first `cachex run -- CMD` runs CMD, shows its output live and records
/// stdout, stderr and the exit status. The same command again, with the same
/// environment, standard input and working directory, is answered from the
/// record: the same bytes, the same status, at once.
#[derive(Debug, Parser)]
#[command(name = "cachex", version, max_term_width = 100)]
#[command(arg_required_else_help = true, subcommand_required = true)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a command, or replay what it did last time
    #[command(after_help = RUN_AFTER)]
    Run(RunArgs),
    /// Run a shell script, or replay what it did last time
    ///
    /// As the SHELL of a Makefile it caches each line of a recipe.
    #[command(override_usage = sh::USAGE, after_help = sh::AFTER, mut_args(sh::told))]
    Sh(ShArgs),
    /// Explain whether a call would hit, and if not, why
    ///
    /// Takes the options of `run`. Lists what is part of the key. For a call that
    /// is not recorded, it shows the closest result, how that differs, and which
    /// option would make the call hit.
    #[command(alias = "why", after_help = explain::AFTER, mut_args(explain::shown))]
    Explain(ExplainArgs),
    /// Show which results the store holds
    #[command(alias = "ls", after_help = LIST_AFTER)]
    List(ListArgs),
    /// Show everything about one result
    #[command(alias = "info", after_help = SHOW_AFTER)]
    Show(ShowArgs),
    /// Forget recorded runs: of a command, by key, by tag, by age
    ///
    /// What `cachex run OPTIONS -- CMD` recorded, `cachex forget OPTIONS -- CMD`
    /// forgets, where OPTIONS are those that affect the key. So does standard input.
    #[command(alias = "rm", after_help = FORGET_AFTER)]
    Forget(ForgetArgs),
    /// Remove results that have expired, are old, or exceed a limit
    #[command(alias = "gc", after_help = PRUNE_AFTER)]
    Prune(PruneArgs),
    /// Forget everything
    #[command(after_help = CLEAR_AFTER)]
    Clear(ClearArgs),
    /// Write recorded results to a file, for another store
    ///
    /// The file, an archive, holds the selected results with their output and files.
    /// `cachex import` puts them into another store, or into this one.
    #[command(after_help = archive::EXPORT_AFTER)]
    Export(ExportArgs),
    /// Put the results of an archive into the store
    ///
    /// The later record of a call wins, whether it is in the archive or in the store.
    /// Nothing is changed unless the whole archive is intact.
    #[command(after_help = archive::IMPORT_AFTER)]
    Import(ImportArgs),
    /// Show hits, misses and the time saved
    ///
    /// Reports hits, misses and their reasons, and the time saved, by command and by
    /// day; and which commands take longer to replay than to run.
    #[command(after_help = stats::AFTER)]
    Stats(StatsArgs),
    /// Run a command, and list the files that it read, looked for and wrote
    ///
    /// The command runs as it would by itself: with the same streams, status and signals.
    /// The list follows on standard error when it has ended.
    #[command(after_help = trace::AFTER)]
    Trace(TraceArgs),
    /// Check, measure and flush the store that machines share
    ///
    /// Results are sent to a remote store in the background, and are fetched from it
    /// when the local store has nothing fresh.
    #[command(after_help = remote::AFTER)]
    Remote(RemoteArgs),
    /// Check the store for problems, and repair it
    ///
    /// Checks owners and permissions, the checksum of every entry and output, the
    /// database and its filter, leftover files, and the holders of locks. Without
    /// --repair nothing is changed.
    #[command(after_help = DOCTOR_AFTER)]
    Doctor(DoctorArgs),
    /// Show the effective settings, and where each comes from
    ///
    /// A flag wins over a variable, a variable over the rules of `config.toml`
    /// that match the command, the last of them first, and these over its top
    /// level. Without a command no rule matches.
    #[command(after_help = CONFIG_AFTER)]
    Config(ConfigArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell it is for
        shell: clap_complete::Shell,
    },
    /// Write completions and man pages below a folder
    #[command(hide = true)]
    Generate {
        /// The folder
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
}

/// A call that stands in for a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Called {
    /// Of `run`.
    Run(RunArgs),
    /// Of `sh`.
    Sh(ShArgs),
}

impl From<RunArgs> for Called {
    fn from(args: RunArgs) -> Called {
        Called::Run(args)
    }
}

impl Called {
    /// The verb.
    pub fn verb(&self) -> &'static str {
        match self {
            Called::Run(_) => RUN,
            Called::Sh(_) => SH,
        }
    }

    /// The options that both have.
    pub fn run_mut(&mut self) -> &mut RunArgs {
        match self {
            Called::Run(run) => run,
            Called::Sh(sh) => &mut sh.run,
        }
    }
}

impl Verb {
    /// The call, if it stands in for a command.
    pub fn called(self) -> Option<Called> {
        match self {
            Verb::Run(args) => Some(Called::Run(args)),
            Verb::Sh(args) => Some(Called::Sh(args)),
            _ => None,
        }
    }
}

/// `run`, as it is typed.
pub const RUN: &str = "run";
/// The hidden verb of a program that uses the library, which is `run` after the path of
/// a file that is told of the call.
pub const RUN_FOR: &str = "__run";
/// `sh`, as it is typed.
pub const SH: &str = "sh";

/// Reads a command line, of which the first word is the program.
pub fn parse(mut args: Vec<OsString>) -> Result<Verb, clap::Error> {
    if args.get(1).is_some_and(|verb| verb == SH) {
        sh::delimit(&mut args, 2);
    }
    let verb = Cli::try_parse_from(&args)?.verb;
    if let Verb::Run(run) = &verb
        && is_a_pattern_spread_out(&args, args.len() - run.command.len())
    {
        let option = args[args.len() - run.command.len() - 2].to_string_lossy();
        let why = format!(
            "the shell has put several files in the place of one pattern behind `{option}`, and \
             the second would be run; quote the pattern: {option} '*.c'"
        );
        return Err(Cli::command().error(ErrorKind::ValueValidation, why));
    }
    Ok(verb)
}

const RUN_AFTER: &str = "\
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
    /// Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]
    #[arg(short = 't', long, visible_alias = "ttl")]
    #[arg(value_name = "DURATION", value_parser = text(values::duration), help_heading = FRESHNESS)]
    pub expires_in: Option<Duration>,
    /// The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = FRESHNESS)]
    pub failure_expires_in: Option<Duration>,
    /// Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]
    #[arg(long, value_name = "LIST", value_parser = text(ExitCodes::from_str), help_heading = FRESHNESS)]
    pub exit_codes: Option<ExitCodes>,
    /// Serve a result older than this, and replace it by one run in the background
    #[arg(short = 's', long, visible_alias = "stale-after")]
    #[arg(value_name = "DURATION", value_parser = text(values::duration), help_heading = FRESHNESS)]
    pub refresh_after: Option<Duration>,
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
    /// Exit with this status if --cached-only finds nothing to replay [default: 125]
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
    /// Give the command a terminal of its own if standard output is one
    #[arg(long, help_heading = RUNNING)]
    pub tty: bool,

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
    /// Share results with other machines through the store at this URL, see cachex-remotes(7)
    #[arg(long, value_name = "URL", value_parser = text(RemoteUrl::from_str), help_heading = STORE)]
    pub remote: Option<RemoteUrl>,
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

/// The options that decide which calls share a result.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct IdentityArgs {
    /// Choose how the executable is part of the key [default: stat]
    #[arg(long, value_name = "HOW", value_enum, help_heading = KEY)]
    pub exe: Option<ExeMode>,
    /// Leave the working directory out of the key
    #[arg(long, help_heading = KEY)]
    pub no_cwd: bool,
    /// Make only these variables part of the key: names, or patterns such as `AWS_*`
    #[arg(short, long, value_name = "GLOB,…", value_delimiter = ',', help_heading = KEY)]
    #[arg(value_parser = text(NamePattern::from_str), conflicts_with_all = ["ignore_env", "no_env"])]
    pub env: Option<Vec<NamePattern>>,
    /// Leave the variables that match these patterns out of the key
    #[arg(long, value_name = "GLOB,…", value_delimiter = ',', help_heading = KEY)]
    #[arg(value_parser = text(NamePattern::from_str), conflicts_with = "no_env")]
    pub ignore_env: Option<Vec<NamePattern>>,
    /// Leave all variables out of the key
    #[arg(long, help_heading = KEY)]
    pub no_env: bool,
    /// Choose what the command reads, and whether that is part of the key [default: hash]
    #[arg(long, value_name = "HOW", value_enum, help_heading = KEY)]
    pub stdin: Option<StdinMode>,
    /// Add this text to the key, for anything else that the output depends on
    #[arg(short, long, value_name = "TEXT", help_heading = KEY)]
    pub key: Option<OsString>,
    /// Keep the results of this scope apart from those of others
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str), help_heading = KEY)]
    pub scope: Option<String>,
    /// Add these files to the key: a file, a folder or a pattern; `!` in front excludes
    #[arg(short, long, value_name = "GLOB", value_parser = text(InputPattern::from_str), help_heading = INPUTS)]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub input: Vec<InputPattern>,
    /// Add every file listed in this file to the key, one per line; `-` reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = INPUTS)]
    pub input_from: Option<PathBuf>,
    /// Add the output of this shell command to the key
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString, help_heading = INPUTS)]
    #[arg(value_parser = text(values::shell_command))]
    pub input_command: Vec<String>,
    /// Add files to the key even if `.gitignore` excludes them
    #[arg(long, help_heading = INPUTS)]
    pub no_ignore: bool,
    /// Make paths below this folder relative to it in the key
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = KEY)]
    pub base_dir: Option<PathBuf>,
    /// Share results between machines and checkouts, see cachex-key(7)
    #[arg(long, help_heading = KEY)]
    pub portable: bool,
    /// Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours
    #[arg(long, value_name = "NAME", value_parser = text(values::platform), help_heading = KEY)]
    pub platform: Option<String>,
}

const CACHE_DIR_HELP: &str =
    "Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]";
const FRESHNESS: &str = "Freshness";
const MODE: &str = "Run or replay";
const CONCURRENCY: &str = "Concurrency";
const RUNNING: &str = "Running";
const KEY: &str = "Cache key";
const INPUTS: &str = "Input files";
const OUTPUTS: &str = "Output files";
const STORE: &str = "Store";
const MESSAGES: &str = "Messages";
const OUTPUT: &str = "Output";
