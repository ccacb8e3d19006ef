//! The log of events, kept open.

use super::{Event, TAKEN, append, append_to, open};
use crate::Root;
use cachex_base::process::forked::PerProcess;
use rustix::fd::OwnedFd;
use rustix::fs::Mode;
use std::sync::Mutex;

/// Appends to the log of a process that does so often. Opening and closing the log takes longer
/// than all else that is done for an event.
#[derive(Default)]
pub struct Appender {
    log: PerProcess<Mutex<Option<Open>>>,
}

/// The log that was opened last.
struct Open {
    log: OwnedFd,
    /// The device and the number of the file.
    place: (u64, u64),
}

/// The state of the log.
enum State {
    /// It is the store's log.
    Current,
    /// A fold has taken it, or it was removed.
    Gone,
    /// The program has closed all descriptors, and may have given the number to another file.
    NotOurs,
}

impl Open {
    fn new(root: &Root) -> rustix::io::Result<Open> {
        let log = open(root)?;
        let stat = rustix::fs::fstat(&log)?;
        Ok(Open { log, place: (stat.st_dev, stat.st_ino) })
    }

    fn state(&self) -> State {
        match rustix::fs::fstat(&self.log) {
            Ok(stat) if (stat.st_dev, stat.st_ino) == self.place => {
                let is_taken = Mode::from_raw_mode(stat.st_mode).contains(TAKEN);
                if is_taken || stat.st_nlink == 0 { State::Gone } else { State::Current }
            }
            _ => State::NotOurs,
        }
    }
}

impl Appender {
    /// Appends one event, see [`append`].
    pub fn append(
        &self,
        root: &Root,
        event: &Event,
        label: Option<&[u8]>,
        max_entries: Option<u64>,
    ) -> rustix::io::Result<bool> {
        // A thread that would have to wait for another one opens a log of its own.
        let Ok(mut kept) = self.log.get().try_lock() else {
            return append(root, event, label, max_entries);
        };
        let is_current = match kept.as_ref().map(Open::state) {
            Some(State::Current) => true,
            Some(State::NotOurs) => {
                std::mem::forget(kept.take());
                false
            }
            Some(State::Gone) | None => false,
        };
        if !is_current {
            *kept = Some(Open::new(root)?);
        }
        match &*kept {
            Some(kept) => append_to(root, &kept.log, event, label, max_entries),
            None => unreachable!("it was opened"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{event, store};
    use super::super::{LOG, drain};
    use super::*;
    use cachex_base::system::fsutil;
    use std::io::Seek as _;

    #[test]
    fn a_log_that_was_taken_or_removed_is_opened_anew() {
        let (_dir, root) = store();
        let appender = Appender::default();
        let append = |n| assert!(!appender.append(&root, &event(n), None, None).unwrap());
        append(0);
        append(1);
        let drained = drain(&root).unwrap();
        assert_eq!(drained.events, [0, 1].map(event));
        // The fold has read the log, and not yet removed it.
        append(2);
        drained.discard(&root).unwrap();
        append(3);
        let drained = drain(&root).unwrap();
        assert_eq!(drained.events, [2, 3].map(event));
        drained.discard(&root).unwrap();
        append(4);
        fsutil::remove_file(&root, LOG).unwrap();
        append(5);
        assert_eq!(drain(&root).unwrap().events, [event(5)]);
    }

    #[test]
    fn nothing_is_written_to_a_file_that_has_the_number_of_the_log() {
        let (_dir, root) = store();
        let appender = Appender::default();
        appender.append(&root, &event(0), None, None).unwrap();
        let mut other = tempfile::tempfile().unwrap();
        {
            let mut kept = appender.log.get().lock().unwrap();
            rustix::io::dup2(&other, &mut kept.as_mut().unwrap().log).unwrap();
        }
        appender.append(&root, &event(1), None, None).unwrap();
        assert_eq!(drain(&root).unwrap().events, [0, 1].map(event));
        assert_eq!(other.seek(std::io::SeekFrom::End(0)).unwrap(), 0);
    }
}
