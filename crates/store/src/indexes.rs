//! The tables that lead to entries: by last use, by the time they are gone, by
//! tag and by command. [`super::old`] has the table of them.
//!
//! Every place ends with the key of the entry that it leads to.

use super::metadata::{EntryMetadata, joined};
use super::table::Table;
use cachex_base::record::entry::{About, Key, base_name};
use cachex_base::system::hashing;
use serde_bytes::ByteBuf;

/// The open tables.
pub struct Indexes {
    pub(super) uses: Table,
    pub(super) expiries: Table,
    pub(super) tags: Table,
    pub(super) commands: Table,
}

impl Indexes {
    /// Those of an open database.
    pub fn of(db: &sled::Tree) -> Indexes {
        Indexes {
            uses: Table::new(db, b'u'),
            expiries: Table::new(db, b'x'),
            tags: Table::new(db, b't'),
            commands: Table::new(db, b'c'),
        }
    }

    /// Lets what is known of an entry lead to it.
    pub fn insert_facts(&self, key: &Key, facts: &EntryMetadata) -> sled::Result<()> {
        self.uses.insert(number_place(facts.last_use, key), b"".as_slice())?;
        if let Some(gone) = facts.gone {
            self.expiries.insert(number_place(gone, key), b"".as_slice())?;
        }
        Ok(())
    }

    /// Takes that away, but for what `next` leads by too.
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

    /// Whether all of that is there.
    pub fn hold_facts(&self, key: &Key, facts: &EntryMetadata) -> sled::Result<bool> {
        Ok(self.uses.contains_key(number_place(facts.last_use, key))?
            && match facts.gone {
                Some(gone) => self.expiries.contains_key(number_place(gone, key))?,
                None => true,
            })
    }

    /// Lets what was run lead to its entry.
    pub fn insert_about(&self, key: &Key, about: &About) -> sled::Result<()> {
        self.commands.insert(joined(&command_place(&about.argv), key), b"".as_slice())?;
        for tag in &about.tags {
            self.tags.insert(joined(&tag_place(tag), key), b"".as_slice())?;
        }
        Ok(())
    }

    /// Takes that away, but for what `next` leads by too.
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

    /// Whether all of that is there.
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

/// What the places of a tag begin with, up to the key. No tag has a zero in it,
/// so no tag's places lie among another's.
pub fn tag_place(tag: &str) -> Vec<u8> {
    [tag.as_bytes(), &[0]].concat()
}

/// The tag that a place is of.
pub fn tag_of(place: &[u8]) -> Option<(&str, Key)> {
    let (rest, key) = place.split_last_chunk()?;
    Some((std::str::from_utf8(rest.strip_suffix(&[0])?).ok()?, Key(*key)))
}

/// What the places of a command begin with, up to the key: the hash of its base
/// name, and that of all its arguments as an entry keeps them.
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

/// What the places of all commands of this base name begin with.
pub fn name_place(name: &[u8]) -> [u8; 8] {
    short_hash(name)
}

fn short_hash(bytes: &[u8]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&hashing::of(bytes).as_bytes()[..8]);
    short
}
