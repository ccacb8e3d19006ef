//! The meaning of every signal to cachex while a command runs.
//!
//! All of them are covered: a forgotten one would end cachex and leave the command running.

/// The meaning of a signal that is sent to cachex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A signal for the command that ends a process by default.
    Ends,
    /// Like [`Meaning::Ends`], but the kernel also sends it to a process that is at fault. It then
    /// ends that process even if it is blocked, and is not received here.
    Fault,
    /// A signal for the command that is ignored by default.
    Notifies,
    /// A signal that stops the command, and cachex as soon as the command has stopped.
    Stops,
    /// A signal that continues the command.
    Continues,
    /// A change of the terminal's size.
    Resizes,
    /// A change of a child's state. It is forwarded to the command only if a process sent it.
    Child,
    /// A signal that only the kernel handles. It is not caught.
    Default,
}

/// The highest number of a signal.
#[cfg(target_os = "linux")]
pub const LAST: i32 = 64;
/// The highest number of a signal.
#[cfg(not(target_os = "linux"))]
pub const LAST: i32 = 31;

/// Returns the meaning of a signal, or `None` if there is no such signal.
pub fn meaning(number: i32) -> Option<Meaning> {
    use libc::{
        SIGABRT, SIGALRM, SIGBUS, SIGCHLD, SIGCONT, SIGFPE, SIGHUP, SIGILL, SIGINT, SIGIO, SIGKILL,
        SIGPIPE, SIGPROF, SIGQUIT, SIGSEGV, SIGSTOP, SIGSYS, SIGTERM, SIGTRAP, SIGTSTP, SIGTTIN,
        SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
    };
    #[cfg(not(target_os = "linux"))]
    use libc::{SIGEMT, SIGINFO};
    #[cfg(target_os = "linux")]
    use libc::{SIGPWR, SIGSTKFLT};
    Some(match number {
        SIGILL | SIGTRAP | SIGBUS | SIGFPE | SIGSEGV | SIGSYS => Meaning::Fault,
        SIGURG => Meaning::Notifies,
        SIGTSTP | SIGTTIN | SIGTTOU => Meaning::Stops,
        SIGCONT => Meaning::Continues,
        SIGWINCH => Meaning::Resizes,
        SIGCHLD => Meaning::Child,
        SIGKILL | SIGSTOP => Meaning::Default,
        SIGHUP | SIGINT | SIGQUIT | SIGABRT | SIGUSR1 | SIGUSR2 | SIGPIPE | SIGALRM | SIGTERM
        | SIGXCPU | SIGXFSZ | SIGVTALRM | SIGPROF | SIGIO => Meaning::Ends,
        #[cfg(target_os = "linux")]
        SIGSTKFLT | SIGPWR | 32..=LAST => Meaning::Ends,
        #[cfg(not(target_os = "linux"))]
        SIGEMT => Meaning::Fault,
        #[cfg(not(target_os = "linux"))]
        SIGINFO => Meaning::Notifies,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_that_the_kernel_has_means_something() {
        // Signal 0 only checks whether a process exists.
        for signal in 1..=LAST {
            assert!(meaning(signal).is_some(), "signal {signal} means nothing");
        }
        assert_eq!((meaning(0), meaning(LAST + 1)), (None, None));
        #[cfg(target_os = "linux")]
        assert_eq!(libc::SIGRTMAX(), LAST, "the kernel has more signals than the table");
    }
}
