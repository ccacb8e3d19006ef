//! A place in the queue for a lock.

use cachex_base::system::signals::Mask;
use cachex_store::Root;
use cachex_store::lock::{Lock, Mode};
use rustix::event::{PollFd, PollFlags};
use rustix::fd::AsFd;
use rustix::io::Errno;
use std::io::{self, PipeReader};
use std::path::Path;
use std::thread::JoinHandle;

/// A place in the kernel's queue, which is fair and costs nothing: a thread waits there so that
/// this one can do other things. A dropped place leaves the thread waiting, which releases the lock
/// as soon as it gets it.
pub struct Place {
    thread: JoinHandle<rustix::io::Result<Lock>>,
    /// Reaches its end when the thread is done.
    granted: PipeReader,
}

impl Place {
    /// Joins the queue.
    pub fn take(root: &Root, name: &Path) -> io::Result<Place> {
        let (granted, waiting) = io::pipe()?;
        let (dir, name) = (root.as_fd().try_clone_to_owned()?, name.to_owned());
        let wait = move || {
            let lock = Lock::take(dir, name, Mode::Exclusive)
                .and_then(|lock| lock.ok_or(Errno::WOULDBLOCK));
            drop(waiting);
            lock
        };
        // Signals are for the thread that receives them while a command runs. In this one they
        // would have their default effect.
        let before = Mask::all_but(&[]).set()?;
        let thread = std::thread::Builder::new().spawn(wait);
        before.set()?;
        Ok(Place { thread: thread?, granted })
    }

    /// Returns a descriptor that polls readable when the thread is done.
    pub fn granted(&self) -> PollFd<'_> {
        PollFd::new(&self.granted, PollFlags::IN)
    }

    /// Returns the lock, or the error of the wait.
    pub fn lock(self) -> io::Result<Lock> {
        let lock = self.thread.join().unwrap_or(Err(Errno::IO));
        Ok(lock?)
    }
}
