//! BLAKE3 of short inputs, without querying the processor's features.
//!
//! The blake3 crate queries them once per process, by three CPUID instructions. In a virtual
//! machine each of them is an exit to the hypervisor: measured 7 µs, so 20 µs of a hit, more than
//! all of its hashing. Every x86-64 has SSE2, which is as good as anything for a few kilobytes.
//! On other processors the crate queries nothing: every aarch64 has NEON.
//! This module implements the tree of the algorithm; the compression function is the crate's.
//!
//! Source: the BLAKE3 specification (O'Connor, Aumasson, Neves and
//! Wilcox-O'Hearn, 2020), sections 2.1 to 2.4.

use crate::bytes::copy;
use blake3::IncrementCounter;
use blake3::platform::Platform;

/// The length up to which querying the processor costs more than it gains.
pub const SHORT: usize = 32 * 1024;
/// The maximum length hashed here. Up to this, starting the C library costs more.
pub const LONGEST: usize = 128 * 1024;

/// The length of a leaf of the tree, in bytes.
pub const CHUNK: usize = 1024;
const BLOCK: usize = 64;
/// The number of chunks that SSE2 and NEON hash at once.
const LANES: usize = 4;
/// The initialization vector, that of SHA-256.
const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 2;
const PARENT: u8 = 4;
const ROOT: u8 = 8;
const KEYED: u8 = 16;

/// The maximum number of subtrees that wait for their pair: those of the left edge of a tree of
/// `LONGEST / CHUNK` chunks, of which the last does not wait. With one more, a function of the C
/// library would clear them.
const DEPTH: usize = 7;

/// The instruction set that is available without a query.
#[cfg(target_arch = "x86_64")]
#[inline]
fn platform() -> &'static Platform {
    &Platform::SSE2
}

/// The instruction set that the crate was built for.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn platform() -> Platform {
    Platform::detect()
}

type Chaining = [u8; 32];

/// Returns the hash of `bytes`, or `None` if they are longer than [`LONGEST`].
pub fn short(bytes: &[u8]) -> Option<[u8; 32]> {
    if bytes.len() <= CHUNK {
        return Some(one(bytes, &IV, 0, 0, ROOT));
    }
    if bytes.len() > LONGEST {
        return None;
    }
    let (mut chunks, mut last) = bytes.as_chunks::<CHUNK>();
    // The last chunk is joined last, full or not.
    if last.is_empty() {
        let (end, before) = chunks.split_last()?;
        (chunks, last) = (before, end);
    }
    let mut tree = Tree { waiting: [[0; 32]; DEPTH], depth: 0, count: 0 };
    for group in chunks.chunks(LANES) {
        if let [a, b, c, d] = group {
            tree.add_many(&[a, b, c, d], LANES);
        } else if let [a, b, rest @ ..] = group {
            // Unused lanes repeat a chunk, which costs nothing.
            tree.add_many(&[a, b, rest.first().unwrap_or(b), b], group.len());
        } else if let [a] = group {
            tree.add(one(a, &IV, 0, tree.count, 0));
        }
    }
    Some(tree.root(one(last, &IV, 0, tree.count, 0)))
}

/// Returns the hash of a block.
pub fn chunk(bytes: &[u8; 64]) -> [u8; 32] {
    one(bytes, &IV, 0, 0, ROOT)
}

/// Returns the keyed hash of `bytes`, which are at most a chunk.
pub fn keyed(key: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(key.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    one(bytes, &words, KEYED, 0, ROOT)
}

/// A tree under construction. Each waiting value is the root of a full subtree, in order from the
/// left.
struct Tree {
    waiting: [Chaining; DEPTH],
    depth: usize,
    count: u64,
}

impl Tree {
    fn add_many(&mut self, lanes: &[&[u8; CHUNK]; LANES], count: usize) {
        let mut row: [Chaining; LANES] = [[0; 32]; LANES];
        platform().hash_many(
            lanes,
            &IV,
            self.count,
            IncrementCounter::Yes,
            0,
            CHUNK_START,
            CHUNK_END,
            row.as_flattened_mut(),
        );
        for value in row.iter().take(count) {
            self.add(*value);
        }
    }

    /// Adds a chunk that is not the last, and joins the subtrees that it completes.
    fn add(&mut self, mut value: Chaining) {
        self.count += 1;
        let mut joined = self.count;
        while joined & 1 == 0 {
            self.depth = self.depth.saturating_sub(1);
            if let Some(left) = self.waiting.get(self.depth) {
                value = parent(left, &value, 0);
            }
            joined >>= 1;
        }
        if let Some(place) = self.waiting.get_mut(self.depth) {
            *place = value;
            self.depth += 1;
        }
    }

    /// Returns the root, given the last chunk.
    fn root(&self, last: Chaining) -> Chaining {
        let waiting = self.waiting.get(..self.depth).unwrap_or_default();
        let mut value = last;
        for (above, left) in waiting.iter().enumerate().rev() {
            value = parent(left, &value, if above == 0 { ROOT } else { 0 });
        }
        value
    }
}

/// Returns the chaining value of a chunk that need not be full. `mode` is set in the flags of each
/// of its blocks, and `last` in those of the last one.
fn one(bytes: &[u8], begin: &[u32; 8], mode: u8, counter: u64, last: u8) -> Chaining {
    let mut value = *begin;
    let (mut blocks, mut rest) = bytes.as_chunks::<BLOCK>();
    if let (Some((end, before)), true) = (blocks.split_last(), rest.is_empty()) {
        (blocks, rest) = (before, end);
    }
    let mut flags = mode | CHUNK_START;
    for block in blocks {
        platform().compress_in_place(&mut value, block, BLOCK as u8, counter, flags);
        flags = mode;
    }
    let mut block = [0; BLOCK];
    copy(&mut block, rest);
    flags |= CHUNK_END | last;
    platform().compress_in_place(&mut value, &block, rest.len() as u8, counter, flags);
    bytes_of(value)
}

fn parent(left: &Chaining, right: &Chaining, root: u8) -> Chaining {
    let mut block = [0; BLOCK];
    let (first, second) = block.split_at_mut(32);
    copy(first, left);
    copy(second, right);
    let mut value = IV;
    platform().compress_in_place(&mut value, &block, BLOCK as u8, 0, PARENT | root);
    bytes_of(value)
}

fn bytes_of(value: [u32; 8]) -> Chaining {
    let mut bytes = [0; 32];
    let (words, _) = bytes.as_chunks_mut::<4>();
    for (bytes, word) in words.iter_mut().zip(value) {
        *bytes = word.to_le_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn it_is_blake3_at_every_length() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
        let edges =
            (0..=CHUNK).chain((0..=256).flat_map(|n| [n * CHUNK, n * CHUNK + 1, n * CHUNK + 1000]));
        for len in edges {
            let expected = (len <= LONGEST).then(|| *blake3::hash(&bytes[..len]).as_bytes());
            assert_eq!(short(&bytes[..len]), expected, "{len}");
        }
    }

    #[test]
    fn with_a_key_it_is_blake3_too() {
        let key: [u8; 32] = core::array::from_fn(|n| n as u8 * 7);
        let bytes = [b'x'; CHUNK];
        for len in 0..=CHUNK {
            let expected = *blake3::keyed_hash(&key, &bytes[..len]).as_bytes();
            assert_eq!(keyed(&key, &bytes[..len]), expected, "{len}");
        }
    }
}
