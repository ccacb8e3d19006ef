//! Reads the state of a path from the system.

use super::{CALLER, Stamp, Value, access, kind_number};
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;
use std::ffi::{CStr, CString};
use std::sync::LazyLock;

/// The part of a file's status that is used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The identity and times.
    pub stamp: Stamp,
    /// The file type and permissions.
    pub mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) links: u64,
    pub(crate) rdev: u64,
}

/// Tells boots apart, as the IDs of mounts begin anew with each.
#[cfg(target_os = "linux")]
static BOOT: LazyLock<u64> = LazyLock::new(|| {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let mut id = [0; 36];
    // Without `/proc`, the mount alone has to do.
    let _ = rustix::fs::open(c"/proc/sys/kernel/random/boot_id", flags, Mode::empty())
        .and_then(|file| rustix::io::read(file, &mut id));
    let hash = blake3::hash(&id);
    u64::from_le_bytes(*hash.as_bytes().first_chunk().unwrap_or(&[0; 8]))
});

impl Status {
    /// Returns the status of a path without following a link.
    pub fn at(path: impl Arg) -> Result<Status, Errno> {
        Status::named(CWD, path, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Returns the status of a path, following links.
    pub fn behind(path: impl Arg) -> Result<Status, Errno> {
        Status::named(CWD, path, AtFlags::empty())
    }

    /// Returns the status of an open file.
    pub fn of_open(file: impl AsFd) -> Result<Status, Errno> {
        Status::named(file, c"", AtFlags::EMPTY_PATH)
    }

    #[cfg(target_os = "linux")]
    fn named(from: impl AsFd, path: impl Arg, flags: AtFlags) -> Result<Status, Errno> {
        use rustix::fs::{StatxFlags, StatxTimestamp, makedev, statx};
        /// Since Linux 6.8. The ID is never used again before the next boot, which one by `MNT_ID`
        /// is.
        const MNT_ID_UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);
        let mount = StatxFlags::MNT_ID | MNT_ID_UNIQUE;
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME | mount;
        let stat = statx(from, path, flags, wanted)?;
        let time = |at: StatxTimestamp| nanoseconds(at.tv_sec, at.tv_nsec.into());
        let knows = |what: StatxFlags| stat.stx_mask & what.bits() != 0;
        Ok(Status {
            stamp: Stamp {
                dev: makedev(stat.stx_dev_major, stat.stx_dev_minor),
                ino: stat.stx_ino,
                size: stat.stx_size,
                mtime: time(stat.stx_mtime),
                ctime: time(stat.stx_ctime),
                btime: if knows(StatxFlags::BTIME) { time(stat.stx_btime) } else { 0 },
                mount: if knows(mount) { stat.stx_mnt_id ^ *BOOT } else { 0 },
            },
            mode: stat.stx_mode.into(),
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            links: stat.stx_nlink.into(),
            rdev: makedev(stat.stx_rdev_major, stat.stx_rdev_minor),
        })
    }

    /// Elsewhere nothing is traced, and only facts recorded on other machines are checked.
    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unnecessary_cast, reason = "the types are other systems'")]
    fn named(from: impl AsFd, path: impl Arg, flags: AtFlags) -> Result<Status, Errno> {
        let stat = if flags.is_empty() || flags == AtFlags::SYMLINK_NOFOLLOW {
            rustix::fs::statat(from, path, flags)?
        } else {
            rustix::fs::fstat(from)?
        };
        Ok(Status {
            stamp: Stamp::of(&stat),
            mode: stat.st_mode as u32,
            uid: stat.st_uid,
            gid: stat.st_gid,
            links: stat.st_nlink as u64,
            rdev: stat.st_rdev as u64,
        })
    }

    #[allow(clippy::unnecessary_cast, reason = "the types are other systems'")]
    pub(crate) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode as _)
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.kind() == FileType::Directory
    }

    pub(crate) fn is_link(&self) -> bool {
        self.kind() == FileType::Symlink
    }

    /// Returns whether this is a file as it would be if newly created with this mode: a run may
    /// write to it or replace it, with the same result.
    pub(crate) fn is_like_new(&self, mode: u32) -> bool {
        self.kind() == FileType::RegularFile
            && self.mode & 0o7777 == mode & !*UMASK
            && (self.uid, self.gid) == *CALLER
            && self.links == 1
    }

    pub(crate) fn has_content(&self) -> bool {
        matches!(self.kind(), FileType::RegularFile | FileType::Symlink)
    }
}

pub(super) fn nanoseconds(seconds: i64, nanos: i64) -> i64 {
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos)
}

/// The umask. Reading it from `/proc` does not change it.
static UMASK: LazyLock<u32> = LazyLock::new(|| {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    // If it is unknown, no file counts as like a new one.
    mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(!0)
});

/// Returns whether times and sizes indicate changes. Files that the kernel generates have none.
pub(crate) fn has_stamp(path: &[u8]) -> bool {
    !path.starts_with(b"/proc/") && !path.starts_with(b"/sys/")
}

/// Returns whether a folder's file system is known to update its times whenever a name in it
/// changes. Network and user-space file systems may not.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_cast, reason = "the types are other systems'")]
pub(super) fn dates_names(path: &[u8], status: &Status) -> bool {
    use std::sync::Mutex;
    /// The magic numbers of ext, XFS, Btrfs, tmpfs, overlayfs, F2FS, ZFS, Bcachefs, `SquashFS` and
    /// EROFS.
    const KNOWN: [i64; 10] = [
        0xef53,
        0x5846_5342,
        0x9123_683e,
        0x0102_1994,
        0x794c_7630,
        0xf2f5_2010,
        0x2fc1_2fc1,
        0xca45_1a4e,
        0x7371_7368,
        0xe0f5_e1e2,
    ];
    static LAST: Mutex<Option<(u64, bool)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match *last {
        Some((dev, is_known)) if dev == status.stamp.dev => is_known,
        _ => {
            let of = rustix::fs::statfs(path);
            let is_known = of.is_ok_and(|it| KNOWN.contains(&(it.f_type as i64 & 0xffff_ffff)));
            *last = Some((status.stamp.dev, is_known));
            is_known
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn dates_names(_path: &[u8], _status: &Status) -> bool {
    false
}

/// The maximum size that is read of a file that the kernel generates.
const MADE_UP: u64 = 16 * 1024 * 1024;

/// The kernel's description of the processors.
const PROCESSORS: &[u8] = b"/proc/cpuinfo";

/// Returns the description of the processors without how fast they are at the moment.
fn lasting(told: &[u8]) -> Vec<u8> {
    let varies = |line: &&[u8]| line.starts_with(b"cpu MHz") || line.starts_with(b"bogomips");
    told.split_inclusive(|&byte| byte == b'\n')
        .filter(|line| !varies(line))
        .flatten()
        .copied()
        .collect()
}

/// Hashes a file. Fails with `AGAIN` if the file changes meanwhile.
pub(super) fn hash_file(path: &CStr, status: &Status) -> Result<[u8; 32], Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags | OFlags::NOCTTY, Mode::empty())?;
    let is_made_up = !has_stamp(path.to_bytes());
    let mut processors = (path.to_bytes() == PROCESSORS).then(Vec::new);
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut left = if is_made_up { MADE_UP } else { u64::MAX };
    while left > 0 {
        let n = match rustix::io::read(&file, &mut buffer[..]) {
            Ok(0) => break,
            Ok(n) => n,
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno),
        };
        match &mut processors {
            Some(told) => told.extend_from_slice(&buffer[..n]),
            None => drop(hasher.update(&buffer[..n])),
        }
        left = left.saturating_sub(n as u64);
    }
    if left == 0 {
        return Err(Errno::FBIG);
    }
    if !is_made_up && Status::of_open(&file)?.stamp != status.stamp {
        return Err(Errno::AGAIN);
    }
    if let Some(told) = processors {
        hasher.update(&lasting(&told));
    }
    Ok(*hasher.finalize().as_bytes())
}

/// Returns the value of opening the controlling terminal: the error, or its access rights.
pub(super) fn terminal(path: &CStr, status: &Status) -> Value {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(_) => Value::access(status),
        Err(errno) => Value::error(errno),
    }
}

/// Returns the value of the extended attributes, sorted by name.
pub(super) fn attributes(path: &CStr, status: &Status) -> Result<Value, Errno> {
    let none = |error: Errno| if error == Errno::NOTSUP { Ok(Vec::new()) } else { Err(error) };
    let names = grown(|buffer| rustix::fs::llistxattr(path, buffer)).or_else(none)?;
    let mut names: Vec<&[u8]> =
        names.split(|&byte| byte == 0).filter(|it| !it.is_empty()).collect();
    names.sort_unstable();
    let mut bytes = Vec::new();
    for name in names {
        let value = CString::new(name).map_err(|_| Errno::INVAL)?;
        let value = grown(|buffer| rustix::fs::lgetxattr(path, &value, buffer))?;
        for part in [name, &value] {
            bytes.extend((part.len() as u32).to_le_bytes());
            bytes.extend(part);
        }
    }
    Ok(Value::hash("attributes", &[&access(status), &bytes]))
}

/// Calls a function with growing buffers until the result fits.
fn grown(call: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; 1024];
    loop {
        match call(&mut buffer[..]) {
            Ok(len) => {
                buffer.truncate(len);
                return Ok(buffer);
            }
            Err(Errno::RANGE) if buffer.len() < 1 << 17 => buffer.resize(buffer.len() * 4, 0),
            Err(errno) => return Err(errno),
        }
    }
}

/// The names in a folder and their types, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) std::collections::BTreeMap<Vec<u8>, u8>);

impl Names {
    pub(crate) fn of(path: &CStr) -> Result<Names, Errno> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECTORY;
        let folder = Dir::new(rustix::fs::open(path, flags, Mode::empty())?)?;
        let mut names = Names::default();
        for entry in folder {
            let entry = entry?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                let kind = match entry.file_type() {
                    FileType::Unknown => {
                        let path = [path.to_bytes(), b"/", name.to_bytes()].concat();
                        Status::at(&CString::new(path).map_err(|_| Errno::INVAL)?)?.kind()
                    }
                    kind => kind,
                };
                names.0.insert(name.to_bytes().to_vec(), kind_number(kind));
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::lasting;

    #[test]
    fn how_fast_a_processor_is_now_is_no_property_of_it() {
        let told = |clock: &str, model: &str| {
            let one = |n| {
                format!(
                    "processor\t: {n}\nmodel name\t: {model}\ncpu MHz\t\t: {clock}\nbogomips\t: {clock}\n\n"
                )
            };
            lasting((one(0) + &one(1)).as_bytes())
        };
        assert_eq!(told("2000.000", "A"), told("3100.123", "A"));
        assert_ne!(told("2000.000", "A"), told("2000.000", "B"));
        assert!(told("2000.000", "A").starts_with(b"processor\t: 0\nmodel name\t: A\n\nprocessor"));
    }
}
