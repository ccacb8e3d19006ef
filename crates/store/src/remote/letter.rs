//! Objects of a remote store are letters: authenticated by a shared secret, and signed if the
//! writer has a signing key.
//!
//! ```text
//! magic (8) | BLAKE3 of the rest, keyed (32) | 0, or 1, the public key (32) and the signature (64) | content
//! ```
//!
//! The MAC detects damage, and forgery without the secret. The signature is for readers who share
//! the secret with many and accept results from few: all readers can make the MAC, only writers can
//! sign. Both cover the subject, so that one kind of letter does not pass for another, and the
//! content names its place.

use cachex_base::record::entry::Damaged;
use cachex_remote::{Access, PrivateKey, PublicKey, SIGNATURE};

/// The subject of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An entry.
    Entry,
    /// Invalidation rules.
    Invalidation,
    /// The path sets of a call.
    PathSets,
}

const UNSIGNED: u8 = 0;
const SIGNED: u8 = 1;
const HEADER: usize = 8 + 32;
/// The maximum overhead of a letter in bytes, beyond its content.
pub const MOST_AROUND: usize = HEADER + 1 + 32 + SIGNATURE;

impl Subject {
    fn magic(self) -> [u8; 8] {
        let kind = match self {
            Subject::Entry => b'r',
            Subject::Invalidation => b'i',
            Subject::PathSets => b'p',
        };
        [0x89, b'c', b'a', b'c', b'h', b'e', kind, 2]
    }
}

/// The signing key, and the accepted signers.
#[derive(Debug, Default)]
pub struct Trust {
    key: Option<PrivateKey>,
    /// The accepted keys; `None` if a valid MAC suffices.
    accepted: Option<Vec<PublicKey>>,
}

impl Trust {
    /// Creates the trust of these credentials. The own signature is accepted, too.
    pub fn of(access: &Access) -> Trust {
        let accepted = access.wants_signatures().then(|| access.accepted().collect());
        Trust { accepted, key: access.signing_key.clone() }
    }
}

/// Seals a letter with the MAC key `sums`.
pub fn seal(
    sums: &[u8; 32],
    subject: Subject,
    content: &[u8],
    trust: &Trust,
) -> Result<Vec<u8>, Damaged> {
    let mut body = Vec::with_capacity(MOST_AROUND + content.len());
    match &trust.key {
        None => body.push(UNSIGNED),
        Some(key) => {
            let public = key.public().ok_or(Damaged)?;
            let signature = key.sign(&signed(subject, content)).ok_or(Damaged)?;
            body.push(SIGNED);
            body.extend(public.0);
            body.extend(signature);
        }
    }
    body.extend(content);
    let magic = subject.magic();
    Ok([&magic[..], sum(sums, subject, &body).as_bytes(), &body].concat())
}

/// Opens a letter, if it is to be trusted. Returns its content and the key that signed it.
pub fn open<'s>(
    sums: &[u8; 32],
    subject: Subject,
    stored: &'s [u8],
    trust: &Trust,
) -> Result<(&'s [u8], Option<PublicKey>), Damaged> {
    let rest = stored.strip_prefix(&subject.magic()).ok_or(Damaged)?;
    let (expected, body) = rest.split_first_chunk::<32>().ok_or(Damaged)?;
    // `blake3::Hash` compares in constant time.
    if sum(sums, subject, body) != blake3::Hash::from_bytes(*expected) {
        return Err(Damaged);
    }
    let (content, signer) = match body.split_first().ok_or(Damaged)? {
        (&UNSIGNED, content) => (content, None),
        (&SIGNED, rest) => {
            let (public, rest) = rest.split_first_chunk::<32>().ok_or(Damaged)?;
            let (signature, content) = rest.split_first_chunk::<SIGNATURE>().ok_or(Damaged)?;
            let public = PublicKey(*public);
            // An invalid signature is damage even if none is required.
            if !public.verifies(&signed(subject, content), signature) {
                return Err(Damaged);
            }
            (content, Some(public))
        }
        _ => return Err(Damaged),
    };
    let is_accepted = trust
        .accepted
        .as_ref()
        .is_none_or(|accepted| signer.is_some_and(|signer| accepted.contains(&signer)));
    if is_accepted { Ok((content, signer)) } else { Err(Damaged) }
}

/// Returns the bytes that are signed.
fn signed(subject: Subject, content: &[u8]) -> Vec<u8> {
    [b"cachex 2026-11-29 signed ", &subject.magic()[..], content].concat()
}

fn sum(sums: &[u8; 32], subject: Subject, body: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(sums);
    hasher.update(&subject.magic()).update(body).finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMS: [u8; 32] = [5; 32];

    fn trust(own: Option<u8>, trusted: &[u8]) -> Trust {
        let key = |n: u8| PrivateKey::of([n; 32]);
        Trust::of(&Access {
            signing_key: own.map(key),
            trusted: trusted.iter().map(|&n| key(n).public().unwrap()).collect(),
            ..Access::default()
        })
    }

    fn believes(reader: &Trust, stored: &[u8]) -> bool {
        open(&SUMS, Subject::Entry, stored, reader).is_ok_and(|(content, _)| content == b"text")
    }

    fn written(writer: &Trust) -> Vec<u8> {
        seal(&SUMS, Subject::Entry, b"text", writer).unwrap()
    }

    #[test]
    fn who_names_keys_believes_those_alone() {
        let [nobody, one, two] = [None, Some(1), Some(2)].map(|own| written(&trust(own, &[])));
        let cases = [
            (trust(None, &[]), [true, true, true]),
            (trust(None, &[1]), [false, true, false]),
            (trust(Some(2), &[]), [false, false, true]),
            (trust(Some(2), &[1]), [false, true, true]),
        ];
        for (reader, expected) in cases {
            let believed = [&nobody, &one, &two].map(|stored| believes(&reader, stored));
            assert_eq!(believed, expected, "{reader:?}");
        }
    }

    /// Makes a letter with a valid MAC, as anyone who has the secret can.
    fn with_sum(body: &[u8]) -> Vec<u8> {
        let magic = Subject::Entry.magic();
        [&magic[..], sum(&SUMS, Subject::Entry, body).as_bytes(), body].concat()
    }

    #[test]
    fn a_signature_is_neither_bent_nor_moved_nor_left_out() {
        let reader = trust(None, &[1]);
        let body = &written(&trust(Some(1), &[]))[HEADER..];
        assert!(believes(&reader, &with_sum(body)));
        for at in 0..body.len() {
            let mut bent = body.to_vec();
            bent[at] ^= 1;
            assert!(open(&SUMS, Subject::Entry, &with_sum(&bent), &reader).is_err(), "{at}");
            assert!(open(&SUMS, Subject::Entry, &with_sum(&body[..at]), &reader).is_err(), "{at}");
        }
        let bare = [&[UNSIGNED], &b"text"[..]].concat();
        assert!(!believes(&reader, &with_sum(&bare)));
        assert!(open(&SUMS, Subject::Invalidation, &with_sum(body), &reader).is_err());
    }

    #[test]
    fn one_subject_does_not_pass_for_another() {
        let writer = trust(Some(1), &[]);
        let stored = seal(&SUMS, Subject::Invalidation, b"text", &writer).unwrap();
        assert!(!believes(&writer, &stored));
        let mut renamed = stored;
        renamed[..8].copy_from_slice(&Subject::Entry.magic());
        assert!(!believes(&writer, &renamed));
    }
}
