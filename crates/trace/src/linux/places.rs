//! Paths and programs that are treated specially.

use crate::Settings;
use crate::linux::makers::is_one_of;
use crate::linux::tree::{is_within, name};
use std::os::unix::ffi::OsStringExt;

/// The folders of system files, which are identified by size and time.
const SYSTEM: &[&str] = &[
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/opt",
    "/nix/store",
    "/gnu/store",
];

/// Generated files that every program may read, and that are not traced.
const LEFT_OUT: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/filesystems",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
];

/// The folder of control groups.
const GROUPS: &str = "/sys/fs/cgroup";

/// The files of a control group that runtimes size themselves by: Go, the JVM, .NET, libuv and
/// Rust's standard library. A `*` stands for the rest of a name.
const SIZES: &[&str] = &[
    "cgroup.controllers",
    "cpu.cfs_period_us",
    "cpu.cfs_quota_us",
    "cpu.max",
    "cpu.shares",
    "cpu.stat",
    "cpu.weight",
    "cpuacct.usage",
    "cpuset.cpus*",
    "cpuset.effective_cpus",
    "cpuset.effective_mems",
    "cpuset.mems*",
    "memory.current",
    "memory.failcnt",
    "memory.high",
    "memory.kmem.*",
    "memory.limit_in_bytes",
    "memory.low",
    "memory.max",
    "memory.max_usage_in_bytes",
    "memory.memsw.*",
    "memory.min",
    "memory.oom_control",
    "memory.peak",
    "memory.soft_limit_in_bytes",
    "memory.stat",
    "memory.swap.*",
    "memory.swappiness",
    "memory.usage_in_bytes",
    "memory.use_hierarchy",
    "pids.current",
    "pids.max",
];

/// Programs that compare times.
const COMPARE_TIMES: &[&str] =
    &["make", "gmake", "bmake", "ninja", "samu", "cargo", "tup", "scons", "rsync", "mv", "unzip"];

/// Programs that compare times if an option says so: `cp -u`.
const UPDATE: &[&str] = &["cp", "gcp", "install", "ginstall"];

/// Programs that show, store or compare everything about a file's status.
const SHOW_DETAILS: &[&str] = &[
    "ls",
    "dir",
    "vdir",
    "stat",
    "find",
    "fd",
    "fdfind",
    "du",
    "tree",
    "eza",
    "exa",
    "lsd",
    "tar",
    "bsdtar",
    "cpio",
    "pax",
    "zip",
    "7z",
    "ar",
    "jar",
    "date",
    "busybox",
    "toybox",
    "coreutils",
    "diff",
    "sdiff",
    "pr",
    "gzip",
    "pigz",
    "mountpoint",
    "cachex",
];

/// Programs that can compare the times of two files, and seldom do.
const SHELLS: &[&str] =
    &["sh", "dash", "bash", "rbash", "zsh", "ksh", "ksh93", "mksh", "yash", "ash", "test", "["];

/// Programs that query the type of a file system, to traverse folders in a good order or to know
/// how files can be watched and locked, and that ignore its free space.
const ASK_FOR_TYPE: &[&str] = &[
    "find", "du", "grep", "egrep", "fgrep", "rgrep", "rm", "chmod", "chown", "chgrp", "chcon",
    "cp", "mv", "install", "tail", "cargo", "rustc",
];

/// The part of a file's status that a program uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Looks {
    /// Its existence, in most cases.
    #[default]
    Plainly,
    /// Its time, whatever else the program uses.
    AtTimes,
    /// Its time, if the arguments say so.
    AtTimesIfTold,
    /// Its time, if the program examines two files in a row.
    InPairs,
    /// The whole status.
    AtDetails,
}

impl Looks {
    /// Returns the part that a program of this name uses.
    pub fn of(program: &[u8]) -> Looks {
        let is_in = |names: &[&str]| is_one_of(names, program);
        if is_in(COMPARE_TIMES) {
            Looks::AtTimes
        } else if is_in(UPDATE) {
            Looks::AtTimesIfTold
        } else if is_in(SHOW_DETAILS) {
            Looks::AtDetails
        } else if is_in(SHELLS) {
            Looks::InPairs
        } else {
            Looks::Plainly
        }
    }

    /// Refines the result by the program's arguments, each terminated by a null byte.
    pub fn with(self, arguments: impl FnOnce() -> Vec<u8>) -> Looks {
        if self != Looks::AtTimesIfTold {
            return self;
        }
        let arguments = arguments();
        let mut options = arguments.split(|&byte| byte == 0).skip(1).filter(|it| it.len() > 1);
        let updates = options.any(|it| match it {
            [b'-', b'-', ..] => it.starts_with(b"--u"),
            [b'-', letters @ ..] => letters.contains(&b'u'),
            _ => false,
        });
        if updates { Looks::AtTimes } else { Looks::Plainly }
    }
}

/// Returns whether a program of this name that queries a file system does not want its free space.
pub fn asks_for_type_only(program: &[u8]) -> bool {
    ASK_FOR_TYPE.iter().any(|name| name.as_bytes() == program)
}

/// The folders that are treated specially in this run.
pub struct Places {
    system: Vec<Vec<u8>>,
    left_out: Vec<Vec<u8>>,
    temporary: Vec<Vec<u8>>,
}

impl Places {
    /// Collects the folders from this process's environment and the settings.
    pub fn new(settings: &Settings) -> Places {
        let list = |paths: &[&str]| -> Vec<Vec<u8>> {
            paths.iter().map(|path| path.as_bytes().to_vec()).collect()
        };
        let variable = |name: &str| {
            let value = std::env::var_os(name).map(OsStringExt::into_vec);
            value.filter(|value| value.starts_with(b"/"))
        };
        let at_home = |below: &str| variable("HOME").map(|home| [&home, below.as_bytes()].concat());
        let mut places = Places {
            system: list(SYSTEM),
            left_out: list(LEFT_OUT),
            temporary: list(&["/tmp", "/var/tmp", "/dev/shm"]),
        };
        places.system.extend(
            variable("RUSTUP_HOME")
                .or_else(|| at_home("/.rustup"))
                .map(|home| [&home[..], b"/toolchains"].concat()),
        );
        places.left_out.extend(settings.left_out.iter().cloned());
        places.left_out.extend(
            [variable("CCACHE_DIR"), at_home("/.ccache"), at_home("/.cache/ccache")]
                .into_iter()
                .flatten(),
        );
        places.temporary.extend(variable("TMPDIR"));
        // Paths are compared in canonical form.
        for folders in [&mut places.system, &mut places.left_out, &mut places.temporary] {
            let resolved: Vec<_> = folders.iter().filter_map(|folder| canonical(folder)).collect();
            folders.extend(resolved);
        }
        places
    }

    /// Returns whether a path belongs to the system.
    pub fn is_system(&self, path: &[u8]) -> bool {
        is_in(path, &self.system)
    }

    /// Returns whether a path is not traced.
    pub fn is_left_out(&self, path: &[u8]) -> bool {
        is_in(path, &self.left_out) || is_group(path) && sizes(name(path))
    }

    /// Returns whether a new file at this path has a random name. In temporary folders, less is
    /// needed for that.
    pub fn is_random(&self, path: &[u8]) -> bool {
        looks_random(name(path), is_in(path, &self.temporary))
    }
}

/// Returns whether a path is that of a control group, or of something in one.
pub fn is_group(path: &[u8]) -> bool {
    is_within(path, GROUPS.as_bytes())
}

/// Returns whether runtimes size themselves by the file of this name in a control group.
fn sizes(name: &[u8]) -> bool {
    SIZES.iter().any(|it| match it.strip_suffix('*') {
        Some(start) => name.starts_with(start.as_bytes()),
        None => name == it.as_bytes(),
    })
}

fn is_in(path: &[u8], folders: &[Vec<u8>]) -> bool {
    folders.iter().any(|folder| is_within(path, folder))
}

fn canonical(path: &[u8]) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    let resolved = std::fs::canonicalize(std::ffi::OsStr::from_bytes(path)).ok()?;
    Some(resolved.into_os_string().into_vec()).filter(|resolved| resolved != path)
}

/// Returns whether a name has a part like those of `mkstemp`: six or more letters and digits that
/// alternate between upper case, lower case and digits more often than in a word.
fn looks_random(name: &[u8], is_temporary: bool) -> bool {
    let parts = name.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    parts.into_iter().any(|part| {
        let kinds: Vec<u8> = part
            .iter()
            .map(|byte| match byte {
                b'0'..=b'9' => 0,
                b'A'..=b'Z' => 1,
                _ => 2,
            })
            .collect();
        let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
        let enough = if is_temporary { 1 } else { 2 };
        part.len() >= 6 && changes >= enough || digits >= if is_temporary { 3 } else { 8 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_programs_make_up_look_random() {
        for name in ["ccAbC12x.s", "tmp_x7f2k9q", ".tmpQw3Er4", "go-build1234567890", "rmetaXy12Zb"]
        {
            assert!(looks_random(name.as_bytes(), true), "{name}");
        }
        for name in ["ccAbC12x.s", ".tmpQw3Er4", "go-build1234567890", "rmetaXy12Zb"] {
            assert!(looks_random(name.as_bytes(), false), "{name}");
        }
    }

    #[test]
    fn names_that_people_choose_do_not() {
        for name in ["index.lock", "lock", "build1.lock", "Cargo.toml", "a.out", "Makefile"] {
            assert!(!looks_random(name.as_bytes(), false), "{name}");
        }
        for name in ["lock", "index.lock", "out"] {
            assert!(!looks_random(name.as_bytes(), true), "{name}");
        }
    }

    #[test]
    fn a_copy_looks_at_times_if_it_is_to_update() {
        let looks =
            |arguments: &str| Looks::of(b"cp").with(|| arguments.replace(' ', "\0").into_bytes());
        for arguments in ["cp -u a b", "cp -rvu a b", "cp --update=older a b", "cp a b -u"] {
            assert_eq!(looks(arguments), Looks::AtTimes, "{arguments}");
        }
        for arguments in ["cp a b", "cp -p a u", "cp --preserve a b", "", "cp -"] {
            assert_eq!(looks(arguments), Looks::Plainly, "{arguments}");
        }
    }

    #[test]
    fn a_program_is_known_with_its_target_and_its_version() {
        for name in ["ar", "x86_64-linux-gnu-ar", "gcc-ar-12", "tar", "jar"] {
            assert_eq!(Looks::of(name.as_bytes()), Looks::AtDetails, "{name}");
        }
        for name in ["cc1", "bar", "ar-x", "x86_64-linux-gnu-nm"] {
            assert_eq!(Looks::of(name.as_bytes()), Looks::Plainly, "{name}");
        }
    }

    #[test]
    fn the_system_is_what_lies_in_its_folders() {
        let places = Places::new(&Settings::default());
        assert!(places.is_system(b"/usr/lib/libc.so.6"));
        assert!(!places.is_system(b"/usrx/lib"));
        assert!(!places.is_system(b"/home/usr/lib"));
        assert!(places.is_left_out(b"/dev/null"));
    }

    #[test]
    fn of_a_control_group_only_its_sizes_are_left_out() {
        let places = Places::new(&Settings::default());
        for name in ["cpu.max", "a.slice/memory.swap.max", "cpuset/cpuset.cpus.effective"] {
            assert!(places.is_left_out(format!("/sys/fs/cgroup/{name}").as_bytes()), "{name}");
        }
        for path in ["/sys/fs/cgroup", "/sys/fs/cgroup/a/cgroup.procs", "/sys/fs/cpu.max"] {
            assert!(!places.is_left_out(path.as_bytes()), "{path}");
        }
    }
}
