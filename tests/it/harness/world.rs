//! Where a test takes place: a folder that nothing else uses.

use super::terminal::Terminal;
use super::{Call, Outcome, eventually};
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::Write;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use tempfile::NamedTempFile;

/// A fresh world and the `cachex` in it.
pub fn cachex() -> Cachex {
    Cachex(Arc::new(World::new()))
}

/// `cachex` in a world; cloning it stays in that world.
#[derive(Clone)]
pub struct Cachex(Arc<World>);

impl Cachex {
    /// `cachex run -- sh -c SCRIPT`; every execution is counted.
    pub fn run(&self, script: &str) -> Call {
        self.exec(["sh", "-c", &self.counting(script)])
    }

    /// `cachex run -- ARGV`; not counted, unless it is a [`World::tool`].
    pub fn exec<A: Into<OsString>>(&self, argv: impl IntoIterator<Item = A>) -> Call {
        self.cli(["run"]).command(argv)
    }

    /// `cachex sh -c SCRIPT`; every execution is counted.
    pub fn sh(&self, script: &str) -> Call {
        self.cli(["sh"]).command(["-c", &self.counting(script)])
    }

    /// `cachex ARGS` as they are given.
    pub fn cli<A: Into<OsString>>(&self, args: impl IntoIterator<Item = A>) -> Call {
        Call::of_cachex(self.0.clone(), args)
    }

    /// A command without `cachex` in front.
    pub fn bare<A: Into<OsString>>(&self, argv: impl IntoIterator<Item = A>) -> Call {
        Call::bare_in(self.0.clone(), argv)
    }

    /// A script without `cachex` in front: it finds `cachex` on its `PATH`.
    pub fn shell(&self, script: &str) -> Call {
        Call::bare_in(self.0.clone(), ["bash", "-c", script])
    }

    /// Moves every recent entry to the old store, as a management command does
    /// when it takes something out.
    #[track_caller]
    pub fn folds(&self) {
        self.tries_to_fold().exits(0);
    }

    /// The same where it may fail.
    #[track_caller]
    pub fn tries_to_fold(&self) -> Outcome {
        let passing = self.exec(["true"]).option("--scope", "only to be forgotten");
        passing.once().exits(0);
        passing.forget().once()
    }

    /// An interactive shell at a pseudo-terminal.
    pub fn terminal(&self) -> Terminal {
        Terminal::open(self.0.clone())
    }
}

impl Deref for Cachex {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

/// Whoever runs the tests may have left descriptors open, which a traced command must not
/// inherit. They are for this process alone, once a test begins.
fn keep_what_was_inherited() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // SAFETY: nothing is closed in this process.
        #[cfg(target_os = "linux")]
        unsafe {
            libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
        }
    });
}

/// The folder of one test; everything that still runs in it ends with it.
pub struct World {
    root: PathBuf,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        keep_what_was_inherited();
        let folder = tempfile::Builder::new().prefix("cachex-test-").tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for name in ["bin", "home", "tmp", "work"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        std::os::unix::fs::symlink(Self::binary(), root.join("bin/cachex")).unwrap();
        World { root, _folder: folder }
    }

    /// The binary under test: the one that was built with the tests, or another one that
    /// was named, a release say. Faults that a test puts in are met by the former alone.
    pub fn binary() -> &'static Path {
        static BINARY: OnceLock<PathBuf> = OnceLock::new();
        BINARY.get_or_init(|| {
            let named = std::env::var_os("CACHEX_TEST_BINARY").map(PathBuf::from);
            named.unwrap_or_else(|| env!("CARGO_BIN_EXE_cachex").into())
        })
    }

    /// A program of `examples/`.
    pub fn example(name: &str) -> PathBuf {
        let path = Self::binary().parent().unwrap().join("examples").join(name);
        assert!(path.exists(), "no {}: `cargo build --examples` makes it", path.display());
        path
    }

    /// A path below the world's folder, which the test may use as it likes.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// A file that nobody else is given.
    pub(super) fn temporary(&self) -> NamedTempFile {
        NamedTempFile::new_in(&self.root).unwrap()
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Where commands run.
    pub fn work(&self) -> PathBuf {
        self.path("work")
    }

    /// The whole environment of a command, unless a test adds to it.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut path = self.path("bin").into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        let mut environment = vec![
            ("PATH", path),
            // A loaded machine keeps those waiting who write to a pipe.
            ("CACHEX_TEST_PATIENCE", "30".into()),
            ("HOME", self.path("home").into()),
            ("TMPDIR", self.path("tmp").into()),
            ("PWD", self.work().into()),
            ("CACHEX_DIR", self.store().into()),
            ("LANG", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
        ];
        // The tests of `run` again, with `--auto`: see `auto::transparent`.
        if std::env::var_os("CACHEX_TEST_AUTO").is_some() {
            environment.push(("CACHEX_AUTO", "1".into()));
            environment.push(("CACHEX_AUTO_IGNORE", self.path("runs").into()));
        }
        environment
    }

    /// How often counted scripts and tools have been executed.
    pub fn runs(&self) -> usize {
        fs::metadata(self.path("runs")).map_or(0, |file| file.len() as usize)
    }

    /// Waits until counted scripts and tools have been executed so often.
    #[track_caller]
    pub fn awaits_runs(&self, runs: usize) {
        eventually(&format!("{runs} runs"), || (self.runs() >= runs).then_some(()));
        assert_eq!(self.runs(), runs, "executions so far");
    }

    /// Waits until nothing runs in this world any more, and nobody holds a lock:
    /// a process that ends has no environment for a moment before it lets go.
    #[track_caller]
    pub fn awaits_quiet(&self) {
        let is_free = |path: PathBuf| {
            use rustix::fs::{FlockOperation, flock};
            let file = fs::File::open(self.store().join(path));
            file.is_ok_and(|file| flock(file, FlockOperation::NonBlockingLockExclusive).is_ok())
        };
        eventually("the end of all processes", || {
            let is_quiet =
                self.processes().is_empty() && self.stored_in("v2/locks").into_iter().all(is_free);
            is_quiet.then_some(())
        });
    }

    /// The script with what counts an execution of it in front.
    pub fn counting(&self, script: &str) -> String {
        format!("printf . >>{}; {script}", quoted(self.path("runs")))
    }

    /// Writes a file and the folders it lies in.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes a file that only its owner can write to, whatever the umask is.
    pub fn owned(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(name, content);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        path
    }

    /// Where the user's `config.toml` is looked for.
    pub fn config_path(&self) -> PathBuf {
        self.path("home/.config/cachex/config.toml")
    }

    /// Writes the user's `config.toml`.
    pub fn config(&self, text: impl AsRef<[u8]>) -> PathBuf {
        self.owned(self.config_path(), text)
    }

    /// A command of this name on the `PATH`; every execution is counted.
    pub fn tool(&self, name: &str, script: &str) -> PathBuf {
        let script = format!("#!/bin/sh\n{}\n", self.counting(script));
        self.executable(Path::new("bin").join(name), script)
    }

    /// An executable file.
    ///
    /// Another process writes it: a file that this one has open for writing
    /// while another thread forks could not be executed ("text file busy").
    pub fn executable(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut install = Command::new("install")
            .args(["-m", "755", "/dev/stdin"])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        install.stdin.take().unwrap().write_all(content.as_ref()).unwrap();
        assert!(install.wait().unwrap().success());
        path
    }

    /// Opens a gate that commands wait at, see [`World::gate`].
    pub fn opens(&self, gate: &str) {
        fs::write(self.path(gate), "").unwrap();
    }

    /// Shell commands that wait until the test [`World::opens`] this gate.
    pub fn gate(&self, gate: &str) -> String {
        format!("until [ -e {} ]; do sleep 0.01; done", quoted(self.path(gate)))
    }

    /// Waits for a file that a command writes, and gives its first line.
    #[track_caller]
    pub fn line_of(&self, name: &str) -> String {
        eventually(&format!("a line in {name}"), || {
            let text = fs::read_to_string(self.path(name)).ok()?;
            text.split_once('\n').map(|(line, _)| line.to_owned())
        })
    }

    /// Every file of the store, folders too, with its path below the store.
    pub fn stored(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.store()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(entry.path());
                }
                found.push(entry.path().strip_prefix(self.store()).unwrap().to_owned());
            }
        }
        found.sort();
        found
    }

    /// The files below a folder of the store, folders left out.
    pub fn stored_in(&self, folder: &str) -> Vec<PathBuf> {
        let folder = Path::new(folder);
        let files = self.stored().into_iter().map(|path| (self.store().join(&path), path));
        files.filter(|(at, path)| path.starts_with(folder) && at.is_file()).map(|f| f.1).collect()
    }

    /// The processes that run in this world, by their environment.
    #[cfg(target_os = "linux")]
    pub fn processes(&self) -> Vec<rustix::process::Pid> {
        let root = self.root.as_os_str().as_bytes();
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        numbers
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| {
                fs::read(format!("/proc/{pid}/environ"))
                    .is_ok_and(|environment| contains(&environment, root))
            })
            .filter_map(rustix::process::Pid::from_raw)
            .collect()
    }
}

impl Drop for World {
    /// Ends what a failed test, or a command that outlives `cachex` on
    /// purpose, left running.
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        for _ in 0..50 {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            for pid in left {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

/// Whether the needle lies anywhere in the haystack.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// A path as a word of a shell script.
pub fn quoted(path: impl AsRef<Path>) -> String {
    format!("'{}'", path.as_ref().to_str().unwrap().replace('\'', r"'\''"))
}
