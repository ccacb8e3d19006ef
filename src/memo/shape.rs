//! What a type looks like to who reads a value of it: a fingerprint.
//!
//! What is stored of a value does not describe itself, so bytes that were written as
//! one type must never be read as another. A name alone does not tell that a field
//! was added, or two were swapped, since a store was written. So a type is made to
//! read itself once from made-up content (as `serde` has types do: each says what it
//! expects), and all that it asks for is written down: names of types, fields and
//! variants, kinds and widths, in their order. The hash of that, and of the type's
//! name, is a part of every key.
//!
//! An enum shows one variant at a time, so it is read again until each was seen. A type
//! that refuses made-up content (a date read from text) is known as far as it came,
//! and what follows it in the same struct by the names of the fields alone.

use crate::hashing;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

/// What tells a type from others, and from itself as it was before a change.
pub type Shape = [u8; 16];

/// How often a type is read at the most, and how much of it in one reading.
const READINGS: usize = 256;
const STEPS: usize = 10_000;
/// How deep what is made up goes at the most: the stack of a thread is finite.
const DEPTH: usize = 64;

thread_local! {
    static KNOWN: RefCell<HashMap<TypeId, Shape>> = RefCell::default();
}

/// The fingerprint of a type.
pub fn of<T: DeserializeOwned + 'static>() -> Shape {
    let id = TypeId::of::<T>();
    if let Some(shape) = KNOWN.with_borrow(|known| known.get(&id).copied()) {
        return shape;
    }
    // Not while the map is borrowed: what reads itself is the program's own code.
    let shape = read::<T>();
    KNOWN.with_borrow_mut(|known| known.insert(id, shape));
    shape
}

fn read<T: DeserializeOwned + 'static>() -> Shape {
    let mut seen = Seen::default();
    seen.name(std::any::type_name::<T>());
    seen.read::<T>();
    let mut shape = Shape::default();
    shape.copy_from_slice(&hashing::of(&seen.log).as_bytes()[..16]);
    shape
}

/// What a type asked for, over all of its readings.
#[derive(Default)]
struct Seen {
    log: Vec<u8>,
    /// By the name of an enum: the variant that is shown next, and how many there are.
    enums: HashMap<&'static str, (usize, usize)>,
}

impl Seen {
    /// Has a type read itself until nothing new is asked for.
    fn read<T: DeserializeOwned>(&mut self) {
        for _ in 0..READINGS {
            // What comes of it is made up.
            let _ = T::deserialize(&mut Reader { seen: self, steps: STEPS, within: Vec::new() });
            if self.enums.values().all(|(next, count)| next >= count) {
                break;
            }
        }
    }

    fn name(&mut self, name: &str) {
        self.number(name.len());
        self.log.extend_from_slice(name.as_bytes());
    }

    fn names(&mut self, names: &[&str]) {
        self.number(names.len());
        for name in names {
            self.name(name);
        }
    }

    fn number(&mut self, number: usize) {
        self.log.extend_from_slice(&(number as u64).to_le_bytes());
    }
}

/// The end of a reading.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("made-up content was refused")
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Refused {
        Refused
    }
}

/// One reading.
struct Reader<'s> {
    seen: &'s mut Seen,
    steps: usize,
    /// The types that are being read, from the outside in.
    within: Vec<&'static str>,
}

impl Reader<'_> {
    fn asked(&mut self, what: &str) -> Result<(), Refused> {
        self.steps = self.steps.checked_sub(1).ok_or(Refused)?;
        self.seen.name(what);
        Ok(())
    }

    /// Reads what is within a type of this name.
    fn enter<V>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Result<V, Refused>,
    ) -> Result<V, Refused> {
        if self.within.len() == DEPTH {
            return Err(Refused);
        }
        self.within.push(name);
        let value = read(self);
        self.within.pop();
        value
    }

    /// Whether a type is being read within itself: what may be left out is, so that
    /// there is an end to it.
    fn repeats(&self) -> bool {
        let Some((last, outer)) = self.within.split_last() else { return false };
        outer.contains(last)
    }

    fn items(&mut self) -> usize {
        usize::from(!self.repeats())
    }
}

macro_rules! simple {
    ($($method:ident $visit:ident $value:expr),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.asked(stringify!($method))?;
            visitor.$visit($value)
        }
    )+};
}

impl<'de> Deserializer<'de> for &mut Reader<'_> {
    type Error = Refused;

    // One is what most that refuse anything would take.
    simple! {
        deserialize_bool visit_bool true,
        deserialize_i8 visit_i8 1, deserialize_i16 visit_i16 1, deserialize_i32 visit_i32 1,
        deserialize_i64 visit_i64 1, deserialize_i128 visit_i128 1,
        deserialize_u8 visit_u8 1, deserialize_u16 visit_u16 1, deserialize_u32 visit_u32 1,
        deserialize_u64 visit_u64 1, deserialize_u128 visit_u128 1,
        deserialize_f32 visit_f32 1.0, deserialize_f64 visit_f64 1.0,
        deserialize_char visit_char '1',
        deserialize_str visit_str "1", deserialize_string visit_str "1",
        deserialize_bytes visit_bytes &[1; 16], deserialize_byte_buf visit_bytes &[1; 16],
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.asked("unit")?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.asked("option")?;
        if self.repeats() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.asked(name)?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.asked(name)?;
        self.enter(name, |reader| visitor.visit_newtype_struct(reader))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.asked("seq")?;
        let left = self.items();
        visitor.visit_seq(Items { reader: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.asked("tuple")?;
        self.seen.number(left);
        visitor.visit_seq(Items { reader: self, left })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.asked(name)?;
        self.enter(name, |reader| reader.deserialize_tuple(left, visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.asked("map")?;
        let left = self.items();
        visitor.visit_map(Items { reader: self, left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.asked(name)?;
        self.seen.names(fields);
        let left = fields.len();
        self.enter(name, |reader| visitor.visit_seq(Items { reader, left }))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.asked(name)?;
        self.seen.names(variants);
        if variants.is_empty() {
            return Err(Refused);
        }
        let depth = self.within.iter().filter(|outer| **outer == name).count();
        let (next, _) = self.seen.enums.entry(name).or_insert((0, variants.len()));
        // Within itself it is another variant each time, of which one has an end.
        let variant = if depth == 0 { *next } else { depth } % variants.len();
        if depth == 0 {
            *next += 1;
        }
        self.seen.number(variant);
        self.enter(name, |reader| visitor.visit_enum(Variant { reader, variant }))
    }

    /// The content would have to say what it is, and what is stored does not.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

struct Items<'r, 's> {
    reader: &'r mut Reader<'s>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refused> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Items<'_, '_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        seed.deserialize(&mut *self.reader)
    }
}

struct Variant<'r, 's> {
    reader: &'r mut Reader<'s>,
    variant: usize,
}

impl<'de> EnumAccess<'de> for Variant<'_, '_> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refused> {
        let variant = IntoDeserializer::<Refused>::into_deserializer(self.variant as u32);
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        self.reader.asked("unit")
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refused> {
        self.reader.asked("newtype")?;
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refused> {
        self.reader.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.reader.asked("fields")?;
        self.reader.seen.names(fields);
        visitor.visit_seq(Items { left: fields.len(), reader: self.reader })
    }
}

#[cfg(test)]
mod tests;
