//! The state of a running trace.

use crate::Settings;
use crate::facts::{self, Class, Names};
use crate::linux::events::Dates;
use crate::linux::makers::Maker;
use crate::linux::places::{self, Places};
use crate::linux::tracee::Tracee;
use crate::linux::tree::{Fast, Found, Id, Node, Tree, name, parent};
use crate::linux::walk::Spot;
use crate::report::Refusal;
use rustix::fs::CWD;
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::time::SystemTime;

/// The maximum number of paths in one run.
pub const MOST: usize = 200_000;
/// The coarsest resolution of file system times, in nanoseconds.
pub const SETTLED: i64 = 2_000_000_000;

/// Records what a run reads, looks up and writes.
pub struct Recorder {
    pub settings: Settings,
    pub places: Places,
    pub tree: Tree,
    /// The paths that the run may have changed, in that order.
    pub changed: Vec<Id>,
    /// The look-ups so far, and the paths involved in each.
    pub asked: HashMap<Vec<u8>, Known, BuildHasherDefault<Fast>>,
    /// The number of paths that were changed.
    pub epoch: u32,
    pub refusal: Option<(Weight, Refusal)>,
    /// True if `io_uring` was denied.
    pub lacks_io_uring: bool,
    /// True if a path left the base folder by `..`, or entered it from outside.
    pub crossed: bool,
    /// Processes that changed to their own working directory in the base folder by its path.
    pub returned: HashSet<i32>,
    /// The way in which threads use a file's status, once one of them does so unusually.
    pub looks: HashMap<i32, crate::linux::places::Looks, BuildHasherDefault<Fast>>,
    pub are_looks_known: bool,
    /// The files that shells read.
    pub read_by_shells: HashSet<Id, BuildHasherDefault<Fast>>,
    pub shells_compare_times: bool,
    /// The path whose status each shell thread read last.
    pub shell_stats: HashMap<i32, Spot, BuildHasherDefault<Fast>>,
    /// The kind of each thread's program, once a maker was executed.
    pub makers: HashMap<i32, Maker>,
    /// The kind of program that makes the current call.
    pub by: Maker,
    /// Processes that are known to be the command's.
    pub processes: Vec<i32>,
    /// The threads that made a reported call.
    pub met: HashSet<i32, BuildHasherDefault<Fast>>,
    pub last_met: i32,
    pub received: Received,
    /// The time at which the run began.
    pub began: i64,
    pub dates: Dates,
}

/// The precedence of a reason: a heavier one replaces a lighter one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Something was prepared.
    Prepared,
    /// Something was done.
    Done,
    /// Nothing is known at all.
    Untraced,
}

/// The numbers of the calls that were received. The kernel numbers all that it reports, also those
/// that a signal interrupts before they are received. Whoever made such a call may have an error
/// that it would not have had otherwise.
#[derive(Default)]
pub struct Received {
    /// The lowest and the highest number.
    range: Option<(u64, u64)>,
    pub count: u64,
    /// Set if one was seen to be missing.
    pub is_incomplete: bool,
}

impl Received {
    pub fn add(&mut self, number: u64) {
        let (low, high) = self.range.unwrap_or((number, number));
        self.range = Some((low.min(number), high.max(number)));
        self.count += 1;
    }

    /// Returns whether any is missing.
    pub fn lacks_any(&self) -> bool {
        self.is_incomplete || self.range.is_some_and(|(low, high)| high - low >= self.count)
    }
}

/// A look-up that was made.
pub struct Known {
    /// The paths involved.
    pub met: Box<[Id]>,
    /// The one that was absent.
    pub absent: Option<Id>,
    /// The epoch up to which none of them had changed.
    pub epoch: u32,
}

impl Recorder {
    /// Creates an empty state.
    pub fn new(settings: Settings) -> Recorder {
        let places = Places::new(&settings);
        Recorder {
            settings,
            places,
            tree: Tree::default(),
            changed: Vec::new(),
            asked: HashMap::default(),
            epoch: 0,
            refusal: None,
            lacks_io_uring: false,
            crossed: false,
            returned: HashSet::new(),
            looks: HashMap::default(),
            are_looks_known: false,
            read_by_shells: HashSet::default(),
            shells_compare_times: false,
            shell_stats: HashMap::default(),
            makers: HashMap::new(),
            by: Maker::Not,
            processes: Vec::new(),
            met: HashSet::default(),
            last_met: 0,
            received: Received::default(),
            began: now(),
            dates: Dates::default(),
        }
    }

    /// Notes that the run must not be recorded.
    pub fn refuse(&mut self, weight: Weight, why: impl Into<String>) {
        if self.refusal.as_ref().is_none_or(|(known, _)| *known < weight) {
            self.refusal = Some((weight, Refusal(why.into())));
        }
    }

    /// Like [`Recorder::refuse`], naming the program.
    pub fn refuse_of(&mut self, tracee: Tracee, weight: Weight, what: impl std::fmt::Display) {
        if self.refusal.as_ref().is_none_or(|(known, _)| *known < weight) {
            self.refuse(weight, format!("{what} by {} (pid {})", tracee.name(), tracee.process()));
        }
    }

    /// Returns whether the limit on paths was reached, which refuses the run.
    pub fn is_full(&mut self) -> bool {
        let is_full = self.tree.len() >= MOST;
        if is_full {
            self.refuse(Weight::Done, format!("it looks at more than {MOST} paths"));
        }
        is_full
    }

    /// Returns the id of a canonical path.
    pub fn id(&mut self, path: &[u8]) -> Option<Id> {
        let (places, settings) = (&self.places, &self.settings);
        self.tree.id(path, || is_left_out(places, settings, path))
    }

    /// Returns whether a canonical path is not traced.
    pub fn is_left_out(&self, path: &[u8]) -> bool {
        is_left_out(&self.places, &self.settings, path)
    }

    /// Returns whether a look-up was made before, with the same result.
    pub fn is_known(&mut self, look_up: &[u8]) -> bool {
        let epoch = self.epoch;
        let Some(known) = self.asked.get_mut(look_up) else { return false };
        if known.epoch != epoch && known.met.iter().any(|&id| self.tree[id].is_changed) {
            return false;
        }
        known.epoch = epoch;
        if let Some(absent) = known.absent {
            self.check_unchanged(absent);
        }
        true
    }

    /// Returns the present state of a path, which is kept on the first look. A path that the run
    /// cannot have changed still has that state: if somebody else changes it, the run is not
    /// recorded in the end. By then, a file that came may be gone again, so what was absent is
    /// looked at each time: an answer to a request of the run, say, that the run removes.
    pub fn look(&mut self, id: Id) -> Found {
        let node = &mut self.tree[id];
        if let Some(found) = node.before
            && !node.is_changed
        {
            if found == Found::Nothing {
                self.check_unchanged(id);
            }
            return found;
        }
        let found = Found::at(&node.path);
        if node.before.is_none() {
            node.before = Some(found);
            if let Found::There(status) = found {
                let changed = status.stamp.ctime.max(status.stamp.mtime);
                node.is_racy = changed > now() - SETTLED || status.stamp.size == 0;
                if status.is_link() {
                    node.target = read_link(node);
                }
            }
        }
        found
    }

    /// Returns the present state of a path below a folder that the run made. An earlier state is
    /// irrelevant, since the folder may have been moved there with its contents.
    pub fn look_anew(&self, id: Id) -> Found {
        Found::at(&self.tree[id].path)
    }

    /// Returns the present target of a link, which may lie below a folder that the run made.
    pub fn target(&self, id: Id, is_below_own: bool) -> Option<Box<[u8]>> {
        let node = &self.tree[id];
        if node.is_changed || is_below_own { read_link(node) } else { node.target.clone() }
    }

    /// Returns whether the present state of a path, which was examined, was produced by the run.
    pub fn is_own(&self, id: Id, now: &Found) -> bool {
        let node = &self.tree[id];
        node.is_changed && node.before.is_none_or(|before| !before.is_same(now))
    }

    /// Notes that the run depends on the former state of a path.
    pub fn note(&mut self, id: Id, class: Class) {
        self.note_bits(id, class.bit());
    }

    /// Like [`Recorder::note`], for several classes.
    pub fn note_bits(&mut self, id: Id, bits: u16) {
        self.note_asker(id, bits);
        let node = &self.tree[id];
        let bits = if facts::has_stamp(node.path.to_bytes()) { bits } else { timeless(bits) };
        let new = bits & !node.facts;
        // Which group the caller is in, and so the way to its limits, is another one in each
        // session or container.
        let is_way_to_limits =
            new == Class::Kind.bit() && node.was_folder() && places::is_group(node.path.to_bytes());
        if new == 0 || node.is_left_out || is_way_to_limits {
            return;
        }
        let is = |class: Class| new & class.bit() != 0;
        if is(Class::Contents)
            && let Some(Found::There(status)) = node.before
            && self.settings.output_files.contains(&(status.stamp.dev, status.stamp.ino))
        {
            let path = display(node.path.to_bytes());
            let why = format!("it opened {path}, which its output goes to");
            return self.refuse(Weight::Done, why);
        }
        // Where times prove that a file is unchanged, its content is read in the end.
        let at_once = node.is_racy || !facts::has_stamp(node.path.to_bytes());
        if is(Class::Contents) && at_once && !self.is_known_by_time(id) {
            self.read_contents(id);
        }
        if is(Class::Attributes) {
            self.read_attributes(id);
        }
        if is(Class::Listing) {
            self.read_names(id);
        }
        self.tree[id].facts |= new;
    }

    /// Returns whether the size and time of a file stand for its content.
    pub fn is_known_by_time(&self, id: Id) -> bool {
        !self.settings.portable && self.places.is_system(self.tree[id].path.to_bytes())
    }

    fn read_contents(&mut self, id: Id) {
        let node = &self.tree[id];
        let Some(Found::There(status)) = node.before else { return };
        match facts::value(&node.path, &status, Class::Contents) {
            Ok(value) => self.tree[id].contents = Some(value),
            Err(errno) => self.unknown(id, errno),
        }
    }

    fn read_attributes(&mut self, id: Id) {
        let node = &self.tree[id];
        let Some(before) = node.before else { return };
        match before.value(&node.path, Class::Attributes) {
            Ok(value) => self.tree[id].attributes = Some(value),
            Err(errno) => self.unknown(id, errno),
        }
    }

    fn read_names(&mut self, id: Id) {
        let node = &self.tree[id];
        if !node.before.is_some_and(|it| it.status().is_some_and(facts::Status::is_folder)) {
            return;
        }
        match self.names(id) {
            Ok(names) => self.tree[id].names = Some(Box::new(names)),
            Err(errno) => self.unknown(id, errno),
        }
    }

    /// Returns the names in a folder, without those that the run created and with those that it
    /// removed.
    pub fn names(&self, id: Id) -> Result<Names, Errno> {
        let folder = &self.tree[id].path;
        let mut names = Names::of(folder)?;
        for &id in &self.changed {
            let node = &self.tree[id];
            let path = node.path.to_bytes();
            if parent(path) == folder.to_bytes() {
                match node.before {
                    Some(Found::There(status)) => {
                        names.0.insert(name(path).to_vec(), facts::kind_number(status.kind()));
                    }
                    _ => drop(names.0.remove(name(path))),
                }
            }
        }
        Ok(names)
    }

    /// Refuses a run if a path cannot be read for an unexpected reason. A lack of permission may
    /// affect the run, too, and is covered by the mode.
    fn unknown(&mut self, id: Id, errno: Errno) {
        if !matches!(errno, Errno::ACCESS | Errno::PERM) {
            let path = display(self.tree[id].path.to_bytes());
            self.refuse(Weight::Done, format!("{path} cannot be read: {errno}"));
        }
    }

    /// Notes that the run may be about to change a path. Everything noted about it is read now,
    /// because it cannot be read later.
    pub fn will_change(&mut self, id: Id) {
        let node = &self.tree[id];
        if node.is_changed {
            return;
        }
        if node.has(Class::Contents) && node.contents.is_none() && !self.is_known_by_time(id) {
            self.read_contents(id);
        }
        let node = &mut self.tree[id];
        node.is_changed = true;
        self.epoch += 1;
        self.changed.push(id);
    }
}

fn is_left_out(places: &Places, settings: &Settings, path: &[u8]) -> bool {
    places.is_left_out(path) || settings.ignore.as_ref().is_some_and(|it| it(path))
}

/// Drops the times of files that the kernel generates, which are dated when they are examined.
fn timeless(bits: u16) -> u16 {
    let dated = Class::Stat.bit() | Class::Details.bit();
    if bits & dated == 0 { bits } else { bits & !dated | Class::Access.bit() }
}

/// Returns the system time, in nanoseconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as i64)
}

fn read_link(node: &Node) -> Option<Box<[u8]>> {
    let target = rustix::fs::readlinkat(CWD, &*node.path, Vec::new()).ok()?;
    Some(target.into_bytes().into())
}

/// Formats a path for people, escaping control characters.
pub fn display(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}
