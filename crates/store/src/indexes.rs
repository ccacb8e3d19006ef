//! The index tables of entries: by last use, by removal time, by tag and by command.
//! [`super::old`] lists their formats.
//!
//! Every row key ends with the key of the entry that it leads to.

use super::metadata::{EntryMetadata, joined};
use super::table::Table;
use cachex_base::record::entry::{About, Key, base_name};
use cachex_base::system::hashing;
use serde_bytes::ByteBuf;

/// The open index tables.
pub struct Indexes {
    pub(super) uses: Table,
    pub(super) expiries: Table,
    pub(super) tags: Table,
    pub(super) commands: Table,
}

impl Indexes {
    /// Returns the indexes of an open database.
    pub fn of(db: &sled::Tree) -> Indexes {
        Indexes {
            uses: Table::new(db, b'u'),
            expiries: Table::new(db, b'x'),
            tags: Table::new(db, b't'),
            commands: Table::new(db, b'c'),
        }
    }

    /// Adds the index rows for the metadata of an entry.
    pub fn insert_facts(&self, key: &Key, facts: &EntryMetadata) -> sled::Result<()> {
        self.uses.insert(number_place(facts.last_use, key), b"".as_slice())?;
        if let Some(gone) = facts.gone {
            self.expiries.insert(number_place(gone, key), b"".as_slice())?;
        }
        Ok(())
    }

    /// Removes the index rows for the metadata of an entry, except those that `next` has too.
    pub fn remove_facts(
        &self,
        key: &Key,
        facts: &EntryMetadata,
        next: Option<&EntryMetadata>,
    ) -> sled::Result<()> {
        if next.is_none_or(|next| next.last_use != facts.last_use) {
            self.uses.remove(number_place(facts.last_use, key))?;
        }
        if let Some(gone) = facts.gone
            && next.is_none_or(|next| next.gone != facts.gone)
        {
            self.expiries.remove(number_place(gone, key))?;
        }
        Ok(())
    }

    /// Returns whether all index rows for the metadata of an entry exist.
    pub fn hold_facts(&self, key: &Key, facts: &EntryMetadata) -> sled::Result<bool> {
        Ok(self.uses.contains_key(number_place(facts.last_use, key))?
            && match facts.gone {
                Some(gone) => self.expiries.contains_key(number_place(gone, key))?,
                None => true,
            })
    }

    /// Adds the index rows for the command of an entry and its tags.
    pub fn insert_about(&self, key: &Key, about: &About) -> sled::Result<()> {
        self.commands.insert(joined(&command_place(&about.argv), key), b"".as_slice())?;
        for tag in &about.tags {
            self.tags.insert(joined(&tag_place(tag), key), b"".as_slice())?;
        }
        Ok(())
    }

    /// Removes the index rows for a command and its tags, except those that `next` has too.
    pub fn remove_about(&self, key: &Key, about: &About, next: Option<&About>) -> sled::Result<()> {
        if next.is_none_or(|next| next.argv != about.argv) {
            self.commands.remove(joined(&command_place(&about.argv), key))?;
        }
        for tag in &about.tags {
            if next.is_none_or(|next| !next.tags.contains(tag)) {
                self.tags.remove(joined(&tag_place(tag), key))?;
            }
        }
        Ok(())
    }

    /// Returns whether all index rows for a command and its tags exist.
    pub fn hold_about(&self, key: &Key, about: &About) -> sled::Result<bool> {
        let mut held = self.commands.contains_key(joined(&command_place(&about.argv), key))?;
        for tag in &about.tags {
            held &= self.tags.contains_key(joined(&tag_place(tag), key))?;
        }
        Ok(held)
    }
}

fn number_place(number: u64, key: &Key) -> Vec<u8> {
    joined(&number.to_be_bytes(), key)
}

/// Returns the row prefix of a tag, without the entry's key. No tag contains a zero byte, so the
/// rows of different tags do not mix.
pub fn tag_place(tag: &str) -> Vec<u8> {
    [tag.as_bytes(), &[0]].concat()
}

/// Returns the tag and the entry's key in a row key.
pub fn tag_of(place: &[u8]) -> Option<(&str, Key)> {
    let (rest, key) = place.split_last_chunk()?;
    Some((std::str::from_utf8(rest.strip_suffix(&[0])?).ok()?, Key(*key)))
}

/// Returns the row prefix of a command, without the entry's key: the hash of its base name, and
/// the hash of all its arguments as an entry keeps them.
pub fn command_place(argv: &[ByteBuf]) -> [u8; 16] {
    let name = argv.first().map_or(&[][..], |command| base_name(command));
    let size = argv.iter().map(|arg| 8 + arg.len()).sum();
    let mut whole = Vec::with_capacity(size);
    for arg in argv {
        whole.extend((arg.len() as u64).to_le_bytes());
        whole.extend(&arg[..]);
    }
    let mut place = [0; 16];
    place[..8].copy_from_slice(&name_place(name));
    place[8..].copy_from_slice(&short_hash(&whole));
    place
}

/// Returns the row prefix of all commands with this base name.
pub fn name_place(name: &[u8]) -> [u8; 8] {
    short_hash(name)
}

fn short_hash(bytes: &[u8]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&hashing::of(bytes).as_bytes()[..8]);
    short
}
