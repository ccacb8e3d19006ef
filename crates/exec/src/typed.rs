//! Whether a command reads what is typed at the terminal that it shares with cachex.
//!
//! The system notes when a terminal was read last, in steps of eight seconds. Before the
//! command starts, that time is set back by two steps, so that the next read moves it; `w`
//! shows a few seconds of idleness for it, and nothing else shows anything.
//!
//! Others read the same terminal. A shell does while the command stands still (Ctrl-Z) or
//! is in the background, so what happens then is not looked at. Others of the same job do,
//! such as a pager at the end of a pipeline: where there is one that may have read, nothing
//! is known, and nothing is said of the command.

use cachex_base::system::procfs::Stat;
use rustix::fs::{Timespec, Timestamps, UTIME_OMIT, fstat, futimens};
use rustix::process::{Pid, getpgrp, getpid};
use rustix::termios::{isatty, tcgetpgrp};
use std::collections::BTreeMap;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// How far the time of the last read is set back, in seconds: two of the system's steps.
const BACK: i64 = 16;

/// Where a process waits that reads no terminal: for a child, or for what a child prints.
const WAITS: [&str; 5] = ["do_wait", "kernel_wait", "pipe_read", "pipe_wait", "sigsuspend"];

/// What is read at the terminal that is standard input.
#[derive(Debug)]
pub struct Typed {
    /// The time of the last read as it was set; none while the terminal is another job's.
    mark: Option<i64>,
    was_read: bool,
}

impl Typed {
    /// From now on. None where standard input is not the terminal of this session, or is
    /// one whose times this user may not set.
    pub fn watch() -> Option<Typed> {
        let stdin = rustix::stdio::stdin();
        if !isatty(stdin) {
            return None;
        }
        let is_own = tcgetpgrp(stdin).ok()? == getpgrp();
        let mark = if is_own { Some(mark()?) } else { None };
        Some(Typed { mark, was_read: false })
    }

    /// Until [`Typed::go_on`] others read it.
    pub fn pause(&mut self) {
        if let Some(mark) = self.mark.take() {
            self.was_read |= fstat(rustix::stdio::stdin()).is_ok_and(|stat| stat.st_atime != mark);
        }
    }

    /// Looks at it again if it is this job's, or lent to the command that leads a job of its
    /// own. What was read since the last look may have been read by anybody.
    pub fn go_on(&mut self, leader: Pid) {
        let front = tcgetpgrp(rustix::stdio::stdin());
        let is_own = front.is_ok_and(|front| front == getpgrp() || front == leader);
        self.mark = if is_own { mark() } else { None };
    }

    /// Whether it is another job's.
    pub fn is_paused(&self) -> bool {
        self.mark.is_none()
    }

    /// Whether the command, or what it started, has read what was typed. Where others may
    /// have done so it is not known to have.
    pub fn was_read(&mut self) -> bool {
        self.pause();
        self.was_read && !may_be_others()
    }
}

/// Sets the time back; what it is then.
fn mark() -> Option<i64> {
    let stdin = rustix::stdio::stdin();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let time = i64::try_from(now.as_secs()).ok()? - BACK;
    let unchanged = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let last_access = Timespec { tv_sec: time, tv_nsec: 0 };
    futimens(stdin, &Timestamps { last_access, last_modification: unchanged }).ok()?;
    Some(time)
}

/// Whether there is anybody in this job who may read its terminal, besides this process and
/// what it started; also where the system does not tell.
fn may_be_others() -> bool {
    let own = getpid().as_raw_nonzero().get().cast_unsigned();
    let names = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let numbers = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let all: BTreeMap<u32, Stat> =
        numbers.filter_map(|name| Stat::of(&name)).map(|stat| (stat.pid, stat)).collect();
    // What is mounted there may tell of other processes than these.
    if Stat::of("self").is_none_or(|stat| stat.pid != own) {
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

/// Whether a process was started by another, directly or not.
fn descends(all: &BTreeMap<u32, Stat>, process: u32, from: u32) -> bool {
    // Numbers that were given anew meanwhile may lead in a circle.
    let parent = |pid: &u32| all.get(pid).map(|stat| stat.parent);
    std::iter::successors(parent(&process), parent).take(all.len()).any(|pid| pid == from)
}

/// Whether a process that started this one waits for what it started.
fn waits(process: u32) -> bool {
    let place = fs::read_to_string(format!("/proc/{process}/wchan")).unwrap_or_default();
    WAITS.iter().any(|known| place.contains(known))
}
