//! Running the command: its streams teed live, signals passed on, and an end
//! that comes when it should.
//!
//! One thread waits on everything at once. A chunk is read only when the one
//! before it has been passed on, so memory is bounded, and a slow reader slows
//! the command down as it would without cachex.

mod descendants;
mod leg;
mod limit;
mod outlet;
mod pump;
mod relay;
mod spawn;
mod taker;
mod witness;

use crate::capture::Recorder;
use crate::feed::{Channel, Feeder};
use crate::frames::Stream;
use crate::held::Held;
use crate::invocation::Invocation;
use crate::job::{Job, Kind};
use crate::lineage::Pipe;
use crate::printed::Printed;
use crate::pty::{Console, Pty};
use crate::signals::{Mask, Signals};
use crate::sink::{Outputs, Sink};
use crate::stdin::Source;
use leg::Leg;
use limit::Limit;
use outlet::Outlet;
use pump::Pump;
pub use relay::Left;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use spawn::{Child, Image};
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};
use taker::Taker;
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
}

/// Where the output goes besides the recording.
#[derive(Clone, Copy, Debug)]
pub enum Output<'a> {
    /// To cachex's own streams, as it comes.
    Live,
    /// The same, without what has been shown there before; see [`Ended::differs`].
    After(&'a Printed),
    /// Nowhere until it is asked for, see [`Ended::held`].
    Held,
    /// Nowhere at all: the run is in the background, with one pipe for both streams or not.
    Nowhere {
        /// Whether it is one.
        one_pipe: bool,
    },
}

impl Output<'_> {
    /// Whether the command gets one pipe for both streams, so that they keep its order.
    fn is_one_pipe(self) -> bool {
        match self {
            Output::Live | Output::Held => Outputs::of_this_process() == Outputs::One,
            // What was shown before came through two.
            Output::After(_) => false,
            Output::Nowhere { one_pipe } => one_pipe,
        }
    }
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
    /// An output that could not be written, and why.
    pub lost: Option<(Stream, Errno)>,
    /// What was printed under [`Output::Held`], if it could all be kept; else it
    /// has been shown.
    pub held: Option<Held>,
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
    /// can be told.
    pub unread: Option<u64>,
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
    /// It was ended because it took too long.
    TimedOut,
    /// There was no pseudo-terminal for it.
    WithoutTerminal,
    /// Its standard input could not be read to the end.
    Unfed,
}

/// Becomes the command. Returns only if that fails.
pub fn replace(invocation: &Invocation, program: &Path) -> io::Error {
    match Image::new(invocation, program) {
        Ok(image) => spawn::replace(&image),
        Err(error) => error,
    }
}

/// Starts a command, tees what it prints and waits for its end.
pub fn run(plan: Plan<'_>, mut recorder: Option<&mut Recorder<'_>>) -> io::Result<Ended> {
    let image = Image::new(plan.invocation, plan.program)?;
    let inherits = matches!(plan.source, Source::Inherit);
    let pty = plan.tty.then(|| Pty::open(inherits).ok()).flatten();
    let kind = match pty {
        Some(_) => Kind::Session,
        None if plan.timeout.is_some() || matches!(plan.output, Output::Nowhere { .. }) => {
            Kind::Group
        }
        None => Kind::Process,
    };
    let mut signals = Signals::catch(kind.left_out())?;
    if plan.timeout.is_some() {
        descendants::gather();
    }
    let started = Instant::now();
    let one_pipe = pty.is_none() && plan.output.is_one_pipe();
    if let Some(recorder) = recorder.as_mut().filter(|_| one_pipe) {
        recorder.note_one_pipe();
    }
    let channel = Channel::of(&plan.source)?;
    let running =
        start(image, &plan.source, channel.as_ref(), kind, pty, one_pipe, signals.before())?;
    if let Some(recorder) = &recorder {
        let pipes = [&running.stdout, &running.stderr].into_iter().flatten();
        recorder.begins(pipes.filter_map(|pipe| Pipe::of(pipe.as_fd())));
    }
    let lacks_terminal = plan.tty && running.console.is_none();
    let sinks = || [rustix::stdio::stdout(), rustix::stdio::stderr()].map(Sink::new);
    let outlets = match plan.output {
        Output::Live => sinks().map(Outlet::Live),
        Output::After(printed) => {
            let ([out, err], [out_again, err_again]) = (sinks(), printed.again());
            [Outlet::After(out, out_again), Outlet::After(err, err_again)]
        }
        Output::Held | Output::Nowhere { .. } => [Outlet::Nowhere, Outlet::Nowhere],
    };
    let [stdout, stderr] = outlets;
    let mut pump = Pump::new(
        Job::new(running.child.pid, kind),
        [
            Leg::new(Stream::Stdout, running.stdout, stdout),
            Leg::new(Stream::Stderr, running.stderr, stderr),
        ],
        Feeder::new(channel, plan.source),
        running.console,
        plan.timeout.and_then(Limit::after),
        Taker::new(recorder, matches!(plan.output, Output::Held).then(Held::default)),
    );
    let (status, ended) = pump.run(&running.child, &mut signals)?;
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
    let spoiled = spoiled.or(lacks_terminal.then_some(Spoiled::WithoutTerminal));
    let spoiled = spoiled.or(unfed.map(|_| Spoiled::Unfed));
    let run_time = ended - started;
    let (bytes, held) = (taker.bytes, taker.held);
    Ok(Ended { status, run_time, bytes, spoiled, lost, held, left, differs, broken, unread, unfed })
}

/// A command that was started, and cachex's ends of its streams.
struct Running {
    child: Child,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    console: Option<Console>,
}

/// Starts the command with pipes, and with `mask` for its signals.
fn start(
    image: Image,
    source: &Source,
    channel: Option<&Channel>,
    kind: Kind,
    pty: Option<Pty>,
    one_pipe: bool,
    mask: Mask,
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
        (Source::Null, None) => Some(nothing_to_read()?),
        (Source::Inherit | Source::Feed(_), None) => None,
    };
    let output = |terminal: Option<&Pty>| match terminal {
        Some(_) => Ok((None, None)),
        None => pipe().map(|(reader, writer)| (Some(reader), Some(writer))),
    };
    let (from_stdout, stdout) = output(pty.as_ref())?;
    let (from_stderr, stderr) = if one_pipe { (None, None) } else { output(errors)? };
    let streams = [
        typed.map(Pty::slave).or(stdin.as_ref().map(AsFd::as_fd)),
        pty.as_ref().map(Pty::slave).or(stdout.as_ref().map(AsFd::as_fd)),
        errors.map(Pty::slave).or(stderr.as_ref().or(stdout.as_ref()).map(AsFd::as_fd)),
    ];
    let child = spawn::spawn(image, streams, kind, mask)?;
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

/// What a command reads that is to find its standard input empty.
fn nothing_to_read() -> io::Result<OwnedFd> {
    let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    // Where there is no such device, a pipe that nobody writes to is as empty.
    null.or_else(|_| Ok(io::pipe()?.0.into()))
}
