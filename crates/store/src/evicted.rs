//! Notes of the blobs that were evicted, for the next fold.
//!
//! Whoever makes room has files alone ([`super::room`]), and may remove the output of entries that
//! the database holds. From that moment on such an entry is a miss. The note, which is written
//! before, says that this is no damage, and has the next fold drop the entry.

use super::{Root, account};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use rustix::fs::OFlags;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;

/// The prefix of the names of the files; a timestamp follows.
const PREFIX: &str = "evicted-";
/// The maximum length of a file that is read, in bytes: the hashes of two million blobs.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Returns whether a file of this name below the root is a note.
pub fn is_note(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Notes that these blobs are about to be removed. The caller holds the publish lock.
pub fn note(root: &Root, blobs: &[[u8; 32]]) -> rustix::io::Result<()> {
    if blobs.is_empty() {
        return Ok(());
    }
    let name = format!("{PREFIX}{:x}", Timestamp::now().0);
    let bytes = blobs.as_flattened();
    let file = fsutil::create_file(root, &name, OFlags::WRONLY | OFlags::EXCL)?;
    if let Err(errno) = fsutil::write_file(file, bytes) {
        let _ = fsutil::remove_file(root, &name);
        return Err(errno);
    }
    account::add(root, account::blocks(bytes.len() as u64));
    Ok(())
}

/// The blobs that were evicted since the last fold.
#[derive(Debug, Default)]
pub struct Noted {
    /// Their hashes. Some may have been recorded again.
    pub blobs: HashSet<[u8; 32]>,
    files: Vec<OsString>,
}

impl Noted {
    /// Reads all notes, as far as possible.
    pub fn read(root: &Root) -> rustix::io::Result<Noted> {
        let mut noted = Noted::default();
        for name in fsutil::names(root, ".")? {
            if name.to_str().is_some_and(is_note) {
                let mut bytes = Vec::new();
                if let Ok(file) = fsutil::open_file(root, &name) {
                    let _ = File::from(file).take(LONGEST).read_to_end(&mut bytes);
                }
                noted.blobs.extend(bytes.as_chunks().0);
                noted.files.push(name);
            }
        }
        Ok(noted)
    }

    /// Removes the notes that were read, once no entry needs the blobs any more.
    pub fn discard(self, root: &Root) {
        let mut freed = 0;
        for name in self.files {
            let len =
                fsutil::stat(root, &name).ok().flatten().map_or(0, |stat| account::on_disk(&stat));
            freed += if fsutil::remove_file(root, &name) == Ok(true) { len } else { 0 };
        }
        account::give_back(root, freed);
    }
}
