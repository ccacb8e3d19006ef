//! Speeds up a helper that opens a small database to look something up.
//!
//! Most of the time that sled takes for this is not work. Its threads start one after the other,
//! and each of them spins until all are there; where processors are few, it takes the place of
//! the thread that starts them. And sled waits for the disk to write, although nothing is
//! changed.

/// Makes new threads of this process wait until running ones yield to them.
pub fn yields_to_itself() {
    #[cfg(target_os = "linux")]
    {
        let priority: libc::c_int = 0;
        // SAFETY: the kernel reads the number, which is all of `sched_param`. The calls concern
        // this thread and those that it starts; where they are refused, everything is as it was.
        unsafe {
            if libc::sched_getscheduler(0) == libc::SCHED_OTHER {
                let number = libc::SYS_sched_setscheduler;
                libc::syscall(number, 0, libc::SCHED_BATCH, &raw const priority);
            }
        }
    }
}

/// Makes this process wait for no disk from now on. What it only reads is as durable as it was. A
/// damaged entry that it drops may be there again after a power cut, and is dropped again.
///
/// When sled opens a database, it clears the end of its log and what it will write to next, waits
/// for the disk, and waits again when it closes the database. On a usual disk, that takes longer
/// than everything else. sled has no option for this, but the kernel can be told to let those
/// calls succeed at once.
pub fn waits_for_no_disk() {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        #[cfg(target_arch = "x86_64")]
        const NATIVE: u32 = 0xC000_003E;
        #[cfg(target_arch = "aarch64")]
        const NATIVE: u32 = 0xC000_00B7;
        // The offsets of the system call number and the architecture in the data that a filter
        // inspects.
        const NUMBER: u32 = 0;
        const ARCHITECTURE: u32 = 4;

        let statement =
            |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
        let load = |at| statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, at);
        let result = |value| statement(libc::BPF_RET | libc::BPF_K, value);
        let if_equal = |value, then, otherwise| libc::sock_filter {
            jt: then,
            jf: otherwise,
            ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value)
        };
        let mut program = [
            load(ARCHITECTURE),
            if_equal(NATIVE, 0, 4),
            load(NUMBER),
            if_equal(libc::SYS_fsync as u32, 1, 0),
            if_equal(libc::SYS_fdatasync as u32, 0, 1),
            // An error with the number zero is success.
            result(libc::SECCOMP_RET_ERRNO),
            result(libc::SECCOMP_RET_ALLOW),
        ];
        let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
        if rustix::thread::set_no_new_privs(true).is_ok() {
            let (mode, flags) =
                (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW);
            // SAFETY: the kernel copies the filter. It is for this thread and those that it
            // starts; where it is refused, everything is as it was.
            unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, &raw const filter) };
        }
    }
}
