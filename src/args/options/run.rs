//! The options of `run`.

#[allow(clippy::wildcard_imports, reason = "the macro names all of it")]
use super::*;
use crate::args::CACHE_DIR_HELP;
use cachex_base::text::values::{
    self, ColorStrip, ExitCodes, Limit, Mode, OutputPattern, PrivateKey, PublicKey, ReplayMode, Tag,
};
use cachex_store::settings::{RemoteMode, Tier, signing_key, tiers};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

options! {
    /// The options of `run`, and the command.
    pub struct RunArgs {
        /// Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]
        expires_in: Option<Limit> = configurable EXPIRES_IN, "expires-in" alias "ttl" short 't',
            text(Limit::from_str) "DURATION", FRESHNESS, [Project];
        /// The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]
        failure_expires_in: Option<Limit> = configurable FAILURE_EXPIRES_IN, "failure-expires-in",
            text(Limit::from_str) "DURATION", FRESHNESS, [Project];
        /// Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]
        exit_codes: Option<ExitCodes> = configurable EXIT_CODES, "exit-codes",
            number(ExitCodes::from_str) "LIST", FRESHNESS, [Project];
        /// Record and replay successes only: --exit-codes 0
        no_fail: bool = once NO_FAIL "exit-codes = \"0\"", "no-fail", switch, FRESHNESS,
            not with [exit_codes];
        /// Serve a result older than this, and replace it by one run in the background
        refresh_after: Option<Duration> = configurable REFRESH_AFTER,
            "refresh-after" alias "stale-after" short 's',
            text(values::duration) "DURATION", FRESHNESS, [Project];
        /// Serve an expired result up to this long past its expiry, and replace it in the background
        stale_ok: Option<Duration> = configurable STALE_OK, "stale-ok",
            text(values::duration) "DURATION", FRESHNESS;
        /// If the run fails, serve the last good result up to this long past its expiry
        stale_if_error: Option<Duration> = configurable STALE_IF_ERROR, "stale-if-error",
            text(values::duration) "DURATION", FRESHNESS;
        /// Expire up to this much earlier, each key at its own time [default: 0]
        jitter: Option<u8> = configurable JITTER, "jitter",
            number(values::percent) "PERCENT", FRESHNESS, [Project];

        /// Choose how the store is used [default: read-write]
        mode: Option<Mode> = configurable MODE, "mode", choice(Mode) "MODE", MODE,
            not with [force no_read read_only];
        /// Run the command and replace its recorded result: --mode write-only
        force: bool = once FORCE "mode = \"write-only\"", "force" short 'f', switch, MODE,
            not with [read_only];
        /// Alias of --force
        no_read: bool = once NO_READ "mode = \"write-only\"", "no-read", switch, MODE,
            not with [read_only];
        /// Record nothing: --mode read-only
        read_only: bool = once READ_ONLY "mode = \"read-only\"", "read-only", switch, MODE, [RunOnly];
        /// Start the run in the background, print nothing and return at once
        warm: bool = once WARM, "warm", switch, MODE, not with [cached_only read_only tty], [RunOnly];
        /// Never run the command; exit with --miss-status if there is nothing to replay
        cached_only: bool = once CACHED_ONLY, "cached-only", switch, MODE,
            not with [force no_read], [RunOnly];
        /// Never wait for a run: with nothing to replay, start one in the background and exit
        no_wait: bool = once NO_WAIT, "no-wait", switch, MODE,
            not with [warm cached_only force no_read read_only tty], [RunOnly];
        /// Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing
        miss_status: Option<u8> = configurable MISS_STATUS, "miss-status",
            number(values::status) "STATUS", MODE, [RunOnly];

        /// Let one caller run the command while the others follow its output
        no_concurrent: bool = configurable NO_CONCURRENT, "no-concurrent" alias "single-flight" short 'n',
            switch, CONCURRENCY, [Project RunOnly];
        /// Run uncached if another caller's run has printed nothing for this long
        lock_timeout: Option<Duration> = configurable LOCK_TIMEOUT, "lock-timeout",
            text(values::duration) "DURATION", CONCURRENCY, [RunOnly];

        /// End the command after this long, with status 124
        timeout: Option<Duration> = configurable TIMEOUT, "timeout",
            text(values::duration) "DURATION", RUNNING, [RunOnly];
        /// Let a run go on in the background, and record it, if its caller ends before it does
        finish: bool = configurable FINISH, "finish", switch, RUNNING, [RunOnly];
        /// Give the command a terminal of its own if standard output is one
        tty: bool = configurable TTY, "tty", switch, RUNNING;

        /// Choose what a hit prints [default: all]
        replay: Option<ReplayMode> = configurable REPLAY, "replay",
            choice(ReplayMode) "WHAT", REPLAYING, [RunOnly];
        /// Print the age of a replayed result below it if standard error is a terminal
        mark: bool = configurable MARK, "mark", switch, REPLAYING, [RunOnly];
        /// Remove escape sequences such as colors from the output [default: never]
        color_strip: Option<ColorStrip> = configurable COLOR_STRIP, "color-strip",
            choice(ColorStrip) "WHEN", REPLAYING, [RunOnly];

        flatten identity: IdentityArgs;

        /// Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes
        output: Vec<OutputPattern> = configurable OUTPUT, "output" short 'o',
            paths(OutputPattern::from_str) "PATH" hint AnyPath, OUTPUTS, [RunOnly];
        /// Exit with 125 if the command succeeds without creating every output
        require_outputs: bool = configurable REQUIRE_OUTPUTS, "require-outputs", switch, OUTPUTS, [RunOnly];

        #[arg(help = CACHE_DIR_HELP)]
        cache_dir: Option<PathBuf> = configurable DIR, "cache-dir", bytes(PathBuf) "DIR" hint DirPath, STORE;
        /// Do not record output longer than this [default: 1GiB]
        max_entry_size: Option<u64> = configurable MAX_ENTRY_SIZE, "max-entry-size",
            number(values::size) "SIZE", STORE, [Project RunOnly];
        /// Limit the disk space of the store; the least recently used results go first [default: 5GiB]
        max_size: Option<u64> = configurable MAX_SIZE, "max-size",
            number(values::store_size) "SIZE", STORE, [RunOnly];
        /// Keep about this many results, the most recently used [default: as many as there is room for]
        max_entries: Option<u64> = configurable MAX_ENTRIES, "max-entries",
            number(values::entries) "COUNT", STORE, [RunOnly];
        /// Compress older output at this level, from 0 (not at all) to 19 [default: 1]
        compress: Option<u8> = configurable COMPRESS, "compress", number(values::level) "LEVEL", STORE, [RunOnly];
        /// Share results with other machines through the store at this URL, see cachex-remotes(7);
        /// repeatable, the nearest first
        remote: Vec<Tier> = configurable REMOTE, "remote", texts(Tier::from_str => tiers) "URL", STORE;
        /// Choose how the remote store is used [default: read-write]
        remote_mode: Option<RemoteMode> = configurable REMOTE_MODE, "remote-mode",
            choice(RemoteMode) "MODE", STORE;
        /// Give up a look-up in the remote store after this long [default: 1s]
        remote_timeout: Option<Duration> = configurable REMOTE_TIMEOUT, "remote-timeout",
            text(values::duration) "DURATION", STORE;
        /// Give up a transfer from there after this long [default: what the run took, or --remote-timeout]
        remote_budget: Option<Duration> = configurable REMOTE_BUDGET, "remote-budget",
            text(values::duration) "DURATION", STORE;
        /// Neither send nor fetch a longer output than this [default: --max-entry-size]
        remote_max_size: Option<u64> = configurable REMOTE_MAX_SIZE, "remote-max-size",
            number(values::size) "SIZE", STORE;
        /// Sign what is sent with the private key in this file, see `cachex remote keygen`
        remote_signing_key: Option<PrivateKey> = configurable REMOTE_SIGNING_KEY, "remote-signing-key",
            text(signing_key) "FILE" hint FilePath, STORE;
        /// Accept only results signed with this key, or with one's own; repeatable
        remote_trust: Vec<PublicKey> = configurable REMOTE_TRUST, "remote-trust",
            paths(PublicKey::from_str) "KEY", STORE;
        /// Keep the result on this machine even if a remote store is set; it gets the tag `local`
        local: bool = configurable LOCAL, "local", switch, STORE, [Project];
        /// Label the result, run or replayed, for other verbs to select it; repeatable
        tag: Vec<Tag> = configurable TAG, "tag", items(Tag::from_str => tags) "NAME", STORE, [Project RunOnly];

        /// Print no warnings
        quiet: bool = configurable QUIET, "quiet" short 'q', switch, MESSAGES, not with [verbose], [RunOnly];
        /// Say on stderr whether the call was a hit, and how much time that saved
        verbose: bool = configurable VERBOSE, "verbose" short 'v', switch, MESSAGES, [RunOnly];
        /// Write one JSON object about the call to this file when it ends
        status_file: Option<PathBuf> = once STATUS_FILE, "status-file",
            bytes(PathBuf) "PATH" hint FilePath, MESSAGES, not with [status_fd], [RunOnly];
        /// Write that object to this open descriptor instead
        status_fd: Option<i32> = once STATUS_FD, "status-fd",
            text(values::descriptor) "N", MESSAGES, [RunOnly];
    } and {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
        #[arg(value_hint = ValueHint::CommandWithArguments)]
        pub command: Vec<OsString>,
    }
}
