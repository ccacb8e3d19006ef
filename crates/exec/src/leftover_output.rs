//! Relays the output of a process that the command left behind.
//!
//! cachex ends when the command does, as the command alone would have. What the command started may
//! still hold the pipes, so a background process copies their output to cachex's own outputs until
//! they end. It is a copy of cachex that holds nothing else: no lock, no store file, no terminal,
//! and of cachex's outputs only those on which something may still be printed, so that they end
//! when they would have ended without cachex. It takes no signals except those that nobody can
//! refuse: it ends with the processes that it serves.

use super::destination::Destination;
use super::late::Late;
use super::output_stream::OutputStream;
use cachex_base::process::detached;
use cachex_base::record::frames::Stream;
use cachex_base::streams::nonblocking_writer::NonblockingWriter;
use cachex_base::system::fsutil;
use rustix::event::PollFd;
use rustix::fd::AsRawFd;
use smallvec::SmallVec;

/// The streams of a command that has ended, on which a process that it left behind can still print.
pub struct Left {
    legs: [OutputStream; 2],
    late: Late,
}

impl Left {
    /// Returns the streams that are still open, if any.
    pub fn of(mut legs: [OutputStream; 2], mut late: Late) -> Option<Left> {
        // A stream with no data and no writer is not worth waiting for.
        let is_over = |leg: &&mut OutputStream| !leg.has_more() && !leg.is_pending();
        legs.iter_mut().filter(is_over).for_each(OutputStream::close);
        if legs.iter().all(OutputStream::is_done) {
            return None;
        }
        late.decide();
        Some(Left { legs, late })
    }

    /// Relays the remaining output in a background process, or in this one, for as long as it
    /// takes, if none can be started.
    pub fn carry_on(mut self) {
        let legs = self.legs.iter().filter(|leg| !leg.is_done());
        let ends = |leg: &OutputStream| {
            let source = leg.source.as_ref().map(AsRawFd::as_raw_fd);
            [source, leg.outlet.descriptor().map(|outlet| outlet.as_raw_fd())]
        };
        let keep = legs.flat_map(ends).flatten().collect();
        if detached::branch_off(keep, || self.carry()).is_none() {
            self.carry();
        }
    }

    /// Relays the remaining output of a run whose buffered output has been shown after all.
    pub fn carry_on_shown(mut self) {
        let [out, err] = &mut self.legs;
        out.outlet = Destination::Live(NonblockingWriter::of(Stream::Stdout));
        err.outlet = Destination::Live(NonblockingWriter::of(Stream::Stderr));
        self.carry_on();
    }

    /// Relays until nobody can print any more, or nobody reads.
    fn carry(&mut self) {
        loop {
            self.late.pass_on(&mut self.legs);
            for at in 0..self.legs.len() {
                self.late.advance(&mut self.legs, at, || {}, |_, _| {});
                let leg = &mut self.legs[at];
                leg.notice_departure();
                if leg.is_abandoned() || leg.is_unread() {
                    leg.close();
                }
            }
            if self.legs.iter().all(OutputStream::is_done) {
                return;
            }
            let mut watched = SmallVec::<[PollFd<'_>; 4]>::new();
            self.late.watch(&self.legs, &mut watched);
            watched.extend(self.legs.iter().filter_map(OutputStream::watches));
            let _ = fsutil::poll(&mut watched, None);
        }
    }
}
