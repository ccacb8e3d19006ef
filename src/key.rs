//! What identifies an invocation, and the hash of it.
//!
//! The key is BLAKE3-256 over fields, each a tag, a length and so many bytes;
//! lists are a tag, a count and as many lengths and bytes. So no two different
//! lists of fields are the same bytes, and the key is as collision-proof as
//! the hash.

use crate::base::Base;
use crate::config::{EnvSelection, Identity, Vars, var};
use crate::entry::Key;
use crate::hashing;
use crate::inputs::Snapshot;
use crate::invocation::{Executable, Invocation};
use crate::parts::{Collector, Kind};
use crate::session;
use crate::stdin::Digest;
use crate::store::secret::Secret;
use crate::values::ExeMode;
use anyhow::{Context, Result};
use rustix::termios::Winsize;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Changes whenever the same invocation is to have another key than before.
const VERSION: u8 = 1;

/// The parts of the key. The numbers are part of it.
#[derive(Clone, Copy)]
enum Tag {
    Argv = 1,
    ExePath = 2,
    ExeSize = 3,
    ExeModified = 4,
    ExeContent = 5,
    Cwd = 6,
    Env = 7,
    StdinContent = 8,
    StdinKind = 9,
    Text = 10,
    Scope = 11,
    Terminal = 12,
    Inputs = 13,
    InputCommand = 14,
}

/// How many parts the files that count are for `explain` at the most.
const INPUT_PARTS: usize = 32;

/// What identifies an invocation.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// What is run.
    pub invocation: &'a Invocation,
    /// The file that is; none where the identity asks for its name alone.
    pub executable: Option<&'a Executable>,
    /// What counts.
    pub identity: &'a Identity,
    /// The environment.
    pub vars: &'a Vars,
    /// Standard input; none if it is not known what it was.
    pub stdin: Option<&'a Digest>,
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
    /// The files that count.
    pub inputs: Option<Snapshot>,
    /// The commands of which the output counts, and the hash of it.
    pub printed: Vec<(String, Key)>,
}

impl Declared {
    /// The hash of what else counts; none if nothing does.
    pub fn digest(&self) -> Option<Key> {
        let mut fields = Fields::default();
        self.tell(&mut fields);
        (fields.0.len() > 1).then(|| fields.key())
    }

    fn tell(&self, to: &mut impl Listener) {
        if let Some(inputs) = &self.inputs {
            to.inputs(inputs, &self.base);
        }
        for (command, printed) in &self.printed {
            to.named(Tag::InputCommand, command.as_bytes(), &printed.0);
        }
    }
}

impl Subject<'_> {
    /// Its key. Fails if a part cannot be known: the working directory is gone,
    /// the executable cannot be read.
    pub fn key(&self) -> Result<Key> {
        let mut fields = Fields::default();
        self.tell(&mut fields)?;
        Ok(fields.key())
    }

    /// The parts of its key, summed with a store's secret, in their stored form.
    pub fn parts(&self, secret: Secret) -> Result<Vec<u8>> {
        let mut collector = Collector::new(secret);
        self.tell(&mut collector)?;
        Ok(collector.finish())
    }

    /// Shows every part to `to`, in the one order.
    fn tell(&self, to: &mut impl Listener) -> Result<()> {
        let base = &self.declared.base;
        let argv: Vec<Cow<'_, [u8]>> =
            self.invocation.argv.iter().map(|arg| base.apply(arg.as_bytes())).collect();
        to.list(Tag::Argv, &argv);
        match (self.identity.exe, self.executable) {
            (ExeMode::Stat, Some(exe)) => {
                to.add(Tag::ExePath, &base.apply(exe.real.as_os_str().as_bytes()));
                to.add(Tag::ExeSize, &exe.stat.st_size.to_le_bytes());
                to.add(Tag::ExeModified, &exe.stat.st_mtime.to_le_bytes());
                to.add(Tag::ExeModified, &exe.stat.st_mtime_nsec.to_le_bytes());
            }
            (ExeMode::Content, Some(exe)) => {
                let contents = std::fs::File::open(&exe.path)
                    .and_then(|file| Ok(hashing::to_the_end(file, 0)?))
                    .with_context(|| format!("reading {}", exe.path.display()))?;
                to.add(Tag::ExeContent, contents.as_bytes());
            }
            (ExeMode::Name, _) | (_, None) => {}
        }
        if self.identity.cwd {
            let cwd = std::env::current_dir().context("finding the working directory")?;
            to.add(Tag::Cwd, &base.apply(cwd.as_os_str().as_bytes()));
        }
        self.tell_env(to);
        match self.stdin {
            Some(Digest::Contents(hash)) => to.add(Tag::StdinContent, hash.as_bytes()),
            Some(Digest::Kind(kind)) => to.add(Tag::StdinKind, kind.as_bytes()),
            None => {}
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
        Ok(())
    }

    fn tell_env(&self, to: &mut impl Listener) {
        let counted = self.vars.iter().filter(|(name, _)| left_out(name, self.identity).is_none());
        let pairs = counted.filter_map(|(name, value)| {
            let name = name.as_bytes();
            Some((name, session::significant(name, value.as_bytes())?))
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

/// Whoever is shown the parts of a key.
trait Listener {
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

impl Listener for Collector {
    fn add(&mut self, tag: Tag, value: &[u8]) {
        let kind = match tag {
            Tag::Argv => Kind::Arguments,
            Tag::ExePath => Kind::ExePath,
            Tag::ExeSize => Kind::ExeSize,
            Tag::ExeModified => Kind::ExeModified,
            Tag::ExeContent => Kind::ExeContent,
            Tag::Cwd => Kind::Directory,
            Tag::Env => Kind::Variable,
            Tag::StdinContent | Tag::StdinKind => Kind::Stdin,
            Tag::Text => Kind::Text,
            Tag::Scope => Kind::Scope,
            Tag::Terminal => Kind::Terminal,
            Tag::Inputs => Kind::Input,
            Tag::InputCommand => Kind::InputCommand,
        };
        Collector::add(self, kind, b"", value);
    }

    fn named(&mut self, _: Tag, name: &[u8], value: &[u8]) {
        Collector::add(self, Kind::InputCommand, name, value);
    }

    fn inputs(&mut self, inputs: &Snapshot, base: &Base) {
        Collector::add(self, Kind::Inputs, b"", &(inputs.len() as u64).to_le_bytes());
        for (name, value) in inputs.grouped(INPUT_PARTS, base) {
            Collector::add(self, Kind::Input, &name, &value);
        }
    }

    fn list(&mut self, tag: Tag, values: &[impl AsRef<[u8]>]) {
        // Their lengths count: one argument is not two.
        let mut fields = Fields::default();
        fields.list(tag, values);
        Listener::add(self, tag, &fields.0);
    }

    fn variables<'v>(&mut self, pairs: impl Iterator<Item = (&'v [u8], Cow<'v, [u8]>)>) {
        for (name, value) in pairs {
            Collector::add(self, Kind::Variable, name, &value);
        }
    }
}

/// Why a variable does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It describes the session, see [`session`].
    Session,
    /// It is the working directory by another name, which does not count.
    Directory,
    /// An option leaves it out, or does not take it in.
    Option,
    /// It only shares out jobs, see [`session::significant`].
    Jobs,
    /// It names the host or the user, which do not count where results are portable.
    Host,
}

/// The names of the variables that count, and those of the others with why they
/// do not, both in order.
pub fn variables<'v>(
    vars: &'v Vars,
    identity: &Identity,
) -> (Vec<&'v OsStr>, Vec<(&'v OsStr, LeftOut)>) {
    let (mut counted, mut others) = (Vec::new(), Vec::new());
    for (name, value) in vars {
        let jobs = || {
            let value = session::significant(name.as_bytes(), value.as_bytes());
            value.is_none().then_some(LeftOut::Jobs)
        };
        match left_out(name, identity).or_else(jobs) {
            None => counted.push(*name),
            Some(why) => others.push((*name, why)),
        }
    }
    counted.sort_unstable();
    others.sort_unstable();
    (counted, others)
}

fn left_out(name: &OsStr, identity: &Identity) -> Option<LeftOut> {
    match &identity.env {
        EnvSelection::None => Some(LeftOut::Option),
        EnvSelection::Only(names) => {
            (!names.iter().any(|listed| name == listed.0.as_str())).then_some(LeftOut::Option)
        }
        EnvSelection::All => left_out_by_default(name, identity),
        EnvSelection::Except(patterns) => left_out_by_default(name, identity).or_else(|| {
            let text = name.to_string_lossy();
            patterns.iter().any(|pattern| pattern.matches(&text)).then_some(LeftOut::Option)
        }),
    }
}

fn left_out_by_default(name: &OsStr, identity: &Identity) -> Option<LeftOut> {
    if session::is_noise(name.as_bytes()) {
        return Some(LeftOut::Session);
    }
    if identity.portable && session::is_of_the_host(name.as_bytes()) {
        return Some(LeftOut::Host);
    }
    (!identity.cwd && name == "PWD").then_some(LeftOut::Directory)
}

/// Fields on their way into the hash.
struct Fields(Vec<u8>);

impl Default for Fields {
    fn default() -> Fields {
        let mut bytes = Vec::with_capacity(8192);
        bytes.push(VERSION);
        Fields(bytes)
    }
}

impl Listener for Fields {
    fn add(&mut self, tag: Tag, value: &[u8]) {
        self.0.push(tag as u8);
        self.sized(value);
    }

    fn list(&mut self, tag: Tag, values: &[impl AsRef<[u8]>]) {
        self.0.push(tag as u8);
        self.number(values.len());
        for value in values {
            self.sized(value.as_ref());
        }
    }

    fn named(&mut self, tag: Tag, name: &[u8], value: &[u8]) {
        self.list(tag, &[name, value]);
    }

    fn inputs(&mut self, inputs: &Snapshot, base: &Base) {
        self.add(Tag::Inputs, &inputs.digest(base).0);
    }

    fn variables<'v>(&mut self, pairs: impl Iterator<Item = (&'v [u8], Cow<'v, [u8]>)>) {
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_unstable();
        let flat: Vec<&[u8]> =
            pairs.iter().flat_map(|(name, value)| [*name, value.as_ref()]).collect();
        self.list(Tag::Env, &flat);
    }
}

impl Fields {
    fn sized(&mut self, value: &[u8]) {
        self.number(value.len());
        self.0.extend_from_slice(value);
    }

    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_le_bytes());
    }

    fn key(&self) -> Key {
        Key(*hashing::of(&self.0).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq)]
    enum Field {
        One(u8, Vec<u8>),
        Many(u8, Vec<Vec<u8>>),
    }

    const LISTS: [u8; 4] =
        [Tag::Argv as u8, Tag::Env as u8, Tag::Terminal as u8, Tag::InputCommand as u8];

    fn tag_of(number: u8) -> Tag {
        let tags = [
            Tag::Argv,
            Tag::ExePath,
            Tag::ExeSize,
            Tag::ExeModified,
            Tag::ExeContent,
            Tag::Cwd,
            Tag::Env,
            Tag::StdinContent,
            Tag::StdinKind,
            Tag::Text,
            Tag::Scope,
            Tag::Terminal,
            Tag::Inputs,
            Tag::InputCommand,
        ];
        tags.into_iter().find(|&tag| tag as u8 == number).unwrap()
    }

    fn encode(fields: &[Field]) -> Vec<u8> {
        let mut out = Fields::default();
        for field in fields {
            match field {
                Field::One(tag, value) => out.add(tag_of(*tag), value),
                Field::Many(tag, values) => {
                    out.list(tag_of(*tag), &values.iter().map(Vec::as_slice).collect::<Vec<_>>());
                }
            }
        }
        out.0
    }

    /// Reads fields back: what can be read back in one way only is injective.
    fn decode(mut bytes: &[u8]) -> Vec<Field> {
        fn number(bytes: &mut &[u8]) -> usize {
            let (first, rest) = bytes.split_first_chunk::<8>().unwrap();
            *bytes = rest;
            u64::from_le_bytes(*first) as usize
        }
        fn sized(bytes: &mut &[u8]) -> Vec<u8> {
            let len = number(bytes);
            let (value, rest) = bytes.split_at(len);
            *bytes = rest;
            value.to_vec()
        }
        assert_eq!(bytes[0], VERSION);
        bytes = &bytes[1..];
        let mut fields = Vec::new();
        while let Some((&tag, rest)) = bytes.split_first() {
            bytes = rest;
            fields.push(if LISTS.contains(&tag) {
                let count = number(&mut bytes);
                Field::Many(tag, (0..count).map(|_| sized(&mut bytes)).collect())
            } else {
                Field::One(tag, sized(&mut bytes))
            });
        }
        fields
    }

    fn field() -> impl Strategy<Value = Field> {
        let bytes = proptest::collection::vec(any::<u8>(), 0..12);
        let others: Vec<u8> = (1..=14).filter(|tag| !LISTS.contains(tag)).collect();
        prop_oneof![
            (proptest::sample::select(others), bytes.clone())
                .prop_map(|(tag, value)| Field::One(tag, value)),
            (proptest::sample::select(LISTS.to_vec()), proptest::collection::vec(bytes, 0..5))
                .prop_map(|(tag, values)| Field::Many(tag, values)),
        ]
    }

    proptest! {
        #[test]
        fn no_two_lists_of_fields_are_the_same_bytes(fields in proptest::collection::vec(field(), 0..8)) {
            prop_assert_eq!(decode(&encode(&fields)), fields);
        }
    }
}
