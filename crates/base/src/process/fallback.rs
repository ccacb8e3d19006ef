//! The way out for a process that ran out of memory or panicked.
//!
//! Until the command was started or some of the caller's input was consumed, the way out is to
//! become the command: `exec` needs no memory. After that there is a reserve, enough for the rest
//! of a run. Once the command has ended, only its recording can be lost, and the process ends as
//! the command did.
//!
//! The standard library ends a process without memory by a signal. That would look like the
//! command's own death, or like a damaged database if the process is a helper.

pub mod stack;

use crate::process::exit::{self, Exit};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ffi::{CString, OsStr, OsString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// No way out is known.
const LOST: u32 = 0;
/// The command is known, and none of the caller's input was consumed.
const READY: u32 = 1;
/// This process is a helper; another process is responsible for the command.
const HELPER: u32 = 2;
/// The command has ended. Its status is added to this value.
const ENDED: u32 = 0x100;

static STATE: AtomicU32 = AtomicU32::new(LOST);
/// The arguments of this process as a C array, and their count.
static ARGUMENTS: (AtomicPtr<*const c_char>, AtomicUsize) =
    (AtomicPtr::new(ptr::null_mut()), AtomicUsize::new(0));
/// The index of the command's first argument among them.
static FIRST: AtomicUsize = AtomicUsize::new(0);
/// The command's name, if it is not among the arguments.
static NAME: AtomicPtr<c_char> = AtomicPtr::new(ptr::null_mut());
static GETS_NOTHING: AtomicBool = AtomicBool::new(false);

/// Registers the arguments of this process.
///
/// # Safety
///
/// The array holds `count` C strings followed by a null pointer, or is null. It stays valid until
/// the process ends.
pub unsafe fn arguments_are(arguments: *const *const c_char, count: usize) {
    ARGUMENTS.0.store(arguments.cast_mut(), Ordering::Relaxed);
    ARGUMENTS.1.store(count, Ordering::Relaxed);
}

/// Allows this process to become a command from now on. `argv` must be the last arguments of this
/// process, except that the name of a shell may differ from the word in its place.
pub fn command_is(argv: &[OsString], last: Option<&OsStr>, gets_nothing: bool) {
    let count = ARGUMENTS.1.load(Ordering::Relaxed);
    let Some(first) = count.checked_sub(argv.len()).filter(|&first| first > 0) else { return };
    if last != argv.first().map(OsString::as_os_str) {
        let name = argv.first().and_then(|name| CString::new(name.as_bytes()).ok());
        let Some(name) = name else { return };
        NAME.store(name.into_raw(), Ordering::Relaxed);
    }
    FIRST.store(first, Ordering::Relaxed);
    GETS_NOTHING.store(gets_nothing, Ordering::Relaxed);
    STATE.store(READY, Ordering::Release);
}

/// Marks that something was consumed or begun that the command would miss or repeat.
pub fn is_too_late() {
    STATE.store(LOST, Ordering::Release);
}

/// Returns whether the command can still be run as if cachex had done nothing.
pub fn is_ready() -> bool {
    STATE.load(Ordering::Acquire) == READY
}

/// Marks that the command has ended with `exit` and that all its output was passed on.
pub fn has_ended(exit: Exit) {
    let status = match exit {
        Exit::Status(status) => status,
        Exit::Signal(signal) => 128_u8.saturating_add(signal as u8),
    };
    STATE.store(ENDED + u32::from(status), Ordering::Release);
}

/// Returns how the command ended, if it has.
pub fn ended() -> Option<Exit> {
    let status = STATE.load(Ordering::Acquire).checked_sub(ENDED)?;
    Some(Exit::Status(status as u8))
}

/// Marks this process as a helper.
pub fn is_helper() {
    STATE.store(HELPER, Ordering::Release);
}

/// Becomes the command without allocating. Returns only if that fails.
fn become_command() {
    let arguments = ARGUMENTS.0.load(Ordering::Relaxed);
    if arguments.is_null() {
        return;
    }
    // SAFETY: `FIRST` is the index of one of the arguments, which the caller of `arguments_are`
    // promised to be C strings up to a null pointer. Nobody else reads the array, C allows writing
    // to it, and the string written is a leaked C string. The calls do not allocate.
    unsafe {
        let argv = arguments.add(FIRST.load(Ordering::Relaxed));
        let name = NAME.load(Ordering::Relaxed);
        if !name.is_null() {
            argv.write(name);
        }
        if GETS_NOTHING.load(Ordering::Relaxed) {
            libc::close(0);
            // This takes the lowest free descriptor, which is 0.
            libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY);
        }
        libc::execvp(*argv, argv);
    }
}

/// The size of the reserve: a few chunks, the parts of an entry, and a margin.
const RESERVE: usize = 256 * 1024;
/// The largest allocation served from the reserve. A run can do without larger ones.
const LARGEST: usize = 48 * 1024;

/// Memory for when the system has none. It is handed out once and never taken back.
struct Reserve {
    bytes: UnsafeCell<[u8; RESERVE]>,
    used: AtomicUsize,
}

// SAFETY: the bytes are only handed out, each of them once.
unsafe impl Sync for Reserve {}

static SPARE: Reserve = Reserve { bytes: UnsafeCell::new([0; RESERVE]), used: AtomicUsize::new(0) };

impl Reserve {
    fn take(&self, layout: Layout) -> *mut u8 {
        let start = self.bytes.get().cast::<u8>();
        let mut place = None;
        let step = |used: usize| {
            let at = (start as usize + used).next_multiple_of(layout.align()) - start as usize;
            let end = at.checked_add(layout.size()).filter(|&end| end <= RESERVE)?;
            place = Some(at);
            Some(end)
        };
        let taken = layout.size() <= LARGEST
            && self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_ok();
        // SAFETY: the offset lies within the reserve.
        place.filter(|_| taken).map_or(ptr::null_mut(), |at| unsafe { start.add(at) })
    }

    fn gave(&self, given: *const u8) -> bool {
        (given as usize).wrapping_sub(self.bytes.get() as usize) < RESERVE
    }
}

/// Takes memory from the reserve when the system has none, or ends this process another way.
#[cold]
#[inline(never)]
fn without_memory(layout: Layout) -> *mut u8 {
    match STATE.load(Ordering::Acquire) {
        READY => become_command(),
        HELPER => leave(exit::FAILURE),
        LOST => {}
        ended => leave((ended - ENDED) as u8),
    }
    SPARE.take(layout)
}

fn leave(status: u8) -> ! {
    // SAFETY: it only ends the process, which needs no memory.
    unsafe { libc::_exit(status.into()) }
}

/// The allocator of cachex: the system's, with the fallback of this module.
#[derive(Debug)]
pub struct Allocator;

// SAFETY: every allocation is the system's or a part of the reserve that nobody else has. The
// address tells them apart, and memory of the reserve never goes back to the system.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises what it asks for.
        let given = unsafe { System.alloc(layout) };
        if given.is_null() { without_memory(layout) } else { given }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above. Bytes of the reserve are zero until they are handed out.
        let given = unsafe { System.alloc_zeroed(layout) };
        if given.is_null() { without_memory(layout) } else { given }
    }

    #[inline]
    unsafe fn dealloc(&self, given: *mut u8, layout: Layout) {
        if !SPARE.gave(given) {
            // SAFETY: the system allocated it, and the caller promises the rest.
            unsafe { System.dealloc(given, layout) }
        }
    }

    #[inline]
    unsafe fn realloc(&self, given: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !SPARE.gave(given) {
            // SAFETY: the system allocated it, and the caller promises the rest.
            let moved = unsafe { System.realloc(given, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: the caller promises that the size is valid for this alignment. Both places hold
        // the bytes that are copied, and do not overlap.
        unsafe {
            let new = without_memory(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(given, new, layout.size().min(size));
                self.dealloc(given, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_gives_each_byte_once_and_knows_its_own() {
        #[expect(clippy::large_stack_arrays, reason = "the stack of a test has the room")]
        let reserve = Reserve { bytes: UnsafeCell::new([0; RESERVE]), used: AtomicUsize::new(0) };
        let mut given: Vec<(usize, usize)> = Vec::new();
        for (size, align) in [(1, 1), (24, 8), (3, 1), (4096, 64)].into_iter().cycle() {
            let place = reserve.take(Layout::from_size_align(size, align).unwrap());
            if place.is_null() {
                break;
            }
            assert!(reserve.gave(place) && (place as usize).is_multiple_of(align));
            given.push((place as usize, size));
        }
        assert!(given.len() > 100 && given.windows(2).all(|two| two[0].0 + two[0].1 <= two[1].0));
        assert!(!reserve.gave(given.as_ptr().cast()));
        assert!(reserve.take(Layout::new::<[u8; RESERVE]>()).is_null());
    }
}
