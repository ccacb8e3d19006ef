//! The limit holds at every moment of a fold.

use crate::account;
use crate::fold::{FoldOptions, fold};
use crate::testing::{entry, scene};
use cachex_base::record::entry::{About, Bytes, Entry};
use serde_bytes::ByteBuf;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_fold_of_many_stays_within_the_limit_while_they_move() {
    const LIMIT: u64 = 6 << 20;
    let scene = scene();
    let about =
        |n: u64| About { argv: vec![ByteBuf::from(vec![n as u8; 1500])], ..entry(n, 0).about };
    for n in 0..1450 {
        let data = Bytes::Inline(vec![n as u8; 2000]);
        scene.record(&Entry { data, about: about(n), ..entry(n, 10_000 - n) });
    }
    let taken = || account::Survey::of(&scene.root, &mut |_| {}).unwrap().total;
    assert!(taken() < LIMIT);
    let is_done = AtomicBool::new(false);
    let most = std::thread::scope(|scope| {
        let watched = scope.spawn(|| {
            let mut most = 0;
            while !is_done.load(Ordering::Relaxed) {
                most = most.max(taken());
                std::thread::yield_now();
            }
            most
        });
        let options = FoldOptions { max_size: Some(LIMIT), wait: true, ..FoldOptions::default() };
        let folded = fold(&scene.root, &options);
        is_done.store(true, Ordering::Relaxed);
        folded.unwrap();
        watched.join().unwrap()
    });
    assert!(most <= LIMIT + LIMIT / 4 + (8 << 20), "{most}");
    assert!(taken() <= LIMIT, "{}", taken());
    // Those that were used last are kept.
    let kept = (0..1450).filter(|n| scene.old(*n).is_some()).count();
    assert!(scene.old(1449).is_some() && scene.old(0).is_none());
    assert!(kept > 100, "{kept}");
}
