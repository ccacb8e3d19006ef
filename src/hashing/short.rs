//! BLAKE3 of what is short, without asking the processor what it can do.
//!
//! The blake3 crate asks once per process, by three CPUID instructions. In a
//! virtual machine each of them is an exit to the hypervisor: measured 7 µs, so
//! 20 µs of a hit, more than all of its hashing. SSE2 is there on every x86-64,
//! and for a few kilobytes as good as anything. Here is the tree of the
//! algorithm; the compression function is the crate's.
//!
//! Source: the BLAKE3 specification (O'Connor, Aumasson, Neves and
//! Wilcox-O'Hearn, 2020), sections 2.1 to 2.4.

use blake3::IncrementCounter;
use blake3::platform::Platform;

/// What the tree has for leaves, in bytes.
pub const CHUNK: usize = 1024;
const BLOCK: usize = 64;
/// How many chunks SSE2 hashes at once.
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

type Chaining = [u8; 32];

/// The hash of `bytes`.
pub fn hash(bytes: &[u8]) -> blake3::Hash {
    if bytes.len() <= CHUNK {
        return blake3::Hash::from_bytes(chunk(bytes, &IV, 0, 0, ROOT));
    }
    let (whole, rest) = bytes.as_chunks::<CHUNK>();
    let mut row: Vec<Chaining> = vec![[0; 32]; whole.len()];
    for (at, (inputs, outputs)) in whole.chunks(LANES).zip(row.chunks_mut(LANES)).enumerate() {
        let mut lanes = [&whole[0]; LANES];
        for (lane, input) in lanes.iter_mut().zip(inputs) {
            *lane = input;
        }
        Platform::SSE2.hash_many(
            &lanes[..inputs.len()],
            &IV,
            (at * LANES) as u64,
            IncrementCounter::Yes,
            0,
            CHUNK_START,
            CHUNK_END,
            outputs.as_flattened_mut(),
        );
    }
    if !rest.is_empty() {
        row.push(chunk(rest, &IV, 0, whole.len() as u64, 0));
    }
    // A row without its pair goes up as it is: so the left subtree of every
    // node is the largest full one that leaves something to the right.
    while row.len() > 2 {
        row = row.chunks(2).map(|pair| parent(pair, 0)).collect();
    }
    blake3::Hash::from_bytes(parent(&row, ROOT))
}

/// The hash with a key of `bytes`, which are no more than a chunk.
pub fn keyed(key: &[u8; 32], bytes: &[u8]) -> blake3::Hash {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(key.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    blake3::Hash::from_bytes(chunk(bytes, &words, KEYED, 0, ROOT))
}

/// The chaining value of a chunk that need not be full; `mode` is set in the
/// flags of each of its blocks, and `last` in those of the last one.
fn chunk(bytes: &[u8], begin: &[u32; 8], mode: u8, counter: u64, last: u8) -> Chaining {
    let mut value = *begin;
    let count = bytes.len().div_ceil(BLOCK).max(1);
    for at in 0..count {
        let part = &bytes[at * BLOCK..bytes.len().min((at + 1) * BLOCK)];
        let mut block = [0; BLOCK];
        block[..part.len()].copy_from_slice(part);
        let start = if at == 0 { CHUNK_START } else { 0 };
        let end = if at + 1 == count { CHUNK_END | last } else { 0 };
        Platform::SSE2.compress_in_place(
            &mut value,
            &block,
            part.len() as u8,
            counter,
            mode | start | end,
        );
    }
    bytes_of(value)
}

fn parent(pair: &[Chaining], root: u8) -> Chaining {
    let [left, right] = pair else { return pair[0] };
    let mut block = [0; BLOCK];
    block[..32].copy_from_slice(left);
    block[32..].copy_from_slice(right);
    let mut value = IV;
    Platform::SSE2.compress_in_place(&mut value, &block, BLOCK as u8, 0, PARENT | root);
    bytes_of(value)
}

fn bytes_of(value: [u32; 8]) -> Chaining {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(4).zip(value) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_blake3_at_every_length() {
        let bytes: Vec<u8> = (0..40_000_u32).map(|n| (n % 251) as u8).collect();
        let edges =
            (0..=CHUNK).chain((0..39).flat_map(|n| [n * CHUNK, n * CHUNK + 1, n * CHUNK + 1000]));
        for len in edges {
            assert_eq!(hash(&bytes[..len]), blake3::hash(&bytes[..len]), "{len}");
        }
    }

    #[test]
    fn with_a_key_it_is_blake3_too() {
        let key: [u8; 32] = std::array::from_fn(|n| n as u8 * 7);
        let bytes = [b'x'; CHUNK];
        for len in 0..=CHUNK {
            assert_eq!(
                keyed(&key, &bytes[..len]),
                blake3::keyed_hash(&key, &bytes[..len]),
                "{len}"
            );
        }
    }
}
