//! Recording what a command prints, in bounded memory.
//!
//! Bytes and frames each start in memory and move to a blob in the making when
//! they outgrow an entry. A recording that cannot go on, because the store is
//! full or the output too long, is given up; the command never notices.

use crate::entry::{Bytes, INLINE_LIMIT};
use crate::failpoint;
use crate::frames::{Frame, Stream};
use crate::store::Root;
use crate::store::blobs::{NewBlob, WholeBlob};
use rustix::io::Errno;

const FRAMES_INLINE_LIMIT: usize = 512;
/// Frames are encoded in memory up to here before they go to their blob.
const FRAMES_BATCH: usize = 16 * 1024;

/// Why there is no recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// The output is longer than what may be recorded.
    TooLong,
    /// The store could not be written.
    Failed(Errno),
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
}

impl<'a> Recorder<'a> {
    /// Records up to `limit` bytes.
    pub fn new(root: &'a Root, limit: u64) -> Recorder<'a> {
        Recorder {
            root,
            limit,
            total: 0,
            data: Part::new(INLINE_LIMIT),
            frames: Part::new(FRAMES_INLINE_LIMIT),
            encoded: Vec::new(),
            last: None,
            gave_up: None,
        }
    }

    /// Takes down a chunk of a stream.
    pub fn append(&mut self, stream: Stream, bytes: &[u8]) {
        if self.gave_up.is_some() || bytes.is_empty() {
            return;
        }
        self.total += bytes.len() as u64;
        let outcome = if self.total > self.limit {
            Err(GaveUp::TooLong)
        } else {
            self.try_append(stream, bytes).map_err(GaveUp::Failed)
        };
        if let Err(why) = outcome {
            self.give_up(why);
        }
    }

    fn try_append(&mut self, stream: Stream, bytes: &[u8]) -> rustix::io::Result<()> {
        failpoint::at("tee")?;
        self.data.append(self.root, bytes)?;
        match &mut self.last {
            Some(last) if last.stream == stream => last.len += bytes.len() as u64,
            last => {
                if let Some(done) = last.replace(Frame { stream, len: bytes.len() as u64 }) {
                    done.encode(&mut self.encoded);
                }
            }
        }
        if self.encoded.len() >= FRAMES_BATCH {
            self.frames.append(self.root, &self.encoded)?;
            self.encoded.clear();
        }
        Ok(())
    }

    fn give_up(&mut self, why: GaveUp) {
        self.gave_up = Some(why);
        // What was written so far is removed now, not when the command ends.
        self.data.blob = None;
        self.frames.blob = None;
    }

    /// What was taken down, all of it or nothing.
    pub fn finish(mut self) -> Result<Recording<'a>, GaveUp> {
        if let Some(last) = self.last.take() {
            last.encode(&mut self.encoded);
        }
        if self.gave_up.is_none() {
            self.frames.append(self.root, &self.encoded).map_err(GaveUp::Failed)?;
        }
        if let Some(why) = self.gave_up {
            return Err(why);
        }
        let data = self.data.finish().map_err(GaveUp::Failed)?;
        let frames = self.frames.finish().map_err(GaveUp::Failed)?;
        Ok(Recording { data, frames })
    }
}

/// A whole recording that has no name in the store yet.
pub struct Recording<'a> {
    data: Whole<'a>,
    frames: Whole<'a>,
}

impl Recording<'_> {
    /// Puts what is in blobs in its place. The caller holds the publish lock.
    pub fn keep(self) -> rustix::io::Result<(Bytes, Bytes)> {
        Ok((self.data.keep()?, self.frames.keep()?))
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

/// Bytes that move from memory to a blob.
struct Part<'a> {
    limit: usize,
    memory: Vec<u8>,
    blob: Option<NewBlob<'a>>,
}

impl<'a> Part<'a> {
    fn new(limit: usize) -> Part<'a> {
        Part { limit, memory: Vec::new(), blob: None }
    }

    fn append(&mut self, root: &'a Root, bytes: &[u8]) -> rustix::io::Result<()> {
        if let Some(blob) = &mut self.blob {
            return blob.append(bytes);
        }
        if self.memory.len() + bytes.len() <= self.limit {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        let blob = self.blob.insert(NewBlob::new(root)?);
        blob.append(&std::mem::take(&mut self.memory))?;
        blob.append(bytes)
    }

    fn finish(self) -> rustix::io::Result<Whole<'a>> {
        match self.blob {
            Some(blob) => blob.finish().map(Whole::Blob),
            None => Ok(Whole::Inline(self.memory)),
        }
    }
}
