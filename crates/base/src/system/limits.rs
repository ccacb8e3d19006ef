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
