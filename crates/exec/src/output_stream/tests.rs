//! A stream between two pipes.

use super::*;
use cachex_base::streams::nonblocking_writer::NonblockingWriter;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};

/// Returns a stream between two pipes, its writer and its reader.
fn leg() -> (OutputStream, PipeWriter, PipeReader) {
    let (source, command) = pipe().unwrap();
    let (reader, outlet) = pipe().unwrap();
    let outlet: &'static PipeWriter = Box::leak(Box::new(outlet));
    let outlet = Destination::Live(NonblockingWriter::new(outlet.as_fd()));
    (OutputStream::new(Stream::Stdout, Some(source.into()), outlet, buffer()), command, reader)
}

fn size(leg: &OutputStream) -> usize {
    rustix::pipe::fcntl_getpipe_size(leg.source.as_ref().unwrap()).unwrap()
}

#[test]
fn what_nobody_reads_has_no_more_room_than_without_cachex() {
    let (mut leg, mut command, mut reader) = leg();
    let mut fill = |leg: &mut OutputStream| {
        command.write_all(&vec![b'x'; CHUNK]).unwrap();
        leg.advance(|| {}, |_, _| {});
    };
    fill(&mut leg);
    fill(&mut leg);
    assert!(leg.is_pending());
    assert_eq!(size(&leg), CHUNK);
    for _ in 0..=(WIDE / CHUNK) {
        reader.read_exact(&mut vec![0; CHUNK]).unwrap();
        fill(&mut leg);
    }
    assert_eq!(size(&leg), WIDE, "its reader has taken a lot");
}
