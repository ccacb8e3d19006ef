//! A process that is under way.

use super::capture::Capture;
use super::outcome::{Ended, Outcome};
use super::world::{World, contains};
use super::{eventually, readable, within};
use rustix::process::{Pid, Signal, WaitOptions};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ChildStdin, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// A started call; it and its process group end with this at the latest.
pub struct Running {
    world: Arc<World>,
    told: String,
    ran_before: usize,
    started: Instant,
    pid: Pid,
    /// Where the memory that it took is told, if that is measured.
    memory: Option<NamedTempFile>,
    stdin: Option<ChildStdin>,
    stdout: Capture,
    stderr: Capture,
}

impl Running {
    #[expect(clippy::too_many_arguments, reason = "called once, by `Call::start`")]
    pub(super) fn new(
        world: Arc<World>,
        told: String,
        ran_before: usize,
        started: Instant,
        pid: Pid,
        memory: Option<NamedTempFile>,
        stdin: Option<ChildStdin>,
        stdout: Capture,
        stderr: Capture,
    ) -> Running {
        Running { world, told, ran_before, started, pid, memory, stdin, stdout, stderr }
    }

    /// Waits until this is on standard output.
    #[track_caller]
    pub fn shows(&self, text: &str) -> &Running {
        self.awaits(&self.stdout, "stdout", text)
    }

    /// Waits until this is on standard error.
    #[track_caller]
    pub fn warns(&self, text: &str) -> &Running {
        self.awaits(&self.stderr, "stderr", text)
    }

    #[track_caller]
    fn awaits(&self, capture: &Capture, name: &str, text: &str) -> &Running {
        eventually(&format!("{text:?} on the {name} of {}", self.told), || {
            // In this order, or the last of it may come in between.
            let ended = capture.ended();
            let bytes = capture.bytes();
            let there = contains(&bytes, text.as_bytes());
            assert!(
                there || !ended,
                "{}: {name} ended without {text:?}:\n{}",
                self.told,
                readable(&bytes)
            );
            there.then_some(())
        });
        self
    }

    /// What is on standard output so far.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.stdout.bytes()).into_owned()
    }

    /// Whether standard output has ended.
    pub fn has_shown_all(&self) -> bool {
        self.stdout.ended()
    }

    /// Writes to its standard input.
    #[track_caller]
    pub fn feed(&mut self, bytes: impl AsRef<[u8]>) -> &mut Running {
        self.stdin.as_mut().unwrap().write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) -> &mut Running {
        self.stdin = None;
        self
    }

    /// Sends a signal to it alone.
    #[track_caller]
    pub fn signal(&self, signal: Signal) -> &Running {
        rustix::process::kill_process(self.pid, signal).unwrap();
        self
    }

    /// Processor time it has used so far, its children's not counted.
    #[cfg(target_os = "linux")]
    pub fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid.as_raw_nonzero()));
        let stat = stat.unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11..=12].iter().map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Waits until it sleeps, and so holds no lock for a moment.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn rests(&self) -> &Running {
        let stat = format!("/proc/{}/stat", self.pid().as_raw_nonzero());
        eventually(&format!("{} to rest", self.told), || {
            let stat = std::fs::read_to_string(&stat).ok()?;
            stat.rsplit_once(')')?.1.starts_with(" S").then_some(())
        });
        self
    }

    /// Waits until it waits for a lock on a file.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn waits_for_a_lock(&self) -> &Running {
        let pid = self.pid().as_raw_nonzero().to_string();
        eventually(&format!("{} to wait for a lock", self.told), || {
            let locks = std::fs::read_to_string("/proc/locks").unwrap();
            let waits = |line: &str| line.contains("->") && line.split(' ').any(|word| word == pid);
            locks.lines().any(waits).then_some(())
        });
        self
    }

    /// Its process id.
    #[track_caller]
    pub fn pid(&self) -> Pid {
        if self.memory.is_none() {
            return self.pid;
        }
        let pid = self.pid.as_raw_nonzero();
        eventually(&format!("the start of {}", self.told), || {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            Pid::from_raw(children.ok()?.split_whitespace().next()?.parse().ok()?)
        })
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ends(self) -> Outcome {
        let (world, told, ran_before) = (self.world.clone(), self.told.clone(), self.ran_before);
        Outcome::new(world, told, ran_before, vec![self.wait()])
    }

    /// Waits for its end alone: something that it leaves behind holds its output open. What
    /// it left goes on until this is dropped.
    #[track_caller]
    pub fn ends_first(&self) -> Outcome {
        let (world, told) = (self.world.clone(), self.told.clone());
        let (status, took) = self.end();
        Outcome::new(world, told, self.ran_before, vec![self.seen(status, took)])
    }

    #[track_caller]
    fn end(&self) -> (ExitStatus, Duration) {
        let status = eventually(&format!("the end of {}", self.told), || reap(self.pid));
        (status, self.started.elapsed())
    }

    /// Waits for its end and for that of its output, which nothing that it
    /// leaves behind may hold open.
    #[track_caller]
    pub(super) fn wait(mut self) -> Ended {
        let (status, took) = self.end();
        self.stdin = None;
        eventually(&format!("the end of the output of {}", self.told), || {
            (self.stdout.ended() && self.stderr.ended()).then_some(())
        });
        self.seen(status, took)
    }

    /// What was seen of it so far.
    fn seen(&self, status: ExitStatus, took: Duration) -> Ended {
        let memory = self.memory.as_ref().map(|told| measure(told.path()));
        Ended {
            stdout: self.stdout.bytes(),
            stderr: self.stderr.bytes(),
            tally: self.stdout.tally(),
            status,
            memory,
            took,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
        within(Duration::from_secs(5), || reap(self.pid));
    }
}

/// The most memory, in bytes, that `time` saw a process or a child of its own take.
fn measure(told: &Path) -> u64 {
    let told = std::fs::read_to_string(told).unwrap();
    // The line before tells of a status that is not zero.
    let kib: u64 = told.lines().last().unwrap().parse().unwrap();
    kib * 1024
}

/// The status of a child that ended. A child that was reaped before counts as ended.
fn reap(pid: Pid) -> Option<ExitStatus> {
    match rustix::process::waitpid(Some(pid), WaitOptions::NOHANG) {
        Ok(ended) => ended.map(|(_, status)| ExitStatus::from_raw(status.as_raw())),
        Err(_) => Some(ExitStatus::default()),
    }
}
