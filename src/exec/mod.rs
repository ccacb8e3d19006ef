//! Running the command: its streams teed live, signals passed on, and an end
//! that comes when it should.
//!
//! One thread waits on everything at once. A chunk is read only when the one
//! before it has been passed on, so memory is bounded, and a slow reader slows
//! the command down as it would without cachex.

mod leg;
mod limit;
mod outlet;
mod pump;

use crate::capture::Recorder;
use crate::feed::Feeder;
use crate::frames::Stream;
use crate::held::Held;
use crate::invocation::Invocation;
use crate::job::{Job, Kind};
use crate::printed::Printed;
use crate::pty::{Console, Pty};
use crate::signals::{self, Inherited, Signals};
use crate::sink::Sink;
use crate::stdin::Source;
use leg::Leg;
use limit::Limit;
use outlet::Outlet;
use pump::{Pump, Taker};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::Pid;
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

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
    /// Nowhere at all: the run is in the background.
    Nowhere,
}

/// How a run ended.
#[derive(Debug)]
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
    /// Under [`Output::After`], whether it is not what has been shown before.
    /// Then nothing was shown from there on.
    pub differs: bool,
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
}

/// Becomes the command. Returns only if that fails.
pub fn replace(invocation: &Invocation, program: &Path) -> io::Error {
    let [mut command, mut by_shell] = commands(invocation, program);
    let error = command.exec();
    if is_script_without_interpreter(&error) { by_shell.exec() } else { error }
}

/// The command, ready to be started as if by whoever started cachex, and what a
/// shell and `execvp` do if that is an executable text that names no interpreter.
fn commands(invocation: &Invocation, program: &Path) -> [Command; 2] {
    let mut command = Command::new(program);
    command.arg0(invocation.name()).args(&invocation.argv[1..]);
    let mut by_shell = Command::new("/bin/sh");
    by_shell.arg0(OsStr::new("sh")).arg(program).args(&invocation.argv[1..]);
    Inherited::read().restore_in(&mut command);
    Inherited::read().restore_in(&mut by_shell);
    [command, by_shell]
}

fn is_script_without_interpreter(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error())
}

/// Starts a command, tees what it prints and waits for its end.
pub fn run(plan: Plan<'_>, recorder: Option<&mut Recorder<'_>>) -> io::Result<Ended> {
    // As signals were before they are caught.
    let commands = commands(plan.invocation, plan.program);
    let inherits = matches!(plan.source, Source::Inherit);
    let pty = plan.tty.then(|| Pty::open(inherits).ok()).flatten();
    let (kind, also) = match pty {
        Some(_) => (Kind::Session, signals::TERMINAL),
        None if plan.timeout.is_some() || matches!(plan.output, Output::Nowhere) => {
            (Kind::Group, signals::JOB_CONTROL)
        }
        None => (Kind::Process, [].as_slice()),
    };
    let mut signals = Signals::catch(also)?;
    let started = Instant::now();
    let mut running = start(commands, &plan.source, kind, pty)?;
    let lacks_terminal = plan.tty && running.console.is_none();
    let sinks = || [rustix::stdio::stdout(), rustix::stdio::stderr()].map(Sink::new);
    let outlets = match plan.output {
        Output::Live => sinks().map(Outlet::Live),
        Output::After(printed) => {
            let ([out, err], [out_again, err_again]) = (sinks(), printed.again());
            [Outlet::After(out, out_again), Outlet::After(err, err_again)]
        }
        Output::Held | Output::Nowhere => [Outlet::Nowhere, Outlet::Nowhere],
    };
    let [stdout, stderr] = outlets;
    let mut pump = Pump::new(
        Job::new(Pid::from_child(&running.child), kind),
        [
            Leg::new(Stream::Stdout, running.stdout, stdout),
            Leg::new(Stream::Stderr, running.stderr, stderr),
        ],
        Feeder::new(running.stdin, plan.source),
        running.console,
        plan.timeout.and_then(Limit::after),
        Taker::new(recorder, matches!(plan.output, Output::Held).then(Held::default)),
    );
    let (status, ended) = pump.run(&mut running.child, &mut signals)?;
    pump.share_the_end(status);
    let differs = pump.differs();
    let Pump { taker, spoiled, lost, .. } = pump;
    let spoiled = spoiled.or(lacks_terminal.then_some(Spoiled::WithoutTerminal));
    let run_time = ended - started;
    Ok(Ended { status, run_time, bytes: taker.bytes, spoiled, lost, held: taker.held, differs })
}

/// A command that was started, and cachex's ends of its streams.
struct Running {
    child: Child,
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    console: Option<Console>,
}

fn start(
    [mut command, mut by_shell]: [Command; 2],
    source: &Source,
    kind: Kind,
    pty: Option<Pty>,
) -> io::Result<Running> {
    let spawn = |command: &mut Command| {
        command.stdin(match source {
            Source::Inherit => Stdio::inherit(),
            Source::Null => Stdio::null(),
            Source::Feed(_) => Stdio::piped(),
        });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if kind == Kind::Group {
            command.process_group(0);
        }
        if let Some(pty) = &pty {
            pty.attach(command)?;
        }
        command.spawn()
    };
    let mut child = match spawn(&mut command) {
        Err(error) if is_script_without_interpreter(&error) => spawn(&mut by_shell)?,
        child => child?,
    };
    let stdin = child.stdin.take().map(OwnedFd::from);
    let stderr = child.stderr.take().map(OwnedFd::from);
    let (stdout, console) = match pty {
        None => (child.stdout.take().map(OwnedFd::from), None),
        Some(pty) => {
            let (output, mut console) = pty.split(Pid::from_child(&child));
            console.engage();
            (Some(output), Some(console))
        }
    };
    Ok(Running { child, stdin, stdout, stderr, console })
}
