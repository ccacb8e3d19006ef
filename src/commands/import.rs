//! `cachex import`: adds the results of an archive to the store.
//!
//! An archive is read twice (see [`cachex_store::archive::intake`]). Input that can be read only
//! once is therefore kept in an unnamed file during the first reading.

use super::entries::Settings;
use super::misused;
use crate::args::{ImportArgs, NamedArgs};
use crate::config::Vars;
use crate::run;
use crate::ui;
use anyhow::{Context, Result, anyhow, bail};
use cachex_base::process::exit::{self, Exit};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::progress::{self, Stage};
use cachex_base::system::signals;
use cachex_store::Root;
use cachex_store::archive::contents::Contents;
use cachex_store::archive::intake::{self, Choice, Recorded, Staged, Tally};
use cachex_store::archive::{Reader, Refused};
use cachex_store::db_client;
use cachex_store::guard::SetAside;
use cachex_store::lock::{self, Lock, Mode};
use cachex_store::remote::rules::{self, Rules};
use cachex_store::room::Room;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use zstd::stream::read::Decoder;

/// Imports an archive.
pub fn import(args: &ImportArgs, vars: &Vars) -> Result<Exit> {
    let named = NamedArgs::default();
    let mut settings = match Settings::of("import", named, args.store.clone(), Vec::new(), vars) {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    // An archive may hold more than the store may take, where much of it is left out.
    let limit = args.max_size.unwrap_or(settings.config.max_size);
    settings.config.max_size = settings.config.max_size.min(limit);
    let is_stdin = args.file.as_os_str() == "-";
    if is_stdin && rustix::termios::isatty(rustix::stdio::stdin()) {
        let why = "standard input is a terminal, not an archive";
        return Ok(misused("import", exit::USAGE, why));
    }
    signals::outlive_file_limit();
    let name = if is_stdin { "-".into() } else { args.file.to_string_lossy() };
    let shown = ui::Progress::show(settings.config.quiet);
    let tally =
        work(args, limit, &settings).map_err(|error| match error.downcast_ref::<Refused>() {
            Some(refused) => {
                anyhow!("{}: {refused}; nothing was imported", ui::word(name.as_bytes()))
            }
            None => error.context(format!("importing from {}", ui::word(name.as_bytes()))),
        })?;
    drop(shown);
    let done = Done::of(args.transfer.dry_run, tally);
    done.tell(&mut io::stdout().lock(), args.transfer.json, settings.config.quiet)?;
    Ok(Exit::SUCCESS)
}

fn work(args: &ImportArgs, limit: u64, settings: &Settings) -> Result<Tally> {
    let (most, longest) = (settings.config.max_size, settings.config.max_entry_size);
    let rules = settings.store()?.map(|root| rules::all(&root)).unwrap_or_default();
    let (archive, contents) = Archive::open(&args.file, limit, &rules)?;
    let now = Timestamp::now();
    if args.transfer.dry_run {
        let recorded = match settings.store()? {
            Some(root) => intake::recorded(&root, &contents, now)?,
            None => Recorded::new(),
        };
        return Ok(Choice::of(&contents, &recorded, longest, now).tally);
    }
    let root = run::open_store(settings.config.dir.as_ref())?;
    progress::begin(Stage::Waiting, None);
    let folding =
        Lock::wait(&root, lock::FOLD, Mode::Exclusive).context("waiting for the store")?;
    let recorded = recorded(&root, &contents, now, settings)?;
    let choice = Choice::of(&contents, &recorded, longest, now);
    let mut tally = choice.tally;
    if tally.imported > 0 {
        let mut room = Room::within(&root, most);
        let archive = archive.read(Stage::Importing)?;
        let staged = Staged::of(&root, archive, &contents, &choice, &mut room)?;
        let outrun = staged.publish(now)?;
        room.settle(tally.taken);
        tally.imported -= outrun;
        tally.present += outrun;
        drop(folding);
        // The fold brings the store back within its bounds.
        let _ = db_client::start_fold(root.path(), &settings.config.bounds());
    }
    Ok(tally)
}

/// Returns the archive's entries that the store already has. A damaged database has none.
fn recorded(
    root: &Root,
    contents: &Contents,
    now: Timestamp,
    settings: &Settings,
) -> Result<Recorded> {
    intake::recorded(root, contents, now).or_else(|error| {
        let set_aside = error.downcast_ref::<SetAside>();
        set_aside.map(|name| settings.messages().warn(format_args!("{name}"))).ok_or(error)?;
        intake::recorded(root, contents, now)
    })
}

/// An archive that can be read repeatedly.
struct Archive {
    file: File,
    /// The offset at which the archive begins.
    start: u64,
    limit: u64,
}

type Unpacking<'a> = Reader<Decoder<'static, BufReader<Watched<'a>>>>;

impl Archive {
    /// Opens an archive and reads it once. Input that can be read only once is kept as far as it
    /// proves to be an archive.
    fn open(path: &Path, limit: u64, rules: &Rules) -> Result<(Archive, Contents)> {
        let mut file = if path.as_os_str() == "-" {
            File::from(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?)
        } else {
            File::open(path)?
        };
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            bail!("it is a folder");
        }
        if metadata.is_file() {
            let start = file.stream_position()?;
            let archive = Archive { file, start, limit };
            let contents = Contents::read(archive.read(Stage::Verifying)?, rules)?;
            return Ok((archive, contents));
        }
        progress::begin(Stage::Verifying, None);
        let kept = tempfile::tempfile().context("creating a temporary file")?;
        // The compressed archive is hardly longer than its contents.
        let most = limit.saturating_add(limit / 64).saturating_add(1 << 20);
        let mut room = most;
        let keeping = Keeping { from: file, to: &kept, room: &mut room };
        let contents = Reader::new(keeping, limit).and_then(|it| Contents::read(it, rules));
        match contents {
            Err(error) if error.is::<Refused>() && room == 0 => {
                Err(Refused::TooLarge(limit).into())
            }
            contents => Ok((Archive { file: kept, start: 0, limit }, contents?)),
        }
    }

    /// Reads the archive from its beginning.
    fn read(&self, stage: Stage) -> Result<Unpacking<'_>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.start))?;
        progress::begin(stage, file.metadata()?.len().saturating_sub(self.start));
        Reader::new(Watched(file), self.limit)
    }
}

/// A reader for input that can be read only once, which keeps what it read.
struct Keeping<'a> {
    from: File,
    to: &'a File,
    /// The number of bytes that may still be kept.
    room: &'a mut u64,
}

impl Read for Keeping<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = bytes.len().min(usize::try_from(*self.room).unwrap_or(usize::MAX));
        if most == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let n = self.from.read(&mut bytes[..most])?;
        self.to.write_all(&bytes[..n])?;
        *self.room -= n as u64;
        Ok(n)
    }
}

/// A file that reports its progress.
struct Watched<'a>(&'a File);

impl Read for Watched<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(bytes)?;
        progress::advance(n as u64);
        Ok(n)
    }
}

/// The summary. The field names are public: see docs/json.md.
#[derive(Serialize)]
struct Done {
    dry_run: bool,
    imported: u64,
    replaced: u64,
    blobs: u64,
    bytes: u64,
    skipped: Skipped,
}

/// Entries that were not imported.
#[derive(Serialize)]
struct Skipped {
    present: u64,
    expired: u64,
    invalid: u64,
    future: u64,
    too_large: u64,
}

impl Done {
    fn of(dry_run: bool, tally: Tally) -> Done {
        let Tally { imported, replaced, blobs, bytes, .. } = tally;
        let Tally { present, expired, invalid, future, too_large, .. } = tally;
        let skipped = Skipped { present, expired, invalid, future, too_large };
        Done { dry_run, imported, replaced, blobs, bytes, skipped }
    }

    fn tell(&self, out: &mut dyn Write, json: bool, quiet: bool) -> Result<()> {
        if json {
            return ui::json(out, self);
        }
        if quiet {
            return Ok(());
        }
        let would = if self.dry_run { "would be " } else { "" };
        let entries = ui::count(self.imported, "entry", "entries");
        let size = match self.bytes {
            0 => String::new(),
            bytes => format!(", {}", ui::bytes(bytes)),
        };
        let replaced = match self.replaced {
            0 => String::new(),
            count => format!(" ({count} in place of an earlier one)"),
        };
        let Skipped { present, expired, invalid, future, too_large } = self.skipped;
        let skipped = ui::skipped(&[
            (present, "there already"),
            (expired, "expired"),
            (invalid, "invalidated by `cachex remote invalidate`"),
            (future, "from the future"),
            (too_large, "beyond --max-entry-size"),
        ]);
        writeln!(out, "{entries} {would}imported{replaced}{size}{skipped}").context("telling")
    }
}
