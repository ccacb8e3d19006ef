//! Handles streams that end before the command does, closed by the command or by the reader.

use super::pause::GLANCE;
use super::{Pump, Writer};
use crate::Spoiled;
use crate::descendants;
use crate::destination::Destination;
use crate::job::Handling;
use crate::output_stream::OutputStream;
use crate::pty::Console;
use crate::readers::Readers;
use crate::typed::Typed;
use cachex_base::record::frames::{Loss, Stream};
use cachex_base::streams::nonblocking_writer;
use cachex_base::system::signals::{self, Sender, Sent, Signals};
use rustix::io::Errno;
use rustix::process::Signal;
use signal_hook::consts::{SIGINT, SIGPIPE, SIGQUIT};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Instant;

impl Pump<'_, '_> {
    /// Returns when to close one of cachex's own streams before the command ends. None for a
    /// terminal, whose reader waits for no end.
    pub(super) fn output_ends(&self, at: usize) -> Option<Instant> {
        let goes_on = self.ended.is_none() && self.console.is_none() && self.backlog.is_none();
        self.legs[at].ends_at().filter(|_| goes_on)
    }

    /// Closes cachex's own streams that the command has closed: the reader may wait for that, and
    /// the command for the reader.
    pub(super) fn end_outputs(&mut self) {
        for at in 0..self.legs.len() {
            if self.output_ends(at).is_some_and(|due| due <= Instant::now()) {
                // That may take a while on a busy machine, and cachex may still have to print
                // something.
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

    /// Returns whether a reader has left, and nothing has been printed since then.
    pub(super) fn is_unread(&self) -> bool {
        self.legs.iter().any(OutputStream::is_unread)
    }

    /// Closes the command's pipe before it prints anything more after its reader left, if the
    /// command may check for that or is to be told by its first write. Any other command would not
    /// notice before it prints.
    pub(super) fn notice_departures(&mut self) {
        self.legs.iter_mut().for_each(OutputStream::notice_departure);
        let is_due = self.looked.is_none_or(|at| at.elapsed() >= GLANCE);
        if is_due && self.ended.is_none() && self.is_unread() {
            self.looked = Some(Instant::now());
            self.tell_of_departures();
        }
    }

    /// Closes those pipes now. A command that has ended can still be queried until it is reaped.
    pub(super) fn tell_of_departures(&mut self) {
        if !self.survives_broken_pipes() && !descendants::await_events(self.job.leader()) {
            return;
        }
        for leg in self.legs.iter_mut().filter(|leg| leg.is_unread()) {
            leg.close();
        }
        self.spoil(Spoiled::Abandoned);
    }

    /// Returns whether the command ignores or handles SIGPIPE, as far as the system tells, and so
    /// learns from an error that its reader left.
    fn survives_broken_pipes(&self) -> bool {
        // Signals that the command blocks cannot be told: every signal is blocked until it is
        // executed.
        let handled = |handling: Handling| handling.ignores(SIGPIPE) || handling.catches(SIGPIPE);
        self.holds_broken_pipes_back || self.job.handling().is_some_and(handled)
    }

    /// Ends the command's own terminal, if it has one, with the real one: its reads end, and its
    /// writes fail.
    pub(super) fn hang_up(&mut self) {
        if self.console.take().is_some() {
            self.legs[0].close();
            self.spoil(Spoiled::Abandoned);
        }
    }

    /// Decides how the command learns that its reader left. A command that SIGPIPE would have
    /// killed may print to the end, for the sake of the recording. One that would have handled it
    /// gets to handle it.
    pub(super) fn meet_a_broken_pipe(&mut self, at: usize) {
        let is_held_back = self.holds_broken_pipes_back;
        if self.ended.is_some() && (is_held_back || signals::is_ignored(SIGPIPE)) {
            // The command would have received an error, and perhaps have failed.
            self.lost.get_or_insert((self.legs[at].stream, Loss::Writing(Errno::PIPE)));
            return;
        }
        if self.ended.is_some() {
            self.broken = Some(Writer::Unknown);
            return;
        }
        if self.survives_broken_pipes() {
            self.legs[at].close();
            self.told[at] = true;
            self.spoil(Spoiled::Abandoned);
        } else {
            let had_help = self.job.has_had_children();
            self.broken = Some(if had_help { Writer::Unknown } else { Writer::Command });
        }
    }

    /// Notes whether children of a command that ended with this status may have printed some of its
    /// output. A replay wants to know that if a reader leaves and there is more to it than its death:
    /// output on the other stream, or another status. The command is not reaped yet.
    pub(super) fn note_help(&mut self, status: ExitStatus) {
        let mut prints = self
            .legs
            .iter()
            .map(|leg| self.taker.bytes[leg.stream as usize] > 0 || leg.has_unread());
        let [out, err] = [(); 2].map(|()| prints.next() == Some(true));
        let matters = out && err || (out || err) && !status.success();
        if matters && self.taker.is_recorded() && self.job.has_waited() {
            self.taker.note_help();
        }
    }

    /// Returns whether SIGPIPE would have killed the command for lack of a reader, although it
    /// ended normally.
    pub fn is_broken(&self, status: ExitStatus) -> bool {
        match self.broken {
            Some(Writer::Command) => status.code().is_some(),
            Some(Writer::Unknown) => status.success(),
            None => false,
        }
    }

    /// Returns the watch on the shared terminal while that belongs to another job and the command
    /// runs. cachex may come to the foreground without being told.
    pub(super) fn typed_elsewhere(&self) -> Option<&Typed> {
        self.typed.as_ref().filter(|typed| typed.is_paused() && self.ended.is_none())
    }

    /// Checks, when the command has ended, whether its output may depend on what a person typed. If
    /// its reader left, that reader may have been the one who read the terminal.
    pub(super) fn note_what_was_typed(&mut self) {
        let has_reader = self.broken.is_none() && self.spoiled.is_none();
        let is_watched = self.readers.as_ref().is_some_and(Readers::were_watching);
        let was_used = |typed: &mut Typed| {
            has_reader && typed.was_used(is_watched) || !has_reader && typed.is_set_otherwise()
        };
        if self.console.as_ref().is_some_and(Console::was_typed)
            || self.typed.as_mut().is_some_and(was_used)
            || self.readers.as_ref().is_some_and(Readers::were_answered)
        {
            self.spoil(Spoiled::Typed);
        }
    }

    /// Looks for processes that wait for keys, if that is due.
    pub(super) fn look_for_readers(&mut self) {
        if self.ended.is_some() {
            return;
        }
        let leader = self.job.leader();
        let has_looked = self.readers.as_mut().map(|readers| readers.look(leader));
        if has_looked == Some(true) {
            self.typed.iter_mut().for_each(Typed::look);
        }
        // Where the system does not tell who reads, somebody may.
        if let Some(console) = self.console.as_mut().filter(|it| it.awaits_readers())
            && has_looked != Some(false)
            && (console.is_set_otherwise()
                || self.readers.as_ref().is_none_or(|readers| readers.are_there(leader)))
        {
            console.is_read();
        }
    }

    /// Notes, when the command has ended, whether it read what it printed, and that no signal is for
    /// it any more.
    pub(super) fn is_over(&mut self, status: ExitStatus) {
        let leader = self.job.leader();
        if self.read_back.as_mut().is_some_and(|it| it.was_read(leader)) {
            self.spoil(Spoiled::ReadBack);
        }
        // What was held back is still to be printed.
        if let Some(status) = status.code().filter(|_| self.taker.held.is_none()) {
            signals::late::end_with(status);
        }
    }

    /// Sends the signal that ended the command to the rest of cachex's group, if it came from a key
    /// that reached only the command: a script that runs cachex has to end too. Call this while
    /// signals are caught.
    pub fn share_the_end(&self, status: ExitStatus, signals: &mut Signals) {
        let by_key =
            self.job.has_the_terminal() || self.console.as_ref().is_some_and(Console::interrupted);
        if let Some(signal @ (Signal::INT | Signal::QUIT)) =
            status.signal().filter(|_| by_key).and_then(Signal::from_named_raw)
        {
            signals.share(signal);
        }
    }

    /// Returns whether the command may heed a signal, or might have if it were still there.
    pub(super) fn is_heeded(&self, signal: i32) -> bool {
        match &self.handling {
            Some(handling) => !handling.ignores(signal),
            None => self.ended.is_some() || self.job.may_heed(signal),
        }
    }

    /// Prepares for signals and keys that come while the output of a command that has ended waits for a
    /// terminal: without cachex, the command would still be there.
    pub(super) fn note_what_waits(&mut self) {
        let waits =
            |leg: &OutputStream| (leg.is_pending() || leg.has_unread()) && leg.outlet.is_flushed();
        if self.legs.iter().any(waits) {
            self.handling = self.job.handling();
            self.console.iter_mut().for_each(Console::give_keys_back);
        }
    }

    /// Discards what waits for a terminal when a key interrupts the command, as the terminal does with
    /// what it has not shown: without cachex, the command would still wait to print it.
    pub(super) fn discard_what_waits(&mut self, sent: &Sent) {
        let is_key = sent.sender == Sender::Kernel && [SIGINT, SIGQUIT].contains(&sent.signal);
        let is_waiting = self.backlog.is_none() && self.legs.iter().any(OutputStream::is_pending);
        if is_key && is_waiting && self.is_heeded(sent.signal) {
            // One without a handler has printed nothing since.
            let catches = |it: Handling| it.catches(sent.signal);
            let is_gone = self.ended.is_some() || !self.job.handling().is_none_or(catches);
            self.late.discard(&mut self.legs, is_gone);
        }
    }

    /// Returns whether the output differs from what was shown before. Output that is merely cut
    /// short because somebody ended the command does not.
    pub fn differs(&self) -> bool {
        let differs = self.legs.iter().any(|leg| matches!(leg.outlet, Destination::Differing));
        let is_short = self.legs.iter().any(|leg| !leg.outlet.may_end());
        match self.spoiled {
            Some(Spoiled::Interrupted) => false,
            Some(Spoiled::Abandoned | Spoiled::TimedOut) => differs,
            _ => is_short,
        }
    }
}
