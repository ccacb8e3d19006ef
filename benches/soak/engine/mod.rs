//! Many processes on one store, everything at once, every byte checked.
//!
//! Each worker makes one call at a time. Most are on commands of its own, for
//! which it knows what must be in the store ([`worker`]); some are on commands
//! that all workers share, one run at a time; some are on a second store that
//! is kept too small. Meanwhile [`chaos`] starts and kills folds, clears the
//! store, and flips bits in it where that is asked for.

mod call;
mod chaos;
mod plan;
mod report;
mod worker;

pub use report::Report;

use anyhow::{Context, Result};
use plan::Chance;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// No call takes more memory than this, in bytes.
const MEMORY: u64 = 64 << 20;
/// How long background processes may take to end after the last call.
const SETTLED: Duration = Duration::from_mins(1);

/// What a soak is to be like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The binary.
    pub cachex: PathBuf,
    pub duration: Duration,
    pub workers: u64,
    /// The commands of each worker.
    pub commands: u64,
    /// How often the store is cleared.
    pub clear_every: Duration,
    /// Whether bits are flipped in stored files. Entries may be lost then.
    pub flips: bool,
    pub seed: u64,
    /// How often progress is told.
    pub progress: Option<Duration>,
}

/// What all threads share.
pub struct Soak {
    options: Options,
    root: PathBuf,
    report: Report,
    /// Odd while the store is being cleared or damaged, and another number
    /// after that: what was recorded under an earlier one need not be there.
    epoch: AtomicU64,
    /// The last time the store was cleared: from when to when.
    cleared: Mutex<Option<(Instant, Instant)>>,
    stopped: AtomicBool,
}

/// Runs it, and says what happened.
pub fn run(options: Options) -> Result<Report> {
    let folder = tempfile::Builder::new().prefix("cachex-soak-").tempdir()?;
    let soak = Soak {
        root: fs::canonicalize(folder.path())?,
        report: Report::default(),
        epoch: AtomicU64::new(0),
        cleared: Mutex::new(None),
        stopped: AtomicBool::new(false),
        options,
    };
    for name in ["marks", "rooms", "tmp", "work"] {
        fs::create_dir(soak.root.join(name))?;
    }
    let foreign = Foreign::plant(&soak.store())?;
    std::thread::scope(|scope| -> Result<()> {
        let soak = &soak;
        let workers: Vec<_> = (0..soak.options.workers)
            .map(|number| scope.spawn(move || worker::work(soak, number)))
            .collect();
        let chaos = scope.spawn(move || chaos::reign(soak));
        let end = Instant::now() + soak.options.duration;
        let mut told = Instant::now();
        while Instant::now() < end
            && !workers.iter().any(std::thread::ScopedJoinHandle::is_finished)
        {
            std::thread::sleep(Duration::from_millis(50));
            if soak.options.progress.is_some_and(|every| told.elapsed() >= every) {
                told = Instant::now();
                eprintln!("{}\n", soak.report);
            }
        }
        soak.stopped.store(true, Ordering::Relaxed);
        // Whoever fails stops the others, and every one is asked.
        let ended: Vec<_> = workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        chaos.join().map_err(|_| anyhow::anyhow!("chaos panicked"))??;
        for ended in ended {
            ended.map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        Ok(())
    })?;
    soak.settle();
    foreign.check(&soak.report);
    soak.clear_up()?;
    Ok(soak.report)
}

impl Soak {
    fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    fn small_store(&self) -> PathBuf {
        self.root.join("small")
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn last_cleared(&self) -> Option<(Instant, Instant)> {
        *self.cleared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// `cachex` in an environment of its own.
    fn cachex(&self, store: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(&self.options.cachex);
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("CACHEX_DIR", store)
            .env("TMPDIR", self.root.join("tmp"))
            .current_dir(self.root.join("work"));
        command
    }

    /// Makes a call and counts what is true of every call.
    fn make(
        &self,
        command: Command,
        stdin: Option<&[u8]>,
        kill: Option<Duration>,
    ) -> Result<call::Ended> {
        let told = format!("{command:?}");
        let ended = call::make(command, stdin, kill).context("making a call")?;
        self.report.calls.add(1);
        self.report.memory.fetch_max(ended.memory, Ordering::Relaxed);
        if ended.memory > MEMORY {
            self.report
                .violation(&self.report.bloated, || format!("{} MiB: {told}", ended.memory >> 20));
        }
        if let Some(place) = &ended.hung {
            self.report.violation(&self.report.hung, || format!("{place}: {told}"));
        }
        Ok(ended)
    }

    /// Waits for what runs in the background to end.
    fn settle(&self) {
        let deadline = Instant::now() + SETTLED;
        loop {
            let left = processes(&self.root);
            if left.is_empty() {
                return;
            }
            if Instant::now() > deadline {
                for pid in left {
                    let command =
                        fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                    let told = || format!("process {pid} is left: {}", command.replace('\0', " "));
                    self.report.violation(&self.report.left, told);
                }
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// After everything is cleared, nothing is left but what is empty.
    fn clear_up(&self) -> Result<()> {
        let ended = self.make(self.cachex(&self.store(), &["clear", "--yes"]), None, None)?;
        if !ended.status.success() {
            self.report.violation(&self.report.failed, || "the last `clear` failed".to_owned());
        }
        self.report.cleared.add(1);
        for folder in ["young", "blobs", "old"] {
            if self.store().join("v2").join(folder).exists() {
                self.report
                    .violation(&self.report.left, || format!("{folder}/ is left after `clear`"));
            }
        }
        for entry in fs::read_dir(self.root.join("tmp"))?.flatten() {
            let told = || format!("{} is left", entry.path().display());
            self.report.violation(&self.report.left, told);
        }
        Ok(())
    }
}

/// Files of formats that this binary does not know.
struct Foreign(Vec<(PathBuf, String)>);

impl Foreign {
    fn plant(store: &Path) -> Result<Foreign> {
        fs::DirBuilder::new().mode(0o700).create(store)?;
        let mut files = Vec::new();
        for version in ["v0", "v1", "v3", "v10"] {
            for name in ["young/ab/entry", "old/db", "old.keys", "locks/fold", "events"] {
                let path = store.join(version).join(name);
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                let content = format!("{version} {name}\n");
                fs::write(&path, &content)?;
                files.push((path, content));
            }
        }
        fs::set_permissions(store, fs::Permissions::from_mode(0o700))?;
        Ok(Foreign(files))
    }

    fn check(&self, report: &Report) {
        for (path, content) in &self.0 {
            if fs::read_to_string(path).ok().as_ref() != Some(content) {
                report.violation(&report.foreign, || format!("{} was changed", path.display()));
            }
        }
    }
}

/// The processes that run in this folder, by their environment.
fn processes(root: &Path) -> Vec<u32> {
    let root = root.as_os_str().as_encoded_bytes();
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter(|pid: &u32| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|environment| environment.windows(root.len()).any(|part| part == root))
        })
        .collect()
}
