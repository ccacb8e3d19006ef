//! Hosts with a network of their own, as far as one machine can have several.
//!
//! A thread can leave the network that it shares with the others, and their mounts
//! with it. What it starts from then on is on a host of its own, which is gone with the
//! last of them.

#[cfg(target_os = "linux")]
pub use linux::{Host, on_a_host_of_its_own};
#[cfg(not(target_os = "linux"))]
pub use nowhere::{Host, on_a_host_of_its_own};

#[cfg(target_os = "linux")]
mod linux {
    use super::super::mounts::where_this_is_ones_own;
    use rustix::mount::{mount_bind, mount_bind_recursive};
    use rustix::thread::UnshareFlags;
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    /// What any program may count on.
    const DEVICES: [&str; 3] = ["/dev/null", "/dev/random", "/dev/urandom"];

    /// A host, and the thread that is on it.
    pub struct Host(rustix::thread::Pid);

    /// Does something on a thread that is on a host of its own, where nothing but
    /// loopback is; none if this user, or this machine, has no such thing.
    pub fn on_a_host_of_its_own<T: Send>(work: impl FnOnce(&Host) -> T + Send) -> Option<T> {
        let done = where_this_is_ones_own(UnshareFlags::NEWNS | UnshareFlags::NEWNET, || {
            let host = Host(rustix::thread::gettid());
            host.ip("link set lo up").then(|| work(&host))
        });
        let done = done.flatten();
        if done.is_none() {
            eprintln!("this cannot run here: no network of its own can be had, or no `ip`");
        }
        done
    }

    impl Host {
        /// Lays a wire from this host to another, which then have these addresses.
        #[track_caller]
        pub fn is_wired_to(&self, other: &Host, address: &str, others_address: &str) {
            let network = other.network();
            let both = format!("link add name wire type veth peer name wire netns {network}");
            assert!(self.ip(&both), "there is a wire");
            for (host, address) in [(self, address), (other, others_address)] {
                let named = host.ip(&format!("addr add {address} dev wire"));
                assert!(named && host.ip("link set wire up"), "{address} is on it");
            }
        }

        /// Makes a folder the root of a bare system: this executable, what the kernel has
        /// to tell of processes, and a few devices, as the barest container has them.
        #[track_caller]
        pub fn furnish(&self, root: &Path, executable: &Path, name: &str) {
            assert_eq!(rustix::thread::gettid(), self.0, "mounts are this host's own");
            for folder in ["dev", "etc", "proc"] {
                fs::create_dir_all(root.join(folder)).unwrap();
            }
            let devices = DEVICES.map(|device| (Path::new(device), &device[1..]));
            for (from, name) in devices.into_iter().chain([(executable, name)]) {
                fs::write(root.join(name), "").unwrap();
                mount_bind(from, root.join(name)).unwrap();
            }
            mount_bind_recursive("/proc", root.join("proc")).unwrap();
        }

        /// The file that stands for its network.
        fn network(&self) -> String {
            format!("/proc/{}/task/{}/ns/net", std::process::id(), self.0.as_raw_nonzero())
        }

        /// Tells it this of its network.
        fn ip(&self, words: &str) -> bool {
            let mut command = Command::new("nsenter");
            command.arg(format!("--net={}", self.network())).arg("ip").args(words.split(' '));
            command.status().is_ok_and(|status| status.success())
        }
    }
}

/// Other systems have no such namespaces.
#[cfg(not(target_os = "linux"))]
mod nowhere {
    use std::path::Path;

    pub enum Host {}

    pub fn on_a_host_of_its_own<T: Send>(_: impl FnOnce(&Host) -> T + Send) -> Option<T> {
        eprintln!("this cannot run here: a machine is one host");
        None
    }

    impl Host {
        pub fn is_wired_to(&self, _: &Host, _: &str, _: &str) {
            match *self {}
        }

        pub fn furnish(&self, _: &Path, _: &Path, _: &str) {
            match *self {}
        }
    }
}
