//! A pipe on standard input whose writers are gone: what is in it is looked at and not taken.

use crate::input::{Input, STDIN};
use crate::sys::{self, Stat};
use crate::{Known, Pass};
use cachex_core::hash::{self, SHORT};
use cachex_core::key::{Fields, Sink, Tag};
use cachex_core::stdin;

/// How long the last writer has to leave, in milliseconds. Who goes on waits for that, too.
const MOMENT: i32 = 2;

/// Tells of a short pipe. `is_of_make` says that make gives its own standard input to one of
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

/// Takes out of a pipe, in which there was so much, what a command read of it.
pub fn follow(len: usize, consumed: u64, room: &mut [u8]) {
    let wanted = len.min(usize::try_from(consumed).unwrap_or(usize::MAX));
    // Nobody writes to it any more: with as much in it, it is what it was.
    if wanted > 0 && sys::waiting(STDIN).is_ok_and(|waiting| waiting == len) {
        let _ = sys::read(STDIN, room.get_mut(..wanted).unwrap_or_default());
    }
}
