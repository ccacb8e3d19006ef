//! Records what a command prints, in bounded memory.
//!
//! Bytes and frames each start in memory and move to a blob when they outgrow an entry. If a
//! recording cannot go on, because the store is full or the output too long, it is given up, and
//! the command does not notice.
//!
//! A run that others wait for is shared with them from its first byte: its bytes go to the blob
//! at once, and a live index beside it describes them (see [`crate::live`]). This never holds up
//! the command: it waits for none of their readers, and if the index cannot be written, they go
//! without.

use crate::blobs::{NewBlob, WholeBlob};
use crate::live::{NewIndex, Record};
use crate::lock::{End, LiveFiles, Lock};
use crate::room::Room;
use crate::{Root, account, live};
use cachex_base::process::lineage::Pipe;
use cachex_base::record::entry::{Bytes, INLINE_LIMIT};
use cachex_base::record::frames::{Frame, Stream};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::thread::sleep;
use std::time::{Duration, Instant};

const FRAMES_INLINE_LIMIT: usize = 512;
/// The number of bytes of frames that are encoded in memory before they go to their blob.
const FRAMES_BATCH: usize = 16 * 1024;

/// The time that waiting processes have to start following.
const BEGINNING: Duration = Duration::from_secs(1);
/// The interval at which to check whether they have.
const GLANCE: Duration = Duration::from_millis(2);

/// The reason why there is no recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// The output is longer than may be recorded.
    TooLong,
    /// The store has no room for it, whatever else is removed.
    NoRoom,
    /// The store could not be written.
    Failed(Errno),
}

impl From<Errno> for GaveUp {
    fn from(errno: Errno) -> GaveUp {
        GaveUp::Failed(errno)
    }
}

/// A recording in progress.
pub struct Recorder<'a> {
    root: &'a Root,
    limit: u64,
    total: u64,
    data: Part<'a>,
    frames: Part<'a>,
    encoded: Vec<u8>,
    last: Option<Frame>,
    gave_up: Option<GaveUp>,
    /// True once what comes is neither recorded nor followed.
    is_for_nobody: bool,
    sharing: Sharing<'a>,
    /// The lock that possible followers wait for.
    lock: Option<&'a Lock>,
    /// The time from which others could follow.
    shared: Option<Instant>,
    /// True if both streams came through one pipe.
    is_of_one_pipe: bool,
    /// True if children of the command may have printed some of it.
    is_helped: bool,
    is_paused: bool,
    /// The bytes in the index of a live run.
    indexed: u64,
    room: Room<'a>,
}

/// The use that a run may be to the processes that wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// The run may be recorded.
    Record,
    /// The run is not recorded, but is of use to those who can follow it.
    Following,
    /// The run did not come to its own end, and is of no use to others.
    Nothing,
}

/// The state of sharing a run with others.
enum Sharing<'a> {
    /// Others cannot follow the run.
    Not,
    /// Others can follow as soon as the run prints something; this lock tells them.
    Wanted(&'a Lock),
    /// Others follow the run through this index.
    Live(NewIndex<'a>),
}

impl<'a> Recorder<'a> {
    /// Creates a recorder of up to `limit` bytes, which claims its space from `room`.
    pub fn new(root: &'a Root, limit: u64, room: Room<'a>) -> Recorder<'a> {
        Recorder {
            root,
            limit,
            total: 0,
            data: Part::new(INLINE_LIMIT),
            frames: Part::new(FRAMES_INLINE_LIMIT),
            encoded: Vec::new(),
            last: None,
            gave_up: None,
            is_for_nobody: false,
            sharing: Sharing::Not,
            lock: None,
            shared: None,
            is_of_one_pipe: false,
            is_helped: false,
            is_paused: false,
            indexed: 0,
            room,
        }
    }

    /// Shares the run with the processes that wait for `lock`, if it is given.
    pub fn shared_by(self, lock: Option<&'a Lock>) -> Recorder<'a> {
        Recorder { sharing: lock.map_or(Sharing::Not, Sharing::Wanted), lock, ..self }
    }

    /// Notes that both streams come through one pipe, as standard output. Must be called before
    /// anything is recorded.
    pub fn note_one_pipe(&mut self) {
        self.is_of_one_pipe = true;
        self.last = Some(Frame::ONE_PIPE);
    }

    /// Notes that children of the command may have printed some of the output.
    pub fn note_help(&mut self) {
        self.is_helped = true;
    }

    /// Notes that the command starts and writes to these pipes. They identify a process that the
    /// command starts and that would wait for this run.
    pub fn begins(&self, pipes: impl IntoIterator<Item = Pipe>) {
        if let Sharing::Wanted(lock) = self.sharing {
            lock.add_pipes(pipes);
        }
    }

    /// Notes that no output comes until a reader of this process takes some. Followers need not
    /// wait for that.
    pub fn pauses(&mut self) {
        if let Sharing::Live(index) = &self.sharing
            && !self.is_paused
        {
            self.is_paused = index.append(Record::Paused).is_ok();
        }
    }

    /// Leaves followers to run the command themselves: what comes now is due to this process's reader.
    pub fn is_followed_no_more(&mut self) {
        if let Sharing::Live(_) = self.sharing {
            self.sharing = Sharing::Not;
        }
    }

    /// Records a chunk of a stream.
    pub fn append(&mut self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Sharing::Wanted(lock) = self.sharing {
            // A run that cannot be shared may still be recorded.
            self.sharing = self.share(lock).map_or(Sharing::Not, Sharing::Live);
        }
        self.is_paused = false;
        self.total = self.total.saturating_add(bytes.len() as u64);
        if self.total > self.limit {
            self.gave_up.get_or_insert(GaveUp::TooLong);
        }
        if self.gave_up.is_some() && !self.is_followed() && !self.is_awaited() {
            // Remove what was written so far now, not when the command ends.
            self.is_for_nobody = true;
            self.forget();
        } else if let Err(why) = self.try_append(stream, bytes) {
            self.gave_up = Some(why);
            self.is_for_nobody = !self.is_followed();
            self.forget();
        }
    }

    /// Returns whether what comes is neither recorded nor followed.
    pub fn is_for_nobody(&self) -> bool {
        self.is_for_nobody
    }

    fn try_append(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), GaveUp> {
        failpoint::at("tee")?;
        if self.data.is_written_with(bytes) && !self.room.claim(bytes.len() as u64)? {
            return Err(GaveUp::NoRoom);
        }
        if let Err(errno) = self.data.append(self.root, bytes) {
            // The copy in memory is enough for a record.
            if self.data.memory.is_none() {
                return Err(errno.into());
            }
            self.data.blob = None;
            self.sharing = Sharing::Not;
        }
        let frame = Frame { stream, len: bytes.len() as u64 };
        if let Sharing::Live(index) = &self.sharing {
            self.indexed += live::LEN as u64;
            // The first block is hardly anything, and mostly enough.
            let has_room = self.indexed <= account::BLOCK || self.room.claim(live::LEN as u64)?;
            if !has_room || index.append(Record::Chunk(frame)).is_err() {
                self.sharing = Sharing::Not;
            }
        }
        if self.gave_up.is_some() {
            return Ok(());
        }
        match &mut self.last {
            Some(last) if last.stream == stream => last.len += frame.len,
            last => {
                if let Some(done) = last.replace(frame) {
                    done.encode(&mut self.encoded);
                }
            }
        }
        if self.encoded.len() >= FRAMES_BATCH {
            let len = self.encoded.len() as u64;
            if self.frames.is_written_with(&self.encoded) && !self.room.claim(len)? {
                return Err(GaveUp::NoRoom);
            }
            self.frames.append(self.root, &self.encoded)?;
            self.encoded.clear();
        }
        Ok(())
    }

    /// Tells those who wait for the lock where they can follow the run.
    fn share(&mut self, lock: &Lock) -> Option<NewIndex<'a>> {
        let index = NewIndex::new(self.root).ok()?;
        let blob = NewBlob::new(self.root).ok()?;
        let (data, name) = (blob.name()?.to_owned(), index.name()?.to_owned());
        if self.is_of_one_pipe {
            index.append(Record::Chunk(Frame::ONE_PIPE)).ok()?;
        }
        lock.publish(&LiveFiles { data, index: name }).ok()?;
        self.data.blob = Some(blob);
        self.shared = Some(Instant::now());
        Some(index)
    }

    fn is_followed(&self) -> bool {
        matches!(&self.sharing, Sharing::Live(index) if index.is_followed())
    }

    /// Returns whether a waiting process has not started to follow, but still has time to.
    fn is_awaited(&self) -> bool {
        self.shared.is_some_and(|since| since.elapsed() < BEGINNING)
            && self.lock.is_some_and(|lock| lock.is_awaited(self.root))
    }

    fn forget(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.drop_output();
        }
        self.sharing = Sharing::Not;
        self.data.blob = None;
        self.frames.blob = None;
        self.room.give_back();
    }

    /// Returns the means to tell waiting processes how the run ended. Must be called when no more
    /// output comes. Everything that followers were promised is there then. If there will be no
    /// record to serve them, those who have not started to follow get time to do so first.
    pub fn ending(&mut self, prospect: Prospect) -> Ending<'a> {
        let is_recorded = prospect == Prospect::Record && self.gave_up.is_none();
        if matches!(self.sharing, Sharing::Live(_)) && prospect != Prospect::Nothing && !is_recorded
        {
            self.shared = Some(Instant::now());
            while self.is_awaited() {
                sleep(GLANCE);
            }
        }
        let sharing = std::mem::replace(&mut self.sharing, Sharing::Not);
        if let (Sharing::Live(_), Some(blob)) = (&sharing, &mut self.data.blob)
            && let Err(errno) = blob.settle()
        {
            self.gave_up = Some(GaveUp::Failed(errno));
            self.forget();
            return Ending(Sharing::Not);
        }
        Ending(sharing)
    }

    /// Returns the complete recording, or the reason why there is none.
    pub fn finish(mut self) -> Result<Recording<'a>, GaveUp> {
        if let Some(last) = self.last.take() {
            last.encode(&mut self.encoded);
            if self.is_helped {
                Frame::HELPED.encode(&mut self.encoded);
            }
        }
        if self.gave_up.is_none() {
            self.frames.append(self.root, &self.encoded)?;
        }
        if let Some(why) = self.gave_up {
            return Err(why);
        }
        let data = self.data.finish()?;
        let frames = self.frames.finish()?;
        Ok(Recording { root: self.root, data, frames, room: self.room })
    }
}

/// A handle that tells waiting processes of the end of a run. If it is dropped unused, they go on
/// waiting for their turn.
pub struct Ending<'a>(Sharing<'a>);

impl Ending<'_> {
    /// Tells that the run came to its own end, and how. A run that printed nothing and was
    /// recorded needs no telling: its record does that.
    pub fn tell(self, end: End, is_recorded: bool) {
        match self.0 {
            Sharing::Live(index) => {
                let _ = index.append(Record::End(end));
            }
            Sharing::Wanted(lock) if !is_recorded => lock.conclude(&end),
            Sharing::Wanted(_) | Sharing::Not => {}
        }
    }
}

/// A whole recording that has no name in the store yet.
pub struct Recording<'a> {
    root: &'a Root,
    data: Whole<'a>,
    frames: Whole<'a>,
    room: Room<'a>,
}

impl<'a> Recording<'a> {
    /// Claims room for a file that belongs to the recording. Returns whether there is any.
    pub fn claim_file(&mut self, len: u64) -> rustix::io::Result<bool> {
        self.room.claim_file(len)
    }

    /// Returns a reader of the output of both streams.
    pub fn reader(&self) -> std::io::Result<Box<dyn Read + '_>> {
        Ok(match &self.data {
            Whole::Inline(bytes) => Box::new(&bytes[..]),
            Whole::Blob(blob) => {
                let name = blob.name().ok_or(std::io::ErrorKind::NotFound)?;
                Box::new(File::from(fsutil::open_file(self.root, name)?))
            }
        })
    }

    /// Moves blobs to their places in the store, and returns them with the room that was claimed.
    /// The caller holds the publish lock.
    pub fn keep(self) -> rustix::io::Result<(Bytes, Bytes, Room<'a>)> {
        Ok((self.data.keep()?, self.frames.keep()?, self.room))
    }
}

enum Whole<'a> {
    Inline(Vec<u8>),
    Blob(WholeBlob<'a>),
}

impl Whole<'_> {
    fn keep(self) -> rustix::io::Result<Bytes> {
        match self {
            Whole::Inline(bytes) => Ok(Bytes::Inline(bytes)),
            Whole::Blob(blob) => blob.keep().map(Bytes::Blob),
        }
    }
}

/// Bytes that move from memory to a blob once they exceed a limit.
struct Part<'a> {
    limit: usize,
    /// All bytes, as long as they are within the limit.
    memory: Option<Vec<u8>>,
    /// All bytes, once they exceed the limit, or from the beginning.
    blob: Option<NewBlob<'a>>,
}

impl<'a> Part<'a> {
    fn new(limit: usize) -> Part<'a> {
        Part { limit, memory: Some(Vec::new()), blob: None }
    }

    /// Returns whether these bytes are written to a file, or cause one to be created.
    fn is_written_with(&self, bytes: &[u8]) -> bool {
        self.blob.is_some() || !self.fits_with(bytes)
    }

    /// Returns whether all bytes are within the limit with these added.
    fn fits_with(&self, bytes: &[u8]) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.len() + bytes.len() <= self.limit)
    }

    fn append(&mut self, root: &'a Root, bytes: &[u8]) -> rustix::io::Result<()> {
        if self.memory.is_some() && !self.fits_with(bytes) {
            let memory = self.memory.take().unwrap_or_default();
            if self.blob.is_none() {
                self.blob.insert(NewBlob::new(root)?).append(&memory)?;
            }
        }
        if let Some(memory) = &mut self.memory {
            memory.extend_from_slice(bytes);
        }
        match &mut self.blob {
            Some(blob) => blob.append(bytes),
            None => Ok(()),
        }
    }

    fn finish(self) -> rustix::io::Result<Whole<'a>> {
        match (self.memory, self.blob) {
            (Some(memory), _) => Ok(Whole::Inline(memory)),
            (None, Some(blob)) => blob.finish().map(Whole::Blob),
            (None, None) => Err(Errno::IO),
        }
    }
}
