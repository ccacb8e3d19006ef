//! Checks that the blobs of entries and of their manifests are what was written.

use super::{Examination, Floor, Useless, What, inventory::Inventory, is_file, unreadable};
use crate::blobs::{self, Form};
use crate::evicted::Noted;
use crate::{Root, young};
use cachex_base::record::entry::{BlobRef, Entry, Key};
use cachex_base::system::fsutil;
use cachex_base::system::progress::{self, Stage};
use std::collections::{BTreeMap, BTreeSet};

/// The owner of a reference to a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Entry(Key, Floor),
    /// A manifest, which is a blob too.
    Manifest([u8; 32]),
}

/// The blobs that are referenced.
#[derive(Default)]
pub struct BlobRefs {
    /// The length of each blob, and its owners.
    blobs: BTreeMap<[u8; 32], (u64, Vec<Owner>)>,
    /// The blobs that are referenced as manifests.
    manifests: BTreeMap<[u8; 32], BlobRef>,
}

impl BlobRefs {
    /// Adds the blobs of an entry.
    pub fn add(&mut self, entry: &Entry, floor: Floor) {
        for blob in entry.blobs() {
            self.need(&blob, Owner::Entry(entry.key, floor));
        }
        self.manifests.extend(entry.manifest().map(|manifest| (manifest.hash, manifest)));
    }

    fn need(&mut self, blob: &BlobRef, owner: Owner) {
        let (_, owners) = self.blobs.entry(blob.hash).or_insert((blob.len, Vec::new()));
        if owners.last() != Some(&owner) {
            owners.push(owner);
        }
    }

    /// Adds the files that the manifests list. A manifest that cannot be read is reported when
    /// the blobs are checked.
    fn add_files(&mut self, root: &Root) {
        let manifests: Vec<_> = self.manifests.values().copied().collect();
        for manifest in manifests {
            let Ok(Some(list)) = blobs::manifest(root, &manifest) else { continue };
            for file in list.blobs() {
                self.need(&file, Owner::Manifest(manifest.hash));
            }
        }
    }

    /// Returns the entries that are useless without a blob.
    fn users(&self, blob: &[u8; 32]) -> Vec<(Key, Floor)> {
        let owners = self.blobs.get(blob).map_or(&[][..], |(_, owners)| owners);
        let users = owners.iter().flat_map(|owner| match owner {
            Owner::Entry(key, floor) => vec![(*key, *floor)],
            // A manifest that lists another one as an ordinary file does not need the files of
            // that one.
            Owner::Manifest(hash) => {
                let (_, owners) = &self.blobs[hash];
                let entries = owners.iter().filter_map(|owner| match owner {
                    Owner::Entry(key, floor) => Some((*key, *floor)),
                    Owner::Manifest(_) => None,
                });
                entries.collect()
            }
        });
        users.collect()
    }
}

impl Examination {
    /// Reads every blob that is referenced, and finds those that are not.
    pub(super) fn blobs(&mut self, root: &Root, inventory: &Inventory, mut needs: BlobRefs) {
        needs.add_files(root);
        // The next fold drops the entries without them.
        let evicted = Noted::read(root).unwrap_or_default().blobs;
        let mut none_needs = inventory.blobs.clone();
        let lens = needs.blobs.values().map(|(len, _)| *len);
        progress::begin(Stage::CheckingOutputs, lens.fold(0, u64::saturating_add));
        for (hash, (len, _)) in &needs.blobs {
            let blob = BlobRef { hash: *hash, len: *len };
            let lists = needs.manifests.contains_key(hash);
            let (mut is_whole, mut is_known) = (false, true);
            for form in Form::ALL {
                none_needs.remove(&(*hash, form));
                match verify(root, &blob, lists, form) {
                    Ok(Verdict::Whole) => is_whole = true,
                    Ok(Verdict::Damaged) => {
                        self.add(form.path(hash), What::DamagedBlob);
                        self.damaged.push(Damaged { blob, lists, form });
                    }
                    Ok(Verdict::Gone) => {}
                    Err(errno) => {
                        self.add(form.path(hash), unreadable(errno));
                        is_known = false;
                    }
                }
            }
            progress::advance(*len);
            if is_whole {
                self.blobs += 1;
                self.blob_bytes += len;
            }
            if is_whole || !is_known || evicted.contains(hash) {
                continue;
            }
            let users = needs.users(hash).into_iter();
            self.useless.extend(users.map(|(key, floor)| Useless { key, floor, blob }));
        }
        // Two damaged blobs make an entry no more useless than one.
        let useless: BTreeSet<(Key, Floor)> =
            self.useless.iter().map(|useless| (useless.key, useless.floor)).collect();
        for (key, floor) in useless {
            match floor {
                Floor::Young => self.add(young::path(&key), What::UselessEntry),
                Floor::Old => self.add_old(key, What::UselessEntry),
            }
        }
        if self.findings.iter().any(|finding| finding.what.hides()) {
            return;
        }
        for ((hash, form), len) in none_needs {
            self.add(form.path(&hash), What::Orphan(len));
        }
    }
}

pub enum Verdict {
    Whole,
    Damaged,
    Gone,
}

/// A blob that is not what was written.
#[derive(Clone, Copy, Debug)]
pub struct Damaged {
    /// The reference to the blob.
    pub blob: BlobRef,
    /// True if it should be a manifest.
    pub lists: bool,
    /// The form that is damaged.
    pub form: Form,
}

/// Verifies this form of a blob. With `lists`, the blob must be a manifest.
pub fn verify(root: &Root, blob: &BlobRef, lists: bool, form: Form) -> rustix::io::Result<Verdict> {
    match fsutil::stat(root, form.path(&blob.hash))? {
        Some(stat) if is_file(&stat) => {
            let whole = blobs::is_whole(root, blob, form)?
                && (!lists || blobs::manifest(root, blob)?.is_some());
            Ok(if whole { Verdict::Whole } else { Verdict::Damaged })
        }
        _ => Ok(Verdict::Gone),
    }
}
