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
    set -l cmd (__fish_cachex_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c cachex -n "__fish_cachex_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_needs_command" -s V -l version -d 'Print version'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "run" -d 'Run a command, or replay what it did last time'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "sh" -d 'Run a shell script, or replay what it did last time'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "explain" -d 'Say whether a call would hit, and if not, why'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "list" -d 'Show which results the store holds'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "show" -d 'Show everything about one result'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "forget" -d 'Forget recorded runs: of a command, by key, by tag, by age'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "prune" -d 'Drop what has expired, what is old, what is too much'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "clear" -d 'Forget everything'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "export" -d 'Write recorded results to a file, for another store'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "import" -d 'Put the results of an archive into the store'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "stats" -d 'Say what was hit, what was run, and what that saved'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "remote" -d 'Look after the store that machines share'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "doctor" -d 'Say what is wrong with the store, and mend it'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "config" -d 'Say which settings hold, and where each comes from'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "generate" -d 'Write completions and man pages below a folder'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s t -l expires-in -l ttl -d 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l failure-expires-in -d 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l exit-codes -d 'Which exit statuses are recorded and replayed: `all`, `0`, `0,2`, `0-3` [default: all]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -s s -l refresh-after -l stale-after -d 'Serve what is older than this and start one run in the background that replaces it' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l stale-if-error -d 'If the run fails, serve the last good result up to this long past its expiry' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l jitter -d 'Expire up to this much earlier, each key at its own time [default: 0]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l mode -d 'What of the store is used [default: read-write]' -r -f -a "read-write\t'Replay what is recorded, and record what is run'
read-only\t'Replay what is recorded, and record nothing'
write-only\t'Run in any case, and record that'
off\t'Run as if cachex were not there'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l miss-status -d 'How --cached-only ends if there is nothing to replay [default: 125]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l lock-timeout -d 'Run uncached once another caller\'s run has shown nothing for this long' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l timeout -d 'End the command after this long, with status 124' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l exe -d 'How the executable counts [default: stat]' -r -f -a "stat\t'By its resolved path, size and modification time'
content\t'By its contents, wherever it lies'
name\t'By its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -s e -l env -d 'Count only these variables, each a name or a pattern such as `AWS_*`' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l ignore-env -d 'Leave out the variables that match these patterns' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l stdin -d 'What the command gets as standard input, and whether it counts [default: hash]' -r -f -a "hash\t'The contents count; what is typed at a terminal does not'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it does not count'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -s k -l key -d 'Count this text too, for whatever else the output depends on' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l scope -d 'Keep this result apart from those of other scopes' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -s i -l input -d 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l input-from -d 'Count every file that this file lists, one a line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l input-command -d 'Count what this shell command prints' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l base-dir -d 'Count paths below this folder as if it lay elsewhere' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand run" -s o -l output -d 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l max-entry-size -d 'Do not record a longer output than this [default: 1GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l max-size -d 'Let the store take no more of the disk than this; the least recently used go [default: 5GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l max-entries -d 'Keep about so many results, the most recently used [default: as many as there is room for]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l compress -d 'How hard older output is compressed, from 0, not at all, to 19 [default: 1]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote -d 'Share results with other machines in the store at this URL; see README for the kinds' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote-mode -d 'What of that store is used [default: read-write]' -r -f -a "read-write\t'Replay what others recorded, and give them what is recorded here'
read-only\t'Replay what others recorded, and give them nothing'
off\t'Leave it alone'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l remote-timeout -d 'Give up looking there after this long [default: 1s]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l tag -d 'Label the result, run or replayed, for other verbs to find it by; may be given repeatedly' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l status-file -d 'Write one JSON object about the call to this file' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand run" -l status-fd -d 'Write it to this open descriptor' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -s f -l force -d 'Run the command and replace what is recorded: --mode write-only'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-read -d 'The same as --force'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l read-only -d 'Record nothing: --mode read-only'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l warm -d 'Start the run in the background, print nothing and return at once'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l cached-only -d 'Never run the command; if there is nothing to replay, end with --miss-status'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s n -l no-concurrent -l single-flight -d 'Let one caller run the command while the others follow its output'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l tty -d 'If standard output is a terminal, give the command one of its own'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-cwd -d 'Leave out the working directory'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-env -d 'Leave out all variables'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-ignore -d 'Count files too that `.gitignore` leaves out'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l portable -d 'Share results between machines and checkouts: see README for what it stands for'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l require-outputs -d 'End with 125 if the command made one of them not, instead of recording that'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s q -l quiet -d 'Do not warn'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s v -l verbose -d 'Say on stderr whether it was a hit, and what that saved'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l expires-in -l ttl -d 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l failure-expires-in -d 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l exit-codes -d 'Which exit statuses are recorded and replayed: `all`, `0`, `0,2`, `0-3` [default: all]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l refresh-after -l stale-after -d 'Serve what is older than this and start one run in the background that replaces it' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l stale-if-error -d 'If the run fails, serve the last good result up to this long past its expiry' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l jitter -d 'Expire up to this much earlier, each key at its own time [default: 0]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l mode -d 'What of the store is used [default: read-write]' -r -f -a "read-write\t'Replay what is recorded, and record what is run'
read-only\t'Replay what is recorded, and record nothing'
write-only\t'Run in any case, and record that'
off\t'Run as if cachex were not there'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l miss-status -d 'How --cached-only ends if there is nothing to replay [default: 125]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l lock-timeout -d 'Run uncached once another caller\'s run has shown nothing for this long' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l timeout -d 'End the command after this long, with status 124' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l exe -d 'How the executable counts [default: stat]' -r -f -a "stat\t'By its resolved path, size and modification time'
content\t'By its contents, wherever it lies'
name\t'By its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l env -d 'Count only these variables, each a name or a pattern such as `AWS_*`' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l ignore-env -d 'Leave out the variables that match these patterns' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l stdin -d 'What the script gets as standard input, and whether it counts [default: null]' -r -f -a "hash\t'The contents count; what is typed at a terminal does not'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it does not count'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l key -d 'Count this text too, for whatever else the output depends on' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l scope -d 'Keep this result apart from those of other scopes' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l input -d 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l input-from -d 'Count every file that this file lists, one a line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l input-command -d 'Count what this shell command prints' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l base-dir -d 'Count paths below this folder as if it lay elsewhere' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l output -d 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l max-entry-size -d 'Do not record a longer output than this [default: 1GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l max-size -d 'Let the store take no more of the disk than this; the least recently used go [default: 5GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l max-entries -d 'Keep about so many results, the most recently used [default: as many as there is room for]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l compress -d 'How hard older output is compressed, from 0, not at all, to 19 [default: 1]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote -d 'Share results with other machines in the store at this URL; see README for the kinds' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote-mode -d 'What of that store is used [default: read-write]' -r -f -a "read-write\t'Replay what others recorded, and give them what is recorded here'
read-only\t'Replay what others recorded, and give them nothing'
off\t'Leave it alone'"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l remote-timeout -d 'Give up looking there after this long [default: 1s]' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l tag -d 'Label the result, run or replayed, for other verbs to find it by; may be given repeatedly' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l status-file -d 'Write one JSON object about the call to this file' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l status-fd -d 'Write it to this open descriptor' -r
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l shell -d 'Which shell runs the script, by name or by path [default: /bin/sh]' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l force -d 'Run the command and replace what is recorded: --mode write-only'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-read -d 'The same as --force'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l read-only -d 'Record nothing: --mode read-only'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l warm -d 'Start the run in the background, print nothing and return at once'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l cached-only -d 'Never run the command; if there is nothing to replay, end with --miss-status'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-concurrent -l single-flight -d 'Let one caller run the command while the others follow its output'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l tty -d 'If standard output is a terminal, give the command one of its own'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-cwd -d 'Leave out the working directory'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-env -d 'Leave out all variables'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l no-ignore -d 'Count files too that `.gitignore` leaves out'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l portable -d 'Share results between machines and checkouts: see README for what it stands for'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l require-outputs -d 'End with 125 if the command made one of them not, instead of recording that'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l quiet -d 'Do not warn'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -l verbose -d 'Say on stderr whether it was a hit, and what that saved'
complete -c cachex -n "__fish_cachex_using_subcommand sh" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s t -l expires-in -l ttl -d 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l failure-expires-in -d 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l exit-codes -d 'Which exit statuses are recorded and replayed: `all`, `0`, `0,2`, `0-3` [default: all]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s s -l refresh-after -l stale-after -d 'Serve what is older than this and start one run in the background that replaces it' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l stale-if-error -d 'If the run fails, serve the last good result up to this long past its expiry' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l jitter -d 'Expire up to this much earlier, each key at its own time [default: 0]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l mode -d 'What of the store is used [default: read-write]' -r -f -a "read-write\t'Replay what is recorded, and record what is run'
read-only\t'Replay what is recorded, and record nothing'
write-only\t'Run in any case, and record that'
off\t'Run as if cachex were not there'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l miss-status -d 'How --cached-only ends if there is nothing to replay [default: 125]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l lock-timeout -d 'Run uncached once another caller\'s run has shown nothing for this long' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l timeout -d 'End the command after this long, with status 124' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l exe -d 'How the executable counts [default: stat]' -r -f -a "stat\t'By its resolved path, size and modification time'
content\t'By its contents, wherever it lies'
name\t'By its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s e -l env -d 'Count only these variables, each a name or a pattern such as `AWS_*`' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l ignore-env -d 'Leave out the variables that match these patterns' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l stdin -d 'What the command gets as standard input, and whether it counts [default: hash]' -r -f -a "hash\t'The contents count; what is typed at a terminal does not'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it does not count'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s k -l key -d 'Count this text too, for whatever else the output depends on' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l scope -d 'Keep this result apart from those of other scopes' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s i -l input -d 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l input-from -d 'Count every file that this file lists, one a line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l input-command -d 'Count what this shell command prints' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l base-dir -d 'Count paths below this folder as if it lay elsewhere' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s o -l output -d 'What the command makes: a file, a folder or a pattern; recorded, and put back by a hit' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l max-entry-size -d 'Do not record a longer output than this [default: 1GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l max-size -d 'Let the store take no more of the disk than this; the least recently used go [default: 5GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l max-entries -d 'Keep about so many results, the most recently used [default: as many as there is room for]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l compress -d 'How hard older output is compressed, from 0, not at all, to 19 [default: 1]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote -d 'Share results with other machines in the store at this URL; see README for the kinds' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote-mode -d 'What of that store is used [default: read-write]' -r -f -a "read-write\t'Replay what others recorded, and give them what is recorded here'
read-only\t'Replay what others recorded, and give them nothing'
off\t'Leave it alone'"
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l remote-timeout -d 'Give up looking there after this long [default: 1s]' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l tag -d 'Label the result, run or replayed, for other verbs to find it by; may be given repeatedly' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l status-file -d 'Write one JSON object about the call to this file' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l status-fd -d 'Write it to this open descriptor' -r
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s f -l force -d 'Run the command and replace what is recorded: --mode write-only'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-read -d 'The same as --force'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l read-only -d 'Record nothing: --mode read-only'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l warm -d 'Start the run in the background, print nothing and return at once'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l cached-only -d 'Never run the command; if there is nothing to replay, end with --miss-status'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s n -l no-concurrent -l single-flight -d 'Let one caller run the command while the others follow its output'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l tty -d 'If standard output is a terminal, give the command one of its own'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-cwd -d 'Leave out the working directory'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-env -d 'Leave out all variables'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l no-ignore -d 'Count files too that `.gitignore` leaves out'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l portable -d 'Share results between machines and checkouts: see README for what it stands for'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l require-outputs -d 'End with 125 if the command made one of them not, instead of recording that'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s q -l quiet -d 'Do not warn'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s v -l verbose -d 'Say on stderr whether it was a hit, and what that saved'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l all -d 'List the variables too, by name'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l tag -d 'Only those with this tag' -r
complete -c cachex -n "__fish_cachex_using_subcommand list" -l scope -d 'Only those of this scope' -r
complete -c cachex -n "__fish_cachex_using_subcommand list" -l cwd -d 'Only those that ran in this folder' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand list" -l sort -d 'What comes first [default: used]' -r -f -a "used\t'What was used last'
age\t'What was recorded last'
expires\t'What expires first'
size\t'What is largest'
run-time\t'What took the longest'
hits\t'What was replayed most often'
exit\t'The lowest exit status'
command\t'By the alphabet'"
complete -c cachex -n "__fish_cachex_using_subcommand list" -l limit -d 'At most so many' -r
complete -c cachex -n "__fish_cachex_using_subcommand list" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand list" -l stale -d 'Only those that have expired'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l failed -d 'Only those whose exit status is not 0'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l reverse -d 'The other way round'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l no-pager -d 'Show it without a pager'
complete -c cachex -n "__fish_cachex_using_subcommand list" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l exe -d 'How the executable counts [default: stat]' -r -f -a "stat\t'By its resolved path, size and modification time'
content\t'By its contents, wherever it lies'
name\t'By its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand show" -s e -l env -d 'Count only these variables, each a name or a pattern such as `AWS_*`' -r
complete -c cachex -n "__fish_cachex_using_subcommand show" -l ignore-env -d 'Leave out the variables that match these patterns' -r
complete -c cachex -n "__fish_cachex_using_subcommand show" -l stdin -d 'What the command gets as standard input, and whether it counts [default: hash]' -r -f -a "hash\t'The contents count; what is typed at a terminal does not'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it does not count'"
complete -c cachex -n "__fish_cachex_using_subcommand show" -s k -l key -d 'Count this text too, for whatever else the output depends on' -r
complete -c cachex -n "__fish_cachex_using_subcommand show" -l scope -d 'Keep this result apart from those of other scopes' -r
complete -c cachex -n "__fish_cachex_using_subcommand show" -s i -l input -d 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand show" -l input-from -d 'Count every file that this file lists, one a line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand show" -l input-command -d 'Count what this shell command prints' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l base-dir -d 'Count paths below this folder as if it lay elsewhere' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l remote -d 'The remote store that it is shared through' -r
complete -c cachex -n "__fish_cachex_using_subcommand show" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand show" -l stdout -d 'Print what the command wrote to standard output, byte for byte'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l stderr -d 'Print what it wrote to standard error, to standard output'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l replay -d 'Print both as it wrote them, each to its own stream'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l no-pager -d 'Show it without a pager'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l no-cwd -d 'Leave out the working directory'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l no-env -d 'Leave out all variables'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l no-ignore -d 'Count files too that `.gitignore` leaves out'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l portable -d 'Share results between machines and checkouts: see README for what it stands for'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l tty -d 'The run at a terminal of this kind and size'
complete -c cachex -n "__fish_cachex_using_subcommand show" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l tag -d 'Those with this tag' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l cwd -d 'Those that ran in this folder' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l older-than -d 'Those that were recorded longer ago than this' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l command -d 'Those whose command line matches, see `cachex list --help`' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l remote-mode -d 'What of the remote store is used [default: read-write]' -r -f -a "read-write\t'Replay what others recorded, and give them what is recorded here'
read-only\t'Replay what others recorded, and give them nothing'
off\t'Leave it alone'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l exe -d 'How the executable counts [default: stat]' -r -f -a "stat\t'By its resolved path, size and modification time'
content\t'By its contents, wherever it lies'
name\t'By its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -s e -l env -d 'Count only these variables, each a name or a pattern such as `AWS_*`' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l ignore-env -d 'Leave out the variables that match these patterns' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l stdin -d 'What the command gets as standard input, and whether it counts [default: hash]' -r -f -a "hash\t'The contents count; what is typed at a terminal does not'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it does not count'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -s k -l key -d 'Count this text too, for whatever else the output depends on' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l scope -d 'Keep this result apart from those of other scopes' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -s i -l input -d 'Count these files too: a file, a folder or a pattern; `!` in front leaves them out' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l input-from -d 'Count every file that this file lists, one a line; `-` reads standard input' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l input-command -d 'Count what this shell command prints' -r -f -a "(__fish_complete_command)"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l base-dir -d 'Count paths below this folder as if it lay elsewhere' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l remote -d 'The remote store that it is shared through' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l failed -d 'Those whose exit status is not 0'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l dry-run -d 'Say what would go, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l yes -d 'Do not ask; only `clear` does'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-pager -d 'Show it without a pager'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-cwd -d 'Leave out the working directory'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-env -d 'Leave out all variables'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-ignore -d 'Count files too that `.gitignore` leaves out'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l portable -d 'Share results between machines and checkouts: see README for what it stands for'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l tty -d 'The run at a terminal of this kind and size'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l max-age -d 'What was recorded longer ago than this' -r
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l max-size -d 'The least recently used, until the store takes no more of the disk than this' -r
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l max-entries -d 'The least recently used of more than so many' -r
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l tag -d 'All this only among those with this tag' -r
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l cwd -d 'All this only among those that ran in this folder' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l expired -d 'What has expired, also what --stale-if-error could still serve'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l dry-run -d 'Say what would go, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l yes -d 'Do not ask; only `clear` does'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l no-pager -d 'Show it without a pager'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l dry-run -d 'Say what would go, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l yes -d 'Do not ask; only `clear` does'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l no-pager -d 'Show it without a pager'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l to -d 'Where the archive goes; `-` is standard output' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand export" -l tag -d 'Those with this tag' -r
complete -c cachex -n "__fish_cachex_using_subcommand export" -l scope -d 'Those of this scope' -r
complete -c cachex -n "__fish_cachex_using_subcommand export" -l cwd -d 'Those that ran in this folder' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand export" -l command -d 'Those whose command line matches, see `cachex list --help`' -r
complete -c cachex -n "__fish_cachex_using_subcommand export" -l since -d 'Those that were recorded or served since then: `7d`, or a date such as `2026-11-01`' -r
complete -c cachex -n "__fish_cachex_using_subcommand export" -l max-size -d 'The most recently used that come to so much in all, before it is compressed' -r
complete -c cachex -n "__fish_cachex_using_subcommand export" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand export" -l dry-run -d 'Say what would be done, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand import" -l max-size -d 'Refuse an archive that holds more than this [default: what the store may hold]' -r
complete -c cachex -n "__fish_cachex_using_subcommand import" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand import" -l dry-run -d 'Say what would be done, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand import" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand import" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l since -d 'Count from then on: `7d`, or a date such as `2026-11-01`' -r
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l format -d 'How to print it [default: text]' -r -f -a "text\t'Tables, bars and sparklines, for a terminal'
json\t'One object, for programs'
markdown\t'Tables, for GitHub\'s job summaries and comments'"
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l html -d 'Write a page with charts to this file; `-` is standard output' -r -F
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l reset -d 'Count from nothing again; what is recorded stays'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l yes -d 'Do not ask'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l no-pager -d 'Show it without a pager'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush prune help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush prune help" -f -a "check" -d 'Say whether the remote store works, and if not, what to do'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush prune help" -f -a "stats" -d 'Say what came from the remote store, what went there, and how it is'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush prune help" -f -a "flush" -d 'Wait until everything that was recorded is in the remote store'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush prune help" -f -a "prune" -d 'Take the least recently used out of a folder that machines share'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and not __fish_seen_subcommand_from check stats flush prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l remote -d 'The remote store [default: what is set for `run`]' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l remote-timeout -d 'Give up looking there after this long [default: 1s]' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l remote -d 'The remote store [default: what is set for `run`]' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l remote-timeout -d 'Give up looking there after this long [default: 1s]' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l count -d 'Ask it how much it holds, which takes long where that is much'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l timeout -d 'Wait no longer than this' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l remote -d 'The remote store [default: what is set for `run`]' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l remote-timeout -d 'Give up looking there after this long [default: 1s]' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from flush" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l max-age -d 'What was not used for this long; uses are noted by the hour' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l max-size -d 'The least recently used, until the rest takes no more of the disk than this' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l remote -d 'The remote store [default: what is set for `run`]' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l remote-timeout -d 'Give up looking there after this long [default: 1s]' -r
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l dry-run -d 'Say what would go, and change nothing'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -l quiet -d 'Do not warn, and do not say what was done'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "check" -d 'Say whether the remote store works, and if not, what to do'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "stats" -d 'Say what came from the remote store, what went there, and how it is'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "flush" -d 'Wait until everything that was recorded is in the remote store'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Take the least recently used out of a folder that machines share'
complete -c cachex -n "__fish_cachex_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l repair -d 'Mend what can be mended; nothing that is whole is removed'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l quiet -d 'Do not show on a terminal how far it is'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand config" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand config" -l path -d 'Print the path of the configuration file, be it there or not'
complete -c cachex -n "__fish_cachex_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand completions" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand generate" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "run" -d 'Run a command, or replay what it did last time'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "sh" -d 'Run a shell script, or replay what it did last time'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "explain" -d 'Say whether a call would hit, and if not, why'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "list" -d 'Show which results the store holds'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "show" -d 'Show everything about one result'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "forget" -d 'Forget recorded runs: of a command, by key, by tag, by age'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "prune" -d 'Drop what has expired, what is old, what is too much'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "clear" -d 'Forget everything'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "export" -d 'Write recorded results to a file, for another store'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "import" -d 'Put the results of an archive into the store'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "stats" -d 'Say what was hit, what was run, and what that saved'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "remote" -d 'Look after the store that machines share'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "doctor" -d 'Say what is wrong with the store, and mend it'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "config" -d 'Say which settings hold, and where each comes from'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "generate" -d 'Write completions and man pages below a folder'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run sh explain list show forget prune clear export import stats remote doctor config completions generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "check" -d 'Say whether the remote store works, and if not, what to do'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "stats" -d 'Say what came from the remote store, what went there, and how it is'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "flush" -d 'Wait until everything that was recorded is in the remote store'
complete -c cachex -n "__fish_cachex_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "prune" -d 'Take the least recently used out of a folder that machines share'

# Keys, tags and scopes that the store holds. `cachex __complete` only reads, and
# is done at once.
function __fish_cachex_stored
    set -l words (commandline -opc)
    cachex __complete $argv[1] (commandline -ct) $words[2..] 2>/dev/null
end

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
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -f -a '(__fish_cachex_stored any)'
complete -c cachex -n "__fish_cachex_using_subcommand prune" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l tag -x -a '(__fish_cachex_stored tags)'
complete -c cachex -n "__fish_cachex_using_subcommand export" -l scope -x -a '(__fish_cachex_stored scopes)'
complete -c cachex -n "__fish_cachex_using_subcommand export" -f -a '(__fish_cachex_stored any)'
