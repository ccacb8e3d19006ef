//! The options that decide which calls share a result.

#[allow(clippy::wildcard_imports, reason = "the macro names all of it")]
use super::*;
use cachex_base::text::values::{self, ExeMode, InputPattern, NamePattern, StdinMode};
use std::ffi::OsString;
use std::path::PathBuf;

options! {
    /// The options that decide which calls share a result.
    pub struct IdentityArgs {
        /// Use the settings of this section of config.toml, `[profile.NAME]`
        profile: Option<String> = once PROFILE, "profile", text(String::from_str) "NAME", STORE;
        /// Choose how the executable is part of the key [default: stat]
        exe: Option<ExeMode> = configurable EXE, "exe", choice(ExeMode) "HOW", KEY;
        /// Leave the working directory out of the key
        no_cwd: bool = configurable NO_CWD, "no-cwd", switch, KEY;
        /// Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings
        #[arg(value_delimiter = ',')]
        env: Option<Vec<NamePattern>> = configurable ENV, "env" short 'e',
            names(NamePattern::from_str) "GLOB,…", KEY, not with [ignore_env no_env];
        /// Leave the variables that match these patterns out of the key; `+` in front adds to the settings
        #[arg(value_delimiter = ',')]
        ignore_env: Option<Vec<NamePattern>> = configurable IGNORE_ENV, "ignore-env",
            names(NamePattern::from_str) "GLOB,…", KEY, not with [no_env];
        /// Leave all variables out of the key
        no_env: bool = configurable NO_ENV, "no-env", switch, KEY;
        /// Choose what the command reads, and whether that is part of the key [default: hash]
        stdin: Option<StdinMode> = configurable STDIN, "stdin", choice(StdinMode) "HOW", KEY;
        /// Add this text to the key, for anything else that the output depends on
        key: Option<OsString> = configurable KEY, "key" short 'k', bytes(OsString) "TEXT", KEY, [Project];
        /// Keep the results of this scope apart from those of others
        scope: Option<String> = configurable SCOPE, "scope", text(String::from_str) "NAME", KEY, [Project];
        /// Add these files to the key: a file, a folder or a pattern; `!` in front excludes
        input: Vec<InputPattern> = configurable INPUT, "input" short 'i',
            paths(InputPattern::from_str) "GLOB" hint AnyPath, INPUTS, [Project];
        /// Add every file listed in this file to the key, one per line; `-` reads standard input
        input_from: Option<PathBuf> = configurable INPUT_FROM, "input-from",
            bytes(PathBuf) "FILE" hint FilePath, INPUTS;
        /// Add the output of this shell command to the key
        input_command: Vec<String> = configurable INPUT_COMMAND, "input-command",
            texts(values::shell_command) "CMD" hint CommandString, INPUTS;
        /// Add files to the key even if `.gitignore` excludes them
        no_ignore: bool = configurable NO_IGNORE, "no-ignore", switch, INPUTS, [Project];
        /// Make paths below this folder relative to it in the key
        base_dir: Option<PathBuf> = configurable BASE_DIR, "base-dir",
            bytes(PathBuf) "DIR" hint DirPath, KEY;
        /// Share results between machines and checkouts, see cachex-key(7)
        portable: bool = configurable PORTABLE, "portable", switch, KEY;
        /// Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours
        platform: Option<String> = configurable PLATFORM, "platform", text(values::platform) "NAME", KEY;
        flatten auto: AutoArgs;
    }
}
