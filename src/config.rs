//! Flags, variables and defaults, made into one validated [`Config`].
//!
//! Precedence: flag, then `CACHEX_*` variable, then default. Nothing below
//! this module reads the environment.

use crate::cli::RunArgs;
use crate::messages;
use crate::session;
use crate::values::{self, ExeMode, ExitCodes, NamePattern, StdinMode, VariableName};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

const DEFAULT_FAILURE_EXPIRES_IN: Duration = Duration::from_mins(1);
const DEFAULT_MAX_ENTRY_SIZE: u64 = 1 << 30;
const DEFAULT_MAX_SIZE: u64 = 5 << 30;

/// The environment as it was when cachex started: names and values.
pub type Vars = [(&'static OsStr, &'static OsStr)];

/// The value of a variable.
pub fn var(vars: &Vars, name: &str) -> Option<&'static OsStr> {
    vars.iter().find(|(var, _)| *var == name).map(|(_, value)| *value)
}

/// Everything that `run` was told.
#[derive(Debug)]
pub struct Config {
    /// Where the store is; none if there is no home to put it in.
    pub dir: Option<PathBuf>,
    /// Whether the folder was named on the command line.
    pub dir_is_explicit: bool,
    /// What counts as the same invocation.
    pub identity: Identity,
    /// How long a success may be replayed; none: for ever.
    pub expires_in: Option<Duration>,
    /// How long a failure may be replayed; none: for ever.
    pub failure_expires_in: Option<Duration>,
    /// Which exit statuses are recorded.
    pub exit_codes: ExitCodes,
    /// Whether to run in any case.
    pub force: bool,
    /// Whether one caller runs while the others wait.
    pub no_concurrent: bool,
    /// The longest output that is recorded, in bytes.
    pub max_entry_size: u64,
    /// What the store may hold, in bytes.
    pub max_size: u64,
    /// No warnings.
    pub quiet: bool,
    /// A line about hit or miss.
    pub verbose: bool,
}

impl Config {
    /// How long a run that ended with `status` may be replayed.
    pub fn limit(&self, status: u8) -> Option<Duration> {
        if status == 0 { self.expires_in } else { self.failure_expires_in }
    }
}

/// What counts as the same invocation.
#[derive(Debug)]
pub struct Identity {
    /// How the executable counts.
    pub exe: ExeMode,
    /// Whether the working directory counts.
    pub cwd: bool,
    /// Which variables count.
    pub env: EnvSelection,
    /// How standard input counts.
    pub stdin: StdinMode,
    /// Free text that counts.
    pub key: Option<OsString>,
    /// The scope, which counts.
    pub scope: Option<String>,
}

/// Which variables count.
#[derive(Debug)]
pub enum EnvSelection {
    /// All but those of the session.
    All,
    /// These.
    Only(Vec<VariableName>),
    /// All but those of the session and those that match.
    Except(Vec<NamePattern>),
    /// None.
    None,
}

/// What is wrong with a variable's value, and what would be right.
#[derive(Debug)]
pub struct BadVariable(String);

impl fmt::Display for BadVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadVariable {}

/// Whether cachex is to be as if it were not there.
pub fn disabled(vars: &Vars) -> Result<bool, BadVariable> {
    Own::of(vars).switch("CACHEX_DISABLE")
}

/// Where the store is for a verb that only takes `--cache-dir`.
pub fn store_dir(flag: Option<PathBuf>, vars: &Vars) -> Option<PathBuf> {
    let set = |name: &str| var(vars, name).filter(|value| !value.is_empty()).map(PathBuf::from);
    flag.or_else(|| set("CACHEX_DIR"))
        // The base directory specification has relative ones ignored.
        .or_else(|| {
            set("XDG_CACHE_HOME").filter(|path| path.is_absolute()).map(|home| home.join("cachex"))
        })
        .or_else(|| set("HOME").map(|home| home.join(".cache/cachex")))
}

/// Makes a configuration of what was given and of what is set.
pub fn resolve(args: RunArgs, vars: &Vars) -> Result<(Config, Vec<OsString>), BadVariable> {
    let own = Own::of(vars);
    let env = match (args.env, args.ignore_env, args.no_env) {
        (Some(names), _, _) => EnvSelection::Only(names),
        (_, Some(patterns), _) => EnvSelection::Except(patterns),
        (_, _, true) => EnvSelection::None,
        (None, None, false) => own.env_selection()?,
    };
    let expires_in = match args.expires_in {
        None => own.read("CACHEX_EXPIRES_IN", values::duration)?,
        given => given,
    };
    let failure_expires_in = match args.failure_expires_in {
        None => own.read("CACHEX_FAILURE_EXPIRES_IN", values::duration)?,
        given => given,
    };
    let shorter = expires_in
        .map_or(DEFAULT_FAILURE_EXPIRES_IN, |limit| limit.min(DEFAULT_FAILURE_EXPIRES_IN));
    let config = Config {
        dir_is_explicit: args.cache_dir.is_some(),
        dir: store_dir(args.cache_dir, vars),
        identity: Identity {
            exe: own.or(args.exe, "CACHEX_EXE", choice)?.unwrap_or_default(),
            cwd: !(args.no_cwd || own.switch("CACHEX_NO_CWD")?),
            env,
            stdin: own.or(args.stdin, "CACHEX_STDIN", choice)?.unwrap_or_default(),
            key: args.key.or_else(|| own.get("CACHEX_KEY").map(OsStr::to_owned)),
            scope: own.or(args.scope, "CACHEX_SCOPE", |text| Ok(text.to_owned()))?,
        },
        expires_in,
        failure_expires_in: Some(failure_expires_in.unwrap_or(shorter)),
        exit_codes: own.or(args.exit_codes, "CACHEX_EXIT_CODES", str::parse)?.unwrap_or_default(),
        force: args.force || own.switch("CACHEX_FORCE")?,
        no_concurrent: args.no_concurrent || own.switch("CACHEX_NO_CONCURRENT")?,
        max_entry_size: own
            .or(args.max_entry_size, "CACHEX_MAX_ENTRY_SIZE", values::size)?
            .unwrap_or(DEFAULT_MAX_ENTRY_SIZE),
        max_size: own
            .or(args.max_size, "CACHEX_MAX_SIZE", values::size)?
            .unwrap_or(DEFAULT_MAX_SIZE),
        verbose: !args.quiet && (args.verbose || own.switch("CACHEX_VERBOSE")?),
        quiet: !args.verbose && (args.quiet || own.switch("CACHEX_QUIET")?),
    };
    Ok((config, args.command))
}

fn choice<T: clap::ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, false).map_err(|_| {
        let names = T::value_variants().iter().filter_map(clap::ValueEnum::to_possible_value);
        let names: Vec<String> = names.map(|value| format!("`{}`", value.get_name())).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn list<T: FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    text.split(',').map(str::parse).collect()
}

/// The variables that are cachex's own.
struct Own(Vec<(&'static OsStr, &'static OsStr)>);

impl Own {
    fn of(vars: &Vars) -> Own {
        let own = vars.iter().filter(|(name, _)| name.as_bytes().starts_with(session::OWN));
        Own(own.copied().collect())
    }

    /// A variable's value; an empty one is as good as unset.
    fn get(&self, name: &str) -> Option<&'static OsStr> {
        let found = self.0.iter().find(|(var, _)| *var == name);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    fn read<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, BadVariable> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let parsed = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned()).and_then(parse);
        parsed.map(Some).map_err(|why| {
            BadVariable(format!(
                "invalid value '{}' for the variable {name}: {why}",
                messages::harmless(&value.to_string_lossy())
            ))
        })
    }

    fn or<T>(
        &self,
        flag: Option<T>,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, BadVariable> {
        flag.map_or_else(|| self.read(name, parse), |given| Ok(Some(given)))
    }

    fn switch(&self, name: &str) -> Result<bool, BadVariable> {
        Ok(self.read(name, values::switch)?.unwrap_or(false))
    }

    fn env_selection(&self) -> Result<EnvSelection, BadVariable> {
        let only = self.read("CACHEX_ENV", |text| list(text).map_err(str::to_owned))?;
        let except = self.read("CACHEX_IGNORE_ENV", list)?;
        match (only, except, self.switch("CACHEX_NO_ENV")?) {
            (None, None, false) => Ok(EnvSelection::All),
            (Some(names), None, false) => Ok(EnvSelection::Only(names)),
            (None, Some(patterns), false) => Ok(EnvSelection::Except(patterns)),
            (None, None, true) => Ok(EnvSelection::None),
            _ => Err(BadVariable(
                "more than one of the variables CACHEX_ENV, CACHEX_IGNORE_ENV and CACHEX_NO_ENV is set; \
                 they exclude each other, unset all but one"
                    .to_owned(),
            )),
        }
    }
}
