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
complete -c cachex -n "__fish_cachex_needs_command" -f -a "forget" -d 'Forget the recorded run of a command'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "clear" -d 'Forget everything'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "doctor" -d 'Say what is wrong with the store, and mend it'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "generate" -d 'Write completions and man pages below a folder'
complete -c cachex -n "__fish_cachex_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l expires-in -d 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l failure-expires-in -d 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l exit-codes -d 'Which exit statuses are recorded: `all`, `0`, `0,2`, `0-3` [default: all]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l exe -d 'How the executable counts [default: stat]' -r -f -a "stat\t'By its resolved path, size and modification time'
content\t'By its contents, wherever it lies'
name\t'By its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l env -d 'Count only these variables' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l ignore-env -d 'Leave out the variables that match these patterns' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l stdin -d 'What the command gets as standard input, and whether it counts [default: hash]' -r -f -a "hash\t'The contents count; what is typed at a terminal does not'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it does not count'"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l key -d 'Count this text too, for whatever else the output depends on' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l scope -d 'Keep this result apart from those of other scopes' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand run" -l max-entry-size -d 'Do not record a longer output than this [default: 1GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l max-size -d 'Drop the least recently used results beyond this in all [default: 5GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand run" -l force -d 'Run the command and replace what is recorded'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-concurrent -d 'Let one caller run the command while the others wait for its result'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-cwd -d 'Leave out the working directory'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l no-env -d 'Leave out all variables'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l quiet -d 'Do not warn'
complete -c cachex -n "__fish_cachex_using_subcommand run" -l verbose -d 'Say on stderr whether it was a hit, and what that saved'
complete -c cachex -n "__fish_cachex_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l expires-in -d 'Replay a result for at most this long, such as `2s` or `1h 30m` [default: for ever]' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l failure-expires-in -d 'The same for an exit status other than 0 [default: 1m, or --expires-in if that is shorter]' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l exit-codes -d 'Which exit statuses are recorded: `all`, `0`, `0,2`, `0-3` [default: all]' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l exe -d 'How the executable counts [default: stat]' -r -f -a "stat\t'By its resolved path, size and modification time'
content\t'By its contents, wherever it lies'
name\t'By its name as given, and nothing else'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l env -d 'Count only these variables' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l ignore-env -d 'Leave out the variables that match these patterns' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l stdin -d 'What the command gets as standard input, and whether it counts [default: hash]' -r -f -a "hash\t'The contents count; what is typed at a terminal does not'
null\t'The command gets an empty standard input'
inherit\t'The command gets it as it is, and it does not count'"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l key -d 'Count this text too, for whatever else the output depends on' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l scope -d 'Keep this result apart from those of other scopes' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l max-entry-size -d 'Do not record a longer output than this [default: 1GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l max-size -d 'Drop the least recently used results beyond this in all [default: 5GiB]' -r
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l force -d 'Run the command and replace what is recorded'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-concurrent -d 'Let one caller run the command while the others wait for its result'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-cwd -d 'Leave out the working directory'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l no-env -d 'Leave out all variables'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l quiet -d 'Do not warn'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -l verbose -d 'Say on stderr whether it was a hit, and what that saved'
complete -c cachex -n "__fish_cachex_using_subcommand forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand clear" -l yes -d 'Do not ask'
complete -c cachex -n "__fish_cachex_using_subcommand clear" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l cache-dir -d 'Where results are kept [default: $XDG_CACHE_HOME/cachex or ~/.cache/cachex]' -r -f -a "(__fish_complete_directories)"
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l repair -d 'Mend what can be mended; nothing that is whole is removed'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -l json -d 'Print JSON'
complete -c cachex -n "__fish_cachex_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cachex -n "__fish_cachex_using_subcommand completions" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand generate" -s h -l help -d 'Print help'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run forget clear doctor completions generate help" -f -a "run" -d 'Run a command, or replay what it did last time'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run forget clear doctor completions generate help" -f -a "forget" -d 'Forget the recorded run of a command'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run forget clear doctor completions generate help" -f -a "clear" -d 'Forget everything'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run forget clear doctor completions generate help" -f -a "doctor" -d 'Say what is wrong with the store, and mend it'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run forget clear doctor completions generate help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run forget clear doctor completions generate help" -f -a "generate" -d 'Write completions and man pages below a folder'
complete -c cachex -n "__fish_cachex_using_subcommand help; and not __fish_seen_subcommand_from run forget clear doctor completions generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
