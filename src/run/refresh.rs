//! Runs a command in the background to replace its recorded result.
//!
//! The caller takes the key's refresh lock, starts this very executable with its own arguments, and
//! leaves. The refresher inherits the lock as the open file that is its standard output, so only
//! one of any number of callers starts a process, and a killed refresher leaves no lock. It runs
//! the command in a new session with the caller's standard input, records the result, and prints
//! nothing.
//!
//! The command inherits what it would inherit from the caller: other descriptors, an ignored
//! SIGPIPE. That keeps the caller's locks taken and its pipes open for as long as the command runs,
//! as with a command that a shell runs in the background, so it is done only where the background
//! was asked for: by `--warm`, `--no-wait` or `--finish`.
//!
//! A failed run is not tried again for `--failure-expires-in`: the lock's file holds the time of
//! the failure. That file is swept with other unused locks, at the cost of one more try.

use super::automatic::Tracing;
use super::home::AtHome;
use super::record::Recorded;
use super::shim::Shims;
use super::{Call, Runner};
use crate::args::lean;
use crate::args::{self, RUN};
use crate::config::{self, List, Vars};
use crate::key::descriptors;
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
/// The shortest time limit of a run,
const BOUND: Duration = Duration::from_hours(1);
/// and the limit as a multiple of the recorded run's time.
const BOUND_TIMES: u32 = 10;
/// The time that a caller has to begin following the run,
const FOLLOWING: Duration = Duration::from_secs(1);
/// and the interval of checks for that.
const GLANCE: Duration = Duration::from_millis(1);
/// The niceness of a refresher, for which nobody waits.
const NICE: i32 = 10;
/// The beginning of a refresh lock's file after a failure; the time follows.
const FAILED: &str = "failed ";

impl Runner<'_> {
    /// Starts to replace an ageing entry in the background; returns whether that is under way.
    pub(super) fn refresh(&self, root: &Root, call: &mut Call, entry: &Entry) -> bool {
        // The caller may go on reading from a descriptor that an argument names.
        if !self.may_refresh() || !call.descriptors.is_empty() {
            return false;
        }
        // Files would change while the user works with them.
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
        // Another run may have finished between the look-up and the lock.
        let present = Young::new(root).get(&entry.key);
        if present.is_ok_and(|present| present.is_some_and(|new| new.created > entry.created)) {
            return false;
        }
        start(&lock, None, call, self.closed).is_ok()
    }

    /// Hands the run of a call over to a process that outlives this one, with the lock that makes
    /// it this call's turn.
    pub(super) fn hand_over(&self, refreshing: &Lock, turn: &Lock, call: &mut Call) -> Result<()> {
        start(refreshing, Some(turn), call, self.closed)
    }

    /// Returns whether a run in the background could record the result of this call.
    pub(super) fn may_refresh(&self) -> bool {
        self.config.mode == Mode::ReadWrite
            && self.config.cached_only.is_none()
            && self.config.outputs.is_empty()
            && self.terminal().is_none()
            && !self.reads_a_list()
            && !self.closed[0]
            && (self.config.no_wait.is_some() || !descriptors::are_inherited())
    }

    /// Returns whether standard input is the list of inputs, and so is used up.
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
        if self.closed[0] {
            bail!("standard input is closed");
        }
        if let Some(file) = call.descriptors.first() {
            bail!("{} is shared with the caller; name a file", file.name());
        }
        match Lock::take(root, lock::of_refresh(&call.key), lock::Mode::TryExclusive)? {
            Some(lock) => start(&lock, None, call, self.closed),
            // The holder of the lock is doing just that.
            None => Ok(()),
        }
    }

    /// Reports that nothing was started. The cache is not warmer; nothing else is wrong.
    fn not_warmed(&self, error: &anyhow::Error) -> Exit {
        self.messages().warn(format_args!("nothing was started in the background: {error:#}"));
        self.report(|| {
            let reason = Some(format!("{error:#}"));
            Report { reason, ..Report::default() }.ending(Exit::SUCCESS)
        });
        Exit::SUCCESS
    }

    /// Returns whether a run failed after this entry was recorded, too recently to be tried again.
    pub(super) fn failed_since(&self, root: &Root, key: &Key, entry: &Entry) -> bool {
        self.failed_after(root, key, entry.created)
    }

    /// Returns whether a run failed after this time of recording, too recently to be tried again.
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
            // The command that would run is not the one that the caller looked up.
            return Ok(());
        }
        let before = self.before(root, &call.key);
        let key = &handed.key;
        let present = self.present(root, &call);
        // A caller that finds nothing fresh in the meantime waits for this run.
        let is_followed = turn.is_some();
        if self.config.no_concurrent && turn.is_none() {
            turn = Lock::take(root, lock::of_key(key), lock::Mode::TryExclusive)?;
            match &turn {
                Some(turn) => turn.sign(),
                // Another process runs it already.
                None => return Ok(()),
            }
        }
        self.watch(&mut call);
        let executable = call.executable.clone().map_or_else(|| self.resolve(), Ok);
        let Ok(executable) = executable else { bail!("there is no such command") };
        let limit = self.config.max_entry_size;
        let mut recorder = Recorder::new(root, limit, self.room(root)).shared_by(turn.as_ref());
        // Record for the kind of outputs that the last reader had.
        let replay = present.clone().and_then(|entry| Replay::prepare(root, entry).ok()?);
        let one_pipe = match handed.follower {
            Some(outputs) => outputs == Outputs::One,
            None => replay.is_some_and(|replay| replay.is_of_one_pipe()),
        };
        let took = present.as_ref().map_or(Duration::ZERO, |e| Duration::from_nanos(e.run_time));
        // A run that cannot be traced could not be recorded.
        let Ok(tracing) = self.begin_tracing(root, &call, &executable.path) else { return Ok(()) };
        let plan = Plan {
            invocation: self.invocation,
            program: &executable.path,
            trace: tracing.as_ref().map(Tracing::hook),
            source: Source::Inherit,
            output: Output::Nowhere { one_pipe, is_followed: handed.follower.is_some() },
            // Without a limit of its own, a followed run takes as long as its follower lets it.
            timeout: self
                .config
                .timeout
                .or_else(|| (!is_followed).then(|| BOUND.max(took.saturating_mul(BOUND_TIMES)))),
            tty: false,
        };
        let turn_of_follower = turn.as_ref().filter(|_| is_followed);
        let since = Instant::now();
        // The follower must be there before an end that leaves no record.
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
        let ending = recorder.ending(self.prospect(&ended, is_followed));
        // They end while the result is recorded.
        let (_keepers, traced) = self.end_tracing(tracing, ended.status);
        let failed = self.failed(&ended);
        let good = |entry: &Entry| self.config.freshness.is_good(entry.status);
        let keeps_good = !is_followed || self.config.freshness.stale_if_error.is_some();
        let recorded = if failed && keeps_good && present.as_ref().is_some_and(good) {
            drop(recorder);
            Recorded::Not("not recorded: it failed, and the last good result stays".into())
        } else {
            // Equal keys have equal components.
            let parts = || match &present {
                Some(present) if !self.is_automatic() => present.parts.clone(),
                _ => self.parts(root, &executable, &call),
            };
            self.keep(root, &call, &before, &ended, recorder, traced, parts)
        };
        self.note_refusal(root, &call, &recorded);
        self.tell(Some(ending), &ended, &call.stdin, recorded.is_kept(), is_followed);
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

/// The call that a refresher stands in for. The refresher computes the key anew from the current
/// state, and goes on only if it is the same.
struct Handed {
    key: Key,
    /// The kind of standard input that the call had.
    stdin: String,
    /// The arrangement of the caller's outputs, if the caller follows the run.
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

/// Writes down that a run has just failed.
fn mark(file: impl AsFd) {
    let text = format!("{FAILED}{}\n", Timestamp::now().0);
    let _ = rustix::fs::ftruncate(&file, 0);
    let _ = rustix::io::pwrite(&file, text.as_bytes(), 0);
}

/// Returns the time of a failed run, if this text contains one.
fn failure(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix(FAILED)?;
    text.trim_end().parse().ok().map(Timestamp)
}

/// Starts a refresher, which inherits the refresh lock and, if the call follows the run, the lock
/// that makes it the call's turn.
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
    detached::with_own_broken_pipes(&mut command);
    detached::start(&mut command).context("starting a process")?;
    Ok(())
}

/// Returns the arguments of this call in the form that `run` or `sh` takes.
fn arguments() -> Vec<OsString> {
    let mut args: Vec<OsString> = ipc::arguments().iter().map(OsString::from).collect();
    if let Some(name) = ipc::called_for() {
        args.splice(..0, [RUN.into(), "--".into(), name.to_owned()]);
        return args;
    }
    if args.first().is_some_and(|verb| verb == ipc::RUN_FOR) {
        // The refresher must not report to the receiver of this call's report.
        args.splice(..args.len().min(2), [RUN.into()]);
    }
    if args::is_short_form(&args) {
        args.insert(0, RUN.into());
    }
    args
}

/// Runs a refresher; `args` follow [`VERB`].
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
    if turn.is_none() {
        let _ = rustix::process::nice(NICE);
    }
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
        at_home: AtHome::default(),
        shows_progress: super::shows_nothing,
    };
    runner.run_detached(&root, &handed, &lock, turn)
}
