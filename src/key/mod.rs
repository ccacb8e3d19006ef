//! What identifies an invocation, and the hash of it.
//!
//! How its fields are encoded is told in [`cachex_core::key`].

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

pub use variables::{LeftOut, variables};

/// Changes whenever other facts are found out about the same run than before.
const AUTO_VERSION: u8 = 3;
/// How many parts the files that count are for `explain` at the most.
const INPUT_PARTS: usize = 32;

/// What identifies an invocation.
#[derive(Clone, Copy)]
pub struct KeySource<'a> {
    /// What is run.
    pub invocation: &'a Invocation,
    /// The file that is; none where the identity asks for its name alone.
    pub executable: Option<&'a Executable>,
    /// What counts.
    pub identity: &'a Identity,
    /// The environment.
    pub vars: &'a Vars,
    /// Standard input.
    pub stdin: &'a Digest,
    /// The files that the arguments name by their descriptors.
    pub descriptors: &'a [Inherited],
    /// The terminal that the command gets one like, if it gets one.
    pub terminal: Option<&'a Winsize>,
    /// What else was declared to count.
    pub declared: &'a Declared,
}

/// What was declared to count, as it was found.
#[derive(Debug, Default)]
pub struct Declared {
    /// The folders whose place does not count.
    pub base: Base,
    /// What other places differ in, if the call is to be the same there.
    pub platform: Vec<Part>,
    /// The files that count.
    pub inputs: Option<Snapshot>,
    /// The commands of which the output counts, and the hash of it.
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
    /// Its key. Fails if a part cannot be known: the working directory is gone,
    /// the executable cannot be read.
    pub fn key(&self) -> Result<Key> {
        let mut fields = fields();
        self.tell(&mut fields)?;
        Ok(Key(*hashing::of(&fields.0).as_bytes()))
    }

    /// Its key as it was computed before this process began in earnest, see
    /// [`cachex_core::handover`]; none where anything may be another now.
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

    /// The parts of its key, summed with a store's secret, in their stored form.
    pub fn parts(&self, secret: Secret) -> Result<Vec<u8>> {
        let mut collector = Collector::new(secret);
        self.tell(&mut collector)?;
        Ok(collector.finish())
    }

    /// Shows every part to `to`, in the one order.
    fn tell(&self, to: &mut impl KeyVisitor) -> Result<()> {
        let base = &self.declared.base;
        let argv: Vec<Cow<'_, [u8]>> =
            self.invocation.argv.iter().map(|arg| base.apply(arg.as_bytes())).collect();
        to.list(Tag::Argv, &argv);
        match (self.identity.exe, self.executable) {
            (ExeMode::Stat, Some(exe)) => {
                // A program may act by where it was found, and not by where it lies.
                let [found, lies] = [&exe.path, exe.place()].map(|it| it.as_os_str().as_bytes());
                to.list(Tag::ExePath, &[base.apply(found), base.apply(lies)]);
                if exe.real.is_none() {
                    // A path that leads to it at this moment is all there is.
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
                // Wherever it lies: but by which link it was found may be what it goes by.
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
            // What of a path set is valid elsewhere, the set says.
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

/// What decides which files an automatic call depends on. Unless it is portable they are known
/// by their absolute paths, so the folder it runs in is a part of that, base folder or not.
fn tell_auto(auto: &Auto, cwd: &[u8], to: &mut impl KeyVisitor) {
    let rules = [
        AUTO_VERSION,
        auto.times as u8,
        u8::from(auto.allows_network),
        auto.outputs as u8,
        auto.quirks as u8,
    ];
    // New files get other permissions by it.
    let umask = if auto.outputs == AutoOutputs::None { 0 } else { umask() }.to_le_bytes();
    let ignored = auto.ignore.iter().map(|pattern| pattern.as_str().as_bytes());
    let all: Vec<&[u8]> = [&rules[..], &umask, cwd].into_iter().chain(ignored).collect();
    to.list(Tag::Auto, &all);
}

/// Whoever is shown the parts of a key.
trait KeyVisitor {
    /// A part of one value.
    fn add(&mut self, tag: Tag, value: &[u8]);
    /// A part of several.
    fn list(&mut self, tag: Tag, values: &[impl AsRef<[u8]>]);
    /// A part of one value that has a name.
    fn named(&mut self, tag: Tag, name: &[u8], value: &[u8]);
    /// The files that count.
    fn inputs(&mut self, inputs: &Snapshot, base: &Base);
    /// The names and values of the environment, as they come.
    fn variables<'v>(&mut self, pairs: impl Iterator<Item = (&'v [u8], Cow<'v, [u8]>)>);
}

/// What a part of this tag is for `explain`.
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
        // Their lengths count: one argument is not two.
        let mut fields = fields();
        KeyVisitor::list(&mut fields, tag, values);
        KeyVisitor::add(self, tag, &fields.0);
    }

    fn variables<'v>(&mut self, pairs: impl Iterator<Item = (&'v [u8], Cow<'v, [u8]>)>) {
        for (name, value) in pairs {
            Collector::add(self, Kind::Variable, name, &value);
        }
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
        // Of one name the command gets all values, and in this order.
        pairs.sort_by_key(|(name, _)| *name);
        self.begin_list(Tag::Env, 2 * pairs.len());
        for (name, value) in &pairs {
            self.sized(name);
            self.sized(value);
        }
    }
}

#[cfg(test)]
mod tests;
