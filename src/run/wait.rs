//! Waits for a turn to run a command under `--no-concurrent`.
//!
//! A waiting process follows the output of the lock's holder, and needs no turn if that run ends by
//! itself, recorded or not. If the run does not, or can no longer be followed (it was killed or
//! interrupted, or the store is full), a process that has shown nothing takes its turn as usual.
//! One that has shown something keeps it as an [`OutputPrefix`]: whatever comes next (a record,
//! another holder's run, or its own run) is skipped as far as it equals that prefix. If it differs,
//! no correct output is possible any more, and an error says so.
//!
//! A run that prints nothing cannot be followed. Its holder writes into the lock how it ended,
//! unless there is a record.
//!
//! No process waits for ever. It does not wait for a holder on whose behalf it runs, nor for one
//! with which it is in a circle of commands that wait for each other (see [`circle`]). The user's
//! limits end any wait. Without them there are default limits (see [`patience`]): past one of
//! those, a process leaves the holder alone, and queues up for another lock with those that did the
//! same, so that only one of them runs the command.

mod circle;
mod patience;
mod queue;

use crate::run::follow::{Audience, Following, Step};
use cachex_base::process::lineage::Lineage;
use cachex_base::record::frames::Stream;
use cachex_base::streams::messages::{self, Messages};
use cachex_base::streams::output_prefix::{Diverged, OutputPrefix};
use cachex_base::system::fsutil;
use cachex_store::Root;
use cachex_store::lock::{self, End, EndedBy, Lock, Mode, Signature};
use circle::Waiter;
use patience::{Obstacle, Standstill};
use queue::Place;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::AsFd;
use std::cell::OnceCell;
use std::fmt::Arguments;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// The first interval between checks for more output,
const SHORTEST: Duration = Duration::from_millis(1);
/// and the longest one, after some silence.
const LONGEST: Duration = Duration::from_millis(25);
/// The interval of other checks while this process's reader takes nothing.
const BLOCKED: Duration = Duration::from_secs(1);

/// The result of waiting.
pub enum Waited {
    /// This process has its turn.
    Turn {
        /// The lock that grants the turn.
        lock: Lock,
        /// True if another process held the lock before, and may have left a result.
        waited: bool,
    },
    /// The run of another process ended in this way, and stands for this one's. It was shown from
    /// beginning to end, unless the caller decides that later: see [`Wait::show`].
    Ended(End),
    /// The wait could last for ever, or takes longer than allowed: the command is to run all the
    /// same, by itself.
    Apart(Apart),
    /// The holder makes no progress, which was reported; wait for the next lock.
    LeftAlone,
    /// The command's own time limit has passed.
    TimedOut,
    /// Output was shown and cannot be completed; the error was reported.
    Failed,
}

/// The reason to run a command although another process holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// This process runs on behalf of the holder, which waits for it.
    Within,
    /// The holder waits for a lock held by a process on whose behalf this one runs.
    Circle,
    /// The holder's output can neither be followed nor will it be recorded.
    Dropped,
    /// The wait exceeded `--lock-timeout`, which was reported.
    Impatient,
}

/// The limits of a wait, and the use of other processes' runs.
#[derive(Clone, Copy, Debug)]
pub struct WaitPolicy {
    /// The longest wait while nothing is shown; none: see [`patience`].
    pub lock_timeout: Option<Duration>,
    /// The time limit of the command, including another process's run that stands for it.
    pub timeout: Option<Duration>,
    /// The first turn whose run counts as waited for, whenever it comes.
    pub first_turn: Option<u64>,
    /// True if an earlier run of another process may stand for this one's.
    pub shares: bool,
    /// True if that also applies to a run that ended with status 0.
    pub shares_success: bool,
    /// True if that run is shown while it goes on, rather than only once it is over.
    pub shows: bool,
}

/// A waiting process, and the output it has shown in the meantime.
pub struct Wait<'r> {
    root: &'r Root,
    messages: Messages,
    terms: WaitPolicy,
    began: Instant,
    /// The time at which something was last shown.
    moved: Instant,
    audience: Audience,
    following: Option<Following>,
    lineage: OnceCell<Lineage>,
    waiter: Waiter<'r>,
    /// The delay until the holder is announced; none if it was, or must not be.
    announced_after: Option<Duration>,
}

/// A lock that is waited for.
struct Queue<'n> {
    name: &'n Path,
    /// The place in the queue; none once it has been given up.
    place: Option<Place>,
    /// A lock that tells the holder of this wait while its run is not followed.
    row: Option<Lock>,
    /// The holder's signature when last read.
    signature: Option<Signature>,
    /// The first turn that was, or would be, under way during this wait.
    first_turn: u64,
    standstill: Standstill,
    /// True if the holder's output may be shown.
    may_show: bool,
}

impl<'r> Wait<'r> {
    /// Begins to wait.
    pub fn new(root: &'r Root, messages: Messages, terms: WaitPolicy) -> Wait<'r> {
        let now = Instant::now();
        Wait {
            root,
            messages,
            terms,
            began: now,
            moved: now,
            audience: Audience::new(),
            following: None,
            lineage: OnceCell::new(),
            waiter: Waiter::new(root),
            announced_after: patience::of_the_reader(),
        }
    }

    /// Returns the output already shown, which must not be shown again.
    pub fn into_printed(self) -> OutputPrefix {
        self.audience.printed
    }

    /// Returns the number of bytes shown of each stream.
    pub fn shown(&self) -> [u64; 2] {
        self.audience.printed.bytes()
    }

    /// Waits for the lock of this name, and follows its holder. Signals end the wait as they end a
    /// process. An error means that the lock cannot be waited for.
    pub fn for_turn(&mut self, name: &Path) -> io::Result<Waited> {
        self.following = None;
        if let Some(lock) = Lock::take(self.root, name, Mode::TryExclusive)? {
            // A run that ended since the look-up may have left its result.
            let waited = lock.left_behind().is_some();
            lock.sign();
            return Ok(Waited::Turn { lock, waited });
        }
        // Read this before the wait becomes visible: the holder may end at once.
        let first_turn = lock::signature(self.root.as_fd(), name).map_or(0, |it| it.awaited_turn());
        let mut queue = Queue {
            name,
            row: self.stands_in_row(name),
            place: Some(Place::take(self.root, name)?),
            signature: None,
            first_turn: self.terms.first_turn.unwrap_or(first_turn),
            standstill: Standstill::new(None),
            may_show: false,
        };
        self.run(&mut queue)
    }

    fn stands_in_row(&self, name: &Path) -> Option<Lock> {
        let shares = || Lock::take(self.root, lock::row(name), Mode::Shared).ok().flatten();
        self.terms.shares.then(shares).flatten()
    }

    /// Shows the run of another process that ended this way, if it was not shown yet.
    pub fn show(&mut self, end: End) -> Waited {
        loop {
            let Some(following) = &mut self.following else { return Waited::Ended(end) };
            match following.advance(&mut self.audience) {
                Step::Moved => {}
                Step::Ended(end) => return Waited::Ended(end),
                Step::Idle | Step::Nonsense => {
                    return failed(format_args!("the rest of the output is gone"));
                }
                Step::Blocked(stream) => drop(self.waits(None, BLOCKED, Some(stream))),
                step => return stuck(&step),
            }
        }
    }

    fn run(&mut self, queue: &mut Queue<'_>) -> io::Result<Waited> {
        let mut pause = Duration::ZERO;
        loop {
            let mut blocked = None;
            match self.step(queue) {
                Step::Moved => {
                    pause = Duration::ZERO;
                    self.gets_on(queue);
                }
                // The output was complete before the place was given up.
                Step::Idle | Step::Nonsense if queue.place.is_none() => {
                    return Ok(failed(format_args!("the rest of the output is gone")));
                }
                Step::Idle => {
                    pause = (pause * 2).clamp(SHORTEST, LONGEST);
                    if let Some(waited) = self.look(queue) {
                        return Ok(waited);
                    }
                }
                Step::Blocked(stream) => {
                    blocked = Some(stream);
                    pause = BLOCKED;
                    // The reader delays this process, not the holder.
                    self.gets_on(queue);
                }
                Step::Ended(end) if self.is_as_good(&end) => return Ok(Waited::Ended(end)),
                Step::Nonsense | Step::Ended(_) => self.following = None,
                step => return Ok(stuck(&step)),
            }
            if queue.place.is_some()
                && let Some(waited) = self.loses_patience(queue)
            {
                return Ok(waited);
            }
            if self.waits(queue.place.as_ref(), pause, blocked) {
                if self.is_whole() {
                    // Others must not wait until a slow reader has read.
                    queue.place = None;
                } else if let Some(place) = queue.place.take() {
                    return self.turn(queue, place);
                }
            }
        }
    }

    /// Continues to show the followed run, or checks whether it is over.
    fn step(&mut self, queue: &mut Queue<'_>) -> Step {
        if self.terms.shows && self.following.is_some() && !queue.may_show {
            let lineage = self.lineage.get_or_init(Lineage::own);
            let may_show = self.waiter.may_show(queue.name, lineage);
            // A run that has ended cannot be part of a circle.
            queue.may_show = may_show || self.is_whole();
            if !queue.may_show {
                return Step::Idle;
            }
        }
        match &mut self.following {
            Some(following) if self.terms.shows => following.advance(&mut self.audience),
            Some(following) => following.whole().map_or(Step::Idle, Step::Ended),
            None => Step::Idle,
        }
    }

    fn gets_on(&mut self, queue: &mut Queue<'_>) {
        self.moved = Instant::now();
        queue.standstill.ends();
    }

    /// Returns whether the run of another process may stand for this one's.
    fn is_as_good(&self, end: &End) -> bool {
        self.terms.shares
            && match end.how {
                EndedBy::Status(0) => self.terms.shares_success,
                EndedBy::Status(_) | EndedBy::Signal(_) => true,
                EndedBy::TimeLimit(limit) => self.terms.timeout.is_some_and(|own| own <= limit),
            }
    }

    /// Returns whether the complete output is available of a run that may stand for this one's.
    fn is_whole(&mut self) -> bool {
        let end = self.following.as_mut().and_then(Following::whole);
        end.is_some_and(|end| self.is_as_good(&end))
    }

    /// Finds out who holds the lock, follows it, and checks whether to wait for it.
    fn look(&mut self, queue: &mut Queue<'_>) -> Option<Waited> {
        let signature = lock::signature(self.root.as_fd(), queue.name);
        // The run of an earlier holder is worth following if all of it is there.
        if signature != queue.signature && !self.is_whole() {
            self.meets(queue, signature);
        }
        let signature = queue.signature.as_ref()?;
        let lineage = self.lineage.get_or_init(Lineage::own);
        if lineage.descends_from(&signature.holder) {
            return Some(Waited::Apart(Apart::Within));
        }
        if self.waiter.is_to_break_a_circle(queue.name, lineage) {
            return Some(Waited::Apart(Apart::Circle));
        }
        if self.terms.shares && signature.is_dropped && !self.is_whole() {
            return Some(Waited::Apart(Apart::Dropped));
        }
        self.silent_end(queue, signature).map(Waited::Ended)
    }

    /// Handles a new holder of the lock, or more written by the same one.
    fn meets(&mut self, queue: &mut Queue<'_>, signature: Option<Signature>) {
        let (new, old) = (signature.as_ref(), queue.signature.as_ref());
        let goes_on = new.zip(old).is_some_and(|(new, old)| new.is_of_the_same_turn(old));
        if !goes_on {
            queue.standstill = Standstill::new(signature.clone());
        }
        let live = |signature: Option<&Signature>| signature.and_then(|it| it.live.clone());
        if !goes_on || live(new) != live(old) {
            queue.may_show = false;
            let live = live(new).filter(|_| self.terms.shares);
            let printed = &self.audience.printed;
            self.following = live.and_then(|live| Following::begin(self.root, &live, printed));
            queue.row = match self.following {
                Some(_) => None,
                None => queue.row.take().or_else(|| self.stands_in_row(queue.name)),
            };
        }
        queue.signature = signature;
    }

    /// Returns the end of a run that was waited for, and that printed nothing.
    fn silent_end(&self, queue: &Queue<'_>, signature: &Signature) -> Option<End> {
        let was_waited_for = signature.turn >= queue.first_turn;
        // After some output was shown, printing nothing would differ.
        let is_silent = signature.live.is_none() && self.audience.printed.is_empty();
        signature.end.filter(|end| was_waited_for && is_silent && self.is_as_good(end))
    }

    /// Checks the time limits.
    fn loses_patience(&mut self, queue: &mut Queue<'_>) -> Option<Waited> {
        let now = Instant::now();
        if self.deadline().is_some_and(|deadline| now >= deadline) && !self.is_whole() {
            return Some(Waited::TimedOut);
        }
        let until = self.terms.lock_timeout.and_then(|limit| self.moved.checked_add(limit));
        let is_late = until.is_some_and(|until| now >= until);
        if queue.standstill.is_due() || is_late {
            let index = queue.signature.as_ref().and_then(|signature| signature.live.as_ref());
            let index = index.and_then(|live| fsutil::stat(self.root, &live.index).ok().flatten());
            queue.standstill.look(index.map_or(0, |stat| stat.st_size as u64));
            self.announce(queue);
        }
        if self.is_whole() {
            return None;
        }
        let is_paused = self.following.as_mut().is_some_and(Following::is_paused);
        let obstacle = queue.standstill.obstacle(is_paused);
        let whom = queue.standstill.whom();
        if let Some(limit) = self.terms.lock_timeout {
            if !is_late {
                return None;
            }
            let what = queue.standstill.what(obstacle);
            self.messages.warn(format_args!(
                "{whom} runs the same command and {what}; running it without the cache after {}",
                cachex_base::text::quote::rounded(limit)
            ));
            return Some(Waited::Apart(Apart::Impatient));
        }
        let is_unrelated = self.lineage.get_or_init(Lineage::own).is_complete();
        queue.standstill.is_over(obstacle, is_unrelated).then(|| {
            let what = queue.standstill.what(obstacle);
            self.messages.warn(format_args!(
                "{whom} runs the same command and {what}; not waiting for it any longer"
            ));
            Waited::LeftAlone
        })
    }

    /// Returns when the command's own time is over, if another process's run may stand for it.
    fn deadline(&self) -> Option<Instant> {
        let timeout = self.terms.timeout.filter(|_| self.terms.shares)?;
        self.began.checked_add(timeout)
    }

    /// Waits briefly for the turn, or for a stream to take more; returns whether it is the turn.
    fn waits(&self, place: Option<&Place>, pause: Duration, blocked: Option<Stream>) -> bool {
        let now = Instant::now();
        let limit = self.terms.lock_timeout.and_then(|limit| self.moved.checked_add(limit));
        let limits = [self.deadline(), limit].into_iter().flatten().filter(|_| place.is_some());
        let until = limits.chain([now + pause]).min().unwrap_or(now);
        let mut watched = Vec::with_capacity(2);
        watched.extend(place.map(Place::granted));
        let sink = blocked.map(|stream| self.audience.awaited(stream));
        watched.extend(sink.map(|sink| PollFd::from_borrowed_fd(sink, PollFlags::OUT)));
        // Interrupted or not, everything is checked again.
        let _ = fsutil::poll(&mut watched, Some(until.saturating_duration_since(now)));
        place.is_some() && !watched[0].revents().is_empty()
    }

    fn turn(&mut self, queue: &Queue<'_>, place: Place) -> io::Result<Waited> {
        let lock = place.lock()?;
        let end = lock.left_behind().and_then(|signature| self.silent_end(queue, &signature));
        if let Some(end) = end {
            return Ok(Waited::Ended(end));
        }
        self.following = None;
        lock.sign();
        Ok(Waited::Turn { lock, waited: true })
    }

    /// Announces the holder after a while.
    fn announce(&mut self, queue: &Queue<'_>) {
        let is_time = |after: Duration| self.began.elapsed() >= after;
        if self.announced_after.is_none_or(|after| !is_time(after))
            || !self.audience.printed.is_empty()
        {
            return;
        }
        self.announced_after = None;
        let whom = queue.standstill.whom();
        let stopped = match queue.standstill.obstacle(false) {
            Obstacle::Stopped => " and is stopped",
            _ => "",
        };
        self.messages
            .wait(format_args!("waiting for {whom}, which is running the same command{stopped}"));
    }
}

/// Reports that the output cannot be shown to its end.
fn stuck(step: &Step) -> Waited {
    match step {
        Step::Unwritable(stream, errno) => {
            let error = io::Error::from(*errno);
            failed(format_args!("writing {}: {error}", stream.name()))
        }
        _ => failed(format_args!("{Diverged}")),
    }
}

fn failed(why: Arguments<'_>) -> Waited {
    messages::error(why);
    Waited::Failed
}
