//! Detects whether a command reads what is typed at the terminal that it shares with cachex.
//!
//! That may be its standard input. It may also open the terminal itself, as whatever asks for a
//! password does; Linux 6.4 and newer note that at each place where the terminal is open.
//!
//! The system records when a terminal was last read, in steps of eight seconds. Before the command
//! starts, that time is set back by two steps, so that the next read changes it. `w` shows a few
//! seconds of idle time because of that, and nothing else is affected. Where it cannot be set, and
//! for the end of the input, which changes no time, what was typed ahead tells: there is less of it.
//!
//! Others may read the same terminal. A shell does while the command is stopped (Ctrl-Z) or in the
//! background, so reads at those times are ignored. Other processes of the same job do, such as a
//! pager at the end of a pipeline: if one of them may have read, nothing is known, and the command
//! is given the benefit of the doubt.

use cachex_base::system::fsutil;
use cachex_base::system::procfs;
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, fcntl_getfl, fstat, futimens, open,
};
use rustix::io::{Errno, ioctl_fionread};
use rustix::process::{Pid, Signal, getpgrp, getpid};
use rustix::termios::{Termios, isatty, tcgetattr, tcgetpgrp, tcgetsid};
use std::collections::BTreeMap;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// The amount by which the time of the last read is set back, in seconds: two of the system's
/// steps.
const BACK: i64 = 16;

/// The flags of an open file that tell of input in another way.
const LASTING: OFlags = OFlags::NONBLOCK.union(OFlags::from_bits_retain(libc::O_ASYNC as _));

/// The kernel functions in which a process waits that reads no terminal: for a child, or for a
/// child's output.
const WAITS: [&str; 5] = ["do_wait", "kernel_wait", "pipe_read", "pipe_wait", "sigsuspend"];

/// What a terminal is like while the command has not read it.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// The time of the last read.
    time: Option<Timespec>,
    /// What was typed and not read.
    ahead: Ahead,
    /// How much of that there was at first, in bytes.
    first: u64,
}

/// What was typed and not read. To read it may not change the time.
#[derive(Clone, Copy, Debug, Default)]
struct Ahead {
    bytes: u64,
    /// Whether the next read finds the end of the input (Ctrl-D).
    has_end: bool,
}

/// A watch on reads from the terminal.
#[derive(Debug)]
pub struct Typed {
    terminal: Terminal,
    /// What it was like at last; none while the terminal belongs to another job.
    mark: Option<Mark>,
    was_read: bool,
    /// How it was set before the command started; none once a shell may have set it otherwise.
    settings: Option<Settings>,
    /// Set when it was set otherwise at a look.
    was_set: bool,
}

/// How a terminal is set.
#[derive(Debug)]
struct Settings {
    modes: Termios,
    /// Whether reads wait, and whether a signal tells of input. That is kept with what cachex and
    /// its command share: the open file.
    flags: OFlags,
}

impl Typed {
    /// Starts to watch. None where there is no terminal.
    pub fn watch() -> Option<Typed> {
        let terminal = Terminal::find()?;
        let mark = terminal.is_for(getpgrp()).then(|| terminal.mark());
        // The shell may be setting it, too.
        let settings = mark.and_then(|_| terminal.settings());
        Some(Typed { terminal, mark, was_read: false, settings, was_set: false })
    }

    /// Pauses until [`Typed::go_on`], while others read the terminal. The command and cachex stop for
    /// this signal.
    pub fn pause(&mut self, signal: Signal) {
        self.look();
        // A job in the background that reads the terminal (SIGTTIN) or sets it (SIGTTOU) does so as
        // soon as it is in front: before a look could tell it from the shell's doing.
        self.was_read |= signal == Signal::TTIN;
        self.was_set |= signal == Signal::TTOU;
        self.mark = None;
        // The shell has modes of its own.
        self.settings = None;
    }

    /// Resumes if the terminal belongs to this job, or is lent to a command with a job of its own.
    /// Anybody may have read what was read during the pause.
    pub fn go_on(&mut self, leader: Pid) {
        let is_own = self.terminal.is_for(getpgrp()) || self.terminal.is_for(leader);
        self.mark = is_own.then(|| self.terminal.mark());
    }

    /// Returns whether the terminal belongs to another job.
    pub fn is_paused(&self) -> bool {
        self.mark.is_none()
    }

    /// Notes whether something was read since the last look.
    pub fn look(&mut self) {
        if let Some(mark) = &mut self.mark {
            let now = self.terminal.ahead();
            let is_later = self.terminal.last_read() != mark.time;
            let before = std::mem::replace(&mut mark.ahead, now);
            self.was_read |= is_later || now.bytes < before.bytes || before.has_end && !now.has_end;
            self.was_set |= self.is_set_otherwise();
        }
    }

    /// Returns whether the command or its descendants may have acted on what was typed, or have set
    /// the terminal. If others may have done so, false. `is_watched` tells whether one of them waited
    /// for keys beside other work.
    pub fn was_used(&mut self, is_watched: bool) -> bool {
        self.look();
        let is_more_ahead = self.mark.is_some_and(|mark| mark.ahead.bytes > mark.first);
        (self.was_read || self.was_set || is_watched && is_more_ahead) && !may_be_others()
    }

    /// Returns whether the terminal is set otherwise than before, which a replay would not do.
    pub fn is_set_otherwise(&self) -> bool {
        let now = || self.terminal.settings();
        self.settings.as_ref().is_some_and(|before| now().is_some_and(|now| now != *before))
    }
}

impl PartialEq for Settings {
    fn eq(&self, other: &Settings) -> bool {
        let relevant = |Settings { modes, flags }: &Settings| {
            let Termios { input_modes, output_modes, control_modes, local_modes, .. } = *modes;
            (input_modes, output_modes, control_modes, local_modes, *flags & LASTING)
        };
        relevant(self) == relevant(other)
    }
}

/// The terminal that a command reads: its standard input, or this session's terminal.
#[derive(Debug)]
pub enum Terminal {
    /// As a standard stream.
    Stream(BorrowedFd<'static>),
    /// As it was found by the session.
    Opened(OwnedFd),
}

impl Terminal {
    fn find() -> Option<Terminal> {
        let stdin = rustix::stdio::stdin();
        let others = [rustix::stdio::stdout(), rustix::stdio::stderr()];
        let is_own = |stream: &BorrowedFd<'_>| isatty(stream) && tcgetpgrp(stream).is_ok();
        // Standard input may be the terminal of no session, as under `setsid`.
        let stream = isatty(stdin).then_some(stdin).or_else(|| others.into_iter().find(is_own));
        match stream {
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

    /// Returns whether this process group may read it: it is in the foreground, or no session is.
    fn is_for(&self, group: Pid) -> bool {
        tcgetpgrp(self).map_or_else(|errno| errno == Errno::NOTTY, |front| front == group)
    }

    /// Sees to it that the next read shows, and returns what it is like now.
    fn mark(&self) -> Mark {
        let ahead = self.ahead();
        Mark { time: self.set_back(), ahead, first: ahead.bytes }
    }

    fn settings(&self) -> Option<Settings> {
        Some(Settings { modes: tcgetattr(self).ok()?, flags: fcntl_getfl(self).ok()? })
    }

    /// Sets the time of the last read back, unless it is long ago, and returns it. If the terminal
    /// belongs to another user, as under `su`, it stays, and shows only reads of a later step.
    fn set_back(&self) -> Option<Timespec> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let time = i64::try_from(now.as_secs()).ok()? - BACK;
        if self.last_read()?.tv_sec > time {
            let unchanged = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
            // A read keeps the fraction. So another cachex at this terminal, whose command may have
            // read since, meets a time that is not its own.
            let last_access = Timespec { tv_sec: time, tv_nsec: now.subsec_nanos().into() };
            let times = Timestamps { last_access, last_modification: unchanged };
            let _ = futimens(self, &times);
        }
        self.last_read()
    }

    fn last_read(&self) -> Option<Timespec> {
        let stat = fstat(self).ok()?;
        Some(Timespec { tv_sec: stat.st_atime as i64, tv_nsec: stat.st_atime_nsec as _ })
    }

    fn ahead(&self) -> Ahead {
        let bytes = ioctl_fionread(self).unwrap_or(0);
        // Something is there, of no bytes.
        let has_end = bytes == 0 && fsutil::is_ready(self, PollFlags::IN).unwrap_or(false);
        Ahead { bytes, has_end }
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
    let program = |process: u32| fs::read_link(format!("/proc/{process}/exe")).ok();
    let cachex = program(own);
    // Another cachex in the job is as unsure as this one, so neither is given the benefit of the
    // doubt.
    let is_of_another = |stat: &procfs::Stat| {
        let above = std::iter::successors(Some(stat.pid), |pid| Some(all.get(pid)?.parent));
        let mut above = above.take(all.len()).filter(|&pid| !descends(&all, own, pid));
        above.any(|pid| cachex.is_some() && program(pid) == cachex)
    };
    let mut job = all.values().filter(|stat| stat.group == group && !stat.is_dead());
    job.any(|stat| {
        let is_part = stat.pid == own || descends(&all, stat.pid, own);
        let is_waiting = || descends(&all, own, stat.pid) && waits(stat.pid);
        !is_part && !is_waiting() && !is_of_another(stat)
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
