//! Receivers of a command's output other than cachex's own streams.

use crate::buffered_output::BufferedOutput;
use cachex_base::record::frames::Stream;
use cachex_store::capture::Recorder;

/// Receives a command's output for the recording and the buffer.
pub struct Taker<'a, 'r> {
    recorder: Option<&'a mut Recorder<'r>>,
    /// The buffered output.
    pub held: Option<BufferedOutput>,
    /// The size of each stream so far, in bytes.
    pub bytes: [u64; 2],
    /// Set when nothing more can be buffered.
    pub is_full: bool,
    /// True if the run is for followers and the record, and ends without both.
    ends_unread: bool,
}

impl<'a, 'r> Taker<'a, 'r> {
    /// Creates a receiver before any output.
    pub fn new(
        recorder: Option<&'a mut Recorder<'r>>,
        held: Option<BufferedOutput>,
        ends_unread: bool,
    ) -> Taker<'a, 'r> {
        Taker { recorder, held, bytes: [0; 2], is_full: false, ends_unread }
    }

    /// Returns whether nobody gets what comes, so that the command is to learn of it like one whose
    /// reader left.
    pub fn is_for_nobody(&self) -> bool {
        self.ends_unread && self.recorder.as_ref().is_some_and(|it| it.is_for_nobody())
    }

    /// Tells the recorder that output stalls until a reader takes some.
    pub fn pause(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.pauses();
        }
    }

    /// Tells the recorder that what comes now depends on the reader of cachex's own streams.
    pub fn stop_sharing(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.is_followed_no_more();
        }
    }

    /// Returns whether the output is recorded.
    pub fn is_recorded(&self) -> bool {
        self.recorder.is_some()
    }

    /// Tells the recorder that children of the command may have printed some of the output.
    pub fn note_help(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note_help();
        }
    }

    /// Hands a chunk to the recorder and the buffer.
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
