//! Passes a signal on, and notes whether it may have changed what the command prints.

use super::Pump;
use crate::Spoiled;
use crate::output_stream::OutputStream;
use crate::pty::Console;
use cachex_base::system::signals::{self, Meaning, Sent};
use rustix::process::Signal;
use signal_hook::consts::SIGWINCH;
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
            self.was_asked_to_end |= signals::asks_to_end(signal);
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

    /// Handles a signal that arrived after the end of the command. Without cachex it would have
    /// arrived while the command was still printing, so nobody has to wait for the reader.
    pub(super) fn end_late(&mut self, sent: &Sent) {
        if signals::is_ignored(sent.signal) || !self.is_heeded(sent.signal) {
            return;
        }
        match (signals::meaning(sent.signal), &mut self.ended) {
            (Some(Meaning::Ends), Some((status, _))) => {
                *status = ExitStatus::from_raw(sent.signal);
                self.spoiled = Some(Spoiled::Interrupted);
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
