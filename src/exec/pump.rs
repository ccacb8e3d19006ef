//! What keeps a run going: one loop that waits on everything at once.

use super::Spoiled;
use super::leg::Leg;
use super::limit::Limit;
use super::outlet::Outlet;
use crate::capture::Recorder;
use crate::failpoint;
use crate::feed::Feeder;
use crate::frames::Stream;
use crate::fsutil;
use crate::held::{Held, Pieces};
use crate::job::{Job, Kind};
use crate::pty::{Console, Pressed};
use crate::signals::{self, Came, Signals};
use crate::sink::Sink;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::Signal;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// How long output is waited for after the command ended, since the last of it.
const GRACE: Duration = Duration::from_millis(100);
/// How often it is looked whether cachex came to the foreground.
const GLANCE: Duration = Duration::from_millis(250);

/// How many turns suffice for all that a pipe or a terminal holds.
const FEW: usize = 16;

/// A run under way.
pub struct Pump<'a, 'r> {
    job: Job,
    legs: [Leg; 2],
    feeder: Feeder,
    console: Option<Console>,
    limit: Option<Limit>,
    /// What was printed so far.
    pub taker: Taker<'a, 'r>,
    /// What was held and is printed after all, before anything else is read.
    backlog: Option<Pieces>,
    ended: Option<(ExitStatus, Instant)>,
    last_data: Instant,
    /// Why what was recorded must not be used.
    pub spoiled: Option<Spoiled>,
    /// An output that could not be written, and why.
    pub lost: Option<(Stream, Errno)>,
}

/// Who gets what the command prints, besides cachex's own streams.
pub struct Taker<'a, 'r> {
    recorder: Option<&'a mut Recorder<'r>>,
    /// What is held of it.
    pub held: Option<Held>,
    /// How much there was of each stream.
    pub bytes: [u64; 2],
    /// Nothing more can be held.
    is_full: bool,
}

impl<'a, 'r> Taker<'a, 'r> {
    /// Nothing has been printed yet.
    pub fn new(recorder: Option<&'a mut Recorder<'r>>, held: Option<Held>) -> Taker<'a, 'r> {
        Taker { recorder, held, bytes: [0; 2], is_full: false }
    }

    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        self.bytes[stream as usize] += bytes.len() as u64;
        if let Some(recorder) = &mut self.recorder {
            recorder.append(stream, bytes);
        }
        if let Some(held) = &mut self.held {
            self.is_full |= held.append(stream, bytes).is_err();
        }
    }
}

impl<'a, 'r> Pump<'a, 'r> {
    /// A run that has just begun.
    pub fn new(
        job: Job,
        legs: [Leg; 2],
        feeder: Feeder,
        console: Option<Console>,
        limit: Option<Limit>,
        taker: Taker<'a, 'r>,
    ) -> Pump<'a, 'r> {
        Pump {
            job,
            legs,
            feeder,
            console,
            limit,
            taker,
            backlog: None,
            ended: None,
            last_data: Instant::now(),
            spoiled: None,
            lost: None,
        }
    }

    /// Until the command has ended and all it printed has been passed on.
    pub fn run(
        &mut self,
        child: &mut Child,
        signals: &mut Signals,
    ) -> io::Result<(ExitStatus, Instant)> {
        loop {
            if let Some(ended) = self.over() {
                return Ok(ended);
            }
            self.wait(signals)?;
            self.pass_on_signals(signals);
            self.look_after(child)?;
            self.keep_to_the_limit();
            self.feeder.feed();
            self.pass_on_keys();
            self.pass_on_output();
            let _ = failpoint::at("turn");
        }
    }

    /// How the command ended, if there is nothing left to wait for.
    fn over(&mut self) -> Option<(ExitStatus, Instant)> {
        let (status, at) = self.ended?;
        let now = Instant::now();
        if matches!(self.limit, Some(Limit::Asked(_))) {
            return None;
        }
        if self.backlog.is_none() && self.legs.iter().all(Leg::is_done) {
            return Some((status, at));
        }
        if self.is_idle() {
            // Nobody will read what is left, and whoever interrupted waits.
            let interrupted = self.spoiled == Some(Spoiled::Interrupted) && status.code().is_none();
            if interrupted || self.patience().is_some_and(|until| now >= until) {
                return Some((status, at));
            }
        }
        let exceeds = |limit| matches!(limit, Limit::Until(at) if now >= at);
        if self.grace().is_some_and(|until| now >= until) || self.limit.is_some_and(exceeds) {
            self.spoil(Spoiled::Lingering);
            return Some((status, at));
        }
        None
    }

    /// Whether nothing moves before a reader takes some of it.
    fn is_idle(&self) -> bool {
        self.backlog.is_some() || self.legs.iter().all(Leg::is_idle)
    }

    /// Until when something that the command left behind may print more.
    fn grace(&self) -> Option<Instant> {
        let (_, at) = self.ended?;
        let is_pending = self.backlog.is_some() || self.legs.iter().any(Leg::is_pending);
        (!is_pending).then(|| self.last_data.max(at) + GRACE)
    }

    /// Until when a reader may take nothing after the command ran out of time.
    fn patience(&self) -> Option<Instant> {
        let [a, b] = &self.legs;
        self.limit?.patience(a.moved.max(b.moved))
    }

    /// When to wake up though nothing happened.
    fn deadline(&self) -> Option<Instant> {
        let has_ended = self.ended.is_some();
        let in_background = |console: &Console| !has_ended && console.is_in_the_background();
        [
            self.grace(),
            self.patience().filter(|_| has_ended && self.is_idle()),
            self.limit.and_then(|limit| limit.due(has_ended)),
            self.console.as_ref().filter(|c| in_background(c)).map(|_| Instant::now() + GLANCE),
            self.legs[0].deadline(),
            self.legs[1].deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Waits until something can go on.
    fn wait(&self, signals: &Signals) -> io::Result<()> {
        let mut watched = Vec::with_capacity(5);
        watched.push(PollFd::new(signals.descriptor(), PollFlags::IN));
        if let Some(pipe) = self.feeder.waits_for() {
            watched.push(PollFd::from_borrowed_fd(pipe, PollFlags::OUT));
        }
        if let Some((terminal, flags)) = self.console.as_ref().and_then(Console::waits_for) {
            watched.push(PollFd::from_borrowed_fd(terminal, flags));
        }
        for leg in &self.legs {
            if leg.is_pending() {
                let outlet = leg.outlet.descriptor();
                watched.extend(outlet.map(|it| PollFd::from_borrowed_fd(it, PollFlags::OUT)));
            } else if let Some(source) = leg.source.as_ref().filter(|_| self.backlog.is_none()) {
                watched.push(PollFd::new(source, PollFlags::IN));
            }
        }
        let now = Instant::now();
        let left = self.deadline().map(|deadline| deadline.saturating_duration_since(now));
        match fsutil::poll(&mut watched, left) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn pass_on_signals(&mut self, signals: &mut Signals) {
        for came in signals.pending() {
            match came {
                Came::Meant(signal, reached_the_group) => {
                    self.spoiled.get_or_insert(Spoiled::Interrupted);
                    let knows = reached_the_group && self.job.kind() == Kind::Process;
                    if self.ended.is_none() && !knows {
                        self.job.signal(signal);
                    }
                }
                Came::Stop if self.ended.is_none() => self.job.stop(),
                Came::Continue if self.ended.is_none() => {
                    if let Some(console) = &mut self.console {
                        console.engage();
                    }
                    self.job.go_on();
                }
                Came::Resize => self.console.iter().for_each(Console::resize),
                Came::Stop | Came::Continue => {}
            }
        }
    }

    /// Notices that the command stopped or ended.
    fn look_after(&mut self, child: &mut Child) -> io::Result<()> {
        if self.ended.is_some() {
            return Ok(());
        }
        if let Some(signal) = self.job.stopped() {
            // Its question is to be seen when it waits for the answer. A pipe that
            // is full takes a few turns, one that others fill may take for ever.
            let _all = (0..FEW).all(|_| self.pass_on_output());
            let console = &mut self.console;
            self.job.follow(signal, || console.iter_mut().for_each(Console::release));
        }
        if let Some(status) = child.try_wait()? {
            self.ended = Some((status, Instant::now()));
            self.feeder.close();
        }
        Ok(())
    }

    fn keep_to_the_limit(&mut self) {
        let Some(limit) = &mut self.limit else { return };
        let (job, console) = (&self.job, &self.console);
        let gone = || !job.is_there();
        limit.enforce(self.ended.is_some(), gone, |signal: Signal| {
            job.signal(signal);
            if let Some(console) = console {
                console.signal(signal);
            }
        });
        if limit.is_exceeded() {
            self.spoiled = Some(Spoiled::TimedOut);
        }
    }

    fn pass_on_keys(&mut self) {
        let Some(console) = self.console.as_mut().filter(|_| self.ended.is_none()) else { return };
        if console.is_in_the_background() {
            console.engage();
        }
        match console.pass_on() {
            Pressed::Nothing => {}
            Pressed::Interrupt => self.spoil(Spoiled::Interrupted),
            Pressed::Stop => self.job.stop(),
        }
    }

    /// Whether anything came.
    fn pass_on_output(&mut self) -> bool {
        let mut any = false;
        self.pass_on_backlog();
        for at in 0..self.legs.len() {
            let leg = &mut self.legs[at];
            // A backlog has sent all that goes out now. More would go out of its
            // sight, and nothing that is waited for would bring the next of it.
            if self.backlog.is_none() && leg.advance(|stream, bytes| self.taker.take(stream, bytes))
            {
                self.last_data = Instant::now();
                any = true;
            }
            if let Some(errno) = leg.lost.take() {
                self.lost.get_or_insert((leg.stream, errno));
            }
            if matches!(leg.outlet, Outlet::Differing) {
                // Nothing that goes with it is shown either.
                self.legs.iter_mut().for_each(|leg| leg.outlet = Outlet::Differing);
            }
            let leg = &mut self.legs[at];
            if leg.let_go() {
                if leg.stream == Stream::Stdout {
                    self.console = None;
                }
                self.spoil(Spoiled::Abandoned);
            }
            if self.taker.is_full
                && let Some(held) = self.taker.held.take()
            {
                self.show(held);
            }
        }
        any
    }

    /// Whether what came is not what had been shown before. Nobody is told of
    /// what only lacks its end because somebody ended it.
    pub fn differs(&self) -> bool {
        let differs = self.legs.iter().any(|leg| matches!(leg.outlet, Outlet::Differing));
        let is_short = self.legs.iter().any(|leg| !leg.outlet.may_end());
        match self.spoiled {
            None | Some(Spoiled::Lingering | Spoiled::WithoutTerminal) => is_short,
            Some(Spoiled::Interrupted) => false,
            Some(Spoiled::Abandoned | Spoiled::TimedOut) => differs,
        }
    }

    /// Prints what was held, and from now on whatever comes.
    fn show(&mut self, held: Held) {
        self.backlog = Some(held.into_pieces());
        let [out, err] = &mut self.legs;
        out.outlet = Outlet::Live(Sink::new(rustix::stdio::stdout()));
        err.outlet = Outlet::Live(Sink::new(rustix::stdio::stderr()));
        self.pass_on_backlog();
    }

    /// As much of it as its readers take now. Some of what is left, if any is,
    /// is pending then.
    fn pass_on_backlog(&mut self) {
        while let Some(pieces) = &mut self.backlog {
            self.legs.iter_mut().for_each(Leg::send);
            if self.legs.iter().any(Leg::is_pending) {
                let _ = failpoint::at("backlog");
                return;
            }
            match pieces.next() {
                Ok(Some((stream, bytes))) => self.legs[stream as usize].insert(bytes),
                Ok(None) => self.backlog = None,
                Err(error) => {
                    let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                    self.lost.get_or_insert((Stream::Stdout, errno));
                    self.backlog = None;
                }
            }
        }
    }

    /// Sends the signal that ended the command to the rest of cachex's group, if
    /// it came from a key that only reached the command: a script that runs cachex
    /// is to end with it. To be called while signals are caught.
    pub fn share_the_end(&self, status: ExitStatus) {
        let by_key =
            self.job.has_the_terminal() || self.console.as_ref().is_some_and(Console::interrupted);
        if let Some(signal @ (Signal::INT | Signal::QUIT)) =
            status.signal().filter(|_| by_key).and_then(Signal::from_named_raw)
        {
            signals::share(signal);
        }
    }

    fn spoil(&mut self, why: Spoiled) {
        self.spoiled.get_or_insert(why);
    }
}
