//! Programs that are executed, and the files that the kernel opens for that.

use super::{Made, Named};
use crate::facts::{Class, Status};
use crate::linux::places::Looks;
use crate::linux::recorder::{Recorder, Weight, display};
use crate::linux::tracee::Target;
use crate::linux::tree::{Found, name};
use crate::linux::walk::End;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::ffi::CStr;

/// The number of bytes that the kernel reads of a script.
const HEAD: usize = 256;
/// The number of times that an interpreter may itself be a script.
const DEPTH: usize = 5;

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

impl Recorder {
    /// Notes that a program is executed.
    pub(super) fn execute(&mut self, made: &Made, named: &Named, follows: bool) {
        self.looks.remove(&made.tracee.0);
        self.is_run(made, &named.path);
        // It checks for mount points, which no other call reveals.
        if name(&named.path) == b"mountpoint" {
            self.note_mounts();
        }
        // A script behaves like its interpreter, whatever its name.
        let is_script = self.load(made, named, follows, DEPTH);
        self.is_executed(made.tracee, if is_script { b"" } else { &named.path });
    }

    /// Notes that the program at this path may be about to run.
    fn is_run(&mut self, made: &Made, path: &[u8]) {
        let looks = Looks::of(name(path));
        self.are_looks_known |= looks != Looks::Plainly;
        if looks == Looks::InPairs {
            self.read_command_line(made);
        }
    }

    /// Refuses an executable without a name: its content, and what the kernel opens for it, is not
    /// traced, since a program may have written it in memory.
    pub(super) fn nameless_is_run(&mut self, made: &Made) {
        self.refuse_of(made.tracee, Weight::Done, "a program that has no name is run");
    }

    /// Notes the files that the kernel opens to execute a program. Returns whether it is a script.
    fn load(&mut self, made: &Made, named: &Named, follows: bool, depth: usize) -> bool {
        // Earlier look-ups are ignored: that the file was read before says nothing about what the
        // kernel opens to execute it, and the run may have changed that since.
        let spot = match self.find(made, named, follows).end {
            End::At(spot) => spot,
            End::Nowhere => return false,
            End::Outside => {
                self.nameless_is_run(made);
                return false;
            }
        };
        if !spot.is_own {
            self.note_read(spot, Class::Contents.bit());
        }
        let Found::There(status) = spot.found else { return false };
        if status.kind() != rustix::fs::FileType::RegularFile || status.mode & 0o111 == 0 {
            return false;
        }
        let path = self.tree[spot.id].path.clone();
        if has_more_rights(&path, &status) {
            let what = format!("{}, which has rights of its own, is run", display(path.to_bytes()));
            self.refuse_of(made.tracee, Weight::Done, what);
        }
        let image = Image::of(&path);
        let is_script = matches!(image, Ok(Image::Script(_)));
        match image {
            Ok(Image::Script(interpreter)) if depth > 0 => {
                let from = match made.tracee.working_directory() {
                    Ok(Target::Path(from)) => from,
                    _ => Vec::new(),
                };
                self.is_run(made, &interpreter);
                self.load(made, &Named { from, path: interpreter }, true, depth - 1);
            }
            Ok(Image::Script(_) | Image::Static) => {}
            Ok(Image::Dynamic(linker)) => {
                self.ask(
                    made,
                    &Named { from: Vec::new(), path: linker },
                    true,
                    Class::Contents.bit(),
                );
            }
            Ok(Image::Other) if !others_are_known() => {}
            Ok(Image::Other) => {
                let what = format!("{}, of a kind of its own, is run", display(path.to_bytes()));
                self.refuse_of(made.tracee, Weight::Done, what);
            }
            Err(Errno::ACCESS | Errno::PERM) if status.mode & 0o444 != 0o444 => {
                let what = format!("{}, which cannot be read, is run", display(path.to_bytes()));
                self.refuse_of(made.tracee, Weight::Done, what);
            }
            Err(errno) => {
                let why = format!("{} cannot be read: {errno}", display(path.to_bytes()));
                self.refuse(Weight::Done, why);
            }
        }
        is_script
    }
}

/// The format of an executable file.
#[derive(Debug, PartialEq, Eq)]
enum Image {
    /// A script that names its interpreter.
    Script(Vec<u8>),
    /// A program that names its dynamic linker.
    Dynamic(Vec<u8>),
    /// A program without a dynamic linker.
    Static,
    /// Another format.
    Other,
}

impl Image {
    fn of(path: &CStr) -> Result<Image, Errno> {
        let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let read = |at: u64, len: usize| {
            let mut bytes = vec![0; len];
            let n = rustix::io::pread(&file, &mut bytes[..], at)?;
            bytes.truncate(n);
            Ok(bytes)
        };
        let head = read(0, HEAD)?;
        if let Some(line) = head.strip_prefix(b"#!") {
            return Ok(interpreter(line).map_or(Image::Other, Image::Script));
        }
        if !head.starts_with(b"\x7fELF\x02\x01") || head.len() < 64 {
            return Ok(Image::Other);
        }
        let short = |at: usize, of: &[u8]| u16::from_le_bytes([of[at], of[at + 1]]);
        let long = |at: usize, of: &[u8]| {
            u64::from_le_bytes(of[at..at + 8].try_into().unwrap_or_default())
        };
        if short(18, &head) != MACHINE || short(54, &head) != PROGRAM_HEADER as u16 {
            return Ok(Image::Other);
        }
        let headers = read(long(32, &head), usize::from(short(56, &head)) * PROGRAM_HEADER)?;
        let (headers, _) = headers.as_chunks::<PROGRAM_HEADER>();
        let Some(header) = headers.iter().find(|header| header[..4] == [3, 0, 0, 0]) else {
            return Ok(Image::Static);
        };
        let len = (long(32, header) as usize).min(4096);
        let mut linker = read(long(8, header), len)?;
        linker.truncate(linker.iter().position(|&byte| byte == 0).unwrap_or(linker.len()));
        Ok(Image::Dynamic(linker))
    }
}

const PROGRAM_HEADER: usize = 56;

/// Returns the interpreter that the first line of a script names.
fn interpreter(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.split(|&byte| byte == b'\n').next()?;
    let line = line.trim_ascii_start();
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t' | 0)).unwrap_or(line.len());
    Some(line[..end].to_vec()).filter(|path| !path.is_empty())
}

/// Returns whether a program runs with privileges that its caller lacks.
pub fn has_more_rights(path: &CStr, status: &Status) -> bool {
    let own = (rustix::process::geteuid(), rustix::process::getegid());
    let is_of_another = status.mode & libc::S_ISUID != 0 && status.uid != own.0.as_raw()
        || status.mode & libc::S_ISGID != 0 && status.gid != own.1.as_raw();
    let has_capabilities = || {
        let mut room = [0; 64];
        let found = rustix::fs::getxattr(path, c"security.capability", &mut room[..]);
        matches!(found, Ok(1..) | Err(Errno::RANGE))
    };
    is_of_another || !own.0.is_root() && has_capabilities()
}

/// Returns whether the kernel has interpreters for other formats (`binfmt_misc`).
fn others_are_known() -> bool {
    let Ok(mut folder) = rustix::fs::open(
        c"/proc/sys/fs/binfmt_misc",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .and_then(rustix::fs::Dir::new) else {
        return false;
    };
    folder.any(|entry| {
        entry.is_ok_and(|entry| {
            !matches!(entry.file_name().to_bytes(), b"." | b".." | b"register" | b"status")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{Image, interpreter};

    #[test]
    fn a_script_names_its_interpreter_as_the_kernel_reads_it() {
        let named =
            |line: &str| interpreter(line.as_bytes()).map(|it| String::from_utf8(it).unwrap());
        assert_eq!(named("/bin/sh\necho"), Some("/bin/sh".into()));
        assert_eq!(named("  \t/usr/bin/env -S a b\n"), Some("/usr/bin/env".into()));
        assert_eq!(named("x"), Some("x".into()));
        assert_eq!(named("\n/bin/sh"), None);
    }

    #[test]
    fn a_program_names_its_linker() {
        let Ok(Image::Dynamic(linker)) = Image::of(c"/bin/sh") else { return };
        assert!(linker.starts_with(b"/") && linker.windows(3).any(|it| it == b"ld-"));
    }
}
