
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
    set -l valued @valued@
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
