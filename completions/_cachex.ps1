
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
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say whether a call would hit, and if not, why')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show which results the store holds')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show everything about one result')
            [CompletionResult]::new('forget', 'forget', [CompletionResultType]::ParameterValue, 'Forget recorded runs: of a command, by key, by tag, by age')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Drop what has expired, what is old, what is too much')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Forget everything')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write recorded results to a file, for another store')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Put the results of an archive into the store')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Say what was hit, what was run, and what that saved')
            [CompletionResult]::new('remote', 'remote', [CompletionResultType]::ParameterValue, 'Look after the store that machines share')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Say what is wrong with the store, and mend it')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Say which settings hold, and where each comes from')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write completions and man pages below a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;run' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--expires-in', '--expires-in', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--failure-expires-in', '--failure-expires-in', [CompletionResultType]::ParameterName, 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]')
            [CompletionResult]::new('--exit-codes', '--exit-codes', [CompletionResultType]::ParameterName, 'Which exit statuses are recorded and replayed: `all`, `0`, `0,2`, `0-3` [default: all]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Serve what is older than this and start one run in the background that replaces it')
            [CompletionResult]::new('--refresh-after', '--refresh-after', [CompletionResultType]::ParameterName, 'Serve what is older than this and start one run in the background that replaces it')
            [CompletionResult]::new('--stale-after', '--stale-after', [CompletionResultType]::ParameterName, 'Serve what is older than this and start one run in the background that replaces it')
            [CompletionResult]::new('--stale-if-error', '--stale-if-error', [CompletionResultType]::ParameterName, 'If the run fails, serve the last good result up to this long past its expiry')
            [CompletionResult]::new('--jitter', '--jitter', [CompletionResultType]::ParameterName, 'Expire up to this much earlier, each key at its own time [default: 0]')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'What of the store is used [default: read-write]')
            [CompletionResult]::new('--miss-status', '--miss-status', [CompletionResultType]::ParameterName, 'How --cached-only ends if there is nothing to replay [default: 125]')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Run uncached once another caller''s run has shown nothing for this long')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End the command after this long, with status 124')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'How the executable counts [default: stat]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Count only these variables, each a name or a pattern such as `AWS_*`')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Count only these variables, each a name or a pattern such as `AWS_*`')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave out the variables that match these patterns')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'What the command gets as standard input, and whether it counts [default: hash]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep this result apart from those of other scopes')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Count every file that this file lists, one a line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Count what this shell command prints')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Count paths below this folder as if it lay elsewhere')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--max-entry-size', '--max-entry-size', [CompletionResultType]::ParameterName, 'Do not record a longer output than this [default: 1GiB]')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Let the store take no more of the disk than this; the least recently used go [default: 5GiB]')
            [CompletionResult]::new('--max-entries', '--max-entries', [CompletionResultType]::ParameterName, 'Keep about so many results, the most recently used [default: as many as there is room for]')
            [CompletionResult]::new('--compress', '--compress', [CompletionResultType]::ParameterName, 'How hard older output is compressed, from 0, not at all, to 19 [default: 1]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Share results with other machines in the store at this URL; see README for the kinds')
            [CompletionResult]::new('--remote-mode', '--remote-mode', [CompletionResultType]::ParameterName, 'What of that store is used [default: read-write]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up looking there after this long [default: 1s]')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Label the result, run or replayed, for other verbs to find it by; may be given repeatedly')
            [CompletionResult]::new('--status-file', '--status-file', [CompletionResultType]::ParameterName, 'Write one JSON object about the call to this file')
            [CompletionResult]::new('--status-fd', '--status-fd', [CompletionResultType]::ParameterName, 'Write it to this open descriptor')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Run the command and replace what is recorded: --mode write-only')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run the command and replace what is recorded: --mode write-only')
            [CompletionResult]::new('--no-read', '--no-read', [CompletionResultType]::ParameterName, 'The same as --force')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Record nothing: --mode read-only')
            [CompletionResult]::new('--warm', '--warm', [CompletionResultType]::ParameterName, 'Start the run in the background, print nothing and return at once')
            [CompletionResult]::new('--cached-only', '--cached-only', [CompletionResultType]::ParameterName, 'Never run the command; if there is nothing to replay, end with --miss-status')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--no-concurrent', '--no-concurrent', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--single-flight', '--single-flight', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'If standard output is a terminal, give the command one of its own')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave out the working directory')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave out all variables')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Count files too that `.gitignore` leaves out')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts: see README for what it stands for')
            [CompletionResult]::new('--require-outputs', '--require-outputs', [CompletionResultType]::ParameterName, 'End with 125 if the command made one of them not, instead of recording that')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Do not warn')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on stderr whether it was a hit, and what that saved')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on stderr whether it was a hit, and what that saved')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;sh' {
            [CompletionResult]::new('--expires-in', '--expires-in', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--failure-expires-in', '--failure-expires-in', [CompletionResultType]::ParameterName, 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]')
            [CompletionResult]::new('--exit-codes', '--exit-codes', [CompletionResultType]::ParameterName, 'Which exit statuses are recorded and replayed: `all`, `0`, `0,2`, `0-3` [default: all]')
            [CompletionResult]::new('--refresh-after', '--refresh-after', [CompletionResultType]::ParameterName, 'Serve what is older than this and start one run in the background that replaces it')
            [CompletionResult]::new('--stale-after', '--stale-after', [CompletionResultType]::ParameterName, 'Serve what is older than this and start one run in the background that replaces it')
            [CompletionResult]::new('--stale-if-error', '--stale-if-error', [CompletionResultType]::ParameterName, 'If the run fails, serve the last good result up to this long past its expiry')
            [CompletionResult]::new('--jitter', '--jitter', [CompletionResultType]::ParameterName, 'Expire up to this much earlier, each key at its own time [default: 0]')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'What of the store is used [default: read-write]')
            [CompletionResult]::new('--miss-status', '--miss-status', [CompletionResultType]::ParameterName, 'How --cached-only ends if there is nothing to replay [default: 125]')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Run uncached once another caller''s run has shown nothing for this long')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End the command after this long, with status 124')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'How the executable counts [default: stat]')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Count only these variables, each a name or a pattern such as `AWS_*`')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave out the variables that match these patterns')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'What the script gets as standard input, and whether it counts [default: null]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep this result apart from those of other scopes')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Count every file that this file lists, one a line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Count what this shell command prints')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Count paths below this folder as if it lay elsewhere')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--max-entry-size', '--max-entry-size', [CompletionResultType]::ParameterName, 'Do not record a longer output than this [default: 1GiB]')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Let the store take no more of the disk than this; the least recently used go [default: 5GiB]')
            [CompletionResult]::new('--max-entries', '--max-entries', [CompletionResultType]::ParameterName, 'Keep about so many results, the most recently used [default: as many as there is room for]')
            [CompletionResult]::new('--compress', '--compress', [CompletionResultType]::ParameterName, 'How hard older output is compressed, from 0, not at all, to 19 [default: 1]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Share results with other machines in the store at this URL; see README for the kinds')
            [CompletionResult]::new('--remote-mode', '--remote-mode', [CompletionResultType]::ParameterName, 'What of that store is used [default: read-write]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up looking there after this long [default: 1s]')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Label the result, run or replayed, for other verbs to find it by; may be given repeatedly')
            [CompletionResult]::new('--status-file', '--status-file', [CompletionResultType]::ParameterName, 'Write one JSON object about the call to this file')
            [CompletionResult]::new('--status-fd', '--status-fd', [CompletionResultType]::ParameterName, 'Write it to this open descriptor')
            [CompletionResult]::new('--shell', '--shell', [CompletionResultType]::ParameterName, 'Which shell runs the script, by name or by path [default: /bin/sh]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run the command and replace what is recorded: --mode write-only')
            [CompletionResult]::new('--no-read', '--no-read', [CompletionResultType]::ParameterName, 'The same as --force')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Record nothing: --mode read-only')
            [CompletionResult]::new('--warm', '--warm', [CompletionResultType]::ParameterName, 'Start the run in the background, print nothing and return at once')
            [CompletionResult]::new('--cached-only', '--cached-only', [CompletionResultType]::ParameterName, 'Never run the command; if there is nothing to replay, end with --miss-status')
            [CompletionResult]::new('--no-concurrent', '--no-concurrent', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--single-flight', '--single-flight', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'If standard output is a terminal, give the command one of its own')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave out the working directory')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave out all variables')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Count files too that `.gitignore` leaves out')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts: see README for what it stands for')
            [CompletionResult]::new('--require-outputs', '--require-outputs', [CompletionResultType]::ParameterName, 'End with 125 if the command made one of them not, instead of recording that')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on stderr whether it was a hit, and what that saved')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;explain' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--expires-in', '--expires-in', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--failure-expires-in', '--failure-expires-in', [CompletionResultType]::ParameterName, 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]')
            [CompletionResult]::new('--exit-codes', '--exit-codes', [CompletionResultType]::ParameterName, 'Which exit statuses are recorded and replayed: `all`, `0`, `0,2`, `0-3` [default: all]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Serve what is older than this and start one run in the background that replaces it')
            [CompletionResult]::new('--refresh-after', '--refresh-after', [CompletionResultType]::ParameterName, 'Serve what is older than this and start one run in the background that replaces it')
            [CompletionResult]::new('--stale-after', '--stale-after', [CompletionResultType]::ParameterName, 'Serve what is older than this and start one run in the background that replaces it')
            [CompletionResult]::new('--stale-if-error', '--stale-if-error', [CompletionResultType]::ParameterName, 'If the run fails, serve the last good result up to this long past its expiry')
            [CompletionResult]::new('--jitter', '--jitter', [CompletionResultType]::ParameterName, 'Expire up to this much earlier, each key at its own time [default: 0]')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'What of the store is used [default: read-write]')
            [CompletionResult]::new('--miss-status', '--miss-status', [CompletionResultType]::ParameterName, 'How --cached-only ends if there is nothing to replay [default: 125]')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'Run uncached once another caller''s run has shown nothing for this long')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End the command after this long, with status 124')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'How the executable counts [default: stat]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Count only these variables, each a name or a pattern such as `AWS_*`')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Count only these variables, each a name or a pattern such as `AWS_*`')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave out the variables that match these patterns')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'What the command gets as standard input, and whether it counts [default: hash]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep this result apart from those of other scopes')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Count every file that this file lists, one a line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Count what this shell command prints')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Count paths below this folder as if it lay elsewhere')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--max-entry-size', '--max-entry-size', [CompletionResultType]::ParameterName, 'Do not record a longer output than this [default: 1GiB]')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Let the store take no more of the disk than this; the least recently used go [default: 5GiB]')
            [CompletionResult]::new('--max-entries', '--max-entries', [CompletionResultType]::ParameterName, 'Keep about so many results, the most recently used [default: as many as there is room for]')
            [CompletionResult]::new('--compress', '--compress', [CompletionResultType]::ParameterName, 'How hard older output is compressed, from 0, not at all, to 19 [default: 1]')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Share results with other machines in the store at this URL; see README for the kinds')
            [CompletionResult]::new('--remote-mode', '--remote-mode', [CompletionResultType]::ParameterName, 'What of that store is used [default: read-write]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up looking there after this long [default: 1s]')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Label the result, run or replayed, for other verbs to find it by; may be given repeatedly')
            [CompletionResult]::new('--status-file', '--status-file', [CompletionResultType]::ParameterName, 'Write one JSON object about the call to this file')
            [CompletionResult]::new('--status-fd', '--status-fd', [CompletionResultType]::ParameterName, 'Write it to this open descriptor')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Run the command and replace what is recorded: --mode write-only')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run the command and replace what is recorded: --mode write-only')
            [CompletionResult]::new('--no-read', '--no-read', [CompletionResultType]::ParameterName, 'The same as --force')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Record nothing: --mode read-only')
            [CompletionResult]::new('--warm', '--warm', [CompletionResultType]::ParameterName, 'Start the run in the background, print nothing and return at once')
            [CompletionResult]::new('--cached-only', '--cached-only', [CompletionResultType]::ParameterName, 'Never run the command; if there is nothing to replay, end with --miss-status')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--no-concurrent', '--no-concurrent', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--single-flight', '--single-flight', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others follow its output')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'If standard output is a terminal, give the command one of its own')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave out the working directory')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave out all variables')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Count files too that `.gitignore` leaves out')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts: see README for what it stands for')
            [CompletionResult]::new('--require-outputs', '--require-outputs', [CompletionResultType]::ParameterName, 'End with 125 if the command made one of them not, instead of recording that')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Do not warn')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on stderr whether it was a hit, and what that saved')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on stderr whether it was a hit, and what that saved')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'List the variables too, by name')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;list' {
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Only those with this tag')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Only those of this scope')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only those that ran in this folder')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'What comes first [default: used]')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most so many')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--stale', '--stale', [CompletionResultType]::ParameterName, 'Only those that have expired')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only those whose exit status is not 0')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'The other way round')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Show it without a pager')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;show' {
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'How the executable counts [default: stat]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Count only these variables, each a name or a pattern such as `AWS_*`')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Count only these variables, each a name or a pattern such as `AWS_*`')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave out the variables that match these patterns')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'What the command gets as standard input, and whether it counts [default: hash]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep this result apart from those of other scopes')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Count every file that this file lists, one a line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Count what this shell command prints')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Count paths below this folder as if it lay elsewhere')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store that it is shared through')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--stdout', '--stdout', [CompletionResultType]::ParameterName, 'Print what the command wrote to standard output, byte for byte')
            [CompletionResult]::new('--stderr', '--stderr', [CompletionResultType]::ParameterName, 'Print what it wrote to standard error, to standard output')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Print both as it wrote them, each to its own stream')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Show it without a pager')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave out the working directory')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave out all variables')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Count files too that `.gitignore` leaves out')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts: see README for what it stands for')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'The run at a terminal of this kind and size')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;forget' {
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Those with this tag')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Those that ran in this folder')
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Those that were recorded longer ago than this')
            [CompletionResult]::new('--command', '--command', [CompletionResultType]::ParameterName, 'Those whose command line matches, see `cachex list --help`')
            [CompletionResult]::new('--remote-mode', '--remote-mode', [CompletionResultType]::ParameterName, 'What of the remote store is used [default: read-write]')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'How the executable counts [default: stat]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Count only these variables, each a name or a pattern such as `AWS_*`')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Count only these variables, each a name or a pattern such as `AWS_*`')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave out the variables that match these patterns')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'What the command gets as standard input, and whether it counts [default: hash]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep this result apart from those of other scopes')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out')
            [CompletionResult]::new('--input-from', '--input-from', [CompletionResultType]::ParameterName, 'Count every file that this file lists, one a line; `-` reads standard input')
            [CompletionResult]::new('--input-command', '--input-command', [CompletionResultType]::ParameterName, 'Count what this shell command prints')
            [CompletionResult]::new('--base-dir', '--base-dir', [CompletionResultType]::ParameterName, 'Count paths below this folder as if it lay elsewhere')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store that it is shared through')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Those whose exit status is not 0')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would go, and change nothing')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask; only `clear` does')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Show it without a pager')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave out the working directory')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave out all variables')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Count files too that `.gitignore` leaves out')
            [CompletionResult]::new('--portable', '--portable', [CompletionResultType]::ParameterName, 'Share results between machines and checkouts: see README for what it stands for')
            [CompletionResult]::new('--tty', '--tty', [CompletionResultType]::ParameterName, 'The run at a terminal of this kind and size')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;prune' {
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'What was recorded longer ago than this')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'The least recently used, until the store takes no more of the disk than this')
            [CompletionResult]::new('--max-entries', '--max-entries', [CompletionResultType]::ParameterName, 'The least recently used of more than so many')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'All this only among those with this tag')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'All this only among those that ran in this folder')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--expired', '--expired', [CompletionResultType]::ParameterName, 'What has expired, also what --stale-if-error could still serve')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would go, and change nothing')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask; only `clear` does')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Show it without a pager')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;clear' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would go, and change nothing')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask; only `clear` does')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Show it without a pager')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;export' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Where the archive goes; `-` is standard output')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'Those with this tag')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Those of this scope')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Those that ran in this folder')
            [CompletionResult]::new('--command', '--command', [CompletionResultType]::ParameterName, 'Those whose command line matches, see `cachex list --help`')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Those that were recorded or served since then: `7d`, or a date such as `2026-11-01`')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'The most recently used that come to so much in all, before it is compressed')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;import' {
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Refuse an archive that holds more than this [default: what the store may hold]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;stats' {
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Count from then on: `7d`, or a date such as `2026-11-01`')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print it [default: text]')
            [CompletionResult]::new('--html', '--html', [CompletionResultType]::ParameterName, 'Write a page with charts to this file; `-` is standard output')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--reset', '--reset', [CompletionResultType]::ParameterName, 'Count from nothing again; what is recorded stays')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Show it without a pager')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say whether the remote store works, and if not, what to do')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Say what came from the remote store, what went there, and how it is')
            [CompletionResult]::new('flush', 'flush', [CompletionResultType]::ParameterValue, 'Wait until everything that was recorded is in the remote store')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Take the least recently used out of a folder that machines share')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;remote;check' {
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: what is set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up looking there after this long [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote;stats' {
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: what is set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up looking there after this long [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Ask it how much it holds, which takes long where that is much')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;remote;flush' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Wait no longer than this')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: what is set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up looking there after this long [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;remote;prune' {
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'What was not used for this long; uses are noted by the hour')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'The least recently used, until the rest takes no more of the disk than this')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'The remote store [default: what is set for `run`]')
            [CompletionResult]::new('--remote-timeout', '--remote-timeout', [CompletionResultType]::ParameterName, 'Give up looking there after this long [default: 1s]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would go, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn, and do not say what was done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;remote;help' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say whether the remote store works, and if not, what to do')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Say what came from the remote store, what went there, and how it is')
            [CompletionResult]::new('flush', 'flush', [CompletionResultType]::ParameterValue, 'Wait until everything that was recorded is in the remote store')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Take the least recently used out of a folder that machines share')
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
        'cachex;remote;help;prune' {
            break
        }
        'cachex;remote;help;help' {
            break
        }
        'cachex;doctor' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--repair', '--repair', [CompletionResultType]::ParameterName, 'Mend what can be mended; nothing that is whole is removed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not show on a terminal how far it is')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;config' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Print the path of the configuration file, be it there or not')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
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
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say whether a call would hit, and if not, why')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show which results the store holds')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show everything about one result')
            [CompletionResult]::new('forget', 'forget', [CompletionResultType]::ParameterValue, 'Forget recorded runs: of a command, by key, by tag, by age')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Drop what has expired, what is old, what is too much')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Forget everything')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write recorded results to a file, for another store')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Put the results of an archive into the store')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Say what was hit, what was run, and what that saved')
            [CompletionResult]::new('remote', 'remote', [CompletionResultType]::ParameterValue, 'Look after the store that machines share')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Say what is wrong with the store, and mend it')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Say which settings hold, and where each comes from')
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
        'cachex;help;stats' {
            break
        }
        'cachex;help;remote' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say whether the remote store works, and if not, what to do')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Say what came from the remote store, what went there, and how it is')
            [CompletionResult]::new('flush', 'flush', [CompletionResultType]::ParameterValue, 'Wait until everything that was recorded is in the remote store')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Take the least recently used out of a folder that machines share')
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
        'cachex;help;remote;prune' {
            break
        }
        'cachex;help;doctor' {
            break
        }
        'cachex;help;config' {
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
