//! Reading back a value that describes itself.
//!
//! The decoder takes what a type asks for as a hint at the most. It shows each value as what
//! it was written as, to `deserialize_any` too. Formats like JSON do not distinguish
//! `Some(None)` from `None`; this one does.

use super::Tag;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor, value::StrDeserializer,
};
use serde::{Deserialize, forward_to_deserialize_any};
use std::fmt;

/// The maximum depth of nesting: the stack of a thread is finite.
const DEPTH: usize = 128;

/// The reason why something cannot be decoded.
#[derive(Debug)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(why: T) -> Unreadable {
        Unreadable(why.to_string())
    }
}

/// Reads the value that these bytes are the encoding of, all of them.
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Unreadable> {
    let mut decoder = Decoder { rest: bytes, depth: DEPTH };
    let value = T::deserialize(&mut decoder)?;
    if decoder.rest.is_empty() { Ok(value) } else { Err(damaged("more than a value")) }
}

fn damaged(what: &str) -> Unreadable {
    Unreadable(format!("the encoding is damaged: {what}"))
}

struct Decoder<'de> {
    rest: &'de [u8],
    depth: usize,
}

impl<'de> Decoder<'de> {
    fn take(&mut self, len: usize) -> Result<&'de [u8], Unreadable> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| damaged("an end"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| damaged("an end"))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn peek(&self) -> Result<Tag, Unreadable> {
        let tag = *self.rest.first().ok_or_else(|| damaged("an end"))?;
        Tag::of(tag).ok_or_else(|| damaged("an unknown tag"))
    }

    fn tag(&mut self) -> Result<Tag, Unreadable> {
        let tag = self.peek()?;
        self.rest = &self.rest[1..];
        Ok(tag)
    }

    /// Takes the next tag if it is this one.
    fn takes(&mut self, tag: Tag) -> Result<bool, Unreadable> {
        let is_next = self.peek()? == tag;
        if is_next {
            self.rest = &self.rest[1..];
        }
        Ok(is_next)
    }

    fn bytes(&mut self) -> Result<&'de [u8], Unreadable> {
        let (mut len, mut shift) = (0_u64, 0);
        loop {
            let [byte] = self.array()?;
            len |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return self.take(usize::try_from(len).map_err(|_| damaged("a length"))?);
            }
            shift += 7;
            if shift > 56 {
                return Err(damaged("a length"));
            }
        }
    }

    fn text(&mut self) -> Result<&'de str, Unreadable> {
        std::str::from_utf8(self.bytes()?).map_err(|_| damaged("a text"))
    }

    /// Reads what is within something else.
    fn within<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<T, Unreadable> {
        let outer = self.depth;
        self.depth = outer
            .checked_sub(1)
            .ok_or_else(|| Unreadable(format!("it is nested deeper than {DEPTH} levels")))?;
        let read = read(self);
        self.depth = outer;
        read
    }
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.tag()? {
            Tag::False => visitor.visit_bool(false),
            Tag::True => visitor.visit_bool(true),
            Tag::Natural => visitor.visit_u64(u64::from_le_bytes(self.array()?)),
            Tag::LargeNatural => visitor.visit_u128(u128::from_le_bytes(self.array()?)),
            Tag::Negative => visitor.visit_i64(i64::from_le_bytes(self.array()?)),
            Tag::LargeNegative => visitor.visit_i128(i128::from_le_bytes(self.array()?)),
            Tag::Float => visitor.visit_f64(f64::from_bits(u64::from_le_bytes(self.array()?))),
            Tag::Char => {
                let code = u32::from_le_bytes(self.array()?);
                visitor.visit_char(char::from_u32(code).ok_or_else(|| damaged("a character"))?)
            }
            Tag::Str => visitor.visit_borrowed_str(self.text()?),
            Tag::Bytes => visitor.visit_borrowed_bytes(self.bytes()?),
            Tag::None => visitor.visit_none(),
            Tag::Some => self.within(|inner| visitor.visit_some(inner)),
            Tag::Unit => visitor.visit_unit(),
            Tag::Seq => self.within(|inner| {
                let value = visitor.visit_seq(Items(inner))?;
                inner.end()?;
                Ok(value)
            }),
            Tag::Map => self.within(|inner| {
                let value = visitor.visit_map(Items(inner))?;
                inner.end()?;
                Ok(value)
            }),
            // Formats without enums show a variant as its name, or as a map from the name to the
            // rest.
            Tag::Variant => {
                let name = self.text()?;
                if self.takes(Tag::Unit)? {
                    return visitor.visit_borrowed_str(name);
                }
                self.within(|inner| visitor.visit_map(Single { name: Some(name), decoder: inner }))
            }
            Tag::Named | Tag::Field | Tag::End => Err(damaged("a tag at this place")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.peek()? {
            Tag::None | Tag::Some | Tag::Unit => self.deserialize_any(visitor),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.within(|inner| visitor.visit_newtype_struct(inner))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        match self.peek()? {
            Tag::Variant => {
                self.tag()?;
                let name = self.text()?;
                self.within(|inner| visitor.visit_enum(Variant { name, decoder: inner }))
            }
            Tag::Str => {
                self.tag()?;
                visitor.visit_enum(self.text()?.into_deserializer())
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl Decoder<'_> {
    fn end(&mut self) -> Result<(), Unreadable> {
        if self.takes(Tag::End)? { Ok(()) } else { Err(de::Error::custom("there is more of it")) }
    }
}

/// The rest of a sequence or a map.
struct Items<'a, 'de>(&'a mut Decoder<'de>);

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unreadable> {
        if self.0.peek()? == Tag::End { Ok(None) } else { seed.deserialize(&mut *self.0).map(Some) }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unreadable> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Unreadable> {
        seed.deserialize(&mut *self.0)
    }
}

/// A map from the name of a variant to its content.
struct Single<'a, 'de> {
    name: Option<&'de str>,
    decoder: &'a mut Decoder<'de>,
}

impl<'de> MapAccess<'de> for Single<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unreadable> {
        let Some(name) = self.name.take() else { return Ok(None) };
        seed.deserialize(de::value::BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Unreadable> {
        seed.deserialize(&mut *self.decoder)
    }
}

struct Variant<'a, 'de> {
    name: &'de str,
    decoder: &'a mut Decoder<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), Unreadable> {
        let name: StrDeserializer<'_, Unreadable> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<(), Unreadable> {
        if self.decoder.takes(Tag::Unit)? {
            Ok(())
        } else {
            Err(de::Error::custom("a variant has content"))
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, Unreadable> {
        seed.deserialize(self.decoder)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.decoder.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.decoder.deserialize_any(visitor)
    }
}
