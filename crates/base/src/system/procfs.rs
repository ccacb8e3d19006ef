//! Processes, as `/proc` tells of them.

use std::fs;

/// What `/proc/PID/stat` says, in the numbering of that `/proc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// The process.
    pub pid: u32,
    /// A letter for what it does: `T` if it is stopped, `Z` if it has ended.
    pub state: u8,
    /// Its parent.
    pub parent: u32,
    /// Its process group; of one that is just ending, -1.
    pub group: i32,
    /// What the kernel notes about it, see `PF_EXITING`.
    flags: u64,
    /// The minor page faults of the children that it has waited for. None has fewer than one.
    pub faults_of_children: u64,
    /// Its threads; none once the last has ended.
    threads: u64,
    /// When it started, in ticks since the boot.
    pub started: u64,
}

/// Whether a process is ending: it has closed what it had, and its parent is told soon.
const PF_EXITING: u64 = 4;

impl Stat {
    /// Reads it for a process that `/proc` has under this name.
    pub fn of(process: &str) -> Option<Stat> {
        let text = fs::read(format!("/proc/{process}/stat")).ok()?;
        // The second field is the name, which may hold anything, in parentheses.
        let name_ends = text.iter().rposition(|&byte| byte == b')')?;
        let before = std::str::from_utf8(text.split(|&byte| byte == b' ').next()?).ok()?;
        let after = std::str::from_utf8(&text[name_ends + 1..]).ok()?;
        let fields: Vec<&str> = after.split_ascii_whitespace().collect();
        Some(Stat {
            pid: before.parse().ok()?,
            state: *fields.first()?.as_bytes().first()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            flags: fields.get(6)?.parse().ok()?,
            faults_of_children: fields.get(8)?.parse().ok()?,
            threads: fields.get(17)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }

    /// Whether it has ended, and is not forgotten yet.
    pub fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }

    /// Whether it is about to end, or has ended. Of one with several threads nobody can tell:
    /// the first may have ended long before the others.
    pub fn is_ending(&self) -> bool {
        self.flags & PF_EXITING != 0 && self.threads <= 1
    }

    /// Whether it stands still, by Ctrl-Z say.
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, b'T' | b't')
    }

    /// Whether it has children, or has waited for one, or has ended, so that those it had
    /// are another's.
    pub fn has_had_children(&self) -> bool {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten();
        let has_some = |task: fs::DirEntry| {
            fs::read(task.path().join("children")).is_ok_and(|children| !children.is_empty())
        };
        self.is_dead() || self.faults_of_children > 0 || tasks.flatten().any(has_some)
    }
}
