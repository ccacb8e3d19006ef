# No line is too long, and none ends in a blank.
if grep -nE '.{81}|[[:blank:]]$' pages/*.md; then
    exit 1
fi
echo "$(cat pages/*.md | wc -l) lines are fine"
