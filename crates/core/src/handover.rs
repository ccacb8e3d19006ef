//! What `cachex-front` leaves to whoever goes on with a call that it passed on.
//!
//! Once the first byte of a result was written there is no way back: the rest of the same
//! output must be shown. And what was found out need not be found out twice: the key, where all
//! that it was made from is as it was; where the executable really lies; and that there is no
//! recent entry.

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
    /// How many of these were written.
    count: usize,
}

/// Leaves word that the first `count` bytes of these, an output in these frames, were written.
///
/// # Safety
///
/// The process has one thread, and nobody has called [`shown`] yet.
pub unsafe fn leave(frames: &'static [u8], data: &'static [u8], count: usize) {
    let shown = Shown { frames, data, count };
    // SAFETY: nobody else looks at it now.
    unsafe { *PLACE.0.get() = Some(shown) }
}

/// The key of a call, and what may be another by now of what it was made from.
///
/// Neither files nor what standard input holds are among that.
pub struct Identified {
    /// The key.
    pub key: [u8; 32],
    /// Where the executable was found.
    pub found: &'static [u8],
    /// Where it really lies.
    pub lies: &'static [u8],
    /// Which file that is, and which of its versions.
    pub stat: [i64; 7],
    /// The working directory.
    pub cwd: &'static [u8],
    /// The kind of standard input.
    pub stdin: &'static str,
    /// There was no recent entry of the key.
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

/// Whether [`place_of`] and [`was_absent`] have told what they know. Whoever asks later wants
/// to know what is so then.
static TOLD: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];

/// Leaves word of the key.
///
/// # Safety
///
/// As for [`leave`], of [`key`].
pub unsafe fn leave_key(fill: impl FnOnce(&mut Identified)) {
    // SAFETY: nobody else looks at it now.
    fill(unsafe { &mut *KEY.0.get() });
    KEY.1.store(true, Ordering::Relaxed);
}

/// Has [`key`] tell nothing any more: something is not as it was.
pub fn forget_key() {
    KEY.1.store(false, Ordering::Relaxed);
}

/// The key, if there is word of it.
pub fn key() -> Option<&'static Identified> {
    // SAFETY: nobody writes to it any more.
    KEY.1.load(Ordering::Relaxed).then(|| unsafe { &*KEY.0.get() })
}

/// Where a file really lies that was found by this path and is still this one. This is told
/// once.
pub fn place_of(found: &[u8], stat: &[i64; 7]) -> Option<&'static [u8]> {
    let known = key().filter(|known| known.found == found && known.stat == *stat)?;
    (!TOLD[0].swap(true, Ordering::Relaxed)).then_some(known.lies)
}

/// Whether there was no recent entry of this key when the process started. This is told once.
pub fn was_absent(wanted: &[u8; 32]) -> bool {
    key().is_some_and(|known| known.is_absent && known.key == *wanted)
        && !TOLD[1].swap(true, Ordering::Relaxed)
}

/// The pieces that were written, in their order.
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
