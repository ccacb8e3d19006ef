//! Every signal, sent to cachex or to its process group, at the start or later, to a
//! command that leaves it, has it blocked, ignores or handles it: what becomes of it is
//! what would without cachex.

use crate::harness::{World, cachex, eventually};
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// No process can refuse them; the first is looked at by itself.
const REFUSED_BY_NOBODY: [i32; 2] = [libc::SIGKILL, libc::SIGSTOP];

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Default,
    Blocked,
    Ignored,
    Handled,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    Process,
    Group,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// As soon as the process is there.
    Start,
    /// When the command says that it is ready.
    Later,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    signal: i32,
    how: How,
    target: Target,
    moment: Moment,
}

/// What became of it.
#[derive(Debug, PartialEq)]
struct Seen {
    status: ExitStatus,
    printed: String,
    /// By which signal it was stopped, and had to be continued.
    stopped: Option<i32>,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for signal in (1..=64).filter(|signal| !REFUSED_BY_NOBODY.contains(signal)) {
        for how in [How::Default, How::Blocked, How::Ignored, How::Handled] {
            for target in [Target::Process, Target::Group] {
                for moment in [Moment::Start, Moment::Later] {
                    cases.push(Case { signal, how, target, moment });
                }
            }
        }
    }
    cases
}

/// The probe, compiled.
fn probe(world: &World) -> PathBuf {
    let (source, program) = (world.path("probe.c"), world.path("probe"));
    std::fs::write(&source, include_str!("signal_matrix/probe.c")).unwrap();
    let compiled = Command::new("cc").arg("-O1").arg("-o").args([&program, &source]).status();
    assert!(compiled.unwrap().success());
    program
}

/// A started command; killed with its group unless it was seen to end.
struct Started {
    child: Child,
    input: Option<ChildStdin>,
}

impl Started {
    fn send(&self, case: Case, signal: i32) {
        let pid = self.child.id() as i32;
        let to = if case.target == Target::Group { -pid } else { pid };
        // SAFETY: it takes two numbers and touches no memory.
        unsafe { libc::kill(to, signal) };
    }

    /// How it ended or was stopped.
    #[track_caller]
    fn state(&self, case: Case) -> ExitStatus {
        eventually(&format!("what comes of {case:?}"), || {
            let mut status = 0;
            let (pid, options) = (self.child.id() as i32, libc::WUNTRACED | libc::WNOHANG);
            // SAFETY: `status` is what it writes to.
            let changed = unsafe { libc::waitpid(pid, &raw mut status, options) } == pid;
            changed.then(|| ExitStatus::from_raw(status))
        })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { libc::kill(-(self.child.id() as i32), libc::SIGKILL) };
    }
}

fn start(world: &World, probe: &Path, prefix: &[&str], case: Case) -> Started {
    let how = format!("{:?}", case.how).to_lowercase();
    let signal = case.signal.to_string();
    let mut command = Command::new(probe);
    command.args(["start", &how, &signal]).args(prefix).arg(probe).args(["be", &how, &signal]);
    command.env_clear().envs(world.environment()).current_dir(world.work()).process_group(0);
    command.env("MOMENT", format!("{:?}{:?}", case.target, case.moment));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().unwrap();
    let input = child.stdin.take();
    Started { child, input }
}

fn see(world: &World, probe: &Path, prefix: &[&str], case: Case) -> Seen {
    let mut started = start(world, probe, prefix, case);
    let mut output = started.child.stdout.take().unwrap();
    let mut printed = String::new();
    match case.moment {
        Moment::Start => started.input = None,
        Moment::Later => {
            let mut ready = [0; 6];
            output.read_exact(&mut ready).unwrap_or_else(|error| panic!("{case:?}: {error}"));
            assert_eq!(&ready, b"ready\n");
        }
    }
    started.send(case, case.signal);
    let by_default_nothing = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let waits_for_it = match case.how {
        How::Default => !by_default_nothing.contains(&case.signal),
        How::Blocked | How::Handled => true,
        How::Ignored => false,
    };
    if !waits_for_it {
        started.input = None;
    }
    let mut status = started.state(case);
    let stopped = status.stopped_signal();
    if stopped.is_some() {
        started.send(case, libc::SIGCONT);
        started.input = None;
        status = started.state(case);
    }
    // To the end, which comes when nobody is left who could print.
    output.read_to_string(&mut printed).unwrap();
    Seen { status, printed, stopped }
}

/// What is different, if anything is.
fn difference(world: &World, probe: &Path, case: Case) -> Option<String> {
    let cachex = World::binary().to_str().unwrap();
    let seen = see(world, probe, &[cachex, "run", "--stdin", "inherit", "--"], case);
    if case.moment == Moment::Start {
        // It came before, during or after the start, and nobody can tell when.
        let killed = seen.status.signal() == Some(case.signal);
        let came_through = seen.status.code() == Some(7);
        return (!killed && !came_through).then(|| format!("{case:?}: {seen:?}"));
    }
    let bare = see(world, probe, &[], case);
    (seen != bare).then(|| format!("{case:?}: {seen:?}, and without cachex {bare:?}"))
}

#[test]
fn what_becomes_of_it_is_what_would_without_cachex() {
    let cachex = cachex();
    let probe = probe(&cachex);
    let (cases, next) = (cases(), AtomicUsize::new(0));
    let differences = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    differences.lock().unwrap().extend(difference(&cachex, &probe, *case));
                }
            });
        }
    });
    let differences = differences.into_inner().unwrap();
    let count = format!("{} of {}", differences.len(), cases.len());
    assert!(differences.is_empty(), "{count}:\n{}", differences.join("\n"));
}

#[test]
fn a_command_dies_with_a_cachex_that_is_killed() {
    let cachex = cachex();
    let probe = probe(&cachex);
    for target in [Target::Process, Target::Group] {
        let case = Case { signal: libc::SIGKILL, how: How::Default, target, moment: Moment::Later };
        assert_eq!(difference(&cachex, &probe, case), None);
    }
}

#[test]
fn one_that_was_held_back_before_waits_for_the_command() {
    let cachex = cachex();
    let probe = probe(&cachex);
    let alone = |prefix: &[&str], signal: i32| {
        let signal = signal.to_string();
        let mut command = Command::new(&probe);
        command.args(["start", "pending", &signal]).args(prefix).arg(&probe);
        command.args(["be", "blocked", &signal]).env_clear().envs(cachex.environment());
        let output = command.current_dir(cachex.work()).stdin(Stdio::null()).output().unwrap();
        (output.status, String::from_utf8(output.stdout).unwrap())
    };
    let cachex = World::binary().to_str().unwrap();
    for signal in [libc::SIGUSR1, libc::SIGTERM, libc::SIGHUP, libc::SIGTSTP, 40] {
        let bare = alone(&[], signal);
        assert_eq!(bare.1, "ready\npending 1\n");
        assert_eq!(alone(&[cachex, "run", "--"], signal), bare, "signal {signal}");
    }
}
