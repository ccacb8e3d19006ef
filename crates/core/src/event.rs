//! A record in the log of events.
//!
//! A record is 64 bytes, written at once, with its own checksum: three magic bytes, its kind, four
//! bytes of checksum, 24 bytes of fields, and the key.

use crate::bytes::copy;
use crate::hash;

/// The name of the log.
pub const LOG: &str = "events";
/// The length of a record.
pub const LEN: usize = 64;
/// The first bytes of each record.
pub const MAGIC: [u8; 3] = [0xce, b'x', 1];
/// The kind of a record of a hit.
pub const HIT: u8 = 1;
/// The growth of the log after which a fold is due: 1,024 runs.
pub const FOLD_EVERY: u64 = 128 * 1024;
/// The maximum size of the log. Beyond it nobody folds, and the log starts anew.
pub const CAP: u64 = 2 * 1024 * 1024;

/// Returns the record of a hit on `key`: its time, the run time of the command, and the duration of
/// the hit, all in nanoseconds.
pub fn hit(time: u64, run_time: u64, cost: u64, key: &[u8; 32]) -> [u8; LEN] {
    record(HIT, &fields(time, run_time, cost), key)
}

/// Encodes three numbers as fields.
pub fn fields(time: u64, run_time: u64, number: u64) -> [u8; 24] {
    let mut fields = [0; 24];
    let (words, _) = fields.as_chunks_mut::<8>();
    for (word, number) in words.iter_mut().zip([time, run_time, number]) {
        *word = number.to_le_bytes();
    }
    fields
}

/// Returns a record of this kind.
pub fn record(kind: u8, fields: &[u8; 24], key: &[u8; 32]) -> [u8; LEN] {
    let mut record = [0; LEN];
    let (head, rest) = record.split_at_mut(8);
    copy(head, &[MAGIC[0], MAGIC[1], MAGIC[2], kind]);
    let (middle, tail) = rest.split_at_mut(24);
    copy(middle, fields);
    copy(tail, key);
    put_checksum(&mut record);
    record
}

/// Writes the checksum into a record.
pub fn put_checksum(record: &mut [u8; LEN]) {
    let sum = checksum(record);
    let [_, _, _, _, a, b, c, d, ..] = record;
    [*a, *b, *c, *d] = sum;
}

/// Returns the checksum of everything but the checksum itself.
pub fn checksum(record: &[u8; LEN]) -> [u8; 4] {
    let mut plain = *record;
    let [_, _, _, _, a, b, c, d, ..] = &mut plain;
    (*a, *b, *c, *d) = (0, 0, 0, 0);
    let [a, b, c, d, ..] = hash::chunk(&plain);
    [a, b, c, d]
}
