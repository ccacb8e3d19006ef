# cachex in fish, by a line in ~/.config/fish/config.fish: cachex init fish | source

# cached NAME DURATION [OPTION…]: from now on NAME, a command or a function, as an
# alias is one, goes through the cache. cached -d NAME: not any more. cached: which do.
function cached -d 'Run a command through the cache from now on'
    set -l name $argv[1]
    switch "$name"
        case ''
            set -q _cachex_names[1]; and printf '%s\n' $_cachex_names | sort
            return 0
        case -d
            if not contains -- "$argv[2]" $_cachex_names
                echo "cached: $argv[2] is not cached" >&2
                return 1
            end
            set -e _cachex_names[(contains -i -- $argv[2] $_cachex_names)]
            functions -e $argv[2]
            if functions -q __cachex_before_$argv[2]
                functions -c __cachex_before_$argv[2] $argv[2]
                functions -e __cachex_before_$argv[2]
            end
            return
        case '-*'
            echo 'usage: cached NAME DURATION [OPTION…]; cached -d NAME; cached' >&2
            return 2
    end
    if test (count $argv) -lt 2
        echo "cached: no duration; for example: cached $name 10m" >&2
        return 2
    end
    set -l options $argv[2..]
    if not string match -qr '^([0-9-]|never$)' -- $options[1]
        echo "cached: $options[1] is not a duration, as in: cached $name 10m" >&2
        return 2
    end
    string match -qr '^([0-9]|never$)' -- $options[1]; and set -p options --expires-in
    # Said now, and not by each call.
    set -l wrong (CACHEX_DISABLE=1 command cachex run $options -- true 2>&1 </dev/null)
    if test $status -ne 0
        echo "cached: "(string replace 'error: ' '' -- $wrong[1]) >&2
        return 2
    end
    contains -- $name $_cachex_names; and cached -d $name
    set options (string escape -- $options)
    set -l call
    if contains -- $name (builtin -n)
        echo "cached: $name is a part of the shell itself" >&2
        return 1
    else if functions -q $name
        set -l body (functions $name | string match -v '# Defined *' | string collect)
        # With what it calls that is defined here, as an alias of an alias does.
        for called in (string match -ra '\w[\w.-]*' -- $body | sort -u)
            test $called != $name; and functions -q -- $called; or continue
            # fish loads its own by the name of the file.
            string match -q "$__fish_data_dir/*/$called.fish" -- (functions --details $called); and continue
            set body (functions $called | string match -v '# Defined *' | string collect)\n$body
        end
        set call fish --no-config -c (string escape -- $body\n"$name \$argv" | string collect) --
        functions -c $name __cachex_before_$name
        functions -e $name
    else if command -q $name
        set call $name
    else
        echo "cached: $name: command not found" >&2
        return 127
    end
    # Completed as it was.
    set -l made "function $name --wraps $name; command cachex run $options -- $call \$argv; end"
    eval $made; or return
    set -ga _cachex_names $name
end
set -q _cachex_names; or set -g _cachex_names

# cached_prompt [DURATION] CMD…, for a prompt: what CMD printed last, at once. It
# runs in the background, at the most once in DURATION (2s).
function cached_prompt -d 'What a command printed last, at once'
    set -l every 2s
    if string match -qr '^[0-9]' -- $argv[1]
        set every $argv[1]
        set -e argv[1]
    end
    command cachex run --no-wait --expires-in 1day --stale-ok 30days \
        --refresh-after $every --quiet -- $argv </dev/null 2>/dev/null
end

# The completions are read when the first one is asked for.
function __cachex_load
    complete -c cachex -e
    command cachex completions fish | source
    complete -C (commandline -cp)
end
complete -c cachex -f -a '(__cachex_load)'
