//! How calls ended, and what a test says about that.

use super::world::World;
use super::{PROMPTLY, Signal, readable};
use std::fmt::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

/// How one process ended.
pub struct Ended {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub tally: (u64, blake3::Hash),
    pub status: ExitStatus,
    /// Bytes, if they were measured.
    pub memory: Option<u64>,
    pub took: Duration,
}

/// How one or several calls ended; what is asserted holds for each of them.
pub struct Outcome {
    world: Arc<World>,
    told: String,
    ran: usize,
    ended: Vec<Ended>,
}

impl Outcome {
    pub(super) fn new(
        world: Arc<World>,
        told: String,
        ran_before: usize,
        ended: Vec<Ended>,
    ) -> Outcome {
        let ran = world.runs() - ran_before;
        Outcome { world, told, ran, ended }
    }

    /// The command was executed so often.
    #[track_caller]
    pub fn runs(self, times: usize) -> Outcome {
        assert_eq!(self.ran, times, "executions of {}{}", self.told, self.report());
        self
    }

    #[track_caller]
    pub fn runs_once(self) -> Outcome {
        self.runs(1)
    }

    #[track_caller]
    pub fn runs_twice(self) -> Outcome {
        self.runs(2)
    }

    /// All were served from the store.
    #[track_caller]
    pub fn hits(self) -> Outcome {
        self.runs(0)
    }

    /// Every one ran the command.
    #[track_caller]
    pub fn misses(self) -> Outcome {
        let all = self.ended.len();
        self.runs(all)
    }

    /// How often the command was executed.
    pub fn executions(&self) -> usize {
        self.ran
    }

    /// Exactly this on standard output.
    #[track_caller]
    pub fn prints(self, expected: impl AsRef<[u8]>) -> Outcome {
        self.each("stdout", |ended| ended.stdout == expected.as_ref())
    }

    /// Exactly this on standard error.
    #[track_caller]
    pub fn says(self, expected: impl AsRef<[u8]>) -> Outcome {
        self.each("stderr", |ended| ended.stderr == expected.as_ref())
    }

    /// Nothing on standard error.
    #[track_caller]
    pub fn quietly(self) -> Outcome {
        self.says("")
    }

    /// One line of `cachex` on standard error, with these words in it.
    #[track_caller]
    pub fn warns_once(self, words: &[&str]) -> Outcome {
        self.each("one warning", |ended| {
            let said = String::from_utf8_lossy(&ended.stderr);
            said.starts_with("cachex: ")
                && said.ends_with('\n')
                && said.lines().count() == 1
                && words.iter().all(|word| said.contains(word))
        })
    }

    /// One line on standard error, with these words in it.
    #[track_caller]
    pub fn says_one_line(self, words: &[&str]) -> Outcome {
        let one = |ended: &Ended| {
            let said = String::from_utf8_lossy(&ended.stderr);
            said.ends_with('\n') && said.lines().count() == 1
        };
        self.each("one line", one).mentions(words)
    }

    /// These words are on standard error.
    #[track_caller]
    pub fn mentions(self, words: &[&str]) -> Outcome {
        let missing = |ended: &&Ended| {
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            words.iter().find(|word| !said.contains(**word)).copied()
        };
        if let Some(word) = self.ended.iter().find_map(|ended| missing(&ended)) {
            panic!("{}: stderr does not mention {word:?}{}", self.told, self.report());
        }
        self
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Outcome {
        self.each(&format!("exit status {code}"), |ended| ended.status.code() == Some(code))
    }

    /// How the only call ended, or the last.
    pub fn status(&self) -> ExitStatus {
        self.ended.last().unwrap().status
    }

    /// Whether every one exited with this status.
    pub fn exited_with(&self, code: i32) -> bool {
        self.ended.iter().all(|ended| ended.status.code() == Some(code))
    }

    /// These words are on standard output.
    #[track_caller]
    pub fn shows(self, words: &[&str]) -> Outcome {
        self.each(&format!("{words:?} on stdout"), |ended| {
            let shown = String::from_utf8_lossy(&ended.stdout);
            words.iter().all(|word| shown.contains(word))
        })
    }

    /// Whether every one exited with 0.
    pub fn succeeded(&self) -> bool {
        self.ended.iter().all(|ended| ended.status.success())
    }

    /// Ended by this signal, really, and not by a status that looks like it.
    #[track_caller]
    pub fn dies_of(self, signal: Signal) -> Outcome {
        let raw = signal.as_raw();
        self.each(&format!("death by signal {raw}"), |ended| ended.status.signal() == Some(raw))
    }

    /// The same bytes on the same streams and the same end, every time.
    #[track_caller]
    pub fn alike(self) -> Outcome {
        let first = &self.ended[0];
        let alike = |ended: &Ended| ended.looks_like(first);
        assert!(self.ended.iter().all(alike), "{}: not alike{}", self.told, self.report());
        self
    }

    /// With the same status as that.
    #[track_caller]
    pub fn ends_as(self, other: &Outcome) -> Outcome {
        let status = other.ended[0].status;
        self.each(&status.to_string(), |ended| ended.status == status)
    }

    /// The same bytes on the same streams and the same end as that.
    #[track_caller]
    pub fn same_as(self, other: &Outcome) -> Outcome {
        let alike = |ended: &Ended| ended.looks_like(&other.ended[0]);
        let (ours, theirs) = (self.report(), other.report());
        let told = (&self.told, &other.told);
        assert!(
            self.ended.iter().all(alike),
            "{}:{ours}\n{} gives something else:{theirs}",
            told.0,
            told.1
        );
        self
    }

    /// Whether SIGKILL ended it.
    pub fn was_killed(&self) -> bool {
        let killed = |ended: &Ended| ended.status.signal() == Some(Signal::KILL.as_raw());
        self.ended.iter().any(killed)
    }

    /// No more than one line of `cachex` on standard error, after these bytes.
    #[track_caller]
    pub fn warns_at_most_once_after(self, own: impl AsRef<[u8]>) -> Outcome {
        self.each("one warning at the most", |ended| {
            let said = ended.stderr.strip_prefix(own.as_ref());
            said.map(String::from_utf8_lossy).is_some_and(|said| {
                said.is_empty()
                    || said.starts_with("cachex: warning: ") && said.lines().count() == 1
            })
        })
    }

    /// No more than one warning on standard error, and nothing else.
    #[track_caller]
    pub fn warns_at_most_once(self) -> Outcome {
        self.warns_at_most_once_after("")
    }

    /// Long before the command would have been over by itself.
    #[track_caller]
    pub fn promptly(self) -> Outcome {
        self.each("a prompt end", |ended| ended.took < PROMPTLY)
    }

    /// Never used as much memory as that. It has to be [`Call::measured`](super::Call::measured).
    #[track_caller]
    pub fn in_less_memory_than(self, bytes: u64) -> Outcome {
        let memory = |ended: &Ended| ended.memory.expect("a call that is `measured`");
        self.each(&format!("less memory than {bytes}"), |ended| memory(ended) < bytes)
    }

    /// So many bytes on standard output.
    #[track_caller]
    pub fn prints_bytes(self, count: u64) -> Outcome {
        self.each(&format!("{count} bytes of stdout"), |ended| ended.tally.0 == count)
    }

    #[track_caller]
    fn each(self, what: &str, holds: impl Fn(&Ended) -> bool) -> Outcome {
        let holds = self.ended.iter().all(holds);
        assert!(holds, "{}: expected {what}{}", self.told, self.report());
        self
    }

    /// Standard output of the only call, or of the last.
    pub fn stdout(&self) -> String {
        String::from_utf8(self.ended.last().unwrap().stdout.clone()).unwrap()
    }

    /// Standard output of every call.
    pub fn stdouts(&self) -> Vec<String> {
        let text = |ended: &Ended| String::from_utf8(ended.stdout.clone()).unwrap();
        self.ended.iter().map(text).collect()
    }

    /// Standard error of the only call, or of the last.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.ended.last().unwrap().stderr).into_owned()
    }

    /// Standard error of every call.
    pub fn stderrs(&self) -> Vec<String> {
        let text = |ended: &Ended| String::from_utf8_lossy(&ended.stderr).into_owned();
        self.ended.iter().map(text).collect()
    }

    /// The world it happened in.
    pub fn world(&self) -> &World {
        &self.world
    }

    fn report(&self) -> String {
        let mut report = format!("\n{} calls ran it {} times", self.ended.len(), self.ran);
        for (number, ended) in self.ended.iter().enumerate().take(4) {
            let _ = write!(report, "\n#{number} {ended}");
        }
        report
    }
}

impl Ended {
    fn looks_like(&self, other: &Ended) -> bool {
        self.stdout == other.stdout
            && self.stderr == other.stderr
            && self.tally == other.tally
            && self.status == other.status
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (status, took, count) = (self.status, self.took, self.tally.0);
        let memory =
            self.memory.map_or("unmeasured".into(), |bytes| format!("{} KiB of", bytes / 1024));
        let (stdout, stderr) = (readable(&self.stdout), readable(&self.stderr));
        writeln!(f, "{status} after {took:?}, {count} bytes of stdout, {memory} memory")?;
        write!(f, "-- stdout:\n{stdout}\n-- stderr:\n{stderr}\n--")
    }
}
