//! Reasons that lie in the file system for which a run may have made its outputs otherwise than the
//! next one would.

use super::Declared;
use super::before::{Before, LeftAlone};
use super::collect::{Found, Ordered, Refused, Seen};
use rustix::fs::Access;
use std::collections::BTreeMap;
use std::path::Path;

/// Refuses the failure of a run that could not have made one of its outputs. Whether a folder is
/// there and may be written to is not part of the key: it changes with the first run that makes it.
pub(super) fn refuse_unwritable(declared: &Declared<'_>) -> Result<(), Refused> {
    let may = |path: &Path, access| {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        rustix::fs::access(path, access).is_ok()
    };
    let in_folder = Access::WRITE_OK | Access::EXEC_OK;
    for pattern in &declared.patterns {
        let (path, folder) = (pattern.named().path, pattern.anchor());
        let is_there = pattern.glob.is_none() && may(path, Access::EXISTS);
        let is_writable = match is_there {
            true if path.is_dir() => may(path, in_folder),
            true => may(path, Access::WRITE_OK),
            false => may(folder, in_folder),
        };
        if !is_writable {
            return Err(Refused::Unwritable(path.to_owned()));
        }
    }
    Ok(())
}

/// Refuses outputs that may be truncated because their file system is full: not every program that
/// fails to write reports that by its status.
pub(super) fn refuse_on_a_full_disk(found: &Found, before: &Before<'_>) -> Result<(), Refused> {
    /// The free space below which a write may have failed while another succeeded.
    const ROOM: u64 = 1 << 20;
    let mut known = BTreeMap::new();
    for (Ordered(path), seen) in found {
        let Seen::File(stat) = seen else { continue };
        let mut is_full = || {
            let Ok(of) = rustix::fs::statvfs(path) else { return false };
            let has_room = of.f_bavail.saturating_mul(of.f_frsize) >= ROOM || of.f_blocks == 0;
            !has_room || of.f_favail == 0 && of.f_files > 0
        };
        if before.left_alone(path, stat) != LeftAlone::Yes
            && *known.entry(stat.st_dev).or_insert_with(&mut is_full)
        {
            return Err(Refused::Full(path.clone()));
        }
    }
    Ok(())
}
