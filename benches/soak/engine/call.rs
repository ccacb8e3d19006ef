//! One call of `cachex`: fed, read, killed when it is to be, and never waited
//! for longer than any call may take.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Pid;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A call that takes longer hangs.
pub const LONGEST: Duration = Duration::from_mins(1);

/// How often its memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// How a call ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// The most memory that it was seen to use, in bytes.
    pub memory: u64,
    pub began: Instant,
    pub over: Instant,
    /// Where it hung, if it did.
    pub hung: Option<String>,
}

/// Makes a call, and kills it after `kill`.
pub fn make(
    mut command: Command,
    stdin: Option<&[u8]>,
    kill: Option<Duration>,
) -> std::io::Result<Ended> {
    let began = Instant::now();
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pid = Pid::from_child(&child);
    let mut input = stdin.unwrap_or_default();
    let mut feed = child.stdin.take();
    let mut outputs = (child.stdout.take(), child.stderr.take());
    if let Some(feed) = &feed {
        rustix::io::ioctl_fionbio(feed, true)?;
    }
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut kill_at = kill.map(|after| began + after);
    let mut hung = None;
    let (mut memory, mut looked) = (0, began);
    while feed.is_some() || outputs.0.is_some() || outputs.1.is_some() {
        let mut watched = Vec::new();
        watched
            .extend(feed.as_ref().map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::OUT)));
        watched.extend(
            outputs.0.as_ref().map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)),
        );
        watched.extend(
            outputs.1.as_ref().map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)),
        );
        let until = kill_at.unwrap_or(began + LONGEST);
        let left = until.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut watched, Some(&timeout)) {
            Ok(0) if hung.is_some() => break,
            Ok(0) => {
                if kill_at.take().is_none() {
                    hung = Some(whereabouts(pid));
                }
                child.kill()?;
                continue;
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if looked.elapsed() > LOOK_EVERY {
            looked = Instant::now();
            memory = memory.max(most_memory(pid));
        }
        let ready: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        if let Some(pipe) = &mut feed
            && ready.next() == Some(true)
        {
            match pipe.write(input) {
                Ok(n) => input = &input[n..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                // It wanted no more of it.
                Err(_) => input = &[],
            }
            if input.is_empty() {
                feed = None;
            }
        }
        if outputs.0.is_some() && ready.next() == Some(true) {
            read_some(&mut outputs.0, &mut stdout)?;
        }
        if outputs.1.is_some() && ready.next() == Some(true) {
            read_some(&mut outputs.1, &mut stderr)?;
        }
    }
    let status = reap(&mut child, kill_at, began + LONGEST, &mut hung)?;
    Ok(Ended { status, stdout, stderr, memory, began, over: Instant::now(), hung })
}

fn read_some(pipe: &mut Option<impl Read>, into: &mut Vec<u8>) -> std::io::Result<()> {
    let mut chunk = [0; 8 * 1024];
    let n = pipe.as_mut().map_or(Ok(0), |pipe| pipe.read(&mut chunk))?;
    into.extend_from_slice(&chunk[..n]);
    if n == 0 {
        *pipe = None;
    }
    Ok(())
}

/// Its output has ended; it is about to end, or to be killed.
fn reap(
    child: &mut Child,
    mut kill_at: Option<Instant>,
    deadline: Instant,
    hung: &mut Option<String>,
) -> std::io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if kill_at.is_some_and(|at| Instant::now() >= at) {
            kill_at = None;
            child.kill()?;
        }
        if Instant::now() >= deadline && hung.is_none() {
            *hung = Some(whereabouts(Pid::from_child(child)));
            child.kill()?;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// The most memory that a process used so far, in bytes. What `wait4` says
/// would not do: until a new process executes something it is this one, with
/// all that this one keeps in memory.
fn most_memory(pid: Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
    let name = |status: &str| status.starts_with("Name:\tcachex\n");
    let status = status.ok().filter(|status| name(status)).unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let most = most.and_then(|most| most.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    most.unwrap_or(0) << 10
}

/// What a process and its children are doing.
fn whereabouts(pid: Pid) -> String {
    let of = |pid: i32| {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}"));
        let command = read("cmdline").unwrap_or_default().replace('\0', " ");
        let command: String = command.chars().take(120).collect();
        format!("{pid} `{command}` in {}", read("wchan").unwrap_or_default())
    };
    let pid = pid.as_raw_nonzero().get();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    std::iter::once(pid).chain(children).map(of).collect::<Vec<_>>().join("; ")
}
