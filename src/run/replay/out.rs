//! The destination of a replay.

use super::Unplayed;
use cachex_base::record::frames::Stream;
use cachex_base::streams::plain::{self, Plain};
use cachex_base::system::fsutil;
use rustix::fd::BorrowedFd;
#[cfg(target_os = "linux")]
use rustix::fs::FileType;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};

/// The length below which a read and a write cost less than a copy by the kernel.
pub const COPY_BY_HAND: u64 = 64 * 1024;
/// The most bytes that the kernel copies at once.
#[cfg(target_os = "linux")]
const AT_ONCE: usize = 1 << 30;

/// The destination of a stream, and the number of bytes written to it.
pub struct Out<'a> {
    pub stream: Stream,
    pub fd: BorrowedFd<'a>,
    pub shown: &'a mut u64,
    /// True if write errors are ignored, except for a reader that left.
    pub is_lenient: bool,
    /// Where to note the first write error, if the replay goes on then. Before anything is shown, the
    /// command can meet any but that of a reader that left.
    pub lost: Option<&'a mut Option<(Stream, Errno)>>,
    /// True if something was shown before.
    pub has_begun: bool,
    /// A filter that removes escape sequences.
    pub plain: &'a mut Option<Plain>,
}

impl Out<'_> {
    /// Writes all of `bytes`.
    pub fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), Unplayed> {
        while !bytes.is_empty() {
            let some = |bytes: &[u8]| fsutil::persistently(|| fsutil::write_some(self.fd, bytes));
            let written = plain::write(self.plain, bytes, some);
            let written = match (written, &mut self.lost) {
                (Err(errno), _) if self.is_lenient && errno != Errno::PIPE => Ok(bytes.len()),
                (Err(errno), Some(lost))
                    if errno == Errno::PIPE || self.has_begun || *self.shown > 0 =>
                {
                    lost.get_or_insert((self.stream, errno));
                    Ok(bytes.len())
                }
                (written, _) => written.map_err(|errno| Unplayed::Unwritable(self.stream, errno)),
            }?;
            *self.shown += written as u64;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Copies the next `len` bytes, long runs inside the kernel if possible.
    pub fn copy(&mut self, reader: &mut BufReader<&File>, mut len: u64) -> Result<(), Unplayed> {
        let mut by_hand = self.plain.is_some() || self.is_nonblocking();
        while len > 0 {
            if reader.buffer().is_empty() && len > COPY_BY_HAND && !by_hand {
                len -= self.copy_in_kernel(reader.get_ref(), len);
                by_hand = true;
            } else {
                len -= self.copy_some(reader, len)?;
            }
        }
        Ok(())
    }

    /// Copies the next `len` bytes.
    pub fn copy_by_hand(
        &mut self,
        reader: &mut impl BufRead,
        mut len: u64,
    ) -> Result<(), Unplayed> {
        while len > 0 {
            len -= self.copy_some(reader, len)?;
        }
        Ok(())
    }

    /// Copies buffered bytes, at most `len`; returns how many.
    fn copy_some(&mut self, reader: &mut impl BufRead, len: u64) -> Result<u64, Unplayed> {
        let bytes = match reader.fill_buf() {
            // The file was longer when it was verified.
            Ok([]) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(0),
            bytes => bytes?,
        };
        let n = bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX));
        self.write_all(&bytes[..n])?;
        reader.consume(n);
        Ok(n as u64)
    }

    /// Lets the kernel copy up to `len` bytes of a file from its current position; returns how many
    /// it copied. Needs no descriptor. An error either does not affect reading and writing, or
    /// occurs there again.
    #[cfg(target_os = "linux")]
    fn copy_in_kernel(&mut self, file: &File, len: u64) -> u64 {
        let is_file =
            |stat: rustix::fs::Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let mut to_a_file = rustix::fs::fstat(self.fd).is_ok_and(is_file);
        let mut copied = 0;
        while copied < len {
            let wanted = usize::try_from(len - copied).unwrap_or(usize::MAX).min(AT_ONCE);
            let now = if to_a_file {
                rustix::fs::copy_file_range(file, None, self.fd, None, wanted)
            } else {
                rustix::fs::sendfile(self.fd, file, None, wanted)
            };
            match now {
                Ok(n) if n > 0 => {
                    copied += n as u64;
                    *self.shown += n as u64;
                }
                Err(Errno::INTR) => {}
                // Another file system, or a destination opened for appending.
                _ if to_a_file => to_a_file = false,
                _ => break,
            }
        }
        copied
    }

    #[cfg(not(target_os = "linux"))]
    fn copy_in_kernel(&mut self, _: &File, _: u64) -> u64 {
        0
    }

    /// Returns whether the destination is non-blocking. The kernel's copy does not wait then, nor
    /// tell how far it came.
    fn is_nonblocking(&self) -> bool {
        rustix::fs::fcntl_getfl(self.fd).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;

    #[test]
    fn a_file_that_was_cut_after_it_was_verified_is_no_success() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(200_000).unwrap();
        let null = File::options().write(true).open("/dev/null").unwrap();
        let mut shown = 0;
        let (stream, fd) = (Stream::Stdout, null.as_fd());
        let (is_lenient, lost, has_begun, plain) = (false, None, false, &mut None);
        let mut out = Out { stream, fd, shown: &mut shown, is_lenient, lost, has_begun, plain };
        match out.copy(&mut BufReader::new(&file), 300_000) {
            Err(Unplayed::Unreadable(error)) => {
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            }
            played => panic!("{played:?}"),
        }
        assert_eq!(shown, 200_000);
    }
}
