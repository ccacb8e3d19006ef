
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
            cand forget 'Forget the recorded run of a command'
            cand clear 'Forget everything'
            cand doctor 'Say what is wrong with the store, and mend it'
            cand completions 'Print a completion script for a shell'
            cand generate 'Write completions and man pages below a folder'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;run'= {
            cand --expires-in 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --failure-expires-in 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]'
            cand --exit-codes 'Which exit statuses are recorded: `all`, `0`, `0,2`, `0-3` [default: all]'
            cand --exe 'How the executable counts [default: stat]'
            cand --env 'Count only these variables'
            cand --ignore-env 'Leave out the variables that match these patterns'
            cand --stdin 'What the command gets as standard input, and whether it counts [default: hash]'
            cand --key 'Count this text too, for whatever else the output depends on'
            cand --scope 'Keep this result apart from those of other scopes'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --max-entry-size 'Do not record a longer output than this [default: 1GiB]'
            cand --max-size 'Drop the least recently used results beyond this in all [default: 5GiB]'
            cand --force 'Run the command and replace what is recorded'
            cand --no-concurrent 'Let one caller run the command while the others wait for its result'
            cand --no-cwd 'Leave out the working directory'
            cand --no-env 'Leave out all variables'
            cand --quiet 'Do not warn'
            cand --verbose 'Say on stderr whether it was a hit, and what that saved'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;forget'= {
            cand --expires-in 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --failure-expires-in 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]'
            cand --exit-codes 'Which exit statuses are recorded: `all`, `0`, `0,2`, `0-3` [default: all]'
            cand --exe 'How the executable counts [default: stat]'
            cand --env 'Count only these variables'
            cand --ignore-env 'Leave out the variables that match these patterns'
            cand --stdin 'What the command gets as standard input, and whether it counts [default: hash]'
            cand --key 'Count this text too, for whatever else the output depends on'
            cand --scope 'Keep this result apart from those of other scopes'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --max-entry-size 'Do not record a longer output than this [default: 1GiB]'
            cand --max-size 'Drop the least recently used results beyond this in all [default: 5GiB]'
            cand --force 'Run the command and replace what is recorded'
            cand --no-concurrent 'Let one caller run the command while the others wait for its result'
            cand --no-cwd 'Leave out the working directory'
            cand --no-env 'Leave out all variables'
            cand --quiet 'Do not warn'
            cand --verbose 'Say on stderr whether it was a hit, and what that saved'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;clear'= {
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --yes 'Do not ask'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;doctor'= {
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --repair 'Mend what can be mended; nothing that is whole is removed'
            cand --json 'Print JSON'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
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
            cand forget 'Forget the recorded run of a command'
            cand clear 'Forget everything'
            cand doctor 'Say what is wrong with the store, and mend it'
            cand completions 'Print a completion script for a shell'
            cand generate 'Write completions and man pages below a folder'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;help;run'= {
        }
        &'cachex;help;forget'= {
        }
        &'cachex;help;clear'= {
        }
        &'cachex;help;doctor'= {
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
