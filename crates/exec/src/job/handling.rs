//! The signal dispositions of a process, as `/proc` tells them.

use rustix::process::{Pid, getpid};

/// The signal dispositions of a process.
#[derive(Clone, Copy, Debug)]
pub struct Handling {
    ignored: u64,
    caught: u64,
    pending: u64,
}

impl Handling {
    /// Returns the dispositions of a child of this process, where the system tells.
    pub fn of(process: Pid) -> Option<Handling> {
        let (handling, parent) = Handling::and_parent_of(process.as_raw_nonzero().get())?;
        // A `/proc` of another pid namespace may describe other processes.
        (parent == Some(getpid())).then_some(handling)
    }

    /// Returns the dispositions of a process that `/proc` has under this number.
    pub fn of_any(process: u32) -> Option<Handling> {
        Some(Handling::and_parent_of(process.cast_signed())?.0)
    }

    fn and_parent_of(process: i32) -> Option<(Handling, Option<Pid>)> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        let parent = field("PPid:")?.trim().parse().ok().and_then(Pid::from_raw);
        let set = |name: &str| u64::from_str_radix(field(name)?.trim(), 16).ok();
        let pending = set("SigPnd:")? | set("ShdPnd:")?;
        Some((Handling { ignored: set("SigIgn:")?, caught: set("SigCgt:")?, pending }, parent))
    }

    /// Returns whether the signal is pending, sent but blocked.
    pub fn is_pending(self, signal: i32) -> bool {
        self.pending >> (signal - 1) & 1 == 1
    }

    /// Returns whether the process ignores the signal.
    pub fn ignores(self, signal: i32) -> bool {
        self.ignored >> (signal - 1) & 1 == 1
    }

    /// Returns whether the process has a handler for the signal.
    pub fn catches(self, signal: i32) -> bool {
        self.caught >> (signal - 1) & 1 == 1
    }

    /// Returns whether the process has a handler for one of these signals, the first one in the
    /// lowest bit.
    pub fn catches_any(self, signals: u64) -> bool {
        self.caught & signals != 0
    }
}
