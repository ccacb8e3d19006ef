//! What is started as a helper.
//!
//! It is this very executable, if that is cachex, or a program that begins with
//! [`crate::init`]. Any other would begin its own work anew each time, and start another in
//! turn: it has the installed `cachex` for a helper. So has a program that loaded cachex as
//! a part of a library, whatever that library called: the code has to lie in the executable.

mod installed;

use anyhow::{Context, Result};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// How this process was called that is cachex from start to end.
static CACHEX: OnceLock<&'static [&'static OsStr]> = OnceLock::new();
/// The verbs of the helpers that branch off where this program's `main` begins.
static BRANCHES: OnceLock<&'static [&'static str]> = OnceLock::new();

/// This process does cachex's work and nothing else. These are its arguments, and its
/// name is the first.
pub fn is_cachex_from_now_on(arguments: &'static [&'static OsStr]) {
    let _ = CACHEX.set(arguments);
}

/// Whether it does.
pub fn is_cachex() -> bool {
    CACHEX.get().is_some()
}

/// The arguments, the name not among them; none in a process that is not cachex's own.
pub fn arguments() -> &'static [&'static OsStr] {
    CACHEX.get().and_then(|arguments| arguments.get(1..)).unwrap_or_default()
}

/// The command by whose name this process was called.
static CALLED_FOR: OnceLock<OsString> = OnceLock::new();

/// This process was called by the name of a command, which it runs.
pub fn is_called_for(name: &OsStr) {
    let _ = CALLED_FOR.set(name.to_owned());
}

/// The name of that command.
pub fn called_for() -> Option<&'static OsStr> {
    CALLED_FOR.get().map(OsString::as_os_str)
}

/// What was started as a helper of one of these verbs would have branched off by now.
pub fn helpers_branch_off(verbs: &'static [&'static str]) {
    let _ = BRANCHES.set(verbs);
}

/// A call of a hidden verb, in a process that does nothing else: this very executable, or
/// else the `cachex` that is installed.
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

/// Whether this program, which is not cachex, can be a helper of this verb.
fn is_own_helper(verb: &str) -> bool {
    BRANCHES.get().is_some_and(|verbs| verbs.contains(&verb)) && lies_in_the_executable()
}

/// Whether the program's file gives it rights that who started it has not.
pub fn has_rights_of_its_own() -> bool {
    // SAFETY: both only read what the kernel told the process at its start.
    #[cfg(target_os = "linux")]
    return unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    #[cfg(target_os = "macos")]
    return unsafe { libc::issetugid() } != 0;
}

/// The file of this very executable.
#[cfg(target_os = "linux")]
fn executable() -> std::io::Result<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    // The link leads to what runs now, also after that was upgraded.
    let link = PathBuf::from("/proc/self/exe");
    if rustix::fs::stat(&link).is_ok() {
        return Ok(link);
    }
    // In a chroot without /proc there is what the kernel was asked to execute.
    let name = OsStr::from_bytes(rustix::param::linux_execfn().to_bytes());
    Ok(rustix::fs::stat(name).map(|_| PathBuf::from(name))?)
}

/// The file of this very executable.
#[cfg(not(target_os = "linux"))]
fn executable() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// Whether this code is a part of the program's file.
#[cfg(target_os = "linux")]
fn lies_in_the_executable() -> bool {
    use libc::{PT_LOAD, c_int, c_void, dl_iterate_phdr, dl_phdr_info, size_t};

    /// Looks at the first object only, which is the program.
    unsafe extern "C" fn look(info: *mut dl_phdr_info, _: size_t, found: *mut c_void) -> c_int {
        // SAFETY: the C library passes what it knows of an object, with as many headers
        // as it says, and the pointer that is given below, which nobody else uses.
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
    // SAFETY: `look` takes the second argument for the `bool` that it is, and both are
    // only used until this returns.
    unsafe { dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    found
}

/// Whether this code is a part of the program's file.
#[cfg(target_os = "macos")]
#[allow(deprecated, reason = "it is no more than a declaration of what the system has")]
fn lies_in_the_executable() -> bool {
    let here = lies_in_the_executable as fn() -> bool as *const libc::c_void;
    // SAFETY: zeroes are a valid value of what is written to, the address is one of this
    // process, and the first image is the program, which is always there.
    unsafe {
        let mut image: libc::Dl_info = std::mem::zeroed();
        libc::dladdr(here, &raw mut image) != 0
            && image.dli_fbase.cast_const() == libc::_dyld_get_image_header(0).cast()
    }
}
