//! Questions to the old store: which entries, in which order, how many of them.
//!
//! Here is what is asked; how it is answered without walking everything, where
//! that can be, is in [`select`].

mod select;

pub use select::select;

use super::indexes::command_place;
use super::metadata::EntryMetadata;
use anyhow::{Context, Result, ensure};
use cachex_base::record::entry::{About, Entry, Key};
use cachex_base::system::clock::Timestamp;
use glob::Pattern;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Which entries.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// Whether that is turned round.
    pub reverse: bool,
    /// At most so many, the first ones.
    pub limit: Option<usize>,
}

/// What an entry must meet, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Its key begins with these hexadecimal digits.
    pub key_prefix: Option<String>,
    /// It has this tag.
    pub tag: Option<String>,
    /// It belongs to this scope.
    pub scope: Option<String>,
    /// It ran in this folder.
    pub cwd: Option<ByteBuf>,
    /// Its arguments, joined by spaces, match this pattern from start to end.
    pub command_glob: Option<String>,
    /// It has these arguments: a [`command_place`].
    pub argv: Option<[u8; 16]>,
    /// Its command has this base name.
    pub name: Option<ByteBuf>,
    /// It exited with another status than zero.
    pub failed: bool,
    /// It has expired by this time.
    pub expired_at: Option<Timestamp>,
    /// It is of no use any more at this time, see [`Entry::gone`].
    pub gone_at: Option<Timestamp>,
    /// It was not used since this time.
    pub used_before: Option<Timestamp>,
    /// It was recorded before this time.
    pub created_before: Option<Timestamp>,
}

/// By what entries are ordered. What is equal there is ordered by key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// The key.
    #[default]
    Key,
    /// The last use, the latest first.
    Used,
    /// When it was recorded, the latest first.
    Created,
    /// When it expires, the soonest first, and last what never does.
    Expires,
    /// The bytes it takes, the most first.
    Size,
    /// How long the command ran, the longest first.
    RunTime,
    /// How often it was served, the most often first.
    Hits,
    /// The exit status.
    Status,
    /// The arguments.
    Command,
}

/// The place of an entry in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Among numbers.
    Number(u64),
    /// Among bytes.
    Bytes(Vec<u8>),
}

impl Query {
    /// Whether what ranks highest comes first, and of the same rank the highest key.
    pub fn descends(&self) -> bool {
        use Order::{Created, Hits, RunTime, Size, Used};
        matches!(self.order, Used | Created | Size | RunTime | Hits) != self.reverse
    }
}

impl Order {
    /// The place of an entry.
    pub fn rank(self, entry: &Entry, facts: &EntryMetadata) -> Rank {
        Rank::Number(match self {
            Order::Key => 0,
            Order::Used => facts.last_use,
            Order::Created => entry.created.0,
            Order::Expires => entry.expires().map_or(u64::MAX, |expires| expires.0),
            Order::Size => facts.size,
            Order::RunTime => entry.run_time,
            Order::Hits => facts.hits,
            Order::Status => u64::from(entry.status),
            Order::Command => return Rank::Bytes(command_line(&entry.about)),
        })
    }
}

/// A filter that was understood.
pub struct Matcher<'f> {
    filter: &'f Filter,
    keys: Option<(Key, Key)>,
    glob: Option<Pattern>,
}

impl Filter {
    /// Fails if it cannot be understood.
    pub fn matcher(&self) -> Result<Matcher<'_>> {
        let glob = self.command_glob.as_deref().map(Pattern::new).transpose();
        Ok(Matcher {
            filter: self,
            keys: self.key_prefix.as_deref().map(key_range).transpose()?,
            glob: glob.context("reading the pattern of a command")?,
        })
    }
}

impl Matcher<'_> {
    /// The keys it lets through, the first and the last.
    pub fn keys(&self) -> Option<(Key, Key)> {
        self.keys
    }

    /// Whether an entry meets the filter.
    pub fn matches(&self, entry: &Entry, facts: &EntryMetadata) -> bool {
        let Filter { tag, scope, cwd, argv, name, failed, .. } = self.filter;
        let Filter { expired_at, gone_at, used_before, created_before, .. } = self.filter;
        let about = &entry.about;
        self.keys.is_none_or(|(first, last)| (first..=last).contains(&entry.key))
            && tag.as_ref().is_none_or(|tag| about.tags.contains(tag))
            && scope.as_ref().is_none_or(|scope| about.scope.as_ref() == Some(scope))
            && cwd.as_ref().is_none_or(|cwd| {
                let kept = &cwd[..cwd.len().min(About::LIMIT)];
                about.cwd.as_ref().is_some_and(|cwd| &cwd[..] == kept)
            })
            && argv.is_none_or(|place| command_place(&about.argv) == place)
            && name.as_ref().is_none_or(|name| about.name() == &name[..])
            && (!failed || entry.status != 0)
            && expired_at.is_none_or(|now| entry.expires().is_some_and(|expires| expires <= now))
            && gone_at.is_none_or(|now| entry.gone().is_some_and(|gone| gone <= now))
            && used_before.is_none_or(|time| facts.last_use < time.0)
            && created_before.is_none_or(|time| entry.created < time)
            && self.matches_line(about)
    }

    /// Whether a command line meets the filter.
    pub fn matches_line(&self, about: &About) -> bool {
        let matches = |glob: &Pattern| glob.matches(&String::from_utf8_lossy(&command_line(about)));
        self.glob.as_ref().is_none_or(matches)
    }
}

/// The arguments, joined by spaces.
fn command_line(about: &About) -> Vec<u8> {
    let args: Vec<&[u8]> = about.argv.iter().map(|arg| &arg[..]).collect();
    args.join(&b' ')
}

/// The first and the last key that begin with these digits.
fn key_range(prefix: &str) -> Result<(Key, Key)> {
    ensure!(prefix.len() <= 64, "a key has 64 hexadecimal digits");
    let with = |digit: &str| {
        let hex = format!("{prefix}{}", digit.repeat(64 - prefix.len()));
        Key::from_hex(hex.as_bytes()).context("a key is of hexadecimal digits")
    };
    Ok((with("0")?, with("f")?))
}

#[cfg(test)]
mod tests;
