//! Opens the file on standard input again, with an offset that nobody else moves.

use cachex_base::system::fsutil;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

/// The size of a read while copying, in bytes.
const CHUNK: usize = 64 * 1024;

/// Opens the file again with the same flags, and seeks to `offset`.
pub fn opened(offset: u64) -> io::Result<File> {
    let stdin = rustix::stdio::stdin();
    // The other flags that the system remembers may not be valid for `open`.
    let kept = OFlags::ACCMODE | OFlags::APPEND | OFlags::NONBLOCK;
    let flags = rustix::fs::fcntl_getfl(stdin)? & kept;
    let fd = rustix::fs::open(path()?, flags | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())?;
    if !fsutil::same_file(&rustix::fs::fstat(&fd)?, &rustix::fs::fstat(stdin)?) {
        return Err(Errno::STALE.into());
    }
    let mut file = File::from(fd);
    file.seek(SeekFrom::Start(offset))?;
    Ok(file)
}

/// Returns a path to the file.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn path() -> io::Result<&'static str> {
    Ok("/proc/self/fd/0")
}

#[cfg(target_os = "macos")]
fn path() -> io::Result<std::ffi::CString> {
    // Opening `/dev/fd/0` would only duplicate it there.
    Ok(rustix::fs::getpath(rustix::stdio::stdin())?)
}

/// Copies the contents, for a file that cannot be opened again.
pub fn copied(offset: u64) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    loop {
        let n = fsutil::pread(rustix::stdio::stdin(), &mut chunk, at)?;
        if n == 0 {
            copy.seek(SeekFrom::Start(offset))?;
            return Ok(copy);
        }
        copy.write_all(&chunk[..n])?;
        at += n as u64;
    }
}
