# cachex in zsh, by a line in ~/.zshrc: eval "$(cachex init zsh)"

# cached NAME DURATION [OPTION…]: from now on NAME, a command, an alias or a
# function, goes through the cache. cached -d NAME: not any more. cached: which do.
function cached {
    emulate -L zsh
    setopt extended_glob
    local name=${1-} kind text first options at wrapped newline=$'\n'
    # In variables, since not every option of a shell lets them stand in its text.
    local plain='[A-Za-z0-9_./+:@%-]##([[:space:]]##[A-Za-z0-9_./+:@%=,-]##)#[[:space:]]#'
    case $name in
        '')
            (( ! $#_cachex_before )) || print -rl -- ${(ok)_cachex_before}
            return ;;
        -d)
            if (( ! ${+_cachex_before[${2-}]} )); then
                print -ru2 -- "cached: ${2-} is not cached"
                return 1
            fi
            unfunction -- $2
            [[ -z ${_cachex_before[$2]} ]] || eval ${_cachex_before[$2]}
            unset "_cachex_before[$2]" "_cachex_alias[$2]"
            return ;;
        -*)
            print -ru2 -- 'usage: cached NAME DURATION [OPTION…]; cached -d NAME; cached'
            return 2 ;;
    esac
    if (( $# < 2 )); then
        print -ru2 -- "cached: no duration; for example: cached $name 10m"
        return 2
    fi
    shift
    if [[ $1 != [0-9]* && $1 != never && $1 != -* ]]; then
        print -ru2 -- "cached: $1 is not a duration, as in: cached $name 10m"
        return 2
    fi
    [[ $1 != [0-9]* && $1 != never ]] || set -- --expires-in "$@"
    # Said now, and not by each call.
    if ! at=$(CACHEX_DISABLE=1 command cachex run "$@" -- true 2>&1 </dev/null); then
        print -ru2 -- "cached: ${${at%%$'\n'*}#error: }"
        return 2
    fi
    options=${(j: :)${(q)@}}
    (( ! ${+_cachex_before[$name]} )) || cached -d $name
    kind=$(whence -w -- $name)
    case ${kind##*: } in
        alias)
            text=${aliases[$name]}
            _cachex_alias[$name]=$text
            wrapped="alias ${(q)name}=${(q)text}"
            # An alias of an alias, which may be cached itself.
            for at in {1..8}; do
                first=${text%%[[:space:]]*}
                [[ $first != $name && -n $first ]] || break
                if (( ${+aliases[$first]} )); then
                    text=${aliases[$first]}${text#$first}
                elif (( ${+_cachex_alias[$first]} )); then
                    text=${_cachex_alias[$first]}${text#$first}
                else
                    break
                fi
            done
            # A program of its own has neither the functions nor the builtins of this shell.
            first=${text%%[[:space:]]*} at=1
            kind=$(whence -w -- $first)
            case ${kind##*: } in
                function) (( ! ${+_cachex_before[$first]} )) || at= ;;
                builtin|reserved) [[ -z $(whence -p -- $first) ]] || at= ;;
                *) at= ;;
            esac
            if [[ -n $at ]]; then
                unset "_cachex_alias[$name]"
                print -ru2 -- "cached: $name stands for $first, which is no program"
                return 1
            fi
            unalias -- $name
            if [[ $text == ${~plain} ]]; then
                text="run $options -- $text"
            else
                text="sh --stdin hash --shell zsh $options -c ${(q):-$text \"\$@\"} $name"
            fi ;;
        function)
            # One that was never called has not been loaded.
            [[ ${functions[$name]} != *'builtin autoload -X'* ]] || autoload +X -- $name
            wrapped="function $name { ${functions[$name]}$newline}"
            text="run $options -- zsh -fc ${(q):-$wrapped$newline$name \"\$@\"} $name" ;;
        command|hashed)
            text="run $options -- $name" wrapped= ;;
        none|'')
            print -ru2 -- "cached: $name: command not found"
            return 127 ;;
        *)
            print -ru2 -- "cached: $name is a part of the shell itself"
            return 1 ;;
    esac
    functions[$name]="command cachex $text \"\$@\"" || return
    _cachex_before[$name]=$wrapped
}
typeset -gA _cachex_before _cachex_alias

# cached_prompt [DURATION] CMD…, for a prompt: what CMD printed last, at once. It
# runs in the background, at the most once in DURATION (2s).
function cached_prompt {
    local every=2s
    case ${1-} in [0-9]*) every=$1; shift ;; esac
    command cachex run --no-wait --expires-in 1day --stale-ok 30days \
        --refresh-after "$every" --quiet -- "$@" </dev/null 2>/dev/null
}

# The completions are read when the first one is asked for.
function _cachex_load {
    unfunction _cachex_load
    eval "$(command cachex completions zsh)"
    _cachex "$@"
}
if (( ${+functions[compdef]} )) && [[ -z ${_comps[cachex]-} ]]; then compdef _cachex_load cachex; fi
