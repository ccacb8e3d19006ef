//! The command line as clap sees it: data, whose comments are the help.
//!
//! Variables and defaults are not applied here but in `config`, so that a flag
//! that was given can be told from one that was not.

mod archive;
mod explain;
pub mod help;
mod init;
pub mod lean;
mod log;
mod manage;
pub mod options;
mod remote;
mod run;
pub mod sh;
mod short;
mod spread;
mod stats;
mod trace;

pub use archive::{ExportArgs, ImportArgs};
pub use explain::ExplainArgs;
pub use init::InitShell;
pub use log::LogArgs;
pub use manage::*;
pub use options::{AutoArgs, IdentityArgs, RunArgs, ShArgs};
pub use remote::{
    InvalidateArgs, KeygenArgs, PushArgs, RemoteArgs, RemoteBy, RemoteListArgs, RemoteVerb,
    WhichArgs,
};
pub use short::{is_short_form, quieten, tip, tip_for_a_shell};
pub use spread::is_a_pattern_spread_out;
pub use stats::StatsArgs;
pub use trace::{TraceArgs, TraceFormat};

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

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
    #[command(after_help = run::AFTER)]
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
    /// List the files that an automatic result depends on
    ///
    /// What a run with --auto read, looked for, looked at and listed.
    #[command(after_help = INPUTS_AFTER)]
    Inputs(InputsArgs),
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
    /// List recent calls, and what came of each
    ///
    /// Hits, misses and why, the last one first. A few hundred calls are kept.
    #[command(after_help = log::AFTER)]
    Log(LogArgs),
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
    /// A flag wins over a variable, a variable over the profile, this over the rules
    /// of `config.toml` that match the command, the last of them first, these over
    /// its top level, and all of it over the project's .cachex.toml. Without a
    /// command no rule matches.
    #[command(after_help = CONFIG_AFTER)]
    Config(ConfigArgs),
    /// Allow a project's settings, as they are now
    ///
    /// A project's .cachex.toml is used only after its reader has allowed it. It can set
    /// what makes results expire earlier, tells them apart or labels them; no store, no
    /// remote, and nothing that leaves anything out of a key.
    Allow {
        /// The file or its folder [default: the nearest one, upwards from here]
        #[arg(value_hint = ValueHint::AnyPath)]
        path: Option<PathBuf>,
    },
    /// Stop using a project's settings
    Deny {
        /// The file or its folder [default: the nearest one, upwards from here]
        #[arg(value_hint = ValueHint::AnyPath)]
        path: Option<PathBuf>,
    },
    /// Print the code that sets up a shell: completions, wrapped commands and prompts
    #[command(after_help = init::AFTER)]
    Init {
        /// The shell to set up
        shell: InitShell,
    },
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
/// `sh`, as it is typed.
pub const SH: &str = "sh";

/// Reads a command line, of which the first word is the program.
pub fn parse(mut args: Vec<OsString>) -> Result<Verb, clap::Error> {
    if args.get(1).is_some_and(|verb| verb == SH) {
        sh::delimit(&mut args, 2);
    }
    let mut cli = help::command();
    let matches = cli.try_get_matches_from_mut(&args)?;
    let verb = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut cli))?.verb;
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

const CACHE_DIR_HELP: &str =
    "Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]";

/// The headings of the options.
mod headings {
    pub const FRESHNESS: &str = "Freshness";
    pub const MODE: &str = "Run or replay";
    pub const CONCURRENCY: &str = "Concurrency";
    pub const REPLAYING: &str = "Replaying";
    pub const RUNNING: &str = "Running";
    pub const KEY: &str = "Cache key";
    pub const INPUTS: &str = "Input files";
    pub const OUTPUTS: &str = "Output files";
    pub const STORE: &str = "Store";
    pub const MESSAGES: &str = "Messages";
    pub const OUTPUT: &str = "Output";
    pub const AUTO: &str = "Automatic inputs";
}
