//! A declared input that is a short file. It is read each time, so that nothing has to be
//! remembered of it.

use crate::buffer::Buffer;
use crate::sys;
use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::hash;
use cachex_core::key::{Fields, Sink, Tag};

/// The size of the description of a file: its path with the length, its type, its permissions and
/// its hash.
pub const ROOM: usize = crate::executable::PATH + 8 + 1 + 4 + 32;
const FILE: u8 = 1;
const PERMISSIONS: u32 = 0o7777;

/// The identity of a file: its device and its inode.
pub type File = [u64; 2];

/// Adds this file to the key, and returns its identity.
pub fn tell(
    path: Text<'_>,
    room: &mut [u8],
    content: &mut [u8],
    to: &mut Fields<impl Sink>,
) -> Known<File> {
    // A link is part of the key as a link.
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW;
    let file = sys::open_at(libc::AT_FDCWD, path, flags, 0);
    let file = file.map_err(|_| Pass("an input is not a file"))?;
    let stat = sys::fstat(file.number())?;
    if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(Pass("an input is not a file"));
    }
    let len = sys::read_all(file.number(), content)?;
    // Generated files of the kernel have no length; a growing file is not supported.
    if len as i64 != stat.st_size {
        return Err(Pass("an input is long"));
    }
    let hash = content.get(..len).and_then(hash::short).ok_or(Pass("an input is long"))?;
    let mut told = Buffer::new(room);
    told.put(&(path.bytes().len() as u64).to_le_bytes());
    told.put(path.bytes());
    told.put(&[FILE]);
    told.put(&(stat.st_mode & PERMISSIONS).to_le_bytes());
    told.put(&hash);
    let digest = hash::short(told.bytes()?).ok_or(Pass("a path is too long"))?;
    to.add(Tag::Inputs, &digest);
    Ok([stat.st_dev, stat.st_ino])
}
