
# Keys, tags and scopes that the store holds. `cachex __complete` only reads, and
# is done at once.
_cachex_stored() {
    local found=() value
    if _cachex_at; then
        _cachex_behind "$REPLY"
        return
    fi
    while IFS=$'\t' read -r value _; do
        printf -v value %q "$value"
        found+=("$value")
    done < <("$1" __complete any "${COMP_WORDS[COMP_CWORD]//[\\\'\"]/}" \
        "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
    if ((${#found[@]})); then
        COMPREPLY=("${found[@]}")
    else
        _cachex "$@"
    fi
}

# Which word the command is that goes through the cache, if the cursor is on it or
# behind it.
_cachex_at() {
    local at=2 word only_behind_dashes=1
    case ${COMP_WORDS[1]-} in
        run | explain | why) only_behind_dashes= ;;
        show | info | forget | rm | config) ;;
        -*) at=1 ;;
        *) return 1 ;;
    esac
    for (( ; at < COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        case $word in
            --)
                ((REPLY = at + 1))
                return 0 ;;
            # Bash makes several words of one.
            = | :) ((at += 1)) ;;
            -*)
                [[ $word != -[!-]* ]] || word=-${word: -1}
                if [[ ' @valued@ ' == *" $word "* && ${COMP_WORDS[at + 1]-} != = ]]; then
                    ((at += 1))
                fi ;;
            *)
                [[ -z $only_behind_dashes ]] || continue
                REPLY=$at
                return 0 ;;
        esac
    done
    [[ -z $only_behind_dashes && $at -eq $COMP_CWORD && ${COMP_WORDS[at]} != [-=:]* ]] || return 1
    REPLY=$at
}

# As it is completed by itself.
_cachex_behind() {
    local at=$1 spec
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$at"
        return
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$at"
        return
    fi
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} name=${COMP_WORDS[at]}
    if ((COMP_CWORD == at)); then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -c -- "$cur" | sort -u)
        return
    fi
    local line=${COMP_LINE-} word
    for word in "${COMP_WORDS[@]:0:at}"; do
        line=${line#*"$word"}
    done
    while [[ $line == ' '* ]]; do line=${line# }; done
    COMP_POINT=$((${COMP_POINT:-0} - ${#COMP_LINE} + ${#line})) COMP_LINE=$line
    COMP_WORDS=("${COMP_WORDS[@]:at}") COMP_CWORD=$((COMP_CWORD - at))
    spec=$(complete -p -- "$name" 2>/dev/null || complete -p -- "${name##*/}" 2>/dev/null)
    [[ $spec =~ ' -F '([^ ]+) ]] && "${BASH_REMATCH[1]}" "$name" "$cur" "$prev"
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _cachex_stored -o nosort -o bashdefault -o default cachex
else
    complete -F _cachex_stored -o bashdefault -o default cachex
fi
