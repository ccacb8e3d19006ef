//! `cachex doctor`: checks the store for problems, and repairs them.

use super::entries;
use crate::args::DoctorArgs;
use crate::config::{self, Vars};
use crate::ui::Progress;
use anyhow::{Context, Result};
use cachex_base::process::exit::{self, Exit};
use cachex_base::text::quote::harmless;
use cachex_store::doctor::{self, Examination, Finding, What};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// The maximum number of findings per kind in the text output; `--json` lists all.
const SHOWN: usize = 20;

/// Examines the store.
pub fn doctor(args: DoctorArgs, vars: &Vars) -> Result<Exit> {
    let dir = config::store_dir(args.cache_dir, vars)?.context(
        "there is no folder to examine: set HOME, XDG_CACHE_HOME or CACHEX_DIR, or use --cache-dir",
    )?;
    let quiet = config::is_quiet(args.quiet, vars)?;
    entries::tell_of_waits(quiet);
    let shown = Progress::show(quiet);
    let first = doctor::examine(&dir);
    let (findings, last) = if args.repair {
        doctor::mend(&dir, first)
    } else {
        (first.findings.iter().map(|finding| (finding.clone(), false)).collect(), first)
    };
    drop(shown);
    let report = Report::new(&dir, &findings, &last);
    let text = if args.json { report.json()? } else { report.text() };
    std::io::stdout().lock().write_all(text.as_bytes()).context("writing the report")?;
    Ok(if report.healthy { Exit::SUCCESS } else { Exit::Status(exit::FAILURE) })
}

/// The JSON output. docs/json.md describes the fields.
#[derive(Serialize)]
struct Report<'a> {
    store: Cow<'a, str>,
    exists: bool,
    healthy: bool,
    problems: usize,
    repaired: usize,
    notes: usize,
    whole: Whole,
    findings: Vec<Row<'a>>,
    tracing: Tracing,
}

/// The availability of tracing.
#[derive(Serialize)]
struct Tracing {
    available: bool,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Whole {
    young: u64,
    old: u64,
    blobs: u64,
    blob_bytes: u64,
}

#[derive(Serialize)]
struct Row<'a> {
    kind: &'static str,
    level: &'static str,
    path: Cow<'a, str>,
    key: Option<String>,
    means: String,
    remedy: Option<Cow<'static, str>>,
    repairable: bool,
    repaired: bool,
}

impl<'a> Report<'a> {
    fn new(dir: &'a Path, findings: &'a [(Finding, bool)], last: &Examination) -> Report<'a> {
        let rows: Vec<Row<'a>> = findings.iter().map(|(found, gone)| row(found, *gone)).collect();
        let count = |level, repaired| {
            rows.iter().filter(|row| row.level == level && row.repaired == repaired).count()
        };
        let problems = count(PROBLEM, false);
        let traced = cachex_trace::support();
        Report {
            store: dir.to_string_lossy(),
            exists: last.exists,
            healthy: problems == 0,
            problems,
            repaired: count(PROBLEM, true),
            notes: count(NOTE, false),
            whole: Whole {
                young: last.young,
                old: last.old,
                blobs: last.blobs,
                blob_bytes: last.blob_bytes,
            },
            findings: rows,
            tracing: Tracing {
                available: traced.is_ok(),
                reason: traced.err().map(|it| it.to_string()),
            },
        }
    }

    fn json(&self) -> Result<String> {
        let json = serde_json::to_string_pretty(self).context("writing the report")?;
        Ok(json + "\n")
    }

    /// Formats a line for each finding, and one for the whole store.
    fn text(&self) -> String {
        let mut lines = Vec::new();
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for row in &self.findings {
            let label = if row.repaired { "repaired" } else { row.level };
            let count = counts.entry((label, row.kind)).or_default();
            *count += 1;
            if *count <= SHOWN {
                lines.push(format!("{label}: {}", row.line()));
            }
        }
        for ((label, kind), count) in counts.into_iter().filter(|(_, count)| *count > SHOWN) {
            lines.push(format!("{label}: {} more of kind {kind}", count - SHOWN));
        }
        lines.push(match &self.tracing.reason {
            None => "tracing: works here".to_owned(),
            Some(why) => format!("tracing: does not work here: {why}"),
        });
        lines.push(format!("{}: {}{}", harmless(&self.store), self.verdict(), self.whole()));
        lines.join("\n") + "\n"
    }

    fn verdict(&self) -> String {
        let mut said = Vec::new();
        if self.repaired > 0 {
            said.push(format!("{} repaired", counted(self.repaired, PROBLEM)));
        }
        if self.problems > 0 {
            let left = if self.repaired > 0 { " left" } else { "" };
            said.push(format!("{}{left}", counted(self.problems, PROBLEM)));
        }
        if said.is_empty() {
            said.push(if self.exists { "no problems" } else { "nothing here yet" }.to_owned());
        }
        if self.notes > 0 {
            said.push(counted(self.notes, NOTE));
        }
        said.join(", ")
    }

    fn whole(&self) -> String {
        if !self.exists {
            return String::new();
        }
        let Whole { young, old, blobs, blob_bytes } = self.whole;
        let blobs = counted(blobs as usize, "blob");
        let size = size(blob_bytes);
        format!("; intact: {young} young and {old} old entries, {blobs} ({size})")
    }
}

impl Row<'_> {
    fn line(&self) -> String {
        let mut line = if self.path.is_empty() { ".".into() } else { harmless(&self.path) };
        if let Some(key) = &self.key {
            line = format!("{line} {key:.12}").into();
        }
        let mut line = format!("{line}: {}", harmless(&self.means));
        if let Some(remedy) = &self.remedy
            && !self.repaired
        {
            line += if self.repairable { "; --repair " } else { "; " };
            line += remedy;
        }
        line
    }
}

const PROBLEM: &str = "problem";
const NOTE: &str = "note";

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn row(finding: &Finding, repaired: bool) -> Row<'_> {
    let remedy = remedy(&finding.what);
    Row {
        kind: kind(&finding.what),
        level: if finding.what.is_problem() { PROBLEM } else { NOTE },
        path: finding.path.to_string_lossy(),
        key: finding.key.map(|key| key.to_string()),
        means: means(&finding.what).into_owned(),
        repairable: matches!(remedy, Remedy::Repair(_)),
        remedy: match remedy {
            Remedy::Repair(does) => Some(does),
            Remedy::Advice(advice) => Some(advice.into()),
            Remedy::Nothing => None,
        },
        repaired,
    }
}

fn kind(what: &What) -> &'static str {
    match what {
        What::Unusable(_) => "unusable",
        What::Owner(_) => "owner",
        What::Mode { .. } => "mode",
        What::Type { .. } => "type",
        What::Unreadable(_) => "unreadable",
        What::DamagedEntry => "entry-damaged",
        What::UselessEntry => "entry-without-output",
        What::DamagedBlob => "blob-damaged",
        What::Orphan(_) => "blob-unneeded",
        What::Leftover => "leftover",
        What::InProgress => "in-progress",
        What::SetAside => "database-set-aside",
        What::BrokenDatabase => "database-damaged",
        What::Database(_) => "database-unexamined",
        What::NoFilter => "filter-missing",
        What::DamagedFilter => "filter-damaged",
        What::WrongFilter(_) => "filter-incomplete",
        What::DamagedLog(_) => "events-damaged",
        What::HeldLock(_) => "lock-held",
        What::IdleLock => "lock-idle",
        What::RemotePaused(_) => "remote-paused",
        What::Unsent { .. } => "remote-unsent",
        What::Busy => "busy",
        What::OtherVersion(_) => "other-version",
        What::Unknown => "unknown",
        What::RepairFailed(_) => "repair-failed",
    }
}

fn size(bytes: u64) -> String {
    bytesize::ByteSize::b(bytes).display().iec().to_string()
}

fn means(what: &What) -> Cow<'static, str> {
    let text = match what {
        What::Unusable(why) => return format!("the store is not used: {why}").into(),
        What::Owner(user) => {
            return format!("it belongs to another user ({user}) and is not trusted").into();
        }
        What::Mode { mode, .. } => {
            let who = match mode {
                mode if mode & 0o022 != 0 => "others may write to it",
                mode if mode & 0o077 != 0 => "others may read it",
                _ => "its owner may not use it",
            };
            return format!("{who} (mode {mode:04o})").into();
        }
        What::Type { .. } => "it is a folder, a link or a pipe where something else should be",
        What::Unreadable(why) => return format!("it cannot be read: {why}").into(),
        What::DamagedEntry => "the entry is damaged and is never served",
        What::UselessEntry => "the entry's output is gone or damaged, so it is never served",
        What::DamagedBlob => "recorded output is damaged and is never served",
        What::Orphan(bytes) => {
            return format!("no entry needs this output ({}); a fold will remove it", size(*bytes))
                .into();
        }
        What::Leftover => "a process that died left it behind; a fold will remove it",
        What::InProgress => "it is being written, or was until just now",
        What::SetAside => "a damaged database that was set aside, for a look at it",
        What::BrokenDatabase => "the database of old entries is damaged",
        What::Database(why) => {
            return format!("the database of old entries could not be examined: {why}").into();
        }
        What::NoFilter => "the filter is missing, so every miss opens the database",
        What::DamagedFilter => "the filter is damaged, so old entries may not be found",
        What::WrongFilter(count) => {
            let entries = if *count == 1 { "entry" } else { "entries" };
            return format!("the filter keeps {count} old {entries} from being found").into();
        }
        What::DamagedLog(bytes) => {
            return format!("{bytes} bytes of the log of hits are damaged and ignored").into();
        }
        What::HeldLock(Some((pid, true))) => {
            return format!("process {pid} holds this lock and is alive").into();
        }
        What::HeldLock(Some((pid, false))) => {
            return format!("somebody holds this lock; process {pid}, which signed it, is gone")
                .into();
        }
        What::HeldLock(None) => "a process that cannot be named holds this lock",
        What::IdleLock => "nobody holds this lock",
        What::RemotePaused(why) => {
            return format!("a remote store failed and is left alone for a minute: {why}").into();
        }
        What::Unsent { entries, why } => {
            let results = counted(*entries as usize, "result");
            return format!("{results} could not be sent to a remote store yet: {why}").into();
        }
        What::Busy => "the store is being changed, so these findings may be temporary",
        What::OtherVersion(bytes) => {
            return format!("the store of another version ({}), left alone", size(*bytes)).into();
        }
        What::Unknown => "not cachex's, left alone",
        What::RepairFailed(why) => return format!("the repair was not finished: {why}").into(),
    };
    text.into()
}

/// The remedy for a finding.
enum Remedy {
    /// `--repair` does this.
    Repair(Cow<'static, str>),
    /// The user does this.
    Advice(&'static str),
    Nothing,
}

fn remedy(what: &What) -> Remedy {
    use Remedy::{Advice, Nothing};
    let repair = match what {
        What::Unusable(_) => {
            return Advice("make it a folder of your own, or name another with --cache-dir");
        }
        What::Owner(_) => {
            return Advice("change its owner with chown, or name another folder with --cache-dir");
        }
        What::Mode { wanted: Some(wanted), .. } => {
            return Remedy::Repair(format!("makes it {wanted:04o}").into());
        }
        What::Mode { wanted: None, .. } => {
            return Advice("`chmod go-w` makes it private, if nobody else needs it");
        }
        What::Type { removable: false } => return Advice("move it away"),
        What::Unreadable(_) => return Advice("check its permissions and the disk"),
        What::RemotePaused(_) | What::Unsent { .. } => {
            return Advice("`cachex remote check` says more");
        }
        What::OtherVersion(_) => return Advice("remove it if no such version is used any more"),
        What::Database(_) | What::Busy => return Advice("try again later"),
        What::InProgress | What::HeldLock(_) | What::Unknown | What::RepairFailed(_) => {
            return Nothing;
        }
        What::BrokenDatabase => "sets it aside; young entries stay",
        What::NoFilter | What::DamagedFilter | What::WrongFilter(_) => "rebuilds it",
        What::DamagedLog(_) => "keeps the rest and removes it",
        What::Type { removable: true }
        | What::DamagedEntry
        | What::UselessEntry
        | What::DamagedBlob
        | What::Orphan(_)
        | What::Leftover
        | What::SetAside
        | What::IdleLock => "removes it",
    };
    Remedy::Repair(repair.into())
}
