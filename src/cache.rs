//! The cache-aside loop: look up, else run, then record.
//!
//! Whatever keeps the cache from doing its part ends in [`Runner::uncached`],
//! which is the command and nothing else, and at the most one warning.

use crate::capture::{GaveUp, Recorder};
use crate::clock::Timestamp;
use crate::config::{self, Config, Vars};
use crate::entry::{About, Entry, Key};
use crate::exec::{self, Spoiled};
use crate::exit::{self, Exit};
use crate::frames::Stream;
use crate::invocation::{Executable, Invocation, Resolved};
use crate::lock::{self, Lock, Mode};
use crate::messages::{self, Messages};
use crate::replay::Replay;
use crate::stdin::{self, Source, Stdin, Unknown};
use crate::store::events::{self, Event, Kind};
use crate::store::fence::{self, Fenced};
use crate::store::guard::SetAside;
use crate::store::young::Young;
use crate::store::{Root, Stack, Store};
use crate::values::ExeMode;
use crate::wait::{self, Waited};
use crate::{fsutil, key};
use anyhow::Result;
use rustix::io::Errno;
use serde_bytes::ByteBuf;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which of the standard descriptors were closed when cachex started.
pub type Closed = [bool; 3];

/// One call of `cachex run`.
pub struct Runner<'a> {
    /// What is to be run.
    pub invocation: &'a Invocation,
    /// How.
    pub config: &'a Config,
    /// The environment.
    pub vars: &'a Vars,
    /// Which descriptors are closed.
    pub closed: Closed,
}

/// An entry that may be served, and its age.
struct Hit {
    replay: Replay,
    age: Duration,
}

/// An invocation that is not to be answered from the store. It holds the lock
/// that keeps others from running it too.
struct Miss {
    key: Key,
    why: &'static str,
    lock: Option<Lock>,
}

impl Runner<'_> {
    /// Serves the result from `root`, or runs the command and records it there.
    pub fn run(&self, root: &Root) -> Exit {
        if self.closed[1] || self.closed[2] {
            // What a command does with a closed stream cannot be recorded.
            return self.uncached(Source::Inherit);
        }
        let executable = match self.config.identity.exe {
            ExeMode::Name => None,
            ExeMode::Stat | ExeMode::Content => match self.resolve() {
                Ok(executable) => Some(executable),
                Err(exit) => return exit,
            },
        };
        let stdin = match stdin::take(self.config.identity.stdin, self.closed[0], || {
            self.say_waiting_for_stdin();
        }) {
            Ok(stdin) => stdin,
            Err(Unknown::Untouched) => return self.uncached(Source::Inherit),
            Err(Unknown::Partly(spool)) => return self.uncached(Source::Feed(spool)),
        };
        let identity = &self.config.identity;
        let key = match key::identify(
            self.invocation,
            executable.as_ref(),
            identity,
            self.vars,
            &stdin.digest,
        ) {
            Ok(key) => key,
            Err(error) => {
                self.messages().warn(format_args!("not cached: {error:#}"));
                return self.uncached(stdin.source);
            }
        };
        let why = match self.look_up(root, &key) {
            Ok(hit) => return self.serve(root, &stdin, hit),
            Err(why) => why,
        };
        let mut miss = Miss { key, why, lock: None };
        if self.config.no_concurrent {
            match wait::for_turn(root, &lock::of_key(&key), self.messages()) {
                Ok(Waited::Within) => return self.uncached(stdin.source),
                Ok(Waited::Turn { lock, waited }) => {
                    miss.lock = Some(lock);
                    if waited && let Ok(hit) = self.look_up(root, &key) {
                        drop(miss);
                        return self.serve(root, &stdin, hit);
                    }
                }
                Err(error) => self.messages().warn(format_args!("running without a lock: {error}")),
            }
        }
        self.run_and_record(root, executable, stdin, &miss)
    }

    /// The entry that may be served now, or why there is none.
    fn look_up(&self, root: &Root, key: &Key) -> Result<Hit, &'static str> {
        if self.config.force {
            return Err("forced");
        }
        let stack = Stack::new(vec![Box::new(Young::new(root)), Box::new(Fenced::new(root))]);
        let entry = match stack.get(key) {
            Ok(Some(entry)) => entry,
            Ok(None) => return Err("not recorded yet"),
            Err(error) => {
                if error.is::<SetAside>() {
                    self.messages().warn(format_args!("{error}"));
                }
                return Err("the record could not be read");
            }
        };
        let age =
            entry.fresh(Timestamp::now(), self.config.limit(entry.status)).ok_or("expired")?;
        match Replay::prepare(root, entry) {
            Ok(Some(replay)) => Ok(Hit { replay, age }),
            Ok(None) => Err("a part of the record is gone or damaged"),
            Err(_) => Err("a part of the record could not be read"),
        }
    }

    fn serve(&self, root: &Root, stdin: &Stdin, mut hit: Hit) -> Exit {
        let played = hit.replay.play();
        let entry = hit.replay.entry();
        if let Some(consumed) = entry.stdin_consumed {
            stdin.skip(consumed);
        }
        let status = match played {
            Ok(()) => Exit::Status(entry.status),
            // The reader left; the command would have been told no more.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Exit::Status(entry.status)
            }
            Err(error) => {
                messages::error(format_args!("replaying the result: {error}"));
                Exit::Status(exit::CACHEX_FAILED)
            }
        };
        let run_time = Duration::from_nanos(entry.run_time);
        self.note(root, Kind::Hit, &entry.key, run_time, 0);
        self.messages().tell(format_args!(
            "hit {} age {}, saved {}",
            messages::short(&entry.key),
            messages::rounded(hit.age),
            messages::rounded(run_time)
        ));
        status
    }

    fn run_and_record(
        &self,
        root: &Root,
        executable: Option<Executable>,
        mut stdin: Stdin,
        miss: &Miss,
    ) -> Exit {
        let executable = match executable.map_or_else(|| self.resolve(), Ok) {
            Ok(executable) => executable,
            Err(exit) => return exit,
        };
        let mut recorder = Recorder::new(root, self.config.max_entry_size);
        let source = std::mem::replace(&mut stdin.source, Source::Inherit);
        let is_untouched = matches!(source, Source::Inherit);
        let ended = match exec::run(self.invocation, &executable.path, source, Some(&mut recorder))
        {
            Ok(ended) => ended,
            // What is short for a cache may be enough for the command.
            Err(error) if is_untouched && is_shortage(&error) => {
                return self.uncached(Source::Inherit);
            }
            Err(error) => return self.cannot_start(&error),
        };
        let created = Timestamp::now();
        let outcome = match (ended.status.code().map(|code| code as u8), ended.spoiled) {
            (_, Some(Spoiled::Interrupted)) => Err("not recorded: it was interrupted"),
            (_, Some(Spoiled::Abandoned)) => Err("not recorded: its reader left"),
            (_, Some(Spoiled::Lingering)) => {
                Err("not recorded: something it started kept its output open")
            }
            (None, None) => Err("not recorded: a signal ended it"),
            (Some(status), None) if !self.config.exit_codes.contain(status) => {
                Err("not recorded: its exit status")
            }
            (Some(status), None) => {
                let entry = Entry {
                    key: miss.key,
                    created,
                    expires_in: self.config.limit(status).map(nanos),
                    run_time: nanos(ended.run_time),
                    status,
                    stdin_consumed: stdin.consumed().filter(|&consumed| consumed > 0),
                    frames: crate::entry::Bytes::Inline(Vec::new()),
                    data: crate::entry::Bytes::Inline(Vec::new()),
                    about: self.about(),
                };
                self.record(root, recorder, entry)
            }
        };
        let what = match outcome {
            Ok(size) => {
                self.note(root, Kind::Recorded, &miss.key, ended.run_time, size);
                "recorded"
            }
            Err(why) => {
                self.note(root, Kind::Unrecorded, &miss.key, ended.run_time, 0);
                why
            }
        };
        self.messages().tell(format_args!(
            "miss {} {}; ran {}, {what}",
            messages::short(&miss.key),
            miss.why,
            messages::rounded(ended.run_time)
        ));
        Self::exit_of(&ended)
    }

    /// Keeps what was recorded; the bytes it takes, or why it was not kept.
    fn record(
        &self,
        root: &Root,
        recorder: Recorder<'_>,
        mut entry: Entry,
    ) -> Result<u64, &'static str> {
        let warn = |error: &dyn std::fmt::Display| {
            self.messages().warn(format_args!("the result is not recorded: {error}"));
            "not recorded: the store failed"
        };
        let recording = recorder.finish().map_err(|gave_up| match gave_up {
            GaveUp::TooLong => "not recorded: longer than --max-entry-size",
            GaveUp::Failed(errno) => warn(&std::io::Error::from(errno)),
        })?;
        let publishing = Lock::wait(root, lock::PUBLISH, Mode::Shared);
        (entry.data, entry.frames) =
            recording.keep().map_err(|errno| warn(&std::io::Error::from(errno)))?;
        Young::new(root).put(&entry).map_err(|error| warn(&format_args!("{error:#}")))?;
        drop(publishing);
        Ok(entry.blob_bytes())
    }

    fn about(&self) -> About {
        let mut left = About::LIMIT;
        let mut cut = |bytes: &[u8]| {
            let kept = &bytes[..bytes.len().min(left)];
            left -= kept.len();
            ByteBuf::from(kept)
        };
        let whole: usize = self.invocation.argv.iter().map(|arg| arg.len()).sum();
        // An argument takes a byte even if it is empty: their number is bounded too.
        let argv = self
            .invocation
            .argv
            .iter()
            .take(About::LIMIT / 4)
            .map(|arg| cut(arg.as_bytes()))
            .collect();
        let cwd = self.config.identity.cwd.then(std::env::current_dir).and_then(Result::ok);
        About {
            argv,
            cut: whole > About::LIMIT || self.invocation.argv.len() > About::LIMIT / 4,
            cwd: cwd.map(|cwd| {
                let cwd = cwd.as_os_str().as_bytes();
                ByteBuf::from(&cwd[..cwd.len().min(About::LIMIT)])
            }),
            scope: self
                .config
                .identity
                .scope
                .as_ref()
                .map(|scope| scope.chars().take(64).collect()),
        }
    }

    /// Writes down what happened, and has the store tidied when that is due.
    fn note(&self, root: &Root, kind: Kind, key: &Key, run_time: Duration, size: u64) {
        let event =
            Event { kind, time: Timestamp::now(), key: *key, run_time: nanos(run_time), size };
        let due = events::append(root, &event).unwrap_or(false) || events::due_by_size(size);
        if due {
            let _ = fence::start_fold(root.path(), self.config.max_size);
        }
    }

    /// Runs the command as if cachex were not there.
    pub fn uncached(&self, source: Source) -> Exit {
        let executable = match self.resolve() {
            Ok(executable) => executable,
            Err(exit) => return exit,
        };
        if matches!(source, Source::Inherit) {
            return self.cannot_start(&exec::replace(self.invocation, &executable.path));
        }
        match exec::run(self.invocation, &executable.path, source, None) {
            Ok(ended) => Self::exit_of(&ended),
            Err(error) => self.cannot_start(&error),
        }
    }

    fn exit_of(ended: &exec::Ended) -> Exit {
        if let Some((stream, errno)) = ended.lost {
            let name = match stream {
                Stream::Stdout => "standard output",
                Stream::Stderr => "standard error",
            };
            messages::error(format_args!("writing {name}: {}", std::io::Error::from(errno)));
            if ended.status.success() {
                return Exit::Status(exit::CACHEX_FAILED);
            }
        }
        Exit::from(ended.status)
    }

    fn resolve(&self) -> Result<Executable, Exit> {
        match self.invocation.resolve(config::var(self.vars, "PATH")) {
            Resolved::Found(executable) => Ok(executable),
            Resolved::NotFound if self.invocation.name().as_bytes().contains(&b'/') => {
                Err(self.refuse(exit::NOT_FOUND, "No such file or directory"))
            }
            Resolved::NotFound => Err(self.refuse(exit::NOT_FOUND, "command not found")),
            Resolved::NotExecutable => Err(self.refuse(exit::NOT_EXECUTABLE, "Permission denied")),
        }
    }

    fn refuse(&self, status: u8, why: &str) -> Exit {
        messages::error(format_args!("{}: {why}", self.invocation.name().display()));
        Exit::Status(status)
    }

    fn cannot_start(&self, error: &std::io::Error) -> Exit {
        let status = match error.kind() {
            std::io::ErrorKind::NotFound => exit::NOT_FOUND,
            _ => exit::NOT_EXECUTABLE,
        };
        self.refuse(status, &error.to_string())
    }

    fn say_waiting_for_stdin(&self) {
        self.messages().wait(format_args!(
            "waiting for the end of standard input, which counts in the key; `--stdin null` leaves it out"
        ));
    }

    fn messages(&self) -> Messages {
        Messages { quiet: self.config.quiet, verbose: self.config.verbose }
    }
}

fn is_shortage(error: &std::io::Error) -> bool {
    const SHORTAGES: [Errno; 4] = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN];
    SHORTAGES.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The key of an invocation, for verbs that name one without running it.
pub fn key_of(runner: &Runner<'_>) -> Result<Key> {
    let identity = &runner.config.identity;
    let executable = match identity.exe {
        ExeMode::Name => None,
        ExeMode::Stat | ExeMode::Content => {
            Some(runner.resolve().map_err(|_| anyhow::anyhow!("there is no such command"))?)
        }
    };
    let stdin = stdin::take(identity.stdin, runner.closed[0], || runner.say_waiting_for_stdin())
        .map_err(|_| {
            anyhow::anyhow!("standard input cannot be read; `--stdin null` leaves it out")
        })?;
    key::identify(runner.invocation, executable.as_ref(), identity, runner.vars, &stdin.digest)
}

/// Opens the store, or says why it is not used.
pub fn open_store(dir: Option<&Path>) -> Result<Root, Unopened> {
    let dir = dir.ok_or(Unopened { dir: None, why: None })?;
    Root::create(dir).map_err(|why| Unopened { dir: Some(dir.to_owned()), why: Some(why) })
}

/// A store that cannot be used.
#[derive(Debug)]
pub struct Unopened {
    dir: Option<PathBuf>,
    why: Option<fsutil::Unusable>,
}

impl Unopened {
    /// Whether the name was mistaken, and not the system at its limits or
    /// somebody else's doing feared.
    pub fn is_mistaken(&self) -> bool {
        use fsutil::Unusable::{Failed, Missing};
        matches!(
            self.why,
            Some(Missing | Failed(Errno::NOTDIR | Errno::NAMETOOLONG | Errno::INVAL))
        )
    }
}

impl std::fmt::Display for Unopened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.dir, &self.why) {
            (Some(dir), Some(why)) => write!(f, "cannot use the folder '{}': {why}", dir.display()),
            _ => f.write_str(
                "there is no folder to keep results in: set HOME, XDG_CACHE_HOME or CACHEX_DIR",
            ),
        }
    }
}

impl std::error::Error for Unopened {}
