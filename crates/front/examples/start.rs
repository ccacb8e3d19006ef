//! The smallest executable that starts at the front, to inspect or measure the linked code:
//!
//! ```sh
//! cargo rustc --release --package cachex-front --example start -- -C link-arg=-Wl,--entry=cachex_front_start
//! ```

#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
#[used]
static START: unsafe extern "C" fn() = cachex_front::START;

fn main() {
    println!("passed on");
}
