//! The ties that bind the result of a portable automatic call to the place where it was recorded.
//!
//! Another checkout has different paths, so a result that contains this checkout's path differs
//! from what the command would produce there. Paths are searched for verbatim: one that is
//! compressed, or assembled from parts, is not recognised.

use crate::config::{BaseFolder, var};
use crate::files::outputs::collect::Collected;
use crate::run::Runner;
use cachex_base::record::manifest::What;
use cachex_store::capture::Recording;
use cachex_store::path_sets::{Ground, Ties};
use memchr::memmem::Finder;
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The number of bytes read at a time.
const CHUNK: usize = 256 * 1024;

impl Runner<'_> {
    /// Returns the place of a portable automatic call; none for any other call.
    pub(in crate::run) fn ground(&self) -> Option<Rc<Ground>> {
        if !self.config.identity.portable || !self.is_automatic() {
            return None;
        }
        let bytes = |path: PathBuf| path.into_os_string().into_encoded_bytes();
        let base = self.base_folder()?;
        // Other names of the base: the shell's logical path, or the one given by the user.
        let is_base =
            |path: &Path| *path != base && path.canonicalize().ok().as_ref() == Some(&base);
        let logical = var(self.vars, "PWD").map(Path::new);
        let logical = logical.and_then(|pwd| pwd.ancestors().find(|above| is_base(above)));
        let given = match &self.config.identity.base {
            Some(BaseFolder::At(path)) => Some(path.as_path()).filter(|path| is_base(path)),
            _ => None,
        };
        let names = logical.into_iter().chain(given).filter(|path| path.is_absolute());
        let names = names.map(|path| bytes(path.to_owned())).collect();
        let homes = ["HOME", "TMPDIR"].into_iter().filter_map(|name| {
            let set = var(self.vars, name).map(PathBuf::from)?;
            Some([Some(set.clone()), set.canonicalize().ok()].into_iter().flatten())
        });
        let mut homes: Vec<Vec<u8>> = homes.flatten().map(bytes).collect();
        homes.dedup();
        Some(Rc::new(Ground::new(bytes(base), names, homes)))
    }
}

/// Opens a regular file; returns none for anything else, which has no content.
fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let file = File::from(rustix::fs::open(path, flags | OFlags::NOCTTY, Mode::empty())?);
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Returns the places for which the output of a run is valid.
pub(in crate::run) fn of_output(
    ground: &Ground,
    recording: &Recording<'_>,
    made: Option<&Collected<'_>>,
) -> Ties {
    let of_base = Needles::of(ground.names());
    let of_homes = Needles::of(ground.homes());
    let shows = |needles: &Needles| {
        let is_shown = recording.reader().and_then(|output| needles.are_read(output));
        is_shown.unwrap_or(true)
            || made.is_some_and(|made| {
                made.items().iter().any(|item| match &item.what {
                    What::Symlink { target } => needles.are_in(target),
                    What::File { .. } | What::LeftAlone { .. } => match open(item.path()) {
                        Ok(Some(file)) => needles.are_read(file).unwrap_or(true),
                        _ => true,
                    },
                    What::Absent { .. } | What::Folder { .. } | What::Name { .. } => false,
                })
            })
    };
    Ties { base: shows(&of_base), parent: false, home: shows(&of_homes) }
}

/// Paths to search for.
struct Needles {
    finders: Vec<Finder<'static>>,
    longest: usize,
}

impl Needles {
    fn of<'p>(paths: impl Iterator<Item = &'p [u8]>) -> Needles {
        // The root is part of every path.
        let paths: Vec<&[u8]> = paths.filter(|path| path.len() > 1).collect();
        let longest = paths.iter().map(|path| path.len()).max().unwrap_or(0);
        Needles {
            finders: paths.iter().map(|path| Finder::new(path).into_owned()).collect(),
            longest,
        }
    }

    fn are_in(&self, bytes: &[u8]) -> bool {
        self.finders.iter().any(|finder| finder.find(bytes).is_some())
    }

    fn are_read(&self, mut from: impl Read) -> io::Result<bool> {
        if self.finders.is_empty() {
            return Ok(false);
        }
        let mut buffer = vec![0; CHUNK + self.longest];
        let mut kept = 0;
        loop {
            let n = match from.read(&mut buffer[kept..]) {
                Ok(0) => return Ok(false),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = kept + n;
            if self.are_in(&buffer[..end]) {
                return Ok(true);
            }
            // A match may begin here and end in the next chunk.
            kept = end.min(self.longest - 1);
            buffer.copy_within(end - kept..end, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives three bytes at a time.
    struct Bits<'b>(&'b [u8]);
    impl Read for Bits<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(into.len()).min(3);
            into[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn a_path_is_found_wherever_reads_cut_it() {
        let needles = Needles::of([&b"/home/a/p"[..]].into_iter());
        for at in 0..20 {
            let text = [&b"x".repeat(at)[..], b"/home/a/p/src"].concat();
            assert!(needles.are_read(Bits(&text)).unwrap(), "{at}");
        }
        assert!(!needles.are_read(Bits(b"/home/a/q/home/a")).unwrap());
        assert!(!Needles::of([&b"/"[..]].into_iter()).are_read(Bits(b"/")).unwrap());
    }
}
