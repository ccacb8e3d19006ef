//! Blobs in their packed form: compressed, beside or instead of the plain one.
//!
//! ```text
//! magic and format (8 bytes) | the blob's name (32) | its length (8) | a zstd frame | BLAKE3 of all that (32)
//! ```
//!
//! Numbers are little-endian. The checksum verifies every byte, and which blob it belongs to,
//! before the first byte is decompressed: nothing is decompressed only to be verified, and a file
//! under another blob's name is not taken for that blob. The decompressed size must match the
//! length, and needs little memory however large it is: a frame that asks for a larger window is
//! refused.
//!
//! The writer makes sure that the content can be restored, see [`super::pack`].

use super::Root;
use cachex_base::record::entry::BlobRef;
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use cachex_base::system::hashing;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use zstd::stream::read::Decoder;

const MAGIC: [u8; 8] = [0x89, b'c', b'a', b'c', b'h', b'e', b'z', 1];
/// The size of the header before the frame, in bytes.
pub const HEADER: usize = 8 + 32 + 8;
/// The size of the checksum after the frame, in bytes.
pub const SUM: usize = 32;
/// The binary logarithm of the largest window of a frame, in bytes.
pub const WINDOW: u32 = 20;

/// The number of bytes that are decompressed at once.
const CHUNK: usize = 128 * 1024;
/// The size in bytes from which a separate thread decompresses.
const WORTH_A_THREAD: u64 = 1 << 20;
/// The number of chunks that may wait for the reader.
const WAITING: usize = 4;

/// Returns the header before the frame of a blob.
pub fn header(blob: &BlobRef) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..40].copy_from_slice(&blob.hash);
    header[40..].copy_from_slice(&blob.len.to_le_bytes());
    header
}

/// A packed blob whose bytes were verified.
#[derive(Debug)]
pub struct Packed {
    file: Arc<File>,
    /// The offset of the end of the frame.
    end: u64,
    len: u64,
}

impl Packed {
    /// Opens the packed form of `blob` at `path`. Returns `None` if it is gone, damaged, or that
    /// of another blob.
    pub fn open(root: &Root, path: &Path, blob: &BlobRef) -> rustix::io::Result<Option<Packed>> {
        let file = match fsutil::open_file(root, path) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        failpoint::at("read")?;
        let size = rustix::fs::fstat(&file)?.st_size as u64;
        let Some(end) = size.checked_sub(SUM as u64).filter(|&end| end >= HEADER as u64) else {
            return Ok(None);
        };
        let sum = hashing::beginning(&file, end)?;
        let file = File::from(file);
        let (mut head, mut tail) = ([0; HEADER], [0; SUM]);
        let read = file.read_exact_at(&mut head, 0).and(file.read_exact_at(&mut tail, end));
        let whole = read.is_ok() && head == header(blob) && sum.is_some_and(|sum| sum == tail);
        Ok(whole.then(|| Packed { file: Arc::new(file), end, len: blob.len }))
    }

    /// Returns the size of the file, in bytes.
    pub fn stored(&self) -> u64 {
        self.end + SUM as u64
    }

    /// Returns a reader of the content from its beginning.
    pub fn reader(&self) -> Unpacking {
        let frame = Frame { file: self.file.clone(), at: HEADER as u64, end: self.end };
        let source = if self.len > WORTH_A_THREAD { elsewhere(&frame) } else { None };
        let source =
            source.unwrap_or_else(|| Source::Here(Box::new(Here { frame, decoder: None })));
        Unpacking { source, chunk: Vec::new(), at: 0, left: self.len }
    }
}

/// The part of a file that is a frame.
#[derive(Clone)]
struct Frame {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for Frame {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let wanted = buf.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        let n = self.file.read_at(&mut buf[..wanted], self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// A reader of the content of a packed blob, from its beginning.
pub struct Unpacking {
    source: Source,
    chunk: Vec<u8>,
    /// The number of bytes of the chunk that were taken.
    at: usize,
    /// The number of bytes still to come, including this chunk.
    left: u64,
}

enum Source {
    Here(Box<Here>),
    Elsewhere { chunks: Receiver<io::Result<Vec<u8>>>, used: SyncSender<Vec<u8>> },
}

/// Decompression in the thread that reads.
struct Here {
    frame: Frame,
    decoder: Option<Decoder<'static, BufReader<Frame>>>,
}

impl Here {
    /// Replaces `chunk` by the next one, where at most `left` bytes remain.
    fn next(&mut self, chunk: &mut Vec<u8>, left: u64) -> io::Result<()> {
        if self.decoder.is_none() && left <= CHUNK as u64 {
            // Decompress everything at once, without the overhead of a stream.
            let mut packed = Vec::with_capacity((self.frame.end - self.frame.at) as usize);
            self.frame.read_to_end(&mut packed)?;
            let mut decoder = zstd::bulk::Decompressor::new()?;
            decoder.window_log_max(WINDOW)?;
            *chunk = decoder.decompress(&packed, left as usize)?;
            return Ok(());
        }
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            decoder => decoder.insert(decode(&self.frame)?),
        };
        fill(decoder, chunk)
    }
}

fn decode(frame: &Frame) -> io::Result<Decoder<'static, BufReader<Frame>>> {
    let mut decoder = Decoder::new(frame.clone())?.single_frame();
    decoder.window_log_max(WINDOW)?;
    Ok(decoder)
}

/// Fills a chunk, unless the content ends before.
fn fill(decoder: &mut Decoder<'_, BufReader<Frame>>, chunk: &mut Vec<u8>) -> io::Result<()> {
    chunk.resize(CHUNK, 0);
    let mut filled = 0;
    while filled < CHUNK {
        match decoder.read(&mut chunk[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    chunk.truncate(filled);
    Ok(())
}

/// Decompresses in a separate thread. Returns `None` if no thread can be started.
fn elsewhere(frame: &Frame) -> Option<Source> {
    let (full, chunks) = sync_channel(WAITING);
    let (used, empty) = sync_channel::<Vec<u8>>(WAITING + 2);
    let frame = frame.clone();
    let work = move || {
        let mut decoder = match decode(&frame) {
            Ok(decoder) => decoder,
            Err(error) => return drop(full.send(Err(error))),
        };
        loop {
            let mut chunk = empty.try_recv().unwrap_or_default();
            let filled = fill(&mut decoder, &mut chunk);
            let is_last = filled.is_err() || chunk.is_empty();
            // The reader may be gone.
            if full.send(filled.map(|()| chunk)).is_err() || is_last {
                break;
            }
        }
    };
    std::thread::Builder::new().spawn(work).ok()?;
    Some(Source::Elsewhere { chunks, used })
}

impl Unpacking {
    fn next(&mut self) -> io::Result<()> {
        self.at = 0;
        match &mut self.source {
            Source::Here(here) => here.next(&mut self.chunk, self.left)?,
            Source::Elsewhere { chunks, used } => {
                let _ = used.try_send(std::mem::take(&mut self.chunk));
                let lost = |_| io::Error::from(io::ErrorKind::UnexpectedEof);
                self.chunk = chunks.recv().map_err(lost)??;
            }
        }
        match self.chunk.len() as u64 {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n if n > self.left => Err(io::ErrorKind::InvalidData.into()),
            _ => Ok(()),
        }
    }
}

impl BufRead for Unpacking {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.chunk.len() && self.left > 0 {
            self.next()?;
        }
        Ok(&self.chunk[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
        self.left -= amount as u64;
    }
}

impl Read for Unpacking {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buf)?;
        self.consume(n);
        Ok(n)
    }
}
