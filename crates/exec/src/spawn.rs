//! Starting the command, as if by whoever started cachex.
//!
//! The standard library's way is not enough: it waits for the new process to have
//! executed the command, in which a process that is stopped (Ctrl-Z) keeps its parent for
//! good; and it leaves no room for the mask, timers and the parent's death. Here the new
//! process shares this one's memory until then, which is the cheapest there is and waits
//! for nothing, and says there why it could not execute the command. Where that is not to
//! be had, it gets a copy of the memory (`fork`).

use crate::invocation::Invocation;
use crate::job::Kind;
use cachex_base::system::signals::{self, Mask};
use cachex_trace::Hook;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::process::{Pid, WaitOptions, getpid, wait, waitpid};
use std::ffi::{CString, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

/// What a shell and `execvp` execute if a file is an executable text that names no
/// interpreter.
const SHELL: &std::ffi::CStr = c"/bin/sh";
/// Enough for what is done before the command is executed.
const STACK: usize = 64 * 1024;

/// What is executed.
pub struct Image {
    program: CString,
    /// The arguments, and room for the null pointer after them.
    argv: Vec<CString>,
}

impl Image {
    /// The command, whose file is `program`.
    pub fn new(invocation: &Invocation, program: &Path) -> io::Result<Image> {
        let c_string = |text: &OsStr| CString::new(text.as_bytes());
        let argv: Result<Vec<_>, _> = invocation.argv.iter().map(|arg| c_string(arg)).collect();
        Ok(Image { program: c_string(program.as_os_str())?, argv: argv? })
    }

    /// The arguments as the system takes them.
    fn arguments(&self) -> Vec<*const c_char> {
        self.argv.iter().map(|arg| arg.as_ptr()).chain([ptr::null()]).collect()
    }

    /// The same where the shell executes it.
    fn arguments_of_the_shell(&self) -> Vec<*const c_char> {
        let rest = self.argv[1..].iter().map(|arg| arg.as_ptr());
        let shell = [c"sh".as_ptr(), self.program.as_ptr()];
        shell.into_iter().chain(rest).chain([ptr::null()]).collect()
    }
}

/// Becomes the command. Returns only if that fails.
pub fn replace(image: &Image) -> io::Error {
    let (argv, of_shell) = (image.arguments(), image.arguments_of_the_shell());
    let ignored = signals::children_were_ignored();
    let _ignored = ignored.then(|| signals::Altered::ignored(libc::SIGCHLD));
    // SAFETY: all pointers are to C strings, and lists of them that end with a null
    // pointer, which live as long as this function.
    unsafe { execute(image.program.as_ptr(), argv.as_ptr(), of_shell.as_ptr()) };
    io::Error::last_os_error()
}

/// Executes a program, by the shell if the system cannot. Returns only if that fails.
///
/// # Safety
///
/// The arguments are a C string, and two lists of such that end with a null pointer.
unsafe fn execute(
    program: *const c_char,
    argv: *const *const c_char,
    of_shell: *const *const c_char,
) {
    // SAFETY: they are what `execve` asks for, and so is the environment, which nothing in
    // this process ever changes.
    unsafe {
        libc::execve(program, argv, environment());
        if last_error() == libc::ENOEXEC {
            libc::execve(SHELL.as_ptr(), of_shell, environment());
        }
    }
}

/// The variables, as this process was started with them.
fn environment() -> *const *const c_char {
    #[cfg(target_os = "macos")]
    // SAFETY: it returns where the C library keeps them, which is never null.
    return unsafe { (*libc::_NSGetEnviron()).cast_const().cast() };
    #[cfg(not(target_os = "macos"))]
    {
        unsafe extern "C" {
            static environ: *const *const c_char;
        }
        // SAFETY: the C library sets it before anything else, and nothing changes it.
        unsafe { environ }
    }
}

fn last_error() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// The standard streams of the command; none: cachex's own.
pub type Streams<'a> = [Option<BorrowedFd<'a>>; 3];

/// How a command begins, its streams aside.
#[derive(Clone, Copy)]
pub struct Begins {
    /// How far it is set apart.
    pub kind: Kind,
    /// The signals that it holds back.
    pub mask: Mask,
    /// Signals that came before and wait to be let in, the first in the lowest bit.
    pub held: u64,
    /// What has it traced, if it is.
    pub trace: Option<Hook>,
}

/// A command that was started.
pub struct Child {
    /// Its process.
    pub pid: Pid,
    plan: &'static Plan,
}

/// All that a new process needs to know, where both see it.
struct Plan {
    program: *const c_char,
    argv: *const *const c_char,
    of_shell: *const *const c_char,
    streams: [c_int; 3],
    begins: Begins,
    parent: Pid,
    timers: timers::Timers,
    ignores_children: bool,
    /// Why the command could not be executed.
    failed: AtomicI32,
}

/// Starts it. Signals are held back meanwhile.
pub fn spawn(image: Image, streams: Streams<'_>, begins: Begins) -> io::Result<Child> {
    // The new process may need it for longer than this function.
    let image: &'static Image = Box::leak(Box::new(image));
    let timers = timers::present();
    let plan = Plan {
        program: image.program.as_ptr(),
        argv: image.arguments().leak().as_ptr(),
        of_shell: image.arguments_of_the_shell().leak().as_ptr(),
        streams: streams.map(|stream| stream.map_or(-1, |fd| fd.as_raw_fd())),
        begins,
        parent: getpid(),
        timers,
        ignores_children: signals::children_were_ignored(),
        failed: AtomicI32::new(0),
    };
    let memory = Memory::new()?;
    // SAFETY: the memory is this function's alone, aligned to a page, larger than a plan,
    // and never given back. The stack grows towards the plan from the other end.
    let plan: &'static Plan = unsafe {
        memory.0.cast::<Plan>().write(plan);
        &*memory.0.cast::<Plan>()
    };
    let pid = start(plan, &memory)?;
    // They are the command's now.
    timers::stop(&timers);
    Ok(Child { pid, plan })
}

impl Child {
    /// How it ended, if it has, or why it could not be executed. A process that inherits others
    /// forgets which of them have ended, too: whoever waits for one to be gone would wait for
    /// ever. `others` is told of each.
    pub fn try_wait(
        &self,
        inherits: bool,
        mut others: impl FnMut(Pid),
    ) -> io::Result<Option<ExitStatus>> {
        let status = loop {
            let ended = if inherits {
                wait(WaitOptions::NOHANG)
            } else {
                waitpid(Some(self.pid), WaitOptions::NOHANG)
            };
            match ended? {
                None => return Ok(None),
                Some((pid, status)) if pid == self.pid => break status,
                Some((other, _)) => others(other),
            }
        };
        match self.plan.failed.load(Ordering::Acquire) {
            0 => Ok(Some(ExitStatus::from_raw(status.as_raw()))),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    /// Whether it is known not to have become the command.
    pub fn was_not_executed(&self) -> bool {
        self.plan.failed.load(Ordering::Acquire) != 0
    }
}

/// Memory that a process shares with those that it starts: a stack, and before that what
/// they tell each other. It is never given back.
pub struct Memory(*mut c_void);

impl Memory {
    /// New memory.
    pub fn new() -> io::Result<Memory> {
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: it is wherever there is room, so nobody else's memory is touched.
        match unsafe { libc::mmap(ptr::null_mut(), STACK, access, kind, -1, 0) } {
            libc::MAP_FAILED => Err(last_os_error()),
            memory => Ok(Memory(memory)),
        }
    }
}

/// Starts a process in this one's memory, which begins with `work` and has `memory` for its
/// stack. Neither waits for the other.
///
/// `work` must only read what never changes, besides atomics, must not allocate, lock or
/// panic, and gets `told`. The `errno` of the C library it shares with this process.
pub fn share_memory_with(
    work: extern "C" fn(*mut c_void) -> c_int,
    memory: &Memory,
    told: *mut c_void,
) -> io::Result<Pid> {
    #[cfg(target_os = "linux")]
    {
        if runs_on_valgrind() {
            // It ends a process that asks for these flags.
            return Err(io::ErrorKind::Unsupported.into());
        }
        // SAFETY: the stack is memory that no running process uses, and `work` is as asked
        // for. Of this process's calls that may meet another's `errno` there are none while
        // it waits: rustix, by which it does, has no `errno`.
        let started = unsafe {
            let top = memory.0.byte_add(STACK);
            libc::clone(work, top, libc::CLONE_VM | libc::SIGCHLD, told)
        };
        Some(started).filter(|&it| it > 0).and_then(Pid::from_raw).ok_or_else(last_os_error)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (work, memory.0, told);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Whether this process is run by valgrind, which counts the instructions of a miss.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn runs_on_valgrind() -> bool {
    const RUNNING_ON_VALGRIND: u64 = 0x1001;
    let request = [RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0];
    let mut answer = 0_u64;
    // SAFETY: the rotations add up to nothing and the exchange is of a register with itself,
    // so a processor changes nothing but flags. Valgrind knows the sequence by its sight,
    // reads the request and writes the answer.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") request.as_ptr(),
            inout("rdx") answer,
            options(nostack)
        );
    }
    answer != 0
}

#[cfg(all(target_os = "linux", not(target_arch = "x86_64")))]
fn runs_on_valgrind() -> bool {
    false
}

/// Starts the new process.
fn start(plan: &'static Plan, memory: &Memory) -> io::Result<Pid> {
    let told = ptr::from_ref(plan).cast_mut().cast::<c_void>();
    match share_memory_with(begin, memory, told) {
        // Refused are the flags, by a filter of system calls, an emulator or valgrind, or
        // it is another process at all that is refused.
        Err(error) if !is_shortage(&error) => {}
        started => return started,
    }
    // SAFETY: the child only does what `begin` does, which is async-signal-safe.
    match unsafe { libc::fork() } {
        // SAFETY: it ends the process at once, and nothing of it needs to be tidied.
        0 => unsafe { libc::_exit(begin(told)) },
        pid => Some(pid).filter(|&it| it > 0).and_then(Pid::from_raw).ok_or_else(last_os_error),
    }
}

fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM))
}

fn last_os_error() -> io::Error {
    io::Error::last_os_error()
}

/// What the new process does: becomes the command.
extern "C" fn begin(plan: *mut c_void) -> c_int {
    // SAFETY: whoever starts it tells it a plan that lives for ever.
    let plan = unsafe { &*plan.cast::<Plan>() };
    if prepare(plan).is_some() {
        // SAFETY: the plan's pointers are those of an image that lives for ever.
        unsafe { execute(plan.program, plan.argv, plan.of_shell) };
    }
    plan.failed.store(last_error(), Ordering::Release);
    127
}

/// Makes everything as the command is to find it; none if something failed. Nothing here
/// allocates, locks or panics.
fn prepare(plan: &Plan) -> Option<()> {
    match plan.begins.kind {
        Kind::Process => {}
        Kind::Group => rustix::process::setpgid(None, None).ok()?,
        Kind::Session => drop(rustix::process::setsid().ok()?),
    }
    for (number, &stream) in (0..).zip(&plan.streams) {
        // SAFETY: the descriptors are this process's alone, which owns none of them in any
        // other sense, and the numbers of the standard streams are there to be changed.
        if stream >= 0 && unsafe { libc::dup2(stream, number) } < 0 {
            return None;
        }
    }
    if plan.begins.kind == Kind::Session {
        rustix::process::ioctl_tiocsctty(rustix::stdio::stdout()).ok()?;
    }
    end_with(plan.parent);
    timers::begin(&plan.timers);
    if plan.ignores_children {
        // SAFETY: to ignore a signal is no handler that could run.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    }
    signals::send_all(plan.begins.held);
    plan.begins.mask.set().ok()?;
    // From here on it is seen what this process does.
    if let Some(trace) = plan.begins.trace {
        trace.in_child();
    }
    Some(())
}

/// Dies when cachex is killed, as it would have been killed in its place.
fn end_with(parent: Pid) {
    #[cfg(target_os = "linux")]
    {
        let kill = rustix::process::Signal::KILL;
        let _ = rustix::process::set_parent_process_death_signal(Some(kill));
        // It may have been killed before that.
        if rustix::process::getppid() != Some(parent) {
            let _ = rustix::process::kill_process(getpid(), kill);
        }
    }
    let _ = parent;
}

/// The timers that a process keeps when it executes a program, and does not hand on to
/// those that it starts: an alarm that was set before is to ring for the command.
#[cfg(target_os = "linux")]
mod timers {
    use libc::{ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, itimerval, timeval};

    /// Those that run.
    pub type Timers = [Option<itimerval>; 3];

    const ALL: [libc::c_int; 3] = [ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF];
    const ZERO: timeval = timeval { tv_sec: 0, tv_usec: 0 };
    const STOPPED: itimerval = itimerval { it_interval: ZERO, it_value: ZERO };

    /// Those of this process.
    pub fn present() -> Timers {
        ALL.map(|which| {
            let mut timer = STOPPED;
            // SAFETY: it writes to `timer` and nowhere else.
            let known = unsafe { libc::getitimer(which, &raw mut timer) } == 0;
            let is_set = timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0;
            (known && is_set).then_some(timer)
        })
    }

    /// Sets those of this process.
    pub fn begin(timers: &Timers) {
        set(timers, |timer| timer);
    }

    /// Stops these in this process.
    pub fn stop(timers: &Timers) {
        set(timers, |_| STOPPED);
    }

    fn set(timers: &Timers, to: fn(itimerval) -> itimerval) {
        for (which, timer) in ALL.into_iter().zip(timers) {
            if let Some(timer) = timer.map(to) {
                // SAFETY: it reads the timer and writes nowhere.
                unsafe { libc::setitimer(which, &raw const timer, std::ptr::null_mut()) };
            }
        }
    }
}

/// Not known here.
#[cfg(not(target_os = "linux"))]
mod timers {
    pub type Timers = ();
    pub fn present() {}
    pub fn begin((): &Timers) {}
    pub fn stop((): &Timers) {}
}
