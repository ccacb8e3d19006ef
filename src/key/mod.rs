//! The source of a cache key, and its hash.
//!
//! [`cachex_core::key`] describes the encoding of the fields.

pub mod descriptors;
mod variables;

use crate::config::{Auto, Identity, Vars, var};
use crate::files::base::Base;
use crate::files::inputs::Snapshot;
use crate::key::descriptors::Inherited;
use anyhow::{Context, Result};
use cachex_base::record::entry::Key;
use cachex_base::system::hashing;
use cachex_base::system::platform::Part;
use cachex_base::system::stamp::Stamp;
use cachex_base::system::umask::umask;
use cachex_base::text::values::{AutoOutputs, ExeMode};
use cachex_core::handover;
use cachex_core::key::Tag;
use cachex_exec::invocation::{Executable, Invocation, version_of};
use cachex_exec::stdin::Digest;
use cachex_store::components::{Collector, Kind};
use cachex_store::secret::Secret;
use rustix::termios::Winsize;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;

pub use variables::{Chosen, LeftOut, variables};

/// The version of automatic facts. Changes whenever other facts are recorded about the same run.
const AUTO_VERSION: u8 = 3;
/// The maximum number of parts for the input files in `explain`.
const INPUT_PARTS: usize = 32;

/// Everything that identifies an invocation.
#[derive(Clone, Copy)]
pub struct KeySource<'a> {
    /// The command line.
    pub invocation: &'a Invocation,
    /// The executable; none where only its name is part of the key.
    pub executable: Option<&'a Executable>,
    /// The settings of the key.
    pub identity: &'a Identity,
    /// The environment.
    pub vars: &'a Vars,
    /// Standard input.
    pub stdin: &'a Digest,
    /// The files that the arguments name by descriptor.
    pub descriptors: &'a [Inherited],
    /// The terminal on which the command's own is modelled, if it gets one.
    pub terminal: Option<&'a Winsize>,
    /// The declared parts of the key.
    pub declared: &'a Declared,
}

/// The declared parts of a key, as they were found.
#[derive(Debug, Default)]
pub struct Declared {
    /// The folders whose location is not part of the key.
    pub base: Base,
    /// The properties in which other machines differ, if the call is to be the same there.
    pub platform: Vec<Part>,
    /// The input files.
    pub inputs: Option<Snapshot>,
    /// The commands whose output is part of the key, and its hash.
    pub printed: Vec<(String, Key)>,
}

impl Declared {
    fn is_nothing(&self) -> bool {
        let Declared { base, platform, inputs, printed } = self;
        base.is_empty() && platform.is_empty() && inputs.is_none() && printed.is_empty()
    }

    fn tell(&self, to: &mut impl KeyVisitor) {
        for (name, value) in &self.platform {
            to.named(Tag::Platform, name.as_bytes(), value.as_bytes());
        }
        if let Some(inputs) = &self.inputs {
            to.inputs(inputs, &self.base);
        }
        for (command, printed) in &self.printed {
            to.named(Tag::InputCommand, command.as_bytes(), &printed.0);
        }
    }
}

impl KeySource<'_> {
    /// Computes the key. Fails if a part is unknown: the working directory is gone, or the
    /// executable cannot be read.
    pub fn key(&self) -> Result<Key> {
        let mut fields = fields();
        self.tell(&mut fields)?;
        Ok(Key(*hashing::of(&fields.0).as_bytes()))
    }

    /// Returns the key that was computed when this process started, see [`cachex_core::handover`];
    /// none if anything may have changed since.
    pub fn key_at_start(&self) -> Option<Key> {
        let known = handover::key()?;
        let exe = self.executable?;
        let (found, lies) = (exe.path.as_os_str().as_bytes(), exe.real.as_deref()?);
        let is_as_it_was = found == known.found
            && lies.as_os_str().as_bytes() == known.lies
            && version_of(&exe.stat) == known.stat
            && *self.stdin == Digest::Kind(known.stdin)
            && self.descriptors.is_empty()
            && self.terminal.is_none()
            && self.declared.is_nothing()
            && std::env::current_dir().is_ok_and(|cwd| cwd.as_os_str().as_bytes() == known.cwd);
        let key = is_as_it_was.then_some(Key(known.key));
        debug_assert!(key.is_none_or(|key| self.key().is_ok_and(|own| own == key)), "another key");
        key
    }

    /// Returns the components of the key, as MACs with a store's secret, in their stored form.
    pub fn parts(&self, secret: Secret) -> Result<Vec<u8>> {
        let mut collector = Collector::new(secret);
        self.tell(&mut collector)?;
        Ok(collector.finish())
    }

    /// Visits every part with `to`, in a fixed order.
    fn tell(&self, to: &mut impl KeyVisitor) -> Result<()> {
        let base = &self.declared.base;
        let argv: Vec<Cow<'_, [u8]>> =
            self.invocation.argv.iter().map(|arg| base.apply(arg.as_bytes())).collect();
        to.list(Tag::Argv, &argv);
        match (self.identity.exe, self.executable) {
            (ExeMode::Stat, Some(exe)) => {
                // A program may depend on where it was found, rather than on where it really is.
                let [found, lies] = [&exe.path, exe.place()].map(|it| it.as_os_str().as_bytes());
                to.list(Tag::ExePath, &[base.apply(found), base.apply(lies)]);
                if exe.real.is_none() {
                    // Only a path that leads to it at this moment exists.
                    let Stamp { dev, ino, .. } = Stamp::of(&exe.stat);
                    to.list(Tag::ExePath, &[dev.to_le_bytes(), ino.to_le_bytes()]);
                }
                to.add(Tag::ExeSize, &exe.stat.st_size.to_le_bytes());
                to.add(Tag::ExeModified, &exe.stat.st_mtime.to_le_bytes());
                to.add(Tag::ExeModified, &exe.stat.st_mtime_nsec.to_le_bytes());
            }
            (ExeMode::Content, Some(exe)) => {
                let contents = std::fs::File::open(&exe.path)
                    .and_then(|file| Ok(hashing::to_the_end(file, 0)?))
                    .with_context(|| format!("reading {}", exe.path.display()))?;
                to.add(Tag::ExeContent, contents.as_bytes());
                // Its place does not matter, but it may depend on the link by which it was found.
                if exe.real.as_deref() != Some(exe.path.as_path()) {
                    to.list(Tag::ExePath, &[base.apply(exe.path.as_os_str().as_bytes())]);
                }
            }
            (ExeMode::Name, _) | (_, None) => {}
        }
        let cwd = self.identity.cwd.then(std::env::current_dir).transpose();
        let cwd = cwd.context("finding the working directory")?;
        let cwd = cwd.as_deref().map(|cwd| cwd.as_os_str().as_bytes());
        if let Some(cwd) = cwd {
            to.add(Tag::Cwd, &base.apply(cwd));
        }
        self.tell_env(cwd, to);
        if let Some(chosen) = Chosen::by(&self.identity.env) {
            to.chosen(&chosen);
        }
        to.add(Tag::Stdin, &self.stdin.bytes());
        for file in self.descriptors {
            to.named(Tag::Descriptor, file.name().as_bytes(), &file.bytes());
        }
        if let Some(size) = self.terminal {
            let kind = var(self.vars, "TERM").unwrap_or_default();
            to.list(Tag::Terminal, &[kind.as_bytes(), &size.ws_col.to_le_bytes()[..]]);
        }
        if let Some(text) = &self.identity.key {
            to.add(Tag::Text, text.as_bytes());
        }
        if let Some(scope) = &self.identity.scope {
            to.add(Tag::Scope, scope.as_bytes());
        }
        self.declared.tell(to);
        if let (Some(auto), Some(cwd)) = (&self.identity.auto, cwd) {
            // The path set says which parts of it are valid elsewhere.
            let cwd = if self.identity.portable { base.apply(cwd) } else { cwd.into() };
            tell_auto(auto, &cwd, to);
        }
        Ok(())
    }

    fn tell_env(&self, cwd: Option<&[u8]>, to: &mut impl KeyVisitor) {
        let pairs = self.vars.iter().filter_map(|(name, value)| {
            let value = variables::in_key(name, value, self.identity, cwd).ok()?;
            Some((name.as_bytes(), value))
        });
        let base = &self.declared.base;
        if base.is_empty() {
            return to.variables(pairs);
        }
        to.variables(pairs.map(|(name, value)| match value {
            Cow::Borrowed(value) => (name, base.apply(value)),
            Cow::Owned(value) => (name, Cow::Owned(base.apply(&value).into_owned())),
        }));
    }
}

/// Visits the settings that determine which files an automatic call depends on. Unless it is
/// portable, files have absolute paths, so its working directory is included, base folder or not.
fn tell_auto(auto: &Auto, cwd: &[u8], to: &mut impl KeyVisitor) {
    let rules = [
        AUTO_VERSION,
        auto.times as u8,
        u8::from(auto.allows_network),
        auto.outputs as u8,
        auto.quirks as u8,
    ];
    // The umask determines the permissions of new files.
    let umask = if auto.outputs == AutoOutputs::None { 0 } else { umask() }.to_le_bytes();
    let ignored = auto.ignore.iter().map(|pattern| pattern.as_str().as_bytes());
    let all: Vec<&[u8]> = [&rules[..], &umask, cwd].into_iter().chain(ignored).collect();
    to.list(Tag::Auto, &all);
}

/// Visits the parts of a key.
trait KeyVisitor {
    /// Visits a part with one value.
    fn add(&mut self, tag: Tag, value: &[u8]);
    /// Visits a part with several values.
    fn list(&mut self, tag: Tag, values: &[impl AsRef<[u8]>]);
    /// Visits a part with a name and a value.
    fn named(&mut self, tag: Tag, name: &[u8], value: &[u8]);
    /// Visits the input files.
    fn inputs(&mut self, inputs: &Snapshot, base: &Base);
    /// Visits the names and values of the environment, in their present order.
    fn variables<'v>(&mut self, pairs: impl Iterator<Item = (&'v [u8], Cow<'v, [u8]>)>);
    /// Visits the selection of variables.
    fn chosen(&mut self, chosen: &Chosen<'_>);
}

/// Returns the kind of a part for `explain`.
fn kind(tag: Tag) -> Kind {
    match tag {
        Tag::Argv => Kind::Arguments,
        Tag::ExePath => Kind::ExePath,
        Tag::ExeSize => Kind::ExeSize,
        Tag::ExeModified => Kind::ExeModified,
        Tag::ExeContent => Kind::ExeContent,
        Tag::Cwd => Kind::Directory,
        Tag::Env => Kind::Variable,
        Tag::Stdin => Kind::Stdin,
        Tag::Text => Kind::Text,
        Tag::Scope => Kind::Scope,
        Tag::Terminal => Kind::Terminal,
        Tag::Inputs | Tag::Descriptor => Kind::Input,
        Tag::InputCommand => Kind::InputCommand,
        Tag::Platform => Kind::Platform,
        Tag::Auto => Kind::Auto,
        Tag::Selection => Kind::Selection,
    }
}

impl KeyVisitor for Collector {
    fn add(&mut self, tag: Tag, value: &[u8]) {
        Collector::add(self, kind(tag), b"", value);
    }

    fn named(&mut self, tag: Tag, name: &[u8], value: &[u8]) {
        Collector::add(self, kind(tag), name, value);
    }

    fn inputs(&mut self, inputs: &Snapshot, base: &Base) {
        Collector::add(self, Kind::Inputs, b"", &(inputs.len() as u64).to_le_bytes());
        for (name, value) in inputs.grouped(INPUT_PARTS, base) {
            Collector::add(self, Kind::Input, &name, &value);
        }
    }

    fn list(&mut self, tag: Tag, values: &[impl AsRef<[u8]>]) {
        // The lengths are included: one argument differs from two.
        let mut fields = fields();
        KeyVisitor::list(&mut fields, tag, values);
        KeyVisitor::add(self, tag, &fields.0);
    }

    fn variables<'v>(&mut self, pairs: impl Iterator<Item = (&'v [u8], Cow<'v, [u8]>)>) {
        for (name, value) in pairs {
            Collector::add(self, Kind::Variable, name, &value);
        }
    }

    fn chosen(&mut self, chosen: &Chosen<'_>) {
        let mut fields = fields();
        fields.chosen(chosen);
        // Names of variables are kept, too.
        let option = chosen.to_string();
        Collector::add(self, Kind::Selection, option.as_bytes(), &fields.0);
    }
}

type Fields = cachex_core::key::Fields<Vec<u8>>;

fn fields() -> Fields {
    Fields::new(Vec::with_capacity(8192))
}

impl KeyVisitor for Fields {
    fn add(&mut self, tag: Tag, value: &[u8]) {
        Fields::add(self, tag, value);
    }

    fn list(&mut self, tag: Tag, values: &[impl AsRef<[u8]>]) {
        Fields::list(self, tag, values.iter());
    }

    fn named(&mut self, tag: Tag, name: &[u8], value: &[u8]) {
        Fields::list(self, tag, [name, value].iter());
    }

    fn inputs(&mut self, inputs: &Snapshot, base: &Base) {
        Fields::add(self, Tag::Inputs, &inputs.digest(base).0);
    }

    fn variables<'v>(&mut self, pairs: impl Iterator<Item = (&'v [u8], Cow<'v, [u8]>)>) {
        let mut pairs: Vec<_> = pairs.collect();
        // The command gets all values of a repeated name, in this order.
        pairs.sort_by_key(|(name, _)| *name);
        self.begin_list(Tag::Env, 2 * pairs.len());
        for (name, value) in &pairs {
            self.sized(name);
            self.sized(value);
        }
    }

    fn chosen(&mut self, chosen: &Chosen<'_>) {
        Fields::list(self, Tag::Selection, chosen.values().iter());
    }
}

#[cfg(test)]
mod tests;
