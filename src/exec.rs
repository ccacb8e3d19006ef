//! Running the command: its streams teed live, signals passed on, and an end
//! that comes when it should.
//!
//! One thread waits on everything at once. A chunk is read only when the one
//! before it has been passed on, so memory is bounded, and a slow reader slows
//! the command down as it would without cachex.

use crate::capture::Recorder;
use crate::feed::Feeder;
use crate::frames::Stream;
use crate::invocation::Invocation;
use crate::signals::{Inherited, Signals};
use crate::sink::Sink;
use crate::stdin::Source;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::Pid;
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long output is waited for after the command ended, since the last of it.
const GRACE: Duration = Duration::from_millis(100);
/// How long a command may go on after its reader went away,
const ABANDONED_TIME: Duration = Duration::from_secs(10);
/// and how many bytes more it may print.
const ABANDONED_BYTES: u64 = 64 << 20;

const CHUNK: usize = 64 * 1024;
/// What a stream's pipe is widened to once the command has filled it: fewer,
/// larger chunks for those who print a lot. The most Linux allows to everyone.
const WIDE: usize = 1 << 20;

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// How the command ended.
    pub status: ExitStatus,
    /// How long it ran.
    pub run_time: Duration,
    /// Why what was recorded must not be used.
    pub spoiled: Option<Spoiled>,
    /// An output that could not be written, and why.
    pub lost: Option<(Stream, Errno)>,
}

/// Why a run is not the command's own doing from start to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoiled {
    /// A signal interrupted it.
    Interrupted,
    /// Its reader left, and it did not end soon after.
    Abandoned,
    /// Something it started kept its output open.
    Lingering,
}

/// A command that is ready to be started as if by whoever started cachex.
pub fn command(invocation: &Invocation, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg0(invocation.name()).args(&invocation.argv[1..]);
    Inherited::read().restore_in(&mut command);
    command
}

/// Becomes the command. Returns only if that fails.
pub fn replace(invocation: &Invocation, program: &Path) -> io::Error {
    let error = command(invocation, program).exec();
    if is_script_without_interpreter(&error) { by_shell(invocation, program).exec() } else { error }
}

/// Starts a command, tees what it prints and waits for its end.
pub fn run(
    invocation: &Invocation,
    program: &Path,
    source: Source,
    mut recorder: Option<&mut Recorder<'_>>,
) -> io::Result<Ended> {
    // As signals were before they are caught.
    let mut command = command(invocation, program);
    let mut by_shell = by_shell(invocation, program);
    let mut signals = Signals::catch()?;
    let started = Instant::now();
    let mut child = match spawn(&mut command, &source) {
        Err(error) if is_script_without_interpreter(&error) => spawn(&mut by_shell, &source)?,
        child => child?,
    };
    let outputs = rustix::stdio::stdout();
    let errors = rustix::stdio::stderr();
    let mut pump = Pump {
        legs: [
            Leg::new(Stream::Stdout, child.stdout.take().map(OwnedFd::from), Sink::new(outputs)),
            Leg::new(Stream::Stderr, child.stderr.take().map(OwnedFd::from), Sink::new(errors)),
        ],
        feeder: Feeder::new(child.stdin.take().map(OwnedFd::from), source),
        spoiled: None,
        lost: None,
    };
    let (status, ended) = pump.run(&mut child, &mut signals, |stream, bytes| {
        if let Some(recorder) = &mut recorder {
            recorder.append(stream, bytes);
        }
    })?;
    Ok(Ended { status, run_time: ended - started, spoiled: pump.spoiled, lost: pump.lost })
}

fn spawn(command: &mut Command, source: &Source) -> io::Result<Child> {
    command.stdin(match source {
        Source::Inherit => Stdio::inherit(),
        Source::Null => Stdio::null(),
        Source::Feed(_) => Stdio::piped(),
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// What a shell and `execvp` do with an executable text that names no interpreter.
fn by_shell(invocation: &Invocation, program: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg0(OsStr::new("sh")).arg(program).args(&invocation.argv[1..]);
    Inherited::read().restore_in(&mut command);
    command
}

fn is_script_without_interpreter(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error())
}

struct Pump<'a> {
    legs: [Leg<'a>; 2],
    feeder: Feeder,
    spoiled: Option<Spoiled>,
    lost: Option<(Stream, Errno)>,
}

impl Pump<'_> {
    /// Until the command has ended and all it printed has been passed on.
    fn run(
        &mut self,
        child: &mut Child,
        signals: &mut Signals,
        mut record: impl FnMut(Stream, &[u8]),
    ) -> io::Result<(ExitStatus, Instant)> {
        let pid = Pid::from_child(child);
        let mut ended: Option<(ExitStatus, Instant)> = None;
        let mut last_data = Instant::now();
        loop {
            if let Some((status, at)) = ended {
                // Nobody will read what is left, and whoever interrupted waits.
                let stuck = self.spoiled == Some(Spoiled::Interrupted) && status.code().is_none();
                if self.legs.iter().all(Leg::is_done) || stuck && self.legs.iter().all(Leg::is_idle)
                {
                    return Ok((status, at));
                }
            }
            let waiting_for_grandchild =
                ended.is_some() && self.legs.iter().all(|leg| leg.pending().is_empty());
            let deadline = if waiting_for_grandchild {
                Some(last_data.max(ended.map_or(last_data, |(_, at)| at)) + GRACE)
            } else {
                self.legs
                    .iter()
                    .filter_map(|leg| leg.abandoned)
                    .map(|(since, _)| since + ABANDONED_TIME)
                    .min()
            };
            let woken = self.wait(signals, deadline)?;
            if let (Some((status, at)), true, false) = (ended, waiting_for_grandchild, woken) {
                self.spoil(Spoiled::Lingering);
                return Ok((status, at));
            }
            if signals.pass_on(ended.is_none().then_some(pid)) {
                self.spoil(Spoiled::Interrupted);
            }
            if ended.is_none()
                && let Some(status) = child.try_wait()?
            {
                ended = Some((status, Instant::now()));
                self.feeder.close();
            }
            self.feeder.feed();
            for at in 0..self.legs.len() {
                if self.legs[at].advance(&mut record) {
                    last_data = Instant::now();
                }
                self.watch(at);
            }
        }
    }

    /// Waits until something can go on; false at the deadline.
    fn wait(&self, signals: &Signals, deadline: Option<Instant>) -> io::Result<bool> {
        let mut watched = Vec::with_capacity(4);
        watched.push(PollFd::new(signals.descriptor(), PollFlags::IN));
        if let Some(pipe) = self.feeder.waits_for() {
            watched.push(PollFd::from_borrowed_fd(pipe, PollFlags::OUT));
        }
        for leg in &self.legs {
            if !leg.pending().is_empty() {
                watched.push(PollFd::new(&leg.sink, PollFlags::OUT));
            } else if let Some(source) = &leg.source {
                watched.push(PollFd::new(source, PollFlags::IN));
            }
        }
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() }
        });
        match poll(&mut watched, timeout.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(true),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Lets go of a stream whose reader left long enough ago, so that the
    /// command finds out as it would have.
    fn watch(&mut self, at: usize) {
        let leg = &mut self.legs[at];
        if let Some(errno) = leg.lost.take() {
            self.lost.get_or_insert((leg.stream, errno));
        }
        let over = |(since, bytes): (Instant, u64)| {
            since.elapsed() >= ABANDONED_TIME || bytes >= ABANDONED_BYTES
        };
        if leg.source.is_some() && leg.abandoned.is_some_and(over) {
            leg.source = None;
            leg.abandoned = None;
            self.spoil(Spoiled::Abandoned);
        }
    }

    fn spoil(&mut self, why: Spoiled) {
        self.spoiled.get_or_insert(why);
    }
}

/// One stream on its way from the command to cachex's own.
struct Leg<'a> {
    stream: Stream,
    /// The read end of the command's pipe; none after its end.
    source: Option<OwnedFd>,
    sink: Sink<'a>,
    buffer: Vec<u8>,
    /// What of the buffer has been read and not been passed on.
    unsent: std::ops::Range<usize>,
    /// Since when there is no reader, and what was read since then.
    abandoned: Option<(Instant, u64)>,
    lost: Option<Errno>,
}

impl<'a> Leg<'a> {
    fn new(stream: Stream, source: Option<OwnedFd>, sink: Sink<'a>) -> Leg<'a> {
        if let Some(source) = &source {
            // This end is cachex's alone.
            let _ = rustix::io::ioctl_fionbio(source, true);
        }
        Leg {
            stream,
            source,
            sink,
            buffer: vec![0; CHUNK],
            unsent: 0..0,
            abandoned: None,
            lost: None,
        }
    }

    fn pending(&self) -> &[u8] {
        &self.buffer[self.unsent.clone()]
    }

    fn is_done(&self) -> bool {
        self.source.is_none() && self.unsent.is_empty()
    }

    /// Whether nothing moves: it is done, or its reader takes nothing.
    fn is_idle(&self) -> bool {
        self.is_done() || !self.unsent.is_empty()
    }

    /// Passes on what can be passed on now; whether anything came from the command.
    fn advance(&mut self, record: &mut impl FnMut(Stream, &[u8])) -> bool {
        self.send();
        let mut any = false;
        // A few chunks at a time, so that the other stream has its turn.
        for _ in 0..4 {
            let Some(source) = self.source.as_ref().filter(|_| self.unsent.is_empty()) else {
                break;
            };
            match rustix::io::read(source, &mut self.buffer[..]) {
                Ok(0) => self.source = None,
                Ok(n) => {
                    any = true;
                    self.unsent = 0..n;
                    self.send();
                    record(self.stream, &self.buffer[..n]);
                    if n == CHUNK && self.buffer.len() == CHUNK {
                        self.widen();
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => self.source = None,
            }
        }
        any
    }

    fn send(&mut self) {
        while !self.unsent.is_empty() {
            if let Some((_, bytes)) = &mut self.abandoned {
                *bytes += self.unsent.len() as u64;
                self.unsent = 0..0;
                return;
            }
            match self.sink.write(&self.buffer[self.unsent.clone()]) {
                Ok(n) => self.unsent.start += n,
                Err(Errno::AGAIN) => return,
                Err(errno) => {
                    if errno != Errno::PIPE {
                        self.lost = Some(errno);
                    }
                    self.abandoned = Some((Instant::now(), 0));
                }
            }
        }
    }

    fn widen(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(source) = &self.source
            && rustix::pipe::fcntl_setpipe_size(source, WIDE).is_ok()
        {
            self.buffer.resize(4 * CHUNK, 0);
            return;
        }
        // Not to be tried again.
        self.buffer.resize(CHUNK + 1, 0);
    }
}
