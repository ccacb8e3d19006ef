//! What a call is: the command, what it is given, and the key of that.

use super::Runner;
use super::declared::{Found, Undeclared};
use crate::config::List;
use crate::entry::Key;
use crate::exit::Exit;
use crate::invocation::Executable;
use crate::key::{Declared, Subject};
use crate::stdin::{self, Source, Stdin, Unknown};
use crate::store::Root;
use crate::values::{ExeMode, StdinMode};
use anyhow::{Result, anyhow};
use rustix::termios::Winsize;

/// A call whose key is known.
pub(super) struct Call {
    pub key: Key,
    pub executable: Option<Executable>,
    pub stdin: Stdin,
    pub found: Found,
}

/// Why a call's key is not known.
pub(super) enum Unidentified {
    /// There is no such command, which was said.
    NoCommand(Exit),
    /// Whoever called was mistaken.
    Mistaken(String),
    /// Standard input cannot be read.
    NoInput(Unknown),
    /// Something that counts cannot be known; what the command still may read.
    Unknown(anyhow::Error, Source),
}

impl Runner<'_> {
    /// What is run and what it is given, and the key of that; or how the call
    /// ended because that cannot be known.
    pub(super) fn identify(&self, root: &Root) -> Result<Call, Exit> {
        if (self.closed[1] || self.closed[2]) && !self.config.warm {
            // What a command does with a closed stream cannot be recorded.
            return Err(self.without_store(self.untaken(), "an output is closed"));
        }
        self.call(Some(root)).map_err(|why| match why {
            Unidentified::NoCommand(exit) => exit,
            Unidentified::Mistaken(why) => self.mistaken(&why),
            Unidentified::NoInput(unknown) => {
                let source = match unknown {
                    Unknown::Untouched => Source::Inherit,
                    Unknown::Partly(spool) => Source::Feed(spool),
                };
                self.without_store(source, "standard input is unreadable")
            }
            Unidentified::Unknown(error, source) => {
                self.messages().warn(format_args!("not cached: {error:#}"));
                self.without_store(source, "the key cannot be known")
            }
        })
    }

    /// The same for whoever runs nothing if it is not known.
    pub(super) fn call(&self, root: Option<&Root>) -> Result<Call, Unidentified> {
        let identity = &self.config.identity;
        let executable = match identity.exe {
            ExeMode::Name => None,
            ExeMode::Stat | ExeMode::Content => {
                Some(self.resolve().map_err(Unidentified::NoCommand)?)
            }
        };
        let list = identity.inputs.list.as_ref();
        let found = self.declare(root).map_err(|why| match why {
            Undeclared::Mistaken(why) => Unidentified::Mistaken(why),
            Undeclared::Unknown(error) => Unidentified::Unknown(error, Undeclared::source(list)),
        })?;
        // A list that came by it is all that there was.
        let mode = if list == Some(&List::Stdin) { StdinMode::Null } else { identity.stdin };
        let silent = || self.say_waiting_for_stdin();
        let stdin = stdin::take(mode, self.closed[0], silent).map_err(Unidentified::NoInput)?;
        let terminal = self.terminal();
        let (executable_file, digest) = (executable.as_ref(), Some(&stdin.digest));
        let key = self.subject(executable_file, digest, terminal.as_ref(), &found.declared).key();
        match key {
            Ok(key) => Ok(Call { key, executable, stdin, found }),
            Err(error) => Err(Unidentified::Unknown(error, stdin.source)),
        }
    }

    pub(super) fn subject<'s>(
        &'s self,
        executable: Option<&'s Executable>,
        stdin: Option<&'s stdin::Digest>,
        terminal: Option<&'s Winsize>,
        declared: &'s Declared,
    ) -> Subject<'s> {
        Subject {
            invocation: self.invocation,
            executable,
            identity: &self.config.identity,
            vars: self.vars,
            stdin,
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

/// The key of an invocation, for verbs that name one without running it.
pub fn key_of(runner: &Runner<'_>, root: Option<&Root>) -> Result<Key> {
    match runner.call(root) {
        Ok(call) => Ok(call.key),
        Err(why) => Err(match why {
            Unidentified::NoCommand(_) => anyhow!("there is no such command"),
            Unidentified::Mistaken(why) => anyhow!(why),
            Unidentified::NoInput(_) => {
                anyhow!("standard input cannot be read; `--stdin null` leaves it out")
            }
            Unidentified::Unknown(error, _) => error,
        }),
    }
}
