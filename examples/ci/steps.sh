#!/usr/bin/env bash
# The steps of a CI job under cachex: `steps.sh ARCHIVE`. The results of earlier
# jobs come from ARCHIVE, if it is there, and those of this one go back into it;
# to keep ARCHIVE from one job to the next is for the CI's own cache.
set -euo pipefail

case $1 in
    /*) archive=$1 ;;
    *) archive=$PWD/$1 ;;
esac
cd "$(dirname "$0")/project"

if [[ -e $archive ]]; then
    # One that is damaged costs time, and no more.
    cachex import "$archive" || true
fi

# step NAME OPTIONS… -- COMMAND…: what failed runs again, what passed does not until
# an input changes. What a CI puts into the environment differs from job to job, so
# only what is named there counts.
step() {
    local name=$1
    shift
    echo "== $name" >&2
    cachex run --verbose --tag "$name" --portable --env PATH,LANG --stdin null --exit-codes 0 "$@"
}

step lint --input lint.sh --input pages -- sh lint.sh
step build --input build.sh --input pages --output out/page.html -- sh build.sh out/page.html
step test --input test.sh --input pages --input out/page.html -- sh test.sh out/page.html

# What nobody used for two weeks stays behind, and of the rest what was used last.
cachex export --since 14d --max-size 500MiB --to "$archive"

summary=${GITHUB_STEP_SUMMARY:-}
if [[ -n $summary ]]; then
    cachex stats --since 1d --format markdown >>"$summary"
else
    cachex stats --since 1d --format markdown
fi
