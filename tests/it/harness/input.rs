//! What a call has for standard input.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

/// What it reads.
#[derive(Clone)]
pub enum Input {
    Null,
    Bytes(Vec<u8>),
    Zeros(u64),
    Open,
    File(PathBuf, u64),
    Descriptor(Arc<OwnedFd>),
}

impl Input {
    pub fn stdio(&self) -> Stdio {
        match self {
            Input::Null => Stdio::null(),
            Input::Bytes(_) | Input::Zeros(_) | Input::Open => Stdio::piped(),
            Input::Descriptor(descriptor) => descriptor.try_clone().unwrap().into(),
            Input::File(path, offset) => {
                let mut file = File::open(path).unwrap();
                if *offset > 0 {
                    file.seek(SeekFrom::Start(*offset)).unwrap();
                }
                file.into()
            }
        }
    }

    /// Writes what there is to write; gives the pipe back if the test feeds it.
    pub fn feed(&self, pipe: Option<std::process::ChildStdin>) -> Option<std::process::ChildStdin> {
        let mut pipe = pipe?;
        let input = self.clone();
        if let Input::Open = input {
            return Some(pipe);
        }
        // A child may leave before it read everything: that is its business.
        std::thread::spawn(move || match input {
            Input::Bytes(bytes) => drop(pipe.write_all(&bytes)),
            Input::Zeros(count) => {
                let zeros = std::io::Read::take(std::io::repeat(0), count);
                drop(std::io::copy(&mut std::io::BufReader::new(zeros), &mut pipe));
            }
            Input::Null | Input::Open | Input::File(..) | Input::Descriptor(_) => {}
        });
        None
    }
}
