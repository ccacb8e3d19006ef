//! The place where a portable call is made, and which of its facts apply elsewhere.
//!
//! A path set of a `--portable` call stores paths below the base folder relative to it, so another
//! checkout finds its own files at these paths. That is correct only if the run depended on nothing
//! whose location follows from that of the base folder. So the facts are sorted:
//!
//! - paths below the base folder move with it;
//! - a folder above the base folder being a folder says nothing;
//! - a name that is absent directly in a folder above it, as an upward search finds out, must be
//!   absent in each folder above the other base folder, and also where it was looked for;
//! - paths in system folders are the same wherever the base folder is;
//! - anything else ties the set to the parent of the base folder: however the run got there, a call
//!   from a sibling folder gets to the same place, and one from elsewhere has another key.
//!
//! Paths below `$HOME` or `$TMPDIR`, which are not part of the key of a portable call, tie the set
//! to these. The caller knows what ties it to the base folder: an output that names it, or a path
//! that leaves it by `..` or enters it from outside. A program that opens `/home/a/p/x` may have
//! derived the path from its working directory, and would open another one elsewhere, or may not.

use cachex_trace::{Class, Fact, Look, Value, facts};

/// Folders that belong to the system, wherever the base folder is.
const SYSTEM: [&[u8]; 17] = [
    b"/usr", b"/lib", b"/lib32", b"/lib64", b"/libx32", b"/bin", b"/sbin", b"/opt", b"/nix",
    b"/gnu", b"/etc", b"/var", b"/run", b"/dev", b"/proc", b"/sys", b"/tmp",
];

/// The prefix of paths that must be absent above the base folder.
pub const ABOVE: &[u8] = b"../";

/// The scope in which a path set is valid, besides its facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    /// Valid only for this base folder.
    pub base: bool,
    /// Valid only for base folders with this parent.
    pub parent: bool,
    /// Valid only for these values of `HOME` and `TMPDIR`.
    pub home: bool,
}

impl Ties {
    /// Returns the stored form.
    pub fn bits(self) -> u8 {
        u8::from(self.base) | u8::from(self.home) << 1 | u8::from(self.parent) << 2
    }

    /// Combines the ties of both.
    #[must_use]
    pub fn and(self, other: Ties) -> Ties {
        Ties {
            base: self.base || other.base,
            parent: self.parent || other.parent,
            home: self.home || other.home,
        }
    }

    /// Parses the stored form.
    pub fn of_bits(bits: u8) -> Option<Ties> {
        let has = |bit: u8| bits & bit != 0;
        (bits < 8).then_some(Ties { base: has(1), home: has(2), parent: has(4) })
    }
}

/// The place where a portable call is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// The base folder, canonical.
    base: Vec<u8>,
    /// Other names of the base folder.
    names: Vec<Vec<u8>>,
    /// `HOME` and `TMPDIR` as they are set, and their targets.
    homes: Vec<Vec<u8>>,
}

impl Ground {
    /// Creates the ground of a call with this base folder, its other names, and these folders that
    /// the key does not include.
    pub fn new(base: Vec<u8>, names: Vec<Vec<u8>>, homes: Vec<Vec<u8>>) -> Ground {
        Ground { base, names, homes }
    }

    /// Returns the base folder.
    pub fn base(&self) -> &[u8] {
        &self.base
    }

    /// Returns all names of the base folder.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.base).chain(&self.names).map(Vec::as_slice)
    }

    /// Returns the folders that the key does not include.
    pub fn homes(&self) -> impl Iterator<Item = &[u8]> {
        self.homes.iter().map(Vec::as_slice)
    }

    /// Hashes the places that a set with these ties is valid for.
    pub fn tie(&self, ties: Ties, hasher: &mut blake3::Hasher) {
        hasher.update(&[ties.bits()]);
        let names = self.names().filter(|_| ties.base);
        let parent = Some(super::parent(&self.base)).filter(|_| ties.parent);
        let homes = self.homes().filter(|_| ties.home);
        // Each list ends with an empty name, which no folder has.
        let parts = names.chain([&b""[..]]).chain(parent).chain([&b""[..]]).chain(homes);
        for folder in parts {
            hasher.update(&(folder.len() as u32).to_le_bytes());
            hasher.update(folder);
        }
    }

    /// Returns a path relative to the base folder, if it lies below it.
    pub fn below<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        let rest = path.strip_prefix(&self.base[..])?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix(b"/") }
    }

    /// Returns the absolute path of a stored path.
    pub fn path(&self, stored: Vec<u8>) -> Vec<u8> {
        if stored.starts_with(b"/") || stored.starts_with(ABOVE) {
            return stored;
        }
        if stored.is_empty() {
            return self.base.clone();
        }
        [&self.base[..], b"/", &stored].concat()
    }

    /// Returns the folders above the base folder, including the root.
    fn above(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.base.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        ends.map(|(at, _)| if at == 0 { &b"/"[..] } else { &self.base[..at] })
    }

    /// Looks for this name in all folders above the base folder; absent if none has it.
    pub fn look_above(&self, path: &[u8]) -> Look {
        let name = path.strip_prefix(ABOVE).unwrap_or(path);
        let mut values = self.above().map(|folder| {
            let slash: &[u8] = if folder == b"/" { b"" } else { b"/" };
            facts::look(&[folder, slash, name].concat(), Class::Kind, None).value
        });
        let there = values.find(|value| !value.is_absent());
        Look { value: there.unwrap_or(Value::ABSENT), stamp: None }
    }

    /// Returns the facts of a run as its path set has them, and the ties of that set. `ties` are
    /// those already known.
    pub fn sort(&self, facts: Vec<Fact>, mut ties: Ties) -> (Vec<Fact>, Ties) {
        for fact in &facts {
            let place = self.place(fact);
            ties.parent |= place == Place::Elsewhere;
            ties.home |= !matches!(place, Place::Below | Place::Way) && self.is_at_home(&fact.path);
        }
        if ties.base {
            return (facts, ties);
        }
        let mut kept = Vec::with_capacity(facts.len());
        for fact in facts {
            match self.place(&fact) {
                Place::Way => {}
                Place::Above => {
                    let name = fact.path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
                    let above = Fact { path: [ABOVE, name].concat(), ..fact.clone() };
                    kept.extend([above, fact]);
                }
                _ => kept.push(fact),
            }
        }
        // Sorted by their stored form, so that the order is the same everywhere.
        let stored =
            |fact: &Fact| (self.below(&fact.path).unwrap_or(&fact.path).to_vec(), fact.class);
        kept.sort_by_cached_key(stored);
        kept.dedup_by(|one, other| (&one.path, one.class) == (&other.path, other.class));
        (kept, ties)
    }

    fn place(&self, fact: &Fact) -> Place {
        let path = &fact.path[..];
        if self.below(path).is_some() {
            return Place::Below;
        }
        let is_folder = fact.class == Class::Kind && fact.value.is_a_folder();
        if self.above().any(|folder| folder == path) {
            let shows_names =
                matches!(fact.class, Class::Listing | Class::Contents | Class::Details);
            return match path {
                _ if is_folder => Place::Way,
                // A look-up of the place of temporary files does not mean a sibling of the base.
                b"/" | b"/tmp" if !shows_names => Place::Fixed,
                _ => Place::Elsewhere,
            };
        }
        let folder = super::parent(path);
        if self.above().any(|above| above == folder) {
            let is_of_the_system = folder == b"/" && SYSTEM.contains(&path);
            if fact.value.is_absent() && fact.class == Class::Kind && !is_of_the_system {
                return Place::Above;
            }
        }
        let is_beside = self.above().any(|above| above != b"/" && is_within(path, above));
        if is_beside {
            Place::Elsewhere
        } else if self.is_at_home(path)
            || path == b"/"
            || SYSTEM.iter().any(|system| is_within(path, system))
        {
            Place::Fixed
        } else {
            Place::Elsewhere
        }
    }

    fn is_at_home(&self, path: &[u8]) -> bool {
        self.homes.iter().any(|home| !home.is_empty() && is_within(path, home))
    }
}

/// The location of a path relative to the base folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the base folder.
    Below,
    /// A folder on the way to it.
    Way,
    /// Absent, directly in a folder on the way.
    Above,
    /// In a place determined by the system or the user.
    Fixed,
    /// Anywhere else.
    Elsewhere,
}

/// Returns whether a canonical path is a folder or lies below it.
pub(super) fn is_within(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(path: &str, class: Class, value: Value) -> Fact {
        Fact { path: path.as_bytes().to_vec(), class, value, stamp: None }
    }

    fn sorted(facts: Vec<Fact>) -> (Vec<String>, Ties) {
        let ground = Ground::new(b"/home/a/p".to_vec(), Vec::new(), vec![b"/root".to_vec()]);
        let (facts, ties) = ground.sort(facts, Ties::default());
        let path = |fact: Fact| String::from_utf8(fact.path).unwrap();
        (facts.into_iter().map(path).collect(), ties)
    }

    fn is_tied(path: &str, class: Class, value: Value) -> bool {
        sorted(vec![fact(path, class, value)]).1.parent
    }

    #[test]
    fn what_lies_beside_the_base_folder_ties_the_set_to_its_neighbours() {
        let folder = facts::look(b"/", Class::Kind, None).value;
        let other = Value([7; 32]);
        for (path, class, value, expected) in [
            ("/home/a/p/src/x.c", Class::Contents, other, false),
            ("/home/a/p", Class::Listing, other, false),
            ("/home/a/p2/x.c", Class::Contents, other, true),
            ("/home/a", Class::Kind, folder, false),
            ("/home/a", Class::Listing, other, true),
            ("/home/a/package.json", Class::Kind, Value::ABSENT, false),
            ("/home/a/package.json", Class::Contents, other, true),
            ("/home/a/x/package.json", Class::Kind, Value::ABSENT, true),
            ("/package.json", Class::Kind, Value::ABSENT, false),
            ("/package.json", Class::Contents, other, true),
            ("/usr/include/stdio.h", Class::Contents, other, false),
            ("/data/stdio.h", Class::Contents, other, true),
            ("/tmp", Class::Access, other, false),
        ] {
            assert_eq!(is_tied(path, class, value), expected, "{path} {class:?}");
        }
    }

    #[test]
    fn what_was_not_found_above_is_looked_for_above_any_other_base_folder() {
        let absent = |path| fact(path, Class::Kind, Value::ABSENT);
        let (paths, ties) = sorted(vec![absent("/home/.x"), absent("/home/a/.x"), absent("/.x")]);
        assert_eq!(ties, Ties::default());
        assert_eq!(paths, ["../.x", "/.x", "/home/.x", "/home/a/.x"]);
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let base = top.join("one/two");
        std::fs::create_dir_all(&base).unwrap();
        let base = base.into_os_string().into_encoded_bytes();
        let ground = Ground::new(base, Vec::new(), Vec::new());
        assert!(ground.look_above(b"../.x-of-a-test").value.is_absent());
        std::fs::write(top.join(".x-of-a-test"), "").unwrap();
        assert!(!ground.look_above(b"../.x-of-a-test").value.is_absent());
    }

    #[test]
    fn what_lies_at_home_ties_the_set_to_that() {
        let (paths, ties) = sorted(vec![fact("/root/.config", Class::Kind, Value::ABSENT)]);
        assert_eq!(
            (&paths[..], ties),
            (&["/root/.config".to_owned()][..], Ties { home: true, ..Ties::default() })
        );
    }
}
