//! The effects of writing to a pipe without a reader.

use super::{Altered, Mask, is_ignored};
use signal_hook::consts::SIGPIPE;
use std::io;

/// Delays the end of this process by a reader that left until this is dropped.
pub struct BrokenPipes {
    /// The signals that were blocked before.
    before: io::Result<Mask>,
}

impl BrokenPipes {
    /// Begins the delay.
    pub fn hold() -> BrokenPipes {
        BrokenPipes { before: Mask::add(SIGPIPE) }
    }

    /// Returns whether a command that is started like this process survives a reader that left, and
    /// gets an error instead. Such a command may be started then: it has not written yet.
    pub fn are_survived(&self) -> bool {
        let is_held_back = self.before.as_ref().is_ok_and(|before| before.holds(SIGPIPE));
        let are_survived = is_held_back || is_ignored(SIGPIPE);
        if are_survived {
            self.forgive();
        }
        are_survived
    }

    /// Forgets readers that have left: this process goes on.
    pub fn forgive(&self) {
        // Ignoring the signal discards a pending one.
        drop(Altered::ignored(SIGPIPE));
    }
}

impl Drop for BrokenPipes {
    fn drop(&mut self) {
        if let Ok(before) = self.before {
            let _ = before.set();
        }
    }
}
