//! A worker: calls on commands of its own, whose place in the store it knows,
//! and on commands that others call too.

use super::call::Ended;
use super::plan::Plan;
use super::{Chance, Soak};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The commands that all workers share.
const SHARED: u64 = 12;
/// Those of the store that is kept too small.
const SMALL: u64 = 200;
const SMALL_LIMIT: &str = "1MiB";
/// Clocks and schedulers are not exact.
const LEEWAY: Duration = Duration::from_millis(100);
/// The commands that are looked for once more at the end.
const LAST_LOOK: usize = 300;

/// What is known of a command.
struct Known {
    plan: Plan,
    generation: u64,
    /// The generations that may be replayed.
    possible: Vec<u64>,
    /// When an entry was recorded for certain: the epoch, and until when it lives.
    recorded: Option<(u64, Option<Instant>)>,
    /// When the last run that may have been recorded began, and ended.
    last_run: Option<(Instant, Instant)>,
    /// Whether an earlier generation may come back: bits were flipped.
    shaken: bool,
}

/// Works until it is told to stop.
pub fn work(soak: &Soak, number: u64) -> Result<()> {
    let seed = soak.options.seed;
    let mut worker = Worker { soak, number, chance: Chance(seed ^ (number << 32)), calls: 0 };
    let plan = |at| Plan::of(format!("w{number}c{at}"), seed);
    let mut known: Vec<Known> = (0..soak.options.commands)
        .map(|at| Known {
            plan: plan(at),
            generation: 0,
            possible: Vec::new(),
            recorded: None,
            last_run: None,
            shaken: soak.options.flips,
        })
        .collect();
    while !soak.is_stopped() {
        match worker.chance.below(100) {
            0..70 => {
                // Some are called often and most now and then.
                let few = worker.chance.percent(60);
                let among = if few { soak.options.commands.min(30) } else { soak.options.commands };
                let at = worker.chance.below(among) as usize;
                worker.own(&mut known[at])?;
            }
            70..71 => {
                let at = worker.chance.below(soak.options.commands) as usize;
                worker.forget(&mut known[at])?;
            }
            71..90 => worker.shared()?,
            _ => worker.small()?,
        }
    }
    for known in known.iter_mut().filter(|known| known.recorded.is_some()).take(LAST_LOOK) {
        worker.call_own(known, false, None)?;
    }
    Ok(())
}

struct Worker<'a> {
    soak: &'a Soak,
    number: u64,
    chance: Chance,
    calls: u64,
}

/// How a call of `run` ended, and whether the command did run.
struct Ran {
    ended: Ended,
    executed: bool,
    verbose: bool,
    said: String,
}

impl Worker<'_> {
    fn own(&mut self, known: &mut Known) -> Result<()> {
        let force = self.chance.percent(5);
        // From at once to long after its end, and most of it early.
        let kill = self.chance.percent(8).then(|| {
            let most = 1 << self.chance.below(16);
            Duration::from_micros(self.chance.below(most))
        });
        self.call_own(known, force, kill)
    }

    fn call_own(&mut self, known: &mut Known, force: bool, kill: Option<Duration>) -> Result<()> {
        let soak = self.soak;
        let report = &soak.report;
        known.generation += 1;
        let generation = known.generation;
        let epoch = soak.epoch();
        let plan = known.plan.clone();
        let ran = self.run(&soak.store(), &plan, generation, force, kill, &[])?;
        let (began, ended) = (ran.ended.began, ran.ended.over);
        let told = |what: &str| {
            format!(
                "{what}: {}, generation {generation} or one of {:?}: {}",
                plan.name,
                known.possible,
                ran.told()
            )
        };
        if kill.is_some() && ran.ended.status.code().is_none() {
            report.killed.add(1);
            if !known.possible.iter().chain([&generation]).any(|&g| plan.begins_with(&ran, g))
                && !known.shaken
            {
                report.violation(&report.wrong, || told("a killed call"));
            }
            // Its command may still be running, but nobody is left to record it.
            known.possible.push(generation);
            known.last_run = Some((known.last_run.map_or(began, |run| run.0), ended));
            return Ok(());
        }
        if ran.ended.hung.is_some() {
            known.recorded = None;
            return Ok(());
        }
        let too_old = |run: (Instant, Instant)| {
            let expired =
                plan.life.is_some_and(|life| began > run.1 + Duration::from_millis(life) + LEEWAY);
            expired || soak.last_cleared().is_some_and(|(from, to)| run.1 < from && began > to)
        };
        if ran.executed {
            report.misses.add(1);
            report.forced.add(u64::from(force));
            let lives = known.recorded.is_some_and(|(recorded, until)| {
                recorded == soak.epoch() && until.is_none_or(|until| ended < until)
            });
            if lives && !force && !known.shaken {
                if ran.said.contains("could not be read") {
                    report.late.add(1);
                } else {
                    report.violation(&report.lost, || told("lost"));
                }
            }
            if !plan.is(&ran, generation) {
                report.violation(&report.wrong, || told("a run"));
            }
            known.possible =
                if known.shaken { (1..=generation).collect() } else { vec![generation] };
            known.last_run = Some((began, ended));
            let until =
                plan.life.map(|life| began + Duration::from_millis(life).saturating_sub(LEEWAY));
            let undisturbed = epoch.is_multiple_of(2) && epoch == soak.epoch();
            known.recorded = undisturbed.then_some((epoch, until));
        } else {
            report.hits.add(1);
            if force || known.last_run.is_none_or(too_old) {
                report.violation(&report.stale, || told("replayed, and should have run"));
            }
            let is = known.possible.iter().copied().find(|&generation| plan.is(&ran, generation));
            match is {
                Some(_) if known.shaken => {}
                Some(generation) => known.possible = vec![generation],
                None => report.violation(&report.wrong, || told("a replay")),
            }
        }
        Ok(())
    }

    fn forget(&mut self, known: &mut Known) -> Result<()> {
        let soak = self.soak;
        let command = self.command(&soak.store(), "forget", &known.plan, &[]);
        let kill =
            self.chance.percent(10).then(|| Duration::from_micros(self.chance.below(50_000)));
        let stdin = known.plan.stdin();
        let ended = soak.make(command, stdin.as_deref(), kill)?;
        known.recorded = None;
        if kill.is_some() && ended.status.code().is_none() {
            soak.report.killed.add(1);
        } else if ended.status.success() {
            soak.report.forgotten.add(1);
            known.last_run = None;
            if !known.shaken {
                known.possible.clear();
            }
        } else if !known.shaken {
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            soak.report.violation(&soak.report.failed, || format!("forget: {said}"));
        }
        Ok(())
    }

    /// One run at a time, and the same bytes for everyone.
    fn shared(&mut self) -> Result<()> {
        let plan = Plan {
            no_concurrent: true,
            life: None,
            ..Plan::of(format!("shared{}", self.chance.below(SHARED)), self.soak.options.seed)
        };
        let room = self.soak.root.join("rooms").join(&plan.name);
        let force = self.chance.percent(20);
        let ran = self.run(&self.soak.store(), &plan, 0, force, None, &[("SOAK_ROOM", &room)])?;
        if fs::remove_file(room.with_extension("overlap")).is_ok() {
            let report = &self.soak.report;
            report.violation(&report.together, || format!("two runs of {}", plan.name));
        }
        self.check(&ran, &plan, force);
        Ok(())
    }

    /// In a store that is too small for all of them.
    fn small(&mut self) -> Result<()> {
        let soak = self.soak;
        let plan = Plan::of(format!("small{}", self.chance.below(SMALL)), soak.options.seed);
        if self.chance.percent(2) {
            let prune = ["prune", "--max-size", SMALL_LIMIT];
            let ended = soak.make(soak.cachex(&soak.small_store(), &prune), None, None)?;
            soak.report.evicting.add(1);
            if !ended.status.success() {
                let said = String::from_utf8_lossy(&ended.stderr).into_owned();
                soak.report.violation(&soak.report.failed, || format!("prune --max-size: {said}"));
            }
            return Ok(());
        }
        let ran = self.run(&soak.small_store(), &plan, 0, false, None, &[])?;
        self.check(&ran, &plan, false);
        Ok(())
    }

    fn check(&self, ran: &Ran, plan: &Plan, force: bool) {
        let report = &self.soak.report;
        if ran.executed {
            report.misses.add(1);
        } else {
            report.hits.add(1);
        }
        if !plan.is(ran, 0) {
            report.violation(&report.wrong, || format!("{}: {}", plan.name, ran.told()));
        }
        if force && !ran.executed {
            report.violation(&report.stale, || format!("{} was forced and did not run", plan.name));
        }
    }

    fn command(
        &self,
        store: &Path,
        verb: &str,
        plan: &Plan,
        options: &[&str],
    ) -> std::process::Command {
        let mut command = self.soak.cachex(store, &[verb, "--no-env"]);
        command.args(options);
        if verb == "run" {
            let life = plan.life.map(|life| format!("{life}ms"));
            command.args(["--failure-expires-in", life.as_deref().unwrap_or("1day")]);
            if let Some(life) = &life {
                command.args(["--expires-in", life]);
            }
            if plan.no_concurrent {
                command.arg("--no-concurrent");
            }
        }
        command.arg("--").args(plan.argv());
        command
    }

    fn run(
        &mut self,
        store: &Path,
        plan: &Plan,
        generation: u64,
        force: bool,
        kill: Option<Duration>,
        variables: &[(&str, &PathBuf)],
    ) -> Result<Ran> {
        self.calls += 1;
        let mark = self.soak.root.join("marks").join(format!("{}-{}", self.number, self.calls));
        let mut options = Vec::new();
        if force {
            options.push("--force");
        }
        let verbose = self.chance.percent(70);
        options.extend(verbose.then_some("--verbose"));
        let mut command = self.command(store, "run", plan, &options);
        command.env("SOAK_MARK", &mark).env("SOAK_GENERATION", generation.to_string());
        command.envs(variables.iter().copied());
        let mut ended = self.soak.make(command, plan.stdin().as_deref(), kill)?;
        let executed = match fs::remove_file(&mark) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(error).context("removing a mark"),
        };
        if self.soak.options.flips {
            drop_warnings(&mut ended.stderr);
        }
        let said = if verbose { take_said(&mut ended.stderr) } else { String::new() };
        Ok(Ran { ended, executed, verbose, said })
    }
}

impl Ran {
    fn told(&self) -> String {
        let stderr = &self.ended.stderr;
        let end = String::from_utf8_lossy(&stderr[stderr.len().saturating_sub(200)..]);
        format!(
            "executed: {}, {}, {} bytes on stdout, {} on stderr, ending with {end:?}; {:?}",
            self.executed,
            self.ended.status,
            self.ended.stdout.len(),
            stderr.len(),
            self.said
        )
    }
}

/// A damaged database is warned of once.
fn drop_warnings(stderr: &mut Vec<u8>) {
    let lines = stderr.split_inclusive(|&byte| byte == b'\n');
    *stderr =
        lines.filter(|line| !line.starts_with(b"cachex: warning: ")).collect::<Vec<_>>().concat();
}

/// Takes cachex's own last line off what was printed.
fn take_said(stderr: &mut Vec<u8>) -> String {
    let body = stderr.strip_suffix(b"\n").unwrap_or(stderr);
    let start = body.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    if !body[start..].starts_with(b"cachex: ") {
        return String::new();
    }
    String::from_utf8_lossy(&stderr.split_off(start)).into_owned()
}

impl Plan {
    /// Whether a call printed this generation, all of it and nothing else.
    fn is(&self, ran: &Ran, generation: u64) -> bool {
        ran.ended.status.code() == Some(self.status)
            && ran.ended.stdout == self.stdout(generation)
            && ran.ended.stderr == self.stderr(generation)
            && ran.verbose != ran.said.is_empty()
    }

    fn begins_with(&self, ran: &Ran, generation: u64) -> bool {
        self.stdout(generation).starts_with(&ran.ended.stdout)
            && self.stderr(generation).starts_with(&ran.ended.stderr)
    }
}
