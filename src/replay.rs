//! Playing a recording back: every byte verified before the first is written.

use crate::entry::{Bytes, Entry};
use crate::frames::{Frame, Frames, Stream};
use crate::fsutil;
use crate::store::{Root, blobs};
use rustix::fd::BorrowedFd;
use rustix::fs::{OFlags, SeekFrom};
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
    /// Verifies what the entry keeps in blobs, and that its frames are of all of
    /// its bytes and no more. None: some of it is gone or damaged.
    pub fn prepare(root: &Root, entry: Entry) -> rustix::io::Result<Option<Replay>> {
        let open = |bytes: &Bytes| match bytes.blob() {
            None => Ok(Some(None)),
            Some(blob) => Ok(blobs::open(root, &blob)?.map(Some)),
        };
        let (Some(data), Some(frames)) = (open(&entry.data)?, open(&entry.frames)?) else {
            return Ok(None);
        };
        let replay = Replay { entry, data, frames };
        Ok(replay.adds_up().then_some(replay))
    }

    fn adds_up(&self) -> bool {
        let framed = match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => total(Frames(frames.iter().copied())),
            (Bytes::Blob(_), Some(file)) => {
                let total = total(Frames(bytes_of(file)));
                if rustix::fs::seek(file, SeekFrom::Start(0)).is_err() {
                    return false;
                }
                total
            }
            (Bytes::Blob(_), None) => None,
        };
        framed == Some(self.len())
    }

    /// The bytes of both streams.
    fn len(&self) -> u64 {
        match &self.entry.data {
            Bytes::Inline(data) => data.len() as u64,
            Bytes::Blob(blob) => blob.len,
        }
    }

    /// The entry it is of.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Writes both streams in the order in which they came.
    pub fn play(&mut self) -> io::Result<()> {
        match (&self.entry.frames, self.frames.take()) {
            (Bytes::Inline(frames), _) => self.play_frames(Frames(frames.iter().copied())),
            (Bytes::Blob(_), Some(file)) => self.play_frames(Frames(bytes_of(&file))),
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
        // The frames could not be read a second time.
        if played == self.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// A file's bytes, up to its end or to where it cannot be read.
fn bytes_of(file: &File) -> impl Iterator<Item = u8> {
    BufReader::with_capacity(COPY_BY_HAND as usize, file).bytes().map_while(Result::ok)
}

/// The sum of what the frames say; none if they cannot be read or it is absurd.
fn total<I: Iterator<Item = u8>>(mut frames: Frames<I>) -> Option<u64> {
    frames.try_fold(0_u64, |total, frame| total.checked_add(frame.ok()?.len))
}

/// Copies the next `len` bytes, what is long inside the kernel where it can
/// (`copy_file_range`, `sendfile`, `splice`).
fn copy(reader: &mut BufReader<&File>, mut len: u64, out: BorrowedFd<'_>) -> io::Result<()> {
    while len > 0 {
        let buffered = reader.buffer().len() as u64;
        if buffered == 0 && len > COPY_BY_HAND && !is_nonblocking(out)? {
            let mut out = File::from(out.try_clone_to_owned()?);
            // It was as long as this when it was verified.
            return match io::copy(&mut reader.get_ref().take(len), &mut out)? {
                copied if copied == len => Ok(()),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{Scene, entry, scene};
    use rustix::fd::AsFd;

    fn encoded(lens: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for &len in lens {
            Frame { stream: Stream::Stdout, len }.encode(&mut bytes);
        }
        bytes
    }

    /// Whether an entry of 100 bytes with these frames may be replayed, be they
    /// in the entry or in a blob.
    fn may_be_replayed(scene: &Scene, frames: &[u8]) -> bool {
        let places = [Bytes::Inline(frames.to_vec()), Bytes::Blob(scene.blob(frames))];
        let [inline, blob] = places.map(|frames| {
            let entry = Entry { frames, ..entry(1, 0) };
            Replay::prepare(&scene.root, entry).unwrap().is_some()
        });
        assert_eq!(inline, blob);
        inline
    }

    #[test]
    fn frames_that_are_not_of_all_the_bytes_and_no_more_are_a_damage() {
        let scene = scene();
        assert!(may_be_replayed(&scene, &encoded(&[100])));
        assert!(may_be_replayed(&scene, &encoded(&[1, 0, 99])));
        let most = u64::MAX >> 1;
        for bad in [&[][..], &[99], &[101], &[100, 1], &[most, most, most], &[100, most, most, 2]] {
            assert!(!may_be_replayed(&scene, &encoded(bad)), "{bad:?}");
        }
        assert!(!may_be_replayed(&scene, &[0x80]));
    }

    #[test]
    fn a_blob_that_was_cut_after_it_was_verified_is_no_success() {
        let scene = scene();
        let data = scene.blob(&vec![7; 300_000]);
        let frames = Bytes::Inline(encoded(&[300_000]));
        let entry = Entry { frames, data: Bytes::Blob(data), ..entry(1, 0) };
        let replay = Replay::prepare(&scene.root, entry).unwrap().unwrap();
        let flags = OFlags::WRONLY;
        let file = fsutil::create_file(&scene.root, blobs::path(&data.hash), flags).unwrap();
        rustix::fs::ftruncate(file, 200_000).unwrap();
        let file = replay.data.as_ref().unwrap();
        let null = File::options().write(true).open("/dev/null").unwrap();
        let mut reader = BufReader::new(file);
        let error = copy(&mut reader, 300_000, null.as_fd()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
