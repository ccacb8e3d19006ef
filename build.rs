//! Where it can be done, has the executable start at `cachex-front`'s entry point, which
//! goes on to the C library's.
//!
//! That code runs before anything is relocated. So the executable has to be static and linked
//! for a fixed place, as `.cargo/config.toml` has it; anything else starts as usual.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(front)");
    if is_static() {
        println!("cargo::rustc-cfg=front");
        println!("cargo::rustc-link-arg-bins=-Wl,--entry=cachex_front_start");
    }
}

fn is_static() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|it| it == value);
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && (is("CARGO_CFG_TARGET_ARCH", "x86_64") || is("CARGO_CFG_TARGET_ARCH", "aarch64"))
        && features.split(',').any(|feature| feature == "crt-static")
        && flags.split('\u{1f}').any(|flag| flag.ends_with("relocation-model=static"))
}
