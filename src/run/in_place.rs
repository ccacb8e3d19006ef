//! Replaces this process with the command, where resources for anything else are lacking.
//!
//! `execve` takes no process, no descriptor and no memory of its own. So whatever is exhausted or
//! forbidden, the command runs as it would without cachex, as long as nothing has been printed.
//! Standard input that was already read is given back to it.

use super::Runner;
use super::identify::Unresolved;
use crate::config;
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::report::Report;
use cachex_base::streams::spool::{Rest, Spool};
use cachex_base::system::null;
use cachex_exec::invocation::is_cachex;
use cachex_exec::stdin::Source;
use cachex_exec::{self as exec, Unstarted};
use rustix::fd::{AsRawFd, FromRawFd, OwnedFd};
use rustix::io::{Errno, FdFlags};
use std::fmt::Display;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The default capacity of a pipe.
const PIPE: usize = 64 * 1024;

impl Runner<'_> {
    /// Replaces this process with a command that could not be started, unless the command itself is
    /// the cause.
    pub(super) fn rather_in_place(&self, unstarted: Unstarted, program: &Path) -> Exit {
        let Unstarted { error, source } = unstarted;
        let Some(source) = source.filter(|_| !is_the_commands_own(&error)) else {
            return self.cannot_start(&error);
        };
        self.warn_in_place(&format_args!("starting a process: {error}"));
        self.become_command(source, program)
    }

    /// Replaces this process with a command whose executable could not be determined.
    pub(super) fn unresolved(&self, unresolved: &Unresolved, source: Source) -> Exit {
        match *unresolved {
            Unresolved::Said(exit) => exit,
            Unresolved::Unknown(errno) => {
                let why = io::Error::from(errno);
                self.warn_in_place(&format_args!("looking for the command: {why}"));
                self.become_whatever_is_found(source)
            }
        }
    }

    /// Warns that cachex cannot stay with the command, and so cannot cache it or enforce --timeout.
    fn warn_in_place(&self, why: &dyn Display) {
        if self.config.timeout.is_some() {
            self.messages().warn(format_args!("not cached, and --timeout is not kept: {why}"));
        } else {
            self.messages().warn(format_args!("not cached: {why}"));
        }
        // No process remains to report how the command ends.
        self.report(|| Report { reason: Some(why.to_string()), ..Report::default() });
    }

    /// Replaces this process with the command, without a message.
    pub(super) fn become_command(&self, source: Source, program: &Path) -> Exit {
        match self.make_stdin(source) {
            Ok(()) => self.cannot_start(&exec::replace(self.invocation, program)),
            Err(exit) => exit,
        }
    }

    /// Replaces this process with the first candidate that can be executed, as `execvp` does.
    fn become_whatever_is_found(&self, source: Source) -> Exit {
        if self.invocation.is_path() {
            return self.become_command(source, Path::new(self.invocation.name()));
        }
        if let Err(exit) = self.make_stdin(source) {
            return exit;
        }
        let mut is_denied = false;
        for program in self.invocation.places(config::var(self.vars, "PATH")) {
            // A link to cachex would lead back here.
            let target = std::fs::read_link(&program).unwrap_or_default();
            if target.file_name().is_some_and(|name| is_cachex(name.as_bytes())) {
                continue;
            }
            let error = exec::replace(self.invocation, &program);
            match Errno::from_io_error(&error) {
                Some(Errno::ACCESS) => is_denied = true,
                Some(Errno::NOENT | Errno::NOTDIR | Errno::NODEV | Errno::STALE) => {}
                _ => return self.cannot_start(&error),
            }
        }
        if is_denied {
            self.refuse(exit::NOT_EXECUTABLE, "Permission denied")
        } else {
            self.refuse(exit::NOT_FOUND, "command not found")
        }
    }

    /// Makes the command's standard input that of this process.
    fn make_stdin(&self, source: Source) -> Result<(), Exit> {
        let made = match source {
            // It is already in place.
            Source::Inherit | Source::Own(_) => Ok(()),
            Source::Null => empty_stdin(),
            Source::Feed(spool) => refill_stdin(&spool),
        };
        made.map_err(|error| {
            let why = format!("its standard input cannot be given to it: {error}");
            self.refuse(exit::NOT_EXECUTABLE, &why)
        })
    }
}

/// Returns whether a command failed to start for a reason of its own, which would apply anywhere.
pub(super) fn is_the_commands_own(error: &io::Error) -> bool {
    const OWN: [Errno; 9] = [
        Errno::NOENT,
        Errno::ACCESS,
        Errno::NOTDIR,
        Errno::ISDIR,
        Errno::LOOP,
        Errno::NAMETOOLONG,
        Errno::NOEXEC,
        Errno::TOOBIG,
        Errno::TXTBSY,
    ];
    OWN.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Makes this process's standard input empty, as the command's is to be.
fn empty_stdin() -> io::Result<()> {
    if let Ok(null) = null::input() {
        return take_for_stdin(null);
    }
    // If there is no other free descriptor, the number of standard input itself is used.
    close_stdin();
    // If that fails too, standard input is closed, which is as good as empty.
    null::input().map_or(Ok(()), take_for_stdin)
}

/// Makes what was read from standard input this process's standard input again.
fn refill_stdin(spool: &Spool) -> io::Result<()> {
    if spool.rest != Rest::End {
        return Err(io::Error::other("not all of it has come yet"));
    }
    // The old descriptor was read to its end.
    close_stdin();
    take_for_stdin(match filled_pipe(spool) {
        Some(pipe) => pipe,
        None => spool.to_file()?.into(),
    })
}

/// Returns a pipe that holds all of the input, if that is small enough.
fn filled_pipe(spool: &Spool) -> Option<OwnedFd> {
    let bytes = spool.in_memory()?;
    let (reader, mut writer) = io::pipe().ok()?;
    #[cfg(target_os = "linux")]
    if bytes.len() > PIPE {
        rustix::pipe::fcntl_setpipe_size(&writer, bytes.len()).ok()?;
    }
    if !cachex_base::system::fsutil::unblock(&writer) || writer.write_all(bytes).is_err() {
        return None;
    }
    // Only the writer was made non-blocking.
    Some(reader.into())
}

fn take_for_stdin(file: OwnedFd) -> io::Result<()> {
    if file.as_raw_fd() != 0 {
        if rustix::stdio::dup2_stdin(&file).is_ok() {
            return Ok(());
        }
        // If `dup2` is forbidden, `dup` takes the number that is now free.
        close_stdin();
        std::mem::forget(rustix::io::dup(&file)?);
        return Ok(());
    }
    rustix::io::fcntl_setfd(&file, FdFlags::empty())?;
    std::mem::forget(file);
    Ok(())
}

/// Closes standard input, which frees its number.
fn close_stdin() {
    // SAFETY: nothing in this process owns the descriptor. Code that borrows it by its
    // number, as the standard library does, finds either a closed one or the one that
    // takes its place. The process becomes the command next, or ends.
    drop(unsafe { OwnedFd::from_raw_fd(rustix::stdio::stdin().as_raw_fd()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn spool(chunks: usize) -> Spool {
        let mut spool = Spool::default();
        for at in 0..chunks {
            spool.append(&[at as u8; 1000]).unwrap();
        }
        spool
    }

    #[test]
    fn a_pipe_holds_what_is_kept_in_memory() {
        for chunks in [0, 1, 65, 66, 1000] {
            let Some(pipe) = filled_pipe(&spool(chunks)) else {
                // Pipes may not be made so large here.
                assert!(chunks * 1000 > PIPE);
                continue;
            };
            let mut read = Vec::new();
            std::fs::File::from(pipe).read_to_end(&mut read).unwrap();
            let expected: Vec<u8> = (0..chunks).flat_map(|at| [at as u8; 1000]).collect();
            assert!(read == expected, "{chunks} chunks");
        }
        assert!(filled_pipe(&spool(2000)).is_none(), "what is in a file");
    }
}
