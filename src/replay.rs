//! Playing a recording back: every byte verified before the first is written.

use crate::entry::{Bytes, Entry};
use crate::frames::{Frame, Frames, Stream};
use crate::fsutil;
use crate::printed::{Again, Printed};
use crate::store::{Root, blobs};
use rustix::fd::BorrowedFd;
use rustix::fs::{OFlags, SeekFrom};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// Below this, a read and a write cost less than asking the kernel to copy.
const COPY_BY_HAND: u64 = 64 * 1024;

/// Where each of the command's streams goes.
type Outlets = fn(Stream) -> BorrowedFd<'static>;

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

    /// How much goes to standard output, and how much to standard error.
    pub fn sizes(&self) -> [u64; 2] {
        let mut sizes = [0; 2];
        let mut count = |frame: Result<Frame, _>| {
            if let Ok(Frame { stream, len }) = frame {
                sizes[stream as usize] += len;
            }
        };
        match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => Frames(frames.iter().copied()).for_each(&mut count),
            (Bytes::Blob(_), Some(file)) => {
                // It has been read by whoever played it.
                if rustix::fs::seek(file, SeekFrom::Start(0)).is_ok() {
                    Frames(bytes_of(file)).for_each(&mut count);
                }
            }
            (Bytes::Blob(_), None) => {}
        }
        sizes
    }

    /// The entry it is of.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Writes both streams in the order in which they came.
    pub fn play(&mut self) -> io::Result<()> {
        self.play_after(&Printed::default())
    }

    /// The same without what has been printed already. If that is something else
    /// nothing is written, and the error is a [`crate::printed::Differs`].
    pub fn play_after(&mut self, printed: &Printed) -> io::Result<()> {
        if !printed.is_empty() {
            self.compare(printed)?;
        }
        self.play_to(own, printed.bytes())
    }

    /// Writes one of the streams, whichever it is, to standard output.
    pub fn play_stream(&mut self, only: Stream) -> io::Result<()> {
        let mut skip = [u64::MAX; 2];
        skip[only as usize] = 0;
        self.play_to(|_| rustix::stdio::stdout(), skip)
    }

    /// Plays all but so many of the first bytes of each stream, to where it goes.
    fn play_to(&mut self, to: Outlets, skip: [u64; 2]) -> io::Result<()> {
        match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => {
                self.play_frames(Frames(frames.iter().copied()), to, skip)
            }
            (Bytes::Blob(_), Some(file)) => self.play_frames(Frames(bytes_of(file)), to, skip),
            (Bytes::Blob(_), None) => Ok(()),
        }
    }

    /// Finds out whether each stream begins with what has been printed of it.
    fn compare(&self, printed: &Printed) -> io::Result<()> {
        match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => {
                self.compare_frames(Frames(frames.iter().copied()), printed)
            }
            (Bytes::Blob(_), Some(file)) => {
                self.compare_frames(Frames(bytes_of(file)), printed)?;
                Ok(rustix::fs::seek(file, SeekFrom::Start(0)).map(drop)?)
            }
            (Bytes::Blob(_), None) => Ok(()),
        }
    }

    fn compare_frames<I: Iterator<Item = u8>>(
        &self,
        frames: Frames<I>,
        printed: &Printed,
    ) -> io::Result<()> {
        let mut again = printed.again();
        let mut buffer = vec![0; COPY_BY_HAND as usize];
        let mut at = 0;
        for frame in frames {
            let Frame { stream, len } = frame.map_err(io::Error::other)?;
            let again = &mut again[stream as usize];
            let (mut from, to) = (at, at + len.min(again.left()));
            while from < to {
                let wanted = buffer.len().min((to - from) as usize);
                let n = self.read_at(from, &mut buffer[..wanted])?;
                again.pass(&buffer[..n]).map_err(io::Error::other)?;
                from += n as u64;
            }
            at += len;
        }
        again.iter().try_for_each(Again::end).map_err(io::Error::other)
    }

    /// Reads some of the bytes of both streams.
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match (&self.entry.data, &self.data) {
            (Bytes::Inline(data), _) => {
                let bytes = data.get(at as usize..at as usize + buffer.len()).unwrap_or_default();
                buffer[..bytes.len()].copy_from_slice(bytes);
                bytes.len()
            }
            (Bytes::Blob(_), Some(file)) => {
                fsutil::retry(|| rustix::io::pread(file, &mut *buffer, at))?
            }
            (Bytes::Blob(_), None) => 0,
        };
        if n == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(n) }
    }

    fn play_frames<I: Iterator<Item = u8>>(
        &self,
        frames: Frames<I>,
        to: Outlets,
        mut skip: [u64; 2],
    ) -> io::Result<()> {
        let mut played = 0;
        let mut file =
            self.data.as_ref().map(|file| BufReader::with_capacity(COPY_BY_HAND as usize, file));
        for frame in frames {
            let Frame { stream, len } = frame.map_err(io::Error::other)?;
            let skipped = len.min(skip[stream as usize]);
            skip[stream as usize] -= skipped;
            let out = to(stream);
            match (&self.entry.data, &mut file) {
                (Bytes::Inline(data), _) => {
                    let bytes = data.get((played + skipped) as usize..(played + len) as usize);
                    fsutil::write_all(out, bytes.unwrap_or_default())?;
                }
                (Bytes::Blob(_), Some(file)) => {
                    if skipped > 0 {
                        file.seek_relative(skipped as i64)?;
                    }
                    copy(file, len - skipped, out)?;
                }
                (Bytes::Blob(_), None) => {}
            }
            played += len;
        }
        // The frames could not be read a second time.
        if played == self.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// The standard stream of this process that is the same as the command's.
fn own(stream: Stream) -> BorrowedFd<'static> {
    match stream {
        Stream::Stdout => rustix::stdio::stdout(),
        Stream::Stderr => rustix::stdio::stderr(),
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
    fn the_sizes_are_known_before_and_after() {
        let scene = scene();
        let frames = Bytes::Blob(scene.blob(&encoded(&[60, 40])));
        let entry = Entry { frames, ..entry(1, 0) };
        let replay = Replay::prepare(&scene.root, entry).unwrap().unwrap();
        assert_eq!([replay.sizes(), replay.sizes()], [[100, 0], [100, 0]]);
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
