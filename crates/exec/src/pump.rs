//! What keeps a run going: one loop that waits on everything at once.

mod ends;
mod pause;

use super::Spoiled;
use super::descendants;
use super::destination::Destination;
use super::limit::Limit;
use super::output_stream::OutputStream;
use super::spawn::Child;
use super::taker::Taker;
use crate::buffered_output::{BufferedOutput, Pieces};
use crate::job::Job;
use crate::pty::{Console, Pressed};
use crate::stdin_pump::StdinPump;
use crate::typed::Typed;
use cachex_base::process::exit;
use cachex_base::record::frames::{Loss, Stream};
use cachex_base::streams::nonblocking_writer::NonblockingWriter;
use cachex_base::system::failpoint;
use cachex_base::system::signals::{self, Meaning, Sender, Sent, Signals};
use rustix::io::Errno;
use rustix::process::Signal;
use signal_hook::consts::SIGPIPE;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Instant;

/// How many turns suffice for all that a pipe or a terminal holds.
const FEW: usize = 16;

/// A run under way.
pub struct Pump<'a, 'r> {
    job: Job,
    pub legs: [OutputStream; 2],
    /// Gives the command its standard input.
    pub feeder: StdinPump,
    console: Option<Console>,
    /// What is read at a terminal that the command shares with cachex.
    typed: Option<Typed>,
    limit: Option<Limit>,
    /// What was printed so far.
    pub taker: Taker<'a, 'r>,
    /// What was held and is printed after all, before anything else is read.
    backlog: Option<Pieces>,
    ended: Option<(ExitStatus, Instant)>,
    /// The state of the command may have changed.
    is_to_be_looked_after: bool,
    /// What came when the command had ended, and that had not been seen yet.
    missed: Option<Sent>,
    /// Somebody asked the command to end, and it may have heard of it.
    was_asked_to_end: bool,
    /// Why what was recorded must not be used.
    pub spoiled: Option<Spoiled>,
    /// An output that could not be passed on, and why.
    pub lost: Option<(Stream, Loss)>,
    broken: Option<Writer>,
    holds_broken_pipes_back: bool,
    /// Whether it could not be asked if the command has ended.
    is_unsure: bool,
    /// Whether processes that the command leaves behind become this one's.
    inherits: bool,
    /// When it was last looked whether the command is to find out that its reader left.
    looked: Option<Instant>,
}

/// Who printed something that nobody read, which would have ended it by SIGPIPE.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// The command.
    Command,
    /// The command, or something that it started, of which it made what it likes.
    Unknown,
}

impl<'a, 'r> Pump<'a, 'r> {
    /// A run that has just begun.
    pub fn new(
        job: Job,
        legs: [OutputStream; 2],
        feeder: StdinPump,
        (console, typed): (Option<Console>, Option<Typed>),
        limit: Option<Limit>,
        taker: Taker<'a, 'r>,
    ) -> Pump<'a, 'r> {
        Pump {
            job,
            legs,
            feeder,
            console,
            typed,
            limit,
            taker,
            backlog: None,
            ended: None,
            is_to_be_looked_after: true,
            missed: None,
            is_unsure: false,
            was_asked_to_end: false,
            spoiled: None,
            lost: None,
            broken: None,
            holds_broken_pipes_back: false,
            inherits: descendants::are_inherited(limit.is_some()),
            looked: None,
        }
    }

    /// Until the command has ended and all it printed has been passed on. An error means
    /// that it was not executed: nothing else that fails on the way ends it, since the
    /// command runs, and cannot be run again.
    pub fn run(
        &mut self,
        child: &Child,
        signals: &mut Signals,
    ) -> io::Result<(ExitStatus, Instant)> {
        self.holds_broken_pipes_back = signals.before().0.holds(SIGPIPE);
        loop {
            if let Some(ended) = self.over() {
                return Ok(ended);
            }
            if self.legs.iter().any(OutputStream::is_pending) {
                self.taker.pause();
            }
            self.end_outputs();
            let may_be_unread = self.wait(signals);
            self.pass_on_signals(signals);
            if may_be_unread {
                self.notice_departures();
            }
            self.look_after(child)?;
            self.keep_to_the_limit();
            self.feeder.feed();
            self.pass_on_keys();
            self.pass_on_output();
            let _ = failpoint::at("turn");
        }
    }

    fn pass_on_signals(&mut self, signals: &mut Signals) {
        for sent in signals.pending() {
            // Whatever came may have had that for its effect.
            self.is_to_be_looked_after = true;
            if self.ended.is_some() {
                self.end_late(&sent);
                continue;
            }
            match signals::meaning(sent.signal) {
                Some(Meaning::Stops) => self.job.stop(Some(&sent)),
                Some(Meaning::Continues) => {
                    if let Some(console) = &mut self.console {
                        console.engage();
                    }
                    self.job.go_on(&sent);
                    self.typed.iter_mut().for_each(|typed| typed.go_on(self.job.leader()));
                }
                // The size of its own terminal is what tells it.
                Some(Meaning::Resizes) if self.console.is_some() => {
                    self.console.iter().for_each(Console::resize);
                }
                Some(Meaning::Child) if sent.sender == Sender::Kernel => {}
                Some(Meaning::Ends) if self.job.missed(&sent) => self.missed = Some(sent),
                _ => {
                    if self.job.may_heed(sent.signal) {
                        self.was_asked_to_end |= signals::asks_to_end(sent.signal);
                        self.spoil(Spoiled::Interrupted);
                    }
                    self.job.pass_on(&sent);
                }
            }
        }
    }

    /// Takes a signal that came after the end of the command: it would have met it while
    /// it was still printing, and nobody has to wait for its reader.
    fn end_late(&mut self, sent: &Sent) {
        if signals::meaning(sent.signal) == Some(Meaning::Ends)
            && !signals::is_ignored(sent.signal)
            && let Some((status, _)) = &mut self.ended
        {
            *status = ExitStatus::from_raw(sent.signal);
            self.spoiled = Some(Spoiled::Interrupted);
        }
    }

    /// Notices that the command stopped or ended.
    fn look_after(&mut self, child: &Child) -> io::Result<()> {
        if self.ended.is_some() || !std::mem::take(&mut self.is_to_be_looked_after) {
            return Ok(());
        }
        if let Some(signal) = self.job.stopped() {
            // Its question is to be seen when it waits for the answer. A pipe that
            // is full takes a few turns, one that others fill may take for ever.
            let _all = (0..FEW).all(|_| self.pass_on_output());
            let (console, typed) = (&mut self.console, &mut self.typed);
            self.job.follow(signal, || {
                console.iter_mut().for_each(Console::release);
                typed.iter_mut().for_each(Typed::pause);
            });
        }
        // Once its end is taken note of, nobody can tell how the command meets a broken pipe.
        self.legs.iter_mut().for_each(OutputStream::notice_departure);
        if self.is_unread() {
            self.tell_of_departures();
        }
        let job = &mut self.job;
        let asked = child.try_wait(self.inherits, |other| job.forget(other));
        (self.is_unsure, self.is_to_be_looked_after) = (asked.is_err(), asked.is_err());
        let status = match asked {
            Ok(status) => status,
            Err(error) if child.was_not_executed() => return Err(error),
            // Somebody else reaped it, and nobody tells how it ended.
            Err(error) if error.raw_os_error() == Some(Errno::CHILD.raw_os_error()) => {
                Some(ExitStatus::from_raw(i32::from(exit::CACHEX_FAILED) << 8))
            }
            Err(_) => None,
        };
        if let Some(status) = status {
            self.ended = Some((status, Instant::now()));
            self.note_what_was_typed();
            self.legs.iter_mut().for_each(OutputStream::note_the_end);
            self.feeder.close();
            if let Some(sent) = self.missed.take() {
                self.end_late(&sent);
            }
        }
        Ok(())
    }

    fn keep_to_the_limit(&mut self) {
        let Some(limit) = &mut self.limit else { return };
        let (job, console) = (&self.job, &self.console);
        let gone = || descendants::is_empty() && !job.is_there();
        limit.enforce(self.ended.is_some(), gone, |signal: Signal| {
            job.signal(signal);
            descendants::send(signal, job.leader());
            if let Some(console) = console {
                console.signal(signal);
            }
        });
        if limit.is_exceeded() {
            self.spoiled = Some(Spoiled::TimedOut);
        }
    }

    fn pass_on_keys(&mut self) {
        if self.typed_elsewhere().is_some() {
            self.typed.iter_mut().for_each(|typed| typed.go_on(self.job.leader()));
        }
        let Some(console) = self.console.as_mut().filter(|_| self.ended.is_none()) else { return };
        if console.is_in_the_background() {
            console.engage();
        }
        match console.pass_on() {
            Pressed::Nothing => {}
            Pressed::Interrupt => self.spoil(Spoiled::Interrupted),
            Pressed::Stop => self.job.stop(None),
        }
    }

    /// Whether anything came.
    fn pass_on_output(&mut self) -> bool {
        let mut any = false;
        self.pass_on_backlog();
        for at in 0..self.legs.len() {
            let leg = &mut self.legs[at];
            // A backlog has sent all that goes out now. More would go out of its
            // sight, and nothing that is waited for would bring the next of it.
            if self.backlog.is_none() && leg.advance(|stream, bytes| self.taker.take(stream, bytes))
            {
                any = true;
            }
            if let Some(loss) = leg.lost.take() {
                if leg.is_abandoned() {
                    // Nothing comes of the rest. The command is told as by a reader that left.
                    leg.close();
                }
                // That of standard output is the one that matters.
                match &mut self.lost {
                    Some((Stream::Stdout, _)) => {}
                    lost => *lost = Some((leg.stream, loss)),
                }
                let (Loss::Reading(errno) | Loss::Writing(errno)) = loss;
                self.spoiled.get_or_insert(Spoiled::Unreadable(errno));
            }
            if matches!(leg.outlet, Destination::Differing) {
                // Nothing that goes with it is shown either.
                self.legs.iter_mut().for_each(|leg| leg.outlet = Destination::Differing);
            }
            if self.legs[at].lacks_a_reader() && self.broken.is_none() {
                self.meet_a_broken_pipe(at);
            }
            let leg = &mut self.legs[at];
            if leg.let_go() {
                if leg.stream == Stream::Stdout {
                    self.console = None;
                }
                self.spoil(Spoiled::Abandoned);
            }
            if self.taker.is_full
                && let Some(held) = self.taker.held.take()
            {
                self.show(held);
            }
        }
        any
    }

    /// Whether what came is not what had been shown before. Nobody is told of
    /// what only lacks its end because somebody ended it.
    pub fn differs(&self) -> bool {
        let differs = self.legs.iter().any(|leg| matches!(leg.outlet, Destination::Differing));
        let is_short = self.legs.iter().any(|leg| !leg.outlet.may_end());
        match self.spoiled {
            Some(Spoiled::Interrupted) => false,
            Some(Spoiled::Abandoned | Spoiled::TimedOut) => differs,
            _ => is_short,
        }
    }

    /// Prints what was held, and from now on whatever comes.
    fn show(&mut self, held: BufferedOutput) {
        self.backlog = Some(held.into_pieces());
        let [out, err] = &mut self.legs;
        out.outlet = Destination::Live(NonblockingWriter::of(Stream::Stdout));
        err.outlet = Destination::Live(NonblockingWriter::of(Stream::Stderr));
        self.pass_on_backlog();
    }

    /// As much of it as its readers take now. Some of what is left, if any is,
    /// is pending then.
    fn pass_on_backlog(&mut self) {
        while let Some(pieces) = &mut self.backlog {
            self.legs.iter_mut().for_each(OutputStream::send);
            if self.legs.iter().any(OutputStream::is_pending) {
                let _ = failpoint::at("backlog");
                return;
            }
            match pieces.next() {
                Ok(Some((stream, bytes))) => self.legs[stream as usize].insert(bytes),
                Ok(None) => self.backlog = None,
                Err(error) => {
                    self.lost.get_or_insert((Stream::Stdout, Loss::of_reading(&error)));
                    self.backlog = None;
                }
            }
        }
    }

    fn spoil(&mut self, why: Spoiled) {
        self.spoiled.get_or_insert(why);
    }
}
