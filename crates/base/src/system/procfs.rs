//! Processes as described by `/proc`.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::str::FromStr;

/// The contents of `/proc/PID/stat`, in the numbering of that `/proc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// The PID.
    pub pid: u32,
    /// The state as a letter: `T` if it is stopped, `Z` if it has ended.
    pub state: u8,
    /// The PID of its parent.
    pub parent: u32,
    /// Its process group; -1 for a process that is just ending.
    pub group: i32,
    /// The number of its session's terminal, as the kernel has it; 0 if there is none.
    terminal: u32,
    /// The kernel's flags, see `PF_EXITING`.
    flags: u64,
    /// The minor page faults of the children that it has waited for. Every child has at least one.
    pub faults_of_children: u64,
    /// The number of its threads; 0 once the last has ended.
    threads: u64,
    /// The start time, in ticks since the boot.
    pub started: u64,
    /// The status that its parent is told once it has ended; 0 for the process of another user.
    status: i32,
}

/// The bytes within which the name of a process ends: those of a PID, and of the longest name, that
/// of a kernel thread.
const NAME_ENDS: usize = 96;

/// The flag of a process that is ending: it has closed its files, and its parent is notified soon.
const PF_EXITING: u64 = 4;

impl Stat {
    /// Reads the status of the process that `/proc` has under this name.
    pub fn of(process: &str) -> Option<Stat> {
        // A name of at most 64 bytes and 51 numbers, which one call reads whole.
        let mut buffer = [0; 2048];
        let length = File::open(format!("/proc/{process}/stat")).ok()?.read(&mut buffer).ok()?;
        Stat::parse(buffer[..length].trim_ascii_end())
    }

    fn parse(text: &[u8]) -> Option<Stat> {
        // The second field is the name, which may hold anything, in parentheses.
        let name_ends =
            text.get(..NAME_ENDS).unwrap_or(text).iter().rposition(|&byte| byte == b')')?;
        let mut fields = text[name_ends + 1..].split(|&byte| byte == b' ').skip(1);
        // From here on in the order of the fields, each call takes the next that is wanted.
        Some(Stat {
            pid: number(text.split(|&byte| byte == b' ').next()?)?,
            state: *fields.next()?.first()?,
            parent: number(fields.next()?)?,
            group: number(fields.next()?)?,
            terminal: number::<i32>(fields.nth(1)?)?.cast_unsigned(),
            flags: number(fields.nth(1)?)?,
            faults_of_children: number(fields.nth(1)?)?,
            threads: number(fields.nth(8)?)?,
            started: number(fields.nth(1)?)?,
            status: fields.nth(29).map_or(Some(0), number)?,
        })
    }

    /// Reads the status of every process that `/proc` shows.
    pub fn all() -> impl Iterator<Item = Stat> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pid = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
        entries.filter_map(pid).filter_map(|pid| Stat::of(&pid.to_string()))
    }

    /// Returns the number in `/dev/pts` of its session's terminal, if that is one.
    pub fn pseudo_terminal(&self) -> Option<u32> {
        // Major numbers are in bits 8 to 19, minor ones around them.
        let [major, minor] =
            [self.terminal >> 8 & 0xfff, self.terminal & 0xff | self.terminal >> 12 & 0xf_ff00];
        (136..144).contains(&major).then_some((major - 136) * 256 + minor)
    }

    /// Returns whether it has ended but was not reaped yet.
    pub fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }

    /// Returns how it ended, if it has and was not reaped yet.
    pub fn end(&self) -> Option<ExitStatus> {
        (self.state == b'Z').then(|| ExitStatus::from_raw(self.status))
    }

    /// Returns whether it is about to end, or has ended. The first of several threads may have ended
    /// long before the others, so each has to be.
    pub fn is_ending(&self) -> bool {
        let is_exiting = |thread: &Stat| thread.flags & PF_EXITING != 0;
        let goes_on = |thread: fs::DirEntry| {
            let thread = format!("{}/task/{}", self.pid, thread.file_name().display());
            Stat::of(&thread).is_some_and(|thread| !is_exiting(&thread))
        };
        is_exiting(self) && (self.threads <= 1 || !self.tasks().any(goes_on))
    }

    /// Returns whether it is stopped, for example by Ctrl-Z.
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, b'T' | b't')
    }

    /// Returns whether it has waited for a child.
    pub fn has_waited(&self) -> bool {
        self.faults_of_children > 0
    }

    /// Returns whether it has children, has waited for one, or has ended, so that its children
    /// belong to another process.
    pub fn has_had_children(&self) -> bool {
        let has_some = |task: fs::DirEntry| {
            fs::read(task.path().join("children")).is_ok_and(|children| !children.is_empty())
        };
        self.is_dead() || self.has_waited() || self.tasks().any(has_some)
    }

    /// The directories of its threads.
    fn tasks(&self) -> impl Iterator<Item = fs::DirEntry> {
        fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten()
    }
}

fn number<T: FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    use std::process::Command;

    #[test]
    fn each_field_is_read_from_its_place_whatever_the_name_holds() {
        let fields = (4..=52).map(|field| field.to_string()).collect::<Vec<_>>().join(" ");
        let stat = Stat {
            pid: 1,
            state: b'S',
            parent: 4,
            group: 5,
            terminal: 7,
            flags: 9,
            faults_of_children: 11,
            threads: 20,
            started: 22,
            status: 52,
        };
        for name in ["sh", "", "a b", ") R 7 (", "\n"] {
            let text = format!("1 ({name}) S {fields}");
            assert_eq!(Stat::parse(text.as_bytes()), Some(stat), "{name:?}");
        }
        // Linux before 3.5 tells no status.
        let older = format!("1 (sh) S {}", fields.replace(" 52", ""));
        assert_eq!(Stat::parse(older.as_bytes()), Some(Stat { status: 0, ..stat }));
        assert_eq!(Stat::parse(b"1 (sh) S 4 5"), None);
        assert_eq!(Stat::parse(b"1 (sh) S 4 x 6 7 8 9 10 11"), None);
    }

    #[test]
    fn a_process_that_has_ended_tells_how_until_it_is_reaped() {
        for (script, status) in [("exit 3", 3 << 8), ("kill -9 $$", 9), ("", 0)] {
            let mut child = Command::new("sh").args(["-c", script]).spawn().unwrap();
            let pid = Pid::from_child(&child);
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
            let told = Stat::of(&child.id().to_string()).unwrap().end();
            assert_eq!(told, Some(ExitStatus::from_raw(status)), "{script}");
            assert_eq!(child.wait().ok(), told);
        }
        assert_eq!(Stat::of("self").unwrap().end(), None);
    }

    #[test]
    fn a_process_that_waited_for_a_child_tells_so_until_it_is_reaped() {
        for (script, has_waited) in [("sh -c :; exit 1", true), ("exit 1", false)] {
            let mut child = Command::new("sh").args(["-c", script]).spawn().unwrap();
            let pid = Pid::from_child(&child);
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
            let stat = Stat::of(&child.id().to_string()).unwrap();
            assert_eq!(stat.has_waited(), has_waited, "{script}");
            let _ = child.wait();
        }
    }
}
