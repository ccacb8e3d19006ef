//! Puts prepared files in place: all of them, or none.

use super::restore::{Refused, Restore, Same, Staged, failed};
use super::staging::{exchange, put_new};
use super::{Barred, Place, bits};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, Mode, RawMode, Stat, Timespec, Timestamps};
use rustix::io::Errno;
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// A completed step, with what is needed to undo it.
enum Step<'r> {
    /// A folder was created, on the way to a place with this many components that may be links.
    Made(PathBuf, usize),
    /// A file was put where none existed.
    Placed(&'r Staged<'r>),
    /// The previous file was moved to the staging folder, under this name.
    Displaced(&'r Staged<'r>, PathBuf),
    /// A file with this former status got another time and perhaps other permissions.
    Touched(Place<'r>, &'r Stat),
    /// An empty folder with these permissions was removed.
    Unmade(Place<'r>, u32),
    /// A folder with these permissions got its final ones.
    Closed(Place<'r>, u32),
}

impl Restore<'_> {
    /// Puts everything in place, or leaves everything as it was.
    pub fn commit(mut self) -> Result<(), Refused> {
        let clock =
            Clock { is_shared: self.staged.len() + self.same.len() > 1, ..Clock::default() };
        let mut taken = Vec::new();
        let done = self.put_in_place(&clock, &mut taken);
        if done.is_err() {
            for step in taken.into_iter().rev() {
                // A step that cannot be undone stays.
                let _ = self.take_back(step);
            }
            return done;
        }
        if !std::mem::take(&mut self.stagings).is_empty() {
            self.date_folders(&clock);
        }
        Ok(())
    }

    /// Sets the times of folders once more, since one of them may have held a staging folder.
    fn date_folders(&self, clock: &Clock) {
        for Same { place, before, time, .. } in &self.same {
            if FileType::from_raw_mode(before.st_mode) == FileType::Directory {
                let date = |folder: BorrowedFd<'_>, name: &Path| clock.date(folder, name, *time);
                let _ = self.declared.within(*place, None, date);
            }
        }
    }

    fn put_in_place<'r>(&'r self, clock: &Clock, taken: &mut Vec<Step<'r>>) -> Result<(), Refused> {
        for (place, mode, _) in &self.folders {
            self.make_folder(*place, *mode, taken).map_err(failed(*place))?;
        }
        for staged in &self.staged {
            self.put(staged, clock, taken).map_err(failed(staged.place))?;
        }
        for removed in &self.removed {
            let waiting = self.stagings[removed.staging].as_fd();
            let remove = |folder: BorrowedFd<'_>, name: &Path| {
                rustix::fs::renameat(folder, name, waiting, &removed.name)
            };
            match self.declared.within(removed.place, None, remove) {
                Ok(()) => taken.push(Step::Displaced(removed, removed.name.clone())),
                Err(Barred::System(Errno::NOENT)) => {}
                Err(barred) => return Err(failed(removed.place)(barred)),
            }
        }
        for (place, mode) in self.removed_folders.iter().rev() {
            let remove = |folder: BorrowedFd<'_>, name: &Path| {
                rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
            };
            match self.declared.within(*place, None, remove) {
                Ok(()) => taken.push(Step::Unmade(*place, *mode)),
                Err(Barred::System(Errno::NOENT)) => {}
                Err(Barred::System(Errno::NOTEMPTY)) => {
                    return Err(Refused::InTheWay(place.path.to_owned()));
                }
                Err(barred) => return Err(failed(*place)(barred)),
            }
        }
        for Same { place, mode, before, time } in &self.same {
            taken.push(Step::Touched(*place, before));
            let touch = |folder: BorrowedFd<'_>, name: &Path| {
                if let Some(mode) = mode {
                    change_mode(folder, name, *mode)?;
                }
                failpoint::at("touch")?;
                clock.date(folder, name, *time)
            };
            self.declared.within(*place, None, touch).map_err(failed(*place))?;
        }
        // Now that the folders are complete, set their times, and make some read-only.
        let is_open = |mode: u32| mode & 0o700 == 0o700;
        for (place, mode, time) in self.folders.iter().rev() {
            if is_open(*mode) && time.is_none() {
                continue;
            }
            let finish = |folder: BorrowedFd<'_>, name: &Path| {
                if !is_open(*mode) {
                    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
                    let open = bits(stat.st_mode);
                    taken.push(Step::Closed(*place, open));
                    change_mode(folder, name, open & (mode | 0o7077))?;
                }
                time.map_or(Ok(()), |time| clock.date(folder, name, Some(time)))
            };
            self.declared.within(*place, None, finish).map_err(failed(*place))?;
        }
        Ok(())
    }

    /// Puts a file in place.
    fn put<'r>(
        &'r self,
        staged: &'r Staged<'r>,
        clock: &Clock,
        taken: &mut Vec<Step<'r>>,
    ) -> Result<(), Barred> {
        let waiting = self.stagings[staged.staging].as_fd();
        let aside = staged.name.with_extension("displaced");
        let mut displaced = None;
        let mut made = Vec::new();
        let put = |folder: BorrowedFd<'_>, name: &Path| {
            failpoint::at("place")?;
            clock.date(waiting, &staged.name, staged.time)?;
            if put_new(waiting, &staged.name, folder, name)? {
                return Ok(());
            }
            displaced = Some(exchange(waiting, &staged.name, &aside, folder, name)?);
            Ok(())
        };
        let done = self.declared.within(staged.place, Some(&mut made), put);
        taken.extend(made.into_iter().map(|path| Step::Made(path, staged.place.free)));
        done?;
        taken.push(match displaced {
            Some(name) => Step::Displaced(staged, name),
            None => Step::Placed(staged),
        });
        Ok(())
    }

    fn make_folder<'r>(
        &'r self,
        place: Place<'r>,
        mode: u32,
        taken: &mut Vec<Step<'r>>,
    ) -> Result<(), Barred> {
        let mut made = Vec::new();
        let mut is_new = false;
        let make = |folder: BorrowedFd<'_>, name: &Path| {
            // Its contents have yet to be put there.
            let open = mode | 0o700;
            match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(open as RawMode)) {
                Err(Errno::EXIST) => return Ok(()),
                made => made?,
            }
            is_new = true;
            Ok(())
        };
        let done = self.declared.within(place, Some(&mut made), make);
        made.extend(is_new.then(|| place.path.to_owned()));
        taken.extend(made.into_iter().map(|path| Step::Made(path, place.free)));
        done
    }

    fn take_back(&self, step: Step<'_>) -> Result<(), Barred> {
        match step {
            Step::Made(path, free) => {
                self.declared.within(Place { path: &path, free }, None, |folder, name| {
                    rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
                })
            }
            Step::Unmade(place, mode) => self.declared.within(place, None, |folder, name| {
                rustix::fs::mkdirat(folder, name, Mode::RWXU)?;
                change_mode(folder, name, mode)
            }),
            Step::Placed(staged) => {
                let waiting = self.stagings[staged.staging].as_fd();
                self.declared.within(staged.place, None, |folder, name| {
                    rustix::fs::renameat(folder, name, waiting, &staged.name)
                })
            }
            Step::Displaced(staged, aside) => {
                let waiting = self.stagings[staged.staging].as_fd();
                self.declared.within(staged.place, None, |folder, name| {
                    rustix::fs::renameat(waiting, &aside, folder, name)
                })
            }
            Step::Touched(place, before) => self.declared.within(place, None, |folder, name| {
                if FileType::from_raw_mode(before.st_mode) != FileType::Symlink {
                    change_mode(folder, name, bits(before.st_mode))?;
                }
                let times = times(before);
                rustix::fs::utimensat(folder, name, &times, AtFlags::SYMLINK_NOFOLLOW)
            }),
            Step::Closed(place, mode) => {
                self.declared.within(place, None, |folder, name| change_mode(folder, name, mode))
            }
        }
    }
}

/// The time of a hit in the file system's resolution, taken from the first file that gets it.
#[derive(Default)]
struct Clock {
    is_shared: bool,
    now: Cell<Option<Timespec>>,
}

impl Clock {
    /// Sets a file's time; none means that of the hit.
    fn date(
        &self,
        folder: BorrowedFd<'_>,
        name: &Path,
        time: Option<i64>,
    ) -> rustix::io::Result<()> {
        const SECOND: i64 = 1_000_000_000;
        let set = |times: &Timestamps| {
            rustix::fs::utimensat(folder, name, times, AtFlags::SYMLINK_NOFOLLOW)
        };
        let at = |time: Timespec| Timestamps { last_modification: time, ..fsutil::NOW };
        match (time, self.now.get()) {
            (Some(time), _) => set(&at(Timespec {
                tv_sec: time.div_euclid(SECOND) as _,
                tv_nsec: time.rem_euclid(SECOND) as _,
            })),
            (None, Some(now)) => match set(&at(now)) {
                // Only the owner may set a chosen time.
                Err(Errno::PERM) => set(&fsutil::NOW),
                done => done,
            },
            (None, None) => {
                set(&fsutil::NOW)?;
                if self.is_shared {
                    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
                    self.now.set(Some(times(&stat).last_modification));
                }
                Ok(())
            }
        }
    }
}

fn change_mode(folder: BorrowedFd<'_>, name: &Path, mode: u32) -> rustix::io::Result<()> {
    failpoint::at("chmod")?;
    rustix::fs::chmodat(folder, name, Mode::from_raw_mode(mode as RawMode), AtFlags::empty())
}

/// Returns the times of a file.
fn times(stat: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds| Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    Timestamps {
        last_access: time(stat.st_atime as _, stat.st_atime_nsec as _),
        last_modification: time(stat.st_mtime as _, stat.st_mtime_nsec as _),
    }
}
