#!/usr/bin/env bash
# The steps of a CI job under cachex, with nothing declared: what each of them reads and writes
# is found out. The CI's own cache keeps the store between jobs, whose checkouts lie in the
# same folder:
#   CACHEX_DIR=$HOME/cachex auto.sh
set -euo pipefail
cd "$(dirname "$0")/project"

# What passed is skipped until something that it read changes, and its files are brought
# back. A checkout gives all files new times, so times are left out.
step() {
    local name=$1
    shift
    echo "== $name" >&2
    cachex run --auto --auto-times none --verbose --tag "$name" \
        --env PATH,LANG --stdin null --exit-codes 0 -- "$@"
}

step lint sh lint.sh
step build sh build.sh out/page.html
step test sh test.sh out/page.html

summary=${GITHUB_STEP_SUMMARY:-}
if [[ -n $summary ]]; then
    cachex stats --since 1d --format markdown >>"$summary"
else
    cachex stats --since 1d --format markdown
fi
