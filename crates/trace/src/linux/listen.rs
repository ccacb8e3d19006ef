//! The calls that set up a filter and its listener. With [`crate::linux::guardian`], this is the
//! only unsafe code of this crate.

use crate::linux::filter::LET_THROUGH;
use libc::{c_int, c_ulong, c_void, seccomp_notif, seccomp_notif_resp, sock_filter, sock_fprog};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::Errno;
use std::mem::{MaybeUninit, size_of};
use std::ptr;

/// The buffer for a notification. It is shared with the guardian, which can thus see a call that
/// was reported and not yet answered.
pub struct Slot(*mut seccomp_notif);

// SAFETY: the memory is never freed, and `Slot` is neither copied nor shared.
unsafe impl Send for Slot {}

/// A system call that waits for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub id: u64,
    /// The thread id.
    pub tid: i32,
    pub number: i32,
    pub is_native: bool,
    pub arguments: [u64; 6],
}

/// Maps anonymous memory, shared with children or private.
fn map(len: usize, sharing: c_int) -> Result<*mut c_void, Errno> {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, sharing | libc::MAP_ANONYMOUS);
    // SAFETY: the kernel chooses a free address, so no other memory is touched.
    let memory = unsafe { libc::mmap(ptr::null_mut(), len, access, kind, -1, 0) };
    if memory == libc::MAP_FAILED { Err(last_error()) } else { Ok(memory) }
}

/// Checks whether that much memory is available.
pub fn has_memory(len: usize) -> Result<(), Errno> {
    let memory = map(len, libc::MAP_PRIVATE)?;
    // SAFETY: nobody else uses the memory.
    unsafe { libc::munmap(memory, len) };
    Ok(())
}

impl Slot {
    /// Allocates a buffer that children share.
    pub fn new() -> Result<Slot, Errno> {
        map(size_of::<seccomp_notif>(), libc::MAP_SHARED).map(|memory| Slot(memory.cast()))
    }

    /// Returns the same buffer, for the guardian.
    pub fn for_a_child(&self) -> Slot {
        Slot(self.0)
    }

    /// Waits for the next call. Returns [`Errno::NOENT`] if the call was interrupted meanwhile.
    pub fn receive(&mut self, listener: BorrowedFd<'_>) -> Result<Event, Errno> {
        // SAFETY: the memory is large enough and belongs to this object, and the kernel requires
        // it to be zeroed.
        let told = unsafe {
            self.0.write_bytes(0, 1);
            ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, self.0.cast())?;
            self.0.read()
        };
        Ok(Event::of(&told))
    }

    /// Returns the last reported call, if any.
    pub fn last(&self) -> Option<Event> {
        // SAFETY: the memory is mapped for good, and whoever wrote to it has ended.
        let told = unsafe { self.0.read() };
        Some(Event::of(&told)).filter(|event| event.id != 0)
    }
}

impl Event {
    fn of(told: &seccomp_notif) -> Event {
        Event {
            id: told.id,
            tid: told.pid as i32,
            number: told.data.nr,
            is_native: told.data.arch == crate::linux::filter::NATIVE,
            arguments: told.data.args,
        }
    }
}

/// Continues a call, or denies it as if the system did not allow `io_uring`: operations through that
/// would not be reported. It is no error if nobody waits for the answer any more.
pub fn answer(listener: BorrowedFd<'_>, event: &Event) {
    let is_ring = event.is_native && libc::c_long::from(event.number) == libc::SYS_io_uring_setup;
    let goes_on = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
    let (error, flags) = if is_ring { (-libc::EPERM, 0) } else { (0, goes_on) };
    let mut answer = seccomp_notif_resp { id: event.id, val: 0, error, flags };
    // SAFETY: the kernel reads an answer, which is what the pointer leads to.
    let _ = unsafe { ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, (&raw mut answer).cast()) };
}

/// Makes the kernel run the caller and the tracer in turns on one processor, if it can.
pub fn take_turns(listener: BorrowedFd<'_>) {
    const SYNC_WAKE_UP: c_ulong = 1;
    // SAFETY: the flags are the argument itself.
    let _ = unsafe {
        ioctl(
            listener,
            libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS,
            ptr::without_provenance_mut(SYNC_WAKE_UP as usize),
        )
    };
}

/// Has this thread run soon after it is woken. Until a call is received, a signal interrupts it.
pub fn hurry() {
    /// The shortest time slice, in nanoseconds: the shorter, the sooner it begins (since Linux 6.12).
    const SLICE: u64 = 100_000;
    /// The number by which a privileged process comes before the command.
    const AHEAD: i32 = 10;
    let size = size_of::<libc::sched_attr>();
    // SAFETY: a zeroed structure is valid. The kernel writes up to `size` bytes of it, and reads as
    // many as it says. Where a call is refused, everything is as it was.
    unsafe {
        let mut now: libc::sched_attr = MaybeUninit::zeroed().assume_init();
        let told = libc::syscall(libc::SYS_sched_getattr, 0, &raw mut now, size, 0);
        if told != 0 || now.sched_policy != libc::SCHED_OTHER as u32 {
            return;
        }
        now.sched_runtime = SLICE;
        let ahead = libc::sched_attr { sched_nice: (now.sched_nice - AHEAD).max(-20), ..now };
        for wanted in [ahead, now] {
            if libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) == 0 {
                return;
            }
        }
    }
}

/// # Safety
///
/// The argument must be what the request takes.
unsafe fn ioctl(fd: BorrowedFd<'_>, request: libc::Ioctl, told: *mut c_void) -> Result<(), Errno> {
    // SAFETY: as the caller says.
    match unsafe { libc::ioctl(fd.as_raw_fd(), request, told) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// Reads a process's memory, up to the end of the readable part. Returns the number of bytes.
pub fn read_memory(pid: i32, from: u64, to: &mut [u8]) -> Result<usize, Errno> {
    let local = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
    let remote =
        libc::iovec { iov_base: ptr::without_provenance_mut(from as usize), iov_len: to.len() };
    // SAFETY: the call writes to `to` only, and reads from another process, or fails.
    match unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) } {
        n @ 0.. => Ok(n as usize),
        _ => Err(last_error()),
    }
}

/// The action of a new process before it executes the command.
#[derive(Clone, Copy, Debug)]
pub struct Hook {
    program: *const sock_filter,
    len: u16,
    /// The socket to which the listener is sent.
    socket: c_int,
}

// SAFETY: the filter is never freed, and nobody writes to it.
unsafe impl Send for Hook {}
// SAFETY: the same.
unsafe impl Sync for Hook {}

impl Hook {
    pub(crate) fn new(program: &'static [sock_filter], socket: &OwnedFd) -> Hook {
        Hook { program: program.as_ptr(), len: program.len() as u16, socket: socket.as_raw_fd() }
    }

    /// Starts to trace this process and everything that it starts. This does not allocate, lock or
    /// fail: where tracing is not possible, the command is executed untraced and the report says
    /// why. Only the execution of the command may follow.
    pub fn in_child(self) {
        let program = sock_fprog { len: self.len, filter: self.program.cast_mut() };
        match install(&program) {
            Ok(listener) => {
                self.send(0, Some(listener));
                // SAFETY: this function owns the descriptor, and passes it to nobody else.
                unsafe { rustix::io::close(listener) };
            }
            Err(errno) => self.send(errno.raw_os_error(), None),
        }
    }

    /// Sends the listener, or the error for which there is none.
    fn send(self, errno: c_int, listener: Option<c_int>) {
        let mut errno = errno.to_le_bytes();
        let mut text = libc::iovec { iov_base: errno.as_mut_ptr().cast(), iov_len: errno.len() };
        let mut room = Room { space: [0; ROOM] };
        // SAFETY: a zeroed header is valid; the text and the control message added to it outlive
        // the call. The macros stay within the room, which is aligned and large enough for one
        // descriptor.
        unsafe {
            let mut header: libc::msghdr = MaybeUninit::zeroed().assume_init();
            header.msg_iov = &raw mut text;
            header.msg_iovlen = 1;
            if let Some(listener) = listener {
                header.msg_control = (&raw mut room).cast();
                header.msg_controllen = ROOM as _;
                let control = libc::CMSG_FIRSTHDR(&raw const header);
                (*control).cmsg_level = libc::SOL_SOCKET;
                (*control).cmsg_type = libc::SCM_RIGHTS;
                (*control).cmsg_len = libc::CMSG_LEN(size_of::<c_int>() as u32) as _;
                libc::CMSG_DATA(control).cast::<c_int>().write_unaligned(listener);
            }
            let flags = libc::MSG_NOSIGNAL as u64 | u64::from(LET_THROUGH) << 32;
            let _ = call(
                libc::SYS_sendmsg,
                [self.socket as usize, (&raw const header).expose_provenance(), flags as usize],
            );
        }
    }
}

/// The size of a control message with one descriptor.
const ROOM: usize = 32;

#[repr(align(8))]
struct Room {
    #[expect(dead_code, reason = "it is written and read by way of its address")]
    space: [u8; ROOM],
}

/// Installs a filter. An unprivileged process gives up gaining privileges by executing programs, if
/// the kernel requires that.
pub fn install(program: &sock_fprog) -> Result<c_int, Errno> {
    let listener = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    let mut flags = listener | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    loop {
        let mode = libc::SECCOMP_SET_MODE_FILTER as usize;
        // SAFETY: the kernel reads a program, which is what the pointer leads to.
        let installed = unsafe {
            call(
                libc::SYS_seccomp,
                [mode, flags as usize, ptr::from_ref(program).expose_provenance()],
            )
        };
        match installed {
            Ok(fd) => return Ok(fd as c_int),
            // Linux has had the flag since 5.19.
            Err(Errno::INVAL) if flags != listener => flags = listener,
            Err(Errno::ACCESS) if rustix::thread::no_new_privs() == Ok(false) => {
                rustix::thread::set_no_new_privs(true)?;
            }
            Err(errno) => return Err(errno),
        }
    }
}

/// Makes a system call directly. The C library would set `errno`, which a new process may share
/// with the one that started it.
///
/// # Safety
///
/// The arguments must be what the call takes.
unsafe fn call(number: libc::c_long, arguments: [usize; 3]) -> Result<usize, Errno> {
    let [a, b, c] = arguments;
    let result: isize;
    // SAFETY: as the caller says; the kernel changes no other registers.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack)
        );
    }
    // SAFETY: the same.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!(
            "svc 0",
            in("x8") number as isize,
            inlateout("x0") a => result,
            in("x1") b,
            in("x2") c,
            options(nostack)
        );
    }
    match result {
        -4095..0 => Err(Errno::from_raw_os_error(-result as i32)),
        _ => Ok(result as usize),
    }
}

/// Waits until [`take_over`] has something to receive.
pub fn await_message(socket: &OwnedFd) {
    let mut it = [PollFd::new(socket, PollFlags::IN)];
    while poll(&mut it, None) == Err(Errno::INTR) {}
}

/// Receives what [`Hook::send`] sent: a listener, or the number of the error for which there is
/// none. None if nothing was sent.
pub fn take_over(socket: &OwnedFd) -> Option<Result<OwnedFd, c_int>> {
    let mut errno = [0; 4];
    let mut text = libc::iovec { iov_base: errno.as_mut_ptr().cast(), iov_len: errno.len() };
    let mut room = Room { space: [0; ROOM] };
    // SAFETY: as in `send`; nobody owns the received descriptor yet.
    unsafe {
        let mut header: libc::msghdr = MaybeUninit::zeroed().assume_init();
        header.msg_iov = &raw mut text;
        header.msg_iovlen = 1;
        header.msg_control = (&raw mut room).cast();
        header.msg_controllen = ROOM as _;
        loop {
            let flags = libc::MSG_CMSG_CLOEXEC;
            match libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) {
                4 => break,
                n if n < 0 && last_error() == Errno::INTR => {}
                _ => return None,
            }
        }
        let control = libc::CMSG_FIRSTHDR(&raw const header);
        if control.is_null() {
            let is_lost = header.msg_flags & libc::MSG_CTRUNC != 0;
            return Some(Err(if is_lost { libc::EMFILE } else { i32::from_le_bytes(errno) }));
        }
        let fd = libc::CMSG_DATA(control).cast::<c_int>().read_unaligned();
        Some(Ok(OwnedFd::from_raw_fd(fd)))
    }
}

/// Sends a listener to the guardian.
pub fn hand_on(socket: &OwnedFd, listener: &OwnedFd) {
    Hook { program: ptr::null(), len: 0, socket: socket.as_raw_fd() }
        .send(0, Some(listener.as_fd().as_raw_fd()));
}

/// Runs `work` while signals are blocked in this thread and those that it starts.
pub fn without_signals<T>(work: impl FnOnce() -> T) -> T {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets live as long as the calls; the first fills one, the second the other.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
    }
    let done = work();
    // SAFETY: the set was filled above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    done
}

/// Examines a descriptor by its number, if it is open.
pub fn with_descriptor<T>(
    number: c_int,
    look: impl FnOnce(BorrowedFd<'_>) -> Option<T>,
) -> Option<T> {
    // SAFETY: the descriptor is only queried, and nobody closes it meanwhile: the thread that does
    // the work of this process waits for this call.
    look(unsafe { BorrowedFd::borrow_raw(number) })
}

/// Returns two sockets, for sending a listener from one process to another.
pub fn sockets() -> Result<(OwnedFd, OwnedFd), Errno> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// Tests tracing: has another process install a filter, and reads its memory.
pub fn try_out(filter: &[sock_filter]) -> Result<(), Errno> {
    let (ours, theirs) = sockets()?;
    let program = sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    let probe = [7_u8];
    // SAFETY: the child makes only async-signal-safe calls: no allocation, no lock.
    let child = match unsafe { libc::fork() } {
        0 => {
            let errno = install(&program).err().map_or(0, Errno::raw_os_error);
            let hook = Hook { program: ptr::null(), len: 0, socket: theirs.as_raw_fd() };
            hook.send(errno, None);
            loop {
                // SAFETY: the call only waits for the process to be killed.
                unsafe { libc::pause() };
            }
        }
        child @ 1.. => child,
        _ => return Err(last_error()),
    };
    drop(theirs);
    let told = match take_over(&ours) {
        Some(Err(0)) => read_memory(child, probe.as_ptr().addr() as u64, &mut [0]).map(drop),
        Some(Err(errno)) => Err(Errno::from_raw_os_error(errno)),
        _ => Err(Errno::AGAIN),
    };
    if let Some(child) = rustix::process::Pid::from_raw(child) {
        let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
        let _ = rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty());
    }
    told
}
