//! The metadata that the old store keeps besides entries, and its encoding.

use cachex_base::record::entry::{Entry, Key};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The metadata of an entry, besides what was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryMetadata {
    /// The time when it was recorded or last served.
    pub last_use: u64,
    /// The number of times that it was served.
    pub hits: u64,
    /// The size of the sealed entry and its blobs, in bytes.
    pub size: u64,
    /// The time when it is gone, see [`Entry::gone`].
    pub gone: Option<u64>,
}

impl EntryMetadata {
    /// Returns the metadata of an entry that was never used.
    pub fn of(entry: &Entry, sealed: &[u8]) -> EntryMetadata {
        EntryMetadata {
            last_use: entry.created.0,
            hits: 0,
            size: entry.blob_bytes().saturating_add(sealed.len() as u64),
            gone: entry.gone().map(|gone| gone.0),
        }
    }
}

/// The totals of the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The number of entries.
    pub entries: u64,
    /// The size of the entries in bytes, with each blob counted once.
    pub bytes: u64,
    /// The number of calls that were served.
    pub hits: u64,
    /// The number of calls whose command failed, and that were served an expired entry.
    pub stale: u64,
    /// The number of calls that were recorded.
    pub recorded: u64,
    /// The number of calls that ran and were not recorded.
    pub unrecorded: u64,
    /// The run time that hits saved, in nanoseconds.
    pub saved: u64,
    /// The number of folds.
    pub folds: u64,
    /// The entry that was recorded last, which is never evicted.
    pub(super) latest: (u64, [u8; 32]),
}

/// Uses of an entry that its metadata does not include yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The time of the last use, in nanoseconds since the epoch.
    pub last: u64,
    /// The number of uses.
    pub hits: u64,
}

/// The outcome for an entry that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedIn {
    /// The metadata of the entry now.
    pub facts: EntryMetadata,
    /// True if this version was not there yet.
    pub new: bool,
    /// The blobs of the earlier version that no entry here references any more.
    pub orphans: Vec<[u8; 32]>,
}

/// The remains of a removed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The key of the entry.
    pub key: Key,
    /// The version of the entry, see [`super::young::version`].
    pub version: [u8; 32],
    /// The blobs that no entry of the old store references any more.
    pub orphans: Vec<[u8; 32]>,
}

/// Returns the key of an index row: the value to sort by, then the entry's key.
pub(super) fn joined(first: &[u8], key: &Key) -> Vec<u8> {
    [first, &key.0[..]].concat()
}

/// Splits the key of an index row into the number and the entry's key.
pub fn split(place: &[u8]) -> Option<(u64, Key)> {
    let (number, key) = place.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), key_of(key)?))
}

/// Returns the key that consists of these bytes.
pub(super) fn key_of(bytes: &[u8]) -> Option<Key> {
    Some(Key(bytes.try_into().ok()?))
}

/// Encodes a value of a type in this module.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Nothing in these types can fail to be encoded; an empty value decodes to none.
    bincode::serde::encode_to_vec(value, codec()).unwrap_or_default()
}

/// Decodes a value. Returns `None` if the bytes are damaged.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, used) = bincode::serde::decode_from_slice(bytes, codec()).ok()?;
    (used == bytes.len()).then_some(value)
}

fn codec() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<256>()
}
