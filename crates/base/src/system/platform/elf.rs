//! The parts of an ELF file that identify it: its loader, and its build ID.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// The maximum length of a segment table, of a loader's name, and of a note.
const LONGEST: u64 = 64 << 10;
/// The types of the segments for the loader's name and for notes.
const INTERP: u32 = 3;
const NOTE: u32 = 4;
/// The note that a linker adds to each file: its type and its owner.
const BUILD_ID: (u32, &[u8]) = (3, b"GNU\0");

/// An ELF file of this machine's byte order.
pub struct Elf<'f> {
    file: &'f File,
    segments: Vec<Segment>,
}

struct Segment {
    kind: u32,
    offset: u64,
    len: u64,
}

impl<'f> Elf<'f> {
    /// Reads the file. Returns `None` if it is no such file.
    pub fn of(file: &'f File) -> Option<Elf<'f>> {
        let head = read(file, 0, 64)?;
        let order = if cfg!(target_endian = "little") { 1 } else { 2 };
        if head.get(..4)? != b"\x7fELF" || *head.get(5)? != order {
            return None;
        }
        let is_64 = *head.get(4)? == 2;
        let (table, size, count) = if is_64 {
            (word(&head, 32, 8)?, word(&head, 54, 2)?, word(&head, 56, 2)?)
        } else {
            (word(&head, 28, 4)?, word(&head, 42, 2)?, word(&head, 44, 2)?)
        };
        let table = read(file, table, size.checked_mul(count)?)?;
        let segments = table.chunks_exact(usize::try_from(size).ok().filter(|size| *size > 0)?);
        let segment = |bytes: &[u8]| {
            let (offset, len) = if is_64 {
                (word(bytes, 8, 8)?, word(bytes, 32, 8)?)
            } else {
                (word(bytes, 4, 4)?, word(bytes, 16, 4)?)
            };
            Some(Segment { kind: word(bytes, 0, 4)? as u32, offset, len })
        };
        Some(Elf { file, segments: segments.filter_map(segment).collect() })
    }

    /// Returns the path of the program's loader, or `None` if it needs none.
    pub fn loader(&self) -> Option<Vec<u8>> {
        let segment = self.segments.iter().find(|segment| segment.kind == INTERP)?;
        let name = read(self.file, segment.offset, segment.len)?;
        Some(name.split(|&byte| byte == 0).next()?.to_vec())
    }

    /// Returns the build ID that the linker gave it, which is unique to the file.
    pub fn build_id(&self) -> Option<Vec<u8>> {
        let notes = self.segments.iter().filter(|segment| segment.kind == NOTE);
        notes.filter_map(|segment| read(self.file, segment.offset, segment.len)).find_map(|notes| {
            let mut rest = &notes[..];
            loop {
                let (name, text) = (word(rest, 0, 4)? as usize, word(rest, 4, 4)? as usize);
                let kind = word(rest, 8, 4)? as u32;
                let at = 12 + name.checked_next_multiple_of(4)?;
                let end = at.checked_add(text)?;
                if (kind, rest.get(12..12 + name)?) == BUILD_ID {
                    return rest.get(at..end).map(<[u8]>::to_vec);
                }
                rest = rest.get(end.checked_next_multiple_of(4)?..)?;
            }
        })
    }
}

/// Reads `len` bytes at `at`. Returns `None` if there are fewer, or `len` is too large.
fn read(file: &File, at: u64, len: u64) -> Option<Vec<u8>> {
    if len > LONGEST {
        return None;
    }
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, at).ok()?;
    Some(bytes)
}

/// Reads a number of `len` bytes.
fn word(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    Some(match len {
        2 => u16::from_ne_bytes(bytes.try_into().ok()?).into(),
        4 => u32::from_ne_bytes(bytes.try_into().ok()?).into(),
        _ => u64::from_ne_bytes(bytes.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn anything_else_is_none_and_no_panic() {
        let mut bytes = std::fs::read("/proc/self/exe").unwrap();
        bytes.truncate(64 << 10);
        for (at, len) in [(0, 0), (4, 64), (32, 8), (54, 2), (56, 2), (64, 400), (64, 40_000)] {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at..at + len].fill(value);
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(&damaged).unwrap();
                let _ = Elf::of(&file).map(|elf| (elf.loader(), elf.build_id()));
            }
        }
    }
}
