# The page given has a heading for each source.
headings=$(grep -c '<h1>' "$1")
pages=$(ls pages/*.md | wc -l)
[ "$headings" -eq "$pages" ] || { echo "$headings headings, $pages pages" >&2; exit 1; }
echo "$headings headings are there"
