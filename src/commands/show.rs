//! `cachex show`: shows everything about one result, or its output.

use super::entries::{self, Entries, Listed, Settings};
use crate::args::ShowArgs;
use crate::config::Vars;
use crate::run::Closed;
use crate::run::replay::Replay;
use crate::ui::{self, Credentials, Screen, Tone};
use anyhow::{Context, Result, bail};
use cachex_base::process::exit::{self, Exit};
use cachex_base::record::entry::Entry;
use cachex_base::record::frames::Stream;
use cachex_base::record::manifest::{Item, Manifest, What};
use cachex_base::streams::messages;
use cachex_base::system::clock::Timestamp;
use cachex_store::blobs;
use cachex_store::components;
use cachex_store::metadata::EntryMetadata;
use cachex_store::remote::origin::Origin;
use serde::Serialize;
use std::io::Write;
use std::time::Duration;

/// Shows an entry.
pub fn show(args: &ShowArgs, vars: &Vars, closed: Closed) -> Result<Exit> {
    let named = args.named.clone();
    let settings = match Settings::of("show", named, args.store.clone(), args.command.clone(), vars)
    {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    let mut nearest = None;
    let digits = if let Some(prefix) = &args.prefix {
        prefix.0.clone()
    } else {
        let named = settings.name(vars, closed)?;
        nearest = named.nearest;
        named.key.to_string()
    };
    let absent = || {
        let why = match args.prefix {
            Some(_) => format!("no entry has a key that begins with {digits}"),
            None => format!("no run of this command is recorded (key {digits})"),
        };
        messages::error(format_args!("{why}"));
        if let Some(nearest) = &nearest {
            messages::tip(nearest);
        }
        Ok(Exit::Status(exit::FAILURE))
    };
    let Some(root) = settings.store()? else { return absent() };
    let stored = Entries::readable(&root, settings.messages());
    let mut found = stored.beginning_with(&digits, entries::CANDIDATES)?;
    if found.len() > 1 {
        return Ok(entries::ambiguous("show", &digits, &found));
    }
    let Some((entry, facts)) = found.pop() else { return absent() };
    let replay = Replay::prepare(&root, entry.clone()).context("reading its output")?;
    let only = match (args.stdout, args.stderr) {
        (true, _) => Some(Stream::Stdout),
        (_, true) => Some(Stream::Stderr),
        _ => None,
    };
    if only.is_some() || args.replay {
        let Some(mut replay) = replay else {
            bail!("its output is damaged or gone; the next call runs the command again");
        };
        let played = match only {
            Some(stream) => replay.play_stream(stream),
            None => replay.play(),
        };
        played.context("printing its output")?;
        return Ok(Exit::SUCCESS);
    }
    let young = stored.is_young(&entry.key);
    let old = stored.is_folded() || !young;
    let files = match entry.manifest() {
        Some(manifest) => blobs::manifest(&root, &manifest).context("reading the list of files")?,
        None => None,
    };
    let whole = replay.is_some() && blobs::has_files(&root, &entry).context("reading its files")?;
    let sizes = replay.map(|replay| replay.sizes());
    let credentials = Credentials::reveal(args.reveal);
    let about = About { entry, facts, sizes, files, whole, young, old, credentials };
    let screen = Screen::of_stdout();
    ui::show(screen, vars, !args.no_pager && !args.json, |out| {
        if args.json { ui::json(out, &about.shown()) } else { about.tell(screen, out) }
    })?;
    Ok(Exit::SUCCESS)
}

const GONE: &str = "damaged or gone; the next call runs the command again";

/// The facts about the entry.
struct About {
    entry: Entry,
    facts: EntryMetadata,
    /// The bytes of both streams; none if they are damaged.
    sizes: Option<[u64; 2]>,
    /// The list of the files it left behind, if there is one and it is whole.
    files: Option<Manifest>,
    /// True if everything that is replayed of it is there.
    whole: bool,
    /// True if it has a file of its own, among the young.
    young: bool,
    /// True if it is in the database.
    old: bool,
    /// The treatment of credentials in its command line.
    credentials: Credentials,
}

/// The entry in JSON. The field names are public: see docs/json.md.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    listed: Listed,
    stdout_bytes: Option<u64>,
    stderr_bytes: Option<u64>,
    outputs: Option<Vec<Output>>,
    origin: Option<Origin>,
    whole: bool,
    young: bool,
    old: bool,
}

/// The output at a declared path. The field names are public: see docs/json.md.
#[derive(Serialize)]
struct Output {
    path: String,
    kind: &'static str,
    bytes: Option<u64>,
    mode: Option<String>,
    target: Option<String>,
}

impl Output {
    fn of(item: &Item) -> Output {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (kind, bytes, mode, target) = match &item.what {
            What::Absent { .. } => ("absent", None, None, None),
            What::Folder { mode } => ("folder", None, Some(mode), None),
            What::Symlink { target } => ("symlink", None, None, Some(text(target))),
            What::File { mode, blob } => ("file", Some(blob.len), Some(mode), None),
            What::Name { of } => ("name", None, None, Some(text(of))),
            What::LeftAlone { blob } => ("left-alone", Some(blob.len), None, None),
        };
        let mode = mode.map(|mode| format!("{:04o}", mode & 0o7777));
        Output { path: text(&item.path), kind, bytes, mode, target }
    }
}

/// Formats an output path for people.
fn output_line(item: &Item) -> String {
    let path = ui::word(&item.path);
    match &item.what {
        What::Absent { .. } => format!("{path} (absent)"),
        What::Folder { .. } => format!("{path} (folder)"),
        What::Symlink { target } => format!("{path} -> {}", ui::word(target)),
        What::File { blob, .. } => format!("{path} ({})", ui::bytes(blob.len)),
        What::Name { of } => format!("{path} = {}", ui::word(of)),
        What::LeftAlone { .. } => format!("{path} (left alone)"),
    }
}

impl About {
    fn shown(&self) -> Shown {
        Shown {
            listed: Listed::of(&self.entry, &self.facts, Timestamp::now(), self.credentials),
            stdout_bytes: self.sizes.map(|[stdout, _]| stdout),
            stderr_bytes: self.sizes.map(|[_, stderr]| stderr),
            outputs: self.files.as_ref().map(|list| list.items.iter().map(Output::of).collect()),
            origin: Origin::of_parts(&self.entry.parts),
            whole: self.whole,
            young: self.young,
            old: self.old,
        }
    }

    fn tell(&self, screen: Screen, out: &mut dyn Write) -> Result<()> {
        let now = Timestamp::now();
        let Entry { key, created, status, run_time, about, .. } = &self.entry;
        let when = |time: Timestamp| match now.since(time) {
            Some(age) => format!("{} ({} ago)", ui::date(time), ui::coarse(age)),
            None => format!("{} (in the future)", ui::date(time)),
        };
        let mut field = |name: &str, value: &str| {
            let name = screen.paint(Tone::Heading, &format!("{name:<10}"));
            writeln!(out, "{name} {}", cachex_base::text::quote::harmless(value))
        };
        field("key", &key.to_string())?;
        field("command", &self.credentials.line(about.words()))?;
        if about.cut {
            field("", "… (the rest was too long to be kept)")?;
        }
        let cwd = about.cwd.as_ref().map(|cwd| ui::word(cwd));
        field("directory", cwd.as_deref().unwrap_or("any"))?;
        if let Some(scope) = &about.scope {
            field("scope", &ui::word(scope.as_bytes()))?;
        }
        if !about.tags.is_empty() {
            field("tags", &about.tags.join(", "))?;
        }
        if components::facts_of(&self.entry.parts).is_some() {
            let why = format!("yes, `cachex inputs {}` lists what it read", messages::short(key));
            field("automatic", &why)?;
        }
        field("recorded", &when(*created))?;
        if let Some(origin) = Origin::of_parts(&self.entry.parts) {
            field("sent by", &origin.words())?;
        }
        field(
            "expires",
            &match self.entry.expires() {
                None => "never".to_owned(),
                Some(time) => format!("{} ({})", ui::date(time), ui::expiry(now, Some(time))),
            },
        )?;
        field("status", &status.to_string())?;
        field("run time", &cachex_base::text::quote::rounded(Duration::from_nanos(*run_time)))?;
        field("hits", &self.facts.hits.to_string())?;
        field("last used", &when(Timestamp(self.facts.last_use)))?;
        match self.sizes {
            Some([stdout, stderr]) => {
                field("stdout", &ui::bytes(stdout))?;
                field("stderr", &ui::bytes(stderr))?;
            }
            None => field("output", GONE)?,
        }
        if let Some(outputs) = self.entry.outputs {
            let files = ui::count(outputs.files, "file", "files");
            let gone = if self.sizes.is_some() && !self.whole { GONE } else { "" };
            let comma = if gone.is_empty() { "" } else { ": " };
            field("outputs", &format!("{files}, {}{comma}{gone}", ui::bytes(outputs.bytes)))?;
            for item in self.files.iter().flat_map(|list| &list.items) {
                field("", &output_line(item))?;
            }
        }
        let place = match (self.young, self.old) {
            (true, true) => "in the database, and in a young file",
            (true, false) => "in a young file",
            (false, _) => "in the database",
        };
        field("stored", &format!("{} {place}", ui::bytes(self.facts.size)))?;
        Ok(())
    }
}
