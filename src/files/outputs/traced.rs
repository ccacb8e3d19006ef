//! Adds the files that a traced run wrote to its outputs, unless they cannot be restored exactly.
//!
//! A hit restores content, permissions, links and the names of a file. If a file has anything else
//! (other owners, extended attributes, permissions that a restore does not grant), the run is not
//! recorded.

use super::collect::{Found, Ordered, Refused, Seen, look};
use super::restore::allowed;
use super::{Declared, FileId, bits, id};
use cachex_base::record::manifest::{Item, What, parts};
use cachex_base::system::umask::umask;
use cachex_trace::Stamp;
use rustix::fs::{FileType, RawMode, Stat};
use rustix::io::Errno;
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A path that a traced run wrote to, and that has changed.
#[derive(Clone, Debug)]
pub struct Written {
    /// The path, absolute or below the working directory.
    pub path: PathBuf,
    /// The former type and permissions; none if it did not exist.
    pub before: Option<u32>,
    /// The present stamp; none if it does not exist.
    pub stamp: Option<Stamp>,
    /// True if the run set a time, which a hit has to set, too.
    pub keeps_time: bool,
}

/// Adds the paths that a run wrote to.
pub(super) fn add(
    declared: &Declared<'_>,
    written: &[Written],
    found: &mut Found,
) -> Result<(), Refused> {
    let umask = umask();
    let mut traced = HashSet::new();
    for it in written {
        let path = &it.path;
        let Some(place) = declared.place(path) else { continue };
        if found.contains_key(&Ordered(path.clone())) {
            continue;
        }
        let seen = look(declared, place)?;
        let stat = match &seen {
            Some(Seen::File(stat) | Seen::Folder(stat) | Seen::Link { stat, .. }) => Some(stat),
            _ => None,
        };
        if !is_as_it_ended(it.stamp.as_ref(), stat) {
            return Err(Refused::Changing(path.clone()));
        }
        if let Some(stat) = stat {
            check(path, it.before, stat, umask)?;
        }
        let seen = match seen {
            Some(seen) => seen,
            None if it.before.is_some_and(|mode| !can_be_removed(mode)) => {
                return Err(Refused::Special(path.clone()));
            }
            None => Seen::Absent { removed: true },
        };
        traced.insert(path.as_path());
        found.insert(Ordered(path.clone()), seen);
    }
    name_once(&traced, found)
}

/// Returns the items whose own time a hit sets, see [`Manifest::dated`].
pub(super) fn dated(written: &[Written], items: &[Item]) -> Vec<(u32, i64)> {
    let mut dated = BTreeMap::new();
    for it in written.iter().filter(|it| it.keeps_time) {
        let number =
            |path: &[u8]| items.binary_search_by(|item| parts(&item.path).cmp(parts(path))).ok();
        let Some(stamp) = &it.stamp else { continue };
        let mut at = number(it.path.as_os_str().as_bytes());
        if let Some(What::Name { of }) = at.map(|at| &items[at].what) {
            at = number(of);
        }
        dated.extend(at.map(|at| (at as u32, stamp.mtime)));
    }
    dated.into_iter().collect()
}

/// Returns whether the state equals that at the end of the run.
fn is_as_it_ended(then: Option<&Stamp>, now: Option<&Stat>) -> bool {
    let now = now.map(|stat| (FileType::from_raw_mode(stat.st_mode), Stamp::of(stat)));
    match (then, now) {
        (None, None) => true,
        (Some(then), Some((FileType::Directory, now))) => {
            (then.dev, then.ino) == (now.dev, now.ino)
        }
        (Some(then), Some((_, now))) => {
            Stamp { btime: now.btime, mount: now.mount, ..*then } == now
        }
        _ => false,
    }
}

fn can_be_removed(mode: u32) -> bool {
    let kind = FileType::from_raw_mode(mode as RawMode);
    matches!(kind, FileType::RegularFile | FileType::Symlink | FileType::Directory)
}

/// Refuses files that could not be restored exactly.
fn check(path: &Path, before: Option<u32>, stat: &Stat, umask: u32) -> Result<(), Refused> {
    let refused = |why| Err(Refused::Unlike(path.to_owned(), why));
    let kind = FileType::from_raw_mode(stat.st_mode);
    let before = before.map(|mode| (FileType::from_raw_mode(mode as RawMode), mode & 0o7777));
    if before.is_some_and(|(was, _)| was != kind) {
        return refused("was of another kind before");
    }
    let mode = bits(stat.st_mode);
    // Only its time has changed, and it stays.
    let is_touched_folder = before == Some((FileType::Directory, mode));
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    if stat.st_uid != uid.as_raw() || stat.st_gid != gid.as_raw() && !is_touched_folder {
        return refused("belongs to somebody else");
    }
    if kind == FileType::Symlink || is_touched_folder {
        return Ok(());
    }
    // The permissions that creating or restoring the file cannot have produced.
    let gained = match before {
        None => mode & (umask | 0o7000),
        Some((FileType::Directory, _)) => return refused("is a folder with other permissions"),
        Some((_, before)) => mode & !allowed(before),
    };
    if gained != 0 {
        return refused("was given more permissions");
    }
    if has_attributes(path) {
        return refused("has extended attributes");
    }
    Ok(())
}

/// Returns whether a path has extended attributes that a new file would not have.
pub(super) fn has_attributes(path: &Path) -> bool {
    let mut names = vec![0; 4096];
    match rustix::fs::llistxattr(path, &mut names[..]) {
        Ok(len) => names[..len].split(|&byte| byte == 0).any(|name| {
            let is_made_by_the_system = name.is_empty()
                || name == b"system.nfs4_acl"
                || name.starts_with(b"security.") && name != b"security.capability";
            !is_made_by_the_system
        }),
        Err(errno) => errno == Errno::RANGE,
    }
}

/// Lists each file once, with its other names. A file with a name outside the list cannot be
/// restored.
fn name_once(traced: &HashSet<&Path>, found: &mut Found) -> Result<(), Refused> {
    let mut names: HashMap<FileId, (PathBuf, u64)> = HashMap::new();
    let mut further = Vec::new();
    let files = found.iter().filter_map(|(Ordered(path), seen)| match seen {
        Seen::File(stat) if stat.st_nlink > 1 && traced.contains(path.as_path()) => {
            Some((path, stat))
        }
        _ => None,
    });
    #[allow(
        clippy::cast_lossless,
        clippy::unnecessary_cast,
        reason = "the type is another system's"
    )]
    for (path, stat) in files {
        let left = stat.st_nlink as u64 - 1;
        match names.get_mut(&id(stat)) {
            None => drop(names.insert(id(stat), (path.clone(), left))),
            Some((first, left)) => {
                *left = left.saturating_sub(1);
                further.push((path.clone(), first.clone()));
            }
        }
    }
    if let Some((path, _)) = names.into_values().find(|(_, left)| *left > 0) {
        return Err(Refused::Unlike(path, "has a name elsewhere"));
    }
    for (path, first) in further {
        let of = ByteBuf::from(first.as_os_str().as_bytes());
        found.insert(Ordered(path), Seen::Name { of });
    }
    Ok(())
}
