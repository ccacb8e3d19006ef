//! One command line, told option by option.

use super::capture::Capture;
use super::input::Input;
use super::world::World;
use super::{Outcome, Running, eventually};
use std::ffi::{CString, OsStr, OsString};
use std::io::PipeReader;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// A command line and what surrounds it; doing it does not use it up.
#[derive(Clone)]
pub struct Call {
    world: Arc<World>,
    /// `cachex`'s own arguments; none for the bare command.
    cachex: Option<Vec<OsString>>,
    command: Vec<OsString>,
    launcher: Option<String>,
    is_measured: bool,
    environment: Vec<(OsString, Option<OsString>)>,
    /// What stands before the environment, as it is.
    entries: Vec<CString>,
    folder: PathBuf,
    pub(super) input: Input,
    output: Output,
}

#[derive(Clone, Copy, PartialEq)]
enum Output {
    Separate,
    Merged,
    Counted,
}

impl Call {
    pub(super) fn of_cachex<A: Into<OsString>>(
        world: Arc<World>,
        args: impl IntoIterator<Item = A>,
    ) -> Call {
        let args = args.into_iter().map(Into::into).collect();
        Call { cachex: Some(args), ..Call::bare_in(world, [""; 0]) }
    }

    pub(super) fn bare_in<A: Into<OsString>>(
        world: Arc<World>,
        argv: impl IntoIterator<Item = A>,
    ) -> Call {
        Call {
            cachex: None,
            command: argv.into_iter().map(Into::into).collect(),
            launcher: None,
            is_measured: false,
            environment: Vec::new(),
            entries: Vec::new(),
            folder: world.work(),
            input: Input::Null,
            output: Output::Separate,
            world,
        }
    }

    /// The command that stands behind `--`, or what is the shell's.
    pub fn command<A: Into<OsString>>(mut self, argv: impl IntoIterator<Item = A>) -> Call {
        self.command = argv.into_iter().map(Into::into).collect();
        self
    }

    /// `cachex forget` with the same options and the same command.
    pub fn forget(mut self) -> Call {
        self.cachex.as_mut().unwrap()[0] = "forget".into();
        self
    }

    /// `cachex explain` with the same options and the same command.
    pub fn explain(mut self) -> Call {
        self.cachex.as_mut().unwrap()[0] = "explain".into();
        self
    }

    /// The command without `cachex`.
    pub fn bare(mut self) -> Call {
        self.cachex = None;
        self
    }

    /// An option with its value.
    pub fn option(mut self, name: &str, value: impl AsRef<OsStr>) -> Call {
        let args = self.cachex.as_mut().unwrap();
        args.extend([name.into(), value.as_ref().to_owned()]);
        self
    }

    /// Options as one would type them: `"--no-cwd --exe name"`.
    pub fn with(mut self, options: &str) -> Call {
        let args = self.cachex.as_mut().unwrap();
        args.extend(options.split_whitespace().map(OsString::from));
        self
    }

    pub fn expires_in(self, limit: &str) -> Call {
        self.option("--expires-in", limit)
    }

    pub fn failure_expires_in(self, limit: &str) -> Call {
        self.option("--failure-expires-in", limit)
    }

    pub fn exit_codes(self, list: &str) -> Call {
        self.option("--exit-codes", list)
    }

    /// Sets a variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Call {
        self.environment.push((name.as_ref().into(), Some(value.as_ref().into())));
        self
    }

    /// Puts something before the rest of the environment as it is: a variable that is there
    /// once more, or what is none at all.
    pub fn entry(mut self, entry: impl Into<Vec<u8>>) -> Call {
        self.entries.push(CString::new(entry).unwrap());
        self
    }

    /// Takes a variable of the world's environment away.
    pub fn without(mut self, name: &str) -> Call {
        self.environment.push((name.into(), None));
        self
    }

    /// Happens so much later than now, as far as `cachex` can tell.
    pub fn after(self, time: &str) -> Call {
        self.env("CACHEX_TEST_CLOCK", seconds(time).to_string())
    }

    /// Happens so much earlier than now, as far as `cachex` can tell.
    pub fn before(self, time: &str) -> Call {
        self.env("CACHEX_TEST_CLOCK", (-seconds(time)).to_string())
    }

    /// Happens in this folder, as a shell that changed to it would do it.
    pub fn inside(mut self, folder: PathBuf) -> Call {
        self.folder = folder;
        let folder = self.folder.clone();
        self.env("PWD", folder)
    }

    /// Is started by this script, which does it at `"$@"`.
    pub fn launched_by(mut self, script: &str) -> Call {
        self.launcher = Some(script.to_owned());
        self
    }

    /// Has this in front of it, after what starts it already.
    pub fn limited(mut self, limiter: &str) -> Call {
        let launcher = self.launcher.take().unwrap_or_else(|| r#"exec "$@""#.to_owned());
        self.launcher = Some(launcher.replace(r#""$@""#, &format!(r#"{limiter} "$@""#)));
        self
    }

    /// The memory that it takes is measured, and by `time`: the kernel's own account of
    /// a child begins with what this process took before it, all tests together.
    pub fn measured(mut self) -> Call {
        self.is_measured = true;
        self
    }

    /// Reads these bytes from a pipe.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Call {
        self.input = Input::Bytes(bytes.as_ref().to_vec());
        self
    }

    /// Reads so many zeros from a pipe.
    pub fn stdin_of_zeros(mut self, count: u64) -> Call {
        self.input = Input::Zeros(count);
        self
    }

    /// Reads from a pipe that the test feeds, and that stays open.
    pub fn stdin_open(mut self) -> Call {
        self.input = Input::Open;
        self
    }

    /// Reads from a file, from this offset on.
    pub fn stdin_from(mut self, file: impl Into<PathBuf>, offset: u64) -> Call {
        self.input = Input::File(file.into(), offset);
        self
    }

    /// Reads what this is open on.
    pub fn stdin_is(mut self, descriptor: impl Into<OwnedFd>) -> Call {
        self.input = Input::Descriptor(Arc::new(descriptor.into()));
        self
    }

    /// Is started with its standard input closed.
    pub fn stdin_closed(self) -> Call {
        self.launched_by(r#"exec "$@" <&-"#)
    }

    /// Both streams go into one pipe; what comes out is in `stdout`.
    pub fn merged(mut self) -> Call {
        self.output = Output::Merged;
        self
    }

    /// Output is only counted and hashed, however much it is.
    pub fn output_counted(mut self) -> Call {
        self.output = Output::Counted;
        self
    }

    /// Does it once.
    #[track_caller]
    pub fn once(&self) -> Outcome {
        self.times(1)
    }

    /// Does it, and once that is over does it again.
    #[track_caller]
    pub fn twice(&self) -> Outcome {
        self.times(2)
    }

    /// Does it so often, one after the other.
    #[track_caller]
    pub fn times(&self, count: usize) -> Outcome {
        let ran_before = self.world.runs();
        let ended = (0..count).map(|_| self.spawn().wait()).collect();
        Outcome::new(self.world.clone(), self.to_string(), ran_before, ended)
    }

    /// Starts it so often, and then waits for all of them.
    #[track_caller]
    pub fn simultaneously(&self, count: usize) -> Outcome {
        let ran_before = self.world.runs();
        let running: Vec<Running> = (0..count).map(|_| self.spawn()).collect();
        let ended = running.into_iter().map(Running::wait).collect();
        Outcome::new(self.world.clone(), self.to_string(), ran_before, ended)
    }

    /// Runs the bare command, then the miss, then the hit: all alike.
    #[track_caller]
    pub fn behaves_as_bare(&self) -> Outcome {
        let bare = self.clone().bare().once();
        self.twice().runs_once().same_as(&bare)
    }

    /// The twelve hexadecimal digits by which `--verbose` names the key.
    #[track_caller]
    pub fn key(&self) -> String {
        let said = self.clone().with("--verbose").once().stderr();
        let key = said.lines().find_map(|line| {
            let mut words = line.strip_prefix("cachex: ")?.split_whitespace();
            let (verdict, key) = (words.next()?, words.next()?);
            let named = ["hit", "miss"].contains(&verdict) && key.len() == 12;
            (named && key.bytes().all(|b| b.is_ascii_hexdigit())).then(|| key.to_owned())
        });
        key.unwrap_or_else(|| panic!("{self}: `--verbose` names no key:\n{said}"))
    }

    /// Starts it.
    #[track_caller]
    pub fn spawn(&self) -> Running {
        let (stdout, to_stdout) = Capture::pipe(self.output != Output::Counted);
        let (stderr, to_stderr) = match self.output {
            Output::Merged => (Capture::nothing(), to_stdout.try_clone().unwrap()),
            Output::Separate | Output::Counted => Capture::pipe(true),
        };
        self.start(to_stdout, to_stderr, stdout, stderr)
    }

    /// Starts it with a standard output of the test's own.
    #[track_caller]
    pub fn spawn_into(&self, stdout: impl Into<Stdio>) -> Running {
        let (stderr, to_stderr) = Capture::pipe(true);
        self.start(stdout, to_stderr, Capture::nothing(), stderr)
    }

    /// Starts it with a standard error of the test's own.
    #[track_caller]
    pub fn spawn_complaining_into(&self, stderr: impl Into<Stdio>) -> Running {
        let (stdout, to_stdout) = Capture::pipe(true);
        self.start(to_stdout, stderr, stdout, Capture::nothing())
    }

    /// Starts it with a standard output that nobody reads, and waits until it waits
    /// for that in the middle of what it prints.
    #[track_caller]
    pub fn spawn_unread(&self) -> (Running, PipeReader) {
        let (unread, writer) = std::io::pipe().unwrap();
        let running = self.spawn_into(writer);
        eventually(&format!("a full pipe after {self}"), || {
            let waiting = rustix::io::ioctl_fionread(&unread).unwrap();
            (waiting >= 4096).then_some(())
        });
        (running, unread)
    }

    #[expect(clippy::zombie_processes, reason = "`Running` reaps it")]
    #[track_caller]
    fn start(
        &self,
        to_stdout: impl Into<Stdio>,
        to_stderr: impl Into<Stdio>,
        stdout: Capture,
        stderr: Capture,
    ) -> Running {
        let ran_before = self.world.runs();
        let started = Instant::now();
        let memory = self.is_measured.then(|| self.world.temporary());
        let mut command = self.build(memory.as_ref().map(NamedTempFile::path));
        command.stdin(self.input.stdio()).stdout(to_stdout).stderr(to_stderr);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{self}: {error}"));
        // The parent's ends of the output pipes are closed with it.
        drop(command);
        let stdin = self.input.feed(child.stdin.take());
        let pid = rustix::process::Pid::from_child(&child);
        let told = self.to_string();
        Running::new(
            self.world.clone(),
            told,
            ran_before,
            started,
            pid,
            memory,
            stdin,
            stdout,
            stderr,
        )
    }

    /// The world that it happens in.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    pub(super) fn world(&self) -> &Arc<World> {
        &self.world
    }

    fn argv(&self) -> Vec<OsString> {
        let mut argv = Vec::new();
        if let Some(script) = &self.launcher {
            argv.extend(["sh", "-c", script, "sh"].map(OsString::from));
        }
        if let Some(args) = &self.cachex {
            argv.push(World::binary().into());
            argv.extend(args.iter().cloned());
            // What is a shell's begins with a dash of its own.
            let is_script = args.first().is_some_and(|verb| verb == "sh");
            if !self.command.is_empty() && !is_script {
                argv.push("--".into());
            }
        }
        argv.extend(self.command.iter().cloned());
        argv
    }

    /// What is started; if its memory is measured, that is written to the file `memory`.
    pub(super) fn build(&self, memory: Option<&Path>) -> Command {
        let mut argv = self.argv();
        if let Some(memory) = memory {
            let time = ["time".as_ref(), "--format=%M".as_ref(), "--output".as_ref(), memory];
            argv.splice(0..0, time.map(OsString::from));
        }
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).current_dir(&self.folder).env_clear().process_group(0);
        command.envs(self.world.environment());
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if !self.entries.is_empty() {
            execute_with(&mut command, &argv, self.entries.clone());
        }
        command
    }
}

/// Has a command executed with these entries before the rest of its environment: the standard
/// library gives each variable once.
fn execute_with(command: &mut Command, argv: &[OsString], mut entries: Vec<CString>) {
    let string = |bytes: &[&[u8]]| CString::new(bytes.concat()).unwrap();
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    entries.extend(set.map(|(name, value)| string(&[name.as_bytes(), b"=", value.as_bytes()])));
    let argv: Vec<CString> = argv.iter().map(|word| string(&[word.as_bytes()])).collect();
    // As numbers they may be looked at by another thread.
    let pointers = |list: &[CString]| {
        let each = list.iter().map(|it| it.as_ptr() as usize);
        each.chain([0]).collect::<Vec<usize>>()
    };
    let (given, environment) = (pointers(&argv), pointers(&entries));
    // SAFETY: `execve` is async-signal-safe and nothing else is done. The strings are owned
    // by the closure, and moving that moves none of them.
    unsafe {
        command.pre_exec(move || {
            std::hint::black_box((&argv, &entries));
            libc::execve(argv[0].as_ptr(), given.as_ptr().cast(), environment.as_ptr().cast());
            Err(std::io::Error::last_os_error())
        });
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<_> = self.argv().iter().map(|a| a.to_string_lossy().into_owned()).collect();
        write!(f, "`{}`", words.join(" "))
    }
}

fn seconds(time: &str) -> f64 {
    humantime::parse_duration(time).as_ref().map_or_else(|e| panic!("{e}"), Duration::as_secs_f64)
}
