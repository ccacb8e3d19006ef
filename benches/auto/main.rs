//! What `--auto` costs: a hit by the number of facts, a system call that is looked at, and builds
//! while they are traced.
//!
//!     cargo bench --bench auto
//!
//! Each traced command runs alternately with the bare one, and what is shown is the median of
//! the ratios of such pairs with their quartiles. A busy machine says little: wait for a quiet one.

#[path = "../support/release.rs"]
mod release;

use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const HITS: usize = 41;
const PAIRS: usize = 15;
/// So many calls are made at a time.
const CALLS: usize = 100_000;
/// By this argument the bench is the program that makes them.
const PROBE: &str = "--make-calls";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some(PROBE) => {
            let count = args.next().context("how many calls")?.parse()?;
            for _ in 0..count {
                let _ = Path::new("/no/such/path").symlink_metadata();
            }
            return Ok(());
        }
        Some("--bench") => without_others_descriptors()?,
        _ => {
            println!("this is measured by `cargo bench`, not tested");
            return Ok(());
        }
    }
    let bench = Bench { cachex: release::binary()?, folder: tempfile::tempdir()? };
    println!("a hit: looking at its facts (bar: 1 ms for 100, 10 ms for 10,000), the whole call");
    for facts in [100, 1_000, 10_000] {
        bench.hit(facts)?;
    }
    bench.call()?;
    println!("while it is traced, ÷ bare (bar: 1.10): median, quartiles of {PAIRS} pairs");
    bench.builds()
}

/// Starts this program anew without the descriptors that it got from others: a run that has some
/// is not recorded.
fn without_others_descriptors() -> Result<()> {
    const DONE: &str = "CACHEX_BENCH_DESCRIPTORS";
    if std::env::var_os(DONE).is_some() {
        return Ok(());
    }
    let script = "for fd in /proc/self/fd/*; do fd=${fd##*/}; \
                  if ((fd > 2)); then eval \"exec $fd>&-\"; fi; done; exec \"$0\" --bench";
    let mut shell = Command::new("bash");
    shell.args(["-c", script]).arg(std::env::current_exe()?).env(DONE, "closed");
    Err(shell.exec().into())
}

struct Bench {
    cachex: PathBuf,
    folder: TempDir,
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        Ok(fs::write(path, text)?)
    }

    /// A hit that depends on about so many facts, mixed as those of a build are: most of them
    /// say that something is not there.
    fn hit(&self, facts: usize) -> Result<()> {
        let mut script = String::new();
        let mut read = String::new();
        for number in 0..facts {
            let path = format!("{facts}/folder{}/name{number}", number / 12);
            match number % 12 {
                0..8 if number > 0 => writeln!(script, "[ -e {path} ]")?,
                8 | 9 => {
                    self.write(&path, "text")?;
                    writeln!(script, "[ -s {path} ]")?;
                }
                _ => {
                    self.write(&path, "text")?;
                    write!(read, " {path}")?;
                }
            }
        }
        let name = format!("probe{facts}");
        self.write(&name, format!("{script}cat{read} >/dev/null\n"))?;
        // What changed lately is looked at more closely.
        std::thread::sleep(Duration::from_millis(2200));
        let mut looks = Vec::new();
        let mut calls = Vec::new();
        let mut said = String::new();
        for number in 0..HITS + 2 {
            let mut call = Command::new(&self.cachex);
            call.args(["run", "--auto", "--verbose", "--", "sh", &name]);
            call.env("CACHEX_DIR", self.path("store")).current_dir(self.folder.path());
            let began = Instant::now();
            let output = call.stdin(Stdio::null()).output()?;
            let took = began.elapsed();
            said = String::from_utf8_lossy(&output.stderr).into_owned();
            if number < 2 {
                // A record, and the first look.
                continue;
            }
            ensure!(said.contains("cachex: hit"), "no hit: {said}");
            let look = said.split(" facts in ").nth(1).context("how long it looked")?;
            looks.push(milliseconds(look.trim())?);
            calls.push(took.as_secs_f64() * 1000.0);
        }
        let known = said.split(" facts in ").next().and_then(|it| it.rsplit(' ').next());
        let (looks, calls) = (Spread::of(looks), Spread::of(calls));
        println!("  {:>6} facts  {looks:.2} ms, {calls:.2} ms", known.unwrap_or("?"));
        Ok(())
    }

    /// One system call.
    fn call(&self) -> Result<()> {
        let probe = std::env::current_exe()?;
        let time = |traced: bool, count: usize| -> Result<f64> {
            let count = count.to_string();
            self.time(traced, &[probe.to_str().context("a path")?, PROBE, &count])
        };
        let mut added = Vec::new();
        for _ in 0..PAIRS {
            let [traced, bare] = [true, false]
                .map(|traced| -> Result<f64> { Ok(time(traced, CALLS)? - time(traced, 0)?) });
            added.push((traced? - bare?) / CALLS as f64 * 1e6);
        }
        println!("a call that is looked at (bar: 3.5 µs)\n  {:.2} µs", Spread::of(added));
        Ok(())
    }

    /// Seconds that a command takes.
    fn time(&self, traced: bool, argv: &[&str]) -> Result<f64> {
        let mut command = if traced {
            let mut command = Command::new(&self.cachex);
            command.args(["trace", "--output", "/dev/null", "--"]).args(argv);
            command
        } else {
            let mut command = Command::new(argv[0]);
            command.args(&argv[1..]);
            command
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let began = Instant::now();
        let ended = command.stderr(Stdio::null()).status()?;
        let took = began.elapsed().as_secs_f64();
        ensure!(ended.success(), "{argv:?} failed");
        Ok(took)
    }

    fn builds(&self) -> Result<()> {
        let mut makefile = "CFLAGS = -O2\nall:".to_owned();
        for number in 0..24 {
            self.write(&format!("c/part{number}.c"), part(number))?;
            write!(makefile, " part{number}.o")?;
        }
        self.write("c/Makefile", makefile + "\n\nclean:\n\trm -f *.o\n")?;
        let manifest = "[package]\nname = \"made\"\nedition = \"2021\"\n\n[workspace]\n";
        self.write("rust/Cargo.toml", manifest)?;
        let functions = (0..300).map(|number| {
            format!(
                "pub fn f{number}(text: &str) -> Vec<String> {{ text.split('{}').map(|it| \
                 it.repeat({number})).filter(|it| it.len() > {number}).collect() }}\n",
                char::from(b'a' + number as u8 % 26)
            )
        });
        self.write("rust/src/lib.rs", functions.collect::<String>())?;
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let manifest = "--manifest-path=rust/Cargo.toml";
        let cargo = [&cargo, "build", "--quiet", "--offline", "--target-dir=rust/target", manifest];
        let [make, two] = ["-j1", "-j2"].map(|jobs| ["make", "-s", "-C", "c", jobs]);
        let gcc = ["gcc", "-O2", "-c", "-o", "/dev/null", "c/part0.c"];
        let clean = || -> Result<()> {
            let _ = fs::remove_dir_all(self.path("rust/target"));
            self.time(false, &["make", "-s", "-C", "c", "clean"]).map(drop)
        };
        for (what, argv) in [
            ("gcc -O2 of one file", &gcc[..]),
            ("make -j1, 24 files", &make),
            ("make -j2, 24 files", &two),
            ("cargo build", &cargo),
        ] {
            let mut ratios = Vec::new();
            for number in 0..PAIRS {
                let mut times = [0.0; 2];
                for which in [number % 2, 1 - number % 2] {
                    clean()?;
                    times[which] = self.time(which == 1, argv)?;
                }
                ratios.push(times[1] / times[0]);
            }
            println!("  {what:20} {:.3}", Spread::of(ratios));
        }
        Ok(())
    }
}

/// A C file that takes a compiler a while.
fn part(number: usize) -> String {
    let mut text = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n".to_owned();
    for at in 0..150 {
        let _ = writeln!(
            text,
            "int f{number}_{at}(const char *s, int n) {{ char b[64]; int k = 0; for (int i = 0; i < n; \
             i++) {{ snprintf(b, sizeof b, \"%d %s\", i * {at}, s); k += (int)strlen(b) ^ atoi(b); }} \
             return k % {}; }}",
            at + 7
        );
    }
    text
}

/// `12us` and `1.5ms` in milliseconds.
fn milliseconds(text: &str) -> Result<f64> {
    let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse()?;
    Ok(match unit {
        "ns" => number / 1e6,
        "us" => number / 1e3,
        "ms" => number,
        _ => number * 1e3,
    })
}

/// A median and its quartiles.
struct Spread([f64; 3]);

impl Spread {
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        Spread([1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4]))
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Spread([low, median, high]) = self;
        let digits = f.precision().unwrap_or(2);
        write!(f, "{median:.digits$} ({low:.digits$}–{high:.digits$})")
    }
}
