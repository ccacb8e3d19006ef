//! The encoding of compound values.

use super::{Encoder, Encoding, Purpose, Tag, Unwritable, encode};
use serde::{Serialize, ser};
use std::marker::PhantomData;

/// Several things, up to a tag that none of them begins with.
pub struct Group<'a, P> {
    pub(super) out: &'a mut Encoding,
    /// The elements that are written in the order of their encodings, once all are there.
    pub(super) sorted: Option<Vec<Encoding>>,
    pub(super) purpose: PhantomData<P>,
}

impl<P: Purpose> Group<'_, P> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        match &mut self.sorted {
            None => encode::<P, T>(value, self.out),
            Some(sorted) => {
                let mut own = Encoding::new();
                encode::<P, T>(value, &mut own)?;
                sorted.push(own);
                Ok(())
            }
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Unwritable> {
        let tag = if P::NAMES_TYPES { Tag::Field } else { Tag::Str };
        Encoder::<P>::of::<T>(self.out).bytes(tag, name.as_bytes());
        self.add(value)
    }

    fn close(self) {
        write_sorted(self.sorted, self.out);
        self.out.push(Tag::End as u8);
    }
}

fn write_sorted(sorted: Option<Vec<Encoding>>, out: &mut Encoding) {
    let Some(mut sorted) = sorted else { return };
    sorted.sort_by(|one, other| one.cmp(other));
    for one in sorted {
        out.extend_from_slice(&one);
    }
}

macro_rules! group {
    ($($kind:ident $add:ident),+) => {$(
        impl<P: Purpose> ser::$kind for Group<'_, P> {
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
        impl<P: Purpose> ser::$kind for Group<'_, P> {
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

/// The pairs of a map.
pub struct Pairs<'a, P> {
    pub(super) out: &'a mut Encoding,
    /// The elements that are written in the order of their encodings, once all are there.
    pub(super) whole: Option<Vec<Encoding>>,
    pub(super) key: Encoding,
    pub(super) purpose: PhantomData<P>,
}

impl<P: Purpose> ser::SerializeMap for Pairs<'_, P> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        match self.whole {
            None => encode::<P, T>(key, self.out),
            Some(_) => encode::<P, T>(key, &mut self.key),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        let Some(whole) = &mut self.whole else { return encode::<P, T>(value, self.out) };
        let mut pair = std::mem::take(&mut self.key);
        encode::<P, T>(value, &mut pair)?;
        whole.push(pair);
        Ok(())
    }

    fn end(self) -> Result<(), Unwritable> {
        write_sorted(self.whole, self.out);
        self.out.push(Tag::End as u8);
        Ok(())
    }
}
