//! Limits on what this process may use, as far as the system tells of them: `rustix` takes
//! it for granted that it does.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
type Resource = libc::c_int;

/// The limit of a resource (`RLIMIT_…`); none: the system does not tell.
pub fn of(resource: Resource) -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: it writes to `limit` and nowhere else.
    let told = unsafe { libc::getrlimit(resource, &raw mut limit) };
    (told == 0).then_some(limit)
}

/// The numbers of descriptors below which all are that this process can open, or `most`.
pub fn descriptors(most: u64) -> u64 {
    of(libc::RLIMIT_NOFILE).map_or(most, |limit| limit.rlim_cur.min(most))
}
