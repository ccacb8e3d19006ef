//! Files that are opened.

use super::{Made, Named};
use crate::facts::{Class, TERMINAL};
use crate::linux::calls::Place;
use crate::linux::places::Looks;
use crate::linux::recorder::{Recorder, Weight, display};
use crate::linux::tracee::Unread;
use crate::linux::tree::Found;
use crate::linux::walk::{End, Spot};
use crate::linux::write::Write;
use rustix::fs::FileType;

/// The `openat2` flags that only add reasons to fail: such a failure depends on paths that were
/// noted.
const RESOLVE: u64 = libc::RESOLVE_NO_MAGICLINKS
    | libc::RESOLVE_NO_SYMLINKS
    | libc::RESOLVE_BENEATH
    | RESOLVE_CACHED;
const RESOLVE_CACHED: u64 = 0x20;

impl Recorder {
    /// Notes that a file is opened with flags in memory.
    pub(super) fn open_how(&mut self, made: &Made) -> Result<(), Unread> {
        let mut how = [0; 24];
        made.tracee.read(made.arguments[2], &mut how)?;
        let (words, _) = how.as_chunks::<8>();
        let [flags, resolve] = [0, 2].map(|at| u64::from_le_bytes(words[at]));
        if resolve & !RESOLVE != 0 || made.arguments[3] != how.len() as u64 {
            self.refuse_call(made);
        }
        self.open(made, Place::At(0, 1), flags as i32)
    }

    /// Notes that a file is opened.
    pub(super) fn open(&mut self, made: &Made, place: Place, flags: i32) -> Result<(), Unread> {
        let has = |flag: i32| flags & flag == flag;
        let Some(named) = self.named(made, place)? else { return Ok(()) };
        let follows = !has(libc::O_NOFOLLOW);
        if has(libc::O_PATH) {
            self.ask(made, &named, follows, Class::Stat.bit());
            return Ok(());
        }
        if has(libc::O_TMPFILE) {
            self.ask(made, &named, follows, Class::Access.bit());
            return Ok(());
        }
        let is_reading = flags & libc::O_ACCMODE == libc::O_RDONLY;
        if is_reading && !has(libc::O_CREAT) && !has(libc::O_TRUNC) {
            self.read_file(made, &named, follows, flags);
            return Ok(());
        }
        let is_exclusive = has(libc::O_CREAT | libc::O_EXCL);
        let walk = self.find(made, &named, follows && !is_exclusive);
        let End::At(spot) = walk.end else { return Ok(()) };
        let Some(status) = spot.found.status() else {
            if spot.found == Found::Nothing && has(libc::O_CREAT) {
                self.write(spot, Write::Create { is_exclusive });
                if !has(libc::O_TRUNC) {
                    self.is_needed(spot.id);
                }
            }
            return Ok(());
        };
        match status.kind() {
            FileType::RegularFile if is_exclusive => self.note_of(spot, Class::Access),
            FileType::RegularFile if has(libc::O_TRUNC) => self.write(spot, Write::Empty),
            FileType::RegularFile if is_reading => {
                self.note_of(spot, Class::Contents);
                self.tree[spot.id].is_read |= !spot.is_own;
            }
            FileType::RegularFile => {
                self.tree[spot.id].is_read |= !spot.is_own && has(libc::O_RDWR);
                self.write(spot, Write::Change);
            }
            FileType::Directory | FileType::Symlink => self.note_of(spot, Class::Access),
            _ => {
                self.note_of(spot, Class::Access);
                self.special(made, spot, walk.is_by_descriptor, flags);
            }
        }
        Ok(())
    }

    fn note_of(&mut self, spot: Spot, class: Class) {
        if !spot.is_own {
            self.note(spot.id, class);
        }
    }

    /// Notes that a file is opened for reading.
    fn read_file(&mut self, made: &Made, named: &Named, follows: bool, flags: i32) {
        if self.looks(made.tracee) == Looks::InPairs {
            self.read_by_a_shell(made, named);
        }
        let Some(asked) = self.ask(made, named, follows, Class::Contents.bit()) else { return };
        let Some(status) = asked.spot.found.status() else { return };
        if !matches!(status.kind(), FileType::RegularFile | FileType::Directory | FileType::Symlink)
        {
            self.special(made, asked.spot, asked.is_by_descriptor, flags);
        }
    }

    /// Notes that a device, a FIFO or the like is opened.
    fn special(&mut self, made: &Made, spot: Spot, is_by_descriptor: bool, flags: i32) {
        let node = &self.tree[spot.id];
        if spot.is_own || node.is_left_out || is_by_descriptor {
            return;
        }
        let path = node.path.to_bytes();
        // bash does this to check for a terminal, whatever it is about to do.
        let is_a_look = path == TERMINAL && flags & !(libc::O_CLOEXEC | LARGE) == LOOK;
        if path == TERMINAL && made.tracee.has_no_terminal() {
            // The call fails, as it will for any look-up without a terminal.
            self.note(spot.id, Class::Contents);
            return;
        }
        if is_a_look || self.is_of_the_jobserver(path) {
            return;
        }
        let what = format!("{}, which is no file, is opened", display(path));
        self.refuse_of(made.tracee, Weight::Done, what);
    }

    /// Returns whether a FIFO is make's jobserver.
    fn is_of_the_jobserver(&self, path: &[u8]) -> bool {
        let fifos = &self.settings.jobserver.fifos;
        fifos.iter().any(|fifo| fifo.as_os_str().as_encoded_bytes() == path)
    }
}

/// The flags with which bash opens its terminal to check whether there is one.
const LOOK: i32 = libc::O_RDWR | libc::O_NONBLOCK;
/// The kernel's flag for large files, which the C library defines as 0.
const LARGE: i32 = if cfg!(target_arch = "aarch64") { 0o400_000 } else { 0o100_000 };
