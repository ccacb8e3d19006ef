//! How a process starts that has cachex in it.
//!
//! cachex itself starts at C's `main`, see `src/main.rs`. A program that uses the library
//! starts as it likes, and nothing of cachex runs before its `main`. If that begins with
//! [`init`], the program's own executable is its helper: a process that was started as one
//! does a helper's work as cachex itself would, and ends there. It is one if its name is
//! exactly `cachex` and its first argument one of the hidden verbs. Without the call the
//! helper is the `cachex` that is installed, see [`cachex_base::process::ipc`].

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

/// The verbs of the helper processes that this build can be.
#[cfg(feature = "cli")]
const OF_HELPERS: [&str; 5] =
    [db_client::VERB, shared::VERB, ipc::VERSION_VERB, run::REFRESH, ipc::RUN_FOR];
#[cfg(not(feature = "cli"))]
const OF_HELPERS: [&str; 2] = [db_client::VERB, shared::VERB];

/// Lets the program be its own helper process. Call it first in `main`.
///
/// The folder of a [`Cache`](crate::Cache) is looked after by helper processes, which also
/// are the only ones that reach remote stores. They are the command `cachex`, if it is
/// installed in the version of the library. A program that calls this needs no
/// installed `cachex`: its helpers are the program itself, started as `cachex` with a hidden
/// argument. In such a process this call does the helper's work and does not return. In any
/// other process it returns at once.
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
/// Whatever stands before it is done by each helper, too. A program that has more rights
/// than the user who starts it (setuid, file capabilities) ends at once with status 125 if
/// it is started as a helper.
pub fn init() {
    let args: Vec<OsString> = std::env::args_os().collect();
    let is_helper = match &args[..] {
        [name, verb, ..] => name == ipc::NAME && verb.to_str().is_some_and(serves),
        _ => false,
    };
    if !is_helper {
        return ipc::helpers_branch_off(&OF_HELPERS);
    }
    // A helper does what its arguments say. A program that has more rights than who
    // started it must not, and must not take such arguments for its own either.
    if ipc::has_rights_of_its_own() {
        std::process::exit(exit::CACHEX_FAILED.into());
    }
    be_a_helper(args)
}

/// Returns whether this build can be a helper of this verb.
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

/// By the way of cachex itself, with arguments and variables as C has them.
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
    // SAFETY: both are pointers to C strings up to a null pointer, and were leaked.
    unsafe { main(args.leak().as_ptr(), variables.leak().as_ptr()) }
}

/// Does all that a process does that is cachex, and ends it.
///
/// # Safety
///
/// Both are null or the process's: pointers to C strings up to a null pointer, none of
/// which changes until the process ends.
#[cfg(feature = "cli")]
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
#[cfg(feature = "cli")]
unsafe extern "C" fn go_on(given: *const c_void) -> ! {
    // SAFETY: that is what it points to.
    let [arguments, environment] = unsafe { *given.cast::<[*const *const c_char; 2]>() };
    // SAFETY: they are what is asked for.
    let (list, environment) = unsafe { (strings(arguments, 32), strings(environment, 128)) };
    // SAFETY: the same, and it is how many there are.
    unsafe { fallback::arguments_are(arguments, list.len()) };
    commands::main(list, environment)
}

/// What a list of C strings says, of which there are about so many.
///
/// # Safety
///
/// As for [`main`].
#[cfg(feature = "cli")]
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

#[cfg(test)]
mod tests;
