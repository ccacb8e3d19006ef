//! What is mounted in the place of something else: other images, and files of the kernel's.

use super::{auto, hits, program};
use crate::harness::{Cachex, Call, Mounted, cachex, where_mounts_are_ones_own};
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An image of a file system with one file, `f`, on a device of its own. All its times are long
/// ago, and stay when the content is exchanged.
struct Image {
    device: PathBuf,
    /// Where in the image the content of the file begins.
    content: u64,
}

/// Runs a program of the system's; none if it is missing or fails.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|it| it.status.success());
    if output.is_none() {
        eprintln!("this cannot run here: {program} {}", args.join(" "));
    }
    output.map(|it| String::from_utf8(it.stdout).unwrap())
}

impl Image {
    /// None if there are no such devices, or no programs that make images.
    fn of(cachex: &Cachex, held: &str) -> Option<Image> {
        cachex.write("image/f", held);
        let image = cachex.write("f.image", "");
        fs::File::options().write(true).open(&image).unwrap().set_len(8 << 20).unwrap();
        let (image, from) = (image.to_str().unwrap(), cachex.path("image"));
        output("mkfs.ext4", &["-q", "-F", "-d", from.to_str().unwrap(), image])?;
        for time in ["mtime", "ctime"] {
            let set = format!("set_inode_field f {time} 20200101000000");
            output("debugfs", &["-w", "-R", &set, image])?;
        }
        let bytes = fs::read(image).unwrap();
        let start = &held.as_bytes()[..held.len().min(1024)];
        let content = bytes.windows(start.len()).position(|it| it == start).unwrap() as u64;
        let device = PathBuf::from(output("losetup", &["--find", "--show", image])?.trim_end());
        Some(Image { device, content })
    }

    fn mount(&self, at: &Path) -> Mounted {
        Mounted::image(&self.device, at)
    }

    /// Exchanges the beginning of the content while this is not mounted.
    fn write(&self, held: &str) {
        let mut device = fs::File::options().write(true).open(&self.device).unwrap();
        device.seek(SeekFrom::Start(self.content)).unwrap();
        device.write_all(held.as_bytes()).unwrap();
        device.sync_all().unwrap();
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = output("losetup", &["--detach", self.device.to_str().unwrap()]);
    }
}

/// The content counts, whichever image is mounted, and however much else of it is the same.
#[track_caller]
fn tells_images_apart(cachex: &Cachex, call: &Call, rest: &str) {
    let misses = |prints: &str| {
        let outcome = call.once().exits(0).prints(prints);
        assert!(outcome.stderr().contains("cachex: miss"), "{}", outcome.stderr());
    };
    where_mounts_are_ones_own(|| {
        let Some(image) = Image::of(cachex, &format!("one\n{rest}")) else { return };
        let at = cachex.path("work/m");
        let first = image.mount(&at);
        misses("one\n");
        hits(call, "one\n");
        drop(first);
        let again = image.mount(&at);
        hits(call, "one\n");
        hits(call, "one\n");
        drop(again);
        image.write("two\n");
        let second = image.mount(&at);
        misses("two\n");
        hits(call, "two\n");
        drop(second);
        image.write("one\n");
        let _third = image.mount(&at);
        hits(call, "one\n");
    });
}

#[test]
fn images_with_equal_times_that_are_mounted_in_turn_are_told_apart() {
    let cachex = cachex();
    tells_images_apart(&cachex, &program(&cachex, &["cat", "m/f"]), "");
}

#[test]
fn so_they_are_as_declared_inputs() {
    let cachex = cachex();
    // The hashes of less are not remembered.
    let rest = "more\n".repeat(100_000);
    let call = cachex.exec(["head", "-n1", "m/f"]).with("--verbose --input m/f");
    tells_images_apart(&cachex, &call, &rest);
}

#[test]
fn of_a_control_group_only_what_runtimes_size_themselves_by_is_left_out() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let groups = cachex.path("groups");
        cachex.write("groups/s1.scope/memory.max", "max\n");
        cachex.write("groups/s1.scope/cgroup.type", "domain\n");
        let _mounted = Mounted::file(&groups, Path::new("/sys/fs/cgroup"));
        let script = "cd /sys/fs/cgroup; cat s*/memory.max; cat s1.scope/cgroup.type; echo *";
        let call = auto(&cachex, script);
        call.twice().runs_once().prints("max\ndomain\ns1.scope\n");
        cachex.write("groups/s1.scope/memory.max", "1\n");
        call.once().hits();
        cachex.write("groups/s1.scope/cgroup.type", "threaded\n");
        call.twice().runs_once().prints("1\nthreaded\ns1.scope\n");
        cachex.write("groups/s2.scope/cgroup.type", "domain\n");
        call.twice().runs_once();
        let limit = auto(&cachex, "cat /sys/fs/cgroup/s2.scope/memory.max 2>&1 || echo none");
        limit.twice().runs_once();
        fs::remove_dir_all(groups.join("s2.scope")).unwrap();
        limit.once().hits();
    });
}

#[test]
fn of_the_processors_everything_but_their_present_clock_rates_counts() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let told = |model: &str, clock: &str| {
            format!("processor\t: 0\nmodel name\t: {model}\ncpu MHz\t\t: {clock}\n\n")
        };
        let file = cachex.write("processors", told("A", "2000.000"));
        let _mounted = Mounted::file(&file, Path::new("/proc/cpuinfo"));
        let call = auto(&cachex, "grep '^model' /proc/cpuinfo");
        call.twice().runs_once().prints("model name\t: A\n");
        fs::write(&file, told("A", "3100.123")).unwrap();
        call.once().hits();
        fs::write(&file, told("B", "3100.123")).unwrap();
        call.twice().runs_once().prints("model name\t: B\n");
    });
}
