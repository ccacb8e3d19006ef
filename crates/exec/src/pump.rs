//! The main loop of a run, which waits on everything at once.

mod ends;
mod pause;
mod signalled;

use super::Spoiled;
use super::descendants;
use super::destination::Destination;
use super::limit::Limit;
use super::output_stream::OutputStream;
use super::spawn::Child;
use super::taker::Taker;
use crate::buffered_output::{BufferedOutput, Pieces};
use crate::job::{Handling, Job};
use crate::late::Late;
use crate::pty::{Console, Pressed, Pty};
use crate::read_back::ReadBack;
use crate::readers::Readers;
use crate::stdin_pump::StdinPump;
use crate::typed::Typed;
use cachex_base::process::exit;
use cachex_base::record::frames::{Loss, Stream};
use cachex_base::streams::nonblocking_writer::NonblockingWriter;
use cachex_base::system::failpoint;
use cachex_base::system::signals::background::BackgroundWrites;
use cachex_base::system::signals::{self, Meaning, Sender, Sent, Signals};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::process::Signal;
use signal_hook::consts::SIGPIPE;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Instant;

/// The number of turns that drain a full pipe or terminal.
const FEW: usize = 16;

/// A run in progress.
pub struct Pump<'a, 'r> {
    job: Job,
    pub legs: [OutputStream; 2],
    /// What was read of them ahead of its turn.
    pub late: Late,
    /// Feeds the command's standard input.
    pub feeder: StdinPump,
    console: Option<Console>,
    typed: Option<Typed>,
    readers: Option<Readers>,
    read_back: Option<ReadBack>,
    limit: Option<Limit>,
    /// Receives the output, for the recording or the buffer.
    pub taker: Taker<'a, 'r>,
    /// The buffered output that is being shown after all, before anything else is read.
    backlog: Option<Pieces>,
    ended: Option<(ExitStatus, Instant)>,
    /// Set when the state of the command may have changed.
    is_to_be_looked_after: bool,
    /// The signal dispositions of the command when it had ended, if its output waited.
    handling: Option<Handling>,
    /// A signal that arrived after the command had ended, and what that means is not known yet.
    missed: Option<Sent>,
    /// The last signal that somebody sent and that may have ended the command.
    told_to_end: Option<i32>,
    /// The reason why the recording must not be used, if any.
    pub spoiled: Option<Spoiled>,
    /// The output that could not be passed on, and the reason.
    pub lost: Option<(Stream, Loss)>,
    broken: Option<Writer>,
    holds_broken_pipes_back: bool,
    /// The streams whose lost reader the command learned of, by a closed pipe.
    told: [bool; 2],
    /// True if the last check for the command's end failed.
    is_unsure: bool,
    /// True if processes that the command leaves behind become children of this one.
    inherits: bool,
    /// The time of the last check whether the command should learn that its reader left.
    looked: Option<Instant>,
}

/// What is watched besides the command's output.
pub struct Watch {
    /// The command's own terminal.
    pub console: Option<Console>,
    /// Watches reads of the terminal that the command shares with cachex.
    pub typed: Option<Typed>,
    /// Watches who waits for keys, at either.
    pub readers: Option<Readers>,
    /// Watches whether the command reads what it prints.
    pub read_back: Option<ReadBack>,
}

impl Watch {
    /// Starts to watch, before the command does. Its own terminal comes with it.
    pub fn begin(is_recorded: bool, pty: Option<&Pty>, is_live: bool) -> Watch {
        // A command with a terminal of its own reads the keys there.
        let typed = (is_recorded && pty.is_none()).then(Typed::watch).flatten();
        // One that does not have its terminal as its standard input gets keys once it asks for them.
        let readers = pty.filter(|pty| is_recorded || !pty.takes_stdin());
        let readers = readers.map(|pty| Readers::of(pty.slave()));
        let readers = readers.unwrap_or_else(|| typed.as_ref().and_then(Readers::of));
        Watch { console: None, typed, readers, read_back: is_live.then(ReadBack::watch).flatten() }
    }
}

/// The process that printed output that nobody read, and would have been ended by SIGPIPE.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// The command.
    Command,
    /// The command or one of its descendants, whose end it may have handled in any way.
    Unknown,
}

impl<'a, 'r> Pump<'a, 'r> {
    /// Starts to relay a run that has just begun.
    pub fn new(
        job: Job,
        legs: [OutputStream; 2],
        feeder: StdinPump,
        Watch { console, typed, readers, mut read_back }: Watch,
        limit: Option<Limit>,
        taker: Taker<'a, 'r>,
    ) -> Pump<'a, 'r> {
        if let Some(read_back) = &mut read_back {
            read_back.prints_to(legs.iter().filter_map(|leg| Some(leg.source.as_ref()?.as_fd())));
        }
        Pump {
            job,
            legs,
            late: Late::default(),
            feeder,
            console,
            typed,
            readers,
            read_back,
            limit,
            taker,
            backlog: None,
            ended: None,
            is_to_be_looked_after: true,
            handling: None,
            missed: None,
            is_unsure: false,
            told_to_end: None,
            spoiled: None,
            lost: None,
            broken: None,
            holds_broken_pipes_back: false,
            told: [false; 2],
            inherits: descendants::are_inherited(limit.is_some()),
            looked: None,
        }
    }

    /// Runs until the command has ended and all of its output has been passed on. An error means
    /// that it was not executed. No other failure ends the run, since the command runs and cannot
    /// be run again.
    pub fn run(
        &mut self,
        child: &Child,
        signals: &mut Signals,
    ) -> io::Result<(ExitStatus, Instant)> {
        let _background = BackgroundWrites::begin(signals.before().0);
        self.holds_broken_pipes_back = signals.before().0.holds(SIGPIPE);
        loop {
            if let Some(ended) = self.over() {
                self.is_over(ended.0);
                return Ok(ended);
            }
            if self.legs.iter().any(OutputStream::is_pending) {
                self.taker.pause();
                self.late.is_on(&self.legs);
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
            self.hold_back_if_read();
            self.pass_on_output();
            self.heed_what_came_late();
            self.stop_if_in_the_background(signals);
            self.look_for_readers();
            let _ = failpoint::at("turn");
        }
    }

    fn pass_on_signals(&mut self, signals: &mut Signals) {
        for sent in signals.pending() {
            // Any signal may have changed the state of the command.
            self.is_to_be_looked_after = true;
            self.discard_what_waits(&sent);
            if self.ended.is_some() {
                self.end_late(&sent);
                continue;
            }
            match signals::meaning(sent.signal) {
                Some(Meaning::Child) if sent.sender == Sender::Kernel => {}
                Some(Meaning::Ends) if self.job.missed(&sent) => self.missed = Some(sent),
                Some(Meaning::Stops) if self.job.has_ended() == Some(true) => {
                    self.missed = Some(sent);
                }
                _ => self.pass_on_signal(&sent),
            }
        }
    }

    /// Reacts if the command stopped or ended.
    fn look_after(&mut self, child: &Child) -> io::Result<()> {
        if self.ended.is_some() || !std::mem::take(&mut self.is_to_be_looked_after) {
            return Ok(());
        }
        if let Some(signal) = self.job.stopped() {
            // The command's prompt has to be visible while it waits for the answer. A full pipe
            // takes a few turns; one that others keep filling might take for ever.
            let _all = (0..FEW).all(|_| self.pass_on_output());
            let (console, typed) = (&mut self.console, &mut self.typed);
            self.job.follow(signal, || {
                console.iter_mut().for_each(Console::release);
                if let Some(typed) = typed {
                    typed.pause(signal);
                }
            });
            // What was sent to cachex meanwhile comes first: the command may have ended of it.
            (self.is_unsure, self.is_to_be_looked_after) = (true, true);
            return Ok(());
        }
        // How the command meets a broken pipe cannot be found out any more once it is reaped, so it
        // is not if it ends between the two. Its end comes with a signal of its own.
        self.legs.iter_mut().for_each(OutputStream::notice_departure);
        if self.job.heeds_a_stop() {
            self.spoil(Spoiled::Signalled);
        }
        let end = self.job.end();
        // What it inherits is to be reaped in any case.
        if end == Ok(None) && !self.inherits {
            self.job.bury();
            self.is_unsure = false;
            return Ok(());
        }
        if self.is_unread() {
            self.tell_of_departures();
        }
        if let Ok(Some(status)) = end {
            self.note_help(status);
            self.note_what_waits();
        }
        let job = &mut self.job;
        let asked = child.try_wait(self.inherits, |other| job.forget(other));
        (self.is_unsure, self.is_to_be_looked_after) = (asked.is_err(), asked.is_err());
        let status = match asked {
            Ok(status) => status,
            Err(error) if child.was_not_executed() => return Err(error),
            // Somebody else reaped it, so its status is unknown.
            Err(error) if error.raw_os_error() == Some(Errno::CHILD.raw_os_error()) => {
                Some(ExitStatus::from_raw(i32::from(exit::CACHEX_FAILED) << 8))
            }
            // A filter of system calls may refuse this one, or any that waits. Nobody reaps it then.
            Err(error) if is_refused(&error) => {
                self.job.end().unwrap_or_else(|_| self.job.end_by_proc())
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
        let pressed = console.pass_on();
        if console.has_passed_on() {
            self.readers.iter_mut().for_each(Readers::were_given_some);
        }
        match pressed {
            Pressed::Nothing => {}
            Pressed::Interrupt => {
                self.late.discard(&mut self.legs, false);
                self.spoil(Spoiled::Interrupted);
            }
            Pressed::Stop => {
                self.job.stop(None);
            }
            Pressed::HungUp => self.hang_up(),
        }
    }

    /// Holds the output back while the command reads the file that it goes to: it would find no end.
    fn hold_back_if_read(&mut self) {
        let is_at_rest = self.backlog.is_none() && !self.legs.iter().any(OutputStream::is_pending);
        let is_due = is_at_rest && self.ended.is_none();
        let Some(read_back) = self.read_back.as_mut().filter(|_| is_due) else { return };
        match (read_back.look(self.job.leader(), self.taker.held.is_some()), self.taker.held.take())
        {
            (true, None) => {
                self.taker.held = Some(BufferedOutput::default());
                self.legs.iter_mut().for_each(|leg| leg.outlet = Destination::Nowhere);
            }
            (false, Some(held)) => self.show(held),
            (_, held) => self.taker.held = held,
        }
    }

    /// Passes on output. Returns whether anything came.
    fn pass_on_output(&mut self) -> bool {
        let (mut any, mut heeds_a_stop) = (false, false);
        self.pass_on_backlog();
        if self.backlog.is_none() {
            self.late.pass_on(&mut self.legs);
        }
        for at in 0..self.legs.len() {
            // The backlog has sent all that can go out now. Anything more would bypass it, and
            // nothing that is waited for would trigger its next piece.
            if self.backlog.is_none() {
                // Whoever sees the output may let the command end, and its handlers with it.
                let is_due = self.spoiled.is_none();
                let look = || heeds_a_stop |= is_due && self.job.heeds_a_stop();
                let take = |stream, bytes: &[u8]| self.taker.take(stream, bytes);
                any |= self.late.advance(&mut self.legs, at, look, take);
            }
            let leg = &mut self.legs[at];
            if let Some(loss) = leg.lost.take() {
                if leg.is_abandoned() {
                    // The rest would be lost. The command is told as if its reader had left.
                    leg.close();
                }
                // A loss on standard output is the one to report.
                match &mut self.lost {
                    Some((Stream::Stdout, _)) => {}
                    lost => *lost = Some((leg.stream, loss)),
                }
                self.spoiled.get_or_insert(Spoiled::Unreadable(loss.errno()));
                if loss == Loss::HungUp {
                    self.hang_up();
                }
            }
            if matches!(self.legs[at].outlet, Destination::Differing) {
                // The other stream is not shown either.
                self.legs.iter_mut().for_each(|leg| leg.outlet = Destination::Differing);
            }
            if self.legs[at].lacks_a_reader() && self.broken.is_none() && !self.told[at] {
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
        if heeds_a_stop {
            self.spoil(Spoiled::Signalled);
        }
        if self.taker.is_for_nobody() {
            self.legs.iter_mut().for_each(OutputStream::close);
            self.spoil(Spoiled::Abandoned);
        }
        any
    }

    /// Shows the buffered output, and whatever comes from now on.
    fn show(&mut self, held: BufferedOutput) {
        self.backlog = Some(held.into_pieces());
        let [out, err] = &mut self.legs;
        out.outlet = Destination::Live(NonblockingWriter::of(Stream::Stdout));
        err.outlet = Destination::Live(NonblockingWriter::of(Stream::Stderr));
        self.pass_on_backlog();
    }

    /// Passes on as much of the backlog as the readers take now. If any of it remains, some output
    /// is pending afterwards.
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
        if why == Spoiled::Abandoned {
            self.taker.stop_sharing();
        }
        // Whether somebody ended the command says more than what it did before.
        if matches!(self.spoiled, None | Some(Spoiled::Signalled | Spoiled::ReadBack)) {
            self.spoiled = Some(why);
        }
    }
}

/// Returns whether the system forbids a call, rather than to have failed this once.
fn is_refused(error: &io::Error) -> bool {
    let refusals = [Errno::PERM, Errno::NOSYS, Errno::ACCESS];
    refusals.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
