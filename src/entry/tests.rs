//! What a sealed entry gives back, and what it notices.

use super::*;
use crate::store::testing::entry;
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
