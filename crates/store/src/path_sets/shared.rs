//! Path sets as they are sent to other stores.
//!
//! ```text
//! one zstd frame of: form (1) | number of sets (1) | sets, the last used first
//! set: ties (1) | number of facts (4) | facts in order
//! fact: bytes shared with the path before (2) | length of the rest (2) | the rest | class (1)
//!     | in an archive: value (32)
//! ```
//!
//! Stamps stay behind, so each receiver checks every fact itself: a file by its content. Values
//! stay behind too when a set goes to a remote store, whose readers could otherwise use them to
//! guess the contents of short files.
//!
//! Nothing from there is trusted. A path set makes its reader ask the system about paths and hash
//! regular files. The result is a key, which never leaves the machine as it is. So it is checked
//! that this ends, and that looking changes nothing: paths are canonical and limited in number,
//! nothing is mounted by a look-up, and of the files that the kernel generates, only those known
//! to be harmless are read.

use super::codec::{put_path, put_ties, take, take_path, tied_set};
use super::ground::{ABOVE, is_within};
use super::{Ground, MOST, NO_FOLDER, PathSet};
use cachex_trace::{Class, Fact, Stamp, Value};
use std::io::Read;
use std::rc::Rc;
use zstd::stream::read::Decoder;

/// The maximum packed size, in bytes: some servers take no more.
pub const LONGEST: usize = (1 << 20) - 1024;
/// The maximum unpacked size, in bytes.
const LONGEST_UNPACKED: usize = 32 << 20;
/// The binary logarithm of the largest window of a frame, in bytes.
const WINDOW: u32 = 23;
/// The maximum number of facts in a set.
const MOST_FACTS: usize = 400_000;
/// The maximum length of a path, in bytes.
const LONGEST_PATH: usize = 4095;
/// The maximum number of bytes to hash to see whether another machine's result fits.
const MOST_BYTES: u64 = 4 << 30;
/// The forms: facts without values, and with them.
const FORMS: [u8; 2] = [1, 2];

/// Paths of files that the kernel generates and that anybody may read.
const HARMLESS: [&[u8]; 8] = [
    b"/proc/cpuinfo",
    b"/proc/filesystems",
    b"/proc/meminfo",
    b"/proc/self/mountinfo",
    b"/proc/sys/",
    b"/proc/version",
    b"/sys/devices/system/",
    b"/sys/kernel/mm/",
];

/// Packs as many sets as there is room for, starting with the first. Returns `None` if there is
/// no room for any.
pub fn pack(sets: &[PathSet], with_values: bool) -> Option<Vec<u8>> {
    let mut count = sets.len().min(MOST);
    while count > 0 {
        let bytes = unpacked(&sets[..count], with_values);
        if bytes.len() <= LONGEST_UNPACKED {
            let packed = zstd::bulk::compress(&bytes, zstd::DEFAULT_COMPRESSION_LEVEL).ok()?;
            if packed.len() <= LONGEST {
                return Some(packed);
            }
        }
        count -= 1;
    }
    None
}

fn unpacked(sets: &[PathSet], with_values: bool) -> Vec<u8> {
    let mut bytes = vec![FORMS[usize::from(with_values)], sets.len() as u8];
    for set in sets {
        put_ties(&mut bytes, set.ties);
        bytes.extend((set.facts.len() as u32).to_le_bytes());
        let mut before: &[u8] = &[];
        for fact in &set.facts {
            let path = set.stored(&fact.path);
            put_path(&mut bytes, before, path);
            bytes.push(fact.class as u8);
            if with_values {
                bytes.extend(fact.value.0);
            }
            before = path;
        }
    }
    bytes
}

/// Unpacks sets for a call made on `ground`. Returns `None` if they are not what was packed, or
/// must not be looked at.
pub fn unpack(packed: &[u8], ground: Option<&Rc<Ground>>) -> Option<Vec<PathSet>> {
    if packed.len() > LONGEST {
        return None;
    }
    let mut decoder = Decoder::new(packed).ok()?;
    decoder.window_log_max(WINDOW).ok()?;
    let mut bytes = Vec::new();
    decoder.take(LONGEST_UNPACKED as u64 + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() > LONGEST_UNPACKED {
        return None;
    }
    let mut rest = &bytes[..];
    let [form, count] = take(&mut rest)?;
    if !FORMS.contains(&form) || usize::from(count) > MOST {
        return None;
    }
    let with_values = form == FORMS[1];
    let sets = (0..count).map(|_| set(&mut rest, with_values, ground)).collect::<Option<_>>()?;
    rest.is_empty().then_some(sets)
}

fn set(rest: &mut &[u8], with_values: bool, ground: Option<&Rc<Ground>>) -> Option<PathSet> {
    let mut set = tied_set(rest, ground)?;
    let count = u32::from_le_bytes(take(rest)?) as usize;
    if count > MOST_FACTS {
        return None;
    }
    for _ in 0..count {
        let path = take_path(rest, set.last_path())?;
        let [class] = take(rest)?;
        let class = *Class::ALL.get(usize::from(class))?;
        let value = if with_values { Value(take(rest)?) } else { Value([0; 32]) };
        if !is_plain(&path, set.moves()) || !is_harmless(&path, class) {
            return None;
        }
        if set.facts.last().is_some_and(|last| (&last.path, &last.class) >= (&path, &class)) {
            return None;
        }
        set.facts.push(Fact { path, class, value, stamp: None });
        set.told_by.push(NO_FOLDER);
    }
    set.id = set.id_of(set.facts.iter().map(|fact| (&fact.path[..], fact.class)));
    Some(set.with_met_paths())
}

/// Returns whether a path may occur in a set: it is canonical, and if the set `moves`, it may
/// also be relative to the base folder, or a name that must be absent above that.
fn is_plain(path: &[u8], moves: bool) -> bool {
    let is_name = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    if path.contains(&0) || path.len() > LONGEST_PATH {
        return false;
    }
    match path.strip_prefix(b"/") {
        Some(b"") => true,
        Some(below) => below.split(|&byte| byte == b'/').all(is_name),
        None if !moves => false,
        None => match path.strip_prefix(ABOVE) {
            Some(name) => is_name(name) && !name.contains(&b'/'),
            None => path.is_empty() || path.split(|&byte| byte == b'/').all(is_name),
        },
    }
}

/// Returns whether looking at a path changes nothing and ends.
fn is_harmless(path: &[u8], class: Class) -> bool {
    let reads = matches!(class, Class::Contents | Class::Listing | Class::Attributes);
    let is_made_up = [&b"/proc"[..], b"/sys"].iter().any(|it| is_within(path, it));
    let is_known = HARMLESS.iter().any(|it| path.starts_with(it));
    // Looking at such a path mounts what is there.
    let mounts = path.starts_with(b"/net/");
    !mounts && (!reads || !is_made_up || is_known)
}

impl PathSet {
    /// Returns whether another machine can use the set: its files are known by their contents,
    /// and anybody may look at them.
    pub fn can_leave(&self) -> bool {
        self.ties.is_some() && self.is_harmless()
    }

    /// Returns whether looking at the set's paths changes nothing.
    pub fn is_harmless(&self) -> bool {
        self.facts.iter().all(|fact| is_harmless(&fact.path, fact.class))
    }

    /// Returns whether the files at the set's paths can be hashed in a moment.
    pub fn is_soon_looked_at(&self) -> bool {
        let mut left = MOST_BYTES;
        let mut read = self.facts.iter().filter(|fact| fact.class == Class::Contents);
        read.all(|fact| {
            let len = Stamp::at(&fact.path).map_or(0, |stamp| stamp.size);
            let is_little = len <= left;
            left = left.saturating_sub(len);
            is_little
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ties;
    use super::*;
    use proptest::prelude::*;

    fn fact(path: &str, class: Class) -> Fact {
        Fact { path: path.as_bytes().to_vec(), class, value: Value([7; 32]), stamp: None }
    }

    fn ground(base: &str) -> Rc<Ground> {
        Rc::new(Ground::new(base.as_bytes().to_vec(), Vec::new(), Vec::new()))
    }

    fn of_run(base: &str, facts: Vec<Fact>) -> PathSet {
        PathSet::of_portable_run(facts, 0, &ground(base), Ties::default())
    }

    /// Builds a set of these paths as nobody packs it.
    fn forged(paths: &[(&str, Class)], ties: u8) -> Option<Vec<PathSet>> {
        let mut bytes = vec![FORMS[0], 1, ties];
        bytes.extend((paths.len() as u32).to_le_bytes());
        for (path, class) in paths {
            put_path(&mut bytes, b"", path.as_bytes());
            bytes.push(*class as u8);
        }
        unpack(&zstd::bulk::compress(&bytes, 1).unwrap(), None)
    }

    #[test]
    fn another_checkout_finds_its_own_files_under_the_same_id() {
        let facts = |base: &str| {
            vec![
                fact(base, Class::Access),
                fact(&format!("{base}/src/a.c"), Class::Contents),
                fact("/usr/bin/cc", Class::Contents),
            ]
        };
        let one = of_run("/home/a/p", facts("/home/a/p"));
        let two = of_run("/srv/deep/er/p", facts("/srv/deep/er/p"));
        assert_eq!(one.id(), two.id());
        let key = super::super::Key([1; 32]);
        assert_eq!(one.last_key(&key), two.last_key(&key));
        let there = unpack(
            &pack(std::slice::from_ref(&one), true).unwrap(),
            Some(&ground("/srv/deep/er/p")),
        );
        let [there] = &there.unwrap()[..] else { panic!() };
        assert_eq!((there.id(), &there.facts), (two.id(), &two.facts));
        assert_eq!(there.last_key(&key), two.last_key(&key));
        let without =
            unpack(&pack(std::slice::from_ref(&one), false).unwrap(), Some(&ground("/home/a/p")));
        let without = without.unwrap();
        assert_eq!(without[0].id(), one.id());
        assert!(without[0].facts.iter().all(|fact| fact.value == Value([0; 32])));
    }

    #[test]
    fn a_tied_set_leads_elsewhere_from_another_folder() {
        let facts = |base: &str| vec![fact(&format!("{base}/a.c"), Class::Contents)];
        let tied = |base: &str, ties| PathSet::of_portable_run(facts(base), 0, &ground(base), ties);
        let key = super::super::Key([1; 32]);
        for (ties, siblings_share) in [
            (Ties { base: true, ..Ties::default() }, false),
            (Ties { parent: true, ..Ties::default() }, true),
        ] {
            let [one, two, three] =
                ["/a/one", "/a/two", "/b/one"].map(|base| tied(base, ties).last_key(&key));
            assert_eq!(one == two, siblings_share, "{ties:?}");
            assert_ne!(one, three, "{ties:?}");
        }
    }

    #[test]
    fn what_no_run_leads_to_is_not_looked_at() {
        let accepted = [
            ("", Class::Access),
            ("../x", Class::Kind),
            ("/sysroot/x", Class::Contents),
            ("/usr/x", Class::Stat),
        ];
        assert!(forged(&accepted, 0).is_some());
        for path in
            ["..", "../..", "../a/b", "a/../b", "a//b", "./a", "/a/./b", "/..", "//", "a\0", "/a/"]
        {
            assert!(forged(&[(path, Class::Kind)], 0).is_none(), "{path:?}");
        }
        for (path, class) in [
            ("/proc/kcore", Class::Contents),
            ("/proc/kmsg", Class::Contents),
            ("/proc/1/fd", Class::Listing),
            ("/sys/kernel/debug/x", Class::Contents),
            ("/net/host/x", Class::Kind),
        ] {
            assert!(forged(&[(path, class)], 0).is_none(), "{path:?}");
        }
        // Out of order, twice, and what is not relative where nothing moves.
        assert!(forged(&[("b", Class::Kind), ("a", Class::Kind)], 0).is_none());
        assert!(forged(&[("a", Class::Kind), ("a", Class::Kind)], 0).is_none());
        assert!(forged(&[("a", Class::Kind)], 1).is_none());
        assert!(forged(&[("a", Class::Kind)], 8).is_none());
    }

    #[test]
    fn what_unpacks_to_more_than_anybody_packs_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; LONGEST_UNPACKED + 1], 1).unwrap();
        assert!(bomb.len() < LONGEST && unpack(&bomb, None).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_sets_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes, None);
            let _ = unpack(&zstd::bulk::compress(&bytes, 1).unwrap(), None);
        }
    }
}
