//! Queries to the old store: which entries, in which order, and how many.
//!
//! This module defines the queries. [`select`] answers them, without walking everything where
//! possible.

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

/// A query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The condition that entries must meet.
    pub filter: Filter,
    /// The order of the entries.
    pub order: Order,
    /// True to reverse the order.
    pub reverse: bool,
    /// The maximum number of entries, counted from the first.
    pub limit: Option<usize>,
}

/// The conditions that an entry must meet, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The hexadecimal digits that its key begins with.
    pub key_prefix: Option<String>,
    /// A tag that it has.
    pub tag: Option<String>,
    /// The scope that it belongs to.
    pub scope: Option<String>,
    /// The folder that it ran in.
    pub cwd: Option<ByteBuf>,
    /// A pattern that its arguments, joined by spaces, match from start to end.
    pub command_glob: Option<String>,
    /// Its arguments, as a [`command_place`].
    pub argv: Option<[u8; 16]>,
    /// The base name of its command.
    pub name: Option<ByteBuf>,
    /// True if it must have exited with a status other than zero.
    pub failed: bool,
    /// A time by which it has expired.
    pub expired_at: Option<Timestamp>,
    /// A time at which it is of no more use, see [`Entry::gone`].
    pub gone_at: Option<Timestamp>,
    /// A time since which it was not used.
    pub used_before: Option<Timestamp>,
    /// A time before which it was recorded.
    pub created_before: Option<Timestamp>,
}

/// The criterion by which entries are ordered. Ties are ordered by key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// The key.
    #[default]
    Key,
    /// The last use, the latest first.
    Used,
    /// The time of recording, the latest first.
    Created,
    /// The time of expiry, the soonest first, and last the entries that never expire.
    Expires,
    /// The size in bytes, the largest first.
    Size,
    /// The run time of the command, the longest first.
    RunTime,
    /// The number of hits, the most first.
    Hits,
    /// The exit status.
    Status,
    /// The arguments.
    Command,
}

/// The rank of an entry in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// A rank among numbers.
    Number(u64),
    /// A rank among byte strings.
    Bytes(Vec<u8>),
}

impl Query {
    /// Returns whether the highest rank comes first, and for equal ranks the highest key.
    pub fn descends(&self) -> bool {
        use Order::{Created, Hits, RunTime, Size, Used};
        matches!(self.order, Used | Created | Size | RunTime | Hits) != self.reverse
    }
}

impl Order {
    /// Returns the rank of an entry.
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

/// A filter that was parsed.
pub struct Matcher<'f> {
    filter: &'f Filter,
    keys: Option<(Key, Key)>,
    glob: Option<Pattern>,
}

impl Filter {
    /// Parses the filter. Fails if it is invalid.
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
    /// Returns the first and the last key that the filter lets through, if it limits keys.
    pub fn keys(&self) -> Option<(Key, Key)> {
        self.keys
    }

    /// Returns whether an entry meets the filter.
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

    /// Returns whether a command line meets the filter.
    pub fn matches_line(&self, about: &About) -> bool {
        let matches = |glob: &Pattern| glob.matches(&String::from_utf8_lossy(&command_line(about)));
        self.glob.as_ref().is_none_or(matches)
    }
}

/// Returns the arguments, joined by spaces.
fn command_line(about: &About) -> Vec<u8> {
    let args: Vec<&[u8]> = about.argv.iter().map(|arg| &arg[..]).collect();
    args.join(&b' ')
}

/// Returns the first and the last key that begin with these digits.
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
