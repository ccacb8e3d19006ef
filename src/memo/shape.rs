//! A fingerprint of what a type asks for when a value of it is read.
//!
//! The stored form of most values does not describe itself, so bytes that were written as
//! one type must never be read as another. A name alone does not tell that a field
//! was added, or two were swapped, since a store was written. So a type is made to
//! read itself from made-up content (as `serde` has types do: each says what it
//! expects), and all that it asks for is written down: names of types, fields and
//! variants, kinds and widths, in their order. The hash of that, and of the type's
//! name, is a part of every key beyond the process.
//!
//! One reading shows one variant of an enum, so there are more readings, one for each. A
//! struct of which a field refuses made-up content (a date, read from text) ends there; it
//! is read again once for each field, as a map that has that field alone. Where neither
//! helps (a tuple that has such a date), or where a type asks what there is instead of
//! saying what it expects, the outline is not whole: values of such a type are stored in a
//! form that describes itself.
//!
//! A `Deserialize` may panic on what it does not expect. Such a reading is over. Where a
//! panic would end the process there is no made-up content, and what needs some is
//! refused.

mod accesses;

use accesses::{Items, OneField, Variant};
use cachex_base::system::hashing;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use std::any::type_name;
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The identity of a type, which a change of the type changes.
pub type Shape = [u8; 16];

/// The outline of what a type asks for.
pub struct Outline {
    /// A fingerprint of it.
    pub shape: Shape,
    /// True if nothing is missing there.
    pub is_whole: bool,
}

/// The maximum number of readings of a type, and of steps in one reading.
const READINGS: usize = 4096;
const STEPS: usize = 10_000;
/// The maximum depth of made-up content: the stack of a thread is finite.
const DEPTH: usize = 64;

/// Finds out anew what a type asks for.
pub fn of<T: DeserializeOwned + 'static>() -> Outline {
    let mut seen = Seen::default();
    seen.name(type_name::<T>());
    seen.read_all::<T>();
    let mut shape = Shape::default();
    shape.copy_from_slice(&hashing::of(&seen.log).as_bytes()[..16]);
    Outline { shape, is_whole: !seen.lacks_something }
}

/// A place in a type that can be read in several ways: an enum, in as many as it has
/// variants, or the fields of a struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Fork {
    /// The visitor, which each type has one of.
    visitor: &'static str,
    /// The place of the names of variants or fields.
    names: usize,
}

impl Fork {
    fn of<V>(names: &'static [&'static str]) -> Fork {
        Fork { visitor: type_name::<V>(), names: names.as_ptr() as usize }
    }
}

/// The branches to take at the forks, one after the other.
type Way = Vec<(Fork, usize)>;

/// Everything that a type asked for, over all of its readings.
#[derive(Default)]
struct Seen {
    log: Vec<u8>,
    forks: HashSet<Fork>,
    /// The branches that were not taken yet.
    ways: VecDeque<Way>,
    lacks_something: bool,
}

impl Seen {
    /// Has a type read itself until nothing new is asked for.
    fn read_all<T: DeserializeOwned>(&mut self) {
        let mut way = Way::new();
        for _ in 0..READINGS {
            self.read::<T>(&way);
            match self.ways.pop_front() {
                Some(next) => way = next,
                None => return,
            }
        }
        self.lacks_something = true;
    }

    fn read<T: DeserializeOwned>(&mut self, way: &Way) {
        let log = self.log.len();
        let mut reader = Reader { seen: self, way, taken: 0, steps: STEPS, within: Vec::new() };
        // The value is made up and of no use.
        let read = || drop(T::deserialize(&mut reader));
        if catch_unwind(AssertUnwindSafe(read)).is_err() {
            // The log up to a panic should be the same each time, but this is not guaranteed.
            self.log.truncate(log);
            self.lacks_something = true;
        }
    }

    /// Plans the ways from a fork on that is met for the first time on this one.
    fn fork(&mut self, fork: Fork, ways: usize, so_far: &[(Fork, usize)]) {
        if self.forks.insert(fork) {
            let next = |at| so_far.iter().copied().chain([(fork, at)]).collect();
            self.ways.extend((0..ways).map(next));
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
pub struct Refused;

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

/// A reading of a type.
struct Reader<'s> {
    seen: &'s mut Seen,
    way: &'s Way,
    /// The number of elements taken.
    taken: usize,
    steps: usize,
    /// The types that are being read, from the outside in.
    within: Vec<&'static str>,
}

impl Reader<'_> {
    fn asked(&mut self, what: &str) -> Result<(), Refused> {
        let Some(steps) = self.steps.checked_sub(1) else {
            self.seen.lacks_something = true;
            return Err(Refused);
        };
        self.steps = steps;
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
            self.seen.lacks_something = true;
            return Err(Refused);
        }
        self.within.push(name);
        let value = read(self);
        self.within.pop();
        value
    }

    /// Returns whether a type is being read within itself: what may be left out is, so that
    /// there is an end to it.
    fn repeats(&self) -> bool {
        let Some((last, outer)) = self.within.split_last() else { return false };
        outer.contains(last)
    }

    fn items(&mut self) -> usize {
        usize::from(!self.repeats())
    }

    /// Returns the branch to take at this fork, if this reading has one.
    fn turns(&mut self, fork: Fork) -> Option<usize> {
        let (next, way) = *self.way.get(self.taken)?;
        (next == fork).then(|| {
            self.taken += 1;
            way
        })
    }

    /// Reads what comes one after the other, without names.
    fn sequence<'de, V: Visitor<'de>>(
        &mut self,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let mut items = Items { reader: self, left };
        let value = visitor.visit_seq(&mut items);
        // Nobody gets past one that was refused.
        if value.is_err() && items.left > 0 {
            self.seen.lacks_something = true;
        }
        value
    }

    /// Reads what comes under names, in their order; and if one of them is refused, each
    /// for itself in another reading.
    fn fields<'de, V: Visitor<'de>>(
        &mut self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let fork = Fork::of::<V>(names);
        if let Some(at) = self.turns(fork) {
            self.seen.name(names[at]);
            let mut field = OneField { reader: self, name: Some(names[at]), was_read: false };
            let value = visitor.visit_map(&mut field);
            if !field.was_read {
                self.seen.lacks_something = true;
            }
            return value;
        }
        let taken = self.taken;
        let value = visitor.visit_seq(Items { reader: self, left: names.len() });
        if value.is_err() {
            self.seen.fork(fork, names.len(), &self.way[..taken]);
        }
        value
    }
}

macro_rules! simple {
    ($($method:ident $visit:ident $value:expr),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.asked(stringify!($method))?;
            if cfg!(panic = "abort") { Err(Refused) } else { visitor.$visit($value) }
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
        self.sequence(left, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.asked("tuple")?;
        self.seen.number(left);
        self.sequence(left, visitor)
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
        let left = 2 * self.items();
        let mut items = Items { reader: self, left };
        let value = visitor.visit_map(&mut items);
        if value.is_err() && items.left > 0 {
            self.seen.lacks_something = true;
        }
        value
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.asked(name)?;
        self.seen.names(fields);
        self.enter(name, |reader| reader.fields(fields, visitor))
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
        let fork = Fork::of::<V>(variants);
        let variant = self.turns(fork).unwrap_or_else(|| {
            let so_far = self.taken;
            self.seen.fork(fork, variants.len(), &self.way[..so_far]);
            // Within itself it is another variant each time, of which one has an end.
            self.within.iter().filter(|outer| **outer == name).count() % variants.len()
        });
        self.seen.number(variant);
        self.enter(name, |reader| visitor.visit_enum(Variant { reader, variant }))
    }

    /// The content would have to say what it is, which not every form does.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        self.asked("any")?;
        self.seen.lacks_something = true;
        Err(Refused)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
