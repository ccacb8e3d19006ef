//! Running a command behind its caller's back, to replace what is recorded.
//!
//! The caller takes the key's refresh lock, starts this very executable with
//! the arguments it got itself, and leaves; the lock goes along as the open file
//! that is the other's standard output, so that of any number of callers one
//! starts a process at all, and a refresher that is killed holds nothing. The
//! other runs the command in a session of its own, with what the caller had as
//! standard input, records it, and prints nothing.
//!
//! What failed is not tried again for `--failure-expires-in`: the lock's file
//! says when that was. It is swept with other locks that nobody holds, which
//! costs one try more.

use super::automatic::Tracing;
use super::record::Recorded;
use super::shim::Shims;
use super::{Call, Runner};
use crate::args::lean;
use crate::args::{self, RUN};
use crate::config::{self, List, Vars};
use crate::run::replay::Replay;
use anyhow::{Context, Result, bail};
use cachex_base::process::detached;
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::ipc;
use cachex_base::process::report::{Outcome, Report};
use cachex_base::record::entry::{Entry, Key};
use cachex_base::streams::messages;
use cachex_base::streams::nonblocking_writer::Outputs;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_base::system::null;
use cachex_base::text::values::Mode;
use cachex_exec::invocation::Invocation;
use cachex_exec::stdin::{self, Source};
use cachex_exec::{self as exec, Output, Plan};
use cachex_store::Root;
use cachex_store::capture::Recorder;
use cachex_store::events::Reason;
use cachex_store::lock::{self, Lock};
use cachex_store::young::Young;
use rustix::fd::AsFd;
use rustix::fs::OFlags;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The hidden verb of a refresher.
pub const VERB: &str = "__refresh";
/// How long a run may take at least before it is given up,
const BOUND: Duration = Duration::from_hours(1);
/// and in terms of the one that is recorded.
const BOUND_TIMES: u32 = 10;
/// How long a caller that follows the run has to begin,
const FOLLOWING: Duration = Duration::from_secs(1);
/// and how often it is looked whether it has.
const GLANCE: Duration = Duration::from_millis(1);
/// It runs while others wait for their own work, not for this.
const NICE: i32 = 10;
/// What the file of a refresh lock begins with after a failure; the time follows.
const FAILED: &str = "failed ";

impl Runner<'_> {
    /// Has an ageing entry replaced in the background; whether that is under way.
    pub(super) fn refresh(&self, root: &Root, call: &mut Call, entry: &Entry) -> bool {
        // What an argument leads to would not be open there.
        if !self.may_refresh() || !call.descriptors.is_empty() {
            return false;
        }
        // Files would change under whoever works with them.
        if self.is_automatic() && entry.outputs.is_some() {
            return false;
        }
        if self.failed_since(root, &call.key, entry) {
            return false;
        }
        let Ok(lock) = Lock::take(root, lock::of_refresh(&call.key), lock::Mode::TryExclusive)
        else {
            return false;
        };
        let Some(lock) = lock else { return true };
        // Somebody may have finished between the look-up and the lock.
        let present = Young::new(root).get(&entry.key);
        if present.is_ok_and(|present| present.is_some_and(|new| new.created > entry.created)) {
            return false;
        }
        start(&lock, None, call, self.closed).is_ok()
    }

    /// Hands the run of a call over to a process that outlives this one, and the lock with
    /// it that makes it this call's turn.
    pub(super) fn hand_over(&self, refreshing: &Lock, turn: &Lock, call: &mut Call) -> Result<()> {
        start(refreshing, Some(turn), call, self.closed)
    }

    /// Whether a run in the background could record what this call would.
    pub(super) fn may_refresh(&self) -> bool {
        self.config.mode == Mode::ReadWrite
            && self.config.cached_only.is_none()
            && self.config.outputs.is_empty()
            && self.terminal().is_none()
            && !self.reads_a_list()
    }

    /// Whether standard input lists files, and so is used up.
    fn reads_a_list(&self) -> bool {
        self.config.identity.inputs.list == Some(List::Stdin)
    }

    /// Starts a run in the background and returns at once.
    pub(super) fn warm(&self, root: &Root, mut call: Call) -> Exit {
        if let Err(error) = self.run_in_the_background(root, &mut call) {
            return self.not_warmed(&error);
        }
        self.messages().tell(format_args!("warming {}", messages::short(&call.key)));
        self.report(|| {
            Report { result: Outcome::Warming, ..Report::about(&call.key) }.ending(Exit::SUCCESS)
        });
        Exit::SUCCESS
    }

    /// Starts a run in the background, unless one is under way.
    pub(super) fn run_in_the_background(&self, root: &Root, call: &mut Call) -> Result<()> {
        if self.reads_a_list() {
            bail!("standard input is the list of inputs; name a file");
        }
        if let Some(file) = call.descriptors.first() {
            bail!("{} is not open there; name a file", file.name());
        }
        match Lock::take(root, lock::of_refresh(&call.key), lock::Mode::TryExclusive)? {
            Some(lock) => start(&lock, None, call, self.closed),
            // Whoever holds it is doing just that.
            None => Ok(()),
        }
    }

    /// The cache is not warmer; nothing else is wrong.
    fn not_warmed(&self, error: &anyhow::Error) -> Exit {
        self.messages().warn(format_args!("nothing was started in the background: {error:#}"));
        self.report(|| {
            let reason = Some(format!("{error:#}"));
            Report { reason, ..Report::default() }.ending(Exit::SUCCESS)
        });
        Exit::SUCCESS
    }

    /// Whether a run failed after this entry was recorded, and so lately that it
    /// is not tried again.
    pub(super) fn failed_since(&self, root: &Root, key: &Key, entry: &Entry) -> bool {
        self.failed_after(root, key, entry.created)
    }

    /// The same of a key of which something was recorded at this time, if anything was.
    pub(super) fn failed_after(&self, root: &Root, key: &Key, recorded: Timestamp) -> bool {
        let Some(pause) = self.config.freshness.failure_expires_in else { return false };
        let mut text = [0; 32];
        let failed = fsutil::open_file(root, lock::of_refresh(key))
            .and_then(|file| fsutil::read_full(file, &mut text))
            .ok()
            .and_then(|len| failure(&text[..len]));
        let failed = failed.filter(|at| *at > recorded);
        failed.and_then(|at| Timestamp::now().since(at)).is_some_and(|since| since < pause)
    }

    /// Runs the command under `lock`, and records it.
    fn run_detached(
        &self,
        root: &Root,
        handed: &Handed,
        lock: &Lock,
        mut turn: Option<Lock>,
    ) -> Result<()> {
        let stdin = stdin::passed_on(&handed.stdin).context("reading standard input")?;
        let Ok(mut call) = self.call_with(root, stdin) else { bail!("the key is not known") };
        if call.key != handed.key {
            // What would be run is not what the caller looked up.
            return Ok(());
        }
        let before = self.before(root, &call.key);
        let key = &handed.key;
        let present = self.present(root, &call);
        // A caller who finds nothing fresh meanwhile waits for this run.
        let is_followed = turn.is_some();
        if self.config.no_concurrent && turn.is_none() {
            turn = Lock::take(root, lock::of_key(key), lock::Mode::TryExclusive)?;
            match &turn {
                Some(turn) => turn.sign(),
                // Somebody runs it as it is.
                None => return Ok(()),
            }
        }
        self.watch(&mut call);
        let executable = call.executable.clone().map_or_else(|| self.resolve(), Ok);
        let Ok(executable) = executable else { bail!("there is no such command") };
        let limit = self.config.max_entry_size;
        let mut recorder = Recorder::new(root, limit, self.room(root)).shared_by(turn.as_ref());
        // Who looks at it next is who looked at it last.
        let replay = present.clone().and_then(|entry| Replay::prepare(root, entry).ok()?);
        let one_pipe = match handed.follower {
            Some(outputs) => outputs == Outputs::One,
            None => replay.is_some_and(|replay| replay.is_of_one_pipe()),
        };
        let took = present.as_ref().map_or(Duration::ZERO, |e| Duration::from_nanos(e.run_time));
        // Without that nothing could be recorded.
        let Ok(tracing) = self.begin_tracing(root, &call, &executable.path) else { return Ok(()) };
        let plan = Plan {
            invocation: self.invocation,
            program: &executable.path,
            trace: tracing.as_ref().map(Tracing::hook),
            source: Source::Inherit,
            output: Output::Nowhere { one_pipe },
            // Who follows it decides for how long.
            timeout: self
                .config
                .timeout
                .or_else(|| (!is_followed).then(|| BOUND.max(took.saturating_mul(BOUND_TIMES)))),
            tty: false,
        };
        let turn_of_follower = turn.as_ref().filter(|_| is_followed);
        let since = Instant::now();
        // Who follows it is to be there for an end of which there is no record.
        while turn_of_follower.is_some_and(|turn| !turn.is_awaited(root))
            && since.elapsed() < FOLLOWING
        {
            std::thread::sleep(GLANCE);
        }
        let ended = match exec::run(plan, Some(&mut recorder)) {
            Ok(ended) => ended,
            Err(unstarted) => {
                mark(lock.file());
                return Err(unstarted.error.into());
            }
        };
        let ending = recorder.ending(self.prospect(&ended));
        let traced = tracing.map(|tracing| self.end_tracing(tracing)).transpose();
        let failed = self.failed(&ended);
        let good = |entry: &Entry| self.config.freshness.is_good(entry.status);
        let keeps_good = !is_followed || self.config.freshness.stale_if_error.is_some();
        let recorded = if failed && keeps_good && present.as_ref().is_some_and(good) {
            drop(recorder);
            Recorded::Not("not recorded: it failed, and the last good result stays".into())
        } else {
            // The same key has the same parts.
            let parts = || match &present {
                Some(present) if !self.is_automatic() => present.parts.clone(),
                _ => self.parts(root, &executable, &call),
            };
            self.keep(root, &call, &before, &ended, recorder, traced, parts)
        };
        self.note_refusal(root, &call, &recorded);
        self.tell(Some(ending), &ended, &call.stdin, recorded.is_kept());
        if failed {
            mark(lock.file());
        }
        drop(turn);
        self.share_recorded(root, &recorded);
        let why = match present {
            _ if !is_followed => Reason::Refresh,
            _ if self.config.mode == Mode::WriteOnly => Reason::Forced,
            Some(_) => Reason::Expired,
            None => Reason::NotRecorded,
        };
        self.note_run(root, key, why, &ended, &recorded);
        Ok(())
    }
}

/// What a refresher is told of the call that it stands in for. It computes the key anew,
/// from what is there now, and goes on only if that is the same.
struct Handed {
    key: Key,
    /// The kind of standard input that the call had.
    stdin: String,
    /// How the outputs of the caller lie to each other who follows the run.
    follower: Option<Outputs>,
}

impl fmt::Display for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let follower = match self.follower {
            None => "",
            Some(Outputs::One) => ",followed-by-one",
            Some(Outputs::Apart | Outputs::OneDevice) => ",followed",
        };
        write!(f, "{},{}{follower}", self.key, self.stdin)
    }
}

impl Handed {
    fn read(text: &OsStr) -> Option<Handed> {
        let mut parts = text.to_str()?.split(',');
        let (key, stdin) = (parts.next()?, parts.next()?);
        let follower = match parts.next() {
            None => None,
            Some("followed-by-one") => Some(Outputs::One),
            Some(_) => Some(Outputs::Apart),
        };
        Some(Handed { key: Key::from_hex(key.as_bytes())?, stdin: stdin.to_owned(), follower })
    }
}

/// Notes that a run of this key failed just now.
pub(super) fn mark_failed(root: &Root, key: &Key) {
    if let Ok(file) = fsutil::create_file(root, lock::of_refresh(key), OFlags::WRONLY) {
        mark(file);
    }
}

/// Writes down that a run failed just now.
fn mark(file: impl AsFd) {
    let text = format!("{FAILED}{}\n", Timestamp::now().0);
    let _ = rustix::fs::ftruncate(&file, 0);
    let _ = rustix::io::pwrite(&file, text.as_bytes(), 0);
}

/// When a run failed, if this text says so.
fn failure(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix(FAILED)?;
    text.trim_end().parse().ok().map(Timestamp)
}

/// Starts a refresher, which holds the lock from now on, and the one that makes it the
/// call's turn, if the call follows it.
fn start(lock: &Lock, turn: Option<&Lock>, call: &mut Call, closed: super::Closed) -> Result<()> {
    let input = match call.stdin.again(closed[0]).context("passing on standard input")? {
        Some(file) => Stdio::from(file),
        None => null::input().context("passing on no standard input")?.into(),
    };
    let mut command = ipc::helper(VERB)?;
    let follower = turn.map(|_| Outputs::of_this_process());
    let handed = Handed { key: call.key, stdin: call.stdin.digest.kind().to_owned(), follower };
    let errors = match turn {
        Some(turn) => turn.file().try_clone()?.into(),
        None => Stdio::from(null::output()?),
    };
    command.arg(handed.to_string()).args(arguments());
    command.stdin(input).stdout(Stdio::from(lock.file().try_clone()?)).stderr(errors);
    detached::start(&mut command).context("starting a process")?;
    Ok(())
}

/// Those of this call, as `run` or `sh` has them.
fn arguments() -> Vec<OsString> {
    let mut args: Vec<OsString> = ipc::arguments().iter().map(OsString::from).collect();
    if let Some(name) = ipc::called_for() {
        args.splice(..0, [RUN.into(), "--".into(), name.to_owned()]);
        return args;
    }
    if args.first().is_some_and(|verb| verb == ipc::RUN_FOR) {
        // Whoever is told of this call is not told of that run.
        args.splice(..args.len().min(2), [RUN.into()]);
    }
    if args::is_short_form(&args) {
        args.insert(0, RUN.into());
    }
    args
}

/// Runs a refresher: `args` are those after [`VERB`].
pub fn serve(args: &[OsString], vars: &Vars) -> Exit {
    match try_serve(args, vars) {
        Ok(()) => Exit::SUCCESS,
        Err(_) => Exit::Status(exit::FAILURE),
    }
}

fn try_serve(args: &[OsString], vars: &Vars) -> Result<()> {
    std::panic::set_hook(Box::new(|_| {}));
    let [key, verb, rest @ ..] = args else { bail!("nothing to refresh") };
    let lock = Lock::held_by(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?);
    rustix::stdio::dup2_stdout(null::output()?)?;
    let handed = Handed::read(key).context("reading a key")?;
    let turn = match handed.follower {
        Some(_) => {
            let file = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3)?;
            rustix::stdio::dup2_stderr(null::output()?)?;
            let turn = Lock::held_as(lock::of_key(&handed.key), file);
            turn.sign();
            Some(turn)
        }
        None => None,
    };
    let nice = if turn.is_some() { 0 } else { NICE };
    let keep = [Some(&lock), turn.as_ref()].map(|lock| lock.map(|lock| lock.file().as_fd()));
    detached::settle(nice, &keep.into_iter().flatten().collect::<Vec<_>>());
    let called = lean::read_or_parse(verb.to_str().unwrap_or_default(), rest)?;
    let called = called.context("only a command can be refreshed")?;
    let (config, argv) = config::resolve(called, vars)?;
    let root = super::open_store(config.dir.as_ref())?;
    let invocation = Invocation { argv };
    let runner = Runner {
        invocation: &invocation,
        config: &config,
        vars,
        closed: [false; 3],
        report: None,
        began: Instant::now(),
        shims: Shims::default(),
        shows_progress: super::shows_nothing,
    };
    runner.run_detached(&root, &handed, &lock, turn)
}
