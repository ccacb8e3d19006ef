//! The file of the command: as `execvp` finds it, and its real path.

use crate::buffer::Buffer;
use crate::sys::{self, Errno, Stat};
use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::bytes::copy;
use cachex_core::key::{Fields, Sink, Tag};

/// The maximum length of a path here, an eighth of the system's: the buffers share a page. A call with
/// a longer path is passed on.
pub const PATH: usize = 512;
/// The maximum number of links that the system follows.
const LINKS: usize = 40;

/// Buffers for paths.
#[repr(C)]
pub struct Room {
    found: [u8; PATH],
    real: [u8; PATH],
    link: [u8; PATH],
    rest: [u8; 2 * PATH],
}

impl Room {
    pub const NEW: Room =
        Room { found: [0; PATH], real: [0; PATH], link: [0; PATH], rest: [0; 2 * PATH] };
}

/// The file: its path as found, its real path, and its identity, see
/// [`cachex_core::handover::Identified`].
pub struct Executable {
    pub found: &'static [u8],
    pub lies: &'static [u8],
    pub stat: [i64; 7],
}

/// Finds the command of this name, and adds its file to the key.
pub fn tell(
    name: Text<'_>,
    search_path: Option<Text<'_>>,
    room: &'static mut Room,
    to: &mut Fields<impl Sink>,
) -> Known<Executable> {
    let Room { found, real, rest, link } = room;
    let mut found = Buffer::new(found);
    let stat = find(name, search_path, &mut found)?;
    sys::may_execute(found.text()?)?;
    let mut lies = Buffer::new(real);
    resolve(found.bytes()?, &mut lies, rest, link)?;
    to.list(Tag::ExePath, [found.bytes()?, lies.bytes()?].iter());
    to.add(Tag::ExeSize, &stat.st_size.to_le_bytes());
    to.add(Tag::ExeModified, &stat.st_mtime.to_le_bytes());
    to.add(Tag::ExeModified, &stat.st_mtime_nsec.to_le_bytes());
    let stat = [
        stat.st_dev as i64,
        stat.st_ino as i64,
        stat.st_size,
        stat.st_mtime,
        stat.st_mtime_nsec,
        stat.st_ctime,
        stat.st_ctime_nsec,
    ];
    Ok(Executable { found: found.into_bytes()?, lies: lies.into_bytes()?, stat })
}

/// Finds the command. Anything but an executable file is left to the ordinary way.
fn find(name: Text<'_>, search_path: Option<Text<'_>>, found: &mut Buffer<'_>) -> Known<Stat> {
    if name.contains(b'/') {
        found.put(name.bytes());
        let stat = sys::stat_at(libc::AT_FDCWD, found.text()?, 0)?;
        return if is_file(&stat) { Ok(stat) } else { Err(Pass("the command is no file")) };
    }
    // The default of POSIX systems when PATH is not set.
    let folders = search_path.map_or(&b"/bin:/usr/bin"[..], Text::bytes);
    for folder in folders.split(|&byte| byte == b':') {
        found.cut(0);
        // An empty folder is the working directory.
        found.put(if folder.is_empty() { b"." } else { folder });
        found.push(name.bytes());
        match sys::stat_at(libc::AT_FDCWD, found.text()?, 0) {
            Ok(stat) if is_file(&stat) => return Ok(stat),
            Err(Errno(libc::ENOENT | libc::ENOTDIR | libc::EACCES)) => {}
            _ => break,
        }
    }
    Err(Pass("the command is not found"))
}

fn is_file(stat: &Stat) -> bool {
    stat.st_mode & libc::S_IFMT == libc::S_IFREG
}

/// Resolves the path of a file to one without links, like `realpath`.
fn resolve(path: &[u8], real: &mut Buffer<'_>, rest: &mut [u8], link: &mut [u8]) -> Known<()> {
    let too_long = Pass("a path is too long");
    if !matches!(path, [b'/', ..]) {
        let cwd = working_directory(link)?;
        real.put(if cwd.len() > 1 { cwd } else { b"" });
    }
    // The rest of the path is at the end of its buffer, so that the text of a link can be put in
    // front of it.
    let mut at = rest.len().saturating_sub(path.len());
    copy(rest.get_mut(at..).unwrap_or_default(), path);
    let mut links = 0;
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        let end = left.iter().position(|&byte| byte == b'/').unwrap_or(left.len());
        let part = left.get(..end).unwrap_or_default();
        let next = at.wrapping_add(end).wrapping_add(1).min(rest.len());
        match part {
            [] | [b'.'] => at = next,
            [b'.', b'.'] => {
                real.pop();
                at = next;
            }
            part => {
                let parent = real.len();
                real.put(b"/");
                real.put(part);
                at = next;
                match sys::read_link(real.text()?, link) {
                    Err(Errno(libc::EINVAL)) => {}
                    Err(_) => return Err(Pass("a path cannot be followed")),
                    Ok(len) => {
                        links += 1;
                        let text = link.get(..len).unwrap_or_default();
                        if links > LINKS || text.is_empty() || len >= link.len() {
                            return Err(too_long);
                        }
                        let is_absolute = matches!(text, [b'/', ..]);
                        real.cut(if is_absolute { 0 } else { parent });
                        // A slash separates the text from what follows it.
                        let start = at.checked_sub(len.wrapping_add(1)).ok_or(too_long)?;
                        let place = rest.get_mut(start..at).unwrap_or_default();
                        let (place, slash) = place.split_at_mut_checked(len).ok_or(too_long)?;
                        copy(place, text);
                        copy(slash, b"/");
                        at = start;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Returns the working directory, if it is reachable.
pub fn working_directory(place: &mut [u8]) -> Known<&[u8]> {
    let len = sys::working_directory(place)?;
    match place.get(..len.saturating_sub(1)) {
        Some(path @ [b'/', ..]) => Ok(path),
        _ => Err(Pass("the working directory is out of reach")),
    }
}
