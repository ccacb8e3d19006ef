
# Keys, tags and scopes that the store holds. `cachex __complete` only reads, and
# is done at once.
function __fish_cachex_stored
    set -l words (commandline -opc)
    cachex __complete $argv[1] (commandline -ct) $words[2..] 2>/dev/null
end

