//! Output that is read ahead while a terminal is slow to take what came before.
//!
//! Two outputs at one terminal come through two pipes. If what comes on either waited in its pipe,
//! its order would be lost. So it is read as it comes, up to a limit, and passed on in that order.

use crate::output_stream::OutputStream;
use cachex_base::record::frames::Stream;
use cachex_base::streams::nonblocking_writer::Outputs;
use std::collections::VecDeque;

/// The number of bytes that are read ahead. Beyond that, the command waits for the terminal as it
/// would without cachex, once its pipes are full.
const MOST: usize = 64 * 1024;

/// Output that was read ahead, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Late {
    chunks: VecDeque<(Stream, Vec<u8>)>,
    bytes: usize,
    /// Whether both outputs are one terminal, once that matters.
    is_one_terminal: Option<bool>,
}

impl Late {
    /// Returns whether output is read ahead while some of it waits for its reader.
    pub(super) fn is_on(&mut self, legs: &[OutputStream; 2]) -> bool {
        let is_one_device = || Outputs::of_this_process() == Outputs::OneDevice;
        legs.iter().any(OutputStream::is_pending)
            && *self.is_one_terminal.get_or_insert_with(is_one_device)
    }

    /// Returns whether more is to be read ahead.
    pub(super) fn has_room(&self) -> bool {
        self.is_one_terminal == Some(true) && self.bytes < MOST
    }

    /// Passes on what the terminal takes now.
    pub(super) fn pass_on(&mut self, legs: &mut [OutputStream; 2]) {
        legs.iter_mut().for_each(OutputStream::send);
        while !legs.iter().any(OutputStream::is_held_up)
            && let Some((stream, bytes)) = self.chunks.pop_front()
        {
            self.bytes -= bytes.len();
            legs[stream as usize].insert_late(&bytes);
        }
    }

    /// Reads what a stream has, and keeps it for later: `look` is called first, and `record` gets it.
    /// Returns whether anything came.
    pub(super) fn read(
        &mut self,
        leg: &mut OutputStream,
        mut look: impl FnMut(),
        mut record: impl FnMut(Stream, &[u8]),
    ) -> bool {
        let most = MOST.saturating_sub(self.bytes);
        let Some(bytes) = (most > 0).then(|| leg.read_ahead(most)).flatten() else { return false };
        look();
        record(leg.stream, &bytes);
        self.bytes += bytes.len();
        self.chunks.push_back((leg.stream, bytes));
        true
    }

    /// Leaves what was read ahead to its streams.
    pub(super) fn leave_to(&mut self, legs: &mut [OutputStream; 2]) {
        for (stream, bytes) in self.chunks.drain(..) {
            legs[stream as usize].append_late(&bytes);
        }
        self.bytes = 0;
    }

    /// Discards what waits for a terminal, as a terminal does with what it has not shown yet.
    pub(super) fn discard(&mut self, legs: &mut [OutputStream; 2]) {
        self.leave_to(legs);
        legs.iter_mut().filter(|leg| leg.is_flushed()).for_each(OutputStream::discard);
    }
}
