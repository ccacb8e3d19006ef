
# Keys, tags and scopes that the store holds. `cachex __complete` only reads, and
# is done at once.
_cachex_stored() {
    local found=() value
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

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _cachex_stored -o nosort -o bashdefault -o default cachex
else
    complete -F _cachex_stored -o bashdefault -o default cachex
fi
