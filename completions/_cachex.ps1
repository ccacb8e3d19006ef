
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
            [CompletionResult]::new('forget', 'forget', [CompletionResultType]::ParameterValue, 'Forget the recorded run of a command')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Forget everything')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Say what is wrong with the store, and mend it')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write completions and man pages below a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;run' {
            [CompletionResult]::new('--expires-in', '--expires-in', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--failure-expires-in', '--failure-expires-in', [CompletionResultType]::ParameterName, 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]')
            [CompletionResult]::new('--exit-codes', '--exit-codes', [CompletionResultType]::ParameterName, 'Which exit statuses are recorded: `all`, `0`, `0,2`, `0-3` [default: all]')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'How the executable counts [default: stat]')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Count only these variables')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave out the variables that match these patterns')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'What the command gets as standard input, and whether it counts [default: hash]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep this result apart from those of other scopes')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--max-entry-size', '--max-entry-size', [CompletionResultType]::ParameterName, 'Do not record a longer output than this [default: 1GiB]')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Drop the least recently used results beyond this in all [default: 5GiB]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run the command and replace what is recorded')
            [CompletionResult]::new('--no-concurrent', '--no-concurrent', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others wait for its result')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave out the working directory')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave out all variables')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on stderr whether it was a hit, and what that saved')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;forget' {
            [CompletionResult]::new('--expires-in', '--expires-in', [CompletionResultType]::ParameterName, 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]')
            [CompletionResult]::new('--failure-expires-in', '--failure-expires-in', [CompletionResultType]::ParameterName, 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]')
            [CompletionResult]::new('--exit-codes', '--exit-codes', [CompletionResultType]::ParameterName, 'Which exit statuses are recorded: `all`, `0`, `0,2`, `0-3` [default: all]')
            [CompletionResult]::new('--exe', '--exe', [CompletionResultType]::ParameterName, 'How the executable counts [default: stat]')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Count only these variables')
            [CompletionResult]::new('--ignore-env', '--ignore-env', [CompletionResultType]::ParameterName, 'Leave out the variables that match these patterns')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'What the command gets as standard input, and whether it counts [default: hash]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Count this text too, for whatever else the output depends on')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Keep this result apart from those of other scopes')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--max-entry-size', '--max-entry-size', [CompletionResultType]::ParameterName, 'Do not record a longer output than this [default: 1GiB]')
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Drop the least recently used results beyond this in all [default: 5GiB]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run the command and replace what is recorded')
            [CompletionResult]::new('--no-concurrent', '--no-concurrent', [CompletionResultType]::ParameterName, 'Let one caller run the command while the others wait for its result')
            [CompletionResult]::new('--no-cwd', '--no-cwd', [CompletionResultType]::ParameterName, 'Leave out the working directory')
            [CompletionResult]::new('--no-env', '--no-env', [CompletionResultType]::ParameterName, 'Leave out all variables')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not warn')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on stderr whether it was a hit, and what that saved')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cachex;clear' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cachex;doctor' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]')
            [CompletionResult]::new('--repair', '--repair', [CompletionResultType]::ParameterName, 'Mend what can be mended; nothing that is whole is removed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
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
            [CompletionResult]::new('forget', 'forget', [CompletionResultType]::ParameterValue, 'Forget the recorded run of a command')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Forget everything')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Say what is wrong with the store, and mend it')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write completions and man pages below a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cachex;help;run' {
            break
        }
        'cachex;help;forget' {
            break
        }
        'cachex;help;clear' {
            break
        }
        'cachex;help;doctor' {
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
