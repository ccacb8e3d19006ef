//! The release binary, as a user would have built it.
//!
//! `CARGO_BIN_EXE_cachex` would name one built with the features that the
//! development dependencies turn on in shared crates. Asking cargo again costs
//! nothing when that binary is fresh, and measures what is really shipped.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Builds cachex in the release profile and returns where cargo put it.
///
/// # Errors
///
/// The build failed, or cargo named no executable.
pub fn binary() -> Result<PathBuf> {
    let args = ["build", "--release", "--locked", "--bin", "cachex"];
    ask_cargo(&args, &["--message-format", "json-render-diagnostics"])?
        .iter()
        .filter(|message| message["target"]["name"] == "cachex")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built the release binary and did not say where it is")
}

/// Runs cargo on this package; it answers in lines of JSON.
///
/// # Errors
///
/// Cargo failed, and has said why on standard error.
pub fn ask_cargo(args: &[&str], format: &[&str]) -> Result<Vec<serde_json::Value>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(args)
        .args(format)
        .arg("--manifest-path")
        .arg(manifest.join("Cargo.toml"))
        // The target triple comes from the configuration beside the manifest,
        // which cargo looks for from the working directory upwards.
        .current_dir(manifest)
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    if !output.status.success() {
        bail!("`cargo {}` failed: {}", args.join(" "), output.status);
    }
    let lines = output.stdout.split(|&byte| byte == b'\n');
    Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
}
