//! Detects that a command asked for keys and got none: it read the end of the input (Ctrl-D), or
//! waited until its time was up. [`crate::typed`] sees only what was typed.
//!
//! Nothing tells of that afterwards, so cachex looks from time to time which of the command's
//! processes wait for keys and for nothing else. One that waited and no longer does was answered.
//! Others watch the terminal in passing, such as `ssh`, which waits for its connection, too; they
//! are given the benefit of the doubt, unless something was typed that they did not read. So is a
//! process of several threads, and one that the terminal itself may have answered: keys of a person
//! are noted elsewhere.

#[cfg(target_os = "linux")]
pub use linux::Readers;

#[cfg(target_os = "linux")]
mod linux {
    use crate::descendants;
    use rustix::fd::AsFd;
    use rustix::fs::fstat;
    use rustix::process::Pid;
    use std::fs::{self, File};
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::time::{Duration, Instant};

    /// The shortest and the longest interval between two looks. It grows with the age of the run:
    /// what was typed ahead comes at once, and a person needs some time.
    const OFTEN: Duration = Duration::from_millis(5);
    const SELDOM: Duration = Duration::from_millis(50);
    /// The interval in multiples of what a look takes, at the least.
    const SHARE: u32 = 20;
    /// The maximum length of a set of descriptors that is looked at, in bytes.
    const LONGEST_SET: usize = 128;
    /// The maximum number of descriptors that are looked at.
    const MOST_LOOKED_AT: usize = 16;

    /// The processes that wait for keys.
    #[derive(Debug)]
    pub struct Readers {
        /// The device number of the terminal.
        terminal: u64,
        waiting: Vec<Waiting>,
        /// True if anything was passed on to the command since the last look.
        was_given_any: bool,
        was_answered: bool,
        was_watched: bool,
        began: Instant,
        due: Instant,
    }

    /// A process that waited for keys at the last look.
    #[derive(Debug)]
    struct Waiting {
        process: u32,
        /// True if it may have been given something: it is not known to go without.
        may_have_some: bool,
    }

    impl Readers {
        /// Starts to watch the readers of a terminal.
        pub fn of(terminal: impl AsFd) -> Option<Readers> {
            let terminal = fstat(terminal).ok()?.st_rdev;
            let began = Instant::now();
            Some(Readers {
                terminal,
                waiting: Vec::new(),
                was_given_any: false,
                was_answered: false,
                was_watched: false,
                began,
                due: began + OFTEN,
            })
        }

        /// Returns when to look again. None once that would tell nothing new.
        pub fn due(&self) -> Option<Instant> {
            (!self.was_answered).then_some(self.due)
        }

        /// Looks at the command and its descendants, if that is due. Returns whether it was.
        pub fn look(&mut self, leader: Pid) -> bool {
            let now = Instant::now();
            let is_due = self.due().is_some_and(|due| due <= now);
            if is_due {
                self.compare(leader);
                let pause = ((now - self.began) / 4).clamp(OFTEN, SELDOM);
                self.due = now + pause.max(now.elapsed() * SHARE);
            }
            is_due
        }

        /// Notes that something was passed on to the command. Whether a person typed it is known.
        pub fn were_given_some(&mut self) {
            self.was_given_any = true;
            self.waiting.iter_mut().for_each(|it| it.may_have_some = true);
        }

        /// Returns whether a process waited for keys and does not any more, although none were passed
        /// on. Call this when the command has ended.
        pub fn were_answered(&self) -> bool {
            let waits = |it: &Waiting| it.may_have_some || self.waits(it.process);
            self.was_answered || !self.waiting.iter().all(waits)
        }

        /// Returns whether a process waited for keys at the last look, or among other things before, or
        /// whether one has opened its terminal by that name to read it: it may do so in another thread,
        /// or look for keys without waiting.
        pub fn are_there(&self, leader: Pid) -> bool {
            !self.waiting.is_empty()
                || self.was_watched
                || descendants::with(leader).into_iter().any(has_opened_its_terminal)
        }

        /// Returns whether a process waited for keys, among other things.
        pub fn were_watching(&self) -> bool {
            self.was_watched
        }

        fn compare(&mut self, leader: Pid) {
            let mut now = Vec::new();
            for process in descendants::with(leader) {
                match Wait::of(process) {
                    Some(Wait::Among(descriptors)) => {
                        let mut some = descriptors.into_iter().take(MOST_LOOKED_AT);
                        self.was_watched = self.was_watched
                            || some.any(|descriptor| self.is_terminal(process, descriptor));
                    }
                    Some(wait) if self.is_for_keys(process, &wait) => now.push(process),
                    _ => {}
                }
            }
            let goes_without = |it: &&Waiting| !it.may_have_some;
            let mut without = self.waiting.iter().filter(goes_without);
            self.was_answered |= without.any(|it| !now.contains(&it.process));
            // What was just passed on may not have reached those who wait. By the next look it has.
            let may_have_some = std::mem::take(&mut self.was_given_any);
            let waiting = now.into_iter().map(|process| Waiting { process, may_have_some });
            self.waiting = waiting.collect();
        }

        /// Returns whether a process waits for keys.
        fn waits(&self, process: u32) -> bool {
            Wait::of(process).is_some_and(|wait| self.is_for_keys(process, &wait))
        }

        fn is_for_keys(&self, process: u32, wait: &Wait) -> bool {
            match *wait {
                Wait::For(descriptor) => self.is_terminal(process, descriptor),
                Wait::Among(_) => false,
                Wait::Resumed => self.waiting.iter().any(|it| it.process == process),
            }
        }

        /// Returns whether a descriptor of a process is the terminal, by whichever name.
        fn is_terminal(&self, process: u32, descriptor: u64) -> bool {
            let device = fs::metadata(format!("/proc/{process}/fd/{descriptor}"));
            device.is_ok_and(|it| it.rdev() == self.terminal || it.rdev() == own_terminal())
        }
    }

    /// Returns the device number of `/dev/tty`.
    fn own_terminal() -> u64 {
        rustix::fs::makedev(5, 0)
    }

    /// Returns whether a process has `/dev/tty` open for reading.
    fn has_opened_its_terminal(process: u32) -> bool {
        let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        let is_own = |path: &std::path::Path| {
            fs::metadata(path).is_ok_and(|device| device.rdev() == own_terminal())
        };
        let is_read = |number: &str| {
            let about = fs::read_to_string(format!("/proc/{process}/fdinfo/{number}"));
            let about = about.unwrap_or_default();
            let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
            let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
            flags.is_some_and(|flags| flags & libc::O_ACCMODE != libc::O_WRONLY)
        };
        open.filter(|it| is_own(&it.path())).any(|it| it.file_name().to_str().is_some_and(is_read))
    }

    /// What a process of one thread waits for.
    enum Wait {
        /// Input from this descriptor, and nothing else.
        For(u64),
        /// Input from one of these descriptors, or something else.
        Among(Vec<u64>),
        /// What it waited for before it was stopped.
        Resumed,
    }

    impl Wait {
        /// Returns the wait for input from these descriptors, of so many that are waited for.
        fn from(input: Vec<u64>, count: usize) -> Option<Wait> {
            match input[..] {
                [] => None,
                [only] if count == 1 => Some(Wait::For(only)),
                _ => Some(Wait::Among(input)),
            }
        }

        fn of(process: u32) -> Option<Wait> {
            let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
            let (call, arguments) = descendants::call_of(process)?;
            let memory = || File::open(format!("/proc/{process}/mem")).ok();
            let found = match call {
                libc::SYS_read | libc::SYS_readv | libc::SYS_splice => {
                    Some(Wait::For(arguments[0]))
                }
                libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => registered(process, arguments),
                #[cfg(target_arch = "x86_64")]
                libc::SYS_epoll_wait => registered(process, arguments),
                libc::SYS_restart_syscall => Some(Wait::Resumed),
                libc::SYS_ppoll => polled(&memory()?, arguments),
                libc::SYS_pselect6 => selected(&memory()?, arguments),
                #[cfg(target_arch = "x86_64")]
                libc::SYS_poll => polled(&memory()?, arguments),
                #[cfg(target_arch = "x86_64")]
                libc::SYS_select => selected(&memory()?, arguments),
                _ => None,
            };
            found.filter(|_| threads.count() == 1)
        }
    }

    /// Returns what a `poll` waits for.
    fn polled(memory: &File, [list, count, ..]: [u64; 4]) -> Option<Wait> {
        const ONE: usize = size_of::<libc::pollfd>();
        let count = usize::try_from(count).ok()?;
        let mut all = vec![0; count.min(MOST_LOOKED_AT) * ONE];
        memory.read_exact_at(&mut all, list).ok()?;
        let input = all.chunks_exact(ONE).filter_map(|one| {
            let (descriptor, rest) = one.split_first_chunk()?;
            let wanted = i16::from_ne_bytes(*rest.first_chunk()?);
            (wanted & libc::POLLIN != 0).then_some(u32::from_ne_bytes(*descriptor).into())
        });
        Wait::from(input.collect(), count)
    }

    /// Returns what an `epoll` waits for.
    fn registered(process: u32, [epoll, ..]: [u64; 4]) -> Option<Wait> {
        let about = fs::read_to_string(format!("/proc/{process}/fdinfo/{epoll}")).ok()?;
        let members: Vec<_> = about.lines().filter_map(|line| line.strip_prefix("tfd:")).collect();
        let input = members.iter().filter_map(|member| {
            let mut words = member.split_ascii_whitespace();
            let descriptor = words.next()?.parse().ok()?;
            let wanted = u32::from_str_radix(words.nth(1)?, 16).ok()?;
            (wanted & libc::EPOLLIN.cast_unsigned() != 0).then_some(descriptor)
        });
        Wait::from(input.collect(), members.len())
    }

    /// Returns what a `select` waits for.
    fn selected(memory: &File, [count, to_read, to_write, others]: [u64; 4]) -> Option<Wait> {
        let len = usize::try_from(count).ok()?.div_ceil(8).min(LONGEST_SET);
        let set = |place: u64| {
            let mut set = vec![0; len];
            (place == 0 || memory.read_exact_at(&mut set, place).is_ok()).then_some(set)
        };
        let members = |set: Vec<u8>| {
            let is_in = move |at: &u64| set[*at as usize / 8] >> (at % 8) & 1 == 1;
            (0..8 * len as u64).filter(is_in)
        };
        let input: Vec<_> = members(set(to_read)?).collect();
        let count = input.len() + members(set(to_write)?).count() + members(set(others)?).count();
        Wait::from(input, count)
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Readers;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use rustix::fd::AsFd;
    use rustix::process::Pid;
    use std::time::Instant;

    /// Nothing: the system does not tell what a process waits for.
    #[derive(Debug)]
    pub enum Readers {}

    impl Readers {
        pub fn of(_: impl AsFd) -> Option<Readers> {
            None
        }

        pub fn due(&self) -> Option<Instant> {
            match *self {}
        }

        pub fn look(&mut self, _: Pid) -> bool {
            match *self {}
        }

        pub fn were_given_some(&mut self) {
            match *self {}
        }

        pub fn were_answered(&self) -> bool {
            match *self {}
        }

        pub fn are_there(&self, _: Pid) -> bool {
            match *self {}
        }

        pub fn were_watching(&self) -> bool {
            match *self {}
        }
    }
}
