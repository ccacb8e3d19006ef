//! A value that is watched while it is serialized.
//!
//! [`Checked`] hands everything on to the serializer that it is given to, and notes in a
//! [`Structure`] what kinds of things there are, and which fields and variants. A value
//! of a type whose values had all of that before needs no second look.

use serde::ser::{self, Serialize, Serializer};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// The structure of all values of one type so far.
#[derive(Clone, Debug, Default)]
pub struct Known {
    kinds: u32,
    /// The groups, sorted.
    groups: Vec<u64>,
}

impl Known {
    /// Returns the union of both.
    pub fn with(mut self, other: Known) -> Known {
        self.kinds |= other.kinds;
        self.groups.extend(other.groups);
        self.groups.sort_unstable();
        self.groups.dedup();
        self
    }
}

/// The kinds, fields and variants of one value.
pub struct Structure {
    known: Arc<Known>,
    kinds: Cell<u32>,
    /// The features that are not known yet.
    groups: RefCell<Vec<u64>>,
    /// The last one that was met: most have many of the same.
    last: Cell<u64>,
    is_plain: bool,
    has_no_plain_form: Cell<bool>,
}

impl Structure {
    /// Creates the structure of a value of a type whose values had everything in `known` so far. If
    /// it `is_plain`, it is an error to leave fields out, or to have more or fewer elements than
    /// announced.
    pub fn new(known: Arc<Known>, is_plain: bool) -> Structure {
        Structure {
            known,
            kinds: Cell::new(0),
            groups: RefCell::default(),
            last: Cell::new(0),
            is_plain,
            has_no_plain_form: Cell::new(false),
        }
    }

    /// The features that no other value had.
    pub fn into_new(self) -> Option<Known> {
        let new = Known { kinds: self.kinds.get(), groups: self.groups.into_inner() };
        (new.kinds & !self.known.kinds != 0 || !new.groups.is_empty()).then_some(new)
    }

    /// Returns whether it was met that fields are left out, or that lengths are wrong.
    pub fn has_no_plain_form(&self) -> bool {
        self.has_no_plain_form.get()
    }

    fn kind(&self, kind: Kind) {
        self.kinds.set(self.kinds.get() | 1 << kind as u32);
    }

    fn group(&self, group: u64) {
        if self.last.replace(group) == group || self.known.groups.binary_search(&group).is_ok() {
            return;
        }
        let mut groups = self.groups.borrow_mut();
        if !groups.contains(&group) {
            groups.push(group);
        }
    }

    fn refuse<E: ser::Error>(&self, why: &str) -> E {
        self.has_no_plain_form.set(true);
        E::custom(why)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    Bytes,
    None,
    Some,
    Unit,
    Seq,
    Map,
}

/// Adds a name, by where it lies: it is the same each time.
fn named(group: u64, name: &'static str) -> u64 {
    numbered(numbered(group, name.as_ptr() as u64), name.len() as u64)
}

fn numbered(group: u64, number: u64) -> u64 {
    (group.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A value, and where its structure is noted.
pub struct Checked<'a, T: ?Sized> {
    value: &'a T,
    structure: &'a Structure,
}

impl<'a, T: ?Sized> Checked<'a, T> {
    /// A value whose structure is noted there.
    pub fn new(value: &'a T, structure: &'a Structure) -> Checked<'a, T> {
        Checked { value, structure }
    }
}

impl<T: Serialize + ?Sized> Serialize for Checked<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Watch { inner, structure: self.structure })
    }
}

struct Watch<'a, S> {
    inner: S,
    structure: &'a Structure,
}

macro_rules! scalars {
    ($($method:ident $type:ty, $kind:ident);+ $(;)?) => {$(
        #[inline]
        fn $method(self, v: $type) -> Result<S::Ok, S::Error> {
            self.structure.kind(Kind::$kind);
            self.inner.$method(v)
        }
    )+};
}

impl<'a, S: Serializer> Serializer for Watch<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Group<'a, S::SerializeSeq>;
    type SerializeTuple = Group<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Group<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Group<'a, S::SerializeTupleVariant>;
    type SerializeMap = Group<'a, S::SerializeMap>;
    type SerializeStruct = Group<'a, S::SerializeStruct>;
    type SerializeStructVariant = Group<'a, S::SerializeStructVariant>;

    scalars! {
        serialize_bool bool, Bool;
        serialize_i8 i8, I8; serialize_i16 i16, I16; serialize_i32 i32, I32;
        serialize_i64 i64, I64; serialize_i128 i128, I128;
        serialize_u8 u8, U8; serialize_u16 u16, U16; serialize_u32 u32, U32;
        serialize_u64 u64, U64; serialize_u128 u128, U128;
        serialize_f32 f32, F32; serialize_f64 f64, F64;
        serialize_char char, Char; serialize_str &str, Str; serialize_bytes &[u8], Bytes;
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.structure.kind(Kind::None);
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.structure.kind(Kind::Some);
        self.inner.serialize_some(&Checked::new(value, self.structure))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.structure.kind(Kind::Unit);
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.structure.group(named(1, name));
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.structure.group(named(numbered(named(2, name), index.into()), variant));
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.structure.group(named(3, name));
        self.inner.serialize_newtype_struct(name, &Checked::new(value, self.structure))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.structure.group(named(numbered(named(4, name), index.into()), variant));
        let value = Checked::new(value, self.structure);
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.structure.kind(Kind::Seq);
        let Watch { inner, structure } = self;
        let inner = inner.serialize_seq(len)?;
        Ok(Group { inner, structure, made_of: 0, left: len })
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let Watch { inner, structure } = self;
        let inner = inner.serialize_tuple(len)?;
        Ok(Group { inner, structure, made_of: numbered(5, len as u64), left: Some(len) })
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let Watch { inner, structure } = self;
        let inner = inner.serialize_tuple_struct(name, len)?;
        Ok(Group { inner, structure, made_of: named(6, name), left: Some(len) })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let Watch { inner, structure } = self;
        let inner = inner.serialize_tuple_variant(name, index, variant, len)?;
        let made_of = named(numbered(named(7, name), index.into()), variant);
        Ok(Group { inner, structure, made_of, left: Some(len) })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.structure.kind(Kind::Map);
        let Watch { inner, structure } = self;
        let inner = inner.serialize_map(len)?;
        Ok(Group { inner, structure, made_of: 0, left: len })
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let Watch { inner, structure } = self;
        let inner = inner.serialize_struct(name, len)?;
        Ok(Group { inner, structure, made_of: named(8, name), left: Some(len) })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let Watch { inner, structure } = self;
        let inner = inner.serialize_struct_variant(name, index, variant, len)?;
        let made_of = named(numbered(named(9, name), index.into()), variant);
        Ok(Group { inner, structure, made_of, left: Some(len) })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Several things.
struct Group<'a, G> {
    inner: G,
    structure: &'a Structure,
    /// The kind of the value, as far as it was seen.
    made_of: u64,
    /// The announced number of remaining elements, if any.
    left: Option<usize>,
}

impl<G> Group<'_, G> {
    fn one<E: ser::Error>(&mut self) -> Result<(), E> {
        if let Some(left) = self.left.as_mut().filter(|_| self.structure.is_plain) {
            *left = left.checked_sub(1).ok_or_else(|| self.structure.refuse("a length"))?;
        }
        Ok(())
    }

    fn field<E: ser::Error>(&mut self, name: &'static str) -> Result<(), E> {
        self.made_of = named(self.made_of, name);
        self.one()
    }

    fn skip<E: ser::Error>(&mut self, name: &'static str) -> Result<(), E> {
        if self.structure.is_plain {
            return Err(self.structure.refuse("a field is left out"));
        }
        self.made_of = named(numbered(self.made_of, 1), name);
        Ok(())
    }

    fn close<E: ser::Error>(self) -> Result<G, E> {
        if self.structure.is_plain && self.left.is_some_and(|left| left > 0) {
            return Err(self.structure.refuse("a length"));
        }
        if self.made_of != 0 {
            self.structure.group(self.made_of);
        }
        Ok(self.inner)
    }
}

macro_rules! group {
    ($($trait:ident $add:ident),+) => {$(
        impl<G: ser::$trait> ser::$trait for Group<'_, G> {
            type Ok = G::Ok;
            type Error = G::Error;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), G::Error> {
                self.one()?;
                self.inner.$add(&Checked::new(value, self.structure))
            }

            fn end(self) -> Result<G::Ok, G::Error> {
                self.close()?.end()
            }
        }
    )+};
}

macro_rules! fields {
    ($($trait:ident),+) => {$(
        impl<G: ser::$trait> ser::$trait for Group<'_, G> {
            type Ok = G::Ok;
            type Error = G::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), G::Error> {
                self.field(name)?;
                self.inner.serialize_field(name, &Checked::new(value, self.structure))
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), G::Error> {
                self.skip(name)?;
                self.inner.skip_field(name)
            }

            fn end(self) -> Result<G::Ok, G::Error> {
                self.close()?.end()
            }
        }
    )+};
}

group!(SerializeSeq serialize_element, SerializeTuple serialize_element);
group!(SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);
fields!(SerializeStruct, SerializeStructVariant);

impl<G: ser::SerializeMap> ser::SerializeMap for Group<'_, G> {
    type Ok = G::Ok;
    type Error = G::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), G::Error> {
        self.one()?;
        self.inner.serialize_key(&Checked::new(key, self.structure))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), G::Error> {
        self.inner.serialize_value(&Checked::new(value, self.structure))
    }

    fn end(self) -> Result<G::Ok, G::Error> {
        self.close()?.end()
    }
}
