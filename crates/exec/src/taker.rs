//! Who gets what a command prints, besides cachex's own streams.

use crate::buffered_output::BufferedOutput;
use cachex_base::record::frames::Stream;
use cachex_store::capture::Recorder;

/// Who gets what the command prints, besides cachex's own streams.
pub struct Taker<'a, 'r> {
    recorder: Option<&'a mut Recorder<'r>>,
    /// What is held of it.
    pub held: Option<BufferedOutput>,
    /// How much there was of each stream.
    pub bytes: [u64; 2],
    /// Nothing more can be held.
    pub is_full: bool,
}

impl<'a, 'r> Taker<'a, 'r> {
    /// Nothing has been printed yet.
    pub fn new(
        recorder: Option<&'a mut Recorder<'r>>,
        held: Option<BufferedOutput>,
    ) -> Taker<'a, 'r> {
        Taker { recorder, held, bytes: [0; 2], is_full: false }
    }

    /// Nothing can be taken before a reader takes some of what there is.
    pub fn pause(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.pauses();
        }
    }

    /// Gives it to them.
    pub fn take(&mut self, stream: Stream, bytes: &[u8]) {
        self.bytes[stream as usize] += bytes.len() as u64;
        if let Some(recorder) = &mut self.recorder {
            recorder.append(stream, bytes);
        }
        if let Some(held) = &mut self.held {
            self.is_full |= held.append(stream, bytes).is_err();
        }
    }
}
