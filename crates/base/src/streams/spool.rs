//! Temporary storage of bytes: in memory up to a limit, and then in an unlinked temporary file
//! outside the store, because they may be secret.

use rustix::io::Errno;
use std::borrow::Borrow;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;

/// The number of bytes kept in memory.
const MEMORY_LIMIT: usize = 1 << 20;

/// Bytes in the order in which they were appended.
#[derive(Debug, Default)]
pub struct Spool {
    /// The first bytes.
    pub memory: Vec<u8>,
    /// The bytes after those in memory.
    pub file: Option<File>,
    /// The number of valid bytes in the file. A failed write may have left more in it.
    filed: u64,
    /// The bytes that did not fit into the file.
    tail: Vec<u8>,
    /// The number of bytes.
    len: u64,
    /// The state of the input after the bytes.
    pub rest: Rest,
    /// True if they came from a socket.
    pub is_socket: bool,
}

/// The state of standard input after the bytes that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// The input ended.
    #[default]
    End,
    /// More input is still to be read.
    Live,
    /// Unknown: reading on failed.
    Failed(Errno),
}

impl Spool {
    /// Appends bytes. On an error they are kept in memory all the same, and the caller should find
    /// another way to handle further bytes.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        if !self.tail.is_empty() {
            self.tail.extend_from_slice(bytes);
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.file.is_none() {
            let fits = self.memory.len() + bytes.len() <= MEMORY_LIMIT;
            if fits && self.memory.try_reserve(bytes.len()).is_ok() {
                self.memory.extend_from_slice(bytes);
                return Ok(());
            }
            self.file =
                Some(tempfile::tempfile().inspect_err(|_| self.tail.extend_from_slice(bytes))?);
        }
        let Some(file) = &self.file else { return Ok(()) };
        let written = file.write_all_at(bytes, self.filed);
        match written {
            Ok(()) => self.filed += bytes.len() as u64,
            Err(_) => self.tail.extend_from_slice(bytes),
        }
        written
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns all bytes, if they are in memory.
    pub fn in_memory(&self) -> Option<&[u8]> {
        (self.file.is_none() && self.tail.is_empty()).then_some(&self.memory[..])
    }

    /// Reads some bytes at `offset`. Returns 0 at the end.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let in_memory = self.memory.len() as u64;
        let filed = in_memory + self.filed;
        let (bytes, from) = match &self.file {
            Some(file) if (in_memory..filed).contains(&offset) => {
                let left = usize::try_from(filed - offset).unwrap_or(usize::MAX);
                let wanted = buf.len().min(left);
                let n = file.read_at(&mut buf[..wanted], offset - in_memory)?;
                if n == 0 && wanted > 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                return Ok(n);
            }
            _ if offset < in_memory => (&self.memory, offset),
            _ => (&self.tail, offset - filed),
        };
        let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..));
        rest.unwrap_or_default().read(buf)
    }

    /// Returns a reader of all bytes.
    pub fn reader(&self) -> impl Read {
        Reader { spool: self, at: 0 }
    }

    /// Turns this into a reader of all bytes.
    pub fn into_reader(self) -> impl Read + 'static {
        Reader { spool: self, at: 0 }
    }

    /// Copies all bytes to an unlinked file, positioned at its beginning.
    pub fn to_file(&self) -> io::Result<File> {
        let mut whole = tempfile::tempfile()?;
        io::copy(&mut self.reader(), &mut whole)?;
        whole.rewind()?;
        Ok(whole)
    }
}

/// A reader of a spool, at some offset.
struct Reader<S> {
    spool: S,
    at: u64,
}

impl<S: Borrow<Spool>> Read for Reader<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.spool.borrow().read_at(self.at, buf)?;
        self.at += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spool: Spool) -> Vec<u8> {
        let mut bytes = Vec::new();
        spool.into_reader().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_beyond_the_memory_goes_to_a_file_and_comes_back_in_order() {
        let mut spool = Spool::default();
        let chunks: Vec<Vec<u8>> = (0..5).map(|n| vec![n; MEMORY_LIMIT / 2 - 1]).collect();
        for chunk in &chunks {
            spool.append(chunk).unwrap();
        }
        assert!(spool.file.is_some() && spool.memory.len() <= MEMORY_LIMIT);
        assert_eq!(read(spool), chunks.concat());
    }

    #[test]
    fn what_the_file_has_no_room_for_is_not_lost() {
        let full = File::options().write(true).read(true).open("/dev/full").unwrap();
        let mut spool = Spool { memory: b"first ".to_vec(), file: Some(full), ..Spool::default() };
        spool.append(b"second ").unwrap_err();
        spool.append(b"third").unwrap_err();
        // The device gives endless zeros: nothing is read from it.
        assert_eq!(read(spool), b"first second third");
    }
}
