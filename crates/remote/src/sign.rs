//! Signatures: writers have a private key, and readers know the public ones.
//!
//! The algorithm is Ed25519 of `ring`, which TLS needs anyway. Keys are text, `ed25519:` and 64
//! hexadecimal digits. Private keys have another prefix, so that they are not mistaken for public
//! ones.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The prefix of a public key.
const PUBLIC: &str = "ed25519:";
/// The prefix of a private key.
const PRIVATE: &str = "ed25519-private:";

/// The key that verifies signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

/// The key that signs entries.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateKey([u8; 32]);

/// Shows nothing of the key, which must not appear in logs.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl PrivateKey {
    /// Returns the key that is made from these random bytes.
    pub fn of(random: [u8; 32]) -> PrivateKey {
        PrivateKey(random)
    }

    /// Returns the key as text, which is secret.
    pub fn reveal(&self) -> String {
        format!("{PRIVATE}{}", hex(&self.0))
    }

    /// Returns whether a text begins like a private key.
    pub fn is_meant_by(text: &str) -> bool {
        text.trim_start().starts_with(PRIVATE)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", hex(&self.0))
    }
}

impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<PublicKey, String> {
        if PrivateKey::is_meant_by(text) {
            // The key is not repeated in the message.
            return Err("it is a private key; `cachex remote keygen --public FILE` prints the \
                        public one"
                .to_owned());
        }
        unhex(text.trim().strip_prefix(PUBLIC)).map(PublicKey).ok_or_else(|| {
            "expected a public key, `ed25519:` and 64 hexadecimal digits, as `cachex remote \
             keygen` prints it"
                .to_owned()
        })
    }
}

impl FromStr for PrivateKey {
    type Err = String;

    fn from_str(text: &str) -> Result<PrivateKey, String> {
        unhex(text.trim().strip_prefix(PRIVATE)).map(PrivateKey).ok_or_else(|| {
            "expected a private key, `ed25519-private:` and 64 hexadecimal digits, as `cachex \
             remote keygen` makes it"
                .to_owned()
        })
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    let digit = |n: u8| char::from(b"0123456789abcdef"[usize::from(n)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(digits: Option<&str>) -> Option<[u8; 32]> {
    let digits = digits.filter(|digits| digits.len() == 64 && digits.is_ascii())?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(feature = "client")]
mod signing {
    use super::{PrivateKey, PublicKey};
    use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

    /// The length of a signature in bytes.
    pub const LEN: usize = 64;

    impl PrivateKey {
        fn pair(&self) -> Option<Ed25519KeyPair> {
            Ed25519KeyPair::from_seed_unchecked(&self.0).ok()
        }

        /// Returns the key that verifies this one's signatures. `None` is not known to happen.
        pub fn public(&self) -> Option<PublicKey> {
            Some(PublicKey(self.pair()?.public_key().as_ref().try_into().ok()?))
        }

        /// Signs a message.
        pub fn sign(&self, message: &[u8]) -> Option<[u8; LEN]> {
            self.pair()?.sign(message).as_ref().try_into().ok()
        }
    }

    impl PublicKey {
        /// Returns whether this message was signed with the matching private key.
        pub fn verifies(&self, message: &[u8], signature: &[u8; LEN]) -> bool {
            UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
        }
    }
}

#[cfg(feature = "client")]
pub use signing::LEN;

#[cfg(all(test, feature = "client"))]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_message_and_one_key() {
        let (ours, theirs) = (PrivateKey::of([1; 32]), PrivateKey::of([2; 32]));
        let signature = ours.sign(b"message").unwrap();
        let public = ours.public().unwrap();
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"massage", &signature));
        assert!(!theirs.public().unwrap().verifies(b"message", &signature));
    }

    #[test]
    fn keys_are_read_back_and_not_mistaken_for_each_other() {
        let private = PrivateKey::of([7; 32]);
        let public = private.public().unwrap();
        assert_eq!(private.reveal().parse::<PrivateKey>().unwrap(), private);
        assert_eq!(format!("{public}\n").parse::<PublicKey>().unwrap(), public);
        assert!(public.to_string().parse::<PrivateKey>().is_err());
        let refused = private.reveal().parse::<PublicKey>().unwrap_err();
        assert!(refused.contains("--public") && !refused.contains("0707"), "{refused}");
        for bad in ["", "ed25519:", "ed25519:xy", &format!("ed25519:{}", "g".repeat(64))] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
        assert!(!format!("{private:?}").contains('7'));
    }
}
