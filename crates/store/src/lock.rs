//! Locks on files (`flock`): released by the kernel when their holder dies.
//!
//! | lock | held | by |
//! |---|---|---|
//! | `locks/KEY` | while the command runs | `run --no-concurrent` |
//! | `locks/KEY.N` | the same, while those before it are held by who does not get on | whoever gave up waiting for them |
//! | `locks/KEY.row`, `locks/KEY.N.row` | shared: while one waits for that lock and does not follow its holder | whoever waits |
//! | `locks/KEY.refresh` | while a command runs in the background | whoever refreshes |
//! | `locks/fold` | for a whole fold, a `forget`, a `clear`, a `doctor`, an import, a promotion | whoever changes what the store holds below the young files, or puts blobs before their entries |
//! | `locks/old` | for one short open…drop of sled | whoever opens it |
//! | `locks/publish` | shared: while a record appears; exclusive: while files are unlinked, or replaced only if they are earlier | recorders; fold, import |
//!
//! They are taken in this order, and a later one is never held while an
//! earlier one is waited for. Lock files of keys are unlinked by the fold when
//! nobody holds them, so whoever got a lock checks that its file is still the
//! one of that name.
//!
//! Who holds `locks/KEY` writes into it, line by line as it comes to know, for those who
//! wait: see [`Signature`]. A signature may be one of who is dead; the lock alone says
//! who holds it.

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

/// Covers a whole fold and every change that must not meet one.
pub const FOLD: &str = "locks/fold";
/// Covers an open sled database.
pub const OLD: &str = "locks/old";
/// Covers the appearance and the removal of young files and blobs.
pub const PUBLISH: &str = "locks/publish";

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    file: Locked,
    /// Its name, if it is known.
    name: PathBuf,
    /// How long the signature is.
    signed: AtomicU64,
}

/// A file that is locked until this is dropped.
///
/// The lock of a file that is closed stays with a child that was forked meanwhile, which has
/// the file open, too, and may live for long. So a program that uses the library releases it
/// by name. cachex itself does not fork so, and hands locks on with their files.
#[derive(Debug)]
pub struct Locked(OwnedFd, Option<u32>);

impl Locked {
    /// A file that this process has locked.
    pub fn new(file: OwnedFd) -> Locked {
        Locked(file, (!ipc::is_cachex()).then(forked::generation))
    }

    /// It.
    pub fn file(&self) -> &OwnedFd {
        &self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // What a child has of its parent is not its own to release.
        if self.1.is_some_and(|by| by == forked::generation()) {
            let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
        }
    }
}

/// How a lock is shared, and whether one waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Alone; waits.
    Exclusive,
    /// With others who share; waits.
    Shared,
    /// Alone; gives up at once.
    TryExclusive,
}

impl Lock {
    /// Takes the lock of this name. None: somebody holds it and `mode` does not wait.
    pub fn take(
        at: impl AsFd,
        name: impl AsRef<Path>,
        mode: Mode,
    ) -> rustix::io::Result<Option<Lock>> {
        let operation = match mode {
            Mode::Exclusive => FlockOperation::LockExclusive,
            Mode::Shared => FlockOperation::LockShared,
            Mode::TryExclusive => FlockOperation::NonBlockingLockExclusive,
        };
        loop {
            let file = fsutil::create_file(&at, &name, OFlags::RDWR)?;
            failpoint::at("flock")?;
            match fsutil::persistently(|| rustix::fs::flock(&file, operation)) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(errno) => return Err(errno),
            }
            let named = fsutil::stat(&at, &name)?;
            if named.is_some_and(|named| {
                rustix::fs::fstat(&file).is_ok_and(|held| fsutil::same_file(&named, &held))
            }) {
                let name = name.as_ref().to_owned();
                return Ok(Some(Lock { name, ..Lock::held_by(file) }));
            }
        }
    }

    /// Takes the lock of this name, waiting for it.
    pub fn wait(at: impl AsFd, name: impl AsRef<Path>, mode: Mode) -> rustix::io::Result<Lock> {
        Lock::take(at, name, mode)?.ok_or(Errno::WOULDBLOCK)
    }

    /// What holds the lock as long as it, or a copy of it in another process, is open.
    pub fn file(&self) -> &OwnedFd {
        self.file.file()
    }

    /// The lock that an open file holds.
    pub fn held_by(file: OwnedFd) -> Lock {
        Lock { file: Locked::new(file), name: PathBuf::new(), signed: AtomicU64::new(0) }
    }

    /// The lock of this name that an open file holds.
    pub fn held_as(name: PathBuf, file: OwnedFd) -> Lock {
        Lock { name, ..Lock::held_by(file) }
    }

    /// Whether somebody waits for it who does not follow the holder's run yet, see [`row`].
    pub fn is_awaited(&self, at: impl AsFd) -> bool {
        fsutil::open_file(at, row(&self.name)).is_ok_and(|row| {
            let alone = rustix::fs::flock(&row, FlockOperation::NonBlockingLockExclusive);
            alone == Err(Errno::WOULDBLOCK)
        })
    }

    /// What the last holder wrote. To be called before [`Lock::sign`].
    pub fn left_behind(&self) -> Option<Signature> {
        let mut text = [0; SIGNATURE];
        let len = fsutil::retry(|| rustix::io::pread(self.file(), &mut text, 0)).ok()?;
        Signature::parse(&text[..len])
    }

    /// Writes down who holds the lock, for those who wait.
    pub fn sign(&self) {
        let turn = self.left_behind().map_or(0, |before| before.turn).wrapping_add(1);
        let _ = rustix::fs::ftruncate(self.file(), 0);
        self.signed.store(0, Ordering::Relaxed);
        let process = Process::this();
        let pid = process.pid;
        // The number first, and alone: earlier versions read that.
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

    /// Adds where the holder's output can be followed.
    pub fn publish(&self, files: &LiveFiles) -> rustix::io::Result<()> {
        self.add(&format!("live {files}\n"))
    }

    /// Adds that the output cannot be followed any more, and will not be recorded.
    pub fn drop_output(&self) {
        let _ = self.add("dropped output\n");
    }

    /// Adds how the holder's run ended, which printed nothing.
    pub fn conclude(&self, end: &End) {
        let _ = self.add(&format!("ended {end}\n"));
    }

    /// All of it at once. A reader who comes too early finds a line without an end.
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

/// The name of a key's lock.
pub fn of_key(key: &cachex_base::record::entry::Key) -> PathBuf {
    beside(key, 0)
}

/// The name of a key's lock among those who gave up waiting for the holders of so many
/// before it: they wait for one of themselves.
pub fn beside(key: &cachex_base::record::entry::Key, given_up: u32) -> PathBuf {
    match given_up {
        0 => PathBuf::from(format!("locks/{key}")),
        _ => PathBuf::from(format!("locks/{key}.{given_up}")),
    }
}

/// The name of the file beside a lock that those share a lock on who wait for it and do not
/// follow the holder's run yet: by that the holder knows of them.
pub fn row(name: &Path) -> PathBuf {
    let mut row = name.as_os_str().to_owned();
    row.push(".row");
    PathBuf::from(row)
}

/// The name of the lock of who refreshes a key's entry.
pub fn of_refresh(key: &cachex_base::record::entry::Key) -> PathBuf {
    PathBuf::from(format!("locks/{key}.refresh"))
}

/// The name of the mark of a script that calls cachex with its own name. It is kept and
/// removed as an unused lock.
pub fn of_shim(script: &cachex_base::record::entry::Key) -> PathBuf {
    PathBuf::from(format!("locks/{script}.shim"))
}

/// Whether a file of this name below `locks/` is one key's lock.
pub fn is_of_a_key(name: &[u8]) -> bool {
    let (key, rest) = name.split_at(name.iter().position(|&b| b == b'.').unwrap_or(name.len()));
    let rest = rest.strip_suffix(b".row").unwrap_or(rest);
    let is_number = |rest: &[u8]| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit);
    cachex_base::record::entry::Key::from_hex(key).is_some()
        && (rest.is_empty() || rest == b".refresh" || rest == b".shim" || is_number(&rest[1..]))
}

/// What a holder wrote into its lock.
///
/// The first line is its PID. Then come lines of a word and what belongs to it:
///
/// ```text
/// process PID BOOT NAMESPACE START   see `cachex_base::process::lineage`
/// host NAME
/// turn NUMBER                        how many had the lock, this one included
/// pipe DEVICE:INODE                  what its command writes to
/// dropped output                     once nobody can follow that any more, nor is it recorded
/// live DATA INDEX                    once the command prints something, see `store::live`
/// ended HOW                          once a run is over that printed and recorded nothing
/// ```
///
/// Lines that one does not know are those of a later version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Who it is.
    pub holder: Holder,
    /// How many had the lock, this one included.
    pub turn: u64,
    /// Where its output can be followed.
    pub live: Option<LiveFiles>,
    /// Its output can neither be followed any more, nor will it be recorded.
    pub is_dropped: bool,
    /// How its run ended.
    pub end: Option<End>,
}

impl Signature {
    /// Reads what is there, as far as it may be believed.
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

    /// The first turn that is waited for by who comes now.
    pub fn awaited_turn(&self) -> u64 {
        self.turn.saturating_add(u64::from(self.end.is_some()))
    }

    /// Whether both are of one turn.
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

/// The names of the two files by which a run can be followed, in `tmp/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFiles {
    /// What it prints.
    pub data: PathBuf,
    /// How much of that there is, and whose.
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

/// How a run ended that came to its own end, whether or not it is recorded: those who
/// waited for it end alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// How the command ended.
    pub how: EndedBy,
    /// How far it read its standard input, where that can be told.
    pub stdin_consumed: Option<u64>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// It exited, with this status.
    Status(u8),
    /// A signal ended it that was not meant for who ran it.
    Signal(u8),
    /// It took longer than it was allowed to.
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

/// Longer than any signature is.
const SIGNATURE: usize = 1024;

/// What is written in the lock of this name.
pub fn signature(at: BorrowedFd<'_>, name: &Path) -> Option<Signature> {
    let mut text = [0; SIGNATURE];
    let file = fsutil::open_file(at, name).ok()?;
    let len = fsutil::read_full(file, &mut text).ok()?;
    Signature::parse(&text[..len])
}
