//! Locks on files (`flock`): released by the kernel when their holder dies.
//!
//! | lock | held | by |
//! |---|---|---|
//! | `locks/KEY` | while the command runs | `run --no-concurrent` |
//! | `locks/KEY.N` | likewise, while the holders of the earlier ones make no progress | whoever gave up waiting for them |
//! | `locks/KEY.row`, `locks/KEY.N.row` | shared: while waiting for that lock without following its holder | waiting processes |
//! | `locks/KEY.refresh` | while a command runs in the background | background refreshes |
//! | `locks/fold` | for a whole fold, a `forget`, a `clear`, a `doctor`, an import, a promotion | whoever changes anything below the young files, or adds blobs before their entries |
//! | `locks/old` | for one short open…drop of sled | whoever opens it |
//! | `locks/publish` | shared: while a record appears; exclusive: while files are unlinked, or replaced only if they are earlier | recorders; fold, import |
//!
//! Locks are taken in this order, and a later one is never held while waiting for an earlier one.
//! The fold unlinks unused lock files of keys, so whoever gets a lock checks that its file still
//! has that name.
//!
//! The holder of `locks/KEY` writes information for waiting processes into it as it becomes known,
//! see [`Signature`]. A signature may be left from a dead process; only the lock itself says who
//! holds it.

mod holders;
mod waiting;

pub use holders::of as holders_of;
pub use waiting::{HeldBy, listen, tell};

use cachex_base::process::forked;
use cachex_base::process::ipc;
use cachex_base::process::lineage::{self, Holder, Pipe, Process};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Covers a whole fold and every change that must not run during one.
pub const FOLD: &str = "locks/fold";
/// Covers an open sled database.
pub const OLD: &str = "locks/old";
/// Covers the appearance and removal of young files and blobs.
pub const PUBLISH: &str = "locks/publish";

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    file: Locked,
    /// Its name, if known.
    name: PathBuf,
    /// The length of the signature written so far.
    signed: AtomicU64,
}

/// A file that is locked until this is dropped.
///
/// When a locked file is closed, a child that was forked meanwhile still has it open, and may keep
/// the lock for long. Programs that use the library therefore unlock explicitly. cachex itself does
/// not fork like this, and hands locks on with their files.
#[derive(Debug)]
pub struct Locked(OwnedFd, Option<u32>);

impl Locked {
    /// Wraps a file that this process has locked.
    pub fn new(file: OwnedFd) -> Locked {
        Locked(file, (!ipc::is_cachex()).then(forked::generation))
    }

    /// Returns the file.
    pub fn file(&self) -> &OwnedFd {
        &self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // A child must not release a lock inherited from its parent.
        if self.1.is_some_and(|by| by == forked::generation()) {
            let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
        }
    }
}

/// The sharing mode of a lock, and whether to wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Exclusive; waits.
    Exclusive,
    /// Shared; waits.
    Shared,
    /// Exclusive; gives up at once.
    TryExclusive,
    /// Shared; gives up at once.
    TryShared,
}

impl Mode {
    fn operation(self) -> FlockOperation {
        match self {
            Mode::Exclusive => FlockOperation::LockExclusive,
            Mode::Shared => FlockOperation::LockShared,
            Mode::TryExclusive => FlockOperation::NonBlockingLockExclusive,
            Mode::TryShared => FlockOperation::NonBlockingLockShared,
        }
    }

    fn at_once(self) -> Mode {
        match self {
            Mode::Exclusive | Mode::TryExclusive => Mode::TryExclusive,
            Mode::Shared | Mode::TryShared => Mode::TryShared,
        }
    }
}

impl Lock {
    /// Takes the lock of this name. Returns `None` if it is held and `mode` does not wait.
    pub fn take(
        at: impl AsFd,
        name: impl AsRef<Path>,
        mode: Mode,
    ) -> rustix::io::Result<Option<Lock>> {
        loop {
            let file = fsutil::create_file(&at, &name, OFlags::RDWR)?;
            failpoint::at("flock")?;
            match fsutil::persistently(|| rustix::fs::flock(&file, mode.operation())) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(errno) => return Err(errno),
            }
            if let Some(lock) = Lock::named(&at, name.as_ref(), file)? {
                return Ok(Some(lock));
            }
        }
    }

    /// Wraps a locked file, unless the file of this name is another one by now.
    fn named(at: impl AsFd, name: &Path, file: OwnedFd) -> rustix::io::Result<Option<Lock>> {
        let named = fsutil::stat(at, name)?;
        let is_it = named.is_some_and(|named| {
            rustix::fs::fstat(&file).is_ok_and(|held| fsutil::same_file(&named, &held))
        });
        Ok(is_it.then(|| Lock::held_as(name.to_owned(), file)))
    }

    /// Returns the file that holds the lock as long as it, or a copy of it in another process, is
    /// open.
    pub fn file(&self) -> &OwnedFd {
        self.file.file()
    }

    /// Wraps an open file that holds a lock.
    pub fn held_by(file: OwnedFd) -> Lock {
        Lock { file: Locked::new(file), name: PathBuf::new(), signed: AtomicU64::new(0) }
    }

    /// Wraps an open file that holds the lock of this name.
    pub fn held_as(name: PathBuf, file: OwnedFd) -> Lock {
        Lock { name, ..Lock::held_by(file) }
    }

    /// Returns whether a process waits for it without following the holder's run yet, see [`row`].
    pub fn is_awaited(&self, at: impl AsFd) -> bool {
        fsutil::open_file(at, row(&self.name)).is_ok_and(|row| {
            let alone = rustix::fs::flock(&row, FlockOperation::NonBlockingLockExclusive);
            alone == Err(Errno::WOULDBLOCK)
        })
    }

    /// Returns the signature of the last holder. Call this before [`Lock::sign`].
    pub fn left_behind(&self) -> Option<Signature> {
        let mut text = [0; SIGNATURE];
        let len = fsutil::retry(|| rustix::io::pread(self.file(), &mut text, 0)).ok()?;
        Signature::parse(&text[..len])
    }

    /// Writes the holder's signature, for waiting processes.
    pub fn sign(&self) {
        let turn = self.left_behind().map_or(0, |before| before.turn).wrapping_add(1);
        let _ = rustix::fs::ftruncate(self.file(), 0);
        self.signed.store(0, Ordering::Relaxed);
        let process = Process::this();
        let pid = process.pid;
        // The PID comes first on a line of its own: earlier versions read only that.
        let _ =
            self.add(&format!("{pid}\nprocess {process}\nhost {}\nturn {turn}\n", lineage::host()));
    }

    /// Adds the pipes that the holder's command writes to.
    pub fn add_pipes(&self, pipes: impl IntoIterator<Item = Pipe>) {
        let mut lines = String::new();
        for pipe in pipes {
            let _ = writeln!(lines, "pipe {pipe}");
        }
        if !lines.is_empty() {
            let _ = self.add(&lines);
        }
    }

    /// Adds the files through which the holder's output can be followed.
    pub fn publish(&self, files: &LiveFiles) -> rustix::io::Result<()> {
        self.add(&format!("live {files}\n"))
    }

    /// Adds that the output can no longer be followed and will not be recorded.
    pub fn drop_output(&self) {
        let _ = self.add("dropped output\n");
    }

    /// Adds how the holder's run ended, which printed nothing.
    pub fn conclude(&self, end: &End) {
        let _ = self.add(&format!("ended {end}\n"));
    }

    /// Appends lines in one write. A reader that comes too early finds an incomplete last line.
    fn add(&self, lines: &str) -> rustix::io::Result<()> {
        failpoint::at("write")?;
        let at = self.signed.load(Ordering::Relaxed);
        match rustix::io::pwrite(self.file(), lines.as_bytes(), at)? {
            written if written == lines.len() => {
                self.signed.store(at + written as u64, Ordering::Relaxed);
                Ok(())
            }
            _ => Err(Errno::NOSPC),
        }
    }
}

/// Returns the name of a key's lock.
pub fn of_key(key: &cachex_base::record::entry::Key) -> PathBuf {
    beside(key, 0)
}

/// Returns the name of a key's lock for processes that gave up waiting for the holders of
/// `given_up` locks before it. These wait for one of themselves.
pub fn beside(key: &cachex_base::record::entry::Key, given_up: u32) -> PathBuf {
    match given_up {
        0 => PathBuf::from(format!("locks/{key}")),
        _ => PathBuf::from(format!("locks/{key}.{given_up}")),
    }
}

/// Returns the name of the file beside a lock that waiting processes share a lock on while they do
/// not follow the holder's run yet. It shows the holder that they exist.
pub fn row(name: &Path) -> PathBuf {
    let mut row = name.as_os_str().to_owned();
    row.push(".row");
    PathBuf::from(row)
}

/// Returns the name of the lock held while a key's entry is refreshed.
pub fn of_refresh(key: &cachex_base::record::entry::Key) -> PathBuf {
    PathBuf::from(format!("locks/{key}.refresh"))
}

/// Returns the name of the mark of a script that calls cachex with its own name. It is kept and
/// removed like an unused lock.
pub fn of_shim(script: &cachex_base::record::entry::Key) -> PathBuf {
    PathBuf::from(format!("locks/{script}.shim"))
}

/// Returns whether a file of this name below `locks/` is a key's lock.
pub fn is_of_a_key(name: &[u8]) -> bool {
    let (key, rest) = name.split_at(name.iter().position(|&b| b == b'.').unwrap_or(name.len()));
    let rest = rest.strip_suffix(b".row").unwrap_or(rest);
    let is_number = |rest: &[u8]| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit);
    cachex_base::record::entry::Key::from_hex(key).is_some()
        && (rest.is_empty() || rest == b".refresh" || rest == b".shim" || is_number(&rest[1..]))
}

/// The signature that a holder writes into its lock.
///
/// The first line is its PID. Each further line is a keyword and its value:
///
/// ```text
/// process PID BOOT NAMESPACE START   see `cachex_base::process::lineage`
/// host NAME
/// turn NUMBER                        the number of holders so far, including this one
/// pipe DEVICE:INODE                  a pipe that its command writes to
/// dropped output                     the output can no longer be followed and will not be recorded
/// live DATA INDEX                    once the command prints something, see `store::live`
/// ended HOW                          at the end of a run that printed and recorded nothing
/// ```
///
/// Unknown lines are from a later version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The process that holds the lock.
    pub holder: Holder,
    /// The number of holders so far, including this one.
    pub turn: u64,
    /// The files through which its output can be followed.
    pub live: Option<LiveFiles>,
    /// True if its output can no longer be followed and will not be recorded.
    pub is_dropped: bool,
    /// The end of its run.
    pub end: Option<End>,
}

impl Signature {
    /// Parses a signature, as far as it is complete and valid.
    pub fn parse(text: &[u8]) -> Option<Signature> {
        let whole = text.iter().rposition(|&byte| byte == b'\n')?;
        let mut lines = std::str::from_utf8(&text[..whole]).ok()?.split('\n');
        let pid = lines.next()?.parse().ok()?;
        let process = Process::numbered(pid);
        let holder = Holder { process, host: String::new(), pipes: Vec::new() };
        let mut signature = Signature { holder, turn: 0, live: None, is_dropped: false, end: None };
        for line in lines {
            let Some((word, rest)) = line.split_once(' ') else { continue };
            match word {
                "process" => signature.holder.process = Process::parse(rest)?,
                "host" => rest.clone_into(&mut signature.holder.host),
                "turn" => signature.turn = rest.parse().ok()?,
                "pipe" => signature.holder.pipes.push(Pipe::parse(rest)?),
                "live" => signature.live = Some(LiveFiles::parse(rest)?),
                "dropped" => signature.is_dropped = true,
                "ended" => signature.end = Some(End::parse(rest)?),
                _ => {}
            }
        }
        (signature.holder.process.pid == pid).then_some(signature)
    }

    /// Returns the first turn that a new process waits for.
    pub fn awaited_turn(&self) -> u64 {
        self.turn.saturating_add(u64::from(self.end.is_some()))
    }

    /// Returns whether both signatures are from the same turn.
    pub fn is_of_the_same_turn(&self, other: &Signature) -> bool {
        (self.turn, self.holder.process) == (other.turn, other.holder.process)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder { process, host, pipes } = &self.holder;
        writeln!(f, "{}\nprocess {process}\nhost {host}\nturn {}", process.pid, self.turn)?;
        pipes.iter().try_for_each(|pipe| writeln!(f, "pipe {pipe}"))?;
        self.live.iter().try_for_each(|live| writeln!(f, "live {live}"))?;
        if self.is_dropped {
            writeln!(f, "dropped output")?;
        }
        self.end.iter().try_for_each(|end| writeln!(f, "ended {end}"))
    }
}

/// The names of the two files in `tmp/` by which a run can be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFiles {
    /// The file with its output.
    pub data: PathBuf,
    /// The file that says how much output there is, and of which stream.
    pub index: PathBuf,
}

impl LiveFiles {
    fn parse(text: &str) -> Option<LiveFiles> {
        let (data, index) = text.split_once(' ')?;
        let temporary = |name: &str| {
            let plain = |name: &&str| name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
            name.strip_prefix("tmp/").filter(plain).map(|_| PathBuf::from(name))
        };
        Some(LiveFiles { data: temporary(data)?, index: temporary(index)? })
    }
}

impl fmt::Display for LiveFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.data.display(), self.index.display())
    }
}

/// The end of a run that was not interrupted, whether or not it is recorded. Waiting processes end
/// the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The way the command ended.
    pub how: EndedBy,
    /// The number of bytes it read from its standard input, if known.
    pub stdin_consumed: Option<u64>,
}

/// The way a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The command exited with this status.
    Status(u8),
    /// A signal ended the command, one not meant for the process that ran it.
    Signal(u8),
    /// The command exceeded this time limit.
    TimeLimit(Duration),
}

impl End {
    fn parse(text: &str) -> Option<End> {
        let (how, rest) = text.split_once(' ')?;
        let (number, consumed) = rest.split_once(' ')?;
        let how = match how {
            "status" => EndedBy::Status(number.parse().ok()?),
            "signal" => EndedBy::Signal(number.parse().ok()?),
            "limit" => EndedBy::TimeLimit(Duration::from_nanos(number.parse().ok()?)),
            _ => return None,
        };
        let stdin_consumed = match consumed {
            "-" => None,
            number => Some(number.parse().ok()?),
        };
        Some(End { how, stdin_consumed })
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            EndedBy::Status(status) => write!(f, "status {status}")?,
            EndedBy::Signal(signal) => write!(f, "signal {signal}")?,
            EndedBy::TimeLimit(limit) => {
                write!(f, "limit {}", cachex_base::system::clock::nanos(limit))?;
            }
        }
        match self.stdin_consumed {
            Some(consumed) => write!(f, " {consumed}"),
            None => f.write_str(" -"),
        }
    }
}

/// The buffer size for a signature; no signature is longer.
const SIGNATURE: usize = 1024;

/// Reads the signature in the lock of this name.
pub fn signature(at: BorrowedFd<'_>, name: &Path) -> Option<Signature> {
    let mut text = [0; SIGNATURE];
    let file = fsutil::open_file(at, name).ok()?;
    let len = fsutil::read_full(file, &mut text).ok()?;
    Signature::parse(&text[..len])
}
