//! Determines what a system call that is about to be executed will reveal or change.

use crate::facts::{Class, Status};
use crate::linux::calls::{Call, Does, Follow, Op, Place, by_number};
use crate::linux::filter::NAMESPACES;
use crate::linux::listen::Event;
use crate::linux::places::Looks;
use crate::linux::recorder::{Known, MOST, Recorder, Weight, display};
use crate::linux::tracee::{Target, Tracee, Unread};
use crate::linux::tree::{Found, Id, name};
use crate::linux::walk::{End, Spot, Walk};
use crate::linux::write::Write;
use rustix::io::Errno;

mod border;
mod dates;
mod execute;
mod network;
mod open;
mod system;
mod times;

pub use dates::Dates;
pub use execute::has_more_rights;

/// A system call, and the thread that makes it.
#[derive(Clone, Copy)]
pub struct Made {
    pub tracee: Tracee,
    pub arguments: [u64; 6],
    pub name: &'static str,
}

impl Made {
    /// Returns the lower half of an argument, which is the part that the kernel uses for flags and
    /// descriptors.
    fn number(&self, at: usize) -> i32 {
        self.arguments[at] as i32
    }

    fn has(&self, at: usize, flag: i32) -> bool {
        self.number(at) & flag != 0
    }
}

/// The result of looking up a string.
#[derive(Clone, Copy)]
pub struct Asked {
    spot: Spot,
    /// True if the path was reached through a descriptor of the process.
    is_by_descriptor: bool,
}

/// A path argument, as read from memory.
pub struct Named {
    /// The canonical folder to which the path is relative.
    from: Vec<u8>,
    path: Vec<u8>,
}

impl Recorder {
    /// Handles a call that waits for an answer.
    pub fn take(&mut self, event: &Event) {
        let tracee = Tracee(event.tid);
        if self.processes.is_empty() {
            self.processes.push(tracee.process());
        }
        if !event.is_native || event.number as u32 >= 0x4000_0000 {
            self.refuse_of(tracee, Weight::Done, "a system call of another architecture");
            return;
        }
        let Some(Call { name, does, .. }) = by_number(event.number as u32) else {
            let what = format_args!("system call {}, which is not known,", event.number);
            self.refuse_of(tracee, Weight::Done, what);
            return;
        };
        if self.is_full() {
            return;
        }
        self.is_called(tracee);
        let made = Made { tracee, arguments: event.arguments, name };
        let is_new = self.meet(tracee);
        self.goes_on(tracee, is_new);
        if is_new || !matches!(does, Does::One(_, _, Op::Stat)) {
            self.forget_stat(tracee, is_new);
        }
        match self.done(&made, *does) {
            Ok(()) | Err(Unread::Invalid) => {}
            Err(Unread::Denied(errno)) => self.unreadable(tracee, errno),
        }
    }

    /// Refuses a run because a process's memory cannot be read.
    fn unreadable(&mut self, tracee: Tracee, errno: Errno) {
        // A thread that has ended does nothing any more.
        if errno != Errno::SRCH {
            let why = format!(
                "the memory of {} (pid {}) cannot be read: {errno}",
                tracee.name(),
                tracee.process()
            );
            self.refuse(Weight::Done, why);
        }
    }

    fn done(&mut self, made: &Made, does: Does) -> Result<(), Unread> {
        match does {
            Does::One(place, follow, op) => self.one(made, place, follow, op)?,
            Does::Open(place, flags) => self.open(made, place, made.number(flags))?,
            Does::Creat(place) => {
                self.open(made, place, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC)?;
            }
            Does::OpenHow => self.open_how(made)?,
            Does::UnlinkAt(place, flags) => {
                let is_folder = made.has(flags, libc::AT_REMOVEDIR);
                let op = if is_folder { Op::RemoveFolder } else { Op::Unlink };
                self.one(made, place, Follow::No, op)?;
            }
            Does::Rename(from, to, flags) => {
                self.rename(made, from, to, flags.map_or(0, |at| made.number(at)))?;
            }
            Does::HardLink(from, to, follow) => self.hard_link(made, from, to, follow)?,
            Does::List(fd) => self.list(made, made.number(fd)),
            Does::ChangeFolder(path) => {
                self.one(made, Place::Path(path), Follow::Yes, Op::Access)?;
            }
            Does::Socket => self.socket(made),
            Does::Connect(address) => self.connect(made, address)?,
            Does::Bind => self.bind(made)?,
            Does::SendMessage => self.send_message(made, made.arguments[1])?,
            Does::SendMessages => self.send_messages(made)?,
            Does::Clone | Does::Unshare => self.namespaces(made, made.arguments[0]),
            Does::Clone3 => {
                let mut flags = [0; 8];
                made.tracee.read(made.arguments[0], &mut flags)?;
                self.namespaces(made, u64::from_le_bytes(flags));
            }
            Does::ChangeUser(count) => self.change_user(made, count),
            Does::ChangeGroups if rustix::process::geteuid().is_root() => self.refuse_call(made),
            Does::ChangeGroups => {}
            Does::SharedObject if made.number(0) == libc::IPC_PRIVATE => {}
            Does::FreeSpace(place) => self.free_space(made, place)?,
            Does::Mounts => self.note_mounts(),
            Does::Process => self.reach_process(made, 0),
            Does::Attach => self.reach_process(made, 1),
            Does::Priority(process) => self.reach_priority(made, process),
            Does::TryLock => self.try_lock(made),
            Does::FileFlags => self.look_at_flags(made),
            Does::Ring => self.lacks_io_uring = true,
            Does::Filter if !made.has(1, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER as i32) => {}
            Does::Filter | Does::SharedObject | Does::Refused => self.refuse_call(made),
        }
        Ok(())
    }

    fn refuse_call(&mut self, made: &Made) {
        self.refuse_of(made.tracee, Weight::Done, made.name);
    }

    fn namespaces(&mut self, made: &Made, flags: u64) {
        if flags & NAMESPACES != 0 {
            self.refuse_of(made.tracee, Weight::Done, "a namespace of its own");
        }
    }

    fn change_user(&mut self, made: &Made, count: usize) {
        // An unprivileged process may request its own ids.
        let own = [rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()];
        let is_kept = made.arguments[..count].iter().all(|&id| {
            let id = id as u32;
            id == u32::MAX || own.contains(&id)
        });
        if !is_kept {
            self.refuse_of(made.tracee, Weight::Done, "a change of its user");
        }
    }

    /// Reads a path argument.
    fn named(&mut self, made: &Made, place: Place) -> Result<Option<Named>, Unread> {
        self.named_but(made, place, true)
    }

    /// Like `named`, but for a descriptor alone only if `bare`.
    fn named_but(
        &mut self,
        made: &Made,
        place: Place,
        bare: bool,
    ) -> Result<Option<Named>, Unread> {
        let (from, path) = match place {
            Place::Path(path) => (libc::AT_FDCWD, made.arguments[path]),
            Place::At(from, path) => (made.number(from), made.arguments[path]),
            Place::Fd(fd) if bare => return Ok(self.descriptor(made.tracee, made.number(fd))),
            Place::Fd(_) => return Ok(None),
        };
        let mut text = Vec::new();
        // Some calls take a descriptor alone if there is no path.
        if path != 0 {
            made.tracee.read_string(path, &mut text)?;
        }
        if text.starts_with(b"/") {
            return Ok(Some(Named { from: Vec::new(), path: text }));
        }
        if text.is_empty() && from != libc::AT_FDCWD {
            return Ok(if bare { self.descriptor(made.tracee, from) } else { None });
        }
        let target = match from {
            libc::AT_FDCWD => made.tracee.working_directory(),
            fd => made.tracee.descriptor(fd),
        };
        self.looks_from(made.tracee, &target, &text);
        match target {
            Ok(Target::Path(from)) => Ok(Some(Named { from, path: text })),
            // Nothing exists in a removed folder, or below a file.
            Ok(Target::Removed | Target::Nameless) | Err(Errno::NOENT | Errno::BADF) => Ok(None),
            Err(errno) => {
                self.unreadable(made.tracee, errno);
                Ok(None)
            }
        }
    }

    /// Returns the canonical path of an open file.
    fn descriptor(&mut self, tracee: Tracee, fd: i32) -> Option<Named> {
        match tracee.descriptor(fd) {
            Ok(Target::Path(path)) => Some(Named { from: b"/".to_vec(), path }),
            Ok(Target::Removed | Target::Nameless) | Err(Errno::NOENT | Errno::BADF) => None,
            Err(errno) => {
                self.unreadable(tracee, errno);
                None
            }
        }
    }

    /// Looks up a path argument, bypassing the memory of earlier look-ups.
    fn find(&mut self, made: &Made, named: &Named, follows: bool) -> Walk {
        let walk = self.walk(made.tracee, &named.from, &named.path, follows);
        if walk.enters {
            self.enters(made, named, &walk);
        }
        if let (true, End::At(spot)) = (walk.is_by_link, &walk.end) {
            // A linker that finds an old output behind a link replaces the link.
            self.is_needed(spot.id);
        }
        walk
    }

    fn one(&mut self, made: &Made, place: Place, follow: Follow, op: Op) -> Result<(), Unread> {
        let follows = match follow {
            Follow::Yes => true,
            Follow::No => false,
            Follow::Unless(at) => !made.has(at, libc::AT_SYMLINK_NOFOLLOW),
            Follow::If(at) => made.has(at, libc::AT_SYMLINK_FOLLOW),
        };
        let looks = if op == Op::Stat { self.looks(made.tracee) } else { Looks::Plainly };
        if looks == Looks::InPairs {
            self.stat_in_a_shell(made, place, follows)?;
        }
        // The status of an open file is covered by the facts from when it was opened, except for
        // programs that ask for more.
        let bare = op != Op::Stat || matches!(looks, Looks::AtTimes | Looks::AtDetails);
        let Some(named) = self.named_but(made, place, bare)? else {
            if op == Op::Execute {
                self.nameless_is_run(made);
            }
            return Ok(());
        };
        let (bits, write) = match op {
            Op::Stat => match looks {
                Looks::AtTimes => (Class::Stat.bit() | crate::linux::tree::Node::TIMES, None),
                Looks::AtDetails => (Class::Details.bit(), None),
                _ => (Class::Stat.bit(), None),
            },
            Op::Access => (Class::Access.bit(), None),
            Op::Attributes => (Class::Attributes.bit(), None),
            Op::Link => (Class::Link.bit(), None),
            Op::Execute => {
                self.execute(made, &named, follows);
                return Ok(());
            }
            Op::Change | Op::Date(_) => (0, Some(Write::Keep)),
            Op::ChangeAttributes => (0, Some(Write::Attributes)),
            Op::Create => (0, Some(Write::Create { is_exclusive: true })),
            Op::Unlink => (0, Some(Write::Remove { is_folder: false })),
            Op::RemoveFolder => (0, Some(Write::Remove { is_folder: true })),
        };
        let Some(write) = write else {
            self.ask(made, &named, follows, bits);
            return Ok(());
        };
        if let End::At(spot) = self.find(made, &named, follows).end {
            self.write(spot, write);
            if let Op::Date(times) = op {
                self.date(made, times, spot.id)?;
            }
        }
        Ok(())
    }

    /// Notes a look-up and its facts, unless an equal one is known. Returns the result if a look-up
    /// was made.
    fn ask(&mut self, made: &Made, named: &Named, follows: bool, bits: u16) -> Option<Asked> {
        let mut key = Vec::with_capacity(named.from.len() + named.path.len() + 4);
        key.extend(bits.to_le_bytes());
        key.push(u8::from(follows) | (self.by as u8) << 1);
        key.extend(&named.from);
        key.push(0);
        key.extend(&named.path);
        if self.is_known(&key) {
            return None;
        }
        let walk = self.find(made, named, follows);
        // A path through something that the run changed may lead elsewhere the next time.
        let is_stable =
            walk.is_shared && !walk.enters && !walk.met.iter().any(|&id| self.tree[id].is_changed);
        if is_stable && self.asked.len() < MOST {
            let mut met = walk.met;
            met.sort_unstable();
            met.dedup();
            let is_absent = |id: &Id| self.tree[*id].before == Some(Found::Nothing);
            let absent = met.iter().copied().find(is_absent);
            self.asked.insert(key, Known { met: met.into(), absent, epoch: self.epoch });
        }
        let End::At(spot) = walk.end else { return None };
        if !spot.is_own {
            self.note_read(spot, bits);
        }
        Some(Asked { spot, is_by_descriptor: walk.is_by_descriptor })
    }

    /// Notes what a call learns about a path.
    fn note_read(&mut self, spot: Spot, bits: u16) {
        match spot.found {
            Found::Nothing | Found::Error(_) => {
                self.note(spot.id, Class::Kind);
                self.is_looked_for(spot.id, bits);
            }
            Found::There(_) => self.note_bits(spot.id, bits),
        }
        let is_there = spot.found.status().is_some();
        self.tree[spot.id].is_read |= is_there && bits & Class::Contents.bit() != 0;
    }

    fn looks(&mut self, tracee: Tracee) -> Looks {
        if !self.are_looks_known {
            return Looks::Plainly;
        }
        *self.looks.entry(tracee.0).or_insert_with(|| match tracee.executable() {
            Ok(Target::Path(path)) => Looks::of(name(&path)).with(|| tracee.arguments()),
            _ => Looks::Plainly,
        })
    }

    fn list(&mut self, made: &Made, fd: i32) {
        let Some(named) = self.descriptor(made.tracee, fd) else { return };
        if named.path == b"/proc" {
            self.refuse_of(made.tracee, Weight::Done, "a look at all processes");
        } else if !crate::linux::walk::is_of_a_process(&named.path) {
            let Some(spot) = self.spot(&named.path) else { return };
            if spot.is_own {
                self.check_makers(&named.path, false);
            } else {
                self.note(spot.id, Class::Listing);
            }
        }
    }

    fn rename(&mut self, made: &Made, from: Place, to: Place, flags: i32) -> Result<(), Unread> {
        const EXCHANGE: i32 = libc::RENAME_EXCHANGE as i32;
        const NO_REPLACE: i32 = libc::RENAME_NOREPLACE as i32;
        let (Some(from), Some(to)) = (self.named(made, from)?, self.named(made, to)?) else {
            return Ok(());
        };
        let (from, to) = (self.find(made, &from, false).end, self.find(made, &to, false).end);
        let (End::At(from), End::At(to)) = (from, to) else { return Ok(()) };
        if flags & !(EXCHANGE | NO_REPLACE) != 0 {
            self.refuse_call(made);
        }
        let is_folder = |it: Found| it.status().is_some_and(Status::is_folder);
        let moved = if flags & EXCHANGE != 0 { vec![from, to] } else { vec![from] };
        for spot in moved {
            if is_folder(spot.found) && !spot.is_own {
                let path = display(self.tree[spot.id].path.to_bytes());
                self.refuse_of(made.tracee, Weight::Done, format_args!("{path} is renamed"));
            }
            if is_folder(spot.found) && spot.is_own {
                let path = self.tree[spot.id].path.clone();
                self.check_makers(path.to_bytes(), true);
            }
            self.write(spot, Write::Keep);
            self.note_folder_of(&spot);
        }
        if from.found == Found::Nothing {
            // Without the right to search that folder, there is another error.
            self.note_folder_of(&to);
        } else {
            self.write(to, Write::Replace);
        }
        self.is_moved(from, to);
        if flags & EXCHANGE != 0 {
            self.is_moved(to, from);
        }
        Ok(())
    }

    /// Notes that something may be renamed, with everything in it and with its time.
    fn is_moved(&mut self, from: Spot, to: Spot) {
        let keeps_time = self.tree[from.id].keeps_time || !from.is_own;
        let node = &mut self.tree[to.id];
        node.is_moved_folder |= from.found.status().is_some_and(Status::is_folder);
        node.keeps_time |= keeps_time;
    }

    fn hard_link(
        &mut self,
        made: &Made,
        from: Place,
        to: Place,
        follow: Follow,
    ) -> Result<(), Unread> {
        let follows = matches!(follow, Follow::If(at) if made.has(at, libc::AT_SYMLINK_FOLLOW));
        let (from, to) = (self.named(made, from)?, self.named(made, to)?);
        let Some(to) = to else { return Ok(()) };
        // A file without a name is the run's own.
        let from = from.map(|from| self.find(made, &from, follows).end);
        let to = self.find(made, &to, false).end;
        match from {
            Some(End::Nowhere) => return Ok(()),
            Some(End::At(spot)) if spot.found == Found::Nothing => return Ok(()),
            Some(End::At(spot)) if !spot.is_own => {
                let path = display(self.tree[spot.id].path.to_bytes());
                let what = format_args!("a second name for {path}");
                self.refuse_of(made.tracee, Weight::Done, what);
                self.note_read(spot, Class::Contents.bit());
            }
            _ => {}
        }
        if let End::At(to) = to {
            self.write(to, Write::Create { is_exclusive: true });
            if let Some(End::At(from)) = from {
                self.tree[to.id].keeps_time |= self.tree[from.id].keeps_time;
            }
        }
        Ok(())
    }
}
