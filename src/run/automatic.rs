//! Automatic calls, whose key includes what the command reads.
//!
//! A miss is traced, and recorded under a key derived from what the run read. A look-up derives
//! that key from the current state, see [`cachex_store::path_sets`]. A run that cannot be traced,
//! or that did something a trace does not cover, is shown and not recorded.

mod there;
pub(super) mod ties;

use super::record::Recorded;
use super::{Call, Hit, Missed, Runner};
use crate::config::{Auto, var};
use crate::files::outputs::{Area, traced};
use crate::key::descriptors::Inherited;
use cachex_base::record::entry::{Entry, Key};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::stamp;
use cachex_base::text::quote;
use cachex_base::text::values::{AutoOutputs, AutoQuirks, AutoTimes, Mode, PathPattern};
use cachex_store::events::Reason;
use cachex_store::path_sets::{Ground, PathSet, PathSets, Ties};
use cachex_store::{self as store, Root};
use cachex_trace::{
    Change, Fact, Hook, Jobserver, Keepers, Report, Settings, Times, Tracer, Written,
};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rustix::fd::BorrowedFd;
use rustix::fs::FileType;
use rustix::stdio::{stderr, stdout};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A run that is traced.
pub(super) struct Tracing {
    tracer: Tracer,
    /// The time at which it began.
    began: i64,
}

/// The dependencies and outputs of a traced run.
pub(super) struct Traced {
    /// The outputs that no `--output` names.
    pub written: Vec<traced::Written>,
    facts: Vec<Fact>,
    /// The time at which the run began.
    began: i64,
    /// The place of the run, if it is portable.
    ground: Option<Rc<Ground>>,
    /// The places in which its result is valid.
    ties: Ties,
    found: Found,
}

/// The key and path set by which the entry of a traced run is found.
pub(super) struct Findable {
    /// Its key.
    pub key: Key,
    set: PathSet,
    found: Found,
}

/// Counts of what a run read and wrote, for display.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The number of facts.
    pub facts: usize,
    read: usize,
    absent: usize,
    listed: usize,
    written: usize,
}

/// Describes how a hit was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matched {
    /// The number of facts that were unchanged.
    pub facts: usize,
    /// The time taken to check them.
    pub took: Duration,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { read, absent, listed, written, .. } = self;
        let files = if *read == 1 { "file" } else { "files" };
        write!(f, "{read} {files} read, {absent} absent, {listed} listed, {written} written")
    }
}

impl Tracing {
    /// Returns the hook that the new process runs.
    pub(super) fn hook(&self) -> Hook {
        self.tracer.hook()
    }
}

impl Runner<'_> {
    /// Returns whether the call is automatic.
    pub(super) fn is_automatic(&self) -> bool {
        self.config.identity.auto.is_some()
    }

    /// Returns the path sets known for a key.
    pub(super) fn recall(&self, root: &Root, key: &Key) -> PathSets {
        PathSets::recall_at(root, key, self.ground().as_ref())
    }

    /// Returns the entry to serve now, or why there is none: the entry of the key itself, or the
    /// first one that the path sets lead to.
    pub(super) fn find_as(
        &self,
        root: &Root,
        call: &Call,
        find: impl Fn(&Key) -> Result<Hit, Missed>,
    ) -> Result<Hit, Missed> {
        if !self.is_automatic() {
            return find(&call.key);
        }
        let started = Instant::now();
        let known = self.recall(root, &call.key);
        let mut missed = None;
        for (at, looked) in known.look(&call.key).enumerate() {
            let took = started.elapsed();
            match find(&looked.key) {
                Ok(mut hit) => {
                    let renewed = looked.renewed();
                    if at > 0 || renewed.is_some() {
                        let mut known = known.clone();
                        known.used(renewed.unwrap_or_else(|| looked.set.clone()));
                        // An optimisation: a failure costs only time.
                        self.fold_if(root, known.remember(root, self.config.max_size, &call.key));
                    }
                    hit.matched = Some(Matched { facts: looked.set.facts.len(), took });
                    return Ok(hit);
                }
                Err(Missed { why: Reason::NotRecorded, stale: None }) => {}
                Err(why) => missed = missed.or(Some(why)),
            }
        }
        let forced = self.config.mode == Mode::WriteOnly;
        let why = if forced { Reason::Forced } else { Reason::NotRecorded };
        Err(missed.unwrap_or(Missed { why, stale: None }))
    }

    /// Returns the entry recorded for a call, fresh or not.
    pub(super) fn present(&self, root: &Root, call: &Call) -> Option<Entry> {
        let get = |key: &Key| store::get(root, key).ok().flatten();
        if !self.is_automatic() {
            return get(&call.key);
        }
        self.recall(root, &call.key).look(&call.key).find_map(|looked| get(&looked.key))
    }

    /// Begins to trace the run of a call; returns none if it is not automatic. An error says why it
    /// cannot be traced.
    pub(super) fn begin_tracing(
        &self,
        root: &Root,
        call: &Call,
        program: &Path,
    ) -> Result<Option<Tracing>, String> {
        let Some(auto) = &self.config.identity.auto else { return Ok(None) };
        let began = stamp::now();
        let program = Some(program.to_owned());
        let base = self.ground().map(|ground| ground.base().to_vec());
        let settings = Settings { program, base, ..self.trace_settings(root, call, auto) };
        match Tracer::new(settings) {
            Ok(tracer) => Ok(Some(Tracing { tracer, began })),
            Err(why) => Err(format!("it cannot be found out here what it reads: {why}")),
        }
    }

    fn trace_settings(&self, root: &Root, call: &Call, auto: &Auto) -> Settings {
        let store = root.outer();
        let store = store.canonicalize().unwrap_or_else(|_| store.to_owned());
        let mut settings = Settings {
            times: match auto.times {
                AutoTimes::Auto => Times::Auto,
                AutoTimes::All => Times::All,
                AutoTimes::None => Times::None,
            },
            portable: self.config.identity.portable,
            allow_network: auto.allows_network,
            // Unrecorded outputs are part of the key as they are.
            quirks: auto.quirks == AutoQuirks::Auto && auto.outputs != AutoOutputs::None,
            left_out: vec![store.as_os_str().as_bytes().to_vec()],
            known_descriptors: call.descriptors.iter().map(Inherited::number).collect(),
            jobserver: Jobserver::of(var(self.vars, "MAKEFLAGS").unwrap_or_default()),
            output_files: output_files(),
            ..Settings::default()
        };
        if let Some(ignored) = ignored(&auto.ignore) {
            settings.ignore = Some(Box::new(move |path| {
                let path = Path::new(OsStr::from_bytes(path));
                path.ancestors().any(|above| ignored.is_match(above))
            }));
        }
        settings
    }

    /// Ends tracing and returns the run's dependencies, and who has to be dropped last. An error says
    /// why the run must not be recorded.
    pub(super) fn end_tracing(
        &self,
        tracing: Option<Tracing>,
        status: ExitStatus,
    ) -> (Option<Keepers>, Result<Option<Traced>, String>) {
        let Some(Tracing { tracer, began }) = tracing else { return (None, Ok(None)) };
        let (report, keepers) = tracer.finish();
        (Some(keepers), self.traced(report, began, status).map(Some))
    }

    fn traced(&self, report: Report, began: i64, status: ExitStatus) -> Result<Traced, String> {
        let found = Found {
            facts: report.facts.len(),
            read: report.read.len(),
            absent: report.absent().count(),
            listed: report.listed().count(),
            written: report.written.len(),
        };
        if let Some(refusal) = report.refusal {
            return Err(refusal.to_string());
        }
        if report.processes_left {
            return Err("something it started goes on running".to_owned());
        }
        if report.lacked_io_uring && !status.success() {
            return Err("it failed, and io_uring, which cannot be traced, was denied it".to_owned());
        }
        let written = self.outputs_of(&report.written)?;
        let ground = self.ground();
        let ties = Ties { base: report.crossed, ..Ties::default() };
        Ok(Traced { written, facts: report.facts, began, ground, ties, found })
    }

    /// Returns the area in which everything that a run writes is recorded, if any.
    pub(super) fn area(&self) -> Option<Area> {
        let auto = self.config.identity.auto.as_ref()?;
        match auto.outputs {
            AutoOutputs::None => None,
            AutoOutputs::All => Some(Area::Everywhere),
            AutoOutputs::Below => {
                let temporary = var(self.vars, "TMPDIR").map_or(Path::new("/tmp"), Path::new);
                let folders = [std::env::current_dir().ok(), self.base_folder()];
                let folders = folders.into_iter().flatten();
                let temporary = temporary.canonicalize().ok();
                // An entry from another machine must not write anywhere else.
                let temporary = temporary.filter(|_| !self.config.identity.portable);
                Some(Area::Below(folders.chain(temporary).collect()))
            }
        }
    }

    /// Returns what a run wrote besides declared outputs. An error says, in a sentence, which of it
    /// must not be recorded.
    fn outputs_of(&self, written: &[Written]) -> Result<Vec<traced::Written>, String> {
        let cwd = std::env::current_dir().unwrap_or_default();
        let path = |it: &Written| {
            let path = Path::new(OsStr::from_bytes(&it.path));
            let below = path.strip_prefix(&cwd).ok().filter(|below| !below.as_os_str().is_empty());
            below.unwrap_or(path).to_owned()
        };
        let area = self.area();
        // Without the times of its sources, the file may one day be older than they are.
        let has_times =
            self.config.identity.auto.as_ref().is_some_and(|it| it.times != AutoTimes::None);
        // Each checkout has other folders.
        let is_root = |area: &Area, path: &Path, change: Change| {
            change == Change::Touched && !self.config.identity.portable && area.is_root(path)
        };
        let (mut recorded, mut left) = (Vec::new(), Vec::new());
        for it in written {
            let path = path(it);
            match &area {
                _ if self.declares(&path, it.change) => {}
                Some(_) if self.leaves_out(&path) => {}
                Some(area) if area.covers(&path) || is_root(area, &path, it.change) => {
                    let Written { before, stamp, .. } = *it;
                    let keeps_time = it.keeps_time && has_times;
                    recorded.push(traced::Written { path, before, stamp, keeps_time });
                }
                _ => left.push((path, it.change)),
            }
        }
        let Some((first, change)) = left.first() else { return Ok(recorded) };
        let verb = match change {
            Change::Created => "made",
            Change::Modified => "changed",
            Change::Touched => "touched",
            Change::Removed => "removed",
        };
        let more = match left.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let name = quote::word(first.as_os_str().as_bytes());
        let why = match area {
            None => "which no --output names",
            Some(Area::Below(_)) => "which is not below the working directory",
            Some(Area::Everywhere) => "which the system makes up",
        };
        Err(format!("it {verb} {name}{more}, {why}"))
    }

    /// Returns whether `--output '!PATH'` excludes this path.
    fn leaves_out(&self, path: &Path) -> bool {
        self.config.outputs.iter().any(|it| it.exclude && it.path.takes_in(path))
    }

    /// Returns whether a changed path is a declared output, or a created folder that contains one.
    fn declares(&self, path: &Path, change: Change) -> bool {
        self.config.outputs.iter().filter(|it| !it.exclude).any(|it| {
            it.path.takes_in(path) && !self.leaves_out(path)
                || change == Change::Created && it.path.base().starts_with(path)
        })
    }

    /// Notes for `explain` why the run of an automatic call was not recorded.
    pub(super) fn note_refusal(&self, root: &Root, call: &Call, recorded: &Recorded) {
        if let (true, Recorded::Not(why)) = (self.is_automatic(), recorded)
            && self.config.mode != Mode::ReadOnly
        {
            let why = why.strip_prefix("not recorded: ").unwrap_or(why);
            self.fold_if(root, PathSets::refuse(root, self.config.max_size, &call.key, why));
        }
    }

    /// Returns whether another process's run of this call has ended without a record since `then`.
    pub(super) fn was_refused_since(&self, root: &Root, call: &Call, then: Timestamp) -> bool {
        let refused = || PathSets::recall(root, &call.key).refused;
        self.is_automatic() && refused().is_some_and(|refused| refused.at >= then)
    }
}

impl Traced {
    /// Returns the key and path set that find the entry. `wrote` says what the run's output ties it
    /// to.
    pub(super) fn findable(self, call: &Call, wrote: Ties) -> Findable {
        let Traced { facts, began, ground, ties, found, .. } = self;
        let set = match &ground {
            Some(ground) => PathSet::of_portable_run(facts, began, ground, ties.and(wrote)),
            None => PathSet::of_run(facts, began),
        };
        Findable { key: set.last_key(&call.key), set, found }
    }

    /// Returns the place of the run, if it is portable.
    pub(super) fn ground(&self) -> Option<&Ground> {
        self.ground.as_deref()
    }
}

impl Findable {
    /// Lets later calls find the entry recorded for this run.
    pub(super) fn remember(
        self,
        runner: &Runner<'_>,
        root: &Root,
        call: &Call,
    ) -> anyhow::Result<Found> {
        let added = PathSets::add(root, runner.config.max_size, &call.key, self.set);
        runner.fold_if(root, Ok(added?));
        Ok(self.found)
    }

    /// Returns the name of the part of an entry that lists its dependencies.
    pub(super) fn part_name(&self, call: &Call) -> Vec<u8> {
        part_name(call, &self.set)
    }
}

/// Returns the name of the part of an entry that lists the dependencies in this path set.
fn part_name(call: &Call, set: &PathSet) -> Vec<u8> {
    [call.key.0, set.id().0].concat()
}

/// Compiles the patterns of ignored paths so that they match canonical paths.
fn ignored(patterns: &[PathPattern]) -> Option<GlobSet> {
    if patterns.is_empty() {
        return None;
    }
    let cwd = std::env::current_dir().ok()?;
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let text = pattern.as_str();
        if text.starts_with('/') {
            set.add(glob(text)?);
        } else {
            let here = globset::escape(cwd.to_str()?);
            set.add(glob(&format!("{here}/{text}"))?);
        }
        // The canonical path of the target does not contain a link that leads to it.
        if let Ok(real) = PathBuf::from(text).canonicalize() {
            set.add(glob(&globset::escape(real.to_str()?))?);
        }
    }
    set.build().ok()
}

fn glob(text: &str) -> Option<globset::Glob> {
    GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build().ok()
}

/// Returns the device and inode number of each regular file that the output goes to.
fn output_files() -> Vec<(u64, u64)> {
    let file = |fd: BorrowedFd<'_>| {
        let stat = rustix::fs::fstat(fd).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
            .then_some((stat.st_dev, stat.st_ino))
    };
    [stdout(), stderr()].into_iter().filter_map(file).collect()
}
