//! Runs a command: tees its streams live, passes signals on, and ends when the command does.
//!
//! One thread waits on everything at once. A chunk is read only when the one
//! before it has been passed on, so memory is bounded, and a slow reader slows
//! the command down as it would without cachex.

#![allow(
    clippy::new_without_default,
    clippy::should_implement_trait,
    reason = "no package but cachex's own uses it"
)]

pub mod buffered_output;
mod descendants;
mod destination;
pub mod invocation;
pub mod job;
mod late;
mod leftover_output;
mod limit;
mod output_stream;
pub mod pty;
mod pump;
mod read_back;
mod readers;
pub mod screen;
mod spawn;
pub mod stdin;
pub mod stdin_pump;
mod taker;
mod typed;
mod witness;

use crate::buffered_output::BufferedOutput;
use crate::invocation::Invocation;
use crate::job::{Job, Kind};
use crate::pty::{Console, Pty};
use crate::stdin::Source;
use crate::stdin_pump::{Channel, StdinPump};
use cachex_base::process::fallback;
use cachex_base::process::lineage::Pipe;
use cachex_base::record::frames::{Loss, Stream};
use cachex_base::streams::nonblocking_writer::{NonblockingWriter, Outputs};
use cachex_base::streams::output_prefix::OutputPrefix;
use cachex_base::streams::spool::Spool;
use cachex_base::system::null;
use cachex_base::system::signals::{self, Signals};
use cachex_store::capture::Recorder;
use cachex_trace::Hook;
use destination::Destination;
pub use leftover_output::Left;
use limit::Limit;
use output_stream::{OutputStream, has_lost_its_reader};
use pump::{Pump, Watch};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use signal_hook::consts::SIGPIPE;
use spawn::{Begins, Child, Image};
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};
use taker::Taker;
pub use witness::Witness;

/// A command to run, and how to run it.
pub struct Plan<'a> {
    /// The command.
    pub invocation: &'a Invocation,
    /// The file that it names.
    pub program: &'a Path,
    /// The command's standard input.
    pub source: Source,
    /// The destination of the output, in addition to the recording.
    pub output: Output<'a>,
    /// The time limit.
    pub timeout: Option<Duration>,
    /// True if the command gets a pseudo-terminal, because standard output is a terminal.
    pub tty: bool,
    /// The hook that traces the command, if it is traced.
    pub trace: Option<Hook>,
}

/// The destination of the output, in addition to the recording.
#[derive(Clone, Copy, Debug)]
pub enum Output<'a> {
    /// cachex's own streams, as it arrives.
    Live,
    /// cachex's own streams, inherited by the command: nothing is recorded.
    Own,
    /// cachex's own streams, without the prefix that was shown before; see [`Ended::differs`].
    After(&'a OutputPrefix),
    /// A buffer, until it is released; see [`Ended::held`].
    Buffered,
    /// Nowhere: the run is in the background.
    Nowhere {
        /// True if both streams share one pipe.
        one_pipe: bool,
        /// True if a caller follows the run, so that it ends like one whose reader left if it cannot
        /// be recorded and nobody follows it any more.
        is_followed: bool,
    },
}

impl Output<'_> {
    fn pipes(self) -> Pipes {
        let is_one = match self {
            Output::Own => return Pipes::None,
            Output::Live | Output::Buffered => Outputs::of_this_process() == Outputs::One,
            // What is printed is compared with what was shown before.
            Output::After(printed) => printed.is_of_one_pipe(),
            Output::Nowhere { one_pipe, .. } => one_pipe,
        };
        if is_one { Pipes::One } else { Pipes::Two }
    }
}

/// The pipes that a command without a terminal gets for its outputs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pipes {
    /// None: the command inherits cachex's own streams.
    None,
    /// One for both streams, which preserves their order.
    One,
    /// One for each stream.
    Two,
}

/// The outcome of a run.
pub struct Ended {
    /// The command's exit status.
    pub status: ExitStatus,
    /// The wall-clock time of the command.
    pub run_time: Duration,
    /// The number of bytes printed on standard output and on standard error.
    pub bytes: [u64; 2],
    /// The reason why the recording must not be used, if any.
    pub spoiled: Option<Spoiled>,
    /// The output that could not be passed on, and the reason.
    pub lost: Option<(Stream, Loss)>,
    /// The output under [`Output::Buffered`], if all of it could be kept; otherwise it has already
    /// been shown.
    pub held: Option<BufferedOutput>,
    /// Streams on which something that the command left behind may still print, where the output is
    /// buffered. The caller has to relay them, whether or not the output is shown.
    pub left: Option<Left>,
    /// Under [`Output::After`], whether the output differs from what was shown before. Nothing was
    /// shown from the difference on.
    pub differs: bool,
    /// True if the reader left before it had read everything, and SIGPIPE would have killed the
    /// command without cachex.
    pub broken: bool,
    /// The number of bytes taken from standard input that the command did not read, if known, and
    /// the input that had been read before the command began.
    pub input: (Option<u64>, Spool),
    /// The reason why the command got less standard input than there was.
    pub unfed: Option<Errno>,
}

/// The reason why a run does not represent the command alone, from start to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoiled {
    /// A signal interrupted it.
    Interrupted,
    /// It handled a signal that interrupts nobody, or its terminal got another width.
    Signalled,
    /// Its reader left, and the command did not end soon after.
    Abandoned,
    /// A process that it started kept its output open.
    Lingering,
    /// The command read the terminal, or waited for a key.
    Typed,
    /// The command read the file to which its output goes.
    ReadBack,
    /// The command was ended because it exceeded the time limit.
    TimedOut,
    /// No pseudo-terminal was available.
    WithoutTerminal,
    /// Its standard input could not be read to the end.
    Unfed,
    /// Its output could not be passed on in full.
    Unreadable(Errno),
}

/// Replaces this process with the command. Returns only on failure.
pub fn replace(invocation: &Invocation, program: &Path) -> io::Error {
    match Image::new(invocation, program) {
        Ok(image) => spawn::replace(&image),
        Err(error) => error,
    }
}

/// A command that could not be started. Nothing was lost.
#[derive(Debug)]
pub struct Unstarted {
    /// The reason.
    pub error: io::Error,
    /// The command's standard input; none if it was passed on before the failure was known.
    pub source: Option<Source>,
}

impl Unstarted {
    #[expect(
        clippy::unnecessary_box_returns,
        reason = "it is returned as an error, which is moved"
    )]
    fn new(error: io::Error, source: Source) -> Box<Unstarted> {
        Box::new(Unstarted { error, source: Some(source) })
    }
}

/// Starts a command, tees its output and waits for its end. An error means that it was not started:
/// later failures spoil the run, but do not end it.
pub fn run(
    plan: Plan<'_>,
    mut recorder: Option<&mut Recorder<'_>>,
) -> Result<Ended, Box<Unstarted>> {
    let image = match Image::new(plan.invocation, plan.program) {
        Ok(image) => image,
        Err(error) => return Err(Unstarted::new(error, plan.source)),
    };
    let inherits = matches!(plan.source, Source::Inherit);
    let pty = plan.tty.then(|| Pty::open(inherits).ok()).flatten();
    let kind = match pty {
        Some(_) => Kind::Session,
        None if plan.timeout.is_some() || matches!(plan.output, Output::Nowhere { .. }) => {
            Kind::Group
        }
        None => Kind::Process,
    };
    // Allocated early: if memory is short, cachex can still become the command.
    let [buffer, other_buffer] = [(); 2].map(|()| output_stream::buffer());
    fallback::is_too_late();
    let mut signals = match Signals::catch(kind.left_out()) {
        Ok(signals) => signals,
        Err(error) => return Err(Unstarted::new(error, plan.source)),
    };
    if plan.timeout.is_some() {
        descendants::gather();
    }
    let started = Instant::now();
    let pipes = if pty.is_some() { Pipes::Two } else { plan.output.pipes() };
    if let Some(recorder) = recorder.as_mut().filter(|_| pipes == Pipes::One) {
        recorder.note_one_pipe();
    }
    let is_live = matches!(plan.output, Output::Live);
    let watch = Watch::begin(recorder.is_some(), pty.as_ref(), is_live);
    let begun = Channel::of(&plan.source).and_then(|channel| {
        let (source, (mask, held)) = (&plan.source, signals.before());
        let meets_errors = signals::is_ignored(SIGPIPE) || mask.holds(SIGPIPE);
        let is_shown = is_live && pty.is_none();
        let unread = Stream::BOTH.map(|it| meets_errors && is_shown && has_lost_its_reader(it));
        let begins = Begins { kind, mask, held, trace: plan.trace };
        let running = start(image, source, channel.as_ref(), begins, pty, (pipes, unread))?;
        Ok((channel, running, unread.contains(&true)))
    });
    let (channel, running, is_unread) = match begun {
        Ok(begun) => begun,
        Err(error) => return Err(Unstarted::new(error, plan.source)),
    };
    if let Some(recorder) = &recorder {
        let pipes = [&running.stdout, &running.stderr].into_iter().flatten();
        recorder.begins(pipes.filter_map(|pipe| Pipe::of(pipe.as_fd())));
    }
    let is_fed = matches!(plan.source, Source::Feed(_));
    let gets_nothing = matches!(plan.source, Source::Null);
    let lacks_terminal = plan.tty && running.console.is_none();
    let sinks = || Stream::BOTH.map(NonblockingWriter::of);
    let [stdout, stderr] = match plan.output {
        Output::Live => sinks().map(Destination::Live),
        Output::After(printed) => {
            let ([out, err], [out_again, err_again]) = (sinks(), printed.again());
            [Destination::After(out, out_again), Destination::After(err, err_again)]
        }
        Output::Own | Output::Buffered | Output::Nowhere { .. } => {
            [Destination::Nowhere, Destination::Nowhere]
        }
    };
    let is_buffered = matches!(plan.output, Output::Buffered);
    let is_followed = matches!(plan.output, Output::Nowhere { is_followed: true, .. });
    let mut pump = Pump::new(
        Job::new(running.child.pid, kind),
        [
            OutputStream::new(Stream::Stdout, running.stdout, stdout, buffer),
            OutputStream::new(Stream::Stderr, running.stderr, stderr, other_buffer),
        ],
        StdinPump::new(channel, plan.source),
        Watch { console: running.console, ..watch },
        plan.timeout.and_then(Limit::after),
        Taker::new(recorder, is_buffered.then(BufferedOutput::default), is_followed),
    );
    let (status, ended) = match pump.run(&running.child, &mut signals) {
        Ok(ended) => ended,
        Err(error) => {
            let left = if gets_nothing { Source::Null } else { Source::Inherit };
            return Err(Box::new(Unstarted { error, source: (!is_fed).then_some(left) }));
        }
    };
    pump.share_the_end(status, &mut signals);
    let (differs, broken) = (pump.differs(), pump.is_broken(status));
    let Pump { feeder, mut taker, spoiled, mut lost, legs, late, .. } = pump;
    if let Some(Err(missed)) = taker.held.take_if(|_| !is_buffered).map(|held| held.release(None)) {
        lost.get_or_insert(missed);
    }
    let mut left = Left::of(legs, late);
    // Buffered output is shown first, if it is shown at all.
    if taker.held.is_none()
        && let Some(left) = left.take()
    {
        left.carry_on();
    }
    let (unread, unfed) = (feeder.unread(), feeder.failed());
    let input = (unread, feeder.into_spool());
    let spoiled = spoiled.or(lacks_terminal.then_some(Spoiled::WithoutTerminal));
    let spoiled = spoiled.or(unfed.map(|_| Spoiled::Unfed));
    let spoiled = spoiled.or(is_unread.then_some(Spoiled::Abandoned));
    let run_time = ended - started;
    let (bytes, held) = (taker.bytes, taker.held);
    Ok(Ended { status, run_time, bytes, spoiled, lost, held, left, differs, broken, input, unfed })
}

/// A command that was started, and cachex's ends of its streams.
struct Running {
    child: Child,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    console: Option<Console>,
}

/// Starts the command and its pipes.
fn start(
    image: Image,
    source: &Source,
    channel: Option<&Channel>,
    begins: Begins,
    pty: Option<Pty>,
    (pipes, unread): (Pipes, [bool; 2]),
) -> io::Result<Running> {
    let pipe = || -> io::Result<(OwnedFd, OwnedFd)> {
        let (reader, writer) = io::pipe()?;
        Ok((reader.into(), writer.into()))
    };
    let terminal = |is_wanted: fn(&Pty) -> bool| pty.as_ref().filter(|pty| is_wanted(pty));
    let (typed, errors) = (terminal(Pty::takes_stdin), terminal(Pty::takes_stderr));
    // The command's ends of its streams, and cachex's ends of its outputs.
    let stdin = match (source, channel) {
        _ if typed.is_some() => None,
        (_, Some(channel)) => Some(channel.theirs()?),
        (Source::Null, None) => Some(null::input()?),
        (Source::Own(file), None) => Some(file.try_clone()?),
        (Source::Inherit | Source::Feed(_), None) => None,
    };
    let output = |terminal: Option<&Pty>| match terminal {
        None if pipes != Pipes::None => pipe().map(|(reader, writer)| (Some(reader), Some(writer))),
        _ => Ok((None, None)),
    };
    let (from_stdout, stdout) = output(pty.as_ref())?;
    let (from_stderr, stderr) = if pipes == Pipes::Two { output(errors)? } else { (None, None) };
    // Its first write is to fail there, as it would without cachex.
    let [from_stdout, from_stderr] = [(from_stdout, unread[0]), (from_stderr, unread[1])]
        .map(|(pipe, is_unread)| pipe.filter(|_| !is_unread));
    let streams = [
        typed.map(Pty::slave).or(stdin.as_ref().map(AsFd::as_fd)),
        pty.as_ref().map(Pty::slave).or(stdout.as_ref().map(AsFd::as_fd)),
        errors.map(Pty::slave).or(stderr.as_ref().or(stdout.as_ref()).map(AsFd::as_fd)),
    ];
    let child = spawn::spawn(image, streams, begins)?;
    let (from_stdout, console) = match pty {
        None => (from_stdout, None),
        Some(pty) => {
            let (output, mut console) = pty.split(child.pid);
            console.engage();
            (Some(output), Some(console))
        }
    };
    Ok(Running { child, stdout: from_stdout, stderr: from_stderr, console })
}
