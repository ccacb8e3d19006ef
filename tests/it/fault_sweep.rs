//! Each system call that `cachex` makes fails once, with each of several errors, and each
//! kind of them fails always, as in a sandbox that forbids it. Whichever it is: the output
//! and the status are those of the bare command, which runs once at the most, there is one
//! line of `cachex` at the most, and there is an end.
//!
//! `CACHEX_TEST_BINARY` names another binary than the one that was built with the tests.

use crate::harness::{Call, Fate, Fault, Outcome, Traced, cachex};
use rustix::io::Errno;
use std::sync::mpsc::channel;

/// A variable that has each of many calls of a kind fail, and not some of them.
const ALL: &str = "CACHEX_TEST_ALL_FAULTS";

const ONCE: [Errno; 7] =
    [Errno::INTR, Errno::IO, Errno::NOMEM, Errno::MFILE, Errno::AGAIN, Errno::PERM, Errno::NOSYS];
/// What a sandbox says.
const ALWAYS: [Errno; 2] = [Errno::PERM, Errno::NOSYS];

/// Calls that are not made to fail, and why.
const EXEMPT: [(i64, &str); 14] = [
    (libc::SYS_execve, "it is the command itself, or a helper, which has its own way"),
    (libc::SYS_exit, "it cannot fail"),
    (libc::SYS_exit_group, "it cannot fail"),
    (libc::SYS_rt_sigreturn, "it cannot fail"),
    (libc::SYS_getpid, "it cannot fail"),
    (libc::SYS_rt_sigprocmask, "it cannot fail, and the C library does not look"),
    (libc::SYS_close, "whatever it says, the descriptor is closed; a fault would leave it open"),
    (libc::SYS_brk, "it has no error: it says where the memory ends"),
    (libc::SYS_futex, "the C library ends a program whose locks fail"),
    (libc::SYS_munmap, "the C library ends a program that cannot give memory back"),
    (libc::SYS_mprotect, "it is the C library's, on the way to a thread"),
    (libc::SYS_set_robust_list, "it is the C library's, and nobody looks at what it gives"),
    (libc::SYS_rseq, "it is the C library's, and nobody looks at what it gives"),
    (libc::SYS_madvise, "it is the C library's, and nobody looks at what it gives"),
];

/// Calls that no program does without, so that nobody forbids them.
const NEEDED: [i64; 4] = [libc::SYS_read, libc::SYS_write, libc::SYS_mmap, libc::SYS_rt_sigaction];

/// What is swept: calls that are alike, and what the bare command does.
struct Sweep<'a> {
    /// The next call, in the state that it is to be met in.
    next: &'a dyn Fn(usize) -> Call,
    bare: &'a Outcome,
    /// What else is wrong after a call that met a fault.
    beyond: &'a dyn Fn(Fault) -> Option<String>,
    /// How many of the calls of a kind fail, one by one: some of many.
    most: u32,
}

impl Sweep<'_> {
    #[track_caller]
    fn is_borne(&self) {
        let untouched = (self.next)(0).traced(None);
        assert_eq!(self.complaint(&untouched), None, "without a fault");
        let most = if std::env::var_os(ALL).is_some() { u32::MAX } else { self.most };
        let mut wrong = Vec::new();
        let mut count = 0;
        let mut tries = |fault: Fault| {
            count += 1;
            let traced = (self.next)(count).traced(Some(fault));
            if let Some(complaint) = self.complaint(&traced).or_else(|| (self.beyond)(fault)) {
                let Fault { call, at, fate } = fault;
                wrong.push(format!("{} {at:?} {fate:?}: {complaint}", name(call)));
            }
        };
        for (&call, &made) in &untouched.calls {
            if EXEMPT.iter().any(|(exempt, _)| *exempt == call) {
                continue;
            }
            for at in (1..=made).step_by(made.div_ceil(most) as usize) {
                for errno in ONCE {
                    tries(Fault { call, at: Some(at), fate: Fate::Fails(errno) });
                }
            }
            if !NEEDED.contains(&call) {
                for errno in ALWAYS {
                    tries(Fault { call, at: None, fate: Fate::Fails(errno) });
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// What is wrong with how a call ended.
    fn complaint(&self, traced: &Traced) -> Option<String> {
        let Traced { outcome, hangs, .. } = traced;
        if let Some(left) = hangs {
            return Some(format!("it hangs:\n{left}"));
        }
        let stderr = outcome.stderr();
        let is_ours = |line: &&str| line.starts_with("cachex: ");
        let (ours, commands): (Vec<&str>, Vec<&str>) = stderr.lines().partition(is_ours);
        let expected = self.bare.stderr();
        if outcome.stdout() != self.bare.stdout() {
            Some(format!("{} bytes of output; {ours:?}", outcome.stdout().len()))
        } else if outcome.status() != self.bare.status() {
            Some(format!("{}; {ours:?}", outcome.status()))
        } else if commands != expected.lines().collect::<Vec<_>>() {
            Some(format!("it says {stderr:?}"))
        } else if ours.len() > 1 {
            Some(format!("it says too much: {ours:?}"))
        } else if outcome.executions() > 1 {
            Some(format!("{} runs", outcome.executions()))
        } else {
            None
        }
    }
}

/// The name of a system call, where `strace` would know it.
fn name(call: i64) -> String {
    let known = NAMES.iter().find(|(number, _)| *number == call);
    known.map_or(format!("call {call}"), |(_, name)| (*name).to_owned())
}

macro_rules! names {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

const NAMES: &[(i64, &str)] = names! {
    SYS_read SYS_write SYS_open SYS_close SYS_fstat SYS_poll SYS_lseek SYS_mmap SYS_brk
    SYS_rt_sigaction SYS_rt_sigprocmask SYS_ioctl SYS_pread64 SYS_pwrite64 SYS_pipe2 SYS_dup
    SYS_dup2 SYS_dup3 SYS_nanosleep SYS_getpid SYS_sendfile SYS_socketpair SYS_sendto
    SYS_recvfrom SYS_sendmsg SYS_recvmsg SYS_clone SYS_vfork SYS_clone3 SYS_wait4 SYS_waitid
    SYS_kill SYS_fcntl SYS_flock SYS_fsync SYS_fdatasync SYS_ftruncate SYS_getcwd SYS_rename
    SYS_renameat SYS_renameat2 SYS_mkdirat SYS_unlinkat SYS_readlink SYS_readlinkat SYS_umask
    SYS_getuid SYS_geteuid SYS_getppid SYS_setpgid SYS_setsid SYS_prctl SYS_openat SYS_openat2
    SYS_newfstatat SYS_statx SYS_ppoll SYS_getrandom SYS_pidfd_open SYS_copy_file_range
    SYS_prlimit64
};

/// Both streams, a status, and what came of standard input.
const SCRIPT: &str = "cat; echo complaint >&2; exit 3";
const INPUT: &str = "from a pipe\n";

fn of_a_key(call: &Call, number: usize) -> Call {
    call.clone().option("--key", number.to_string())
}

fn swept(call: &Call, most: u32, next: &dyn Fn(usize) -> Call) {
    let bare = call.clone().bare().once();
    Sweep { next, bare: &bare, beyond: &|_| None, most }.is_borne();
}

#[test]
fn a_miss() {
    let cachex = cachex();
    let call = cachex.run(SCRIPT).stdin(INPUT);
    call.once().misses();
    swept(&call, 12, &|number| of_a_key(&call, number));
}

#[test]
fn the_first_miss_of_a_store() {
    let cachex = cachex();
    let call = cachex.run("echo hi; echo complaint >&2; exit 3").with("--stdin null");
    swept(&call, 6, &|number| {
        call.clone().env("CACHEX_DIR", cachex.path(format!("store-{number}")))
    });
}

#[test]
fn a_miss_that_is_long() {
    let cachex = cachex();
    let call = cachex.run("seq 1 30000; echo complaint >&2; exit 3").with("--timeout 1m");
    swept(&call, 4, &|number| of_a_key(&call, number));
}

/// As under a filter of system calls, of an old container or of `qemu`.
#[test]
fn without_a_descriptor_for_signals_the_command_takes_the_place_of_cachex() {
    let cachex = cachex();
    for options in ["", "--stdin null", "--timeout 1m", "--no-concurrent"] {
        let input = if options == "--stdin null" { "" } else { INPUT };
        let call = cachex.run(&format!("echo $PPID; {SCRIPT}")).with(options).stdin(input);
        let bare = call.clone().bare().once();
        assert_eq!(bare.stdout(), format!("{}\n{input}", std::process::id()));
        let sweep = Sweep { next: &|_| call.clone(), bare: &bare, beyond: &|_| None, most: 1 };
        for errno in ALWAYS {
            let fate = Fate::Fails(errno);
            let traced = call.traced(Some(Fault { call: libc::SYS_signalfd4, at: None, fate }));
            assert!(traced.is_met, "{options}");
            assert_eq!(sweep.complaint(&traced), None, "{options}");
            assert_eq!(traced.outcome.executions(), 1, "{options}");
        }
    }
}

#[test]
fn a_hit() {
    let cachex = cachex();
    let call = cachex.run("echo hi; echo complaint >&2; exit 3");
    call.once().misses();
    swept(&call, 40, &|_| call.clone());
    call.once().hits();
}

#[test]
fn a_hit_that_is_long() {
    let cachex = cachex();
    let call = cachex.run("seq 1 30000; echo complaint >&2; seq 1 30000; exit 3");
    call.once().misses();
    swept(&call, 10, &|_| call.clone());
    call.once().hits();
}

#[test]
fn a_hit_of_an_older_entry() {
    let cachex = cachex();
    let call = cachex.run("echo hi; echo complaint >&2; exit 3");
    call.once().misses();
    cachex.folds_away();
    cachex.keeps_store("kept");
    let next = |_| {
        cachex.restores_store("kept");
        call.clone()
    };
    let was_set_aside = |fault: Fault| {
        // sled takes a read that fails for the end of its log, and overwrites the rest of it.
        // So what it reads is read before; that it fails all the same is up to a test.
        let is_by_sled = fault.call == libc::SYS_pread64 && fault.at.is_some();
        let broken = cachex.names_in_store("old.broken-");
        (!is_by_sled && !broken.is_empty()).then(|| "the database was set aside".to_owned())
    };
    let bare = call.clone().bare().once();
    Sweep { next: &next, bare: &bare, beyond: &was_set_aside, most: 2 }.is_borne();
}

#[test]
fn what_an_expired_result_stands_in_for() {
    let cachex = cachex();
    let options = "--exit-codes 0,3 --expires-in 1h --stale-if-error 1h";
    let call = cachex.run("seq 1 300; echo complaint >&2; exit 0").with(options);
    call.once().misses();
    cachex.keeps_store("kept");
    swept(&call, 3, &|_| {
        cachex.restores_store("kept");
        call.clone().after("90m")
    });
}

#[test]
fn one_who_follows_another() {
    let cachex = cachex();
    let call = cachex.run("echo first; sleep 0.03; echo complaint >&2; exit 3");
    let call = call.with("--no-concurrent");
    let bare = call.clone().bare().once();
    let next = |number| {
        let call = of_a_key(&call, number);
        is_begun_by_another(&call);
        call
    };
    Sweep { next: &next, bare: &bare, beyond: &|_| None, most: 2 }.is_borne();
}

/// Somebody else runs the command, and has printed something. It is no child of this
/// thread, which waits for its own alone, whichever they are.
fn is_begun_by_another(call: &Call) {
    let call = call.clone();
    let (begun, begins) = channel();
    std::thread::spawn(move || {
        let running = call.spawn();
        running.shows("first");
        let _ = begun.send(());
        running.ends();
    });
    begins.recv().unwrap();
}
