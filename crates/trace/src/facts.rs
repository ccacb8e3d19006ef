//! Facts: the state of a canonical path, as far as a run could observe it.
//!
//! A [`Value`] depends only on the path, the class and the state of that path, not on how a run
//! reached it. Links are never followed. Whether a path still leads to the same place is covered by
//! the facts about the folders on the way, so facts are meaningful only as a set.

mod disk;

pub use disk::Status;
pub(crate) use disk::{Names, has_stamp};
use disk::{attributes, hash_file};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::LazyLock;

/// The aspect of a path that a fact describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Class {
    /// The file type, or absence. Used for folders on the way, and for missing paths.
    Kind = 0,
    /// The target of a link.
    Link = 1,
    /// The file type, mode, owners and content; without the content for a folder.
    Contents = 2,
    /// The file type, mode and owners; for a file also the size and modification time.
    Stat = 3,
    /// Like `Stat`, without the time.
    Size = 4,
    /// Everything visible without reading the content, except the access time: also the inode
    /// number, and the time of a folder.
    Details = 5,
    /// The file type, mode and owners.
    Access = 6,
    /// The names in a folder, and their types.
    Listing = 7,
    /// The file type and the extended attributes.
    Attributes = 8,
    /// The file type, mode and owners, unless an output may replace the state: nothing, or a file
    /// like one newly created here.
    NewFile = 9,
    /// Like `NewFile`, for an executable output.
    NewProgram = 10,
}

impl Class {
    /// All classes, in the order of their numbers.
    pub const ALL: [Class; 11] = [
        Class::Kind,
        Class::Link,
        Class::Contents,
        Class::Stat,
        Class::Size,
        Class::Details,
        Class::Access,
        Class::Listing,
        Class::Attributes,
        Class::NewFile,
        Class::NewProgram,
    ];

    /// Returns the class's bit.
    pub fn bit(self) -> u16 {
        1 << self as u8
    }

    /// Returns a short name for messages: "content".
    pub fn name(self) -> &'static str {
        match self {
            Class::Kind => "kind",
            Class::Link => "target of the link",
            Class::Contents => "content",
            Class::Stat => "size or time",
            Class::Size => "size",
            Class::Details => "size, time or owner",
            Class::Access => "mode or owner",
            Class::Listing => "listing",
            Class::Attributes => "extended attributes",
            Class::NewFile | Class::NewProgram => "kind or mode",
        }
    }

    /// Returns whether a fact of class `other` determines a fact of this class.
    pub fn is_implied_by(self, other: Class) -> bool {
        use Class::{Access, Attributes, Contents, Details, Kind, Size, Stat};
        match self {
            Kind => matches!(other, Access | Size | Stat | Details | Contents | Attributes),
            Access => matches!(other, Size | Stat | Details | Contents),
            Size => matches!(other, Stat | Details | Contents),
            Stat => matches!(other, Details),
            _ => false,
        }
    }
}

/// A fact on which a run depends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The canonical, absolute path.
    pub path: Vec<u8>,
    /// The aspect of the path.
    pub class: Class,
    /// The value before the run changed it.
    pub value: Value,
    /// The stamp that proves that the value is unchanged. None if only a look can tell, or the run
    /// itself has replaced the file.
    pub stamp: Option<Stamp>,
}

/// The value of a fact. Values are equal if the states that they describe are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Value(pub [u8; 32]);

/// The first byte of a value, which determines the format of the rest.
mod tag {
    pub const ABSENT: u8 = 1;
    pub const ERROR: u8 = 2;
    pub const KIND: u8 = 3;
    pub const ACCESS: u8 = 4;
    pub const STAT: u8 = 5;
    pub const SIZE: u8 = 6;
    pub const HASH: u8 = 7;
    pub const REPLACEABLE: u8 = 8;
}

impl Value {
    /// The value of a missing path.
    pub const ABSENT: Value = {
        let mut bytes = [0; 32];
        bytes[0] = tag::ABSENT;
        Value(bytes)
    };

    /// The value of a missing path, or of a file that an output may replace.
    pub(crate) const REPLACEABLE: Value = {
        let mut bytes = [0; 32];
        bytes[0] = tag::REPLACEABLE;
        Value(bytes)
    };

    /// Returns whether the path is missing.
    pub fn is_absent(&self) -> bool {
        self.0[0] == tag::ABSENT
    }

    /// Returns whether the value only says that there is a folder.
    pub fn is_a_folder(&self) -> bool {
        self.0[..2] == [tag::KIND, kind_number(FileType::Directory)]
    }

    /// Returns whether the path could not be examined.
    pub fn is_error(&self) -> bool {
        self.0[0] == tag::ERROR
    }

    pub(crate) fn error(errno: Errno) -> Value {
        Value::new(tag::ERROR, &[&errno.raw_os_error().to_le_bytes()])
    }

    /// Returns the value for a file type alone.
    pub(crate) fn kind(status: &Status) -> Value {
        Value::new(tag::KIND, &[&[kind_number(status.kind())]])
    }

    /// Returns the value for a file type, mode and owners.
    pub(crate) fn access(status: &Status) -> Value {
        Value::new(tag::ACCESS, &[&access(status)])
    }

    /// Like [`Value::access`], with the size of a file or link.
    pub(crate) fn size(status: &Status) -> Value {
        if status.has_content() {
            Value::new(tag::SIZE, &[&access(status), &status.stamp.size.to_le_bytes()])
        } else {
            Value::access(status)
        }
    }

    /// Like [`Value::access`], with the size and modification time of a file or link.
    pub(crate) fn stat(status: &Status) -> Value {
        if status.has_content() {
            let Stamp { size, mtime, .. } = status.stamp;
            Value::new(tag::STAT, &[&access(status), &size.to_le_bytes(), &mtime.to_le_bytes()])
        } else {
            Value::access(status)
        }
    }

    pub(crate) fn details(status: &Status) -> Value {
        let Stamp { dev, ino, size, mtime, ctime, btime, mount: _ } = status.stamp;
        let owners = [status.uid, status.gid].map(u32::to_le_bytes).concat();
        let times = [mtime, ctime, btime].map(|time| time as u64);
        let [mtime, ctime, btime] = times;
        let numbers = [dev, ino, size, mtime, ctime, btime, status.links, status.rdev];
        let numbers = numbers.map(u64::to_le_bytes);
        Value::hash("details", &[&access(status), &owners, &numbers.concat()])
    }

    pub(crate) fn link(target: &[u8]) -> Value {
        Value::hash("link", &[target])
    }

    pub(crate) fn contents(status: &Status, hash: &[u8; 32]) -> Value {
        Value::hash("contents", &[&access(status), hash])
    }

    pub(crate) fn listing(names: &Names) -> Value {
        let mut bytes = Vec::new();
        for (name, kind) in &names.0 {
            bytes.extend((name.len() as u32).to_le_bytes());
            bytes.extend(name);
            bytes.push(*kind);
        }
        Value::hash("listing", &[&bytes])
    }

    fn new(tag: u8, parts: &[&[u8]]) -> Value {
        let mut bytes = [0; 32];
        bytes[0] = tag;
        let mut at = 1;
        for part in parts {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        Value(bytes)
    }

    fn hash(what: &str, parts: &[&[u8]]) -> Value {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[what.len() as u8]);
        hasher.update(what.as_bytes());
        for part in parts {
            hasher.update(part);
        }
        let mut bytes = *hasher.finalize().as_bytes();
        bytes[0] = tag::HASH;
        Value(bytes)
    }
}

impl fmt::Display for Value {
    /// Describes the value briefly: "absent", "a folder", "a file of 12 bytes".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |at: usize| -> [u8; 4] { self.0[at..at + 4].try_into().unwrap_or_default() };
        let kind = kind_name(self.0[1]);
        match self.0[0] {
            tag::ABSENT => f.write_str("absent"),
            tag::REPLACEABLE => f.write_str("absent, or an output"),
            tag::ERROR => {
                let errno = Errno::from_raw_os_error(i32::from_le_bytes(number(1)));
                write!(f, "{errno}")
            }
            tag::KIND => f.write_str(kind),
            tag::ACCESS => write!(f, "{kind} with mode {:o}", self.mode()),
            tag::STAT | tag::SIZE => {
                let size: [u8; 8] = self.0[12..20].try_into().unwrap_or_default();
                write!(
                    f,
                    "{kind} of {} bytes with mode {:o}",
                    u64::from_le_bytes(size),
                    self.mode()
                )
            }
            _ => write!(f, "{:02x}{:02x}{:02x}{:02x}", self.0[1], self.0[2], self.0[3], self.0[4]),
        }
    }
}

impl Value {
    fn mode(&self) -> u16 {
        u16::from_le_bytes([self.0[2], self.0[3]])
    }
}

/// A file's identity and times. A file with the same stamp is unchanged, unless it changed within
/// one tick of the file system's clock.
///
/// The mount belongs to it because two images of file systems may agree in all else, and be mounted
/// in turn on one device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The device number of the file system.
    pub dev: u64,
    /// The inode number.
    pub ino: u64,
    /// The size in bytes.
    pub size: u64,
    /// The modification time, in nanoseconds since 1970.
    pub mtime: i64,
    /// The status change time, in nanoseconds since 1970.
    pub ctime: i64,
    /// The creation time, in nanoseconds since 1970; 0 where the file system does not record it. It
    /// tells a new file apart from a removed one whose inode number it reuses.
    pub btime: i64,
    /// The mount, in this boot; 0 where the system does not tell.
    pub mount: u64,
}

impl Stamp {
    /// Returns the stamp of a path without following links; none if it cannot be examined.
    pub fn at(path: &[u8]) -> Option<Stamp> {
        Some(Status::at(path).ok()?.stamp)
    }

    /// Returns the stamp from a status, which lacks the creation time and the mount.
    #[allow(clippy::unnecessary_cast, reason = "the types are other systems'")]
    pub fn of(stat: &Stat) -> Stamp {
        Stamp {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            size: stat.st_size as u64,
            mtime: disk::nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            ctime: disk::nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            btime: 0,
            mount: 0,
        }
    }
}

/// The present state of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The value.
    pub value: Value,
    /// The stamp for a later comparison; none if the path always has to be examined again. The
    /// caller has to make sure that it is old enough.
    pub stamp: Option<Stamp>,
}

/// Returns the stamp of a folder, if it changes whenever a name in the folder is added, removed or
/// replaced. None if this is no folder, or its file system is not known to date such changes.
pub fn folder(path: &[u8]) -> Option<Stamp> {
    if !has_stamp(path) {
        return None;
    }
    let status = Status::at(path).ok().filter(Status::is_folder)?;
    disk::dates_names(path, &status).then_some(status.stamp)
}

/// The controlling terminal of the process that opens it.
pub(crate) const TERMINAL: &[u8] = b"/dev/tty";

/// Examines a path. Every state has a value. If the stamp equals the one in `known`, so does the
/// value.
pub fn look(path: &[u8], class: Class, known: Option<&(Stamp, Value)>) -> Look {
    let absent = Look { value: Value::ABSENT, stamp: None };
    let status = match Status::at(path) {
        Ok(status) => status,
        Err(Errno::NOENT | Errno::NOTDIR)
            if matches!(class, Class::NewFile | Class::NewProgram) =>
        {
            return Look { value: Value::REPLACEABLE, stamp: None };
        }
        // No path contains a null byte.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::INVAL) => return absent,
        Err(errno) => return Look { value: Value::error(errno), stamp: None },
    };
    let stamp = has_stamp(path).then_some(status.stamp);
    if let Some((was, value)) = known
        && Some(was) == stamp.as_ref()
    {
        return Look { value: *value, stamp };
    }
    let Ok(path) = CString::new(path) else { return absent };
    match value(&path, &status, class) {
        Ok(value) => Look { value, stamp },
        Err(errno) => Look { value: Value::error(errno), stamp: None },
    }
}

/// Computes the value for a path with this status.
pub(crate) fn value(path: &CStr, status: &Status, class: Class) -> Result<Value, Errno> {
    let kind = status.kind();
    Ok(match class {
        Class::Kind => Value::kind(status),
        Class::NewFile if status.is_like_new(0o666) => Value::REPLACEABLE,
        Class::NewProgram if status.is_like_new(0o777) => Value::REPLACEABLE,
        Class::Access | Class::NewFile | Class::NewProgram => Value::access(status),
        Class::Size => Value::size(status),
        Class::Stat => Value::stat(status),
        Class::Details => Value::details(status),
        Class::Link if kind != FileType::Symlink => Value::kind(status),
        Class::Link => Value::link(rustix::fs::readlink(path, Vec::new())?.to_bytes()),
        Class::Listing if kind != FileType::Directory => Value::kind(status),
        Class::Listing => Value::listing(&Names::of(path)?),
        Class::Contents if path.to_bytes() == TERMINAL => disk::terminal(path, status),
        Class::Contents if kind != FileType::RegularFile => Value::access(status),
        Class::Contents => Value::contents(status, &hash_file(path, status)?),
        Class::Attributes => attributes(path, status)?,
    })
}

pub(crate) fn kind_number(kind: FileType) -> u8 {
    match kind {
        FileType::RegularFile => 1,
        FileType::Directory => 2,
        FileType::Symlink => 3,
        FileType::Fifo => 4,
        FileType::Socket => 5,
        FileType::CharacterDevice => 6,
        FileType::BlockDevice => 7,
        FileType::Unknown => 0,
    }
}

fn kind_name(kind: u8) -> &'static str {
    ["something", "a file", "a folder", "a link", "a FIFO", "a socket", "a device", "a device"]
        .get(usize::from(kind))
        .unwrap_or(&"something")
}

/// The effective user and group of this process.
static CALLER: LazyLock<(u32, u32)> =
    LazyLock::new(|| (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()));

/// Encodes the file type, mode and owners in 11 bytes. The caller's own ids are encoded alike on
/// every machine.
fn access(status: &Status) -> [u8; 11] {
    const OWN: u32 = u32::MAX;
    let own = |is_own: bool, id: u32| if is_own { OWN } else { id };
    let uid = own(status.uid == CALLER.0, status.uid);
    let gid = own(status.gid == CALLER.1, status.gid);
    let mut bytes = [0; 11];
    bytes[0] = kind_number(status.kind());
    bytes[1..3].copy_from_slice(&((status.mode & 0o7777) as u16).to_le_bytes());
    bytes[3..7].copy_from_slice(&uid.to_le_bytes());
    bytes[7..].copy_from_slice(&gid.to_le_bytes());
    bytes
}
