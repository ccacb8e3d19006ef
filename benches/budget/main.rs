//! The guard on the hot path: `cargo bench --bench budget [-- --record]`.
//!
//! Counts the instructions of a hit and of a miss of the release binary under
//! callgrind and compares them with `budget.txt`. A count does not depend on
//! how busy the machine is, which a time does. What runs in the kernel is not
//! counted, nor is the command that a miss runs.
//!
//! The number would still differ between machines if nothing was done:
//!
//! * The C library picks its `memcpy` and its kin by what the processor can
//!   do, as valgrind presents it. `GLIBC_TUNABLES` takes the wide variants
//!   away, so that all of x86-64 comes to the same ones; above all those with
//!   `rep movsb`, of which callgrind counts every byte.
//! * BLAKE3 picks its code the same way and has no such switch, but of inputs
//!   as short as these cachex does not let it.
//! * Paths are hashed and copied, so binary, store and working directory lie in
//!   a folder whose name is as long everywhere, and the environment is fixed.
//! * Output goes to pipes: a terminal, a file and `/dev/null` are each looked at
//!   in another way, and standard error would be whatever the bench has.
//! * Who types is watched while a command runs, so there is no terminal to type at.
//! * A signal that whoever started it ignores is not caught, and one that is
//!   caught takes instructions: none is ignored.
//! * A miss waits for pipes and a child, and how often it wakes up would be up
//!   to the scheduler: output, the end of each stream and that of the command
//!   may be met at once or one after the other. The command pauses before each,
//!   so that each is met on its own. The least of several runs is taken.
//!
//! Another compiler, C library or architecture makes other code all the same,
//! so the file says what it was recorded with, and has a second, wider
//! tolerance for anything else.

mod file;
#[path = "../support/release.rs"]
mod release;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use file::{Budget, Counts};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// So many runs show the least that a call takes.
const RUNS: usize = 5;

/// Compare the instructions of a hit and of a miss with what is recorded
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench budget --")]
struct Options {
    /// Write what is counted to `budget.txt`; say why in the commit
    #[arg(long)]
    record: bool,
    /// Count this binary and not the one that the release profile builds
    #[arg(long, value_name = "PATH")]
    cachex: Option<PathBuf>,
    /// Given by `cargo bench`, and not by `cargo test --benches`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if !options.bench {
        println!("this is counted by `cargo bench`, not tested");
        return Ok(());
    }
    let Some(valgrind) = output(Command::new("valgrind").arg("--version")) else {
        bail!("valgrind counts the instructions and is not installed: `apt install valgrind`");
    };
    let cachex = match options.cachex {
        Some(path) => path,
        None => release::binary()?,
    };
    let counts = Stage::set_up(&cachex)?.counts()?;
    let made_with = made_with(&valgrind);
    if options.record {
        return Budget::record(counts, made_with);
    }
    let budget = Budget::load()?;
    let over = budget.compare(counts, &made_with);
    ensure!(
        over.is_empty(),
        "over the budget: {}. Find out what the hot path does more than it did, or record the new \
         count with `cargo bench --bench budget -- --record` and give the reason in the commit",
        over.join(" and ")
    );
    Ok(())
}

/// What the counts are the counts of, as far as the source does not say it.
fn made_with(valgrind: &str) -> String {
    let rustc = output(Command::new("rustc").arg("--version")).unwrap_or_default();
    let libc = output(Command::new("getconf").arg("GNU_LIBC_VERSION")).unwrap_or_default();
    format!("{}, {rustc}, {libc}, {valgrind}", std::env::consts::ARCH)
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A place where every machine gives the same count.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn set_up(cachex: &Path) -> Result<Stage> {
        // Not `$TMPDIR`, whose name may have any length.
        let folder = tempfile::Builder::new()
            .prefix("cachex-budget.")
            .rand_bytes(6)
            .tempdir_in("/tmp")
            .context("making a folder in /tmp")?;
        fs::copy(cachex, folder.path().join("cachex"))
            .with_context(|| format!("copying {}", cachex.display()))?;
        let command = folder.path().join("command");
        fs::write(&command, COMMAND)
            .and_then(|()| fs::set_permissions(&command, fs::Permissions::from_mode(0o700)))
            .with_context(|| format!("writing {}", command.display()))?;
        Ok(Stage { folder })
    }

    fn counts(&self) -> Result<Counts> {
        let mut least = Counts { hit: u64::MAX, miss: u64::MAX };
        for run in 0..RUNS {
            // A store with one entry in it, so that a miss makes no folder.
            let store = self.folder.path().join(format!("store{run}"));
            fs::DirBuilder::new().mode(0o700).create(&store).context("making a store")?;
            self.call(&store, "first", false)?;
            least.miss = least.miss.min(self.count(&store, "other")?);
            least.hit = least.hit.min(self.count(&store, "other")?);
        }
        ensure!(
            least.hit < least.miss,
            "a hit took no fewer instructions than a miss: {} and {}",
            least.hit,
            least.miss
        );
        Ok(least)
    }

    fn count(&self, store: &Path, word: &str) -> Result<u64> {
        self.call(store, word, true)?.context("callgrind left no count")
    }

    /// Calls `cachex run` for a command that prints `word`, counted or not.
    fn call(&self, store: &Path, word: &str, counted: bool) -> Result<Option<u64>> {
        let folder = self.folder.path();
        let cachex = folder.join("cachex");
        let counts = folder.join("counts");
        fs::create_dir_all(&counts)?;
        let mut command = Command::new("setsid");
        command.args(["env", "--default-signal"]);
        if counted {
            command.args(["valgrind", "--tool=callgrind", "--trace-children=no", "--quiet"]);
            // It remarks on every system call that is younger than itself.
            command.arg("--log-file=/dev/null");
            // By process: what forks and does not exec leaves a count too.
            command.arg(format!("--callgrind-out-file={}/%p", counts.display()));
        }
        command
            .arg(cachex)
            .args(["run", "--expires-in", "1h", "--cache-dir"])
            .arg(store)
            .arg("--")
            .arg(folder.join("command"))
            .arg(word)
            .env_clear()
            .envs([("HOME", "/nowhere"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")])
            .envs([("TERM", "dumb"), ("USER", "someone"), ("GLIBC_TUNABLES", TUNABLES)])
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let process = child.id();
        let output = child.wait_with_output().context("waiting for cachex")?;
        ensure!(output.status.success(), "{} from {command:?}", output.status);
        ensure!(output.stdout == format!("{word}\n").as_bytes(), "wrong output from {command:?}");
        ensure!(output.stderr.is_empty(), "{} from {command:?}", output.stderr.escape_ascii());
        if !counted {
            return Ok(None);
        }
        let file = fs::read_to_string(counts.join(process.to_string()))
            .context("reading what callgrind left")?;
        Ok(file.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok()))
    }
}

/// What cachex meets one after the other: the start, the output, the end of each stream, and that
/// of the command.
const COMMAND: &str = "\
    #!/bin/sh\nsleep 0.2\necho \"$1\"\nsleep 0.2\nexec >&-\nsleep 0.2\nexec 2>&-\nsleep 0.2\n";

/// Both spellings of each: the C library changed them in 2.33 and passes over
/// those it does not know.
const TUNABLES: &str = "glibc.cpu.hwcaps=\
    -AVX_Fast_Unaligned_Load,-AVX2_Usable,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM,-BMI2,-SSE4_2,-SSSE3";
