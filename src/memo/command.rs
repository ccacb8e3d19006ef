//! Cached commands: `cachex run` for a program.
//!
//! A helper process does the work: `cachex run` with the same options. So keys, records
//! and results are those of the command line, and each finds what the other recorded. The
//! helper reports in a file, which also shows whether it began at all: if not, nothing was
//! run, and the command is run without a cache.

use super::Span;
use anyhow::Context;
use cachex_base::process::exit;
use cachex_base::process::ipc;
use cachex_base::process::report::Report;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

pub use cachex_base::process::report::Outcome;

/// The content of the report's file until a helper begins.
const NOT_BEGUN: &[u8] = b"-";

/// The options by which the file of the report is named.
const REPORTS: [&str; 2] = ["--status-file", "--status-fd"];
/// Options that promise more than caching: without a helper they would be broken.
const PROMISES: [&str; 4] = ["--cached-only", "--no-wait", "--timeout", "--warm"];

/// A command whose result is recorded, and served the next time.
///
/// This is `cachex run` for a program: the same options lead to the same entry, and a
/// program and a shell with the same environment and working directory share their
/// results. The command reads nothing unless [`input`] is given, like
/// `cachex run --stdin null`. Options that are not set here come from the `CACHEX_*`
/// variables that the command would have and from `config.toml`, as at a prompt.
///
/// The helper is the installed `cachex`, or the program itself if its `main` begins with
/// `cachex::init()` and the feature `cli` is on.
///
/// The program, the arguments, the changes of the environment and the working directory
/// are taken from the [`Command`]. A `Command` does not reveal the rest: use [`env_clear`]
/// and [`input`] here instead. `arg0`, `uid`, `gid`, `groups`, `process_group` and
/// `pre_exec` have no effect.
///
/// ```standalone_crate
/// use std::process::Command;
///
/// cachex::init();
/// # let folder = tempfile::tempdir()?;
/// # let cache = cachex::Cache::open(folder.path().join("cache"))?;
/// let clock = || cache.command(Command::new("date")).expires_in("1h");
///
/// let first = clock()?.output()?;
/// let again = clock()?.output()?;
/// assert!(!first.outcome.is_hit() && again.outcome.is_hit());
/// assert_eq!(first.stdout, again.stdout);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`env_clear`]: CachedCommand::env_clear
/// [`input`]: CachedCommand::input
#[derive(Debug)]
pub struct CachedCommand {
    /// The program, its arguments, directory and variables.
    command: Command,
    /// True if the command gets no other variables.
    clears_env: bool,
    /// Options, each with its value if it has one.
    options: Vec<(String, Option<OsString>)>,
    /// The standard input.
    input: Option<Vec<u8>>,
}

impl CachedCommand {
    /// Prepares a command with these options, each with its value if it has one.
    pub(super) fn new(options: Vec<(String, Option<OsString>)>, command: Command) -> CachedCommand {
        CachedCommand { command, clears_env: false, options, input: None }
    }

    /// Replays a result for at most this long. Without it, results never expire.
    ///
    /// This also limits results that were recorded with a longer lifetime. Failures are
    /// replayed for a minute, or for this time if it is shorter.
    ///
    /// A `Duration` is used as it is. Anything else returns
    /// [`Error::ExpiresIn`](super::Error::ExpiresIn) if it is zero, negative, or invalid.
    pub fn expires_in<S: Span>(self, span: S) -> S::Of<CachedCommand> {
        span.set(|span| {
            self.run_option("--expires-in", humantime::format_duration(span).to_string())
        })
    }

    /// Sets whether the command may run more than once at the same time. With `false`,
    /// one of several simultaneous callers, whether threads, processes or shells, runs it,
    /// and the others follow its output.
    pub fn allow_concurrent(mut self, allow: bool) -> CachedCommand {
        const NAME: &str = "--no-concurrent";
        self.options.retain(|(name, _)| name != NAME);
        if allow { self } else { self.run_flag(NAME) }
    }

    /// Sets the standard input of the command, which is part of the key. Without it, the
    /// command reads nothing, as with `cachex run --stdin null`.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let cache = cachex::Cache::open(folder.path().join("cache"))?;
    /// let sorted = cache.command(std::process::Command::new("sort")).input("b\na\n").output()?;
    /// assert_eq!(sorted.stdout, b"a\nb\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> CachedCommand {
        self.input = Some(bytes.into());
        self
    }

    /// Gives the command only the variables that its [`Command`] sets. A `Command` does not
    /// reveal whether [`Command::env_clear`] was called, so that alone has no effect.
    pub fn env_clear(mut self) -> CachedCommand {
        self.clears_env = true;
        self
    }

    /// Passes an option with a value to `cachex run`.
    ///
    /// A mistake in it is an error of [`output`](Self::output) and
    /// [`status`](Self::status). `--status-file` and `--status-fd` cannot be given.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let cache = cachex::Cache::open(folder.path().join("cache"))?;
    /// # let mut list = std::process::Command::new("ls");
    /// # list.current_dir(folder.path());
    /// let listed = cache
    ///     .command(list)
    ///     .run_option("--input", "src/**")
    ///     .run_option("--tag", "sources")
    ///     .run_flag("--no-env");
    /// assert!(listed.output()?.status.success());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_option(
        mut self,
        name: impl Into<String>,
        value: impl AsRef<OsStr>,
    ) -> CachedCommand {
        self.options.push((name.into(), Some(value.as_ref().to_owned())));
        self
    }

    /// Passes an option without a value to `cachex run`.
    pub fn run_flag(mut self, name: impl Into<String>) -> CachedCommand {
        self.options.push((name.into(), None));
        self
    }

    /// Replays the result, or runs the command and records it, and returns the output of
    /// both streams.
    ///
    /// cachex adds nothing to the streams. If caching is impossible, as with a store that
    /// is not writable or on a system without helper processes, the command is run all the
    /// same, and [`reason`](CommandOutput::reason) says why.
    ///
    /// # Errors
    ///
    /// - [`io::ErrorKind::NotFound`] if there is no such program, and
    ///   [`io::ErrorKind::PermissionDenied`] if it cannot be executed;
    /// - [`io::ErrorKind::InvalidInput`] if an option, a `CACHEX_*` variable or
    ///   `config.toml` is invalid; the message says what would be valid;
    /// - [`io::ErrorKind::Unsupported`] if no helper process can be started and the
    ///   command must not run without one: with `--cached-only`, `--no-wait`, `--timeout` or `--warm`;
    /// - any other if the helper process was killed, or the command cannot be started.
    pub fn output(&self) -> io::Result<CommandOutput> {
        self.call(ipc::helper(ipc::RUN_FOR), Stdio::piped)
    }

    /// Works like [`output`](Self::output), but passes the output on to this process's own
    /// streams as it comes: `stdout` and `stderr` of the result are empty.
    pub fn status(&self) -> io::Result<CommandOutput> {
        self.call(ipc::helper(ipc::RUN_FOR), Stdio::inherit)
    }

    /// Has `helper` do it, or else runs the command alone.
    fn call(
        &self,
        helper: anyhow::Result<Command>,
        stream: fn() -> Stdio,
    ) -> io::Result<CommandOutput> {
        self.check()?;
        let why = match helper.and_then(|helper| self.by_a_helper(helper, stream)) {
            Ok(Some(called)) => return called,
            Ok(None) => "it is not cachex that was started".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        let why = format!("not cached: there is no helper process: {why}");
        if let Some(name) = PROMISES.iter().find(|name| self.gives(name)) {
            let why = format!("`{name}` cannot be kept; {why}");
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        let mut direct = Command::new(self.command.get_program());
        direct.args(self.command.get_args()).stdin(self.stdin()?);
        self.surround(&mut direct);
        let output = direct.stdout(stream()).stderr(stream()).output()?;
        Ok(CommandOutput::of(output, Report { reason: Some(why), ..Report::default() }))
    }

    /// Names what cannot be an option: what looked like a command would become it.
    fn check(&self) -> io::Result<()> {
        for (name, _) in &self.options {
            if REPORTS.contains(&name.as_str()) {
                return Err(misuse(format!("`{name}` is set by the library itself")));
            }
            if !name.starts_with("--") || name.len() == 2 || name.contains('=') {
                return Err(misuse(format!(
                    "`{name}` is no option of `cachex run`; one is written like `--expires-in`, \
                     and its value is passed by itself"
                )));
            }
        }
        Ok(())
    }

    /// The result of a helper; none if it did not begin. An error says why it was not
    /// started.
    fn by_a_helper(
        &self,
        mut helper: Command,
        stream: fn() -> Stdio,
    ) -> anyhow::Result<Option<io::Result<CommandOutput>>> {
        let mut told = tempfile::NamedTempFile::new().context("making a temporary file")?;
        told.write_all(NOT_BEGUN).context("writing a temporary file")?;
        helper.args(self.arguments(told.path()));
        helper.stdin(self.stdin().context("writing a temporary file")?);
        self.surround(&mut helper);
        let output = helper.stdout(stream()).stderr(stream()).output();
        let output = output.context("starting it")?;
        Ok(read(told.as_file_mut()).transpose().map(|report| {
            let report = report.map_err(|error| {
                let why = format!("the helper process of cachex died ({}): {error}", output.status);
                io::Error::new(error.kind(), why)
            })?;
            if let Some(status) = report.refusal() {
                return Err(self.refused(status, report.reason.unwrap_or_default()));
            }
            Ok(CommandOutput::of(output, report))
        }))
    }

    /// The error that says why nothing was run.
    fn refused(&self, status: u8, why: String) -> io::Error {
        let kind = match status {
            exit::NOT_FOUND => io::ErrorKind::NotFound,
            exit::NOT_EXECUTABLE => io::ErrorKind::PermissionDenied,
            _ => return misuse(why),
        };
        io::Error::new(kind, format!("{}: {why}", self.command.get_program().display()))
    }

    /// The arguments after the helper's verb.
    fn arguments(&self, told: &Path) -> Vec<OsString> {
        let mut args = vec![told.into()];
        if !self.gives("--stdin") {
            args.push(if self.input.is_some() { "--stdin=hash" } else { "--stdin=null" }.into());
        }
        if !self.gives("--quiet") && !self.gives("--verbose") {
            // The report has everything that would be a warning.
            args.push("--quiet".into());
        }
        for (name, value) in &self.options {
            let mut option = OsString::from(name);
            if let Some(value) = value {
                option.push("=");
                option.push(value);
            }
            args.push(option);
        }
        args.extend(["--".into(), self.command.get_program().into()]);
        args.extend(self.command.get_args().map(OsStr::to_owned));
        args
    }

    /// Returns whether an option was given.
    fn gives(&self, name: &str) -> bool {
        self.options.iter().any(|(given, _)| given == name)
    }

    /// The variables and the working directory of the command.
    fn surround(&self, command: &mut Command) {
        if self.clears_env {
            command.env_clear();
        }
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
    }

    fn stdin(&self) -> io::Result<Stdio> {
        let Some(input) = &self.input else { return Ok(Stdio::null()) };
        let mut file = tempfile::tempfile()?;
        file.write_all(input)?;
        file.rewind()?;
        Ok(file.into())
    }
}

/// The result of a [`CachedCommand`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CommandOutput {
    /// The exit status of the command, now or when it was recorded, including a death by
    /// signal. If `cachex run` ended by itself, this is its status: 124 after `--timeout`,
    /// 125 if nothing could be served under `--cached-only`.
    pub status: ExitStatus,
    /// The standard output; empty if it went to that of this process.
    pub stdout: Vec<u8>,
    /// The standard error; empty if it went to that of this process.
    pub stderr: Vec<u8>,
    /// Tells whether the result was replayed or the command was run.
    pub outcome: Outcome,
    /// The age of the replayed result.
    pub age: Option<Duration>,
    /// The key of the entry, as `cachex show` takes it; none if it is not known.
    pub key: Option<String>,
    /// True if there is a record of this result now.
    pub is_recorded: bool,
    /// The reason why it was not a hit, or is not recorded.
    pub reason: Option<String>,
}

impl CommandOutput {
    fn of(output: std::process::Output, report: Report) -> CommandOutput {
        CommandOutput {
            status: output.status,
            stdout: output.stdout,
            stderr: output.stderr,
            outcome: report.result,
            age: report.age.and_then(|age| Duration::try_from_secs_f64(age).ok()),
            key: report.key,
            is_recorded: report.recorded,
            reason: report.reason,
        }
    }
}

/// The report in this file; none if the helper did not begin.
fn read(told: &mut std::fs::File) -> io::Result<Option<Report>> {
    let mut text = Vec::new();
    told.rewind()?;
    told.read_to_end(&mut text)?;
    if text == NOT_BEGUN {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&text)?))
}

fn misuse(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests;
