//! What a helper process does for a remote store: the only place that speaks to a
//! network. It is asked on its standard input, so that no password is among arguments.

use crate::exit::Exit;
use std::ffi::OsString;

/// The hidden verb of a helper: `__remote ROOT [detached]`.
pub const VERB: &str = "__remote";
/// For one that outlives who started it.
pub const DETACHED: &str = "detached";

/// Runs a helper: `args` are those after [`VERB`].
#[cfg(feature = "remote")]
pub fn serve(args: &[OsString]) -> Exit {
    serving::serve(args)
}

/// Nothing asks for one in a build without remote stores.
#[cfg(not(feature = "remote"))]
pub fn serve(_args: &[OsString]) -> Exit {
    Exit::Status(crate::exit::USAGE)
}

#[cfg(feature = "remote")]
mod serving {
    use super::DETACHED;
    use crate::asked::{self, DONE, FAILED, encode, write_frame};
    use crate::detached;
    use crate::exit::{self, Exit};
    use crate::lock::{Lock, Mode};
    use crate::progress;
    use crate::store::remote::engine::Engine;
    use crate::store::remote::names::Names;
    use crate::store::remote::{Question, Sent, Target, fetch, probe, queue, send};
    use crate::store::{Root, helper};
    use anyhow::{Context, Result};
    use std::ffi::OsString;
    use std::io::Read;
    use std::path::Path;

    /// It leaves the machine to others.
    const NICE: i32 = 10;

    pub fn serve(args: &[OsString]) -> Exit {
        asked::begin();
        let [path, rest @ ..] = args else { return Exit::Status(exit::USAGE) };
        let is_detached = rest.first().is_some_and(|arg| arg == DETACHED);
        if is_detached {
            detached::settle(NICE, &[]);
        } else {
            asked::end_with_the_asker();
            progress::listen(asked::tell);
        }
        let done = answer(Path::new(path), is_detached);
        let mut output = std::io::stdout().lock();
        // Nobody may be left to read the answer.
        let _ = match &done {
            Ok(result) => write_frame(&mut output, DONE, result),
            Err(error) => write_frame(&mut output, FAILED, format!("{error:#}").as_bytes()),
        };
        // What a runtime still waits for, a name say, is not waited for.
        Exit::Status(if done.is_ok() { 0 } else { exit::FAILURE }).end()
    }

    fn answer(path: &Path, is_detached: bool) -> Result<Vec<u8>> {
        let mut asked = Vec::new();
        std::io::stdin().lock().read_to_end(&mut asked).context("reading what is asked")?;
        let (target, question): (Target, Question) =
            asked::decode(&asked).context("reading what is asked")?;
        let root = helper::open(path)?;
        // Of the providers of cryptography there is one that does nothing before it is
        // used: another would have its part in every start of this executable.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work(&root, &target, &question, is_detached))
    }

    async fn work(
        root: &Root,
        target: &Target,
        question: &Question,
        is_detached: bool,
    ) -> Result<Vec<u8>> {
        let names = Names::of(target.access.secret.as_deref());
        let url = target.url()?;
        let open = Engine::open(&url, &target.access, None);
        match question {
            Question::Fetch(wanted) => {
                encode(&fetch::fetch(root, open, &names, wanted, target.patience).await?)
            }
            Question::Remove(keys) => {
                let engine = open.await?;
                for key in keys {
                    engine.remove(&names.entry(&crate::entry::Key(*key))).await?;
                    asked::write_frame(&mut std::io::stdout().lock(), asked::ALIVE, &[])?;
                }
                Ok(Vec::new())
            }
            Question::Send => encode(&send_all(root, target, &names, is_detached).await?),
            Question::Probe => probe::probe(open, target.patience).await.map(|()| Vec::new()),
            Question::Count => {
                let engine = open.await?;
                let counts = if engine.lists() { Some(engine.count().await?) } else { None };
                encode(&counts)
            }
        }
    }

    /// Sends what is queued, and what comes meanwhile. One in the background leaves at
    /// once if another is at it.
    async fn send_all(
        root: &Root,
        target: &Target,
        names: &Names,
        is_detached: bool,
    ) -> Result<Sent> {
        let id = target.id();
        let lock = format!("{}/{id}.lock", crate::store::remote::FOLDER);
        let mode = if is_detached { Mode::TryExclusive } else { Mode::Exclusive };
        let mut all = Sent::default();
        loop {
            let Some(held) = Lock::take(root, &lock, mode)? else { return Ok(all) };
            let sent = send::send(root, target, names).await?;
            drop(held);
            all.entries += sent.entries;
            all.bytes += sent.bytes;
            all.failed += sent.failed;
            all.left = sent.left;
            all.why = all.why.or(sent.why);
            // What was queued while the lock was held was left to this process.
            if all.failed > 0 || queue::keys(root, &id)?.is_empty() {
                return Ok(all);
            }
        }
    }
}
