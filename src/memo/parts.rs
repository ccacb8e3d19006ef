//! The parts of a value's key, in a form that no two different values share.
//!
//! What is given as a key is walked by its `Serialize`, and each thing met is written
//! as a tag and its content, what has a length behind that length. So the encoding can
//! be read back in one way only, as that of a command's key ([`crate::key`]): names of
//! types, fields and variants are in it. A reference counts as what it refers to, a
//! `String` as a `&str`, and a whole number as its value, whatever its width. The pairs of a map are sorted by
//! their encoding, because a hash map shows them in another order in every process.

use serde::{Serialize, ser};
use smallvec::SmallVec;
use std::fmt;

/// What is met, as it is written. The numbers are part of the key.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Tag {
    False = 1,
    True = 2,
    Natural = 3,
    LargeNatural = 4,
    Negative = 5,
    Float = 6,
    Char = 7,
    Str = 8,
    Bytes = 9,
    None = 10,
    Some = 11,
    Unit = 12,
    Named = 13,
    Variant = 14,
    Seq = 15,
    Map = 16,
    Field = 17,
    End = 18,
}

/// An encoding: hardly one is longer than what lies where its owner does.
pub type Encoding = SmallVec<[u8; 128]>;

/// Something in a key that says of itself that it cannot be serialized.
#[derive(Debug)]
pub struct Unwritable(String);

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a key cannot be serialized: {}", self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(why: T) -> Unwritable {
        Unwritable(why.to_string())
    }
}

/// Appends the encoding of `parts`.
pub fn encode<P: Serialize + ?Sized>(parts: &P, out: &mut Encoding) -> Result<(), Unwritable> {
    parts.serialize(Encoder(out))
}

struct Encoder<'a>(&'a mut Encoding);

impl Encoder<'_> {
    fn tag(&mut self, tag: Tag) {
        self.0.push(tag as u8);
    }

    /// A tag and what has a fixed length.
    fn tagged<const N: usize>(&mut self, tag: Tag, bytes: [u8; N]) {
        self.tag(tag);
        self.0.extend_from_slice(&bytes);
    }

    fn unsigned(&mut self, number: u128) {
        if let Ok(number) = u64::try_from(number) {
            self.tagged(Tag::Natural, number.to_le_bytes());
        } else {
            self.tagged(Tag::LargeNatural, number.to_le_bytes());
        }
    }

    fn signed(&mut self, number: i128) {
        if let Ok(number) = u128::try_from(number) {
            self.unsigned(number);
        } else {
            self.tagged(Tag::Negative, number.to_le_bytes());
        }
    }

    fn float(&mut self, number: f64) {
        self.tagged(Tag::Float, number.to_bits().to_le_bytes());
    }

    fn bytes(&mut self, tag: Tag, bytes: &[u8]) {
        self.tag(tag);
        let mut len = bytes.len();
        while len >= 0x80 {
            self.0.push(len as u8 | 0x80);
            len >>= 7;
        }
        self.0.push(len as u8);
        self.0.extend_from_slice(bytes);
    }

    fn variant(&mut self, name: &str, variant: &str) {
        self.bytes(Tag::Variant, name.as_bytes());
        self.bytes(Tag::Variant, variant.as_bytes());
    }
}

macro_rules! numbers {
    ($($method:ident $kind:ident $write:ident),+) => {$(
        fn $method(mut self, v: $kind) -> Result<(), Unwritable> {
            self.$write(v.into());
            Ok(())
        }
    )+};
}

impl<'a> ser::Serializer for Encoder<'a> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Group<'a>;
    type SerializeTuple = Group<'a>;
    type SerializeTupleStruct = Group<'a>;
    type SerializeTupleVariant = Group<'a>;
    type SerializeMap = Pairs<'a>;
    type SerializeStruct = Group<'a>;
    type SerializeStructVariant = Group<'a>;

    numbers! {
        serialize_i8 i8 signed, serialize_i16 i16 signed, serialize_i32 i32 signed,
        serialize_i64 i64 signed, serialize_i128 i128 signed,
        serialize_u8 u8 unsigned, serialize_u16 u16 unsigned, serialize_u32 u32 unsigned,
        serialize_u64 u64 unsigned, serialize_u128 u128 unsigned,
        serialize_f32 f32 float, serialize_f64 f64 float
    }

    fn serialize_bool(mut self, v: bool) -> Result<(), Unwritable> {
        self.tag(if v { Tag::True } else { Tag::False });
        Ok(())
    }

    fn serialize_char(mut self, v: char) -> Result<(), Unwritable> {
        self.tagged(Tag::Char, u32::from(v).to_le_bytes());
        Ok(())
    }

    fn serialize_str(mut self, v: &str) -> Result<(), Unwritable> {
        self.bytes(Tag::Str, v.as_bytes());
        Ok(())
    }

    fn serialize_bytes(mut self, v: &[u8]) -> Result<(), Unwritable> {
        self.bytes(Tag::Bytes, v);
        Ok(())
    }

    fn serialize_none(mut self) -> Result<(), Unwritable> {
        self.tag(Tag::None);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), Unwritable> {
        self.tag(Tag::Some);
        value.serialize(self)
    }

    fn serialize_unit(mut self) -> Result<(), Unwritable> {
        self.tag(Tag::Unit);
        Ok(())
    }

    fn serialize_unit_struct(mut self, name: &'static str) -> Result<(), Unwritable> {
        self.bytes(Tag::Named, name.as_bytes());
        self.tag(Tag::Unit);
        Ok(())
    }

    fn serialize_unit_variant(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unwritable> {
        self.variant(name, variant);
        self.tag(Tag::Unit);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.bytes(Tag::Named, name.as_bytes());
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.variant(name, variant);
        value.serialize(self)
    }

    fn serialize_seq(mut self, _: Option<usize>) -> Result<Group<'a>, Unwritable> {
        self.tag(Tag::Seq);
        Ok(Group(self.0))
    }

    fn serialize_tuple(self, len: usize) -> Result<Group<'a>, Unwritable> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(
        mut self,
        name: &'static str,
        len: usize,
    ) -> Result<Group<'a>, Unwritable> {
        self.bytes(Tag::Named, name.as_bytes());
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Group<'a>, Unwritable> {
        self.variant(name, variant);
        self.serialize_seq(Some(len))
    }

    fn serialize_map(mut self, _: Option<usize>) -> Result<Pairs<'a>, Unwritable> {
        self.tag(Tag::Map);
        Ok(Pairs { out: self.0, whole: Vec::new(), key: Encoding::new() })
    }

    fn serialize_struct(mut self, name: &'static str, len: usize) -> Result<Group<'a>, Unwritable> {
        self.bytes(Tag::Named, name.as_bytes());
        self.serialize_seq(Some(len))
    }

    fn serialize_struct_variant(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Group<'a>, Unwritable> {
        self.variant(name, variant);
        self.serialize_seq(Some(len))
    }

    /// As programs exchange it, and not as people read it.
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Several things in their order, up to a tag that none of them begins with.
struct Group<'a>(&'a mut Encoding);

impl Group<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        value.serialize(Encoder(self.0))
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Unwritable> {
        Encoder(self.0).bytes(Tag::Field, name.as_bytes());
        self.add(value)
    }

    fn close(self) {
        Encoder(self.0).tag(Tag::End);
    }
}

macro_rules! group {
    ($($kind:ident $add:ident),+) => {$(
        impl ser::$kind for Group<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.add(value)
            }

            fn end(self) -> Result<(), Unwritable> {
                self.close();
                Ok(())
            }
        }
    )+};
}

macro_rules! fields {
    ($($kind:ident),+) => {$(
        impl ser::$kind for Group<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unwritable> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Unwritable> {
                self.close();
                Ok(())
            }
        }
    )+};
}

group!(SerializeSeq serialize_element, SerializeTuple serialize_element);
group!(SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);
fields!(SerializeStruct, SerializeStructVariant);

/// Pairs that are written when all of them are there.
struct Pairs<'a> {
    out: &'a mut Encoding,
    whole: Vec<Encoding>,
    key: Encoding,
}

impl ser::SerializeMap for Pairs<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        encode(key, &mut self.key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        let mut pair = std::mem::take(&mut self.key);
        encode(value, &mut pair)?;
        self.whole.push(pair);
        Ok(())
    }

    fn end(mut self) -> Result<(), Unwritable> {
        self.whole.sort();
        for pair in self.whole {
            self.out.extend(pair);
        }
        Encoder(self.out).tag(Tag::End);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
