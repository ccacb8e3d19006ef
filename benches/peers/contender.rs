//! The tools that are compared, and how each of them is asked the same thing.

use crate::lab::Lab;
use crate::measure;
use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// A tool that puts a cache in front of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// This package.
    Cachex,
    /// <https://crates.io/crates/bkt>
    Bkt,
    /// <https://crates.io/crates/deja>
    Deja,
    /// <https://crates.io/crates/cacher>
    Cacher,
}

impl Tool {
    /// All of them, cachex first.
    pub const ALL: [Tool; 4] = [Tool::Cachex, Tool::Bkt, Tool::Deja, Tool::Cacher];

    /// The name of its binary and of its crate.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Cachex => "cachex",
            Tool::Bkt => "bkt",
            Tool::Deja => "deja",
            Tool::Cacher => "cacher",
        }
    }

    /// The version that is installed from the registry.
    pub fn version(self) -> &'static str {
        match self {
            Tool::Cachex => env!("CARGO_PKG_VERSION"),
            Tool::Bkt => "0.8.2",
            Tool::Deja => "0.2.1",
            Tool::Cacher => "0.4.3",
        }
    }

    /// Why two calls of it may run the command twice.
    fn fault(self) -> &'static str {
        match self {
            Tool::Cacher => {
                ": this version reads its cache only for commands with declared artifacts, and \
                 then prints lines of its own among their output"
            }
            _ => "",
        }
    }
}

/// A tool with a cache folder of its own.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Which tool.
    pub tool: Tool,
    /// Its executable.
    pub binary: PathBuf,
    /// Its cache, empty at first.
    pub cache: PathBuf,
}

impl Contender {
    /// `tool` with an empty cache that no other experiment uses.
    ///
    /// # Errors
    ///
    /// The tool is not installed, or the folder cannot be made anew.
    pub fn new(lab: &Lab, tool: Tool, experiment: &str) -> Result<Contender> {
        let binary = lab.binary(tool)?;
        let cache = lab.work.join(format!("{experiment}.{}", tool.name()));
        let contender = Contender { tool, binary, cache };
        contender.empty()?;
        Ok(contender)
    }

    /// Makes the cache empty again.
    ///
    /// # Errors
    ///
    /// The folder cannot be removed or made.
    pub fn empty(&self) -> Result<()> {
        // A process in the background may still write there.
        let mut tries = 0..100;
        while let Err(error) = fs::remove_dir_all(&self.cache) {
            match error.kind() {
                ErrorKind::NotFound => break,
                ErrorKind::DirectoryNotEmpty if tries.next().is_some() => {
                    thread::sleep(Duration::from_millis(20));
                }
                _ => return Err(error).context(format!("emptying {}", self.cache.display())),
            }
        }
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.cache).with_context(|| format!("making {}", self.cache.display()))
    }

    /// Asks for the output of `argv`, from the cache if it is there.
    pub fn ask<A: AsRef<OsStr>>(&self, lab: &Lab, argv: &[A]) -> Command {
        self.ask_with(lab, &[], argv)
    }

    /// The same with further `options`.
    pub fn ask_with<A: AsRef<OsStr>>(&self, lab: &Lab, options: &[&str], argv: &[A]) -> Command {
        let mut command = lab.command(&self.binary);
        match self.tool {
            Tool::Cachex => {
                command.args(["run", "--cache-dir"]).arg(&self.cache).args(["--expires-in", "1h"]);
                command.args(options).arg("--");
            }
            Tool::Bkt => {
                command.arg("--cache-dir").arg(&self.cache).args(["--ttl", "1h"]);
                command.args(options).arg("--");
            }
            Tool::Deja => {
                command.args(["run", "--cache"]).arg(&self.cache).args(["--cache-for", "1h"]);
                command.args(options).arg("--");
            }
            Tool::Cacher => {
                command.env("XDG_CACHE_HOME", &self.cache).args(["run", "--ttl", "3600"]);
                command.args(options).arg("--");
            }
        }
        command.args(argv);
        command
    }

    /// Checks that two calls of `argv` print `expected`, and that only the
    /// first of them runs it.
    ///
    /// A benchmark of wrong output, or of a cache that is never used, would be
    /// worthless.
    ///
    /// # Errors
    ///
    /// One of the two does not hold.
    pub fn prove(&self, lab: &Lab, argv: &Emit, expected: &Expected) -> Result<()> {
        for call in ["first", "second"] {
            let printed = measure::digest(&mut self.ask(lab, &argv.argv))?;
            if printed != expected.of(self.tool) {
                bail!("its {call} call printed something else than the command does");
            }
        }
        match argv.runs()? {
            1 => Ok(()),
            runs => bail!("two calls ran the command {runs} times{}", self.tool.fault()),
        }
    }
}

/// What a command prints, as each tool passes it on.
#[derive(Clone, Debug)]
pub struct Expected {
    plain: blake3::Hash,
    with_newline: blake3::Hash,
}

impl Expected {
    /// The content of `file`, which is not held in memory.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn file(file: &Path) -> Result<Expected> {
        let mut hasher = blake3::Hasher::new();
        let opened = fs::File::open(file).with_context(|| format!("opening {}", file.display()))?;
        hasher.update_reader(opened).with_context(|| format!("reading {}", file.display()))?;
        let plain = hasher.finalize();
        Ok(Expected { plain, with_newline: hasher.update(b"\n").finalize() })
    }

    /// One line.
    pub fn line(line: &str) -> Expected {
        let mut hasher = blake3::Hasher::new();
        hasher.update(line.as_bytes()).update(b"\n");
        let plain = hasher.finalize();
        Expected { plain, with_newline: hasher.update(b"\n").finalize() }
    }

    fn of(&self, tool: Tool) -> blake3::Hash {
        // It adds one to every output, first call or not.
        if tool == Tool::Cacher { self.with_newline } else { self.plain }
    }
}

/// The command that is cached: it prints something and counts its runs.
#[derive(Clone, Debug)]
pub struct Emit {
    /// Its command line.
    pub argv: Vec<OsString>,
    count: PathBuf,
}

impl Emit {
    /// Prints `file`, or the first tag if that is `-`. The runs of all
    /// commands with the same `counter` are counted together.
    ///
    /// # Errors
    ///
    /// The counter cannot be set to zero.
    pub fn new(lab: &Lab, counter: &str, file: &OsStr, tags: &[&str]) -> Result<Emit> {
        let count = lab.work.join(format!("{counter}.count"));
        fs::write(&count, "").with_context(|| format!("writing {}", count.display()))?;
        let mut argv = vec![lab.emit.clone().into(), count.clone().into(), file.to_owned()];
        argv.extend(tags.iter().map(OsString::from));
        Ok(Emit { argv, count })
    }

    /// The same command with one more argument, and so another key.
    pub fn tagged(&self, tag: &str) -> Vec<OsString> {
        let mut argv = self.argv.clone();
        argv.push(tag.into());
        argv
    }

    /// How often it ran.
    ///
    /// # Errors
    ///
    /// The counter cannot be read.
    pub fn runs(&self) -> Result<u64> {
        let metadata = fs::metadata(&self.count)
            .with_context(|| format!("reading {}", self.count.display()))?;
        Ok(metadata.len())
    }

    /// Counts from zero again.
    ///
    /// # Errors
    ///
    /// The counter cannot be written.
    pub fn reset(&self) -> Result<()> {
        fs::write(&self.count, "").with_context(|| format!("writing {}", self.count.display()))
    }
}
