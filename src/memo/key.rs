//! What identifies a value: the parts that its caller gives, and its type.
//!
//! Within a process that is the encoding of the parts, and the type itself. Beyond it
//! the type is its fingerprint, and one hash stands for all of it, which is made when it
//! is first asked for: a value that is found in memory needs neither.

use super::Value;
use super::parts::{self, Encoding, Unwritable};
use super::shape::{self, Shape};
use crate::entry::Key;
use crate::hashing;
use serde::Serialize;
use std::any::TypeId;
use std::fmt;
use std::sync::OnceLock;

/// Keeps values apart from commands, and changes whenever the same call is to have
/// another key than before.
const DOMAIN: [u8; 8] = *b"value\0\0\x01";

/// The parts of a key, encoded; what they were made of is not needed any more.
pub struct Parts(Encoding);

impl Parts {
    /// Encodes them.
    pub fn of<P: Serialize + ?Sized>(given: &P) -> Result<Parts, Unwritable> {
        let mut encoding = Encoding::new();
        parts::encode(given, &mut encoding)?;
        Ok(Parts(encoding))
    }

    /// Those that were encoded like this.
    pub fn encoded(encoding: Encoding) -> Parts {
        Parts(encoding)
    }

    /// The key of a value of this type.
    #[inline]
    pub fn key<T: Value>(self) -> ValueKey {
        ValueKey {
            parts: self.0,
            kind: TypeId::of::<T>(),
            shape: shape::of::<T>,
            digest: OnceLock::new(),
        }
    }
}

/// What identifies a value in a [`Storage`](super::Storage): what its caller named, and
/// its type.
#[derive(Clone)]
pub struct ValueKey {
    parts: Encoding,
    kind: TypeId,
    shape: fn() -> Shape,
    digest: OnceLock<Key>,
}

impl ValueKey {
    /// A hash (BLAKE3-256) of all of it, which is the same in every process that gives a
    /// value of the same type the same key. No two keys share one.
    pub fn digest(&self) -> Key {
        *self.digest.get_or_init(|| {
            let hashed = [&DOMAIN[..], &(self.shape)(), &self.parts].concat();
            Key(*hashing::of(&hashed).as_bytes())
        })
    }

    /// What tells it from any other within this process.
    pub(super) fn here(&self) -> (TypeId, &[u8]) {
        (self.kind, &self.parts)
    }
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
        Parts::of(&parts).unwrap().key::<T>()
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
