//! What is asked of the system as a whole: what is mounted and how much room there is, which
//! processes there are, and who holds a lock.

use super::{Made, Place};
use crate::facts::Class;
use crate::linux::places;
use crate::linux::recorder::{Recorder, Weight, display};
use crate::linux::tracee::{Tracee, Unread};
use crate::linux::walk::{End, MOUNTS};

impl Recorder {
    /// The room on a file system changes all the time, and by others. What only asks of which
    /// type it is gets the same answer while the same is mounted there.
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

    /// The run depends on what is mounted.
    pub(super) fn note_mounts(&mut self) {
        if let Some(spot) = self.spot(MOUNTS) {
            self.note(spot.id, Class::Contents);
        }
    }

    /// A process of the run's own, or the one that waits for it, is no secret. Whether there is
    /// any other depends on nobody knows what.
    pub(super) fn reach_process(&mut self, made: &Made) {
        let process = made.number(0);
        let is_known = process != -1 && {
            // Or a group, which is called after the process that made it.
            let process = process.saturating_abs();
            process == std::process::id() as i32
                || self.met.contains(&process)
                || self.is_ours(process)
        };
        if !is_known {
            let what = format_args!("{} of process {process}", made.name);
            self.refuse_of(made.tracee, Weight::Done, what);
        }
    }

    /// A lock is tried without waiting for it. Many programs do so to say that they wait, and
    /// then wait; where the answer is all that is wanted, it is nobody's to keep.
    pub(super) fn try_lock(&mut self, made: &Made) {
        if Tracee(made.tracee.process()).name() == "flock" {
            self.refuse_of(made.tracee, Weight::Done, "a look at whether another holds a lock");
        }
    }

    /// A thread does something: later it is known to have been the run's own. Whether it is
    /// the first that is known of it.
    pub(super) fn meet(&mut self, tracee: Tracee) -> bool {
        let is_other = self.last_met != tracee.0;
        self.last_met = tracee.0;
        is_other && self.met.insert(tracee.0)
    }
}
