//! Replaying a recorded output.

use crate::sys::{self, Descriptor, Errno};
use crate::{Known, Pass};
use cachex_core::bytes::eq;
use cachex_core::entry::{Data, View};
use cachex_core::frames::{Frame, Frames, are_helped, total};
use cachex_core::handover;
use cachex_core::hash;
use cachex_core::young;
use core::ffi::c_int;

const STDOUT: c_int = 1;
const STDERR: c_int = 2;

/// Checks that a recording is complete and may be shown on these outputs: streams that came through
/// one pipe cannot be separated, and the order of those that came through two is unknown.
pub fn check(view: &View<'_>) -> Known<()> {
    if total(Frames(view.frames.iter().copied())) != Some(view.data.count()) {
        return Err(Pass("the recording does not add up"));
    }
    let mut frames = Frames(view.frames.iter().copied());
    let (first, second) = (frames.next(), frames.next());
    if matches!(second, None | Some(Ok(Frame::HELPED))) {
        return Ok(());
    }
    let is_of_one_pipe = matches!(first, Some(Ok(Frame::ONE_PIPE)));
    let (out, err) = (sys::fstat(STDOUT)?, sys::fstat(STDERR)?);
    let are_one = (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino);
    let fits = match out.st_mode & libc::S_IFMT {
        _ if !are_one => !is_of_one_pipe,
        // It depends on whether they share one open file.
        libc::S_IFREG => return Err(Pass("both outputs are one file")),
        libc::S_IFIFO | libc::S_IFSOCK => is_of_one_pipe,
        // A terminal accepts recordings of both kinds.
        _ => true,
    };
    if fits { Ok(()) } else { Err(Pass("it was recorded with other outputs")) }
}

/// Loads the bytes of a recording and verifies them.
pub fn load(
    view: &View<'static>,
    store: &Descriptor,
    room: &'static mut [u8],
) -> Known<&'static [u8]> {
    let (hash, len) = match view.data {
        Data::Inline(bytes) => return Ok(bytes),
        Data::Blob(hash, len) => (hash, len),
    };
    let file = sys::open_stored(store, &young::blob(hash));
    let file = file.map_err(|_| Pass("the output is not there as it is"))?;
    let read = sys::read_all(file.number(), room)?;
    let bytes = room.get(..read).unwrap_or_default();
    let is_whole = read as u64 == len && hash::short(bytes).is_some_and(|it| eq(&it, hash));
    if is_whole { Ok(bytes) } else { Err(Pass("the output is damaged")) }
}

/// Writes the output. If a write fails, the rest is left to the ordinary way, which is told how
/// much was written.
///
/// A reader that leaves ends this process, unless it may have ended only a child of the command.
pub fn show(view: &View<'static>, data: &'static [u8]) -> Known<()> {
    if !are_helped(view.frames) {
        return write(view, data);
    }
    let before = sys::hold_back(libc::SIGPIPE)?;
    let done = write(view, data);
    if done.is_err() {
        sys::discard(libc::SIGPIPE);
    }
    sys::hold_back_only(before);
    done
}

fn write(view: &View<'static>, data: &'static [u8]) -> Known<()> {
    let mut shown = 0_usize;
    for frame in Frames(view.frames.iter().copied()) {
        let Ok(Frame { stream, len }) = frame else { return Err(Pass("a frame")) };
        let end = shown.wrapping_add(len as usize);
        while let Some(bytes) = data.get(shown..end).filter(|bytes| !bytes.is_empty()) {
            match sys::write(STDOUT.wrapping_add(stream as c_int), bytes) {
                Ok(count) => shown = shown.wrapping_add(count),
                Err(Errno(libc::EINTR)) => {}
                Err(_) => {
                    if shown > 0 {
                        // SAFETY: no thread was started, and the reader comes later.
                        unsafe { handover::leave(view.frames, data, shown) };
                    }
                    return Err(Pass("an output cannot be written"));
                }
            }
        }
    }
    Ok(())
}
