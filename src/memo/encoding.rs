//! An encoding of anything that `serde` serializes, from which it can be read in one way
//! only.
//!
//! Each thing that a `Serialize` shows is written as a tag and its content, whatever has a
//! length behind that length. There is one writer for three purposes:
//!
//! - [`Key`]: the parts of a key. Structs and enums are written with the paths of their
//!   types, so that two types of one name differ. A reference stands for what it refers
//!   to, a `String` for a `&str`, and a whole number for its value, whatever its width.
//!   The pairs of a map and the elements of a `HashSet` are sorted, because both come in
//!   another order in every process.
//! - [`Value`]: a value that describes itself, which [`decode`](super::decode) reads. A
//!   struct is a map from the names of its fields.
//! - [`Comparison`]: two values are as good as each other if their comparisons are equal.
//!   All that has an order is sorted.

mod bytes;
mod decode;
mod groups;

pub use bytes::Encoding;
pub use decode::from_slice;

use groups::{Group, Pairs};
use serde::{Serialize, ser};
use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;

macro_rules! tags {
    ($($tag:ident = $number:literal),+ $(,)?) => {
        /// The kinds of things that are met. The numbers are part of keys and of stored values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Tag {
            $($tag = $number),+
        }

        impl Tag {
            /// The one that this number stands for.
            fn of(number: u8) -> Option<Tag> {
                match number {
                    $($number => Some(Tag::$tag),)+
                    _ => None,
                }
            }
        }
    };
}

tags! {
    False = 1,
    True = 2,
    Natural = 3,
    LargeNatural = 4,
    Negative = 5,
    LargeNegative = 6,
    Float = 7,
    Char = 8,
    Str = 9,
    Bytes = 10,
    None = 11,
    Some = 12,
    Unit = 13,
    Named = 14,
    Variant = 15,
    Seq = 16,
    Map = 17,
    Field = 18,
    End = 19,
}

/// The purpose of an encoding.
pub trait Purpose {
    /// True if type names are written, and structs are distinguished from maps.
    const NAMES_TYPES: bool;
    /// True if maps are sorted.
    const SORTS_MAPS: bool;
    /// True if every sequence is sorted, and not those of hash sets alone.
    const SORTS_ALL: bool;
}

/// The parts of a key.
pub enum Key {}

/// A value that describes itself.
pub enum Value {}

/// A value, to be compared with another.
pub enum Comparison {}

impl Purpose for Key {
    const NAMES_TYPES: bool = true;
    const SORTS_MAPS: bool = true;
    const SORTS_ALL: bool = false;
}

impl Purpose for Value {
    const NAMES_TYPES: bool = false;
    const SORTS_MAPS: bool = false;
    const SORTS_ALL: bool = false;
}

impl Purpose for Comparison {
    const NAMES_TYPES: bool = false;
    const SORTS_MAPS: bool = true;
    const SORTS_ALL: bool = true;
}

/// A type that tells the instances of a generic function apart.
#[derive(Clone, Copy, Debug)]
pub struct TypeIdentity {
    /// Returns the name of the type, or of the function that it stands for.
    path: fn() -> &'static str,
    /// The identifier of the type, unique in this process.
    pub id: TypeId,
}

impl TypeIdentity {
    /// Returns the identity of a type, which may borrow something.
    #[inline]
    pub fn of<T: ?Sized>() -> TypeIdentity {
        TypeIdentity { path: std::any::type_name::<T>, id: typeid::of::<T>() }
    }

    /// Returns the identity of the function that a closure is in.
    #[inline]
    pub fn of_place<T: ?Sized>() -> TypeIdentity {
        // An async function is one more closure.
        let path = || std::any::type_name::<T>().trim_end_matches("::{{closure}}");
        TypeIdentity { path, id: typeid::of::<T>() }
    }

    /// Returns the type's name. Closures, and types in two blocks, may share one.
    pub fn name(&self) -> &'static str {
        (self.path)()
    }
}

/// An error of a `Serialize`.
#[derive(Debug)]
pub struct Unwritable(String);

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(why: T) -> Unwritable {
        Unwritable(why.to_string())
    }
}

/// Appends the encoding of `given`.
pub fn encode<P: Purpose, T: Serialize + ?Sized>(
    given: &T,
    out: &mut Encoding,
) -> Result<(), Unwritable> {
    given.serialize(Encoder::<P>::of::<T>(out))
}

/// Leaves the end out of the encoding of a sequence, so that it is what longer ones begin
/// with.
pub fn open_end(encoding: &mut Encoding) {
    if encoding.first() == Some(&(Tag::Seq as u8)) {
        encoding.pop();
    }
}

struct Encoder<'a, P> {
    out: &'a mut Encoding,
    /// The name of the type that is being encoded.
    path: fn() -> &'static str,
    purpose: PhantomData<P>,
}

impl<'a, P: Purpose> Encoder<'a, P> {
    fn of<T: ?Sized>(out: &'a mut Encoding) -> Encoder<'a, P> {
        Encoder { out, path: std::any::type_name::<T>, purpose: PhantomData }
    }

    #[inline]
    fn tag(&mut self, tag: Tag) {
        self.out.push(tag as u8);
    }

    /// Writes a tag and what has a fixed length.
    #[inline]
    fn tagged<const N: usize>(&mut self, tag: Tag, bytes: [u8; N]) {
        self.tag(tag);
        self.out.append(bytes);
    }

    #[inline]
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
        } else if let Ok(number) = i64::try_from(number) {
            self.tagged(Tag::Negative, number.to_le_bytes());
        } else {
            self.tagged(Tag::LargeNegative, number.to_le_bytes());
        }
    }

    fn float(&mut self, number: f64) {
        self.tagged(Tag::Float, number.to_bits().to_le_bytes());
    }

    fn bytes(&mut self, tag: Tag, bytes: &[u8]) {
        self.tag(tag);
        let mut len = bytes.len();
        while len >= 0x80 {
            self.out.push(len as u8 | 0x80);
            len >>= 7;
        }
        self.out.push(len as u8);
        self.out.extend_from_slice(bytes);
    }

    /// Writes which type follows.
    fn named(&mut self, name: &str) {
        if P::NAMES_TYPES {
            self.bytes(Tag::Named, behind_references((self.path)()).as_bytes());
            self.bytes(Tag::Named, name.as_bytes());
        }
    }

    fn variant(&mut self, name: &str, variant: &str) {
        self.named(name);
        self.bytes(Tag::Variant, variant.as_bytes());
    }

    fn group(self, tag: Tag, is_sorted: bool) -> Group<'a, P> {
        self.out.push(tag as u8);
        Group { out: self.out, sorted: is_sorted.then(Vec::new), purpose: PhantomData }
    }

    /// Begins what has fields with names.
    fn fields(self) -> Group<'a, P> {
        self.group(if P::NAMES_TYPES { Tag::Seq } else { Tag::Map }, false)
    }
}

/// The name of a type without the references and owners of one thing around it.
fn behind_references(mut path: &str) -> &str {
    const OWNERS: [&str; 4] =
        ["alloc::boxed::Box<", "alloc::rc::Rc<", "alloc::sync::Arc<", "alloc::borrow::Cow<"];
    loop {
        let shorter = path.strip_prefix("&mut ").or_else(|| path.strip_prefix('&')).or_else(|| {
            OWNERS.iter().find_map(|owner| path.strip_prefix(owner)?.strip_suffix('>'))
        });
        match shorter {
            Some(inner) => path = inner,
            None => return path,
        }
    }
}

/// Returns whether a type of this name lists the same elements in another order each time.
fn is_hash_set(path: &str) -> bool {
    let path = behind_references(path);
    path.split('<').next().is_some_and(|name| name.ends_with("HashSet"))
}

macro_rules! numbers {
    ($($method:ident $kind:ident $write:ident),+) => {$(
        fn $method(mut self, v: $kind) -> Result<(), Unwritable> {
            self.$write(v.into());
            Ok(())
        }
    )+};
}

macro_rules! groups {
    ($($plain:ident, $variant:ident |$encoder:ident| $begin:expr);+) => {$(
        fn $plain(mut self, name: &'static str, _: usize) -> Result<Group<'a, P>, Unwritable> {
            self.named(name);
            let $encoder = self;
            Ok($begin)
        }

        fn $variant(
            mut self,
            name: &'static str,
            _: u32,
            variant: &'static str,
            _: usize,
        ) -> Result<Group<'a, P>, Unwritable> {
            self.variant(name, variant);
            let $encoder = self;
            Ok($begin)
        }
    )+};
}

impl<'a, P: Purpose> ser::Serializer for Encoder<'a, P> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Group<'a, P>;
    type SerializeTuple = Group<'a, P>;
    type SerializeTupleStruct = Group<'a, P>;
    type SerializeTupleVariant = Group<'a, P>;
    type SerializeMap = Pairs<'a, P>;
    type SerializeStruct = Group<'a, P>;
    type SerializeStructVariant = Group<'a, P>;

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
        encode::<P, T>(value, self.out)
    }

    fn serialize_unit(mut self) -> Result<(), Unwritable> {
        self.tag(Tag::Unit);
        Ok(())
    }

    fn serialize_unit_struct(mut self, name: &'static str) -> Result<(), Unwritable> {
        self.named(name);
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
        self.named(name);
        encode::<P, T>(value, self.out)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.variant(name, variant);
        encode::<P, T>(value, self.out)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Group<'a, P>, Unwritable> {
        let is_sorted = P::SORTS_ALL || (P::SORTS_MAPS && is_hash_set((self.path)()));
        Ok(self.group(Tag::Seq, is_sorted))
    }

    fn serialize_tuple(self, _: usize) -> Result<Group<'a, P>, Unwritable> {
        Ok(self.group(Tag::Seq, false))
    }

    groups! {
        serialize_tuple_struct, serialize_tuple_variant |it| it.group(Tag::Seq, false);
        serialize_struct, serialize_struct_variant |it| it.fields()
    }

    fn serialize_map(mut self, _: Option<usize>) -> Result<Pairs<'a, P>, Unwritable> {
        self.tag(Tag::Map);
        let whole = P::SORTS_MAPS.then(Vec::new);
        Ok(Pairs { out: self.out, whole, key: Encoding::new(), purpose: PhantomData })
    }

    /// Returns false: values are encoded for programs, not for people.
    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
