//! Many machines that share a store: is anything wrong or lost, and who runs what all of them
//! miss? The servers are on loopback, and all machines are this one.

use super::remote::{flush, redis_server, s3_server};
use crate::contender::{Contender, Tool};
use crate::lab::Lab;
use crate::table::{Table, count, time};
use anyhow::{Context, Result};
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const AT_A_TIME: usize = 16;
/// How many machines miss one call at once.
const TOGETHER: usize = 50;

pub fn redis(lab: &Lab) -> Result<Table> {
    let server = redis_server(lab)?;
    through(lab, "Redis", &server.url, &[])
}

pub fn s3(lab: &Lab) -> Result<Table> {
    let (access, secret) = ("bench", "bench-secret");
    let server = s3_server(lab, access, secret)?;
    let credentials = [
        ("AWS_ACCESS_KEY_ID", access),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", server.url.as_str()),
    ];
    through(lab, "S3", "s3://cachex/fleet", &credentials)
}

/// What came of many calls.
#[derive(Default)]
struct Calls {
    wall: Duration,
    wrong: u64,
    lost: u64,
}

/// Each machine records results of its own and sends them, and another one fetches all.
fn through(lab: &Lab, name: &str, url: &str, variables: &[(&str, &str)]) -> Result<Table> {
    let (machines, keys) = if lab.quick { (10, 40) } else { (50, 200) };
    let all = machines * keys;
    let machine = |n: usize| Contender::new(lab, Tool::Cachex, &format!("fleet-{name}-{n}"));
    let fleet = (0..machines).map(machine).collect::<Result<Vec<_>>>()?;
    let reader = machine(machines)?;
    let text = |call: usize| format!("result {call} of the fleet");
    let asking = |contender: &Contender, options: &[&str], call: usize| {
        let argv = ["/bin/echo".to_owned(), text(call)];
        let mut command = contender.ask_with(lab, options, &argv);
        command.env("CACHEX_REMOTE", url).env("CACHEX_REMOTE_TIMEOUT", "30s");
        command.envs(variables.iter().copied());
        command
    };
    let recorded = calls(all, text, |call| asking(&fleet[call % machines], &[], call))?;
    let began = Instant::now();
    for contender in &fleet {
        flush(lab, contender, url, variables)?;
    }
    let flushed = Calls { wall: began.elapsed(), ..Calls::default() };
    let fetched = calls(all, text, |call| asking(&reader, &["--cached-only"], call))?;
    let replayed = calls(all, text, |call| asking(&reader, &["--cached-only"], call))?;
    let title = format!(
        "{machines} machines that share {keys} results each through {name}, {AT_A_TIME} calls at a \
         time"
    );
    let mut table = Table::new(&title, &["", "wall", "a call", "wrong", "lost"]);
    for (phase, Calls { wall, wrong, lost }, calls) in [
        ("recorded, and sent meanwhile", recorded, all),
        ("`remote flush` of each machine", flushed, machines),
        ("fetched by one machine", fetched, all),
        ("replayed by it", replayed, all),
    ] {
        let each = wall / calls as u32;
        table.row(vec![phase.to_owned(), time(wall), time(each), count(wrong), count(lost)]);
    }
    Ok(table)
}

/// Makes so many calls and looks at what each prints.
fn calls(
    all: usize,
    text: impl Fn(usize) -> String + Sync,
    command: impl Fn(usize) -> Command + Sync,
) -> Result<Calls> {
    let next = AtomicUsize::new(0);
    let (wrong, lost) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    let work = || -> Result<()> {
        loop {
            let call = next.fetch_add(1, Ordering::Relaxed);
            if call >= all {
                return Ok(());
            }
            let output = command(call).output().context("starting one of many")?;
            if !output.status.success() {
                lost.fetch_add(1, Ordering::Relaxed);
            } else if output.stdout != format!("{}\n", text(call)).as_bytes() {
                wrong.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("it does not panic"))
    })?;
    Ok(Calls { wall: began.elapsed(), wrong: wrong.into_inner(), lost: lost.into_inner() })
}

pub fn single_flight(lab: &Lab) -> Result<Table> {
    let server = redis_server(lab)?;
    let runs = lab.work.join("fleet-runs");
    let script = format!("echo run >>'{}'; sleep 0.5; echo made", runs.display());
    let mut table =
        Table::new("50 machines that miss one call at once, through Redis", &["", "wall", "runs"]);
    for options in [&["--no-concurrent"][..], &[]] {
        fs::write(&runs, "")?;
        let fleet = (0..TOGETHER)
            .map(|n| Contender::new(lab, Tool::Cachex, &format!("fleet-together-{n}")))
            .collect::<Result<Vec<_>>>()?;
        let next = AtomicUsize::new(0);
        let name = options.first().copied().unwrap_or("without it");
        let argv = ["sh", "-c", &script, name];
        let began = Instant::now();
        let work = || {
            let contender = &fleet[next.fetch_add(1, Ordering::Relaxed)];
            let mut command = contender.ask_with(lab, options, &argv);
            command.env("CACHEX_REMOTE", &server.url).env("CACHEX_REMOTE_TIMEOUT", "30s");
            command.output().context("starting one of many")
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..TOGETHER).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| {
                let output = worker.join().expect("it does not panic")?;
                anyhow::ensure!(output.stdout == b"made\n", "one of them printed {output:?}");
                Ok(())
            })
        })?;
        let wall = began.elapsed();
        let counted = fs::read_to_string(&runs)?.lines().count() as u64;
        table.row(vec![format!("`{name}`"), time(wall), count(counted)]);
    }
    table.note("the command takes half a second");
    Ok(table)
}
