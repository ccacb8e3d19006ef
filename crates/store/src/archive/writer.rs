//! Writing an archive, record by record.

use super::{CHUNK, Kind, MAGIC, head};
use cachex_base::record::entry::{BlobRef, Key};
use cachex_base::system::hashing;
use cachex_base::system::progress;
use std::io::{self, Read, Write};
use zstd::stream::write::Encoder;

/// An archive being written. It is incomplete until [`Writer::finish`].
pub struct Writer<W: Write> {
    out: Encoder<'static, W>,
    digest: blake3::Hasher,
}

impl<W: Write> Writer<W> {
    /// Begins an archive without records.
    pub fn new(out: W) -> io::Result<Writer<W>> {
        let mut out = Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?;
        out.write_all(&MAGIC)?;
        let mut digest = blake3::Hasher::new();
        digest.update(&MAGIC);
        Ok(Writer { out, digest })
    }

    /// Appends a blob whose bytes were verified against its hash.
    pub fn blob(&mut self, kind: Kind, blob: &BlobRef, bytes: impl Read) -> io::Result<()> {
        self.begin(kind, blob.len, &blob.hash)?;
        let mut bytes = bytes.take(blob.len);
        let mut chunk = vec![0; CHUNK.min(usize::try_from(blob.len).unwrap_or(CHUNK))];
        let mut left = blob.len;
        while left > 0 {
            match bytes.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    self.out.write_all(&chunk[..n])?;
                    left -= n as u64;
                    progress::advance(n as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Appends a sealed entry and the time of its last use.
    pub fn entry(&mut self, last_use: u64, sealed: &[u8]) -> io::Result<()> {
        let bytes = [&last_use.to_le_bytes(), sealed].concat();
        self.begin(Kind::Entry, bytes.len() as u64, hashing::of(&bytes).as_bytes())?;
        progress::advance(sealed.len() as u64);
        self.out.write_all(&bytes)
    }

    /// Appends a packed path set of a call.
    pub fn path_set(&mut self, call: &Key, packed: &[u8]) -> io::Result<()> {
        let bytes = [&call.0, packed].concat();
        self.begin(Kind::PathSet, bytes.len() as u64, hashing::of(&bytes).as_bytes())?;
        self.out.write_all(&bytes)
    }

    /// Completes the archive.
    pub fn finish(mut self) -> io::Result<W> {
        let digest = self.digest.finalize();
        self.out.write_all(&head(Kind::End, 32))?;
        self.out.write_all(digest.as_bytes())?;
        self.out.finish()
    }

    fn begin(&mut self, kind: Kind, len: u64, hash: &[u8; 32]) -> io::Result<()> {
        let head = head(kind, len);
        self.digest.update(&head).update(hash);
        self.out.write_all(&head)
    }
}
