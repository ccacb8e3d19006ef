//! BLAKE3 of files, in bounded memory, on several cores.
//!
//! A file is read and not mapped: truncating a mapped file ends the process, and its pages count as
//! this process's memory.

use super::of;
use crate::system::fsutil;
use blake3::Hasher;
use blake3::hazmat::{self, ChainingValue, HasherExt, Mode};
use cachex_core::hash::SHORT;
use rustix::buffer::spare_capacity;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Large enough to make the cost of system calls negligible, small enough for a second-level cache.
const CHUNK: usize = 256 * 1024;
/// The least length for a thread: starting one takes some tens of microseconds, hashing this much
/// some hundreds.
const WORTH_A_THREAD: u64 = 2 << 20;
/// The maximum number of times that a file is halved, for as many parts as usual machines have
/// cores.
const HALVINGS: u32 = 3;
/// The number of chunks that may wait for the thread that writes them.
const WAITING: usize = 8;

/// Hashes a file from `offset` to its end, without moving the offset that others may share.
pub fn to_the_end(fd: impl AsFd, offset: u64) -> rustix::io::Result<blake3::Hash> {
    let fd = fd.as_fd();
    let start = read_short(fd, offset, SHORT)?;
    if start.len() < SHORT {
        return Ok(of(&start));
    }
    let mut hasher = Hasher::new();
    hasher.update(&start);
    update(&mut hasher, fd, offset + SHORT as u64, u64::MAX)?;
    Ok(hasher.finalize())
}

/// Reads a file from `offset` on, at most `limit` bytes.
fn read_short(fd: BorrowedFd<'_>, offset: u64, limit: usize) -> rustix::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(limit);
    while bytes.len() < limit {
        let at = offset + bytes.len() as u64;
        if fsutil::retry(|| rustix::io::pread(fd, spare_capacity(&mut bytes), at))? == 0 {
            break;
        }
    }
    Ok(bytes)
}

/// Hashes the first `len` bytes of a file. Returns `None` if it is shorter.
pub fn beginning(fd: impl AsFd, len: u64) -> rustix::io::Result<Option<blake3::Hash>> {
    let fd = fd.as_fd();
    if len <= SHORT as u64 {
        let bytes = read_short(fd, 0, len as usize)?;
        return Ok((bytes.len() as u64 == len).then(|| of(&bytes)));
    }
    if len > WORTH_A_THREAD {
        let left = hazmat::left_subtree_len(len);
        let halves = both(fd, (0, left), (left, len - left), HALVINGS)?;
        return Ok(halves.map(|(a, b)| hazmat::merge_subtrees_root(&a, &b, Mode::Hash)));
    }
    let mut hasher = Hasher::new();
    Ok((update(&mut hasher, fd, 0, len)? == len).then(|| hasher.finalize()))
}

type Part = (u64, u64);

fn both(
    fd: BorrowedFd<'_>,
    left: Part,
    right: Part,
    halvings: u32,
) -> rustix::io::Result<Option<(ChainingValue, ChainingValue)>> {
    std::thread::scope(|scope| {
        let there =
            std::thread::Builder::new().spawn_scoped(scope, || subtree(fd, right, halvings));
        let a = subtree(fd, left, halvings);
        // Without a thread, this one hashes both parts.
        let b = match there {
            Ok(there) => there.join().unwrap_or(Err(Errno::IO)),
            Err(_) => subtree(fd, right, halvings),
        };
        Ok(a?.zip(b?))
    })
}

/// Returns the chaining value of a part that is a subtree of the whole.
fn subtree(
    fd: BorrowedFd<'_>,
    part: Part,
    halvings: u32,
) -> rustix::io::Result<Option<ChainingValue>> {
    let (offset, len) = part;
    if len > WORTH_A_THREAD && halvings > 1 {
        let left = hazmat::left_subtree_len(len);
        let halves = both(fd, (offset, left), (offset + left, len - left), halvings - 1)?;
        return Ok(halves.map(|(a, b)| hazmat::merge_subtrees_non_root(&a, &b, Mode::Hash)));
    }
    let mut hasher = Hasher::new();
    hasher.set_input_offset(offset);
    Ok((update(&mut hasher, fd, offset, len)? == len).then(|| hasher.finalize_non_root()))
}

/// Hashes at most `limit` bytes. Returns how many there were.
fn update(
    hasher: &mut Hasher,
    fd: BorrowedFd<'_>,
    offset: u64,
    limit: u64,
) -> rustix::io::Result<u64> {
    // On the heap, where only the used part costs anything.
    let mut chunk = vec![0; CHUNK.min(usize::try_from(limit).unwrap_or(CHUNK))];
    let mut len = 0;
    while len < limit {
        let wanted = chunk.len().min(usize::try_from(limit - len).unwrap_or(CHUNK));
        match fsutil::retry(|| rustix::io::pread(fd, &mut chunk[..wanted], offset + len))? {
            0 => break,
            n => {
                hasher.update(&chunk[..n]);
                len += n as u64;
            }
        }
    }
    Ok(len)
}

/// Writes a file and hashes its content. Large files are written by a thread of their own, so that
/// recording does not slow down the output.
pub struct Writer<F> {
    file: Arc<F>,
    len: u64,
    way: Way,
}

enum Way {
    Here(Box<Hasher>),
    There(Worker),
}

struct Worker {
    chunks: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<rustix::io::Result<Hasher>>,
}

impl<F: AsFd + Send + Sync + 'static> Writer<F> {
    /// Creates a writer to `file` from its current offset.
    pub fn new(file: F) -> Writer<F> {
        Writer { file: Arc::new(file), len: 0, way: Way::Here(Box::new(Hasher::new())) }
    }

    /// Returns the file.
    pub fn file_handle(&self) -> Arc<F> {
        Arc::clone(&self.file)
    }

    /// Appends bytes. An error may be returned by a later call than the one that caused it.
    pub fn append(&mut self, bytes: &[u8]) -> rustix::io::Result<()> {
        self.len += bytes.len() as u64;
        match &mut self.way {
            Way::Here(hasher) => {
                fsutil::write_all(&*self.file, bytes)?;
                hasher.update(bytes);
                if self.len >= WORTH_A_THREAD
                    && let Ok(worker) = Worker::start(Arc::clone(&self.file), hasher)
                {
                    self.way = Way::There(worker);
                }
                Ok(())
            }
            Way::There(worker) => {
                let mut chunk = worker.empty.try_recv().unwrap_or_default();
                chunk.clear();
                chunk.extend_from_slice(bytes);
                // The thread ends early only if it failed.
                if worker.chunks.send(chunk).is_err() { self.fail() } else { Ok(()) }
            }
        }
    }

    /// Waits until everything appended is written.
    pub fn settle(&mut self) -> rustix::io::Result<()> {
        let here = Way::Here(Box::new(Hasher::new()));
        let hasher = match std::mem::replace(&mut self.way, here) {
            Way::Here(hasher) => hasher,
            Way::There(worker) => Box::new(worker.join()?),
        };
        self.way = Way::Here(hasher);
        Ok(())
    }

    /// Returns the error that ended the thread.
    fn fail(&mut self) -> rustix::io::Result<()> {
        Err(self.settle().err().unwrap_or(Errno::IO))
    }

    /// Returns the hash and the length of everything written.
    pub fn finish(self) -> rustix::io::Result<(blake3::Hash, u64)> {
        let hasher = match self.way {
            Way::Here(hasher) => *hasher,
            Way::There(worker) => worker.join()?,
        };
        Ok((hasher.finalize(), self.len))
    }
}

impl Worker {
    fn start(
        file: Arc<impl AsFd + Send + Sync + 'static>,
        hasher: &Hasher,
    ) -> std::io::Result<Worker> {
        let (chunks, full) = sync_channel::<Vec<u8>>(WAITING);
        let (give_back, empty) = channel();
        let mut hasher = hasher.clone();
        let work = move || {
            for chunk in full {
                fsutil::write_all(&*file, &chunk)?;
                hasher.update(&chunk);
                // The writer may have finished.
                let _ = give_back.send(chunk);
            }
            Ok(hasher)
        };
        let thread = std::thread::Builder::new().spawn(work)?;
        Ok(Worker { chunks, empty, thread })
    }

    fn join(self) -> rustix::io::Result<Hasher> {
        drop(self.chunks);
        self.thread.join().unwrap_or(Err(Errno::IO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;

    #[test]
    fn parts_give_the_hash_of_the_whole() {
        let pattern: Vec<u8> =
            (0..40_000_003_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for len in [0, 1, 1024, 1025, 2 << 20, (2 << 20) + 1, 5_000_000, 16 << 20, 40_000_003] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&pattern[..len]).unwrap();
            let expected = blake3::hash(&pattern[..len]);
            assert_eq!(beginning(&file, len as u64), Ok(Some(expected)), "{len}");
            assert_eq!(beginning(&file, len as u64 + 1), Ok(None), "{len}");
            assert_eq!(to_the_end(&file, 0), Ok(expected), "{len}");
        }
    }

    #[test]
    fn what_is_written_is_what_is_hashed() {
        let file = tempfile::tempfile().unwrap();
        let mut writer = Writer::new(file.try_clone().unwrap());
        let mut all = Vec::new();
        for size in [1, 100_000, 3 << 20, 5, 262_144, 1 << 20] {
            let bytes = vec![size as u8; size];
            writer.append(&bytes).unwrap();
            all.extend(bytes);
        }
        let expected = (blake3::hash(&all), all.len() as u64);
        assert_eq!(writer.finish(), Ok(expected));
        assert_eq!(to_the_end(&file, 0), Ok(expected.0));
    }

    #[test]
    fn a_failure_of_the_thread_is_reported() {
        // Large enough for a thread, then read-only.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"").unwrap();
        let mut writer = Writer::new(File::open(&path).unwrap());
        assert_eq!(writer.append(&[0; 10]), Err(Errno::BADF));
        let mut there = Writer::new(File::open(&path).unwrap());
        there.way = Way::There(Worker::start(Arc::clone(&there.file), &Hasher::new()).unwrap());
        let outcomes: Vec<_> = (0..100).map(|_| there.append(&[0; 10])).collect();
        assert!(outcomes.contains(&Err(Errno::BADF)) || there.finish().is_err());
    }
}
