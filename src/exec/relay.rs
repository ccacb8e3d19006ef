//! What carries on the output of something that the command left behind.
//!
//! cachex ends when the command does, as the command would have left its own reader. What
//! it started may still hold the pipes: a process stays behind that copies what comes
//! through them to where cachex's own output went, until their end. It is a copy of cachex
//! that holds nothing else: no lock, no file of the store, no terminal, and of cachex's
//! outputs those that something may still be printed on, so that they end when they would
//! have ended. It takes no signal but those that nobody can refuse: it ends with what it
//! serves.

use super::leg::Leg;
use super::outlet::Outlet;
use crate::detached;
use crate::fsutil;
use crate::signals::Mask;
use crate::sink::Sink;
use rustix::event::PollFd;
use rustix::fd::{AsFd, BorrowedFd};
use smallvec::SmallVec;

/// The streams of a command that has ended, while something that it left behind can print
/// on them.
pub struct Left([Leg; 2]);

impl Left {
    /// What is left of these; none if that is nothing.
    pub fn of(mut legs: [Leg; 2]) -> Option<Left> {
        legs.iter_mut().filter(|leg| !leg.has_more()).for_each(Leg::close);
        legs.iter().any(|leg| leg.source.is_some()).then_some(Left(legs))
    }

    /// Has a process of its own carry on what still comes. If none is to be had this one
    /// does, for as long as it takes.
    pub fn carry_on(self) {
        // SAFETY: the child goes on with one thread, and needs nothing that another could
        // have locked at this moment but the allocator, which the C library sees to. What it
        // drops it drops without an effect on this process.
        match unsafe { libc::fork() } {
            0 => {
                let _ = Mask::all_but(&[]).set();
                self.leave_everything_else();
                self.carry();
                // SAFETY: it ends the process at once, and nothing of it needs to be tidied.
                unsafe { libc::_exit(0) }
            }
            1.. => {}
            _ => self.carry(),
        }
    }

    /// The same for what was held back and has been shown after all.
    pub fn carry_on_shown(mut self) {
        let [out, err] = &mut self.0;
        out.outlet = Outlet::Live(Sink::new(rustix::stdio::stdout()));
        err.outlet = Outlet::Live(Sink::new(rustix::stdio::stderr()));
        self.carry_on();
    }

    fn leave_everything_else(&self) {
        let _ = rustix::process::setsid();
        let _ = rustix::process::chdir("/");
        let mut keep = SmallVec::<[BorrowedFd<'_>; 4]>::new();
        for leg in self.0.iter().filter(|leg| !leg.is_done()) {
            keep.extend(leg.source.as_ref().map(AsFd::as_fd));
            keep.extend(leg.outlet.descriptor());
        }
        detached::close_all_but(&keep);
    }

    /// Until nobody can print any more, or nobody reads it.
    fn carry(mut self) {
        while !self.0.iter().all(Leg::is_done) {
            let mut watched = SmallVec::<[PollFd<'_>; 2]>::new();
            watched.extend(self.0.iter().filter_map(Leg::waits_for));
            let _ = fsutil::poll(&mut watched, None);
            drop(watched);
            for leg in &mut self.0 {
                leg.advance(|_, _| {});
                if leg.is_abandoned() {
                    leg.close();
                }
            }
        }
    }
}
