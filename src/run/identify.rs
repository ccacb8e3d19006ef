//! The identity of a call: the command, its inputs, and their key.

use super::Runner;
use super::declared::{Found, Undeclared};
use super::explain::find;
use super::explain::nearest::{MOMENT, Nearest, Reach};
use super::programs::Programs;
use crate::config::{List, var};
use crate::files::inputs::Ways;
use crate::key::descriptors::{self, Inherited};
use crate::key::{Declared, KeySource};
use anyhow::{Result, anyhow};
use cachex_base::process::exit::Exit;
use cachex_base::record::entry::Key;
use cachex_base::record::frames::Stream;
use cachex_base::streams::nonblocking_writer;
use cachex_base::system::stamp::Stamp;
use cachex_base::text::values::{ExeMode, StdinMode};
use cachex_exec::invocation::{Executable, Trail};
use cachex_exec::stdin::{self, Digest, Source, Stdin, Unknown, Why};
use cachex_store::Root;
use cachex_trace::Jobserver;
use rustix::io::Errno;
use rustix::termios::Winsize;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A call whose key is known.
pub(super) struct Call {
    pub key: Key,
    pub executable: Option<Executable>,
    pub stdin: Stdin,
    pub descriptors: Vec<Inherited>,
    pub found: Found,
    /// The programs that it starts, if they are part of its key.
    pub programs: Option<Programs>,
    /// The state to check again after the run, see [`Runner::watch`].
    pub watched: Option<Watched>,
}

/// The state just before the run.
pub(super) struct Watched {
    /// The executable, and the links that lead to it.
    pub trail: Option<Trail>,
    /// A description of what had already changed since the key was computed.
    pub changed: Option<String>,
    /// The paths that lead to the declared inputs.
    pub ways: Ways,
    /// The list of inputs.
    pub list: Option<Stamp>,
    /// The working directory, if it is part of the key.
    pub cwd: Option<PathBuf>,
}

/// The reason why the executable of a command is not known.
pub(super) enum Unresolved {
    /// There is no such command; the message was already shown.
    Said(Exit),
    /// A system call failed.
    Unknown(Errno),
}

/// The reason why a call's key is not known.
pub(super) enum Unidentified {
    /// There is no such command; the message was already shown.
    NoCommand(Exit),
    /// The call is wrong.
    Mistaken(String),
    /// Standard input cannot be part of the key.
    NoInput(Unknown),
    /// An argument names a descriptor that cannot be part of the key.
    NoDescriptor(descriptors::Unknowable),
    /// A component of the key cannot be determined; the command may still read from the source.
    Unknown(anyhow::Error, Source),
}

/// The components of a key except standard input.
struct Looked {
    executable: Option<Executable>,
    found: Found,
    programs: Option<Programs>,
}

/// After a longer wait for a pipe, everything else is looked at again.
const MEANWHILE: Duration = Duration::from_millis(5);

impl Runner<'_> {
    /// Identifies the call and computes its key. Returns how the call ended if that fails.
    pub(super) fn identify(&self, root: &Root) -> Result<Call, Exit> {
        let may_be_written = || Stream::BOTH.into_iter().all(nonblocking_writer::may_be_written);
        if (self.closed[1] || self.closed[2] || !may_be_written()) && !self.config.warm {
            // The effect of such a stream on a command cannot be recorded.
            return Err(self.without_store(self.untaken(), "an output cannot be written"));
        }
        let call = self.call(Some(root)).map_err(|why| self.unidentified(why))?;
        self.tell_of_unkeyed(&call);
        self.tell_of_shim(&call);
        Ok(call)
    }

    /// Ends a call whose key is not known.
    pub(super) fn unidentified(&self, why: Unidentified) -> Exit {
        match why {
            Unidentified::NoCommand(exit) => exit,
            Unidentified::Mistaken(why) => self.mistaken(&why),
            Unidentified::NoInput(Unknown { why, source }) => {
                let is_waited_for = matches!(why, Why::Silent | Why::Open);
                if is_waited_for && self.config.may_run() {
                    self.messages().wait(format_args!(
                        "{why}, running without the cache; `--stdin null` leaves it out"
                    ));
                }
                self.not_cached(source, &why)
            }
            Unidentified::NoDescriptor(which) => self.not_cached(self.untaken(), &which),
            Unidentified::Unknown(error, source) => {
                self.messages().warn(format_args!("not cached: {error:#}"));
                self.without_store(source, "the key cannot be known")
            }
        }
    }

    fn not_cached(&self, source: Source, why: &dyn fmt::Display) -> Exit {
        self.messages().tell(format_args!("not cached: {why}"));
        self.without_store(source, &why.to_string())
    }

    /// Identifies the call, for callers that run nothing if that fails.
    pub(super) fn call(&self, root: Option<&Root>) -> Result<Call, Unidentified> {
        let mut looked = self.look(root)?;
        let descriptors = self.descriptors()?;
        let identity = &self.config.identity;
        // A list of inputs on standard input was all of it.
        let is_list = identity.inputs.list == Some(List::Stdin);
        let mode = if is_list { StdinMode::Null } else { identity.stdin };
        let mut stdin = stdin::take(mode, self.closed[0]).map_err(Unidentified::NoInput)?;
        if var(self.vars, "MAKELEVEL").is_some() {
            stdin.is_by_chance();
        }
        if stdin.waited > MEANWHILE {
            // The executable may have been replaced in the meantime.
            looked = match self.look(root) {
                Ok(looked) => looked,
                Err(Unidentified::Unknown(error, _)) => {
                    return Err(Unidentified::Unknown(error, stdin.source));
                }
                Err(why) => return Err(why),
            };
        }
        self.with_key(looked, descriptors, stdin)
    }

    /// Identifies a call whose standard input was already read.
    pub(super) fn call_with(&self, root: &Root, stdin: Stdin) -> Result<Call, Unidentified> {
        self.with_key(self.look(Some(root))?, self.descriptors()?, stdin)
    }

    /// Identifies a call again, with the same descriptors and standard input.
    pub(super) fn again(&self, root: &Root, call: Call) -> Result<Call, Unidentified> {
        self.with_key(self.look(Some(root))?, call.descriptors, call.stdin)
    }

    fn look(&self, root: Option<&Root>) -> Result<Looked, Unidentified> {
        let identity = &self.config.identity;
        let executable = match identity.exe {
            ExeMode::Name => None,
            ExeMode::Stat | ExeMode::Content => {
                Some(self.resolve().map_err(|unresolved| match unresolved {
                    Unresolved::Said(exit) => Unidentified::NoCommand(exit),
                    Unresolved::Unknown(errno) => {
                        let error = anyhow::Error::from(errno).context("looking for the command");
                        Unidentified::Unknown(error, self.untaken())
                    }
                })?)
            }
        };
        let list = identity.inputs.list.as_ref();
        let mut found = self.declare(root).map_err(|why| match why {
            Undeclared::Mistaken(why) => Unidentified::Mistaken(why),
            Undeclared::Unknown(error) => Unidentified::Unknown(error, Undeclared::source(list)),
        })?;
        let counts = identity.portable && identity.platform.is_none();
        let programs = counts.then(|| self.programs(executable.as_ref()));
        found.declared.platform.extend(programs.iter().flat_map(|it| it.parts.iter().cloned()));
        Ok(Looked { executable, found, programs })
    }

    fn descriptors(&self) -> Result<Vec<Inherited>, Unidentified> {
        let jobserver = Jobserver::of(var(self.vars, "MAKEFLAGS").unwrap_or_default());
        descriptors::named(&self.invocation.argv, &jobserver.descriptors)
            .map_err(Unidentified::NoDescriptor)
    }

    fn with_key(
        &self,
        Looked { executable, found, programs }: Looked,
        descriptors: Vec<Inherited>,
        stdin: Stdin,
    ) -> Result<Call, Unidentified> {
        let terminal = self.terminal();
        let (terminal, declared) = (terminal.as_ref(), &found.declared);
        let subject =
            self.subject(executable.as_ref(), &stdin.digest, terminal, declared, &descriptors);
        match subject.key_at_start().map_or_else(|| subject.key(), Ok) {
            Ok(key) => {
                Ok(Call { key, executable, stdin, descriptors, found, programs, watched: None })
            }
            Err(error) => Err(Unidentified::Unknown(error, stdin.source)),
        }
    }

    /// Returns the source of the key of a call that runs this executable.
    pub(super) fn subject_of<'s>(
        &'s self,
        call: &'s Call,
        executable: Option<&'s Executable>,
        terminal: Option<&'s Winsize>,
    ) -> KeySource<'s> {
        let (stdin, declared) = (&call.stdin.digest, &call.found.declared);
        self.subject(executable, stdin, terminal, declared, &call.descriptors)
    }

    pub(super) fn subject<'s>(
        &'s self,
        executable: Option<&'s Executable>,
        stdin: &'s Digest,
        terminal: Option<&'s Winsize>,
        declared: &'s Declared,
        descriptors: &'s [Inherited],
    ) -> KeySource<'s> {
        KeySource {
            invocation: self.invocation,
            executable,
            identity: &self.config.identity,
            vars: self.vars,
            stdin,
            descriptors,
            terminal,
            declared,
        }
    }

    /// Returns the size of the terminal that the command is to be given.
    pub(super) fn terminal(&self) -> Option<Winsize> {
        let stdout = rustix::stdio::stdout();
        (self.config.tty && rustix::termios::isatty(stdout))
            .then(|| rustix::termios::tcgetwinsize(stdout).ok())
            .flatten()
    }
}

/// Returns the key of an invocation for verbs that do not run it; and the nearest entry, if
/// `looks_around` is set and none is recorded under the key.
pub fn key_of(
    runner: &Runner<'_>,
    root: Option<&Root>,
    looks_around: bool,
) -> Result<(Key, Option<Nearest>)> {
    match runner.call(root) {
        Ok(call) => {
            let (key, _) = runner.entry_key(root, &call);
            let root = root.filter(|root| looks_around && matches!(find(root, &key), Ok(None)));
            Ok((key, root.and_then(|root| runner.nearest(root, &call, Reach::Name(MOMENT)))))
        }
        Err(why) => Err(match why {
            Unidentified::NoCommand(_) => anyhow!("there is no such command"),
            Unidentified::Mistaken(why) => anyhow!(why),
            Unidentified::NoInput(Unknown { why, .. }) => {
                anyhow!("{why}; `--stdin null` leaves it out")
            }
            Unidentified::NoDescriptor(which) => anyhow!("{which}"),
            Unidentified::Unknown(error, _) => error,
        }),
    }
}
