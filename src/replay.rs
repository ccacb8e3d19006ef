//! Playing a recording back: every byte verified before the first is written.

use crate::entry::{Bytes, Entry};
use crate::frames::{Frame, Frames, Stream};
use crate::fsutil;
use crate::store::{Root, blobs};
use rustix::fd::BorrowedFd;
use rustix::fs::OFlags;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// Below this, a read and a write cost less than asking the kernel to copy.
const COPY_BY_HAND: u64 = 64 * 1024;

/// An entry whose bytes are at hand and verified.
pub struct Replay {
    entry: Entry,
    data: Option<File>,
    frames: Option<File>,
}

impl Replay {
    /// Verifies what the entry keeps in blobs. None: some of it is gone or damaged.
    pub fn prepare(root: &Root, entry: Entry) -> rustix::io::Result<Option<Replay>> {
        let open = |bytes: &Bytes| match bytes.blob() {
            None => Ok(Some(None)),
            Some(blob) => Ok(blobs::open(root, &blob)?.map(Some)),
        };
        let (Some(data), Some(frames)) = (open(&entry.data)?, open(&entry.frames)?) else {
            return Ok(None);
        };
        Ok(Some(Replay { entry, data, frames }))
    }

    /// The entry it is of.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Writes both streams in the order in which they came.
    pub fn play(&mut self) -> io::Result<()> {
        match (&self.entry.frames, self.frames.take()) {
            (Bytes::Inline(frames), _) => self.play_frames(Frames(frames.iter().copied())),
            (Bytes::Blob(_), Some(file)) => {
                let bytes = BufReader::with_capacity(COPY_BY_HAND as usize, file).bytes();
                self.play_frames(Frames(bytes.map_while(Result::ok)))
            }
            (Bytes::Blob(_), None) => Ok(()),
        }
    }

    fn play_frames<I: Iterator<Item = u8>>(&self, frames: Frames<I>) -> io::Result<()> {
        let mut played = 0;
        let mut file =
            self.data.as_ref().map(|file| BufReader::with_capacity(COPY_BY_HAND as usize, file));
        for frame in frames {
            let Frame { stream, len } = frame.map_err(io::Error::other)?;
            let out = match stream {
                Stream::Stdout => rustix::stdio::stdout(),
                Stream::Stderr => rustix::stdio::stderr(),
            };
            match (&self.entry.data, &mut file) {
                (Bytes::Inline(data), _) => {
                    let bytes = data.get(played as usize..(played + len) as usize);
                    fsutil::write_all(out, bytes.unwrap_or_default())?;
                }
                (Bytes::Blob(_), Some(file)) => copy(file, len, out)?,
                (Bytes::Blob(_), None) => {}
            }
            played += len;
        }
        Ok(())
    }
}

/// Copies the next `len` bytes, what is long inside the kernel where it can
/// (`copy_file_range`, `sendfile`, `splice`).
fn copy(reader: &mut BufReader<&File>, mut len: u64, out: BorrowedFd<'_>) -> io::Result<()> {
    while len > 0 {
        let buffered = reader.buffer().len() as u64;
        if buffered == 0 && len > COPY_BY_HAND && !is_nonblocking(out)? {
            let mut out = File::from(out.try_clone_to_owned()?);
            io::copy(&mut reader.get_ref().take(len), &mut out)?;
            return Ok(());
        }
        let bytes = reader.fill_buf()?;
        let n = bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX));
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        fsutil::write_all(out, &bytes[..n])?;
        reader.consume(n);
        len -= n as u64;
    }
    Ok(())
}

/// Whether somebody made it so; the kernel's copying does not wait then, and
/// does not say how far it came.
fn is_nonblocking(out: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(rustix::fs::fcntl_getfl(out)?.contains(OFlags::NONBLOCK))
}
