//! Data that `cachex-front` leaves for the ordinary way when it passes a call on.
//!
//! Once the first byte of a result was written, the rest of the same output must be shown. And
//! results of the front need not be computed twice: the key, if everything that it was made from is
//! unchanged; the real path of the executable; and that there is no recent entry.

use crate::frames::{Frames, Stream};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

struct Place(UnsafeCell<Option<Shown>>);

// SAFETY: it is written to before the process has a second thread, see `leave`.
unsafe impl Sync for Place {}

static PLACE: Place = Place(UnsafeCell::new(None));

/// The beginning of an output.
#[derive(Clone, Copy)]
pub struct Shown {
    /// Its frames.
    frames: &'static [u8],
    /// The bytes of both streams.
    data: &'static [u8],
    /// The number of bytes that were written.
    count: usize,
}

/// Records that the first `count` bytes of this output were written.
///
/// # Safety
///
/// The process has one thread, and nobody has called [`shown`] yet.
pub unsafe fn leave(frames: &'static [u8], data: &'static [u8], count: usize) {
    let shown = Shown { frames, data, count };
    // SAFETY: nobody else reads it now.
    unsafe { *PLACE.0.get() = Some(shown) }
}

/// The key of a call, and those of its sources that may have changed.
///
/// Files and the contents of standard input are not among them.
pub struct Identified {
    /// The key.
    pub key: [u8; 32],
    /// The path by which the executable was found.
    pub found: &'static [u8],
    /// The real path of the executable.
    pub lies: &'static [u8],
    /// The identity and the version of that file.
    pub stat: [i64; 7],
    /// The working directory.
    pub cwd: &'static [u8],
    /// The kind of standard input.
    pub stdin: &'static str,
    /// True if there was no recent entry of the key.
    pub is_absent: bool,
}

struct Key(UnsafeCell<Identified>, AtomicBool);

// SAFETY: it is written to before the process has a second thread, see `leave_key`.
unsafe impl Sync for Key {}

static KEY: Key = Key(
    UnsafeCell::new(Identified {
        key: [0; 32],
        found: b"",
        lies: b"",
        stat: [0; 7],
        cwd: b"",
        stdin: "",
        is_absent: false,
    }),
    AtomicBool::new(false),
);

/// True once [`place_of`] and [`was_absent`] have returned their knowledge. Later callers want the
/// state of that time.
static TOLD: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];

/// Records the key.
///
/// # Safety
///
/// As for [`leave`], with [`key`] in place of [`shown`].
pub unsafe fn leave_key(fill: impl FnOnce(&mut Identified)) {
    // SAFETY: nobody else reads it now.
    fill(unsafe { &mut *KEY.0.get() });
    KEY.1.store(true, Ordering::Relaxed);
}

/// Makes [`key`] return nothing from now on, since something has changed.
pub fn forget_key() {
    KEY.1.store(false, Ordering::Relaxed);
}

/// Returns the key, if it was recorded.
pub fn key() -> Option<&'static Identified> {
    // SAFETY: nobody writes to it any more.
    KEY.1.load(Ordering::Relaxed).then(|| unsafe { &*KEY.0.get() })
}

/// Returns the real path of a file that was found by this path and is unchanged. It is returned
/// once.
pub fn place_of(found: &[u8], stat: &[i64; 7]) -> Option<&'static [u8]> {
    let known = key().filter(|known| known.found == found && known.stat == *stat)?;
    (!TOLD[0].swap(true, Ordering::Relaxed)).then_some(known.lies)
}

/// Returns whether there was no recent entry of this key when the process started. True is returned
/// once.
pub fn was_absent(wanted: &[u8; 32]) -> bool {
    key().is_some_and(|known| known.is_absent && known.key == *wanted)
        && !TOLD[1].swap(true, Ordering::Relaxed)
}

/// Returns the pieces that were written, in order.
pub fn shown() -> impl Iterator<Item = (Stream, &'static [u8])> {
    // SAFETY: nobody writes to it any more.
    let shown = unsafe { *PLACE.0.get() };
    shown.into_iter().flat_map(|Shown { frames, data, count }| {
        let mut rest = data.get(..count).unwrap_or(data);
        Frames(frames.iter().copied()).map_while(move |frame| {
            let frame = frame.ok()?;
            let len = rest.len().min(usize::try_from(frame.len).unwrap_or(usize::MAX));
            let (piece, behind) = rest.split_at_checked(len)?;
            rest = behind;
            Some((frame.stream, piece))
        })
    })
}
