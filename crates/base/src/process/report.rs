//! The report of a call: one JSON object, apart from both streams, for scripts.

use crate::process::exit::{self, Exit};
use crate::record::entry::{Entry, Key};
use crate::system::clock::Timestamp;
use crate::system::fsutil;
use crate::system::signals::Altered;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use signal_hook::consts::SIGPIPE;
use std::ffi::OsStr;
use std::fmt;
use std::os::fd::FromRawFd;
use std::path::PathBuf;
use std::time::Duration;

/// The result of a call. The field names are public: see docs/json.md.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The result in a word.
    pub result: Outcome,
    /// The reason why it was not a hit, or was not recorded.
    pub reason: Option<String>,
    /// The entry's key, in hexadecimal.
    pub key: Option<String>,
    /// True if the run was recorded.
    pub recorded: bool,
    /// True if the served result was just fetched from the remote store.
    pub remote: bool,
    /// The age of the served result, in seconds.
    pub age: Option<f64>,
    /// The time when the served or recorded run ended (RFC 3339).
    pub created: Option<String>,
    /// The time when it expires (RFC 3339); null: never.
    pub expires: Option<String>,
    /// The run time of the command, in seconds.
    pub run_time: Option<f64>,
    /// The run time that the cache saved, in seconds.
    pub saved: f64,
    /// The number of file facts that the result depends on, if the call is automatic.
    pub facts: Option<u64>,
    /// The number of files recorded or restored with the result; null without any.
    pub outputs: Option<u64>,
    /// The exit status; null after a death by signal.
    pub status: Option<u8>,
    /// The signal that ended the command.
    pub signal: Option<i32>,
    /// The length of standard output.
    pub stdout_bytes: Option<u64>,
    /// The length of standard error.
    pub stderr_bytes: Option<u64>,
}

/// The result of a call, in a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// A fresh result was served.
    Hit,
    /// An ageing result was served, and a run was started in the background to replace it.
    Refreshing,
    /// An expired result was served, because the run failed.
    Stale,
    /// The output of another caller's run was followed to its end.
    Followed,
    /// The command ran.
    Miss,
    /// A run was started in the background.
    Warming,
    /// There was nothing to replay, and nothing was run.
    Absent,
    /// The command ran as if cachex were not there.
    #[default]
    Uncached,
}

impl Outcome {
    /// Returns whether a recorded result was served, whether fresh, ageing or expired, and the
    /// command was not run for this caller.
    pub fn is_hit(self) -> bool {
        matches!(self, Outcome::Hit | Outcome::Refreshing | Outcome::Stale)
    }
}

impl Report {
    /// Returns the report of a call that ended before anything was run, with the reason.
    pub fn of_nothing(why: String, exit: Exit) -> Report {
        Report { reason: Some(why), ..Report::default() }.ending(exit)
    }

    /// Returns the exit status of a call that ended before anything was run.
    pub fn refusal(&self) -> Option<u8> {
        let was_run = self.result != Outcome::Uncached || self.run_time.is_some();
        let own = [exit::CACHEX_FAILED, exit::NOT_EXECUTABLE, exit::NOT_FOUND];
        self.status.filter(|status| !was_run && own.contains(status))
    }

    /// Returns the part of a report about the served or recorded result.
    pub fn of(entry: &Entry) -> Report {
        Report {
            created: Some(entry.created.to_rfc3339()),
            expires: entry.expires().map(Timestamp::to_rfc3339),
            run_time: Some(seconds(Duration::from_nanos(entry.run_time))),
            outputs: entry.outputs.map(|outputs| outputs.files),
            ..Report::about(&entry.key)
        }
    }

    /// Returns the report of a call that has this key.
    pub fn about(key: &Key) -> Report {
        Report { key: Some(key.to_string()), ..Report::default() }
    }

    /// Adds how the call ends.
    pub fn ending(self, exit: Exit) -> Report {
        match exit {
            Exit::Status(status) => Report { status: Some(status), ..self },
            Exit::Signal(signal) => Report { signal: Some(signal), ..self },
        }
    }
}

/// Converts a duration to the unit of reports.
pub fn seconds(span: Duration) -> f64 {
    span.as_secs_f64()
}

/// The destination of a report, as named by the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportTo {
    /// A file of this name.
    File(PathBuf),
    /// The descriptor of this number.
    Descriptor(i32),
}

/// The destination of a report, opened before anything is run.
#[derive(Debug)]
pub struct Target {
    file: OwnedFd,
    /// True if the reason why nothing was run is written there and nowhere else.
    pub is_told_all: bool,
}

/// The error of a destination that cannot be opened.
#[derive(Debug)]
pub struct Unopened {
    why: String,
    /// True if the call named an impossible destination. Otherwise the destination is full,
    /// forbidden or out of order, which is no reason not to run the command.
    pub is_mistaken: bool,
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Unopened {}

/// The errors of opening a file that the call should not have named.
const MISTAKEN: [Errno; 7] = [
    Errno::NOENT,
    Errno::NOTDIR,
    Errno::ISDIR,
    Errno::LOOP,
    Errno::NAMETOOLONG,
    Errno::INVAL,
    Errno::NODEV,
];

impl Target {
    /// Opens a file that receives everything, so that nothing of it goes to the streams.
    pub fn open_for_all(path: &OsStr) -> Result<Target, Unopened> {
        let file = Target::descriptor(&ReportTo::File(path.into()))?;
        Ok(Target { file, is_told_all: true })
    }

    /// Opens the destination. The command does not inherit it.
    pub fn open(to: &ReportTo) -> Result<Target, Unopened> {
        Ok(Target { file: Target::descriptor(to)?, is_told_all: false })
    }

    fn descriptor(to: &ReportTo) -> Result<OwnedFd, Unopened> {
        match to {
            ReportTo::File(path) => {
                // A named pipe may have no reader; do not wait for one.
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
                let flags = flags | OFlags::NONBLOCK;
                let file =
                    fsutil::retry(|| rustix::fs::open(path, flags, Mode::from_raw_mode(0o666)));
                file.map_err(|errno| Unopened {
                    why: format!(
                        "--status-file: cannot open '{}' for writing: {}",
                        path.display(),
                        std::io::Error::from(errno)
                    ),
                    is_mistaken: MISTAKEN.contains(&errno),
                })
            }
            ReportTo::Descriptor(number) => {
                let refuse = || Unopened {
                    why: format!("--status-fd: descriptor {number} is not open for writing"),
                    is_mistaken: true,
                };
                let fd = duplicate(*number).ok_or_else(refuse)?;
                let flags = rustix::fs::fcntl_getfl(&fd).map_err(|_| refuse())?;
                if !flags.intersects(OFlags::WRONLY | OFlags::RDWR) {
                    return Err(refuse());
                }
                Ok(fd)
            }
        }
    }

    /// Writes the report as a line. Errors are ignored: there may be no reader left, and the
    /// command has run all the same.
    pub fn write(&self, report: &Report) {
        let Ok(mut line) = serde_json::to_vec(report) else { return };
        line.push(b'\n');
        let _ignored = Altered::ignored(SIGPIPE);
        let _ = fsutil::write_all(&self.file, &line);
    }
}

/// Duplicates a descriptor. The command inherits neither, unless the original is a standard stream,
/// which is the command's in any case.
fn duplicate(number: i32) -> Option<OwnedFd> {
    // SAFETY: on a number that is not open, both calls fail and change nothing. The descriptor that
    // the first one returns belongs to nobody else.
    unsafe {
        let own = libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3);
        if own < 0 {
            return None;
        }
        if number > 2 {
            libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC);
        }
        Some(OwnedFd::from_raw_fd(own))
    }
}
