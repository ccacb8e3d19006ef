//! The identity of processes, and on whose behalf this one runs.
//!
//! A PID alone names a process only within its PID namespace, on its host, until the number is used
//! again. Two containers that share a store may both have a PID 7, and so may two hosts on a shared
//! file system. So a process is identified by the boot of its kernel, its PID namespace, its PID
//! there, and its start time.
//!
//! `/proc` tells whether another process started this one; on other systems than Linux, `ps` does.
//! The numbering of `/proc` may be that of another namespace. Where the ancestors are unknown, or a
//! namespace hides them, pipes are compared: the standard output and standard error of a command
//! that cachex runs lead to that cachex, and usually so do those of all that the command starts.
//! Where neither answers, two processes are taken to be unrelated, and the limits on waiting end a
//! deadlock.

use rustix::fd::BorrowedFd;
use rustix::fs::FileType;
use std::fmt;

/// The maximum depth of a process tree.
const DEPTH: usize = 512;

/// A process of any host or namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its PID in its own namespace.
    pub pid: u32,
    /// Distinguishes it from others with that PID; none where the system does not say.
    birth: Option<Birth>,
}

/// The place and time of a process's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Birth {
    /// The boot of the kernel.
    boot: u128,
    /// The PID namespace.
    namespace: u64,
    /// The start time, in the kernel's ticks since the boot.
    started: u64,
}

impl Process {
    /// Returns this process.
    pub fn this() -> Process {
        Process { pid: std::process::id(), birth: system::own_birth() }
    }

    /// Returns a process of which nothing but the PID is known.
    pub fn numbered(pid: u32) -> Process {
        Process { pid, birth: None }
    }

    /// Returns whether both are certainly the same process. Unknown births are never the same.
    pub fn is(&self, other: &Process) -> bool {
        self.birth.is_some() && self == other
    }

    /// Returns whether this process can use its PID.
    pub fn is_here(&self) -> bool {
        let here = system::own_birth();
        match (self.birth, here) {
            (Some(its), Some(own)) => (its.boot, its.namespace) == (own.boot, own.namespace),
            _ => false,
        }
    }

    /// Returns whether it is stopped, for example by Ctrl-Z; false if unknown.
    pub fn is_stopped(&self) -> bool {
        self.is_here()
            && system::stat(self.pid).is_some_and(|stat| {
                stat.is_stopped() && self.birth.is_some_and(|it| it.started == stat.started)
            })
    }

    /// Parses the output of [`fmt::Display`].
    pub fn parse(text: &str) -> Option<Process> {
        let mut words = text.split(' ');
        let pid = words.next()?.parse().ok()?;
        let birth = match words.next()? {
            "-" => None,
            boot => Some(Birth {
                boot: u128::from_str_radix(boot, 16).ok()?,
                namespace: words.next()?.parse().ok()?,
                started: words.next()?.parse().ok()?,
            }),
        };
        words.next().is_none().then_some(Process { pid, birth })
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.birth {
            Some(Birth { boot, namespace, started }) => {
                write!(f, "{} {boot:x} {namespace} {started}", self.pid)
            }
            None => write!(f, "{} -", self.pid),
        }
    }
}

/// Returns whether the process of this PID is stopped; false if unknown.
pub fn is_stopped(pid: u32) -> bool {
    system::stat(pid).is_some_and(|stat| stat.is_stopped())
}

/// The identity of a pipe, by which a process can be told to belong to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipe {
    device: u64,
    inode: u64,
}

impl Pipe {
    /// Returns the pipe behind a descriptor, or `None` if it is something else.
    pub fn of(fd: BorrowedFd<'_>) -> Option<Pipe> {
        let stat = rustix::fs::fstat(fd).ok()?;
        let is_pipe = FileType::from_raw_mode(stat.st_mode) == FileType::Fifo;
        #[allow(clippy::unnecessary_cast, reason = "the types are another system's")]
        is_pipe.then_some(Pipe { device: stat.st_dev as u64, inode: stat.st_ino as u64 })
    }

    /// Parses the output of [`fmt::Display`].
    pub fn parse(text: &str) -> Option<Pipe> {
        let (device, inode) = text.split_once(':')?;
        Some(Pipe { device: device.parse().ok()?, inode: inode.parse().ok()? })
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.device, self.inode)
    }
}

/// The holder of a lock, which runs a command meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub process: Process,
    /// The name of its host; empty if that is not a plain word.
    pub host: String,
    /// The pipes that are its command's standard output and standard error.
    pub pipes: Vec<Pipe>,
}

/// The ancestors of a process, and the pipes that it writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    host: String,
    ancestors: Vec<Process>,
    pipes: Vec<Pipe>,
    /// True if the ancestors are known up to the first process of the namespace.
    is_complete: bool,
    /// True if one of them may be another call of cachex.
    is_nested: bool,
}

impl Lineage {
    /// Returns the lineage of this process.
    pub fn own() -> Lineage {
        let (ancestors, is_complete) = system::ancestors();
        let is_nested = !is_complete || system::descends_from_this_executable();
        let streams = [rustix::stdio::stdout(), rustix::stdio::stderr()];
        let mut pipes: Vec<Pipe> = streams.into_iter().filter_map(Pipe::of).collect();
        pipes.dedup();
        Lineage { host: host(), ancestors, pipes, is_complete, is_nested }
    }

    /// Returns whether every ancestor within this PID namespace is known.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns whether another call of cachex may be running this process. A call made by a program
    /// that uses the library is not detected.
    pub fn is_nested(&self) -> bool {
        self.is_nested
    }

    /// Returns the PIDs of the known ancestors, the parent first.
    pub fn ancestors(&self) -> impl Iterator<Item = u32> {
        self.ancestors.iter().map(|process| process.pid)
    }

    /// Returns whether the process runs on behalf of `holder`, which waits for it.
    pub fn descends_from(&self, holder: &Holder) -> bool {
        let is_known = self.ancestors.iter().any(|ancestor| ancestor.is(&holder.process));
        is_known
            || self.may_share_pipes_with(holder)
                && self.pipes.iter().any(|pipe| holder.pipes.contains(pipe))
    }

    /// Returns whether the numbers of pipes mean the same for both, because they run under one
    /// kernel. If that is unknown, the names of the hosts are compared.
    fn may_share_pipes_with(&self, holder: &Holder) -> bool {
        let boot = |process: &Process| process.birth.map(|birth| birth.boot);
        match (self.ancestors.iter().find_map(boot), boot(&holder.process)) {
            (Some(ours), Some(its)) => ours == its,
            _ => self.host == holder.host,
        }
    }

    /// Parses the output of [`fmt::Display`].
    pub fn parse(text: &str) -> Option<Lineage> {
        let mut lineage = Lineage {
            host: String::new(),
            ancestors: Vec::new(),
            pipes: Vec::new(),
            is_complete: false,
            is_nested: true,
        };
        for line in text.strip_suffix('\n')?.split('\n') {
            match line.split_once(' ')? {
                ("host", host) => host.clone_into(&mut lineage.host),
                ("ancestor", process) => lineage.ancestors.push(Process::parse(process)?),
                ("pipe", pipe) => lineage.pipes.push(Pipe::parse(pipe)?),
                _ => return None,
            }
        }
        Some(lineage)
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "host {}", self.host)?;
        self.ancestors.iter().try_for_each(|process| writeln!(f, "ancestor {process}"))?;
        self.pipes.iter().try_for_each(|pipe| writeln!(f, "pipe {pipe}"))
    }
}

/// Returns the name of this host, as far as it is a plain word; empty if unknown.
pub fn host() -> String {
    const LONGEST: usize = 64;
    let name = system::host().unwrap_or_default();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    name.chars().take_while(is_plain).take(LONGEST).collect()
}

#[cfg(target_os = "linux")]
mod system {
    use super::{Birth, DEPTH, Process};
    use crate::system::procfs::Stat;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::sync::OnceLock;

    /// Returns where and when this process started.
    pub fn own_birth() -> Option<Birth> {
        static OWN: OnceLock<Option<Birth>> = OnceLock::new();
        *OWN.get_or_init(|| {
            let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
            let boot = u128::from_str_radix(&boot.trim_end().replace('-', ""), 16).ok()?;
            let started = Stat::of("self")?.started;
            Some(Birth { boot, namespace: namespace("self")?, started })
        })
    }

    /// Returns the name of this host.
    pub fn host() -> Option<String> {
        fs::read_to_string("/proc/sys/kernel/hostname").ok()
    }

    /// Returns a process of this namespace, or `None` if `/proc` is not that of this namespace or
    /// there is no such process.
    pub fn stat(pid: u32) -> Option<Stat> {
        let is_our_numbering = Stat::of("self")?.pid == std::process::id();
        is_our_numbering.then(|| Stat::of(&pid.to_string())).flatten()
    }

    /// Returns the ancestors of this process, the nearest first, and whether these are all of this
    /// PID namespace. An ancestor that cannot be inspected is another user's, and holds no lock of
    /// a store of ours.
    pub fn ancestors() -> (Vec<Process>, bool) {
        let mut found = Vec::new();
        let (Some(own), Some(birth)) = (Stat::of("self"), own_birth()) else {
            return (found, false);
        };
        let is_our_numbering = own.pid == std::process::id();
        let mut at = own.parent;
        while at != 0 && found.len() < DEPTH {
            let name = at.to_string();
            let Some(stat) = Stat::of(&name) else { return (found, false) };
            if let Some(namespace) = namespace(&name) {
                let birth = Birth { namespace, started: stat.started, ..birth };
                let is_numbered_so = is_our_numbering && Some(namespace) == self::namespace("self");
                let pid = if is_numbered_so { Some(at) } else { innermost(&name) };
                found.extend(pid.map(|pid| Process { pid, birth: Some(birth) }));
            }
            at = stat.parent;
        }
        (found, true)
    }

    /// Returns whether an ancestor that can be inspected runs the same file as this process.
    pub fn descends_from_this_executable() -> bool {
        let file = |pid: &str| {
            let stat = rustix::fs::stat(format!("/proc/{pid}/exe")).ok()?;
            Some((stat.st_dev, stat.st_ino))
        };
        let Some(own) = file("self") else { return true };
        let mut at = Stat::of("self").map_or(0, |stat| stat.parent);
        for _ in 0..DEPTH {
            if at == 0 {
                break;
            }
            if file(&at.to_string()) == Some(own) {
                return true;
            }
            at = Stat::of(&at.to_string()).map_or(0, |stat| stat.parent);
        }
        false
    }

    /// Returns the PID namespace of a process.
    fn namespace(pid: &str) -> Option<u64> {
        let link = fs::read_link(format!("/proc/{pid}/ns/pid")).ok()?;
        let text = std::str::from_utf8(link.as_os_str().as_bytes()).ok()?;
        text.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok()
    }

    /// Returns the PID of a process in its own namespace.
    fn innermost(pid: &str) -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
        line.split_ascii_whitespace().next_back()?.parse().ok()
    }
}

/// Other systems have no PID namespaces, and report the start time of a process only by an unsafe
/// call. There, the host and the PID have to do.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Birth, DEPTH, Process};
    use crate::system::procfs::Stat;
    use std::sync::OnceLock;

    /// Returns where this process started.
    pub fn own_birth() -> Option<Birth> {
        let name = blake3::hash(host()?.as_bytes());
        let boot = u128::from_le_bytes(*name.as_bytes().first_chunk()?);
        Some(Birth { boot, namespace: 0, started: 0 })
    }

    /// Returns the name of this host.
    pub fn host() -> Option<String> {
        static OWN: OnceLock<Option<String>> = OnceLock::new();
        OWN.get_or_init(|| said_by("uname", &["-n"])).clone()
    }

    /// Returns the state of a process.
    pub fn stat(pid: u32) -> Option<Stat> {
        let state = *ask(pid, "state=")?.as_bytes().first()?;
        Some(Stat { pid, state, ..Stat::default() })
    }

    /// Returns the ancestors of this process, the nearest first, and whether these are all.
    pub fn ancestors() -> (Vec<Process>, bool) {
        let mut found = Vec::new();
        let mut at = std::process::id();
        while found.len() < DEPTH {
            let Some(parent) = ask(at, "ppid=").and_then(|text| text.parse().ok()) else {
                return (found, false);
            };
            if parent == 0 {
                break;
            }
            found.push(Process { pid: parent, birth: own_birth() });
            at = parent;
        }
        (found, true)
    }

    /// Returns whether an ancestor may run the same file as this process.
    pub fn descends_from_this_executable() -> bool {
        true
    }

    fn ask(pid: u32, what: &str) -> Option<String> {
        said_by("ps", &["-o", what, "-p", &pid.to_string()])
    }

    fn said_by(program: &str, args: &[&str]) -> Option<String> {
        let output = std::process::Command::new(program).args(args).output().ok()?;
        Some(std::str::from_utf8(&output.stdout).ok()?.trim().to_owned())
    }
}

#[cfg(test)]
mod tests;
