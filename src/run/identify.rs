//! What a call is: the command, what it is given, and the key of that.

use super::Runner;
use super::declared::{Found, Undeclared};
use super::explain::find;
use super::explain::nearest::{MOMENT, Nearest, Reach};
use crate::config::{List, var};
use crate::files::inputs::Ways;
use crate::key::descriptors::{self, Inherited};
use crate::key::{Declared, KeySource};
use anyhow::{Result, anyhow};
use cachex_base::process::exit::Exit;
use cachex_base::record::entry::Key;
use cachex_base::system::platform;
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
    /// What is looked at again after the run, see [`Runner::watch`].
    pub watched: Option<Watched>,
}

/// What was there just before the run.
pub(super) struct Watched {
    /// The executable, and the links that lead to it.
    pub trail: Option<Trail>,
    /// What was not any more what the key was computed from.
    pub changed: Option<String>,
    /// What leads to the declared inputs.
    pub ways: Ways,
    /// The list of inputs.
    pub list: Option<Stamp>,
    /// The working directory, if it counts.
    pub cwd: Option<PathBuf>,
}

/// Why the file of a command is not known.
pub(super) enum Unresolved {
    /// There is no such command, which was said.
    Said(Exit),
    /// The system does not say.
    Unknown(Errno),
}

/// Why a call's key is not known.
pub(super) enum Unidentified {
    /// There is no such command, which was said.
    NoCommand(Exit),
    /// Whoever called was mistaken.
    Mistaken(String),
    /// Standard input cannot be part of it.
    NoInput(Unknown),
    /// An argument leads to what cannot be part of it.
    NoDescriptor(descriptors::Unknowable),
    /// Something that counts cannot be known; what the command still may read.
    Unknown(anyhow::Error, Source),
}

/// What a key is computed from besides standard input.
struct Looked {
    executable: Option<Executable>,
    found: Found,
}

/// Who waited so long for a pipe looks at everything else again.
const MEANWHILE: Duration = Duration::from_millis(5);

impl Runner<'_> {
    /// What is run and what it is given, and the key of that; or how the call
    /// ended because that cannot be known.
    pub(super) fn identify(&self, root: &Root) -> Result<Call, Exit> {
        if (self.closed[1] || self.closed[2]) && !self.config.warm {
            // What a command does with a closed stream cannot be recorded.
            return Err(self.without_store(self.untaken(), "an output is closed"));
        }
        let call = self.call(Some(root)).map_err(|why| self.unidentified(why))?;
        self.tell_of_unkeyed(&call);
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

    /// The same for whoever runs nothing if it is not known.
    pub(super) fn call(&self, root: Option<&Root>) -> Result<Call, Unidentified> {
        let mut looked = self.look(root)?;
        let descriptors = self.descriptors()?;
        let identity = &self.config.identity;
        // A list that came by it is all that there was.
        let is_list = identity.inputs.list == Some(List::Stdin);
        let mode = if is_list { StdinMode::Null } else { identity.stdin };
        let mut stdin = stdin::take(mode, self.closed[0]).map_err(Unidentified::NoInput)?;
        if var(self.vars, "MAKELEVEL").is_some() {
            stdin.is_by_chance();
        }
        if stdin.waited > MEANWHILE {
            // What was to be run may have been replaced meanwhile.
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

    /// The same of a call whose standard input was taken in by somebody else.
    pub(super) fn call_with(&self, root: &Root, stdin: Stdin) -> Result<Call, Unidentified> {
        self.with_key(self.look(Some(root))?, self.descriptors()?, stdin)
    }

    /// The same call, looked up anew.
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
        if let (true, None, Some(executable)) = (identity.portable, &identity.platform, &executable)
        {
            let made_of = platform::of_program(&executable.path, var(self.vars, "PATH"));
            found.declared.platform.extend(made_of);
        }
        Ok(Looked { executable, found })
    }

    fn descriptors(&self) -> Result<Vec<Inherited>, Unidentified> {
        let jobserver = Jobserver::of(var(self.vars, "MAKEFLAGS").unwrap_or_default());
        descriptors::named(&self.invocation.argv, &jobserver.descriptors)
            .map_err(Unidentified::NoDescriptor)
    }

    fn with_key(
        &self,
        Looked { executable, found }: Looked,
        descriptors: Vec<Inherited>,
        stdin: Stdin,
    ) -> Result<Call, Unidentified> {
        let terminal = self.terminal();
        let (terminal, declared) = (terminal.as_ref(), &found.declared);
        let subject =
            self.subject(executable.as_ref(), &stdin.digest, terminal, declared, &descriptors);
        match subject.key_at_start().map_or_else(|| subject.key(), Ok) {
            Ok(key) => Ok(Call { key, executable, stdin, descriptors, found, watched: None }),
            Err(error) => Err(Unidentified::Unknown(error, stdin.source)),
        }
    }

    /// What the key of a call is computed from, which is run with this executable.
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

    /// The terminal that the command is to get one like.
    pub(super) fn terminal(&self) -> Option<Winsize> {
        let stdout = rustix::stdio::stdout();
        (self.config.tty && rustix::termios::isatty(stdout))
            .then(|| rustix::termios::tcgetwinsize(stdout).ok())
            .flatten()
    }
}

/// The key of an invocation, for verbs that name one without running it; and if those look
/// around, and nothing is recorded under the key, what comes closest.
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
