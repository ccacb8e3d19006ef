# Keys, tags and scopes that the store holds. `cachex __complete` only reads, and
# is done at once.
(( $+functions[_cachex_stored] )) ||
_cachex_stored() {
    local -a found
    local line
    for line in ${(f)"$(cachex __complete $1 "$PREFIX" "${(@)words[2,CURRENT-1]}" 2>/dev/null)"}; do
        line="${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}"
        found+=("${line%:}")
    done
    _describe -V "$1" found
}
# Behind `--` stands a command, and nowhere else.
(( $+functions[_cachex_behind] )) ||
_cachex_behind() { [[ $LBUFFER == *' -- '* ]] && _cmdambivalent }
(( $+functions[_cachex_keys] )) || _cachex_keys() { _cachex_behind || _cachex_stored keys }
(( $+functions[_cachex_tags] )) || _cachex_tags() { _cachex_stored tags }
(( $+functions[_cachex_scopes] )) || _cachex_scopes() { _cachex_stored scopes }

