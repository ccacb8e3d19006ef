//! How a process starts that has cachex in it.
//!
//! cachex itself starts at C's `main`, see `src/main.rs`. A program that uses the
//! library starts as it likes; but its helper processes are that program too, and they
//! must not begin its work. So what the C library runs before any `main` looks
//! whether the process was started as a helper: its name is exactly `cachex` and its
//! first argument one of [`cmd::OF_HELPERS`]. Then it does a helper's work as cachex
//! itself would, and ends.
//!
//! This is a part of every hit: it compares a few bytes, and neither allocates nor asks
//! the system. The C libraries of GNU and of macOS pass the arguments to such a function;
//! where nobody does there is none, and no helper is started by anybody but cachex.

use crate::cmd;
use crate::fallback::{self, stack};
use std::ffi::{CStr, OsStr, c_char, c_void};
use std::os::unix::ffi::OsStrExt;

/// Does all that a process does that is cachex, and ends it.
///
/// # Safety
///
/// Both are null or the process's: pointers to C strings up to a null pointer, none of
/// which changes until the process ends.
pub unsafe fn main(arguments: *const *const c_char, environment: *const *const c_char) -> ! {
    let given = [arguments, environment];
    // SAFETY: it is what is asked for, and this function never returns.
    unsafe { stack::continue_with(go_on, given.as_ptr().cast()) }
}

/// Does it.
///
/// # Safety
///
/// `given` points to what [`main`] is to be given.
unsafe extern "C" fn go_on(given: *const c_void) -> ! {
    // SAFETY: that is what it points to.
    let [arguments, environment] = unsafe { *given.cast::<[*const *const c_char; 2]>() };
    // SAFETY: they are what is asked for.
    let (list, environment) = unsafe { (strings(arguments, 32), strings(environment, 128)) };
    // SAFETY: the same, and it is how many there are.
    unsafe { fallback::arguments_are(arguments, list.len()) };
    cmd::main(list, environment)
}

/// What a list of C strings says, of which there are about so many.
///
/// # Safety
///
/// As for [`main`].
unsafe fn strings(list: *const *const c_char, expected: usize) -> &'static [&'static OsStr] {
    let mut strings = Vec::with_capacity(expected);
    let mut rest = list;
    // SAFETY: what is read is an element that no null came before, and what it points
    // to is a C string that stays as it is.
    unsafe {
        while !rest.is_null() && !(*rest).is_null() {
            strings.push(OsStr::from_bytes(CStr::from_ptr(*rest).to_bytes()));
            rest = rest.add(1);
        }
    }
    // Until the process ends.
    strings.leak()
}

#[cfg(any(all(target_os = "linux", target_env = "gnu"), target_os = "macos"))]
mod before_main {
    use crate::asked;
    use crate::cmd;
    use crate::exit;
    use std::ffi::{CStr, c_char, c_int};

    /// What is run before the program's `main`.
    // SAFETY: the section is a list of functions that the C library calls when the process
    // starts, with its arguments and its environment.
    #[used]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
    #[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs"))]
    static BEFORE_MAIN: extern "C" fn(c_int, *const *const c_char, *const *const c_char) =
        before_main;

    extern "C" fn before_main(
        count: c_int,
        arguments: *const *const c_char,
        environment: *const *const c_char,
    ) {
        let is_helper = count > 1 && {
            // SAFETY: the C library passes the arguments, C strings, and how many there are.
            let [name, verb] = unsafe { [0, 1].map(|at| CStr::from_ptr(*arguments.add(at))) };
            are_of_a_helper(name.to_bytes(), verb.to_bytes())
        };
        if !is_helper {
            return asked::helpers_branch_off();
        }
        // A helper does what its arguments say. A program that has more rights than who
        // started it must not, and must not take such arguments for its own either.
        if has_rights_of_its_own() {
            std::process::exit(exit::CACHEX_FAILED.into());
        }
        // SAFETY: the C library passes both, and the program, which might change them,
        // never begins.
        unsafe { super::main(arguments, environment) }
    }

    /// Whether a process of this name and first argument is a helper.
    fn are_of_a_helper(name: &[u8], verb: &[u8]) -> bool {
        name == asked::NAME.as_bytes()
            && verb.starts_with(b"__")
            && cmd::OF_HELPERS.iter().any(|of| of.as_bytes() == verb)
    }

    /// Whether the program's file gives it rights that who started it has not.
    fn has_rights_of_its_own() -> bool {
        // SAFETY: both only read what the kernel told the process at its start.
        #[cfg(target_os = "linux")]
        return unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
        #[cfg(target_os = "macos")]
        return unsafe { libc::issetugid() } != 0;
    }
}

#[cfg(test)]
mod tests;
