//! What cannot be cached does not compile, and the error says why.
//!
//! Beside each program is what the compiler prints.
//! `TRYBUILD=overwrite cargo test --package cachex-test-compile-fail` writes that anew.

use std::io::Write;
use std::process::Command;

/// The compiler that worded what lies in `compiler/`.
const WORDED_BY: &str = "rustc 1.95.";

#[test]
fn what_an_attribute_refuses_is_an_error_that_says_why() {
    trybuild::TestCases::new().compile_fail("tests/attribute/*.rs");
}

/// Here the compiler finds the mistake, and words a part of the error by itself.
#[test]
fn what_a_type_refuses_is_an_error_that_says_why() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    if version.starts_with(WORDED_BY) || std::env::var_os("TRYBUILD").is_some() {
        trybuild::TestCases::new().compile_fail("tests/compiler/*.rs");
    } else {
        // Past the test harness, which shows nothing of a test that passes.
        let said = format!("not compared: errors worded by {WORDED_BY}x, not by {version}");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    }
}
