//! What makes a helper quick that opens a small database to look something up.
//!
//! Of the time that sled takes for that, most is not work. Its threads are started one after
//! the other, and each of them computes in a circle until all are there: where processors are
//! few, in the place of who starts them. And what it writes, though nothing is changed, it
//! waits for the disk with.

/// Has new threads of this process wait until those that run give way to them.
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

/// Has this process wait for no disk from now on. What it only reads is as durable as it was;
/// a damaged entry that it drops may be there again after a power cut, and is dropped again.
///
/// sled, when it opens a database, clears the end of its log and what it will write to next,
/// waits for the disk then, and when it closes it again: on a usual disk that is longer than
/// all the rest. There is no option of it that says so, but the kernel can be told to have
/// those calls succeed at once.
pub fn waits_for_no_disk() {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        #[cfg(target_arch = "x86_64")]
        const NATIVE: u32 = 0xC000_003E;
        #[cfg(target_arch = "aarch64")]
        const NATIVE: u32 = 0xC000_00B7;
        // Where the number of a call and its architecture are in what a filter looks at.
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
            // An error of the number zero is none.
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
