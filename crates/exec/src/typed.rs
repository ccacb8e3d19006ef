//! Detects whether a command reads what is typed at the terminal that it shares with cachex.
//!
//! That may be its standard input. It may also open the terminal itself, as whatever asks for a
//! password does; Linux 6.4 and newer note that at each place where the terminal is open.
//!
//! The system records when a terminal was last read, in steps of eight seconds. Before the command
//! starts, that time is set back by two steps, so that the next read changes it. `w` shows a few
//! seconds of idle time because of that, and nothing else is affected.
//!
//! Others may read the same terminal. A shell does while the command is stopped (Ctrl-Z) or in the
//! background, so reads at those times are ignored. Other processes of the same job do, such as a
//! pager at the end of a pipeline: if one of them may have read, nothing is known, and the command
//! is given the benefit of the doubt.

use cachex_base::system::fsutil;
use cachex_base::system::procfs;
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, Stat, Timespec, Timestamps, UTIME_OMIT, fstat, futimens, open};
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, getpgrp, getpid};
use rustix::termios::{isatty, tcgetpgrp, tcgetsid};
use std::collections::BTreeMap;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// The amount by which the time of the last read is set back, in seconds: two of the system's
/// steps.
const BACK: i64 = 16;

/// The kernel functions in which a process waits that reads no terminal: for a child, or for a
/// child's output.
const WAITS: [&str; 5] = ["do_wait", "kernel_wait", "pipe_read", "pipe_wait", "sigsuspend"];

/// The state of a terminal before the command reads it.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// The time of the last read, as it was set.
    time: i64,
    /// Whether an end of the input (Ctrl-D) was typed ahead. To read that does not change the time.
    has_end: bool,
}

/// A watch on reads from this session's terminal.
#[derive(Debug)]
pub struct Typed {
    terminal: Terminal,
    /// What was there to read; none while the terminal belongs to another job.
    mark: Option<Mark>,
    was_read: bool,
}

impl Typed {
    /// Starts to watch. None where there is no terminal, or this user may not set its times.
    pub fn watch() -> Option<Typed> {
        let terminal = Terminal::of_session()?;
        let is_own = tcgetpgrp(terminal.as_fd()).ok()? == getpgrp();
        let mark = if is_own { Some(terminal.mark()?) } else { None };
        Some(Typed { terminal, mark, was_read: false })
    }

    /// Pauses until [`Typed::go_on`], while others read the terminal.
    pub fn pause(&mut self) {
        if let Some(mark) = self.mark.take() {
            let was_read = |stat: Stat| stat.st_atime != mark.time;
            self.was_read |= fstat(self.terminal.as_fd()).is_ok_and(was_read)
                || mark.has_end && !self.terminal.has_end();
        }
    }

    /// Resumes if the terminal belongs to this job, or is lent to a command with a job of its own.
    /// Anybody may have read what was read during the pause.
    pub fn go_on(&mut self, leader: Pid) {
        let front = tcgetpgrp(self.terminal.as_fd());
        let is_own = front.is_ok_and(|front| front == getpgrp() || front == leader);
        self.mark = if is_own { self.terminal.mark() } else { None };
    }

    /// Returns whether the terminal belongs to another job.
    pub fn is_paused(&self) -> bool {
        self.mark.is_none()
    }

    /// Returns whether the command or its descendants read what was typed. False if others may have
    /// done so.
    pub fn was_read(&mut self) -> bool {
        self.pause();
        self.was_read && !may_be_others()
    }
}

/// This session's terminal.
#[derive(Debug)]
enum Terminal {
    /// As a standard stream.
    Stream(BorrowedFd<'static>),
    /// As it was found by the session.
    Opened(OwnedFd),
}

impl Terminal {
    fn of_session() -> Option<Terminal> {
        let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
        let is_own = |stream: &BorrowedFd<'_>| isatty(stream) && tcgetpgrp(stream).is_ok();
        match streams.into_iter().find(is_own) {
            Some(stream) => Some(Terminal::Stream(stream)),
            None => Terminal::by_name().map(Terminal::Opened),
        }
    }

    /// Opens the terminal in its own place: the times of `/dev/tty`, which is that of everybody,
    /// are root's to set.
    fn by_name() -> Option<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // Usually there is none, which this tells at once.
        open("/dev/tty", flags, Mode::empty()).ok()?;
        let number = procfs::Stat::of("self")?.pseudo_terminal()?;
        let opened = open(format!("/dev/pts/{number}"), flags, Mode::empty()).ok()?;
        (tcgetsid(&opened).ok()? == rustix::process::getsid(None).ok()?).then_some(opened)
    }

    /// Sets the time of the last read back, and returns the state of now.
    fn mark(&self) -> Option<Mark> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let time = i64::try_from(now.as_secs()).ok()? - BACK;
        let unchanged = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let last_access = Timespec { tv_sec: time, tv_nsec: 0 };
        let times = Timestamps { last_access, last_modification: unchanged };
        futimens(self.as_fd(), &times).ok()?;
        Some(Mark { time, has_end: self.has_end() })
    }

    /// Returns whether the next read finds the end of the input: something is there, of no bytes.
    fn has_end(&self) -> bool {
        let is_empty = || ioctl_fionread(self).is_ok_and(|bytes| bytes == 0);
        fsutil::is_ready(self, PollFlags::IN).unwrap_or(false) && is_empty()
    }
}

impl AsFd for Typed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.terminal.as_fd()
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Terminal::Stream(stream) => *stream,
            Terminal::Opened(opened) => opened.as_fd(),
        }
    }
}

/// Returns whether another process of this job may read its terminal, besides this process and its
/// descendants. True where the system does not tell.
fn may_be_others() -> bool {
    let own = getpid().as_raw_nonzero().get().cast_unsigned();
    let all: BTreeMap<u32, procfs::Stat> =
        procfs::Stat::all().map(|stat| (stat.pid, stat)).collect();
    // A `/proc` of another pid namespace may describe other processes.
    if procfs::Stat::of("self").is_none_or(|stat| stat.pid != own) {
        return true;
    }
    let group = getpgrp().as_raw_nonzero().get();
    let mut job = all.values().filter(|stat| stat.group == group && !stat.is_dead());
    job.any(|stat| {
        let is_part = stat.pid == own || descends(&all, stat.pid, own);
        let is_waiting = || descends(&all, own, stat.pid) && waits(stat.pid);
        !is_part && !is_waiting()
    })
}

/// Returns whether a process descends from another.
fn descends(all: &BTreeMap<u32, procfs::Stat>, process: u32, from: u32) -> bool {
    // Pids that were reused in the meantime may form a cycle.
    let parent = |pid: &u32| all.get(pid).map(|stat| stat.parent);
    std::iter::successors(parent(&process), parent).take(all.len()).any(|pid| pid == from)
}

/// Returns whether an ancestor of this process is waiting for its children.
fn waits(process: u32) -> bool {
    let place = fs::read_to_string(format!("/proc/{process}/wchan")).unwrap_or_default();
    WAITS.iter().any(|known| place.contains(known))
}
