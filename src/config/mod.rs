//! Merges flags, variables, the file and defaults into one validated [`Config`].
//!
//! Precedence: flags, `CACHEX_*` variables, the chosen profile, the rules of `config.toml` that
//! match the command (last first), its top level, the project's file, defaults. Nothing below this
//! module reads the environment or the file.

mod auto;
mod file;
mod folder;
mod inputs;
mod levels;
mod merge;
mod parse;
mod project;
mod shown;
mod unknown;

pub use auto::Auto;
pub use cachex_base::process::report::ReportTo;
pub use cachex_store::place::{Vars, var};
pub use cachex_store::settings::Remote;
pub use file::{File, Read, place};
pub use folder::StoreDir;
pub use inputs::{BaseFolder, EnvSelection, InputFiles, List};
pub use levels::{By, Noted};
pub use project::{NAME as PROJECT_FILE, Project, allow, deny, find as project};
pub use unknown::unknown_variables;

use crate::args::{Called, RunArgs, ShArgs, options, sh};
use cachex_base::process::exit;
use cachex_base::record::entry::Key;
use cachex_base::streams::messages::Messages;
use cachex_base::text::values::{
    ColorStrip, ExeMode, ExitCodes, Mode, OutputPattern, ReplayMode, StdinMode, Tag,
};
use cachex_store::fold::Bounds;
use folder::dir;
use levels::{Levels, Own};
use merge::merge;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The shell's path on POSIX systems, where make looks for it.
const DEFAULT_SHELL: &str = "/bin/sh";

/// The settings of a call of `run`.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of the store; none if there is no home to put it in.
    pub dir: Option<StoreDir>,
    /// True if the folder was named on the command line.
    pub dir_is_explicit: bool,
    /// The settings of the cache key.
    pub identity: Identity,
    /// The lifetimes of results.
    pub freshness: Freshness,
    /// The use of the store.
    pub mode: Mode,
    /// The reason why the project's file is not used, which turns the cache off.
    pub refused: Option<String>,
    /// True to run in the background, and return at once.
    pub warm: bool,
    /// The exit status instead of a run of the command; none: it is run.
    pub cached_only: Option<u8>,
    /// The exit status instead of waiting for a run, which is started in the background; none: it
    /// is waited for.
    pub no_wait: Option<u8>,
    /// True if a run continues in the background when its caller is ended.
    pub finish: bool,
    /// True if one caller runs while others wait.
    pub no_concurrent: bool,
    /// The time that a caller waits for another; none: as long as it takes.
    pub lock_timeout: Option<Duration>,
    /// The time limit of the command; none: as long as it takes.
    pub timeout: Option<Duration>,
    /// True if the command gets a terminal of its own where there is one.
    pub tty: bool,
    /// The output of a hit.
    pub replay: ReplayMode,
    /// True if a hit is marked as such on a terminal.
    pub mark: bool,
    /// The removal of escape sequences from the output.
    pub color_strip: ColorStrip,
    /// The files that the command creates, sorted.
    pub outputs: Vec<OutputPattern>,
    /// True if the command has to create every one of them.
    pub require_outputs: bool,
    /// The tags of the entry, sorted.
    pub tags: Vec<Tag>,
    /// True if the entry stays on this machine; none if that is not set.
    pub local: Option<bool>,
    /// The longest output that is recorded, in bytes.
    pub max_entry_size: u64,
    /// The limit of the store's disk space, in bytes.
    pub max_size: u64,
    /// The limit of the number of entries.
    pub max_entries: Option<u64>,
    /// The level at which a fold compresses blobs; zero: not at all.
    pub compress: u8,
    /// The stores that machines share, the nearest first.
    pub remotes: Vec<Remote>,
    /// The destination of a report about the call.
    pub report: Option<ReportTo>,
    /// Suppresses warnings.
    pub quiet: bool,
    /// Reports hit or miss.
    pub verbose: bool,
}

impl Config {
    /// Returns whether the command may run while its caller waits.
    pub fn may_run(&self) -> bool {
        !self.warm && self.cached_only.is_none() && self.no_wait.is_none()
    }

    /// Returns the limits of the store.
    pub fn bounds(&self) -> Bounds {
        let Config { max_size, max_entries, compress, .. } = *self;
        Bounds { max_size, max_entries, compress }
    }
}

/// The lifetimes of results.
#[derive(Clone, Debug)]
pub struct Freshness {
    /// The lifetime of a success; none: for ever.
    pub expires_in: Option<Duration>,
    /// The time for which a failure may be replayed, and for which a stale or ageing result is
    /// served after a failure without another attempt; none: for ever.
    pub failure_expires_in: Option<Duration>,
    /// The age from which a result is refreshed in the background.
    pub refresh_after: Option<Duration>,
    /// The time after its expiry for which a good result is served at once, and refreshed.
    pub stale_ok: Option<Duration>,
    /// The time after its expiry for which a good result stands in for a failed run.
    pub stale_if_error: Option<Duration>,
    /// The maximum by which a key expires earlier, in percent of its limit.
    pub jitter: u8,
    /// The exit statuses to record.
    pub exit_codes: ExitCodes,
}

impl Freshness {
    /// Returns the lifetime of a run that ended with `status`, for this key.
    pub fn limit(&self, status: u8, key: &Key) -> Option<Duration> {
        let limit = if status == 0 { self.expires_in } else { self.failure_expires_in }?;
        if self.jitter == 0 {
            return Some(limit);
        }
        // Keys are uniformly distributed: their first bytes are as good as random, and equal on
        // every machine.
        let most = limit.as_nanos() * u128::from(self.jitter) / 100;
        let earlier = (most * u128::from(key.prefix() >> 32)) >> 32;
        let nanos = (limit.as_nanos() - earlier).max(1);
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// Returns the maximum time after its expiry for which a good result may be served.
    pub fn stale_for(&self) -> Option<Duration> {
        self.stale_if_error.max(self.stale_ok)
    }

    /// Returns whether a run with this status succeeded: with 0, or with a status that was listed
    /// for recording.
    pub fn is_good(&self, status: u8) -> bool {
        status == 0 || !self.exit_codes.are_all() && self.exit_codes.contain(status)
    }
}

/// The settings of the cache key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The way in which the executable is part of the key.
    pub exe: ExeMode,
    /// True if the working directory is part of the key.
    pub cwd: bool,
    /// The variables that are part of the key.
    pub env: EnvSelection,
    /// The way in which standard input is part of the key.
    pub stdin: StdinMode,
    /// Free text that is part of the key.
    pub key: Option<OsString>,
    /// The scope, which is part of the key.
    pub scope: Option<String>,
    /// The input files.
    pub inputs: InputFiles,
    /// The folder whose location is not part of the key.
    pub base: Option<BaseFolder>,
    /// True if names of the host and the user are excluded from the key.
    pub portable: bool,
    /// The text that replaces the detected platform.
    pub platform: Option<String>,
    /// The settings of automatic calls, if this is one.
    pub auto: Option<Box<Auto>>,
}

/// A usage error, with a remedy.
#[derive(Debug)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Returns the store's folder for a verb that only takes `--cache-dir`.
pub fn store_dir(flag: Option<PathBuf>, vars: &Vars) -> Result<Option<StoreDir>, UsageError> {
    let read = file::read(vars)?;
    let levels = Levels::new(Own::of(vars), read.file()).with_profile(None)?;
    warn(&read, levels.switch(&options::QUIET, false).unwrap_or(false));
    dir(flag, vars, &levels)
}

/// Like [`store_dir`], without warnings.
pub fn store_dir_quietly(
    flag: Option<PathBuf>,
    vars: &Vars,
) -> Result<Option<StoreDir>, UsageError> {
    let read = file::read(vars)?;
    dir(flag, vars, &Levels::new(Own::of(vars), read.file()).with_profile(None)?)
}

/// Returns whether such a verb suppresses its messages.
pub fn is_quiet(flag: bool, vars: &Vars) -> Result<bool, UsageError> {
    Levels::new(Own::of(vars), file::read(vars)?.file()).switch(&options::QUIET, flag)
}

/// Builds a configuration from the call, the variables and the file. If cachex is disabled, the
/// mode is always [`Mode::Off`], and neither the file nor most variables are read: mistakes there
/// must not keep a command from running that cachex is to leave alone.
pub fn resolve(
    called: impl Into<Called>,
    vars: &Vars,
) -> Result<(Config, Vec<OsString>), UsageError> {
    let own = Own::of(vars);
    if !own.switch("CACHEX_DISABLE")? {
        return settled(called.into(), vars, own, &file::read(vars)?);
    }
    resolve_disabled(called, vars)
}

/// Like [`resolve`], for a command called by its own name: cachex is off unless a rule matches.
pub fn resolve_by_rule(args: RunArgs, vars: &Vars) -> Result<(Config, Vec<OsString>), UsageError> {
    let own = Own::of(vars);
    if own.switch("CACHEX_DISABLE")? {
        return resolve_disabled(args, vars);
    }
    let read = file::read(vars)?;
    let is_ruled = read.file().is_some_and(|file| !file.matching(&args.command).is_empty());
    if is_ruled || read.refused().is_some() {
        let (config, argv) = settled(args.into(), vars, own, &read)?;
        let mode = if is_ruled { config.mode } else { Mode::Off };
        return Ok((Config { mode, ..config }, argv));
    }
    resolve_disabled(args, vars)
}

/// Like [`resolve`], with cachex disabled.
pub fn resolve_disabled(
    called: impl Into<Called>,
    vars: &Vars,
) -> Result<(Config, Vec<OsString>), UsageError> {
    let own = Own::of(vars).where_disabled();
    let mut called = called.into();
    called.run_mut().identity.profile = None;
    let (config, argv) = settled(called, vars, own, &Read::Absent)?;
    Ok((Config { mode: Mode::Off, warm: false, cached_only: None, no_wait: None, ..config }, argv))
}

/// Like [`resolve`], with a file that was already read, and never disabled.
pub fn resolve_with(
    called: impl Into<Called>,
    vars: &Vars,
    read: &Read,
) -> Result<(Config, Vec<OsString>), UsageError> {
    settled(called.into(), vars, Own::of(vars), read)
}

fn settled(
    mut called: Called,
    vars: &Vars,
    own: Own,
    read: &Read,
) -> Result<(Config, Vec<OsString>), UsageError> {
    let profile = called.run_mut().identity.profile.take();
    let levels = Levels::new(own, read.file()).with_profile(profile)?;
    let is_script = matches!(called, Called::Sh(_));
    let mut args = match called {
        Called::Run(run) => run,
        Called::Sh(sh) => with_shell(sh, &levels)?,
    };
    let argv = std::mem::take(&mut args.command);
    let levels = levels.of(&argv);
    if is_script {
        // Make gives its standard input to an arbitrary one of several jobs; it may be a pipe that
        // nobody ever closes.
        let stdin = levels.pick(&options::STDIN, args.identity.stdin)?;
        args.identity.stdin = stdin.or(Some(StdinMode::Null));
    }
    let mut config = merge(args, vars, &levels)?;
    warn(read, config.quiet);
    config.refused = read.file().and_then(|file| file.warning.clone());
    if config.refused.is_some() {
        // Without the inputs that the project names, any result may be outdated.
        config.mode = Mode::Off;
    }
    Ok((config, argv))
}

/// Returns the arguments of a `run` for the same script. No rule can set the shell: it must be
/// known to tell which rules match.
fn with_shell(
    ShArgs { mut run, shell }: ShArgs,
    levels: &Levels<'_>,
) -> Result<RunArgs, UsageError> {
    sh::check(&run.command).map_err(UsageError)?;
    run.command.insert(0, self::shell(shell, levels)?.into());
    Ok(run)
}

/// Returns the shell that runs scripts.
fn shell(flag: Option<String>, levels: &Levels<'_>) -> Result<String, UsageError> {
    levels.pick_or(&options::SHELL, flag, DEFAULT_SHELL.to_owned())
}

/// Returns the remote stores that calls use, each with the settings where it is named: those of all
/// commands, and those that rules name.
pub fn resolve_remotes(
    args: &RunArgs,
    vars: &Vars,
    read: &Read,
) -> Result<Vec<(Config, Remote)>, UsageError> {
    let (first, _) = resolve_with(args.clone(), vars, read)?;
    let mut all: Vec<(Config, Remote)> = Vec::new();
    let rules = read.file().map_or(0, |file| file.rules.len());
    let of_rule = |place| {
        let levels = Levels::of_rule(Own::of(vars), read, place);
        merge(args.clone(), vars, &levels.with_profile(args.identity.profile.clone())?)
    };
    for config in std::iter::once(Ok(first)).chain((0..rules).map(of_rule)) {
        let config = config?;
        for remote in &config.remotes {
            let url = remote.url.to_string();
            if all.iter().all(|(_, known)| known.url.to_string() != url) {
                all.push((config.clone(), remote.clone()));
            }
        }
    }
    Ok(all)
}

/// The effective settings for a command, and their origin.
pub struct Settled {
    /// The configuration.
    pub config: Config,
    /// The options, each with its value and the level that set it; options without a value are
    /// missing.
    pub options: Vec<Noted>,
    /// The indices of the matching rules, in the order of the file.
    pub rules: Vec<usize>,
}

impl Settled {
    /// Returns the outcome of an option.
    pub fn of(&self, option: &options::About) -> Option<&Noted> {
        self.options.iter().find(|noted| noted.name == option.name)
    }
}

/// Returns the effective settings for a command called without options.
pub fn settle(
    argv: &[OsString],
    profile: Option<String>,
    vars: &Vars,
    read: &Read,
) -> Result<Settled, UsageError> {
    let levels = Levels::new(Own::of(vars), read.file()).with_profile(profile)?;
    let levels = levels.of(argv).noting();
    let config = merge(RunArgs::default(), vars, &levels)?;
    warn(read, config.quiet);
    // These options are for other calls.
    levels.pick_or(&options::MISS_STATUS, None, exit::CACHEX_FAILED)?;
    shell(None, &levels)?;
    let rules = levels.rules().iter().rev().copied().collect();
    Ok(Settled { config, rules, options: levels.noted() })
}

/// Reads the file.
pub fn read(vars: &Vars) -> Result<Read, UsageError> {
    file::read(vars)
}

/// Parses the content of a file at `path`; `home` replaces `~` in it.
pub fn parse(path: PathBuf, bytes: &[u8], home: Option<&Path>) -> Result<File, UsageError> {
    parse::file(path, bytes, home)
}

/// Explains why no file is read.
pub fn nowhere(vars: &Vars) -> UsageError {
    UsageError(match var(vars, file::VARIABLE) {
        Some(_) => format!("no configuration file is read, {} says so", file::VARIABLE),
        None => "there is no folder for a configuration file: set HOME or XDG_CONFIG_HOME".into(),
    })
}

fn warn(read: &Read, quiet: bool) {
    let warning = read.file().and_then(|file| file.warning.as_deref());
    if let Some(why) = read.refused().or(warning) {
        Messages { quiet, verbose: false }.warn(format_args!("{why}"));
    }
}
