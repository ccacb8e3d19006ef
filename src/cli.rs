//! The command line as clap sees it: data, whose comments are the help.
//!
//! Variables and defaults are not applied here but in `config`, so that a flag
//! that was given can be told from one that was not.

use crate::values::{self, ExeMode, ExitCodes, NamePattern, StdinMode, VariableName, text};
use clap::{Args, Parser, Subcommand, ValueHint};
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
    /// Forget the recorded run of a command
    ///
    /// Takes the options of `run`: what `cachex run OPTIONS -- CMD` recorded,
    /// `cachex forget OPTIONS -- CMD` forgets. Standard input counts here too.
    Forget(RunArgs),
    /// Forget everything
    Clear(ClearArgs),
    /// Say what is wrong with the store, and mend it
    ///
    /// Checks owners and permissions, the checksum of every entry and of every
    /// output, the database and its filter, what is left over, and who holds
    /// which lock. Looking changes nothing.
    #[command(after_help = DOCTOR_AFTER)]
    Doctor(DoctorArgs),
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

const RUN_AFTER: &str = "\
Exit status: the command's own, a death by signal included. 125 if cachex was
misused, 126 if the command cannot be executed, 127 if it was not found.

Every option has a variable of the same name (--expires-in: CACHEX_EXPIRES_IN;
--cache-dir: CACHEX_DIR); the option wins. CACHEX_DISABLE=1 runs the command as
if cachex were not there.

Examples:
  cachex run --expires-in 10m -- terraform plan -no-color
  cachex run --expires-in 2s --no-concurrent -- kubectl get pods
  cachex run --no-env --no-cwd -- openssl speed";

const DOCTOR_AFTER: &str = "\
Exit status: 0 if nothing is wrong or all of it was repaired, 1 if something is
left, 2 if cachex was misused.";

#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct RunArgs {
    /// Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = FRESHNESS)]
    pub expires_in: Option<Duration>,
    /// The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]
    #[arg(long, value_name = "DURATION", value_parser = text(values::duration), help_heading = FRESHNESS)]
    pub failure_expires_in: Option<Duration>,
    /// Which exit statuses are recorded: `all`, `0`, `0,2`, `0-3` [default: all]
    #[arg(long, value_name = "LIST", value_parser = text(ExitCodes::from_str), help_heading = FRESHNESS)]
    pub exit_codes: Option<ExitCodes>,
    /// Run the command and replace what is recorded
    #[arg(long, help_heading = FRESHNESS)]
    pub force: bool,

    /// Let one caller run the command while the others wait for its result
    #[arg(long, help_heading = CONCURRENCY)]
    pub no_concurrent: bool,

    /// How the executable counts [default: stat]
    #[arg(long, value_name = "HOW", value_enum, help_heading = KEY)]
    pub exe: Option<ExeMode>,
    /// Leave out the working directory
    #[arg(long, help_heading = KEY)]
    pub no_cwd: bool,
    /// Count only these variables
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = KEY)]
    #[arg(value_parser = text(VariableName::from_str), conflicts_with_all = ["ignore_env", "no_env"])]
    pub env: Option<Vec<VariableName>>,
    /// Leave out the variables that match these patterns
    #[arg(long, value_name = "GLOB,…", value_delimiter = ',', help_heading = KEY)]
    #[arg(value_parser = text(NamePattern::from_str), conflicts_with = "no_env")]
    pub ignore_env: Option<Vec<NamePattern>>,
    /// Leave out all variables
    #[arg(long, help_heading = KEY)]
    pub no_env: bool,
    /// What the command gets as standard input, and whether it counts [default: hash]
    #[arg(long, value_name = "HOW", value_enum, help_heading = KEY)]
    pub stdin: Option<StdinMode>,
    /// Count this text too, for whatever else the output depends on
    #[arg(long, value_name = "TEXT", help_heading = KEY)]
    pub key: Option<OsString>,
    /// Keep this result apart from those of other scopes
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str), help_heading = KEY)]
    pub scope: Option<String>,

    #[arg(long, help = CACHE_DIR_HELP)]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = STORE)]
    pub cache_dir: Option<PathBuf>,
    /// Do not record a longer output than this [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = text(values::size), help_heading = STORE)]
    pub max_entry_size: Option<u64>,
    /// Drop the least recently used results beyond this in all [default: 5GiB]
    #[arg(long, value_name = "SIZE", value_parser = text(values::size), help_heading = STORE)]
    pub max_size: Option<u64>,

    /// Do not warn
    #[arg(long, help_heading = MESSAGES, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say on stderr whether it was a hit, and what that saved
    #[arg(long, help_heading = MESSAGES)]
    pub verbose: bool,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    #[arg(value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

const CACHE_DIR_HELP: &str =
    "Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]";
const FRESHNESS: &str = "Freshness";
const CONCURRENCY: &str = "Concurrency";
const KEY: &str = "What counts as the same";
const STORE: &str = "Store";
const MESSAGES: &str = "Messages";

#[derive(Args, Debug)]
pub struct ClearArgs {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    #[arg(long, help = CACHE_DIR_HELP)]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Mend what can be mended; nothing that is whole is removed
    #[arg(long)]
    pub repair: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[arg(long, help = CACHE_DIR_HELP)]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
}
