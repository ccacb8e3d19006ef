//! The programs that a portable call starts, as components of its key: the interpreter and the
//! libraries of its executable, and the command behind `env`, `timeout` and other wrappers as if it
//! were called directly.
//!
//! What a program starts later is not known. Some executables do nothing but start another one,
//! which they choose: the shims of version managers. They are only named, by `--verbose` and
//! `explain`, as they cannot be followed without asking them.

use super::{Call, Runner};
use crate::config::var;
use cachex_base::process::wrapper::{self, Environment, Wrapped};
use cachex_base::record::entry::base_name;
use cachex_base::system::platform::{self, Names, Part};
use cachex_base::text::quote;
use cachex_exec::invocation::{Executable, Invocation, Resolved};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The names of the components of the executable.
const OWN: Names = Names { interpreter: "interpreter", libraries: "libraries" };
/// The names of the components of the command behind a wrapper.
const WRAPPED: Names = Names { interpreter: "wrapped interpreter", libraries: "wrapped libraries" };

/// Programs that choose what runs by the name under which they are called.
const CHOOSERS: [&str; 10] = [
    "aqua-proxy",
    "asdf",
    "ccache",
    "distcc",
    "mise",
    "proto-shim",
    "rustup",
    "rustup-init",
    "sccache",
    "volta-shim",
];

/// The folder in which pyenv and its like, asdf and others keep their shims.
const SHIMS: &str = "shims";

impl Runner<'_> {
    /// Returns the components for the programs that a portable call starts. Without an executable,
    /// its name stands for all of it.
    pub(super) fn programs(&self, executable: Option<&Executable>) -> Vec<Part> {
        let outer = |name: &str| var(self.vars, name);
        let own = Environment::new(&outer);
        let mut parts = Vec::new();
        let Some(executable) = executable else {
            return platform::preloaded(&own).into_iter().collect();
        };
        parts.extend(platform::of_program(&executable.path, &own, OWN));
        let Some(wrapped) = self.wrapped(&outer) else {
            parts.extend(platform::preloaded(&own));
            return parts;
        };
        parts.extend(platform::preloaded(&wrapped.environment));
        let (told, found) = match found(&wrapped) {
            Some(found) => (platform::content(&found.path), Some(found)),
            None => ("not found".to_owned(), None),
        };
        parts.push(("wrapped command", told));
        let of =
            |found: &Executable| platform::of_program(&found.path, &wrapped.environment, WRAPPED);
        parts.extend(found.iter().flat_map(of));
        parts
    }

    /// Returns the command behind a wrapper.
    fn wrapped<'o>(&self, outer: wrapper::Lookup<'o>) -> Option<Wrapped<'o>> {
        let words: Vec<&[u8]> = self.invocation.argv.iter().map(|word| word.as_bytes()).collect();
        wrapper::behind(&words, outer)
    }

    /// Returns whether the programs that a call with this executable starts are part of its key.
    fn counts_programs(&self, executable: Option<&Executable>) -> bool {
        let identity = &self.config.identity;
        identity.portable && identity.platform.is_none() && executable.is_some()
    }

    /// Returns whether an argument is the command behind a wrapper, and part of the key as that.
    pub(super) fn is_wrapped(&self, call: &Call, argument: &OsStr) -> bool {
        self.counts_programs(call.executable.as_ref())
            && self.wrapped(&|_| None).is_some_and(|it| it.words[0] == argument.as_bytes())
    }

    /// Returns whether the command behind a wrapper is another one than when the key was computed.
    pub(super) fn wrapped_changed(&self, call: &Call) -> bool {
        let executable = call.executable.as_ref();
        if !self.counts_programs(executable) {
            return false;
        }
        let outer = |name: &str| var(self.vars, name);
        self.wrapped(&outer).is_some()
            && !call.found.declared.platform.ends_with(&self.programs(executable))
    }

    /// Returns a sentence about a shim that the call runs, if it depends on nothing else that says
    /// what the shim chooses.
    pub(super) fn shim(&self, call: &Call) -> Option<String> {
        let identity = &self.config.identity;
        let is_known = self.is_automatic() || !identity.inputs.commands.is_empty();
        let executable = call.executable.as_ref();
        if is_known || !self.counts_programs(executable) {
            return None;
        }
        let outer = |name: &str| var(self.vars, name);
        let found = match self.wrapped(&outer) {
            Some(wrapped) => found(&wrapped)?,
            None => executable?.clone(),
        };
        let chooser = chooser(&found)?;
        let name = quote::word(base_name(found.path.as_os_str().as_bytes()));
        Some(format!(
            "{name} is a shim of {chooser}, and the version that it chooses is not part of the \
             key: --input-command '{name} --version' or --auto"
        ))
    }

    /// Reports such a shim, if `--verbose` is given.
    pub(super) fn tell_of_shim(&self, call: &Call) {
        if self.config.verbose
            && let Some(told) = self.shim(call)
        {
            self.messages().tell(format_args!("{told}"));
        }
    }
}

/// Finds the command behind a wrapper, as that does.
fn found(wrapped: &Wrapped<'_>) -> Option<Executable> {
    let command = Invocation { argv: vec![wrapped.command()] };
    match command.resolve(wrapped.environment.value("PATH")) {
        Resolved::Found(found) => Some(found),
        _ => None,
    }
}

/// Returns the name of the program that chooses what runs in place of an executable, if there is
/// one.
fn chooser(found: &Executable) -> Option<String> {
    let called = found.path.file_name()?;
    let folder = found.path.parent();
    let is_chooser = |name: &OsStr| CHOOSERS.iter().any(|chooser| name == *chooser);
    if is_chooser(called) {
        return None;
    }
    if let Some(real) = found.place().file_name().filter(|real| is_chooser(real)) {
        return Some(real.display().to_string());
    }
    // rustup makes its proxies hard links to itself where it cannot make symbolic ones.
    let is_same = |other: &Path| {
        rustix::fs::stat(other).is_ok_and(|other| {
            (other.st_dev, other.st_ino) == (found.stat.st_dev, found.stat.st_ino)
        })
    };
    if folder.is_some_and(|folder| is_same(&folder.join("rustup"))) {
        return Some("rustup".to_owned());
    }
    let manager = folder.filter(|folder| folder.file_name() == Some(SHIMS.as_ref()))?.parent()?;
    let manager = manager.file_name()?.as_bytes();
    Some(quote::word(manager.strip_prefix(b".").unwrap_or(manager)))
}
