//! The list of the files that a run left behind, and its codec.
//!
//! A manifest is a blob like any other, so its bytes are verified before they are decoded. It
//! references the files that it lists as an entry references its output: they are kept for as long
//! as the manifest is. It is encoded with bincode: the declaration, and then the items in the order
//! of their paths.
//!
//! A path is as it was declared: below the working directory, or absolute. [`Manifest::decode`]
//! guarantees normalized paths: no empty part, no `.`, no `..`, no path twice, and nothing below an
//! item that is not a folder, so that no link of the manifest leads to one of its files. Only the
//! call can check whether it declared these paths, see `files::outputs::Declared`.

use crate::record::entry::{BlobRef, Damaged, Outputs};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The maximum length of a manifest: some hundred thousand files.
pub const MAX_MANIFEST: usize = 64 * 1024 * 1024;

/// The most permissions that a file is given.
const MOST_PERMISSIONS: u32 = 0o777;

/// The declared paths, as they were after the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The declared files, folders and patterns, sorted.
    pub declared: Vec<String>,
    /// The items in the order of their paths, each once; a folder comes before its contents.
    pub items: Vec<Item>,
    /// The items that a hit gives a time of their own: their index, and nanoseconds since 1970. All
    /// others get the time of the hit.
    pub dated: Vec<(u32, i64)>,
}

/// One declared path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The path, relative to the working directory or absolute.
    pub path: ByteBuf,
    /// The state of the path.
    pub what: What,
}

/// The state of a path after the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// Nothing.
    Absent {
        /// True if the run removed it.
        removed: bool,
    },
    /// A folder.
    Folder {
        /// Its permissions.
        mode: u32,
    },
    /// A symbolic link.
    Symlink {
        /// The target of the link.
        target: ByteBuf,
    },
    /// A regular file.
    File {
        /// Its permissions.
        mode: u32,
        /// The content.
        blob: BlobRef,
    },
    /// A regular file that the run left unchanged. Its content is not stored: a hit requires the
    /// file to be there, and never writes it.
    LeftAlone {
        /// The content.
        blob: BlobRef,
    },
    /// Another name (hard link) of a regular file that comes earlier in the list.
    Name {
        /// Its first name.
        of: ByteBuf,
    },
}

impl Item {
    /// Returns the path.
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }

    /// Returns whether a run can leave this behind.
    fn is_sound(&self) -> bool {
        is_plain(&self.path)
            && match &self.what {
                What::Absent { .. } | What::LeftAlone { .. } | What::Name { .. } => true,
                What::Folder { mode } | What::File { mode, .. } => *mode <= MOST_PERMISSIONS,
                What::Symlink { target } => !target.is_empty() && !target.contains(&0),
            }
    }
}

impl Manifest {
    /// Returns whether the items can exist together, see [`Manifest::decode`].
    pub fn is_sound(&self) -> bool {
        let has_time = |&(number, _): &(u32, i64)| {
            let item = self.items.get(number as usize);
            let what = item.map(|item| &item.what);
            matches!(what, Some(What::File { .. } | What::Folder { .. } | What::Symlink { .. }))
        };
        are_sound(&self.items)
            && self.dated.is_sorted_by(|one, next| one.0 < next.0)
            && self.dated.iter().all(has_time)
    }

    /// Returns the time that an item has of its own, if any.
    pub fn time_of(&self, number: usize) -> Option<i64> {
        let at = self.dated.binary_search_by_key(&number, |&(it, _)| it as usize).ok()?;
        Some(self.dated[at].1)
    }

    /// Returns the stored form, or `None` if it is too long.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut encoded =
            bincode::serde::encode_to_vec((&self.declared, &self.items), codec()).ok()?;
        if !self.dated.is_empty() {
            encoded.extend(bincode::serde::encode_to_vec(&self.dated, codec()).ok()?);
        }
        (encoded.len() <= MAX_MANIFEST).then_some(encoded)
    }

    /// Decodes the stored form.
    pub fn decode(stored: &[u8]) -> Result<Manifest, Damaged> {
        if stored.len() > MAX_MANIFEST {
            return Err(Damaged);
        }
        let ((declared, items), used) =
            bincode::serde::decode_from_slice(stored, codec()).map_err(|_| Damaged)?;
        let rest = &stored[used..];
        let (dated, used) = if rest.is_empty() {
            (Vec::new(), 0)
        } else {
            bincode::serde::decode_from_slice(rest, codec()).map_err(|_| Damaged)?
        };
        let manifest = Manifest { declared, items, dated };
        let is_whole = used == rest.len() && manifest.is_sound();
        is_whole.then_some(manifest).ok_or(Damaged)
    }

    /// Returns the blobs that it references.
    pub fn blobs(&self) -> impl Iterator<Item = BlobRef> {
        self.items.iter().filter_map(|item| match &item.what {
            What::File { blob, .. } => Some(*blob),
            _ => None,
        })
    }

    /// Returns the summary that an entry keeps of it; `manifest` is the blob it was stored as.
    pub fn outputs(&self, manifest: BlobRef) -> Outputs {
        let bytes = self.blobs().map(|blob| blob.len).fold(0, u64::saturating_add);
        Outputs { manifest, files: self.blobs().count() as u64, bytes }
    }
}

fn are_sound(items: &[Item]) -> bool {
    // Paths below another one follow it directly.
    let mut no_folder: Option<&Item> = None;
    let lies_in_folders = items.iter().all(|item| {
        let above = no_folder.filter(|above| {
            item.path.strip_prefix(&above.path[..]).is_some_and(|rest| rest.starts_with(b"/"))
        });
        if let Some(above) = above {
            // A removed folder was removed with its contents.
            let removed = What::Absent { removed: true };
            return above.what == removed && item.what == removed;
        }
        if !matches!(item.what, What::Folder { .. }) {
            no_folder = Some(item);
        }
        true
    });
    lies_in_folders
        && have_first_names(items)
        && items.is_sorted_by(|one, next| parts(&one.path).lt(parts(&next.path)))
        && items.iter().all(Item::is_sound)
}

/// Returns whether each further name belongs to a file that comes before it.
fn have_first_names(items: &[Item]) -> bool {
    let mut files = HashSet::new();
    let mut names = items.iter().filter(|item| match &item.what {
        What::File { .. } => {
            files.insert(&item.path);
            false
        }
        What::Name { of } => !files.contains(of),
        _ => false,
    });
    names.next().is_none()
}

/// Splits a path into parts. Comparing these sorts a folder before its contents.
pub fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/')
}

/// Returns whether a path is normalized.
fn is_plain(path: &[u8]) -> bool {
    let below = path.strip_prefix(b"/").unwrap_or(path);
    !path.contains(&0) && parts(below).all(|part| !matches!(part, b"" | b"." | b".."))
}

fn codec() -> impl bincode::config::Config {
    // The lengths of decoded values are checked against the remaining input.
    bincode::config::standard().with_limit::<MAX_MANIFEST>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(path: &str) -> Item {
        Item { path: ByteBuf::from(path), what: What::Folder { mode: 0o755 } }
    }

    fn decoded(paths: &[&str]) -> Result<Manifest, Damaged> {
        let items = paths.iter().map(|path| item(path)).collect();
        Manifest::decode(&Manifest { items, ..Manifest::default() }.encode().unwrap())
    }

    #[test]
    fn what_is_stored_comes_back() {
        let blob = BlobRef { hash: [7; 32], len: 9 };
        let what = [
            What::Folder { mode: 0o755 },
            What::File { mode: 0o644, blob },
            What::Symlink { target: ByteBuf::from("a") },
            What::Absent { removed: true },
            What::LeftAlone { blob: BlobRef { hash: [8; 32], len: 5 } },
        ];
        let paths = ["a", "a/b", "a/c", "a/d", "a/e"];
        let items = paths.iter().zip(what).map(|(path, what)| Item { what, ..item(path) });
        let manifest = Manifest {
            declared: vec!["a".to_owned()],
            items: items.collect(),
            dated: vec![(0, 1), (2, -5)],
        };
        assert_eq!(Manifest::decode(&manifest.encode().unwrap()).as_ref(), Ok(&manifest));
        assert_eq!(manifest.blobs().collect::<Vec<_>>(), [blob]);
        assert_eq!(manifest.outputs(blob), Outputs { manifest: blob, files: 1, bytes: 9 });
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_damage() {
        assert!(decoded(&["a", "a/b", "a.b"]).is_ok());
        for bad in ["", "/", "..", "a/..", "a/../b", "./a", "a//b", "a/", "//a", "a\0b", "/.."] {
            assert_eq!(decoded(&[bad]), Err(Damaged), "{bad:?}");
        }
    }

    #[test]
    fn a_path_that_stands_twice_or_out_of_order_is_damage() {
        for bad in [["a", "a"], ["b", "a"], ["a/b", "a"], ["a.b", "a/b"]] {
            assert_eq!(decoded(&bad), Err(Damaged), "{bad:?}");
        }
    }

    #[test]
    fn what_lies_below_what_is_no_folder_is_damage() {
        let blob = BlobRef { hash: [7; 32], len: 9 };
        let list = |what, names: &[&str]| {
            let above = Item { what, ..item(names[0]) };
            let items = [above].into_iter().chain(names[1..].iter().map(|name| item(name)));
            Manifest { items: items.collect(), ..Manifest::default() }
        };
        for what in [
            What::Symlink { target: ByteBuf::from("/etc") },
            What::File { mode: 0o644, blob },
            What::LeftAlone { blob },
            What::Absent { removed: true },
            What::Absent { removed: false },
        ] {
            for names in [&["a", "a/b"][..], &["a", "a/b", "a/b/c"], &["/a", "/a/b"]] {
                let encoded = list(what.clone(), names).encode().unwrap();
                assert_eq!(Manifest::decode(&encoded), Err(Damaged), "{what:?} {names:?}");
            }
            let beside = list(what.clone(), &["a", "ab", "b"]);
            assert_eq!(Manifest::decode(&beside.encode().unwrap()), Ok(beside));
        }
    }

    #[test]
    fn what_lay_in_a_removed_folder_was_removed_too() {
        let decoded = |paths: &[&str], what: &[What]| {
            let items = paths
                .iter()
                .zip(what)
                .map(|(path, what)| Item { what: what.clone(), ..item(path) });
            let manifest = Manifest { items: items.collect(), ..Manifest::default() };
            Manifest::decode(&manifest.encode().unwrap()).is_ok()
        };
        let gone = What::Absent { removed: true };
        let paths = ["a", "a/b", "a/b/c", "a/d"];
        assert!(decoded(&paths, &[gone.clone(), gone.clone(), gone.clone(), gone.clone()]));
        let folder = What::Folder { mode: 0o755 };
        assert!(!decoded(&paths, &[gone.clone(), gone.clone(), gone, folder]));
    }

    #[test]
    fn only_what_is_there_has_a_time_and_but_one() {
        let blob = BlobRef { hash: [7; 32], len: 9 };
        let what = [What::File { mode: 0o644, blob }, What::Absent { removed: true }];
        let items: Vec<Item> =
            ["a", "b"].iter().zip(what).map(|(path, what)| Item { what, ..item(path) }).collect();
        let decoded = |dated: &[(u32, i64)]| {
            let (items, dated) = (items.clone(), dated.to_vec());
            let encoded = Manifest { items, dated, ..Manifest::default() }.encode().unwrap();
            Manifest::decode(&encoded).is_ok()
        };
        assert!(decoded(&[(0, 1)]));
        for bad in [&[(1, 1)][..], &[(2, 1)], &[(0, 1), (0, 2)]] {
            assert!(!decoded(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_further_name_is_that_of_a_file_listed_before() {
        let decoded = |what: [What; 2]| {
            let items = ["a", "b"].iter().zip(what).map(|(path, what)| Item { what, ..item(path) });
            let manifest = Manifest { items: items.collect(), ..Manifest::default() };
            Manifest::decode(&manifest.encode().unwrap()).is_ok()
        };
        let file = What::File { mode: 0o644, blob: BlobRef { hash: [7; 32], len: 9 } };
        let name = |of: &str| What::Name { of: ByteBuf::from(of) };
        assert!(decoded([file.clone(), name("a")]));
        assert!(!decoded([name("b"), file.clone()]));
        assert!(!decoded([file, name("b")]));
        assert!(!decoded([What::Folder { mode: 0o755 }, name("a")]));
    }

    #[test]
    fn what_no_run_leaves_behind_is_damage() {
        let blob = BlobRef { hash: [7; 32], len: 9 };
        for what in [
            What::File { mode: 0o4755, blob },
            What::File { mode: u32::MAX, blob },
            What::Folder { mode: 0o1777 },
            What::Symlink { target: ByteBuf::new() },
            What::Symlink { target: ByteBuf::from("a\0b") },
        ] {
            let items = vec![Item { what: what.clone(), ..item("a") }];
            let encoded = Manifest { items, ..Manifest::default() }.encode().unwrap();
            assert_eq!(Manifest::decode(&encoded), Err(Damaged), "{what:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(manifest) = Manifest::decode(&bytes) {
                prop_assert_eq!(Manifest::decode(&manifest.encode().unwrap()), Ok(manifest));
            }
        }
    }
}
