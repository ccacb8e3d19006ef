//! Waiting for one's turn to run a command under `--no-concurrent`.
//!
//! Who waits follows meanwhile what the holder of the lock prints, and has no
//! need of a turn if its run comes to its own end, recorded or not. If it does not, or
//! cannot be followed any more (it was killed, or interrupted, or the store is full),
//! one who has shown nothing takes the turn as if nothing had been there. One who
//! has shown something carries it along as [`OutputPrefix`]: whatever comes next, a record,
//! another holder's run, or a run of one's own, is passed in silence
//! as far as it is what has been shown. If it is not, there is nothing right to be
//! shown any more, and that is said.
//!
//! A run that prints nothing is followed by nobody. Its holder writes into the lock how
//! it ended, unless a record tells.
//!
//! Nobody waits for ever. A holder on whose behalf this process runs is not waited for,
//! nor one that is caught with it in a circle of commands that wait for each other (see
//! [`circle`]). Limits of one's own end the wait wherever it is, and without any there
//! are limits by default (see [`patience`]): past one of those, one leaves the holder
//! alone, and queues up for another lock among those who did the same, so that of many
//! one runs the command.

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

/// How soon it is looked again whether there is more output, at first,
const SHORTEST: Duration = Duration::from_millis(1);
/// and after some silence.
const LONGEST: Duration = Duration::from_millis(25);
/// How often one looks around whose reader takes nothing.
const BLOCKED: Duration = Duration::from_secs(1);

/// How waiting ended.
pub enum Waited {
    /// It is one's turn.
    Turn {
        /// What makes it so.
        lock: Lock,
        /// Whether somebody else had theirs first, and may have left a result.
        waited: bool,
    },
    /// Another's run came to its own end, which is as good as one's own: so. It was shown
    /// from beginning to end, unless that was to be decided later: see [`Wait::show`].
    Ended(End),
    /// Waiting for the holder could be for ever, or takes longer than was said: the
    /// command is to be run all the same, by itself.
    Apart(Apart),
    /// The holder does not get on. It is said; the next lock is to be waited for.
    LeftAlone,
    /// The command's own time is over.
    TimedOut,
    /// Something has been shown and cannot be completed; everything has been said.
    Failed,
}

/// Why a command is run beside one that holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// This process runs on behalf of the one that holds the lock, which waits for it.
    Within,
    /// That one waits for a lock that one on whose behalf this process runs holds.
    Circle,
    /// That one's output can neither be followed nor will it be recorded.
    Dropped,
    /// `--lock-timeout`; it was said.
    Impatient,
}

/// What one puts up with.
#[derive(Clone, Copy, Debug)]
pub struct WaitPolicy {
    /// How long one waits while nothing is shown; none: see [`patience`].
    pub lock_timeout: Option<Duration>,
    /// How long the command may take, another's run included that is as good.
    pub timeout: Option<Duration>,
    /// The turn that counts as one that was waited for, whenever one comes.
    pub first_turn: Option<u64>,
    /// Whether another's run that began earlier is as good as one's own.
    pub shares: bool,
    /// Whether it is also where it ended with status 0.
    pub shares_success: bool,
    /// Whether that is shown while it goes on, and not only once it is over.
    pub shows: bool,
}

/// One who waits, and what has been shown meanwhile.
pub struct Wait<'r> {
    root: &'r Root,
    messages: Messages,
    terms: WaitPolicy,
    began: Instant,
    /// When something was shown last.
    moved: Instant,
    audience: Audience,
    following: Option<Following>,
    lineage: OnceCell<Lineage>,
    waiter: Waiter<'r>,
    /// When it is said whom one waits for; none: it was, or is not to be.
    announced_after: Option<Duration>,
}

/// One lock that is waited for.
struct Queue<'n> {
    name: &'n Path,
    /// One's place in the row; none once it has been given up.
    place: Option<Place>,
    /// By what the holder knows that one waits, as long as one does not follow it.
    row: Option<Lock>,
    /// What the holder wrote, when it was looked at.
    signature: Option<Signature>,
    /// The first turn that was, or would be, under way while one waited.
    first_turn: u64,
    standstill: Standstill,
    /// Whether what the holder prints may be shown.
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

    /// What has been shown, and must not be shown again.
    pub fn into_printed(self) -> OutputPrefix {
        self.audience.printed
    }

    /// How much has been shown of each stream.
    pub fn shown(&self) -> [u64; 2] {
        self.audience.printed.bytes()
    }

    /// Waits for the lock of this name, and follows its holder. Signals end the wait
    /// as they end a process. An error: it cannot be waited for.
    pub fn for_turn(&mut self, name: &Path) -> io::Result<Waited> {
        self.following = None;
        if let Some(lock) = Lock::take(self.root, name, Mode::TryExclusive)? {
            lock.sign();
            return Ok(Waited::Turn { lock, waited: false });
        }
        // Before one can be seen to wait: the holder may end at once.
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
        let shares = || Lock::wait(self.root, lock::row(name), Mode::Shared).ok();
        self.terms.shares.then(shares).flatten()
    }

    /// Shows another's run, which ended so, if it was not shown yet.
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
                // All of it was there before the place was given up.
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
                    // It is not the holder that one waits for.
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
                    // Others shall not wait until a slow reader has read.
                    queue.place = None;
                } else if let Some(place) = queue.place.take() {
                    return self.turn(queue, place);
                }
            }
        }
    }

    /// Goes on showing another's run, or looks whether it is over.
    fn step(&mut self, queue: &mut Queue<'_>) -> Step {
        if self.terms.shows && self.following.is_some() && !queue.may_show {
            let lineage = self.lineage.get_or_init(Lineage::own);
            let may_show = self.waiter.may_show(queue.name, lineage);
            // Whatever has ended goes round no more.
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

    /// Whether the end of another's run is as good as one's own run would be.
    fn is_as_good(&self, end: &End) -> bool {
        self.terms.shares
            && match end.how {
                EndedBy::Status(0) => self.terms.shares_success,
                EndedBy::Status(_) | EndedBy::Signal(_) => true,
                EndedBy::TimeLimit(limit) => self.terms.timeout.is_some_and(|own| own <= limit),
            }
    }

    /// Whether all of another's run is there that is as good as one's own.
    fn is_whole(&mut self) -> bool {
        let end = self.following.as_mut().and_then(Following::whole);
        end.is_some_and(|end| self.is_as_good(&end))
    }

    /// Looks who holds the lock, follows it, and looks whether it is to be waited for.
    fn look(&mut self, queue: &mut Queue<'_>) -> Option<Waited> {
        let signature = lock::signature(self.root.as_fd(), queue.name);
        // The run of an earlier holder is worth following if it is all there.
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

    /// Somebody else holds the lock, or the same one wrote more.
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

    /// The end of a run that was waited for, and that printed nothing.
    fn silent_end(&self, queue: &Queue<'_>, signature: &Signature) -> Option<End> {
        let was_waited_for = signature.turn >= queue.first_turn;
        // Where something has been shown, saying nothing is something else.
        let is_silent = signature.live.is_none() && self.audience.printed.is_empty();
        signature.end.filter(|end| was_waited_for && is_silent && self.is_as_good(end))
    }

    /// Looks at the time.
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

    /// When the command's own time is over, if another's run counts as one's own.
    fn deadline(&self) -> Option<Instant> {
        let timeout = self.terms.timeout.filter(|_| self.terms.shares)?;
        self.began.checked_add(timeout)
    }

    /// Waits for the turn, or for a stream to take more, but not for long;
    /// whether it is one's turn.
    fn waits(&self, place: Option<&Place>, pause: Duration, blocked: Option<Stream>) -> bool {
        let now = Instant::now();
        let limit = self.terms.lock_timeout.and_then(|limit| self.moved.checked_add(limit));
        let limits = [self.deadline(), limit].into_iter().flatten().filter(|_| place.is_some());
        let until = limits.chain([now + pause]).min().unwrap_or(now);
        let mut watched = Vec::with_capacity(2);
        watched.extend(place.map(Place::granted));
        let sink = blocked.map(|stream| self.audience.awaited(stream));
        watched.extend(sink.map(|sink| PollFd::from_borrowed_fd(sink, PollFlags::OUT)));
        // Interrupted or not, everything is looked at again.
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

    /// Says whom one waits for, after a while.
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

/// What cannot be shown to its end.
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
