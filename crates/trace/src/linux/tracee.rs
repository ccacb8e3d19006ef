//! A traced thread, as seen through `/proc`.

use crate::linux::listen::read_memory;
use rustix::fs::{AtFlags, CWD};
use rustix::io::Errno;
use std::ffi::CString;
use std::io::Write;
use std::os::fd::RawFd;

/// The size of the longest path that the kernel takes, with the final null byte.
const PATH_MAX: usize = 4096;
/// The smallest page size.
const PAGE: u64 = 4096;
/// The number of bytes to read at a time: most paths are shorter.
const STEP: u64 = 256;

/// A thread that waits for an answer.
#[derive(Clone, Copy)]
pub struct Tracee(pub i32);

/// The target of a descriptor or a link in `/proc`.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// A canonical path.
    Path(Vec<u8>),
    /// A file that has no path any more.
    Removed,
    /// A pipe, a socket or the like.
    Nameless,
}

/// An error: memory could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The kernel will not be able to read it either, or will reject it.
    Invalid,
    /// This process may not read it.
    Denied(Errno),
}

impl Tracee {
    /// Reads a string, and appends it to `to`.
    pub fn read_string(self, from: u64, to: &mut Vec<u8>) -> Result<(), Unread> {
        let mut at = from;
        let mut chunk = [0; STEP as usize];
        let mut room = PATH_MAX as u64;
        while room > 0 {
            let len = (PAGE - at % PAGE).min(room).min(STEP);
            let part = &mut chunk[..len as usize];
            let n = read_memory(self.0, at, part).map_err(unread)?;
            let part = &part[..n];
            if let Some(end) = part.iter().position(|&byte| byte == 0) {
                to.extend(&part[..end]);
                return Ok(());
            }
            to.extend(part);
            (at, room) = (at.wrapping_add(n as u64), room - n as u64);
        }
        Err(Unread::Invalid)
    }

    /// Reads exactly as many bytes as fit.
    pub fn read(self, from: u64, to: &mut [u8]) -> Result<(), Unread> {
        match read_memory(self.0, from, to).map_err(unread)? {
            n if n == to.len() => Ok(()),
            _ => Err(Unread::Invalid),
        }
    }

    /// Returns the working directory.
    pub fn working_directory(self) -> Result<Target, Errno> {
        target(&self.file(format_args!("cwd")))
    }

    /// Returns the executable.
    pub fn executable(self) -> Result<Target, Errno> {
        target(&self.file(format_args!("exe")))
    }

    /// Returns the target of a descriptor.
    pub fn descriptor(self, fd: RawFd) -> Result<Target, Errno> {
        target(&self.file(format_args!("fd/{fd}")))
    }

    /// Returns the arguments of the program, each terminated by a null byte.
    pub fn arguments(self) -> Vec<u8> {
        std::fs::read(format!("/proc/{}/cmdline", self.0)).unwrap_or_default()
    }

    /// Returns the id of the process to which the thread belongs.
    pub fn process(self) -> i32 {
        self.status_number("Tgid:").unwrap_or(self.0)
    }

    /// Returns the id of the parent process.
    pub fn parent(self) -> Option<i32> {
        self.status_number("PPid:").filter(|&pid| pid > 0)
    }

    /// Returns the name of the program.
    pub fn name(self) -> String {
        let path = format!("/proc/{}/comm", self.0);
        let name = std::fs::read_to_string(path).unwrap_or_default();
        name.trim_end_matches('\n').to_owned()
    }

    /// Returns whether the process has no controlling terminal.
    pub fn has_no_terminal(self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        // The name, which may contain anything, is in parentheses; the terminal is the fifth field
        // after it.
        let after = stat.rsplit(')').next().unwrap_or_default();
        after.split_whitespace().nth(4) == Some("0")
    }

    fn status(self) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{}/status", self.0)).ok()
    }

    fn status_number(self, field: &str) -> Option<i32> {
        self.status()?.lines().find_map(|line| line.strip_prefix(field))?.trim().parse().ok()
    }

    fn file(self, name: std::fmt::Arguments<'_>) -> Link {
        Link::new(format_args!("/proc/{}/{name}", self.0))
    }
}

/// The path of a link in `/proc`, stored without allocation.
struct Link {
    bytes: [u8; 64],
    len: usize,
}

impl Link {
    fn new(path: std::fmt::Arguments<'_>) -> Link {
        let mut bytes = [0; 64];
        let room = bytes.len();
        let mut left = &mut bytes[..room - 1];
        // Numbers and short names fit.
        let _ = left.write_fmt(path);
        let len = room - 1 - left.len();
        Link { bytes, len }
    }

    fn path(&self) -> &std::ffi::CStr {
        std::ffi::CStr::from_bytes_with_nul(&self.bytes[..=self.len]).unwrap_or_default()
    }
}

/// Returns the target of a link in `/proc`.
pub fn magic(path: &[u8]) -> Result<Target, Errno> {
    let path = CString::new(path).map_err(|_| Errno::INVAL)?;
    read_target(&path)
}

fn target(link: &Link) -> Result<Target, Errno> {
    read_target(link.path())
}

fn read_target(link: &std::ffi::CStr) -> Result<Target, Errno> {
    let mut buffer = [const { std::mem::MaybeUninit::uninit() }; PATH_MAX];
    let (text, _) = rustix::fs::readlinkat_raw(CWD, link, &mut buffer)?;
    if text.len() == PATH_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    if text.starts_with(b"(unreachable)") {
        return Err(Errno::NOENT);
    }
    if !text.starts_with(b"/") {
        return Ok(Target::Nameless);
    }
    let text = text.to_vec();
    if text.ends_with(b" (deleted)") {
        // A file may really be named so.
        let links = rustix::fs::statat(CWD, link, AtFlags::empty())?.st_nlink;
        let named = rustix::fs::statat(CWD, text.as_slice(), AtFlags::SYMLINK_NOFOLLOW);
        if links == 0 || named.is_err() {
            return Ok(Target::Removed);
        }
    }
    if text.starts_with(b"/memfd:")
        || text.starts_with(b"/SYSV")
        || text.starts_with(b"/dev/zero (")
    {
        return Ok(Target::Nameless);
    }
    Ok(Target::Path(text))
}

fn unread(errno: Errno) -> Unread {
    match errno {
        Errno::FAULT => Unread::Invalid,
        errno => Unread::Denied(errno),
    }
}
