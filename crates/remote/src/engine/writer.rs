//! Writing a long object in chunks.

use super::faults::{taken, within};
use super::folder::NewObject;
use super::{Objects, PIECES_AT_ONCE, Step};
use anyhow::Result;
use tokio::task::JoinSet;

/// A long object that is being written.
pub enum Writer {
    /// To a file.
    File(NewObject),
    /// Streamed, in parts where the engine supports that.
    Whole(opendal::Writer),
    /// In pieces.
    Pieces(Pieces),
}

impl Writer {
    /// Appends bytes.
    pub fn append(&mut self, bytes: Vec<u8>) -> Step<'_, Result<()>> {
        Box::pin(async move {
            match self {
                Writer::File(object) => within(object.append(bytes)).await?,
                Writer::Whole(writer) => taken(within(writer.write(bytes)).await?),
                Writer::Pieces(pieces) => pieces.append(&bytes).await,
            }
        })
    }

    /// Completes the object, which exists only from now on.
    pub fn finish(self) -> Step<'static, Result<()>> {
        Box::pin(async move {
            match self {
                Writer::File(object) => within(object.finish()).await?,
                Writer::Whole(mut writer) => taken(within(writer.close()).await?.map(drop)),
                Writer::Pieces(pieces) => pieces.finish().await,
            }
        })
    }

    /// Abandons the object.
    pub fn abandon(self) -> Step<'static, ()> {
        Box::pin(async move {
            if let Writer::Whole(mut writer) = self {
                let _ = within(writer.abort()).await;
            }
        })
    }
}

/// A long object that is written in pieces.
pub struct Pieces {
    pub(super) objects: Objects,
    pub(super) name: String,
    pub(super) len: usize,
    pub(super) open: Vec<u8>,
    pub(super) first: Option<Vec<u8>>,
    pub(super) count: u64,
    pub(super) under_way: JoinSet<Result<()>>,
}

impl Pieces {
    async fn append(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.len - self.open.len()));
            self.open.extend_from_slice(now);
            bytes = later;
            if self.open.len() == self.len {
                self.close().await?;
            }
        }
        Ok(())
    }

    /// Starts sending the open piece, unless it is the first.
    async fn close(&mut self) -> Result<()> {
        let piece = std::mem::take(&mut self.open);
        let at = self.count;
        self.count += 1;
        if at == 0 {
            self.first = Some(piece);
            return Ok(());
        }
        if self.under_way.len() >= PIECES_AT_ONCE
            && let Some(done) = self.under_way.join_next().await
        {
            done??;
        }
        let (objects, name) = (self.objects.clone(), piece_name(&self.name, at));
        self.under_way.spawn(async move { objects.write(&name, piece).await });
        Ok(())
    }

    async fn finish(mut self) -> Result<()> {
        // The last piece is shorter than the others, which marks the end.
        self.close().await?;
        while let Some(done) = self.under_way.join_next().await {
            done??;
        }
        let first = self.first.unwrap_or_default();
        self.objects.write(&piece_name(&self.name, 0), first).await
    }
}

pub(super) fn piece_name(name: &str, at: u64) -> String {
    format!("{name}.{at}")
}
