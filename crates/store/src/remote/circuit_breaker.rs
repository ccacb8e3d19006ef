//! Remembers failures of a remote store, so that it is not used for a while: a circuit breaker
//! shared by calls, with one file for look-ups and one for sending.
//!
//! After the pause one caller tries again, after restarting the pause: the others continue without
//! the store, and a dead store costs one time-out per minute. Of many callers that meet an outage
//! at the same time, one learns that it was the first, and reports it.

use crate::lock::{Lock, Mode};
use crate::{Root, temporary};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The pause after a failure,
pub const PAUSE: Duration = Duration::from_mins(1);
/// and its maximum where each failure doubles it.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The maximum length of a file.
const LONGEST: usize = 1024;
/// The number of attempts to take the lock of the files, and the pause between them. Its holder
/// only reads and writes one of them.
const TRIES: (u32, Duration) = (40, Duration::from_millis(5));

/// A failure of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The time of the last attempt.
    pub at: Timestamp,
    /// The reason for the failure.
    pub why: String,
    /// The time of the first failure; nothing has worked since.
    pub since: Timestamp,
    /// The number of complete failures since then; zero if the last one was partial.
    pub failures: u32,
}

impl Outage {
    /// Returns the length of the pause.
    fn pause(&self) -> Duration {
        if self.failures == 0 { Duration::ZERO } else { doubled(self.failures) }
    }

    /// Returns whether the outage is going on. A failure in the future comes from a clock that went
    /// backwards.
    fn is_going_on(&self) -> bool {
        Timestamp::now().since(self.at).is_some_and(|since| since < self.pause())
    }

    /// Returns the end of the pause.
    pub fn until(&self) -> Timestamp {
        self.at.plus(self.pause())
    }

    fn text(&self) -> String {
        let why = self.why.replace('\n', " ");
        let why = &why[..why.floor_char_boundary(LONGEST / 2)];
        format!("{}\n{why}\n{} {}\n", self.at.0, self.since.0, self.failures)
    }

    fn parse(text: &str) -> Option<Outage> {
        let mut lines = text.lines();
        let at = Timestamp(lines.next()?.parse().ok()?);
        let why = lines.next()?.to_owned();
        let more = lines.next().and_then(|line| line.split_once(' '));
        let (since, failures) = more.map_or((at, 1), |(since, failures)| {
            (since.parse().map_or(at, Timestamp), failures.parse().unwrap_or(1))
        });
        Some(Outage { at, why, since, failures })
    }
}

/// Returns the pause after this number of failures in a row.
pub fn doubled(failures: u32) -> Duration {
    let times = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    PAUSE.saturating_mul(times).min(LONGEST_PAUSE)
}

/// The permission to use a store now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// True for a retry after a failure: nobody else uses the store until its result is known.
    tries_again: bool,
}

/// The breaker of one store.
pub struct CircuitBreaker<'a> {
    root: &'a Root,
    id: String,
    path: PathBuf,
    /// True if each failure in a row makes the pause longer.
    grows: bool,
}

impl<'a> CircuitBreaker<'a> {
    fn new(root: &'a Root, id: &str, end: &str, grows: bool) -> CircuitBreaker<'a> {
        let path = PathBuf::from(format!("{}/{id}.{end}", super::FOLDER));
        CircuitBreaker { root, id: id.to_owned(), path, grows }
    }

    /// Creates the breaker of look-ups.
    pub fn of_reads(root: &'a Root, id: &str) -> CircuitBreaker<'a> {
        CircuitBreaker::new(root, id, "down", false)
    }

    /// Creates the breaker of sending.
    pub fn of_writes(root: &'a Root, id: &str) -> CircuitBreaker<'a> {
        CircuitBreaker::new(root, id, "unsent", true)
    }

    /// Returns the current outage.
    pub fn outage(&self) -> Option<Outage> {
        self.failure().filter(Outage::is_going_on)
    }

    /// Returns a pass if the store may be used now. After an outage, only one caller gets one.
    pub fn passes(&self) -> Result<Pass, Outage> {
        match self.failure() {
            Some(outage) if outage.is_going_on() => Err(outage),
            Some(_) => {
                let _turn = turn(self.root, &self.id);
                // Another process may have been first.
                match self.failure() {
                    Some(outage) if outage.is_going_on() => Err(outage),
                    Some(over) => {
                        self.write(&Outage { at: Timestamp::now(), ..over });
                        Ok(Pass { tries_again: true })
                    }
                    None => Ok(Pass { tries_again: true }),
                }
            }
            None => Ok(Pass { tries_again: false }),
        }
    }

    /// Records a failure of a caller with a pass. Returns the outage if another caller found it
    /// first.
    pub fn shut(&self, pass: Pass, why: &str) -> Option<Outage> {
        let _turn = turn(self.root, &self.id);
        let before = self.failure();
        let known = before.as_ref().filter(|it| it.is_going_on() && !pass.tries_again).cloned();
        if known.is_none() {
            self.note(before, why, 1);
        }
        known
    }

    /// Records that sending failed, completely or in part.
    pub fn failed(&self, why: &str, is_all: bool) {
        let _turn = turn(self.root, &self.id);
        self.note(self.failure(), why, u32::from(is_all));
    }

    fn note(&self, before: Option<Outage>, why: &str, more: u32) {
        let at = Timestamp::now();
        let since = before.as_ref().map_or(at, |before| before.since);
        let times = before.filter(|_| self.grows && more > 0).map_or(0, |before| before.failures);
        let failures = times.saturating_add(more);
        self.write(&Outage { at, why: why.to_owned(), since, failures });
    }

    fn write(&self, outage: &Outage) {
        // A pause that is not recorded is skipped, which only costs time.
        replace(self.root, &self.path, outage.text().as_bytes());
    }

    /// Records a success.
    pub fn open(&self) {
        let _ = fsutil::remove_file(self.root, &self.path);
    }

    /// Returns the last failure, if nothing has worked since.
    pub fn failure(&self) -> Option<Outage> {
        Outage::parse(&read(self.root, &self.path)?)
    }
}

/// Returns true to one of many callers, at most once in `span`.
pub fn once_in(root: &Root, id: &str, span: Duration) -> bool {
    let path = PathBuf::from(format!("{}/{id}.told", super::FOLDER));
    let is_due = || {
        let told = read(root, &path).and_then(|text| text.trim().parse().ok()).map(Timestamp);
        let since = told.and_then(|told| Timestamp::now().since(told));
        since.is_none_or(|since| since >= span)
    };
    let Some(_turn) = is_due().then(|| turn(root, id)).flatten() else { return false };
    is_due() && replace(root, &path, format!("{}\n", Timestamp::now().0).as_bytes())
}

/// Locks the files against changes; `None` if a stopped process holds the lock.
fn turn(root: &Root, id: &str) -> Option<Lock> {
    let name = format!("{}/{id}.gate", super::FOLDER);
    for _ in 0..TRIES.0 {
        if let Some(lock) = Lock::take(root, &name, Mode::TryExclusive).ok()? {
            return Some(lock);
        }
        std::thread::sleep(TRIES.1);
    }
    None
}

/// Reads a short text file.
pub fn read(root: &Root, path: &Path) -> Option<String> {
    let file = fsutil::open_file(root, path).ok()?;
    let mut text = [0; LONGEST];
    let len = fsutil::read_full(file, &mut text).ok()?;
    String::from_utf8(text[..len].to_vec()).ok()
}

/// Replaces a short file. Returns whether that worked.
pub fn replace(root: &Root, path: &Path, text: &[u8]) -> bool {
    temporary::put(root, path, text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ago, scene};
    use rustix::fs::OFlags;

    const ID: &str = "0123456789abcdef";
    const FIRST: Pass = Pass { tries_again: false };

    #[test]
    fn who_comes_after_the_pause_is_alone() {
        let scene = scene();
        let gate = CircuitBreaker::of_reads(&scene.root, ID);
        assert_eq!(gate.passes(), Ok(FIRST));
        assert_eq!(gate.shut(FIRST, "it hangs"), None);
        assert_eq!(gate.passes().unwrap_err().why, "it hangs");
        gate.write(&Outage { at: ago(61), ..gate.failure().unwrap() });
        let again = Pass { tries_again: true };
        assert_eq!((gate.outage(), gate.passes()), (None, Ok(again)));
        assert_eq!(gate.passes().unwrap_err().why, "it hangs");
        assert_eq!(gate.shut(again, "it hangs still"), None);
        gate.open();
        assert_eq!(gate.passes(), Ok(FIRST));
    }

    #[test]
    fn of_those_who_meet_an_outage_at_once_one_is_the_first() {
        let scene = scene();
        let gate = CircuitBreaker::of_reads(&scene.root, ID);
        assert_eq!(gate.shut(FIRST, "it hangs"), None);
        assert_eq!(gate.shut(FIRST, "it hangs, too").unwrap().why, "it hangs");
        let told = (0..5).filter(|_| once_in(&scene.root, ID, Duration::from_hours(1))).count();
        assert_eq!(told, 1);
    }

    #[test]
    fn what_is_not_taken_is_tried_ever_more_rarely_until_some_of_it_is() {
        let scene = scene();
        let gate = CircuitBreaker::of_writes(&scene.root, ID);
        gate.failed("full", true);
        let since = gate.failure().unwrap().since;
        let pauses = [1, 2, 4, 8, 16, 32, 60, 60].map(|minutes| {
            let failure = gate.failure().unwrap();
            gate.failed("full", true);
            assert_eq!(failure.pause(), Duration::from_mins(minutes));
            failure.since
        });
        assert_eq!(pauses, [since; 8]);
        gate.failed("one was too long", false);
        assert_eq!((gate.outage(), gate.failure().unwrap().since), (None, since));
    }

    #[test]
    fn a_damaged_file_is_no_outage() {
        let scene = scene();
        let gate = CircuitBreaker::of_writes(&scene.root, ID);
        let file = fsutil::create_file(&scene.root, &gate.path, OFlags::WRONLY).unwrap();
        fsutil::write_file(&file, b"\xff\xffwhen").unwrap();
        assert_eq!(gate.passes(), Ok(FIRST));
        // The format of an earlier version.
        let text = format!("{}\nit hung\n", ago(1).0);
        assert!(replace(&scene.root, &gate.path, text.as_bytes()));
        assert_eq!(gate.passes().unwrap_err().why, "it hung");
    }
}
