//! What `cachex-front` has shown of a result before it passed the call on.
//!
//! Once the first byte was written there is no way back: whoever goes on must show the rest
//! of the same output. Nothing else is told of a call that is passed on.

use crate::frames::{Frames, Stream};
use core::cell::UnsafeCell;

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
