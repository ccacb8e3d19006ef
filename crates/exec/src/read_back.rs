//! Notices that a command reads the file to which its own output goes.
//!
//! The output takes its way through a pipe. What the command finds in the file depends on how far it
//! has come, so such a run is not recorded.
//!
//! `grep -r word . >out` skips `out`, because that is its standard output. Under cachex it is given a
//! pipe instead, so it would find in `out` what it printed, print that again, and go on until the
//! disk is full. So output is held back from a process that prints and is getting on in the file.
//! Nothing is held back from one that waits in it for what is to come, as `tail -f` does.
//!
//! That a file was read, its time of access tells. By whom has to be looked for, and that now and then
//! where the file system keeps no such times (`noatime`): a short look at the file is missed there.
//! (`inotify` would wake cachex for that, but to close it takes milliseconds.)

#[cfg(target_os = "linux")]
pub use linux::ReadBack;

#[cfg(target_os = "linux")]
mod linux {
    use crate::descendants;
    use cachex_base::record::frames::Stream;
    use cachex_base::streams::nonblocking_writer;
    use cachex_base::system::procfs;
    use rustix::fd::BorrowedFd;
    use rustix::fs::{FileType, Stat, StatVfsMountFlags, fstat, fstatvfs};
    use rustix::process::Pid;
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::time::{Duration, Instant};

    /// The interval between two looks in multiples of what one takes.
    const SHARE: u32 = 50;
    /// The longest interval. A look that was interrupted takes long, and until the next one a command
    /// that copies its own output to itself would go on.
    const INTERVAL: Duration = Duration::from_millis(100);
    /// The time for which output is held back from a process that does not get on.
    const STILL: Duration = Duration::from_millis(20);

    /// A device and an inode.
    type File = (u64, u64);
    /// Seconds, and a fraction in nanoseconds.
    type Time = (i64, u64);

    /// A watch on who reads the files that cachex's own streams are.
    #[derive(Debug)]
    pub struct ReadBack {
        files: Vec<File>,
        /// The times at which they were read last.
        times: [Option<Time>; 2],
        /// The pipes that the command prints to.
        pipes: Vec<File>,
        /// Whether they were read since the last look.
        is_noted: bool,
        /// Whether their file systems may not tell.
        is_untold: bool,
        /// The descriptors below the command that the files were read by at the last look.
        readers: Vec<Reader>,
        due: Instant,
        /// The time at which a reader got on last.
        moved: Instant,
        was_read: bool,
    }

    /// A descriptor that a file is read by.
    #[derive(Debug, PartialEq, Eq)]
    struct Reader {
        process: u32,
        number: u32,
        /// Where it is in the file.
        offset: u64,
        /// Whether its process prints.
        prints: bool,
    }

    impl ReadBack {
        /// Starts to watch. None if no stream goes to a file.
        pub fn watch() -> Option<ReadBack> {
            let stats = Stream::BOTH.map(own_file);
            let file = |stat: &Stat| (stat.st_dev, stat.st_ino);
            let files: Vec<_> = stats.iter().flatten().map(file).collect();
            if files.is_empty() {
                return None;
            }
            let mut streams = Stream::BOTH.into_iter().zip(&stats);
            let is_untold = streams.any(|(stream, stat)| stat.is_some() && keeps_no_times(stream));
            let now = Instant::now();
            Some(ReadBack {
                files,
                times: stats.map(|stat| stat.as_ref().map(time_of_access)),
                pipes: Vec::new(),
                is_noted: false,
                is_untold,
                readers: Vec::new(),
                due: now,
                moved: now,
                was_read: false,
            })
        }

        /// Tells which pipes the command prints to.
        pub fn prints_to<'p>(&mut self, pipes: impl Iterator<Item = BorrowedFd<'p>>) {
            let stats = pipes.filter_map(|pipe| fstat(pipe).ok());
            self.pipes = stats.map(|stat| (stat.st_dev, stat.st_ino)).collect();
        }

        /// Returns when to look even if nothing happens.
        pub fn due(&self) -> Option<Instant> {
            (self.is_noted || !self.readers.is_empty()).then_some(self.due)
        }

        /// Returns whether the command or one of its descendants read one of the files. Call this when
        /// the command has ended.
        pub fn was_read(&mut self, leader: Pid) -> bool {
            // What is left of the command prints no more that would have to be held back.
            self.is_untold = false;
            self.due = Instant::now();
            self.look(leader, false);
            self.was_read
        }

        /// Looks who reads the files, if that is due. Returns whether the output has to be held back,
        /// or go on to be.
        pub fn look(&mut self, leader: Pid, is_held: bool) -> bool {
            let times = Stream::BOTH.map(|it| own_file(it).as_ref().map(time_of_access));
            self.is_noted |= std::mem::replace(&mut self.times, times) != times;
            let now = Instant::now();
            if !(self.is_untold || self.due().is_some()) || now < self.due {
                return is_held;
            }
            let processes = descendants::with(leader);
            let readers: Vec<_> =
                processes.iter().flat_map(|&process| self.readers_in(process)).collect();
            let is_noted = std::mem::take(&mut self.is_noted);
            // If nobody else has it open, it was a process that has ended since.
            self.was_read = self.was_read
                || !readers.is_empty()
                || is_noted && !self.is_read_by_others(&processes);
            let before = |now: &Reader| {
                let mut before = self.readers.iter();
                before.find(|it| (it.process, it.number) == (now.process, now.number))
            };
            let gets_on = |now: &Reader| {
                now.prints && before(now).is_some_and(|before| now.offset > before.offset)
            };
            if readers.iter().any(gets_on) {
                self.moved = now;
            }
            self.readers = readers;
            self.due = now + INTERVAL.min(SHARE * now.elapsed());
            let is_still = self.moved.elapsed() >= STILL;
            self.moved == now || is_held && !self.readers.is_empty() && !is_still
        }

        fn is_read_by_others(&self, own: &[u32]) -> bool {
            let others = procfs::Stat::all().map(|it| it.pid).filter(|pid| !own.contains(pid));
            others.into_iter().any(|process| !self.readers_in(process).is_empty())
        }

        /// Returns the descriptors by which a process reads the files.
        fn readers_in(&self, process: u32) -> Vec<Reader> {
            let opened =
                fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
            let (mut readers, mut prints) = (Vec::new(), false);
            for descriptor in opened {
                let Ok(stat) = fs::metadata(descriptor.path()) else { continue };
                let file = (stat.dev(), stat.ino());
                prints |= self.pipes.contains(&file);
                let number = descriptor.file_name().to_str().and_then(|name| name.parse().ok());
                if let Some(number) = number.filter(|_| self.files.contains(&file)) {
                    let offset = read_offset(process, number);
                    readers.extend(offset.map(|offset| Reader { process, number, offset, prints }));
                }
            }
            for reader in &mut readers {
                reader.prints = prints;
            }
            readers
        }
    }

    /// Returns the status of a stream of cachex's own, if it is a file.
    fn own_file(stream: Stream) -> Option<Stat> {
        let is_file = |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        fstat(nonblocking_writer::own(stream)).ok().filter(is_file)
    }

    /// Returns whether a stream goes to a file system without times of access.
    fn keeps_no_times(stream: Stream) -> bool {
        let stat = fstatvfs(nonblocking_writer::own(stream));
        stat.is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::NOATIME))
    }

    fn time_of_access(stat: &Stat) -> Time {
        (stat.st_atime, stat.st_atime_nsec)
    }

    /// Returns where a descriptor is in its file, if that was opened for reading alone.
    fn read_offset(process: u32, number: u32) -> Option<u64> {
        let about = fs::read_to_string(format!("/proc/{process}/fdinfo/{number}")).ok()?;
        let field = |name: &str| Some(about.lines().find_map(|it| it.strip_prefix(name))?.trim());
        let access =
            u32::from_str_radix(field("flags:")?, 8).ok()? & libc::O_ACCMODE.cast_unsigned();
        let is_for_reading = access == libc::O_RDONLY.cast_unsigned();
        is_for_reading.then(|| field("pos:")?.parse().ok()).flatten()
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::ReadBack;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use rustix::fd::BorrowedFd;
    use rustix::process::Pid;
    use std::time::Instant;

    /// Nothing: the system does not tell who reads a file.
    #[derive(Debug)]
    pub enum ReadBack {}

    impl ReadBack {
        pub fn watch() -> Option<ReadBack> {
            None
        }

        pub fn prints_to<'p>(&mut self, _: impl Iterator<Item = BorrowedFd<'p>>) {
            match *self {}
        }

        pub fn due(&self) -> Option<Instant> {
            match *self {}
        }

        pub fn was_read(&mut self, _: Pid) -> bool {
            match *self {}
        }

        pub fn look(&mut self, _: Pid, _: bool) -> bool {
            match *self {}
        }
    }
}
