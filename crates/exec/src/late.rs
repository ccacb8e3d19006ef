//! Output that is read ahead while a terminal is slow to take what came before.
//!
//! Two outputs at one terminal come through two pipes. If what comes on either waited in its pipe,
//! its order would be lost. So it is read as it comes, up to a limit, and passed on in that order.

use crate::output_stream::OutputStream;
use cachex_base::record::frames::Stream;
use cachex_base::streams::nonblocking_writer::Outputs;
use rustix::event::PollFd;
use std::collections::VecDeque;

/// The number of bytes that are read ahead. Beyond that, the command waits for the terminal as it
/// would without cachex, once its pipes are full.
const MOST: usize = 64 * 1024;

/// Output that was read ahead, in the order in which it came.
#[derive(Debug, Default)]
pub struct Late {
    bytes: VecDeque<u8>,
    /// The streams of these bytes, and how many are of each.
    runs: VecDeque<(Stream, usize)>,
    /// Whether both outputs are one terminal, once that matters.
    is_one_terminal: Option<bool>,
}

impl Late {
    /// Finds out whether both outputs are one terminal, while this process still has them.
    pub fn decide(&mut self) -> bool {
        let is_one_device = || Outputs::of_this_process() == Outputs::OneDevice;
        *self.is_one_terminal.get_or_insert_with(is_one_device)
    }

    /// Returns whether output is read ahead while some of it waits for its reader.
    pub fn is_on(&mut self, legs: &[OutputStream; 2]) -> bool {
        legs.iter().any(OutputStream::is_pending) && self.decide()
    }

    /// Returns whether nothing is read until the terminal takes something.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= MOST
    }

    /// Passes on what the terminal takes now.
    pub fn pass_on(&mut self, legs: &mut [OutputStream; 2]) {
        legs.iter_mut().for_each(OutputStream::send);
        while !legs.iter().any(OutputStream::is_held_up)
            && let Some((stream, len)) = self.runs.pop_front()
        {
            let bytes: Vec<u8> = self.bytes.drain(..len).collect();
            legs[stream as usize].insert_late(&bytes);
        }
    }

    /// Reads what a stream has, and passes it on, now or later: `look` is called first, and `record`
    /// gets it. Returns whether anything came.
    pub fn advance(
        &mut self,
        legs: &mut [OutputStream; 2],
        at: usize,
        look: impl FnMut(),
        record: impl FnMut(Stream, &[u8]),
    ) -> bool {
        if self.is_on(legs) {
            self.read(&mut legs[at], look, record)
        } else {
            legs[at].advance(look, record)
        }
    }

    fn read(
        &mut self,
        leg: &mut OutputStream,
        mut look: impl FnMut(),
        mut record: impl FnMut(Stream, &[u8]),
    ) -> bool {
        let most = MOST.saturating_sub(self.bytes.len());
        let Some(bytes) = (most > 0).then(|| leg.read_ahead(most)).flatten() else { return false };
        look();
        record(leg.stream, &bytes);
        match self.runs.back_mut() {
            Some((stream, len)) if *stream == leg.stream => *len += bytes.len(),
            _ => self.runs.push_back((leg.stream, bytes.len())),
        }
        self.bytes.extend(bytes);
        true
    }

    /// Adds what has to be ready for output to be read or passed on.
    pub fn watch<'l>(&self, legs: &'l [OutputStream; 2], watched: &mut impl Extend<PollFd<'l>>) {
        let is_one = self.is_one_terminal == Some(true);
        let is_on = is_one && legs.iter().any(OutputStream::is_pending);
        for leg in legs {
            watched.extend(leg.waits_for().filter(|_| leg.is_pending()));
            let reads = if is_on { !self.is_full() } else { !leg.is_pending() };
            watched.extend(leg.reads_from().filter(|_| reads));
        }
    }

    /// Discards what waits for a terminal, as a terminal does with what it has not shown yet. What the
    /// command printed and nobody read goes likewise if the command `is_gone`.
    pub fn discard(&mut self, legs: &mut [OutputStream; 2], is_gone: bool) {
        let is_all = legs.iter().all(|leg| leg.outlet.is_flushed());
        if is_all {
            self.bytes.clear();
            self.runs.clear();
        }
        if is_all || self.runs.is_empty() {
            for leg in legs.iter_mut().filter(|leg| leg.outlet.is_flushed()) {
                leg.discard();
                if is_gone {
                    leg.discard_unread();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::Destination;
    use crate::output_stream::buffer;
    use cachex_base::streams::nonblocking_writer::NonblockingWriter;
    use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
    use std::os::fd::AsFd;

    /// Two streams into one pipe, their writers, and its reader.
    fn scene() -> ([OutputStream; 2], [PipeWriter; 2], PipeReader) {
        let (reader, outlet) = pipe().unwrap();
        let outlet: &'static PipeWriter = Box::leak(Box::new(outlet));
        let (sources, writers): (Vec<_>, Vec<_>) = (0..2).map(|_| pipe().unwrap()).unzip();
        let mut sources = sources.into_iter();
        let legs = Stream::BOTH.map(|stream| {
            let outlet = Destination::Live(NonblockingWriter::new(outlet.as_fd()));
            OutputStream::new(stream, sources.next().map(Into::into), outlet, buffer())
        });
        (legs, writers.try_into().unwrap(), reader)
    }

    /// Reads ahead what both streams have now.
    fn read(late: &mut Late, legs: &mut [OutputStream; 2]) {
        for leg in legs {
            late.read(leg, || {}, |_, _| {});
        }
    }

    #[test]
    fn what_waits_keeps_its_order_and_is_limited() {
        let (mut legs, mut writers, mut reader) = scene();
        let mut late = Late { is_one_terminal: Some(true), ..Late::default() };
        // What fits into the pipe, and a bit more.
        let mut shown = 0;
        while !legs[0].is_pending() {
            writers[0].write_all(&[b'.'; 4096]).unwrap();
            legs[0].advance(|| {}, |_, _| {});
            shown += 4096;
        }
        assert!(late.is_on(&legs));
        for n in 0..1000 {
            writers[n % 2].write_all(format!("{n}\n").as_bytes()).unwrap();
            read(&mut late, &mut legs);
        }
        let watches = |late: &Late, legs: &[OutputStream; 2]| {
            let mut watched = Vec::new();
            late.watch(legs, &mut watched);
            watched.len()
        };
        // Both sources, and one place to write to for each.
        assert_eq!((late.is_full(), watches(&late, &legs)), (false, 4));
        while !late.is_full() {
            writers[1].write_all(&[b'x'; 4096]).unwrap();
            read(&mut late, &mut legs);
        }
        writers[0].write_all(b"later").unwrap();
        read(&mut late, &mut legs);
        assert_eq!((late.bytes.len(), watches(&late, &legs)), (MOST, 2));
        assert!(late.bytes.capacity() < 4 * MOST);
        let expected: String = (0..1000).map(|n| n.to_string() + "\n").collect();
        let mut got = vec![0; shown + MOST];
        let mut at = 0;
        while at < got.len() {
            at += reader.read(&mut got[at..]).unwrap();
            late.pass_on(&mut legs);
        }
        assert!(got[shown..].starts_with(expected.as_bytes()));
        assert!(!legs.iter().any(OutputStream::is_pending));
    }
}
