//! What carries on the output of something that the command left behind.
//!
//! cachex ends when the command does, as the command would have left its own reader. What
//! it started may still hold the pipes: a process stays behind that copies what comes
//! through them to where cachex's own output went, until their end. It is a copy of cachex
//! that holds nothing else: no lock, no file of the store, no terminal, and of cachex's
//! outputs those that something may still be printed on, so that they end when they would
//! have ended. It takes no signal but those that nobody can refuse: it ends with what it
//! serves.

use super::destination::Destination;
use super::output_stream::OutputStream;
use cachex_base::process::detached;
use cachex_base::record::frames::Stream;
use cachex_base::streams::nonblocking_writer::NonblockingWriter;
use cachex_base::system::fsutil;
use rustix::event::PollFd;
use rustix::fd::AsRawFd;
use smallvec::SmallVec;

/// The streams of a command that has ended, while something that it left behind can print
/// on them.
pub struct Left([OutputStream; 2]);

impl Left {
    /// What is left of these; none if that is nothing.
    pub fn of(mut legs: [OutputStream; 2]) -> Option<Left> {
        // What nobody printed is nothing to wait for.
        let is_over = |leg: &&mut OutputStream| !leg.has_more() && !leg.is_pending();
        legs.iter_mut().filter(is_over).for_each(OutputStream::close);
        (!legs.iter().all(OutputStream::is_done)).then_some(Left(legs))
    }

    /// Has a process of its own carry on what still comes. If none is to be had this one
    /// does, for as long as it takes.
    pub fn carry_on(mut self) {
        let legs = self.0.iter().filter(|leg| !leg.is_done());
        let ends = |leg: &OutputStream| {
            let source = leg.source.as_ref().map(AsRawFd::as_raw_fd);
            [source, leg.outlet.descriptor().map(|outlet| outlet.as_raw_fd())]
        };
        let keep = legs.flat_map(ends).flatten().collect();
        if detached::branch_off(keep, || self.carry()).is_none() {
            self.carry();
        }
    }

    /// The same for what was held back and has been shown after all.
    pub fn carry_on_shown(mut self) {
        let [out, err] = &mut self.0;
        out.outlet = Destination::Live(NonblockingWriter::of(Stream::Stdout));
        err.outlet = Destination::Live(NonblockingWriter::of(Stream::Stderr));
        self.carry_on();
    }

    /// Until nobody can print any more, or nobody reads it.
    fn carry(&mut self) {
        loop {
            for leg in &mut self.0 {
                leg.advance(|_, _| {});
                leg.notice_departure();
                if leg.is_abandoned() || leg.is_unread() {
                    leg.close();
                }
            }
            if self.0.iter().all(OutputStream::is_done) {
                return;
            }
            let mut watched = SmallVec::<[PollFd<'_>; 4]>::new();
            watched.extend(self.0.iter().filter_map(OutputStream::waits_for));
            watched.extend(self.0.iter().filter_map(OutputStream::watches));
            let _ = fsutil::poll(&mut watched, None);
        }
    }
}
