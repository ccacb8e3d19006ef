//! Streams that end before the command does, by its own doing or its reader's.

use super::pause::GLANCE;
use super::{Pump, Writer};
use crate::Spoiled;
use crate::descendants;
use crate::job::Handling;
use crate::output_stream::OutputStream;
use crate::pty::Console;
use crate::typed::Typed;
use cachex_base::record::frames::{Loss, Stream};
use cachex_base::streams::nonblocking_writer;
use cachex_base::system::signals::{self, Signals};
use rustix::io::Errno;
use rustix::process::Signal;
use signal_hook::consts::SIGPIPE;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Instant;

impl Pump<'_, '_> {
    /// When one of cachex's own streams is to end before the command does. A terminal's
    /// reader waits for no end.
    pub(super) fn output_ends(&self, at: usize) -> Option<Instant> {
        let goes_on = self.ended.is_none() && self.console.is_none() && self.backlog.is_none();
        self.legs[at].ends_at().filter(|_| goes_on)
    }

    /// Ends streams of cachex's own that the command has ended: their reader may wait for
    /// that, and the command for its reader.
    pub(super) fn end_outputs(&mut self) {
        for at in 0..self.legs.len() {
            if self.output_ends(at).is_some_and(|due| due <= Instant::now()) {
                // On a busy machine that takes a while, and cachex may have something to say.
                if self.job.is_ending() {
                    self.legs[at].postpone_the_end();
                    continue;
                }
                let is_both = self.legs[at ^ 1].is_of_the_other();
                for stream in Stream::BOTH {
                    if is_both || stream as usize == at {
                        self.legs[stream as usize].leave();
                        nonblocking_writer::end(stream);
                    }
                }
            }
        }
    }

    /// Whether a reader has left, and nothing has been printed since then.
    pub(super) fn is_unread(&self) -> bool {
        self.legs.iter().any(OutputStream::is_unread)
    }

    /// Has a command find out that its reader left before it prints anything more, if it may
    /// look for that, or is to be told by the first write: its pipe is closed. Others would
    /// notice nothing until they print.
    pub(super) fn notice_departures(&mut self) {
        self.legs.iter_mut().for_each(OutputStream::notice_departure);
        let is_due = self.looked.is_none_or(|at| at.elapsed() >= GLANCE);
        if is_due && self.ended.is_none() && self.is_unread() {
            self.looked = Some(Instant::now());
            self.tell_of_departures();
        }
    }

    /// Does that now. A command that has ended can be asked as long as nobody has taken note
    /// of its end.
    pub(super) fn tell_of_departures(&mut self) {
        if !self.survives_broken_pipes() && !descendants::await_events(self.job.leader()) {
            return;
        }
        for leg in self.legs.iter_mut().filter(|leg| leg.is_unread()) {
            leg.close();
        }
        self.spoil(Spoiled::Abandoned);
    }

    /// Whether the command ignores or handles SIGPIPE, as far as the system tells, and so
    /// is told of a reader that left by an error.
    fn survives_broken_pipes(&self) -> bool {
        // What it holds back itself cannot be told: everything is, until it is executed.
        let handled = |handling: Handling| handling.ignores(SIGPIPE) || handling.catches(SIGPIPE);
        self.holds_broken_pipes_back || self.job.handling().is_some_and(handled)
    }

    /// Decides what comes of a reader that left: one that the command would have died of
    /// is left to print to the end, for the sake of the recording. One that it would have
    /// handled it is to handle.
    pub(super) fn meet_a_broken_pipe(&mut self, at: usize) {
        let is_held_back = self.holds_broken_pipes_back;
        if self.ended.is_some() && (is_held_back || signals::is_ignored(SIGPIPE)) {
            // It would have been told by an error, and perhaps have failed.
            self.lost.get_or_insert((self.legs[at].stream, Loss::Writing(Errno::PIPE)));
            return;
        }
        if self.ended.is_some() {
            self.broken = Some(Writer::Unknown);
            return;
        }
        if self.survives_broken_pipes() {
            self.legs[at].close();
            self.spoil(Spoiled::Abandoned);
        } else {
            let had_help = self.job.has_had_children();
            self.broken = Some(if had_help { Writer::Unknown } else { Writer::Command });
        }
    }

    /// Whether the command would have died because nobody read what it printed, though it
    /// ended so.
    pub fn is_broken(&self, status: ExitStatus) -> bool {
        match self.broken {
            Some(Writer::Command) => status.code().is_some(),
            Some(Writer::Unknown) => status.success(),
            None => false,
        }
    }

    /// What is read at a terminal that is another job's at the moment, while the command
    /// runs. It may come to the foreground without being told.
    pub(super) fn typed_elsewhere(&self) -> Option<&Typed> {
        self.typed.as_ref().filter(|typed| typed.is_paused() && self.ended.is_none())
    }

    /// Notes, when the command has ended, whether what it printed may come of what a person
    /// typed. While its reader left, that one may have been it who read.
    pub(super) fn note_what_was_typed(&mut self) {
        let has_reader = self.broken.is_none() && self.spoiled.is_none();
        let was_read = |typed: &mut Typed| has_reader && typed.was_read();
        if self.console.as_ref().is_some_and(Console::was_typed)
            || self.typed.as_mut().is_some_and(was_read)
        {
            self.spoil(Spoiled::Typed);
        }
    }

    /// Sends the signal that ended the command to the rest of cachex's group, if
    /// it came from a key that only reached the command: a script that runs cachex
    /// is to end with it. To be called while signals are caught.
    pub fn share_the_end(&self, status: ExitStatus, signals: &mut Signals) {
        let by_key =
            self.job.has_the_terminal() || self.console.as_ref().is_some_and(Console::interrupted);
        if let Some(signal @ (Signal::INT | Signal::QUIT)) =
            status.signal().filter(|_| by_key).and_then(Signal::from_named_raw)
        {
            signals.share(signal);
        }
    }
}
