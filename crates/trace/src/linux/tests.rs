//! Whole runs of a static program that makes each system call itself.

mod calls;
mod runs;
mod system;

use crate::{Class, Report, Settings, Tracer, facts};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A folder in which commands are traced.
pub struct World {
    folder: TempDir,
}

/// A run, and its report.
pub struct Run {
    pub report: Report,
    pub status: ExitStatus,
    pub stdout: String,
    folder: PathBuf,
}

/// Returns the program that makes system calls, built once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = PROGRAM.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls");
        let source = folder.path().join("calls.c");
        std::fs::write(&source, include_str!("tests/calls.c")).unwrap();
        let built =
            Command::new("cc").args(["-static", "-O1", "-w", "-o"]).args([&path, &source]).status();
        assert!(built.unwrap().success());
        (folder, path)
    });
    path
}

impl World {
    pub fn new() -> World {
        World { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Starts a command, traced.
    pub fn start(&self, mut settings: Settings, command: &mut Command) -> (Tracer, Child) {
        // The environment of the tests may have left some open.
        settings.known_descriptors = (3..1024).collect();
        let tracer = Tracer::new(settings).unwrap();
        let hook = tracer.hook();
        command.current_dir(self.path("")).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        // SAFETY: the hook is made to be called here.
        unsafe {
            command.pre_exec(move || {
                hook.in_child();
                Ok(())
            })
        };
        (tracer, command.spawn().unwrap())
    }

    pub fn run(&self, settings: Settings, command: &mut Command) -> Run {
        let (tracer, child) = self.start(settings, command);
        let output = child.wait_with_output().unwrap();
        let (report, _) = tracer.finish();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Run { report, status: output.status, stdout, folder: self.path("") }
    }

    pub fn shell(&self, script: &str) -> Run {
        self.run(Settings::default(), Command::new("sh").args(["-c", script]))
    }

    /// Makes system calls, in the syntax of the program.
    pub fn calls(&self, calls: &str) -> Run {
        self.run(Settings::default(), Command::new(program()).args(calls.split_whitespace()))
    }
}

impl Run {
    fn full(&self, name: &str) -> Vec<u8> {
        if name.starts_with('/') {
            return name.as_bytes().to_vec();
        }
        self.folder.join(name).as_os_str().as_bytes().to_vec()
    }

    /// Returns whether there is a fact of this class about a path.
    pub fn knows(&self, name: &str, class: Class) -> bool {
        let path = self.full(name);
        self.report.facts.iter().any(|fact| fact.path == path && fact.class == class)
    }

    /// Returns whether there is any fact about a path.
    pub fn knows_of(&self, name: &str) -> bool {
        let path = self.full(name);
        self.report.facts.iter().any(|fact| fact.path == path)
    }

    pub fn knows_absent(&self, name: &str) -> bool {
        let path = self.full(name);
        self.report.absent().any(|it| it == path)
    }

    pub fn written(&self) -> Vec<(String, crate::Change)> {
        let name = |path: &[u8]| {
            let path = Path::new(std::ffi::OsStr::from_bytes(path));
            path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
        };
        self.report.written.iter().map(|it| (name(&it.path), it.change)).collect()
    }

    pub fn refusal(&self) -> Option<String> {
        self.report.refusal.as_ref().map(ToString::to_string)
    }

    /// Returns whether all facts still hold, as a look-up would find.
    pub fn holds(&self) -> bool {
        self.differing().is_empty()
    }

    pub fn differing(&self) -> Vec<String> {
        let differs =
            |fact: &&crate::Fact| facts::look(&fact.path, fact.class, None).value != fact.value;
        let facts = self.report.facts.iter().filter(differs);
        facts.map(|it| format!("{} {:?}", String::from_utf8_lossy(&it.path), it.class)).collect()
    }
}

/// Returns the path as a C string.
pub fn c(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}
