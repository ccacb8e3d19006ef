//! Tests of replays that need no process.

use super::*;
use cachex_store::pack;
use cachex_store::testing::{Scene, entry, scene};

fn encoded(lens: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for &len in lens {
        Frame { stream: Stream::Stdout, len }.encode(&mut bytes);
    }
    bytes
}

/// Returns whether an entry of 100 bytes with these frames may be replayed, whether the frames
/// are in the entry or in a blob.
fn may_be_replayed(scene: &Scene, frames: &[u8]) -> bool {
    let places = [Bytes::Inline(frames.to_vec()), Bytes::Blob(scene.blob(frames))];
    let [inline, blob] = places.map(|frames| {
        let entry = Entry { frames, ..entry(1, 0) };
        Replay::prepare(&scene.root, entry).unwrap().is_some()
    });
    assert_eq!(inline, blob);
    inline
}

#[test]
fn frames_that_are_not_of_all_the_bytes_and_no_more_are_a_damage() {
    let scene = scene();
    assert!(may_be_replayed(&scene, &encoded(&[100])));
    assert!(may_be_replayed(&scene, &encoded(&[1, 0, 99])));
    let most = u64::MAX >> 1;
    for bad in [&[][..], &[99], &[101], &[100, 1], &[most, most, most], &[100, most, most, 2]] {
        assert!(!may_be_replayed(&scene, &encoded(bad)), "{bad:?}");
    }
    assert!(!may_be_replayed(&scene, &[0x80]));
}

#[test]
fn the_sizes_are_known_before_and_after() {
    let scene = scene();
    let frames = Bytes::Blob(scene.blob(&encoded(&[60, 40])));
    let entry = Entry { frames, ..entry(1, 0) };
    let replay = Replay::prepare(&scene.root, entry).unwrap().unwrap();
    assert_eq!([replay.sizes(), replay.sizes()], [[100, 0], [100, 0]]);
}

#[test]
fn what_is_packed_is_read_as_often_as_what_is_not() {
    let scene = scene();
    let data: Vec<u8> = (0..90_000_u32).flat_map(|n| (n / 9).to_le_bytes()).collect();
    let frames = encoded(&vec![30; 12_000]);
    let [of_data, of_frames] = [&data, &frames].map(|content| scene.blob(content));
    for blob in [&of_data, &of_frames] {
        assert!(pack::pack(&scene.root, blob, 3, u64::MAX).unwrap().is_some());
    }
    let (frames, data_in) = (Bytes::Blob(of_frames), Bytes::Blob(of_data));
    let entry = Entry { frames, data: data_in, ..entry(1, 0) };
    let replay = Replay::prepare(&scene.root, entry).unwrap().unwrap();
    assert!(matches!(
        (&replay.data, &replay.frames),
        (Some(Blob::Packed(_)), Some(Blob::Packed(_)))
    ));
    let mut printed = OutputPrefix::default();
    for len in [1, 100_000, 200_000] {
        let from = printed.bytes()[0] as usize;
        printed.add(Stream::Stdout, &data[from..from + len]);
        assert!(replay.compare(&printed).is_ok());
        assert_eq!(replay.sizes(), [360_000, 0]);
    }
    printed.add(Stream::Stdout, b"else");
    assert!(replay.compare(&printed).is_err());
}
