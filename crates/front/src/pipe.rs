//! A pipe on standard input whose writers are gone: its contents are read without consuming them.

use crate::input::{Input, STDIN};
use crate::sys::{self, Stat};
use crate::{Known, Pass};
use cachex_core::hash::{self, SHORT};
use cachex_core::key::{Fields, Sink, Tag};
use cachex_core::stdin;

/// The time for the last writer to leave, in milliseconds. It also delays calls that are passed on.
const MOMENT: i32 = 2;

/// Adds a short pipe to the key. `is_of_make` says that make gives its own standard input to one of
/// its jobs and an empty pipe to the others, by chance.
pub fn tell(
    stat: &Stat,
    is_of_make: bool,
    room: &mut [u8],
    to: &mut Fields<impl Sink>,
) -> Known<Input> {
    let long = Pass("standard input is long");
    if !sys::has_hung_up(STDIN, MOMENT)? {
        return Err(Pass("standard input is open"));
    }
    let len = sys::waiting(STDIN)?;
    let room = room.get_mut(..len).filter(|_| len <= SHORT).ok_or(long)?;
    let (copied, copy) = sys::pipe()?;
    // A named pipe may be opened for writing again.
    if sys::fstat(copy.number())?.st_dev != stat.st_dev {
        return Err(Pass("standard input is a pipe with a name"));
    }
    if len > 0
        && (sys::tee(STDIN, copy.number(), len)? < len || sys::read(copied.number(), room)? < len)
    {
        return Err(Pass("standard input changes"));
    }
    if len == 0 && is_of_make {
        to.add(Tag::Stdin, stdin::EMPTY.as_bytes());
        return Ok(Input::Unmoved(stdin::EMPTY));
    }
    let hash = hash::short(room).ok_or(long)?;
    to.0.put(&[Tag::Stdin as u8]);
    to.number(stdin::PIPE.len() + stdin::CONTENTS);
    to.0.put(stdin::PIPE.as_bytes());
    to.0.put(&stdin::contents(&hash, 0));
    Ok(Input::Pipe(len))
}

/// Consumes what a command read of a pipe that contained `len` bytes.
pub fn follow(len: usize, consumed: u64, room: &mut [u8]) {
    let wanted = len.min(usize::try_from(consumed).unwrap_or(usize::MAX));
    // It has no writers left: with the same length, its contents are the same.
    if wanted > 0 && sys::waiting(STDIN).is_ok_and(|waiting| waiting == len) {
        let _ = sys::read(STDIN, room.get_mut(..wanted).unwrap_or_default());
    }
}
