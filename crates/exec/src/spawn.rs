//! Starts the command, as if whoever started cachex had done so.
//!
//! The standard library is not enough. It waits until the new process has executed the command, so
//! a process that is stopped before that (Ctrl-Z) blocks its parent for good. It also cannot set
//! the signal mask, timers and the parent-death signal. Here the new process shares this one's
//! memory until then, which is the cheapest way and waits for nothing, and reports there why it
//! could not execute the command. Where that is not available, it gets a copy of the memory
//! (`fork`).

use crate::invocation::Invocation;
use crate::job::Kind;
use cachex_base::system::signals::{self, Mask};
use cachex_trace::Hook;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::process::{Pid, WaitOptions, getpid, wait, waitpid};
use std::ffi::{CString, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{ExitStatusExt, parent_id};
use std::path::Path;
use std::process::ExitStatus;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

/// The program with which shells and `execvp` execute a file without an interpreter line.
const SHELL: &std::ffi::CStr = c"/bin/sh";
/// The size of the memory shared with a new process, stack included, in bytes.
const STACK: usize = 64 * 1024;

/// A program to execute.
pub struct Image {
    program: CString,
    /// The arguments, and room for the null pointer after them.
    argv: Vec<CString>,
}

impl Image {
    /// Creates the image of the command whose file is `program`.
    pub fn new(invocation: &Invocation, program: &Path) -> io::Result<Image> {
        let c_string = |text: &OsStr| CString::new(text.as_bytes());
        let argv: Result<Vec<_>, _> = invocation.argv.iter().map(|arg| c_string(arg)).collect();
        Ok(Image { program: c_string(program.as_os_str())?, argv: argv? })
    }

    /// Returns the arguments as the system takes them.
    fn arguments(&self) -> Vec<*const c_char> {
        self.argv.iter().map(|arg| arg.as_ptr()).chain([ptr::null()]).collect()
    }

    /// Returns the arguments for execution by the shell.
    fn arguments_of_the_shell(&self) -> Vec<*const c_char> {
        let rest = self.argv[1..].iter().map(|arg| arg.as_ptr());
        let shell = [c"sh".as_ptr(), self.program.as_ptr()];
        shell.into_iter().chain(rest).chain([ptr::null()]).collect()
    }
}

/// Replaces this process with the command. Returns only on failure.
pub fn replace(image: &Image) -> io::Error {
    let (argv, of_shell) = (image.arguments(), image.arguments_of_the_shell());
    let ignored = signals::children_were_ignored();
    let _ignored = ignored.then(|| signals::Altered::ignored(libc::SIGCHLD));
    // SAFETY: all pointers are to C strings, or to lists of them that end with a null pointer,
    // which outlive this call.
    unsafe { execute(image.program.as_ptr(), argv.as_ptr(), of_shell.as_ptr()) };
    io::Error::last_os_error()
}

/// Executes a program, or has the shell execute it if the system cannot. Returns only on failure.
///
/// # Safety
///
/// The arguments must be a C string, and two lists of C strings that end with a null pointer.
unsafe fn execute(
    program: *const c_char,
    argv: *const *const c_char,
    of_shell: *const *const c_char,
) {
    // SAFETY: the arguments and the environment are what `execve` requires, and nothing in this
    // process ever changes them.
    unsafe {
        libc::execve(program, argv, environment());
        if last_error() == libc::ENOEXEC {
            libc::execve(SHELL.as_ptr(), of_shell, environment());
        }
    }
}

/// Returns the environment with which this process was started.
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

/// The standard streams of the command; none means cachex's own.
pub type Streams<'a> = [Option<BorrowedFd<'a>>; 3];

/// The state in which a command begins, apart from its streams.
#[derive(Clone, Copy)]
pub struct Begins {
    /// The degree to which it is separated from cachex.
    pub kind: Kind,
    /// The signals that it blocks.
    pub mask: Mask,
    /// The signals that are already pending, the first one in the lowest bit.
    pub held: u64,
    /// The hook that traces it, if it is traced.
    pub trace: Option<Hook>,
}

/// A command that was started.
pub struct Child {
    /// The process.
    pub pid: Pid,
    plan: &'static Plan,
}

/// The data that a new process needs, in memory that both processes see.
struct Plan {
    program: *const c_char,
    argv: *const *const c_char,
    of_shell: *const *const c_char,
    streams: [c_int; 3],
    begins: Begins,
    parent: Pid,
    timers: timers::Timers,
    ignores_children: bool,
    /// The `errno` with which the command could not be executed, or 0.
    failed: AtomicI32,
}

/// Starts a command, while signals are blocked.
pub fn spawn(image: Image, streams: Streams<'_>, begins: Begins) -> io::Result<Child> {
    // The new process may need the image for longer than this function runs.
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
    // SAFETY: only this function uses the memory, which is aligned to a page, larger than a plan,
    // and never freed. The stack grows towards the plan from the other end.
    let plan: &'static Plan = unsafe {
        memory.0.cast::<Plan>().write(plan);
        &*memory.0.cast::<Plan>()
    };
    let pid = start(plan, &memory)?;
    // The timers are the command's now.
    timers::stop(&timers);
    Ok(Child { pid, plan })
}

impl Child {
    /// Returns the status if the command has ended, or the error with which it could not be
    /// executed. A process that `inherits` others reaps those too, since whoever waits for them to
    /// be gone would otherwise wait for ever, and tells `others` of each.
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

    /// Returns whether the process is known to have failed to execute the command.
    pub fn was_not_executed(&self) -> bool {
        self.plan.failed.load(Ordering::Acquire) != 0
    }
}

/// Memory that a process shares with its children: a stack, preceded by the data that they
/// exchange. It is never freed.
pub struct Memory(*mut c_void);

impl Memory {
    /// Maps new memory.
    pub fn new() -> io::Result<Memory> {
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: the kernel chooses a free address, so no other memory is touched.
        match unsafe { libc::mmap(ptr::null_mut(), STACK, access, kind, -1, 0) } {
            libc::MAP_FAILED => Err(last_os_error()),
            memory => Ok(Memory(memory)),
        }
    }
}

/// Starts a process in this one's memory, with `memory` for its stack, that runs `work`. Neither
/// process waits for the other.
///
/// `work` gets `told`. It must read only what never changes, besides atomics, and must not
/// allocate, lock or panic. It shares the C library's `errno` with this process.
pub fn share_memory_with(
    work: extern "C" fn(*mut c_void) -> c_int,
    memory: &Memory,
    told: *mut c_void,
) -> io::Result<Pid> {
    #[cfg(target_os = "linux")]
    {
        if runs_on_valgrind() {
            // Valgrind kills a process that uses these flags.
            return Err(io::ErrorKind::Unsupported.into());
        }
        // SAFETY: no running process uses the stack's memory, and `work` meets the requirements
        // above. While this process waits, it makes no calls that use the shared `errno`: it
        // waits by rustix, which has none.
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

/// Returns whether this process runs under valgrind, which counts the instructions of a miss.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn runs_on_valgrind() -> bool {
    const RUNNING_ON_VALGRIND: u64 = 0x1001;
    let request = [RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0];
    let mut answer = 0_u64;
    // SAFETY: the rotations cancel out and a register is exchanged with itself, so a processor
    // changes nothing but flags. Valgrind recognizes the sequence, reads the request and writes
    // the answer.
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
        // The flags were refused, by a seccomp filter, an emulator or valgrind, or no other process
        // is allowed at all.
        Err(error) if !is_shortage(&error) => {}
        started => return started,
    }
    // SAFETY: the child only does what `begin` does, which is async-signal-safe.
    match unsafe { libc::fork() } {
        // SAFETY: this ends the process at once, and nothing has to be cleaned up.
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

/// Runs in the new process: becomes the command.
extern "C" fn begin(plan: *mut c_void) -> c_int {
    // SAFETY: the pointer is to a plan that lives for ever.
    let plan = unsafe { &*plan.cast::<Plan>() };
    if prepare(plan).is_some() {
        // SAFETY: the plan's pointers are to an image that lives for ever.
        unsafe { execute(plan.program, plan.argv, plan.of_shell) };
    }
    plan.failed.store(last_error(), Ordering::Release);
    127
}

/// Sets up the state in which the command is to start; none if something failed. This must not
/// allocate, lock or panic.
fn prepare(plan: &Plan) -> Option<()> {
    match plan.begins.kind {
        Kind::Process => {}
        Kind::Group => rustix::process::setpgid(None, None).ok()?,
        Kind::Session => drop(rustix::process::setsid().ok()?),
    }
    for (number, &stream) in (0..).zip(&plan.streams) {
        // SAFETY: this process has its own copies of the descriptors, no object owns them here,
        // and the standard streams may be replaced.
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
        // SAFETY: ignoring a signal installs no handler that could run.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    }
    signals::send_all(plan.begins.held);
    plan.begins.mask.set().ok()?;
    // The process is traced from here on.
    if let Some(trace) = plan.begins.trace {
        trace.in_child();
    }
    Some(())
}

/// Returns whether this process was a child of `parent`, which is dead. Called in a new process.
///
/// That is not always known, and then false: in a namespace of processes that its parent is not in,
/// a process sees no parent, and a filter of system calls may refuse to tell a process its number.
pub fn has_lost(parent: Pid) -> bool {
    let (parent, present) = (parent.as_raw_nonzero().get(), parent_id().cast_signed());
    parent > 0 && present > 0 && present != parent
}

/// Makes this process die when cachex is killed, as the command would have without cachex.
fn end_with(parent: Pid) {
    #[cfg(target_os = "linux")]
    {
        let kill = rustix::process::Signal::KILL;
        let _ = rustix::process::set_parent_process_death_signal(Some(kill));
        // The parent may have died before that.
        if has_lost(parent) {
            // SAFETY: the call ends this process, and runs nothing of it any more.
            unsafe { libc::_exit(128 + kill.as_raw()) };
        }
    }
    let _ = parent;
}

/// The timers that survive `execve`, but are not inherited by new processes: an alarm that was set
/// before must ring for the command.
#[cfg(target_os = "linux")]
mod timers {
    use libc::{ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, itimerval, timeval};

    /// The timers that are running.
    pub type Timers = [Option<itimerval>; 3];

    const ALL: [libc::c_int; 3] = [ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF];
    const ZERO: timeval = timeval { tv_sec: 0, tv_usec: 0 };
    const STOPPED: itimerval = itimerval { it_interval: ZERO, it_value: ZERO };

    /// Returns the running timers of this process.
    pub fn present() -> Timers {
        ALL.map(|which| {
            let mut timer = STOPPED;
            // SAFETY: it writes to `timer` and nowhere else.
            let known = unsafe { libc::getitimer(which, &raw mut timer) } == 0;
            let is_set = timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0;
            (known && is_set).then_some(timer)
        })
    }

    /// Sets timers in this process.
    pub fn begin(timers: &Timers) {
        set(timers, |timer| timer);
    }

    /// Stops these timers in this process.
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

/// Timers are not handed on to the command on this system.
#[cfg(not(target_os = "linux"))]
mod timers {
    pub type Timers = ();
    pub fn present() {}
    pub fn begin((): &Timers) {}
    pub fn stop((): &Timers) {}
}
