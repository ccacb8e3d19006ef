//! Notices that a command reads the file to which its own output goes.
//!
//! `grep -r word . >out` skips `out`, because that is its standard output. Under cachex it is given a
//! pipe instead, so it would find in `out` what it printed, print that again, and go on until the
//! disk is full. While it is seen to read that file, its output is held back.

#[cfg(target_os = "linux")]
use crate::descendants;
use cachex_base::record::frames::Stream;
use rustix::fs::{FileType, fstat};
use rustix::process::Pid;
use std::time::Instant;

/// The interval between two looks in multiples of what one takes.
const SHARE: u32 = 50;

/// The files that cachex's own streams are, and who reads them.
#[derive(Debug)]
pub struct ReadBack {
    /// Their devices and inodes.
    files: Vec<(u64, u64)>,
    /// The processes that had one of them open for reading at the last look.
    readers: Vec<u32>,
    due: Instant,
    /// The size of each stream when it was held back last.
    pub held_at: Option<[u64; 2]>,
}

impl ReadBack {
    /// Starts to watch. None if no stream goes to a file.
    pub fn watch() -> Option<ReadBack> {
        let own = |stream| match stream {
            Stream::Stdout => fstat(rustix::stdio::stdout()),
            Stream::Stderr => fstat(rustix::stdio::stderr()),
        };
        let is_file = |mode| FileType::from_raw_mode(mode) == FileType::RegularFile;
        let stats = Stream::BOTH.into_iter().filter_map(|stream| own(stream).ok());
        #[expect(clippy::unnecessary_cast, reason = "their types differ by system")]
        let files: Vec<_> = stats
            .filter(|stat| is_file(stat.st_mode))
            .map(|stat| (stat.st_dev as u64, stat.st_ino as u64))
            .collect();
        (!files.is_empty()).then(|| ReadBack {
            files,
            readers: Vec::new(),
            due: Instant::now(),
            held_at: None,
        })
    }

    /// Returns when to look even if nothing is printed: output is held back.
    pub fn due(&self) -> Option<Instant> {
        self.held_at.and(Some(self.due))
    }

    /// Returns whether one of the command's processes goes on reading what the command prints: it did
    /// at the last look, too. One that has a short look at it, as `tail` does, finds its end. None if
    /// it is too early to look: that takes time, and usually nobody reads.
    pub fn goes_on(&mut self, leader: Pid) -> Option<bool> {
        let now = Instant::now();
        if self.readers.is_empty() && self.held_at.is_none() && now < self.due {
            return None;
        }
        let readers = self.readers_below(leader);
        let before = std::mem::replace(&mut self.readers, readers);
        self.due = now + SHARE * now.elapsed();
        Some(self.readers.iter().any(|reader| before.contains(reader)))
    }

    #[cfg(target_os = "linux")]
    fn readers_below(&self, leader: Pid) -> Vec<u32> {
        let processes = descendants::with(leader).into_iter();
        processes.filter(|&process| linux::reads(process, &self.files)).collect()
    }

    #[cfg(not(target_os = "linux"))]
    fn readers_below(&self, _: Pid) -> Vec<u32> {
        Vec::new()
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    /// The part of a descriptor's flags that says how it was opened, and its value for writing alone.
    const ACCESS: u32 = libc::O_ACCMODE.cast_unsigned();
    const WRITE_ONLY: u32 = libc::O_WRONLY.cast_unsigned();

    /// Returns whether a process has one of these files open for reading.
    pub fn reads(process: u32, files: &[(u64, u64)]) -> bool {
        let opened = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        opened.into_iter().any(|descriptor| {
            let is_one = fs::metadata(descriptor.path())
                .is_ok_and(|file| files.contains(&(file.dev(), file.ino())));
            is_one && {
                let number = descriptor.file_name();
                let about = format!("/proc/{process}/fdinfo/{}", number.display());
                let about = fs::read_to_string(about).unwrap_or_default();
                let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
                let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
                flags.is_some_and(|flags| flags & ACCESS != WRITE_ONLY)
            }
        })
    }
}
