//! Values as they are stored.
//!
//! A stored value ends with a byte that says how the rest is to be read:
//!
//! - *plain*: bincode, which is small and fast, and holds neither names nor kinds. It is
//!   read by asking the type what comes next, so it is right for types that read exactly
//!   what they write.
//! - *described*: an encoding that describes itself ([`super::encoding`]), for types that
//!   do not: those that skip fields, that are untagged, internally tagged or flattened, or
//!   that ask what there is, as `serde_json::Value` does. It is followed by a hash of
//!   what the value shows when it is serialized, and served only to whom it still shows
//!   the same: a field that was added to such a type since, and that has a default, would
//!   be served with a value that nobody computed.
//! - *raw*: the bytes of a `Vec<u8>`, which `serde` would hand over one by one.
//!
//! Which of them a type needs is found out by what its `Deserialize` asks for
//! ([`super::types`]), and by trial: a value whose structure no value of its type had
//! before is read back once, and has to serialize to the same again. Types that fail that
//! are described from then on, and types that fail both are not recorded, and told of.

mod checked;

use super::encoding::{self, Comparison, Encoding};
use super::types::{self, TypeFacts};
use super::{Error, Value};
use cachex_base::system::hashing;
pub use checked::Known;
use checked::{Checked, Structure};
use serde::Serialize;
use std::any::{Any, TypeId};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The longest value, in bytes, and the most that is allocated for one that is misread.
const LONGEST: usize = 1 << 30;

const PLAIN: u8 = 1;
const DESCRIBED: u8 = 2;
const RAW: u8 = 3;

/// The hash of what a value shows when it is serialized.
type Digest = [u8; 16];

/// The stored form of a value.
pub fn encode<T: Value>(value: &T) -> Result<Vec<u8>, Error> {
    if let Some(bytes) = (value as &dyn Any).downcast_ref::<Vec<u8>>() {
        let mut raw = Vec::with_capacity(bytes.len() + 1);
        raw.extend_from_slice(bytes);
        raw.push(RAW);
        return Ok(raw);
    }
    let facts = types::of::<T>();
    if !facts.is_described() {
        match plain(value, facts) {
            Ok(Some(encoded)) => return Ok(encoded),
            Ok(None) => facts.describe(),
            Err(why) => return Err(unserializable::<T>(&why)),
        }
    }
    described(value, facts)
}

/// The plain form; none if it would not be read back as it was.
fn plain<T: Value>(value: &T, facts: &TypeFacts) -> Result<Option<Vec<u8>>, String> {
    let structure = Structure::new(facts.known(), true);
    match bincode::serde::encode_to_vec(Checked::new(value, &structure), codec()) {
        Ok(mut encoded) => {
            if let Some(new) = structure.into_new() {
                if !is_read_back(value, || decode_plain::<T>(&encoded)) {
                    return Ok(None);
                }
                facts.learn(new);
            }
            encoded.push(PLAIN);
            encoded.shrink_to_fit();
            Ok(Some(encoded))
        }
        // Whatever the reason is, the other form may do, or say it itself.
        Err(_) if structure.has_no_plain_form() => Ok(None),
        Err(bincode::error::EncodeError::OtherString(why)) => Err(why),
        Err(_) => Ok(None),
    }
}

fn described<T: Value>(value: &T, facts: &TypeFacts) -> Result<Vec<u8>, Error> {
    let structure = Structure::new(facts.known(), false);
    let mut out = Encoding::new();
    let written =
        encoding::encode::<encoding::Value, _>(&Checked::new(value, &structure), &mut out);
    written.map_err(|why| unserializable::<T>(&why.to_string()))?;
    let was = digest(value).map_err(|why| unserializable::<T>(&why.to_string()))?;
    let mut encoded = out.into_vec();
    if let Some(new) = structure.into_new() {
        let read = guarded(|| encoding::from_slice::<T>(&encoded).map_err(|why| why.to_string()));
        let why = match read.and_then(|read| read) {
            Ok(read) if digest(&read).is_ok_and(|is| is == was) => None,
            Ok(_) => Some("what is read back serializes to something else".to_owned()),
            Err(why) => Some(why),
        };
        if let Some(why) = why {
            return Err(Error::not_read_back::<T>(&why));
        }
        facts.learn(new);
    }
    encoded.reserve_exact(was.len() + 1);
    encoded.extend_from_slice(&was);
    encoded.push(DESCRIBED);
    encoded.shrink_to_fit();
    Ok(encoded)
}

fn unserializable<T>(why: &str) -> Error {
    let kind = std::any::type_name::<T>();
    Error::Serialize(format!("a value of type {kind} cannot be serialized: {why}"))
}

/// Returns whether what is read serializes to the same as the value that it should be.
fn is_read_back<T: Value>(value: &T, read: impl FnOnce() -> Option<T>) -> bool {
    let Ok(Some(read)) = guarded(read) else { return false };
    matches!((digest(value), digest(&read)), (Ok(was), Ok(is)) if was == is)
}

/// A hash of what a value shows when it is serialized, in whatever order its maps and
/// sequences have it: a hash set has another each time.
fn digest<T: Serialize>(value: &T) -> Result<Digest, encoding::Unwritable> {
    let mut out = Encoding::new();
    encoding::encode::<Comparison, T>(value, &mut out)?;
    let mut digest = Digest::default();
    digest.copy_from_slice(&hashing::of(&out).as_bytes()[..size_of::<Digest>()]);
    Ok(digest)
}

/// Calls what runs code of a type that may panic when it meets what it does not expect.
fn guarded<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| "reading it panics".to_owned())
}

/// The value of a stored form; none if it is not one of this type. `is_own`: this very
/// process stored it.
pub fn decode<T: Value>(stored: &[u8], is_own: bool) -> Option<T> {
    let (&form, encoded) = stored.split_last()?;
    if form == PLAIN && TypeId::of::<T>() == TypeId::of::<String>() {
        return decode_text(encoded);
    }
    let read = guarded(|| match form {
        PLAIN => decode_plain::<T>(encoded),
        DESCRIBED => decode_described(encoded, is_own),
        RAW => cast(encoded.to_vec()),
        _ => None,
    });
    read.ok().flatten()
}

/// Decodes bytes that are not needed any more.
pub fn decode_owned<T: Value>(mut stored: Vec<u8>) -> Option<T> {
    if stored.last() == Some(&RAW) {
        stored.pop();
        return cast(stored);
    }
    decode(&stored, false)
}

/// Decodes text. Text within a value is filled with zeros first, which takes more than twice as long.
fn decode_text<T: Value>(encoded: &[u8]) -> Option<T> {
    let (text, used) = bincode::borrow_decode_from_slice::<&str, _>(encoded, codec()).ok()?;
    if used == encoded.len() { cast(text.to_owned()) } else { None }
}

fn decode_plain<T: Value>(encoded: &[u8]) -> Option<T> {
    let (value, used) = bincode::serde::decode_from_slice(encoded, codec()).ok()?;
    (used == encoded.len()).then_some(value)
}

fn decode_described<T: Value>(encoded: &[u8], is_own: bool) -> Option<T> {
    let (encoded, was) = encoded.split_last_chunk::<{ size_of::<Digest>() }>()?;
    let value = encoding::from_slice(encoded).ok()?;
    (is_own || digest(&value).is_ok_and(|is| is == *was)).then_some(value)
}

/// Returns something as a value of the requested type, if it is of that type.
fn cast<T: Value>(given: impl Any) -> Option<T> {
    let mut given = Some(given);
    (&mut given as &mut dyn Any).downcast_mut::<Option<T>>()?.take()
}

fn codec() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<LONGEST>()
}

#[cfg(test)]
mod tests;
