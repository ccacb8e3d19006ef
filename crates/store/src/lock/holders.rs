//! The processes that hold a lock, according to the kernel.

use rustix::fs::Stat;

/// Returns the processes that hold a lock on this file. A line of `/proc/locks` is `1: FLOCK
/// ADVISORY WRITE 1234 08:01:5678 0 EOF`, with hexadecimal device numbers.
#[cfg(target_os = "linux")]
pub fn of(stat: &Stat) -> Vec<u32> {
    let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    let file = format!("{major:02x}:{minor:02x}:{}", stat.st_ino);
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let holders = locks.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            // Waiting processes are marked by an arrow.
            [_, "FLOCK", _, _, pid, at, ..] if at == file => {
                // A process of another namespace has no PID here.
                pid.parse().ok().filter(|pid| *pid > 0)
            }
            _ => None,
        }
    });
    holders.collect()
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
pub fn of(_: &Stat) -> Vec<u32> {
    Vec::new()
}
