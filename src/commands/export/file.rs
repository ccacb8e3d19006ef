//! The file of an archive, which appears in its place only when it is complete.

use anyhow::{Context, Result, bail};
use rustix::fs::FileType;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The destination of an archive.
pub enum Destination {
    /// Nowhere: the archive is only measured.
    Nowhere,
    /// A stream that is read while it is written: standard output, a pipe, a device.
    Reader(File),
    /// A file without a name, which disappears however the process ends.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has them"))]
    Unnamed(File, PathBuf),
    /// A file with a temporary name, where the system has no unnamed ones.
    Named(NamedTempFile, PathBuf),
}

impl Destination {
    /// Opens the file of this name, or standard output.
    pub fn open(path: &Path) -> Result<Destination> {
        let named = || format!("writing an archive to '{}'", path.display());
        if path.as_os_str() == "-" {
            let stdout = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3);
            return Ok(Destination::Reader(File::from(stdout.with_context(named)?)));
        }
        let there = match rustix::fs::stat(path) {
            Ok(stat) => Some(FileType::from_raw_mode(stat.st_mode)),
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(errno).with_context(named),
        };
        match there {
            Some(FileType::Directory) => bail!("'{}' is a folder", path.display()),
            None => draft(path.to_owned()).with_context(named),
            // The target of a link is replaced, not the link.
            Some(FileType::RegularFile) => path.canonicalize().and_then(draft).with_context(named),
            Some(_) => {
                let device = File::options().write(true).open(path).with_context(named)?;
                if rustix::termios::isatty(&device) {
                    bail!("'{}' is a terminal; an archive cannot be written to it", path.display());
                }
                Ok(Destination::Reader(device))
            }
        }
    }

    /// Gives the file its name, replacing any existing file.
    pub fn keep(self) -> Result<()> {
        let (kept, path) = match self {
            Destination::Nowhere | Destination::Reader(_) => return Ok(()),
            Destination::Unnamed(file, path) => {
                (file.sync_all().and_then(|()| appear(&file, &path)), path)
            }
            Destination::Named(file, path) => {
                let synced = file.as_file().sync_all();
                (synced.and_then(|()| Ok(file.persist(&path).map(drop)?)), path)
            }
        };
        kept.with_context(|| format!("writing an archive to '{}'", path.display()))
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Destination::Nowhere => Ok(bytes.len()),
            Destination::Reader(file) | Destination::Unnamed(file, _) => file.write(bytes),
            Destination::Named(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Creates a private file in the folder in which `path` is to appear.
fn draft(path: PathBuf) -> io::Result<Destination> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::open(folder_of(&path), flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => return Ok(Destination::Unnamed(File::from(file), path)),
            // The file system or the kernel does not support unnamed files.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(Destination::Named(NamedTempFile::new_in(folder_of(&path))?, path))
}

/// Names an unnamed file. A link cannot replace a file, so it gets a temporary name first.
fn appear(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD};
    use std::os::fd::AsRawFd;
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    let passing = tempfile::Builder::new().make_in(folder_of(path), |name| {
        Ok(rustix::fs::linkat(CWD, &unnamed, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
    })?;
    Ok(passing.into_temp_path().persist(path)?)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A writer that counts the bytes.
pub struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W> Counted<W> {
    /// Wraps `inner`.
    pub fn new(inner: W) -> Counted<W> {
        Counted { inner, bytes: 0 }
    }

    /// Returns the inner writer, and the number of bytes written.
    pub fn into_inner(self) -> (W, u64) {
        (self.inner, self.bytes)
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
