//! When a remote store failed last, so that it is left alone for a while: a circuit
//! breaker that calls share, a file for look-ups and one for what is sent.
//!
//! After the pause one caller tries again, who first begins the pause anew: the others
//! go on without, and a store that is dead costs one time-out in a minute.

use crate::clock::Timestamp;
use crate::fsutil;
use crate::store::Root;
use crate::store::blobs::Temporary;
use std::path::PathBuf;
use std::time::Duration;

/// How long a store is left alone.
pub const PAUSE: Duration = Duration::from_mins(1);
/// No file is longer.
const LONGEST: usize = 1024;

/// A store that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it was last tried.
    pub at: Timestamp,
    /// Why it failed.
    pub why: String,
}

impl Outage {
    /// Whether it is going on. One from the future is of a clock that went backwards.
    fn is_going_on(&self) -> bool {
        Timestamp::now().since(self.at).is_some_and(|since| since < PAUSE)
    }

    /// Until when the store is left alone.
    pub fn until(&self) -> Timestamp {
        self.at.plus(PAUSE)
    }
}

/// The breaker of one store.
pub struct Gate<'a> {
    root: &'a Root,
    path: PathBuf,
}

impl<'a> Gate<'a> {
    /// That of look-ups.
    pub fn of_reads(root: &'a Root, id: &str) -> Gate<'a> {
        Gate { root, path: PathBuf::from(format!("{}/{id}.down", super::FOLDER)) }
    }

    /// That of what is sent.
    pub fn of_writes(root: &'a Root, id: &str) -> Gate<'a> {
        Gate { root, path: PathBuf::from(format!("{}/{id}.unsent", super::FOLDER)) }
    }

    /// The outage that is going on.
    pub fn outage(&self) -> Option<Outage> {
        self.failure().filter(Outage::is_going_on)
    }

    /// Whether the store may be asked now. Who may after an outage is the only one.
    pub fn passes(&self) -> Result<(), Outage> {
        match self.failure() {
            Some(outage) if outage.is_going_on() => Err(outage),
            Some(over) => {
                self.shut(&over.why);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// It failed just now.
    pub fn shut(&self, why: &str) {
        let text = format!("{}\n{why}\n", Timestamp::now().0);
        let text = &text.as_bytes()[..text.floor_char_boundary(LONGEST)];
        // A pause that is not written down is none, which costs time only.
        let _ = Temporary::create(self.root).and_then(|(name, file)| {
            fsutil::write_file(file, text)?;
            name.rename(&self.path)
        });
    }

    /// It did what it was asked for.
    pub fn open(&self) {
        let _ = fsutil::remove_file(self.root, &self.path);
    }

    /// The last failure, if nothing worked since.
    pub fn failure(&self) -> Option<Outage> {
        let file = fsutil::open_file(self.root, &self.path).ok()?;
        let mut text = [0; LONGEST];
        let len = fsutil::read_full(file, &mut text).ok()?;
        let (at, why) = std::str::from_utf8(&text[..len]).ok()?.split_once('\n')?;
        Some(Outage { at: Timestamp(at.parse().ok()?), why: why.trim_end().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{ago, scene};
    use rustix::fs::OFlags;

    #[test]
    fn who_comes_after_the_pause_is_alone() {
        let scene = scene();
        let gate = Gate::of_reads(&scene.root, "0123456789abcdef");
        assert_eq!(gate.passes(), Ok(()));
        gate.shut("it hangs");
        assert_eq!(gate.passes().unwrap_err().why, "it hangs");
        let old = Outage { at: ago(61), why: "it hung".to_owned() };
        let file = fsutil::create_file(&scene.root, &gate.path, OFlags::WRONLY).unwrap();
        fsutil::write_file(&file, format!("{}\n{}\n", old.at.0, old.why).as_bytes()).unwrap();
        assert_eq!((gate.outage(), gate.passes()), (None, Ok(())));
        assert_eq!(gate.passes().unwrap_err().why, "it hung");
        gate.open();
        assert_eq!(gate.passes(), Ok(()));
    }

    #[test]
    fn a_damaged_file_is_no_outage() {
        let scene = scene();
        let gate = Gate::of_writes(&scene.root, "0123456789abcdef");
        let file = fsutil::create_file(&scene.root, &gate.path, OFlags::WRONLY).unwrap();
        fsutil::write_file(&file, b"\xff\xffwhen").unwrap();
        assert_eq!(gate.passes(), Ok(()));
    }
}
