//! Says how the executable is linked.
//!
//! Where it can be done, it starts at `cachex-front`'s entry point, which goes on to the C
//! library's. That code runs before anything is relocated. So the executable has to be static and
//! linked for a fixed place, as `.cargo/config.toml` has it; anything else starts as usual.
//!
//! In a release build, the functions of usual calls are placed next to each other, if the linker
//! takes a script for that. What is read-only after the start has a section there, which `main`
//! protects: what linkers do for that takes another mapping, also in a process that ends before.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The linker script that `link/order` writes.
const ORDER: &str = "link/order.ld";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={ORDER}");
    println!("cargo::rustc-check-cfg=cfg(front)");
    println!("cargo::rustc-check-cfg=cfg(sealed)");
    if is_static() {
        println!("cargo::rustc-cfg=front");
        println!("cargo::rustc-link-arg-bins=-Wl,--entry=cachex_front_start");
    }
    if is("CARGO_CFG_TARGET_OS", "linux")
        && is("PROFILE", "release")
        && let Some(arguments) = order()
    {
        println!("cargo::rustc-cfg=sealed");
        for argument in arguments {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
    }
}

fn is(name: &str, value: &str) -> bool {
    env::var(name).is_ok_and(|it| it == value)
}

fn flags() -> Vec<String> {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    flags.split('\u{1f}').filter(|flag| !flag.is_empty()).map(str::to_owned).collect()
}

fn is_static() -> bool {
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && (is("CARGO_CFG_TARGET_ARCH", "x86_64") || is("CARGO_CFG_TARGET_ARCH", "aarch64"))
        && features.split(',').any(|feature| feature == "crt-static")
        && flags().iter().any(|flag| flag.ends_with("relocation-model=static"))
}

/// Returns the arguments by which the linker takes the script. Not every linker does: it is tried,
/// as the executable will be linked.
fn order() -> Option<[String; 2]> {
    let script = Path::new(&env::var_os("CARGO_MANIFEST_DIR")?).join(ORDER);
    // With `now`, no table is filled in later, after it was sealed.
    let sealed = "-Wl,-z,norelro,-z,now".to_owned();
    let arguments = [format!("-T{}", script.to_str()?), sealed];
    let folder = PathBuf::from(env::var_os("OUT_DIR")?);
    let source = folder.join("linked.rs");
    fs::write(&source, "fn main() {}\n").ok()?;
    let mut rustc = Command::new(env::var_os("RUSTC")?);
    rustc.args(flags()).args(["--target", &env::var("TARGET").ok()?]);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    rustc.args(arguments.iter().map(|it| format!("-Clink-arg={it}")));
    rustc.arg("-o").arg(folder.join("linked")).arg(source);
    let linked = rustc.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    linked.is_ok_and(|status| status.success()).then_some(arguments)
}
