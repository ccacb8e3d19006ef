//! The helper process of a remote store: the only place that uses a network. It is asked on its
//! standard input, so that no password is among its arguments.

use cachex_base::process::exit::Exit;
use std::ffi::OsString;

/// The hidden verb of a helper: `__remote ROOT [detached|holding]`.
pub const VERB: &str = "__remote";
/// The argument of a helper that holds a claim for its caller.
pub const HOLDING: &str = "holding";
/// The argument of a helper that outlives its caller.
pub const DETACHED: &str = "detached";

/// Runs a helper; `args` are those after [`VERB`].
#[cfg(feature = "remote")]
pub fn serve(args: &[OsString]) -> Exit {
    serving::serve(args)
}

/// Fails: a build without remote stores starts no such helper.
#[cfg(not(feature = "remote"))]
pub fn serve(_args: &[OsString]) -> Exit {
    Exit::Status(cachex_base::process::exit::USAGE)
}

#[cfg(feature = "remote")]
mod serving {
    use super::{DETACHED, HOLDING};
    use crate::lock::{Lock, Mode};
    use crate::remote::names::{Book, Names};
    use crate::remote::{
        Prune, Pruned, Question, Remote, Sent, Target, claim, fetch, invalid, listing, path_sets,
        probe, queue, send,
    };
    use crate::{Root, db_server};
    use anyhow::{Context, Result};
    use cachex_base::process::detached;
    use cachex_base::process::exit::{self, Exit};
    use cachex_base::process::ipc::{self, DONE, FAILED, encode, write_frame};
    use cachex_base::record::entry::Key;
    use cachex_base::system::limits;
    use cachex_base::system::progress::{self, Stage};
    use cachex_remote::{Bounds, Engine};
    use futures_util::stream::{self, StreamExt};
    use rustix::process::{Resource, Rlimit, setrlimit};
    use std::ffi::OsString;
    use std::io::Read;
    use std::path::Path;
    use std::time::{Duration, Instant};

    /// The niceness of a background helper.
    const NICE: i32 = 10;
    /// The interval between signs of life during long operations.
    const BEAT: Duration = Duration::from_secs(2);
    /// The number of concurrent removals.
    const AT_ONCE: usize = 16;
    /// The maximum time that a removal waits for a sender.
    const TURN: Duration = Duration::from_secs(20);
    /// The memory limit of a helper, in case a client library allocates what a server announces:
    /// several times the buffers of all transfers.
    const MEMORY: u64 = 512 << 20;
    /// The number of threads that wait for files.
    const THREADS: usize = 16;
    /// The interval at which the lock of the sender is polled.
    const LOOK: Duration = Duration::from_millis(20);

    pub fn serve(args: &[OsString]) -> Exit {
        ipc::begin();
        bound_memory();
        let [path, rest @ ..] = args else { return Exit::Status(exit::USAGE) };
        if rest.first().is_some_and(|arg| arg == HOLDING) {
            // The working directory changes below.
            let Ok(path) = std::path::absolute(path) else {
                return Exit::Status(exit::FAILURE);
            };
            // Not a child of the caller, and out of reach of its signals.
            let keep = vec![0, 1, 2];
            let _ = detached::branch_off(keep, || finish(&answer(&path, false)));
            return Exit::SUCCESS;
        }
        let is_detached = rest.first().is_some_and(|arg| arg == DETACHED);
        if is_detached {
            detached::settle(NICE);
        } else {
            ipc::end_with_the_asker();
            progress::listen(ipc::tell);
        }
        let done = answer(Path::new(path), is_detached);
        finish(&done);
        // Exits without waiting for what the runtime still waits for, such as a name look-up.
        Exit::Status(if done.is_ok() { 0 } else { exit::FAILURE }).end()
    }

    fn finish(done: &Result<Vec<u8>>) {
        let mut output = std::io::stdout().lock();
        // The reader may be gone by now.
        let _ = match done {
            Ok(result) => write_frame(&mut output, DONE, result),
            Err(error) => write_frame(&mut output, FAILED, format!("{error:#}").as_bytes()),
        };
    }

    fn answer(path: &Path, is_detached: bool) -> Result<Vec<u8>> {
        let mut asked = Vec::new();
        std::io::stdin().lock().read_to_end(&mut asked).context("reading what is asked")?;
        let (target, question): (Target, Question) =
            ipc::decode(&asked).context("reading what is asked")?;
        let root = db_server::open(path)?;
        // The chosen cryptography provider does nothing before it is used; another would slow down
        // every start of this executable.
        cachex_remote::prepare();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(THREADS).build()?;
        runtime.block_on(work(&root, &target, &question, is_detached))
    }

    async fn work(
        root: &Root,
        target: &Target,
        question: &Question,
        is_detached: bool,
    ) -> Result<Vec<u8>> {
        let book = Book::of(&target.access);
        let url = target.url()?;
        let open = Box::pin(Engine::open(&url, &target.access, None));
        match question {
            Question::Fetch(wanted) => {
                let fetched = fetch::fetch(root, open, &book, wanted, target).await;
                if invalid::is_to_be_swept(root, &target.id()) {
                    // The caller has waited long enough.
                    let _ = Remote::of(root, target).in_background(&Question::Learn);
                }
                encode(&fetched?)
            }
            Question::PathSets(wanted) => {
                encode(&path_sets::fetch(open, &book, wanted, target).await?)
            }
            Question::Look(wanted) => {
                encode(&fetch::look(root, open, &book, wanted, target).await?)
            }
            Question::Learn => {
                let _sending = Lock::take(root, target.lock(), Mode::Exclusive)?;
                let learnt = invalid::learn(root, &target.id(), &open.await?, &book).await;
                // A store of many entries takes its time.
                beat()?;
                // Rules learnt before are applied in any case.
                invalid::sweep(root, &target.id())?;
                learnt.map(|_| Vec::new())
            }
            Question::Invalidate(rule) => {
                let engine = open.await?;
                let id = target.id();
                beating(invalid::invalidate(root, &id, &engine, &book, rule)).await?;
                encode(&invalid::sweep(root, &id)?)
            }
            Question::Remove(keys, platforms) => {
                let engine = open.await?;
                // Entries being sent would arrive after the removal.
                let _sending = beating(turn(root, target)).await?;
                let engine = &engine;
                let platforms = platforms.iter().map(|name| Some(&name[..])).chain([None]);
                let all: Vec<Names> = platforms.flat_map(|name| book.all(name)).collect();
                let objects = keys.iter().flat_map(|key| all.iter().map(|it| it.entry(&Key(*key))));
                let removed =
                    stream::iter(objects).map(|object| async move { engine.remove(&object).await });
                let mut removed = std::pin::pin!(removed.buffer_unordered(AT_ONCE));
                while let Some(done) = removed.next().await {
                    done?;
                    beat()?;
                }
                Ok(Vec::new())
            }
            Question::Send => encode(&send_all(root, target, &book, is_detached).await?),
            Question::Probe { writes } => {
                probe::probe(open, target.patience, *writes).await.map(|()| Vec::new())
            }
            Question::Claim(wanted) => {
                claim::hold(root, open, &book, wanted, target).await.map(|()| Vec::new())
            }
            Question::Prune(Prune { max_age, max_size, dry_run }) => {
                let bounds = Bounds { older_than: *max_age, most: *max_size, rehearse: *dry_run };
                let trimmed = beating(open.await?.trim(bounds)).await?;
                encode(&Pruned {
                    removed: trimmed.objects,
                    freed_bytes: trimmed.bytes,
                    left: trimmed.left_objects,
                    left_bytes: trimmed.left_bytes,
                })
            }
            Question::List => encode(&beating(listing::list(root, &open.await?, &book)).await?),
            Question::Count => {
                let engine = open.await?;
                let counts =
                    if engine.lists() { Some(beating(engine.count()).await?) } else { None };
                encode(&counts)
            }
        }
    }

    fn bound_memory() {
        if let Some(limit) = limits::of(libc::RLIMIT_DATA)
            && limit.rlim_cur > MEMORY
        {
            let maximum = Some(limit.rlim_max).filter(|&most| most != libc::RLIM_INFINITY);
            let _ = setrlimit(Resource::Data, Rlimit { current: Some(MEMORY), maximum });
        }
    }

    fn beat() -> std::io::Result<()> {
        ipc::write_frame(&mut std::io::stdout().lock(), ipc::ALIVE, &[])
    }

    /// Runs a long operation and signals progress meanwhile.
    async fn beating<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(BEAT, &mut work).await {
                Ok(done) => return done,
                Err(_) => beat()?,
            }
        }
    }

    /// Waits until nobody sends, and keeps others from starting. Gives up after [`TURN`], as
    /// transfers may be large.
    async fn turn(root: &Root, target: &Target) -> Result<Option<Lock>> {
        let began = Instant::now();
        loop {
            let lock = Lock::take(root, target.lock(), Mode::TryExclusive)?;
            if lock.is_some() || began.elapsed() > TURN {
                return Ok(lock);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Sends what is queued, including what is queued meanwhile. A background helper leaves at once
    /// if another is sending.
    async fn send_all(
        root: &Root,
        target: &Target,
        book: &Book<'_>,
        is_detached: bool,
    ) -> Result<Sent> {
        let id = target.id();
        let mode = if is_detached { Mode::TryExclusive } else { Mode::Exclusive };
        let mut all = Sent::default();
        loop {
            progress::begin(Stage::Waiting, None);
            let Some(held) = Lock::take(root, target.lock(), mode)? else { return Ok(all) };
            let sent = send::send(root, target, book, !is_detached).await?;
            drop(held);
            all.entries += sent.entries;
            all.bytes += sent.bytes;
            all.failed += sent.failed;
            all.left = sent.left;
            all.why = all.why.or(sent.why);
            // Entries queued while the lock was held were left to this process.
            if all.failed > 0 || queue::keys(root, &id)?.is_empty() {
                return Ok(all);
            }
        }
    }
}
