#!/usr/bin/env bash
# The steps of a CI job under cachex. The results of earlier jobs come from one of two
# places, and those of this job go there:
#   steps.sh ARCHIVE   a file, if it is there; the CI's own cache keeps it between jobs
#   steps.sh           the store that machines share, as CACHEX_REMOTE names it
set -euo pipefail

archive=${1:-}
if [[ -n $archive && $archive != /* ]]; then
    archive=$PWD/$archive
fi
cd "$(dirname "$0")/project"

if [[ -n $archive && -e $archive ]]; then
    # One that is damaged costs time, and no more.
    cachex import "$archive" || true
fi
if [[ -n ${CACHEX_REMOTE:-} ]]; then
    # What is still on its way would end with the job. What passed is shared even if a
    # later step fails; a store that takes nothing costs time, and no more.
    trap 'cachex remote flush || true' EXIT
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

if [[ -n $archive ]]; then
    # What nobody used for two weeks stays behind, and of the rest what was used last.
    cachex export --since 14d --max-size 500MiB --to "$archive"
fi

summary=${GITHUB_STEP_SUMMARY:-}
if [[ -n $summary ]]; then
    cachex stats --since 1d --format markdown >>"$summary"
else
    cachex stats --since 1d --format markdown
fi
