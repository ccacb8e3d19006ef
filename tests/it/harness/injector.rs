//! System calls that fail, or take their time, where a test says.
//!
//! A call is run under `ptrace`. `cachex` itself is followed, with its threads, its
//! helpers, and its children until they become something else: what the command does is
//! its own business, and nothing of it is touched.

use super::call::Call;
use super::capture::Capture;
use super::eventually;
use super::outcome::{Ended, Outcome};
use super::world::World;
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The calls of the C library's own start, which no error of the system reaches: there is
/// no program yet that could meet it. `main` begins with one of these, and so does a hit that
/// is answered before the C library starts; if it is passed on, that start comes after it.
const FIRST_OF_MAIN: i64 = libc::SYS_fcntl;
/// It sets the thread pointer, which nobody else does.
const FIRST_OF_START: i64 = libc::SYS_arch_prctl;

/// What takes longer hangs: a hundred times what the slowest of it takes.
const LIMIT: Duration = Duration::from_secs(15);

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// It fails.
    Fails(Errno),
    /// In a helper it begins only after so long.
    Waits(Duration),
}

/// A call that goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its number.
    pub call: i64,
    /// Which of them, from 1; none: each.
    pub at: Option<u32>,
    pub fate: Fate,
}

/// What was seen of a call that was traced.
pub struct Traced {
    pub outcome: Outcome,
    /// How often `cachex` made each system call.
    pub calls: BTreeMap<i64, u32>,
    /// Whether the fault was met.
    pub is_met: bool,
    /// What was there when it had to be killed, if it had.
    pub hangs: Option<String>,
}

impl Call {
    /// Does it once, with this fault.
    #[track_caller]
    pub fn traced(&self, fault: Option<Fault>) -> Traced {
        let ran_before = self.world().runs();
        let (stdout, to_stdout) = Capture::pipe(true);
        let (stderr, to_stderr) = Capture::pipe(true);
        let mut command = self.build(None);
        command.stdin(self.input.stdio()).stdout(to_stdout).stderr(to_stderr);
        // SAFETY: the call is async-signal-safe, and the closure does nothing else.
        unsafe {
            command.pre_exec(|| match libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            });
        }
        let started = Instant::now();
        #[expect(clippy::zombie_processes, reason = "it is waited for by its number")]
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{self}: {error}"));
        drop(command);
        drop(self.input.feed(child.stdin.take()));
        let pid = child.id() as i32;
        let (ended, killer) = channel::<()>();
        let guard = std::thread::spawn(move || {
            let late = killer.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
            late.then(|| {
                let columns = "pgid,pid,ppid,lwp,stat,wchan:20,args";
                let left = Command::new("ps").args(["-eLo", columns]).output();
                let text = left.map(|left| String::from_utf8_lossy(&left.stdout).into_owned());
                let group = pid.to_string();
                let is_its = |line: &&str| line.split_whitespace().next() == Some(&group);
                // SAFETY: it only sends a signal, to a group that is the test's own.
                unsafe { libc::kill(-pid, libc::SIGKILL) };
                text.unwrap_or_default().lines().filter(is_its).collect::<Vec<_>>().join("\n")
            })
        });
        let mut tracer = Tracer::new(pid, fault);
        let status = tracer.run();
        let took = started.elapsed();
        drop(ended);
        let hangs = guard.join().unwrap();
        eventually(&format!("the end of the output of {self}"), || {
            (stdout.ended() && stderr.ended()).then_some(())
        });
        let ended = Ended {
            stdout: stdout.bytes(),
            stderr: stderr.bytes(),
            tally: stdout.tally(),
            status,
            memory: None,
            took,
        };
        let outcome = Outcome::new(self.world().clone(), self.to_string(), ran_before, vec![ended]);
        Traced { outcome, calls: tracer.calls, is_met: tracer.is_met, hangs }
    }
}

/// A thread that is followed.
#[derive(Clone, Copy, Default)]
struct Thread {
    /// Whether it is one of `cachex`.
    is_ours: bool,
    /// Whether the C library's start is over.
    is_live: bool,
    /// What the call that it is in gives.
    failing: Option<Errno>,
}

struct Tracer {
    main: i32,
    fault: Option<Fault>,
    binary: PathBuf,
    threads: HashMap<i32, Thread>,
    /// Those that stopped before it was known where they come from.
    orphans: HashSet<i32>,
    held: Vec<(i32, Instant)>,
    calls: BTreeMap<i64, u32>,
    is_met: bool,
}

impl Tracer {
    fn new(main: i32, fault: Option<Fault>) -> Tracer {
        Tracer {
            main,
            fault,
            binary: std::fs::canonicalize(World::binary()).unwrap(),
            threads: HashMap::new(),
            orphans: HashSet::new(),
            held: Vec::new(),
            calls: BTreeMap::new(),
            is_met: false,
        }
    }

    /// Until all of it has ended; how the first process did.
    fn run(&mut self) -> ExitStatus {
        let mut end = None;
        loop {
            self.release();
            let options = libc::__WALL | libc::__WNOTHREAD;
            let no_wait = if self.held.is_empty() { 0 } else { libc::WNOHANG };
            let mut status = 0;
            // SAFETY: it writes to what it is given.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, options | no_wait) };
            match pid {
                0 => {
                    let pause = rustix::event::Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
                    let _ = rustix::event::poll(&mut [], Some(&pause));
                }
                -1 if std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => {}
                -1 => break,
                pid if libc::WIFSTOPPED(status) => self.stopped(pid, status),
                pid => {
                    self.threads.remove(&pid);
                    self.held.retain(|&(held, _)| held != pid);
                    if pid == self.main {
                        end = Some(ExitStatus::from_raw(status));
                    }
                }
            }
        }
        end.expect("the status of what was started")
    }

    fn release(&mut self) {
        let now = Instant::now();
        let due: Vec<i32> =
            self.held.iter().filter(|(_, until)| *until <= now).map(|&(pid, _)| pid).collect();
        self.held.retain(|(_, until)| *until > now);
        for pid in due {
            self.resume(pid, 0);
        }
    }

    fn stopped(&mut self, pid: i32, status: i32) {
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        if pid == self.main && self.threads.is_empty() {
            let options = libc::PTRACE_O_TRACESYSGOOD
                | libc::PTRACE_O_TRACEFORK
                | libc::PTRACE_O_TRACEVFORK
                | libc::PTRACE_O_TRACECLONE
                | libc::PTRACE_O_TRACEEXEC
                | libc::PTRACE_O_EXITKILL;
            request(libc::PTRACE_SETOPTIONS, pid, 0, options as usize);
            let is_ours = self.is_ours(pid);
            self.threads.insert(pid, Thread { is_ours, ..Thread::default() });
            return self.resume(pid, 0);
        }
        let Some(&thread) = self.threads.get(&pid) else {
            self.orphans.insert(pid);
            return;
        };
        match (signal, event) {
            (libc::SIGTRAP, libc::PTRACE_EVENT_EXEC) => {
                let is_ours = self.is_ours(pid);
                if thread.is_ours && !is_ours {
                    self.threads.remove(&pid);
                    request(libc::PTRACE_DETACH, pid, 0, 0);
                    return;
                }
                // It is still within the call that made it so.
                self.threads.insert(pid, Thread { is_ours, ..Thread::default() });
            }
            (libc::SIGTRAP, event) if event != 0 => {
                let mut child = 0_u64;
                request(libc::PTRACE_GETEVENTMSG, pid, 0, &raw mut child as usize);
                let child = child as i32;
                self.threads.insert(child, Thread { failing: None, ..thread });
                if self.orphans.remove(&child) {
                    self.resume(child, 0);
                }
            }
            (signal, _) if signal == libc::SIGTRAP | 0x80 => {
                if let Some(until) = self.called(pid) {
                    self.held.push((pid, until));
                    return;
                }
            }
            // A new one begins by it.
            (libc::SIGSTOP, _) => {}
            (signal, _) => return self.resume(pid, signal),
        }
        self.resume(pid, 0);
    }

    /// A thread is about to make a call, or has made it; until when it is held there.
    fn called(&mut self, pid: i32) -> Option<Instant> {
        let mut info = Info::default();
        let size = size_of::<Info>();
        request(PTRACE_GET_SYSCALL_INFO, pid, size, &raw mut info as usize);
        let thread = self.threads.get_mut(&pid).unwrap();
        if info.op == EXIT {
            if let Some(errno) = thread.failing.take() {
                set(pid, RAX, -i64::from(errno.raw_os_error()));
            }
            return None;
        }
        let call = info.words[0] as i64;
        thread.is_live = call != FIRST_OF_START && (thread.is_live || call == FIRST_OF_MAIN);
        if info.op != ENTRY || !thread.is_live || !thread.is_ours {
            return None;
        }
        let count = self.calls.entry(call).or_default();
        *count += 1;
        let meets = |fault: &Fault| fault.call == call && fault.at.is_none_or(|at| at == *count);
        let fault = self.fault.filter(meets)?;
        self.is_met = true;
        match fault.fate {
            Fate::Waits(_) if pid == self.main => None,
            Fate::Waits(time) => Some(Instant::now() + time),
            Fate::Fails(errno) => {
                // No such call.
                set(pid, ORIG_RAX, -1);
                thread.failing = Some(errno);
                None
            }
        }
    }

    fn resume(&self, pid: i32, signal: i32) {
        let is_ours = self.threads.get(&pid).is_some_and(|thread| thread.is_ours);
        let how = if is_ours { libc::PTRACE_SYSCALL } else { libc::PTRACE_CONT };
        request(how, pid, 0, signal as usize);
    }

    fn is_ours(&self, pid: i32) -> bool {
        std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|file| file == self.binary)
    }
}

/// `struct ptrace_syscall_info`, as far as it is of use.
#[derive(Default)]
#[repr(C)]
struct Info {
    op: u8,
    _padding: [u8; 3],
    _arch: u32,
    _pointers: [u64; 2],
    /// On entry the number of the call, and its arguments.
    words: [u64; 8],
}

const PTRACE_GET_SYSCALL_INFO: libc::c_uint = 0x420e;
const ENTRY: u8 = 1;
const EXIT: u8 = 2;
/// Where in `struct user` the number and the result of a call are.
const ORIG_RAX: usize = 8 * 15;
const RAX: usize = 8 * 10;

fn set(pid: i32, register: usize, value: i64) {
    request(libc::PTRACE_POKEUSER, pid, register, value as usize);
}

/// What a thread that was killed meanwhile does not hear.
fn request(what: libc::c_uint, pid: i32, address: usize, data: usize) {
    // SAFETY: `what` writes to what `data` points to if it writes at all, which is valid
    // for that and as large as it says.
    unsafe { libc::ptrace(what, pid, address, data) };
}
