//! Facts: what there was at a canonical path, as far as a run could tell.
//!
//! A [`Value`] depends on nothing but the path, the class and what lies there: not on how
//! a run came to it. Links are never followed. That a path still leads to the same place is what
//! the facts about the folders on the way are for, so facts only hold together.

mod disk;

pub(crate) use disk::{Names, Status, has_stamp};
use disk::{attributes, hash_file};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::LazyLock;

/// What is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Class {
    /// What kind of thing it is, if there is anything: a folder on the way, or nothing.
    Kind = 0,
    /// Where a link leads.
    Link = 1,
    /// Its kind, mode, owners and content. Of a folder the first three.
    Contents = 2,
    /// Its kind, mode and owners; of a file size and modification time, too.
    Stat = 3,
    /// The same without the time.
    Size = 4,
    /// All that there is to see without reading it, but when it was read last: the number of
    /// its inode and the time of a folder, too.
    Details = 5,
    /// Its kind, mode and owners.
    Access = 6,
    /// The names in a folder, and their kinds.
    Listing = 7,
    /// Its kind, and its extended attributes.
    Attributes = 8,
    /// Whether there is something else than what a program may put its output in the place of:
    /// nothing, or a file like the ones that are made here.
    NewFile = 9,
    /// The same of an output that can be executed.
    NewProgram = 10,
}

impl Class {
    /// All of them, in the order of their numbers.
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

    /// A bit of its own.
    pub fn bit(self) -> u16 {
        1 << self as u8
    }

    /// In a word or two, for people: "content".
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

    /// Whether what is known by this class is known by `other`, too.
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

/// Something that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Canonical and absolute.
    pub path: Vec<u8>,
    /// What is known of it,
    pub class: Class,
    /// and what it was before the run changed it.
    pub value: Value,
    /// By which it is known to be so still; none if it cannot be known without looking,
    /// or is another thing by now, by the run's own doing.
    pub stamp: Option<Stamp>,
}

/// The value of a fact. Two are equal if what they are values of is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Value(pub [u8; 32]);

/// What the first byte of a value says about the rest.
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
    /// There is nothing.
    pub const ABSENT: Value = {
        let mut bytes = [0; 32];
        bytes[0] = tag::ABSENT;
        Value(bytes)
    };

    /// There is nothing, or what an output takes the place of.
    pub(crate) const REPLACEABLE: Value = {
        let mut bytes = [0; 32];
        bytes[0] = tag::REPLACEABLE;
        Value(bytes)
    };

    /// Whether there is nothing.
    pub fn is_absent(&self) -> bool {
        self.0[0] == tag::ABSENT
    }

    /// Whether it says no more than that there is a folder.
    pub fn is_a_folder(&self) -> bool {
        self.0[..2] == [tag::KIND, kind_number(FileType::Directory)]
    }

    /// Whether it could not be looked at.
    pub fn is_error(&self) -> bool {
        self.0[0] == tag::ERROR
    }

    pub(crate) fn error(errno: Errno) -> Value {
        Value::new(tag::ERROR, &[&errno.raw_os_error().to_le_bytes()])
    }

    /// The kind alone.
    pub(crate) fn kind(status: &Status) -> Value {
        Value::new(tag::KIND, &[&[kind_number(status.kind())]])
    }

    /// Kind, mode and owners.
    pub(crate) fn access(status: &Status) -> Value {
        Value::new(tag::ACCESS, &[&access(status)])
    }

    /// The same with the size of what has a content.
    pub(crate) fn size(status: &Status) -> Value {
        if status.has_content() {
            Value::new(tag::SIZE, &[&access(status), &status.stamp.size.to_le_bytes()])
        } else {
            Value::access(status)
        }
    }

    /// The same with the size and the time of what has a content.
    pub(crate) fn stat(status: &Status) -> Value {
        if status.has_content() {
            let Stamp { size, mtime, .. } = status.stamp;
            Value::new(tag::STAT, &[&access(status), &size.to_le_bytes(), &mtime.to_le_bytes()])
        } else {
            Value::access(status)
        }
    }

    pub(crate) fn details(status: &Status) -> Value {
        let Stamp { dev, ino, size, mtime, ctime, btime } = status.stamp;
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
    /// In a few words: "absent", "a folder", "a file of 12 bytes".
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

/// By which a thing is known to be unchanged, unless it changed within a tick of the file
/// system's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The file system,
    pub dev: u64,
    /// and the file in it.
    pub ino: u64,
    /// In bytes.
    pub size: u64,
    /// In nanoseconds since 1970.
    pub mtime: i64,
    /// The same of its status.
    pub ctime: i64,
    /// When it was made; 0 where the file system does not know. It tells what was made anew
    /// apart from its predecessor, whose number it may get.
    pub btime: i64,
}

impl Stamp {
    /// That of what lies at a path, which may be a link; none if it cannot be looked at.
    pub fn at(path: &[u8]) -> Option<Stamp> {
        Some(Status::at(path).ok()?.stamp)
    }

    /// That of what has this status, which does not tell when it was made.
    #[allow(clippy::unnecessary_cast, reason = "the types are other systems'")]
    pub fn of(stat: &Stat) -> Stamp {
        Stamp {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            size: stat.st_size as u64,
            mtime: disk::nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            ctime: disk::nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            btime: 0,
        }
    }
}

/// What lies at a path now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// What is known of it.
    pub value: Value,
    /// By which it may be known the next time; none if it has to be looked at again. It is
    /// for whoever keeps it to see that it is not too young.
    pub stamp: Option<Stamp>,
}

/// The stamp of a folder, if it tells of each name that comes there, goes or becomes another's;
/// none if it is no folder, or its file system is not known to date such changes.
pub fn folder(path: &[u8]) -> Option<Stamp> {
    if !has_stamp(path) {
        return None;
    }
    let status = Status::at(path).ok().filter(Status::is_folder)?;
    disk::dates_names(path, &status).then_some(status.stamp)
}

/// The controlling terminal of whoever opens it, if there is one.
pub(crate) const TERMINAL: &[u8] = b"/dev/tty";

/// Looks at a path. Whatever lies there has a value. If the stamp is the one that is `known`,
/// so is the value.
pub fn look(path: &[u8], class: Class, known: Option<&(Stamp, Value)>) -> Look {
    let absent = Look { value: Value::ABSENT, stamp: None };
    let status = match Status::at(path) {
        Ok(status) => status,
        Err(Errno::NOENT | Errno::NOTDIR)
            if matches!(class, Class::NewFile | Class::NewProgram) =>
        {
            return Look { value: Value::REPLACEABLE, stamp: None };
        }
        // No path has a zero in it.
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

/// The value of what has this status.
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

/// Who looks: user and group.
static CALLER: LazyLock<(u32, u32)> =
    LazyLock::new(|| (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()));

/// Kind, mode and owners, in 11 bytes. What belongs to the caller does so by whatever number.
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
