//! System calls, made directly: the C library's functions set `errno`, which is thread-local.

use crate::text::Text;
use cachex_core::young;
use core::arch::asm;
use core::ffi::c_int;
use core::mem::MaybeUninit;

pub use libc::stat as Stat;

/// An error number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub c_int);

pub type Result<T> = core::result::Result<T, Errno>;

/// An open descriptor, closed when it is dropped.
pub struct Descriptor(c_int);

impl Descriptor {
    pub fn number(&self) -> c_int {
        self.0
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: nobody else owns it.
        let _ = unsafe { call(libc::SYS_close, [self.0 as usize, 0, 0, 0, 0, 0]) };
    }
}

/// Makes a system call.
///
/// # Safety
///
/// The arguments are valid for the call: pointers lead to memory that the kernel may use.
#[inline]
unsafe fn call(number: libc::c_long, arguments: [usize; 6]) -> Result<usize> {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    let result: isize;
    // SAFETY: the caller promises what the kernel needs; the kernel changes no other registers, and
    // leaves the stack alone.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") first, in("rsi") second, in("rdx") third, in("r10") fourth, in("r8") fifth,
            in("r9") sixth,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") first => result,
            in("x1") second, in("x2") third, in("x3") fourth, in("x4") fifth, in("x5") sixth,
            options(nostack),
        );
    }
    if (-4095..0).contains(&result) { Err(Errno(-result as c_int)) } else { Ok(result as usize) }
}

/// Makes a call whose arguments are only numbers.
#[inline]
fn plain(number: libc::c_long, a: c_int, b: usize, c: usize) -> Result<usize> {
    // SAFETY: callers pass numbers of calls that take no pointer.
    unsafe { call(number, [a as usize, b, c, 0, 0, 0]) }
}

/// Makes a call that fills a structure.
#[inline]
fn filled<T>(fill: impl FnOnce(*mut T) -> Result<usize>) -> Result<T> {
    let mut place = MaybeUninit::uninit();
    fill(place.as_mut_ptr())?;
    // SAFETY: the kernel has filled it, and any bytes are a valid value of the types used here.
    Ok(unsafe { place.assume_init() })
}

pub fn fcntl(fd: c_int, command: c_int) -> Result<usize> {
    plain(libc::SYS_fcntl, fd, command as usize, 0)
}

pub fn geteuid() -> u32 {
    plain(libc::SYS_geteuid, 0, 0, 0).map_or(u32::MAX, |uid| uid as u32)
}

pub fn seek(fd: c_int, by: i64, whence: c_int) -> Result<u64> {
    plain(libc::SYS_lseek, fd, by as usize, whence as usize).map(|offset| offset as u64)
}

pub fn fstat(fd: c_int) -> Result<Stat> {
    // SAFETY: the structure is the kernel's.
    filled(|to: *mut Stat| unsafe { call(libc::SYS_fstat, [fd as usize, to as usize, 0, 0, 0, 0]) })
}

pub fn stat_at(at: c_int, path: Text<'_>, flags: c_int) -> Result<Stat> {
    let pointer = path.pointer() as usize;
    // SAFETY: the path ends with a zero byte, and the structure is the kernel's.
    filled(|to: *mut Stat| unsafe {
        call(libc::SYS_newfstatat, [at as usize, pointer, to as usize, flags as usize, 0, 0])
    })
}

/// Checks that this user may execute a file.
pub fn may_execute(path: Text<'_>) -> Result<()> {
    let (at, mode) = (libc::AT_FDCWD as usize, libc::X_OK as usize);
    let arguments = [at, path.pointer() as usize, mode, libc::AT_EACCESS as usize, 0, 0];
    // SAFETY: the path ends with a zero byte.
    unsafe { call(libc::SYS_faccessat2, arguments) }.map(drop)
}

pub fn open_at(at: c_int, path: Text<'_>, flags: c_int, mode: u32) -> Result<Descriptor> {
    let flags = (flags | libc::O_CLOEXEC) as usize;
    let arguments = [at as usize, path.pointer() as usize, flags, mode as usize, 0, 0];
    // SAFETY: the path ends with a zero byte.
    unsafe { call(libc::SYS_openat, arguments) }.map(|fd| Descriptor(fd as c_int))
}

/// Opens a file below a folder, without following links on the way.
pub fn open_below(at: c_int, path: Text<'_>, flags: c_int) -> Result<Descriptor> {
    let how = [
        (flags | libc::O_CLOEXEC | libc::O_NOFOLLOW) as u64,
        0,
        libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_BENEATH,
    ];
    let (how, size) = (how.as_ptr() as usize, size_of_val(&how));
    let arguments = [at as usize, path.pointer() as usize, how, size, 0, 0];
    // SAFETY: the path ends with a zero byte, and `how` is the kernel's `open_how`.
    unsafe { call(libc::SYS_openat2, arguments) }.map(|fd| Descriptor(fd as c_int))
}

/// Opens a file of the store.
pub fn open_stored(store: &Descriptor, path: &[u8; young::PATH]) -> Result<Descriptor> {
    let mut terminated = [0; young::PATH + 1];
    cachex_core::bytes::copy(&mut terminated, path);
    let path = &mut terminated;
    let none = Errno(libc::ENOENT);
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
    match open_below(store.number(), Text::of(&path[..]).ok_or(none)?, flags) {
        // The kernel is older, or a sandbox does not know the call.
        Err(Errno(libc::ENOSYS | libc::EPERM)) => {}
        done => return done,
    }
    // Each folder on the way is opened by itself.
    let mut folder = None;
    let mut rest = &mut path[..];
    while let Some(slash) = rest.iter().position(|&byte| byte == b'/') {
        let (name, behind) = rest.split_at_mut_checked(slash.wrapping_add(1)).ok_or(none)?;
        if let Some(end) = name.last_mut() {
            *end = 0;
        }
        let at = folder.as_ref().map_or(store.number(), Descriptor::number);
        let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        folder = Some(open_at(at, Text::of(name).ok_or(none)?, flags, 0)?);
        rest = behind;
    }
    let at = folder.as_ref().map_or(store.number(), Descriptor::number);
    open_at(at, Text::of(rest).ok_or(none)?, flags | libc::O_NOFOLLOW, 0)
}

pub fn read(fd: c_int, to: &mut [u8]) -> Result<usize> {
    let arguments = [fd as usize, to.as_mut_ptr() as usize, to.len(), 0, 0, 0];
    // SAFETY: the kernel writes into the slice.
    unsafe { call(libc::SYS_read, arguments) }
}

/// Reads until the end, or until `to` is full. Returns the number of bytes.
pub fn read_all(fd: c_int, to: &mut [u8]) -> Result<usize> {
    let mut len = 0_usize;
    loop {
        let rest = to.get_mut(len..).unwrap_or_default();
        match read(fd, rest) {
            Ok(0) => return Ok(len),
            Ok(count) => len = len.wrapping_add(count),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

pub fn read_at(fd: c_int, to: &mut [u8], offset: u64) -> Result<usize> {
    let arguments = [fd as usize, to.as_mut_ptr() as usize, to.len(), offset as usize, 0, 0];
    // SAFETY: the kernel writes into the slice.
    unsafe { call(libc::SYS_pread64, arguments) }
}

pub fn write(fd: c_int, bytes: &[u8]) -> Result<usize> {
    let arguments = [fd as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0];
    // SAFETY: the kernel reads from the slice.
    unsafe { call(libc::SYS_write, arguments) }
}

/// Reads the text of a symbolic link. Returns its length.
pub fn read_link(path: Text<'_>, to: &mut [u8]) -> Result<usize> {
    let at = libc::AT_FDCWD as usize;
    let arguments = [at, path.pointer() as usize, to.as_mut_ptr() as usize, to.len(), 0, 0];
    // SAFETY: the path ends with a zero byte, and the kernel writes into the slice.
    unsafe { call(libc::SYS_readlinkat, arguments) }
}

/// Reads the path of the working directory. Returns its length including the terminating zero byte.
pub fn working_directory(to: &mut [u8]) -> Result<usize> {
    // SAFETY: the kernel writes into the slice.
    unsafe { call(libc::SYS_getcwd, [to.as_mut_ptr() as usize, to.len(), 0, 0, 0, 0]) }
}

pub fn is_terminal(fd: c_int) -> bool {
    let arguments =
        |to: *mut libc::winsize| [fd as usize, libc::TIOCGWINSZ as usize, to as usize, 0, 0, 0];
    // SAFETY: the structure is the kernel's.
    filled(|to| unsafe { call(libc::SYS_ioctl, arguments(to)) }).is_ok()
}

/// Waits until something happens that is watched for, or for this many milliseconds, which are less
/// than a second.
#[inline]
fn poll(watched: &mut libc::pollfd, patience: c_int) -> Result<usize> {
    let watched = &raw mut *watched as usize;
    #[cfg(target_arch = "x86_64")]
    let (number, limit) = (libc::SYS_poll, patience as usize);
    // Elsewhere there is only the call that takes a structure, and a mask of signals.
    #[cfg(not(target_arch = "x86_64"))]
    let mut patience = libc::timespec { tv_sec: 0, tv_nsec: i64::from(patience) * 1_000_000 };
    #[cfg(not(target_arch = "x86_64"))]
    let (number, limit) = (libc::SYS_ppoll, &raw mut patience as usize);
    // SAFETY: there is one, and it is the kernel's, as is the time; there is no mask.
    unsafe { call(number, [watched, 1, limit, 0, 0, 0]) }
}

/// Returns whether a line can be written now, or within this many milliseconds.
pub fn takes_a_line(fd: c_int, patience: c_int) -> bool {
    let mut watched = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    poll(&mut watched, patience).is_ok() && watched.revents & libc::POLLOUT != 0
}

/// Returns whether all writers of a pipe are gone, or leave within this many milliseconds.
pub fn has_hung_up(fd: c_int, moment: c_int) -> Result<bool> {
    let mut watched = libc::pollfd { fd, events: 0, revents: 0 };
    poll(&mut watched, moment)?;
    Ok(watched.revents == libc::POLLHUP)
}

/// Returns the number of bytes in a pipe.
pub fn waiting(fd: c_int) -> Result<usize> {
    // SAFETY: the number is the kernel's.
    let count: c_int = filled(|to: *mut c_int| unsafe {
        call(libc::SYS_ioctl, [fd as usize, libc::FIONREAD as usize, to as usize, 0, 0, 0])
    })?;
    Ok(count as usize)
}

/// Creates a pipe. Returns its reading end and its writing end.
pub fn pipe() -> Result<(Descriptor, Descriptor)> {
    // SAFETY: both numbers are the kernel's.
    let [from, to]: [c_int; 2] = filled(|to: *mut [c_int; 2]| unsafe {
        call(libc::SYS_pipe2, [to as usize, libc::O_CLOEXEC as usize, 0, 0, 0, 0])
    })?;
    Ok((Descriptor(from), Descriptor(to)))
}

/// Copies the contents of one pipe to another without consuming them. Returns the number of bytes.
pub fn tee(from: c_int, to: c_int, len: usize) -> Result<usize> {
    let flags = libc::SPLICE_F_NONBLOCK as usize;
    // SAFETY: no argument is a pointer.
    unsafe { call(libc::SYS_tee, [from as usize, to as usize, len, flags, 0, 0]) }
}

/// Returns the time of a clock, in nanoseconds.
pub fn time(clock: libc::clockid_t) -> Result<u64> {
    // SAFETY: the structure is the kernel's.
    let time: libc::timespec = filled(|to: *mut libc::timespec| unsafe {
        call(libc::SYS_clock_gettime, [clock as usize, to as usize, 0, 0, 0, 0])
    })?;
    Ok((time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64))
}

/// Returns whether the size of files is unlimited.
pub fn files_are_unlimited() -> bool {
    let which = libc::RLIMIT_FSIZE as usize;
    // SAFETY: the structure is the kernel's.
    let limit: Result<libc::rlimit> = filled(|to: *mut libc::rlimit| unsafe {
        call(libc::SYS_prlimit64, [0, which, 0, to as usize, 0, 0])
    });
    limit.is_ok_and(|limit| limit.rlim_cur == libc::RLIM_INFINITY)
}

/// A set of signals, the first in the lowest bit.
type Signals = u64;

const fn bit(signal: c_int) -> Signals {
    (1 as Signals).wrapping_shl(signal.wrapping_sub(1) as u32)
}

/// Changes the blocked signals. Returns those that were blocked before.
fn change_mask(how: c_int, signals: Signals) -> Result<Signals> {
    let pointer = &raw const signals as usize;
    // SAFETY: both sets are the kernel's, of the size that the last argument says.
    filled(|before: *mut Signals| unsafe {
        let arguments = [how as usize, pointer, before as usize, size_of::<Signals>(), 0, 0];
        call(libc::SYS_rt_sigprocmask, arguments)
    })
}

/// Blocks a signal. Returns those that were blocked before.
pub fn hold_back(signal: c_int) -> Result<Signals> {
    change_mask(libc::SIG_BLOCK, bit(signal))
}

/// Blocks these signals and no others.
pub fn hold_back_only(signals: Signals) {
    let _ = change_mask(libc::SIG_SETMASK, signals);
}

/// Discards a pending signal that is blocked.
pub fn discard(signal: c_int) {
    let (signals, at_once) = (bit(signal), [0_i64; 2]);
    let (set, time) = (&raw const signals as usize, &raw const at_once as usize);
    // SAFETY: the set is the kernel's, of the size that the last argument says, and the time is two
    // words. Nothing is written.
    let _ = unsafe { call(libc::SYS_rt_sigtimedwait, [set, 0, time, size_of::<Signals>(), 0, 0]) };
}

/// Returns whether a pending signal ends this process once only these are blocked.
pub fn is_ended_by(signal: c_int, held_back: Signals) -> bool {
    let size = size_of::<Signals>();
    // SAFETY: the set is the kernel's, of the size that the last argument says.
    let waiting: Result<Signals> = filled(|to: *mut Signals| unsafe {
        call(libc::SYS_rt_sigpending, [to as usize, size, 0, 0, 0, 0])
    });
    // SAFETY: the kernel describes a signal by four words, the handler first.
    let action: Result<[usize; 4]> = filled(|to: *mut [usize; 4]| unsafe {
        call(libc::SYS_rt_sigaction, [signal as usize, 0, to as usize, size, 0, 0])
    });
    let waits = waiting.is_ok_and(|waiting| waiting & bit(signal) != 0);
    let by_default = action.is_ok_and(|[handler, ..]| handler == libc::SIG_DFL);
    waits && by_default && held_back & bit(signal) == 0
}

/// Ends the process.
pub fn exit(status: u8) -> ! {
    loop {
        let _ = plain(libc::SYS_exit_group, c_int::from(status), 0, 0);
    }
}
