//! Resolves paths as the kernel does.
//!
//! Each folder and link on the way is noted; for a missing path, the first missing component.
//! `/proc` has links that do not lead where their text says, and names that depend on the calling
//! process.

use crate::facts::Class;
use crate::linux::recorder::{Recorder, Weight, display};
use crate::linux::tracee::{Target, Tracee, magic};
use crate::linux::tree::{Found, Id, from_above, parent};
use rustix::io::Errno;

/// The length of the longest path that can be looked up by its full name.
const LONGEST: usize = 4095;
/// The longest name that the kernel takes.
const LONGEST_NAME: usize = 255;
/// The maximum number of links that the kernel follows.
const MOST_LINKS: usize = 40;

/// The mounts as the calling process sees them: the command and a later look-up share that view.
pub const MOUNTS: &[u8] = b"/proc/self/mountinfo";

/// The result of resolving a path.
pub struct Walk {
    /// The paths involved.
    pub met: Vec<Id>,
    /// The end of the path.
    pub end: End,
    /// True if every process gets the same result.
    pub is_shared: bool,
    /// True if the path went through one of the process's descriptors.
    pub is_by_descriptor: bool,
    /// True if the path entered the base folder from outside.
    pub enters: bool,
    /// True if the last component was a link that was followed.
    pub is_by_link: bool,
}

/// The end of a path.
pub enum End {
    /// A path in an existing folder, and its state.
    At(Spot),
    /// Nothing; the reason is noted.
    Nowhere,
    /// A file that is not traced.
    Outside,
}

/// A path, and its state.
#[derive(Clone, Copy)]
pub struct Spot {
    /// The path.
    pub id: Id,
    /// The present state.
    pub found: Found,
    /// True if the run produced this state, or the path lies below something that the run made.
    pub is_own: bool,
    /// True if the path was not examined before.
    pub is_new: bool,
}

/// A component in `/proc`.
enum Made {
    /// An ordinary one.
    Up,
    /// A name that stands for another.
    Called(Vec<u8>),
    /// A folder that is not traced.
    Folder,
    /// A link with this target.
    To(Vec<u8>),
    /// The end of the path.
    End(End),
}

/// A resolution in progress.
struct Way<'a> {
    tracee: Tracee,
    /// The folder reached so far.
    at: Vec<u8>,
    rest: Vec<u8>,
    follows: bool,
    links: usize,
    /// The length of the path of the outermost folder on the way that the run made.
    own: Option<usize>,
    walk: Walk,
    recorder: &'a mut Recorder,
}

impl Recorder {
    /// Resolves a path relative to a canonical folder.
    pub fn walk(&mut self, tracee: Tracee, from: &[u8], path: &[u8], follows: bool) -> Walk {
        let at = if path.starts_with(b"/") { b"/" } else { from };
        let walk = Walk {
            met: Vec::new(),
            end: End::Nowhere,
            is_shared: true,
            is_by_descriptor: false,
            enters: false,
            is_by_link: false,
        };
        let own = self.own_above(at);
        let (at, rest) = (at.to_vec(), path.to_vec());
        let mut way = Way { tracee, at, rest, follows, links: 0, own, walk, recorder: self };
        let end = way.go();
        way.walk.end = end;
        way.walk
    }

    /// Refuses a run that uses a path which leads up from a removed folder: to one that nothing
    /// names any more.
    pub fn looks_from(&mut self, tracee: Tracee, from: &Result<Target, Errno>, path: &[u8]) {
        let leads_up = || path.split(|&byte| byte == b'/').any(|name| name == b"..");
        if *from == Ok(Target::Removed) && leads_up() {
            let what = "a path that leads up from a removed folder";
            self.refuse_of(tracee, Weight::Done, what);
        }
    }

    /// Returns the state of a canonical path.
    pub fn spot(&mut self, path: &[u8]) -> Option<Spot> {
        let is_below_own = self.own_above(parent(path)).is_some();
        let id = self.id(path)?;
        let is_new = self.tree[id].before.is_none();
        let found = if is_below_own { self.look_anew(id) } else { self.look(id) };
        if is_below_own {
            self.check_maker(id, &found);
        }
        let is_own = is_below_own || self.is_own(id, &found);
        Some(Spot { id, found, is_own, is_new })
    }

    /// Returns the length of the outermost folder that the run made, among a canonical path and its
    /// ancestors.
    pub fn own_above(&mut self, path: &[u8]) -> Option<usize> {
        if self.changed.is_empty() {
            return None;
        }
        let own = from_above(path).find(|above| {
            self.tree.known(above).is_some_and(|id| {
                self.tree[id].is_changed && {
                    let found = self.look(id);
                    self.is_own(id, &found)
                }
            })
        });
        own.map(<[u8]>::len)
    }
}

impl Way<'_> {
    fn go(&mut self) -> End {
        loop {
            let start = self.rest.iter().take_while(|&&byte| byte == b'/').count();
            self.rest.drain(..start);
            if self.rest.is_empty() {
                return self.here();
            }
            let end = self.rest.iter().position(|&byte| byte == b'/').unwrap_or(self.rest.len());
            let name: Vec<u8> = self.rest.drain(..end).collect();
            match &name[..] {
                b"." => {}
                b".." => self.up(),
                _ => {
                    if let Some(end) = self.step(&name) {
                        return end;
                    }
                }
            }
        }
    }

    fn up(&mut self) {
        self.recorder.goes_up_from(&self.at);
        // Leaving a folder takes the right to search it, and nothing below it shows whether that is
        // there.
        if self.at != b"/" && !is_of_a_process(&self.at) {
            self.walk.met.extend(self.recorder.note_rights(&self.at));
        }
        self.at = parent(&self.at).to_vec();
        self.own = self.own.filter(|&len| len <= self.at.len());
    }

    /// Ends at the folder reached so far.
    fn here(&mut self) -> End {
        if is_of_a_process(&self.at) {
            return End::Outside;
        }
        self.recorder.spot(&self.at.clone()).map_or(End::Nowhere, End::At)
    }

    fn step(&mut self, name: &[u8]) -> Option<End> {
        let is_last = self.rest.iter().all(|&byte| byte == b'/');
        // A trailing slash requires a folder.
        let asks_for_folder = is_last && !self.rest.is_empty();
        let leads_on = !is_last || self.follows || asks_for_folder;
        let path = join(&self.at, name);
        self.walk.enters |= self.recorder.settings.base.as_deref() == Some(&path);
        if self.at.starts_with(b"/proc") {
            match self.in_proc(&path, name, leads_on) {
                Made::Up => {}
                Made::Called(name) => {
                    self.rest.splice(..0, name);
                    return None;
                }
                Made::Folder => {
                    self.at = path;
                    return is_last.then_some(End::Outside);
                }
                Made::To(target) => return self.follow(&target),
                Made::End(end) => return Some(end),
            }
        }
        if name.len() > LONGEST_NAME {
            return Some(End::Nowhere);
        }
        if path.len() > LONGEST {
            self.recorder.refuse(Weight::Done, "a path is too long");
            return Some(End::Nowhere);
        }
        let Some(id) = self.recorder.id(&path) else { return Some(End::Nowhere) };
        self.walk.met.push(id);
        let is_new = self.recorder.tree[id].before.is_none();
        let is_below_own = self.own.is_some();
        let found = if is_below_own { self.recorder.look_anew(id) } else { self.recorder.look(id) };
        if is_below_own {
            self.recorder.check_maker(id, &found);
        }
        let is_own = is_below_own || self.recorder.is_own(id, &found);
        let spot = End::At(Spot { id, found, is_own, is_new });
        let mut note = |class| {
            if !is_own {
                self.recorder.note(id, class);
            }
        };
        let status = match found {
            Found::Nothing => {
                note(Class::Kind);
                return Some(if is_last { spot } else { End::Nowhere });
            }
            Found::Error(errno) => return Some(self.stopped(&path, errno)),
            Found::There(status) => status,
        };
        if status.is_link() && leads_on {
            note(Class::Link);
            let Some(target) = self.recorder.target(id, is_below_own) else {
                self.recorder.refuse(Weight::Done, changed_meanwhile(&path));
                return Some(End::Nowhere);
            };
            self.walk.is_by_link |= is_last;
            return self.follow(&target);
        }
        if is_last && (status.is_folder() || !asks_for_folder) {
            return Some(spot);
        }
        note(Class::Kind);
        if !status.is_folder() {
            return Some(End::Nowhere);
        }
        if is_own && self.own.is_none() {
            self.own = Some(path.len());
        }
        self.at = path;
        None
    }

    /// Continues at the target of a link.
    fn follow(&mut self, target: &[u8]) -> Option<End> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Some(End::Nowhere);
        }
        if target.starts_with(b"/") {
            self.at = b"/".to_vec();
            self.own = None;
        }
        self.rest.splice(..0, target.iter().copied());
        None
    }

    /// Ends at a path that cannot be examined.
    fn stopped(&mut self, path: &[u8], errno: Errno) -> End {
        if errno == Errno::ACCESS {
            // The cause is the folder's permissions, which are the fact to note.
            self.recorder.note_rights(&self.at);
        } else {
            let why = format!("{} cannot be looked at: {errno}", display(path));
            self.recorder.refuse(Weight::Done, why);
        }
        End::Nowhere
    }

    fn in_proc(&mut self, path: &[u8], name: &[u8], leads_on: bool) -> Made {
        if self.at == b"/proc" {
            if name == b"self" || name == b"thread-self" {
                self.walk.is_shared = false;
                if !leads_on {
                    return Made::End(End::Outside);
                }
                let process = self.tracee.process();
                return Made::Called(match name {
                    b"self" => process.to_string().into_bytes(),
                    _ => format!("{process}/task/{}", self.tracee.0).into_bytes(),
                });
            }
            let Some(process) = number(name) else { return Made::Up };
            self.walk.is_shared = false;
            if self.recorder.is_ours(process) {
                return Made::Folder;
            }
            let what = format_args!("a look at process {process}");
            self.recorder.refuse_of(self.tracee, Weight::Done, what);
            return Made::End(End::Outside);
        }
        if !is_of_a_process(&self.at) {
            return Made::Up;
        }
        self.walk.is_shared = false;
        let is_descriptor = self.at.ends_with(b"/fd") && number(name).is_some();
        if is_descriptor || [&b"exe"[..], b"cwd", b"root"].contains(&name) {
            if !leads_on {
                return Made::End(End::Outside);
            }
            self.walk.is_by_descriptor |= is_descriptor;
            return match magic(path) {
                Ok(Target::Path(target)) => Made::To(target),
                Ok(Target::Nameless) => Made::End(End::Outside),
                Ok(Target::Removed) => {
                    self.recorder.looks_from(self.tracee, &Ok(Target::Removed), &self.rest);
                    Made::End(End::Outside)
                }
                Err(_) => Made::End(End::Nowhere),
            };
        }
        if [&b"mountinfo"[..], b"mounts", b"mountstats"].contains(&name) {
            let told = [b"/proc/self/", name].concat();
            return Made::End(self.recorder.spot(&told).map_or(End::Nowhere, End::At));
        }
        if name == b"net" {
            self.recorder.refuse_of(self.tracee, Weight::Done, "a look at the network's state");
        }
        let is_folder = name == b"fd" || name == b"task" || self.at.ends_with(b"/task");
        if is_folder { Made::Folder } else { Made::End(End::Outside) }
    }
}

impl Recorder {
    /// Returns whether a process is the command or one of its descendants.
    pub fn is_ours(&mut self, process: i32) -> bool {
        let mut chain = vec![process];
        // The limit covers pids that form a cycle.
        while chain.len() < 256 {
            let last = chain[chain.len() - 1];
            if self.processes.contains(&last) {
                chain.pop();
                self.processes.extend(chain);
                return true;
            }
            match Tracee(last).parent() {
                Some(parent) => chain.push(parent),
                None => return false,
            }
        }
        false
    }
}

/// Returns whether a canonical path is a process's folder in `/proc`, or lies below one.
pub fn is_of_a_process(path: &[u8]) -> bool {
    let rest = path.strip_prefix(b"/proc/");
    rest.is_some_and(|rest| {
        number(rest.split(|&byte| byte == b'/').next().unwrap_or(b"")).is_some()
    })
}

/// Returns the refusal of a run in which others changed a path.
pub fn changed_meanwhile(path: &[u8]) -> String {
    format!("{} changed while the command ran", display(path))
}

fn number(name: &[u8]) -> Option<i32> {
    std::str::from_utf8(name).ok()?.parse().ok().filter(|&number| number >= 0)
}

/// Joins a folder and a name.
pub fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if folder == b"/" { b"" } else { b"/" };
    [folder, slash, name].concat()
}
