# Keys, tags and scopes that the store holds. `cachex __complete` only reads, and
# is done at once.
(( $+functions[_cachex_stored] )) ||
_cachex_stored() {
    local -a found
    local line
    for line in ${(f)"$(cachex __complete $1 "$PREFIX" "${(@)words[2,CURRENT-1]}" 2>/dev/null)"}; do
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    _describe -V "$1" found
}
(( $+functions[_cachex_keys] )) || _cachex_keys() { _cachex_stored keys }
(( $+functions[_cachex_tags] )) || _cachex_tags() { _cachex_stored tags }
(( $+functions[_cachex_scopes] )) || _cachex_scopes() { _cachex_stored scopes }

