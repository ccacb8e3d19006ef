//! Repairs what an examination found.
//!
//! Modes come first: files that others may write to are not safe to repair, and unreadable files
//! cannot be judged. The rest is examined again and repaired under the fold lock: only recorders
//! work on the store meanwhile, and the publish lock keeps them out while files are removed. Last
//! comes a fold that checks everything; it repairs the old store's indexes, rebuilds the filter and
//! sweeps.
//!
//! An entry is removed only if it or its output is damaged.

use super::outputs::{Damaged, Verdict, verify};
use super::{Examination, Finding, Floor, What, examine, inventory, locks};
use crate::db_client::DbClient;
use crate::guard::SetAside;
use crate::lock::{self, HeldBy, Lock, Mode};
use crate::{Root, blobs, filter, guard, sweep, version_dir, young};
use anyhow::{Context, Result, bail};
use cachex_base::record::entry::{Entry, Key};
use cachex_base::system::fsutil;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, RawMode};
use std::collections::HashSet;
use std::path::Path;

/// Repairs what can be repaired of the findings in `first`, and examines the store again.
///
/// Returns the findings of both examinations, each with whether it is resolved, and the last
/// examination.
pub fn mend(dir: &Path, first: Examination) -> (Vec<(Finding, bool)>, Examination) {
    let mut found = first.findings.clone();
    let mut now = first;
    let mut failed = Vec::new();
    // Fixing a mode may reveal files that need the same.
    for _ in 0..8 {
        let wanting: Vec<_> = now.findings.iter().filter_map(mode_wanted).collect();
        if wanting.is_empty() {
            break;
        }
        for (path, wanted) in wanting {
            if let Err(error) = change_mode(dir, path, wanted) {
                failed.push(failure(path, &error));
            }
        }
        now = examine(dir);
        add_new(&mut found, &now);
        if !failed.is_empty() {
            break;
        }
    }
    // Also without findings: the old store's indexes are only checked by the fold that repairs
    // them.
    if let Ok(root) = Root::open(dir) {
        if let Err(error) = mend_content(&root, &now) {
            failed.push(failure(&version_dir(), &error));
        }
        now = examine(dir);
        add_new(&mut found, &now);
    }
    found.extend(failed.iter().cloned());
    now.findings.extend(failed);
    let is_there = |finding: &Finding| now.findings.iter().any(|left| is_same(left, finding));
    let marked = found.into_iter().map(|finding| {
        let gone = !is_there(&finding);
        (finding, gone)
    });
    (marked.collect(), now)
}

fn is_same(a: &Finding, b: &Finding) -> bool {
    let kind = std::mem::discriminant;
    kind(&a.what) == kind(&b.what) && a.path == b.path && a.key == b.key
}

fn add_new(found: &mut Vec<Finding>, now: &Examination) {
    for finding in &now.findings {
        if !found.iter().any(|known| is_same(known, finding)) {
            found.push(finding.clone());
        }
    }
}

fn failure(path: &Path, error: &anyhow::Error) -> Finding {
    Finding { what: What::RepairFailed(format!("{error:#}")), path: path.to_owned(), key: None }
}

fn mode_wanted(finding: &Finding) -> Option<(&Path, RawMode)> {
    match finding.what {
        What::Mode { wanted: Some(wanted), .. } => Some((&finding.path, wanted)),
        _ => None,
    }
}

/// Changes the mode of a file that is this user's and no link. Its parent folders were repaired
/// before it, so nobody else can replace it.
fn change_mode(dir: &Path, path: &Path, wanted: RawMode) -> Result<()> {
    let mode = rustix::fs::Mode::from_raw_mode(wanted);
    let changed = match path.parent() {
        None => rustix::fs::chmodat(CWD, dir, mode, AtFlags::empty()),
        Some(parent) => reach(dir, parent).and_then(|folder| {
            let name = path.file_name().unwrap_or_default();
            rustix::fs::chmodat(folder, name, mode, AtFlags::empty())
        }),
    };
    changed.context("changing who may read or write it")
}

/// Opens a folder below the store's folder without following links.
fn reach(dir: &Path, below: &Path) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::OFlags;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let mut folder = rustix::fs::openat(CWD, dir, flags, rustix::fs::Mode::empty())?;
    for part in below {
        let flags = flags | OFlags::NOFOLLOW;
        folder = rustix::fs::openat(&folder, part, flags, rustix::fs::Mode::empty())?;
    }
    Ok(folder)
}

fn mend_content(root: &Root, now: &Examination) -> Result<()> {
    remove_strange(root, now)?;
    {
        let lock = locks::take_fold(root).context("locking the store")?;
        let Some(_fold) = lock else {
            bail!("{}; try again later", HeldBy::of(root, lock::FOLD));
        };
        sweep::of_the_dead(root)?;
        if now.findings.iter().any(|finding| finding.what == What::BrokenDatabase) {
            let _old = Lock::wait(root, lock::OLD, Mode::Exclusive)?;
            guard::set_aside(root)?;
        } else {
            for name in guard::broken(root)? {
                sweep::remove_tree(root, &name);
            }
        }
        if now.findings.iter().any(|finding| is_filter(&finding.what)) {
            // Without a filter, every key is looked up until the fold creates a new one.
            fsutil::remove_file(root, filter::FILE).context("removing the filter")?;
        }
        remove_useless(root, now)?;
        remove_old(root, now)?;
    }
    match DbClient::new(root).mend() {
        // The helper hung or died because of the database, and set it aside.
        Err(error) if error.is::<SetAside>() => DbClient::new(root).mend()?,
        mended => mended?,
    };
    Ok(())
}

/// Removes whatever is not the file or folder that it should be: locks and the fold would fail on
/// it.
fn remove_strange(root: &Root, now: &Examination) -> Result<()> {
    for finding in &now.findings {
        if finding.what != (What::Type { removable: true }) {
            continue;
        }
        let Ok(path) = finding.path.strip_prefix(version_dir()) else { continue };
        // Another process may just have put a good file in its place.
        let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive).ok();
        if inventory::fits(root, path)? {
            continue;
        }
        let removed = match fsutil::remove_file(root, path) {
            Ok(_) => Ok(()),
            Err(_) => std::fs::remove_dir_all(root.path().join(path)),
        };
        removed.with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

/// Removes damaged blobs, and young entries whose blobs are gone or damaged.
fn remove_useless(root: &Root, now: &Examination) -> Result<()> {
    for Damaged { blob, lists, form } in &now.damaged {
        let path = form.path(&blob.hash);
        let seen = fsutil::stat(root, &path)?;
        // A file that cannot be read now is reported as such, and may be intact.
        if let Ok(Verdict::Damaged) = verify(root, blob, *lists, *form) {
            let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?;
            // Unless another process has just put a good one in its place.
            let there = fsutil::stat(root, &path)?;
            if let (Some(seen), Some(there)) = (seen, there)
                && fsutil::same_file(&seen, &there)
            {
                fsutil::remove_file(root, &path).context("removing a damaged blob")?;
            }
        }
    }
    for useless in &now.useless {
        if useless.floor == Floor::Young {
            let _publish = Lock::wait(root, lock::PUBLISH, Mode::Exclusive)?;
            if let Ok(Some(sealed)) = young::sealed(root, &useless.key)
                && let Ok(entry) = Entry::open(&useless.key, &sealed)
                && blobs::lacks(root, &entry)
            {
                young::remove_version(root, &useless.key, &young::version(&sealed))?;
            }
        }
    }
    Ok(())
}

/// Removes damaged entries and those without output from the old store.
fn remove_old(root: &Root, now: &Examination) -> Result<()> {
    let useless = now.useless.iter().filter(|useless| useless.floor == Floor::Old);
    let useless = useless.filter(|useless| blobs::is_gone(root, &useless.blob.hash));
    let keys: Vec<Key> = useless.map(|useless| useless.key).collect();
    // The fold removes damaged entries and the references to them.
    DbClient::new(root).remove_all(&keys, &mut HashSet::new())?;
    Ok(())
}

fn is_filter(what: &What) -> bool {
    matches!(what, What::DamagedFilter | What::WrongFilter(_))
}
