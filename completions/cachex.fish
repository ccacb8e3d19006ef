# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_cachex_global_optspecs
    string join \n h/help V/version
end

function __fish_cachex_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_cachex_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_cachex_using_subcommand
    __fish_cachex_at >/dev/null; and return 1
    set -l cmd (__fish_cachex_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c cachex -n "__fish_cachex_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_needs_command" -s V -l version -d 'Print version'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "run" -d 'Run a command, or replay what it did last time'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "sh" -d 'Run a shell script, or replay what it did last time'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "explain" -d 'Explain whether a call would hit, and if not, why'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "list" -d 'Show which results the store holds'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "show" -d 'Show everything about one result'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "inputs" -d 'List the files that an automatic result depends on'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "forget" -d 'Forget recorded runs: of a command, by key, by tag, by age'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "prune" -d 'Remove results that have expired, are old, or exceed a limit'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "clear" -d 'Forget everything'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "export" -d 'Write recorded results to a file, for another store'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "import" -d 'Put the results of an archive into the store'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "log" -d 'List recent calls, and what came of each'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "stats" -d 'Show hits, misses and the time saved'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "trace" -d 'Run a command, and list the files that it read, looked for and wrote'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "remote" -d 'Check, measure and flush the store that machines share'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "doctor" -d 'Check the store for problems, and repair it'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "config" -d 'Show the effective settings, and where each comes from'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "allow" -d 'Allow a project\'s settings, as they are now'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "deny" -d 'Stop using a project\'s settings'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "init" -d 'Print the code that sets up a shell: completions, wrapped commands and prompts'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "generate" -d 'Write completions and man pages below a folder'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s t -l expires-in -l ttl -d 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l failure-expires-in -d 'The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l exit-codes -d 'Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -s s -l refresh-after -l stale-after -d 'Serve a result older than this, and replace it by one run in the background' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l stale-ok -d 'Serve an expired result up to this long past its expiry, and replace it in the background' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l stale-if-error -d 'If the run fails, serve the last good result up to this long past its expiry' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l jitter -d 'Expire up to this much earlier, each key at its own time [default: 0]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l mode -d 'Choose how the store is used [default: read-write]' -r -f -a "read-write\t'Replay recorded results, and record runs'
read-only\t'Replay recorded results, and record nothing'
write-only\t'Always run the command, and record it'
off\t'Run as if cachex were not there'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l miss-status -d 'Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l lock-timeout -d 'Run uncached if another caller\'s run has printed nothing for this long' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l timeout -d 'End the command after this long, with status 124' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l replay -d 'Choose what a hit prints [default: all]' -r -f -a "all\t'Everything that was recorded'
errors\t'Nothing, unless the exit status is not 0'
none\t'Nothing; the exit status alone is replayed'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l color-strip -d 'Remove escape sequences such as colors from the output [default: never]' -r -f -a "never\t'Print them as they were recorded'
auto\t'Leave them out where the output goes to no terminal'
always\t'Leave them out'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l profile -d 'Use the settings of this section of config.toml, `[profile.NAME]`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l exe -d 'Choose how the executable is part of the key [default: stat]' -r -f -a "stat\t'Its resolved path, size and modification time'
content\t'Its contents, wherever it lies'
name\t'Its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -s e -l env -d 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l ignore-env -d 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l stdin -d 'Choose what the command reads, and whether that is part of the key [default: hash]' -r -f -a "hash\t'The contents are part of the key, unless typed at a terminal'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it is not part of the key'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -s k -l key -d 'Add this text to the key, for anything else that the output depends on' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l scope -d 'Keep the results of this scope apart from those of others' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -s i -l input -d 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l input-from -d 'Add every file listed in this file to the key, one per line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l input-command -d 'Add the output of this shell command to the key' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l base-dir -d 'Make paths below this folder relative to it in the key' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l platform -d 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l auto-ignore -d 'With --auto, ignore these files: a file, a folder or a pattern' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l auto-times -d 'With --auto, which modification times are part of the key [default: auto]' -r -f -a "auto\t'Of files that are looked at and not read, and of all that make and its like look at'
all\t'Of all files that the command looks at'
none\t'Of no file'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l auto-allow -d 'With --auto, record runs that use this, too' -r -f -a "network\t'The network: its answers are assumed to stay the same'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l auto-outputs -d 'With --auto, which of the files written are recorded [default: below]' -r -f -a "below\t'Those below the working directory, the base folder and $TMPDIR; a run that leaves others is not recorded'
all\t'All of them, wherever they lie'
none\t'Only those of --output; a run that leaves others is not recorded'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l auto-quirks -d 'With --auto, what is known of programs that look at their own output [default: auto]' -r -f -a "auto\t'An output of a compiler or a linker that is there already is as good as none'
none\t'Nothing: it is part of the key that it is there, and its time'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -s o -l output -d 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l max-entry-size -d 'Do not record output longer than this [default: 1GiB]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l max-size -d 'Limit the disk space of the store; the least recently used results go first [default: 5GiB]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l max-entries -d 'Keep about this many results, the most recently used [default: as many as there is room for]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l compress -d 'Compress older output at this level, from 0 (not at all) to 19 [default: 1]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote -d 'Share results with other machines through the store at this URL, see cachex-remotes(7); repeatable, the nearest first' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote-mode -d 'Choose how the remote store is used [default: read-write]' -r -f -a "read-write\t'Replay what others recorded, and share what is recorded here'
read-only\t'Replay what others recorded, and share nothing'
off\t'Do not use the remote store'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote-timeout -d 'Give up a look-up in the remote store after this long [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote-budget -d 'Give up a transfer from there after this long [default: what the run took, or --remote-timeout]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote-max-size -d 'Neither send nor fetch a longer output than this [default: --max-entry-size]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote-signing-key -d 'Sign what is sent with the private key in this file, see `cachex remote keygen`' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote-trust -d 'Accept only results signed with this key, or with one\'s own; repeatable' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l tag -d 'Label the result, run or replayed, for other verbs to select it; repeatable' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l status-file -d 'Write one JSON object about the call to this file when it ends' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l status-fd -d 'Write that object to this open descriptor instead' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-fail -d 'Record and replay successes only: --exit-codes 0'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s f -l force -d 'Run the command and replace its recorded result: --mode write-only'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-read -d 'Alias of --force'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l read-only -d 'Record nothing: --mode read-only'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l warm -d 'Start the run in the background, print nothing and return at once'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l cached-only -d 'Never run the command; exit with --miss-status if there is nothing to replay'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-wait -d 'Never wait for a run: with nothing to replay, start one in the background and exit'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s n -l no-concurrent -l single-flight -d 'Let one caller run the command while the others follow its output'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l finish -d 'Let a run go on in the background, and record it, if its caller ends before it does'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l tty -d 'Give the command a terminal of its own if standard output is one'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l mark -d 'Print the age of a replayed result below it if standard error is a terminal'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-cwd -d 'Leave the working directory out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-env -d 'Leave all variables out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-ignore -d 'Add files to the key even if `.gitignore` excludes them'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l portable -d 'Share results between machines and checkouts, see cachex-key(7)'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l auto -d 'Trace what the command reads, and replay as long as all of it is unchanged'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l require-outputs -d 'Exit with 125 if the command succeeds without creating every output'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l local -d 'Keep the result on this machine even if a remote store is set; it gets the tag `local`'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s q -l quiet -d 'Print no warnings'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s v -l verbose -d 'Say on stderr whether the call was a hit, and how much time that saved'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l expires-in -l ttl -d 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l failure-expires-in -d 'The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l exit-codes -d 'Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l refresh-after -l stale-after -d 'Serve a result older than this, and replace it by one run in the background' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l stale-ok -d 'Serve an expired result up to this long past its expiry, and replace it in the background' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l stale-if-error -d 'If the run fails, serve the last good result up to this long past its expiry' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l jitter -d 'Expire up to this much earlier, each key at its own time [default: 0]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l mode -d 'Choose how the store is used [default: read-write]' -r -f -a "read-write\t'Replay recorded results, and record runs'
read-only\t'Replay recorded results, and record nothing'
write-only\t'Always run the command, and record it'
off\t'Run as if cachex were not there'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l miss-status -d 'Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l lock-timeout -d 'Run uncached if another caller\'s run has printed nothing for this long' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l timeout -d 'End the command after this long, with status 124' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l replay -d 'Choose what a hit prints [default: all]' -r -f -a "all\t'Everything that was recorded'
errors\t'Nothing, unless the exit status is not 0'
none\t'Nothing; the exit status alone is replayed'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l color-strip -d 'Remove escape sequences such as colors from the output [default: never]' -r -f -a "never\t'Print them as they were recorded'
auto\t'Leave them out where the output goes to no terminal'
always\t'Leave them out'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l profile -d 'Use the settings of this section of config.toml, `[profile.NAME]`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l exe -d 'Choose how the executable is part of the key [default: stat]' -r -f -a "stat\t'Its resolved path, size and modification time'
content\t'Its contents, wherever it lies'
name\t'Its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l env -d 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l ignore-env -d 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l stdin -d 'Choose what the script reads, and whether that is part of the key [default: null]' -r -f -a "hash\t'The contents are part of the key, unless typed at a terminal'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it is not part of the key'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l key -d 'Add this text to the key, for anything else that the output depends on' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l scope -d 'Keep the results of this scope apart from those of others' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l input -d 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l input-from -d 'Add every file listed in this file to the key, one per line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l input-command -d 'Add the output of this shell command to the key' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l base-dir -d 'Make paths below this folder relative to it in the key' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l platform -d 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l auto-ignore -d 'With --auto, ignore these files: a file, a folder or a pattern' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l auto-times -d 'With --auto, which modification times are part of the key [default: auto]' -r -f -a "auto\t'Of files that are looked at and not read, and of all that make and its like look at'
all\t'Of all files that the command looks at'
none\t'Of no file'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l auto-allow -d 'With --auto, record runs that use this, too' -r -f -a "network\t'The network: its answers are assumed to stay the same'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l auto-outputs -d 'With --auto, which of the files written are recorded [default: below]' -r -f -a "below\t'Those below the working directory, the base folder and $TMPDIR; a run that leaves others is not recorded'
all\t'All of them, wherever they lie'
none\t'Only those of --output; a run that leaves others is not recorded'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l auto-quirks -d 'With --auto, what is known of programs that look at their own output [default: auto]' -r -f -a "auto\t'An output of a compiler or a linker that is there already is as good as none'
none\t'Nothing: it is part of the key that it is there, and its time'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l output -d 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l max-entry-size -d 'Do not record output longer than this [default: 1GiB]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l max-size -d 'Limit the disk space of the store; the least recently used results go first [default: 5GiB]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l max-entries -d 'Keep about this many results, the most recently used [default: as many as there is room for]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l compress -d 'Compress older output at this level, from 0 (not at all) to 19 [default: 1]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote -d 'Share results with other machines through the store at this URL, see cachex-remotes(7); repeatable, the nearest first' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote-mode -d 'Choose how the remote store is used [default: read-write]' -r -f -a "read-write\t'Replay what others recorded, and share what is recorded here'
read-only\t'Replay what others recorded, and share nothing'
off\t'Do not use the remote store'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote-timeout -d 'Give up a look-up in the remote store after this long [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote-budget -d 'Give up a transfer from there after this long [default: what the run took, or --remote-timeout]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote-max-size -d 'Neither send nor fetch a longer output than this [default: --max-entry-size]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote-signing-key -d 'Sign what is sent with the private key in this file, see `cachex remote keygen`' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote-trust -d 'Accept only results signed with this key, or with one\'s own; repeatable' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l tag -d 'Label the result, run or replayed, for other verbs to select it; repeatable' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l status-file -d 'Write one JSON object about the call to this file when it ends' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l status-fd -d 'Write that object to this open descriptor instead' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l shell -d 'Run the script with this shell, by name or by path [default: /bin/sh]' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-fail -d 'Record and replay successes only: --exit-codes 0'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l force -d 'Run the command and replace its recorded result: --mode write-only'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-read -d 'Alias of --force'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l read-only -d 'Record nothing: --mode read-only'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l warm -d 'Start the run in the background, print nothing and return at once'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l cached-only -d 'Never run the command; exit with --miss-status if there is nothing to replay'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-wait -d 'Never wait for a run: with nothing to replay, start one in the background and exit'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-concurrent -l single-flight -d 'Let one caller run the command while the others follow its output'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l finish -d 'Let a run go on in the background, and record it, if its caller ends before it does'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l tty -d 'Give the command a terminal of its own if standard output is one'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l mark -d 'Print the age of a replayed result below it if standard error is a terminal'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-cwd -d 'Leave the working directory out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-env -d 'Leave all variables out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-ignore -d 'Add files to the key even if `.gitignore` excludes them'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l portable -d 'Share results between machines and checkouts, see cachex-key(7)'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l auto -d 'Trace what the command reads, and replay as long as all of it is unchanged'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l require-outputs -d 'Exit with 125 if the command succeeds without creating every output'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l local -d 'Keep the result on this machine even if a remote store is set; it gets the tag `local`'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l quiet -d 'Print no warnings'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l verbose -d 'Say on stderr whether the call was a hit, and how much time that saved'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s t -l expires-in -l ttl -d 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l failure-expires-in -d 'The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l exit-codes -d 'Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s s -l refresh-after -l stale-after -d 'Serve a result older than this, and replace it by one run in the background' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l stale-ok -d 'Serve an expired result up to this long past its expiry, and replace it in the background' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l stale-if-error -d 'If the run fails, serve the last good result up to this long past its expiry' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l jitter -d 'Expire up to this much earlier, each key at its own time [default: 0]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l mode -d 'Choose how the store is used [default: read-write]' -r -f -a "read-write\t'Replay recorded results, and record runs'
read-only\t'Replay recorded results, and record nothing'
write-only\t'Always run the command, and record it'
off\t'Run as if cachex were not there'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l miss-status -d 'Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l lock-timeout -d 'Run uncached if another caller\'s run has printed nothing for this long' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l timeout -d 'End the command after this long, with status 124' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l replay -d 'Choose what a hit prints [default: all]' -r -f -a "all\t'Everything that was recorded'
errors\t'Nothing, unless the exit status is not 0'
none\t'Nothing; the exit status alone is replayed'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l color-strip -d 'Remove escape sequences such as colors from the output [default: never]' -r -f -a "never\t'Print them as they were recorded'
auto\t'Leave them out where the output goes to no terminal'
always\t'Leave them out'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l profile -d 'Use the settings of this section of config.toml, `[profile.NAME]`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l exe -d 'Choose how the executable is part of the key [default: stat]' -r -f -a "stat\t'Its resolved path, size and modification time'
content\t'Its contents, wherever it lies'
name\t'Its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s e -l env -d 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l ignore-env -d 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l stdin -d 'Choose what the command reads, and whether that is part of the key [default: hash]' -r -f -a "hash\t'The contents are part of the key, unless typed at a terminal'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it is not part of the key'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s k -l key -d 'Add this text to the key, for anything else that the output depends on' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l scope -d 'Keep the results of this scope apart from those of others' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s i -l input -d 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l input-from -d 'Add every file listed in this file to the key, one per line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l input-command -d 'Add the output of this shell command to the key' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l base-dir -d 'Make paths below this folder relative to it in the key' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l platform -d 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l auto-ignore -d 'With --auto, ignore these files: a file, a folder or a pattern' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l auto-times -d 'With --auto, which modification times are part of the key [default: auto]' -r -f -a "auto\t'Of files that are looked at and not read, and of all that make and its like look at'
all\t'Of all files that the command looks at'
none\t'Of no file'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l auto-allow -d 'With --auto, record runs that use this, too' -r -f -a "network\t'The network: its answers are assumed to stay the same'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l auto-outputs -d 'With --auto, which of the files written are recorded [default: below]' -r -f -a "below\t'Those below the working directory, the base folder and $TMPDIR; a run that leaves others is not recorded'
all\t'All of them, wherever they lie'
none\t'Only those of --output; a run that leaves others is not recorded'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l auto-quirks -d 'With --auto, what is known of programs that look at their own output [default: auto]' -r -f -a "auto\t'An output of a compiler or a linker that is there already is as good as none'
none\t'Nothing: it is part of the key that it is there, and its time'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s o -l output -d 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l max-entry-size -d 'Do not record output longer than this [default: 1GiB]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l max-size -d 'Limit the disk space of the store; the least recently used results go first [default: 5GiB]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l max-entries -d 'Keep about this many results, the most recently used [default: as many as there is room for]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l compress -d 'Compress older output at this level, from 0 (not at all) to 19 [default: 1]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote -d 'Share results with other machines through the store at this URL, see cachex-remotes(7); repeatable, the nearest first' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote-mode -d 'Choose how the remote store is used [default: read-write]' -r -f -a "read-write\t'Replay what others recorded, and share what is recorded here'
read-only\t'Replay what others recorded, and share nothing'
off\t'Do not use the remote store'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote-timeout -d 'Give up a look-up in the remote store after this long [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote-budget -d 'Give up a transfer from there after this long [default: what the run took, or --remote-timeout]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote-max-size -d 'Neither send nor fetch a longer output than this [default: --max-entry-size]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote-signing-key -d 'Sign what is sent with the private key in this file, see `cachex remote keygen`' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote-trust -d 'Accept only results signed with this key, or with one\'s own; repeatable' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l tag -d 'Label the result, run or replayed, for other verbs to select it; repeatable' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l status-file -d 'Write one JSON object about the call to this file when it ends' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l status-fd -d 'Write that object to this open descriptor instead' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-fail -d 'Record and replay successes only: --exit-codes 0'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s f -l force -d 'Run the command and replace its recorded result: --mode write-only'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-read -d 'Alias of --force'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l read-only -d 'Record nothing: --mode read-only'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l warm -d 'Start the run in the background, print nothing and return at once'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l cached-only -d 'Never run the command; exit with --miss-status if there is nothing to replay'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-wait -d 'Never wait for a run: with nothing to replay, start one in the background and exit'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s n -l no-concurrent -l single-flight -d 'Let one caller run the command while the others follow its output'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l finish -d 'Let a run go on in the background, and record it, if its caller ends before it does'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l tty -d 'Give the command a terminal of its own if standard output is one'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l mark -d 'Print the age of a replayed result below it if standard error is a terminal'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-cwd -d 'Leave the working directory out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-env -d 'Leave all variables out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-ignore -d 'Add files to the key even if `.gitignore` excludes them'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l portable -d 'Share results between machines and checkouts, see cachex-key(7)'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l auto -d 'Trace what the command reads, and replay as long as all of it is unchanged'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l require-outputs -d 'Exit with 125 if the command succeeds without creating every output'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l local -d 'Keep the result on this machine even if a remote store is set; it gets the tag `local`'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s q -l quiet -d 'Print no warnings'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s v -l verbose -d 'Say on stderr whether the call was a hit, and how much time that saved'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l all -d 'List everything: variables by name and why they are left out, long lists in full'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l reveal -d 'Show credentials in command lines instead of `***`'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l tag -d 'Show only entries with this tag' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand list" -l scope -d 'Show only entries of this scope' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand list" -l cwd -d 'Show only entries that ran in this folder' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand list" -l sort -d 'Sort by this [default: used]' -r -f -a "used\t'Most recently used first'
age\t'Most recently recorded first'
expires\t'Soonest to expire first'
size\t'Largest first'
run-time\t'Longest run first'
hits\t'Most often replayed first'
exit\t'Lowest exit status first'
command\t'By command, alphabetically'"
complete -c cachex -n "__fish_cachex_using_subcommand list" -l limit -d 'Show at most this many' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand list" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand list" -l stale -d 'Show only expired entries'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l failed -d 'Show only entries whose exit status is not 0'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l reverse -d 'Reverse the order'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l no-pager -d 'Use no pager'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l reveal -d 'Show credentials in command lines instead of `***`'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l profile -d 'Use the settings of this section of config.toml, `[profile.NAME]`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand show" -l exe -d 'Choose how the executable is part of the key [default: stat]' -r -f -a "stat\t'Its resolved path, size and modification time'
content\t'Its contents, wherever it lies'
name\t'Its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand show" -s e -l env -d 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand show" -l ignore-env -d 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand show" -l stdin -d 'Choose what the command reads, and whether that is part of the key [default: hash]' -r -f -a "hash\t'The contents are part of the key, unless typed at a terminal'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it is not part of the key'"
complete -c cachex -n "__fish_cachex_using_subcommand show" -s k -l key -d 'Add this text to the key, for anything else that the output depends on' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand show" -l scope -d 'Keep the results of this scope apart from those of others' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand show" -s i -l input -d 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand show" -l input-from -d 'Add every file listed in this file to the key, one per line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand show" -l input-command -d 'Add the output of this shell command to the key' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l base-dir -d 'Make paths below this folder relative to it in the key' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l platform -d 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand show" -l auto-ignore -d 'With --auto, ignore these files: a file, a folder or a pattern' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand show" -l auto-times -d 'With --auto, which modification times are part of the key [default: auto]' -r -f -a "auto\t'Of files that are looked at and not read, and of all that make and its like look at'
all\t'Of all files that the command looks at'
none\t'Of no file'"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l auto-allow -d 'With --auto, record runs that use this, too' -r -f -a "network\t'The network: its answers are assumed to stay the same'"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l auto-outputs -d 'With --auto, which of the files written are recorded [default: below]' -r -f -a "below\t'Those below the working directory, the base folder and $TMPDIR; a run that leaves others is not recorded'
all\t'All of them, wherever they lie'
none\t'Only those of --output; a run that leaves others is not recorded'"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l auto-quirks -d 'With --auto, what is known of programs that look at their own output [default: auto]' -r -f -a "auto\t'An output of a compiler or a linker that is there already is as good as none'
none\t'Nothing: it is part of the key that it is there, and its time'"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l remote -d 'Name the remote store that shares the result' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand show" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l stdout -d 'Print the command\'s standard output, byte for byte'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l stderr -d 'Print the command\'s standard error, to standard output'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l replay -d 'Print both streams as the command did, each to its own'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l no-pager -d 'Use no pager'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l reveal -d 'Show credentials in the command line instead of `***`'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l no-cwd -d 'Leave the working directory out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l no-env -d 'Leave all variables out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l no-ignore -d 'Add files to the key even if `.gitignore` excludes them'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l portable -d 'Share results between machines and checkouts, see cachex-key(7)'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l auto -d 'Trace what the command reads, and replay as long as all of it is unchanged'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l tty -d 'Select the result of --tty at a terminal like this one'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l profile -d 'Use the settings of this section of config.toml, `[profile.NAME]`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l exe -d 'Choose how the executable is part of the key [default: stat]' -r -f -a "stat\t'Its resolved path, size and modification time'
content\t'Its contents, wherever it lies'
name\t'Its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -s e -l env -d 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l ignore-env -d 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l stdin -d 'Choose what the command reads, and whether that is part of the key [default: hash]' -r -f -a "hash\t'The contents are part of the key, unless typed at a terminal'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it is not part of the key'"
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -s k -l key -d 'Add this text to the key, for anything else that the output depends on' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l scope -d 'Keep the results of this scope apart from those of others' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -s i -l input -d 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l input-from -d 'Add every file listed in this file to the key, one per line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l input-command -d 'Add the output of this shell command to the key' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l base-dir -d 'Make paths below this folder relative to it in the key' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l platform -d 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l auto-ignore -d 'With --auto, ignore these files: a file, a folder or a pattern' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l auto-times -d 'With --auto, which modification times are part of the key [default: auto]' -r -f -a "auto\t'Of files that are looked at and not read, and of all that make and its like look at'
all\t'Of all files that the command looks at'
none\t'Of no file'"
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l auto-allow -d 'With --auto, record runs that use this, too' -r -f -a "network\t'The network: its answers are assumed to stay the same'"
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l auto-outputs -d 'With --auto, which of the files written are recorded [default: below]' -r -f -a "below\t'Those below the working directory, the base folder and $TMPDIR; a run that leaves others is not recorded'
all\t'All of them, wherever they lie'
none\t'Only those of --output; a run that leaves others is not recorded'"
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l auto-quirks -d 'With --auto, what is known of programs that look at their own output [default: auto]' -r -f -a "auto\t'An output of a compiler or a linker that is there already is as good as none'
none\t'Nothing: it is part of the key that it is there, and its time'"
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l remote -d 'Name the remote store that shares the result' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l all -d 'List folders on the way too, and links'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l no-pager -d 'Show them without a pager'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l no-cwd -d 'Leave the working directory out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l no-env -d 'Leave all variables out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l no-ignore -d 'Add files to the key even if `.gitignore` excludes them'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l portable -d 'Share results between machines and checkouts, see cachex-key(7)'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l auto -d 'Trace what the command reads, and replay as long as all of it is unchanged'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l tty -d 'Select the result of --tty at a terminal like this one'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l tag -d 'Forget entries with this tag' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l cwd -d 'Forget entries that ran in this folder' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l older-than -d 'Forget entries recorded longer ago than this' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l command -d 'Forget entries whose command line matches, see `cachex list --help`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l remote-mode -d 'Choose how the remote store is used [default: read-write]' -r -f -a "read-write\t'Replay what others recorded, and share what is recorded here'
read-only\t'Replay what others recorded, and share nothing'
off\t'Do not use the remote store'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l profile -d 'Use the settings of this section of config.toml, `[profile.NAME]`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l exe -d 'Choose how the executable is part of the key [default: stat]' -r -f -a "stat\t'Its resolved path, size and modification time'
content\t'Its contents, wherever it lies'
name\t'Its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -s e -l env -d 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l ignore-env -d 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l stdin -d 'Choose what the command reads, and whether that is part of the key [default: hash]' -r -f -a "hash\t'The contents are part of the key, unless typed at a terminal'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it is not part of the key'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -s k -l key -d 'Add this text to the key, for anything else that the output depends on' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l scope -d 'Keep the results of this scope apart from those of others' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -s i -l input -d 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l input-from -d 'Add every file listed in this file to the key, one per line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l input-command -d 'Add the output of this shell command to the key' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l base-dir -d 'Make paths below this folder relative to it in the key' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l platform -d 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l auto-ignore -d 'With --auto, ignore these files: a file, a folder or a pattern' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l auto-times -d 'With --auto, which modification times are part of the key [default: auto]' -r -f -a "auto\t'Of files that are looked at and not read, and of all that make and its like look at'
all\t'Of all files that the command looks at'
none\t'Of no file'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l auto-allow -d 'With --auto, record runs that use this, too' -r -f -a "network\t'The network: its answers are assumed to stay the same'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l auto-outputs -d 'With --auto, which of the files written are recorded [default: below]' -r -f -a "below\t'Those below the working directory, the base folder and $TMPDIR; a run that leaves others is not recorded'
all\t'All of them, wherever they lie'
none\t'Only those of --output; a run that leaves others is not recorded'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l auto-quirks -d 'With --auto, what is known of programs that look at their own output [default: auto]' -r -f -a "auto\t'An output of a compiler or a linker that is there already is as good as none'
none\t'Nothing: it is part of the key that it is there, and its time'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l remote -d 'Name the remote store that shares the result' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l failed -d 'Forget entries whose exit status is not 0'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l dry-run -d 'Show what would be removed, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l yes -d 'Do not ask for confirmation; only `clear` does'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-pager -d 'Use no pager'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l reveal -d 'Show credentials in command lines instead of `***`'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-cwd -d 'Leave the working directory out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-env -d 'Leave all variables out of the key'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-ignore -d 'Add files to the key even if `.gitignore` excludes them'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l portable -d 'Share results between machines and checkouts, see cachex-key(7)'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l auto -d 'Trace what the command reads, and replay as long as all of it is unchanged'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l tty -d 'Select the result of --tty at a terminal like this one'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l max-age -d 'Remove entries recorded longer ago than this' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l max-size -d 'Remove the least recently used entries until the store takes no more disk space than this' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l max-entries -d 'Remove the least recently used entries until this many are left' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l tag -d 'Consider only entries with this tag' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l cwd -d 'Consider only entries that ran in this folder' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l expired -d 'Remove expired entries, even if --stale-if-error could still serve them'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l dry-run -d 'Show what would be removed, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l yes -d 'Do not ask for confirmation; only `clear` does'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l no-pager -d 'Use no pager'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l reveal -d 'Show credentials in command lines instead of `***`'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l dry-run -d 'Show what would be removed, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l yes -d 'Do not ask for confirmation; only `clear` does'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l no-pager -d 'Use no pager'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l reveal -d 'Show credentials in command lines instead of `***`'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l to -d 'Write the archive to this file; `-` is standard output' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand export" -l tag -d 'Export only entries with this tag' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand export" -l scope -d 'Export only entries of this scope' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand export" -l cwd -d 'Export only entries that ran in this folder' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand export" -l command -d 'Export only entries whose command line matches, see `cachex list --help`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand export" -l since -d 'Export only entries recorded or served since then: `7d`, or a date such as `2026-11-01`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand export" -l max-size -d 'Export the most recently used entries up to this size in all, before compression' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand export" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand export" -l dry-run -d 'Show what would be done, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand import" -l max-size -d 'Refuse an archive that holds more than this [default: the limit of the store]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand import" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand import" -l dry-run -d 'Show what would be done, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand import" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand import" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand log" -l limit -d 'Show at most this many [default: 50]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand log" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand log" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand log" -l no-pager -d 'Use no pager'
complete -c cachex -n "__fish_cachex_using_subcommand log" -l reveal -d 'Show credentials in command lines instead of `***`'
complete -c cachex -n "__fish_cachex_using_subcommand log" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l since -d 'Count calls since then: `7d`, or a date such as `2026-11-01`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l by -d 'Add up what the results in the store have saved, by tag or by script' -r -f -a "tag\t'By tag; a result with several counts for each'
script\t'By what a shell or an interpreter ran: the text behind `-c`, or the file'"
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l format -d 'Print in this format [default: text]' -r -f -a "text\t'Tables, bars and sparklines, for a terminal'
json\t'One object, for programs'
markdown\t'Tables, for GitHub\'s job summaries and comments'
prometheus\t'Metrics, for Prometheus and whatever reads its text format'"
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l html -d 'Write a page with charts to this file; `-` is standard output' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l reset -d 'Reset all counts; recorded results stay'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l yes -d 'Do not ask for confirmation'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l no-pager -d 'Use no pager'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l reveal -d 'Show credentials in command lines instead of `***`'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand trace" -l format -d 'Choose how the list is written' -r -f -a "text\t'A line for each file, for people'
json\t'One JSON object'
make\t'A rule for make: what was written depends on what was read'
ninja\t'A depfile for ninja'"
complete -c cachex -n "__fish_cachex_using_subcommand trace" -s o -l output -d 'Write the list to this file instead of standard error' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand trace" -l declare -d 'Print the call of `cachex run` that declares these files as inputs and outputs'
complete -c cachex -n "__fish_cachex_using_subcommand trace" -l all -d 'Include the files of the system: those below /usr, /etc and the like'
complete -c cachex -n "__fish_cachex_using_subcommand trace" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -f -a "check" -d 'Check whether the remote store works, and if not, what to do'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -f -a "stats" -d 'Show what was fetched from and sent to the remote store, and its state'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -f -a "flush" -d 'Wait until all recorded results are in the remote store'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -f -a "push" -d 'Send results that are recorded already'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -f -a "invalidate" -d 'Have all machines drop results that were recorded until now'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -f -a "keygen" -d 'Make a key that results are signed with, and print its public key'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -f -a "list" -d 'Show which results the remote store holds, and who sent them'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -f -a "prune" -d 'Remove the least recently used objects from the remote store'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush push invalidate keygen list prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l remote -d 'The remote store [default: those set for `run`]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l remote-timeout -d 'Give up after this long without an answer [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l by -d 'Add up what the store holds by who sent it, by tag or by command; every entry is read' -r -f -a "host\t'By the machine that sent it'
user\t'By the user who sent it'
tag\t'By tag; a result with several counts for each'
command\t'By the name of the command'"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l remote -d 'The remote store [default: those set for `run`]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l remote-timeout -d 'Give up after this long without an answer [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l count -d 'Count what the store holds, which takes long for a large one'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l metrics -d 'Print the figures as metrics, in the text format of Prometheus'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l timeout -d 'Wait at most this long [default: 10m]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l remote -d 'The remote store [default: those set for `run`]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l remote-timeout -d 'Give up after this long without an answer [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l tag -d 'Send entries with this tag' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l scope -d 'Send entries of this scope' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l cwd -d 'Send entries that ran in this folder' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l command -d 'Send entries whose command line matches, see `cachex list --help`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l newer-than -d 'Send entries recorded no longer ago than this' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l timeout -d 'Wait at most this long' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l remote -d 'The remote store [default: those set for `run`]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l remote-timeout -d 'Give up after this long without an answer [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l dry-run -d 'Show how many would be sent, and send nothing'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -l older-than -d 'Invalidate results recorded at least this long ago' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -l tag -d 'Invalidate results with this tag' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -l command -d 'Invalidate results whose command line matches, see `cachex list --help`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -l remote -d 'The remote store [default: those set for `run`]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -l remote-timeout -d 'Give up after this long without an answer [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -l all -d 'Invalidate everything'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from invalidate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from keygen" -l public -d 'Print the public key of a file that exists, and make nothing'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from keygen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l tag -d 'Show only entries with this tag' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l scope -d 'Show only entries of this scope' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l command -d 'Show only entries whose command line matches, see `cachex list --help`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l host -d 'Show only entries that this machine sent' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l user -d 'Show only entries that this user sent' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l newer-than -d 'Show only entries recorded no longer ago than this' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l limit -d 'Show at most this many, the most recently recorded' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l remote -d 'The remote store [default: those set for `run`]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l remote-timeout -d 'Give up after this long without an answer [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l reveal -d 'Show credentials in command lines'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l max-age -d 'Remove objects not used for this long; a folder notes uses by the hour' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l max-size -d 'Remove the least recently used objects until the rest takes no more space than this' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l remote -d 'The remote store [default: those set for `run`]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l remote-timeout -d 'Give up after this long without an answer [default: 1s]' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l dry-run -d 'Show what would be removed, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l quiet -d 'Print neither warnings nor what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "check" -d 'Check whether the remote store works, and if not, what to do'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "stats" -d 'Show what was fetched from and sent to the remote store, and its state'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "flush" -d 'Wait until all recorded results are in the remote store'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "push" -d 'Send results that are recorded already'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "invalidate" -d 'Have all machines drop results that were recorded until now'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "keygen" -d 'Make a key that results are signed with, and print its public key'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "list" -d 'Show which results the remote store holds, and who sent them'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove the least recently used objects from the remote store'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l repair -d 'Repair the problems found; nothing intact is removed'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l quiet -d 'Show no progress'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand config; and not __fish_seen_subcommand_from get set edit init help" -l profile -d 'Use the settings of this section of the file, `[profile.NAME]`' -r -f
complete -c cachex -n "__fish_cachex_using_subcommand config; and not __fish_seen_subcommand_from get set edit init help" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand config; and not __fish_seen_subcommand_from get set edit init help" -l path -d 'Print the path of the configuration file, whether it exists or not'
complete -c cachex -n "__fish_cachex_using_subcommand config; and not __fish_seen_subcommand_from get set edit init help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand config; and not __fish_seen_subcommand_from get set edit init help" -a "get" -d 'Print the effective value of a setting'
complete -c cachex -n "__fish_cachex_using_subcommand config; and not __fish_seen_subcommand_from get set edit init help" -a "set" -d 'Set a value at the top of the file; the rest of it stays as it is'
complete -c cachex -n "__fish_cachex_using_subcommand config; and not __fish_seen_subcommand_from get set edit init help" -a "edit" -d 'Open the file in VISUAL, EDITOR or vi, and check it'
complete -c cachex -n "__fish_cachex_using_subcommand config; and not __fish_seen_subcommand_from get set edit init help" -a "init" -d 'Write a file to begin with'
complete -c cachex -n "__fish_cachex_using_subcommand config; and not __fish_seen_subcommand_from get set edit init help" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand config; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand config; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand config; and __fish_seen_subcommand_from edit" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand config; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "get" -d 'Print the effective value of a setting'
complete -c cachex -n "__fish_cachex_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "set" -d 'Set a value at the top of the file; the rest of it stays as it is'
complete -c cachex -n "__fish_cachex_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "edit" -d 'Open the file in VISUAL, EDITOR or vi, and check it'
complete -c cachex -n "__fish_cachex_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "init" -d 'Write a file to begin with'
complete -c cachex -n "__fish_cachex_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand allow" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand deny" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand init" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand completions" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand generate" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "run" -d 'Run a command, or replay what it did last time'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "sh" -d 'Run a shell script, or replay what it did last time'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "explain" -d 'Explain whether a call would hit, and if not, why'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "list" -d 'Show which results the store holds'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "show" -d 'Show everything about one result'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "inputs" -d 'List the files that an automatic result depends on'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "forget" -d 'Forget recorded runs: of a command, by key, by tag, by age'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "prune" -d 'Remove results that have expired, are old, or exceed a limit'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "clear" -d 'Forget everything'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "export" -d 'Write recorded results to a file, for another store'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "import" -d 'Put the results of an archive into the store'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "log" -d 'List recent calls, and what came of each'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "stats" -d 'Show hits, misses and the time saved'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "trace" -d 'Run a command, and list the files that it read, looked for and wrote'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "remote" -d 'Check, measure and flush the store that machines share'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "doctor" -d 'Check the store for problems, and repair it'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "config" -d 'Show the effective settings, and where each comes from'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "allow" -d 'Allow a project\'s settings, as they are now'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "deny" -d 'Stop using a project\'s settings'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "init" -d 'Print the code that sets up a shell: completions, wrapped commands and prompts'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "generate" -d 'Write completions and man pages below a folder'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show inputs forget prune clear export import log stats trace remote doctor config allow deny init completions generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "check" -d 'Check whether the remote store works, and if not, what to do'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "stats" -d 'Show what was fetched from and sent to the remote store, and its state'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "flush" -d 'Wait until all recorded results are in the remote store'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "push" -d 'Send results that are recorded already'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "invalidate" -d 'Have all machines drop results that were recorded until now'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "keygen" -d 'Make a key that results are signed with, and print its public key'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "list" -d 'Show which results the remote store holds, and who sent them'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "prune" -d 'Remove the least recently used objects from the remote store'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "get" -d 'Print the effective value of a setting'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "set" -d 'Set a value at the top of the file; the rest of it stays as it is'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "edit" -d 'Open the file in VISUAL, EDITOR or vi, and check it'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "init" -d 'Write a file to begin with'

# Keys, tags and scopes that the store holds. `cachex __complete` only reads, and
# is done at once.
function __fish_cachex_stored
    set -l words (commandline -opc)
    cachex __complete $argv[1] (commandline -ct) $words[2..] 2>/dev/null
end

# Which word the command is that goes through the cache, if the cursor is on it or
# behind it.
function __fish_cachex_at
    set -l words (commandline -opc)
    set -l at 3
    set -l only_behind_dashes 1
    switch "$words[2]"
        case run explain why
            set only_behind_dashes 0
        case show info forget rm config
        case '-*'
            set at 2
        case '*'
            return 1
    end
    set -l valued --expires-in --ttl -t --failure-expires-in --exit-codes --refresh-after --stale-after -s --stale-ok --stale-if-error --jitter --mode --miss-status --lock-timeout --timeout --replay --color-strip --profile --exe --env -e --ignore-env --stdin --key -k --scope --input -i --input-from --input-command --base-dir --platform --auto-ignore --auto-times --auto-allow --auto-outputs --auto-quirks --output -o --cache-dir --max-entry-size --max-size --max-entries --compress --remote --remote-mode --remote-timeout --remote-budget --remote-max-size --remote-signing-key --remote-trust --tag --status-file --status-fd
    while test $at -le (count $words)
        set -l word $words[$at]
        if test "$word" = --
            math $at + 1
            return 0
        else if string match -qr '^-' -- $word
            string match -qr '^-[^-]' -- $word; and set word -(string sub -s -1 -- $word)
            contains -- $word $valued; and set at (math $at + 1)
        else if test $only_behind_dashes = 0
            echo $at
            return 0
        end
        set at (math $at + 1)
    end
    test $only_behind_dashes = 0 -a $at -eq (math (count $words) + 1)
    and not string match -q -- '-*' (commandline -ct)
    and echo $at
end

# As it is completed by itself.
function __fish_cachex_behind
    set -l words (commandline -opc) ''
    set -l before (string escape -- $words[(__fish_cachex_at)..-2])
    complete -C (string join ' ' -- $before (commandline -ct) | string collect)
end

complete -c cachex -n '__fish_cachex_at >/dev/null' -x -a '(__fish_cachex_behind)'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand show" -f -a '(__fish_cachex_stored any)'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand inputs" -f -a '(__fish_cachex_stored any)'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -f -a '(__fish_cachex_stored any)'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand export" -f -a '(__fish_cachex_stored any)'
