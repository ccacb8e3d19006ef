//! The key of a value: the parts that its caller gives, and its type.
//!
//! Within a process that is the encoding of the parts, and the identity of each type that
//! counts. Beyond it a type is its name and its fingerprint, and one hash stands for all of
//! it, which is made when it is first asked for: a value that is found in memory needs
//! neither. Types that no name tells from others, closures above all, have no such hash.

use super::Value;
use super::encoding::{self, Encoding, TypeIdentity, Unwritable};
use super::types;
use cachex_base::process::forked::PerProcess;
use cachex_base::record::key::Key;
use cachex_base::system::hashing;
use serde::Serialize;
use smallvec::SmallVec;
use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Keeps values apart from commands, and changes whenever the same call is to have
/// another key than before.
const DOMAIN: [u8; 8] = *b"value\0\0\x03";

/// The parts of a key, encoded. They lie where the key will be, because it is long, and a hit in
/// memory is so short that each copy of it would count.
pub struct Parts(ValueKey);

impl Parts {
    /// Makes room for them.
    #[inline]
    pub fn none() -> Parts {
        Parts(ValueKey {
            encoding: Encoding::new(),
            types: SmallVec::new(),
            here: (TypeId::of::<()>(), 0),
            shape: types::Shape::default,
            digest: OnceLock::new(),
        })
    }

    /// Encodes them.
    pub fn of<P: Serialize + ?Sized>(given: &P) -> Result<Parts, Unwritable> {
        let mut parts = Parts::none();
        parts.add(given)?;
        Ok(parts)
    }

    /// Appends something.
    #[inline]
    pub fn add<P: Serialize + ?Sized>(&mut self, given: &P) -> Result<(), Unwritable> {
        encoding::encode::<encoding::Key, P>(given, &mut self.0.encoding)
    }

    /// Begins the key of a call, by what stands for the function. No other key begins so.
    #[inline]
    pub fn add_function(&mut self, id: [u8; 16]) {
        self.0.encoding.push(0);
        self.0.encoding.append(id);
    }

    /// Adds a type. Its name, which is long, takes no part before another process is to
    /// know the key.
    #[inline]
    pub fn add_type(&mut self, identity: TypeIdentity) {
        let (_, all) = &mut self.0.here;
        *all = mixed(*all, number(identity.id));
        self.0.types.push(identity);
    }

    /// Returns the common prefix of the encodings of keys that begin with these parts; of
    /// anything but a tuple, the encoding of this key alone.
    pub fn into_prefix(self) -> Encoding {
        let mut encoding = self.0.encoding;
        encoding::open_end(&mut encoding);
        encoding
    }

    /// The key of a value of this type.
    #[inline]
    pub fn key<T: Value>(&mut self) -> &ValueKey {
        self.key_of(TypeId::of::<T>(), || types::of::<T>().shape)
    }

    /// Returns the key of an object of this type that is kept as it is. No value has this key.
    #[inline]
    pub fn reference_key<R: 'static>(&mut self) -> &ValueKey {
        self.key_of(TypeId::of::<fn(R)>(), types::Shape::default)
    }

    #[inline]
    fn key_of(&mut self, kind: TypeId, shape: fn() -> types::Shape) -> &ValueKey {
        let Parts(key) = self;
        (key.here.0, key.shape, key.digest) = (kind, shape, OnceLock::new());
        key
    }
}

/// A number for a type, which hardly any other has in this process.
fn number(id: TypeId) -> u64 {
    /// Takes what a `TypeId` hashes, which is a hash already.
    #[derive(Default)]
    struct Taken(u64);

    impl Hasher for Taken {
        fn write(&mut self, bytes: &[u8]) {
            for &byte in bytes {
                self.0 = mixed(self.0, byte.into());
            }
        }

        fn write_u64(&mut self, number: u64) {
            self.0 = mixed(self.0, number);
        }

        fn finish(&self) -> u64 {
            self.0
        }
    }

    BuildHasherDefault::<Taken>::default().hash_one(id)
}

fn mixed(all: u64, one: u64) -> u64 {
    (all.rotate_left(5) ^ one).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The key of a value in a [`Storage`](super::Storage): the parts given by its caller, and
/// its type.
#[derive(Clone)]
pub struct ValueKey {
    encoding: Encoding,
    types: SmallVec<[TypeIdentity; 2]>,
    /// The type of the value, and a number for all others.
    here: (TypeId, u64),
    shape: fn() -> types::Shape,
    digest: OnceLock<Key>,
}

impl ValueKey {
    /// Returns a hash (BLAKE3-256) of the key, which is the same in every process that
    /// gives a value of the same type the same key. No two keys share one, except those
    /// that differ in closures alone: these are used with stores in memory only.
    pub fn digest(&self) -> Key {
        *self.digest.get_or_init(|| {
            let mut hashed = [&DOMAIN[..], &(self.shape)()].concat();
            hashed.extend_from_slice(&(self.types.len() as u64).to_le_bytes());
            for identity in &self.types {
                let name = identity.name();
                hashed.extend_from_slice(&(name.len() as u64).to_le_bytes());
                hashed.extend_from_slice(name.as_bytes());
            }
            hashed.extend_from_slice(&self.encoding);
            Key(*hashing::of(&hashed).as_bytes())
        })
    }

    /// Returns whether the key begins with the parts of a [`Selection`](super::Selection).
    pub fn begins_with(&self, prefix: &[u8]) -> bool {
        self.encoding.starts_with(prefix)
    }

    /// Returns whether other processes know the same key by its hash.
    pub(super) fn is_known_elsewhere(&self) -> bool {
        self.types.iter().all(is_named)
    }

    /// Returns the identity of the key within this process.
    pub(super) fn here(&self) -> Here<'_> {
        Here { types: self.here, parts: &self.encoding }
    }
}

/// A key within one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Here<'k> {
    /// The type of the value, and those that a function is many by.
    pub types: (TypeId, u64),
    /// The encoding of the parts.
    pub parts: &'k [u8],
}

/// Returns whether a type can be identified by its name.
fn is_named(identity: &TypeIdentity) -> bool {
    /// The types seen so far.
    static MET: PerProcess<Mutex<HashMap<&'static str, TypeId>>> = PerProcess::new();
    let name = identity.name();
    // An item that is declared within a closure has a name; the closure itself has none.
    let mut closures = name.match_indices("{{closure}}");
    if closures.any(|(at, word)| !name[at + word.len()..].starts_with("::")) {
        return false;
    }
    // Two types that are declared in two blocks of one function have the same name.
    let mut met = MET.get().lock().unwrap_or_else(PoisonError::into_inner);
    *met.entry(name).or_insert(identity.id) == identity.id
}

impl fmt::Debug for ValueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueKey({})", self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<T: Value>(parts: impl Serialize) -> ValueKey {
        Parts::of(&parts).unwrap().key::<T>().clone()
    }

    #[test]
    fn parts_and_type_count() {
        let (a, b) = (key::<u8>(("a", 1)), key::<u8>((String::from("a"), &1)));
        assert_eq!((a.digest(), a.here()), (b.digest(), b.here()));
        for other in [key::<u8>(("a", 2)), key::<i8>(("a", 1))] {
            assert_ne!(a.digest(), other.digest());
            assert_ne!(a.here(), other.here());
        }
    }
}
