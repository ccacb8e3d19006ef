//! Putting faults in: processes that die where a test says, damaged files,
//! and a store that is put back as it was.

use super::{Cachex, Call, Outcome, Running, World, contains, eventually};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Foreground, no limit on the size, no grace, not everything checked.
const FOLD: [&str; 5] = ["-", "-", "0", "0", "1"];
/// The same with everything checked.
const AUDIT: [&str; 5] = ["-", "-", "0", "1", "1"];

impl Call {
    /// Meets this fault: `POINT=WHAT` or `POINT:N=WHAT`, see `crates/base/src/system/failpoint.rs`.
    pub fn fault(self, fault: impl AsRef<str>) -> Call {
        self.env("CACHEX_TEST_FAULT", fault.as_ref())
    }

    /// Meets an error of the system each time it gets to this point.
    pub fn fails_at(self, point: &str, errno: rustix::io::Errno) -> Call {
        self.fault(format!("{point}={}", errno.raw_os_error()))
    }

    /// Is done by a user whom permissions bind: root is not. Everything in the
    /// world is that user's from then on.
    pub fn without_privileges(self) -> Call {
        if !rustix::process::geteuid().is_root() {
            return self;
        }
        self.launched_by(
            "chmod 755 .. && chown -R 65534:65534 .. && \
             exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"",
        )
    }

    /// Does it once, killed at each change to the store in turn, be it its own or
    /// that of a helper, until it survives; how many changes there were. Before each time the store is made
    /// by `prepare`, and what was left of it is looked at by `check`.
    #[track_caller]
    pub fn killed_everywhere(&self, prepare: impl Fn(), check: impl Fn(u32)) -> u32 {
        for n in 1.. {
            prepare();
            let outcome = self.clone().fault(format!("change:{n}=kill")).once();
            // Whose helper was killed says that it failed.
            if !outcome.was_killed() && !outcome.exited_with(1) {
                return n - 1;
            }
            check(n);
        }
        unreachable!()
    }
}

impl Cachex {
    /// What `cachex` starts for itself to reach the old store.
    pub fn helper(&self, op: &str) -> Call {
        self.cli(["__store", op]).with(self.store().to_str().unwrap())
    }

    /// A fold, in the foreground.
    pub fn fold(&self) -> Call {
        FOLD.iter().fold(self.helper("fold-now"), |call, arg| call.with(arg))
    }

    /// A fold that checks everything, in the foreground.
    pub fn audit(&self) -> Call {
        AUDIT.iter().fold(self.helper("fold-now"), |call, arg| call.with(arg))
    }

    /// Leaves entries in the old store alone.
    #[track_caller]
    pub fn folds_away(&self) {
        self.fold().once().exits(0);
        fs::remove_dir_all(self.store().join("v2/young")).unwrap();
    }
}

impl World {
    /// A file of the store.
    pub fn in_store(&self, name: impl AsRef<Path>) -> PathBuf {
        self.store().join(name)
    }

    /// Waits for a process that works on the store for another one.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn awaits_helper(&self) -> rustix::process::Pid {
        eventually("a helper", || {
            self.processes().into_iter().find(|pid| {
                let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
                line.is_ok_and(|line| contains(&line, b"__store"))
            })
        })
    }

    /// Waits until some process waits for a lock on a file, be it one that
    /// another process started for itself.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn awaits_a_waiter(&self) {
        self.awaits_waiters(1);
    }

    /// The same of so many.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn awaits_waiters(&self, count: usize) {
        eventually(&format!("{count} to wait for a lock"), || {
            let locks = fs::read_to_string("/proc/locks").unwrap();
            let waits = |pid: &String| {
                let is_its = |line: &str| line.split(' ').any(|word| word == pid);
                locks.lines().any(|line| line.contains("->") && is_its(line))
            };
            let pids = self.processes().into_iter().map(|pid| pid.as_raw_nonzero().to_string());
            (pids.filter(waits).count() >= count).then_some(())
        });
    }

    /// Waits until a process of this world holds this lock.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn awaits_holder(&self, lock: &str) {
        eventually(&format!("somebody to hold {lock}"), || {
            let inode = fs::metadata(self.in_store("v2/locks").join(lock)).ok()?.ino();
            let pids = self.processes().into_iter().map(|pid| pid.as_raw_nonzero().to_string());
            let pids: Vec<String> = pids.collect();
            let locks = fs::read_to_string("/proc/locks").unwrap();
            let is_held = locks.lines().filter(|line| !line.contains("->")).any(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                words[5].ends_with(&format!(":{inode}")) && pids.iter().any(|pid| pid == words[4])
            });
            is_held.then_some(())
        });
    }

    /// Keeps a copy of the store under this name.
    #[track_caller]
    pub fn keeps_store(&self, name: &str) {
        copy(&self.store(), &self.path(name));
    }

    /// Puts the store back as it was.
    #[track_caller]
    pub fn restores_store(&self, name: &str) {
        copy(&self.path(name), &self.store());
    }

    /// The names in the store's folder that begin so.
    pub fn names_in_store(&self, beginning: &str) -> Vec<String> {
        let entries = fs::read_dir(self.in_store("v2")).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.starts_with(beginning)).collect()
    }

    /// Nothing is left of those who died.
    #[track_caller]
    pub fn is_swept(&self) {
        for beginning in ["trash-", "events.draining-", "old.broken-"] {
            let left = self.names_in_store(beginning);
            assert!(left.is_empty(), "{left:?}");
        }
        let left = self.stored_in("v2/tmp");
        assert!(left.is_empty(), "{left:?}");
    }

    /// The beginnings of the keys that the filter holds; none without a filter.
    pub fn filter(&self) -> Option<Vec<[u8; 8]>> {
        let filter = fs::read(self.in_store("v2/old.keys")).ok()?;
        let (keys, rest) = filter[16..].as_chunks();
        assert!(rest.is_empty() && filter[8..16] == (keys.len() as u64).to_be_bytes());
        Some(keys.to_vec())
    }

    /// No key is in the database that the filter denies.
    #[track_caller]
    pub fn filter_is_superset(&self) {
        let database = self.in_store("v2/old");
        let (Some(filter), true) = (self.filter(), database.exists()) else { return };
        // What it was writing when it was killed.
        for entry in fs::read_dir(&database).unwrap().flatten() {
            if entry.file_name().as_encoded_bytes().ends_with(b".generating") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        let database = sled::Config::new().path(database).flush_every_ms(None).open().unwrap();
        for key in database.open_tree("entries").unwrap().iter().keys() {
            let key = key.unwrap();
            assert!(filter.contains(&key[..8].try_into().unwrap()), "{key:?} is not in old.keys");
        }
    }

    /// Whether there is a blob of this length that begins so.
    pub fn stores(&self, len: usize, beginning: &str) -> bool {
        self.stored_in("v2/blobs").into_iter().any(|path| {
            let content = fs::read(self.in_store(path)).unwrap();
            content.len() == len && content.starts_with(format!("{beginning}\n").as_bytes())
        })
    }

    /// The bytes that the store takes on disk.
    pub fn disk_use(&self) -> u64 {
        // What goes meanwhile takes nothing.
        let blocks =
            |path| fs::symlink_metadata(self.in_store(path)).map_or(0, |file| file.blocks());
        self.stored().into_iter().map(|path| blocks(path) * 512).sum()
    }
}

impl Running {
    /// Is killed after this time, wherever it is then.
    pub fn killed_after(self, delay: Duration) -> Outcome {
        let delay = rustix::event::Timespec::try_from(delay).unwrap();
        rustix::event::poll(&mut [], Some(&delay)).unwrap();
        // It may have ended, and waits to be reaped.
        self.signal(super::Signal::KILL);
        self.ends()
    }
}

/// `cp -a`, in place of what is there.
#[track_caller]
pub fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// Flips one bit of the byte at this place.
pub fn flip(path: &Path, at: u64) {
    change(path, at, 1, |bytes| bytes[0] ^= 1 << (at % 8));
}

/// Writes noise over 16 bytes.
pub fn overwrite(path: &Path, at: u64) {
    change(path, at, 16, |bytes| {
        let noise = blake3::hash(&at.to_le_bytes());
        let len = bytes.len();
        bytes.copy_from_slice(&noise.as_bytes()[..len]);
    });
}

fn change(path: &Path, at: u64, len: usize, work: impl FnOnce(&mut [u8])) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut bytes = vec![0; len];
    let len = file.read_at(&mut bytes, at).unwrap();
    work(&mut bytes[..len]);
    file.write_all_at(&bytes[..len], at).unwrap();
}

/// Places all over a file: each byte of a short one, and some of those of a
/// long one that are not zero, its beginning and its end among them.
pub fn places(path: &Path, most: usize) -> Vec<u64> {
    let content = fs::read(path).unwrap();
    let used: Vec<u64> =
        (0..content.len() as u64).filter(|&at| content[at as usize] != 0).collect();
    if content.len() <= most {
        return (0..content.len() as u64).collect();
    }
    let spread = used.len().div_ceil(most).max(1);
    let mut places: Vec<u64> = used.iter().copied().step_by(spread).collect();
    places.extend([content.len() as u64 / 2, content.len() as u64 - 1]);
    places
}
