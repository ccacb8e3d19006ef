//! Where a recording is played to.

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

/// Below this, a read and a write cost less than asking the kernel to copy.
pub const COPY_BY_HAND: u64 = 64 * 1024;
/// What the kernel copies at once.
#[cfg(target_os = "linux")]
const AT_ONCE: usize = 1 << 30;

/// Where a stream goes, and how much of it went there.
pub struct Out<'a> {
    pub stream: Stream,
    pub fd: BorrowedFd<'a>,
    pub shown: &'a mut u64,
    /// Whether what cannot be written is passed over, unless its reader left.
    pub is_lenient: bool,
    /// Leaves escape sequences out.
    pub plain: &'a mut Option<Plain>,
}

impl Out<'_> {
    /// Writes all of `bytes`.
    pub fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), Unplayed> {
        while !bytes.is_empty() {
            let some = |bytes: &[u8]| fsutil::persistently(|| fsutil::write_some(self.fd, bytes));
            let written = plain::write(self.plain, bytes, some);
            let written = match written {
                Err(errno) if self.is_lenient && errno != Errno::PIPE => Ok(bytes.len()),
                written => written.map_err(|errno| Unplayed::Unwritable(self.stream, errno)),
            }?;
            *self.shown += written as u64;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Copies the next `len` bytes, what is long inside the kernel where it can.
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

    /// Copies what is buffered, at the most `len` bytes; how many.
    fn copy_some(&mut self, reader: &mut impl BufRead, len: u64) -> Result<u64, Unplayed> {
        let bytes = match reader.fill_buf() {
            // It was as long as this when it was verified.
            Ok([]) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(0),
            bytes => bytes?,
        };
        let n = bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX));
        self.write_all(&bytes[..n])?;
        reader.consume(n);
        Ok(n as u64)
    }

    /// Has the kernel copy up to `len` bytes of a file from where it is read next, and
    /// says how many it did. It takes no descriptor for that, and whatever keeps it from
    /// it either keeps nobody from reading and writing, or is met there again.
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
                // Two file systems, or one that appends.
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

    /// Whether somebody made it so; the kernel's copying does not wait then, and does not
    /// say how far it came.
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
        let mut out = Out { stream, fd, shown: &mut shown, is_lenient: false, plain: &mut None };
        match out.copy(&mut BufReader::new(&file), 300_000) {
            Err(Unplayed::Unreadable(error)) => {
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            }
            played => panic!("{played:?}"),
        }
        assert_eq!(shown, 200_000);
    }
}
