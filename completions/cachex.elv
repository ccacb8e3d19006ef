
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
            cand explain 'Say whether a call would hit, and if not, why'
            cand list 'Show which results the store holds'
            cand show 'Show everything about one result'
            cand forget 'Forget recorded runs: of a command, by key, by tag, by age'
            cand prune 'Drop what has expired, what is old, what is too much'
            cand clear 'Forget everything'
            cand export 'Write recorded results to a file, for another store'
            cand import 'Put the results of an archive into the store'
            cand stats 'Say what was hit, what was run, and what that saved'
            cand remote 'Look after the store that machines share'
            cand doctor 'Say what is wrong with the store, and mend it'
            cand config 'Say which settings hold, and where each comes from'
            cand completions 'Print a completion script for a shell'
            cand generate 'Write completions and man pages below a folder'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;run'= {
            cand -t 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --expires-in 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --ttl 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --failure-expires-in 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]'
            cand --exit-codes 'Which exit statuses are recorded and replayed: `all`, `0`, `0,2`, `0-3` [default: all]'
            cand -s 'Serve what is older than this and start one run in the background that replaces it'
            cand --refresh-after 'Serve what is older than this and start one run in the background that replaces it'
            cand --stale-after 'Serve what is older than this and start one run in the background that replaces it'
            cand --stale-if-error 'If the run fails, serve the last good result up to this long past its expiry'
            cand --jitter 'Expire up to this much earlier, each key at its own time [default: 0]'
            cand --mode 'What of the store is used [default: read-write]'
            cand --miss-status 'How --cached-only ends if there is nothing to replay [default: 125]'
            cand --lock-timeout 'Run uncached once another caller''s run has shown nothing for this long'
            cand --timeout 'End the command after this long, with status 124'
            cand --exe 'How the executable counts [default: stat]'
            cand -e 'Count only these variables, each a name or a pattern such as `AWS_*`'
            cand --env 'Count only these variables, each a name or a pattern such as `AWS_*`'
            cand --ignore-env 'Leave out the variables that match these patterns'
            cand --stdin 'What the command gets as standard input, and whether it counts [default: hash]'
            cand -k 'Count this text too, for whatever else the output depends on'
            cand --key 'Count this text too, for whatever else the output depends on'
            cand --scope 'Keep this result apart from those of other scopes'
            cand -i 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out'
            cand --input 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out'
            cand --input-from 'Count every file that this file lists, one a line; `-` reads standard input'
            cand --input-command 'Count what this shell command prints'
            cand --base-dir 'Count paths below this folder as if it lay elsewhere'
            cand -o 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit'
            cand --output 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --max-entry-size 'Do not record a longer output than this [default: 1GiB]'
            cand --max-size 'Let the store take no more of the disk than this; the least recently used go [default: 5GiB]'
            cand --max-entries 'Keep about so many results, the most recently used [default: as many as there is room for]'
            cand --compress 'How hard older output is compressed, from 0, not at all, to 19 [default: 1]'
            cand --remote 'Share results with other machines in the store at this URL; see README for the kinds'
            cand --remote-mode 'What of that store is used [default: read-write]'
            cand --remote-timeout 'Give up looking there after this long [default: 1s]'
            cand --tag 'Label the result, run or replayed, for other verbs to find it by; may be given repeatedly'
            cand --status-file 'Write one JSON object about the call to this file'
            cand --status-fd 'Write it to this open descriptor'
            cand -f 'Run the command and replace what is recorded: --mode write-only'
            cand --force 'Run the command and replace what is recorded: --mode write-only'
            cand --no-read 'The same as --force'
            cand --read-only 'Record nothing: --mode read-only'
            cand --warm 'Start the run in the background, print nothing and return at once'
            cand --cached-only 'Never run the command; if there is nothing to replay, end with --miss-status'
            cand -n 'Let one caller run the command while the others follow its output'
            cand --no-concurrent 'Let one caller run the command while the others follow its output'
            cand --single-flight 'Let one caller run the command while the others follow its output'
            cand --tty 'If standard output is a terminal, give the command one of its own'
            cand --no-cwd 'Leave out the working directory'
            cand --no-env 'Leave out all variables'
            cand --no-ignore 'Count files too that `.gitignore` leaves out'
            cand --portable 'Share results between machines and checkouts: see README for what it stands for'
            cand --require-outputs 'End with 125 if the command made one of them not, instead of recording that'
            cand -q 'Do not warn'
            cand --quiet 'Do not warn'
            cand -v 'Say on stderr whether it was a hit, and what that saved'
            cand --verbose 'Say on stderr whether it was a hit, and what that saved'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;sh'= {
            cand --expires-in 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --ttl 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --failure-expires-in 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]'
            cand --exit-codes 'Which exit statuses are recorded and replayed: `all`, `0`, `0,2`, `0-3` [default: all]'
            cand --refresh-after 'Serve what is older than this and start one run in the background that replaces it'
            cand --stale-after 'Serve what is older than this and start one run in the background that replaces it'
            cand --stale-if-error 'If the run fails, serve the last good result up to this long past its expiry'
            cand --jitter 'Expire up to this much earlier, each key at its own time [default: 0]'
            cand --mode 'What of the store is used [default: read-write]'
            cand --miss-status 'How --cached-only ends if there is nothing to replay [default: 125]'
            cand --lock-timeout 'Run uncached once another caller''s run has shown nothing for this long'
            cand --timeout 'End the command after this long, with status 124'
            cand --exe 'How the executable counts [default: stat]'
            cand --env 'Count only these variables, each a name or a pattern such as `AWS_*`'
            cand --ignore-env 'Leave out the variables that match these patterns'
            cand --stdin 'What the script gets as standard input, and whether it counts [default: null]'
            cand --key 'Count this text too, for whatever else the output depends on'
            cand --scope 'Keep this result apart from those of other scopes'
            cand --input 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out'
            cand --input-from 'Count every file that this file lists, one a line; `-` reads standard input'
            cand --input-command 'Count what this shell command prints'
            cand --base-dir 'Count paths below this folder as if it lay elsewhere'
            cand --output 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --max-entry-size 'Do not record a longer output than this [default: 1GiB]'
            cand --max-size 'Let the store take no more of the disk than this; the least recently used go [default: 5GiB]'
            cand --max-entries 'Keep about so many results, the most recently used [default: as many as there is room for]'
            cand --compress 'How hard older output is compressed, from 0, not at all, to 19 [default: 1]'
            cand --remote 'Share results with other machines in the store at this URL; see README for the kinds'
            cand --remote-mode 'What of that store is used [default: read-write]'
            cand --remote-timeout 'Give up looking there after this long [default: 1s]'
            cand --tag 'Label the result, run or replayed, for other verbs to find it by; may be given repeatedly'
            cand --status-file 'Write one JSON object about the call to this file'
            cand --status-fd 'Write it to this open descriptor'
            cand --shell 'Which shell runs the script, by name or by path [default: /bin/sh]'
            cand --force 'Run the command and replace what is recorded: --mode write-only'
            cand --no-read 'The same as --force'
            cand --read-only 'Record nothing: --mode read-only'
            cand --warm 'Start the run in the background, print nothing and return at once'
            cand --cached-only 'Never run the command; if there is nothing to replay, end with --miss-status'
            cand --no-concurrent 'Let one caller run the command while the others follow its output'
            cand --single-flight 'Let one caller run the command while the others follow its output'
            cand --tty 'If standard output is a terminal, give the command one of its own'
            cand --no-cwd 'Leave out the working directory'
            cand --no-env 'Leave out all variables'
            cand --no-ignore 'Count files too that `.gitignore` leaves out'
            cand --portable 'Share results between machines and checkouts: see README for what it stands for'
            cand --require-outputs 'End with 125 if the command made one of them not, instead of recording that'
            cand --quiet 'Do not warn'
            cand --verbose 'Say on stderr whether it was a hit, and what that saved'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;explain'= {
            cand -t 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --expires-in 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --ttl 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]'
            cand --failure-expires-in 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]'
            cand --exit-codes 'Which exit statuses are recorded and replayed: `all`, `0`, `0,2`, `0-3` [default: all]'
            cand -s 'Serve what is older than this and start one run in the background that replaces it'
            cand --refresh-after 'Serve what is older than this and start one run in the background that replaces it'
            cand --stale-after 'Serve what is older than this and start one run in the background that replaces it'
            cand --stale-if-error 'If the run fails, serve the last good result up to this long past its expiry'
            cand --jitter 'Expire up to this much earlier, each key at its own time [default: 0]'
            cand --mode 'What of the store is used [default: read-write]'
            cand --miss-status 'How --cached-only ends if there is nothing to replay [default: 125]'
            cand --lock-timeout 'Run uncached once another caller''s run has shown nothing for this long'
            cand --timeout 'End the command after this long, with status 124'
            cand --exe 'How the executable counts [default: stat]'
            cand -e 'Count only these variables, each a name or a pattern such as `AWS_*`'
            cand --env 'Count only these variables, each a name or a pattern such as `AWS_*`'
            cand --ignore-env 'Leave out the variables that match these patterns'
            cand --stdin 'What the command gets as standard input, and whether it counts [default: hash]'
            cand -k 'Count this text too, for whatever else the output depends on'
            cand --key 'Count this text too, for whatever else the output depends on'
            cand --scope 'Keep this result apart from those of other scopes'
            cand -i 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out'
            cand --input 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out'
            cand --input-from 'Count every file that this file lists, one a line; `-` reads standard input'
            cand --input-command 'Count what this shell command prints'
            cand --base-dir 'Count paths below this folder as if it lay elsewhere'
            cand -o 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit'
            cand --output 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --max-entry-size 'Do not record a longer output than this [default: 1GiB]'
            cand --max-size 'Let the store take no more of the disk than this; the least recently used go [default: 5GiB]'
            cand --max-entries 'Keep about so many results, the most recently used [default: as many as there is room for]'
            cand --compress 'How hard older output is compressed, from 0, not at all, to 19 [default: 1]'
            cand --remote 'Share results with other machines in the store at this URL; see README for the kinds'
            cand --remote-mode 'What of that store is used [default: read-write]'
            cand --remote-timeout 'Give up looking there after this long [default: 1s]'
            cand --tag 'Label the result, run or replayed, for other verbs to find it by; may be given repeatedly'
            cand --status-file 'Write one JSON object about the call to this file'
            cand --status-fd 'Write it to this open descriptor'
            cand -f 'Run the command and replace what is recorded: --mode write-only'
            cand --force 'Run the command and replace what is recorded: --mode write-only'
            cand --no-read 'The same as --force'
            cand --read-only 'Record nothing: --mode read-only'
            cand --warm 'Start the run in the background, print nothing and return at once'
            cand --cached-only 'Never run the command; if there is nothing to replay, end with --miss-status'
            cand -n 'Let one caller run the command while the others follow its output'
            cand --no-concurrent 'Let one caller run the command while the others follow its output'
            cand --single-flight 'Let one caller run the command while the others follow its output'
            cand --tty 'If standard output is a terminal, give the command one of its own'
            cand --no-cwd 'Leave out the working directory'
            cand --no-env 'Leave out all variables'
            cand --no-ignore 'Count files too that `.gitignore` leaves out'
            cand --portable 'Share results between machines and checkouts: see README for what it stands for'
            cand --require-outputs 'End with 125 if the command made one of them not, instead of recording that'
            cand -q 'Do not warn'
            cand --quiet 'Do not warn'
            cand -v 'Say on stderr whether it was a hit, and what that saved'
            cand --verbose 'Say on stderr whether it was a hit, and what that saved'
            cand --all 'List the variables too, by name'
            cand --json 'Print JSON'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;list'= {
            cand --tag 'Only those with this tag'
            cand --scope 'Only those of this scope'
            cand --cwd 'Only those that ran in this folder'
            cand --sort 'What comes first [default: used]'
            cand --limit 'At most so many'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --stale 'Only those that have expired'
            cand --failed 'Only those whose exit status is not 0'
            cand --reverse 'The other way round'
            cand --json 'Print JSON'
            cand --no-pager 'Show it without a pager'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;show'= {
            cand --exe 'How the executable counts [default: stat]'
            cand -e 'Count only these variables, each a name or a pattern such as `AWS_*`'
            cand --env 'Count only these variables, each a name or a pattern such as `AWS_*`'
            cand --ignore-env 'Leave out the variables that match these patterns'
            cand --stdin 'What the command gets as standard input, and whether it counts [default: hash]'
            cand -k 'Count this text too, for whatever else the output depends on'
            cand --key 'Count this text too, for whatever else the output depends on'
            cand --scope 'Keep this result apart from those of other scopes'
            cand -i 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out'
            cand --input 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out'
            cand --input-from 'Count every file that this file lists, one a line; `-` reads standard input'
            cand --input-command 'Count what this shell command prints'
            cand --base-dir 'Count paths below this folder as if it lay elsewhere'
            cand --remote 'The remote store that it is shared through'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --stdout 'Print what the command wrote to standard output, byte for byte'
            cand --stderr 'Print what it wrote to standard error, to standard output'
            cand --replay 'Print both as it wrote them, each to its own stream'
            cand --json 'Print JSON'
            cand --no-pager 'Show it without a pager'
            cand --no-cwd 'Leave out the working directory'
            cand --no-env 'Leave out all variables'
            cand --no-ignore 'Count files too that `.gitignore` leaves out'
            cand --portable 'Share results between machines and checkouts: see README for what it stands for'
            cand --tty 'The run at a terminal of this kind and size'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;forget'= {
            cand --tag 'Those with this tag'
            cand --cwd 'Those that ran in this folder'
            cand --older-than 'Those that were recorded longer ago than this'
            cand --command 'Those whose command line matches, see `cachex list --help`'
            cand --remote-mode 'What of the remote store is used [default: read-write]'
            cand --exe 'How the executable counts [default: stat]'
            cand -e 'Count only these variables, each a name or a pattern such as `AWS_*`'
            cand --env 'Count only these variables, each a name or a pattern such as `AWS_*`'
            cand --ignore-env 'Leave out the variables that match these patterns'
            cand --stdin 'What the command gets as standard input, and whether it counts [default: hash]'
            cand -k 'Count this text too, for whatever else the output depends on'
            cand --key 'Count this text too, for whatever else the output depends on'
            cand --scope 'Keep this result apart from those of other scopes'
            cand -i 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out'
            cand --input 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out'
            cand --input-from 'Count every file that this file lists, one a line; `-` reads standard input'
            cand --input-command 'Count what this shell command prints'
            cand --base-dir 'Count paths below this folder as if it lay elsewhere'
            cand --remote 'The remote store that it is shared through'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --failed 'Those whose exit status is not 0'
            cand --dry-run 'Say what would go, and change nothing'
            cand --yes 'Do not ask; only `clear` does'
            cand --json 'Print JSON'
            cand --no-pager 'Show it without a pager'
            cand --no-cwd 'Leave out the working directory'
            cand --no-env 'Leave out all variables'
            cand --no-ignore 'Count files too that `.gitignore` leaves out'
            cand --portable 'Share results between machines and checkouts: see README for what it stands for'
            cand --tty 'The run at a terminal of this kind and size'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;prune'= {
            cand --max-age 'What was recorded longer ago than this'
            cand --max-size 'The least recently used, until the store takes no more of the disk than this'
            cand --max-entries 'The least recently used of more than so many'
            cand --tag 'All this only among those with this tag'
            cand --cwd 'All this only among those that ran in this folder'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --expired 'What has expired, also what --stale-if-error could still serve'
            cand --dry-run 'Say what would go, and change nothing'
            cand --yes 'Do not ask; only `clear` does'
            cand --json 'Print JSON'
            cand --no-pager 'Show it without a pager'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;clear'= {
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --dry-run 'Say what would go, and change nothing'
            cand --yes 'Do not ask; only `clear` does'
            cand --json 'Print JSON'
            cand --no-pager 'Show it without a pager'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;export'= {
            cand --to 'Where the archive goes; `-` is standard output'
            cand --tag 'Those with this tag'
            cand --scope 'Those of this scope'
            cand --cwd 'Those that ran in this folder'
            cand --command 'Those whose command line matches, see `cachex list --help`'
            cand --since 'Those that were recorded or served since then: `7d`, or a date such as `2026-11-01`'
            cand --max-size 'The most recently used that come to so much in all, before it is compressed'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --dry-run 'Say what would be done, and change nothing'
            cand --json 'Print JSON'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;import'= {
            cand --max-size 'Refuse an archive that holds more than this [default: what the store may hold]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --dry-run 'Say what would be done, and change nothing'
            cand --json 'Print JSON'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;stats'= {
            cand --since 'Count from then on: `7d`, or a date such as `2026-11-01`'
            cand --format 'How to print it [default: text]'
            cand --html 'Write a page with charts to this file; `-` is standard output'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --reset 'Count from nothing again; what is recorded stays'
            cand --yes 'Do not ask'
            cand --json 'Print JSON'
            cand --no-pager 'Show it without a pager'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand check 'Say whether the remote store works, and if not, what to do'
            cand stats 'Say what came from the remote store, what went there, and how it is'
            cand flush 'Wait until everything that was recorded is in the remote store'
            cand prune 'Take the least recently used out of a folder that machines share'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;remote;check'= {
            cand --remote 'The remote store [default: what is set for `run`]'
            cand --remote-timeout 'Give up looking there after this long [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --json 'Print JSON'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote;stats'= {
            cand --remote 'The remote store [default: what is set for `run`]'
            cand --remote-timeout 'Give up looking there after this long [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --count 'Ask it how much it holds, which takes long where that is much'
            cand --json 'Print JSON'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;remote;flush'= {
            cand --timeout 'Wait no longer than this'
            cand --remote 'The remote store [default: what is set for `run`]'
            cand --remote-timeout 'Give up looking there after this long [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --json 'Print JSON'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'cachex;remote;prune'= {
            cand --max-age 'What was not used for this long; uses are noted by the hour'
            cand --max-size 'The least recently used, until the rest takes no more of the disk than this'
            cand --remote 'The remote store [default: what is set for `run`]'
            cand --remote-timeout 'Give up looking there after this long [default: 1s]'
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --dry-run 'Say what would go, and change nothing'
            cand --json 'Print JSON'
            cand --quiet 'Do not warn, and do not say what was done'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;remote;help'= {
            cand check 'Say whether the remote store works, and if not, what to do'
            cand stats 'Say what came from the remote store, what went there, and how it is'
            cand flush 'Wait until everything that was recorded is in the remote store'
            cand prune 'Take the least recently used out of a folder that machines share'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'cachex;remote;help;check'= {
        }
        &'cachex;remote;help;stats'= {
        }
        &'cachex;remote;help;flush'= {
        }
        &'cachex;remote;help;prune'= {
        }
        &'cachex;remote;help;help'= {
        }
        &'cachex;doctor'= {
            cand --cache-dir 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]'
            cand --repair 'Mend what can be mended; nothing that is whole is removed'
            cand --json 'Print JSON'
            cand --quiet 'Do not show on a terminal how far it is'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'cachex;config'= {
            cand --json 'Print JSON'
            cand --path 'Print the path of the configuration file, be it there or not'
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
            cand sh 'Run a shell script, or replay what it did last time'
            cand explain 'Say whether a call would hit, and if not, why'
            cand list 'Show which results the store holds'
            cand show 'Show everything about one result'
            cand forget 'Forget recorded runs: of a command, by key, by tag, by age'
            cand prune 'Drop what has expired, what is old, what is too much'
            cand clear 'Forget everything'
            cand export 'Write recorded results to a file, for another store'
            cand import 'Put the results of an archive into the store'
            cand stats 'Say what was hit, what was run, and what that saved'
            cand remote 'Look after the store that machines share'
            cand doctor 'Say what is wrong with the store, and mend it'
            cand config 'Say which settings hold, and where each comes from'
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
        &'cachex;help;stats'= {
        }
        &'cachex;help;remote'= {
            cand check 'Say whether the remote store works, and if not, what to do'
            cand stats 'Say what came from the remote store, what went there, and how it is'
            cand flush 'Wait until everything that was recorded is in the remote store'
            cand prune 'Take the least recently used out of a folder that machines share'
        }
        &'cachex;help;remote;check'= {
        }
        &'cachex;help;remote;stats'= {
        }
        &'cachex;help;remote;flush'= {
        }
        &'cachex;help;remote;prune'= {
        }
        &'cachex;help;doctor'= {
        }
        &'cachex;help;config'= {
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
