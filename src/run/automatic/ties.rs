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
use rustix::io::Errno;
use std::fs::{File, Metadata};
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

/// Opens a regular file; anything else has no content, and is an error.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let is_file = |metadata: Metadata| metadata.is_file().then_some(()).ok_or(Errno::INVAL);
    is_file(std::fs::symlink_metadata(path)?)?;
    let file = File::from(rustix::fs::open(path, flags | OFlags::NOCTTY, Mode::empty())?);
    is_file(file.metadata()?)?;
    Ok(file)
}

/// Returns the places for which the output of a run is valid.
pub(in crate::run) fn of_output(
    ground: &Ground,
    recording: &Recording<'_>,
    made: Option<&Collected<'_>>,
) -> Ties {
    let mut search = Search::new([ground.names().collect(), ground.homes().collect()]);
    let searched = search.output(recording, made);
    // Output that cannot be read may show anything.
    let [base, home] = if searched.is_ok() { search.found } else { [true; 2] };
    Ties { base, parent: false, home }
}

/// A search for two groups of paths, in one pass.
struct Search {
    groups: [Vec<Finder<'static>>; 2],
    longest: usize,
    /// True for each group of which a path was found.
    found: [bool; 2],
}

impl Search {
    fn new(groups: [Vec<&[u8]>; 2]) -> Search {
        // The root is part of every path.
        let groups = groups.map(|group| group.into_iter().filter(|path| path.len() > 1));
        let groups = groups.map(|group| group.map(|path| Finder::new(path).into_owned()));
        let groups = groups.map(Iterator::collect::<Vec<_>>);
        let lengths = groups.iter().flatten().map(|finder| finder.needle().len());
        Search { longest: lengths.max().unwrap_or(0), groups, found: [false; 2] }
    }

    /// Searches everything that a run printed and made.
    fn output(
        &mut self,
        recording: &Recording<'_>,
        made: Option<&Collected<'_>>,
    ) -> io::Result<()> {
        self.read(recording.reader()?)?;
        for item in made.into_iter().flat_map(Collected::items) {
            match &item.what {
                What::Symlink { target } => self.look(target),
                What::File { .. } | What::LeftAlone { .. } => self.read(open(item.path())?)?,
                What::Absent { .. } | What::Folder { .. } | What::Name { .. } => {}
            }
        }
        Ok(())
    }

    /// Returns whether nothing more can be found.
    fn is_over(&self) -> bool {
        self.found.iter().zip(&self.groups).all(|(found, group)| *found || group.is_empty())
    }

    fn look(&mut self, bytes: &[u8]) {
        for (found, group) in self.found.iter_mut().zip(&self.groups) {
            *found = *found || group.iter().any(|finder| finder.find(bytes).is_some());
        }
    }

    fn read(&mut self, mut from: impl Read) -> io::Result<()> {
        if self.is_over() {
            return Ok(());
        }
        let mut buffer = vec![0; CHUNK + self.longest];
        let mut kept = 0;
        loop {
            let n = match from.read(&mut buffer[kept..]) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = kept + n;
            self.look(&buffer[..end]);
            if self.is_over() {
                return Ok(());
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
        let found = |groups: [&[u8]; 2], text: &[u8]| {
            let mut search = Search::new(groups.map(|path| vec![path]));
            search.read(Bits(text)).unwrap();
            search.found
        };
        for at in 0..20 {
            let text = [&b"x".repeat(at)[..], b"/home/a/p/src"].concat();
            assert_eq!(found([b"/home/a/p", b"/home/b"], &text), [true, false], "{at}");
            assert_eq!(found([b"/home/b", b"/home/a"], &text), [false, true], "{at}");
            assert_eq!(found([b"/p/src", b"/home/a"], &text), [true, true], "{at}");
        }
        assert_eq!(found([b"/home/a/p", b"/"], b"/home/a/q/home/a"), [false, false]);
    }
}
