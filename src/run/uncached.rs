//! Runs the command without the cache, and handles the ways in which that can fail.

use super::Runner;
use super::identify::Unresolved;
use crate::args;
use crate::run::replay::Unplayed;
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::report::{Outcome, Report, seconds};
use cachex_base::record::frames::{Loss, Stream};
use cachex_base::streams::messages;
use cachex_base::streams::output_prefix::Diverged;
use cachex_base::text::values::StdinMode;
use cachex_exec::invocation::{Executable, Resolved};
use cachex_exec::stdin::Source;
use cachex_exec::{self as exec, Output, Plan, Spoiled};
use rustix::io::Errno;
use signal_hook::consts::SIGPIPE;
use std::ffi::OsStr;
use std::fmt::Arguments;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

impl Runner<'_> {
    /// Handles a call without a store or a key: nothing can be replayed or prepared.
    pub fn without_store(&self, source: Source, why: &str) -> Exit {
        let (result, exit) = match self.config.cached_only.or(self.config.no_wait) {
            _ if self.config.warm => (Outcome::Uncached, Exit::SUCCESS),
            Some(status) => (Outcome::Absent, Exit::Status(status)),
            None => return self.uncached(source, why),
        };
        self.report(|| {
            Report { result, reason: Some(why.to_owned()), ..Report::default() }.ending(exit)
        });
        exit
    }

    /// Returns the command's standard input if none of it was read.
    pub fn untaken(&self) -> Source {
        match self.config.identity.stdin {
            StdinMode::Null => Source::Null,
            StdinMode::Hash | StdinMode::Inherit => Source::Inherit,
        }
    }

    /// Runs the command as if cachex were not there; `why` is for the report.
    ///
    /// This process becomes the command if nothing needs to outlive it, or if no process can be
    /// started for it, see [`super::in_place`].
    pub fn uncached(&self, source: Source, why: &str) -> Exit {
        let resolved = match self.resolve() {
            Ok(found) if self.passes_over(None, &found) => self.resolve(),
            resolved => resolved,
        };
        let executable = match resolved {
            Ok(executable) => executable,
            Err(unresolved) => return self.unresolved(&unresolved, source),
        };
        let config = self.config;
        let tty = self.terminal().is_some();
        let needs_a_process = matches!(source, Source::Feed(_))
            || config.timeout.is_some()
            || tty
            || self.report.is_some()
            // Only the process tree shows whether the command calls itself.
            || self.is_suspected();
        if !needs_a_process {
            return self.become_command(source, &executable.path);
        }
        let plan = Plan {
            invocation: self.invocation,
            program: &executable.path,
            source,
            output: if tty { Output::Live } else { Output::Own },
            timeout: config.timeout,
            tty,
            trace: None,
        };
        match exec::run(plan, None) {
            Ok(mut ended) => {
                self.rest_was_read(std::mem::take(&mut ended.input));
                let exit = Self::exit_of(&ended);
                self.report(|| {
                    let reason = Some(why.to_owned());
                    let run_time = Some(seconds(ended.run_time));
                    let result = Outcome::Uncached;
                    Report { result, reason, run_time, ..Report::default() }.ending(exit)
                });
                exit
            }
            Err(unstarted) => self.rather_in_place(*unstarted, &executable.path),
        }
    }

    /// Ends a call with contradictory or impossible arguments.
    pub(super) fn mistaken(&self, why: &str) -> Exit {
        self.end_without_a_run(exit::CACHEX_FAILED, format_args!("{why}"), why)
    }

    fn end_without_a_run(&self, status: u8, text: Arguments<'_>, why: &str) -> Exit {
        if !self.report.is_some_and(|report| report.is_told_all) {
            messages::error(text);
        }
        let exit = Exit::Status(status);
        self.report(|| Report::of_nothing(why.to_owned(), exit));
        exit
    }

    /// Returns how cachex ends after a command that ended this way.
    pub(super) fn exit_of(ended: &exec::Ended) -> Exit {
        if let Some((stream, loss)) = ended.lost.filter(|(_, loss)| *loss != Loss::HungUp) {
            let ends = match (stream, loss) {
                // Few commands fail because they cannot write error messages.
                (Stream::Stderr, Loss::Writing(_)) => None,
                (Stream::Stdout, Loss::Writing(errno)) => of_a_failed_write(ended.status, errno),
                _ => ended.status.success().then_some(Exit::Status(exit::CACHEX_FAILED)),
            };
            if !matches!(ends, Some(Exit::Signal(_))) {
                let error = std::io::Error::from(loss);
                messages::error(format_args!("{loss} {}: {error}", stream.name()));
            }
            if let Some(exit) = ends {
                return exit;
            }
        }
        if let Some(errno) = ended.unfed {
            let error = std::io::Error::from(errno);
            messages::error(format_args!("reading standard input: {error}"));
            if ended.status.success() {
                return Exit::Status(exit::CACHEX_FAILED);
            }
        }
        if ended.differs {
            messages::error(format_args!("{Diverged}"));
            return Exit::Status(exit::CACHEX_FAILED);
        }
        match ended.spoiled {
            Some(Spoiled::TimedOut) => Exit::Status(exit::TIMED_OUT),
            _ if ended.broken => Exit::Signal(SIGPIPE),
            _ => Exit::from(ended.status),
        }
    }

    /// Reports why only a part of the output was shown.
    pub(super) fn unplayed(why: &Unplayed) -> Exit {
        let exit = match *why {
            Unplayed::Unwritable(Stream::Stdout, errno) => Exit::of_a_failed_write(errno),
            _ => Exit::Status(exit::CACHEX_FAILED),
        };
        if matches!(exit, Exit::Status(_)) {
            messages::error(format_args!("replaying the result: {why}"));
        }
        exit
    }

    /// Resolves the executable of the command.
    pub(super) fn resolve(&self) -> Result<Executable, Unresolved> {
        let (status, why) = match self.find_command() {
            Resolved::Found(executable) => return Ok(executable),
            Resolved::Unknown(errno) => return Err(Unresolved::Unknown(errno)),
            Resolved::NotFound if self.invocation.is_path() => {
                (exit::NOT_FOUND, "No such file or directory")
            }
            Resolved::NotFound => (exit::NOT_FOUND, "command not found"),
            Resolved::NotExecutable => (exit::NOT_EXECUTABLE, "Permission denied"),
            Resolved::Unreachable(errno) => {
                let why = std::io::Error::from(errno).to_string();
                return Err(Unresolved::Said(self.refuse(exit::NOT_EXECUTABLE, &why)));
            }
        };
        Err(Unresolved::Said(self.refuse(status, why)))
    }

    /// Ends a call whose command cannot be run, and reports why.
    pub(super) fn refuse(&self, status: u8, why: &str) -> Exit {
        let name = self.invocation.name();
        let exit = self.end_without_a_run(status, format_args!("{}: {why}", name.display()), why);
        if status == exit::NOT_FOUND && !self.report.is_some_and(|report| report.is_told_all) {
            self.hint(name);
        }
        exit
    }

    /// Suggests what a command that was not found may have meant.
    fn hint(&self, name: &OsStr) {
        if self.config.quiet {
            return;
        }
        let is_told = rustix::termios::isatty(rustix::stdio::stderr());
        match args::tip_for_a_shell(name) {
            Some(tip) => messages::tip(&tip),
            // A script knows what it called.
            None if is_told && !self.invocation.is_path() => messages::tip(
                "tip: an alias, a function or a builtin of a shell is wrapped by `cached`, see \
                 `cachex help init`",
            ),
            None => {}
        }
    }

    pub(super) fn cannot_start(&self, error: &std::io::Error) -> Exit {
        let status = match error.kind() {
            std::io::ErrorKind::NotFound => exit::NOT_FOUND,
            _ => exit::NOT_EXECUTABLE,
        };
        self.refuse(status, &error.to_string())
    }
}

/// Returns how a command would have ended if a write had failed; none if it ended that way by
/// itself. Its pipe was closed while it was printing.
fn of_a_failed_write(status: ExitStatus, errno: Errno) -> Option<Exit> {
    const BY_A_SHELL: i32 = 128;
    let exit = Exit::of_a_failed_write(errno);
    match (status.code(), exit) {
        (None, _) => (status.signal() == Some(SIGPIPE)).then_some(exit),
        (Some(0), _) => Some(exit),
        // A shell reports the signal of its command.
        (Some(code), Exit::Signal(signal)) if code == BY_A_SHELL + SIGPIPE => {
            Some(Exit::Status((BY_A_SHELL + signal) as u8))
        }
        (Some(code), _) => (code == BY_A_SHELL + SIGPIPE).then_some(exit),
    }
}
