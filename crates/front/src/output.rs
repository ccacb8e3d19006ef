//! Showing a recorded output.

use crate::sys::{self, Errno};
use crate::{Known, Pass};
use cachex_core::entry::View;
use cachex_core::frames::{Frame, Frames, total};
use cachex_core::handover;
use core::ffi::c_int;

const STDOUT: c_int = 1;
const STDERR: c_int = 2;

/// Finds out whether a recording is whole, and may be shown on these outputs: what came
/// through one pipe cannot be told apart, and of what came through two nobody knows the
/// order.
pub fn check(view: &View<'_>) -> Known<()> {
    if total(Frames(view.frames.iter().copied())) != Some(view.data.len() as u64) {
        return Err(Pass("the recording does not add up"));
    }
    let mut frames = Frames(view.frames.iter().copied());
    let (first, second) = (frames.next(), frames.next());
    if second.is_none() {
        return Ok(());
    }
    let is_of_one_pipe = matches!(first, Some(Ok(Frame::ONE_PIPE)));
    let (out, err) = (sys::fstat(STDOUT)?, sys::fstat(STDERR)?);
    let are_one = (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino);
    let fits = match out.st_mode & libc::S_IFMT {
        _ if !are_one => !is_of_one_pipe,
        // Whether it is one opening of it decides.
        libc::S_IFREG => return Err(Pass("both outputs are one file")),
        libc::S_IFIFO | libc::S_IFSOCK => is_of_one_pipe,
        // A terminal takes what came through one pipe, and what came through two.
        _ => true,
    };
    if fits { Ok(()) } else { Err(Pass("it was recorded with other outputs")) }
}

/// Shows it. What cannot be written is left to others, who are told how much was.
pub fn show(view: &View<'static>) -> Known<()> {
    let mut shown = 0_usize;
    for frame in Frames(view.frames.iter().copied()) {
        let Ok(Frame { stream, len }) = frame else { return Err(Pass("a frame")) };
        let end = shown.wrapping_add(len as usize);
        while let Some(bytes) = view.data.get(shown..end).filter(|bytes| !bytes.is_empty()) {
            match sys::write(STDOUT.wrapping_add(stream as c_int), bytes) {
                Ok(count) => shown = shown.wrapping_add(count),
                Err(Errno(libc::EINTR)) => {}
                Err(_) => {
                    if shown > 0 {
                        // SAFETY: no thread was started, and whoever looks comes later.
                        unsafe { handover::leave(view, shown) };
                    }
                    return Err(Pass("an output cannot be written"));
                }
            }
        }
    }
    Ok(())
}
