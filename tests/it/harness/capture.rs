//! A pipe that is read as it fills, so that nobody waits for the test.

use std::io::{PipeWriter, Read};
use std::sync::{Arc, Mutex};

/// What came out of a pipe so far.
#[derive(Clone)]
pub(super) struct Capture(Arc<Mutex<Captured>>);

struct Captured {
    bytes: Vec<u8>,
    count: u64,
    digest: blake3::Hasher,
    ended: bool,
}

impl Capture {
    /// A pipe whose other end is read; kept, or only counted and hashed.
    pub fn pipe(keep: bool) -> (Capture, PipeWriter) {
        let (reader, writer) = std::io::pipe().unwrap();
        (Capture::of(reader, keep), writer)
    }

    /// A stream that ended before it began.
    pub fn nothing() -> Capture {
        let digest = blake3::Hasher::new();
        let captured = Captured { bytes: Vec::new(), count: 0, digest, ended: true };
        Capture(Arc::new(Mutex::new(captured)))
    }

    /// Reads to the end. A terminal whose last process left gives an error
    /// instead of an end.
    pub fn of(mut reader: impl Read + Send + 'static, keep: bool) -> Capture {
        let capture = Capture::nothing();
        capture.0.lock().unwrap().ended = false;
        let captured = capture.0.clone();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            loop {
                match reader.read(&mut buffer) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => break,
                    Ok(read) => {
                        let mut captured = captured.lock().unwrap();
                        captured.count += read as u64;
                        if keep {
                            captured.bytes.extend(&buffer[..read]);
                        } else {
                            captured.digest.update(&buffer[..read]);
                        }
                    }
                }
            }
            captured.lock().unwrap().ended = true;
        });
        capture
    }

    /// The bytes so far, unless they are only counted.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    /// How many there were, and their hash if they were not kept.
    pub fn tally(&self) -> (u64, blake3::Hash) {
        let captured = self.0.lock().unwrap();
        (captured.count, captured.digest.finalize())
    }

    /// Whether everybody closed the other end.
    pub fn ended(&self) -> bool {
        self.0.lock().unwrap().ended
    }
}
