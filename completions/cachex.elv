
use builtin;
use str;

set edit:completion:arg-completer[cachex] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'cachex'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'cachex'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand run 'Run a command, or replay what it did last time'
            cand sh 'Run a shell script, or replay what it did last time'
            cand explain 'Explain whether a call would hit, and if not, why'
            cand list 'Show which results the store holds'
            cand show 'Show everything about one result'
            cand inputs 'List the files that an automatic result depends on'
            cand forget 'Forget recorded runs: of a command, by key, by tag, by age'
            cand prune 'Remove results that have expired, are old, or exceed a limit'
            cand clear 'Forget everything'
            cand export 'Write recorded results to a file, for another store'
            cand import 'Put the results of an archive into the store'
            cand log 'List recent calls, and what came of each'
            cand stats 'Show hits, misses and the time saved'
            cand trace 'Run a command, and list the files that it read, looked for and wrote'
            cand remote 'Check, measure and flush the store that machines share'
            cand doctor 'Check the store for problems, and repair it'
            cand config 'Show the effective settings, and where each comes from'
            cand allow 'Allow a project''s settings, as they are now'
            cand deny 'Stop using a project''s settings'
            cand init 'Print the code that sets up a shell: completions, wrapped commands and prompts'
            cand completions 'Print a completion script for a shell'
            cand generate 'Write completions and man pages below a folder'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;run'= {
            cand -t 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]'
            cand --expires-in 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]'
            cand --ttl 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]'
            cand --failure-expires-in 'The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]'
            cand --exit-codes 'Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]'
            cand -s 'Serve a result older than this, and replace it by one run in the background'
            cand --refresh-after 'Serve a result older than this, and replace it by one run in the background'
            cand --stale-after 'Serve a result older than this, and replace it by one run in the background'
            cand --stale-ok 'Serve an expired result up to this long past its expiry, and replace it in the background'
            cand --stale-if-error 'If the run fails, serve the last good result up to this long past its expiry'
            cand --jitter 'Expire up to this much earlier, each key at its own time [default: 0]'
            cand --mode 'Choose how the store is used [default: read-write]'
            cand --miss-status 'Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing'
            cand --lock-timeout 'Run uncached if another caller''s run has printed nothing for this long'
            cand --timeout 'End the command after this long, with status 124'
            cand --replay 'Choose what a hit prints [default: all]'
            cand --color-strip 'Remove escape sequences such as colors from the output [default: never]'
            cand --profile 'Use the settings of this section of config.toml, `[profile.NAME]`'
            cand --exe 'Choose how the executable is part of the key [default: stat]'
            cand -e 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --env 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --ignore-env 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings'
            cand --stdin 'Choose what the command reads, and whether that is part of the key [default: hash]'
            cand -k 'Add this text to the key, for anything else that the output depends on'
            cand --key 'Add this text to the key, for anything else that the output depends on'
            cand --scope 'Keep the results of this scope apart from those of others'
            cand -i 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input-from 'Add every file listed in this file to the key, one per line; `-` reads standard input'
            cand --input-command 'Add the output of this shell command to the key'
            cand --base-dir 'Make paths below this folder relative to it in the key'
            cand --platform 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours'
            cand --auto-ignore 'With --auto, ignore these files: a file, a folder or a pattern'
            cand --auto-times 'With --auto, which modification times are part of the key [default: auto]'
            cand --auto-allow 'With --auto, record runs that use this, too'
            cand --auto-outputs 'With --auto, which of the files written are recorded [default: below]'
            cand --auto-quirks 'With --auto, what is known of programs that look at their own output [default: auto]'
            cand -o 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes'
            cand --output 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --max-entry-size 'Do not record output longer than this [default: 1GiB]'
            cand --max-size 'Limit the disk space of the store; the least recently used results go first [default: 5GiB]'
            cand --max-entries 'Keep about this many results, the most recently used [default: as many as there is room for]'
            cand --compress 'Compress older output at this level, from 0 (not at all) to 19 [default: 1]'
            cand --remote 'Share results with other machines through the store at this URL, see cachex-remotes(7); repeatable, the nearest first'
            cand --remote-mode 'Choose how the remote store is used [default: read-write]'
            cand --remote-timeout 'Give up a look-up in the remote store after this long [default: 1s]'
            cand --remote-budget 'Give up a transfer from there after this long [default: what the run took, or --remote-timeout]'
            cand --remote-max-size 'Neither send nor fetch a longer output than this [default: --max-entry-size]'
            cand --remote-signing-key 'Sign what is sent with the private key in this file, see `cachex remote keygen`'
            cand --remote-trust 'Accept only results signed with this key, or with one''s own; repeatable'
            cand --tag 'Label the result, run or replayed, for other verbs to select it; repeatable'
            cand --status-file 'Write one JSON object about the call to this file when it ends'
            cand --status-fd 'Write that object to this open descriptor instead'
            cand --no-fail 'Record and replay successes only: --exit-codes 0'
            cand -f 'Run the command and replace its recorded result: --mode write-only'
            cand --force 'Run the command and replace its recorded result: --mode write-only'
            cand --no-read 'Alias of --force'
            cand --read-only 'Record nothing: --mode read-only'
            cand --warm 'Start the run in the background, print nothing and return at once'
            cand --cached-only 'Never run the command; exit with --miss-status if there is nothing to replay'
            cand --no-wait 'Never wait for a run: with nothing to replay, start one in the background and exit'
            cand -n 'Let one caller run the command while the others follow its output'
            cand --no-concurrent 'Let one caller run the command while the others follow its output'
            cand --single-flight 'Let one caller run the command while the others follow its output'
            cand --finish 'Let a run go on in the background, and record it, if its caller ends before it does'
            cand --tty 'Give the command a terminal of its own if standard output is one'
            cand --mark 'Print the age of a replayed result below it if standard error is a terminal'
            cand --no-cwd 'Leave the working directory out of the key'
            cand --no-env 'Leave all variables out of the key'
            cand --no-ignore 'Add files to the key even if `.gitignore` excludes them'
            cand --portable 'Share results between machines and checkouts, see cachex-key(7)'
            cand --auto 'Trace what the command reads, and replay as long as all of it is unchanged'
            cand --require-outputs 'Exit with 125 if the command succeeds without creating every output'
            cand --local 'Keep the result on this machine even if a remote store is set; it gets the tag `local`'
            cand -q 'Print no warnings'
            cand --quiet 'Print no warnings'
            cand -v 'Say on stderr whether the call was a hit, and how much time that saved'
            cand --verbose 'Say on stderr whether the call was a hit, and how much time that saved'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;sh'= {
            cand --expires-in 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]'
            cand --ttl 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]'
            cand --failure-expires-in 'The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]'
            cand --exit-codes 'Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]'
            cand --refresh-after 'Serve a result older than this, and replace it by one run in the background'
            cand --stale-after 'Serve a result older than this, and replace it by one run in the background'
            cand --stale-ok 'Serve an expired result up to this long past its expiry, and replace it in the background'
            cand --stale-if-error 'If the run fails, serve the last good result up to this long past its expiry'
            cand --jitter 'Expire up to this much earlier, each key at its own time [default: 0]'
            cand --mode 'Choose how the store is used [default: read-write]'
            cand --miss-status 'Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing'
            cand --lock-timeout 'Run uncached if another caller''s run has printed nothing for this long'
            cand --timeout 'End the command after this long, with status 124'
            cand --replay 'Choose what a hit prints [default: all]'
            cand --color-strip 'Remove escape sequences such as colors from the output [default: never]'
            cand --profile 'Use the settings of this section of config.toml, `[profile.NAME]`'
            cand --exe 'Choose how the executable is part of the key [default: stat]'
            cand --env 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --ignore-env 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings'
            cand --stdin 'Choose what the script reads, and whether that is part of the key [default: null]'
            cand --key 'Add this text to the key, for anything else that the output depends on'
            cand --scope 'Keep the results of this scope apart from those of others'
            cand --input 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input-from 'Add every file listed in this file to the key, one per line; `-` reads standard input'
            cand --input-command 'Add the output of this shell command to the key'
            cand --base-dir 'Make paths below this folder relative to it in the key'
            cand --platform 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours'
            cand --auto-ignore 'With --auto, ignore these files: a file, a folder or a pattern'
            cand --auto-times 'With --auto, which modification times are part of the key [default: auto]'
            cand --auto-allow 'With --auto, record runs that use this, too'
            cand --auto-outputs 'With --auto, which of the files written are recorded [default: below]'
            cand --auto-quirks 'With --auto, what is known of programs that look at their own output [default: auto]'
            cand --output 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --max-entry-size 'Do not record output longer than this [default: 1GiB]'
            cand --max-size 'Limit the disk space of the store; the least recently used results go first [default: 5GiB]'
            cand --max-entries 'Keep about this many results, the most recently used [default: as many as there is room for]'
            cand --compress 'Compress older output at this level, from 0 (not at all) to 19 [default: 1]'
            cand --remote 'Share results with other machines through the store at this URL, see cachex-remotes(7); repeatable, the nearest first'
            cand --remote-mode 'Choose how the remote store is used [default: read-write]'
            cand --remote-timeout 'Give up a look-up in the remote store after this long [default: 1s]'
            cand --remote-budget 'Give up a transfer from there after this long [default: what the run took, or --remote-timeout]'
            cand --remote-max-size 'Neither send nor fetch a longer output than this [default: --max-entry-size]'
            cand --remote-signing-key 'Sign what is sent with the private key in this file, see `cachex remote keygen`'
            cand --remote-trust 'Accept only results signed with this key, or with one''s own; repeatable'
            cand --tag 'Label the result, run or replayed, for other verbs to select it; repeatable'
            cand --status-file 'Write one JSON object about the call to this file when it ends'
            cand --status-fd 'Write that object to this open descriptor instead'
            cand --shell 'Run the script with this shell, by name or by path [default: /bin/sh]'
            cand --no-fail 'Record and replay successes only: --exit-codes 0'
            cand --force 'Run the command and replace its recorded result: --mode write-only'
            cand --no-read 'Alias of --force'
            cand --read-only 'Record nothing: --mode read-only'
            cand --warm 'Start the run in the background, print nothing and return at once'
            cand --cached-only 'Never run the command; exit with --miss-status if there is nothing to replay'
            cand --no-wait 'Never wait for a run: with nothing to replay, start one in the background and exit'
            cand --no-concurrent 'Let one caller run the command while the others follow its output'
            cand --single-flight 'Let one caller run the command while the others follow its output'
            cand --finish 'Let a run go on in the background, and record it, if its caller ends before it does'
            cand --tty 'Give the command a terminal of its own if standard output is one'
            cand --mark 'Print the age of a replayed result below it if standard error is a terminal'
            cand --no-cwd 'Leave the working directory out of the key'
            cand --no-env 'Leave all variables out of the key'
            cand --no-ignore 'Add files to the key even if `.gitignore` excludes them'
            cand --portable 'Share results between machines and checkouts, see cachex-key(7)'
            cand --auto 'Trace what the command reads, and replay as long as all of it is unchanged'
            cand --require-outputs 'Exit with 125 if the command succeeds without creating every output'
            cand --local 'Keep the result on this machine even if a remote store is set; it gets the tag `local`'
            cand --quiet 'Print no warnings'
            cand --verbose 'Say on stderr whether the call was a hit, and how much time that saved'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;explain'= {
            cand -t 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]'
            cand --expires-in 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]'
            cand --ttl 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]'
            cand --failure-expires-in 'The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]'
            cand --exit-codes 'Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]'
            cand -s 'Serve a result older than this, and replace it by one run in the background'
            cand --refresh-after 'Serve a result older than this, and replace it by one run in the background'
            cand --stale-after 'Serve a result older than this, and replace it by one run in the background'
            cand --stale-ok 'Serve an expired result up to this long past its expiry, and replace it in the background'
            cand --stale-if-error 'If the run fails, serve the last good result up to this long past its expiry'
            cand --jitter 'Expire up to this much earlier, each key at its own time [default: 0]'
            cand --mode 'Choose how the store is used [default: read-write]'
            cand --miss-status 'Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing'
            cand --lock-timeout 'Run uncached if another caller''s run has printed nothing for this long'
            cand --timeout 'End the command after this long, with status 124'
            cand --replay 'Choose what a hit prints [default: all]'
            cand --color-strip 'Remove escape sequences such as colors from the output [default: never]'
            cand --profile 'Use the settings of this section of config.toml, `[profile.NAME]`'
            cand --exe 'Choose how the executable is part of the key [default: stat]'
            cand -e 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --env 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --ignore-env 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings'
            cand --stdin 'Choose what the command reads, and whether that is part of the key [default: hash]'
            cand -k 'Add this text to the key, for anything else that the output depends on'
            cand --key 'Add this text to the key, for anything else that the output depends on'
            cand --scope 'Keep the results of this scope apart from those of others'
            cand -i 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input-from 'Add every file listed in this file to the key, one per line; `-` reads standard input'
            cand --input-command 'Add the output of this shell command to the key'
            cand --base-dir 'Make paths below this folder relative to it in the key'
            cand --platform 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours'
            cand --auto-ignore 'With --auto, ignore these files: a file, a folder or a pattern'
            cand --auto-times 'With --auto, which modification times are part of the key [default: auto]'
            cand --auto-allow 'With --auto, record runs that use this, too'
            cand --auto-outputs 'With --auto, which of the files written are recorded [default: below]'
            cand --auto-quirks 'With --auto, what is known of programs that look at their own output [default: auto]'
            cand -o 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes'
            cand --output 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --max-entry-size 'Do not record output longer than this [default: 1GiB]'
            cand --max-size 'Limit the disk space of the store; the least recently used results go first [default: 5GiB]'
            cand --max-entries 'Keep about this many results, the most recently used [default: as many as there is room for]'
            cand --compress 'Compress older output at this level, from 0 (not at all) to 19 [default: 1]'
            cand --remote 'Share results with other machines through the store at this URL, see cachex-remotes(7); repeatable, the nearest first'
            cand --remote-mode 'Choose how the remote store is used [default: read-write]'
            cand --remote-timeout 'Give up a look-up in the remote store after this long [default: 1s]'
            cand --remote-budget 'Give up a transfer from there after this long [default: what the run took, or --remote-timeout]'
            cand --remote-max-size 'Neither send nor fetch a longer output than this [default: --max-entry-size]'
            cand --remote-signing-key 'Sign what is sent with the private key in this file, see `cachex remote keygen`'
            cand --remote-trust 'Accept only results signed with this key, or with one''s own; repeatable'
            cand --tag 'Label the result, run or replayed, for other verbs to select it; repeatable'
            cand --status-file 'Write one JSON object about the call to this file when it ends'
            cand --status-fd 'Write that object to this open descriptor instead'
            cand --no-fail 'Record and replay successes only: --exit-codes 0'
            cand -f 'Run the command and replace its recorded result: --mode write-only'
            cand --force 'Run the command and replace its recorded result: --mode write-only'
            cand --no-read 'Alias of --force'
            cand --read-only 'Record nothing: --mode read-only'
            cand --warm 'Start the run in the background, print nothing and return at once'
            cand --cached-only 'Never run the command; exit with --miss-status if there is nothing to replay'
            cand --no-wait 'Never wait for a run: with nothing to replay, start one in the background and exit'
            cand -n 'Let one caller run the command while the others follow its output'
            cand --no-concurrent 'Let one caller run the command while the others follow its output'
            cand --single-flight 'Let one caller run the command while the others follow its output'
            cand --finish 'Let a run go on in the background, and record it, if its caller ends before it does'
            cand --tty 'Give the command a terminal of its own if standard output is one'
            cand --mark 'Print the age of a replayed result below it if standard error is a terminal'
            cand --no-cwd 'Leave the working directory out of the key'
            cand --no-env 'Leave all variables out of the key'
            cand --no-ignore 'Add files to the key even if `.gitignore` excludes them'
            cand --portable 'Share results between machines and checkouts, see cachex-key(7)'
            cand --auto 'Trace what the command reads, and replay as long as all of it is unchanged'
            cand --require-outputs 'Exit with 125 if the command succeeds without creating every output'
            cand --local 'Keep the result on this machine even if a remote store is set; it gets the tag `local`'
            cand -q 'Print no warnings'
            cand --quiet 'Print no warnings'
            cand -v 'Say on stderr whether the call was a hit, and how much time that saved'
            cand --verbose 'Say on stderr whether the call was a hit, and how much time that saved'
            cand --all 'List everything: variables by name and why they are left out, long lists in full'
            cand --json 'Print JSON'
            cand --reveal 'Show credentials in command lines instead of `***`'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;list'= {
            cand --tag 'Show only entries with this tag'
            cand --scope 'Show only entries of this scope'
            cand --cwd 'Show only entries that ran in this folder'
            cand --sort 'Sort by this [default: used]'
            cand --limit 'Show at most this many'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --stale 'Show only expired entries'
            cand --failed 'Show only entries whose exit status is not 0'
            cand --reverse 'Reverse the order'
            cand --json 'Print JSON'
            cand --no-pager 'Use no pager'
            cand --reveal 'Show credentials in command lines instead of `***`'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;show'= {
            cand --profile 'Use the settings of this section of config.toml, `[profile.NAME]`'
            cand --exe 'Choose how the executable is part of the key [default: stat]'
            cand -e 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --env 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --ignore-env 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings'
            cand --stdin 'Choose what the command reads, and whether that is part of the key [default: hash]'
            cand -k 'Add this text to the key, for anything else that the output depends on'
            cand --key 'Add this text to the key, for anything else that the output depends on'
            cand --scope 'Keep the results of this scope apart from those of others'
            cand -i 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input-from 'Add every file listed in this file to the key, one per line; `-` reads standard input'
            cand --input-command 'Add the output of this shell command to the key'
            cand --base-dir 'Make paths below this folder relative to it in the key'
            cand --platform 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours'
            cand --auto-ignore 'With --auto, ignore these files: a file, a folder or a pattern'
            cand --auto-times 'With --auto, which modification times are part of the key [default: auto]'
            cand --auto-allow 'With --auto, record runs that use this, too'
            cand --auto-outputs 'With --auto, which of the files written are recorded [default: below]'
            cand --auto-quirks 'With --auto, what is known of programs that look at their own output [default: auto]'
            cand --remote 'Name the remote store that shares the result'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --stdout 'Print the command''s standard output, byte for byte'
            cand --stderr 'Print the command''s standard error, to standard output'
            cand --replay 'Print both streams as the command did, each to its own'
            cand --json 'Print JSON'
            cand --no-pager 'Use no pager'
            cand --reveal 'Show credentials in the command line instead of `***`'
            cand --no-cwd 'Leave the working directory out of the key'
            cand --no-env 'Leave all variables out of the key'
            cand --no-ignore 'Add files to the key even if `.gitignore` excludes them'
            cand --portable 'Share results between machines and checkouts, see cachex-key(7)'
            cand --auto 'Trace what the command reads, and replay as long as all of it is unchanged'
            cand --tty 'Select the result of --tty at a terminal like this one'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;inputs'= {
            cand --profile 'Use the settings of this section of config.toml, `[profile.NAME]`'
            cand --exe 'Choose how the executable is part of the key [default: stat]'
            cand -e 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --env 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --ignore-env 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings'
            cand --stdin 'Choose what the command reads, and whether that is part of the key [default: hash]'
            cand -k 'Add this text to the key, for anything else that the output depends on'
            cand --key 'Add this text to the key, for anything else that the output depends on'
            cand --scope 'Keep the results of this scope apart from those of others'
            cand -i 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input-from 'Add every file listed in this file to the key, one per line; `-` reads standard input'
            cand --input-command 'Add the output of this shell command to the key'
            cand --base-dir 'Make paths below this folder relative to it in the key'
            cand --platform 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours'
            cand --auto-ignore 'With --auto, ignore these files: a file, a folder or a pattern'
            cand --auto-times 'With --auto, which modification times are part of the key [default: auto]'
            cand --auto-allow 'With --auto, record runs that use this, too'
            cand --auto-outputs 'With --auto, which of the files written are recorded [default: below]'
            cand --auto-quirks 'With --auto, what is known of programs that look at their own output [default: auto]'
            cand --remote 'Name the remote store that shares the result'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --all 'List folders on the way too, and links'
            cand --json 'Print JSON'
            cand --no-pager 'Show them without a pager'
            cand --no-cwd 'Leave the working directory out of the key'
            cand --no-env 'Leave all variables out of the key'
            cand --no-ignore 'Add files to the key even if `.gitignore` excludes them'
            cand --portable 'Share results between machines and checkouts, see cachex-key(7)'
            cand --auto 'Trace what the command reads, and replay as long as all of it is unchanged'
            cand --tty 'Select the result of --tty at a terminal like this one'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;forget'= {
            cand --tag 'Forget entries with this tag'
            cand --cwd 'Forget entries that ran in this folder'
            cand --older-than 'Forget entries recorded longer ago than this'
            cand --command 'Forget entries whose command line matches, see `cachex list --help`'
            cand --remote-mode 'Choose how the remote store is used [default: read-write]'
            cand --profile 'Use the settings of this section of config.toml, `[profile.NAME]`'
            cand --exe 'Choose how the executable is part of the key [default: stat]'
            cand -e 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --env 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings'
            cand --ignore-env 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings'
            cand --stdin 'Choose what the command reads, and whether that is part of the key [default: hash]'
            cand -k 'Add this text to the key, for anything else that the output depends on'
            cand --key 'Add this text to the key, for anything else that the output depends on'
            cand --scope 'Keep the results of this scope apart from those of others'
            cand -i 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes'
            cand --input-from 'Add every file listed in this file to the key, one per line; `-` reads standard input'
            cand --input-command 'Add the output of this shell command to the key'
            cand --base-dir 'Make paths below this folder relative to it in the key'
            cand --platform 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours'
            cand --auto-ignore 'With --auto, ignore these files: a file, a folder or a pattern'
            cand --auto-times 'With --auto, which modification times are part of the key [default: auto]'
            cand --auto-allow 'With --auto, record runs that use this, too'
            cand --auto-outputs 'With --auto, which of the files written are recorded [default: below]'
            cand --auto-quirks 'With --auto, what is known of programs that look at their own output [default: auto]'
            cand --remote 'Name the remote store that shares the result'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --failed 'Forget entries whose exit status is not 0'
            cand --dry-run 'Show what would be removed, and change nothing'
            cand --yes 'Do not ask for confirmation; only `clear` does'
            cand --json 'Print JSON'
            cand --no-pager 'Use no pager'
            cand --reveal 'Show credentials in command lines instead of `***`'
            cand --no-cwd 'Leave the working directory out of the key'
            cand --no-env 'Leave all variables out of the key'
            cand --no-ignore 'Add files to the key even if `.gitignore` excludes them'
            cand --portable 'Share results between machines and checkouts, see cachex-key(7)'
            cand --auto 'Trace what the command reads, and replay as long as all of it is unchanged'
            cand --tty 'Select the result of --tty at a terminal like this one'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;prune'= {
            cand --max-age 'Remove entries recorded longer ago than this'
            cand --max-size 'Remove the least recently used entries until the store takes no more disk space than this'
            cand --max-entries 'Remove the least recently used entries until this many are left'
            cand --tag 'Consider only entries with this tag'
            cand --cwd 'Consider only entries that ran in this folder'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --expired 'Remove expired entries, even if --stale-if-error could still serve them'
            cand --dry-run 'Show what would be removed, and change nothing'
            cand --yes 'Do not ask for confirmation; only `clear` does'
            cand --json 'Print JSON'
            cand --no-pager 'Use no pager'
            cand --reveal 'Show credentials in command lines instead of `***`'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;clear'= {
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --dry-run 'Show what would be removed, and change nothing'
            cand --yes 'Do not ask for confirmation; only `clear` does'
            cand --json 'Print JSON'
            cand --no-pager 'Use no pager'
            cand --reveal 'Show credentials in command lines instead of `***`'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;export'= {
            cand --to 'Write the archive to this file; `-` is standard output'
            cand --tag 'Export only entries with this tag'
            cand --scope 'Export only entries of this scope'
            cand --cwd 'Export only entries that ran in this folder'
            cand --command 'Export only entries whose command line matches, see `cachex list --help`'
            cand --since 'Export only entries recorded or served since then: `7d`, or a date such as `2026-11-01`'
            cand --max-size 'Export the most recently used entries up to this size in all, before compression'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print JSON'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;import'= {
            cand --max-size 'Refuse an archive that holds more than this [default: the limit of the store]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print JSON'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;log'= {
            cand --limit 'Show at most this many [default: 50]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --json 'Print JSON'
            cand --no-pager 'Use no pager'
            cand --reveal 'Show credentials in command lines instead of `***`'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;stats'= {
            cand --since 'Count calls since then: `7d`, or a date such as `2026-11-01`'
            cand --by 'Add up what the results in the store have saved, by tag or by script'
            cand --format 'Print in this format [default: text]'
            cand --html 'Write a page with charts to this file; `-` is standard output'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --reset 'Reset all counts; recorded results stay'
            cand --yes 'Do not ask for confirmation'
            cand --json 'Print JSON'
            cand --no-pager 'Use no pager'
            cand --reveal 'Show credentials in command lines instead of `***`'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;trace'= {
            cand --format 'Choose how the list is written'
            cand -o 'Write the list to this file instead of standard error'
            cand --output 'Write the list to this file instead of standard error'
            cand --declare 'Print the call of `cachex run` that declares these files as inputs and outputs'
            cand --all 'Include the files of the system: those below /usr, /etc and the like'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand check 'Check whether the remote store works, and if not, what to do'
            cand stats 'Show what was fetched from and sent to the remote store, and its state'
            cand flush 'Wait until all recorded results are in the remote store'
            cand push 'Send results that are recorded already'
            cand invalidate 'Have all machines drop results that were recorded until now'
            cand keygen 'Make a key that results are signed with, and print its public key'
            cand list 'Show which results the remote store holds, and who sent them'
            cand prune 'Remove the least recently used objects from the remote store'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;remote;check'= {
            cand --remote 'The remote store [default: those set for `run`]'
            cand --remote-timeout 'Give up after this long without an answer [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --json 'Print JSON'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote;stats'= {
            cand --by 'Add up what the store holds by who sent it, by tag or by command; every entry is read'
            cand --remote 'The remote store [default: those set for `run`]'
            cand --remote-timeout 'Give up after this long without an answer [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --count 'Count what the store holds, which takes long for a large one'
            cand --metrics 'Print the figures as metrics, in the text format of Prometheus'
            cand --json 'Print JSON'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote;flush'= {
            cand --timeout 'Wait at most this long [default: 10m]'
            cand --remote 'The remote store [default: those set for `run`]'
            cand --remote-timeout 'Give up after this long without an answer [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --json 'Print JSON'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;remote;push'= {
            cand --tag 'Send entries with this tag'
            cand --scope 'Send entries of this scope'
            cand --cwd 'Send entries that ran in this folder'
            cand --command 'Send entries whose command line matches, see `cachex list --help`'
            cand --newer-than 'Send entries recorded no longer ago than this'
            cand --timeout 'Wait at most this long'
            cand --remote 'The remote store [default: those set for `run`]'
            cand --remote-timeout 'Give up after this long without an answer [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --dry-run 'Show how many would be sent, and send nothing'
            cand --json 'Print JSON'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote;invalidate'= {
            cand --older-than 'Invalidate results recorded at least this long ago'
            cand --tag 'Invalidate results with this tag'
            cand --command 'Invalidate results whose command line matches, see `cachex list --help`'
            cand --remote 'The remote store [default: those set for `run`]'
            cand --remote-timeout 'Give up after this long without an answer [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --all 'Invalidate everything'
            cand --json 'Print JSON'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote;keygen'= {
            cand --public 'Print the public key of a file that exists, and make nothing'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote;list'= {
            cand --tag 'Show only entries with this tag'
            cand --scope 'Show only entries of this scope'
            cand --command 'Show only entries whose command line matches, see `cachex list --help`'
            cand --host 'Show only entries that this machine sent'
            cand --user 'Show only entries that this user sent'
            cand --newer-than 'Show only entries recorded no longer ago than this'
            cand --limit 'Show at most this many, the most recently recorded'
            cand --remote 'The remote store [default: those set for `run`]'
            cand --remote-timeout 'Give up after this long without an answer [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --reveal 'Show credentials in command lines'
            cand --json 'Print JSON'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;remote;prune'= {
            cand --max-age 'Remove objects not used for this long; a folder notes uses by the hour'
            cand --max-size 'Remove the least recently used objects until the rest takes no more space than this'
            cand --remote 'The remote store [default: those set for `run`]'
            cand --remote-timeout 'Give up after this long without an answer [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --dry-run 'Show what would be removed, and change nothing'
            cand --json 'Print JSON'
            cand --quiet 'Print neither warnings nor what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote;help'= {
            cand check 'Check whether the remote store works, and if not, what to do'
            cand stats 'Show what was fetched from and sent to the remote store, and its state'
            cand flush 'Wait until all recorded results are in the remote store'
            cand push 'Send results that are recorded already'
            cand invalidate 'Have all machines drop results that were recorded until now'
            cand keygen 'Make a key that results are signed with, and print its public key'
            cand list 'Show which results the remote store holds, and who sent them'
            cand prune 'Remove the least recently used objects from the remote store'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;remote;help;check'= {
        }
        &'cachex;remote;help;stats'= {
        }
        &'cachex;remote;help;flush'= {
        }
        &'cachex;remote;help;push'= {
        }
        &'cachex;remote;help;invalidate'= {
        }
        &'cachex;remote;help;keygen'= {
        }
        &'cachex;remote;help;list'= {
        }
        &'cachex;remote;help;prune'= {
        }
        &'cachex;remote;help;help'= {
        }
        &'cachex;doctor'= {
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --repair 'Repair the problems found; nothing intact is removed'
            cand --json 'Print JSON'
            cand --quiet 'Show no progress'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;config'= {
            cand --profile 'Use the settings of this section of the file, `[profile.NAME]`'
            cand --json 'Print JSON'
            cand --path 'Print the path of the configuration file, whether it exists or not'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand get 'Print the effective value of a setting'
            cand set 'Set a value at the top of the file; the rest of it stays as it is'
            cand edit 'Open the file in VISUAL, EDITOR or vi, and check it'
            cand init 'Write a file to begin with'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;config;get'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;config;set'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;config;edit'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;config;init'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;config;help'= {
            cand get 'Print the effective value of a setting'
            cand set 'Set a value at the top of the file; the rest of it stays as it is'
            cand edit 'Open the file in VISUAL, EDITOR or vi, and check it'
            cand init 'Write a file to begin with'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;config;help;get'= {
        }
        &'cachex;config;help;set'= {
        }
        &'cachex;config;help;edit'= {
        }
        &'cachex;config;help;init'= {
        }
        &'cachex;config;help;help'= {
        }
        &'cachex;allow'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;deny'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;init'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;generate'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;help'= {
            cand run 'Run a command, or replay what it did last time'
            cand sh 'Run a shell script, or replay what it did last time'
            cand explain 'Explain whether a call would hit, and if not, why'
            cand list 'Show which results the store holds'
            cand show 'Show everything about one result'
            cand inputs 'List the files that an automatic result depends on'
            cand forget 'Forget recorded runs: of a command, by key, by tag, by age'
            cand prune 'Remove results that have expired, are old, or exceed a limit'
            cand clear 'Forget everything'
            cand export 'Write recorded results to a file, for another store'
            cand import 'Put the results of an archive into the store'
            cand log 'List recent calls, and what came of each'
            cand stats 'Show hits, misses and the time saved'
            cand trace 'Run a command, and list the files that it read, looked for and wrote'
            cand remote 'Check, measure and flush the store that machines share'
            cand doctor 'Check the store for problems, and repair it'
            cand config 'Show the effective settings, and where each comes from'
            cand allow 'Allow a project''s settings, as they are now'
            cand deny 'Stop using a project''s settings'
            cand init 'Print the code that sets up a shell: completions, wrapped commands and prompts'
            cand completions 'Print a completion script for a shell'
            cand generate 'Write completions and man pages below a folder'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;help;run'= {
        }
        &'cachex;help;sh'= {
        }
        &'cachex;help;explain'= {
        }
        &'cachex;help;list'= {
        }
        &'cachex;help;show'= {
        }
        &'cachex;help;inputs'= {
        }
        &'cachex;help;forget'= {
        }
        &'cachex;help;prune'= {
        }
        &'cachex;help;clear'= {
        }
        &'cachex;help;export'= {
        }
        &'cachex;help;import'= {
        }
        &'cachex;help;log'= {
        }
        &'cachex;help;stats'= {
        }
        &'cachex;help;trace'= {
        }
        &'cachex;help;remote'= {
            cand check 'Check whether the remote store works, and if not, what to do'
            cand stats 'Show what was fetched from and sent to the remote store, and its state'
            cand flush 'Wait until all recorded results are in the remote store'
            cand push 'Send results that are recorded already'
            cand invalidate 'Have all machines drop results that were recorded until now'
            cand keygen 'Make a key that results are signed with, and print its public key'
            cand list 'Show which results the remote store holds, and who sent them'
            cand prune 'Remove the least recently used objects from the remote store'
        }
        &'cachex;help;remote;check'= {
        }
        &'cachex;help;remote;stats'= {
        }
        &'cachex;help;remote;flush'= {
        }
        &'cachex;help;remote;push'= {
        }
        &'cachex;help;remote;invalidate'= {
        }
        &'cachex;help;remote;keygen'= {
        }
        &'cachex;help;remote;list'= {
        }
        &'cachex;help;remote;prune'= {
        }
        &'cachex;help;doctor'= {
        }
        &'cachex;help;config'= {
            cand get 'Print the effective value of a setting'
            cand set 'Set a value at the top of the file; the rest of it stays as it is'
            cand edit 'Open the file in VISUAL, EDITOR or vi, and check it'
            cand init 'Write a file to begin with'
        }
        &'cachex;help;config;get'= {
        }
        &'cachex;help;config;set'= {
        }
        &'cachex;help;config;edit'= {
        }
        &'cachex;help;config;init'= {
        }
        &'cachex;help;allow'= {
        }
        &'cachex;help;deny'= {
        }
        &'cachex;help;init'= {
        }
        &'cachex;help;completions'= {
        }
        &'cachex;help;generate'= {
        }
        &'cachex;help;help'= {
        }
    ]
    $completions[$command]
}
