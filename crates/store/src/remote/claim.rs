//! One run for all machines: on a miss, a machine claims the key in the store, if the store has
//! claims that expire, and the others wait for its result.
//!
//! A separate process holds the claim, and renews it as long as the caller reads its output. When
//! the caller has ended, the process waits until the result was sent, so that the next in turn
//! finds it, and gives up the claim. It runs in a session of its own and is no child of the
//! caller, so Ctrl-C does not end it, and it is not taken for something that the command started.
//! If it dies, the claim expires; if the store fails, the command just runs.

use super::names::Book;
use super::{Target, Wanted, fetch, queue};
use crate::Root;
use anyhow::{Result, anyhow, bail};
use cachex_base::process::ipc::{self, ALIVE, DONE, encode};
use cachex_base::record::entry::Key;
use cachex_base::system::fsutil;
use cachex_remote::Engine;
use rustix::event::{PollFd, PollFlags};
use std::time::{Duration, Instant};

/// The time after which a claim expires unless it is renewed.
const TTL: Duration = Duration::from_secs(10);
/// The interval at which a claim is renewed.
const RENEWED: Duration = Duration::from_secs(3);
/// The interval at which a waiting process tries again, and a holder checks for its caller.
const LOOK: Duration = Duration::from_millis(100);
/// The interval at which a waiting process shows that it is alive.
const BEAT: Duration = Duration::from_secs(2);
/// The maximum time for sending the result.
const SENDING: Duration = Duration::from_secs(30);

/// Waits for the claim, tells the caller whether it has the claim or the entry is there by now,
/// and holds the claim.
pub async fn hold(
    root: &Root,
    open: impl Future<Output = Result<Engine>>,
    book: &Book<'_>,
    wanted: &Wanted,
    target: &Target,
) -> Result<()> {
    let engine = within(target, open).await?;
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| anyhow!("there are no random bytes to be had"))?;
    let token = blake3::hash(&random).to_hex().to_string();
    let key = Key(wanted.key);
    let claim = Claim {
        engine: &engine,
        name: book.names(wanted.platform.as_deref()).claim(&key),
        token,
        target,
    };
    let mut shown = Instant::now();
    while !claim.take().await? {
        if !is_read() {
            return Ok(());
        }
        if shown.elapsed() >= BEAT {
            tell(ALIVE, &[])?;
            shown = Instant::now();
        }
        tokio::time::sleep(LOOK).await;
    }
    // The previous holder may have left the result.
    let is_there = fetch::is_there(root, &engine, book, wanted, target).await;
    if !matches!(is_there, Ok(false)) {
        claim.give_up().await;
        return tell(DONE, &encode(&is_there?)?);
    }
    tell(DONE, &encode(&false)?)?;
    let id = target.id();
    let mut left = None;
    let mut renewed = Instant::now();
    loop {
        if left.is_none() && !is_read() {
            left = Some(Instant::now());
        }
        if let Some(left) = left
            && (!queue::has(root, &id, &key) || left.elapsed() >= SENDING)
        {
            claim.give_up().await;
            return Ok(());
        }
        if renewed.elapsed() >= RENEWED {
            // If the claim is lost, another machine may run the command too. That is no reason to
            // end.
            let _ = claim.renew().await;
            renewed = Instant::now();
        }
        tokio::time::sleep(if left.is_some() { LOOK / 5 } else { LOOK }).await;
    }
}

struct Claim<'a> {
    engine: &'a Engine,
    name: String,
    token: String,
    target: &'a Target,
}

impl Claim<'_> {
    async fn take(&self) -> Result<bool> {
        let taken = within(self.target, self.engine.claim(&self.name, &self.token, TTL)).await?;
        taken.ok_or_else(|| anyhow!("such a store has no claims that expire"))
    }

    async fn renew(&self) -> Result<bool> {
        within(self.target, self.engine.keep_claim(&self.name, &self.token, Some(TTL))).await
    }

    async fn give_up(&self) {
        let _ = within(self.target, self.engine.keep_claim(&self.name, &self.token, None)).await;
    }
}

async fn within<T>(target: &Target, step: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(target.patience, step).await {
        Ok(done) => done,
        Err(_) => bail!("no answer within {}", humantime::format_duration(target.patience)),
    }
}

fn tell(tag: u8, body: &[u8]) -> Result<()> {
    Ok(ipc::write_frame(&mut std::io::stdout().lock(), tag, body)?)
}

/// Returns whether the caller still reads.
fn is_read() -> bool {
    let stdout = rustix::stdio::stdout();
    let mut output = [PollFd::new(&stdout, PollFlags::empty())];
    let looked = fsutil::poll(&mut output, Some(Duration::ZERO));
    looked.is_ok() && !output[0].revents().contains(PollFlags::ERR)
}
