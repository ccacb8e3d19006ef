//! Points at which a test makes this process die, hang or fail.
//!
//! A debug build, which includes the tests, reads `CACHEX_TEST_FAULT`. Its form is `POINT=WHAT`, or
//! `POINT:N=WHAT` for the N-th time that this process reaches the point. `POINT` is the name of
//! one, or `change` for all that change the store. `WHAT` is `kill`, `panic`, `abort`, `hang`,
//! `slow`, `interrupt` (SIGINT to the whole process group, as by Ctrl-C), `signal` (SIGINT to this
//! process alone, which continues as far as the signal lets it), `orphan` (kills the caller of a
//! helper, or this process if it is not a helper), `exit`, `garbage`, or the number of an error.
//! Release builds contain none of this.

#[cfg(debug_assertions)]
use rustix::io::Errno;

/// The points that change nothing.
#[cfg(debug_assertions)]
const QUIET: [&str; 7] = ["open", "read", "recover", "flock", "backlog", "turn", "start"];

/// Marks a point that the process has reached.
#[cfg(debug_assertions)]
pub fn at(point: &str) -> rustix::io::Result<()> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(fault) = std::env::var_os("CACHEX_TEST_FAULT") else { return Ok(()) };
    let Some((place, what)) = fault.to_str().and_then(|fault| fault.split_once('=')) else {
        return Ok(());
    };
    let (name, number) = match place.split_once(':') {
        Some((name, number)) => (name, number.parse().ok()),
        None => (place, None),
    };
    let is_meant = name == point || name == "change" && !QUIET.contains(&point);
    if !is_meant {
        return Ok(());
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    if number.is_some_and(|number: u64| number != count) {
        return Ok(());
    }
    happen(what)
}

/// Marks a point that the process has reached.
#[cfg(not(debug_assertions))]
#[inline]
pub const fn at(_point: &str) -> rustix::io::Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
fn happen(what: &str) -> rustix::io::Result<()> {
    use rustix::process::{Signal, getpid, getppid, kill_current_process_group, kill_process};
    match what {
        "kill" => kill_process(getpid(), Signal::KILL)?,
        "panic" => std::panic::resume_unwind(Box::new("a fault that a test put in")),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        "garbage" => {
            let _ = rustix::io::write(rustix::stdio::stdout(), &[0xff; 64]);
            std::process::exit(0);
        }
        "signal" => {
            // Sent by another process: signals from this one count as its own.
            let pid = getpid().as_raw_nonzero().to_string();
            let sent = std::process::Command::new("kill").args(["-INT", &pid]).status();
            return sent.map(drop).map_err(|_| Errno::IO);
        }
        "interrupt" => kill_current_process_group(Signal::INT)?,
        "orphan" => {
            // The test that started this process is never killed.
            let is_cachex = |pid: &rustix::process::Pid| {
                let name = format!("/proc/{}/comm", pid.as_raw_nonzero());
                std::fs::read(name).is_ok_and(|name| name == b"cachex\n")
            };
            let asker = getppid().filter(is_cachex);
            kill_process(asker.unwrap_or_else(getpid), Signal::TERM)?;
            return Ok(());
        }
        "slow" => {
            std::thread::sleep(std::time::Duration::from_millis(10));
            return Ok(());
        }
        "hang" => {}
        number => {
            return Err(number.parse().map_or(Errno::IO, Errno::from_raw_os_error));
        }
    }
    loop {
        std::thread::park();
    }
}
