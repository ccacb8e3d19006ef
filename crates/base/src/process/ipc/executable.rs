//! The choice of the program that is started as a helper.
//!
//! The helper is this very executable if it is cachex, or a program that begins with
//! [`crate::init`]. Any other program would begin its own work anew each time and start another
//! helper in turn, so it uses the installed `cachex`. So does a program that loaded cachex as part
//! of a shared library, whatever that library called: the code has to lie in the executable.

mod installed;

use anyhow::{Context, Result};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The arguments of this process, if it is cachex from start to end.
static CACHEX: OnceLock<&'static [&'static OsStr]> = OnceLock::new();
/// The verbs of the helpers that branch off at the start of this program's `main`.
static BRANCHES: OnceLock<&'static [&'static str]> = OnceLock::new();

/// Marks that this process only does the work of cachex. `arguments` are its arguments, and the
/// first is its name.
pub fn is_cachex_from_now_on(arguments: &'static [&'static OsStr]) {
    let _ = CACHEX.set(arguments);
}

/// Returns whether this process only does the work of cachex.
pub fn is_cachex() -> bool {
    CACHEX.get().is_some()
}

/// Returns the arguments without the name. Empty in a process that is not cachex itself.
pub fn arguments() -> &'static [&'static OsStr] {
    CACHEX.get().and_then(|arguments| arguments.get(1..)).unwrap_or_default()
}

/// The command whose name this process was called by.
static CALLED_FOR: OnceLock<OsString> = OnceLock::new();

/// Marks that this process was called by the name of a command, which it runs.
pub fn is_called_for(name: &OsStr) {
    let _ = CALLED_FOR.set(name.to_owned());
}

/// Returns the name of that command.
pub fn called_for() -> Option<&'static OsStr> {
    CALLED_FOR.get().map(OsString::as_os_str)
}

/// Marks that a helper of one of these verbs would already have branched off by now.
pub fn helpers_branch_off(verbs: &'static [&'static str]) {
    let _ = BRANCHES.set(verbs);
}

/// Returns a call of a hidden verb in a process that does nothing else: of this very executable, or
/// else of the installed `cachex`.
pub fn helper(verb: &str) -> Result<Command> {
    let executable = if is_cachex() || is_own_helper(verb) {
        executable().context("finding the executable")?
    } else {
        installed::cachex()?
    };
    let mut command = Command::new(executable);
    command.arg0(super::NAME).arg(verb);
    Ok(command)
}

/// Returns whether this program, which is not cachex, can be a helper of this verb.
fn is_own_helper(verb: &str) -> bool {
    BRANCHES.get().is_some_and(|verbs| verbs.contains(&verb)) && lies_in_the_executable()
}

/// Returns whether the program's file grants rights that the user who started it lacks.
pub fn has_rights_of_its_own() -> bool {
    // SAFETY: both only read what the kernel told the process at its start.
    #[cfg(target_os = "linux")]
    return unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    #[cfg(target_os = "macos")]
    return unsafe { libc::issetugid() } != 0;
}

/// Returns the path of this very executable.
#[cfg(target_os = "linux")]
fn executable() -> std::io::Result<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    // The link leads to the running program even after an upgrade.
    let link = PathBuf::from("/proc/self/exe");
    if rustix::fs::stat(&link).is_ok() {
        return Ok(link);
    }
    // In a chroot without /proc, the name passed to `execve` has to do.
    let name = OsStr::from_bytes(rustix::param::linux_execfn().to_bytes());
    Ok(rustix::fs::stat(name).map(|_| PathBuf::from(name))?)
}

/// Returns the path of this very executable.
#[cfg(not(target_os = "linux"))]
fn executable() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// Returns whether this code is a part of the program's file.
#[cfg(target_os = "linux")]
fn lies_in_the_executable() -> bool {
    use libc::{PT_LOAD, c_int, c_void, dl_iterate_phdr, dl_phdr_info, size_t};

    /// Looks at the first object only, which is the program.
    unsafe extern "C" fn look(info: *mut dl_phdr_info, _: size_t, found: *mut c_void) -> c_int {
        // SAFETY: the C library passes its description of an object, with as many headers as it
        // says, and the pointer given below, which nobody else uses.
        let (info, headers, found) = unsafe {
            let headers = std::slice::from_raw_parts((*info).dlpi_phdr, (*info).dlpi_phnum.into());
            (&*info, headers, &mut *found.cast::<bool>())
        };
        let here = lies_in_the_executable as fn() -> bool as usize as u64;
        *found = headers.iter().filter(|header| header.p_type == PT_LOAD).any(|header| {
            let start = info.dlpi_addr.wrapping_add(header.p_vaddr);
            here.wrapping_sub(start) < header.p_memsz
        });
        1
    }

    let mut found = false;
    // SAFETY: `look` uses the second argument as the `bool` that it is, and both are only used
    // until this returns.
    unsafe { dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    found
}

/// Returns whether this code is a part of the program's file.
#[cfg(target_os = "macos")]
#[allow(deprecated, reason = "it is no more than a declaration of what the system has")]
fn lies_in_the_executable() -> bool {
    let here = lies_in_the_executable as fn() -> bool as *const libc::c_void;
    // SAFETY: zeroes are a valid value of the struct that is written to, the address is one of this
    // process, and the first image is the program, which is always there.
    unsafe {
        let mut image: libc::Dl_info = std::mem::zeroed();
        libc::dladdr(here, &raw mut image) != 0
            && image.dli_fbase.cast_const() == libc::_dyld_get_image_header(0).cast()
    }
}
