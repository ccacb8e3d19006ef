//! The seccomp filter: the system calls that the kernel reports before it executes them.
//!
//! For most calls the number alone decides, through a tree of comparisons. The kernel evaluates
//! that once per number, so calls that are let through cost next to nothing. All calls of another
//! architecture are reported.

use crate::linux::calls::{CALLS, Does, LAST_KNOWN};
use libc::sock_filter;

/// The upper half of the last argument of the one `sendmsg` that is let through: it hands the
/// listener over, when nobody could answer yet. The kernel uses only the lower half.
pub const LET_THROUGH: u32 = 0x6378_5472;

#[cfg(target_arch = "x86_64")]
pub const NATIVE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
pub const NATIVE: u32 = 0xC000_00B7;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const NOTIFY: u32 = libc::SECCOMP_RET_USER_NOTIF;

/// The `clone` flags that change the meaning of a process's paths, or its privileges.
pub const NAMESPACES: u64 = (libc::CLONE_NEWNS | libc::CLONE_NEWUSER) as u64;

/// The `ioctl` requests that read the flags of a file: `FS_IOC_GETFLAGS` and `FS_IOC_FSGETXATTR`.
pub const GET_FLAGS: [u32; 2] = [0x8008_6601, 0x801c_581f];

/// The `ptrace` requests that attach to a process: `PTRACE_ATTACH` and `PTRACE_SEIZE`.
const ATTACH: [u32; 2] = [16, 0x4206];

/// The action for a system call number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Return(u32),
    /// Reports the call unless the argument has this value.
    UnlessArgument(usize, u32),
    /// Reports the call if the argument has one of these bits.
    IfBits(usize, u32),
    /// Reports the call if the lower half of the argument, all that the kernel uses, is one of
    /// these.
    IfArgument(usize, [u32; 2]),
    /// Reports the call unless the upper half of the argument has this value.
    UnlessUpperHalf(usize, u32),
}

/// Returns a filter in the format of the kernel.
pub fn program() -> Vec<sock_filter> {
    let mut program =
        vec![load(ARCH), jump(libc::BPF_JEQ, NATIVE, 1, 0), ret(NOTIFY), load(NUMBER)];
    program.extend(decide(&ranges()));
    program
}

/// Returns the actions and the number from which each applies, in order.
fn ranges() -> Vec<(u32, Action)> {
    let mut actions = vec![Action::Return(ALLOW); LAST_KNOWN as usize + 1];
    for call in CALLS {
        actions[call.number as usize] = match call.does {
            Does::Socket => Action::UnlessArgument(0, libc::AF_UNIX as u32),
            Does::Connect(4) => Action::UnlessArgument(4, 0),
            Does::Clone => Action::IfBits(0, NAMESPACES as u32),
            Does::SharedObject => Action::UnlessArgument(0, libc::IPC_PRIVATE as u32),
            Does::Process => Action::UnlessArgument(0, 0),
            Does::Attach => Action::IfArgument(0, ATTACH),
            Does::TryLock => Action::IfBits(1, libc::LOCK_NB as u32),
            Does::FileFlags => Action::IfArgument(1, GET_FLAGS),
            Does::SendMessage => Action::UnlessUpperHalf(2, LET_THROUGH),
            _ => Action::Return(NOTIFY),
        };
    }
    let mut ranges: Vec<(u32, Action)> = Vec::new();
    for (number, action) in (0..).zip(actions) {
        if ranges.last().is_none_or(|(_, before)| *before != action) {
            ranges.push((number, action));
        }
    }
    // Unknown calls, including those of x32; -1 is a call that a debugger skipped.
    ranges.extend([(LAST_KNOWN + 1, Action::Return(NOTIFY)), (u32::MAX, Action::Return(ALLOW))]);
    ranges
}

/// Compiles a tree of comparisons of the loaded number.
fn decide(ranges: &[(u32, Action)]) -> Vec<sock_filter> {
    let [(_, action)] = ranges else {
        let (below, above) = ranges.split_at(ranges.len() / 2);
        let from = above[0].0;
        let (below, above) = (decide(below), decide(above));
        let mut program = match u8::try_from(below.len()) {
            Ok(over) => vec![jump(libc::BPF_JGE, from, over, 0)],
            Err(_) => vec![
                jump(libc::BPF_JGE, from, 0, 1),
                statement(libc::BPF_JMP | libc::BPF_JA, below.len() as u32),
            ],
        };
        program.extend(below);
        program.extend(above);
        return program;
    };
    match *action {
        Action::Return(value) => vec![ret(value)],
        Action::UnlessArgument(at, value) => vec![
            load(argument(at)),
            jump(libc::BPF_JEQ, value, 0, 3),
            load(argument(at) + UPPER),
            jump(libc::BPF_JEQ, 0, 0, 1),
            ret(ALLOW),
            ret(NOTIFY),
        ],
        Action::IfBits(at, bits) => {
            vec![load(argument(at)), jump(libc::BPF_JSET, bits, 1, 0), ret(ALLOW), ret(NOTIFY)]
        }
        Action::IfArgument(at, [one, other]) => vec![
            load(argument(at)),
            jump(libc::BPF_JEQ, one, 2, 0),
            jump(libc::BPF_JEQ, other, 1, 0),
            ret(ALLOW),
            ret(NOTIFY),
        ],
        Action::UnlessUpperHalf(at, value) => vec![
            load(argument(at) + UPPER),
            jump(libc::BPF_JEQ, value, 0, 1),
            ret(ALLOW),
            ret(NOTIFY),
        ],
    }
}

/// The offsets in `seccomp_data`; both architectures are little-endian.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const UPPER: u32 = 4;

fn argument(at: usize) -> u32 {
    16 + 8 * at as u32
}

fn load(at: u32) -> sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, at)
}

fn ret(value: u32) -> sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, value)
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

fn jump(comparison: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | comparison | libc::BPF_K) as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the filter like the kernel, and returns its decision about a call.
    fn run(arch: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let program = program();
        let word = |at: u32| match at {
            NUMBER => number,
            ARCH => arch,
            at => {
                let argument = arguments[(at as usize - 16) / 8];
                if at % 8 == 0 { argument as u32 } else { (argument >> 32) as u32 }
            }
        };
        let (mut at, mut loaded) = (0, 0);
        loop {
            let it = program[at];
            at += 1;
            let code = u32::from(it.code);
            match code & 7 {
                libc::BPF_LD => loaded = word(it.k),
                libc::BPF_RET => return it.k,
                libc::BPF_JMP if code & 0xf0 == libc::BPF_JA => at += it.k as usize,
                libc::BPF_JMP => {
                    let is_met = match code & 0xf0 {
                        libc::BPF_JEQ => loaded == it.k,
                        libc::BPF_JGE => loaded >= it.k,
                        libc::BPF_JSET => loaded & it.k != 0,
                        _ => unreachable!(),
                    };
                    at += usize::from(if is_met { it.jt } else { it.jf });
                }
                _ => unreachable!(),
            }
        }
    }

    fn native(number: libc::c_long, arguments: [u64; 6]) -> u32 {
        run(NATIVE, number as u32, arguments)
    }

    #[test]
    fn what_is_in_the_table_is_told_of() {
        for call in CALLS {
            // Arguments that make none of the calls harmless.
            let second = if call.name == "ioctl" { GET_FLAGS[0].into() } else { 7 };
            let first = if call.name == "ptrace" { ATTACH[0].into() } else { 0x1002_0003 };
            let told = run(NATIVE, call.number, [first, second, 7, 7, 7, 7]);
            assert_eq!(told, NOTIFY, "{}", call.name);
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_let_through() {
        for call in [libc::SYS_read, libc::SYS_mmap, libc::SYS_exit_group, libc::SYS_rseq] {
            assert_eq!(native(call, [7; 6]), ALLOW);
        }
        assert_eq!(run(NATIVE, u32::MAX, [0; 6]), ALLOW);
    }

    #[test]
    fn foreign_and_unknown_calls_are_told_of() {
        for number in [0, 1, 5, 11, 400] {
            assert_eq!(run(0x4000_0003, number, [0; 6]), NOTIFY);
            assert_eq!(run(NATIVE, 0x4000_0000 | number, [0; 6]), NOTIFY);
        }
        assert_eq!(run(NATIVE, LAST_KNOWN + 1, [0; 6]), NOTIFY);
    }

    #[test]
    fn arguments_that_are_numbers_tell_what_is_harmless() {
        assert_eq!(native(libc::SYS_socket, [libc::AF_UNIX as u64, 1, 0, 0, 0, 0]), ALLOW);
        assert_eq!(native(libc::SYS_socket, [libc::AF_INET as u64, 1, 0, 0, 0, 0]), NOTIFY);
        assert_eq!(native(libc::SYS_sendto, [3, 1, 1, 0, 0, 0]), ALLOW);
        assert_eq!(native(libc::SYS_sendto, [3, 1, 1, 0, 1 << 32, 0]), NOTIFY);
        assert_eq!(native(libc::SYS_clone, [libc::CLONE_VM as u64, 0, 0, 0, 0, 0]), ALLOW);
        assert_eq!(native(libc::SYS_clone, [libc::CLONE_NEWNS as u64, 0, 0, 0, 0, 0]), NOTIFY);
        let handing_over = u64::from(LET_THROUGH) << 32;
        assert_eq!(native(libc::SYS_sendmsg, [3, 1, handing_over, 0, 0, 0]), ALLOW);
        assert_eq!(native(libc::SYS_sendmsg, [3, 1, 0, 0, 0, 0]), NOTIFY);
        assert_eq!(native(libc::SYS_kill, [0, 9, 0, 0, 0, 0]), ALLOW);
        assert_eq!(native(libc::SYS_kill, [u64::MAX, 9, 0, 0, 0, 0]), NOTIFY);
        assert_eq!(native(libc::SYS_prlimit64, [0, 3, 0, 0, 0, 0]), ALLOW);
        assert_eq!(native(libc::SYS_sched_getaffinity, [0, 8, 7, 0, 0, 0]), ALLOW);
        assert_eq!(native(libc::SYS_sched_setaffinity, [1, 8, 7, 0, 0, 0]), NOTIFY);
        assert_eq!(native(libc::SYS_ptrace, [0; 6]), ALLOW);
        assert_eq!(native(libc::SYS_ptrace, [ATTACH[1].into(), 1, 0, 0, 0, 0]), NOTIFY);
        assert_eq!(native(libc::SYS_flock, [3, libc::LOCK_EX as u64, 0, 0, 0, 0]), ALLOW);
        let is_open = [1, libc::TCGETS, 0, 0, 0, 0];
        assert_eq!(native(libc::SYS_ioctl, is_open), ALLOW);
        // The kernel uses the lower half of a request.
        let flags = u64::from(GET_FLAGS[1]) | 1 << 40;
        assert_eq!(native(libc::SYS_ioctl, [3, flags, 0, 0, 0, 0]), NOTIFY);
    }
}
