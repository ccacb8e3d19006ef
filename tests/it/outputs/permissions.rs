//! A hit gives nobody what the command would not: new files heed the umask, and those in
//! place of others what these gave.

use super::{making, read, remove};
use crate::harness::{Cachex, cachex};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

fn mode(cachex: &Cachex, name: &str) -> u32 {
    cachex.path("work").join(name).metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn new_files_and_folders_heed_the_umask_of_the_caller() {
    let cachex = cachex();
    let script = "mkdir -p dist/sub; echo made >dist/f; echo made >dist/sub/g; chmod 755 dist/f";
    let call = making(&cachex, script, "--output dist");
    let under = |umask: &str| call.clone().launched_by(&format!(r#"umask {umask}; exec "$@""#));
    under("022").once().misses();
    for (umask, file, folder) in
        [("077", 0o600, 0o700), ("027", 0o640, 0o750), ("022", 0o644, 0o755)]
    {
        remove(&cachex, "dist");
        under(umask).once().hits().quietly();
        assert_eq!(mode(&cachex, "dist"), folder);
        assert_eq!(mode(&cachex, "dist/sub"), folder);
        assert_eq!(mode(&cachex, "dist/f"), folder, "it can be executed");
        assert_eq!(mode(&cachex, "dist/sub/g"), file);
    }
}

#[test]
fn a_folder_that_nobody_may_write_to_heeds_it_too() {
    let cachex = cachex();
    let call = making(&cachex, "mkdir dist; echo x >dist/f; chmod 555 dist", "--output dist");
    call.once().misses();
    fs::set_permissions(cachex.path("work/dist"), Permissions::from_mode(0o755)).unwrap();
    remove(&cachex, "dist");
    call.launched_by(r#"umask 077; exec "$@""#).once().hits().quietly();
    assert_eq!(mode(&cachex, "dist"), 0o500);
    fs::set_permissions(cachex.path("work/dist"), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_file_that_is_private_stays_private() {
    let cachex = cachex();
    let call = making(&cachex, "rm -f out; echo made >out; chmod $MODE out", "--output out")
        .launched_by(r#"umask 022; exec "$@""#);
    for (recorded, present, then) in [
        ("644", 0o600, 0o600),
        ("644", 0o640, 0o640),
        ("755", 0o600, 0o700),
        ("755", 0o640, 0o750),
        ("755", 0o644, 0o755),
        ("600", 0o644, 0o600),
        ("666", 0o600, 0o600),
        ("666", 0o644, 0o644),
    ] {
        let call = call.clone().env("MODE", recorded);
        let _ = fs::remove_file(cachex.path("work/out"));
        call.clone().with("--force").once().misses();
        for content in ["made\n", "mine\n"] {
            remove(&cachex, "out");
            cachex.write("work/out", content);
            let out = cachex.path("work/out");
            fs::set_permissions(out, Permissions::from_mode(present)).unwrap();
            call.once().hits().quietly();
            assert_eq!(read(&cachex, "out"), "made\n");
            let now = mode(&cachex, "out");
            assert_eq!(now, then, "{recorded} in place of {present:o} {content:?}");
        }
    }
}
