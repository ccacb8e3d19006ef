//! Accesses of a type that reads several things.

use super::{Reader, Refused};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor, value::StrDeserializer,
};
use std::any::type_name;

/// A sequence of `left` items.
pub struct Items<'r, 's> {
    pub(super) reader: &'r mut Reader<'s>,
    pub(super) left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refused> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.reader.seen.name(type_name::<T::Value>());
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// Pairs of a map, each read as two items.
impl<'de> MapAccess<'de> for Items<'_, '_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        self.next_element_seed(seed)?.ok_or(Refused)
    }
}

/// A struct that has one field alone.
pub struct OneField<'r, 's> {
    pub(super) reader: &'r mut Reader<'s>,
    pub(super) name: Option<&'static str>,
    pub(super) was_read: bool,
}

impl<'de> MapAccess<'de> for OneField<'_, '_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        let Some(name) = self.name.take() else { return Ok(None) };
        let name: StrDeserializer<'_, Refused> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        self.was_read = true;
        self.reader.seen.name(type_name::<V::Value>());
        seed.deserialize(&mut *self.reader)
    }
}

/// A variant of an enum.
pub struct Variant<'r, 's> {
    pub(super) reader: &'r mut Reader<'s>,
    pub(super) variant: usize,
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
        self.reader.seen.name(type_name::<T::Value>());
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
        self.reader.fields(fields, visitor)
    }
}
