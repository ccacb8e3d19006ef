//! Passes a signal on, and notes whether it may have changed what the command prints.

use super::Pump;
use super::pause::TURN;
use crate::Spoiled;
use crate::job::Kind;
use crate::output_stream::OutputStream;
use crate::pty::Console;
use cachex_base::system::fsutil;
use cachex_base::system::signals::{self, Meaning, Sender, Sent, Signals, background};
use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;
use signal_hook::consts::{SIGTTOU, SIGWINCH};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

impl Pump<'_, '_> {
    /// Passes on a signal that arrived while the command ran.
    pub(super) fn pass_on_signal(&mut self, sent: &Sent) {
        let signal = sent.signal;
        let meaning = signals::meaning(signal);
        let why = match meaning {
            Some(Meaning::Ends | Meaning::Fault) | None => Spoiled::Interrupted,
            Some(_) => Spoiled::Signalled,
        };
        // Whoever handles it may not be there any more afterwards.
        let may_be_heeded_below = self.job.may_be_heeded_below(signal);
        if self.job.may_heed(signal) {
            if why == Spoiled::Interrupted {
                self.told_to_end = Some(signal);
            }
            self.spoil(why);
        }
        let has_group = match meaning {
            Some(Meaning::Stops) => self.job.stop(Some(sent)),
            Some(Meaning::Continues) => {
                self.console.iter_mut().for_each(Console::engage);
                let has_group = self.job.go_on(sent);
                self.typed.iter_mut().for_each(|typed| typed.go_on(self.job.leader()));
                // It is told to draw its screen again.
                if self.console.is_some() && self.job.may_be_heeded_below(SIGWINCH) {
                    self.spoil(why);
                }
                has_group
            }
            // The command learns the size from its own terminal.
            Some(Meaning::Resizes) if self.console.is_some() => {
                // The width is part of the key.
                if self.console.as_ref().is_some_and(Console::resize) {
                    self.spoil(why);
                }
                true
            }
            _ => self.job.pass_on(sent),
        };
        if has_group && may_be_heeded_below {
            self.spoil(why);
        }
    }

    /// Stops if the output is a terminal that stops those who write to it in the background (`stty
    /// tostop`): without cachex, the command would write, and stop. In cachex's group it has the
    /// signal, too.
    pub(super) fn stop_if_in_the_background(&mut self, signals: &Signals) {
        if !background::were_stopped() {
            return;
        }
        let handling = self.handling.or_else(|| self.job.handling());
        let catches = |signal: i32| handling.is_some_and(|it| it.catches(signal));
        if catches(SIGTTOU) || handling.is_some_and(|it| it.ignores(SIGTTOU)) {
            return background::allow();
        }
        // One that was told to end, as by `kill %1`, would not have printed that.
        match (self.told_to_end.filter(|signal| !catches(*signal)), &mut self.ended) {
            (Some(_), None) => {
                let _ = fsutil::poll(
                    &mut [PollFd::new(&signals.descriptor(), PollFlags::IN)],
                    Some(TURN),
                );
                self.is_to_be_looked_after = true;
                return;
            }
            (Some(signal), Some((status, _))) => {
                if status.code().is_some() {
                    *status = ExitStatus::from_raw(signal);
                }
                return self.late.discard(&mut self.legs, true);
            }
            (None, _) => {}
        }
        self.console.iter_mut().for_each(Console::release);
        // What the shell does to the terminal is no doing of the command.
        self.typed.iter_mut().for_each(|typed| typed.pause(Signal::TSTP));
        if self.ended.is_none() && self.job.kind != Kind::Process {
            self.job.stop(Some(&Sent { signal: SIGTTOU, sender: Sender::Kernel }));
        }
        signals::stop(Signal::TTOU, false);
        self.is_to_be_looked_after = true;
    }

    /// Has a signal that arrived after the end of the command take effect if the reader of its output
    /// keeps it waiting. All that can be passed on was.
    pub(super) fn heed_what_came_late(&mut self) {
        if self.ended.is_some()
            && self.legs.iter().any(OutputStream::is_pending)
            && let Some(sent) = self.missed.take()
        {
            self.end_for(&sent);
        }
    }

    /// Handles a signal that arrived after the end of the command. Without cachex it would have
    /// arrived while the command was still printing, so nobody has to wait for the reader. If the
    /// reader takes everything, the command would not have been there any more.
    pub(super) fn end_late(&mut self, sent: &Sent) {
        match (sent.sender, signals::meaning(sent.signal)) {
            // What follows, such as the SIGCONT of `kill %1`, changes nothing about it.
            (Sender::Process { .. }, Some(Meaning::Ends)) => self.missed = Some(*sent),
            _ => self.end_for(sent),
        }
    }

    fn end_for(&mut self, sent: &Sent) {
        if signals::is_ignored(sent.signal) || !self.is_heeded(sent.signal) {
            return;
        }
        match (signals::meaning(sent.signal), &mut self.ended) {
            (Some(Meaning::Ends), Some((status, _))) => {
                *status = ExitStatus::from_raw(sent.signal);
                self.spoiled = Some(Spoiled::Interrupted);
                self.told_to_end = Some(sent.signal);
            }
            // Without cachex, a command whose output waits would stop.
            (Some(Meaning::Stops), _) if self.legs.iter().any(OutputStream::is_pending) => {
                self.console.iter_mut().for_each(Console::release);
                if let Some(signal) = Signal::from_named_raw(sent.signal) {
                    signals::stop(signal, false);
                }
            }
            _ => {}
        }
    }
}
