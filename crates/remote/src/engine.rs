//! Access to a remote store: a [`folder`], or a server by way of `OpenDAL` or, for Redis, of its
//! client. Each kind of URL is made into an operator. Objects are read and written in bounded
//! memory.
//!
//! Where an engine takes values in one piece only (Redis, memcached, `WebDAV`), a long object is
//! cut into pieces of one length, `NAME.0`, `NAME.1` and so on. The first one is written last: if
//! it exists, all were written.

mod faults;
mod folder;
mod kinds;
mod listing;
#[cfg(feature = "redis")]
mod redis;
mod writer;

use crate::{Access, RemoteUrl};
use anyhow::{Result, anyhow, ensure};
use faults::{in_plain_words, is_absence, stalled, taken, within, within_time};
use folder::Folder;
use futures_util::stream::{self, StreamExt};
use kinds::Opened;
pub use listing::{Bounds, Trimmed};
use opendal::Operator;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
pub use writer::Writer;
use writer::{Pieces, piece_name};

/// The time limit of a step: if nothing came for this long, nothing more will.
pub const STALL: Duration = Duration::from_secs(10);
/// The time limit between two parts of an answer.
pub const QUIET: Duration = Duration::from_secs(2);
/// The length of a part of a multipart upload, and the number of concurrent parts.
const PART: (usize, usize) = (8 << 20, 4);
/// The memory limit of all transfers together, in MiB.
const ROOM: usize = 96;
/// The number of concurrent pieces.
const PIECES_AT_ONCE: usize = 4;

/// A store in which objects are read, written and deleted as a whole.
#[derive(Clone)]
enum Objects {
    OpenDal(Operator),
    Folder(Folder),
    #[cfg(feature = "redis")]
    Redis(redis::Redis),
}

impl Objects {
    /// Writes an object.
    async fn write(&self, name: &str, content: Vec<u8>) -> Result<()> {
        match self {
            Objects::OpenDal(op) => taken(within(op.write(name, content)).await?.map(drop)),
            Objects::Folder(folder) => {
                let object = within(folder.writer(name)).await??;
                within(object.append(content)).await??;
                within(object.finish()).await?
            }
            #[cfg(feature = "redis")]
            // It has a time limit of its own, once it is its turn.
            Objects::Redis(redis) => redis.write(name, &content).await,
        }
    }

    /// Deletes an object, if it exists.
    async fn delete(&self, name: &str) -> Result<()> {
        match self {
            Objects::OpenDal(op) => within(op.delete(name)).await?.map_err(in_plain_words),
            Objects::Folder(folder) => within(folder.remove(name)).await?,
            #[cfg(feature = "redis")]
            Objects::Redis(redis) => redis.delete(name).await,
        }
    }
}

/// A boxed future, so that the code of client libraries is built here and nowhere else.
pub type Step<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + 'a>>;

/// An open remote store.
pub struct Engine {
    objects: Objects,
    /// The length of a piece; none if values are streamed.
    piece: Option<usize>,
    /// True if values disappear when they expire, or when others need the room.
    drops: bool,
    /// The memory available to transfers, in MiB.
    room: Semaphore,
}

impl Engine {
    /// Opens the store. The server drops written values after `kept`, if it can.
    pub fn open<'a>(
        url: &'a RemoteUrl,
        access: &'a Access,
        kept: Option<Duration>,
    ) -> Step<'a, Result<Engine>> {
        Box::pin(async move {
            // The servers count in seconds.
            let kept = kept
                .map(|kept| Duration::from_secs(kept.as_nanos().div_ceil(1_000_000_000) as u64));
            let Opened { objects, piece, drops } =
                within(Box::pin(kinds::open(url, access, kept))).await??;
            Ok(Engine { objects, piece, drops, room: Semaphore::new(ROOM) })
        })
    }

    /// Waits until there is memory for the transfer of a long object of this length. It is reserved
    /// until the returned permit is dropped.
    pub fn room(&self, len: u64) -> Step<'_, Option<SemaphorePermit<'_>>> {
        Box::pin(async move {
            let at_once = match self.piece {
                Some(piece) => piece * (PIECES_AT_ONCE + 1),
                None => PART.0 * (PART.1 + 1),
            };
            let mib = (len >> 20).min(at_once as u64 >> 20).min(ROOM as u64) + 1;
            self.room.acquire_many(mib.min(ROOM as u64) as u32).await.ok()
        })
    }

    /// Returns whether values disappear when they expire, or when others need the room.
    pub fn drops(&self) -> bool {
        self.drops
    }

    /// Returns whether it can be written to at all.
    pub fn takes_writes(&self) -> bool {
        self.can(|capability| capability.write)
    }

    /// Returns whether objects can be deleted.
    pub fn takes_removals(&self) -> bool {
        self.can(|capability| capability.delete)
    }

    /// Returns whether requests share one connection, so that a second one takes no extra time.
    pub fn takes_questions_together(&self) -> bool {
        match &self.objects {
            #[cfg(feature = "redis")]
            Objects::Redis(_) => true,
            _ => false,
        }
    }

    /// Claims a name for `ttl` unless it is claimed already. Returns whether that worked, or `None`
    /// if the store does not support claims.
    pub fn claim<'a>(
        &'a self,
        name: &'a str,
        token: &'a str,
        ttl: Duration,
    ) -> Step<'a, Result<Option<bool>>> {
        Box::pin(async move {
            match &self.objects {
                #[cfg(feature = "redis")]
                Objects::Redis(redis) => redis.claim(name, token, ttl).await.map(Some),
                _ => {
                    let _ = (name, token, ttl);
                    Ok(None)
                }
            }
        })
    }

    /// Extends the claim with this token, or releases it without a `ttl`. Returns whether it
    /// existed.
    pub fn keep_claim<'a>(
        &'a self,
        name: &'a str,
        token: &'a str,
        ttl: Option<Duration>,
    ) -> Step<'a, Result<bool>> {
        Box::pin(async move {
            match &self.objects {
                #[cfg(feature = "redis")]
                Objects::Redis(redis) => redis.keep_claim(name, token, ttl).await,
                _ => {
                    let _ = (name, token, ttl);
                    Ok(false)
                }
            }
        })
    }

    /// Returns the server's time since 1970, if known, and its maximum error: how much later it may
    /// be.
    pub fn time(&self) -> Step<'_, Result<Option<[Duration; 2]>>> {
        Box::pin(async move {
            match &self.objects {
                #[cfg(feature = "redis")]
                Objects::Redis(redis) => Ok(Some([redis.time().await?, Duration::ZERO])),
                #[cfg(feature = "http-client")]
                Objects::OpenDal(_) => {
                    let time = within(kinds::time_of_the_server()).await??;
                    Ok(time.map(|time| [time, Duration::from_secs(1)]))
                }
                _ => Ok(None),
            }
        })
    }

    fn can(&self, what: fn(&opendal::Capability) -> bool) -> bool {
        match &self.objects {
            Objects::OpenDal(op) => what(&op.info().capability()),
            Objects::Folder(_) => true,
            #[cfg(feature = "redis")]
            Objects::Redis(_) => true,
        }
    }

    /// Returns a short object, if it exists. One that is longer than `most` is returned empty.
    pub fn get<'a>(&'a self, name: &'a str, most: usize) -> Step<'a, Result<Option<Vec<u8>>>> {
        Box::pin(async move {
            let mut all = Vec::new();
            let mut into = |bytes: &[u8]| {
                ensure!(all.len() + bytes.len() <= most, TooLong);
                all.extend_from_slice(bytes);
                Ok(())
            };
            match self.stream(name, &mut into).await {
                Ok(is_there) => Ok(is_there.then_some(all)),
                Err(error) if error.is::<TooLong>() => Ok(Some(Vec::new())),
                Err(error) => Err(error),
            }
        })
    }

    /// Writes a short object.
    pub fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>) -> Step<'a, Result<()>> {
        Box::pin(async move { self.objects.write(name, bytes).await })
    }

    /// Deletes an object, if it exists.
    pub fn remove<'a>(&'a self, name: &'a str) -> Step<'a, Result<()>> {
        Box::pin(async move { self.objects.delete(name).await })
    }

    /// Deletes a long object, if it exists: without its first piece it does not.
    pub fn remove_long<'a>(&'a self, name: &'a str) -> Step<'a, Result<()>> {
        Box::pin(async move { self.remove(&self.first_of(name)).await })
    }

    /// Returns whether a long object exists and need not be written.
    pub fn has<'a>(&'a self, name: &'a str) -> Step<'a, Result<bool>> {
        Box::pin(async move {
            if self.drops {
                // Writing it renews its lifetime, and a piece of it may be gone.
                return Ok(false);
            }
            if let Objects::Folder(folder) = &self.objects {
                return within(folder.has(name)).await?;
            }
            match within(self.operator()?.stat(&self.first_of(name))).await? {
                Ok(_) => Ok(true),
                Err(error) if is_absence(&error) => Ok(false),
                Err(error) => Err(in_plain_words(error)),
            }
        })
    }

    /// Returns the name by which a long object is found, in pieces or not.
    fn first_of(&self, name: &str) -> String {
        self.piece.map_or_else(|| name.to_owned(), |_| piece_name(name, 0))
    }

    /// Passes a long object of up to `most` bytes to `into`, chunk by chunk. Returns whether it
    /// exists.
    pub fn pour<'a>(
        &'a self,
        name: &'a str,
        most: u64,
        into: &'a mut (dyn FnMut(&[u8]) -> Result<()> + 'a),
    ) -> Step<'a, Result<bool>> {
        Box::pin(async move {
            let Some(piece) = self.piece else { return self.stream(name, into).await };
            let count = most / piece as u64 + 1;
            let pieces = stream::iter(0..count).map(|at| {
                let name = piece_name(name, at);
                // A server may send more than a piece.
                async move { self.get(&name, piece).await }
            });
            let mut pieces = std::pin::pin!(pieces.buffered(PIECES_AT_ONCE));
            let mut at = 0;
            while let Some(read) = pieces.next().await {
                let Some(content) = read? else { return Ok(at > 0) };
                into(&content)?;
                if content.len() < piece {
                    return Ok(true);
                }
                at += 1;
            }
            Ok(true)
        })
    }

    /// Starts writing a long object.
    pub fn writer<'a>(&'a self, name: &'a str) -> Step<'a, Result<Writer>> {
        Box::pin(async move {
            if let Objects::Folder(folder) = &self.objects {
                return Ok(Writer::File(within(folder.writer(name)).await??));
            }
            let Some(piece) = self.piece else {
                let (part, at_once) = PART;
                let writer = self.operator()?.writer_with(name).chunk(part).concurrent(at_once);
                return Ok(Writer::Whole(within(writer).await?.map_err(in_plain_words)?));
            };
            Ok(Writer::Pieces(Pieces {
                objects: self.objects.clone(),
                name: name.to_owned(),
                len: piece,
                open: Vec::new(),
                first: None,
                count: 0,
                under_way: JoinSet::new(),
            }))
        })
    }

    /// Returns the operator, which streams and lists.
    fn operator(&self) -> Result<&Operator> {
        match &self.objects {
            Objects::OpenDal(op) => Ok(op),
            _ => Err(anyhow!("only a server that OpenDAL knows can do that")),
        }
    }

    /// Passes an object that is in one piece to `into`. Returns whether it exists.
    async fn stream(&self, name: &str, into: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let op = match &self.objects {
            Objects::OpenDal(op) => op,
            Objects::Folder(folder) => {
                let Some(object) = within(folder.read(name)).await?? else { return Ok(false) };
                while let Some(chunk) = within(object.next()).await?? {
                    into(&chunk)?;
                }
                return Ok(true);
            }
            #[cfg(feature = "redis")]
            Objects::Redis(redis) => {
                let Some(content) = redis.read(name).await? else { return Ok(false) };
                return into(&content).map(|()| true);
            }
        };
        let opened = within(async { op.reader(name).await?.into_stream(..).await });
        let mut chunks = match opened.await? {
            Ok(chunks) => chunks,
            Err(error) if is_absence(&error) => return Ok(false),
            Err(error) => return Err(in_plain_words(error)),
        };
        let mut limit = STALL;
        while let Some(chunk) = within_time(limit, chunks.next()).await? {
            limit = QUIET;
            match chunk {
                Ok(chunk) => chunk.into_iter().try_for_each(|bytes| into(&bytes))?,
                // Some engines only send the request when the first chunk is read.
                Err(error) if is_absence(&error) => return Ok(false),
                Err(error) => return Err(in_plain_words(error)),
            }
        }
        Ok(true)
    }
}

/// The error of an object that is longer than allowed.
#[derive(Debug)]
struct TooLong;

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("longer than it can be")
    }
}
