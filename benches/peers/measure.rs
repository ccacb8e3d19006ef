//! Running one process and taking its time, and doing so in turns.
//!
//! Contenders alternate within one run and the order rotates from round to
//! round, so that a slow minute of the machine falls on all of them. Warm-up
//! rounds are thrown away. Nothing is pinned to a processor and no priority is
//! changed: that is how these programs are used.

use anyhow::{Context, Result, bail};
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One run of one process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// From before it was spawned until it was reaped and its pipe was empty.
    pub wall: Duration,
    /// Its peak memory in bytes, or that of a child it waited for if larger.
    ///
    /// Linux counts what the spawning process occupied until the exec, so the
    /// figure of a no-op is the floor, and this program keeps itself small.
    pub peak: u64,
    /// Processor time of what it left running behind it, waited for here.
    pub background: Duration,
}

/// Where the standard output of a measured process goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// `/dev/null`.
    Null,
    /// A pipe that is read as fast as `read` goes.
    Pipe,
}

/// Runs `command` to its end and to that of what it left behind.
///
/// # Errors
///
/// It could not be started, or did not succeed.
pub fn run(command: &mut Command, sink: Sink) -> Result<Sample> {
    let stdout = match sink {
        Sink::Null => Stdio::null(),
        Sink::Pipe => Stdio::piped(),
    };
    let sample = measured(command.stdout(stdout), |_| ())?;
    Ok(Sample { background: settle()?, ..sample })
}

/// As [`run`] into a pipe, for a command whose status 1 is an answer too.
///
/// # Errors
///
/// It could not be started, or failed.
pub fn ask(command: &mut Command) -> Result<Sample> {
    let answered = |status: ExitStatus| matches!(status.code(), Some(0 | 1));
    let sample = measured_if(command.stdout(Stdio::piped()), |_| (), answered)?;
    Ok(Sample { background: settle()?, ..sample })
}

/// Runs `command` to its end, output to `/dev/null`, beside other children
/// that go on.
///
/// # Errors
///
/// It could not be started, or did not succeed.
pub fn run_beside(command: &mut Command) -> Result<Sample> {
    measured(command.stdout(Stdio::null()), |_| ())
}

/// Runs `command` and returns the BLAKE3 of what it printed.
///
/// # Errors
///
/// It could not be started, or did not succeed.
pub fn digest(command: &mut Command) -> Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    measured(command.stdout(Stdio::piped()), |chunk| {
        hasher.update(chunk);
    })?;
    settle()?;
    Ok(hasher.finalize())
}

fn measured(command: &mut Command, seen: impl FnMut(&[u8])) -> Result<Sample> {
    measured_if(command, seen, |status| status.success())
}

fn measured_if(
    command: &mut Command,
    mut seen: impl FnMut(&[u8]),
    ends_well: impl Fn(ExitStatus) -> bool,
) -> Result<Sample> {
    let mut buffer = vec![0; 128 * 1024];
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
    if let Some(mut stdout) = child.stdout.take() {
        loop {
            match stdout.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => seen(&buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("reading a contender's output"),
            }
        }
    }
    let (status, usage) = reap(child.id() as i32)?.context("a contender vanished")?;
    let wall = start.elapsed();
    if !ends_well(status) {
        bail!("{status} from {command:?}");
    }
    Ok(Sample { wall, peak: peak(&usage), background: Duration::ZERO })
}

/// Makes the processes that a contender detaches children of this one when
/// their parent ends, so that [`settle`] can wait for them.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        eprintln!("background work is not seen, and may disturb what runs next: {error}");
    }
}

/// Waits until no child is left and returns their processor time: background
/// work of one contender is to be seen, and not to slow down the next one.
///
/// Not to be called while another thread waits for a child of its own.
///
/// # Errors
///
/// The kernel refused to wait.
pub fn settle() -> Result<Duration> {
    let mut total = Duration::ZERO;
    while let Some((_, usage)) = reap(-1)? {
        total += processor_time(&usage);
    }
    Ok(total)
}

/// Waits for a child, or for any with -1; none if there is none.
fn reap(pid: i32) -> Result<Option<(ExitStatus, libc::rusage)>> {
    let mut status = 0;
    loop {
        // SAFETY: `rusage` is plain integers, for which zeros are a value; both
        // pointers are to live locals of the types that `wait4` writes.
        let (reaped, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
        };
        if reaped > 0 {
            return Ok(Some((ExitStatus::from_raw(status), usage)));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::ECHILD) => return Ok(None),
            _ => return Err(error).context("waiting for a child"),
        }
    }
}

fn peak(usage: &libc::rusage) -> u64 {
    // Kibibytes everywhere but on Apple's systems.
    usage.ru_maxrss as u64 * if cfg!(target_vendor = "apple") { 1 } else { 1024 }
}

fn processor_time(usage: &libc::rusage) -> Duration {
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// Runs `commands(0)` to `commands(count - 1)`, so many `at_a_time`, output to
/// `/dev/null`, and returns the time that all of them took together.
///
/// # Errors
///
/// One of them could not be started, or did not succeed.
pub fn crowd(
    at_a_time: usize,
    count: usize,
    commands: impl Fn(usize) -> Command + Sync,
) -> Result<Sample> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<u64> {
        let mut highest = 0;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(highest);
            }
            let mut command = commands(index);
            let child = command.stdout(Stdio::null()).spawn().context("starting one of many")?;
            let (status, usage) = reap(child.id() as i32)?.context("one of many vanished")?;
            if !status.success() {
                bail!("{status} from {command:?}");
            }
            highest = highest.max(peak(&usage));
        }
    };
    let start = Instant::now();
    let peaks: Vec<Result<u64>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_a_time).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker panicked")).collect()
    });
    let wall = start.elapsed();
    let background = settle()?;
    let peaks = peaks.into_iter().collect::<Result<Vec<u64>>>()?;
    Ok(Sample { wall, peak: peaks.into_iter().max().unwrap_or(0), background })
}

/// Starts all `commands` at once, and returns the time until the last one
/// ended and what each of them printed, which has to fit into a pipe.
///
/// # Errors
///
/// One of them could not be started, or did not succeed.
pub fn simultaneously(commands: &mut [Command]) -> Result<(Sample, Vec<Vec<u8>>)> {
    let start = Instant::now();
    let children: Vec<Child> = commands
        .iter_mut()
        .map(|command| command.stdout(Stdio::piped()).spawn().context("starting one of many"))
        .collect::<Result<_>>()?;
    let mut pipes = Vec::new();
    let mut failed = Vec::new();
    let mut highest = 0;
    // All of them are waited for, and their pipes kept open, whatever one does.
    for mut child in children {
        let (status, usage) = reap(child.id() as i32)?.context("one of many vanished")?;
        if !status.success() {
            failed.push(status);
        }
        highest = highest.max(peak(&usage));
        pipes.extend(child.stdout.take());
    }
    let wall = start.elapsed();
    let background = settle()?;
    if let Some(status) = failed.first() {
        bail!("{} of {} callers failed, {status}", failed.len(), commands.len());
    }
    let mut outputs = Vec::new();
    for mut pipe in pipes {
        let mut output = Vec::new();
        pipe.read_to_end(&mut output).context("reading one of many")?;
        outputs.push(output);
    }
    Ok((Sample { wall, peak: highest, background }, outputs))
}

/// What a contender's samples come to, or why there are none.
pub type Outcome = std::result::Result<Summary, String>;

/// The figures of one contender.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// The median wall time.
    pub median: Duration,
    /// A tenth of the samples were faster than this.
    pub low: Duration,
    /// A tenth of the samples were slower than this.
    pub high: Duration,
    /// The highest peak memory of any sample, in bytes.
    pub peak: u64,
    /// The mean processor time of background work, per sample.
    pub background: Duration,
}

impl Summary {
    /// The figures of at least one sample.
    pub fn of(samples: &[Sample]) -> Summary {
        let mut walls: Vec<Duration> = samples.iter().map(|sample| sample.wall).collect();
        walls.sort_unstable();
        let at = |part: f64| walls[((walls.len() - 1) as f64 * part).round() as usize];
        Summary {
            median: at(0.5),
            low: at(0.1),
            high: at(0.9),
            peak: samples.iter().map(|sample| sample.peak).max().unwrap_or(0),
            background: samples.iter().map(|sample| sample.background).sum::<Duration>()
                / samples.len() as u32,
        }
    }
}

/// How often each contender is run.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// Rounds that count.
    pub counted: usize,
    /// Rounds before those, thrown away.
    pub warm_up: usize,
}

/// Takes a sample of each contender per round, in rotating order. One that
/// fails is out from then on, with the reason, and the others go on.
pub fn alternate(
    rounds: Rounds,
    contenders: usize,
    mut sample: impl FnMut(usize) -> Result<Sample>,
) -> Vec<Outcome> {
    let mut samples = vec![Ok(Vec::with_capacity(rounds.counted)); contenders];
    for round in 0..rounds.warm_up + rounds.counted {
        for turn in 0..contenders {
            let contender = (turn + round) % contenders;
            let Ok(list) = &mut samples[contender] else { continue };
            match sample(contender) {
                Ok(sample) if round >= rounds.warm_up => list.push(sample),
                Ok(_) => {}
                Err(error) => samples[contender] = Err(format!("{error:#}")),
            }
        }
    }
    samples.into_iter().map(|list| list.map(|list| Summary::of(&list))).collect()
}
