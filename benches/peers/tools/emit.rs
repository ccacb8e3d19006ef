//! The command that is cached: `emit COUNT FILE [TAG…]`.
//!
//! It adds one byte to COUNT, so that its runs can be counted whoever started
//! them, and prints FILE, or the first TAG if FILE is `-`. A TAG of `sleep=MS`
//! makes it slow; any other only makes the command line another one.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [count, file, tags @ ..] = args.as_slice() else { panic!("usage: emit COUNT FILE [TAG...]") };
    OpenOptions::new().append(true).create(true).open(count).unwrap().write_all(b"x").unwrap();
    for ms in tags.iter().filter_map(|tag| tag.strip_prefix("sleep=")) {
        std::thread::sleep(std::time::Duration::from_millis(ms.parse().unwrap()));
    }
    // Standard output itself and not `std::io::stdout()`, which would look for
    // newlines; and `write`, as nearly every command prints, no `splice`.
    let mut out = File::from(std::io::stdout().as_fd().try_clone_to_owned().unwrap());
    if file == "-" {
        out.write_all(format!("{}\n", tags.first().map_or("", String::as_str)).as_bytes()).unwrap();
        return;
    }
    let mut input = File::open(file).unwrap();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match input.read(&mut buffer).unwrap() {
            0 => break,
            n => out.write_all(&buffer[..n]).unwrap(),
        }
    }
}
