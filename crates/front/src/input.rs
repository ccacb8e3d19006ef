//! Standard input, and the descriptors that arguments name.

use crate::call::Process;
use crate::options::{self, Options};
use crate::pipe;
use crate::sys::{self, Errno, Stat};
use crate::{Known, Pass};
use cachex_core::descriptors::{How, numbers};
use cachex_core::hash::{self, SHORT};
use cachex_core::key::{Fields, Sink, Tag};
use cachex_core::stdin;
use core::ffi::c_int;

pub const STDIN: c_int = 0;

/// The size of the buffer for a file: one byte more than is hashed here.
pub const ROOM: usize = SHORT + 1;

/// Standard input, as far as the replay consumes it.
pub enum Input {
    /// Input of this kind that is not consumed.
    Unmoved(&'static str),
    /// A file that was at this offset.
    File(u64),
    /// A pipe that contains this many bytes.
    Pipe(usize),
}

impl Input {
    /// Adds standard input to the key. `is_closed` says that it is closed, and `is_of_make` that
    /// make provides it, see [`pipe`].
    pub fn tell(
        options: &Options,
        is_closed: bool,
        is_of_make: bool,
        room: &mut [u8],
        to: &mut Fields<impl Sink>,
    ) -> Known<Input> {
        let kind = match options.stdin() {
            options::Stdin::Null => stdin::NULL,
            options::Stdin::Inherit => stdin::INHERIT,
            options::Stdin::Hash if is_closed => stdin::CLOSED,
            options::Stdin::Hash => {
                let stat = sys::fstat(STDIN)?;
                match stat.st_mode & libc::S_IFMT {
                    libc::S_IFCHR => of_device(&stat)?,
                    libc::S_IFREG => return of_file(&stat, room, to),
                    libc::S_IFIFO => return pipe::tell(&stat, is_of_make, room, to),
                    _ => return Err(Pass("standard input is of another kind")),
                }
            }
        };
        to.add(Tag::Stdin, kind.as_bytes());
        Ok(Input::Unmoved(kind))
    }

    /// Returns the kind of the input, if its contents are not part of the key.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Input::Unmoved(kind) => Some(kind),
            Input::File(_) | Input::Pipe(_) => None,
        }
    }

    /// Consumes as much as the command did and runs `act`. If `act` fails, nothing is consumed.
    ///
    /// A command reads before it prints: callers that end with it, or continue as soon as output
    /// comes, find a file read. Bytes taken out of a pipe cannot be put back. So for a pipe, a
    /// reader that left does not end the process until they were taken.
    pub fn read_and(
        &self,
        consumed: Option<u64>,
        room: &mut [u8],
        act: impl FnOnce() -> Known<()>,
    ) -> Known<()> {
        match (self, consumed) {
            (Input::Unmoved(_), _) | (_, None | Some(0)) => act(),
            (Input::File(offset), Some(consumed)) => {
                let Ok(by) = i64::try_from(consumed) else { return Err(Pass("a length")) };
                shift(*offset, by);
                let done = act();
                if done.is_err() {
                    shift(offset.wrapping_add(consumed), by.wrapping_neg());
                }
                done
            }
            (Input::Pipe(len), Some(consumed)) => {
                let before = sys::hold_back(libc::SIGPIPE)?;
                let done = act();
                if done.is_ok() || sys::is_ended_by(libc::SIGPIPE, before) {
                    pipe::follow(*len, consumed, room);
                }
                sys::hold_back_only(before);
                done
            }
        }
    }
}

/// Moves the offset of standard input by `by`, if it still is at `from`.
fn shift(from: u64, by: i64) {
    let here = || sys::seek(STDIN, 0, libc::SEEK_CUR).ok();
    if here() != Some(from) {
        return;
    }
    // Another process that shares it may have moved it between these two calls.
    let there = from.wrapping_add_signed(by);
    if sys::seek(STDIN, by, libc::SEEK_CUR).is_ok_and(|now| now != there) {
        let _ = sys::seek(STDIN, by.wrapping_neg(), libc::SEEK_CUR);
    }
}

fn of_device(stat: &Stat) -> Known<&'static str> {
    if stat.st_rdev == libc::makedev(1, 3) {
        let flags = sys::fcntl(STDIN, libc::F_GETFL)? as c_int;
        let is_path = flags & libc::O_PATH != 0;
        return Ok(if is_path || flags & libc::O_ACCMODE == libc::O_WRONLY {
            stdin::WRITE_ONLY
        } else {
            stdin::EMPTY
        });
    }
    if sys::is_terminal(STDIN) {
        Ok(stdin::TERMINAL)
    } else {
        Err(Pass("standard input is a device"))
    }
}

/// Adds a short file that is not an output of this process.
fn of_file(stat: &Stat, room: &mut [u8], to: &mut Fields<impl Sink>) -> Known<Input> {
    for output in [1, 2] {
        let output = sys::fstat(output)?;
        if (output.st_dev, output.st_ino) == (stat.st_dev, stat.st_ino) {
            return Err(Pass("standard input is an output, too"));
        }
    }
    let offset = sys::seek(STDIN, 0, libc::SEEK_CUR)?;
    let mut len = 0;
    loop {
        let rest = room.get_mut(len..).unwrap_or_default();
        if rest.is_empty() {
            return Err(Pass("standard input is long"));
        }
        match sys::read_at(STDIN, rest, len as u64)? {
            0 => break,
            count => len = len.wrapping_add(count),
        }
    }
    let hash = room.get(..len).and_then(hash::short).ok_or(Pass("standard input is long"))?;
    to.0.put(&[Tag::Stdin as u8]);
    to.number(stdin::FILE.len() + stdin::CONTENTS);
    to.0.put(stdin::FILE.as_bytes());
    to.0.put(&stdin::contents(&hash, offset));
    Ok(Input::File(offset))
}

/// Passes on calls with an argument that names a descriptor which is, or may be, open.
pub fn check_descriptors(options: &Options, process: &Process) -> Known<()> {
    for argument in options.argv(process) {
        for (number, how) in numbers(argument.bytes(), |_| true) {
            let is_open = sys::fcntl(number, libc::F_GETFD) != Err(Errno(libc::EBADF));
            if how == How::Plainly || is_open {
                return Err(Pass("an argument names a descriptor"));
            }
        }
    }
    Ok(())
}

/// Returns whether a descriptor is closed.
pub fn is_closed(number: c_int) -> bool {
    sys::fcntl(number, libc::F_GETFD) == Err(Errno(libc::EBADF))
}
