//! Names of files: further ones that a run does not know of, and links to its outputs.

use super::auto;
use crate::harness::{Cachex, Call, cachex};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Command;

fn below(cachex: &Cachex, script: &str) -> Call {
    auto(cachex, script).with("--auto-outputs below")
}

fn metadata(cachex: &Cachex, name: &str) -> fs::Metadata {
    fs::symlink_metadata(cachex.work().join(name)).unwrap()
}

#[test]
fn a_file_that_the_run_renamed_is_still_one_with_a_name_that_it_did_not_know_of() {
    let cachex = cachex();
    let lay = || {
        let _ = fs::remove_file(cachex.path("work/g"));
        cachex.write("work/f", "one\n");
        let mut touch = Command::new("touch");
        let touched = touch.args(["-d", "@1000000000", "f"]).current_dir(cachex.work()).status();
        assert!(touched.unwrap().success());
    };
    for script in ["mv f g", "mv f g; echo two >>g"] {
        let call = below(&cachex, script);
        lay();
        call.once().misses();
        lay();
        call.once().hits();
        lay();
        fs::hard_link(cachex.path("work/f"), cachex.path("work/h")).unwrap();
        call.once();
        assert_eq!(metadata(&cachex, "g").ino(), metadata(&cachex, "h").ino(), "{script}");
        fs::remove_file(cachex.path("work/h")).unwrap();
    }
    // What only goes may have other names.
    let call = below(&cachex, "rm f");
    lay();
    call.once().misses();
    lay();
    fs::hard_link(cachex.path("work/f"), cachex.path("work/h")).unwrap();
    call.once().hits();
    assert_eq!(metadata(&cachex, "h").nlink(), 1);
}

#[test]
fn an_old_output_behind_a_link_is_not_as_good_as_none() {
    let cachex = cachex();
    cachex.write("work/x.c", "int x;\n");
    symlink("real.o", cachex.path("work/x.o")).unwrap();
    let call = below(&cachex, "gcc -c -o x.o x.c");
    // The assembler writes where the link leads to.
    call.once().misses();
    assert!(metadata(&cachex, "x.o").is_symlink());
    fs::remove_file(cachex.path("work/real.o")).unwrap();
    call.once().hits();
    // It replaces the link where it finds something there.
    let before = metadata(&cachex, "real.o").modified().unwrap();
    call.once();
    assert!(metadata(&cachex, "x.o").is_file());
    assert_eq!(metadata(&cachex, "real.o").modified().unwrap(), before);
}
