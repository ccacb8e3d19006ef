//! The system calls that are traced, and the meaning of their arguments.
//!
//! The table has every call that takes a path, and every other call by which a process can learn
//! about files, reach another process, or change the system or the meaning of a path. A test
//! compares the table with the kernel's headers.

/// The highest system call number whose meaning is known. A run that makes a later call cannot be
/// recorded.
pub const LAST_KNOWN: u32 = 470;

/// The first argument of `getpriority` and `setpriority` for a process.
const PRIO_PROCESS: i32 = 0;
/// The first argument of `ioprio_get` and `ioprio_set` for a process.
const IOPRIO_WHO_PROCESS: i32 = 1;

/// A traced system call.
pub struct Call {
    /// The kernel's number.
    pub number: u32,
    /// The kernel's name.
    pub name: &'static str,
    /// The effect.
    pub does: Does,
}

/// The arguments that name a file.
#[derive(Clone, Copy)]
pub enum Place {
    /// A path, in this argument.
    Path(usize),
    /// A path relative to a folder's descriptor, in these arguments.
    At(usize, usize),
    /// A descriptor alone.
    Fd(usize),
}

/// The rule for following a link at the end of a path.
#[derive(Clone, Copy)]
pub enum Follow {
    /// Always followed.
    Yes,
    /// Never followed.
    No,
    /// Followed unless the argument has `AT_SYMLINK_NOFOLLOW`.
    Unless(usize),
    /// Followed if the argument has `AT_SYMLINK_FOLLOW`.
    If(usize),
}

/// An operation on one path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Reads the type, mode, size and times.
    Stat,
    /// Checks the type and permissions.
    Access,
    /// Reads extended attributes.
    Attributes,
    /// Reads the target of a link.
    Link,
    /// Executes the file.
    Execute,
    /// Modifies the file such that its former state remains visible.
    Change,
    /// Sets the times that an argument points to, or the present time if that is null.
    Date(usize),
    /// Changes extended attributes.
    ChangeAttributes,
    /// Creates something.
    Create,
    /// Removes the file.
    Unlink,
    /// Removes an empty folder.
    RemoveFolder,
}

/// The effect of a system call.
#[derive(Clone, Copy)]
pub enum Does {
    /// Performs one operation on one path.
    One(Place, Follow, Op),
    /// Opens a file, with flags in an argument.
    Open(Place, usize),
    /// Opens a file for writing, creates and truncates it.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "`open` does that"))]
    Creat(Place),
    /// Opens a file, with flags in memory.
    OpenHow,
    /// Removes a file or a folder, depending on flags in an argument.
    UnlinkAt(Place, usize),
    /// Renames a file, with flags in an argument.
    Rename(Place, Place, Option<usize>),
    /// Creates a hard link.
    HardLink(Place, Place, Follow),
    /// Lists the folder that a descriptor refers to.
    List(usize),
    /// Changes the working directory to a path.
    ChangeFolder(usize),
    /// Creates a socket.
    Socket,
    /// Connects to the address in an argument, whose length is the next argument.
    Connect(usize),
    /// Binds a socket to an address.
    Bind,
    /// Sends a message to the address in a header in memory.
    SendMessage,
    /// Sends several messages.
    SendMessages,
    /// Starts a process, with flags in an argument.
    Clone,
    /// Starts a process, with flags in memory.
    Clone3,
    /// Stops sharing state with other processes.
    Unshare,
    /// Changes the user or group, to the ids in this many arguments.
    ChangeUser(usize),
    /// Changes the supplementary groups.
    ChangeGroups,
    /// Opens a System V IPC object, unless its key says that it is private.
    SharedObject,
    /// Installs a seccomp filter.
    Filter,
    /// Asks for the free space or the type of a file system.
    FreeSpace(Place),
    /// Asks for the mounted file systems.
    Mounts,
    /// Reaches or queries the process that the first argument names; 0 stands for the caller.
    Process,
    /// Reaches the process that the second argument names, if the request in the first attaches to
    /// one.
    Attach,
    /// Reads or sets the priority of what the second argument names; 0 stands for the caller. It
    /// is a process if the first argument has this value.
    Priority(i32),
    /// Takes a lock, or learns that another process has it.
    TryLock,
    /// Reads the flags of an open file, which `lsattr` shows.
    FileFlags,
    /// Sets up an `io_uring`, by which calls would not be reported: this is denied.
    Ring,
    /// Cannot be recorded.
    Refused,
}

use Does::{
    Attach, Bind, ChangeFolder, ChangeGroups, ChangeUser, Clone3, Connect, FileFlags, Filter,
    FreeSpace, HardLink, List, Mounts, One, Open, OpenHow, Priority, Process, Refused, Rename,
    Ring, SendMessage, SendMessages, SharedObject, Socket, TryLock, UnlinkAt, Unshare,
};
use Follow::{If, No, Unless, Yes};
use Op::{Access, Attributes, Change, ChangeAttributes, Create, Date, Execute, Link, Stat};
use Place::{At, Fd, Path};

macro_rules! calls {
    ($($(#[$on:meta])? $name:ident = $number:expr, $does:expr;)*) => {
        /// All traced calls.
        pub const CALLS: &[Call] = &[$(
            $(#[$on])?
            Call {
                number: $number as u32,
                name: stringify!($name),
                does: $does,
            },
        )*];
    };
}

calls! {
    openat = libc::SYS_openat, Open(At(0, 1), 2);
    openat2 = libc::SYS_openat2, OpenHow;
    #[cfg(target_arch = "x86_64")] open = libc::SYS_open, Open(Path(0), 1);
    #[cfg(target_arch = "x86_64")] creat = libc::SYS_creat, Does::Creat(Path(0));
    newfstatat = libc::SYS_newfstatat, One(At(0, 1), Unless(3), Stat);
    statx = libc::SYS_statx, One(At(0, 1), Unless(2), Stat);
    #[cfg(target_arch = "x86_64")] stat = libc::SYS_stat, One(Path(0), Yes, Stat);
    #[cfg(target_arch = "x86_64")] lstat = libc::SYS_lstat, One(Path(0), No, Stat);
    faccessat = libc::SYS_faccessat, One(At(0, 1), Yes, Access);
    faccessat2 = libc::SYS_faccessat2, One(At(0, 1), Unless(3), Access);
    #[cfg(target_arch = "x86_64")] access = libc::SYS_access, One(Path(0), Yes, Access);
    statfs = libc::SYS_statfs, FreeSpace(Path(0));
    fstatfs = libc::SYS_fstatfs, FreeSpace(Fd(0));
    statmount = 457, Mounts;
    listmount = 458, Mounts;
    name_to_handle_at = libc::SYS_name_to_handle_at, One(At(0, 1), If(4), Access);
    inotify_add_watch = libc::SYS_inotify_add_watch, One(Path(1), Yes, Access);
    chdir = libc::SYS_chdir, ChangeFolder(0);
    readlinkat = libc::SYS_readlinkat, One(At(0, 1), No, Link);
    #[cfg(target_arch = "x86_64")] readlink = libc::SYS_readlink, One(Path(0), No, Link);
    execve = libc::SYS_execve, One(Path(0), Yes, Execute);
    execveat = libc::SYS_execveat, One(At(0, 1), Unless(4), Execute);
    getdents64 = libc::SYS_getdents64, List(0);
    #[cfg(target_arch = "x86_64")] getdents = libc::SYS_getdents, List(0);
    getxattr = libc::SYS_getxattr, One(Path(0), Yes, Attributes);
    lgetxattr = libc::SYS_lgetxattr, One(Path(0), No, Attributes);
    fgetxattr = libc::SYS_fgetxattr, One(Fd(0), Yes, Attributes);
    listxattr = libc::SYS_listxattr, One(Path(0), Yes, Attributes);
    llistxattr = libc::SYS_llistxattr, One(Path(0), No, Attributes);
    flistxattr = libc::SYS_flistxattr, One(Fd(0), Yes, Attributes);
    getxattrat = 464, One(At(0, 1), Unless(2), Attributes);
    listxattrat = 465, One(At(0, 1), Unless(2), Attributes);

    setxattr = libc::SYS_setxattr, One(Path(0), Yes, ChangeAttributes);
    lsetxattr = libc::SYS_lsetxattr, One(Path(0), No, ChangeAttributes);
    fsetxattr = libc::SYS_fsetxattr, One(Fd(0), Yes, ChangeAttributes);
    removexattr = libc::SYS_removexattr, One(Path(0), Yes, ChangeAttributes);
    lremovexattr = libc::SYS_lremovexattr, One(Path(0), No, ChangeAttributes);
    fremovexattr = libc::SYS_fremovexattr, One(Fd(0), Yes, ChangeAttributes);
    setxattrat = 463, One(At(0, 1), Unless(2), ChangeAttributes);
    removexattrat = 466, One(At(0, 1), Unless(2), ChangeAttributes);
    file_setattr = 469, One(At(0, 1), Unless(4), ChangeAttributes);
    truncate = libc::SYS_truncate, One(Path(0), Yes, Change);
    fchmod = libc::SYS_fchmod, One(Fd(0), Yes, Change);
    fchmodat = libc::SYS_fchmodat, One(At(0, 1), Yes, Change);
    fchmodat2 = 452, One(At(0, 1), Unless(3), Change);
    #[cfg(target_arch = "x86_64")] chmod = libc::SYS_chmod, One(Path(0), Yes, Change);
    fchown = libc::SYS_fchown, One(Fd(0), Yes, Change);
    fchownat = libc::SYS_fchownat, One(At(0, 1), Unless(4), Change);
    #[cfg(target_arch = "x86_64")] chown = libc::SYS_chown, One(Path(0), Yes, Change);
    #[cfg(target_arch = "x86_64")] lchown = libc::SYS_lchown, One(Path(0), No, Change);
    utimensat = libc::SYS_utimensat, One(At(0, 1), Unless(3), Date(2));
    #[cfg(target_arch = "x86_64")] utime = libc::SYS_utime, One(Path(0), Yes, Date(1));
    #[cfg(target_arch = "x86_64")] utimes = libc::SYS_utimes, One(Path(0), Yes, Date(1));
    #[cfg(target_arch = "x86_64")] futimesat = libc::SYS_futimesat, One(At(0, 1), Yes, Date(2));
    mknodat = libc::SYS_mknodat, One(At(0, 1), No, Create);
    #[cfg(target_arch = "x86_64")] mknod = libc::SYS_mknod, One(Path(0), No, Create);
    mkdirat = libc::SYS_mkdirat, One(At(0, 1), No, Create);
    #[cfg(target_arch = "x86_64")] mkdir = libc::SYS_mkdir, One(Path(0), No, Create);
    symlinkat = libc::SYS_symlinkat, One(At(1, 2), No, Create);
    #[cfg(target_arch = "x86_64")] symlink = libc::SYS_symlink, One(Path(1), No, Create);
    unlinkat = libc::SYS_unlinkat, UnlinkAt(At(0, 1), 2);
    #[cfg(target_arch = "x86_64")] unlink = libc::SYS_unlink, One(Path(0), No, Op::Unlink);
    #[cfg(target_arch = "x86_64")] rmdir = libc::SYS_rmdir, One(Path(0), No, Op::RemoveFolder);
    renameat2 = libc::SYS_renameat2, Rename(At(0, 1), At(2, 3), Some(4));
    renameat = libc::SYS_renameat, Rename(At(0, 1), At(2, 3), None);
    #[cfg(target_arch = "x86_64")] rename = libc::SYS_rename, Rename(Path(0), Path(1), None);
    linkat = libc::SYS_linkat, HardLink(At(0, 1), At(2, 3), If(4));
    #[cfg(target_arch = "x86_64")] link = libc::SYS_link, HardLink(Path(0), Path(1), No);

    socket = libc::SYS_socket, Socket;
    connect = libc::SYS_connect, Connect(1);
    bind = libc::SYS_bind, Bind;
    sendto = libc::SYS_sendto, Connect(4);
    sendmsg = libc::SYS_sendmsg, SendMessage;
    sendmmsg = libc::SYS_sendmmsg, SendMessages;

    clone = libc::SYS_clone, Does::Clone;
    clone3 = libc::SYS_clone3, Clone3;
    unshare = libc::SYS_unshare, Unshare;
    setuid = libc::SYS_setuid, ChangeUser(1);
    setgid = libc::SYS_setgid, ChangeUser(1);
    setreuid = libc::SYS_setreuid, ChangeUser(2);
    setregid = libc::SYS_setregid, ChangeUser(2);
    setresuid = libc::SYS_setresuid, ChangeUser(3);
    setresgid = libc::SYS_setresgid, ChangeUser(3);
    setfsuid = libc::SYS_setfsuid, ChangeUser(1);
    setfsgid = libc::SYS_setfsgid, ChangeUser(1);
    setgroups = libc::SYS_setgroups, ChangeGroups;
    shmget = libc::SYS_shmget, SharedObject;
    semget = libc::SYS_semget, SharedObject;
    msgget = libc::SYS_msgget, SharedObject;
    seccomp = libc::SYS_seccomp, Filter;
    kill = libc::SYS_kill, Process;
    tkill = libc::SYS_tkill, Process;
    tgkill = libc::SYS_tgkill, Process;
    rt_sigqueueinfo = libc::SYS_rt_sigqueueinfo, Process;
    rt_tgsigqueueinfo = libc::SYS_rt_tgsigqueueinfo, Process;
    pidfd_open = libc::SYS_pidfd_open, Process;
    getpgid = libc::SYS_getpgid, Process;
    getsid = libc::SYS_getsid, Process;
    prlimit64 = libc::SYS_prlimit64, Process;
    process_vm_readv = libc::SYS_process_vm_readv, Process;
    process_vm_writev = libc::SYS_process_vm_writev, Process;
    migrate_pages = libc::SYS_migrate_pages, Process;
    move_pages = libc::SYS_move_pages, Process;
    sched_setparam = libc::SYS_sched_setparam, Process;
    sched_getparam = libc::SYS_sched_getparam, Process;
    sched_setscheduler = libc::SYS_sched_setscheduler, Process;
    sched_getscheduler = libc::SYS_sched_getscheduler, Process;
    sched_rr_get_interval = libc::SYS_sched_rr_get_interval, Process;
    sched_setaffinity = libc::SYS_sched_setaffinity, Process;
    sched_getaffinity = libc::SYS_sched_getaffinity, Process;
    sched_setattr = libc::SYS_sched_setattr, Process;
    sched_getattr = libc::SYS_sched_getattr, Process;
    ptrace = libc::SYS_ptrace, Attach;
    getpriority = libc::SYS_getpriority, Priority(PRIO_PROCESS);
    setpriority = libc::SYS_setpriority, Priority(PRIO_PROCESS);
    ioprio_get = libc::SYS_ioprio_get, Priority(IOPRIO_WHO_PROCESS);
    ioprio_set = libc::SYS_ioprio_set, Priority(IOPRIO_WHO_PROCESS);
    flock = libc::SYS_flock, TryLock;
    ioctl = libc::SYS_ioctl, FileFlags;
    io_uring_setup = libc::SYS_io_uring_setup, Ring;

    file_getattr = 468, Refused;
    #[cfg(target_arch = "x86_64")] ustat = libc::SYS_ustat, Refused;
    chroot = libc::SYS_chroot, Refused;
    pivot_root = libc::SYS_pivot_root, Refused;
    mount = libc::SYS_mount, Refused;
    umount2 = libc::SYS_umount2, Refused;
    mount_setattr = libc::SYS_mount_setattr, Refused;
    setns = libc::SYS_setns, Refused;
    open_tree = libc::SYS_open_tree, Refused;
    open_tree_attr = 467, Refused;
    move_mount = libc::SYS_move_mount, Refused;
    fsopen = libc::SYS_fsopen, Refused;
    fspick = libc::SYS_fspick, Refused;
    fsmount = libc::SYS_fsmount, Refused;
    open_by_handle_at = libc::SYS_open_by_handle_at, Refused;
    fanotify_init = libc::SYS_fanotify_init, Refused;
    fanotify_mark = libc::SYS_fanotify_mark, Refused;
    pidfd_getfd = libc::SYS_pidfd_getfd, Refused;
    bpf = libc::SYS_bpf, Refused;
    keyctl = libc::SYS_keyctl, Refused;
    add_key = libc::SYS_add_key, Refused;
    request_key = libc::SYS_request_key, Refused;
    mq_open = libc::SYS_mq_open, Refused;
    mq_unlink = libc::SYS_mq_unlink, Refused;
    syslog = libc::SYS_syslog, Refused;
    acct = libc::SYS_acct, Refused;
    swapon = libc::SYS_swapon, Refused;
    swapoff = libc::SYS_swapoff, Refused;
    quotactl = libc::SYS_quotactl, Refused;
    quotactl_fd = libc::SYS_quotactl_fd, Refused;
    sethostname = libc::SYS_sethostname, Refused;
    setdomainname = libc::SYS_setdomainname, Refused;
    settimeofday = libc::SYS_settimeofday, Refused;
    adjtimex = libc::SYS_adjtimex, Refused;
    clock_settime = libc::SYS_clock_settime, Refused;
    clock_adjtime = libc::SYS_clock_adjtime, Refused;
    init_module = libc::SYS_init_module, Refused;
    finit_module = libc::SYS_finit_module, Refused;
    delete_module = libc::SYS_delete_module, Refused;
    kexec_load = libc::SYS_kexec_load, Refused;
    kexec_file_load = if cfg!(target_arch = "x86_64") { 320 } else { 294 }, Refused;
    reboot = libc::SYS_reboot, Refused;
    #[cfg(target_arch = "x86_64")] uselib = libc::SYS_uselib, Refused;
}

/// Returns the traced call with this number; none if it is not traced.
pub fn by_number(number: u32) -> Option<&'static Call> {
    const COUNT: usize = LAST_KNOWN as usize + 1;
    static INDEX: [u8; COUNT] = {
        let mut index = [u8::MAX; COUNT];
        let mut at = 0;
        while at < CALLS.len() {
            index[CALLS[at].number as usize] = at as u8;
            at += 1;
        }
        index
    };
    let at = *INDEX.get(number as usize)?;
    CALLS.get(usize::from(at))
}

#[cfg(test)]
mod tests {
    use super::{CALLS, LAST_KNOWN, by_number};
    use std::collections::BTreeMap;

    /// Calls that take no path, reveal nothing about files beyond what opening their descriptor
    /// did, and reach neither the system nor another process.
    const WITHOUT_PATHS: &str = include_str!("pathless.txt");

    /// Returns the numbers and names in the kernel's header, where it is installed.
    fn header() -> Option<BTreeMap<u32, String>> {
        let names: &[&str] = if cfg!(target_arch = "x86_64") {
            &["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"]
        } else {
            &["/usr/include/asm-generic/unistd.h"]
        };
        let text = names.iter().find_map(|name| std::fs::read_to_string(name).ok())?;
        let calls = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.nth(1).filter(|_| line.starts_with("#define"))?;
            let name = name.strip_prefix("__NR3264_").or_else(|| name.strip_prefix("__NR_"))?;
            Some((words.next()?.parse().ok()?, name.to_owned()))
        });
        Some(calls.filter(|(_, name)| name != "syscalls").collect())
    }

    /// The two architectures name one call differently.
    fn own_name(name: &str) -> &str {
        match name {
            "fstatat" => "newfstatat",
            "umount" => "umount2",
            name => name,
        }
    }

    #[test]
    fn every_call_of_the_kernels_header_is_in_the_table_or_takes_no_path() {
        let Some(header) = header() else { return };
        assert!(header.len() > 250);
        for (number, name) in header {
            let name = own_name(&name);
            match by_number(number) {
                Some(call) => assert_eq!(call.name, name, "number {number}"),
                None => assert!(
                    WITHOUT_PATHS.split_whitespace().any(|it| it == name),
                    "{name} ({number}) is neither in the table nor known to take no path"
                ),
            }
            assert!(number <= LAST_KNOWN, "{name} ({number}) is beyond what is known");
        }
    }

    #[test]
    fn nothing_is_both_looked_at_and_said_to_take_no_path() {
        let both = CALLS.iter().find(|it| WITHOUT_PATHS.split_whitespace().any(|n| n == it.name));
        assert!(both.is_none(), "{:?}", both.map(|call| call.name));
    }

    #[test]
    fn no_number_is_there_twice() {
        for call in CALLS {
            assert_eq!(by_number(call.number).unwrap().name, call.name);
        }
    }
}
