//! Passes a signal on, and notes whether it may have changed what the command prints.

use super::Pump;
use crate::Spoiled;
use crate::pty::Console;
use cachex_base::system::signals::{self, Meaning, Sent};
use signal_hook::consts::SIGWINCH;

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
}
