//! Tests of sealed entries: the round trip and the detection of damage.

use super::*;
use crate::record::testing::entry;
use cachex_core::entry::{Data, View};
use proptest::prelude::*;

fn entry_with(parts: Vec<u8>) -> Entry {
    Entry { parts, stale_for: Some(7), ..entry(1, 10) }
}

#[test]
fn a_bit_that_flips_anywhere_is_noticed() {
    for len in [0, 1, 8, 100] {
        let sealed = entry_with(vec![0x55; len]).seal().unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Entry::open_any(&flipped), Err(Damaged), "bit {bit} with {len} bytes");
        }
    }
}

#[test]
fn parts_that_were_cut_lengthened_or_exchanged_are_noticed() {
    let sealed = entry_with((0..100).collect()).seal().unwrap();
    for len in 0..sealed.len() {
        assert_eq!(Entry::open_any(&sealed[..len]), Err(Damaged));
    }
    for more in [&[0; 1][..], &[0; 8], &[1; 8]] {
        assert_eq!(Entry::open_any(&[&sealed, more].concat()), Err(Damaged));
    }
    let mut exchanged = sealed.clone();
    let len = sealed.len();
    exchanged[len - 24..].rotate_left(8);
    assert_eq!(Entry::open_any(&exchanged), Err(Damaged));
}

#[test]
fn limits_are_kept_by_both_sides() {
    let tagged = |tags: Vec<String>| {
        let plain = entry(1, 10);
        Entry { about: About { tags, ..plain.about }, ..plain }
    };
    let is_whole = |entry: &Entry| {
        let body = bincode::serde::encode_to_vec(entry, codec()).unwrap();
        let opened = Entry::open_any(&Entry::seal_any(&body, &entry.parts));
        assert_eq!(opened.is_ok(), entry.seal().is_ok());
        opened.is_ok()
    };
    assert!(is_whole(&entry_with(vec![1; PARTS_LIMIT])));
    assert!(!is_whole(&entry_with(vec![1; PARTS_LIMIT + 1])));
    assert!(is_whole(&tagged(vec!["x".repeat(MAX_TAG); MAX_TAGS])));
    assert!(!is_whole(&tagged(vec!["x".to_owned(); MAX_TAGS + 1])));
    for tag in [String::new(), "x".repeat(MAX_TAG + 1), "a\0b".to_owned()] {
        assert!(!is_whole(&tagged(vec![tag])));
    }
}

#[test]
fn the_longest_entry_can_be_sealed() {
    let plain = entry(1, 10);
    let about = About {
        argv: vec![serde_bytes::ByteBuf::from(vec![b'x'; 4]); About::LIMIT / 4],
        cut: true,
        cwd: Some(serde_bytes::ByteBuf::from(vec![b'x'; About::LIMIT])),
        scope: Some("\u{10ffff}".repeat(64)),
        tags: vec!["x".repeat(MAX_TAG); MAX_TAGS],
    };
    let inline = || Bytes::Inline(vec![7; INLINE_LIMIT]);
    let parts = vec![7; PARTS_LIMIT];
    let longest = Entry { about, frames: inline(), data: inline(), parts, ..plain };
    assert!(longest.seal().is_ok());
}

#[test]
fn what_expired_is_of_use_for_as_long_as_it_is_kept() {
    let created = Timestamp(1000);
    let with = |expires_in, stale_for| Entry { created, expires_in, stale_for, ..entry(1, 0) };
    let of_use = |entry: &Entry| {
        [999, 1000, 1009, 1010, 1014, 1015].map(|now| entry.is_of_use(Timestamp(now)))
    };
    let forever = with(None, Some(5));
    assert_eq!((forever.gone(), of_use(&forever)[5]), (None, true));
    let plain = with(Some(10), None);
    assert_eq!(plain.gone(), Some(Timestamp(1010)));
    assert_eq!(of_use(&plain), [false, true, true, false, false, false]);
    let kept = with(Some(10), Some(5));
    assert_eq!(kept.gone(), Some(Timestamp(1015)));
    assert_eq!(of_use(&kept), [false, true, true, true, true, false]);
    assert_eq!(with(Some(u64::MAX), Some(u64::MAX)).gone(), Some(Timestamp(u64::MAX)));
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened_and_sealed_the_same(
        parts in prop::collection::vec(any::<u8>(), 0..200),
        tags in prop::collection::vec("[^\0]{1,16}", 0..4),
    ) {
        let mut entry = entry_with(parts);
        entry.about.tags = tags;
        let sealed = entry.seal().unwrap();
        let opened = Entry::open(&entry.key, &sealed).unwrap();
        prop_assert_eq!(opened.seal().unwrap(), sealed);
        prop_assert_eq!(opened, entry);
    }

    #[test]
    fn a_word_that_differs_makes_another_sum(
        mut bytes in prop::collection::vec(any::<u8>(), 1..100),
        at in any::<prop::sample::Index>(),
        change in 1..=u64::MAX,
    ) {
        let before = sum(&bytes);
        let whole = bytes.clone();
        let start = at.index(bytes.len()) / 8 * 8;
        for (byte, flip) in bytes[start..].iter_mut().zip(change.to_le_bytes()) {
            *byte ^= flip;
        }
        prop_assert_eq!(bytes == whole, sum(&bytes) == before);
    }
}

/// Checks that the front reads an entry as everybody does, or leaves it to them.
fn is_read_alike(encoded: &[u8]) -> bool {
    let Some(view) = View::read(encoded) else { return false };
    let (entry, used) = bincode::serde::decode_from_slice::<Entry, _>(encoded, codec()).unwrap();
    assert_eq!(used, encoded.len());
    assert!(entry.is_within_limits() && entry.outputs.is_none());
    assert_eq!((view.key, view.created), (&entry.key.0, entry.created.0));
    assert_eq!((view.expires_in, view.run_time), (entry.expires_in, entry.run_time));
    assert_eq!((view.status, view.stdin_consumed), (entry.status, entry.stdin_consumed));
    assert_eq!(Bytes::Inline(view.frames.to_vec()), entry.frames);
    let data = match view.data {
        Data::Inline(bytes) => Bytes::Inline(bytes.to_vec()),
        Data::Blob(hash, len) => Bytes::Blob(BlobRef { hash: *hash, len }),
    };
    assert_eq!(data, entry.data);
    true
}

proptest! {
    #[test]
    fn the_front_reads_what_everybody_reads(
        numbers in any::<[u64; 3]>(),
        spans in any::<(Option<u64>, Option<u64>, Option<u64>)>(),
        status in any::<u8>(),
        texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 2..6),
        scope in proptest::option::of("[ -~]{0,9}"),
        tags in proptest::collection::vec("[ -~]{1,64}", 0..4),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let plain = entry(1, 10);
        let argv = texts.iter().map(|text| serde_bytes::ByteBuf::from(text.clone())).collect();
        let cwd = texts.last().map(|text| serde_bytes::ByteBuf::from(text.clone()));
        let written = Entry {
            created: Timestamp(numbers[0]),
            expires_in: spans.0,
            stale_for: spans.1,
            run_time: numbers[1],
            status,
            stdin_consumed: spans.2,
            frames: Bytes::Inline(texts[0].clone()),
            data: Bytes::Inline(texts[1].clone()),
            outputs: None,
            about: About { argv, cut: numbers[2] % 2 == 0, cwd, scope, tags },
            ..plain
        };
        let mut encoded = bincode::serde::encode_to_vec(&written, codec()).unwrap();
        prop_assert!(is_read_alike(&encoded));
        for (place, value) in edits {
            let place = place.index(encoded.len());
            encoded[place] = value;
            is_read_alike(&encoded);
        }
    }
}
