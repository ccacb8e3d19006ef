//! The programs that a portable call starts, as components of its key: the interpreter and the
//! libraries of its executable, and the command behind `env`, `timeout` and other wrappers as if it
//! were called directly. Of wrappers on the way to it, the content counts.
//!
//! What a program starts later is not known. Some executables do nothing but start another one,
//! which they choose: the shims of version managers. They are only named, by `--verbose` and
//! `explain`, as they cannot be followed without asking them.

use super::{Call, Runner};
use crate::config::var;
use cachex_base::record::entry::base_name;
use cachex_base::system::platform::{self, Names, Part};
use cachex_base::system::wrapper::{self, Environment, Wrapped};
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

/// The programs that a call starts.
pub(super) struct Programs {
    /// The components for them.
    pub(super) parts: Vec<Part>,
    /// The commands behind a wrapper, as they were called.
    wrapped: Vec<Vec<u8>>,
    /// The program that runs in the end, if it was found.
    last: Option<Executable>,
}

impl Programs {
    /// Returns whether an argument is the command behind a wrapper, and part of the key as that.
    pub(super) fn wrap(&self, argument: &OsStr) -> bool {
        self.wrapped.iter().any(|wrapped| wrapped == argument.as_bytes())
    }
}

impl Runner<'_> {
    /// Returns the programs that a portable call starts. Without an executable, its name stands for
    /// all of it.
    pub(super) fn programs(&self, executable: Option<&Executable>) -> Programs {
        let outer = |name: &str| var(self.vars, name);
        let own = Environment::new(&outer);
        let mut preloaded: Vec<Part> = platform::preloaded(&own).into_iter().collect();
        let Some(executable) = executable else {
            return Programs { parts: preloaded, wrapped: Vec::new(), last: None };
        };
        let mut parts = platform::of_program(&executable.path, &own, OWN);
        let mut chain = self.chain(executable, own);
        for (wrapped, _) in &chain {
            let part = platform::preloaded(&wrapped.environment);
            preloaded.extend(part.filter(|part| !preloaded.contains(part)));
        }
        parts.extend(preloaded);
        let wrapped = chain.iter().map(|(wrapped, _)| wrapped.words[0].clone()).collect();
        let told = |(_, found): &(_, Option<Executable>)| match found {
            Some(found) => platform::content(&found.path),
            None => "not found".to_owned(),
        };
        let told: Vec<String> = chain.iter().map(told).collect();
        let Some((behind, last)) = chain.pop() else {
            return Programs { parts, wrapped, last: Some(executable.clone()) };
        };
        parts.push(("wrapped command", told.join(" ")));
        let of =
            |found: &Executable| platform::of_program(&found.path, &behind.environment, WRAPPED);
        parts.extend(last.iter().flat_map(of));
        Programs { parts, wrapped, last }
    }

    /// Returns the commands behind a wrapper, the one that runs in the end last, and their files.
    fn chain<'o>(
        &self,
        executable: &Executable,
        environment: Environment<'o>,
    ) -> Vec<(Wrapped<'o>, Option<Executable>)> {
        let words: Vec<&[u8]> = self.invocation.argv.iter().map(|word| word.as_bytes()).collect();
        let mut chain = Vec::new();
        let mut next = Wrapped::new(&words, environment)
            .and_then(|given| given.next(executable.place().file_name()));
        while let Some(wrapped) = next.filter(|_| chain.len() < wrapper::DEPTH) {
            let found = found(&wrapped);
            next = wrapped.next(found.as_ref().and_then(|found| found.place().file_name()));
            chain.push((wrapped, found));
        }
        chain
    }

    /// Returns whether the command behind a wrapper is another one than when the key was computed.
    pub(super) fn wrapped_changed(&self, call: &Call) -> bool {
        call.programs.as_ref().is_some_and(|programs| {
            let now = || self.programs(call.executable.as_ref()).parts;
            !programs.wrapped.is_empty() && programs.parts != now()
        })
    }

    /// Returns a sentence about a shim that the call runs, if it depends on nothing else that says
    /// what the shim chooses.
    pub(super) fn shim(&self, call: &Call) -> Option<String> {
        let identity = &self.config.identity;
        let is_known = self.is_automatic() || !identity.inputs.commands.is_empty();
        let found = call.programs.as_ref()?.last.as_ref().filter(|_| !is_known)?;
        let chooser = chooser(found)?;
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
    let is_path = wrapped.words[0].contains(&b'/');
    wrapped.places().into_iter().find_map(|place| {
        match (Invocation { argv: vec![place.into_os_string()] }).resolve(None) {
            Resolved::Found(found) if is_path || !found.is_cachex_masked() => Some(found),
            _ => None,
        }
    })
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
