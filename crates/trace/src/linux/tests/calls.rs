//! Tests each system call of the table, made by a static program.

use super::World;
use crate::Class;
use crate::linux::calls::CALLS;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

/// The expected result of a call.
enum Expected {
    /// A fact about the path.
    Fact(&'static str, Class),
    /// A reason why the run cannot be recorded.
    Refused(&'static str),
    /// No effect that needs to be recorded.
    Nothing,
}
use Expected::{Fact, Nothing, Refused};

const CWD: &str = "i:-100";

/// The arguments of each call, and the expected result. `{}` is the call's number, `FD` a
/// descriptor of `file`, open for reading, and `DIR` one of `dir`.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn cases() -> Vec<(&'static str, &'static str, Expected)> {
    use Class::{Access, Attributes, Contents, Kind, Link, Listing, Stat};
    vec![
        ("openat", "{} CWD s:file i:0", Fact("file", Contents)),
        ("openat2", "{} CWD s:file h:0,0,0 i:24", Fact("file", Contents)),
        ("open", "{} s:file i:0", Fact("file", Contents)),
        ("creat", "{} s:new i:0600", Fact("new", Kind)),
        ("newfstatat", "{} CWD s:file b: i:0", Fact("file", Stat)),
        ("statx", "{} CWD s:file i:0 i:0x7ff b:", Fact("file", Stat)),
        ("stat", "{} s:file b:", Fact("file", Stat)),
        ("lstat", "{} s:link b:", Fact("link", Stat)),
        ("faccessat", "{} CWD s:file i:4", Fact("file", Access)),
        ("faccessat2", "{} CWD s:file i:4 i:0", Fact("file", Access)),
        ("access", "{} s:file i:4", Fact("file", Access)),
        ("statfs", "{} s:dir b:", Refused("a look at the free space of ")),
        ("fstatfs", "FD {} r: b:", Refused("a look at the free space of ")),
        ("statmount", "{} i:0 i:0 i:0 i:0", Fact("/proc/self/mountinfo", Contents)),
        ("listmount", "{} i:0 i:0 i:0 i:0", Fact("/proc/self/mountinfo", Contents)),
        ("name_to_handle_at", "{} CWD s:file b: b: i:0", Fact("file", Access)),
        ("inotify_add_watch", "{} i:-1 s:file i:1", Fact("file", Access)),
        ("chdir", "{} s:dir", Fact("dir", Access)),
        ("readlinkat", "{} CWD s:link b: i:4096", Fact("link", Link)),
        ("readlink", "{} s:link b: i:4096", Fact("link", Link)),
        ("execve", "{} s:script i:0 i:0", Fact("interpreter", Contents)),
        ("execveat", "{} CWD s:script i:0 i:0 i:0", Fact("script", Contents)),
        ("getdents64", "DIR {} r: b: i:4096", Fact("dir", Listing)),
        ("getdents", "DIR {} r: b: i:4096", Fact("dir", Listing)),
        ("getxattr", "{} s:file s:user.x b: i:99", Fact("file", Attributes)),
        ("lgetxattr", "{} s:link s:user.x b: i:99", Fact("link", Attributes)),
        ("fgetxattr", "FD {} r: s:user.x b: i:99", Fact("file", Attributes)),
        ("listxattr", "{} s:file b: i:99", Fact("file", Attributes)),
        ("llistxattr", "{} s:link b: i:99", Fact("link", Attributes)),
        ("flistxattr", "FD {} r: b: i:99", Fact("file", Attributes)),
        ("getxattrat", "{} CWD s:file i:0 s:user.x b: i:16", Fact("file", Attributes)),
        ("listxattrat", "{} CWD s:file i:0 b: i:99", Fact("file", Attributes)),
        ("setxattr", "{} s:file s:user.x b: i:1 i:2", Fact("file", Contents)),
        ("lsetxattr", "{} s:link s:user.x b: i:1 i:2", Fact("link", Link)),
        ("fsetxattr", "FD {} r: s:user.x b: i:1 i:2", Fact("file", Contents)),
        ("removexattr", "{} s:file s:user.x", Fact("file", Contents)),
        ("lremovexattr", "{} s:link s:user.x", Fact("link", Link)),
        ("fremovexattr", "FD {} r: s:user.x", Fact("file", Contents)),
        ("setxattrat", "{} CWD s:file i:0 s:user.x b: i:8", Fact("file", Contents)),
        ("removexattrat", "{} CWD s:file i:0 s:user.x", Fact("file", Contents)),
        ("file_setattr", "{} CWD s:file b: i:24 i:0", Fact("file", Contents)),
        ("truncate", "{} s:file i:1", Fact("file", Contents)),
        ("fchmod", "FD {} r: i:0600", Fact("file", Contents)),
        ("fchmodat", "{} CWD s:file i:0600", Fact("file", Contents)),
        ("fchmodat2", "{} CWD s:file i:0600 i:0", Fact("file", Contents)),
        ("chmod", "{} s:file i:0600", Fact("file", Contents)),
        ("fchown", "FD {} r: i:-1 i:-1", Fact("file", Contents)),
        ("fchownat", "{} CWD s:file i:-1 i:-1 i:0", Fact("file", Contents)),
        ("chown", "{} s:file i:-1 i:-1", Fact("file", Contents)),
        ("lchown", "{} s:link i:-1 i:-1", Fact("link", Link)),
        ("utimensat", "{} CWD s:file i:0 i:0", Fact("file", Contents)),
        ("utime", "{} s:file i:0", Fact("file", Contents)),
        ("utimes", "{} s:file i:0", Fact("file", Contents)),
        ("futimesat", "{} CWD s:file i:0", Fact("file", Contents)),
        ("mknodat", "{} CWD s:new i:0100600 i:0", Fact("new", Kind)),
        ("mknod", "{} s:new i:0100600 i:0", Fact("new", Kind)),
        ("mkdirat", "{} CWD s:new i:0700", Fact("new", Kind)),
        ("mkdir", "{} s:new i:0700", Fact("new", Kind)),
        ("symlinkat", "{} s:nowhere CWD s:new", Fact("new", Kind)),
        ("symlink", "{} s:nowhere s:new", Fact("new", Kind)),
        ("unlinkat", "{} CWD s:file i:0", Fact("file", Access)),
        ("unlink", "{} s:file", Fact("file", Access)),
        ("rmdir", "{} s:dir", Fact("dir", Listing)),
        ("renameat2", "{} CWD s:file CWD s:new i:0", Fact("file", Contents)),
        ("renameat", "{} CWD s:file CWD s:new", Fact("new", Kind)),
        ("rename", "{} s:file s:new", Fact("file", Contents)),
        ("linkat", "{} CWD s:file CWD s:new i:0", Refused("a second name for ")),
        ("link", "{} s:file s:new", Refused("a second name for ")),
        ("socket", "{} i:2 i:1 i:0", Refused("a socket to the network by calls (pid ")),
        ("connect", "41 i:2 i:1 i:0 , {} r: n: i:16", Refused("connect to 127.0.0.1:9 by calls")),
        ("bind", "SOCKET {} r: u:new i:110", Fact("new", Kind)),
        ("sendto", "{} i:0 b: i:1 i:0 u:listening i:110", Refused("connect to ")),
        ("sendmsg", "{} i:0 m:listening i:0", Refused("connect to ")),
        ("sendmmsg", "{} i:0 m:listening i:1 i:0", Refused("connect to ")),
        ("clone", "{} i:0x20011 i:0 i:0 i:0 i:0", Refused("a namespace of its own")),
        ("clone3", "{} c:0x10000000 i:88", Refused("a namespace of its own")),
        ("unshare", "{} i:0x20000", Refused("a namespace of its own")),
        ("setuid", "{} i:4711", Refused("a change of its user")),
        ("setgid", "{} i:4711", Refused("a change of its user")),
        ("setreuid", "{} i:-1 i:4711", Refused("a change of its user")),
        ("setregid", "{} i:-1 i:4711", Refused("a change of its user")),
        ("setresuid", "{} i:-1 i:4711 i:-1", Refused("a change of its user")),
        ("setresgid", "{} i:-1 i:4711 i:-1", Refused("a change of its user")),
        ("setfsuid", "{} i:4711", Refused("a change of its user")),
        ("setfsgid", "{} i:4711", Refused("a change of its user")),
        ("setgroups", "{} i:-1 i:0", if is_root() { Refused("setgroups") } else { Nothing }),
        ("shmget", "{} i:4711 i:1 i:0", Refused("shmget")),
        ("semget", "{} i:4711 i:1 i:0", Refused("semget")),
        ("msgget", "{} i:4711 i:0", Refused("msgget")),
        ("seccomp", "{} i:1 i:8 b:", Refused("seccomp")),
        ("kill", "{} i:1 i:0", Refused("kill of process 1")),
        ("tkill", "{} i:1 i:0", Refused("tkill of process 1")),
        ("tgkill", "{} i:1 i:1 i:0", Refused("tgkill of process 1")),
        ("rt_sigqueueinfo", "{} i:1 i:0 b:", Refused("rt_sigqueueinfo of process 1")),
        ("rt_tgsigqueueinfo", "{} i:1 i:1 i:0 b:", Refused("rt_tgsigqueueinfo of process 1")),
        ("pidfd_open", "{} i:1 i:0", Refused("pidfd_open of process 1")),
        ("getpgid", "{} i:1", Refused("getpgid of process 1")),
        ("getsid", "{} i:1", Refused("getsid of process 1")),
        ("prlimit64", "{} i:1 i:3 i:0 b:", Refused("prlimit64 of process 1")),
        ("process_vm_readv", "{} i:1 b: i:0 b: i:0 i:0", Refused("process_vm_readv of process 1")),
        (
            "process_vm_writev",
            "{} i:1 b: i:0 b: i:0 i:0",
            Refused("process_vm_writev of process 1"),
        ),
        // No process has this number, so nothing happens to any.
        ("migrate_pages", "{} i:5000000 i:0 i:0 i:0", Refused("migrate_pages of process 5000000")),
        (
            "move_pages",
            "{} i:5000000 i:0 i:0 i:0 i:0 i:0",
            Refused("move_pages of process 5000000"),
        ),
        ("sched_setparam", "{} i:5000000 b:", Refused("sched_setparam of process 5000000")),
        ("sched_getparam", "{} i:5000000 b:", Refused("sched_getparam of process 5000000")),
        ("sched_setscheduler", "{} i:5000000 i:0 b:", Refused("sched_setscheduler of process 5")),
        ("sched_getscheduler", "{} i:5000000", Refused("sched_getscheduler of process 5000000")),
        ("sched_rr_get_interval", "{} i:5000000 b:", Refused("sched_rr_get_interval of process 5")),
        ("sched_setaffinity", "{} i:5000000 i:8 b:", Refused("sched_setaffinity of process 5")),
        ("sched_getaffinity", "{} i:5000000 i:8 b:", Refused("sched_getaffinity of process 5")),
        ("sched_setattr", "{} i:5000000 b: i:0", Refused("sched_setattr of process 5000000")),
        ("sched_getattr", "{} i:5000000 b: i:56 i:0", Refused("sched_getattr of process 5000000")),
        ("ptrace", "{} i:0x4206 i:5000000 i:0 i:0", Refused("ptrace of process 5000000")),
        ("getpriority", "{} i:2 i:0", Refused("getpriority of a group or user")),
        ("setpriority", "{} i:0 i:5000000 i:0", Refused("setpriority of process 5000000")),
        ("ioprio_get", "{} i:1 i:5000000", Refused("ioprio_get of process 5000000")),
        ("ioprio_set", "{} i:1 i:5000000 i:0", Refused("ioprio_set of process 5000000")),
        ("init_module", "{} i:0 i:0 i:0", Refused("init_module")),
        // Most programs try a lock to report that they wait.
        ("flock", "FD {} r: i:6", Fact("file", Contents)),
        ("ioctl", "FD {} r: i:0x80086601 b:", Refused("a look at the flags of a file")),
        ("io_uring_setup", "{} i:1 b:", Nothing),
    ]
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn each_call_of_the_table_is_seen() {
    let mut cases: BTreeMap<_, _> =
        cases().into_iter().map(|(name, calls, expected)| (name, (calls, expected))).collect();
    let open = CALLS.iter().find(|it| it.name == "openat").unwrap().number;
    for call in CALLS {
        let is_refused = matches!(call.does, crate::linux::calls::Does::Refused);
        let (calls, expected) = match cases.remove(call.name) {
            Some(case) => case,
            // Arguments with which none of them can do anything.
            None if is_refused => ("{} i:-1 i:-1 i:-1 i:-1 i:-1", Refused(call.name)),
            None => panic!("{} has no case", call.name),
        };
        let world = World::new();
        world.write("file", "text");
        world.write("interpreter", "#!/bin/true\n");
        world.write("script", &format!("#!{}\n", world.path("interpreter").display()));
        for name in ["script", "interpreter"] {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(world.path(name), mode).unwrap();
        }
        std::fs::create_dir(world.path("dir")).unwrap();
        symlink("file", world.path("link")).unwrap();
        let _listening = std::os::unix::net::UnixListener::bind(world.path("listening")).unwrap();
        let calls = calls
            .replace("FD ", &format!("{open} CWD s:file i:0 , "))
            .replace("DIR ", &format!("{open} CWD s:dir i:0 , "))
            .replace("SOCKET ", &format!("{} i:1 i:1 i:0 , ", libc::SYS_socket))
            .replace("41 ", &format!("{} ", libc::SYS_socket))
            .replace("{}", &call.number.to_string())
            .replace("CWD", CWD);
        let run = world.calls(&calls);
        let name = call.name;
        match expected {
            Fact(path, class) => {
                let facts = &run.report.facts;
                assert!(run.knows(path, class), "{name}: no {class:?} of {path} in {facts:#?}");
                let refusal = run.refusal().filter(|why| !why.contains("extended attributes"));
                assert_eq!(refusal, None, "{name}");
            }
            Refused(why) => {
                let refusal = run.refusal();
                assert!(
                    refusal.as_ref().is_some_and(|it| it.starts_with(why)),
                    "{name}: {refusal:?}"
                );
            }
            Nothing => assert_eq!(run.refusal(), None, "{name}"),
        }
    }
    assert!(cases.keys().all(|name| cfg!(not(target_arch = "x86_64")) || name.is_empty()));
}
