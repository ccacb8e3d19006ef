//! Programs that use one folder share what is in it, and wait for each other.
//!
//!     cargo run --example processes -- FOLDER

use cachex::{Cache, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    cachex::init();
    let folder = std::env::args_os().nth(1).ok_or("give it a folder to keep values in")?;
    let cache = Cache::open(folder)?;
    let options = Options::new().expires_in("1h")?.allow_concurrent(false);
    let leader = cache.value("leader", options, std::process::id);
    println!("{leader}");
    Ok(())
}
