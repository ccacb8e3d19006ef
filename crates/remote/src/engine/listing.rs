//! The contents of a store: counting them, and deleting the least recently used.
//!
//! A folder and Redis know when an object was last used, other servers only when it was written.

use super::faults::{in_plain_words, is_absence, within};
use super::{Engine, Objects, Step};
use anyhow::{Context, Result, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The folders of entries and of blobs.
pub(super) const KINDS: [&str; 2] = ["v1/e/", "v1/b/"];
/// The folder of other objects, which are also deleted when nobody uses them.
const BESIDES: &str = "v1/p/";
/// The number of concurrent removals.
const REMOVED_AT_ONCE: usize = 16;

/// The limits on the contents of a store.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Bounds {
    /// The maximum time without use.
    pub older_than: Option<Duration>,
    /// The maximum size of what stays, in bytes.
    pub most: Option<u64>,
    /// True if nothing is changed.
    pub rehearse: bool,
}

/// The result of trimming a store.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Trimmed {
    /// The number of deleted objects.
    pub objects: u64,
    /// The size of the deleted objects in bytes.
    pub bytes: u64,
    /// The number of remaining objects.
    pub left_objects: u64,
    /// The size of the remaining objects in bytes.
    pub left_bytes: u64,
}

/// An object of a store, or all pieces of one.
pub(super) struct Stored<P> {
    /// The time of last use, in seconds since the epoch.
    pub used: i64,
    pub bytes: u64,
    pub place: P,
}

/// An object as a store lists it.
pub(super) struct Listed {
    pub name: String,
    pub bytes: u64,
    /// The time of last use or of writing, in seconds since the epoch, if the store reports it.
    pub used: Option<i64>,
}

impl Bounds {
    /// Returns a summary of what is to be deleted, and the places of those objects.
    pub(super) fn exceeded_by<P>(
        self,
        mut found: Vec<Stored<P>>,
        now: i64,
    ) -> (Trimmed, Vec<Stored<P>>) {
        let mut trimmed = Trimmed {
            left_objects: found.len() as u64,
            left_bytes: found.iter().map(|file| file.bytes).sum(),
            ..Trimmed::default()
        };
        found.sort_unstable_by_key(|file| file.used);
        let oldest = self.older_than.map(|age| now.saturating_sub(age.as_secs() as i64));
        for file in &found {
            let is_too_old = oldest.is_some_and(|oldest| file.used < oldest);
            let is_too_much = self.most.is_some_and(|most| trimmed.left_bytes > most);
            if !is_too_old && !is_too_much {
                break;
            }
            trimmed.objects += 1;
            trimmed.bytes += file.bytes;
            trimmed.left_objects -= 1;
            trimmed.left_bytes -= file.bytes;
        }
        found.truncate(trimmed.objects as usize);
        (trimmed, found)
    }
}

/// Returns the seconds since the epoch.
pub(super) fn now() -> Result<i64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() as i64)
}

impl Engine {
    /// Returns whether it can list its contents.
    pub fn lists(&self) -> bool {
        match &self.objects {
            #[cfg(feature = "redis")]
            Objects::Redis(_) => true,
            _ => self.can(|capability| capability.list),
        }
    }

    /// Returns the number of entries and of blobs.
    pub fn count(&self) -> Step<'_, Result<[u64; 2]>> {
        Box::pin(async move {
            let mut counts = [0; 2];
            for (folder, count) in KINDS.into_iter().zip(&mut counts) {
                self.list(folder, false, &mut |listed| {
                    *count += u64::from(self.piece_of(&listed.name).is_none_or(|(_, at)| at == 0));
                })
                .await?;
            }
            Ok(counts)
        })
    }

    /// Returns the names of all entries.
    pub fn entries(&self) -> Step<'_, Result<Vec<String>>> {
        Box::pin(async move {
            let mut names = Vec::new();
            self.list(KINDS[0], false, &mut |listed| names.push(listed.name)).await?;
            Ok(names)
        })
    }

    /// Deletes the least recently used objects until the rest is within bounds.
    pub fn trim(&self, bounds: Bounds) -> Step<'_, Result<Trimmed>> {
        Box::pin(async move {
            if let Objects::Folder(folder) = &self.objects {
                return folder.trim(&[KINDS[0], KINDS[1], BESIDES], bounds).await;
            }
            ensure!(
                self.lists() && self.takes_removals(),
                "such a store cannot tell what it holds, or does not remove it on request"
            );
            let mut found: HashMap<String, Stored<Vec<(u64, String)>>> = HashMap::new();
            let mut is_timeless = false;
            for folder in [KINDS[0], KINDS[1], BESIDES] {
                self.list(folder, true, &mut |Listed { name, bytes, used }| {
                    is_timeless |= used.is_none();
                    let (whole, at) = self.piece_of(&name).unwrap_or((&name, 0));
                    let fresh = Stored { used: i64::MIN, bytes: 0, place: Vec::new() };
                    let stored = found.entry(whole.to_owned()).or_insert(fresh);
                    stored.used = stored.used.max(used.unwrap_or_default());
                    stored.bytes = stored.bytes.saturating_add(bytes);
                    stored.place.push((at, name));
                })
                .await?;
            }
            ensure!(!is_timeless, "the store does not tell when objects were used or written");
            let (trimmed, gone) = bounds.exceeded_by(found.into_values().collect(), now()?);
            if bounds.rehearse {
                return Ok(trimmed);
            }
            let removals = stream::iter(gone).map(|Stored { mut place, .. }| async move {
                // The first piece goes first: without it, the object does not exist.
                place.sort_unstable();
                for (_, name) in place {
                    self.objects.delete(&name).await?;
                }
                anyhow::Ok(())
            });
            let removed = removals.buffer_unordered(REMOVED_AT_ONCE).try_collect::<Vec<()>>();
            removed.await.context("removing objects")?;
            Ok(trimmed)
        })
    }

    /// Returns the object that a name is a piece of, where blobs are stored in pieces, and its
    /// index.
    fn piece_of<'n>(&self, name: &'n str) -> Option<(&'n str, u64)> {
        self.piece?;
        let (whole, at) = name.strip_prefix(KINDS[1]).and(name.rsplit_once('.'))?;
        Some((whole, at.parse().ok()?))
    }

    /// Visits all objects of a folder, with their times and lengths if `with_facts`.
    async fn list(
        &self,
        folder: &str,
        with_facts: bool,
        visit: &mut dyn FnMut(Listed),
    ) -> Result<()> {
        match &self.objects {
            Objects::Folder(top) => top.list(folder).await?.into_iter().for_each(visit),
            #[cfg(feature = "redis")]
            Objects::Redis(redis) => redis.list(folder, with_facts, visit).await?,
            Objects::OpenDal(op) => {
                let _ = with_facts;
                let lister = within(op.lister_with(folder).recursive(true)).await?;
                let mut lister = match lister {
                    Ok(lister) => lister,
                    Err(error) if is_absence(&error) => return Ok(()),
                    Err(error) => return Err(in_plain_words(error)),
                };
                while let Some(entry) = within(lister.next()).await? {
                    match entry {
                        Ok(entry) if entry.metadata().mode().is_file() => {
                            let written = entry.metadata().last_modified();
                            visit(Listed {
                                name: entry.path().to_owned(),
                                bytes: entry.metadata().content_length(),
                                used: written.map(|time| time.into_inner().as_second()),
                            });
                        }
                        Ok(_) => {}
                        Err(error) if is_absence(&error) => break,
                        Err(error) => return Err(in_plain_words(error)),
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(older_than: Option<u64>, most: Option<u64>) -> Bounds {
        Bounds { older_than: older_than.map(Duration::from_secs), most, rehearse: false }
    }

    #[test]
    fn the_least_recently_used_goes_until_the_rest_is_within_bounds() {
        let cases = [
            (bounds(Some(50), None), vec![10, 40]),
            (bounds(Some(10), None), vec![10, 40, 80]),
            (bounds(None, Some(30)), vec![10]),
            (bounds(None, Some(0)), vec![10, 40, 80, 95]),
            (bounds(Some(50), Some(10)), vec![10, 40, 80]),
            (bounds(Some(1000), Some(1000)), vec![]),
        ];
        for (bounds, expected) in cases {
            let found = [80, 10, 95, 40].map(|used| Stored { used, bytes: 10, place: () });
            let (trimmed, gone) = bounds.exceeded_by(found.into(), 100);
            let gone: Vec<i64> = gone.iter().map(|file| file.used).collect();
            assert_eq!(gone, expected, "{bounds:?}");
            let count = expected.len() as u64;
            assert_eq!((trimmed.objects, trimmed.bytes), (count, 10 * count));
            assert_eq!((trimmed.left_objects, trimmed.left_bytes), (4 - count, 40 - 10 * count));
        }
    }
}
