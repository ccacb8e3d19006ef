//! A shell at a pseudo-terminal, for what only a terminal does: its keys send
//! signals to the foreground job, and its line discipline stops it.

use super::capture::Capture;
use super::world::World;
use super::{eventually, readable};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, OptionalActions, Winsize};
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;

pub const CTRL_C: u8 = 0x03;
pub const CTRL_BACKSLASH: u8 = 0x1c;
pub const CTRL_D: u8 = 0x04;
pub const CTRL_Q: u8 = 0x11;
pub const CTRL_S: u8 = 0x13;
pub const CTRL_Z: u8 = 0x1a;

/// An interactive bash whose screen is read and whose keyboard is the test.
pub struct Terminal {
    world: Arc<World>,
    keyboard: File,
    screen: Capture,
    /// How much of the screen has been looked at.
    seen: usize,
    shell: Pid,
}

impl Terminal {
    pub(super) fn open(world: Arc<World>) -> Terminal {
        let (master, tty) = pseudo_terminal();
        // What is typed must not be mistaken for what is printed.
        let mut modes = rustix::termios::tcgetattr(&tty).unwrap();
        modes.local_modes -= LocalModes::ECHO;
        rustix::termios::tcsetattr(&tty, OptionalActions::Now, &modes).unwrap();

        let mut bash = Command::new("bash");
        bash.args(["--norc", "--noprofile", "--noediting", "-i"]);
        bash.env_clear().envs(world.environment());
        bash.env("TERM", "dumb").env("PS1", "").env("PS2", "").env("HISTFILE", "");
        bash.current_dir(world.work());
        let stdio = || tty.try_clone().unwrap();
        bash.stdin(stdio()).stdout(stdio()).stderr(stdio());
        // SAFETY: between fork and exec this makes two system calls on the
        // child's own descriptor 0 and allocates nothing.
        unsafe {
            bash.pre_exec(|| {
                rustix::process::setsid()?;
                Ok(rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?)
            });
        }
        let shell = Pid::from_child(&bash.spawn().unwrap());
        let screen = Capture::of(master.try_clone().unwrap(), true);
        Terminal { world, keyboard: master, screen, seen: 0, shell }
    }

    /// Types a line.
    #[track_caller]
    pub fn types(&mut self, line: &str) -> &mut Terminal {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
        self
    }

    /// Waits until `cachex` is in the foreground: a shell that is about to become it ignores
    /// what is typed.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn awaits_cachex(&mut self) -> &mut Terminal {
        eventually("cachex in the foreground", || {
            let front = rustix::termios::tcgetpgrp(&self.keyboard).ok()?;
            let name = std::fs::read(format!("/proc/{}/comm", front.as_raw_nonzero())).ok()?;
            (front != self.shell && name == b"cachex\n").then_some(())
        });
        self
    }

    /// Waits until the shell is in the foreground.
    #[track_caller]
    pub fn awaits_shell(&mut self) -> &mut Terminal {
        eventually("the shell in the foreground", || {
            let front = rustix::termios::tcgetpgrp(&self.keyboard).ok()?;
            (front == self.shell).then_some(())
        });
        self
    }

    /// Waits until the command under `cachex` waits for input, and `cachex` has looked at it since:
    /// nothing else lets it read in the meantime.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn awaits_reader(&mut self) -> &mut Terminal {
        let read = |path: String| std::fs::read_to_string(path).ok();
        let waits = |process: &String| {
            let calls = ["0", "7", "23", "63", "72", "73", "270", "271"];
            let call = read(format!("/proc/{process}/syscall")).unwrap_or_default();
            let is_witness =
                read(format!("/proc/{process}/comm")).is_none_or(|it| it == "cachex\n");
            !is_witness && call.split(' ').next().is_some_and(|call| calls.contains(&call))
        };
        eventually("a reader", || {
            // The last one may be about to end.
            let cachex = self.front()?;
            let mut below: Vec<_> = children(&cachex);
            below.extend(below.clone().iter().flat_map(|it| children(it)));
            below.iter().any(waits).then_some(())
        });
        self.awaits_looks()
    }

    /// Waits until `cachex` in the foreground waits.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn awaits_rest(&mut self) -> &mut Terminal {
        eventually("cachex to rest", || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.front()?)).ok()?;
            stat.rsplit_once(')')?.1.starts_with(" S").then_some(())
        });
        self
    }

    /// Waits until keys are taken one by one.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn awaits_raw_mode(&mut self) -> &mut Terminal {
        eventually("raw mode", || {
            let modes = rustix::termios::tcgetattr(&self.keyboard).ok()?;
            (!modes.local_modes.contains(LocalModes::ICANON)).then_some(())
        });
        self
    }

    /// Waits until `cachex` in the foreground has looked at the command a few times.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn awaits_looks(&mut self) -> &mut Terminal {
        let reads = || {
            let counts = std::fs::read_to_string(format!("/proc/{}/io", self.front()?)).ok()?;
            let reads = counts.lines().find_map(|line| line.strip_prefix("syscr: "))?;
            reads.parse::<u64>().ok()
        };
        let before = eventually("cachex", reads);
        eventually("a look", || (reads()? > before + 30).then_some(()));
        self
    }

    /// `cachex` in the foreground, by itself or under `strace`.
    #[cfg(target_os = "linux")]
    fn front(&self) -> Option<String> {
        let front = rustix::termios::tcgetpgrp(&self.keyboard).ok()?;
        let process = front.as_raw_nonzero().to_string();
        let name = std::fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
        let process = match name.trim_end() {
            "strace" => children(&process).into_iter().next()?,
            _ => process,
        };
        (front != self.shell).then_some(process)
    }

    /// Presses a key.
    #[track_caller]
    pub fn presses(&mut self, key: u8) -> &mut Terminal {
        self.keyboard.write_all(&[key]).unwrap();
        self
    }

    /// Drags the window to another size.
    #[track_caller]
    pub fn resizes(&mut self, rows: u16, columns: u16) -> &mut Terminal {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.keyboard, size).unwrap();
        self
    }

    /// Waits until the screen shows this, after what was waited for before.
    #[track_caller]
    pub fn shows(&mut self, text: &str) -> &mut Terminal {
        let seen = self.seen;
        let end = eventually(&format!("{text:?} on the terminal"), || {
            let ended = self.screen.ended();
            let screen = String::from_utf8_lossy(&self.screen.bytes()[seen..]).into_owned();
            let found = screen.find(text);
            assert!(found.is_some() || !ended, "the terminal shows only {screen}");
            found.map(|at| at + text.len())
        });
        self.seen += end;
        self
    }

    /// What is on the screen, from the beginning.
    pub fn screen(&self) -> String {
        readable(&self.screen.bytes()).replace("\r\n", "\n")
    }

    /// Everything that was written to it, however much, and what steers it too.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.screen.bytes()).replace("\r\n", "\n")
    }

    /// Waits until the world's counter is there, as [`World::awaits_runs`].
    #[track_caller]
    pub fn awaits_runs(&mut self, runs: usize) -> &mut Terminal {
        self.world.awaits_runs(runs);
        self
    }
}

#[cfg(target_os = "linux")]
fn children(process: &str) -> Vec<String> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    children.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
}

/// A terminal nobody's session has: the end of who sits there, and that of the programs.
pub fn pseudo_terminal() -> (File, File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
    (File::from(master), File::from(slave))
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the terminal showed:\n{}", self.screen());
        }
        let _ = rustix::process::kill_process_group(self.shell, Signal::KILL);
        let _ = rustix::process::waitpid(Some(self.shell), rustix::process::WaitOptions::empty());
    }
}
