//! What is known of a run so far.

use crate::Settings;
use crate::facts::{self, Class, Names};
use crate::linux::events::Dates;
use crate::linux::makers::Maker;
use crate::linux::places::Places;
use crate::linux::tracee::Tracee;
use crate::linux::tree::{Fast, Found, Id, Node, Tree, name, parent};
use crate::linux::walk::Spot;
use crate::report::Refusal;
use rustix::fs::CWD;
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::time::SystemTime;

/// No more is kept of one run.
pub const MOST: usize = 200_000;
/// File systems keep time in steps of up to two seconds.
pub const SETTLED: i64 = 2_000_000_000;

/// What a run read, looked for and wrote, as far as it has come.
pub struct Recorder {
    pub settings: Settings,
    pub places: Places,
    pub tree: Tree,
    /// The paths that the run may have changed, in that order.
    pub changed: Vec<Id>,
    /// What was asked for already, and the paths that mattered for it.
    pub asked: HashMap<Vec<u8>, Known, BuildHasherDefault<Fast>>,
    /// Counts the paths that became changed.
    pub epoch: u32,
    pub refusal: Option<(Weight, Refusal)>,
    /// Whether a path led out of the base folder by `..`, or into it from outside.
    pub crossed: bool,
    /// Processes that changed to the folder in the base folder that they were in, by its path.
    pub returned: HashSet<i32>,
    /// How threads look at files that a stat shows, once one of them does so unusually.
    pub looks: HashMap<i32, crate::linux::places::Looks, BuildHasherDefault<Fast>>,
    pub are_looks_known: bool,
    /// The files that shells read, and whether one of them compares times.
    pub read_by_shells: HashSet<Id, BuildHasherDefault<Fast>>,
    pub shells_compare_times: bool,
    /// What they asked the status of last, by their threads.
    pub shell_stats: HashMap<i32, Spot, BuildHasherDefault<Fast>>,
    /// Which threads are those of makers, once one of them was executed.
    pub makers: HashMap<i32, Maker>,
    /// Whose the call is that is looked at.
    pub by: Maker,
    /// Processes that are known to be the command's.
    pub processes: Vec<i32>,
    /// All threads that did something that was told of, and the last of them.
    pub met: HashSet<i32, BuildHasherDefault<Fast>>,
    pub last_met: i32,
    pub events: u64,
    /// When it began.
    pub began: i64,
    pub dates: Dates,
}

/// How much a reason tells: what tells more takes the place of what tells less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Something is prepared,
    Prepared,
    /// this is done,
    Done,
    /// and here nothing is known at all.
    Untraced,
}

/// A string that was looked up.
pub struct Known {
    /// The paths that were met.
    pub met: Box<[Id]>,
    /// None of them was changed before that many were.
    pub epoch: u32,
}

impl Recorder {
    /// Nothing yet.
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
            events: 0,
            began: now(),
            dates: Dates::default(),
        }
    }

    /// The run must not be recorded.
    pub fn refuse(&mut self, weight: Weight, why: impl Into<String>) {
        if self.refusal.as_ref().is_none_or(|(known, _)| *known < weight) {
            self.refusal = Some((weight, Refusal(why.into())));
        }
    }

    /// The same, with who did it.
    pub fn refuse_of(&mut self, tracee: Tracee, weight: Weight, what: impl std::fmt::Display) {
        if self.refusal.as_ref().is_none_or(|(known, _)| *known < weight) {
            self.refuse(weight, format!("{what} by {} (pid {})", tracee.name(), tracee.process()));
        }
    }

    /// Whether there is no room for more.
    pub fn is_full(&mut self) -> bool {
        let is_full = self.tree.len() >= MOST;
        if is_full {
            self.refuse(Weight::Done, format!("it looks at more than {MOST} paths"));
        }
        is_full
    }

    /// The number of a canonical path.
    pub fn id(&mut self, path: &[u8]) -> Option<Id> {
        let (places, settings) = (&self.places, &self.settings);
        self.tree.id(path, || is_left_out(places, settings, path))
    }

    /// Whether nothing is said about a canonical path.
    pub fn is_left_out(&self, path: &[u8]) -> bool {
        is_left_out(&self.places, &self.settings, path)
    }

    /// What lies at a path now, which is noted if it is looked at for the first time. What the
    /// run cannot have changed is what it was: nobody else may change it either, or the run
    /// is not recorded in the end.
    pub fn look(&mut self, id: Id) -> Found {
        let node = &mut self.tree[id];
        if let Some(found) = node.before
            && !node.is_changed
        {
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

    /// What lies there now, below a folder that the run made: what was there before tells
    /// nothing of that, as the folder may have been moved there with all in it.
    pub fn look_anew(&self, id: Id) -> Found {
        Found::at(&self.tree[id].path)
    }

    /// Where a link leads now, which may lie below what the run made.
    pub fn target(&self, id: Id, is_below_own: bool) -> Option<Box<[u8]>> {
        let node = &self.tree[id];
        if node.is_changed || is_below_own { read_link(node) } else { node.target.clone() }
    }

    /// Whether what lies there now, which was looked at, is the run's own making.
    pub fn is_own(&self, id: Id, now: &Found) -> bool {
        let node = &self.tree[id];
        node.is_changed && node.before.is_none_or(|before| !before.is_same(now))
    }

    /// Notes that the run depends on what was there before.
    pub fn note(&mut self, id: Id, class: Class) {
        self.note_bits(id, class.bit());
    }

    /// The same for several classes.
    pub fn note_bits(&mut self, id: Id, bits: u16) {
        self.note_asker(id, bits);
        let node = &self.tree[id];
        let bits = if facts::has_stamp(node.path.to_bytes()) { bits } else { timeless(bits) };
        let new = bits & !node.facts;
        if new == 0 || node.is_left_out {
            return;
        }
        let is = |class: Class| new & class.bit() != 0;
        if is(Class::Contents)
            && let Some(Found::There(status)) = node.before
            && self.settings.output_files.contains(&(status.stamp.dev, status.stamp.ino))
        {
            let path = display(node.path.to_bytes());
            let why = format!("it read {path}, which its output goes to");
            return self.refuse(Weight::Done, why);
        }
        // What times tell of is asked for in the end, when they are known to be unchanged.
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

    /// Whether its size and time stand for its content.
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

    /// The names in a folder, less what the run made there and with what it removed.
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

    /// What is unreadable may be unreadable to the run, too: that is as it is known to be by
    /// its rights. Anything else is not understood.
    fn unknown(&mut self, id: Id, errno: Errno) {
        if !matches!(errno, Errno::ACCESS | Errno::PERM) {
            let path = display(self.tree[id].path.to_bytes());
            self.refuse(Weight::Done, format!("{path} cannot be read: {errno}"));
        }
    }

    /// The run may be about to change what lies there. Whatever was noted of it is asked for
    /// now, because it cannot be later.
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

/// The kernel dates what it makes up as it is looked at.
fn timeless(bits: u16) -> u16 {
    let dated = Class::Stat.bit() | Class::Details.bit();
    if bits & dated == 0 { bits } else { bits & !dated | Class::Access.bit() }
}

/// The system's time, in nanoseconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as i64)
}

fn read_link(node: &Node) -> Option<Box<[u8]>> {
    let target = rustix::fs::readlinkat(CWD, &*node.path, Vec::new()).ok()?;
    Some(target.into_bytes().into())
}

/// A path for people: what could steer a terminal is escaped.
pub fn display(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}
