//! Tries whether a remote store works, step by step.

use super::{Outcome, Step, Tried, fetch};
use anyhow::{Result, bail, ensure};
use cachex_base::process::ipc::{self, ITEM};
use cachex_base::system::clock::Timestamp;
use cachex_remote::Engine;
use std::time::{Duration, Instant};

/// The size of the object that a probe writes, in bytes.
const LEN: usize = 1024;

/// Connects, and if it `writes`, writes, reads and deletes a small object. Reports each step, and
/// stops after the first failure. The object is deleted in any case.
pub async fn probe(
    open: impl Future<Output = Result<Engine>>,
    patience: Duration,
    writes: bool,
) -> Result<()> {
    let mut content = vec![0; LEN];
    if getrandom::fill(&mut content).is_err() {
        bail!("there are no random bytes to be had");
    }
    // The name differs from those of entries.
    let name = format!("v1/probe-{}", blake3::Hash::from_slice(&content[..32])?.to_hex());
    let connect = async {
        let engine = open.await?;
        // Most engines connect only on the first request.
        let found = engine.get(&name, LEN).await?;
        ensure!(found.is_none(), "it holds what was never written");
        Ok(engine)
    };
    let engine = step(Tried::Connect, async {
        match tokio::time::timeout(patience, connect).await {
            Ok(connected) => connected,
            Err(_) => bail!("no answer within {}", humantime::format_duration(patience)),
        }
    });
    let Some(engine) = engine.await? else { return Ok(()) };
    clock(&engine).await?;
    if !writes {
        return Ok(());
    }
    if !engine.takes_writes() {
        for what in [Tried::Write, Tried::Read, Tried::Delete] {
            tell(what, Duration::ZERO, Outcome::Unable)?;
        }
        return Ok(());
    }
    let written = step(Tried::Write, engine.put(&name, content.clone())).await?;
    if written.is_some() {
        let read = async {
            match engine.get(&name, LEN).await? {
                Some(read) if read == content => Ok(()),
                Some(_) => bail!("something else was read than was written"),
                None => bail!("what was written is not there"),
            }
        };
        step(Tried::Read, read).await?;
        if engine.takes_removals() {
            step(Tried::Delete, engine.remove(&name)).await?;
        } else {
            tell(Tried::Delete, Duration::ZERO, Outcome::Unable)?;
        }
    }
    Ok(())
}

/// Compares clocks, if the store tells the time.
async fn clock(engine: &Engine) -> Result<()> {
    let began = Instant::now();
    let before = Timestamp::now();
    let outcome = match engine.time().await {
        Ok(Some([theirs, rounding])) => {
            let took = began.elapsed();
            // Assume that the server read its clock halfway through the request.
            let ours = Duration::from_nanos(before.0) + took / 2;
            let theirs = theirs + rounding / 2;
            let skew = ours.as_secs_f64() - theirs.as_secs_f64();
            if skew.abs() <= fetch::SKEW.as_secs_f64() {
                let blur = (took + rounding).as_secs_f64();
                Outcome::Skew(if skew.abs() <= blur { 0.0 } else { skew })
            } else {
                let far = Duration::from_secs_f64(skew.abs().round());
                let way = if skew > 0.0 { "ahead of" } else { "behind" };
                Outcome::Failed(format!(
                    "this machine's clock is {} {way} the server's",
                    humantime::format_duration(far)
                ))
            }
        }
        // A store that does not tell the time can serve results all the same.
        Ok(None) | Err(_) => Outcome::Unable,
    };
    tell(Tried::Clock, began.elapsed(), outcome)
}

/// Performs one step and reports it. Returns its result if it worked.
async fn step<T>(what: Tried, work: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    let began = Instant::now();
    let done = work.await;
    let outcome = match &done {
        Ok(_) => Outcome::Done,
        Err(error) => Outcome::Failed(format!("{error:#}")),
    };
    tell(what, began.elapsed(), outcome)?;
    Ok(done.ok())
}

fn tell(what: Tried, took: Duration, outcome: Outcome) -> Result<()> {
    let step = ipc::encode(&Step { what, took, outcome })?;
    Ok(ipc::write_frame(&mut std::io::stdout().lock(), ITEM, &step)?)
}
