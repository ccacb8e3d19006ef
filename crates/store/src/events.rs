//! The log of hits and runs since the last fold, which is appended to without a lock.
//!
//! A record is 64 bytes, written at once, with its own checksum. Readers skip what is torn or
//! flipped, and look for the next record byte by byte. Only statistics and the order of eviction
//! depend on these records, so nothing is synced, an append that coincides with a fold may be
//! lost, and a fold that is killed between applying and deleting them counts hits twice.
//!
//! A hit is one record. A run is two, written at once: the second is its label, the command's
//! name, because a run that was not recorded has no entry to take the name from.

mod appender;
mod past;
mod remotely;

pub use appender::Appender;

use super::Root;
use anyhow::{Context, Result};
use cachex_base::record::entry::{Key, base_name};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use cachex_core::event::{
    CAP, FOLD_EVERY, HIT, LEN, LOG, MAGIC, checksum, fields, put_checksum, record,
};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, SeekFrom};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use past::FILE as PAST;
#[cfg(feature = "cli")]
pub use past::{Call, calls};
pub use remotely::Remotely;

/// The number of bits for the cost of a hit, enough for 18 minutes. The rest counts files.
const COST_BITS: u32 = 40;
const MOST_COST: u64 = (1 << COST_BITS) - 1;
const MOST_FILES: u64 = u64::MAX >> COST_BITS;
const DRAINING: &str = "events.draining-";
/// The mode of these files, by which an [`Appender`] sees that the log which it keeps open was
/// taken. It has all rights that a file of the store has, and one more.
const TAKEN: Mode = Mode::RWXU;
/// The kind of a record that is a label.
const LABEL: u8 = 5;
/// The maximum length of a label's name, in bytes.
pub const MAX_NAME: usize = 24;

/// The reason why a command was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Reason {
    /// There was no record.
    NotRecorded = 0,
    /// The record had expired.
    Expired = 1,
    /// A run was requested in any case.
    Forced = 2,
    /// The record could not be read.
    Unreadable = 3,
    /// A part of the record was gone or damaged.
    Damaged = 4,
    /// The record was still fresh, and was renewed in the background.
    Refresh = 5,
    /// The record is of a call with other output files, or one whose two streams went to one
    /// place where these do not, or the reverse.
    OtherOutputs = 6,
    /// The files of the record could not be put in place.
    NotRestored = 7,
    /// The record has an exit status that is not to be replayed.
    OtherStatus = 8,
    /// A declared file that the run left alone has changed since.
    Edited = 9,
}

impl Reason {
    /// All reasons, each at the index of its number.
    pub const ALL: [Reason; 10] = [
        Reason::NotRecorded,
        Reason::Expired,
        Reason::Forced,
        Reason::Unreadable,
        Reason::Damaged,
        Reason::Refresh,
        Reason::OtherOutputs,
        Reason::NotRestored,
        Reason::OtherStatus,
        Reason::Edited,
    ];
    /// The number of reasons that are counted separately. Later ones are counted with a similar
    /// reason, so that counts written by earlier versions can be read.
    pub const COUNTED: usize = 8;

    /// Returns the reason that this one is counted with.
    pub fn counted_as(self) -> Reason {
        match self {
            Reason::OtherStatus => Reason::Expired,
            Reason::Edited => Reason::NotRestored,
            other => other,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::NotRecorded => "not recorded yet",
            Reason::Expired => "expired",
            Reason::Forced => "forced",
            Reason::Unreadable => "the record could not be read",
            Reason::Damaged => "a part of the record is gone or damaged",
            Reason::Refresh => "renewed in the background",
            Reason::OtherOutputs => "recorded with other outputs",
            Reason::NotRestored => "its files could not be put back",
            Reason::OtherStatus => "recorded with an exit status that is left out",
            Reason::Edited => "a file that the run left alone has changed since",
        })
    }
}

/// The outcome of one call of cachex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The entry was served.
    Hit {
        /// The time that took, in nanoseconds.
        cost: u64,
        /// The number of files that were restored.
        files: u64,
    },
    /// The command was run and failed, and an expired entry was served.
    Stale {
        /// The time that serving took, in nanoseconds.
        cost: u64,
    },
    /// The run was recorded.
    Recorded {
        /// The reason for the run.
        why: Reason,
        /// The size of its output, in bytes.
        size: u64,
    },
    /// The run was not recorded.
    Unrecorded {
        /// The reason for the run.
        why: Reason,
    },
    /// A remote store was asked for the entry, or sent it. This is not a call of its own.
    Remote {
        /// The outcome.
        what: Remotely,
        /// The number of bytes received or sent.
        bytes: u64,
    },
    /// The entry came from elsewhere, where it was used at this time. It is not a call of this
    /// store, so it matters only for the order of eviction.
    Elsewhere,
}

/// One call of cachex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The outcome.
    pub kind: Kind,
    /// The time of the call.
    pub time: Timestamp,
    /// The key of the entry.
    pub key: Key,
    /// The run time of the command, now or when it was recorded, in nanoseconds.
    pub run_time: u64,
}

/// The command name that belongs to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The key.
    pub key: Key,
    /// The name, see [`name_of`].
    pub name: String,
}

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A call.
    Event(Event),
    /// The command of the preceding call.
    Label(Label),
}

/// Returns the name under which a command is counted: the base name of `command`, made readable
/// and cut to [`MAX_NAME`] bytes.
pub fn name_of(command: &[u8]) -> String {
    let mut name = String::from_utf8_lossy(base_name(command)).into_owned();
    name.truncate(name.floor_char_boundary(MAX_NAME));
    name
}

/// Appends one event, and for a run the command as its label. Returns whether a fold is due, in a
/// store that may hold `max_entries`. Of all processes that append at the same time, only the one
/// whose record crosses the mark is told so.
pub fn append(
    root: &Root,
    event: &Event,
    label: Option<&[u8]>,
    max_entries: Option<u64>,
) -> rustix::io::Result<bool> {
    append_to(root, &open(root)?, event, label, max_entries)
}

/// Opens the log for appending.
fn open(root: &Root) -> rustix::io::Result<OwnedFd> {
    fsutil::create_file(root, LOG, OFlags::WRONLY | OFlags::APPEND)
}

fn append_to(
    root: &Root,
    log: &OwnedFd,
    event: &Event,
    label: Option<&[u8]>,
    max_entries: Option<u64>,
) -> rustix::io::Result<bool> {
    failpoint::at("write")?;
    let mut records = [event.encode(), [0; LEN]];
    let mut len = LEN;
    if let Some(command) = label {
        records[1] = Label { key: event.key, name: name_of(command) }.encode();
        len = 2 * LEN;
    }
    let records = &records.as_flattened()[..len];
    let written = fsutil::retry(|| rustix::io::write(log, records))? as u64;
    let end = rustix::fs::seek(log, SeekFrom::Current(0))?;
    if end > CAP {
        fsutil::remove_file(root, LOG)?;
        return Ok(true);
    }
    // If few entries are allowed, an eighth of them is soon recorded.
    let every = max_entries.map_or(FOLD_EVERY, |max| {
        let share = max.saturating_mul(2 * LEN as u64) / 8;
        share.clamp(FOLD_EVERY / 32, FOLD_EVERY)
    });
    Ok(end / every != end.saturating_sub(written) / every)
}

/// Appends known uses elsewhere, unless the log is too long already. Uses that do not fit only
/// affect the order of eviction.
pub fn append_uses(root: &Root, uses: &[(Key, Timestamp)]) -> rustix::io::Result<()> {
    let log = open(root)?;
    let room = (CAP / 2).saturating_sub(rustix::fs::seek(&log, SeekFrom::End(0))?);
    let event = |&(key, time)| Event { kind: Kind::Elsewhere, time, key, run_time: 0 }.encode();
    let records: Vec<[u8; LEN]> = uses.iter().map(event).collect();
    let bytes = records.as_flattened();
    if bytes.len() as u64 <= room { fsutil::write_file(&log, bytes) } else { Ok(()) }
}

/// Returns the events that no fold has taken yet, as far as they can be read. The log stays.
pub fn peek(root: &Root) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for name in fsutil::names(root, ".")? {
        if name.to_str().is_some_and(is_log) {
            events.extend(parse(&read(root, &name)?).into_iter().filter_map(
                |record| match record {
                    Record::Event(event) => Some(event),
                    Record::Label(_) => None,
                },
            ));
        }
    }
    Ok(events)
}

/// Reads a log. One that a fold has removed meanwhile is empty, and so is whatever is no file.
pub fn read(root: &Root, name: impl AsRef<Path>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = fsutil::open_file(root, name).map_err(io::Error::from);
    let read = read.and_then(|file| File::from(file).take(2 * CAP).read_to_end(&mut bytes));
    match read.map_err(|error| (Errno::from_io_error(&error), error)) {
        Ok(_) | Err((Some(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::ISDIR), _)) => {
            Ok(bytes)
        }
        Err((_, error)) => Err(error).context("reading the log of events"),
    }
}

/// Events taken from the log, and the files that hold them until they are applied.
#[derive(Debug, Default)]
pub struct Drained {
    /// The events in the order in which they happened.
    pub events: Vec<Event>,
    /// The names of the commands that were run.
    pub names: HashMap<Key, String>,
    files: Vec<OsString>,
    /// The last records, in the order in which they were written.
    last: Vec<Record>,
}

/// Takes the log away and reads it, along with logs that a killed fold left behind. The caller
/// holds the fold lock.
pub fn drain(root: &Root) -> Result<Drained> {
    let taken = format!("{DRAINING}{:x}", Timestamp::now().0);
    match fsutil::rename(root, LOG, &taken) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno).context("taking the log of events"),
    }
    let mut drained = Drained::default();
    for name in fsutil::names(root, ".")? {
        if name.to_str().is_some_and(|name| name.starts_with(DRAINING)) {
            let _ = fsutil::open_file(root, &name).and_then(|it| rustix::fs::fchmod(it, TAKEN));
            let records = parse(&read(root, &name)?);
            drained.last.extend_from_slice(&records[records.len().saturating_sub(past::KEPT)..]);
            for record in records {
                match record {
                    Record::Event(event) => drained.events.push(event),
                    Record::Label(label) => drop(drained.names.insert(label.key, label.name)),
                }
            }
            drained.files.push(name);
        }
    }
    drained.events.sort_by_key(|event| event.time);
    Ok(drained)
}

impl Drained {
    /// Deletes what was drained, once its effects are safe. The last records are kept for showing
    /// recent calls, if there is room.
    pub fn discard(self, root: &Root) -> Result<()> {
        let _ = past::keep(root, &self.last);
        for name in self.files {
            fsutil::remove_file(root, name).context("removing the log of events")?;
        }
        Ok(())
    }
}

/// Returns whether a file of this name holds events.
pub fn is_log(name: &str) -> bool {
    name == LOG || name.starts_with(DRAINING)
}

/// Returns the number of bytes in a log that are not events. An incomplete end is not included,
/// since it may still be being written.
pub fn junk(root: &Root, name: &str) -> Result<u64> {
    let bytes = read(root, name)?;
    let whole = bytes.len() / LEN * LEN;
    Ok((whole as u64).saturating_sub((parse(&bytes).len() * LEN) as u64))
}

/// Returns the records among these bytes.
pub fn parse(mut bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::with_capacity(bytes.len() / LEN);
    while let Some((record, rest)) = bytes.split_first_chunk::<LEN>() {
        if let Some(record) = Record::decode(record) {
            records.push(record);
            bytes = rest;
        } else {
            bytes = &bytes[1..];
        }
    }
    records
}

// magic (3) | kind, and the reason in its upper half (1) | checksum (4) |
// time (8) | run time (8) | size, or cost and in the upper 24 bits files (8) | key (32)
//
// A label has the name in place of the three numbers, padded with zeros.

impl Event {
    /// Returns the record of an event.
    pub fn encode(&self) -> [u8; LEN] {
        let (kind, number) = match self.kind {
            Kind::Hit { cost, files } => {
                (HIT, cost.min(MOST_COST) | files.min(MOST_FILES) << COST_BITS)
            }
            Kind::Recorded { why, size } => (2 | (why as u8) << 4, size),
            Kind::Unrecorded { why } => (3 | (why as u8) << 4, 0),
            Kind::Stale { cost } => (4, cost),
            Kind::Elsewhere => (6, 0),
            Kind::Remote { what, bytes } => (7 | (what as u8) << 4, bytes),
        };
        record(kind, &fields(self.time.0, self.run_time, number), &self.key.0)
    }
}

impl Label {
    /// Returns the record of a label.
    pub fn encode(&self) -> [u8; LEN] {
        let mut fields = [0; MAX_NAME];
        let len = self.name.floor_char_boundary(MAX_NAME);
        fields[..len].copy_from_slice(&self.name.as_bytes()[..len]);
        record(LABEL, &fields, &self.key.0)
    }
}

impl Record {
    /// Returns the bytes of a record.
    pub fn encode(&self) -> [u8; LEN] {
        match self {
            Record::Event(event) => event.encode(),
            Record::Label(label) => label.encode(),
        }
    }

    fn decode(record: &[u8; LEN]) -> Option<Record> {
        if record[..3] != MAGIC || record[4..8] != checksum(record) {
            return None;
        }
        let key = Key(record[32..].try_into().ok()?);
        if record[3] == LABEL {
            let name = std::str::from_utf8(&record[8..32]).ok()?.trim_end_matches('\0');
            return Some(Record::Label(Label { key, name: name.to_owned() }));
        }
        let number = |at: usize| Some(u64::from_le_bytes(record[at..at + 8].try_into().ok()?));
        let detail = usize::from(record[3] >> 4);
        let why = Reason::ALL.get(detail).copied()?;
        let kind = match record[3] & 0x0f {
            HIT => {
                let number = number(24)?;
                Kind::Hit { cost: number & MOST_COST, files: number >> COST_BITS }
            }
            2 => Kind::Recorded { why, size: number(24)? },
            3 => Kind::Unrecorded { why },
            4 => Kind::Stale { cost: number(24)? },
            6 => Kind::Elsewhere,
            7 => Kind::Remote { what: *Remotely::ALL.get(detail)?, bytes: number(24)? },
            _ => return None,
        };
        Some(Record::Event(Event { kind, time: Timestamp(number(8)?), run_time: number(16)?, key }))
    }
}

/// Returns a record of these bytes with a valid checksum, whatever else it says.
pub fn with_checksum(bytes: &[u8]) -> [u8; LEN] {
    let mut record = [0; LEN];
    let len = bytes.len().min(LEN);
    record[..len].copy_from_slice(&bytes[..len]);
    put_checksum(&mut record);
    record
}

#[cfg(test)]
mod tests;
