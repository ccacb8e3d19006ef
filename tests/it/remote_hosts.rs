//! A remote store between hosts, each with a network of its own, and found by name
//! from a system that has nothing but cachex.

use crate::harness::{
    Cachex, Call, Host, Redis, Remote, WebDav, World, cachex, on_a_host_of_its_own, quoted,
};
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;

/// Long enough for whatever works.
const PATIENT: &str = "30s";
/// The name of a server.
const NAME: &str = "cache.example";
/// Where a system that asks itself for names is asked.
const RESOLVER: (Ipv4Addr, u16) = (Ipv4Addr::new(127, 0, 0, 53), 53);

/// A call on a host that shares results by this URL.
fn sharing(cachex: &Cachex, host: &str, url: &str, call: &Call) -> Call {
    let call = call.clone().env("CACHEX_DIR", cachex.path(host)).env("CACHEX_REMOTE", url);
    call.env("CACHEX_REMOTE_TIMEOUT", PATIENT).env("HOSTNAME", host)
}

#[test]
fn what_one_host_recorded_is_served_on_another() {
    on_a_host_of_its_own(|one| {
        let redis = Redis::with(&["--bind", "0.0.0.0", "--protected-mode", "no"]);
        let cachex = cachex();
        let script = "mkdir -p out; echo made >out/file; seq 1 20000";
        let call = cachex.run(script).with("--output out --ignore-env HOSTNAME");
        let (at_home, url) = (redis.url(), format!("redis://192.0.2.1:{}", redis.port()));
        let first = sharing(&cachex, "one", &at_home, &call).once().misses().quietly();
        sharing(&cachex, "one", &at_home, &flush(&cachex)).once().exits(0);
        fs::remove_dir_all(cachex.work().join("out")).unwrap();
        on_a_host_of_its_own(|other| {
            let impatient = |script: &str| {
                let call = sharing(&cachex, "other", &url, &cachex.run(script));
                call.env("CACHEX_REMOTE_TIMEOUT", "1s")
            };
            // Without a wire there is nobody to be reached.
            impatient("echo alone").once().misses().prints("alone\n").warns_once(&["192.0.2.1"]);
            other.is_wired_to(one, "192.0.2.2/24", "192.0.2.1/24");
            let third = sharing(&cachex, "third", &url, &call);
            third.once().hits().same_as(&first).quietly();
            let made = fs::read_to_string(cachex.work().join("out/file")).unwrap();
            assert_eq!(made, "made\n");
            // The other way as well.
            let back = cachex.run("echo back").with("--ignore-env HOSTNAME");
            sharing(&cachex, "third", &url, &back).once().misses();
            sharing(&cachex, "third", &url, &flush(&cachex)).once().exits(0);
        })
        .expect("one host more than there was");
        let back = sharing(
            &cachex,
            "one",
            &at_home,
            &cachex.run("echo back").with("--ignore-env HOSTNAME"),
        );
        back.once().hits().prints("back\n").quietly();
    });
}

/// Waits until everything recorded is sent.
fn flush(cachex: &Cachex) -> Call {
    cachex.cli(["remote", "flush"])
}

/// A bare system on a host of its own: cachex is all that is there.
struct Bare {
    cachex: Cachex,
    root: PathBuf,
}

impl Bare {
    fn on(host: &Host) -> Bare {
        let cachex = cachex();
        let root = cachex.path("root");
        fs::create_dir(&root).unwrap();
        host.furnish(&root, World::binary(), "cachex");
        Bare { cachex, root }
    }

    fn has(&self, file: &str, content: &str) {
        fs::write(self.root.join(file), content).unwrap();
    }

    /// cachex there, with a store of its own.
    fn call(&self, store: &str, url: &str, call: &Call) -> Call {
        let launcher = format!("shift; exec unshare --root={} /cachex \"$@\"", quoted(&self.root));
        let call = sharing(&self.cachex, "bare", url, call).launched_by(&launcher);
        call.env("CACHEX_DIR", format!("/{store}"))
    }

    /// Something is recorded there, and replayed with another store, by these URLs.
    #[track_caller]
    fn shares(&self, kind: &str, there: &str, back: &str) {
        let call = self.cachex.exec(["/cachex", "--version"]).with("--verbose");
        let (first, second) = (format!("{kind}-first"), format!("{kind}-second"));
        let told = |store: &str, url: &str| self.call(store, url, &call).once().exits(0);
        told(&first, there).says_one_line(&["cachex: miss "]).shows(&["cachex "]);
        self.call(&first, there, &flush(&self.cachex)).once().exits(0);
        told(&second, back).says_one_line(&["cachex: hit (remote) "]).shows(&["cachex "]);
    }
}

/// The URL of a remote store on this host, which is called by [`NAME`].
fn by_name(url: &str) -> String {
    let named = url.replace("127.0.0.1", NAME);
    assert_ne!(named, url);
    named
}

/// By Redis, and by WebDAV and then plain HTTP.
#[track_caller]
fn is_reached_by_name<N>(names: impl FnOnce(&Bare) -> N + Send) {
    on_a_host_of_its_own(|host| {
        let (redis, webdav) = (Redis::start(), WebDav::start());
        let bare = Bare::on(host);
        let names = names(&bare);
        bare.shares("redis", &by_name(&redis.url()), &by_name(&redis.url()));
        bare.shares("webdav", &by_name(&webdav.url()), &by_name(&webdav.http_url()));
        drop(names);
    });
}

#[test]
fn a_bare_system_reads_its_list_of_hosts() {
    is_reached_by_name(|bare| bare.has("etc/hosts", &format!("127.0.0.1 elsewhere {NAME}\n")));
}

#[test]
fn a_bare_system_asks_its_name_server() {
    is_reached_by_name(|bare| {
        bare.has("etc/resolv.conf", &format!("nameserver {}\n", RESOLVER.0));
        Resolver::start()
    });
}

#[test]
fn a_name_that_nobody_knows_is_said_to_be_unknown() {
    on_a_host_of_its_own(|host| {
        let bare = Bare::on(host);
        bare.has("etc/resolv.conf", &format!("nameserver {}\n", RESOLVER.0));
        let _resolver = Resolver::start();
        let call = bare.cachex.exec(["/cachex", "--version"]);
        let outcome = bare.call("store", "redis://nowhere.example", &call).once().exits(0);
        outcome.shows(&["cachex "]).warns_once(&["the name `nowhere.example` is not found"]);
    });
}

/// A name server of this host that knows one name.
struct Resolver {
    socket: UdpSocket,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Resolver {
    fn start() -> Resolver {
        let socket = UdpSocket::bind(RESOLVER).unwrap();
        let serving = socket.try_clone().unwrap();
        let thread = std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((len @ 1.., client)) = serving.recv_from(&mut query) {
                if let Some(answer) = answer(&query[..len]) {
                    let _ = serving.send_to(&answer, client);
                }
            }
        });
        Resolver { socket, thread: Some(thread) }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        // An empty question ends it.
        self.socket.send_to(&[], RESOLVER).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// The answer to a question for an address (RFC 1035, section 4).
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    const ADDRESS: [u8; 4] = [0, 1, 0, 1];
    let rest = query.get(HEADER..)?;
    let mut labels = rest;
    let mut name = Vec::new();
    loop {
        let (len, after) = labels.split_first()?;
        let (label, after) = after.split_at_checked(usize::from(*len))?;
        labels = after;
        if label.is_empty() {
            break;
        }
        name.push(String::from_utf8_lossy(label).to_lowercase());
    }
    let kind = labels.get(..4)?;
    let question = &rest[..rest.len() - labels.len() + 4];
    let is_known = name.join(".") == NAME;
    let has_address = is_known && kind == ADDRESS;
    let mut answer = query[..2].to_vec();
    // A response, recursion and all; without a mistake, or of a name that does not exist.
    answer.extend([0x81, if is_known { 0x80 } else { 0x83 }]);
    answer.extend([0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
    answer.extend(question);
    if has_address {
        // The name in the question, for a minute, in four bytes.
        answer.extend([0xc0, HEADER as u8]);
        answer.extend(ADDRESS);
        answer.extend([0, 0, 0, 60, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    Some(answer)
}
