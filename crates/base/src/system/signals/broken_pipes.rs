//! What comes of a pipe that nobody reads any more.

use super::{Altered, Mask, is_ignored};
use signal_hook::consts::SIGPIPE;
use std::io;

/// A reader that leaves does not end this process for a while, but afterwards.
pub struct BrokenPipes {
    /// Which signals were held back before.
    before: io::Result<Mask>,
}

impl BrokenPipes {
    /// From now on.
    pub fn hold() -> BrokenPipes {
        BrokenPipes { before: Mask::add(SIGPIPE) }
    }

    /// Whether a reader that left is an error for a command that is started like this
    /// process, and not its end. Such a command may be started then: it has not written yet.
    pub fn are_survived(&self) -> bool {
        let is_held_back = self.before.as_ref().is_ok_and(|before| before.holds(SIGPIPE));
        let are_survived = is_held_back || is_ignored(SIGPIPE);
        if are_survived {
            // To ignore it takes back what waits.
            drop(Altered::ignored(SIGPIPE));
        }
        are_survived
    }
}

impl Drop for BrokenPipes {
    fn drop(&mut self) {
        if let Ok(before) = self.before {
            let _ = before.set();
        }
    }
}
