//! The names of objects in a remote store, and the proof that an entry comes from someone who
//! shares the secret.
//!
//! ```text
//! v1/e/ab/abcdef…          an entry: a sealed letter with its origin and the sealed entry
//! v1/i/abcdef…             invalidation rules, see `invalid`: a sealed letter
//! v1/p/ab/abcdef…          the path sets of an automatic call: a sealed letter with the alias
//!                          of its key, and the sets, see `path_sets::shared`
//! v1/b/17/cd/cdef…         a blob: how it is packed (1) | its content
//! ```
//!
//! The name of an entry is its key, hashed with the secret and a description of the machine (or the
//! platform that `--platform` names, which the entry has as a tag), since another system or time
//! zone gives other results for the same call. The name of a blob is its hash, hashed with the
//! secret. Thus someone who reads names cannot test guesses of a command's inputs, from which its
//! key is made, or of its output. For the same reason the entry does not contain its key but its
//! name, which also binds it to that name. Without a secret all this is done with an empty one,
//! which everybody knows: the MACs then detect damage, but not forgery.
//!
//! Letters and signatures are described in `letter`.
//!
//! The number in the name of a blob is its class: the binary logarithm of the lifetime of the
//! entries that need it, in seconds, or `no` if it is unlimited. A server that drops objects after
//! a while keeps a blob as long as the longest-lived entry of its class, so no entry loses its
//! output before it expires itself.

use super::letter::{self, Subject, Trust};
use super::origin::Origin;
use cachex_base::process::ipc;
use cachex_base::record::entry::{BlobRef, Damaged, Entry, Key};
use cachex_base::system::platform;
use cachex_remote::Access;
use std::time::Duration;

/// The maximum length of the origin of an entry in bytes.
const MAX_ORIGIN: usize = 1024;
/// The maximum length of a stored entry.
pub const MAX_ENTRY: usize =
    letter::MOST_AROUND + 2 + MAX_ORIGIN + cachex_base::record::entry::MAX_SEALED;

/// The maximum length of stored path sets.
pub const MAX_PATH_SETS: usize = letter::MOST_AROUND + 32 + crate::path_sets::shared::LONGEST;

/// The names of objects for those who share a secret, on each platform.
pub struct Book<'a> {
    access: &'a Access,
    here: [u8; 32],
    trust: Trust,
    origin: Origin,
}

impl<'a> Book<'a> {
    /// Creates the book of these credentials on this machine.
    pub fn of(access: &'a Access) -> Book<'a> {
        let here = platform::digest(&platform::of_the_machine());
        Book { access, here, trust: Trust::of(access), origin: Origin::here() }
    }

    /// Returns the signing key and the accepted signers.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Seals an entry for storage under these names. A fetched entry keeps its origin.
    pub fn seal(&self, names: &Names, entry: &Entry) -> Result<Vec<u8>, Damaged> {
        let origin = Origin::of_parts(&entry.parts);
        names.seal(entry, origin.as_ref().unwrap_or(&self.origin), &self.trust)
    }

    /// Returns the names under which objects are sent.
    pub fn names(&self, platform: Option<&str>) -> Names {
        Names::of(self.access.secret.as_deref(), &self.machine(platform))
    }

    /// Returns the current names, and those with the previous secret.
    pub fn all(&self, platform: Option<&str>) -> Vec<Names> {
        let old = self.access.old_secret.as_deref();
        let old = old.map(|old| Names::of(Some(old), &self.machine(platform)));
        std::iter::once(self.names(platform)).chain(old).collect()
    }

    fn machine(&self, name: Option<&str>) -> [u8; 32] {
        name.map_or(self.here, |name| platform::digest(&[platform::named(name)]))
    }
}

/// The keys derived from a secret, one for each use.
pub struct Names {
    entries: [u8; 32],
    blobs: [u8; 32],
    sums: [u8; 32],
}

impl Names {
    /// Derives the names for a secret, or none, on machines of this kind.
    pub fn of(secret: Option<&[u8]>, machine: &[u8; 32]) -> Names {
        let secret = secret.unwrap_or_default();
        let of_entries = [&machine[..], secret].concat();
        Names {
            entries: blake3::derive_key("cachex 2026-11-29b remote names of entries", &of_entries),
            blobs: blake3::derive_key("cachex 2026-11-23 remote names of blobs", secret),
            sums: blake3::derive_key("cachex 2026-11-29 remote sums", secret),
        }
    }

    /// Returns the name of a key's entry.
    pub fn entry(&self, key: &Key) -> String {
        let hex = self.alias(key).to_string();
        format!("v1/e/{}/{hex}", &hex[..2])
    }

    /// Returns the name of a blob that entries of this class need.
    pub fn blob(&self, blob: &BlobRef, class: Class) -> String {
        let hex = blake3::keyed_hash(&self.blobs, &blob.hash).to_hex();
        format!("v1/b/{class}/{}/{hex}", &hex[..2])
    }

    /// Returns the name of a key's path sets.
    pub fn path_sets(&self, key: &Key) -> String {
        let hex = self.alias(key).to_string();
        format!("v1/p/{}/{hex}", &hex[..2])
    }

    /// Seals path sets for storage.
    pub fn seal_path_sets(
        &self,
        key: &Key,
        packed: &[u8],
        trust: &Trust,
    ) -> Result<Vec<u8>, Damaged> {
        let content = [&self.alias(key).0[..], packed].concat();
        letter::seal(&self.sums, Subject::PathSets, &content, trust)
    }

    /// Opens the path sets of a key. Returns them packed.
    pub fn open_path_sets<'s>(
        &self,
        key: &Key,
        stored: &'s [u8],
        trust: &Trust,
    ) -> Result<&'s [u8], Damaged> {
        let (content, _) = letter::open(&self.sums, Subject::PathSets, stored, trust)?;
        content.strip_prefix(&self.alias(key).0).ok_or(Damaged)
    }

    /// Returns the alias of a key in a remote store.
    fn alias(&self, key: &Key) -> Key {
        Key(*blake3::keyed_hash(&self.entries, &key.0).as_bytes())
    }

    /// Returns the name of the invalidation rules, which is the same on every platform.
    pub fn invalidated(&self) -> String {
        format!("v1/i/{}", blake3::keyed_hash(&self.sums, b"invalidated").to_hex())
    }

    /// Returns the name of the claim on running a key's command.
    pub fn claim(&self, key: &Key) -> String {
        format!("v1/l/{}", self.alias(key))
    }

    /// Returns the key of the MACs.
    pub fn sums(&self) -> &[u8; 32] {
        &self.sums
    }

    /// Seals an entry for storage, without its key components, which are of use to this store only.
    fn seal(&self, entry: &Entry, origin: &Origin, trust: &Trust) -> Result<Vec<u8>, Damaged> {
        let entry = Entry { key: self.alias(&entry.key), parts: Vec::new(), ..entry.clone() };
        let origin = ipc::encode(origin).map_err(|_| Damaged)?;
        let len = u16::try_from(origin.len()).map_err(|_| Damaged)?;
        let content = [&len.to_le_bytes()[..], &origin, &entry.seal()?].concat();
        letter::seal(&self.sums, Subject::Entry, &content, trust)
    }

    /// Opens the entry of a key, with its origin as its parts.
    pub fn open(&self, key: &Key, stored: &[u8], trust: &Trust) -> Result<Entry, Damaged> {
        let entry = self.open_any(stored, trust)?;
        if entry.key == self.alias(key) { Ok(Entry { key: *key, ..entry }) } else { Err(Damaged) }
    }

    /// Opens any entry; its key is the alias.
    pub fn open_any(&self, stored: &[u8], trust: &Trust) -> Result<Entry, Damaged> {
        let (content, key) = letter::open(&self.sums, Subject::Entry, stored, trust)?;
        let (len, rest) = content.split_first_chunk().ok_or(Damaged)?;
        let len = usize::from(u16::from_le_bytes(*len));
        let (origin, sealed) = rest.split_at_checked(len).ok_or(Damaged)?;
        let origin: Origin = ipc::decode(origin).map_err(|_| Damaged)?;
        let parts = origin.within_limits().signed_by(key).to_parts();
        Ok(Entry { parts, ..Entry::open_any(sealed)? })
    }
}

/// The lifetime class of the entries that need a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(Option<u8>);

impl Class {
    /// Returns the class of an entry.
    pub fn of(entry: &Entry) -> Class {
        let nanos = |of_use: u64| of_use.saturating_add(entry.stale_for.unwrap_or(0));
        let seconds = entry.expires_in.map(|of_use| nanos(of_use).div_ceil(1_000_000_000));
        // The next power of two: its logarithm fits in a byte.
        Class(seconds.map(|seconds| seconds.max(1).next_power_of_two().trailing_zeros() as u8))
    }

    /// Returns how long a blob of this class is kept; `None` if forever.
    pub fn kept(self) -> Option<Duration> {
        self.0.map(|log| Duration::from_secs(1 << log))
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(log) => write!(f, "{log:02}"),
            None => f.write_str("no"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry as recorded;

    fn entry(n: u64) -> Entry {
        recorded(n, 1)
    }

    fn sealed(names: &Names, entry: &Entry) -> Vec<u8> {
        names.seal(entry, &Origin::default(), &Trust::default()).unwrap()
    }

    fn open(names: &Names, key: &Key, stored: &[u8]) -> Result<Entry, Damaged> {
        names.open(key, stored, &Trust::default())
    }

    #[test]
    fn an_entry_comes_back_under_its_key_and_no_other() {
        let (names, entry) =
            (Names::of(Some(b"secret"), &[0; 32]), Entry { parts: vec![1], ..entry(1) });
        let origin = Origin { host: Some("one".to_owned()), ..Origin::default() };
        let stored = names.seal(&entry, &origin, &Trust::default()).unwrap();
        assert!(stored.len() <= MAX_ENTRY);
        let back = open(&names, &entry.key, &stored).unwrap();
        assert_eq!(Origin::of_parts(&back.parts), Some(origin));
        assert_eq!(Entry { parts: vec![1], ..back }, entry);
        assert_eq!(open(&names, &Key([9; 32]), &stored), Err(Damaged));
        let at = |text: &[u8]| stored.windows(text.len()).any(|window| window == text);
        assert!(!at(&entry.key.0), "the key is in what is stored");
    }

    #[test]
    fn another_secret_or_none_neither_finds_nor_opens_it() {
        let (ours, entry) = (Names::of(Some(b"ours"), &[0; 32]), entry(1));
        let stored = sealed(&ours, &entry);
        let blob = BlobRef { hash: [1; 32], len: 1 };
        for other in [Names::of(Some(b"theirs"), &[0; 32]), Names::of(None, &[0; 32])] {
            assert_ne!(other.entry(&entry.key), ours.entry(&entry.key));
            assert_ne!(other.blob(&blob, Class(None)), ours.blob(&blob, Class(None)));
            assert_ne!(other.invalidated(), ours.invalidated());
            assert_eq!(open(&other, &entry.key, &stored), Err(Damaged));
        }
    }

    #[test]
    fn no_flipped_bit_and_no_missing_end_passes() {
        let (names, entry) = (Names::of(None, &[0; 32]), entry(1));
        let stored = sealed(&names, &entry);
        for at in 0..stored.len() {
            let mut flipped = stored.clone();
            flipped[at] ^= 1 << (at % 8);
            assert_eq!(open(&names, &entry.key, &flipped), Err(Damaged));
            assert_eq!(open(&names, &entry.key, &stored[..at]), Err(Damaged));
        }
    }

    #[test]
    fn another_machine_calls_the_same_entry_otherwise() {
        let (entry, blob) = (entry(1), BlobRef { hash: [1; 32], len: 1 });
        let [ours, theirs] = [[0; 32], [1; 32]].map(|machine| Names::of(Some(b"secret"), &machine));
        assert_ne!(ours.entry(&entry.key), theirs.entry(&entry.key));
        assert_eq!(ours.blob(&blob, Class(None)), theirs.blob(&blob, Class(None)));
        assert_eq!(ours.invalidated(), theirs.invalidated());
        assert_eq!(open(&theirs, &entry.key, &sealed(&ours, &entry)), Err(Damaged));
    }

    #[test]
    fn a_blob_is_kept_as_long_as_any_entry_of_its_class() {
        for (seconds, kept) in [(1, 1), (2, 2), (3, 4), (60, 64), (86_400, 131_072)] {
            let nanos = seconds * 1_000_000_000;
            let class = Class::of(&Entry { expires_in: Some(nanos), ..entry(1) });
            assert_eq!(class.kept(), Some(Duration::from_secs(kept)));
            let more = Entry { expires_in: Some(nanos - 1), stale_for: Some(1), ..entry(1) };
            assert_eq!(Class::of(&more), class);
        }
        assert_eq!(Class::of(&Entry { expires_in: None, ..entry(1) }).kept(), None);
        let longest = Class::of(&Entry { expires_in: Some(u64::MAX), ..entry(1) });
        assert!(longest.kept().is_some());
    }
}
