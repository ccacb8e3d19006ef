//! Running the command: its streams teed live, signals passed on, and an end
//! that comes when it should.
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
mod limit;
mod output_stream;
pub mod pty;
mod pump;
mod relay;
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
use cachex_base::system::signals::Signals;
use cachex_store::capture::Recorder;
use cachex_trace::Hook;
use destination::Destination;
use limit::Limit;
use output_stream::OutputStream;
use pump::Pump;
pub use relay::Left;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use spawn::{Begins, Child, Image};
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};
use taker::Taker;
use typed::Typed;
pub use witness::Witness;

/// What is run, and how.
pub struct Plan<'a> {
    /// The command.
    pub invocation: &'a Invocation,
    /// The file that it names.
    pub program: &'a Path,
    /// What it reads.
    pub source: Source,
    /// Where what it prints goes besides the recording.
    pub output: Output<'a>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Whether it gets a pseudo-terminal: standard output is a terminal.
    pub tty: bool,
    /// What has it traced, if it is.
    pub trace: Option<Hook>,
}

/// Where the output goes besides the recording.
#[derive(Clone, Copy, Debug)]
pub enum Output<'a> {
    /// To cachex's own streams, as it comes.
    Live,
    /// The same by the command itself, which has them: nothing is recorded.
    Own,
    /// To them as it comes, without what has been shown there before; see [`Ended::differs`].
    After(&'a OutputPrefix),
    /// Nowhere until it is asked for, see [`Ended::held`].
    Buffered,
    /// Nowhere at all: the run is in the background, with one pipe for both streams or not.
    Nowhere {
        /// Whether it is one.
        one_pipe: bool,
    },
}

impl Output<'_> {
    fn pipes(self) -> Pipes {
        let is_one = match self {
            Output::Own => return Pipes::None,
            Output::Live | Output::Buffered => Outputs::of_this_process() == Outputs::One,
            // What was shown before came through two.
            Output::After(_) => false,
            Output::Nowhere { one_pipe } => one_pipe,
        };
        if is_one { Pipes::One } else { Pipes::Two }
    }
}

/// What the command gets for its outputs where it gets no terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pipes {
    /// Cachex's own.
    None,
    /// One for both, so that they keep its order.
    One,
    /// One for each.
    Two,
}

/// How a run ended.
pub struct Ended {
    /// How the command ended.
    pub status: ExitStatus,
    /// How long it ran.
    pub run_time: Duration,
    /// How much it printed on standard output, and on standard error.
    pub bytes: [u64; 2],
    /// Why what was recorded must not be used.
    pub spoiled: Option<Spoiled>,
    /// An output that could not be passed on, and why.
    pub lost: Option<(Stream, Loss)>,
    /// What was printed under [`Output::Buffered`], if it could all be kept; else it
    /// has been shown.
    pub held: Option<BufferedOutput>,
    /// What may still be printed by something that the command left behind, where what was
    /// printed is held. It is to be carried on, shown or not.
    pub left: Option<Left>,
    /// Under [`Output::After`], whether it is not what has been shown before.
    /// Then nothing was shown from there on.
    pub differs: bool,
    /// Whether its reader left before it had read everything, and the command would have
    /// died of that if it had not printed to cachex.
    pub broken: bool,
    /// How much of what was read of standard input the command did not read, if that
    /// can be told, and what had been read before it began.
    pub input: (Option<u64>, Spool),
    /// Why the command got less of standard input than there was.
    pub unfed: Option<Errno>,
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
    /// It read what a person typed.
    Typed,
    /// It was ended because it took too long.
    TimedOut,
    /// There was no pseudo-terminal for it.
    WithoutTerminal,
    /// Its standard input could not be read to the end.
    Unfed,
    /// What it prints could not be passed on in full.
    Unreadable(Errno),
}

/// Becomes the command. Returns only if that fails.
pub fn replace(invocation: &Invocation, program: &Path) -> io::Error {
    match Image::new(invocation, program) {
        Ok(image) => spawn::replace(&image),
        Err(error) => error,
    }
}

/// A command that was not started, and nothing was lost by that.
#[derive(Debug)]
pub struct Unstarted {
    /// Why.
    pub error: io::Error,
    /// What it was to read; none if that was passed on before it was known.
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

/// Starts a command, tees what it prints and waits for its end. An error means that
/// it was not started: whatever fails after that spoils the run and does not end it.
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
    // Allocated while a command that there is no memory for can still be become.
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
    // What has a terminal of its own is typed to there.
    let is_watched = inherits && recorder.is_some() && !pty.as_ref().is_some_and(Pty::takes_stdin);
    let typed = is_watched.then(Typed::watch).flatten();
    let begun = Channel::of(&plan.source).and_then(|channel| {
        let (source, (mask, held)) = (&plan.source, signals.before());
        let begins = Begins { kind, mask, held, trace: plan.trace };
        let running = start(image, source, channel.as_ref(), begins, pty, pipes)?;
        Ok((channel, running))
    });
    let (channel, running) = match begun {
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
    let outlets = match plan.output {
        Output::Live => sinks().map(Destination::Live),
        Output::After(printed) => {
            let ([out, err], [out_again, err_again]) = (sinks(), printed.again());
            [Destination::After(out, out_again), Destination::After(err, err_again)]
        }
        Output::Own | Output::Buffered | Output::Nowhere { .. } => {
            [Destination::Nowhere, Destination::Nowhere]
        }
    };
    let [stdout, stderr] = outlets;
    let mut pump = Pump::new(
        Job::new(running.child.pid, kind),
        [
            OutputStream::new(Stream::Stdout, running.stdout, stdout, buffer),
            OutputStream::new(Stream::Stderr, running.stderr, stderr, other_buffer),
        ],
        StdinPump::new(channel, plan.source),
        (running.console, typed),
        plan.timeout.and_then(Limit::after),
        Taker::new(recorder, matches!(plan.output, Output::Buffered).then(BufferedOutput::default)),
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
    let Pump { feeder, taker, spoiled, lost, legs, .. } = pump;
    let mut left = Left::of(legs);
    // What is held is shown first, if it is to be shown at all.
    if taker.held.is_none()
        && let Some(left) = left.take()
    {
        left.carry_on();
    }
    let (unread, unfed) = (feeder.unread(), feeder.failed());
    let input = (unread, feeder.into_spool());
    let spoiled = spoiled.or(lacks_terminal.then_some(Spoiled::WithoutTerminal));
    let spoiled = spoiled.or(unfed.map(|_| Spoiled::Unfed));
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

/// Starts the command with pipes.
fn start(
    image: Image,
    source: &Source,
    channel: Option<&Channel>,
    begins: Begins,
    pty: Option<Pty>,
    pipes: Pipes,
) -> io::Result<Running> {
    let pipe = || -> io::Result<(OwnedFd, OwnedFd)> {
        let (reader, writer) = io::pipe()?;
        Ok((reader.into(), writer.into()))
    };
    let terminal = |is_wanted: fn(&Pty) -> bool| pty.as_ref().filter(|pty| is_wanted(pty));
    let (typed, errors) = (terminal(Pty::takes_stdin), terminal(Pty::takes_stderr));
    // What is passed to the command, and cachex's ends of what it prints to.
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
