//! Records as a store in memory keeps them.

use super::backend::{Record, Stored};
use cachex_base::system::clock::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// The longest encoded value that lies in the table itself.
const SHORT: usize = 39;
/// The deadline of a short record that has none.
const NEVER: Timestamp = Timestamp(u64::MAX);

/// A record in memory.
#[derive(Clone)]
pub enum Kept {
    /// A record that lies in the table itself, so that a hit reads no other part of the memory, and
    /// counts no references: either takes as long as finding the record.
    Short(Short),
    /// Any other one.
    Whole(Arc<Record>),
}

/// A record with a short value, without tags, and with a name that is part of the program.
#[derive(Clone, Copy)]
pub struct Short {
    name: &'static str,
    created: Timestamp,
    expires: Timestamp,
    /// The time it took to compute, in nanoseconds.
    took: u64,
    len: u8,
    value: [u8; SHORT],
}

impl Short {
    /// Returns the short form of a record, if it has one.
    fn of(record: &Record) -> Option<Short> {
        let Record { value, created, expires, stale_for: None, took, name, tags } = record else {
            return None;
        };
        let Cow::Borrowed(name) = *name else { return None };
        let expires = expires.unwrap_or(NEVER);
        if !tags.is_empty() || (expires == NEVER) != record.expires.is_none() {
            return None;
        }
        let took = u64::try_from(took.as_nanos()).ok()?;
        let mut short = Short { name, created: *created, expires, took, len: 0, value: [0; SHORT] };
        short.value.get_mut(..value.len())?.copy_from_slice(value);
        short.len = value.len() as u8;
        Some(short)
    }

    #[inline]
    fn value(&self) -> &[u8] {
        &self.value[..usize::from(self.len)]
    }

    fn expires(&self) -> Option<Timestamp> {
        (self.expires != NEVER).then_some(self.expires)
    }
}

impl Kept {
    /// Returns the form in which a record is kept.
    pub fn of(record: &Arc<Record>) -> Kept {
        Short::of(record).map_or_else(|| Kept::Whole(record.clone()), Kept::Short)
    }

    /// Returns the record.
    pub fn record(&self) -> Cow<'_, Record> {
        match self {
            Kept::Short(short) => Cow::Owned(Record {
                value: short.value().to_vec(),
                created: short.created,
                expires: short.expires(),
                stale_for: None,
                took: Duration::from_nanos(short.took),
                name: Cow::Borrowed(short.name),
                tags: Vec::new(),
            }),
            Kept::Whole(record) => Cow::Borrowed(record),
        }
    }

    /// Returns the record, to be shared.
    pub fn into_record(self) -> Arc<Record> {
        match self {
            Kept::Whole(record) => record,
            Kept::Short(_) => Arc::new(self.record().into_owned()),
        }
    }

    /// Returns the record without its value.
    pub fn stored(&self) -> Stored<'_> {
        match self {
            Kept::Short(short) => Stored {
                name: short.name,
                tags: &[],
                created: short.created,
                expires: short.expires(),
                took: Duration::from_nanos(short.took),
            },
            Kept::Whole(record) => record.stored(),
        }
    }

    /// Returns the encoded value.
    #[inline]
    pub fn value(&self) -> &[u8] {
        match self {
            Kept::Short(short) => short.value(),
            Kept::Whole(record) => &record.value,
        }
    }

    /// Returns the time when it had been computed.
    #[inline]
    pub fn created(&self) -> Timestamp {
        match self {
            Kept::Short(short) => short.created,
            Kept::Whole(record) => record.created,
        }
    }

    /// Returns whether it may be served now, see [`Record::is_fresh`].
    #[inline]
    pub fn is_fresh(&self) -> bool {
        match self {
            Kept::Short(short) => {
                short.expires == NEVER || Timestamp::is_between(short.created, short.expires)
            }
            Kept::Whole(record) => record.is_fresh(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(len: usize) -> Record {
        Record {
            value: vec![7; len],
            created: Timestamp(3),
            expires: Some(Timestamp(5)),
            stale_for: None,
            took: Duration::from_nanos(9),
            name: Cow::Borrowed("test"),
            tags: Vec::new(),
        }
    }

    #[test]
    fn every_record_is_given_back_as_it_was() {
        let plain = [0, SHORT, SHORT + 1].map(record);
        let special = [
            Record { expires: None, ..record(9) },
            Record { expires: Some(NEVER), ..record(9) },
            Record { stale_for: Some(Duration::ZERO), ..record(9) },
            Record { took: Duration::MAX, ..record(9) },
            Record { name: Cow::Owned("test".to_owned()), ..record(9) },
            Record { tags: vec!["tag".to_owned()], ..record(9) },
        ];
        let mut short = Vec::new();
        for record in plain.into_iter().chain(special) {
            let kept = Kept::of(&Arc::new(record.clone()));
            short.push(matches!(kept, Kept::Short(_)));
            assert_eq!(*kept.record(), record);
            assert_eq!(kept.value(), record.value);
            assert_eq!((kept.created(), kept.is_fresh()), (record.created, record.is_fresh()));
            assert_eq!(format!("{:?}", kept.stored()), format!("{:?}", record.stored()));
            assert_eq!(*kept.into_record(), record);
        }
        assert_eq!(short, [true, true, false, true, false, false, false, false, false]);
    }
}
