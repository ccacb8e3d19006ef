//! A command whose output a program shows as it comes, or as it was recorded.
//!
//!     cargo run --example command -- FOLDER COMMAND [ARGUMENT]...

use cachex::Cache;
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    cachex::init();
    let mut args = std::env::args_os().skip(1);
    let (Some(folder), Some(program)) = (args.next(), args.next()) else {
        return Err("give it a folder to keep results in, and a command".into());
    };
    let mut command = Command::new(program);
    command.args(args);
    let output = Cache::open(folder)?.command(command).expires_in("10m")?.status()?;
    if let Some(age) = output.age {
        eprintln!("recorded {age:.1?} ago");
    }
    Ok(output.status.code().map_or(ExitCode::FAILURE, |code| ExitCode::from(code as u8)))
}
