//! Files with several names: a hit restores one file, and all of its names.

use super::restore::{Refused, Restore, Staged, failed};
use super::{Barred, Declared, FileId, Place, id};
use cachex_base::record::manifest::{Manifest, What};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, Stat};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// The number of listed paths that are names of each file now. A file all of whose names are listed
/// may be replaced: nobody else keeps the old one.
#[derive(Default)]
pub(super) struct Names {
    listed: HashMap<FileId, u64>,
    /// True if the manifest has files, one of which may be a removed one under another name.
    has_files: bool,
}

impl Names {
    /// Counts the names. Nothing is examined if no file has several.
    pub fn of(declared: &Declared<'_>, manifest: &Manifest) -> Names {
        let any = |is: fn(&What) -> bool| manifest.items.iter().any(|item| is(&item.what));
        let has_files = any(|what| matches!(what, What::File { .. }));
        let mut names = Names { has_files, ..Names::default() };
        let is_removing = || any(|what| matches!(what, What::Absent { removed: true }));
        let has_names = any(|what| matches!(what, What::Name { .. }));
        if !(has_names || has_files && is_removing()) {
            return names;
        }
        for item in &manifest.items {
            let place = declared.place_of(item);
            if let Some(Ok(Some(stat))) = place.map(|place| declared.status(place))
                && stat.st_nlink > 1
            {
                *names.listed.entry(id(&stat)).or_default() += 1;
            }
        }
        names
    }

    /// Returns whether a file may be removed: its other names, if there are any, stay names of what
    /// they were. A run that renamed it left them names of a file that a hit would copy.
    pub fn may_go(&self, stat: &Stat) -> bool {
        stat.st_nlink == 1 || !self.has_files || self.all_names_of(stat)
    }

    /// Returns whether all names of a file are listed.
    #[allow(
        clippy::cast_lossless,
        clippy::unnecessary_cast,
        reason = "the type is another system's"
    )]
    pub fn all_names_of(&self, stat: &Stat) -> bool {
        self.listed.get(&id(stat)).is_some_and(|listed| *listed >= stat.st_nlink as u64)
    }
}

impl<'a> Restore<'a> {
    /// Prepares further names of files that stay, or that are staged.
    pub(super) fn name(
        &mut self,
        names: &[(Place<'a>, Place<'a>)],
        devices: &mut BTreeMap<u64, usize>,
    ) -> Result<(), Refused> {
        let staged = self.staged.iter().enumerate();
        let staged: HashMap<&Path, usize> = if names.is_empty() {
            HashMap::new()
        } else {
            staged.map(|(at, it)| (it.place.path, at)).collect()
        };
        for (place, of) in names {
            let first = staged.get(of.path).copied();
            self.name_one(*place, *of, first, devices)?;
        }
        Ok(())
    }

    fn name_one(
        &mut self,
        place: Place<'a>,
        of: Place<'a>,
        first: Option<usize>,
        devices: &mut BTreeMap<u64, usize>,
    ) -> Result<(), Refused> {
        let name = PathBuf::from(self.staged.len().to_string());
        let (staging, time) = if let Some(first) = first {
            let first = &self.staged[first];
            let staging = first.staging;
            let waiting = self.stagings[staging].as_fd();
            let linked = rustix::fs::linkat(waiting, &first.name, waiting, &name, AtFlags::empty());
            linked.map_err(|errno| failed(place)(errno.into()))?;
            (staging, first.time)
        } else {
            let status = |place| self.declared.status(place).map_err(failed(place));
            let (there, first) = (status(place)?, status(of)?);
            let Some(first) = first else { return Err(Refused::InTheWay(of.path.to_owned())) };
            if there.is_some_and(|there| id(&there) == id(&first)) {
                return Ok(());
            }
            let staging = self.staging(place, devices)?;
            let waiting = self.stagings[staging].as_fd();
            let link = |folder: BorrowedFd<'_>, first: &Path| {
                rustix::fs::linkat(folder, first, waiting, &name, AtFlags::empty())
            };
            let linked: Result<(), Barred> = self.declared.within(of, None, link);
            linked.map_err(|barred| match barred {
                Barred::System(Errno::NOENT) => Refused::InTheWay(of.path.to_owned()),
                barred => failed(place)(barred),
            })?;
            // The file gets its time where it is.
            (staging, None)
        };
        self.staged.push(Staged { place, staging, name, time });
        Ok(())
    }
}
