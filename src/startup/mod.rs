//! The start of a process that contains cachex.
//!
//! cachex itself starts at C's `main`, see `src/main.rs`. A program that uses the library starts in
//! its own way, and nothing of cachex runs before its `main`. If that begins with [`init`], the
//! program's own executable is its helper: a process started as a helper does the work that cachex
//! itself would, and ends there. A process is a helper if its name is exactly `cachex` and its
//! first argument one of the hidden verbs. Without the call the helper is the installed `cachex`,
//! see [`cachex_base::process::ipc`].

use cachex_base::process::exit;
#[cfg(not(feature = "cli"))]
use cachex_base::process::exit::Exit;
use cachex_base::process::ipc;
#[cfg(not(feature = "cli"))]
use cachex_base::system::null;
use cachex_store::db_client;
use cachex_store::remote as shared;
use std::ffi::{OsStr, OsString};

#[cfg(feature = "cli")]
use crate::commands;
#[cfg(feature = "cli")]
use crate::run;
#[cfg(feature = "cli")]
use cachex_base::process::fallback::{self, stack};
#[cfg(feature = "cli")]
use std::ffi::{CStr, CString, c_char, c_void};
#[cfg(feature = "cli")]
use std::os::unix::ffi::OsStrExt;

/// The verbs of the helper processes that this build can run.
#[cfg(feature = "cli")]
const OF_HELPERS: [&str; 5] =
    [db_client::VERB, shared::VERB, ipc::VERSION_VERB, run::REFRESH, ipc::RUN_FOR];
#[cfg(not(feature = "cli"))]
const OF_HELPERS: [&str; 2] = [db_client::VERB, shared::VERB];

/// Lets the program be its own helper process. Call it first in `main`.
///
/// Helper processes maintain the folder of a [`Cache`](crate::Cache), and are the only ones that
/// access remote stores. They are the command `cachex`, if it is installed in the version of the
/// library. A program that calls this function needs no installed `cachex`: its helpers are the
/// program itself, started as `cachex` with a hidden argument. In such a process this call does the
/// helper's work and does not return. In any other process it returns at once.
///
/// Without either, older entries and remote stores are not available, and everything else
/// works.
///
/// ```no_run
/// fn main() -> Result<(), cachex::Error> {
///     cachex::init();
///     let cache = cachex::Cache::open("/var/cache/fruit")?;
///     assert_eq!(cache.value("seven", cachex::Options::new(), || 7), 7);
///     Ok(())
/// }
/// ```
///
/// Each helper also executes everything that precedes this call. A program with more privileges
/// than the user who starts it (setuid, file capabilities) ends at once with status 125 if it is
/// started as a helper.
pub fn init() {
    let args: Vec<OsString> = std::env::args_os().collect();
    let is_helper = match &args[..] {
        [name, verb, ..] => name == ipc::NAME && verb.to_str().is_some_and(serves),
        _ => false,
    };
    if !is_helper {
        return ipc::helpers_branch_off(&OF_HELPERS);
    }
    // A helper does what its arguments say. A program with more privileges than its caller must not
    // do that, and must not treat such arguments as its own either.
    if ipc::has_rights_of_its_own() {
        std::process::exit(exit::CACHEX_FAILED.into());
    }
    be_a_helper(args)
}

/// Returns whether this build can run the helper of this verb.
fn serves(verb: &str) -> bool {
    OF_HELPERS.contains(&verb)
}

#[cfg(not(feature = "cli"))]
fn be_a_helper(args: Vec<OsString>) -> ! {
    let args: &'static [OsString] = args.leak();
    ipc::is_cachex_from_now_on(args.iter().map(OsString::as_os_str).collect::<Vec<_>>().leak());
    null::fill_closed_descriptors();
    let work = || args[1].to_str().and_then(|verb| cachex_store::serve_helper(verb, &args[2..]));
    let exit = std::panic::catch_unwind(work).ok().flatten();
    exit.unwrap_or(Exit::Status(exit::CACHEX_FAILED)).end()
}

/// Runs cachex itself, with arguments and variables as C has them.
#[cfg(feature = "cli")]
fn be_a_helper(args: Vec<OsString>) -> ! {
    let for_c = |text: Vec<u8>| CString::new(text).unwrap_or_default().into_raw().cast_const();
    let args = args.into_iter().map(|arg| for_c(arg.into_encoded_bytes()));
    let variables = std::env::vars_os().map(|(name, value)| {
        for_c([name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat())
    });
    let end = || std::iter::once(std::ptr::null());
    let args: Vec<*const c_char> = args.chain(end()).collect();
    let variables: Vec<*const c_char> = variables.chain(end()).collect();
    // SAFETY: both are leaked lists of pointers to C strings that end with a null pointer.
    unsafe { main(args.leak().as_ptr(), variables.leak().as_ptr()) }
}

/// Runs cachex in this process, and ends it.
///
/// # Safety
///
/// Both pointers must be null, or those of the process: lists of pointers to C strings that end
/// with a null pointer and do not change until the process ends.
#[cfg(feature = "cli")]
pub unsafe fn main(arguments: *const *const c_char, environment: *const *const c_char) -> ! {
    let given = [arguments, environment];
    // SAFETY: `given` is what `go_on` requires, and this function never returns.
    unsafe { stack::continue_with(go_on, given.as_ptr().cast()) }
}

/// Continues [`main`].
///
/// # Safety
///
/// `given` must point to the arguments of [`main`].
#[cfg(feature = "cli")]
unsafe extern "C" fn go_on(given: *const c_void) -> ! {
    // SAFETY: `given` points to these two, as the caller promises.
    let [arguments, environment] = unsafe { *given.cast::<[*const *const c_char; 2]>() };
    // SAFETY: both are what `strings` requires, as the caller of `main` promises.
    let (list, environment) = unsafe { (strings(arguments, 32), strings(environment, 128)) };
    // SAFETY: the same, with the number of arguments.
    unsafe { fallback::arguments_are(arguments, list.len()) };
    commands::main(list, environment)
}

/// Returns the strings in a list of C strings, of which there are about `expected`.
///
/// # Safety
///
/// As for [`main`].
#[cfg(feature = "cli")]
unsafe fn strings(list: *const *const c_char, expected: usize) -> &'static [&'static OsStr] {
    let mut strings = Vec::with_capacity(expected);
    let mut rest = list;
    // SAFETY: each element that is read precedes the null pointer, and points to a C string that
    // never changes.
    unsafe {
        while !rest.is_null() && !(*rest).is_null() {
            strings.push(OsStr::from_bytes(CStr::from_ptr(*rest).to_bytes()));
            rest = rest.add(1);
        }
    }
    // The list lives until the process ends.
    strings.leak()
}

#[cfg(test)]
mod tests;
