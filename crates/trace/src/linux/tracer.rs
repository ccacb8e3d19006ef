//! The thread that answers notifications, and its start and end.

use crate::linux::filter;
use crate::linux::guardian::{self, Guardian};
use crate::linux::listen::{self, Hook, Slot};
use crate::linux::recorder::{Recorder, Weight};
use crate::report::Report;
use crate::{Settings, Unsupported};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::FileType;
use rustix::io::{Errno, FdFlags};
use rustix::net::{RecvAncillaryBuffer, RecvFlags, recvmsg};
use std::io::IoSliceMut;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The time that processes left behind by the command get to end.
const GRACE: Duration = Duration::from_millis(20);
/// The number of free descriptors that tracing requires.
const ROOM: usize = 10;
/// The free memory that tracing requires, in bytes. Most runs use a tenth of that.
const MEMORY: usize = 8 << 20;
/// The thread's stack size, in bytes. Its calls do not nest deeply.
const STACK: usize = 512 * 1024;

/// Traces one command.
pub struct Tracer {
    /// The socket through which the new process sends its listener. It is closed before the keepers
    /// are dropped, who otherwise await a listener.
    socket: OwnedFd,
    keepers: Keepers,
}

/// The thread and the process that hold the listener. Drop them as late as possible, but before this
/// process executes another program: if nothing is left to trace, that waits for their end, which
/// takes a moment. Otherwise they go on.
pub struct Keepers {
    shared: Arc<Shared>,
    /// The thread, which ends the guardian. None if it was waited for.
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// None after the end.
    recorder: Mutex<Option<Recorder>>,
    /// The listener, or the error for which there is none.
    listener: OnceLock<Result<OwnedFd, Errno>>,
}

static FILTER: LazyLock<Vec<libc::sock_filter>> = LazyLock::new(filter::program);

impl Tracer {
    /// Prepares to trace one command, which this process has to start.
    pub fn new(settings: Settings) -> Result<Tracer, Unsupported> {
        if let Some(program) = &settings.program
            && crate::linux::has_rights_of_its_own(program)
        {
            let program = program.display();
            let why = "has rights of its own, which a traced program does not get";
            return Err(Unsupported(format!("{program} {why}")));
        }
        let failed = |errno| Unsupported(format!("preparing to trace the command: {errno}"));
        let mut recorder = Recorder::new(settings);
        if let Some(why) = inherited(&recorder.settings) {
            recorder.refuse(Weight::Prepared, why);
        }
        listen::has_memory(MEMORY).map_err(failed)?;
        let slot = Slot::new().map_err(failed)?;
        let guardian = Guardian::start(&slot).map_err(failed)?;
        let (ours, socket) = listen::sockets().map_err(failed)?;
        can_serve(&ours).map_err(failed)?;
        let shared = Arc::new(Shared { recorder: Mutex::new(Some(recorder)), ..Shared::default() });
        // A process that is sent a descriptor and has no room for it loses it; without any holder
        // of the listener, each call of the command would fail. Starting the command takes some
        // descriptors, too.
        let room = (0..ROOM).map(|_| rustix::io::fcntl_dupfd_cloexec(&ours, 0));
        let room = room.collect::<Result<Vec<_>, _>>().map_err(failed)?.swap_remove(0);
        let its_own = shared.clone();
        let thread = std::thread::Builder::new().name("cachex-trace".into()).stack_size(STACK);
        // Signals are for the thread that waits for the command.
        let thread = listen::without_signals(|| {
            thread.spawn(move || {
                listen::await_message(&ours);
                drop(room);
                let Some(listener) = listen::take_over(&ours) else { return };
                let listener = listener.map_err(Errno::from_raw_os_error);
                if let Ok(listener) = &listener {
                    guardian.holds(listener);
                    listen::take_turns(listener.as_fd());
                }
                if let Ok(listener) = its_own.listener.get_or_init(|| listener) {
                    its_own.serve(listener.as_fd(), slot);
                }
                // Nothing is left to trace.
                drop(guardian);
            })
        });
        let thread =
            thread.map_err(|error| failed(Errno::from_io_error(&error).unwrap_or(Errno::AGAIN)))?;
        Ok(Tracer { socket, keepers: Keepers { shared, thread: Some(thread) } })
    }

    /// Returns the hook for the new process.
    pub fn hook(&self) -> Hook {
        Hook::new(&FILTER, &self.socket)
    }

    /// Returns the report, after the command has ended and was reaped. Processes that it left
    /// running are not waited for, and go on unharmed.
    pub fn finish(self) -> (Report, Keepers) {
        let Tracer { socket, mut keepers } = self;
        drop(socket);
        let report = keepers.report();
        (report, keepers)
    }
}

impl Keepers {
    fn report(&mut self) -> Report {
        let Keepers { shared, thread } = self;
        let mut processes_left = false;
        let mut untraced = None;
        if shared.listener.get().is_none() {
            // Nobody holds the other end any more.
            let _ = thread.take().map(JoinHandle::join);
        }
        match shared.listener.get() {
            None => untraced = Some("no command was started".to_owned()),
            Some(Err(errno)) => untraced = Some(reason(*errno)),
            Some(Ok(listener)) => processes_left = !is_left_alone(listener.as_fd(), GRACE),
        }
        let recorder = shared.recorder.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut recorder) = recorder else { return Report::default() };
        let traced = untraced.is_none();
        if let Some(why) = untraced {
            recorder.refuse(Weight::Untraced, why);
        }
        Report { traced, ..recorder.report(processes_left) }
    }
}

impl Drop for Keepers {
    fn drop(&mut self) {
        let Some(thread) = &self.thread else { return };
        let has_work = || match self.shared.listener.get() {
            Some(Ok(listener)) => !is_left_alone(listener.as_fd(), Duration::ZERO),
            _ => false,
        };
        guardian::lasts(|| !thread.is_finished() && !has_work());
    }
}

impl Shared {
    /// Answers and records notifications until no traced process is left.
    fn serve(&self, listener: BorrowedFd<'_>, mut slot: Slot) {
        listen::hurry();
        loop {
            let event = match slot.receive(listener) {
                Ok(event) => event,
                Err(Errno::INTR) => continue,
                Err(errno) if guardian::wait(listener) => {
                    if errno == Errno::NOENT {
                        self.change(|recorder| recorder.received.is_incomplete = true);
                    }
                    continue;
                }
                Err(_) => return,
            };
            self.change(|recorder| {
                recorder.received.add(event.id);
                let taken = catch_unwind(AssertUnwindSafe(|| recorder.take(&event)));
                if taken.is_err() {
                    recorder.refuse(Weight::Done, "the tracer failed");
                }
            });
            listen::answer(listener, &event);
        }
    }

    /// Changes the state, until the end.
    fn change(&self, change: impl FnOnce(&mut Recorder)) {
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        recorder.as_mut().map(change);
    }
}

/// Returns whether no traced process is left, or none will be within a part of a second.
fn is_left_alone(listener: BorrowedFd<'_>, soon: Duration) -> bool {
    let timeout = Timespec { tv_sec: 0, tv_nsec: soon.as_nanos() as _ };
    let mut told = [PollFd::new(&listener, PollFlags::empty())];
    loop {
        match poll(&mut told, Some(&timeout)) {
            Err(Errno::INTR) => {}
            Err(_) | Ok(0) => return false,
            Ok(_) => return told[0].revents().intersects(PollFlags::HUP | PollFlags::ERR),
        }
    }
}

/// Checks that no filter of system calls refuses what the tracer needs: the command's calls would
/// never be answered.
fn can_serve(socket: &OwnedFd) -> Result<(), Errno> {
    rustix::io::ioctl_fionread(socket)?;
    let (mut room, mut control) = ([0; 4], RecvAncillaryBuffer::default());
    let text = &mut [IoSliceMut::new(&mut room)];
    match recvmsg(socket, text, &mut control, RecvFlags::DONTWAIT) {
        Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Returns why an inherited descriptor prevents recording the run, if one does: what the command
/// reads, writes or finds through it is not known, whatever it leads to.
fn inherited(settings: &Settings) -> Option<String> {
    let is_known = |number: &i32| {
        settings.known_descriptors.contains(number)
            || settings.jobserver.descriptors.contains(number)
    };
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return Some("which descriptors are inherited cannot be seen".to_owned());
    };
    for entry in entries {
        let Some(number) = entry.ok().and_then(|it| it.file_name().to_str()?.parse::<i32>().ok())
        else {
            continue;
        };
        if number < 3 || is_known(&number) {
            continue;
        }
        let is_inherited = listen::with_descriptor(number, |fd| {
            let flags = rustix::io::fcntl_getfd(fd).ok()?;
            Some(!flags.contains(FdFlags::CLOEXEC) && !is_null(fd))
        });
        if is_inherited == Some(true) {
            return Some(format!("descriptor {number} is inherited"));
        }
    }
    None
}

/// Returns whether a descriptor leads to `/dev/null`, from which nothing is learned.
fn is_null(fd: BorrowedFd<'_>) -> bool {
    rustix::fs::fstat(fd).is_ok_and(|status| {
        FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice
            && status.st_rdev == rustix::fs::makedev(1, 3)
    })
}

/// Returns whether commands can be traced here, and if not, why.
pub fn support() -> Result<(), Unsupported> {
    let allow = [libc::sock_filter {
        code: (libc::BPF_RET | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: libc::SECCOMP_RET_ALLOW,
    }];
    match listen::try_out(&allow) {
        Ok(()) => Ok(()),
        Err(errno) => Err(Unsupported(reason(errno))),
    }
}

/// Explains why a filter could not be installed, or a process not be read.
fn reason(errno: Errno) -> String {
    match errno {
        Errno::BUSY => "something above traces this process in the same way: another `--auto`, \
             the runtime of a container, or WSL2"
            .into(),
        Errno::NOSYS | Errno::INVAL => {
            "the system has no listeners for filters of system calls, which Linux has since 5.5"
                .into()
        }
        Errno::PERM | Errno::ACCESS => {
            "processes may not be traced here (a filter of system calls, or \
             kernel.yama.ptrace_scope)"
                .into()
        }
        errno => errno.to_string(),
    }
}
