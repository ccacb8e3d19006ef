//! What identifies a value: the parts that its caller gives, and its type.

use super::parts::{self, Unwritable};
use super::shape;
use crate::entry::Key;
use crate::hashing;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Keeps values apart from commands, and changes whenever the same call is to have
/// another key than before.
const DOMAIN: [u8; 8] = *b"value\0\0\x01";
const PREFIX: usize = DOMAIN.len() + 16;
/// Hardly a key's encoding is longer.
const USUAL: usize = 256;

/// The parts of a key, encoded; what they were made of is not needed any more.
pub struct Parts(Vec<u8>);

impl Parts {
    /// Encodes them.
    pub fn of<P: Serialize + ?Sized>(parts: &P) -> Result<Parts, Unwritable> {
        let mut encoded = Vec::with_capacity(USUAL);
        encoded.extend(DOMAIN);
        encoded.resize(PREFIX, 0);
        parts::encode(parts, &mut encoded)?;
        Ok(Parts(encoded))
    }

    /// The key of a value of this type.
    pub fn key<T: DeserializeOwned + 'static>(mut self) -> Key {
        self.0[DOMAIN.len()..PREFIX].copy_from_slice(&shape::of::<T>());
        Key(*hashing::of(&self.0).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<T: DeserializeOwned + 'static>(parts: impl Serialize) -> Key {
        Parts::of(&parts).unwrap().key::<T>()
    }

    #[test]
    fn parts_and_type_count() {
        assert_eq!(key::<u8>(("a", 1)), key::<u8>((String::from("a"), &1)));
        assert_ne!(key::<u8>(("a", 1)), key::<u8>(("a", 2)));
        assert_ne!(key::<u8>(("a", 1)), key::<i8>(("a", 1)));
    }
}
