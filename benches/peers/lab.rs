//! Where the experiments take place: the binaries, the floors, the folders and
//! the environment that all contenders share.

use crate::contender::Tool;
use crate::measure::Rounds;
use crate::release;
use anyhow::{Context, Result, anyhow, bail};
use std::ffi::OsStr;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// As large as an interactive session's usually is, since cachex hashes it,
/// and the same on every machine. `cargo bench` would add some fifty variables
/// and a library path that slows down what is linked dynamically.
const ENVIRONMENT: [(&str, &str); 20] = [
    ("COLORTERM", "truecolor"),
    ("COLUMNS", "120"),
    ("EDITOR", "vim"),
    ("HISTSIZE", "10000"),
    ("HOME", "/home/someone"),
    ("LANG", "en_GB.UTF-8"),
    ("LC_TIME", "en_GB.UTF-8"),
    ("LESS", "-FRX"),
    ("LINES", "40"),
    ("LOGNAME", "someone"),
    ("MANPATH", "/usr/local/share/man:/usr/share/man"),
    ("PAGER", "less"),
    (
        "PATH",
        "/home/someone/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("SHELL", "/bin/bash"),
    ("SHLVL", "1"),
    ("TERM", "xterm-256color"),
    ("TZ", "Europe/Berlin"),
    ("USER", "someone"),
    ("VISUAL", "vim"),
    ("XDG_DATA_DIRS", "/usr/local/share:/usr/share"),
];

/// Everything that the experiments need.
#[derive(Debug)]
pub struct Lab {
    /// `target/peers`.
    pub root: PathBuf,
    /// Caches, counters and data; the working directory of every contender.
    pub work: PathBuf,
    /// The static process that does nothing.
    pub noop: PathBuf,
    /// The process that ends at once without a C library, or why there is none.
    pub floor: Result<PathBuf, String>,
    /// The command that is cached, see `tools/emit.rs`.
    pub emit: PathBuf,
    /// Fewer rounds.
    pub quick: bool,
    /// Whether stores of a million entries are asked for.
    pub million: bool,
    cachex: PathBuf,
    /// The peers that were asked for, and why there is none of one.
    installed: Mutex<Vec<(Tool, Result<(), String>)>>,
    /// Where the contenders' standard error goes: not to a terminal, which
    /// some of them would look at more closely.
    log: fs::File,
}

impl Lab {
    /// Builds what is needed; a peer is installed when an experiment asks for it. One that
    /// cannot be is no error: the tables name it and say why it is missing.
    ///
    /// # Errors
    ///
    /// cachex or a floor cannot be built, or a folder cannot be made.
    pub fn set_up(cachex: Option<PathBuf>, quick: bool, million: bool) -> Result<Lab> {
        // The target folder, wherever it is: not /tmp, which may be memory.
        let root = target_directory()?.join("peers");
        let work = root.join("work");
        if work.exists() {
            fs::remove_dir_all(&work).with_context(|| format!("emptying {}", work.display()))?;
        }
        fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;
        let cachex = match cachex {
            Some(path) => fs::canonicalize(&path)
                .with_context(|| format!("looking for {}", path.display()))?,
            None => release::binary()?,
        };
        // Installed as its peers are: what a linker wrote lies in the system's memory
        // in other pieces than what was copied, and starts a tenth more slowly.
        let installed = root.join("bin/cachex");
        fs::create_dir_all(root.join("bin")).context("making a folder for binaries")?;
        let _ = fs::remove_file(&installed);
        fs::copy(&cachex, &installed).with_context(|| format!("copying {}", cachex.display()))?;
        let cachex = installed;
        let noop = compile(&root, "noop", &[])?;
        let emit = compile(&root, "emit", &[])?;
        let floor = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            let bare = ["-C", "link-arg=-nostartfiles", "-C", "link-arg=-nostdlib"];
            compile(&root, "floor", &bare).map_err(|why| format!("{why:#}"))
        } else {
            Err("it is written for x86-64 Linux".to_owned())
        };
        // Contenders inherit it; setting one per process would make the
        // standard library fork where it can otherwise use `posix_spawn`.
        std::env::set_current_dir(&work).with_context(|| format!("entering {}", work.display()))?;
        let log = fs::File::create(root.join("stderr.log")).context("making stderr.log")?;
        let installed = Mutex::default();
        Ok(Lab { root, work, noop, floor, emit, quick, million, cachex, installed, log })
    }

    /// The binary of `tool`, which is installed if it was not asked for before.
    ///
    /// # Errors
    ///
    /// It could not be installed.
    pub fn binary(&self, tool: Tool) -> Result<PathBuf> {
        if tool == Tool::Cachex {
            return Ok(self.cachex.clone());
        }
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = installed.iter().find(|(known, _)| *known == tool);
        let done = if let Some((_, done)) = known {
            done.clone()
        } else {
            let done = install(&self.root, tool).map_err(|error| format!("{error:#}"));
            installed.push((tool, done.clone()));
            done
        };
        done.map(|()| self.root.join("bin").join(tool.name())).map_err(anyhow::Error::msg)
    }

    /// A process with the environment, working directory and standard input
    /// that all contenders get.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let log = self.log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from);
        command.env_clear().envs(ENVIRONMENT).stdin(Stdio::null()).stderr(log);
        command
    }

    /// `full` rounds, or about a sixth of them with `--quick`.
    pub fn rounds(&self, full: usize) -> Rounds {
        let counted = if self.quick { full.div_ceil(6).max(3).min(full) } else { full };
        Rounds { counted, warm_up: (counted / 10).max(1) }
    }

    /// A file of `size` bytes in lines of 64, made once.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn file(&self, size: u64) -> Result<PathBuf> {
        let path = self.work.join(format!("{size}.txt"));
        if path.exists() {
            return Ok(path);
        }
        let mut out = BufWriter::new(fs::File::create(&path)?);
        let mut left = size;
        // A hash in each line, so that no file system or pipe gets it cheaper.
        for line in 0_u64.. {
            let text = format!("{}\n", &blake3::hash(&line.to_le_bytes()).to_hex()[1..]);
            let length = left.min(64);
            let (rest, newline) = text.as_bytes().split_at(63);
            out.write_all(&rest[..length as usize - 1])?;
            out.write_all(newline)?;
            left -= length;
            if left == 0 {
                break;
            }
        }
        out.flush().with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// A file of `size` bytes of text as logs are, made once.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn text(&self, size: u64) -> Result<PathBuf> {
        const WORDS: [&str; 16] = [
            "request",
            "served",
            "from",
            "cache",
            "after",
            "timeout",
            "worker",
            "started",
            "queue",
            "drained",
            "upstream",
            "closed",
            "retrying",
            "connection",
            "accepted",
            "session",
        ];
        let path = self.work.join(format!("{size}.log"));
        if path.exists() {
            return Ok(path);
        }
        let mut out = BufWriter::new(fs::File::create(&path)?);
        let mut left = size as usize;
        for line in 0_u64.. {
            let hash = blake3::hash(&line.to_le_bytes());
            let said: Vec<&str> =
                hash.as_bytes()[..8].iter().map(|byte| WORDS[usize::from(byte % 16)]).collect();
            let id = &hash.to_hex()[..12];
            let text = format!("2026-01-01T{:08} id={id} {}\n", line * 7, said.join(" "));
            let kept = &text.as_bytes()[..text.len().min(left)];
            out.write_all(kept)?;
            left -= kept.len();
            if left == 0 {
                break;
            }
        }
        out.flush().with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// What was measured on what, in one line.
    pub fn machine(&self) -> String {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cpu = cpu.map_or(std::env::consts::ARCH, |(_, name)| name);
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let kernel = read("/proc/sys/kernel/osrelease");
        // `df` prints a heading first.
        let filesystem = output("df", &["--output=fstype", &self.work.to_string_lossy()])
            .and_then(|text| text.lines().next_back().map(str::to_owned));
        let compiler = output("rustc", &["--version"]);
        format!(
            "{cpu}, {cores} processors, {} {}, caches on {}, {}",
            std::env::consts::OS,
            kernel.trim(),
            filesystem.unwrap_or_else(|| "an unknown file system".to_owned()),
            compiler.unwrap_or_else(|| "an unknown compiler".to_owned()),
        )
    }
}

/// The folder that cargo builds in, whatever the environment and the
/// configuration say about it.
fn target_directory() -> Result<PathBuf> {
    release::ask_cargo(&["metadata", "--no-deps"], &["--format-version", "1"])?
        .iter()
        .find_map(|metadata| metadata["target_directory"].as_str().map(PathBuf::from))
        .context("cargo did not say where its target folder is")
}

/// Where `program` lies, so that no contender pays for the search.
///
/// # Errors
///
/// It is not in `PATH`.
pub fn find(program: &str) -> Result<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .with_context(|| format!("{program} is not in PATH"))
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Installs a peer as its users do: cargo leaves this project's configuration,
/// and so its linker settings, out of what comes from a registry.
fn install(root: &Path, peer: Tool) -> Result<()> {
    let (name, version) = (peer.name(), peer.version());
    let installed = fs::read_to_string(root.join(".crates.toml")).unwrap_or_default();
    if installed.contains(&format!("\"{name} {version} ")) && root.join("bin").join(name).is_file()
    {
        return Ok(());
    }
    let install = |options: &[&str]| -> Result<bool> {
        let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["install", name, "--version", version, "--quiet"])
            .args(options)
            .arg("--root")
            .arg(root)
            .env_remove("CARGO_BUILD_TARGET")
            .env("CARGO_TARGET_DIR", root.join("build"))
            .status()?;
        Ok(status.success())
    };
    eprintln!("installing {name} {version} …");
    // The dependencies its author tested with, unless those build no longer.
    if install(&["--locked"])? || install(&[])? {
        let _ = fs::remove_dir_all(root.join("build"));
        return Ok(());
    }
    Err(anyhow!("`cargo install {name} --version {version}` failed"))
}

fn compile(root: &Path, name: &str, options: &[&str]) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/tools");
    let binary = root.join("tools").join(name);
    fs::create_dir_all(root.join("tools"))?;
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.args(["--edition", "2024", "-O", "-C", "panic=abort", "-C", "strip=symbols"]);
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        command.args(["-C", "target-feature=+crt-static", "-C", "relocation-model=static"]);
    }
    command.args(options).arg("-o").arg(&binary).arg(source.join(name).with_extension("rs"));
    match command.status().with_context(|| format!("starting {command:?}"))? {
        status if status.success() => Ok(binary),
        status => bail!("{status} from {command:?}"),
    }
}
