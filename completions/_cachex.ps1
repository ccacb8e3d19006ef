
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'cachex' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'cachex'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'cachex' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a command, or replay what it did last time')
            [CompletionResult]::new('sh', 'sh', [CompletionResultType]::ParameterValue, 'Run a shell script, or replay what it did last time')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain whether a call would hit, and if not, why')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show which results the store holds')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show everything about one result')
            [CompletionResult]::new('inputs', 'inputs', [CompletionResultType]::ParameterValue, 'List the files that an automatic result depends on')
            [CompletionResult]::new('forget', 'forget', [CompletionResultType]::ParameterValue, 'Forget recorded runs: of a command, by key, by tag, by age')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove results that have expired, are old, or exceed a limit')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Forget everything')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write recorded results to a file, for another store')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Put the results of an archive into the store')
            [CompletionResult]::new('log', 'log', [CompletionResultType]::ParameterValue, 'List recent calls, and what came of each')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Show hits, misses and the time saved')
            [CompletionResult]::new('trace', 'trace', [CompletionResultType]::ParameterValue, 'Run a command, and list the files that it read, looked for and wrote')
            [CompletionResult]::new('remote', 'remote', [CompletionResultType]::ParameterValue, 'Check, measure and flush the store that machines share')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check the store for problems, and repair it')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Show the effective settings, and where each comes from')
            [CompletionResult]::new('allow', 'allow', [CompletionResultType]::ParameterValue, 'Allow a project''s settings, as they are now')
            [CompletionResult]::new('deny', 'deny', [CompletionResultType]::ParameterValue, 'Stop using a project''s settings')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Print the code that sets up a shell: completions, wrapped commands and prompts')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write completions and man pages below a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;run' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]')
            [CompletionResult]::new('--expires-in', '--expires-in', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]')
            [CompletionResult]::new('--failure-expires-in', '--failure-expires-in', [CompletionResultType]::ParameterName, 'The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]')
            [CompletionResult]::new('--exit-codes', '--exit-codes', [CompletionResultType]::ParameterName, 'Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Serve a result older than this, and replace it by one run in the background')
            [CompletionResult]::new('--refresh-after', '--refresh-after', [CompletionResultType]::ParameterName, 'Serve a result older than this, and replace it by one run in the background')
            [CompletionResult]::new('--stale-after', '--stale-after', [CompletionResultType]::ParameterName, 'Serve a result older than this, and replace it by one run in the background')
            [CompletionResult]::new('--stale-ok', '--stale-ok', [CompletionResultType]::ParameterName, 'Serve an expired result up to this long past its expiry, and replace it in the background')
            [CompletionResult]::new('--stale-if-error', '--stale-if-error', [CompletionResultType]::ParameterName, 'If the run fails, serve the last good result up to this long past its expiry')
            [CompletionResult]::new('--jitter', '--jitter', [CompletionResultType]::ParameterName, 'Expire up to this much earlier, each key at its own time [default: 0]')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'Choose how the store is used [default: read-write]')
            [CompletionResult]::new('--miss-status', '--miss-status', [CompletionResultType]::ParameterName, 'Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Run uncached if another caller''s run has printed nothing for this long')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End the command after this long, with status 124')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Choose what a hit prints [default: all]')
            [CompletionResult]::new('--color-strip', '--color-strip', [CompletionResultType]::ParameterName, 'Remove escape sequences such as colors from the output [default: never]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use the settings of this section of config.toml, `[profile.NAME]`')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'Choose how the executable is part of the key [default: stat]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Choose what the command reads, and whether that is part of the key [default: hash]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep the results of this scope apart from those of others')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Add every file listed in this file to the key, one per line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Add the output of this shell command to the key')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Make paths below this folder relative to it in the key')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours')
            [CompletionResult]::new('--auto-ignore', '--auto-ignore', [CompletionResultType]::ParameterName, 'With --auto, ignore these files: a file, a folder or a pattern')
            [CompletionResult]::new('--auto-times', '--auto-times', [CompletionResultType]::ParameterName, 'With --auto, which modification times are part of the key [default: auto]')
            [CompletionResult]::new('--auto-allow', '--auto-allow', [CompletionResultType]::ParameterName, 'With --auto, record runs that use this, too')
            [CompletionResult]::new('--auto-outputs', '--auto-outputs', [CompletionResultType]::ParameterName, 'With --auto, which of the files written are recorded [default: below]')
            [CompletionResult]::new('--auto-quirks', '--auto-quirks', [CompletionResultType]::ParameterName, 'With --auto, what is known of programs that look at their own output [default: auto]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--max-entry-size', '--max-entry-size', [CompletionResultType]::ParameterName, 'Do not record output longer than this [default: 1GiB]')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Limit the disk space of the store; the least recently used results go first [default: 5GiB]')
            [CompletionResult]::new('--max-entries', '--max-entries', [CompletionResultType]::ParameterName, 'Keep about this many results, the most recently used [default: as many as there is room for]')
            [CompletionResult]::new('--compress', '--compress', [CompletionResultType]::ParameterName, 'Compress older output at this level, from 0 (not at all) to 19 [default: 1]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Share results with other machines through the store at this URL, see cachex-remotes(7); repeatable, the nearest first')
            [CompletionResult]::new('--remote-mode', '--remote-mode', [CompletionResultType]::ParameterName, 'Choose how the remote store is used [default: read-write]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up a look-up in the remote store after this long [default: 1s]')
            [CompletionResult]::new('--remote-budget', '--remote-budget', [CompletionResultType]::ParameterName, 'Give up a transfer from there after this long [default: what the run took, or --remote-timeout]')
            [CompletionResult]::new('--remote-max-size', '--remote-max-size', [CompletionResultType]::ParameterName, 'Neither send nor fetch a longer output than this [default: --max-entry-size]')
            [CompletionResult]::new('--remote-signing-key', '--remote-signing-key', [CompletionResultType]::ParameterName, 'Sign what is sent with the private key in this file, see `cachex remote keygen`')
            [CompletionResult]::new('--remote-trust', '--remote-trust', [CompletionResultType]::ParameterName, 'Accept only results signed with this key, or with one''s own; repeatable')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Label the result, run or replayed, for other verbs to select it; repeatable')
            [CompletionResult]::new('--status-file', '--status-file', [CompletionResultType]::ParameterName, 'Write one JSON object about the call to this file when it ends')
            [CompletionResult]::new('--status-fd', '--status-fd', [CompletionResultType]::ParameterName, 'Write that object to this open descriptor instead')
            [CompletionResult]::new('--no-fail', '--no-fail', [CompletionResultType]::ParameterName, 'Record and replay successes only: --exit-codes 0')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Run the command and replace its recorded result: --mode write-only')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run the command and replace its recorded result: --mode write-only')
            [CompletionResult]::new('--no-read', '--no-read', [CompletionResultType]::ParameterName, 'Alias of --force')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Record nothing: --mode read-only')
            [CompletionResult]::new('--warm', '--warm', [CompletionResultType]::ParameterName, 'Start the run in the background, print nothing and return at once')
            [CompletionResult]::new('--cached-only', '--cached-only', [CompletionResultType]::ParameterName, 'Never run the command; exit with --miss-status if there is nothing to replay')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Never wait for a run: with nothing to replay, start one in the background and exit')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--no-concurrent', '--no-concurrent', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--single-flight', '--single-flight', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--finish', '--finish', [CompletionResultType]::ParameterName, 'Let a run go on in the background, and record it, if its caller ends before it does')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'Give the command a terminal of its own if standard output is one')
            [CompletionResult]::new('--mark', '--mark', [CompletionResultType]::ParameterName, 'Print the age of a replayed result below it if standard error is a terminal')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave the working directory out of the key')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave all variables out of the key')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Add files to the key even if `.gitignore` excludes them')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts, see cachex-key(7)')
            [CompletionResult]::new('--auto', '--auto', [CompletionResultType]::ParameterName, 'Trace what the command reads, and replay as long as all of it is unchanged')
            [CompletionResult]::new('--require-outputs', '--require-outputs', [CompletionResultType]::ParameterName, 'Exit with 125 if the command succeeds without creating every output')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Keep the result on this machine even if a remote store is set; it gets the tag `local`')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print no warnings')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print no warnings')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on stderr whether the call was a hit, and how much time that saved')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on stderr whether the call was a hit, and how much time that saved')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;sh' {
            [CompletionResult]::new('--expires-in', '--expires-in', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]')
            [CompletionResult]::new('--failure-expires-in', '--failure-expires-in', [CompletionResultType]::ParameterName, 'The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]')
            [CompletionResult]::new('--exit-codes', '--exit-codes', [CompletionResultType]::ParameterName, 'Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]')
            [CompletionResult]::new('--refresh-after', '--refresh-after', [CompletionResultType]::ParameterName, 'Serve a result older than this, and replace it by one run in the background')
            [CompletionResult]::new('--stale-after', '--stale-after', [CompletionResultType]::ParameterName, 'Serve a result older than this, and replace it by one run in the background')
            [CompletionResult]::new('--stale-ok', '--stale-ok', [CompletionResultType]::ParameterName, 'Serve an expired result up to this long past its expiry, and replace it in the background')
            [CompletionResult]::new('--stale-if-error', '--stale-if-error', [CompletionResultType]::ParameterName, 'If the run fails, serve the last good result up to this long past its expiry')
            [CompletionResult]::new('--jitter', '--jitter', [CompletionResultType]::ParameterName, 'Expire up to this much earlier, each key at its own time [default: 0]')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'Choose how the store is used [default: read-write]')
            [CompletionResult]::new('--miss-status', '--miss-status', [CompletionResultType]::ParameterName, 'Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Run uncached if another caller''s run has printed nothing for this long')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End the command after this long, with status 124')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Choose what a hit prints [default: all]')
            [CompletionResult]::new('--color-strip', '--color-strip', [CompletionResultType]::ParameterName, 'Remove escape sequences such as colors from the output [default: never]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use the settings of this section of config.toml, `[profile.NAME]`')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'Choose how the executable is part of the key [default: stat]')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Choose what the script reads, and whether that is part of the key [default: null]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep the results of this scope apart from those of others')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Add every file listed in this file to the key, one per line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Add the output of this shell command to the key')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Make paths below this folder relative to it in the key')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours')
            [CompletionResult]::new('--auto-ignore', '--auto-ignore', [CompletionResultType]::ParameterName, 'With --auto, ignore these files: a file, a folder or a pattern')
            [CompletionResult]::new('--auto-times', '--auto-times', [CompletionResultType]::ParameterName, 'With --auto, which modification times are part of the key [default: auto]')
            [CompletionResult]::new('--auto-allow', '--auto-allow', [CompletionResultType]::ParameterName, 'With --auto, record runs that use this, too')
            [CompletionResult]::new('--auto-outputs', '--auto-outputs', [CompletionResultType]::ParameterName, 'With --auto, which of the files written are recorded [default: below]')
            [CompletionResult]::new('--auto-quirks', '--auto-quirks', [CompletionResultType]::ParameterName, 'With --auto, what is known of programs that look at their own output [default: auto]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--max-entry-size', '--max-entry-size', [CompletionResultType]::ParameterName, 'Do not record output longer than this [default: 1GiB]')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Limit the disk space of the store; the least recently used results go first [default: 5GiB]')
            [CompletionResult]::new('--max-entries', '--max-entries', [CompletionResultType]::ParameterName, 'Keep about this many results, the most recently used [default: as many as there is room for]')
            [CompletionResult]::new('--compress', '--compress', [CompletionResultType]::ParameterName, 'Compress older output at this level, from 0 (not at all) to 19 [default: 1]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Share results with other machines through the store at this URL, see cachex-remotes(7); repeatable, the nearest first')
            [CompletionResult]::new('--remote-mode', '--remote-mode', [CompletionResultType]::ParameterName, 'Choose how the remote store is used [default: read-write]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up a look-up in the remote store after this long [default: 1s]')
            [CompletionResult]::new('--remote-budget', '--remote-budget', [CompletionResultType]::ParameterName, 'Give up a transfer from there after this long [default: what the run took, or --remote-timeout]')
            [CompletionResult]::new('--remote-max-size', '--remote-max-size', [CompletionResultType]::ParameterName, 'Neither send nor fetch a longer output than this [default: --max-entry-size]')
            [CompletionResult]::new('--remote-signing-key', '--remote-signing-key', [CompletionResultType]::ParameterName, 'Sign what is sent with the private key in this file, see `cachex remote keygen`')
            [CompletionResult]::new('--remote-trust', '--remote-trust', [CompletionResultType]::ParameterName, 'Accept only results signed with this key, or with one''s own; repeatable')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Label the result, run or replayed, for other verbs to select it; repeatable')
            [CompletionResult]::new('--status-file', '--status-file', [CompletionResultType]::ParameterName, 'Write one JSON object about the call to this file when it ends')
            [CompletionResult]::new('--status-fd', '--status-fd', [CompletionResultType]::ParameterName, 'Write that object to this open descriptor instead')
            [CompletionResult]::new('--shell', '--shell', [CompletionResultType]::ParameterName, 'Run the script with this shell, by name or by path [default: /bin/sh]')
            [CompletionResult]::new('--no-fail', '--no-fail', [CompletionResultType]::ParameterName, 'Record and replay successes only: --exit-codes 0')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run the command and replace its recorded result: --mode write-only')
            [CompletionResult]::new('--no-read', '--no-read', [CompletionResultType]::ParameterName, 'Alias of --force')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Record nothing: --mode read-only')
            [CompletionResult]::new('--warm', '--warm', [CompletionResultType]::ParameterName, 'Start the run in the background, print nothing and return at once')
            [CompletionResult]::new('--cached-only', '--cached-only', [CompletionResultType]::ParameterName, 'Never run the command; exit with --miss-status if there is nothing to replay')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Never wait for a run: with nothing to replay, start one in the background and exit')
            [CompletionResult]::new('--no-concurrent', '--no-concurrent', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--single-flight', '--single-flight', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--finish', '--finish', [CompletionResultType]::ParameterName, 'Let a run go on in the background, and record it, if its caller ends before it does')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'Give the command a terminal of its own if standard output is one')
            [CompletionResult]::new('--mark', '--mark', [CompletionResultType]::ParameterName, 'Print the age of a replayed result below it if standard error is a terminal')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave the working directory out of the key')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave all variables out of the key')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Add files to the key even if `.gitignore` excludes them')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts, see cachex-key(7)')
            [CompletionResult]::new('--auto', '--auto', [CompletionResultType]::ParameterName, 'Trace what the command reads, and replay as long as all of it is unchanged')
            [CompletionResult]::new('--require-outputs', '--require-outputs', [CompletionResultType]::ParameterName, 'Exit with 125 if the command succeeds without creating every output')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Keep the result on this machine even if a remote store is set; it gets the tag `local`')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print no warnings')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on stderr whether the call was a hit, and how much time that saved')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;explain' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]')
            [CompletionResult]::new('--expires-in', '--expires-in', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s`, `1h 30m` or `never` [default: never]')
            [CompletionResult]::new('--failure-expires-in', '--failure-expires-in', [CompletionResultType]::ParameterName, 'The same limit for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]')
            [CompletionResult]::new('--exit-codes', '--exit-codes', [CompletionResultType]::ParameterName, 'Record and replay only these exit statuses: `all`, `0`, `0,2`, `0-3` [default: all]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Serve a result older than this, and replace it by one run in the background')
            [CompletionResult]::new('--refresh-after', '--refresh-after', [CompletionResultType]::ParameterName, 'Serve a result older than this, and replace it by one run in the background')
            [CompletionResult]::new('--stale-after', '--stale-after', [CompletionResultType]::ParameterName, 'Serve a result older than this, and replace it by one run in the background')
            [CompletionResult]::new('--stale-ok', '--stale-ok', [CompletionResultType]::ParameterName, 'Serve an expired result up to this long past its expiry, and replace it in the background')
            [CompletionResult]::new('--stale-if-error', '--stale-if-error', [CompletionResultType]::ParameterName, 'If the run fails, serve the last good result up to this long past its expiry')
            [CompletionResult]::new('--jitter', '--jitter', [CompletionResultType]::ParameterName, 'Expire up to this much earlier, each key at its own time [default: 0]')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'Choose how the store is used [default: read-write]')
            [CompletionResult]::new('--miss-status', '--miss-status', [CompletionResultType]::ParameterName, 'Exit with this status if --cached-only (else 125) or --no-wait (else 0) finds nothing')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Run uncached if another caller''s run has printed nothing for this long')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End the command after this long, with status 124')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Choose what a hit prints [default: all]')
            [CompletionResult]::new('--color-strip', '--color-strip', [CompletionResultType]::ParameterName, 'Remove escape sequences such as colors from the output [default: never]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use the settings of this section of config.toml, `[profile.NAME]`')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'Choose how the executable is part of the key [default: stat]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Choose what the command reads, and whether that is part of the key [default: hash]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep the results of this scope apart from those of others')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Add every file listed in this file to the key, one per line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Add the output of this shell command to the key')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Make paths below this folder relative to it in the key')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours')
            [CompletionResult]::new('--auto-ignore', '--auto-ignore', [CompletionResultType]::ParameterName, 'With --auto, ignore these files: a file, a folder or a pattern')
            [CompletionResult]::new('--auto-times', '--auto-times', [CompletionResultType]::ParameterName, 'With --auto, which modification times are part of the key [default: auto]')
            [CompletionResult]::new('--auto-allow', '--auto-allow', [CompletionResultType]::ParameterName, 'With --auto, record runs that use this, too')
            [CompletionResult]::new('--auto-outputs', '--auto-outputs', [CompletionResultType]::ParameterName, 'With --auto, which of the files written are recorded [default: below]')
            [CompletionResult]::new('--auto-quirks', '--auto-quirks', [CompletionResultType]::ParameterName, 'With --auto, what is known of programs that look at their own output [default: auto]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Record this file, folder or pattern of files, and restore it on a hit; `!` in front excludes')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--max-entry-size', '--max-entry-size', [CompletionResultType]::ParameterName, 'Do not record output longer than this [default: 1GiB]')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Limit the disk space of the store; the least recently used results go first [default: 5GiB]')
            [CompletionResult]::new('--max-entries', '--max-entries', [CompletionResultType]::ParameterName, 'Keep about this many results, the most recently used [default: as many as there is room for]')
            [CompletionResult]::new('--compress', '--compress', [CompletionResultType]::ParameterName, 'Compress older output at this level, from 0 (not at all) to 19 [default: 1]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Share results with other machines through the store at this URL, see cachex-remotes(7); repeatable, the nearest first')
            [CompletionResult]::new('--remote-mode', '--remote-mode', [CompletionResultType]::ParameterName, 'Choose how the remote store is used [default: read-write]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up a look-up in the remote store after this long [default: 1s]')
            [CompletionResult]::new('--remote-budget', '--remote-budget', [CompletionResultType]::ParameterName, 'Give up a transfer from there after this long [default: what the run took, or --remote-timeout]')
            [CompletionResult]::new('--remote-max-size', '--remote-max-size', [CompletionResultType]::ParameterName, 'Neither send nor fetch a longer output than this [default: --max-entry-size]')
            [CompletionResult]::new('--remote-signing-key', '--remote-signing-key', [CompletionResultType]::ParameterName, 'Sign what is sent with the private key in this file, see `cachex remote keygen`')
            [CompletionResult]::new('--remote-trust', '--remote-trust', [CompletionResultType]::ParameterName, 'Accept only results signed with this key, or with one''s own; repeatable')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Label the result, run or replayed, for other verbs to select it; repeatable')
            [CompletionResult]::new('--status-file', '--status-file', [CompletionResultType]::ParameterName, 'Write one JSON object about the call to this file when it ends')
            [CompletionResult]::new('--status-fd', '--status-fd', [CompletionResultType]::ParameterName, 'Write that object to this open descriptor instead')
            [CompletionResult]::new('--no-fail', '--no-fail', [CompletionResultType]::ParameterName, 'Record and replay successes only: --exit-codes 0')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Run the command and replace its recorded result: --mode write-only')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run the command and replace its recorded result: --mode write-only')
            [CompletionResult]::new('--no-read', '--no-read', [CompletionResultType]::ParameterName, 'Alias of --force')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Record nothing: --mode read-only')
            [CompletionResult]::new('--warm', '--warm', [CompletionResultType]::ParameterName, 'Start the run in the background, print nothing and return at once')
            [CompletionResult]::new('--cached-only', '--cached-only', [CompletionResultType]::ParameterName, 'Never run the command; exit with --miss-status if there is nothing to replay')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Never wait for a run: with nothing to replay, start one in the background and exit')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--no-concurrent', '--no-concurrent', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--single-flight', '--single-flight', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--finish', '--finish', [CompletionResultType]::ParameterName, 'Let a run go on in the background, and record it, if its caller ends before it does')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'Give the command a terminal of its own if standard output is one')
            [CompletionResult]::new('--mark', '--mark', [CompletionResultType]::ParameterName, 'Print the age of a replayed result below it if standard error is a terminal')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave the working directory out of the key')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave all variables out of the key')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Add files to the key even if `.gitignore` excludes them')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts, see cachex-key(7)')
            [CompletionResult]::new('--auto', '--auto', [CompletionResultType]::ParameterName, 'Trace what the command reads, and replay as long as all of it is unchanged')
            [CompletionResult]::new('--require-outputs', '--require-outputs', [CompletionResultType]::ParameterName, 'Exit with 125 if the command succeeds without creating every output')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Keep the result on this machine even if a remote store is set; it gets the tag `local`')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print no warnings')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print no warnings')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on stderr whether the call was a hit, and how much time that saved')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on stderr whether the call was a hit, and how much time that saved')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'List everything: variables by name and why they are left out, long lists in full')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Show credentials in command lines instead of `***`')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;list' {
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Show only entries with this tag')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Show only entries of this scope')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Show only entries that ran in this folder')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Sort by this [default: used]')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show at most this many')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--stale', '--stale', [CompletionResultType]::ParameterName, 'Show only expired entries')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Show only entries whose exit status is not 0')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Reverse the order')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Use no pager')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Show credentials in command lines instead of `***`')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;show' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use the settings of this section of config.toml, `[profile.NAME]`')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'Choose how the executable is part of the key [default: stat]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Choose what the command reads, and whether that is part of the key [default: hash]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep the results of this scope apart from those of others')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Add every file listed in this file to the key, one per line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Add the output of this shell command to the key')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Make paths below this folder relative to it in the key')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours')
            [CompletionResult]::new('--auto-ignore', '--auto-ignore', [CompletionResultType]::ParameterName, 'With --auto, ignore these files: a file, a folder or a pattern')
            [CompletionResult]::new('--auto-times', '--auto-times', [CompletionResultType]::ParameterName, 'With --auto, which modification times are part of the key [default: auto]')
            [CompletionResult]::new('--auto-allow', '--auto-allow', [CompletionResultType]::ParameterName, 'With --auto, record runs that use this, too')
            [CompletionResult]::new('--auto-outputs', '--auto-outputs', [CompletionResultType]::ParameterName, 'With --auto, which of the files written are recorded [default: below]')
            [CompletionResult]::new('--auto-quirks', '--auto-quirks', [CompletionResultType]::ParameterName, 'With --auto, what is known of programs that look at their own output [default: auto]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Name the remote store that shares the result')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--stdout', '--stdout', [CompletionResultType]::ParameterName, 'Print the command''s standard output, byte for byte')
            [CompletionResult]::new('--stderr', '--stderr', [CompletionResultType]::ParameterName, 'Print the command''s standard error, to standard output')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Print both streams as the command did, each to its own')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Use no pager')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Show credentials in the command line instead of `***`')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave the working directory out of the key')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave all variables out of the key')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Add files to the key even if `.gitignore` excludes them')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts, see cachex-key(7)')
            [CompletionResult]::new('--auto', '--auto', [CompletionResultType]::ParameterName, 'Trace what the command reads, and replay as long as all of it is unchanged')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'Select the result of --tty at a terminal like this one')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;inputs' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use the settings of this section of config.toml, `[profile.NAME]`')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'Choose how the executable is part of the key [default: stat]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Choose what the command reads, and whether that is part of the key [default: hash]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep the results of this scope apart from those of others')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Add every file listed in this file to the key, one per line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Add the output of this shell command to the key')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Make paths below this folder relative to it in the key')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours')
            [CompletionResult]::new('--auto-ignore', '--auto-ignore', [CompletionResultType]::ParameterName, 'With --auto, ignore these files: a file, a folder or a pattern')
            [CompletionResult]::new('--auto-times', '--auto-times', [CompletionResultType]::ParameterName, 'With --auto, which modification times are part of the key [default: auto]')
            [CompletionResult]::new('--auto-allow', '--auto-allow', [CompletionResultType]::ParameterName, 'With --auto, record runs that use this, too')
            [CompletionResult]::new('--auto-outputs', '--auto-outputs', [CompletionResultType]::ParameterName, 'With --auto, which of the files written are recorded [default: below]')
            [CompletionResult]::new('--auto-quirks', '--auto-quirks', [CompletionResultType]::ParameterName, 'With --auto, what is known of programs that look at their own output [default: auto]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Name the remote store that shares the result')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'List folders on the way too, and links')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Show them without a pager')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave the working directory out of the key')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave all variables out of the key')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Add files to the key even if `.gitignore` excludes them')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts, see cachex-key(7)')
            [CompletionResult]::new('--auto', '--auto', [CompletionResultType]::ParameterName, 'Trace what the command reads, and replay as long as all of it is unchanged')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'Select the result of --tty at a terminal like this one')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;forget' {
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Forget entries with this tag')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Forget entries that ran in this folder')
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Forget entries recorded longer ago than this')
            [CompletionResult]::new('--command', '--command', [CompletionResultType]::ParameterName, 'Forget entries whose command line matches, see `cachex list --help`')
            [CompletionResult]::new('--remote-mode', '--remote-mode', [CompletionResultType]::ParameterName, 'Choose how the remote store is used [default: read-write]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use the settings of this section of config.toml, `[profile.NAME]`')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'Choose how the executable is part of the key [default: stat]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave the variables that match these patterns out of the key; `+` in front adds to the settings')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Choose what the command reads, and whether that is part of the key [default: hash]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Add this text to the key, for anything else that the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep the results of this scope apart from those of others')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Add these files to the key: a file, a folder or a pattern; `!` in front excludes')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Add every file listed in this file to the key, one per line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Add the output of this shell command to the key')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Make paths below this folder relative to it in the key')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours')
            [CompletionResult]::new('--auto-ignore', '--auto-ignore', [CompletionResultType]::ParameterName, 'With --auto, ignore these files: a file, a folder or a pattern')
            [CompletionResult]::new('--auto-times', '--auto-times', [CompletionResultType]::ParameterName, 'With --auto, which modification times are part of the key [default: auto]')
            [CompletionResult]::new('--auto-allow', '--auto-allow', [CompletionResultType]::ParameterName, 'With --auto, record runs that use this, too')
            [CompletionResult]::new('--auto-outputs', '--auto-outputs', [CompletionResultType]::ParameterName, 'With --auto, which of the files written are recorded [default: below]')
            [CompletionResult]::new('--auto-quirks', '--auto-quirks', [CompletionResultType]::ParameterName, 'With --auto, what is known of programs that look at their own output [default: auto]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Name the remote store that shares the result')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Forget entries whose exit status is not 0')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be removed, and change nothing')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation; only `clear` does')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Use no pager')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Show credentials in command lines instead of `***`')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave the working directory out of the key')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave all variables out of the key')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Add files to the key even if `.gitignore` excludes them')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts, see cachex-key(7)')
            [CompletionResult]::new('--auto', '--auto', [CompletionResultType]::ParameterName, 'Trace what the command reads, and replay as long as all of it is unchanged')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'Select the result of --tty at a terminal like this one')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;prune' {
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Remove entries recorded longer ago than this')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Remove the least recently used entries until the store takes no more disk space than this')
            [CompletionResult]::new('--max-entries', '--max-entries', [CompletionResultType]::ParameterName, 'Remove the least recently used entries until this many are left')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Consider only entries with this tag')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Consider only entries that ran in this folder')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--expired', '--expired', [CompletionResultType]::ParameterName, 'Remove expired entries, even if --stale-if-error could still serve them')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be removed, and change nothing')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation; only `clear` does')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Use no pager')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Show credentials in command lines instead of `***`')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;clear' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be removed, and change nothing')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation; only `clear` does')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Use no pager')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Show credentials in command lines instead of `***`')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;export' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Write the archive to this file; `-` is standard output')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Export only entries with this tag')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Export only entries of this scope')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Export only entries that ran in this folder')
            [CompletionResult]::new('--command', '--command', [CompletionResultType]::ParameterName, 'Export only entries whose command line matches, see `cachex list --help`')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Export only entries recorded or served since then: `7d`, or a date such as `2026-11-01`')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Export the most recently used entries up to this size in all, before compression')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;import' {
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Refuse an archive that holds more than this [default: the limit of the store]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;log' {
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show at most this many [default: 50]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Use no pager')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Show credentials in command lines instead of `***`')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;stats' {
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Count calls since then: `7d`, or a date such as `2026-11-01`')
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'Add up what the results in the store have saved, by tag or by script')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print in this format [default: text]')
            [CompletionResult]::new('--html', '--html', [CompletionResultType]::ParameterName, 'Write a page with charts to this file; `-` is standard output')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--reset', '--reset', [CompletionResultType]::ParameterName, 'Reset all counts; recorded results stay')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Use no pager')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Show credentials in command lines instead of `***`')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;trace' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Choose how the list is written')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the list to this file instead of standard error')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write the list to this file instead of standard error')
            [CompletionResult]::new('--declare', '--declare', [CompletionResultType]::ParameterName, 'Print the call of `cachex run` that declares these files as inputs and outputs')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Include the files of the system: those below /usr, /etc and the like')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check whether the remote store works, and if not, what to do')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Show what was fetched from and sent to the remote store, and its state')
            [CompletionResult]::new('flush', 'flush', [CompletionResultType]::ParameterValue, 'Wait until all recorded results are in the remote store')
            [CompletionResult]::new('push', 'push', [CompletionResultType]::ParameterValue, 'Send results that are recorded already')
            [CompletionResult]::new('invalidate', 'invalidate', [CompletionResultType]::ParameterValue, 'Have all machines drop results that were recorded until now')
            [CompletionResult]::new('keygen', 'keygen', [CompletionResultType]::ParameterValue, 'Make a key that results are signed with, and print its public key')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show which results the remote store holds, and who sent them')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove the least recently used objects from the remote store')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;remote;check' {
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: those set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up after this long without an answer [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote;stats' {
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'Add up what the store holds by who sent it, by tag or by command; every entry is read')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: those set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up after this long without an answer [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Count what the store holds, which takes long for a large one')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Print the figures as metrics, in the text format of Prometheus')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote;flush' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Wait at most this long [default: 10m]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: those set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up after this long without an answer [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;remote;push' {
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Send entries with this tag')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Send entries of this scope')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Send entries that ran in this folder')
            [CompletionResult]::new('--command', '--command', [CompletionResultType]::ParameterName, 'Send entries whose command line matches, see `cachex list --help`')
            [CompletionResult]::new('--newer-than', '--newer-than', [CompletionResultType]::ParameterName, 'Send entries recorded no longer ago than this')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Wait at most this long')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: those set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up after this long without an answer [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show how many would be sent, and send nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote;invalidate' {
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Invalidate results recorded at least this long ago')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Invalidate results with this tag')
            [CompletionResult]::new('--command', '--command', [CompletionResultType]::ParameterName, 'Invalidate results whose command line matches, see `cachex list --help`')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: those set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up after this long without an answer [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Invalidate everything')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote;keygen' {
            [CompletionResult]::new('--public', '--public', [CompletionResultType]::ParameterName, 'Print the public key of a file that exists, and make nothing')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote;list' {
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Show only entries with this tag')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Show only entries of this scope')
            [CompletionResult]::new('--command', '--command', [CompletionResultType]::ParameterName, 'Show only entries whose command line matches, see `cachex list --help`')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Show only entries that this machine sent')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Show only entries that this user sent')
            [CompletionResult]::new('--newer-than', '--newer-than', [CompletionResultType]::ParameterName, 'Show only entries recorded no longer ago than this')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show at most this many, the most recently recorded')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: those set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up after this long without an answer [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Show credentials in command lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;remote;prune' {
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Remove objects not used for this long; a folder notes uses by the hour')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Remove the least recently used objects until the rest takes no more space than this')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: those set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up after this long without an answer [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be removed, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither warnings nor what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote;help' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check whether the remote store works, and if not, what to do')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Show what was fetched from and sent to the remote store, and its state')
            [CompletionResult]::new('flush', 'flush', [CompletionResultType]::ParameterValue, 'Wait until all recorded results are in the remote store')
            [CompletionResult]::new('push', 'push', [CompletionResultType]::ParameterValue, 'Send results that are recorded already')
            [CompletionResult]::new('invalidate', 'invalidate', [CompletionResultType]::ParameterValue, 'Have all machines drop results that were recorded until now')
            [CompletionResult]::new('keygen', 'keygen', [CompletionResultType]::ParameterValue, 'Make a key that results are signed with, and print its public key')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show which results the remote store holds, and who sent them')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove the least recently used objects from the remote store')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;remote;help;check' {
            break
        }
        'cachex;remote;help;stats' {
            break
        }
        'cachex;remote;help;flush' {
            break
        }
        'cachex;remote;help;push' {
            break
        }
        'cachex;remote;help;invalidate' {
            break
        }
        'cachex;remote;help;keygen' {
            break
        }
        'cachex;remote;help;list' {
            break
        }
        'cachex;remote;help;prune' {
            break
        }
        'cachex;remote;help;help' {
            break
        }
        'cachex;doctor' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--repair', '--repair', [CompletionResultType]::ParameterName, 'Repair the problems found; nothing intact is removed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Show no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;config' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use the settings of this section of the file, `[profile.NAME]`')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Print the path of the configuration file, whether it exists or not')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Print the effective value of a setting')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set a value at the top of the file; the rest of it stays as it is')
            [CompletionResult]::new('edit', 'edit', [CompletionResultType]::ParameterValue, 'Open the file in VISUAL, EDITOR or vi, and check it')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a file to begin with')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;config;get' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;config;set' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;config;edit' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;config;init' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;config;help' {
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Print the effective value of a setting')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set a value at the top of the file; the rest of it stays as it is')
            [CompletionResult]::new('edit', 'edit', [CompletionResultType]::ParameterValue, 'Open the file in VISUAL, EDITOR or vi, and check it')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a file to begin with')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;config;help;get' {
            break
        }
        'cachex;config;help;set' {
            break
        }
        'cachex;config;help;edit' {
            break
        }
        'cachex;config;help;init' {
            break
        }
        'cachex;config;help;help' {
            break
        }
        'cachex;allow' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;deny' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;init' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;generate' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;help' {
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a command, or replay what it did last time')
            [CompletionResult]::new('sh', 'sh', [CompletionResultType]::ParameterValue, 'Run a shell script, or replay what it did last time')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain whether a call would hit, and if not, why')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show which results the store holds')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show everything about one result')
            [CompletionResult]::new('inputs', 'inputs', [CompletionResultType]::ParameterValue, 'List the files that an automatic result depends on')
            [CompletionResult]::new('forget', 'forget', [CompletionResultType]::ParameterValue, 'Forget recorded runs: of a command, by key, by tag, by age')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove results that have expired, are old, or exceed a limit')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Forget everything')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write recorded results to a file, for another store')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Put the results of an archive into the store')
            [CompletionResult]::new('log', 'log', [CompletionResultType]::ParameterValue, 'List recent calls, and what came of each')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Show hits, misses and the time saved')
            [CompletionResult]::new('trace', 'trace', [CompletionResultType]::ParameterValue, 'Run a command, and list the files that it read, looked for and wrote')
            [CompletionResult]::new('remote', 'remote', [CompletionResultType]::ParameterValue, 'Check, measure and flush the store that machines share')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check the store for problems, and repair it')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Show the effective settings, and where each comes from')
            [CompletionResult]::new('allow', 'allow', [CompletionResultType]::ParameterValue, 'Allow a project''s settings, as they are now')
            [CompletionResult]::new('deny', 'deny', [CompletionResultType]::ParameterValue, 'Stop using a project''s settings')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Print the code that sets up a shell: completions, wrapped commands and prompts')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write completions and man pages below a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;help;run' {
            break
        }
        'cachex;help;sh' {
            break
        }
        'cachex;help;explain' {
            break
        }
        'cachex;help;list' {
            break
        }
        'cachex;help;show' {
            break
        }
        'cachex;help;inputs' {
            break
        }
        'cachex;help;forget' {
            break
        }
        'cachex;help;prune' {
            break
        }
        'cachex;help;clear' {
            break
        }
        'cachex;help;export' {
            break
        }
        'cachex;help;import' {
            break
        }
        'cachex;help;log' {
            break
        }
        'cachex;help;stats' {
            break
        }
        'cachex;help;trace' {
            break
        }
        'cachex;help;remote' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check whether the remote store works, and if not, what to do')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Show what was fetched from and sent to the remote store, and its state')
            [CompletionResult]::new('flush', 'flush', [CompletionResultType]::ParameterValue, 'Wait until all recorded results are in the remote store')
            [CompletionResult]::new('push', 'push', [CompletionResultType]::ParameterValue, 'Send results that are recorded already')
            [CompletionResult]::new('invalidate', 'invalidate', [CompletionResultType]::ParameterValue, 'Have all machines drop results that were recorded until now')
            [CompletionResult]::new('keygen', 'keygen', [CompletionResultType]::ParameterValue, 'Make a key that results are signed with, and print its public key')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show which results the remote store holds, and who sent them')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove the least recently used objects from the remote store')
            break
        }
        'cachex;help;remote;check' {
            break
        }
        'cachex;help;remote;stats' {
            break
        }
        'cachex;help;remote;flush' {
            break
        }
        'cachex;help;remote;push' {
            break
        }
        'cachex;help;remote;invalidate' {
            break
        }
        'cachex;help;remote;keygen' {
            break
        }
        'cachex;help;remote;list' {
            break
        }
        'cachex;help;remote;prune' {
            break
        }
        'cachex;help;doctor' {
            break
        }
        'cachex;help;config' {
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Print the effective value of a setting')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set a value at the top of the file; the rest of it stays as it is')
            [CompletionResult]::new('edit', 'edit', [CompletionResultType]::ParameterValue, 'Open the file in VISUAL, EDITOR or vi, and check it')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a file to begin with')
            break
        }
        'cachex;help;config;get' {
            break
        }
        'cachex;help;config;set' {
            break
        }
        'cachex;help;config;edit' {
            break
        }
        'cachex;help;config;init' {
            break
        }
        'cachex;help;allow' {
            break
        }
        'cachex;help;deny' {
            break
        }
        'cachex;help;init' {
            break
        }
        'cachex;help;completions' {
            break
        }
        'cachex;help;generate' {
            break
        }
        'cachex;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
