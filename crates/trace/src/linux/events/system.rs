//! Queries about the system as a whole: mounts, free space, other processes and locks.

use super::{Made, Place};
use crate::facts::Class;
use crate::linux::places;
use crate::linux::recorder::{Recorder, Weight, display};
use crate::linux::tracee::{Tracee, Unread};
use crate::linux::walk::{End, MOUNTS};

impl Recorder {
    /// Notes a query of a file system. Its free space always changes, because of other processes. A
    /// program that only wants the type gets the same answer while the same file system is mounted.
    pub(super) fn free_space(&mut self, made: &Made, place: Place) -> Result<(), Unread> {
        let Some(named) = self.named(made, place)? else { return Ok(()) };
        let End::At(spot) = self.find(made, &named, true).end else { return Ok(()) };
        if spot.found.status().is_none() {
            self.note(spot.id, Class::Kind);
            return Ok(());
        }
        if !spot.is_own {
            self.note(spot.id, Class::Access);
        }
        let path = self.tree[spot.id].path.clone();
        let path = path.to_bytes();
        let is_made_up = !crate::facts::has_stamp(path);
        let asker = Tracee(made.tracee.process()).name();
        if !is_made_up && !places::asks_for_type_only(asker.as_bytes()) {
            let what = format_args!("a look at the free space of {}", display(path));
            self.refuse_of(made.tracee, Weight::Done, what);
        }
        Ok(())
    }

    /// Notes that the run depends on the mounted file systems.
    pub(super) fn note_mounts(&mut self) {
        if let Some(spot) = self.spot(MOUNTS) {
            self.note(spot.id, Class::Contents);
        }
    }

    /// Notes that the process in an argument is reached. That may be one of the run's own or the
    /// process that waits for it. The existence of any other depends on things unknown.
    pub(super) fn reach_process(&mut self, made: &Made, at: usize) {
        let process = made.number(at);
        let is_known = process != -1 && {
            // A process, or a group, which has the id of the process that created it.
            let process = process.saturating_abs();
            process == std::process::id() as i32
                || self.met.contains(&process)
                || self.is_ours(Tracee(process).process())
        };
        if !is_known {
            let what = format_args!("{} of process {process}", made.name);
            self.refuse_of(made.tracee, Weight::Done, what);
        }
    }

    /// Notes that a priority is read or set. That of the caller, or of another process of the run,
    /// ends with the run.
    pub(super) fn reach_priority(&mut self, made: &Made, process: i32) {
        if made.number(0) != process {
            let what = format_args!("{} of a group or user", made.name);
            self.refuse_of(made.tracee, Weight::Done, what);
        } else if made.number(1) != 0 {
            self.reach_process(made, 1);
        }
    }

    /// Notes that the flags of an open file are read.
    pub(super) fn look_at_flags(&mut self, made: &Made) {
        self.refuse_of(made.tracee, Weight::Done, "a look at the flags of a file");
    }

    /// Notes that a lock is tried without waiting. Many programs do so to report that they wait,
    /// and then wait. Where only the answer is wanted, the run cannot be recorded.
    pub(super) fn try_lock(&mut self, made: &Made) {
        if Tracee(made.tracee.process()).name() == "flock" {
            self.refuse_of(made.tracee, Weight::Done, "a look at whether another holds a lock");
        }
    }

    /// Remembers a thread as one of the run's own. Returns whether it is new.
    pub(super) fn meet(&mut self, tracee: Tracee) -> bool {
        let is_other = self.last_met != tracee.0;
        self.last_met = tracee.0;
        is_other && self.met.insert(tracee.0)
    }
}
