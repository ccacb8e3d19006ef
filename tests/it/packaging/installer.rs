//! The installer installs what was released and nothing else, whichever shell and tools a
//! machine has; what it replaces or takes out leaves nothing behind.

use super::{files_below, first_call_and_hit, make, package, packs, root, target, text};
use crate::harness::{Cachex, Call, WebDav, cachex, quoted};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// What any machine has that the installer may be used on.
const TOOLS: [&str; 23] = [
    "bash", "cat", "chmod", "cp", "cut", "dirname", "find", "grep", "gzip", "id", "mkdir",
    "mktemp", "mv", "readlink", "rm", "rmdir", "sed", "sh", "sort", "tar", "touch", "uname", "wc",
];

/// A release in a folder: a package whose cachex is a script, and its checksum.
fn releases(cachex: &Cachex, folder: impl AsRef<Path>, version: &str, pages: &[&str]) {
    let name = format!("cachex-{version}-{}", target());
    let tree = format!("trees/{name}");
    let script = format!("#!/bin/sh\necho cachex {version}\n");
    cachex.executable(format!("{tree}/bin/cachex"), script);
    for page in pages {
        cachex.write(format!("{tree}/share/man/man1/{page}"), version);
    }
    let folder = folder.as_ref();
    let (trees, folder) = (quoted(cachex.path("trees")), quoted(folder));
    let pack = format!(
        "mkdir -p {folder} && cd {folder} && tar -czf {name}.tar.gz -C {trees} {name} && \
         sha256sum {name}.tar.gz >>SHA256SUMS"
    );
    cachex.shell(&pack).once().exits(0);
}

/// A folder that is all of the `PATH`, with the usual tools and these.
fn tools(cachex: &Cachex, folder: &str, more: &[&str]) -> PathBuf {
    let folder = cachex.path(folder);
    fs::create_dir_all(&folder).unwrap();
    for name in TOOLS.iter().chain(more) {
        let found = ["/usr/local/bin", "/usr/bin", "/bin"].map(|at| Path::new(at).join(name));
        let found = found.into_iter().find(|path| path.exists());
        let found = found.unwrap_or_else(|| panic!("no {name}: tests/run installs it"));
        symlink(found, folder.join(name)).unwrap();
    }
    folder
}

fn installer() -> PathBuf {
    root().join("packaging/install.sh")
}

/// The installer with these arguments.
fn install(cachex: &Cachex, arguments: &str) -> Call {
    let call = cachex.shell(&format!("sh {} {arguments}", quoted(installer())));
    call.env("PREFIX", cachex.path("prefix"))
}

/// What lies below the prefix, but for the installer's own list.
fn installed(cachex: &Cachex) -> Vec<String> {
    let mut files = files_below(&cachex.path("prefix"));
    files.retain(|file| file != "share/cachex/files");
    files
}

#[test]
fn it_installs_from_a_server_with_curl_or_wget() {
    let (cachex, server) = (cachex(), WebDav::start());
    releases(&cachex, server.objects(), "1.2.3", &["cachex.1"]);
    let url = server.http_url();
    for tool in ["curl", "wget"] {
        let tools = tools(&cachex, tool, &[tool, "sha256sum"]);
        let call = install(&cachex, &format!("--from {url} --prefix {tool}-prefix"));
        let done = call.env("PATH", &tools).once().exits(0).quietly();
        let place = cachex.work().join(format!("{tool}-prefix"));
        done.shows(&[&format!("cachex 1.2.3 is installed: {}/bin/cachex", place.display())]);
        assert_eq!(fs::read_to_string(place.join("share/man/man1/cachex.1")).unwrap(), "1.2.3");
        let gone = install(&cachex, &format!("--from {url}/nowhere")).env("PATH", &tools);
        gone.once().exits(1).mentions(&["could not download", "nowhere/SHA256SUMS"]);
    }
    let neither = install(&cachex, &format!("--from {url}"));
    let neither = neither.env("PATH", tools(&cachex, "neither", &["sha256sum"])).once().exits(1);
    neither.says("install.sh: curl or wget is needed to download cachex\n");
    assert_eq!(installed(&cachex), [""; 0]);
}

#[test]
fn what_was_packed_is_installed_and_works() {
    let cachex = cachex();
    packs(&cachex, "tarball install");
    make(&cachex, "sums").once().exits(0);
    let script = quoted(cachex.path("dist/install.sh"));
    let from = quoted(package(&cachex, ".tar.gz").parent().unwrap());
    let prefix = cachex.path("prefix");
    let arguments = format!("--from {from} --prefix {}", quoted(&prefix));
    cachex.shell(&format!("sh {script} {arguments}")).once().exits(0).quietly();
    for file in ["share/man/man1/cachex.1", "share/zsh/site-functions/_cachex"] {
        assert!(prefix.join(file).is_file(), "{file}");
    }
    let program = quoted(prefix.join("bin/cachex"));
    first_call_and_hit(&cachex.shell(&format!("{program} run --verbose -- {program} --version")));
    cachex.shell(&format!("sh {script} {arguments} --uninstall")).once().exits(0);
    assert_eq!(files_below(&prefix), [""; 0]);
}

#[test]
fn any_shell_and_any_program_for_checksums_will_do() {
    let cachex = cachex();
    releases(&cachex, cachex.path("release"), "1.2.3", &["a.1", "b.1"]);
    let from = quoted(cachex.path("release"));
    let script = quoted(installer());
    for shell in ["dash", "bash --posix", "busybox sh"] {
        for sum in ["sha256sum", "shasum", "openssl"] {
            let case = format!("{shell} {sum}");
            let path = tools(&cachex, &case, &["dash", "busybox", sum]);
            let call = cachex.shell(&format!("{shell} {script} --from {from}"));
            let call = call.env("PATH", path).env("PREFIX", cachex.path("prefix"));
            call.once().exits(0).quietly().shows(&["cachex 1.2.3 is installed"]);
            assert_eq!(
                installed(&cachex),
                ["bin/cachex", "share/man/man1/a.1", "share/man/man1/b.1"]
            );
            let mode = fs::metadata(cachex.path("prefix/bin/cachex")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755);
            fs::remove_dir_all(cachex.path("prefix")).unwrap();
        }
    }
    let call = install(&cachex, &format!("--from {from}")).env("PATH", tools(&cachex, "none", &[]));
    call.once().exits(1).mentions(&["sha256sum, shasum or openssl is needed"]);
    assert_eq!(installed(&cachex), [""; 0]);
}

#[test]
fn what_is_damaged_foreign_or_missing_is_not_installed() {
    let cachex = cachex();
    let release = cachex.path("release");
    releases(&cachex, &release, "1.2.3", &[]);
    let name = format!("cachex-1.2.3-{}.tar.gz", target());
    let (whole, sums) = (release.join(&name), release.join("SHA256SUMS"));
    let (content, said) = (fs::read(&whole).unwrap(), fs::read_to_string(&sums).unwrap());
    let refuses = |options: &str, complaint: &str| {
        let call = install(&cachex, &format!("--from {} {options}", quoted(&release)));
        let refused = call.once().exits(1).prints("");
        refused.mentions(&[complaint]);
        assert_eq!(installed(&cachex), [""; 0], "{complaint}");
        assert_eq!(files_below(&cachex.path("tmp")), [""; 0], "{complaint}");
    };
    fs::write(&whole, &content[..content.len() / 2]).unwrap();
    refuses("", "damaged or not ours");
    let mut altered = content.clone();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(&whole, altered).unwrap();
    refuses("", "damaged or not ours");
    fs::write(&whole, "").unwrap();
    refuses("", "damaged or not ours");
    fs::write(&whole, &content).unwrap();
    refuses(&format!("--sha256 {}", "0".repeat(64)), "damaged or not ours");
    refuses("--version 9.9.9", "no package of cachex 9.9.9");
    refuses("--version '../1'", "is not a version");
    refuses("--target riscv64-unknown-linux-gnu", "no package of cachex for riscv64");
    for list in ["", "<html>not found</html>\n", &said[..40], &said.replace("1.2.3", "*")] {
        fs::write(&sums, list).unwrap();
        refuses("", "has no package of cachex");
    }
    // Two of which it cannot know the right one.
    fs::write(&sums, format!("{said}{}", said.replace("1.2.3", "1.2.4"))).unwrap();
    refuses("", "has no package of cachex");
    fs::remove_file(&sums).unwrap();
    refuses("", "there is no SHA256SUMS");
    // What does not run here, though it is what was released.
    fs::remove_file(&whole).unwrap();
    cachex.executable(format!("trees/{}/bin/cachex", &name[..name.len() - 7]), "#!/bin/false\n");
    let trees = quoted(cachex.path("trees"));
    let pack =
        format!("tar -czf {name} -C {trees} {} && sha256sum * >sums", &name[..name.len() - 7]);
    cachex.shell(&format!("{pack} && mv sums SHA256SUMS")).inside(release.clone()).once().exits(0);
    refuses("", "does not run on this machine");
}

#[test]
fn a_part_of_the_installer_does_nothing() {
    let cachex = cachex();
    releases(&cachex, cachex.path("release"), "1.2.3", &[]);
    let script = text("packaging/install.sh");
    let call = |length: usize| {
        let part = cachex.write("part.sh", &script[..length]);
        let from = quoted(cachex.path("release"));
        let call = cachex.shell(&format!("sh {} --from {from}", quoted(part)));
        call.env("PREFIX", cachex.path("prefix"))
    };
    let last = script.trim_end().rfind('\n').unwrap();
    for length in (0..last).step_by(last / 40).chain([last, last + 3]) {
        call(length).once();
        assert!(!cachex.path("prefix").exists(), "after {length} bytes of {}", script.len());
    }
    call(script.len()).once().exits(0);
    assert_eq!(installed(&cachex), ["bin/cachex"]);
}

#[test]
fn a_script_that_is_of_no_release_asks_where_the_packages_are() {
    let cachex = cachex();
    install(&cachex, "").once().exits(1).mentions(&["--from says where the packages are"]);
    install(&cachex, "--what").once().exits(1).mentions(&["there is no option --what"]);
    install(&cachex, "--prefix").once().exits(1).mentions(&["--prefix takes a value"]);
    install(&cachex, "--help").once().exits(0).quietly().shows(&["--uninstall"]);
    make(&cachex, "install").once().exits(0);
    let made = fs::read_to_string(cachex.path("dist/install.sh")).unwrap();
    assert!(made.contains("\nreleases='https://example.invalid/cachex/releases'\n"));
}

#[test]
fn another_version_replaces_all_of_an_earlier_one_and_can_be_taken_out() {
    let cachex = cachex();
    releases(&cachex, cachex.path("old"), "1.2.3", &["cachex.1", "cachex-old.1"]);
    releases(&cachex, cachex.path("new"), "1.10.0", &["cachex.1", "cachex-new.1"]);
    let theirs = cachex.write("prefix/share/man/man1/theirs.1", "somebody else's");
    let from = |name: &str| format!("--from {}", quoted(cachex.path(name)));
    install(&cachex, &from("old")).once().exits(0);
    install(&cachex, &from("new")).once().exits(0).shows(&["cachex 1.10.0 is installed"]);
    let pages = ["cachex-new.1", "cachex.1", "theirs.1"];
    let pages = pages.map(|page| format!("share/man/man1/{page}"));
    assert_eq!(installed(&cachex), [&["bin/cachex".to_owned()][..], &pages].concat());
    // And back, by name.
    install(&cachex, &from("old")).once().exits(0);
    assert!(installed(&cachex).contains(&"share/man/man1/cachex-old.1".to_owned()));
    install(&cachex, "--uninstall").once().exits(0).shows(&["cachex is gone", "is in"]);
    assert_eq!(files_below(&cachex.path("prefix")), ["share/man/man1/theirs.1"]);
    assert_eq!(fs::read_to_string(theirs).unwrap(), "somebody else's");
    let again = install(&cachex, "--uninstall").once().exits(1);
    again.mentions(&["nothing was installed by this script"]);
}

#[test]
fn a_cachex_that_runs_meanwhile_goes_on() {
    let cachex = cachex();
    releases(&cachex, cachex.path("release"), "1.2.3", &[]);
    fs::create_dir_all(cachex.path("prefix/bin")).unwrap();
    fs::copy("/bin/sh", cachex.path("prefix/bin/cachex")).unwrap();
    let script = format!("echo started; {}; echo went on", cachex.gate("gate"));
    let program = cachex.path("prefix/bin/cachex").into_os_string();
    let running = cachex.bare([program, "-c".into(), script.into()]).spawn();
    running.shows("started");
    install(&cachex, &format!("--from {}", quoted(cachex.path("release")))).once().exits(0);
    cachex.opens("gate");
    running.ends().exits(0).prints("started\nwent on\n");
}

/// `sudo` here is a script that makes the folder which the user cannot.
#[test]
fn sudo_is_asked_only_where_it_takes_another_user() {
    let cachex = cachex();
    releases(&cachex, cachex.path("release"), "1.2.3", &["cachex.1"]);
    symlink(cachex.path("real"), cachex.path("prefix")).unwrap();
    let path = tools(&cachex, "tools", &["sha256sum"]);
    let call = install(&cachex, &format!("--from {}", quoted(cachex.path("release"))));
    let call = call.env("PATH", &path);
    call.once().exits(1).mentions(&[
        "cannot write to",
        "there is no sudo",
        "--prefix names another",
    ]);
    let real = quoted(cachex.path("real"));
    let sudo = format!(
        "#!/bin/sh\necho sudo >>{}\nmkdir -p {real}\nexec \"$@\"\n",
        quoted(cachex.path("asked"))
    );
    cachex.executable("tools/sudo", sudo);
    call.once().exits(0).shows(&["cachex 1.2.3 is installed"]).mentions(&["asking sudo"]);
    assert_eq!(installed(&cachex), ["bin/cachex", "share/man/man1/cachex.1"]);
    call.once().exits(0).quietly();
    assert_eq!(fs::read_to_string(cachex.path("asked")).unwrap(), "sudo\n");
}
