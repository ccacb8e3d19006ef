//! The jobserver of make, whose tokens come and go and are no input.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// The jobserver that make's flags describe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jobserver {
    /// The numbers of its descriptors.
    pub descriptors: Vec<i32>,
    /// The paths of its FIFO.
    pub fifos: Vec<PathBuf>,
}

impl Jobserver {
    /// Parses flags in the format of `MAKEFLAGS`.
    pub fn of(makeflags: &OsStr) -> Jobserver {
        let mut jobserver = Jobserver::default();
        for flag in makeflags.as_bytes().split(u8::is_ascii_whitespace) {
            let auth = flag.strip_prefix(b"--jobserver-auth=");
            let Some(place) = auth.or_else(|| flag.strip_prefix(b"--jobserver-fds=")) else {
                continue;
            };
            if let Some(fifo) = place.strip_prefix(b"fifo:") {
                jobserver.fifos.push(std::ffi::OsString::from_vec(fifo.to_vec()).into());
            } else if let Ok(pair) = std::str::from_utf8(place) {
                jobserver
                    .descriptors
                    .extend(pair.split(',').filter_map(|it| it.parse::<i32>().ok()));
            }
        }
        jobserver
    }
}

#[cfg(test)]
mod tests {
    use super::Jobserver;

    #[test]
    fn it_is_found_among_the_flags() {
        let of = |flags: &str| Jobserver::of(flags.as_ref());
        assert_eq!(of(" -j4 --jobserver-auth=3,4").descriptors, [3, 4]);
        assert_eq!(of("k -j --jobserver-fds=8,9 -- X=y").descriptors, [8, 9]);
        let fifo = of("-j2 --jobserver-auth=fifo:/tmp/GMfifo1");
        assert_eq!((fifo.fifos, fifo.descriptors), (vec!["/tmp/GMfifo1".into()], vec![]));
        assert_eq!(of("w -j4"), Jobserver::default());
    }
}
