//! The format of blobs in transfer: a byte that says how, and the content, packed if that pays.

use anyhow::Result;
use std::io::{self, Read, Write};
use zstd::stream::read::Encoder;
use zstd::stream::write::Decoder;

/// Marks content as it is.
const PLAIN: u8 = 0;
/// Marks content in a zstd frame.
const PACKED: u8 = 1;
/// The binary logarithm of a frame's window size, which is the memory that unpacking takes.
const WINDOW: u32 = 23;
/// The length of the sample that is packed to see whether that pays,
const SAMPLE: usize = 128 * 1024;
/// and the maximum share of it that may be left, in eighths.
const PAYS: usize = 7;

/// Returns the maximum size of an object with content of this length: packing may enlarge the rest
/// even if it shrank the sample.
pub fn longest(len: u64) -> u64 {
    len.saturating_add(len / 128).saturating_add(1024)
}

/// The object cannot be unpacked, or not to valid content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbled;

impl std::fmt::Display for Garbled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it is not what was stored")
    }
}

impl std::error::Error for Garbled {}

/// Returns the object for `content`, packed at `level` if that pays; never packed at level 0.
pub fn object<'r>(mut content: impl Read + 'r, level: u8) -> io::Result<Box<dyn Read + 'r>> {
    let mut sample = Vec::with_capacity(SAMPLE);
    (&mut content).take(SAMPLE as u64).read_to_end(&mut sample)?;
    let pays = level > 0 && {
        let packed = zstd::bulk::compress(&sample, i32::from(level))?;
        packed.len() <= sample.len() / 8 * PAYS
    };
    let content = io::Cursor::new(sample).chain(content);
    if !pays {
        return Ok(Box::new(io::Cursor::new([PLAIN]).chain(content)));
    }
    let mut encoder = Encoder::new(content, i32::from(level))?;
    encoder.window_log(WINDOW)?;
    Ok(Box::new(io::Cursor::new([PACKED]).chain(encoder)))
}

/// Decodes an object piece by piece and passes its content to `into`.
pub struct Content<F: FnMut(&[u8]) -> Result<()>> {
    way: Way<F>,
}

enum Way<F: FnMut(&[u8]) -> Result<()>> {
    /// Nothing was received yet.
    Unknown(F),
    Plain(F),
    Packed(Box<Decoder<'static, Taker<F>>>),
    /// The object cannot be read.
    Lost,
}

impl<F: FnMut(&[u8]) -> Result<()>> Content<F> {
    /// Creates a decoder that has received nothing yet.
    pub fn new(into: F) -> Content<F> {
        Content { way: Way::Unknown(into) }
    }

    /// Decodes the next bytes of the object. An error is [`Garbled`] unless it is `into`'s.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<()> {
        if let Way::Unknown(_) = self.way {
            let Some((way, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            let Way::Unknown(into) = std::mem::replace(&mut self.way, Way::Lost) else {
                return Err(Garbled.into());
            };
            self.way = match *way {
                PLAIN => Way::Plain(into),
                PACKED => {
                    let mut decoder = Decoder::new(Taker { into, refused: None })?;
                    decoder.window_log_max(WINDOW)?;
                    Way::Packed(Box::new(decoder))
                }
                _ => Way::Lost,
            };
        }
        match &mut self.way {
            Way::Plain(into) => into(bytes),
            Way::Packed(decoder) => {
                let written = decoder.write_all(bytes).and_then(|()| decoder.flush());
                match (written, decoder.get_mut().refused.take()) {
                    (_, Some(refused)) => Err(refused),
                    (Err(_), None) => Err(Garbled.into()),
                    (Ok(()), None) => Ok(()),
                }
            }
            Way::Unknown(_) | Way::Lost => Err(Garbled.into()),
        }
    }
}

/// The sink of a decoder.
struct Taker<F> {
    into: F,
    refused: Option<anyhow::Error>,
}

impl<F: FnMut(&[u8]) -> Result<()>> Write for Taker<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match (self.into)(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(refused) => {
                self.refused = Some(refused);
                Err(io::ErrorKind::Other.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sent(content: &[u8], level: u8) -> Vec<u8> {
        let mut object_bytes = Vec::new();
        object(content, level).unwrap().read_to_end(&mut object_bytes).unwrap();
        object_bytes
    }

    fn received(object: &[u8], step: usize) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        let mut content = Content::new(|bytes: &[u8]| {
            all.extend_from_slice(bytes);
            Ok(())
        });
        object.chunks(step).try_for_each(|bytes| content.take(bytes))?;
        drop(content);
        Ok(all)
    }

    proptest! {
        #[test]
        fn what_is_sent_comes_back(
            content in proptest::collection::vec(any::<u8>(), 0..1000),
            times in 1_usize..300,
            level in 0_u8..4,
            step in 1_usize..5000,
        ) {
            let content = content.repeat(times);
            let object = sent(&content, level);
            prop_assert!(object.len() as u64 <= longest(content.len() as u64));
            prop_assert_eq!(received(&object, step).unwrap(), content);
        }

        #[test]
        fn anything_else_is_an_error_or_other_content_and_no_panic(
            object in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = received(&object, 100);
        }
    }

    #[test]
    fn what_repeats_is_packed_and_what_does_not_is_left_alone() {
        let repeats = b"abc".repeat(100_000);
        assert!(sent(&repeats, 1).len() < 1000);
        assert_eq!(sent(&repeats, 0).len(), repeats.len() + 1);
        let random = blake3::Hasher::new().finalize_xof();
        let mut noise = vec![0; 300_000];
        { random }.fill(&mut noise);
        assert_eq!(sent(&noise, 19).len(), noise.len() + 1);
    }

    #[test]
    fn garbage_is_told_from_a_refusal() {
        let refusing = |_: &[u8]| anyhow::bail!("full");
        let object = sent(&b"abc".repeat(1000), 1);
        assert_eq!(Content::new(refusing).take(&object).unwrap_err().to_string(), "full");
        assert!(received(&[9, 1, 2], 3).unwrap_err().is::<Garbled>());
        assert!(received(&[PACKED, 1, 2, 3, 4, 5, 6], 7).unwrap_err().is::<Garbled>());
    }
}
