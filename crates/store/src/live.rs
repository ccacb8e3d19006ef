//! The live index: the output of a run so far, for those who wait for it.
//!
//! The bytes themselves go to a blob from the first one on (see [`super::blobs`]). Beside it lies
//! this file of 16-byte records: one per chunk, one for each time that the run waits for its own
//! reader, and one for the end of a run that came to its own end. Followers find the names of
//! both files in the lock that the run holds, see [`crate::lock`].
//!
//! Neither file is trusted to keep up with the other: a record may precede its bytes, and a
//! killed run leaves as many of both as were written. The writer holds an exclusive lock on the
//! blob, which shows that it lives. Everybody holds a shared lock on the index, which shows the
//! writer that it is followed.

use super::Root;
use super::temporary::Temporary;
use crate::lock::{End, EndedBy, LiveFiles};
use cachex_base::record::entry::Damaged;
use cachex_base::record::frames::{Frame, Stream};
use cachex_base::system::clock::nanos;
use cachex_base::system::fsutil;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, FlockOperation};
use rustix::io::Errno;
use std::path::Path;
use std::time::Duration;

/// A record of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// The next bytes belong to a stream.
    Chunk(Frame),
    /// The run ended.
    End(End),
    /// The run cannot go on before its own reader takes something. It goes on with the next
    /// chunk, or with the end.
    Paused,
}

/// The length of a record.
pub const LEN: usize = 16;
const CHUNK: [u8; 2] = [Stream::Stdout as u8, Stream::Stderr as u8];
const END: u8 = 2;
const END_STDIN_UNKNOWN: u8 = 3;
const PAUSED: u8 = 4;
const END_BY_SIGNAL: u8 = 5;
const END_BY_LIMIT: u8 = 6;

impl Record {
    /// Encodes a record: its kind, the exit status or signal, six zero bytes and a number. How
    /// much of its input a command read is passed on only if it exited.
    fn encode(self) -> [u8; LEN] {
        let (what, status, number) = match self {
            Record::Chunk(frame) => (CHUNK[frame.stream as usize], 0, frame.len),
            Record::Paused => (PAUSED, 0, 0),
            Record::End(End { how, stdin_consumed }) => match (how, stdin_consumed) {
                (EndedBy::Status(status), Some(n)) => (END, status, n),
                (EndedBy::Status(status), None) => (END_STDIN_UNKNOWN, status, 0),
                (EndedBy::Signal(signal), _) => (END_BY_SIGNAL, signal, 0),
                (EndedBy::TimeLimit(limit), _) => (END_BY_LIMIT, 0, nanos(limit)),
            },
        };
        let mut bytes = [0; LEN];
        (bytes[0], bytes[1]) = (what, status);
        bytes[8..].copy_from_slice(&number.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; LEN]) -> Result<Record, Damaged> {
        let [what, status, rest @ ..] = bytes;
        let (nothing, number) = rest.split_at(6);
        let number = u64::from_le_bytes(number.try_into().map_err(|_| Damaged)?);
        if nothing != [0; 6] {
            return Err(Damaged);
        }
        let end = |how, stdin_consumed| Ok(Record::End(End { how, stdin_consumed }));
        match (*what, *status, number) {
            (0 | 1, 0, len) => {
                Ok(Record::Chunk(Frame { stream: Stream::BOTH[usize::from(*what)], len }))
            }
            (PAUSED, 0, 0) => Ok(Record::Paused),
            (END, status, n) => end(EndedBy::Status(status), Some(n)),
            (END_STDIN_UNKNOWN, status, 0) => end(EndedBy::Status(status), None),
            (END_BY_SIGNAL, signal, 0) => end(EndedBy::Signal(signal), None),
            (END_BY_LIMIT, 0, n) => end(EndedBy::TimeLimit(Duration::from_nanos(n)), None),
            _ => Err(Damaged),
        }
    }
}

/// The index of a run in progress. The file is removed on drop.
pub struct NewIndex<'a> {
    name: Temporary<'a>,
    file: OwnedFd,
}

impl<'a> NewIndex<'a> {
    /// Creates an index.
    pub fn new(root: &'a Root) -> rustix::io::Result<NewIndex<'a>> {
        let (name, file) = Temporary::create(root)?;
        share(&file)?;
        Ok(NewIndex { name, file })
    }

    /// Returns the name of the file in the store.
    pub fn name(&self) -> Option<&Path> {
        self.name.name()
    }

    /// Appends a record, all of it at once.
    pub fn append(&self, record: Record) -> rustix::io::Result<()> {
        fsutil::write_file(&self.file, &record.encode())
    }

    /// Returns whether another process reads the index.
    pub fn is_followed(&self) -> bool {
        // An exclusive lock fails while others share it. Trying loses the own shared lock.
        let alone = rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive);
        let shared = share(&self.file);
        alone == Err(Errno::WOULDBLOCK) && shared.is_ok()
    }
}

fn share(file: &OwnedFd) -> rustix::io::Result<()> {
    fsutil::retry(|| rustix::fs::flock(file, FlockOperation::NonBlockingLockShared))
}

/// The two files of another process's run.
pub struct Live {
    data: OwnedFd,
    index: OwnedFd,
}

impl Live {
    /// Opens the files of these names. Returns `None` if they are not those of a run in progress.
    pub fn open(root: &Root, names: &LiveFiles) -> rustix::io::Result<Option<Live>> {
        let data = fsutil::open_file(root, &names.data)?;
        let index = fsutil::open_file(root, &names.index)?;
        for file in [&data, &index] {
            if FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode) != FileType::RegularFile {
                return Ok(None);
            }
        }
        // A blob that can be locked is no longer being written.
        let alive = share(&data) == Err(Errno::WOULDBLOCK);
        Ok((alive && share(&index).is_ok()).then_some(Live { data, index }))
    }

    /// Returns the file with the bytes of both streams.
    pub fn data(&self) -> BorrowedFd<'_> {
        self.data.as_fd()
    }

    /// Takes and returns the next record, or `None` if there is none yet.
    pub fn next(&self, records: &mut Records) -> Result<Option<Record>, Damaged> {
        let next = self.peek(records)?;
        records.at += if next.is_some() { LEN } else { 0 };
        Ok(next)
    }

    /// Returns the next record without taking it.
    pub fn peek(&self, records: &mut Records) -> Result<Option<Record>, Damaged> {
        if records.at == records.buffer.len() {
            records.buffer.resize(256 * LEN, 0);
            records.at = 0;
            let read = fsutil::pread(&self.index, &mut records.buffer, records.offset);
            let read = read.map_err(|_| Damaged);
            let whole = read.map_or(0, |read| read - read % LEN);
            records.buffer.truncate(whole);
            read?;
            records.offset += whole as u64;
        }
        records.buffer[records.at..].first_chunk().map(Record::decode).transpose()
    }

    /// Returns the number of bytes of both streams so far.
    pub fn len(&self) -> Option<u64> {
        Some(rustix::fs::fstat(&self.data).ok()?.st_size as u64)
    }
}

/// The position in the records of an index.
#[derive(Default)]
pub struct Records {
    offset: u64,
    buffer: Vec<u8>,
    at: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_survive_their_encoding() {
        for stream in Stream::BOTH {
            for len in [0, 1, u64::MAX] {
                let record = Record::Chunk(Frame { stream, len });
                assert_eq!(Record::decode(&record.encode()), Ok(record));
            }
        }
        for stdin_consumed in [None, Some(0), Some(u64::MAX)] {
            let record = Record::End(End { how: EndedBy::Status(255), stdin_consumed });
            assert_eq!(Record::decode(&record.encode()), Ok(record));
        }
        for how in [EndedBy::Signal(9), EndedBy::TimeLimit(Duration::from_secs(1))] {
            let record = Record::End(End { how, stdin_consumed: None });
            assert_eq!(Record::decode(&record.encode()), Ok(record));
        }
        assert_eq!(Record::decode(&Record::Paused.encode()), Ok(Record::Paused));
    }

    proptest! {
        #[test]
        fn any_bytes_are_one_record_or_none(bytes: [u8; LEN], what in 0..8_u8) {
            for bytes in [bytes, [[what, 7].as_slice(), &[0; 6], &bytes[8..]].concat().try_into().unwrap()] {
                if let Ok(record) = Record::decode(&bytes) {
                    prop_assert_eq!(record.encode(), bytes);
                }
            }
        }
    }
}
