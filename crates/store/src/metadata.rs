//! What the old store knows besides the entries, and how its trees spell it.

use cachex_base::record::entry::{Entry, Key};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What is known of an entry besides what was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryMetadata {
    /// When it was recorded or last served.
    pub last_use: u64,
    /// How often it was served.
    pub hits: u64,
    /// Its bytes: the sealed entry and its blobs.
    pub size: u64,
    /// When it is gone, see [`Entry::gone`].
    pub gone: Option<u64>,
}

impl EntryMetadata {
    /// Those of an entry that was never used.
    pub fn of(entry: &Entry, sealed: &[u8]) -> EntryMetadata {
        EntryMetadata {
            last_use: entry.created.0,
            hits: 0,
            size: entry.blob_bytes().saturating_add(sealed.len() as u64),
            gone: entry.gone().map(|gone| gone.0),
        }
    }
}

/// Sums over the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many entries there are.
    pub entries: u64,
    /// Their bytes, each blob counted once.
    pub bytes: u64,
    /// Calls that were served.
    pub hits: u64,
    /// Calls whose command failed, and that were served what had expired.
    pub stale: u64,
    /// Calls that were recorded.
    pub recorded: u64,
    /// Calls that ran and were not recorded.
    pub unrecorded: u64,
    /// The run time that hits saved, in nanoseconds.
    pub saved: u64,
    /// How often was folded.
    pub folds: u64,
    /// The entry that was recorded last, which is never evicted.
    pub(super) latest: (u64, [u8; 32]),
}

/// Uses of one entry that its facts do not show yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The last one, in nanoseconds since the epoch.
    pub last: u64,
    /// How many.
    pub hits: u64,
}

/// What came of an entry that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedIn {
    /// What is now known of it.
    pub facts: EntryMetadata,
    /// Whether it is a version that was not there yet.
    pub new: bool,
    /// The blobs of the earlier version that no entry here needs any more.
    pub orphans: Vec<[u8; 32]>,
}

/// What a removed entry leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its key.
    pub key: Key,
    /// Which version it was, see [`super::young::version`].
    pub version: [u8; 32],
    /// The blobs no entry of the old store needs any more.
    pub orphans: Vec<[u8; 32]>,
}

/// The key of an index: what it is sorted by, then the entry's key.
pub(super) fn joined(first: &[u8], key: &Key) -> Vec<u8> {
    [first, &key.0[..]].concat()
}

/// The number and the key that an index's key joins.
pub fn split(place: &[u8]) -> Option<(u64, Key)> {
    let (number, key) = place.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), key_of(key)?))
}

/// The key that these bytes are.
pub(super) fn key_of(bytes: &[u8]) -> Option<Key> {
    Some(Key(bytes.try_into().ok()?))
}

/// The encoding of what this module defines.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Nothing in these types can fail to be encoded; an empty value decodes to none.
    bincode::serde::encode_to_vec(value, codec()).unwrap_or_default()
}

/// Decodes it. None: the bytes are damaged.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, used) = bincode::serde::decode_from_slice(bytes, codec()).ok()?;
    (used == bytes.len()).then_some(value)
}

fn codec() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<256>()
}
