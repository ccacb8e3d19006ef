//! What identifies an invocation, and the hash of it.
//!
//! The key is BLAKE3-256 over fields, each a tag, a length and so many bytes;
//! lists are a tag, a count and as many lengths and bytes. So no two different
//! lists of fields are the same bytes, and the key is as collision-proof as
//! the hash.

use crate::config::{EnvSelection, Identity, Vars};
use crate::entry::Key;
use crate::hashing;
use crate::invocation::{Executable, Invocation};
use crate::session;
use crate::stdin::Digest;
use crate::values::ExeMode;
use anyhow::{Context, Result};
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
}

/// Computes the key of an invocation.
///
/// `executable` is none where the identity asks for its name alone. Fails if a
/// part cannot be known: the working directory is gone, the executable cannot
/// be read.
pub fn identify(
    invocation: &Invocation,
    executable: Option<&Executable>,
    identity: &Identity,
    vars: &Vars,
    stdin: &Digest,
) -> Result<Key> {
    let mut fields = Fields::default();
    fields.list(Tag::Argv, &invocation.argv.iter().map(|arg| arg.as_bytes()).collect::<Vec<_>>());
    match (identity.exe, executable) {
        (ExeMode::Stat, Some(exe)) => {
            fields.add(Tag::ExePath, exe.real.as_os_str().as_bytes());
            fields.add(Tag::ExeSize, &exe.stat.st_size.to_le_bytes());
            fields.add(Tag::ExeModified, &exe.stat.st_mtime.to_le_bytes());
            fields.add(Tag::ExeModified, &exe.stat.st_mtime_nsec.to_le_bytes());
        }
        (ExeMode::Content, Some(exe)) => {
            let contents = std::fs::File::open(&exe.path)
                .and_then(|file| Ok(hashing::to_the_end(file, 0)?))
                .with_context(|| format!("reading {}", exe.path.display()))?;
            fields.add(Tag::ExeContent, contents.as_bytes());
        }
        (ExeMode::Name, _) | (_, None) => {}
    }
    if identity.cwd {
        let cwd = std::env::current_dir().context("finding the working directory")?;
        fields.add(Tag::Cwd, cwd.as_os_str().as_bytes());
    }
    add_env(&mut fields, identity, vars);
    match stdin {
        Digest::Contents(hash) => fields.add(Tag::StdinContent, hash.as_bytes()),
        Digest::Kind(kind) => fields.add(Tag::StdinKind, kind.as_bytes()),
    }
    if let Some(text) = &identity.key {
        fields.add(Tag::Text, text.as_bytes());
    }
    if let Some(scope) = &identity.scope {
        fields.add(Tag::Scope, scope.as_bytes());
    }
    Ok(fields.key())
}

fn add_env(fields: &mut Fields, identity: &Identity, vars: &Vars) {
    let counts = |name: &OsStr| match &identity.env {
        EnvSelection::None => false,
        EnvSelection::Only(names) => names.iter().any(|listed| name == listed.0.as_str()),
        EnvSelection::All => counts_by_default(name, identity),
        EnvSelection::Except(patterns) => {
            let text = name.to_string_lossy();
            counts_by_default(name, identity)
                && !patterns.iter().any(|pattern| pattern.matches(&text))
        }
    };
    let counted = vars.iter().filter(|(name, _)| counts(name));
    let mut pairs: Vec<(&[u8], Cow<'_, [u8]>)> = counted
        .filter_map(|(name, value)| {
            Some((name.as_bytes(), session::significant(name.as_bytes(), value.as_bytes())?))
        })
        .collect();
    pairs.sort_unstable();
    let flat: Vec<&[u8]> = pairs.iter().flat_map(|(name, value)| [*name, value.as_ref()]).collect();
    fields.list(Tag::Env, &flat);
}

fn counts_by_default(name: &OsStr, identity: &Identity) -> bool {
    // PWD is the working directory by another name.
    !session::is_noise(name.as_bytes()) && (identity.cwd || name != "PWD")
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

impl Fields {
    fn add(&mut self, tag: Tag, value: &[u8]) {
        self.0.push(tag as u8);
        self.sized(value);
    }

    fn list(&mut self, tag: Tag, values: &[&[u8]]) {
        self.0.push(tag as u8);
        self.number(values.len());
        for value in values {
            self.sized(value);
        }
    }

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

    const LISTS: [u8; 2] = [Tag::Argv as u8, Tag::Env as u8];

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
        let others: Vec<u8> = (1..=11).filter(|tag| !LISTS.contains(tag)).collect();
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
