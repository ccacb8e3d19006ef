# cachex in bash, by a line in ~/.bashrc: eval "$(cachex init bash)"

# cached NAME DURATION [OPTION…]: from now on NAME, a command, an alias or a
# function, goes through the cache. cached -d NAME: not any more. cached: which do.
cached() {
    local name=${1-} text first options at wrapped
    case $name in
        '')
            ((${#_cachex_before[@]} == 0)) || printf '%s\n' "${!_cachex_before[@]}" | sort
            return ;;
        -d)
            name=${2-}
            if [[ -z ${_cachex_before[${name:- }]+is} ]]; then
                printf 'cached: %s is not cached\n' "$name" >&2
                return 1
            fi
            unset -f "$name"
            eval "${_cachex_before[$name]}"
            unset "_cachex_before[$name]" "_cachex_alias[$name]"
            return ;;
        -*)
            printf 'usage: cached NAME DURATION [OPTION…]; cached -d NAME; cached\n' >&2
            return 2 ;;
    esac
    if [[ $# -lt 2 ]]; then
        printf 'cached: no duration; for example: cached %s 10m\n' "$name" >&2
        return 2
    fi
    shift
    if [[ $1 != [0-9]* && $1 != never && $1 != -* ]]; then
        printf 'cached: %s is not a duration, as in: cached %s 10m\n' "$1" "$name" >&2
        return 2
    fi
    [[ $1 != [0-9]* && $1 != never ]] || set -- --expires-in "$@"
    # Said now, and not by each call.
    if ! at=$(CACHEX_DISABLE=1 command cachex run "$@" -- true 2>&1 </dev/null); then
        at=${at%%$'\n'*}
        printf 'cached: %s\n' "${at#error: }" >&2
        return 2
    fi
    printf -v options ' %q' "$@"
    [[ -z ${_cachex_before[$name]+is} ]] || cached -d "$name"
    case $(type -t "$name") in
        alias)
            text=${BASH_ALIASES[$name]}
            _cachex_alias[$name]=$text
            wrapped="alias $name=$(printf %q "$text")"
            # An alias of an alias, which may be cached itself.
            for at in 1 2 3 4 5 6 7 8; do
                first=${text%%[[:space:]]*}
                [[ $first != "$name" && -n $first ]] || break
                if [[ -n ${BASH_ALIASES[$first]+is} ]]; then
                    text=${BASH_ALIASES[$first]}${text#"$first"}
                elif [[ -n ${_cachex_alias[$first]+is} ]]; then
                    text=${_cachex_alias[$first]}${text#"$first"}
                else
                    break
                fi
            done
            # A program of its own has neither the functions nor the builtins of this shell.
            first=${text%%[[:space:]]*} at=1
            case $(type -t -- "$first") in
                function) [[ -n ${_cachex_before[$first]+is} ]] && at= ;;
                builtin | keyword) [[ -n $(type -P -- "$first") ]] && at= ;;
                *) at= ;;
            esac
            if [[ -n $at ]]; then
                unset "_cachex_alias[$name]"
                printf 'cached: %s stands for %s, which is no program\n' "$name" "$first" >&2
                return 1
            fi
            unalias "$name"
            if [[ $text =~ ^[A-Za-z0-9_./+:@%-]+([[:space:]]+[A-Za-z0-9_./+:@%=,-]+)*[[:space:]]*$ ]]; then
                text="run$options -- $text"
            else
                printf -v text '%q' "$text \"\$@\""
                text="sh --stdin hash --shell bash$options -c $text $name"
            fi ;;
        function)
            wrapped=$(declare -f "$name")
            printf -v text '%q' "$wrapped"$'\n'"$name \"\$@\""
            text="run$options -- bash -c $text $name" ;;
        file)
            text="run$options -- $name" wrapped= ;;
        '')
            printf 'cached: %s: command not found\n' "$name" >&2
            return 127 ;;
        *)
            printf 'cached: %s is a part of the shell itself\n' "$name" >&2
            return 1 ;;
    esac
    eval "$name() { command cachex $text \"\$@\"; }" || return
    _cachex_before[$name]=$wrapped
}
# Empty ones, which `set -u` takes for unset without a value.
declare -p _cachex_before &>/dev/null || declare -gA _cachex_before=() _cachex_alias=()

# cached_prompt [DURATION] CMD…, for a prompt: what CMD printed last, at once. It
# runs in the background, at the most once in DURATION (2s).
cached_prompt() {
    local every=2s
    case ${1-} in [0-9]*) every=$1; shift ;; esac
    command cachex run --no-wait --expires-in 1day --stale-ok 30days \
        --refresh-after "$every" --quiet -- "$@" </dev/null 2>/dev/null
}

# The completions are read when the first one is asked for.
_cachex_load() {
    complete -r cachex
    unset -f _cachex_load
    eval "$(command cachex completions bash)" && return 124
}
complete -F _cachex_load cachex
