//! The properties of anything that is accepted as an archive.

use cachex_base::system::clock::Timestamp;
use cachex_store::archive;
use cachex_store::archive::contents::Contents;
use cachex_store::archive::intake::{Choice, Recorded};
use cachex_store::remote::rules::Rules;

/// Reads the input of `cachex import`: as it is, unpacked, and with the digest that makes any
/// records a complete archive.
pub fn archive(bytes: &[u8]) {
    const LIMIT: u64 = 1 << 20;
    if let Ok(reader) = archive::Reader::new(bytes, LIMIT) {
        whole_archive(Contents::read(reader, &Rules::default()), LIMIT);
    }
    for plain in [bytes, &archive::ended(bytes)] {
        if let Ok(reader) = archive::Reader::unpacked(plain, LIMIT) {
            whole_archive(Contents::read(reader, &Rules::default()), LIMIT);
        }
    }
}

/// Checks that everything in an archive is complete and within the limits.
fn whole_archive(contents: anyhow::Result<Contents>, limit: u64) {
    let Ok(contents) = contents else { return };
    let blobs = contents.blobs.len();
    let bytes = contents.blobs.iter().map(|blob| blob.len).sum::<u64>();
    let sealed = contents.entries.iter().map(|entry| entry.len).sum::<u64>();
    assert!(bytes + sealed <= limit);
    let places = contents.entries.iter().flat_map(|entry| &entry.needs);
    assert!(places.into_iter().all(|&place| (place as usize) < blobs));
    let choice = Choice::of(&contents, &Recorded::new(), u64::MAX, Timestamp(u64::MAX));
    let tally = choice.tally;
    assert_eq!(tally.imported + tally.expired, contents.entries.len() as u64);
    assert!(tally.bytes <= bytes + sealed && tally.blobs <= blobs as u64);
}
