//! The line that `--verbose` adds.

use crate::buffer::Buffer;
use crate::call::Process;
use crate::declared::File;
use crate::options::Options;
use crate::sys;
use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::entry::View;
use cachex_core::key::Sink;
use cachex_core::span;

const STDERR: i32 = 2;
/// The time that a reader has to take a message, in milliseconds.
const PATIENCE: i32 = 100;
/// The number of bytes of a key that are shown.
const SHOWN: usize = 6;
/// The maximum length of the line.
const LONGEST: usize = 256;

/// Passes on calls with an argument that names a file which is not part of the key, since that must
/// be reported. `input` is a file that is.
pub fn check_arguments(options: &Options, process: &Process, input: Option<File>) -> Known<()> {
    for argument in options.argv(process).skip(1) {
        let is_option = argument.starts_with(b"-");
        let equals = argument.bytes().iter().position(|&byte| byte == b'=');
        let value = equals.filter(|_| is_option).and_then(|at| argument.from(at.wrapping_add(1)));
        for name in [Some(argument), value].into_iter().flatten() {
            check_name(name, options, input)?;
        }
    }
    Ok(())
}

fn check_name(name: Text<'_>, options: &Options, input: Option<File>) -> Known<()> {
    let is_kernels = name.starts_with(b"/dev/") || name.starts_with(b"/proc/");
    if is_kernels || name.is_empty() || options.input().is_some_and(|input| name.is(input.bytes()))
    {
        return Ok(());
    }
    let Ok(stat) = sys::stat_at(libc::AT_FDCWD, name, 0) else { return Ok(()) };
    let is_input = input.is_some_and(|input| input == [stat.st_dev, stat.st_ino]);
    if stat.st_mode & libc::S_IFMT == libc::S_IFREG && !is_input {
        return Err(Pass("an argument names a file that is not part of the key"));
    }
    Ok(())
}

/// Reports a hit of this age in nanoseconds. A closed stderr does not end the process, and a
/// blocked one is not waited for.
pub fn tell_hit(view: &View<'_>, age: u64) {
    let mut room = [0; LONGEST];
    let mut line = Buffer::new(&mut room);
    line.put(b"cachex: hit ");
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' - 10 + half };
    for byte in view.key.iter().take(SHOWN) {
        line.put(&[digit(byte >> 4), digit(byte & 15)]);
    }
    line.put(b" age ");
    span::tell_rounded(age, &mut line);
    line.put(b", saved ");
    span::tell_rounded(view.run_time, &mut line);
    line.put(b"\n");
    let Ok(line) = line.bytes() else { return };
    if sys::takes_a_line(STDERR, PATIENCE) && sys::hold_back(libc::SIGPIPE).is_ok() {
        let _ = sys::write(STDERR, line);
    }
}
