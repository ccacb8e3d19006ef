//! What was at the declared paths before a run: what it removed, and which links are not
//! its own.

use super::collect::{Found, Ordered, Refused, Seen};
use super::walk::walk;
use super::{Declared, FileId, Place, id};
use crate::store::Root;
use crate::values::OutputPattern;
use rustix::fs::{FileType, Stat};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// What was at the declared paths before a run.
#[derive(Default)]
pub struct Before {
    named: HashSet<PathBuf>,
    /// The links, and what each led to.
    links: HashMap<Version, Option<Version>>,
}

/// A file as it was at some time.
pub(super) type Version = (FileId, [i128; 5]);

pub(super) fn version(stat: &Stat) -> Version {
    #[allow(clippy::useless_conversion, reason = "the types are another system's")]
    let times = [
        stat.st_size.into(),
        stat.st_mtime.into(),
        stat.st_mtime_nsec.into(),
        stat.st_ctime.into(),
        stat.st_ctime_nsec.into(),
    ];
    (id(stat), times)
}

impl Before {
    /// Looks what is there. What cannot be seen is not there.
    pub fn look(root: &Root, outputs: &[OutputPattern]) -> Before {
        let mut before = Before::default();
        if outputs.is_empty() {
            return before;
        }
        let Ok(declared) = Declared::new(root, outputs) else { return before };
        for pattern in &declared.patterns {
            let named = pattern.named();
            let kind = declared.status(named).ok().flatten();
            if kind.is_some() {
                before.named.insert(named.path.to_owned());
            }
            let base = match kind.map(|stat| FileType::from_raw_mode(stat.st_mode)) {
                Some(FileType::Symlink) => {
                    before.note(&declared, named);
                    continue;
                }
                Some(FileType::Directory) => named,
                None if pattern.glob.is_some() => pattern.base(),
                _ => continue,
            };
            let _ = walk(&declared, base, &mut |place, is_link| {
                if is_link {
                    before.note(&declared, place);
                }
                Ok(())
            });
        }
        before
    }

    /// Whether there was something at a path that was named.
    pub fn had(&self, path: &Path) -> bool {
        self.named.contains(path)
    }

    fn note(&mut self, declared: &Declared<'_>, link: Place<'_>) {
        if let Ok(Some(stat)) = declared.status(link) {
            let behind = rustix::fs::stat(link.path).ok();
            self.links.insert(version(&stat), behind.as_ref().map(version));
        }
    }
}

/// Refuses links that the run did not make. One may stay as it is if what it leads to is
/// recorded too, or if it was only met, and what it leads to did not change.
pub(super) fn refuse_others_links(
    declared: &Declared<'_>,
    found: &Found,
    before: &Before,
) -> Result<(), Refused> {
    if before.links.is_empty() {
        return Ok(());
    }
    let recorded: HashSet<FileId> = found
        .values()
        .filter_map(|seen| match seen {
            Seen::File(stat) | Seen::Folder(stat) => Some(id(stat)),
            Seen::Link { .. } | Seen::Absent { .. } => None,
        })
        .collect();
    for (Ordered(path), seen) in found {
        let Seen::Link { stat, .. } = seen else { continue };
        let Some(led_to) = before.links.get(&version(stat)) else { continue };
        let behind = rustix::fs::stat(path).ok();
        let is_recorded = behind.as_ref().is_some_and(|behind| recorded.contains(&id(behind)));
        let is_named = declared.patterns.iter().any(|it| it.path.as_path() == path);
        let is_unchanged = behind.as_ref().map(version) == *led_to;
        if !is_recorded && (is_named || !is_unchanged) {
            return Err(Refused::ThroughLink(path.clone()));
        }
    }
    Ok(())
}
