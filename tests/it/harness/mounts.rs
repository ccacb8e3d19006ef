//! File systems that only one test sees: full ones and read-only ones.
//!
//! A thread can leave the mount namespace that it shares with the others; what
//! it starts from then on lives in its own, which ends with the last of them.

#[cfg(target_os = "linux")]
pub(super) use linux::where_this_is_ones_own;
#[cfg(target_os = "linux")]
pub use linux::{Mounted, where_mounts_are_ones_own};
#[cfg(not(target_os = "linux"))]
pub use nowhere::{Mounted, where_mounts_are_ones_own};

/// Whether this user, on this machine, can be on its own as `unshare` has it with these
/// options.
pub fn unshares(options: &str) -> bool {
    let mut unshare = std::process::Command::new("unshare");
    let done = unshare.args(options.split(' ')).arg("true").status();
    let can = done.is_ok_and(|status| status.success());
    if !can {
        eprintln!("this cannot run here: no `unshare {options}`");
    }
    can
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::mount::{
        MountFlags, MountPropagationFlags, mount, mount_bind, mount_change, mount_remount, unmount,
    };
    use rustix::thread::UnshareFlags;
    use std::path::{Path, PathBuf};

    /// A folder that something was mounted on.
    pub struct Mounted(PathBuf);

    /// Does something on a thread that may mount; none if this user may not.
    pub fn where_mounts_are_ones_own<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
        where_this_is_ones_own(UnshareFlags::NEWNS, work)
    }

    /// The same, with more than mounts that is not shared.
    pub(in super::super) fn where_this_is_ones_own<T: Send>(
        own: UnshareFlags,
        work: impl FnOnce() -> T + Send,
    ) -> Option<T> {
        std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                // SAFETY: nobody else shares this thread's namespaces, and the table of
                // descriptors is not touched.
                unsafe { rustix::thread::unshare_unsafe(own) }.ok()?;
                let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
                mount_change("/", private).ok()?;
                Some(work())
            });
            there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    impl Mounted {
        /// An empty file system with so many pages and files.
        #[track_caller]
        pub fn small(at: &Path, pages: u64, files: u64) -> Mounted {
            std::fs::create_dir_all(at).unwrap();
            let options = format!("mode=0700,size={},nr_inodes={files}", pages * 4096);
            let options = std::ffi::CString::new(options).unwrap();
            mount("tmpfs", at, "tmpfs", MountFlags::empty(), options.as_c_str()).unwrap();
            Mounted(at.to_owned())
        }

        /// An empty file system on which nothing may be executed.
        #[track_caller]
        pub fn without_execution(at: &Path) -> Mounted {
            std::fs::create_dir_all(at).unwrap();
            mount("tmpfs", at, "tmpfs", MountFlags::NOEXEC, None).unwrap();
            Mounted(at.to_owned())
        }

        /// The same folder, which cannot be written to.
        #[track_caller]
        pub fn read_only(at: &Path) -> Mounted {
            mount_bind(at, at).unwrap();
            mount_remount(at, MountFlags::BIND | MountFlags::RDONLY, c"").unwrap();
            Mounted(at.to_owned())
        }

        /// The file system of a device, which cannot be written to.
        #[track_caller]
        pub fn image(device: &Path, at: &Path) -> Mounted {
            std::fs::create_dir_all(at).unwrap();
            mount(device, at, "ext4", MountFlags::RDONLY, None).unwrap();
            Mounted(at.to_owned())
        }

        /// A file in the place of another one.
        #[track_caller]
        pub fn file(file: &Path, at: &Path) -> Mounted {
            mount_bind(file, at).unwrap();
            Mounted(at.to_owned())
        }

        /// Makes room for so many pages and files.
        #[track_caller]
        pub fn grows(&self, pages: u64, files: u64) {
            let options = format!("size={},nr_inodes={files}", pages * 4096);
            let options = std::ffi::CString::new(options).unwrap();
            mount_remount(&self.0, MountFlags::empty(), options.as_c_str()).unwrap();
        }
    }

    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
        }
    }
}

/// Other systems have no such namespaces.
#[cfg(not(target_os = "linux"))]
mod nowhere {
    use std::path::Path;

    pub enum Mounted {}

    pub fn where_mounts_are_ones_own<T: Send>(_: impl FnOnce() -> T + Send) -> Option<T> {
        None
    }

    impl Mounted {
        pub fn small(_: &Path, _: u64, _: u64) -> Mounted {
            unreachable!("nothing is done where nobody may mount")
        }

        pub fn file(_: &Path, _: &Path) -> Mounted {
            Mounted
        }

        pub fn read_only(_: &Path) -> Mounted {
            unreachable!("nothing is done where nobody may mount")
        }

        pub fn grows(&self, _: u64, _: u64) {}
    }
}
