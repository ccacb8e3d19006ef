//! The list of a traced command's files, in each output format.

use crate::args::{TraceArgs, TraceFormat};
use crate::ui;
use cachex_base::text::quote::{self, Credentials};
use cachex_trace::{Change, Report};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// The folders whose files are omitted unless `--all` is given.
const SYSTEM: [&str; 15] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/etc",
    "/dev",
    "/proc",
    "/sys",
    "/run",
];

/// The list. Paths below the working directory are relative to it.
pub struct List<'a> {
    report: &'a Report,
    here: Vec<u8>,
    all: bool,
}

/// The output of `--format json`. docs/trace.md describes the fields.
#[derive(Serialize)]
struct Json<'a> {
    command: Vec<Cow<'a, str>>,
    recordable: bool,
    reason: Option<String>,
    read: Vec<Cow<'a, str>>,
    absent: Vec<Cow<'a, str>>,
    listed: Vec<Cow<'a, str>>,
    written: Vec<JsonWritten<'a>>,
    facts: usize,
    events: u64,
}

#[derive(Serialize)]
struct JsonWritten<'a> {
    path: Cow<'a, str>,
    change: &'static str,
}

impl<'a> List<'a> {
    /// Creates the list of a run, with or without system files.
    pub fn new(report: &'a Report, all: bool) -> List<'a> {
        List { report, here: super::working_directory(), all }
    }

    /// Formats the list as the options say.
    pub fn text(&self, args: &TraceArgs) -> Vec<u8> {
        if args.declare {
            return self.declaration(args);
        }
        match args.format {
            TraceFormat::Text => self.lines(),
            TraceFormat::Json => self.json(args),
            TraceFormat::Make => self.rule(Names::Make),
            TraceFormat::Ninja => self.rule(Names::Ninja),
        }
    }

    fn lines(&self) -> Vec<u8> {
        let mut text = String::new();
        let mut line = |what: &str, path: &[u8], more: &str| {
            let _ = writeln!(text, "{what:<8} {}{more}", quote::word(path));
        };
        self.read().for_each(|path| line("read", path, ""));
        self.listed().for_each(|path| line("listed", path, ""));
        self.absent().for_each(|path| line("absent", path, ""));
        for (path, change) in self.written() {
            line("written", path, &format!(" ({})", name_of(change)));
        }
        text.into_bytes()
    }

    fn json(&self, args: &'a TraceArgs) -> Vec<u8> {
        let texts = |paths: &mut dyn Iterator<Item = &'a [u8]>| -> Vec<Cow<'a, str>> {
            paths.map(String::from_utf8_lossy).collect()
        };
        let reason = self.report.refusal.as_ref().map(ToString::to_string);
        let json = Json {
            command: args.command.iter().map(|arg| arg.to_string_lossy()).collect(),
            recordable: reason.is_none(),
            reason,
            read: texts(&mut self.read()),
            absent: texts(&mut self.absent()),
            listed: texts(&mut self.listed()),
            written: self
                .written()
                .map(|(path, change)| JsonWritten {
                    path: String::from_utf8_lossy(path),
                    change: name_of(change),
                })
                .collect(),
            facts: self.report.facts.len(),
            events: self.report.events,
        };
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = ui::json(&mut text, &json);
        text
    }

    /// Formats a rule: the written files depend on those read. For make, each prerequisite also
    /// becomes a target, so that a missing file is no error.
    fn rule(&self, names: Names) -> Vec<u8> {
        let targets: Vec<Vec<u8>> =
            self.targets().filter_map(|path| names.escaped(path, Place::Target)).collect();
        if targets.is_empty() {
            return match names {
                Names::Make => b"# nothing was written\n".to_vec(),
                // A depfile has no comments.
                Names::Ninja => Vec::new(),
            };
        }
        let mut text = targets.join(&b" "[..]);
        text.push(b':');
        for path in self.prerequisites().filter_map(|it| names.escaped(it, Place::Prerequisite)) {
            text.extend([b" \\\n  ", &path[..]].concat());
        }
        text.push(b'\n');
        if names == Names::Make {
            for path in self.prerequisites().filter_map(|it| names.escaped(it, Place::Target)) {
                text.extend([b"\n", &path[..], b":\n"].concat());
            }
        }
        text
    }

    /// Returns the files that a rule would name and cannot.
    pub fn unnamed(&self, args: &TraceArgs) -> Vec<&'a [u8]> {
        let names = match args.format {
            TraceFormat::Make => Names::Make,
            TraceFormat::Ninja => Names::Ninja,
            TraceFormat::Text | TraceFormat::Json => return Vec::new(),
        };
        let all = self.targets().chain(self.prerequisites());
        all.filter(|path| names.escaped(path, Place::Target).is_none()).collect()
    }

    fn targets(&self) -> impl Iterator<Item = &'a [u8]> {
        self.written().filter(|(_, change)| *change != Change::Removed).map(|(path, _)| path)
    }

    fn prerequisites(&self) -> impl Iterator<Item = &'a [u8]> {
        let written: BTreeSet<&[u8]> = self.written().map(|(path, _)| path).collect();
        self.read().filter(move |path| !written.contains(path))
    }

    fn declaration(&self, args: &TraceArgs) -> Vec<u8> {
        let mut line: Vec<Vec<u8>> = vec![b"cachex".into(), b"run".into()];
        let mut declare = |option: &str, pattern: Vec<u8>| {
            line.push(option.into());
            line.push(pattern);
        };
        for folder in self.listed() {
            let slash: &[u8] = if folder == b"." { b"" } else { b"/" };
            let folder = if folder == b"." { Vec::new() } else { pattern(folder) };
            declare("--input", [&folder[..], slash, b"*"].concat());
        }
        self.read().for_each(|path| declare("--input", pattern(path)));
        for (path, _) in self.written().filter(|(_, change)| *change != Change::Removed) {
            declare("--output", pattern(path));
        }
        line.push(b"--".into());
        line.extend(args.command.iter().map(|arg| arg.as_bytes().to_vec()));
        // The line is meant to be run, so it is not masked.
        let line = Credentials::Revealed.line(line.iter().map(Vec::as_slice));
        (line + "\n").into_bytes()
    }

    fn read(&self) -> impl Iterator<Item = &'a [u8]> {
        self.report.read.iter().filter_map(|path| self.shown(path))
    }

    fn listed(&self) -> impl Iterator<Item = &'a [u8]> {
        self.report.listed().filter_map(|path| self.shown(path))
    }

    fn absent(&self) -> impl Iterator<Item = &'a [u8]> {
        // A created file is listed as such.
        let written: BTreeSet<&[u8]> = self.report.written.iter().map(|it| &it.path[..]).collect();
        let absent = self.report.absent().filter(move |path| !written.contains(path));
        absent.filter_map(|path| self.shown(path))
    }

    fn written(&self) -> impl Iterator<Item = (&'a [u8], Change)> {
        self.report.written.iter().map(|it| (self.relative(&it.path), it.change))
    }

    /// Returns the path as shown, or none if it is omitted.
    fn shown(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        let relative = self.relative(path);
        let is_system = || {
            SYSTEM.iter().any(|folder| {
                let rest = path.strip_prefix(folder.as_bytes());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            })
        };
        let is_shown = self.all || relative.len() < path.len() || !is_system();
        is_shown.then_some(relative)
    }

    fn relative(&self, path: &'a [u8]) -> &'a [u8] {
        match path.strip_prefix(&self.here[..]) {
            Some(b"") => b".",
            Some([b'/', rest @ ..]) if !rest.is_empty() => rest,
            _ => path,
        }
    }
}

fn name_of(change: Change) -> &'static str {
    match change {
        Change::Created => "created",
        Change::Modified => "modified",
        Change::Touched => "touched",
        Change::Removed => "removed",
    }
}

/// What reads a rule, and how names are written for it.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    Make,
    Ninja,
}

/// The place of a name in a rule.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Target,
    Prerequisite,
}

impl Names {
    /// Escapes a path; none if that is not possible.
    fn escaped(self, path: &[u8], place: Place) -> Option<Vec<u8>> {
        let has = |pair: &[u8]| path.windows(2).any(|it| it == pair);
        let is_nameable = !path.iter().any(u8::is_ascii_control)
            && !matches!(path, [.., b' ' | b'\\'])
            && match self {
                // Assignments, recipes, order-only prerequisites, members of archives, groups of
                // targets and home folders.
                Names::Make => {
                    !path.iter().any(|byte| b"=;|()&".contains(byte))
                        && !path.starts_with(b"~")
                        && !has(b"\\%")
                }
                // Anything else ends a name in some version.
                Names::Ninja => {
                    let is_plain = |byte: &u8| {
                        byte.is_ascii_alphanumeric()
                            || !byte.is_ascii()
                            || b" !#$%()+,-./:=@[\\]_{}~".contains(byte)
                    };
                    path.iter().all(is_plain) && !path.ends_with(b":") && !has(b"\\:")
                }
            };
        let is_special = |byte: &u8| match self {
            Names::Make if place == Place::Target && *byte == b'%' => true,
            Names::Make => b" #:*?[".contains(byte),
            Names::Ninja => b" #".contains(byte),
        };
        // Of the backslashes before what is special, two stand for one, but not before ninja's `#`.
        let are_doubled = |byte: u8| self == Names::Make || byte == b' ';
        let mut text = Vec::with_capacity(path.len());
        let mut backslashes = 0;
        for byte in path {
            if is_special(byte) {
                let more = if are_doubled(*byte) { backslashes } else { 0 };
                text.extend(std::iter::repeat_n(b'\\', more + 1));
            }
            backslashes = if *byte == b'\\' { backslashes + 1 } else { 0 };
            text.push(*byte);
            if *byte == b'$' {
                text.push(b'$');
            }
        }
        is_nameable.then_some(text)
    }
}

/// Returns a pattern that matches this path alone.
fn pattern(path: &[u8]) -> Vec<u8> {
    let escaped = glob::Pattern::escape(&String::from_utf8_lossy(path)).into_bytes();
    if escaped.starts_with(b"!") { [b"./", &escaped[..]].concat() } else { escaped }
}
