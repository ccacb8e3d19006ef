//! `cachex remote keygen`: creates a key for signing results.

use crate::args::KeygenArgs;
use anyhow::{Context, Result, anyhow};
use cachex_base::process::exit::Exit;
use cachex_base::text::values::PrivateKey;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

/// Creates or reads a key, and prints the public key.
pub fn keygen(args: &KeygenArgs) -> Result<Exit> {
    let key = if args.public {
        let name = args.file.to_str().context("the name of the file is not UTF-8")?;
        cachex_store::settings::signing_key(name).map_err(|why| anyhow!(why))?
    } else {
        make(args)?
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", public(&key)?).context("writing the public key")?;
    Ok(Exit::SUCCESS)
}

fn make(args: &KeygenArgs) -> Result<PrivateKey> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| anyhow!("there are no random bytes to be had"))?;
    let key = PrivateKey::of(random);
    // An existing file is somebody's key, and nobody else may read this one.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.file);
    let written = made.and_then(|mut file| writeln!(file, "{}", key.reveal()));
    written.with_context(|| format!("making {}", args.file.display()))?;
    Ok(key)
}

#[cfg(feature = "remote")]
fn public(key: &PrivateKey) -> Result<String> {
    Ok(key.public().context("it is no key")?.to_string())
}

#[cfg(not(feature = "remote"))]
fn public(_key: &PrivateKey) -> Result<String> {
    Err(anyhow!("this cachex was built without remote stores"))
}
