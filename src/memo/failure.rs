//! Detection of values that are an `Err`, which is returned and not recorded.
//!
//! A function that is generic over any value cannot ask whether that is a `Result`.
//! `Serialize` tells: the `Err` of a `Result` shows itself first of all as the variant
//! `Err` of `Result`. Nothing behind that is looked at, so this is decided when the
//! program is compiled, but for the look at the variant.

use serde::ser::{self, Impossible, Serialize};
use std::fmt;

/// Returns whether `value` is the `Err` of a `Result`.
pub fn is_err<T: Serialize + ?Sized>(value: &T) -> bool {
    matches!(value.serialize(Probe), Err(Seen::Err))
}

struct Probe;

/// The finding of a probe; every serialization with it ends there.
#[derive(Debug)]
enum Seen {
    /// An `Err`.
    Err,
    /// Any other value.
    Other,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only the outside of a value is looked at")
    }
}

impl std::error::Error for Seen {}

impl ser::Error for Seen {
    fn custom<T: fmt::Display>(_: T) -> Seen {
        Seen::Other
    }
}

macro_rules! other {
    ($($method:ident($($of:ty),*) -> $ok:ty),+ $(,)?) => {$(
        fn $method(self $(, _: $of)*) -> Result<$ok, Seen> {
            Err(Seen::Other)
        }
    )+};
}

/// A compound value, whose content is ignored.
type Inside = Impossible<(), Seen>;
type Name = &'static str;

impl ser::Serializer for Probe {
    type Ok = ();
    type Error = Seen;
    type SerializeSeq = Inside;
    type SerializeTuple = Inside;
    type SerializeTupleStruct = Inside;
    type SerializeTupleVariant = Inside;
    type SerializeMap = Inside;
    type SerializeStruct = Inside;
    type SerializeStructVariant = Inside;

    other! {
        serialize_bool(bool) -> (), serialize_char(char) -> (),
        serialize_i8(i8) -> (), serialize_i16(i16) -> (), serialize_i32(i32) -> (),
        serialize_i64(i64) -> (), serialize_i128(i128) -> (),
        serialize_u8(u8) -> (), serialize_u16(u16) -> (), serialize_u32(u32) -> (),
        serialize_u64(u64) -> (), serialize_u128(u128) -> (),
        serialize_f32(f32) -> (), serialize_f64(f64) -> (),
        serialize_str(&str) -> (), serialize_bytes(&[u8]) -> (),
        serialize_none() -> (), serialize_unit() -> (),
        serialize_unit_struct(Name) -> (), serialize_unit_variant(Name, u32, Name) -> (),
        serialize_seq(Option<usize>) -> Inside, serialize_tuple(usize) -> Inside,
        serialize_tuple_struct(Name, usize) -> Inside,
        serialize_tuple_variant(Name, u32, Name, usize) -> Inside,
        serialize_map(Option<usize>) -> Inside, serialize_struct(Name, usize) -> Inside,
        serialize_struct_variant(Name, u32, Name, usize) -> Inside,
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Seen> {
        Err(Seen::Other)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: Name, _: &T) -> Result<(), Seen> {
        Err(Seen::Other)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: Name,
        _: u32,
        variant: Name,
        _: &T,
    ) -> Result<(), Seen> {
        Err(if (name, variant) == ("Result", "Err") { Seen::Err } else { Seen::Other })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_err_is_one_and_nothing_else_is() {
        assert!(is_err(&Err::<(), _>("why")));
        assert!(is_err(&&Err::<Vec<u8>, _>(())));
        assert!(!is_err(&Ok::<_, ()>(Err::<(), _>("within"))));
        assert!(!is_err(&Some(Err::<(), _>("within"))));
        assert!(!is_err(&(Err::<(), _>("within"), 1)));
        assert!(!is_err("Err") && !is_err(&1) && !is_err(&()));
    }
}
