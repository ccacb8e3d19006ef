//! Limits on the resources of this process. `rustix` assumes that the system always reports them.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
type Resource = libc::c_int;

/// Returns the limit of a resource (`RLIMIT_…`), or `None` if the system does not report it.
pub fn of(resource: Resource) -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: it writes to `limit` and nowhere else.
    let told = unsafe { libc::getrlimit(resource, &raw mut limit) };
    (told == 0).then_some(limit)
}

/// Returns a bound above all descriptors that this process can open, at most `most`.
pub fn descriptors(most: u64) -> u64 {
    of(libc::RLIMIT_NOFILE).map_or(most, |limit| limit.rlim_cur.min(most))
}

/// Returns whether another process may have been refused to this user, as far as the system tells:
/// the limit on them is near, even if all that run were this user's.
pub fn are_processes_short() -> bool {
    /// The number of processes that cachex and a command have at once, and some more.
    const SOME: u64 = 64;
    let limit = match of(libc::RLIMIT_NPROC) {
        Some(limit) if limit.rlim_cur != libc::RLIM_INFINITY => limit.rlim_cur,
        _ => return false,
    };
    // It is not for root.
    if rustix::process::geteuid().is_root() {
        return false;
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let all = load.split_ascii_whitespace().nth(3).and_then(|counts| counts.split_once('/'));
    all.and_then(|(_, all)| all.parse::<u64>().ok()).is_some_and(|all| all + SOME > limit)
}
