//! The part of the help of `run` below its options.

/// The text below the help.
pub const AFTER: &str = "\
Exit status: the command's own, a death by signal included. 124 after a timeout,
125 if cachex was misused, 126 if the command cannot be executed, 127 if it was
not found.

Every option has a variable of the same name (--expires-in: CACHEX_EXPIRES_IN;
--cache-dir: CACHEX_DIR); the option wins. Permanent settings belong in
config.toml, see `cachex help config`. CACHEX_DISABLE=1 runs the command as if
cachex were not there, whatever else was said.

Examples:
  cachex run --expires-in 10m -- terraform plan -no-color
  cachex run --expires-in 2s --no-concurrent -- kubectl get pods
  cachex run --no-env --no-cwd -- openssl speed";
