//! Playing a recording back: every byte verified before the first is written.

use crate::entry::{Bytes, Entry};
use crate::frames::{Frame, Frames, Stream};
use crate::fsutil;
use crate::printed::{Again, Printed};
use crate::screen::Screen;
use crate::sink::Outputs;
use crate::store::blobs::Blob;
use crate::store::packed::Unpacking;
use crate::store::{Root, blobs};
use rustix::fd::BorrowedFd;
use rustix::fs::OFlags;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// Below this, a read and a write cost less than asking the kernel to copy.
const COPY_BY_HAND: u64 = 64 * 1024;

/// Where each of the command's streams goes.
type Outlets = fn(Stream) -> BorrowedFd<'static>;

/// An entry whose bytes are at hand and verified.
pub struct Replay {
    entry: Entry,
    data: Option<Blob>,
    frames: Option<Blob>,
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
            (Bytes::Blob(_), Some(blob)) => total(Frames(bytes_of(blob))),
            (Bytes::Blob(_), None) => None,
        };
        framed == Some(self.len())
    }

    /// Whether it came through one pipe for both streams.
    pub fn is_of_one_pipe(&self) -> bool {
        !self.suits(|| Outputs::Apart)
    }

    /// Whether it may be shown on outputs that lie so to each other: what came through one
    /// pipe cannot be told apart, and of what came through two nobody knows the order.
    #[inline]
    pub fn suits(&self, outputs: impl FnOnce() -> Outputs) -> bool {
        let first = match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => {
                let mut frames = Frames(frames.iter().copied());
                match (frames.next(), frames.next()) {
                    // One frame, or none: all of it is of one stream.
                    (_, None) => return true,
                    (first, Some(_)) => first,
                }
            }
            (Bytes::Blob(_), Some(blob)) => Frames(bytes_of(blob)).next(),
            (Bytes::Blob(_), None) => None,
        };
        let is_of_one_pipe = matches!(first, Some(Ok(Frame::ONE_PIPE)));
        outputs() != if is_of_one_pipe { Outputs::Apart } else { Outputs::One }
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
            (Bytes::Blob(_), Some(blob)) => Frames(bytes_of(blob)).for_each(&mut count),
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

    /// The same at a terminal like the one that it was recorded at, see [`Screen`].
    pub fn play_at_a_terminal(&mut self, printed: &Printed) -> io::Result<()> {
        if !printed.is_empty() {
            self.compare(printed)?;
        }
        match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => {
                self.play_on_screen(Frames(frames.iter().copied()), printed.bytes())
            }
            (Bytes::Blob(_), Some(blob)) => {
                self.play_on_screen(Frames(bytes_of(blob)), printed.bytes())
            }
            (Bytes::Blob(_), None) => Ok(()),
        }
    }

    fn play_on_screen<I: Iterator<Item = u8>>(
        &self,
        frames: Frames<I>,
        mut skip: [u64; 2],
    ) -> io::Result<()> {
        let mut screen = Screen::new(rustix::stdio::stdout());
        let mut data = self.reader();
        let (mut buffer, mut shown) = (vec![0; COPY_BY_HAND as usize], Vec::new());
        for frame in frames {
            let Frame { stream, len: mut left } = frame.map_err(io::Error::other)?;
            while left > 0 {
                let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let n = data.read(&mut buffer[..wanted])?;
                if n == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                left -= n as u64;
                let skipped = skip[stream as usize].min(n as u64);
                skip[stream as usize] -= skipped;
                let bytes = &buffer[skipped as usize..n];
                match stream {
                    Stream::Stdout => screen.pass(bytes, &mut shown),
                    Stream::Stderr => fsutil::write_all(own(stream), bytes)?,
                }
                fsutil::write_all(own(Stream::Stdout), &shown)?;
                shown.clear();
            }
        }
        screen.finish(&mut shown);
        Ok(fsutil::write_all(own(Stream::Stdout), &shown)?)
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
            (Bytes::Blob(_), Some(blob)) => self.play_frames(Frames(bytes_of(blob)), to, skip),
            (Bytes::Blob(_), None) => Ok(()),
        }
    }

    /// Finds out whether each stream begins with what has been printed of it.
    fn compare(&self, printed: &Printed) -> io::Result<()> {
        match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => {
                self.compare_frames(Frames(frames.iter().copied()), printed)
            }
            (Bytes::Blob(_), Some(blob)) => self.compare_frames(Frames(bytes_of(blob)), printed),
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
        let mut data = self.reader();
        for frame in frames {
            let Frame { stream, len } = frame.map_err(io::Error::other)?;
            let again = &mut again[stream as usize];
            let mut left = len.min(again.left());
            let beyond = len - left;
            while left > 0 {
                let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let n = data.read(&mut buffer[..wanted])?;
                if n == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                again.pass(&buffer[..n]).map_err(io::Error::other)?;
                left -= n as u64;
            }
            io::copy(&mut data.by_ref().take(beyond), &mut io::sink())?;
        }
        again.iter().try_for_each(Again::end).map_err(io::Error::other)
    }

    /// Reads the bytes of both streams.
    fn reader(&self) -> Box<dyn Read + '_> {
        match (&self.entry.data, &self.data) {
            (Bytes::Inline(data), _) => Box::new(&data[..]),
            (Bytes::Blob(_), Some(blob)) => Box::new(blob.reader()),
            (Bytes::Blob(_), None) => Box::new(io::empty()),
        }
    }

    fn play_frames<I: Iterator<Item = u8>>(
        &self,
        frames: Frames<I>,
        to: Outlets,
        mut skip: [u64; 2],
    ) -> io::Result<()> {
        let mut played = 0;
        let mut blob = self.data.as_ref().map(|blob| match blob {
            Blob::Plain(file) => {
                Content::Plain(BufReader::with_capacity(COPY_BY_HAND as usize, file))
            }
            Blob::Packed(packed) => Content::Packed(packed.reader()),
        });
        for frame in frames {
            let Frame { stream, len } = frame.map_err(io::Error::other)?;
            let skipped = len.min(skip[stream as usize]);
            skip[stream as usize] -= skipped;
            let out = to(stream);
            match (&self.entry.data, &mut blob) {
                (Bytes::Inline(data), _) => {
                    let bytes = data.get((played + skipped) as usize..(played + len) as usize);
                    fsutil::write_all(out, bytes.unwrap_or_default())?;
                }
                (Bytes::Blob(_), Some(Content::Plain(file))) => {
                    if skipped > 0 {
                        file.seek_relative(skipped as i64)?;
                    }
                    copy(file, len - skipped, out)?;
                }
                (Bytes::Blob(_), Some(Content::Packed(content))) => {
                    io::copy(&mut content.take(skipped), &mut io::sink())?;
                    copy_by_hand(content, len - skipped, out)?;
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

/// The bytes of both streams in a blob, as they are played.
enum Content<'a> {
    Plain(BufReader<&'a File>),
    Packed(Unpacking),
}

/// A blob's bytes, up to its end or to where it cannot be read.
fn bytes_of(blob: &Blob) -> impl Iterator<Item = u8> {
    BufReader::with_capacity(COPY_BY_HAND as usize, blob.reader()).bytes().map_while(Result::ok)
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
        len -= copy_some(reader, len, out)?;
    }
    Ok(())
}

fn copy_by_hand(reader: &mut impl BufRead, mut len: u64, out: BorrowedFd<'_>) -> io::Result<()> {
    while len > 0 {
        len -= copy_some(reader, len, out)?;
    }
    Ok(())
}

/// Copies what is buffered, at the most `len` bytes; how many.
fn copy_some(reader: &mut impl BufRead, len: u64, out: BorrowedFd<'_>) -> io::Result<u64> {
    let bytes = reader.fill_buf()?;
    let n = bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX));
    if n == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    fsutil::write_all(out, &bytes[..n])?;
    reader.consume(n);
    Ok(n as u64)
}

/// Whether somebody made it so; the kernel's copying does not wait then, and
/// does not say how far it came.
fn is_nonblocking(out: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(rustix::fs::fcntl_getfl(out)?.contains(OFlags::NONBLOCK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::pack;
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
    fn what_is_packed_is_read_as_often_as_what_is_not() {
        let scene = scene();
        let data: Vec<u8> = (0..90_000_u32).flat_map(|n| (n / 9).to_le_bytes()).collect();
        let frames = encoded(&vec![30; 12_000]);
        let [of_data, of_frames] = [&data, &frames].map(|content| scene.blob(content));
        for blob in [&of_data, &of_frames] {
            assert!(pack::pack(&scene.root, blob, 3).unwrap().is_some());
        }
        let (frames, data_in) = (Bytes::Blob(of_frames), Bytes::Blob(of_data));
        let entry = Entry { frames, data: data_in, ..entry(1, 0) };
        let replay = Replay::prepare(&scene.root, entry).unwrap().unwrap();
        assert!(matches!(
            (&replay.data, &replay.frames),
            (Some(Blob::Packed(_)), Some(Blob::Packed(_)))
        ));
        let mut printed = Printed::default();
        for len in [1, 100_000, 200_000] {
            let from = printed.bytes()[0] as usize;
            printed.add(Stream::Stdout, &data[from..from + len]);
            assert!(replay.compare(&printed).is_ok());
            assert_eq!(replay.sizes(), [360_000, 0]);
        }
        printed.add(Stream::Stdout, b"else");
        assert!(replay.compare(&printed).is_err());
    }

    #[test]
    fn a_blob_that_was_cut_after_it_was_verified_is_no_success() {
        let scene = scene();
        let data = scene.blob(&vec![7; 300_000]);
        let frames = Bytes::Inline(encoded(&[300_000]));
        let entry = Entry { frames, data: Bytes::Blob(data), ..entry(1, 0) };
        let replay = Replay::prepare(&scene.root, entry).unwrap().unwrap();
        let flags = OFlags::WRONLY;
        let file =
            fsutil::create_file(&scene.root, blobs::Form::Plain.path(&data.hash), flags).unwrap();
        rustix::fs::ftruncate(file, 200_000).unwrap();
        let Some(Blob::Plain(file)) = &replay.data else { panic!("it is packed") };
        let null = File::options().write(true).open("/dev/null").unwrap();
        let mut reader = BufReader::new(file);
        let error = copy(&mut reader, 300_000, null.as_fd()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
