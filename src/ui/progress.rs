//! A progress line on standard error, for verbs that take some time.
//!
//! A separate thread draws it, only on a terminal. It is gone before anything else is written
//! there, because the owner of a [`Progress`] drops it first. A signal that ends the process also
//! removes the line.

use cachex_base::process::exit::Exit;
use cachex_base::system::progress::{self, Stage};
use cachex_base::system::signals;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::flag;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The delay before the line is shown.
const DELAY: Duration = Duration::from_millis(500);
/// The delay for a stage that follows another.
const LEAST: Duration = Duration::from_millis(100);
/// The interval of drawing, and of checking for signals.
const TICK: Duration = Duration::from_millis(50);

const BAR: &str = "cachex: {msg} [{bar:24.green}] {percent:>3}%";
const SPINNER: &str = "cachex: {msg} {spinner:.green}";

/// A progress line, if one is shown, until this is dropped.
#[derive(Debug)]
pub struct Progress(Option<Drawer>);

#[derive(Debug)]
struct Drawer {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Progress {
    /// Shows the progress of this process from now on. The delay of half a second applies only to
    /// the first line.
    pub fn show(quiet: bool) -> Progress {
        Progress::shown(quiet, true)
    }

    /// Like [`Progress::show`], for a caller that catches signals itself: one that ends the process
    /// meanwhile leaves the line behind.
    pub fn show_only(quiet: bool) -> Progress {
        Progress::shown(quiet, false)
    }

    fn shown(quiet: bool, catches: bool) -> Progress {
        static BEGAN: OnceLock<Instant> = OnceLock::new();
        let now = Instant::now();
        let from = (*BEGAN.get_or_init(|| now) + DELAY).max(now + LEAST);
        progress::end();
        if quiet || !rustix::termios::isatty(rustix::stdio::stderr()) {
            return Progress(None);
        }
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new().spawn(move || {
            let mut line = None;
            let mut next = from;
            // Until the other end is dropped.
            while stopped.recv_timeout(next.saturating_duration_since(Instant::now()))
                == Err(RecvTimeoutError::Timeout)
            {
                next = Instant::now() + TICK;
                if let Some(now) = progress::now() {
                    line.get_or_insert_with(|| Line::new(catches)).draw(now);
                }
            }
            drop(line);
        });
        Progress(thread.ok().map(|thread| Drawer { stop, thread }))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(Drawer { stop, thread }) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

/// The line that is drawn.
struct Line {
    bar: ProgressBar,
    look: Option<(Stage, bool)>,
    caught: Option<&'static Caught>,
}

impl Line {
    fn new(catches: bool) -> Line {
        let caught = catches.then(Caught::from_now_on);
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Line { bar, look: None, caught }
    }

    fn draw(&mut self, now: progress::Progress) {
        if self.signal().is_some() {
            return self.die();
        }
        let look = Some((now.stage, now.total.is_some()));
        if self.look != look {
            self.look = look;
            let template = if now.total.is_some() { BAR } else { SPINNER };
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style.progress_chars("=> ").tick_chars("|/-\\ "));
            }
            self.bar.set_message(message(now.stage));
        }
        match now.total {
            Some(total) => self.bar.set_length(total.max(now.done)),
            None => self.bar.unset_length(),
        }
        self.bar.set_position(now.done);
        self.bar.tick();
    }

    fn signal(&self) -> Option<i32> {
        self.caught.and_then(Caught::signal)
    }

    /// Removes the line, and ends the process by the signal.
    fn die(&self) {
        self.bar.finish_and_clear();
        if let Some(signal) = self.signal() {
            Exit::Signal(signal).end();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(caught) = self.caught {
            caught.no_more();
        }
        self.die();
    }
}

/// The signals that end a process, caught while there is a line to remove.
struct Caught {
    signal: Arc<AtomicUsize>,
    /// True if signals have their default effect: handlers cannot be removed.
    over: Arc<AtomicBool>,
}

impl Caught {
    fn from_now_on() -> &'static Caught {
        static CAUGHT: OnceLock<Caught> = OnceLock::new();
        let caught = CAUGHT.get_or_init(|| {
            let caught = Caught { signal: Arc::default(), over: Arc::default() };
            for signal in signals::REQUESTS_TO_END {
                if !signals::is_ignored(signal) {
                    // A signal that cannot be caught merely leaves a line behind.
                    let _ = flag::register_conditional_default(signal, caught.over.clone());
                    let _ = flag::register_usize(signal, caught.signal.clone(), signal as usize);
                }
            }
            caught
        });
        caught.over.store(false, Ordering::SeqCst);
        caught
    }

    fn no_more(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    fn signal(&self) -> Option<i32> {
        let signal = self.signal.load(Ordering::SeqCst) as i32;
        (signal != 0).then_some(signal)
    }
}

fn message(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waiting for another cachex",
        Stage::Folding => "folding recent results",
        Stage::Choosing => "selecting results",
        Stage::Removing => "removing entries",
        Stage::Sweeping => "removing files",
        Stage::CheckingEntries => "checking entries",
        Stage::CheckingOutputs => "checking outputs",
        Stage::Exporting => "writing the archive",
        Stage::Verifying => "checking the archive",
        Stage::Importing => "taking in results",
        Stage::Fetching => "fetching the result",
        Stage::Sending => "sending results",
    }
}
