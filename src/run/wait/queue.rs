//! One's place among those who wait for a lock.

use cachex_base::system::signals::Mask;
use cachex_store::Root;
use cachex_store::lock::{Lock, Mode};
use rustix::event::{PollFd, PollFlags};
use rustix::fd::AsFd;
use rustix::io::Errno;
use std::io::{self, PipeReader};
use std::path::Path;
use std::thread::JoinHandle;

/// One's place in the kernel's waiting list, which is fair and costs nothing: a thread
/// waits in it so that this one can do other things. Whoever drops the place leaves the
/// thread to it, which lets the lock go as soon as it gets it.
pub struct Place {
    thread: JoinHandle<rustix::io::Result<Lock>>,
    /// Comes to its end when the thread has come to its own.
    granted: PipeReader,
}

impl Place {
    /// Queues up.
    pub fn take(root: &Root, name: &Path) -> io::Result<Place> {
        let (granted, waiting) = io::pipe()?;
        let (dir, name) = (root.as_fd().try_clone_to_owned()?, name.to_owned());
        let wait = move || {
            let lock = Lock::wait(dir, name, Mode::Exclusive);
            drop(waiting);
            lock
        };
        // A signal to this process is for the thread that receives them while a command
        // runs. This one would let it have its usual effect.
        let before = Mask::all_but(&[]).set()?;
        let thread = std::thread::Builder::new().spawn(wait);
        before.set()?;
        Ok(Place { thread: thread?, granted })
    }

    /// What polls readable when it has come to something.
    pub fn granted(&self) -> PollFd<'_> {
        PollFd::new(&self.granted, PollFlags::IN)
    }

    /// What it has come to.
    pub fn lock(self) -> io::Result<Lock> {
        let lock = self.thread.join().unwrap_or(Err(Errno::IO));
        Ok(lock?)
    }
}
