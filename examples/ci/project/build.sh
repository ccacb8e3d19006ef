# One page of HTML, of the name given. What takes long here takes longer elsewhere.
mkdir -p "$(dirname "$1")"
{
    echo '<!doctype html><meta charset="utf-8"><title>Pages</title>'
    sed -E -e 's|^# (.*)|<h1>\1</h1>|' -e 's|^$|<p>|' pages/*.md
} >"$1"
